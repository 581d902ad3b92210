/* Nights drawn from chance: see drawn.h. */
#include "sim/drawn.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/made_parts.h"
#include "sim/random.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG (M_PI / 180)

/* ---- hosts ---- */
/* As sim_sky_host has it: stellar mass in units of 10^10.6 Msun, and a share for young stars. */
static double chance(double log_mstar)
{
	return pow(10, log_mstar - 10.6) + 0.1;
}

static int none(double max_mpc, struct drawn_hosts *out, struct err *e)
{
	drawn_hosts_free(out);
	return err_set(e, ERR_INPUT, "no galaxy nearer than %.0f Mpc in the catalogue: no merger can be drawn; give another --catalog or a larger --max-mpc", max_mpc);
}

int drawn_hosts_of_sky(const struct sim_sky *sky, double max_mpc, struct drawn_hosts *out, struct err *e)
{
	double sum = 0;
	*out = (struct drawn_hosts){.max_mpc = max_mpc, .list = calloc(sky->count + 1, sizeof *out->list)};
	if (out->list == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", sky->count);
	for (size_t i = 0; i < sky->count; i++) {
		const struct sim_galaxy *g = &sky->galaxy[i];
		if (g->distance_mpc >= max_mpc)
			continue;
		sum += chance(g->log_mstar);
		struct drawn_host *h = &out->list[out->count++];
		*h = (struct drawn_host){.ra_deg = g->ra_deg, .dec_deg = g->dec_deg, .distance_mpc = g->distance_mpc, .log_mstar = g->log_mstar,
			.until = sum, .id = g->id, .listed = g->listed};
		text_copy(h->name, sizeof h->name, g->name);
	}
	return out->count > 0 ? 0 : none(max_mpc, out, e);
}

/* log10 of the stellar mass, where it is not listed from the light: one solar mass a solar luminosity. NAN: neither is known. */
static double row_mass(const struct catalog_row *r)
{
	return isfinite(r->log_mstar) ? (double)r->log_mstar : log10(catalog_luminosity(r));
}

int drawn_hosts_of_catalog(const struct catalog *c, double max_mpc, struct drawn_hosts *out, struct err *e)
{
	double sum = 0;
	size_t near = 0;
	for (int64_t i = 0; i < c->count; i++)
		near += catalog_distance_mpc(c, i) < max_mpc;
	*out = (struct drawn_hosts){.max_mpc = max_mpc, .unlisted = 0.25, .list = calloc(near + 1, sizeof *out->list)};
	if (out->list == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", near);
	for (int64_t i = 0; i < c->count; i++) {
		struct catalog_row r;
		if (!(catalog_distance_mpc(c, i) < max_mpc))
			continue;
		catalog_row_at(c, i, &r);
		double mass = row_mass(&r), known = isfinite(mass) ? mass : 9.5, error = (double)r.distance_err_mpc;
		sum += chance(known);
		struct drawn_host *h = &out->list[out->count++];
		*h = (struct drawn_host){.ra_deg = r.ra_deg, .dec_deg = r.dec_deg, .distance_mpc = r.distance_mpc,
			.error_mpc = isfinite(error) ? error : 0.15 * r.distance_mpc, .log_mstar = known, .until = sum, .id = r.id, .listed = true};
		text_copy(h->name, sizeof h->name, r.name);
	}
	return out->count > 0 ? 0 : none(max_mpc, out, e);
}

void drawn_hosts_free(struct drawn_hosts *h)
{
	free(h->list);
	*h = (struct drawn_hosts){0};
}

static const struct drawn_host *pick(const struct drawn_hosts *h, struct rng *r)
{
	double at = rng_uniform(r) * h->list[h->count - 1].until;
	size_t low = 0, high = h->count - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (h->list[middle].until > at)
			high = middle;
		else
			low = middle + 1;
	}
	return &h->list[low];
}

/* The galaxy of a merger as truth shows it; where none is listed, a place anywhere in the volume. */
static void settle(const struct drawn_hosts *h, struct rng *r, struct sim_galaxy *out)
{
	double v[3];
	*out = (struct sim_galaxy){0};
	if (rng_uniform(r) < h->unlisted) {
		rng_direction(r, v);
		out->ra_deg = atan2(v[1], v[0]) / DEG + 180;
		out->dec_deg = asin(v[2]) / DEG;
		out->distance_mpc = fmax(10, h->max_mpc * cbrt(rng_uniform(r)));
		snprintf(out->name, sizeof out->name, "unlisted galaxy");
		return;
	}
	const struct drawn_host *host = pick(h, r);
	double moved = host->distance_mpc + host->error_mpc * rng_normal(r);
	out->ra_deg = host->ra_deg;
	out->dec_deg = host->dec_deg;
	out->distance_mpc = moved > 0.3 * host->distance_mpc ? moved : 0.3 * host->distance_mpc;
	out->log_mstar = host->log_mstar;
	out->id = host->id;
	out->listed = host->listed;
	text_copy(out->name, sizeof out->name, host->name);
}

/* ---- one event ---- */
static double log_between(struct rng *r, double low, double high)
{
	return low * exp(rng_uniform(r) * log(high / low));
}

static void describe(struct made_plot *p, struct rng *r, bool noise)
{
	bool three = rng_uniform(r) < 0.7 && !noise;
	p->instruments = three ? "H1,L1,V1" : "H1,L1";
	p->far_hz = noise ? log_between(r, 1e-9, 3e-8) : log_between(r, 1e-16, 1e-9);
	p->p_terrestrial = noise ? rng_between(r, 0.1, 0.4) : rng_between(r, 0.001, 0.05);
	p->p_nsbh = rng_between(r, 0.0, 0.15);
	p->p_bns = 1 - p->p_terrestrial - p->p_nsbh;
	p->has_remnant = rng_between(r, 0.6, 1.0);
	p->merger.elongation = rng_between(r, 3, 8);
	p->merger.area90_deg2 = log_between(r, 10, 300) * (three ? 1 : 4);
	p->merger.sigma_mpc = rng_between(r, 0.15, 0.30) * p->merger.distance_mpc;
}

static int play_merger(struct made_night *n, const struct drawn_hosts *hosts, struct made_plot *p, uint64_t seed, struct rng *r, struct err *e)
{
	struct sim_galaxy host;
	settle(hosts, r, &host);
	p->role = 'M';
	p->host = &host;
	p->merger = (struct sim_merger){.ra_deg = host.ra_deg, .dec_deg = host.dec_deg, .distance_mpc = host.distance_mpc};
	describe(p, r, false);
	double area = p->merger.area90_deg2, sigma = p->merger.sigma_mpc;
	const struct made_scene scenes[] = {{"PRELIMINARY", (int64_t)(rng_between(r, 60, 300) * 1e6), area, sigma},
		{"INITIAL", (int64_t)(rng_between(r, 1200, 2400) * 1e6), 0, 0},
		{"UPDATE", (int64_t)(rng_between(r, 7200, 43200) * 1e6), area * rng_between(r, 0.3, 0.6), 0.8 * sigma}, {NULL, 0, 0, 0}};
	json_t *truth = made_host_truth(p);
	json_object_set_new(truth, "kind", json_string("merger"));
	json_object_set_new(truth, "time_us", json_integer(p->time_us));
	json_object_set_new(truth, "kilonova", json_pack("{s:f, s:f}", "blue", pow(10, 0.2 * rng_normal(r)), "red", pow(10, 0.2 * rng_normal(r))));
	json_array_append_new(json_object_get(n->truth, "events"), truth);
	int rc = made_play(n, p, scenes, seed, e);
	p->host = NULL;
	return rc;
}

static int play_noise(struct made_night *n, const struct drawn_hosts *hosts, struct made_plot *p, uint64_t seed, struct rng *r, struct err *e)
{
	double v[3];
	rng_direction(r, v);
	p->role = 'N';
	p->merger = (struct sim_merger){.ra_deg = atan2(v[1], v[0]) / DEG + 180, .dec_deg = asin(v[2]) / DEG,
		.distance_mpc = rng_between(r, 0.3, 0.9) * hosts->max_mpc};
	describe(p, r, true);
	const struct made_scene scenes[] = {{"PRELIMINARY", (int64_t)(rng_between(r, 60, 300) * 1e6), p->merger.area90_deg2, p->merger.sigma_mpc},
		{"RETRACTION", (int64_t)(rng_between(r, 1200, 7200) * 1e6), 0, 0}, {NULL, 0, 0, 0}};
	json_t *truth = made_host_truth(p);
	json_object_set_new(truth, "kind", json_string("noise"));
	json_object_set_new(truth, "time_us", json_integer(p->time_us));
	json_array_append_new(json_object_get(n->truth, "events"), truth);
	return made_play(n, p, scenes, seed, e);
}

/* ---- a night ---- */
json_t *drawn_weather(uint64_t seed, const json_t *sites, int64_t from_us, int64_t to_us)
{
	json_t *all = json_array();
	int64_t day = from_us - from_us % UTC_DAY;
	for (; day < to_us; day += UTC_DAY) {
		json_t *some = made_weather(seed * 1000003 + (uint64_t)(day / UTC_DAY), sites, day, day + UTC_DAY);
		json_array_extend(all, some);
		json_decref(some);
	}
	return all;
}

static int play_all(const struct drawn_hosts *hosts, const struct drawn_options *o, struct made_night *n, struct err *e)
{
	struct rng r;
	int number;
	rng_seed(&r, o->seed, "names");
	number = rng_below(&r, 200);
	for (int i = 0; i < o->mergers; i++) {
		char stream[32];
		struct made_plot p = {0};
		snprintf(stream, sizeof stream, "merger-%d", i);
		rng_seed(&r, o->seed, stream);
		p.time_us = o->start_us + 2 * UTC_MINUTE + (i == 0 ? 0 : (int64_t)(rng_uniform(&r) * 0.5 * (double)(o->end_us - o->start_us)));
		made_event_name(&p, number++);
		if (play_merger(n, hosts, &p, o->seed + (uint64_t)i, &r, e) < 0)
			return -1;
		snprintf(stream, sizeof stream, "noise-%d", i);
		rng_seed(&r, o->seed, stream);
		if (rng_uniform(&r) >= o->noise)
			continue;
		p = (struct made_plot){.time_us = o->start_us + (int64_t)(rng_uniform(&r) * fmin(6 * 3.6e9, 0.5 * (double)(o->end_us - o->start_us)))};
		made_event_name(&p, number++);
		if (play_noise(n, hosts, &p, o->seed + (uint64_t)i + 500000, &r, e) < 0)
			return -1;
	}
	qsort(n->alert, n->alerts, sizeof n->alert[0], made_by_time);
	return 0;
}

int drawn_night_make(const struct drawn_hosts *hosts, const struct drawn_options *o, struct made_night *out, struct err *e)
{
	char start[32];
	memset(out, 0, sizeof *out);
	if (o->mergers * 5 > MADE_ALERTS)
		return err_set(e, ERR_LIMIT, "%d events in one night; at most %d", o->mergers, MADE_ALERTS / 5);
	out->start_us = o->start_us;
	out->end_us = o->end_us;
	out->weather = o->clear ? json_array() : drawn_weather(o->seed, o->sites, o->start_us, o->end_us + UTC_DAY);
	out->truth = json_pack("{s:s, s:I, s:s, s:[], s:O}", "schema", "slew made-up night, truth", "seed", (json_int_t)o->seed, "start",
		utc_format_s(start, o->start_us), "events", "weather", out->weather);
	if (out->truth == NULL || play_all(hosts, o, out, e) < 0) {
		if (e->kind == ERR_NONE)
			err_set(e, ERR_MEMORY, "drawn night: no memory");
		made_night_free(out);
		return -1;
	}
	return 0;
}
