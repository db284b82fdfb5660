/* SPDX-License-Identifier: Apache-2.0
 *
 * By what name a program is known, seen from the programs of this machine; and
 * the list of those that are allowed.
 */
#include <limits.h>

#include "../keep/folder.h"
#include "apps/stdio/grant.h"
#include "apps/stdio/program.h"
#include "apps/stdio/programs.h"
#include "core/base.h"

static void
pause_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

/* The program `pid` has become what `ready` is in the name of. */
static void
look(pid_t pid, const char *ready, struct vl_program *ret)
{
    for (int i = 0; i < 500; i++) {
        if (vl_program_look(pid, ret, NULL) == VALET_OK &&
            strstr(ret->name, ready))
            return;
        pause_ms(10);
    }
    fail_msg("it is known as %s", ret->name);
}

static pid_t
begin(const char *const *args)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child)
        return child;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)execv(args[0], (char *const *)(uintptr_t)args);
    _exit(127);
}

static void
resolve(const char *path, char ret[PATH_MAX])
{
    assert_non_null(realpath(path, ret));
}

static void
a_program_is_known_by_its_path(void **state)
{
    (void)state;
    const char *const args[] = {"/bin/sleep", "60", NULL};
    char path[PATH_MAX];
    struct vl_program program;
    pid_t child = begin(args);
    resolve("/bin/sleep", path);
    look(child, "sleep", &program);
    assert_string_equal(program.name, path);
    assert_true(program.is_sure);
    stop_program(&child);
}

static void
of_an_interpreter_the_script_counts(void **state)
{
    (void)state;
    struct folder folder;
    char python[PATH_MAX], script[128], expected[PATH_MAX + 256];
    folder_make(&folder);
    (void)snprintf(script, sizeof script, "%s/a client.py", folder.name);
    write_file(script, "import time\ntime.sleep(60)\n", 0600);
    resolve("/usr/bin/python3", python);
    const char *const args[] = {"/usr/bin/python3", "-u", script, "secret",
                                NULL};
    struct vl_program program;
    pid_t child = begin(args);
    (void)snprintf(expected, sizeof expected, "%s -u %s", python, script);
    look(child, "client.py", &program);
    assert_string_equal(program.name, expected);
    assert_true(program.is_sure);
    stop_program(&child);
    folder_remove(&folder);
}

static void
code_in_the_arguments_has_no_name(void **state)
{
    (void)state;
    const char *const args[] = {"/usr/bin/python3", "-c",
                                "import time; time.sleep(60)", NULL};
    char python[PATH_MAX];
    struct vl_program program;
    pid_t child = begin(args);
    resolve("/usr/bin/python3", python);
    look(child, "python", &program);
    assert_string_equal(program.name, python);
    assert_false(program.is_sure);
    stop_program(&child);
}

/* The shell is a child of ours: behind it stands this very test. */
static void
a_shell_is_looked_behind(void **state)
{
    (void)state;
    const char *const args[] = {"/bin/sh", "-c", "sleep 60; exit", NULL};
    char own[PATH_MAX];
    struct vl_program program;
    resolve("/proc/self/exe", own);
    pid_t child = begin(args);
    look(child, own, &program);
    assert_string_equal(program.name, own);
    assert_true(program.is_sure);
    stop_program(&child);
}

static void
what_was_replaced_since_it_began_is_not_sure(void **state)
{
    (void)state;
    struct folder folder;
    char copy[128], command[256];
    folder_make(&folder);
    (void)snprintf(copy, sizeof copy, "%s/client", folder.name);
    (void)snprintf(command, sizeof command, "cp /bin/sleep %s", copy);
    assert_int_equal(system(command), 0);
    const char *const args[] = {copy, "60", NULL};
    struct vl_program program;
    pid_t child = begin(args);
    look(child, copy, &program);
    assert_true(program.is_sure);
    assert_int_equal(unlink(copy), 0);
    write_file(copy, "another", 0700);
    assert_ok(vl_program_look(child, &program, NULL));
    assert_false(program.is_sure);
    stop_program(&child);
    folder_remove(&folder);
}

static void
a_parent_that_has_gone_is_not_found(void **state)
{
    (void)state;
    struct vl_program program;
    valet_error err = {0};
    assert_int_equal(vl_program_find(getpid(), &program, &err),
                     VALET_NOT_FOUND);
    assert_non_null(strstr(err.message, "has ended"));
    assert_int_equal(vl_program_find(0, &program, &err), VALET_NOT_FOUND);
}

/* --- the list --- */

static void
go_home(struct folder *home)
{
    folder_make(home);
    (void)setenv("XDG_CONFIG_HOME", home->name, 1);
}

static void
leave_home(const struct folder *home)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/mcp-valet/programs.json", home->name);
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    (void)rmdir(path);
    folder_remove(home);
}

static bool
has(const char *name)
{
    vl_auto(vl_programs) programs;
    assert_ok(vl_programs_read(&programs, NULL));
    return vl_programs_has(&programs, name);
}

static void
a_program_is_allowed_and_forgotten(void **state)
{
    (void)state;
    struct folder home;
    static const char *const odd = "'/opt/a \"b\"\\c/d\xc3\xa9'";
    go_home(&home);
    assert_false(has("/bin/a"));
    assert_ok(vl_programs_allow("/bin/a", NULL));
    assert_ok(vl_programs_allow(odd, NULL));
    assert_ok(vl_programs_allow("/bin/a", NULL));
    assert_true(has("/bin/a") && has(odd));
    assert_false(has("/bin/"));
    assert_ok(vl_programs_forget("/bin/a", NULL));
    assert_false(has("/bin/a"));
    assert_true(has(odd));
    assert_int_equal(vl_programs_forget("/bin/a", NULL), VALET_NOT_FOUND);
    leave_home(&home);
}

static void
is_written(const struct vl_grant *grant, const char *expected)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_GRANT_SIZE);
    vl_grant_write(grant, &text);
    assert_string_equal(vl_buf_cstr(&text), expected);
}

/* @spec CL-21 W-43 */
static void
what_a_program_is_let_in_for_is_written_as_one_would_write_it(void **state)
{
    (void)state;
    static const char *const scopes[] = {"Mail.Read", "api://a b/c", NULL};
    static const char *const command[] = {"npx", "it's", "", NULL};
    is_written(&(struct vl_grant){.program = "/bin/a"}, "/bin/a");
    is_written(&(struct vl_grant){.program = "/bin/node /x.js"},
               "'/bin/node /x.js'");
    is_written(&(struct vl_grant){.program = "/bin/a",
                                  .account = "ada@example.com",
                                  .scopes = scopes,
                                  .command = command},
               "/bin/a --account ada@example.com --scope Mail.Read --scope "
               "'api://a b/c' -- npx 'it'\\''s' ''");
}

static void
a_program_that_is_forgotten_has_nothing_that_it_was_allowed(void **state)
{
    (void)state;
    struct folder home;
    go_home(&home);
    assert_ok(vl_programs_allow("/bin/a --scope Mail.Read", NULL));
    assert_false(has("/bin/a"));
    assert_ok(vl_programs_allow("/bin/a", NULL));
    assert_ok(vl_programs_allow("/bin/ab", NULL));
    assert_ok(vl_programs_allow("'/bin/a b' -- c", NULL));
    assert_ok(vl_programs_forget("/bin/a", NULL));
    assert_false(has("/bin/a") || has("/bin/a --scope Mail.Read"));
    assert_true(has("/bin/ab") && has("'/bin/a b' -- c"));
    assert_ok(vl_programs_forget("/bin/a b", NULL));
    assert_false(has("'/bin/a b' -- c"));
    leave_home(&home);
}

static void
a_list_that_others_can_read_or_that_is_damaged_is_refused(void **state)
{
    (void)state;
    static const char *const damaged[] = {"", "[]", "{\"bin\":1}",
                                          "{\"/bin/a\":\"x\"}",
                                          "{\"/bin/a\":1,\"/bin/a\":2}"};
    struct folder home;
    char path[200];
    go_home(&home);
    assert_ok(vl_programs_allow("/bin/a", NULL));
    (void)snprintf(path, sizeof path, "%s/mcp-valet/programs.json", home.name);
    assert_int_equal(chmod(path, 0640), 0);
    struct vl_programs programs;
    assert_int_equal(vl_programs_read(&programs, NULL), VALET_DENIED);
    vl_programs_done(&programs);
    for (size_t i = 0; i < VL_COUNT(damaged); i++) {
        write_file(path, damaged[i], 0600);
        assert_int_equal(vl_programs_read(&programs, NULL), VALET_INVALID);
        assert_false(vl_programs_has(&programs, "/bin/a"));
        vl_programs_done(&programs);
        assert_int_equal(vl_programs_allow("/bin/b", NULL), VALET_INVALID);
    }
    leave_home(&home);
}

static void
the_list_has_an_end(void **state)
{
    (void)state;
    struct folder home;
    char name[32];
    go_home(&home);
    for (int i = 0; i < VL_PROGRAMS_MAX; i++) {
        (void)snprintf(name, sizeof name, "/bin/%d", i);
        assert_ok(vl_programs_allow(name, NULL));
    }
    assert_int_equal(vl_programs_allow("/bin/more", NULL), VALET_LIMIT);
    assert_ok(vl_programs_forget("/bin/7", NULL));
    assert_ok(vl_programs_allow("/bin/more", NULL));
    leave_home(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_known_by_its_path),
        cmocka_unit_test(of_an_interpreter_the_script_counts),
        cmocka_unit_test(code_in_the_arguments_has_no_name),
        cmocka_unit_test(a_shell_is_looked_behind),
        cmocka_unit_test(what_was_replaced_since_it_began_is_not_sure),
        cmocka_unit_test(a_parent_that_has_gone_is_not_found),
        cmocka_unit_test(a_program_is_allowed_and_forgotten),
        cmocka_unit_test(
            what_a_program_is_let_in_for_is_written_as_one_would_write_it),
        cmocka_unit_test(
            a_program_that_is_forgotten_has_nothing_that_it_was_allowed),
        cmocka_unit_test(
            a_list_that_others_can_read_or_that_is_damaged_is_refused),
        cmocka_unit_test(the_list_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
