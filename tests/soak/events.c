/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which message is in which folder, by events alone. An event that is missing, comes twice or comes
 * too late shows as a message that is there already, or is not there.
 */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include "tests/soak/soak.h"

int soak_events_init(struct soak_events *e, struct soak *k)
{
	e->k = k;
	e->n = 0;
	e->cap = 1024;
	e->heard = 0;
	e->v = calloc(e->cap, sizeof(*e->v));
	return e->v == NULL ? GX_E_NOMEM : pthread_mutex_init(&e->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void soak_events_release(struct soak_events *e)
{
	free(e->v);
	e->v = NULL;
	pthread_mutex_destroy(&e->lock);
}

static struct soak_slot *slot(struct soak_slot *v, size_t cap, uint64_t mid)
{
	size_t i = (size_t)(mid * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);
	while (v[i].mid != 0 && v[i].mid != mid)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static void grow(struct soak_events *e)
{
	size_t cap = e->cap * 2;
	struct soak_slot *v = calloc(cap, sizeof(*v));
	if (v == NULL)
		abort();
	for (size_t i = 0; i < e->cap; i++)
		if (e->v[i].mid != 0)
			*slot(v, cap, e->v[i].mid) = e->v[i];
	free(e->v);
	e->v = v;
	e->cap = cap;
}

void soak_events_put(struct soak_events *e, uint64_t mid, uint64_t fid)
{
	struct soak_slot *x = slot(e->v, e->cap, mid);
	if (x->mid != 0)
		soak_fail(e->k,
			"message %" PRIx64 " came to folder %" PRIx64 ", but was in %" PRIx64, mid,
			fid, x->fid);
	else if (++e->n * 2 > e->cap)
		grow(e);
	*slot(e->v, e->cap, mid) = (struct soak_slot){mid, fid};
}

void soak_events_take(struct soak_events *e, uint64_t mid, uint64_t fid)
{
	struct soak_slot *x = slot(e->v, e->cap, mid);
	if (x->mid == 0 || x->fid != fid)
		soak_fail(e->k,
			"message %" PRIx64 " went from folder %" PRIx64 ", but was in %" PRIx64,
			mid, fid, x->mid == 0 ? 0 : x->fid);
	else
		x->fid = 0;
}

void soak_events_hear(const struct gx_event *ev, void *ctx)
{
	struct soak_events *e = ctx;
	pthread_mutex_lock(&e->lock);
	e->heard++;
	switch (ev->type) {
	case GX_EV_MSG_CREATED:
	case GX_EV_MSG_COPIED:
		soak_events_put(e, ev->mid, ev->fid);
		break;
	case GX_EV_MSG_MOVED:
		soak_events_take(e, ev->old_mid, ev->old_fid);
		soak_events_put(e, ev->mid, ev->fid);
		break;
	case GX_EV_MSG_DELETED:
		soak_events_take(e, ev->mid, ev->fid);
		break;
	case GX_EV_NEW_MAIL:
		if (!soak_events_has(e, ev->mid, ev->fid))
			soak_fail(e->k, "new mail %" PRIx64 " that did not come", ev->mid);
		break;
	default:
		break;
	}
	pthread_mutex_unlock(&e->lock);
}

bool soak_events_has(struct soak_events *e, uint64_t mid, uint64_t fid)
{
	const struct soak_slot *x = slot(e->v, e->cap, mid);
	return x->mid == mid && x->fid == fid;
}

size_t soak_events_count(struct soak_events *e, uint64_t fid)
{
	size_t n = 0;
	for (size_t i = 0; i < e->cap; i++)
		n += e->v[i].mid != 0 && e->v[i].fid == fid;
	return n;
}

/* ---- At the end ---- */

static size_t compare_kind(struct soak_thread *w, struct soak_store *st, struct gx_txn *t,
	uint64_t fid, uint32_t flags)
{
	static const gx_proptag_t tag = PidTagMid;
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_table_row *v;
	size_t n = 0;
	o.fid = fid;
	o.flags = flags;
	if (!soak_done(w, t, gx_table_open_contents(t, &o, &tb), "table"))
		return 0;
	if (soak_done(w, t, gx_table_query(tb, t, 0, 65535, &tag, 1, w->a, &v, &n), "rows"))
		for (size_t i = 0; i < n; i++)
			if (!soak_events_has(&st->events, v[i].id, fid))
				soak_fail(w->k,
					"%s: nobody was told that message %" PRIx64
					" is in folder %" PRIx64,
					st->dir, v[i].id, fid);
	gx_table_close(tb);
	return n;
}

void soak_compare_events(struct soak_thread *w, struct soak_store *st)
{
	struct gx_folder_info *v;
	size_t n;
	struct gx_txn *t = soak_begin(w, st->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	if (soak_done(w, t, gx_folder_list(t, 1, true, w->a, &v, &n), "list of folders"))
		for (size_t i = 0; i < n; i++) {
			if (v[i].type == GX_FOLDER_SEARCH)
				continue;
			size_t have = compare_kind(w, st, t, v[i].fid, 0) +
				      compare_kind(w, st, t, v[i].fid, GX_TABLE_ASSOCIATED);
			size_t told = soak_events_count(&st->events, v[i].fid);
			if (have != told)
				soak_fail(w->k,
					"%s: folder %" PRIx64
					" has %zu messages, events tell of %zu",
					st->dir, v[i].fid, have, told);
			if (v[i].total + v[i].fai != have)
				soak_fail(w->k,
					"%s: folder %" PRIx64
					" has %zu messages, and counts %" PRIu64 " and %" PRIu64,
					st->dir, v[i].fid, have, v[i].total, v[i].fai);
		}
	gx_txn_abort(t);
	atomic_fetch_add(&w->k->compared, 1);
}
