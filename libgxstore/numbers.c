/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include "libgxstore/store-int.h"

/* Ids and change numbers that come from, or go to, the outside. */

#define RESERVE_MAX 0x10000000U

/* 1 in use, 0 free. */
static int in_use(struct gx_txn *t, uint64_t id)
{
	GX_STMT(st, t->q, "SELECT 1 FROM msg WHERE mid=?1 UNION ALL SELECT 1 FROM folders WHERE fid=?1"
		" UNION ALL SELECT 1 FROM body WHERE id=?1 LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)id);
	return gx_sql__step(st);
}

void gx_txn__raise_cn(struct gx_txn *t, uint64_t cn)
{
	struct gx_fstate *s = t->store_state;
	if (cn <= s->modseq)
		return;
	t->numbers += cn - s->modseq;
	s->modseq = cn;
	s->dirty = true;
}

gx_ec gx_txn__claim_id(struct gx_txn *t, uint64_t id)
{
	struct gx_fstate *s = t->store_state;
	if (!gx_txn__all_rights(t) && !gx_ec_is(gx_store_check_reserved(t, id), ecSuccess))
		return gx_txn__fail(t, ecAccessDenied, "only the owner chooses ids that were not set aside");
	if (id == 0 || id > GX_COUNTER_MAX)
		return gx_txn__fail(t, ecInvalidParam, "%llx is no id", (unsigned long long)id);
	int r = in_use(t, id);
	if (r > 0)
		return gx_txn__fail(t, ecDuplicateObject, "id %llx is in use", (unsigned long long)id);
	if (r == 0 && id >= s->uidnext) {
		t->numbers += id + 1 - s->uidnext;
		s->uidnext = id + 1;
		s->dirty = true;
	}
	return gx_txn__ec(t, r);
}

gx_ec gx_store_reserve_ids(struct gx_txn *t, uint32_t count, uint64_t *ret_first)
{
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_fstate *s = t->store_state;
	if (count == 0 || count > RESERVE_MAX || s->uidnext > GX_COUNTER_MAX - count)
		return gx_txn__fail(t, ecInvalidParam, "%u ids cannot be set aside", count);
	uint64_t first = s->uidnext;
	GX_STMT(st, t->q, "INSERT INTO reserved(first,last) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)first);
	gx_sql__bind_int(st, 2, (int64_t)(first + count - 1));
	int err = gx_sql__run(st);
	if (err != 0)
		return gx_txn__ec(t, err);
	s->uidnext += count;
	s->dirty = true;
	t->numbers += count;
	*ret_first = first;
	return GX_OK_EC;
}

gx_ec gx_store_check_reserved(struct gx_txn *t, uint64_t id)
{
	int r;
	{
		GX_STMT(st, t->q, "SELECT last FROM reserved WHERE first<=?1 ORDER BY first DESC LIMIT 1");
		gx_sql__bind_int(st, 1, (int64_t)id);
		r = gx_sql__step(st);
		if (r > 0)
			r = gx_sql__u64(st, 0) >= id;
	}
	if (r == 0)
		return GX_EC(ecNotFound);
	r = r < 0 ? r : in_use(t, id);
	return r > 0 ? GX_EC(ecDuplicateObject) : gx_txn__ec(t, r);
}

gx_ec gx_store_raise_numbers(struct gx_txn *t, uint64_t id, uint64_t cn)
{
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	if (!gx_txn__all_rights(t))
		return gx_txn__fail(t, ecAccessDenied, "only the owner chooses numbers");
	if (id > GX_COUNTER_MAX || cn > GX_COUNTER_MAX)
		return gx_txn__fail(t, ecInvalidParam, "numbers have 48 bits");
	if (id >= t->store_state->uidnext) {
		t->numbers += id + 1 - t->store_state->uidnext;
		t->store_state->uidnext = id + 1;
		t->store_state->dirty = true;
	}
	gx_txn__raise_cn(t, cn);
	return GX_OK_EC;
}

gx_ec gx_store_new_id(struct gx_txn *t, uint64_t *ret_id)
{
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		*ret_id = gx_txn__new_id(t);
	return ec;
}

gx_ec gx_store_new_cn(struct gx_txn *t, uint64_t *ret_cn)
{
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		*ret_cn = gx_txn__new_cn(t);
	return ec;
}
