/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/content/pread-int.h"

/* Synchronisation of a folder's contents: the result, and what becomes of a single message. */

uint64_t gx_ics__complete(const struct gx_globset *s)
{
	struct gx_idrange r;
	return s != NULL && gx_globset_find(s, 1, &r) ? r.hi : 0;
}

int gx_ics__last_cn(struct gx_txn *t, uint64_t *ret_cn)
{
	struct gx_fstate *f;
	int err = gx_change__flush(t); /* deletions take their numbers here */
	if (err == 0)
		err = gx_fstate__get(t, 0, &f);
	if (err == 0)
		*ret_cn = f->modseq;
	return err;
}

bool gx_ics__wanted(const struct gx_ics_run *x, uint32_t flags)
{
	return (flags & GX_MSGF_FAI ? x->o->seen_fai : x->o->seen) != NULL;
}

static bool in_given(const struct gx_ics_run *x, uint64_t mid)
{
	return x->o->given != NULL && gx_globset_contains(x->o->given, mid);
}

bool gx_ics__is_known(const struct gx_ics_run *x, const struct gx_msg_row *r)
{
	return in_given(x, r->mid) && gx_globset_contains(r->flags & GX_MSGF_FAI ? x->o->seen_fai : x->o->seen, r->cn);
}

static int add_change(struct gx_ics_run *x, const struct gx_msg_row *r)
{
	struct gx_ics_content *c = x->c;
	const bool fai = (r->flags & GX_MSGF_FAI) != 0;
	const struct gx_ics_change ch = {.mid = r->mid, .cn = r->cn, .size = r->size, .received = r->received, .fai = fai,
		.updated = in_given(x, r->mid)};
	int err = gx_icslist__add(&c->list, &ch);
	if (err != 0)
		return err;
	c->updated += ch.updated;
	*(fai ? &c->sum.fai_count : &c->sum.normal_count) += 1;
	*(fai ? &c->sum.fai_size : &c->sum.normal_size) += r->size;
	return 0;
}

int gx_ics__consider(struct gx_ics_run *x, const struct gx_msg_row *r)
{
	int err = gx_globset_add(&x->c->set[GX_ICS_GIVEN], r->mid);
	if (err != 0)
		return err;
	if (!gx_ics__is_known(x, r))
		return add_change(x, r);
	if (x->o->read == NULL || x->personal || r->rcn == 0 || (r->flags & GX_MSGF_FAI) || gx_globset_contains(x->o->read, r->rcn))
		return 0;
	return gx_globset_add(&x->c->set[r->flags & GX_MSGF_READ ? GX_ICS_READ : GX_ICS_UNREAD], r->mid);
}

static int by_cn(const void *x, const void *y)
{
	const struct gx_ics_change *a = x, *b = y;
	return (a->cn > b->cn) - (a->cn < b->cn);
}

static int newest_first(const void *x, const void *y)
{
	const struct gx_ics_change *a = x, *b = y;
	if (a->received != b->received)
		return a->received > b->received ? -1 : 1;
	return by_cn(y, x);
}

/* Nothing found yet. */
static void clear(struct gx_ics_content *c)
{
	for (int i = 0; i < GX_ICS_SETS; i++)
		gx_globset_release(&c->set[i]);
	gx_icslist__clear(&c->list);
	c->updated = 0;
	c->sum = (struct gx_ics_summary){0};
}

static int run(struct gx_ics_run *x)
{
	uint64_t last;
	int err = x->search || x->o->restr != NULL ? GX_E_RANGE : gx_ics__changes(x);
	if (err == GX_E_RANGE) {
		clear(x->c);
		err = gx_ics__scan(x);
	}
	if (err == 0 && x->personal && x->o->read != NULL)
		err = gx_ics__user_reads(x);
	if (err == 0)
		err = gx_ics__last_cn(x->t, &last);
	if (err != 0)
		return err;
	x->c->sum.last_cn = x->c->sum.last_readcn = last;
	return gx_icslist__sort(&x->c->list);
}

gx_ec gx_ics_content_open(struct gx_txn *t, uint64_t fid, const struct gx_ics_content_opts *o, struct gx_ics_content **ret_c)
{
	struct gx_folder_row row;
	gx_ec ec = gx_folder__need(t, fid, GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ics_content *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	gx_icslist__init(&c->list, o->ordered ? newest_first : by_cn, t->s->fs, t->s->dir, t->s->ics_run);
	struct gx_ics_run x = {.t = t, .fid = fid, .search = row.type == GX_FOLDER_SEARCH, .o = o, .c = c,
		.personal = gx_pread__personal(t) || gx_pread__all_read(t->s)};
	int err = run(&x);
	gx_ics__log_content(t, fid, o, c, err);
	if (err != 0) {
		gx_ics_content_free(c);
		return gx_txn__ec(t, err);
	}
	gx_icsreader__init(&c->next, &c->list);
	*ret_c = c;
	return GX_OK_EC;
}

void gx_ics_content_free(struct gx_ics_content *c)
{
	if (c == NULL)
		return;
	clear(c);
	gx_icsreader__release(&c->next);
	free(c);
}

const struct gx_ics_summary *gx_ics_content_summary(const struct gx_ics_content *c)
{
	return &c->sum;
}

const struct gx_globset *gx_ics_content_set(const struct gx_ics_content *c, int which)
{
	return which < 0 || which >= GX_ICS_SETS ? NULL : &c->set[which];
}

size_t gx_ics_content_count(const struct gx_ics_content *c)
{
	return gx_icslist__count(&c->list);
}

gx_ec gx_ics_content_next(struct gx_ics_content *c, struct gx_ics_change *ret_change, bool *ret_more)
{
	return gx_ec_from_err(gx_icsreader__next(&c->next, ret_change, ret_more));
}

void gx_ics_content_seek(struct gx_ics_content *c, size_t n)
{
	gx_icsreader__seek(&c->next, n);
}
