/* How long the bytes of an alert with its map take to columns in memory: `alert_time ALERT.json`; decoding alone, with the map read in this
 * process, and with the map read by the sandboxed child as the engine does it. */
#include "engine/alert/alert.h"
#include "engine/io/mapchild.h"
#include "figures.h"
#include <string.h>

#define REPEATS 21

enum way { DECODE, HERE, CHILD };

/* Milliseconds of one time; below 0: an error. */
static double time_once(const char *bytes, size_t len, enum way way, int64_t *cells, struct err *e)
{
	struct alert a;
	struct skymap m = {0};
	double start = figures_now_ms();
	if (alert_decode(bytes, len, "igwn.gwalert", &a, e) < 0)
		return -1;
	int rc = way == HERE ? skymap_read(a.map, a.map_len, &m, e) : way == CHILD ? mapchild_read(a.map, a.map_len, &m, e) : 0;
	double ms = figures_now_ms() - start;
	*cells = m.cells;
	if (way != DECODE && rc == 0)
		skymap_free(&m);
	alert_free(&a);
	return rc < 0 ? -1 : ms;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"alert decoded, map as bytes", "alert to columns, this process", "alert to columns, child"};
	static char bytes[8 << 20];
	if (argc > 1 && strcmp(argv[1], "--map-child") == 0)
		return mapchild_main();
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
	size_t len = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
	if (f != NULL)
		fclose(f);
	for (int way = DECODE; way <= CHILD; way++) {
		struct figures times = {0};
		struct err e = {0};
		int64_t cells = 0;
		for (int i = 0; i <= REPEATS; i++) {
			double ms = time_once(bytes, len, (enum way)way, &cells, &e);
			if (ms < 0) {
				fprintf(stderr, "alert_time: %s\n", e.text);
				return 1;
			}
			if (i > 0) /* once unmeasured: warm */
				figures_add(&times, ms);
		}
		figures_print(names[way], &times);
		if (way != DECODE)
			printf("# %lld cells\n", (long long)cells);
	}
	return 0;
}
