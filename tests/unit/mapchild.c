/* The real sandbox: the child reads what the parent would read, and a child that opens, connects, forks, loops, eats memory, crashes or
 * lies is one failed map with a sentence; the parent goes on. */
#include "test.h"
#include "mapmake.h"
#include "engine/io/mapchild.h"
#include <dirent.h>
#include <math.h>
#include <unistd.h>

static struct mapmake file;

static int setup(void **state)
{
	struct mapmake_sky sky;
	(void)state;
	mapmake_sky_make(&sky, 7);
	for (int64_t i = 0; i < 8192; i++) /* some equal neighbours, which become one cell */
		sky.prob[i] = sky.prob[0], sky.mu[i] = sky.mu[0], sky.sigma[i] = sky.sigma[0], sky.norm[i] = sky.norm[0];
	mapmake_sky_file(&sky, "RING", 1, &file);
	mapmake_sky_free(&sky);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapmake_free(&file);
	return 0;
}

__attribute__((unused)) static int descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void child_reads_the_same(void **state)
{
	struct skymap m, own;
	struct err e = {0};
	struct mapmake z;
	(void)state;
	assert_ok(skymap_read(file.data, file.len, &own, &e), &e);
	mapmake_gzip(&z, file.data, file.len);
	for (int k = 0; k < 2; k++) {
		assert_ok(mapchild_read(k ? z.data : file.data, k ? z.len : file.len, &m, &e), &e);
		assert_true(m.cells == own.cells && m.pixels == own.pixels && m.cells < m.pixels);
		assert_int_equal(m.order_max, own.order_max);
		assert_true(m.ordering == own.ordering && m.distmean_mpc == own.distmean_mpc);
		assert_string_equal(m.object, own.object);
		assert_memory_equal(m.uniq, own.uniq, (size_t)m.cells * 8);
		assert_memory_equal(m.density, own.density, (size_t)m.cells * 8);
		assert_memory_equal(m.norm, own.norm, (size_t)m.cells * 8);
		skymap_free(&m);
	}
	skymap_free(&own);
	mapmake_free(&z);
}

/* From an open file, plain and compressed, the same columns; the file's offset stays; what is no map says so; nothing stays open. */
static void an_open_file_is_read_the_same(void **state)
{
	struct mapmake z;
	char path[] = "/tmp/slew-mapchild-XXXXXX";
	int fd = mkstemp(path), before = descriptors();
	(void)state;
	mapmake_gzip(&z, file.data, file.len);
	for (int k = 0; k < 5; k++) {
		static const char html[] = "<html>";
		const void *bytes = k == 0 ? file.data : k == 1 ? z.data : k == 2 ? (const void *)html : file.data;
		size_t len = k == 0 ? file.len : k == 1 ? z.len : k == 2 ? 6 : k == 3 ? file.len - 2880 : 0;
		struct skymap own = {0}, m = {0};
		struct err e = {0}, f = {0};
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, len, 0), (ssize_t)len);
		int want = skymap_read(bytes, len, &own, &e);
		assert_int_equal(mapchild_read_fd(fd, &m, &f), want);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
		assert_string_equal(f.text, e.text);
		assert_true(e.kind == f.kind && m.cells == own.cells && m.order_max == own.order_max);
		assert_int_equal(want, k < 2 ? 0 : -1);
		if (want == 0)
			assert_memory_equal(m.uniq, own.uniq, (size_t)m.cells * 8);
		if (want == 0)
			assert_memory_equal(m.sigma, own.sigma, (size_t)m.cells * 8);
		skymap_free(&m);
		skymap_free(&own);
	}
	int tube[2];
	struct skymap m;
	struct err e = {0};
	assert_int_equal(pipe(tube), 0);
	assert_int_equal(mapchild_read_fd(tube[0], &m, &e), -1);
	assert_non_null(strstr(e.text, "not a regular file"));
	close(tube[0]);
	close(tube[1]);
	assert_int_equal(descriptors(), before);
	close(fd);
	unlink(path);
	mapmake_free(&z);
}

static void errors_come_through(void **state)
{
	struct skymap m;
	struct err e = {0};
	(void)state;
	assert_int_equal(mapchild_read("<html>", 6, &m, &e), -1);
	assert_non_null(strstr(e.text, "HTML page"));
	assert_int_equal(mapchild_read(file.data, file.len - 2880, &m, &e), -1);
	assert_non_null(strstr(e.text, "truncated"));
	assert_non_null(strstr(e.text, "fetch it again"));
}

static void misbehaviour(void **state)
{
#ifdef SLEW_SANITIZER
	(void)state;
	printf("# skipped: sanitizer builds read in process\n");
	skip();
#else
	static const struct {
		enum mapchild_probe probe;
		const char *word;
	} cases[] = {{PROBE_OPEN, "Bad system call"}, {PROBE_SOCKET, "Bad system call"}, {PROBE_FORK, "Bad system call"},
		{PROBE_PTRACE, "Bad system call"}, {PROBE_LOOP, "took too long"}, {PROBE_MEMORY, "no memory"}, {PROBE_CRASH, "stopped"},
		{PROBE_LIE, "does not fit"}};
	int before = descriptors();
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct skymap m;
		struct err e = {0};
		if (mapchild_probe(file.data, file.len, cases[i].probe, &m, &e) == 0)
			fail_msg("probe %d was not stopped", (int)cases[i].probe);
		if (strstr(e.text, cases[i].word) == NULL)
			fail_msg("probe %d: \"%s\" does not say \"%s\"", (int)cases[i].probe, e.text, cases[i].word);
		assert_null(m.memory);
		assert_ok(mapchild_read(file.data, file.len, &m, &e), &e);
		skymap_free(&m);
	}
	assert_int_equal(descriptors(), before);
#endif
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--map-child") == 0)
		return mapchild_main();
	const struct CMUnitTest tests[] = {cmocka_unit_test(child_reads_the_same), cmocka_unit_test(an_open_file_is_read_the_same), cmocka_unit_test(errors_come_through),
		cmocka_unit_test(misbehaviour)};
	return cmocka_run_group_tests_name("mapchild", tests, setup, teardown);
}
