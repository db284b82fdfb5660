/* SPDX-License-Identifier: Apache-2.0
 *
 * The server with TLS, and behind a proxy.
 */

#define _GNU_SOURCE /* memmem */
#include "vl_test_tls.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>

#include "http/fetch.h"
#include "server_rig.h"

/* --- TLS --- */

static struct vl_test_pair pair;
static struct vl_tls *tls;
static struct vl_test_client peer;
static char got[65536];
static size_t got_size;
static bool ok;

static void
open_secure(const struct vl_http_limits *limits)
{
    vl_test_pair_new(&pair, "a.example");
    assert_ok(vl_tls_new(pair.certificate, pair.key, &tls, NULL));
    rig_open(limits);
    vl_http_server_secure(rig.server, tls);
    got_size = 0;
}

static void
close_secure(void)
{
    rig_close();
    vl_tls_free(tls);
    vl_test_pair_done(&pair);
}

static void
play(void (*script)(struct vl_test_client *client))
{
    peer = (struct vl_test_client){
        .script = script, .loop = rig.loop, .port = rig.port};
    vl_test_client_start(&peer);
    vl_test_client_join(&peer);
}

static void
read_all(struct vl_test_client *client)
{
    int n;
    while (got_size < sizeof got - 1 &&
           (n = SSL_read(client->ssl, got + got_size,
                         (int)(sizeof got - 1 - got_size))) > 0)
        got_size += (size_t)n;
    got[got_size] = '\0';
}

static void
ask_twice_and_close(struct vl_test_client *client)
{
    ok = vl_test_connect(client) == 1 &&
         vl_test_say(client, GET("/one") POST("/two",
                                              "Content-Length: 5\r\n"
                                              "Connection: close\r\n",
                                              "hello"));
    read_all(client);
    ok = ok && (SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN);
    (void)SSL_shutdown(client->ssl);
}

static void
serves_over_tls_and_says_when_it_is_over(void **state)
{
    (void)state;
    open_secure(NULL);
    play(ask_twice_and_close);
    assert_true(ok);
    assert_non_null(strstr(got, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(got, "GET /one "));
    assert_non_null(strstr(got, "POST /two hello"));
    RIG_UNTIL(rig.server->connection_count == 0);
    close_secure();
}

static void
only_connect(struct vl_test_client *client)
{
    client->fd = vl_test_dial(client);
    ok = recv(client->fd, got, 1, 0) == 0;
}

static void
cuts_who_does_not_begin_the_handshake(void **state)
{
    (void)state;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.request_ms = 60;
    open_secure(&limits);
    play(only_connect);
    assert_true(ok);
    assert_int_equal(rig.handled, 0);
    close_secure();
}

static void
ask_in_clear(struct vl_test_client *client)
{
    client->fd = vl_test_dial(client);
    ok = send(client->fd, GET("/a"), strlen(GET("/a")), 0) > 0;
    ssize_t n = recv(client->fd, got, sizeof got, MSG_WAITALL);
    got_size = n > 0 ? (size_t)n : 0;
}

static void
answers_nobody_in_the_clear(void **state)
{
    (void)state;
    open_secure(NULL);
    play(ask_in_clear);
    assert_true(ok);
    assert_null(memmem(got, got_size, "HTTP", 4));
    assert_int_equal(rig.handled, 0);
    RIG_UNTIL(rig.server->connection_count == 0);
    close_secure();
}

static void
cut_half_a_request(struct vl_test_client *client)
{
    ok = vl_test_connect(client) == 1 &&
         vl_test_say(client, POST("/a", "Content-Length: 500\r\n", "half")) &&
         shutdown(client->fd, SHUT_WR) == 0;
    read_all(client);
}

static void
takes_no_half_request_for_a_whole_one(void **state)
{
    (void)state;
    open_secure(NULL);
    play(cut_half_a_request);
    assert_true(ok);
    assert_int_equal(rig.handled, 0);
    RIG_UNTIL(rig.server->connection_count == 0);
    close_secure();
}

/* --- as a server that is fetched from --- */

static valet_status fetched;
static int fetched_status;
static bool fetch_done;

static void
note_answer(valet_status status, const struct vl_fetch_answer *answer,
            const valet_error *err, void *ctx)
{
    (void)err;
    (void)ctx;
    fetched = status;
    fetched_status = answer ? answer->status : 0;
    fetch_done = true;
}

static valet_status
fetch_by(struct vl_fetcher *fetcher, const char *host, bool only_public)
{
    char url[64];
    (void)snprintf(url, sizeof url, "https://%s:%u/a", host, rig.port);
    fetch_done = false;
    (void)vl_fetch_start(fetcher,
                         &(struct vl_fetch_request){.method = "GET",
                                                    .url = url,
                                                    .only_public = only_public},
                         note_answer, NULL);
    RIG_UNTIL(fetch_done);
    return fetched;
}

/* Each time by a fetcher of its own: kept connections are not verified
 * again. */
static valet_status
fetch_with(const char *ca_file)
{
    struct vl_fetcher *fetcher = vl_fetcher_new(rig.loop);
    if (ca_file)
        assert_ok(vl_fetcher_trust(fetcher, ca_file, NULL));
    valet_status status = fetch_by(fetcher, "localhost", false);
    vl_fetcher_free(fetcher);
    return status;
}

/* A folder as OpenSSL looks roots up in: named by their subject's hash. */
static void
make_folder(struct vl_test_pair *other, char link[128])
{
    FILE *in = fopen(other->certificate, "re");
    assert_non_null(in);
    X509 *cert = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    (void)snprintf(link, 128, "%s/%08lx.0", other->folder,
                   X509_subject_name_hash(cert));
    X509_free(cert);
    assert_int_equal(symlink(other->certificate, link), 0);
}

static void
trusts_a_private_authority_besides_the_systems(void **state)
{
    (void)state;
    struct vl_test_pair other;
    struct vl_tls *second;
    char link[128];
    if (vl_fetch_available(NULL) != VALET_OK)
        skip();
    open_secure(NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    vl_test_pair_write(&pair, key, "localhost");
    assert_ok(vl_tls_reload(tls, NULL));
    assert_int_equal(fetch_with(NULL), VALET_RETRY);
    assert_ok(fetch_with(pair.certificate));
    assert_int_equal(fetched_status, 200);
    vl_test_pair_write(&pair, key, "a.example");
    EVP_PKEY_free(key);
    /* Now the server has a certificate that only the "system" knows. */
    vl_test_pair_new(&other, "localhost");
    assert_ok(vl_tls_new(other.certificate, other.key, &second, NULL));
    vl_http_server_secure(rig.server, second);
    assert_int_equal(fetch_with(pair.certificate), VALET_RETRY);
    make_folder(&other, link);
    assert_int_equal(setenv("SSL_CERT_DIR", other.folder, 1), 0);
    assert_ok(fetch_with(pair.certificate));
    assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
    assert_int_equal(setenv("SSL_CERT_FILE", other.certificate, 1), 0);
    assert_ok(fetch_with(pair.certificate));
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
    assert_int_equal(unlink(link), 0);
    close_secure();
    vl_tls_free(second);
    vl_test_pair_done(&other);
}

/* @spec SB-13: a connection that others have made is no way around. */
static void
a_kept_connection_is_guarded_too(void **state)
{
    (void)state;
    if (vl_fetch_available(NULL) != VALET_OK)
        skip();
    open_secure(NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    vl_test_pair_write(&pair, key, "a.localhost");
    EVP_PKEY_free(key);
    assert_ok(vl_tls_reload(tls, NULL));
    struct vl_fetcher *fetcher = vl_fetcher_new(rig.loop);
    assert_ok(vl_fetcher_trust(fetcher, pair.certificate, NULL));
    assert_ok(fetch_by(fetcher, "a.localhost", false));
    assert_int_equal(fetched_status, 200);
    assert_int_equal(rig.handled, 1);
    assert_int_equal(fetch_by(fetcher, "a.localhost", true), VALET_DENIED);
    assert_int_equal(rig.handled, 1);
    assert_ok(fetch_by(fetcher, "a.localhost", false));
    vl_fetcher_free(fetcher);
    close_secure();
}

static void
refuses_a_file_of_authorities_that_has_none(void **state)
{
    (void)state;
    valet_error err = {0};
    open_secure(NULL);
    struct vl_fetcher *fetcher = vl_fetcher_new(rig.loop);
    assert_int_equal(vl_fetcher_trust(fetcher, pair.key, &err), VALET_INVALID);
    assert_non_null(strstr(err.message, "no certificate"));
    assert_int_equal(vl_fetcher_trust(fetcher, "/nowhere.pem", &err),
                     VALET_NOT_FOUND);
    vl_fetcher_free(fetcher);
    close_secure();
}

static void
refuses_roots(const char *ca_file, const char *says)
{
    valet_error err = {0}, again = {0};
    struct vl_fetcher *fetcher = vl_fetcher_new(rig.loop);
    assert_int_equal(vl_fetcher_trust(fetcher, ca_file, &err), VALET_INVALID);
    assert_int_equal(vl_fetch_check_roots(ca_file, &again), VALET_INVALID);
    assert_string_equal(again.message, err.message);
    assert_non_null(strstr(err.message, says));
    vl_fetcher_free(fetcher);
}

/* libcurl would refuse all of it, at each request. */
static void
refuses_authorities_of_which_one_cannot_be_read(void **state)
{
    (void)state;
    struct vl_test_pair other;
    open_secure(NULL);
    vl_test_pair_new(&other, "localhost");
    assert_ok(vl_fetch_check_roots(pair.certificate, NULL));
    assert_int_equal(setenv("SSL_CERT_FILE", other.key, 1), 0);
    refuses_roots(pair.certificate, "SSL_CERT_FILE: ");
    assert_int_equal(setenv("CURL_CA_BUNDLE", other.certificate, 1), 0);
    assert_ok(vl_fetch_check_roots(pair.certificate, NULL));
    FILE *out = vl_test_open(other.certificate, 0644, "a");
    assert_true(fputs("-----BEGIN CERTIFICATE-----\nMIIB\n"
                      "-----END CERTIFICATE-----\n",
                      out) >= 0);
    fclose(out);
    refuses_roots(pair.certificate, "CURL_CA_BUNDLE: ");
    refuses_roots(other.certificate, "broken");
    assert_int_equal(unsetenv("CURL_CA_BUNDLE"), 0);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
    vl_test_pair_done(&other);
    close_secure();
}

/* --- proxies --- */

static struct vl_network proxy;
static char refused_peer[64], refused_why[64];
static int refusals;

static void
note_refusal(const char *who, const char *why, void *ctx)
{
    (void)ctx;
    refusals++;
    (void)snprintf(refused_peer, sizeof refused_peer, "%s", who);
    (void)snprintf(refused_why, sizeof refused_why, "%s", why);
}

static void
open_behind(const char *network, bool only, const struct vl_http_limits *limits)
{
    assert_true(vl_network_parse(vl_str_z(network), &proxy));
    rig_open(limits);
    refusals = 0;
    vl_http_server_trust(rig.server,
                         &(struct vl_http_trust){.proxies = &proxy,
                                                 .proxy_count = 1,
                                                 .proxies_only = only,
                                                 .refused = note_refusal});
}

#define VIA(value)                                                             \
    "GET /a HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: " value "\r\n\r\n"

static void
believes_a_proxy_whom_it_speaks_for_in_each_request(void **state)
{
    (void)state;
    struct client c;
    open_behind("127.0.0.0/8", false, NULL);
    client_open(&c);
    client_send(&c, VIA("192.0.2.1") VIA("192.0.2.2"));
    client_send(&c, GET("/own"));
    RIG_UNTIL(client_has(&c, "GET /own"));
    assert_true(client_has(&c, "X-Peer: 192.0.2.1\r\n"));
    assert_true(client_has(&c, "X-Peer: 192.0.2.2\r\n"));
    assert_true(client_has(&c, "X-Peer: 127.0.0.1\r\n"));
    client_close(&c);
    rig_close();
}

static void
lets_the_loopback_in_and_believes_it_nothing(void **state)
{
    (void)state;
    struct client c;
    open_behind("10.0.0.0/8", true, NULL); /* we come from the loopback */
    client_open(&c);
    client_send(&c, VIA("192.0.2.1"));
    RIG_UNTIL(client_has(&c, "X-Peer: 127.0.0.1\r\n"));
    client_close(&c);
    assert_int_equal(refusals, 0);
    rig_close();
}

static void
refuses_a_request_of_two_clients(void **state)
{
    (void)state;
    struct client c;
    open_behind("127.0.0.1", false, NULL);
    client_open(&c);
    client_send(&c, "GET /a HTTP/1.1\r\nHost: a.example\r\n"
                    "X-Forwarded-For: 192.0.2.1\r\n"
                    "Forwarded: for=192.0.2.2\r\n\r\n");
    RIG_UNTIL(c.ended);
    assert_true(client_has(&c, "HTTP/1.1 400 "));
    assert_int_equal(rig.handled, 0);
    assert_int_equal(refusals, 1);
    assert_string_equal(refused_why, "forwarded_twice");
    assert_string_equal(refused_peer, "127.0.0.1");
    client_close(&c);
    rig_close();
}

static void
counts_the_connections_of_a_proxy_in_all_alone(void **state)
{
    (void)state;
    struct vl_http_limits limits = VL_HTTP_LIMITS_DEFAULT;
    limits.connections_per_address = 1;
    limits.connections = 3;
    struct client c[4];
    open_behind("127.0.0.1", false, &limits);
    for (size_t i = 0; i < VL_COUNT(c); i++)
        client_open(&c[i]);
    RIG_UNTIL(c[3].ended);
    assert_true(client_has(&c[3], "HTTP/1.1 503 "));
    assert_int_equal(rig.server->connection_count, 3);
    for (size_t i = 0; i < VL_COUNT(c); i++)
        client_close(&c[i]);
    rig_close();
}

/* This machine's address on a network, if it is on one. */
static bool
find_address(char ret[VL_ADDRESS_SIZE])
{
    struct ifaddrs *all;
    bool found = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        struct sockaddr_in v4;
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
            continue;
        memcpy(&v4, i->ifa_addr, sizeof v4);
        found = inet_ntop(AF_INET, &v4.sin_addr, ret, VL_ADDRESS_SIZE) != NULL;
    }
    freeifaddrs(all);
    return found;
}

/* A connection from `address` to a loopback: to the server it is one from the
 * network, neither a loopback's nor the asked address's own. */
static int
dial_from(const char *address)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)rig.port);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void
lets_nobody_of_the_network_in_but_proxies(void **state)
{
    (void)state;
    char address[VL_ADDRESS_SIZE];
    if (!find_address(address))
        skip();
    open_behind("203.0.113.0/24", true, NULL);
    int fd = dial_from(address);
    RIG_UNTIL(refusals > 0);
    assert_string_equal(refused_why, "not_a_proxy");
    assert_string_equal(refused_peer, address);
    assert_int_equal(rig.server->connection_count, 0);
    RIG_UNTIL(recv(fd, got, 13, MSG_DONTWAIT) == 13);
    assert_memory_equal(got, "HTTP/1.1 403 ", 13);
    close(fd);
    /* The same, when it is a proxy's. */
    assert_true(vl_network_parse(vl_str_z(address), &proxy));
    fd = dial_from(address);
    RIG_UNTIL(rig.server->connection_count == 1);
    assert_int_equal(refusals, 1);
    close(fd);
    rig_close();
}

static void
lets_this_machine_in_by_the_address_it_listens_on(void **state)
{
    (void)state;
    char address[VL_ADDRESS_SIZE];
    if (!find_address(address))
        skip();
    struct client c = {.connecting = true, .got = vl_buf_of(4096)};
    open_behind("203.0.113.0/24", true, NULL);
    unsigned port;
    assert_ok(vl_http_server_listen(rig.server, address, 0, &port, NULL));
    assert_ok(vl_stream_connect(rig.loop, address, port, client_connected, &c,
                                NULL, NULL));
    RIG_UNTIL(c.stream);
    client_send(&c, GET("/a"));
    RIG_UNTIL(client_has(&c, "GET /a"));
    assert_int_equal(refusals, 0);
    client_close(&c);
    rig_close();
}

int
main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    /* The roots are those of the test. */
    (void)unsetenv("CURL_CA_BUNDLE");
    (void)unsetenv("SSL_CERT_FILE");
    (void)unsetenv("SSL_CERT_DIR");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_over_tls_and_says_when_it_is_over),
        cmocka_unit_test(cuts_who_does_not_begin_the_handshake),
        cmocka_unit_test(answers_nobody_in_the_clear),
        cmocka_unit_test(takes_no_half_request_for_a_whole_one),
        cmocka_unit_test(trusts_a_private_authority_besides_the_systems),
        cmocka_unit_test(a_kept_connection_is_guarded_too),
        cmocka_unit_test(refuses_a_file_of_authorities_that_has_none),
        cmocka_unit_test(refuses_authorities_of_which_one_cannot_be_read),
        cmocka_unit_test(believes_a_proxy_whom_it_speaks_for_in_each_request),
        cmocka_unit_test(lets_the_loopback_in_and_believes_it_nothing),
        cmocka_unit_test(refuses_a_request_of_two_clients),
        cmocka_unit_test(counts_the_connections_of_a_proxy_in_all_alone),
        cmocka_unit_test(lets_nobody_of_the_network_in_but_proxies),
        cmocka_unit_test(lets_this_machine_in_by_the_address_it_listens_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
