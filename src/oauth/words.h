/* SPDX-License-Identifier: Apache-2.0
 *
 * Small texts of OAuth answers, read strictly, whoever they come from.
 */
#ifndef VL_OAUTH_WORDS_H
#define VL_OAUTH_WORDS_H

#include "core/str.h"

/* RFC 6749 appendix A.12 and A.17, without the space: what can be sent on. At
 * most VL_LIMIT_UPSTREAM_TOKEN bytes; the empty text is one. */
bool vl_oauth_is_token(struct vl_str text);
/* An error or suberror as a word of lower-case ASCII (RFC 6749 section 5.2).
 * "" for what is longer or has other bytes: it is nobody's, and could be a
 * token. */
void vl_oauth_copy_word(char *ret, size_t size, struct vl_str word);
/* The number of "AADSTS50173: …", as Entra's descriptions begin; 0: none. The
 * rest is prose that may name people. */
unsigned vl_oauth_aadsts(struct vl_str description);

#endif
