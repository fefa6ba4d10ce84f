/* SPDX-License-Identifier: Apache-2.0 */
/* Stores: logons, named properties. [MS-OXCSTOR] 3.1.4.1 */
#include <config.h>
#include <string.h>
#include "libgxproto/client/client-int.h"

/* LogonFlags, OpenFlags */
enum { PRIVATE = 0x01, OPEN_PUBLIC = 0x02, HOME = 0x04, TAKE_OWNERSHIP = 0x08, NO_MAIL = 0x10000, PER_MDB_REPLID = 0x1000000 };

static gx_ec logon_here(struct gx_mapi *c, const struct gx_rop_logon_req *q, struct gx_mapi_obj **ret_store)
{
	struct gx_rop_logon_res *r;
	struct gx_mapi_obj store = {.logon_id = c->next_logon, .is_public = !(q->logon_flags & PRIVATE)};
	struct mc_batch *b = gx_mapi__begin(c, c->scratch);
	uint8_t h = gx_mapi__slot(b, GX_ROP_NO_HANDLE);
	unsigned i = gx_mapi__add(b, &store, RopLogon, h, 0, q, NULL);
	gx_ec ec = gx_mapi__run(b);
	if (!gx_ec_failed(ec))
		ec = gx_mapi__answer(b, i, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_mapi_obj *o = gx_mapi__obj(c, NULL, MC_STORE, b->handles[h], store.logon_id);
	if (o == NULL)
		return gx_mapi__nomem(c);
	++c->stores;
	++c->next_logon; /* the server keeps 256 of them; one that is used again ends the older */
	o->is_public = store.is_public;
	o->u.st.repl_id = r->repl_id;
	o->u.st.replica = r->repl_guid;
	memcpy(o->u.st.folders, r->folder_ids, sizeof(o->u.st.folders));
	*ret_store = o;
	return MC_OK;
}

/* @p dn as in gx_mapi__move(). */
static gx_ec logon(struct gx_mapi *c, const struct gx_rop_logon_req *q, const char *dn, struct gx_mapi_obj **ret_store)
{
	gx_ec ec = logon_here(c, q, ret_store);
	for (unsigned i = 0; gx_ec_is(ec, ecWrongServer); ++i) {
		ec = gx_mapi__move(c, dn, i);
		if (gx_ec_failed(ec))
			return ec;
		ec = logon_here(c, q, ret_store);
	}
	return ec;
}

gx_ec gx_mapi_logon(struct gx_mapi *c, const char *dn, struct gx_mapi_obj **ret_store)
{
	gx_mapi__enter(c);
	const struct gx_rop_logon_req q = {.logon_flags = PRIVATE, .essdn = dn != NULL ? dn : c->o.user_dn,
		.open_flags = NO_MAIL | PER_MDB_REPLID | (dn == NULL ? HOME | TAKE_OWNERSHIP : 0)};
	return logon(c, &q, dn, ret_store);
}

gx_ec gx_mapi_logon_public(struct gx_mapi *c, struct gx_mapi_obj **ret_store)
{
	gx_mapi__enter(c);
	const struct gx_rop_logon_req q = {.open_flags = OPEN_PUBLIC | NO_MAIL};
	return logon(c, &q, "", ret_store);
}

uint64_t gx_mapi_special_folder(const struct gx_mapi_obj *store, unsigned which)
{
	return store->kind == MC_STORE && which < 13 ? store->u.st.folders[which] : 0;
}

const struct gx_guid *gx_mapi_replica(const struct gx_mapi_obj *store, uint16_t *ret_number)
{
	if (ret_number != NULL)
		*ret_number = store->store->u.st.repl_id;
	return &store->store->u.st.replica;
}

/* ---- Named properties ---- */

enum { NAMES_AT_ONCE = 256 };

gx_ec gx_mapi_ids_of_names(struct gx_mapi_obj *store, const struct gx_propname *names, size_t n, bool create,
	uint16_t *ret_ids)
{
	if (!gx_mapi__is(store, 1U << MC_STORE))
		return store->c->error.ec;
	for (size_t at = 0; at < n;) {
		uint16_t some = (uint16_t)(n - at < NAMES_AT_ONCE ? n - at : NAMES_AT_ONCE);
		const struct gx_rop_get_property_ids_from_names_req q = {create ? 2 : 0, names + at, some};
		struct gx_rop_get_property_ids_from_names_res *r;
		gx_ec ec = gx_mapi__do(store, RopGetPropertyIdsFromNames, &q, store->c->scratch, NULL, (void **)&r);
		if (gx_ec_failed(ec))
			return ec;
		if (r->property_ids_count != some)
			return gx_mapi__fail(store->c, GX_EC(ecCorruptData), "RopGetPropertyIdsFromNames: %u ids for %u names",
				(unsigned)r->property_ids_count, some);
		memcpy(ret_ids + at, r->property_ids, some * sizeof(*ret_ids));
		at += some;
	}
	return MC_OK;
}

gx_ec gx_mapi_names_of_ids(struct gx_mapi_obj *store, const uint16_t *ids, size_t n, struct gx_arena *a,
	struct gx_propname *ret_names)
{
	if (!gx_mapi__is(store, 1U << MC_STORE))
		return store->c->error.ec;
	for (size_t at = 0; at < n;) {
		uint16_t some = (uint16_t)(n - at < NAMES_AT_ONCE ? n - at : NAMES_AT_ONCE);
		const struct gx_rop_get_names_from_property_ids_req q = {ids + at, some};
		struct gx_rop_get_names_from_property_ids_res *r;
		gx_ec ec = gx_mapi__do(store, RopGetNamesFromPropertyIds, &q, a, NULL, (void **)&r);
		if (gx_ec_failed(ec))
			return ec;
		if (r->property_names_count != some)
			return gx_mapi__fail(store->c, GX_EC(ecCorruptData), "RopGetNamesFromPropertyIds: %u names for %u ids",
				(unsigned)r->property_names_count, some);
		memcpy(ret_names + at, r->property_names, some * sizeof(*ret_names));
		at += some;
	}
	return MC_OK;
}
