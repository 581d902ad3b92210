/* Credible volumes in closed form: see volume.h. */
#include "engine/target/volume.h"
#include "engine/target/rank_parts.h"
#include <stdlib.h>

#define BLOCK 256
#if defined(__x86_64__) && !defined(SLEW_SANITIZER)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif
#define NEAR_MU 1.0     /* μ/σ below which the error functions cancel: those cells are integrated by steps */
#define ENOUGH 1e-4     /* of what is left above a level: squared, what dV = dP / density leaves out */
#define BEND 3e-5       /* of the level: how far a parabola may be off at the quarters of a span */
#define DEPTH 40
#define FEW 2e6         /* places × cells that are looked at one by one: where cells are few the curve bends at each one's peak */
#define DEEPEST 200.0   /* ln below the densest place, where all that counts has been counted */

/* By how much (of ln) the density at r = 0, the nearest that there is, stays below that at μ < 0. */
static double behind(const struct skymap *m, int64_t cell)
{
	double far = m->mu[cell] / m->sigma[cell];
	return far < 0 ? 0.5 * far * far : 0;
}

/* Cells whose cubes and products are ordinary numbers; others are nowhere in this universe. */
static bool usable(const struct skymap *m, int64_t cell, double peak)
{
	double mu = m->mu[cell], sigma = m->sigma[cell];
	return peak > 1e-200 && peak < 1e250 && sigma > 1e-15 && sigma < 1e15 && fabs(mu) < 1e15;
}

int volume_open(struct volume *v, const struct skymap *m, struct err *e)
{
	*v = (struct volume){.map = m, .log_most = -INFINITY};
	if (m->norm == NULL)
		return err_set(e, ERR_INPUT, "the sky map is 2-D: it has areas, but no volumes");
	v->log_peak = malloc((size_t)m->cells * sizeof *v->log_peak + 1);
	v->block_most = malloc(((size_t)m->cells / BLOCK + 1) * sizeof *v->block_most);
	if (v->log_peak == NULL || v->block_most == NULL) {
		volume_close(v);
		return err_set(e, ERR_MEMORY, "no memory for the volumes of a sky map");
	}
	for (int64_t i = 0; i < m->cells; i++) {
		double *most = &v->block_most[i / BLOCK], peak = rank_cell_peak(m, i);
		v->log_peak[i] = peak > 0 && usable(m, i, peak) ? log(peak) - behind(m, i) : -INFINITY;
		if (i % BLOCK == 0 || v->log_peak[i] > *most)
			*most = v->log_peak[i];
		if (v->log_peak[i] > v->log_most)
			v->log_most = v->log_peak[i];
	}
	return 0;
}

void volume_close(struct volume *v)
{
	free(v->log_peak);
	free(v->block_most);
	*v = (struct volume){0};
}

/* Cells of a block, per sr; deep = ln(A/t), 0 for cells that do not reach t. */
struct block {
	double probability[BLOCK], volume[BLOCK];
};

/* 1 − erf(x) = poly(1/(1 + p x)) e^(−x²) for x ≥ 0; below is e^(−x²). */
static inline double erf_of(double x, double below)
{
	double t = 1 / (1 + 0.3275911 * x);
	return 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * below;
}

/* ∫ r² N(r; μ, σ) over the shell = (μ² + σ²) (Φ(k) − Φ(−j)) − σ ((2μ + σk) φ(k) − (2μ − σj) φ(j)), from μ − jσ to μ + kσ, j ≤ k cut at r = 0. */
WIDE static void block_shells(const struct skymap *m, const double *log_peak, double log_density, int64_t first, size_t n, struct block *b)
{
	const double *mu = m->mu + first, *sigma = m->sigma + first, *density = m->density + first, *norm = m->norm + first;
	const double *peak = log_peak + first;
	for (size_t i = 0; i < n; i++) {
		double deep = peak[i] - log_density > 0 ? peak[i] - log_density : 0;
		double k = sqrt(2 * deep), far = mu[i] / sigma[i], cut = far > 0 ? far : 0, j = k < cut ? k : cut;
		double below_k = rank_exp(-deep), below_j = rank_exp(-0.5 * j * j);
		double both = 0.5 * (erf_of(k * M_SQRT1_2, below_k) + erf_of(j * M_SQRT1_2, below_j));
		double edges = ((2 * far + k) * below_k - (2 * far - j) * below_j) / RANK_SQRT_2PI;
		double sigma2 = sigma[i] * sigma[i], high = mu[i] + k * sigma[i], low = mu[i] - j * sigma[i];
		b->probability[i] = density[i] * norm[i] * sigma2 * ((far * far + 1) * both - edges);
		b->volume[i] = (high * high * high - low * low * low) * (1 / 3.0);
	}
}

/* The same where r = 0 cuts deep, or lies beyond μ: Gauss-Legendre in 12 panels of 4 points, as far as the density is 1e-14 of the nearest. */
static void cell_steps(const struct skymap *m, int64_t i, double deep, double *probability, double *volume)
{
	static const double x[2] = {0.3399810435848563, 0.8611363115940526}, w[2] = {0.6521451548625461, 0.3478548451374538};
	double mu = m->mu[i], sigma = m->sigma[i], reach = sigma * sqrt(2 * deep), high = mu + reach, low = mu - reach, sum = 0;
	*probability = *volume = 0;
	if (!(high > 0))
		return;
	low = low > 0 ? low : 0;
	*volume = (high * high * high - low * low * low) * (1 / 3.0);
	double far = mu + sqrt((mu < 0 ? mu * mu : 0) + 64 * sigma * sigma), half = ((high < far ? high : far) - low) * (1 / 24.0);
	for (int panel = 0; panel < 12; panel++)
		for (int side = -1; side <= 1; side += 2)
			for (int k = 0; k < 2; k++) {
				double r = low + (2 * panel + 1 + side * x[k]) * half;
				sum += w[k] * half * r * r * rank_gauss(rank_factor(m, i), r - mu, sigma * sigma);
			}
	*probability = sum;
}

void volume_above(const struct volume *v, double log_density, double *probability, double *volume_mpc3)
{
	const struct skymap *m = v->map;
	struct block b;
	double pixel_sr[30];
	for (int order = 0; order < 30; order++)
		pixel_sr[order] = skymap_pixel_sr(order);
	*probability = *volume_mpc3 = 0;
	for (int64_t first = 0; first < m->cells; first += BLOCK) {
		size_t n = m->cells - first < BLOCK ? (size_t)(m->cells - first) : BLOCK;
		double p = 0, mpc3 = 0;
		if (!(v->block_most[first / BLOCK] > log_density))
			continue;
		block_shells(m, v->log_peak, log_density, first, n, &b);
		for (size_t i = 0; i < n; i++) {
			int64_t cell = first + (int64_t)i;
			if (!(v->log_peak[cell] > log_density))
				continue;
			if (m->mu[cell] < NEAR_MU * m->sigma[cell])
				cell_steps(m, cell, v->log_peak[cell] - log_density + behind(m, cell), &b.probability[i], &b.volume[i]);
			double sr = pixel_sr[skymap_order(m->uniq[cell])];
			p += b.probability[i] * sr;
			mpc3 += b.volume[i] * sr;
		}
		*probability += p;
		*volume_mpc3 += mpc3;
	}
}

/* The density by regula falsi (Illinois), to ENOUGH of the probability; the rest by dV = dP / density. */
double volume_credible(const struct volume *v, double level)
{
	double high = v->log_most, low = high, f_high = -level, f_low = -level, at = high, f = -level, mpc3 = 0, p;
	int side = 0; /* which end moved last */
	for (double step = 2; f_low < 0; step *= 2) { /* down until it holds enough */
		if (!(v->log_most - low < DEEPEST))
			return INFINITY;
		high = low;
		f_high = f_low;
		at = low -= step;
		volume_above(v, low, &p, &mpc3);
		f = f_low = p - level;
	}
	for (int i = 0; i < 100 && fabs(f) > ENOUGH * (1 - level) && high - low > 1e-12 * fabs(low); i++) {
		at = (low * f_high - high * f_low) / (f_high - f_low);
		volume_above(v, at, &p, &mpc3);
		f = p - level;
		if (f >= 0) {
			f_high *= side > 0 ? 0.5 : 1;
			low = at;
			f_low = f;
			side = 1;
		} else {
			f_low *= side < 0 ? 0.5 : 1;
			high = at;
			f_high = f;
			side = -1;
		}
	}
	return fmax(0, mpc3 - f / exp(at));
}

/* ---- many levels ---- */

struct place {
	double log_density;
	size_t of;
};

static int place_compare(const void *a, const void *b)
{
	double p = ((const struct place *)a)->log_density, q = ((const struct place *)b)->log_density;
	return p < q ? -1 : p > q;
}

/* A range of ln dP/dV with the levels of its ends and its middle. */
struct span {
	double low, high, p_low, p_mid, p_high;
};

static double span_at(const struct span *s, double x)
{
	double u = s->high > s->low ? (x - s->low) / (s->high - s->low) : 1;
	double p = s->p_low * (1 - u) * (1 - 2 * u) + s->p_mid * 4 * u * (1 - u) + s->p_high * u * (2 * u - 1);
	return fmax(s->p_high, fmin(p, s->p_low));
}

/* Levels of places that lie in a span: halved until a parabola foretells the levels at its quarters; then a parabola for each half. */
static void span_levels(const struct volume *v, const struct span *s, const struct place *places, size_t n, double *level, int depth)
{
	double mid = 0.5 * (s->low + s->high), below, above, mpc3;
	size_t half = 0;
	if (n == 0)
		return;
	volume_above(v, 0.5 * (s->low + mid), &below, &mpc3);
	volume_above(v, 0.5 * (mid + s->high), &above, &mpc3);
	const struct span left = {s->low, mid, s->p_low, below, s->p_mid}, right = {mid, s->high, s->p_mid, above, s->p_high};
	double off_left = fabs(below - (0.375 * s->p_low + 0.75 * s->p_mid - 0.125 * s->p_high));
	double off_right = fabs(above - (0.375 * s->p_high + 0.75 * s->p_mid - 0.125 * s->p_low));
	while (half < n && places[half].log_density < mid)
		half++;
	if (depth < DEPTH && s->high - s->low > 1e-9 && (off_left > BEND || off_right > BEND)) {
		span_levels(v, &left, places, half, level, depth + 1);
		span_levels(v, &right, places + half, n - half, level, depth + 1);
		return;
	}
	for (size_t i = 0; i < n; i++)
		level[places[i].of] = span_at(i < half ? &left : &right, places[i].log_density);
}

int volume_levels(const struct volume *v, const double *dpdv, size_t n, double *level, struct err *e)
{
	struct place *places = malloc((n + 1) * sizeof *places);
	if (places == NULL)
		return err_set(e, ERR_MEMORY, "no memory for %zu credible levels", n);
	for (size_t i = 0; i < n; i++) {
		double x = dpdv[i] > 0 ? log(dpdv[i]) : -INFINITY;
		places[i] = (struct place){fmin(fmax(x, v->log_most - DEEPEST), v->log_most), i};
	}
	qsort(places, n, sizeof *places, place_compare);
	if ((double)n * (double)v->map->cells < FEW || !isfinite(v->log_most)) {
		for (size_t i = 0; i < n; i++) {
			double mpc3;
			volume_above(v, places[i].log_density, &level[places[i].of], &mpc3);
		}
	} else if (n > 0) {
		struct span all = {.low = places[0].log_density, .high = places[n - 1].log_density};
		double mpc3;
		volume_above(v, all.low, &all.p_low, &mpc3);
		volume_above(v, all.high, &all.p_high, &mpc3);
		volume_above(v, 0.5 * (all.low + all.high), &all.p_mid, &mpc3);
		span_levels(v, &all, places, n, level, 0);
	}
	free(places);
	return 0;
}

double volume_density(const struct skymap *m, uint64_t ipix29, double distance_mpc)
{
	int64_t low = 0, high = m->cells; /* the last cell that begins at or before the pixel */
	while (high - low > 1) {
		int64_t mid = low + (high - low) / 2;
		if (skymap_first(m->uniq[mid]) <= ipix29)
			low = mid;
		else
			high = mid;
	}
	if (m->cells < 1 || ipix29 < skymap_first(m->uniq[low]) || ipix29 >= rank_cell_end(m->uniq[low]) || !rank_cell_in(m, low))
		return 0;
	return rank_dpdv(m, low, distance_mpc, 0);
}
