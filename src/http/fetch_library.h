/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to http/fetch*.c: libcurl, loaded when the first request is made.
 * With what it is linked with (GnuTLS, Kerberos, LDAP …) it costs more memory
 * and start-up time than all of ours: see ADR 5.
 */
#ifndef VL_HTTP_FETCH_LIBRARY_H
#define VL_HTTP_FETCH_LIBRARY_H

#include <curl/curl.h>

/* What we call of it. Its macros, which would check the types of options, are
 * bypassed: an option's value is written with the type that its page names. */
#define VL_CURL_FUNCTIONS(X)                                                   \
    X(easy_cleanup)                                                            \
    X(easy_getinfo)                                                            \
    X(easy_init)                                                               \
    X(easy_setopt)                                                             \
    X(easy_strerror)                                                           \
    X(global_cleanup)                                                          \
    X(global_init_mem)                                                         \
    X(multi_add_handle)                                                        \
    X(multi_assign)                                                            \
    X(multi_cleanup)                                                           \
    X(multi_info_read)                                                         \
    X(multi_init)                                                              \
    X(multi_remove_handle)                                                     \
    X(multi_setopt)                                                            \
    X(multi_socket_action)                                                     \
    X(multi_strerror)

#define VL_CURL_POINTER(name) __typeof__(&curl_##name) name;
struct vl_curl {
    VL_CURL_FUNCTIONS(VL_CURL_POINTER)
};
#undef VL_CURL_POINTER

/* Complete and constant once vl_fetch_available() has said OK; that may be
 * called from any thread, and its first call blocks while the linker reads
 * files (some 20 ms). The library stays until the process ends. */
extern struct vl_curl vl_curl;

#endif
