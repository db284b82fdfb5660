/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/yaml.h"
#include "core/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every node is found where it says it is, and depth is bounded. */
static size_t
walk(const struct vl_yaml *node, unsigned depth)
{
    size_t nodes = 1;
    VL_ASSERT(depth <= VL_YAML_DEPTH + 1);
    VL_ASSERT(vl_yaml_mark(node).line >= 1 && vl_yaml_mark(node).column >= 1);
    if (vl_yaml_kind(node) == VL_YAML_SCALAR)
        VL_ASSERT(vl_yaml_text(node).p[vl_yaml_text(node).n] == '\0');
    for (size_t i = 0; i < vl_yaml_size(node); i++)
        nodes += walk(vl_yaml_at(node, i), depth + 1);
    return nodes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_arena arena = vl_arena_of((size_t)16 * VL_LIMIT_CONFIG);
    const struct vl_yaml *root = NULL;
    valet_error err = {.message = ""};
    if (vl_yaml_parse("fuzz", vl_str_of(data, size), &arena, &root, &err) ==
        VALET_OK)
        VL_ASSERT(walk(root, 0) <= VL_YAML_NODES + 1);
    else
        VL_ASSERT(err.message[0] && !root);
    vl_arena_done(&arena);
    return 0;
}
