/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client was told at its birth: the caller's options, checked and
 * copied. Immutable, so threads share it.
 */
#ifndef VL_CLIENT_CONFIG_H
#define VL_CLIENT_CONFIG_H

#include "core/arena.h"
#include "entra/client_auth.h"
#include "entra/instance.h"
#include "valet/entra.h"

/* What a scope, a username or a URL in an option may be long. */
#define VL_CLIENT_TEXT_MAX 2048

struct vl_client_config {
    struct vl_arena arena; /* of the texts */
    valet_client_kind kind;
    const char *client_id;
    struct vl_instance instance;
    const char *const *capabilities; /* ends in NULL; NULL: none */
    struct vl_client_auth auth;
    struct vl_secret secret;  /* of `auth` */
    struct vl_signer *signer; /* of `auth` */
    valet_assertion *assertion;
    void *assertion_ctx;
    valet_cache cache; /* not DEFAULT */
    const char *cache_file, *cache_name, *modules;
    const char *ca_file;
    valet_log *log;
    void *log_ctx;
};

/* Into a zeroed `ret`, which is to be freed whatever the status. It must not
 * move afterwards. */
valet_status vl_client_config_read(const valet_client_options *options,
                                   struct vl_client_config *ret,
                                   valet_error *err) VALET_CHECK;
void vl_client_config_done(struct vl_client_config *config);

/* May people of this tenant (a GUID) sign in? @spec S-22 */
bool vl_client_config_allows(const struct vl_client_config *config,
                             struct vl_str tenant_id);
/* A line for the caller's log, if there is one. */
void
vl_client_log(const struct vl_client_config *config, valet_log_level level,
              const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
