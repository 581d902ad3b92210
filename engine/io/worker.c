/* Runs compute_run and view_run on uv's worker threads: see worker.h. */
#include "engine/io/worker.h"
#include "engine/base/json.h"
#include "engine/base/limits.h"
#include "engine/base/query.h"
#include "engine/base/text.h"
#include "engine/core/compute.h"
#include "engine/io/clock.h"
#include "engine/io/mapchild.h"
#include "engine/report/views.h"
#include "engine/io/around.h"
#include "engine/target/catalog.h"
#include <stdlib.h>
#include <string.h>

#define COMPUTING 2
#define HANDLES 8
#define VIEW_US 2000000
#define VIEW_STEPS 20000 /* virtual machine steps between two looks at the clock */

/* A catalogue that jobs read; touched on the loop only. */
struct shelf {
	struct catalog catalog;
	int jobs;                 /* that hold it */
	bool dropped;
	struct shelf *next;
};

struct workers {
	uv_loop_t *loop;
	void *ctx;
	char state_path[1024];
	struct shelf *shelves;    /* newest first */
	uv_mutex_t mutex;         /* of the idle handles */
	sqlite3 *idle[HANDLES];
	size_t idle_count;
	struct job *waiting_first, *waiting_last;
	size_t computing, busy;
	bool closing;
	struct around *around;    /* NULL: none; lives as long */
};

struct job {
	uv_work_t work;
	struct job *next;
	struct workers *owner;
	worker_done_cb *done;
	uint64_t id;
	bool view;
	struct shelf *shelf;      /* of a computation; NULL: there is no catalogue */
	json_t *request, *result;
	int64_t now_us, deadline_us;
	struct err error;
};

/* -- on the worker's thread ------------------------------------------------------------------------------------------------------------- */

static sqlite3 *handle_take(struct workers *w, struct err *e)
{
	sqlite3 *db = NULL;
	uv_mutex_lock(&w->mutex);
	if (w->idle_count > 0)
		db = w->idle[--w->idle_count];
	uv_mutex_unlock(&w->mutex);
	if (db == NULL && query_open(w->state_path, QUERY_READ, &db, e) != 0)
		return NULL;
	return db;
}

static void handle_give(struct workers *w, sqlite3 *db)
{
	uv_mutex_lock(&w->mutex);
	bool keep = w->idle_count < HANDLES;
	if (keep)
		w->idle[w->idle_count++] = db;
	uv_mutex_unlock(&w->mutex);
	if (!keep)
		sqlite3_close(db);
}

static int blob_read(void *ctx, const char *sha256, unsigned char **bytes, size_t *len, struct err *e)
{
	struct workers *w = ctx;
	sqlite3 *db = handle_take(w, e);
	sqlite3_stmt *q = db == NULL ? NULL : query_prepare(db, "SELECT body FROM blob WHERE sha256 = ?", e);
	int rc = -1;
	if (q != NULL && query_bind(q, e, "t", sha256) == 0) {
		int row = query_step(q, e);
		size_t n = row == 1 ? (size_t)sqlite3_column_bytes(q, 0) : 0;
		unsigned char *copy = row == 1 ? malloc(n + 1) : NULL;
		if (row == 0)
			err_set(e, ERR_STORE, "blob %.16s…: not in the state", sha256);
		else if (row == 1 && copy == NULL)
			err_set(e, ERR_MEMORY, "blob %.16s…: no memory for its %zu bytes", sha256, n);
		if (copy != NULL) {
			if (n > 0)
				memcpy(copy, sqlite3_column_blob(q, 0), n);
			copy[n] = 0;
			*bytes = copy;
			*len = n;
			rc = 0;
		}
	}
	sqlite3_finalize(q);
	if (db != NULL)
		handle_give(w, db);
	return rc;
}

static int on_progress(void *ctx)
{
	return clock_boot_us() > ((const struct job *)ctx)->deadline_us;
}

static void view_work(struct job *j)
{
	sqlite3 *db = handle_take(j->owner, &j->error);
	if (db == NULL)
		return;
	j->deadline_us = clock_boot_us() + VIEW_US;
	sqlite3_progress_handler(db, VIEW_STEPS, on_progress, j);
	if (view_run(db, json_text(j->request, "verb", ""), j->request, j->now_us, &j->result, &j->error) != 0) {
		j->result = NULL;
		if (clock_boot_us() > j->deadline_us)
			err_set(&j->error, ERR_LIMIT, "view: took longer than 2 s and was stopped; ask for one event");
	}
	sqlite3_progress_handler(db, 0, NULL, NULL);
	handle_give(j->owner, db);
}

static void around_add(const void *around, json_t *job)
{
	around_job(around, job);
}

static void job_work(uv_work_t *work)
{
	struct job *j = work->data;
	if (j->view) {
		view_work(j);
		return;
	}
	struct compute_host host = {.ctx = j->owner, .blob = blob_read, .read_map = mapchild_read, .catalog = j->shelf != NULL ? &j->shelf->catalog : NULL,
		.around = j->owner->around, .around_job = around_add};
	if (compute_run(&host, j->request, &j->result, &j->error) != 0)
		j->result = NULL;
}

/* -- on the loop ------------------------------------------------------------------------------------------------------------------------- */

static void shelf_free(struct shelf *s)
{
	catalog_close(&s->catalog);
	free(s);
}

/* Closes what nobody wants or holds. */
static void shelves_tidy(struct workers *w)
{
	for (struct shelf **at = &w->shelves; *at != NULL;) {
		struct shelf *s = *at;
		if (s->dropped && s->jobs == 0) {
			*at = s->next;
			shelf_free(s);
		} else {
			at = &s->next;
		}
	}
}

static struct shelf *shelf_take(struct workers *w, const char *sha256)
{
	struct shelf *found = w->shelves; /* the newest: the job will say which it misses */
	for (struct shelf *s = w->shelves; s != NULL && sha256 != NULL; s = s->next)
		if (strcmp(s->catalog.sha256, sha256) == 0) {
			found = s;
			break;
		}
	if (found != NULL)
		found->jobs++;
	return found;
}

void workers_catalog(struct workers *w, const struct catalog *catalog)
{
	struct shelf *s = calloc(1, sizeof *s);
	must_memory(s != NULL);
	s->catalog = *catalog;
	s->next = w->shelves;
	w->shelves = s;
}

void workers_around(struct workers *w, struct around *around)
{
	w->around = around;
}

void workers_catalog_drop(struct workers *w, const char *sha256)
{
	for (struct shelf *s = w->shelves; s != NULL; s = s->next)
		s->dropped = s->dropped || strcmp(s->catalog.sha256, sha256) == 0;
	shelves_tidy(w);
}

static void workers_free(struct workers *w)
{
	for (struct shelf *s = w->shelves, *next; s != NULL; s = next) {
		next = s->next;
		shelf_free(s);
	}
	for (size_t i = 0; i < w->idle_count; i++)
		sqlite3_close(w->idle[i]);
	uv_mutex_destroy(&w->mutex);
	if (w->around != NULL)
		around_free(w->around);
	free(w->around);
	free(w);
}

static void job_free(struct job *j)
{
	if (j->shelf != NULL) {
		j->shelf->jobs--;
		shelves_tidy(j->owner);
	}
	json_decref(j->request);
	json_decref(j->result);
	free(j);
}

static void job_done(uv_work_t *work, int status);

static void job_start(struct job *j)
{
	j->work.data = j;
	j->owner->busy++;
	j->owner->computing += !j->view;
	must(uv_queue_work(j->owner->loop, &j->work, job_work, job_done) == 0);
}

static void compute_next(struct workers *w)
{
	while (w->computing < COMPUTING && w->waiting_first != NULL) {
		struct job *j = w->waiting_first;
		w->waiting_first = j->next;
		if (w->waiting_first == NULL)
			w->waiting_last = NULL;
		job_start(j);
	}
}

static void job_done(uv_work_t *work, int status)
{
	struct job *j = work->data;
	struct workers *w = j->owner;
	(void)status;
	w->busy--;
	w->computing -= !j->view;
	if (!w->closing) {
		j->done(w->ctx, j->id, j->result, &j->error);
		compute_next(w);
	}
	job_free(j);
	if (w->closing && w->busy == 0)
		workers_free(w);
}

static struct job *job_new(struct workers *w, uint64_t id, json_t *request, worker_done_cb *done)
{
	struct job *j = calloc(1, sizeof *j);
	must_memory(j != NULL);
	j->owner = w;
	j->id = id;
	j->request = request;
	j->done = done;
	return j;
}

void workers_compute(struct workers *w, uint64_t effect, json_t *job, worker_done_cb *done)
{
	struct job *j = job_new(w, effect, job, done);
	j->shelf = shelf_take(w, json_text(job, "catalog", NULL));
	if (w->waiting_last != NULL)
		w->waiting_last->next = j;
	else
		w->waiting_first = j;
	w->waiting_last = j;
	compute_next(w);
}

void workers_view(struct workers *w, uint64_t client, json_t *request, int64_t now_us, worker_done_cb *done)
{
	struct job *j = job_new(w, client, request, done);
	j->view = true;
	j->now_us = now_us;
	job_start(j);
}

struct workers *workers_open(uv_loop_t *loop, const char *state_path, void *ctx, struct err *e)
{
	struct workers *w = calloc(1, sizeof *w);
	if (w == NULL || uv_mutex_init(&w->mutex) != 0) {
		free(w);
		err_set(e, ERR_MEMORY, "workers: no memory");
		return NULL;
	}
	w->loop = loop;
	w->ctx = ctx;
	text_copy(w->state_path, sizeof w->state_path, state_path);
	return w;
}

void workers_close(struct workers *w)
{
	if (w == NULL)
		return;
	w->closing = true;
	while (w->waiting_first != NULL) {
		struct job *j = w->waiting_first;
		w->waiting_first = j->next;
		job_free(j);
	}
	if (w->busy == 0)
		workers_free(w);
}
