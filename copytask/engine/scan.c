/* The linear scan h_t = a_t * h_{t-1} + b_t over L steps of N rows of D channels, and its way back.
 *
 * A step's rows are contiguous. `a` has D numbers a row, or one for all channels of a row. */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

INLINE void forward(const int64_t shared, int64_t steps, int64_t rows, int64_t channels,
                    const float *restrict a, const float *restrict b, const float *h0,
                    float *restrict h) {
    const int64_t width = rows * channels, a_width = shared ? rows : width;
    const float *before = h0;
    for (int64_t t = 0; t < steps; t++) {
        for (int64_t r = 0; r < rows; r++) {
            const float *x = before + r * channels, *y = b + t * width + r * channels;
            const float *f = shared ? a + t * a_width + r : a + t * a_width + r * channels;
            float *out = h + t * width + r * channels;
            for (int64_t d = 0; d < channels; d++)
                out[d] = f[shared ? 0 : d] * x[d] + y[d];
        }
        before = h + t * width;
    }
}

void scan_forward(int64_t shared, int64_t steps, int64_t rows, int64_t channels, const float *a,
                  const float *b, const float *h0, float *h) {
    if (shared)
        forward(1, steps, rows, channels, a, b, h0, h);
    else
        forward(0, steps, rows, channels, a, b, h0, h);
}

/* One row whose channels share the factor f; returns its gradient. The compiler may not reorder a
 * sum of floats, so it is kept in LANES parts. */
enum { LANES = 16 };
INLINE float dot_and_carry(int64_t channels, float f, const float *restrict x, float *restrict g,
                           float *restrict c) {
    float parts[LANES] = {0}, sum = 0;
    int64_t d = 0;
    for (; d + LANES <= channels; d += LANES)
        for (int64_t i = 0; i < LANES; i++) {
            float total = g[d + i] + c[d + i];
            g[d + i] = total;
            c[d + i] = f * total;
            parts[i] += total * x[d + i];
        }
    for (; d < channels; d++) {
        float total = g[d] + c[d];
        g[d] = total;
        c[d] = f * total;
        sum += total * x[d];
    }
    for (int64_t i = 0; i < LANES; i++)
        sum += parts[i];
    return sum;
}

/* `grad` holds the gradients of all h, and becomes those of b; `carry` starts with that of the last
 * h beyond the outputs (zeros) and ends as that of h0. */
INLINE void backward(const int64_t shared, int64_t steps, int64_t rows, int64_t channels,
                     const float *restrict a, const float *h0, const float *restrict h,
                     float *restrict grad, float *restrict grad_a, float *restrict carry) {
    const int64_t width = rows * channels, a_width = shared ? rows : width;
    for (int64_t t = steps - 1; t >= 0; t--) {
        const float *before = t ? h + (t - 1) * width : h0;
        for (int64_t r = 0; r < rows; r++) {
            const float *f = shared ? a + t * a_width + r : a + t * a_width + r * channels;
            const float *x = before + r * channels;
            float *g = grad + t * width + r * channels, *c = carry + r * channels;
            float *ga = shared ? grad_a + t * a_width + r : grad_a + t * a_width + r * channels;
            if (shared)
                *ga = dot_and_carry(channels, *f, x, g, c);
            else
                for (int64_t d = 0; d < channels; d++) {
                    float total = g[d] + c[d];
                    g[d] = total;
                    c[d] = f[d] * total;
                    ga[d] = total * x[d];
                }
        }
    }
}

void scan_backward(int64_t shared, int64_t steps, int64_t rows, int64_t channels, const float *a,
                   const float *h0, const float *h, float *grad, float *grad_a, float *carry) {
    if (shared)
        backward(1, steps, rows, channels, a, h0, h, grad, grad_a, carry);
    else
        backward(0, steps, rows, channels, a, h0, h, grad, grad_a, carry);
}
