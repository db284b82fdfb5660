/* SPDX-License-Identifier: Apache-2.0
 *
 * Every limit of the program, with its reason. What an operator may change is
 * in conf/options.c; these are the bounds nothing passes. Sizes are bytes,
 * times are milliseconds unless the name says seconds.
 */
#ifndef VL_CORE_LIMITS_H
#define VL_CORE_LIMITS_H

/* --- HTTP, towards clients --- */
/* A bearer token, cookies and twenty headers fit four times over. */
#define VL_LIMIT_HEAD 16384
/* Real MCP clients send 8 to 15. */
#define VL_LIMIT_HEADERS 64
/* The longest legal request is an /authorize with long state and scopes. */
#define VL_LIMIT_TARGET 8192
/* MCP messages; the lesson's server allows 1 MB too. */
#define VL_LIMIT_MCP_BODY (1024 * 1024)
/* Forms and registrations of the token desk. */
#define VL_LIMIT_FORM_BODY 16384
/* A chunk-size line; extensions are refused. */
#define VL_LIMIT_CHUNK_LINE 16
/* Answers wait in memory up to here before producers are asked to stop. */
#define VL_LIMIT_STREAM_HIGH 262144
/* A kept connection may be idle so long: longer than proxies keep theirs. */
#define VL_LIMIT_IDLE_MS 75000
/* A request has to arrive within this, however slowly it drips. */
#define VL_LIMIT_REQUEST_MS 15000
/* A reader of an event stream that has left so much waiting loses it. */
#define VL_LIMIT_STREAM_MOST 4194304
/* A quiet event stream gets a comment after this: proxies give up after 30 to
 * 60 seconds. */
#define VL_LIMIT_STREAM_QUIET_MS 20000
/* A peer that reads less than VL_LIMIT_WRITE_LEAST of its answer, and not its
 * end, in so long is gone. */
#define VL_LIMIT_WRITE_MS 30000
/* The slowest mobile networks carry this in three seconds. Who takes a byte
 * now and then would hold a connection and its queue for days. */
#define VL_LIMIT_WRITE_LEAST 4096
/* What runs may end after SIGTERM; then connections are cut. */
#define VL_LIMIT_DRAIN_MS 10000
/* Connections in all; each costs about 2 kB while idle. */
#define VL_LIMIT_CONNECTIONS 10000
/* From one address: a NAT of an office still gets in, one host cannot fill. */
#define VL_LIMIT_CONNECTIONS_PER_ADDRESS 1000
/* Of a program that serves its own machine without sign-in: agents have a
 * handful each, and how many files may be open is the program's business. */
#define VL_LIMIT_LOCAL_CONNECTIONS 500
/* What a request's own arena may hold: decoded parameters, answers' headers. */
#define VL_LIMIT_REQUEST_ARENA 262144

/* --- HTTP, towards Entra and Graph --- */
/* Entra's largest documents (JWKS) are 20 kB; Graph's /me is 1 kB. */
#define VL_LIMIT_FETCH_BODY       262144
#define VL_LIMIT_FETCH_MS         20000
#define VL_LIMIT_FETCH_CONNECT_MS 5000

/* Where a browser is sent to sign in: with a claims challenge, escaped, it is 8
 * kB, and browsers take four times as much. */
#define VL_LIMIT_SIGN_IN_URL 16384

/* --- JSON and tokens --- */
#define VL_LIMIT_JSON_DEPTH 64
/* Entra's tokens are 1 to 3 kB; with 200 groups about 10 kB. */
#define VL_LIMIT_JWT 16384
/* Entra's refresh tokens are about 1.5 kB. */
#define VL_LIMIT_UPSTREAM_TOKEN 16384

/* --- token desk --- */
/* RFC 6749 section 4.1.2 wants at most ten minutes; the issue sixty seconds. */
#define VL_LIMIT_CODE_MS 60000
/* Consent and sign-in have to be done within this. */
#define VL_LIMIT_FLOW_MS 600000
/* Opaque data of the client that we carry through a sign-in. */
#define VL_LIMIT_STATE         2048
#define VL_LIMIT_REDIRECT_URI  2048
#define VL_LIMIT_REDIRECT_URIS 10
#define VL_LIMIT_CLIENT_NAME   200
#define VL_LIMIT_SCOPE         1024

/* --- pages and documents we write --- */
#define VL_LIMIT_PAGE     65536
#define VL_LIMIT_DOCUMENT 65536
#define VL_LIMIT_CONFIG   262144
/* Our own address, which begins every other one: real ones have 20 to 80. */
#define VL_LIMIT_PUBLIC_URL 200

/* --- what is stored --- */
/* Both of Entra's tokens at their limits, and their record around them. */
#define VL_LIMIT_STORE_VALUE 65536
/* Keys and owners: hashes, ids, and client ids that are URLs. */
#define VL_LIMIT_STORE_KEY 1024
/* What one look-up of keys may answer. */
#define VL_LIMIT_STORE_LIST 1000

/* --- a person's token cache --- */
/* One refresh token and a few access tokens of each account are about 10 kB:
 * room for hundreds of accounts. */
#define VL_LIMIT_CACHE         4194304
#define VL_LIMIT_CACHE_ENTRIES 10000
/* Scopes of one token; with more it is not understood, only kept. */
#define VL_LIMIT_CACHE_SCOPES 256
/* What is kept in one document. */
#define VL_LIMIT_KEEP VL_LIMIT_CACHE
/* Who waits for the lock gives up after this; a change takes milliseconds,
 * the Secret Service at its slowest a few seconds. */
#define VL_LIMIT_KEEP_LOCK_MS 30000

/* --- the identity broker --- */
/* A token answer is about 10 kB, an account 1 kB. */
#define VL_LIMIT_BROKER_ANSWER   262144
#define VL_LIMIT_BROKER_ACCOUNTS 64
/* Asked silently it may renew a token, and be started before. */
#define VL_LIMIT_BROKER_SILENT_MS 30000

/* --- memory tables --- */
/* Token verdicts kept per worker: 1.2 kB each, so 6 MB. With more tokens than
 * this in use at a time, those not used for longest are asked for again. */
#define VL_LIMIT_VERDICTS 5000
/* A verdict is asked again after this, so a revocation is seen in time. */
#define VL_LIMIT_VERDICT_MS 2000
/* MCP sessions (≤ 2025-11-25) of a worker: in all, of a user, and of a user
 * with one client. Forty users at their limit fill the table; one cannot. */
#define VL_LIMIT_MCP_SESSIONS            20000
#define VL_LIMIT_MCP_SESSIONS_PER_USER   500
#define VL_LIMIT_MCP_SESSIONS_PER_CLIENT 100
#define VL_LIMIT_MCP_SESSION_IDLE_MS     3600000
/* Sent events that are kept for clients that lost a stream: of one session (an
 * answer that is longer cannot be asked for again), of all of a worker, and
 * for how long. */
#define VL_LIMIT_MCP_HISTORY    262144
#define VL_LIMIT_MCP_ARCHIVE    33554432
#define VL_LIMIT_MCP_HISTORY_MS 300000
/* Calls of one person at work on a worker, over all sessions and clients: an
 * agent has a handful, and a burst of fifty has to get through (S-31). */
#define VL_LIMIT_MCP_CALLS_PER_USER 64
/* Resources whose changes one session, or one listener, is told, and all
 * sessions, or all listeners, of one person on a worker (of 2 kB each at most);
 * and listeners (subscriptions/listen) of one person on a worker. */
#define VL_LIMIT_MCP_SUBSCRIPTIONS          256
#define VL_LIMIT_MCP_SUBSCRIPTIONS_PER_USER 1024
#define VL_LIMIT_MCP_LISTENERS_PER_USER     32
/* Tasks (from 2026-07-28 on) of a worker, and of a user, at work or finished:
 * 1.5 kB each without their texts. A user has at most so many at work as he may
 * have calls at work, so most of his share is results. */
#define VL_LIMIT_MCP_TASKS          5000
#define VL_LIMIT_MCP_TASKS_PER_USER 256
/* What their texts are together: results, questions, answers. A user's share
 * holds two of the longest results, or thousands of usual ones. */
#define VL_LIMIT_MCP_TASKS_SIZE          67108864
#define VL_LIMIT_MCP_TASKS_SIZE_PER_USER 16777216
/* One result: all that an answer may be (VL_MCP_ANSWER_MAX), but for what
 * stands around it in the answer to tasks/get. */
#define VL_LIMIT_MCP_TASK_RESULT (8 * 1024 * 1024 - 65536)
/* What a task asks, and is answered: two messages of the longest kind, one
 * each way. */
#define VL_LIMIT_MCP_TASK_INPUTS (2 * 1024 * 1024)
/* Questions of one task (valet/mcp.h says 16), and how often each may be asked
 * again: people mistype, but not for ever. */
#define VL_LIMIT_MCP_TASK_QUESTIONS 16
#define VL_LIMIT_MCP_TASK_TIMES     16
/* "Step 3 of 5", or why it failed: some lines. */
#define VL_LIMIT_MCP_TASK_MESSAGE 512
/* How long a task may take, a person's answers included; and for how long its
 * result is kept at least. Clients poll every second or so. */
#define VL_LIMIT_MCP_TASK_MS      3600000
#define VL_LIMIT_MCP_TASK_KEEP_MS 600000
#define VL_LIMIT_MCP_TASK_POLL_MS 1000

#endif
