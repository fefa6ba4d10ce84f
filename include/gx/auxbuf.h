/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_AUXBUF_H
#define GX_AUXBUF_H
/**
 * @file auxbuf.h
 * What clients and servers tell each other of themselves beside their requests: the blocks of auxiliary buffers, [MS-OXCRPC]
 * 2.2.2.2 (defs/aux.def). The buffer itself is an extended one, see gx/rpcext.h. Thread class: immutable.
 */
#include <gx/aux-types.h>
#include <gx/cursor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Types that servers look at or send. */
enum {
	GX_AUX_CLIENTINFO = 0x02, GX_AUX_FAILURE = 0x09, GX_AUX_CLIENT_CONTROL = 0x0a, GX_AUX_PROCESSINFO = 0x0b, GX_AUX_BG_FAILURE = 0x10,
	GX_AUX_FG_FAILURE = 0x15, GX_AUX_EXORGINFO = 0x17, GX_AUX_ENDPOINT_CAPABILITIES = 0x48,
};
/** ClientMode of aux_perf_clientinfo */
enum { GX_CLIENTMODE_UNKNOWN = 0, GX_CLIENTMODE_CLASSIC = 1, GX_CLIENTMODE_CACHED = 2 };

struct gx_aux_block {
	uint8_t version, type;
	const struct gx_desc *desc;  /**< NULL: a type that is not described */
	void *body;                  /**< struct gx_aux_*, as desc says; NULL without it */
	struct gx_bin bytes;         /**< the whole block, for gx_aux_text() */
};

/** What is described for a type in a version; NULL: nothing. */
GX_API const struct gx_desc *gx_aux_find(uint8_t version, uint8_t type);
/** The next block; the body is in @p a. GX_E_TRUNC, GX_E_FORMAT: its size is not what it should be; GX_E_NOMEM. */
GX_API void gx_aux_pull(struct gx_pull *c, struct gx_arena *a, struct gx_aux_block *ret_b);
/** With @p body as its type and version are described, which they must be (GX_E_INVAL). GX_E_RANGE above 65535 bytes. */
GX_API void gx_aux_push(struct gx_push *c, uint8_t version, uint8_t type, const void *body);
/** The UTF-16 text at @p offset of the block, in @p a; NULL for 0 and where none is. */
GX_API const char *gx_aux_text(const struct gx_aux_block *b, uint16_t offset, struct gx_arena *a);

#ifdef __cplusplus
}
#endif
#endif
