/* The plots: what is there is drawn, well formed, and safe with hostile names. (That a contour encloses what it should: report_svg.c.)
 * SLEW_PLOT_DIR=DIR also writes them there, to be looked at. */
#include "test.h"
#include "engine/base/utc.h"
#include "engine/report/altitude.h"
#include "engine/report/sky.h"
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
	static const char *const never[] = {"nan", "inf", "<script", "onload", "href"};
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

static const struct sky_galaxy some[] = {{197.45, -23.38, 0.20, 40, 1, "NGC 4993", "observed", "#1a7f4b"},
	{196.9, -24.0, 0.12, 41, 2, "NGC 4970", "asked", "#2563eb"}, {195.2, -21.5, 0.05, NAN, 3, "a<b>&\"c\"", "not asked", "#98a2b3"},
	{199.0, -26.0, NAN, NAN, 4, "beside", "not asked", "#98a2b3"}, {17.0, 26.0, 0.1, NAN, 5, "behind us", "not asked", "#98a2b3"}};

static void close_up(void **state)
{
	(void)state;
	struct skymap m;
	struct text t = {.max = 4u << 20};
	map_make(&m, 7, 197.0, -23.5, 0.9);
	const struct sky_close_up c = {&m, &m, some, 5, 8, 197.45, -23.38, true};
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
	struct sky_close_up c = {&m, &m, some, 5, 8, NAN, NAN, true};
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

static void altitudes(void **state)
{
	(void)state;
	struct text t = {.max = 1u << 20};
	int64_t start = utc("2017-08-17T18:00:00Z");
	struct altitude a = altitude_of(&tololo, start, start + UTC_DAY, 660, 8);
	text_puts(&t, "<svg viewBox=\"0 0 660 176\">");
	altitude_panel(&a, "lsc", "Cerro <Tololo>", 2, &t);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(close_up), cmocka_unit_test(whole_sky_for_a_wide_map), cmocka_unit_test(altitudes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
