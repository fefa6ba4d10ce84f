/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NSP_ORDER_H
#define GX_NSP_ORDER_H
/*
 * Orders of rows, [MS-OXNSPI] 2.2.1.10 and 3.1.4.3: by names as a language sorts them, or by how names are spoken. Most languages sort as
 * the entries of a book stand already; others have arrays of their own, made when somebody asks first, and kept as long as the book.
 */
#include "libgxproto/nsp/nsp-int.h"

struct nsp_sorter;  /* rules of a language */

/* Sorts as most languages do: names equal but for case or marks stand together. */
int gx_nsp__sorter_new(const char *locale, struct nsp_sorter **ret_s) GX_MUST_CHECK;
/* Accepts NULL. */
void gx_nsp__sorter_free(struct nsp_sorter *s);
bool gx_nsp__sorter_same(const struct nsp_sorter *x, const struct nsp_sorter *y);
/* Bytes that compare as the names do, in @a. */
int gx_nsp__sort_key(const struct nsp_sorter *s, struct gx_arena *a, const char *name, struct gx_bin *ret_key) GX_MUST_CHECK;
/* Without regard to case and marks, unless they make another letter of it. */
int gx_nsp__collate(const struct nsp_sorter *s, const char *x, const char *y);

struct nsp_order {
	struct nsp_order *next;
	const char *locale;
	bool phonetic;
	const struct nsp_order *as;    /* itself, or the order whose arrays this one shares */
	struct nsp_sorter *sorter;
	const uint32_t *rank, *at;     /* of an entry, and back; NULL: entries stand in this order */
	uint32_t *const *rows;         /* of containers, as ranks */
};

/* The rows of a container in an order. */
struct nsp_table {
	const struct nsp_container *k;
	const struct nsp_order *o;
	const uint32_t *ranks;         /* ascending */
	uint32_t count;
};

/* That which the STAT asks for. ecInvalidBookmark: there is no such container. */
gx_ec gx_nsp__table(const struct nsp_call *c, const struct gx_stat *st, struct nsp_table *ret_t) GX_MUST_CHECK;
static inline uint32_t gx_nsp__rank(const struct nsp_order *o, uint32_t entry)
{
	return o->rank == NULL ? entry : o->rank[entry];
}
static inline uint32_t gx_nsp__entry(const struct nsp_order *o, uint32_t rank)
{
	return o->at == NULL ? rank : o->at[rank];
}
/* Index of the first row that does not come before @entry. */
uint32_t gx_nsp__row_of(const struct nsp_table *t, uint32_t entry);
/* Puts entries into the order that the STAT asks for. */
void gx_nsp__sort(const struct nsp_call *c, const struct gx_stat *st, uint32_t *io_entries, size_t n);
/* The name that an order goes by. */
const char *gx_nsp__sort_name(const struct nsp_order *o, const struct nsp_entry *e, struct gx_arena *a);

int gx_nsp__make_orders(struct nsp_book *b) GX_MUST_CHECK;
void gx_nsp__orders_free(struct nsp_book *b);

#endif
