/* SPDX-License-Identifier: Apache-2.0 */
#include "http/message.h"

size_t
vl_headers_find(const struct vl_headers *headers, struct vl_str name,
                struct vl_str *ret_first)
{
    size_t count = 0;
    *ret_first = (struct vl_str){NULL, 0};
    for (size_t i = 0; i < headers->count; i++) {
        const struct vl_header *header = &headers->items[i];
        if (vl_str_ieq(header->name, name) && count++ == 0)
            *ret_first = header->value;
    }
    return count;
}

bool
vl_headers_add(struct vl_headers *headers, struct vl_str name,
               struct vl_str value)
{
    if (headers->count >= VL_COUNT(headers->items))
        return false;
    headers->items[headers->count++] = (struct vl_header){name, value};
    return true;
}

/* RFC 9110 5.6.1: #element => [ element ] *( OWS "," OWS [ element ] ) */
static bool
list_has(struct vl_str list, struct vl_str token)
{
    struct vl_str item;
    while (vl_str_split(&list, ',', &item))
        if (vl_str_ieq(vl_str_trim(item), token))
            return true;
    return false;
}

bool
vl_headers_have_token(const struct vl_headers *headers, const char *name,
                      const char *token)
{
    struct vl_str wanted = vl_str_z(name);
    for (size_t i = 0; i < headers->count; i++)
        if (vl_str_ieq(headers->items[i].name, wanted) &&
            list_has(headers->items[i].value, vl_str_z(token)))
            return true;
    return false;
}

/* RFC 6265 4.2.1: cookie-string = cookie-pair *( ";" SP cookie-pair ) */
static size_t
find_cookie(struct vl_str line, struct vl_str name, struct vl_str *ret_value)
{
    size_t hits = 0;
    struct vl_str pair;
    while (vl_str_split(&line, ';', &pair)) {
        pair = vl_str_trim(pair);
        size_t eq = vl_str_index(pair, '=');
        /* A space before '=' is no browser's; it counts, so that a stranger
         * cannot hide a second cookie behind it. */
        struct vl_str key = vl_str_trim(vl_str_head(pair, eq));
        if (eq == pair.n || !vl_str_eq(key, name))
            continue;
        *ret_value = vl_str_from(pair, eq + 1);
        hits++;
    }
    return hits;
}

struct vl_str
vl_cookie_get(const struct vl_headers *headers, const char *name)
{
    struct vl_str value = {NULL, 0};
    size_t hits = 0;
    for (size_t i = 0; i < headers->count; i++)
        if (vl_str_ieq(headers->items[i].name, VL_STR("cookie")))
            hits +=
                find_cookie(headers->items[i].value, vl_str_z(name), &value);
    return hits == 1 ? value : (struct vl_str){NULL, 0};
}

bool
vl_media_type_is(struct vl_str content_type, const char *type)
{
    struct vl_str essence =
        vl_str_head(content_type, vl_str_index(content_type, ';'));
    return vl_str_ieq(vl_str_trim(essence), vl_str_z(type));
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *
vl_http_reason(int status)
{
    for (size_t i = 0; i < VL_COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}
