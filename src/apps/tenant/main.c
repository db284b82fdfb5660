/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp-valet-tenant: a stand-in for Entra ID and Microsoft Graph that runs on
 * this machine alone, for people who have no tenant at hand, and for tests.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "apps/tenant/consent.h"
#include "apps/tenant/gate.h"
#include "apps/tenant/route.h"
#include "apps/tenant/secure.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/status.h"
#include "crypto/start.h"
#include "io/tls.h"

#define DEFAULT_LISTEN "127.0.0.1:3002"
#define CODES_MAX      20000
#define REFRESH_MAX    50000
#define SESSION_MAX    20000
/* A code that is typed is looked for by walking over them. */
#define DEVICE_MAX 1000

enum { EXIT_RUN = 1, EXIT_USAGE = 2 };

struct options {
    const char *listen, *https_listen, *data;
    bool describe, help, version, exit_with_stdin;
};

/* Where to listen. */
struct places {
    struct vl_listen http, https;
    bool has_http, has_https;
};

struct program {
    struct vl_tenant tenant;
    struct vl_tenant_gate http, https;
    struct vl_tenant_secure secure;
    struct vl_tls *tls;
    struct vl_watch *input;
    size_t draining;
};

static const struct vl_log error_log = {STDERR_FILENO, VL_LOG_INFO, false};

static const char help_text[] =
    "Usage: mcp-valet-tenant [OPTION]...\n"
    "A stand-in for Microsoft Entra ID and Microsoft Graph on this machine.\n"
    "\n"
    "  --listen HOST:PORT  where to listen, loopback only; port 0 takes a\n"
    "                      free one (default 127.0.0.1:3002, unless there\n"
    "                      is --https-listen)\n"
    "  --https-listen HOST:PORT\n"
    "                      the same with TLS, with a certificate of its own\n"
    "                      authority\n"
    "  --data FILE         YAML file with tenants, users, apps and faults in\n"
    "                      place of the built-in set\n"
    "  --describe          print tenants, users and apps as JSON, and end\n"
    "  --exit-with-stdin   end when standard input is closed\n"
    "  --help, --version   print this, or the version, and end\n"
    "\n"
    "When it is ready it prints one line of JSON: event, authority, tenant,\n"
    "graph; with --https-listen these are https, ca is the file of the\n"
    "authority's certificate, and http the plain address if there is one too.\n"
    "It ends on SIGTERM and SIGINT.\n";

static bool
read_flag(struct options *options, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--describe", &options->describe},
                 {"--exit-with-stdin", &options->exit_with_stdin},
                 {"--help", &options->help},
                 {"--version", &options->version}};
    for (size_t i = 0; i < VL_COUNT(flags); i++) {
        if (strcmp(name, flags[i].name) != 0)
            continue;
        *flags[i].flag = true;
        return true;
    }
    return false;
}

/* "--data FILE" and "--data=FILE" */
static bool
read_value(struct options *options, char **argv, int *at)
{
    const struct {
        const char *name;
        const char **value;
    } values[] = {{"--listen", &options->listen},
                  {"--https-listen", &options->https_listen},
                  {"--data", &options->data}};
    for (size_t i = 0; i < VL_COUNT(values); i++) {
        size_t n = strlen(values[i].name);
        if (strncmp(argv[*at], values[i].name, n) != 0)
            continue;
        if (argv[*at][n] == '=') {
            *values[i].value = argv[*at] + n + 1;
            return true;
        }
        if (argv[*at][n] || !argv[*at + 1])
            continue;
        *values[i].value = argv[++*at];
        return true;
    }
    return false;
}

static bool
read_options(struct options *options, char **argv)
{
    for (int at = 1; argv[at]; at++) {
        if (read_flag(options, argv[at]) || read_value(options, argv, &at))
            continue;
        (void)fprintf(stderr,
                      "mcp-valet-tenant: %s is not an option, or lacks its "
                      "value; see --help\n",
                      argv[at]);
        return false;
    }
    return true;
}

static void
count_drained(void *ctx)
{
    struct program *program = ctx;
    if (program->draining && --program->draining == 0)
        vl_loop_stop(program->tenant.loop);
}

static void
stop(struct program *program)
{
    if (program->draining)
        return;
    /* One too many until all have begun: some are done at once. */
    program->draining = 1;
    program->draining +=
        vl_tenant_gate_drain(&program->http, count_drained, program);
    program->draining +=
        vl_tenant_gate_drain(&program->https, count_drained, program);
    count_drained(program);
}

static void
on_signal(int signal, void *ctx)
{
    (void)signal;
    stop(ctx);
}

static void
on_input(int events, void *ctx)
{
    struct program *program = ctx;
    char ignored[256];
    (void)events;
    ssize_t n = read(STDIN_FILENO, ignored, sizeof ignored);
    if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
        return;
    vl_watch_free(program->input);
    program->input = NULL;
    stop(program);
}

static void
print_ready(struct program *program)
{
    bool secure = vl_buf_size(&program->https.origin) > 0;
    const struct vl_tenant_gate *gate =
        secure ? &program->https : &program->http;
    struct vl_str origin = vl_buf_str(&gate->origin);
    vl_auto(vl_buf) line = vl_buf_of(VL_LIMIT_DOCUMENT);
    vl_auto(vl_buf) tenant = vl_buf_of(VL_LIMIT_TARGET);
    vl_buf_add(&tenant, origin);
    vl_buf_addf(&tenant, "/%s", program->tenant.data->realms[0].id);
    struct vl_json_out json = {&line, false};
    vl_json_open(&json, '{');
    vl_json_add_z(&json, "event", "ready");
    vl_json_add_str(&json, "authority", origin);
    vl_json_add_str(&json, "tenant", vl_buf_str(&tenant));
    vl_json_add_str(&json, "graph", origin);
    if (secure)
        vl_json_add_str(&json, "ca", vl_buf_str(&program->secure.ca));
    if (secure && vl_buf_size(&program->http.origin))
        vl_json_add_str(&json, "http", vl_buf_str(&program->http.origin));
    vl_json_close(&json, '}');
    (void)printf("%s\n", vl_buf_cstr(&line));
    (void)fflush(stdout);
}

static valet_status
open_gates(struct program *program, const struct places *places,
           valet_error *err)
{
    if (places->has_http)
        VL_TRY(vl_tenant_gate_open(&program->http, &program->tenant,
                                   &places->http, NULL, err));
    if (places->has_https) {
        VL_TRY(vl_tenant_secure_init(&program->secure, err));
        VL_TRY(vl_tls_new(vl_buf_cstr(&program->secure.certificate),
                          vl_buf_cstr(&program->secure.key), &program->tls,
                          err));
        VL_TRY(vl_tenant_gate_open(&program->https, &program->tenant,
                                   &places->https, program->tls, err));
    }
    print_ready(program);
    return VALET_OK;
}

static valet_status
start(struct program *program, const struct options *options,
      const struct places *places, valet_error *err)
{
    struct vl_tenant *tenant = &program->tenant;
    const int signals[] = {SIGTERM, SIGINT};
    VL_TRY(vl_loop_new(&tenant->loop, err));
    VL_TRY(vl_tenant_keyset_init(&tenant->keys, err));
    for (size_t i = 0; i < VL_COUNT(signals); i++)
        VL_TRY(vl_loop_on_signal(tenant->loop, signals[i], on_signal, program,
                                 err));
    if (options->exit_with_stdin)
        program->input =
            vl_watch_new(tenant->loop, STDIN_FILENO, on_input, program);
    if (program->input)
        vl_watch_set(program->input, VL_WATCH_READ);
    return open_gates(program, places, err);
}

static void
init(struct program *program, struct vl_tenant_data *data)
{
    struct vl_tenant *tenant = &program->tenant;
    tenant->clock = &vl_clock_system;
    tenant->data = data;
    vl_list_init(&tenant->delays);
    vl_list_init(&tenant->consents);
    vl_tenant_shelf_init(&tenant->codes, CODES_MAX, "1.C", 48);
    vl_tenant_shelf_init(&tenant->refresh_tokens, REFRESH_MAX, "1.R", 64);
    vl_tenant_shelf_init(&tenant->sessions, SESSION_MAX, "", 32);
    vl_tenant_shelf_init(&tenant->devices, DEVICE_MAX, "1.D", 48);
}

static void
finish(struct program *program)
{
    struct vl_tenant *tenant = &program->tenant;
    vl_tenant_gate_close(&program->http);
    vl_tenant_gate_close(&program->https);
    vl_tenant_drop_delays(tenant);
    vl_watch_free(program->input);
    vl_loop_free(tenant->loop);
    vl_tls_free(program->tls);
    vl_tenant_secure_done(&program->secure);
    vl_tenant_consents_forget(tenant, NULL);
    vl_tenant_shelf_done(&tenant->codes);
    vl_tenant_shelf_done(&tenant->refresh_tokens);
    vl_tenant_shelf_done(&tenant->sessions);
    vl_tenant_shelf_done(&tenant->devices);
    vl_tenant_keyset_done(&tenant->keys);
    vl_tenant_data_free(tenant->data);
}

static int
serve(const struct options *options, struct vl_tenant_data *data,
      const struct places *places)
{
    struct program program = {.draining = 0};
    valet_error err = {0};
    init(&program, data);
    if (vl_http_raise_nofile(VL_TENANT_CONNECTIONS, &err) != VALET_OK)
        vl_log(&error_log, VL_LOG_WARN, "%s", err.message);
    valet_status status = start(&program, options, places, &err);
    if (status == VALET_OK)
        vl_loop_run(program.tenant.loop);
    else
        vl_log(&error_log, VL_LOG_ERROR, "%s", err.message);
    finish(&program);
    return status == VALET_OK ? 0 : EXIT_RUN;
}

static int
describe(struct vl_tenant_data *data)
{
    vl_auto(vl_buf) text = vl_buf_of(VL_LIMIT_CONFIG);
    vl_tenant_describe(data, &text);
    int printed = printf("%s\n", vl_buf_cstr(&text));
    vl_tenant_data_free(data);
    return printed > 1 && fflush(stdout) == 0 ? 0 : EXIT_RUN;
}

static valet_status
read_places(const struct options *options, struct places *ret, valet_error *err)
{
    struct places places = {.has_https = options->https_listen != NULL};
    const char *http = options->listen;
    if (!http && !places.has_https)
        http = DEFAULT_LISTEN;
    places.has_http = http != NULL;
    if (http)
        VL_TRY(vl_listen_parse(vl_str_z(http), &places.http, err));
    if (places.has_https)
        VL_TRY(vl_listen_parse(vl_str_z(options->https_listen), &places.https,
                               err));
    if ((places.has_http && !places.http.is_loopback) ||
        (places.has_https && !places.https.is_loopback))
        return vl_fail(err, VALET_INVALID, "",
                       "it has made-up passwords, so it listens on a loopback "
                       "address only");
    *ret = places;
    return VALET_OK;
}

static int
run(const struct options *options)
{
    struct places places;
    struct vl_tenant_data *data = NULL;
    valet_error err = {0};
    if (read_places(options, &places, &err) != VALET_OK ||
        vl_tenant_data_load(options->data, &data, &err) != VALET_OK) {
        (void)fprintf(stderr, "mcp-valet-tenant: %s\n", err.message);
        return EXIT_USAGE;
    }
    return options->describe ? describe(data) : serve(options, data, &places);
}

int
main(int argc, char **argv)
{
    struct options options = {.listen = NULL};
    (void)argc;
    vl_crypto_start();
    if (!read_options(&options, argv))
        return EXIT_USAGE;
    if (options.help)
        return fputs(help_text, stdout) < 0 ? EXIT_RUN : 0;
    if (options.version)
        return puts("mcp-valet-tenant " VALET_VERSION) < 0 ? EXIT_RUN : 0;
    return run(&options);
}
