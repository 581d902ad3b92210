/* Mollweide and gnomonic pictures, lines in them, time axes. See svg.h; grids: svg_grid.c. */
#include "engine/report/svg.h"
#include "engine/base/utc.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEG (M_PI / 180)

double svg_separation_deg(double ra1, double dec1, double ra2, double dec2)
{
	double a = sin((dec2 - dec1) * DEG / 2), b = sin((ra2 - ra1) * DEG / 2),
	       h = a * a + cos(dec1 * DEG) * cos(dec2 * DEG) * b * b;

	return 2 * asin(sqrt(h > 1 ? 1 : h)) / DEG;
}

static bool mollweide(const struct svg_sky *s, double ra, double dec, double *x, double *y)
{
	double lambda = remainder(ra - s->ra0_deg, 360) * DEG, phi = dec * DEG, t = phi;

	for (int i = 0; i < 12 && fabs(fabs(phi) - M_PI / 2) > 1e-9; i++)
		t -= (2 * t + sin(2 * t) - M_PI * sin(phi)) / (2 + 2 * cos(2 * t) + 1e-12);
	*x = s->x0 + s->width / 2 * (1 - lambda / M_PI * cos(t));
	*y = s->y0 + s->height / 2 * (1 - sin(t));
	return true;
}

bool svg_sky_project(const struct svg_sky *s, double ra, double dec, double *x, double *y)
{
	if (s->all)
		return mollweide(s, ra, dec, x, y);
	double dra = (ra - s->ra0_deg) * DEG, d = dec * DEG, d0 = s->dec0_deg * DEG;
	double c = sin(d0) * sin(d) + cos(d0) * cos(d) * cos(dra);
	if (c < 0.05)
		return false;
	double scale = s->width / 2 / tan(s->half_deg * DEG);
	*x = s->x0 + s->width / 2 - scale * cos(d) * sin(dra) / c;
	*y = s->y0 + s->height / 2 - scale * (cos(d0) * sin(d) - sin(d0) * cos(d) * cos(dra)) / c;
	return fabs(*x - s->x0 - s->width / 2) < 3 * s->width && fabs(*y - s->y0 - s->height / 2) < 3 * s->width;
}

bool svg_sky_xy(const struct svg_sky *s, double ra, double dec, double *x, double *y)
{
	return svg_sky_project(s, ra, dec, x, y) && (s->all || (*x >= s->x0 && *x <= s->x0 + s->width && *y >= s->y0 && *y <= s->y0 + s->height));
}

bool svg_sky_radec(const struct svg_sky *s, double x, double y, double *ra, double *dec)
{
	if (s->all) {
		double sine = 1 - (y - s->y0) / (s->height / 2),
		       across = 1 - (x - s->x0) / (s->width / 2);
		if (fabs(sine) >= 1)
			return false;
		double t = asin(sine), lambda = M_PI * across / cos(t);
		if (fabs(lambda) > M_PI)
			return false;
		*dec = asin((2 * t + sin(2 * t)) / M_PI) / DEG;
		*ra = s->ra0_deg + lambda / DEG;
		return true;
	}
	double scale = s->width / 2 / tan(s->half_deg * DEG),
	       u = -(x - s->x0 - s->width / 2) / scale, v = -(y - s->y0 - s->height / 2) / scale;
	double rho = sqrt(u * u + v * v), c = atan(rho), d0 = s->dec0_deg * DEG;
	if (rho < 1e-12) {
		*ra = s->ra0_deg;
		*dec = s->dec0_deg;
		return true;
	}
	*dec = asin(cos(c) * sin(d0) + v * sin(c) * cos(d0) / rho) / DEG;
	*ra = s->ra0_deg + atan2(u * sin(c), rho * cos(d0) * cos(c) - v * sin(d0) * sin(c)) / DEG;
	return true;
}

/* Where a line of the whole sky goes round the back: it ends at one edge and begins anew at the other. */
static void round_the_back(const struct svg_sky *s, const double a[2], const double b[2], struct text *out)
{
	double before = remainder(a[0] - s->ra0_deg, 360), step = remainder(b[0] - a[0], 360), edge = before > 0 ? 179.999 : -179.999, x, y;
	double part = fabs(step) > 0 ? (edge - before) / step : 0.5, dec = a[1] + fmax(0, fmin(1, part)) * (b[1] - a[1]);
	mollweide(s, s->ra0_deg + edge, dec, &x, &y);
	text_printf(out, "L%.1f %.1f", x, y);
	mollweide(s, s->ra0_deg - edge, dec, &x, &y);
	text_printf(out, "M%.1f %.1f", x, y);
}

void svg_sky_line(const struct svg_sky *s, const double (*radec)[2], size_t n, const char *attributes, struct text *out)
{
	bool pen = false;
	text_printf(out, "<path fill=\"none\" %s d=\"", attributes);
	for (size_t i = 0; i < n; i++) {
		double x, y;
		bool in = svg_sky_project(s, radec[i][0], radec[i][1], &x, &y);
		if (in && pen && s->all && fabs(remainder(radec[i][0] - s->ra0_deg, 360) - remainder(radec[i - 1][0] - s->ra0_deg, 360)) > 180)
			round_the_back(s, radec[i - 1], radec[i], out);
		if (in)
			text_printf(out, "%c%.1f %.1f", pen ? 'L' : 'M', x, y);
		pen = in;
	}
	text_puts(out, "\"/>\n");
}

void svg_sky_path(const struct svg_sky *s, const double (*points)[3], size_t n, const char *style,
	struct text *out)
{
	double(*radec)[2] = calloc(n, sizeof *radec);

	if (radec == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		radec[i][0] = atan2(points[i][1], points[i][0]) / DEG;
		radec[i][1] = asin(fmax(-1, fmin(1, points[i][2]))) / DEG;
	}
	svg_sky_line(s, (const double(*)[2])radec, n, style, out);
	free(radec);
}

/* Names a clip by where it is: two of the same name on a page are the same. */
void svg_sky_clip(const struct svg_sky *s, struct text *out)
{
	char name[64];
	snprintf(name, sizeof name, "clip%d-%.0f-%.0f-%.0f-%.0f", s->all, s->x0, s->y0, s->width, s->height);
	if (s->all)
		text_printf(out, "<clipPath id=\"%s\"><ellipse cx=\"%g\" cy=\"%g\" rx=\"%g\" ry=\"%g\"/></clipPath>", name, s->x0 + s->width / 2,
			s->y0 + s->height / 2, s->width / 2, s->height / 2);
	else
		text_printf(out, "<clipPath id=\"%s\"><rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\"/></clipPath>", name, s->x0, s->y0, s->width,
			s->height);
	text_printf(out, "<g clip-path=\"url(#%s)\">\n", name);
}

void svg_open(const struct svg_picture *p, struct text *out)
{
	if (!p->alone) {
		text_printf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", p->width, p->height);
		text_html(out, p->title);
		text_puts(out, "\">\n");
		return;
	}
	text_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" font-family=\"DejaVu Sans, "
		"Verdana, Arial, sans-serif\">\n<title>", p->width, p->height, p->width, p->height);
	text_html(out, p->title);
	text_printf(out, "</title>\n<style>%s</style>\n<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n<text class=\"title\" x=\"14\" y=\"24\">",
		svg_style, p->width, p->height);
	text_html(out, p->title);
	text_puts(out, "</text>\n");
}

void svg_words(double x, double y, const char *attributes, const char *words, struct text *out)
{
	text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	text_html(out, words);
	text_puts(out, "</text>\n");
}

double svg_tick_step(double most, int count)
{
	double least = most / count, power = pow(10, floor(log10(least)));
	return power * (least <= power * 1.000001 ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10);
}

double svg_axis_x(const struct svg_axis *a, int64_t t)
{
	double x = a->x0 + (double)(t - a->from_us) / (double)(a->to_us - a->from_us) * a->width;

	return fmax(a->x0, fmin(a->x0 + a->width, x));
}

void svg_axis_hours(const struct svg_axis *a, double top, double bottom, struct text *out)
{
	static const int hours[] = {1, 2, 3, 6, 12, 24, 72};
	size_t k = 0;
	char hms[32];

	while (k + 1 < sizeof hours / sizeof hours[0] && (a->to_us - a->from_us) / (hours[k] * UTC_HOUR) > 14)
		k++;
	int64_t step = hours[k] * UTC_HOUR;
	svg_words(a->x0 - 4, bottom + 14, "class=\"tick\" text-anchor=\"end\"", "UTC", out);
	for (int64_t t = (a->from_us / step + 1) * step; t < a->to_us; t += step) {
		static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
		double x = svg_axis_x(a, t);
		char words[32], attributes[64];
		utc_format_s(words, t);
		int month = (words[5] - '0') * 10 + words[6] - '0', day = (words[8] - '0') * 10 + words[9] - '0';
		if (t % UTC_DAY == 0)
			snprintf(hms, sizeof hms, "%s %d", months[(month + 11) % 12], day); /* midnight is told by its date */
		else
			snprintf(hms, sizeof hms, "%.5s", words + 11);
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, top, bottom);
		snprintf(attributes, sizeof attributes, "class=\"tick\" text-anchor=\"%s\"", x > a->x0 + a->width - 14 ? "end" : "middle");
		svg_words(x, bottom + 12, attributes, hms, out);
	}
}
