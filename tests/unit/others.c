/* What others completed: the list of a person, the Treasure Map's answer, and rows that tell a plan nothing. */
#include "test.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include "engine/io/around.h"
#include "engine/io/others.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/slew-others-XXXXXX";

static void write_all(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	fclose(f);
}

static struct others read_all(const char *text)
{
	struct others o;
	struct err e = {0};
	write_all(text);
	assert_ok(others_read(path, &o, &e), &e);
	return o;
}

static void a_list_of_ones_own(void **state)
{
	(void)state;
	struct others o = read_all("[{\"ra_deg\": 197.4488, \"dec_deg\": -23.3839, \"radius_deg\": 1.1, \"band\": \"gp\", \"depth_mag\": 22.4, \"time\": \"2017-08-17T23:33:00Z\"},"
		"{\"target\": \"NGC4993|1\", \"band\": \"z\", \"depth_mag\": 21, \"time\": \"2017-08-18 01:00\"}]");
	assert_true(o.rows == 2 && o.unfit == 0);
	const json_t *a = json_array_get(o.list, 0), *b = json_array_get(o.list, 1);
	assert_true(json_int(a, "time_us", 0) == INT64_C(1503012780000000)); /* date -u -d 2017-08-17T23:33:00Z +%s */
	assert_true(fabs(json_number(a, "ra_deg", 0) - 197.4488) < 1e-12 && fabs(json_number(a, "radius_deg", 0) - 1.1) < 1e-12);
	assert_string_equal(json_text(b, "target", ""), "NGC4993|1");
	assert_null(json_object_get(b, "ra_deg"));
	json_decref(o.list);
}

/* Rows as its server gives them: ra and dec null, a right ascension of −180 to 180. */
static void the_treasure_map(void **state)
{
	(void)state;
	struct others o = read_all(
		"[{\"id\":1,\"instrumentid\":9,\"status\":\"completed\",\"position\":\"POINT(-162.55 -23.38)\",\"ra\":null,\"dec\":null,\"band\":\"r\",\"depth\":20.5,"
		"\"depth_unit\":\"ab_mag\",\"time\":\"2017-08-17T23:33:00.000000\",\"pos_angle\":0.0},"
		"{\"status\":\"completed\",\"position\":\"POINT (10.5 91)\",\"band\":\"r\",\"depth\":20.5,\"depth_unit\":\"ab_mag\",\"time\":\"2017-08-17T23:33:00\"},"
		"{\"status\":\"planned\",\"position\":\"POINT (10.5 1)\",\"band\":\"r\",\"depth\":20.5,\"depth_unit\":\"ab_mag\",\"time\":\"2017-08-17T23:33:00\"},"
		"{\"status\":\"completed\",\"position\":\"POINT (10.5 1)\",\"band\":\"clear\",\"depth\":20.5,\"depth_unit\":\"ab_mag\",\"time\":\"2017-08-17T23:33:00\"},"
		"{\"status\":\"completed\",\"position\":\"POINT (10.5 1)\",\"band\":\"r\",\"depth\":20.5,\"depth_unit\":\"vega_mag\",\"time\":\"2017-08-17T23:33:00\"},"
		"{\"status\":\"completed\",\"position\":\"POINT (10.5\",\"band\":\"r\",\"depth\":20.5,\"depth_unit\":\"ab_mag\",\"time\":\"2017-08-17T23:33:00\"},"
		"{\"status\":\"completed\",\"position\":\"POINT (10.5 1)\",\"band\":\"r\",\"depth\":20.5,\"depth_unit\":\"ab_mag\",\"time\":null}, 7, null, []]");
	assert_true(o.rows == 10 && o.unfit == 9);
	const json_t *a = json_array_get(o.list, 0);
	assert_true(fabs(json_number(a, "ra_deg", 0) - 197.45) < 1e-9 && fabs(json_number(a, "dec_deg", 0) + 23.38) < 1e-12);
	assert_null(json_object_get(a, "radius_deg"));
	assert_true(json_number(a, "depth_mag", 0) == 20.5);
	json_decref(o.list);
}

/* A plan's job has it with the next plan, without a start anew; what cannot be read is a warning and no plan is lost. */
static void read_with_each_plan(void **state)
{
	(void)state;
	static struct around around;
	char sha256[65];
	snprintf(around.others, sizeof around.others, "%s", path);
	static const char *const text[] = {"[]", "[{\"target\":\"A|1\",\"band\":\"r\",\"depth_mag\":21,\"time\":\"2017-08-18T00:00\"}]", "{}"};
	for (int i = 0; i < 3; i++) {
		json_t *job = json_pack("{s:[{s:s s:f s:f}]}", "targets", "key", "A|1", "ra_deg", 10.0, "dec_deg", 10.0);
		write_all(text[i]);
		around_job(&around, job);
		assert_int_equal(json_array_size(json_object_get(job, "covered")), i == 1);
		assert_true((json_text(job, "warning", NULL) != NULL) == (i == 2));
		hash_sha256_hex(text[i], strlen(text[i]), sha256);
		assert_string_equal(json_text(json_object_get(job, "around"), "covered", ""), i < 2 ? sha256 : "");
		assert_null(json_object_get(json_object_get(job, "around"), "dust"));
		json_decref(job);
	}
	struct others o;
	struct err e = {0};
	unlink(path);
	assert_int_equal(others_read(path, &o, &e), -1);
	assert_non_null(strstr(e.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_list_of_ones_own), cmocka_unit_test(the_treasure_map), cmocka_unit_test(read_with_each_plan)};
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	return cmocka_run_group_tests_name("others", tests, NULL, NULL);
}
