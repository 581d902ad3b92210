/* Heavy work as JSON → JSON: reads a map, ranks a catalogue, or plans, and answers; see compute.h. */
#include "engine/core/compute.h"
#include "engine/core/compute_fields.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/request/plan.h"
#include "engine/target/probability.h"
#include "engine/target/region.h"
#include "engine/target/supernova.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What cannot be done is an answer, too. */
static int answer_error(const char *kind, const struct err *why, json_t **result, struct err *e)
{
	*result = json_pack("{s:s s:s}", "kind", kind, "error", why->text);
	if (*result == NULL)
		*result = json_pack("{s:s s:s}", "kind", kind, "error", "the reason cannot be shown");
	return *result ? 0 : err_set(e, ERR_MEMORY, "no memory for the answer of a computation");
}

/* 0 the map is read, 1 it cannot be (why), -1 the host is broken. */
static int map_of(const struct compute_host *host, const json_t *job, struct skymap *m, struct err *why, struct err *e)
{
	unsigned char *bytes = NULL;
	size_t len = 0;
	const char *sha256 = json_text(job, "sha256", NULL);
	if (sha256 == NULL) {
		err_set(why, ERR_INPUT, "the job names no map (sha256)");
		return 1;
	}
	if (host->blob(host->ctx, sha256, &bytes, &len, e) < 0)
		return -1;
	int rc = host->read_map(bytes, len, m, why);
	free(bytes);
	if (rc < 0 && why->kind == ERR_MEMORY) {
		*e = *why;
		return -1;
	}
	return rc < 0 ? 1 : 0;
}

static json_t *map_answer(const struct skymap *m, const struct region *r, const struct supernova *s, const char *sha256)
{
	static const char *const orderings[] = {"NUNIQ", "NESTED", "RING"};
	return json_pack("{s:s s:s s:o s:o s:o s:o s:o s:o s:o s:o s:s s:i s:I s:b s:o s:o}", "kind", "map", "sha256", sha256, "area50_deg2",
		json_real_or_null(r->area50_deg2), "area90_deg2", json_real_or_null(r->area90_deg2), "ra_deg", json_real_or_null(r->ra_deg),
		"dec_deg", json_real_or_null(r->dec_deg), "gal_b_deg", json_real_or_null(r->gal_b_deg), "distmean_mpc",
		json_real_or_null(r->distmean_mpc), "diststd_mpc", json_real_or_null(r->diststd_mpc), "distmod_mag",
		json_real_or_null(r->distmod_mag), "ordering", orderings[m->ordering], "max_order", m->order_max, "pixels",
		(json_int_t)m->pixels, "is_3d", m->mu != NULL, "volume90_mpc3", json_real_or_null(s->volume90_mpc3), "unrelated_supernovae",
		json_real_or_null(s->expected));
}

static int compute_map(const struct compute_host *host, const json_t *job, json_t **result, struct err *e)
{
	struct skymap m;
	struct region r;
	struct supernova s;
	struct err why = {0};
	int rc = map_of(host, job, &m, &why, e);
	if (rc != 0)
		return rc < 0 ? -1 : answer_error("map", &why, result, e);
	rc = region_of(&m, &r, e);
	if (rc == 0)
		rc = supernova_in_map(&m, r.distmean_mpc, &s, e);
	if (rc == 0)
		*result = map_answer(&m, &r, &s, json_text(job, "sha256", ""));
	skymap_free(&m);
	if (rc == 0 && *result == NULL)
		rc = err_set(e, ERR_MEMORY, "no memory for the answer of a computation");
	return rc;
}

json_t *compute_target(const struct catalog *c, const struct ranked *r, size_t rank, double probability)
{
	struct catalog_row g;
	char key[CATALOG_NAME + 24];
	catalog_row_at(c, r->row, &g);
	snprintf(key, sizeof key, "%s|%lld", g.name, (long long)g.id);
	return json_pack("{s:s s:I s:I s:s s:o s:o s:o s:o s:o s:o s:o s:o}", "key", key, "rank", (json_int_t)rank, "id", (json_int_t)g.id, "name",
		g.name, "ra_deg", json_real(g.ra_deg), "dec_deg", json_real(g.dec_deg), "distance_mpc", json_real_or_null(g.distance_mpc),
		"distance_err_mpc", json_real_or_null((double)g.distance_err_mpc), "dpdv_per_mpc3", json_real_or_null(r->dpdv_per_mpc3),
		"share", json_real(r->share), "cumulative_share", json_real(r->cumulative_share), "probability", json_real(probability));
}

static json_t *rank_answer(const struct catalog *c, const struct ranking *r, const struct probability *p, const struct weight *w)
{
	json_t *targets = json_array();
	for (size_t i = 0; targets != NULL && i < r->count; i++)
		if (json_array_append_new(targets, compute_target(c, &r->list[i], i + 1, probability_row(p, w, c, &r->list[i]))) != 0) {
			json_decref(targets);
			return NULL;
		}
	return json_pack("{s:s s:I s:o s:o s:I s:o}", "kind", "rank", "considered", (json_int_t)r->considered, "outside", json_real_or_null(p->outside),
		"catalogue_sum", json_real_or_null(p->catalogue), "mean_weight", (json_int_t)r->mean_weight, "targets", targets);
}

/* Options of a job; what it asks for must be what is known. */
static int rank_options_of(const struct compute_host *host, const json_t *job, struct rank_options *o, struct err *why)
{
	const char *weight = json_text(job, "weight", "none"), *error = json_text(job, "distance_error", "catalogue");
	const char *catalog = json_text(job, "catalog", NULL);
	if (host->catalog == NULL)
		return err_set(why, ERR_INPUT, "there is no galaxy catalogue; name one in the configuration (catalog)");
	if (catalog != NULL && strcmp(catalog, host->catalog->sha256) != 0)
		return err_set(why, ERR_INPUT, "the job wants catalogue %.16s…, loaded is %.16s…; load the one it was made for", catalog,
			host->catalog->sha256);
	o->weight = strcmp(weight, "luminosity") == 0 ? RANK_LUMINOSITY : strcmp(weight, "mass") == 0 ? RANK_MASS : RANK_NONE;
	if (o->weight == RANK_NONE && strcmp(weight, "none") != 0)
		return err_set(why, ERR_INPUT, "weight \"%s\" is not none, luminosity or mass", weight);
	o->distance_error = strcmp(error, "none") != 0;
	o->probability = json_number(job, "probability", NAN);
	o->top = json_int(job, "top", LIMIT_RANKED);
	if (o->top < 1 || o->top > LIMIT_RANKED)
		o->top = LIMIT_RANKED;
	return 0;
}

/* Ranks a map that has been read. */
static int rank_map(const struct compute_host *host, const struct skymap *m, struct rank_options *o, json_t **result, struct err *e)
{
	static const enum weight_kind kinds[] = {[RANK_NONE] = WEIGHT_NONE, [RANK_LUMINOSITY] = WEIGHT_LUMINOSITY, [RANK_MASS] = WEIGHT_MASS};
	struct probability_model model;
	struct probability p;
	struct ranking r;
	if (probability_model_make(&model, host->catalog, kinds[o->weight], NULL, NAN, e) < 0)
		return -1;
	o->by = &model.weight;
	int rc = rank_galaxies(m, host->catalog, o, &r, e);
	if (rc == 0) {
		probability_make(&p, m, &model.missing, &r, NULL);
		*result = rank_answer(host->catalog, &r, &p, &model.weight);
		rank_free(&r);
		if (*result == NULL)
			rc = err_set(e, ERR_MEMORY, "no memory for the answer of a computation");
	}
	probability_model_free(&model);
	return rc;
}

static int compute_rank(const struct compute_host *host, const json_t *job, json_t **result, struct err *e)
{
	struct rank_options o = {0};
	struct skymap m;
	struct err why = {0};
	const json_t *fields = json_object_get(job, "fields");
	bool plain = fields == NULL || json_int(job, "top", 0) > 0;
	if ((plain || json_text(job, "catalog", NULL) != NULL) && rank_options_of(host, job, &o, &why) < 0)
		return answer_error("rank", &why, result, e);
	int rc = map_of(host, job, &m, &why, e);
	if (rc != 0)
		return rc < 0 ? -1 : answer_error("rank", &why, result, e);
	if (plain)
		rc = rank_map(host, &m, &o, result, e);
	else
		*result = json_pack("{s:s s:i s:[]}", "kind", "rank", "considered", 0, "targets");
	if (rc == 0 && fields != NULL)
		rc = compute_fields(host, &m, fields, *result, e);
	skymap_free(&m);
	if (rc < 0) {
		json_decref(*result);
		*result = NULL;
	}
	return rc;
}

/* The job with what the host knows of the sky around each target. New reference; NULL without memory. */
static json_t *plan_around(const struct compute_host *host, const json_t *job)
{
	json_t *mine = json_copy((json_t *)(uintptr_t)job), *targets = json_deep_copy(json_object_get(job, "targets"));
	if (targets != NULL)
		json_object_set_new(mine, "targets", targets);
	host->around_job(host->around, mine);
	return mine;
}

int compute_run(const struct compute_host *host, const json_t *job, json_t **result, struct err *e)
{
	const char *kind = json_text(job, "kind", "");
	struct err why = {0};
	*result = NULL;
	if (strcmp(kind, "map") == 0)
		return compute_map(host, job, result, e);
	if (strcmp(kind, "rank") == 0)
		return compute_rank(host, job, result, e);
	if (strcmp(kind, "plan") == 0) {
		json_t *mine = host->around != NULL ? plan_around(host, job) : NULL;
		int rc = plan_run(mine != NULL ? mine : job, result, &why);
		if (rc == 0 && json_object_get(mine, "around") != NULL)
			json_object_set(*result, "around", json_object_get(mine, "around"));
		json_decref(mine);
		if (rc == 0)
			return 0;
		if (why.kind == ERR_MEMORY) {
			*e = why;
			return -1;
		}
		return answer_error(kind, &why, result, e);
	}
	err_set(&why, ERR_INPUT, "there is no computation of kind \"%s\"", kind);
	return answer_error(kind, &why, result, e);
}
