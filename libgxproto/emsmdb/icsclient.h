/* SPDX-License-Identifier: Apache-2.0 */
/* A client that synchronises, operation by operation. */
#ifndef GX_ICSCLIENT_H
#define GX_ICSCLIENT_H
#include <gx/ics.h>
#include <gx/syncin.h>
#include "libgxproto/emsmdb/emstest.h"
#include "libgxproto/emsmdb/sync.h"

enum { IC_LOGON = 0, IC_FOLDER = 1, IC_SYNC = 2, IC_STATE = 3, IC_COLLECTOR = 4, IC_MESSAGE = 5, IC_DEST = 6, IC_FOLDER2 = 7 };
enum { IC_BUFFER = 32768 };

/* Long tests would keep every buffer: what requests need is in an arena that is emptied. */
static struct gx_arena *ic_base;

static inline void ic_setup(void)
{
	et_setup();
	ic_base = et_a;
	et_a = gx_arena_new(0);
	et_x = (struct gx_dctx){.px = GX_PX_ROP(et_a, 1252), .custom = &et_columns};
	et_logon(et_dn[0]);
}

static inline void ic_reset(void)
{
	gx_arena_reset(et_a);
}

static inline void ic_teardown(void)
{
	gx_arena_free(et_a);
	et_a = ic_base;
	et_teardown();
}

static inline void ic_release(uint8_t h)
{
	struct gx_pull c;
	et_add(RopRelease, h, 0, NULL);
	ST_OK(et_send_to(et_s, 0, IC_BUFFER, &c));
}

static inline void ic_open(uint8_t h, uint64_t fid)
{
	ST_OK(et_do(RopOpenFolder, IC_LOGON, h, &(struct gx_rop_open_folder_req){gx_eid_wire(fid), 0}, NULL));
}

/* The session is lost with all that was open in it. */
static inline void ic_reconnect(void)
{
	gx_ems_session_end(et_s);
	gx_ems_session_put(et_s);
	et_s = et_connect("ann@example.org", et_dn[0]);
	memset(et_handles, 0xff, sizeof(et_handles));
	et_logon(et_dn[0]);
}

/* ---- State ---- */

static inline void ic_state_free(struct gx_bin set[GX_SYNCIN_SETS])
{
	for (int i = 0; i < GX_SYNCIN_SETS; ++i)
		free((void *)(uintptr_t)set[i].data);
	memset(set, 0, GX_SYNCIN_SETS * sizeof(set[0]));
}

static inline void ic_state_copy(struct gx_bin dst[GX_SYNCIN_SETS], const struct gx_bin src[GX_SYNCIN_SETS])
{
	ic_state_free(dst);
	for (int i = 0; i < GX_SYNCIN_SETS; ++i)
		if (src[i].data != NULL)
			dst[i] = (struct gx_bin){memcpy(malloc(src[i].len + 1), src[i].data, src[i].len), src[i].len};
}

/* One of its numbers, or without it. */
static inline void ic_state_change(struct gx_bin set[GX_SYNCIN_SETS], int which, uint64_t number, bool there)
{
	struct gx_idset ids = GX_IDSET_INIT(GX_IDSET_REPLGUID);
	struct gx_globset *g;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_pull c;
	gx_pull_init(&c, set[which].data, set[which].len);
	ck_assert_int_eq(gx_idset_pull(&c, &ids), 0);
	const struct gx_store *s = et_s->logons[0]->store;
	ck_assert_int_eq(gx_idset_need_guid(&ids, gx_store_replica(s), &g), 0);
	ck_assert_int_eq(there ? gx_globset_add(g, number) : gx_globset_remove(g, number), 0);
	gx_idset_push(&out, &ids);
	ck_assert_int_eq(out.err, 0);
	free((void *)(uintptr_t)set[which].data);
	uint8_t *copy = malloc(out.len + 1);
	if (out.len > 0)
		memcpy(copy, out.data, out.len);
	set[which] = (struct gx_bin){copy, out.len};
	gx_push_release(&out);
	gx_idset_release(&ids);
}

static inline void ic_upload_set(uint8_t h, gx_proptag_t tag, struct gx_bin b)
{
	size_t half = b.len / 2;
	const struct gx_rop_synchronization_upload_state_stream_begin_req q = {tag, (uint32_t)b.len};
	const struct gx_rop_synchronization_upload_state_stream_continue_req p1 = {{b.data, half}}, p2 = {{b.data + half, b.len - half}};
	ST_OK(et_do(RopSynchronizationUploadStateStreamBegin, h, 0, &q, NULL));
	ST_OK(et_do(RopSynchronizationUploadStateStreamContinue, h, 0, &p1, NULL));
	ST_OK(et_do(RopSynchronizationUploadStateStreamContinue, h, 0, &p2, NULL));
	ST_OK(et_do(RopSynchronizationUploadStateStreamEnd, h, 0, NULL, NULL));
}

static inline void ic_upload_state(uint8_t h, const struct gx_bin set[GX_SYNCIN_SETS])
{
	for (int i = 0; i < GX_SYNCIN_SETS; ++i)
		if (set[i].data != NULL)
			ic_upload_set(h, gx_syncin_state_tag(i), set[i]);
}

/* ---- Down ---- */

/* Of the folder at IC_FOLDER, at IC_SYNC. */
static inline gx_ec ic_try_configure(const struct gx_rop_synchronization_configure_req *q)
{
	return et_do(RopSynchronizationConfigure, IC_FOLDER, IC_SYNC, q, NULL);
}

/* The next buffer. */
static inline gx_ec ic_get(uint8_t h, uint16_t size, struct gx_rop_fast_transfer_source_get_buffer_res **ret_r)
{
	const struct gx_rop_fast_transfer_source_get_buffer_req q = {size, size};
	return et_do(RopFastTransferSourceGetBuffer, h, 0, &q, (void **)ret_r);
}

static inline uint64_t ic_number(struct gx_bin source_key)
{
	uint64_t n = 0;
	ck_assert_uint_eq(source_key.len, 22);
	for (int i = 16; i < 22; ++i)
		n = n << 8 | source_key.data[i];
	return n;
}

static inline struct gx_bin ic_bin(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	ck_assert_msg(pv != NULL, "no %s", gx_proptag_name(tag));
	return pv->v.bin;
}

/* All of what stands at @h as one piece, in buffers of at most @size. */
static inline struct gx_bin ic_all(uint8_t h, uint16_t size)
{
	struct gx_push all = GX_PUSH_INIT;
	struct gx_rop_fast_transfer_source_get_buffer_res *r;
	struct gx_bin b;
	do {
		ST_OK(ic_get(h, size, &r));
		ck_assert_uint_le(r->transfer_buffer.len, size);
		ck_assert_uint_le(r->in_progress_count, r->total_step_count);
		gx_push_bytes(&all, r->transfer_buffer.data, r->transfer_buffer.len);
	} while (r->transfer_status == GX_FTX_STATUS_PARTIAL);
	ck_assert_uint_eq(r->transfer_status, GX_FTX_STATUS_DONE);
	ck_assert_uint_eq(r->in_progress_count, r->total_step_count);
	ck_assert_int_eq(gx_push_finish(&all, et_a, &b), 0);
	gx_push_release(&all);
	return b;
}

static inline int ic_keep_state(const struct gx_ftx_prop *p, void *ctx)
{
	struct gx_syncin_state *s = ctx;
	for (int i = 0; i < GX_SYNCIN_SETS; ++i)
		if (GX_PROP_ID(gx_syncin_state_tag(i)) == GX_PROP_ID(p->tag))
			s->set[i] = (struct gx_bin){gx_arena_memdup(et_a, p->v.bin.data, p->v.bin.len), p->v.bin.len};
	return 0;
}

/* The state of a download or collector. */
static inline void ic_fetch_state(uint8_t of, struct gx_bin set[GX_SYNCIN_SETS])
{
	static const struct gx_ftx_in_ops in_ops = {.prop = ic_keep_state};
	struct gx_syncin_state s = {0};
	ST_OK(et_do(RopSynchronizationGetTransferState, of, IC_STATE, NULL, NULL));
	struct gx_bin b = ic_all(IC_STATE, 400);
	struct gx_ftx_in *in = gx_ftx_in_new(&(struct gx_ftx_in_opts){.root = GX_FTX_STATE}, &in_ops, &s);
	ck_assert_int_eq(gx_ftx_in_write(in, b.data, b.len, NULL), 0);
	ck_assert_int_eq(gx_ftx_in_end(in), 0);
	gx_ftx_in_free(in);
	ic_state_copy(set, s.set);
	ic_release(IC_STATE);
}

#endif
