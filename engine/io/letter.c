/* Letters and their queues: see letter.h. */
#include "engine/io/letter.h"
#include "engine/base/utc.h"
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct letter *letter_take(enum input_kind kind, void *body, size_t len)
{
	struct letter *l = calloc(1, sizeof *l);
	if (l == NULL) {
		free(body);
		return NULL;
	}
	l->body = body;
	l->lane = kind == INPUT_alert ? LANE_BULK : LANE_CONTROL;
	l->in = (struct input){.kind = kind, .body = body, .len = len, .source = l->source, .topic = l->topic, .cluster = l->cluster,
		.partition = -1, .offset = -1, .timestamp_us = UTC_NONE};
	l->in.reply.content_type = l->content_type;
	l->in.reply.transport = l->transport;
	l->in.reply.retry_after_s = -1;
	if (getrandom(l->in.random, sizeof l->in.random, 0) != (ssize_t)sizeof l->in.random) {
		letter_free(l);
		return NULL;
	}
	return l;
}

struct letter *letter_new(enum input_kind kind, const void *body, size_t len)
{
	char *copy = malloc(len + 1);
	if (copy == NULL)
		return NULL;
	if (len > 0)
		memcpy(copy, body, len);
	copy[len] = '\0';
	return letter_take(kind, copy, len);
}

struct letter *letter_json(enum input_kind kind, const json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	return text == NULL ? NULL : letter_take(kind, text, strlen(text));
}

void letter_free(struct letter *l)
{
	if (l == NULL)
		return;
	json_decref(l->answer);
	free(l->body);
	free(l);
}

size_t letter_cost(const struct letter *l)
{
	return sizeof *l + l->in.len;
}

void letters_put(struct letters *q, struct letter *l)
{
	l->next = NULL;
	if (q->last != NULL)
		q->last->next = l;
	else
		q->first = l;
	q->last = l;
	q->count++;
	q->bytes += letter_cost(l);
}

struct letter *letters_get(struct letters *q)
{
	struct letter *l = q->first;
	if (l == NULL)
		return NULL;
	q->first = l->next;
	if (q->first == NULL)
		q->last = NULL;
	q->count--;
	q->bytes -= letter_cost(l);
	l->next = NULL;
	return l;
}

void letters_move(struct letters *to, struct letters *from)
{
	if (from->first == NULL)
		return;
	if (to->last != NULL)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	to->count += from->count;
	to->bytes += from->bytes;
	*from = (struct letters){0};
}

void letters_free(struct letters *q)
{
	struct letter *l;
	while ((l = letters_get(q)) != NULL)
		letter_free(l);
}
