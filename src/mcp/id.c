/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/id.h"

#include "core/enc.h"
#include "core/secret.h"
#include "core/sys.h"

#define RANDOM_SIZE 32

static const char hex_digits[] = "0123456789abcdef";

/* It says nothing that a client does not know: which connection it was. */
bool
vl_mcp_id_home(struct vl_str id, unsigned *ret)
{
    unsigned home = 0;
    if (id.n != VL_MCP_ID_SIZE - 1)
        return false;
    for (size_t i = id.n - 2; i < id.n; i++) {
        const char *digit = memchr(hex_digits, id.p[i], 16);
        if (!digit)
            return false;
        home = 16 * home + (unsigned)(digit - hex_digits);
    }
    *ret = home;
    return true;
}

/* @spec HT-29 SB-22 SB-24 */
void
vl_mcp_id_make(unsigned home, char ret[VL_MCP_ID_SIZE])
{
    char bytes[RANDOM_SIZE];
    vl_random(bytes, sizeof bytes);
    vl_auto(vl_buf) text = vl_buf_of_secret(VL_MCP_ID_SIZE - 1);
    vl_enc_base64url(&text, vl_str_of(bytes, sizeof bytes));
    vl_buf_addf(&text, "%02x", home);
    /* A short id could be guessed: rather stop than hand one out. */
    VL_ASSERT(vl_buf_size(&text) == VL_MCP_ID_SIZE - 1);
    memcpy(ret, vl_buf_cstr(&text), VL_MCP_ID_SIZE);
    vl_wipe(bytes, sizeof bytes);
}
