/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/view/viewpack.h"

enum { LEAST_ENTRY = 6, LEAST_UID = 1 }; /* bytes */

static uint64_t fold(uint64_t now, uint64_t before)
{
	int64_t d = (int64_t)(now - before);
	return ((uint64_t)d << 1) ^ (uint64_t)(d >> 63);
}

static uint64_t unfold(uint64_t v, uint64_t before)
{
	return before + ((v >> 1) ^ (0 - (v & 1)));
}

/* Of sizes the unknown one is the most frequent after small ones. */
void gx_viewpack__put(struct gx_viewpack *w, struct gx_push *out, const struct gx_uid_entry *e)
{
	gx_push_varint(out, fold(e->uid, w->uid));
	gx_push_varint(out, e->flags);
	gx_push_varint(out, e->kwset);
	gx_push_varint(out, (uint32_t)(e->size32 + 1));
	gx_push_varint(out, fold(e->mid, w->mid));
	gx_push_varint(out, fold(e->modseq, w->modseq));
	*w = (struct gx_viewpack){e->uid, e->mid, e->modseq};
}

static uint64_t bounded(struct gx_pull *c, uint64_t v, uint64_t most)
{
	if (v <= most)
		return v;
	gx_pull_fail(c, GX_E_FORMAT);
	return 0;
}

void gx_viewpack__get(struct gx_viewpack *w, struct gx_pull *c, struct gx_uid_entry *ret_e)
{
	w->uid = bounded(c, unfold(gx_pull_varint(c), w->uid), UINT32_MAX);
	*ret_e = (struct gx_uid_entry){.uid = (uint32_t)w->uid};
	ret_e->flags = (uint16_t)bounded(c, gx_pull_varint(c), UINT16_MAX);
	ret_e->kwset = (uint32_t)bounded(c, gx_pull_varint(c), UINT32_MAX);
	ret_e->size32 = (uint32_t)bounded(c, gx_pull_varint(c), UINT32_MAX) - 1;
	ret_e->mid = w->mid = unfold(gx_pull_varint(c), w->mid);
	ret_e->modseq = w->modseq = unfold(gx_pull_varint(c), w->modseq);
}

void gx_viewpack__state(const struct gx_root *r, uint32_t from, size_t most, struct gx_push *out)
{
	struct gx_viewpack w = {0};
	struct gx_uid_entry e;
	for (uint32_t i = from; out->len < most && gx_root__get(r, i, &e); ++i)
		gx_viewpack__put(&w, out, &e);
}

/* ---- Changes ---- */

static bool differs(const struct gx_uid_entry *o, const struct gx_uid_entry *n)
{
	return o->flags != n->flags || o->kwset != n->kwset || o->size32 != n->size32 || o->mid != n->mid || o->modseq != n->modseq;
}

static void put_removed(const struct gx_root *old, const struct gx_root *now, struct gx_push *out)
{
	struct gx_rootdiff d;
	uint64_t n = 0, before = 0;
	int k;
	gx_rootdiff__init(&d, old, now);
	while ((k = gx_rootdiff__next(&d)) != GX_DIFF_END)
		n += k == GX_DIFF_REMOVED;
	gx_push_varint(out, n);
	gx_rootdiff__init(&d, old, now);
	while (n > 0 && (k = gx_rootdiff__next(&d)) != GX_DIFF_END) {
		if (k != GX_DIFF_REMOVED)
			continue;
		gx_push_varint(out, d.o->uid - before);
		before = d.o->uid;
	}
}

bool gx_viewpack__changes(const struct gx_root *old, const struct gx_root *now, size_t most, struct gx_push *out)
{
	struct gx_viewpack w = {0};
	struct gx_rootdiff d;
	int k;
	put_removed(old, now, out);
	gx_rootdiff__init(&d, old, now);
	while (out->len <= most && (k = gx_rootdiff__next(&d)) != GX_DIFF_END)
		if (k == GX_DIFF_ADDED || (k == GX_DIFF_BOTH && differs(d.o, d.n)))
			gx_viewpack__put(&w, out, d.n);
	if (out->len <= most)
		return true;
	gx_push_clear(out);
	return false;
}

/* ---- Back ---- */

int gx_viewpack__add(struct gx_bin state, struct gx_rootbuild *b)
{
	struct gx_viewpack w = {0};
	struct gx_pull c;
	uint32_t last = 0;
	gx_pull_init(&c, state.data, state.len);
	while (c.left > 0 && c.err == 0) {
		struct gx_uid_entry e;
		gx_viewpack__get(&w, &c, &e);
		if (c.err == 0 && e.uid <= last)
			gx_pull_fail(&c, GX_E_FORMAT);
		last = e.uid;
		if (c.err == 0)
			gx_rootbuild__append(b, &e);
	}
	return c.err != 0 ? c.err : b->err;
}

int gx_viewpack__ops(struct gx_bin changes, uint64_t fid, struct gx_arena *a, struct gx_view_op **ret_v, size_t *ret_n)
{
	struct gx_viewpack w = {0};
	struct gx_pull c;
	uint64_t uid = 0;
	gx_pull_init(&c, changes.data, changes.len);
	size_t gone = gx_pull_count(&c, gx_pull_varint(&c), LEAST_UID), n = 0;
	struct gx_view_op *v = gx_arena_new_array(a, struct gx_view_op, gone + c.left / LEAST_ENTRY + 1);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < gone && c.err == 0; ++i) {
		uid += bounded(&c, gx_pull_varint(&c), UINT32_MAX);
		v[n++] = (struct gx_view_op){.fid = fid, .kind = GX_VOP_REMOVE, .e = {.uid = (uint32_t)bounded(&c, uid, UINT32_MAX)}};
	}
	while (c.left > 0 && c.err == 0) {
		v[n] = (struct gx_view_op){.fid = fid, .kind = GX_VOP_INSERT};
		gx_viewpack__get(&w, &c, &v[n++].e);
	}
	*ret_v = v;
	*ret_n = n;
	return c.err;
}
