/* The command line: flags, help, errors. See options.h. */
#include "gen/verbs/options.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

static const char *const common_names[] = {"--set", "--target", "--lower", "--cache",
                                           "--help"};
enum { COMMON = sizeof common_names / sizeof *common_names, MOST_FLAGS = 16 };

/* A value that may be left out, "[=WORD]". */
static bool is_optional(const Flag *flag)
{
    return flag->value && strncmp(flag->value, "[=", 2) == 0;
}

static void print_help(const Verb *verb)
{
    printf("usage: lathe %s %s\n\n%s\n\n", verb->name, verb->synopsis, verb->about);
    for (int i = 0; i < verb->flag_count; i++) {
        const Flag *flag = &verb->flags[i];
        char left[64];
        bool apart = flag->value && !is_optional(flag);
        snprintf(left, sizeof left, "%s%s%s", flag->name, apart ? " " : "",
                 flag->value ? flag->value : "");
        printf("  %-20s %s\n", left, flag->meaning);
    }
    puts(
        "  --set PATH=VALUE     override a config field with a Lua value; repeat for "
        "more\n"
        "  --target NAME        vnni, avx512, avx2, plain or tcc (default: the "
        "machine's best)\n"
        "  --lower HOW          heavy ops as `direct` kernels or `call`s of the "
        "runtime's\n"
        "  --cache DIR          where trainers are built and kept for the next time\n"
        "                       (default: of a checkout out/cache, else ~/.cache/lathe)\n"
        "  --help               this text");
}

static bool unknown_flag(const Verb *verb, const char *word)
{
    const char *names[MOST_FLAGS + COMMON];
    int count = 0;
    for (int i = 0; i < verb->flag_count; i++)
        names[count++] = verb->flags[i].name;
    for (int i = 0; i < COMMON; i++)
        names[count++] = common_names[i];
    const char *nearest = rt_nearest(word, names, count);
    if (nearest)
        return rt_fail("%s: unknown flag %s; did you mean %s?", verb->name, word,
                       nearest);
    return rt_fail("%s: unknown flag %s; see lathe %s --help", verb->name, word,
                   verb->name);
}

/* The value of the flag at argv[*i], as the next word or behind "=". */
static bool flag_value(const char *name, int argc, char **argv, int *i,
                       const char **value)
{
    size_t length = strlen(name);
    if (argv[*i][length] == '=') {
        *value = argv[*i] + length + 1;
        return true;
    }
    if (*i + 1 >= argc)
        return rt_fail("%s: want a value behind it", name);
    *value = argv[++*i];
    return true;
}

static bool is_flag(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 &&
           (word[length] == 0 || (word[length] == '=' && length > 2));
}

static bool parse_lowering(Options *options, const char *value)
{
    if (strcmp(value, "direct") != 0 && strcmp(value, "call") != 0)
        return rt_fail("--lower %s: want direct or call", value);
    options->lowering = strcmp(value, "call") == 0 ? LOWER_CALL : LOWER_DIRECT;
    options->compile.lowering = &options->lowering;
    return true;
}

/* One of the flags every verb has. */
static bool parse_common(Options *options, int argc, char **argv, int *i, bool *found)
{
    const char *value;
    *found = true;
    if (is_flag(argv[*i], "--set")) {
        if (!flag_value("--set", argc, argv, i, &value))
            return false;
        options->sets[options->set_count++] = value;
        return true;
    }
    if (is_flag(argv[*i], "--target"))
        return flag_value("--target", argc, argv, i, &options->target);
    if (is_flag(argv[*i], "--lower"))
        return flag_value("--lower", argc, argv, i, &value) &&
               parse_lowering(options, value);
    if (is_flag(argv[*i], "--cache"))
        return flag_value("--cache", argc, argv, i, &value) && cache_choose(value);
    *found = false;
    return true;
}

static bool parse_own(const Verb *verb, int argc, char **argv, int *i, bool *found)
{
    *found = false;
    for (int f = 0; f < verb->flag_count && !*found; f++) {
        const Flag *flag = &verb->flags[f];
        if (flag->target == NULL || !is_flag(argv[*i], flag->name))
            continue;
        *found = true;
        const char *equals = strchr(argv[*i], '=');
        if (equals && equals[1] == 0)
            return rt_fail("%s: want a value behind it", flag->name);
        if (flag->value == NULL)
            *flag->target = "1";
        else if (is_optional(flag))
            *flag->target = equals ? equals + 1 : "";
        else if (!flag_value(flag->name, argc, argv, i, flag->target))
            return false;
    }
    return true;
}

/* A flag that is the trainer's to read. */
static bool is_passed_on(const Verb *verb, const char *word)
{
    for (int f = 0; f < verb->flag_count; f++)
        if (verb->flags[f].target == NULL && is_flag(word, verb->flags[f].name))
            return verb->passes_on;
    return false;
}

static bool is_config(const char *word)
{
    size_t length = strlen(word);
    return length > 4 && strcmp(word + length - 4, ".lua") == 0;
}

static char *join(int argc, char **argv)
{
    char *text = rt_format("lathe");
    for (int i = 0; i < argc; i++) {
        char *longer = rt_format("%s %s", text, argv[i]);
        free(text);
        text = longer;
    }
    for (char *p = text; *p; p++) /* it is printed inside a C comment */
        if ((unsigned char)*p < ' ' || (*p == '*' && p[1] == '/') ||
            (*p == '/' && p[1] == '*'))
            *p = ' ';
    return text;
}

bool options_parse(Options *options, const Verb *verb, int argc, char **argv)
{
    *options = (Options){.sets = rt_alloc((argc + 1) * sizeof(char *)),
                         .rest = rt_alloc((argc + 1) * sizeof(char *)),
                         .command = join(argc, argv)};
    for (int i = 1; i < argc; i++) {
        bool found;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(verb);
            options->help = true;
            return true;
        }
        if (!parse_common(options, argc, argv, &i, &found))
            return false;
        if (!found && !parse_own(verb, argc, argv, &i, &found))
            return false;
        if (found)
            continue;
        if (options->config_path == NULL && is_config(argv[i]))
            options->config_path = argv[i];
        else if (argv[i][0] == '-' && argv[i][1] && !is_passed_on(verb, argv[i]))
            return unknown_flag(verb, argv[i]);
        else
            options->rest[options->rest_count++] = argv[i];
    }
    return true;
}

bool options_load(Options *options)
{
    if (options->config_path == NULL)
        return rt_fail("want a CONFIG, a file such as configs/resnet20_fp_cifar10.lua");
    options->compile.target = target_find(options->target);
    return options->compile.target != NULL &&
           config_load(options->config_path, options->sets, options->set_count,
                       &options->config);
}

void options_free(Options *options)
{
    free(options->sets);
    free(options->rest);
    free(options->command);
    config_free(&options->config);
}

int command_failed(void)
{
    fprintf(stderr, "lathe: %s\n", rt_error());
    return 1;
}
