/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client and a request may be: each wrong combination is refused, with
 * the option's name in the sentence.
 */
#include "vl_test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "client/client.h"

#define TENANT "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER  "cccccccc-0000-4000-8000-000000000003"
#define CLIENT "dddddddd-0000-4000-8000-000000000004"

static const char *const scopes[] = {"User.Read", NULL};

static valet_status
no_assertion(const valet_assertion_about *about, char *ret, size_t size,
             void *ctx, valet_error *err)
{
    (void)about, (void)ret, (void)size, (void)ctx, (void)err;
    return VALET_RETRY;
}

#define PUBLIC_OPTIONS                                                         \
    .kind = VALET_CLIENT_PUBLIC, .client_id = CLIENT, .tenant = TENANT
#define SERVICE_OPTIONS                                                        \
    .kind = VALET_CLIENT_CONFIDENTIAL, .client_id = CLIENT, .tenant = TENANT

/* @spec S-04 S-22 S-29 */
static void
a_wrong_option_is_named(void **state)
{
    (void)state;
    static const char *const none[] = {NULL}, *const names[] = {"a.example",
                                                                NULL};
    char long_text[2000];
    (void)memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    const char *const too_much[] = {long_text, long_text, NULL};
    const struct {
        valet_client_options options;
        const char *says;
    } cases[] = {
        {{PUBLIC_OPTIONS, .capabilities = too_much}, "capabilities"},
        {{.client_id = CLIENT, .tenant = TENANT}, "kind"},
        {{.kind = 7, .client_id = CLIENT, .tenant = TENANT}, "kind"},
        {{.kind = VALET_CLIENT_PUBLIC, .tenant = TENANT}, "client_id"},
        {{.kind = VALET_CLIENT_PUBLIC, .client_id = "", .tenant = TENANT},
         "client_id"},
        {{.kind = VALET_CLIENT_PUBLIC, .client_id = CLIENT}, "tenant"},
        {{PUBLIC_OPTIONS, .tenants = none}, "tenants"},
        {{PUBLIC_OPTIONS, .tenants = names}, "tenants"},
        {{PUBLIC_OPTIONS, .cache = 9}, "cache"},
        {{PUBLIC_OPTIONS, .cache = VALET_CACHE_FILE}, "cache_file"},
        {{PUBLIC_OPTIONS, .cache_file = "/tmp/x"}, "cache_file"},
        {{SERVICE_OPTIONS, .client_secret = "s", .cache_name = "x"},
         "cache_name"},
        {{PUBLIC_OPTIONS, .cache_name = "../x"}, "cache_name"},
        {{SERVICE_OPTIONS, .client_secret = ""}, "client_secret"},
        {{SERVICE_OPTIONS, .certificate_file = "/nowhere/cert.pem"},
         "certificate_file"},
        {{PUBLIC_OPTIONS, .ca_file = "/nowhere/ca.pem"}, "/nowhere/ca.pem"},
        {{PUBLIC_OPTIONS, .later[7] = (void *)"x"}, "later"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        valet_client *client = NULL;
        valet_error err = {.status = VALET_OK};
        assert_int_not_equal(valet_client_new(&cases[i].options, &client, &err),
                             VALET_OK);
        assert_null(client);
        if (!strstr(err.message, cases[i].says))
            fail_msg("case %zu: %s", i, err.message);
    }
}

/* @spec S-04 */
static void
a_credential_belongs_to_a_confidential_client_and_to_it_alone(void **state)
{
    (void)state;
    const struct {
        valet_client_options options;
        const char *code;
    } cases[] = {
        {{PUBLIC_OPTIONS, .client_secret = "s"}, "public_client_credential"},
        {{PUBLIC_OPTIONS, .certificate_file = "c"}, "public_client_credential"},
        {{PUBLIC_OPTIONS, .assertion = no_assertion},
         "public_client_credential"},
        {{SERVICE_OPTIONS}, "no_credential"},
        {{SERVICE_OPTIONS, .client_secret = "s", .certificate_file = "c"},
         "several_credentials"},
        {{SERVICE_OPTIONS, .client_secret = "s", .assertion = no_assertion},
         "several_credentials"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        valet_client *client = NULL;
        valet_error err = {.status = VALET_OK};
        assert_int_equal(valet_client_new(&cases[i].options, &client, &err),
                         VALET_INVALID);
        assert_string_equal(err.code, cases[i].code);
    }
}

/* @spec S-25 */
static void
a_client_is_born_without_network_or_thread(void **state)
{
    (void)state;
    valet_client *client = NULL;
    const valet_client_options options = {
        PUBLIC_OPTIONS, .authority_host = "https://login.microsoftonline.com"};
    assert_ok(valet_client_new(&options, &client, NULL));
    assert_null(client->engine);
    valet_client_free(client);
    valet_client_free(NULL);
}

static void
a_wrong_request_is_named(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL}, *const spaced[] = {"a  b",
                                                                    NULL};
    static const char *const app[] = {"api://x/.default", NULL},
                             *const two[] = {"api://x/.default",
                                             "api://y/.default", NULL};
    const struct {
        bool service;
        valet_request request;
        const char *says;
    } cases[] = {
        {.request = {.scopes = NULL}, .says = "scopes"},
        {.request = {.scopes = scopes, .later[7] = (void *)"x"},
         .says = "later"},
        {.request = {.scopes = nothing}, .says = "scopes"},
        {.request = {.scopes = spaced}, .says = "scopes"},
        {.request = {.flow = 9, .scopes = scopes}, .says = "flow"},
        {.request = {.scopes = scopes, .account = ""}, .says = "account"},
        {.request = {.scopes = scopes, .tenant = "a.example"},
         .says = "tenant"},
        {.request = {.scopes = scopes, .tenant = OTHER}, .says = "tenant"},
        {.request = {.scopes = scopes, .prompt = "login"}, .says = "flow"},
        {.request = {.scopes = scopes, .methods = VALET_METHOD_BROWSER},
         .says = "flow"},
        {.request = {.scopes = scopes, .assertion = "a.b.c"},
         .says = "assertion"},
        {.request = {.flow = VALET_FLOW_APP, .scopes = app}, .says = "flow"},
        {.request = {.flow = VALET_FLOW_ON_BEHALF_OF,
                     .scopes = scopes,
                     .assertion = "a.b.c"},
         .says = "flow"},
        {.service = true,
         .request = {.flow = VALET_FLOW_SIGN_IN, .scopes = scopes},
         .says = "flow"},
        {.service = true,
         .request = {.flow = VALET_FLOW_APP, .scopes = scopes},
         .says = "scopes"},
        {.service = true,
         .request = {.flow = VALET_FLOW_APP, .scopes = two},
         .says = "scopes"},
        {.service = true,
         .request = {.flow = VALET_FLOW_APP, .scopes = app, .account = "x"},
         .says = "account"},
        {.service = true,
         .request = {.flow = VALET_FLOW_ON_BEHALF_OF, .scopes = scopes},
         .says = "assertion"},
        {.request = {.flow = VALET_FLOW_SIGN_IN,
                     .scopes = scopes,
                     .methods = 64},
         .says = "methods"},
        {.request = {.flow = VALET_FLOW_SIGN_IN,
                     .scopes = scopes,
                     .methods = VALET_METHOD_DEVICE_CODE},
         .says = "tell"},
        {.request = {.flow = VALET_FLOW_SIGN_IN,
                     .scopes = scopes,
                     .prompt = "none"},
         .says = "prompt"},
        {.request = {.flow = VALET_FLOW_SIGN_IN,
                     .scopes = scopes,
                     .timeout_s = -1},
         .says = "timeout_s"},
    };
    for (size_t i = 0; i < VL_COUNT(cases); i++) {
        valet_client *client = NULL;
        valet_auth_result result;
        valet_entra_error error = {.next = VALET_NEXT_COUNT};
        valet_client_options options = {PUBLIC_OPTIONS,
                                        .cache = VALET_CACHE_MEMORY};
        if (cases[i].service)
            options =
                (valet_client_options){SERVICE_OPTIONS, .client_secret = "s"};
        assert_ok(valet_client_new(&options, &client, NULL));
        assert_int_equal(
            valet_acquire(client, &cases[i].request, &result, &error),
            VALET_INVALID);
        assert_int_equal(error.next, VALET_NEXT_GIVE_UP);
        if (!strstr(error.error.message, cases[i].says))
            fail_msg("case %zu: %s", i, error.error.message);
        valet_client_free(client);
    }
}

/* In a process without the standard descriptors: 0 if it went well. */
static int
live_without_standard_descriptors(void)
{
    const valet_client_options options = {PUBLIC_OPTIONS};
    valet_client *client;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        (void)close(fd);
    if (valet_client_new(&options, &client, NULL) != VALET_OK)
        return 1;
    int fd = valet_client_fd(client);
    valet_client_free(client);
    return fd > STDERR_FILENO ? 0 : 2;
}

static void
a_client_has_no_standard_descriptor_for_its_own(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(live_without_standard_descriptors());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
sources_have_names(void **state)
{
    (void)state;
    for (int i = 1; i < VALET_SOURCE_COUNT; i++)
        assert_true(strlen(valet_source_name((valet_source)i)) > 2);
    assert_string_equal(valet_source_name(VALET_SOURCE_COUNT), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_option_is_named),
        cmocka_unit_test(
            a_credential_belongs_to_a_confidential_client_and_to_it_alone),
        cmocka_unit_test(a_client_is_born_without_network_or_thread),
        cmocka_unit_test(a_wrong_request_is_named),
        cmocka_unit_test(a_client_has_no_standard_descriptor_for_its_own),
        cmocka_unit_test(sources_have_names),
    };
    return cmocka_run_group_tests_name("client/options", tests, NULL, NULL);
}
