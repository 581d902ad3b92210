/* A camera's field from its description: rectangle, circle, polygon or mosaic of chips: see footprint.h. */
#include "engine/target/footprint.h"
#include "engine/base/json.h"
#include "engine/base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG (180.0 / M_PI)
#define ARCMIN_MAX (60.0 * FOOTPRINT_REACH_DEG)

static double plane_of(double arcmin)
{
	return arcmin / 60 / DEG; /* scale of the plate at its centre: what cameras quote */
}

static struct footprint_point turned(const struct footprint *f, double x, double y)
{
	/* position angle from north through east: up (0, 1) goes to (sin, cos) */
	return (struct footprint_point){x * f->cos_pa + y * f->sin_pa, y * f->cos_pa - x * f->sin_pa};
}

static int corners_set(struct footprint *f, const double (*xy)[2], int n)
{
	double twice = 0;
	for (int i = 0, j = n - 1; i < n; j = i++)
		twice += xy[j][0] * xy[i][1] - xy[i][0] * xy[j][1];
	for (int i = 0; i < n; i++) {
		const double *c = xy[twice >= 0 ? i : n - 1 - i];
		f->outline[i] = turned(f, c[0], c[1]);
		f->half_x = fmax(f->half_x, fabs(c[0]));
		f->half_y = fmax(f->half_y, fabs(c[1]));
	}
	f->points = n;
	return fabs(twice) > 0 ? 0 : -1;
}

static void rectangle_set(struct footprint *f, double width_arcmin, double height_arcmin)
{
	double x = plane_of(width_arcmin) / 2, y = plane_of(height_arcmin) / 2;
	const double c[4][2] = {{-x, -y}, {x, -y}, {x, y}, {-x, y}};
	corners_set(f, c, 4);
}

static int pair_of(const json_t *list, double least, double most, double out[2])
{
	for (size_t k = 0; k < 2; k++) {
		const json_t *v = json_array_get(list, k);
		out[k] = json_is_number(v) ? json_number_value(v) : NAN;
		if (!(out[k] >= least && out[k] <= most))
			return -1;
	}
	return json_array_size(list) == 2 ? 0 : -1;
}

static int polygon_set(struct footprint *f, const json_t *list, struct err *e)
{
	double xy[FOOTPRINT_POINTS][2];
	size_t n = json_array_size(list);
	if (n < 3 || n > FOOTPRINT_POINTS)
		return err_set(e, ERR_INPUT, "points_arcmin: a polygon has 3 to %d corners, not %zu", FOOTPRINT_POINTS, n);
	for (size_t i = 0; i < n; i++) {
		double p[2];
		if (pair_of(json_array_get(list, i), -ARCMIN_MAX, ARCMIN_MAX, p) < 0)
			return err_set(e, ERR_INPUT, "points_arcmin[%zu]: a corner is [east, north] in arcmin within ±%g", i, ARCMIN_MAX);
		xy[i][0] = plane_of(p[0]);
		xy[i][1] = plane_of(p[1]);
	}
	return corners_set(f, (const double (*)[2])xy, (int)n) == 0 ? 0 : err_set(e, ERR_INPUT, "points_arcmin: the polygon has no area");
}

static bool dead(const json_t *list, int row, int chip)
{
	const json_t *v;
	size_t i;
	json_array_foreach(list, i, v)
		if (json_integer_value(json_array_get(v, 0)) == row && json_integer_value(json_array_get(v, 1)) == chip)
			return true;
	return false;
}

static double turn(const double *o, const double *a, const double *b)
{
	return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
}

static int point_compare(const void *a, const void *b)
{
	const double *p = a, *q = b;
	return p[0] != q[0] ? (p[0] > q[0]) - (p[0] < q[0]) : (p[1] > q[1]) - (p[1] < q[1]);
}

/* Convex hull, counter-clockwise (Andrew 1979, Inf. Process. Lett. 9 216). */
static int hull_set(struct footprint *f, double (*xy)[2], int n, struct err *e)
{
	double hull[8 * FOOTPRINT_CHIPS + 1][2];
	int k = 0;
	qsort(xy, (size_t)n, sizeof *xy, point_compare);
	for (int i = 0; i < n; memcpy(hull[k++], xy[i++], sizeof *xy))
		while (k >= 2 && turn(hull[k - 2], hull[k - 1], xy[i]) <= 1e-15)
			k--;
	for (int i = n - 2, least = k + 1; i >= 0; memcpy(hull[k++], xy[i--], sizeof *xy))
		while (k >= least && turn(hull[k - 2], hull[k - 1], xy[i]) <= 1e-15)
			k--;
	if (k - 1 < 3 || k - 1 > FOOTPRINT_POINTS)
		return err_set(e, ERR_INPUT, "rows: the chips' outline has %d corners, 3 to %d are known", k - 1, FOOTPRINT_POINTS);
	corners_set(f, (const double (*)[2])hull, k - 1);
	return 0;
}

/* Rows from north to south, chips from east (positive x) to west. */
static int mosaic_set(struct footprint *f, const json_t *o, struct err *e)
{
	const json_t *rows = json_object_get(o, "rows");
	double chip[2], gap[2], xy[4 * FOOTPRINT_CHIPS][2];
	int count = (int)json_array_size(rows), n = 0;
	if (pair_of(json_object_get(o, "chip_arcmin"), 0.01, ARCMIN_MAX, chip) < 0 || pair_of(json_object_get(o, "gap_arcmin"), 0, ARCMIN_MAX, gap) < 0)
		return err_set(e, ERR_INPUT, "a mosaic needs chip_arcmin and gap_arcmin, each [width, height] in arcmin");
	if (count < 1 || count > FOOTPRINT_CHIPS)
		return err_set(e, ERR_INPUT, "rows: a mosaic has 1 to %d rows", FOOTPRINT_CHIPS);
	for (int r = 0; r < count; r++) {
		json_int_t in_row = json_integer_value(json_array_get(rows, (size_t)r));
		double y = ((count - 1) / 2.0 - r) * (chip[1] + gap[1]);
		for (int k = 0; in_row > 0 && in_row <= FOOTPRINT_CHIPS && k < (int)in_row; k++) {
			double x = ((double)(in_row - 1) / 2 - k) * (chip[0] + gap[0]);
			if (dead(json_object_get(o, "dead"), r + 1, k + 1))
				continue;
			if (f->chips == FOOTPRINT_CHIPS)
				return err_set(e, ERR_LIMIT, "rows: more than %d chips", FOOTPRINT_CHIPS);
			static const double way[4][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
			for (int c = 0; c < 4; c++, n++) {
				xy[n][0] = plane_of(x + way[c][0] * chip[0] / 2);
				xy[n][1] = plane_of(y + way[c][1] * chip[1] / 2);
				f->chip[f->chips][c] = turned(f, xy[n][0], xy[n][1]);
			}
			const double box[4] = {xy[n - 4][0], xy[n - 3][0], xy[n - 4][1], xy[n - 1][1]};
			memcpy(f->chip_box[f->chips], box, sizeof box);
			f->chips++;
		}
	}
	return n > 0 ? hull_set(f, xy, n, e) : err_set(e, ERR_INPUT, "rows: the mosaic has no live chip");
}

/* Solid angle of a polygon in the plane, by the sum of its triangles with the centre (Van Oosterom & Strackee 1983, IEEE Trans. BME 30 125). */
static double polygon_sr(const struct footprint_point *c, int n)
{
	double sum = 0;
	for (int i = 0, j = n - 1; i < n; j = i++) {
		double a = sqrt(1 + c[j].x * c[j].x + c[j].y * c[j].y), b = sqrt(1 + c[i].x * c[i].x + c[i].y * c[i].y);
		double triple = c[j].x * c[i].y - c[i].x * c[j].y;
		sum += 2 * atan2(triple, a * b + a + b + (1 + c[j].x * c[i].x + c[j].y * c[i].y));
	}
	return fabs(sum);
}

/* Distance of the origin from an edge: what of the outline comes closest to the centre. */
static double edge_from_centre(struct footprint_point a, struct footprint_point b)
{
	double dx = b.x - a.x, dy = b.y - a.y, s = -(a.x * dx + a.y * dy) / (dx * dx + dy * dy);
	s = fmax(0, fmin(1, s));
	return hypot(a.x + s * dx, a.y + s * dy);
}

static void edges_set(struct footprint *f)
{
	f->convex = true;
	for (int i = 0; i < f->points; i++) {
		struct footprint_point a = f->outline[i], b = f->outline[(i + 1) % f->points], c = f->outline[(i + 2) % f->points];
		double n[3] = {a.y - b.y, b.x - a.x, a.x * b.y - a.y * b.x}, size = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
		for (int k = 0; k < 3; k++)
			f->edge[i][k] = n[k] / size;
		f->convex &= (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) >= 0;
	}
}

static int measures_set(struct footprint *f, struct err *e)
{
	double reach = 0, inner = INFINITY, sr = 0;
	bool centred = true;
	if (f->radius_rad > 0) {
		f->reach_rad = f->inner_rad = f->whole_rad = f->radius_rad;
		f->half_x = f->half_y = tan(f->radius_rad);
		f->area_deg2 = 2 * M_PI * (1 - cos(f->radius_rad)) * DEG * DEG;
		return 0;
	}
	for (int i = 0, j = f->points - 1; i < f->points; j = i++) {
		reach = fmax(reach, hypot(f->outline[i].x, f->outline[i].y));
		inner = fmin(inner, edge_from_centre(f->outline[j], f->outline[i]));
		centred &= f->outline[j].x * f->outline[i].y - f->outline[i].x * f->outline[j].y > 0;
	}
	edges_set(f);
	for (int i = 0; i < f->chips; i++)
		sr += polygon_sr(f->chip[i], 4);
	f->reach_rad = atan(reach) * (1 + 1e-12);
	f->inner_rad = centred ? atan(inner) * (1 - 1e-12) : 0;
	f->whole_rad = f->chips ? fmin(f->chip_box[0][1] - f->chip_box[0][0], f->chip_box[0][3] - f->chip_box[0][2]) : f->reach_rad;
	f->area_deg2 = (f->chips ? sr : polygon_sr(f->outline, f->points)) * DEG * DEG;
	if (!(f->reach_rad * DEG <= FOOTPRINT_REACH_DEG))
		return err_set(e, ERR_INPUT, "a footprint reaches %.1f° from its centre; at most %d° are known", f->reach_rad * DEG, FOOTPRINT_REACH_DEG);
	return 0;
}

int footprint_read(const json_t *o, struct footprint *out, struct err *e)
{
	const char *shape = json_text(o, "shape", "rectangle");
	double pa = json_number(o, "rotation_deg", 0) / DEG, w = json_number(o, "width_arcmin", NAN), h = json_number(o, "height_arcmin", NAN);
	double r = json_number(o, "radius_arcmin", NAN);
	int rc = 0;
	*out = (struct footprint){.cos_pa = cos(pa), .sin_pa = sin(pa)};
	snprintf(out->name, sizeof out->name, "%.63s", json_text(o, "name", shape));
	if (!isfinite(pa))
		return err_set(e, ERR_INPUT, "footprint: rotation_deg is no angle");
	if (strcmp(shape, "rectangle") == 0) {
		if (!(w > 0 && w <= ARCMIN_MAX && h > 0 && h <= ARCMIN_MAX))
			return err_set(e, ERR_INPUT, "footprint: a rectangle needs width_arcmin and height_arcmin, above 0 and at most %g", ARCMIN_MAX);
		rectangle_set(out, w, h);
	} else if (strcmp(shape, "circle") == 0) {
		if (!(r > 0 && r <= ARCMIN_MAX))
			return err_set(e, ERR_INPUT, "footprint: a circle needs radius_arcmin, above 0 and at most %g", ARCMIN_MAX);
		out->radius_rad = plane_of(r);
	} else if (strcmp(shape, "polygon") == 0) {
		rc = polygon_set(out, json_object_get(o, "points_arcmin"), e);
	} else if (strcmp(shape, "mosaic") == 0) {
		rc = mosaic_set(out, o, e);
	} else {
		return err_set(e, ERR_INPUT, "footprint: shape \"%.20s\" is not rectangle, circle, polygon or mosaic", shape);
	}
	return rc == 0 && measures_set(out, e) == 0 ? 0 : err_wrap(e, "footprint");
}

static void turn_point(struct footprint_point *p, double c, double s)
{
	*p = (struct footprint_point){p->x * c + p->y * s, p->y * c - p->x * s};
}

void footprint_turn(struct footprint *f, double by_deg)
{
	double c = cos(by_deg / DEG), s = sin(by_deg / DEG), before = f->cos_pa;
	if (!(fabs(by_deg) > 0))
		return;
	f->cos_pa = f->cos_pa * c - f->sin_pa * s;
	f->sin_pa = f->sin_pa * c + before * s;
	for (int i = 0; i < f->points; i++)
		turn_point(&f->outline[i], c, s);
	for (int i = 0; i < f->chips; i++)
		for (int k = 0; k < 4; k++)
			turn_point(&f->chip[i][k], c, s);
	edges_set(f);
}

int footprint_of_instrument(const json_t *instrument, struct footprint *out, struct err *e)
{
	const json_t *given = json_object_get(instrument, "footprint"), *fov = json_object_get(instrument, "fov_arcmin");
	const char *code = json_text(instrument, "code", "");
	double wh[2];
	if (given != NULL)
		return footprint_read(given, out, e) == 0 ? 0 : err_wrap(e, "instrument %.40s", code);
	if (pair_of(fov, 0.01, ARCMIN_MAX, wh) < 0)
		return err_set(e, ERR_INPUT, "instrument \"%.40s\" has no footprint and no fov_arcmin: write one into the facility's descriptor", code);
	json_t *o = json_pack("{s:s, s:f, s:f}", "name", code, "width_arcmin", wh[0], "height_arcmin", wh[1]);
	int rc = o == NULL ? err_set(e, ERR_MEMORY, "no memory for a footprint") : footprint_read(o, out, e);
	json_decref(o);
	return rc;
}

/* "26.5x26.5", "r60", "muscat". */
static int words_shape(const char *words, struct footprint *out, struct err *e)
{
	char *end;
	json_t *o = NULL;
	double a = strtod(words[0] == 'r' ? words + 1 : words, &end);
	if (words[0] == 'r' && end != words + 1 && *end == '\0') {
		o = json_pack("{s:s, s:s, s:f}", "name", words, "shape", "circle", "radius_arcmin", a);
	} else if (words[0] != 'r' && end != words && *end == 'x') {
		const char *second = end + 1;
		double b = strtod(second, &end);
		if (end != second && *end == '\0')
			o = json_pack("{s:s, s:f, s:f}", "name", words, "width_arcmin", a, "height_arcmin", b);
	}
	if (strcmp(words, "muscat") == 0)
		o = json_pack("{s:s, s:f, s:f}", "name", words, "width_arcmin", 9.1, "height_arcmin", 9.1);
	if (o == NULL)
		return 1;
	int rc = footprint_read(o, out, e);
	json_decref(o);
	return rc;
}

/* Does an instrument answer to these words? */
static bool answers(const json_t *descriptor, const json_t *instrument, const char *words)
{
	const char *facility = json_text(descriptor, "name", ""), *colon = strchr(words, ':');
	const char *name = json_text(json_object_get(instrument, "footprint"), "name", "");
	if (strcmp(json_text(instrument, "kind", "image"), "image") != 0)
		return false;
	if (colon == NULL)
		return strcmp(words, name) == 0 || strcmp(words, facility) == 0 || strcmp(words, json_text(instrument, "code", "")) == 0;
	return (size_t)(colon - words) == strlen(facility) && strncmp(words, facility, strlen(facility)) == 0 &&
		(strcmp(colon + 1, json_text(instrument, "code", "")) == 0 || strcmp(colon + 1, name) == 0);
}

const json_t *footprint_instrument(const json_t *const *descriptors, size_t count, const char *words)
{
	for (size_t d = 0; d < count; d++) {
		const json_t *instrument;
		size_t i;
		json_array_foreach(json_object_get(descriptors[d], "instruments"), i, instrument)
			if (answers(descriptors[d], instrument, words))
				return instrument;
	}
	return NULL;
}

int footprint_find(const json_t *const *descriptors, size_t count, const char *words, struct footprint *out, struct err *e)
{
	struct text known = {.max = 2048};
	int rc = words_shape(words, out, e);
	if (rc <= 0)
		return rc;
	const json_t *found = footprint_instrument(descriptors, count, words), *instrument;
	if (found != NULL)
		return footprint_of_instrument(found, out, e);
	for (size_t d = 0; d < count; d++) {
		size_t i;
		json_array_foreach(json_object_get(descriptors[d], "instruments"), i, instrument)
			if (strcmp(json_text(instrument, "kind", "image"), "image") == 0)
				text_printf(&known, "%s%s", known.len ? ", " : "", json_text(json_object_get(instrument, "footprint"), "name", json_text(instrument, "code", "")));
	}
	err_set(e, ERR_INPUT, "there is no footprint \"%.60s\"; known are %.300s, muscat, facility:instrument, WIDTHxHEIGHT and rRADIUS in arcmin", words,
		known.data ? known.data : "none");
	text_free(&known);
	return -1;
}
