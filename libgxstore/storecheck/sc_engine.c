/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/storecheck/sc-int.h"

/*
 * Without repair: one pass over all checks in a read transaction. With repair: a pass that keeps what it
 * finds, then repairs, then another pass that tells what is left; what it does not find any more is
 * repaired. One repair may bring to light what another check knows, so this goes round a few times.
 */

#define ROUNDS 4
#define KEPT_MAX 20000U /* findings listed one by one; more than these are counted */
#define WAIT_MS 60000

int gx_sc__number(struct gx_sc *k, const char *sql, uint64_t arg, int64_t *ret_v)
{
	GX_STMT(st, k->q, sql);
	if (strchr(sql, '?') != NULL)
		gx_sql__bind_int(st, 1, (int64_t)arg);
	int r = gx_sql__step(st);
	if (r > 0 && !gx_sql__is_null(st, 0))
		*ret_v = gx_sql__int(st, 0);
	return r < 0 ? r : 0;
}

int gx_sc__run(struct gx_sc *k, const char *sql, uint64_t a1, uint64_t a2)
{
	GX_STMT(st, k->q, sql);
	if (strstr(sql, "?1") != NULL)
		gx_sql__bind_int(st, 1, (int64_t)a1);
	if (strstr(sql, "?2") != NULL)
		gx_sql__bind_int(st, 2, (int64_t)a2);
	return gx_sql__run(st);
}

/* ---- Findings ---- */

static void tell(const struct gx_sc *k, const struct gx_sc_found *f, uint32_t state)
{
	const struct gx_store_check_info *i = &f->check->subs[f->item.sub];
	struct gx_store_finding out = {.check = i->check, .kind = i->kind, .object = f->item.object, .text = f->text,
		.severity = i->severity, .state = state, .repairable = i->repairable};
	if (k->o->found != NULL)
		k->o->found(&out, k->o->ctx);
}

static int keep(struct gx_sc *k, const struct gx_sc_found *f)
{
	if (k->nfound >= KEPT_MAX)
		return 0;
	k->found = gx_arena_grow(k->a, k->found, &k->found_cap, k->nfound + 1, sizeof(*k->found));
	if (k->found == NULL)
		return GX_E_NOMEM;
	k->found[k->nfound] = *f;
	k->found[k->nfound].text = gx_arena_strdup(k->a, f->text);
	return k->found[k->nfound++].text == NULL ? GX_E_NOMEM : 0;
}

static int say(struct gx_sc *k, unsigned sub, uint64_t object, const uint8_t *hash, const char *fmt, va_list ap)
{
	char text[640];
	struct gx_sc_found f = {.check = k->check, .item = {.sub = (uint8_t)sub, .object = object}, .text = text};
	if (hash != NULL && (f.item.hash = gx_arena_memdup(k->a, hash, GX_HASH_LEN)) == NULL)
		return GX_E_NOMEM;
	k->items = gx_arena_grow(k->a, k->items, &k->cap, k->n + 1, sizeof(*k->items));
	if (k->items == NULL)
		return GX_E_NOMEM;
	k->items[k->n++] = f.item;
	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p != '\0'; p++) /* SQLite's texts may have several */
		if (*p == '\n')
			*p = ' ';
	k->count++;
	if (k->tell)
		tell(k, &f, GX_FINDING_OPEN);
	return k->keep ? keep(k, &f) : 0;
}

int gx_sc__say(struct gx_sc *k, unsigned sub, uint64_t object, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int err = say(k, sub, object, NULL, fmt, ap);
	va_end(ap);
	return err;
}

int gx_sc__say_hash(struct gx_sc *k, unsigned sub, uint64_t object, const uint8_t *hash, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int err = say(k, sub, object, hash, fmt, ap);
	va_end(ap);
	return err;
}

/* ---- A check that is SQL ---- */

static int find_simple(struct gx_sc *k, unsigned sub)
{
	const struct gx_sc_simple *m = &k->check->simple[sub];
	GX_STMT(st, k->q, m->find);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		const char *more = gx_sql__text(st, 1);
		err = gx_sc__say(k, sub, gx_sql__u64(st, 0), "%s%s%s", m->text, *more == '\0' ? "" : ": ", more);
	}
	return err != 0 ? err : r;
}

static int repair_simple(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++) {
		const struct gx_sc_simple *m = &k->check->simple[v[i].sub];
		if (m->fix == NULL)
			continue;
		if (m->table != NULL)
			err = gx_sc__set_aside(k, m->table, m->where, v[i].object);
		if (err == 0)
			err = gx_sc__run(k, m->fix, v[i].object, 0);
	}
	return err;
}

static int find(struct gx_sc *k, const struct gx_sc_check *c)
{
	int err = 0;
	k->check = c;
	k->n = 0;
	if (c->simple == NULL)
		return c->find(k);
	for (unsigned i = 0; err == 0 && i < c->nsubs; i++)
		err = find_simple(k, i);
	return err;
}

/* ---- Passes ---- */

/* Damage that the check could not get past is a finding; the rest is trouble of the machine. */
static bool is_damage(int err)
{
	return err == GX_E_FORMAT || err == GX_E_TRUNC || err == GX_E_INTERNAL || err == GX_E_NOTFOUND ||
		err == GX_E_DEPTH || err == GX_E_RANGE;
}

static int cannot(struct gx_sc *k, const struct gx_sc_check *c, int err)
{
	if (!is_damage(err))
		return err;
	k->check = &gx_sc__database;
	return gx_sc__say(k, 2, 0, "%s: %s", c->subs[0].check, k->q->err == err ? k->q->why : gx_strerror(err));
}

static bool wanted(const struct gx_store_check_opts *o, const struct gx_sc_check *c)
{
	if (c->expensive && o->quick)
		return false;
	if (o->only == NULL)
		return true;
	for (const char *const *p = o->only; *p != NULL; p++)
		for (unsigned i = 0; i < c->nsubs; i++)
			if (strcmp(*p, c->subs[i].check) == 0)
				return true;
	return false;
}

static bool known(const char *id)
{
	for (size_t i = 0; gx_store_check_info(i) != NULL; i++)
		if (strcmp(gx_store_check_info(i)->check, id) == 0)
			return true;
	return false;
}

/*
 * All in one snapshot. @io_clean: checks that found nothing, one bit each; expensive ones are not run again.
 */
static int pass(struct gx_sc *k, uint64_t *io_clean, bool again)
{
	k->nfound = 0;
	k->found = NULL;
	k->items = NULL;
	k->cap = k->found_cap = 0;
	k->count = 0;
	int err = gx_txn__system(k->s, GX_TXN_READ, WAIT_MS, &k->t);
	if (err != 0)
		return err;
	k->q = k->t->q;
	for (size_t i = 0; err == 0 && i < gx_sc__check_count; i++) {
		const struct gx_sc_check *c = gx_sc__checks[i];
		if (!wanted(k->o, c) || (again && c->expensive && (*io_clean >> i & 1) != 0))
			continue;
		if (k->o->progress != NULL)
			k->o->progress(c->subs[0].check, (unsigned)i, (unsigned)gx_sc__check_count, k->o->ctx);
		uint64_t before = k->count;
		err = find(k, c);
		*io_clean &= ~(UINT64_C(1) << i);
		if (err != 0)
			err = cannot(k, c, err);
		else if (k->count == before)
			*io_clean |= UINT64_C(1) << i;
	}
	gx_txn_abort(k->t);
	k->t = NULL;
	return err;
}

static bool may_repair(const struct gx_sc *k, const struct gx_sc_check *c, const struct gx_sc_item *i)
{
	const struct gx_store_check_info *s = &c->subs[i->sub];
	return s->repairable && (s->severity != GX_FINDING_LOST || k->o->give_up);
}

/* What sessions have in memory may be wrong now. */
static int drop_views(struct gx_sc *k)
{
	GX_STMT(st, k->q, "SELECT fid FROM fstate WHERE fid<>0");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = gx_txn__vop(k->t, gx_sql__u64(st, 0), GX_VOP_DROP, NULL);
		if (err != 0)
			return err;
	}
	return r;
}

static int mend(struct gx_sc *k, const struct gx_sc_check *c)
{
	size_t n = 0;
	int err = find(k, c);
	for (size_t i = 0; i < k->n; i++)
		if (may_repair(k, c, &k->items[i]))
			k->items[n++] = k->items[i];
	if (err != 0 || n == 0)
		return err;
	struct gx_sc_item *v = gx_arena_memdup(k->a, k->items, n * sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	err = c->simple != NULL ? repair_simple(k, v, n) : c->repair == NULL ? 0 : c->repair(k, v, n);
	return err != 0 ? err : drop_views(k);
}

static int repair_one(struct gx_sc *k, const struct gx_sc_check *c)
{
	int err = gx_txn__system(k->s, GX_TXN_WRITE, WAIT_MS, &k->t);
	if (err != 0)
		return err;
	k->q = k->t->q;
	k->items = NULL;
	k->cap = 0;
	err = mend(k, c);
	if (err == 0) {
		err = gx_txn_commit(k->t, GX_SYNC_NOW);
	} else {
		gx_log(k->s->log, GX_LOG_ERROR, "repair of %s: %s", c->subs[0].check,
			k->q->err == err ? k->q->why : gx_strerror(err));
		gx_txn_abort(k->t);
	}
	k->t = NULL;
	return is_damage(err) || err == GX_E_EXISTS ? 0 : err; /* the last pass tells that it is still there */
}

/* All in order: one repair may bring to light what a later check knows. */
static int repair_all(struct gx_sc *k, uint64_t clean)
{
	int err = 0;
	k->keep = false;
	for (size_t i = 0; err == 0 && i < gx_sc__check_count; i++) {
		const struct gx_sc_check *c = gx_sc__checks[i];
		bool good = (clean >> i & 1) != 0;
		if (!wanted(k->o, c) || ((c->expensive || c->derived) && good) || (c->repair == NULL && c->simple == NULL))
			continue;
		if (k->o->progress != NULL)
			k->o->progress(c->subs[0].check, (unsigned)i, (unsigned)gx_sc__check_count, k->o->ctx);
		err = repair_one(k, c);
	}
	k->keep = true;
	return err;
}

/* ---- What became of the findings ---- */

static int by_item(const void *x, const void *y)
{
	const struct gx_sc_found *a = x, *b = y;
	if (a->check != b->check)
		return (uintptr_t)a->check < (uintptr_t)b->check ? -1 : 1;
	if (a->item.sub != b->item.sub)
		return a->item.sub < b->item.sub ? -1 : 1;
	if (a->item.object != b->item.object)
		return a->item.object < b->item.object ? -1 : 1;
	if (a->item.hash == NULL || b->item.hash == NULL)
		return (a->item.hash != NULL) - (b->item.hash != NULL);
	return memcmp(a->item.hash, b->item.hash, GX_HASH_LEN);
}

struct list {
	struct gx_sc_found *v;
	size_t n;
	uint64_t count;
};

static bool among(const struct list *sorted, const struct gx_sc_found *f)
{
	return sorted->n > 0 && bsearch(f, sorted->v, sorted->n, sizeof(*f), by_item) != NULL;
}

static int sorted_copy(struct gx_arena *a, const struct list *l, struct list *ret_l)
{
	*ret_l = *l;
	if (l->n == 0)
		return 0;
	ret_l->v = gx_arena_memdup(a, l->v, l->n * sizeof(*l->v));
	if (ret_l->v == NULL)
		return GX_E_NOMEM;
	qsort(ret_l->v, l->n, sizeof(*l->v), by_item);
	return 0;
}

static int report(struct gx_sc *k, const struct list *first, const struct list *last,
	struct gx_store_check_result *ret_r)
{
	struct list was, is;
	int err = sorted_copy(k->a, first, &was);
	if (err == 0)
		err = sorted_copy(k->a, last, &is);
	if (err != 0)
		return err;
	for (size_t i = 0; i < first->n; i++)
		tell(k, &first->v[i], among(&is, &first->v[i]) ? GX_FINDING_LEFT : GX_FINDING_REPAIRED);
	for (size_t i = 0; i < last->n; i++)
		if (!among(&was, &last->v[i]))
			tell(k, &last->v[i], GX_FINDING_LEFT);
	ret_r->found = first->count;
	ret_r->left = last->count;
	ret_r->repaired = first->count > last->count ? first->count - last->count : 0;
	return 0;
}

static bool worth_repairing(const struct gx_sc *k)
{
	for (size_t i = 0; i < k->nfound; i++)
		if (may_repair(k, k->found[i].check, &k->found[i].item))
			return true;
	return false;
}

static bool same(const struct list *l, const struct gx_sc *k)
{
	if (l->n != k->nfound || l->count != k->count)
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (by_item(&l->v[i], &k->found[i]) != 0)
			return false;
	return true;
}

/* Until nothing is left that can be repaired, or a round changed nothing. */
static int check_and_repair(struct gx_sc *k, struct gx_store_check_result *ret_r)
{
	uint64_t clean = 0;
	k->keep = true;
	int err = pass(k, &clean, false);
	struct list first = {k->found, k->nfound, k->count}, last = first;
	for (int round = 0; err == 0 && round < ROUNDS && worth_repairing(k); round++) {
		err = repair_all(k, clean);
		if (err == 0)
			err = pass(k, &clean, true);
		if (err == 0 && same(&last, k))
			break;
		last = (struct list){k->found, k->nfound, k->count};
	}
	return err != 0 ? err : report(k, &first, &last, ret_r);
}

static int check_only(struct gx_sc *k, struct gx_store_check_result *ret_r)
{
	uint64_t clean = 0;
	k->tell = true;
	int err = pass(k, &clean, false);
	if (err == 0)
		*ret_r = (struct gx_store_check_result){.found = k->count, .left = k->count};
	return err;
}

int gx_store_check(struct gx_store *s, const struct gx_store_check_opts *o, struct gx_store_check_result *ret_r)
{
	if (s == NULL || o == NULL || ret_r == NULL)
		return GX_E_INVAL;
	for (const char *const *p = o->only; p != NULL && *p != NULL; p++)
		if (!known(*p))
			return GX_E_INVAL;
	struct gx_sc k = {.s = s, .o = o, .a = gx_arena_new(0)};
	struct gx_store_check_result r = {0};
	if (k.a == NULL)
		return GX_E_NOMEM;
	int err = o->repair ? check_and_repair(&k, &r) : check_only(&k, &r);
	gx_arena_free(k.a);
	if (err == 0)
		*ret_r = r;
	return err;
}
