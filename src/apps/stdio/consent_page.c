/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/stdio/consent_page.h"

#include "apps/stdio/grant.h"
#include "core/secret.h"
#include "core/status.h"
#include "core/sys.h"
#include "http/server.h"
#include "http/url.h"
#include "web/page.h"

/* Everybody is on this machine, so nobody needs longer. */
#define REQUEST_MS 3000
#define IDLE_MS    1000
/* After the answer, for it to reach the browser. */
#define FLUSH_MS 500
/* A browser opens six to a host; the rest is for strangers, who could fill
 * fewer and keep the person out. */
#define CONNECTIONS 128
#define WORDS_MAX   65536
#define SCOPES_MAX  32

#define PATH     "/program/"
#define URI_SIZE 32 /* "http://127.0.0.1:65535" */

struct vl_consent_page {
    struct vl_http_server *server;
    struct vl_http_site site;
    char origin[URI_SIZE], url[URI_SIZE + sizeof PATH + VL_RANDOM_TEXT_SIZE];
    char address[VL_RANDOM_TEXT_SIZE], csrf[VL_RANDOM_TEXT_SIZE];
    struct vl_arena arena; /* of the words */
    struct vl_str program, account, command;
    struct vl_page_var scopes[SCOPES_MAX];
    size_t scope_count;
    bool is_remembered, was_shown, was_answered, allowed;
    vl_consent_page_done *done;
    void *ctx;
};

/* --- answers --- */

static void
refuse(struct vl_exchange *x, int status, const char *advice)
{
    vl_page_error(x, status, "This is not a question to you", advice, NULL);
}

static void
refuse_method(struct vl_exchange *x, const char *allowed)
{
    vl_exchange_add_header(x, "Allow", vl_str_z(allowed));
    refuse(x, 405, "Nothing can be done here in this way.");
}

static void
show(struct vl_consent_page *page, struct vl_exchange *x)
{
    struct vl_page shown = {.asset = "program"};
    struct vl_reply reply = {.status = 200};
    const struct vl_page_list scopes = {.name = "scopes",
                                        .vars = page->scopes,
                                        .rows = page->scope_count,
                                        .width = 1};
    vl_page_set(&shown, "program", page->program);
    vl_page_set(&shown, "account", page->account);
    vl_page_set(&shown, "command", page->command);
    vl_page_set(&shown, "csrf", vl_str_z(page->csrf));
    vl_page_set(&shown, "is_remembered",
                page->is_remembered ? VL_STR("yes") : VL_STR(""));
    vl_page_set_list(&shown, &scopes);
    page->was_shown = true;
    vl_page_reply(x, &shown, &reply);
}

/* --- the answer of the person --- */

static void
on_drained(void *ctx)
{
    struct vl_consent_page *page = ctx;
    page->done(page->allowed, page->ctx);
}

/* Does the post come from our page? Browsers that hide the origin from it (our
 * Referrer-Policy asks for that) send "null" and say Sec-Fetch-Site; what
 * sends neither is held by the form's token. */
static bool
is_same_origin(const struct vl_consent_page *page,
               const struct vl_http_request *r)
{
    struct vl_str site = vl_headers_get(&r->headers, "Sec-Fetch-Site");
    struct vl_str origin = vl_headers_get(&r->headers, "Origin");
    if (vl_headers_count(&r->headers, "Sec-Fetch-Site") > 1 ||
        vl_headers_count(&r->headers, "Origin") > 1 ||
        (site.p && !vl_str_eqz(site, "same-origin")))
        return false;
    return !origin.p || (vl_str_eqz(origin, "null") && site.p) ||
           vl_str_eqz(origin, page->origin);
}

static bool
read_answer(const struct vl_consent_page *page, struct vl_exchange *x,
            bool *ret)
{
    const struct vl_http_request *r = vl_exchange_request(x);
    struct vl_params params;
    if (r->query.n ||
        !vl_media_type_is(vl_headers_get(&r->headers, "content-type"),
                          "application/x-www-form-urlencoded") ||
        !is_same_origin(page, r) ||
        vl_params_parse(r->body, vl_exchange_arena(x), &params, NULL) !=
            VALET_OK ||
        vl_params_repeat(&params, NULL) ||
        !vl_str_same_secret(vl_params_get(&params, "csrf"),
                            vl_str_z(page->csrf)))
        return false;
    struct vl_str decision = vl_params_get(&params, "decision");
    *ret = vl_str_eqz(decision, "allow");
    return *ret || vl_str_eqz(decision, "deny");
}

static void
take_answer(struct vl_consent_page *page, struct vl_exchange *x)
{
    if (!page->was_shown || page->was_answered ||
        !read_answer(page, x, &page->allowed)) {
        refuse(x, 400,
               "The answer did not come from the page that asks, or came "
               "twice. Close this window.");
        return;
    }
    /* From here on nobody else is heard: the port closes, and with it all
     * connections but this one, which lasts until its answer is through. */
    page->was_answered = true;
    vl_http_server_drain(page->server, FLUSH_MS, on_drained, page);
    if (page->allowed)
        vl_page_error(x, 200, "The program is allowed",
                      "You can close this window. The program goes on by "
                      "itself; it may ask you to sign in.",
                      NULL);
    else
        vl_page_error(x, 200, "The program is not allowed",
                      "You can close this window. The program gets nothing.",
                      NULL);
}

/* --- the site --- */

static size_t
body_max(const struct vl_http_request *head, void *ctx)
{
    (void)ctx;
    return vl_str_eqz(head->method, "POST") ? VL_LIMIT_FORM_BODY : 0;
}

static void
at_address(struct vl_consent_page *page, struct vl_exchange *x)
{
    struct vl_str method = vl_exchange_request(x)->method;
    if (!vl_str_eqz(method, "GET"))
        refuse_method(x, "GET");
    else if (page->was_shown)
        refuse(x, 410,
               "The question is open already. If you have opened it, answer "
               "in the window that came first. If not, somebody else on this "
               "computer may have: stop the program that asks.");
    else
        show(page, x);
}

static void
handle(struct vl_exchange *x, void *ctx)
{
    struct vl_consent_page *page = ctx;
    const struct vl_http_request *r = vl_exchange_request(x);
    struct vl_str host = vl_str_z(page->origin + strlen("http://"));
    if (!vl_str_eq(r->host, host))
        refuse(x, 403, "This name does not belong to a program here.");
    else if (vl_str_eqz(r->path, "/answer") && vl_str_eqz(r->method, "POST"))
        take_answer(page, x);
    else if (vl_str_starts(r->path, VL_STR(PATH)) &&
             vl_str_same_secret(vl_str_from(r->path, sizeof PATH - 1),
                                vl_str_z(page->address)))
        at_address(page, x);
    else
        refuse(x, 404, "There is nothing here. Close this window.");
}

/* --- life --- */

static valet_status
copy(struct vl_consent_page *page, const struct vl_consent_words *words,
     valet_error *err)
{
    page->program = vl_arena_dup(&page->arena, vl_str_z(words->program));
    page->account = vl_arena_dup(&page->arena, vl_str_z(words->account));
    page->is_remembered = words->is_remembered;
    if (words->command) {
        vl_auto(vl_buf) command = vl_buf_of(WORDS_MAX);
        vl_grant_write_command(words->command, &command);
        page->command = vl_arena_dup(&page->arena, vl_buf_str(&command));
        if (vl_buf_check(&command, NULL) != VALET_OK || !page->command.p)
            return vl_fail(err, VALET_LIMIT, "", "the command is too long");
    }
    for (const char *const *scope = words->scopes;
         *scope && page->scope_count < SCOPES_MAX; scope++)
        page->scopes[page->scope_count++] = (struct vl_page_var){
            "text", vl_arena_dup(&page->arena, vl_str_z(*scope))};
    return page->program.p ? VALET_OK
                           : vl_fail(err, VALET_LIMIT, "", "too much text");
}

static valet_status
listen(struct vl_consent_page *page, struct vl_loop *loop, valet_error *err)
{
    const struct vl_http_limits limits = {.connections = CONNECTIONS,
                                          .connections_per_address =
                                              CONNECTIONS,
                                          .idle_ms = IDLE_MS,
                                          .request_ms = REQUEST_MS,
                                          .write_ms = REQUEST_MS};
    unsigned port;
    page->server = vl_http_server_new(loop, &page->site, &limits);
    VL_TRY(vl_http_server_listen(page->server, "127.0.0.1", 0, &port, err));
    (void)snprintf(page->origin, sizeof page->origin, "http://127.0.0.1:%u",
                   port);
    (void)snprintf(page->url, sizeof page->url, "%s" PATH "%s", page->origin,
                   page->address);
    return VALET_OK;
}

valet_status
vl_consent_page_open(struct vl_loop *loop, const struct vl_consent_words *words,
                     vl_consent_page_done *done, void *ctx,
                     struct vl_consent_page **ret, valet_error *err)
{
    struct vl_consent_page *page = vl_alloc(sizeof *page);
    *page = (struct vl_consent_page){
        .site = {body_max, handle, page},
        .arena = vl_arena_of(WORDS_MAX),
        .done = done,
        .ctx = ctx,
    };
    vl_random_text(page->address);
    vl_random_text(page->csrf);
    valet_status status = copy(page, words, err);
    if (status == VALET_OK)
        status = listen(page, loop, err);
    if (status != VALET_OK) {
        vl_consent_page_close(&page);
        return status;
    }
    *ret = page;
    return VALET_OK;
}

const char *
vl_consent_page_url(const struct vl_consent_page *page)
{
    return page->url;
}

void
vl_consent_page_close(struct vl_consent_page **page)
{
    struct vl_consent_page *closed = *page;
    *page = NULL;
    if (!closed)
        return;
    vl_http_server_free(closed->server);
    vl_arena_done(&closed->arena);
    vl_wipe(closed, sizeof *closed);
    free(closed);
}
