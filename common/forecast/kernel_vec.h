/*
 * kernel_vec.h -- part of kernel_set.c: one vector of floats, as wide as the set has it, and what is done with it.  All of it
 * is exact arithmetic of IEEE 754 with the same operations in every set that has FMA, so that the bits do not depend on the width.
 */
#ifndef FOREBAY_FORECAST_KERNEL_VEC_H
#define FOREBAY_FORECAST_KERNEL_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

#if defined(__AVX512F__)
#define VEC_BYTES 64
#elif defined(__AVX2__)
#define VEC_BYTES 32
#else
#define VEC_BYTES 16
#endif
#define VEC (VEC_BYTES / 4) /* floats */

typedef float vec __attribute__((vector_size(VEC_BYTES)));
typedef int32_t ivec __attribute__((vector_size(VEC_BYTES)));

INLINE vec
vec_load(const float *p)
{
	vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

INLINE void
vec_store(float *p, vec v)
{
	memcpy(p, &v, sizeof(v));
}

/* min and max give B where either is no number. */
#if defined(__AVX512F__)
INLINE vec
vec_all(float x)
{
	return _mm512_set1_ps(x);
}

INLINE vec
vec_fma(vec a, vec b, vec c)
{
	return _mm512_fmadd_ps(a, b, c);
}

INLINE vec
vec_min(vec a, vec b)
{
	return _mm512_min_ps(a, b);
}

INLINE vec
vec_max(vec a, vec b)
{
	return _mm512_max_ps(a, b);
}

INLINE vec
vec_sqrt(vec a)
{
	return _mm512_sqrt_ps(a);
}
#elif defined(__AVX2__)
INLINE vec
vec_all(float x)
{
	return _mm256_set1_ps(x);
}

INLINE vec
vec_fma(vec a, vec b, vec c)
{
	return _mm256_fmadd_ps(a, b, c);
}

INLINE vec
vec_min(vec a, vec b)
{
	return _mm256_min_ps(a, b);
}

INLINE vec
vec_max(vec a, vec b)
{
	return _mm256_max_ps(a, b);
}

INLINE vec
vec_sqrt(vec a)
{
	return _mm256_sqrt_ps(a);
}
#else
INLINE vec
vec_all(float x)
{
	return (vec){ x, x, x, x };
}

INLINE vec
vec_fma(vec a, vec b, vec c)
{
#if defined(__aarch64__)
	return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
	return a * b + c;
#endif
}

INLINE vec
vec_min(vec a, vec b)
{
	ivec less = a < b;

	return (vec)((less & (ivec)a) | (~less & (ivec)b));
}

INLINE vec
vec_max(vec a, vec b)
{
	ivec more = a > b;

	return (vec)((more & (ivec)a) | (~more & (ivec)b));
}

INLINE vec
vec_sqrt(vec a)
{
	for (size_t i = 0; i < VEC; i++)
		a[i] = __builtin_sqrtf(a[i]);
	return a;
}
#endif

INLINE vec
vec_abs(vec a)
{
	return (vec)((ivec)a & INT32_MAX);
}

/* ---- functions: polynomials fitted for these ranges by weighted least squares, to about 1e-8 before rounding ---- */

/* tanh(x) = N / D; both finite, D in [1, 420]. */
INLINE void
vec_tanh_parts(vec x, vec *n, vec *d)
{
	vec y = vec_max(vec_all(-9), vec_min(vec_all(9), x)), s = y * y, p, q;

	p = vec_fma(s, vec_all(1.31842373e-08f), vec_all(2.04718408e-05f));
	q = vec_fma(s, vec_all(7.70266916e-07f), vec_all(3.27138644e-04f));
	p = vec_fma(s, p, vec_all(3.48658255e-03f));
	q = vec_fma(s, q, vec_all(2.58419817e-02f));
	p = vec_fma(s, p, vec_all(1.33731983e-01f));
	q = vec_fma(s, q, vec_all(4.67064951e-01f));
	p = vec_fma(s, p, vec_all(9.99999906e-01f));
	*n = y * p;
	*d = vec_fma(s, q, vec_all(1));
}

INLINE vec
vec_tanh(vec x)
{
	vec n, d;

	vec_tanh_parts(x, &n, &d);
	return vec_max(vec_all(-1), vec_min(vec_all(1), n / d));
}

INLINE vec
vec_sigmoid(vec x)
{
	return vec_fma(vec_all(0.5f), vec_tanh(x * 0.5f), vec_all(0.5f));
}

/* exp(x) = S * (1 + P), S a power of two; X in [-87, 87]. */
INLINE void
vec_exp_parts(vec x, vec *s, vec *p)
{
	const vec magic = vec_all(0x1.8p23f);
	vec n = vec_fma(x, vec_all(1.44269504f), magic) - magic, r, q;

	r = vec_fma(n, vec_all(-0.693359375f), x);
	r = vec_fma(n, vec_all(2.12194440e-4f), r);
	q = vec_fma(r, vec_all(0.00138825178f), vec_all(0.00836653817f));
	q = vec_fma(r, q, vec_all(0.0416672004f));
	q = vec_fma(r, q, vec_all(0.166665435f));
	q = vec_fma(r, q, vec_all(0.499999982f));
	*p = vec_fma(r * r, q, r);
	*s = (vec)((__builtin_convertvector(n, ivec) + 127) << 23);
}

/* exp(x) - 1, good also near 0; X in [-87, 87]. */
INLINE vec
vec_expm1(vec x)
{
	vec s, p;

	vec_exp_parts(x, &s, &p);
	return vec_fma(s, p, s - 1);
}

/* ln(x) of a normal positive number. */
INLINE vec
vec_log(vec x)
{
	ivec e = ((ivec)x - 0x3f3504f3) >> 23;
	vec f = (vec)((ivec)x - (e << 23)) - 1, n = __builtin_convertvector(e, vec), q;

	q = vec_fma(f, vec_all(-0.076344882f), vec_all(0.127615737f));
	q = vec_fma(f, q, vec_all(-0.13160184f));
	q = vec_fma(f, q, vec_all(0.142017586f));
	q = vec_fma(f, q, vec_all(-0.166233572f));
	q = vec_fma(f, q, vec_all(0.200012269f));
	q = vec_fma(f, q, vec_all(-0.25000821f));
	q = vec_fma(f, q, vec_all(0.333333317f));
	q = vec_fma(f, q, vec_all(-0.5f));
	q = vec_fma(n, vec_all(-2.12194440e-4f), f * f * q);
	return vec_fma(n, vec_all(0.693359375f), f + q);
}

/* ln(1 + exp(x)), with the relative precision of a float also where it is tiny. */
INLINE vec
vec_softplus(vec x)
{
	vec s, p, e, u;

	vec_exp_parts(vec_max(vec_all(-87), -vec_abs(x)), &s, &p);
	e = vec_fma(s, p, s);
	u = e + 1;
	return vec_max(vec_all(0), x) + (vec_log(u) + (e - (u - 1)) / u);
}

/* cos of a whole turn times V in [-0.5, 0.5]. */
INLINE vec
vec_cos_turn(vec v)
{
	vec y = 0.25f - vec_abs(v), z = y * y, q;

	q = vec_fma(z, vec_all(-14.3813906f), vec_all(42.0077971f));
	q = vec_fma(z, q, vec_all(-76.7041703f));
	q = vec_fma(z, q, vec_all(81.6052237f));
	q = vec_fma(z, q, vec_all(-41.3417021f));
	q = vec_fma(z, q, vec_all(6.28318531f));
	return y * q;
}

#endif
