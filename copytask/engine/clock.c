/* The clock z_t = f_t e^{iw} z_{t-1} + (1 - f_t) over L steps of B rows of F frequencies, its phases
 * z / |z|, and its way back.
 *
 * A row has F real parts, then F imaginary ones; f has one number a row. */
#include "clock.h"

#include <math.h>

int64_t turns_size(int64_t frequencies) { return 3 * TURNS * frequencies; }

Turns make_turns(int64_t steps, int64_t frequencies, const double *cosine, const double *sine,
                 double *memory) {
    const int64_t F = frequencies, turns = steps < TURNS ? steps : TURNS;
    double *exact = memory;
    float *rounded = (float *)(memory + 2 * TURNS * F);
    for (int64_t i = 0; i < F; i++) {
        double re = 1, im = 0;
        for (int64_t t = 0; t < turns; t++) {
            double turned = cosine[i] * re - sine[i] * im;
            im = sine[i] * re + cosine[i] * im;
            re = turned;
            exact[t * 2 * F + i] = re;
            exact[t * 2 * F + F + i] = im;
        }
    }
    for (int64_t i = 0; i < 2 * turns * F; i++)
        rounded[i] = (float)exact[i];
    return (Turns){exact, rounded};
}

/* A step of y, and the phases and 1 / |z| that it gives. Two loops: as one, GCC 12 computes each
 * frequency alone. */
static void step(int64_t frequencies, float keep, const float *restrict cosine,
                 const float *restrict sine, float *restrict yx, float *restrict yy,
                 float *restrict px, float *restrict py, float *restrict scale) {
    const float let = 1 - keep;
    for (int64_t i = 0; i < frequencies; i++) {
        float a = keep * yx[i] + let * cosine[i], b = keep * yy[i] - let * sine[i];
        float norm = a * a + b * b;
        yx[i] = a;
        yy[i] = b;
        scale[i] = norm > 1e-12f ? norm : 1e-12f;
    }
    for (int64_t i = 0; i < frequencies; i++) {
        float size = 1 / sqrtf(scale[i]);
        scale[i] = size;
        px[i] = size * (cosine[i] * yx[i] - sine[i] * yy[i]);
        py[i] = size * (sine[i] * yx[i] + cosine[i] * yy[i]);
    }
}

/* In a frame that turns with the clock the recurrence is real: y_t = e^{-iwt} z_t. So floats are
 * enough: what they round stays as it is, where the angles of a thousand turns would add up. What y
 * lacks of the z that it begins from is added in the end. */
void run_clock(int64_t steps, int64_t frequencies, Turns turns, const float *f, int64_t f_step,
               double *z, float *phases, int64_t row, float *inverse, int64_t inverse_row, float *y) {
    const int64_t F = frequencies;
    double kept = 1;
    for (int64_t i = 0; i < 2 * F; i++)
        y[i] = (float)z[i];
    for (int64_t t = 0; t < steps; t++) {
        const float *c = turns.rounded + t * 2 * F;
        float *x = phases + t * row;
        kept *= f[t * f_step];
        step(F, f[t * f_step], c, c + F, y, y + F, x, x + F, inverse + t * inverse_row);
    }
    const double *c = turns.exact + (steps - 1) * 2 * F, *s = c + F;
    double *re = z, *im = z + F;
    for (int64_t i = 0; i < F; i++) {
        double a = y[i] + kept * (re[i] - (float)re[i]);
        double b = y[F + i] + kept * (im[i] - (float)im[i]);
        re[i] = c[i] * a - s[i] * b;
        im[i] = s[i] * a + c[i] * b;
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

void run_clock_back(int64_t steps, int64_t frequencies, const float *cosine, const float *sine,
                    const float *f, int64_t f_step, const float *z0, const float *phases,
                    int64_t row, const float *inverse, int64_t inverse_row, const float *grad,
                    float *carry, float *grad_f) {
    const int64_t F = frequencies, whole = F - F % LANES;
    float *cx = carry, *cy = cx + F;
    for (int64_t t = steps - 1; t >= 0; t--) {
        const float keep = f[t * f_step];
        const float *x = phases + t * row, *y = x + F, *scale = inverse + t * inverse_row;
        const float *gx = grad + t * row, *gy = gx + F;
        const float *bx = t ? x - row : z0, *by = bx + F;
        const float *before = t ? scale - inverse_row : ONES;
        const int64_t next = t ? 1 : 0; /* z0 is not scaled */
        float parts[LANES] = {0}, sum = 0;
        for (int64_t i = 0; i < whole; i += LANES)
            step_back(LANES, keep, cosine + i, sine + i, x + i, y + i, scale + i, gx + i, gy + i,
                      bx + i, by + i, before + next * i, cx + i, cy + i, parts);
        step_back(F - whole, keep, cosine + whole, sine + whole, x + whole, y + whole,
                  scale + whole, gx + whole, gy + whole, bx + whole, by + whole,
                  before + next * whole, cx + whole, cy + whole, parts);
        for (int64_t i = 0; i < LANES; i++)
            sum += parts[i];
        grad_f[t * f_step] = sum;
    }
}

/* Doubles of scratch that clock_forward needs. */
int64_t clock_scratch(int64_t frequencies) { return turns_size(frequencies) + 3 * frequencies; }

/* `inverse` is filled with 1 / |z|, L x B x F, and `last` with the last z. */
void clock_forward(int64_t steps, int64_t rows, int64_t frequencies, const double *cosine,
                   const double *sine, const float *f, const float *z0, float *phases,
                   float *inverse, float *last, double *scratch) {
    const int64_t F = frequencies;
    double *z = scratch + turns_size(F);
    float *y = (float *)(z + 2 * F);
    Turns turns = make_turns(steps, F, cosine, sine, scratch);
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t i = 0; i < 2 * F; i++)
            z[i] = z0[row * 2 * F + i];
        for (int64_t t = 0; t < steps; t += TURNS) {
            int64_t at = t * rows + row;
            run_clock(steps - t < TURNS ? steps - t : TURNS, F, turns, f + at, rows, z,
                      phases + at * 2 * F, rows * 2 * F, inverse + at * F, rows * F, y);
        }
        for (int64_t i = 0; i < 2 * F; i++)
            last[row * 2 * F + i] = (float)z[i];
    }
}

/* `carry` holds the gradients of the last z and becomes those of z0; `grad_f` is filled. */
void clock_backward(int64_t steps, int64_t rows, int64_t frequencies, const float *cosine,
                    const float *sine, const float *f, const float *z0, const float *phases,
                    const float *inverse, const float *grad, float *carry, float *grad_f) {
    const int64_t F = frequencies;
    for (int64_t row = 0; row < rows; row++)
        run_clock_back(steps, F, cosine, sine, f + row, rows, z0 + row * 2 * F,
                       phases + row * 2 * F, rows * 2 * F, inverse + row * F, rows * F,
                       grad + row * 2 * F, carry + row * 2 * F, grad_f + row);
}
