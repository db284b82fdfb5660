/* SPDX-License-Identifier: Apache-2.0
 *
 *     WWW-Authenticate = [ challenge *( OWS "," OWS challenge ) ]
 *     challenge        = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
 *     auth-param       = token BWS "=" BWS ( token / quoted-string )
 *     token68          = 1*( ALPHA / DIGIT / "-._~+/" ) *"="
 */
#include "http/challenge.h"

#include "core/status.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_token_char(char c)
{
    return vl_is_letter(c) || vl_is_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool
is_token68_char(char c)
{
    return vl_is_letter(c) || vl_is_digit(c) ||
           (c != '\0' && strchr("-._~+/", c));
}

/* The longest run of the class at the start. */
static struct vl_str
cut(struct vl_str *rest, bool (*is)(char c))
{
    size_t n = 0;
    while (n < rest->n && is(rest->p[n]))
        n++;
    struct vl_str run = vl_str_head(*rest, n);
    *rest = vl_str_from(*rest, n);
    return run;
}

static bool
starts(struct vl_str s, char c)
{
    return s.n > 0 && s.p[0] == c;
}

/* A list's element ends here. */
static bool
is_end(struct vl_str rest)
{
    (void)cut(&rest, is_blank);
    return rest.n == 0 || rest.p[0] == ',';
}

/* DQUOTE *( qdtext / quoted-pair ) DQUOTE, with its quotes. */
static bool
cut_quoted(struct vl_str *rest, struct vl_str *ret)
{
    for (size_t i = 1; i < rest->n; i++) {
        unsigned char c = (unsigned char)rest->p[i];
        if (c == '"') {
            *ret = vl_str_head(*rest, i + 1);
            *rest = vl_str_from(*rest, i + 1);
            return true;
        }
        if (c == '\\' && ++i < rest->n)
            c = (unsigned char)rest->p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return false;
}

/* `rest` is as it was when no parameter stands there. */
static bool
cut_param(struct vl_str *rest, struct vl_str *ret_name, struct vl_str *ret)
{
    struct vl_str at = *rest;
    *ret_name = cut(&at, is_token_char);
    (void)cut(&at, is_blank);
    if (!ret_name->n || !starts(at, '='))
        return false;
    at = vl_str_from(at, 1);
    (void)cut(&at, is_blank);
    if (starts(at, '"')) {
        if (!cut_quoted(&at, ret))
            return false;
    } else {
        *ret = cut(&at, is_token_char);
    }
    if (!ret->n || !is_end(at))
        return false;
    *rest = at;
    return true;
}

static bool
cut_token68(struct vl_str *rest, struct vl_str *ret)
{
    struct vl_str at = *rest;
    if (!cut(&at, is_token68_char).n)
        return false;
    while (starts(at, '='))
        at = vl_str_from(at, 1);
    if (!is_end(at))
        return false;
    *ret = vl_str_head(*rest, rest->n - at.n);
    *rest = at;
    return true;
}

/* Empty elements are nothing (RFC 9110 section 5.6.1.2). */
static void
skip_commas(struct vl_str *rest)
{
    (void)cut(rest, is_blank);
    while (starts(*rest, ',')) {
        *rest = vl_str_from(*rest, 1);
        (void)cut(rest, is_blank);
    }
}

/* What follows the scheme, up to the next one. */
static void
cut_params(struct vl_str *rest, struct vl_str *ret)
{
    struct vl_str name, value, from = *rest, at = *rest;
    skip_commas(&at);
    while (cut_param(&at, &name, &value)) {
        *rest = at;
        skip_commas(&at);
    }
    *ret = vl_str_head(from, from.n - rest->n);
}

enum vl_challenge_found
vl_challenge_next(struct vl_str *rest, struct vl_challenge *ret)
{
    *ret = (struct vl_challenge){.token68 = {NULL, 0}};
    skip_commas(rest);
    if (rest->n == 0)
        return VL_CHALLENGE_END;
    ret->scheme = cut(rest, is_token_char);
    if (!ret->scheme.n)
        return VL_CHALLENGE_BROKEN;
    if (is_end(*rest)) {
        cut_params(rest, &ret->params);
        return VL_CHALLENGE_FOUND;
    }
    if (!starts(*rest, ' ')) /* RFC 9110 wants 1*SP and no other blank */
        return VL_CHALLENGE_BROKEN;
    (void)cut(rest, is_blank);
    if (!cut_token68(rest, &ret->token68))
        cut_params(rest, &ret->params);
    bool any = ret->token68.n || ret->params.n;
    return any && is_end(*rest) ? VL_CHALLENGE_FOUND : VL_CHALLENGE_BROKEN;
}

static void
add_unquoted(struct vl_str value, struct vl_buf *out)
{
    if (!starts(value, '"')) {
        vl_buf_add(out, value);
        return;
    }
    for (size_t i = 1; i + 1 < value.n; i++) {
        if (value.p[i] == '\\')
            i++;
        vl_buf_addc(out, value.p[i]);
    }
}

valet_status
vl_challenge_get(const struct vl_challenge *challenge, const char *name,
                 struct vl_buf *out, valet_error *err)
{
    struct vl_str rest = challenge->params, key, value, found = {NULL, 0};
    skip_commas(&rest);
    while (cut_param(&rest, &key, &value)) {
        if (vl_str_ieq(key, vl_str_z(name))) {
            if (found.p)
                return vl_fail(err, VALET_INVALID, "",
                               "the challenge has two parameters %s", name);
            found = value;
        }
        skip_commas(&rest);
    }
    if (!found.p)
        return vl_fail(err, VALET_NOT_FOUND, "",
                       "the challenge has no parameter %s", name);
    add_unquoted(found, out);
    return vl_buf_check(out, err);
}
