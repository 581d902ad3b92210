/* A sorted stream of rows → the catalogue's file: see catalog_write.h (form: catalog.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkostemp */
#endif
#include "engine/target/catalog_write.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/target/fits_header.h"
#include "engine/target/census.h"
#include "engine/target/fits_write.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER ((size_t)CATALOG_ROW_BYTES * 12288) /* about 1 MiB, whole rows */
#define BATCH 16384                                /* rows of the columns at once */

static const char zeros[65] = "0000000000000000000000000000000000000000000000000000000000000000";

static int write_failed(const struct catalog_writer *w, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "%s: cannot be written: %s; free room there, or choose another place", w->path, strerror(errno));
}

static int put_at(const struct catalog_writer *w, uint64_t at, const void *bytes, size_t len, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(w->fd, (const unsigned char *)bytes + done, len - done, (off_t)(at + done));
		if (n < 0 && errno != EINTR)
			return write_failed(w, e);
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static uint64_t padded(uint64_t n)
{
	return (n + FITS_BLOCK - 1) / FITS_BLOCK * FITS_BLOCK;
}

/* ---- headers ---- */

/* The primary unit and the header of GALAXIES, blank cards up to its fixed length. */
static int galaxies_header(const struct catalog_writer *w, const struct text *provenance, const char *digest, struct text *t, struct err *e)
{
	static const char *const columns[10][3] = {{"IPIX29", "1K", ""}, {"DIST_MPC", "1D", "Mpc"}, {"RA", "1D", "deg"}, {"DEC", "1D", "deg"},
		{"DISTERR_MPC", "1E", "Mpc"}, {"B_MAG", "1E", "mag"}, {"LOGMSTAR", "1E", ""}, {"FLAGS", "1J", ""}, {"ID", "1K", ""},
		{"NAME", "32A", ""}};
	fits_primary(t);
	size_t start = t->len;
	fits_table(t, CATALOG_ROW_BYTES, w->count, 10);
	fits_card_text(t, "EXTNAME", "GALAXIES", "");
	for (int i = 0; i < 10; i++)
		fits_table_column(t, i + 1, columns[i][0], columns[i][1], columns[i][2]);
	fits_card_text(t, "DIGEST", digest, "");
	if (provenance != NULL && provenance->len > 0)
		text_add(t, provenance->data, provenance->len);
	if (t->len - start + 80 > w->header_bytes)
		return err_set(e, ERR_LIMIT, "%s: the header wants more cards than were announced", w->path);
	while (t->len - start + 80 < w->header_bytes && !t->failed)
		text_printf(t, "%-80s", "");
	fits_header_end(t);
	must(t->failed || t->len - start == w->header_bytes);
	return t->failed || (provenance != NULL && provenance->failed) ? err_set(e, ERR_LIMIT, "%s: the header is too long", w->path) : 0;
}

static void cells_header(struct text *t)
{
	fits_table(t, CATALOG_CELL_BYTES, CATALOG_CELLS, 3);
	fits_card_text(t, "EXTNAME", "CELLS", "");
	fits_table_column(t, 1, "FIRST", "1K", "");
	fits_table_column(t, 2, "LUM_MAX", "1E", "solLum");
	fits_table_column(t, 3, "MASS_MAX", "1E", "solMass");
	fits_header_end(t);
}

static void columns_header(struct text *t, int64_t rows)
{
	static const char *const columns[CATALOG_COLUMN_COUNT][3] = {{"DIST_MPC", "D", "Mpc"}, {"DISTERR_MPC", "E", "Mpc"}, {"LUM", "E", "solLum"},
		{"MASS", "E", "solMass"}, {"PIX23", "J", ""}};
	char form[32];
	fits_table(t, rows * CATALOG_COLUMN_BYTES, 1, CATALOG_COLUMN_COUNT);
	fits_card_text(t, "EXTNAME", "COLUMNS", "");
	for (int i = 0; i < CATALOG_COLUMN_COUNT; i++) {
		snprintf(form, sizeof form, "%lld%s", (long long)rows, columns[i][1]);
		fits_table_column(t, i + 1, columns[i][0], form, columns[i][2]);
	}
	fits_header_end(t);
}

static void census_header(struct text *t)
{
	fits_table(t, CATALOG_CENSUS_BYTES, CATALOG_CENSUS_ROWS, 5);
	fits_card_text(t, "EXTNAME", "CENSUS", "");
	fits_table_column(t, 1, "ROWS", "1D", "");
	fits_table_column(t, 2, "LUM_ROWS", "1D", "");
	fits_table_column(t, 3, "LUM", "1D", "solLum");
	fits_table_column(t, 4, "MASS_ROWS", "1D", "");
	fits_table_column(t, 5, "MASS", "1D", "solMass");
	fits_header_end(t);
}

/* ---- rows ---- */

int catalog_writer_open(struct catalog_writer *w, const char *path, size_t cards, struct err *e)
{
	size_t len = strlen(path);
	struct stat there;
	*w = (struct catalog_writer){.fd = -1};
	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) /* the rename at the end would put a file in its place */
		return err_set(e, ERR_INPUT, "%s: is a directory, device or pipe; a catalogue is a file", path);
	if (cards > LIMIT_MAP_CARDS - CATALOG_WRITE_CARDS)
		return err_set(e, ERR_LIMIT, "%s: %zu cards are more than a header may hold", path, cards);
	*w = (struct catalog_writer){.fd = -1, .path = strdup(path), .temporary = malloc(len + 8), .buffer = malloc(BUFFER)};
	w->header_bytes = (size_t)padded((CATALOG_WRITE_CARDS + cards) * 80);
	w->at = FITS_BLOCK + w->header_bytes;
	if (w->path == NULL || w->temporary == NULL || w->buffer == NULL) {
		catalog_writer_abandon(w);
		return err_set(e, ERR_MEMORY, "no memory to write %s", path);
	}
	w->digest = hash_sha256_begin();
	snprintf(w->temporary, len + 8, "%s.XXXXXX", path);
	w->fd = mkostemp(w->temporary, O_CLOEXEC);
	if (w->fd < 0) {
		err_set(e, ERR_SYSTEM, "%s: cannot be made: %s", path, strerror(errno));
		catalog_writer_abandon(w);
		return -1;
	}
	return 0;
}

static int flush(struct catalog_writer *w, struct err *e)
{
	if (put_at(w, w->at, w->buffer, w->used, e) < 0)
		return -1;
	hash_sha256_add(w->digest, w->buffer, w->used);
	w->at += w->used;
	w->used = 0;
	return 0;
}

static void row_put(unsigned char *p, const struct catalog_row *r)
{
	bytes_put_u64(p, r->ipix29);
	bytes_put_double(p + 8, r->distance_mpc);
	bytes_put_double(p + 16, r->ra_deg);
	bytes_put_double(p + 24, r->dec_deg);
	bytes_put_float(p + 32, r->distance_err_mpc);
	bytes_put_float(p + 36, r->b_mag);
	bytes_put_float(p + 40, r->log_mstar);
	bytes_put_u32(p + 44, r->flags);
	bytes_put_u64(p + 48, (uint64_t)r->id);
	memset(p + 56, ' ', CATALOG_NAME);
	memcpy(p + 56, r->name, strlen(r->name));
}

int catalog_writer_add(struct catalog_writer *w, const struct catalog_row *r, struct err *e)
{
	if (r->ipix29 >> 58 >= 12)
		return err_set(e, ERR_INPUT, "%s: row %lld has no pixel of the sky", w->path, (long long)w->count + 1);
	if (w->count > 0 && (r->ipix29 < w->last_ipix29 || (r->ipix29 == w->last_ipix29 && r->id < w->last_id)))
		return err_set(e, ERR_INPUT, "%s: row %lld is out of order", w->path, (long long)w->count + 1);
	if (w->used == BUFFER && flush(w, e) < 0)
		return -1;
	row_put(w->buffer + w->used, r);
	w->used += CATALOG_ROW_BYTES;
	w->last_ipix29 = r->ipix29;
	w->last_id = r->id;
	w->count++;
	return 0;
}

/* ---- index and columns ---- */

/* A batch of the columns, and the index as far as the rows went. */
struct second {
	unsigned char *cells;     /* CATALOG_CELLS entries */
	uint64_t cell;            /* next one whose first row is not known */
	unsigned char *column[CATALOG_COLUMN_COUNT];
	uint64_t columns_at;      /* where COLUMNS' data begins */
	struct census *census;
	struct census_quick quick;
};

static void index_to(struct second *s, uint64_t cell, int64_t row)
{
	for (; s->cell <= cell && s->cell < CATALOG_CELLS; s->cell++)
		bytes_put_u64(s->cells + s->cell * CATALOG_CELL_BYTES, (uint64_t)row);
}

static void most_put(unsigned char *p, float w)
{
	if (w > bytes_float(p))
		bytes_put_float(p, w);
}

/* Unknown is 0 in the columns: no test for it is needed where it is read. */
static float known(double v)
{
	return v > 0 && isfinite(v) ? (float)v : 0;
}

static void row_second(struct second *s, const struct catalog_row *r, int64_t row, size_t i)
{
	uint64_t cell = r->ipix29 >> (2 * (29 - CATALOG_CELL_ORDER));
	float light = known(catalog_luminosity(r)), mass = known(catalog_mass(r));
	index_to(s, cell, row);
	census_add(s->census, &s->quick, (int64_t)cell, r->distance_mpc, light, mass);
	most_put(s->cells + cell * CATALOG_CELL_BYTES + 8, light);
	most_put(s->cells + cell * CATALOG_CELL_BYTES + 12, mass);
	bytes_put_double(s->column[CATALOG_COLUMN_DIST] + 8 * i, r->distance_mpc);
	bytes_put_float(s->column[CATALOG_COLUMN_DISTERR] + 4 * i, known((double)r->distance_err_mpc));
	bytes_put_float(s->column[CATALOG_COLUMN_LUM] + 4 * i, light);
	bytes_put_float(s->column[CATALOG_COLUMN_MASS] + 4 * i, mass);
	bytes_put_u32(s->column[CATALOG_COLUMN_PIX] + 4 * i, catalog_pix23(r->ipix29));
}

/* All rows once more. Their pages come in and go again: the mapping of a file is not memory of ours. */
static int rows_again(const struct catalog_writer *w, const struct catalog *rows, struct second *s, struct err *e)
{
	for (int64_t first = 0; first < w->count; first += BATCH) {
		size_t n = (size_t)(w->count - first < BATCH ? w->count - first : BATCH);
		for (size_t i = 0; i < n; i++) {
			struct catalog_row r;
			catalog_row_at(rows, first + (int64_t)i, &r);
			row_second(s, &r, first + (int64_t)i, i);
		}
		for (int k = 0; k < CATALOG_COLUMN_COUNT; k++)
			if (put_at(w, s->columns_at + catalog_column_offset(k, w->count) + (uint64_t)first * catalog_column_size(k), s->column[k],
				n * catalog_column_size(k), e) < 0)
				return -1;
		const size_t page = 4096;
		uintptr_t from = (uintptr_t)(rows->rows + (size_t)first * CATALOG_ROW_BYTES) & ~(page - 1);
		size_t passed = (size_t)((uintptr_t)(rows->rows + ((size_t)first + n) * CATALOG_ROW_BYTES) - from) & ~(page - 1);
		madvise((void *)from, passed, MADV_DONTNEED);
	}
	index_to(s, CATALOG_CELLS, w->count);
	return 0;
}

static int second_make(struct second *s, struct err *e)
{
	unsigned char *block = calloc(1, (size_t)CATALOG_CELLS * CATALOG_CELL_BYTES + (size_t)BATCH * CATALOG_COLUMN_BYTES);
	*s = (struct second){.cells = block, .census = calloc(1, sizeof *s->census)};
	census_quick_make(&s->quick);
	if (block == NULL || s->census == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the catalogue's index");
	for (int k = 0; k < CATALOG_COLUMN_COUNT; k++)
		s->column[k] = block + (size_t)CATALOG_CELLS * CATALOG_CELL_BYTES + catalog_column_offset(k, BATCH);
	return 0;
}

static int census_write(const struct catalog_writer *w, const struct census *census, uint64_t at, const struct text *head, struct err *e)
{
	const size_t len = (size_t)CATALOG_CENSUS_ROWS * CATALOG_CENSUS_BYTES;
	unsigned char *bytes = malloc(len);
	if (bytes == NULL)
		return err_set(e, ERR_MEMORY, "no memory for the catalogue's census");
	census_put(census, bytes);
	int rc = put_at(w, at, head->data, head->len, e) < 0 ? -1 : put_at(w, at + head->len, bytes, len, e);
	free(bytes);
	return rc;
}

/* Everything behind the rows. */
static int rest_put(const struct catalog_writer *w, const struct catalog *rows, struct err *e)
{
	struct text cells = {.max = LIMIT_CONFIG_BYTES}, columns = {.max = LIMIT_CONFIG_BYTES}, census = {.max = LIMIT_CONFIG_BYTES};
	struct second s;
	cells_header(&cells);
	columns_header(&columns, w->count);
	census_header(&census);
	uint64_t at = padded(w->at), cells_bytes = (uint64_t)CATALOG_CELLS * CATALOG_CELL_BYTES;
	int rc = second_make(&s, e);
	if (rc == 0) {
		uint64_t columns_at = at + cells.len + padded(cells_bytes);
		s.columns_at = columns_at + columns.len;
		uint64_t census_at = s.columns_at + padded((uint64_t)w->count * CATALOG_COLUMN_BYTES);
		uint64_t end = census_at + census.len + padded((uint64_t)CATALOG_CENSUS_ROWS * CATALOG_CENSUS_BYTES);
		rc = ftruncate(w->fd, (off_t)end) != 0 ? write_failed(w, e) : rows_again(w, rows, &s, e);
		if (rc == 0 && (put_at(w, at, cells.data, cells.len, e) < 0 || put_at(w, at + cells.len, s.cells, (size_t)cells_bytes, e) < 0 ||
			put_at(w, columns_at, columns.data, columns.len, e) < 0 || census_write(w, s.census, census_at, &census, e) < 0))
			rc = -1;
	}
	free(s.cells);
	free(s.census);
	text_free(&cells);
	text_free(&columns);
	text_free(&census);
	return rc;
}

static int headers_put(const struct catalog_writer *w, const struct text *provenance, const char *digest, struct err *e)
{
	struct text head = {.max = LIMIT_CONFIG_BYTES};
	int rc = galaxies_header(w, provenance, digest, &head, e);
	if (rc == 0)
		rc = put_at(w, 0, head.data, head.len, e);
	text_free(&head);
	return rc;
}

static int file_complete(struct catalog_writer *w, const struct text *provenance, char digest[65], struct err *e)
{
	if (w->count == 0)
		return err_set(e, ERR_INPUT, "%s: there is no galaxy to write", w->path);
	if (flush(w, e) < 0 || headers_put(w, provenance, zeros, e) < 0)
		return -1;
	size_t len = (size_t)w->at;
	unsigned char *m = mmap(NULL, len, PROT_READ, MAP_SHARED, w->fd, 0);
	if (m == MAP_FAILED)
		return err_set(e, ERR_SYSTEM, "%s: cannot be mapped: %s", w->path, strerror(errno));
	const struct catalog rows = {.rows = m + FITS_BLOCK + w->header_bytes, .count = w->count};
	madvise(m, len, MADV_SEQUENTIAL);
	int rc = rest_put(w, &rows, e);
	munmap(m, len);
	hash_sha256_end(w->digest, digest);
	w->digest = NULL;
	if (rc == 0)
		rc = headers_put(w, provenance, digest, e);
	if (rc == 0 && (fsync(w->fd) != 0 || fchmod(w->fd, 0644) != 0 || rename(w->temporary, w->path) != 0))
		rc = write_failed(w, e);
	return rc;
}

int catalog_writer_finish(struct catalog_writer *w, const struct text *provenance, char digest[65], struct err *e)
{
	char own[65];
	int rc = file_complete(w, provenance, digest ? digest : own, e);
	if (rc == 0) { /* it has its own name now */
		free(w->temporary);
		w->temporary = NULL;
	}
	catalog_writer_abandon(w);
	return rc;
}

void catalog_writer_abandon(struct catalog_writer *w)
{
	if (w->buffer != NULL && w->fd >= 0) {
		close(w->fd);
		if (w->temporary != NULL)
			unlink(w->temporary);
	}
	hash_sha256_end(w->digest, NULL);
	free(w->path);
	free(w->temporary);
	free(w->buffer);
	*w = (struct catalog_writer){.fd = -1};
}
