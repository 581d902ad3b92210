/* Seeded chance: splitmix64 spreads the seed, xoshiro256** draws. */
#include "sim/random.h"
#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed, const char *name)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a of the stream's name */

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3u;
	uint64_t x = seed ^ h;
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&x);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s, five = s[1] * 5, out = ((five << 7) | (five >> 57)) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = (s[3] << 45) | (s[3] >> 19);
	return out;
}

double rng_uniform(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_between(struct rng *r, double low, double high)
{
	return low + (high - low) * rng_uniform(r);
}

double rng_normal(struct rng *r)
{
	double u = 1.0 - rng_uniform(r), v = rng_uniform(r);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double rng_exponential(struct rng *r)
{
	return -log(1.0 - rng_uniform(r));
}

int rng_below(struct rng *r, int n)
{
	return (int)(rng_uniform(r) * n);
}

void rng_direction(struct rng *r, double v[3])
{
	double z = rng_between(r, -1, 1), phi = rng_between(r, 0, 2 * M_PI), s = sqrt(1 - z * z);

	v[0] = s * cos(phi);
	v[1] = s * sin(phi);
	v[2] = z;
}
