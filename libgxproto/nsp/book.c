/* SPDX-License-Identifier: Apache-2.0 */
/* Making a book, and finding somebody in it. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/order.h"

/* Of all of it: a hundred thousand people take a tenth of that. */
enum { BOOK_MOST = 1 << 30, ENTRIES_MOST = 1 << 24 };
enum { STATUS_MASK = 0xf, DOMAIN_STATUS_SHIFT = 4, STATUS_DELETED = 3 };
/* PR_ATTR_HIDDEN as Gromox has it besides: a number of bits. */
#define ATTR_HIDDEN_BITS 0x10f40003U

const char *gx_nsp__key(struct gx_arena *a, const char *s)
{
	struct gx_push p = GX_PUSH_INIT;
	struct gx_bin b;
	gx_fuzzy_form(s, strlen(s), &p);
	gx_push_u8(&p, 0);
	int err = gx_push_finish(&p, a, &b);
	gx_push_release(&p);
	return err == 0 ? (const char *)b.data : NULL;
}

/* ---- Entries ---- */

static const char *text_of(const struct gx_dir_entry *e, gx_proptag_t tag, struct gx_arena *a)
{
	struct gx_propval pv;
	return e->props.len != 0 && gx_prow_find(e->props.data, e->props.len, tag, a, &pv) == 0 && *pv.v.str != '\0' ? pv.v.str : NULL;
}

static uint32_t number_of(const struct gx_dir_entry *e, gx_proptag_t tag, struct gx_arena *a, uint32_t otherwise)
{
	struct gx_propval pv;
	if (e->props.len == 0 || gx_prow_find(e->props.data, e->props.len, tag, a, &pv) != 0)
		return otherwise;
	return GX_PROP_TYPE(tag) == PtypBoolean ? pv.v.b : (uint32_t)pv.v.i32;
}

static uint8_t kind_of(const struct gx_dir_entry *e, struct gx_arena *a)
{
	uint32_t type = number_of(e, PidTagDisplayTypeEx, a, 0) & 0xff; /* DTE_MASK_LOCAL */
	if (e->is_list || type == 1)
		return NSP_LIST;
	if (type == 6 || (e->status & STATUS_MASK) == GX_USER_CONTACT)
		return NSP_CONTACT;
	return type == 7 ? NSP_ROOM : type == 8 ? NSP_EQUIPMENT : NSP_MAILBOX;
}

static uint8_t hidden_of(const struct gx_dir_entry *e, struct gx_arena *a)
{
	uint32_t plain = number_of(e, PidTagAttributeHidden, a, 0) ? NSP_HIDE_GAL | NSP_HIDE_LISTS : 0;
	return (uint8_t)number_of(e, ATTR_HIDDEN_BITS, a, plain);
}

static bool is_gone(const struct gx_dir_entry *e)
{
	return (e->status & STATUS_MASK) == STATUS_DELETED || (e->status >> DOMAIN_STATUS_SHIFT & STATUS_MASK) == STATUS_DELETED ||
	       e->id >= NSP_MID_KINDS - NSP_MID_FIRST;
}

static bool domain_index(const struct nsp_book *b, uint32_t id, uint16_t *ret_i)
{
	for (size_t i = 0; i < b->dir.ndomains && i < UINT16_MAX; ++i)
		if (b->dir.domains[i].id == id) {
			*ret_i = (uint16_t)i;
			return true;
		}
	return false;
}

static int fill(struct nsp_book *b, const struct gx_dir_entry *e, struct nsp_entry *n)
{
	n->e = e;
	n->name = text_of(e, PidTagDisplayName, b->a);
	if (n->name == NULL)
		n->name = e->username;
	n->key = gx_nsp__key(b->a, n->name);
	n->kind = kind_of(e, b->a);
	n->hidden = hidden_of(e, b->a);
	return n->key == NULL ? GX_E_NOMEM : 0;
}

struct keyed {
	struct gx_bin key;
	struct nsp_entry e;
};

static int by_name(const void *p, const void *q)
{
	const struct keyed *x = p, *y = q;
	int r = memcmp(x->key.data, y->key.data, x->key.len < y->key.len ? x->key.len : y->key.len);
	if (r == 0)
		r = (x->key.len > y->key.len) - (x->key.len < y->key.len);
	return r != 0 ? r : (x->e.e->id > y->e.e->id) - (x->e.e->id < y->e.e->id);
}

/* As most languages do. */
static int sort_entries(struct nsp_book *b)
{
	struct gx_arena *scratch = gx_arena_new(0);
	struct nsp_sorter *s = NULL;
	int err = scratch == NULL ? GX_E_NOMEM : gx_nsp__sorter_new("root", &s);
	struct keyed *v = err == 0 ? gx_arena_new_array(scratch, struct keyed, b->n + 1) : NULL;
	if (err == 0 && v == NULL)
		err = GX_E_NOMEM;
	for (uint32_t i = 0; i < b->n && err == 0; ++i) {
		v[i].e = b->v[i];
		err = gx_nsp__sort_key(s, scratch, b->v[i].name, &v[i].key);
	}
	if (err == 0)
		qsort(v, b->n, sizeof(*v), by_name);
	for (uint32_t i = 0; i < b->n && err == 0; ++i)
		b->v[i] = v[i].e;
	gx_nsp__sorter_free(s);
	gx_arena_free(scratch);
	return err;
}

static int make_entries(struct nsp_book *b)
{
	if (b->dir.nentries > ENTRIES_MOST)
		return GX_E_LIMIT;
	b->v = gx_arena_new_array(b->a, struct nsp_entry, b->dir.nentries + 1);
	if (b->v == NULL)
		return GX_E_NOMEM;
	uint32_t alias = 0, member = 0;
	for (size_t i = 0; i < b->dir.nentries; ++i) {
		const struct gx_dir_entry *e = &b->dir.entries[i];
		struct nsp_entry *n = &b->v[b->n];
		*n = (struct nsp_entry){0};
		while (alias < b->dir.naliases && b->dir.aliases[alias].id < e->id)
			++alias;
		while (member < b->dir.nmembers && b->dir.members[member].id < e->id)
			++member;
		for (n->alias = alias; alias < b->dir.naliases && b->dir.aliases[alias].id == e->id; ++alias)
			++n->alias_count;
		for (n->member = member; member < b->dir.nmembers && b->dir.members[member].id == e->id; ++member)
			++n->member_count;
		if (is_gone(e) || !domain_index(b, e->domain_id, &n->domain))
			continue;
		int err = fill(b, e, n);
		if (err != 0)
			return err;
		++b->n;
	}
	return sort_entries(b);
}

/* ---- By number and by address ---- */

static int ids(const void *p, const void *q, void *ctx)
{
	const struct nsp_entry *v = ctx;
	uint32_t x = v[*(const uint32_t *)p].e->id, y = v[*(const uint32_t *)q].e->id;
	return (x > y) - (x < y);
}

static int addresses(const void *p, const void *q)
{
	const struct nsp_address *x = p, *y = q;
	int r = strcasecmp(x->s, y->s);
	return r != 0 ? r : (x->entry > y->entry) - (x->entry < y->entry);
}

static int make_ids(struct nsp_book *b)
{
	b->by_id = gx_arena_new_array(b->a, uint32_t, b->n + 1);
	if (b->by_id == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < b->n; ++i)
		b->by_id[i] = i;
	qsort_r(b->by_id, b->n, sizeof(*b->by_id), ids, b->v);
	return 0;
}

static int make_addresses(struct nsp_book *b)
{
	size_t most = b->n + b->dir.naliases + b->n;
	struct nsp_address *v = gx_arena_new_array(b->a, struct nsp_address, most + 1);
	uint32_t n = 0;
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < b->n; ++i) {
		const struct nsp_entry *e = &b->v[i];
		const char *other = e->kind == NSP_CONTACT ? text_of(e->e, PidTagSmtpAddress, b->a) : NULL;
		v[n++] = (struct nsp_address){e->e->username, i};
		if (other != NULL)
			v[n++] = (struct nsp_address){other, i};
		for (uint32_t k = 0; k < e->alias_count; ++k)
			v[n++] = (struct nsp_address){b->dir.aliases[e->alias + k].name, i};
	}
	qsort(v, n, sizeof(*v), addresses);
	b->addresses = v;
	b->naddresses = n;
	return 0;
}

int gx_nsp__book_new(struct gx_nsp *n, struct nsp_book **ret_b)
{
	struct nsp_book *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return GX_E_NOMEM;
	b->a = gx_arena_new(BOOK_MOST);
	/* the number first: what changes meanwhile is then seen as a change */
	int err = b->a == NULL ? GX_E_NOMEM : gx_dir_generation(n->o.dir, &b->generation);
	if (err == 0)
		err = gx_dir_load_book(n->o.dir, b->a, &b->dir);
	if (err == 0)
		err = make_entries(b);
	if (err == 0)
		err = make_ids(b);
	if (err == 0)
		err = make_addresses(b);
	if (err == 0)
		err = gx_nsp__make_words(b);
	if (err == 0)
		err = gx_nsp__make_containers(n, b);
	if (err == 0)
		err = gx_nsp__make_orders(b);
	if (err != 0)
		gx_nsp__book_free(b);
	else
		*ret_b = b;
	return err;
}

void gx_nsp__book_free(struct nsp_book *b)
{
	if (b == NULL)
		return;
	gx_nsp__orders_free(b);
	gx_arena_free(b->a);
	free(b);
}

/* ---- Finding ---- */

bool gx_nsp__sees(const struct nsp_call *c, uint32_t entry)
{
	return entry < c->b->n && &c->b->bases[c->b->base_of[c->b->v[entry].domain]] == c->base;
}

static uint32_t seen(const struct nsp_call *c, uint32_t entry)
{
	return gx_nsp__sees(c, entry) ? entry : NSP_NONE;
}

uint32_t gx_nsp__by_id(const struct nsp_book *b, uint32_t id)
{
	uint32_t lo = 0, hi = b->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (b->v[b->by_id[mid]].e->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && b->v[b->by_id[lo]].e->id == id ? b->by_id[lo] : NSP_NONE;
}

uint32_t gx_nsp__by_mid(const struct nsp_call *c, uint32_t mid)
{
	return mid < NSP_MID_FIRST || mid >= NSP_MID_KINDS ? NSP_NONE : seen(c, gx_nsp__by_id(c->b, mid - NSP_MID_FIRST));
}

uint32_t gx_nsp__find_address(const struct nsp_book *b, const char *address)
{
	uint32_t lo = 0, hi = b->naddresses;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (strcasecmp(b->addresses[mid].s, address) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->naddresses && strcasecmp(b->addresses[lo].s, address) == 0 ? b->addresses[lo].entry : NSP_NONE;
}

uint32_t gx_nsp__by_address(const struct nsp_call *c, const char *address)
{
	return seen(c, gx_nsp__find_address(c->b, address));
}

uint32_t gx_nsp__by_dn(const struct nsp_call *c, const char *dn)
{
	uint32_t domain, user;
	const char *local;
	if (!gx_dn_parse(dn, &domain, &user, &local))
		return NSP_NONE;
	uint32_t i = seen(c, gx_nsp__by_id(c->b, user));
	if (i == NSP_NONE || c->b->v[i].e->domain_id != domain)
		return NSP_NONE;
	/* a number that was given anew is another person */
	const char *name = c->b->v[i].e->username;
	size_t n = strcspn(name, "@");
	return strlen(local) == n && strncasecmp(local, name, n) == 0 ? i : NSP_NONE;
}

uint32_t gx_nsp__by_entryid(const struct nsp_call *c, struct gx_bin eid)
{
	struct gx_pull p;
	const struct gx_dctx x = GX_DCTX(c->a);
	struct gx_ephemeral_eid e;
	const char *type, *address, *name;
	if (eid.len == 32 && eid.data[0] == 0x87) {
		gx_pull_init(&p, eid.data, eid.len);
		gx_ephemeral_eid_pull(&p, &x, &e);
		return p.err == 0 && gx_guid_cmp(&e.provider, &c->n->guid) == 0 ? gx_nsp__by_mid(c, e.mid) : NSP_NONE;
	}
	if (gx_entryid_address(c->a, eid, &type, &address, &name) != 0)
		return NSP_NONE;
	return strcasecmp(type, "EX") == 0 ? gx_nsp__by_dn(c, address) : gx_nsp__by_address(c, address);
}
