/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxproto/emsmdb/carry.h"
#include "libgxproto/emsmdb/tree.h"

enum { PORTION = 256, PORTION_ACROSS = 16, DELETE_AT_ONCE = 1024, DEPTH_MAX = 256 };
enum { ALL = GX_CONTENT_NORMAL | GX_CONTENT_FAI | GX_CONTENT_FOLDERS };

/* A folder whose contents are being copied; what is left to do in @what. */
struct gx_tree_level {
	uint64_t src, dst;
	uint32_t what;
	uint32_t after, end;         /* UIDs */
	bool listed;
	struct gx_folder_info *subs;
	size_t n, next;
};
struct gx_tree_seen {
	uint64_t fid, modseq;
};

static bool across(const struct gx_ems_tree *x)
{
	return x->job.from->store != x->job.to->store;
}

/* ---- Folders ---- */

static gx_ec note(struct gx_ems_tree *x, const struct gx_folder_info *f)
{
	struct gx_tree_seen *v = gx_arena_grow(x->job.a, x->seen, &x->seen_cap, x->nseen + 1, sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	x->seen = v;
	v[x->nseen++] = (struct gx_tree_seen){f->fid, f->highest_modseq};
	return EMS_OK;
}

/* The next to be worked on. */
static gx_ec enter(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t src, uint64_t dst, uint32_t what)
{
	struct gx_folder_info f;
	struct gx_txn *t;
	if (x->n > DEPTH_MAX)
		return gx_rop__fail(c, ecTooComplex, "folders are nested at most %d deep", DEPTH_MAX);
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_READ, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_folder_get(t, src, c->a, &f));
	if (!gx_ec_failed(ec) && x->move)
		ec = note(x, &f);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_tree_level *v = gx_arena_grow(x->job.a, x->v, &x->cap, x->n + 1, sizeof(*v));
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	x->v = v;
	v[x->n++] = (struct gx_tree_level){.src = src, .dst = dst, .what = what, .end = f.uidnext};
	return ec;
}

static gx_ec make(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t fid, uint64_t parent, const char *name, uint64_t *ret_fid)
{
	struct gx_txn *t;
	struct gx_ems_carry y = {c, x->job.from, x->job.to, false, false};
	if (across(x))
		return gx_ems__carry_folder(&y, fid, parent, name, ret_fid);
	gx_ec ec = gx_rop__begin_at(c, x->job.to, GX_TXN_WRITE, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_copy_part(t, fid, parent, name, 0, ret_fid, NULL));
}

static gx_ec list(struct gx_rop_call *c, struct gx_ems_tree *x, struct gx_tree_level *l)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_READ, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_folder_list(t, l->src, false, x->job.a, &l->subs, &l->n));
	l->listed = !gx_ec_failed(ec);
	return ec;
}

static gx_ec next_folder(struct gx_rop_call *c, struct gx_ems_tree *x, struct gx_tree_level *l)
{
	uint64_t fid = 0;
	const struct gx_folder_info *f = l->next < l->n ? &l->subs[l->next] : NULL;
	if (!l->listed)
		return list(c, x, l);
	if (f == NULL) {
		l->what = 0;
		return EMS_OK;
	}
	++l->next;
	++x->job.completed;
	if (f->type == GX_FOLDER_SEARCH || (!across(x) && f->fid == x->made)) /* it has nothing of its own; it was moved into itself meanwhile */
		return EMS_OK;
	gx_ec ec = make(c, x, f->fid, l->dst, f->name, &fid);
	if (!gx_ec_failed(ec))
		ec = enter(c, x, f->fid, fid, ALL);
	if (!gx_ec_is(ec, ecAccessDenied) && !gx_ec_is(ec, ecDuplicateName) && !gx_ec_is(ec, ecNotFound))
		return ec;
	x->job.partial = true;
	return EMS_OK;
}

/* ---- Messages ---- */

static gx_ec read_ids(struct gx_rop_call *c, struct gx_ems_tree *x, struct gx_tree_level *l, bool fai, uint64_t *mids, size_t *ret_n)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_READ, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_folder_next_messages(t, l->src, fai, l->end, &l->after, PORTION_ACROSS, mids, ret_n));
}

static gx_ec copy_across(struct gx_rop_call *c, struct gx_ems_tree *x, struct gx_tree_level *l, bool fai, size_t *ret_n)
{
	uint64_t mids[PORTION_ACROSS];
	struct gx_ems_carry y = {c, x->job.from, x->job.to, false, false};
	gx_ec ec = read_ids(c, x, l, fai, mids, ret_n);
	if (!gx_ec_failed(ec) && *ret_n > 0)
		ec = gx_ems__carry_messages(&y, l->src, mids, *ret_n, l->dst);
	x->job.partial = x->job.partial || y.partial;
	return ec;
}

static gx_ec copy_here(struct gx_rop_call *c, struct gx_ems_tree *x, struct gx_tree_level *l, bool fai, size_t *ret_n)
{
	uint64_t mids[PORTION];
	struct gx_txn *t;
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_WRITE, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_next_messages(t, l->src, fai, l->end, &l->after, PORTION, mids, ret_n);
	if (!gx_ec_failed(ec) && *ret_n > 0)
		ec = gx_msg_copy(t, l->src, mids, *ret_n, l->dst, false, NULL);
	return gx_rop__end(c, t, ec);
}

static gx_ec next_messages(struct gx_rop_call *c, struct gx_ems_tree *x, struct gx_tree_level *l)
{
	size_t n = 0;
	uint32_t kind = l->what & GX_CONTENT_NORMAL ? GX_CONTENT_NORMAL : GX_CONTENT_FAI;
	gx_ec ec = (across(x) ? copy_across : copy_here)(c, x, l, kind == GX_CONTENT_FAI, &n);
	if (gx_ec_is(ec, ecAccessDenied) || gx_ec_is(ec, ecNotFound)) {
		x->job.partial = true;
		ec = EMS_OK;
		n = 0;
	}
	x->job.completed += (uint32_t)n;
	if (n == 0) {
		l->what &= ~kind;
		l->after = 0;
	}
	return ec;
}

/* ---- The source of a move goes ---- */

/* What has come or changed since it was copied would be lost. */
static gx_ec check_unchanged(struct gx_rop_call *c, struct gx_ems_tree *x)
{
	struct gx_txn *t;
	struct gx_folder_info f, *v = NULL;
	size_t n = 0, real = 0;
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_READ, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_list(t, x->top, true, c->a, &v, &n);
	for (size_t i = 0; i < n && !gx_ec_failed(ec); ++i)
		real += v[i].type != GX_FOLDER_SEARCH;
	x->job.partial = x->job.partial || real + 1 != x->nseen;
	for (size_t i = 0; i < x->nseen && !gx_ec_failed(ec) && !x->job.partial; ++i) {
		ec = gx_folder_get(t, x->seen[i].fid, c->a, &f);
		x->job.partial = !gx_ec_failed(ec) && f.highest_modseq != x->seen[i].modseq;
	}
	ec = gx_rop__end(c, t, ec);
	if (!gx_ec_failed(ec) && !x->job.partial)
		ec = gx_ec_from_err(gx_store_sync(x->job.to->store));
	x->checked = true;
	x->job.done = x->job.partial;
	return ec;
}

static gx_ec remove_source(struct gx_rop_call *c, struct gx_ems_tree *x)
{
	struct gx_txn *t;
	bool more = false;
	if (!x->checked)
		return check_unchanged(c, x);
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_WRITE, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_folder_delete_some(t, x->top, true, DELETE_AT_ONCE, NULL, &more));
	x->job.done = !more;
	return ec;
}

/* ---- */

static gx_ec step(struct gx_rop_call *c, struct gx_ems_job *j)
{
	struct gx_ems_tree *x = (struct gx_ems_tree *)j;
	struct gx_tree_level *l = x->n == 0 ? NULL : &x->v[x->n - 1];
	if (l == NULL) {
		j->done = !x->move || j->partial;
		return j->done ? EMS_OK : remove_source(c, x);
	}
	if (l->what & (GX_CONTENT_NORMAL | GX_CONTENT_FAI))
		return next_messages(c, x, l);
	if (l->what & GX_CONTENT_FOLDERS)
		return next_folder(c, x, l);
	--x->n;
	return EMS_OK;
}

struct gx_ems_tree *gx_ems__tree_new(struct gx_rop_call *c, size_t size, struct gx_ems_logon *from, struct gx_ems_logon *to)
{
	struct gx_ems_tree *x = gx_ems__job_new(c, size);
	if (x == NULL)
		return NULL;
	x->job.step = step;
	x->job.from = from;
	x->job.to = to;
	x->job.partial_at = SIZE_MAX;
	return x;
}

/* How much there is to do, and whether it may be done. */
static gx_ec look(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t src, uint64_t dst, uint32_t what)
{
	struct gx_txn *t;
	struct gx_folder_info f, *v = NULL;
	size_t n = 0;
	bool inside = false;
	uint32_t rights = GX_RIGHT_OWNER;
	gx_ec ec = gx_rop__begin_at(c, x->job.from, GX_TXN_READ, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, src, c->a, &f);
	if (!gx_ec_failed(ec) && (what & GX_CONTENT_FOLDERS))
		ec = gx_folder_list(t, src, true, c->a, &v, &n);
	if (!gx_ec_failed(ec) && !across(x) && (what & GX_CONTENT_FOLDERS))
		ec = gx_folder_is_below(t, src, dst, &inside);
	if (!gx_ec_failed(ec) && x->move)
		ec = gx_folder_rights(t, src, &rights);
	ec = gx_rop__end(c, t, ec);
	if (!gx_ec_failed(ec) && inside)
		ec = gx_rop__fail(c, ecFolderCycle, "a folder cannot be copied into itself");
	if (!gx_ec_failed(ec) && !(rights & GX_RIGHT_OWNER))
		ec = gx_rop__fail(c, ecAccessDenied, "the folder may not be taken away");
	x->job.total = gx_ec_failed(ec) ? 0 : (uint32_t)(f.total + f.fai + n);
	for (size_t i = 0; i < n; ++i)
		x->job.total += (uint32_t)(v[i].total + v[i].fai);
	x->top = src;
	return ec;
}

gx_ec gx_ems__tree_contents(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t src, uint64_t dst, uint32_t what)
{
	gx_ec ec = look(c, x, src, dst, what);
	return gx_ec_failed(ec) ? ec : enter(c, x, src, dst, what);
}

gx_ec gx_ems__tree_folder(struct gx_rop_call *c, struct gx_ems_tree *x, uint64_t fid, uint64_t parent, const char *name, uint32_t what)
{
	gx_ec ec = look(c, x, fid, parent, what);
	if (!gx_ec_failed(ec))
		ec = make(c, x, fid, parent, name, &x->made);
	return gx_ec_failed(ec) ? ec : enter(c, x, fid, x->made, what);
}
