/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar is RFC 8259's, less what the header says. Each function takes
 * what it reads off the front of `rest`.
 */
#include "json/scan.h"

/* Integers of so many digits always fit 64 bits. */
#define DIGITS_MAX 18

/* ws = *( %x20 / %x09 / %x0A / %x0D ) */
static void
skip_space(struct vl_str *rest)
{
    while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\n' ||
                       rest->p[0] == '\r' || rest->p[0] == '\t')) {
        rest->p++;
        rest->n--;
    }
}

static bool
take_byte(struct vl_str *rest, char byte)
{
    skip_space(rest);
    if (rest->n == 0 || rest->p[0] != byte)
        return false;
    *rest = vl_str_from(*rest, 1);
    return true;
}

/* string = quotation-mark *unescaped quotation-mark ; no escapes here */
static bool
take_string(struct vl_str *rest, struct vl_str *ret)
{
    size_t i = 1;
    while (i < rest->n && rest->p[i] != '"') {
        unsigned char byte = (unsigned char)rest->p[i];
        size_t size = 1;
        if (byte < 0x20 || byte == '\\')
            return false;
        if (byte >= 0x80)
            size = vl_str_utf8_size(vl_str_from(*rest, i));
        if (size == 0)
            return false;
        i += size;
    }
    if (i >= rest->n)
        return false;
    *ret = vl_str_head(*rest, i + 1);
    *rest = vl_str_from(*rest, i + 1);
    return true;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* number = [ minus ] int ; here no fraction, no exponent, and not "-0", which
 * would not be written as it was read */
static bool
take_integer(struct vl_str *rest, struct vl_str *ret)
{
    size_t sign = rest->p[0] == '-', n = sign;
    while (n < rest->n && is_digit(rest->p[n]))
        n++;
    size_t digits = n - sign;
    if (digits == 0 || digits > DIGITS_MAX)
        return false;
    if (rest->p[sign] == '0' && (digits > 1 || sign))
        return false;
    /* Part of a number, or of nothing: what follows has to be one of the
     * three that end a member, which vl_json_scan() sees to. */
    *ret = vl_str_head(*rest, n);
    *rest = vl_str_from(*rest, n);
    return true;
}

static bool
take_word(struct vl_str *rest, struct vl_str word, struct vl_str *ret)
{
    if (!vl_str_starts(*rest, word))
        return false;
    *ret = vl_str_head(*rest, word.n);
    *rest = vl_str_from(*rest, word.n);
    return true;
}

/* Up to the bracket that closes the first one, whatever lies between. */
static bool
take_nested(struct vl_str *rest, struct vl_str *ret)
{
    size_t depth = 0, i = 0;
    bool in_string = false;
    do {
        char c = rest->p[i++];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    } while (depth && i < rest->n);
    if (depth)
        return false;
    *ret = vl_str_head(*rest, i);
    *rest = vl_str_from(*rest, i);
    return true;
}

/* value = false / null / true / object / array / number / string */
static bool
take_value(struct vl_str *rest, struct vl_json_member *ret)
{
    skip_space(rest);
    switch (rest->n ? rest->p[0] : '\0') {
    case '"':
        ret->kind = VL_JSON_STRING;
        return take_string(rest, &ret->text);
    case '{':
        ret->kind = VL_JSON_OBJECT;
        return take_nested(rest, &ret->text);
    case '[':
        ret->kind = VL_JSON_ARRAY;
        return take_nested(rest, &ret->text);
    case 't':
        ret->kind = VL_JSON_BOOL;
        return take_word(rest, VL_STR("true"), &ret->text);
    case 'f':
        ret->kind = VL_JSON_BOOL;
        return take_word(rest, VL_STR("false"), &ret->text);
    case 'n':
        ret->kind = VL_JSON_NULL;
        return take_word(rest, VL_STR("null"), &ret->text);
    case '\0':
        return false;
    default:
        ret->kind = VL_JSON_INT;
        return take_integer(rest, &ret->text);
    }
}

/* member = string name-separator value */
static bool
take_member(struct vl_str *rest, struct vl_json_member *ret)
{
    skip_space(rest);
    if (rest->n == 0 || rest->p[0] != '"' || !take_string(rest, &ret->key))
        return false;
    ret->key = (struct vl_str){ret->key.p + 1, ret->key.n - 2};
    return take_byte(rest, ':') && take_value(rest, ret);
}

/* object = begin-object [ member *( value-separator member ) ] end-object */
bool
vl_json_scan(struct vl_str text, struct vl_json_member *members, size_t max,
             size_t *ret_count)
{
    size_t count = 0;
    if (!take_byte(&text, '{'))
        return false;
    if (!take_byte(&text, '}')) {
        do {
            if (count == max || !take_member(&text, &members[count]))
                return false;
            for (size_t i = 0; i < count; i++)
                if (vl_str_eq(members[i].key, members[count].key))
                    return false;
            count++;
        } while (take_byte(&text, ','));
        if (!take_byte(&text, '}'))
            return false;
    }
    skip_space(&text);
    *ret_count = count;
    return text.n == 0;
}

struct vl_str
vl_json_member_str(const struct vl_json_member *member)
{
    if (member->kind != VL_JSON_STRING)
        return (struct vl_str){NULL, 0};
    return (struct vl_str){member->text.p + 1, member->text.n - 2};
}
