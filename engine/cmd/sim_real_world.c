/* The rules and the sky of a dry run: from a configuration, or from names and what can be assumed. */
#include "engine/base/json.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "engine/cmd/place.h"
#include "engine/cmd/sim_real.h"
#include "engine/io/configure.h"
#include "engine/request/policy.h"
#include "engine/target/ephemeris.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSTALLATION "00d27207" /* in every token */

/* The body of a policy by name or file, checked. New reference, or NULL. */
static json_t *policy_body(const char *name, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	struct policy *p = NULL;
	if (config_resource("policies", name, NULL, &text, &len, e) == 0)
		p = policy_read(text, len, name, e);
	free(text);
	json_t *body = p ? json_incref(p->body) : NULL;
	policy_free(p);
	return body;
}

static json_t *policies_read(const char *const *name, int count, struct err *e)
{
	json_t *list = json_array();
	for (int i = 0; i < count; i++) {
		json_t *one = policy_body(name[i], e);
		if (one == NULL) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, one);
	}
	return list;
}

/* ---- without a configuration: one facility, hours enough ---- */
static const char *facility_of(const json_t *policies)
{
	const json_t *policy, *rung;
	size_t i, k;
	json_array_foreach(policies, i, policy)
		json_array_foreach(json_object_get(policy, "ladder"), k, rung)
			if (json_text(rung, "facility", NULL) != NULL)
				return json_text(rung, "facility", NULL);
	return "lco";
}

static json_t *programmes_of(const json_t *policies, const char *facility)
{
	json_t *list = json_array(), *seen = json_object();
	const json_t *policy, *rung;
	size_t i, k;
	json_array_foreach(policies, i, policy)
		json_array_foreach(json_object_get(policy, "ladder"), k, rung) {
			const char *name = json_text(rung, "programme", "too");
			if (json_object_get(seen, name) == NULL)
				json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:{s:f, s:f, s:f}}", "name", name, "facility", facility,
					"proposal", "DRY-RUN", "hours", "NORMAL", 20.0, "TIME_CRITICAL", 20.0, "RAPID_RESPONSE", 20.0));
			json_object_set_new(seen, name, json_true());
		}
	json_decref(seen);
	return list;
}

static int assume(const struct real_arguments *a, struct real_world *w, struct err *e)
{
	static const char *const usual[] = {"bns-near"};
	json_t *policies = policies_read(a->policies ? a->policy : usual, a->policies ? a->policies : 1, e);
	const char *facility = policies ? facility_of(policies) : NULL;
	json_t *descriptor = policies ? place_descriptor(facility, e) : NULL;
	if (descriptor == NULL) {
		json_decref(policies);
		return -1;
	}
	const char *name = json_text(descriptor, "name", facility);
	json_t *programmes = programmes_of(policies, name);
	if (json_array_size(programmes) > 0)
		json_append_words(w->notes, "programmes are taken to have 20 h in each mode; --config FILE knows the real ones");
	w->input = json_pack("{s:s, s:{s:s, s:[{s:s, s:s}], s:o, s:[]}, s:o, s:[{s:s, s:s, s:b, s:o}]}", "installation", INSTALLATION, "config", "state",
		"dry-run", "facilities", "name", name, "use", facility, "programmes", programmes, "policies", "policies", policies, "facilities", "name", name,
		"use", facility, "accepts_tests", 0, "descriptor", descriptor);
	return w->input ? 0 : err_set(e, ERR_MEMORY, "no memory for the rules");
}

/* ---- with one ---- */
static int all_fit(const json_t *policies, const json_t *rules, const char *where, struct err *e)
{
	const json_t *policy;
	size_t i;
	json_array_foreach(policies, i, policy)
		if (policy_fits(policy, rules, where, e) < 0)
			return -1;
	return 0;
}

static int configured(const struct real_arguments *a, struct real_world *w, struct err *e)
{
	struct config c;
	json_t *policies = NULL;
	if (config_load(a->config, &c, e) < 0)
		return -1;
	w->input = config_input(&c, INSTALLATION, NULL);
	text_copy(w->configured_catalog, sizeof w->configured_catalog, c.catalog);
	int rc = w->input ? 0 : err_set(e, ERR_MEMORY, "no memory for the rules");
	if (rc == 0 && c.facility_count == 0)
		rc = err_set(e, ERR_INPUT, "config %s: no facility: there is nobody to ask; add one to /facilities", a->config);
	if (rc == 0 && a->policies > 0) {
		policies = policies_read(a->policy, a->policies, e);
		rc = policies ? all_fit(policies, w->input, a->config, e) : -1;
		if (rc == 0)
			json_object_set(w->input, "policies", policies);
	}
	json_object_del(json_object_get(w->input, "config"), "clock");
	json_decref(policies);
	config_free(&c);
	return rc;
}

/* ---- the sky ---- */
static int made_sky(const struct real_arguments *a, struct real_world *w, struct err *e)
{
	char scratch[] = "/tmp/slew-sim-XXXXXX";
	int fd = mkstemp(scratch);
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "%s: %s; the made-up catalogue is written there", scratch, strerror(errno));
	close(fd);
	real_progress("a made-up sky …");
	w->stage = sim_stage_new(a->seed, scratch, e);
	unlink(scratch);
	if (w->stage == NULL)
		return -1;
	w->galaxies = sim_stage_catalog(w->stage);
	w->galaxies_name = "a made-up sky";
	if (a->alerts > 0)
		json_append_words(w->notes, "the galaxies are made up, the alert is not: what is asked for is no real galaxy; --catalog FILE takes real ones");
	return 0;
}

int real_world_open(const struct real_arguments *a, struct real_world *w, struct err *e)
{
	const json_t *facility;
	size_t i;
	*w = (struct real_world){.notes = json_array()};
	if ((a->config ? configured(a, w, e) : assume(a, w, e)) < 0) {
		real_world_close(w);
		return -1;
	}
	w->sites = json_array();
	json_array_foreach(json_object_get(w->input, "facilities"), i, facility) {
		size_t used = strlen(w->facilities);
		snprintf(w->facilities + used, sizeof w->facilities - used, "%s%s", i ? ", " : "", json_text(facility, "name", ""));
		json_array_extend(w->sites, json_object_get(json_object_get(facility, "descriptor"), "sites"));
	}
	return 0;
}

int real_world_sky(const struct real_arguments *a, struct real_world *w, struct err *e)
{
	const char *path = a->catalog ? a->catalog : w->configured_catalog[0] ? w->configured_catalog : NULL;
	if (path == NULL && made_sky(a, w, e) < 0)
		return -1;
	if (path != NULL) {
		if (catalog_open(path, &w->catalog, e) < 0)
			return -1;
		w->galaxies = &w->catalog;
		w->galaxies_name = a->catalog ? a->catalog : "the configuration's catalogue";
	}
	json_object_set_new(w->input, "catalog", json_pack("{s:s, s:I, s:s}", "sha256", w->galaxies->sha256, "rows", (json_int_t)w->galaxies->count, "path",
		path ? path : "made-up"));
	return 0;
}

int real_world_hosts(const struct real_arguments *a, struct real_world *w, struct err *e)
{
	return w->stage ? drawn_hosts_of_sky(sim_stage_sky(w->stage), a->max_mpc, &w->hosts, e) : drawn_hosts_of_catalog(&w->catalog, a->max_mpc, &w->hosts, e);
}

json_t *real_world_input(const struct real_world *w, const json_t *policies)
{
	json_t *input = json_copy(w->input);
	json_object_set(input, "policies", (json_t *)policies);
	return input;
}

void real_world_close(struct real_world *w)
{
	drawn_hosts_free(&w->hosts);
	sim_stage_free(w->stage);
	if (w->galaxies == &w->catalog)
		catalog_close(&w->catalog);
	json_decref(w->input);
	json_decref(w->notes);
	json_decref(w->sites);
	*w = (struct real_world){0};
}

int real_dark(const struct real_world *w, int64_t from_us, int64_t to_us, struct err *e)
{
	const json_t *site;
	size_t i;
	char a[32], b[32];
	for (int64_t t = from_us; t <= to_us; t += 10 * UTC_MINUTE) {
		struct ephemeris_frame f;
		struct ephemeris_bodies bodies;
		ephemeris_frame_set(&f, t);
		ephemeris_bodies_at(&f, t, &bodies);
		json_array_foreach(w->sites, i, site) {
			struct ephemeris_site place = {json_number(site, "latitude_deg", 0), json_number(site, "longitude_deg", 0), json_number(site, "elevation_m", 0)};
			struct ephemeris_local l;
			ephemeris_local_at(&bodies, &place, &l);
			if (json_array_size(json_object_get(site, "telescopes")) > 0 && ephemeris_asin_deg(l.sun_sin_alt) < -12)
				return 0;
		}
	}
	return err_set(e, ERR_INPUT, "no site of %s is dark between %s and %s (Sun below -12 degrees): nothing could be observed; give a longer --hours or another --start",
		w->facilities, utc_format_s(a, from_us), utc_format_s(b, to_us));
}
