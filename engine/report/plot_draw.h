/* What the plots share: the frame, text, time axes and labels that keep out of each other's way. Only plot*.c use it. */
#ifndef ENGINE_REPORT_PLOT_DRAW_H
#define ENGINE_REPORT_PLOT_DRAW_H
#include "engine/report/plot.h"

/* Okabe and Ito's colours, and greys. */
#define PLOT_BLUE "#0072B2"
#define PLOT_SKY_BLUE "#56B4E9"
#define PLOT_GREEN "#009E73"
#define PLOT_ORANGE "#E69F00"
#define PLOT_RED "#D55E00"
#define PLOT_PURPLE "#CC79A7"
#define PLOT_INK "#222222"
#define PLOT_GREY "#666666"
#define PLOT_LINE "#CCCCCC"

struct plot_box {
	double x, y, w, h;
};
struct plot_labels {
	struct plot_box within;     /* labels stay inside */
	struct plot_box box[PLOT_LABELS];
	size_t count;
};
struct plot_point {
	double x, y, gap;           /* gap: how far labels keep away */
};
/* true when the box is free (and is then taken). */
bool plot_take(struct plot_labels *l, struct plot_box b);
/* Puts s beside the point where it is free; false when it was left out. */
bool plot_label(struct text *out, struct plot_labels *l, struct plot_point at, const char *s);

void plot_begin(struct text *out, const char *title, double width, double height);
void plot_end(struct text *out);
/* How words look. anchor: "start", "middle", "end"; all three string literals. */
#define PLOT_WORDS(anchor, size, colour) "text-anchor=\"" anchor "\" font-size=\"" size "\" fill=\"" colour "\""
/* style: PLOT_WORDS. At most 120 characters are drawn. */
void plot_text(struct text *out, double x, double y, const char *style, const char *s);
void plot_line(struct text *out, double x1, double y1, double x2, double y2, const char *style);
void plot_rect(struct text *out, struct plot_box b, const char *style);
/* The first `chars` characters of s (UTF-8), with … where it was cut. Returns out. */
char *plot_cut(char *out, size_t size, const char *s, size_t chars);
double plot_text_width(const char *s, double size); /* estimate, on the wide side */

/* Time axis: round step that gives at most `most` ticks, the first tick at or after start, and a tick's words. */
int64_t plot_time_step(int64_t span_us, int most);
int64_t plot_time_first(int64_t start_us, int64_t step_us);
char *plot_time_word(char out[32], int64_t utc_us, int64_t step_us);
#endif
