/* One story for every adapter: `make facility-check F=NAME`. tests/facility/stories/ADAPTER.json tells it as data:
 *   {"request":{…},                     behind every scene (tests/lib/exchange.c has what is absent); instrument, filters: the descriptor's first
 *    "cannot":{"counter":"why"},        scenes that this kind of facility does not know
 *    "story":[{"scene","verb","step","memo","request":{…},"reply":{"sent","status","content_type","body"}}]}
 * Each scene is judged by what it must mean (struct meaning), never by what the file says of it. Beyond that, what holds for any adapter:
 * calls that may leave once only, replies that are cut, bent or of another verb, the same bytes the same answers. */
#include "test.h"
#include "embedded.h"
#include "example_adapter.h"
#include "exchange.h"
#include "engine/base/embed.h"
#include "engine/base/json.h"
#include "engine/base/utc.h"
#include <math.h>

#define NOW_US (1795456800 * UTC_SECOND)

/* What a scene must come to, on its last page. */
static const struct meaning {
	const char *scene;
	unsigned verbs;  /* 1 << verb */
	unsigned kinds;  /* 1 << answer kind: one answer of them must be there */
	bool nothing_made, complete;
} meanings[] = {
	{"accept", 1u << VERB_SUBMIT, 1u << ANSWER_ACCEPTED, false, true},
	{"refuse", 1u << VERB_SUBMIT | 1u << VERB_OFFER, 1u << ANSWER_DECLINED, true, false},
	{"counter", 1u << VERB_SUBMIT | 1u << VERB_OFFER, 1u << ANSWER_COUNTERED, true, false},
	{"lost reply", 1u << VERB_SUBMIT, 1u << ANSWER_UNKNOWN, false, false},
	{"duplicate", 1u << VERB_FIND, 1u << ANSWER_ACCEPTED, false, true},
	{"absent", 1u << VERB_FIND, 1u << ANSWER_ABSENT, false, true},
	{"cancel late", 1u << VERB_CANCEL, 1u << ANSWER_RUNNING | 1u << ANSWER_DONE, false, true},
	{"unknown state", 1u << VERB_POLL, 1u << ANSWER_UNKNOWN, false, false},
	{"garbage", ~0u, 1u << ANSWER_UNKNOWN, false, false},
	{"pages", ~0u, 0, false, false},
};

struct stage {
	const struct facility_ops *ops;
	struct facility_conf conf;
	json_t *request; /* with its instrument and filters */
	const char *scene;
};

static void read_one(const struct stage *s, const json_t *scene, const struct reply *reply, struct answers *out)
{
	json_t *own = json_copy(s->request);
	json_object_update(own, json_object_get(scene, "request"));
	const struct facility_request q = exchange_request(own, NOW_US);
	const struct view v = {.now_us = NOW_US, .verb = (enum verb)verb_from_name(json_text(scene, "verb", "")), .step = (int)json_int(scene, "step", 0), .request = &q,
			       .memo = json_object_get(scene, "memo"), .facility_memo = json_object_get(scene, "facility_memo"), .prefix = "slew-00000000-", .since_us = UTC_NONE};
	*out = (struct answers){0};
	assert_int_equal(s->ops->read(&s->conf, &v, reply, out), 0);
	for (size_t i = 0; i < out->count; i++)
		if (v.verb == VERB_SUBMIT && reply->sent == SENT_MAYBE && (out->list[i].creates_nothing || out->list[i].kind != ANSWER_UNKNOWN))
			fail_msg("%s, %s: a submission whose answer was lost may have been taken; read says %s", s->conf.name, s->scene, answer_name(out->list[i].kind));
	json_decref(own);
}

/* The call of the scene's verb and step; false: this facility has none (no archive …). */
static bool call_holds(const struct stage *s, const json_t *scene)
{
	json_t *own = json_copy(s->request);
	json_object_update(own, json_object_get(scene, "request"));
	struct facility_request q = exchange_request(own, NOW_US);
	struct view v = {.now_us = NOW_US, .verb = (enum verb)verb_from_name(json_text(scene, "verb", "")), .step = (int)json_int(scene, "step", 0), .request = &q,
			 .memo = json_object_get(scene, "memo"), .facility_memo = json_object_get(scene, "facility_memo"), .prefix = "slew-00000000-", .since_us = UTC_NONE};
	struct call c, again;
	struct err e = {0};
	int rc = facility_render(s->ops, &s->conf, &v, &c, &e);
	if (rc < 0)
		fail_msg("%s, %s: the call of the reply that the story has cannot be made: %s", s->conf.name, s->scene, e.text);
	json_decref(own);
	if (rc == 1)
		return false;
	assert_true(c.path[0] == '/' || c.path[0] == '\0');
	if (strstr(c.path, "//") != NULL || (c.once && v.verb != VERB_SUBMIT))
		fail_msg("%s, %s: path %s, once %d: a path names no host, and only a submission leaves once only", s->conf.name, s->scene, c.path, c.once);
	if (v.verb == VERB_SUBMIT && strcmp(s->scene, "accept") == 0 && (!c.once || c.body == NULL))
		fail_msg("%s: a submission has a body and leaves at most once", s->conf.name);
	json_t *j = call_json(&c);
	assert_ok(call_from_json(j, &again, &e), &e);
	json_decref(j);
	call_free(&again);
	call_free(&c);
	return true;
}

static void scene_means(const struct stage *s, const struct meaning *m, const json_t *scene)
{
	char *body;
	struct reply reply = exchange_reply(json_object_get(scene, "reply"), &body);
	struct answers a;
	bool found = m->kinds == 0, twin = false, nothing = true;
	read_one(s, scene, &reply, &a);
	for (size_t i = 0; i < a.count; i++) {
		found |= (m->kinds >> a.list[i].kind & 1) != 0;
		twin |= strcmp(a.list[i].field, "duplicate") == 0 && a.list[i].remote_id[0] != '\0';
		nothing &= a.list[i].creates_nothing;
		if (a.list[i].kind == ANSWER_ABSENT && strcmp(m->scene, "absent") != 0)
			fail_msg("%s, %s: absent, when nothing says so", s->conf.name, m->scene);
		if ((m->kinds >> a.list[i].kind & 1) && a.list[i].kind != ANSWER_ABSENT && a.list[i].words[0] == '\0' && a.list[i].remote_id[0] == '\0')
			fail_msg("%s, %s: neither words nor a number", s->conf.name, m->scene);
	}
	if (!(m->verbs >> verb_from_name(json_text(scene, "verb", "")) & 1) || !found || (m->complete && !a.complete) || (m->nothing_made && !nothing))
		fail_msg("%s, %s: read as %s (%s), complete %d, nothing made %d", s->conf.name, m->scene, a.count ? answer_name(a.list[0].kind) : "-", a.count ? a.list[0].words : "",
			 a.complete, nothing);
	for (size_t i = 0; strcmp(m->scene, "lost reply") == 0 && i < a.count; i++)
		if (a.list[i].creates_nothing || a.list[i].kind != ANSWER_UNKNOWN)
			fail_msg("%s: nobody knows whether a lost submission was taken; read says %s", s->conf.name, answer_name(a.list[i].kind));
	if (strcmp(m->scene, "duplicate") == 0 && !twin)
		fail_msg("%s: of two with one name the second is not told apart", s->conf.name);
	if (strcmp(m->scene, "pages") == 0 && (a.next_step < 0 || a.complete))
		fail_msg("%s: there is another page, and it is not asked for", s->conf.name);
	answers_free(&a);
	free(body);
}

static json_t *shape(const struct answers *a)
{
	json_t *out = json_array();
	for (size_t i = 0; i < a->count; i++)
		json_array_append_new(out, json_pack("[s, s, s, s, b]", answer_name(a->list[i].kind), a->list[i].token, a->list[i].remote_id, a->list[i].stem, (int)a->list[i].creates_nothing));
	json_array_append_new(out, json_pack("[i, b]", a->next_step, (int)a->complete));
	return out;
}

/* The same bytes twice; cut, bent, and not answered at all: never taken for accepted, and no proof that nothing was made unless nothing was sent. */
static void scene_bent(const struct stage *s, const json_t *scene)
{
	char *body;
	struct reply whole = exchange_reply(json_object_get(scene, "reply"), &body), r = whole;
	struct answers a, b;
	uint32_t random = 12345;
	read_one(s, scene, &whole, &a);
	read_one(s, scene, &whole, &b);
	json_t *one = shape(&a), *two = shape(&b);
	assert_true(json_equal(one, two));
	json_decref(one);
	json_decref(two);
	answers_free(&a);
	answers_free(&b);
	for (int sent = SENT_NO; sent <= SENT_MAYBE; sent++) {
		r = (struct reply){.sent = (enum sent)sent, .content_type = "", .transport = "connection reset", .retry_after_s = -1, .body = "", .len = 0};
		read_one(s, scene, &r, &a);
		for (size_t i = 0; i < a.count; i++)
			assert_true(a.list[i].kind != ANSWER_ACCEPTED && a.list[i].kind != ANSWER_ABSENT);
		answers_free(&a);
	}
	for (size_t n = 0; n < 64 && whole.len > 0; n++) {
		char *bent = malloc(whole.len);
		memcpy(bent, body, whole.len);
		r = whole;
		r.body = bent;
		r.len = n < 16 ? whole.len * n / 16 : whole.len;
		random = random * 1664525u + 1013904223u;
		if (n >= 16)
			bent[random / 251 % whole.len] = (char)(random >> 24);
		read_one(s, scene, &r, &a);
		for (size_t i = 0; n < 16 && i < a.count; i++)
			if (a.list[i].kind == ANSWER_ACCEPTED || a.list[i].kind == ANSWER_ABSENT)
				fail_msg("%s, %s: half a reply read as %s", s->conf.name, s->scene, answer_name(a.list[i].kind));
		answers_free(&a);
		free(bent);
	}
	free(body);
}

/* The descriptor's promises: what it says it can do, the adapter does. */
static void promises_hold(const struct stage *s, const json_t *story)
{
	const json_t *cannot = json_object_get(story, "cannot"), *d = s->conf.descriptor;
	if (json_flag(d, "can_cancel", false) && json_object_get(cannot, "cancel late") != NULL)
		fail_msg("%s: its descriptor says can_cancel, its story knows no cancel", s->conf.name);
	if (strcmp(json_text(d, "on_doubt", ""), "find") == 0 && (json_object_get(cannot, "absent") != NULL || json_object_get(cannot, "duplicate") != NULL))
		fail_msg("%s: its descriptor says on_doubt find, its story never looks", s->conf.name);
	assert_int_equal(s->ops->abi, FACILITY_ABI);
	assert_non_null(s->ops->read);
}

static size_t scene_play(struct stage *s, const struct meaning *m, const json_t *story)
{
	const json_t *list = json_object_get(story, "story"), *scene;
	size_t i, played = 0;
	json_array_foreach(list, i, scene) {
		if (strcmp(json_text(scene, "scene", ""), m->scene) != 0)
			continue;
		s->scene = m->scene;
		if (verb_from_name(json_text(scene, "verb", "")) < 0)
			fail_msg("%s, %s: \"verb\" is missing or not known", s->conf.name, m->scene);
		if (!call_holds(s, scene))
			continue;
		scene_means(s, m, scene);
		scene_bent(s, scene);
		played++;
	}
	return played;
}

static json_t *story_of(const char *adapter)
{
	char path[100];
	struct err e = {0};
	snprintf(path, sizeof path, "tests/facility/stories/%s.json", adapter);
	return json_read_file(path, &json_limits_config, NULL, &e);
}

/* false: its adapter has no story. */
static bool facility_holds(const struct facility_ops *ops, const json_t *descriptor)
{
	const char *adapter = json_text(descriptor, "adapter", ""), *name = json_text(descriptor, "name", "?");
	json_t *story = story_of(adapter);
	size_t played = 0;
	if (story == NULL)
		return false;
	if (ops == NULL)
		fail_msg("%s: facilities/registry.c has no adapter \"%s\"", name, adapter);
	const json_t *instrument = json_array_get(json_object_get(descriptor, "instruments"), 0);
	json_t *request = json_pack("{s:O, s:[O]}", "instrument", json_object_get(instrument, "code"), "filters", json_array_get(json_object_get(instrument, "filters"), 0));
	json_object_update(request, json_object_get(story, "request"));
	struct stage s = {.ops = ops, .conf = {name, descriptor}, .request = request};
	for (size_t m = 0; m < sizeof meanings / sizeof meanings[0]; m++) {
		size_t n = scene_play(&s, &meanings[m], story);
		const char *why = json_text(json_object_get(story, "cannot"), meanings[m].scene, NULL);
		if (n == 0 && why == NULL)
			fail_msg("%s: the story of adapter %s has no scene \"%s\", and \"cannot\" does not say why", name, adapter, meanings[m].scene);
		if (n == 0)
			printf("# %s cannot tell \"%s\": %s\n", name, meanings[m].scene, why);
		played += n;
	}
	promises_hold(&s, story);
	printf("# %s (%s): %zu scenes\n", name, adapter, played);
	json_decref(request);
	json_decref(story);
	return true;
}

static void every_facility_tells_it(void **state)
{
	(void)state;
	const char *only = getenv("FACILITY");
	size_t told = 0;
	only = only != NULL && only[0] != '\0' ? only : NULL;
	for (const struct embed *f = embed_table; f->path != NULL; f++) {
		if (strncmp(f->path, "facilities/", 11) != 0)
			continue;
		json_t *d = embedded_json(f->path);
		const char *name = json_text(d, "name", ""), *adapter = json_text(d, "adapter", "");
		bool asked = only == NULL || strcmp(only, name) == 0 || strcmp(only, adapter) == 0;
		if (asked && facility_holds(facility_find(adapter), d))
			told++;
		else if (asked && only != NULL)
			fail_msg("%s: write tests/facility/stories/%s.json", name, adapter);
		else if (asked)
			printf("# %s: no story of adapter %s yet\n", name, adapter);
		json_decref(d);
	}
	if (only == NULL ? told < 6 : told == 0 && strcmp(only, "example") != 0)
		fail_msg("there is no facility and no adapter \"%s\"", only != NULL ? only : "");
}

static void the_example_tells_it(void **state)
{
	(void)state;
	struct err e = {0};
	json_t *d = json_read_file("tests/facility/stories/example-descriptor.json", &json_limits_config, NULL, &e);
	if (d == NULL)
		fail_msg("%s", e.text);
	assert_true(facility_holds(&facility_example, d));
	json_decref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_facility_tells_it), cmocka_unit_test(the_example_tells_it)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
