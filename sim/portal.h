/* A simulated OCS observation portal with its archive: one function from (its state, call, now) to reply, the mirror of facilities/ocs.c.
 * No sockets, no clock, no chance but the seed: the same calls at the same times give the same bytes. A night calls it directly,
 * the demo world serves it over HTTP. Times are UTC of the sky (microseconds). One thread owns a portal. */
#ifndef SIM_PORTAL_H
#define SIM_PORTAL_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request as it came: path with its slash ("/api/requestgroups/"), query without '?' (NULL or "": none), authorization is the whole
 * header ("Token abc", NULL: none). The archive's path is "/frames/": both may share one port. All borrowed. */
struct sim_call {
	const char *method, *path, *query, *authorization, *content_type, *body;
	size_t len;
};

enum sim_drop {
	SIM_REPLY,          /* send the reply */
	SIM_REFUSED,        /* no connection: the caller knows that nothing arrived */
	SIM_DROP_BEFORE,    /* close without having acted */
	SIM_DROP_AFTER      /* close after having acted: the answer is lost */
};

struct sim_reply {
	int status;
	const char *content_type;   /* static text */
	int64_t retry_after_s;      /* -1: no such header */
	char *body;                 /* malloc'd, NUL-terminated */
	size_t len;
	enum sim_drop drop;
	int64_t delay_us;           /* wait so long before sending */
};
void sim_reply_free(struct sim_reply *r);

struct sim_portal;

/* setup: {"tokens":{"demo-token":"user", …},
 *   "proposals":[{"id":"TOO2026B","hours":{"NORMAL":20,"TIME_CRITICAL":3,"RAPID_RESPONSE":5},"ipp_h":5,"users":["user"…]|absent = all}],
 *   "descriptor":{…facilities/lco.json…},                        sites, telescopes, instruments, overheads; can_cancel false: every cancel is
 *                                                                refused; can_cancel_running: a cancel stops what is being observed
 *   "faults":[{"on":"POST /api/requestgroups/","nth":1,"count":1,"what":"refused|drop_before|drop_after|503|504_after|429|html500|slow","delay_s":5}],
 *         on: method and the exact path, or a path that ends in '*'; nth counts matching calls from 1
 *   "weather":[{"site":"lsc","from_us":t,"to_us":t,"reason":"Humidity over limit"}],
 *   "down":[{"instrument":"1M0-SCICAM-SINISTRO","from_us":t,"to_us":t}],   cannot be used then
 *   "fail":[{"name":"substring of a group's name or target","reason":"Weather: clouds"}],       its first observation fails
 *   "cycle_s":30,                                                the scheduler's period
 *   "frame_delay_s":20,"reduce_delay_s":120,                     after an exposure: raw frame, reduced frame
 *   "visible_delay_s":0,                                         a new group is in no list for so long (GET by its number shows it)
 *   "renumber":false,                                            the scheduler throws its plan away now and then: new observation numbers
 *   "numbers_from":0,                                            its first group, request and observation have so much higher numbers
 *   "server_offset_s":0}                                         the portal's clock minus ours
 * Borrows setup only during the call. NULL when memory ends or setup has no descriptor. */
struct sim_portal *sim_portal_new(const json_t *setup, uint64_t seed);
void sim_portal_free(struct sim_portal *p);

/* Advances to now, then answers. 0; -1 without memory. Fill nothing in *out before; sim_reply_free after. */
int sim_portal_call(struct sim_portal *p, int64_t now_us, const struct sim_call *in, struct sim_reply *out);

/* Everything that is due until now: scheduler cycles, exposures, weather, expiry, frames. */
void sim_portal_advance(struct sim_portal *p, int64_t now_us);

/* Adds a fault, a weather closing or a failure while it runs: one element as in setup; kind "faults", "weather", "down" or
 * "fail"; "clog" and "release": from now on no call gets through, or again; "late_cancel" {"count":n}: the telescope begins before the
 * next n cancels reach it; "rapid" {"site","from_us","to_us","reason"}: somebody else's rapid response takes a site, now. */
int sim_portal_add(struct sim_portal *p, const char *kind, const json_t *element);

/* The newest group of that name gets these numbers, of itself and of its request: one that had them at another portal before. */
bool sim_portal_renumber(struct sim_portal *p, const char *name, int64_t id, int64_t request_id);

/* No more faults, and none of those that were to come; what else is set stays. */
void sim_portal_calm(struct sim_portal *p);

/* The portal's own count, the judge of every "exactly once":
 * {"calls":n,"submissions":n,"duplicates":n,"names":{NAME:{"count":n,"ids":[…],"states":[…],"created_us":[sky time…],"left_us":[…|null],"seconds":charged,"observed":bool}},
 *  "states":{"PENDING":n,…},"seconds":charged in all,"cancels":n,"unseen":submissions refused as never visible,"fired":{TROUBLE:times it acted},"frames":n,
 *  "observations":[{"id","name","target","site","telescope","start_us","end_us","state"}]}. New reference. */
json_t *sim_portal_ledger(const struct sim_portal *p);

/* Every exposure that was taken, raw frames only, whether its file is ready or not: [{"name" of its group,"target","ra_deg","dec_deg" it
 * pointed at,"site","telescope","filter","exposure_s","start_us","airmass"}]. New reference. */
json_t *sim_portal_frames(const struct sim_portal *p);
#endif
