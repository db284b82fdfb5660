/* SPDX-License-Identifier: Apache-2.0
 *
 * Our side of the loaded module. One item holds the whole document: items are
 * replaced one at a time, so a document in several of them could be found half
 * old, half new (ADR 9).
 */
#include <limits.h>

#include "core/enc.h"
#include "core/secret.h"
#include "core/status.h"
#include "core/sys.h"
#include "keep/driver.h"
#include "keep/module.h"

/* At first use the person may have to unlock their keys. */
#define FIRST_MS 120000
#define CALL_MS  20000

struct service {
    struct vl_keep keep; /* first: a keep is cast to its place */
    const struct vl_keep_module *module;
    char *name;
};

static void
add_found(const char *text, size_t n, void *ctx)
{
    vl_buf_add(ctx, vl_str_of(text, n));
}

static valet_status
service_read(struct vl_keep *keep, struct vl_buf *out, valet_error *err)
{
    struct service *service = (struct service *)keep;
    VL_TRY(service->module->read(service->name, CALL_MS, add_found, out, err));
    return vl_buf_check(out, err);
}

static valet_status
service_write(struct vl_keep *keep, struct vl_str document, valet_error *err)
{
    struct service *service = (struct service *)keep;
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_LIMIT_KEEP + 1);
    if (memchr(document.p, '\0', document.n))
        return vl_fail(err, VALET_INVALID, "", "the document is not text");
    vl_buf_add(&text, document);
    VL_TRY(vl_buf_check(&text, err));
    return service->module->write(service->name, vl_buf_cstr(&text), CALL_MS,
                                  err);
}

static valet_status
service_forget(struct vl_keep *keep, valet_error *err)
{
    struct service *service = (struct service *)keep;
    return service->module->remove(service->name, CALL_MS, err);
}

static void
service_free(struct vl_keep *keep)
{
    free(((struct service *)keep)->name);
}

static valet_status
load_module(const char *folder, const struct vl_keep_module **ret,
            valet_error *err)
{
    const struct vl_module *module = NULL;
    VL_TRY(vl_module_load(folder, &VL_KEEP_MODULE_NAME, &module, err));
    *ret = (const struct vl_keep_module *)module; /* its first member */
    return VALET_OK;
}

/*
 * @spec S-29 W-37
 * A service that is there and does not keep what it is given (a locked or
 * missing collection, a stub) has to show now, not when a sign-in is lost.
 */
static valet_status
probe(const struct vl_keep_module *module, const char *name, valet_error *err)
{
    unsigned char bytes[16];
    char text[2 * sizeof bytes + 1];
    vl_auto(vl_buf) item = vl_buf_of(PATH_MAX);
    vl_auto(vl_buf) found = vl_buf_of_secret(sizeof text);
    vl_random(bytes, sizeof bytes);
    vl_hex(vl_str_of(bytes, sizeof bytes), text);
    /* Two processes that start at once do not meet. */
    vl_buf_addf(&item, "%s probe %.8s", name, text);
    VL_TRY(vl_buf_check(&item, err));
    const char *probe_name = vl_buf_cstr(&item);
    VL_TRY(module->write(probe_name, text, FIRST_MS, err));
    valet_status status =
        module->read(probe_name, CALL_MS, add_found, &found, err);
    valet_status removed =
        module->remove(probe_name, CALL_MS, status == VALET_OK ? err : NULL);
    VL_TRY(status);
    VL_TRY(removed);
    if (!vl_str_eqz(vl_buf_str(&found), text))
        return vl_fail(err, VALET_INTERNAL, "",
                       "the Secret Service does not keep what it is given");
    return VALET_OK;
}

/* A document that is there was kept; the probe, which is three changes of the
 * keyring, is for the first time. */
static valet_status
check(const struct vl_keep_module *module, const char *name, valet_error *err)
{
    vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
    VL_TRY(module->read(name, FIRST_MS, add_found, &found, err));
    return vl_buf_size(&found) ? VALET_OK : probe(module, name, err);
}

/* With a code of its own, whatever is missing: people can choose the file. */
static valet_status
find(const char *modules, const char *name, const struct vl_keep_module **ret,
     valet_error *err)
{
    valet_error why = {0};
    valet_status status = load_module(modules, ret, &why);
    if (status == VALET_OK)
        status = check(*ret, name, &why);
    return status == VALET_OK
               ? VALET_OK
               : vl_fail(err, status, "no_secret_service", "%s", why.message);
}

valet_status
vl_keep_open_secret_service(const char *modules, const char *name,
                            const char *lock, struct vl_keep **ret,
                            valet_error *err)
{
    static const struct vl_keep_ops ops = {service_read, service_write,
                                           service_forget, service_free};
    const struct vl_keep_module *module = NULL;
    VL_TRY(find(modules, name, &module, err));
    struct vl_buf path = vl_buf_of(PATH_MAX);
    vl_buf_addz(&path, lock);
    valet_status status = vl_buf_check(&path, err);
    if (status != VALET_OK) {
        vl_buf_done(&path);
        return status;
    }
    struct service *service = vl_alloc(sizeof *service);
    *service = (struct service){
        .keep = {.ops = &ops, .lock = path, .seen = vl_strdup(lock)},
        .module = module,
        .name = vl_strdup(name),
    };
    *ret = &service->keep;
    return VALET_OK;
}
