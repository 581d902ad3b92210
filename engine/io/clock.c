/* Reads the clocks of the host and turns them into sky time and ticks: see clock.h. */
#include "engine/io/clock.h"
#include "engine/base/utc.h"
#include <time.h>

#define STEP_US (2 * UTC_SECOND)

static int64_t read_us(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * UTC_SECOND + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

void clock_real(struct clock *c, int64_t last_tick_us)
{
	*c = (struct clock){.rate = 1, .tick_base_us = last_tick_us, .boot_base_us = clock_boot_us()};
}

void clock_virtual(struct clock *c, int64_t start_us, int64_t anchor_wall_us, double rate, int64_t last_tick_us)
{
	int64_t boot = clock_boot_us();
	*c = (struct clock){.made_up = true, .rate = rate, .start_us = start_us, .tick_base_us = last_tick_us, .boot_base_us = boot};
	c->anchor_boot_us = boot - (clock_wall_us() - anchor_wall_us);
}

int64_t clock_utc_us(const struct clock *c)
{
	if (!c->made_up)
		return clock_wall_us();
	return c->start_us + (int64_t)((double)(clock_boot_us() - c->anchor_boot_us) * c->rate);
}

int64_t clock_tick_us(const struct clock *c)
{
	return c->tick_base_us + (int64_t)((double)(clock_boot_us() - c->boot_base_us) * c->rate);
}

/* Wall ms from now to due, rounded up so that an alarm never rings early. */
static int64_t wait_ms(int64_t due_us, int64_t now_us, double rate)
{
	if (due_us <= now_us)
		return 0;
	double ms = (double)(due_us - now_us) / rate / 1000.0;
	return ms > 3600e3 ? 3600000 : (int64_t)ms + 1;
}

int64_t clock_wait_ms(const struct clock *c, int64_t due_utc_us, int64_t due_tick_us)
{
	int64_t best = -1;
	if (due_utc_us != INT64_MAX)
		best = wait_ms(due_utc_us, clock_utc_us(c), c->rate);
	if (due_tick_us != INT64_MAX) {
		int64_t other = wait_ms(due_tick_us, clock_tick_us(c), c->rate);
		best = best < 0 || other < best ? other : best;
	}
	return best;
}

int64_t clock_step_us(const struct clock *c, struct clock_watch *w)
{
	int64_t wall = clock_wall_us(), boot = clock_boot_us(), step = 0;
	if (w->boot_us != 0 && !c->made_up) {
		step = (wall - w->wall_us) - (boot - w->boot_us);
		if (step <= STEP_US && step >= -STEP_US)
			step = 0;
	}
	*w = (struct clock_watch){wall, boot};
	return step;
}
