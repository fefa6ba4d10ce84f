/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/storeset.h>
#include "libgxstore/order/order-int.h"

/* Numbers that IMAP clients know messages by are given anew, in the order that there is. */

static int number_messages(struct gx_txn *t)
{
	GX_STMT(st, t->q, "UPDATE msg SET uid=n FROM (SELECT mid AS m, ROW_NUMBER() OVER (PARTITION BY fid ORDER BY uid) AS n"
		" FROM msg WHERE uid>0) WHERE mid=m AND uid<>n");
	return gx_sql__run(st);
}

static int renew_folder(struct gx_txn *t, uint64_t fid, uint64_t uidnext)
{
	struct gx_fstate *f, *s = t->store_state;
	int err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	int64_t now = gx_store__now_unix(t->s);
	s->uidvalidity = now > s->uidvalidity && now <= UINT32_MAX ? (uint32_t)now : s->uidvalidity + 1;
	f->uidvalidity = s->uidvalidity;
	f->uidnext = uidnext;
	f->log_bytes = 0;
	f->log_floor = f->modseq = gx_txn__new_cn(t);
	f->dirty = s->dirty = true;
	return gx_txn__vop(t, fid, GX_VOP_DROP, NULL);
}

static int renew_folders(struct gx_txn *t)
{
	GX_STMT(st, t->q,
		"SELECT s.fid, COALESCE((SELECT MAX(uid) FROM msg m WHERE m.fid=s.fid),0)+1 FROM fstate s WHERE s.fid<>0");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = renew_folder(t, gx_sql__u64(st, 0), gx_sql__u64(st, 1));
		if (err != 0)
			return err;
	}
	return r;
}

gx_ec gx_store_renumber(struct gx_txn *t)
{
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	if (!gx_txn__all_rights(t))
		return gx_txn__fail(t, ecAccessDenied, "only the owner renumbers messages");
	int err = gx_change__flush(t);
	err = err != 0 ? err : gx_fstate__write(t);
	err = err != 0 ? err : number_messages(t);
	err = err != 0 ? err : renew_folders(t);
	err = err != 0 ? err : gx_sql__exec(t->q, "DELETE FROM log");
	err = err != 0 ? err : gx_order__rebuild(t); /* one that is being built goes by UIDs */
	return gx_txn__ec(t, err);
}
