/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include <stdarg.h>

#include "conf/load.h"
#include "core/limits.h"
#include "core/status.h"
#include "core/sys.h"

/* A longer name of a file loses its beginning, so that the sentence after it
 * keeps its end. */
#define NAME_SHOWN 80

valet_status
vl_conf_fail(struct vl_conf_loader *loader, struct vl_yaml_mark mark,
             const char *code, const char *format, ...)
{
    char sentence[sizeof((valet_error *)0)->message];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (!loader->name)
        return vl_fail(loader->err, VALET_INVALID, code, "%s", sentence);
    return vl_fail(loader->err, VALET_INVALID, code, "%s:%u:%u: %s",
                   loader->name, mark.line, mark.column, sentence);
}

const struct vl_yaml *
vl_conf_written(const struct vl_conf_loader *loader, const char *path)
{
    struct vl_str rest = vl_str_z(path), key;
    const struct vl_yaml *node = loader->root;
    while (node && vl_str_split(&rest, '.', &key)) {
        const struct vl_yaml *found = NULL;
        for (size_t i = 0; i < vl_yaml_size(node) && !found; i++)
            if (vl_str_eq(vl_yaml_key(vl_yaml_at(node, i)), key))
                found = vl_yaml_at(node, i);
        node = found;
    }
    return node;
}

struct vl_yaml_mark
vl_conf_place(const struct vl_conf_loader *loader, const char *path)
{
    const struct vl_yaml *node = vl_conf_written(loader, path);
    if (vl_yaml_kind(node) == VL_YAML_MAP)
        return vl_yaml_key_mark(node);
    if (node)
        return vl_yaml_mark(node);
    struct vl_str section =
        vl_str_head(vl_str_z(path), vl_str_index(vl_str_z(path), '.'));
    for (size_t i = 0; i < vl_yaml_size(loader->root); i++)
        if (vl_str_eq(vl_yaml_key(vl_yaml_at(loader->root, i)), section))
            return vl_yaml_key_mark(vl_yaml_at(loader->root, i));
    return vl_yaml_mark(NULL);
}

const char *
vl_conf_variable(const struct vl_conf_loader *loader, const char *name)
{
    const char *value = name && loader->env ? loader->env(name) : NULL;
    return value && value[0] ? value : NULL;
}

static valet_status
load(struct vl_conf_loader *loader, struct vl_str text)
{
    const char *name = loader->name ? loader->name : "";
    VL_TRY(
        vl_yaml_parse(name, text, &loader->tree, &loader->root, loader->err));
    if (vl_yaml_kind(loader->root) != VL_YAML_MAP)
        return vl_conf_fail(loader, vl_yaml_mark(loader->root), "wrong_type",
                            "the file must be a map, not %s; write key: value "
                            "lines",
                            vl_yaml_kind_name(vl_yaml_kind(loader->root)));
    VL_TRY(vl_conf_walk(loader));
    return vl_conf_check(loader);
}

static const char *
short_name(const char *name)
{
    size_t length = name ? strlen(name) : 0;
    return length > NAME_SHOWN ? name + length - NAME_SHOWN : name;
}

valet_status
vl_conf_parse(const char *name, struct vl_str text, vl_conf_env *env,
              struct vl_conf **ret, valet_error *err)
{
    struct vl_conf *conf = vl_alloc(sizeof *conf);
    conf->arena = vl_alloc(sizeof *conf->arena);
    *conf->arena = vl_arena_of((size_t)4 * VL_LIMIT_CONFIG);
    const char *slash = name ? strrchr(name, '/') : NULL;
    struct vl_conf_loader loader = {
        .name = short_name(name),
        .env = env,
        .conf = conf,
        .tree = vl_arena_of((size_t)16 * VL_LIMIT_CONFIG),
        .err = err,
    };
    if (slash)
        loader.folder = vl_str_of(name, (size_t)(slash - name) + 1);
    valet_status status = load(&loader, text);
    vl_arena_done(&loader.tree);
    if (status == VALET_OK)
        *ret = conf;
    else
        vl_conf_free(conf);
    return status;
}

valet_status
vl_conf_load(const char *path, vl_conf_env *env, struct vl_conf **ret,
             valet_error *err)
{
    /* Somebody may have written a secret into it: it is wiped. */
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_CONFIG);
    if (path)
        VL_TRY(vl_file_read(path, false, &text, err));
    return vl_conf_parse(path, vl_buf_str(&text), env, ret, err);
}

void
vl_conf_free(struct vl_conf *conf)
{
    if (!conf)
        return;
    vl_secret_done(&conf->client_secret);
    vl_secret_done(&conf->client_certificate);
    vl_arena_done(conf->arena);
    free(conf->arena);
    free(conf);
}
