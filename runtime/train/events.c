/* Event files: see events.h. Records as TensorFlow frames them, each an Event in the wire
 * format of protocol buffers. Five kinds of field are too few for a code generator and a
 * library of it.
 *
 *   record: length (8 bytes), check(length), the event, check(event)
 *   Event: 1 wall_time (double), 2 step, 3 file_version (text), 5 summary
 *   Summary: 1 value, repeated; Value: 1 tag (text), 2 simple_value (float) */
#include "runtime/train/events.h"

#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Protocol buffers ---- */

typedef struct {
    uint8_t *bytes;
    size_t count;
} Message;

typedef enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } Wire;

static void put_bytes(Message *message, const void *bytes, size_t count)
{
    message->bytes = rt_grow(message->bytes, message->count + count + 1);
    memcpy(message->bytes + message->count, bytes, count);
    message->count += count;
}

/* Little-endian. */
static void put_fixed(Message *message, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++, value >>= 8)
        put_bytes(message, &(uint8_t){(uint8_t)value}, 1);
}

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_varint(Message *message, uint64_t value)
{
    for (; value > 127; value >>= 7)
        put_fixed(message, value | 128, 1);
    put_fixed(message, value, 1);
}

static void put_key(Message *message, int field, Wire wire)
{
    put_varint(message, (uint64_t)field << 3 | wire);
}

static void put_double(Message *message, int field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(message, field, WIRE_64);
    put_fixed(message, bits, 8);
}

static void put_float(Message *message, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(message, field, WIRE_32);
    put_fixed(message, bits, 4);
}

static void put_text(Message *message, int field, const void *text, size_t bytes)
{
    put_key(message, field, WIRE_BYTES);
    put_varint(message, bytes);
    put_bytes(message, text, bytes);
}

/* ---- Records ---- */

/* CRC-32C, turned and shifted so that a checksum of data with checksums in it is none
 * that data of zeros would have. */
static uint32_t check(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* Append the event to the records, and free it. */
static void put_record(Message *records, Message *event)
{
    Message length = {0};
    put_fixed(&length, event->count, 8);
    put_bytes(records, length.bytes, length.count);
    put_fixed(records, check(length.bytes, length.count), 4);
    put_bytes(records, event->bytes, event->count);
    put_fixed(records, check(event->bytes, event->count), 4);
    free(length.bytes);
    free(event->bytes);
}

/* ---- Rows ---- */

/* Nothing for what the row does not know. */
static void put_value(Message *summary, const char *tag, double number)
{
    Message value = {0};
    if (!isfinite(number))
        return;
    put_text(&value, 1, tag, strlen(tag));
    put_float(&value, 2, (float)number);
    put_text(summary, 1, value.bytes, value.count);
    free(value.bytes);
}

static void put_bits(Message *summary, const Model *model, const char *bits)
{
    for (int i = 0; bits && i < model->sized_count; i++) {
        char *end, *tag = rt_format("bits/%s", model->sized[i].name);
        long number = strtol(bits, &end, 10);
        if (end != bits)
            put_value(summary, tag, (double)number);
        bits = end;
        free(tag);
    }
}

static void put_row(Message *records, const Model *model, const EpochRow *row,
                    double seconds)
{
    const struct {
        const char *tag;
        double number;
    } values[] = {
        {"loss/training", row->train_loss},
        {"loss/held_out", row->held_out_loss},
        {"loss/test", row->test_loss},
        {"accuracy/training", row->train_accuracy},
        {"accuracy/held_out", row->held_out_accuracy},
        {"accuracy/test", row->test_accuracy},
        {"learning_rate", row->lr},
        {"images_per_second", row->images_per_s},
        {"size/weights_kib", row->weights_kib},
        {"size/activations_kib", row->activations_kib},
        {"size/largest_activation_kib", row->largest_kib},
    };
    Message event = {0}, summary = {0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        put_value(&summary, values[i].tag, values[i].number);
    put_bits(&summary, model, row->bits);
    put_double(&event, 1, seconds);
    put_key(&event, 2, WIRE_VARINT);
    put_varint(&event, (uint64_t)row->epoch);
    put_text(&event, 5, summary.bytes, summary.count);
    put_record(records, &event);
    free(summary.bytes);
}

/* The history from row `first` on. */
static void put_rows(Message *records, const Model *model, const History *history,
                     int first)
{
    double seconds = 0;
    for (int i = 0; i < history->count; i++) {
        seconds += history->rows[i].seconds;
        if (i >= first)
            put_row(records, model, &history->rows[i], seconds);
    }
}

/* ---- Files ---- */

bool events_write(const char *path, const Model *model, const History *history)
{
    static const char version[] = "brain.Event:2"; /* what readers ask for */
    Replacement out;
    if (!rt_replace_begin(&out, path))
        return false;
    Message records = {0}, event = {0};
    put_double(&event, 1, 0);
    put_text(&event, 3, version, strlen(version));
    put_record(&records, &event);
    put_rows(&records, model, history, 0);
    fwrite(records.bytes, 1, records.count, out.file);
    free(records.bytes);
    return rt_replace_commit(&out);
}

bool events_append(const char *path, const Model *model, const History *history)
{
    FILE *file = fopen(path, "r+b"); /* it is there, unless somebody took it away */
    if (file == NULL)
        return events_write(path, model, history);
    Message records = {0};
    put_rows(&records, model, history, history->count - 1);
    bool ok = fseek(file, 0, SEEK_END) == 0 &&
              fwrite(records.bytes, 1, records.count, file) == records.count;
    ok = (fclose(file) == 0 && ok) || rt_fail("%s: %s", path, strerror(errno));
    free(records.bytes);
    return ok;
}
