/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine: time, randomness, files. All times are milliseconds.
 */
#ifndef VL_CORE_SYS_H
#define VL_CORE_SYS_H

#include "core/buf.h"

/*
 * Where a component that deals with expiry gets its time, so that a test can
 * move it. The pointer is borrowed and outlives the component.
 */
struct vl_clock {
    int64_t (*now)(void *ctx); /* milliseconds since 1970, UTC */
    void *ctx;
};

extern const struct vl_clock vl_clock_system;

int64_t vl_clock_now(const struct vl_clock *clock);
/* Milliseconds that never go back; for time-outs, not for dates. */
int64_t vl_mono_now(void);
/* The same, and they go on while the machine sleeps: for what others see go by.
 */
int64_t vl_awake_or_not_now(void);
/* "2026-11-22T10:15:30.123Z"; `ret` holds VL_TIME_ISO_SIZE bytes. Times before
 * 1970 and after 9999 are shown as the nearest one that can be. */
#define VL_TIME_ISO_SIZE 25
void vl_time_iso(int64_t ms, char ret[VL_TIME_ISO_SIZE]);

/* Bytes from the operating system; cannot fail (stops the process). */
void vl_random(void *bytes, size_t n);
/* 256 random bits in base64url, with the NUL: a state, a nonce, a verifier. */
#define VL_RANDOM_TEXT_SIZE 44
void vl_random_text(char ret[VL_RANDOM_TEXT_SIZE]);
/* A version 4 UUID in lower case; `ret` holds VL_UUID_SIZE bytes. */
#define VL_UUID_SIZE 37
void vl_uuid(char ret[VL_UUID_SIZE]);

/*
 * Appends a whole regular file to `out`. With `owner_only` the file must
 * belong to us (or root), be no symbolic link and give no rights to group and
 * others: VALET_DENIED otherwise. Missing: VALET_NOT_FOUND. Larger than the
 * buffer allows: VALET_LIMIT. The error names the path, never the content, and
 * `out` is as it was.
 */
valet_status vl_file_read(const char *path, bool owner_only, struct vl_buf *out,
                          valet_error *err) VALET_CHECK;
/*
 * With `owner_only`, but through links: for keys that other programs renew
 * behind one. The rules are asked of what was opened.
 */
valet_status vl_file_read_linked(const char *path, struct vl_buf *out,
                                 valet_error *err) VALET_CHECK;
/*
 * Creates a file with mode 0600 and this content, synced to disk with its name.
 * An existing one is not touched: VALET_CONFLICT. Whoever opens it by its name
 * finds all of the content; a process that dies half-way may leave a file
 * .new-… beside it, which nothing reads.
 */
valet_status vl_file_create(const char *path, struct vl_str content,
                            valet_error *err) VALET_CHECK;
/*
 * Puts this content in place of the file, or creates it, with mode 0600: at
 * every moment, power cuts included, `path` is the old file or the new one. It
 * is written as `aside` first, a name in the same folder that nobody else uses
 * meanwhile; what lies there is removed.
 */
valet_status
vl_file_replace(const char *path, const char *aside, struct vl_str content,
                valet_error *err) VALET_CHECK;

/* Makes what is missing of a path of folders, for this person alone (0700). */
valet_status vl_folder_make(const char *path, valet_error *err) VALET_CHECK;

/* Takes those of the descriptors 0, 1 and 2 that are closed. One of ours in
 * their place would get what somebody prints, and libuv aborts when it closes
 * it. */
void vl_hold_standard_descriptors(void);

/* Processor cores that this process may run on; at least 1. */
unsigned vl_cores(void);

#endif
