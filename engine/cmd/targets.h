/* What a command line names: targets from the output of `slew rank`, sites of a facility. Errors are printed; the exit code is returned. */
#ifndef ENGINE_CMD_TARGETS_H
#define ENGINE_CMD_TARGETS_H
#include "engine/base/text.h"
#include "engine/target/visibility.h"

struct place {
	char name[64];
	double ra_deg, dec_deg;
};

/* Reads JSON lines or CSV ("-" is standard input); at most LIMIT_RANKED. *out is malloc'd and *count > 0 when 0 is returned. */
int cmd_targets_read(const char *path, struct place **out, size_t *count);

/* The sites of a facility (a name or the path of a descriptor), or the one asked for (NULL: all). sites: VISIBILITY_SITES. */
int cmd_sites_read(const char *facility, const char *site, struct visibility_site *sites, size_t *count);

/* Their altitudes over the sites of a night, as a part of a page (title NULL) or a file of its own. */
void cmd_altitudes(const struct visibility_night *n, const struct place *list, size_t count, int64_t start_us, int64_t end_us,
	const struct visibility_limits *limits, const char *title, struct text *out);
#endif
