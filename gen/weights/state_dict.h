/* Which of a PyTorch checkpoint's values are the weights. */
#ifndef LATHE_STATE_DICT_H
#define LATHE_STATE_DICT_H

#include "gen/weights/value.h"

/* Whether a value stands for a tensor, of whichever kind: a call of one of PyTorch's
 * functions that rebuild them. */
bool state_is_tensor(const Value *value);

/* The dictionary of tensors under `key` ("model", "ema.state_dict"), or, when `key` is
 * NULL, the only one there is. NULL and rt_fail: there is none, or there are several. */
const Value *state_find(const char *path, Value *root, const char *key);

/* What else the checkpoint holds, "epoch, args (argparse.Namespace)"; NULL when nothing;
 * free() it. */
char *state_beside(const Value *root, const Value *state);

#endif
