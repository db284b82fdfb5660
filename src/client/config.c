/* SPDX-License-Identifier: Apache-2.0 */
#include "client/config.h"

#include <stdarg.h>

#include "core/limits.h"
#include "core/principal.h"
#include "core/status.h"
#include "core/sys.h"
#include "entra/claims.h"
#include "http/fetch.h"

/* A thousand tenants, an OpenID configuration and the rest. */
#define TEXTS_MAX  1048576
#define PEM_MAX    65536
#define SECRET_MAX 4096
/* An assertion is sent as one. */
#define ASSERTION_MAX VL_LIMIT_JWT

static valet_status
refuse(valet_error *err, const char *option, const char *why)
{
    return vl_fail(err, VALET_INVALID, "", "option %s: %s", option, why);
}

/* NULL stays NULL. */
static valet_status
copy(struct vl_client_config *config, const char *option, const char *text,
     size_t max, const char **ret, valet_error *err)
{
    struct vl_str s = vl_str_z(text);
    if (!text)
        return VALET_OK;
    if (s.n == 0 || s.n > max || !vl_str_is_utf8(s))
        return refuse(err, option, "the text is empty, too long or not UTF-8");
    *ret = vl_arena_cstr(&config->arena, s);
    return *ret ? VALET_OK : refuse(err, option, "too much text");
}

/* --- proof --- */

static valet_status
ask_for_assertion(struct vl_str token_endpoint, struct vl_buf *out, void *ctx,
                  valet_error *err)
{
    struct vl_client_config *config = ctx;
    vl_auto(vl_buf) endpoint = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_add(&endpoint, token_endpoint);
    const valet_assertion_about about = {.client_id = config->client_id,
                                         .token_endpoint =
                                             vl_buf_cstr(&endpoint)};
    valet_error why = {.message = ""};
    char *room = vl_buf_reserve(out, ASSERTION_MAX);
    if (!room)
        return vl_fail(err, VALET_LIMIT, "", "no room for an assertion");
    room[0] = '\0';
    valet_status status = config->assertion(&about, room, ASSERTION_MAX,
                                            config->assertion_ctx, &why);
    size_t size = strnlen(room, ASSERTION_MAX);
    if (status != VALET_OK)
        return vl_fail(err, VALET_RETRY, why.code,
                       "the program's own assertion: %s",
                       why.message[0] ? why.message : "there is none");
    if (size == 0 || size == ASSERTION_MAX)
        return vl_fail(err, VALET_INTERNAL, "",
                       "the program's own assertion is empty or too long");
    vl_buf_commit(out, size);
    return VALET_OK;
}

static valet_status
read_certificate(struct vl_client_config *config, const char *path,
                 valet_error *err)
{
    valet_error why = {.message = ""};
    vl_auto(vl_buf) pem = vl_buf_of_secret(PEM_MAX);
    valet_status status = vl_file_read_linked(path, &pem, &why);
    if (status == VALET_OK)
        status = vl_signer_of_pem(vl_buf_str(&pem), vl_buf_str(&pem),
                                  &config->signer, &why);
    return status == VALET_OK ? VALET_OK
                              : refuse(err, "certificate_file", why.message);
}

/* @spec S-04 */
static valet_status
check_credentials(const valet_client_options *options, valet_error *err)
{
    int count = !!options->client_secret + !!options->certificate_file +
                !!options->assertion;
    if (options->kind == VALET_CLIENT_PUBLIC && count)
        return vl_fail(err, VALET_INVALID, "public_client_credential",
                       "a public client runs where people can read its files: "
                       "it has no credential");
    if (options->kind == VALET_CLIENT_CONFIDENTIAL && count == 0)
        return vl_fail(err, VALET_INVALID, "no_credential",
                       "a confidential client proves itself: certificate_file, "
                       "assertion or client_secret");
    if (count > 1)
        return vl_fail(err, VALET_INVALID, "several_credentials",
                       "only one of certificate_file, assertion and "
                       "client_secret may be set");
    return VALET_OK;
}

static valet_status
read_credential(struct vl_client_config *config,
                const valet_client_options *options, valet_error *err)
{
    struct vl_str secret = vl_str_z(options->client_secret);
    VL_TRY(check_credentials(options, err));
    config->auth.kind = VL_AUTH_PUBLIC;
    if (options->client_secret) {
        if (!secret.n || secret.n > SECRET_MAX)
            return refuse(err, "client_secret", "it is empty or too long");
        config->secret = vl_secret_of(secret);
        config->auth = (struct vl_client_auth){.kind = VL_AUTH_SECRET,
                                               .secret = &config->secret};
    }
    if (options->certificate_file) {
        VL_TRY(read_certificate(config, options->certificate_file, err));
        config->auth = (struct vl_client_auth){.kind = VL_AUTH_CERTIFICATE,
                                               .certificate = config->signer};
    }
    if (options->assertion) {
        config->assertion = options->assertion;
        config->assertion_ctx = options->assertion_ctx;
        config->auth = (struct vl_client_auth){.kind = VL_AUTH_ASSERTION,
                                               .assertion = ask_for_assertion,
                                               .ctx = config};
    }
    return VALET_OK;
}

/* --- whom to ask --- */

/* NULL stays NULL. */
static valet_status
copy_list(struct vl_client_config *config, const char *option,
          const char *const *list, const char *const **ret, valet_error *err)
{
    size_t count = 0;
    if (!list)
        return VALET_OK;
    while (list[count] && count <= VL_LIMIT_TENANTS)
        count++;
    const char **copies =
        vl_arena_alloc(&config->arena, (count + 1) * sizeof *copies);
    if (!copies || count > VL_LIMIT_TENANTS)
        return refuse(err, option, "it has more than 1000 texts, or too long");
    for (size_t i = 0; i < count; i++)
        VL_TRY(
            copy(config, option, list[i], VL_CLIENT_TEXT_MAX, &copies[i], err));
    *ret = copies; /* zeroed, so it ends in NULL */
    return VALET_OK;
}

static valet_status
read_authority(struct vl_client_config *config,
               const valet_client_options *options, valet_error *err)
{
    struct vl_instance told = {.host = options->authority_host,
                               .tenant = options->tenant,
                               .own_authority = options->own_authority};
    VL_TRY(copy_list(config, "tenants", options->tenants, &told.tenants, err));
    VL_TRY(copy(config, "metadata", options->metadata, VL_LIMIT_DOCUMENT,
                &told.metadata, err));
    return vl_instance_judge(&told, &config->arena, &config->instance, err);
}

bool
vl_client_config_allows(const struct vl_client_config *config,
                        struct vl_str tenant_id)
{
    const struct vl_instance *instance = &config->instance;
    return instance->tenants ? vl_instance_lists(instance->tenants, tenant_id)
                             : !vl_instance_is_shared(instance);
}

/* --- the rest --- */

static valet_status
read_cache(struct vl_client_config *config, const valet_client_options *options,
           valet_error *err)
{
    config->cache = options->cache;
    if (config->cache == VALET_CACHE_DEFAULT)
        config->cache = options->kind == VALET_CLIENT_PUBLIC
                            ? VALET_CACHE_SECRET_SERVICE
                            : VALET_CACHE_MEMORY;
    if (config->cache > VALET_CACHE_FILE)
        return refuse(err, "cache", "there is no such place");
    if (!options->cache_file == (config->cache == VALET_CACHE_FILE))
        return refuse(err, "cache_file",
                      "it is set with VALET_CACHE_FILE, and with nothing else");
    if (options->cache_name && config->cache != VALET_CACHE_SECRET_SERVICE)
        return refuse(err, "cache_name", "it is the Secret Service's");
    if (options->cache_name && strchr(options->cache_name, '/'))
        return refuse(err, "cache_name", "it has no '/'");
    VL_TRY(copy(config, "cache_file", options->cache_file, VL_CLIENT_TEXT_MAX,
                &config->cache_file, err));
    config->cache_name = "mcp-valet";
    VL_TRY(copy(config, "cache_name", options->cache_name, 100,
                &config->cache_name, err));
    return copy(config, "modules", options->modules, VL_CLIENT_TEXT_MAX,
                &config->modules, err);
}

/* They are sent with every request, in one member of JSON. */
static valet_status
read_capabilities(struct vl_client_config *config,
                  const valet_client_options *options, valet_error *err)
{
    vl_auto(vl_buf) claims = vl_buf_of(VL_LIMIT_CLAIMS);
    VL_TRY(copy_list(config, "capabilities", options->capabilities,
                     &config->capabilities, err));
    return vl_claims_merge((struct vl_str){NULL, 0}, config->capabilities,
                           &claims, NULL) == VALET_OK
               ? VALET_OK
               : refuse(err, "capabilities", "they are too long");
}

valet_status
vl_client_config_read(const valet_client_options *options,
                      struct vl_client_config *ret, valet_error *err)
{
    ret->arena = vl_arena_of(TEXTS_MAX);
    ret->kind = options->kind;
    ret->log = options->log;
    ret->log_ctx = options->log_ctx;
    for (size_t i = 0; i < VL_COUNT(options->later); i++)
        if (options->later[i])
            return refuse(err, "later", "this version has no such option");
    if (options->kind != VALET_CLIENT_PUBLIC &&
        options->kind != VALET_CLIENT_CONFIDENTIAL)
        return refuse(err, "kind", "public or confidential has to be said");
    if (!options->client_id)
        return refuse(err, "client_id", "it is needed");
    if (!options->own_authority &&
        !vl_guid_is_valid(vl_str_z(options->client_id)))
        return refuse(err, "client_id", "the application's id is a GUID");
    VL_TRY(copy(ret, "client_id", options->client_id, VL_CLIENT_ID_SIZE - 1,
                &ret->client_id, err));
    VL_TRY(read_credential(ret, options, err));
    VL_TRY(read_authority(ret, options, err));
    VL_TRY(read_cache(ret, options, err));
    VL_TRY(read_capabilities(ret, options, err));
    VL_TRY(copy(ret, "ca_file", options->ca_file, VL_CLIENT_TEXT_MAX,
                &ret->ca_file, err));
    return ret->ca_file ? vl_fetch_check_roots(ret->ca_file, err) : VALET_OK;
}

void
vl_client_config_done(struct vl_client_config *config)
{
    vl_secret_done(&config->secret);
    vl_signer_free(config->signer);
    vl_arena_done(&config->arena);
}

void
vl_client_log(const struct vl_client_config *config, valet_log_level level,
              const char *format, ...)
{
    char line[512];
    va_list args;
    if (!config->log)
        return;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    vl_str_tame(line);
    config->log(level, line, config->log_ctx);
}
