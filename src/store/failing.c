/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver that is never there. With it a test proves that whoever asks the
 * store takes "could not find out" as a no.
 */
#include "store/driver.h"

static valet_status
refuse_start(struct vl_driver *driver, bool writes)
{
    (void)driver;
    (void)writes;
    return VALET_RETRY;
}

static valet_status
refuse_step(struct vl_driver *driver, struct vl_step *step)
{
    (void)driver;
    (void)step;
    return VALET_RETRY;
}

static valet_status
refuse_keep(struct vl_driver *driver)
{
    (void)driver;
    return VALET_RETRY;
}

static void
ignore(struct vl_driver *driver)
{
    (void)driver;
}

static bool
refuse_commit(struct vl_driver *driver)
{
    (void)driver;
    return false;
}

static int64_t
sweep_nothing(struct vl_driver *driver, int64_t now_ms, int64_t max)
{
    (void)driver;
    (void)now_ms;
    (void)max;
    return 0;
}

static void
free_driver(struct vl_driver *driver)
{
    free(driver);
}

static const struct vl_driver_ops ops = {
    .start = refuse_start,
    .step = refuse_step,
    .keep = refuse_keep,
    .undo = ignore,
    .commit = refuse_commit,
    .sweep = sweep_nothing,
    .free = free_driver,
};

struct vl_store *
vl_store_open_failing(void)
{
    struct vl_driver *driver = vl_alloc(sizeof *driver);
    driver->ops = &ops;
    struct vl_store *store;
    VL_ASSERT(vl_store_new(driver, NULL, &vl_clock_system, &store, NULL) ==
              VALET_OK);
    return store;
}
