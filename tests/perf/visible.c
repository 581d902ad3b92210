/* How long visibility takes: 1000 targets over 6 sites and a night of 288 steps of 5 minutes (airmass 2, Sun below −18°, Moon 30° away), the
 * night made anew each time; all windows and reasons, and then only whether each target is up at each step, as the peers say it. */
#include "engine/base/utc.h"
#include "engine/target/visibility.h"
#include "figures.h"
#include <math.h>

#define TARGETS 1000
#define STEPS 288
#define REPEATS 21

static const struct visibility_site sites[] = {{"ogg", "Haleakala", {20.7069, -155.2562, 3055}, 15, 12, 1},
	{"lsc", "Cerro Tololo", {-30.1674, -70.8047, 2201}, 15, 12, 1}, {"cpt", "Sutherland", {-32.3806, 20.8124, 1460}, 15, 12, 1},
	{"coj", "Siding Spring", {-31.2727, 149.0702, 1116}, 15, 12, 1}, {"tfn", "Teide", {28.3003, -16.5097, 2330}, 15, 12, 1},
	{"elp", "McDonald", {30.6801, -104.0152, 2027}, 15, 12, 1}};
#define SITES (sizeof sites / sizeof sites[0])

struct place {
	double ra_deg, dec_deg;
};

static double windows_hours(const struct visibility_night *n, const struct place *p, int64_t *sum)
{
	const struct visibility_limits limits = {2.0, -18.0, 30.0, 0.0};
	double hours = 0;
	for (int i = 0; i < TARGETS; i++) {
		struct ephemeris_target t;
		ephemeris_target_set(visibility_night_frame(n), p[i].ra_deg, p[i].dec_deg, &t);
		for (size_t s = 0; s < SITES; s++) {
			struct visibility_report r;
			visibility_find(n, &(struct visibility_ask){s, &t, &limits, VISIBILITY_ALWAYS}, &r);
			for (size_t w = 0; w < r.count; w++) {
				hours += (double)(r.windows[w].end_us - r.windows[w].start_us) / (double)UTC_HOUR;
				*sum += r.windows[w].start_us % 1000003 + r.windows[w].best_us % 1000003 + r.windows[w].end_us % 1000003;
			}
			*sum += (int64_t)r.reason;
		}
	}
	return hours;
}

static double steps_hours(const struct visibility_night *n, const struct place *p, int64_t start_us)
{
	static struct ephemeris_local l[SITES][STEPS];
	const double sin_min = 0.5, moon_cos = cos(30 * ERFA_DD2R), sun_sin = sin(-18 * ERFA_DD2R);
	int64_t up = 0;
	for (size_t s = 0; s < SITES; s++)
		for (int k = 0; k < STEPS; k++)
			visibility_night_local(n, s, start_us + k * 5 * UTC_MINUTE, &l[s][k]);
	for (int i = 0; i < TARGETS; i++) {
		struct ephemeris_target t;
		ephemeris_target_set(visibility_night_frame(n), p[i].ra_deg, p[i].dec_deg, &t);
		for (size_t s = 0; s < SITES; s++)
			for (int k = 0; k < STEPS; k++)
				up += ephemeris_sin_alt(&l[s][k], &t) > sin_min && l[s][k].sun_sin_alt < sun_sin && ephemeris_moon_cos(&l[s][k], &t) < moon_cos;
	}
	return (double)up * 5 / 60;
}

int main(void)
{
	static struct place p[TARGETS];
	struct figures night = {0}, windows = {0}, steps = {0};
	const int64_t start_us = INT64_C(1795435200) * UTC_SECOND; /* 2026-11-23 12:00 UTC */
	double hours = 0, step_hours = 0;
	int64_t sum = 0;
	uint64_t state = 1;
	for (int i = 0; i < TARGETS; i++) { /* the same places each time, even on the sphere */
		double u[2];
		for (int k = 0; k < 2; k++) {
			state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			u[k] = (double)(state >> 11) / 9007199254740992.0;
		}
		p[i] = (struct place){360 * u[0], asin(2 * u[1] - 1) * ERFA_DR2D};
	}
	for (int i = 0; i < REPEATS; i++) {
		struct err e = {0};
		double t0 = figures_now_ms();
		struct visibility_night *n = visibility_night_new(sites, SITES, start_us, start_us + UTC_DAY, &e);
		if (n == NULL)
			return 1;
		double t1 = figures_now_ms();
		sum = 0;
		hours = windows_hours(n, p, &sum);
		double t2 = figures_now_ms();
		step_hours = steps_hours(n, p, start_us);
		double t3 = figures_now_ms();
		figures_add(&night, t1 - t0);
		figures_add(&windows, t2 - t0);
		figures_add(&steps, t3 - t2 + t1 - t0);
		visibility_night_free(n);
	}
	figures_print("visible night 6 sites", &night);
	figures_print("visible windows 1000 x 6 x 1 day", &windows);
	figures_print("visible steps 1000 x 6 x 288", &steps);
	printf("# %.1f hours in windows, %.1f hours by steps; checksum of the windows %lld\n", hours, step_hours, (long long)sum);
	return 0;
}
