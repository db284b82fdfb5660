/* SPDX-License-Identifier: Apache-2.0
 *
 * Each scenario is a process of its own: GLib remembers the first session bus
 * it has seen, and never lets go of it.
 */
#include "keep/module.h"
#include "private_bus.h"

static char lock_path[160];

static valet_status
open_service(struct vl_keep **ret, valet_error *err)
{
    return vl_keep_open_secret_service(getenv("VALET_MODULES"), "valet test",
                                       lock_path, ret, err);
}

/* The daemon needs a moment until it owns its name. */
static struct vl_keep *
open_soon(void)
{
    const struct timespec pause = {0, 20000000};
    struct vl_keep *keep = NULL;
    valet_error err;
    for (int i = 0; i < 500; i++) {
        valet_status status = open_service(&keep, &err);
        if (status == VALET_OK)
            return keep;
        assert_int_equal(status, VALET_NOT_FOUND);
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("%s", err.message);
    return NULL;
}

/* A scenario fails by stopping its process: cmocka's asserts would jump into
 * the parent's stack. */
static void
run(void (*scenario)(struct private_bus *bus), struct private_bus *bus)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        scenario(bus);
        _exit(0);
    }
    int result = wait_for(child);
    if (result != 0)
        bus_stop(bus);
    assert_int_equal(result, 0);
}

static struct private_bus
begin(void)
{
    struct private_bus bus;
    bus_start(&bus);
    (void)snprintf(lock_path, sizeof lock_path, "%s/valet.lock",
                   bus.folder.name);
    return bus;
}

static void
end(struct private_bus *bus)
{
    char command[128];
    bus_stop(bus);
    (void)snprintf(command, sizeof command, "rm -rf %s", bus->folder.name);
    assert_int_equal(system(command), 0);
}

static void
run_alone(void (*scenario)(struct private_bus *bus), const char *password)
{
    struct private_bus bus = begin();
    if (password)
        keyring_start(&bus, password);
    run(scenario, &bus);
    end(&bus);
}

static void
round_trip(struct private_bus *bus)
{
    (void)bus;
    struct vl_keep *keep = open_soon();
    assert_kept(keep, "");
    assert_ok(vl_keep_update(keep, append, "a token", NULL));
    assert_ok(vl_keep_update(keep, append, " and \xc3\xa4", NULL));
    struct vl_keep *other = open_soon();
    for (int i = 0; i < 5; i++) { /* others' changes show, our own are known */
        assert_true(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
        assert_ok(vl_keep_check(other, NULL));
        assert_false(vl_keep_is_same(vl_keep_now(keep), vl_keep_known(keep)));
        assert_kept(keep, "a token and \xc3\xa4");
    }
    vl_keep_close(other);
    vl_keep_close(keep);
    keep = open_soon();
    assert_kept(keep, "a token and \xc3\xa4");
    assert_ok(vl_keep_forget(keep, NULL));
    assert_kept(keep, "");
    assert_ok(vl_keep_forget(keep, NULL));
    vl_keep_close(keep);
}

/* @spec S-29 */
static void
keeps_a_document(void **state)
{
    (void)state;
    run_alone(round_trip, "a test password");
}

enum { WRITERS = 4, WRITES = 10 };

static int
write_many(const struct folder *folder, int number)
{
    (void)folder;
    struct vl_keep *keep = open_soon();
    for (int i = 0; i < WRITES; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "<%d.%d>", number, i);
        if (vl_keep_update(keep, append, text, NULL) != VALET_OK)
            return 2;
    }
    vl_keep_close(keep);
    return 0;
}

static void
write_together(struct private_bus *bus)
{
    pid_t children[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        children[i] = start(write_many, &bus->folder, i);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(wait_for(children[i]), 0);
    struct vl_keep *keep = open_soon();
    vl_auto(vl_buf) found = vl_buf_of_secret(VL_LIMIT_KEEP);
    assert_ok(vl_keep_read(keep, &found, NULL));
    for (int i = 0; i < WRITERS * WRITES; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "<%d.%d>", i / WRITES, i % WRITES);
        assert_non_null(strstr(vl_buf_cstr(&found), text));
    }
    vl_keep_close(keep);
}

static void
loses_nothing_when_processes_write_together(void **state)
{
    (void)state;
    run_alone(write_together, "a test password");
}

/* What 0.5 MB cost is measured in ADR 9; here it has to work. */
static void
write_large(struct private_bus *bus)
{
    (void)bus;
    struct vl_keep *keep = open_soon();
    size_t size = 500000;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    assert_ok(vl_keep_update(keep, append, text, NULL));
    assert_kept(keep, text);
    free(text);
    vl_keep_close(keep);
}

static void
keeps_a_large_document(void **state)
{
    (void)state;
    run_alone(write_large, "a test password");
}

static void
expect_no_service(struct private_bus *bus)
{
    (void)bus;
    struct vl_keep *keep = NULL;
    valet_error err;
    assert_int_equal(open_service(&keep, &err), VALET_NOT_FOUND);
    assert_non_null(strstr(err.message, "no Secret Service on the session"));
}

/* @spec W-37 */
static void
says_that_there_is_no_service(void **state)
{
    (void)state;
    run_alone(expect_no_service, NULL);
}

static void
expect_no_bus(struct private_bus *bus)
{
    struct vl_keep *keep = NULL;
    valet_error err;
    (void)bus;
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
    assert_int_equal(open_service(&keep, &err), VALET_NOT_FOUND);
    assert_string_equal(err.message,
                        "there is no session bus, so no Secret Service");
    setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent", 1);
    assert_int_equal(open_service(&keep, &err), VALET_NOT_FOUND);
}

static void
says_that_there_is_no_session_bus(void **state)
{
    (void)state;
    run_alone(expect_no_bus, NULL);
}

static void
expect_no_module(struct private_bus *bus)
{
    struct vl_keep *keep = NULL;
    valet_error err;
    assert_int_equal(
        vl_keep_open_secret_service(bus->folder.name, "n", "l", &keep, &err),
        VALET_NOT_FOUND);
    assert_non_null(strstr(err.message, "keep_secret_service.so"));
}

static void
says_that_the_module_is_missing(void **state)
{
    (void)state;
    run_alone(expect_no_module, NULL);
}

static void
keep_something(struct private_bus *bus)
{
    (void)bus;
    struct vl_keep *keep = open_soon();
    assert_ok(vl_keep_update(keep, append, "precious", NULL));
    vl_keep_close(keep);
}

/* The first answer of a daemon that is there. */
static valet_status
open_when_there(valet_error *err)
{
    const struct timespec pause = {0, 20000000};
    struct vl_keep *keep = NULL;
    valet_status status = VALET_NOT_FOUND;
    for (int i = 0; i < 500; i++) {
        status = open_service(&keep, err);
        if (!strstr(err->message, "no Secret Service on the session bus"))
            break;
        (void)nanosleep(&pause, NULL);
    }
    vl_keep_close(keep);
    return status;
}

static void
expect_no_keyring(struct private_bus *bus)
{
    (void)bus;
    valet_error err;

    assert_int_equal(open_when_there(&err), VALET_NOT_FOUND);
    assert_string_equal(err.message,
                        "the Secret Service has no default keyring");
}

static void
says_that_there_is_no_default_keyring(void **state)
{
    (void)state;
    struct private_bus bus = begin();
    keyring_start(&bus, NULL);
    run(expect_no_keyring, &bus);
    end(&bus);
}

static void
expect_locked(struct private_bus *bus)
{
    (void)bus;
    valet_error err;
    assert_int_equal(open_when_there(&err), VALET_DENIED);
    assert_string_equal(err.message,
                        "the keyring of the Secret Service is locked");
}

static void
expect_something(struct private_bus *bus)
{
    (void)bus;
    struct vl_keep *keep = open_soon();
    assert_kept(keep, "precious");
    vl_keep_close(keep);
}

/* Nobody can type the password: there is no prompter on this bus. */
static void
says_that_the_keyring_is_locked_and_loses_nothing(void **state)
{
    (void)state;
    struct private_bus bus = begin();
    keyring_start(&bus, "a test password");
    run(keep_something, &bus);
    stop_program(&bus.keyring);
    keyring_start(&bus, NULL);
    run(expect_locked, &bus);
    stop_program(&bus.keyring);
    keyring_start(&bus, "a test password");
    run(expect_something, &bus);
    end(&bus);
}

static void
ignore(const char *text, size_t n, void *ctx)
{
    (void)text, (void)n, (void)ctx;
}

static void
expect_no_answer(struct private_bus *bus)
{
    const struct vl_module *table = NULL;
    valet_error err;
    vl_keep_close(open_soon());
    assert_ok(vl_module_load(getenv("VALET_MODULES"), &VL_KEEP_MODULE_NAME,
                             &table, &err));
    const struct vl_keep_module *module = (const struct vl_keep_module *)table;
    assert_int_equal(kill(bus->keyring, SIGSTOP), 0);
    int64_t begun = vl_mono_now();
    assert_int_equal(module->read("n", 500, ignore, NULL, &err), VALET_RETRY);
    assert_int_equal(module->write("n", "text", 500, &err), VALET_RETRY);
    assert_int_equal(module->remove("n", 500, &err), VALET_RETRY);
    assert_true(vl_mono_now() - begun < 15000);
    assert_int_equal(kill(bus->keyring, SIGCONT), 0);
}

static void
gives_up_on_a_service_that_does_not_answer(void **state)
{
    (void)state;
    run_alone(expect_no_answer, "a test password");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_document),
        cmocka_unit_test(loses_nothing_when_processes_write_together),
        cmocka_unit_test(keeps_a_large_document),
        cmocka_unit_test(says_that_there_is_no_service),
        cmocka_unit_test(says_that_there_is_no_session_bus),
        cmocka_unit_test(says_that_the_module_is_missing),
        cmocka_unit_test(says_that_there_is_no_default_keyring),
        cmocka_unit_test(says_that_the_keyring_is_locked_and_loses_nothing),
        cmocka_unit_test(gives_up_on_a_service_that_does_not_answer),
    };
    return cmocka_run_group_tests_name("keep/secret_service", tests, NULL,
                                       NULL);
}
