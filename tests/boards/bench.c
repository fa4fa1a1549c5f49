/* Classifies IMAGES times the same noise, and prints a hash of the scores. Macros as in
 * main.c; SCORE is a score's type. */
#include HEADER

#include <stdio.h>

#define JOIN(a, b) a##b
#define PASTE(a, b) JOIN(a, b)
#define SIZE(of) PASTE(UPPER, of)

static uint8_t image[SIZE(_HEIGHT) * SIZE(_WIDTH) * SIZE(_CHANNELS)];
static int64_t arena[(SIZE(_ARENA_BYTES) + 7) / 8];
static SCORE scores[SIZE(_CLASSES)];

int main(void)
{
    uint32_t seed = 1, hash = 0;
    for (size_t i = 0; i < sizeof image; i++) {
        seed = seed * 1664525 + 1013904223;
        image[i] = (uint8_t)(seed >> 24);
    }
    for (int i = 0; i < IMAGES; i++)
        PASTE(NAME, _scores)(image, arena, scores);
    for (int i = 0; i < SIZE(_CLASSES); i++)
        hash = hash * 31 + (uint32_t)(int64_t)scores[i];
    printf("%08lx\n", (unsigned long)hash);
    return 0;
}
