/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/far-int.h"
#include "libgxstore/store-int.h"

/*
 * The internet form of messages. One that came without is rendered by the function that the opener
 * handed in, and kept, so that every client sees the same bytes from then on.
 */

#define KEEP_MS 50 /* wait for the writer, to keep what was rendered */

static int render(struct gx_txn *t, uint64_t mid)
{
	struct gx_msgobj *m;
	if (t->s->render == NULL)
		return gx_sql__fail(t->q, GX_E_UNSUP, "message %llx has no internet form and nothing here can make one", (unsigned long long)mid);
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	gx_push_clear(&t->rendered);
	gx_push_clear(&t->envelope);
	gx_push_clear(&t->structure);
	t->rendered_mid = 0;
	struct gx_msg_row r;
	gx_ec ec = gx_msg_read(t, mid, a, &m);
	int err = gx_ec_to_err(ec);
	if (err == 0)
		err = gx_msg__row(t, mid, &r);
	if (err == 0)
		err = t->s->render(m, &t->rendered, &t->envelope, &t->structure, t->s->render_ctx);
	if (err == 0)
		err = t->rendered.err != 0 ? t->rendered.err : t->envelope.err != 0 ? t->envelope.err : t->structure.err;
	gx_arena_free(a);
	if (err == 0) {
		t->rendered_mid = mid;
		t->rendered_cn = r.cn;
		t->rendered_body = r.body;
	}
	return err;
}

static int put_skeleton(struct gx_txn *t, const struct gx_msg_row *r, struct gx_bin original)
{
	struct gx_content_new *new;
	struct gx_bin old, skel;
	size_t n;
	int err = gx_body__skeleton(t, r->body, t->a, &old);
	if (err == 0)
		err = gx_skel__with_original(t->a, old, original, &skel, &new, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = gx_content__put(t->c->cio, t->q, &new[i]);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "UPDATE body SET skeleton=?2 WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->body);
	gx_sql__bind_blob(st, 2, skel.data, skel.len);
	return gx_sql__run(st);
}

static int put_row(struct gx_txn *t, struct gx_msg_row *r, uint64_t size)
{
	struct gx_fstate *f;
	const struct gx_msg_row old = *r;
	int err = gx_fstate__get(t, r->fid, &f);
	if (err != 0)
		return err;
	r->flags |= GX_MSGF_HASORIG;
	r->size = size;
	GX_STMT(st, t->q, "UPDATE msg SET flags=?2, size=?3 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)r->mid);
	gx_sql__bind_int(st, 2, r->flags);
	gx_sql__bind_int(st, 3, (int64_t)r->size);
	err = gx_sql__run(st);
	return err != 0 ? err : gx_change__updated(t, f, &old, r, GX_CH_QUIET);
}

/* @from: the transaction that holds what was rendered; @t: the one that writes. */
static int keep_in(struct gx_txn *t, const struct gx_txn *from)
{
	struct gx_msg_row r;
	int err = gx_msg__row(t, from->rendered_mid, &r);
	if (err != 0 || (r.flags & GX_MSGF_HASORIG))
		return err == GX_E_NOTFOUND ? 0 : err;
	if (r.cn != from->rendered_cn || r.body != from->rendered_body)
		return 0; /* it was saved meanwhile: this is the form of what it said before */
	err = gx_body__own(t, &r);
	if (err == 0)
		err = put_skeleton(t, &r, (struct gx_bin){from->rendered.data, from->rendered.len});
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "INSERT INTO mime(id,size,envelope,structure) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, (int64_t)r.body);
	gx_sql__bind_int(st, 2, (int64_t)from->rendered.len);
	gx_sql__bind_blob(st, 3, from->envelope.data, from->envelope.len);
	gx_sql__bind_blob(st, 4, from->structure.data, from->structure.len);
	err = gx_sql__run(st);
	return err != 0 ? err : put_row(t, &r, from->rendered.len);
}

/* From a read transaction the result is kept by a write of its own; if that has to wait, next time. */
static int keep(struct gx_txn *t)
{
	struct gx_txn *w;
	if (t->mode == GX_TXN_WRITE)
		return keep_in(t, t);
	int err = gx_txn__brief(t->s, KEEP_MS, &w);
	if (err != 0)
		return 0;
	err = keep_in(w, t);
	if (err != 0)
		gx_txn_abort(w);
	else
		err = gx_txn_commit(w, GX_SYNC_LATER);
	if (err != 0)
		gx_log(t->s->log, GX_LOG_WARN, "%s: rendered form of message %llx not kept: %s", t->s->file,
			(unsigned long long)t->rendered_mid, gx_strerror(err));
	return 0;
}

static int make(struct gx_txn *t, uint64_t mid)
{
	if (t->rendered_mid == mid)
		return 0;
	int err = render(t, mid);
	return err != 0 ? err : keep(t);
}

static gx_ec rendered_mime(struct gx_txn *t, uint64_t mid, struct gx_msg_mime *ret_m)
{
	int err = make(t, mid);
	if (err != 0)
		return gx_txn__ec(t, err);
	*ret_m = (struct gx_msg_mime){.envelope = {t->envelope.data, t->envelope.len},
		.bodystructure = {t->structure.data, t->structure.len}, .size = t->rendered.len};
	return GX_OK_EC;
}

/* For everybody the folder's rights were checked for: one statement, no copies. */
gx_ec gx_msg_mime(struct gx_txn *t, uint64_t mid, struct gx_msg_mime *ret_m)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_mime(t, mid, ret_m);
	struct gx_msg_row r;
	if (!gx_txn__all_rights(t)) {
		gx_ec ec = gx_msg__readable(t, mid, &r);
		if (gx_ec_failed(ec))
			return ec;
	}
	gx_sql__done(t->mime_stmt);
	t->mime_stmt = gx_sql__stmt(t->q, "SELECT i.size,i.envelope,i.structure,m.mid FROM msg m"
		" LEFT JOIN mime i ON i.id=m.body WHERE m.mid=?1");
	gx_sql__bind_int(t->mime_stmt, 1, (int64_t)mid);
	int s = gx_sql__step(t->mime_stmt);
	if (s < 0)
		return gx_txn__ec(t, s);
	if (s == 0)
		return gx_txn__fail(t, ecNotFound, "no message %llx", (unsigned long long)mid);
	if (gx_sql__is_null(t->mime_stmt, 0)) {
		gx_sql__done(t->mime_stmt);
		t->mime_stmt = NULL;
		return rendered_mime(t, mid, ret_m);
	}
	*ret_m = (struct gx_msg_mime){.size = gx_sql__u64(t->mime_stmt, 0), .envelope = gx_sql__blob(t->mime_stmt, 1),
		.bodystructure = gx_sql__blob(t->mime_stmt, 2)};
	return GX_OK_EC;
}

static int copy_range(const struct gx_push *from, uint64_t off, uint64_t n, struct gx_push *out)
{
	if (off < from->len)
		gx_push_bytes(out, from->data + off, n < from->len - off ? (size_t)n : (size_t)(from->len - off));
	return out->err;
}

gx_ec gx_msg_original(struct gx_txn *t, uint64_t mid, uint64_t off, uint64_t n, struct gx_push *out)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->msg_original(t, mid, off, n, out);
	struct gx_msg_row r;
	if (!gx_txn__all_rights(t)) {
		gx_ec ec = gx_msg__readable(t, mid, &r);
		if (gx_ec_failed(ec))
			return ec;
	}
	if (t->rendered_mid == mid)
		return gx_txn__ec(t, copy_range(&t->rendered, off, n, out));
	GX_STMT(st, t->q, "SELECT m.flags,b.skeleton FROM msg m JOIN body b ON b.id=m.body WHERE m.mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int s = gx_sql__step(st);
	if (s < 0)
		return gx_txn__ec(t, s);
	if (s == 0)
		return gx_txn__fail(t, ecNotFound, "no message %llx", (unsigned long long)mid);
	if (gx_sql__int(st, 0) & GX_MSGF_HASORIG) {
		int err = gx_original__read(t->c->cio, t->q, gx_sql__blob(st, 1), off, n, out);
		return gx_txn__cec(t, err);
	}
	int err = make(t, mid);
	return gx_txn__ec(t, err != 0 ? err : copy_range(&t->rendered, off, n, out));
}

void gx_msg_ahead(struct gx_txn *t, const uint64_t *mids, size_t n, unsigned what)
{
	if (gx_far(t) != NULL && n > 0 && n <= GX_AHEAD_MOST)
		gx_far(t)->ahead(t, mids, n, what);
}
