/* SPDX-License-Identifier: Apache-2.0
 *
 * A service that works in its own name (client credentials), on an event loop:
 * poll() on the client's descriptor. Ends on SIGTERM with 0.
 *
 *     VALET_CLIENT_ID=… VALET_TENANT=… VALET_CERTIFICATE_FILE=… ./a.out SCOPE
 *
 * SCOPE is RESOURCE/.default; a second argument is the time between two rounds
 * in milliseconds. The certificate and its key (PEM) are in a file: arguments
 * can be read by everybody. VALET_AUTHORITY is as in acquire_token.c.
 */
#define _DEFAULT_SOURCE /* sigset_t */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>

#include <valet/entra.h>

struct job {
    valet_call *call; /* the token we wait for, or NULL */
    int every_ms;
    int64_t wait_ms; /* until the next round */
    bool failed;
};

static valet_client *
make_client(void)
{
    const valet_client_options options = {
        .kind = VALET_CLIENT_CONFIDENTIAL,
        .client_id = getenv("VALET_CLIENT_ID"),
        .tenant = getenv("VALET_TENANT"),
        .authority_host = getenv("VALET_AUTHORITY"),
        .certificate_file = getenv("VALET_CERTIFICATE_FILE"),
    };
    valet_error error = {0};
    valet_client *client = NULL;
    if (valet_client_new(&options, &client, &error) != VALET_OK)
        fprintf(stderr, "settings: %s\n", error.message);
    return client;
}

/* One round. A service asks for a token each time and keeps none: the client
 * does, and renews it ahead of its end. */
static void
work(valet_status status, valet_auth_result *result,
     const valet_entra_error *error, void *ctx)
{
    struct job *job = ctx;
    job->call = NULL;
    if (status == VALET_OK) {
        printf("work for %s, token from %s\n", result->scopes,
               valet_source_name(result->source));
        fflush(stdout);
        valet_auth_result_done(result);
        job->wait_ms = job->every_ms;
        return;
    } /* what does not pass by itself is not asked for again */
    fprintf(stderr, "%s; next: %s\n", error->error.message,
            valet_next_name(error->next));
    job->failed = error->next != VALET_NEXT_RETRY;
    job->wait_ms = error->retry_after_ms >= 0 ? error->retry_after_ms : 5000;
}

static void
run(valet_client *client, const char *const *scopes, struct job *job, int ends)
{
    const valet_request request = {.flow = VALET_FLOW_APP, .scopes = scopes};
    struct pollfd fds[2] = {{.fd = valet_client_fd(client), .events = POLLIN},
                            {.fd = ends, .events = POLLIN}};
    job->failed = fds[0].fd < 0; /* the process has none left */
    while (!job->failed && !fds[1].revents) {
        int n = poll(fds, 2, job->call ? -1 : (int)job->wait_ms);
        if (fds[0].revents)
            valet_client_dispatch(client);
        else if (n == 0)
            valet_acquire_start(client, &request, work, job, &job->call);
    }
    valet_acquire_cancel(&job->call);
}

int
main(int argc, char **argv)
{
    const char *const scopes[] = {argc > 1 ? argv[1] : NULL, NULL};
    struct job job = {.every_ms = argc > 2 ? atoi(argv[2]) : 60000};
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    int ends = signalfd(-1, &end, SFD_CLOEXEC);
    valet_client *client = ends >= 0 ? make_client() : NULL;
    if (!client)
        return 2;
    run(client, scopes, &job, ends);
    valet_client_free(client);
    return job.failed ? 1 : 0;
}
