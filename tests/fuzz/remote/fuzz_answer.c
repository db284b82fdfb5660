/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of an answer become messages. The first byte chooses what the answer
 * is, the second how it is cut to pieces: the messages are the same however it
 * came, each is one JSON value on one line, and whoever gets one may free the
 * answer.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "remote/answer.h"
#include "json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NEVER SIZE_MAX

struct run {
    struct vl_answer *answer;
    struct vl_buf told; /* all messages, a line each */
    size_t count, free_at;
};

static void
on_message(struct vl_str json, void *ctx)
{
    struct run *run = ctx;
    vl_auto(vl_json) doc = {NULL};
    VL_ASSERT(run->answer != NULL);
    VL_ASSERT(!vl_str_has(json, '\n') && !vl_str_has(json, '\r'));
    VL_ASSERT(vl_json_parse(json, VL_LIMIT_JSON_DEPTH, &doc, NULL) == VALET_OK);
    enum vl_json_kind kind = vl_json_kind(doc.root);
    VL_ASSERT(kind == VL_JSON_OBJECT || kind == VL_JSON_ARRAY);
    vl_buf_add(&run->told, json);
    vl_buf_addc(&run->told, '\n');
    if (run->count++ == run->free_at) {
        vl_answer_free(run->answer);
        run->answer = NULL;
    }
}

static void
on_event(const struct vl_event *event, void *ctx)
{
    VL_ASSERT(((struct run *)ctx)->answer != NULL);
    VL_ASSERT(vl_str_is_utf8(event->data) && vl_str_is_utf8(event->id));
}

static void
check_id(const struct vl_answer *answer)
{
    struct vl_str id = vl_answer_last_id(answer);
    VL_ASSERT(vl_answer_retry_ms(answer) >= -1);
    for (size_t i = 0; i < id.n; i++)
        VL_ASSERT(id.p[i] >= ' ' && id.p[i] <= '~');
}

/* Which status it ended with. */
static valet_status
take(struct run *run, enum vl_answer_kind kind, bool is_lenient,
     struct vl_str bytes, size_t piece)
{
    struct vl_answer_sink sink = {on_message, on_event, is_lenient, run};
    valet_status status = VALET_OK;
    run->answer = vl_answer_new(&sink);
    run->told = vl_buf_of(1 << 24);
    vl_answer_begin(run->answer, kind);
    while (bytes.n && status == VALET_OK) {
        status = vl_answer_take(run->answer, vl_str_head(bytes, piece), NULL);
        bytes = vl_str_from(bytes, piece);
    }
    if (status == VALET_OK)
        status = vl_answer_end(run->answer, NULL);
    VL_ASSERT((status == VALET_CANCELLED) == (run->answer == NULL));
    if (run->answer)
        check_id(run->answer);
    vl_answer_free(run->answer);
    return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole = {.free_at = NEVER}, cut = {.free_at = NEVER},
               freed = {.free_at = 0};
    if (size < 2)
        return 0;
    enum vl_answer_kind kind = data[0] % VL_ANSWER_KIND_COUNT;
    bool is_lenient = data[0] & 0x80;
    size_t piece = data[1] % 16 + 1;
    struct vl_str bytes = vl_str_of(data + 2, size - 2);
    valet_status status = take(&whole, kind, is_lenient, bytes, NEVER);
    VL_ASSERT(take(&cut, kind, is_lenient, bytes, piece) == status);
    VL_ASSERT(vl_str_eq(vl_buf_str(&whole.told), vl_buf_str(&cut.told)));
    VL_ASSERT((take(&freed, kind, is_lenient, bytes, piece) ==
               VALET_CANCELLED) == (whole.count > 0));
    vl_buf_done(&whole.told);
    vl_buf_done(&cut.told);
    vl_buf_done(&freed.told);
    return 0;
}
