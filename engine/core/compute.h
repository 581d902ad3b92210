/* Heavy work as JSON → JSON: a compute effect's job is done on a worker thread (or by the simulator) and its result is an input.
 * Pure: the same job with the same blobs and catalogue gives the same bytes. No clock, no file, no socket of its own.
 *
 * job {"kind":"map","sha256":…}
 *   → {"kind":"map","sha256","area50_deg2","area90_deg2","ra_deg","dec_deg","gal_b_deg","distmean_mpc"|null,"diststd_mpc"|null,
 *      "distmod_mag"|null,"ordering","max_order","pixels","is_3d","volume90_mpc3"|null,"unrelated_supernovae"|null}   (target/supernova.h)
 * job {"kind":"rank","sha256":map,"weight":"none|luminosity|mass","distance_error":"catalogue|none","top":N,"probability":p|null,"catalog":sha256}
 *   → {"kind":"rank","considered":n,"outside":p|null,"catalogue_sum":s|null,"mean_weight":n,"targets":[{"key","rank","id","name","ra_deg","dec_deg",
 *      "distance_mpc","distance_err_mpc","dpdv_per_mpc3","share","cumulative_share","probability"}]}     key = "NAME|ID", the catalogue's published
 *      name and id; outside: P(host not in the catalogue), catalogue_sum: S of engine/target/probability.h; mean_weight: rows in the map whose
 *      weight is the mean of their distance
 *   with "fields":[{"camera":WORDS,"instrument":{…}|null,"from":"galaxies|fields|both|region","weight","top","probability","old":[[ra,dec,asked]…]}…],
 *   "again":n (n rankings before it were of no use, since frames were asked meanwhile)
 *   (frames of cameras; "top" of the job may then be 0: no plain list, and "catalog" null) the result has, too,
 *      "fields":[{"camera","key","name","rank","kind","ra_deg","dec_deg","distance_mpc","probability","share","cumulative_share","galaxies":[key…]}…]
 *   from "region": one field, with "region":"5/8-9 12" (its cells as IVOA coverage); its level is "probability", 0.7 when that is null; its position is the densest
 *   place of it within 60 degrees of "latitude_deg"
 *   key = "field:CAMERA:PIXEL", the frame's centre at order 29; the galaxies that a frame holds are among the targets,
 *   with "rank" null where there is a plain list and they are not in it
 * job {"kind":"plan", …}: engine/request/plan.h; the result has "around", too, as the host gave it: digests of the files that it knew the sky by
 * A job that cannot be done → {"kind":…,"error":"sentence"} and 0: the answer to hostile bytes is an answer.  */
#ifndef ENGINE_CORE_COMPUTE_H
#define ENGINE_CORE_COMPUTE_H
#include "engine/base/err.h"
#include "engine/target/skymap.h"
#include <jansson.h>

struct catalog; /* engine/target/catalog.h */

/* What the host lends. blob: bytes of a blob row by digest, malloc'd and given. read_map: skymap_read or mapchild_read. */
struct compute_host {
	void *ctx;
	int (*blob)(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e);
	int (*read_map)(const void *bytes, size_t len, struct skymap *out, struct err *e);
	const struct catalog *catalog; /* NULL: rank jobs answer with an error */
	const void *around;            /* with the next one; NULL: nothing is known of the sky around the targets */
	/* adds to a plan's job (plan.h): "ebv_mag" and "references" of its targets, "covered", or "warning" that this is not known, and "around" */
	void (*around_job)(const void *around, json_t *job);
};

/* New reference in *result. -1 only for lack of memory or a broken host (the effect is then closed as doubtful by the caller). */
int compute_run(const struct compute_host *host, const json_t *job, json_t **result, struct err *e);
#endif
