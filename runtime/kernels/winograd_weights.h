/* Weights of convolutions of codes at the points of transformed tiles, F(2x2, 3x3): see
 * gen/passes/winograd_codes.c. Needs dots_plain.h. */
#ifndef LATHE_WINOGRAD_WEIGHTS_H
#define LATHE_WINOGRAD_WEIGHTS_H

/* 4 G g G' of nine codes, the rows of 2 G being 2 0 0, 1 1 1, 1 -1 1, 0 0 2. */
LATHE_UNUSED static void winograd_points(const int g[9], int u[16])
{
    static const int rows[4][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};
    for (int i = 0; i < 16; i++) {
        u[i] = 0;
        for (int t = 0; t < 9; t++)
            u[i] += rows[i / 4][t / 3] * rows[i % 4][t % 3] * g[t];
    }
}

/* From words of codes [k / block][9][c / 4][block]: starts [k / width][16][width], then
 * words [k / width][16][c / 4][width]. most_code: of the tiles that they are for. */
LATHE_UNUSED static void transform_weights(const uint32_t *codes, int channels,
                                           int outputs, int block, int width,
                                           int most_code, uint32_t *to)
{
    enum { SUMMED = 5 }; /* position 1, 1 needs no start: its values are none below 0 */
    const int fours = channels / 4;
    uint32_t *words = to + 16 * outputs;
    for (int i = 0; i < 16 * outputs * (fours + 1); i++)
        to[i] = 0;
    for (int i = 0; i < outputs * channels; i++) {
        const int k = i / channels, c = i % channels;
        int g[9], u[16];
        for (int t = 0; t < 9; t++) {
            const int at = ((k / block * 9 + t) * fours + c / 4) * block + k % block;
            g[t] = (int8_t)(codes[at] >> 8 * (c % 4));
        }
        winograd_points(g, u);
        for (int p = 0; p < 16; p++) {
            const int panel = k / width * 16 + p;
            if (p != SUMMED)
                to[panel * width + k % width] -= (uint32_t)(2 * most_code * u[p]);
            words[(panel * fours + c / 4) * width + k % width] |= (uint32_t)(uint8_t)u[p]
                                                                  << 8 * (c % 4);
        }
    }
}

#endif
