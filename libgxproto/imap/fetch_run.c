/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the messages of a FETCH in slices: each takes one read transaction and ends when the
 * output is full. A body that does not fit is copied piece by piece over several slices.
 */
#include <config.h>
#include "libgxproto/imap/ahead.h"
#include "libgxproto/imap/fetch-int.h"

enum {
	PIECE = 2 * 1024 * 1024,   /* of a body, between two looks at the output */
	SEEN_BATCH = 256,          /* messages that get \Seen in one transaction, ahead of their bodies */
	LOOP_MOST = 2000,          /* messages answered on the loop from memory */
};

static bool full(const struct imap_session *s)
{
	return s->out->len + s->io->out_pending >= s->io->out_high;
}

void gx_imap__fetch_next_message(struct imap_fetch *f)
{
	f->open = f->mime_valid = f->same = false;
	f->item = 0;
	f->left = f->streamed = 0;
	f->root = NULL;
	gx_push_clear(&f->whole);
	if (f->scratch != NULL)
		gx_arena_reset(f->scratch);
	if (f->seq < f->ranges[f->range].hi)
		++f->seq;
	else if (++f->range < f->range_count)
		f->seq = f->ranges[f->range].lo;
}

static bool resolve(struct imap_session *s, struct imap_fetch *f)
{
	if (!gx_imap__resolve(s, &f->set, s->uid_form, &f->ranges, &f->range_count))
		return false;
	f->resolved = true;
	if (f->range_count > 0)
		f->seq = f->ranges[0].lo;
	if (f->has_modseq)
		gx_imap__enable_condstore(s);
	f->sets_seen = f->sets_seen && !s->sel->read_only;
	return true;
}

/* Unseen ones of the next messages of the set. */
static size_t next_unseen(struct imap_session *s, struct imap_fetch *f, uint64_t *mids, uint32_t *seqs)
{
	size_t n = 0;
	unsigned looked = 0;
	for (size_t r = f->range; r < f->range_count; ++r) {
		for (uint32_t q = r == f->range ? f->seq : f->ranges[r].lo; q <= f->ranges[r].hi; ++q) {
			const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, q), *e = &entry;
			if (!(e->flags & GX_MSGF_READ) && (e->modseq > f->changed_since)) {
				mids[n] = e->mid;
				seqs[n++] = q;
			}
			f->seen_until = q;
			if (++looked == SEEN_BATCH)
				return n;
		}
	}
	return n;
}

/* [RFC 3501] 6.4.5: bodies that are not peeked at become \Seen. False: the NO is written. */
static bool mark_seen(struct imap_session *s, struct imap_fetch *f)
{
	uint64_t mids[SEEN_BATCH];
	uint32_t seqs[SEEN_BATCH];
	if (!f->sets_seen || f->open || f->seq <= f->seen_until)
		return true;
	size_t n = next_unseen(s, f, mids, seqs);
	if (n == 0)
		return true;
	struct gx_txn *t = gx_imap__begin(s, GX_TXN_WRITE);
	if (t == NULL)
		return false;
	const struct gx_flag_change add = {GX_FLAGS_ADD, GX_MSGF_READ, NULL, UINT64_MAX};
	gx_ec ec = gx_msg_change_flags(t, s->sel->fid, mids, n, &add, s->arena, NULL, NULL);
	if (gx_ec_is(ec, ecAccessDenied)) { /* one may read without the right to mark */
		gx_txn_abort(t);
		f->sets_seen = false;
		return true;
	}
	if (gx_ec_failed(ec)) {
		gx_imap__no_ec(s, ec, "Messages cannot be marked as read", t);
		return false;
	}
	if (!gx_imap__commit(s, t, GX_SYNC_LATER))
		return false;
	f->seen = gx_arena_grow(s->arena, f->seen, &f->seen_cap, f->seen_count + n, sizeof(*f->seen));
	if (f->seen == NULL) {
		gx_imap__no_err(s, GX_E_NOMEM, "Fetch failed");
		return false;
	}
	memcpy(f->seen + f->seen_count, seqs, n * sizeof(*seqs));
	f->seen_count += n;
	gx_imap__view_refresh_except(s, f->ranges, f->range_count);
	return true;
}

static void put_modseq(struct gx_push *out, const struct gx_uid_entry *e)
{
	imap_puts(out, "MODSEQ (");
	gx_imap__put_u64(out, e->modseq);
	imap_puts(out, ")");
}

/*
 * The message may have been saved with another content since the view was read, and has another UID then: what is under this one
 * is gone, and the new content is never shown under it, [RFC 9051] 2.3.1.1.
 */
static gx_ec need_same(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, const struct gx_uid_entry *e)
{
	if (f->same)
		return GX_EC(ecSuccess);
	gx_ec ec = gx_msg_get(t, e->mid, &f->info);
	if (!gx_ec_failed(ec) && (f->info.uid != e->uid || f->info.fid != s->sel->fid))
		ec = GX_EC(ecNotFound);
	f->same = !gx_ec_failed(ec);
	return ec;
}

static gx_ec need_mime(struct imap_fetch *f, struct gx_txn *t, uint64_t mid)
{
	if (f->mime_valid)
		return GX_EC(ecSuccess);
	gx_ec ec = gx_msg_mime(t, mid, &f->mime);
	f->mime_valid = !gx_ec_failed(ec);
	return ec;
}

/* Label and literal head; what follows is copied by copy_piece(), or stands there already (fields). */
static gx_ec put_section(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, const struct imap_item *it, uint64_t mid)
{
	uint64_t off, len, skip = it->partial ? it->off : 0;
	bool none;
	gx_push_str(s->out, it->label);
	f->mime_valid = false;
	gx_ec ec = gx_imap__section_range(s, f, t, mid, it, &off, &len, &none);
	if (gx_ec_failed(ec))
		return ec;
	if (none) {
		imap_puts(s->out, " NIL");
		return ec;
	}
	struct gx_push fields = GX_PUSH_INIT;
	bool made = it->section == IMAP_SEC_FIELDS || it->section == IMAP_SEC_FIELDS_NOT;
	if (made) {
		ec = gx_imap__section_fields(t, mid, it, off, len, &fields);
		len = fields.len;
		off = 0;
	}
	skip = skip < len ? skip : len;
	len = it->partial && it->most < len - skip ? it->most : len - skip;
	imap_puts(s->out, " {");
	gx_imap__put_u64(s->out, len);
	imap_puts(s->out, "}\r\n");
	if (made)
		gx_push_bytes(s->out, fields.len == 0 ? NULL : fields.data + skip, len);
	gx_push_release(&fields);
	f->at = off + skip;
	f->left = made ? 0 : len;
	return ec;
}

/* Copies up to a piece. The literal's length is promised, so fewer bytes are an error. */
static gx_ec copy_piece(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, uint64_t mid)
{
	uint64_t n = f->left < PIECE ? f->left : PIECE;
	size_t before = s->out->len;
	gx_ec ec = gx_msg_original(t, mid, f->at, n, s->out);
	if (!gx_ec_failed(ec) && s->out->len - before != n)
		ec = gx_ec_from_err(GX_E_FORMAT);
	if (gx_ec_failed(ec))
		return ec;
	f->at += n;
	f->left -= n;
	return ec;
}

static gx_ec put_stored(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, const struct imap_item *it,
	const struct gx_uid_entry *e)
{
	gx_ec ec = need_same(s, f, t, e);
	if (!gx_ec_failed(ec))
		ec = need_mime(f, t, e->mid);
	if (gx_ec_failed(ec))
		return ec;
	gx_push_str(s->out, it->label);
	imap_puts(s->out, " ");
	switch (it->kind) {
	case IMAP_ITEM_SIZE: gx_imap__put_u64(s->out, f->mime.size); break;
	case IMAP_ITEM_ENVELOPE: gx_push_bytes(s->out, f->mime.envelope.data, f->mime.envelope.len); break;
	case IMAP_ITEM_BODY: gx_imap__put_body(s->out, &f->mime.bodystructure); break;
	default: gx_push_bytes(s->out, f->mime.bodystructure.data, f->mime.bodystructure.len); break;
	}
	return ec;
}

static gx_ec put_item(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, const struct imap_item *it,
	const struct gx_uid_entry *e)
{
	char date[28];
	gx_ec ec = GX_EC(ecSuccess);
	switch (it->kind) {
	case IMAP_ITEM_FLAGS:
		imap_puts(s->out, "FLAGS ");
		gx_imap__put_flags(s, e);
		break;
	case IMAP_ITEM_UID:
		imap_puts(s->out, "UID ");
		gx_imap__put_u64(s->out, e->uid);
		break;
	case IMAP_ITEM_MODSEQ:
		put_modseq(s->out, e);
		break;
	case IMAP_ITEM_DATE:
		gx_imap__date_time_print(gx_nttime_to_unix(f->info.received, NULL), date);
		imap_puts(s->out, "INTERNALDATE \"");
		gx_push_str(s->out, date);
		imap_puts(s->out, "\"");
		break;
	case IMAP_ITEM_SIZE:
		if (e->size32 == UINT32_MAX)
			return put_stored(s, f, t, it, e);
		imap_puts(s->out, "RFC822.SIZE ");
		gx_imap__put_u64(s->out, e->size32);
		break;
	case IMAP_ITEM_SECTION:
		ec = need_same(s, f, t, e);
		return gx_ec_failed(ec) ? ec : put_section(s, f, t, it, e->mid);
	case IMAP_ITEM_BINARY:
	case IMAP_ITEM_BINARY_SIZE:
		f->mime_valid = false;
		ec = need_same(s, f, t, e);
		return gx_ec_failed(ec) ? ec : gx_imap__put_binary(s, f, t, e->mid, it);
	default:
		return put_stored(s, f, t, it, e);
	}
	return ec;
}

static gx_ec open_message(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, const struct gx_uid_entry *e)
{
	if (f->needs_info) {
		gx_ec ec = need_same(s, f, t, e);
		if (gx_ec_failed(ec))
			return ec;
	}
	f->mark = s->out->len;
	imap_puts(s->out, "* ");
	gx_imap__put_u64(s->out, f->seq);
	imap_puts(s->out, " FETCH (");
	f->open = true;
	return GX_EC(ecSuccess);
}

static void close_message(struct imap_session *s, struct imap_fetch *f, const struct gx_uid_entry *e)
{
	while (f->seen_next < f->seen_count && f->seen[f->seen_next] < f->seq)
		++f->seen_next;
	bool marked = f->seen_next < f->seen_count && f->seen[f->seen_next] == f->seq;
	if (marked && !f->has_flags) {
		imap_puts(s->out, " FLAGS ");
		gx_imap__put_flags(s, e);
	}
	if (marked && s->condstore && !f->has_modseq) {
		imap_puts(s->out, " ");
		put_modseq(s->out, e);
	}
	imap_puts(s->out, ")\r\n");
}

/* One message, or as much of it as fits. *ret_done false: to be continued. */
static gx_ec message(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t, bool *ret_done)
{
	const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, f->seq), *e = &entry;
	gx_ec ec = GX_EC(ecSuccess);
	*ret_done = true;
	if (e->modseq <= f->changed_since)
		return ec;
	if (!f->open)
		ec = open_message(s, f, t, e);
	while (!gx_ec_failed(ec) && (f->left > 0 || f->item < f->n)) {
		if (f->left > 0) {
			ec = need_same(s, f, t, e);
			if (!gx_ec_failed(ec))
				ec = copy_piece(s, f, t, e->mid);
			if (f->left > 0 && full(s)) {
				f->streamed = e->mid;
				*ret_done = false;
				return ec;
			}
			continue;
		}
		if (f->item > 0)
			imap_puts(s->out, " ");
		ec = put_item(s, f, t, &f->items[f->item++], e);
	}
	if (!gx_ec_failed(ec))
		close_message(s, f, e);
	return ec;
}

static enum imap_result finish(struct imap_session *s, const struct imap_fetch *f)
{
	if (f->gap)
		return gx_imap__no(s, "[EXPUNGEISSUED] Some messages were removed meanwhile");
	if (f->unknown_cte)
		return gx_imap__no(s, "[UNKNOWN-CTE] Some parts have an unknown transfer encoding");
	return gx_imap__ok(s, "Fetch done");
}

/* A message that cannot be given. IMAP_MORE: go on with the next. */
static enum imap_result failed(struct imap_session *s, struct imap_fetch *f, gx_ec ec, struct gx_txn *t)
{
	if (f->streamed != 0) { /* inside a literal whose length the client knows: no way back */
		gx_log(s->io->log, GX_LOG_WARN, "[%llu] imap user=%s: message lost while it was sent: %s",
			(unsigned long long)s->io->id, s->user->actor.user, gx_ec_name(ec));
		gx_txn_abort(t);
		return IMAP_CLOSE;
	}
	if (f->open)
		s->out->len = f->mark;
	if (gx_ec_is(ec, ecNotFound)) {
		f->gap = true;
		return IMAP_MORE;
	}
	return gx_imap__no_ec(s, ec, "Fetch failed", t);
}

/* What the rest of this slice is likely to need. */
static void look_ahead(struct imap_session *s, struct imap_fetch *f, struct gx_txn *t)
{
	struct imap_ahead h;
	size_t used = s->out->len + s->io->out_pending, room = s->io->out_high > used ? s->io->out_high - used : 0;
	if (t == NULL || f->ahead == 0 || f->open || f->seq <= f->ahead_until)
		return;
	gx_imap__ahead_begin(&h, f->ahead, room);
	f->ahead_until = f->seq;
	for (size_t r = f->range; r < f->range_count; ++r) {
		for (uint32_t q = r == f->range ? f->seq : f->ranges[r].lo; q <= f->ranges[r].hi; ++q) {
			const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, q), *e = &entry;
			if (e->modseq > f->changed_since && !gx_imap__ahead_add(&h, e)) {
				gx_imap__ahead_end(&h, t);
				return;
			}
			f->ahead_until = q;
		}
	}
	gx_imap__ahead_end(&h, t);
}

static enum imap_result slice(struct imap_session *s, struct imap_fetch *f)
{
	struct gx_txn *t = NULL;
	f->ahead_until = 0;
	f->same = false;
	if (!s->on_loop && !f->memory_only && (t = gx_imap__begin(s, GX_TXN_READ)) == NULL)
		return f->streamed == 0 ? IMAP_DONE : IMAP_CLOSE;
	while (f->range < f->range_count) {
		bool done;
		if (full(s) || (f->sets_seen && !f->open && f->seq > f->seen_until)) {
			gx_txn_abort(t);
			return IMAP_MORE;
		}
		look_ahead(s, f, t);
		gx_ec ec = message(s, f, t, &done);
		if (gx_ec_failed(ec)) {
			enum imap_result r = failed(s, f, ec, t);
			if (r != IMAP_MORE)
				return r;
		}
		if (!done) {
			gx_txn_abort(t);
			return IMAP_MORE;
		}
		gx_imap__fetch_next_message(f);
	}
	gx_txn_abort(t);
	return finish(s, f);
}

/* Sizes and keywords that are not in memory, and many messages, are for a worker. */
static bool loop_can(struct imap_session *s, struct imap_fetch *f)
{
	bool size = false;
	if (gx_imap__ranges_count(f->ranges, f->range_count) > LOOP_MOST)
		return false;
	for (size_t i = 0; i < f->n; ++i)
		size = size || f->items[i].kind == IMAP_ITEM_SIZE;
	for (size_t r = 0; r < f->range_count; ++r) {
		for (uint32_t q = f->ranges[r].lo; q <= f->ranges[r].hi; ++q) {
			const struct gx_uid_entry entry = gx_imapview_at(s->sel->view, q), *e = &entry;
			if ((size && e->size32 == UINT32_MAX) || (f->has_flags && !gx_imap__knows_flags(s, e)))
				return false;
		}
	}
	return true;
}

enum imap_result gx_imap__fetch_run(struct imap_session *s)
{
	struct imap_fetch *f = s->args;
	if (!f->resolved && !resolve(s, f))
		return IMAP_DONE;
	if (s->on_loop && !loop_can(s, f)) {
		s->on_loop = f->memory_only = false;
		return IMAP_MORE;
	}
	if (f->range == f->range_count)
		return finish(s, f);
	if (!mark_seen(s, f))
		return IMAP_DONE;
	return slice(s, f);
}
