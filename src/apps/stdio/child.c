/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* pipe2, environ */
#include "apps/stdio/child.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/secret.h"
#include "core/status.h"
#include "core/str.h"

/* Descriptors of the child. */
enum { CHILD_IN, CHILD_OUT, CHILD_ERR, CHILD_IDENTITY, CHILD_FDS };

/* --- its environment --- */

/* What proves who *we* are is nothing for somebody else's program. */
static bool
is_ours(struct vl_str variable)
{
    static const char *const names[] = {
        "AZURE_CLIENT_SECRET",
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_USERNAME",
        "AZURE_PASSWORD",
        "FR_API_CLIENT_SECRET",
    };
    struct vl_str name = vl_str_head(variable, vl_str_index(variable, '='));
    if (vl_str_starts(name, VL_STR("MCP_VALET_")))
        return true;
    for (size_t i = 0; i < VL_COUNT(names); i++)
        if (vl_str_eqz(name, names[i]))
            return true;
    return false;
}

static bool
is_called(const char *variable, const char *name)
{
    struct vl_str text = vl_str_z(variable);
    return name && vl_str_eqz(vl_str_head(text, vl_str_index(text, '=')), name);
}

static char *
join(const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *text = vl_alloc(size);
    (void)snprintf(text, size, "%s=%s", name, value);
    return text;
}

/* The last one or two are to be freed. */
static char **
make_environment(const struct vl_gate_child_spec *spec)
{
    size_t count = 0, n = 0;
    char number[16];
    while (environ[count])
        count++;
    char **env = vl_alloc((count + 3) * sizeof *env);
    for (size_t i = 0; i < count; i++)
        if (!is_ours(vl_str_z(environ[i])) &&
            !is_called(environ[i], spec->token_env))
            env[n++] = environ[i];
    (void)snprintf(number, sizeof number, "%d", CHILD_IDENTITY);
    env[n++] = join(VL_IDENTITY_VARIABLE, number);
    if (spec->token_env && spec->token)
        env[n++] = join(spec->token_env, spec->token);
    env[n] = NULL;
    return env;
}

static void
free_environment(char **env, bool has_token)
{
    size_t n = 0;
    while (env[n])
        n++;
    for (size_t i = has_token ? 2 : 1; i > 0; i--) {
        char *text = env[n - i];
        vl_wipe(text, strlen(text));
        free(text);
    }
    free(env);
}

/* --- its pipes --- */

struct pipes {
    int in[2], out[2], identity[2]; /* to be read, to be written */
};

static void
close_end(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
pipes_done(struct pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        close_end(&pipes->in[i]);
        close_end(&pipes->out[i]);
        close_end(&pipes->identity[i]);
    }
}

/* That of the identity waits for nobody: neither for who writes, nor for a
 * server that looks whether there is something new. */
static valet_status
make_pipes(struct pipes *pipes, valet_error *err)
{
    if (pipe2(pipes->in, O_CLOEXEC) == 0 && pipe2(pipes->out, O_CLOEXEC) == 0 &&
        pipe2(pipes->identity, O_CLOEXEC | O_NONBLOCK) == 0)
        return VALET_OK;
    return vl_fail(err, VALET_INTERNAL, "", "cannot make a pipe: %s",
                   strerror(errno));
}

static int
take_end(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* --- its life --- */

valet_status
vl_gate_child_start(struct vl_loop *loop, const struct vl_gate_child_spec *spec,
                    vl_child_ended *ended, void *ctx, struct vl_gate_child *ret,
                    valet_error *err)
{
    struct pipes pipes = {{-1, -1}, {-1, -1}, {-1, -1}};
    *ret = (struct vl_gate_child){.to = -1, .from = -1};
    valet_status status = make_pipes(&pipes, err);
    if (status == VALET_OK) {
        char **env = make_environment(spec);
        const int fds[CHILD_FDS] = {[CHILD_IN] = pipes.in[0],
                                    [CHILD_OUT] = pipes.out[1],
                                    [CHILD_ERR] = STDERR_FILENO,
                                    [CHILD_IDENTITY] = pipes.identity[0]};
        const struct vl_child_spec process = {.argv = spec->command,
                                              .env = env,
                                              .fds = fds,
                                              .fd_count = CHILD_FDS};
        status = vl_child_start(loop, &process, ended, ctx, &ret->process, err);
        free_environment(env, spec->token_env && spec->token);
    }
    if (status == VALET_OK) {
        ret->to = take_end(&pipes.in[1]);
        ret->from = take_end(&pipes.out[0]);
        ret->identity = vl_identity_new(loop, take_end(&pipes.identity[1]),
                                        spec->gives_token);
    }
    pipes_done(&pipes);
    return status;
}

void
vl_gate_child_done(struct vl_gate_child *child)
{
    close_end(&child->to);
    close_end(&child->from);
    vl_identity_free(child->identity);
    vl_child_free(child->process);
    *child = (struct vl_gate_child){.to = -1, .from = -1};
}
