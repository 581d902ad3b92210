/* Probability against time: see progress.h. */
#include "engine/report/progress.h"
#include "engine/base/utc.h"
#include "engine/request/plan_light.h"
#include "engine/target/depth.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  720.0
#define X0     62.0
#define WIDE   630.0
#define HIGH   270.0
#define ROW    18.0
#define SIGHTS 32 /* visits to one target that are looked at */

struct seen {
	const char *target;
	double detected, identified; /* of a kilonova there */
	struct plan_known known;
	struct plan_sight sight[SIGHTS];
	size_t sights;
};

static int by_end(const void *a, const void *b)
{
	const struct progress_visit *const *x = a, *const *y = b;
	if ((*x)->end_us != (*y)->end_us)
		return (*x)->end_us < (*y)->end_us ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static bool sight_of(const struct progress_visit *v, int64_t event_us, struct plan_sight *out)
{
	int64_t middle = v->start_us + (v->end_us - v->start_us) / 2;
	const json_t *filter;
	size_t n, seen = 0;
	plan_sight_clear(out, middle);
	json_array_foreach(v->filters, n, filter) {
		int band = json_is_string(filter) ? kilonova_band_of(json_string_value(filter)) : -1;
		const json_t *limit = json_array_get(v->limit_mag, n);
		if (band < 0 || !json_is_number(limit) || !(v->distance_mpc > 0) || event_us == UTC_NONE)
			continue;
		double dust = v->ebv_mag > 0 ? v->ebv_mag * depth_dust_ratio((enum kilonova_band)band) : 0;
		plan_sight_add(out, (enum kilonova_band)band, json_number_value(limit), (double)(middle - event_us) / (double)UTC_DAY,
			5 * log10(v->distance_mpc * 1e5) + dust);
		seen++;
	}
	return seen > 0;
}

static struct seen *seen_find(struct seen *list, size_t *count, const char *target, bool *fresh)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(list[i].target, target) == 0) {
			*fresh = false;
			return &list[i];
		}
	*fresh = true;
	list[*count] = (struct seen){.target = target};
	plan_known_clear(&list[*count].known);
	return &list[(*count)++];
}

size_t progress_of(const struct progress_visit *visits, size_t count, bool all, int64_t event_us, const struct kilonova_prior *prior,
	struct progress_point *out)
{
	const struct progress_visit **order = calloc(count + 1, sizeof *order);
	struct seen *list = calloc(count + 1, sizeof *list);
	struct progress_point sum = {0};
	size_t n = 0, targets = 0;
	must_memory(order != NULL && list != NULL);
	for (size_t i = 0; i < count; i++)
		if (all || visits[i].done)
			order[n++] = &visits[i];
	qsort(order, n, sizeof *order, by_end);
	for (size_t i = 0; i < n; i++) {
		const struct progress_visit *v = order[i];
		struct plan_sight s;
		bool fresh;
		struct seen *t = seen_find(list, &targets, v->target, &fresh);
		sum.seen += fresh ? v->host : 0;
		if (t->sights < SIGHTS && sight_of(v, event_us, &s)) {
			plan_known_add(&t->known, t->sight, t->sights, &s);
			t->sight[t->sights++] = s;
			double detected = plan_detected(&t->known, prior), identified = plan_identified(&t->known, prior);
			sum.detected += v->host * (detected - t->detected);
			sum.identified += v->host * (identified - t->identified);
			t->detected = detected;
			t->identified = identified;
		}
		out[i] = sum;
		out[i].utc_us = v->end_us;
	}
	free(order);
	free(list);
	return n;
}

/* The picture -------------------------------------------------------------------------------------------------------------------- */

static const struct {
	size_t offset;
	const char *colour, *dash, *words;
} lines[] = {{offsetof(struct progress_point, seen), "#0072b2", "none", "the host was looked at"},
	{offsetof(struct progress_point, detected), "#d55e00", "7 3", "… and would have shown a kilonova (5σ)"},
	{offsetof(struct progress_point, identified), "#009e73", "2 2", "… and would be identified: two detections, a colour or a fade"}};
#define LINES (sizeof lines / sizeof lines[0])

static double value_of(const struct progress_point *p, size_t line)
{
	double v;
	memcpy(&v, (const char *)p + lines[line].offset, sizeof v);
	return v;
}

/* Steps from the first point to the end of the axis. */
static void steps(const struct svg_axis *a, double top, double most, const struct progress_point *p, size_t n, size_t line, bool done, struct text *out)
{
	text_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-dasharray=\"%s\" stroke-opacity=\"%s\" d=\"M%.1f %.1f", lines[line].colour,
		done ? "2.4" : "1.1", lines[line].dash, done ? "1" : ".8", a->x0, top + HIGH);
	for (size_t i = 0; i < n; i++)
		text_printf(out, "H%.1fV%.1f", svg_axis_x(a, p[i].utc_us), top + HIGH * (1 - value_of(&p[i], line) / most));
	text_printf(out, "H%.1f\"/>\n", a->x0 + a->width);
}

static void legend(const struct progress_chart *c, const struct progress_point *done, size_t dones, const struct progress_point *all, size_t alls,
	double y, struct text *out)
{
	char words[160];
	for (size_t k = 0; k < LINES; k++, y += ROW) {
		text_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2.2\" stroke-dasharray=\"%s\" d=\"M%g %.1fh26\"/>", lines[k].colour, lines[k].dash,
			X0, y);
		snprintf(words, sizeof words, "%s: %.3g %%", lines[k].words,
			100 * (dones > 0 ? value_of(&done[dones - 1], k) : alls > 0 ? value_of(&all[alls - 1], k) : 0));
		if (dones > 0 && alls > dones)
			snprintf(words + strlen(words), sizeof words - strlen(words), ", %.3g %% with what is to come", 100 * value_of(&all[alls - 1], k));
		svg_words(X0 + 34, y + 4, "class=\"axis\"", words, out);
	}
	if (dones == 0)
		snprintf(words, sizeof words, "of %zu visits to come; none is completed; each counts when it ends", alls);
	else if (alls == dones)
		snprintf(words, sizeof words, "%zu visits completed; each counts when it ends", dones);
	else
		snprintf(words, sizeof words, "thick: %zu visits completed; thin: with %zu to come; each counts when it ends", dones, alls - dones);
	if (alls > 0)
		svg_words(X0 + 34, y + 4, "class=\"tick\"", words, out);
	if (c->share)
		svg_words(X0 + 34, y + 4 + ROW, "class=\"tick\"", "in shares of the ranked galaxies: the chance that the catalogue lacks the host is not known", out);
	else if (isfinite(c->outside)) {
		snprintf(words, sizeof words, "the host is not in the catalogue: %.3g %%", 100 * c->outside);
		svg_words(X0 + 34, y + 4 + ROW, "class=\"tick\"", words, out);
	}
}

static void axes(const struct svg_axis *a, double top, double most, struct text *out)
{
	double step = svg_tick_step(100 * most, 5);
	char words[32];
	svg_axis_hours(a, top, top + HIGH, out);
	for (double p = 0; p <= 100 * most; p += step) {
		double y = top + HIGH * (1 - p / 100 / most);
		text_printf(out, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>", a->x0, y, a->width);
		snprintf(words, sizeof words, "%g %%", p);
		svg_words(a->x0 - 5, y + 3, "class=\"tick\" text-anchor=\"end\"", words, out);
	}
	text_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"frame\"/>\n", a->x0, top, a->width, HIGH);
	text_printf(out, "<g transform=\"translate(14 %.1f) rotate(-90)\">", top + HIGH / 2);
	svg_words(0, 0, "class=\"axis\" text-anchor=\"middle\"", "probability", out);
	text_puts(out, "</g>\n");
}

void progress_picture(const struct progress_chart *c, const char *title, bool alone, struct text *out)
{
	struct svg_axis a = {c->from_us, c->to_us, X0, WIDE};
	struct progress_point *done = calloc(c->count + 1, sizeof *done), *all = calloc(c->count + 1, sizeof *all);
	must_memory(done != NULL && all != NULL);
	size_t dones = progress_of(c->visits, c->count, false, c->event_us, c->prior, done);
	size_t alls = progress_of(c->visits, c->count, true, c->event_us, c->prior, all);
	double top = alone ? 42 : 12, most = alls > 0 && all[alls - 1].seen > 0 ? fmin(1, 1.1 * all[alls - 1].seen) : 1;
	svg_open(&(struct svg_picture){WIDTH, top + HIGH + 34 + (LINES + 2) * ROW, title, alone}, out);
	axes(&a, top, most, out);
	if (c->event_us >= c->from_us && c->event_us <= c->to_us) {
		double x = svg_axis_x(&a, c->event_us);
		text_printf(out, "<path class=\"heard\" stroke-dasharray=\"2 3\" d=\"M%.1f %.1fv%g\"/>", x, top, HIGH);
		svg_words(x + 4, top + 12, "class=\"label\"", "merger", out);
	}
	for (size_t k = 0; k < LINES; k++) {
		if (alls > dones)
			steps(&a, top, most, all, alls, k, dones == 0, out);
		if (dones > 0)
			steps(&a, top, most, done, dones, k, true, out);
	}
	if (alls == 0)
		svg_words(X0 + WIDE / 2, top + HIGH / 2, "class=\"axis\" text-anchor=\"middle\"", "no telescope was asked", out);
	legend(c, done, dones, all, alls, top + HIGH + 34, out);
	text_puts(out, "</svg>\n");
	free(done);
	free(all);
}
