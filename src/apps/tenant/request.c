/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/request.h"

#include "core/limits.h"

#define CHALLENGE_MIN 43
#define CHALLENGE_MAX 128

unsigned
vl_tenant_check_home(const struct vl_tenant_call *call,
                     const struct vl_tenant_app *app)
{
    if (app->multi_tenant)
        return 0;
    if (!call->realm)
        return 50194;
    return call->realm == app->realm ? 0 : 700016;
}

/* Loopback redirects of native apps come with the port that was free. */
static bool
same_but_port(struct vl_str asked, const char *registered)
{
    struct vl_url a, b;
    if (vl_url_parse(asked, &a, NULL) != VALET_OK ||
        vl_url_parse(vl_str_z(registered), &b, NULL) != VALET_OK ||
        !vl_str_eqz(a.scheme, "http") || !vl_str_eqz(b.scheme, "http") ||
        !vl_url_is_loopback(&a) || !vl_str_ieq(a.host, b.host))
        return false;
    struct vl_str a_path = vl_str_eqz(a.path, "/") ? VL_STR("") : a.path;
    struct vl_str b_path = vl_str_eqz(b.path, "/") ? VL_STR("") : b.path;
    return vl_str_eq(a_path, b_path) && a.has_query == b.has_query &&
           vl_str_eq(a.query, b.query);
}

/* The landing page of native apps that have no listener is ours, at whatever
 * origin we are asked. */
static bool
is_native(const struct vl_tenant_call *call, const struct vl_tenant_app *app,
          struct vl_str asked)
{
    return app->is_public &&
           vl_str_eqz(asked,
                      vl_tenant_format(call, "%s/common/oauth2/nativeclient",
                                       call->origin));
}

bool
vl_tenant_may_redirect(const struct vl_tenant_call *call,
                       const struct vl_tenant_app *app, struct vl_str asked)
{
    if (asked.n > VL_LIMIT_REDIRECT_URI)
        return false;
    if (is_native(call, app, asked))
        return true;
    for (size_t i = 0; i < app->redirects.count; i++)
        if (vl_str_eqz(asked, app->redirects.items[i]) ||
            same_but_port(asked, app->redirects.items[i]))
            return true;
    return false;
}

static struct vl_tenant_refusal
refuse_page(unsigned code, const char *detail)
{
    return (struct vl_tenant_refusal){code, detail, true};
}

static struct vl_tenant_refusal
refuse(unsigned code, const char *detail)
{
    return (struct vl_tenant_refusal){code, detail, false};
}

static const struct vl_tenant_refusal fine = {0, NULL, false};

/* Who asks, and where may the answer go? Until this is known, errors stay
 * here. */
static struct vl_tenant_refusal
read_client(struct vl_tenant_call *call, struct vl_tenant_request *r)
{
    struct vl_str id = vl_params_get(r->params, "client_id");
    if (vl_params_repeat(r->params, NULL))
        return refuse_page(90023, "A parameter was given twice.");
    if (!id.n)
        return refuse_page(900144, "It is client_id.");
    r->app = vl_tenant_find_app(call->tenant->data, id);
    if (!r->app)
        return refuse_page(700016, NULL);
    unsigned code = vl_tenant_check_home(call, r->app);
    if (code)
        return refuse_page(code, NULL);
    r->redirect_uri = vl_params_get(r->params, "redirect_uri");
    if (!r->redirect_uri.n)
        return refuse_page(900971, NULL);
    if (!vl_tenant_may_redirect(call, r->app, r->redirect_uri))
        return refuse_page(50011, NULL);
    return fine;
}

/* 0 if it is `code`; the others are off, as for every new application. */
static unsigned
judge_type(struct vl_str type)
{
    struct vl_str rest = type, word;
    bool id_token = false;
    while (vl_str_split(&rest, ' ', &word)) {
        id_token = id_token || vl_str_eqz(word, "id_token");
        if (!vl_str_eqz(word, "code") && !vl_str_eqz(word, "id_token") &&
            !vl_str_eqz(word, "token"))
            return 70005;
    }
    if (vl_str_eqz(type, "code"))
        return 0;
    return id_token ? 700054 : 700051;
}

/*
 * The mode is read first: a refused type is told the way that was asked for.
 * Tokens never travel in a query, not even the news that there are none.
 */
static struct vl_tenant_refusal
read_response(struct vl_tenant_request *r)
{
    static const char *const modes[VL_TENANT_MODE_COUNT] = {
        [VL_TENANT_QUERY] = "query",
        [VL_TENANT_FRAGMENT] = "fragment",
        [VL_TENANT_FORM_POST] = "form_post",
    };
    struct vl_str type = vl_params_get(r->params, "response_type");
    struct vl_str mode = vl_params_get(r->params, "response_mode");
    bool tokens = vl_str_has_word(type, VL_STR("id_token")) ||
                  vl_str_has_word(type, VL_STR("token"));
    bool known = !mode.n;
    r->state = vl_params_get(r->params, "state");
    r->mode = tokens ? VL_TENANT_FRAGMENT : VL_TENANT_QUERY;
    for (int i = 0; i < VL_TENANT_MODE_COUNT; i++) {
        if (!vl_str_eqz(mode, modes[i]))
            continue;
        known = i != VL_TENANT_QUERY || !tokens;
        if (known)
            r->mode = (enum vl_tenant_mode)i;
    }
    if (!type.n)
        return refuse(900144, "It is response_type.");
    if (!known)
        return refuse(70007, NULL);
    return refuse(judge_type(type), NULL);
}

/* @spec RFC 7636 4.3 */
static struct vl_tenant_refusal
read_challenge(struct vl_tenant_request *r)
{
    struct vl_str method = vl_params_get(r->params, "code_challenge_method");
    r->challenge = vl_params_get(r->params, "code_challenge");
    if (!r->challenge.n)
        return method.n ? refuse(50147, NULL) : fine;
    r->challenge_is_plain = !method.n || vl_str_eqz(method, "plain");
    if (!r->challenge_is_plain && !vl_str_eqz(method, "S256"))
        return refuse(50149, NULL);
    if (r->challenge.n < CHALLENGE_MIN || r->challenge.n > CHALLENGE_MAX)
        return refuse(501491, NULL);
    return fine;
}

/* One value: Entra, unlike OpenID Connect, takes no list of them. */
static struct vl_tenant_refusal
read_prompt(struct vl_tenant_request *r)
{
    static const char *const names[VL_TENANT_PROMPT_COUNT] = {
        [VL_TENANT_AS_NEEDED] = "",      [VL_TENANT_NO_PAGE] = "none",
        [VL_TENANT_SIGN_IN] = "login",   [VL_TENANT_CHOOSE] = "select_account",
        [VL_TENANT_CONSENT] = "consent",
    };
    struct vl_str prompt = vl_params_get(r->params, "prompt");
    int at = 0;
    while (at < VL_TENANT_PROMPT_COUNT && !vl_str_eqz(prompt, names[at]))
        at++;
    if (at == VL_TENANT_PROMPT_COUNT)
        return refuse(90023, "It is prompt.");
    r->prompt = (enum vl_tenant_prompt)at;
    /* To choose and to be told whom contradict each other. */
    if (r->prompt == VL_TENANT_CHOOSE &&
        (r->login_hint.n || vl_params_get(r->params, "sid").n))
        return refuse(90023, "A hint does not go with prompt=select_account.");
    return fine;
}

/* domain_hint also says `organizations`, `consumers`, and domains that are not
 * here: none of them narrows anything. */
static struct vl_tenant_refusal
read_hints(struct vl_tenant_call *call, struct vl_tenant_request *r)
{
    struct vl_str claims = vl_params_get(r->params, "claims");
    struct vl_str domain = vl_params_get(r->params, "domain_hint");
    r->login_hint = vl_str_trim(vl_params_get(r->params, "login_hint"));
    r->nonce = vl_params_get(r->params, "nonce");
    r->client_info = vl_str_eqz(vl_params_get(r->params, "client_info"), "1");
    r->home = call->realm;
    if (!r->home)
        r->home = vl_tenant_find_realm(call->tenant->data, domain);
    unsigned code = vl_tenant_asked_read(call, claims, &r->asked);
    return code ? refuse(code, "It is claims.") : read_prompt(r);
}

static struct vl_tenant_refusal
read_scope(struct vl_tenant_call *call, struct vl_tenant_request *r)
{
    struct vl_tenant_scope_rules rules = {
        .resource = vl_params_get(r->params, "resource")};
    r->scope = vl_params_get(r->params, "scope");
    if (!vl_str_trim(r->scope).n)
        return refuse(900144, "It is scope.");
    return refuse(vl_tenant_scopes_resolve(call, r->scope, &rules, &r->scopes),
                  NULL);
}

struct vl_tenant_refusal
vl_tenant_request_read(struct vl_tenant_call *call,
                       const struct vl_params *params,
                       struct vl_tenant_request *ret)
{
    struct vl_tenant_request r = {.params = params, .asked = {.acrs = ""}};
    struct vl_tenant_refusal refusal = read_client(call, &r);
    if (!refusal.code)
        refusal = read_response(&r);
    if (!refusal.code)
        refusal = read_challenge(&r);
    if (!refusal.code)
        refusal = read_hints(call, &r);
    if (!refusal.code)
        refusal = read_scope(call, &r);
    /* With a refusal too: who sends it back needs the URI and the state. */
    if (!r.state.n)
        r.state = vl_params_get(params, "state");
    *ret = r;
    return refusal;
}
