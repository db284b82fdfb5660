/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/resource.h>

#include "core/status.h"
#include "http/server.h"

/* Store, log, listeners, loops, and connections to Entra and the servers. */
#define OTHER_FILES 256

valet_status
vl_http_raise_nofile(size_t connections, valet_error *err)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return vl_fail(err, VALET_INTERNAL, "", "cannot read RLIMIT_NOFILE: %s",
                       strerror(errno));
    if (limit.rlim_cur >= need)
        return VALET_OK;
    if (limit.rlim_max < need)
        return vl_fail(err, VALET_LIMIT, "",
                       "%zu connections need %llu open files and the system "
                       "allows %llu: raise it (LimitNOFILE= or ulimit -Hn) or "
                       "lower limits.connections",
                       connections, (unsigned long long)need,
                       (unsigned long long)limit.rlim_max);
    limit.rlim_cur = need;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return vl_fail(err, VALET_LIMIT, "", "cannot raise RLIMIT_NOFILE: %s",
                       strerror(errno));
    return VALET_OK;
}
