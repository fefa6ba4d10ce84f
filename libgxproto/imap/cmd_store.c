/* SPDX-License-Identifier: Apache-2.0 */
/* STORE: [RFC 3501] 6.4.6, UNCHANGEDSINCE: [RFC 7162] 3.1.3. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

enum { LOOK = 1024 };

struct store {
	struct imap_set set;
	int op;
	bool silent, conditional;
	uint64_t unchanged_since;
	struct imap_flags flags;
	/* progress */
	struct imap_range *v;
	size_t n, range;
	uint32_t seq;
	uint16_t *before;          /* flags of each message of the set */
	size_t at;                 /* into before */
	uint64_t *skipped;         /* mids, ascending */
	size_t skipped_n;
	bool applied;
};

static bool item(struct store *a, struct imap_parse *c)
{
	a->op = GX_FLAGS_SET;
	if (gx_imap__accept(c, '+'))
		a->op = GX_FLAGS_ADD;
	else if (gx_imap__accept(c, '-'))
		a->op = GX_FLAGS_REMOVE;
	a->silent = gx_imap__accept_word(c, "FLAGS.SILENT");
	return a->silent || gx_imap__accept_word(c, "FLAGS") || gx_imap__fail(c, "Unknown STORE item");
}

bool gx_imap__store_parse(struct imap_session *s, struct imap_parse *c)
{
	struct store *a = s->args = gx_arena_new_obj(s->arena, struct store);
	if (a == NULL || !gx_imap__sp(c) || !gx_imap__set(c, &a->set) || !gx_imap__sp(c))
		return false;
	a->unchanged_since = UINT64_MAX;
	if (gx_imap__accept(c, '(')) {
		if (!gx_imap__accept_word(c, "UNCHANGEDSINCE"))
			return gx_imap__fail(c, "Unknown STORE modifier");
		a->conditional = true;
		if (!gx_imap__sp(c) || !gx_imap__number(c, INT64_MAX, &a->unchanged_since) || !gx_imap__expect(c, ')') ||
		    !gx_imap__sp(c))
			return false;
	}
	return item(a, c) && gx_imap__sp(c) && gx_imap__flags(c, true, &a->flags);
}

static uint16_t result_flags(const struct store *a, uint16_t f)
{
	switch (a->op) {
	case GX_FLAGS_ADD: return (uint16_t)(f | a->flags.flags);
	case GX_FLAGS_REMOVE: return (uint16_t)(f & ~a->flags.flags);
	default: return (uint16_t)((f & ~(GX_MSGF_IMAP & ~GX_MSGF_RECENT)) | a->flags.flags);
	}
}

/* Nothing to write for this message? Only where no keyword and no condition is involved. */
static bool no_change(const struct store *a, const struct gx_uid_entry *e)
{
	return *a->flags.keywords == NULL && !a->conditional && (a->op != GX_FLAGS_SET || e->kwset == 0) &&
	       result_flags(a, e->flags) == e->flags;
}

static uint64_t *affected(struct imap_session *s, struct store *a, size_t *ret_n)
{
	size_t total = gx_imap__ranges_count(a->v, a->n), k = 0, i = 0;
	uint64_t *mids = gx_arena_new_array(s->arena, uint64_t, total + 1);
	a->before = gx_arena_new_array(s->arena, uint16_t, total + 1);
	if (mids == NULL || a->before == NULL)
		return NULL;
	for (size_t r = 0; r < a->n; ++r) {
		for (uint32_t q = a->v[r].lo; q <= a->v[r].hi; ++q) {
			const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, q), *e = &entry;
			a->before[i++] = e->flags;
			if (!no_change(a, e))
				mids[k++] = e->mid;
		}
	}
	*ret_n = k;
	return mids;
}

static int mid_cmp(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return a < b ? -1 : a > b;
}

static bool was_skipped(const struct store *a, uint64_t mid)
{
	return a->skipped_n > 0 && bsearch(&mid, a->skipped, a->skipped_n, sizeof(mid), mid_cmp) != NULL;
}

/* False: the answer is written. */
static bool apply(struct imap_session *s, struct store *a)
{
	size_t n;
	if (!gx_imap__resolve(s, &a->set, s->uid_form, &a->v, &a->n))
		return false;
	if (a->conditional)
		gx_imap__enable_condstore(s);
	uint64_t *mids = affected(s, a, &n);
	if (mids == NULL) {
		gx_imap__no_err(s, GX_E_NOMEM, "Flags not changed");
		return false;
	}
	if (n > 0) {
		const struct gx_flag_change c = {a->op, a->flags.flags, a->flags.keywords, a->unchanged_since};
		struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
		if (t == NULL)
			return false;
		gx_ec ec = gx_msg_change_flags(t, s->sel->fid, mids, n, &c, s->arena, &a->skipped, &a->skipped_n);
		if (gx_ec_failed(ec)) {
			gx_imap__no_ec(s, ec, "Flags not changed", t);
			return false;
		}
		/* flags survive a killed server at once, and power loss after the next flush of the store */
		if (!gx_imap__commit(s, t, GX_SYNC_LATER))
			return false;
	}
	if (a->skipped_n > 0)
		qsort(a->skipped, a->skipped_n, sizeof(*a->skipped), mid_cmp);
	a->applied = true;
	a->seq = a->n > 0 ? a->v[0].lo : 0;
	gx_imap__view_refresh_except(s, a->v, a->n);
	return true;
}

static void put_fetch(struct imap_session *s, const struct gx_uid_entry *e, uint32_t seq, bool flags)
{
	imap_puts(s->out, "* ");
	gx_imap__put_u64(s->out, seq);
	imap_puts(s->out, " FETCH (UID ");
	gx_imap__put_u64(s->out, e->uid);
	if (flags) {
		imap_puts(s->out, " FLAGS ");
		gx_imap__put_flags(s, e);
	}
	if (s->condstore) {
		imap_puts(s->out, " MODSEQ (");
		gx_imap__put_u64(s->out, e->modseq);
		imap_puts(s->out, ")");
	}
	imap_puts(s->out, ")\r\n");
}

static void answer_message(struct imap_session *s, struct store *a, uint32_t seq)
{
	const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, seq), *e = &entry;
	uint16_t before = a->before[a->at++];
	if (was_skipped(a, e->mid))
		return;
	/* somebody else changed it at the same time: the client cannot know */
	bool surprise = result_flags(a, before) != e->flags;
	if (!a->silent || surprise || s->condstore)
		put_fetch(s, e, seq, !a->silent || surprise);
}

/* [MODIFIED ...]: in the terms of the command. */
static enum imap_result finish(struct imap_session *s, struct store *a)
{
	if (a->skipped_n == 0)
		return gx_imap__ok(s, "Store done");
	struct imap_range run = {0, 0};
	bool first = true;
	gx_push_str(s->out, s->tag);
	imap_puts(s->out, " OK [MODIFIED ");
	for (size_t r = 0; r < a->n; ++r) {
		for (uint32_t q = a->v[r].lo; q <= a->v[r].hi; ++q) {
			const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, q), *e = &entry;
			if (!was_skipped(a, e->mid))
				continue;
			uint32_t x = s->uid_form ? e->uid : q;
			if (run.lo != 0 && x == run.hi + 1) {
				run.hi = x;
				continue;
			}
			if (run.lo != 0) {
				gx_imap__put_ranges(s->out, &run, 1);
				imap_puts(s->out, ",");
			}
			first = false;
			run = (struct imap_range){x, x};
		}
	}
	gx_imap__put_ranges(s->out, &run, first ? 0 : 1);
	imap_puts(s->out, "] Some were changed meanwhile\r\n");
	return IMAP_DONE;
}

enum imap_result gx_imap__store_run(struct imap_session *s)
{
	struct store *a = s->args;
	if (s->sel->read_only)
		return gx_imap__no(s, "[READ-ONLY] Mailbox was opened by EXAMINE");
	if (!a->applied && !apply(s, a))
		return IMAP_DONE;
	for (unsigned k = 0; a->range < a->n; ++k) {
		if (k % LOOK == LOOK - 1 && s->out->len + s->io->out_pending >= s->io->out_high)
			return IMAP_MORE;
		answer_message(s, a, a->seq);
		if (a->seq < a->v[a->range].hi)
			++a->seq;
		else if (++a->range < a->n)
			a->seq = a->v[a->range].lo;
	}
	return finish(s, a);
}
