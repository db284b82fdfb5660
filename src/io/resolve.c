/* SPDX-License-Identifier: Apache-2.0
 *
 * The system's resolver cannot be interrupted, and may take half a minute when
 * no name server answers. So each look-up has a thread that nobody waits for:
 * libuv's own would have to be waited for by vl_loop_free().
 */
#include "io/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include "io/address.h"

struct vl_resolve {
    struct vl_task task;  /* the answer, on its way to the loop */
    pthread_mutex_t lock; /* of the next */
    struct vl_loop *loop; /* NULL: nobody waits any more */
    char *host;
    char addresses[VL_RESOLVE_MAX][VL_ADDRESS_SIZE];
    size_t count;
    vl_resolve_done *done; /* NULL: as above, of the loop's thread alone */
    void *ctx;
};

static void
release(struct vl_resolve *resolve)
{
    (void)pthread_mutex_destroy(&resolve->lock);
    free(resolve->host);
    free(resolve);
}

/* --- on its thread --- */

static void
add(struct vl_resolve *resolve, const struct addrinfo *info)
{
    union vl_address address = {0};
    char *text = resolve->addresses[resolve->count];
    if (info->ai_addrlen > sizeof address ||
        (info->ai_family != AF_INET && info->ai_family != AF_INET6))
        return;
    memcpy(&address, info->ai_addr, info->ai_addrlen);
    vl_address_text(&address, text);
    for (size_t i = 0; i < resolve->count; i++)
        if (strcmp(resolve->addresses[i], text) == 0)
            return;
    resolve->count += text[0] != '\0';
}

static void
look_up(struct vl_resolve *resolve)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(resolve->host, NULL, &wanted, &list) != 0)
        return;
    for (const struct addrinfo *at = list;
         at && resolve->count < VL_RESOLVE_MAX; at = at->ai_next)
        add(resolve, at);
    freeaddrinfo(list);
}

static void *
live(void *ctx)
{
    struct vl_resolve *resolve = ctx;
    look_up(resolve);
    (void)pthread_mutex_lock(&resolve->lock);
    bool is_wanted = resolve->loop != NULL;
    if (is_wanted)
        vl_loop_post(resolve->loop, &resolve->task);
    (void)pthread_mutex_unlock(&resolve->lock);
    if (!is_wanted)
        release(resolve);
    return NULL;
}

/* --- on the loop's --- */

static void
tell(struct vl_task *task)
{
    struct vl_resolve *resolve = VL_CONTAINER(task, struct vl_resolve, task);
    /* The thread may still hold it. */
    (void)pthread_mutex_lock(&resolve->lock);
    (void)pthread_mutex_unlock(&resolve->lock);
    if (resolve->done)
        resolve->done((const char(*)[VL_ADDRESS_SIZE])resolve->addresses,
                      resolve->count, resolve->ctx);
    release(resolve);
}

/* Signals are the application's. False: there is no thread to be had. */
static bool
begin_thread(struct vl_resolve *resolve)
{
    sigset_t all, old;
    pthread_t thread;
    pthread_attr_t attr;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&thread, &attr, live, resolve);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attr);
    return failed == 0;
}

struct vl_resolve *
vl_resolve_start(struct vl_loop *loop, const char *host, vl_resolve_done *done,
                 void *ctx)
{
    struct vl_resolve *resolve = vl_alloc(sizeof *resolve);
    *resolve = (struct vl_resolve){.task = {.run = tell},
                                   .lock = PTHREAD_MUTEX_INITIALIZER,
                                   .loop = loop,
                                   .host = vl_strdup(host),
                                   .done = done,
                                   .ctx = ctx};
    union vl_address address;
    if (vl_address_parse(host, 0, &address, NULL) == VALET_OK)
        vl_address_text(&address, resolve->addresses[resolve->count++]);
    if (resolve->count || !begin_thread(resolve))
        vl_loop_post(loop, &resolve->task);
    return resolve;
}

void
vl_resolve_abort(struct vl_resolve **at)
{
    struct vl_resolve *resolve = *at;
    *at = NULL;
    if (!resolve)
        return;
    /* Whoever comes last frees it: the thread, or what it has posted. */
    (void)pthread_mutex_lock(&resolve->lock);
    resolve->done = NULL;
    resolve->loop = NULL;
    (void)pthread_mutex_unlock(&resolve->lock);
}
