/* What a real Observation Portal says about airmass and visibility (corpus 046), against ours: the same numbers, the same windows. */
#include "test.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/target/visibility.h"
#include <math.h>

#define STEP_US (10 * UTC_MINUTE) /* the portal's samples */

static int64_t utc(const char *s)
{
	struct err e = {0};
	int64_t t = 0;
	assert_ok(utc_parse(s, &t, &e), &e);
	return t;
}

/* true when t lies in one of our windows, widened by margin. */
static bool inside(const struct visibility_report *r, int64_t t, int64_t margin_us)
{
	for (size_t i = 0; i < r->count; i++)
		if (t >= r->windows[i].start_us - margin_us && t <= r->windows[i].end_us + margin_us)
			return true;
	return false;
}

static void site_agrees(const struct visibility_night *n, size_t site, const struct ephemeris_target *t, const json_t *said)
{
	const struct visibility_limits limits = {1.6, -12.0, 20.0, 600.0};
	struct visibility_report r;
	const json_t *times = json_object_get(said, "times"), *values = json_object_get(said, "airmasses");
	double worst = 0.0, covered_s = 0.0;
	visibility_find(n, &(struct visibility_ask){site, t, &limits, VISIBILITY_ALWAYS}, &r);
	for (size_t i = 0; i < json_array_size(times); i++) {
		struct ephemeris_local l;
		int64_t at = utc(json_string_value(json_array_get(times, i)));
		/* The sample's second is cut off; the slope within a minute bounds the difference. */
		visibility_night_local(n, site, at, &l);
		double a = ephemeris_airmass(ephemeris_sin_alt(&l, t));
		visibility_night_local(n, site, at + UTC_MINUTE, &l);
		double b = ephemeris_airmass(ephemeris_sin_alt(&l, t)), want = json_number_value(json_array_get(values, i));
		double off = want < fmin(a, b) ? fmin(a, b) - want : want > fmax(a, b) ? want - fmax(a, b) : 0.0;
		worst = fmax(worst, off / want);
		if (!inside(&r, at, 4 * UTC_MINUTE))
			fail_msg("%s: the portal sees it at %s, we do not", visibility_night_site(n, site)->code, json_string_value(json_array_get(times, i)));
	}
	for (size_t i = 0; i < r.count; i++)
		covered_s += (double)(r.windows[i].end_us - r.windows[i].start_us) / 1e6;
	double said_s = (double)json_array_size(times) * 600.0;
	printf("# %s: %zu samples, airmass within %.5f, %.2f h against %.2f h\n", visibility_night_site(n, site)->code, json_array_size(times), worst,
		covered_s / 3600, said_s / 3600);
	assert_true(worst < 0.003);
	assert_true(fabs(covered_s - said_s) <= 1200.0 * (double)(r.count > 0 ? r.count : 1));
}

static void the_portal_agrees(void **state)
{
	(void)state;
	char path[512];
	struct err e = {0};
	struct visibility_site sites[VISIBILITY_SITES];
	size_t count = 0, seen = 0;
	shared_path(path, "data/ocs_corpus/046-airmass.json");
	json_t *corpus = json_read_file(path, &json_limits_reply, NULL, &e);
	if (corpus == NULL)
		fail_msg("%s", e.text);
	json_t *descriptor = embedded_json("facilities/lco.json");
	assert_ok(visibility_sites(descriptor, sites, VISIBILITY_SITES, &count, &e), &e);
	const json_t *request = json_object_get(corpus, "request"), *data = json_object_get(json_object_get(corpus, "response"), "airmass_data");
	const json_t *window = json_array_get(json_object_get(request, "windows"), 0);
	const json_t *where = json_object_get(json_array_get(json_object_get(request, "configurations"), 0), "target");
	struct visibility_night *n = visibility_night_new(sites, count, utc(json_text(window, "start", "")), utc(json_text(window, "end", "")), &e);
	struct ephemeris_target t;
	assert_non_null(n);
	ephemeris_target_set(visibility_night_frame(n), json_number(where, "ra", 0), json_number(where, "dec", 0), &t);
	for (size_t s = 0; s < count; s++) {
		const struct visibility_limits limits = {1.6, -12.0, 20.0, 600.0};
		struct visibility_report r;
		visibility_find(n, &(struct visibility_ask){s, &t, &limits, VISIBILITY_ALWAYS}, &r);
		if (json_object_get(data, sites[s].code) != NULL && ++seen > 0)
			site_agrees(n, s, &t, json_object_get(data, sites[s].code));
		else if (sites[s].telescopes > 0 && r.count > 0)
			fail_msg("%s: we see it, the portal does not", sites[s].code);
	}
	assert_int_equal(seen, 3); /* coj, cpt, lsc; it stays too low in the north */
	visibility_night_free(n);
	json_decref(descriptor);
	json_decref(corpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_portal_agrees)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
