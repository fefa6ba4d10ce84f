/* SPDX-License-Identifier: Apache-2.0 */
/* COPY [RFC 3501] 6.4.7, MOVE [RFC 6851], COPYUID [RFC 4315]. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	struct imap_set set;
	const char *name;
};

struct job {
	uint64_t dst;
	uint32_t uidvalidity;
	uint64_t *mids;
	uint32_t *uids;            /* of the sources */
	struct gx_msg_ids *made;
	size_t n;
};

bool gx_imap__copy_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__set(c, &a->set) && gx_imap__sp(c) &&
	       gx_imap__mailbox(c, false, &a->name);
}

static bool collect(struct imap_session *s, const struct imap_range *v, size_t n, struct job *j)
{
	size_t k = 0, total = gx_imap__ranges_count(v, n);
	j->mids = gx_imap__mids(s, v, n, &j->n);
	j->uids = gx_arena_new_array(s->arena, uint32_t, total + 1);
	j->made = gx_arena_new_array(s->arena, struct gx_msg_ids, total + 1);
	if (j->mids == NULL || j->uids == NULL || j->made == NULL)
		return false;
	for (size_t i = 0; i < n; ++i)
		for (uint32_t seq = v[i].lo; seq <= v[i].hi; ++seq)
			j->uids[k++] = gx_imapview_at(s->sel->view, seq).uid;
	return true;
}

static void put_uids(struct gx_push *out, const struct job *j, bool source)
{
	struct imap_range r = {0, 0};
	bool first = true;
	for (size_t i = 0; i <= j->n; ++i) {
		if (i < j->n && j->made[i].mid == 0)
			continue;
		uint32_t uid = i == j->n ? 0 : source ? j->uids[i] : j->made[i].uid;
		if (i < j->n && r.lo != 0 && uid == r.hi + 1) {
			r.hi = uid;
			continue;
		}
		if (r.lo != 0) {
			if (!first)
				imap_puts(out, ",");
			first = false;
			gx_imap__put_ranges(out, &r, 1);
		}
		r = (struct imap_range){uid, uid};
	}
}

static bool some_made(const struct job *j)
{
	for (size_t i = 0; i < j->n; ++i)
		if (j->made[i].mid != 0)
			return true;
	return false;
}

/* "[COPYUID ...]"; false and nothing when nothing was copied. */
static bool put_copyuid(struct gx_push *out, const struct job *j)
{
	if (!some_made(j))
		return false;
	imap_puts(out, "[COPYUID ");
	gx_imap__put_u64(out, j->uidvalidity);
	imap_puts(out, " ");
	put_uids(out, j, true);
	imap_puts(out, " ");
	put_uids(out, j, false);
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
		ec = gx_msg_copy(t, s->sel->fid, j->mids, j->n, j->dst, move, j->made);
	if (gx_ec_failed(ec)) {
		gx_imap__no_ec(s, ec, move ? "Nothing moved" : "Nothing copied", t);
		return false;
	}
	j->uidvalidity = f.uidvalidity;
	return gx_imap__commit(s, t, GX_SYNC_NOW);
}

static enum imap_result prepare(struct imap_session *s, struct job *j)
{
	const struct args *a = s->args;
	struct imap_range *v;
	size_t n;
	if (!gx_imap__resolve(s, &a->set, s->uid_form, &v, &n))
		return IMAP_DONE;
	if (!collect(s, v, n, j))
		return gx_imap__no_err(s, GX_E_NOMEM, "Command failed");
	return IMAP_MORE;
}

enum imap_result gx_imap__copy_run(struct imap_session *s)
{
	struct job j = {0};
	if (prepare(s, &j) != IMAP_MORE || (j.n > 0 && !transfer(s, &j, false)))
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
	if (prepare(s, &j) != IMAP_MORE || (j.n > 0 && !transfer(s, &j, true)))
		return IMAP_DONE;
	if (some_made(&j)) {
		imap_puts(s->out, "* OK ");
		put_copyuid(s->out, &j);
		imap_puts(s->out, " Moved\r\n");
	}
	return gx_imap__ok(s, "Move done");
}
