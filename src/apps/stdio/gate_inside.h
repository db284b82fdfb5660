/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the gate (gate.h).
 */
#ifndef VL_APPS_STDIO_GATE_INSIDE_H
#define VL_APPS_STDIO_GATE_INSIDE_H

#include "apps/stdio/gate.h"
#include "core/list.h"
#include "core/map.h"
#include "core/sys.h"
#include "mcp/peer.h"
#include "mcp/rpc.h"

/* Ids and keys of our own: nobody can guess the first part, the last is
 * counted. */
#define VL_GATE_NAME_SIZE (VL_UUID_SIZE + 24)

/* --- what a line of the client is (gate_read.c) --- */

enum vl_gate_sort {
    VL_GATE_REQUEST,
    VL_GATE_NOTIFICATION,
    VL_GATE_CANCEL, /* notifications/cancelled that names a request */
    VL_GATE_RESPONSE,
};

/* A request, as its answer needs to know it. */
struct vl_gate_call {
    struct vl_buf id;    /* JSON, as we would write it: equal ids are equal */
    struct vl_buf token; /* of progress, JSON; empty: none is wanted */
    bool is_tool_call;   /* answered with a result, even when refused */
    bool is_modern;
    bool is_taken_back; /* by its client: it is not answered */
};
void vl_gate_call_done(struct vl_gate_call *call);

struct vl_gate_message {
    enum vl_gate_sort sort;
    bool is_gated;
    bool is_hello; /* `initialize` */
    bool can_open; /* the client opens addresses that it is sent */
    /* Of responses its id alone, of VL_GATE_CANCEL that of whose end it is. */
    struct vl_gate_call call;
    unsigned abilities; /* of is_hello */
    /* Of VL_GATE_RESPONSE: was the question, if it was ours, accepted? */
    bool accepts;
    /* The key of a question of ours that this one answers, or "". */
    char answers[VL_GATE_NAME_SIZE];
};

/* What the client has sent in one line. */
struct vl_gate_line {
    struct vl_gate_message *messages; /* one, or those of a batch */
    size_t count;
    bool is_batch;
    /* Empty: the line as it came. Else what is left when our own business is
     * taken out of it. */
    struct vl_buf rewritten;
};
void vl_gate_line_done(struct vl_gate_line *line);
/* False: it is refused, which has been said to the client. */
bool vl_gate_read(struct vl_gate *gate, struct vl_str text,
                  struct vl_gate_line *ret);

/* --- requests that the server has to answer (gate_flight.c) --- */

/* False: there are too many. */
bool vl_gate_flight_add(struct vl_gate *gate, const struct vl_gate_call *call);
void vl_gate_flight_take(struct vl_gate *gate, struct vl_str id);
/* Tells all of them that the server has ended. */
void vl_gate_flight_end(struct vl_gate *gate);

/* --- those that wait at the door (gate_wait.c) --- */

/* A request of ours to the client. */
struct vl_gate_question {
    char name[VL_GATE_NAME_SIZE]; /* its id; "": there was none */
    char elicitation[VL_UUID_SIZE];
    bool is_open; /* not answered */
    bool is_accepted;
};

struct vl_gate_waiting {
    struct vl_list in_gate;
    struct vl_gate *gate;
    struct vl_gate_line line;
    struct vl_buf text; /* to be sent */
    struct vl_visit *visit;
    struct vl_gate_question question;
    unsigned progress; /* notifications so far */
};
/* `line` is moved; `text` is what goes to the server later. */
void vl_gate_wait(struct vl_gate *gate, struct vl_gate_line *line,
                  struct vl_str text);
/* True: it waited, and is gone. */
bool vl_gate_take_back(struct vl_gate *gate, struct vl_str id);
void vl_gate_waiting_free(struct vl_gate_waiting *waiting);

/* --- URL elicitation (gate_ask.c) --- */

/* The visit of a call that was answered with a question; its client will come
 * back with the answer. */
struct vl_gate_parked {
    struct vl_list in_gate;
    struct vl_gate *gate;
    struct vl_visit *visit;
    char key[VL_GATE_NAME_SIZE];
    int64_t since_ms;
};
#define VL_GATE_PARKED_MAX 16
/* A sign-in that is not over then is given up. */
#define VL_GATE_PARKED_MS ((int64_t)600000)

void vl_gate_ask(struct vl_gate_waiting *waiting, const char *url);
/* It waits no more: the question is of no use, or was. */
void vl_gate_unask(struct vl_gate_waiting *waiting, bool is_done);
/* True: the response was to a question of ours. */
bool vl_gate_take_response(struct vl_gate *gate,
                           const struct vl_gate_message *message);
/* NULL: nothing is kept under this key. */
struct vl_gate_parked *
vl_gate_find_parked(struct vl_gate *gate, const char *key);
void vl_gate_parked_free(struct vl_gate_parked *parked);
/* Those whose clients have not come back; or all of them. */
void vl_gate_sweep_parked(struct vl_gate *gate, bool all);

/* --- what the gate says itself (gate_write.c) --- */

void vl_gate_say_error(struct vl_gate *gate, struct vl_rpc_id id,
                       enum vl_rpc_code code, const char *why);
/* Why the requests of a line are not done, as each of them is answered. */
void vl_gate_say_refusal(struct vl_gate *gate, const struct vl_gate_line *line,
                         const char *why);
void vl_gate_say_progress(struct vl_gate_waiting *waiting, const char *text);
void vl_gate_say_question(struct vl_gate *gate,
                          const struct vl_gate_question *ask, const char *url);
/* It is taken back, or what it asked for has been done. */
void vl_gate_say_taken_back(struct vl_gate *gate, const char *name);
void vl_gate_say_done(struct vl_gate *gate, const char *elicitation);
void vl_gate_say_input_required(struct vl_gate *gate, struct vl_str id,
                                const char *key, const char *url);
/* What a client says when it gives up a request of its. */
void vl_gate_write_cancel(struct vl_buf *text, struct vl_str id);

/* --- the gate --- */

struct vl_gate {
    struct vl_gate_hooks hooks;

    /* The client: what it said in `initialize`, and what was agreed. */
    struct vl_buf hello; /* the id, until it is answered */
    unsigned abilities;
    bool has_version;
    bool was_modern;
    enum vl_mcp_version version;

    /* The person: when the token ends, and when the door was last seen open. */
    int64_t expires_at; /* seconds; 0: nobody is known */
    int64_t seen_ms;    /* monotonic */

    struct vl_list waiting;
    size_t waiting_count, waiting_bytes;
    struct vl_list parked;
    size_t parked_count;
    struct vl_map flight;

    char name[VL_UUID_SIZE]; /* of ids of ours */
    uint64_t named;
};

/* Sends a line to the server, and notes what of it has to be answered. */
void vl_gate_forward(struct vl_gate *gate, const struct vl_gate_line *line,
                     struct vl_str text);
void vl_gate_make_name(struct vl_gate *gate, char ret[VL_GATE_NAME_SIZE]);
bool vl_gate_is_own_name(const struct vl_gate *gate, struct vl_str text);

#endif
