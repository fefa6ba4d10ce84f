/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_BASE_H
#define GX_BASE_H
/**
 * @file base.h
 * What every other header needs: export mark, result codes, byte strings, GUIDs.
 *
 * Two kinds of result exist. An int, 0 or a negative GX_E_*, says whether the machinery could do
 * it; codecs, converters, transports and utilities speak only this. A struct gx_ec (ec.h) says
 * what the client is told; store operations return it.
 *
 * Thread class: immutable.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GX_API __attribute__((visibility("default")))
#define GX_MUST_CHECK __attribute__((warn_unused_result))
#define GX_PRINTF(f, a) __attribute__((format(printf, f, a)))

/** Could the machinery do it? 0 or one of these. */
enum {
	GX_OK = 0,
	GX_E_NOMEM = -1,    /**< out of memory */
	GX_E_TRUNC = -2,    /**< input ended too early */
	GX_E_FORMAT = -3,   /**< input is not what it should be */
	GX_E_LIMIT = -4,    /**< a size or count limit was reached */
	GX_E_DEPTH = -5,    /**< nested too deeply */
	GX_E_RANGE = -6,    /**< a number does not fit */
	GX_E_ENCODING = -7, /**< text is not in the encoding it claims */
	GX_E_IO = -8,       /**< the system refused to read or write; errno is set */
	GX_E_BUSY = -9,     /**< somebody else has it; try again later */
	GX_E_STATE = -10,   /**< not possible in this state */
	GX_E_UNSUP = -11,   /**< known, but this build or peer cannot do it */
	GX_E_INVAL = -12,   /**< a parameter is wrong: the caller's mistake */
	GX_E_NOTFOUND = -13, /**< there is no such thing */
	GX_E_EXISTS = -14,  /**< it exists already */
	GX_E_TIMEOUT = -15, /**< the deadline passed */
	GX_E_NOSPACE = -16, /**< disk full or over quota */
	GX_E_INTERNAL = -17 /**< a broken invariant; please report */
};

/** English text for a GX_E_* code; never NULL, static. */
GX_API const char *gx_strerror(int err);

/** A borrowed run of bytes. @p data may be NULL when @p len is 0. */
struct gx_bin {
	const uint8_t *data;
	size_t len;
};

/** [MS-DTYP] 2.3.4.2, fields in host order. */
struct gx_guid {
	uint32_t d1;
	uint16_t d2, d3;
	uint8_t d4[8];
};

/** Compares as the fields stand: <0, 0, >0. */
GX_API int gx_guid_cmp(const struct gx_guid *a, const struct gx_guid *b);
/** Little-endian wire form, 16 bytes. */
GX_API void gx_guid_put(const struct gx_guid *g, uint8_t out[16]);
GX_API void gx_guid_get(const uint8_t in[16], struct gx_guid *ret_g);
/** "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX" in lower case; @p out takes 37 bytes. */
GX_API void gx_guid_print(const struct gx_guid *g, char out[37]);
/** Reads that form, with or without braces. @return 0 or GX_E_FORMAT. */
GX_API int gx_guid_parse(const char *s, struct gx_guid *ret_g) GX_MUST_CHECK;
/** A random GUID (version 4) from the system's generator. */
GX_API int gx_guid_random(struct gx_guid *ret_g) GX_MUST_CHECK;

/** Library version, "MAJOR.MINOR.PATCH". */
GX_API const char *gx_version(void);

#ifdef __cplusplus
}
#endif
#endif
