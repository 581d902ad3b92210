/* How long an LVK JSON alert of 1 MB takes from bytes to the map's bytes in memory (all of alert_decode: cut, parse, base64, digests), its parts, and
 * to the map's columns through the sandboxed child. */
#include "engine/alert/alert.h"
#include "engine/alert/skim.h"
#include "engine/base/hash.h"
#include "engine/io/mapchild.h"
#include "figures.h"
#include "mapmake.h"
#include <string.h>

#define REPEATS 41

/* An alert around a map of 12,288 cells and eight columns: 0.79 MB of FITS, 1.05 MB of JSON. */
static char *alert_make(size_t *len)
{
	struct mapmake_sky s;
	struct mapmake file;
	mapmake_sky_make(&s, 5);
	const struct mapmake_column columns[] = {{"UNIQ", "", 'K', 1, NULL, s.uniq}, {"PROBDENSITY", "sr-1", 'D', 1, s.density, NULL},
		{"DISTMU", "Mpc", 'D', 1, s.mu, NULL}, {"DISTSIGMA", "Mpc", 'D', 1, s.sigma, NULL}, {"DISTNORM", "Mpc-2", 'D', 1, s.norm, NULL},
		{"A", "", 'D', 1, s.prob, NULL}, {"B", "", 'D', 1, s.mu, NULL}, {"C", "", 'D', 1, s.sigma, NULL}};
	static const char *const cards[] = {"ORDERING= 'NUNIQ   '", NULL};
	mapmake_file(&file, columns, 8, s.pixels, cards);
	char *text = base64_encode(file.data, file.len), *out = malloc(strlen(text) + 4096);
	*len = (size_t)sprintf(out, "{\"alert_type\": \"PRELIMINARY\", \"time_created\": \"2018-11-01T22:34:49Z\", \"superevent_id\": \"S181101ab\", \"urls\": "
		"{\"gracedb\": \"https://example.org/superevents/S181101ab/view/\"}, \"event\": {\"time\": \"2018-11-01T22:22:46.654Z\", \"far\": 9.11069936486e-14, "
		"\"significant\": true, \"instruments\": [\"H1\", \"L1\", \"V1\"], \"group\": \"CBC\", \"pipeline\": \"gstlal\", \"search\": \"AllSky\", \"properties\": "
		"{\"HasNS\": 0.95, \"HasRemnant\": 0.91}, \"classification\": {\"BNS\": 0.95, \"NSBH\": 0.01, \"BBH\": 0.03, \"Terrestrial\": 0.01}, \"skymap\": "
		"\"%s\"}, \"external_coinc\": null}", text);
	free(text);
	mapmake_free(&file);
	mapmake_sky_free(&s);
	return out;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--map-child") == 0)
		return mapchild_main();
	struct figures skim_f = {0}, base64_f = {0}, hash_f = {0}, decode = {0}, columns = {0};
	size_t len;
	char *text = alert_make(&len);
	for (int i = 0; i < REPEATS; i++) {
		struct skim_cut cut = {"event", "skymap", {0}};
		struct text rest = {.max = len + 16};
		struct err e = {0};
		struct alert a;
		struct skymap m;
		unsigned char *bytes;
		size_t n;
		char digest[65];
		double t0 = figures_now_ms();
		if (skim(text, len, &cut, 1, &rest, &e) < 0)
			return 1;
		double t1 = figures_now_ms();
		if (skim_base64(cut.found, len, &bytes, &n, &e) < 0)
			return 1;
		double t2 = figures_now_ms();
		hash_sha256_hex(text, len, digest);
		double t3 = figures_now_ms();
		if (alert_decode(text, len, "alert.json", &a, &e) < 0 || a.map == NULL || a.map_len != n)
			return 1;
		double t4 = figures_now_ms();
		if (mapchild_read(a.map, a.map_len, &m, &e) < 0)
			return err_print(&e);
		double t5 = figures_now_ms();
		figures_add(&skim_f, t1 - t0);
		figures_add(&base64_f, t2 - t1);
		figures_add(&hash_f, t3 - t2);
		figures_add(&decode, t4 - t3);
		figures_add(&columns, t5 - t3);
		skymap_free(&m);
		alert_free(&a);
		free(bytes);
		text_free(&rest);
	}
	printf("# %zu bytes of JSON\n", len);
	figures_print("alert, cut the map out of the JSON", &skim_f);
	figures_print("alert, base64 of the map", &base64_f);
	figures_print("alert, SHA-256 of the whole", &hash_f);
	figures_print("alert, bytes to map in memory", &decode);
	figures_print("alert, bytes to columns through the child", &columns);
	free(text);
	return 0;
}
