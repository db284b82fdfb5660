/* SPDX-License-Identifier: Apache-2.0
 *
 * A request is known again by the SHA-256 of one text that all its spellings
 * have in common: the JSON list [method, parameters] without white space,
 * members sorted by the bytes of their names.
 */
#include "mcp/state.h"

#include <stdlib.h>

#include "core/enc.h"
#include "core/limits.h"
#include "core/sys.h"
#include "crypto/digest.h"
#include "json/write.h"

/* What is sealed for one purpose does not open for another. */
#define LABEL       VL_STR("mcp request state v2")
#define EXPIRY_SIZE 8u
/* Label, tenant, object, client, resource, each with a byte that ends it; the
 * digest. */
#define CONTEXT_MAX                                                            \
    (32 + 2 * VL_GUID_SIZE + VL_CLIENT_ID_SIZE + VL_MCP_STATE_RESOURCE +       \
     VL_MCP_STATE_DIGEST)
/* Of base64url's characters three bytes are four. */
#define SEALED_MAX (VL_MCP_STATE_MAX / 4 * 3)
/* A message of the largest size grows, when it is written again, by the zeros
 * of 1e14 at most: four times. */
#define CANONICAL_MAX (8 * VL_LIMIT_MCP_BODY)

/* --- the digest --- */

struct member {
    struct vl_str key;
    const struct json_t *value;
};

/* What changes from one round of a request to the next. */
static bool
is_of_the_round(struct vl_str key)
{
    return vl_str_eqz(key, "_meta") || vl_str_eqz(key, "inputResponses") ||
           vl_str_eqz(key, "requestState");
}

struct collection {
    struct vl_buf *members;
    bool is_top;
};

static bool
collect_member(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct collection *collection = ctx;
    struct member member = {key, value};
    if (!collection->is_top || !is_of_the_round(key))
        vl_buf_add(collection->members, vl_str_of(&member, sizeof member));
    return true;
}

static int
compare_members(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    return strcmp(a->key.p, b->key.p); /* keys end in NUL and have no other */
}

static void write_canonically(struct vl_json_out *out, const char *key,
                              const struct json_t *value);

static void
write_sorted(struct vl_json_out *out, const char *key,
             const struct json_t *object, bool is_top)
{
    vl_auto(vl_buf) room =
        vl_buf_of(vl_json_size(object) * sizeof(struct member));
    struct collection collection = {&room, is_top};
    vl_json_each(object, collect_member, &collection);
    if (room.failed) /* no memory: then there is no text either */
        out->buf->failed = true;
    struct member *members = (struct member *)(void *)room.p;
    size_t count = vl_buf_size(&room) / sizeof *members;
    if (count > 1)
        qsort(members, count, sizeof *members, compare_members);
    vl_json_open_key(out, key, '{');
    for (size_t i = 0; i < count && !out->buf->failed; i++)
        write_canonically(out, members[i].key.p, members[i].value);
    vl_json_close(out, '}');
}

/* Recursion goes as deep as the message was read, VL_LIMIT_JSON_DEPTH. */
static void
write_canonically(struct vl_json_out *out, const char *key,
                  const struct json_t *value)
{
    enum vl_json_kind kind = vl_json_kind(value);
    if (kind == VL_JSON_OBJECT) {
        write_sorted(out, key, value, false);
        return;
    }
    if (kind != VL_JSON_ARRAY) {
        vl_json_add_value(out, key, value);
        return;
    }
    vl_json_open_key(out, key, '[');
    for (size_t i = 0; i < vl_json_size(value) && !out->buf->failed; i++)
        write_canonically(out, NULL, vl_json_at(value, i));
    vl_json_close(out, ']');
}

void
vl_mcp_state_digest(struct vl_str method, const struct json_t *params,
                    char ret[VL_MCP_STATE_DIGEST])
{
    _Static_assert(VL_MCP_STATE_DIGEST == VL_SHA256_SIZE, "it is SHA-256's");
    vl_auto(vl_buf) text = vl_buf_of(CANONICAL_MAX);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '[');
    vl_json_add_str(&out, NULL, method);
    if (vl_json_kind(params) == VL_JSON_ARRAY)
        write_canonically(&out, NULL, params);
    else /* none at all are like an empty object: a round adds to either */
        write_sorted(&out, NULL, params, true);
    vl_json_close(&out, ']');
    /* One that cannot be told from others is like no other. */
    if (text.failed)
        vl_random(ret, VL_MCP_STATE_DIGEST);
    else
        vl_sha256(vl_buf_str(&text), (unsigned char *)ret);
}

/* --- the seal --- */

static void
add_text(struct vl_buf *buf, const char *text)
{
    vl_buf_addz(buf, text);
    vl_buf_addc(buf, '\0'); /* in none of them, so nothing can be shifted */
}

/* @spec HT-69 SB-24 D10 */
static struct vl_buf
context_of(const struct vl_mcp_state_use *use)
{
    struct vl_buf context = vl_buf_of(CONTEXT_MAX);
    add_text(&context, LABEL.p);
    add_text(&context, use->principal->user.tid);
    add_text(&context, use->principal->user.oid);
    add_text(&context, use->principal->client.text);
    add_text(&context, use->resource ? use->resource : "");
    vl_buf_add(&context, vl_str_of(use->request, VL_MCP_STATE_DIGEST));
    VL_ASSERT(!context.failed); /* less of it would bind to less */
    return context;
}

static void
add_time(struct vl_buf *buf, int64_t ms)
{
    for (unsigned shift = 8 * EXPIRY_SIZE; shift > 0; shift -= 8)
        vl_buf_addc(buf, (char)((uint64_t)ms >> (shift - 8) & 0xFF));
}

static int64_t
read_time(struct vl_str bytes)
{
    uint64_t ms = 0;
    for (size_t i = 0; i < EXPIRY_SIZE; i++)
        ms = ms << 8 | (unsigned char)bytes.p[i];
    return (int64_t)ms;
}

valet_status
vl_mcp_state_seal(const struct vl_keyring *ring,
                  const struct vl_mcp_state_use *use, int64_t now_ms,
                  struct vl_str payload, struct vl_buf *ret, valet_error *err)
{
    vl_auto(vl_buf) context = context_of(use);
    vl_auto(vl_buf) plain = vl_buf_of_secret(SEALED_MAX);
    vl_auto(vl_buf) sealed = vl_buf_of(SEALED_MAX);
    vl_auto(vl_buf) text = vl_buf_of(VL_MCP_STATE_MAX);
    add_time(&plain, now_ms + VL_MCP_STATE_TTL_MS);
    vl_buf_add(&plain, payload);
    VL_TRY(vl_buf_check(&plain, err));
    VL_TRY(
        vl_seal(ring, vl_buf_str(&context), vl_buf_str(&plain), &sealed, err));
    vl_enc_base64url(&text, vl_buf_str(&sealed));
    VL_TRY(vl_buf_check(&text, err));
    vl_buf_add(ret, vl_buf_str(&text)); /* all of it or nothing */
    return vl_buf_check(ret, err);
}

/* @spec HT-69 SB-24 D10 */
valet_status
vl_mcp_state_open(const struct vl_keyring *ring,
                  const struct vl_mcp_state_use *use, int64_t now_ms,
                  struct vl_str text, struct vl_buf *ret)
{
    vl_auto(vl_buf) context = context_of(use);
    vl_auto(vl_buf) sealed = vl_buf_of(SEALED_MAX);
    vl_auto(vl_buf) plain = vl_buf_of_secret(SEALED_MAX);
    if (text.n > VL_MCP_STATE_MAX || !vl_dec_base64url(text, &sealed) ||
        vl_unseal(ring, vl_buf_str(&context), vl_buf_str(&sealed), &plain,
                  NULL) != VALET_OK)
        return VALET_DENIED;
    struct vl_str bytes = vl_buf_str(&plain);
    if (bytes.n < EXPIRY_SIZE || now_ms >= read_time(bytes))
        return VALET_DENIED;
    vl_buf_add(ret, vl_str_from(bytes, EXPIRY_SIZE));
    return vl_buf_check(ret, NULL);
}
