/* Sky map bytes → cells: inflate, guard, read rows where they lie, sort, validate: see skymap.h. The rows of a table that fits_guard accepted are
 * one run of numbers at a known place, so the FITS library, which the distribution ships with crashes, is not needed to read them. */
#include "engine/target/skymap.h"
#include "engine/base/bytes.h"
#include "engine/base/limits.h"
#include "engine/target/inflate.h"
#include "engine/target/skymap_file.h"
#include <chealpix.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_BYTES (1u << 20)    /* rows are read in blocks of about this size */
#define UNSEEN_BELOW -1.0e30      /* healpy's "no value" (-1.6375e30): no probability there */

size_t skymap_block(int64_t cells, bool is_3d)
{
	return (size_t)cells * 8 * (is_3d ? 5 : 2);
}

void skymap_lay(struct skymap *m, void *block, int64_t cells, bool is_3d)
{
	double *d = block;
	m->cells = cells;
	m->uniq = block;
	m->density = d + cells;
	m->mu = is_3d ? d + 2 * cells : NULL;
	m->sigma = is_3d ? d + 3 * cells : NULL;
	m->norm = is_3d ? d + 4 * cells : NULL;
}

static inline double number_at(const unsigned char *p, char type)
{
	switch (type) {
	case 'D':
		return bytes_double(p);
	case 'K':
		return (double)(int64_t)bytes_u64(p);
	case 'E':
		return (double)bytes_float(p);
	default:
		return (double)(int32_t)bytes_u32(p);
	}
}

/* n numbers, step bytes apart; the type is a constant at each call, so that each loop is a plain one. */
static inline __attribute__((always_inline)) void run_fill(const unsigned char *p, size_t step, int64_t n, double *out, char type)
{
	for (int64_t i = 0; i < n; i++, p += step)
		out[i] = number_at(p, type);
}

static void any_fill(const unsigned char *p, size_t step, int64_t n, double *out, char type)
{
	if (type == 'D')
		run_fill(p, step, n, out, 'D');
	else if (type == 'E')
		run_fill(p, step, n, out, 'E');
	else if (type == 'K')
		run_fill(p, step, n, out, 'K');
	else
		run_fill(p, step, n, out, 'J');
}

/* n rows of the file from row `first` on, whose cells go to the map's from `to` on. */
struct block {
	const struct skymap_file *file;
	const unsigned char *rows;
	int64_t first, n, to;
};

/* One column of a block of rows into its place; RING pixels go where NESTED wants them. */
static void column_fill(const struct block *b, int role, double *out)
{
	const struct skymap_file *f = b->file;
	const struct fits_column *c = &f->column[role];
	const unsigned char *rows = b->rows + c->offset;
	size_t size = fits_type_size(c->type);
	int64_t at = f->ordering == SKYMAP_RING ? b->first * c->repeat : b->to, nside = f->order < 0 ? 0 : INT64_C(1) << f->order;
	if (f->ordering != SKYMAP_RING && c->repeat == 1) {
		any_fill(rows, f->row_bytes, b->n, out + at, c->type);
		return;
	}
	for (int64_t r = 0; r < b->n; r++, rows += f->row_bytes, at += c->repeat) {
		if (f->ordering != SKYMAP_RING) {
			any_fill(rows, size, c->repeat, out + at, c->type);
			continue;
		}
		for (int64_t k = 0; k < c->repeat; k++) {
			int64_t to;
			ring2nest64(nside, at + k, &to);
			out[to] = number_at(rows + (size_t)k * size, c->type);
		}
	}
}

static void uniq_fill(const struct block *b, uint64_t *out)
{
	const struct skymap_file *f = b->file;
	const struct fits_column *c = &f->column[ROLE_UNIQ];
	size_t size = fits_type_size(c->type);
	if (c->repeat == 1 && c->type == 'K') {
		const unsigned char *p = b->rows + c->offset;
		for (int64_t r = 0; r < b->n; r++, p += f->row_bytes)
			out[b->to + r] = bytes_u64(p) ^ f->uniq_flip;
		return;
	}
	for (int64_t r = 0; r < b->n; r++)
		for (int64_t k = 0; k < c->repeat; k++) {
			const unsigned char *p = b->rows + (size_t)r * f->row_bytes + c->offset + (size_t)k * size;
			out[b->to + r * c->repeat + k] = c->type == 'K' ? bytes_u64(p) ^ f->uniq_flip : bytes_u32(p);
		}
}

/* Where the FITS bytes stand. What we inflated ourselves is given back page by page behind the reader. */
struct source {
	const unsigned char *bytes;
	size_t len;
	bool ours;
};

/* Bytes before `until` are not read again: a flat map of nside 1024 is 400 MB in the file and 500 MB as columns, never both at once. */
static void rows_release(const struct source *s, size_t *released, size_t until)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), start = (size_t)s->bytes + *released, end;
	if (!s->ours || until > s->len || until < *released + 16 * (size_t)BLOCK_BYTES)
		return;
	start = (start + page - 1) / page * page;
	end = ((size_t)s->bytes + until - BLOCK_BYTES) / page * page;
	madvise((void *)start, end - start, MADV_DONTNEED);
	*released = end - (size_t)s->bytes;
}

/* UNIQ from 4 to 4·4^30 − 1 are all pixels of some order from 0 to 29. */
static int uniq_check(const uint64_t *uniq, int64_t from, int64_t to, struct err *e)
{
	bool bad = false;
	for (int64_t i = from; i < to; i++)
		bad |= uniq[i] - 4 >= (UINT64_C(1) << 62) - 4;
	for (int64_t i = from; bad && i < to; i++)
		if (uniq[i] - 4 >= (UINT64_C(1) << 62) - 4)
			return err_set(e, ERR_INPUT, "sky map: UNIQ %llu in row %lld is no HEALPix pixel of order 0 to 29; the file is damaged",
				(unsigned long long)uniq[i], (long long)i + 1);
	return 0;
}

/* A distance that can be used. */
static inline bool has_distance(const struct skymap *m, int64_t i)
{
	return m->norm[i] > 0 && m->norm[i] <= DBL_MAX && fabs(m->mu[i]) <= SKYMAP_FAR_MPC && m->sigma[i] > 0 && m->sigma[i] <= SKYMAP_FAR_MPC;
}

/* Per pixel → per sr; other units → per sr; cells without a usable distance get norm 0 (the sentinel is inf, 1, 0). */
static void cells_convert(const struct skymap_file *f, struct skymap *m, int64_t from, int64_t to, int64_t pixel)
{
	double *density = (double *)(size_t)m->density, *norm = (double *)(size_t)m->norm;
	uint64_t *uniq = (uint64_t *)(size_t)m->uniq;
	double flat = f->order < 0 ? 0 : skymap_pixel_sr(f->order);
	bool single = f->column[ROLE_DENSITY].type == 'E' && f->order >= 0;
	for (int64_t i = from; i < to; i++) {
		if (f->ordering != SKYMAP_NUNIQ)
			uniq[i] = (uint64_t)(pixel + i - from) + (UINT64_C(4) << (2 * f->order));
		if (density[i] < UNSEEN_BELOW)
			density[i] = 0;
		if (f->per_pixel && single) /* rounded as ligo.skymap does (float32 times float32), so that equal files rank equally everywhere */
			density[i] = (double)((float)density[i] * (float)(1 / flat));
		else if (f->per_pixel)
			density[i] /= f->order < 0 ? skymap_pixel_sr(skymap_order(uniq[i])) : flat;
		else
			density[i] *= f->to_per_sr;
		if (norm != NULL && !has_distance(m, i))
			norm[i] = 0;
	}
}

static bool is_same(const struct skymap *m, int64_t i, int64_t j)
{
	return memcmp(&m->density[i], &m->density[j], 8) == 0 && (m->norm == NULL || (memcmp(&m->mu[i], &m->mu[j], 8) == 0 &&
		memcmp(&m->sigma[i], &m->sigma[j], 8) == 0 && memcmp(&m->norm[i], &m->norm[j], 8) == 0));
}

/* Are the last four cells before `end` the quarters of one, and equal? UNIQ counts so that a parent is a quarter of its children's. */
static bool is_split(const struct skymap *m, int64_t end)
{
	const uint64_t *u = m->uniq + end;
	return end >= 4 && (u[-1] & 3) == 3 && u[-1] >= UINT64_C(4) << (2 * (SKYMAP_MERGED_ORDER + 1)) && u[-4] == u[-1] - 3 && u[-3] == u[-1] - 2 &&
		u[-2] == u[-1] - 1 && is_same(m, end - 1, end - 2) && is_same(m, end - 1, end - 3) && is_same(m, end - 1, end - 4);
}

/* Of a flat map: adds the cells from `from` on to those before `end`, equal neighbours as one; the new end. */
static int64_t cells_merge(struct skymap *m, int64_t end, int64_t from, int64_t n)
{
	uint64_t *uniq = (uint64_t *)(size_t)m->uniq;
	double *columns[] = {(double *)(size_t)m->density, (double *)(size_t)m->mu, (double *)(size_t)m->sigma, (double *)(size_t)m->norm};
	for (int64_t i = from; i < from + n; i++) {
		uniq[end] = uniq[i];
		for (int k = 0; k < (m->norm ? 4 : 1); k++)
			columns[k][end] = columns[k][i];
		for (end++; is_split(m, end); end -= 3)
			uniq[end - 4] = uniq[end - 1] >> 2;
	}
	return end;
}

static int rows_fill(const struct source *s, const struct skymap_file *f, struct skymap *m, struct err *e)
{
	size_t released = 0;
	int64_t repeat = f->column[ROLE_DENSITY].repeat, cells = 0;
	double *to[ROLES] = {NULL, (double *)(size_t)m->density, (double *)(size_t)m->mu, (double *)(size_t)m->sigma,
		(double *)(size_t)m->norm};
	int64_t per = f->row_bytes < BLOCK_BYTES ? (int64_t)(BLOCK_BYTES / f->row_bytes) : 1;
	for (int64_t first = 0; first < f->rows; first += per) { /* in blocks, which stay in the cache from column to column */
		int64_t n = f->rows - first < per ? f->rows - first : per;
		const struct block b = {f, s->bytes + f->data + (size_t)first * f->row_bytes, first, n, cells};
		if (f->ordering == SKYMAP_NUNIQ)
			uniq_fill(&b, (uint64_t *)(size_t)m->uniq);
		for (int role = ROLE_DENSITY; role < ROLES; role++)
			if (to[role] != NULL && f->column[role].type != 0)
				column_fill(&b, role, to[role]);
		if (f->ordering == SKYMAP_NUNIQ && uniq_check(m->uniq, cells, cells + n * repeat, e) < 0)
			return -1;
		if (f->ordering != SKYMAP_RING) /* whose cells are all over the map */
			cells_convert(f, m, cells, cells + n * repeat, first * repeat);
		cells = f->ordering == SKYMAP_NESTED ? cells_merge(m, cells, cells, n * repeat) : cells + n * repeat;
		rows_release(s, &released, f->data + (size_t)(first + n) * f->row_bytes);
	}
	if (f->ordering == SKYMAP_RING) {
		cells_convert(f, m, 0, cells, 0);
		cells = cells_merge(m, 0, 0, cells);
	}
	m->cells = cells;
	return 0;
}

/* Sorts cells by first pixel; real maps are sorted by UNIQ, so only the order of orders has to be mended. */
struct place {
	uint64_t first;
	int64_t row;
};

/* Radix sort by first pixel, over the bits that differ (glibc's qsort asks the system for its memory, which the sandbox forbids). places or
 * other, whichever holds the result. */
enum { PLACE_BITS = 11, PLACE_DIGITS = 1 << PLACE_BITS };

static struct place *places_sort(struct place *places, struct place *other, int64_t n)
{
	uint64_t differ = 0;
	for (int64_t i = 1; i < n; i++)
		differ |= places[i].first ^ places[0].first;
	for (int shift = differ ? __builtin_ctzll(differ) : 64; shift < 64 && differ >> shift != 0; shift += PLACE_BITS) {
		int64_t start[PLACE_DIGITS] = {0}, sum = 0;
		for (int64_t i = 0; i < n; i++)
			start[places[i].first >> shift & (PLACE_DIGITS - 1)]++;
		for (int b = 0; b < PLACE_DIGITS; b++) {
			int64_t count = start[b];
			start[b] = sum;
			sum += count;
		}
		for (int64_t i = 0; i < n; i++)
			other[start[places[i].first >> shift & (PLACE_DIGITS - 1)]++] = places[i];
		struct place *swap = places;
		places = other;
		other = swap;
	}
	return places;
}

static int cells_sort(struct skymap *m, struct err *e)
{
	uint64_t *columns[ROLES] = {(uint64_t *)(size_t)m->uniq, (uint64_t *)(size_t)m->density, (uint64_t *)(size_t)m->mu,
		(uint64_t *)(size_t)m->sigma, (uint64_t *)(size_t)m->norm};
	bool sorted = true;
	for (int64_t i = 1; i < m->cells && sorted; i++)
		sorted = skymap_first(m->uniq[i - 1]) < skymap_first(m->uniq[i]);
	if (sorted)
		return 0;
	struct place *memory = malloc(2 * (size_t)m->cells * sizeof *memory), *places = NULL;
	uint64_t *old = malloc((size_t)m->cells * sizeof *old);
	for (int64_t i = 0; memory != NULL && i < m->cells; i++)
		memory[i] = (struct place){skymap_first(m->uniq[i]), i};
	if (memory != NULL && old != NULL)
		places = places_sort(memory, memory + m->cells, m->cells);
	int rc = places ? 0 : err_set(e, ERR_MEMORY, "no memory to sort a sky map");
	for (int k = 0; rc == 0 && k < ROLES; k++) {
		if (columns[k] == NULL)
			continue;
		memcpy(old, columns[k], (size_t)m->cells * sizeof *old);
		for (int64_t i = 0; i < m->cells; i++)
			columns[k][i] = old[places[i].row];
	}
	free(memory);
	free(old);
	return rc;
}

int skymap_order_max(const struct skymap *m)
{
	uint64_t most = 4;
	if (m->ordering != SKYMAP_NUNIQ)
		return (63 - __builtin_clzll((uint64_t)m->pixels / 12)) / 2;
	for (int64_t i = 0; i < m->cells; i++)
		most = m->uniq[i] > most ? m->uniq[i] : most;
	return skymap_order(most);
}

/* The sentence for the first cell that is wrong; -1. */
static int cell_wrong(const struct skymap *m, struct err *e)
{
	uint64_t next = 0;
	for (int64_t i = 0; i < m->cells; i++) {
		unsigned long long uniq = m->uniq[i];
		uint64_t first = skymap_first(uniq);
		if (first < next)
			return err_set(e, ERR_INPUT, "sky map: pixel UNIQ %llu lies within or before another one; pixels must not overlap", uniq);
		next = first + (UINT64_C(1) << (2 * (29 - skymap_order(uniq))));
		if (!isfinite(m->density[i]) || m->density[i] < 0)
			return err_set(e, ERR_INPUT, "sky map: the probability of pixel UNIQ %llu is negative or not a number", uniq);
		if (m->norm != NULL && m->norm[i] != 0 && !has_distance(m, i))
			return err_set(e, ERR_INPUT, "sky map: the distance of pixel UNIQ %llu is not usable", uniq);
	}
	return err_set(e, ERR_INPUT, "sky map: its cells changed while they were read");
}

int skymap_check(const struct skymap *m, struct err *e)
{
	double total = 0, pixel_sr[31];
	uint64_t next = 0;
	bool bad = false;
	if (m->cells < 1 || m->cells > LIMIT_MAP_CELLS || (m->mu == NULL) != (m->norm == NULL) || (m->mu == NULL) != (m->sigma == NULL))
		return err_set(e, ERR_INPUT, "sky map: %lld cells, or distance columns in part", (long long)m->cells);
	if (uniq_check(m->uniq, 0, m->cells, e) < 0)
		return -1;
	for (int order = 0; order < 31; order++)
		pixel_sr[order] = skymap_pixel_sr(order);
	for (int64_t i = 0; i < m->cells; i++) {
		int order = skymap_order(m->uniq[i]);
		uint64_t first = skymap_first(m->uniq[i]);
		bad |= first < next;
		next = first + (UINT64_C(1) << (2 * (29 - order)));
		bad |= !(m->density[i] >= 0 && m->density[i] <= DBL_MAX);
		total += m->density[i] * pixel_sr[order];
	}
	for (int64_t i = 0; m->norm != NULL && i < m->cells; i++)
		bad |= m->norm[i] != 0 && !has_distance(m, i);
	if (bad)
		return cell_wrong(m, e);
	if (!(total > 0.5 && total < 1.05))
		return err_set(e, ERR_INPUT, "sky map: its probabilities add up to %g, not to 1; is the column in another unit, or the file "
			"in part?", total);
	return 0;
}

int skymap_scan(const void *bytes, size_t len, int64_t *cells, bool *is_3d, struct err *e)
{
	const unsigned char *b = bytes;
	struct inflated inflated = {NULL, 0};
	struct skymap_file f;
	size_t n = len;
	if (len >= 2 && b[0] == 0x1f && b[1] == 0x8b) {
		if (inflate_gzip_start(bytes, len, LIMIT_MAP_HEAD, &inflated, e) < 0)
			return -1;
		b = inflated.data;
		n = inflated.len;
	}
	int rc = 0;
	if (n < 9 || memcmp(b, "SIMPLE  =", 9) != 0)
		rc = skymap_not_fits(b, n, e);
	else if (fits_guard_head(b, n, e) < 0 || skymap_file_of(b, n, &f, e) < 0)
		rc = -1;
	free(inflated.data);
	if (rc == 0) {
		*cells = f.cells;
		*is_3d = f.column[ROLE_MU].type != 0;
	}
	return rc;
}

static void *heap_room(struct skymap_room *room, size_t bytes)
{
	return room->block = calloc(1, bytes);
}

static int fits_to_map(const struct source *s, struct skymap_room *room, struct skymap *out, struct err *e)
{
	struct skymap_file f;
	if (fits_guard(s->bytes, s->len, e) < 0 || skymap_file_of(s->bytes, s->len, &f, e) < 0)
		return -1;
	bool is_3d = f.column[ROLE_MU].type != 0;
	room->whole = f.ordering == SKYMAP_NUNIQ;
	void *block = room->get(room, skymap_block(f.cells, is_3d));
	if (block == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a sky map of %lld cells", (long long)f.cells);
	skymap_lay(out, block, f.cells, is_3d);
	out->pixels = f.cells;
	out->ordering = f.ordering;
	out->distmean_mpc = f.distmean_mpc;
	out->diststd_mpc = f.diststd_mpc;
	memcpy(out->object, f.object, sizeof out->object);
	if (rows_fill(s, &f, out, e) < 0)
		return -1;
	return cells_sort(out, e);
}

int skymap_read_to(const void *bytes, size_t len, struct skymap_room *room, struct skymap *out, struct err *e)
{
	struct source s = {bytes, len, false};
	const unsigned char *b = bytes;
	struct inflated inflated = {NULL, 0};
	*out = (struct skymap){.distmean_mpc = NAN, .diststd_mpc = NAN};
	if (len > LIMIT_MAP_COMPRESSED && len > LIMIT_MAP_INFLATED)
		return err_set(e, ERR_LIMIT, "sky map of %zu bytes is over the limit of %u", len, LIMIT_MAP_INFLATED);
	if (len >= 2 && b[0] == 0x1f && b[1] == 0x8b) {
		if (len > LIMIT_MAP_COMPRESSED)
			return err_set(e, ERR_LIMIT, "compressed sky map of %zu bytes is over the limit of %u", len, LIMIT_MAP_COMPRESSED);
		if (inflate_gzip(bytes, len, LIMIT_MAP_INFLATED, &inflated, e) < 0)
			return -1;
		s = (struct source){inflated.data, inflated.len, true};
	}
	int rc = s.len < 9 || memcmp(s.bytes, "SIMPLE  =", 9) != 0 ? skymap_not_fits(s.bytes, s.len, e) : fits_to_map(&s, room, out, e);
	free(inflated.data);
	return rc;
}

int skymap_read(const void *bytes, size_t len, struct skymap *out, struct err *e)
{
	struct skymap_room r = {.get = heap_room};
	int rc = skymap_read_to(bytes, len, &r, out, e);
	if (rc < 0 || skymap_check(out, e) < 0) {
		free(r.block);
		*out = (struct skymap){0};
		return -1;
	}
	out->order_max = skymap_order_max(out);
	out->memory = r.block;
	out->memory_len = skymap_block(out->pixels, out->mu != NULL);
	return 0;
}

void skymap_free(struct skymap *m)
{
	if (m->mapped)
		munmap(m->memory, m->memory_len);
	else
		free(m->memory);
	*m = (struct skymap){0};
}
