/* A whole sequence of a recurrent cell in one call, forward and backward through time.
 *
 * Shapes: L steps, B sequences, H units, G gates, S recalled positions. H is a multiple of 32, so
 * that panels and pairs of registers (see products.h) are always full.
 * The four gated cells are two pairs: an LSTM (gates i, f, g, o) or a GRU (gates r, z, n). In the
 * refined ones (s, f, g, o and r, z, s, n) a gate s refines the one that keeps the state. The recurrent
 * input of the gates is h_{t-1}. In the multiplicative cells m_t = mx_t * mh_t, with mx_t = W_mx x_t
 * and mh_t = W_mh h_{t-1}, takes the place of h_{t-1}; with W_im it takes the place of x_t.
 *
 * Matrices are row-major floats. The code is plain C with vector extensions (GCC, Clang), so
 * one source serves every processor. setup.py compiles it once for each instruction set. It keeps
 * no state and allocates no memory. The matrix products are written here because a library call
 * takes longer than a step: the products are small, each needs the result of the one before, and
 * the weights can stay packed for the whole sequence.
 */

#include <stddef.h>

#include "exponential.h"
#include "products.h"

#if (defined(__AMX_BF16__) || defined(__AMXBF16__)) && defined(__linux__) /* GCC, or older Clang */
#define TILES 1
#include <sys/syscall.h>
#include <unistd.h>
#else
#define TILES 0
#endif

/* The same layout as builds.Problem in Python. */
typedef struct {
    int64_t steps, batch, units, recalled;
    int64_t keep;            /* 1: keep what backward needs; 0: buffers of two steps suffice */
    int64_t bf16;            /* 1: round both operands of a product to bfloat16; sums stay float */
    const int64_t *index;    /* (L, B): rows of inputs and mx; NULL: row t B + b */
    const float *inputs;     /* (rows, G H): W_ih x + b; b alone with weight_im */
    const float *mx;         /* (rows, H): W_mx x; NULL: there is no m */
    const float *weight_hh;  /* (G H, H) */
    const float *weight_mh;  /* (H, H) */
    const float *weight_im;  /* (G H, H); NULL: m takes the place of h */
    const float *bias;       /* (H): GRU, the bias inside the reset gate's product; with modReLU, its
                                offset */
    float *h, *c;            /* (L + 1, B, H): states; row 0 is the initial one; c: LSTM */
    float *gates;            /* (L, B, G H) */
    float *mh;               /* (L, B, H): W_mh h */
    float *x;                /* (L, B, G H): inputs + W_im m; with weight_im */
    float *outputs;          /* (S, B, H): the last S states h */
    const float *grad_outputs;                 /* (S, B, H) */
    float *grad_h, *grad_c;                    /* (B, H): on entry of the final state, on return of
                                                  the initial one */
    float *grad_inputs, *grad_mx;              /* shapes of inputs and mx; zeros on entry */
    float *grad_weight_hh, *grad_weight_mh, *grad_weight_im; /* as the weights; zeros on entry */
    float *grad_bias;                          /* (H); zeros on entry */
    float *scratch;          /* scratch_size() floats */
} Problem;

/* ---- functions of floats ---- */

INLINE vec sigmoid(vec x) { return 1.0f / (expm1_(-x) + 2.0f); }

INLINE vec tanh_(vec x) {
    vec e = expm1_(x + x);
    return e / (e + 2.0f);
}

/* ---- matrix products ---- */

/* c (m, n) = or += a (m, inner) b (inner, n), where the columns of b are stored in panels. */
INLINE void multiply(const int pairs, int64_t m, int64_t n, int64_t inner, const float *a,
                     int64_t row, int64_t step, const float *b, int64_t b_row, int64_t b_panel,
                     float *c, int add) {
    for (int64_t j = 0; j < n; j += PANEL, b += b_panel) {
        int64_t i = 0;
        for (; i + ROWS <= m; i += ROWS)
            multiply_block(pairs, ROWS, inner, a + i * row, row, step, b, b_row, c + i * n + j,
                           n, add);
        for (; i < m; i++)
            multiply_block(pairs, 1, inner, a + i * row, row, step, b, b_row, c + i * n + j, n,
                           add);
    }
}

#if TILES
/* AMX multiplies tiles: a (16 rows, 16 pairs) times b (16 pairs, 16 columns). The pairs of a row
 * of `a` are neighbours in memory (step = 1), `inner` is a multiple of 16, a panel two tiles wide. */
enum { TILE = 16 };

/* Use this in place of _tile_loadd: GCC (12 and 14) does not know that _tile_loadd reads memory, so
 * it may drop the writes before it, or move later writes before it. */
#define LOAD_TILE(tile, base, stride)                         \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile       \
                     :                                        \
                     : "r"(base), "r"(stride)                 \
                     : "memory")

/* c = or += a b for a block of tiles x 16 rows and one panel; tiles is 1 or 2. */
INLINE void multiply_tiles(const int tiles, int64_t inner, const float *a, int64_t row,
                           const float *b, int64_t b_row, float *c, int64_t c_row, int add) {
    int64_t a_stride = row * 4, b_stride = b_row * 4, c_stride = c_row * 4; /* in bytes */
    float *c_low = c + TILE * c_row;
    const float *a_low = a + TILE * row;
    if (add) {
        LOAD_TILE(0, c, c_stride);
        LOAD_TILE(1, c + TILE, c_stride);
        if (tiles == 2) {
            LOAD_TILE(2, c_low, c_stride);
            LOAD_TILE(3, c_low + TILE, c_stride);
        }
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t k = 0; k < inner; k += TILE, b += TILE * b_row) {
        LOAD_TILE(6, b, b_stride);
        LOAD_TILE(7, b + TILE, b_stride);
        LOAD_TILE(4, a + k, a_stride);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        if (tiles == 2) {
            LOAD_TILE(5, a_low + k, a_stride);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
    }
    _tile_stored(0, c, c_stride);
    _tile_stored(1, c + TILE, c_stride);
    if (tiles == 2) {
        _tile_stored(2, c_low, c_stride);
        _tile_stored(3, c_low + TILE, c_stride);
    }
}

/* As multiply(). The last rows, fewer than a tile has, go through vector registers. */
static void multiply_pairs(int64_t m, int64_t n, int64_t inner, const float *a, int64_t row,
                           const float *b, int64_t b_row, int64_t b_panel, float *c, int add) {
    for (int64_t j = 0; j < n; j += PANEL, b += b_panel) {
        int64_t i = 0;
        for (; i + 2 * TILE <= m; i += 2 * TILE)
            multiply_tiles(2, inner, a + i * row, row, b, b_row, c + i * n + j, n, add);
        for (; i + TILE <= m; i += TILE)
            multiply_tiles(1, inner, a + i * row, row, b, b_row, c + i * n + j, n, add);
        for (; i < m; i++)
            multiply_block(1, 1, inner, a + i * row, row, 1, b, b_row, c + i * n + j, n, add);
    }
}
#else
static void multiply_pairs(int64_t m, int64_t n, int64_t inner, const float *a, int64_t row,
                           const float *b, int64_t b_row, int64_t b_panel, float *c, int add) {
    multiply(1, m, n, inner, a, row, 1, b, b_row, b_panel, c, add);
}
#endif

static void multiply_floats(int64_t m, int64_t n, int64_t inner, const float *a, int64_t row,
                            int64_t step, const float *b, int64_t b_row, int64_t b_panel,
                            float *c, int add) {
    multiply(0, m, n, inner, a, row, step, b, b_row, b_panel, c, add);
}

/* A weight, stored in the order in which a product reads it. */
typedef struct {
    int64_t inner, n; /* the weight is b (inner, n) */
    float *panels;
} Packed;

/* Pack b(k, j) = w[k step + j column] at `*memory`, and advance `*memory` past the panels. */
static Packed pack(const Problem *p, int64_t inner, int64_t n, const float *w, int64_t step,
                   int64_t column, float **memory) {
    Packed packed = {inner, n, *memory};
    float *panels = *memory;
    int64_t half = inner / 2;
    for (int64_t j = 0; j < n; j += PANEL)
        for (int64_t k = 0; k < (p->bf16 ? half : inner); k++, panels += PANEL) {
            float first[PANEL] = {0}, second[PANEL] = {0};
            for (int64_t v = 0; v < PANEL; v++) {
                first[v] = w[k * step + (j + v) * column];
                if (p->bf16) second[v] = w[(k + half) * step + (j + v) * column];
            }
            for (int64_t v = 0; v < PANEL; v += LANES) {
                vec x = load(first + v);
                if (p->bf16) x = pair(x, load(second + v));
                store(panels + v, x);
            }
        }
    *memory = panels;
    return packed;
}

/* c (m, n) = or += a (m, inner) b; pairs: memory for m inner / 2 elements. */
INLINE void multiply_packed(const Problem *p, int64_t m, const float *a, Packed b, float *c,
                            int add, float *pairs) {
    int64_t inner = b.inner, half = inner / 2;
    if (!p->bf16) {
        multiply_floats(m, b.n, inner, a, inner, 1, b.panels, PANEL, inner * PANEL, c, add);
        return;
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k < half; k += LANES)
            store(pairs + i * half + k, pair(load(a + i * inner + k), load(a + i * inner + half + k)));
    multiply_pairs(m, b.n, half, pairs, half, b.panels, PANEL, half * PANEL, c, add);
}

/* Pair the elements at `a` with those at `a + distance`; elements at or after `end` count as 0. */
INLINE vec pair_at(const float *a, int64_t distance, const float *end) {
    return pair(a < end ? load(a) : all(0), a + distance < end ? load(a + distance) : all(0));
}

/* c (m, n) += a^T b with a (rows, m) and b (rows, n); pairs: memory for outer_pairs(rows) (m + n)
 * elements. Row k of a and b is paired with row k + outer_pairs(rows), or with 0 past the end. */
INLINE int64_t outer_pairs(int64_t rows) { return (rows + 2 * LANES - 1) / (2 * LANES) * LANES; }

INLINE void add_outer(const Problem *p, int64_t m, int64_t n, int64_t rows, const float *a,
                      const float *b, float *c, float *pairs) {
    if (!p->bf16) {
        multiply_floats(m, n, rows, a, 1, m, b, n, PANEL, c, 1);
        return;
    }
    int64_t half = outer_pairs(rows);
    float *a_pairs = pairs, *b_pairs = pairs + half * m;
    for (int64_t i = 0; i < m; i += LANES)
        for (int64_t k = 0; k < half; k += LANES) {
            vec square[LANES];
            for (int64_t v = 0; v < LANES; v++)
                square[v] = pair_at(a + (k + v) * m + i, half * m, a + rows * m);
            transpose(square);
            for (int64_t v = 0; v < LANES; v++) store(a_pairs + (i + v) * half + k, square[v]);
        }
    for (int64_t i = 0; i < half * n; i += LANES)
        store(b_pairs + i, pair_at(b + i, half * n, b + rows * n));
    multiply_pairs(m, n, half, a_pairs, half, b_pairs, n, PANEL, c, 1);
}

/* ---- the element-wise part of a step, for one sequence of the batch ---- */

/* Turn pre-activations into activations, in place, and compute the new state. */
typedef void forward_cell(const int refined, const Problem *p, const float *x, float *gates,
                          const float *h, const float *c, float *new_h, float *new_c);

/* From the gradient of the new state (dh, dc), compute in place the part of the old state's
 * gradient that does not pass through the products; write the gradient of the products' results to
 * d; add the gradient of the inputs to dx. */
typedef void backward_cell(const int refined, const Problem *p, const float *x, const float *gates,
                           const float *h, const float *c, const float *new_c,
                           const float *grad_output, float *dh, float *dc, float *d, float *dx);

/* The share of the state that is kept: s (1 - (1 - f)^2) + (1 - s) f^2. */
INLINE vec refine(vec f, vec s) { return f * (f + 2.0f * s * (1.0f - f)); }

/* From its gradient, those of what f and s are the sigmoids of. */
INLINE void refine_back(vec dkeep, vec f, vec s, vec *df, vec *ds) {
    vec slope = 2.0f * dkeep * f * (1.0f - f);
    *df = slope * (f + s - 2.0f * f * s);
    *ds = slope * s * (1.0f - s);
}

/* `gates` holds i, f, g, o; refined: s, f, g, o. */
INLINE void lstm_forward_cell(const int refined, const Problem *p, const float *x, float *gates,
                              const float *h, const float *c, float *new_h, float *new_c) {
    int64_t H = p->units;
    (void)h;
    for (int64_t j = 0; j < H; j += LANES, x += LANES, gates += LANES) {
        vec i = sigmoid(load(gates) + load(x));
        vec f = sigmoid(load(gates + H) + load(x + H));
        vec g = tanh_(load(gates + 2 * H) + load(x + 2 * H));
        vec o = sigmoid(load(gates + 3 * H) + load(x + 3 * H));
        vec keep = refined ? refine(f, i) : f, take = refined ? 1.0f - keep : i;
        vec cell = keep * load(c + j) + take * g;
        store(gates, i);
        store(gates + H, f);
        store(gates + 2 * H, g);
        store(gates + 3 * H, o);
        store(new_c + j, cell);
        store(new_h + j, o * tanh_(cell));
    }
}

INLINE void lstm_backward_cell(const int refined, const Problem *p, const float *x,
                               const float *gates, const float *h, const float *c,
                               const float *new_c, const float *grad_output, float *dh, float *dc,
                               float *d, float *dx) {
    int64_t H = p->units;
    (void)x, (void)h;
    for (int64_t j = 0; j < H; j += LANES, gates += LANES, d += LANES, dx += LANES) {
        vec i = load(gates), f = load(gates + H), g = load(gates + 2 * H);
        vec o = load(gates + 3 * H);
        vec tanh_c = tanh_(load(new_c + j));
        vec grad_h = load(dh + j);
        if (grad_output) grad_h += load(grad_output + j);
        vec grad_c = load(dc + j) + grad_h * o * (1.0f - tanh_c * tanh_c);
        vec keep = refined ? refine(f, i) : f, take = refined ? 1.0f - keep : i;
        vec di = grad_c * g * i * (1.0f - i);
        vec df = grad_c * load(c + j) * f * (1.0f - f);
        if (refined) refine_back(grad_c * (load(c + j) - g), f, i, &df, &di);
        vec dg = grad_c * take * (1.0f - g * g);
        vec d_o = grad_h * tanh_c * o * (1.0f - o);
        store(d, di);
        store(d + H, df);
        store(d + 2 * H, dg);
        store(d + 3 * H, d_o);
        store(dx, load(dx) + di);
        store(dx + H, load(dx + H) + df);
        store(dx + 2 * H, load(dx + 2 * H) + dg);
        store(dx + 3 * H, load(dx + 3 * H) + d_o);
        store(dc + j, grad_c * keep);
        store(dh + j, all(0));
    }
}

/* `gates` holds r, z, refined: s, and q = W_hn m + b, which the reset gate multiplies. */
INLINE void gru_forward_cell(const int refined, const Problem *p, const float *x, float *gates,
                             const float *h, const float *c, float *new_h, float *new_c) {
    int64_t H = p->units, N = refined ? 3 * H : 2 * H;
    (void)c, (void)new_c;
    for (int64_t j = 0; j < H; j += LANES, x += LANES, gates += LANES) {
        vec r = sigmoid(load(gates) + load(x));
        vec z = sigmoid(load(gates + H) + load(x + H)), keep = z;
        if (refined) {
            vec s = sigmoid(load(gates + 2 * H) + load(x + 2 * H));
            store(gates + 2 * H, s);
            keep = refine(z, s);
        }
        vec q = load(gates + N) + load(p->bias + j);
        vec n = tanh_(load(x + N) + r * q);
        store(gates, r);
        store(gates + H, z);
        store(gates + N, q);
        store(new_h + j, n + keep * (load(h + j) - n));
    }
}

INLINE void gru_backward_cell(const int refined, const Problem *p, const float *x,
                              const float *gates, const float *h, const float *c,
                              const float *new_c, const float *grad_output, float *dh, float *dc,
                              float *d, float *dx) {
    int64_t H = p->units, N = refined ? 3 * H : 2 * H;
    (void)c, (void)new_c, (void)dc;
    for (int64_t j = 0; j < H; j += LANES, x += LANES, gates += LANES, d += LANES, dx += LANES) {
        vec r = load(gates), z = load(gates + H), q = load(gates + N), keep = z;
        vec n = tanh_(load(x + N) + r * q);
        vec grad_h = load(dh + j);
        if (grad_output) grad_h += load(grad_output + j);
        vec dz = grad_h * (load(h + j) - n) * z * (1.0f - z);
        if (refined) {
            vec s = load(gates + 2 * H), ds;
            refine_back(grad_h * (load(h + j) - n), z, s, &dz, &ds);
            store(d + 2 * H, ds);
            store(dx + 2 * H, load(dx + 2 * H) + ds);
            keep = refine(z, s);
        }
        vec dn = grad_h * (1.0f - keep) * (1.0f - n * n);
        vec dq = dn * r;
        vec dr = dn * q * r * (1.0f - r);
        store(d, dr);
        store(d + H, dz);
        store(d + N, dq);
        store(dx, load(dx) + dr);
        store(dx + H, load(dx + H) + dz);
        store(dx + N, load(dx + N) + dn);
        store(p->grad_bias + j, load(p->grad_bias + j) + dq);
        store(dh + j, grad_h * keep);
    }
}

/* modReLU, sign(a) relu(|a| + bias), and whether it is not 0. */
INLINE vec modrelu(vec a, vec bias, ivec *on) {
    const int32_t sign = INT32_MIN;
    vec size = (vec)((ivec)a & ~sign) + bias;
    *on = (size > 0.0f) & (a != 0.0f);
    return (vec)(((ivec)size | ((ivec)a & sign)) & *on);
}

/* Kept in gates: a = W h + x. */
INLINE void orthogonal_forward_cell(const int refined, const Problem *p, const float *x,
                                    float *gates, const float *h, const float *c, float *new_h,
                                    float *new_c) {
    ivec on;
    (void)refined, (void)h, (void)c, (void)new_c;
    for (int64_t j = 0; j < p->units; j += LANES) {
        vec a = load(gates + j) + load(x + j);
        store(gates + j, a);
        store(new_h + j, modrelu(a, load(p->bias + j), &on));
    }
}

INLINE void orthogonal_backward_cell(const int refined, const Problem *p, const float *x,
                                     const float *gates, const float *h, const float *c,
                                     const float *new_c, const float *grad_output, float *dh,
                                     float *dc, float *d, float *dx) {
    ivec on;
    (void)refined, (void)x, (void)h, (void)c, (void)new_c, (void)dc;
    for (int64_t j = 0; j < p->units; j += LANES) {
        vec a = load(gates + j), grad_h = load(dh + j);
        if (grad_output) grad_h += load(grad_output + j);
        modrelu(a, load(p->bias + j), &on);
        vec da = (vec)((ivec)grad_h & on);
        vec dbias = (vec)((ivec)da ^ ((ivec)a & INT32_MIN & on));
        store(d + j, da);
        store(dx + j, load(dx + j) + da);
        store(p->grad_bias + j, load(p->grad_bias + j) + dbias);
        store(dh + j, all(0));
    }
}

/* `gates` holds r, z and q = W_hn h; the candidate state is modReLU(x + r q). */
INLINE void goru_forward_cell(const int refined, const Problem *p, const float *x, float *gates,
                              const float *h, const float *c, float *new_h, float *new_c) {
    int64_t H = p->units;
    ivec on;
    (void)refined, (void)c, (void)new_c;
    for (int64_t j = 0; j < H; j += LANES, x += LANES, gates += LANES) {
        vec r = sigmoid(load(gates) + load(x));
        vec z = sigmoid(load(gates + H) + load(x + H));
        vec n = modrelu(load(x + 2 * H) + r * load(gates + 2 * H), load(p->bias + j), &on);
        store(gates, r);
        store(gates + H, z);
        store(new_h + j, z * load(h + j) + (1.0f - z) * n); /* n may be large */
    }
}

INLINE void goru_backward_cell(const int refined, const Problem *p, const float *x,
                               const float *gates, const float *h, const float *c,
                               const float *new_c, const float *grad_output, float *dh, float *dc,
                               float *d, float *dx) {
    int64_t H = p->units;
    ivec on;
    (void)refined, (void)c, (void)new_c, (void)dc;
    for (int64_t j = 0; j < H; j += LANES, x += LANES, gates += LANES, d += LANES, dx += LANES) {
        vec r = load(gates), z = load(gates + H), q = load(gates + 2 * H);
        vec a = load(x + 2 * H) + r * q;
        vec n = modrelu(a, load(p->bias + j), &on);
        vec grad_h = load(dh + j);
        if (grad_output) grad_h += load(grad_output + j);
        vec dz = grad_h * (load(h + j) - n) * z * (1.0f - z);
        vec da = (vec)((ivec)(grad_h * (1.0f - z)) & on);
        vec dbias = (vec)((ivec)da ^ ((ivec)a & INT32_MIN & on));
        vec dr = da * q * r * (1.0f - r);
        store(d, dr);
        store(d + H, dz);
        store(d + 2 * H, da * r);
        store(dx, load(dx) + dr);
        store(dx + H, load(dx + H) + dz);
        store(dx + 2 * H, load(dx + 2 * H) + da);
        store(p->grad_bias + j, load(p->grad_bias + j) + dbias);
        store(dh + j, grad_h * z);
    }
}

/* ---- the sequence ---- */

/* The part of a buffer for one sequence of the batch; NULL if there is no buffer. */
INLINE float *at(float *buffer, int64_t offset) { return buffer ? buffer + offset : NULL; }

INLINE int64_t input_row(const Problem *p, int64_t t, int64_t b) {
    int64_t position = t * p->batch + b;
    return p->index ? p->index[position] : position;
}

/* m = mx * mh for one step. */
INLINE void multiply_mx_mh(const Problem *p, int64_t t, const float *mh, float *m) {
    int64_t H = p->units;
    for (int64_t b = 0; b < p->batch; b++) {
        const float *mx = p->mx + input_row(p, t, b) * H;
        for (int64_t j = b * H; j < (b + 1) * H; j += LANES, mx += LANES)
            store(m + j, load(mx) * load(mh + j));
    }
}

INLINE void forward(const Problem *p, const int G, const int refined, forward_cell *cell) {
    int64_t L = p->steps, B = p->batch, H = p->units, state = B * H;
    float *memory = p->scratch;
    Packed packed_hh = pack(p, H, G * H, p->weight_hh, 1, H, &memory);
    Packed packed_mh = packed_hh, packed_im = packed_hh;
    if (p->mx) packed_mh = pack(p, H, H, p->weight_mh, 1, H, &memory);
    if (p->weight_im) packed_im = pack(p, H, G * H, p->weight_im, 1, H, &memory);
    float *m = memory, *pairs = m + state;
    for (int64_t t = 0; t < L; t++) {
        int64_t now = p->keep ? t : t % 2, next = p->keep ? t + 1 : (t + 1) % 2;
        const float *h = p->h + now * state, *source = h;
        float *new_h = p->h + next * state;
        float *gates = p->gates + (p->keep ? t * G * state : 0);
        float *x = p->weight_im ? p->x + (p->keep ? t * G * state : 0) : NULL;
        if (p->mx) {
            float *mh = p->mh + (p->keep ? t * state : 0);
            multiply_packed(p, B, h, packed_mh, mh, 0, pairs);
            multiply_mx_mh(p, t, mh, m);
            if (!x) source = m;
        }
        if (x) {
            for (int64_t b = 0; b < B; b++)
                memcpy(x + b * G * H, p->inputs + input_row(p, t, b) * G * H, G * H * sizeof(float));
            multiply_packed(p, B, m, packed_im, x, 1, pairs);
        }
        multiply_packed(p, B, source, packed_hh, gates, 0, pairs);
        for (int64_t b = 0; b < B; b++)
            cell(refined, p, x ? x + b * G * H : p->inputs + input_row(p, t, b) * G * H,
                 gates + b * G * H, h + b * H, at(p->c, now * state + b * H), new_h + b * H,
                 at(p->c, next * state + b * H));
        if (t >= L - p->recalled)
            memcpy(p->outputs + (t - (L - p->recalled)) * state, new_h, state * sizeof(float));
    }
}

/* The gradients of the weights are larger than anything else in a step. To read and write them less
 * often, we add those of several steps at once: a sum over about OUTER_ROWS rows. */
enum { OUTER_ROWS = 128 };

INLINE int64_t steps_at_once(int64_t batch) {
    return 0 < batch && batch < OUTER_ROWS ? OUTER_ROWS / batch : 1;
}

INLINE void backward(const Problem *p, const int G, const int refined, backward_cell *cell) {
    int64_t L = p->steps, B = p->batch, H = p->units, state = B * H, chunk = steps_at_once(B);
    float *memory = p->scratch;
    Packed packed_hh = pack(p, G * H, H, p->weight_hh, H, 1, &memory);
    Packed packed_mh = packed_hh, packed_im = packed_hh;
    if (p->mx) packed_mh = pack(p, H, H, p->weight_mh, H, 1, &memory);
    if (p->weight_im) packed_im = pack(p, G * H, H, p->weight_im, H, 1, &memory);
    float *ds = memory, *ms = ds + chunk * G * state, *dms = ms + chunk * state;
    float *dxs = dms + chunk * state, *pairs = dxs + (p->weight_im ? chunk * G * state : 0);
    for (int64_t t = L - 1; t >= 0; t--) {
        const float *h = p->h + t * state, *gates = p->gates + t * G * state;
        int64_t recalled = t - (L - p->recalled), place = t % chunk;
        float *d = ds + place * G * state, *m = ms + place * state, *dm = dms + place * state;
        float *dx = p->weight_im ? dxs + place * G * state : NULL;
        if (dx) memset(dx, 0, G * state * sizeof(float));
        for (int64_t b = 0; b < B; b++) {
            int64_t row = input_row(p, t, b) * G * H, s = t * state + b * H;
            cell(refined, p, dx ? p->x + (t * B + b) * G * H : p->inputs + row, gates + b * G * H,
                 h + b * H, at(p->c, s), at(p->c, s + state),
                 recalled >= 0 ? p->grad_outputs + recalled * state + b * H : NULL,
                 p->grad_h + b * H, at(p->grad_c, b * H), d + b * G * H,
                 dx ? dx + b * G * H : p->grad_inputs + row);
            for (int64_t j = 0; dx && j < G * H; j += LANES) {
                float *grad_inputs = p->grad_inputs + row + j;
                store(grad_inputs, load(grad_inputs) + load(dx + b * G * H + j));
            }
        }
        if (p->mx) {
            const float *mh = p->mh + t * state;
            multiply_mx_mh(p, t, mh, m);
            multiply_packed(p, B, dx ? dx : d, dx ? packed_im : packed_hh, dm, 0, pairs);
            for (int64_t b = 0; b < B; b++) { /* dm becomes the gradient of mh */
                int64_t row = input_row(p, t, b) * H;
                for (int64_t j = 0; j < H; j += LANES) {
                    vec dm_j = load(dm + b * H + j);
                    float *grad_mx = p->grad_mx + row + j;
                    store(grad_mx, load(grad_mx) + dm_j * load(mh + b * H + j));
                    store(dm + b * H + j, dm_j * load(p->mx + row + j));
                }
            }
            multiply_packed(p, B, dm, packed_mh, p->grad_h, 1, pairs);
        }
        if (!p->mx || dx) multiply_packed(p, B, d, packed_hh, p->grad_h, 1, pairs);
        if (place == 0) { /* the chunk that starts at t is complete */
            int64_t rows = B * (L - t < chunk ? L - t : chunk);
            add_outer(p, G * H, H, rows, ds, p->mx && !dx ? ms : h, p->grad_weight_hh, pairs);
            if (dx) add_outer(p, G * H, H, rows, dxs, ms, p->grad_weight_im, pairs);
            if (p->mx) add_outer(p, H, H, rows, dms, h, p->grad_weight_mh, pairs);
        }
    }
}

/* ---- what Python calls ---- */

/* Whether Problem.bf16 may be set in this build. */
int has_bf16(void) {
#if defined(__AVX512BF16__)
    return 1;
#else
    return 0;
#endif
}

/* Floats that `scratch` must hold, for a cell of G gates. */
int64_t scratch_size(int64_t batch, int64_t units, int64_t gates) {
    int64_t packed = (2 * gates + 1) * units * units, rows = steps_at_once(batch) * batch;
    int64_t states = (2 * gates + 2) * rows * units;               /* ds, ms, dms, dxs */
    int64_t pairs = (gates + 1) * (outer_pairs(rows) + batch) * units; /* enough for any product */
    return packed + states + pairs;
}

/* Which sources this was compiled from, see sources.py. */
int64_t sources(void) { return SOURCES; }

/* Whether this build can run here. Asks the system for permission to use AMX; call it once. */
int prepare(void) {
#if TILES
    const int request_permission = 0x1023, tile_data = 18; /* arch_prctl(2), XSTATE component */
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return 1;
#endif
}

/* Gradients shrink to denormal numbers over many steps, and those make a processor many times
 * slower. Flush them to zero during the call, whatever the rest of the process does. */
#if defined(__x86_64__)
#define WITHOUT_DENORMALS(call)           \
    do {                                  \
        unsigned int mode = _mm_getcsr(); \
        _mm_setcsr(mode | 0x8040);        \
        call;                             \
        _mm_setcsr(mode);                 \
    } while (0)
#else
#define WITHOUT_DENORMALS(call) call
#endif

/* All eight tiles have 16 rows of 64 bytes. The thread's own setting is restored afterwards. */
#if TILES
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} TileConfig;

/* Static and constant: GCC 11 does not know that _tile_loadconfig reads all of it, and would drop
 * the writes to a local variable. */
static const TileConfig tile_config = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE},
};

#define WITH_TILES(call)                \
    do {                                \
        TileConfig before;              \
        _tile_storeconfig(&before);     \
        _tile_loadconfig(&tile_config); \
        call;                           \
        if (before.palette)             \
            _tile_loadconfig(&before);  \
        else                            \
            _tile_release();            \
    } while (0)
#else
#define WITH_TILES(call) call
#endif

#define RUN(call) WITHOUT_DENORMALS(WITH_TILES(call))

void lstm_forward(const Problem *p) { RUN(forward(p, 4, 0, lstm_forward_cell)); }
void lstm_backward(const Problem *p) { RUN(backward(p, 4, 0, lstm_backward_cell)); }
void refined_lstm_forward(const Problem *p) { RUN(forward(p, 4, 1, lstm_forward_cell)); }
void refined_lstm_backward(const Problem *p) { RUN(backward(p, 4, 1, lstm_backward_cell)); }
void gru_forward(const Problem *p) { RUN(forward(p, 3, 0, gru_forward_cell)); }
void gru_backward(const Problem *p) { RUN(backward(p, 3, 0, gru_backward_cell)); }
void refined_gru_forward(const Problem *p) { RUN(forward(p, 4, 1, gru_forward_cell)); }
void refined_gru_backward(const Problem *p) { RUN(backward(p, 4, 1, gru_backward_cell)); }
void orthogonal_forward(const Problem *p) { RUN(forward(p, 1, 0, orthogonal_forward_cell)); }
void orthogonal_backward(const Problem *p) { RUN(backward(p, 1, 0, orthogonal_backward_cell)); }
void goru_forward(const Problem *p) { RUN(forward(p, 3, 0, goru_forward_cell)); }
void goru_backward(const Problem *p) { RUN(backward(p, 3, 0, goru_backward_cell)); }
