/* What visits would show of a kilonova in a target, and the chance that together they identify it. Only plan*.c use it. Pure.
 *
 * A kilonova of a family is by some magnitudes fainter than the family's table: a normal deviate, the same in all visits. A visit's
 * margin in a band is how much fainter it may be and still be found (limit − magnitude then, at the target's distance, behind the dust):
 * the detections grow only when it is brighter, so that
 *   detected     the largest margin of any visit and band
 *   identified   the smaller one of
 *                  apart  two detections at least 30 min and at most 36 h from each other: no asteroid, and one transient
 *                  kind   a colour (two bands within 6 h), or a fade (one band within 36 h, by 0.1 mag and by three times the error of the
 *                         difference: where it fades little, the signal must be higher than five)
 * Of a signal of n times its noise the magnitude's error is 2.5 / (n ln 10) (Howell 2006, Handbook of CCD Astronomy, 4.4), of a difference
 * √2 of that. The chance of each is the normal distribution at that margin, summed over the families' priors. Monotone in the visits. */
#ifndef ENGINE_REQUEST_PLAN_LIGHT_H
#define ENGINE_REQUEST_PLAN_LIGHT_H
#include "engine/target/kilonova.h"
#include <stddef.h>
#include <stdint.h>

#define PLAN_APART_S (30 * 60)
#define PLAN_TOGETHER_S (36 * 3600)
#define PLAN_COLOUR_S (6 * 3600)
#define PLAN_FADE_MAG 0.1

/* One visit as it would see each family. Margins are −INFINITY in bands that it does not look at. */
struct plan_sight {
	int64_t at_us;
	float margin[KILONOVA_FAMILIES][KILONOVA_BANDS], mag[KILONOVA_FAMILIES][KILONOVA_BANDS];
};
void plan_sight_clear(struct plan_sight *s, int64_t at_us);
/* Adds a band with its limit; days and distance of the kilonova, extinction in that band. */
void plan_sight_add(struct plan_sight *s, enum kilonova_band band, double limit_mag, double days, double dim_mag);

/* What the visits so far know of a target: margins by family. */
struct plan_known {
	float detected[KILONOVA_FAMILIES], apart[KILONOVA_FAMILIES], kind[KILONOVA_FAMILIES];
};
void plan_known_clear(struct plan_known *k);
/* One visit more; before: those that k already holds. */
void plan_known_add(struct plan_known *k, const struct plan_sight *before, size_t count, const struct plan_sight *s);
/* The most that it could give, whenever it takes place: the rules of time and fade are taken as kept. */
void plan_known_hope(struct plan_known *k, const struct plan_sight *s);

double plan_detected(const struct plan_known *k, const struct kilonova_prior *prior);
double plan_identified(const struct plan_known *k, const struct kilonova_prior *prior);
#endif
