/* SPDX-License-Identifier: Apache-2.0
 *
 * One token validated, claims included, against OpenSSL's bare verification of
 * the same RSA-2048 signature: a prepared context, a digest that is already
 * computed, as `openssl speed` does it. In turns, by CPU time.
 *
 *     bench-validate ROUNDS MS TENANT AUDIENCE JWKS_URI KEY.pem < token
 *
 * prints one JSON line: microseconds of both for each round.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "valet/validate.h"

#define BATCH 200

static char token[20000];
static size_t token_size;
static valet_validator *validator;
static EVP_PKEY_CTX *bare;
static unsigned char digest[SHA256_DIGEST_LENGTH], signature[512];
static size_t signature_size;

static void
validate_once(void)
{
    valet_token good;
    valet_error err = {0};
    if (valet_validate(validator, token, token_size, &good, &err) != VALET_OK) {
        (void)fprintf(stderr, "%s: %s\n", err.code, err.message);
        exit(1);
    }
    valet_token_done(&good);
}

static void
verify_once(void)
{
    if (EVP_PKEY_verify(bare, signature, signature_size, digest,
                        sizeof digest) != 1)
        exit(1);
}

/* RFC 4648 section 5, without padding; good input only. */
static size_t
decode(const char *text, size_t n, unsigned char *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                  "stuvwxyz0123456789-_";
    unsigned bits = 0, held = 0;
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        bits = bits << 6 | (unsigned)(strchr(letters, text[i]) - letters);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[size++] = (unsigned char)(bits >> held);
        }
    }
    return size;
}

static void
prepare_bare(const char *pem)
{
    const char *dot = strrchr(token, '.');
    FILE *file = fopen(pem, "r");
    EVP_PKEY *key = file ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    if (!dot || !key)
        exit(2);
    (void)fclose(file);
    size_t head = (size_t)(dot - token);
    SHA256((const unsigned char *)token, head, digest);
    signature_size = decode(dot + 1, token_size - head - 1, signature);
    bare = EVP_PKEY_CTX_new(key, NULL);
    if (!bare || EVP_PKEY_verify_init(bare) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(bare, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(bare, EVP_sha256()) != 1)
        exit(2);
    EVP_PKEY_free(key); /* the context keeps it */
}

int
main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    const char *tenants[] = {argv[3], NULL}, *audiences[] = {argv[4], NULL};
    valet_error err = {0};
    token_size = fread(token, 1, sizeof token - 1, stdin);
    prepare_bare(argv[6]);
    if (valet_validator_new(&(valet_validator_options){.tenants = tenants,
                                                       .audiences = audiences,
                                                       .jwks_uri = argv[5]},
                            &validator, &err) != VALET_OK)
        return 2;
    validate_once();
    (void)printf("{\"bytes\":%zu,\"rounds\":[", token_size);
    for (int i = 0; i < atoi(argv[1]); i++) {
        double ours = measure(validate_once, BATCH, atof(argv[2]));
        double theirs = measure(verify_once, BATCH, atof(argv[2]));
        (void)printf("%s[%.3f,%.3f]", i ? "," : "", ours, theirs);
    }
    (void)printf("]}\n");
    EVP_PKEY_CTX_free(bare);
    valet_validator_free(validator);
    return 0;
}
