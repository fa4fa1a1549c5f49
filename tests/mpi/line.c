/* A network's line between two network namespaces of this machine, for kernels without
 * netem: what goes into the TUN device of one comes out of the other's after a delay, no
 * faster than a rate. 0 megabits: as fast as it can.
 *   line NAMESPACE NAMESPACE DEVICE MEGABITS_PER_S MICROSECONDS
 * Both have the device, as `ip tuntap add DEVICE mode tun` makes it. Runs until it is
 * killed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_BYTES = 65536, SLOTS = 512 }; /* a router's memory: 32 MB */

typedef struct {
    long due; /* when it is at the other end; nanoseconds */
    int bytes;
    char data[MOST_BYTES];
} Packet;

/* Packets on their way: those of slots `first` and on. */
typedef struct {
    int from, to;
    Packet *packets;
    unsigned first, count;
    long free; /* when the last one has gone out */
} Direction;

static double bits_per_ns;
static long delay;

static _Noreturn void stop(const char *what)
{
    perror(what);
    exit(1);
}

static long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int device_of(const char *name, const char *device)
{
    char path[256];
    snprintf(path, sizeof path, "/var/run/netns/%s", name);
    int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) != 0)
        stop(path);
    close(space);
    int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &request) != 0)
        stop(device);
    return tun;
}

/* As many as have come, and find room. */
static void take(Direction *d)
{
    while (d->count < SLOTS) {
        Packet *it = &d->packets[(d->first + d->count) % SLOTS];
        it->bytes = (int)read(d->from, it->data, sizeof it->data);
        if (it->bytes < 0 && errno != EAGAIN)
            stop("read");
        if (it->bytes <= 0)
            return;
        long start = now();
        d->free = start > d->free ? start : d->free;
        if (bits_per_ns > 0)
            d->free += (long)(8 * it->bytes / bits_per_ns);
        it->due = d->free + delay;
        d->count++;
    }
}

/* Those that have arrived. */
static void hand_over(Direction *d)
{
    while (d->count > 0 && d->packets[d->first].due <= now()) {
        const Packet *it = &d->packets[d->first];
        if (write(d->to, it->data, it->bytes) < 0 && errno != EAGAIN && errno != EIO)
            stop("write");
        d->first = (d->first + 1) % SLOTS;
        d->count--;
    }
}

static long sooner(const Direction *d, long due)
{
    return d->count > 0 && d->packets[d->first].due < due ? d->packets[d->first].due
                                                          : due;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: line NAMESPACE NAMESPACE DEVICE MEGABITS MICROSECONDS\n");
        return 1;
    }
    bits_per_ns = atof(argv[4]) / 1e3;
    delay = (long)(atof(argv[5]) * 1e3);
    int a = device_of(argv[1], argv[3]), b = device_of(argv[2], argv[3]);
    Direction both[] = {{.from = a, .to = b}, {.from = b, .to = a}};
    for (int i = 0; i < 2; i++)
        if ((both[i].packets = calloc(SLOTS, sizeof(Packet))) == NULL)
            stop("calloc");
    prctl(PR_SET_TIMERSLACK, 1UL);
    setpriority(PRIO_PROCESS, 0, -20);
    for (;;) {
        const long never = now() + 1000000000L;
        long wait = sooner(&both[1], sooner(&both[0], never)) - now();
        struct pollfd polled[2];
        for (int i = 0; i < 2; i++)
            polled[i] =
                (struct pollfd){both[i].from, both[i].count < SLOTS ? POLLIN : 0, 0};
        wait = wait > 0 ? wait : 0;
        ppoll(polled, 2, &(struct timespec){wait / 1000000000L, wait % 1000000000L},
              NULL);
        for (int i = 0; i < 2; i++) {
            take(&both[i]);
            hand_over(&both[i]);
        }
    }
}
