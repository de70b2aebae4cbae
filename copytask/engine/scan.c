/* Linear scans over L steps of N rows, and their way back. A step's rows are contiguous. */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

/* h_t = a_t * h_{t-1} + b_t with D channels; `a` has D numbers a row, or one for all of a row. */
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
INLINE float dot_and_carry(int64_t channels, float f, const float *restrict x,
                           const float *restrict g, float *restrict b, float *restrict c) {
    float parts[LANES] = {0}, sum = 0;
    int64_t d = 0;
    for (; d + LANES <= channels; d += LANES)
        for (int64_t i = 0; i < LANES; i++) {
            float total = g[d + i] + c[d + i];
            b[d + i] = total;
            c[d + i] = f * total;
            parts[i] += total * x[d + i];
        }
    for (; d < channels; d++) {
        float total = g[d] + c[d];
        b[d] = total;
        c[d] = f * total;
        sum += total * x[d];
    }
    for (int64_t i = 0; i < LANES; i++)
        sum += parts[i];
    return sum;
}

/* Fills the gradients of `a` and `b` from those of all h; `carry` starts as zeros and ends as the
 * gradient of h0. */
INLINE void backward(const int64_t shared, int64_t steps, int64_t rows, int64_t channels,
                     const float *restrict a, const float *h0, const float *restrict h,
                     const float *restrict grad, float *restrict grad_b, float *restrict grad_a,
                     float *restrict carry) {
    const int64_t width = rows * channels, a_width = shared ? rows : width;
    for (int64_t t = steps - 1; t >= 0; t--) {
        const float *before = t ? h + (t - 1) * width : h0;
        for (int64_t r = 0; r < rows; r++) {
            const float *f = shared ? a + t * a_width + r : a + t * a_width + r * channels;
            const float *x = before + r * channels;
            const float *g = grad + t * width + r * channels;
            float *b = grad_b + t * width + r * channels, *c = carry + r * channels;
            float *ga = shared ? grad_a + t * a_width + r : grad_a + t * a_width + r * channels;
            if (shared)
                *ga = dot_and_carry(channels, *f, x, g, b, c);
            else
                for (int64_t d = 0; d < channels; d++) {
                    float total = g[d] + c[d];
                    b[d] = total;
                    c[d] = f[d] * total;
                    ga[d] = total * x[d];
                }
        }
    }
}

void scan_backward(int64_t shared, int64_t steps, int64_t rows, int64_t channels, const float *a,
                   const float *h0, const float *h, const float *grad, float *grad_b, float *grad_a,
                   float *carry) {
    if (shared)
        backward(1, steps, rows, channels, a, h0, h, grad, grad_b, grad_a, carry);
    else
        backward(0, steps, rows, channels, a, h0, h, grad, grad_b, grad_a, carry);
}

/* h_t = a * h_{t-1} + b_t, complex, with one `a` for all steps and rows; D units, of which a row has
 * first the real parts, then the imaginary ones. */
void complex_scan_forward(int64_t steps, int64_t rows, int64_t units, const float *restrict a,
                          const float *restrict b, const float *h0, float *restrict h) {
    const float *before = h0, *ar = a, *ai = a + units;
    const int64_t width = 2 * rows * units;
    for (int64_t t = 0; t < steps; t++) {
        for (int64_t r = 0; r < rows; r++) {
            const float *xr = before + 2 * r * units, *xi = xr + units;
            const float *br = b + t * width + 2 * r * units, *bi = br + units;
            float *hr = h + t * width + 2 * r * units, *hi = hr + units;
            for (int64_t d = 0; d < units; d++) {
                hr[d] = ar[d] * xr[d] - ai[d] * xi[d] + br[d];
                hi[d] = ai[d] * xr[d] + ar[d] * xi[d] + bi[d];
            }
        }
        before = h + t * width;
    }
}

/* Fills the gradients of `b`, and adds to those of `a`: `part` sums the rows of one step in float,
 * `grad_a` the steps in double. `carry` starts as zeros and ends as the gradient of h0. */
void complex_scan_backward(int64_t steps, int64_t rows, int64_t units, const float *restrict a,
                           const float *h0, const float *restrict h, const float *restrict grad,
                           float *restrict grad_b, double *restrict grad_a, float *restrict part,
                           float *restrict carry) {
    const float *ar = a, *ai = a + units;
    const int64_t width = 2 * rows * units;
    for (int64_t t = steps - 1; t >= 0; t--) {
        const float *before = t ? h + (t - 1) * width : h0;
        for (int64_t d = 0; d < 2 * units; d++)
            part[d] = 0;
        for (int64_t r = 0; r < rows; r++) {
            const int64_t row = 2 * r * units;
            const float *xr = before + row, *xi = xr + units;
            const float *gr = grad + t * width + row, *gi = gr + units;
            float *br = grad_b + t * width + row, *bi = br + units;
            float *cr = carry + row, *ci = cr + units;
            for (int64_t d = 0; d < units; d++) {
                float tr = gr[d] + cr[d], ti = gi[d] + ci[d];
                br[d] = tr;
                bi[d] = ti;
                cr[d] = ar[d] * tr + ai[d] * ti;
                ci[d] = ar[d] * ti - ai[d] * tr;
                part[d] += tr * xr[d] + ti * xi[d];
                part[units + d] += ti * xr[d] - tr * xi[d];
            }
        }
        for (int64_t d = 0; d < 2 * units; d++)
            grad_a[d] += part[d];
    }
}
