/* SPDX-License-Identifier: Apache-2.0
 *
 * The template engine. It walks the text once; a section is a slice of it
 * that is rendered again for each row. Values are escaped on their way out
 * and never read as template.
 */
#include "web/page.h"

#include "core/status.h"

#define NEST_MAX      8
#define NAME_MAX_SIZE 32

struct tag {
    char kind; /* '#', '^', '/', or 0 for a value */
    struct vl_str name;
    size_t start, end; /* of "{{…}}" in the text */
};

struct scope {
    const struct vl_page *page;
    const struct vl_page_var *row; /* NULL outside lists */
    size_t width;
    unsigned depth;
};

void
vl_page_set(struct vl_page *page, const char *name, struct vl_str value)
{
    VL_ASSERT(page->var_count < VL_COUNT(page->vars));
    page->vars[page->var_count++] = (struct vl_page_var){name, value};
}

void
vl_page_set_list(struct vl_page *page, const struct vl_page_list *list)
{
    VL_ASSERT(page->list_count < VL_COUNT(page->lists));
    page->lists[page->list_count++] = *list;
}

static valet_status
fail_template(valet_error *err, const char *what)
{
    return vl_fail(err, VALET_INVALID, "", "the page template is wrong: %s",
                   what);
}

static bool
is_name(struct vl_str name)
{
    if (!name.n || name.n > NAME_MAX_SIZE)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

/* Index of the next two `c` in a row from `from`, or text.n. */
static size_t
find_pair(struct vl_str text, size_t from, char c)
{
    for (size_t i = from; i + 1 < text.n; i++)
        if (text.p[i] == c && text.p[i + 1] == c)
            return i;
    return text.n;
}

/*
 * tag = "{{" [ "#" / "^" / "/" ] 1*32( %x61-7A / DIGIT / "_" ) "}}"
 * *ret_found is false when there is no further tag.
 */
static valet_status
read_tag(struct vl_str text, size_t from, struct tag *ret, bool *ret_found,
         valet_error *err)
{
    size_t start = find_pair(text, from, '{');
    *ret_found = start < text.n;
    if (!*ret_found)
        return VALET_OK;
    size_t close = find_pair(text, start + 2, '}');
    if (close == text.n)
        return fail_template(err, "a tag has no end");
    struct vl_str inner = {text.p + start + 2, close - start - 2};
    char kind = 0;
    if (inner.n &&
        (inner.p[0] == '#' || inner.p[0] == '^' || inner.p[0] == '/')) {
        kind = inner.p[0];
        inner = vl_str_from(inner, 1);
    }
    if (!is_name(inner))
        return fail_template(err, "a tag has no proper name");
    *ret = (struct tag){kind, inner, start, close + 2};
    return VALET_OK;
}

/* The tag that closes the section opened before `from`. */
static valet_status
find_close(struct vl_str text, size_t from, struct vl_str name, struct tag *ret,
           valet_error *err)
{
    struct vl_str open[NEST_MAX] = {name};
    size_t depth = 1;
    for (;;) {
        bool found = false;
        VL_TRY(read_tag(text, from, ret, &found, err));
        if (!found)
            return fail_template(err, "a section is not closed");
        from = ret->end;
        if (ret->kind == '/') {
            if (!vl_str_eq(open[depth - 1], ret->name))
                return fail_template(err, "sections overlap");
            if (--depth == 0)
                return VALET_OK;
        } else if (ret->kind) {
            if (depth == NEST_MAX)
                return fail_template(err, "sections nest too deep");
            open[depth++] = ret->name;
        }
    }
}

static const struct vl_page_var *
find_var(const struct scope *scope, struct vl_str name)
{
    for (size_t i = 0; i < scope->width; i++)
        if (vl_str_eqz(name, scope->row[i].name))
            return &scope->row[i];
    for (size_t i = 0; i < scope->page->var_count; i++)
        if (vl_str_eqz(name, scope->page->vars[i].name))
            return &scope->page->vars[i];
    return NULL;
}

static const struct vl_page_list *
find_list(const struct scope *scope, struct vl_str name)
{
    for (size_t i = 0; i < scope->page->list_count; i++)
        if (vl_str_eqz(name, scope->page->lists[i].name))
            return &scope->page->lists[i];
    return NULL;
}

/* What stands for a byte that may not appear as it is, or NULL. */
static const char *
find_entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        break;
    }
    bool is_control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
    return is_control ? "\xef\xbf\xbd" : NULL;
}

/* @spec W-69 3.9 */
static valet_status
add_escaped(struct vl_buf *out, struct vl_str value, valet_error *err)
{
    if (!vl_str_is_utf8(value))
        return vl_fail(err, VALET_INVALID, "",
                       "a value for a page is not UTF-8");
    size_t plain = 0;
    for (size_t i = 0; i < value.n; i++) {
        const char *entity = find_entity((unsigned char)value.p[i]);
        if (!entity)
            continue;
        vl_buf_add(out, vl_str_of(value.p + plain, i - plain));
        vl_buf_addz(out, entity);
        plain = i + 1;
    }
    vl_buf_add(out, vl_str_from(value, plain));
    return VALET_OK;
}

static valet_status
render_value(const struct scope *scope, struct vl_str name, struct vl_buf *out,
             valet_error *err)
{
    const struct vl_page_var *var = find_var(scope, name);
    if (!var)
        return vl_fail(err, VALET_INVALID, "",
                       "the page template is wrong: unknown name " VL_STR_FMT,
                       VL_STR_ARG(name));
    return add_escaped(out, var->value, err);
}

static valet_status render_text(const struct scope *scope, struct vl_str text,
                                struct vl_buf *out, valet_error *err);

static valet_status
render_rows(const struct scope *scope, const struct vl_page_list *list,
            struct vl_str body, struct vl_buf *out, valet_error *err)
{
    if (scope->row)
        return fail_template(err, "a list stands in a list");
    for (size_t i = 0; i < list->rows && !out->failed; i++) {
        struct scope inner = {scope->page, list->vars + i * list->width,
                              list->width, scope->depth + 1};
        VL_TRY(render_text(&inner, body, out, err));
    }
    return VALET_OK;
}

static valet_status
render_section(const struct scope *scope, const struct tag *tag,
               struct vl_str body, struct vl_buf *out, valet_error *err)
{
    if (scope->depth == NEST_MAX)
        return fail_template(err, "sections nest too deep");
    const struct vl_page_var *var = find_var(scope, tag->name);
    const struct vl_page_list *list = var ? NULL : find_list(scope, tag->name);
    bool present = (var && var->value.n) || (list && list->rows);
    if (present != (tag->kind == '#'))
        return VALET_OK;
    if (list && present)
        return render_rows(scope, list, body, out, err);
    struct scope inner = *scope;
    inner.depth++;
    return render_text(&inner, body, out, err);
}

static valet_status
render_text(const struct scope *scope, struct vl_str text, struct vl_buf *out,
            valet_error *err)
{
    size_t at = 0;
    for (;;) {
        struct tag tag;
        bool found = false;
        VL_TRY(read_tag(text, at, &tag, &found, err));
        if (!found)
            break;
        vl_buf_add(out, vl_str_of(text.p + at, tag.start - at));
        at = tag.end;
        if (tag.kind == '/')
            return fail_template(err, "a section is closed but not open");
        if (!tag.kind) {
            VL_TRY(render_value(scope, tag.name, out, err));
            continue;
        }
        struct tag close;
        VL_TRY(find_close(text, at, tag.name, &close, err));
        struct vl_str body = vl_str_of(text.p + at, close.start - at);
        VL_TRY(render_section(scope, &tag, body, out, err));
        at = close.end;
    }
    vl_buf_add(out, vl_str_from(text, at));
    return VALET_OK;
}

valet_status
vl_page_render_text(const struct vl_page *page, struct vl_str text,
                    struct vl_buf *out, valet_error *err)
{
    struct scope scope = {.page = page};
    VL_TRY(render_text(&scope, text, out, err));
    return vl_buf_check(out, err);
}

valet_status
vl_page_render(const struct vl_page *page, struct vl_buf *out, valet_error *err)
{
    const struct vl_asset *asset = page->assets ? page->assets : vl_web_assets;
    for (; asset->name; asset++)
        if (strcmp(asset->name, page->asset) == 0)
            return vl_page_render_text(
                page, vl_str_of(asset->bytes, asset->size), out, err);
    return vl_fail(err, VALET_NOT_FOUND, "", "there is no page %s",
                   page->asset);
}
