/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to book*.c: the form of the document.
 */
#ifndef VL_ACCESS_BOOK_INSIDE_H
#define VL_ACCESS_BOOK_INSIDE_H

#include "access/book.h"

enum vl_book_section {
    VL_BOOK_SITES,
    VL_BOOK_CLIENTS,
    VL_BOOK_TOKENS,
    VL_BOOK_GIVEN,
    VL_BOOK_REFUSED,
    VL_BOOK_SECTION_COUNT
};

/* Names of members that are ours: an entry that is replaced keeps the others.
 */
struct vl_book_section_form {
    const char *name;
    const char *members[16];
};
extern const struct vl_book_section_form
    vl_book_sections[VL_BOOK_SECTION_COUNT];

/* An entry that has these texts; the first without a name ends it. */
enum { VL_BOOK_FIELDS = 3 };
struct vl_book_field {
    const char *name;
    struct vl_str value;
};
struct vl_book_match {
    struct vl_book_field fields[VL_BOOK_FIELDS];
};
bool
vl_book_matches(const struct json_t *entry, const struct vl_book_match *match);
struct vl_book_match vl_book_match_key(const struct vl_book_key *key);

valet_status vl_book_parse(struct vl_str text, struct vl_book *ret,
                           valet_error *err) VALET_CHECK;

#endif
