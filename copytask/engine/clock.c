/* The clock z_t = f_t e^{iw} z_{t-1} + (1 - f_t) over L steps of B rows of F frequencies, its phases
 * z / |z|, and its way back.
 *
 * A row has F real parts, then F imaginary ones; f has one number a row. The state is kept in float64,
 * in `scratch`, since rounding errors of an angle add up over the steps. */
#include <math.h>
#include <stdint.h>

/* `inverse` is filled with 1 / |z|, L x B x F, and `last` with the last z. */
void clock_forward(int64_t steps, int64_t rows, int64_t frequencies, const double *restrict cosine,
                   const double *restrict sine, const float *f, const float *z0,
                   float *restrict phases, float *restrict inverse, float *restrict last,
                   double *restrict scratch) {
    const int64_t F = frequencies;
    double *restrict re = scratch, *restrict im = scratch + F;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t i = 0; i < F; i++) {
            re[i] = z0[row * 2 * F + i];
            im[i] = z0[row * 2 * F + F + i];
        }
        for (int64_t t = 0; t < steps; t++) {
            const double keep = f[t * rows + row];
            float *restrict x = phases + (t * rows + row) * 2 * F, *restrict y = x + F;
            float *restrict scale = inverse + (t * rows + row) * F;
            for (int64_t i = 0; i < F; i++) {
                double a = keep * (cosine[i] * re[i] - sine[i] * im[i]) + (1 - keep);
                double b = keep * (sine[i] * re[i] + cosine[i] * im[i]);
                re[i] = a;
                im[i] = b;
                float norm = (float)(a * a + b * b);
                float s = 1 / sqrtf(norm > 1e-12f ? norm : 1e-12f);
                scale[i] = s;
                x[i] = (float)a * s;
                y[i] = (float)b * s;
            }
        }
        for (int64_t i = 0; i < F; i++) {
            last[row * 2 * F + i] = (float)re[i];
            last[row * 2 * F + F + i] = (float)im[i];
        }
    }
}

/* The compiler may not reorder a sum of floats, so it is kept in LANES parts. */
enum { LANES = 16 };

/* `carry` holds the gradients of the last z and becomes those of z0; `grad_f` is filled. */
void clock_backward(int64_t steps, int64_t rows, int64_t frequencies, const float *restrict cosine,
                    const float *restrict sine, const float *f, const float *z0,
                    const float *restrict phases, const float *restrict inverse,
                    const float *restrict grad, float *restrict carry, float *restrict grad_f) {
    const int64_t F = frequencies;
    for (int64_t row = 0; row < rows; row++) {
        float *restrict cx = carry + row * 2 * F, *restrict cy = cx + F;
        for (int64_t t = steps - 1; t >= 0; t--) {
            const float keep = f[t * rows + row];
            const float *x = phases + (t * rows + row) * 2 * F, *y = x + F;
            const float *scale = inverse + (t * rows + row) * F;
            const float *gx = grad + (t * rows + row) * 2 * F, *gy = gx + F;
            const float *bx = t ? x - rows * 2 * F : z0 + row * 2 * F, *by = bx + F;
            const float *before = scale - rows * F; /* not read at t = 0 */
            float parts[LANES] = {0}, sum = 0;
            for (int64_t start = 0; start < F; start += LANES) {
                const int64_t end = start + LANES < F ? start + LANES : F;
                for (int64_t i = start; i < end; i++) {
                    float along = x[i] * gx[i] + y[i] * gy[i];
                    float a = cx[i] + scale[i] * (gx[i] - x[i] * along);
                    float b = cy[i] + scale[i] * (gy[i] - y[i] * along);
                    float size = t ? 1 / before[i] : 1;
                    float zx = size * bx[i], zy = size * by[i];
                    parts[i - start] += a * (cosine[i] * zx - sine[i] * zy - 1) +
                                        b * (sine[i] * zx + cosine[i] * zy);
                    cx[i] = keep * (cosine[i] * a + sine[i] * b);
                    cy[i] = keep * (cosine[i] * b - sine[i] * a);
                }
            }
            for (int64_t i = 0; i < LANES; i++)
                sum += parts[i];
            grad_f[t * rows + row] = sum;
        }
    }
}
