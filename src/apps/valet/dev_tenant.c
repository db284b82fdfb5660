/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2 */
#include "apps/valet/dev_tenant.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "json/read.h"

#define PROGRAM  "mcp-valet-tenant"
#define START_MS 10000
#define STOP_MS  3000

/* The program beside our own executable. */
static valet_status
find_program(char *ret, size_t size, valet_error *err)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot find my own program");
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    VL_ASSERT(slash);
    *slash = '\0';
    if ((size_t)snprintf(ret, size, "%s/" PROGRAM, self) >= size)
        return vl_fail(err, VALET_LIMIT, "",
                       "the path of my program is too "
                       "long");
    if (access(ret, X_OK) != 0)
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "the stand-in tenant %s is missing: --dev needs it "
                       "beside mcp-valet",
                       ret);
    return VALET_OK;
}

struct child {
    pid_t pid;
    int input, output; /* our ends */
};

/* Runs the program with pipes as its standard input and output. */
static valet_status
spawn(const char *program, char *const argv[], struct child *ret,
      valet_error *err)
{
    int in[2], out[2];
    posix_spawn_file_actions_t actions;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot make a pipe: %s",
                       strerror(errno));
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    int failed = posix_spawn(&ret->pid, program, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    ret->input = in[1];
    ret->output = out[0];
    if (!failed)
        return VALET_OK;
    (void)close(in[1]);
    (void)close(out[0]);
    return vl_fail(err, VALET_INTERNAL, "", "cannot start %s: %s", program,
                   strerror(failed));
}

/* Reads until `end` appears (or, with '\0', the end of the output). */
static bool
read_until(int fd, char end, struct vl_buf *out)
{
    int64_t deadline = vl_mono_now() + START_MS;
    for (;;) {
        char chunk[4096];
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - vl_mono_now();
        if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
            return false;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0)
            return false;
        if (n == 0)
            return end == '\0';
        vl_buf_add(out, vl_str_of(chunk, (size_t)n));
        if (out->failed)
            return false;
        if (end && vl_str_has(vl_buf_str(out), end))
            return true;
    }
}

/* It ends when its input does; one that does not is not waited for. */
static void
end_child(struct child *child)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    int64_t deadline = vl_mono_now() + STOP_MS;
    (void)close(child->input);
    (void)close(child->output);
    while (waitpid(child->pid, NULL, WNOHANG) == 0) {
        if (vl_mono_now() >= deadline)
            (void)kill(child->pid, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
}

static void
copy(char *ret, size_t size, struct vl_str text)
{
    (void)snprintf(ret, size, VL_STR_FMT, VL_STR_ARG(text));
}

/* --describe: the application that stands for us at the tenant. */
static valet_status
describe(const char *program, char *name, struct vl_dev_tenant *ret,
         valet_error *err)
{
    char flag[] = "--describe";
    char *argv[] = {name, flag, NULL};
    struct child child;
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    vl_auto(vl_json) set = {NULL};
    VL_TRY(spawn(program, argv, &child, err));
    bool whole = read_until(child.output, '\0', &text);
    end_child(&child);
    if (!whole)
        return vl_fail(err, VALET_INTERNAL, "", "%s does not describe itself",
                       program);
    VL_TRY(vl_json_parse(vl_buf_str(&text), VL_LIMIT_JSON_DEPTH, &set, err));
    const struct json_t *web =
        vl_json_get(vl_json_get(set.root, "apps"), "web");
    copy(ret->client_id, sizeof ret->client_id, vl_json_get_str(web, "id"));
    ret->client_secret = vl_secret_of(vl_json_get_str(web, "secret"));
    if (!ret->client_id[0] || vl_secret_is_empty(&ret->client_secret))
        return vl_fail(err, VALET_INTERNAL, "",
                       "%s describes no application \"web\"", program);
    return VALET_OK;
}

/* The ready line: {"event":"ready","authority":…,"tenant":…}. */
static valet_status
read_ready(struct vl_dev_tenant *tenant, valet_error *err)
{
    vl_auto(vl_buf) line = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_json) ready = {NULL};
    if (!read_until(tenant->output, '\n', &line) ||
        vl_json_parse(vl_buf_str(&line), VL_LIMIT_JSON_DEPTH, &ready, NULL) !=
            VALET_OK)
        return vl_fail(err, VALET_INTERNAL, "",
                       "the stand-in tenant did not start (see above)");
    copy(tenant->authority, sizeof tenant->authority,
         vl_json_get_str(ready.root, "authority"));
    copy(tenant->tenant_url, sizeof tenant->tenant_url,
         vl_json_get_str(ready.root, "tenant"));
    const char *slash = strrchr(tenant->tenant_url, '/');
    copy(tenant->tenant_id, sizeof tenant->tenant_id,
         vl_str_z(slash ? slash + 1 : ""));
    return VALET_OK;
}

valet_status
vl_dev_tenant_start(const char *listen, struct vl_dev_tenant *ret,
                    valet_error *err)
{
    char program[4200], name[] = PROGRAM, flag[] = "--listen";
    char stay[] = "--exit-with-stdin", address[128];
    char *argv[] = {name, flag, address, stay, NULL};
    struct vl_dev_tenant tenant = {.pid = 0};
    struct child child;
    (void)snprintf(address, sizeof address, "%s", listen);
    VL_TRY(find_program(program, sizeof program, err));
    valet_status status = describe(program, name, &tenant, err);
    if (status == VALET_OK)
        status = spawn(program, argv, &child, err);
    if (status != VALET_OK) {
        vl_secret_done(&tenant.client_secret);
        return status;
    }
    tenant.pid = child.pid;
    tenant.lifeline = child.input;
    tenant.output = child.output;
    status = read_ready(&tenant, err);
    if (status != VALET_OK) {
        vl_dev_tenant_done(&tenant);
        return status;
    }
    *ret = tenant;
    return VALET_OK;
}

bool
vl_dev_tenant_has_ended(struct vl_dev_tenant *tenant)
{
    if (tenant->pid <= 0 || waitpid(tenant->pid, NULL, WNOHANG) == 0)
        return false;
    (void)close(tenant->lifeline);
    (void)close(tenant->output);
    tenant->pid = 0;
    return true;
}

void
vl_dev_tenant_done(struct vl_dev_tenant *tenant)
{
    if (tenant->pid > 0)
        end_child(
            &(struct child){tenant->pid, tenant->lifeline, tenant->output});
    vl_secret_done(&tenant->client_secret);
    tenant->pid = 0;
}
