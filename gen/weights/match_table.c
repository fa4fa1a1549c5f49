/* A table of three columns: see match_table.h. */
#include "gen/weights/match_table.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>
#include <string.h>

const char *shape_text(int rank, const int *shape, char text[SHAPE_TEXT])
{
    strcpy(text, rank == 0 ? "a single number" : "");
    for (int i = 0, at = 0; i < rank; i++)
        at += snprintf(text + at, SHAPE_TEXT - (size_t)at, "[%d]", shape[i]);
    return text;
}

void match_table_add(MatchTable *table, const char *array, const char *shape,
                     const char *place)
{
    table->rows = rt_grow(table->rows, (size_t)(table->count + 1) * sizeof *table->rows);
    table->rows[table->count++] = (MatchRow){
        rt_format("%s", rt_shown(array)), rt_format("%s", shape), rt_format("%s", place)};
}

void match_table_print(MatchTable *table, FILE *out)
{
    int widths[2] = {(int)strlen("array"), (int)strlen("shape")};
    for (int i = 0; i < table->count; i++) {
        int array = (int)strlen(table->rows[i].array);
        int shape = (int)strlen(table->rows[i].shape);
        widths[0] = array > widths[0] ? array : widths[0];
        widths[1] = shape > widths[1] ? shape : widths[1];
    }
    fprintf(out, "%-*s  %-*s  goes to\n", widths[0], "array", widths[1], "shape");
    for (int i = 0; i < table->count; i++) {
        MatchRow *row = &table->rows[i];
        fprintf(out, "%-*s  %-*s  %s\n", widths[0], row->array, widths[1], row->shape,
                row->place);
        free(row->array);
        free(row->shape);
        free(row->place);
    }
    free(table->rows);
    *table = (MatchTable){0};
}
