/* The alert bot's text, field by field (scimma/slackbot), of whole, poor and hostile alerts. */
#include "tests/lib/test.h"
#include "engine/base/json.h"
#include "engine/report/summary.h"
#include <math.h>

#define CBC "{\"alert_type\":\"PRELIMINARY\",\"time_created\":\"2023-05-18T12:59:26Z\",\"superevent_id\":\"S230518h\",\"urls\":{\"gracedb\":" \
	"\"https://gracedb.ligo.org/superevents/S230518h/view\"},\"event\":{\"time\":\"2023-05-18T12:59:08.167Z\",\"far\":3.2326e-10,\"significant\":true," \
	"\"instruments\":[\"H1\",\"L1\"],\"group\":\"CBC\",\"pipeline\":\"gstlal\",\"search\":\"AllSky\",\"properties\":{\"HasNS\":1.0,\"HasRemnant\":0.0," \
	"\"HasMassGap\":0.0},\"classification\":{\"BNS\":0.0,\"NSBH\":0.8640001,\"BBH\":0.0371,\"Terrestrial\":0.0991}},\"external_coinc\":null}"

static const struct summary_map no_map = {NAN, NAN, NAN};

static char *words_of(const char *alert, const struct summary_map *map, bool more, char **channels)
{
	struct alert a;
	struct err e = {0};
	struct text out = {.max = 1 << 16};
	assert_ok(alert_decode(alert, strlen(alert), NULL, &a, &e), &e);
	(more ? summary_more : summary_text)(&out, &a, map);
	assert_false(out.failed);
	json_t *list = summary_channels(&a);
	*channels = json_canonical(list);
	json_decref(list);
	alert_free(&a);
	return out.data;
}

static void expect(const char *alert, const struct summary_map *map, bool more, const char *text, const char *channels)
{
	char *where, *got = words_of(alert, map, more, &where);
	assert_string_equal(got, text);
	assert_string_equal(where, channels);
	free(got);
	free(where);
}

static void compact_binary(void **state)
{
	(void)state;
	expect(CBC, &(struct summary_map){204, 57, 460}, false,
		"Alert Type: PRELIMINARY\nSuperevent ID: S230518h\nGroup: CBC\n\nEvent Time: 2023-05-18T12:59:08.167Z\nAlert Time: 2023-05-18T12:59:26Z\n"
		"FAR [1/yr]: 0.010201309775999999\nDetectors: ['H1', 'L1']\n\nTerrestrial : 0.099\nBNS: 0.000\nNSBH: 0.864\nBBH: 0.037\n\nHas NS: 1.000\n"
		"Has Remnant: 0.000\nHas Mass Gap: 0.000\n\nDistance (Mean): 204.000 +/- 57.000 Mpc\nDistance modulus: 36.548\n\n--------------------\n"
		"Join related channel: #s230518h\n<https://gracedb.ligo.org/apiweb/superevents/S230518h/files/bayestar.png|Skymap Link> | "
		"<https://gracedb.ligo.org/superevents/S230518h/view|Grace DB>\n", "[\"#bot-alerts\",\"#s230518h\",\"#bot-alerts-good\"]");
	expect(CBC, &(struct summary_map){204, 57, 460}, true, "Significant: yes\n90 % area: 460 deg^2\nAlert after the event: 18 s\n",
		"[\"#bot-alerts\",\"#s230518h\",\"#bot-alerts-good\"]");
}

static void burst(void **state)
{
	(void)state;
	expect("{\"alert_type\":\"INITIAL\",\"time_created\":\"2023-05-31T10:00:00Z\",\"superevent_id\":\"S230531f\",\"urls\":{},\"event\":{\"time\":"
		"\"2023-05-31T09:59:59.5Z\",\"far\":1e-5,\"significant\":false,\"instruments\":[\"L1\"],\"group\":\"Burst\"}}", &no_map, false,
		"Alert Type: INITIAL\nSuperevent ID: S230531f\nGroup: Burst\n\nEvent Time: 2023-05-31T09:59:59.500Z\nAlert Time: 2023-05-31T10:00:00Z\n"
		"FAR [1/yr]: 315.576\nDetectors: ['L1']\n\n--------------------\nJoin related channel: #s230531f\n"
		"<https://gracedb.ligo.org/apiweb/superevents/S230531f/files/cwb.png|Skymap Link> | "
		"<https://gracedb.ligo.org/superevents/S230531f/view|Grace DB>\n", "[\"#bot-alerts\",\"#s230531f\"]");
}

/* The bot fails with a KeyError at the first of these, and the channel never hears of the event. */
static void absent_fields(void **state)
{
	(void)state;
	expect("{\"alert_type\":\"UPDATE\",\"time_created\":\"2026-01-01T00:00:00Z\",\"superevent_id\":\"S260101a\",\"event\":null}", &no_map, false,
		"Alert Type: UPDATE\nSuperevent ID: S260101a\nGroup: unknown\n\nEvent Time: unknown\nAlert Time: 2026-01-01T00:00:00Z\nFAR [1/yr]: unknown\n"
		"Detectors: []\n\nTerrestrial : unknown\nBNS: unknown\nNSBH: unknown\nBBH: unknown\n\nHas NS: unknown\nHas Remnant: unknown\n"
		"Has Mass Gap: unknown\n\nDistance (Mean): unknown\nDistance modulus: unknown\n\n--------------------\nJoin related channel: #s260101a\n"
		"<https://gracedb.ligo.org/apiweb/superevents/S260101a/files/bayestar.png|Skymap Link> | "
		"<https://gracedb.ligo.org/superevents/S260101a/view|Grace DB>\n", "[\"#bot-alerts\",\"#s260101a\"]");
}

static void retraction(void **state)
{
	(void)state;
	const char *alert = "{\"alert_type\":\"RETRACTION\",\"time_created\":\"2026-01-01T00:00:00Z\",\"superevent_id\":\"S260101a\",\"event\":null}";
	expect(alert, &no_map, false, "This alert was retracted.\n", "[\"#s260101a\"]");
	expect(alert, &no_map, true, "Superevent ID: S260101a\n", "[\"#s260101a\"]");
}

/* Words of strangers never become a link or a call to a whole channel; a test goes to no channel. */
static void hostile_words(void **state)
{
	(void)state;
	char *channels, *got = words_of("{\"alert_type\":\"INITIAL\",\"time_created\":\"2026-01-01T00:00:00Z\",\"superevent_id\":\"S1<!here>&\",\"urls\":"
		"{\"gracedb\":\"https://gracedb.ligo.org/x|<!channel>\"},\"event\":{\"time\":\"2026-01-01T00:00:00Z\",\"far\":1e-30,\"group\":\"<!channel>\","
		"\"instruments\":[\"<@U1>\"],\"search\":\"MDC\",\"classification\":{\"<!x>\":0.5}}}", &no_map, false, &channels);
	assert_null(strstr(got, "<!"));
	assert_null(strstr(got, "<@"));
	assert_non_null(strstr(got, "Group: &lt;!channel&gt;\n"));
	assert_non_null(strstr(got, "/superevents/S1%3C%21here%3E%26/view|Grace DB>"));
	assert_non_null(strstr(got, "FAR [1/yr]: 3.15576e-23\n"));
	assert_string_equal(channels, "[]");
	free(got);
	free(channels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(compact_binary), cmocka_unit_test(burst), cmocka_unit_test(absent_fields),
		cmocka_unit_test(retraction), cmocka_unit_test(hostile_words)};
	return cmocka_run_group_tests_name("summary", tests, NULL, NULL);
}
