/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet connect`: a client that speaks on standard input and output
 * reaches a remote server, and the person signs in once for all of them.
 */
#include <limits.h>

#include "apps/command/local.h"
#include "apps/connect/bridge.h"
#include "apps/connect/guest.h"
#include "apps/connect/tokens.h"
#include "apps/local/commands.h"
#include "apps/local/connect_place.h"
#include "core/status.h"
#include "core/sys.h"
#include "io/life.h"

/* Of a secret or token in a file: an editor's newline more. */
#define SECRET_MAX (VL_LIMIT_UPSTREAM_TOKEN + 2)
/* An hour of silence in seconds, a hundred times. */
#define TIMEOUT_MAX 360000

struct connect {
    const char *url;
    const char *client_id, *client_issuer, *client_secret_file,
        *client_key_file, *client_metadata_url, *scope, *callback_port,
        *callback_host, *token_file, *token_env, *ca_file, *timeout;
    struct vl_connect_place place;
    bool client_credentials, sign_in, forget, quiet;

    struct vl_secret secret, token;
    uint64_t port, seconds;
    struct vl_loop *loop;
    struct vl_fetcher *fetcher;
    struct vl_connect_tokens *tokens;
    struct vl_bridge *bridge;
    struct vl_connect_guest *guest; /* --sign-in: in place of a client */
    bool was_asked, has_answered;   /* the person; the server the guest */
    struct vl_life life;
};

/* --- what happens, for the person --- */

static void
note(const char *text, void *ctx)
{
    const struct connect *connect = ctx;
    if (!connect->quiet)
        vl_complain("%s", text);
}

static void
remind(const char *text, void *ctx)
{
    struct connect *connect = ctx;
    if (connect->bridge)
        vl_bridge_tell(connect->bridge, text);
}

static void
tell(const char *text, const char *url, void *ctx)
{
    struct connect *connect = ctx;
    /* Without the address nobody could sign in where no browser opens. */
    if (url) {
        connect->was_asked = true;
        vl_complain("%s %s", text, url);
    } else
        note(text, connect);
    remind(text, connect);
}

/* --- what was typed --- */

static valet_status
read_secret(const char *path, struct vl_secret *ret, valet_error *err)
{
    vl_auto(vl_buf) text = vl_buf_of_secret(SECRET_MAX);
    if (!path)
        return VALET_OK;
    VL_TRY(vl_file_read(path, true, &text, err));
    struct vl_str secret = vl_buf_str(&text);
    while (secret.n &&
           (secret.p[secret.n - 1] == '\n' || secret.p[secret.n - 1] == '\r'))
        secret = vl_str_head(secret, secret.n - 1);
    if (!secret.n || vl_str_has(secret, '\n'))
        return vl_fail(err, VALET_INVALID, "",
                       "%s: it holds no secret of one "
                       "line",
                       path);
    *ret = vl_secret_of(secret);
    return VALET_OK;
}

static valet_status
read_token(struct connect *connect, valet_error *err)
{
    if (!connect->token_env)
        return read_secret(connect->token_file, &connect->token, err);
    const char *token = vl_environment(connect->token_env);
    if (!token || !token[0])
        return vl_fail(err, VALET_INVALID, "", "%s is not set",
                       connect->token_env);
    connect->token = vl_secret_of(vl_str_z(token));
    return VALET_OK;
}

static bool
read_number(const char *option, const char *text, uint64_t max, uint64_t *ret)
{
    if (!text || vl_str_u64(vl_str_z(text), max, ret))
        return true;
    vl_complain("%s is a number of at most %llu", option,
                (unsigned long long)max);
    return false;
}

/* Browsers take either for this machine; some authorization servers want the
 * one that was registered, letter by letter. */
static bool
is_callback_host(const char *host)
{
    return !host || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* Options that say the same thing twice, or nothing alone. */
static const char *
mistake_of(const struct connect *c)
{
    bool is_given = c->token_file || c->token_env;
    bool is_client = c->client_id || c->client_secret_file ||
                     c->client_key_file || c->client_metadata_url;
    if (!c->url)
        return "which server? mcp-valet connect https://…";
    if (c->token_file && c->token_env)
        return "the token is in --token-file or in --token-env, not in both";
    if (is_given && (is_client || c->client_credentials))
        return "with a given token nobody is asked for one: --token-file and "
               "--token-env go with no other credentials";
    if (c->sign_in && (is_given || c->forget || c->place.no_cache))
        return "--sign-in is for what is kept: it goes with no given token, "
               "and neither with --forget nor with --no-cache";
    if (!c->client_id &&
        (c->client_secret_file || c->client_key_file || c->client_issuer))
        return "whose secret, key or issuer is it? --client-id ID";
    if (c->client_secret_file && c->client_key_file)
        return "a client has --client-secret-file or --client-key-file";
    if (c->client_id && c->client_metadata_url)
        return "a client has --client-id or --client-metadata-url";
    if (c->client_credentials && !c->client_secret_file && !c->client_key_file)
        return "--client-credentials are --client-id, and --client-secret-file "
               "or --client-key-file";
    if (!is_callback_host(c->callback_host))
        return "--callback-host is localhost or 127.0.0.1";
    if ((c->place.cache_file != NULL) + c->place.secret_service +
            c->place.no_cache >
        1)
        return "tokens are kept by one of --cache-file, --secret-service and "
               "--no-cache";
    return NULL;
}

/* --- its run --- */

static valet_status
open_keep(struct vl_keep **ret, struct vl_buf *lock, void *ctx,
          valet_error *err)
{
    const struct connect *connect = ctx;
    return vl_connect_place_open(&connect->place, ret, lock, err);
}

static void
drain(void (*done)(void *done_ctx), void *done_ctx, void *ctx)
{
    struct connect *connect = ctx;
    vl_bridge_finish(connect->bridge, done, done_ctx);
}

static const struct vl_secret *
bearer(void *ctx)
{
    return vl_connect_tokens_bearer(((struct connect *)ctx)->tokens);
}

static void
authorize(const struct vl_remote_refusal *refusal,
          struct vl_remote_retry *retry, void *ctx)
{
    vl_connect_tokens_authorize(refusal, retry,
                                ((struct connect *)ctx)->tokens);
}

static void
worked(void *ctx)
{
    vl_connect_tokens_worked(((struct connect *)ctx)->tokens);
}

static void
stop(void *ctx)
{
    vl_life_stop(&((struct connect *)ctx)->life);
}

static struct vl_connect_tokens *
make_tokens(struct connect *connect)
{
    bool is_given = !vl_secret_is_empty(&connect->token);
    const struct vl_connect_tokens_config config = {
        .access =
            {
                .loop = connect->loop,
                .fetcher = connect->fetcher,
                .url = connect->url,
                .flow = is_given ? VL_ACCESS_GIVEN
                        : connect->client_credentials
                            ? VL_ACCESS_CLIENT_CREDENTIALS
                            : VL_ACCESS_PERSON,
                .client_id = connect->client_id,
                .client_issuer = connect->client_issuer,
                .client_secret = vl_secret_is_empty(&connect->secret)
                                     ? NULL
                                     : &connect->secret,
                .client_key_file = connect->client_key_file,
                .client_metadata_url = connect->client_metadata_url,
                .callback_port = (unsigned)connect->port,
                .callback_on_localhost =
                    connect->callback_host &&
                    strcmp(connect->callback_host, "localhost") == 0,
                .scope = connect->scope,
                .token = is_given ? &connect->token : NULL,
                .tell = tell,
                .ctx = connect,
            },
        .open = open_keep,
        .remind = remind,
        .ctx = connect,
    };
    /* A given token is kept nowhere. */
    connect->place.no_cache |= is_given;
    return vl_connect_tokens_new(&config);
}

static bool
has_token(void *ctx)
{
    return bearer(ctx) != NULL;
}

static void
on_answered(const char *why, void *ctx)
{
    struct connect *connect = ctx;
    connect->has_answered = !why;
    if (why)
        vl_complain("%s", why);
    stop(connect);
}

static valet_status
start_guest(struct connect *connect, valet_error *err)
{
    const struct vl_connect_guest_config config = {
        .loop = connect->loop,
        .has_token = has_token,
        .done = on_answered,
        .ctx = connect,
    };
    return connect->sign_in
               ? vl_connect_guest_new(&config, &connect->guest, err)
               : VALET_OK;
}

static valet_status
start(struct connect *connect, valet_error *err)
{
    VL_TRY(vl_loop_new(&connect->loop, err));
    connect->life =
        (struct vl_life){.loop = connect->loop, .drain = drain, .ctx = connect};
    VL_TRY(vl_life_watch(&connect->life, err));
    connect->fetcher = vl_fetcher_new_small(connect->loop);
    if (connect->ca_file)
        VL_TRY(vl_fetcher_trust(connect->fetcher, connect->ca_file, err));
    connect->tokens = make_tokens(connect);
    VL_TRY(start_guest(connect, err));
    int guest = connect->guest ? vl_connect_guest_fd(connect->guest) : -1;
    const struct vl_bridge_config config = {
        .loop = connect->loop,
        .fetcher = connect->fetcher,
        .url = connect->url,
        .in = connect->guest ? guest : 0,
        .out = connect->guest ? guest : 1,
        .timeout_ms = (int64_t)connect->seconds * 1000,
        .bearer = bearer,
        .authorize = authorize,
        .worked = worked,
        .note = connect->guest ? NULL : note, /* of eras and messages */
        .on_end = stop,
        .ctx = connect,
    };
    return vl_bridge_new(&config, &connect->bridge, err);
}

/* Asks those who come after us: what was got may not have been kept, which has
 * been told. */
static bool
is_kept(struct connect *connect)
{
    struct vl_connect_tokens *tokens = make_tokens(connect);
    bool ret = vl_connect_tokens_bearer(tokens) != NULL;
    vl_connect_tokens_free(tokens);
    return ret;
}

/* The bridge is gone, the tokens are not yet. */
static int
tell_end(struct connect *connect)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_TARGET);
    if (!connect->has_answered)
        return VL_EXIT_FAILED;
    if (!has_token(connect)) {
        vl_buf_addf(&text, "%s wants no sign-in.\n", connect->url);
    } else if (!is_kept(connect)) {
        vl_complain("signed in, but it could not be kept");
        return VL_EXIT_FAILED;
    } else {
        vl_buf_addf(&text, "Signed in to %s%s.\n", connect->url,
                    connect->was_asked || connect->client_credentials
                        ? ""
                        : " already");
    }
    return vl_print(&text);
}

static int
run(struct connect *connect)
{
    valet_error err = {0};
    valet_status status = start(connect, &err);
    if (status == VALET_OK)
        vl_loop_run(connect->loop);
    else
        vl_complain("%s", err.message);
    vl_bridge_free(connect->bridge);
    connect->bridge = NULL;
    int code =
        status == VALET_OK && connect->guest ? tell_end(connect) : VL_EXIT_OK;
    vl_connect_guest_free(connect->guest);
    vl_connect_tokens_free(connect->tokens);
    vl_fetcher_free(connect->fetcher);
    vl_loop_free(connect->loop);
    return status == VALET_OK        ? code
           : status == VALET_INVALID ? VL_EXIT_USAGE
                                     : VL_EXIT_FAILED;
}

static int
forget(struct connect *connect)
{
    vl_auto(vl_buf) lock = vl_buf_of(PATH_MAX);
    struct vl_keep *keep = NULL;
    valet_error err = {0};
    valet_status status =
        vl_connect_place_open(&connect->place, &keep, &lock, &err);
    if (status == VALET_OK)
        status = vl_access_forget(keep, connect->url, &err);
    if (status != VALET_OK)
        vl_complain("%s", status == VALET_NOT_FOUND && !err.message[0]
                              ? "nothing is kept of this server"
                              : err.message);
    vl_keep_close(keep);
    return status == VALET_OK ? VL_EXIT_OK : VL_EXIT_FAILED;
}

static int
begin(struct connect *connect)
{
    valet_error err = {0};
    const char *mistake = mistake_of(connect);
    if (mistake) {
        vl_complain("%s", mistake);
        return VL_EXIT_USAGE;
    }
    if (!read_number("--callback-port", connect->callback_port, 65535,
                     &connect->port) ||
        !read_number("--timeout", connect->timeout, TIMEOUT_MAX,
                     &connect->seconds))
        return VL_EXIT_USAGE;
    if (connect->forget)
        return forget(connect);
    if (read_token(connect, &err) == VALET_OK &&
        read_secret(connect->client_secret_file, &connect->secret, &err) ==
            VALET_OK)
        return run(connect);
    vl_complain("%s", err.message);
    return VL_EXIT_USAGE;
}

static int
connect(int argc, char **argv)
{
    struct connect connect = {.url = NULL};
    const struct vl_option options[] = {
        {.name = "", .value = &connect.url},
        {.name = "--client-id", .value = &connect.client_id},
        {.name = "--client-secret-file", .value = &connect.client_secret_file},
        {.name = "--client-key-file", .value = &connect.client_key_file},
        {.name = "--issuer", .value = &connect.client_issuer},
        {.name = "--client-metadata-url",
         .value = &connect.client_metadata_url},
        {.name = "--client-credentials", .flag = &connect.client_credentials},
        {.name = "--scope", .value = &connect.scope},
        {.name = "--callback-port", .value = &connect.callback_port},
        {.name = "--callback-host", .value = &connect.callback_host},
        {.name = "--token-file", .value = &connect.token_file},
        {.name = "--token-env", .value = &connect.token_env},
        {.name = "--cache-file", .value = &connect.place.cache_file},
        {.name = "--secret-service", .flag = &connect.place.secret_service},
        {.name = "--no-cache", .flag = &connect.place.no_cache},
        {.name = "--sign-in", .flag = &connect.sign_in},
        {.name = "--forget", .flag = &connect.forget},
        {.name = "--ca-file", .value = &connect.ca_file},
        {.name = "--timeout", .value = &connect.timeout},
        {.name = "--quiet", .flag = &connect.quiet},
    };
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)))
        return VL_EXIT_USAGE;
    int code = begin(&connect);
    vl_secret_done(&connect.secret);
    vl_secret_done(&connect.token);
    return code;
}

const struct vl_command vl_command_connect = {
    VL_LOCAL_CONNECT,
    .usage =
        "usage: mcp-valet connect URL [--client-id ID …] [--token-file FILE]\n"
        "                         [--cache-file FILE] …\n\n"
        "For an MCP client that speaks on standard input and output: reaches\n"
        "the server at URL (https, or http on this machine), whichever\n"
        "revision either speaks, and signs the person in with a browser when\n"
        "the server wants it. The sign-in is kept for all that connect to the\n"
        "server.\n\n"
        "Who we are there; without these options the server is asked to\n"
        "register a client:\n"
        "  --client-id ID              it is registered already …\n"
        "  --client-secret-file FILE   … with this secret …\n"
        "  --client-key-file FILE      … or this private key (PEM)\n"
        "  --issuer URL                the authorization server that knows it\n"
        "  --client-metadata-url URL   https; a document says who we are\n"
        "  --client-credentials        sign in as the client, without a "
        "person\n"
        "  --scope SCOPE               ask for these, separated by spaces\n"
        "  --callback-port PORT        the browser comes back there; else to "
        "a\n"
        "                              free one\n"
        "  --callback-host HOST        … and by this name: 127.0.0.1, the "
        "default,\n"
        "                              or localhost\n"
        "  --token-file FILE           send this token, and nothing else …\n"
        "  --token-env NAME            … or the one in this variable\n\n"
        "Where tokens are kept; without these options as mcp-valet login has\n"
        "remembered:\n"
        "  --cache-file FILE           in FILE.connect, encrypted, its key in\n"
        "                              FILE.connect.key "
        "(MCP_VALET_CACHE_FILE)\n"
        "  --secret-service            in the Secret Service, as is the "
        "default\n"
        "  --no-cache                  nowhere: gone with this process\n"
        "  --sign-in                   sign in now, and end: a client may not "
        "wait\n"
        "                              so long\n"
        "  --forget                    forget what is kept of this server, "
        "and\n"
        "                              end\n\n"
        "  --ca-file FILE              PEM, trusted besides the system's\n"
        "  --timeout SECONDS           give a request up after so long "
        "without\n"
        "                              news of it; 0, the default: never\n"
        "  --quiet                     say nothing on standard error but "
        "where\n"
        "                              to sign in, and mistakes\n\n"
        "Ends when standard input does. Exit codes: 0 ended, 1 failed, 2 "
        "usage\n"
        "or configuration.\n",
    .run = connect,
};
