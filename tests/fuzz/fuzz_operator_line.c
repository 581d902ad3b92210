/* The operator's socket: lines in, the order or view they ask for, one line of answer each. The socket's insides are included, so that a client
 * is a pair of sockets and not a path; what stands behind is the core at a stop of the canonical night, and the views over its rows.
 * The first byte of an input: may act or only look (1), which stop (the rest). */
#include "engine/io/socket.c"
#include "engine/base/utc.h"
#include "engine/report/views.h"
#include "stage.h"
#include <fcntl.h>
#include <stdio.h>

static uv_loop_t loop;
static struct socket *door;
static FILE *people;       /* where view_print writes */
static char *people_text;
static size_t people_len;
static struct stage *stage;
static int asked, answered;

static bool is_order(const char *verb)
{
	static const char *const orders[] = {"approve", "veto", "release", "hold", "resume", "cancel", "boost", "pin", "amend", "promote", "accepted", "declined"};
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		if (strcmp(orders[i], verb) == 0)
			return true;
	return false;
}

/* Nothing of a stranger reaches the terminal but printable text. */
static void check_print(const char *verb, const json_t *value)
{
	rewind(people);
	view_print(verb, value, people);
	fputc('\0', people);
	fflush(people);
	for (char *line = people_text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		must(line[0] == '\0' || text_printable(line, strlen(line), 1 << 20));
	}
}

static json_t *answer_view(const char *verb, const json_t *request)
{
	struct err e = {0};
	json_t *value = NULL;
	if (view_run(stage->db, verb, request, stage->utc_us, &value, &e) < 0) {
		must(e.kind == ERR_INPUT);
		return json_pack("{s:b,s:s}", "ok", 0, "error", e.text);
	}
	must(value != NULL);
	check_print(verb, value);
	return json_pack("{s:b,s:o}", "ok", 1, "value", value);
}

static json_t *answer_input(enum input_kind kind, const void *body, size_t len, const struct peer *peer, const json_t *request)
{
	struct input in = {.kind = kind, .utc_us = stage->utc_us, .tick_us = stage->tick_us, .body = body, .len = len, .uid = peer->uid, .pid = peer->pid,
		.timestamp_us = UTC_NONE};
	in.reply.retry_after_s = -1;
	if (kind == INPUT_alert) {
		in.source = "inject";
		in.topic = json_text(request, "topic", "");
		in.as_real = json_flag(request, "as_real", false);
		in.as_test = !in.as_real;
	}
	stage_feed(stage, &in);
	json_t *answer = core_answer(stage->core) != NULL ? json_deep_copy(core_answer(stage->core)) : json_pack("{s:b}", "ok", 1);
	must(json_is_boolean(json_object_get(answer, "ok")));
	stage_turn(stage);
	return answer;
}

static void on_request(void *ctx, uint64_t client, const struct peer *peer, const json_t *request, void *raw, size_t raw_len)
{
	const char *verb = json_text(request, "verb", "");
	json_t *answer;
	(void)ctx;
	asked++;
	if (strcmp(verb, "tail") == 0) {
		answer = json_pack("{s:b}", "ok", 1);
		socket_answer(door, client, answer);
		json_decref(answer);
		socket_tail(door, client);
		answered++;
		return;
	}
	if (view_is(verb)) {
		answer = answer_view(verb, request);
	} else if (!peer->may_act) {
		must(raw == NULL); /* who may only look announces no bytes */
		answer = json_pack("{s:b,s:s}", "ok", 0, "error", "you may look but not act");
	} else if (raw != NULL) {
		answer = answer_input(INPUT_alert, raw, raw_len, peer, request);
	} else if (is_order(verb)) {
		char *text = json_canonical(request);
		answer = answer_input(INPUT_order, text, strlen(text), peer, request);
		free(text);
	} else {
		answer = json_pack("{s:b,s:s}", "ok", 0, "error", "no such verb");
	}
	free(raw);
	must(answer != NULL);
	answered++;
	socket_answer(door, client, answer);
	json_decref(answer);
}

static void fixture(void)
{
	must(uv_loop_init(&loop) == 0);
	door = calloc(1, sizeof *door);
	people = open_memstream(&people_text, &people_len);
	must(door != NULL && people != NULL);
	*door = (struct socket){.magic = SOCKET_MAGIC, .loop = &loop, .host = {NULL, on_request}};
}

/* A client as on_connection makes it, at the end of a pair. */
static int connect_client(bool may_act)
{
	int pair[2];
	struct client *c = calloc(1, sizeof *c);
	must(c != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	*c = (struct client){.magic = SOCKET_MAGIC, .owner = door, .number = ++door->numbers, .last_ms = uv_now(&loop), .peer = {1000, 4711, may_act}};
	uv_pipe_init(&loop, &c->pipe, 0);
	c->pipe.data = c;
	c->next = door->first;
	door->first = c;
	door->count++;
	must(uv_pipe_open(&c->pipe, pair[0]) == 0 && uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) == 0);
	return pair[1];
}

/* What came back: whole lines of JSON. */
static int read_lines(int fd, struct text *kept)
{
	char bytes[16384], *end;
	ssize_t n;
	int lines = 0;
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		text_add(kept, bytes, (size_t)n);
	char *line = kept->data;
	for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
		json_t *j = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
		must(json_is_object(j));
		json_decref(j);
		lines++;
	}
	must(line == NULL || *line == '\0');
	text_reset(kept);
	return lines;
}

static bool run(const uint8_t *bytes, size_t len)
{
	if (door == NULL)
		fixture();
	if (len < 2)
		return false;
	struct text kept = {.max = 64u << 20};
	size_t at = 1;
	int lines = 0, idle = 0;
	asked = answered = 0;
	stage = stage_at((bytes[0] >> 1) % STAGES);
	stage_begin(stage);
	int fd = connect_client((bytes[0] & 1) == 0);
	while (at < len && door->count > 0 && idle < 8) {
		size_t piece = len - at < 5000 ? len - at : 5000;
		ssize_t n = write(fd, bytes + at, piece);
		at += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1; /* a tail is not read from */
		uv_run(&loop, UV_RUN_NOWAIT);
		lines += read_lines(fd, &kept);
	}
	for (int i = 0; i < 3; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		lines += read_lines(fd, &kept);
	}
	must(answered == asked && lines >= asked && lines <= asked + 1); /* one answer each; one more for the line that was refused */
	close(fd);
	for (int i = 0; i < 8 && (door->count > 0 || uv_loop_alive(&loop)); i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	must(door->count == 0 && !uv_loop_alive(&loop));
	stage_end(stage);
	text_free(&kept);
	return asked > 0;
}

/* ---- mutator and seeds ---- */
static const char *const lines_of_seeds[] = {"{\"verb\":\"status\"}", "{\"verb\":\"events\"}", "{\"verb\":\"events\",\"event\":\"lvk:S230518h\"}", "{\"verb\":\"requests\"}",
	"{\"verb\":\"requests\",\"event\":\"s230518H\"}", "{\"verb\":\"candidates\"}", "{\"verb\":\"explain\",\"event\":\"S230518h\"}",
	"{\"verb\":\"explain\",\"event\":\"S230518h\",\"target\":\"NGC4993\"}", "{\"verb\":\"explain\",\"event\":\"S230518h\",\"target\":\"45466\"}",
	"{\"verb\":\"explain\",\"event\":\"x\"}", "{\"verb\":\"tail\"}", "{\"verb\":\"veto\",\"event\":\"S230518h\",\"why\":\"x\"}",
	"{\"verb\":\"veto\",\"event\":\"S230518h\",\"what\":\"NGC 4970\",\"why\":\"x\"}", "{\"verb\":\"release\",\"event\":\"S230518h\",\"what\":\"NGC 4993\"}", "{\"verb\":\"hold\",\"what\":\"lco\"}",
	"{\"verb\":\"resume\",\"what\":\"all\"}", "{\"verb\":\"approve\",\"event\":\"S230518h\",\"policy\":\"bns\"}", "{\"verb\":\"cancel\",\"request\":2}",
	"{\"verb\":\"cancel\",\"request\":\"slew-0badcafe-c1fe84344c3b3fb371cb\"}", "{\"verb\":\"boost\",\"request\":\"1\"}", "{\"verb\":\"pin\",\"event\":\"S230518h\",\"target\":\"IC4197|45642\"}",
	"{\"verb\":\"amend\",\"event\":\"S230518h\",\"fact\":\"far_hz\",\"value\":1e-9,\"source\":\"paper\"}", "{\"verb\":\"promote\",\"candidate\":\"x\"}",
	"{\"verb\":\"accepted\",\"request\":1}", "{\"verb\":\"declined\",\"request\":1,\"why\":\"no\"}", "{\"verb\":\"disk\",\"full\":true}", "{\"verb\":\"reload\"}",
	"{\"verb\":\"inject\",\"bytes\":140}\n{\"superevent_id\":\"S240101a\",\"alert_type\":\"INITIAL\",\"time_created\":\"2023-05-18T18:00:00Z\",\"event\":null,\"external_coinc\":null,\"urls\":{}        }",
	"{\"verb\":\"inject\",\"bytes\":0}", "{\"verb\":\"inject\",\"bytes\":1000000}\nx", "[]", "{"};
#define LINES (sizeof lines_of_seeds / sizeof *lines_of_seeds)

static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed};
	if (len < 2 || fuzz_below(&d, 6) == 0)
		return fuzz_mutate_bytes(bytes, len, max);
	struct text t = {.max = max};
	char first = (char)(fuzz_below(&d, 4) ? bytes[0] : fuzz_below(&d, 64));
	text_add(&t, &first, 1);
	size_t at = 1, which = fuzz_below(&d, 4), i = 0;
	while (at < len) {
		uint8_t *end = memchr(bytes + at, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - (bytes + at)) : len - at;
		json_t *j = i++ == which ? json_loadb((const char *)bytes + at, n, 0, NULL) : NULL;
		char *text = j != NULL ? json_dumps(j = fuzz_change_json(j, &d), JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
		text_add(&t, text ? text : (const char *)bytes + at, text ? strlen(text) : n);
		text_add(&t, "\n", 1);
		free(text);
		json_decref(j);
		at += n + 1;
	}
	if (fuzz_below(&d, 3) == 0) {
		text_puts(&t, lines_of_seeds[fuzz_below(&d, LINES)]);
		text_add(&t, "\n", 1);
	}
	size_t out = t.failed ? 0 : t.len;
	if (out > 0)
		memcpy(bytes, t.data, out);
	text_free(&t);
	return out > 0 ? out : fuzz_mutate_bytes(bytes, len, max);
}

static void seeds(struct fuzz_seeds *s)
{
	for (size_t i = 0; i < LINES; i++) {
		struct text t = {.max = 1 << 16};
		char first[2] = {(char)(((int)i % STAGES) << 1), (char)((STAGE_ACCEPTED << 1) | (i % 7 == 3))};
		for (int k = 0; k < 2; k++) {
			text_reset(&t);
			text_add(&t, &first[k], 1);
			text_puts(&t, lines_of_seeds[i]);
			text_puts(&t, "\n");
			if (k == 1 && i + 1 < LINES) {
				text_puts(&t, lines_of_seeds[i + 1]);
				text_puts(&t, "\n");
			}
			fuzz_seed(s, t.data, t.len);
		}
		text_free(&t);
	}
}

const struct fuzz_door fuzz_operator_line = {.name = "operator_line", .run = run, .mutate = mutate, .seeds = seeds, .max_len = 8192, .rss_mb = 768};
