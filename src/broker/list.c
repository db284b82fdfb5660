/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls that only look: accounts, version.
 */
#include "broker/call.h"
#include "broker/request.h"

static void
end(struct vl_broker_call *call, bool good)
{
    if (good)
        vl_broker_call_finish(call);
    else
        vl_broker_call_fail(call);
}

static void
on_accounts(struct vl_broker_call *call, struct vl_str text)
{
    end(call, vl_broker_read_accounts(text, &call->answer, &call->list,
                                      &call->error));
}

static void
tell_accounts(struct vl_broker_call *call)
{
    if (call->failed)
        call->done.listed(NULL, 0, &call->error, call->ctx);
    else
        call->done.listed(call->list.accounts, call->list.count, NULL,
                          call->ctx);
}

struct vl_broker_call *
vl_broker_accounts(struct vl_broker *broker, struct vl_str client_id,
                   vl_broker_listed *done, void *ctx)
{
    vl_auto(vl_buf) request = vl_buf_of(VL_BROKER_REQUEST_MAX);
    struct vl_broker_call *call =
        vl_broker_call_new(broker, VL_LIMIT_BROKER_SILENT_MS, tell_accounts,
                           (union vl_broker_done){.listed = done}, ctx);
    vl_broker_write_accounts(client_id, (struct vl_str){NULL, 0}, &request);
    vl_broker_call_ask(call, "getAccounts", &request, on_accounts);
    return call;
}

static void
on_version(struct vl_broker_call *call, struct vl_str text)
{
    end(call, vl_broker_read_version(text, &call->answer, &call->version,
                                     &call->error));
}

static void
tell_version(struct vl_broker_call *call)
{
    call->done.versioned(call->version, call->failed ? &call->error : NULL,
                         call->ctx);
}

struct vl_broker_call *
vl_broker_version(struct vl_broker *broker, vl_broker_versioned *done,
                  void *ctx)
{
    vl_auto(vl_buf) request = vl_buf_of(VL_BROKER_REQUEST_MAX);
    struct vl_broker_call *call =
        vl_broker_call_new(broker, VL_LIMIT_BROKER_SILENT_MS, tell_version,
                           (union vl_broker_done){.versioned = done}, ctx);
    vl_broker_write_version(&request);
    vl_broker_call_ask(call, "getLinuxBrokerVersion", &request, on_version);
    return call;
}
