/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/message/msg-int.h"
#include "libgxstore/content/pread-int.h"

/* What changes of a message without its contents: read state and receipts, submission, timers. */

static gx_ec write_flags(struct gx_txn *t, const struct gx_msg_row *old, struct gx_msg_row *r)
{
	struct gx_fstate *f;
	if (old->flags == r->flags)
		return GX_OK_EC;
	int err = gx_fstate__get(t, r->fid, &f);
	if (err == 0)
		err = gx_change__before(t, old);
	if (err != 0)
		return gx_txn__ec(t, err);
	r->modseq = gx_txn__new_cn(t);
	if ((old->flags ^ r->flags) & GX_MSGF_READ)
		r->rcn = r->modseq;
	if ((old->flags ^ r->flags) & ~(uint32_t)(GX_MSGF_READ | GX_MSGF_RNPENDING | GX_MSGF_NRNPENDING))
		r->cn = r->modseq;
	GX_STMT(st, t->q, "UPDATE msg SET flags=?2, modseq=?3, cn=?4, rcn=?5 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, r->flags);
	gx_sql__bind_int(st, 3, (int64_t)r->modseq);
	gx_sql__bind_int(st, 4, (int64_t)r->cn);
	gx_sql__bind_int(st, 5, (int64_t)r->rcn);
	err = gx_sql__run(st);
	if (err == 0)
		err = gx_change__updated(t, f, old, r, GX_CH_FLAGS);
	return gx_txn__ec(t, err);
}

/* ---- Read state ---- */

/* What the flags of [MS-OXCMSG] 2.2.3.10.1 make of a message; @return whether a receipt is due. */
static bool apply(uint32_t how, bool was_read, struct gx_msg_row *r, bool *io_read)
{
	const uint32_t pending = GX_MSGF_RNPENDING | GX_MSGF_NRNPENDING;
	bool due = false;
	if (how & GX_RF_CLEAR_READ) {
		*io_read = false;
	} else if (how & (GX_RF_CLEAR_NOTIFY_READ | GX_RF_CLEAR_NOTIFY_UNREAD)) {
		r->flags &= ~(how & GX_RF_CLEAR_NOTIFY_READ ? (uint32_t)GX_MSGF_RNPENDING : 0);
		r->flags &= ~(how & GX_RF_CLEAR_NOTIFY_UNREAD ? (uint32_t)GX_MSGF_NRNPENDING : 0);
	} else if (how & GX_RF_RECEIPT_ONLY) {
		due = (r->flags & GX_MSGF_RNPENDING) != 0;
		r->flags &= ~pending;
	} else {
		*io_read = true;
		due = !was_read && !(how & GX_RF_SUPPRESS_RECEIPT) && (r->flags & GX_MSGF_RNPENDING);
		r->flags &= ~(was_read ? 0 : pending);
	}
	return due;
}

static gx_ec set_read(struct gx_txn *t, struct gx_msg_row *r, uint32_t how, struct gx_read_result *res)
{
	const struct gx_msg_row old = *r;
	bool read, was;
	int err = gx_pread__get(t, r, &was, &res->rcn);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (gx_pread__all_read(t->s))
		return GX_OK_EC;
	read = was;
	res->receipt_due = apply(how, was, r, &read);
	res->changed = read != was;
	if (!gx_pread__personal(t)) {
		r->flags = read ? r->flags | GX_MSGF_READ : r->flags & ~(uint32_t)GX_MSGF_READ;
		gx_ec ec = write_flags(t, &old, r);
		res->rcn = r->rcn;
		res->receipt_due = res->receipt_due && !t->s->is_public;
		return ec;
	}
	/* In a public store nobody answers for all readers. */
	res->receipt_due = false;
	return gx_txn__ec(t, res->changed ? gx_pread__set(t, r, read, &res->rcn) : 0);
}

gx_ec gx_msg_set_read(struct gx_txn *t, uint64_t mid, uint32_t how, struct gx_read_result *ret_result)
{
	const uint32_t known = GX_RF_SUPPRESS_RECEIPT | GX_RF_CLEAR_READ | GX_RF_RECEIPT_ONLY | GX_RF_CLEAR_NOTIFY_READ |
		GX_RF_CLEAR_NOTIFY_UNREAD | GX_RF_RESERVED;
	struct gx_msg_row r;
	struct gx_read_result res = {0};
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_msg__readable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	if (how & ~known)
		return gx_txn__fail(t, ecInvalidParam, "unknown read flags %x", how & ~known);
	ec = set_read(t, &r, how, &res);
	if (!gx_ec_failed(ec) && ret_result != NULL)
		*ret_result = res;
	return ec;
}

/* ---- Submission ---- */

static gx_ec editable(struct gx_txn *t, uint64_t mid, struct gx_msg_row *r)
{
	struct gx_folder_row folder;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_msg__readable(t, mid, r);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, r->fid, GX_RIGHT_EDIT_ANY | (r->mine ? GX_RIGHT_EDIT_OWN : 0), &folder);
	return ec;
}

static gx_ec change(struct gx_txn *t, struct gx_msg_row *r, uint32_t set, uint32_t clear)
{
	const struct gx_msg_row old = *r;
	r->flags = (r->flags & ~clear) | set;
	return write_flags(t, &old, r);
}

gx_ec gx_msg_mark_modified(struct gx_txn *t, uint64_t mid)
{
	struct gx_msg_row r;
	gx_ec ec = editable(t, mid, &r);
	return gx_ec_failed(ec) ? ec : change(t, &r, GX_MSGF_MODIFIED, 0);
}

/* mfUnsent goes when the submission is answered, [MS-OXCMSG] 2.2.1.6; \Draft is its IMAP name. */
gx_ec gx_msg_try_submit(struct gx_txn *t, uint64_t mid, bool *ret_marked)
{
	struct gx_msg_row r;
	gx_ec ec = editable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	bool mark = !(r.flags & (GX_MSGF_SUBMIT | GX_MSGF_FAI | GX_MSGF_SOFTDEL));
	if (mark)
		ec = change(t, &r, GX_MSGF_SUBMIT, GX_MSGF_UNSENT | GX_MSGF_DRAFT);
	if (!gx_ec_failed(ec))
		*ret_marked = mark;
	return ec;
}

gx_ec gx_msg_clear_submit(struct gx_txn *t, uint64_t mid, bool unsent)
{
	const uint32_t draft = GX_MSGF_UNSENT | GX_MSGF_DRAFT;
	struct gx_msg_row r;
	gx_ec ec = editable(t, mid, &r);
	if (gx_ec_failed(ec) || !(r.flags & GX_MSGF_SUBMIT))
		return ec;
	return change(t, &r, unsent ? draft : 0, GX_MSGF_SUBMIT | (unsent ? 0 : draft));
}

gx_ec gx_msg_announce(struct gx_txn *t, uint64_t mid)
{
	struct gx_msg_row r;
	gx_ec ec = editable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	const struct gx_event ev = {.type = GX_EV_NEW_MAIL, .fid = r.fid, .mid = r.mid, .cn = r.modseq, .uid = r.uid};
	return gx_txn__ec(t, gx_txn__event(t, &ev));
}

/* ---- Timers of deferred sending ---- */

gx_ec gx_msg_set_timer(struct gx_txn *t, uint64_t mid, uint32_t timer)
{
	struct gx_msg_row r;
	gx_ec ec = editable(t, mid, &r);
	if (gx_ec_failed(ec))
		return ec;
	if (timer == 0)
		return gx_txn__ec(t, gx_timer__forget(t, mid));
	GX_STMT(st, t->q, "REPLACE INTO timers(mid,timer) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	gx_sql__bind_int(st, 2, timer);
	return gx_txn__ec(t, gx_sql__run(st));
}

gx_ec gx_msg_get_timer(struct gx_txn *t, uint64_t mid, uint32_t *ret_timer)
{
	struct gx_msg_row row;
	gx_ec ec = gx_msg__readable(t, mid, &row);
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, "SELECT timer FROM timers WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r = gx_sql__step(st);
	if (r < 0)
		return gx_txn__ec(t, r);
	*ret_timer = r > 0 ? (uint32_t)gx_sql__u64(st, 0) : 0;
	return GX_OK_EC;
}

int gx_timer__forget(struct gx_txn *t, uint64_t mid)
{
	GX_STMT(st, t->q, "DELETE FROM timers WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	return gx_sql__run(st);
}
