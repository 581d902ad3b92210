/* A made-up merger of this hour, high at midnight in the south: `merger DIR` writes DIR/alert.json, DIR/retraction.json and
 * DIR/galaxies.csv, and prints the event's name. For the whole engine against a real portal, whose clock is the real one. */
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/alert_write.h"
#include "sim/localise.h"
#include "sim/skymap_write.h"
#include "sim/sky.h"
#include <math.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS = 5 };

static int put(const char *dir, const char *name, const struct text *t)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	if (f == NULL || fwrite(t->data, 1, t->len, f) != t->len || fclose(f) != 0) {
		perror(path);
		return -1;
	}
	return 0;
}

/* The galaxy nearest to a direction within 30 and 90 Mpc. */
static const struct sim_galaxy *host_of(const struct sim_sky *sky, double ra_deg, double dec_deg)
{
	const struct sim_galaxy *best = NULL;
	double best_cos = -2, d = M_PI / 180;
	for (size_t i = 0; i < sky->count; i++) {
		const struct sim_galaxy *g = &sky->galaxy[i];
		double c = sin(dec_deg * d) * sin(g->dec_deg * d) + cos(dec_deg * d) * cos(g->dec_deg * d) * cos((ra_deg - g->ra_deg) * d);
		if (g->distance_mpc > 30 && g->distance_mpc < 90 && g->listed && c > best_cos) {
			best_cos = c;
			best = g;
		}
	}
	return best;
}

static int make(const char *dir, struct sim_sky *sky, struct err *e)
{
	int64_t now = (int64_t)time(NULL) * UTC_SECOND;
	double sun_deg = 280.46 + 0.9856474 * utc_j2000_days(now);
	const struct sim_galaxy *host = host_of(sky, fmod(sun_deg + 180, 360), -36);
	struct text csv = {.max = LIMIT_TEXT}, fits = {.max = LIMIT_TEXT}, alert = {.max = LIMIT_ALERT_BYTES}, end = {.max = 4096};
	struct sim_posterior posterior;
	struct sim_map map;
	char name[32], stamp[32];
	if (host == NULL)
		return err_set(e, ERR_INPUT, "the sky has no galaxy for a host");
	struct sim_merger m = {host->ra_deg, host->dec_deg, host->distance_mpc, 30, 3, 12};
	utc_format_s(stamp, now);
	snprintf(name, sizeof name, "S%.2s%.2s%.2szz", stamp + 2, stamp + 5, stamp + 8);
	struct sim_map_header h = {name, "H1,L1,V1", now - 60 * UTC_SECOND, now};
	sim_posterior_make(&m, 1, "peer", &posterior);
	sim_sky_csv(sky, &csv);
	if (sim_map_make(&posterior, ROUNDS, &map, e) != 0 || sim_map_fits(&map, &h, &fits, e) != 0)
		return -1;
	struct sim_alert a = {.event = name, .type = "PRELIMINARY", .created_us = now, .event_us = now - 60 * UTC_SECOND, .far_hz = 1e-12, .significant = true,
			      .instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = 0.98, .p_terrestrial = 0.02, .has_ns = 1,
			      .has_remnant = 1, .map = fits.data, .map_len = fits.len};
	struct sim_alert over = {.event = name, .type = "RETRACTION", .created_us = now + 60 * UTC_SECOND};
	if (sim_alert_write(&a, &alert, e) != 0 || sim_alert_write(&over, &end, e) != 0)
		return -1;
	int bad = put(dir, "galaxies.csv", &csv) + put(dir, "alert.json", &alert) + put(dir, "retraction.json", &end);
	printf("%s\n", name);
	sim_map_free(&map);
	text_free(&csv);
	text_free(&fits);
	text_free(&alert);
	text_free(&end);
	return bad < 0 ? err_set(e, ERR_SYSTEM, "%s cannot be written", dir) : 0;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	struct sim_sky sky;
	struct sim_sky_options o = {.seed = 1, .radius_mpc = 130, .limit_b_mag = 99};
	if (argc != 2)
		return 2;
	if (sim_sky_make(&o, &sky, &e) != 0 || make(argv[1], &sky, &e) != 0)
		return err_print(&e);
	sim_sky_free(&sky);
	return 0;
}
