/* Facts: the only names a policy's `when` sees. One list makes the enum, the names, the types and the SQL columns. */
#ifndef ENGINE_ALERT_FACT_H
#define ENGINE_ALERT_FACT_H
#include "engine/alert/alert.h"

/* X(name, type, from_map, meaning of NULL). type: TEXT or REAL (booleans are 0/1 REAL). from_map: filled when the map has been read. */
#define FACTS(X) \
	X(source, TEXT, 0, "never") X(kind, TEXT, 0, "never") X(alert_type, TEXT, 0, "never") X(is_test, REAL, 0, "never") \
	X(significant, REAL, 0, "the sender does not say") X(age_s, REAL, 0, "no event time") X(group_name, TEXT, 0, "not given") \
	X(search, TEXT, 0, "not given") X(n_detectors, REAL, 0, "not given") X(far_hz, REAL, 0, "not given") \
	X(far_per_year, REAL, 0, "not given") X(p_bns, REAL, 0, "no classification") X(p_nsbh, REAL, 0, "no classification") \
	X(p_bbh, REAL, 0, "no classification") X(p_massgap, REAL, 0, "not in this classification") \
	X(p_terrestrial, REAL, 0, "no classification") X(has_ns, REAL, 0, "not given") X(has_remnant, REAL, 0, "not given") \
	X(has_mass_gap, REAL, 0, "not given") X(has_ssm, REAL, 0, "not given") X(p_astro, REAL, 0, "not given") \
	X(stream, TEXT, 0, "unknown") X(area50_deg2, REAL, 1, "no map read") X(area90_deg2, REAL, 1, "no map read") \
	X(dist_mean_mpc, REAL, 1, "no map read, or it is 2-D") X(dist_std_mpc, REAL, 1, "no map read, or it is 2-D") \
	X(has_map, REAL, 0, "never") X(is_3d, REAL, 1, "no map read") X(ra_deg, REAL, 1, "no position") X(dec_deg, REAL, 1, "no position") \
	X(error_deg, REAL, 0, "not a cone") X(gal_b_deg, REAL, 1, "no position") X(t90_s, REAL, 0, "no burst") \
	X(messenger, TEXT, 0, "never") X(n_messengers, REAL, 0, "never") X(joint_far_per_year, REAL, 0, "no joint significance") \
	X(revised, REAL, 0, "never")

enum fact_type { FACT_TEXT, FACT_REAL };
enum fact_id {
#define X(name, type, from_map, null) FACT_##name,
	FACTS(X)
#undef X
	FACT_COUNT
};
struct fact_info {
	const char *name;
	enum fact_type type;
	bool from_map;
	const char *null_means;
};
extern const struct fact_info fact_info[FACT_COUNT];

/* One row of facts. text is borrowed from the alert (or a static string); number NaN and text NULL mean unknown. */
struct facts {
	double number[FACT_COUNT];
	const char *text[FACT_COUNT];
	bool map_pending;  /* the map is still being read: `IS NULL` of a fact from the map is unknown too */
};

/* All facts of an alert but those of its map; map_pending when it has one. received_us gives age_s; revised: 1 when an older revision (by their order, not by arrival) is known: the core
 * sets it later, too, when the older one is heard last. */
void facts_of_alert(const struct alert *a, const char *stream, int64_t received_us, bool revised, struct facts *out);

/* Fills the from_map facts from a map summary (engine/core/compute.h): area50_deg2 … gal_b_deg; clears map_pending. */
void facts_of_map(const json_t *summary, struct facts *facts);

/* By name, or -1. */
int fact_find(const char *name, size_t len);
#endif
