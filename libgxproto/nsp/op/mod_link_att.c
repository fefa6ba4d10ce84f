/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NspiModLinkAtt, [MS-OXNSPI] 3.1.4.1.15: the delegates of one's own mailbox, and the members of a list by its owner, whom the
 * directory names in PidTagAddressBookOwner of the list.
 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include <gx/entryid.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { DELETE = 1, IDS_MOST = 1000 };

static bool owns(struct nsp_call *c, uint32_t list)
{
	struct nsp_set s;
	return gx_nsp__links(c, list, PidTagAddressBookOwner, &s) == 0 && s.n == 1 && s.v[0] == c->me;
}

/* Who is to be taken out may be nobody any more, or somebody outside. */
static const char *address_of(const struct nsp_call *c, struct gx_bin eid, bool take_out)
{
	const char *type, *address, *name;
	uint32_t entry = gx_nsp__by_entryid(c, eid);
	if (entry != NSP_NONE)
		return c->b->v[entry].e->username;
	if (take_out && gx_entryid_address(c->a, eid, &type, &address, &name) == 0 && strcasecmp(type, "SMTP") == 0)
		return address;
	return take_out ? "" : NULL;
}

static bool holds(const char *const *v, size_t n, const char *s)
{
	for (size_t i = 0; i < n; ++i)
		if (strcasecmp(v[i], s) == 0)
			return true;
	return false;
}

static int change_member(struct nsp_call *c, bool take_out, const char *list, const char *who)
{
	int err = take_out ? gx_dir_del_member(c->n->o.dir, list, who) : gx_dir_add_member(c->n->o.dir, list, who);
	return err == (take_out ? GX_E_NOTFOUND : GX_E_EXISTS) ? 1 : err; /* it was so before */
}

/* All or nothing, constraint 1. */
static gx_ec change_members(struct nsp_call *c, const struct gx_mh_mod_link_att_req *q, const char *list, const char **v)
{
	bool take_out = q->flags & DELETE;
	int err = 0;
	uint32_t i;
	for (i = 0; i < q->entry_ids_count && err >= 0; ++i) {
		err = *v[i] == '\0' ? 1 : change_member(c, take_out, list, v[i]);
		if (err != 0)
			v[i] = ""; /* nothing to be undone */
	}
	while (err < 0 && i-- > 0)
		if (*v[i] != '\0')
			(void)!change_member(c, !take_out, list, v[i]);
	gx_nsp_reload(c->n);
	return err >= 0 ? NSP_OK : err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : GX_EC(ecAccessDenied);
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
	if (members != (c->b->v[entry].kind == NSP_LIST)) /* such objects have no such property, constraint 5 */
		return GX_EC(ecAccessDenied);
	if (members ? !owns(c, entry) : entry != c->me)
		return GX_EC(ecAccessDenied);
	const char **v = gx_arena_new_array(c->a, const char *, q->entry_ids_count + 1);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (uint32_t i = 0; i < q->entry_ids_count; ++i) {
		v[i] = address_of(c, q->entry_ids[i], q->flags & DELETE);
		if (v[i] == NULL)
			return GX_EC(ecAccessDenied);
	}
	return members ? change_members(c, q, c->b->v[entry].e->username, v) : change_delegates(c, q, entry, v);
}
