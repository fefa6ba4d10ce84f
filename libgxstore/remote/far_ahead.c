/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to what will be asked next: one round trip for many messages. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/remote/far-store.h"

enum { KINDS = 3, WHOLE = 4 * 1024 * 1024 };

struct item {
	uint64_t mid;
	uint8_t op;
};
struct gx_farahead {
	struct gx_arena *a;
	struct item *v;
	const struct gx_x_op_answer *answers;
	uint32_t n, at;       /* at: where the last one was found */
};

void gx_farahead__free(struct gx_farahead *h)
{
	if (h == NULL)
		return;
	gx_arena_free(h->a);
	free(h);
}

void gx_farahead__clear(struct gx_farahead *h)
{
	if (h != NULL)
		h->n = 0;
}

static struct gx_farahead *clean(struct gx_fartxn *ft)
{
	if (ft->ahead == NULL)
		ft->ahead = calloc(1, sizeof(*ft->ahead));
	if (ft->ahead == NULL)
		return NULL;
	if (ft->ahead->a == NULL)
		ft->ahead->a = gx_arena_new(0);
	else
		gx_arena_reset(ft->ahead->a);
	ft->ahead->n = ft->ahead->at = 0;
	return ft->ahead->a != NULL ? ft->ahead : NULL;
}

static int add(struct gx_farahead *h, struct gx_x_op *v, uint8_t op, uint64_t mid, const void *req)
{
	h->v[h->n] = (struct item){mid, op};
	return gx_far__pack(op, req, h->a, &v[h->n++]);
}

static int add_message(struct gx_farahead *h, struct gx_x_op *v, uint64_t mid, unsigned what)
{
	const struct gx_o_msg_get_req info = {mid};
	const struct gx_o_msg_mime_req mime = {mid};
	const struct gx_o_msg_original_req original = {mid, 0, WHOLE};
	int err = what & GX_AHEAD_INFO ? add(h, v, GX_O_MSG_GET, mid, &info) : 0;
	if (err == 0 && (what & GX_AHEAD_MIME))
		err = add(h, v, GX_O_MSG_MIME, mid, &mime);
	if (err == 0 && (what & GX_AHEAD_ORIGINAL))
		err = add(h, v, GX_O_MSG_ORIGINAL, mid, &original);
	return err;
}

/* A failure is not told here: what is asked for then is asked for once more. */
void gx_far__ahead(struct gx_txn *t, const uint64_t *mids, size_t n, unsigned what)
{
	struct gx_x_transact_ans ans;
	struct gx_farahead *h = clean(t->far);
	if (h == NULL || t->broken != 0)
		return;
	h->v = gx_arena_new_array(h->a, struct item, n * KINDS);
	struct gx_x_op *v = gx_arena_new_array(h->a, struct gx_x_op, n * KINDS);
	int err = h->v == NULL || v == NULL ? GX_E_NOMEM : 0;
	for (size_t i = 0; i < n && err == 0; ++i)
		err = add_message(h, v, mids[i], what);
	if (err == 0 && h->n > 0)
		err = gx_far__ops(t, v, h->n, h->a, &ans);
	h->n = err == 0 && ans.answers_count < h->n ? ans.answers_count : err == 0 ? h->n : 0;
	h->answers = h->n > 0 ? ans.answers : NULL;
}

const struct gx_x_op_answer *gx_farahead__find(struct gx_fartxn *ft, uint8_t op, uint64_t mid)
{
	struct gx_farahead *h = ft->ahead;
	for (uint32_t i = 0; h != NULL && i < h->n; ++i) {
		uint32_t k = h->at + i < h->n ? h->at + i : h->at + i - h->n;
		if (h->v[k].mid == mid && h->v[k].op == op) {
			h->at = k;
			return &h->answers[k];
		}
	}
	return NULL;
}
