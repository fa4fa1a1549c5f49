/* Convolutions of codes by transformed tiles, F(4x4, 3x3) of Lavin and Gray 2016 in words
 * of 16 bits: see gen/passes/winograd_words.c. Needs dots_avx2.h. */
#ifndef LATHE_WINOGRAD_AVX2_H
#define LATHE_WINOGRAD_AVX2_H

typedef int16_t h16 __attribute__((vector_size(32), aligned(2), may_alias));
typedef uint32_t n8 __attribute__((vector_size(32), aligned(4), may_alias));

/* ---- Weights ---- */

/* Three weights at six points, times 24, the last one times 6. */
LATHE_INLINE void weights_at_points(const h16 g[3], h16 u[6])
{
    const h16 outer = (g[0] + g[2]) * -4, inner = g[1] * 4;
    const h16 far = g[0] + g[2] * 4, twice = g[1] * 2;
    u[0] = g[0] * 6;
    u[1] = outer - inner;
    u[2] = outer + inner;
    u[3] = far + twice;
    u[4] = far - twice;
    u[5] = g[2] * 6;
}

/* Of 3x3 codes, two channels of eight outputs, to [36] vectors that lie `apart` words. */
LATHE_INLINE void window_at_points(const h16 g[9], uint32_t *to, int apart)
{
    h16 columns[3][6];
    for (int j = 0; j < 3; j++) {
        const h16 column[3] = {g[j], g[3 + j], g[6 + j]};
        weights_at_points(column, columns[j]);
    }
    for (int i = 0; i < 6; i++) {
        const h16 row[3] = {columns[0][i], columns[1][i], columns[2][i]};
        h16 u[6];
        weights_at_points(row, u);
        for (int j = 0; j < 6; j++, to += apart)
            *(h16 *)(void *)to = u[j];
    }
}

/* Of `channels` channels and sixteen outputs, from words of codes that lie `block` apart
 * from four channels to the next, and `tap` apart: to pairs of channels,
 * [36][channels / 2 + 1][16]; were it a power of two from point to point, they would
 * share places in the cache. */
LATHE_UNUSED static void panel_at_points(const uint32_t *codes, int channels, int block,
                                         int tap, uint32_t *to)
{
    const int apart = 8 * channels + 16;
    for (int i = 0; i < channels / 2; i++) {
        const int c = i / 2, half = i % 2 * 8;
        const uint32_t *from = codes + c * block + half;
        h16 low[9], high[9];
        for (int t = 0; t < 9; t++, from += tap) {
            const __m256i four = _mm256_loadu_si256((const __m256i *)(const void *)from);
            const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8);
            const __m256i odd = _mm256_srai_epi16(four, 8);
            low[t] = (h16)_mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xaa);
            high[t] = (h16)_mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa);
        }
        window_at_points(low, to + 32 * c + half, apart);
        window_at_points(high, to + 32 * c + half + 16, apart);
    }
}

/* From words of codes [k / block][9][c / 4][block]: panels of all channels, [k / 16]. */
LATHE_UNUSED static void transform_words(const uint32_t *codes, int channels, int outputs,
                                         int block, uint32_t *to)
{
    const int tap = channels / 4 * block;
    for (int k = 0; k < outputs; k += 16)
        panel_at_points(codes + k / block * 9 * tap + k % block, channels, block, tap,
                        to + k * 36 * (channels / 2 + 1));
}

/* ---- Tiles ---- */

/* Six values at six points. */
LATHE_INLINE void values_at_points(h16 d0, h16 d1, h16 d2, h16 d3, h16 d4, h16 d5,
                                   h16 v[6])
{
    const h16 even = d4 - d2 * 4, odd = d3 - d1 * 4;
    const h16 step = d4 - d2, twice = (d3 - d1) * 2;
    v[0] = (d0 - d2) * 4 + step;
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = step + twice;
    v[4] = step - twice;
    v[5] = d5 - d3 - twice * 2;
}

/* Sixteen channels of a column of six pixels, `row` bytes one below the other. */
LATHE_INLINE void column_at_points(const uint8_t *x, int row, h16 v[6])
{
    h16 d[6];
    for (int i = 0; i < 6; i++)
        d[i] = (h16)_mm256_cvtepu8_epi16(
            _mm_loadu_si128((const __m128i *)(const void *)(x + i * row)));
    values_at_points(d[0], d[1], d[2], d[3], d[4], d[5], v);
}

/* A row of `across` tiles, the first of which begins at x; its points are put `apart`
 * words one from the other, [tile][channels] each. */
LATHE_INLINE void tiles_at_points(const uint8_t *x, int row, int across, int channels,
                                  int apart, int16_t *to)
{
    for (int c = 0; c < channels; c += 16) {
        const uint8_t *from = x + c;
        int16_t *put = to + c;
        h16 v[6][6];
        for (int j = 0; j < 2; j++, from += channels)
            column_at_points(from, row, v[j]);
        for (int t = 0; t < across; t++, put += channels) {
            for (int j = 2; j < 6; j++, from += channels)
                column_at_points(from, row, v[j]);
            for (int i = 0; i < 6; i++) {
                h16 u[6];
                values_at_points(v[0][i], v[1][i], v[2][i], v[3][i], v[4][i], v[5][i], u);
                for (int j = 0; j < 6; j++)
                    *(h16 *)(put + (6 * i + j) * apart) = u[j];
                v[0][i] = v[4][i];
                v[1][i] = v[5][i];
            }
        }
    }
}

/* ---- Products and sums ---- */

/* Two codes in every lane. */
LATHE_INLINE i8 two_codes(const int16_t *x)
{
    int32_t two;
    __builtin_memcpy(&two, x, 4);
    return (i8)_mm256_set1_epi32(two);
}

LATHE_INLINE i8 add_pairs(i8 sum, i8 two, i8 w)
{
    return (i8)_mm256_add_epi32((__m256i)sum,
                                _mm256_madd_epi16((__m256i)two, (__m256i)w));
}

/* Sums over some channels, added to those over others where there were any. */
LATHE_INLINE void put_sums(int32_t *to, i8 sums, int others)
{
    const __m256i before = others ? _mm256_loadu_si256((const __m256i *)(const void *)to)
                                  : _mm256_setzero_si256();
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_add_epi32(before, (__m256i)sums));
}

/* Six sums at points as four outputs, times 24. */
LATHE_INLINE void outputs_of_points(n8 m0, n8 m1, n8 m2, n8 m3, n8 m4, n8 m5, n8 y[4])
{
    const n8 outer = m1 + m2, odd = m1 - m2, far = m3 + m4, twice = (m3 - m4) * 2;
    y[0] = m0 + outer + far;
    y[1] = odd + twice;
    y[2] = outer + far * 4;
    y[3] = odd + (twice + m5) * 4;
}

/* Four by four outputs of eight channels from sums that lie `apart`. All of it modulo
 * 2^32, where dividing by 24 * 24 is multiplying by the inverse of 9, and a shift. */
LATHE_INLINE void tile_of_points(const int32_t *sums, int apart, i8 y[16])
{
    const uint32_t ninth = 0x38e38e39;
    n8 columns[6][4];
    for (int j = 0; j < 6; j++) {
        n8 m[6];
        for (int i = 0; i < 6; i++)
            m[i] = *(const n8 *)(const void *)(sums + (6 * i + j) * apart);
        outputs_of_points(m[0], m[1], m[2], m[3], m[4], m[5], columns[j]);
    }
    for (int i = 0; i < 4; i++) {
        n8 row[4];
        outputs_of_points(columns[0][i], columns[1][i], columns[2][i], columns[3][i],
                          columns[4][i], columns[5][i], row);
        for (int j = 0; j < 4; j++)
            y[4 * i + j] = (i8)(row[j] * ninth) >> 6;
    }
}

#endif
