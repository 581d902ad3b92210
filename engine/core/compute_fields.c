/* Frames of cameras as targets: see compute_fields.h. */
#include "engine/core/compute_fields.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/target/fields_hosts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One entry of the job, being done. */
struct packing {
	const struct catalog *catalog;
	const struct skymap *map;
	const json_t *entry;
	struct footprint camera;
	struct fields_hosts hosts;
	struct fields chosen;
	struct fields_old *old;
	size_t olds;
	bool listed; /* galaxies have their ranks by a list beside the frames */
};

static int old_read(struct packing *p, struct err *e)
{
	const json_t *list = json_object_get(p->entry, "old"), *v;
	size_t i;
	p->old = calloc(json_array_size(list) + 1, sizeof *p->old);
	if (p->old == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the fields of before");
	json_array_foreach(list, i, v) {
		struct fields_old *o = &p->old[p->olds++];
		*o = (struct fields_old){json_number_value(json_array_get(v, 0)), json_number_value(json_array_get(v, 1)), json_is_true(json_array_get(v, 2))};
		if (!(o->ra_deg >= 0 && o->ra_deg <= 360 && fabs(o->dec_deg) <= 90))
			p->olds--;
	}
	return 0;
}

/* Mean distance of the galaxies that a field holds, by their probability; the map's where it holds none; NaN where nobody knows. */
static double distance_of(const struct packing *p, const struct field *f)
{
	double sum = 0, weight = 0;
	for (size_t k = 0; k < f->count; k++) {
		const struct fields_galaxy *g = &p->hosts.galaxy[p->chosen.member[f->first + k]];
		if (!(g->distance_mpc > 0) || !isfinite(g->distance_mpc))
			continue;
		sum += g->probability * g->distance_mpc;
		weight += g->probability;
	}
	return weight > 0 ? sum / weight : p->map->distmean_mpc;
}

static json_t *target_of(const struct packing *p, size_t galaxy)
{
	json_t *t = compute_target(p->catalog, &p->hosts.ranking.list[galaxy], galaxy + 1, p->hosts.galaxy[galaxy].probability);
	if (p->listed) /* this one is not in it, and must not get between those that are */
		json_object_set_new(t, "rank", json_null());
	return t;
}

static bool has_key(const json_t *targets, const char *key)
{
	const json_t *t;
	size_t i;
	json_array_foreach(targets, i, t)
		if (strcmp(json_text(t, "key", ""), key) == 0)
			return true;
	return false;
}

static json_t *field_json(const struct packing *p, size_t i, json_t *targets)
{
	const struct field *f = &p->chosen.list[i];
	const char *camera = json_text(p->entry, "camera", "");
	double total = p->chosen.total > 0 ? p->chosen.total : 1;
	char key[96], name[96];
	json_t *galaxies = json_array();
	snprintf(key, sizeof key, "field:%.47s:%llu", camera, (unsigned long long)moc_pixel(MOC_ORDER, f->ra_deg, f->dec_deg));
	snprintf(name, sizeof name, "%.24s %.4f%+.4f", camera, f->ra_deg, f->dec_deg);
	for (size_t k = 0; k < f->count; k++) {
		json_t *t = target_of(p, p->chosen.member[f->first + k]);
		const char *held = json_text(t, "key", "");
		json_array_append_new(galaxies, json_string(held));
		if (!has_key(targets, held))
			json_array_append(targets, t);
		json_decref(t);
	}
	return json_pack("{s:s s:s s:s s:I s:s s:o s:o s:o s:o s:o s:o s:o}", "camera", camera, "key", key, "name", name, "rank", (json_int_t)i + 1, "kind",
		fields_kind_name(f->kind), "ra_deg", json_real(f->ra_deg), "dec_deg", json_real(f->dec_deg), "distance_mpc", json_real_or_null(distance_of(p, f)),
		"probability", json_real(f->probability), "share", json_real(f->probability / total), "cumulative_share", json_real(f->cumulative / total),
		"galaxies", galaxies);
}

static int entry_choose(struct packing *p, struct err *e)
{
	const char *weight = json_text(p->entry, "weight", "none");
	int from = fields_from_find(json_text(p->entry, "from", "galaxies"));
	int64_t top = json_int(p->entry, "top", 60);
	enum weight_kind kind = strcmp(weight, "luminosity") == 0 ? WEIGHT_LUMINOSITY : strcmp(weight, "mass") == 0 ? WEIGHT_MASS : WEIGHT_NONE;
	if (from < 0 || (from != FIELDS_FROM_SKY && p->catalog == NULL))
		return 0;
	if (fields_hosts_make(p->map, p->catalog, (enum fields_from)from, kind, LIMIT_RANKED, &p->hosts, e) < 0)
		return -1;
	const struct fields_task t = {.footprint = &p->camera, .galaxy = p->hosts.galaxy, .galaxies = p->hosts.galaxies, .map = p->map, .missing = p->hosts.missing,
		.old = p->old, .olds = p->olds, .top = top < 1 ? 1 : top > LIMIT_RANKED ? LIMIT_RANKED : (size_t)top, .level = 0.9,
		/* the cut is a part of what could be held, as it is for galaxies */
		.probability = NAN};
	return fields_choose(&t, &p->chosen, e);
}

static int entry_pack(struct packing *p, json_t *out, json_t *result, struct err *e)
{
	const json_t *instrument = json_object_get(p->entry, "instrument");
	struct err unknown = {0};
	int rc = json_is_object(instrument) ? footprint_of_instrument(instrument, &p->camera, &unknown) :
		footprint_find(NULL, 0, json_text(p->entry, "camera", ""), &p->camera, &unknown);
	if (rc < 0)
		return 0;
	rc = old_read(p, e) < 0 ? -1 : entry_choose(p, e);
	double cut = json_number(p->entry, "probability", NAN);
	for (size_t i = 0; rc == 0 && i < p->chosen.count; i++) {
		if (i > 0 && p->chosen.list[i - 1].cumulative >= cut * p->chosen.total)
			break; /* the rest is beyond every policy's cut */
		json_array_append_new(out, field_json(p, i, json_object_get(result, "targets")));
	}
	if (rc == 0 && json_object_get(result, "outside") == NULL)
		json_object_set_new(result, "outside", json_real_or_null(p->hosts.outside));
	fields_free(&p->chosen);
	fields_hosts_free(&p->hosts);
	free(p->old);
	return rc;
}

int compute_fields(const struct compute_host *host, const struct skymap *m, const json_t *fields, json_t *result, struct err *e)
{
	json_t *out = json_array();
	const json_t *entry;
	bool listed = json_object_get(result, "catalogue_sum") != NULL; /* of the plain list */
	size_t i;
	int rc = 0;
	json_array_foreach(fields, i, entry) {
		if (strcmp(json_text(entry, "from", ""), "region") == 0) {
			json_t *region = compute_region(m, entry, e);
			rc = region != NULL ? json_array_append_new(out, region) : -1;
			if (rc < 0)
				break;
			continue;
		}
		struct packing *p = calloc(1, sizeof *p); /* a footprint is large, a worker's stack is not */
		if (p == NULL)
			rc = err_set(e, ERR_MEMORY, "no memory for fields");
		if (rc < 0)
			break;
		*p = (struct packing){.catalog = host->catalog, .map = m, .entry = entry, .listed = listed};
		rc = entry_pack(p, out, result, e);
		free(p);
	}
	json_object_set_new(result, "fields", out);
	return rc;
}
