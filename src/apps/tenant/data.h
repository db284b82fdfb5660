/* SPDX-License-Identifier: Apache-2.0
 *
 * Who and what the stand-in knows: tenants, users, apps, standing faults. Read
 * from one YAML text (the built-in set, or --data) and not changed afterwards
 * but for what the control API may change: a user's epoch, an application's
 * consent and certificates, and the settings.
 */
#ifndef VL_TENANT_DATA_H
#define VL_TENANT_DATA_H

#include "apps/tenant/credential.h"
#include "apps/tenant/fault.h"
#include "core/arena.h"
#include "core/buf.h"

struct vl_tenant_words {
    const char *items[16];
    size_t count;
};

struct vl_tenant_realm {
    const char *id, *domain, *name;
};

struct vl_tenant_user {
    const char *key; /* such as "admin" */
    const char *id, *username, *password, *display_name;
    const char *given_name, *family_name, *mail, *job_title; /* may be NULL */
    const struct vl_tenant_realm *realm;
    struct vl_tenant_words roles;
    const char *tenant; /* id or domain as written, or NULL: the first */
    unsigned
        sign_in_error; /* AADSTS code that meets the right password, or 0 */
    unsigned epoch;    /* counts revocations; tokens of older ones are dead */
    bool is_admin;     /* may consent for everybody of the tenant */
};

enum vl_tenant_consent_mode {
    VL_TENANT_CONSENT_GRANTED, /* by an administrator, long ago */
    VL_TENANT_CONSENT_NEEDED,  /* people may, each for themselves */
    VL_TENANT_CONSENT_BY_ADMIN,
    VL_TENANT_CONSENT_MODE_COUNT
};

struct vl_tenant_app {
    const char *key;
    const char *id, *name;
    const char *secret;                  /* NULL: it has none */
    struct vl_tenant_words certificates; /* as written */
    struct vl_tenant_credentials credentials;
    /* What it may do in its own name: "User.Read.All" of Graph, or "URI/role"
     * of another resource. */
    struct vl_tenant_words app_roles;
    const char *uri; /* app id URI of a resource, or NULL */
    const struct vl_tenant_realm *realm;
    struct vl_tenant_words redirects;
    struct vl_tenant_words scopes; /* that it exposes, without the URI */
    const char *tenant;
    enum vl_tenant_consent_mode consent;
    bool is_public;    /* may get tokens without a credential */
    bool multi_tenant; /* may be used on common and organizations */
    bool in_family;    /* shares refresh tokens with Microsoft's family "1" */
    bool secret_expired;
};

/* What to do with the parameter `resource` (RFC 8707). */
enum vl_tenant_resource_mode {
    VL_TENANT_RESOURCE_CHECK,  /* it has to name the scopes' resource */
    VL_TENANT_RESOURCE_REFUSE, /* as Entra did before March 2026 */
    VL_TENANT_RESOURCE_IGNORE,
    VL_TENANT_RESOURCE_MODE_COUNT
};

#define VL_TENANT_REALMS_MAX 8
#define VL_TENANT_USERS_MAX  200
#define VL_TENANT_APPS_MAX   50

/* What the file and the control API set alike. */
struct vl_tenant_settings {
    unsigned access_token_seconds; /* 0: 60 to 90 minutes, drawn each time */
    unsigned refresh_in_seconds;   /* 0: only long tokens say when */
    unsigned device_code_seconds;  /* 0: 15 minutes */
    unsigned device_interval;      /* seconds between questions; 0: 5 */
    char graph_acrs[32];           /* what Graph's tokens must carry, or "" */
};

struct vl_tenant_data {
    struct vl_tenant_realm realms[VL_TENANT_REALMS_MAX];
    struct vl_tenant_user users[VL_TENANT_USERS_MAX];
    struct vl_tenant_app apps[VL_TENANT_APPS_MAX];
    size_t realm_count, user_count, app_count;
    struct vl_tenant_faults faults;
    struct vl_tenant_settings settings;
    enum vl_tenant_resource_mode resource_mode;
    struct vl_arena arena; /* owns the texts */
};

/* `path` NULL: the built-in set. Mistakes name file, line and column. */
valet_status vl_tenant_data_load(const char *path, struct vl_tenant_data **ret,
                                 valet_error *err) VALET_CHECK;
/* The same from the text of such a file; `name` is for messages. */
valet_status
vl_tenant_data_parse(const char *name, struct vl_str text,
                     struct vl_tenant_data **ret, valet_error *err) VALET_CHECK;
void vl_tenant_data_free(struct vl_tenant_data *data); /* NULL is fine */

/* NULL when there is none. */
const struct vl_tenant_realm *
vl_tenant_find_realm(const struct vl_tenant_data *data, struct vl_str name);
const struct vl_tenant_app *
vl_tenant_find_app(const struct vl_tenant_data *data, struct vl_str id);
/* By id or key, to change what may be changed. */
struct vl_tenant_app *
vl_tenant_find_app_by(struct vl_tenant_data *data, struct vl_str name);
/* By username (case ignored), object id, or key. */
struct vl_tenant_user *
vl_tenant_find_user(struct vl_tenant_data *data, struct vl_str name);

/* The set as JSON, for --describe and the programs that test against us. */
void vl_tenant_describe(const struct vl_tenant_data *data, struct vl_buf *out);

/* "needed" → VL_TENANT_CONSENT_NEEDED; false for a name that is none. */
bool vl_tenant_consent_of(struct vl_str name, enum vl_tenant_consent_mode *ret);

/* An authentication context: up to 31 letters and digits, or nothing; false for
 * anything else. */
bool
vl_tenant_take_acrs(struct vl_tenant_settings *settings, struct vl_str word);

/* Is `text` a GUID (8-4-4-4-12 hexadecimal digits)? */
bool vl_tenant_is_guid(struct vl_str text);

#endif
