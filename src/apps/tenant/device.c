/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/tenant/device.h"

#include "apps/tenant/route.h"
#include "apps/tenant/session.h"
#include "core/limits.h"

#define LIFETIME_S 900
#define INTERVAL_S 5
#define CODE_SIZE  9

/* Letters and digits that nobody takes for another. */
static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/* --- the program asks --- */

static void
draw_code(struct vl_tenant_call *call, char ret[CODE_SIZE + 1])
{
    const struct vl_tenant_shelf *devices = &call->tenant->devices;
    unsigned char random[CODE_SIZE];
    do {
        vl_random(random, sizeof random);
        for (size_t i = 0; i < CODE_SIZE; i++)
            ret[i] = letters[random[i] % (sizeof letters - 1)];
        ret[CODE_SIZE] = '\0';
    } while (vl_tenant_shelf_find_typed(devices, vl_str_z(ret)));
}

static void
send_codes(struct vl_tenant_call *call, struct vl_str device_code,
           const char *user_code, unsigned lifetime)
{
    unsigned interval = call->tenant->data->settings.device_interval;
    const char *uri = vl_tenant_format(call, "%s/device", call->origin);
    vl_auto(vl_buf) body = vl_buf_of_secret(VL_LIMIT_DOCUMENT);
    struct vl_json_out json = {&body, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "user_code", user_code);
    vl_json_add_str(&json, "device_code", device_code);
    vl_json_add_z(&json, "verification_uri", uri);
    vl_json_add_int(&json, "expires_in", lifetime);
    vl_json_add_int(&json, "interval", interval ? interval : INTERVAL_S);
    vl_json_add_z(&json, "message",
                  vl_tenant_format(call,
                                   "Open %s in a browser and type the code %s "
                                   "there to sign in.",
                                   uri, user_code));
    vl_json_close(&json, '}');
    vl_tenant_send_token(call, vl_buf_str(&body));
}

static unsigned
read_program(struct vl_tenant_call *call, const struct vl_tenant_app **ret,
             struct vl_tenant_asked *ret_asked, const char **ret_detail)
{
    struct vl_str claims = vl_params_get(&call->form, "claims");
    struct vl_str id = vl_params_get(&call->form, "client_id");
    struct vl_str scope = vl_str_trim(vl_params_get(&call->form, "scope"));
    struct vl_tenant_scope_rules rules = {
        .resource = vl_params_get(&call->form, "resource")};
    struct vl_tenant_scopes scopes;
    if (vl_params_repeat(&call->form, NULL)) {
        *ret_detail = "A parameter was given twice.";
        return 90023;
    }
    if (!id.n || !scope.n) {
        *ret_detail = id.n ? "It is scope." : "It is client_id.";
        return 900144;
    }
    const struct vl_tenant_app *app =
        vl_tenant_find_app(call->tenant->data, id);
    if (!app)
        return 700016;
    unsigned code = vl_tenant_check_home(call, app);
    if (!code)
        code = vl_tenant_scopes_resolve(call, scope, &rules, &scopes);
    *ret = app;
    return code ? code : vl_tenant_asked_read(call, claims, ret_asked);
}

/* @spec entra-wire 2.13 */
void
vl_tenant_device_code(struct vl_tenant_call *call)
{
    const struct vl_tenant_app *app = NULL;
    const char *detail = NULL;
    struct vl_tenant_asked asked = {.acrs = ""};
    unsigned code = read_program(call, &app, &asked, &detail);
    if (code) {
        vl_tenant_fail(call, code, detail);
        return;
    }
    int64_t now = vl_tenant_now(call);
    unsigned lifetime = call->tenant->data->settings.device_code_seconds;
    lifetime = lifetime ? lifetime : LIFETIME_S;
    char user_code[CODE_SIZE + 1];
    draw_code(call, user_code);
    struct vl_tenant_grant grant = {
        .expires_ms = now + lifetime * 1000LL,
        .app = app,
        .realm = call->realm,
        .scope = vl_tenant_dup(vl_params_get(&call->form, "scope")),
        .user_code = vl_strdup(user_code),
        .asked = vl_tenant_dup(vl_str_z(asked.acrs)),
    };
    struct vl_str device_code =
        vl_tenant_shelf_put(&call->tenant->devices, &grant, now);
    send_codes(call, device_code, user_code, lifetime);
}

/* --- the person types --- */

static void
show_code_page(struct vl_tenant_call *call, struct vl_str typed,
               const char *message)
{
    struct vl_page page = {.asset = "device-code", .assets = vl_tenant_assets};
    struct vl_reply reply = {.status = 200};
    vl_page_set(
        &page, "action",
        vl_str_z(vl_tenant_format(call, "/" VL_STR_FMT "/oauth2/deviceauth",
                                  VL_STR_ARG(call->segment))));
    vl_page_set(&page, "typed", typed);
    vl_page_set(&page, "message", vl_str_z(message));
    vl_tenant_page_headers(call, &reply);
    vl_page_reply(call->x, &page, &reply);
}

static struct vl_tenant_refusal
refuse(unsigned code)
{
    return (struct vl_tenant_refusal){code, NULL, true};
}

struct vl_tenant_refusal
vl_tenant_device_request(struct vl_tenant_call *call, struct vl_str typed,
                         struct vl_tenant_request *ret)
{
    struct vl_params *params = vl_arena_alloc(call->arena, sizeof *params);
    struct vl_param *param = vl_arena_alloc(call->arena, sizeof *param);
    struct vl_tenant_grant *device =
        vl_tenant_shelf_find_typed(&call->tenant->devices, typed);
    struct vl_tenant_scope_rules rules = {.first_wins = false};
    if (!device || device->user || device->is_declined || !params || !param)
        return refuse(70018);
    if (vl_tenant_now(call) >= device->expires_ms)
        return refuse(70019);
    *param = (struct vl_param){VL_STR("otc"), vl_str_z(device->user_code)};
    *params = (struct vl_params){param, 1};
    struct vl_tenant_request r = {.params = params,
                                  .app = device->app,
                                  .home = device->realm,
                                  .scope = vl_str_z(device->scope),
                                  .asked = {.acrs = ""},
                                  .device = device};
    if (device->asked)
        r.asked.acrs = device->asked;
    if (device->realm)
        call->realm = device->realm;
    unsigned code = vl_tenant_scopes_resolve(call, r.scope, &rules, &r.scopes);
    *ret = r;
    return refuse(code);
}

/* Where people are told to go; its other name is long. */
void
vl_tenant_device_short(struct vl_tenant_call *call)
{
    struct vl_reply reply = {.status = 302};
    struct vl_str typed = vl_params_get(&call->query, "otc");
    vl_auto(vl_buf) url = vl_buf_of(VL_LIMIT_TARGET * 4);
    vl_buf_addz(&url, "/common/oauth2/deviceauth");
    if (typed.n)
        vl_url_add_param(&url, "otc", typed);
    vl_reply_add(&reply, "Location", vl_buf_str(&url));
    vl_tenant_page_headers(call, &reply);
    vl_page_headers(&reply);
    vl_exchange_reply(call->x, &reply);
}

void
vl_tenant_device_page(struct vl_tenant_call *call)
{
    struct vl_tenant_request r;
    bool post = vl_str_eqz(call->request->method, "POST");
    struct vl_str typed =
        vl_str_trim(vl_params_get(post ? &call->form : &call->query, "otc"));
    if (!post || !typed.n) {
        show_code_page(call, typed,
                       post ? "Type the code that the program shows." : NULL);
        return;
    }
    struct vl_tenant_refusal refusal =
        vl_tenant_device_request(call, typed, &r);
    if (!refusal.code)
        vl_tenant_ask_person(call, &r);
    else
        show_code_page(
            call, typed,
            vl_tenant_format(call, "AADSTS%u: %s", refusal.code,
                             refusal.code == 70018
                                 ? "Nobody waits for this code. Look at it "
                                   "again."
                                 : vl_tenant_aadsts_find(refusal.code)->text));
}

/* --- the end --- */

static void
show_end(struct vl_tenant_call *call, const struct vl_tenant_request *r,
         bool approved)
{
    struct vl_page page = {.asset = "device-done", .assets = vl_tenant_assets};
    struct vl_reply reply = {.status = 200};
    vl_page_set(&page, "app", vl_str_z(r->app->name));
    vl_page_set(&page, "approved", vl_str_z(approved ? "yes" : ""));
    vl_tenant_page_headers(call, &reply);
    vl_page_reply(call->x, &page, &reply);
}

void
vl_tenant_device_approve(struct vl_tenant_call *call,
                         const struct vl_tenant_request *r,
                         const struct vl_tenant_grant *session)
{
    struct vl_tenant_grant *device = r->device;
    device->user = session->user;
    device->realm = session->user->realm;
    device->epoch = session->user->epoch;
    device->signed_in = session->signed_in;
    device->acrs = vl_tenant_dup(vl_str_z(session->acrs));
    show_end(call, r, true);
}

void
vl_tenant_device_end(struct vl_tenant_call *call,
                     const struct vl_tenant_request *r, unsigned code,
                     const char *detail)
{
    if (code != 65004) {
        vl_tenant_fail_page(call, code, detail);
        return;
    }
    r->device->is_declined = true;
    show_end(call, r, false);
}
