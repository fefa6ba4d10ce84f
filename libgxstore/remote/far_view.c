/* SPDX-License-Identifier: Apache-2.0 */
/* Views of folders: one snapshot, then what has changed since the last answer. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/remote/far-store.h"
#include "libgxstore/view/viewpack.h"

struct state {
	uint32_t uidvalidity, uidnext, count;
	uint64_t modseq;
};

/* ---- Views that are not looked at any more ---- */

void gx_far__view_forget(struct gx_store *s, uint32_t view)
{
	struct gx_farstore *f = s->far;
	pthread_mutex_lock(&f->lock);
	if (f->nforget == f->cap_forget) {
		size_t cap = f->cap_forget == 0 ? 16 : 2 * f->cap_forget;
		uint32_t *v = realloc(f->forget, cap * sizeof(*v));
		if (v != NULL) {
			f->forget = v;
			f->cap_forget = cap;
		}
	}
	if (f->nforget < f->cap_forget) /* else it stays until the client goes */
		f->forget[f->nforget++] = view;
	pthread_mutex_unlock(&f->lock);
}

size_t gx_far__forgotten(struct gx_farstore *f, struct gx_arena *a, struct gx_x_op *v, size_t most)
{
	size_t n = 0;
	pthread_mutex_lock(&f->lock);
	while (n < most && f->nforget > 0) {
		const struct gx_o_view_close_req q = {f->forget[f->nforget - 1]};
		if (gx_far__pack(GX_O_VIEW_CLOSE, &q, a, &v[n]) != 0)
			break;
		--f->nforget;
		++n;
	}
	pthread_mutex_unlock(&f->lock);
	return n;
}

/* ---- The whole ---- */

static int read_rest(struct gx_farstore *f, uint32_t view, struct gx_bin first, uint32_t count, struct gx_arena *a, struct gx_rootbuild *b,
	uint32_t *ret_have)
{
	int err = gx_viewpack__add(first, b);
	for (uint32_t have = gx_rootbuild__count(b); err == 0 && have < count; have = gx_rootbuild__count(b)) {
		const struct gx_o_view_more_req q = {view, have};
		struct gx_o_view_more_ans ans;
		gx_arena_reset(a);
		gx_ec ec = gx_far__outside(f, GX_O_VIEW_MORE, &q, a, &ans, NULL);
		err = gx_ec_failed(ec) ? gx_ec_to_err(ec) : ans.state.len == 0 ? GX_E_FORMAT : gx_viewpack__add(ans.state, b);
	}
	*ret_have = gx_rootbuild__count(b);
	return err;
}

static int build(struct gx_farstore *f, uint32_t view, struct gx_bin first, const struct state *st, struct gx_arena *a, struct gx_root **ret_root)
{
	struct gx_rootbuild b;
	uint32_t have;
	gx_rootbuild__init(&b);
	int err = read_rest(f, view, first, st->count, a, &b, &have);
	if (err == 0 && have != st->count)
		err = GX_E_FORMAT;
	if (err != 0)
		b.err = err;
	struct gx_root *r = gx_rootbuild__finish(&b);
	if (r == NULL)
		return err != 0 ? err : GX_E_NOMEM;
	r->uidvalidity = st->uidvalidity;
	r->uidnext = st->uidnext;
	r->modseq = st->modseq;
	*ret_root = r;
	return 0;
}

static int open_view(struct gx_farstore *f, uint64_t fid, struct gx_arena *a, uint32_t *ret_view, struct gx_root **ret_root)
{
	const struct gx_o_view_open_req q = {fid};
	struct gx_o_view_open_ans ans;
	gx_ec ec = gx_far__outside(f, GX_O_VIEW_OPEN, &q, a, &ans, NULL);
	if (gx_ec_failed(ec))
		return gx_ec_is(ec, ecNotFound) ? GX_E_NOTFOUND : gx_ec_to_err(ec);
	const struct state st = {ans.uidvalidity, ans.uidnext, ans.count, ans.modseq};
	int err = build(f, ans.view, ans.state, &st, a, ret_root);
	if (err != 0)
		gx_far__view_forget(f->s, ans.view);
	else
		*ret_view = ans.view;
	return err;
}

/* ---- What has changed ---- */

static int apply(struct gx_farstore *f, uint64_t fid, uint32_t view, const struct gx_o_view_refresh_ans *ans, struct gx_arena *a,
	struct gx_root **io_root, bool *ret_changed)
{
	struct gx_root *old = *io_root, *now = NULL;
	struct gx_view_op *v;
	size_t n;
	const struct state st = {ans->uidvalidity, ans->uidnext, ans->count, ans->modseq};
	int err = ans->whole ? build(f, view, ans->changes, &st, a, &now) : gx_viewpack__ops(ans->changes, fid, a, &v, &n);
	if (err != 0)
		return err;
	if (!ans->whole && n == 0 && old->uidnext == st.uidnext && old->modseq == st.modseq && old->count == st.count)
		return 0;
	if (ans->whole) {
		gx_root__unref(old);
	} else {
		now = gx_root__edited(old, v, n, st.uidnext, st.modseq);
		*io_root = NULL;
		if (now == NULL)
			return GX_E_NOMEM;
	}
	*io_root = now;
	*ret_changed = true;
	return now->count == st.count && now->uidvalidity == st.uidvalidity ? 0 : GX_E_FORMAT;
}

static int refresh(struct gx_farstore *f, uint64_t fid, struct gx_far_view *io_view, struct gx_arena *a, struct gx_root **io_root, bool *ret_changed,
	bool *ret_unknown)
{
	const struct gx_o_view_refresh_req q = {io_view->id, io_view->answers};
	struct gx_o_view_refresh_ans ans;
	gx_ec ec = gx_far__outside(f, GX_O_VIEW_REFRESH, &q, a, &ans, NULL);
	*ret_unknown = gx_ec_is(ec, ecNullObject);
	if (gx_ec_failed(ec))
		return gx_ec_is(ec, ecNotFound) ? GX_E_NOTFOUND : gx_ec_to_err(ec);
	++io_view->answers;
	return apply(f, fid, io_view->id, &ans, a, io_root, ret_changed);
}

/*
 * The owner may have been started anew, or have answered what did not arrive: then its idea of what is known
 * here is wrong, and all is read once more. Sessions compare that with what they had.
 */
static int anew(struct gx_farstore *f, uint64_t fid, struct gx_arena *a, struct gx_far_view *io_view, struct gx_root **io_root)
{
	uint32_t view = 0;
	struct gx_root *root = NULL;
	int err = open_view(f, fid, a, &view, &root);
	if (err != 0)
		return err;
	gx_root__unref(*io_root);
	*io_root = root;
	*io_view = (struct gx_far_view){.id = view};
	return 0;
}

int gx_far__view(struct gx_store *s, uint64_t fid, struct gx_far_view *io_view, struct gx_root **io_root, bool *ret_changed)
{
	struct gx_farstore *f = s->far;
	struct gx_arena *a = gx_arena_new(0);
	bool unknown = false, known = io_view->id != 0 && *io_root != NULL;
	if (a == NULL)
		return GX_E_NOMEM;
	int err = known ? refresh(f, fid, io_view, a, io_root, ret_changed, &unknown) : 0;
	if (known && err != 0 && err != GX_E_NOTFOUND) {
		if (!unknown)
			gx_far__view_forget(s, io_view->id);
		else
			gx_far__watch_again(f);
		io_view->id = 0;
		known = false;
	}
	if (!known) {
		gx_arena_reset(a);
		err = anew(f, fid, a, io_view, io_root);
		*ret_changed = *ret_changed || err == 0;
	}
	gx_arena_free(a);
	return err;
}
