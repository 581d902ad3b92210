/* LVK igwn.gwalert alerts as JSON bytes (igwn-gwalert-schema 1.3.0 as it comes over GCN: the map in
 * base64). */
#ifndef SIM_ALERT_WRITE_H
#define SIM_ALERT_WRITE_H
#include "engine/base/err.h"
#include "engine/base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_alert {
	const char *event, *type; /* "S261123ab", "PRELIMINARY"; a RETRACTION has no more than these
				     and `created_us` */
	int64_t created_us, event_us;
	double far_hz;
	bool significant;
	const char *instruments;       /* "H1,L1,V1" */
	const char *pipeline, *search; /* "gstlal", "AllSky" */
	double p_bns, p_nsbh, p_bbh, p_terrestrial, has_ns, has_remnant, has_mass_gap;
	const void *map; /* FITS bytes, borrowed; NULL for none */
	size_t map_len;
};

int sim_alert_write(const struct sim_alert *a, struct text *out, struct err *e);

/* The same alert at another time: "time_created" and the time of its event move by so much, all else stays. *out is malloc'd and given.
 * ERR_INPUT when it is no JSON object. */
int sim_alert_shift(const void *bytes, size_t len, int64_t by_us, char **out, size_t *out_len, struct err *e);
#endif
