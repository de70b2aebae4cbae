/* Registers of floats, and the block that all matrix products are made of. */
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* LANES: floats in a register. A product keeps a block of ROWS x COLUMNS registers. */
#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 8, COLUMNS = 2 };
#elif defined(__AVX__)
enum { LANES = 8, ROWS = 4, COLUMNS = 2 };
#elif defined(__aarch64__)
enum { LANES = 4, ROWS = 4, COLUMNS = 4 };
#else
enum { LANES = 4, ROWS = 4, COLUMNS = 2 };
#endif
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ivec __attribute__((vector_size(4 * LANES)));
typedef float vec_in_memory __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
enum { PANEL = COLUMNS * LANES };

INLINE vec load(const float *p) { return *(const vec_in_memory *)p; }
INLINE void store(float *p, vec x) { *(vec_in_memory *)p = x; }
INLINE vec all(float x) { /* copies the bits: 0.0f + x would flush a pair (below) that is denormal */
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (vec)((ivec){0} + bits);
}

/* A bfloat16 instruction takes pairs of numbers, the two halves of a 32-bit element, and adds both
 * products to a float. Any pairing works as long as both operands use the same one: here, number k
 * of the first half of a sum is paired with number k of the second half. The code moves pairs as
 * if they were floats. */
#if defined(__AVX512BF16__)
INLINE ivec bf16(vec x) {
    return (ivec)_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)x));
}
INLINE vec pair(vec x, vec y) { return (vec)(bf16(x) | (bf16(y) << 16)); }
INLINE vec add_pairs(vec sum, vec a, vec b) {
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}
/* Transpose a square of elements by swapping blocks of 8, then of 4, 2 and 1. */
INLINE void transpose(vec square[LANES]) {
    for (int size = LANES / 2; size > 0; size /= 2) {
        ivec upper, lower;
        for (int j = 0; j < LANES; j++) {
            upper[j] = j & size ? LANES + j - size : j;
            lower[j] = j & size ? LANES + j : j + size;
        }
        for (int i = 0; i < LANES; i++) {
            if (i & size) continue;
            __m512i a = (__m512i)square[i], b = (__m512i)square[i + size];
            square[i] = (vec)_mm512_permutex2var_epi32(a, (__m512i)upper, b);
            square[i + size] = (vec)_mm512_permutex2var_epi32(a, (__m512i)lower, b);
        }
    }
}
#else /* never called: Python asks has_bf16() first */
INLINE vec pair(vec x, vec y) { return x + y; }
INLINE vec add_pairs(vec sum, vec a, vec b) { return sum + a * b; }
INLINE void transpose(vec square[LANES]) { (void)square; }
#endif

/* c = a b, or c += a b with `add`, for a block of rows x PANEL; a(i, k) = a[i row + k step]. */
INLINE void multiply_block(const int pairs, const int rows, int64_t inner, const float *a,
                           int64_t row, int64_t step, const float *b, int64_t b_row, float *c,
                           int64_t c_row, int add) {
    vec sum[ROWS][COLUMNS];
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < COLUMNS; v++)
            sum[i][v] = add ? load(c + i * c_row + v * LANES) : all(0);
    for (int64_t k = 0; k < inner; k++) {
        vec b_k[COLUMNS];
        for (int v = 0; v < COLUMNS; v++) b_k[v] = load(b + k * b_row + v * LANES);
        for (int i = 0; i < rows; i++) {
            vec a_ik = all(a[i * row + k * step]);
            for (int v = 0; v < COLUMNS; v++) {
                if (pairs)
                    sum[i][v] = add_pairs(sum[i][v], a_ik, b_k[v]);
                else
                    sum[i][v] += a_ik * b_k[v];
            }
        }
    }
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < COLUMNS; v++) store(c + i * c_row + v * LANES, sum[i][v]);
}
