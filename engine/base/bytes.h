/* Big-endian numbers in bytes, as FITS writes them; right on any machine, and one instruction on most. */
#ifndef ENGINE_BASE_BYTES_H
#define ENGINE_BASE_BYTES_H
#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t bytes_u64(const unsigned char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return be64toh(v);
}

static inline uint32_t bytes_u32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return be32toh(v);
}

static inline double bytes_double(const unsigned char *p)
{
	uint64_t u = bytes_u64(p);
	double d;
	memcpy(&d, &u, sizeof d);
	return d;
}

static inline float bytes_float(const unsigned char *p)
{
	uint32_t u = bytes_u32(p);
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}

static inline void bytes_put_u64(unsigned char *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof v);
}

static inline void bytes_put_u32(unsigned char *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof v);
}

static inline void bytes_put_double(unsigned char *p, double d)
{
	uint64_t u;
	memcpy(&u, &d, sizeof u);
	bytes_put_u64(p, u);
}

static inline void bytes_put_float(unsigned char *p, float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	bytes_put_u32(p, u);
}
#endif
