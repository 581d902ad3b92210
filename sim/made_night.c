/* Puts a night together: which galaxy, when, what is heard, and where it rains. */
#include "sim/made_parts.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "sim/alert_write.h"
#include "sim/random.h"
#include "sim/skymap_write.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG	   (M_PI / 180)
#define MAP_ROUNDS 6

void made_sun(int64_t utc_us, double *ra_deg, double *dec_deg)
{
	double n = utc_j2000_days(utc_us), l = (280.460 + 0.9856474 * n) * DEG,
	       g = (357.528 + 0.9856003 * n) * DEG;
	double lambda = l + (1.915 * sin(g) + 0.020 * sin(2 * g)) * DEG,
	       eps = (23.439 - 0.0000004 * n) * DEG;

	*ra_deg = atan2(cos(eps) * sin(lambda), cos(lambda)) / DEG;
	*dec_deg = asin(sin(eps) * sin(lambda)) / DEG;
}

double made_altitude_deg(
	int64_t utc_us, double latitude_deg, double longitude_deg, double ra_deg, double dec_deg)
{
	double sidereal = 280.46061837 + 360.98564736629 * utc_j2000_days(utc_us) + longitude_deg;
	double h = (sidereal - ra_deg) * DEG, lat = latitude_deg * DEG, dec = dec_deg * DEG;

	return asin(sin(lat) * sin(dec) + cos(lat) * cos(dec) * cos(h)) / DEG;
}

/* Above 35° in a dark sky at any site with a telescope. */
static bool is_up(const struct made_options *o, const struct sim_galaxy *host, int64_t utc_us)
{
	double ra, dec;
	size_t i;
	json_t *site;

	made_sun(utc_us, &ra, &dec);
	json_array_foreach (o->sites, i, site) {
		double lat = json_number(site, "latitude_deg", 0),
		       lon = json_number(site, "longitude_deg", 0);
		if (json_array_size(json_object_get(site, "telescopes")) > 0 &&
			made_altitude_deg(utc_us, lat, lon, ra, dec) < -13 &&
			made_altitude_deg(utc_us, lat, lon, host->ra_deg, host->dec_deg) > 35)
			return true;
	}
	return false;
}

/* How many of 18 moments, 10 minutes apart from 50 minutes on, show the host so. */
static int moments_up(const struct made_options *o, const struct sim_galaxy *host, int64_t start_us)
{
	int up = 0;

	for (int k = 0; k < 18; k++)
		up += is_up(o, host, start_us + (50 + 10 * k) * UTC_MINUTE);
	return up;
}

static int64_t choose_start(const struct made_options *o, const struct sim_galaxy *host)
{
	struct rng r;
	char text[64];
	int64_t day, best = 0;
	int good[48], count = 0, most = -1;
	struct err e = {0};

	rng_seed(&r, o->seed, "date");
	/* days 3 … 27: never across the edge of a semester */
	int month_day = 3 + rng_below(&r, 25), month = 1 + rng_below(&r, 12);
	snprintf(text, sizeof text, "2027-%02d-%02dT00:00:00Z", month, month_day);
	must(utc_parse(text, &day, &e) == 0);
	for (int k = 0; k < 48; k++) {
		int up = moments_up(o, host, day + k * 30 * UTC_MINUTE);
		if (up >= 14)
			good[count++] = k;
		if (up > most) {
			most = up;
			best = k;
		}
	}
	int64_t half_hour = count > 0 ? good[rng_below(&r, count)] : best;
	return day + half_hour * 30 * UTC_MINUTE + rng_below(&r, 1800) * UTC_SECOND;
}

json_t *made_weather(uint64_t seed, const json_t *sites, int64_t from_us, int64_t to_us)
{
	static const char *const reasons[] = {
		"Humidity over limit", "Cloud", "Wind over limit", "Rain"};
	json_t *out = json_array(), *site;
	struct rng r;
	size_t i;

	rng_seed(&r, seed, "weather");
	json_array_foreach (sites, i, site) {
		double fraction = rng_uniform(&r); /* of sites: half clear, a third with a cloud or
						      two, the rest closed long */
		int spells = fraction < 0.5 ? 0 : fraction < 0.85 ? 1 + rng_below(&r, 2) : 1;
		double hours = fraction < 0.85 ? 1.0 : 9.0;
		for (int k = 0; k < spells; k++) {
			int64_t begin = from_us +
					(int64_t)(rng_uniform(&r) * (double)(to_us - from_us)) -
					(hours > 5 ? 4 * UTC_HOUR : 0);
			int64_t length =
				(int64_t)(hours * (0.3 + rng_uniform(&r)) * (double)UTC_HOUR);
			json_array_append_new(out,
				json_pack("{s:s, s:I, s:I, s:s}", "site",
					json_text(site, "code", ""), "from_us", (json_int_t)begin,
					"to_us", (json_int_t)(begin + length), "reason",
					reasons[rng_below(&r, 4)]));
		}
	}
	return out;
}

static int make_map(
	const struct made_plot *p, const struct made_scene *s, uint64_t seed, struct text *out, struct err *e)
{
	struct sim_merger m = p->merger;
	struct sim_posterior posterior;
	struct sim_map map;
	char stream[32];
	struct sim_map_header h = {p->name, p->instruments, p->time_us, p->time_us + s->after_us};

	m.area90_deg2 = s->area90_deg2;
	m.sigma_mpc = s->sigma_mpc;
	snprintf(stream, sizeof stream, "%c-%s", p->role, s->type);
	sim_posterior_make(&m, seed, stream, &posterior);
	if (sim_map_make(&posterior, MAP_ROUNDS, &map, e) != 0)
		return -1;
	text_reset(out);
	int bad = sim_map_fits(&map, &h, out, e);
	sim_map_free(&map);
	return bad;
}

static int make_alert(struct made_night *n, const struct made_plot *p, const struct made_scene *s,
	const struct text *map, struct err *e)
{
	struct made_alert *a = &n->alert[n->alerts];
	struct text bytes = {.max = 4u << 20};
	struct sim_alert alert = {.event = p->name,
		.type = s->type,
		.created_us = p->time_us + s->after_us,
		.event_us = p->time_us,
		.far_hz = p->far_hz,
		.significant = true,
		.instruments = p->instruments,
		.pipeline = "gstlal",
		.search = strcmp(s->type, "EARLYWARNING") == 0 ? "EarlyWarning" : "AllSky",
		.p_bns = p->p_bns,
		.p_nsbh = p->p_nsbh,
		.p_terrestrial = p->p_terrestrial,
		.has_ns = 1,
		.has_remnant = p->has_remnant,
		.has_mass_gap = 0.02,
		.map = map->data,
		.map_len = map->len};

	must(n->alerts < MADE_ALERTS);
	if (sim_alert_write(&alert, &bytes, e) != 0) {
		text_free(&bytes);
		return -1;
	}
	n->alerts++;
	a->at_us = alert.created_us + 5 * UTC_SECOND;
	a->role = p->role;
	text_copy(a->type, sizeof a->type, s->type);
	text_copy(a->event, sizeof a->event, p->name);
	a->bytes = bytes.data;
	a->len = bytes.len;
	return 0;
}

int made_play(struct made_night *n, const struct made_plot *p, const struct made_scene *scene,
	uint64_t seed, struct err *e)
{
	struct text map = {.max = 4u << 20};
	int bad = 0;

	for (; scene->type != NULL && bad == 0; scene++) {
		if (scene->area90_deg2 > 0)
			bad = make_map(p, scene, seed, &map, e);
		if (bad == 0)
			bad = make_alert(n, p, scene, &map, e);
	}
	text_free(&map);
	return bad;
}

/* LVK's way: S, the date, letters that count the triggers of the day (here always two). */
void made_event_name(struct made_plot *p, int64_t number)
{
	char utc[32],
		letters[3] = {(char)('a' + number / 26 % 26), (char)('a' + number % 26), '\0'};

	utc_format(utc, p->time_us);
	snprintf(p->name, sizeof p->name, "S%.2s%.2s%.2s%s", utc + 2, utc + 5, utc + 8, letters);
}

json_t *made_host_truth(const struct made_plot *p)
{
	char time[32];
	json_t *j = json_pack("{s:s#, s:s, s:s}", "role", &p->role, (size_t)1, "event", p->name,
		"time", utc_format(time, p->time_us));

	if (p->host == NULL) {
		json_object_set_new(
			j, "what", json_string("noise in two detectors: nothing merged"));
		return j;
	}
	const struct sim_galaxy *g = p->host;
	json_object_set_new(j, "what", json_string("a binary neutron star merger"));
	json_object_set_new(j, "host",
		json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:b}", "name", g->name, "id",
			(json_int_t)g->id, "ra_deg", g->ra_deg, "dec_deg", g->dec_deg,
			"distance_mpc", g->distance_mpc, "log_mstar", g->log_mstar, "in_catalogue",
			g->listed));
	return j;
}

static void aim(struct made_plot *p, const struct sim_sky *sky, uint64_t seed, double max_mpc)
{
	char stream[16];
	struct rng r;

	snprintf(stream, sizeof stream, "host-%c", p->role);
	int64_t host = max_mpc > 0 ? sim_sky_host(sky, seed, stream, max_mpc) : -1;
	p->merger.elongation = 4.5;
	if (host >= 0) {
		p->host = &sky->galaxy[host];
		p->merger.ra_deg = p->host->ra_deg;
		p->merger.dec_deg = p->host->dec_deg;
		p->merger.distance_mpc = p->host->distance_mpc;
		return;
	}
	double v[3];
	rng_seed(&r, seed, stream);
	rng_direction(&r, v);
	p->merger.ra_deg = atan2(v[1], v[0]) / DEG + 180;
	p->merger.dec_deg = asin(v[2]) / DEG;
	p->merger.distance_mpc = rng_between(&r, 60, 110);
}

int made_by_time(const void *a, const void *b)
{
	const struct made_alert *x = a, *y = b;

	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

/* The three stories. Times are from the start of the night. */
static int play_all(
	const struct made_options *o, struct made_night *n, struct made_plot plot[3], struct err *e)
{
	const int64_t retract_us = o->retract_us > 0 ? o->retract_us : 58 * UTC_MINUTE;
	static const struct made_scene a[] = {{"EARLYWARNING", -25 * UTC_SECOND, 380, 22},
		{"PRELIMINARY", 75 * UTC_SECOND, 75, 14}, {"INITIAL", 31 * UTC_MINUTE, 0, 0},
		{"UPDATE", 190 * UTC_MINUTE, 18, 8}, {0}};
	static const struct made_scene b[] = {
		{"PRELIMINARY", 60 * UTC_SECOND, 50, 12}, {"INITIAL", 16 * UTC_MINUTE, 0, 0}, {0}};
	const struct made_scene c[] = {{"PRELIMINARY", 55 * UTC_SECOND, 90, 16},
		{"RETRACTION", retract_us, 0, 0}, {0}};
	const struct made_scene *const scenes[3] = {a, b, c};
	static const int minutes[3] = {20, 52, 92};
	json_t *events = json_object_get(n->truth, "events");
	struct rng r;

	rng_seed(&r, o->seed, "names");
	int number = rng_below(&r, 60);
	for (int i = 0; i < 3; i++) {
		plot[i].time_us = n->start_us + minutes[i] * UTC_MINUTE + 250 * (UTC_SECOND / 1000);
		made_event_name(&plot[i], number += 1 + rng_below(&r, 40));
		json_array_append_new(events, made_host_truth(&plot[i]));
		if (made_play(n, &plot[i], scenes[i], o->seed, e) != 0)
			return -1;
	}
	qsort(n->alert, n->alerts, sizeof n->alert[0], made_by_time);
	return 0;
}

/* A host that can be observed at once: drawn again until one is up (a quarter of the sky is). */
static void aim_up(
	const struct made_options *o, struct made_plot *p, const struct made_night *n, int number)
{
	char stream[32];

	p->merger.elongation = 4.5;
	for (int draw = 0; draw < 200; draw++) {
		snprintf(stream, sizeof stream, "host-%d-%d", number, draw);
		int64_t host = sim_sky_host(&n->sky, o->seed, stream, 100);
		if (host < 0)
			continue;
		p->host = &n->sky.galaxy[host];
		p->merger.ra_deg = p->host->ra_deg;
		p->merger.dec_deg = p->host->dec_deg;
		p->merger.distance_mpc = p->host->distance_mpc;
		if (is_up(o, p->host, n->start_us) &&
			is_up(o, p->host, n->start_us + 30 * UTC_MINUTE))
			return;
	}
}

static int play_volley(
	const struct made_options *o, struct made_night *n, const struct made_plot *like, struct err *e)
{
	static const struct made_scene once[] = {{"PRELIMINARY", 60 * UTC_SECOND, 50, 12}, {0}};
	json_t *events = json_object_get(n->truth, "events");

	for (int i = 0; i < o->volley; i++) {
		struct made_plot p = *like;
		p.role = 'V';
		p.time_us = n->start_us + i * o->every_us - 65 * UTC_SECOND;
		made_event_name(&p, i);
		aim_up(o, &p, n, i);
		json_array_append_new(events, made_host_truth(&p));
		if (made_play(n, &p, once, o->seed + (uint64_t)i, e) != 0)
			return -1;
	}
	return 0;
}

int made_night_make(const struct made_options *o, struct made_night *out, struct err *e)
{
	struct sim_sky_options sky = {.seed = o->seed};
	struct made_plot plot[3] = {{.role = 'A',
				       .instruments = "H1,L1,V1",
				       .far_hz = 3.2e-13,
				       .p_bns = 0.97,
				       .p_nsbh = 0.02,
				       .p_terrestrial = 0.01,
				       .has_remnant = 0.98},
		{.role = 'B',
			.instruments = "H1,L1,V1",
			.far_hz = 4.4e-9,
			.p_bns = 0.78,
			.p_nsbh = 0.10,
			.p_terrestrial = 0.12,
			.has_remnant = 0.81},
		{.role = 'C',
			.instruments = "H1,L1",
			.far_hz = 2.1e-8,
			.p_bns = 0.64,
			.p_nsbh = 0.05,
			.p_terrestrial = 0.31,
			.has_remnant = 0.70}};

	memset(out, 0, sizeof *out);
	if (sim_sky_make(&sky, &out->sky, e) != 0)
		return -1;
	aim(&plot[0], &out->sky, o->seed, 80);
	aim(&plot[1], &out->sky, o->seed, 110);
	aim(&plot[2], &out->sky, o->seed, 0);
	out->start_us = o->start_us != UTC_NONE ? o->start_us
			: plot[0].host != NULL	? choose_start(o, plot[0].host)
						: 1800000000 * UTC_SECOND;
	out->end_us = out->start_us + (int64_t)((o->hours > 0 ? o->hours : 7) * (double)UTC_HOUR);
	out->weather = o->clear ? json_array()
				: made_weather(o->seed, o->sites, out->start_us - 6 * UTC_HOUR,
					  out->end_us + 24 * UTC_HOUR);
	char start[32];
	out->truth =
		json_pack("{s:s, s:I, s:s, s:I, s:[], s:O}", "schema", "slew made-up night, truth",
			"seed", (json_int_t)o->seed, "start", utc_format_s(start, out->start_us),
			"galaxies", (json_int_t)out->sky.count, "events", "weather", out->weather);
	if (out->truth == NULL || (o->volley > 0 ? play_volley(o, out, &plot[0], e)
						 : play_all(o, out, plot, e)) != 0) {
		if (e->kind == ERR_NONE)
			err_set(e, ERR_MEMORY, "made-up night: no memory");
		made_night_free(out);
		return -1;
	}
	return 0;
}

void made_night_free(struct made_night *n)
{
	for (size_t i = 0; i < n->alerts; i++)
		free(n->alert[i].bytes);
	sim_sky_free(&n->sky);
	json_decref(n->weather);
	json_decref(n->truth);
	memset(n, 0, sizeof *n);
}
