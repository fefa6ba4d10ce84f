/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_ROP_H
#define GX_ROP_H
/**
 * @file rop.h
 * Remote operations in their buffers, [MS-OXCROPS] 2.2.1, for servers and for clients.
 *
 * A buffer holds requests or responses one behind the other, and the table of server object handles that
 * they index. Each has a head; what follows is described in defs/rop.def and needs a context
 * (gx_dctx): the code page, whether the logon is of public folders (GX_CTX_ROP_PUBLIC_LOGON), and for rows
 * the columns (gx_dctx.custom, struct gx_columns). So heads and bodies are pulled apart.
 *
 * Thread class: confined.
 */
#include <gx/rop-types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** In tables of handles: no object. */
#define GX_ROP_NO_HANDLE UINT32_MAX

struct gx_rop_buffer {
	struct gx_bin rops;       /**< RopsList; borrowed */
	uint32_t *handles;
	uint32_t handle_count;
};

struct gx_rop_request {
	const struct gx_rop_desc *desc;
	uint8_t logon_id;
	uint8_t handle[2];        /**< indexes, as many as the operation has, in wire order */
	void *body;               /**< struct gx_rop_NAME_req; NULL when it has none */
};

struct gx_rop_response {
	const struct gx_rop_desc *desc;
	uint8_t handle;           /**< the index that the response repeats */
	uint32_t return_value;
	void *body;               /**< struct gx_rop_NAME_res or _fail; NULL when there is none */
};

/** Does the response have index and ReturnValue? RopNotify, RopPending, RopBackoff and RopBufferTooSmall do not. */
GX_API bool gx_rop_is_answer(const struct gx_rop_desc *d);
/** The body of a response with this ReturnValue; NULL when it has none. */
GX_API const struct gx_desc *gx_rop_response_body(const struct gx_rop_desc *d, uint32_t return_value);

/** @p a holds the handles. GX_E_FORMAT, GX_E_TRUNC, GX_E_NOMEM. */
GX_API int gx_rop_buffer_pull(const void *data, size_t len, struct gx_arena *a, struct gx_rop_buffer *ret_b) GX_MUST_CHECK;
/** GX_E_RANGE for more than 65533 bytes of operations. */
GX_API void gx_rop_buffer_push(struct gx_push *c, const struct gx_rop_buffer *b);

/** GX_E_UNSUP: there is no such operation, or it is one that only servers send. */
GX_API void gx_rop_pull_request_head(struct gx_pull *c, struct gx_rop_request *ret_r);
GX_API void gx_rop_pull_request_body(struct gx_pull *c, const struct gx_dctx *x, struct gx_rop_request *io_r);
GX_API void gx_rop_push_request(struct gx_push *c, const struct gx_dctx *x, const struct gx_rop_request *r);
GX_API void gx_rop_print_request(struct gx_strbuf *b, const struct gx_dctx *x, const struct gx_rop_request *r);

GX_API void gx_rop_pull_response_head(struct gx_pull *c, struct gx_rop_response *ret_r);
GX_API void gx_rop_pull_response_body(struct gx_pull *c, const struct gx_dctx *x, struct gx_rop_response *io_r);
GX_API void gx_rop_push_response(struct gx_push *c, const struct gx_dctx *x, const struct gx_rop_response *r);
GX_API void gx_rop_print_response(struct gx_strbuf *b, const struct gx_dctx *x, const struct gx_rop_response *r);

#ifdef __cplusplus
}
#endif
#endif
