/* SPDX-License-Identifier: Apache-2.0
 *
 * The token library, driven by lines of JSON on standard input, on an event
 * loop of poll(): any number of requests at once. Each line has an `id`, which
 * is in every line that answers it.
 *
 *     {"id":1,"do":"new","client":"a","kind":"public","client_id":…,…}
 *     {"id":2,"do":"acquire","client":"a","flow":"sign_in","scopes":["…"],…}
 *         → {"id":2,"tell":{…}}, {"id":2,"open":"URL"},
 *           {"id":2,"token":"…",…} or {"id":2,"error":{…}}
 *     {"id":3,"do":"wait","client":"a","scopes":["…"],"times":50}
 *         the same by as many threads that wait, silently
 *     {"id":4,"do":"accounts","client":"a"}
 *     {"id":5,"do":"sign_out","client":"a","account":"…"}
 *     {"id":6,"do":"free","client":"a"}
 *     {"id":7,"do":"cancel","call":2}
 *
 * The members of options and requests have the names of valet/entra.h.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "core/buf.h"
#include "valet/entra.h"
#include "json/read.h"
#include "json/write.h"

enum { CLIENTS = 8, LIST = 8, TEXT = 4096, THREADS = 64, CALLS = 64 };
#define LINE_MAX_SIZE ((size_t)1024 * 1024)

static struct {
    char name[32];
    valet_client *client;
} clients[CLIENTS];

static struct call {
    int64_t id; /* 0: free */
    valet_call *call;
} calls[CALLS];

/* --- lines out --- */

static void
say(struct vl_buf *text)
{
    (void)puts(vl_buf_cstr(text));
    (void)fflush(stdout);
}

static void
add(struct vl_json_out *out, const char *name, const char *value)
{
    if (value)
        vl_json_add_z(out, name, value);
}

static void
say_error(int64_t id, const valet_entra_error *error)
{
    vl_auto(vl_buf) text = vl_buf_of(LINE_MAX_SIZE);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_json_add_int(&out, "id", id);
    vl_json_open_key(&out, "error", '{');
    add(&out, "status", valet_status_name(error->error.status));
    add(&out, "code", error->error.code);
    add(&out, "message", error->error.message);
    add(&out, "next", valet_next_name(error->next));
    vl_json_add_int(&out, "http_status", error->http_status);
    vl_json_add_int(&out, "aadsts", error->aadsts);
    add(&out, "oauth", error->oauth);
    add(&out, "suberror", error->suberror);
    add(&out, "correlation_id", error->correlation_id);
    vl_json_add_int(&out, "retry_after_ms", error->retry_after_ms);
    add(&out, "claims", error->claims);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    say(&text);
}

static void
say_failure(int64_t id, const valet_error *err)
{
    const valet_entra_error error = {
        .error = *err, .next = VALET_NEXT_COUNT, .retry_after_ms = -1};
    say_error(id, &error);
}

static void
say_result(int64_t id, const valet_auth_result *result)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(LINE_MAX_SIZE);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_json_add_int(&out, "id", id);
    add(&out, "token", result->access_token);
    add(&out, "type", result->token_type);
    add(&out, "scopes", result->scopes);
    add(&out, "tenant_id", result->tenant_id);
    add(&out, "account_id", result->account_id);
    add(&out, "username", result->username);
    add(&out, "name", result->name);
    add(&out, "source", valet_source_name(result->source));
    add(&out, "not_kept", result->not_kept);
    vl_json_add_int(&out, "expires_at", result->expires_at);
    vl_json_close(&out, '}');
    say(&text);
}

static void
say_ok(int64_t id)
{
    (void)printf("{\"id\":%lld,\"ok\":true}\n", (long long)id);
    (void)fflush(stdout);
}

/* --- lines in --- */

/* Texts of one line, as C needs them. */
struct reader {
    const struct json_t *in;
    char texts[24][TEXT];
    size_t used;
    const char *lists[2][LIST + 1];
    size_t lists_used;
};

static const char *
text_of(struct reader *r, const struct json_t *value)
{
    struct vl_str s = vl_json_str(value);
    if (!s.p || r->used == VL_COUNT(r->texts))
        return NULL;
    (void)snprintf(r->texts[r->used], TEXT, VL_STR_FMT, VL_STR_ARG(s));
    return r->texts[r->used++];
}

static const char *
get(struct reader *r, const char *name)
{
    return text_of(r, vl_json_get(r->in, name));
}

static int
get_int(struct reader *r, const char *name)
{
    int64_t value = 0;
    (void)vl_json_get_int(r->in, name, &value);
    return (int)value;
}

static const char *const *
get_list(struct reader *r, const char *name)
{
    const struct json_t *list = vl_json_get(r->in, name);
    if (!list || r->lists_used == VL_COUNT(r->lists))
        return NULL;
    const char **ret = r->lists[r->lists_used++];
    for (size_t i = 0; i < vl_json_size(list) && i < LIST; i++)
        ret[i] = text_of(r, vl_json_at(list, i));
    return ret;
}

static bool
is(struct reader *r, const char *name, const char *value)
{
    return vl_str_eqz(vl_json_get_str(r->in, name), value);
}

static valet_client **
find_client(struct reader *r)
{
    valet_client **unused = NULL;
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i].client && is(r, "client", clients[i].name))
            return &clients[i].client;
        if (!clients[i].client && !unused) {
            struct vl_str name = vl_json_get_str(r->in, "client");
            unused = &clients[i].client;
            (void)snprintf(clients[i].name, sizeof clients[i].name, VL_STR_FMT,
                           VL_STR_ARG(name));
        }
    }
    return unused;
}

/* --- options and requests --- */

/* From a file, as a workload identity's would change. */
static valet_status
assertion_of_file(const valet_assertion_about *about, char *ret, size_t size,
                  void *ctx, valet_error *err)
{
    const char *path = getenv("SHELL_ASSERTION_FILE");
    FILE *file = path ? fopen(path, "r") : NULL;
    (void)ctx;
    (void)err;
    (void)fprintf(stderr, "assertion of %s for %s\n", about->client_id,
                  about->token_endpoint);
    if (!file)
        return VALET_NOT_FOUND;
    size_t n = fread(ret, 1, size - 1, file);
    ret[n] = '\0';
    (void)fclose(file);
    return VALET_OK;
}

static void
log_line(valet_log_level level, const char *line, void *ctx)
{
    (void)level;
    (void)ctx;
    (void)fprintf(stderr, "log: %s\n", line);
}

static void
make_client(struct reader *r, int64_t id)
{
    valet_error err = {.status = VALET_OK};
    valet_client_options options = {
        .kind = is(r, "kind", "public") ? VALET_CLIENT_PUBLIC
                                        : VALET_CLIENT_CONFIDENTIAL,
        .client_id = get(r, "client_id"),
        .tenant = get(r, "tenant"),
        .tenants = get_list(r, "tenants"),
        .authority_host = get(r, "authority_host"),
        .own_authority = vl_json_is_true(vl_json_get(r->in, "own_authority")),
        .metadata = get(r, "metadata"),
        .client_secret = get(r, "client_secret"),
        .certificate_file = get(r, "certificate_file"),
        .assertion = vl_json_is_true(vl_json_get(r->in, "assertion"))
                         ? assertion_of_file
                         : NULL,
        .cache = is(r, "cache", "memory")           ? VALET_CACHE_MEMORY
                 : is(r, "cache", "file")           ? VALET_CACHE_FILE
                 : is(r, "cache", "secret_service") ? VALET_CACHE_SECRET_SERVICE
                                                    : VALET_CACHE_DEFAULT,
        .cache_file = get(r, "cache_file"),
        .cache_name = get(r, "cache_name"),
        .modules = get(r, "modules"),
        .capabilities = get_list(r, "capabilities"),
        .ca_file = get(r, "ca_file"),
        .log = log_line,
    };
    if (valet_client_new(&options, find_client(r), &err) == VALET_OK)
        say_ok(id);
    else
        say_failure(id, &err);
}

static void
tell(const valet_progress *progress, void *ctx)
{
    const struct call *call = ctx;
    vl_auto(vl_buf) text = vl_buf_of_secret(LINE_MAX_SIZE);
    struct vl_json_out out = {&text, false};
    vl_json_open(&out, '{');
    vl_json_add_int(&out, "id", call->id);
    vl_json_open_key(&out, "tell", '{');
    vl_json_add_int(&out, "method", progress->method);
    add(&out, "failed", progress->failed);
    add(&out, "url", progress->url);
    add(&out, "user_code", progress->user_code);
    vl_json_add_int(&out, "expires_at", progress->expires_at);
    vl_json_close(&out, '}');
    vl_json_close(&out, '}');
    say(&text);
}

static valet_status
open_url(const char *url, void *ctx, valet_error *err)
{
    const struct call *call = ctx;
    (void)err;
    (void)printf("{\"id\":%lld,\"open\":\"%s\"}\n", (long long)call->id, url);
    (void)fflush(stdout);
    return VALET_OK;
}

static valet_request
read_request(struct reader *r, struct call *call)
{
    valet_request request = {
        .flow = is(r, "flow", "sign_in")        ? VALET_FLOW_SIGN_IN
                : is(r, "flow", "app")          ? VALET_FLOW_APP
                : is(r, "flow", "on_behalf_of") ? VALET_FLOW_ON_BEHALF_OF
                                                : VALET_FLOW_SILENT,
        .scopes = get_list(r, "scopes"),
        .account = get(r, "account"),
        .tenant = get(r, "tenant"),
        .claims = get(r, "claims"),
        .renew = vl_json_is_true(vl_json_get(r->in, "renew")),
        .assertion = get(r, "assertion"),
        .methods = (unsigned)get_int(r, "methods"),
        .login_hint = get(r, "login_hint"),
        .domain_hint = get(r, "domain_hint"),
        .prompt = get(r, "prompt"),
        .timeout_s = get_int(r, "timeout_s"),
    };
    if (request.flow == VALET_FLOW_SIGN_IN) {
        request.tell = tell;
        request.open = is(r, "open", "system") ? NULL : open_url;
        request.ctx = call;
    }
    return request;
}

/* --- commands --- */

static void
acquired(valet_status status, valet_auth_result *result,
         const valet_entra_error *error, void *ctx)
{
    struct call *call = ctx;
    if (status == VALET_OK)
        say_result(call->id, result);
    else
        say_error(call->id, error);
    valet_auth_result_done(result);
    call->id = 0;
}

static void
acquire(struct reader *r, int64_t id)
{
    struct call *call = calls;
    while (call->id)
        call++;
    call->id = id;
    valet_request request = read_request(r, call);
    valet_acquire_start(*find_client(r), &request, acquired, call, &call->call);
}

static void
cancel(struct reader *r, int64_t id)
{
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i].id && calls[i].id == get_int(r, "call")) {
            valet_acquire_cancel(&calls[i].call);
            calls[i].id = 0;
        }
    say_ok(id);
}

struct waiter {
    pthread_t thread;
    valet_client *client;
    const valet_request *request;
    valet_status status;
    valet_auth_result result;
    valet_entra_error error;
};

static void *
wait_for_token(void *ctx)
{
    struct waiter *w = ctx;
    w->status = valet_acquire(w->client, w->request, &w->result, &w->error);
    return NULL;
}

/* All have to get the same token; the line is the first one's. */
static void
wait_many(struct reader *r, int64_t id)
{
    static struct waiter waiters[THREADS];
    valet_request request = read_request(r, NULL);
    int times = get_int(r, "times"), same = 0;
    for (int i = 0; i < times; i++) {
        waiters[i] =
            (struct waiter){.client = *find_client(r), .request = &request};
        if (pthread_create(&waiters[i].thread, NULL, wait_for_token,
                           &waiters[i]) != 0)
            abort();
    }
    for (int i = 0; i < times; i++)
        (void)pthread_join(waiters[i].thread, NULL);
    for (int i = 0; i < times; i++)
        same += waiters[i].status == VALET_OK &&
                strcmp(waiters[i].result.access_token,
                       waiters[0].result.access_token) == 0;
    if (same == times)
        say_result(id, &waiters[0].result);
    else
        say_error(id, &waiters[0].error);
    for (int i = 0; i < times; i++)
        valet_auth_result_done(&waiters[i].result);
}

static void
accounts(struct reader *r, int64_t id)
{
    valet_account_list list;
    valet_error err = {.status = VALET_OK};
    vl_auto(vl_buf) text = vl_buf_of(LINE_MAX_SIZE);
    struct vl_json_out out = {&text, false};
    if (valet_accounts(*find_client(r), &list, &err) != VALET_OK) {
        say_failure(id, &err);
        return;
    }
    vl_json_open(&out, '{');
    vl_json_add_int(&out, "id", id);
    vl_json_open_key(&out, "accounts", '[');
    for (size_t i = 0; i < list.count; i++) {
        vl_json_open(&out, '{');
        add(&out, "id", list.accounts[i].id);
        add(&out, "username", list.accounts[i].username);
        add(&out, "name", list.accounts[i].name);
        add(&out, "tenant_id", list.accounts[i].tenant_id);
        vl_json_close(&out, '}');
    }
    vl_json_close(&out, ']');
    vl_json_close(&out, '}');
    say(&text);
    valet_account_list_done(&list);
}

static void
sign_out(struct reader *r, int64_t id)
{
    valet_error err = {.status = VALET_OK};
    if (valet_sign_out(*find_client(r), get(r, "account"), &err) == VALET_OK)
        say_ok(id);
    else
        say_failure(id, &err);
}

static void
free_client(struct reader *r, int64_t id)
{
    valet_client **client = find_client(r);
    valet_client_free(*client);
    *client = NULL;
    say_ok(id);
}

static void
run_line(struct vl_str line)
{
    static const struct {
        const char *name;
        void (*run)(struct reader *r, int64_t id);
    } commands[] = {
        {"new", make_client},  {"acquire", acquire},   {"wait", wait_many},
        {"cancel", cancel},    {"accounts", accounts}, {"sign_out", sign_out},
        {"free", free_client},
    };
    vl_auto(vl_json) doc = {NULL};
    valet_error err = {.status = VALET_OK};
    struct reader *r = vl_alloc(sizeof *r);
    int64_t id = 0;
    if (vl_json_parse(line, 32, &doc, &err) != VALET_OK)
        say_failure(0, &err);
    r->in = doc.root;
    (void)vl_json_get_int(doc.root, "id", &id);
    for (size_t i = 0; i < VL_COUNT(commands); i++)
        if (is(r, "do", commands[i].name))
            commands[i].run(r, id);
    free(r);
}

/* --- the loop --- */

/* False at the end of the input. */
static bool
read_lines(struct vl_buf *input)
{
    char *room = vl_buf_reserve(input, 65536);
    ssize_t n = room ? read(STDIN_FILENO, room, 65536) : 0;
    if (n <= 0)
        return false;
    vl_buf_commit(input, (size_t)n);
    for (;;) {
        struct vl_str all = vl_buf_str(input);
        size_t end = vl_str_index(all, '\n');
        if (end == all.n)
            return true;
        run_line(vl_str_head(all, end));
        vl_buf_consume(input, end + 1);
    }
}

int
main(void)
{
    vl_auto(vl_buf) input = vl_buf_of(LINE_MAX_SIZE);
    bool open = true;
    while (open) {
        struct pollfd fds[CLIENTS + 1] = {
            {.fd = STDIN_FILENO, .events = POLLIN}};
        for (size_t i = 0; i < CLIENTS; i++)
            fds[i + 1] = (struct pollfd){
                .fd =
                    clients[i].client ? valet_client_fd(clients[i].client) : -1,
                .events = POLLIN};
        if (poll(fds, CLIENTS + 1, -1) < 0)
            break;
        for (size_t i = 0; i < CLIENTS; i++)
            if (clients[i].client && fds[i + 1].revents)
                valet_client_dispatch(clients[i].client);
        if (fds[0].revents)
            open = read_lines(&input);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        valet_client_free(clients[i].client);
    return 0;
}
