/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the envelope of a message (its kind, id, method, and where its
 * parameters stand, all of it strictly read) against jansson's reading of the
 * same bytes. In turns, by CPU time.
 *
 *     bench-envelope ROUNDS MS < message
 *
 * prints one JSON line: microseconds of both for each round.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "mcp/rpc.h"
#include "measure.h"

#define BATCH 100

static char text[1 << 20];
static size_t size;

static void
scan_once(void)
{
    static struct vl_rpc_body body;
    struct vl_rpc_message message;
    if (!vl_rpc_scan(vl_str_of(text, size), &body, &message) ||
        message.kind != VL_RPC_REQUEST || !message.params.node)
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

int
main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    double ms = atof(argv[2]);
    size = fread(text, 1, sizeof text, stdin);
    (void)measure(scan_once, BATCH, ms); /* warm */
    (void)measure(parse_once, BATCH, ms);
    (void)printf("{\"bytes\":%zu,\"rounds\":[", size);
    for (int i = 0; i < atoi(argv[1]); i++) {
        double ours = measure(scan_once, BATCH, ms);
        double theirs = measure(parse_once, BATCH, ms);
        (void)printf("%s[%.4f,%.4f]", i ? "," : "", ours, theirs);
    }
    (void)printf("]}\n");
    return 0;
}
