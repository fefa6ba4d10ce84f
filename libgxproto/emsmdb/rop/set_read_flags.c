/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RopSetReadFlags, [MS-OXCMSG] 2.2.3.10 and 3.2.5.10: some messages of a folder, or all. In portions, between which others write. It
 * is done when it answers, also where the client would let it go on by itself.
 */
#include <config.h>
#include "libgxproto/emsmdb/receipt.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PORTION = 256, AT_ONCE = 8192, READ_FLAGS = 0x7f };

static gx_ec portion(struct gx_rop_call *c, uint64_t fid, const uint64_t *mids, size_t n, uint8_t flags, bool *io_partial)
{
	struct gx_txn *t;
	struct gx_ems_owing due = {0};
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i) {
		struct gx_msg_info info;
		ec = gx_msg_get(t, mids[i], &info);
		if (!gx_ec_failed(ec) && info.fid != fid)
			ec = GX_EC(ecNotFound);
		if (!gx_ec_failed(ec))
			ec = gx_ems__set_read(c, t, mids[i], flags, &due, NULL);
		if (gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecAccessDenied)) {
			*io_partial = true;
			ec = EMS_OK;
		}
	}
	return gx_ems__end_owing(c, t, &due, ec);
}

static gx_ec some(struct gx_rop_call *c, uint64_t fid, const uint64_t *mids, size_t n, uint8_t flags, bool *io_partial)
{
	gx_ec ec = EMS_OK;
	for (size_t i = 0; i < n && !gx_ec_failed(ec); i += PORTION)
		ec = portion(c, fid, mids + i, n - i < PORTION ? n - i : PORTION, flags, io_partial);
	return ec;
}

static gx_ec rows(struct gx_rop_call *c, struct gx_table *tb, uint32_t pos, uint64_t *mids, size_t *ret_n)
{
	struct gx_txn *t;
	struct gx_table_row *v = NULL;
	gx_ec ec = gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_table_query(tb, t, pos, AT_ONCE, NULL, 0, c->a, &v, ret_n));
	for (size_t i = 0; !gx_ec_failed(ec) && i < *ret_n; ++i)
		mids[i] = v[i].id;
	return ec;
}

/* By delivery time, which marking does not change. */
static gx_ec all(struct gx_rop_call *c, uint64_t fid, uint8_t flags, bool *io_partial)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_txn *t;
	size_t n = AT_ONCE;
	uint64_t *mids = gx_arena_new_array(c->a, uint64_t, AT_ONCE);
	o.fid = fid;
	gx_ec ec = mids == NULL ? GX_EC(ecMAPIOOM) : gx_rop__read(c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_table_open_contents(t, &o, &tb));
	if (gx_ec_failed(ec))
		return ec;
	for (uint32_t pos = 0; !gx_ec_failed(ec) && n == AT_ONCE; pos += AT_ONCE) {
		ec = rows(c, tb, pos, mids, &n);
		if (!gx_ec_failed(ec))
			ec = some(c, fid, mids, n, flags, io_partial);
	}
	gx_table_close(tb);
	return ec;
}

gx_ec gx_rop__set_read_flags(struct gx_rop_call *c, const struct gx_rop_set_read_flags_req *q, struct gx_rop_set_read_flags_res *r)
{
	const uint64_t *mids;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNullObject);
	if (q->read_flags & ~READ_FLAGS)
		return gx_rop__fail(c, ecInvalidParam, "flags 0x%02x", q->read_flags);
	if (q->message_ids_count == 0)
		return all(c, f->fid, q->read_flags, &r->partial_completion);
	gx_ec ec = gx_ems__plain_list(c, q->message_ids, q->message_ids_count, &mids);
	return gx_ec_failed(ec) ? ec : some(c, f->fid, mids, q->message_ids_count, q->read_flags, &r->partial_completion);
}
