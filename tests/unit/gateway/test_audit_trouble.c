/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk that is full (played by the limit of file sizes), and what the
 * operator's log says of it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/sys.h"
#include "gateway/gateway.h"
#include "vl_test.h"

static const char *
environment(const char *name)
{
    return strcmp(name, "SECRET") == 0 ? "not-a-secret-of-anybody" : NULL;
}

static size_t
count_in_log(int fd, const char *text)
{
    static char log[65536];
    ssize_t n = pread(fd, log, sizeof log - 1, 0);
    assert_true(n >= 0);
    log[n] = '\0';
    size_t found = 0;
    for (const char *p = log; (p = strstr(p, text)); p++)
        found++;
    return found;
}

/* Runs the loop until the log says so. */
static void
await(struct vl_loop *loop, int fd, const char *text)
{
    int64_t end = vl_mono_now() + 10000;
    while (!count_in_log(fd, text)) {
        assert_true(vl_mono_now() < end);
        vl_loop_step(loop);
    }
}

static void
limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* @spec S-98 */
static void
tells_once_that_the_trail_fails_and_once_that_it_is_well(void **state)
{
    (void)state;
    char folder[] = "/tmp/valet-gateway-XXXXXX", path[64], config[1024];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/audit.log", folder);
    (void)snprintf(config, sizeof config,
                   "listen: \"localhost:0\"\n"
                   "audit: {path: %s}\n"
                   "entra:\n"
                   "  tenant_id: 11111111-1111-1111-1111-111111111111\n"
                   "  client_id: 22222222-2222-2222-2222-222222222222\n"
                   "  client_secret_env: SECRET\n"
                   "  authority_host: http://127.0.0.1:9\n"
                   "  graph_url: http://127.0.0.1:9\n"
                   "servers: {graph: {builtin: graph}}\n",
                   path);
    char log_path[64];
    (void)snprintf(log_path, sizeof log_path, "%s/log", folder);
    int fd = open(log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    struct vl_log log = {fd, VL_LOG_WARN, false};
    struct vl_gateway_options options = {.in_memory = true, .log = &log};
    struct vl_conf *conf = NULL;
    struct vl_loop *loop = NULL;
    struct vl_gateway *gateway = NULL;
    assert_ok(
        vl_conf_parse("test", vl_str_z(config), environment, &conf, NULL));
    options.conf = conf;
    assert_ok(vl_loop_new(&loop, NULL));
    assert_ok(vl_gateway_new(loop, &options, &gateway, NULL));

    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(truncate(path, 65536), 0);
    limit_files(65536 - 1);
    await(loop, fd, "cannot be written");
    for (int i = 0; i < 5; i++)
        vl_loop_step(loop);
    assert_int_equal(count_in_log(fd, "cannot be written"), 1);
    limit_files(RLIM_INFINITY);
    await(loop, fd, "is written again");
    assert_int_equal(count_in_log(fd, "cannot be written"), 1);
    assert_int_equal(count_in_log(fd, "is written again"), 1);

    vl_gateway_free(gateway);
    vl_loop_free(loop);
    vl_conf_free(conf);
    (void)close(fd);
    (void)unlink(path);
    (void)unlink(log_path);
    (void)rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            tells_once_that_the_trail_fails_and_once_that_it_is_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
