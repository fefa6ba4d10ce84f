/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NspiModLinkAtt, [MS-OXNSPI] 3.1.4.1.15: the delegates of one's own mailbox, and the members of a list by its owner, whom the
 * directory names in PidTagAddressBookOwner of the list.
 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { DELETE = 1, IDS_MOST = 1000 };

static bool owns(struct nsp_call *c, uint32_t list)
{
	struct nsp_set s;
	return gx_nsp__links(c, list, PidTagAddressBookOwner, &s) == 0 && s.n == 1 && s.v[0] == c->me;
}

static const char *address_of(const struct nsp_call *c, struct gx_bin eid)
{
	uint32_t entry = gx_nsp__by_entryid(c, eid);
	return entry == NSP_NONE ? NULL : c->b->v[entry].e->username;
}

static bool holds(const char *const *v, size_t n, const char *s)
{
	for (size_t i = 0; i < n; ++i)
		if (strcasecmp(v[i], s) == 0)
			return true;
	return false;
}

static gx_ec change_members(struct nsp_call *c, const struct gx_mh_mod_link_att_req *q, const char *list, const char *const *v)
{
	for (uint32_t i = 0; i < q->entry_ids_count; ++i) {
		int err = q->flags & DELETE ? gx_dir_del_member(c->n->o.dir, list, v[i]) : gx_dir_add_member(c->n->o.dir, list, v[i]);
		if (err != 0 && err != GX_E_EXISTS && err != GX_E_NOTFOUND)
			return err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : GX_EC(ecAccessDenied);
	}
	gx_nsp_reload(c->n);
	return NSP_OK;
}

static gx_ec change_delegates(struct nsp_call *c, const struct gx_mh_mod_link_att_req *q, uint32_t entry, const char *const *v)
{
	const char *const *old;
	size_t n = 0, kept = 0;
	if (gx_nsp__delegates(c, entry, &old, &n) != 0)
		return GX_EC(ecAccessDenied);
	const char **all = gx_arena_new_array(c->a, const char *, n + q->entry_ids_count + 1);
	if (all == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i)
		if (!(q->flags & DELETE) || !holds(v, q->entry_ids_count, old[i]))
			all[kept++] = old[i];
	for (uint32_t i = 0; i < q->entry_ids_count && !(q->flags & DELETE); ++i)
		if (!holds(all, kept, v[i]))
			all[kept++] = v[i];
	return gx_nsp__set_delegates(c, entry, all, kept);
}

NSP_OP(mod_link_att)
{
	uint32_t entry = gx_nsp__by_mid(c, q->minimal_id);
	bool members = GX_PROP_ID(q->property_tag) == GX_PROP_ID(PidTagAddressBookMember);
	(void)r;
	if (!members && GX_PROP_ID(q->property_tag) != GX_PROP_ID(PidTagAddressBookPublicDelegates))
		return GX_EC(ecNotFound);
	if (entry == NSP_NONE || !q->has_entry_ids || q->entry_ids_count > IDS_MOST)
		return GX_EC(ecInvalidParam);
	if (members != (c->b->v[entry].kind == NSP_LIST))
		return NSP_OK; /* such objects have no such property, which is no error here */
	if (members ? !owns(c, entry) : entry != c->me)
		return GX_EC(ecAccessDenied);
	const char **v = gx_arena_new_array(c->a, const char *, q->entry_ids_count + 1);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < q->entry_ids_count; ++i) {
		v[i] = address_of(c, q->entry_ids[i]);
		if (v[i] == NULL)
			return GX_EC(ecAccessDenied);
	}
	return members ? change_members(c, q, c->b->v[entry].e->username, v) : change_delegates(c, q, entry, v);
}
