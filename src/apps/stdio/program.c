/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/program.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/status.h"

/* What a command line may have; what stands behind is not looked at. */
#define ARGS_MAX 16384
/* Shells that call shells. */
#define DEPTH_MAX 16

/* One process, as the kernel shows it. */
struct process {
    pid_t pid, parent;
    char exe[PATH_MAX];
    bool is_sure; /* what is at that path is what runs */
};

/* --- what the kernel shows --- */

static bool
read_proc(pid_t pid, const char *what, char *ret, size_t size, size_t *ret_n)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t n = 0;
    ssize_t got;
    while (n + 1 < size && (got = read(fd, ret + n, size - 1 - n)) > 0)
        n += (size_t)got;
    (void)close(fd);
    ret[n] = '\0';
    *ret_n = n;
    return n > 0;
}

static bool
read_link(pid_t pid, const char *what, char ret[PATH_MAX])
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    ssize_t n = readlink(path, ret, PATH_MAX - 1);
    ret[n > 0 ? n : 0] = '\0';
    return n > 0 && n < PATH_MAX - 1;
}

/* The name in the parentheses is the program's own choice, and may hold
 * parentheses: what counts stands behind the last one. */
static pid_t
read_parent(pid_t pid)
{
    char stat[512];
    size_t n;
    uint64_t parent;
    const char *end;
    if (!read_proc(pid, "stat", stat, sizeof stat, &n) ||
        !(end = strrchr(stat, ')')) || strlen(end) < 5)
        return 0;
    struct vl_str rest = vl_str_z(end + 4), word;
    return vl_str_split(&rest, ' ', &word) && vl_str_u64(word, INT_MAX, &parent)
               ? (pid_t)parent
               : 0;
}

/* In a container of its own, or after an update of the program, the path leads
 * to something else than what runs, or nowhere. */
static bool
is_same_file(pid_t pid, const char *exe)
{
    char path[64];
    struct stat runs, there;
    (void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return stat(path, &runs) == 0 && stat(exe, &there) == 0 &&
           runs.st_dev == there.st_dev && runs.st_ino == there.st_ino;
}

static bool
look(pid_t pid, struct process *ret)
{
    *ret = (struct process){.pid = pid, .parent = read_parent(pid)};
    if (!ret->parent || !read_link(pid, "exe", ret->exe))
        return false;
    ret->is_sure = is_same_file(pid, ret->exe);
    return true;
}

/* --- shells and interpreters --- */

static struct vl_str
name_of(const char *exe)
{
    const char *slash = strrchr(exe, '/');
    return vl_str_z(slash ? slash + 1 : exe);
}

/* Without a version: "python3.11", "ruby3.1", "lua5.4". */
static struct vl_str
without_version(struct vl_str name)
{
    while (name.n && (vl_is_digit(name.p[name.n - 1]) ||
                      name.p[name.n - 1] == '.' || name.p[name.n - 1] == '-'))
        name.n--;
    return name;
}

static bool
is_one_of(struct vl_str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (vl_str_eqz(name, names[i]))
            return true;
    return false;
}

/* What only hands on what it was told to run. */
static bool
is_shell(const char *exe)
{
    static const char *const names[] = {
        "sh",   "bash", "dash", "zsh",     "fish", "ksh",     "mksh",
        "tcsh", "csh",  "ash",  "busybox", "env",  "timeout", "nice"};
    return is_one_of(name_of(exe), names, VL_COUNT(names));
}

static bool
is_interpreter(const char *exe)
{
    static const char *const names[] = {
        "node", "nodejs", "deno", "bun",    "python", "pypy",    "ruby",
        "perl", "java",   "php",  "dotnet", "lua",    "Rscript", "electron"};
    return is_one_of(without_version(name_of(exe)), names, VL_COUNT(names)) ||
           vl_str_starts(name_of(exe), VL_STR("python"));
}

bool
vl_program_is_nameless(const char *path)
{
    return is_shell(path) || is_interpreter(path);
}

/* --- the script --- */

/* Its path, if that is what the argument is; seen from where the interpreter
 * works. */
static bool
find_file(pid_t pid, const char *argument, char ret[PATH_MAX])
{
    char folder[PATH_MAX], path[2 * PATH_MAX];
    struct stat info;
    if (!argument[0] || argument[0] == '-' || !read_link(pid, "cwd", folder))
        return false;
    (void)snprintf(path, sizeof path, "%s%s%s",
                   argument[0] == '/' ? "" : folder,
                   argument[0] == '/' ? "" : "/", argument);
    return realpath(path, ret) && stat(ret, &info) == 0 &&
           S_ISREG(info.st_mode);
}

/* Up to the first argument that is a file: a script, or a file that is loaded
 * before one, which then is what the program is known by. Options before it
 * belong to the name, since they may change what runs. Code in the arguments
 * has no name (and may hold secrets). */
static bool
add_script(const struct process *process, struct vl_buf *name)
{
    char args[ARGS_MAX], path[PATH_MAX];
    size_t n, words = 0;
    if (!read_proc(process->pid, "cmdline", args, sizeof args, &n))
        return false;
    vl_auto(vl_buf) before = vl_buf_of(1024);
    for (size_t at = strlen(args) + 1; at < n && words < 16;
         at += strlen(args + at) + 1, words++) {
        if (find_file(process->pid, args + at, path)) {
            vl_buf_add(name, vl_buf_str(&before));
            vl_buf_addf(name, " %s", path);
            return vl_buf_check(&before, NULL) == VALET_OK;
        }
        vl_buf_addf(&before, " %s", args + at);
    }
    return false;
}

static valet_status
name_process(const struct process *process, struct vl_program *ret,
             valet_error *err)
{
    vl_auto(vl_buf) name = vl_buf_of(sizeof ret->name - 1);
    vl_buf_addz(&name, process->exe);
    ret->is_sure = process->is_sure;
    if (is_shell(process->exe) ||
        (is_interpreter(process->exe) && !add_script(process, &name)))
        ret->is_sure = false;
    VL_TRY(vl_buf_check(&name, err));
    (void)snprintf(ret->name, sizeof ret->name, "%s", vl_buf_cstr(&name));
    /* What cannot be written down as it is cannot be told from others. */
    vl_str_tame(ret->name);
    if (strcmp(ret->name, vl_buf_cstr(&name)) != 0)
        ret->is_sure = false;
    return VALET_OK;
}

valet_status
vl_program_look(pid_t pid, struct vl_program *ret, valet_error *err)
{
    struct process process, behind;
    if (!look(pid, &process))
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "the program that started this one cannot be seen");
    for (int i = 0; i < DEPTH_MAX && is_shell(process.exe) &&
                    process.parent > 1 && look(process.parent, &behind);
         i++)
        process = behind;
    return name_process(&process, ret, err);
}

valet_status
vl_program_find(pid_t parent, struct vl_program *ret, valet_error *err)
{
    /* Who has gone has left us to somebody who knows nothing of us. */
    if (getppid() != parent || parent < 1)
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "the program that started this one has ended");
    VL_TRY(vl_program_look(parent, ret, err));
    return getppid() == parent
               ? VALET_OK
               : vl_fail(err, VALET_NOT_FOUND, "",
                         "the program that started this one has ended");
}
