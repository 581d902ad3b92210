/* Windows of a target over a site, and the first reason where there is none: see visibility.h. */
#include "engine/target/visibility.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_STEPS 5 /* Sun and Moon every 5 · 4 min, linear between: < 0.3″ */

struct visibility_night {
	int64_t start_us, end_us, last_us; /* asked for; and sampled to */
	struct ephemeris_frame frame;
	size_t sites, steps, bodies;
	struct visibility_site site[VISIBILITY_SITES];
	struct ephemeris_ground ground[VISIBILITY_SITES];
	struct ephemeris_bodies *body; /* [bodies] */
	struct ephemeris_local *local; /* [sites][steps] */
};

static int site_read(const json_t *j, size_t index, struct visibility_site *s, struct err *e)
{
	double nan = NAN;
	const json_t *telescopes = json_object_get(j, "telescopes"); /* their names, or how many */
	*s = (struct visibility_site){.horizon_deg = json_number(j, "horizon_deg", 15.0), .ha_limit_h = json_number(j, "ha_limit_h", 12.0),
		.telescopes = json_is_array(telescopes) ? (int)json_array_size(telescopes) : (int)json_int(j, "telescopes", 1)};
	s->place = (struct ephemeris_site){json_number(j, "latitude_deg", nan), json_number(j, "longitude_deg", nan), json_number(j, "elevation_m", 0.0)};
	text_copy(s->code, sizeof s->code, json_text(j, "code", ""));
	text_copy(s->name, sizeof s->name, json_text(j, "name", s->code));
	if (s->code[0] == '\0')
		return err_set(e, ERR_INPUT, "sites[%zu] has no code; name the site as the facility does, for example \"lsc\"", index);
	if (!(fabs(s->place.lat_deg) <= 90.0) || !(fabs(s->place.lon_deg) <= 360.0))
		return err_set(e, ERR_INPUT, "sites[%zu] (%s): latitude_deg must be within ±90 and longitude_deg within ±360, east positive", index, s->code);
	if (!(s->horizon_deg >= 0.0 && s->horizon_deg < 90.0) || !(s->ha_limit_h > 0.0 && s->ha_limit_h <= 12.0))
		return err_set(e, ERR_INPUT, "sites[%zu] (%s): horizon_deg must be 0 to 90 and ha_limit_h above 0 up to 12", index, s->code);
	if (s->telescopes < 0 || s->telescopes > 100 || !(fabs(s->place.elevation_m) < 10000.0))
		return err_set(e, ERR_INPUT, "sites[%zu] (%s): telescopes must be 0 to 100, elevation_m within ±10000", index, s->code);
	return 0;
}

int visibility_sites(const json_t *descriptor, struct visibility_site *out, size_t max, size_t *count, struct err *e)
{
	const json_t *list = json_object_get(descriptor, "sites");
	size_t n = json_array_size(list);
	*count = 0;
	if (n == 0)
		return err_set(e, ERR_INPUT, "the descriptor has no sites; give at least one with code, latitude_deg and longitude_deg");
	if (n > max)
		return err_set(e, ERR_LIMIT, "the descriptor has %zu sites, %zu are allowed", n, max);
	for (size_t i = 0; i < n; i++)
		if (site_read(json_array_get(list, i), i, &out[i], e) < 0)
			return -1;
	*count = n;
	return 0;
}

/* Every site at every step. */
static void local_fill(struct visibility_night *n)
{
	for (size_t k = 0; k < n->steps; k++) {
		struct ephemeris_bodies now;
		size_t b = k / BODY_STEPS;
		ephemeris_bodies_between(&n->body[b], &n->body[b + 1], n->start_us + (int64_t)k * VISIBILITY_STEP_US, &now);
		for (size_t s = 0; s < n->sites; s++)
			ephemeris_local_over(&now, &n->ground[s], &n->local[s * n->steps + k]);
	}
}

static void night_fill(struct visibility_night *n, const struct visibility_night *like)
{
	if (like != NULL) { /* the Sun and the Moon are the same for all */
		n->frame = like->frame;
		memcpy(n->body, like->body, n->bodies * sizeof *n->body);
	} else {
		ephemeris_frame_set(&n->frame, n->start_us + (n->end_us - n->start_us) / 2);
		ephemeris_bodies_fill(&n->frame, n->start_us, BODY_STEPS * VISIBILITY_STEP_US, n->bodies, n->body);
	}
	for (size_t s = 0; s < n->sites; s++)
		ephemeris_ground_set(&n->site[s].place, &n->ground[s]);
	local_fill(n);
}

void visibility_night_ut1(struct visibility_night *n, int64_t utc_us, double dut1_s)
{
	n->frame.dut1_s = dut1_s;
	for (size_t b = 0; b < n->bodies; b++)
		n->body[b].dut1_s = dut1_s + ephemeris_leap_s(utc_us, n->body[b].utc_us);
	local_fill(n);
}

static struct visibility_night *night_new(const struct visibility_site *sites, size_t count, int64_t start_us, int64_t end_us,
	const struct visibility_night *like, struct err *e)
{
	if (end_us <= start_us || end_us - start_us > VISIBILITY_SPAN_H * UTC_HOUR) {
		err_set(e, ERR_INPUT, "interval of %.1f h; it must be longer than 0 and at most %d h", (double)(end_us - start_us) / (double)UTC_HOUR,
			VISIBILITY_SPAN_H);
		return NULL;
	}
	if (count == 0 || count > VISIBILITY_SITES) {
		err_set(e, ERR_INPUT, "%zu sites; 1 to %d are allowed", count, VISIBILITY_SITES);
		return NULL;
	}
	struct visibility_night *n = calloc(1, sizeof *n);
	if (n == NULL)
		goto memory;
	n->start_us = start_us;
	n->end_us = end_us;
	n->steps = (size_t)((end_us + UTC_DAY - start_us) / VISIBILITY_STEP_US) + 2;
	n->last_us = start_us + (int64_t)(n->steps - 1) * VISIBILITY_STEP_US;
	n->bodies = n->steps / BODY_STEPS + 2;
	n->sites = count;
	memcpy(n->site, sites, count * sizeof *sites);
	n->body = calloc(n->bodies, sizeof *n->body);
	n->local = calloc(count * n->steps, sizeof *n->local);
	if (n->body == NULL || n->local == NULL)
		goto memory;
	night_fill(n, like);
	return n;
memory:
	visibility_night_free(n);
	err_set(e, ERR_MEMORY, "no memory for a night of %zu sites", count);
	return NULL;
}

struct visibility_night *visibility_night_new(const struct visibility_site *sites, size_t count, int64_t start_us, int64_t end_us,
	struct err *e)
{
	return night_new(sites, count, start_us, end_us, NULL, e);
}

struct visibility_night *visibility_night_beside(const struct visibility_night *like, const struct visibility_site *sites, size_t count, struct err *e)
{
	return night_new(sites, count, like->start_us, like->end_us, like, e);
}

void visibility_night_free(struct visibility_night *n)
{
	if (n == NULL)
		return;
	free(n->body);
	free(n->local);
	free(n);
}

size_t visibility_night_sites(const struct visibility_night *n)
{
	return n->sites;
}

const struct visibility_site *visibility_night_site(const struct visibility_night *n, size_t site)
{
	return &n->site[site];
}

const struct ephemeris_frame *visibility_night_frame(const struct visibility_night *n)
{
	return &n->frame;
}

void visibility_night_local(const struct visibility_night *n, size_t site, int64_t utc_us, struct ephemeris_local *out)
{
	struct ephemeris_bodies now;
	if (utc_us < n->start_us)
		utc_us = n->start_us;
	if (utc_us > n->last_us)
		utc_us = n->last_us;
	size_t b = (size_t)((utc_us - n->start_us) / (BODY_STEPS * VISIBILITY_STEP_US));
	ephemeris_bodies_between(&n->body[b], &n->body[b + 1], utc_us, &now);
	ephemeris_local_over(&now, &n->ground[site], out);
}

/* What is asked, with the limits as sines and cosines. */
struct search {
	const struct visibility_night *night;
	size_t site;
	const struct ephemeris_target *target;
	double sin_alt_min, sun_sin_max, moon_cos_max, ha_max_h, ha_cos_min;
};

static struct search search_new(const struct visibility_night *n, const struct visibility_ask *ask)
{
	const struct visibility_site *s = &n->site[ask->site];
	const struct visibility_limits *l = ask->limits;
	return (struct search){.night = n, .site = ask->site, .target = ask->target,
		.sin_alt_min = fmax(1.0 / l->airmass_max, sin(s->horizon_deg * ERFA_DD2R)), .sun_sin_max = sin(l->sun_max_deg * ERFA_DD2R),
		.moon_cos_max = l->moon_min_deg > 0.0 ? cos(l->moon_min_deg * ERFA_DD2R) : 2.0, .ha_max_h = s->ha_limit_h,
		.ha_cos_min = cos(s->ha_limit_h * ERFA_DPI / 12.0)};
}

/* How many of the limits hold, in their order: 0 not up, 1 up, 2 and dark, 3 and far from the Moon. */
static int level_of(const struct search *q, const struct ephemeris_local *l, double sin_alt)
{
	if (sin_alt < q->sin_alt_min)
		return 0;
	if (q->ha_max_h < 12.0 && !ephemeris_hour_angle_within(l, q->target, q->ha_cos_min))
		return 0;
	if (l->sun_sin_alt > q->sun_sin_max)
		return 1;
	return ephemeris_moon_cos(l, q->target) > q->moon_cos_max ? 2 : 3;
}

static const struct ephemeris_local *sample(const struct search *q, size_t k)
{
	return &q->night->local[q->site * q->night->steps + k];
}

/* What the limits compare, between the samples k − 1 and k: cubics through the four samples about them, which at 1° of rotation a step are
 * good to 0.001″ and 100 times cheaper than a site anew. */
struct cell {
	int64_t first_us; /* of the first of the four */
	double sin_alt[4], sun[4], moon[4], ha[4];
};

static double cubic(const double v[4], double x)
{
	double a = x * (x - 1.0), b = (x - 2.0) * (x - 3.0);
	return v[0] * (x - 1.0) * b / -6.0 + v[1] * x * b / 2.0 + v[2] * a * (x - 3.0) / -2.0 + v[3] * a * (x - 2.0) / 6.0;
}

static double cell_place(const struct cell *c, int64_t utc_us)
{
	return (double)(utc_us - c->first_us) / (double)VISIBILITY_STEP_US;
}

static size_t cell_first(const struct visibility_night *n, size_t k)
{
	return k < 2 ? 0 : k + 2 > n->steps ? n->steps - 4 : k - 2;
}

static void cell_set(const struct search *q, size_t k, struct cell *c)
{
	const struct ephemeris_local *l = sample(q, cell_first(q->night, k));
	c->first_us = l->utc_us;
	for (int i = 0; i < 4; i++, l++) {
		c->sin_alt[i] = ephemeris_sin_alt(l, q->target);
		c->sun[i] = l->sun_sin_alt;
		c->moon[i] = ephemeris_moon_cos(l, q->target);
		if (q->ha_max_h < 12.0) { /* counted on over 12 h */
			double h = ephemeris_hour_angle_h(l, q->target);
			c->ha[i] = i == 0 ? h : c->ha[0] + remainder(h - c->ha[0], 24.0);
		}
	}
}

/* As level_of, at a place between the samples. */
static int level_in(const struct search *q, const struct cell *c, double x)
{
	if (cubic(c->sin_alt, x) < q->sin_alt_min)
		return 0;
	if (q->ha_max_h < 12.0 && fabs(remainder(cubic(c->ha, x), 24.0)) > q->ha_max_h)
		return 0;
	if (cubic(c->sun, x) > q->sun_sin_max)
		return 1;
	return cubic(c->moon, x) > q->moon_cos_max ? 2 : 3;
}

/* The moment between the samples k − 1 and k at which `level` is reached or lost, to 0.5 s; on the inner side. */
static int64_t edge(const struct search *q, int level, size_t k)
{
	struct cell c;
	int64_t a = sample(q, k - 1)->utc_us, b = sample(q, k)->utc_us;
	cell_set(q, k, &c);
	int at_a = level_in(q, &c, cell_place(&c, a)) >= level;
	while (b - a > UTC_SECOND / 2) {
		int64_t m = a + (b - a) / 2;
		if ((level_in(q, &c, cell_place(&c, m)) >= level) == at_a)
			a = m;
		else
			b = m;
	}
	return at_a ? a : b;
}

static double sin_alt_at(const struct visibility_night *n, size_t site, const struct ephemeris_target *t, int64_t utc_us)
{
	const struct ephemeris_local *l = &n->local[site * n->steps];
	int64_t within_us = utc_us < n->start_us ? 0 : utc_us > n->last_us ? n->last_us - n->start_us : utc_us - n->start_us;
	size_t first = cell_first(n, (size_t)(within_us / VISIBILITY_STEP_US) + 1);
	double v[4];
	for (size_t i = 0; i < 4; i++)
		v[i] = ephemeris_sin_alt(&l[first + i], t);
	return cubic(v, (double)(within_us - (int64_t)first * VISIBILITY_STEP_US) / (double)VISIBILITY_STEP_US);
}

/* Where the altitude is highest near sample k, the highest of its neighbours: the top of the parabola, which is 0.1 s off at most. */
static int64_t culmination(const struct ephemeris_local *l, const struct ephemeris_target *t)
{
	double before = ephemeris_sin_alt(l - 1, t), here = ephemeris_sin_alt(l, t), after = ephemeris_sin_alt(l + 1, t), bend = before - 2.0 * here + after;
	return l->utc_us + (bend < 0.0 ? (int64_t)(0.5 * (before - after) / bend * (double)VISIBILITY_STEP_US) : 0);
}

double visibility_best(const struct visibility_night *n, const struct visibility_ask *ask, int64_t *best_us)
{
	const struct ephemeris_local *samples = &n->local[ask->site * n->steps];
	const struct ephemeris_target *t = ask->target;
	int64_t start_us = ask->start_us, end_us = ask->end_us;
	double at_start = sin_alt_at(n, ask->site, t, start_us), at_end = sin_alt_at(n, ask->site, t, end_us), top = fmax(at_start, at_end);
	int64_t at = at_start >= at_end ? start_us : end_us;
	const struct ephemeris_local *inside = NULL;
	size_t k = start_us > n->start_us ? (size_t)((start_us - n->start_us) / VISIBILITY_STEP_US) + 1 : 0;
	for (; k < n->steps && samples[k].utc_us < end_us; k++) {
		double s = ephemeris_sin_alt(&samples[k], t);
		if (s > top) {
			top = s;
			inside = &samples[k];
		}
	}
	if (inside != NULL) {
		at = inside->utc_us;
		if (inside > samples && inside < samples + n->steps - 1)
			at = culmination(inside, t);
		at = at < start_us ? start_us : at > end_us ? end_us : at;
		top = fmax(top, sin_alt_at(n, ask->site, t, at));
	}
	*best_us = at;
	return ephemeris_airmass(top);
}

static double airmass_at(const struct search *q, int64_t utc_us)
{
	return ephemeris_airmass(sin_alt_at(q->night, q->site, q->target, utc_us));
}

static void window_add(const struct search *q, int64_t a, int64_t b, struct visibility_report *out)
{
	if (out->count == VISIBILITY_WINDOWS)
		return;
	struct visibility_window *w = &out->windows[out->count++];
	struct ephemeris_local l;
	w->start_us = a;
	w->end_us = b;
	const struct visibility_ask ask = {.site = q->site, .target = q->target, .start_us = a, .end_us = b};
	w->airmass_best = visibility_best(q->night, &ask, &w->best_us);
	w->airmass_start = airmass_at(q, a);
	w->airmass_end = airmass_at(q, b);
	visibility_night_local(q->night, q->site, w->best_us, &l);
	w->moon_deg = ephemeris_moon_deg(&l, q->target);
	w->moon_alt_deg = ephemeris_asin_deg(l.moon_sin_alt);
	w->moon_illuminated = l.moon_illuminated;
}

/* What one pass over the samples gathers. */
struct gather {
	int highest;              /* best level seen */
	double sin_alt_max, moon_cos;
	int64_t open_us, up_us;   /* start of the stretch we are in, or UTC_NONE */
	int64_t start_us, end_us; /* asked for */
	int64_t need_us;
};

/* A stretch [a, b] that meets all limits: clipped to what was asked for, kept when long enough. */
static void stretch(const struct search *q, struct gather *g, int64_t a, int64_t b, struct visibility_report *out)
{
	int64_t ca = a > g->start_us ? a : g->start_us, cb = b < g->end_us ? b : g->end_us;
	if (cb > ca && (cb - ca) / UTC_SECOND > out->longest_s)
		out->longest_s = (cb - ca) / UTC_SECOND;
	if (cb > ca && cb - ca >= g->need_us)
		window_add(q, ca, cb, out);
	else if (out->next_us == UTC_NONE && b - ca >= g->need_us && b > g->end_us)
		out->next_us = ca;
}

/* Is there a window, whatever comes after the interval? */
static bool is_settled(const struct gather *g, const struct visibility_report *out)
{
	int64_t from = g->open_us > g->start_us ? g->open_us : g->start_us;
	return out->count > 0 || (g->open_us != UTC_NONE && g->end_us > from && g->end_us - from >= g->need_us);
}

/* Over the samples from first to last, the end of the interval; only the reason why not needs to look ahead. */
static void pass(const struct search *q, struct gather *g, size_t first, size_t last, size_t ahead, struct visibility_report *out)
{
	int before = -1;
	for (size_t k = first; k <= ahead; k++) {
		const struct ephemeris_local *l = sample(q, k);
		if (k > last && is_settled(g, out)) {
			ahead = k - 1;
			break;
		}
		double sin_alt = ephemeris_sin_alt(l, q->target);
		int level = level_of(q, l, sin_alt);
		int64_t a = before < 0 ? l->utc_us : l->utc_us - VISIBILITY_STEP_US;
		if (sin_alt > g->sin_alt_max)
			g->sin_alt_max = sin_alt;
		if (level > g->highest)
			g->highest = level;
		if (level >= 2)
			g->moon_cos = fmax(g->moon_cos, ephemeris_moon_cos(l, q->target));
		if (level >= 1 && g->up_us == UTC_NONE)
			g->up_us = before < 0 ? a : edge(q, 1, k);
		if (level < 1 && before >= 1 && out->up_end_us == UTC_NONE)
			out->up_end_us = edge(q, 1, k);
		if (level == 3 && g->open_us == UTC_NONE)
			g->open_us = before < 0 ? a : edge(q, 3, k);
		if (level < 3 && g->open_us != UTC_NONE) {
			stretch(q, g, g->open_us, edge(q, 3, k), out);
			g->open_us = UTC_NONE;
		}
		before = level;
	}
	if (g->open_us != UTC_NONE)
		stretch(q, g, g->open_us, sample(q, ahead)->utc_us, out);
	out->up_start_us = g->up_us;
	if (g->up_us != UTC_NONE && out->up_end_us == UTC_NONE)
		out->up_end_us = sample(q, ahead)->utc_us;
}

/* The first sample that is not before a time, or the last one. */
static size_t step_after(const struct visibility_night *n, int64_t utc_us)
{
	size_t k = (size_t)((utc_us - n->start_us + VISIBILITY_STEP_US - 1) / VISIBILITY_STEP_US);
	return k < n->steps ? k : n->steps - 1;
}

void visibility_find(const struct visibility_night *n, const struct visibility_ask *ask, struct visibility_report *out)
{
	struct search q = search_new(n, ask);
	int64_t start_us = ask->start_us, end_us = ask->end_us;
	if (start_us < n->start_us)
		start_us = n->start_us;
	if (end_us > n->end_us)
		end_us = n->end_us;
	int64_t ahead_us = end_us > start_us + UTC_DAY ? end_us : start_us + UTC_DAY; /* what rises after the end is late, not never */
	size_t first = (size_t)((start_us - n->start_us) / VISIBILITY_STEP_US), last = step_after(n, end_us), ahead = step_after(n, ahead_us);
	*out = (struct visibility_report){.up_start_us = UTC_NONE, .up_end_us = UTC_NONE, .next_us = UTC_NONE, .moon_min_deg = NAN};
	struct gather g = {.sin_alt_max = -2.0, .moon_cos = -2.0, .open_us = UTC_NONE, .up_us = UTC_NONE, .start_us = start_us,
		.end_us = end_us, .need_us = (int64_t)(fmin(ask->limits->visit_s, 1e9) * 1e6)};
	pass(&q, &g, first, last, ahead, out);
	out->alt_max_deg = ephemeris_asin_deg(g.sin_alt_max);
	out->airmass_least = ephemeris_airmass(g.sin_alt_max);
	if (g.highest >= 2)
		out->moon_min_deg = acos(fmax(-1.0, fmin(1.0, g.moon_cos))) * ERFA_DR2D;
	if (out->count > 0)
		out->reason = VISIBLE;
	else if (out->next_us != UTC_NONE)
		out->reason = VISIBLE_LATE;
	else
		out->reason = g.highest == 3 ? VISIBLE_WINDOW_SHORT : g.highest == 2 ? VISIBLE_MOON
			: g.highest == 1 ? VISIBLE_DAYLIGHT : VISIBLE_NEVER_RISES;
}

static char *hm(char out[32], int64_t utc_us)
{
	utc_format_hms(out, utc_us);
	out[out[0] == '-' ? 1 : 5] = '\0';
	return out;
}

char *visibility_sentence(const struct visibility_report *r, const struct visibility_limits *l, char *out, size_t size)
{
	char a[32], b[32];
	switch (r->reason) {
	case VISIBLE:
		snprintf(out, size, "visible %s–%s UTC, best airmass %.2f", hm(a, r->windows[0].start_us), hm(b, r->windows[0].end_us),
			r->windows[0].airmass_best);
		break;
	case VISIBLE_NEVER_RISES:
		if (r->alt_max_deg <= 0.0)
			snprintf(out, size, "never rises: culminates %.0f° below the horizon", -r->alt_max_deg);
		else
			snprintf(out, size, "culminates at altitude %.0f° (airmass %.1f), never inside airmass %.1f and the telescope's limits",
				r->alt_max_deg, r->airmass_least, l->airmass_max);
		break;
	case VISIBLE_DAYLIGHT:
		snprintf(out, size, "better than airmass %.1f only %s–%s UTC, when the Sun is above %s%.0f°", l->airmass_max, hm(a, r->up_start_us),
			hm(b, r->up_end_us), l->sun_max_deg < 0.0 ? "−" : "", fabs(l->sun_max_deg));
		break;
	case VISIBLE_MOON:
		snprintf(out, size, "as close as %.0f° to the Moon while up at night, %.0f° are wanted", r->moon_min_deg, l->moon_min_deg);
		break;
	case VISIBLE_WINDOW_SHORT:
		snprintf(out, size, "meets all limits for %.0f min at most, the visit takes %.0f min", (double)r->longest_s / 60.0, l->visit_s / 60.0);
		break;
	case VISIBLE_LATE:
		snprintf(out, size, "not before %s UTC, after the end of the time asked about", hm(a, r->next_us));
		break;
	}
	return out;
}
