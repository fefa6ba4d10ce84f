/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_FRAME_H
#define GX_EXMDB_FRAME_H
/**
 * @file exmdb-frame.h
 * Frames of the exmdb protocol, [gromox-wire] 2; what stands in them is in gx/exmdb-types.h.
 *
 * A request is a u32 length, then call number, store directory and parameters; length 0 is a ping,
 * answered by one zero byte. An answer is a zero byte, a u32 length and the result, or one byte
 * that says why not. On a notification connection the server sends frames and the client
 * acknowledges each with one byte. Thread class: confined.
 */
#include <gx/exmdb-types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** First byte of an answer. */
enum {
	GX_XC_SUCCESS = 0x00, GX_XC_ACCESS_DENY = 0x01, GX_XC_MAX_REACHED = 0x02, GX_XC_LACK_MEMORY = 0x03,
	GX_XC_MISCONFIG_PREFIX = 0x04, GX_XC_MISCONFIG_MODE = 0x05, GX_XC_CONNECT_INCOMPLETE = 0x06,
	GX_XC_PULL_ERROR = 0x07, GX_XC_DISPATCH_ERROR = 0x08, GX_XC_PUSH_ERROR = 0x09,
	GX_XC_SERVICE_UNAVAILABLE = 0x10, GX_XC_INVALID = 0xff,
};
/** "dispatch_error"; never NULL. */
GX_API const char *gx_xcode_name(uint8_t code);
/** One English sentence; never NULL. */
GX_API const char *gx_xcode_text(uint8_t code);

/** Most bytes of a notification frame that clients take. */
#define GX_XFRAME_EVENT_MAX (532u * 1024)

/**
 * Looks for a whole frame (length and body) at the start of @p data.
 * @param limit most bytes of a body. @param ret_used bytes of the frame, or, while it is not whole,
 * how many it will have (0: not known yet). @return 1 whole, 0 more is needed, GX_E_LIMIT.
 */
GX_API int gx_xframe_split(const void *data, size_t len, uint32_t limit, struct gx_bin *ret_body, size_t *ret_used) GX_MUST_CHECK;

struct gx_xrequest {
	const char *dir;                  /**< without slashes at the end */
	const struct gx_call_desc *call;
	void *req;                        /**< NULL when the call has no parameters */
};
/**
 * Body of a request; what it borrows is in the body and in @p a. GX_E_UNSUP: no such call;
 * ret_r->call and dir are set as far as they were read.
 */
GX_API int gx_xframe_pull_request(struct gx_bin body, struct gx_arena *a, struct gx_xrequest *ret_r) GX_MUST_CHECK;
/** Appends a whole frame, or nothing on failure. @p a is scratch. GX_E_UNSUP, GX_E_RANGE, GX_E_INVAL. */
GX_API int gx_xframe_push_request(struct gx_push *c, struct gx_arena *a, const char *dir, uint8_t call, const void *req) GX_MUST_CHECK;
GX_API void gx_xframe_push_ping(struct gx_push *c);

/** The answer of a success, or nothing on failure. */
GX_API int gx_xframe_push_answer(struct gx_push *c, struct gx_arena *a, const struct gx_call_desc *call, const void *ans) GX_MUST_CHECK;
/**
 * Looks for a whole answer. A code other than 0 is one by itself. @param ret_used as above.
 * @return 1 whole, 0 more is needed, GX_E_LIMIT.
 */
GX_API int gx_xframe_split_answer(const void *data, size_t len, uint32_t limit, uint8_t *ret_code, struct gx_bin *ret_body,
	size_t *ret_used) GX_MUST_CHECK;
/** @p ret_ans is the call's answer struct; all of @p body must be used. */
GX_API int gx_xframe_pull_answer(struct gx_bin body, struct gx_arena *a, const struct gx_call_desc *call, void *ret_ans) GX_MUST_CHECK;

/** A whole frame, or nothing; GX_E_LIMIT above GX_XFRAME_EVENT_MAX. */
GX_API int gx_xframe_push_event(struct gx_push *c, struct gx_arena *a, const struct gx_x_notification *n) GX_MUST_CHECK;
GX_API int gx_xframe_pull_event(struct gx_bin body, struct gx_arena *a, struct gx_x_notification *ret_n) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
