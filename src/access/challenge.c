/* SPDX-License-Identifier: Apache-2.0
 *
 * What a refusal says about the way to a token (RFC 6750 section 3, RFC 9728
 * section 5.1; @spec CL-01).
 */
#include "http/challenge.h"
#include "access/address.h"
#include "access/site.h"
#include "oauth/scope.h"
#include "oauth/words.h"

/* "insufficient_scope" is the longest that is known. */
#define ERROR_MAX 47

void
vl_site_challenge_init(struct vl_site_challenge *challenge)
{
    *challenge = (struct vl_site_challenge){
        .resource_metadata = vl_buf_of(VL_ADDRESS_MAX),
        .scope = vl_buf_of(VL_LIMIT_SCOPE),
        .error = vl_buf_of(ERROR_MAX),
    };
}

void
vl_site_challenge_done(struct vl_site_challenge *challenge)
{
    vl_buf_done(&challenge->resource_metadata);
    vl_buf_done(&challenge->scope);
    vl_buf_done(&challenge->error);
    challenge->is_there = false;
}

static bool
is_url(struct vl_str text)
{
    struct vl_url url;
    return vl_url_parse(text, &url, NULL) == VALET_OK;
}

static bool
is_error(struct vl_str text)
{
    char word[ERROR_MAX + 1];
    vl_oauth_copy_word(word, sizeof word, text);
    return word[0] != '\0';
}

static void
take(const struct vl_challenge *from, const char *name,
     bool (*is_good)(struct vl_str text), struct vl_buf *ret)
{
    if (vl_challenge_get(from, name, ret, NULL) != VALET_OK ||
        !is_good(vl_buf_str(ret)))
        vl_buf_clear(ret);
}

static void
read_bearer(const struct vl_challenge *from, struct vl_site_challenge *ret)
{
    ret->is_there = true;
    take(from, "resource_metadata", is_url, &ret->resource_metadata);
    take(from, "scope", vl_scope_is_valid, &ret->scope);
    take(from, "error", is_error, &ret->error);
}

void
vl_site_challenge_read(const struct vl_headers *headers,
                       struct vl_site_challenge *ret)
{
    struct vl_challenge challenge;
    ret->is_there = false;
    vl_buf_clear(&ret->resource_metadata);
    vl_buf_clear(&ret->scope);
    vl_buf_clear(&ret->error);
    for (size_t i = 0; i < headers->count; i++) {
        struct vl_str rest = headers->items[i].value;
        if (!vl_str_ieq(headers->items[i].name, VL_STR("WWW-Authenticate")))
            continue;
        while (vl_challenge_next(&rest, &challenge) == VL_CHALLENGE_FOUND)
            if (vl_str_ieq(challenge.scheme, VL_STR("Bearer"))) {
                read_bearer(&challenge, ret);
                return;
            }
    }
}
