/* Command lines: a table of flags, one reader of it, the help it gives, and the way back
 * to words. A program may read several tables, each into a struct of its own. */
#ifndef LATHE_FLAGS_H
#define LATHE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a flag's value is read, and the type of its field. Nothing is written to the field
 * of a flag that is not given. */
typedef enum {
    FLAG_SWITCH,   /* bool */
    FLAG_TEXT,     /* const char *, not empty */
    FLAG_OPTIONAL, /* const char *: "" where only the flag stands. Its value is "[=WORD]",
                      behind "=" only, or "[FILE]", the next word, too */
    FLAG_NUMBER,   /* long, least..most */
    FLAG_SEED,     /* FlagSeed */
    FLAG_LIST,     /* FlagWords, of a flag that may be repeated */
} FlagKind;

typedef struct {
    bool given;
    uint64_t value;
} FlagSeed;

typedef struct {
    const char **items; /* free() it */
    int count;
} FlagWords;

typedef struct {
    const char *name;  /* "--weights" or "-o" */
    const char *value; /* what it takes, for help: "FILE", "[=WORD]"; NULL for a switch */
    const char *verbs; /* those that have it, "train eval!": eval cannot do without */
    const char *help;
    FlagKind kind;
    size_t field; /* its offset */
    long least, most;
} Flag;

typedef struct {
    const Flag *flags;
    int count;
    const char *verb; /* as the table calls it; NULL: it has none of these flags, and
                         errors say of which verb they are */
    void *values;     /* the struct of the fields */
} FlagTable;

void flags_add_word(FlagWords *words, const char *word);

/* Read the words behind a verb. What is no flag goes to *words, which the caller frees.
 * False and rt_fail: an unknown flag or one of another verb, one given twice, a value
 * that is missing or out of bounds. */
bool flags_read(const FlagTable *tables, int table_count, const char *verb, int argc,
                char *const *argv, FlagWords *words);

/* Whether the flags that the verb cannot do without are given; rt_fail names the first
 * that is not. */
bool flags_complete(const FlagTable *tables, int table_count, const char *verb);

/* Whether --help or -h is among the words. */
bool flags_ask_help(int argc, char *const *argv);

/* A line for each flag of the verb. */
void flags_print(const FlagTable *tables, int table_count);

/* Append the flags whose fields are set as words that flags_read would read so; each and
 * the list are the caller's to free(). */
void flags_write(const FlagTable *table, FlagWords *words);

#endif
