/* Exponentials of registers of floats. */
#pragma once
#include "products.h"

INLINE vec clamp(vec x, float low, float high) {
    ivec below = x < low, above = x > high; /* both false for NaN, which stays NaN */
    ivec inside = ~(below | above);
    return (vec)(((ivec)x & inside) | ((ivec)all(low) & below) | ((ivec)all(high) & above));
}

/* exp(x) = scale (1 + p), to about one unit in the last place, x in [-87, 87]: x = n ln 2 + r,
 * scale = 2^n, and p is the Taylor series of exp(r) - 1 up to r^7. */
INLINE vec exp_parts(vec x, vec *scale) {
    x = clamp(x, -87.0f, 87.0f);
    const float round = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    vec shifted = x * 1.44269504f + round;
    vec n = shifted - round;
    vec r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    vec p = all(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    *scale = (vec)(((ivec)shifted - (ivec)all(round) + 127) << 23);
    return p * (r * r) + r;
}

INLINE vec exp_(vec x) {
    vec scale, p = exp_parts(x, &scale);
    return p * scale + scale;
}

INLINE vec expm1_(vec x) {
    vec scale, p = exp_parts(x, &scale);
    return p * scale + (scale - 1.0f);
}
