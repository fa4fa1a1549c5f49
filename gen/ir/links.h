/* Who writes and who reads each tensor of a Net. */
#ifndef LATHE_LINKS_H
#define LATHE_LINKS_H

#include "gen/ir/ir.h"

/* As the Net was when it was made: what is added later is not in it. */
typedef struct {
    const Net *net;
    int *writer; /* by tensor: the first op that writes it, or NONE */
    int *first;  /* by tensor: its first reader in `readers`; one more marks the end */
    int *readers;
} Links;

/* Takes as long as there are slots. links_free() it. */
Links links_of(const Net *net);
void links_free(Links *links);

/* The op that writes the tensor (the first that does), or NULL. */
const Op *net_writer(const Links *links, int tensor);

/* How many slots read the tensor, and the op of the index-th of them, in the order of
 * ops. */
int net_readers(const Links *links, int tensor);
const Op *net_reader(const Links *links, int tensor, int index);

#endif
