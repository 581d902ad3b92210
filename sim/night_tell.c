/* What a night's text tells the engine: alerts, in the senders' form, and the orders of a person; see night.h. */
#include "sim/night_parts.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/utc.h"
#include "sim/alert_write.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- alerts ---- */
static struct told *told_find(struct night *n, const char *name, int64_t back_us)
{
	for (int i = 0; i < n->told_count; i++)
		if (strcmp(n->told[i].name, name) == 0)
			return &n->told[i];
	if (n->told_count == NIGHT_EVENTS)
		return NULL;
	struct told *t = &n->told[n->told_count++];
	text_copy(t->name, sizeof t->name, name);
	t->event_us = sim_host_now(n->host) - back_us - 40 * UTC_SECOND;
	t->last.max = 16u << 20;
	return t;
}

static const char *option(const char *rest, const char *key, char *out, size_t size)
{
	size_t n = strlen(key);
	for (const char *p = rest; (p = strstr(p, key)) != NULL; p += n) {
		if ((p == rest || isspace((unsigned char)p[-1])) && p[n] == '=') {
			size_t len = strcspn(p + n + 1, " \t");
			snprintf(out, size, "%.*s", (int)len, p + n + 1);
			return out;
		}
	}
	return NULL;
}

static double number_option(const char *rest, const char *key, double otherwise)
{
	char buf[64];
	return option(rest, key, buf, sizeof buf) ? strtod(buf, NULL) : otherwise;
}

/* The same bytes with some bits the other way round: "12,3456", numbers of bits, counted on from the beginning past the end. */
static int alert_flipped(struct night *n, const char *topic, const struct text *alert, const char *bits, struct err *e)
{
	unsigned char *bytes = malloc(alert->len + 1);
	if (bytes == NULL || alert->len == 0) {
		free(bytes);
		return err_set(e, ERR_MEMORY, "no memory for an alert");
	}
	memcpy(bytes, alert->data, alert->len);
	for (const char *at = bits; *at; at += *at == ',') {
		char *end;
		unsigned long long bit = strtoull(at, &end, 10) % (8 * alert->len);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (end == at)
			break;
		at = end;
	}
	n->report->flipped++;
	int rc = sim_host_alert(n->host, topic, bytes, alert->len, e);
	free(bytes);
	return rc;
}

int night_alert(struct night *n, const char *rest, struct err *e)
{
	char name[64], type[32], stream[80], topic[80];
	int used = 0;
	if (sscanf(rest, "%63s %31s%n", name, type, &used) != 2)
		return err_set(e, ERR_INPUT, "write: alert EVENT TYPE [key=value …]");
	rest += used;
	int64_t late_us = (int64_t)(number_option(rest, "late", 0) * 1e6);
	double made_s = number_option(rest, "made", NAN); /* so long after 00:00, whenever it is heard; its event then */
	if (!isnan(made_s))
		late_us = sim_host_now(n->host) - n->start_us - (int64_t)(made_s * 1e6);
	struct told *t = told_find(n, name, late_us);
	if (t != NULL && !isnan(made_s))
		t->event_us = n->start_us - 40 * UTC_SECOND;
	if (t == NULL)
		return err_set(e, ERR_LIMIT, "more than %d events in one night", NIGHT_EVENTS);
	if (option(rest, "topic", topic, sizeof topic) == NULL)
		text_copy(topic, sizeof topic, "igwn.gwalert");
	if (strstr(rest, " again") != NULL)
		return sim_host_alert(n->host, topic, t->last.data, t->last.len, e);
	const struct text *fits = NULL;
	if (option(rest, "map", stream, sizeof stream) == NULL)
		text_copy(stream, sizeof stream, name);
	bool map = strcmp(stream, "none") != 0 && strcmp(type, "RETRACTION") != 0;
	if (map && sim_stage_map(n->o->stage, name, stream, &fits, e) < 0)
		return -1;
	double bns = number_option(rest, "bns", 0.95), nsbh = number_option(rest, "nsbh", 0.0);
	struct sim_alert a = {.event = name, .type = type, .created_us = sim_host_now(n->host) - late_us, .event_us = t->event_us,
		.far_hz = number_option(rest, "far", 1e-12), .significant = number_option(rest, "significant", 1) > 0,
		.instruments = "H1,L1,V1", .pipeline = "gstlal", .search = "AllSky", .p_bns = bns, .p_nsbh = nsbh,
		.p_terrestrial = number_option(rest, "terrestrial", 1 - bns - nsbh), .has_ns = number_option(rest, "has_ns", 1),
		.has_remnant = number_option(rest, "remnant", 1), .map = map ? fits->data : NULL, .map_len = map ? fits->len : 0};
	text_reset(&t->last);
	int rc = sim_alert_write(&a, &t->last, e);
	if (rc == 0 && option(rest, "flip", stream, sizeof stream) != NULL)
		return alert_flipped(n, topic, &t->last, stream, e);
	if (rc < 0 || sim_host_alert(n->host, topic, t->last.data, t->last.len, e) < 0)
		return -1;
	if (strcmp(type, "RETRACTION") == 0 && !sim_broker_is_away(n->broker)) /* now it is on disk; away: nobody has read it, and it may be lost */
		judge_close(&n->judge, name, "retraction", sim_host_now(n->host));
	return 0;
}

/* ---- orders ---- */
/* "#3" as a target is the third in rank; without so many the name stays, and the order is refused. */
static void order_target(struct night *n, json_t *order, const char *key)
{
	static const char nth[] = "SELECT t.key FROM target t JOIN event e ON e.id=t.event WHERE e.name=? AND t.rank=? ORDER BY t.generation DESC LIMIT 1";
	const char *name = json_text(order, key, "");
	char found[128];
	struct err e = {0};
	if (name[0] == '#' && query_text(n->db, found, sizeof found, &e, nth, "ti", json_text(order, "event", ""), (int64_t)atoll(name + 1)) == 1)
		json_object_set_new(order, key, json_string(found));
}

/* An order over which the engine died has no answer: a veto need not hold, a release may have been obeyed. */
static void order_judged(struct night *n, const json_t *order, bool ok, bool died)
{
	const char *verb = json_text(order, "verb", ""), *event = json_text(order, "event", "");
	if (json_object_get(order, "what") != NULL || json_object_get(order, "target") != NULL || json_object_get(order, "facility") != NULL)
		return; /* not the whole event */
	if (strcmp(verb, "veto") == 0 && ok)
		judge_close(&n->judge, event, "veto", sim_host_now(n->host));
	else if (strcmp(verb, "release") == 0 && (ok || died))
		judge_open(&n->judge, event, "veto", sim_host_now(n->host));
}

int night_order(struct night *n, const char *rest, struct err *e)
{
	bool refused = strncmp(rest, "refused ", 8) == 0, may = strncmp(rest, "try ", 4) == 0;
	rest += refused ? 8 : may ? 4 : 0;
	json_t *order = json_read(rest, strlen(rest), &json_limits_config, e), *answer = NULL;
	if (order == NULL)
		return -1;
	order_target(n, order, "what");
	order_target(n, order, "target");
	int64_t crashes = sim_host_counts(n->host).crashes;
	int rc = sim_host_order(n->host, 1000, order, &answer, e);
	char *said = answer ? json_canonical(answer) : NULL;
	bool died = sim_host_counts(n->host).crashes > crashes, ok = !died && json_flag(answer, "ok", false);
	if (rc == 0)
		order_judged(n, order, ok, died);
	if (rc == 0 && !may && !died && ok == refused) {
		err_set(e, ERR_INPUT, "the order was answered %s", said ? said : "not at all");
		rc = night_broke(n, "order");
	}
	free(said);
	json_decref(order);
	json_decref(answer);
	return rc;
}
