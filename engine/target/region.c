/* Areas by selection instead of sorting, and moments of the distance: see region.h. */
#include "engine/target/region.h"
#include "engine/target/moc.h"
#include <chealpix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)
#define BINS 65536u

struct bin {
	double probability, area_sr;
};

static uint64_t bits_of(double v)
{
	uint64_t u;
	memcpy(&u, &v, 8);
	return u;
}

/* Non-negative doubles sort as their bits do. 16 bits a pass: sum what lies above, find the bin that holds the level, look into it. */
int region_area(const struct skymap *m, double level, double *area_deg2, double *density, struct err *e)
{
	struct bin *bins = malloc(BINS * sizeof *bins);
	double probability = 0, area_sr = 0; /* of all cells denser than those under the prefix */
	uint64_t prefix = 0;
	double pixel_sr[30];
	for (int order = 0; order < 30; order++)
		pixel_sr[order] = skymap_pixel_sr(order);
	if (bins == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the areas of a sky map");
	for (int shift = 48; shift >= 0; shift -= 16) {
		memset(bins, 0, BINS * sizeof *bins);
		for (int64_t i = 0; i < m->cells; i++) {
			uint64_t key = bits_of(m->density[i] + 0.0);
			if (shift < 48 && key >> (shift + 16) != prefix)
				continue;
			double sr = pixel_sr[skymap_order(m->uniq[i])];
			bins[key >> shift & 0xFFFF].probability += m->density[i] * sr;
			bins[key >> shift & 0xFFFF].area_sr += sr;
		}
		uint32_t b = BINS;
		while (b > 0 && !(bins[b - 1].area_sr > 0 && probability + bins[b - 1].probability >= level)) {
			b--;
			probability += bins[b].probability;
			area_sr += bins[b].area_sr;
		}
		if (b == 0) { /* the level is not reached; in a later pass only by a last bit of rounding */
			prefix <<= 16;
			if (shift == 48) {
				free(bins);
				*area_deg2 = 4 * M_PI * DEG * DEG;
				if (density != NULL)
					*density = 0;
				return 0;
			}
			break;
		}
		prefix = prefix << 16 | (b - 1);
		if (shift == 0)
			area_sr += bins[b - 1].area_sr * (bins[b - 1].probability > 0 ? (level - probability) / bins[b - 1].probability : 0);
	}
	free(bins);
	*area_deg2 = area_sr * DEG * DEG;
	if (density != NULL)
		memcpy(density, &prefix, 8);
	return 0;
}

int region_moc(const struct skymap *m, double level, struct moc *out, struct err *e)
{
	double area, least;
	*out = (struct moc){0};
	if (region_area(m, level, &area, &least, e) < 0)
		return -1;
	for (int64_t i = 0; i < m->cells; i++) {
		int order = skymap_order(m->uniq[i]);
		uint64_t ipix = m->uniq[i] - (UINT64_C(4) << (2 * order));
		if (m->density[i] >= least && moc_add(out, order, ipix, ipix + 1, e) < 0) {
			moc_free(out);
			return -1;
		}
	}
	moc_finish(out);
	return 0;
}

/* Mean and mean square of r under r² N(r; μ, σ), r ≥ 0, in units of σ, a = μ/σ. With M_n = ∫ u^n exp(-(u-a)²/2) du and q_n = M_n / M_(n-1):
 * q_(n+1) = a + n/q_n; forward from the error function for a > -2, backward (stable, all positive) below,
 * where the forward terms cancel. */
static void ansatz_moments(double a, double *mean, double *square)
{
	double q3, q4;
	if (a > -2) {
		double phi = exp(-0.5 * a * a) / sqrt(2 * M_PI), m0 = 0.5 * erfc(-a / M_SQRT2);
		double m1 = a * m0 + phi, m2 = a * m1 + m0, m3 = a * m2 + 2 * m1, m4 = a * m3 + 3 * m2;
		q3 = m3 / m2;
		q4 = m4 / m3;
	} else {
		double q = sqrt(200.0);
		q4 = 0;
		for (int n = 200; n >= 4; n--) {
			q = n / (q - a); /* q_n from q_(n+1) */
			if (n == 4)
				q4 = q;
		}
		q3 = 3 / (q4 - a);
	}
	*mean = q3;
	*square = q4 * q3;
}

void region_moments(const struct skymap *m, double *mean_mpc, double *std_mpc)
{
	double mean = 0, square = 0, r = 0, r2 = 0;
	int64_t last = -1; /* flat maps repeat the cells that they were made from: the same moments again */
	*mean_mpc = *std_mpc = NAN;
	if (m->mu == NULL)
		return;
	for (int64_t i = 0; i < m->cells; i++) {
		double p = m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
		if (p == 0 || !isfinite(m->mu[i]) || !(m->sigma[i] > 0) || !isfinite(m->sigma[i]))
			continue;
		if (last < 0 || m->mu[i] != m->mu[last] || m->sigma[i] != m->sigma[last])
			ansatz_moments(m->mu[i] / m->sigma[i], &r, &r2);
		last = i;
		mean += p * r * m->sigma[i];
		square += p * r2 * m->sigma[i] * m->sigma[i];
	}
	if (last < 0)
		return; /* no cell has a distance: unknown, not 0 */
	/* distances near the end of number have no moments: unknown, not infinite */
	double variance = square - mean * mean;
	*mean_mpc = isfinite(mean) ? mean : NAN;
	*std_mpc = isfinite(variance) ? sqrt(fmax(variance, 0)) : NAN;
}

double region_gal_b_deg(double ra_deg, double dec_deg)
{
	const double pole_ra = 192.85948 / DEG, pole_dec = 27.12825 / DEG;
	double s = sin(pole_dec) * sin(dec_deg / DEG) + cos(pole_dec) * cos(dec_deg / DEG) * cos(ra_deg / DEG - pole_ra);
	return asin(fmax(-1, fmin(1, s))) * DEG;
}

int region_of(const struct skymap *m, struct region *out, struct err *e)
{
	int64_t peak = 0;
	*out = (struct region){.distmean_mpc = m->distmean_mpc, .diststd_mpc = m->diststd_mpc};
	for (int64_t i = 0; i < m->cells; i++) {
		out->probability += m->density[i] * skymap_pixel_sr(skymap_order(m->uniq[i]));
		if (m->density[i] > m->density[peak])
			peak = i;
	}
	if (region_area(m, 0.5, &out->area50_deg2, NULL, e) < 0 || region_area(m, 0.9, &out->area90_deg2, NULL, e) < 0)
		return -1;
	int order = m->ordering == SKYMAP_NUNIQ ? skymap_order(m->uniq[peak]) : m->order_max; /* the first of the file's own pixels */
	double theta, phi;
	pix2ang_nest64(INT64_C(1) << order, (int64_t)(skymap_first(m->uniq[peak]) >> (2 * (29 - order))), &theta, &phi);
	out->ra_deg = phi * DEG;
	out->dec_deg = 90 - theta * DEG;
	out->gal_b_deg = region_gal_b_deg(out->ra_deg, out->dec_deg);
	double mean, std;
	if (out->distmean_mpc <= 0 || out->distmean_mpc > SKYMAP_FAR_MPC) /* what the header says cannot be: the map decides */
		out->distmean_mpc = NAN;
	if (out->diststd_mpc < 0 || out->diststd_mpc > SKYMAP_FAR_MPC)
		out->diststd_mpc = NAN;
	if (!isfinite(out->distmean_mpc) || !isfinite(out->diststd_mpc)) {
		region_moments(m, &mean, &std);
		if (!isfinite(out->distmean_mpc))
			out->distmean_mpc = mean;
		if (!isfinite(out->diststd_mpc))
			out->diststd_mpc = std;
	}
	out->distmod_mag = out->distmean_mpc > 0 ? 5 * log10(out->distmean_mpc) + 25 : NAN;
	return 0;
}
