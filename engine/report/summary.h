/* The few lines that a chat channel wants first of an LVK alert: the text of the SCiMMA alert bot, field by field (scimma/slackbot: alerts.py). */
#ifndef ENGINE_REPORT_SUMMARY_H
#define ENGINE_REPORT_SUMMARY_H
#include "engine/alert/alert.h"
#include "engine/base/text.h"

/* What the sky map adds: luminosity distance in Mpc (mean and deviation, as in its header), area in deg²; NaN: unknown. */
struct summary_map {
	double distmean_mpc, diststd_mpc, area90_deg2;
};

/* The bot's text, lines ended by \n; where the bot has nothing, or would fail, it says "unknown". A retraction is one sentence. */
void summary_text(struct text *out, const struct alert *a, const struct summary_map *map);

/* Below it, what the bot leaves out and a person asks next: area, delay, significance, joint detection, signs of a test. Each line only when known. */
void summary_more(struct text *out, const struct alert *a, const struct summary_map *map);

/* The channels that it would go to, by the bot's cuts: none for a test (an id that does not begin with S, a topic for tests …). Array of strings, new
 * reference. A retraction goes to the event's own channel alone. */
json_t *summary_channels(const struct alert *a);
#endif
