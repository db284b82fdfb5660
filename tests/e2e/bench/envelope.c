/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the envelope of a message (its kind, id, method, and where its
 * parameters stand, all of it strictly read) against jansson's reading of the
 * same bytes. In turns, by CPU time of this thread.
 *
 *     bench-envelope ROUNDS MS < message
 *
 * prints one JSON line: microseconds of both for each round.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mcp/rpc.h"

#define BATCH 100

static char text[1 << 20];
static size_t size;

static double
cpu_us(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
        abort();
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
scan_once(void)
{
    struct vl_rpc_message message;
    if (!vl_rpc_scan(vl_str_of(text, size), &message) ||
        message.kind != VL_RPC_REQUEST || message.params_text.n == 0)
        exit(1);
}

static void
parse_once(void)
{
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!root)
        exit(1);
    json_decref(root);
}

/* Microseconds of one call, over about `ms` milliseconds. */
static double
measure(void (*once)(void), double ms)
{
    double begin = cpu_us(), end;
    unsigned long calls = 0;
    do {
        for (int i = 0; i < BATCH; i++)
            once();
        calls += BATCH;
        end = cpu_us();
    } while (end - begin < ms * 1000);
    return (end - begin) / (double)calls;
}

int
main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    double ms = atof(argv[2]);
    size = fread(text, 1, sizeof text, stdin);
    (void)measure(scan_once, ms); /* warm */
    (void)measure(parse_once, ms);
    (void)printf("{\"bytes\":%zu,\"rounds\":[", size);
    for (int i = 0; i < atoi(argv[1]); i++) {
        double ours = measure(scan_once, ms);
        double theirs = measure(parse_once, ms);
        (void)printf("%s[%.4f,%.4f]", i ? "," : "", ours, theirs);
    }
    (void)printf("]}\n");
    return 0;
}
