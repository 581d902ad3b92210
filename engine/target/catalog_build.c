/* The builder: takes files, sorts by (IPIX29, ID), hands the rows to the writer (catalog_build.h, catalog_write.h; form: catalog.h). */
#include "engine/target/catalog_build.h"
#include "engine/base/hash.h"
#include "engine/base/limits.h"
#include "engine/target/catalog_merge.h"
#include "engine/target/catalog_write.h"
#include "engine/target/cosmology.h"
#include "engine/target/fits_write.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void catalog_builder_init(struct catalog_builder *b)
{
	*b = (struct catalog_builder){.report = {.max = LIMIT_CONFIG_BYTES}, .photo_below_mpc = CATALOG_PHOTO_BELOW_MPC};
}

void catalog_builder_free(struct catalog_builder *b)
{
	catalog_runs_free(&b->runs);
	text_free(&b->report);
	*b = (struct catalog_builder){0};
}

int catalog_build_stopped(const struct catalog_builder *b, struct err *e)
{
	return b->stop == NULL || *b->stop == 0 ? 0 : err_set(e, ERR_REFUSED, "ended as asked; nothing was written");
}

int catalog_batch_fold(struct catalog_builder *b, struct catalog_batch *batch, const char *where, int64_t before, struct err *e)
{
	struct catalog_source *s = &b->source[b->sources - 1];
	if (batch->no_memory)
		return err_set(e, ERR_MEMORY, "no memory for %zu galaxies", batch->cap);
	for (int64_t i = 0; i < batch->bad && i < CATALOG_SHOWN && s->bad + i < CATALOG_SHOWN; i++)
		text_printf(&b->report, "%s: %s %lld left out: %s\n", s->name, where, (long long)(before + batch->shown[i].number), batch->shown[i].why);
	for (size_t i = 0; i < batch->count; i++) {
		struct catalog_row *r = &batch->rows[i];
		r->source = (uint8_t)(b->sources - 1);
		if (r->flags & CATALOG_FLAG_ID_HERE) {
			r->id += s->rows;
			r->flags &= ~CATALOG_FLAG_ID_HERE;
		}
	}
	if (!b->look && catalog_runs_add(&b->runs, batch->rows, batch->count, e) < 0)
		return -1;
	b->count += batch->count;
	s->rows += batch->seen;
	s->kept += (int64_t)batch->count;
	s->bad += batch->bad;
	s->without_distance += batch->without_distance;
	for (int i = 0; i < CATALOG_OFFS; i++)
		s->off[i] += batch->off[i];
	if (batch->far_mpc > 0) {
		s->near_mpc = s->far_mpc > 0 && s->near_mpc < batch->near_mpc ? s->near_mpc : batch->near_mpc;
		s->far_mpc = s->far_mpc > batch->far_mpc ? s->far_mpc : batch->far_mpc;
	}
	*batch = (struct catalog_batch){.rows = batch->rows, .cap = batch->cap};
	return 0;
}

static int digest_of_file(const struct catalog_builder *b, int fd, char out[65], struct err *e)
{
	enum { PIECE = 1 << 20 };
	char *piece = err_malloc(PIECE);
	struct hash_running *h = hash_sha256_begin();
	ssize_t n;
	int rc = 0;
	while (rc == 0 && (n = read(fd, piece, PIECE)) != 0) {
		if (n < 0 && errno != EINTR)
			rc = err_set(e, ERR_SYSTEM, "cannot be read: %s", strerror(errno));
		else if (n > 0)
			hash_sha256_add(h, piece, (size_t)n);
		if (rc == 0)
			rc = catalog_build_stopped(b, e);
	}
	hash_sha256_end(h, rc == 0 ? out : NULL);
	free(piece);
	return rc;
}

/* By content: FITS (also gzip of it, which cfitsio opens), else text. */
static int file_take(struct catalog_builder *b, int fd, const char *path, struct err *e)
{
	char start[9] = "";
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(e, ERR_INPUT, "is empty or not a regular file");
	ssize_t n = pread(fd, start, 9, 0);
	if (n >= 4 && memcmp(start, "\x89HDF", 4) == 0)
		return err_set(e, ERR_INPUT, "is HDF5; write it as CSV or FITS (astropy: Table.read(...).write('out.fits'))");
	if ((n == 9 && memcmp(start, "SIMPLE  =", 9) == 0) || (n >= 2 && start[0] == '\x1f' && start[1] == '\x8b'))
		return digest_of_file(b, fd, b->source[b->sources - 1].sha256, e) < 0 ? -1 : catalog_build_fits(b, path, e);
	return catalog_build_text(b, fd, e);
}

/* What was left out on purpose. */
static void off_told(struct catalog_builder *b, const struct catalog_source *s)
{
	if (s->off[CATALOG_OFF_TYPE] > 0)
		text_printf(&b->report, "%s: %lld rows are no galaxies by their own type\n", s->name, (long long)s->off[CATALOG_OFF_TYPE]);
	if (s->off[CATALOG_OFF_UNSURE] > 0)
		text_printf(&b->report, "%s: %lld rows have a redshift that is not sure\n", s->name, (long long)s->off[CATALOG_OFF_UNSURE]);
	if (s->off[CATALOG_OFF_PHOTO] > 0)
		text_printf(&b->report, "%s: %lld rows with a photometric distance below %g Mpc are left out (--photo-z-below 0 takes them)\n", s->name,
			(long long)s->off[CATALOG_OFF_PHOTO], b->photo_below_mpc);
}

int catalog_build_add(struct catalog_builder *b, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	if (b->sources == CATALOG_SOURCES)
		return err_set(e, ERR_LIMIT, "%s: more than %d files in one catalogue", path, CATALOG_SOURCES);
	struct catalog_source *s = &b->source[b->sources++];
	*s = (struct catalog_source){0};
	text_escape(s->name, sizeof s->name, slash ? slash + 1 : path, strlen(slash ? slash + 1 : path));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	int rc = file_take(b, fd, path, e);
	close(fd);
	if (rc == 0 && s->kept == 0)
		rc = err_set(e, ERR_INPUT, "no galaxy could be read; %s", s->bad ? "see the rows left out above" :
			s->rows ? "all its rows are left out on purpose" : "the table has no rows");
	if (rc < 0)
		return err_wrap(e, "%s", path);
	if (s->bad > CATALOG_SHOWN)
		text_printf(&b->report, "%s: %lld more rows left out\n", s->name, (long long)s->bad - CATALOG_SHOWN);
	off_told(b, s);
	text_printf(&b->report, "%s: %lld rows, %lld galaxies, %lld left out, %lld without a distance", s->name, (long long)s->rows,
		(long long)s->kept, (long long)s->bad, (long long)s->without_distance);
	if (s->far_mpc > 0) /* a wrong unit shows here */
		text_printf(&b->report, "; distances from %.4g to %.6g Mpc", s->near_mpc, s->far_mpc);
	text_puts(&b->report, "\n");
	return 0;
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
		snprintf(key, sizeof key, "SRCFMT%d", i + 1);
		fits_card_text(t, key, s->format, "");
		snprintf(key, sizeof key, "SRCOFF%d", i + 1);
		fits_card_int(t, key, s->off[CATALOG_OFF_TYPE] + s->off[CATALOG_OFF_UNSURE] + s->off[CATALOG_OFF_PHOTO], "left out on purpose");
		fits_card_history(t, s->columns);
	}
	fits_card_double(t, "PHOTOZ", b->photo_below_mpc, "Mpc: photometric distances below are left out");
	fits_card_double(t, "SIGMAV", COSMOLOGY_SIGMA_V_KM_S, "km/s where a source says nothing");
	if (b->merge) {
		fits_card_int(t, "MERGED", b->joined, "rows that went into others");
		fits_card_history(t, "The same galaxy of several sources is one row: " CATALOG_MERGE_RULE "; best distance first, then the earlier source");
	}
	fits_card_history(t, "DIST_MPC is a luminosity distance; FLAGS bits 0-3 say of what kind: 0 none, 1 given, 2 measured, 3 spectroscopic, "
		"4 photometric, 5 from the redshift by COSMO; bit 4 name cut, 5 name made, 6 id made, 7 B from absolute; bits 8-9 frame of the "
		"redshift: 0 not said, 1 heliocentric, 2 CMB, 3 CMB with peculiar velocity; bit 10 photometric redshift, 11 error by rule, 12 merged");
}

static bool rows_equal(const struct catalog_row *a, const struct catalog_row *b)
{
	return catalog_row_compare(a, b) == 0 && a->flags == b->flags && memcmp(&a->distance_mpc, &b->distance_mpc, 3 * sizeof(double)) == 0 &&
		memcmp(&a->distance_err_mpc, &b->distance_err_mpc, 3 * sizeof(float)) == 0;
}

/* Where the rows of the stream go. */
struct sink {
	struct catalog_builder *b;
	struct catalog_writer *writer;
	struct catalog_merge *merge; /* NULL: straight to the writer */
	int64_t done;
};

static int tell(struct sink *k, const char *stage, struct err *e)
{
	struct catalog_builder *b = k->b;
	if (++k->done % 65536 != 0)
		return 0;
	if (b->progress.tell != NULL)
		b->progress.tell(b->progress.self, stage, (double)k->done, (double)b->runs.total);
	return catalog_build_stopped(b, e);
}

/* The rows of the stream; the same galaxy from the same source twice (position, id and name are equal: a file given twice, lists that overlap)
 * is one row: names and ids together are the key of a target. */
static int rows_stream(struct sink *k, struct err *e)
{
	struct catalog_stream *s = catalog_stream_open(&k->b->runs, e);
	struct catalog_row last = {0};
	const struct catalog_row *r;
	int64_t twice = 0, first = 1;
	int rc = s == NULL ? -1 : 0;
	while (rc == 0 && (r = catalog_stream_next(s, e)) != NULL) {
		bool same = !first && catalog_row_compare(r, &last) == 0 && (k->merge == NULL || r->source == last.source || rows_equal(r, &last));
		twice += same;
		if (!same) {
			last = *r;
			rc = k->merge != NULL ? catalog_merge_add(k->merge, r, e) : catalog_writer_add(k->writer, r, e);
		}
		first = 0;
		rc = rc == 0 ? tell(k, k->merge != NULL ? "sorting" : "writing", e) : rc;
	}
	if (s != NULL)
		catalog_stream_close(s);
	if (twice > 0)
		text_printf(&k->b->report, "%lld rows stand there twice (%s are equal): kept once\n", (long long)twice,
			k->merge != NULL ? "all their values" : "position, id and name");
	return rc < 0 || e->kind != ERR_NONE ? -1 : 0;
}

static int rows_merge(struct sink *k, struct err *e)
{
	struct catalog_row r;
	if (k->b->progress.tell != NULL)
		k->b->progress.tell(k->b->progress.self, "finding the same galaxies", 0, 0);
	int rc = catalog_merge_find(k->merge, &k->b->joined, e), more = rc;
	k->done = 0;
	while (rc == 0 && (more = catalog_merge_next(k->merge, &r, e)) > 0) {
		rc = catalog_writer_add(k->writer, &r, e);
		rc = rc == 0 ? tell(k, "writing", e) : rc;
	}
	if (rc == 0 && more == 0)
		text_printf(&k->b->report, "%lld rows are galaxies of other files and went into theirs (" CATALOG_MERGE_RULE ")\n", (long long)k->b->joined);
	return rc < 0 || more < 0 ? -1 : 0;
}

static int rows_write(struct catalog_builder *b, struct catalog_writer *w, struct err *e)
{
	struct sink k = {.b = b, .writer = w};
	if (b->merge && (k.merge = catalog_merge_open(b->runs.beside, e)) == NULL)
		return -1;
	int rc = rows_stream(&k, e);
	if (rc == 0 && k.merge != NULL)
		rc = rows_merge(&k, e);
	catalog_merge_close(k.merge);
	return rc;
}

int catalog_build_write(struct catalog_builder *b, const char *path, char digest[65], struct err *e)
{
	struct text cards = {.max = LIMIT_CONFIG_BYTES};
	struct catalog_writer w;
	provenance(&cards, b);
	int rc = catalog_writer_open(&w, path, cards.len / 80, e);
	if (rc == 0) {
		rc = rows_write(b, &w, e);
		b->count = (size_t)w.count;
		text_reset(&cards);
		provenance(&cards, b); /* as many cards, now with what merging counted */
		if (rc == 0 && b->progress.tell != NULL)
			b->progress.tell(b->progress.self, "finishing: index, columns, disk", 0, 0);
		if (rc == 0)
			rc = catalog_writer_finish(&w, &cards, digest, e);
		else
			catalog_writer_abandon(&w);
	}
	text_free(&cards);
	return rc;
}
