/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/keyring.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/status.h"
#include "core/sys.h"
#include "crypto/digest.h"
#include "crypto/ring.h"

/* The longest legal file: every key with the longest id. */
#define FILE_MAX (VL_KEYS_MAX * (VL_KEY_ID_MAX + sizeof " " - 1 + 43 + 1))

#define SEALING_LABEL "mcp-valet seal v1"

/*
 * @spec S-101
 * Locked so that no key reaches the swap; a low limit of locked memory is no
 * reason not to start, so a refusal is accepted.
 */
static struct vl_keyring *
map_ring(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (sizeof(struct vl_keyring) + page - 1) / page * page;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VL_ASSERT(memory != MAP_FAILED);
    (void)mlock(memory, size);
    (void)madvise(memory, size, MADV_DONTDUMP);
    struct vl_keyring *ring = memory;
    ring->mapped = size;
    return ring;
}

void
vl_keyring_free(struct vl_keyring *ring)
{
    if (!ring)
        return;
    size_t mapped = ring->mapped;
    vl_wipe(ring, mapped);
    (void)munlock(ring, mapped);
    (void)munmap(ring, mapped);
}

static struct vl_secret
derive(const struct vl_master_key *key, const char *label)
{
    const struct vl_secret master = vl_key_borrow(key->master);
    return vl_hkdf(&master, label);
}

static void
add_key(struct vl_keyring *ring, struct vl_str id, struct vl_str master)
{
    struct vl_master_key *key = &ring->keys[ring->count++];
    VL_ASSERT(master.n == VL_KEY_SIZE && id.n <= VL_KEY_ID_MAX);
    memcpy(key->id, id.p, id.n);
    key->id_size = id.n;
    memcpy(key->master, master.p, master.n);
    struct vl_secret sealing = derive(key, SEALING_LABEL);
    memcpy(key->sealing, vl_secret_reveal(&sealing).p, VL_KEY_SIZE);
    vl_secret_done(&sealing);
}

static bool
is_id(struct vl_str id)
{
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9')))
            return false;
    }
    return id.n >= 1 && id.n <= VL_KEY_ID_MAX;
}

static bool
has_id(const struct vl_keyring *ring, struct vl_str id)
{
    for (size_t i = 0; i < ring->count; i++)
        if (vl_str_eq(vl_str_of(ring->keys[i].id, ring->keys[i].id_size), id))
            return true;
    return false;
}

/* line = id SP key; NULL when it is good, else what is wrong with it. */
static const char *
read_line(struct vl_keyring *ring, struct vl_str line)
{
    struct vl_str id = vl_str_head(line, vl_str_index(line, ' '));
    if (id.n == line.n)
        return "it is not an id, a space and a key";
    if (!is_id(id))
        return "the id is not 1 to 16 letters and digits";
    if (has_id(ring, id))
        return "another key has this id";
    if (ring->count == VL_KEYS_MAX)
        return "there are more than 64 keys";
    vl_auto(vl_buf) key = vl_buf_of_secret(VL_KEY_SIZE);
    if (!vl_dec_base64url(vl_str_from(line, id.n + 1), &key) ||
        vl_buf_size(&key) != VL_KEY_SIZE)
        return "the key is not 32 bytes in base64url";
    add_key(ring, id, vl_buf_str(&key));
    return NULL;
}

static valet_status
read_lines(const char *path, struct vl_str text, struct vl_keyring *ring,
           valet_error *err)
{
    struct vl_str line;
    if (vl_str_ends(text, VL_STR("\n")))
        text.n--;
    if (text.n == 0)
        return vl_fail(err, VALET_INVALID, "", "%s:1: there is no key", path);
    for (unsigned number = 1; vl_str_split(&text, '\n', &line); number++) {
        const char *wrong = read_line(ring, line);
        if (wrong)
            return vl_fail(err, VALET_INVALID, "", "%s:%u: %s", path, number,
                           wrong);
    }
    return VALET_OK;
}

/* The id of a new key is random too: ids must not repeat across rotations. */
static void
write_random_line(struct vl_buf *out)
{
    unsigned char id[4], key[VL_KEY_SIZE];
    vl_random(id, sizeof id);
    vl_random(key, sizeof key);
    vl_enc_hex(out, vl_str_of(id, sizeof id));
    vl_buf_addc(out, ' ');
    vl_enc_base64url(out, vl_str_of(key, sizeof key));
    vl_buf_addc(out, '\n');
    vl_wipe(key, sizeof key);
}

/* When two processes create at once, the loser reads the winner's file. */
static valet_status
create_file(const char *path, bool *ret_created, valet_error *err)
{
    vl_auto(vl_buf) line = vl_buf_of_secret(FILE_MAX);
    write_random_line(&line);
    VL_TRY(vl_buf_check(&line, err));
    valet_error why;
    valet_status status = vl_file_create(path, vl_buf_str(&line), &why);
    *ret_created = status == VALET_OK;
    if (status == VALET_OK || status == VALET_CONFLICT)
        return VALET_OK;
    return vl_fail(err, status, why.code, "%s", why.message);
}

valet_status
vl_keyring_parse(const char *name, struct vl_str text, struct vl_keyring **ret,
                 valet_error *err)
{
    struct vl_keyring *ring = map_ring();
    valet_status status = read_lines(name, text, ring, err);
    if (status == VALET_OK)
        *ret = ring;
    else
        vl_keyring_free(ring);
    return status;
}

valet_status
vl_keyring_open(const char *path, bool create, bool *ret_created,
                struct vl_keyring **ret, valet_error *err)
{
    bool created = false;
    vl_auto(vl_buf) text = vl_buf_of_secret(FILE_MAX);
    /* Who makes it does not want to hear that it was not there. */
    valet_status status = vl_file_read(path, true, &text, create ? NULL : err);
    if (create && status == VALET_NOT_FOUND)
        VL_TRY(create_file(path, &created, err));
    if (create && status != VALET_OK)
        status = vl_file_read(path, true, &text, err);
    VL_TRY(status);
    VL_TRY(vl_keyring_parse(path, vl_buf_str(&text), ret, err));
    if (ret_created)
        *ret_created = created;
    return VALET_OK;
}

struct vl_keyring *
vl_keyring_new_random(void)
{
    unsigned char key[VL_KEY_SIZE];
    struct vl_keyring *ring = map_ring();
    vl_random(key, sizeof key);
    add_key(ring, VL_STR("memory"), vl_str_of(key, sizeof key));
    vl_wipe(key, sizeof key);
    return ring;
}

struct vl_secret
vl_keyring_derive(const struct vl_keyring *ring, const char *label)
{
    VL_ASSERT(strcmp(label, SEALING_LABEL) != 0); /* that one is ours */
    return derive(&ring->keys[ring->count - 1], label);
}
