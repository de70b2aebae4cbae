/* Fast weights, over L steps of B rows, and their way back:
 *
 *     S_t = al_t S_{t-1} + k_t r_t^T,  y_t = S_t^T q_t
 *
 * Without the delta rule r_t = v_t; with it r_t = be_t (v_t - al_t S_{t-1}^T k_t). D numbers in a
 * key, V in a value. The last S steps read.
 *
 * It works in chunks, as engine/fast_weights.py does, which names the sources. With G_t = the sum of
 * log al over the steps of a chunk up to t, and S the state before it:
 *
 *     p_t = v_t - e^G_t S^T k_t - sum_{u < t} e^(G_t - G_u) (k_t k_u) r_u,  r_t = be_t p_t
 *     y_t = e^G_t S^T q_t + sum_{u <= t} e^(G_t - G_u) (q_t k_u) r_u
 *
 * All products run along the numbers of a key or along the steps of the chunk, so S is kept as
 * (V, D), and of what has one number for each step and value, (V, CHUNK). Steps that a chunk lacks
 * are zeros. */
#include "chunks.h"
#include "exponential.h"

/* The same layout as builds.FastWeights in Python. */
typedef struct {
    int64_t steps, rows, keys, values, reads;
    const float *q;         /* (S, B, D) */
    const float *k;         /* (L, B, D) */
    const float *v;         /* (L, B, V) */
    const float *log_decay; /* (L, B): log al; NULL: no decay */
    const float *beta;      /* (L, B): be; NULL: without the delta rule */
    float *state;           /* (B, V, D): before the first step; becomes that after the last */
    float *y;               /* (S, B, V): is filled */
    float *kept_states;     /* (chunks, B, V, D): before each chunk; NULL: keep nothing */
    float *kept_p;          /* (L, B, V); with the delta rule */
    const float *grad_y;    /* (S, B, V) */
    float *grad_state;      /* of the last one; becomes that of the first */
    float *grad_q, *grad_k, *grad_v, *grad_log_decay, *grad_beta; /* are filled */
    float *scratch;         /* fast_weights_scratch() floats; zeros */
} FastWeights;

/* Parts of the scratch. Those of a (CHUNK, CHUNK) have a row for each step that reads or replaces,
 * and a column for each that it meets. */
typedef struct {
    int64_t width, row;                 /* of keys and of S, see chunks.h */
    float *k, *q, *grad_k, *grad_q;     /* (CHUNK, row) */
    float *state, *grad_state;          /* (V, row) */
    float *k_columns, *q_columns;       /* (D, CHUNK) */
    float *read_decay, *last_decay;     /* (CHUNK): e^G_t, and e^(G_last - G_t) */
    float *decay;                       /* (CHUNK, CHUNK): e^(G_t - G_u), u <= t */
    float *grad_sum;                    /* (CHUNK): of G */
    float *met, *grad_met;              /* (CHUNK, CHUNK): with the delta rule */
    float *scores, *grad_scores;        /* (CHUNK, CHUNK) */
    float *p, *r;                       /* (CHUNK, V) */
    float *r_columns, *grad_r;          /* (V, CHUNK) */
    float *from_state, *to_state, *y;   /* (V, CHUNK) */
} Parts;

static int64_t lay_out(int64_t keys, int64_t values, float *scratch, Parts *m) {
    const int64_t row = distance(keys), wide = CHUNK * row, square = CHUNK * CHUNK;
    const int64_t tall = CHUNK * keys, values_of_all = CHUNK * values;
    float *next = scratch;
    m->width = padded(keys);
    m->row = row;
    struct {
        float **part;
        int64_t size;
    } parts[] = {
        {&m->k, wide}, {&m->q, wide}, {&m->grad_k, wide}, {&m->grad_q, wide},
        {&m->state, values * row}, {&m->grad_state, values * row},
        {&m->k_columns, tall}, {&m->q_columns, tall},
        {&m->read_decay, CHUNK}, {&m->last_decay, CHUNK}, {&m->decay, square},
        {&m->grad_sum, CHUNK}, {&m->met, square}, {&m->grad_met, square},
        {&m->scores, square}, {&m->grad_scores, square},
        {&m->p, values_of_all}, {&m->r, values_of_all}, {&m->r_columns, values_of_all},
        {&m->grad_r, values_of_all}, {&m->from_state, values_of_all},
        {&m->to_state, values_of_all}, {&m->y, values_of_all},
    };
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].part = next;
        next += parts[i].size;
    }
    return next - scratch;
}

int64_t fast_weights_scratch(int64_t keys, int64_t values) {
    Parts m;
    return lay_out(keys, values, 0, &m);
}

/* ---- a chunk of a row ---- */

static void transpose_into(int64_t rows, int64_t columns, const float *restrict from,
                           int64_t from_row, float *restrict to, int64_t to_row) {
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++) to[j * to_row + i] = from[i * from_row + j];
}

INLINE float dot(int64_t width, const float *a, const float *b) {
    vec sum = all(0);
    for (int64_t i = 0; i < width; i += LANES) sum += load(a + i) * load(b + i);
    float total = 0;
    for (int i = 0; i < LANES; i++) total += sum[i];
    return total;
}

/* Steps of one row of a tensor (steps, B, numbers); zeros for those before and after. */
static void load_steps(const FastWeights *p, int64_t row, int64_t numbers, const float *tensor,
                       int64_t from, int64_t first, int64_t end, float *to, int64_t to_row) {
    const int64_t next = p->rows * numbers;
    for (int64_t t = 0; t < CHUNK; t++)
        if (t < first || t >= end) memset(to + t * to_row, 0, numbers * sizeof(float));
    copy_rows(end - first, numbers, tensor + from * next + row * numbers, next,
              to + first * to_row, to_row);
}

/* A state, or its gradients, with zeros where rows are padded: those of the row before may have
 * become NaN. */
static void load_state(const FastWeights *p, const Parts *m, const float *from, float *to) {
    memset(to, 0, p->values * m->row * sizeof(float));
    copy_rows(p->values, p->keys, from, p->keys, to, m->row);
}

static float *kept_state(const FastWeights *p, Chunk c, int64_t row) {
    return p->kept_states + (c.number * p->rows + row) * p->values * p->keys;
}

static void make_decay(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    float sum[CHUNK], total = 0;
    for (int64_t t = 0; t < CHUNK; t++) {
        if (t < c.steps) total += p->log_decay[(c.start + t) * p->rows + row];
        sum[t] = total;
    }
    for (int64_t t = 0; t < CHUNK; t += LANES) {
        store(m->read_decay + t, exp_(load(sum + t)));
        store(m->last_decay + t, exp_(total - load(sum + t)));
    }
    for (int64_t t = 0; t < CHUNK; t++)
        for (int64_t u = 0; u <= t; u += LANES)
            store(m->decay + t * CHUNK + u, exp_(sum[t] - load(sum + u)));
}

/* Of each row t keep the columns u <= t + high, times their decay. */
static void keep_earlier(const FastWeights *p, const Parts *m, int64_t high, float *matrix) {
    for (int64_t t = 0; t < CHUNK; t++) {
        float *restrict of = matrix + t * CHUNK;
        const float *restrict decay = m->decay + t * CHUNK;
        const int64_t end = t + high + 1;
        if (p->log_decay)
            for (int64_t u = 0; u < end; u++) of[u] *= decay[u];
        memset(of + end, 0, (CHUNK - end) * sizeof(float));
    }
}

/* Keys, and what was kept of p if there is any, else the values. */
static void load_chunk(const FastWeights *p, const Parts *m, Chunk c, int64_t row,
                       const float *values) {
    load_steps(p, row, p->keys, p->k, c.start, 0, c.steps, m->k, m->row);
    transpose_into(CHUNK, p->keys, m->k, m->row, m->k_columns, CHUNK);
    load_steps(p, row, p->values, values, c.start, 0, c.steps, m->p, p->values);
    if (p->log_decay) make_decay(p, m, c, row);
}

static float beta_at(const FastWeights *p, Chunk c, int64_t row, int64_t t) {
    return t < c.steps ? p->beta[(c.start + t) * p->rows + row] : 0;
}

/* Of p make r, and its columns. */
static void make_r(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values;
    for (int64_t t = 0; t < CHUNK; t++) {
        const float beta = p->beta ? beta_at(p, c, row, t) : 1;
        for (int64_t j = 0; j < V; j++) m->r[t * V + j] = beta * m->p[t * V + j];
    }
    transpose_into(CHUNK, V, m->r, V, m->r_columns, CHUNK);
}

/* How much each key meets of those before it in the chunk. */
static void make_met(const FastWeights *p, const Parts *m) {
    multiply(CHUNK, p->keys, CHUNK, -ALL, ALL, m->k, m->row, 1, m->k_columns, CHUNK, m->met, CHUNK,
             0);
    keep_earlier(p, m, -1, m->met);
}

/* Of the values in m->p make p. */
static void replace(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values;
    make_met(p, m);
    multiply(V, p->keys, CHUNK, -ALL, ALL, m->state, m->row, 1, m->k_columns, CHUNK, m->from_state,
             CHUNK, 0);
    for (int64_t t = 0; t < c.steps; t++) {
        float *of = m->p + t * V, beta = beta_at(p, c, row, t);
        const float decay = p->log_decay ? m->read_decay[t] : 1;
        for (int64_t j = 0; j < V; j++) of[j] -= decay * m->from_state[j * CHUNK + t];
        for (int64_t u = 0; u < t; u++)
            add_scaled(V, -m->met[t * CHUNK + u], m->r + u * V, of);
        for (int64_t j = 0; j < V; j++) m->r[t * V + j] = beta * of[j];
    }
}

static void read_chunk(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values, next = p->rows * V;
    float *y = p->y + c.read * next + row * V;
    load_steps(p, row, p->keys, p->q, c.read, c.first, c.steps, m->q, m->row);
    transpose_into(CHUNK, p->keys, m->q, m->row, m->q_columns, CHUNK);
    multiply(CHUNK, p->keys, CHUNK, -ALL, ALL, m->q, m->row, 1, m->k_columns, CHUNK, m->scores,
             CHUNK, 0);
    keep_earlier(p, m, 0, m->scores);
    transpose_into(CHUNK, CHUNK, m->scores, CHUNK, m->grad_scores, CHUNK);
    multiply(V, p->keys, CHUNK, -ALL, ALL, m->state, m->row, 1, m->q_columns, CHUNK, m->y, CHUNK,
             0);
    if (p->log_decay)
        for (int64_t j = 0; j < V; j++)
            for (int64_t t = 0; t < CHUNK; t++) m->y[j * CHUNK + t] *= m->read_decay[t];
    multiply(V, CHUNK, CHUNK, -ALL, ALL, m->r_columns, CHUNK, 1, m->grad_scores, CHUNK, m->y,
             CHUNK, 1);
    for (int64_t t = c.first; t < c.steps; t++, y += next)
        for (int64_t j = 0; j < V; j++) y[j] = m->y[j * CHUNK + t];
}

/* to = from times the decay of each step; (V, CHUNK) */
static void decayed(const FastWeights *p, const float *decay, const float *restrict from,
                    float *restrict to) {
    for (int64_t j = 0; j < p->values; j++)
        for (int64_t t = 0; t < CHUNK; t++)
            to[j * CHUNK + t] = p->log_decay ? decay[t] * from[j * CHUNK + t] : from[j * CHUNK + t];
}

static void scale_state(const FastWeights *p, const Parts *m, float *state) {
    if (!p->log_decay) return;
    const float decay = m->read_decay[CHUNK - 1];
    for (int64_t i = 0; i < p->values * m->row; i++) state[i] *= decay;
}

void fast_weights_forward(const FastWeights *p) {
    const int64_t D = p->keys, V = p->values;
    Parts m;
    lay_out(D, V, p->scratch, &m);
    for (int64_t row = 0; row < p->rows; row++) {
        float *state = p->state + row * V * D;
        load_state(p, &m, state, m.state);
        for (int64_t number = 0; number < count_chunks(p->steps); number++) {
            Chunk c = chunk_at(p->steps, p->reads, number);
            if (p->kept_states) copy_rows(V, D, m.state, m.row, kept_state(p, c, row), D);
            load_chunk(p, &m, c, row, p->v);
            if (p->beta) {
                replace(p, &m, c, row);
                const int64_t next = p->rows * V;
                if (p->kept_p)
                    copy_rows(c.steps, V, m.p, V, p->kept_p + c.start * next + row * V, next);
            }
            make_r(p, &m, c, row);
            if (c.first < c.steps) read_chunk(p, &m, c, row);
            decayed(p, m.last_decay, m.r_columns, m.to_state);
            scale_state(p, &m, m.state);
            multiply(V, CHUNK, m.width, -ALL, ALL, m.to_state, CHUNK, 1, m.k, m.row, m.state,
                     m.row, 1);
        }
        copy_rows(V, D, m.state, m.row, state, D);
    }
}

/* ---- the way back ---- */

/* Of a matrix whose entries had their decay, given the gradients of the entries: adds those of G. */
static void decay_back(const Parts *m, const float *matrix, const float *grad) {
    for (int64_t t = 0; t < CHUNK; t++) {
        const float *restrict of = matrix + t * CHUNK, *restrict grad_of = grad + t * CHUNK;
        float *restrict sum = m->grad_sum;
        m->grad_sum[t] += dot(CHUNK, of, grad_of);
        for (int64_t u = 0; u < CHUNK; u++) sum[u] -= of[u] * grad_of[u];
    }
}

/* Of what keys or queries have read from the state, its gradient along them: adds those of G. */
static void state_decay_back(const Parts *m, const float *keys, const float *grad) {
    for (int64_t t = 0; t < CHUNK; t++)
        m->grad_sum[t] += dot(m->width, keys + t * m->row, grad + t * m->row);
}

/* The way back through what a chunk reads: fills the gradients of its queries and of its scores,
 * adds to those of r. m->y becomes the gradients of what was read from the state. */
static void read_back(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values, next = p->rows * V;
    const float *grad = p->grad_y + c.read * next + row * V;
    float *grad_y = m->from_state;
    memset(grad_y, 0, V * CHUNK * sizeof(float));
    for (int64_t t = c.first; t < c.steps; t++, grad += next)
        for (int64_t j = 0; j < V; j++) grad_y[j * CHUNK + t] = grad[j];
    load_steps(p, row, p->keys, p->q, c.read, c.first, c.steps, m->q, m->row);
    multiply(CHUNK, p->keys, CHUNK, -ALL, ALL, m->q, m->row, 1, m->k_columns, CHUNK, m->scores,
             CHUNK, 0);
    keep_earlier(p, m, 0, m->scores);
    multiply(V, CHUNK, CHUNK, -ALL, ALL, grad_y, CHUNK, 1, m->scores, CHUNK, m->grad_r, CHUNK, 1);
    multiply(CHUNK, V, CHUNK, -ALL, ALL, grad_y, 1, CHUNK, m->r_columns, CHUNK, m->grad_scores,
             CHUNK, 0);
    if (p->log_decay) decay_back(m, m->scores, m->grad_scores);
    keep_earlier(p, m, 0, m->grad_scores);
    decayed(p, m->read_decay, grad_y, m->y);
    multiply(CHUNK, V, m->width, -ALL, ALL, m->y, 1, CHUNK, m->state, m->row, m->grad_q, m->row, 0);
    if (p->log_decay) state_decay_back(m, m->q, m->grad_q);
    multiply(CHUNK, CHUNK, m->width, -ALL, 0, m->grad_scores, CHUNK, 1, m->k, m->row, m->grad_q,
             m->row, 1);
    copy_rows(c.steps - c.first, p->keys, m->grad_q + c.first * m->row, m->row,
              p->grad_q + (c.read * p->rows + row) * p->keys, p->rows * p->keys);
}

/* The way back through the delta rule: of the gradients of r makes those of the values, in
 * m->r, and of beta; fills those of the keys. m->from_state becomes the gradients of what was read
 * from the state. */
static void replace_back(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t V = p->values;
    float *grad = m->r;
    make_met(p, m);
    for (int64_t t = CHUNK - 1; t >= 0; t--) {
        float *of = grad + t * V, total = 0;
        const float beta = beta_at(p, c, row, t);
        for (int64_t j = 0; j < V; j++) total += of[j] * m->p[t * V + j];
        if (t < c.steps) p->grad_beta[(c.start + t) * p->rows + row] = total;
        for (int64_t j = 0; j < V; j++) of[j] *= beta;
        for (int64_t u = 0; u < t; u++) add_scaled(V, -m->met[t * CHUNK + u], of, grad + u * V);
    }
    transpose_into(CHUNK, V, grad, V, m->grad_r, CHUNK);
    for (int64_t i = 0; i < V * CHUNK; i++) m->grad_r[i] = -m->grad_r[i];
    multiply(CHUNK, V, CHUNK, -ALL, ALL, m->grad_r, 1, CHUNK, m->r_columns, CHUNK, m->grad_met,
             CHUNK, 0);
    if (p->log_decay) decay_back(m, m->met, m->grad_met);
    keep_earlier(p, m, -1, m->grad_met);
    for (int64_t t = 0; t < CHUNK; t++)
        for (int64_t u = 0; u < t; u++) m->grad_met[u * CHUNK + t] = m->grad_met[t * CHUNK + u];
    decayed(p, m->read_decay, m->grad_r, m->from_state);
    multiply(CHUNK, V, m->width, -ALL, ALL, m->from_state, 1, CHUNK, m->state, m->row, m->grad_k,
             m->row, 0);
    if (p->log_decay) state_decay_back(m, m->k, m->grad_k);
    multiply(CHUNK, CHUNK, m->width, -ALL, ALL, m->grad_met, CHUNK, 1, m->k, m->row, m->grad_k,
             m->row, 1);
}

static void chunk_back(const FastWeights *p, const Parts *m, Chunk c, int64_t row) {
    const int64_t D = p->keys, V = p->values, at = c.start * p->rows + row;
    const int reads = c.first < c.steps;
    float gradient = 0; /* of G at the last step */
    load_state(p, m, kept_state(p, c, row), m->state);
    load_chunk(p, m, c, row, p->beta ? p->kept_p : p->v);
    make_r(p, m, c, row);
    multiply(V, D, CHUNK, -ALL, ALL, m->grad_state, m->row, 1, m->k_columns, CHUNK, m->from_state,
             CHUNK, 0);
    decayed(p, m->last_decay, m->from_state, m->grad_r);
    if (p->log_decay) {
        memset(m->grad_sum, 0, CHUNK * sizeof(float));
        for (int64_t j = 0; j < V; j++)
            for (int64_t t = 0; t < CHUNK; t++)
                m->grad_sum[t] -= m->r_columns[j * CHUNK + t] * m->grad_r[j * CHUNK + t];
        for (int64_t t = 0; t < CHUNK; t++) gradient -= m->grad_sum[t];
        for (int64_t j = 0; j < V; j++)
            gradient += m->read_decay[CHUNK - 1] *
                        dot(m->width, m->state + j * m->row, m->grad_state + j * m->row);
    }
    decayed(p, m->last_decay, m->r_columns, m->to_state);
    if (reads) read_back(p, m, c, row);
    transpose_into(V, CHUNK, m->grad_r, CHUNK, m->r, V);
    if (p->beta) replace_back(p, m, c, row);
    copy_rows(c.steps, V, m->r, V, p->grad_v + at * V, p->rows * V);
    multiply(CHUNK, V, m->width, -ALL, ALL, m->to_state, 1, CHUNK, m->grad_state, m->row,
             m->grad_k, m->row, p->beta != 0);
    if (reads)
        multiply(CHUNK, CHUNK, m->width, 0, ALL, m->grad_scores, 1, CHUNK, m->q, m->row, m->grad_k,
                 m->row, 1);
    copy_rows(c.steps, D, m->grad_k, m->row, p->grad_k + at * D, p->rows * D);
    scale_state(p, m, m->grad_state);
    if (reads)
        multiply(V, CHUNK, m->width, -ALL, ALL, m->y, CHUNK, 1, m->q, m->row, m->grad_state,
                 m->row, 1);
    if (p->beta)
        multiply(V, CHUNK, m->width, -ALL, ALL, m->from_state, CHUNK, 1, m->k, m->row,
                 m->grad_state, m->row, 1);
    if (!p->log_decay) return;
    for (int64_t t = CHUNK - 1; t >= 0; t--) {
        gradient += m->grad_sum[t];
        if (t < c.steps) p->grad_log_decay[at + t * p->rows] = gradient;
    }
}

void fast_weights_backward(const FastWeights *p) {
    const int64_t size = p->values * p->keys;
    Parts m;
    lay_out(p->keys, p->values, p->scratch, &m);
    for (int64_t row = 0; row < p->rows; row++) {
        load_state(p, &m, p->grad_state + row * size, m.grad_state);
        for (int64_t number = count_chunks(p->steps) - 1; number >= 0; number--)
            chunk_back(p, &m, chunk_at(p->steps, p->reads, number), row);
        copy_rows(p->values, p->keys, m.grad_state, m.row, p->grad_state + row * size, p->keys);
    }
}
