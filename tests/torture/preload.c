/* Preloaded into the program under torture: from main on every allocation (of the program and of all its libraries) is counted, and the
 * n-th gives NULL. With nobody's page it does nothing. */
#define _GNU_SOURCE
#include "page.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static struct page *page;
static int (*real_main)(int, char **, char **);

static int denied(void)
{
	if (page == NULL || !__atomic_load_n(&page->armed, __ATOMIC_RELAXED))
		return 0;
	long n = __atomic_add_fetch(&page->calls, 1, __ATOMIC_RELAXED);
	if (page->at == 0 || n < page->at || (n > page->at && !page->on))
		return 0;
	page->hit = 1;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return denied() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return denied() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return denied() ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return denied() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *p = denied() ? NULL : __libc_memalign(alignment, size);
	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

/* glibc 2.36 frees twice when memory ends inside regcomp: not ours to mend. */
static void *spared(const char *name)
{
	if (page != NULL)
		page->armed = 0;
	return dlsym(RTLD_NEXT, name);
}

int regcomp(regex_t *re, const char *pattern, int flags)
{
	int (*real)(regex_t *, const char *, int);
	int armed = page != NULL && page->armed;
	*(void **)&real = spared("regcomp");
	int rc = real(re, pattern, flags);
	if (page != NULL)
		page->armed = armed;
	return rc;
}

/* OpenSSL 3.0 crashes when memory ends while it prepares itself, and makes 4,600 allocations for it: that is done before. */
static void openssl_prepare(void)
{
	int (*digest)(const void *, size_t, unsigned char *, unsigned *, const void *, void *);
	const void *(*sha256)(void);
	unsigned char out[64];
	unsigned n;
	*(void **)&digest = dlsym(RTLD_DEFAULT, "EVP_Digest");
	*(void **)&sha256 = dlsym(RTLD_DEFAULT, "EVP_sha256");
	if (digest != NULL && sha256 != NULL)
		digest("", 0, out, &n, sha256(), NULL);
}

static int main_armed(int argc, char **argv, char **env)
{
	const char *path = getenv(PAGE_ENV);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	close(fd);
	unsetenv(PAGE_ENV); /* what it starts is not under torture */
	unsetenv("LD_PRELOAD");
	if (p != MAP_FAILED) {
		page = p;
		openssl_prepare();
		page->armed = 1;
		if (page->stop)
			raise(SIGSTOP);
	}
	return real_main(argc, argv, env);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void), void (*end)(void),
	void *stack)
{
	int (*next)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
	*(void **)&next = dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = main;
	return next(main_armed, argc, argv, init, fini, end, stack);
}
