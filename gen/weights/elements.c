/* Numbers as files store them, read byte by byte so that the host's byte order does not
 * matter. */
#include <math.h>
#include <string.h>

#include "gen/weights/reader.h"

size_t element_size(ElementType type)
{
    static const uint8_t sizes[] = {
        [ELEMENT_BOOL] = 1, [ELEMENT_U8] = 1,  [ELEMENT_U16] = 2,  [ELEMENT_U32] = 4,
        [ELEMENT_U64] = 8,  [ELEMENT_I8] = 1,  [ELEMENT_I16] = 2,  [ELEMENT_I32] = 4,
        [ELEMENT_I64] = 8,  [ELEMENT_F16] = 2, [ELEMENT_BF16] = 2, [ELEMENT_F32] = 4,
        [ELEMENT_F64] = 8,
    };
    return sizes[type];
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of_half(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 0) { /* zero and subnormals: steps of 2^-24 */
        float size = ldexpf((float)fraction, -24);
        return sign ? -size : size;
    }
    exponent = exponent == 31 ? 255 : exponent + (127 - 15);
    return float_of_bits(sign | exponent << 23 | fraction << 13);
}

static float load(ElementType type, bool big_endian, const uint8_t *bytes)
{
    int size = (int)element_size(type);
    uint64_t bits = 0;
    for (int i = 0; i < size; i++)
        bits |= (uint64_t)bytes[big_endian ? size - 1 - i : i] << 8 * i;
    switch (type) {
    case ELEMENT_BOOL:
        return bits != 0;
    case ELEMENT_U8:
    case ELEMENT_U16:
    case ELEMENT_U32:
    case ELEMENT_U64:
        return (float)bits;
    case ELEMENT_I8:
        return (int8_t)bits;
    case ELEMENT_I16:
        return (int16_t)bits;
    case ELEMENT_I32:
        return (float)(int32_t)bits;
    case ELEMENT_I64:
        return (float)(int64_t)bits;
    case ELEMENT_F16:
        return float_of_half((uint32_t)bits);
    case ELEMENT_BF16:
        return float_of_bits((uint32_t)bits << 16);
    case ELEMENT_F32:
        return float_of_bits((uint32_t)bits);
    case ELEMENT_F64:
        return (float)double_of_bits(bits);
    }
    return 0; /* every type returned above */
}

void elements_copy(const ElementView *view, float *values)
{
    size_t size = element_size(view->type), count = 1;
    for (int i = 0; i < view->rank; i++)
        count *= (size_t)view->shape[i];
    int64_t index[4] = {0};
    uint64_t at = 0;
    for (size_t n = 0; n < count; n++) {
        values[n] = load(view->type, view->big_endian, view->data + at * size);
        for (int i = view->rank - 1; i >= 0; i--) {
            at += view->stride[i];
            if (++index[i] < view->shape[i])
                break;
            at -= view->stride[i] * (uint64_t)view->shape[i];
            index[i] = 0;
        }
    }
}
