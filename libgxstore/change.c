/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/message/msg-int.h"
#include "libgxstore/content/pread-int.h"
#include "libgxstore/search/search-int.h"
#include "libgxstore/table/table-int.h"

/*
 * Every change of a message is told here, by the operation that makes it and inside its
 * transaction. From here the change log, IMAP views, subscribers and all that is derived from messages
 * learn of it; operations only write rows and count.
 */

/* ---- The change log: collected, one row a folder and kind at the end of the transaction ---- */

#define ITEMS_MAX 65536U /* 1 MiB; with more they are written before */

struct gx_chlist {
	uint64_t fid, modseq;
	int kind;
	bool written; /* some were: the next rows take numbers of their own */
	struct gx_log_item *v;
	size_t n, cap;
	struct gx_chlist *next;
};

void gx_change__release(struct gx_txn *t)
{
	for (struct gx_chlist *l = t->changes; l != NULL; l = l->next)
		free(l->v);
	t->changes = NULL;
}

void gx_change__forget(struct gx_txn *t, uint64_t fid)
{
	for (struct gx_chlist *l = t->changes; l != NULL; l = l->next)
		if (l->fid == fid)
			l->n = 0;
}

static struct gx_chlist *list_of(struct gx_txn *t, uint64_t fid, int kind)
{
	struct gx_chlist *l = t->changes;
	while (l != NULL && (l->fid != fid || l->kind != kind))
		l = l->next;
	if (l != NULL)
		return l;
	l = gx_arena_new_obj(t->a, struct gx_chlist);
	if (l == NULL)
		return NULL;
	l->fid = fid;
	l->kind = kind;
	l->next = t->changes;
	t->changes = l;
	return l;
}

/* Kinds of items that are no longer there: their rows take a number of their own. */
static bool is_gone(int kind)
{
	return kind == GX_LOG_EXPUNGED || kind == GX_LOG_FAI_EXPUNGED || kind == GX_LOG_RENUMBERED;
}

static int write_list(struct gx_txn *t, struct gx_chlist *l)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, l->fid, &f);
	if (err != 0)
		return err;
	uint64_t modseq = is_gone(l->kind) || l->written ? gx_txn__new_cn(t) : l->modseq;
	l->written = true;
	if (modseq > f->modseq)
		f->modseq = modseq;
	f->dirty = true;
	size_t n = l->n;
	l->n = 0;
	l->modseq = 0;
	return gx_changelog__add(t, f, l->kind, modseq, l->v, n);
}

static int note_as(struct gx_txn *t, const struct gx_msg_row *r, int kind)
{
	struct gx_chlist *l = list_of(t, r->fid, kind);
	if (l == NULL)
		return GX_E_NOMEM;
	int err = l->n == ITEMS_MAX ? write_list(t, l) : 0;
	if (err != 0)
		return err;
	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 8 : l->cap * 2;
		struct gx_log_item *v = realloc(l->v, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct gx_log_item){.mid = r->mid, .uid = r->uid};
	if (!is_gone(kind) && r->modseq > l->modseq)
		l->modseq = r->modseq;
	return 0;
}

static int note(struct gx_txn *t, const struct gx_msg_row *r, bool gone)
{
	bool fai = (r->flags & GX_MSGF_FAI) != 0;
	return note_as(t, r, gone ? fai ? GX_LOG_FAI_EXPUNGED : GX_LOG_EXPUNGED : fai ? GX_LOG_FAI_CHANGED : GX_LOG_CHANGED);
}

int gx_change__flush(struct gx_txn *t)
{
	for (struct gx_chlist *l = t->changes; l != NULL; l = l->next)
		if (l->n > 0) {
			int err = write_list(t, l);
			if (err != 0)
				return err;
		}
	return 0;
}

/* ---- What is told ---- */

static bool in_views(const struct gx_msg_row *r)
{
	return !(r->flags & (GX_MSGF_FAI | GX_MSGF_SOFTDEL));
}

static int view_op(struct gx_txn *t, int kind, const struct gx_msg_row *r)
{
	struct gx_uid_entry e;
	if (!in_views(r))
		return 0;
	gx_msg__entry(r, &e);
	return gx_txn__vop(t, r->fid, kind, &e);
}

static void touch_folder(struct gx_txn *t, struct gx_fstate *f)
{
	f->changed_at = gx_store__now(t->s);
	f->dirty = true;
}

static int event(struct gx_txn *t, uint32_t type, const struct gx_msg_row *r, const struct gx_msg_row *old)
{
	struct gx_event ev = {.type = type, .fid = r->fid, .mid = r->mid, .cn = r->modseq, .uid = r->uid};
	if (old != NULL) {
		ev.old_fid = old->fid;
		ev.old_mid = old->mid;
	}
	return gx_txn__event(t, &ev);
}

int gx_change__before(struct gx_txn *t, const struct gx_msg_row *r)
{
	assert(t->mode == GX_TXN_WRITE && r->mid != 0);
	return gx_order__before(t, r);
}

int gx_change__created(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r, int how, const struct gx_msg_row *source)
{
	static const uint32_t type[] = {
		[GX_CH_NEW] = GX_EV_MSG_CREATED, [GX_CH_DELIVERED] = GX_EV_MSG_CREATED, [GX_CH_COPIED] = GX_EV_MSG_COPIED,
		[GX_CH_MOVED] = GX_EV_MSG_MOVED,
	};
	gx_fstate__count(t, f, r->flags, r->size, 1);
	touch_folder(t, f);
	int err = gx_order__created(t, f, r);
	if (err == 0)
		err = gx_tables__note(t, NULL, r);
	if (err == 0)
		err = gx_search__created(t, r);
	if (err == 0)
		err = view_op(t, GX_VOP_INSERT, r);
	if (err == 0)
		err = event(t, type[how], r, source);
	return err == 0 && how == GX_CH_DELIVERED ? event(t, GX_EV_NEW_MAIL, r, NULL) : err;
}

int gx_change__updated(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *old, const struct gx_msg_row *r, int how)
{
	bool resized = old->size != r->size;
	if (((old->flags ^ r->flags) & (GX_MSGF_READ | GX_MSGF_FAI | GX_MSGF_SOFTDEL)) != 0 || resized) {
		gx_fstate__count(t, f, old->flags, old->size, -1);
		gx_fstate__count(t, f, r->flags, r->size, 1);
	}
	bool renumbered = old->uid != r->uid;
	int err = renumbered ? view_op(t, GX_VOP_REMOVE, old) : 0;
	if (err == 0)
		err = view_op(t, renumbered ? GX_VOP_INSERT : GX_VOP_UPDATE, r);
	if (err == 0)
		err = gx_order__updated(t, old, r);
	bool tables = how != GX_CH_QUIET || resized;
	if (tables && how == GX_CH_QUIET) /* a rendered message: no version of it, but rows show its size */
		(void)gx_txn__new_cn(t);
	if (err == 0 && tables)
		err = gx_tables__note(t, old, r); /* as it was in search folders, before it leaves them */
	if (err == 0 && tables)
		err = gx_search__updated(t, old, r);
	if (err != 0 || how == GX_CH_QUIET)
		return err;
	if (r->modseq > f->modseq)
		f->modseq = r->modseq;
	touch_folder(t, f);
	if (renumbered) /* the new one is found by its UID, as arrivals are */
		err = note_as(t, old, GX_LOG_RENUMBERED);
	else if (!(r->flags & GX_MSGF_SOFTDEL))
		err = note(t, r, false);
	if (err == 0 && how == GX_CH_CONTENT && old->body == r->body) /* another body is found by its id */
		err = gx_fts__changed(t, r->body, r->modseq);
	return err != 0 ? err : event(t, GX_EV_MSG_CHANGED, r, NULL);
}

int gx_change__removed(struct gx_txn *t, struct gx_fstate *f, const struct gx_msg_row *r, int how)
{
	gx_fstate__count(t, f, r->flags, r->size, -1);
	if (how == GX_CH_HIDDEN)
		gx_fstate__count(t, f, r->flags | GX_MSGF_SOFTDEL, r->size, 1);
	if (how != GX_CH_MOVED)
		f->removed++;
	touch_folder(t, f);
	struct gx_msg_row hidden = *r;
	hidden.flags |= GX_MSGF_SOFTDEL;
	int err = gx_order__removed(t, r);
	if (err == 0)
		err = gx_tables__note(t, r, how == GX_CH_HIDDEN ? &hidden : NULL);
	if (err == 0)
		err = gx_search__removed(t, r);
	if (err == 0)
		err = gx_pread__forget(t, r);
	if (err == 0)
		err = gx_timer__forget(t, r->mid);
	if (err != 0 || (r->flags & GX_MSGF_SOFTDEL)) /* nobody has seen it since it was hidden */
		return err;
	err = note(t, r, true);
	if (err == 0)
		err = view_op(t, GX_VOP_REMOVE, r);
	return err != 0 || how == GX_CH_MOVED ? err : event(t, GX_EV_MSG_DELETED, r, NULL);
}
