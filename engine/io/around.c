/* Dust and reference images of a plan's targets: see around.h. */
#include "engine/io/around.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/io/others.h"
#include "engine/target/kilonova.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int file_read(const char *path, unsigned char **bytes, unsigned long *len, struct err *e)
{
	FILE *f = fopen(path, "rbe");
	long size = -1;
	if (f == NULL)
		return err_set(e, ERR_INPUT, "%s: %s; give the path of a file", path, strerror(errno));
	if (fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	*bytes = size >= 0 && size <= (long)LIMIT_MAP_INFLATED ? malloc((size_t)size + 1) : NULL;
	rewind(f);
	if (*bytes == NULL || fread(*bytes, 1, (size_t)size, f) != (size_t)size) {
		fclose(f);
		free(*bytes);
		*bytes = NULL;
		return err_set(e, ERR_INPUT, "%s: cannot be read, or is larger than %u MiB", path, LIMIT_MAP_INFLATED >> 20);
	}
	fclose(f);
	*len = (unsigned long)size;
	return 0;
}

static int reference_read(const char *list, const json_t *one, size_t i, struct around_reference *out, struct hash_running *digest, struct err *e)
{
	const char *moc = json_text(one, "moc", NULL), *slash = strrchr(list, '/');
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	char path[4096];
	snprintf(out->survey, sizeof out->survey, "%s", json_text(one, "survey", ""));
	snprintf(out->band, sizeof out->band, "%s", json_text(one, "band", ""));
	out->depth_mag = json_number(one, "depth_mag", NAN);
	if (moc == NULL || kilonova_band_of(out->band) < 0 || !(out->depth_mag > 5 && out->depth_mag < 40))
		return err_set(e, ERR_INPUT, "%s: entry %zu needs survey, band (g, r, i, z or J), depth_mag (5 sigma, AB) and moc (a file)", list, i + 1);
	snprintf(path, sizeof path, "%.*s%s", moc[0] == '/' || slash == NULL ? 0 : (int)(slash - list + 1), list, moc);
	if (file_read(path, &bytes, &len, e) < 0)
		return -1;
	int rc = moc_read(bytes, len, &out->moc, e);
	hash_sha256_add(digest, bytes, len);
	free(bytes);
	return rc < 0 ? err_wrap(e, "%s", path) : 0;
}

static int references_read(const char *path, struct around *out, struct err *e)
{
	char *text = NULL;
	json_t *list = json_read_file(path, &json_limits_config, &text, e), *one;
	struct hash_running *digest = hash_sha256_begin();
	size_t i;
	int rc = list == NULL ? -1 : 0;
	if (rc == 0)
		hash_sha256_add(digest, text, strlen(text));
	free(text);
	if (rc == 0 && (!json_is_array(list) || json_array_size(list) > AROUND_REFERENCES))
		rc = err_set(e, ERR_INPUT, "%s is no list of at most %d reference surveys", path, AROUND_REFERENCES);
	for (i = 0; rc == 0 && i < json_array_size(list); i++) {
		one = json_array_get(list, i);
		rc = reference_read(path, one, i, &out->reference[out->references], digest, e);
		out->references += rc == 0;
	}
	hash_sha256_end(digest, rc == 0 ? out->references_sha256 : NULL);
	json_decref(list);
	return rc;
}

int around_read(const char *dust, const char *references, struct around *out, struct err *e)
{
	unsigned char *bytes = NULL;
	unsigned long len = 0;
	memset(out, 0, sizeof *out);
	if (dust != NULL) {
		int rc = file_read(dust, &bytes, &len, e);
		rc = rc < 0 ? rc : dust_read(bytes, len, &out->dust, e);
		if (rc == 0)
			hash_sha256_hex(bytes, len, out->dust_sha256);
		free(bytes);
		if (rc < 0)
			return err_wrap(e, "%s", dust);
		out->has_dust = true;
	}
	return references != NULL ? references_read(references, out, e) : 0;
}

void around_free(struct around *a)
{
	dust_free(&a->dust);
	for (size_t i = 0; i < a->references; i++)
		moc_free(&a->reference[i].moc);
	a->references = 0;
}

double around_ebv_mag(const struct around *a, double ra_deg, double dec_deg)
{
	return a->has_dust ? dust_ebv_mag(&a->dust, ra_deg, dec_deg) : NAN;
}

const struct around_reference *around_reference(const struct around *a, const char *filter, double ra_deg, double dec_deg)
{
	const struct around_reference *best = NULL;
	for (size_t i = 0; i < a->references; i++) {
		const struct around_reference *r = &a->reference[i];
		if (kilonova_band_of(r->band) == kilonova_band_of(filter) && (best == NULL || r->depth_mag > best->depth_mag) &&
		    moc_contains_at(&r->moc, ra_deg, dec_deg))
			best = r;
	}
	return best;
}

void around_target(const struct around *a, json_t *target)
{
	static const char *const bands[] = {"g", "r", "i", "z", "J"};
	double ra = json_number(target, "ra_deg", NAN), dec = json_number(target, "dec_deg", NAN), ebv = around_ebv_mag(a, ra, dec);
	json_t *references = json_object();
	if (isfinite(ebv))
		json_object_set_new(target, "ebv_mag", json_real(ebv));
	for (size_t b = 0; b < sizeof bands / sizeof bands[0]; b++) {
		const struct around_reference *r = around_reference(a, bands[b], ra, dec);
		if (r != NULL)
			json_object_set_new(references, bands[b], json_pack("{s:s s:f}", "survey", r->survey, "depth_mag", r->depth_mag));
	}
	if (json_object_size(references) > 0)
		json_object_set(target, "references", references);
	json_decref(references);
}

static void digest_put(json_t *digests, const char *key, const char *sha256)
{
	if (sha256[0] != '\0')
		json_object_set_new(digests, key, json_string(sha256));
}

void around_job(const struct around *a, json_t *job)
{
	struct others others = {.list = NULL};
	struct err e = {0};
	json_t *t, *digests = json_object();
	size_t i;
	json_array_foreach(json_object_get(job, "targets"), i, t)
		around_target(a, t);
	if (a->others[0] != '\0' && others_read(a->others, &others, &e) == 0)
		json_object_set_new(job, "covered", others.list);
	else if (a->others[0] != '\0')
		json_object_set_new(job, "warning", json_string(e.text));
	digest_put(digests, "dust", a->dust_sha256);
	digest_put(digests, "references", a->references_sha256);
	digest_put(digests, "covered", others.sha256);
	json_object_set_new(job, "around", digests);
}
