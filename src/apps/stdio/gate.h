/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate in front of somebody else's stdio server: what passes at once, what
 * waits until a person has signed in, and what is said meanwhile. It moves
 * lines and knows no processes (gate_run.c has those).
 *
 *     gate.c         lines of the client and of the server, one way each
 *     gate_read.c    what a line of the client is
 *     gate_wait.c    those that wait at the door
 *     gate_ask.c     URL elicitation: the client opens the sign-in's address
 *     gate_write.c   what the gate says itself
 *     gate_flight.c  requests that the server has to answer
 *
 * What passes, passes byte for byte, after it was read strictly (@spec D3): no
 * two readings of one line. Two things that JSON allows would give others a
 * second reading: a carriage return, which some take for the end of a line,
 * goes on as a space; members of a message whose names differ from MCP's in
 * case alone, which some take for MCP's, are refused.
 */
#ifndef VL_APPS_STDIO_GATE_H
#define VL_APPS_STDIO_GATE_H

#include "apps/stdio/doorman.h"
#include "core/str.h"

/* One line, either way. Servers send images and files, in Base64; clients may
 * as well. */
#define VL_GATE_LINE_MAX ((size_t)8 * 1024 * 1024)
/* Messages that wait for one person's sign-in, and what they are together:
 * models call a handful of tools at once. */
#define VL_GATE_WAITING_MAX       256
#define VL_GATE_WAITING_BYTES_MAX ((size_t)16 * 1024 * 1024)
/* Requests that the server has not answered. */
#define VL_GATE_FLIGHT_MAX 4096
/* As the library takes them (talk/). */
#define VL_GATE_BATCH_MAX 64

struct vl_gate;

struct vl_gate_hooks {
    /* Who lets in; asked at each call that has to wait, so that there need not
     * be one before. Not VALET_OK: the sentence is the call's refusal. */
    valet_status (*door)(struct vl_doorman **ret, valet_error *err, void *ctx);
    /* Lines without their end. They may free nothing. */
    void (*to_server)(struct vl_str line, void *ctx);
    void (*to_client)(struct vl_str line, void *ctx);
    /* Who is at the door, before a line goes to the server that needs it; again
     * when something about them has changed. */
    void (*identify)(const valet_auth_result *who, void *ctx);
    /* A line of the server was dropped, and why. */
    void (*dropped)(const char *why, void *ctx);
    void *ctx;
};
struct vl_gate *vl_gate_new(const struct vl_gate_hooks *hooks);
void vl_gate_from_client(struct vl_gate *gate, struct vl_str line);
void vl_gate_from_server(struct vl_gate *gate, struct vl_str line);
/* A line of the client was too long to be read. */
void vl_gate_too_long(struct vl_gate *gate);
/* Nobody waits at the door any more; what the server still answers passes. */
void vl_gate_client_ends(struct vl_gate *gate);
/* All that wait, here or for the server, are told that it has ended. */
void vl_gate_server_ends(struct vl_gate *gate);
/* The door was opened without a call: who waits goes in. */
void vl_gate_let_in(struct vl_gate *gate, const valet_auth_result *who);
void vl_gate_free(struct vl_gate *gate); /* NULL is fine */

#endif
