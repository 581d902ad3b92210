/* The plots: what is there is drawn, where it belongs, well formed, and safe with hostile names.
 * SLEW_PLOT_DIR=DIR also writes them there, to be looked at. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/report/altitude.h"
#include "engine/report/distance.h"
#include "engine/report/progress.h"
#include "engine/report/sky.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>

static const struct ephemeris_site tololo = {-30.1674, -70.8047, 2198.0};

static int64_t utc(const char *s)
{
	struct err e = {0};
	int64_t t = 0;
	assert_ok(utc_parse(s, &t, &e), &e);
	return t;
}

/* A banana of probability at order `order`, nested and whole-sky. */
static void map_make(struct skymap *m, int order, double ra_deg, double dec_deg, double sigma_deg)
{
	int64_t nside = INT64_C(1) << order, cells = 12 * nside * nside;
	uint64_t *uniq = calloc((size_t)cells, sizeof *uniq);
	double *density = calloc((size_t)cells, sizeof *density), sum = 0.0, area = 4 * M_PI / (double)cells, d2r = M_PI / 180;
	for (int64_t i = 0; i < cells; i++) {
		double theta, phi;
		pix2ang_nest64(nside, i, &theta, &phi);
		double dec = 90 - theta / d2r, ra = phi / d2r, dx = remainder(ra - ra_deg, 360) * cos(dec * d2r), dy = dec - dec_deg;
		double along = dx * 0.6 + dy * 0.8, across = dx * 0.8 - dy * 0.6 - along * along / (14 * sigma_deg);
		density[i] = exp(-0.5 * (along * along / (9 * sigma_deg * sigma_deg) + across * across / (sigma_deg * sigma_deg)));
		sum += density[i] * area;
		uniq[i] = (uint64_t)(i + 4 * nside * nside);
	}
	for (int64_t i = 0; i < cells; i++)
		density[i] /= sum;
	*m = (struct skymap){.cells = cells, .uniq = uniq, .density = density, .ordering = SKYMAP_NUNIQ, .order_max = order};
}

static void map_free(struct skymap *m)
{
	free((void *)(size_t)m->uniq);
	free((void *)(size_t)m->density);
}

static void keep(const char *name, const struct text *t)
{
	const char *dir = getenv("SLEW_PLOT_DIR");
	char path[512];
	if (dir == NULL)
		return;
	snprintf(path, sizeof path, "%s/%s.svg", dir, name);
	FILE *f = fopen(path, "wb");
	if (f != NULL) {
		fwrite(t->data, 1, t->len, f);
		fclose(f);
	}
}

/* name="value" and nothing else between the name of a tag and its end. */
static void attributes_fine(const char *tag, const char *end)
{
	const char *p = tag + 1 + strcspn(tag + 1, " />");
	while (p < end && *p != '/') {
		const char *name = p + strspn(p, " \n"), *eq = name + strcspn(name, "=<> \n");
		if (name >= end || *name == '/')
			return;
		const char *close = eq[0] == '=' && eq[1] == '"' ? strchr(eq + 2, '"') : NULL;
		if (eq == name || close == NULL || close >= end)
			fail_msg("a tag is broken: %.120s", tag);
		p = close + 1;
	}
}

/* One svg element, tags balanced, no number that is none, nothing that runs. */
static void well_formed(const struct text *t)
{
	assert_false(t->failed);
	assert_non_null(t->data);
	static const char *const never[] = {"nan", "inf ", "<script", "onload", " href"};
	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (strstr(t->data, never[i]) != NULL)
			fail_msg("the plot contains \"%s\": %.80s", never[i], strstr(t->data, never[i]));
	int depth = 0, most = 0;
	for (const char *p = t->data; (p = strchr(p, '<')) != NULL; p++) {
		const char *end = strchr(p, '>');
		assert_non_null(end);
		if (p[1] != '/')
			attributes_fine(p, end);
		depth += p[1] == '/' ? -1 : end[-1] == '/' ? 0 : 1;
		most = depth > most ? depth : most;
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
	assert_true(most >= 2 && strncmp(t->data, "<svg ", 5) == 0);
}

/* The sides of a path's outlines: x, y to x, y. */
static size_t sides_of(const char *path, double (*side)[4], size_t max)
{
	double from[2] = {0}, first[2] = {0}, at[2];
	size_t n = 0;
	int used = 0;
	for (const char *p = strstr(path, " d=\"") + 4; *p != '"'; p++) {
		char kind = *p;
		if (kind == 'Z') {
			memcpy(at, first, sizeof at);
		} else {
			assert_true(kind == 'M' || kind == 'L');
			assert_int_equal(sscanf(p + 1, "%lf %lf%n", &at[0], &at[1], &used), 2);
			p += used;
		}
		if (kind == 'M')
			memcpy(first, at, sizeof at);
		else
			memcpy(side[n++], (double[4]){from[0], from[1], at[0], at[1]}, sizeof *side);
		assert_true(n < max);
		memcpy(from, at, sizeof at);
	}
	return n;
}

/* Is a place inside, by crossings to its left (even-odd)? */
static bool inside(const double (*side)[4], size_t n, double x, double y)
{
	bool in = false;
	for (size_t i = 0; i < n; i++)
		if ((side[i][1] > y) != (side[i][3] > y) && x > side[i][0] + (y - side[i][1]) / (side[i][3] - side[i][1]) * (side[i][2] - side[i][0]))
			in = !in;
	return in;
}

/* Area and probability of what the first path of a picture encloses, sampled every `step` pixels. */
static void enclosed(const struct svg_sky *s, const struct skymap *m, const char *path, double step, double *area_deg2, double *probability)
{
	double pixel = s->all ? sqrt(16 / (s->width * s->height)) : 2 * tan(s->half_deg * M_PI / 180) / s->width, ra, dec;
	static double side[40000][4];
	size_t sides = sides_of(path, side, 40000);
	*area_deg2 = *probability = 0;
	for (double y = s->y0 + step / 2; y < s->y0 + s->height; y += step)
		for (double x = s->x0 + step / 2; x < s->x0 + s->width; x += step) {
			if (!svg_sky_radec(s, x, y, &ra, &dec) || !inside((const double(*)[4])side, sides, x, y))
				continue;
			double u = pixel * (x - s->x0 - s->width / 2), v = pixel * (y - s->y0 - s->height / 2);
			double sr = pixel * pixel * step * step * (s->all ? 1 : pow(1 + u * u + v * v, -1.5));
			int64_t cell = contour_cell(m, ra, dec);
			*area_deg2 += sr * 180 / M_PI * 180 / M_PI;
			*probability += cell >= 0 ? m->density[cell] * sr : 0;
		}
}

/* Outlines hold the probability of their level, over as much sky as the map's own cells need: close up and on the whole sky; across 0 h, at a
 * pole, cut by the edge of the picture, with cells coarser and finer than a pixel. */
static void outlines_hold_their_probability(void **state)
{
	static const struct {
		double ra, dec, sigma;
		int order;
		bool all;
		double centre;
	} cases[] = {{197, -23.5, 0.9, 7, false, 0}, {0.4, 12, 2, 5, false, 0}, {40, 89, 1.5, 6, false, 0}, {300, -88, 2, 6, false, 0},
		{150, 10, 14, 5, true, 150}, {150, 10, 14, 6, true, 325}, {359, -70, 8, 6, true, 0}, {80, 20, 3, 8, true, 90}};
	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		for (int level = 0; level < 2; level++) {
			struct skymap m;
			struct text t = {.max = 4u << 20};
			struct svg_sky s = {.x0 = 20, .y0 = 10, .width = 600, .height = cases[k].all ? 300 : 480};
			struct err e = {0};
			const struct contour one = {level ? 0.5 : 0.9, "class=\"c\""};
			double area, wanted, held;
			map_make(&m, cases[k].order, cases[k].ra, cases[k].dec, cases[k].sigma);
			if (cases[k].all) {
				s.all = true;
				s.ra0_deg = cases[k].centre;
			} else {
				assert_true(sky_view(&m, &m, &s));
			}
			assert_int_equal(contour_draw(&s, &m, &one, 1, &t), 1);
			assert_ok(region_area(&m, one.level, &wanted, NULL, &e), &e);
			enclosed(&s, &m, t.data, 3, &area, &held);
			if (fabs(held - one.level) > 0.02 || fabs(area / wanted - 1) > 0.06)
				fail_msg("case %zu: the %.0f %% outline holds %.1f %% over %.1f deg², the cells need %.1f", k, 100 * one.level, 100 * held, area, wanted);
			text_free(&t);
			map_free(&m);
		}
}

/* Independent: Snyder 1987, eq. 31-1 to 31-5 and 22-4, 22-5, by hand. Sirius; Alnilam seen from the Orion nebula. */
static void stars_where_they_belong(void **state)
{
	struct svg_sky all = {.all = true, .ra0_deg = 90, .width = 800, .height = 400}, near = {.ra0_deg = 83.822, .dec0_deg = -5.391, .half_deg = 5,
		.width = 1000, .height = 1000};
	double x, y, pixel = 1000 / (2 * tan(5 * M_PI / 180)) * M_PI / 180;
	(void)state;
	assert_true(svg_sky_xy(&all, 101.287155, -16.716116, &x, &y));
	assert_true(fabs(x - 375.5774) < 0.01 && fabs(y - 245.5785) < 0.01); /* east is left */
	assert_true(svg_sky_xy(&near, 84.053389, -1.201919, &x, &y));
	assert_true(fabs(x - (500 - 0.231959 * pixel)) < 0.01 && fabs(y - (500 - 4.196551 * pixel)) < 0.01);
}

/* The circles of a site pass through where the ephemeris has that altitude. */
static void circles_of_altitude(void **state)
{
	static const double altitudes_deg[] = {0, 30, 75};
	struct ephemeris_frame f;
	struct ephemeris_bodies b;
	struct ephemeris_local l;
	struct ephemeris_target t;
	double points[73][3];
	int64_t at = utc("2026-11-24T03:00:00Z");
	(void)state;
	ephemeris_frame_set(&f, at);
	ephemeris_bodies_at(&f, at, &b);
	ephemeris_local_at(&b, &tololo, &l);
	for (int k = 0; k < 3; k++) {
		double wide = 0;
		sky_altitude_circle(&tololo, at, altitudes_deg[k], points, 73);
		for (int i = 0; i < 73; i++) {
			double ra = atan2(points[i][1], points[i][0]) * 180 / M_PI, dec = asin(points[i][2]) * 180 / M_PI;
			ephemeris_target_set(&f, ra, dec, &t);
			if (fabs(ephemeris_alt_deg(&l, &t) - altitudes_deg[k]) > 0.007) /* aberration */
				fail_msg("at RA %.2f Dec %.2f the altitude is %.3f, not %.0f", ra, dec, ephemeris_alt_deg(&l, &t), altitudes_deg[k]);
			wide = fmax(wide, svg_separation_deg(ra, dec, atan2(points[0][1], points[0][0]) * 180 / M_PI, asin(points[0][2]) * 180 / M_PI));
		}
		assert_true(fabs(wide - 2 * (90 - altitudes_deg[k])) < 0.1);
	}
}

static const struct sky_galaxy some[] = {{197.45, -23.38, 0.20, 40, 1, "NGC 4993", "observed", "#1a7f4b", 2},
	{196.9, -24.0, 0.12, 41, 2, "NGC 4970", "asked", "#2563eb", 2}, {195.2, -21.5, 0.05, NAN, 3, "a<b>&\"c\"", "not asked", "#98a2b3", 2},
	{199.0, -26.0, NAN, NAN, 4, "beside", "not asked", "#98a2b3", 2}, {17.0, 26.0, 0.1, NAN, 5, "behind us", "not asked", "#98a2b3", 2}};

static void close_up(void **state)
{
	(void)state;
	struct skymap m;
	struct text t = {.max = 4u << 20};
	map_make(&m, 7, 197.0, -23.5, 0.9);
	const struct sky_close_up c = {.first = &m, .last = &m, .galaxies = some, .count = 5, .named = 8, .host_ra_deg = 197.45, .host_dec_deg = -23.38,
		.whole_if_wide = true};
	sky_close_up(&c, &t);
	well_formed(&t);
	keep("close", &t);
	assert_non_null(strstr(t.data, "1 NGC 4993"));
	assert_non_null(strstr(t.data, "3 a&lt;b&gt;&amp;&quot;c"));
	assert_non_null(strstr(t.data, "true host"));
	assert_null(strstr(t.data, "behind us")); /* the other half of the sky is not in the picture */
	text_free(&t);
	map_free(&m);
}

static void whole_sky_for_a_wide_map(void **state)
{
	(void)state;
	struct skymap m;
	struct text t = {.max = 4u << 20};
	map_make(&m, 5, 150.0, 10.0, 14.0);
	struct sky_close_up c = {.first = &m, .last = &m, .galaxies = some, .count = 5, .named = 8, .host_ra_deg = NAN, .host_dec_deg = NAN,
		.whole_if_wide = true};
	sky_close_up(&c, &t);
	well_formed(&t);
	keep("whole", &t);
	assert_non_null(strstr(t.data, "<ellipse"));
	assert_non_null(strstr(t.data, "5 behind us"));
	assert_null(strstr(t.data, "true host"));
	text_reset(&t);
	c.whole_if_wide = false;
	sky_close_up(&c, &t);
	well_formed(&t);
	assert_null(strstr(t.data, "<ellipse"));
	text_free(&t);
	map_free(&m);
}

/* Largest altitude that a path reaches, from its lowest y. */
static double top_deg(const char *path, double top)
{
	double least = 1e9, x, y;
	for (const char *p = strstr(path, " d=\""); p != NULL && *p != '>'; p++)
		if ((*p == 'M' || *p == 'L') && sscanf(p + 1, "%lf %lf", &x, &y) == 2 && y < least)
			least = y;
	return 90 * (1 - (least - top) / ALTITUDE_HEIGHT);
}

/* One distance everywhere: p(r) is r² N(r; 40, 8) / (40² + 8²) (the part below 0 is 3e-7), the same toward any place; two of them: their sum. */
static void distances(void **state)
{
	enum { N = 800 };
	struct skymap m;
	static double whole[N], toward[N];
	double mean, std, sum = 0, d2 = 40 * 40 + 8 * 8;
	(void)state;
	map_make(&m, 4, 197.0, -23.5, 10);
	double *mu = calloc((size_t)m.cells, sizeof *mu), *sigma = calloc((size_t)m.cells, sizeof *sigma), *norm = calloc((size_t)m.cells, sizeof *norm);
	for (int64_t i = 0; i < m.cells; i++) {
		mu[i] = i % 7 == 3 ? INFINITY : 40; /* some cells have none */
		sigma[i] = i % 7 == 3 ? 1 : 8;
		norm[i] = i % 7 == 3 ? 0 : 1 / d2;
	}
	m.mu = mu;
	m.sigma = sigma;
	m.norm = norm;
	distance_posterior(&m, 0.125, N, whole);
	for (int k = 0; k < N; k++)
		sum += 0.125 * whole[k];
	distance_moments(whole, 0.125, N, &mean, &std);
	/* <r> = (mu³ + 3 mu s²) / (mu² + s²), <r²> = (mu⁴ + 6 mu² s² + 3 s⁴) / (mu² + s²) */
	double first = (64000 + 3 * 40 * 64.0) / d2, second = (2560000 + 6 * 1600 * 64.0 + 3 * 4096) / d2;
	assert_true(fabs(mean - first) < 1e-3 && fabs(std - sqrt(second - first * first)) < 1e-3);
	assert_true(sum > 0.8 && sum < 0.9); /* six of seven cells, by probability */
	assert_true(distance_toward(&m, 197, -23.5, 0.125, N, toward) || distance_toward(&m, 200, -23.5, 0.125, N, toward));
	for (int k = 0; k < N; k += 37) {
		double r = 0.125 * (k + 1), expect = r * r * exp(-0.5 * (r - 40) * (r - 40) / 64) / (8 * sqrt(2 * M_PI)) / d2;
		assert_true(fabs(toward[k] - expect) < 1e-9 && fabs(whole[k] - sum * expect) < 1e-6);
	}
	struct text t = {.max = 4u << 20}, again = {.max = 4u << 20};
	const struct distance_chart c = {&m, 200, -23.5, some, 5};
	distance_picture(&c, "d < 100", &t);
	distance_picture(&c, "d < 100", &again);
	well_formed(&t);
	keep("distance", &t);
	assert_true(t.len == again.len && memcmp(t.data, again.data, t.len) == 0);
	assert_non_null(strstr(t.data, "luminosity distance, Mpc"));
	assert_non_null(strstr(t.data, "1 NGC 4993"));
	text_free(&t);
	text_free(&again);
	free(mu);
	free(sigma);
	free(norm);
	map_free(&m);
}

/* What can be observed is shaded from the start of its window to its end; a site that cannot says why. */
static void windows_are_shaded(void **state)
{
	static const struct visibility_site sites[2] = {{"lsc", "Cerro Tololo", {-30.1674, -70.8047, 2198.0}, 15, 12, 1},
		{"nyl", "Ny-Ålesund", {78.92, 11.92, 30}, 15, 12, 1}};
	const struct visibility_limits limits = {2.5, -12, 30, 300};
	const struct altitude_target target = {"NGC <4993>", 197.4488, -23.3839};
	int64_t start = utc("2017-08-17T18:00:00Z");
	struct err e = {0};
	struct text t = {.max = 4u << 20};
	struct visibility_report r;
	struct ephemeris_target eye;
	(void)state;
	struct visibility_night *n = visibility_night_new(sites, 2, start, start + UTC_DAY, &e);
	assert_non_null(n);
	altitude_picture(&(struct altitude_chart){n, start, start + UTC_DAY, &limits, &target, 1}, "A night", true, 1, &t);
	well_formed(&t);
	keep("altitudes", &t);
	assert_non_null(strstr(t.data, "NGC &lt;4993&gt;"));
	assert_non_null(strstr(t.data, "never rises"));
	assert_non_null(strstr(t.data, ">Aug 18<"));
	ephemeris_target_set(visibility_night_frame(n), 197.4488, -23.3839, &eye);
	visibility_find(n, &(struct visibility_ask){0, &eye, &limits, VISIBILITY_ALWAYS}, &r);
	assert_int_equal(r.count, 1);
	struct svg_axis axis = {start, start + UTC_DAY, 40, 720 - 74};
	const char *fill = strstr(t.data, "fill-opacity=\".14\"");
	double x = 0, last = 0;
	assert_int_equal(sscanf(strstr(fill, " d=\"M"), " d=\"M%lf", &x), 1);
	assert_true(fabs(x - svg_axis_x(&axis, r.windows[0].start_us)) < 0.06);
	for (const char *p = strstr(fill, " d=\""); *p != '/'; p++)
		if (*p == 'L')
			sscanf(p + 1, "%lf", &last);
	assert_true(fabs(last - svg_axis_x(&axis, r.windows[0].end_us)) < 0.1);
	visibility_night_free(n);
	text_free(&t);
}

/* A position fits into the legend; a name that does not is cut between characters, not in one. */
static void names_in_a_legend(void **state)
{
	static const struct visibility_site site = {"lsc", "Cerro Tololo", {-30.1674, -70.8047, 2198.0}, 15, 12, 1};
	static const struct visibility_limits limits = {2.5, -12, 30, 300};
	static const struct {
		const char *name, *told;
	} cases[] = {{"RA 197.4487° Dec -23.3839", ">RA 197.4487° Dec -23.3839<"}, {"éééééééééééééééééééééééééééé", ">éééééééééééééééééééééééééé…<"}};
	int64_t start = utc("2017-08-17T18:00:00Z");
	struct err e = {0};
	(void)state;
	struct visibility_night *n = visibility_night_new(&site, 1, start, start + UTC_DAY, &e);
	assert_non_null(n);
	for (size_t i = 0; i < 2; i++) {
		struct text t = {.max = 4u << 20};
		const struct altitude_target target = {cases[i].name, 197.4488, -23.3839};
		altitude_picture(&(struct altitude_chart){n, start, start + UTC_DAY, &limits, &target, 1}, "A night", true, 1, &t);
		well_formed(&t);
		assert_non_null(strstr(t.data, cases[i].told));
		text_free(&t);
	}
	visibility_night_free(n);
}

/* Chances add up over hosts. A visit that sees everything detects whatever shines; one visit identifies nothing; two of them 40 min apart in two
 * bands do, 10 min apart they do not; what is not deep enough, or of unknown depth, is only seen. */
static void chances_add_up(void **state)
{
	struct kilonova_prior prior;
	json_t *filters = json_pack("[s, s]", "gp", "ip"), *deep = json_pack("[f, f]", 60.0, 60.0), *shallow = json_pack("[f, f]", 1.0, 1.0);
	int64_t merger = utc("2026-11-24T00:00:00Z"), first = merger + 12 * UTC_HOUR;
	const int64_t long_after = first + 40 * UTC_MINUTE, soon = first + 10 * UTC_MINUTE, length = 5 * UTC_MINUTE;
	const struct progress_visit v[] = {
		{long_after, long_after + length, true, "a", 0.20, 40, 0.1, filters, deep}, /* out of order */
		{first, first + length, true, "a", 0.20, 40, 0.1, filters, deep},
		{first, first + length + 1, true, "b", 0.10, 40, NAN, filters, deep},
		{soon, soon + length, true, "b", 0.10, 40, NAN, filters, deep},
		{soon, soon + length + 1, true, "c", 0.05, 40, 0, filters, shallow},
		{soon, soon + length + 2, true, "d", 0.02, NAN, 0, NULL, NULL},
		{long_after, long_after + length + 1, false, "b", 0.10, 40, NAN, filters, deep}};
	struct progress_point p[8];
	struct text t = {.max = 4u << 20}, again = {.max = 4u << 20};
	double shines = 0;
	(void)state;
	kilonova_prior_of(0.9, 0.1, 0.8, &prior);
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		shines += prior.weight[f];
	assert_true(shines > 0.3 && shines < 1);
	assert_int_equal(progress_of(v, 7, false, merger, &prior, p), 6);
	assert_true(fabs(p[0].seen - 0.20) < 1e-12 && fabs(p[0].detected - 0.20 * shines) < 1e-6 && fabs(p[0].identified) < 1e-12);
	assert_true(fabs(p[1].seen - 0.30) < 1e-12);
	assert_true(fabs(p[4].seen - 0.37) < 1e-12 && fabs(p[4].detected - 0.30 * shines) < 1e-6 && fabs(p[4].identified) < 1e-12);
	assert_true(fabs(p[5].identified - 0.20 * shines) < 1e-6 && p[5].utc_us == long_after + length);
	assert_int_equal(progress_of(v, 7, true, merger, &prior, p), 7);
	assert_true(fabs(p[6].identified - 0.30 * shines) < 1e-6 && fabs(p[6].seen - 0.37) < 1e-12);
	assert_int_equal(progress_of(v, 7, true, UTC_NONE, &prior, p), 7); /* the age is not known */
	assert_true(fabs(p[6].detected) < 1e-12 && p[6].seen > 0.3);
	const struct progress_chart c = {v, 7, "S<1>", merger, merger, merger + UTC_DAY, &prior, false, 0.4};
	progress_picture(&c, "S<1>", true, &t);
	progress_picture(&c, "S<1>", true, &again);
	well_formed(&t);
	keep("probability", &t);
	assert_true(t.len == again.len && memcmp(t.data, again.data, t.len) == 0);
	assert_non_null(strstr(t.data, "not in the catalogue: 40 %"));
	assert_non_null(strstr(t.data, "6 visits completed"));
	text_reset(&t);
	progress_picture(&(struct progress_chart){NULL, 0, "S2", UTC_NONE, merger, merger + UTC_DAY, &prior, true, NAN}, "S2", false, &t);
	well_formed(&t);
	assert_non_null(strstr(t.data, "no telescope was asked"));
	text_free(&t);
	text_free(&again);
	json_decref(filters);
	json_decref(deep);
	json_decref(shallow);
}

/* A file of its own: the same bytes each time, not too large, with all that was asked for in it. */
static void picture(void **state)
{
	struct skymap m;
	struct text t = {.max = 4u << 20}, again = {.max = 4u << 20};
	const struct visibility_site site = {"lsc", "Cerro Tololo", {-30.1674, -70.8047, 2198.0}, 15, 12, 1};
	const struct sky_moment moment = {utc("2017-08-17T23:30:00Z"), &site, 1};
	const double corners[4][2] = {{196, -22}, {198, -22}, {198, -24}, {196, -24}};
	const struct sky_field field = {corners, 4, "F<1>", NULL};
	const struct sky_close_up c = {.first = &m, .last = &m, .galaxies = some, .count = 5, .named = 8, .host_ra_deg = NAN, .host_dec_deg = NAN,
		.fields = &field, .field_count = 1, .moment = &moment};
	(void)state;
	map_make(&m, 7, 197.0, -23.5, 0.9);
	sky_picture(&c, "A & B", &t);
	sky_picture(&c, "A & B", &again);
	well_formed(&t);
	keep("picture", &t);
	assert_true(t.len == again.len && memcmp(t.data, again.data, t.len) == 0);
	assert_true(t.len < 1500000);
	static const char *const there[] = {"A &amp; B", "xmlns=", "90 %:", "F&lt;1&gt;", ">Sun<", ">Moon 1", ">lsc<", "class=\"horizon\"", "class=\"plane\"",
		"2017-08-17T23:30:00Z", ">13h", "−20°", "class=\"inset\""};
	for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
		if (strstr(t.data, there[i]) == NULL)
			fail_msg("not in the picture: %s", there[i]);
	text_free(&t);
	text_free(&again);
	map_free(&m);
}

static void altitudes(void **state)
{
	(void)state;
	struct text t = {.max = 1u << 20};
	int64_t start = utc("2017-08-17T18:00:00Z");
	struct altitude a = altitude_of(&tololo, start, start + UTC_DAY, 660, 8);
	text_puts(&t, "<svg viewBox=\"0 0 660 176\">");
	altitude_panel(&a, 2, &t);
	altitude_name(&a, "lsc", "Cerro <Tololo>", &t);
	size_t at = t.len;
	altitude_curve(&a, &(struct altitude_span){197.4488, -23.3839, start, start + UTC_DAY}, "class=\"alt\"", &t);
	/* it culminates at 90 - |lat - dec| */
	assert_true(fabs(top_deg(t.data + at, 8) - (90 - (30.1674 - 23.3839))) < 1);
	at = t.len;
	altitude_curve(&a, &(struct altitude_span){10, 80, start, start + UTC_DAY}, "class=\"alt\"", &t); /* never rises there */
	assert_null(strchr(t.data + at, 'M'));
	text_puts(&t, "</svg>\n");
	well_formed(&t);
	keep("altitude", &t);
	assert_non_null(strstr(t.data, "Cerro &lt;Tololo&gt;"));
	assert_non_null(strstr(t.data, "class=\"moonpath\""));
	assert_non_null(strstr(t.data, "class=\"day\""));
	assert_non_null(strstr(t.data, "X 1.2"));
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(close_up), cmocka_unit_test(whole_sky_for_a_wide_map), cmocka_unit_test(altitudes),
		cmocka_unit_test(outlines_hold_their_probability), cmocka_unit_test(stars_where_they_belong), cmocka_unit_test(circles_of_altitude),
		cmocka_unit_test(picture), cmocka_unit_test(distances), cmocka_unit_test(windows_are_shaded),
		cmocka_unit_test(names_in_a_legend), cmocka_unit_test(chances_add_up)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
