/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
environment(const char *name)
{
    return strcmp(name, "S") == 0 ? "secret" : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vl_conf *conf = NULL;
    valet_error err = {.message = ""};
    if (vl_conf_parse("fuzz", vl_str_of(data, size), environment, &conf,
                      &err) != VALET_OK) {
        VL_ASSERT(err.message[0] && !strchr(err.message, '\n') && !conf);
        return 0;
    }
    /* What is accepted is whole. */
    VL_ASSERT(conf->tenant_id && conf->client_id && conf->public_url);
    VL_ASSERT(!vl_secret_is_empty(&conf->client_secret));
    VL_ASSERT(conf->server_count > 0 && conf->servers[0].name[0]);
    VL_ASSERT(conf->listen_port <= 65535 && conf->required_scopes[0]);
    for (size_t i = 0; i < conf->client_count; i++)
        VL_ASSERT(conf->clients[i].redirect_uri_count > 0);
    vl_conf_free(conf);
    return 0;
}
