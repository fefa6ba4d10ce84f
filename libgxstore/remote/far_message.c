/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and what is found of them. */
#include <config.h>
#include <string.h>
#include "libgxstore/message/prepwire.h"
#include "libgxstore/remote/far-store.h"

enum { MANY = 64, MANY_BYTES = 4 * 1024 * 1024 };
enum { INLINE_MOST = 1024 * 1024, PIECE = 2 * 1024 * 1024, WHOLE = 4 * 1024 * 1024 };

static uint32_t count(const char *const *v)
{
	uint32_t n = 0;
	while (v != NULL && v[n] != NULL)
		++n;
	return n;
}

gx_ec gx_far__msg_get(struct gx_txn *t, uint64_t mid, struct gx_msg_info *ret_info)
{
	struct gx_fartxn *ft = t->far;
	const struct gx_o_msg_get_req q = {mid};
	const struct gx_x_op_answer *w = gx_farahead__find(ft, GX_O_MSG_GET, mid);
	struct gx_o_msg_get_ans ans;
	gx_ec ec = w != NULL ? gx_far__unpack(GX_O_MSG_GET, w, ft->scratch, &ans) : gx_far__op(t, GX_O_MSG_GET, &q, NULL, &ans);
	if (!gx_ec_failed(ec))
		*ret_info = (struct gx_msg_info){.mid = ans.mid, .fid = ans.fid, .cn = ans.cn, .uid = ans.uid, .flags = ans.flags,
			.kwset = ans.kwset, .size = ans.size, .received = ans.received};
	return ec;
}

gx_ec gx_far__msg_get_props(struct gx_txn *t, uint64_t mid, const gx_proptag_t *tags, size_t n, struct gx_arena *a, struct gx_proplist *ret_l)
{
	const struct gx_o_msg_get_props_req q = {mid, tags, (uint32_t)n};
	struct gx_o_msg_get_props_ans ans;
	gx_ec ec = n > UINT16_MAX ? GX_EC(ecInvalidParam) : gx_far__op(t, GX_O_MSG_GET_PROPS, &q, a, &ans);
	if (!gx_ec_failed(ec))
		*ret_l = ans.props;
	return ec;
}

/* ---- Insertion ---- */

static struct gx_o_msg_insert_req insertion(uint64_t fid, const struct gx_msg_insert_opts *o)
{
	struct gx_o_msg_insert_req q = {.fid = fid};
	if (o == NULL)
		return q;
	q.flags = o->flags;
	q.keywords = o->keywords;
	q.keywords_count = count(o->keywords);
	q.received = o->received;
	q.has_delivery_id = o->delivery_id != NULL;
	if (o->delivery_id != NULL)
		memcpy(q.delivery_id, o->delivery_id, sizeof(q.delivery_id));
	q.mid = o->mid;
	q.cn = o->cn;
	q.rcn = o->rcn;
	q.uid = o->uid;
	return q;
}

static gx_ec send_message(struct gx_txn *t, struct gx_bin wire, struct gx_o_msg_insert_req *q, struct gx_o_msg_insert_ans *ans)
{
	q->staged = wire.len > INLINE_MOST;
	if (!q->staged)
		q->message = wire;
	else if (gx_far__stage(t, wire) != 0)
		return GX_EC(ecRpcFailed);
	return gx_far__op(t, GX_O_MSG_INSERT, q, NULL, ans);
}

gx_ec gx_far__msg_insert(struct gx_txn *t, uint64_t fid, const struct gx_msg_prepared *p, const struct gx_msg_insert_opts *o,
	struct gx_msg_ids *ret_ids)
{
	struct gx_o_msg_insert_req q = insertion(fid, o);
	struct gx_o_msg_insert_ans ans;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin wire;
	if (a == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	int err = gx_prep__encode(p, a, &wire);
	gx_ec ec = err != 0 ? gx_ec_from_err(err) : send_message(t, wire, &q, &ans);
	gx_arena_free(a);
	if (!gx_ec_failed(ec) && ret_ids != NULL)
		*ret_ids = (struct gx_msg_ids){.mid = ans.ids.mid, .cn = ans.ids.cn, .uid = ans.ids.uid};
	return ec;
}

/* The operations of one request, and what of it they stand for. */
struct many {
	struct gx_x_op op[MANY];
	uint32_t n;
	size_t bytes;
	struct gx_arena *a;
};

static gx_ec take_insertion(struct gx_txn *t, const struct gx_x_op_answer *w, struct gx_msg_insertion *x)
{
	struct gx_o_msg_insert_ans ans;
	x->ec = gx_far__unpack(GX_O_MSG_INSERT, w, ((struct gx_fartxn *)t->far)->scratch, &ans);
	if (!gx_ec_failed(x->ec))
		x->ids = (struct gx_msg_ids){.mid = ans.ids.mid, .cn = ans.ids.cn, .uid = ans.ids.uid};
	else
		snprintf(t->why, sizeof(t->why), "%s", w->text);
	return gx_ec_is(x->ec, ecDuplicateObject) ? GX_OK_EC : x->ec;
}

/* @v: those of the request. */
static gx_ec send_many(struct gx_txn *t, struct many *m, struct gx_msg_insertion *v)
{
	struct gx_fartxn *ft = t->far;
	struct gx_x_transact_ans ans;
	gx_ec ec = GX_OK_EC;
	gx_arena_reset(ft->scratch);
	gx_farahead__clear(ft->ahead);
	if (gx_far__ops(t, m->op, m->n, ft->scratch, &ans) != 0)
		ec = t->broken == GX_E_IO ? GX_EC(ecRpcFailed) : gx_ec_from_err(t->broken);
	else if (ans.answers_count != m->n)
		ec = GX_EC(ecRpcFormat);
	for (uint32_t i = 0; i < m->n; ++i) {
		v[i].ec = ec;
		if (!gx_ec_failed(ec))
			ec = take_insertion(t, &ans.answers[i], &v[i]);
	}
	m->n = 0;
	m->bytes = 0;
	gx_arena_reset(m->a);
	return ec;
}

/* False: it goes by itself. */
static bool add(struct many *m, uint64_t fid, const struct gx_msg_insertion *x)
{
	struct gx_o_msg_insert_req q = insertion(fid, x->o);
	if (m->n == MANY || m->bytes > MANY_BYTES || gx_prep__encode(x->msg, m->a, &q.message) != 0 || q.message.len > INLINE_MOST ||
	    gx_far__pack(GX_O_MSG_INSERT, &q, m->a, &m->op[m->n]) != 0)
		return false;
	m->bytes += q.message.len;
	++m->n;
	return true;
}

static gx_ec insert_all(struct gx_txn *t, uint64_t fid, struct many *m, struct gx_msg_insertion *v, size_t n, size_t *ret_done)
{
	gx_ec ec = GX_OK_EC;
	size_t first = 0;
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i) {
		if (add(m, fid, &v[i]))
			continue;
		if (m->n > 0) {
			ec = send_many(t, m, v + first);
			first = i--;
			continue;
		}
		v[i].ec = gx_far__msg_insert(t, fid, v[i].msg, v[i].o, &v[i].ids);
		ec = gx_ec_is(v[i].ec, ecDuplicateObject) ? GX_OK_EC : v[i].ec;
		first = i + 1;
		gx_arena_reset(m->a);
	}
	*ret_done = first;
	if (gx_ec_failed(ec) || m->n == 0)
		return ec;
	*ret_done = n;
	return send_many(t, m, v + first);
}

gx_ec gx_far__msg_insert_many(struct gx_txn *t, uint64_t fid, struct gx_msg_insertion *v, size_t n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct many *m = a == NULL ? NULL : gx_arena_new_obj(a, struct many);
	if (m == NULL || (m->a = gx_arena_new(0)) == NULL) {
		gx_arena_free(a);
		return gx_ec_from_err(GX_E_NOMEM);
	}
	size_t done = 0;
	gx_ec ec = insert_all(t, fid, m, v, n, &done);
	while (gx_ec_failed(ec) && done < n)
		v[done++].ec = ec;
	gx_arena_free(m->a);
	gx_arena_free(a);
	return ec;
}

/* ---- Changes ---- */

gx_ec gx_far__msg_change_flags(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, const struct gx_flag_change *c,
	struct gx_arena *a, uint64_t **ret_skipped, size_t *ret_nskipped)
{
	const struct gx_o_msg_change_flags_req q = {.fid = fid, .mids = mids, .mids_count = (uint32_t)n, .op = (uint8_t)c->op, .flags = c->flags,
		.has_keywords = c->keywords != NULL, .keywords = c->keywords, .keywords_count = count(c->keywords),
		.unchanged_since = c->unchanged_since, .want_skipped = ret_skipped != NULL};
	struct gx_o_msg_change_flags_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_MSG_CHANGE_FLAGS, &q, ret_skipped != NULL ? a : NULL, &ans);
	if (gx_ec_failed(ec) || ret_skipped == NULL)
		return ec;
	*ret_nskipped = ans.skipped_count;
	*ret_skipped = gx_arena_memdup(a, ans.skipped, ans.skipped_count * sizeof(*ans.skipped));
	return *ret_skipped == NULL && ans.skipped_count > 0 ? gx_ec_from_err(GX_E_NOMEM) : ec;
}

gx_ec gx_far__msg_delete(struct gx_txn *t, uint64_t fid, const uint64_t *mids, size_t n, bool hard)
{
	const struct gx_o_msg_delete_req q = {fid, mids, (uint32_t)n, hard};
	return gx_far__op(t, GX_O_MSG_DELETE, &q, NULL, NULL);
}

gx_ec gx_far__msg_copy(struct gx_txn *t, uint64_t src_fid, const uint64_t *mids, size_t n, uint64_t dst_fid, bool move,
	struct gx_msg_ids *ret_ids)
{
	const struct gx_o_msg_copy_req q = {src_fid, mids, (uint32_t)n, dst_fid, move};
	struct gx_o_msg_copy_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_MSG_COPY, &q, NULL, &ans);
	if (!gx_ec_failed(ec) && ans.ids_count != n)
		return GX_EC(ecRpcFormat);
	for (size_t i = 0; !gx_ec_failed(ec) && ret_ids != NULL && i < n; ++i)
		ret_ids[i] = (struct gx_msg_ids){.mid = ans.ids[i].mid, .cn = ans.ids[i].cn, .uid = ans.ids[i].uid};
	return ec;
}

/* ---- The internet message ---- */

gx_ec gx_far__msg_mime(struct gx_txn *t, uint64_t mid, struct gx_msg_mime *ret_m)
{
	struct gx_fartxn *ft = t->far;
	const struct gx_o_msg_mime_req q = {mid};
	const struct gx_x_op_answer *w = gx_farahead__find(ft, GX_O_MSG_MIME, mid);
	struct gx_o_msg_mime_ans ans;
	if (ft->mime == NULL && (ft->mime = gx_arena_new(0)) == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	gx_arena_reset(ft->mime);
	gx_ec ec = w != NULL ? gx_far__unpack(GX_O_MSG_MIME, w, ft->mime, &ans) : gx_far__op(t, GX_O_MSG_MIME, &q, ft->mime, &ans);
	if (!gx_ec_failed(ec))
		*ret_m = (struct gx_msg_mime){ans.envelope, ans.bodystructure, ans.size};
	return ec;
}

static gx_ec read_piece(struct gx_txn *t, uint64_t mid, uint64_t off, uint32_t n, struct gx_push *out, size_t *ret_n)
{
	const struct gx_o_msg_original_req q = {mid, off, n};
	struct gx_o_msg_original_ans ans;
	gx_ec ec = gx_far__op(t, GX_O_MSG_ORIGINAL, &q, NULL, &ans);
	if (gx_ec_failed(ec))
		return ec;
	*ret_n = ans.data.len;
	gx_push_bytes(out, ans.data.data, ans.data.len);
	return gx_ec_from_err(out->err);
}

/* What was read ahead begins at the first byte; it is the whole when it is less than was asked for. */
static bool from_ahead(struct gx_txn *t, uint64_t mid, uint64_t off, uint64_t n, struct gx_push *out, gx_ec *ret_ec)
{
	struct gx_fartxn *ft = t->far;
	const struct gx_x_op_answer *w = gx_farahead__find(ft, GX_O_MSG_ORIGINAL, mid);
	struct gx_o_msg_original_ans ans;
	if (w == NULL)
		return false;
	*ret_ec = gx_far__unpack(GX_O_MSG_ORIGINAL, w, ft->scratch, &ans);
	if (gx_ec_failed(*ret_ec))
		return true;
	uint64_t len = ans.data.len;
	if (len >= WHOLE && (off > len || n > len - off))
		return false;
	off = off < len ? off : len;
	n = n < len - off ? n : len - off;
	gx_push_bytes(out, ans.data.data + off, (size_t)n);
	*ret_ec = gx_ec_from_err(out->err);
	return true;
}

gx_ec gx_far__msg_original(struct gx_txn *t, uint64_t mid, uint64_t off, uint64_t n, struct gx_push *out)
{
	size_t before = out->len, got = 0;
	gx_ec ec;
	if (from_ahead(t, mid, off, n, out, &ec))
		return ec;
	do {
		uint32_t want = n < PIECE ? (uint32_t)n : PIECE;
		ec = read_piece(t, mid, off, want, out, &got);
		if (gx_ec_failed(ec) || got < want)
			break;
		off += got;
		n -= got;
	} while (n > 0);
	if (gx_ec_failed(ec) && out->err == 0)
		out->len = before;
	return ec;
}

gx_ec gx_far__search_texts(struct gx_txn *t, uint64_t fid, const char *const *texts, size_t n, struct gx_arena *a, struct gx_candidates *ret_c)
{
	const struct gx_o_search_texts_req q = {fid, texts, (uint32_t)n};
	struct gx_o_search_texts_ans ans;
	gx_ec ec = n > UINT16_MAX ? GX_EC(ecInvalidParam) : gx_far__op(t, GX_O_SEARCH_TEXTS, &q, a, &ans);
	if (!gx_ec_failed(ec))
		*ret_c = (struct gx_candidates){.all = ans.all, .mids = ans.mids, .n = ans.mids_count};
	return ec;
}
