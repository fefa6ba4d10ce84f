/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: as IMAP does it, by search, and counting. */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tests/soak/soak.h"

/* A session: a view, and the UIDs in it as its refreshes told. */
struct soak_session {
	struct gx_imapview *view;
	struct soak_store *st;
	struct soak *k;
	uint32_t *uid, n, cap;
	uint32_t exists;
};

static void end_session(struct soak_thread *w)
{
	struct soak_session *x = w->session;
	if (x == NULL)
		return;
	gx_imapview_close(x->view);
	free(x->uid);
	free(x);
	w->session = NULL;
}

static void take_uids(struct soak_session *x, uint32_t from)
{
	uint32_t n = gx_imapview_count(x->view);
	if (n > x->cap) {
		x->cap = n * 2;
		x->uid = realloc(x->uid, x->cap * sizeof(*x->uid));
		if (x->uid == NULL)
			abort();
	}
	for (uint32_t i = from; i < n; i++)
		x->uid[i] = gx_imapview_at(x->view, i + 1).uid;
	x->n = n;
}

static void expunged(uint32_t seq, uint32_t uid, void *ctx)
{
	struct soak_session *x = ctx;
	if (seq == 0 || seq > x->n || x->uid[seq - 1] != uid) {
		soak_fail(x->k, "EXPUNGE of %u is told for UID %u, which is another's", seq, uid);
		return;
	}
	x->n--;
	memmove(x->uid + seq - 1, x->uid + seq, (x->n - seq + 1) * sizeof(*x->uid));
}

static void changed(uint32_t seq, const struct gx_uid_entry *e, void *ctx)
{
	struct soak_session *x = ctx;
	if (seq == 0 || seq > x->n || x->uid[seq - 1] != e->uid)
		soak_fail(x->k, "FETCH of %u is told for UID %u, which is another's", seq, e->uid);
}

static void exists(uint32_t count, uint32_t recent, void *ctx)
{
	(void)recent;
	((struct soak_session *)ctx)->exists = count;
}

static void compare_session(struct soak_session *x)
{
	uint32_t n = gx_imapview_count(x->view), last = 0;
	if (n < x->n)
		soak_fail(x->k, "a view of %u messages, by its refreshes there are %u", n, x->n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t uid = gx_imapview_at(x->view, i + 1).uid;
		if (uid <= last || (i < x->n && uid != x->uid[i]))
			soak_fail(x->k, "message %u of %u has UID %u after %u; it had %u", i + 1, n,
				uid, last, i < x->n ? x->uid[i] : 0);
		last = uid;
	}
	if (n > x->n && x->exists != n)
		soak_fail(x->k, "%u messages, but EXISTS told of %u", n, x->exists);
	atomic_fetch_add(&x->k->compared, 1);
}

static void refresh(struct soak_thread *w, bool expunge)
{
	struct soak_session *x = w->session;
	struct gx_imapview_sink sink = {expunged, changed, exists, x};
	uint32_t validity = gx_imapview_uidvalidity(x->view);
	gx_ec ec = gx_imapview_refresh(x->view, expunge, &sink);
	if (!soak_done(w, NULL, ec, "refresh") || gx_imapview_uidvalidity(x->view) != validity) {
		end_session(w);
		return;
	}
	compare_session(x);
	take_uids(x, 0);
}

static void open_session(struct soak_thread *w)
{
	struct gx_txn *t = soak_begin(w, w->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	uint64_t fid = soak_folder(w, t);
	gx_txn_abort(t);
	struct soak_session *x = calloc(1, sizeof(*x));
	if (x == NULL)
		abort();
	x->k = w->k;
	x->st = w->st;
	if (fid == 0 || !soak_done(w, NULL,
				gx_imapview_open(w->st->s, soak_actor(w), fid, &x->view), "view")) {
		free(x);
		return;
	}
	w->session = x;
	take_uids(x, 0);
}

void soak_imap(struct soak_thread *w)
{
	if (w->session == NULL) {
		open_session(w);
		return;
	}
	refresh(w, soak_rnd(w, 3) != 0);
	if (soak_rnd(w, 20) == 0)
		end_session(w);
}

void soak_session_end(struct soak_thread *w)
{
	if (w->session != NULL)
		refresh(w, true);
	end_session(w);
}

void soak_fetch(struct soak_thread *w)
{
	struct soak_pick p;
	soak_pick(w, &p, 8);
	struct gx_txn *t = p.n == 0 ? NULL : soak_begin(w, w->s, soak_actor(w), GX_TXN_READ);
	if (t == NULL)
		return;
	for (size_t i = 0; i < p.n; i++) {
		struct gx_msg_mime m;
		struct gx_push out = GX_PUSH_INIT;
		struct gx_msgobj *obj;
		if (soak_done(w, t, gx_msg_mime(t, p.mid[i], &m), "mime") &&
			(m.envelope.len == 0 || m.size == 0))
			soak_fail(w->k, "message %" PRIx64 " has no envelope", p.mid[i]);
		if (soak_rnd(w, 2) == 0)
			soak_done(w, t,
				gx_msg_original(t, p.mid[i], soak_rnd(w, 200),
					soak_rnd(w, 2) == 0 ? UINT64_MAX : 100, &out),
				"bytes");
		else
			soak_done(w, t, gx_msg_read(t, p.mid[i], w->a, &obj), "read");
		gx_push_release(&out);
	}
	gx_txn_abort(t);
}

/* What a search gives, and what is there: nothing may be missing. */
void soak_find(struct soak_thread *w)
{
	static const char *const texts[] = {"plan", "lunch", "budget", "meeting", "minutes"};
	static const gx_proptag_t tag = PidTagSubject;
	const char *text = texts[soak_rnd(w, 5)];
	struct gx_candidates c;
	struct soak_pick p;
	soak_pick(w, &p, 8);
	struct gx_txn *t = p.n == 0 ? NULL : soak_begin(w, w->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	if (soak_done(w, t, gx_search_texts(t, soak_rnd(w, 2) == 0 ? p.fid : 0, &text, 1, w->a, &c),
		    "search"))
		for (size_t i = 0; i < p.n; i++) {
			struct gx_proplist l;
			struct gx_msg_info info;
			gx_ec ec = gx_msg_get(t, p.mid[i], &info);
			if (gx_ec_failed(ec) || (info.flags & GX_MSGF_SOFTDEL))
				continue;
			if (info.fid == p.fid &&
				soak_done(w, t, gx_msg_get_props(t, p.mid[i], &tag, 1, w->a, &l),
					"subject") &&
				strstr(gx_proplist_str(&l, tag, ""), text) != NULL &&
				!gx_candidates_have(&c, p.mid[i]))
				soak_fail(w->k, "a search for %s does not find message %" PRIx64,
					text, p.mid[i]);
		}
	gx_txn_abort(t);
}

static bool count_rows(struct soak_thread *w, struct gx_txn *t, uint64_t fid, uint32_t flags,
	const struct gx_restr *r, uint32_t *ret_n)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	o.fid = fid;
	o.flags = flags;
	o.restr = r;
	if (!soak_done(w, t, gx_table_open_contents(t, &o, &tb), "table"))
		return false;
	bool ok = soak_done(w, t, gx_table_count(tb, t, ret_n), "count");
	gx_table_close(tb);
	return ok;
}

/* In a write transaction nothing else changes between the questions. */
void soak_counters(struct soak_thread *w)
{
	static const struct gx_restr unread = {
		.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};
	struct gx_folder_info i;
	uint32_t n, un, fai, gone, gone_fai;
	struct gx_txn *t = soak_begin(w, w->s, &soak_system, GX_TXN_WRITE);
	if (t == NULL)
		return;
	uint64_t fid = soak_folder(w, t);
	if (fid != 0 && count_rows(w, t, fid, 0, NULL, &n) &&
		count_rows(w, t, fid, 0, &unread, &un) &&
		count_rows(w, t, fid, GX_TABLE_ASSOCIATED, NULL, &fai) &&
		count_rows(w, t, fid, GX_TABLE_DELETED, NULL, &gone) &&
		count_rows(w, t, fid, GX_TABLE_DELETED | GX_TABLE_ASSOCIATED, NULL, &gone_fai) &&
		soak_done(w, t, gx_folder_get(t, fid, w->a, &i), "folder")) {
		if (i.total != n || i.fai != fai || i.deleted_count != gone + gone_fai ||
			(!w->st->is_public && i.unread != un))
			soak_fail(w->k,
				"folder %" PRIx64 " counts %" PRIu64 "/%" PRIu64 "/%" PRIu64
				"/%" PRIu64 ", its tables %u/%u/%u/%u",
				fid, i.total, i.unread, i.fai, i.deleted_count, n, un, fai,
				gone + gone_fai);
		atomic_fetch_add(&w->k->compared, 1);
	}
	gx_txn_abort(t);
}
