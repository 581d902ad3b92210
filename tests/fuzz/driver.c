/* libFuzzer drives one door (FUZZ_DOOR). Beside libFuzzer's own limits: one second of processor time an input, since its clock runs on a
 * machine that others use too. `PROGRAM --seeds DIRECTORY` writes the door's seeds. */
#include "door.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

extern const struct fuzz_door FUZZ_DOOR;
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t max);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned seed);

static struct counts {
	uint64_t executions, reached, cpu_us; /* cpu_us: of the whole process so far */
} own, *counts = &own;

struct fuzz_seeds {
	const char *dir;
	int n;
};

void fuzz_seed(struct fuzz_seeds *s, const void *bytes, size_t len)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/seed-%03d", s->dir, s->n++);
	FILE *f = fopen(path, "wb");
	must(f != NULL && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

size_t fuzz_mutate_bytes(uint8_t *bytes, size_t len, size_t max)
{
	return LLVMFuzzerMutate(bytes, len, max);
}

/* The counts live in a file that outlives a crash: FUZZ_COUNTS. */
static void counts_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	must(fd >= 0 && ftruncate(fd, sizeof *counts) == 0);
	void *at = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(at != MAP_FAILED);
	counts = at;
	close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc == 3 && strcmp((*argv)[1], "--seeds") == 0) {
		struct fuzz_seeds s = {(*argv)[2], 0};
		FUZZ_DOOR.seeds(&s);
		exit(0);
	}
	if (*argc == 2 && strcmp((*argv)[1], "--limits") == 0) {
		printf("-max_len=%zu -rss_limit_mb=%d\n", FUZZ_DOOR.max_len ? FUZZ_DOOR.max_len : 4096, FUZZ_DOOR.rss_mb ? FUZZ_DOOR.rss_mb : 512);
		exit(0);
	}
	if (getenv("FUZZ_COUNTS") != NULL)
		counts_open(getenv("FUZZ_COUNTS"));
	return 0;
}

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	double from_s = cpu_s();
	counts->executions++;
	counts->reached += FUZZ_DOOR.run(bytes, len);
	double to_s = cpu_s();
	counts->cpu_us = (uint64_t)(to_s * 1e6);
	must(to_s - from_s < 1.0);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	return FUZZ_DOOR.mutate != NULL ? FUZZ_DOOR.mutate(bytes, len, max, seed) : LLVMFuzzerMutate(bytes, len, max);
}
