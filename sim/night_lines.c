/* The timed lines of a night: what happens in the world, and what must hold; see night.h. */
#include "sim/night_parts.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what must hold ---- */
static int do_expect(struct night *n, char *rest, struct err *e)
{
	char got[512] = "", *op, *want;
	if (judge_split(rest, &op, &want, e) < 0 || query_text(n->db, got, sizeof got, e, rest, "") < 0)
		return -1;
	return judge_compare(got, op, want, rest, e) < 0 ? night_broke(n, "expect") : 0;
}

static int portal_expect(struct night *n, const struct night_place *p, char *rest, struct err *e)
{
	char got[128] = "0", *op, *want, *next;
	if (judge_split(rest, &op, &want, e) < 0)
		return -1;
	json_t *ledger = sim_portal_ledger(p->portal);
	const json_t *v = ledger;
	for (char *part = strtok_r(rest, "/ ", &next); part != NULL && v != NULL; part = strtok_r(NULL, "/ ", &next))
		v = json_object_get(v, part);
	if (json_is_number(v))
		snprintf(got, sizeof got, "%.15g", json_number_value(v));
	else if (json_is_string(v))
		text_copy(got, sizeof got, json_string_value(v));
	json_decref(ledger);
	return judge_compare(got, op, want, "the portal's count", e) < 0 ? night_broke(n, "expect") : 0;
}

/* The next word of a line, cut off in place; *rest: what follows it. */
static char *word_next(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	char *end = word + strcspn(word, " \t");
	*rest = end + strspn(end, " \t");
	*end = '\0';
	return word;
}

static int do_portal(struct night *n, char *rest, struct err *e)
{
	struct night_place *p = &n->place[0], *named;
	char *kind = word_next(&rest);
	if ((named = night_place_find(n, kind)) != NULL) {
		p = named;
		kind = word_next(&rest);
	}
	if (strcmp(kind, "calm") == 0) {
		sim_portal_calm(p->portal);
		return 0;
	}
	if (strcmp(kind, "expect") == 0)
		return portal_expect(n, p, rest, e);
	json_t *v = *rest ? json_read(rest, strlen(rest), &json_limits_config, e) : json_object();
	int rc = v ? sim_portal_add(p->portal, kind, v) : -1;
	json_decref(v);
	return rc < 0 ? err_set(e, ERR_INPUT, "portal %s {…}: not understood", kind) : 0;
}

/* A fair quiet time: then everything must be at rest. */
static int do_settle(struct night *n, double hours, struct err *e)
{
	int64_t until_us = sim_host_now(n->host) + (int64_t)(hours * 3.6e9);
	int busy = 1;
	night_calm(n);
	while (busy == 1 && sim_host_now(n->host) < until_us) {
		if (sim_host_run(n->host, sim_host_now(n->host) + 10 * UTC_MINUTE, e) < 0)
			return -1;
		busy = judge_busy(n->db, e);
	}
	return busy < 0 ? -1 : judge_rest(n->db, sim_host_utc(n->host), sim_host_tick(n->host), n->report->broken, e) != 0 ? -1 : 0;
}

/* ---- the world ---- */
static int do_calm(struct night *n, char *rest, struct err *e)
{
	(void)rest;
	(void)e;
	night_calm(n);
	return 0;
}

static int do_bytes(struct night *n, char *rest, struct err *e)
{
	return sim_host_alert(n->host, "igwn.gwalert", rest, strlen(rest), e);
}

static int do_alert(struct night *n, char *rest, struct err *e)
{
	return night_alert(n, rest, e);
}

static int do_order(struct night *n, char *rest, struct err *e)
{
	return night_order(n, rest, e);
}

/* SECONDS [lost] [in N [after]] */
static int do_crash(struct night *n, char *rest, struct err *e)
{
	const char *in = strstr(rest, " in ");
	struct sim_doom doom = {.down_us = (int64_t)(strtod(rest, NULL) * 1e6), .lost = strstr(rest, " lost") != NULL};
	if (in == NULL)
		return sim_host_crash(n->host, doom.down_us, doom.lost, e);
	doom.commit = atoi(in + 4);
	doom.after = strstr(in, " after") != NULL;
	doom.asks = strstr(in, " asks") != NULL;
	if (doom.commit < 1)
		return err_set(e, ERR_INPUT, "crash SECONDS in N: N is 1 for the next commit");
	sim_host_doom(n->host, &doom);
	return 0;
}

static int do_copy(struct night *n, char *rest, struct err *e)
{
	(void)rest;
	return night_copy(n, e);
}

static int do_restore(struct night *n, char *rest, struct err *e)
{
	return night_restore(n, (int64_t)(strtod(rest, NULL) * 1e6), e);
}

static int reload(struct night *n, json_t *target, const char *rest, struct err *e)
{
	json_t *patch = json_read(rest, strlen(rest), &json_limits_config, e);
	if (patch == NULL)
		return -1;
	night_merge(target, patch);
	json_decref(patch);
	return sim_host_reload(n->host, e);
}

static int do_policy(struct night *n, char *rest, struct err *e)
{
	return reload(n, n->policy, rest, e);
}

static int do_config(struct night *n, char *rest, struct err *e)
{
	return reload(n, json_object_get(n->config, "config"), rest, e);
}

static int do_clock(struct night *n, char *rest, struct err *e)
{
	return sim_host_clock(n->host, (int64_t)(strtod(rest, NULL) * 1e6), e);
}

static int do_settling(struct night *n, char *rest, struct err *e)
{
	return do_settle(n, strtod(rest, NULL), e);
}

static int do_disk(struct night *n, char *rest, struct err *e)
{
	return night_disk_do(n, rest, e);
}

/* away | back | lost: taken away, given back, and meanwhile not kept long enough */
static int do_broker(struct night *n, char *rest, struct err *e)
{
	const char *word = word_next(&rest);
	n->report->rebalances += strcmp(word, "back") == 0 && sim_broker_is_away(n->broker);
	if (strcmp(word, "away") == 0 || strcmp(word, "back") == 0)
		return sim_host_rebalance(n->host, word[0] == 'a', e);
	if (strcmp(word, "lost") != 0)
		return err_set(e, ERR_INPUT, "broker away | back | lost");
	int lost = sim_broker_forget(n->broker);
	return sim_host_gap(n->host, "igwn.gwalert", "gap", (int64_t)sim_broker_count(n->broker) - lost, (int64_t)sim_broker_count(n->broker), e);
}

static int do_end(struct night *n, char *rest, struct err *e)
{
	(void)n;
	(void)rest;
	(void)e;
	return 0;
}

int night_do(struct night *n, char *line, struct err *e)
{
	static const struct {
		const char *word;
		int (*act)(struct night *n, char *rest, struct err *e);
	} verbs[] = {{"alert", do_alert}, {"bytes", do_bytes}, {"order", do_order}, {"portal", do_portal}, {"calm", do_calm}, {"crash", do_crash},
		{"copy", do_copy}, {"restore", do_restore}, {"policy", do_policy}, {"config", do_config}, {"settle", do_settling},
		{"clock", do_clock}, {"disk", do_disk}, {"broker", do_broker}, {"expect", do_expect}, {"end", do_end}};
	char *rest = line;
	const char *word = word_next(&rest);
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].word, word) == 0)
			return verbs[i].act(n, rest, e);
	return err_set(e, ERR_INPUT, "\"%.40s\" is not understood", word);
}
