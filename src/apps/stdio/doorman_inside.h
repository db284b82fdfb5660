/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the doorman: what its two files share.
 *
 *     doorman.c         visits: silently, by the program's consent, their end
 *     doorman_person.c  the sign-in, and what the person is told
 */
#ifndef VL_APPS_STDIO_DOORMAN_INSIDE_H
#define VL_APPS_STDIO_DOORMAN_INSIDE_H

#include "apps/stdio/consent.h"
#include "apps/stdio/programs.h"
#include "core/list.h"

#define VL_DOOR_TELL_SIZE 1024
#define VL_DOOR_TIMEOUT_S 300

/*
 * A visit's way in. The silent attempt comes first since it disturbs nobody,
 * and tells the consent page whose account it is about; what it has got is
 * given to nobody before the person has allowed the program.
 */
enum vl_stage {
    VL_STAGE_SILENT,
    VL_STAGE_PROGRAM,
    VL_STAGE_PERSON,
    VL_STAGE_LEAVING
};

struct vl_visit {
    struct vl_list node; /* in the doorman's `visits` or `leaving` */
    struct vl_doorman *doorman;
    struct vl_visit_hooks hooks;
    enum vl_stage stage;
    bool needs_person, asked_broker;
    int64_t since;    /* vl_mono_now() */
    bool was_offered; /* the address was given to its client */
    char *claims;     /* or NULL */
    valet_call *silent;
    valet_auth_result result; /* of VL_STAGE_SILENT */
};

struct vl_doorman {
    struct vl_doorman_config config;
    struct vl_watch *watch; /* since the first visit */
    struct vl_timer *again; /* tells again */
    struct vl_timer *soon;  /* what may not happen inside a call of ours */
    struct vl_list visits, leaving;
    struct vl_consent_ask *asking;
    bool admitted, is_denied; /* the program, for as long as we run … */
    bool is_listed;           /* … or, admitted, as the list says so … */
    struct vl_programs_mark list; /* … that was read last */
    bool by_client;               /* it opens the address of this sign-in */
    bool declined;                /* the person, this sign-in */
    valet_call *sign_in;
    int64_t offered_at;           /* vl_mono_now() */
    char *url;                    /* to be opened by a client; or NULL */
    char tell[VL_DOOR_TELL_SIZE]; /* what the person is to do now */
    bool *gone;                   /* set when it is freed meanwhile */
};

bool vl_door_has_any(const struct vl_doorman *doorman, enum vl_stage stage);
/* All of a stage, in the order in which they came. A callback may ask again,
 * leave for others, or free the doorman: nothing may be touched afterwards. */
void vl_door_dismiss_all(struct vl_doorman *doorman, enum vl_stage stage,
                         valet_status status, const valet_auth_result *result,
                         const valet_entra_error *error);
void vl_door_refuse_all(struct vl_doorman *doorman, enum vl_stage stage,
                        const valet_error *why, valet_next next);

/* --- doorman_person.c --- */

/* Told at once and again and again, until something else is. */
void vl_door_say(struct vl_doorman *doorman, const char *text);
void vl_door_on_again(void *ctx);
/* One sign-in for all who wait, and for who joins them. */
void vl_door_sign_in(struct vl_doorman *doorman);
/* The address is offered to one client at a time: it works once. */
void vl_door_offer(struct vl_doorman *doorman);
/* The address that a client is to open; NULL: none any more. */
void vl_door_set_url(struct vl_doorman *doorman, const char *url);
/* Of the time that a person is waited for. */
int vl_door_time_left(const struct vl_doorman *doorman, enum vl_stage stage);

#endif
