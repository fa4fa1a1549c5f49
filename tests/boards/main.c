/* The self-test of an emitted file on a board, and the stack that a call takes there.
 * HEADER is the file's header, NAME and UPPER what its functions and macros begin with;
 * its main is called selftest. */
#include HEADER

#include <stdio.h>
#include <string.h>

#define JOIN(a, b) a##b
#define PASTE(a, b) JOIN(a, b)
#define SIZE(of) PASTE(UPPER, of)

enum { FILL = 0xa5, NEAR = 64 }; /* bytes of this function's own */

int selftest(void);

static uint8_t image[SIZE(_HEIGHT) * SIZE(_WIDTH) * SIZE(_CHANNELS)];
static int64_t arena[(SIZE(_ARENA_BYTES) + 7) / 8];

/* Bytes below this function's frame that a call changes. */
__attribute__((noinline)) static int stack_of_a_call(void)
{
    char *top = (char *)__builtin_frame_address(0) - NEAR;
    char *bottom = top - 2 * SIZE(_STACK_BYTES);
    for (char *at = bottom; at < top; at++)
        *(volatile char *)at = (char)FILL;
    PASTE(NAME, _classify)(image, arena);
    while (bottom < top && *(volatile char *)bottom == (char)FILL)
        bottom++;
    return (int)(top - bottom);
}

int main(void)
{
    int used = stack_of_a_call();
    if (used > SIZE(_STACK_BYTES))
        printf("%d bytes of stack used, %d in the header\n", used, SIZE(_STACK_BYTES));
    return selftest() || used > SIZE(_STACK_BYTES);
}
