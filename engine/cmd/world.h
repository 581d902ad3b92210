/* What the parts of `slew world` share: the made world in its directory (files world.json,
 * ledger.json, truth.json and the engine's config). */
#ifndef ENGINE_CMD_WORLD_H
#define ENGINE_CMD_WORLD_H
#include "engine/base/err.h"
#include "engine/io/clock.h"
#include "sim/made_night.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define WORLD_ALERT_FILES 8
#define WORLD_TOPIC	  "igwn.gwalert"
#define WORLD_TOKEN	  "made-up-token-of-the-demo-portal"

struct world_options {
	const char *dir; /* as given */
	uint64_t seed;
	double rate, hours; /* sky seconds per wall second; length of the night */
	int64_t start_us;   /* UTC_NONE: from the seed, or from the alert's own time */
	const char *alert[WORLD_ALERT_FILES]; /* real alerts instead of made ones */
	int alerts;
	const char *catalog;   /* real galaxies; NULL: the made ones */
	bool clear, faultless; /* no clouds; no lost reply */
	bool alone;	       /* the policy waits for no person */
	int volley; /* > 0: so many mergers, one every every_s seconds of sky, and hours for all of
		       them */
	double every_s;
	double retract_min;    /* C is taken back so long after it; 0: 58 */
	int think_ms;          /* wall time between what a submit does at the portal and its answer */
	double lead_s;         /* wall time between the files and the first moment of the night */
};

/* Everything of one world before it moves. */
struct world {
	struct world_options o;
	char dir[1024]; /* absolute */
	struct made_night night;
	struct clock clock;
	int64_t anchor_us;  /* wall */
	json_t *descriptor; /* of the facility */
	json_t *policy;	    /* the demo's, and its programme's name */
	char *truth;	    /* bytes of truth.json, sealed by their SHA-256 */
	char truth_sha256[65];
	int64_t shift_us;	  /* added to the times of alerts from files; 0: they stay */
	const char *catalog_name; /* "made-up galaxies" or the path given */
	bool tests; /* the alerts are tests: facility and policy must say that they take them */
};

/* world_make.c: the night (made or from alert files), the catalogue, the policy; writes the
 * catalogue and the secret. */
int world_make(struct world *w, struct err *e);
/* Writes config.json for these services, and world.json for those who watch. */
int world_configure(const struct world *w, const char *broker, int portal_port, struct err *e);
/* Setup of the simulated portal; new reference. */
json_t *world_portal_setup(const struct world *w);
void world_free(struct world *w);

/* Writes DIR/NAME at one stroke (a reader never sees half a file). mode 0600 or 0644. */
int world_write(
	const char *dir, const char *name, const char *bytes, size_t len, int mode, struct err *e);
int world_write_json(const char *dir, const char *name, const json_t *value, struct err *e);
/* DIR/NAME as JSON, or NULL (quietly). New reference. */
json_t *world_read_json(const char *dir, const char *name);

/* world_tell.c: `slew world tell DIR`, `slew world wait DIR WHAT`, `slew world end DIR`. */
int world_tell(int argc, char **argv);
int world_wait(int argc, char **argv);
int world_end(int argc, char **argv);
/* world_latency.c: `slew world latency DIR`. */
int world_latency(int argc, char **argv);
#endif
