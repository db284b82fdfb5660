/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean": the fewest letters to change, add or leave out that make
 * one key of another (Levenshtein's distance).
 */
#include "conf/options.h"

#define KEY_MAX_SIZE 40

static size_t
least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* `a` and `b` have at most KEY_MAX_SIZE bytes. */
static size_t
distance(struct vl_str a, struct vl_str b)
{
    size_t row[KEY_MAX_SIZE + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, change);
        }
    }
    return row[b.n];
}

static const struct vl_option *
find_elsewhere(struct vl_str key)
{
    size_t count;
    const struct vl_option *all = vl_options(&count);
    const struct vl_option *found = vl_option_find(all, count, key);
    for (size_t i = 0; i < count && !found; i++)
        found = vl_option_find(all[i].items, all[i].item_count, key);
    return found;
}

const struct vl_option *
vl_option_suggest(const struct vl_option *table, size_t count,
                  struct vl_str key)
{
    const struct vl_option *nearest = find_elsewhere(key);
    if (nearest || key.n > KEY_MAX_SIZE)
        return nearest;
    /* A third of the letters may differ: more is another word. */
    size_t best = key.n / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        struct vl_str known = vl_str_z(vl_option_key(&table[i]));
        size_t d = known.n <= KEY_MAX_SIZE ? distance(key, known) : best;
        if (d < best || (d == best && !nearest && key.n >= 3)) {
            best = d;
            nearest = &table[i];
        }
    }
    return nearest;
}
