/* The made kilonova against the real one, and the camera against its exposure time calculator. */
#include "sim/transient.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "test.h"
#include <math.h>
#include <string.h>

/* AT 2017gfo, corrected for the dust of our galaxy: the compilation of Villar et al. 2017 (arXiv:1710.11576) and Coughlin et al. 2018
 * (arXiv:1805.09371), days after the merger. */
static const struct {
	const char *filter;
	double days, mag;
} gfo[] = {{"gp", 0.892, 17.07}, {"gp", 1.44, 18.10}, {"gp", 2.44, 19.80}, {"gp", 3.44, 20.74}, {"gp", 4.44, 21.19}, {"rp", 0.471, 17.28},
	{"rp", 0.892, 17.04}, {"rp", 1.44, 17.71}, {"rp", 2.44, 18.85}, {"rp", 3.44, 19.53}, {"rp", 4.44, 20.25}, {"ip", 0.471, 17.27},
	{"ip", 0.892, 17.21}, {"ip", 1.44, 17.64}, {"ip", 2.44, 18.37}, {"ip", 3.44, 18.82}, {"ip", 4.44, 19.30}, {"zs", 0.471, 17.43},
	{"zs", 1.44, 17.56}, {"zs", 2.44, 18.17}, {"zs", 3.44, 18.58}, {"zs", 4.44, 18.91}};

#define assert_near(got, want, within) assert_true(fabs((got) - (want)) <= (within))

static void like_at2017gfo(void **state)
{
	struct transient t;
	double sum = 0, worst = 0;
	size_t n = sizeof gfo / sizeof gfo[0];
	(void)state;
	transient_make(1, 1, 40.7, &t);
	for (size_t i = 0; i < n; i++) {
		double off = transient_mag(&t, gfo[i].days, gfo[i].filter) - gfo[i].mag;
		sum += off;
		worst = fmax(worst, fabs(off));
		if (fabs(off) > 0.6)
			fail_msg("%s at %.2f d: %.2f off", gfo[i].filter, gfo[i].days, off);
	}
	assert_true(fabs(sum / (double)n) < 0.1);
	assert_true(worst > 0.05); /* a model, no table */
	double early = transient_mag(&t, 0.471, "gp") - 17.02;
	assert_true(early > 0 && early < 0.85); /* where it is known to be too faint */
}

static void far_and_before(void **state)
{
	struct transient near, far, dim;
	(void)state;
	transient_make(1, 1, 40, &near);
	transient_make(1, 1, 120, &far);
	transient_make(0.5, 1, 40, &dim);
	assert_near(transient_mag(&far, 1, "rp") - transient_mag(&near, 1, "rp"), 5 * log10(3), 1e-9);
	assert_true(transient_mag(&dim, 2, "gp") > transient_mag(&near, 2, "gp") + 0.2);
	assert_true(isinf(transient_mag(&near, 0, "rp")) && isinf(transient_mag(&near, -1, "rp")) && isinf(transient_mag(&near, 1, "H-alpha")));
	/* it reddens */
	assert_true(transient_mag(&near, 3, "gp") - transient_mag(&near, 3, "ip") > transient_mag(&near, 1, "gp") - transient_mag(&near, 1, "ip") + 0.5);
}

static void camera_of_lco(void **state)
{
	struct transient_camera c;
	size_t len;
	const char *text = embed_find("facilities/lco.json", &len);
	struct err e = {0};
	(void)state;
	json_t *d = json_read(text, len, &json_limits_config, &e);
	const json_t *sinistro = json_array_get(json_object_get(d, "instruments"), 0);
	assert_true(transient_camera_of(sinistro, "rp", &c));
	/* 180 s, S/N 5, zenith: the calculator's answers in steps of 0.1 mag: 22.3 new, 21.9 half, 20.6 full Moon */
	assert_near(transient_limit(&c, 5, 180, 1, 0), 22.34, 0.05);
	assert_near(transient_limit(&c, 5, 180, 1, 0.5), 21.95, 0.05);
	assert_near(transient_limit(&c, 5, 180, 1, 1), 20.65, 0.05);
	assert_near(transient_signal_to_noise(&c, transient_limit(&c, 5, 180, 2, 0.3), 180, 2, 0.3), 5, 1e-6);
	/* four times as long: 0.75 mag deeper where the sky is the noise; an airmass more costs its extinction */
	assert_near(transient_limit(&c, 5, 3600, 1, 1) - transient_limit(&c, 5, 900, 1, 1), 2.5 * log10(2), 0.01);
	assert_near(transient_limit(&c, 5, 180, 1, 0) - transient_limit(&c, 5, 180, 2, 0), 0.08, 1e-6);
	assert_false(transient_camera_of(sinistro, "H-alpha", &c));
	json_decref(d);
}

/* A camera whose filter the light does not know would never detect anything. */
static void every_filter_shines(void **state)
{
	struct transient t;
	struct err e = {0};
	size_t filters = 0, i, k, len;
	const json_t *instrument, *band;
	(void)state;
	transient_make(1, 1, 40, &t);
	for (const struct embed *m = embed_table; m->path != NULL; m++) {
		if (strncmp(m->path, "facilities/", 11) != 0 || strstr(m->path, ".json") == NULL)
			continue;
		const char *text = embed_find(m->path, &len);
		json_t *d = json_read(text, len, &json_limits_config, &e);
		json_array_foreach(json_object_get(d, "instruments"), i, instrument) {
			json_array_foreach(json_object_get(instrument, "photometry"), k, band) {
				if (!isfinite(transient_mag(&t, 1, json_text(band, "filter", ""))))
					fail_msg("%s: %s", m->path, json_text(band, "filter", "?"));
				filters++;
			}
		}
		json_decref(d);
	}
	assert_true(filters >= 15);
	assert_near(transient_mag(&t, 1, "g"), transient_mag(&t, 1, "gp"), 1e-12);
}

static void standing_out(void **state)
{
	struct transient_seen s[4] = {{0.50, "gp", 18.0, 0.05}, {0.503, "ip", 18.0, 0.05}, {0.84, "gp", 18.05, 0.05}, {1.5, "gp", 18.8, 0.05}};
	(void)state;
	assert_true(isnan(transient_identified(s, 0)) && isnan(transient_identified(s, 1)));
	assert_true(isnan(transient_identified(s, 2)));                       /* a colour, but five minutes: may be an asteroid */
	assert_near(transient_identified(s, 3), 0.84, 1e-12);          /* apart now */
	s[1] = s[2];
	s[2] = s[3];
	assert_true(isnan(transient_identified(s, 2)));                       /* apart, one filter, no fade yet */
	assert_near(transient_identified(s, 3), 1.5, 1e-12);           /* faded */
	s[2].error_mag = 0.4;
	assert_true(isnan(transient_identified(s, 3)));                       /* not beyond its error */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(like_at2017gfo), cmocka_unit_test(far_and_before), cmocka_unit_test(camera_of_lco),
		cmocka_unit_test(every_filter_shines), cmocka_unit_test(standing_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
