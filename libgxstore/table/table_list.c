/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/table/table-int.h"

/*
 * Rows that no index gives: restricted, deleted, of small folders. They are found by looking at every message
 * of the folder, along an order of theirs when there is one, else sorted once by keys that are thrown
 * away after. A change looks at the changed messages only; their places are found by halving.
 */

void gx_list__clear(struct gx_table *tb)
{
	struct gx_seq *q = &tb->seq;
	free(q->v);
	free(q->prefix);
	free(q->span);
	gx_push_release(&q->prefix_bytes);
	q->v = NULL;
	q->prefix = NULL;
	q->span = NULL;
	q->n = q->cap = q->prefix_cap = q->nspan = q->cap_span = 0;
}

/* ---- Membership ---- */

static int in_folder(struct gx_table *tb, struct gx_txn *t, const struct gx_msg_row *r)
{
	bool fai = (r->flags & GX_MSGF_FAI) != 0, gone = (r->flags & GX_MSGF_SOFTDEL) != 0;
	switch (tb->seq.kind) {
	case 0:
		return r->fid == tb->fid && gone && fai == ((tb->flags & GX_TABLE_ASSOCIATED) != 0);
	case GX_ORDER_NORMAL:
		return r->fid == tb->fid && !gone && !fai;
	case GX_ORDER_FAI:
		return r->fid == tb->fid && !gone && fai;
	case GX_ORDER_STORE:
		return !gone && !fai;
	default:
		break;
	}
	GX_STMT(st, t->q, "SELECT 1 FROM found WHERE fid=?1 AND mid=?2");
	gx_sql__bind_int(st, 1, (int64_t)tb->fid);
	gx_sql__bind_int(st, 2, (int64_t)r->mid);
	return gone ? 0 : gx_sql__step(st);
}

/* Messages of folders that the table's owner may not read are not his to see in a view of the whole store. */
static int may_read(struct gx_table *tb, struct gx_txn *t, const struct gx_msg_row *r)
{
	uint32_t rights;
	if (tb->seq.kind != GX_ORDER_STORE || gx_txn__all_rights(t))
		return 1;
	int err = gx_perm__rights(t, r->fid, &rights);
	return err != 0 ? err : (rights & (GX_RIGHT_READ | GX_RIGHT_OWNER)) != 0;
}

int gx_table__unread(struct gx_table *tb, struct gx_msgsrc *x)
{
	(void)tb;
	int r = gx_msg__is_read(x->t, &x->row);
	return r < 0 ? r : !r;
}

int gx_table__holds(struct gx_table *tb, struct gx_msgsrc *x)
{
	bool match = true;
	int r = in_folder(tb, x->t, &x->row);
	if (r > 0)
		r = may_read(tb, x->t, &x->row);
	if (r > 0 && tb->seq.unread_only)
		r = gx_table__unread(tb, x);
	if (r <= 0 || tb->restr == NULL)
		return r;
	r = gx_restr_eval(tb->restr, &x->src, &match);
	return r != 0 ? r : match;
}

/* ---- Entries ---- */

void *gx_table__grow(void *v, size_t *io_cap, size_t want, size_t size)
{
	if (want <= *io_cap && v != NULL)
		return v;
	size_t cap = *io_cap + *io_cap / 2;
	cap = cap < want ? want : cap;
	cap = cap < 64 ? 64 : cap;
	void *p = realloc(v, cap * size);
	if (p != NULL)
		*io_cap = cap;
	return p;
}

int gx_list__reserve(struct gx_table *tb, size_t n)
{
	struct gx_seq *q = &tb->seq;
	uint64_t *v = gx_table__grow(q->v, &q->cap, n, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	q->v = v;
	if (tb->groups.depth == 0)
		return 0;
	uint32_t *p = gx_table__grow(q->prefix, &q->prefix_cap, n, sizeof(*p));
	if (p == NULL)
		return GX_E_NOMEM;
	q->prefix = p;
	return 0;
}

static bool has_prefix(const struct gx_seq *q, size_t i, struct gx_bin prefix)
{
	struct gx_bin have = gx_seq__prefix(q, i);
	return have.len == prefix.len && memcmp(have.data, prefix.data, have.len) == 0;
}

/* Rows of a group stand together: its prefix is that of a neighbour, or a new one. */
static int set_prefix(struct gx_table *tb, size_t i, struct gx_bin key)
{
	struct gx_seq *q = &tb->seq;
	struct gx_bin prefix = {key.data, gx_orderspec__prefix(&q->spec, key, tb->groups.depth)};
	if (i > 0 && has_prefix(q, i - 1, prefix)) {
		q->prefix[i] = q->prefix[i - 1];
		return 0;
	}
	if (i + 1 < q->n && has_prefix(q, i + 1, prefix)) {
		q->prefix[i] = q->prefix[i + 1];
		return 0;
	}
	struct gx_span *s = gx_table__grow(q->span, &q->cap_span, q->nspan + 1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	q->span = s;
	q->span[q->nspan] = (struct gx_span){q->prefix_bytes.len, prefix.len};
	gx_push_bytes(&q->prefix_bytes, prefix.data, prefix.len);
	q->prefix[i] = (uint32_t)q->nspan++;
	return q->prefix_bytes.err;
}

int gx_list__insert(struct gx_table *tb, size_t i, struct gx_bin key, uint64_t entry)
{
	struct gx_seq *q = &tb->seq;
	if (q->n >= GX_TABLE_ROWS_MAX)
		return GX_E_LIMIT;
	int err = gx_list__reserve(tb, q->n + 1);
	if (err != 0)
		return err;
	memmove(q->v + i + 1, q->v + i, (q->n - i) * sizeof(*q->v));
	if (tb->groups.depth > 0)
		memmove(q->prefix + i + 1, q->prefix + i, (q->n - i) * sizeof(*q->prefix));
	q->v[i] = entry;
	q->n++;
	return tb->groups.depth > 0 ? set_prefix(tb, i, key) : 0;
}
