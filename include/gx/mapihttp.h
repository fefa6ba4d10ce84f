/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MAPIHTTP_H
#define GX_MAPIHTTP_H
/**
 * @file mapihttp.h
 * Request types of MAPI over HTTP and their bodies (defs/mapihttp.def). Those of the address book are coded
 * with GX_PX_AB, those of mailboxes with any gx_px of UTF-16 text. Thread class: immutable.
 */
#include <gx/mapihttp-types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** X-ResponseCode, [MS-OXCMAPIHTTP] 2.2.3.3.3 */
enum {
	GX_MHC_SUCCESS, GX_MHC_UNKNOWN_FAILURE, GX_MHC_INVALID_VERB, GX_MHC_INVALID_PATH, GX_MHC_INVALID_HEADER,
	GX_MHC_INVALID_REQUEST_TYPE, GX_MHC_INVALID_CONTEXT_COOKIE, GX_MHC_MISSING_HEADER, GX_MHC_ANONYMOUS_NOT_ALLOWED,
	GX_MHC_TOO_LARGE, GX_MHC_CONTEXT_NOT_FOUND, GX_MHC_NO_PRIVILEGE, GX_MHC_INVALID_REQUEST_BODY, GX_MHC_MISSING_COOKIE,
	GX_MHC_RESERVED, GX_MHC_INVALID_SEQUENCE, GX_MHC_ENDPOINT_DISABLED, GX_MHC_INVALID_RESPONSE, GX_MHC_ENDPOINT_SHUTTING_DOWN,
};

/** By the name in X-RequestType, whose case counts; NULL when there is none. Static. */
GX_API const struct gx_exchange_desc *gx_mapihttp_find(const char *name);
/** The number in GX_MH_* of what gx_mapihttp_find() gave. */
GX_API uint32_t gx_mapihttp_number(const struct gx_exchange_desc *d);

#ifdef __cplusplus
}
#endif
#endif
