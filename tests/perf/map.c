/* How long a large sky map takes from file to columns: 3.1 million cells, 3-D, multi-order (or the FITS files named), by the sandboxed child from
 * an open file and from bytes, and in this process; then the memory that this process holds for it. */
#include "engine/io/mapchild.h"
#include "figures.h"
#include "mapmake.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPEATS 9

static long status_kib(const char *key)
{
	char line[256];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtol(line + strlen(key) + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kib;
}

static int made_file(int order)
{
	struct mapmake_sky sky;
	struct mapmake file;
	char path[] = "/tmp/slew-perf-map-XXXXXX";
	int fd = mkstemp(path);
	mapmake_sky_make(&sky, order);
	mapmake_sky_file(&sky, "NUNIQ", 1, &file);
	if (fd < 0 || write(fd, file.data, file.len) != (ssize_t)file.len) {
		perror(path);
		exit(1);
	}
	unlink(path);
	mapmake_free(&file);
	mapmake_sky_free(&sky);
	return fd;
}

static void time_file(int fd, const char *name)
{
	static const char *const ways[] = {"child, from an open file", "child, from bytes", "this process"};
	struct stat st;
	fstat(fd, &st);
	const void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	printf("# %s: %lld bytes\n", name, (long long)st.st_size);
	for (int way = 0; way < 3; way++) {
		struct figures f = {0}, check = {0};
		struct skymap m = {0};
		struct err e = {0};
		char line[80];
		for (int i = 0; i < REPEATS; i++) {
			double start = figures_now_ms();
			int rc = way == 0 ? mapchild_read_fd(fd, &m, &e) : way == 1 ? mapchild_read(bytes, (size_t)st.st_size, &m, &e)
				: skymap_read(bytes, (size_t)st.st_size, &m, &e);
			figures_add(&f, figures_now_ms() - start);
			if (rc < 0) {
				err_print(&e);
				exit(1);
			}
			start = figures_now_ms();
			if (skymap_check(&m, &e) < 0)
				exit(1);
			figures_add(&check, figures_now_ms() - start);
			if (i == REPEATS - 1)
				printf("# %lld cells; anonymous %ld KiB, shared %ld KiB\n", (long long)m.cells, status_kib("RssAnon"), status_kib("RssShmem"));
			skymap_free(&m);
		}
		snprintf(line, sizeof line, "map, %s", ways[way]);
		figures_print(line, &f);
		if (way == 2)
			figures_print("map, the check alone", &check);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--map-child") == 0)
		return mapchild_main();
	if (argc < 2)
		time_file(made_file(9), "made");
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			perror(argv[i]);
			return 1;
		}
		time_file(fd, argv[i]);
		close(fd);
	}
	return 0;
}
