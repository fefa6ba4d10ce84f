/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxproto/emsmdb/names.h"

enum { NAMED = 0x8000 };

/* ---- Ids ---- */

static bool is_name(const struct gx_propname *n)
{
	static const struct gx_guid none;
	return n->by_name || n->lid != 0 || gx_guid_cmp(&n->set, &none) != 0;
}

/* The names, and which of the ids has which. */
static gx_ec names_of(struct gx_rop_call *c, struct gx_ems_logon *l, const uint16_t *ids, size_t *io_n, struct gx_propname **ret_v, size_t *ret_at)
{
	struct gx_txn *t;
	size_t n = 0;
	struct gx_propname *v = gx_arena_new_array(c->a, struct gx_propname, *io_n);
	gx_ec ec = v == NULL ? GX_EC(ecMAPIOOM) : gx_rop__begin_at(c, l, GX_TXN_READ, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(c, t, gx_store_named_names(t, ids, *io_n, c->a, v));
	for (size_t i = 0; !gx_ec_failed(ec) && i < *io_n; ++i)
		if (is_name(&v[i])) {
			v[n] = v[i];
			ret_at[n++] = i;
		}
	*io_n = n;
	*ret_v = v;
	return ec;
}

static gx_ec ids_of(struct gx_rop_call *c, struct gx_ems_logon *l, int mode, const struct gx_propname *v, size_t n, uint16_t *ret_ids)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__begin_at(c, l, mode, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_store_named_ids(t, mode == GX_TXN_WRITE, v, n, ret_ids));
}

static bool any_missing(const uint16_t *ids, size_t n)
{
	for (size_t i = 0; i < n; ++i)
		if (ids[i] == 0)
			return true;
	return false;
}

gx_ec gx_ems__map_names(struct gx_rop_call *c, struct gx_ems_logon *from, struct gx_ems_logon *to, const uint16_t *ids, size_t n,
	uint16_t **ret_ids)
{
	struct gx_propname *v = NULL;
	size_t known = n, *at = gx_arena_new_array(c->a, size_t, n);
	uint16_t *there = gx_arena_calloc(c->a, n + 1, sizeof(*there)), *r = gx_arena_calloc(c->a, n + 1, sizeof(*r));
	if (at == NULL || there == NULL || r == NULL)
		return GX_EC(ecMAPIOOM);
	gx_ec ec = n == 0 ? EMS_OK : names_of(c, from, ids, &known, &v, at);
	if (!gx_ec_failed(ec) && known > 0)
		ec = ids_of(c, to, GX_TXN_READ, v, known, there);
	/* seldom: nobody else waits for a transaction that adds nothing */
	if (!gx_ec_failed(ec) && any_missing(there, known))
		ec = ids_of(c, to, GX_TXN_WRITE, v, known, there);
	for (size_t i = 0; !gx_ec_failed(ec) && i < known; ++i)
		r[at[i]] = there[i];
	*ret_ids = r;
	return ec;
}

/* ---- Lists ---- */

/* Each id once; room for all of them. */
static size_t collect(struct gx_proplist *const *v, size_t n, uint16_t *ret_ids)
{
	uint8_t seen[NAMED / 8] = {0};
	size_t count = 0;
	for (size_t i = 0; i < n; ++i)
		for (size_t k = 0; k < v[i]->count; ++k) {
			unsigned id = GX_PROP_ID(v[i]->v[k].tag);
			if (id < NAMED || (seen[(id - NAMED) / 8] & 1U << id % 8))
				continue;
			seen[(id - NAMED) / 8] |= (uint8_t)(1U << id % 8);
			ret_ids[count++] = (uint16_t)id;
		}
	return count;
}

static size_t named_in(struct gx_proplist *const *v, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; ++i)
		for (size_t k = 0; k < v[i]->count; ++k)
			count += GX_PROP_IS_NAMED(v[i]->v[k].tag);
	return count;
}

static int map_list(struct gx_proplist *l, const uint16_t *from, const uint16_t *to, size_t n, struct gx_arena *a)
{
	struct gx_proplist r = {0};
	int err = 0;
	for (size_t i = 0; err == 0 && i < l->count; ++i) {
		gx_proptag_t tag = l->v[i].tag;
		size_t k = 0;
		while (k < n && from[k] != GX_PROP_ID(tag))
			++k;
		if (k == n)
			err = gx_proplist_set(&r, a, tag, l->v[i].v);
		else if (to[k] != 0)
			err = gx_proplist_set(&r, a, GX_PROP_TAG(to[k], GX_PROP_TYPE(tag)), l->v[i].v);
	}
	*l = r;
	return err;
}

gx_ec gx_ems__map_props(struct gx_rop_call *c, struct gx_ems_logon *from, struct gx_ems_logon *to, struct gx_proplist **io_v, size_t n,
	struct gx_arena *a)
{
	uint16_t *there = NULL;
	size_t count = named_in(io_v, n);
	if (count == 0)
		return EMS_OK;
	uint16_t *ids = gx_arena_new_array(c->a, uint16_t, count);
	if (ids == NULL)
		return GX_EC(ecMAPIOOM);
	count = collect(io_v, n, ids);
	gx_ec ec = gx_ems__map_names(c, from, to, ids, count, &there);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = gx_ec_from_err(map_list(io_v[i], ids, there, count, a));
	return ec;
}
