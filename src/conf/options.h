/* SPDX-License-Identifier: Apache-2.0
 *
 * The option table: everything that is known about an option stands in one
 * entry of conf/options.c. The loader, --help, the sample file and the JSON
 * Schema read it; nothing about an option is written elsewhere, but for the
 * rules that join several of them (conf/check.c).
 */
#ifndef VL_CONF_OPTIONS_H
#define VL_CONF_OPTIONS_H

#include "core/str.h"

enum vl_option_type {
    /* One text, kept as const char *. */
    VL_OPTION_LINE,
    VL_OPTION_PATH,
    VL_OPTION_ENV_NAME,
    VL_OPTION_GUID,
    VL_OPTION_TENANT,
    VL_OPTION_CLIENT_ID,
    VL_OPTION_ORIGIN,
    VL_OPTION_HOST_URL, /* a slash at the end is cut off */
    /* A list or one text; kept as one const char *, joined. */
    VL_OPTION_SCOPES,     /* by spaces */
    VL_OPTION_PROPERTIES, /* by commas */
    /* A list, kept as array and count. */
    VL_OPTION_ORIGINS,
    VL_OPTION_NETWORKS,
    VL_OPTION_REDIRECT_URIS,
    /* Others. */
    VL_OPTION_LISTEN,   /* const char * and, at `count_at`, the port */
    VL_OPTION_BOOL,     /* bool */
    VL_OPTION_COUNT,    /* unsigned */
    VL_OPTION_DURATION, /* int64_t, milliseconds */
    VL_OPTION_CHOICE,   /* an enum in the order of `choices` */
    VL_OPTION_EITHER,   /* bool: true is the second of `choices` */
    /* Others below: `items` is their table. */
    VL_OPTION_SECTION, /* fields of the same struct */
    VL_OPTION_NAMED,   /* a map of structs, whose first field is the name */
    VL_OPTION_RECORDS, /* a list of structs */
    VL_OPTION_TYPE_COUNT
};

struct vl_option {
    const char *path; /* "entra.tenant_id"; "*" stands for any name */
    enum vl_option_type type;
    bool is_required;
    const char *fallback;       /* as one would write it, or NULL */
    const char *example;        /* where there is no fallback */
    int64_t min, max;           /* of the number, or of the number of items */
    const char *const *choices; /* ends in NULL */
    const char *env[2];         /* asked in this order if the file is silent */
    size_t at, count_at;        /* in struct vl_conf, or of the item */
    const struct vl_option *items;
    size_t item_count, item_size;
    const char *help; /* whole sentences */
};

/* All options; those of sections and items hang below. */
const struct vl_option *vl_options(size_t *ret_count);
/* The last part of the path: the key in the file. */
const char *vl_option_key(const struct vl_option *option);
/* The option with this key in a table; NULL when there is none. */
const struct vl_option *
vl_option_find(const struct vl_option *table, size_t count, struct vl_str key);
/* What is meant by an unknown key: the nearest one of the table, or one of
 * the same name elsewhere; NULL when nothing is near. */
const struct vl_option *vl_option_suggest(const struct vl_option *table,
                                          size_t count, struct vl_str key);

#endif
