/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/challenge.h"

#include "json/read.h"

#define DEPTH     8
#define WORDS_MAX 256

/* A context is c1 to c99; longer words are nobody's. */
#define WORD_MAX 31

static bool
is_word(struct vl_str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] <= ' ' || word.p[i] == '"' || word.p[i] == '\\' ||
            word.p[i] > '~')
            return false;
    return word.n > 0 && word.n <= WORD_MAX;
}

static void
add_word(struct vl_buf *words, struct vl_str word)
{
    if (!is_word(word) || vl_str_has_word(vl_buf_str(words), word))
        return;
    if (vl_buf_size(words))
        vl_buf_addc(words, ' ');
    vl_buf_add(words, word);
}

/* {"value": …} or {"values": […]}, of OpenID Connect 1.0 section 5.5.1. */
static void
add_values(struct vl_buf *words, const struct json_t *claim)
{
    const struct json_t *values = vl_json_get(claim, "values");
    add_word(words, vl_json_get_str(claim, "value"));
    for (size_t i = 0; i < vl_json_size(values); i++)
        add_word(words, vl_json_str(vl_json_at(values, i)));
}

unsigned
vl_tenant_asked_read(struct vl_tenant_call *call, struct vl_str text,
                     struct vl_tenant_asked *ret)
{
    struct vl_tenant_asked asked = {.acrs = ""};
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_buf) acrs = vl_buf_of(WORDS_MAX), cc = vl_buf_of(WORDS_MAX);
    if (text.n && (vl_json_parse(text, DEPTH, &doc, NULL) != VALET_OK ||
                   vl_json_kind(doc.root) != VL_JSON_OBJECT))
        return 90023;
    const struct json_t *access = vl_json_get(doc.root, "access_token");
    add_values(&acrs, vl_json_get(access, "acrs"));
    add_values(&cc, vl_json_get(access, "xms_cc"));
    asked.acrs = vl_tenant_format(call, "%s", vl_buf_cstr(&acrs));
    asked.is_capable = vl_str_has_word(vl_buf_str(&cc), VL_STR("cp1"));
    *ret = asked;
    return 0;
}

bool
vl_tenant_acrs_met(const char *asked, const char *had)
{
    struct vl_str rest = vl_str_z(asked), word;
    while (vl_str_split(&rest, ' ', &word))
        if (word.n && !vl_str_has_word(vl_str_z(had), word))
            return false;
    return true;
}

const char *
vl_tenant_acrs_join(const struct vl_tenant_call *call, const char *a,
                    const char *b)
{
    vl_auto(vl_buf) words = vl_buf_of(WORDS_MAX);
    const char *const both[] = {a, b};
    for (size_t i = 0; i < VL_COUNT(both); i++) {
        struct vl_str rest = vl_str_z(both[i]), word;
        while (vl_str_split(&rest, ' ', &word))
            add_word(&words, word);
    }
    return vl_tenant_format(call, "%s", vl_buf_cstr(&words));
}

const char *
vl_tenant_acrs_challenge(const struct vl_tenant_call *call, const char *acrs)
{
    struct vl_str first =
        vl_str_head(vl_str_z(acrs), vl_str_index(vl_str_z(acrs), ' '));
    return vl_tenant_format(call,
                            "{\"access_token\":{\"acrs\":{\"essential\":true,"
                            "\"value\":\"" VL_STR_FMT "\"}}}",
                            VL_STR_ARG(first));
}
