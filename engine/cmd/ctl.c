/* slew ctl: the operator's hand on a running engine, over its local socket. */
#define _GNU_SOURCE
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/cmd/cmd.h"
#include "engine/io/configure.h"
#include "engine/report/views.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct ctl {
	const char *socket, *config, *why;
	bool json, as_real;
	const char *source, *topic;
	int fd;
	FILE *from;
};

/* Verbs, the names of their arguments ("!" must be there), what they do. */
static const struct verb_help {
	const char *name, *args[3], *summary;
} verbs[] = {
	{"status", {0}, "is it well: sources, facilities, gates, alarms, what waits"},
	{"events", {0}, "what was heard, and what was made of it"},
	{"requests", {"event"}, "what was asked of telescopes, and how it stands"},
	{"candidates", {"event"}, "possible counterparts of an event"},
	{"explain", {"!event", "target"}, "the chain from alert to frame: why this was asked, why that was not"},
	{"tail", {0}, "log lines and alarms as they come, until you stop it"},
	{"approve", {"!event", "policy"}, "let the policy spend its budget on this event"},
	{"veto", {"!event", "what"}, "cancel what lives for the event (or its FACILITY, TARGET), block it until `release`"},
	{"release", {"!event", "what"}, "lift a veto"},
	{"hold", {"what"}, "no new submissions (FACILITY, EVENT or all); polls and cancels go on"},
	{"resume", {"what"}, "lift a hold; with none, the gate of a restored copy before its sweep ends"},
	{"cancel", {"!request"}, "withdraw one request"},
	{"boost", {"!request"}, "ask for more priority for one request"},
	{"pin", {"!event", "!target"}, "this target is wanted whatever its rank"},
	{"amend", {"!event", "!fact=value"}, "correct a fact (--source TEXT says by what right): a journalled revision"},
	{"promote", {"!candidate"}, "follow a candidate as the counterpart"},
	{"accepted", {"!request", "number"}, "a facility run by people has taken the request (under that number)"},
	{"declined", {"!request"}, "a facility run by people has refused the request"},
	{"reload", {0}, "read the configuration anew: validated whole, refused whole"},
	{"inject", {"!file"}, "hand in an alert file as a test (--as-real: as if it were heard)"},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static const struct verb_help *verb_find(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* -- the socket ------------------------------------------------------------------------------------------------------------------------- */

static int ctl_path(const struct ctl *o, char *path, size_t size)
{
	struct err e = {0};
	struct config c = {0};
	const char *env = getenv("SLEW_SOCKET");
	if (o->socket != NULL || o->config == NULL) {
		const char *s = o->socket != NULL ? o->socket : env;
		if (s == NULL)
			return cmd_usage(&command_ctl, "which engine? Give --socket PATH, --config FILE or set SLEW_SOCKET");
		if (text_copy(path, size, s))
			return 0;
		return cmd_usage(&command_ctl, "the socket's path is longer than %zu bytes", size - 1);
	}
	if (config_load(o->config, &c, &e) != 0)
		return err_print(&e);
	text_copy(path, size, c.socket);
	config_free(&c);
	return 0;
}

static int ctl_connect(struct ctl *o)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int rc = ctl_path(o, a.sun_path, sizeof a.sun_path);
	if (rc != 0)
		return rc;
	o->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (o->fd < 0 || connect(o->fd, (const struct sockaddr *)&a, sizeof a) != 0) {
		const char *mend = errno == EACCES ? "ask for membership of the engine's view or act group" : "is `slew run` running?";
		fprintf(stderr, "slew: operator socket at %s: %s; %s\n", a.sun_path, strerror(errno), mend);
		return 1;
	}
	o->from = fdopen(dup(o->fd), "r");
	return o->from != NULL ? 0 : 1;
}

static int ctl_send(const struct ctl *o, const void *bytes, size_t len)
{
	const char *p = bytes;
	while (len > 0) {
		ssize_t n = send(o->fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The next line as JSON, or NULL when the engine has hung up. */
static json_t *ctl_line(const struct ctl *o)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = getline(&line, &cap, o->from);
	json_t *value = n > 0 ? json_loadb(line, (size_t)n, 0, NULL) : NULL;
	free(line);
	return value;
}

/* -- the request -------------------------------------------------------------------------------------------------------------------------- */

static int request_fact(json_t *request, const char *text)
{
	const char *eq = strchr(text, '=');
	if (eq == NULL || eq == text)
		return cmd_usage(&command_ctl, "amend: fact=value is wanted, got \"%s\"", text);
	json_object_set_new(request, "fact", json_stringn(text, (size_t)(eq - text)));
	char *end;
	double number = strtod(eq + 1, &end);
	json_object_set_new(request, "value", end != eq + 1 && *end == '\0' ? json_real_or_null(number) : json_string(eq + 1));
	return 0;
}

/* An argument that is a number (a request's id) is sent as one. */
static json_t *request_value(const char *text)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	return text[0] != '\0' && *end == '\0' && errno == 0 ? json_integer(n) : json_string(text);
}

static int request_make(const struct ctl *o, const struct verb_help *v, int argc, char **argv, json_t *request)
{
	json_object_set_new(request, "verb", json_string(v->name));
	int i = 0;
	for (; i < 3 && v->args[i] != NULL; i++) {
		const char *name = v->args[i] + (v->args[i][0] == '!');
		if (i >= argc && v->args[i][0] == '!')
			return cmd_usage(&command_ctl, "%s: %s is missing", v->name, name);
		if (i >= argc || strcmp(name, "file") == 0)
			continue;
		if (strcmp(name, "fact=value") == 0) {
			int rc = request_fact(request, argv[i]);
			if (rc != 0)
				return rc;
		} else {
			bool id = strcmp(name, "request") == 0 || strcmp(name, "candidate") == 0;
			json_object_set_new(request, name, id ? request_value(argv[i]) : json_string(argv[i]));
		}
	}
	if (argc > i)
		return cmd_usage(&command_ctl, "%s: \"%s\" is one argument too many", v->name, argv[i]);
	if (o->why != NULL)
		json_object_set_new(request, "why", json_string(o->why));
	if (o->source != NULL)
		json_object_set_new(request, "source", json_string(o->source));
	if (o->topic != NULL)
		json_object_set_new(request, "topic", json_string(o->topic));
	if (o->as_real)
		json_object_set_new(request, "as_real", json_true());
	return 0;
}

static int request_send(const struct ctl *o, json_t *request, const void *raw, size_t raw_len)
{
	char *text = json_dumps(request, JSON_COMPACT);
	int rc = 0;
	if (text == NULL || strlen(text) > LIMIT_OPERATOR_LINE)
		rc = cmd_usage(&command_ctl, "the request is longer than 4 KiB");
	else if (ctl_send(o, text, strlen(text)) != 0 || ctl_send(o, "\n", 1) != 0 || (raw_len > 0 && ctl_send(o, raw, raw_len) != 0))
		rc = -1; /* the engine may have said why before it hung up: read on */
	free(text);
	return rc;
}

/* -- the answer --------------------------------------------------------------------------------------------------------------------------- */

static void print_order(const char *verb, const json_t *answer, FILE *to)
{
	const char *key;
	json_t *value;
	const char *text = json_text(answer, "text", NULL);
	if (text != NULL) {
		fprintf(to, "%s\n", text);
		return;
	}
	fprintf(to, "%s: done", verb);
	json_object_foreach((json_t *)answer, key, value) {
		char *shown = strcmp(key, "ok") == 0 ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		if (shown != NULL)
			fprintf(to, "  %s=%s", key, shown);
		free(shown);
	}
	fprintf(to, "\n");
}

static void print_engine(const json_t *engine, FILE *to)
{
	if (!json_is_object(engine))
		return;
	fprintf(to, "engine     slew %s, pid %lld, up %lld s%s%s\n", json_text(engine, "version", "?"), (long long)json_int(engine, "pid", 0),
		(long long)json_int(engine, "uptime_s", 0), json_flag(engine, "virtual_clock", false) ? ", VIRTUAL clock" : "",
		json_flag(engine, "disk_full", false) ? ", DISK FULL" : "");
	fprintf(to, "           config %s, state %s\n", json_text(engine, "config", "?"), json_text(engine, "state", "?"));
	fprintf(to, "           inputs %lld, calls %lld, in flight %lld, waiting %lld bytes%s\n", (long long)json_int(engine, "inputs", 0),
		(long long)json_int(engine, "calls", 0), (long long)json_int(engine, "in_flight", 0),
		(long long)json_int(engine, "waiting_bytes", 0), json_flag(engine, "paused", false) ? ", sources PAUSED" : "");
}

static int print_answer(const struct ctl *o, const char *verb, json_t *answer)
{
	bool ok = json_flag(answer, "ok", false);
	json_t *value = json_object_get(answer, "value");
	if (!ok) {
		if (o->json)
			json_dumpf(answer, stdout, JSON_COMPACT), putchar('\n');
		char why[1024];
		const char *text = json_text(answer, "error", "refused without a word");
		text_escape(why, sizeof why, text, strlen(text));
		fprintf(stderr, "slew: %s: %s\n", verb, why);
		return 3;
	}
	if (o->json) {
		json_dumpf(value != NULL ? value : answer, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
		putchar('\n');
	} else if (value != NULL) {
		print_engine(json_object_get(value, "engine"), stdout);
		view_print(verb, value, stdout);
	} else {
		print_order(verb, answer, stdout);
	}
	return 0;
}

static int follow(const struct ctl *o)
{
	json_t *line;
	while ((line = ctl_line(o)) != NULL) {
		char text[2048];
		const char *raw = json_text(line, "text", "");
		text_escape(text, sizeof text, raw, strlen(raw));
		if (o->json)
			json_dumpf(line, stdout, JSON_COMPACT), putchar('\n');
		else
			printf("%s %s %s %s\n", json_text(line, "utc", "-"), json_text(line, "level", "-"), json_text(line, "subject", "-"), text);
		fflush(stdout);
		json_decref(line);
	}
	fprintf(stderr, "slew: tail: the engine has hung up\n");
	return 1;
}

static int talk(struct ctl *o, const struct verb_help *v, json_t *request, const void *raw, size_t raw_len)
{
	int rc = ctl_connect(o);
	if (rc == 0)
		rc = request_send(o, request, raw, raw_len);
	if (rc > 0)
		return rc;
	json_t *answer = ctl_line(o);
	if (answer == NULL) {
		fprintf(stderr, "slew: %s: the engine hung up without an answer; look at its log\n", v->name);
		return 1;
	}
	if (strcmp(v->name, "tail") == 0 && json_flag(answer, "ok", false))
		rc = follow(o);
	else
		rc = print_answer(o, v->name, answer);
	json_decref(answer);
	return rc;
}

static int options(struct ctl *o, int *argc, char **argv)
{
	int kept = 0;
	for (int i = 1; i < *argc; i++) {
		const struct { const char *name; const char **to; } texts[] = {{"--socket", &o->socket}, {"--config", &o->config},
			{"--why", &o->why}, {"--source", &o->source}, {"--topic", &o->topic}};
		size_t k = 0;
		while (k < 5 && strcmp(argv[i], texts[k].name) != 0)
			k++;
		if (k < 5) {
			if (i + 1 >= *argc)
				return cmd_usage(&command_ctl, "%s wants a value", argv[i]);
			*texts[k].to = argv[++i];
		} else if (strcmp(argv[i], "--json") == 0) {
			o->json = true;
		} else if (strcmp(argv[i], "--as-real") == 0) {
			o->as_real = true;
		} else if (argv[i][0] == '-' && argv[i][1] == '-') {
			return cmd_usage(&command_ctl, "\"%s\" is not understood", argv[i]);
		} else {
			argv[kept++] = argv[i];
		}
	}
	*argc = kept;
	return 0;
}

static int run(int argc, char **argv)
{
	struct ctl o = {.fd = -1};
	int rc = options(&o, &argc, argv);
	if (rc != 0)
		return rc;
	if (argc == 0)
		return cmd_usage(&command_ctl, "which verb?");
	const struct verb_help *v = verb_find(argv[0]);
	if (v == NULL)
		return cmd_usage(&command_ctl, "no verb \"%s\"", argv[0]);
	json_t *request = json_object();
	unsigned char *raw = NULL;
	unsigned long raw_len = 0;
	rc = request_make(&o, v, argc - 1, argv + 1, request);
	if (rc == 0 && strcmp(v->name, "inject") == 0) {
		rc = cmd_read_file(argv[1], LIMIT_ALERT_BYTES, &raw, &raw_len);
		json_object_set_new(request, "bytes", json_integer((json_int_t)raw_len));
	}
	if (rc == 0)
		rc = talk(&o, v, request, raw, raw_len);
	json_decref(request);
	free(raw);
	if (o.from != NULL)
		fclose(o.from);
	if (o.fd >= 0)
		close(o.fd);
	return rc;
}

const struct command command_ctl = {
	.name = "ctl",
	.args = "[--socket PATH|--config FILE] [--json] [--why TEXT] VERB …",
	.summary = "the operator's hand on a running engine, over its local socket",
	.help =
	"Looking (view group):\n"
	"  status                       is it well: sources, facilities, gates, alarms, what waits\n"
	"  events                       what was heard, and what was made of it\n"
	"  requests [EVENT]             what was asked of telescopes, and how it stands\n"
	"  candidates [EVENT]           possible counterparts (this version hears of none by itself)\n"
	"  explain EVENT [TARGET]       the chain from alert to frame: why this was asked, why that was not\n"
	"  tail                         log lines and alarms as they come\n\n"
	"Acting (act group; every order is journalled with who, when and --why before it is obeyed):\n"
	"  approve EVENT [POLICY]       let the policy spend its budget on this event\n"
	"  veto EVENT [FACILITY|TARGET] cancel what lives and block it; a veto always wins\n"
	"  release EVENT [FACILITY|TARGET]   lift a veto\n"
	"  hold [FACILITY|EVENT|all]    no new submissions; polls and cancels go on\n"
	"  resume [FACILITY|EVENT|all]  lift a hold; with none, the gate of a restored copy before its sweep has ended\n"
	"  cancel REQUEST               withdraw one request\n"
	"  boost REQUEST                ask for more priority for one request\n"
	"  pin EVENT TARGET             this target is wanted whatever its rank\n"
	"  amend EVENT FACT=VALUE --source TEXT   correct a fact\n"
	"  promote CANDIDATE            follow a candidate as the counterpart\n"
	"  accepted REQUEST [NUMBER]    the word of a facility that people run; declined REQUEST\n"
	"  reload                       read the configuration anew: validated whole, refused whole\n"
	"  inject FILE [--as-real] [--topic T]   hand in an alert file; without --as-real it is a test\n\n"
	"The engine is found by --socket, by --config (its operator.socket, or STATE.sock), or by $SLEW_SOCKET.\n"
	"  --json       the answer as one JSON value, for scripts\n\n"
	"Exit codes: 0 done; 1 no engine there, or a bad file; 2 usage; 3 refused (the reason is printed).\n"
	"Example: slew ctl --config night.json veto S230518h --why \"glitch in L1\"\n",
	.run = run,
};
