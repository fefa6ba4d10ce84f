/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * What a commit means to hierarchy tables. A folder whose messages changed has other numbers: its row is told as
 * modified. When folders themselves changed the rows are read anew and compared; there are few of them.
 */

static size_t place(const struct gx_trow_folder *v, size_t n, uint64_t fid)
{
	size_t i = 0;
	while (i < n && v[i].fid != fid)
		i++;
	return i;
}

static const struct gx_chfolder *change_of(const struct gx_telling *w, uint64_t fid)
{
	const struct gx_chfolder *f = w->what->head;
	while (f != NULL && f->fid != fid)
		f = f->next;
	return f;
}

static bool has_place(const struct gx_table *tb, uint64_t fid)
{
	return place(tb->folders, tb->nfolders, fid) < tb->nfolders;
}

/* May the rows themselves be others now? */
static bool others(const struct gx_table *tb, const struct gx_telling *w)
{
	for (const struct gx_chfolder *f = w->what->head; f != NULL; f = f->next) {
		if (f->itself && ((tb->flags & GX_TABLE_DEPTH) || f->parents[0] == tb->fid ||
					 f->parents[1] == tb->fid || has_place(tb, f->fid)))
			return true;
		if (!f->itself && tb->restr != NULL && has_place(tb, f->fid))
			return true;
	}
	/* A restriction may ask for numbers, and let in what was out. */
	return tb->restr != NULL && w->what->head != NULL;
}

static bool any_row(const struct gx_table *tb, const struct gx_telling *w)
{
	for (const struct gx_chfolder *f = w->what->head; f != NULL; f = f->next)
		if (has_place(tb, f->fid))
			return true;
	return false;
}

static void tell_one(struct gx_table *tb, uint8_t type, uint64_t fid, uint64_t after)
{
	struct gx_table_event ev = {.type = type, .hierarchy = true, .row_fid = fid, .after_fid = after};
	tb->cb(tb, &ev, tb->cb_ctx);
}

static void tell_numbers(struct gx_table *tb, const struct gx_telling *w)
{
	for (size_t i = 0; i < tb->nfolders; i++)
		if (change_of(w, tb->folders[i].fid) != NULL)
			tell_one(tb, GX_TABLE_EV_MODIFIED, tb->folders[i].fid, i == 0 ? 0 : tb->folders[i - 1].fid);
}

/* The same rows in the same order but for those that changed? */
static bool rest_is_same(
	const struct gx_table *tb, const struct gx_telling *w, const struct gx_trow_folder *old, size_t n)
{
	size_t i = 0, k = 0;
	for (;;) {
		while (i < n && (change_of(w, old[i].fid) != NULL || !has_place(tb, old[i].fid)))
			i++;
		while (k < tb->nfolders &&
			(change_of(w, tb->folders[k].fid) != NULL || place(old, n, tb->folders[k].fid) == n))
			k++;
		if (i == n || k == tb->nfolders)
			return i == n && k == tb->nfolders;
		if (old[i].fid != tb->folders[k].fid || old[i].depth != tb->folders[k].depth)
			return false;
		i++;
		k++;
	}
}

static void tell_difference(struct gx_table *tb, const struct gx_telling *w, const struct gx_trow_folder *old, size_t n)
{
	if (!rest_is_same(tb, w, old, n)) {
		gx_tables__tell_changed(tb);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (!has_place(tb, old[i].fid))
			tell_one(tb, GX_TABLE_EV_DELETED, old[i].fid, 0);
	for (size_t i = 0; i < tb->nfolders; i++) {
		uint64_t fid = tb->folders[i].fid, after = i == 0 ? 0 : tb->folders[i - 1].fid;
		if (place(old, n, fid) == n)
			tell_one(tb, GX_TABLE_EV_ADDED, fid, after);
		else if (change_of(w, fid) != NULL)
			tell_one(tb, GX_TABLE_EV_MODIFIED, fid, after);
	}
}

static void read_and_compare(struct gx_table *tb, struct gx_telling *w)
{
	struct gx_trow_folder *old = tb->folders;
	size_t n = tb->nfolders;
	tb->folders = NULL;
	tb->nfolders = tb->cap_folders = 0;
	int err = gx_folders__fill(tb, &w->t);
	if (err != 0) {
		tb->stale = true;
		gx_tables__tell_changed(tb);
	} else {
		tb->version = w->version;
		tell_difference(tb, w, old, n);
	}
	free(old);
}

void gx_tables__tell_folders(struct gx_table *tb, struct gx_telling *w)
{
	if (w->version <= tb->version || w->what->head == NULL)
		return;
	bool now = tb->cb != NULL && !tb->told && !tb->busy && !tb->stale && tb->npending == 0;
	if (!now) { /* its rows cannot be looked at: whatever changed may concern it */
		uint64_t fid = w->what->head->fid;
		gx_table__pend(tb, &fid, 1);
		gx_tables__tell_changed(tb);
	} else if (others(tb, w)) {
		read_and_compare(tb, w);
	} else if (any_row(tb, w)) {
		tell_numbers(tb, w);
	}
}
