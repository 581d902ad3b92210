/* A sky map as a file of its own: the whole sky, a close-up below it, a legend. See sky.h. */
#include "engine/base/utc.h"
#include "engine/report/sky.h"
#include "engine/target/region.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define WIDTH  1000.0
#define TOP    46.0
#define ROW    19.0
#define PART_LEAST 0.3 /* of the probability: less is not worth a close-up */
#define COLUMN 656.0 /* of the legend, beside a close-up */

struct legend {
	double x, y, top, bottom; /* below `bottom` a new column begins at `top` */
	struct text *out;
};

static void words_of(struct legend *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void words_of(struct legend *l, const char *format, ...)
{
	char words[160];
	va_list ap;
	va_start(ap, format);
	vsnprintf(words, sizeof words, format, ap);
	va_end(ap);
	svg_words(l->x + 34, l->y + 4, "class=\"axis\"", words, l->out);
	l->y += ROW;
	if (l->y > l->bottom) {
		l->x += 300;
		l->y = l->top;
	}
}

static void box(struct legend *l, const char *class)
{
	text_printf(l->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"24\" height=\"11\" class=\"%s\"/>", l->x, l->y - 6, class);
}

static void line(struct legend *l, const char *class)
{
	text_printf(l->out, "<path class=\"%s\" d=\"M%.1f %.1fh26\"/>", class, l->x, l->y);
}

static void disc(struct legend *l, double radius, const char *attributes)
{
	text_printf(l->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" %s/>", l->x + 12, l->y, radius, attributes);
}

static void legend_map(struct legend *l, const struct skymap *m)
{
	struct region r;
	struct err e = {0};
	if (region_of(m, &r, &e) < 0)
		return;
	box(l, "r90");
	box(l, "r50");
	words_of(l, "50 %% of the probability: %.4g deg²", r.area50_deg2);
	box(l, "r90");
	words_of(l, "90 %%: %.4g deg²", r.area90_deg2);
	words_of(l, "peak: RA %.4f°, Dec %+.4f° (ICRS)", r.ra_deg, r.dec_deg);
	if (isfinite(r.distmean_mpc))
		words_of(l, isfinite(m->distmean_mpc) && m->distmean_mpc > 0 ? "distance: %.0f ± %.0f Mpc (header)" : "distance: %.0f ± %.0f Mpc",
			r.distmean_mpc, r.diststd_mpc);
}

static void legend_moment(struct legend *l, const struct sky_moment *m)
{
	char utc[32];
	disc(l, 6, "class=\"sun\"");
	words_of(l, "Sun; grey: Moon, %% of the disc lit");
	if (m->count > 0) {
		line(l, "site");
		words_of(l, "airmass 2, +: zenith; Sun below −12°");
		if (m->count <= 2) {
			line(l, "site lit");
			words_of(l, "the same where the Sun is higher");
		} else {
			words_of(l, "grey +: zenith where the Sun is higher");
		}
		line(l, m->count <= 2 ? "horizon" : "horizon thin");
		words_of(l, m->count <= 2 ? "horizon" : "horizon, where the Sun is below −12°");
	}
	words_of(l, "all at %s", utc_format_s(utc, m->utc_us));
}

static void legend(struct legend *l, const struct sky_close_up *c, bool inset)
{
	legend_map(l, c->last);
	if (c->count > 0) {
		char attributes[64];
		snprintf(attributes, sizeof attributes, "class=\"galaxy\" fill=\"%s\"", c->galaxies[0].colour);
		disc(l, 6, attributes);
		words_of(l, "%zu galaxies, area by share; number: rank", c->count);
	}
	if (c->field_count > 0) {
		text_printf(l->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"24\" height=\"11\" class=\"field\" stroke=\"#000\"/>", l->x, l->y - 6);
		words_of(l, "%zu fields", c->field_count);
	}
	if (inset) {
		box(l, "inset");
		words_of(l, "the close-up");
	}
	line(l, "plane");
	words_of(l, "galactic plane");
	if (c->moment != NULL)
		legend_moment(l, c->moment);
}

/* Where the close-up lies on the whole sky. */
static void inset(const struct svg_sky *all, const struct svg_sky *near, struct text *out)
{
	double line[81][2];
	for (int k = 0; k <= 80; k++) {
		double t = k % 20 / 20.0, u = k / 20 % 4 == 0 ? t : k / 20 % 4 == 1 ? 1 : k / 20 % 4 == 2 ? 1 - t : 0,
		       v = k / 20 % 4 == 0 ? 0 : k / 20 % 4 == 1 ? t : k / 20 % 4 == 2 ? 1 : 1 - t;
		svg_sky_radec(near, near->x0 + u * near->width, near->y0 + v * near->height, &line[k][0], &line[k][1]);
	}
	svg_sky_line(all, (const double(*)[2])line, 81, "class=\"inset\"", out);
}

void sky_picture(const struct sky_close_up *c, const char *title, struct text *out)
{
	struct svg_sky near = {.x0 = 58, .y0 = 548, .width = 560, .height = 448};
	bool close = sky_view(c->first, c->last, &near), part = !close;
	double ra0 = near.ra0_deg, held = part ? sky_view_peak(c->last, &near) : 0;
	char about[96] = "close-up (gnomonic)";
	if (part && held >= PART_LEAST) {
		snprintf(about, sizeof about, "close-up of the peak (gnomonic): holds %.0f %% of the probability", 100 * held);
		close = true;
	}
	struct svg_sky all = {.all = true, .ra0_deg = fmod(round(ra0 / 15) * 15 + 360, 360), .x0 = 60, .y0 = TOP, .width = 880, .height = 440};
	double top = close ? near.y0 + 8 : all.y0 + all.height + 40;
	struct legend l = {close ? COLUMN : 60, top, top, close ? INFINITY : top + 3.5 * ROW, NULL};
	struct text words = {.max = 1u << 18};
	l.out = &words;
	legend(&l, c, close);
	double bottom = close ? near.y0 + near.height + 22 : top + 4 * ROW;
	svg_open(&(struct svg_picture){WIDTH, fmax(bottom, l.y) + 14, title, true}, out);
	sky_layers(c, &all, !close, out);
	if (close) {
		inset(&all, &near, out);
		sky_layers(c, &near, true, out);
	}
	text_add(out, words.data, words.len);
	text_free(&words);
	svg_words(14, all.y0 + all.height + 4, "class=\"note\"", "Mollweide, ICRS, east is left", out);
	if (close)
		svg_words(near.x0, near.y0 - 20, "class=\"note\"", about, out);
	text_puts(out, "</svg>\n");
}
