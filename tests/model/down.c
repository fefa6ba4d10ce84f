/* SPDX-License-Identifier: Apache-2.0 */
/* From the server into the copy. What breaks off goes on where it was, or from the beginning. */
#include <config.h>
#include "tests/model/model.h"

struct run {
	struct place *p;
	uint32_t left;                /* changes until it is stopped */
};

static gx_ec one_less(struct run *r)
{
	if (r->left == 0)
		return GX_EC(ecUserCanceled);
	--r->left;
	++w.told;
	return GX_EC(ecSuccess);
}

static gx_ec on_message(const struct gx_mapi_change *ch, const struct gx_msgobj *m, void *ctx)
{
	struct run *r = ctx;
	struct item is;
	gx_ec ec = one_less(r);
	if (gx_ec_failed(ec))
		return ec;
	const struct item *was = find_item(r->p, ch->id);
	read_item(ch, m, &is);
	if (r->p->exact && was != NULL && was->change.len == is.change.len && memcmp(was->change.b, is.change.b, is.change.len) == 0)
		bad("%s: %s %s is told again", r->p->name, is.tag, is.ver);
	put_item(r->p, &is);
	return GX_EC(ecSuccess);
}

static gx_ec on_deleted(uint64_t id, bool gone, void *ctx)
{
	struct run *r = ctx;
	gx_ec ec = one_less(r);
	if (gx_ec_failed(ec))
		return ec;
	if (!gone)
		bad("%s: %llx is out of scope where there is none", r->p->name, (unsigned long long)id);
	if (r->p->exact && find_item(r->p, id) == NULL)
		bad("%s: %llx is told to be gone and was not there", r->p->name, (unsigned long long)id);
	drop_item(r->p, id);
	return ec;
}

static gx_ec on_read(uint64_t mid, bool is_read, void *ctx)
{
	struct run *r = ctx;
	gx_ec ec = one_less(r);
	if (gx_ec_failed(ec))
		return ec;
	struct item *i = find_item(r->p, mid);
	if (i != NULL)
		i->read = is_read;
	else if (r->p->exact)
		bad("%s: %llx is told to be read and is not there", r->p->name, (unsigned long long)mid);
	return ec;
}

/* The state lasts longer than a command. */
static void keep(struct gx_bin *io_state, struct gx_mapi_obj *sync)
{
	struct gx_bin state;
	if (gx_ec_failed(gx_mapi_sync_state(sync, w.a, &state)))
		abort();
	free((void *)io_state->data);
	io_state->data = memcpy(malloc(state.len + 1), state.data, state.len);
	io_state->len = state.len;
}

static bool run(uint64_t fid, struct gx_mapi_sync_opts *o, const struct gx_mapi_sync_ops *ops, struct run *r, struct gx_bin *io_state)
{
	struct gx_mapi_obj *f = open_folder(fid), *sync;
	if (f == NULL)
		return false;
	gx_ec ec = gx_mapi_sync_begin(f, o, &sync);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		gx_mapi_close(f);
		return false;
	}
	ec = gx_mapi_sync_run(sync, ops, r);
	if (gx_ec_failed(ec) && !gx_ec_is(ec, ecUserCanceled))
		(void)verdict(ec);
	if (gx_ec_failed(ec) && !gx_ec_is(ec, ecUserCanceled) && !gave_up(ec))
		bad("a synchronisation ended with %s", gx_ec_name(ec));
	keep(io_state, sync);
	gx_mapi_close(sync);
	gx_mapi_close(f);
	return !gx_ec_failed(ec);
}

/* Now and then a client that ends before it has saved anything, and begins with what it had before. */
bool sync_down(struct place *p, uint32_t stop)
{
	static const struct gx_mapi_sync_ops ops = {.message = on_message, .deleted = on_deleted, .read = on_read};
	static struct place before;
	struct gx_mapi_sync_opts o = GX_MAPI_SYNC_OPTS_INIT;
	struct run r = {p, stop};
	bool forgets = stop != UINT32_MAX && rnd(4) == 0;
	o.associated = true;
	o.newest_first = rnd(2);
	o.best_body = true; /* else as RTF */
	o.state = p->state;
	before.n = p->n;
	memcpy(before.v, p->v, p->n * sizeof(p->v[0]));
	before.state = (struct gx_bin){gx_arena_memdup(w.a, p->state.data, p->state.len), p->state.len};
	before.exact = p->exact;
	bool ok = run(p->fid, &o, &ops, &r, &p->state);
	p->exact |= ok;
	if (forgets) {
		p->n = before.n;
		memcpy(p->v, before.v, p->n * sizeof(p->v[0]));
		p->exact = before.exact;
		free((void *)p->state.data);
		p->state.data = memcpy(malloc(before.state.len + 1), before.state.data, before.state.len);
		p->state.len = before.state.len;
	}
	return ok && !forgets;
}

/* ---- The tree ---- */

static struct dir *find_dir(uint64_t fid)
{
	for (size_t i = 0; i < w.tree.n; ++i)
		if (w.tree.v[i].fid == fid)
			return &w.tree.v[i];
	return NULL;
}

static struct gx_bin bin_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *v = gx_proplist_get(l, tag);
	return v == NULL ? (struct gx_bin){0} : v->v.bin;
}

static gx_ec on_folder(uint64_t fid, const struct gx_proplist *l, void *ctx)
{
	const struct gx_propval *parent = gx_proplist_get(l, PidTagParentFolderId);
	struct dir *d = find_dir(fid), is = {.fid = fid};
	gx_ec ec = one_less(ctx);
	if (gx_ec_failed(ec))
		return ec;
	is.parent = parent == NULL ? 0 : (uint64_t)parent->v.i64;
	snprintf(is.name, sizeof(is.name), "%s", gx_proplist_str(l, PidTagDisplayName, ""));
	set_key(&is.source, bin_of(l, PidTagSourceKey));
	set_key(&is.change, bin_of(l, PidTagChangeKey));
	set_pcl(&is.pcl, bin_of(l, PidTagPredecessorChangeList));
	if (w.tree.exact && d != NULL && d->change.len == is.change.len && memcmp(d->change.b, is.change.b, is.change.len) == 0)
		bad("folder %s is told again", is.name);
	if (d == NULL && w.tree.n == DIRS)
		abort();
	*(d != NULL ? d : &w.tree.v[w.tree.n++]) = is;
	return ec;
}

static gx_ec on_folder_deleted(uint64_t fid, bool gone, void *ctx)
{
	struct dir *d = find_dir(fid);
	gx_ec ec = one_less(ctx);
	if (gx_ec_failed(ec))
		return ec;
	if (!gone || (d == NULL && w.tree.exact))
		bad("folder %llx is told to be gone", (unsigned long long)fid);
	if (d != NULL)
		*d = w.tree.v[--w.tree.n];
	return ec;
}

bool sync_tree(uint32_t stop)
{
	static const struct gx_mapi_sync_ops ops = {.folder = on_folder, .deleted = on_folder_deleted};
	struct gx_mapi_sync_opts o = GX_MAPI_SYNC_OPTS_INIT;
	struct run r = {NULL, stop};
	o.hierarchy = true;
	o.state = w.tree.state;
	bool ok = run(gx_mapi_special_folder(w.store, GX_MAPI_IPMSUBTREE), &o, &ops, &r, &w.tree.state);
	w.tree.exact |= ok;
	return ok;
}

void forget_all(void)
{
	for (unsigned i = 0; i < PLACES; ++i) {
		free((void *)w.p[i].state.data);
		w.p[i].state = (struct gx_bin){0};
		w.p[i].n = 0;
		w.p[i].exact = true;
	}
	free((void *)w.tree.state.data);
	w.tree.state = (struct gx_bin){0};
	w.tree.n = 0;
	w.tree.exact = true;
}
