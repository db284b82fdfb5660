/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is signed in, shown to people; and which of them is meant. Nobody is
 * chosen but by the person at the terminal (@spec S-30 W-38).
 */
#ifndef VL_APPS_LOCAL_PEOPLE_H
#define VL_APPS_LOCAL_PEOPLE_H

#include "core/base.h"
#include "valet/entra.h"

/* A table with a head; with `numbered` each row begins with its number. */
void vl_people_print(FILE *out, const valet_account_list *list, bool numbered);
/*
 * Lists them on standard error and asks, if there is a terminal to ask at. The
 * id of the one that was chosen, borrowed from the list. NULL: none was, and
 * it has been said how to.
 */
const char *vl_people_choose(const valet_account_list *list);

#endif
