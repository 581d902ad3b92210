/* The scan of FITS headers that stands before the FITS library: what it lets pass must add up by another count. */
#include "door.h"
#include "engine/base/limits.h"
#include "engine/base/text.h"
#include "engine/target/skymap_file.h"
#include "fits.h"
#include "seeds_fits.h"
#include <math.h>
#include <string.h>

/* Every column of a map lies within its row, every row within the bytes. */
static void check_file(const struct skymap_file *f, size_t len)
{
	for (int role = 0; role < ROLES; role++) {
		const struct fits_column *c = &f->column[role];
		if (c->type == 0)
			continue;
		size_t size = fits_type_size(c->type);
		must((c->type == 'D' || c->type == 'K') ? size == 8 : size == 4);
		must(c->repeat >= 1 && c->repeat <= 4096 && c->offset + (size_t)c->repeat * size <= f->row_bytes);
		must(c->repeat == f->column[ROLE_DENSITY].repeat);
	}
	must(f->column[ROLE_DENSITY].type != 0 && f->rows >= 1 && f->cells == f->rows * f->column[ROLE_DENSITY].repeat);
	must((size_t)f->rows <= len / f->row_bytes && f->cells <= LIMIT_MAP_CELLS);
	must((f->ordering == SKYMAP_NUNIQ) == (f->order < 0) && f->order <= 14);
	must(f->order < 0 || f->cells == INT64_C(12) << (2 * f->order));
	must(!isinf(f->distmean_mpc) && !isinf(f->diststd_mpc));
	must(f->object[0] == '\0' || text_printable(f->object, strlen(f->object), sizeof f->object));
}

static bool run(const uint8_t *bytes, size_t len)
{
	struct err e = {0}, head_e = {0};
	struct skymap_file f;
	int head = fits_guard_head(bytes, len, &head_e), rc = fits_guard(bytes, len, &e);
	if (rc < 0) {
		must((e.kind == ERR_INPUT || e.kind == ERR_LIMIT) && text_printable(e.text, strlen(e.text), sizeof e.text));
		return false;
	}
	must(head == 0 && len % FITS_BLOCK == 0 && len >= 2 * FITS_BLOCK);
	if (skymap_file_of(bytes, len, &f, &e) == 0)
		check_file(&f, len);
	else
		must((e.kind == ERR_INPUT || e.kind == ERR_LIMIT) && text_printable(e.text, strlen(e.text), sizeof e.text));
	return true;
}

static size_t mutate(uint8_t *bytes, size_t len, size_t max, unsigned seed)
{
	struct fuzz_dice d = {seed};
	return fuzz_below(&d, 3) ? fuzz_change_fits(bytes, len, max, &d) : fuzz_mutate_bytes(bytes, len, max);
}

static void seeds(struct fuzz_seeds *s)
{
	seeds_fits(s, false);
}

const struct fuzz_door fuzz_fits_guard = {.name = "fits_guard", .run = run, .mutate = mutate, .seeds = seeds, .max_len = 16384};
