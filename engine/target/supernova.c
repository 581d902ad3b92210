/* Expected unrelated supernovae: see supernova.h. */
#include "engine/target/supernova.h"
#include "engine/target/cosmology.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SQRT_2PI 2.50662827463100050242

double supernova_expected(double volume_mpc3, double distance_mpc, double days)
{
	const double h = COSMOLOGY_H0 / 70, rate = (SUPERNOVA_CORE_MPC3_YR + SUPERNOVA_IA_MPC3_YR) * h * h * h;
	double z = 0, ratio = 1;
	if (!(volume_mpc3 >= 0) || !isfinite(volume_mpc3))
		return NAN;
	if (distance_mpc > 0 && isfinite(distance_mpc))
		ratio = cosmology_volume_ratio(distance_mpc, &z);
	return rate * volume_mpc3 * ratio * days / 365.25 / (1 + z); /* years of 31 557 600 s */
}

/* Neighbouring cells of one density and distance, as flat maps have them, taken together: dP/dV = exp(log_peak − (r − μ)²/2σ²). */
struct shell {
	double log_peak, mu, sigma, sr, scale; /* scale: ρ·DISTNORM */
};

struct shells {
	struct shell *list;
	int64_t count;
	double log_most;
};

static int shells_make(const struct skymap *m, double density, struct shells *out, struct err *e)
{
	int64_t n = 0, last = -1;
	for (int64_t i = 0; i < m->cells; i++)
		n += m->density[i] >= density;
	*out = (struct shells){.list = malloc((size_t)n * sizeof *out->list + 1), .log_most = -INFINITY};
	if (out->list == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the volume of a sky map");
	for (int64_t i = 0; i < m->cells; i++) {
		double sr = skymap_pixel_sr(skymap_order(m->uniq[i])), scale = m->density[i] * m->norm[i];
		if (!(m->density[i] >= density) || !(scale > 0) || !isfinite(m->mu[i]) || !(m->sigma[i] > 0))
			continue;
		if (last >= 0 && memcmp(&m->mu[i], &m->mu[last], 8) == 0 && memcmp(&m->sigma[i], &m->sigma[last], 8) == 0 &&
			memcmp(&m->density[i], &m->density[last], 8) == 0) {
			out->list[out->count - 1].sr += sr;
			continue;
		}
		last = i;
		struct shell s = {log(scale / (SQRT_2PI * m->sigma[i])), m->mu[i], m->sigma[i], sr, scale};
		out->list[out->count++] = s;
		out->log_most = fmax(out->log_most, s.log_peak);
	}
	return 0;
}

/* ∫ r² N(r; μ, σ) from −∞ to r. */
static double below(const struct shell *s, double r)
{
	double t = (r - s->mu) / s->sigma;
	return (s->mu * s->mu + s->sigma * s->sigma) * 0.5 * erfc(-t * M_SQRT1_2) -
		s->sigma * (2 * s->mu + s->sigma * t) * exp(-0.5 * t * t) / SQRT_2PI;
}

/* Probability and volume of what is denser than exp(log_density): |r − μ| ≤ σ √(2 ln(peak/density)), r ≥ 0. */
static double above(const struct shells *k, double log_density, double *mpc3)
{
	double probability = 0;
	*mpc3 = 0;
	for (int64_t i = 0; i < k->count; i++) {
		const struct shell *s = &k->list[i];
		if (!(s->log_peak > log_density))
			continue;
		double reach = s->sigma * sqrt(2 * (s->log_peak - log_density)), high = s->mu + reach, low = fmax(0, s->mu - reach);
		if (!(high > 0))
			continue;
		probability += s->sr * s->scale * (below(s, high) - below(s, low));
		*mpc3 += s->sr * (high * high * high - low * low * low) / 3;
	}
	return probability;
}

/* The volume that holds 90 %: the density by regula falsi (Illinois), to 1e-4 of the probability; NaN where it is not reached. */
static double volume90(const struct shells *k)
{
	double mpc3 = NAN, high = k->log_most, f_high = -0.9, low = high - 4, f_low = above(k, low, &mpc3) - 0.9;
	for (int i = 0; i < 6 && f_low < 0; i++) {
		high = low;
		f_high = f_low;
		low -= 4 * (i + 2);
		f_low = above(k, low, &mpc3) - 0.9;
	}
	if (!(f_low >= 0))
		return NAN;
	for (int i = 0; i < 60; i++) {
		double at = (low * f_high - high * f_low) / (f_high - f_low), f = above(k, at, &mpc3) - 0.9;
		if (fabs(f) < 1e-4)
			break;
		bool rises = f >= 0;
		*(rises ? &low : &high) = at;
		*(rises ? &f_low : &f_high) = f;
		*(rises ? &f_high : &f_low) *= 0.5;
	}
	return mpc3;
}

int supernova_in_map(const struct skymap *m, double distance_mpc, struct supernova *out, struct err *e)
{
	double area, density;
	struct shells k;
	*out = (struct supernova){NAN, NAN};
	if (m->norm == NULL)
		return 0;
	if (region_area(m, 0.999, &area, &density, e) < 0 || shells_make(m, density, &k, e) < 0)
		return -1;
	double mpc3 = k.count > 0 ? volume90(&k) : NAN;
	free(k.list);
	if (isfinite(mpc3))
		*out = (struct supernova){mpc3, supernova_expected(mpc3, distance_mpc, SUPERNOVA_YOUNG_D)};
	return 0;
}
