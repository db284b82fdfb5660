/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value.h"

#include "conf/syntax.h"
#include "core/status.h"
#include "io/listen.h"

#define SENTENCE_SIZE 200

typedef valet_status
store_fn(const struct vl_option *option, struct vl_str text,
         struct vl_arena *arena, void *base, valet_error *err);

static void *
slot_of(const struct vl_option *option, void *base)
{
    return (char *)base + option->at;
}

static void *
count_of(const struct vl_option *option, void *base)
{
    return (char *)base + option->count_at;
}

static valet_status
fail_for_room(valet_error *err)
{
    return vl_fail(err, VALET_LIMIT, "",
                   "needs more memory than is set aside "
                   "for a configuration; write less");
}

static valet_status
put_text(struct vl_str text, struct vl_arena *arena, void *slot,
         valet_error *err)
{
    const char *copy = vl_arena_cstr(arena, text);
    if (!copy)
        return fail_for_room(err);
    memcpy(slot, &copy, sizeof copy);
    return VALET_OK;
}

static valet_status
store_text(const struct vl_option *option, struct vl_str text,
           struct vl_arena *arena, void *base, valet_error *err)
{
    /* The Azure SDKs know https://login.microsoftonline.com/ with a slash. */
    if (option->type == VL_OPTION_HOST_URL && vl_str_ends(text, VL_STR("/")))
        text.n--;
    return put_text(text, arena, slot_of(option, base), err);
}

static valet_status
store_listen(const struct vl_option *option, struct vl_str text,
             struct vl_arena *arena, void *base, valet_error *err)
{
    struct vl_listen listen;
    VL_TRY(vl_listen_parse(text, &listen, err));
    VL_TRY(put_text(vl_str_z(listen.host), arena, slot_of(option, base), err));
    memcpy(count_of(option, base), &listen.port, sizeof listen.port);
    return VALET_OK;
}

static valet_status
store_bool(const struct vl_option *option, struct vl_str text,
           struct vl_arena *arena, void *base, valet_error *err)
{
    (void)arena;
    bool value = vl_str_eqz(text, "true");
    if (!value && !vl_str_eqz(text, "false"))
        return vl_fail(err, VALET_INVALID, "",
                       "must be true or false, without quotes; write the one "
                       "that is meant");
    memcpy(slot_of(option, base), &value, sizeof value);
    return VALET_OK;
}

static valet_status
store_count(const struct vl_option *option, struct vl_str text,
            struct vl_arena *arena, void *base, valet_error *err)
{
    (void)arena;
    uint64_t number;
    if (!vl_str_u64(text, UINT32_MAX, &number) ||
        number < (uint64_t)option->min || number > (uint64_t)option->max)
        return vl_fail(err, VALET_INVALID, "",
                       "must be a whole number from %lld to %lld; write for "
                       "example %s, without quotes",
                       (long long)option->min, (long long)option->max,
                       option->fallback);
    unsigned value = (unsigned)number;
    memcpy(slot_of(option, base), &value, sizeof value);
    return VALET_OK;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

void
vl_value_add_duration(struct vl_buf *out, int64_t ms)
{
    size_t i = ms == 0 ? 3 : 0; /* nobody says 0d */
    while (i + 1 < VL_COUNT(units) && (ms % units[i].ms != 0))
        i++;
    vl_buf_addf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}

/* duration = 1*DIGIT ( "ms" / "s" / "m" / "h" / "d" ) */
bool
vl_value_duration(struct vl_str text, int64_t *ret_ms)
{
    size_t digits = 0;
    uint64_t number;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!vl_str_u64(vl_str_head(text, digits), 1000000000, &number))
        return false;
    for (size_t i = 0; i < VL_COUNT(units); i++)
        if (vl_str_eqz(vl_str_from(text, digits), units[i].name)) {
            *ret_ms = (int64_t)number * units[i].ms;
            return true;
        }
    return false;
}

static valet_status
store_duration(const struct vl_option *option, struct vl_str text,
               struct vl_arena *arena, void *base, valet_error *err)
{
    (void)arena;
    int64_t ms;
    vl_auto(vl_buf) range = vl_buf_of(SENTENCE_SIZE);
    if (!vl_value_duration(text, &ms))
        return vl_fail(err, VALET_INVALID, "",
                       "must be a number and a unit (ms, s, m, h or d); write "
                       "for example %s",
                       option->fallback);
    if (ms < option->min || ms > option->max) {
        vl_value_describe(option, &range);
        return vl_fail(err, VALET_INVALID, "",
                       "must be a %s; write for example %s",
                       vl_buf_cstr(&range), option->fallback);
    }
    memcpy(slot_of(option, base), &ms, sizeof ms);
    return VALET_OK;
}

static valet_status
find_choice(const struct vl_option *option, struct vl_str text,
            unsigned *ret_index, valet_error *err)
{
    vl_auto(vl_buf) names = vl_buf_of(SENTENCE_SIZE);
    unsigned i = 0;
    while (option->choices[i] && !vl_str_eqz(text, option->choices[i]))
        i++;
    if (option->choices[i]) {
        *ret_index = i;
        return VALET_OK;
    }
    vl_value_describe(option, &names);
    return vl_fail(err, VALET_INVALID, "", "must be %s; write %s",
                   vl_buf_cstr(&names), option->choices[0]);
}

static valet_status
store_choice(const struct vl_option *option, struct vl_str text,
             struct vl_arena *arena, void *base, valet_error *err)
{
    (void)arena;
    unsigned index;
    VL_TRY(find_choice(option, text, &index, err));
    memcpy(slot_of(option, base), &index, sizeof index);
    return VALET_OK;
}

static valet_status
store_either(const struct vl_option *option, struct vl_str text,
             struct vl_arena *arena, void *base, valet_error *err)
{
    (void)arena;
    unsigned index;
    VL_TRY(find_choice(option, text, &index, err));
    bool value = index == 1;
    memcpy(slot_of(option, base), &value, sizeof value);
    return VALET_OK;
}

/* Every enum is stored as the compiler stores unsigned. */
_Static_assert(sizeof(enum vl_option_type) == sizeof(unsigned), "enums");

static const struct {
    const char *name;
    store_fn *store; /* NULL for words and for what has items */
    const char *(*check)(struct vl_str text);
    char separator;
    bool is_words, is_bare;
} types[VL_OPTION_TYPE_COUNT] = {
    [VL_OPTION_LINE] = {"text", store_text, vl_syntax_line, '\0', 0, 0},
    [VL_OPTION_PATH] = {"path of a file", store_text, vl_syntax_path, '\0', 0,
                        0},
    [VL_OPTION_ENV_NAME] = {"name of a variable", store_text,
                            vl_syntax_env_name, '\0', 0, 0},
    [VL_OPTION_GUID] = {"GUID", store_text, vl_syntax_guid, '\0', 0, 0},
    [VL_OPTION_TENANT] = {"GUID or domain name", store_text, vl_syntax_tenant,
                          '\0', 0, 0},
    [VL_OPTION_CLIENT_ID] = {"text", store_text, vl_syntax_client_id, '\0', 0,
                             0},
    [VL_OPTION_ORIGIN] = {"URL without path", store_text, vl_syntax_origin,
                          '\0', 0, 0},
    [VL_OPTION_HOST_URL] = {"URL without path", store_text, vl_syntax_host_url,
                            '\0', 0, 0},
    [VL_OPTION_SCOPES] = {"list of scopes", NULL, vl_syntax_scope, ' ', 1, 0},
    [VL_OPTION_PROPERTIES] = {"list of properties", NULL, vl_syntax_property,
                              ',', 1, 0},
    [VL_OPTION_ORIGINS] = {"list of URLs without path", NULL, vl_syntax_origin,
                           '\0', 1, 0},
    [VL_OPTION_NETWORKS] = {"list of addresses or networks", NULL,
                            vl_syntax_network, '\0', 1, 0},
    [VL_OPTION_REDIRECT_URIS] = {"list of URIs", NULL, vl_syntax_redirect_uri,
                                 '\0', 1, 0},
    [VL_OPTION_LISTEN] = {"HOST:PORT", store_listen, NULL, '\0', 0, 0},
    [VL_OPTION_BOOL] = {"true or false", store_bool, NULL, '\0', 0, 1},
    [VL_OPTION_COUNT] = {"whole number", store_count, NULL, '\0', 0, 1},
    [VL_OPTION_DURATION] = {"duration", store_duration, NULL, '\0', 0, 0},
    [VL_OPTION_CHOICE] = {"", store_choice, NULL, '\0', 0, 0},
    [VL_OPTION_EITHER] = {"", store_either, NULL, '\0', 0, 0},
    [VL_OPTION_SECTION] = {"section", NULL, NULL, '\0', 0, 0},
    [VL_OPTION_NAMED] = {"map by name", NULL, vl_syntax_server_name, '\0', 0,
                         0},
    [VL_OPTION_RECORDS] = {"list", NULL, NULL, '\0', 0, 0},
};

bool
vl_value_is_words(const struct vl_option *option)
{
    return types[option->type].is_words;
}

char
vl_value_separator(const struct vl_option *option)
{
    return types[option->type].separator;
}

bool
vl_value_is_bare(const struct vl_option *option)
{
    return types[option->type].is_bare;
}

static valet_status
check_word(const struct vl_option *option, struct vl_str text, valet_error *err)
{
    const char *wrong =
        types[option->type].check ? types[option->type].check(text) : NULL;
    return wrong ? vl_fail(err, VALET_INVALID, "", "%s", wrong) : VALET_OK;
}

valet_status
vl_value_store(const struct vl_option *option, struct vl_str text,
               struct vl_arena *arena, void *base, valet_error *err)
{
    VL_TRY(check_word(option, text, err));
    if (option->type == VL_OPTION_NAMED)
        return put_text(text, arena, base, err);
    return types[option->type].store(option, text, arena, base, err);
}

static valet_status
store_joined(const struct vl_option *option, const struct vl_words *words,
             struct vl_arena *arena, void *base, valet_error *err)
{
    vl_auto(vl_buf) joined = vl_buf_of(SENTENCE_SIZE * 20);
    for (size_t i = 0; i < words->count; i++) {
        if (i > 0)
            vl_buf_addc(&joined, types[option->type].separator);
        vl_buf_add(&joined, words->items[i]);
    }
    if (joined.failed)
        return fail_for_room(err);
    return put_text(vl_buf_str(&joined), arena, slot_of(option, base), err);
}

static valet_status
store_array(const struct vl_option *option, const struct vl_words *words,
            struct vl_arena *arena, void *base, valet_error *err)
{
    const char **texts =
        vl_arena_alloc(arena, words->count * sizeof *texts + 1);
    if (!texts)
        return fail_for_room(err);
    for (size_t i = 0; i < words->count; i++)
        VL_TRY(put_text(words->items[i], arena, &texts[i], err));
    memcpy(slot_of(option, base), &texts, sizeof texts);
    memcpy(count_of(option, base), &words->count, sizeof words->count);
    return VALET_OK;
}

valet_status
vl_value_store_words(const struct vl_option *option,
                     const struct vl_words *words, struct vl_arena *arena,
                     void *base, size_t *ret_bad, valet_error *err)
{
    *ret_bad = words->count;
    if (words->count < (size_t)option->min ||
        words->count > (size_t)option->max)
        return vl_fail(err, VALET_INVALID, "",
                       "must have %lld to %lld entries; write for example %s",
                       (long long)option->min, (long long)option->max,
                       option->fallback ? option->fallback : option->example);
    for (size_t i = 0; i < words->count; i++) {
        valet_status status = check_word(option, words->items[i], err);
        if (status != VALET_OK) {
            *ret_bad = i;
            return status;
        }
    }
    return types[option->type].separator
               ? store_joined(option, words, arena, base, err)
               : store_array(option, words, arena, base, err);
}

void
vl_value_describe(const struct vl_option *option, struct vl_buf *out)
{
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        vl_buf_addf(out, "%s%s",
                    i == 0                   ? ""
                    : option->choices[i + 1] ? ", "
                                             : " or ",
                    option->choices[i]);
    vl_buf_addz(out, types[option->type].name);
    if (option->type == VL_OPTION_COUNT)
        vl_buf_addf(out, " from %lld to %lld", (long long)option->min,
                    (long long)option->max);
    if (option->type == VL_OPTION_DURATION) {
        vl_buf_addz(out, " from ");
        vl_value_add_duration(out, option->min);
        vl_buf_addz(out, " to ");
        vl_value_add_duration(out, option->max);
    }
}
