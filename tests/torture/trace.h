/* Runs a program under ptrace from main on (preload.c stops there) and lets its n-th system call of a kind fail. Linux on x86-64. */
#ifndef TESTS_TORTURE_TRACE_H
#define TESTS_TORTURE_TRACE_H
#include <stdbool.h>
#include <sys/types.h>

/* The calls that a machine may refuse, and with what. */
struct trace_way {
	long at;        /* which of the calls below fails, from 1; 0 none */
	bool on;        /* and every later one of that name */
	int turn;       /* which of its errors; the last of read and write is a short one */
};
struct trace_seen {
	long calls;     /* of the kinds that may fail */
	bool hit;
	char what[64];  /* "write ENOSPC" */
};

/* How many errors the call `number` may give; 0: it is not one of ours. */
int trace_errors(long number);

/* The wait status of a child that may not be traced: it ends itself with 126. */
#define TRACE_CANNOT (126 << 8)

/* Traces the stopped child until it has ended; its wait status. Threads are traced, other processes that it starts are not. */
int trace_run(pid_t child, const struct trace_way *way, struct trace_seen *seen);

/* The n-th call of an undisturbed run: its number; fills list (max) and returns how many there were. */
long trace_list(pid_t child, long *list, long max, int *status);
#endif
