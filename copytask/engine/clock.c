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
            /* Two loops: as one, GCC 12 computes each frequency alone. */
            for (int64_t i = 0; i < F; i++) {
                double a = keep * (cosine[i] * re[i] - sine[i] * im[i]) + (1 - keep);
                double b = keep * (sine[i] * re[i] + cosine[i] * im[i]);
                re[i] = a;
                im[i] = b;
                x[i] = (float)a;
                y[i] = (float)b;
                float norm = (float)(a * a + b * b);
                scale[i] = norm > 1e-12f ? norm : 1e-12f;
            }
            for (int64_t i = 0; i < F; i++) {
                float s = 1 / sqrtf(scale[i]);
                scale[i] = s;
                x[i] *= s;
                y[i] *= s;
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

static const float ONES[LANES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/* One step back of n <= LANES frequencies; `before` holds 1 / |z| of the step before. */
static inline void step_back(int64_t n, float keep, const float *restrict cosine,
                             const float *restrict sine, const float *restrict x,
                             const float *restrict y, const float *restrict scale,
                             const float *restrict gx, const float *restrict gy,
                             const float *restrict bx, const float *restrict by,
                             const float *restrict before, float *restrict cx, float *restrict cy,
                             float *restrict parts) {
    for (int64_t i = 0; i < n; i++) {
        float along = x[i] * gx[i] + y[i] * gy[i];
        float a = cx[i] + scale[i] * (gx[i] - x[i] * along);
        float b = cy[i] + scale[i] * (gy[i] - y[i] * along);
        float size = 1 / before[i];
        float zx = size * bx[i], zy = size * by[i];
        parts[i] += a * (cosine[i] * zx - sine[i] * zy - 1) + b * (sine[i] * zx + cosine[i] * zy);
        cx[i] = keep * (cosine[i] * a + sine[i] * b);
        cy[i] = keep * (cosine[i] * b - sine[i] * a);
    }
}

/* `carry` holds the gradients of the last z and becomes those of z0; `grad_f` is filled. */
void clock_backward(int64_t steps, int64_t rows, int64_t frequencies, const float *restrict cosine,
                    const float *restrict sine, const float *f, const float *z0,
                    const float *restrict phases, const float *restrict inverse,
                    const float *restrict grad, float *restrict carry, float *restrict grad_f) {
    const int64_t F = frequencies, whole = F - F % LANES;
    for (int64_t row = 0; row < rows; row++) {
        float *cx = carry + row * 2 * F, *cy = cx + F;
        for (int64_t t = steps - 1; t >= 0; t--) {
            const float keep = f[t * rows + row];
            const float *x = phases + (t * rows + row) * 2 * F, *y = x + F;
            const float *scale = inverse + (t * rows + row) * F;
            const float *gx = grad + (t * rows + row) * 2 * F, *gy = gx + F;
            const float *bx = t ? x - rows * 2 * F : z0 + row * 2 * F, *by = bx + F;
            const float *before = t ? scale - rows * F : ONES;
            const int64_t next = t ? 1 : 0; /* z0 is not scaled */
            float parts[LANES] = {0}, sum = 0;
            for (int64_t i = 0; i < whole; i += LANES)
                step_back(LANES, keep, cosine + i, sine + i, x + i, y + i, scale + i, gx + i,
                          gy + i, bx + i, by + i, before + next * i, cx + i, cy + i, parts);
            step_back(F - whole, keep, cosine + whole, sine + whole, x + whole, y + whole,
                      scale + whole, gx + whole, gy + whole, bx + whole, by + whole,
                      before + next * whole, cx + whole, cy + whole, parts);
            for (int64_t i = 0; i < LANES; i++)
                sum += parts[i];
            grad_f[t * rows + row] = sum;
        }
    }
}
