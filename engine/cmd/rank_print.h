/* How `slew rank` shows a ranking. */
#ifndef ENGINE_CMD_RANK_PRINT_H
#define ENGINE_CMD_RANK_PRINT_H
#include "engine/target/probability.h"

enum rank_form { RANK_TABLE, RANK_JSON, RANK_CSV };

struct rank_view {
	enum rank_form form;
	const struct skymap *map;
	const struct catalog *catalog;
	const struct probability_model *model;
	const struct ranking *ranking;
	const struct probability *probability;
	bool distance_error;
	const char *weight; /* as typed */
	const double *level; /* credible volume level of each of the list; NULL: not asked for */
	double volume50_mpc3, volume90_mpc3; /* with level; NaN: there is none */
};

/* 0, or the exit code after the error was printed. */
int rank_print(const struct rank_view *v);
/* One galaxy by its name (blanks and case do not matter; what stands before a colon may be left out): each factor of its probability. */
int rank_explain(const struct rank_view *v, const char *name);
#endif
