/* SPDX-License-Identifier: Apache-2.0 */
/* Search folders: set when all messages are there, then run to their end. */
#include <config.h>
#include <gx/search.h>
#include "libgxstore/gromox/conv-int.h"

/* What a search begins anew with; that it was stopped is said afterwards. */
#define KEPT_FLAGS (RECURSIVE_SEARCH | SHALLOW_SEARCH | FOREGROUND_SEARCH | BACKGROUND_SEARCH | CONTENT_INDEXED_SEARCH | \
	NON_CONTENT_INDEXED_SEARCH | STATIC_SEARCH)
#define BUDGET_MS 500

static bool searchable(const struct gx_conv *c, uint64_t fid)
{
	for (size_t i = 0; i < c->folder_count; i++)
		if (c->folders[i].fid == fid)
			return !c->folders[i].search && !c->folders[i].deleted;
	return false;
}

/* Folders that are gone are no longer searched. */
static int scope(struct gx_conv *c, uint64_t *v, size_t *io_n)
{
	size_t n = 0;
	for (size_t i = 0; i < *io_n; i++)
		if (searchable(c, v[i]))
			v[n++] = v[i];
	bool less = n < *io_n;
	*io_n = n;
	return !less ? 0 : gx_conv__note(c, GX_CONV_SEARCH, NULL, n == 0 ? "all folders that it searches are gone; it has no criteria now" :
		"some of the folders that it searches are gone");
}

static int one(struct gx_conv *c, const struct gx_gromox_folder *f)
{
	const struct gx_restr *r;
	uint64_t *v;
	size_t n;
	gx_arena_reset(c->item);
	gx_gromox__about(&c->g->notes, "folder %llx", (unsigned long long)f->fid);
	int err = gx_gromox__criteria(c->g, f->fid, c->item, &r, &v, &n);
	if (err == 0 && r != NULL)
		err = scope(c, v, &n);
	if (err != 0 || r == NULL || n == 0)
		return err;
	gx_ec ec = gx_search_set(c->t, f->fid, (f->search_flags & KEPT_FLAGS) | RESTART_SEARCH, r, v, n);
	if (!gx_ec_failed(ec) && (f->search_flags & STOP_SEARCH))
		ec = gx_search_set(c->t, f->fid, STOP_SEARCH, NULL, NULL, 0);
	return gx_conv__ec(c, ec);
}

int gx_conv__searches(struct gx_conv *c)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < c->folder_count; i++)
		if (c->folders[i].search && !c->folders[i].deleted)
			err = one(c, &c->folders[i]);
	return err;
}

/* In transactions of the store's own; it remembers by itself how far it is. */
int gx_conv__run_searches(struct gx_conv *c)
{
	bool done = false;
	int err = 0;
	while (err == 0 && !done) {
		err = gx_search_run(c->s, BUDGET_MS, &done);
		if (err == 0)
			err = gx_conv__progress(c);
	}
	return err;
}
