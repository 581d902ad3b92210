/* Frames of a camera as targets of an event: what is wanted of the ranking, and what comes back. */
#include "engine/base/json.h"
#include "engine/core/turn.h"
#include "engine/target/footprint.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAMERAS 16 /* of an event, at most */

/* A key is this and the pixel: rtrim(key,'0123456789'). Cameras may be called "a" and "a:b". */
void fields_prefix(const struct policy *p, char *out, size_t size)
{
	snprintf(out, size, "field:%s:", p->footprint);
}

/* Pointings of the last ranking, and those that a telescope has and that stay: with `replan: cancel` what has not begun may fall out. */
static json_t *old_fields(struct core *c, int64_t event, const struct policy *p)
{
	static const char before[] =
		"SELECT t.ra_deg,t.dec_deg,EXISTS (SELECT 1 FROM request r WHERE r.target=t.id AND (r.state IN ('running','done') OR ?3=0 AND r.unwanted=0 AND "
		"r.state IN ('asked','unsure','accepted','scheduled'))) AS asked FROM target t WHERE t.event=?1 AND t.kind='field' AND "
		"rtrim(t.key,'0123456789')=?2 AND (asked=1 OR t.generation=(SELECT max(generation) FROM target WHERE event=?1 AND kind='field' AND "
		"rtrim(key,'0123456789')=?2)) ORDER BY asked DESC,ifnull(t.rank,0),t.id LIMIT 1000";
	char prefix[64];
	fields_prefix(p, prefix, sizeof prefix);
	json_t *rows = get_rows(c, before, "iti", event, prefix, (int64_t)p->replan_cancel), *row, *out = json_array();
	size_t i;
	json_array_foreach(rows, i, row)
		json_array_append_new(out, json_pack("[f,f,b]", json_number(row, "ra_deg", 0), json_number(row, "dec_deg", 0), json_int(row, "asked", 0) == 1));
	json_decref(rows);
	return out;
}

/* The instrument of a facility in use that answers to the policy's words; NULL: a shape of its own, or nobody's (*known then says so). */
static const json_t *camera_of(struct core *c, const struct policy *p, bool *known)
{
	const json_t *descriptors[CAMERAS];
	struct footprint shape;
	struct err e = {0};
	size_t n = 0;
	for (size_t i = 0; i < c->site_count && n < CAMERAS; i++)
		descriptors[n++] = c->sites[i].descriptor;
	const json_t *instrument = footprint_instrument(descriptors, n, p->footprint);
	*known = instrument != NULL || footprint_find(NULL, 0, p->footprint, &shape, &e) == 0;
	return instrument;
}

static json_t *camera_find(const json_t *list, const char *words)
{
	json_t *entry;
	size_t i;
	json_array_foreach(list, i, entry)
		if (strcmp(json_text(entry, "camera", ""), words) == 0)
			return entry;
	return NULL;
}

/* Of the first site of the ladder's first facility: where a region is looked at from. NaN: nobody knows. */
static double latitude_of(struct core *c, const struct policy *p)
{
	static const char owner[] = "SELECT facility FROM programme WHERE name=?";
	const json_t *rung = json_array_get(json_object_get(p->body, "ladder"), 0);
	char facility[64];
	get_text(c, facility, sizeof facility, owner, "t", json_text(rung, "programme", ""));
	const struct site *s = site_find(c, json_text(rung, "facility", facility));
	return s != NULL ? json_number(json_array_get(json_object_get(s->descriptor, "sites"), 0), "latitude_deg", NAN) : NAN;
}

void fields_want(struct core *c, int64_t event, const struct policy *p, bool catalog, json_t *list)
{
	bool known, sky = strcmp(p->from, "fields") == 0;
	const json_t *instrument = camera_of(c, p, &known);
	bool region = strcmp(p->from, "region") == 0;
	json_t *entry = camera_find(list, p->footprint);
	if (!known && !region) {
		alarm_raise(c, p->name, "camera", "no facility in use has a camera \"%s\": the policy's fields cannot be made; mend targets.footprint", p->footprint);
		return;
	}
	alarm_clear(c, p->name, "camera");
	if (!catalog && !sky && !region) {
		alarm_raise(c, "catalogue", "missing", "an event is believed and there is no galaxy catalogue in the configuration: nothing can be ranked");
		return;
	}
	if (entry == NULL && region) {
		json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:o}", "camera", p->footprint, "from", p->from, "probability", json_real_or_null(p->probability),
			"latitude_deg", json_real_or_null(latitude_of(c, p))));
		return;
	}
	if (entry == NULL) { /* one packing serves all policies of a camera: the first one's way, the longest list, the widest cut */
		json_array_append_new(list, json_pack("{s:s,s:O?,s:s,s:s,s:i,s:o,s:o}", "camera", p->footprint, "instrument", instrument, "from", p->from, "weight",
			p->weight, "top", p->top, "probability", json_real_or_null(p->probability), "old", old_fields(c, event, p)));
		return;
	}
	double cut = json_number(entry, "probability", NAN);
	if (p->top > json_int(entry, "top", 0))
		json_object_set_new(entry, "top", json_integer(p->top));
	json_object_set_new(entry, "probability", json_real_or_null(isnan(cut) || isnan(p->probability) ? NAN : fmax(cut, p->probability)));
}

/* Two jobs ask the same, but for the pointings of before. */
bool fields_same_job(const char *a, const char *b)
{
	json_t *job[2] = {json_parse(a), json_parse(b)}, *entry;
	size_t i;
	for (int k = 0; k < 2; k++) {
		json_object_del(job[k], "again");
		json_array_foreach(json_object_get(job[k], "fields"), i, entry)
			json_object_del(entry, "old");
	}
	bool same = json_equal(job[0], job[1]);
	json_decref(job[0]);
	json_decref(job[1]);
	return same;
}

static bool asked_in(const json_t *old, const json_t *frame)
{
	const json_t *o;
	size_t i;
	json_array_foreach(old, i, o) {
		bool here = true;
		for (size_t k = 0; k < 2; k++) /* 1e-9 deg: the same frame, through text */
			here = here && fabs(json_number_value(json_array_get(o, k)) - json_number_value(json_array_get(frame, k))) < 1e-9;
		if (here && json_is_true(json_array_get(o, 2)))
			return true;
	}
	return false;
}

bool fields_asked_since(const json_t *done, const json_t *now)
{
	const json_t *entry, *frame;
	size_t i, k;
	json_array_foreach(json_object_get(now, "fields"), i, entry) {
		const json_t *before = camera_find(json_object_get(done, "fields"), json_text(entry, "camera", ""));
		json_array_foreach(json_object_get(entry, "old"), k, frame)
			if (before != NULL && json_is_true(json_array_get(frame, 2)) && !asked_in(json_object_get(before, "old"), frame))
				return true;
	}
	return false;
}

/* What comes back ------------------------------------------------------------------------------------------------------------------ */

static void members_put(struct core *c, int64_t event, int64_t generation, const json_t *field)
{
	static const char insert[] = "INSERT INTO field_galaxy(field,galaxy,generation) SELECT f.id,g.id,?4 FROM target f JOIN target g ON g.event=f.event "
				     "WHERE f.event=?1 AND f.key=?2 AND g.key=?3 ON CONFLICT(field,galaxy) DO UPDATE SET generation=excluded.generation";
	const json_t *key;
	size_t i;
	json_array_foreach(json_object_get(field, "galaxies"), i, key)
		if (json_is_string(key))
			put(c, insert, "itti", event, json_text(field, "key", ""), json_string_value(key), generation);
}

void fields_result(struct core *c, int64_t event, int64_t generation, const json_t *fields)
{
	static const char region[] = "UPDATE target SET region=? WHERE event=? AND key=?";
	const json_t *f;
	size_t i;
	json_array_foreach(fields, i, f) {
		if (i >= LIMIT_RANKED)
			break;
		target_put(c, event, generation, "field", f);
		members_put(c, event, generation, f);
		if (json_text(f, "region", NULL) != NULL)
			put(c, region, "tit", json_text(f, "region", ""), event, json_text(f, "key", ""));
	}
}

/* A policy of frames: each of its frames waits for a plan, and each galaxy in one says in which. */
static void frames_verdicts(struct core *c, int64_t event, int64_t generation, const struct policy *p)
{
	static const char frames[] = "INSERT INTO verdict(event,policy,target,code,seq) SELECT ?1,?2,t.id,'candidate',?3 FROM target t WHERE t.event=?1 "
				     "AND t.generation=?4 AND t.kind='field' AND rtrim(t.key,'0123456789')=?5 "
				     "ON CONFLICT(event,policy,ifnull(target,0)) DO UPDATE SET code='candidate',detail='',seq=?3 WHERE code='below_cut'";
	static const char galaxies[] =
		"INSERT INTO verdict(event,policy,target,code,detail,seq) SELECT ?1,?2,galaxy,'in_field','in the field of '||name,?3 FROM (SELECT m.galaxy AS "
		"galaxy,f.name AS name,min(f.rank) FROM field_galaxy m JOIN target f ON f.id=m.field WHERE f.event=?1 AND m.generation=?4 AND "
		"rtrim(f.key,'0123456789')=?5 GROUP BY m.galaxy) WHERE true ON CONFLICT(event,policy,ifnull(target,0)) DO UPDATE SET code='in_field',"
		"detail=excluded.detail,seq=?3 WHERE code IN ('below_cut','candidate','in_field')";
	static const char others[] =
		"INSERT INTO verdict(event,policy,target,code,detail,seq) SELECT ?1,?2,t.id,'below_cut','in none of the fields that were chosen',?3 FROM target t "
		"WHERE t.event=?1 AND t.generation=?4 AND t.kind='galaxy' AND t.pinned=0 ON CONFLICT(event,policy,ifnull(target,0)) DO UPDATE SET "
		"code='below_cut',detail=excluded.detail,seq=?3 WHERE code IN ('candidate','in_field') AND NOT EXISTS (SELECT 1 FROM field_galaxy m JOIN target f "
		"ON f.id=m.field WHERE m.galaxy=excluded.target AND m.generation=?4 AND rtrim(f.key,'0123456789')=?5)";
	char prefix[64];
	fields_prefix(p, prefix, sizeof prefix);
	put(c, frames, "itiit", event, p->name, c->seq, generation, prefix);
	put(c, galaxies, "itiit", event, p->name, c->seq, generation, prefix);
	put(c, others, "itiit", event, p->name, c->seq, generation, prefix);
}

void fields_verdicts(struct core *c, int64_t event, int64_t generation)
{
	static const char believers[] = "SELECT policy FROM decision WHERE event=? AND state IN ('warm','triggered') ORDER BY policy";
	/* a galaxy without a rank is there for a frame of another policy that holds it */
	static const char plain[] =
		"INSERT INTO verdict(event,policy,target,code,detail,seq) SELECT ?1,?2,id,iif(listed,'candidate','below_cut'),"
		"iif(listed,'','not in the list of this policy'),?3 FROM (SELECT id,kind<>'galaxy' OR pinned=1 OR rank IS NOT NULL AS listed FROM target "
		"WHERE event=?1 AND generation=?4 AND kind<>'field') WHERE true ON CONFLICT(event,policy,ifnull(target,0)) DO UPDATE SET code=excluded.code,"
		"detail=excluded.detail,seq=?3 WHERE code IN ('below_cut','candidate') AND code<>excluded.code";
	/* frames of a policy that is gone, or wants another camera by now */
	static const char nobody[] = "INSERT INTO verdict(event,policy,target,code,detail,seq) SELECT ?1,'',t.id,'below_cut','no policy in force wants it',?2 "
				     "FROM target t WHERE t.event=?1 AND t.generation=?3 AND t.id NOT IN (SELECT target FROM verdict WHERE event=?1 AND "
				     "target IS NOT NULL)";
	json_t *rows = get_rows(c, believers, "i", event), *row;
	size_t i;
	json_array_foreach(rows, i, row) {
		const struct policy *p = rule_current(c, json_text(row, "policy", ""), NULL);
		if (p != NULL && p->footprint[0])
			frames_verdicts(c, event, generation, p);
		else
			put(c, plain, "itii", event, json_text(row, "policy", ""), c->seq, generation);
	}
	put(c, nobody, "iii", event, c->seq, generation);
	json_decref(rows);
}
