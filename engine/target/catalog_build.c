/* The builder: takes files, sorts by (IPIX29, ID), hands the rows to the writer (catalog_build.h, catalog_write.h; form: catalog.h). */
#include "engine/target/catalog_build.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/target/catalog_write.h"
#include "engine/target/cosmology.h"
#include "engine/target/fits_write.h"
#include <errno.h>
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

static int rows_write(const struct catalog_builder *b, const struct key *keys, const char *path, char digest[65], struct err *e)
{
	struct text cards = {.max = LIMIT_CONFIG_BYTES};
	struct catalog_writer w;
	provenance(&cards, b);
	int rc = catalog_writer_open(&w, path, cards.len / 80, e);
	if (rc == 0) {
		for (size_t i = 0; i < b->count && rc == 0; i++)
			rc = catalog_writer_add(&w, &b->rows[keys[i].place], e);
		if (rc == 0)
			rc = catalog_writer_finish(&w, &cards, digest, e);
		else
			catalog_writer_abandon(&w);
	}
	text_free(&cards);
	return rc;
}

int catalog_build_write(struct catalog_builder *b, const char *path, char digest[65], struct err *e)
{
	struct key *keys = keys_sorted(b);
	if (keys == NULL)
		return err_set(e, ERR_MEMORY, "no memory to sort %zu galaxies", b->count);
	size_t n = keys_unique(b, keys);
	if (n < b->count)
		text_printf(&b->report, "%zu rows stand there twice (position, id and name are equal): kept once\n", b->count - n);
	b->count = n;
	int rc = rows_write(b, keys, path, digest, e);
	free(keys);
	return rc;
}
