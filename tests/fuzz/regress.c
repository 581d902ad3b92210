/* The doors of tests/fuzz without libFuzzer: every seed, every kept finding (tests/fuzz/regress/NAME/), and a thousand mutations that are
 * the same in every run. What a door promises is checked by the door itself, with must(): a breach ends the program, and the input that did
 * it is written to build/fuzz-NAME.input. FUZZ_CHANGES=n makes more mutations, FUZZ_DICE=n others, FUZZ_DOOR=NAME one door's only,
 * FUZZ_CORPUS=build/fuzz/corpus on what libFuzzer has kept. */
#include "test.h"
#include "door.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#define DOORS(X) X(igwn_json) X(avro) X(policy) X(config) X(facility_read) X(rubin_read) X(fits_guard) X(skymap) X(journal) X(operator_line) X(reply_secrets) X(fits_catalog)
#define X(name) extern const struct fuzz_door fuzz_##name;
DOORS(X)
#undef X

#define CHANGES 1000 /* mutations a door */
#define KEPT 4096

/* What is being run: for the last words of a program that ends in it. */
static struct {
	char path[256];
	const uint8_t *bytes;
	size_t len;
} running;

static void last_words(int signal)
{
	int fd = open(running.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, running.bytes, running.len) == (ssize_t)running.len)
		close(fd);
	(void)raise(signal); /* the handler is gone: SA_RESETHAND */
}

static size_t from_environment(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? strtoul(text, NULL, 10) : otherwise;
}

struct fuzz_seeds {
	struct {
		uint8_t *bytes;
		size_t len;
	} list[KEPT];
	size_t n;
};

static struct fuzz_dice dice; /* of the blind changes: set anew for each door */

void fuzz_seed(struct fuzz_seeds *s, const void *bytes, size_t len)
{
	assert_true(s->n < KEPT);
	s->list[s->n].bytes = malloc(len + 1); /* its own block: a read past the end is seen by a sanitizer */
	assert_non_null(s->list[s->n].bytes);
	memcpy(s->list[s->n].bytes, bytes, len);
	s->list[s->n++].len = len;
}

/* A flipped bit, a byte of any value, a piece taken out, a piece doubled. */
size_t fuzz_mutate_bytes(uint8_t *bytes, size_t len, size_t max)
{
	size_t at = fuzz_below(&dice, len + 1), n = fuzz_below(&dice, 16);
	switch (fuzz_below(&dice, 4)) {
	case 0:
		if (at < len)
			bytes[at] ^= (uint8_t)(1u << fuzz_below(&dice, 8));
		return len;
	case 1:
		if (at == len && len < max)
			len++;
		if (at < len)
			bytes[at] = (uint8_t)fuzz_roll(&dice);
		return len;
	case 2:
		n = n < len - at ? n : len - at;
		memmove(bytes + at, bytes + at + n, len - at - n);
		return len - n;
	default:
		n = n < len - at ? n : len - at;
		n = n < max - len ? n : max - len;
		memmove(bytes + at + n, bytes + at, len - at);
		return len + n;
	}
}

/* One run, and the promise of all of them: not a second of the processor. */
static bool run_once(const struct fuzz_door *door, const uint8_t *bytes, size_t len)
{
	clock_t from = clock();
	snprintf(running.path, sizeof running.path, "%.200s/fuzz-%s.input", getenv("BUILD") ? getenv("BUILD") : "build", door->name);
	running.bytes = bytes;
	running.len = len;
	bool past = door->run(bytes, len);
	assert_true((double)(clock() - from) / CLOCKS_PER_SEC < 1.0);
	return past;
}

static void take_file(struct fuzz_seeds *s, const char *path)
{
	static uint8_t bytes[9 << 20];
	FILE *in = fopen(path, "rb");
	if (in == NULL)
		return;
	fuzz_seed(s, bytes, fread(bytes, 1, sizeof bytes, in));
	fclose(in);
}

/* Every file of a folder that is none of those with a dot, one more seed each; none when there is no such folder. */
static void take_folder(struct fuzz_seeds *s, const char *dir)
{
	DIR *d = opendir(dir);
	for (struct dirent *f; d != NULL && s->n < KEPT && (f = readdir(d)) != NULL;) {
		char path[600];
		snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
		if (f->d_name[0] != '.')
			take_file(s, path);
	}
	if (d != NULL)
		closedir(d);
}

static void seeds_free(struct fuzz_seeds *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i].bytes);
	free(s);
}

static size_t run_all(const struct fuzz_door *door, const struct fuzz_seeds *s)
{
	size_t past = 0;
	for (size_t i = 0; i < s->n; i++)
		past += run_once(door, s->list[i].bytes, s->list[i].len);
	return past;
}

static size_t run_findings(const struct fuzz_door *door)
{
	char dir[256];
	struct fuzz_seeds *s = calloc(1, sizeof *s);
	assert_non_null(s);
	snprintf(dir, sizeof dir, "tests/fuzz/regress/%s", door->name);
	take_folder(s, dir);
	run_all(door, s);
	size_t n = s->n;
	seeds_free(s);
	return n;
}

static size_t run_changes(const struct fuzz_door *door, const struct fuzz_seeds *s, size_t times)
{
	size_t max = door->max_len ? door->max_len : 4096, reached = 0;
	uint8_t *bytes = malloc(max);
	assert_non_null(bytes);
	for (size_t i = 0; i < times; i++) {
		size_t which = fuzz_below(&dice, s->n), len = s->list[which].len < max ? s->list[which].len : max;
		memcpy(bytes, s->list[which].bytes, len);
		for (size_t n = 1 + fuzz_below(&dice, i % 4 == 0 ? 12 : 3); n > 0; n--)
			len = door->mutate ? door->mutate(bytes, len, max, (unsigned)fuzz_roll(&dice)) : fuzz_mutate_bytes(bytes, len, max);
		uint8_t *exact = malloc(len + 1);
		assert_non_null(exact);
		memcpy(exact, bytes, len);
		reached += run_once(door, exact, len);
		free(exact);
	}
	free(bytes);
	return reached;
}

static void door_holds(void **state)
{
	const struct fuzz_door *door = *state;
	size_t past = 0, changes = from_environment("FUZZ_CHANGES", CHANGES);
	if (getenv("FUZZ_DOOR") != NULL && strcmp(getenv("FUZZ_DOOR"), door->name) != 0)
		skip();
	struct fuzz_seeds *s = calloc(1, sizeof *s);
	assert_non_null(s);
	dice = (struct fuzz_dice){from_environment("FUZZ_DICE", 1)};
	door->seeds(s);
	if (getenv("FUZZ_CORPUS") != NULL) {
		char dir[512];
		snprintf(dir, sizeof dir, "%s/%s", getenv("FUZZ_CORPUS"), door->name);
		take_folder(s, dir);
	}
	past = run_all(door, s);
	assert_true(past > 0); /* a door whose seeds all stop at the guard tests the guard only */
	size_t findings = run_findings(door), reached = run_changes(door, s, changes);
	assert_true(reached > 0);
	print_message("# %s: %zu seeds (%zu past the guard), %zu findings, %zu changes (%zu past the guard)\n", door->name, s->n, past, findings, changes,
		reached);
	seeds_free(s);
}

/* `regress NAME FILE…` runs these inputs only: to look at a finding without libFuzzer. */
static int run_named(int argc, char **argv)
{
	static const struct fuzz_door *const doors[] = {
#define X(n) &fuzz_##n,
		DOORS(X)
#undef X
	};
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
		for (int k = 2; strcmp(doors[i]->name, argv[1]) == 0 && k < argc; k++) {
			struct fuzz_seeds *s = calloc(1, sizeof *s);
			assert_non_null(s);
			take_file(s, argv[k]);
			run_all(doors[i], s);
			seeds_free(s);
		}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction once = {.sa_handler = last_words, .sa_flags = SA_RESETHAND};
	sigaction(SIGABRT, &once, NULL);
	sigaction(SIGSEGV, &once, NULL);
	if (argc > 2)
		return run_named(argc, argv);
#define X(n) {.name = #n, .test_func = door_holds, .initial_state = (void *)&fuzz_##n},
	const struct CMUnitTest tests[] = {DOORS(X)};
#undef X
	return cmocka_run_group_tests(tests, NULL, NULL);
}
