/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls of the C library that this project does without. Each has a bounded
 * counterpart; using one is a compile error that names it.
 */
#ifndef VL_CORE_BANNED_H
#define VL_CORE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VL_BANNED(function, instead)                                           \
    __attribute__((error(#function " is banned: use " instead)))

#if !defined(__clang__) && !defined(__cplusplus)
extern char *strcpy(char *, const char *) VL_BANNED(strcpy, "vl_buf");
extern char *strcat(char *, const char *) VL_BANNED(strcat, "vl_buf");
extern char *
strncpy(char *, const char *, size_t) VL_BANNED(strncpy, "vl_str and memcpy");
extern char *strncat(char *, const char *, size_t) VL_BANNED(strncat, "vl_buf");
extern char *strtok(char *, const char *) VL_BANNED(strtok, "vl_str_split");
extern int atoi(const char *) VL_BANNED(atoi, "vl_str_u64");
extern long atol(const char *) VL_BANNED(atol, "vl_str_u64");
extern char *gets(char *) VL_BANNED(gets, "vl_file_read");
extern int rand(void) VL_BANNED(rand, "vl_random");
extern struct tm *gmtime(const time_t *) VL_BANNED(gmtime, "gmtime_r");
extern struct tm *localtime(const time_t *) VL_BANNED(localtime, "gmtime_r");
extern char *ctime(const time_t *) VL_BANNED(ctime, "vl_time_iso");
#endif

#endif
