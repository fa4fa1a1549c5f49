/* What `import --explain` prints: the arrays of a file, and where they go. */
#ifndef LATHE_MATCH_TABLE_H
#define LATHE_MATCH_TABLE_H

#include <stdio.h>

enum { SHAPE_TEXT = 64 };
/* "[3][3][16][16]", "a single number"; written to `text`, which is returned. */
const char *shape_text(int rank, const int *shape, char text[SHAPE_TEXT]);

typedef struct {
    char *array, *shape, *place;
} MatchRow;

typedef struct {
    MatchRow *rows;
    int count;
} MatchTable;

/* Copies the texts. */
void match_table_add(MatchTable *table, const char *array, const char *shape,
                     const char *place);
/* In columns; the table is empty then. */
void match_table_print(MatchTable *table, FILE *out);

#endif
