/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of a base's rows, made when they are asked for. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uloc.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/order.h"

/* Orders of a base that have arrays of their own: what is asked for beyond them is sorted as most languages do. */
enum { ORDERS_MOST = 16, LOCALE_MOST = 64 };

struct nsp_orders {
	pthread_mutex_t lock;          /* of all below */
	struct gx_arena *a;
	struct nsp_order usual;        /* as the entries stand */
	struct nsp_order **first;      /* by base */
	unsigned *made;                /* by base: those with arrays */
};

const char *gx_nsp__sort_name(const struct nsp_order *o, const struct nsp_entry *e, struct gx_arena *a)
{
	struct gx_propval pv;
	const struct gx_bin *row = &e->e->props;
	if (o->phonetic && row->len != 0 && gx_prow_find(row->data, row->len, PidTagAddressBookPhoneticDisplayName, a, &pv) == 0 && *pv.v.str != '\0')
		return pv.v.str;
	return e->name;
}

int gx_nsp__make_orders(struct nsp_book *b)
{
	struct nsp_orders *s = gx_arena_calloc(b->a, 1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	s->first = gx_arena_calloc(b->a, b->nbases + 1, sizeof(*s->first));
	s->made = gx_arena_calloc(b->a, b->nbases + 1, sizeof(*s->made));
	s->a = gx_arena_new(0);
	if (s->first == NULL || s->made == NULL || s->a == NULL || pthread_mutex_init(&s->lock, NULL) != 0) {
		gx_arena_free(s->a);
		return GX_E_NOMEM;
	}
	b->orders = s;
	s->usual.locale = "root";
	s->usual.as = &s->usual;
	return gx_nsp__sorter_new("root", &s->usual.sorter);
}

void gx_nsp__orders_free(struct nsp_book *b)
{
	struct nsp_orders *s = b->orders;
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < b->nbases; ++i)
		for (struct nsp_order *o = s->first[i]; o != NULL; o = o->next)
			gx_nsp__sorter_free(o->sorter);
	gx_nsp__sorter_free(s->usual.sorter);
	pthread_mutex_destroy(&s->lock);
	gx_arena_free(s->a);
}

/* ---- Making one ---- */

struct keyed {
	struct gx_bin key;
	uint32_t entry;
};

static int by_key(const void *p, const void *q)
{
	const struct keyed *x = p, *y = q;
	int r = memcmp(x->key.data, y->key.data, x->key.len < y->key.len ? x->key.len : y->key.len);
	if (r == 0)
		r = (x->key.len > y->key.len) - (x->key.len < y->key.len);
	return r != 0 ? r : (x->entry > y->entry) - (x->entry < y->entry);
}

static int by_number(const void *p, const void *q)
{
	uint32_t x = *(const uint32_t *)p, y = *(const uint32_t *)q;
	return (x > y) - (x < y);
}

static int rank_all(const struct nsp_call *c, struct nsp_order *o, struct gx_arena *scratch, struct gx_arena *a)
{
	uint32_t n = c->b->n, *rank = gx_arena_new_array(a, uint32_t, n + 1), *at = gx_arena_new_array(a, uint32_t, n + 1), k = 0;
	struct keyed *v = gx_arena_new_array(scratch, struct keyed, n + 1);
	if (rank == NULL || at == NULL || v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < n; ++i) {
		rank[i] = NSP_NONE;
		if (!gx_nsp__sees(c, i))
			continue;
		v[k].entry = i;
		int err = gx_nsp__sort_key(o->sorter, scratch, gx_nsp__sort_name(o, &c->b->v[i], scratch), &v[k++].key);
		if (err != 0)
			return err;
	}
	qsort(v, k, sizeof(*v), by_key);
	for (uint32_t i = 0; i < k; ++i) {
		rank[v[i].entry] = i;
		at[i] = v[i].entry;
	}
	o->rank = rank;
	o->at = at;
	return 0;
}

static int rank_rows(const struct nsp_call *c, struct nsp_order *o, struct gx_arena *a)
{
	uint32_t **rows = gx_arena_new_array(a, uint32_t *, c->base->count + 1);
	if (rows == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < c->base->count; ++i) {
		const struct nsp_container *k = &c->base->containers[i];
		rows[i] = gx_arena_new_array(a, uint32_t, k->count + 1);
		if (rows[i] == NULL)
			return GX_E_NOMEM;
		for (uint32_t r = 0; r < k->count; ++r)
			rows[i][r] = o->rank[k->rows[r]];
		qsort(rows[i], k->count, sizeof(*rows[i]), by_number);
	}
	o->rows = rows;
	return 0;
}

static int fill(const struct nsp_call *c, struct nsp_order *o, struct gx_arena *a)
{
	struct gx_arena *scratch = gx_arena_new(0);
	int err = scratch == NULL ? GX_E_NOMEM : rank_all(c, o, scratch, a);
	gx_arena_free(scratch);
	return err == 0 ? rank_rows(c, o, a) : err;
}

/* One of the same rules, whatever the languages are called. */
static const struct nsp_order *like(const struct nsp_orders *s, uint32_t base, const struct nsp_sorter *rules, bool phonetic)
{
	if (!phonetic && gx_nsp__sorter_same(s->usual.sorter, rules))
		return &s->usual;
	for (const struct nsp_order *o = s->first[base]; o != NULL; o = o->next)
		if (o->as == o && o->phonetic == phonetic && gx_nsp__sorter_same(o->sorter, rules))
			return o;
	return NULL;
}

/* With the lock. Where it cannot be made for want of memory, the next who asks tries again. */
static const struct nsp_order *make(const struct nsp_call *c, struct nsp_orders *s, uint32_t base, const char *locale, bool phonetic)
{
	struct nsp_order *o = gx_arena_calloc(s->a, 1, sizeof(*o));
	if (o == NULL || (o->locale = gx_arena_strdup(s->a, locale)) == NULL || gx_nsp__sorter_new(locale, &o->sorter) != 0)
		return &s->usual;
	o->phonetic = phonetic;
	o->as = like(s, base, o->sorter, phonetic);
	if (o->as == NULL && s->made[base] == ORDERS_MOST)
		o->as = &s->usual;
	if (o->as == NULL && fill(c, o, s->a) != 0) {
		gx_nsp__sorter_free(o->sorter);
		return &s->usual;
	}
	if (o->as == NULL) {
		o->as = o;
		++s->made[base];
	} else {
		gx_nsp__sorter_free(o->sorter);
		o->sorter = NULL;
	}
	o->next = s->first[base];
	s->first[base] = o;
	return o->as;
}

/* ---- Finding one ---- */

static const struct nsp_order *order_of(const struct nsp_call *c, const struct gx_stat *st)
{
	struct nsp_orders *s = c->b->orders;
	uint32_t base = (uint32_t)(c->base - c->b->bases);
	bool phonetic = st->sort_type == SORT_PHONETIC;
	char locale[LOCALE_MOST];
	UErrorCode e = U_ZERO_ERROR;
	int32_t n = st->sort_locale == 0 ? 0 : uloc_getLocaleForLCID(st->sort_locale, locale, LOCALE_MOST, &e);
	if (n <= 0 || n >= LOCALE_MOST || U_FAILURE(e))
		memcpy(locale, "root", 5); /* a language that we do not know is sorted as most are */
	if (!phonetic && strcmp(locale, "root") == 0)
		return &s->usual;
	pthread_mutex_lock(&s->lock);
	const struct nsp_order *o = s->first[base], *found;
	while (o != NULL && (o->phonetic != phonetic || strcmp(o->locale, locale) != 0))
		o = o->next;
	found = o != NULL ? o->as : make(c, s, base, locale, phonetic);
	pthread_mutex_unlock(&s->lock);
	return found;
}

gx_ec gx_nsp__table(const struct nsp_call *c, const struct gx_stat *st, struct nsp_table *ret_t)
{
	const struct nsp_container *k = gx_nsp__container(c, st->container_id);
	if (k == NULL)
		return GX_EC(ecInvalidBookmark);
	const struct nsp_order *o = order_of(c, st);
	*ret_t = (struct nsp_table){k, o, o->rows == NULL ? k->rows : o->rows[k - c->base->containers], k->count};
	return NSP_OK;
}

uint32_t gx_nsp__row_of(const struct nsp_table *t, uint32_t entry)
{
	uint32_t lo = 0, hi = t->count, rank = gx_nsp__rank(t->o, entry);
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->ranks[mid] < rank)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void gx_nsp__sort(const struct nsp_call *c, const struct gx_stat *st, uint32_t *io_entries, size_t n)
{
	if (n == 0) /* there may be no array either */
		return;
	const struct nsp_order *o = order_of(c, st);
	for (size_t i = 0; i < n; ++i)
		io_entries[i] = gx_nsp__rank(o, io_entries[i]);
	qsort(io_entries, n, sizeof(*io_entries), by_number);
	for (size_t i = 0; i < n; ++i)
		io_entries[i] = gx_nsp__entry(o, io_entries[i]);
}
