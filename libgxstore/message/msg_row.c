/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

static bool is_mine(struct gx_txn *t, struct gx_stmt *st)
{
	return t->actor->user != NULL && !gx_sql__is_null(st, 11) && gx_utf8_casecmp(gx_sql__text(st, 11), t->actor->user) == 0;
}

void gx_msg__read_row(struct gx_txn *t, struct gx_stmt *st, struct gx_msg_row *ret_r)
{
	*ret_r = (struct gx_msg_row){
		.mid = gx_sql__u64(st, 0), .fid = gx_sql__u64(st, 1), .uid = (uint32_t)gx_sql__u64(st, 2),
		.flags = (uint32_t)gx_sql__u64(st, 3), .kwset = (uint32_t)gx_sql__u64(st, 4), .modseq = gx_sql__u64(st, 5),
		.cn = gx_sql__u64(st, 6), .cn0 = gx_sql__u64(st, 7), .size = gx_sql__u64(st, 8), .received = gx_sql__u64(st, 9),
		.body = gx_sql__u64(st, 10), .rcn = gx_sql__u64(st, 12), .mine = is_mine(t, st),
	};
}

int gx_msg__row(struct gx_txn *t, uint64_t mid, struct gx_msg_row *ret_r)
{
	GX_STMT(st, t->q, "SELECT " GX_MSG_ROW_COLS " FROM msg m WHERE m.mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r = gx_sql__step(st);
	if (r > 0)
		gx_msg__read_row(t, st, ret_r);
	return r < 0 ? r : r == 0 ? GX_E_NOTFOUND : 0;
}

gx_ec gx_msg__readable(struct gx_txn *t, uint64_t mid, struct gx_msg_row *ret_r)
{
	struct gx_folder_row folder;
	int err = gx_msg__row(t, mid, ret_r);
	if (err == GX_E_NOTFOUND)
		return gx_txn__fail(t, ecNotFound, "no message %llx", (unsigned long long)mid);
	if (err != 0)
		return gx_txn__ec(t, err);
	return gx_txn__all_rights(t) ? GX_OK_EC : gx_folder__need(t, ret_r->fid, GX_RIGHT_READ, &folder);
}

gx_ec gx_msg_get(struct gx_txn *t, uint64_t mid, struct gx_msg_info *ret_info)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_get(t, mid, ret_info);
	struct gx_msg_row r;
	gx_ec ec = gx_msg__readable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	*ret_info = (struct gx_msg_info){.mid = mid, .fid = r.fid, .cn = r.cn, .uid = r.uid, .flags = r.flags,
		.kwset = r.kwset, .size = r.size, .received = r.received};
	return GX_OK_EC;
}
