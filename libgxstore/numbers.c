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

/* ---- Ids of what is gone ---- */

/*
 * An id below the next one was given to something or lies in a range set aside; what is deleted for good takes its id out of
 * its range. So an id that no object has, below the next one and in no range, is that of something gone, and no list of those is kept.
 */

/* The range with @id: 1, or 0 for none. */
static int range_of(struct gx_txn *t, uint64_t id, uint64_t *ret_first, uint64_t *ret_last)
{
	GX_STMT(st, t->q, "SELECT first,last FROM reserved WHERE first<=?1 ORDER BY first DESC LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	*ret_first = gx_sql__u64(st, 0);
	*ret_last = gx_sql__u64(st, 1);
	return *ret_last >= id;
}

static int put_range(struct gx_txn *t, uint64_t first, uint64_t last)
{
	GX_STMT(st, t->q, "INSERT OR REPLACE INTO reserved(first,last) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)first);
	gx_sql__bind_int(st, 2, (int64_t)last);
	return gx_sql__run(st);
}

static int drop_range(struct gx_txn *t, uint64_t first)
{
	GX_STMT(st, t->q, "DELETE FROM reserved WHERE first=?1");
	gx_sql__bind_int(st, 1, (int64_t)first);
	return gx_sql__run(st);
}

int gx_txn__spend_id(struct gx_txn *t, uint64_t id)
{
	uint64_t first, last;
	int r = range_of(t, id, &first, &last);
	if (r <= 0)
		return r;
	int err = first == id ? drop_range(t, first) : put_range(t, first, id - 1);
	return err != 0 || last == id ? err : put_range(t, id + 1, last);
}

int gx_txn__is_spent(struct gx_txn *t, uint64_t id)
{
	struct gx_fstate *f;
	uint64_t first, last;
	int r = gx_fstate__get(t, 0, &f);
	if (r == 0 && id >= f->uidnext)
		return 0;
	r = r != 0 ? r : range_of(t, id, &first, &last);
	return r < 0 ? r : r == 0;
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
