/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of certificates whose issuers others are to be believed by.
 */
#ifndef VL_CRYPTO_ROOTS_H
#define VL_CRYPTO_ROOTS_H

#include "core/str.h"

/*
 * Can OpenSSL, hence libcurl, read all of this PEM text, and is there a
 * certificate in it? VALET_INVALID says what it is not: one block that cannot
 * be read makes libcurl refuse all of them, at each request.
 */
valet_status vl_roots_check(struct vl_str pem, valet_error *err) VALET_CHECK;

#endif
