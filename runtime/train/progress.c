/* The progress line: see progress.h. */
#include "runtime/train/progress.h"

#include "runtime/base/support.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const double redraw_seconds = 0.1, line_seconds = 10;

static long images_of_run(const Moment *moment)
{
    return (moment->epoch - 1) * moment->epoch_images + moment->images;
}

void progress_open(Progress *progress, FILE *out)
{
    *progress = (Progress){
        .out = out, .terminal = isatty(fileno(out)), .run_start = seconds_now()};
    progress->shown = progress->run_start;
}

void progress_start(Progress *progress, FILE *out, const Moment *moment)
{
    progress_open(progress, out);
    progress->run_images = images_of_run(moment);
    progress_start_epoch(progress, moment);
}

void progress_start_epoch(Progress *progress, const Moment *moment)
{
    progress->epoch_start = seconds_now();
    progress->epoch_images = moment->images;
}

void progress_clear(Progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
    fflush(progress->out);
}

static void format_time(char text[24], double seconds)
{
    if (!(seconds >= 0 && seconds < 1e9)) {
        strcpy(text, "?");
        return;
    }
    long whole = (long)(seconds + 0.5);
    if (whole < 3600)
        snprintf(text, 24, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(text, 24, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
}

/* "[=====>    ] " of exactly `width` characters. */
static void draw_bar(char *to, int width, double share)
{
    int inside = width - 3, full = (int)(share * inside);
    memset(to, ' ', (size_t)width);
    memset(to + 1, '=', (size_t)full);
    if (full < inside)
        to[1 + full] = '>';
    to[0] = '[';
    to[width - 2] = ']';
    to[width] = 0;
}

enum { TAILS = 4, TAIL_SIZE = 160 };

/* What stands behind the bar, number 0 with everything, the last with the least. */
static void format_tail(char tail[TAIL_SIZE], int number, const Moment *moment,
                        double images_per_s, double epoch_left, double run_left)
{
    char start[64], speed[40], epoch_time[24], run_time[24];
    format_time(epoch_time, epoch_left);
    format_time(run_time, run_left);
    snprintf(start, sizeof start, "%3d %%  loss %.4f  accuracy %.4f",
             (int)(100.0 * (double)moment->images / (double)moment->epoch_images),
             moment->loss, moment->accuracy);
    snprintf(speed, sizeof speed, "%.0f images/s", images_per_s);
    switch (number) {
    case 0:
        snprintf(tail, TAIL_SIZE, "%s  %s  left %s, in all %s", start, speed, epoch_time,
                 run_time);
        break;
    case 1:
        snprintf(tail, TAIL_SIZE, "%s  %s  left %s", start, speed, run_time);
        break;
    case 2:
        snprintf(tail, TAIL_SIZE, "%s  left %s", start, run_time);
        break;
    default:
        snprintf(tail, TAIL_SIZE, "%s", start);
    }
}

void progress_format(char *line, size_t size, int width, const Moment *moment,
                     double images_per_s, double epoch_left, double run_left)
{
    enum { BAR_LEAST = 12, BAR_MOST = 42 };
    char head[64], tail[TAIL_SIZE], bar[BAR_MOST + 1] = "";
    double share = (double)moment->images / (double)moment->epoch_images;
    snprintf(head, sizeof head, "epoch %d/%d ", moment->epoch, moment->epochs);
    if ((size_t)width >= size)
        width = (int)size - 1;
    int space = 0;
    for (int number = 0; number < TAILS && space < BAR_LEAST; number++) {
        format_tail(tail, number, moment, images_per_s, epoch_left, run_left);
        space = width - (int)strlen(head) - (int)strlen(tail);
    }
    if (space >= BAR_LEAST)
        draw_bar(bar, space < BAR_MOST ? space : BAR_MOST, share);
    snprintf(line, (size_t)width + 1, "%s%s%s", head, bar, tail);
}

int terminal_width(FILE *file)
{
    struct winsize size;
    if (!isatty(fileno(file)))
        return 0;
    bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return known ? size.ws_col : 80;
}

static bool is_due(const Progress *progress)
{
    return seconds_now() - progress->shown >=
           (progress->terminal ? redraw_seconds : line_seconds);
}

static void put_line(Progress *progress, const char *line)
{
    if (progress->terminal)
        fprintf(progress->out, "\r%s\033[K", line);
    else
        fprintf(progress->out, "%s\n", line);
    progress->drawn = progress->terminal;
    progress->shown = seconds_now();
    fflush(progress->out);
}

void progress_say(Progress *progress, const char *line, bool now)
{
    if (now ? progress->terminal : is_due(progress))
        put_line(progress, line);
}

void progress_show(Progress *progress, const Moment *moment)
{
    if (!is_due(progress))
        return;
    double now = seconds_now();
    long run_images = images_of_run(moment), all = moment->epochs * moment->epoch_images;
    double rate =
        (double)(moment->images - progress->epoch_images) / (now - progress->epoch_start);
    double run_rate = /* slower: evaluating counts */
        (double)(run_images - progress->run_images) / (now - progress->run_start);
    char line[256];
    /* The last column stays free: some terminals go to the next line after it. */
    int width = progress->terminal ? terminal_width(progress->out) - 1 : 90;
    progress_format(line, sizeof line, width, moment, rate,
                    (double)(moment->epoch_images - moment->images) / rate,
                    (double)(all - run_images) / run_rate);
    put_line(progress, line);
}
