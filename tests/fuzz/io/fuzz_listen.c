/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen.h"

#include "core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read, written again, reads the same; and "loopback" is said of
 * three names only. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_listen listen, again;
    valet_error err = {.message = ""};
    if (vl_listen_parse(vl_str_of(data, size), &listen, &err) != VALET_OK) {
        VL_ASSERT(vl_str_starts(vl_str_z(err.message), VL_STR("must ")));
        return 0;
    }
    struct vl_str host = vl_str_z(listen.host);
    VL_ASSERT(listen.port <= 65535 && host.n < sizeof listen.host);
    VL_ASSERT(listen.is_loopback ==
              (vl_str_eqz(host, "localhost") || vl_str_eqz(host, "127.0.0.1") ||
               vl_str_eqz(host, "::1")));
    vl_auto(vl_buf) text = vl_buf_of(100);
    bool v6 = vl_str_has(host, ':');
    vl_buf_addf(&text, "%s%s%s:%u", v6 ? "[" : "", listen.host, v6 ? "]" : "",
                listen.port);
    VL_ASSERT(vl_listen_parse(vl_buf_str(&text), &again, NULL) == VALET_OK);
    VL_ASSERT(strcmp(again.host, listen.host) == 0 &&
              again.port == listen.port &&
              again.is_loopback == listen.is_loopback);
    return 0;
}
