/* SPDX-License-Identifier: Apache-2.0
 *
 * A gate between a client and a server that are the test's, with the fake
 * doorman; and what they say to each other.
 */
#ifndef VL_GATE_SCENE_H
#define VL_GATE_SCENE_H

#include "apps/stdio/gate.h"
#include "core/buf.h"
#include "core/status.h"
#include "core/sys.h"
#include "vl_fake_doorman.h"
#include "vl_test.h"

struct scene {
    struct vl_gate *gate;
    struct vl_buf to_server, to_client; /* lines, each with its end */
    size_t identities, dropped;
    int64_t now_s;
    bool is_shut; /* nobody knows whom to ask */
};

static inline valet_status
door(struct vl_doorman **ret, valet_error *err, void *ctx)
{
    const struct scene *s = ctx;
    *ret = NULL;
    return s->is_shut ? vl_fail(err, VALET_INVALID, "", "give --client-id")
                      : VALET_OK;
}

static inline void
add_line(struct vl_buf *buf, struct vl_str line)
{
    assert_true(line.n && !vl_str_has(line, '\n') && !vl_str_has(line, '\r'));
    vl_buf_add(buf, line);
    vl_buf_addc(buf, '\n');
}

static inline void
to_server(struct vl_str line, void *ctx)
{
    add_line(&((struct scene *)ctx)->to_server, line);
}

static inline void
to_client(struct vl_str line, void *ctx)
{
    add_line(&((struct scene *)ctx)->to_client, line);
}

static inline void
identify(const valet_auth_result *who, void *ctx)
{
    struct scene *s = ctx;
    assert_string_equal(who->username, "admin@example.com");
    s->identities++;
}

static inline void
dropped(const char *why, void *ctx)
{
    assert_true(why[0] != '\0');
    ((struct scene *)ctx)->dropped++;
}

static inline void
begin(struct scene *s)
{
    const struct vl_gate_hooks hooks = {door,     to_server, to_client,
                                        identify, dropped,   s};
    *s = (struct scene){.now_s = vl_clock_now(&vl_clock_system) / 1000};
    s->to_server = vl_buf_of(1 << 26);
    s->to_client = vl_buf_of(1 << 26);
    fake_door_begin();
    s->gate = vl_gate_new(&hooks);
}

static inline void
finish(struct scene *s)
{
    vl_gate_free(s->gate);
    assert_int_equal(fake_door.count, 0);
    vl_buf_done(&s->to_server);
    vl_buf_done(&s->to_client);
}

static inline void
say(struct scene *s, const char *line)
{
    struct vl_str text = vl_test_guarded(vl_str_z(line));
    vl_gate_from_client(s->gate, text);
    vl_test_unguard(text);
}

static inline void
hear(struct scene *s, const char *line)
{
    struct vl_str text = vl_test_guarded(vl_str_z(line));
    vl_gate_from_server(s->gate, text);
    vl_test_unguard(text);
}

static inline void
expect(struct vl_buf *buf, const char *lines)
{
    assert_string_equal(vl_buf_cstr(buf), lines);
    vl_buf_clear(buf);
}

#define expect_server(s, lines) expect(&(s)->to_server, lines)
#define expect_client(s, lines) expect(&(s)->to_client, lines)

static inline void
open_door(struct scene *s, int64_t lives_s)
{
    fake_door_open(&(valet_auth_result){.access_token = "secret",
                                        .username = "admin@example.com",
                                        .expires_at = s->now_s + lives_s});
}

#define CALL(id)                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id                                         \
    ",\"method\":\"tools/call\",\"params\":{\"name\":\"t\"}}"
#define ERROR(id, code, why)                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"error\":{\"code\":" #code           \
    ",\"message\":\"" why "\"}}\n"
#define REFUSED(id, why)                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" #id                                         \
    ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"" why             \
    "\"}],\"isError\":true}}"

/* An `initialize` that agrees on `version`, with these capabilities. */
static inline void
greet(struct scene *s, const char *version, const char *capabilities)
{
    vl_auto(vl_buf) text = vl_buf_of(4096);
    vl_buf_addf(&text,
                "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\","
                "\"params\":{\"protocolVersion\":\"%s\",\"capabilities\":%s}}",
                version, capabilities);
    say(s, vl_buf_cstr(&text));
    vl_buf_clear(&text);
    vl_buf_addf(&text,
                "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{"
                "\"protocolVersion\":\"%s\",\"capabilities\":{}}}",
                version);
    hear(s, vl_buf_cstr(&text));
    vl_buf_clear(&s->to_server);
    vl_buf_clear(&s->to_client);
}

#endif
