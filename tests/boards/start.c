/* What a program needs to run on a bare Cortex-M under QEMU: vectors, start, and the
 * calls that newlib's printf comes down to, through semihosting. QEMU has filled .data
 * and cleared .bss. Ends QEMU with main's status, or with 99 after a fault. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SYS_WRITEC = 0x03,
    SYS_EXIT_EXTENDED = 0x20,
    APPLICATION_EXIT = 0x20026,
    FAULT = 99
};

extern char heap[], stack_top[];
int main(void);

static void semihost(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void _exit(int status)
{
    const uint32_t block[2] = {APPLICATION_EXIT, (uint32_t)status};
    for (;;)
        semihost(SYS_EXIT_EXTENDED, block);
}

int _write(int file, const char *text, int length)
{
    (void)file;
    for (int i = 0; i < length; i++)
        semihost(SYS_WRITEC, text + i);
    return length;
}

void *_sbrk(ptrdiff_t bytes)
{
    static char *end = heap;
    char *from = end;
    end += bytes;
    return from;
}

static void run(void)
{
    int status = main();
    fflush(NULL);
    _exit(status);
}

void reset(void)
{
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20; /* CPACR: floating point and vectors */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    run();
}

static void fault(void)
{
    _exit(FAULT);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[8] = {
    stack_top,           (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault, (const void *)fault};
