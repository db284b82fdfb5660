/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program of ours tells OpenSSL before anybody uses it.
 */
#ifndef VL_CRYPTO_START_H
#define VL_CRYPTO_START_H

/*
 * Leaves out OpenSSL's table of error texts: 420 kB of private memory that
 * nothing here reads, since failures are told in our own sentences (ADR 5).
 * For main() alone, first thing: it holds for the whole process, so a library
 * must not decide it.
 */
void vl_crypto_start(void);

#endif
