/* SPDX-License-Identifier: Apache-2.0 */
/* Properties whose values are other entries: members, lists that one is in, delegates, who reports to whom. */
#include <config.h>
#include <string.h>
#include <strings.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

static int add(struct nsp_call *c, struct nsp_set *s, uint32_t entry)
{
	if (entry == NSP_NONE)
		return 0;
	s->v = gx_arena_grow(c->a, s->v, &s->cap, s->n + 1, sizeof(*s->v));
	if (s->v == NULL)
		return GX_E_NOMEM;
	s->v[s->n++] = entry;
	return 0;
}

static int members(struct nsp_call *c, uint32_t entry, struct nsp_set *s)
{
	const struct nsp_entry *e = &c->b->v[entry];
	int err = 0;
	for (uint32_t i = 0; i < e->member_count && err == 0; ++i)
		err = add(c, s, gx_nsp__by_address(c, c->b->dir.members[e->member + i].name));
	for (uint32_t i = 0; i < c->b->n && err == 0 && e->e->list_domain != 0; ++i) {
		const struct gx_dir_entry *x = c->b->v[i].e;
		if (x->domain_id == e->e->list_domain && *x->maildir != '\0' && x->status == GX_USER_NORMAL)
			err = add(c, s, i);
	}
	return err;
}

static bool has_member(const struct nsp_book *b, const struct nsp_entry *list, const struct nsp_entry *e)
{
	if (list->e->list_domain != 0 && list->e->list_domain == e->e->domain_id && *e->e->maildir != '\0' && e->e->status == GX_USER_NORMAL)
		return true;
	for (uint32_t i = 0; i < list->member_count; ++i)
		if (strcasecmp(b->dir.members[list->member + i].name, e->e->username) == 0)
			return true;
	return false;
}

static int lists_of(struct nsp_call *c, uint32_t entry, struct nsp_set *s)
{
	int err = 0;
	for (uint32_t i = 0; i < c->b->n && err == 0; ++i)
		if (c->b->v[i].kind == NSP_LIST && gx_nsp__sees(c, i) && !(c->b->v[i].hidden & NSP_HIDE_LISTS) &&
		    has_member(c->b, &c->b->v[i], &c->b->v[entry]))
			err = add(c, s, i);
	return err;
}

static int delegates(struct nsp_call *c, uint32_t entry, struct nsp_set *s)
{
	const char *const *v;
	size_t n;
	int err = gx_nsp__delegates(c, entry, &v, &n);
	for (size_t i = 0; err == 0 && i < n; ++i) {
		uint32_t who = gx_nsp__by_address(c, v[i]);
		if (who != NSP_NONE && !(c->b->v[who].hidden & NSP_HIDE_DELEGATES))
			err = add(c, s, who);
	}
	return err == GX_E_NOTFOUND ? 0 : err;
}

/* Named in the directory by address or DN. */
static uint32_t named_by(struct nsp_call *c, uint32_t entry, uint16_t id)
{
	const struct gx_dir_entry *e = c->b->v[entry].e;
	struct gx_propval pv;
	if (e->props.len == 0 || gx_prow_find(e->props.data, e->props.len, GX_PROP_TAG(id, PtypString), c->a, &pv) != 0)
		return NSP_NONE;
	return *pv.v.str == '/' ? gx_nsp__by_dn(c, pv.v.str) : gx_nsp__by_address(c, pv.v.str);
}

static int reports(struct nsp_call *c, uint32_t entry, struct nsp_set *s)
{
	int err = 0;
	for (uint32_t i = 0; i < c->b->n && err == 0; ++i)
		if (gx_nsp__sees(c, i) && named_by(c, i, GX_PROP_ID(PidTagAddressBookManager)) == entry)
			err = add(c, s, i);
	return err;
}

static int order(const void *p, const void *q)
{
	uint32_t x = *(const uint32_t *)p, y = *(const uint32_t *)q;
	return (x > y) - (x < y);
}

static void sort(struct nsp_set *s)
{
	size_t n = 0;
	if (s->n != 0)
		qsort(s->v, s->n, sizeof(*s->v), order);
	for (size_t i = 0; i < s->n; ++i)
		if (n == 0 || s->v[n - 1] != s->v[i])
			s->v[n++] = s->v[i];
	s->n = n;
}

int gx_nsp__links(struct nsp_call *c, uint32_t entry, gx_proptag_t tag, struct nsp_set *ret_s)
{
	struct nsp_set s = {0};
	int err = GX_E_UNSUP;
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagAddressBookMember):
		err = members(c, entry, &s);
		break;
	case GX_PROP_ID(PidTagAddressBookIsMemberOfDistributionList):
		err = lists_of(c, entry, &s);
		break;
	case GX_PROP_ID(PidTagAddressBookPublicDelegates):
		err = delegates(c, entry, &s);
		break;
	case GX_PROP_ID(PidTagAddressBookManager):
	case GX_PROP_ID(PidTagAddressBookOwner):
		err = add(c, &s, named_by(c, entry, GX_PROP_ID(tag)));
		break;
	case GX_PROP_ID(PidTagAddressBookReports):
		err = reports(c, entry, &s);
		break;
	}
	sort(&s);
	*ret_s = s;
	return err;
}
