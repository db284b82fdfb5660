/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages for people who look what this is.
 */
#include "apps/tenant/route.h"

/* More would not fit the page; the others can be typed. */
#define PEOPLE_MAX 50

struct vl_page_list
vl_tenant_list_people(const struct vl_tenant_call *call,
                      const struct vl_tenant_realm *home)
{
    enum { WIDTH = 3 };
    const struct vl_tenant_data *data = call->tenant->data;
    struct vl_page_list list = {.name = "people", .width = WIDTH};
    struct vl_page_var *vars =
        vl_arena_alloc(call->arena, PEOPLE_MAX * WIDTH * sizeof *vars);
    for (size_t i = 0; vars && i < data->user_count; i++) {
        const struct vl_tenant_user *user = &data->users[i];
        if (list.rows == PEOPLE_MAX)
            break;
        if (home && home != user->realm)
            continue;
        struct vl_page_var *row = vars + WIDTH * list.rows++;
        row[0] = (struct vl_page_var){"person", vl_str_z(user->username)};
        row[1] = (struct vl_page_var){"shown", vl_str_z(user->display_name)};
        row[2] = (struct vl_page_var){"secret", vl_str_z(user->password)};
    }
    list.vars = vars;
    return list;
}

void
vl_tenant_home(struct vl_tenant_call *call)
{
    const struct vl_tenant_data *data = call->tenant->data;
    struct vl_page page = {.asset = "tenant-home", .assets = vl_tenant_assets};
    struct vl_page_list people = vl_tenant_list_people(call, NULL);
    vl_page_set(&page, "authority",
                vl_str_z(vl_tenant_format(call, "%s/%s", call->origin,
                                          data->realms[0].id)));
    vl_page_set(&page, "graph", vl_str_z(call->origin));
    vl_page_set_list(&page, &people);
    struct vl_reply reply = {.status = 200};
    vl_page_reply(call->x, &page, &reply);
}

/* Where error_uri points. */
void
vl_tenant_error_page(struct vl_tenant_call *call)
{
    uint64_t code = 0;
    if (!vl_str_u64(vl_params_get(&call->query, "code"), UINT32_MAX, &code))
        code = 0;
    vl_page_error(call->x, 200,
                  vl_tenant_format(call, "AADSTS%u", (unsigned)code),
                  vl_tenant_aadsts_find((unsigned)code)->text, NULL);
}

/* entra-wire 2.2: where native apps without a listener are sent. */
void
vl_tenant_native(struct vl_tenant_call *call)
{
    struct vl_page page = {.asset = "native", .assets = vl_tenant_assets};
    struct vl_reply reply = {.status = 200};
    vl_tenant_page_headers(call, &reply);
    vl_page_reply(call->x, &page, &reply);
}
