/* What the torturer and the tortured share: one page of a file, mapped by both. */
#ifndef TESTS_TORTURE_PAGE_H
#define TESTS_TORTURE_PAGE_H

#define PAGE_ENV "TORTURE_PAGE"

struct page {
	int armed;              /* main has begun */
	int on;                 /* all from the `at`-th on fail; else only that one */
	int hit;                /* one has failed */
	int stop;               /* raise SIGSTOP before main: somebody traces */
	long at;                /* which allocation fails, from 1; 0 none */
	long calls;             /* allocations so far */
};
#endif
