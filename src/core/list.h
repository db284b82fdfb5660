/* SPDX-License-Identifier: Apache-2.0
 *
 * An intrusive, circular, doubly linked list. The node lives inside the
 * element; the list owns nothing. A node not in a list points to itself.
 */
#ifndef VL_CORE_LIST_H
#define VL_CORE_LIST_H

#include "core/base.h"

struct vl_list {
    struct vl_list *next, *prev;
};

static inline void
vl_list_init(struct vl_list *list)
{
    list->next = list->prev = list;
}

static inline bool
vl_list_is_empty(const struct vl_list *list)
{
    return list->next == list;
}

static inline void
vl_list_add_last(struct vl_list *list, struct vl_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

/* Safe for a node that is in no list. */
static inline void
vl_list_remove(struct vl_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = node;
}

/* The loop body may remove `it`. */
#define VL_LIST_EACH(it, list)                                                 \
    for (struct vl_list *it = (list)->next, *it##_next = it->next;             \
         it != (list); it = it##_next, it##_next = it->next)

#endif
