/* A kilonova and a camera: see transient.h. CGS units inside. */
#include "sim/transient.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <math.h>
#include <string.h>

#define LIGHT_CM_S  2.99792458e10
#define SUN_G       1.98847e33
#define STEFAN      5.670374e-5
#define PLANCK      6.62607015e-27
#define BOLTZMANN   1.380649e-16
#define MPC_CM      3.0856775814913673e24
#define DAY_S       86400.0
#define STEPS       160 /* of the integral over what was heated before: 1 % of the luminosity */

/* Effective wavelengths [Å]: Fukugita et al. 1996 (ugriz), Bessell 2005 (UBVRI), Tonry et al. 2012 (w, Y as y). */
static const struct {
	const char *filter;
	double angstrom;
} bands[] = {{"U", 3663}, {"B", 4361}, {"V", 5448}, {"R", 6407}, {"I", 7980}, {"up", 3551}, {"gp", 4770}, {"rp", 6231}, {"ip", 7625},
	{"zs", 8700}, {"Y", 9620}, {"w", 6080}, {"g", 4770}, {"r", 6231}, {"i", 7625}, {"z", 8700}};

void transient_make(double blue, double red, double distance_mpc, struct transient *out)
{
	/* Villar et al. 2017, table 2, two components */
	*out = (struct transient){{{0.023 * blue, 0.256, 0.5, 3983}, {0.050 * red, 0.149, 3.65, 1151}}, distance_mpc};
}

/* Coefficients of the thermalised fraction, Barnes et al. 2016, table 1 (random fields), between their masses and velocities; the ends hold
 * beyond them. */
static void thermal(const struct transient_part *p, double abd[3])
{
	static const double logm[4] = {-3, -2.30103, -2, -1.30103};
	static const double table[3][4][3] = {{{2.01, 4.52, 8.16}, {0.81, 1.90, 3.20}, {0.56, 1.31, 2.19}, {0.27, 0.55, 0.95}},
		{{0.28, 0.62, 1.19}, {0.19, 0.28, 0.45}, {0.17, 0.21, 0.31}, {0.10, 0.13, 0.15}},
		{{1.12, 1.39, 1.52}, {0.86, 1.21, 1.39}, {0.74, 1.13, 1.32}, {0.60, 0.90, 1.13}}};
	double x = fmin(fmax(log10(p->mass_msun), logm[0]), logm[3]), v = fmin(fmax(p->velocity_c, 0.1), 0.3);
	int i = x < logm[1] ? 0 : x < logm[2] ? 1 : 2, j = v < 0.2 ? 0 : 1;
	double fx = (x - logm[i]) / (logm[i + 1] - logm[i]), fv = (v - 0.1 * (j + 1)) / 0.1;
	for (int k = 0; k < 3; k++)
		abd[k] = (1 - fx) * ((1 - fv) * table[k][i][j] + fv * table[k][i][j + 1]) +
			fx * ((1 - fv) * table[k][i + 1][j] + fv * table[k][i + 1][j + 1]);
}

/* Bolometric luminosity [erg/s]. */
static double luminosity(const struct transient_part *p, double days)
{
	double abd[3], sum = 0;
	double diffusion_d = sqrt(2 * p->opacity_cm2_g * p->mass_msun * SUN_G / (13.4 * p->velocity_c * LIGHT_CM_S * LIGHT_CM_S)) / DAY_S;
	thermal(p, abd);
	for (int i = 0; i < STEPS; i++) {
		double t = days * (i + 0.5) / STEPS, x = 2 * abd[1] * pow(t, abd[2]);
		double heat = 4e18 * p->mass_msun * SUN_G * pow(0.5 - atan((t * DAY_S - 1.3) / 0.11) / M_PI, 1.3);
		double kept = 0.36 * (exp(-abd[0] * t) + log1p(x) / x);
		sum += heat * kept * exp((t * t - days * days) / (diffusion_d * diffusion_d)) * t / diffusion_d;
	}
	return 2 / diffusion_d * sum * days / STEPS;
}

/* Area-weighted brightness of one photosphere: flux times distance squared [erg/s/Hz]. */
static double shine(const struct transient_part *p, double days, double hz)
{
	double l = luminosity(p, days), radius = p->velocity_c * LIGHT_CM_S * days * DAY_S;
	double kelvin = pow(l / (4 * M_PI * STEFAN * radius * radius), 0.25);
	if (kelvin < p->floor_k) {
		kelvin = p->floor_k;
		radius = sqrt(l / (4 * M_PI * STEFAN)) / (kelvin * kelvin);
	}
	return 2 * M_PI * PLANCK * hz * hz * hz / (LIGHT_CM_S * LIGHT_CM_S) / expm1(PLANCK * hz / (BOLTZMANN * kelvin)) * radius * radius;
}

double transient_mag(const struct transient *t, double days, const char *filter)
{
	double flux = 0, far_cm = t->distance_mpc * MPC_CM;
	size_t b = 0;
	while (b < sizeof bands / sizeof bands[0] && strcmp(bands[b].filter, filter) != 0)
		b++;
	if (b == sizeof bands / sizeof bands[0] || days <= 0 || !(t->distance_mpc > 0))
		return INFINITY;
	for (int i = 0; i < TRANSIENT_PARTS; i++)
		if (t->part[i].mass_msun > 0)
			flux += shine(&t->part[i], days, LIGHT_CM_S / (bands[b].angstrom * 1e-8));
	return flux > 0 ? -2.5 * log10(flux / (far_cm * far_cm)) - 48.6 : INFINITY;
}

/* ---- the camera ---- */
bool transient_camera_of(const json_t *instrument, const char *filter, struct transient_camera *out)
{
	const json_t *one = NULL, *sky = NULL;
	size_t k;
	json_array_foreach(json_object_get(instrument, "photometry"), k, one)
		if (strcmp(json_text(one, "filter", ""), filter) == 0) {
			sky = json_object_get(one, "sky_mag");
			break;
		}
	if (json_array_size(sky) != 3)
		return false;
	*out = (struct transient_camera){json_number(instrument, "aperture_arcsec", 3), json_number(instrument, "pixel_arcsec", NAN),
		json_number(instrument, "read_noise_e", 0), json_number(instrument, "dark_e_s", 0), json_number(one, "zero_mag", NAN),
		json_number(one, "extinction_mag", 0), {0}};
	for (size_t i = 0; i < 3; i++)
		out->sky_mag[i] = json_number_value(json_array_get(sky, i));
	return out->pixel_arcsec > 0 && isfinite(out->zero_mag);
}

double transient_signal_to_noise(const struct transient_camera *c, double mag, double exposure_s, double airmass, double moon)
{
	double area = M_PI / 4 * c->aperture_arcsec * c->aperture_arcsec, pixels = area / (c->pixel_arcsec * c->pixel_arcsec);
	double m = fmin(fmax(moon, 0), 1) * 2, sky = m < 1 ? c->sky_mag[0] + m * (c->sky_mag[1] - c->sky_mag[0]) :
		c->sky_mag[1] + (m - 1) * (c->sky_mag[2] - c->sky_mag[1]);
	double star = pow(10, -0.4 * (mag + (airmass - 1) * c->extinction_mag - c->zero_mag)) * exposure_s;
	double night = pow(10, -0.4 * (sky - c->zero_mag)) * area * exposure_s;
	return star / sqrt(star + night + pixels * (c->dark_e_s * exposure_s + c->read_noise_e * c->read_noise_e));
}

double transient_limit(const struct transient_camera *c, double signal_to_noise, double exposure_s, double airmass, double moon)
{
	double bright = 0, faint = 40;
	for (int i = 0; i < 50; i++) {
		double m = (bright + faint) / 2;
		if (transient_signal_to_noise(c, m, exposure_s, airmass, moon) > signal_to_noise)
			bright = m;
		else
			faint = m;
	}
	return bright;
}

/* ---- standing out ---- */
static bool tells(const struct transient_seen *a, const struct transient_seen *b)
{
	bool same = strcmp(a->filter, b->filter) == 0;
	double error = sqrt(a->error_mag * a->error_mag + b->error_mag * b->error_mag);
	return same ? b->mag - a->mag > fmax(3 * error, 0.1) : b->days - a->days <= 0.25;
}

double transient_identified(const struct transient_seen *seen, size_t count)
{
	bool apart = false, kind = false;
	for (size_t j = 0; j < count; j++) {
		for (size_t i = 0; i < j; i++) {
			apart |= seen[j].days - seen[i].days >= 30.0 / 1440 - 1e-9;
			kind |= tells(&seen[i], &seen[j]);
		}
		if (apart && kind)
			return seen[j].days;
	}
	return NAN;
}
