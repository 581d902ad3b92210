/* Ensembles of dry runs: the same drawn nights under each policy, and what that says about them. */
#ifndef ENGINE_CMD_SIM_ENSEMBLE_H
#define ENGINE_CMD_SIM_ENSEMBLE_H
#include "engine/cmd/sim_real.h"
#include "sim/statistics.h"

#define ENSEMBLE_SCHEMA "slew ensemble/1"

/* sim_ensemble.c: plays a->nights nights in a->jobs processes and tells. Exit code. */
int real_ensemble(const struct real_arguments *a, struct real_world *w);

/* One policy's night in one flat object (score: of score_night): what sums and pairs are made of. New reference. */
json_t *ensemble_night(const json_t *score, uint64_t seed, const char *start, const char *digest);

/* sim_ensemble_sum.c: summary of an array of such nights; README lists its members. New reference. */
json_t *ensemble_summary(const json_t *nights);
/* The summaries side by side. policies: [{"policy", "summary", …}]. */
void ensemble_words(const json_t *policies);

/* The yes-or-no figures and the numbers of a night, for the table and the comparison; end with key NULL. */
struct ensemble_figure {
	const char *key, *words;
	double unit;   /* told in units of so much */
	const char *unit_name;
};
extern const struct ensemble_figure ensemble_answers[], ensemble_times[], ensemble_numbers[];
#endif
