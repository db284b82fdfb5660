/* SPDX-License-Identifier: Apache-2.0
 *
 * What was decoded, encoded, and decoded again is the same. The rest of the
 * input is read as a cookie line too.
 */
#include "core/base.h"
#include "core/limits.h"
#include "http/message.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Encodes a name that may hold anything. */
static const char *
name_of(struct vl_arena *arena, const struct vl_param *param)
{
    const char *name = vl_arena_cstr(arena, param->name);
    return name ? name : "";
}

static void
check_again(const struct vl_params *params, struct vl_arena *arena)
{
    vl_auto(vl_buf) text = vl_buf_of(1000000);
    for (size_t i = 0; i < params->count; i++)
        vl_form_add(&text, name_of(arena, &params->items[i]),
                    params->items[i].value);
    struct vl_params again;
    if (vl_params_parse(vl_buf_str(&text), arena, &again, NULL) != VALET_OK)
        return; /* the arena is full */
    VL_ASSERT(again.count == params->count);
    for (size_t i = 0; i < again.count; i++) {
        VL_ASSERT(vl_str_eq(again.items[i].value, params->items[i].value));
        VL_ASSERT(vl_str_eq(again.items[i].name, params->items[i].name));
    }
    VL_ASSERT(vl_params_repeat(params, NULL) == vl_params_repeat(&again, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_str text = vl_str_of(data, size);
    struct vl_arena arena = vl_arena_of(VL_LIMIT_REQUEST_ARENA);
    struct vl_params params;
    if (vl_params_parse(text, &arena, &params, NULL) == VALET_OK)
        check_again(&params, &arena);
    vl_arena_done(&arena);

    struct vl_headers headers = {.count = 0};
    (void)vl_headers_add(&headers, VL_STR("Cookie"), text);
    (void)vl_cookie_get(&headers, "a");
    (void)vl_headers_have_token(&headers, "cookie", "a");
    (void)vl_media_type_is(text, "a/b");
    return 0;
}
