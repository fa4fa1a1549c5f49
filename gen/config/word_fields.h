/* Fields of a layer's word, in the table at stack index 1. What is not as wanted raises a
 * Lua error that names the layer and the field. */
#ifndef LATHE_WORD_FIELDS_H
#define LATHE_WORD_FIELDS_H

#include "gen/ir/ir.h"

/* A whole number low..high; left out it is `otherwise`, or, where that is negative,
 * missed. */
int int_field(lua_State *lua, const char *layer, const char *field, int low, int high,
              int otherwise);
/* true or false. */
bool flag_field(lua_State *lua, const char *layer, const char *field, bool otherwise);
/* The field's string (kept alive by the table of fields), or `otherwise`. */
const char *text_field(lua_State *lua, const char *layer, const char *field,
                       const char *otherwise);
/* Of rows and of columns, each low..high: kernel = 3, or kernel = { 1, 3 }. */
void pair_field(lua_State *lua, const char *layer, const char *field, int low,
                const int high[2], int pair[2]);
/* Of a window over x whose kernel and stride are known, into the op's pads:
 * pad = "torch" ((kernel - 1) / 2 on every side), "same" (TensorFlow's: the output has
 * ceil(in / stride) pixels, the odd zero comes after), a number of pixels, or two, of
 * rows and of columns. */
void pad_field(lua_State *lua, const char *layer, Op *op, const Tensor *x);
/* count_include_pad: whether the zeros around are among what a mean is of; as PyTorch has
 * it, true, but not those of "same", as TensorFlow has it. */
void count_field(lua_State *lua, const char *layer, Op *op);

/* Any number of low..high. Left out, it is what the net's field WORD_NAME says, such as
 * net.bn_eps, or else `otherwise`. */
typedef struct {
    const char *name;
    double low, high, otherwise;
} RealRange;
double real_field(lua_State *lua, const char *word, const char *layer,
                  const RealRange *field);

/* The table of the net's own fields, at that index, for real_field. */
void words_set_net(lua_State *lua, int net);

#endif
