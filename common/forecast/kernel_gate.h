/*
 * kernel_gate.h -- part of kernel_set.c: what becomes of a cell's gates.  With E = exp(-z) a sigmoid is 1 / (1 + E), with
 * E = exp(-2 z) a tanh is (1 - E) / (1 + E); the fractions of a cell are multiplied out, so that its c and its h cost one
 * division each.  The gates come in units of their exponents (KERNEL_GATE): exp is then 2 to a power.  Its whole part goes to the
 * bits of an exponent, its eighths to a table that a register holds, and the rest, in [-1/16, 1/16], to a polynomial of
 * degree 3 (minimax of the relative error; 1.2e-7 with rounding); without such registers, the rest in [-1/2, 1/2] to one of
 * degree 5 (1.7e-7).  Both are exactly 1 at 0, so that tanh(0) is 0.  Beyond 2^40 nothing changes any more.
 *
 * What counts is multiplications and additions fused with them, of which the sums beside it already want all there are.
 */
#ifndef FOREBAY_FORECAST_KERNEL_GATE_H
#define FOREBAY_FORECAST_KERNEL_GATE_H

#include "common/forecast/kernel.h"
#include "common/forecast/kernel_vec.h"

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__aarch64__)

/* 2^(i/8); twice, as a register may hold 16. */
static const _Alignas(64) float eighths[16] = {
	1, 1.09050775f, 1.18920708f, 1.29683959f, 1.41421354f, 1.54221082f, 1.68179286f, 1.8340081f,
	1, 1.09050775f, 1.18920708f, 1.29683959f, 1.41421354f, 1.54221082f, 1.68179286f, 1.8340081f,
};

/* Of EIGHTHS the one that the lowest three bits of I say. */
INLINE vec
vec_eighth(ivec i)
{
#if defined(__AVX512F__)
	return _mm512_permutexvar_ps((__m512i)i, _mm512_load_ps(eighths));
#elif defined(__AVX2__)
	return _mm256_permutevar8x32_ps(_mm256_load_ps(eighths), (__m256i)i);
#else
	/* Its four bytes, among the 32 that two registers hold. */
	uint8x16x2_t bytes = vld1q_u8_x2((const uint8_t *)eighths);

	return (vec)vqtbl2q_u8(bytes, (uint8x16_t)((i & 7) * 0x04040404 + 0x03020100));
#endif
}

/* 2^x = POWER * P, X in [-40, 40]; of what is no number, P is none. */
INLINE void
power_parts(vec x, vec *power, vec *p)
{
	const vec magic = vec_all(0x1.8p20f); /* added: eighths stand in the lowest bits */
	vec whole = x + magic, rest = x - (whole - magic), q;
	ivec bits = (ivec)whole;

	*power = (vec)((ivec)vec_eighth(bits) + ((bits << 20) & -(1 << 23)));
	q = vec_fma(rest, vec_all(0.0554962233f), vec_all(0.240257636f));
	q = vec_fma(rest, q, vec_all(0.693147242f));
	*p = vec_fma(rest, q, vec_all(1));
}

#else

INLINE void
power_parts(vec x, vec *power, vec *p)
{
	const vec magic = vec_all(0x1.8p23f + 127); /* added: whole ones stand there, with the bias of an exponent */
	vec whole = x + magic, rest = x - (whole - magic), q;

	*power = (vec)((ivec)whole << 23);
	q = vec_fma(rest, vec_all(0.00132647273f), vec_all(0.00967151299f));
	q = vec_fma(rest, q, vec_all(0.0555073358f));
	q = vec_fma(rest, q, vec_all(0.240222424f));
	q = vec_fma(rest, q, vec_all(0.693147004f));
	*p = vec_fma(rest, q, vec_all(1));
}

#endif

/* 1 + 2^x; of what is no number, no number. */
INLINE vec
one_and_power(vec x)
{
	vec power, p;

	power_parts(vec_max(vec_all(-40), vec_min(vec_all(40), x)), &power, &p);
	return vec_fma(power, p, vec_all(1));
}

/* sigmoid(forget) * CELL + sigmoid(in) * tanh(fresh) */
INLINE vec
gates_cell(vec in, vec forget, vec fresh, vec cell)
{
	vec i = one_and_power(in), f = one_and_power(forget), g = one_and_power(fresh), both = i * g;

	return vec_fma(cell, both, (2 - g) * f) / (both * f);
}

/* sigmoid(out) * tanh(CELL) */
INLINE vec
gates_out(vec out, vec cell)
{
	vec o = one_and_power(out), c = one_and_power(cell * (2 * KERNEL_GATE));

	return (2 - c) / (c * o);
}

#endif
