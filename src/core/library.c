/* SPDX-License-Identifier: Apache-2.0 */
#include "core/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/status.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void
load(struct vl_library *library)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; handle && i < library->count; i++) {
        /* POSIX lets a function's address travel as an object's; C does not
         * let it be assigned as one. */
        void *address = dlsym(handle, library->symbols[i].name);
        memcpy(library->symbols[i].at, &address, sizeof address);
        if (!address)
            handle = NULL;
    }
    library->is_loaded = handle != NULL;
    if (!handle)
        (void)snprintf(library->problem, sizeof library->problem, "%s",
                       dlerror());
}

valet_status
vl_library_load(struct vl_library *library, valet_error *err)
{
    pthread_mutex_lock(&lock);
    if (!library->is_loaded && !library->problem[0])
        load(library);
    bool is_loaded = library->is_loaded;
    pthread_mutex_unlock(&lock);
    if (is_loaded)
        return VALET_OK;
    return vl_fail(err, VALET_INTERNAL, "", "cannot load %s: %s",
                   library->title, library->problem);
}
