/* SPDX-License-Identifier: Apache-2.0 */
#include "json/pattern_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/status.h"

/* The ABI that <pcre2.h> describes, of characters of 8 bits. */
#define LIBRARY "libpcre2-8.so.0"

struct vl_pcre2 vl_pcre2;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256]; /* empty: loaded */

struct symbol {
    const char *name;
    void *at; /* of the pointer to fill */
};

static void
load(void)
{
#define SYMBOL(name) {"pcre2_" #name "_8", &vl_pcre2.name},
    static const struct symbol symbols[] = {VL_PCRE2_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; library && i < VL_COUNT(symbols); i++) {
        /* POSIX lets a function's address travel as an object's; C does not
         * let it be assigned as one. */
        void *address = dlsym(library, symbols[i].name);
        memcpy(symbols[i].at, &address, sizeof address);
        if (!address)
            library = NULL;
    }
    if (!library)
        (void)snprintf(problem, sizeof problem, "%s", dlerror());
}

valet_status
vl_pattern_available(valet_error *err)
{
    VL_ASSERT(pthread_once(&once, load) == 0);
    if (problem[0])
        return vl_fail(err, VALET_INTERNAL, "", "cannot load PCRE2: %s",
                       problem);
    return VALET_OK;
}
