/* SPDX-License-Identifier: Apache-2.0 */
/* COPY [RFC 3501] 6.4.7, MOVE [RFC 6851], COPYUID [RFC 4315]. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	struct imap_set set;
	const char *name;
};

enum { PORTION = 2048 }; /* messages that are copied at a time */

/* UIDs in the order of the copies. */
struct uids {
	struct imap_range *v;
	size_t n, cap;
};

struct job {
	uint64_t dst;
	uint32_t uidvalidity;
	struct imap_range *v; /* which ones */
	size_t n;
	struct uids from, to;
};

bool gx_imap__copy_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__set(c, &a->set) && gx_imap__sp(c) &&
	       gx_imap__mailbox(c, false, &a->name);
}

static bool add_uid(struct imap_session *s, struct uids *u, uint32_t uid)
{
	if (u->n > 0 && uid == u->v[u->n - 1].hi + 1) {
		u->v[u->n - 1].hi = uid;
		return true;
	}
	u->v = gx_arena_grow(s->arena, u->v, &u->cap, u->n + 1, sizeof(*u->v));
	if (u->v == NULL)
		return false;
	u->v[u->n++] = (struct imap_range){uid, uid};
	return true;
}

/* Messages @seq and the @n - 1 after it. */
static gx_ec copy_some(struct imap_session *s, struct gx_txn *t, struct job *j, bool move, uint32_t seq, uint32_t n)
{
	uint64_t mids[PORTION];
	struct gx_msg_ids made[PORTION];
	for (uint32_t i = 0; i < n; ++i)
		mids[i] = gx_imapview_at(s->sel->view, seq + i).mid;
	gx_ec ec = gx_msg_copy(t, s->sel->fid, mids, n, j->dst, move, made);
	for (uint32_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		if (made[i].mid != 0 && (!add_uid(s, &j->from, gx_imapview_at(s->sel->view, seq + i).uid) ||
			!add_uid(s, &j->to, made[i].uid)))
			ec = gx_ec_from_err(GX_E_NOMEM);
	return ec;
}

static gx_ec copy_all(struct imap_session *s, struct gx_txn *t, struct job *j, bool move)
{
	gx_ec ec = GX_EC(ecSuccess);
	for (size_t i = 0; i < j->n; ++i)
		for (uint32_t seq = j->v[i].lo, n; !gx_ec_failed(ec) && seq <= j->v[i].hi; seq += n) {
			n = j->v[i].hi - seq + 1 < PORTION ? j->v[i].hi - seq + 1 : PORTION;
			ec = copy_some(s, t, j, move, seq, n);
		}
	return ec;
}

/* "[COPYUID ...]"; false and nothing when nothing was copied. */
static bool put_copyuid(struct gx_push *out, const struct job *j)
{
	if (j->from.n == 0)
		return false;
	imap_puts(out, "[COPYUID ");
	gx_imap__put_u64(out, j->uidvalidity);
	imap_puts(out, " ");
	gx_imap__put_ranges(out, j->from.v, j->from.n);
	imap_puts(out, " ");
	gx_imap__put_ranges(out, j->to.v, j->to.n);
	imap_puts(out, "]");
	return true;
}

/* False: the NO is written. */
static bool transfer(struct imap_session *s, struct job *j, bool move)
{
	const struct args *a = s->args;
	struct gx_folder_info f;
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
	if (t == NULL)
		return false;
	gx_ec ec = gx_imap__mailbox_find(t, s->arena, a->name, &j->dst);
	if (gx_ec_is(ec, ecNotFound)) {
		gx_txn_abort(t);
		gx_imap__no(s, "[TRYCREATE] No such mailbox");
		return false;
	}
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(t, j->dst, s->arena, &f);
	if (!gx_ec_failed(ec))
		ec = copy_all(s, t, j, move);
	if (gx_ec_failed(ec)) {
		gx_imap__no_ec(s, ec, move ? "Nothing moved" : "Nothing copied", t);
		return false;
	}
	j->uidvalidity = f.uidvalidity;
	return gx_imap__commit(s, t, GX_SYNC_NOW);
}

static bool prepare(struct imap_session *s, struct job *j)
{
	const struct args *a = s->args;
	return gx_imap__resolve(s, &a->set, s->uid_form, &j->v, &j->n);
}

enum imap_result gx_imap__copy_run(struct imap_session *s)
{
	struct job j = {0};
	if (!prepare(s, &j) || (j.n > 0 && !transfer(s, &j, false)))
		return IMAP_DONE;
	/* the code may be longer than a line of text, so it is not for gx_imap__ok() */
	gx_imap__view_refresh(s, true);
	gx_push_str(s->out, s->tag);
	imap_puts(s->out, " OK ");
	if (put_copyuid(s->out, &j))
		imap_puts(s->out, " ");
	imap_puts(s->out, "Copied\r\n");
	return IMAP_DONE;
}

enum imap_result gx_imap__move_run(struct imap_session *s)
{
	struct job j = {0};
	if (s->sel->read_only)
		return gx_imap__no(s, "[READ-ONLY] Mailbox was opened by EXAMINE");
	if (!prepare(s, &j) || (j.n > 0 && !transfer(s, &j, true)))
		return IMAP_DONE;
	if (j.from.n > 0) {
		imap_puts(s->out, "* OK ");
		put_copyuid(s->out, &j);
		imap_puts(s->out, " Moved\r\n");
	}
	return gx_imap__ok(s, "Move done");
}
