/* Three families of kilonova: see kilonova.h. */
#include "engine/target/kilonova.h"
#include <math.h>
#include <string.h>

#define DAYS 10
static const double days_of[DAYS] = {0.3, 0.5, 0.9, 1.5, 2, 3, 4, 5, 7, 10};

static const struct {
	const char *name, *title;
	double scatter_mag, mag[KILONOVA_BANDS][DAYS];
} families[KILONOVA_FAMILIES] = {
	{"gfo", "AT 2017gfo", 0.5, {
		{-15.98, -15.98, -15.92, -14.78, -13.87, -12.64, -12.00, -11.66, -10.65, -9.55},
		{-15.73, -15.75, -15.95, -15.21, -14.59, -13.75, -13.06, -12.61, -12.15, -10.85},
		{-15.75, -15.78, -15.80, -15.32, -14.92, -14.38, -13.92, -13.69, -12.89, -11.53},
		{-15.59, -15.64, -15.76, -15.41, -15.08, -14.61, -14.25, -14.05, -13.44, -11.65},
		{-15.24, -15.27, -15.49, -15.53, -15.45, -15.26, -15.04, -14.71, -14.00, -12.64}}},
	{"faint", "faint red", 0.7, {
		{-13.03, -13.29, -12.73, -11.52, -10.78, -9.90, -9.07, -8.35, -6.80, -4.44},
		{-13.80, -14.31, -14.19, -13.48, -12.87, -11.83, -11.08, -10.44, -9.34, -7.64},
		{-14.12, -14.68, -14.93, -14.47, -13.96, -12.98, -12.16, -11.57, -10.66, -9.26},
		{-14.26, -14.79, -15.09, -14.86, -14.47, -13.49, -12.64, -12.08, -11.25, -9.96},
		{-13.73, -14.37, -14.90, -14.82, -14.52, -13.64, -12.79, -12.25, -11.60, -10.66}}},
	{"nsbh", "red NSBH", 1.0, {
		{-13.47, -13.98, -14.26, -13.45, -12.48, -10.98, -10.00, -9.18, -7.58, -5.39},
		{-13.51, -14.35, -14.98, -14.64, -14.01, -12.54, -11.42, -10.46, -8.84, -7.22},
		{-13.80, -14.92, -15.51, -15.51, -15.02, -13.95, -12.97, -12.19, -10.85, -9.47},
		{-13.95, -14.99, -15.78, -15.77, -15.51, -14.63, -13.87, -13.22, -12.13, -10.81},
		{-14.02, -14.41, -15.41, -15.78, -15.69, -15.21, -14.74, -14.31, -13.44, -12.21}}}};

const char *kilonova_name(enum kilonova_family f)
{
	return families[f].name;
}

const char *kilonova_title(enum kilonova_family f)
{
	return families[f].title;
}

int kilonova_band_of(const char *filter)
{
	static const struct {
		const char *filter;
		enum kilonova_band band;
	} known[] = {{"g", KILONOVA_G}, {"gp", KILONOVA_G}, {"r", KILONOVA_R}, {"rp", KILONOVA_R}, {"w", KILONOVA_R}, {"i", KILONOVA_I},
		{"ip", KILONOVA_I}, {"z", KILONOVA_Z}, {"zs", KILONOVA_Z}, {"J", KILONOVA_J}};
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (strcmp(known[k].filter, filter) == 0)
			return (int)known[k].band;
	return -1;
}

double kilonova_mag(enum kilonova_family f, enum kilonova_band band, double days)
{
	const double *m = families[f].mag[band];
	int k = 1;
	if (!(days > 0))
		return INFINITY;
	if (days <= days_of[0])
		return m[0];
	if (days >= days_of[DAYS - 1])
		return m[DAYS - 1] + (m[DAYS - 1] - m[DAYS - 2]) / (days_of[DAYS - 1] - days_of[DAYS - 2]) * (days - days_of[DAYS - 1]);
	while (days > days_of[k])
		k++;
	return m[k - 1] + (m[k] - m[k - 1]) * log(days / days_of[k - 1]) / log(days_of[k] / days_of[k - 1]);
}

double kilonova_brightest_mag(enum kilonova_family f, enum kilonova_band band, double from_days, double to_days)
{
	double best = fmin(kilonova_mag(f, band, from_days), kilonova_mag(f, band, to_days));
	for (int k = 0; k < DAYS; k++) /* between two of them it goes one way only */
		if (days_of[k] > from_days && days_of[k] < to_days)
			best = fmin(best, families[f].mag[band][k]);
	return best;
}

double kilonova_scatter_mag(enum kilonova_family f)
{
	return families[f].scatter_mag;
}

void kilonova_prior_of(double p_bns, double p_nsbh, double has_remnant, struct kilonova_prior *out)
{
	double bns = fmax(0, p_bns), nsbh = fmax(0, p_nsbh); /* fmax takes the 0 for NaN */
	double part = bns + nsbh > 0 ? bns / (bns + nsbh) : 1, light = isnan(has_remnant) ? 1 : fmin(fmax(has_remnant, 0), 1);
	double of_bns = fmin(part, light);
	*out = (struct kilonova_prior){{of_bns / 2, of_bns / 2, light - of_bns}};
}
