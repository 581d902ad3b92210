/* The builder: takes files, sorts by (IPIX29, ID), writes the FITS table with its index (catalog_build.h; form: catalog.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mkostemp */
#endif
#include "engine/target/catalog_build.h"
#include "engine/base/bytes.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/target/cosmology.h"
#include "engine/target/fits_header.h"
#include "engine/target/fits_write.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void catalog_builder_init(struct catalog_builder *b)
{
	*b = (struct catalog_builder){.report = {.max = LIMIT_CONFIG_BYTES}};
}

void catalog_builder_free(struct catalog_builder *b)
{
	free(b->rows);
	text_free(&b->report);
	*b = (struct catalog_builder){0};
}

static int digest_of_file(FILE *f, char out[65], struct err *e)
{
	struct stat st;
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(e, ERR_INPUT, "is empty or not a regular file");
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fileno(f), 0);
	if (bytes == MAP_FAILED)
		return err_set(e, ERR_SYSTEM, "cannot be mapped: %s", strerror(errno));
	hash_sha256_hex(bytes, (size_t)st.st_size, out);
	munmap(bytes, (size_t)st.st_size);
	return 0;
}

/* By content: FITS (also gzip of it, which cfitsio opens), else text. */
static int file_take(struct catalog_builder *b, FILE *f, const char *path, struct err *e)
{
	char start[10] = "";
	size_t n = fread(start, 1, 9, f);
	rewind(f);
	if (n == 9 && memcmp(start, "SIMPLE  =", 9) == 0)
		return catalog_build_fits(b, path, e);
	if (n >= 2 && start[0] == '\x1f' && start[1] == '\x8b')
		return catalog_build_fits(b, path, e);
	if (n >= 4 && memcmp(start, "\x89HDF", 4) == 0)
		return err_set(e, ERR_INPUT, "is HDF5; write it as CSV or FITS (astropy: Table.read(...).write('out.fits'))");
	return catalog_build_csv(b, f, e);
}

int catalog_build_add(struct catalog_builder *b, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	if (b->sources == CATALOG_SOURCES)
		return err_set(e, ERR_LIMIT, "%s: more than %d files in one catalogue", path, CATALOG_SOURCES);
	struct catalog_source *s = &b->source[b->sources++];
	*s = (struct catalog_source){0};
	text_escape(s->name, sizeof s->name, slash ? slash + 1 : path, strlen(slash ? slash + 1 : path));
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return err_set(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	int rc = digest_of_file(f, s->sha256, e);
	if (rc == 0)
		rc = file_take(b, f, path, e);
	fclose(f);
	if (rc == 0 && s->kept == 0)
		rc = err_set(e, ERR_INPUT, "no galaxy could be read; %s", s->bad ? "see the rows left out above" : "the table has no rows");
	if (rc < 0)
		return err_wrap(e, "%s", path);
	if (s->bad > CATALOG_SHOWN)
		text_printf(&b->report, "%s: %lld more rows left out\n", s->name, (long long)s->bad - CATALOG_SHOWN);
	text_printf(&b->report, "%s: %lld rows, %lld galaxies, %lld left out, %lld without a distance", s->name, (long long)s->rows,
		(long long)s->kept, (long long)s->bad, (long long)s->without_distance);
	if (s->far_mpc > 0) /* a wrong unit shows here */
		text_printf(&b->report, "; distances from %.4g to %.6g Mpc", s->near_mpc, s->far_mpc);
	text_puts(&b->report, "\n");
	return 0;
}

/* ---- sorting ---- */

struct key {
	uint64_t ipix29;
	int64_t id;
	size_t place;
};

static int key_compare(const void *a, const void *b)
{
	const struct key *p = a, *q = b;
	if (p->ipix29 != q->ipix29)
		return p->ipix29 < q->ipix29 ? -1 : 1;
	if (p->id != q->id)
		return p->id < q->id ? -1 : 1;
	return p->place < q->place ? -1 : p->place > q->place;
}

static struct key *keys_sorted(const struct catalog_builder *b)
{
	struct key *keys = malloc((b->count + 1) * sizeof *keys);
	for (size_t i = 0; keys != NULL && i < b->count; i++)
		keys[i] = (struct key){b->rows[i].ipix29, b->rows[i].id, i};
	if (keys != NULL)
		qsort(keys, b->count, sizeof *keys, key_compare);
	return keys;
}

/* The same galaxy from the same source twice (position, id and name are equal: a file given twice, lists that overlap) is one row: names and
 * ids together are the key of a target. */
static size_t keys_unique(const struct catalog_builder *b, struct key *keys)
{
	size_t n = 0;
	for (size_t i = 0; i < b->count; i++) {
		bool twice = false;
		for (size_t k = n; k > 0 && !twice && keys[k - 1].ipix29 == keys[i].ipix29 && keys[k - 1].id == keys[i].id; k--)
			twice = strcmp(b->rows[keys[k - 1].place].name, b->rows[keys[i].place].name) == 0;
		if (!twice)
			keys[n++] = keys[i];
	}
	return n;
}

/* ---- writing ---- */

static void provenance(struct text *t, const struct catalog_builder *b)
{
	fits_card_text(t, "CREATOR", "slew " SLEW_VERSION, "");
	fits_card_text(t, "COORDSYS", "C", "");
	fits_card_text(t, "COSMO", COSMOLOGY_NAME, "");
	for (int i = 0; i < b->sources; i++) {
		const struct catalog_source *s = &b->source[i];
		char key[32];
		snprintf(key, sizeof key, "SRC%d", i + 1);
		fits_card_text(t, key, s->name, "");
		snprintf(key, sizeof key, "SRCSHA%d", i + 1);
		fits_card_text(t, key, s->sha256, "");
		snprintf(key, sizeof key, "SRCROW%d", i + 1);
		fits_card_int(t, key, s->kept, "galaxies taken");
		snprintf(key, sizeof key, "SRCBAD%d", i + 1);
		fits_card_int(t, key, s->bad, "rows left out");
		fits_card_history(t, s->columns);
	}
	fits_card_history(t, "DIST_MPC is a luminosity distance; FLAGS bits 0-3 say of what kind: 0 none, 1 given, 2 measured, 3 spectroscopic, "
		"4 photometric, 5 from the redshift by COSMO; bit 4 name cut, 5 name made, 6 id made, 7 B from absolute");
}

/* Both headers before the rows; *digest_at is where the 64 digits belong. */
static void headers(struct text *t, const struct catalog_builder *b, const char *digest)
{
	static const char *const columns[10][3] = {{"IPIX29", "1K", ""}, {"DIST_MPC", "1D", "Mpc"}, {"RA", "1D", "deg"}, {"DEC", "1D", "deg"},
		{"DISTERR_MPC", "1E", "Mpc"}, {"B_MAG", "1E", "mag"}, {"LOGMSTAR", "1E", ""}, {"FLAGS", "1J", ""}, {"ID", "1K", ""},
		{"NAME", "32A", ""}};
	fits_primary(t);
	fits_table(t, CATALOG_ROW_BYTES, (int64_t)b->count, 10);
	fits_card_text(t, "EXTNAME", "GALAXIES", "");
	for (int i = 0; i < 10; i++)
		fits_table_column(t, i + 1, columns[i][0], columns[i][1], columns[i][2]);
	fits_card_text(t, "DIGEST", digest, "");
	provenance(t, b);
	fits_header_end(t);
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

/* Largest weight as float32, rounded up: it is used as a bound. */
static float bound_of(float sofar, double w)
{
	if (!(w > sofar))
		return sofar;
	float f = (float)w;
	return (double)f < w ? nextafterf(f, INFINITY) : f;
}

static void cells_put(unsigned char *out, const struct catalog_builder *b, const struct key *keys)
{
	size_t row = 0;
	for (uint64_t cell = 0; cell < CATALOG_CELLS; cell++, out += CATALOG_CELL_BYTES) {
		float light = 0, mass = 0;
		bytes_put_u64(out, row);
		for (; row < b->count && keys[row].ipix29 >> (2 * (29 - CATALOG_CELL_ORDER)) == cell; row++) {
			const struct catalog_row *r = &b->rows[keys[row].place];
			light = bound_of(light, catalog_luminosity(r));
			mass = bound_of(mass, catalog_mass(r));
		}
		bytes_put_float(out + 8, light);
		bytes_put_float(out + 12, mass);
	}
}

static size_t padded(size_t n)
{
	return (n + FITS_BLOCK - 1) / FITS_BLOCK * FITS_BLOCK;
}

/* The whole file into a mapping of the new file; the digest is known before the header is put. */
static int file_fill(int fd, const struct catalog_builder *b, const struct key *keys, char digest[65], struct err *e)
{
	static const char zeros[65] = "0000000000000000000000000000000000000000000000000000000000000000";
	struct text head = {.max = LIMIT_CONFIG_BYTES}, index = {.max = LIMIT_CONFIG_BYTES};
	headers(&head, b, zeros);
	fits_table(&index, CATALOG_CELL_BYTES, CATALOG_CELLS, 3);
	fits_card_text(&index, "EXTNAME", "CELLS", "");
	fits_table_column(&index, 1, "FIRST", "1K", "");
	fits_table_column(&index, 2, "LUM_MAX", "1E", "solLum");
	fits_table_column(&index, 3, "MASS_MAX", "1E", "solMass");
	fits_header_end(&index);
	size_t rows = b->count * (size_t)CATALOG_ROW_BYTES, cells = (size_t)CATALOG_CELLS * CATALOG_CELL_BYTES;
	size_t total = head.len + padded(rows) + index.len + padded(cells);
	int rc = 0, bad = head.failed || index.failed ? ENOMEM : posix_fallocate(fd, 0, (off_t)total);
	unsigned char *m = bad ? MAP_FAILED : mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m == MAP_FAILED) {
		rc = err_set(e, ERR_SYSTEM, "%zu bytes cannot be written: %s", total, strerror(bad ? bad : errno));
	} else {
		unsigned char *p = m + head.len;
		for (size_t i = 0; i < b->count; i++)
			row_put(p + i * CATALOG_ROW_BYTES, &b->rows[keys[i].place]);
		hash_sha256_hex(p, rows, digest);
		text_reset(&head);
		headers(&head, b, digest);
		memcpy(m, head.data, head.len);
		memcpy(p + padded(rows), index.data, index.len);
		cells_put(p + padded(rows) + index.len, b, keys);
		if (msync(m, total, MS_SYNC) != 0 || fsync(fd) != 0)
			rc = err_set(e, ERR_SYSTEM, "cannot be written to disk: %s", strerror(errno));
		munmap(m, total);
	}
	text_free(&head);
	text_free(&index);
	return rc;
}

int catalog_build_write(struct catalog_builder *b, const char *path, char digest[65], struct err *e)
{
	char own[65];
	size_t len = strlen(path);
	if (b->count == 0)
		return err_set(e, ERR_INPUT, "%s: there is no galaxy to write", path);
	char *temporary = malloc(len + 8);
	struct key *keys = keys_sorted(b);
	int rc = 0, fd = -1;
	if (temporary == NULL || keys == NULL) {
		rc = err_set(e, ERR_MEMORY, "no memory to sort %zu galaxies", b->count);
	} else {
		size_t n = keys_unique(b, keys);
		if (n < b->count)
			text_printf(&b->report, "%zu rows stand there twice (position, id and name are equal): kept once\n", b->count - n);
		b->count = n;
		snprintf(temporary, len + 8, "%s.XXXXXX", path);
		fd = mkostemp(temporary, O_CLOEXEC);
		if (fd < 0)
			rc = err_set(e, ERR_SYSTEM, "%s: cannot be made: %s", path, strerror(errno));
	}
	if (rc == 0) {
		rc = file_fill(fd, b, keys, digest ? digest : own, e);
		if (rc < 0)
			err_wrap(e, "%s", path);
		else if (fchmod(fd, 0644) != 0 || rename(temporary, path) != 0)
			rc = err_set(e, ERR_SYSTEM, "%s: %s", path, strerror(errno));
		close(fd);
		if (rc < 0)
			unlink(temporary);
	}
	free(temporary);
	free(keys);
	return rc;
}
