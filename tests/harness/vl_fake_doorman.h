/* SPDX-License-Identifier: Apache-2.0
 *
 * A doorman in place of the real one, at link time: it opens when the test
 * says so. Visits are counted, so that a test sees whether all have left.
 */
#ifndef VL_FAKE_DOORMAN_H
#define VL_FAKE_DOORMAN_H

#include <stdio.h>
#include <stdlib.h>

#include "apps/stdio/doorman.h"
#include "core/list.h"

struct vl_visit {
    struct vl_list node;
    struct vl_visit_hooks hooks;
    int opened; /* 0: not said, 1: accepted, -1: declined */
};

static struct {
    struct vl_list visits;
    size_t count, asked, left;
} fake_door;

static inline void
fake_door_begin(void)
{
    vl_list_init(&fake_door.visits);
    fake_door.count = fake_door.asked = fake_door.left = 0;
}

static inline struct vl_visit *
fake_door_first(void)
{
    return vl_list_is_empty(&fake_door.visits)
               ? NULL
               : VL_CONTAINER(fake_door.visits.next, struct vl_visit, node);
}

static inline void
fake_door_release(struct vl_visit *visit)
{
    vl_list_remove(&visit->node);
    fake_door.count--;
    free(visit);
}

struct vl_doorman *
vl_doorman_new(const struct vl_doorman_config *config)
{
    (void)config;
    return NULL;
}

void
vl_doorman_free(struct vl_doorman *doorman)
{
    (void)doorman;
}

struct vl_visit *
vl_doorman_ask(struct vl_doorman *doorman, bool renew, const char *claims,
               const struct vl_visit_hooks *hooks)
{
    struct vl_visit *visit = vl_alloc(sizeof *visit);
    (void)doorman, (void)renew, (void)claims;
    visit->hooks = *hooks;
    vl_list_add_last(&fake_door.visits, &visit->node);
    fake_door.count++;
    fake_door.asked++;
    return visit;
}

void
vl_visit_opened(struct vl_visit *visit, bool accepted)
{
    visit->opened = accepted ? 1 : -1;
}

void
vl_visit_rehook(struct vl_visit *visit, const struct vl_visit_hooks *hooks)
{
    visit->hooks = *hooks;
}

void
vl_visit_leave(struct vl_visit **visit)
{
    if (!*visit)
        return;
    fake_door_release(*visit);
    *visit = NULL;
    fake_door.left++;
}

void
vl_doorman_explain(valet_status status, const valet_entra_error *error,
                   char *ret, size_t size)
{
    (void)snprintf(ret, size, "no: %s, %s", valet_status_name(status),
                   error->error.message);
}

/* The first visit is over, for this reason. */
static inline void
fake_door_refuse(valet_status status, const char *why)
{
    struct vl_visit *visit = fake_door_first();
    valet_entra_error error = {.error = {.status = status}};
    struct vl_visit_hooks hooks = visit->hooks;
    (void)snprintf(error.error.message, sizeof error.error.message, "%s", why);
    fake_door_release(visit);
    hooks.done(status, NULL, &error, hooks.ctx);
}

static inline void
fake_door_open(const valet_auth_result *result)
{
    struct vl_visit *visit = fake_door_first();
    struct vl_visit_hooks hooks = visit->hooks;
    fake_door_release(visit);
    hooks.done(VALET_OK, result, NULL, hooks.ctx);
}

#endif
