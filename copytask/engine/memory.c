/* A memory that a clock addresses, over L steps of B rows, and its way back:
 *
 *     S_t = S_{t-1} + k_t v_t^T,  y_t = S_t^T q_t
 *
 * The keys k_t are the phases of a clock of F frequencies (clock.c). The queries q_t are the keys,
 * each frequency turned and scaled by a complex number. V numbers in a value. The last S steps read.
 *
 * It works in chunks, as fast_weights.c does in general. Keys are in memory for one chunk of one
 * row at a time, so they stay in the cache; the way back makes them again. All products run along
 * the 2F numbers of a key, so S is kept as (V, 2F). */
#include "chunks.h"
#include "clock.h"

_Static_assert((int)CHUNK == (int)TURNS, "a chunk of the memory is one of the clock");

/* The same layout as builds.Memory in Python. */
typedef struct {
    int64_t steps, rows, frequencies, values, reads;
    const double *cosine, *sine; /* (F): of the clock's angles */
    const float *f;              /* (L, B): its gates */
    const float *turn;           /* (2F): what makes queries of keys */
    const float *v;              /* (L, B, V) */
    float *z;                    /* (B, 2F): before the first step; becomes that after the last */
    float *state;                /* (B, V, 2F): likewise */
    float *y;                    /* (S, B, V): is filled */
    float *kept_z;               /* (chunks, B, 2F): before each chunk; NULL: keep nothing */
    float *kept_states;          /* (chunks that read, B, V, 2F): before each of them */
    const float *grad_y;         /* (S, B, V) */
    float *grad_z, *grad_state;  /* of the last ones; become those of the first */
    float *grad_f, *grad_v;      /* are filled */
    double *grad_turn;           /* (2F); zeros on entry */
    double *scratch;             /* memory_scratch() doubles; zeros */
} Memory;

/* Parts of the scratch. */
typedef struct {
    int64_t width, row; /* of keys and of S, see above */
    Turns turns;
    double *z;
    float *y;                                           /* 2F, for a moment */
    float *inverse;                                     /* (CHUNK, F) */
    float *keys, *queries, *grad_keys, *grad_queries;   /* (CHUNK, row) */
    float *state, *grad_state;                          /* (V, row) */
    float *scores, *grad_scores;                        /* (CHUNK, CHUNK) */
    float *v, *grad_y;                                  /* (CHUNK, V): those of the chunk */
} Parts;

int64_t memory_scratch(int64_t frequencies, int64_t values) {
    const int64_t F = frequencies, rows = 4 * CHUNK + 2 * values;
    const int64_t floats = 2 * F + CHUNK * (F + 2 * CHUNK + 2 * values) + rows * distance(2 * F);
    return turns_size(F) + 2 * F + (floats + 1) / 2;
}

static Parts lay_out(const Memory *p) {
    const int64_t F = p->frequencies, row = distance(2 * F);
    Parts m = {.width = padded(2 * F), .row = row};
    m.turns = make_turns(p->steps, F, p->cosine, p->sine, p->scratch);
    m.z = p->scratch + turns_size(F);
    m.y = (float *)(m.z + 2 * F);
    m.inverse = m.y + 2 * F;
    m.keys = m.inverse + CHUNK * F;
    m.queries = m.keys + CHUNK * row;
    m.grad_keys = m.queries + CHUNK * row;
    m.grad_queries = m.grad_keys + CHUNK * row;
    m.state = m.grad_queries + CHUNK * row;
    m.grad_state = m.state + p->values * row;
    m.scores = m.grad_state + p->values * row;
    m.grad_scores = m.scores + CHUNK * CHUNK;
    m.v = m.grad_scores + CHUNK * CHUNK;
    m.grad_y = m.v + CHUNK * p->values;
    return m;
}

/* ---- products along a key ---- */

/* c = a b^T for a block of rows x columns. */
INLINE void dots_block(const int rows, const int columns, const Parts *m, const float *a,
                       const float *b, float *c, int64_t c_row) {
    vec sum[ROWS][2];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) sum[i][j] = all(0);
    for (int64_t d = 0; d < m->width; d += LANES) {
        vec b_j[2];
        for (int j = 0; j < columns; j++) b_j[j] = load(b + j * m->row + d);
        for (int i = 0; i < rows; i++) {
            vec a_i = load(a + i * m->row + d);
            for (int j = 0; j < columns; j++) sum[i][j] += a_i * b_j[j];
        }
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            float total = 0;
            for (int k = 0; k < LANES; k++) total += sum[i][j][k];
            c[i * c_row + j] = total;
        }
}

/* c (rows, columns) = a b^T; of j > i + high some are left out. Rows of a and b are m->row apart. */
static void dots(const Parts *m, int64_t rows, int64_t columns, int64_t high, const float *a,
                 const float *b, float *c, int64_t c_row) {
    for (int64_t i = 0, block; i < rows; i += block) {
        block = i + ROWS <= rows ? ROWS : 1;
        int64_t end = i + block + high < columns ? i + block + high : columns;
        for (int64_t j = 0; j < end; j += 2) {
            const float *a_i = a + i * m->row, *b_j = b + j * m->row;
            float *c_ij = c + i * c_row + j;
            int two = j + 2 <= columns;
            if (block == ROWS && two)
                dots_block(ROWS, 2, m, a_i, b_j, c_ij, c_row);
            else if (block == ROWS)
                dots_block(ROWS, 1, m, a_i, b_j, c_ij, c_row);
            else if (two)
                dots_block(1, 2, m, a_i, b_j, c_ij, c_row);
            else
                dots_block(1, 1, m, a_i, b_j, c_ij, c_row);
        }
    }
}

/* ---- a chunk of a row ---- */

/* Chunks of a sequence, and how many of them do not read. */
int64_t memory_chunks(int64_t steps) { return count_chunks(steps); }
int64_t memory_unread_chunks(int64_t steps, int64_t reads) {
    return reads ? (steps - reads) / CHUNK : memory_chunks(steps);
}

/* Where the state before a chunk is kept. */
static float *kept_state(const Memory *p, Chunk c, int64_t row) {
    int64_t number = c.number - memory_unread_chunks(p->steps, p->reads);
    return p->kept_states + (number * p->rows + row) * p->values * 2 * p->frequencies;
}

/* A state, or its gradients, with zeros where rows are padded: those of the row before may have
 * become NaN. */
static void load_state(const Memory *p, const Parts *m, const float *from, float *to) {
    memset(to, 0, p->values * m->row * sizeof(float));
    copy_rows(p->values, 2 * p->frequencies, from, 2 * p->frequencies, to, m->row);
}

/* Keys of a chunk, and its values; m->z becomes that after it. */
static void make_keys(const Memory *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values, next = p->rows * V;
    copy_rows(c.steps, V, p->v + c.start * next + row * V, next, m->v, V);
    run_clock(c.steps, p->frequencies, m->turns, p->f + c.start * p->rows + row, p->rows, m->z,
              m->keys, m->row, m->inverse, p->frequencies, m->y);
}

static void make_queries(const Memory *p, const Parts *m, Chunk c) {
    const int64_t F = p->frequencies;
    const float *restrict cosine = p->turn, *restrict sine = cosine + F;
    for (int64_t t = c.first; t < c.steps; t++) {
        const float *restrict x = m->keys + t * m->row, *restrict y = x + F;
        float *restrict qx = m->queries + (t - c.first) * m->row, *restrict qy = qx + F;
        for (int64_t i = 0; i < F; i++) {
            qx[i] = cosine[i] * x[i] - sine[i] * y[i];
            qy[i] = sine[i] * x[i] + cosine[i] * y[i];
        }
    }
}

/* Scores of each query with the keys up to its own step. */
static void make_scores(const Parts *m, Chunk c) {
    dots(m, c.steps - c.first, c.steps, c.first, m->queries, m->keys, m->scores, CHUNK);
}

static void read_chunk(const Memory *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values, next = p->rows * V;
    float *y = p->y + c.read * next + row * V;
    make_queries(p, m, c);
    make_scores(m, c);
    dots(m, c.steps - c.first, V, ALL, m->queries, m->state, y, next);
    for (int64_t i = 0; i < c.steps - c.first; i++)
        for (int64_t j = 0; j <= i + c.first; j++)
            add_scaled(V, m->scores[i * CHUNK + j], m->v + j * V, y + i * next);
}

void memory_forward(const Memory *p) {
    const int64_t F = p->frequencies, V = p->values, D = 2 * F;
    Parts m = lay_out(p);
    for (int64_t row = 0; row < p->rows; row++) {
        float *state = p->state + row * V * D, *z = p->z + row * D;
        for (int64_t i = 0; i < D; i++) m.z[i] = z[i];
        load_state(p, &m, state, m.state);
        for (int64_t number = 0; number < memory_chunks(p->steps); number++) {
            Chunk c = chunk_at(p->steps, p->reads, number);
            if (p->kept_z) {
                float *kept = p->kept_z + (number * p->rows + row) * D;
                for (int64_t i = 0; i < D; i++) kept[i] = (float)m.z[i];
                if (c.first < c.steps) copy_rows(V, D, m.state, m.row, kept_state(p, c, row), D);
            }
            make_keys(p, &m, c, row);
            if (c.first < c.steps) read_chunk(p, &m, c, row);
            multiply(V, c.steps, m.width, -ALL, ALL, m.v, 1, V, m.keys, m.row, m.state, m.row, 1);
        }
        for (int64_t i = 0; i < D; i++) z[i] = (float)m.z[i];
        copy_rows(V, D, m.state, m.row, state, D);
    }
}

/* The way back through the queries, whose gradients are in m->grad_queries. Those of the turn are
 * summed as floats over a chunk, and as doubles over all. */
static void turn_back(const Memory *p, const Parts *m, Chunk c) {
    const int64_t F = p->frequencies;
    const float *restrict cosine = p->turn, *restrict sine = cosine + F;
    memset(m->y, 0, 2 * F * sizeof(float));
    for (int64_t t = c.first; t < c.steps; t++) {
        const float *restrict x = m->keys + t * m->row, *restrict y = x + F;
        const float *restrict qx = m->grad_queries + (t - c.first) * m->row, *restrict qy = qx + F;
        float *restrict gx = m->grad_keys + t * m->row, *restrict gy = gx + F;
        float *restrict to_cosine = m->y, *restrict to_sine = to_cosine + F;
        for (int64_t i = 0; i < F; i++) {
            gx[i] += cosine[i] * qx[i] + sine[i] * qy[i];
            gy[i] += cosine[i] * qy[i] - sine[i] * qx[i];
            to_cosine[i] += x[i] * qx[i] + y[i] * qy[i];
            to_sine[i] += x[i] * qy[i] - y[i] * qx[i];
        }
    }
    for (int64_t i = 0; i < 2 * F; i++) p->grad_turn[i] += m->y[i];
}

/* The way back through what a chunk reads: adds to the gradients of its keys, of its values and of
 * the state before it, of which m->grad_state has the others. */
static void read_back(const Memory *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values, next = p->rows * V, reads = c.steps - c.first;
    const float *grad = m->grad_y;
    float *grad_v = p->grad_v + c.start * next + row * V;
    copy_rows(reads, V, p->grad_y + c.read * next + row * V, next, m->grad_y, V);
    make_queries(p, m, c);
    make_scores(m, c);
    for (int64_t i = 0; i < reads; i++)
        for (int64_t j = 0; j < c.steps; j++) {
            float product = 0;
            if (j <= i + c.first) {
                for (int64_t k = 0; k < V; k++) product += grad[i * V + k] * m->v[j * V + k];
                add_scaled(V, m->scores[i * CHUNK + j], grad + i * V, grad_v + j * next);
            }
            m->grad_scores[i * CHUNK + j] = product;
        }
    load_state(p, m, kept_state(p, c, row), m->state);
    multiply(reads, V, m->width, -ALL, ALL, grad, V, 1, m->state, m->row, m->grad_queries, m->row,
             0);
    multiply(reads, c.steps, m->width, -ALL, c.first, m->grad_scores, CHUNK, 1, m->keys, m->row,
             m->grad_queries, m->row, 1);
    multiply(c.steps, reads, m->width, -c.first, ALL, m->grad_scores, 1, CHUNK, m->queries, m->row,
             m->grad_keys, m->row, 1);
    multiply(V, reads, m->width, -ALL, ALL, grad, 1, V, m->queries, m->row, m->grad_state, m->row,
             1);
    turn_back(p, m, c);
}

void memory_backward(const Memory *p) {
    const int64_t F = p->frequencies, V = p->values, D = 2 * F, next = p->rows * V;
    Parts m = lay_out(p);
    const float *cosine = m.turns.rounded, *sine = cosine + F;
    for (int64_t row = 0; row < p->rows; row++) {
        float *grad_state = p->grad_state + row * V * D;
        load_state(p, &m, grad_state, m.grad_state);
        for (int64_t number = memory_chunks(p->steps) - 1; number >= 0; number--) {
            Chunk c = chunk_at(p->steps, p->reads, number);
            const float *z0 = p->kept_z + (number * p->rows + row) * D;
            const int64_t at = c.start * p->rows + row;
            for (int64_t i = 0; i < D; i++) m.z[i] = z0[i];
            make_keys(p, &m, c, row);
            dots(&m, c.steps, V, ALL, m.keys, m.grad_state, p->grad_v + at * V, next);
            multiply(c.steps, V, m.width, -ALL, ALL, m.v, V, 1, m.grad_state, m.row, m.grad_keys,
                     m.row, 0);
            if (c.first < c.steps) read_back(p, &m, c, row);
            run_clock_back(c.steps, F, cosine, sine, p->f + at, p->rows, z0, m.keys, m.row,
                           m.inverse, F, m.grad_keys, p->grad_z + row * D, p->grad_f + at);
        }
        copy_rows(V, D, m.grad_state, m.row, grad_state, D);
    }
}
