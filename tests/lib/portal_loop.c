/* See portal_loop.h. */
#include "portal_loop.h"
#include "embedded.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void portal_loop_open(struct portal_loop *l, int64_t now_us, const json_t *more)
{
	*l = (struct portal_loop){.ops = facility_find("ocs"), .authorization = "Token good", .prefix = "slew-00000000-", .now_us = now_us};
	l->descriptor = embedded_json("facilities/lco.json");
	must(l->ops != NULL);
	l->conf = (struct facility_conf){"lco", l->descriptor};
	json_t *setup = json_pack("{s:{s:s, s:s}, s:[{s:s, s:{s:f, s:f, s:f}, s:f, s:[s]}], s:O}", "tokens", "good", "bot", "other", "rival", "proposals", "id",
				  "TOO2026B", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 3.0, "RAPID_RESPONSE", 5.0, "ipp_h", 5.0, "users", "bot",
				  "descriptor", l->descriptor);
	if (more != NULL)
		json_object_update(setup, (json_t *)more);
	l->portal = sim_portal_new(setup, 1);
	must(l->portal != NULL);
	json_decref(setup);
}

void portal_loop_close(struct portal_loop *l)
{
	sim_portal_free(l->portal);
	json_decref(l->descriptor);
	json_decref(l->facility_memo);
}

static void loop_call(struct portal_loop *l, const struct call *c, struct sim_reply *reply, struct reply *out)
{
	struct sim_call in = {.method = c->method, .path = c->path, .query = c->query, .authorization = l->authorization,
			      .content_type = c->content_type[0] != '\0' ? c->content_type : NULL, .body = c->body, .len = c->body_len};
	must(sim_portal_call(l->portal, l->now_us, &in, reply) == 0);
	l->calls++;
	if (reply->drop != SIM_REPLY)
		*out = (struct reply){.sent = SENT_MAYBE, .content_type = "", .transport = "the connection was closed", .retry_after_s = -1};
	else
		*out = (struct reply){.sent = SENT_ANSWERED, .status = reply->status, .content_type = reply->content_type, .transport = "",
				      .retry_after_s = reply->retry_after_s, .body = reply->body, .len = reply->len};
}

static void memo_take(json_t **memo, json_t **fresh)
{
	if (*fresh != NULL && memo != NULL) {
		json_decref(*memo);
		*memo = *fresh;
		*fresh = NULL;
	}
}

int portal_loop_run(struct portal_loop *l, enum verb verb, const struct facility_request *q, json_t **memo, struct answers *out, struct err *e)
{
	*out = (struct answers){.next_step = -1};
	for (int step = 0, n = 0; step >= 0 && n < 300; n++) {
		struct view v = {.now_us = l->now_us, .verb = verb, .step = step, .request = q, .memo = memo != NULL ? *memo : NULL,
				 .facility_memo = l->facility_memo, .prefix = l->prefix};
		struct call c;
		struct sim_reply raw;
		struct reply reply;
		struct answers part = {0};
		int rc = facility_render(l->ops, &l->conf, &v, &c, e);
		if (rc != 0)
			return rc;
		loop_call(l, &c, &raw, &reply);
		rc = l->ops->read(&l->conf, &v, &reply, &part);
		must(rc == 0);
		for (size_t i = 0; i < part.count; i++) {
			struct answer *a = answers_add(out, ANSWER_UNKNOWN);
			must(a != NULL);
			*a = part.list[i];
			part.list[i].detail = NULL; /* moved */
		}
		memo_take(memo, &part.memo);
		memo_take(&l->facility_memo, &part.facility_memo);
		step = out->next_step = part.next_step;
		out->complete = part.complete;
		answers_free(&part);
		call_free(&c);
		sim_reply_free(&raw);
	}
	return 0;
}

struct facility_request portal_loop_request(const char *token, const json_t *filters, int64_t now_us)
{
	return (struct facility_request){.token = token, .remote_id = "", .event = "S261123ab", .target_name = "NGC 1365", .proposal = "TOO2026B",
					 .mode = "NORMAL", .ra_deg = 53.4016, .dec_deg = -36.1404, .exposure_s = 60, .ipp = 1.05, .max_airmass = 1.8,
					 .min_moon_deg = 20, .count = 3, .filters = filters, .instrument = "1M0-SCICAM-SINISTRO", .site = "",
					 .start_us = now_us, .end_us = now_us + 23 * UTC_HOUR, .created_us = now_us};
}
