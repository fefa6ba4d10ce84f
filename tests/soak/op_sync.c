/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that keep copies of a folder, and of the tree of folders, by synchronisation. */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <gx/ics.h>
#include "tests/soak/soak.h"

struct item {
	uint64_t mid, cn;
	bool fai, read, fetched;
};
struct soak_client {
	struct soak_store *st;
	uint64_t fid;
	struct gx_globset given, seen,
		read; /* seen: of normal and associated ones, both are always wanted */
	bool ordered;
	struct item *v;
	size_t n, cap;
};

static void end_client(struct soak_thread *w)
{
	struct soak_client *c = w->client;
	if (c == NULL)
		return;
	gx_globset_release(&c->given);
	gx_globset_release(&c->seen);
	gx_globset_release(&c->read);
	free(c->v);
	free(c);
	w->client = NULL;
}

static struct item *find(struct soak_client *c, uint64_t mid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].mid == mid)
			return &c->v[i];
	return NULL;
}

static void each(struct soak_thread *w, const struct gx_globset *set,
	void (*fn)(struct soak_thread *w, uint64_t mid))
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	gx_globset_iter(set, &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++)
			fn(w, mid);
}

static struct item *known(struct soak_thread *w, uint64_t mid, const char *what)
{
	struct item *i = find(w->client, mid);
	if (i == NULL)
		soak_fail(w->k, "a client is told that message %" PRIx64 " is %s; it never had it",
			mid, what);
	return i;
}

static void drop(struct soak_thread *w, uint64_t mid)
{
	struct item *i = known(w, mid, "gone");
	if (i != NULL)
		*i = w->client->v[--w->client->n];
}

static void set_read(struct soak_thread *w, uint64_t mid)
{
	struct item *i = known(w, mid, "read");
	if (i != NULL)
		i->read = true;
}

static void set_unread(struct soak_thread *w, uint64_t mid)
{
	struct item *i = known(w, mid, "unread");
	if (i != NULL)
		i->read = false;
}

/* Reads it as it is by now; what has gone stays as it was announced until that is told. */
static void fetch(struct soak_thread *w, struct gx_txn *t, struct item *i)
{
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagMessageFlags};
	struct gx_msg_info info;
	struct gx_proplist l;
	gx_ec ec = gx_msg_get(t, i->mid, &info);
	if (!soak_done(w, t, ec, "message") || info.fid != w->client->fid)
		return;
	if (!soak_done(w, t, gx_msg_get_props(t, i->mid, tags, 2, w->a, &l), "properties"))
		return;
	i->cn = info.cn;
	i->read = (gx_proplist_i32(&l, PidTagMessageFlags, 0) & 1) != 0;
	i->fetched = true;
}

static void take(
	struct soak_thread *w, struct gx_txn *t, const struct gx_ics_change *ch, bool at_once)
{
	struct soak_client *c = w->client;
	struct item *i = find(c, ch->mid);
	if (ch->updated != gx_globset_contains(&c->given, ch->mid))
		soak_fail(w->k, "message %" PRIx64 " is told as %s", ch->mid,
			ch->updated ? "updated" : "new");
	if (i == NULL) {
		if (c->n == c->cap) {
			c->cap = c->cap * 2 + 64;
			c->v = realloc(c->v, c->cap * sizeof(*c->v));
			if (c->v == NULL)
				abort();
		}
		i = &c->v[c->n++];
	}
	*i = (struct item){.mid = ch->mid, .cn = ch->cn, .fai = ch->fai};
	if (!at_once)
		return;
	fetch(w, t, i);
	if (!i->fetched || i->cn != ch->cn)
		soak_fail(w->k,
			"message %" PRIx64 " is told with change %" PRIx64 ", and has %" PRIx64,
			ch->mid, ch->cn, i->cn);
}

static void fetch_rest(struct soak_thread *w)
{
	struct soak_client *c = w->client;
	for (size_t i = 0; i < c->n;) {
		struct gx_txn *t = soak_begin(w, c->st->s, &soak_system, GX_TXN_READ);
		for (unsigned k = 0; t != NULL && k < 10 && i < c->n; i++, k++)
			if (!c->v[i].fetched)
				fetch(w, t, &c->v[i]);
		gx_txn_abort(t);
		if (t == NULL)
			return;
	}
}

static void settle(struct soak_thread *w, struct gx_ics_content *x)
{
	struct soak_client *c = w->client;
	const struct gx_ics_summary *sum = gx_ics_content_summary(x);
	each(w, gx_ics_content_set(x, GX_ICS_DELETED), drop);
	each(w, gx_ics_content_set(x, GX_ICS_NOLONGER), drop);
	each(w, gx_ics_content_set(x, GX_ICS_READ), set_read);
	each(w, gx_ics_content_set(x, GX_ICS_UNREAD), set_unread);
	gx_globset_release(&c->given);
	int err = gx_globset_union(&c->given, gx_ics_content_set(x, GX_ICS_GIVEN));
	if (err == 0 && sum->last_cn > 0)
		err = gx_globset_add_range(&c->seen, 1, sum->last_cn);
	if (err == 0 && sum->last_readcn > 0)
		err = gx_globset_add_range(&c->read, 1, sum->last_readcn);
	if (err != 0)
		soak_fail(w->k, "sets: %s", gx_strerror(err));
	if (c->given.count != c->n)
		soak_fail(w->k, "a client has %zu messages, and was given %" PRIu64, c->n,
			c->given.count);
	atomic_fetch_add(&w->k->synced, 1);
}

/* @at_once: messages are read in the transaction of the list; else later, when others have changed
 * them again. */
static void synchronise(struct soak_thread *w, struct gx_txn *t, bool at_once)
{
	struct soak_client *c = w->client;
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *x;
	struct gx_ics_change ch;
	bool more;
	o.given = &c->given;
	o.seen = o.seen_fai = &c->seen;
	o.read = &c->read;
	o.ordered = c->ordered;
	if (!soak_done(w, t, gx_ics_content_open(t, c->fid, &o, &x), "synchronisation")) {
		gx_txn_abort(t);
		end_client(w); /* its folder went */
		return;
	}
	while (soak_done(w, t, gx_ics_content_next(x, &ch, &more), "next change") && more)
		take(w, t, &ch, at_once);
	settle(w, x);
	gx_txn_abort(t);
	gx_ics_content_free(x);
	if (!at_once)
		fetch_rest(w);
}

static void begin_client(struct soak_thread *w)
{
	struct soak_client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	c->st = w->st;
	c->ordered = soak_rnd(w, 2) == 0;
	struct gx_txn *t = soak_begin(w, c->st->s, &soak_system, GX_TXN_READ);
	if (t != NULL)
		c->fid = soak_folder(w, t);
	gx_txn_abort(t);
	w->client = c;
	if (c->fid == 0)
		end_client(w);
}

void soak_content_sync(struct soak_thread *w)
{
	if (w->client == NULL)
		begin_client(w);
	struct gx_txn *t = w->client == NULL
				   ? NULL
				   : soak_begin(w, w->client->st->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	synchronise(w, t, soak_rnd(w, 2) == 0);
	if (soak_rnd(w, 15) == 0)
		end_client(w);
}

/* Once more, with nobody else about: then it has what is there. */
static void compare_rows(struct soak_thread *w, struct gx_txn *t, uint32_t flags)
{
	static const gx_proptag_t tag = PidTagMessageFlags;
	struct soak_client *c = w->client;
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_table_row *v;
	size_t n, mine = 0;
	o.fid = c->fid;
	o.flags = flags;
	if (!soak_done(w, t, gx_table_open_contents(t, &o, &tb), "table"))
		return;
	if (!soak_done(w, t, gx_table_query(tb, t, 0, 65535, &tag, 1, w->a, &v, &n), "rows"))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct gx_msg_info info = {0};
		const struct item *it = find(c, v[i].id);
		soak_done(w, t, gx_msg_get(t, v[i].id, &info), "message");
		if (it == NULL || it->cn != info.cn ||
			(!it->fai && it->read != ((v[i].v[0].v.i32 & 1) != 0)))
			soak_fail(w->k,
				"folder %" PRIx64 ", message %" PRIx64 ": change %" PRIx64
				" flags %x; the client has %" PRIx64 " %d",
				c->fid, v[i].id, info.cn, (unsigned)v[i].v[0].v.i32,
				it == NULL ? 0 : it->cn, it != NULL && it->read);
	}
	for (size_t i = 0; i < c->n; i++)
		mine += c->v[i].fai == ((flags & GX_TABLE_ASSOCIATED) != 0);
	if (mine != n)
		soak_fail(w->k, "folder %" PRIx64 " has %zu messages, the client %zu", c->fid, n,
			mine);
	gx_table_close(tb);
	atomic_fetch_add(&w->k->compared, 1);
}

static void compare_client(struct soak_thread *w)
{
	for (unsigned i = 0; i < 2 && w->client != NULL; i++) {
		struct gx_txn *t = soak_begin(w, w->client->st->s, &soak_system, GX_TXN_READ);
		if (t != NULL)
			synchronise(w, t, true);
	}
	struct gx_txn *t = w->client == NULL
				   ? NULL
				   : soak_begin(w, w->client->st->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	compare_rows(w, t, 0);
	compare_rows(w, t, GX_TABLE_ASSOCIATED);
	gx_txn_abort(t);
}

/* ---- The tree ---- */

struct folder {
	uint64_t fid;
	char name[40];
};
struct soak_tree {
	struct soak_store *st;
	struct gx_globset given, seen;
	struct folder v[1000];
	size_t n;
};

static void end_tree(struct soak_thread *w)
{
	if (w->tree == NULL)
		return;
	gx_globset_release(&w->tree->given);
	gx_globset_release(&w->tree->seen);
	free(w->tree);
	w->tree = NULL;
}

static struct folder *folder_of(struct soak_tree *x, uint64_t fid)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].fid == fid)
			return &x->v[i];
	return NULL;
}

static void drop_folder(struct soak_thread *w, uint64_t fid)
{
	struct folder *f = folder_of(w->tree, fid);
	if (f == NULL)
		soak_fail(w->k, "a client is told that folder %" PRIx64 " is gone; it never had it",
			fid);
	else
		*f = w->tree->v[--w->tree->n];
}

static uint64_t source_fid(const struct gx_proplist *l)
{
	const struct gx_propval *pv = gx_proplist_get(l, PidTagSourceKey);
	uint64_t fid = 0;
	if (pv == NULL || pv->v.bin.len != 22)
		return 0;
	for (unsigned i = 16; i < 22; i++)
		fid = fid << 8 | pv->v.bin.data[i];
	return fid;
}

static void take_folder(struct soak_thread *w, const struct gx_proplist *l)
{
	struct soak_tree *x = w->tree;
	uint64_t fid = source_fid(l);
	struct folder *f = folder_of(x, fid);
	if (fid == 0)
		soak_fail(w->k, "a folder without source key");
	if (f == NULL && x->n == 1000)
		return;
	if (f == NULL)
		f = &x->v[x->n++];
	f->fid = fid;
	snprintf(f->name, sizeof(f->name), "%s", gx_proplist_str(l, PidTagDisplayName, ""));
}

static void synchronise_tree(struct soak_thread *w, struct gx_txn *t)
{
	struct soak_tree *x = w->tree;
	struct gx_ics_hierarchy *h;
	struct gx_proplist l;
	bool more = true;
	if (!soak_done(w, t, gx_ics_hierarchy_open(t, x->st->root, &x->given, &x->seen, &h),
		    "synchronisation"))
		return;
	each(w, gx_ics_hierarchy_set(h, GX_ICS_DELETED), drop_folder);
	while (soak_done(w, t, gx_ics_hierarchy_next(h, t, w->a, &l, &more), "folder") && more)
		take_folder(w, &l);
	gx_globset_release(&x->given);
	int err = gx_globset_union(&x->given, gx_ics_hierarchy_set(h, GX_ICS_GIVEN));
	if (err == 0 && gx_ics_hierarchy_last_cn(h) > 0)
		err = gx_globset_add_range(&x->seen, 1, gx_ics_hierarchy_last_cn(h));
	if (err != 0)
		soak_fail(w->k, "sets: %s", gx_strerror(err));
	if (x->given.count != x->n)
		soak_fail(w->k, "a client has %zu folders, and was given %" PRIu64, x->n,
			x->given.count);
	gx_ics_hierarchy_free(h);
	atomic_fetch_add(&w->k->synced, 1);
}

static void compare_tree(struct soak_thread *w, struct gx_txn *t)
{
	struct soak_tree *x = w->tree;
	struct gx_folder_info *v;
	size_t n;
	if (!soak_done(w, t, gx_folder_list(t, x->st->root, true, w->a, &v, &n), "list of folders"))
		return;
	if (n != x->n)
		soak_fail(w->k, "%zu folders, the client has %zu", n, x->n);
	for (size_t i = 0; i < n; i++) {
		const struct folder *f = folder_of(x, v[i].fid);
		if (f == NULL || strncmp(f->name, v[i].name, sizeof(f->name) - 1) != 0)
			soak_fail(w->k, "folder %" PRIx64 " is %s; the client has %s", v[i].fid,
				v[i].name, f == NULL ? "nothing" : f->name);
	}
	atomic_fetch_add(&w->k->compared, 1);
}

void soak_tree_sync(struct soak_thread *w)
{
	if (w->tree == NULL) {
		w->tree = calloc(1, sizeof(*w->tree));
		if (w->tree == NULL)
			abort();
		w->tree->st = w->st;
	}
	struct gx_txn *t = soak_begin(w, w->tree->st->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	synchronise_tree(w, t);
	compare_tree(w, t);
	gx_txn_abort(t);
	if (soak_rnd(w, 10) == 0)
		end_tree(w);
}

void soak_sync_end(struct soak_thread *w)
{
	compare_client(w);
	end_client(w);
	if (w->tree != NULL)
		soak_tree_sync(w);
	end_tree(w);
}
