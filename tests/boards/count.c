/* A plugin of QEMU (interface 1): counts the instructions that a program executes, and
 * writes how many to the file that `out=` names. QEMU's header is not in Debian's
 * packages. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t Id;
struct qemu_plugin_tb;
enum { ADD_U64 = 0 };
typedef void OnBlock(Id id, struct qemu_plugin_tb *block);
typedef void OnEnd(Id id, void *context);
void qemu_plugin_register_vcpu_tb_trans_cb(Id id, OnBlock *call);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation,
                                              void *counter, uint64_t by);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
void qemu_plugin_register_atexit_cb(Id id, OnEnd *call, void *context);

#define VISIBLE __attribute__((visibility("default")))
VISIBLE int qemu_plugin_version = 1;
VISIBLE int qemu_plugin_install(Id id, const void *info, int argc, char **argv);

static uint64_t executed;

static void on_block(Id id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed,
                                             qemu_plugin_tb_n_insns(block));
}

static void on_end(Id id, void *path)
{
    (void)id;
    FILE *file = fopen(path, "w");
    if (file) {
        fprintf(file, "%" PRIu64 "\n", executed);
        fclose(file);
    }
}

int qemu_plugin_install(Id id, const void *info, int argc, char **argv)
{
    static char path[4096];
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
        return -1;
    snprintf(path, sizeof path, "%s", argv[0] + 4);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    qemu_plugin_register_atexit_cb(id, on_end, path);
    return 0;
}
