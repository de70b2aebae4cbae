/* What the memories share that work in chunks of a sequence, one row of a batch at a time: the
 * products are of matrices that stay in the cache. */
#pragma once
#include "products.h"

enum { CHUNK = 32, ALL = 1 << 20 };

typedef struct {
    int64_t number, start, steps;
    int64_t first; /* the first of its steps that reads; `steps` if none does */
    int64_t read;  /* the index of that one among all that read */
} Chunk;

INLINE int64_t count_chunks(int64_t steps) { return (steps + CHUNK - 1) / CHUNK; }

/* A chunk of a sequence of which the last steps read, `reads` of them. */
INLINE Chunk chunk_at(int64_t steps, int64_t reads, int64_t number) {
    int64_t start = number * CHUNK, left = steps - start, unread = steps - reads - start;
    Chunk c = {.number = number, .start = start, .steps = left < CHUNK ? left : CHUNK};
    c.first = unread < 0 ? 0 : unread < c.steps ? unread : c.steps;
    c.read = unread < 0 ? -unread : 0;
    return c;
}

/* Numbers in a row of keys or of a state, in whole panels, and from one row to the next: rows at a
 * distance of a power of two would share the same few places of the cache. */
INLINE int64_t padded(int64_t numbers) { return (numbers + PANEL - 1) / PANEL * PANEL; }
INLINE int64_t distance(int64_t numbers) {
    int64_t row = padded(numbers) + 16;
    return row & (row - 1) ? row : row + 16;
}

INLINE void copy_rows(int64_t rows, int64_t width, const float *from, int64_t from_row, float *to,
                      int64_t to_row) {
    for (int64_t i = 0; i < rows; i++)
        memcpy(to + i * to_row, from + i * from_row, width * sizeof(float));
}

/* to += factor * from */
INLINE void add_scaled(int64_t n, float factor, const float *restrict from, float *restrict to) {
    for (int64_t i = 0; i < n; i++) to[i] += factor * from[i];
}

/* c (rows, width) = or += a b, where a(i, k) = a[i a_row + k a_step] is 0 for k < i + low and for
 * k > i + high; the width in whole panels. */
static void multiply(int64_t rows, int64_t inner, int64_t width, int64_t low, int64_t high,
                     const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_row,
                     float *c, int64_t c_row, int add) {
    for (int64_t j = 0; j < width; j += PANEL)
        for (int64_t i = 0, block; i < rows; i += block) {
            block = i + ROWS <= rows ? ROWS : 1;
            int64_t begin = i + low > 0 ? i + low : 0;
            int64_t end = i + block + high < inner ? i + block + high : inner;
            if (end < begin) end = begin;
            const float *from = a + i * a_row + begin * a_step, *to = b + begin * b_row + j;
            float *c_ij = c + i * c_row + j;
            if (block == ROWS)
                multiply_block(0, ROWS, end - begin, from, a_row, a_step, to, b_row, c_ij, c_row,
                               add);
            else
                multiply_block(0, 1, end - begin, from, a_row, a_step, to, b_row, c_ij, c_row,
                               add);
        }
}
