/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/registration.h"

#include "core/status.h"
#include "oauth/redirect.h"
#include "oauth/scope.h"
#include "json/read.h"

#define DEPTH 8

void
vl_registration_done(struct vl_registration *registration)
{
    vl_buf_done(&registration->name);
    vl_buf_done(&registration->redirects);
    vl_buf_done(&registration->scopes);
}

static valet_status
refuse(valet_error *err, const char *why)
{
    return vl_fail(err, VALET_INVALID, "invalid_client_metadata", "%s", why);
}

/* @spec W-17 W-63: one dangerous address refuses the registration; private
 * schemes, which some clients add, do not. */
static valet_status
read_redirects(const struct json_t *list, struct vl_buf *out, valet_error *err)
{
    size_t count = vl_json_size(list);
    if (vl_json_kind(list) != VL_JSON_ARRAY || count == 0 ||
        count > VL_LIMIT_REDIRECT_URIS)
        return vl_fail(err, VALET_INVALID, "invalid_redirect_uri",
                       "redirect_uris: a list of 1 to %d URIs",
                       VL_LIMIT_REDIRECT_URIS);
    for (size_t i = 0; i < count; i++) {
        struct vl_str uri = vl_json_str(vl_json_at(list, i));
        VL_TRY(vl_redirect_check(uri, err));
        vl_buf_add(out, uri);
        vl_buf_addc(out, '\n');
    }
    return vl_buf_check(out, err);
}

/* Absent, or a list (of strings) that has `needed`. */
static bool
is_list_with(const struct json_t *value, const char *needed)
{
    if (vl_json_kind(value) == VL_JSON_ABSENT)
        return true;
    for (size_t i = 0; i < vl_json_size(value); i++)
        if (vl_json_kind(vl_json_at(value, i)) != VL_JSON_STRING)
            return false;
    return vl_json_kind(value) == VL_JSON_ARRAY &&
           vl_json_has_str(value, vl_str_z(needed));
}

/* Length of the UTF-8 character at the start of `s`, which is UTF-8. */
static size_t
char_size(struct vl_str s)
{
    unsigned char first = (unsigned char)s.p[0];
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static uint32_t
code_point(struct vl_str s)
{
    uint32_t point = (unsigned char)s.p[0];
    if (s.n > 1)
        point &= 0x7fu >> s.n;
    for (size_t i = 1; i < s.n; i++)
        point = point << 6 | ((unsigned char)s.p[i] & 0x3fu);
    return point;
}

/* Controls, and what turns the direction of a line or hides in it: a name
 * must not rewrite the sentence around it. */
static bool
is_shown(uint32_t point)
{
    return point >= 0x20 && !(point >= 0x7f && point <= 0x9f) &&
           point != 0xad && point != 0x61c &&
           !(point >= 0x200b && point <= 0x200f) &&
           !(point >= 0x2028 && point <= 0x202e) &&
           !(point >= 0x2060 && point <= 0x206f) && point != 0xfeff &&
           !(point >= 0xfff9 && point <= 0xfffb) && point < 0xe0000;
}

static void
clean_name(struct vl_str name, struct vl_buf *out)
{
    while (name.n > 0) {
        struct vl_str character = vl_str_head(name, char_size(name));
        if (vl_buf_size(out) + character.n > VL_LIMIT_CLIENT_NAME)
            break;
        if (is_shown(code_point(character)))
            vl_buf_add(out, character);
        name = vl_str_from(name, character.n);
    }
}

static void
read_name(const struct json_t *root, struct vl_registration *ret)
{
    vl_auto(vl_buf) clean = vl_buf_of(VL_LIMIT_CLIENT_NAME);
    clean_name(vl_json_get_str(root, "client_name"), &clean);
    struct vl_str name = vl_str_trim(vl_buf_str(&clean));
    if (name.n)
        vl_buf_add(&ret->name, name);
    else
        vl_buf_addz(&ret->name, "A program without a name");
}

static valet_status
read_rest(const struct json_t *root, struct vl_registration *ret,
          valet_error *err)
{
    struct vl_str scope = vl_json_get_str(root, "scope");
    struct vl_str type = vl_json_get_str(root, "application_type");
    if (!is_list_with(vl_json_get(root, "grant_types"), "authorization_code"))
        return refuse(err, "grant_types: authorization_code is needed");
    if (!is_list_with(vl_json_get(root, "response_types"), "code"))
        return refuse(err, "response_types: code is needed");
    if (scope.n > VL_LIMIT_SCOPE)
        return refuse(err, "scope is too long");
    if (vl_scope_is_valid(scope))
        vl_buf_add(&ret->scopes, scope);
    /* @spec AS-17: lenient; what may be registered is the same for both. */
    ret->is_native = vl_str_eqz(type, "native");
    ret->has_type = ret->is_native || vl_str_eqz(type, "web");
    read_name(root, ret);
    return vl_buf_check(&ret->scopes, err);
}

valet_status
vl_registration_read(struct vl_str body, struct vl_registration *ret,
                     valet_error *err)
{
    vl_auto(vl_json) doc = {NULL};
    vl_auto(vl_registration)
        read = {.name = vl_buf_of(VL_LIMIT_CLIENT_NAME),
                .redirects = vl_buf_of(VL_LIMIT_REDIRECT_URIS *
                                       (VL_LIMIT_REDIRECT_URI + 1)),
                .scopes = vl_buf_of(VL_LIMIT_SCOPE)};
    if (vl_json_parse(body, DEPTH, &doc, NULL) != VALET_OK ||
        vl_json_kind(doc.root) != VL_JSON_OBJECT)
        return refuse(err, "send one JSON object");
    VL_TRY(read_redirects(vl_json_get(doc.root, "redirect_uris"),
                          &read.redirects, err));
    VL_TRY(read_rest(doc.root, &read, err));
    *ret = read;
    read = (struct vl_registration){0};
    return VALET_OK;
}
