/* The plots: what is drawn is what is there (the area of the painted region is the region's), well formed, and safe with hostile names.
 * SLEW_PLOT_DIR=DIR also writes them there, to be looked at. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/report/plot.h"
#include "engine/target/region.h"
#include <chealpix.h>
#include <math.h>

static const struct visibility_site tololo = {"lsc", "Cerro Tololo", {-30.1674, -70.8047, 2198.0}, 15.0, 12.0, 3};

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
	static const char *const never[] = {"nan", "inf", "<script", "onload", "href", " id="};
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
	assert_true(most == 2 && strncmp(t->data, "<svg ", 5) == 0);
}

/* Sum of the areas of the runs in a path of this colour. */
static double painted(const char *svg, const char *fill)
{
	char key[64];
	double sum = 0.0;
	snprintf(key, sizeof key, "<path fill=\"%s\"", fill);
	const char *p = strstr(svg, key), *end = p ? strchr(p, '>') : NULL;
	assert_non_null(p);
	for (; (p = strchr(p, 'M')) != NULL && p < end; p++) {
		double x, y, w, h;
		assert_int_equal(sscanf(p, "M%lf %lfh%lfv%lf", &x, &y, &w, &h), 4);
		sum += w * h;
	}
	return sum;
}

static const struct plot_galaxy some[] = {
	{197.45, -23.38, 0.20, "NGC 4993", PLOT_SEEN}, {196.9, -24.0, 0.12, "NGC 4970", PLOT_ASKED}, {197.02, -23.8, 0.10, "IC 4197", PLOT_ASKED},
	{196.77, -23.68, 0.09, "NGC 4968", PLOT_REFUSED}, {197.47, -24.24, 0.06, "ESO 508-G019", PLOT_RANKED},
	{195.2, -21.5, 0.05, "a<b>&\"c\"", PLOT_RANKED}, {199.0, -26.0, 0.02, NULL, PLOT_RANKED}, {194.0, -19.0, 0.01, NULL, PLOT_RANKED}};

static void zoomed_sky(void **state)
{
	(void)state;
	struct skymap m;
	struct err e = {0};
	struct text t = {.max = 4u << 20};
	double area = 0.0, level = 0.0;
	map_make(&m, 7, 197.0, -23.5, 0.9);
	struct plot_sky p = {"Sky of S261123ab: 90 % in a few square degrees", &m, some, 8, 197.45, -23.38, NAN, NAN, NAN, NULL, NULL};
	assert_ok(plot_sky(&t, &p, &e), &e);
	well_formed(&t);
	keep("zoom", &t);
	assert_non_null(strstr(t.data, "NGC 4993"));
	assert_non_null(strstr(t.data, "a&lt;b&gt;&amp;"));
	t.len = 0;
	p.centre_ra_deg = 197.0;
	p.centre_dec_deg = -23.5;
	p.halfwidth_deg = 6.0; /* known scale: the painted area is the region's, as far as gnomonic is equal-area here */
	assert_ok(plot_sky(&t, &p, &e), &e);
	assert_ok(region_area(&m, 0.9, &area, &level, &e), &e);
	double unit_deg2 = pow(tan(6.0 * M_PI / 180) / 280 * 180 / M_PI, 2);
	double drawn = (painted(t.data, "#C6DBEF")) * unit_deg2;
	if (fabs(drawn / area - 1) > 0.03)
		fail_msg("painted %.2f deg², the 90 %% area is %.2f", drawn, area);
	text_free(&t);
	map_free(&m);
}

static void whole_sky(void **state)
{
	(void)state;
	struct skymap m;
	struct err e = {0};
	struct text t = {.max = 4u << 20};
	struct ephemeris_local l;
	double area = 0.0, level = 0.0;
	int64_t now = utc("2017-08-17T23:13:00Z");
	struct visibility_night *n = visibility_night_new(&tololo, 1, now, now + UTC_DAY, &e);
	visibility_night_local(n, 0, now, &l);
	map_make(&m, 5, 150.0, 10.0, 14.0);
	struct plot_sky p = {"Sky of S190425z", &m, some, 8, NAN, NAN, NAN, NAN, NAN, &l, "lsc 23:13 UTC"};
	assert_ok(plot_sky(&t, &p, &e), &e);
	well_formed(&t);
	keep("whole", &t);
	assert_non_null(strstr(t.data, "Moon 1"));
	assert_ok(region_area(&m, 0.9, &area, &level, &e), &e);
	double drawn = painted(t.data, "#C6DBEF") / (M_PI * 380 * 190) * 41252.96; /* Mollweide is equal-area */
	if (fabs(drawn / area - 1) > 0.02)
		fail_msg("painted %.1f deg², the 90 %% area is %.1f", drawn, area);
	text_free(&t);
	map_free(&m);
	visibility_night_free(n);
}

static void altitudes(void **state)
{
	(void)state;
	struct err e = {0};
	struct text t = {.max = 1u << 20};
	int64_t start = utc("2017-08-17T21:00:00Z");
	struct visibility_night *n = visibility_night_new(&tololo, 1, start, start + 14 * UTC_HOUR, &e);
	static const struct plot_star stars[] = {{"NGC 4993", 197.4488, -23.3839}, {"NGC 1365", 53.4, -36.14}, {"a very long name of a galaxy", 300.0, -10.0}};
	const struct plot_slot slots[] = {{0, utc("2017-08-17T23:13:00Z"), utc("2017-08-18T00:44:00Z"), true, "TIME_CRITICAL"},
		{0, utc("2017-08-17T22:10:00Z"), utc("2017-08-17T22:50:00Z"), false, "not visible"},
		{1, utc("2017-08-18T05:00:00Z"), utc("2017-08-18T09:30:00Z"), true, NULL}, {2, utc("2017-08-18T01:00:00Z"), utc("2017-08-18T02:00:00Z"), false, "airmass"}};
	struct plot_altitude p = {"Altitudes over Cerro Tololo, 2017-08-17", n, 0, start, start + 14 * UTC_HOUR, stars, 3, slots, 4, 2.0,
		utc("2017-08-17T21:40:00Z")};
	plot_altitude(&t, &p);
	well_formed(&t);
	keep("altitude", &t);
	assert_non_null(strstr(t.data, "NGC 1365"));
	assert_non_null(strstr(t.data, "limit: airmass 2.0"));
	assert_non_null(strstr(t.data, "Moon"));
	text_free(&t);
	visibility_night_free(n);
}

static void timelines(void **state)
{
	(void)state;
	struct text t = {.max = 1u << 20};
	static const char *const lanes[] = {"alerts", "S261123ab", "requests", "operator", "engine"};
	int64_t z = utc("2026-11-23T23:00:00Z"), w = utc("2026-11-23T16:00:00Z");
	const struct plot_tick ticks[] = {{0, z, w, "EARLYWARNING", PLOT_PLAIN}, {1, z + UTC_SECOND, w + 20000, "warm", PLOT_NEUTRAL},
		{0, z + 30 * UTC_SECOND, w + 500000, "PRELIMINARY", PLOT_PLAIN}, {1, z + 31 * UTC_SECOND, w + 520000, "triggered: bns-near", PLOT_GOOD},
		{2, z + 32 * UTC_SECOND, w + 540000, "NGC 4993 asked", PLOT_PLAIN}, {2, z + 33 * UTC_SECOND, w + 550000, "NGC 4970 refused: airmass", PLOT_BAD},
		{2, z + 60 * UTC_SECOND, w + 1000000, "NGC 4993 accepted", PLOT_GOOD}, {3, z + 20 * UTC_MINUTE, w + 20 * UTC_SECOND, "veto S261124cd", PLOT_BAD},
		{4, z + 30 * UTC_MINUTE, w + 30 * UTC_SECOND, "kill -9", PLOT_BAD}, {4, z + 32 * UTC_MINUTE, w + 32 * UTC_SECOND, "up again", PLOT_GOOD},
		{0, z + 80 * UTC_MINUTE, w + 80 * UTC_SECOND, "RETRACTION of S261125ef", PLOT_BAD}, {2, z + 81 * UTC_MINUTE, w + 81 * UTC_SECOND, "3 cancels confirmed", PLOT_GOOD}};
	struct plot_timeline p = {"The night on two clocks", lanes, 5, ticks, sizeof ticks / sizeof ticks[0], w};
	plot_timeline(&t, &p);
	well_formed(&t);
	keep("timeline", &t);
	assert_non_null(strstr(t.data, ">kill -9<"));
	assert_non_null(strstr(t.data, ">+60.0<")); /* one sky minute is a wall second here: 60 min after the start */
	text_reset(&t);
	plot_timeline(&t, &(struct plot_timeline){"empty", lanes, 0, NULL, 0, 0});
	well_formed(&t);
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(zoomed_sky), cmocka_unit_test(whole_sky), cmocka_unit_test(altitudes), cmocka_unit_test(timelines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
