/* slew sim --menu: the troubles of random nights, and how often each was on and really acted. */
#include "engine/cmd/sim.h"
#include "sim/swarm.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TROUBLES_MOST 100

struct menu_count {
	int64_t on, acted, times; /* nights that had it, nights in which it acted, how often in all */
};
struct menu_run {
	struct menu_count count[TROUBLES_MOST];
	struct sim_night_report report;
	uint64_t seed;
};

static void look(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	struct menu_run *m = ctx;
	struct sim_trouble t;
	for (size_t i = 0; i < sim_swarm_menu(i, &t) && i < TROUBLES_MOST; i++) {
		if (!sim_swarm_has(m->seed, i))
			continue;
		int64_t n = sim_swarm_acted(i, db, place, places, &m->report);
		m->count[i].on++;
		m->count[i].acted += n > 0;
		m->count[i].times += n > 0 ? n : 0;
	}
}

static int nights(struct menu_run *m, uint64_t first, int64_t seeds, struct err *e)
{
	char scratch[] = "/tmp/slew-menu-XXXXXX";
	int fd = mkstemp(scratch), broken = 0;
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "%s: %s; the made-up catalogue is written there", scratch, strerror(errno));
	close(fd);
	struct sim_stage *stage = sim_stage_new(SWARM_UNIVERSE, scratch, e);
	unlink(scratch);
	for (int64_t i = 0; stage != NULL && i < seeds; i++) {
		struct text text = {.max = 1u << 20};
		struct err why = {0};
		struct sim_night_options o = {.stage = stage, .no_replay = true, .look = look, .ctx = m};
		m->seed = first + (uint64_t)i;
		sim_swarm_text(m->seed, &text);
		if (sim_night_run(text.data ? text.data : "", &o, &m->report, &why) < 0) {
			fprintf(stderr, "slew: sim: seed %llu broke: %.300s\n", (unsigned long long)m->seed, why.text);
			broken++;
		}
		text_free(&text);
	}
	sim_stage_free(stage);
	return stage == NULL ? -1 : broken;
}

int sim_menu_run(int argc, char **argv)
{
	struct menu_run *m = calloc(1, sizeof *m);
	struct sim_trouble t;
	struct err e = {0};
	int64_t seeds = 0, first = 1;
	int rc = m == NULL;
	for (int i = 1; i < argc; i++) {
		bool is_seeds = strcmp(argv[i], "--seeds") == 0;
		if (strcmp(argv[i], "--menu") == 0)
			continue;
		if ((!is_seeds && strcmp(argv[i], "--seed") != 0) || i + 1 == argc) {
			free(m);
			return cmd_usage(&command_sim, "\"%s\" is not understood with --menu, or lacks its value", argv[i]);
		}
		if (!sim_number(argv[++i], 1, is_seeds ? &seeds : &first)) {
			free(m);
			return cmd_usage(&command_sim, "%s %s: not a number that can be used", argv[i - 1], argv[i]);
		}
	}
	if (rc == 0 && seeds > 0 && (rc = nights(m, (uint64_t)first, seeds, &e)) < 0)
		rc = err_print(&e);
	printf("%-18s %6s %6s %6s %7s  %s\n", "trouble", "chance", "nights", "acted", "times", "what it does");
	for (size_t i = 0; m != NULL && i < sim_swarm_menu(i, &t) && i < TROUBLES_MOST; i++)
		printf("%-18s %6.2f %6lld %6lld %7lld  %s\n", t.name, t.chance, (long long)m->count[i].on, (long long)m->count[i].acted,
			(long long)m->count[i].times, t.what);
	free(m);
	return rc > 0;
}
