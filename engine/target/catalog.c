/* The catalogue's reader: maps, checks, gives rows (catalog.h). */
#include "engine/target/catalog.h"
#include "engine/base/hash.h"
#include "engine/target/fits_header.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The form is fixed: names and formats of the tables in order (in COLUMNS the number of rows stands before the letter). */
static const char *const columns_galaxies[][2] = {{"IPIX29", "1K"}, {"DIST_MPC", "1D"}, {"RA", "1D"}, {"DEC", "1D"},
	{"DISTERR_MPC", "1E"}, {"B_MAG", "1E"}, {"LOGMSTAR", "1E"}, {"FLAGS", "1J"}, {"ID", "1K"}, {"NAME", "32A"}};
static const char *const columns_cells[][2] = {{"FIRST", "1K"}, {"LUM_MAX", "1E"}, {"MASS_MAX", "1E"}};
static const char *const columns_columns[][2] = {{"DIST_MPC", "D"}, {"DISTERR_MPC", "E"}, {"LUM", "E"}, {"MASS", "E"}, {"PIX23", "J"}};

static const char *const columns_census[][2] = {{"ROWS", "1D"}, {"LUM_ROWS", "1D"}, {"LUM", "1D"}, {"MASS_ROWS", "1D"}, {"MASS", "1D"}};

static int form_check(const struct fits_header *h, const char *const (*columns)[2], int n, const char *path, struct err *e)
{
	int64_t fields = 0;
	char key[32], name[72] = "", form[72] = "";
	bool same = fits_header_int(h, "TFIELDS", &fields) && fields == n;
	for (int i = 0; i < n && same; i++) {
		snprintf(key, sizeof key, "TTYPE%d", i + 1);
		same = fits_header_text(h, key, name, sizeof name) && strcmp(name, columns[i][0]) == 0;
		snprintf(key, sizeof key, "TFORM%d", i + 1);
		same = same && fits_header_text(h, key, form, sizeof form) && strcmp(form, columns[i][1]) == 0;
	}
	if (!same)
		return err_set(e, ERR_INPUT, "%s: is a FITS file, but not a catalogue of slew; make one with "
			"`slew catalog build %s -o OUT.fits`", path, path);
	return 0;
}

struct table {
	struct fits_header header;
	int64_t rows;
	const unsigned char *data;
};

/* One table at *at: its header, its rows within the file; *at moves behind it. */
static int table_open(const struct catalog *c, size_t *at, int64_t width, struct table *t)
{
	const unsigned char *bytes = c->memory;
	int64_t row_bytes = 0;
	struct err ignored = {0};
	if (*at >= c->memory_len || fits_header_scan(bytes + *at, c->memory_len - *at, &t->header, &ignored) < 0)
		return -1;
	if (!fits_header_int(&t->header, "NAXIS1", &row_bytes) || row_bytes != width ||
		!fits_header_int(&t->header, "NAXIS2", &t->rows) || t->rows < 0)
		return -1;
	*at += t->header.bytes;
	if ((uint64_t)t->rows > (c->memory_len - *at) / (size_t)width)
		return -1;
	t->data = bytes + *at;
	*at += ((size_t)t->rows * (size_t)width + FITS_BLOCK - 1) / FITS_BLOCK * FITS_BLOCK;
	return 0;
}

/* The ranker jumps by the index, so it must be sane whatever the file holds. */
static int index_check(const struct catalog *c, const char *path, struct err *e)
{
	int64_t last = 0;
	for (int64_t i = 0; i < CATALOG_CELLS; i++) {
		int64_t first = catalog_cell_first(c, i);
		if (first < last || first > c->count)
			return err_set(e, ERR_INPUT, "%s: the index of cells is damaged at cell %lld; build the catalogue anew", path, (long long)i);
		last = first;
	}
	return 0;
}

/* The columns behind the index. The file is whole so far: what is missing here was never written. */
static int columns_open(struct catalog *c, size_t at, const char *path, struct err *e)
{
	char form[CATALOG_COLUMN_COUNT][32];
	const char *columns[CATALOG_COLUMN_COUNT][2];
	struct table t;
	if (at == c->memory_len)
		return err_set(e, ERR_INPUT, "%s: the catalogue was made by an older slew and has no columns for ranking; make it anew: "
			"`slew catalog build %s -o NEW.fits`", path, path);
	for (int k = 0; k < CATALOG_COLUMN_COUNT; k++) {
		snprintf(form[k], sizeof form[k], "%lld%s", (long long)c->count, columns_columns[k][1]);
		columns[k][0] = columns_columns[k][0];
		columns[k][1] = form[k];
	}
	if (c->count > INT64_MAX / CATALOG_COLUMN_BYTES || table_open(c, &at, c->count * CATALOG_COLUMN_BYTES, &t) < 0 || t.rows != 1)
		return err_set(e, ERR_INPUT, "%s: the catalogue is truncated or damaged; build it anew with `slew catalog build`", path);
	for (int k = 0; k < CATALOG_COLUMN_COUNT; k++)
		c->column[k] = t.data + catalog_column_offset(k, c->count);
	if (form_check(&t.header, columns, CATALOG_COLUMN_COUNT, path, e) < 0)
		return -1;
	if (at == c->memory_len)
		return 0;
	if (table_open(c, &at, CATALOG_CENSUS_BYTES, &t) < 0 || t.rows != CATALOG_CENSUS_ROWS)
		return err_set(e, ERR_INPUT, "%s: the catalogue is truncated or damaged; build it anew with `slew catalog build`", path);
	c->census = t.data;
	return form_check(&t.header, columns_census, 5, path, e);
}

static int form_open(struct catalog *c, const char *path, struct err *e)
{
	const unsigned char *bytes = c->memory;
	struct fits_header primary;
	struct table galaxies, cells;
	if (c->memory_len < FITS_BLOCK || memcmp(bytes, "SIMPLE  =", 9) != 0 || fits_header_scan(bytes, c->memory_len, &primary, e) < 0)
		return err_set(e, ERR_INPUT, "%s: is not a FITS file as `slew catalog build IN... -o OUT.fits` writes it (it is never packed); make the catalogue with that", path);
	size_t at = primary.bytes;
	if (at < c->memory_len && fits_header_scan(bytes + at, c->memory_len - at, &galaxies.header, e) == 0 &&
		form_check(&galaxies.header, columns_galaxies, 10, path, e) < 0)
		return -1;
	if (table_open(c, &at, CATALOG_ROW_BYTES, &galaxies) < 0 || table_open(c, &at, CATALOG_CELL_BYTES, &cells) < 0 ||
		cells.rows != CATALOG_CELLS)
		return err_set(e, ERR_INPUT, "%s: the catalogue is truncated or damaged; build it anew with `slew catalog build`", path);
	c->count = galaxies.rows;
	c->rows = galaxies.data;
	c->cells = cells.data;
	if (form_check(&cells.header, columns_cells, 3, path, e) < 0)
		return -1;
	if (!fits_header_text(&galaxies.header, "DIGEST", c->sha256, sizeof c->sha256) || strlen(c->sha256) != 64)
		return err_set(e, ERR_INPUT, "%s: the catalogue has no DIGEST; build it anew with `slew catalog build`", path);
	return columns_open(c, at, path, e) < 0 ? -1 : index_check(c, path, e);
}

int catalog_open(const char *path, struct catalog *c, struct err *e)
{
	struct stat st;
	*c = (struct catalog){0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || (S_ISREG(st.st_mode) && st.st_size == 0)) {
		int why = errno;
		if (fd >= 0)
			close(fd);
		return err_set(e, ERR_INPUT, "catalogue %s: %s; make one with `slew catalog build`", path, fd < 0 ? strerror(why) : "is empty");
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(e, ERR_INPUT, "catalogue %s: is %s, not a file; make one with `slew catalog build`", path,
			S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
	}
	c->memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (c->memory == MAP_FAILED) {
		*c = (struct catalog){0};
		return err_set(e, ERR_SYSTEM, "catalogue %s: cannot be mapped: %s", path, strerror(errno));
	}
	c->memory_len = (size_t)st.st_size;
	if (form_open(c, path, e) < 0) {
		catalog_close(c);
		return -1;
	}
	return 0;
}

void catalog_close(struct catalog *c)
{
	if (c->memory != NULL)
		munmap(c->memory, c->memory_len);
	*c = (struct catalog){0};
}

/* Weights come out of a libm: another one may differ by a last bit. */
static bool weight_same(float held, double made)
{
	float m = made > 0 && isfinite(made) ? (float)made : 0;
	return fabsf(held - m) <= 2e-7f * m;
}

static bool row_in_columns(const struct catalog *c, int64_t row)
{
	struct catalog_row r;
	const unsigned char *bytes = c->rows + (size_t)row * CATALOG_ROW_BYTES;
	catalog_row_at(c, row, &r);
	float err = r.distance_err_mpc > 0 && isfinite(r.distance_err_mpc) ? r.distance_err_mpc : 0, held = catalog_distance_err_mpc(c, row);
	return memcmp(c->column[CATALOG_COLUMN_DIST] + 8 * row, bytes + 8, 8) == 0 && !(held < err) && !(held > err) &&
		weight_same(catalog_weight(c, CATALOG_COLUMN_LUM, row), catalog_luminosity(&r)) &&
		weight_same(catalog_weight(c, CATALOG_COLUMN_MASS, row), catalog_mass(&r)) &&
		bytes_u32(c->column[CATALOG_COLUMN_PIX] + 4 * row) == catalog_pix23(r.ipix29);
}

int catalog_verify(const struct catalog *c, struct err *e)
{
	char digest[65];
	hash_sha256_hex(c->rows, (size_t)c->count * CATALOG_ROW_BYTES, digest);
	if (strcmp(digest, c->sha256) != 0)
		return err_set(e, ERR_INPUT, "the rows do not have the digest of the header; build the catalogue anew");
	for (int64_t i = 0; i < c->count; i++) {
		if (i > 0 && catalog_ipix(c, i - 1) > catalog_ipix(c, i))
			return err_set(e, ERR_INPUT, "row %lld is out of order; build the catalogue anew", (long long)i + 1);
		if (!row_in_columns(c, i))
			return err_set(e, ERR_INPUT, "the columns do not say what row %lld says; build the catalogue anew", (long long)i + 1);
	}
	return 0;
}

void catalog_row_at(const struct catalog *c, int64_t row, struct catalog_row *r)
{
	must(row >= 0 && row < c->count);
	const unsigned char *p = c->rows + (size_t)row * CATALOG_ROW_BYTES;
	r->ipix29 = bytes_u64(p);
	r->distance_mpc = bytes_double(p + 8);
	r->ra_deg = bytes_double(p + 16);
	r->dec_deg = bytes_double(p + 24);
	r->distance_err_mpc = bytes_float(p + 32);
	r->b_mag = bytes_float(p + 36);
	r->log_mstar = bytes_float(p + 40);
	r->flags = bytes_u32(p + 44);
	r->id = (int64_t)bytes_u64(p + 48);
	memcpy(r->name, p + 56, CATALOG_NAME);
	r->name[CATALOG_NAME] = '\0';
	for (size_t n = strlen(r->name); n > 0 && r->name[n - 1] == ' '; n--)
		r->name[n - 1] = '\0';
}

/* L = 10^(0.4 (5.44 − M_B)) with the Sun's M_B = 5.44 (Vega; Willmer 2018). */
double catalog_luminosity(const struct catalog_row *r)
{
	if (!isfinite(r->b_mag) || !(r->distance_mpc > 0))
		return NAN;
	return (double)(float)pow(10, 0.4 * (5.44 - (r->b_mag - 5 * log10(r->distance_mpc) - 25)));
}

double catalog_mass(const struct catalog_row *r)
{
	return isfinite(r->log_mstar) ? (double)(float)pow(10, (double)r->log_mstar) : NAN;
}

int64_t catalog_find(const struct catalog *c, uint64_t ipix29)
{
	uint64_t cell = ipix29 >> (2 * (29 - CATALOG_CELL_ORDER));
	if (cell >= CATALOG_CELLS)
		return c->count;
	int64_t low = catalog_cell_first(c, (int64_t)cell);
	int64_t high = catalog_cell_end(c, (int64_t)cell);
	while (low < high) {
		int64_t mid = low + (high - low) / 2;
		if (catalog_ipix(c, mid) < ipix29)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const char *catalog_distance_name(uint32_t flags)
{
	static const char *const names[CATALOG_DIST_KINDS] = {"none", "given", "measured", "spectroscopic", "photometric", "from redshift"};
	uint32_t kind = flags & CATALOG_FLAG_KIND;
	return kind < CATALOG_DIST_KINDS ? names[kind] : "none";
}

const char *catalog_frame_name(uint32_t flags)
{
	static const char *const names[CATALOG_FRAMES] = {"not said", "heliocentric", "CMB", "CMB with peculiar velocity"};
	return names[(flags & CATALOG_FLAG_FRAME) >> CATALOG_FRAME_SHIFT];
}
