/* SPDX-License-Identifier: Apache-2.0
 *
 * Where one person's secret document (the token cache) is kept on their own
 * machine: in the Secret Service of their session, or in an encrypted file,
 * or in memory. Unlike store/, which is a server's, a keep belongs to several
 * short-lived processes at once; each change is made under a lock that all of
 * them take.
 *
 * Calls block: on a loop they belong on io/work.h's thread. One thread at a
 * time may use a keep. Nothing falls back to anything: where the Secret
 * Service is missing, opening it fails and says so (@spec S-29 W-37).
 */
#ifndef VL_KEEP_KEEP_H
#define VL_KEEP_KEEP_H

#include "core/buf.h"
#include "core/limits.h"

struct vl_keep;

/* A state of what is kept, to be told from others without reading it. */
struct vl_keep_mark {
    int64_t seconds, nanoseconds, size;
    uint64_t device, inode;
};

/*
 * A file, sealed with AES-256-GCM by a key that lies beside it in a file of
 * its own (`path`.key). Both have mode 0600; links, files of others and files
 * that others may read are refused. It protects against who gets the file
 * alone (a backup, a synchronised folder), not against who gets both: so it
 * is for those who choose it. The folder has to exist.
 */
valet_status vl_keep_open_file(const char *path, struct vl_keep **ret,
                               valet_error *err) VALET_CHECK;

/*
 * An item of the person's Secret Service (GNOME Keyring, KWallet, KeePassXC),
 * found by `name`. `modules` is the folder of keep_secret_service.so, which
 * is loaded now; `lock` is the file that processes lock, in a folder of the
 * person. Whether the service works is checked now, by writing, reading and
 * deleting a probe unless a document is there already. VALET_NOT_FOUND: no
 * module, no session bus or no service; VALET_DENIED: it is locked, or the
 * person said no; VALET_RETRY: it does not answer. The code of all of them is
 * "no_secret_service".
 */
valet_status vl_keep_open_secret_service(const char *modules, const char *name,
                                         const char *lock, struct vl_keep **ret,
                                         valet_error *err) VALET_CHECK;

/* Gone with the process: for tests, and for who wants nothing kept. */
struct vl_keep *vl_keep_open_memory(void);

void vl_keep_close(struct vl_keep *keep); /* NULL is fine */
/* Does it keep what it is given, now? Writes what is there once more, or a
 * trial that is removed again. */
valet_status vl_keep_check(struct vl_keep *keep, valet_error *err) VALET_CHECK;

/* Appends the document; nothing when there is none. `out` is secret. */
valet_status vl_keep_read(struct vl_keep *keep, struct vl_buf *out,
                          valet_error *err) VALET_CHECK;

/*
 * Makes the document that takes the place of `old` (empty: there is none), in
 * `out`, which is secret and empty. Not VALET_OK: nothing is written.
 */
typedef valet_status vl_keep_edit(struct vl_str old, struct vl_buf *out,
                                  void *ctx, valet_error *err);
/*
 * Reads, edits and writes under the lock. Whoever reads finds the old document
 * or the new one, also after a crash at any moment. VALET_RETRY: others held
 * the lock all the time. An empty document is the same as vl_keep_forget().
 */
valet_status vl_keep_update(struct vl_keep *keep, vl_keep_edit *edit, void *ctx,
                            valet_error *err) VALET_CHECK;
/* Removes the document (and its key), under the lock. None there: fine. */
valet_status vl_keep_forget(struct vl_keep *keep, valet_error *err) VALET_CHECK;

/*
 * Has another process changed it? Of what there is now: one look at a file,
 * from any thread while the keep is open. All 0: nothing is kept there.
 */
struct vl_keep_mark vl_keep_now(const struct vl_keep *keep);
/* Of what vl_keep_read() or vl_keep_update() found and left last; nothing else
 * tells what it writes over. By the keep's own thread. */
struct vl_keep_mark vl_keep_known(const struct vl_keep *keep);
bool vl_keep_is_same(struct vl_keep_mark a, struct vl_keep_mark b);

#endif
