/* The book of a night: see book.h. */
#include "sim/book.h"
#include "engine/base/hash.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/base/utc.h"
#include "sim/journal.h"
#include "sim/replay.h"
#include <stdlib.h>
#include <string.h>

#define SAME_TIME_US (30 * UTC_SECOND) /* as far apart may the same words of two runs be */

static void *grown(void **list, size_t *count, size_t *cap, size_t size)
{
	if (*count == *cap) {
		size_t more = *cap ? 2 * *cap : 256;
		void *p = realloc(*list, more * size);
		if (p == NULL)
			return NULL;
		*list = p;
		*cap = more;
	}
	void *at = (char *)*list + (*count)++ * size;
	memset(at, 0, size);
	return at;
}

enum book_kind book_key(sqlite3 *db, const struct effect *f, char key[65], char verb[16])
{
	static const char named[] = "SELECT coalesce(verb,compute,kind) FROM effect WHERE id=?";
	struct text words = {.max = 80u << 20};
	struct err ignored = {0};
	int64_t step = 0;
	verb[0] = '\0';
	query_text(db, verb, 16, &ignored, named, "i", f->id);
	query_int(db, &step, &ignored, "SELECT step FROM effect WHERE id=?", "i", f->id);
	bool status = f->kind == EFFECT_call && strcmp(verb, "status") == 0;
	char *body = status ? NULL : json_canonical(f->body);
	text_printf(&words, "%d|%s|%s|%lld|%s", (int)f->kind, f->facility, verb, (long long)step, body ? body : "");
	hash_sha256_hex(words.data ? words.data : "", words.len, key);
	free(body);
	text_free(&words);
	return status ? BOOK_STATUS : f->kind != EFFECT_call || strcmp(verb, "offer") == 0 ? BOOK_PURE : BOOK_STATEFUL;
}

/* ---- making ---- */
static int released(void *ctx, sqlite3 *fresh, int64_t tick_us, const struct effects *list, struct err *e)
{
	struct book *b = ctx;
	char key[65], verb[16];
	for (size_t i = 0; i < list->count; i++) {
		enum book_kind kind = book_key(fresh, &list->list[i], key, verb);
		json_t *same = json_object_get(b->by_key, key);
		struct book_entry *x = grown((void **)&b->entry, &b->entries, &b->entry_cap, sizeof *x);
		if (same == NULL) {
			same = json_array();
			json_object_set_new(b->by_key, key, same);
		}
		if (x == NULL || same == NULL || json_array_append_new(same, json_integer((json_int_t)b->entries - 1)) < 0)
			return err_set(e, ERR_MEMORY, "no memory for what was asked that night");
		*x = (struct book_entry){.effect = list->list[i].id, .tick_us = tick_us, .kind = kind,
			.write = strcmp(verb, "submit") == 0 || strcmp(verb, "cancel") == 0};
		text_copy(x->facility, sizeof x->facility, list->list[i].facility);
	}
	return 0;
}

static int feeding(void *ctx, const struct journal_row *row, struct err *e)
{
	struct book *b = ctx;
	bool answer = row->in.kind == INPUT_reply || row->in.kind == INPUT_result;
	if (row->in.kind == INPUT_timer) {
		struct book_input *t = grown((void **)&b->timer, &b->timers, &b->timer_cap, sizeof *t);
		if (t == NULL)
			return err_set(e, ERR_MEMORY, "no memory for a timer");
		*t = (struct book_input){.seq = row->seq, .tick_us = row->in.tick_us};
	}
	for (size_t i = b->entries; answer && i-- > 0;) {
		if (b->entry[i].effect != row->in.effect)
			continue;
		struct book_input *r = grown((void **)&b->reply, &b->replies, &b->reply_cap, sizeof *r);
		if (r == NULL)
			return err_set(e, ERR_MEMORY, "no memory for an answer");
		*r = (struct book_input){row->seq, row->in.tick_us, i};
		if (b->entry[i].reply_seq == 0) {
			b->entry[i].reply_seq = row->seq;
			b->entry[i].reply_tick_us = row->in.tick_us;
		}
		break;
	}
	return 0;
}

int book_make(struct book *b, sqlite3 *journal, struct err *e)
{
	struct replay_report r;
	struct replay_options o = {.released = released, .feeding = feeding, .ctx = b};
	sqlite3 *fresh = NULL;
	*b = (struct book){.by_key = json_object()};
	if (query_open(":memory:", QUERY_WRITE, &fresh, e) < 0)
		return -1;
	int rc = sim_replay(journal, fresh, &o, &r, e);
	sqlite3_close(fresh);
	text_copy(b->difference, sizeof b->difference, r.difference);
	return rc;
}

void book_free(struct book *b)
{
	free(b->entry);
	free(b->reply);
	free(b->timer);
	json_decref(b->by_key);
	*b = (struct book){0};
}

/* ---- asking ---- */
static int64_t apart(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* Is x a better answer than best, at that tick? Both have the same words. What was asked at the very same moment is the same question,
 * even when nothing came back. */
static bool better(const struct book_entry *x, const struct book_entry *best, enum book_kind kind, int64_t tick_us)
{
	bool later = x->tick_us > tick_us, twin = !x->used && x->tick_us == tick_us;
	if (best != NULL && !best->used && best->tick_us == tick_us)
		return false;
	if (!twin && (kind == BOOK_STATEFUL ? x->used || apart(x->tick_us, tick_us) > SAME_TIME_US : x->reply_seq == 0))
		return false;
	if (best == NULL || twin)
		return true;
	if (kind == BOOK_STATUS) /* the last one before, else the first one after */
		return later ? best->tick_us > tick_us && x->tick_us < best->tick_us : best->tick_us > tick_us || x->tick_us >= best->tick_us;
	if (kind == BOOK_PURE && x->used != best->used)
		return best->used;
	return apart(x->tick_us, tick_us) < apart(best->tick_us, tick_us);
}

struct book_entry *book_find(const struct book *b, const char *key, enum book_kind kind, int64_t tick_us)
{
	struct book_entry *best = NULL;
	const json_t *index;
	size_t i;
	json_array_foreach(json_object_get(b->by_key, key), i, index) {
		struct book_entry *x = &b->entry[json_integer_value(index)];
		if (better(x, best, kind, tick_us))
			best = x;
	}
	return best;
}

/* Index of the first with a greater seq. */
static size_t after(const struct book_input *list, size_t count, int64_t seq)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list[middle].seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct book_entry *book_answered(const struct book *b, int64_t seq)
{
	size_t i = after(b->reply, b->replies, seq);
	return i > 0 && b->reply[i - 1].seq == seq ? &b->entry[b->reply[i - 1].entry] : NULL;
}

bool book_unheard(struct book *b, const char *facility, int64_t before_tick_us)
{
	while (b->heard < b->entries && (!b->entry[b->heard].write || b->entry[b->heard].used))
		b->heard++;
	for (size_t i = b->heard; i < b->entries && b->entry[i].tick_us < before_tick_us; i++)
		if (b->entry[i].write && !b->entry[i].used && strcmp(b->entry[i].facility, facility) == 0)
			return true;
	return false;
}

bool book_timer(const struct book *b, int64_t seq, int64_t until_tick_us)
{
	size_t i = after(b->timer, b->timers, seq);
	return i < b->timers && b->timer[i].tick_us <= until_tick_us;
}
