/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EC_H
#define GX_EC_H
/**
 * @file ec.h
 * What a client is told: the codes of [MS-OXCDATA] 2.4. Store, ROP, NSPI and EWS operations
 * return it. A struct, so that the compiler keeps it apart from GX_E_* and from truth values.
 * Thread class: immutable.
 */
#include <gx/base.h>
#include <gx/ec-codes.h> /* generated from facts/errors.tsv: enum constants ecNotFound ... */

#ifdef __cplusplus
extern "C" {
#endif

struct gx_ec {
	uint32_t v;
};
typedef struct gx_ec gx_ec;

#ifdef __cplusplus
#define GX_EC(code) (gx_ec{(uint32_t)(code)})
#else
#define GX_EC(code) ((gx_ec){(uint32_t)(code)})
#endif

static inline bool gx_ec_is(gx_ec e, uint32_t code)
{
	return e.v == code;
}
/** Errors have the top bit set or are one of the store's small codes; warnings are success with a remark. */
GX_API bool gx_ec_failed(gx_ec e);
/** "ecNotFound"; never NULL. */
GX_API const char *gx_ec_name(gx_ec e);
/** One English sentence; never NULL. */
GX_API const char *gx_ec_text(gx_ec e);
/** The border between the two kinds of error: GX_E_* to a code; 0 to ecSuccess. */
GX_API gx_ec gx_ec_from_err(int err);
/** And back, for callers that only know GX_E_*. */
GX_API int gx_ec_to_err(gx_ec e);

#ifdef __cplusplus
}
#endif
#endif
