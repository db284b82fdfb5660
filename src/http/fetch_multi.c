/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's "multi socket" interface on our loop: libcurl says which sockets
 * to watch and when to be woken, we tell it what happened, and then collect
 * the attempts that are over. Nothing of it exists before the first request,
 * so a server that is at rest does not pay for it.
 */
#include "core/status.h"
#include "http/fetch_inner.h"

/* Idle connections kept: Entra and Graph, a few each. */
#define CONNECTIONS_KEPT 8
/* At a time to one host; with HTTP/2 one carries them all. */
#define CONNECTIONS_PER_HOST 32

struct socket {
    struct vl_list node;
    struct vl_fetcher *fetcher;
    struct vl_watch *watch;
    curl_socket_t fd;
};

static void
collect(struct vl_fetcher *fetcher)
{
    CURLMsg *msg;
    int left;
    fetcher->collecting = true;
    while (!fetcher->dead &&
           (msg = vl_curl.multi_info_read(fetcher->multi, &left))) {
        struct vl_fetch *fetch = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE ||
            vl_curl.easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &fetch) !=
                CURLE_OK)
            continue;
        vl_fetch_attempt_ended(fetch, code); /* may free the fetcher */
    }
    fetcher->collecting = false;
    if (fetcher->dead)
        free(fetcher);
}

static void
act(struct vl_fetcher *fetcher, curl_socket_t fd, int events)
{
    int running;
    (void)vl_curl.multi_socket_action(fetcher->multi, fd, events, &running);
    collect(fetcher);
}

static void
on_ready(int events, void *ctx)
{
    struct socket *s = ctx;
    int mask = 0;
    if (events & VL_WATCH_READ)
        mask |= CURL_CSELECT_IN;
    if (events & VL_WATCH_WRITE)
        mask |= CURL_CSELECT_OUT;
    act(s->fetcher, s->fd, mask); /* may free `s` */
}

static void
on_time(void *ctx)
{
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static void
free_socket(struct socket *s)
{
    vl_list_remove(&s->node);
    vl_watch_free(s->watch);
    free(s);
}

/* CURLMOPT_SOCKETFUNCTION */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    (void)easy;
    struct vl_fetcher *fetcher = ctx;
    struct socket *s = known;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            free_socket(s);
        (void)vl_curl.multi_assign(fetcher->multi, fd, NULL);
        return 0;
    }
    if (!s) {
        s = vl_alloc(sizeof *s);
        s->fetcher = fetcher;
        s->fd = fd;
        vl_list_add_last(&fetcher->sockets, &s->node);
        s->watch = vl_watch_new(fetcher->loop, fd, on_ready, s);
        (void)vl_curl.multi_assign(fetcher->multi, fd, s);
    }
    /* One that cannot be watched ends by the request's time-out. */
    if (s->watch)
        vl_watch_set(s->watch, (what & CURL_POLL_IN ? VL_WATCH_READ : 0) |
                                   (what & CURL_POLL_OUT ? VL_WATCH_WRITE : 0));
    return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int
on_timeout_set(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct vl_fetcher *fetcher = ctx;
    if (ms < 0)
        vl_timer_stop(fetcher->timer);
    else
        vl_timer_start(fetcher->timer, ms);
    return 0;
}

struct vl_fetcher *
vl_fetcher_new(struct vl_loop *loop)
{
    struct vl_fetcher *fetcher = vl_alloc(sizeof *fetcher);
    *fetcher = (struct vl_fetcher){.loop = loop};
    fetcher->roots = vl_buf_of(VL_FETCH_ROOTS_MAX);
    vl_list_init(&fetcher->sockets);
    vl_list_init(&fetcher->fetches);
    return fetcher;
}

struct vl_fetcher *
vl_fetcher_new_small(struct vl_loop *loop)
{
    struct vl_fetcher *fetcher = vl_fetcher_new(loop);
    fetcher->is_small = true;
    return fetcher;
}

valet_status
vl_fetcher_open(struct vl_fetcher *fetcher, valet_error *err)
{
    if (fetcher->multi)
        return VALET_OK;
    VL_TRY(vl_fetch_start_curl(err));
    CURLM *multi = vl_curl.multi_init();
    if (!multi) {
        vl_curl.global_cleanup();
        return vl_fail(err, VALET_LIMIT, "", "no memory for libcurl");
    }
    (void)vl_curl.multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)vl_curl.multi_setopt(multi, CURLMOPT_SOCKETDATA, fetcher);
    (void)vl_curl.multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_set);
    (void)vl_curl.multi_setopt(multi, CURLMOPT_TIMERDATA, fetcher);
    (void)vl_curl.multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                               (long)CONNECTIONS_KEPT);
    (void)vl_curl.multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                               (long)CONNECTIONS_PER_HOST);
    fetcher->timer = vl_timer_new(fetcher->loop, on_time, fetcher);
    fetcher->multi = multi;
    return VALET_OK;
}

valet_status
vl_fetcher_add(struct vl_fetch *fetch, valet_error *err)
{
    CURLMcode code =
        vl_curl.multi_add_handle(fetch->fetcher->multi, fetch->easy);
    if (code != CURLM_OK)
        return vl_fail(err, VALET_INTERNAL, "", "libcurl: %s",
                       vl_curl.multi_strerror(code));
    fetch->in_multi = true;
    return VALET_OK;
}

void
vl_fetcher_remove(struct vl_fetch *fetch)
{
    if (fetch->in_multi)
        (void)vl_curl.multi_remove_handle(fetch->fetcher->multi, fetch->easy);
    fetch->in_multi = false;
}

static void
close_multi(struct vl_fetcher *fetcher)
{
    /* From here on libcurl closes sockets: ours must be gone before. */
    (void)vl_curl.multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    (void)vl_curl.multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, NULL);
    VL_LIST_EACH (node, &fetcher->sockets)
        free_socket(VL_CONTAINER(node, struct socket, node));
    (void)vl_curl.multi_cleanup(fetcher->multi);
    vl_timer_free(fetcher->timer);
    vl_curl.global_cleanup();
}

void
vl_fetcher_free(struct vl_fetcher *fetcher)
{
    if (!fetcher)
        return;
    VL_LIST_EACH (node, &fetcher->fetches) {
        struct vl_fetch *fetch = VL_CONTAINER(node, struct vl_fetch, node);
        vl_fetch_detach(fetch);
        vl_fetch_release(fetch);
    }
    if (fetcher->multi)
        close_multi(fetcher);
    vl_http_client_free(fetcher->client);
    vl_tls_trust_free(fetcher->trust);
    vl_buf_done(&fetcher->roots);
    fetcher->dead = true;
    if (!fetcher->collecting) /* else collect() does it, when it is back */
        free(fetcher);
}
