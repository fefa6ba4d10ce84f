/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/* Flags and keywords: the narrow rows are updated, one row of the change log tells of all. */

struct change {
	struct gx_txn *t;
	struct gx_fstate *f;
	const struct gx_flag_change *c;
	uint64_t *skipped;
	size_t nskipped;
	uint32_t kw_from, kw_to;   /* the last keyword change: most messages have the same set */
	bool kw_known;
};

static uint32_t asked_flags(const struct gx_flag_change *c, uint32_t old)
{
	uint32_t f = c->flags & (GX_MSGF_IMAP | GX_MSGF_UNSENT);
	switch (c->op) {
	case GX_FLAGS_ADD:
		return old | f;
	case GX_FLAGS_REMOVE:
		return old & ~f;
	default: /* \Recent is not the client's to take away, [RFC 3501] 2.3.2 */
		return (old & ~(uint32_t)(GX_MSGF_IMAP & ~GX_MSGF_RECENT)) | f;
	}
}

/* \Draft is IMAP's name of mfUnsent, and either says that it is one. */
static uint32_t new_flags(const struct gx_flag_change *c, uint32_t old)
{
	uint32_t f = asked_flags(c, old);
	return old & ~f & GX_MSGF_DRAFT ? f & ~(uint32_t)GX_MSGF_UNSENT : f;
}

static int new_kwset(struct change *x, uint32_t old, uint32_t *ret_new)
{
	if (x->c->op != GX_FLAGS_SET && x->c->keywords == NULL) {
		*ret_new = old;
		return 0;
	}
	if (!x->kw_known || x->kw_from != old) {
		int err = gx_kwset__apply(x->t, old, x->c->op, x->c->keywords, &x->kw_to);
		if (err != 0)
			return err;
		x->kw_from = old;
		x->kw_known = true;
	}
	*ret_new = x->kw_to;
	return 0;
}

static int write_row(struct change *x, const struct gx_msg_row *r)
{
	GX_STMT(st, x->t->q, "UPDATE msg SET flags=?2, kwset=?3, modseq=?4, cn=?5, rcn=?6 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, r->flags);
	gx_sql__bind_int(st, 3, r->kwset);
	gx_sql__bind_int(st, 4, (int64_t)r->modseq);
	gx_sql__bind_int(st, 5, (int64_t)r->cn);
	gx_sql__bind_int(st, 6, (int64_t)r->rcn);
	return gx_sql__run(st);
}

/* \Recent is no metadata of its own: it moves no mod-sequence. Keywords and \Deleted are IMAP's alone. */
static int take_numbers(struct change *x, const struct gx_msg_row *old, struct gx_msg_row *r)
{
	const uint32_t imaps = GX_MSGF_READ | GX_MSGF_DELETED | GX_MSGF_RECENT;
	uint32_t moved = old->flags ^ r->flags;
	if ((moved & ~(uint32_t)GX_MSGF_RECENT) == 0 && old->kwset == r->kwset)
		return GX_CH_QUIET;
	r->modseq = gx_txn__new_cn(x->t);
	if (moved & ~imaps)
		r->cn = r->modseq;
	if (moved & GX_MSGF_READ)
		r->rcn = r->modseq;
	return GX_CH_FLAGS;
}

static int change_one(struct change *x, struct gx_msg_row *r)
{
	const struct gx_msg_row old = *r;
	if (r->fid != x->f->fid || (r->flags & GX_MSGF_SOFTDEL))
		return 0;
	if (r->modseq > x->c->unchanged_since) {
		x->skipped[x->nskipped++] = r->mid;
		return 0;
	}
	uint32_t flags = new_flags(x->c, r->flags), kwset = 0;
	int err = new_kwset(x, r->kwset, &kwset);
	if (err != 0 || (flags == r->flags && kwset == r->kwset))
		return err;
	r->flags = flags;
	r->kwset = kwset;
	int how = take_numbers(x, &old, r);
	err = write_row(x, r);
	return err != 0 ? err : gx_change__updated(x->t, x->f, &old, r, how);
}

static int change_all(struct change *x, const uint64_t *mids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct gx_msg_row r;
		int err = gx_msg__row(x->t, mids[i], &r);
		if (err == 0)
			err = change_one(x, &r);
		if (err != 0 && err != GX_E_NOTFOUND)
			return err;
	}
	return 0;
}

/* Reading is enough to mark as read; the rest is editing or deleting. */
static gx_ec check_rights(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, const struct gx_flag_change *c)
{
	struct gx_folder_row row;
	uint32_t rights = 0;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec) || gx_txn__all_rights(t))
		return ec;
	bool edits = c->op == GX_FLAGS_SET || c->keywords != NULL ||
		(c->flags & ~(uint32_t)(GX_MSGF_READ | GX_MSGF_RECENT | GX_MSGF_DELETED)) != 0;
	bool deletes = (c->flags & GX_MSGF_DELETED) != 0;
	int err = gx_perm__rights(t, fid, &rights);
	for (size_t i = 0; err == 0 && i < n && (edits || deletes); i++) {
		struct gx_msg_row r = {0};
		err = gx_msg__row(t, mids[i], &r);
		bool may_edit = (rights & GX_RIGHT_EDIT_ANY) || (r.mine && (rights & GX_RIGHT_EDIT_OWN));
		bool may_delete = (rights & GX_RIGHT_DELETE_ANY) || (r.mine && (rights & GX_RIGHT_DELETE_OWN));
		if (err == 0 && ((edits && !may_edit) || (deletes && !may_delete)))
			return gx_txn__fail(t, ecAccessDenied, "rights %x are not enough to change message %llx", rights,
				(unsigned long long)mids[i]);
		if (err == GX_E_NOTFOUND)
			err = 0;
	}
	return gx_txn__ec(t, err);
}

gx_ec gx_msg_change_flags(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, const struct gx_flag_change *c,
	struct gx_arena *a, uint64_t **ret_skipped, size_t *ret_nskipped)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_change_flags(t, fid, mids, n, c, a, ret_skipped, ret_nskipped);
	struct change x = {.t = t, .c = c};
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && (c->op < GX_FLAGS_SET || c->op > GX_FLAGS_REMOVE))
		ec = gx_txn__fail(t, ecInvalidParam, "no such flag operation");
	if (!gx_ec_failed(ec))
		ec = check_rights(t, fid, mids, n, c);
	if (gx_ec_failed(ec))
		return ec;
	if (!gx_kwset__valid(c->keywords))
		return gx_txn__fail(t, ecInvalidParam, "a keyword is a word of at most 255 bytes");
	int err = gx_fstate__get(t, fid, &x.f);
	if (err != 0)
		return gx_txn__ec(t, err);
	bool keep = ret_skipped != NULL;
	x.skipped = gx_arena_new_array(keep ? a : t->a, uint64_t, c->unchanged_since == UINT64_MAX ? 0 : n);
	err = x.skipped == NULL ? GX_E_NOMEM : change_all(&x, mids, n);
	if (err == 0 && keep) {
		*ret_skipped = x.skipped;
		*ret_nskipped = x.nskipped;
	}
	return gx_txn__ec(t, err);
}
