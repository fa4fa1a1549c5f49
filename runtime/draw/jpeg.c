/* JPEG in, through libjpeg-turbo. It leaves by longjmp, so the function that calls setjmp
 * owns nothing that its caller does not free. */
#include "runtime/base/support.h"
#include "runtime/draw/decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

enum {
    MOST_SCANS = 500,       /* each goes over the whole picture again */
    MOST_MEMORY = 512 << 20 /* bytes, of a progressive one's coefficients */
};

typedef struct {
    struct jpeg_error_mgr manager; /* first: libjpeg hands it back */
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    PictureError *error;
} Context;

static void on_error(j_common_ptr jpeg)
{
    Context *context = (Context *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    context->manager.format_message(jpeg, text);
    decode_fail(context->error, "a broken JPEG picture: %s", text);
    longjmp(context->leave, 1);
}

/* libjpeg warns and goes on in grey. Bytes too many, or of a wrong profile, leave the
 * picture whole; one that ends early is not. */
static void on_message(j_common_ptr jpeg, int level)
{
    int code = jpeg->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER))
        on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg)
{
    Context *context = (Context *)jpeg->err;
    if (jpeg->is_decompressor &&
        ((j_decompress_ptr)jpeg)->input_scan_number > MOST_SCANS) {
        decode_fail(context->error, "a JPEG picture of more than %d scans", MOST_SCANS);
        longjmp(context->leave, 1);
    }
}

/* Adobe's programs write ink as 255 - ink, and they alone write CMYK. */
static void cmyk_to_rgb(const uint8_t *from, uint8_t *to, int count, bool inverted)
{
    for (int i = 0; i < count; i++, from += 4, to += 3) {
        int k = inverted ? from[3] : 255 - from[3];
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)(((inverted ? from[c] : 255 - from[c]) * k + 127) / 255);
    }
}

/* By the first EXIF block. */
static void turn(const struct jpeg_decompress_struct *jpeg, Picture *picture)
{
    static const char start[] = "Exif\0"; /* and another 0 */
    for (const struct jpeg_marker_struct *it = jpeg->marker_list; it; it = it->next) {
        if (it->data_length < sizeof start || memcmp(it->data, start, sizeof start) != 0)
            continue;
        decode_turn(picture, it->data + sizeof start, it->data_length - sizeof start);
        break;
    }
}

static bool read_rows(struct jpeg_decompress_struct *jpeg, Context *context,
                      const uint8_t *data, size_t bytes, Picture *picture, uint8_t **row)
{
    if (setjmp(context->leave))
        return false;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &context->progress;
    jpeg->mem->max_memory_to_use = MOST_MEMORY;
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff); /* EXIF */
    jpeg_mem_src(jpeg, data, bytes);
    jpeg_read_header(jpeg, TRUE);
    if (!decode_begin(picture, jpeg->image_width, jpeg->image_height, context->error))
        return false;
    bool cmyk = jpeg->num_components == 4;
    jpeg->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    *row = rt_alloc((size_t)picture->width * 4);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to =
            picture->pixels + (size_t)jpeg->output_scanline * (size_t)picture->width * 3;
        JSAMPROW rows[] = {cmyk ? *row : to};
        jpeg_read_scanlines(jpeg, rows, 1);
        if (cmyk)
            cmyk_to_rgb(*row, to, picture->width, jpeg->saw_Adobe_marker);
    }
    turn(jpeg, picture); /* its markers go with what finishes */
    jpeg_finish_decompress(jpeg);
    return true;
}

bool decode_jpeg(const uint8_t *data, size_t bytes, Picture *picture, PictureError *error)
{
    struct jpeg_decompress_struct jpeg = {0};
    Context context = {.error = error, .progress = {.progress_monitor = on_progress}};
    uint8_t *row = NULL;
    jpeg.err = jpeg_std_error(&context.manager);
    context.manager.error_exit = on_error;
    context.manager.emit_message = on_message;
    bool ok = read_rows(&jpeg, &context, data, bytes, picture, &row);
    jpeg_destroy_decompress(&jpeg);
    free(row);
    return ok;
}
