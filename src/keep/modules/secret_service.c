/* SPDX-License-Identifier: Apache-2.0
 *
 * keep_secret_service.so: the Secret Service by libsecret. An item has this
 * schema and one attribute, `name`; its secret is the document as text.
 */
#include <libsecret/secret.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "keep/module.h"

static const SecretSchema schema = {
    .name = "io.github.mcp_valet.Keep",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"name", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* --- errors --- */

static valet_status
fail(valet_error *err, valet_status status, const char *why)
{
    if (err) {
        *err = (valet_error){.status = status};
        (void)snprintf(err->message, sizeof err->message, "%s", why);
    }
    return status;
}

#define ABSENT                                                                 \
    VALET_NOT_FOUND, "there is no Secret Service on the session bus (GNOME "   \
                     "Keyring, KWallet or KeePassXC provides it)"
#define NO_KEYRING VALET_NOT_FOUND, "the Secret Service has no default keyring"
#define LOCKED     VALET_DENIED, "the keyring of the Secret Service is locked"
#define SILENT                                                                 \
    VALET_RETRY,                                                               \
        "the Secret Service does not answer (does it wait for a password?)"

/* What of libsecret and GLib has a meaning to a person. */
static const struct {
    GQuark (*domain)(void);
    int code;
    valet_status status;
    const char *why;
} meanings[] = {
    {secret_error_get_quark, SECRET_ERROR_IS_LOCKED, LOCKED},
    {secret_error_get_quark, SECRET_ERROR_NO_SUCH_OBJECT, NO_KEYRING},
    /* GNOME Keyring's answer about a keyring that is not there. */
    {g_dbus_error_quark, G_DBUS_ERROR_UNKNOWN_METHOD, NO_KEYRING},
    {g_dbus_error_quark, G_DBUS_ERROR_UNKNOWN_OBJECT, NO_KEYRING},
    {g_dbus_error_quark, G_DBUS_ERROR_SERVICE_UNKNOWN, ABSENT},
    {g_dbus_error_quark, G_DBUS_ERROR_NAME_HAS_NO_OWNER, ABSENT},
    {g_dbus_error_quark, G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND, ABSENT},
    {g_io_error_quark, G_IO_ERROR_NOT_FOUND, ABSENT},
    {g_io_error_quark, G_IO_ERROR_CONNECTION_REFUSED, ABSENT},
    {g_io_error_quark, G_IO_ERROR_CANCELLED, SILENT},
    {g_io_error_quark, G_IO_ERROR_TIMED_OUT, SILENT},
    {g_dbus_error_quark, G_DBUS_ERROR_NO_REPLY, SILENT},
    {g_dbus_error_quark, G_DBUS_ERROR_TIMEOUT, SILENT},
    {g_dbus_error_quark, G_DBUS_ERROR_TIMED_OUT, SILENT},
};

/* Takes the error. */
static valet_status
fail_by(GError *error, valet_error *err)
{
    valet_status status = VALET_INTERNAL;
    char why[sizeof err->message];
    (void)snprintf(why, sizeof why, "the Secret Service failed: %s",
                   error->message);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (!g_error_matches(error, meanings[i].domain(), meanings[i].code))
            continue;
        status = meanings[i].status;
        (void)snprintf(why, sizeof why, "%s", meanings[i].why);
        break;
    }
    for (char *c = why; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    g_error_free(error);
    return fail(err, status, why);
}

/* GLib would start a bus of its own where there is none (and X11): a keyring
 * that nobody else sees, on a process that nobody ends. */
static valet_status
check_bus(valet_error *err)
{
    const char *address = g_getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    char path[4096];
    struct stat st;
    if (address && *address)
        return VALET_OK;
    (void)snprintf(path, sizeof path, "%s/bus", runtime ? runtime : "");
    if (runtime && *runtime && stat(path, &st) == 0)
        return VALET_OK;
    return fail(err, VALET_NOT_FOUND,
                "there is no session bus, so no Secret Service");
}

/* --- time-outs --- */

/* A thread that takes a call back when it lasts too long: GLib's own bound is
 * by message, and a prompt that nobody answers has none. */
struct watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct timespec end;
    GCancellable *cancellable;
    bool is_over, has_thread;
};

static void *
watch_call(void *ctx)
{
    struct watch *watch = ctx;
    int waited = 0;
    pthread_mutex_lock(&watch->lock);
    while (!watch->is_over && waited == 0)
        waited =
            pthread_cond_timedwait(&watch->ended, &watch->lock, &watch->end);
    bool late = !watch->is_over;
    pthread_mutex_unlock(&watch->lock);
    if (late)
        g_cancellable_cancel(watch->cancellable);
    return NULL;
}

static void
watch_start(struct watch *watch, int timeout_ms)
{
    pthread_condattr_t attributes;
    *watch = (struct watch){.cancellable = g_cancellable_new()};
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    clock_gettime(CLOCK_MONOTONIC, &watch->end);
    watch->end.tv_sec += timeout_ms / 1000;
    watch->end.tv_nsec += timeout_ms % 1000 * 1000000L;
    watch->end.tv_sec += watch->end.tv_nsec / 1000000000L;
    watch->end.tv_nsec %= 1000000000L;
    watch->has_thread =
        pthread_create(&watch->thread, NULL, watch_call, watch) == 0;
}

static void
watch_stop(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->is_over = true;
    pthread_cond_signal(&watch->ended);
    pthread_mutex_unlock(&watch->lock);
    if (watch->has_thread)
        pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->ended);
    pthread_mutex_destroy(&watch->lock);
    g_object_unref(watch->cancellable);
}

/* --- the module --- */

/* Is there such an item, locked ones included? What a person refused to
 * unlock is told by libsecret as if it were not there: then it would be
 * overwritten. */
static bool
has_item(const char *name, GCancellable *cancellable, GError **error)
{
    GList *items = secret_password_search_sync(
        &schema, SECRET_SEARCH_ALL, cancellable, error, "name", name, NULL);
    bool found = items != NULL;
    g_list_free_full(items, g_object_unref);
    return found;
}

static valet_status
fail_locked(valet_error *err)
{
    return fail(err, LOCKED);
}

static valet_status
read_item(const char *name, int timeout_ms,
          void (*found)(const char *text, size_t n, void *ctx), void *ctx,
          valet_error *err)
{
    struct watch watch;
    GError *error = NULL;
    valet_status status = check_bus(err);
    if (status != VALET_OK)
        return status;
    watch_start(&watch, timeout_ms);
    char *text = secret_password_lookup_nonpageable_sync(
        &schema, watch.cancellable, &error, "name", name, NULL);
    bool locked = !text && !error && has_item(name, watch.cancellable, &error);
    watch_stop(&watch);
    if (error)
        return fail_by(error, err);
    if (locked)
        return fail_locked(err);
    if (text)
        found(text, strlen(text), ctx);
    secret_password_free(text);
    return VALET_OK;
}

static valet_status
write_item(const char *name, const char *text, int timeout_ms, valet_error *err)
{
    struct watch watch;
    GError *error = NULL;
    valet_status status = check_bus(err);
    if (status != VALET_OK)
        return status;
    watch_start(&watch, timeout_ms);
    gboolean good = secret_password_store_sync(
        &schema, SECRET_COLLECTION_DEFAULT, name, text, watch.cancellable,
        &error, "name", name, NULL);
    watch_stop(&watch);
    if (error)
        return fail_by(error, err);
    if (!good)
        return fail(err, VALET_DENIED, "the Secret Service was not unlocked");
    return VALET_OK;
}

static valet_status
remove_item(const char *name, int timeout_ms, valet_error *err)
{
    struct watch watch;
    GError *error = NULL;
    valet_status status = check_bus(err);
    if (status != VALET_OK)
        return status;
    watch_start(&watch, timeout_ms);
    (void)secret_password_clear_sync(&schema, watch.cancellable, &error, "name",
                                     name, NULL);
    bool locked = !error && has_item(name, watch.cancellable, &error);
    watch_stop(&watch);
    if (error)
        return fail_by(error, err);
    return locked ? fail_locked(err) : VALET_OK;
}

extern const struct vl_keep_module vl_keep_module;

__attribute__((visibility("default")))
const struct vl_keep_module vl_keep_module = {
    {VL_KEEP_MODULE_ABI}, read_item, write_item, remove_item};
