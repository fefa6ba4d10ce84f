/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/view/view-int.h"

struct gx_imapview {
	struct gx_store *s;
	struct gx_fview *f;
	struct gx_root *root;
	unsigned gen;
	bool zombies; /* holds messages that are gone: the root is of this view alone */
};

static gx_ec may_read(struct gx_store *s, const struct gx_actor *actor, uint64_t fid)
{
	struct gx_txn *t;
	struct gx_folder_row row;
	if (actor->owner || actor->user == NULL) /* whether the folder is there shows when it is read */
		return GX_OK_EC;
	int err = gx_txn_begin(s, actor, GX_TXN_READ, 10000, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	uint32_t rights = 0;
	gx_ec ec = s->ops != NULL ? gx_folder_rights(t, fid, &rights) : gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (s->ops != NULL && !gx_ec_failed(ec) && !(rights & GX_RIGHT_READ))
		ec = GX_EC(ecAccessDenied);
	gx_txn_abort(t);
	return ec;
}

gx_ec gx_imapview_open(struct gx_store *s, const struct gx_actor *actor, uint64_t fid, struct gx_imapview **ret_view)
{
	if (s == NULL || actor == NULL || fid == 0)
		return GX_EC(ecInvalidParam);
	gx_ec ec = may_read(s, actor, fid);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_imapview *v = calloc(1, sizeof(*v));
	if (v == NULL)
		return gx_ec_from_err(GX_E_NOMEM);
	v->s = s;
	int err = gx_fview__open(s, fid, &v->f, &v->root, &v->gen);
	if (err != 0) {
		free(v);
		return gx_ec_from_err(err);
	}
	*ret_view = v;
	return GX_OK_EC;
}

void gx_imapview_close(struct gx_imapview *v)
{
	if (v == NULL)
		return;
	gx_root__unref(v->root);
	gx_fview__close(v->s, v->f);
	free(v);
}

uint32_t gx_imapview_count(const struct gx_imapview *v)
{
	return v->root->count;
}

uint32_t gx_imapview_uidvalidity(const struct gx_imapview *v)
{
	return v->root->uidvalidity;
}

uint32_t gx_imapview_uidnext(const struct gx_imapview *v)
{
	return v->root->uidnext;
}

uint64_t gx_imapview_modseq(const struct gx_imapview *v)
{
	return v->root->modseq;
}

static uint32_t count_recent(const struct gx_root *r)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->nchunks; i++)
		n += r->c[i]->recent;
	return n;
}

static uint32_t first_unseen(const struct gx_chunk *c)
{
	struct gx_uid_entry e;
	uint32_t i = 0;
	for (gx_chunk__get(c, 0, &e); e.flags & GX_MSGF_READ; gx_chunk__get(c, i, &e))
		i++;
	return i;
}

void gx_imapview_unseen(const struct gx_imapview *v, uint32_t *ret_count, uint32_t *ret_first)
{
	const struct gx_root *r = v->root;
	uint32_t n = 0, first = 0;
	for (uint32_t i = 0; i < r->nchunks; i++) {
		if (n == 0 && r->c[i]->unseen > 0)
			first = r->start[i] + first_unseen(r->c[i]) + 1;
		n += r->c[i]->unseen;
	}
	*ret_count = n;
	*ret_first = first;
}

struct gx_uid_entry gx_imapview_at(const struct gx_imapview *v, uint32_t seq)
{
	struct gx_uid_entry e;
	gx_root__get(v->root, seq - 1, &e); /* none has the number UINT32_MAX */
	return e;
}

uint32_t gx_imapview_lower(const struct gx_imapview *v, uint32_t uid)
{
	return gx_root__lower(v->root, uid) + 1;
}

bool gx_imapview_stale(const struct gx_imapview *v)
{
	return v->zombies || gx_fview__gen(v->f) != v->gen;
}

/* ---- Refresh ---- */

static uint32_t tell_expunged(const struct gx_root *old, const struct gx_root *new, const struct gx_imapview_sink *sink)
{
	struct gx_rootdiff d;
	uint32_t gone = 0;
	int k;
	gx_rootdiff__init(&d, old, new);
	while ((k = gx_rootdiff__next(&d)) != GX_DIFF_END)
		if (k == GX_DIFF_REMOVED) {
			if (sink != NULL && sink->expunged != NULL)
				sink->expunged(d.opos - gone + 1, d.o->uid, sink->ctx);
			gone++;
		}
	return gone;
}

static bool differs(const struct gx_uid_entry *o, const struct gx_uid_entry *n)
{
	return ((o->flags ^ n->flags) & ~GX_MSGF_RECENT) != 0 || o->kwset != n->kwset || o->modseq != n->modseq;
}

static void tell_changed(const struct gx_root *old, const struct gx_root *new, uint32_t gone, const struct gx_imapview_sink *sink)
{
	struct gx_rootdiff d;
	uint32_t added = 0;
	int k;
	gx_rootdiff__init(&d, old, new);
	while ((k = gx_rootdiff__next(&d)) != GX_DIFF_END) {
		if (k == GX_DIFF_ADDED)
			added++;
		if (k == GX_DIFF_BOTH && differs(d.o, d.n) && sink->changed != NULL)
			sink->changed(d.npos + 1, d.n, sink->ctx);
	}
	if ((added > 0 || gone > 0) && sink->exists != NULL)
		sink->exists(new->count, count_recent(new), sink->ctx);
}

/* The new root plus what is gone but must stay for the session. */
static struct gx_root *with_zombies(const struct gx_root *old, const struct gx_root *new)
{
	struct gx_rootdiff d;
	struct gx_rootbuild b;
	int k;
	gx_rootbuild__init(&b);
	gx_rootdiff__init(&d, old, new);
	while ((k = gx_rootdiff__next(&d)) != GX_DIFF_END) {
		if (k == GX_DIFF_SHARED)
			gx_rootbuild__share(&b, d.shared);
		else
			gx_rootbuild__append(&b, k == GX_DIFF_REMOVED ? d.o : d.n);
	}
	struct gx_root *r = gx_rootbuild__finish(&b);
	if (r != NULL) {
		r->uidvalidity = new->uidvalidity;
		r->uidnext = new->uidnext;
		r->modseq = new->modseq;
	}
	return r;
}

static bool any_removed(const struct gx_root *old, const struct gx_root *new)
{
	return tell_expunged(old, new, NULL) > 0;
}

gx_ec gx_imapview_refresh(struct gx_imapview *v, bool allow_expunge, const struct gx_imapview_sink *sink)
{
	struct gx_root *now;
	unsigned gen;
	uint32_t gone = 0;
	int err = gx_fview__root(v->s, v->f, &now, &gen);
	if (err != 0)
		return gx_ec_from_err(err);
	bool zombies = !allow_expunge && any_removed(v->root, now);
	if (zombies) {
		struct gx_root *own = with_zombies(v->root, now);
		gx_root__unref(now);
		if (own == NULL)
			return gx_ec_from_err(GX_E_NOMEM);
		now = own;
	}
	/* The sink looks things up in the view: by then it must be the new one. */
	struct gx_root *old = v->root;
	v->root = now;
	v->gen = gen;
	v->zombies = zombies;
	gone = zombies ? 0 : tell_expunged(old, now, sink);
	if (sink != NULL)
		tell_changed(old, now, gone, sink);
	gx_root__unref(old);
	return GX_OK_EC;
}
