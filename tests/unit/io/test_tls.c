/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS as a peer of another make sees it: OpenSSL's client on a thread, our
 * stream on the loop of the test.
 */
#include "vl_test_tls.h"

#include <signal.h>

#include <openssl/x509v3.h>

#include "io/tcp.h"
#include "io/tls.h"

struct rig {
    struct vl_test_pair pair;
    struct vl_tls *tls;
    struct vl_loop *loop;
    struct vl_listener *listener;
    const struct vl_stream_events *events;
    struct vl_stream *stream; /* the last one accepted */
    struct vl_test_client client;
    int accepted, ends, drains;
    size_t received, reads, largest;
    size_t to_send, sent, most_waiting;
    valet_status end;
    bool in_order, greets, small; /* the kernel buffers little */
    char heard[128];
    /* What the client's script has seen. */
    bool ok, second_ok;
    int count;
    const char *note;
    char protocol[16];
};

static char
byte_at(size_t i)
{
    return (char)(i * 31 + i / 251);
}

static void
note_end(valet_status status, void *ctx)
{
    struct rig *rig = ctx;
    rig->ends++;
    rig->end = status;
    vl_stream_close(rig->stream);
    rig->stream = NULL;
    vl_loop_stop(rig->loop); /* for who runs it */
}

static void
take_note(struct rig *rig, struct vl_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] != byte_at(rig->received + i))
            rig->in_order = false;
        if (rig->received + i < sizeof rig->heard - 1)
            rig->heard[rig->received + i] = bytes.p[i];
    }
    rig->received += bytes.n;
    rig->reads++;
    if (bytes.n > rig->largest)
        rig->largest = bytes.n;
}

static void
echo(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    take_note(rig, bytes);
    vl_stream_write(rig->stream, bytes);
}

static const struct vl_stream_events echoing = {echo, note_end, NULL};

static void
on_accept(struct vl_stream *stream, void *ctx)
{
    struct rig *rig = ctx;
    rig->accepted++;
    rig->stream = stream;
    vl_stream_secure(stream, rig->tls);
    uv_os_fd_t fd;
    int little = 16384;
    if (rig->small && uv_fileno((uv_handle_t *)&stream->uv, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    if (rig->greets) {
        vl_stream_write(stream, VL_STR("welcome"));
        vl_stream_shutdown(stream);
    }
    vl_stream_attach(stream, rig->events, rig);
}

static void
open_rig(struct rig *rig, const struct vl_stream_events *events)
{
    memset(rig, 0, sizeof *rig);
    rig->in_order = true;
    rig->events = events;
    vl_test_pair_new(&rig->pair, "one");
    assert_ok(
        vl_tls_new(rig->pair.certificate, rig->pair.key, &rig->tls, NULL));
    assert_ok(vl_loop_new(&rig->loop, NULL));
    assert_ok(vl_listener_open(rig->loop, "127.0.0.1", 0, on_accept, rig,
                               &rig->listener, NULL));
}

static void
close_rig(struct rig *rig)
{
    if (rig->stream)
        vl_stream_close(rig->stream);
    vl_listener_close(rig->listener);
    vl_tls_free(rig->tls);
    vl_loop_free(rig->loop);
    vl_test_pair_done(&rig->pair);
}

static void
start(struct rig *rig, void (*script)(struct vl_test_client *client))
{
    rig->client = (struct vl_test_client){
        .script = script,
        .ctx = rig,
        .loop = rig->loop,
        .port = vl_listener_port(rig->listener),
    };
    vl_test_client_start(&rig->client);
}

static void
play(struct rig *rig, void (*script)(struct vl_test_client *client))
{
    start(rig, script);
    vl_test_client_join(&rig->client);
}

static void
wait_for_end(struct rig *rig)
{
    while (rig->ends == 0)
        vl_loop_step(rig->loop);
}

/* --- the handshake --- */

static void
connect_with(struct vl_test_client *client, int version)
{
    struct rig *rig = client->ctx;
    (void)SSL_CTX_set_max_proto_version(client->tls, version);
    (void)SSL_CTX_set_min_proto_version(client->tls, version);
    rig->ok = vl_test_connect(client) == 1 && vl_test_say(client, "hello") &&
              vl_test_hears(client, "hello") &&
              SSL_version(client->ssl) == version;
    if (rig->ok)
        rig->note = SSL_CIPHER_get_name(SSL_get_current_cipher(client->ssl));
}

static void
with_tls_1_3(struct vl_test_client *client)
{
    connect_with(client, TLS1_3_VERSION);
}

static void
with_tls_1_2(struct vl_test_client *client)
{
    connect_with(client, TLS1_2_VERSION);
}

static void
with_tls_1_1(struct vl_test_client *client)
{
    SSL_CTX_set_security_level(client->tls, 0); /* else it would not ask */
    connect_with(client, TLS1_1_VERSION);
}

static void
with_an_old_cipher(struct vl_test_client *client)
{
    (void)SSL_CTX_set_cipher_list(client->tls, "AES256-SHA256:AES128-GCM-SHA256"
                                               ":ECDHE-ECDSA-AES128-SHA256");
    connect_with(client, TLS1_2_VERSION);
}

static void
speaks_1_3_and_1_2_and_nothing_older(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    play(&rig, with_tls_1_3);
    assert_true(rig.ok);
    assert_string_equal(rig.note, "TLS_AES_128_GCM_SHA256");
    play(&rig, with_tls_1_2);
    assert_true(rig.ok);
    assert_non_null(strstr(rig.note, "ECDHE"));
    assert_non_null(strstr(rig.note, "GCM"));
    play(&rig, with_tls_1_1);
    assert_false(rig.ok);
    play(&rig, with_an_old_cipher);
    assert_false(rig.ok);
    assert_int_equal(rig.accepted, 4);
    close_rig(&rig);
}

static void
offer(struct vl_test_client *client, const char *protocols)
{
    struct rig *rig = client->ctx;
    const unsigned char *chosen;
    unsigned n = 0;
    if (protocols)
        (void)SSL_CTX_set_alpn_protos(client->tls,
                                      (const unsigned char *)protocols,
                                      (unsigned)strlen(protocols));
    rig->ok = vl_test_connect(client) == 1 && vl_test_say(client, "x") &&
              vl_test_hears(client, "x");
    if (!rig->ok)
        rig->count = ERR_GET_REASON(ERR_peek_last_error());
    SSL_get0_alpn_selected(client->ssl, &chosen, &n);
    (void)snprintf(rig->protocol, sizeof rig->protocol, "%.*s", (int)n,
                   n ? (const char *)chosen : "");
}

static void
offer_two(struct vl_test_client *client)
{
    offer(client, "\x02h2\x08http/1.1");
}

static void
offer_none(struct vl_test_client *client)
{
    offer(client, NULL);
}

static void
offer_another(struct vl_test_client *client)
{
    offer(client, "\x02h2");
}

/* RFC 7301 section 3.2 */
static void
agrees_on_http_1_1_or_says_that_there_is_no_protocol(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    play(&rig, offer_two);
    assert_true(rig.ok);
    assert_string_equal(rig.protocol, "http/1.1");
    play(&rig, offer_none);
    assert_true(rig.ok);
    assert_string_equal(rig.protocol, "");
    rig.ends = 0;
    play(&rig, offer_another);
    assert_false(rig.ok);
    assert_int_equal(rig.count, SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
    wait_for_end(&rig);
    assert_int_equal(rig.end, VALET_INVALID);
    close_rig(&rig);
}

/* --- tickets --- */

static SSL_SESSION *ticket;
static int tickets;

static int
keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    tickets++;
    return 1;
}

static bool
visit(struct vl_test_client *client)
{
    client->fd = vl_test_dial(client);
    client->ssl = SSL_new(client->tls);
    (void)SSL_set_fd(client->ssl, client->fd);
    if (ticket)
        (void)SSL_set_session(client->ssl, ticket);
    return SSL_connect(client->ssl) == 1 && vl_test_say(client, "x") &&
           vl_test_hears(client, "x");
}

static void
visit_twice(struct vl_test_client *client, int version)
{
    struct rig *rig = client->ctx;
    (void)SSL_CTX_set_max_proto_version(client->tls, version);
    (void)SSL_CTX_set_session_cache_mode(
        client->tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->tls, keep_ticket);
    ticket = NULL;
    tickets = 0;
    rig->ok = visit(client) && !SSL_session_reused(client->ssl);
    rig->count = tickets;
    (void)SSL_shutdown(client->ssl);
    vl_test_hang_up(client);
    rig->second_ok = visit(client) && SSL_session_reused(client->ssl);
    (void)SSL_shutdown(client->ssl);
    vl_test_hang_up(client);
    SSL_SESSION_free(ticket);
}

static void
visit_twice_1_3(struct vl_test_client *client)
{
    visit_twice(client, TLS1_3_VERSION);
}

static void
visit_twice_1_2(struct vl_test_client *client)
{
    visit_twice(client, TLS1_2_VERSION);
}

static void
resumes_by_the_one_ticket_it_gave(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    void (*const scripts[])(struct vl_test_client *) = {visit_twice_1_3,
                                                        visit_twice_1_2};
    for (size_t i = 0; i < VL_COUNT(scripts); i++) {
        play(&rig, scripts[i]);
        assert_true(rig.ok);
        assert_int_equal(rig.count, 1);
        assert_true(rig.second_ok);
    }
    close_rig(&rig);
}

/* --- files --- */

static void
expect_refused(struct rig *rig, const char *why)
{
    struct vl_tls *tls;
    valet_error err = {0};
    assert_int_not_equal(
        vl_tls_new(rig->pair.certificate, rig->pair.key, &tls, &err), VALET_OK);
    assert_non_null(strstr(err.message, why));
    assert_non_null(strstr(err.message, rig->pair.folder));
    assert_int_equal(ERR_peek_error(), 0);
}

static void
write_key(struct rig *rig, EVP_PKEY *key, const char *passphrase)
{
    FILE *out = vl_test_open(rig->pair.key, 0600, "w");
    const EVP_CIPHER *cipher = passphrase ? EVP_aes_128_cbc() : NULL;
    char copy[16] = "";
    (void)snprintf(copy, sizeof copy, "%s", passphrase ? passphrase : "");
    assert_int_equal(PEM_write_PrivateKey(out, key, cipher, NULL, 0, NULL,
                                          passphrase ? copy : NULL),
                     1);
    fclose(out);
}

static void
write_text(const char *path, const char *how, const char *text)
{
    FILE *out = vl_test_open(path, 0600, how);
    assert_true(fputs(text, out) >= 0);
    fclose(out);
}

static void
refuses_keys_that_are_not_right_or_not_secret(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    vl_test_pair_write(&rig.pair, key, "one");
    write_key(&rig, key, "sesame");
    expect_refused(&rig, "passphrase");
    EVP_PKEY *other = EVP_EC_gen("P-256");
    write_key(&rig, other, NULL);
    expect_refused(&rig, "not that of the certificate");
    EVP_PKEY_free(other);
    other = EVP_RSA_gen(2048);
    write_key(&rig, other, NULL);
    expect_refused(&rig, "not that of the certificate");
    EVP_PKEY_free(other);
    write_text(rig.pair.key, "w", "nothing\n");
    expect_refused(&rig, "no private key");
    write_key(&rig, key, NULL);
    assert_int_equal(chmod(rig.pair.key, 0640), 0);
    expect_refused(&rig, "key.pem");
    assert_int_equal(unlink(rig.pair.key), 0);
    expect_refused(&rig, "key.pem");
    EVP_PKEY_free(key);
    close_rig(&rig);
}

static void
refuses_certificates_that_are_none_or_too_weak(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    write_text(rig.pair.certificate, "a",
               "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
               "\n");
    expect_refused(&rig, "chain");
    write_text(rig.pair.certificate, "w", "nothing\n");
    expect_refused(&rig, "no certificate");
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    vl_test_pair_write(&rig.pair, weak, "one");
    expect_refused(&rig, "too weak");
    EVP_PKEY_free(weak);
    assert_int_equal(unlink(rig.pair.certificate), 0);
    expect_refused(&rig, "cert.pem");
    close_rig(&rig);
}

static void
note_name(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    rig->ok = vl_test_connect(client) == 1;
    X509 *cert = SSL_get1_peer_certificate(client->ssl);
    if (cert)
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
                                  rig->protocol, sizeof rig->protocol);
    X509_free(cert);
}

/* The first connection goes on over the reload. */
static void
talk_until_told(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    rig->ok = vl_test_connect(client) == 1 && vl_test_say(client, "x") &&
              vl_test_hears(client, "x");
    while (!vl_test_is_told_the_end(client))
        continue;
}

static void
takes_a_new_certificate_for_new_connections_and_keeps_the_old_on_trouble(
    void **state)
{
    (void)state;
    struct rig rig;
    valet_error err = {0};
    open_rig(&rig, &echoing);
    start(&rig, talk_until_told);
    while (rig.received == 0)
        vl_loop_step(rig.loop);
    struct vl_stream *old = rig.stream;
    write_text(rig.pair.key, "w", "nothing\n");
    assert_int_equal(vl_tls_reload(rig.tls, &err), VALET_INVALID);
    assert_non_null(strstr(err.message, "no private key"));
    struct rig second = {0}; /* a client of its own, on the same loop */
    second.client = (struct vl_test_client){.script = note_name,
                                            .ctx = &second,
                                            .loop = rig.loop,
                                            .port = rig.client.port};
    vl_test_client_start(&second.client);
    vl_test_client_join(&second.client);
    assert_true(second.ok);
    assert_string_equal(second.protocol, "one");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    vl_test_pair_write(&rig.pair, key, "two");
    EVP_PKEY_free(key);
    assert_ok(vl_tls_reload(rig.tls, NULL));
    vl_test_client_start(&second.client);
    vl_test_client_join(&second.client);
    assert_string_equal(second.protocol, "two");
    vl_stream_shutdown(old);
    vl_test_client_join(&rig.client);
    assert_true(rig.ok);
    close_rig(&rig);
}

/* As certbot has it: a renewal lets both links point elsewhere. */
static void
reads_what_its_links_point_to_when_it_is_told(void **state)
{
    (void)state;
    struct rig rig;
    struct vl_test_pair other;
    open_rig(&rig, &echoing);
    vl_test_pair_new(&other, "two");
    assert_int_equal(unlink(rig.pair.certificate), 0);
    assert_int_equal(unlink(rig.pair.key), 0);
    assert_int_equal(symlink(other.certificate, rig.pair.certificate), 0);
    assert_int_equal(symlink(other.key, rig.pair.key), 0);
    assert_ok(vl_tls_reload(rig.tls, NULL));
    play(&rig, note_name);
    assert_true(rig.ok);
    assert_string_equal(rig.protocol, "two");
    assert_int_equal(chmod(other.key, 0640), 0);
    expect_refused(&rig, "640");
    vl_test_pair_done(&other);
    close_rig(&rig);
}

/* A certificate with these names, good from and until so many seconds from
 * now, in place of the rig's. */
static void
write_certificate(struct rig *rig, const char *names, long from, long until)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = vl_test_certificate(key, "common.example");
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), from));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), until));
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *out = vl_test_open(rig->pair.certificate, 0644, "w");
    assert_int_equal(PEM_write_X509(out, cert), 1);
    fclose(out);
    write_key(rig, key, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
    assert_ok(vl_tls_reload(rig->tls, NULL));
}

static void
knows_whom_its_certificate_stands_for(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool covered;
    } cases[] = {{"mcp.example.com", true},
                 {"a.w.example", true},
                 {"127.0.0.1", true},
                 {"::1", true},
                 {"0:0:0:0:0:0:0:1", true},
                 {"common.example", false},
                 {"example.com", false},
                 {"a.b.w.example", false},
                 {"127.0.0.2", false},
                 {"localhost", false},
                 {"", false}};
    struct rig rig;
    open_rig(&rig, &echoing);
    write_certificate(&rig,
                      "DNS:mcp.example.com,DNS:*.w.example,IP:127.0.0.1,IP:::1",
                      -60, 60);
    for (size_t i = 0; i < VL_COUNT(cases); i++)
        if (vl_tls_covers(rig.tls, cases[i].host) != cases[i].covered)
            fail_msg("%s", cases[i].host);
    assert_int_equal(ERR_peek_error(), 0);
    close_rig(&rig);
}

static void
knows_when_its_certificate_is_out_of_date(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    write_certificate(&rig, "DNS:a.example", -60, 60);
    assert_null(vl_tls_out_of_date(rig.tls));
    write_certificate(&rig, "DNS:a.example", -120, -60);
    assert_string_equal(vl_tls_out_of_date(rig.tls), "has expired");
    write_certificate(&rig, "DNS:a.example", 60, 120);
    assert_string_equal(vl_tls_out_of_date(rig.tls), "is not valid yet");
    close_rig(&rig);
}

/* --- ends --- */

static void
speak_http(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    char got[256];
    client->fd = vl_test_dial(client);
    rig->ok = send(client->fd, "GET / HTTP/1.1\r\n\r\n", 18, 0) == 18;
    while (recv(client->fd, got, sizeof got, 0) > 0)
        continue;
}

static void
ends_when_bytes_are_no_tls(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    play(&rig, speak_http);
    assert_true(rig.ok);
    wait_for_end(&rig);
    assert_int_equal(rig.end, VALET_INVALID);
    assert_int_equal(rig.received, 0);
    close_rig(&rig);
}

static void
say_and_notify(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    rig->ok = vl_test_connect(client) == 1 && vl_test_say(client, "half") &&
              SSL_shutdown(client->ssl) >= 0 && vl_test_hears(client, "half");
}

static void
say_and_hang_up(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    rig->ok = vl_test_connect(client) == 1 && vl_test_say(client, "half") &&
              vl_test_hears(client, "half");
    /* Without the unread ticket a close would be a reset. */
    (void)shutdown(client->fd, SHUT_WR);
}

static void
tells_an_end_from_a_cut(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    play(&rig, say_and_notify);
    wait_for_end(&rig);
    assert_true(rig.ok);
    assert_int_equal(rig.end, VALET_OK);
    rig.ends = 0;
    play(&rig, say_and_hang_up);
    wait_for_end(&rig);
    assert_true(rig.ok);
    assert_int_equal(rig.end, VALET_RETRY);
    assert_string_equal(rig.heard, "halfhalf");
    close_rig(&rig);
}

static void
answer_and_shut(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    bool first = rig->received == 0;
    take_note(rig, bytes);
    if (!first)
        return;
    vl_stream_write(rig->stream, VL_STR("bye"));
    vl_stream_shutdown(rig->stream);
    vl_stream_write(rig->stream, VL_STR("too late"));
}

static const struct vl_stream_events answering = {answer_and_shut, note_end,
                                                  NULL};

static void
go_on_after_the_end(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    rig->ok = vl_test_connect(client) == 1 && vl_test_say(client, "hello") &&
              vl_test_hears(client, "bye") && vl_test_is_told_the_end(client) &&
              vl_test_say(client, " more") && SSL_shutdown(client->ssl) >= 0;
}

static void
says_that_it_has_ended_and_still_listens(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &answering);
    play(&rig, go_on_after_the_end);
    wait_for_end(&rig);
    assert_true(rig.ok);
    assert_string_equal(rig.heard, "hello more");
    assert_int_equal(rig.end, VALET_OK);
    close_rig(&rig);
}

static void
hear_welcome(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    rig->ok = vl_test_connect(client) == 1 &&
              vl_test_hears(client, "welcome") &&
              vl_test_is_told_the_end(client);
    (void)SSL_shutdown(client->ssl);
}

static void
note_drain(void *ctx)
{
    struct rig *rig = ctx;
    rig->drains++;
}

static const struct vl_stream_events draining = {echo, note_end, note_drain};

static void
keeps_what_is_written_before_the_handshake_until_it_is_over(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &draining);
    rig.greets = true;
    start(&rig, hear_welcome);
    while (!rig.stream)
        vl_loop_step(rig.loop);
    assert_int_equal(vl_stream_waiting(rig.stream), 7);
    assert_null(vl_stream_detach(rig.stream, (struct vl_str){0}));
    vl_test_client_join(&rig.client);
    assert_true(rig.ok);
    assert_int_equal(rig.drains, 1);
    wait_for_end(&rig);
    assert_int_equal(rig.end, VALET_OK);
    close_rig(&rig);
}

static void
send_half_a_hello(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    client->fd = vl_test_dial(client);
    /* A record of 512 bytes, of which 12 come. */
    rig->ok =
        send(client->fd, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00", 12,
             0) == 12;
}

static void
waits_silently_for_a_peer_that_stalls_in_the_handshake(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    start(&rig, send_half_a_hello);
    while (!rig.client.done)
        vl_loop_step(rig.loop);
    assert_int_equal(rig.ends + (int)rig.reads, 0);
    assert_int_equal(vl_stream_waiting(rig.stream), 0);
    vl_stream_close(rig.stream); /* what a time-out does */
    rig.stream = NULL;
    vl_test_client_join(&rig.client);
    close_rig(&rig);
}

/* --- what peers try --- */

static void
renegotiate(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    (void)SSL_CTX_set_max_proto_version(client->tls, TLS1_2_VERSION);
    rig->ok = vl_test_connect(client) == 1;
    (void)SSL_renegotiate(client->ssl);
    rig->second_ok = SSL_do_handshake(client->ssl) == 1 &&
                     vl_test_say(client, "x") && vl_test_hears(client, "x");
}

static void
does_not_renegotiate(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    play(&rig, renegotiate);
    assert_true(rig.ok);
    assert_false(rig.second_ok);
    close_rig(&rig);
}

static void
demand_keys(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    client->receive_buffer = 32768;
    rig->ok = vl_test_connect(client) == 1;
    /* It reads no answer. */
    for (rig->count = 0; rig->count < 1000000; rig->count++)
        if (SSL_key_update(client->ssl, SSL_KEY_UPDATE_REQUESTED) != 1 ||
            SSL_do_handshake(client->ssl) != 1)
            break;
}

static void
ends_a_peer_that_asks_for_keys_and_takes_none(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &echoing);
    rig.small = true;
    play(&rig, demand_keys);
    assert_true(rig.ok);
    assert_true(rig.count < 1000000);
    wait_for_end(&rig);
    assert_int_equal(rig.end, VALET_INVALID);
    close_rig(&rig);
}

/* --- much --- */

#define MUCH  ((size_t)8 * 1024 * 1024)
#define HIGH  ((size_t)256 * 1024)
#define PIECE ((size_t)40000)

static void
produce(struct rig *rig)
{
    char piece[PIECE];
    while (rig->sent < rig->to_send && vl_stream_waiting(rig->stream) < HIGH) {
        size_t n = rig->to_send - rig->sent;
        n = n < PIECE ? n : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(rig->sent + i);
        vl_stream_write(rig->stream, vl_str_of(piece, n));
        rig->sent += n;
        size_t waiting = vl_stream_waiting(rig->stream);
        if (waiting > rig->most_waiting)
            rig->most_waiting = waiting;
    }
    if (rig->sent == rig->to_send)
        vl_stream_shutdown(rig->stream);
}

static void
produce_at_first(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    (void)bytes;
    rig->to_send = MUCH;
    produce(rig);
}

static void
produce_more(void *ctx)
{
    struct rig *rig = ctx;
    rig->drains++;
    produce(rig);
}

static const struct vl_stream_events producing = {produce_at_first, note_end,
                                                  produce_more};

static void
read_slowly(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    char got[8192];
    size_t have = 0;
    int n;
    client->receive_buffer = 32768;
    bool in_order = vl_test_connect(client) == 1 && vl_test_say(client, "go");
    while ((n = SSL_read(client->ssl, got, sizeof got)) > 0) {
        for (size_t i = 0; i < (size_t)n; i++)
            in_order = in_order && got[i] == byte_at(have + i);
        have += (size_t)n;
        if (have % (1024 * 1024) < sizeof got)
            usleep(2000);
    }
    rig->ok = in_order && have == MUCH &&
              SSL_get_error(client->ssl, n) == SSL_ERROR_ZERO_RETURN;
    (void)SSL_shutdown(client->ssl);
}

static void
sends_much_to_a_slow_reader_with_little_waiting(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &producing);
    rig.small = true;
    play(&rig, read_slowly);
    wait_for_end(&rig);
    assert_true(rig.ok);
    assert_int_equal(rig.end, VALET_OK);
    assert_true(rig.drains > 0);
    assert_true(rig.most_waiting < HIGH + PIECE + 1024);
    close_rig(&rig);
}

static void
take_and_pause(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    take_note(rig, bytes);
    vl_stream_pause(rig->stream);
    rig->count++; /* on_read is not called again before it is reset */
    assert_int_equal(rig->count, 1);
    vl_loop_stop(rig->loop);
}

static const struct vl_stream_events pausing = {take_and_pause, note_end, NULL};

static void
send_much(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    char piece[PIECE];
    rig->ok = vl_test_connect(client) == 1;
    for (size_t sent = 0; rig->ok && sent < MUCH; sent += PIECE) {
        size_t n = MUCH - sent < PIECE ? MUCH - sent : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(sent + i);
        rig->ok = SSL_write(client->ssl, piece, (int)n) == (int)n;
    }
    (void)SSL_shutdown(client->ssl);
}

static void
stops_at_once_when_it_is_paused_and_loses_nothing(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &pausing);
    start(&rig, send_much);
    while (rig.ends == 0) {
        rig.count = 0;
        if (rig.stream)
            vl_stream_resume(rig.stream);
        vl_loop_run(rig.loop);
    }
    vl_test_client_join(&rig.client);
    assert_true(rig.ok);
    assert_true(rig.in_order);
    assert_int_equal(rig.received, MUCH);
    assert_int_equal(rig.end, VALET_OK);
    assert_true(rig.largest <= 16384);
    close_rig(&rig);
}

/* --- moving --- */

/* Several records in one segment. */
static bool
say_at_once(struct vl_test_client *client, const char *const *texts, size_t n)
{
    BIO *network = SSL_get_wbio(client->ssl), *memory = BIO_new(BIO_s_mem());
    (void)BIO_up_ref(network);
    SSL_set0_wbio(client->ssl, memory);
    for (size_t i = 0; i < n; i++)
        (void)vl_test_say(client, texts[i]);
    char *all;
    long size = BIO_get_mem_data(memory, &all);
    bool sent = send(client->fd, all, (size_t)size, 0) == size;
    SSL_set0_wbio(client->ssl, network);
    return sent;
}

static void
say_three_at_once(struct vl_test_client *client)
{
    struct rig *rig = client->ctx;
    static const char *const texts[] = {"abcd", "efgh", "ijkl"};
    rig->ok = vl_test_connect(client) == 1 &&
              say_at_once(client, texts, VL_COUNT(texts)) &&
              vl_test_hears(client, "cdefghijkl") &&
              vl_test_say(client, "mnop") && vl_test_hears(client, "mnop");
    (void)SSL_shutdown(client->ssl);
}

struct move {
    struct rig *rig;
    struct vl_loop *loop;
    pthread_t thread;
    struct vl_task adopt, stop;
    struct vl_parcel *parcel;
    struct vl_stream *stream;
    int ends;
    valet_status end;
};

static struct move move;

static void
echo_there(struct vl_str bytes, void *ctx)
{
    (void)ctx;
    vl_stream_write(move.stream, bytes);
}

static void
end_there(valet_status status, void *ctx)
{
    (void)ctx;
    move.ends++;
    move.end = status;
    vl_stream_close(move.stream);
    vl_loop_stop(move.loop);
}

static const struct vl_stream_events echoing_there = {echo_there, end_there,
                                                      NULL};

static void
adopt_there(struct vl_task *task)
{
    (void)task;
    move.stream = vl_stream_adopt(move.loop, move.parcel);
    vl_stream_attach(move.stream, &echoing_there, NULL);
}

/* Uses two bytes of the first record; two records are not decrypted yet. */
static void
hand_over(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    take_note(rig, bytes);
    move.parcel = vl_stream_detach(rig->stream, vl_str_from(bytes, 2));
    assert_non_null(move.parcel);
    rig->stream = NULL;
    move.adopt.run = adopt_there;
    vl_loop_post(move.loop, &move.adopt);
}

static const struct vl_stream_events handing_over = {hand_over, note_end, NULL};

static void *
run_there(void *ctx)
{
    (void)ctx;
    vl_loop_run(move.loop);
    return NULL;
}

static void
goes_on_in_another_thread_with_all_that_came(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &handing_over);
    move = (struct move){.rig = &rig};
    assert_ok(vl_loop_new(&move.loop, NULL));
    assert_int_equal(pthread_create(&move.thread, NULL, run_there, NULL), 0);
    play(&rig, say_three_at_once);
    assert_int_equal(pthread_join(move.thread, NULL), 0);
    assert_true(rig.ok);
    assert_int_equal(rig.reads, 1);
    assert_int_equal(rig.ends, 0);
    assert_int_equal(move.ends, 1);
    assert_int_equal(move.end, VALET_OK);
    vl_loop_free(move.loop);
    close_rig(&rig);
}

static void
pause_first(struct vl_str bytes, void *ctx)
{
    struct rig *rig = ctx;
    take_note(rig, bytes);
    vl_stream_pause(rig->stream);
}

static const struct vl_stream_events pausing_first = {pause_first, note_end,
                                                      NULL};

static void
moves_while_it_is_paused_with_records_waiting(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &pausing_first);
    start(&rig, say_three_at_once);
    while (rig.reads == 0)
        vl_loop_step(rig.loop);
    for (int i = 0; i < 2; i++) {
        struct vl_parcel *parcel =
            vl_stream_detach(rig.stream, i ? (struct vl_str){0} : VL_STR("cd"));
        assert_non_null(parcel);
        rig.stream = vl_stream_adopt(rig.loop, parcel);
        assert_non_null(rig.stream);
    }
    vl_stream_attach(rig.stream, &echoing, &rig);
    vl_test_client_join(&rig.client);
    assert_true(rig.ok);
    assert_string_equal(rig.heard, "abcdcdefghijklmnop");
    close_rig(&rig);
}

static void
sends_no_end_when_nobody_adopts_it(void **state)
{
    (void)state;
    struct rig rig;
    open_rig(&rig, &pausing_first);
    start(&rig, say_three_at_once);
    while (rig.reads == 0)
        vl_loop_step(rig.loop);
    vl_parcel_free(vl_stream_detach(rig.stream, VL_STR("cd")));
    rig.stream = NULL;
    vl_test_client_join(&rig.client);
    assert_false(rig.ok);
    close_rig(&rig);
}

int
main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_1_3_and_1_2_and_nothing_older),
        cmocka_unit_test(agrees_on_http_1_1_or_says_that_there_is_no_protocol),
        cmocka_unit_test(resumes_by_the_one_ticket_it_gave),
        cmocka_unit_test(refuses_keys_that_are_not_right_or_not_secret),
        cmocka_unit_test(refuses_certificates_that_are_none_or_too_weak),
        cmocka_unit_test(
            takes_a_new_certificate_for_new_connections_and_keeps_the_old_on_trouble),
        cmocka_unit_test(reads_what_its_links_point_to_when_it_is_told),
        cmocka_unit_test(knows_whom_its_certificate_stands_for),
        cmocka_unit_test(knows_when_its_certificate_is_out_of_date),
        cmocka_unit_test(ends_when_bytes_are_no_tls),
        cmocka_unit_test(tells_an_end_from_a_cut),
        cmocka_unit_test(says_that_it_has_ended_and_still_listens),
        cmocka_unit_test(
            keeps_what_is_written_before_the_handshake_until_it_is_over),
        cmocka_unit_test(
            waits_silently_for_a_peer_that_stalls_in_the_handshake),
        cmocka_unit_test(does_not_renegotiate),
        cmocka_unit_test(ends_a_peer_that_asks_for_keys_and_takes_none),
        cmocka_unit_test(sends_much_to_a_slow_reader_with_little_waiting),
        cmocka_unit_test(stops_at_once_when_it_is_paused_and_loses_nothing),
        cmocka_unit_test(goes_on_in_another_thread_with_all_that_came),
        cmocka_unit_test(moves_while_it_is_paused_with_records_waiting),
        cmocka_unit_test(sends_no_end_when_nobody_adopts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
