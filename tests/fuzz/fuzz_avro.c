/* Avro files as Hopskotch sends them, schema inside: read whole or refused, and what is read is JSON that can be written. The mutator mostly
 * changes the record and keeps its length, so that the file's head and end let it pass. */
#include "door.h"
#include "engine/base/json.h"
#include "sim/alert_write.h"
#include "sim/avro_write.h"
#include <stdlib.h>
#include <string.h>

static bool run(const uint8_t *bytes, size_t len)
{
	struct skim_cut cuts[] = {{"event", "skymap", {0}}, {"external_coinc", "combined_skymap", {0}}};
	struct err e = {0};
	json_t *v = avro_file_read(bytes, len, cuts, 2, &e);
	if (v == NULL) {
		must(e.kind == ERR_INPUT || e.kind == ERR_LIMIT);
		must(e.text[0] != '\0' && text_printable(e.text, strlen(e.text), sizeof e.text));
		return false;
	}
	for (int i = 0; i < 2; i++)
		must(cuts[i].found.at == NULL || ((const uint8_t *)cuts[i].found.at >= bytes && (const uint8_t *)cuts[i].found.at + cuts[i].found.len <= bytes + len));
	char *text = json_canonical(v);
	must(text != NULL);
	free(text);
	json_decref(v);
	return true;
}

static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed};
	size_t from = 0;
	if (len < 64 || fuzz_below(&d, 3) == 0)
		return fuzz_mutate_bytes(bytes, len, max);
	while (from + 32 < len && memcmp(bytes + from, bytes + len - 16, 16) != 0) /* the first marker: the record is behind it */
		from++;
	from += 16;
	for (size_t n = 1 + fuzz_below(&d, 4); n > 0 && from + 18 < len; n--)
		bytes[from + 2 + fuzz_below(&d, len - 18 - from)] = (uint8_t)fuzz_roll(&d);
	return len;
}

static void seed(struct fuzz_seeds *s, const char *schema, const char *json)
{
	static const char map[] = "SIMPLE  =                    T";
	const struct skim_cut given[] = {{"event", "skymap", {map, sizeof map}}};
	struct text out = {.max = 1 << 16};
	struct err e = {0};
	json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
	must(v != NULL && avro_file_write(schema, v, given, 1, &out, &e) == 0);
	fuzz_seed(s, out.data, out.len);
	json_decref(v);
	text_free(&out);
}

static void seeds(struct fuzz_seeds *s)
{
	seed(s, avro_igwn_schema, "{\"alert_type\":\"INITIAL\",\"time_created\":\"2023-05-18T18:00:00Z\",\"superevent_id\":\"S230518h\",\"urls\":{\"gracedb\":\"https://x\"},"
		"\"event\":{\"time\":\"2023-05-18T12:59:08.167Z\",\"far\":1e-9,\"significant\":true,\"instruments\":[\"H1\",\"L1\"],\"group\":\"CBC\",\"pipeline\":\"gstlal\","
		"\"search\":\"AllSky\",\"classification\":{\"BNS\":0.9},\"properties\":{\"HasNS\":1},\"mchirp_source\":{\"bin_edges\":[1,2],\"probabilities\":[1]}},"
		"\"external_coinc\":{\"gcn_notice_id\":5,\"ivorn\":\"i\",\"observatory\":\"Fermi\",\"search\":\"GRB\",\"time_difference\":2,\"time_coincidence_far\":1e-9}}");
	seed(s, avro_igwn_schema, "{\"alert_type\":\"RETRACTION\",\"time_created\":\"2023-05-18T18:00:00Z\",\"superevent_id\":\"S1\",\"urls\":{},\"event\":null}");
	seed(s, "{\"type\":\"array\",\"items\":[\"null\",\"long\",{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}]}", "[null,1,\"A\"]");
	seed(s, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"r\",\"type\":[\"null\",\"R\"]},{\"name\":\"f\",\"type\":\"float\"}]}",
		"{\"r\":{\"r\":null,\"f\":1},\"f\":2}");
}

const struct fuzz_door fuzz_avro = {.name = "avro", .run = run, .mutate = mutate, .seeds = seeds};
