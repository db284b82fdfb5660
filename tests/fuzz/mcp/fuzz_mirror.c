/* SPDX-License-Identifier: Apache-2.0
 *
 * Three lines: the schema of a tool's input, arguments, and what somebody puts
 * into the first header. A client that follows the rules is understood; one
 * that changes, drops or doubles a header is not; and of the third line only
 * the two ways to write the argument are taken.
 */
#include "mcp/mirror.h"

#include <stdlib.h>

#include "core/enc.h"

#define SAFE 9007199254740991

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The client's headers. */
struct sent {
    struct vl_buf names[VL_MCP_MIRROR_MAX], values[VL_MCP_MIRROR_MAX];
    size_t count;
    bool is_beyond; /* what no header can say */
};

static bool
needs_code(struct vl_str s)
{
    if (!vl_str_eq(s, vl_str_trim(s)) ||
        (vl_str_starts(s, VL_STR("=?base64?")) && vl_str_ends(s, VL_STR("?="))))
        return true;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\t' && (s.p[i] < ' ' || s.p[i] > '~'))
            return true;
    return false;
}

static void
encode(struct vl_buf *out, struct vl_str value, bool always)
{
    vl_buf_clear(out);
    if (!always && !needs_code(value)) {
        vl_buf_add(out, value);
        return;
    }
    vl_buf_addz(out, "=?base64?");
    vl_enc_base64(out, value);
    vl_buf_addz(out, "?=");
}

/* The text that stands for a value; false: there is none. */
static bool
spell(struct sent *sent, const struct json_t *value, struct vl_buf *out)
{
    int64_t whole = 0;
    double real = 0;
    switch (vl_json_kind(value)) {
    case VL_JSON_STRING:
        vl_buf_add(out, vl_json_str(value));
        sent->is_beyond |= vl_json_str(value).n > VL_MCP_MIRROR_VALUE_MAX;
        return true;
    case VL_JSON_BOOL:
        vl_buf_addz(out, vl_json_is_true(value) ? "true" : "false");
        return true;
    case VL_JSON_INT:
        VL_ASSERT(vl_json_int(value, &whole));
        break;
    case VL_JSON_REAL:
        VL_ASSERT(vl_json_real(value, &real));
        whole = real >= -SAFE && real <= SAFE ? (int64_t)real : INT64_MAX;
        if (whole != INT64_MAX && (double)whole != real)
            return false;
        break;
    default:
        return false;
    }
    sent->is_beyond |= whole < -SAFE || whole > SAFE;
    vl_buf_addf(out, "%lld", (long long)whole);
    return true;
}

struct step {
    struct sent *sent;
    const struct json_t *arguments;
};

/* Follows schema and arguments side by side. */
static bool
send_property(struct vl_str key, const struct json_t *schema, void *ctx)
{
    const struct step *step = ctx;
    struct sent *sent = step->sent;
    struct step next = {sent, vl_json_get(step->arguments, key.p)};
    struct vl_str name = vl_json_get_str(schema, "x-mcp-header");
    vl_auto(vl_buf) text = vl_buf_of(1 << 20);
    vl_json_each(vl_json_get(schema, "properties"), send_property, &next);
    if (!name.p || !spell(sent, next.arguments, &text))
        return true;
    size_t i = sent->count++;
    sent->names[i] = vl_buf_of(1000);
    sent->values[i] = vl_buf_of(1 << 21);
    vl_buf_addf(&sent->names[i], "mcp-PARAM-" VL_STR_FMT, VL_STR_ARG(name));
    encode(&sent->values[i], vl_buf_str(&text), false);
    return true;
}

static struct vl_headers
headers_of(const struct sent *sent)
{
    struct vl_headers ret = {.count = 0};
    for (size_t i = 0; i < sent->count; i++)
        VL_ASSERT(vl_headers_add(&ret, vl_buf_str(&sent->names[i]),
                                 vl_buf_str(&sent->values[i])));
    return ret;
}

/* What a client meant, read back; it is good. */
static struct vl_str
meant(struct vl_str value, struct vl_buf *room)
{
    if (!vl_str_starts(value, VL_STR("=?base64?")) ||
        !vl_str_ends(value, VL_STR("?=")))
        return value;
    VL_ASSERT(vl_dec_base64(
        vl_str_from(vl_str_head(value, value.n - 2), strlen("=?base64?")),
        room));
    return vl_buf_str(room);
}

/* One byte of what header `i` means is another: `at` says which. */
static void
check_change(const struct vl_mcp_mirror *mirror, struct vl_headers headers,
             size_t i, size_t at, const struct json_t *arguments)
{
    vl_auto(vl_buf) room = vl_buf_of(1 << 20);
    vl_auto(vl_buf) text = vl_buf_of(1 << 20);
    vl_auto(vl_buf) value = vl_buf_of(1 << 21);
    vl_buf_add(&text, meant(headers.items[i].value, &room));
    if (vl_buf_size(&text) == 0)
        vl_buf_addc(&text, 'a');
    else
        text.p[at / 8 % vl_buf_size(&text)] ^= (char)(1 << at % 8);
    for (int always = 0; always < 2; always++) {
        encode(&value, vl_buf_str(&text), always);
        headers.items[i].value = vl_buf_str(&value);
        VL_ASSERT(vl_mcp_mirror_check(mirror, &headers, arguments));
    }
}

static void
check_header(const struct vl_mcp_mirror *mirror,
             const struct vl_headers *headers, size_t i,
             const struct json_t *arguments)
{
    vl_auto(vl_buf) room = vl_buf_of(1 << 20);
    vl_auto(vl_buf) value = vl_buf_of(1 << 21);
    struct vl_headers other = *headers;
    encode(&value, meant(headers->items[i].value, &room), true);
    other.items[i].value = vl_buf_str(&value);
    VL_ASSERT(!vl_mcp_mirror_check(mirror, &other, arguments));
    other = *headers;
    VL_ASSERT(
        vl_headers_add(&other, other.items[i].name, other.items[i].value));
    VL_ASSERT(vl_mcp_mirror_check(mirror, &other, arguments));
    other.items[i].name = VL_STR("x");
    VL_ASSERT(!vl_mcp_mirror_check(mirror, &other, arguments));
    other.count--;
    VL_ASSERT(vl_mcp_mirror_check(mirror, &other, arguments));
}

/* Is this header one of the ways to write what is meant? */
static void
check_stranger(const struct vl_mcp_mirror *mirror, struct vl_headers headers,
               struct vl_str value, const struct json_t *arguments)
{
    vl_auto(vl_buf) room = vl_buf_of(1 << 20);
    vl_auto(vl_buf) coded = vl_buf_of(1 << 21);
    vl_auto(vl_buf) said = vl_buf_of(1 << 20);
    struct vl_str good = meant(headers.items[0].value, &room);
    struct vl_str trimmed = vl_str_trim(value);
    headers.items[0].value = value;
    if (vl_mcp_mirror_check(mirror, &headers, arguments))
        return;
    encode(&coded, good, true);
    bool is_same = vl_str_eq(trimmed, vl_buf_str(&coded)) ||
                   (vl_str_eq(trimmed, good) && !needs_code(good));
    if (is_same)
        return;
    /* Then it is a number, and 42.0 is 42. */
    vl_buf_add(&said, meant(trimmed, &coded));
    vl_auto(vl_buf) number = vl_buf_of(1 << 20);
    vl_buf_add(&number, good);
    VL_ASSERT(vl_str_has(vl_buf_str(&said), '.'));
    VL_ASSERT(strtod(vl_buf_cstr(&said), NULL) ==
              strtod(vl_buf_cstr(&number), NULL));
}

static void
check_all(const struct vl_mcp_mirror *mirror, const struct json_t *schema,
          const struct json_t *arguments, struct vl_str stranger)
{
    struct sent sent = {.count = 0};
    struct step step = {&sent, arguments};
    vl_json_each(vl_json_get(schema, "properties"), send_property, &step);
    struct vl_headers headers = headers_of(&sent);
    const char *why = vl_mcp_mirror_check(mirror, &headers, arguments);
    VL_ASSERT((why != NULL) == sent.is_beyond);
    for (size_t i = 0; i < sent.count && !why; i++) {
        check_header(mirror, &headers, i, arguments);
        for (size_t bit = 0; bit < stranger.n && bit < 16; bit++)
            check_change(mirror, headers, i, (unsigned char)stranger.p[bit],
                         arguments);
    }
    if (sent.count && !why)
        check_stranger(mirror, headers, stranger, arguments);
    for (size_t i = 0; i < sent.count; i++) {
        vl_buf_done(&sent.names[i]);
        vl_buf_done(&sent.values[i]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str rest = vl_str_of(data, size), schema_text, arguments_text;
    vl_auto(vl_json) schema = {NULL}, arguments = {NULL};
    struct vl_mcp_mirror *mirror = NULL;
    valet_error err = {.message = ""};
    if (!vl_str_split(&rest, '\n', &schema_text) ||
        !vl_str_split(&rest, '\n', &arguments_text) ||
        vl_json_parse(schema_text, VL_LIMIT_JSON_DEPTH, &schema, NULL) !=
            VALET_OK ||
        vl_json_parse(arguments_text, VL_LIMIT_JSON_DEPTH, &arguments, NULL) !=
            VALET_OK)
        return 0;
    valet_status status = vl_mcp_mirror_new(schema.root, &mirror, &err);
    VL_ASSERT(status == VALET_OK || status == VALET_INVALID);
    VL_ASSERT((status == VALET_OK) == !err.message[0]);
    VL_ASSERT(status == VALET_OK || !mirror);
    if (mirror)
        check_all(mirror, schema.root, arguments.root, rest);
    vl_mcp_mirror_free(mirror);
    return 0;
}
