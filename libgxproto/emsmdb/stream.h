/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_STREAM_H
#define GX_EMSMDB_STREAM_H
/*
 * Streams: a property's bytes and where the next of them are read or written, [MS-OXCPRPT] 3.2.5.11 to 3.2.5.23.
 *
 * Clones share the bytes. Those of messages and attachments are in the store's hands (gx_inst_stream) and become the property's
 * value when the object is used for something else, or the stream is closed; those of folders are in memory, and are
 * written when they are committed or closed.
 */
#include "libgxproto/emsmdb/attachment.h"

/* [MS-OXCPRPT] 3.2.5.16 and 3.2.5.18: codes that [MS-OXCDATA] does not have */
#define GX_EMS_STREAM_SEEK_ERROR 0x80030019U
#define GX_EMS_FOLDER_STREAM_MAX 0x1000000U /* of a folder's */

struct gx_ems_bytes {
	unsigned refs;
	struct gx_ems_session *s;
	struct gx_ems_logon *logon;
	gx_proptag_t tag;
	uint32_t cp;                     /* of a text's bytes */
	bool writable, dirty;
	struct gx_inst *inst;            /* has a reference; or: */
	struct gx_inst_stream *is;
	uint64_t fid;
	struct gx_push buf;
	struct gx_ems_bytes *next_dirty; /* of the session */
};

struct gx_ems_stream {
	struct gx_ems_obj obj;
	struct gx_ems_bytes *b;
	uint64_t pos;
};

struct gx_ems_stream *gx_ems__stream(struct gx_ems_obj *o);
/* A new one, with a reference to @b that it takes over, is the answer's object. */
gx_ec gx_ems__give_stream(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t pos);
void gx_bytes__unref(struct gx_ems_bytes *b);
uint64_t gx_bytes__size(struct gx_ems_bytes *b);
/* Appends what there is of [off, off+n). */
gx_ec gx_bytes__read(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t n, struct gx_push *out);
/* A gap before it is zeroes. ecTooBig, ecStorageAccessDenied. */
gx_ec gx_bytes__write(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, struct gx_bin data);
gx_ec gx_bytes__set_size(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t size);
/* They become the property's value; a folder's in the store. */
gx_ec gx_bytes__commit(struct gx_ems_bytes *b);
/* Nothing was written. */
void gx_bytes__clean(struct gx_ems_bytes *b);
/* Back to the property's value, or to nothing. */
gx_ec gx_bytes__revert(struct gx_rop_call *c, struct gx_ems_bytes *b);
void gx_bytes__touch(struct gx_ems_bytes *b);

/* What has been written to the streams of the operation's objects is what it finds in them. */
gx_ec gx_ems__settle_streams(struct gx_rop_call *c);

/* ---- Regions that are kept from others (streamlock.c), [MS-OXCPRPT] 3.2.5.21 ---- */

struct gx_ems_lock;
gx_ec gx_lock__add(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t size, uint32_t flags);
/* Of this session, of just this region. */
void gx_lock__remove(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t size, uint32_t flags);
/* May the session read or write there? ecStorageLockViolation; ecNetworkError: it has lost its lock, and what it wrote. */
gx_ec gx_lock__check(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t size, bool write);
/* All that were taken through them. */
void gx_lock__drop(struct gx_ems_bytes *b);

#endif
