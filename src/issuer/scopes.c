/* SPDX-License-Identifier: Apache-2.0
 *
 * Which scopes there are, and who has them. Those of guard/policy are
 * everybody's who signs in, and so are those that the configuration says are
 * open. Any other is a permission of a program's own tools, and had by whom
 * the provider gives a role of its name (@spec S-01 S-07): a client may ask
 * for it and its user may approve it, but nobody approves what he has not.
 */
#include "guard/policy.h"
#include "issuer/desk.h"
#include "oauth/scope.h"
#include "json/read.h"

bool
vl_desk_knows_scope(struct vl_str scope, const void *issuer)
{
    const struct vl_issuer_config *config =
        ((const struct vl_issuer *)issuer)->config;
    return vl_policy_is_known_scope(scope) ||
           (config->is_own_scope &&
            config->is_own_scope(scope, config->own_scopes));
}

/* Whose scopes are looked at. */
struct holder {
    const struct vl_issuer_config *config;
    const struct json_t *roles;
};

static bool
has_scope(struct vl_str scope, const void *ctx)
{
    const struct holder *holder = ctx;
    const char *open = holder->config->open_scopes;
    return vl_policy_is_known_scope(scope) ||
           (open && vl_str_has_word(vl_str_z(open), scope)) ||
           vl_json_has_str(holder->roles, scope);
}

void
vl_req_keep_scopes_of(struct vl_req *req, const struct vl_idp_person *person)
{
    struct holder holder = {req->op.issuer->config, person->roles};
    struct vl_buf *kept = vl_op_value(&req->op);
    vl_scope_filter(kept, req->flow.scopes, has_scope, &holder);
    req->flow.scopes = vl_buf_str(kept);
}
