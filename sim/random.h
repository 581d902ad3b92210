/* Chance for made-up skies: xoshiro256** seeded by splitmix64 (Blackman & Vigna 2021,
 * doi:10.1145/3460772). Never used by the engine. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* A stream of its own for each (seed, name): drawing more from one moves no other. */
void rng_seed(struct rng *r, uint64_t seed, const char *name);

uint64_t rng_u64(struct rng *r);
double rng_uniform(struct rng *r); /* [0, 1), 53 bits */
double rng_between(struct rng *r, double low, double high);
double rng_normal(struct rng *r);	     /* mean 0, sigma 1 (Box-Muller; one value a call) */
double rng_exponential(struct rng *r);	     /* mean 1 */
int rng_below(struct rng *r, int n);	     /* 0 … n - 1 */

/* A random direction: unit vector, uniform on the sphere. */
void rng_direction(struct rng *r, double v[3]);
#endif
