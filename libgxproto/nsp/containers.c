/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users can look into: the global address list, one list for each kind of entry, and one for each domain when there
 * are several, [MS-OXOABK] 3.1.4.
 */
#include <config.h>
#include <gx/entryid.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { DT_CONTAINER = 0x100 };

static const struct {
	const char *name;
	uint32_t kinds; /* bits by NSP_* */
	uint32_t flags;
} lists[] = {
	{"All Users", 1U << NSP_MAILBOX, 0},
	{"All Distribution Lists", 1U << NSP_LIST, 0},
	{"All Rooms", 1U << NSP_ROOM | 1U << NSP_EQUIPMENT, AB_CONF_ROOMS},
	{"All Contacts", 1U << NSP_CONTACT, 0},
};
enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

/* ---- Who sees what ---- */

static uint32_t base_for(struct nsp_base *v, uint32_t *io_n, const struct gx_domain *dom, uint16_t index)
{
	for (uint32_t i = 0; i < *io_n && dom->org_id != 0; ++i)
		if (v[i].org == dom->org_id)
			return i;
	v[*io_n] = (struct nsp_base){.org = dom->org_id, .domain = index};
	return (*io_n)++;
}

static int make_bases(struct nsp_book *b, struct nsp_base **ret_v)
{
	size_t n = b->dir.ndomains < UINT16_MAX ? b->dir.ndomains : UINT16_MAX;
	struct nsp_base *v = gx_arena_new_array(b->a, struct nsp_base, n + 1);
	uint32_t *of = gx_arena_new_array(b->a, uint32_t, n + 1);
	if (v == NULL || of == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; ++i)
		of[i] = base_for(v, &b->nbases, &b->dir.domains[i], (uint16_t)i);
	b->bases = v;
	b->base_of = of;
	*ret_v = v;
	return 0;
}

/* ---- Rows ---- */

struct choice {
	uint32_t base, kinds, hide;
	int32_t domain; /* -1: all */
};

static bool takes(const struct nsp_book *b, const struct nsp_entry *e, const struct choice *k)
{
	return b->base_of[e->domain] == k->base && k->kinds >> e->kind & 1 && !(e->hidden & k->hide) &&
	       (k->domain < 0 || e->domain == k->domain);
}

static int make_rows(struct nsp_book *b, const struct choice *k, struct nsp_container *c)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < b->n; ++i)
		n += takes(b, &b->v[i], k);
	uint32_t *rows = gx_arena_new_array(b->a, uint32_t, n + 1);
	if (rows == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < b->n; ++i)
		if (takes(b, &b->v[i], k))
			rows[c->count++] = i;
	c->rows = rows;
	return 0;
}

/* Lists have the form of DN that Exchange gives them, with the number that they are known by as its first part. */
static const char *dn_of(const struct gx_nsp *n, struct gx_arena *a, uint32_t mid)
{
	const uint8_t *g = n->guid.d4;
	return mid == 0 ? "/" : gx_arena_printf(a, "/guid=%08X%04X%04X%02X%02X%02X%02X%02X%02X%02X%02X", (unsigned)mid, n->guid.d2, n->guid.d3,
		g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]);
}

static int add(const struct gx_nsp *n, struct nsp_book *b, struct nsp_container *c, uint32_t mid, const char *name, uint32_t flags,
	const struct choice *k)
{
	*c = (struct nsp_container){.mid = mid, .name = name, .flags = flags | AB_RECIPIENTS | AB_UNMODIFIABLE};
	c->dn = dn_of(n, b->a, mid);
	return c->dn == NULL ? GX_E_NOMEM : make_rows(b, k, c);
}

static uint32_t domains_of(const struct nsp_book *b, uint32_t base)
{
	uint32_t n = 0;
	for (size_t i = 0; i < b->dir.ndomains && i < UINT16_MAX; ++i)
		n += b->base_of[i] == base;
	return n;
}

static int make_base(const struct gx_nsp *n, struct nsp_book *b, uint32_t base, struct nsp_base *s)
{
	uint32_t domains = domains_of(b, base);
	struct nsp_container *v = gx_arena_new_array(b->a, struct nsp_container, 1 + LISTS + domains);
	struct choice k = {.base = base, .kinds = UINT32_MAX, .hide = NSP_HIDE_GAL, .domain = -1};
	if (v == NULL)
		return GX_E_NOMEM;
	int err = add(n, b, &v[s->count++], 0, "Global Address List", 0, &k);
	k.hide = NSP_HIDE_LISTS;
	for (uint32_t i = 0; err == 0 && i < LISTS; ++i) {
		k.kinds = lists[i].kinds;
		err = add(n, b, &v[s->count++], NSP_MID_KINDS + i, lists[i].name, lists[i].flags, &k);
	}
	k.kinds = UINT32_MAX;
	for (size_t i = 0; err == 0 && domains > 1 && i < b->dir.ndomains && i < UINT16_MAX; ++i) {
		const struct gx_domain *d = &b->dir.domains[i];
		k.domain = (int32_t)i;
		if (b->base_of[i] == base && d->id < 1U << 24)
			err = add(n, b, &v[s->count++], NSP_MID_DOMAINS + d->id, *d->title != '\0' ? d->title : d->name, 0, &k);
	}
	s->containers = v;
	return err;
}

int gx_nsp__make_containers(struct gx_nsp *n, struct nsp_book *b)
{
	struct nsp_base *v = NULL;
	int err = make_bases(b, &v);
	for (uint32_t i = 0; err == 0 && i < b->nbases; ++i)
		err = make_base(n, b, i, &v[i]);
	return err;
}

const struct nsp_container *gx_nsp__container(const struct nsp_call *c, uint32_t mid)
{
	for (uint32_t i = 0; i < c->base->count; ++i)
		if (c->base->containers[i].mid == mid)
			return &c->base->containers[i];
	return NULL;
}

bool gx_nsp__is_table(const struct nsp_call *c, uint32_t mid)
{
	return mid <= MID_END_OF_TABLE || gx_nsp__container(c, mid) != NULL || gx_nsp__by_mid(c, mid) != NSP_NONE;
}

int gx_nsp__container_props(const struct nsp_call *c, const struct nsp_container *k, struct gx_proplist *ret_l)
{
	struct gx_bin eid;
	struct gx_proplist l = {0};
	int err = gx_entryid_addressbook(c->a, DT_CONTAINER, k->dn, &eid);
	if (err == 0)
		err = gx_proplist_set_bin(&l, c->a, PidTagEntryId, eid.data, eid.len);
	if (err == 0)
		err = gx_proplist_set_i32(&l, c->a, PidTagContainerFlags, (int32_t)k->flags);
	if (err == 0)
		err = gx_proplist_set_i32(&l, c->a, PidTagDepth, 0);
	if (err == 0)
		err = gx_proplist_set_i32(&l, c->a, PidTagAddressBookContainerId, (int32_t)k->mid);
	if (err == 0)
		err = gx_proplist_set_str(&l, c->a, PidTagDisplayName, k->name);
	if (err == 0)
		err = gx_proplist_set_bool(&l, c->a, PidTagAddressBookIsMaster, false);
	*ret_l = l;
	return err;
}
