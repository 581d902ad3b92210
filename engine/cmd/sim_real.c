/* slew sim --real: what was asked for. */
#include "engine/cmd/sim_ensemble.h"
#include "engine/base/utc.h"
#include "engine/cmd/sim.h"
#include "engine/io/clock.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool number(const char *text, double least, double most, double *out)
{
	char *end;
	errno = 0;
	*out = strtod(text, &end);
	return errno == 0 && end != text && *end == '\0' && *out >= least && *out <= most;
}

/* Options with a number: where it goes, and what it may be. */
struct numeric {
	const char *name;
	double least, most, *real;
	int *whole;
};

static int numeric_option(struct real_arguments *a, const char *name, const char *value)
{
	double seed = 0, x;
	const struct numeric all[] = {{"--hours", 0.1, 168, &a->hours, NULL}, {"--approve", 0, 10080, &a->approve_min, NULL}, {"--max-mpc", 20, 2000, &a->max_mpc, NULL},
		{"--events", 1, 50, NULL, &a->events}, {"--nights", 1, 100000, NULL, &a->nights}, {"--jobs", 1, 256, NULL, &a->jobs}, {"--seed", 1, 9e15, &seed, NULL}};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (strcmp(name, all[i].name) != 0)
			continue;
		if (value == NULL || !number(value, all[i].least, all[i].most, &x) || ((all[i].whole != NULL || all[i].real == &seed) && x != floor(x)))
			return cmd_usage(&command_sim, "%s %s: not a number from %.15g to %.15g", name, value ? value : "", all[i].least, all[i].most);
		if (all[i].whole != NULL)
			*all[i].whole = (int)x;
		else
			*all[i].real = x;
		if (all[i].real == &seed)
			a->seed = (uint64_t)seed;
		a->hours_given |= all[i].real == &a->hours;
		return 0;
	}
	return -1;
}

static int start_option(struct real_arguments *a, const char *value)
{
	struct err e = {0};
	a->start_given = true;
	if (strcmp(value, "now") == 0)
		return 0;
	return utc_parse(value, &a->start_us, &e) == 0 ? 0 :
		cmd_usage(&command_sim, "--start %s: not a time; write 2026-11-24T02:30:00Z, or now", value);
}

static int text_option(struct real_arguments *a, const char *name, const char *value)
{
	const struct {
		const char *name, **to;
	} all[] = {{"--config", &a->config}, {"--catalog", &a->catalog}, {"-o", &a->page}, {"--state", &a->state}};
	if (strcmp(name, "--policy") == 0 && a->policies < REAL_POLICIES)
		a->policy[a->policies++] = value;
	else if (strcmp(name, "--alert") == 0 && a->alerts < REAL_ALERTS)
		a->alert[a->alerts++] = value;
	else {
		for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
			if (strcmp(name, all[i].name) == 0) {
				*all[i].to = value;
				return 0;
			}
		return cmd_usage(&command_sim, "\"%s\" is not understood with --real, or there are too many of it", name);
	}
	return 0;
}

/* 0, or the exit code. */
static int arguments_read(int argc, char **argv, struct real_arguments *a)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(name, "--real") == 0)
			continue;
		if (strcmp(name, "--clear") == 0 || strcmp(name, "--quiet") == 0) {
			*(name[2] == 'c' ? &a->clear : &a->quiet) = true;
			continue;
		}
		if (strcmp(name, "--json") == 0) { /* with or without a file */
			bool file = value != NULL && (value[0] != '-' || value[1] == '\0');
			a->json = file ? argv[++i] : "-";
			continue;
		}
		int rc = numeric_option(a, name, value);
		if (rc < 0)
			rc = value == NULL ? cmd_usage(&command_sim, "\"%s\" is not understood with --real, or lacks its value", name) :
				strcmp(name, "--start") == 0 ? start_option(a, value) : text_option(a, name, value);
		if (rc != 0)
			return rc;
		i++;
	}
	return 0;
}

/* What goes with many nights, and what with one; and what is usual for each. */
static int arguments_settle(struct real_arguments *a)
{
	if (a->nights > 0 && (a->alerts > 0 || a->events > 0 || a->page != NULL || a->state != NULL))
		return cmd_usage(&command_sim, "%s is for one night, not for --nights", a->alerts ? "--alert" : a->events ? "--events" : a->page ? "-o" : "--state");
	if (a->nights == 0 && a->jobs > 0)
		return cmd_usage(&command_sim, "--jobs goes with --nights N");
	a->events = a->events > 0 ? a->events : 1;
	a->jobs = a->jobs > 0 ? a->jobs : 1;
	if (a->jobs > a->nights && a->nights > 0)
		a->jobs = a->nights;
	if (!a->hours_given)
		a->hours = a->nights > 0 ? 52 : 24;
	return 0;
}

/* What will be written is tried first: not after an hour of nights. */
static int writable(const char *path, struct err *e)
{
	if (path == NULL || strcmp(path, "-") == 0)
		return 0;
	FILE *f = fopen(path, "ae");
	if (f == NULL)
		return err_set(e, ERR_SYSTEM, "%s: cannot be written: %s; give another path", path, strerror(errno));
	fclose(f);
	return 0;
}

int sim_real_run_command(int argc, char **argv)
{
	struct real_arguments a = {.start_us = clock_wall_us() / UTC_MINUTE * UTC_MINUTE, .approve_min = NAN, .max_mpc = 140, .seed = 1};
	struct real_world w;
	struct err e = {0};
	int rc = arguments_read(argc, argv, &a);
	if (rc == 0)
		rc = arguments_settle(&a);
	if (rc != 0)
		return rc;
	if (writable(a.json, &e) < 0 || writable(a.page, &e) < 0)
		return err_print(&e);
	rc = real_world_open(&a, &w, &e);
	if (rc < 0) {
		real_progress(NULL);
		return err_print(&e);
	}
	rc = a.nights > 0 ? real_ensemble(&a, &w) : real_night(&a, &w);
	real_world_close(&w);
	return rc;
}
