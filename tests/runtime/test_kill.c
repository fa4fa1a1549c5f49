/* A run killed within a checkpoint, at each of the last system calls of writing it: what
 * was there before or what was written is there whole, and the resumed run is the same to
 * the bit as one that was never killed. */
#include "tests/suites.h"

#include "gen/base/private_folder.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __SANITIZE_ADDRESS__ /* its search for leaks cannot be traced */

enum { LAST = 50, BEHIND = 5, MOST_CHECKPOINTS = 8, NOT_ALLOWED = 99 };

/* System calls of a run, counted from 1, and those that put a last.ckpt in its place. */
typedef struct {
    long calls, placed[MOST_CHECKPOINTS];
    int checkpoints, status; /* as process_wait's */
} Traced;

/* Whether the call is a rename to last.ckpt. */
static bool places_checkpoint(pid_t child, const struct __ptrace_syscall_info *call)
{
    bool rename = call->entry.nr == SYS_renameat || call->entry.nr == SYS_renameat2;
    unsigned long address = call->entry.args[3];
#ifdef SYS_rename
    if (call->entry.nr == SYS_rename) {
        rename = true;
        address = call->entry.args[1];
    }
#endif
    char to[256] = "";
    struct iovec here = {to, sizeof to - 1}, there = {(void *)address, sizeof to - 1};
    return rename && process_vm_readv(child, &here, 1, &there, 1, 0) > 0 &&
           strstr(to, "/last.ckpt") != NULL;
}

/* Start a run that stops after one step, and kill it as it enters call `kill_at` (0: let
 * it end). */
static Traced trace(const char *folder, long kill_at)
{
    Traced traced = {0};
    int status, signal = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(NOT_ALLOWED);
        raise(SIGSTOP);
        _exit(RUN(DATA, "-o", folder, "--threads", "1", "--resume", "--steps", "1"));
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFSTOPPED(status))
        ptrace(PTRACE_SETOPTIONS, child, NULL,
               (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    while (WIFSTOPPED(status)) {
        struct __ptrace_syscall_info call = {0};
        bool at_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        if (at_call)
            ptrace(PTRACE_GET_SYSCALL_INFO, child, (void *)sizeof call, &call);
        if (at_call && call.op == PTRACE_SYSCALL_INFO_ENTRY) {
            traced.calls++;
            if (places_checkpoint(child, &call) && traced.checkpoints < MOST_CHECKPOINTS)
                traced.placed[traced.checkpoints++] = traced.calls;
            if (traced.calls == kill_at)
                kill(child, SIGKILL);
        }
        signal = at_call || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
        ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)signal);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
    }
    traced.status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return traced;
}

static void copy_run(const char *from, const char *to)
{
    remove_folder(to);
    const char *const words[] = {"cp", "-r", from, to, NULL};
    ck_assert_int_eq(process_run(NULL, NULL, NULL, words), 0);
}

static void check_killed_at(long call)
{
    copy_run(in_folder("before"), in_folder("b"));
    Traced traced = trace(in_folder("b"), call);
    ck_assert_int_eq(traced.status, -SIGKILL);
    int status = RUN(DATA, "-o", in_folder("b"), "--threads", "1", "--resume");
    ck_assert_msg(status == 0, "killed at call %ld: %s", call, complained);
    check_same_run("a", "b");
}

/* A checkpoint within an epoch; one at its end, when best.ckpt, log and pictures are
 * written as well, and then one more. */
START_TEST(killed_in_a_checkpoint)
{
    static const char *const steps[] = {"4", "8"};
    recipe.epochs = 2;
    model.config = "name=tiny\ntrain.epochs=2\ntrain.lr=0.1\ntrain.seed=5\n";
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--threads", "1"), 0);
    ck_assert_int_eq(
        RUN(DATA, "-o", in_folder("before"), "--threads", "1", "--steps", steps[_i]), 0);
    copy_run(in_folder("before"), in_folder("b"));
    Traced whole = trace(in_folder("b"), 0);
    if (whole.status == NOT_ALLOWED) {
        printf("skipped: killed_in_a_checkpoint: no process may be traced here\n");
        return;
    }
    ck_assert_int_eq(whole.status, 0);
    ck_assert_int_eq(whole.checkpoints, 1 + _i);
    long end = whole.placed[0] + BEHIND;
    ck_assert_int_gt(end, LAST);
    for (long call = end - LAST; call <= end; call++)
        check_killed_at(call);
    for (long call = end + 1; _i && call < whole.placed[1];
         call += 1 + (whole.placed[1] - end) / 16)
        check_killed_at(call); /* log.csv, events, pictures */
}
END_TEST

#endif

Suite *kill_suite(void)
{
    TCase *tests = tcase_create("kill");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 120);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_loop_test(tests, killed_in_a_checkpoint, 0, 2);
#endif
    Suite *suite = suite_create("kill");
    suite_add_tcase(suite, tests);
    return suite;
}
