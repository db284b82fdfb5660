/* SPDX-License-Identifier: Apache-2.0
 *
 * `mcp-valet check` and `mcp-valet config`: the configuration without the
 * service.
 */
#include "apps/valet/commands.h"
#include "conf/conf.h"
#include "core/limits.h"
#include "gateway/gateway.h"
#include "http/fetch.h"

static void
print_warning(const char *sentence, void *ctx)
{
    (void)ctx;
    vl_complain("warning: %s", sentence);
}

static int
check(int argc, char **argv)
{
    const char *path = NULL;
    const struct vl_option options[] = {{.name = "--config", .value = &path}};
    struct vl_conf *conf = NULL;
    valet_error err = {0};
    if (!vl_options_parse(argc, argv, options, VL_COUNT(options)))
        return VL_EXIT_USAGE;
    if (vl_conf_load(path, vl_environment, &conf, &err) != VALET_OK) {
        vl_complain("%s", err.message);
        return VL_EXIT_USAGE;
    }
    if (vl_gateway_check(conf, &err) != VALET_OK) {
        vl_complain("%s", err.message);
        vl_conf_free(conf);
        return VL_EXIT_USAGE;
    }
    vl_gateway_warn(conf, print_warning, NULL);
    vl_conf_free(conf);
    if (vl_fetch_available(&err) != VALET_OK) {
        vl_complain("%s", err.message);
        return VL_EXIT_FAILED;
    }
    (void)printf("%s: good\n", path ? path : "environment");
    return VL_EXIT_OK;
}

const struct vl_command vl_command_check = {
    .name = "check",
    .summary = "check a configuration file and say what is wrong with it",
    .usage =
        "usage: mcp-valet check [--config FILE]\n\n"
        "Reads the file (or the environment alone) as serve would, and says\n"
        "what is wrong: FILE:LINE:COLUMN and what to write instead. Exit 0\n"
        "when it is good, 2 when not, 1 when this machine lacks a library\n"
        "that serve will need.\n",
    .run = check,
};

static const struct {
    const char *name;
    void (*write)(struct vl_buf *out);
} texts[] = {
    {"sample", vl_conf_sample},
    {"options", vl_conf_help},
    {"schema", vl_conf_schema},
    {"man", vl_conf_man},
};

static int
config(int argc, char **argv)
{
    vl_auto(vl_buf) out = vl_buf_of(VL_LIMIT_CONFIG);
    for (size_t i = 0; argc == 2 && i < VL_COUNT(texts); i++)
        if (strcmp(argv[1], texts[i].name) == 0) {
            texts[i].write(&out);
            (void)fputs(vl_buf_cstr(&out), stdout);
            return VL_EXIT_OK;
        }
    vl_complain("config needs one of: sample, options, schema, man");
    return VL_EXIT_USAGE;
}

const struct vl_command vl_command_config = {
    .name = "config",
    .summary = "print a sample configuration, its options or its schema",
    .usage = "usage: mcp-valet config sample|options|schema|man\n\n"
             "  sample   a commented YAML file to start from\n"
             "  options  every option with its default and what it is for\n"
             "  schema   the JSON Schema of the file, for editors\n"
             "  man      the options as mcp-valet.yaml(5) has them, in mdoc\n",
    .run = config,
};
