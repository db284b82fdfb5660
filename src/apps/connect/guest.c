/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/connect/guest.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"
#include "io/lines.h"
#include "json/read.h"

/* As the bridge writes them. */
#define LINE_MAX ((size_t)16 * 1024 * 1024)
#define WHY_MAX  1024

#define HELLO                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"     \
    "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{"  \
    "\"name\":\"mcp-valet\",\"version\":\"" VALET_VERSION "\"}}}"
#define READY "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"
#define LIST  "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}"

struct vl_connect_guest {
    struct vl_connect_guest_config config;
    int fd;
    struct vl_lines *lines;
    int64_t asked; /* the id of what was asked last */
    bool is_done;
};

static void
finish(struct vl_connect_guest *guest, const char *why)
{
    if (guest->is_done)
        return;
    guest->is_done = true;
    guest->config.done(why, guest->config.ctx);
}

static void
ask_for_tools(struct vl_connect_guest *guest)
{
    guest->asked = 2;
    (void)vl_lines_write(guest->lines, VL_STR(READY));
    (void)vl_lines_write(guest->lines, VL_STR(LIST));
}

static void
take_error(struct vl_connect_guest *guest, const struct json_t *error)
{
    char why[WHY_MAX];
    struct vl_str text = vl_json_get_str(error, "message");
    (void)snprintf(why, sizeof why, VL_STR_FMT, VL_STR_ARG(text));
    finish(guest, why[0] ? why : "the server answers with an error");
}

/* What is no answer is for clients that stay. */
static void
take(struct vl_str line, void *ctx)
{
    struct vl_connect_guest *guest = ctx;
    vl_auto(vl_json) doc = {NULL};
    int64_t id;
    if (guest->is_done ||
        vl_json_parse(line, VL_LIMIT_JSON_DEPTH, &doc, NULL) != VALET_OK)
        return;
    const struct json_t *result = vl_json_get(doc.root, "result");
    const struct json_t *error = vl_json_get(doc.root, "error");
    if ((!result && !error) || !vl_json_get_int(doc.root, "id", &id) ||
        id != guest->asked)
        return;
    bool has_tools =
        vl_json_get(vl_json_get(result, "capabilities"), "tools") != NULL;
    if (error)
        take_error(guest, error);
    else if (has_tools && guest->asked == 1 &&
             !guest->config.has_token(guest->config.ctx))
        ask_for_tools(guest);
    else
        finish(guest, NULL);
}

static void
on_end(bool broken, void *ctx)
{
    (void)broken;
    finish(ctx, "it has ended before the server could answer");
}

valet_status
vl_connect_guest_new(const struct vl_connect_guest_config *config,
                     struct vl_connect_guest **ret, valet_error *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return vl_fail(err, VALET_LIMIT, "", "no descriptor is left");
    struct vl_connect_guest *guest = vl_alloc(sizeof *guest);
    const struct vl_lines_hooks hooks = {
        .line = take, .end = on_end, .ctx = guest};
    *guest =
        (struct vl_connect_guest){.config = *config, .fd = fds[0], .asked = 1};
    valet_status status = vl_lines_new(config->loop, fds[1], fds[1], LINE_MAX,
                                       &hooks, &guest->lines, err);
    (void)close(fds[1]);
    if (status != VALET_OK) {
        vl_connect_guest_free(guest);
        return status;
    }
    (void)vl_lines_write(guest->lines, VL_STR(HELLO));
    *ret = guest;
    return VALET_OK;
}

int
vl_connect_guest_fd(const struct vl_connect_guest *guest)
{
    return guest->fd;
}

void
vl_connect_guest_free(struct vl_connect_guest *guest)
{
    if (!guest)
        return;
    vl_lines_free(guest->lines);
    (void)close(guest->fd);
    free(guest);
}
