/* slew catalog build: reads tables on all processors, sorts, writes; says how far it is; ends in order when it is asked to. */
#include "engine/cmd/catalog.h"
#include "engine/cmd/cmd.h"
#include "engine/target/catalog_build.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX CATALOG_SOURCES
#define MAPS_MAX 64
#define CREW_MAX 16

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

/* ---- the crew: as many threads as processors take part after part ---- */

struct shift {
	void (*part)(void *arg, int i);
	void *arg;
	int n;
	atomic_int next;
};

static void *shift_work(void *arg)
{
	struct shift *s = arg;
	for (int i; (i = atomic_fetch_add(&s->next, 1)) < s->n;)
		s->part(s->arg, i);
	return NULL;
}

static void crew_run(void *self, void (*part)(void *arg, int i), void *arg, int n)
{
	struct shift s = {.part = part, .arg = arg, .n = n};
	pthread_t thread[CREW_MAX];
	int started = 0, width = *(const int *)self;
	while (started + 1 < width && pthread_create(&thread[started], NULL, shift_work, &s) == 0)
		started++;
	shift_work(&s);
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
}

/* ---- progress ---- */

struct progress {
	struct timespec begun, told;
	const char *stage;
	bool lines; /* not a terminal: a line each ten seconds */
	bool shown;
};

static double since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void progress_tell(void *self, const char *stage, double done, double total)
{
	struct progress *p = self;
	if (p->stage == NULL || strcmp(p->stage, stage) != 0 || done < 1) {
		clock_gettime(CLOCK_MONOTONIC, &p->begun);
		p->told = p->begun;
		p->stage = stage;
	}
	if (!(total > 0)) {
		fprintf(stderr, p->lines ? "%s\n" : "\r%s \033[K", stage);
		p->shown = true;
		return;
	}
	if (since(&p->told) < (p->lines ? 10 : 0.5) || !(done > 0))
		return;
	clock_gettime(CLOCK_MONOTONIC, &p->told);
	double left = since(&p->begun) * (total - done) / done;
	fprintf(stderr, p->lines ? "%s: %.0f %%, about %.0f s left\n" : "\r%s: %.0f %%, about %.0f s left \033[K", stage, 100 * done / total, left > 0 ? left : 0);
	fflush(stderr);
	p->shown = true;
}

static void progress_end(struct progress *p)
{
	if (p->shown && !p->lines)
		fputs("\r\033[K", stderr);
	p->shown = false;
	p->stage = NULL;
}

/* ---- the command ---- */

struct arguments {
	const char *in[FILES_MAX], *out, *map[MAPS_MAX + 1];
	int ins, maps;
	const struct catalog_format *format;
	bool generic;
	double photo_below_mpc;
	bool progress, merge;
	char *words[MAPS_MAX]; /* owned copies of --map lists */
	int lists;
};

/* "ra=ALPHA,dec=DELTA" into single pieces. */
static int maps_split(struct arguments *a, const char *list)
{
	if (a->lists == MAPS_MAX || (a->words[a->lists] = strdup(list)) == NULL)
		return cmd_usage(&command_catalog, "too many --map");
	char *rest = NULL;
	for (char *w = strtok_r(a->words[a->lists++], ",", &rest); w != NULL; w = strtok_r(NULL, ",", &rest)) {
		if (a->maps == MAPS_MAX)
			return cmd_usage(&command_catalog, "too many --map");
		a->map[a->maps++] = w;
	}
	return 0;
}

static int format_read(struct arguments *a, const char *name)
{
	char list[200] = "";
	a->generic = strcmp(name, "generic") == 0;
	a->format = catalog_format_named(name);
	if (a->generic || a->format != NULL)
		return 0;
	for (int i = 0; catalog_format_at(i) != NULL; i++)
		snprintf(list + strlen(list), sizeof list - strlen(list), "%s ", catalog_format_at(i)->name);
	return cmd_usage(&command_catalog, "there is no format %s; there are: %sgeneric", name, list);
}

static int mpc_read(struct arguments *a, const char *text)
{
	char *end;
	a->photo_below_mpc = strtod(text, &end);
	if (end == text || *end != '\0' || !(a->photo_below_mpc >= 0))
		return cmd_usage(&command_catalog, "--photo-z-below %s: give a distance in Mpc, 0 or more", text);
	return 0;
}

/* One option with its value. */
static int option_read(struct arguments *a, const char *option, const char *value)
{
	if (strcmp(option, "--map") == 0)
		return maps_split(a, value);
	if (strcmp(option, "--format") == 0)
		return format_read(a, value);
	if (strcmp(option, "--photo-z-below") == 0)
		return mpc_read(a, value);
	a->out = value;
	return 0;
}

static int arguments_read(struct arguments *a, int argc, char **argv)
{
	static const char *const valued[] = {"-o", "--map", "--format", "--photo-z-below"};
	for (int i = 2; i < argc; i++) {
		bool value = false;
		for (size_t k = 0; k < sizeof valued / sizeof valued[0]; k++)
			value = value || strcmp(argv[i], valued[k]) == 0;
		if (value && i + 1 == argc)
			return cmd_usage(&command_catalog, "%s needs a value", argv[i]);
		if (value) {
			int rc = option_read(a, argv[i], argv[i + 1]);
			if (rc != 0)
				return rc;
			i++;
		} else if (strcmp(argv[i], "--progress") == 0) {
			a->progress = true;
		} else if (strcmp(argv[i], "--merge") == 0) {
			a->merge = true;
		} else if (argv[i][0] == '-') {
			return cmd_usage(&command_catalog, "unknown option %s", argv[i]);
		} else if (a->ins == FILES_MAX) {
			return cmd_usage(&command_catalog, "more than %d files", FILES_MAX);
		} else {
			a->in[a->ins++] = argv[i];
		}
	}
	if (a->ins == 0)
		return cmd_usage(&command_catalog, "no file to read");
	return a->out != NULL ? 0 : cmd_usage(&command_catalog, "build needs -o OUT.fits");
}

static void told(struct catalog_builder *b, struct progress *p)
{
	progress_end(p);
	if (b->report.data != NULL)
		fputs(b->report.data, stderr);
	text_reset(&b->report);
}

static int crew_width(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors < 1 ? 1 : processors > CREW_MAX ? CREW_MAX : (int)processors;
}

static void signals_take(void)
{
	struct sigaction end = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}; /* a second time ends it at once */
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
}

int catalog_look(struct catalog_builder *b, const char *path, struct err *e)
{
	int width = crew_width();
	struct progress progress = {.lines = !isatty(2)};
	const struct catalog_crew crew = {crew_run, &width};
	signals_take();
	b->look = true;
	b->crew = &crew;
	b->stop = &stop;
	if (!progress.lines)
		b->progress = (struct catalog_progress){progress_tell, &progress};
	int rc = catalog_build_add(b, path, e);
	progress_end(&progress);
	b->crew = NULL;
	b->progress = (struct catalog_progress){0};
	return rc;
}

static int build(const struct arguments *a)
{
	int rc = 0, width = crew_width();
	struct progress progress = {.lines = !isatty(2)};
	const struct catalog_crew crew = {crew_run, &width};
	struct catalog_builder b;
	struct err e = {0};
	char digest[65];
	catalog_builder_init(&b);
	b.map = a->maps ? a->map : NULL;
	b.format = a->format;
	b.generic = a->generic;
	b.photo_below_mpc = a->photo_below_mpc;
	b.runs.beside = a->out;
	b.merge = a->merge;
	b.crew = &crew;
	b.stop = &stop;
	if (a->progress || !progress.lines)
		b.progress = (struct catalog_progress){progress_tell, &progress};
	for (int i = 0; i < a->ins && rc == 0; i++) {
		rc = catalog_build_add(&b, a->in[i], &e);
		told(&b, &progress);
	}
	if (rc == 0)
		rc = catalog_build_write(&b, a->out, digest, &e);
	told(&b, &progress);
	if (rc == 0)
		printf("%s: %zu galaxies, digest %s\n", a->out, b.count, digest);
	catalog_builder_free(&b);
	return rc < 0 ? err_print(&e) : 0;
}

int catalog_make(int argc, char **argv)
{
	struct arguments a = {.photo_below_mpc = CATALOG_PHOTO_BELOW_MPC};
	int rc = arguments_read(&a, argc, argv);
	if (rc == 0) {
		signals_take();
		rc = build(&a);
	}
	for (int i = 0; i < a.lists; i++)
		free(a.words[i]);
	return rc;
}
