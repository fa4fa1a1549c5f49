/* emit --project: what it writes is built, by cmake as it is, for the others with the
 * compilers there are and headers that say as much as theirs, and run. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/random_weights.h"

#include <stdlib.h>
#include <string.h>

#define WARNED "-Wall", "-Wextra", "-Wpedantic", "-Werror"

static const QuantCase small = {"uniform_static", {"net.width=4"}, 1, true, ""};

static void ship(const char *kind)
{
    QuantNet net;
    quant_net_open(&net, &small);
    random_checkpoint(&net.config, net.params, net.stats, in_folder("weights.ckpt"));
    ck_assert_msg(
        shipped_write(&net.config, in_folder("weights.ckpt"), in_folder("project"),
                      (ShippedOptions){
                          .project = kind,
                          .name = "tiny",
                          .selftest = strcmp(kind, "cmake") == 0 ? selftest_make : NULL}),
        "%s", rt_error());
    quant_net_close(&net);
}

/* What the words print; free() it. */
static char *output_of(const char *const *words)
{
    int status = process_run(in_folder("."), in_folder("said"), NULL, words);
    char *said = rt_read_file(in_folder("said"), NULL);
    ck_assert_msg(status == 0, "%s: status %d: %s", words[0], status, said);
    return said;
}

START_TEST(cmake_builds_and_tests)
{
    ship("cmake");
    if (!program_installed("cmake")) {
        puts("skipped: no cmake");
        return;
    }
    free(output_of((const char *const[]){"cmake", "-S", "project", "-B", "built", NULL}));
    free(output_of((const char *const[]){"cmake", "--build", "built", NULL}));
    char *said =
        output_of((const char *const[]){"sh", "-c", "cd built && ctest 2>&1", NULL});
    ck_assert_msg(strstr(said, "100% tests passed, 0 tests failed out of 1"), "%s", said);
    free(said);
    said = output_of((const char *const[]){
        "sh", "-c", "head -c 216 /dev/zero | built/tiny_classify", NULL}); /* 8x9x3 */
    ck_assert_msg(*said >= '0' && *said <= '4', "%s", said);
    free(said);
}
END_TEST

/* On the board that QEMU has. */
START_TEST(cmsis_main_runs_on_a_board)
{
    ship("cmsis");
    char *project = rt_read_file(in_folder("project/tiny.csolution.yml"), NULL);
    ck_assert_ptr_nonnull(strstr(project, "project: tiny.cproject.yml\n"));
    free(project);
    project = rt_read_file(in_folder("project/tiny.cproject.yml"), NULL);
    ck_assert(strstr(project, "file: tiny.c\n") && strstr(project, "file: main.c\n"));
    free(project);
    if (!program_installed("arm-none-eabi-gcc") ||
        !program_installed("qemu-system-arm")) {
        puts("skipped: no arm-none-eabi-gcc or qemu-system-arm");
        return;
    }
    char *command = rt_format(
        "arm-none-eabi-gcc -std=gnu99 -Wall -Wextra -Wpedantic -Werror -O2 -mthumb "
        "-mcpu=cortex-m4 -mfloat-abi=hard -c project/tiny.c project/main.c && "
        "arm-none-eabi-gcc -std=gnu99 -w -mthumb -mcpu=cortex-m4 -mfloat-abi=hard "
        "tiny.o main.o %s/tests/boards/start.c -T %s/tests/boards/board.ld "
        "-Wl,--defsym=code=0,--defsym=data=0x21000000,--no-warnings -nostartfiles "
        "--specs=nosys.specs -o program && "
        "timeout 60 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial null "
        "-semihosting-config enable=on,target=native -kernel program 2>&1",
        lathe_root(), lathe_root());
    char *said = output_of((const char *const[]){"sh", "-c", command, NULL});
    ck_assert_msg(strncmp(said, "class ", 6) == 0, "%s", said);
    free(said);
    free(command);
}
END_TEST

/* The fields that Arduino wants, a line each; the sketch, with as much of the core. */
START_TEST(arduino_library_is_complete)
{
    static const char *const fields[] = {"name=tiny\n",
                                         "version=1.0.0\n",
                                         "\nauthor=",
                                         "\nmaintainer=",
                                         "\nsentence=",
                                         "\nparagraph=",
                                         "\ncategory=Data Processing\n",
                                         "\nurl=",
                                         "\narchitectures=*\n",
                                         "\nincludes=tiny.h\n"};
    static const char core[] =
        "#include <cstdio>\n"
        "struct { void begin(long) {} void print(const char *t) { std::fputs(t, stdout); "
        "}\n"
        "    void print(unsigned long n) { std::printf(\"%lu\", n); }\n"
        "    void println(const char *t) { std::puts(t); } } Serial;\n"
        "static unsigned long micros() { static unsigned long n; return n += 7; }\n"
        "static void delay(int) {}\n"
        "#include \"project/examples/classify/classify.ino\"\n"
        "int main() { setup(); loop(); }\n";
    ship("arduino");
    char *text = rt_read_file(in_folder("project/library.properties"), NULL);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_assert_msg(strstr(text, fields[i]), "no %s in %s", fields[i], text);
    free(text);
    text = rt_read_file(in_folder("project/keywords.txt"), NULL);
    ck_assert_ptr_nonnull(strstr(text, "tiny_classify\tKEYWORD2\n"));
    free(text);
    write_text(in_folder("main.cpp"), core);
    compile_quietly((const char *const[]){"gcc", "-O1", WARNED, "-c", "-o",
                                          in_folder("tiny.o"),
                                          in_folder("project/src/tiny.c"), NULL});
    char *include = rt_format("-I%s", in_folder("project/src"));
    compile_quietly((const char *const[]){"g++", "-std=c++11", WARNED, include, "-o",
                                          in_folder("main"), in_folder("main.cpp"),
                                          in_folder("tiny.o"), NULL});
    char *said = output_of((const char *const[]){in_folder("main"), NULL});
    ck_assert_msg(strstr(said, ": 7 us\n"), "%s", said);
    free(said);
    free(include);
}
END_TEST

/* The largest bound on the stack for boards, which follow x86-64 in the header. */
static long most_stack(const char *header)
{
    static const char mark[] = "_STACK_BYTES ";
    char *text = rt_read_file(header, NULL), *at = strstr(text, "__aarch64__");
    long most = 0;
    ck_assert_ptr_nonnull(at);
    while ((at = strstr(at + 1, mark))) {
        long bytes = strtol(at + strlen(mark), NULL, 10);
        most = bytes > most ? bytes : most;
    }
    free(text);
    return most;
}

START_TEST(zephyr_application_is_complete)
{
    static const char headers[] =
        "mkdir -p zephyr/sys && "
        "echo '#include <stdio.h>\n#define printk printf' "
        ">zephyr/sys/printk.h && "
        "echo '#include <stdint.h>\nstatic inline uint32_t "
        "k_cycle_get_32(void) { static uint32_t n; return n += 9; "
        "}' >zephyr/kernel.h";
    ship("zephyr");
    char *text = rt_read_file(in_folder("project/CMakeLists.txt"), NULL);
    ck_assert_ptr_nonnull(
        strstr(text, "target_sources(app PRIVATE src/main.c src/tiny.c)\n"));
    ck_assert(strstr(text, "find_package(Zephyr") < strstr(text, "\nproject(tiny)\n"));
    free(text);
    text = rt_read_file(in_folder("project/prj.conf"), NULL);
    static const char stack[] = "CONFIG_MAIN_STACK_SIZE=";
    const char *size = strstr(text, stack);
    long most = most_stack(in_folder("project/src/tiny.h"));
    ck_assert_ptr_nonnull(size);
    ck_assert_int_gt(most, 0);
    ck_assert_int_eq(strtol(size + strlen(stack), NULL, 10), (most + 2047) / 1024 * 1024);
    free(text);
    free(output_of((const char *const[]){"sh", "-c", headers, NULL}));
    char *include = rt_format("-I%s", in_folder("."));
    compile_quietly((const char *const[]){
        "gcc", "-std=c99", WARNED, include, "-o", in_folder("main"),
        in_folder("project/src/main.c"), in_folder("project/src/tiny.c"), NULL});
    char *said = output_of((const char *const[]){in_folder("main"), NULL});
    ck_assert_msg(strncmp(said, "class ", 6) == 0 && strstr(said, ", 9 cycles\n"), "%s",
                  said);
    free(said);
    free(include);
}
END_TEST

/* The runner's part: an image handed over, the results read back: probabilities. */
START_TEST(mlperf_calls_answer)
{
    static const char header[] =
        "#include <cstdarg>\n#include <cstdint>\n#include <cstdio>\n#include <cstdlib>\n"
        "#include <cstring>\n"
        "void th_load_tensor(); void th_results(); void th_infer();\n"
        "void th_printf(const char *fmt, ...);\n"
        "void th_final_initialize(void); void th_pre(); void th_post();\n"
        "void th_command_ready(char volatile *msg);\n"
        "int th_strncmp(const char *, const char *, size_t);\n"
        "char *th_strncpy(char *, const char *, size_t);\n"
        "size_t th_strnlen(const char *, size_t); char *th_strcat(char *, const char "
        "*);\n"
        "char *th_strtok(char *, const char *); int th_atoi(const char *);\n"
        "void *th_memset(void *, int, size_t); void *th_memcpy(void *, const void *, "
        "size_t);\n"
        "int th_vprintf(const char *, va_list);\n";
    static const char runner[] =
        "#include \"api/submitter_implemented.h\"\n"
        "#include \"api/internally_implemented.h\"\n"
        "static size_t give = 216;\n"
        "size_t ee_get_buffer(uint8_t *to, size_t most)\n"
        "{\n    memset(to, 77, most);\n    return give;\n}\n"
        "void ee_serial_command_parser_callback(char *) {}\n"
        "int main()\n"
        "{\n    th_load_tensor();\n    th_infer();\n    th_results();\n"
        "    give = 9;\n    th_load_tensor();\n    return (int)th_strnlen(\"abc\", 2) - "
        "2;\n}\n";
    ship("mlperf");
    free(output_of((const char *const[]){"mkdir", "api", NULL}));
    write_text(in_folder("api/submitter_implemented.h"), header);
    write_text(in_folder("api/internally_implemented.h"),
               "size_t ee_get_buffer(uint8_t *to, size_t most);\n"
               "void ee_serial_command_parser_callback(char *);\n");
    write_text(in_folder("runner.cpp"), runner);
    char *include = rt_format("-I%s", in_folder("."));
    compile_quietly((const char *const[]){"g++", "-std=c++11", WARNED, include, "-o",
                                          in_folder("main"), in_folder("runner.cpp"),
                                          in_folder("project/submitter_implemented.cpp"),
                                          in_folder("project/tiny.c"), NULL});
    char *said = output_of((const char *const[]){in_folder("main"), NULL});
    double part[5], sum = 0;
    int end = 0;
    ck_assert_msg(sscanf(said, "m-results-[%lf,%lf,%lf,%lf,%lf]%n", &part[0], &part[1],
                         &part[2], &part[3], &part[4], &end) == 5 &&
                      end > 0,
                  "%s", said);
    for (int k = 0; k < 5; k++)
        sum += part[k];
    ck_assert_msg(sum > 0.99 && sum <= 1, "%s", said);
    ck_assert_ptr_nonnull(strstr(said, "Input db has 9 elements, expected 216\n"));
    free(said);
    free(include);
}
END_TEST

START_TEST(other_kinds_are_refused)
{
    static const struct {
        ShippedOptions options;
        const char *error;
    } wrong[] = {
        {{.project = "make"},
         "--project make: want cmake, arduino, zephyr, cmsis or mlperf"},
        {{.project = "cmake", .split = true},
         "--split: a project has the constants in the same file"},
        {{.project = "cmake", .fetch = true},
         "--fetch: a project has the constants in the same file"},
    };
    Config config = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert(
            !shipped_write(&config, "none", in_folder("project"), wrong[i].options));
        ck_assert_str_eq(rt_error(), wrong[i].error);
        rt_error_clear();
    }
}
END_TEST

Suite *projects_suite(void)
{
    TCase *tests = tcase_create("projects");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 400);
    tcase_add_test(tests, cmake_builds_and_tests);
    tcase_add_test(tests, cmsis_main_runs_on_a_board);
    tcase_add_test(tests, arduino_library_is_complete);
    tcase_add_test(tests, zephyr_application_is_complete);
    tcase_add_test(tests, mlperf_calls_answer);
    tcase_add_test(tests, other_kinds_are_refused);
    Suite *suite = suite_create("projects");
    suite_add_tcase(suite, tests);
    return suite;
}
