/* SPDX-License-Identifier: Apache-2.0
 *
 * The document: five sections of the schema, and whatever else stands beside
 * them.
 */
#include "cache/inside.h"
#include "core/limits.h"
#include "core/status.h"
#include "json/write.h"

const char *const vl_cache_section_names[VL_CACHE_KIND_COUNT] = {
    [VL_CACHE_ACCOUNT] = "Account",
    [VL_CACHE_ID_TOKEN] = "IdToken",
    [VL_CACHE_ACCESS_TOKEN] = "AccessToken",
    [VL_CACHE_REFRESH_TOKEN] = "RefreshToken",
    [VL_CACHE_APP] = "AppMetadata",
};

void
vl_cache_content_init(struct vl_cache_content *content)
{
    vl_list_init(&content->entries);
    vl_list_init(&content->sections);
    content->count = 0;
}

static void
free_section(struct vl_cache_section *section)
{
    vl_list_remove(&section->node);
    vl_buf_done(&section->name);
    vl_json_done(&section->doc);
    free(section);
}

void
vl_cache_content_done(struct vl_cache_content *content)
{
    VL_LIST_EACH (it, &content->entries) {
        vl_cache_entry_free(vl_cache_entry_at(it));
    }
    VL_LIST_EACH (it, &content->sections) {
        free_section(VL_CONTAINER(it, struct vl_cache_section, node));
    }
    content->count = 0;
}

static void
move_list(struct vl_list *to, struct vl_list *from)
{
    VL_LIST_EACH (it, from) {
        vl_list_remove(it);
        vl_list_add_last(to, it);
    }
}

void
vl_cache_content_move(struct vl_cache_content *to,
                      struct vl_cache_content *from)
{
    vl_cache_content_done(to);
    move_list(&to->entries, &from->entries);
    move_list(&to->sections, &from->sections);
    to->count = from->count;
    from->count = 0;
}

void
vl_cache_remove_entry(struct vl_cache_content *content,
                      struct vl_cache_entry *entry)
{
    vl_cache_entry_free(entry);
    content->count--;
}

/* --- reading --- */

struct reading {
    const struct vl_cache_cloud *clouds;
    struct vl_cache_content *content;
    enum vl_cache_kind kind; /* of the section that is read */
    valet_status status;
    valet_error *err;
};

static bool
read_entry(struct vl_str key, const struct json_t *value, void *ctx)
{
    struct reading *reading = ctx;
    struct vl_cache_content *content = reading->content;
    if (content->count == VL_LIMIT_CACHE_ENTRIES) {
        reading->status = vl_fail(reading->err, VALET_LIMIT, "",
                                  "the token cache has more than %d entries",
                                  VL_LIMIT_CACHE_ENTRIES);
        return false;
    }
    struct vl_json doc = vl_json_share(value);
    struct vl_cache_entry *entry = NULL;
    reading->status = vl_cache_entry_new(reading->clouds, reading->kind, key,
                                         &doc, &entry, reading->err);
    if (reading->status != VALET_OK)
        return false;
    vl_list_add_last(&content->entries, &entry->node);
    content->count++;
    return true;
}

static void
keep_section(struct vl_cache_content *content, struct vl_str name,
             const struct json_t *value)
{
    struct vl_cache_section *section = vl_alloc(sizeof *section);
    *section = (struct vl_cache_section){
        .name = vl_buf_of(VL_LIMIT_CACHE),
        .doc = vl_json_share(value),
    };
    vl_buf_add(&section->name, name);
    vl_list_init(&section->node);
    vl_list_add_last(&content->sections, &section->node);
}

static bool
read_section(struct vl_str name, const struct json_t *value, void *ctx)
{
    struct reading *reading = ctx;
    size_t kind = 0;
    while (kind < VL_CACHE_KIND_COUNT &&
           !vl_str_eqz(name, vl_cache_section_names[kind]))
        kind++;
    if (kind == VL_CACHE_KIND_COUNT) {
        keep_section(reading->content, name, value);
        return true;
    }
    enum vl_json_kind json = vl_json_kind(value);
    if (json == VL_JSON_NULL)
        return true; /* as if it were not there */
    if (json != VL_JSON_OBJECT) {
        reading->status =
            vl_fail(reading->err, VALET_INVALID, "",
                    "the token cache is none: its %s is not an object",
                    vl_cache_section_names[kind]);
        return false;
    }
    reading->kind = (enum vl_cache_kind)kind;
    vl_json_each(value, read_entry, reading);
    return reading->status == VALET_OK;
}

valet_status
vl_cache_content_read(const struct vl_cache_cloud *clouds,
                      struct vl_str document, struct vl_cache_content *ret,
                      valet_error *err)
{
    if (document.n == 0)
        return VALET_OK;
    if (document.n > VL_LIMIT_CACHE)
        return vl_fail(err, VALET_LIMIT, "",
                       "the token cache is larger than %d bytes",
                       VL_LIMIT_CACHE);
    vl_auto(vl_json) doc = {NULL};
    VL_TRY(vl_json_parse(document, VL_LIMIT_JSON_DEPTH, &doc, err));
    if (vl_json_kind(doc.root) != VL_JSON_OBJECT)
        return vl_fail(err, VALET_INVALID, "",
                       "the token cache is none: it is not an object");
    struct reading reading = {clouds, ret, VL_CACHE_ACCOUNT, VALET_OK, err};
    vl_json_each(doc.root, read_section, &reading);
    if (reading.status != VALET_OK)
        vl_cache_content_done(ret);
    return reading.status;
}

/* --- writing --- */

static int
compare_keys(const void *a, const void *b)
{
    const struct vl_cache_entry *x = *(struct vl_cache_entry *const *)a;
    const struct vl_cache_entry *y = *(struct vl_cache_entry *const *)b;
    struct vl_str s = vl_buf_str(&x->key), t = vl_buf_str(&y->key);
    size_t n = s.n < t.n ? s.n : t.n;
    int order = n ? memcmp(s.p, t.p, n) : 0;
    return order ? order : (s.n > t.n) - (s.n < t.n);
}

/* In the order of their keys: whatever way they came here, the same entries
 * give the same bytes. */
static void
write_section(const struct vl_cache_content *content, enum vl_cache_kind kind,
              struct vl_cache_entry **room, struct vl_json_out *out)
{
    size_t count = 0;
    VL_LIST_EACH (it, &content->entries) {
        struct vl_cache_entry *entry = vl_cache_entry_at(it);
        if (entry->kind == kind)
            room[count++] = entry;
    }
    qsort(room, count, sizeof(struct vl_cache_entry *), compare_keys);
    vl_json_open_key(out, vl_cache_section_names[kind], '{');
    for (size_t i = 0; i < count; i++)
        vl_json_add_value(out, vl_buf_cstr(&room[i]->key), room[i]->doc.root);
    vl_json_close(out, '}');
}

valet_status
vl_cache_write(const struct vl_cache *cache, struct vl_buf *out,
               valet_error *err)
{
    VL_ASSERT(out->secret); /* or tokens stay in freed memory */
    const struct vl_cache_content *content = &cache->content;
    struct vl_json_out json = {out, false};
    struct vl_cache_entry **room =
        vl_alloc((content->count + 1) * sizeof(struct vl_cache_entry *));
    vl_json_open(&json, '{');
    for (size_t kind = 0; kind < VL_CACHE_KIND_COUNT; kind++)
        write_section(content, (enum vl_cache_kind)kind, room, &json);
    free(room);
    VL_LIST_EACH (it, &content->sections) {
        struct vl_cache_section *section =
            VL_CONTAINER(it, struct vl_cache_section, node);
        vl_json_add_value(&json, vl_buf_cstr(&section->name),
                          section->doc.root);
    }
    vl_json_close(&json, '}');
    return vl_buf_check(out, err);
}
