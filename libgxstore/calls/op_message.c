/* SPDX-License-Identifier: Apache-2.0 */
/* Messages. */
#include <config.h>
#include <string.h>
#include <gx/search.h>
#include "libgxstore/calls/op-int.h"
#include "libgxstore/message/prepwire.h"

enum { PIECE_MOST = 4 * 1024 * 1024 }; /* bytes of an original in one answer */

static struct gx_o_msg_ids wire_ids(const struct gx_msg_ids *i)
{
	return (struct gx_o_msg_ids){i->mid, i->cn, i->uid};
}

/* NULL-terminated. */
static const char *const *words(struct gx_op_ctx *c, const char *const *v, uint32_t n)
{
	const char **out = gx_arena_new_array(c->a, const char *, (size_t)n + 1);
	if (out != NULL && n > 0)
		memcpy(out, v, n * sizeof(*v));
	return out;
}

GX_OP(msg_get)
{
	const struct gx_o_msg_get_req *q = req;
	struct gx_msg_info i;
	gx_ec ec = gx_msg_get(c->t, q->mid, &i);
	if (!gx_ec_failed(ec))
		*(struct gx_o_msg_get_ans *)ans = (struct gx_o_msg_get_ans){i.mid, i.fid, i.cn, i.uid, i.flags, i.kwset, i.size, i.received};
	return ec;
}

GX_OP(msg_get_props)
{
	const struct gx_o_msg_get_props_req *q = req;
	return gx_msg_get_props(c->t, q->mid, q->tags, q->tags_count, c->a, &((struct gx_o_msg_get_props_ans *)ans)->props);
}

GX_OP(stage)
{
	const struct gx_o_stage_req *q = req;
	struct gx_push *p = &c->link->staged;
	(void)ans;
	if (q->first)
		gx_push_clear(p);
	gx_push_bytes(p, q->data.data, q->data.len); /* a failure is told by the insertion */
	return GX_OK_EC;
}

static gx_ec insert(struct gx_op_ctx *c, const struct gx_o_msg_insert_req *q, struct gx_bin wire, struct gx_o_msg_insert_ans *r)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	int err = gx_prep__decode(wire, c->a, &p);
	if (err != 0)
		return gx_call__fail(&c->call, gx_ec_from_err(err).v, "a prepared message cannot be read: %s", gx_strerror(err));
	o.flags = q->flags;
	o.keywords = words(c, q->keywords, q->keywords_count);
	o.received = q->received;
	o.delivery_id = q->has_delivery_id ? q->delivery_id : NULL;
	o.mid = q->mid;
	o.cn = q->cn;
	o.rcn = q->rcn;
	o.uid = q->uid;
	if (o.keywords == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	gx_ec ec = gx_msg_insert(c->t, q->fid, p, &o, &ids);
	if (!gx_ec_failed(ec))
		r->ids = wire_ids(&ids);
	return ec;
}

GX_OP(msg_insert)
{
	const struct gx_o_msg_insert_req *q = req;
	struct gx_push *staged = &c->link->staged;
	if (!q->staged)
		return insert(c, q, q->message, ans);
	if (staged->err != 0)
		return gx_call__fail(&c->call, gx_ec_from_err(staged->err).v, "a message of more than %zu bytes: %s", staged->len,
			gx_strerror(staged->err));
	gx_ec ec = insert(c, q, (struct gx_bin){staged->data, staged->len}, ans);
	gx_push_release(staged);
	gx_push_init(staged, c->call.host->o.max_message);
	return ec;
}

GX_OP(msg_change_flags)
{
	const struct gx_o_msg_change_flags_req *q = req;
	struct gx_o_msg_change_flags_ans *r = ans;
	struct gx_flag_change f = {.op = q->op, .flags = q->flags, .unchanged_since = q->unchanged_since};
	uint64_t *skipped = NULL;
	size_t n = 0;
	if (q->op > GX_FLAGS_REMOVE)
		return GX_EC(ecInvalidParam);
	if (q->has_keywords && (f.keywords = words(c, q->keywords, q->keywords_count)) == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	gx_ec ec = gx_msg_change_flags(c->t, q->fid, q->mids, q->mids_count, &f, c->a, q->want_skipped ? &skipped : NULL,
		q->want_skipped ? &n : NULL);
	r->skipped = skipped;
	r->skipped_count = (uint32_t)n;
	return ec;
}

GX_OP(msg_delete)
{
	const struct gx_o_msg_delete_req *q = req;
	(void)ans;
	return gx_msg_delete(c->t, q->fid, q->mids, q->mids_count, q->hard);
}

GX_OP(msg_copy)
{
	const struct gx_o_msg_copy_req *q = req;
	struct gx_o_msg_copy_ans *r = ans;
	struct gx_msg_ids *ids = gx_arena_new_array(c->a, struct gx_msg_ids, q->mids_count);
	struct gx_o_msg_ids *out = gx_arena_new_array(c->a, struct gx_o_msg_ids, q->mids_count);
	if (ids == NULL || out == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	gx_ec ec = gx_msg_copy(c->t, q->fid, q->mids, q->mids_count, q->to, q->move, ids);
	for (uint32_t i = 0; i < q->mids_count; ++i)
		out[i] = wire_ids(&ids[i]);
	r->ids = out;
	r->ids_count = q->mids_count;
	return ec;
}

/* What the next operation may change is copied. */
static int keep(struct gx_op_ctx *c, struct gx_bin *b)
{
	const uint8_t *p = gx_arena_memdup(c->a, b->data, b->len);
	b->data = p;
	return p == NULL && b->len != 0 ? GX_E_NOMEM : 0;
}

GX_OP(msg_mime)
{
	const struct gx_o_msg_mime_req *q = req;
	struct gx_o_msg_mime_ans *r = ans;
	struct gx_msg_mime m;
	gx_ec ec = gx_msg_mime(c->t, q->mid, &m);
	if (gx_ec_failed(ec))
		return ec;
	*r = (struct gx_o_msg_mime_ans){m.envelope, m.bodystructure, m.size};
	int err = keep(c, &r->envelope);
	return gx_ec_from_err(err != 0 ? err : keep(c, &r->bodystructure));
}

GX_OP(msg_original)
{
	const struct gx_o_msg_original_req *q = req;
	struct gx_o_msg_original_ans *r = ans;
	struct gx_push out = GX_PUSH_INIT;
	gx_ec ec = gx_msg_original(c->t, q->mid, q->off, q->len < PIECE_MOST ? q->len : PIECE_MOST, &out);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_push_finish(&out, c->a, &r->data));
	gx_push_release(&out);
	return ec;
}

GX_OP(search_texts)
{
	const struct gx_o_search_texts_req *q = req;
	struct gx_o_search_texts_ans *r = ans;
	struct gx_candidates found;
	gx_ec ec = gx_search_texts(c->t, q->fid, q->texts, q->texts_count, c->a, &found);
	if (!gx_ec_failed(ec))
		*r = (struct gx_o_search_texts_ans){.all = found.all, .mids = found.mids, .mids_count = (uint32_t)(found.all ? 0 : found.n)};
	return ec;
}
