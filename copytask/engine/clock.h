/* One row of the clock in clock.c, for the files that run it beside something else. */
#pragma once
#include <stdint.h>

enum { TURNS = 32 }; /* steps in a frame, see run_clock */

/* e^{iwt} of F frequencies for t = 1, 2, ...; for each t, F cosines, then F sines. */
typedef struct {
    const double *exact;
    const float *rounded;
} Turns;

/* Doubles of memory that make_turns needs. */
int64_t turns_size(int64_t frequencies);

/* For runs of so many steps, or of TURNS if they are fewer. Cosine and sine: of w, F each. */
Turns make_turns(int64_t steps, int64_t frequencies, const double *cosine, const double *sine,
                 double *memory);

/* Run up to TURNS steps. `z` holds z before them, and becomes the last one. Step t has its gate at
 * f[t f_step], and fills 2F phases at phases + t row, and F numbers 1 / |z| at
 * inverse + t inverse_row. `y` is scratch for 2F floats. */
void run_clock(int64_t steps, int64_t frequencies, Turns turns, const float *f, int64_t f_step,
               double *z, float *phases, int64_t row, float *inverse, int64_t inverse_row, float *y);

/* The way back over any number of steps, which are laid out likewise. z0 is z before them. `grad`
 * has the gradients of the phases, `carry` those of the last z, and it becomes those of z0. Step t
 * fills grad_f[t f_step]. */
void run_clock_back(int64_t steps, int64_t frequencies, const float *cosine, const float *sine,
                    const float *f, int64_t f_step, const float *z0, const float *phases,
                    int64_t row, const float *inverse, int64_t inverse_row, const float *grad,
                    float *carry, float *grad_f);
