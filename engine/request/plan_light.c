/* Margins of visits, and the chance that they identify a kilonova: see plan_light.h. */
#include "engine/request/plan_light.h"
#include "engine/base/utc.h"
#include "engine/target/depth.h"
#include <math.h>

void plan_sight_clear(struct plan_sight *s, int64_t at_us)
{
	s->at_us = at_us;
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		for (int b = 0; b < KILONOVA_BANDS; b++)
			s->margin[f][b] = s->mag[f][b] = -INFINITY;
}

void plan_sight_add(struct plan_sight *s, enum kilonova_band band, double limit_mag, double days, double dim_mag)
{
	for (int f = 0; f < KILONOVA_FAMILIES; f++) {
		double mag = kilonova_mag((enum kilonova_family)f, band, days) + dim_mag;
		if (!(limit_mag - mag > (double)s->margin[f][band])) /* the deeper one of two in the same band */
			continue;
		s->mag[f][band] = (float)mag;
		s->margin[f][band] = (float)(limit_mag - mag);
	}
}

void plan_known_clear(struct plan_known *k)
{
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		k->detected[f] = k->apart[f] = k->kind[f] = -INFINITY;
}

/* Of two margins, which are never NaN: plans compare millions, and fmaxf is a call. */
static inline float more(float a, float b)
{
	return a > b ? a : b;
}

static inline float less(float a, float b)
{
	return a < b ? a : b;
}

/* The best two margins and the band of the best. */
struct best {
	float first, second;
	int band;
};

static struct best best_two(const float margin[KILONOVA_BANDS])
{
	struct best m = {-INFINITY, -INFINITY, -1};
	for (int b = 0; b < KILONOVA_BANDS; b++) {
		if (margin[b] > m.first)
			m = (struct best){margin[b], m.first, b};
		else
			m.second = more(margin[b], m.second);
	}
	return m;
}

static float best(const float margin[KILONOVA_BANDS])
{
	return best_two(margin).first;
}

/* A colour of two visits, or of one (a == b): the best pair of different bands, which holds the best band of one of them at least. */
static float colour(const float a[KILONOVA_BANDS], const float b[KILONOVA_BANDS])
{
	struct best x = best_two(a), y = best_two(b);
	return x.band != y.band ? less(x.first, y.first) : more(less(x.first, y.second), less(x.second, y.first));
}

/* How much higher than at the limit the signal must be for a fade to stand out: both errors are 1.0857 mag over the signal to noise. */
static float spare(double fade_mag)
{
	double signal = 3 * M_SQRT2 * 2.5 / M_LN10 / fade_mag;
	return (float)fmax(0, 2.5 * log10(signal / DEPTH_SIGMA));
}

/* early and late are a visit's and that of a later one. */
static float fade(const struct plan_sight *early, const struct plan_sight *late, int f)
{
	float m = -INFINITY;
	for (int b = 0; b < KILONOVA_BANDS; b++) {
		float both = less(early->margin[f][b], late->margin[f][b]);
		if (isinf(both))
			continue;
		double by = (double)(late->mag[f][b] - early->mag[f][b]);
		if (by > PLAN_FADE_MAG)
			m = more(m, both - spare(by));
	}
	return m;
}

void plan_known_add(struct plan_known *k, const struct plan_sight *before, size_t count, const struct plan_sight *s)
{
	for (int f = 0; f < KILONOVA_FAMILIES; f++) {
		float mine = best(s->margin[f]);
		if (isinf(mine))
			continue;
		k->detected[f] = more(k->detected[f], mine);
		k->kind[f] = more(k->kind[f], colour(s->margin[f], s->margin[f]));
		for (size_t i = 0; i < count; i++) {
			const struct plan_sight *o = &before[i], *early = o->at_us <= s->at_us ? o : s, *late = early == o ? s : o;
			int64_t gap_s = (late->at_us - early->at_us) / UTC_SECOND;
			if (gap_s > PLAN_TOGETHER_S)
				continue;
			if (gap_s >= PLAN_APART_S)
				k->apart[f] = more(k->apart[f], less(best(o->margin[f]), mine));
			if (gap_s <= PLAN_COLOUR_S)
				k->kind[f] = more(k->kind[f], colour(o->margin[f], s->margin[f]));
			k->kind[f] = more(k->kind[f], fade(early, late, f));
		}
	}
}

void plan_known_hope(struct plan_known *k, const struct plan_sight *s)
{
	for (int f = 0; f < KILONOVA_FAMILIES; f++) {
		float mine = best(s->margin[f]);
		k->apart[f] = more(k->apart[f], less(k->detected[f], mine));
		k->kind[f] = more(k->kind[f], more(colour(s->margin[f], s->margin[f]), less(k->detected[f], mine)));
		k->detected[f] = more(k->detected[f], mine);
	}
}

static double chance(const float margin[KILONOVA_FAMILIES], const struct kilonova_prior *prior)
{
	double sum = 0;
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		if (prior->weight[f] > 0 && !isinf(margin[f]))
			sum += prior->weight[f] * 0.5 * erfc(-(double)margin[f] / (M_SQRT2 * depth_sigma_mag((enum kilonova_family)f)));
	return sum;
}

double plan_detected(const struct plan_known *k, const struct kilonova_prior *prior)
{
	return chance(k->detected, prior);
}

double plan_identified(const struct plan_known *k, const struct kilonova_prior *prior)
{
	float both[KILONOVA_FAMILIES];
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		both[f] = less(k->apart[f], k->kind[f]);
	return chance(both, prior);
}
