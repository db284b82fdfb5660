/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers read of answers, so that no handler has to read JSON for what
 * nearly all of them ask. An answer is looked at only after ask.c found that it
 * has the shape that MCP gives it.
 */
#include "talk/ask.h"
#include "talk/call.h"

/* NULL while there is none. */
static const struct json_t *
find_answer(const struct vl_mcp_call *call, const char *key)
{
    const struct vl_mcp_talk *talk = call->talk;
    for (size_t i = 0; talk && i < talk->count; i++)
        if (strcmp(talk->asks[i].key, key) == 0)
            return talk->asks[i].answer.root;
    return NULL;
}

bool
valet_mcp_is_accepted(const valet_mcp_call *call, const char *key)
{
    return vl_str_eqz(vl_json_get_str(find_answer(call, key), "action"),
                      "accept");
}

static const struct json_t *
find_member(const struct vl_mcp_call *call, const char *key, const char *name)
{
    if (!valet_mcp_is_accepted(call, key))
        return NULL;
    return vl_json_get(vl_json_get(find_answer(call, key), "content"), name);
}

const char *
valet_mcp_form_text(const valet_mcp_call *call, const char *key,
                    const char *name)
{
    return vl_json_str(find_member(call, key, name)).p;
}

bool
valet_mcp_form_number(const valet_mcp_call *call, const char *key,
                      const char *name, double *ret)
{
    return vl_json_number(find_member(call, key, name), ret);
}

bool
valet_mcp_form_int(const valet_mcp_call *call, const char *key,
                   const char *name, int64_t *ret)
{
    return vl_json_whole(find_member(call, key, name), ret);
}

bool
valet_mcp_form_is_true(const valet_mcp_call *call, const char *key,
                       const char *name)
{
    return vl_json_is_true(find_member(call, key, name));
}

/* One content, or since 2025-11-25 a list of them. */
const char *
valet_mcp_sampled_text(const valet_mcp_call *call, const char *key)
{
    const struct json_t *content =
        vl_json_get(find_answer(call, key), "content");
    bool is_list = vl_json_kind(content) == VL_JSON_ARRAY;
    size_t count = is_list ? vl_json_size(content) : 1;
    for (size_t i = 0; i < count; i++) {
        const struct json_t *one = is_list ? vl_json_at(content, i) : content;
        struct vl_str text = vl_json_get_str(one, "text");
        if (vl_str_eqz(vl_json_get_str(one, "type"), "text") && text.p)
            return text.p;
    }
    return NULL;
}

const char *
valet_mcp_root_uri(const valet_mcp_call *call, const char *key, size_t index)
{
    const struct json_t *roots = vl_json_get(find_answer(call, key), "roots");
    if (vl_json_kind(roots) != VL_JSON_ARRAY)
        return NULL;
    return vl_json_get_str(vl_json_at(roots, index), "uri").p;
}
