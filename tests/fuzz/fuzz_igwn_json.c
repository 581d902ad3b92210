/* Alert bytes: skimmed, counted, parsed, decoded, made facts of, and written in the normal form, which its own schema must accept. */
#include "door.h"
#include "engine/alert/fact.h"
#include "engine/base/json.h"
#include "engine/base/schema.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/alert_write.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_alert(const struct alert *a)
{
	size_t n = strlen(a->event);
	must(text_printable(a->event, n, LIMIT_EVENT_ID));
	must(strcmp(a->source, "lvk") == 0 && a->type >= 0 && a->type < ALERT_TYPES);
	must(isnan(a->far_hz) || (a->far_hz >= 0 && isfinite(a->far_hz)));
	must(a->created_us != UTC_NONE && strlen(a->sha256) == 64);
	must(a->is_test == (json_array_size(a->test_reasons) > 0));
	must((a->map != NULL) == (a->map_len > 0));
	must(a->map == NULL || strlen(a->map_sha256) == 64);
	/* what stands for a test by its name is one, whatever else the alert says */
	must(a->event[0] == 'S' || a->is_test);
}

static void check_normal(const struct alert *a)
{
	struct err e = {0};
	json_t *normal = alert_json(a, "igwn.gwalert");
	must(normal != NULL);
	must(schema_check_embedded("schemas/alert.schema.json", normal, NULL, 0, &e) == 0);
	fuzz_check_json(normal, &(struct json_limits){LIMIT_TEXT, 4 * LIMIT_JSON_TOKENS, LIMIT_JSON_DEPTH + 2});
	/* what people read says the same as what is kept */
	char *pretty = json_pretty(normal), *canonical = json_canonical(normal);
	must(pretty != NULL && canonical != NULL);
	json_t *again = json_loads(pretty, JSON_REJECT_DUPLICATES, NULL);
	must(again != NULL);
	char *same = json_canonical(again);
	must(same != NULL && strcmp(same, canonical) == 0);
	json_decref(again);
	free(same);
	free(canonical);
	free(pretty);
	json_decref(normal);
}

static void check_facts(const struct alert *a)
{
	struct facts f;
	facts_of_alert(a, "igwn.gwalert", a->created_us, false, &f);
	for (int i = 0; i < FACT_COUNT; i++)
		must(fact_info[i].type == FACT_TEXT || !isinf(f.number[i]));
	must(f.number[FACT_is_test] == a->is_test && f.map_pending == (a->map != NULL));
}

static bool run(const uint8_t *bytes, size_t len)
{
	struct alert a;
	struct err e = {0};
	if (alert_decode(bytes, len, "igwn.gwalert", &a, &e) < 0) {
		must(e.kind == ERR_INPUT || e.kind == ERR_LIMIT);
		must(e.text[0] != '\0' && text_printable(e.text, strlen(e.text), sizeof e.text));
		return false;
	}
	check_alert(&a);
	check_facts(&a);
	check_normal(&a);
	alert_free(&a);
	return true;
}

/* ---- seeds ---- */
static const char fits[] = "SIMPLE  =                    T";

static void seed_alert(struct fuzz_seeds *s, const char *type, const char *event, bool map)
{
	struct sim_alert a = {.event = event, .type = type, .created_us = INT64_C(1684432800000000), .event_us = INT64_C(1684432700000000), .far_hz = 1e-12,
		.significant = true, .instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = 0.9, .p_terrestrial = 0.1, .has_ns = 1,
		.has_remnant = 1, .map = map ? fits : NULL, .map_len = map ? sizeof fits - 1 : 0};
	struct text t = {.max = 1 << 20};
	struct err e = {0};
	must(sim_alert_write(&a, &t, &e) == 0);
	fuzz_seed(s, t.data, t.len);
	text_free(&t);
}

/* Forms that the simulator does not write: the joint detection, links, a byte order mark, notices that this version only names. */
static const char *const others[] = {
	("{\"alert_type\":\"UPDATE\",\"time_created\":\"2023-05-18T18:00:00Z\",\"superevent_id\":\"S230518h\",\"urls\":{\"gracedb\":\"https://example.org/x\","
	"\"skymap\":\"https://example.org/b.fits\",\"combined_skymap\":\"https://example.org/c.fits\"},\"event\":{\"significant\":false,\"time\":\"2023-05-18T12:59:08.167Z\","
	"\"far\":3.1e-10,\"instruments\":[\"H1\",\"L1\"],\"group\":\"CBC\",\"pipeline\":\"gstlal\",\"search\":\"MDC\",\"properties\":{\"HasNS\":1,\"HasRemnant\":0,"
	"\"HasMassGap\":0.5,\"HasSSM\":null},\"classification\":{\"BNS\":0,\"NSBH\":0.86,\"BBH\":0.04,\"Terrestrial\":0.1,\"MassGap\":0},\"duration\":null,"
	"\"central_frequency\":null,\"skymap\":\"U0lN\"},\"external_coinc\":{\"gcn_notice_id\":123,\"ivorn\":\"ivo://x\",\"observatory\":\"Swift\",\"search\":\"GRB\","
	"\"time_difference\":1.5,\"time_coincidence_far\":1e-9,\"time_sky_position_coincidence_far\":1e-10,\"combined_skymap\":\"U0\\/N\\u0041\"}}"),
	"\xef\xbb\xbf{\"superevent_id\":\"MS181101ab\",\"alert_type\":\"EARLYWARNING\",\"time_created\":\"2018-11-01T22:34:49\",\"event\":null}",
	("{\"superevent_id\":\"TS1\",\"alert_type\":\"INITIAL\",\"time_created\":\"2018-11-01T22:34:49Z\",\"urls\":{\"a\":\"https://gracedb-playground.example.org/\"},"
	"\"event\":{\"skymap\":1,\"far\":-1,\"instruments\":[1,null],\"classification\":[],\"search\":5},\"external_coinc\":[]}"),
	"{\"beat\":1}", "{\"circularId\":1}", "[1]", "{\"url\":\"x\"}", "Obj\x01", "<?xml version=\"1.0\"?><voe:VOEvent/>", "<!DOCTYPE html>", "TITLE: GCN", ""};

/* As many signs of a test as its tokens allow. */
static void seed_playgrounds(struct fuzz_seeds *s)
{
	struct text t = {.max = LIMIT_JSON_BYTES};
	text_puts(&t, "{\"superevent_id\":\"S1\",\"alert_type\":\"INITIAL\",\"time_created\":\"2023-05-18T18:00:00Z\",\"event\":null,\"urls\":{\"u\":\"\"");
	for (int i = 0; i < 9900; i++)
		text_printf(&t, ",\"u%d\":\"a://playground%d\"", i, i);
	text_puts(&t, "}}");
	fuzz_seed(s, t.data, t.len);
	text_free(&t);
}

static void seeds(struct fuzz_seeds *s)
{
	seed_playgrounds(s);
	seed_alert(s, "EARLYWARNING", "S261123ab", false);
	seed_alert(s, "PRELIMINARY", "S261123ab", true);
	seed_alert(s, "INITIAL", "MS261123ab", true);
	seed_alert(s, "RETRACTION", "S261123ab", false);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		fuzz_seed_text(s, others[i]);
}

const struct fuzz_door fuzz_igwn_json = {.name = "igwn_json", .run = run, .mutate = fuzz_mutate_json, .seeds = seeds};
