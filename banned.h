/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that have a safer form; included into every compilation unit by the build. */
#ifndef GX_BANNED_H
#define GX_BANNED_H
#ifndef __cplusplus
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#define strcpy(d, s) use_gx_strbuf_or_memcpy_instead_of_strcpy
#define strcat(d, s) use_gx_strbuf_instead_of_strcat
#define strncpy(d, s, n) use_snprintf_or_memcpy_instead_of_strncpy
#define strncat(d, s, n) use_gx_strbuf_instead_of_strncat
#define sprintf use_snprintf_instead_of_sprintf
#define vsprintf use_vsnprintf_instead_of_vsprintf
#define strtok(s, d) use_strtok_r_or_strspn_instead_of_strtok
#define gmtime(t) use_gmtime_r_instead_of_gmtime
#define localtime(t) use_localtime_r_instead_of_localtime
#define ctime(t) use_strftime_instead_of_ctime
#define asctime(t) use_strftime_instead_of_asctime
#define atoi(s) use_strtol_instead_of_atoi
#endif
#endif
