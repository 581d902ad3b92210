/* Order does not matter [I8]: the same revisions of an event, heard in the order of their making, and shuffled with repetitions, leave the
 * same event: newest revision, facts, decisions, open gates, ranked targets, verdicts. Everything is held meanwhile, so that nothing is
 * done in the world that the other order would not have done. PAIRS=n for more than 40, SEED=n the first; ten seconds. */
#include "test.h"
#include "engine/base/json.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "sim/night.h"
#include "sim/random.h"
#include <stdlib.h>
#include <unistd.h>

#define REVISIONS 6

struct pair {
	char line[REVISIONS][200];
	int count;
};

/* What must be the same. A policy that believed and then did not is as one that never did; of an event that is retracted or a test only
 * that counts: what had been read and decided of it before is history (a sign of a test that comes late closes the event, one that comes
 * first lets it be shown). */
#define OPEN "e.state NOT IN ('retracted','closed') AND e.is_test='[]'"
static const char *const views[] = {
	"SELECT name,CASE WHEN is_test<>'[]' THEN 'test' WHEN state='downgraded' THEN 'heard' ELSE state END AS state,is_test,time_us FROM event ORDER BY name",
	"SELECT e.name,a.type,a.time_created_us,a.sha256 FROM event e JOIN alert a ON a.id=e.latest_alert ORDER BY e.name",
	"SELECT a.sha256,f.significant,f.p_bns,f.area90_deg2,f.map_state FROM alert a JOIN fact f ON f.alert=a.id JOIN event e ON e.id=a.event WHERE " OPEN
	" ORDER BY a.sha256",
	"SELECT d.policy,d.outcome,CASE d.state WHEN 'downgraded' THEN 'idle' ELSE d.state END AS state,d.missing,a.sha256 FROM decision d JOIN alert a ON "
	"a.id=d.alert JOIN event e ON e.id=d.event WHERE " OPEN " ORDER BY 1,5",
	"SELECT g.kind,g.policy FROM gate g LEFT JOIN event e ON e.id=g.event WHERE g.lifted_seq IS NULL AND g.kind NOT IN ('downgraded','approval') AND "
	"(g.event IS NULL OR " OPEN ") ORDER BY 1,2",
	"SELECT t.key,t.rank FROM target t JOIN event e ON e.id=t.event WHERE t.generation=e.generation_rank AND e.state='triggered' AND " OPEN
	" ORDER BY t.rank,t.key",
	"SELECT DISTINCT v.code FROM verdict v WHERE v.target IS NULL ORDER BY 1",
};

static void look(void *ctx, sqlite3 *db, const struct sim_host_place *place, size_t places)
{
	struct text *out = ctx;
	struct err e = {0};
	(void)place;
	(void)places;
	for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
		json_t *rows = query_rows(db, 1000, &e, views[i], "");
		assert_non_null(rows);
		char *words = json_canonical(rows);
		text_printf(out, "%s\n", words);
		free(words);
		json_decref(rows);
	}
}

static void draw(struct pair *p, struct rng *r)
{
	static const char *const types[] = {"EARLYWARNING", "PRELIMINARY", "INITIAL", "UPDATE", "UPDATE", "UPDATE"};
	static const char *const maps[] = {"S261124a", "S261124a-b", "S261124a-moved", "none"};
	int first = rng_below(r, 3);
	p->count = 2 + rng_below(r, REVISIONS - 2 - first > 1 ? REVISIONS - 2 - first : 1);
	for (int i = 0; i < p->count; i++) {
		const char *type = types[first + i], *map = maps[rng_below(r, first + i == 0 ? 4 : 3)];
		bool low = rng_below(r, 5) == 0, weak = rng_below(r, 4) == 0;
		if (i + 1 == p->count && i > 0 && rng_below(r, 6) == 0)
			snprintf(p->line[i], sizeof p->line[i], "alert S261124a RETRACTION made=%d", 60 * (i + 1));
		else
			snprintf(p->line[i], sizeof p->line[i], "alert S261124a %s made=%d map=%s%s%s%s", type, 60 * (i + 1), map, low ? " significant=0 far=1e-6" : "",
				weak ? " bns=0.05 terrestrial=0.95" : "", rng_below(r, 12) == 0 ? " topic=igwn.gwalert-test" : "");
	}
}

static void told(const struct pair *p, const int *order, int count, struct text *text)
{
	text_puts(text, "seed 7\npolicy {\"targets\":{\"top\":6},\"early_warning\":\"submit\"}\n00:00 order {\"verb\":\"hold\",\"what\":\"all\"}\n");
	for (int i = 0; i < count; i++)
		text_printf(text, "00:%02d %s\n", 10 + 2 * i, p->line[order[i]]);
	text_puts(text, "01:00 end\n");
}

static void run(struct sim_stage *stage, const struct pair *p, const int *order, int count, struct text *out)
{
	struct text text = {.max = 1u << 20};
	struct err e = {0};
	struct sim_night_report report;
	struct sim_night_options o = {.stage = stage, .no_replay = true, .look = look, .ctx = out};
	told(p, order, count, &text);
	if (sim_night_run(text.data, &o, &report, &e) < 0)
		fail_msg("%s\n%s", e.text, text.data);
	text_free(&text);
}

static void order_does_not_matter(void **state)
{
	struct err e = {0};
	char scratch[64];
	int pairs = getenv("PAIRS") ? atoi(getenv("PAIRS")) : 40;
	uint64_t seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 10) : 1;
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/slew-pairs-%d.fits", (int)getpid());
	struct sim_stage *stage = sim_stage_new(7, scratch, &e);
	unlink(scratch);
	assert_non_null(stage);
	for (int n = 0; n < pairs; n++, seed++) {
		struct pair p;
		struct rng r;
		struct text a = {.max = 1u << 20}, b = {.max = 1u << 20};
		int order[2 * REVISIONS], straight[REVISIONS] = {0, 1, 2, 3, 4, 5}, count;
		rng_seed(&r, seed, "pairs");
		draw(&p, &r);
		count = p.count + rng_below(&r, p.count + 1);
		for (int i = 0; i < count; i++) {
			int k = rng_below(&r, i + 1); /* shuffled as it grows; the second half repeats */
			order[i] = order[k];
			order[k] = i % p.count;
		}
		run(stage, &p, straight, p.count, &a);
		run(stage, &p, order, count, &b);
		if (strcmp(a.data, b.data) != 0) {
			struct text text = {.max = 1u << 20};
			told(&p, order, count, &text);
			fprintf(stderr, "in order\n%sshuffled\n%s%s", a.data, b.data, text.data);
			fail_msg("seed %llu: another event by another order", (unsigned long long)seed);
		}
		text_free(&a);
		text_free(&b);
	}
	sim_stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(order_does_not_matter)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
