/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as a template: it renders or is refused, within bounds. What comes
 * out of a value has no markup left.
 */
#include "web/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX 65536

static void
check_value(struct vl_str value)
{
    struct vl_page page = {.asset = "fuzz"};
    vl_page_set(&page, "v", value);
    vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
    if (vl_page_render_text(&page, VL_STR("{{v}}"), &out, NULL) != VALET_OK)
        return;
    struct vl_str text = vl_buf_str(&out);
    for (size_t i = 0; i < text.n; i++)
        VL_ASSERT(text.p[i] != '<' && text.p[i] != '>' && text.p[i] != '"' &&
                  text.p[i] != '\'');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vl_page_var rows[] = {
        {"b", {"<1>", 3}}, {"b", {"2", 1}}, {"b", {"3", 1}}};
    struct vl_str text = vl_str_of(data, size);
    struct vl_page page = {.asset = "fuzz"};
    vl_page_set(&page, "a", VL_STR("\"<a>&'"));
    vl_page_set(&page, "e", VL_STR(""));
    vl_page_set_list(&page, &(struct vl_page_list){"l", rows, 3, 1});
    vl_auto(vl_buf) out = vl_buf_of(OUT_MAX);
    valet_status status = vl_page_render_text(&page, text, &out, NULL);
    VL_ASSERT(status == VALET_OK || status == VALET_INVALID ||
              status == VALET_LIMIT);
    check_value(text);
    return 0;
}
