/* Alert → facts: the row that policies judge. See fact.h. */
#include "engine/alert/fact.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <erfa.h>
#include <erfam.h>
#include <math.h>
#include <string.h>

#define YEAR_S 31557600.0 /* a Julian year */

const struct fact_info fact_info[FACT_COUNT] = {
#define X(name, type, from_map, null) {#name, FACT_##type, from_map, null},
	FACTS(X)
#undef X
};

int fact_find(const char *name, size_t len)
{
	for (int i = 0; i < FACT_COUNT; i++)
		if (strlen(fact_info[i].name) == len && memcmp(fact_info[i].name, name, len) == 0)
			return i;
	return -1;
}

static double latitude_deg(double ra_deg, double dec_deg)
{
	double l, b;
	eraIcrs2g(ra_deg * ERFA_DD2R, dec_deg * ERFA_DD2R, &l, &b);
	return b * ERFA_DR2D;
}

static const char *text_or_null(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : NULL;
}

/* A rate that is no number any more by the year was none: unknown, so that it neither triggers nor reaches a row as infinity. */
static double per_year(double per_s)
{
	double rate = per_s * YEAR_S;
	return isfinite(rate) ? rate : NAN;
}

static void facts_of_class(const struct alert *a, double *number)
{
	static const struct {
		enum fact_id id;
		const char *key;
	} classes[] = {{FACT_p_bns, "BNS"}, {FACT_p_nsbh, "NSBH"}, {FACT_p_bbh, "BBH"}, {FACT_p_massgap, "MassGap"},
		{FACT_p_terrestrial, "Terrestrial"}},
	  properties[] = {{FACT_has_ns, "HasNS"}, {FACT_has_remnant, "HasRemnant"}, {FACT_has_mass_gap, "HasMassGap"},
		{FACT_has_ssm, "HasSSM"}};
	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
		number[classes[i].id] = json_number(a->classification, classes[i].key, NAN);
	for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++)
		number[properties[i].id] = json_number(a->properties, properties[i].key, NAN);
	number[FACT_p_astro] = 1.0 - number[FACT_p_terrestrial];
}

void facts_of_alert(const struct alert *a, const char *stream, int64_t received_us, bool revised, struct facts *out)
{
	*out = (struct facts){.map_pending = a->map != NULL};
	double *number = out->number;
	for (int i = 0; i < FACT_COUNT; i++)
		number[i] = NAN;
	out->text[FACT_source] = a->source;
	out->text[FACT_kind] = a->kind;
	out->text[FACT_alert_type] = alert_type_name(a->type);
	out->text[FACT_group_name] = text_or_null(a->group);
	out->text[FACT_search] = text_or_null(a->search);
	out->text[FACT_stream] = text_or_null(stream);
	out->text[FACT_messenger] = a->kind;
	number[FACT_is_test] = a->is_test;
	if (a->significant >= 0)
		number[FACT_significant] = a->significant;
	if (a->time_us != UTC_NONE && received_us != UTC_NONE)
		number[FACT_age_s] = (double)(received_us - a->time_us) / 1e6;
	if (json_array_size(a->instruments) > 0)
		number[FACT_n_detectors] = (double)json_array_size(a->instruments);
	number[FACT_far_hz] = a->far_hz;
	number[FACT_far_per_year] = per_year(a->far_hz);
	facts_of_class(a, number);
	number[FACT_has_map] = a->map != NULL;
	number[FACT_ra_deg] = a->ra_deg;
	number[FACT_dec_deg] = a->dec_deg;
	number[FACT_error_deg] = a->error_deg;
	if (isfinite(a->ra_deg) && isfinite(a->dec_deg))
		number[FACT_gal_b_deg] = latitude_deg(a->ra_deg, a->dec_deg);
	bool joint = json_is_object(a->external);
	double joint_hz = json_number(a->external, "time_sky_position_coincidence_far",
		json_number(a->external, "time_coincidence_far", NAN));
	number[FACT_n_messengers] = joint ? 2 : 1;
	number[FACT_joint_far_per_year] = per_year(joint_hz);
	number[FACT_revised] = revised;
}

void facts_of_map(const json_t *summary, struct facts *facts)
{
	double *number = facts->number;
	number[FACT_area50_deg2] = json_number(summary, "area50_deg2", NAN);
	number[FACT_area90_deg2] = json_number(summary, "area90_deg2", NAN);
	number[FACT_dist_mean_mpc] = json_number(summary, "distmean_mpc", NAN);
	number[FACT_dist_std_mpc] = json_number(summary, "diststd_mpc", NAN);
	const json_t *is_3d = json_object_get(summary, "is_3d");
	number[FACT_is_3d] = json_is_boolean(is_3d) ? json_is_true(is_3d) : NAN;
	number[FACT_ra_deg] = json_number(summary, "ra_deg", number[FACT_ra_deg]);
	number[FACT_dec_deg] = json_number(summary, "dec_deg", number[FACT_dec_deg]);
	number[FACT_gal_b_deg] = json_number(summary, "gal_b_deg", NAN);
	if (isnan(number[FACT_gal_b_deg]) && isfinite(number[FACT_ra_deg]) && isfinite(number[FACT_dec_deg]))
		number[FACT_gal_b_deg] = latitude_deg(number[FACT_ra_deg], number[FACT_dec_deg]);
	facts->map_pending = false;
}
