/* Sorting catalogue rows by runs: see catalog_sort.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_TMPFILE */
#endif
#include "engine/target/catalog_sort.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM_ROWS 2048 /* read ahead of each run */

int catalog_row_compare(const struct catalog_row *a, const struct catalog_row *b)
{
	if (a->ipix29 != b->ipix29)
		return a->ipix29 < b->ipix29 ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* ---- one run ---- */

struct key {
	uint64_t ipix29;
	const struct catalog_row *row;
};

/* Rows of the same pixel: by id and name; the address is the order in which they came. */
static int key_compare(const void *a, const void *b)
{
	const struct key *p = a, *q = b;
	int order = catalog_row_compare(p->row, q->row);
	return order != 0 ? order : p->row < q->row ? -1 : p->row > q->row;
}

/* Radix sort by 11 bits, least first: stable, so one pass a digit. NULL without memory. */
static struct key *keys_sorted(const struct catalog_row *rows, size_t n)
{
	struct key *a = malloc((n + 1) * sizeof *a), *b = malloc((n + 1) * sizeof *b);
	for (size_t i = 0; a != NULL && i < n; i++)
		a[i] = (struct key){rows[i].ipix29, &rows[i]};
	for (int shift = 0; a != NULL && b != NULL && shift < 62; shift += 11) {
		size_t place[2048] = {0}, sum = 0;
		for (size_t i = 0; i < n; i++)
			place[a[i].ipix29 >> shift & 2047]++;
		for (int d = 0; d < 2048; d++) {
			size_t here = place[d];
			place[d] = sum;
			sum += here;
		}
		for (size_t i = 0; i < n; i++)
			b[place[a[i].ipix29 >> shift & 2047]++] = a[i];
		struct key *swap = a;
		a = b;
		b = swap;
	}
	for (size_t i = 0, end; a != NULL && b != NULL && i < n; i = end) {
		for (end = i + 1; end < n && a[end].ipix29 == a[i].ipix29; end++)
			;
		if (end > i + 1)
			qsort(a + i, end - i, sizeof *a, key_compare);
	}
	if (b == NULL) {
		free(a);
		return NULL;
	}
	free(b);
	return a;
}

int catalog_file_nameless(const char *beside, struct err *e)
{
	const char *slash = beside ? strrchr(beside, '/') : NULL;
	char folder[1024];
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - beside) + 1 : 1000, slash ? beside : beside ? "." : P_tmpdir);
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) { /* a file system that cannot: made, and its name taken away at once */
		char path[1100];
		snprintf(path, sizeof path, "%s/.slew-rows.XXXXXX", folder);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	return fd >= 0 ? fd : err_set(e, ERR_SYSTEM, "%s: no file for rows can be made: %s; choose another place for the output", folder, strerror(errno));
}

static int write_all(int fd, const void *bytes, size_t len, int64_t at, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, len - done, (off_t)(at + (int64_t)done));
		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_SYSTEM, "rows cannot be kept on disk: %s; free room beside the output", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int run_write(struct catalog_runs *r, struct err *e)
{
	enum { PIECE = 8192 };
	struct key *keys = keys_sorted(r->full, r->full_count);
	struct catalog_row *piece = malloc(PIECE * sizeof *piece);
	struct catalog_run_place *run = realloc(r->run, (r->run_count + 1) * sizeof *run);
	int rc = keys == NULL || piece == NULL || run == NULL ? err_set(e, ERR_MEMORY, "no memory to sort %zu galaxies", r->full_count) : 0;
	if (run != NULL)
		r->run = run;
	if (rc == 0 && r->fd == 0) {
		int fd = catalog_file_nameless(r->beside, e);
		rc = fd < 0 ? -1 : 0;
		r->fd = fd < 0 ? 0 : fd;
	}
	for (size_t i = 0; rc == 0 && i < r->full_count; i += PIECE) {
		size_t n = r->full_count - i < PIECE ? r->full_count - i : PIECE;
		for (size_t k = 0; k < n; k++)
			piece[k] = *keys[i + k].row;
		rc = write_all(r->fd, piece, n * sizeof *piece, (r->in_file + (int64_t)i) * (int64_t)sizeof *piece, e);
	}
	if (rc == 0) {
		r->run[r->run_count++] = (struct catalog_run_place){r->in_file, r->full_count};
		r->in_file += (int64_t)r->full_count;
	}
	free(keys);
	free(piece);
	return rc;
}

void catalog_runs_work(struct catalog_runs *r)
{
	if (r->full_count == 0 || r->failed.kind != ERR_NONE)
		return;
	run_write(r, &r->failed);
	r->full_count = 0;
}

static int settle(struct catalog_runs *r, struct err *e)
{
	catalog_runs_work(r);
	if (r->failed.kind == ERR_NONE)
		return 0;
	*e = r->failed;
	return -1;
}

void catalog_runs_free(struct catalog_runs *r)
{
	free(r->rows);
	free(r->full);
	free(r->run);
	if (r->fd > 0)
		close(r->fd);
	*r = (struct catalog_runs){0};
}

int catalog_runs_add(struct catalog_runs *r, const struct catalog_row *rows, size_t n, struct err *e)
{
	size_t most = r->run_rows ? r->run_rows : CATALOG_RUN_ROWS;
	while (n > 0) {
		if (r->count == r->cap && r->cap < most) {
			size_t cap = r->cap ? r->cap * 2 : 16384;
			cap = cap > most ? most : cap;
			struct catalog_row *grown = realloc(r->rows, cap * sizeof *grown);
			if (grown == NULL)
				return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", cap);
			r->rows = grown;
			r->cap = cap;
		}
		size_t take = r->cap - r->count < n ? r->cap - r->count : n;
		memcpy(r->rows + r->count, rows, take * sizeof *rows);
		r->count += take;
		r->total += (int64_t)take;
		rows += take;
		n -= take;
		if (r->count < most)
			continue;
		if (settle(r, e) < 0)
			return -1;
		struct catalog_row *other = r->full ? r->full : malloc(most * sizeof *other);
		if (other == NULL)
			return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", most);
		r->full = r->rows;
		r->full_count = r->count;
		r->rows = other;
		r->count = 0;
	}
	return 0;
}

/* ---- the stream ---- */

struct reader {
	struct catalog_row *rows; /* read ahead; NULL: the run in memory */
	const struct key *keys;   /* of the run in memory */
	size_t at, have, left;    /* left: not read yet */
	int64_t place;            /* next row of the file */
	const struct catalog_row *now;
};

struct catalog_stream {
	int fd;
	struct reader *reader;
	size_t *heap, heap_count, count;
	struct key *keys;
	bool begun;
};

/* *now becomes the next row of a run, or NULL. */
static int reader_step(const struct catalog_stream *s, struct reader *r, struct err *e)
{
	if (r->keys != NULL) {
		r->now = r->at < r->have ? r->keys[r->at].row : NULL;
		r->at++;
		return 0;
	}
	if (r->at == r->have) {
		r->have = r->left < STREAM_ROWS ? r->left : STREAM_ROWS;
		r->at = 0;
		size_t want = r->have * sizeof *r->rows, done = 0;
		while (done < want) {
			ssize_t n = pread(s->fd, (char *)r->rows + done, want - done, (off_t)(r->place * (int64_t)sizeof *r->rows + (int64_t)done));
			if (n == 0 || (n < 0 && errno != EINTR))
				return err_set(e, ERR_SYSTEM, "rows cannot be read back from disk: %s", n == 0 ? "they end early" : strerror(errno));
			done += n > 0 ? (size_t)n : 0;
		}
		r->left -= r->have;
		r->place += (int64_t)r->have;
	}
	r->now = r->at < r->have ? &r->rows[r->at++] : NULL;
	return 0;
}

/* Earlier runs hold what came earlier. */
static bool before(const struct catalog_stream *s, size_t a, size_t b)
{
	int order = catalog_row_compare(s->reader[a].now, s->reader[b].now);
	return order != 0 ? order < 0 : a < b;
}

static void heap_down(struct catalog_stream *s, size_t i)
{
	for (;;) {
		size_t least = i;
		for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
			if (child < s->heap_count && before(s, s->heap[child], s->heap[least]))
				least = child;
		if (least == i)
			return;
		size_t swap = s->heap[i];
		s->heap[i] = s->heap[least];
		s->heap[least] = swap;
		i = least;
	}
}

struct catalog_stream *catalog_stream_open(struct catalog_runs *r, struct err *e)
{
	if (settle(r, e) < 0)
		return NULL;
	struct catalog_stream *s = calloc(1, sizeof *s);
	must_memory(s != NULL);
	s->fd = r->fd;
	s->count = r->run_count + 1;
	s->reader = calloc(s->count, sizeof *s->reader);
	s->heap = calloc(s->count, sizeof *s->heap);
	s->keys = keys_sorted(r->rows, r->count);
	bool memory = s->reader != NULL && s->heap != NULL && s->keys != NULL;
	for (size_t i = 0; memory && i < s->count; i++) {
		struct reader *one = &s->reader[i];
		if (i == r->run_count)
			*one = (struct reader){.keys = s->keys, .have = r->count};
		else
			*one = (struct reader){.rows = malloc(STREAM_ROWS * sizeof *one->rows), .left = r->run[i].count, .place = r->run[i].first};
		memory = one->keys != NULL || one->rows != NULL;
		if (memory && reader_step(s, one, e) < 0) {
			catalog_stream_close(s);
			return NULL;
		}
		if (memory && one->now != NULL)
			s->heap[s->heap_count++] = i;
	}
	if (!memory) {
		err_set(e, ERR_MEMORY, "no memory to sort %lld galaxies", (long long)r->total);
		catalog_stream_close(s);
		return NULL;
	}
	for (size_t i = s->heap_count; i-- > 0;)
		heap_down(s, i);
	return s;
}

const struct catalog_row *catalog_stream_next(struct catalog_stream *s, struct err *e)
{
	if (s->begun) {
		struct reader *top = &s->reader[s->heap[0]];
		if (reader_step(s, top, e) < 0)
			return NULL;
		if (top->now == NULL)
			s->heap[0] = s->heap[--s->heap_count];
		heap_down(s, 0);
	}
	s->begun = s->heap_count > 0;
	return s->heap_count > 0 ? s->reader[s->heap[0]].now : NULL;
}

void catalog_stream_close(struct catalog_stream *s)
{
	for (size_t i = 0; s->reader != NULL && i < s->count; i++)
		free(s->reader[i].rows);
	free(s->reader);
	free(s->heap);
	free(s->keys);
	free(s);
}
