/* Coverage: against a plain bitmap of order 5, through every form of file and back, as another reader of FITS sees it, and hostile bytes. */
#include "test.h"
#include "mapmake.h"
#include "engine/base/limits.h"
#include "engine/target/moc.h"
#include <fitsio.h>
#include <math.h>

#define ORDER 5
#define PIXELS (12 << (2 * ORDER))

static uint64_t dice(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	return *s ^= *s << 17;
}

/* A blotchy coverage as a bitmap, and as a MOC. */
static void blotches(uint64_t seed, bool bits[PIXELS], struct moc *m)
{
	struct err e = {0};
	memset(bits, 0, PIXELS * sizeof *bits);
	*m = (struct moc){0};
	for (int n = 0; n < 40; n++) {
		int order = (int)(dice(&seed) % (ORDER + 1));
		uint64_t pixel = dice(&seed) % (UINT64_C(12) << (2 * order)), shift = 2 * (uint64_t)(ORDER - order);
		assert_ok(moc_add(m, order, pixel, pixel + 1, &e), &e);
		for (uint64_t p = pixel << shift; p < (pixel + 1) << shift; p++)
			bits[p] = true;
	}
	moc_finish(m);
	m->order = ORDER;
}

static void is_bitmap(const struct moc *m, const bool bits[PIXELS])
{
	int64_t covered = 0;
	for (uint64_t p = 0; p < PIXELS; p++) {
		uint64_t first = p << 2 * (29 - ORDER), last = first + (UINT64_C(1) << 2 * (29 - ORDER)) - 1;
		assert_int_equal(moc_contains(m, first), bits[p]);
		assert_int_equal(moc_contains(m, last), bits[p]);
		covered += bits[p];
	}
	assert_true(fabs(moc_area_deg2(m) - (double)covered / PIXELS * 129600 / M_PI) < 1e-9);
}

static void same(const struct moc *a, const struct moc *b)
{
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->order, b->order);
	for (size_t i = 0; i < a->count; i++)
		assert_true(a->range[i].first == b->range[i].first && a->range[i].end == b->range[i].end);
}

static void comes_back(const struct moc *m, const struct text *t)
{
	struct moc back;
	struct err e = {0};
	assert_false(t->failed);
	assert_ok(moc_read(t->data, t->len, &back, &e), &e);
	same(m, &back);
	moc_free(&back);
}

static void every_form_comes_back(void **state)
{
	static bool bits[PIXELS];
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct moc m;
		struct text t = {.max = LIMIT_TEXT};
		struct mapmake z;
		blotches(seed * 0x9E3779B97F4A7C15u, bits, &m);
		is_bitmap(&m, bits);
		moc_fits(&m, MOC_NUNIQ, "S1", &t);
		comes_back(&m, &t);
		assert_int_equal(t.len % 2880, 0);
		mapmake_gzip(&z, t.data, t.len);
		text_reset(&t);
		text_add(&t, z.data, z.len);
		comes_back(&m, &t);
		mapmake_free(&z);
		text_reset(&t);
		moc_fits(&m, MOC_RANGE, "", &t);
		comes_back(&m, &t);
		text_reset(&t);
		moc_json(&m, &t);
		comes_back(&m, &t);
		text_reset(&t);
		moc_ascii(&m, &t);
		comes_back(&m, &t);
		text_free(&t);
		moc_free(&m);
	}
}

/* MOC 2.0, §4.2: the example of the standard; what the words say pixel by pixel. */
static void the_standards_example(void **state)
{
	static const char text[] = "1/1-2,4 2/12-14,21,23,25 8/";
	struct moc m;
	struct text t = {.max = 4096};
	struct err e = {0};
	(void)state;
	assert_ok(moc_read(text, strlen(text), &m, &e), &e);
	assert_int_equal(m.order, 8);
	for (uint64_t p = 0; p < 192; p++)
		assert_int_equal(moc_contains(&m, p << 54), (p >= 4 && p < 12) || (p >= 16 && p < 20) || (p >= 12 && p <= 14) || p == 21 || p == 23 || p == 25);
	moc_ascii(&m, &t);
	assert_string_equal(t.data, "1/1-2 4 2/12-14 21 23 25 8/\n");
	text_reset(&t);
	moc_json(&m, &t);
	assert_string_equal(t.data, "{\"1\":[1,2,4],\"2\":[12,13,14,21,23,25],\"8\":[]}\n");
	text_free(&t);
	moc_free(&m);
}

static void the_whole_sky_and_nothing(void **state)
{
	struct moc m = {0}, none = {0};
	struct text t = {.max = 65536};
	struct err e = {0};
	(void)state;
	assert_ok(moc_add(&m, 0, 0, 12, &e), &e);
	moc_finish(&m);
	assert_int_equal(m.count, 1);
	assert_true(fabs(moc_area_deg2(&m) - 41252.961249419) < 1e-8);
	assert_true(moc_contains(&m, 0) && moc_contains(&m, MOC_END - 1) && !moc_contains(&m, MOC_END));
	assert_true(moc_contains_at(&m, 0, 90) && moc_contains_at(&m, 359.9999, -90));
	moc_json(&m, &t);
	assert_string_equal(t.data, "{\"0\":[0,1,2,3,4,5,6,7,8,9,10,11]}\n");
	moc_finish(&none);
	text_reset(&t);
	moc_fits(&none, MOC_NUNIQ, "", &t);
	comes_back(&none, &t);
	text_reset(&t);
	moc_ascii(&none, &t);
	assert_string_equal(t.data, "0/\n");
	assert_int_equal(moc_add(&m, 3, 768, 769, &e), -1);
	assert_int_equal(moc_add(&m, 30, 0, 1, &e), -1);
	text_free(&t);
	moc_free(&m);
}

static void both_at_once(void **state)
{
	static bool a_bits[PIXELS], b_bits[PIXELS];
	struct moc a, b, both;
	struct err e = {0};
	(void)state;
	blotches(77, a_bits, &a);
	blotches(78, b_bits, &b);
	assert_ok(moc_and(&a, &b, &both, &e), &e);
	for (int i = 0; i < PIXELS; i++)
		a_bits[i] &= b_bits[i];
	is_bitmap(&both, a_bits);
	moc_free(&a);
	moc_free(&b);
	moc_free(&both);
}

/* cfitsio sees the table, the keywords of the standard and the numbers. */
static void as_another_reader_sees_it(void **state)
{
	struct moc m;
	struct text t = {.max = 65536};
	struct err e = {0};
	fitsfile *f = NULL;
	char word[FLEN_VALUE];
	LONGLONG uniq[8], rows = 0, order = 0;
	int status = 0, kind = 0;
	(void)state;
	assert_ok(moc_read("{\"3\":[7],\"1\":[47,1]}", 20, &m, &e), &e);
	moc_fits(&m, MOC_NUNIQ, "S230518h", &t);
	void *memory = t.data;
	size_t size = t.len;
	fits_open_memfile(&f, "moc", READONLY, &memory, &size, 0, NULL, &status);
	fits_movabs_hdu(f, 2, &kind, &status);
	assert_int_equal(kind, BINARY_TBL);
	static const char *const words[][2] = {{"MOCVERS", "2.0"}, {"MOCDIM", "SPACE"}, {"ORDERING", "NUNIQ"}, {"COORDSYS", "C"},
		{"TTYPE1", "UNIQ"}, {"MOCID", "S230518h"}};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		fits_read_key(f, TSTRING, words[i][0], word, NULL, &status);
		assert_int_equal(status, 0);
		assert_string_equal(word, words[i][1]);
	}
	fits_read_key(f, TLONGLONG, "MOCORD_S", &order, NULL, &status);
	fits_get_num_rowsll(f, &rows, &status);
	fits_read_col(f, TLONGLONG, 1, 1, 1, rows, NULL, uniq, NULL, &status);
	assert_int_equal(status, 0);
	assert_int_equal(order, 3);
	assert_int_equal(rows, 3);
	assert_true(uniq[0] == 16 + 1 && uniq[1] == 16 + 47 && uniq[2] == 256 + 7);
	fits_close_file(f, &status);
	text_free(&t);
	moc_free(&m);
}

static void refused(const char *bytes, size_t len, const char *word)
{
	struct moc m;
	struct err e = {0};
	assert_int_equal(moc_read(bytes, len, &m, &e), -1);
	assert_null(m.range);
	if (strstr(e.text, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, word);
}

static void table_refused(const char *const *cards, const int64_t *number, int64_t rows, const char *word)
{
	struct mapmake f;
	const struct mapmake_column c = {"UNIQ", NULL, 'K', 1, NULL, number};
	mapmake_file(&f, &c, 1, rows, cards);
	refused((const char *)f.data, f.len, word);
	mapmake_free(&f);
}

static void strangers_are_refused_with_the_reason(void **state)
{
	static const int64_t good[3] = {4, 5, 6}, bad[1] = {3};
	static const char *const texts[][2] = {{"", "empty"}, {"<html>", "HTML"}, {"30/1", "0 to 29"}, {"3/768", "no pixels"}, {"1,2", "byte"},
		{"3/5-4", "no pixels"}, {"3/-4", "byte"}, {"99999999999999999999/", "byte"}, {"3/99999999999999999999", "byte"}, {"{\"x\":[1]}", "order"},
		{"{\"3\":[-1]}", "pixel"}, {"{\"3\":[1.5]}", "pixel"}, {"{\"3\":7}", "order"}, {"{\"40\":[1]}", "order"}};
	const char *const time[] = {"MOCDIM  = 'TIME    '", "ORDERING= 'RANGE   '", NULL}, *const galactic[] = {"COORDSYS= 'G'", NULL};
	const char *const ring[] = {"ORDERING= 'RING'", NULL}, *const odd[] = {"ORDERING= 'RANGE'", NULL};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		refused(texts[i][0], strlen(texts[i][0]), texts[i][1]);
	table_refused(time, good, 2, "TIME");
	table_refused(galactic, good, 2, "COORDSYS is G");
	table_refused(ring, good, 2, "ORDERING is RING");
	table_refused(odd, good, 3, "not even");
	table_refused(NULL, bad, 1, "no HEALPix pixel");
}

/* Every cut is refused; every flipped byte is read within its bounds, whatever comes of it (the sanitizers look on). */
static void broken_bytes(void **state)
{
	static bool bits[PIXELS];
	struct moc m, back;
	struct text t = {.max = LIMIT_TEXT};
	uint64_t seed = 3;
	(void)state;
	blotches(5, bits, &m);
	moc_fits(&m, MOC_NUNIQ, "", &t);
	for (size_t len = 0; len < t.len; len += 97) {
		struct err e = {0};
		char *copy = malloc(len + 1);
		memcpy(copy, t.data, len);
		assert_int_equal(moc_read(copy, len, &back, &e), -1);
		free(copy);
	}
	for (int n = 0; n < 4000; n++) {
		struct err e = {0};
		size_t at = dice(&seed) % t.len;
		char old = t.data[at];
		t.data[at] = (char)dice(&seed);
		if (moc_read(t.data, t.len, &back, &e) == 0) {
			for (size_t i = 0; i < back.count; i++)
				assert_true(back.range[i].first < back.range[i].end && back.range[i].end <= MOC_END && (i == 0 || back.range[i].first > back.range[i - 1].end));
			moc_free(&back);
		}
		t.data[at] = old;
	}
	text_free(&t);
	moc_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_comes_back), cmocka_unit_test(the_standards_example), cmocka_unit_test(the_whole_sky_and_nothing),
		cmocka_unit_test(both_at_once), cmocka_unit_test(as_another_reader_sees_it), cmocka_unit_test(strangers_are_refused_with_the_reason),
		cmocka_unit_test(broken_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
