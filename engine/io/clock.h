/* The only place that reads a clock: sky time (real, or a virtual night), the tick for delays, and wall steps. */
#ifndef ENGINE_IO_CLOCK_H
#define ENGINE_IO_CLOCK_H
#include <stdbool.h>
#include <stdint.h>

/* Set once before threads start, then read-only: every thread may ask it. Rates are sky seconds per wall second. */
struct clock {
	bool made_up;           /* a virtual night: sky = start + rate · (time since the anchor) */
	double rate;
	int64_t start_us, anchor_boot_us;
	int64_t tick_base_us, boot_base_us; /* tick goes on from the last input's; downtime adds nothing */
};

int64_t clock_wall_us(void); /* CLOCK_REALTIME */
int64_t clock_boot_us(void); /* CLOCK_BOOTTIME: never steps, counts a suspend */

void clock_real(struct clock *c, int64_t last_tick_us);
/* anchor_wall_us: the wall moment at which the sky shows start_us; a wall step after this call does not move the night. */
void clock_virtual(struct clock *c, int64_t start_us, int64_t anchor_wall_us, double rate, int64_t last_tick_us);

int64_t clock_utc_us(const struct clock *c);
int64_t clock_tick_us(const struct clock *c);

/* Wall milliseconds until the earlier of the two moments (INT64_MAX: none): 0 when it is past, -1 when there is none, ≤ one hour. */
int64_t clock_wait_ms(const struct clock *c, int64_t due_utc_us, int64_t due_tick_us);

/* Zero-initialise; every call compares wall and boot time with those of the last call. Sky microseconds of a step of more than 2 s
 * of wall time, else 0. A virtual night never steps. */
struct clock_watch {
	int64_t wall_us, boot_us;
};
int64_t clock_step_us(const struct clock *c, struct clock_watch *w);
#endif
