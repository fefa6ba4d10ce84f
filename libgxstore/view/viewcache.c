/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/far-int.h"
#include "libgxstore/view/view-int.h"

/*
 * One shared view a folder, read at the first opening and then kept current by the commits of this
 * process. Commits that come while it is being read are kept aside and applied after; applying
 * one twice does no harm. Memory: what view-int.h says of folders that are open, and IDLE_MAX
 * entries (at most 8 MiB) a store for those that nobody has open at the moment.
 */

#define IDLE_MAX 262144U
#define IDLE_MS 120000
#define LOAD_MS 30000

enum { EMPTY, LOADING, READY };
struct gx_fview {
	struct gx_fview *next;
	uint64_t fid;
	int state;
	bool dropped;             /* while loading: what was read is out of date */
	unsigned users;
	atomic_uint gen;
	struct gx_root *root;     /* when READY */
	int64_t idle_since;
	struct gx_view_op *pending;
	size_t npending, cap_pending;
	uint32_t uidnext;         /* with the pending ones */
	uint64_t modseq;
	struct gx_store *far;     /* the store when another process owns it */
	struct gx_far_view far_view;
};

int gx_views__init(struct gx_views *v)
{
	if (pthread_mutex_init(&v->lock, NULL) != 0)
		return GX_E_NOMEM;
	if (pthread_cond_init(&v->cond, NULL) != 0) {
		pthread_mutex_destroy(&v->lock);
		return GX_E_NOMEM;
	}
	return 0;
}

static void fview_free(struct gx_fview *f)
{
	if (f->far_view.id != 0)
		f->far->ops->view_forget(f->far, f->far_view.id);
	gx_root__unref(f->root);
	free(f->pending);
	free(f);
}

void gx_views__release(struct gx_views *v)
{
	for (unsigned i = 0; i < GX_VIEW_BUCKETS; i++)
		for (struct gx_fview *f = v->bucket[i], *next; f != NULL; f = next) {
			next = f->next;
			fview_free(f);
		}
	pthread_cond_destroy(&v->cond);
	pthread_mutex_destroy(&v->lock);
}

static struct gx_fview *find(struct gx_views *v, uint64_t fid)
{
	for (struct gx_fview *f = v->bucket[fid % GX_VIEW_BUCKETS]; f != NULL; f = f->next)
		if (f->fid == fid)
			return f;
	return NULL;
}

/* ---- Keeping it current ---- */

static void edit(struct gx_rootbuild *b, const struct gx_view_op *op)
{
	switch (op->kind) {
	case GX_VOP_INSERT:
		gx_rootbuild__put(b, &op->e);
		break;
	case GX_VOP_UPDATE:
		gx_rootbuild__update(b, &op->e);
		break;
	default:
		gx_rootbuild__remove(b, op->e.uid);
		break;
	}
}

static void forget(struct gx_fview *f)
{
	gx_root__unref(f->root);
	f->root = NULL;
	f->state = EMPTY;
	f->npending = 0;
	atomic_fetch_add(&f->gen, 1);
}

static struct gx_root *edited(struct gx_root *r, uint64_t fid, const struct gx_view_op *ops, size_t n, uint32_t uidnext, uint64_t modseq)
{
	struct gx_rootbuild b;
	uint32_t uidvalidity = r->uidvalidity;
	gx_rootbuild__from(&b, r);
	for (size_t i = 0; i < n; i++)
		if (ops[i].fid == fid)
			edit(&b, &ops[i]);
	r = gx_rootbuild__finish(&b);
	if (r == NULL)
		return NULL;
	r->uidvalidity = uidvalidity;
	r->uidnext = uidnext;
	r->modseq = modseq;
	return r;
}

struct gx_root *gx_root__edited(struct gx_root *r, const struct gx_view_op *ops, size_t n, uint32_t uidnext, uint64_t modseq)
{
	return edited(r, n > 0 ? ops[0].fid : 0, ops, n, uidnext, modseq);
}

/* The ops of one folder, all of them in a row or mixed with others'. */
static void edit_root(struct gx_fview *f, const struct gx_view_op *ops, size_t n, uint32_t uidnext, uint64_t modseq)
{
	f->root = edited(f->root, f->fid, ops, n, uidnext, modseq);
	if (f->root == NULL) /* no memory: it is read again when somebody asks */
		forget(f);
	else
		atomic_fetch_add(&f->gen, 1);
}

static void keep_pending(struct gx_fview *f, const struct gx_view_op *op)
{
	if (f->npending == f->cap_pending) {
		size_t cap = f->cap_pending == 0 ? 64 : f->cap_pending * 2;
		struct gx_view_op *v = realloc(f->pending, cap * sizeof(*v));
		if (v == NULL) {
			f->dropped = true;
			return;
		}
		f->pending = v;
		f->cap_pending = cap;
	}
	f->pending[f->npending++] = *op;
}

static void apply_to(struct gx_fview *f, const struct gx_view_op *ops, size_t n, const struct gx_fstate *st)
{
	bool drop = false;
	for (size_t i = 0; i < n; i++)
		drop = drop || (ops[i].fid == f->fid && ops[i].kind == GX_VOP_DROP);
	if (f->state == LOADING) {
		f->dropped = f->dropped || drop;
		for (size_t i = 0; i < n && !f->dropped; i++)
			if (ops[i].fid == f->fid)
				keep_pending(f, &ops[i]);
		f->uidnext = (uint32_t)st->uidnext;
		f->modseq = st->modseq;
	} else if (f->state == READY && drop) {
		forget(f);
	} else if (f->state == READY) {
		edit_root(f, ops, n, (uint32_t)st->uidnext, st->modseq);
	}
}

static bool first_of(const struct gx_view_op *ops, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (ops[k].fid == ops[i].fid)
			return false;
	return true;
}

void gx_views__apply(struct gx_txn *t)
{
	struct gx_views *v = &t->s->views;
	uint64_t last = 0;
	if (t->nvops == 0)
		return;
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < t->nvops; i++) {
		uint64_t fid = t->vops[i].fid;
		struct gx_fstate *st;
		if (fid == last)
			continue;
		last = fid;
		struct gx_fview *f = find(v, fid);
		if (f == NULL || !first_of(t->vops, i))
			continue;
		st = gx_fstate__peek(t, fid);
		static const struct gx_fstate none;
		apply_to(f, t->vops + i, t->nvops - i, st == NULL ? &none : st);
	}
	pthread_mutex_unlock(&v->lock);
}

/* ---- Reading ---- */

static int scan(struct gx_txn *t, uint64_t fid, struct gx_rootbuild *b)
{
	GX_STMT(st, t->q, "SELECT mid,uid,flags,kwset,modseq,size FROM msg WHERE fid=?1 AND uid>0 ORDER BY uid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row = {.mid = gx_sql__u64(st, 0), .uid = (uint32_t)gx_sql__u64(st, 1),
			.flags = (uint32_t)gx_sql__u64(st, 2), .kwset = (uint32_t)gx_sql__u64(st, 3),
			.modseq = gx_sql__u64(st, 4), .size = gx_sql__u64(st, 5)};
		struct gx_uid_entry e;
		if (row.flags & GX_MSGF_FAI)
			continue;
		gx_msg__entry(&row, &e);
		gx_rootbuild__append(b, &e);
	}
	return r < 0 ? r : b->err;
}

static int load(struct gx_store *s, uint64_t fid, struct gx_root **ret_root)
{
	struct gx_txn *t;
	struct gx_folder_row row;
	struct gx_fstate *f;
	struct gx_rootbuild b;
	struct gx_root *r = NULL;
	gx_rootbuild__init(&b);
	int err = gx_txn__system(s, GX_TXN_READ, LOAD_MS, &t);
	if (err != 0)
		return err;
	err = gx_folder__row(t, fid, &row);
	if (err == 0)
		err = gx_fstate__get(t, fid, &f);
	if (err == 0)
		err = scan(t, fid, &b);
	if (err != 0)
		b.err = err;
	r = gx_rootbuild__finish(&b);
	if (r == NULL && err == 0)
		err = GX_E_NOMEM;
	if (r != NULL) {
		r->uidvalidity = f->uidvalidity;
		r->uidnext = (uint32_t)f->uidnext;
		r->modseq = f->modseq;
	}
	gx_txn_abort(t);
	*ret_root = r;
	return err;
}

/* With the lock held, given up while reading. */
static int fill(struct gx_store *s, struct gx_fview *f)
{
	struct gx_views *v = &s->views;
	for (;;) {
		struct gx_root *r = NULL;
		f->state = LOADING;
		f->dropped = false;
		f->npending = 0;
		pthread_mutex_unlock(&v->lock);
		int err = load(s, f->fid, &r);
		pthread_mutex_lock(&v->lock);
		f->root = r;
		f->state = err != 0 ? EMPTY : READY;
		if (err == 0 && !f->dropped && f->npending > 0) {
			bool newer = f->modseq >= r->modseq;
			edit_root(f, f->pending, f->npending, newer ? f->uidnext : r->uidnext, newer ? f->modseq : r->modseq);
		} else if (err == 0 && f->dropped) {
			forget(f);
		}
		free(f->pending);
		f->pending = NULL;
		f->npending = f->cap_pending = 0;
		atomic_fetch_add(&f->gen, 1);
		pthread_cond_broadcast(&v->cond);
		if (err != 0 || f->state == READY)
			return err;
	}
}

/*
 * Of a store that another process owns: what has changed since is asked for each time. News that come
 * meanwhile make the view stale again.
 */
static int follow(struct gx_store *s, struct gx_fview *f, struct gx_root **ret_root, unsigned *ret_gen)
{
	struct gx_views *v = &s->views;
	while (f->state == LOADING)
		pthread_cond_wait(&v->cond, &v->lock);
	struct gx_root *root = f->root;
	unsigned gen = atomic_load(&f->gen);
	f->root = NULL;
	f->state = LOADING;
	pthread_mutex_unlock(&v->lock);
	bool changed = false;
	int err = s->ops->view(s, f->fid, &f->far_view, &root, &changed);
	pthread_mutex_lock(&v->lock);
	f->root = root;
	f->state = root != NULL ? READY : EMPTY;
	if (changed) {
		atomic_fetch_add(&f->gen, 1);
		++gen;
	}
	pthread_cond_broadcast(&v->cond);
	if (err != 0)
		return err;
	gx_root__ref(root);
	*ret_root = root;
	*ret_gen = gen;
	return 0;
}

void gx_views__stale(struct gx_store *s, uint64_t fid)
{
	struct gx_views *v = &s->views;
	pthread_mutex_lock(&v->lock);
	for (unsigned i = 0; i < GX_VIEW_BUCKETS; i++)
		for (struct gx_fview *f = v->bucket[i]; f != NULL; f = f->next)
			if (fid == 0 || f->fid == fid)
				atomic_fetch_add(&f->gen, 1);
	pthread_mutex_unlock(&v->lock);
}

static int current(struct gx_store *s, struct gx_fview *f, struct gx_root **ret_root, unsigned *ret_gen)
{
	if (s->ops != NULL)
		return follow(s, f, ret_root, ret_gen);
	int err = 0;
	while (err == 0 && f->state != READY) {
		if (f->state == LOADING)
			pthread_cond_wait(&s->views.cond, &s->views.lock);
		else
			err = fill(s, f);
	}
	if (err != 0)
		return err;
	gx_root__ref(f->root);
	*ret_root = f->root;
	*ret_gen = atomic_load(&f->gen);
	return 0;
}

/* ---- Users ---- */

static void unlink_fview(struct gx_views *v, struct gx_fview *f)
{
	struct gx_fview **at = &v->bucket[f->fid % GX_VIEW_BUCKETS];
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	fview_free(f);
}

static uint32_t entries(const struct gx_fview *f)
{
	return f->root == NULL ? 0 : f->root->count;
}

static void recount_idle(struct gx_views *v)
{
	v->idle_entries = 0;
	for (unsigned i = 0; i < GX_VIEW_BUCKETS; i++)
		for (struct gx_fview *f = v->bucket[i]; f != NULL; f = f->next)
			if (f->users == 0)
				v->idle_entries += entries(f);
}

static struct gx_fview *longest_idle(struct gx_views *v)
{
	struct gx_fview *best = NULL;
	for (unsigned i = 0; i < GX_VIEW_BUCKETS; i++)
		for (struct gx_fview *f = v->bucket[i]; f != NULL; f = f->next)
			if (f->users == 0 && (best == NULL || f->idle_since < best->idle_since))
				best = f;
	return best;
}

static void trim(struct gx_store *s)
{
	struct gx_views *v = &s->views;
	int64_t before = gx_clock_mono_ms(s->clock) - IDLE_MS;
	struct gx_fview *f;
	recount_idle(v);
	while ((f = longest_idle(v)) != NULL && (v->idle_entries > IDLE_MAX || f->idle_since < before)) {
		v->idle_entries -= entries(f);
		unlink_fview(v, f);
	}
}

void gx_views__trim(struct gx_store *s)
{
	pthread_mutex_lock(&s->views.lock);
	trim(s);
	pthread_mutex_unlock(&s->views.lock);
}

static void leave(struct gx_store *s, struct gx_fview *f)
{
	if (--f->users > 0)
		return;
	f->idle_since = gx_clock_mono_ms(s->clock);
	if (f->state != READY)
		unlink_fview(&s->views, f);
	else
		trim(s);
}

int gx_fview__open(struct gx_store *s, uint64_t fid, struct gx_fview **ret_f, struct gx_root **ret_root, unsigned *ret_gen)
{
	struct gx_views *v = &s->views;
	pthread_mutex_lock(&v->lock);
	struct gx_fview *f = find(v, fid);
	if (f == NULL) {
		f = calloc(1, sizeof(*f));
		if (f == NULL) {
			pthread_mutex_unlock(&v->lock);
			return GX_E_NOMEM;
		}
		f->fid = fid;
		f->far = s->ops != NULL ? s : NULL;
		f->next = v->bucket[fid % GX_VIEW_BUCKETS];
		v->bucket[fid % GX_VIEW_BUCKETS] = f;
	}
	f->users++;
	int err = current(s, f, ret_root, ret_gen);
	if (err != 0)
		leave(s, f);
	pthread_mutex_unlock(&v->lock);
	if (err == 0)
		*ret_f = f;
	return err;
}

int gx_fview__root(struct gx_store *s, struct gx_fview *f, struct gx_root **ret_root, unsigned *ret_gen)
{
	pthread_mutex_lock(&s->views.lock);
	int err = current(s, f, ret_root, ret_gen);
	pthread_mutex_unlock(&s->views.lock);
	return err;
}

void gx_fview__close(struct gx_store *s, struct gx_fview *f)
{
	pthread_mutex_lock(&s->views.lock);
	leave(s, f);
	pthread_mutex_unlock(&s->views.lock);
}

unsigned gx_fview__gen(const struct gx_fview *f)
{
	return atomic_load(&f->gen);
}
