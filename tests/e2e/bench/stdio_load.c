/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls of a tool over the standard input and output of a server that it
 * starts: so many are under way all the time.
 *
 *     bench-stdio-load MESSAGES IN_FLIGHT WARM_MS MS COMMAND [ARG …]
 *
 * MESSAGES is a file: what opens the connection, one message a line (the ones
 * with an "id" are answered before the next is sent), and on the last line the
 * call, with ID where its id has to stand. Every answer has to be a result
 * without "isError":true. Prints one line of JSON: calls, the seconds they
 * took, the CPU seconds of the server in that time, all threads, and the kB
 * that it alone has at the end (Private_Clean and Private_Dirty), of which it
 * has written the last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGES_MAX 65536
#define CALLS_SIZE   262144
#define ANSWERS_SIZE 262144

static struct {
    int to, from; /* the server's ends, here */
    pid_t pid;
    clockid_t cpu;
    const char *before, *after; /* the call around its id */
    size_t before_size, after_size;
    size_t usual; /* length of the last answer that was looked at */
    unsigned long sent, answered;
    char calls[CALLS_SIZE]; /* not written yet */
    size_t calls_at, calls_end;
    char answers[ANSWERS_SIZE]; /* not understood yet */
    size_t answers_end;
} load;

static _Noreturn void
die(const char *what)
{
    (void)fprintf(stderr, "bench-stdio-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double
seconds(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        die("clock_gettime");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
start(char **command)
{
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0)
        die("pipe");
    load.pid = fork();
    if (load.pid < 0)
        die("fork");
    if (load.pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) {
            (void)close(in[i]);
            (void)close(out[i]);
        }
        (void)execvp(command[0], command);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    load.to = in[1];
    load.from = out[0];
    if ((errno = clock_getcpuclockid(load.pid, &load.cpu)) != 0)
        die("clock_getcpuclockid");
}

/* --- answers --- */

/* An answer as long as the one before but for its id was looked at then: the
 * load must not cost what the server does. */
enum { ID_DIGITS = 10 };

static bool
is_usual(size_t n)
{
    return n + ID_DIGITS > load.usual && n < load.usual + ID_DIGITS;
}

static void
check_answer(const char *line, size_t n)
{
    bool good = memmem(line, n, "\"result\":", 9) &&
                !memmem(line, n, "\"isError\":true", 14);
    if (good) {
        load.usual = n;
        return;
    }
    errno = EPROTO;
    (void)fprintf(stderr, "%.*s\n", (int)n, line);
    die("this is no result");
}

/* Reads what there is, waiting for the first of it; notifications and the
 * like, which have no result and no error, are no answers. */
static void
read_answers(void)
{
    ssize_t got = read(load.from, load.answers + load.answers_end,
                       ANSWERS_SIZE - load.answers_end);
    if (got <= 0)
        die("the server has closed its output");
    load.answers_end += (size_t)got;
    char *at = load.answers, *end = load.answers + load.answers_end, *nl;
    while ((nl = memchr(at, '\n', (size_t)(end - at)))) {
        size_t n = (size_t)(nl - at);
        bool usual = is_usual(n);
        if (!usual && !memmem(at, n, "\"method\":", 9))
            check_answer(at, n);
        else if (!usual)
            n = 0; /* no answer */
        load.answered += n > 0;
        at = nl + 1;
    }
    load.answers_end = (size_t)(end - at);
    memmove(load.answers, at, load.answers_end);
}

/* --- calls --- */

static void
send_all(const char *text, size_t n)
{
    while (n) {
        ssize_t put = write(load.to, text, n);
        if (put < 0)
            die("the server has closed its input");
        text += put;
        n -= (size_t)put;
    }
}

static size_t
write_call(char *to, unsigned long id)
{
    char digits[24];
    size_t n = 0, count = 0;
    do
        digits[count++] = (char)('0' + id % 10);
    while (id /= 10);
    memcpy(to, load.before, load.before_size);
    n = load.before_size;
    while (count)
        to[n++] = digits[--count];
    memcpy(to + n, load.after, load.after_size);
    n += load.after_size;
    to[n++] = '\n';
    return n;
}

/* In one write as many as may be under way. */
static void
fill(unsigned long in_flight)
{
    size_t n = 0;
    while (load.sent - load.answered < in_flight &&
           n + MESSAGES_MAX < CALLS_SIZE) {
        n += write_call(load.calls + n, ++load.sent);
    }
    send_all(load.calls, n);
}

static void
call_for(double time, unsigned long in_flight)
{
    double end = seconds(CLOCK_MONOTONIC) + time;
    do {
        fill(in_flight);
        read_answers();
    } while (seconds(CLOCK_MONOTONIC) < end);
}

/* --- life --- */

static char *
read_messages(const char *path)
{
    static char text[MESSAGES_MAX];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (n == 0)
        die(path);
    (void)fclose(file);
    text[n] = '\0';
    return text;
}

/* Sends what opens the connection; what is left is the call. */
static char *
open_connection(char *text)
{
    char *nl;
    while ((nl = strchr(text, '\n')) && nl[1]) {
        bool wants_answer = memmem(text, (size_t)(nl - text), "\"id\":", 5);
        send_all(text, (size_t)(nl - text) + 1);
        load.sent += wants_answer;
        while (load.answered < load.sent)
            read_answers();
        text = nl + 1;
    }
    if (nl)
        *nl = '\0';
    return text;
}

static void
read_memory(long *ret_all, long *ret_dirty)
{
    char path[64], line[256];
    long clean = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)load.pid);
    FILE *file = fopen(path, "r");
    if (!file)
        die(path);
    while (fgets(line, sizeof line, file)) {
        (void)sscanf(line, "Private_Clean: %ld", &clean);
        (void)sscanf(line, "Private_Dirty: %ld", ret_dirty);
    }
    (void)fclose(file);
    *ret_all = clean + *ret_dirty;
}

int
main(int argc, char **argv)
{
    long memory = 0, dirty = 0;
    if (argc < 6)
        return 2;
    char *messages = read_messages(argv[1]);
    unsigned long in_flight = strtoul(argv[2], NULL, 10);
    start(argv + 5);
    char *call = open_connection(messages), *id = strstr(call, "ID");
    if (!id)
        return 2;
    *id = '\0';
    load.before = call;
    load.after = id + 2;
    load.before_size = strlen(load.before);
    load.after_size = strlen(load.after);
    call_for(atof(argv[3]) / 1000, in_flight);
    unsigned long answered = load.answered;
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(load.cpu);
    call_for(atof(argv[4]) / 1000, in_flight);
    cpu = seconds(load.cpu) - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    read_memory(&memory, &dirty);
    (void)printf("{\"calls\":%lu,\"seconds\":%.6f,\"cpu\":%.6f,"
                 "\"memory\":%ld,\"dirty\":%ld}\n",
                 load.answered - answered, wall, cpu, memory, dirty);
    while (load.answered < load.sent)
        read_answers();
    (void)close(load.to);
    (void)kill(load.pid, SIGTERM);
    (void)waitpid(load.pid, NULL, 0);
    return 0;
}
