/* What a plan is told of the sky around its targets: the dust of our galaxy, which reference images exist, what others have completed. */
#ifndef ENGINE_IO_AROUND_H
#define ENGINE_IO_AROUND_H
#include "engine/base/err.h"
#include "engine/target/dust.h"
#include "engine/target/moc.h"
#include <jansson.h>

#define AROUND_REFERENCES 64

struct around {
	struct dust dust;
	bool has_dust;
	char dust_sha256[65], references_sha256[65]; /* of the file's bytes; of the list's and then each MOC's; "": none */
	char others[1024]; /* file of what others completed (others.h), read with each plan; "": none */
	size_t references;
	struct around_reference {
		char survey[40], band[24];
		double depth_mag;
		struct moc moc;
	} reference[AROUND_REFERENCES];
};

/* dust: a HEALPix map (dust.h), or NULL. references: a JSON list of {"survey","band","depth_mag","moc":FILE}, or NULL; a MOC's path is as
 * the list's own folder sees it. 0, or -1 with e set; around_free in both cases. */
int around_read(const char *dust, const char *references, struct around *out, struct err *e);
void around_free(struct around *a);

double around_ebv_mag(const struct around *a, double ra_deg, double dec_deg); /* NaN: not known */
/* The deepest reference in a band that covers the position; NULL: none. filter as a telescope names it: gp finds g. */
const struct around_reference *around_reference(const struct around *a, const char *filter, double ra_deg, double dec_deg);

/* Adds "ebv_mag" and "references" to a plan's target (engine/request/plan.h). */
void around_target(const struct around *a, json_t *target);
/* The same for all targets of a plan's job, and "covered"; "warning", when what others completed cannot be read; "around": the digests of what was
 * read, {"dust","references","covered"}. Any thread. */
void around_job(const struct around *a, json_t *job);
#endif
