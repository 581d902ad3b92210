/* A night's beginning, told to a core in a box: an alert is believed, its map read, galaxies ranked and planned, offers taken. */
#ifndef TESTS_LIB_TALE_H
#define TESTS_LIB_TALE_H
#include "box.h"

void tale_map(struct box *b, double area90_deg2);
void tale_ranked(struct box *b, int targets);                 /* G0|0, G1|1 … */
void tale_planned(struct box *b, int from, int targets, int facilities); /* one request each; of the second facility: in reserve */
void tale_offers(struct box *b, int seconds);                 /* all that wait are taken */
void tale_accept(struct box *b, int64_t submit);              /* the portal's number is the effect's */
/* Configured (policy: as of box_config), routine calls answered, S230518h believed, its targets ranked and planned. */
void tale_begin(struct box *b, const char *policy, int targets, int facilities);
/* States of all requests by id: "asked,held". */
extern const char tale_states[];
#endif
