/* Limits of exposures, and the chance to see a kilonova: see depth.h. */
#include "engine/target/depth.h"
#include "engine/base/json.h"
#include <math.h>
#include <string.h>

#define RESIDUAL 0.05           /* of a host's light that a smooth model leaves */
#define MOON_FAR_DEG 60.0       /* geometry of the descriptor's sky_mag */
#define MOON_ALT_DEG 45.0
#define FIELD_AIRMASS 1.15
#define RADIANS (M_PI / 180)

/* Surface brightness of a host by band: 21.0 in r; g−r 0.77, r−i 0.39, i−z 0.25 (Fukugita et al. 1995, E), J by the colour of old stars. */
static const double host_mag[KILONOVA_BANDS] = {21.77, 21.0, 20.61, 20.36, 19.9};

bool depth_camera_of(const json_t *instrument, const char *filter, struct depth_camera *out)
{
	const json_t *one, *sky = NULL, *found = NULL;
	size_t k;
	json_array_foreach(json_object_get(instrument, "photometry"), k, one)
		if (strcmp(json_text(one, "filter", ""), filter) == 0) {
			found = one;
			break;
		}
	sky = json_object_get(found, "sky_mag");
	*out = (struct depth_camera){json_number(instrument, "aperture_arcsec", 3), json_number(instrument, "pixel_arcsec", NAN),
		json_number(instrument, "read_noise_e", 0), json_number(instrument, "dark_e_s", 0), json_number(found, "zero_mag", NAN),
		json_number(found, "extinction_mag", 0), {0}, kilonova_band_of(filter)};
	for (size_t i = 0; i < 3; i++) {
		out->sky_mag[i] = json_number_value(json_array_get(sky, i));
		if (!(out->sky_mag[i] > 0))
			return false;
	}
	return out->pixel_arcsec > 0 && out->aperture_arcsec > 0 && isfinite(out->zero_mag);
}

/* Light flows: electrons a second of so many magnitudes. */
static double flow(const struct depth_camera *c, double mag)
{
	return pow(10, -0.4 * (mag - c->zero_mag));
}

/* Scattered moonlight of a geometry, of an arbitrary unit: Krisciunas & Schaefer 1991, eq. 15 with 3 and 21; k is the band's extinction. */
static double moonlight(double apart_deg, double moon_alt_deg, double field_airmass, double k)
{
	double rho = fmin(fmax(apart_deg, 0), 180), high = sin(fmax(moon_alt_deg, 0) * RADIANS);
	double scatter = pow(10, 5.36) * (1.06 + cos(rho * RADIANS) * cos(rho * RADIANS)) + pow(10, 6.15 - rho / 40);
	double air = 1 / sqrt(1 - 0.96 * (1 - high * high));
	return scatter * pow(10, -0.4 * k * air) * (1 - pow(10, -0.4 * k * field_airmass));
}

double depth_sky_mag(const struct depth_camera *c, const struct depth_sky *s)
{
	double lit = fmin(fmax(s->moon_illuminated, 0), 1) * 2, k = fmax(c->extinction_mag, 0.01), dark = c->sky_mag[0];
	if (!(s->moon_alt_deg > 0) || lit <= 0)
		return dark;
	double usual = lit < 1 ? dark + lit * (c->sky_mag[1] - dark) : c->sky_mag[1] + (lit - 1) * (c->sky_mag[2] - c->sky_mag[1]);
	double added = fmax(0, pow(10, -0.4 * usual) - pow(10, -0.4 * dark));
	double here = moonlight(s->moon_deg, s->moon_alt_deg, s->airmass, k) / moonlight(MOON_FAR_DEG, MOON_ALT_DEG, FIELD_AIRMASS, k);
	return -2.5 * log10(pow(10, -0.4 * dark) + added * here);
}

/* Variance of all that is not the star, in electrons squared. */
static double noise_of(const struct depth_camera *c, const struct depth_sky *s, const struct depth_place *p, double exposure_s, int count)
{
	double across = c->aperture_arcsec * pow(fmax(s->airmass, 1), 0.6), area = M_PI / 4 * across * across;
	double pixels = area / (c->pixel_arcsec * c->pixel_arcsec), time = exposure_s * count;
	double air = c->extinction_mag * (s->airmass - 1);
	double sum = flow(c, depth_sky_mag(c, s)) * area * time + pixels * (c->dark_e_s * time + count * c->read_noise_e * c->read_noise_e);
	if (p->ground == DEPTH_BLANK)
		return sum;
	double host = flow(c, host_mag[c->band >= 0 ? c->band : KILONOVA_R] + air) * area * time;
	sum += host;
	if (p->ground == DEPTH_HOST)
		return sum + RESIDUAL * host * RESIDUAL * host;
	double reference = isfinite(p->reference_mag) ? flow(c, p->reference_mag + air) * time / DEPTH_SIGMA : 0;
	return sum + reference * reference;
}

double depth_limit_mag(const struct depth_camera *c, const struct depth_sky *s, const struct depth_place *p, double exposure_s, int count)
{
	if (!(exposure_s > 0) || count < 1)
		return -INFINITY;
	double square = DEPTH_SIGMA * DEPTH_SIGMA, noise = noise_of(c, s, p, exposure_s, count);
	double star = (square + sqrt(square * square + 4 * square * noise)) / 2; /* star / √(star + noise) = 5 */
	return c->zero_mag - 2.5 * log10(star / (exposure_s * count)) - c->extinction_mag * (s->airmass - 1);
}

double depth_exposure_s(const struct depth_camera *c, const struct depth_sky *s, const struct depth_place *p, double limit_mag, int count, double most_s)
{
	double low = log(0.1), high = log(most_s);
	if (!(limit_mag <= depth_limit_mag(c, s, p, most_s, count)))
		return INFINITY;
	while (high - low > 0.01) {
		double middle = (low + high) / 2;
		if (depth_limit_mag(c, s, p, exp(middle), count) >= limit_mag)
			high = middle;
		else
			low = middle;
	}
	return exp(high);
}

double depth_dust_ratio(enum kilonova_band band)
{
	static const double ratio[KILONOVA_BANDS] = {3.303, 2.285, 1.698, 1.263, 0.709};
	return ratio[band];
}

double depth_sigma_mag(enum kilonova_family f)
{
	double scatter = kilonova_scatter_mag(f), noise = 2.5 / M_LN10 / DEPTH_SIGMA;
	return sqrt(scatter * scatter + noise * noise);
}

double depth_detects(enum kilonova_family f, enum kilonova_band band, double days, double distance_mpc, double ebv_mag, double limit_mag)
{
	double mag = kilonova_mag(f, band, days) + 5 * log10(distance_mpc * 1e5) + depth_dust_ratio(band) * fmax(0, ebv_mag);
	if (!isfinite(mag) || isnan(limit_mag))
		return 0;
	return 0.5 * erfc((mag - limit_mag) / (M_SQRT2 * depth_sigma_mag(f)));
}

double depth_detects_any(const struct kilonova_prior *prior, enum kilonova_band band, double days, double distance_mpc, double ebv_mag, double limit_mag)
{
	double sum = 0;
	for (int f = 0; f < KILONOVA_FAMILIES; f++)
		sum += prior->weight[f] * depth_detects((enum kilonova_family)f, band, days, distance_mpc, ebv_mag, limit_mag);
	return sum;
}

double depth_wanted_mag(const struct kilonova_prior *prior, enum kilonova_band band, double days, double distance_mpc, double ebv_mag, double wanted)
{
	double bright = 0, faint = 60;
	if (!(depth_detects_any(prior, band, days, distance_mpc, ebv_mag, faint) >= wanted))
		return NAN;
	while (faint - bright > 1e-6) {
		double middle = (bright + faint) / 2;
		if (depth_detects_any(prior, band, days, distance_mpc, ebv_mag, middle) >= wanted)
			faint = middle;
		else
			bright = middle;
	}
	return faint;
}
