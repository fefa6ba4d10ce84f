/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody at once: five passes over tables in the order of ids, merged. */
#include <config.h>
#include <ctype.h>
#include "libgxstore/directory/dir-int.h"

enum { SCRATCH_MOST = 1 << 20 };

struct book {
	struct gx_dir_book b;
	struct gx_arena *a, *scratch; /* what is kept; properties of one entry until they are packed */
	size_t cap, at;               /* the entry that a pass has come to */
	struct gx_proplist l;         /* its properties so far, in scratch */
	struct gx_push row;
};

/* @return whether there is an entry of this id at or behind the place; passes come in the order of ids. */
static bool move_to(struct book *k, uint32_t id)
{
	while (k->at < k->b.nentries && k->b.entries[k->at].id < id)
		++k->at;
	return k->at < k->b.nentries && k->b.entries[k->at].id == id;
}

static int take_entry(struct gx_dirstmt *st, void *ctx)
{
	struct book *k = ctx;
	k->b.entries = gx_arena_grow(k->a, k->b.entries, &k->cap, k->b.nentries + 1, sizeof(*k->b.entries));
	if (k->b.entries == NULL)
		return GX_E_NOMEM;
	struct gx_dir_entry *e = &k->b.entries[k->b.nentries++];
	*e = (struct gx_dir_entry){.id = (uint32_t)gx_dir__num(st, 0), .domain_id = (uint32_t)gx_dir__num(st, 1),
		.homeserver = (uint32_t)gx_dir__num(st, 2), .status = (uint32_t)gx_dir__num(st, 3),
		.privileges = (uint32_t)gx_dir__num(st, 4), .username = gx_dir__col(k->a, st, 5), .maildir = gx_dir__col(k->a, st, 6)};
	return e->username == NULL || e->maildir == NULL ? GX_E_NOMEM : 0;
}

static int take_list(struct gx_dirstmt *st, void *ctx)
{
	struct book *k = ctx;
	if (move_to(k, (uint32_t)gx_dir__num(st, 0))) {
		k->b.entries[k->at].is_list = true;
		k->b.entries[k->at].list_domain = (uint32_t)gx_dir__num(st, 1);
	}
	return 0;
}

/* ---- Properties ---- */

static int unhex(struct gx_arena *a, const char *s, struct gx_bin *ret_bin)
{
	size_t n = strlen(s) / 2;
	uint8_t *p = gx_arena_alloc(a, n);
	if (p == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < 2 * n; ++i) {
		uint8_t d = (uint8_t)(isdigit((unsigned char)s[i]) ? s[i] - '0' : toupper((unsigned char)s[i]) - 'A' + 10);
		p[i / 2] = (uint8_t)(i % 2 == 0 ? d << 4 : p[i / 2] | d);
	}
	*ret_bin = (struct gx_bin){p, n};
	return 0;
}

static int read_text(struct book *k, const char *s, union gx_value *ret_v)
{
	ret_v->str = gx_arena_strdup(k->scratch, s);
	return ret_v->str == NULL ? GX_E_NOMEM : 0;
}

/* @return GX_E_UNSUP for types that are not kept here. */
static int read_value(struct book *k, uint16_t type, bool is_text, const char *s, union gx_value *ret_v)
{
	switch (type) {
	case PtypBoolean:
		ret_v->b = strtoll(s, NULL, 10) != 0;
		return 0;
	case PtypInteger16:
		ret_v->i16 = (int16_t)strtoll(s, NULL, 10);
		return 0;
	case PtypInteger32:
		ret_v->i32 = (int32_t)strtoll(s, NULL, 10);
		return 0;
	case PtypInteger64:
		ret_v->i64 = strtoll(s, NULL, 10);
		return 0;
	case PtypTime:
		ret_v->time = strtoull(s, NULL, 10);
		return 0;
	case PtypString:
		return is_text ? read_text(k, s, ret_v) : GX_E_UNSUP;
	case PtypBinary:
		return is_text ? GX_E_UNSUP : unhex(k->scratch, s, &ret_v->bin);
	}
	return GX_E_UNSUP;
}

/* One more value of a list that is the last property so far, or a list of one. */
static int add_to_list(struct book *k, gx_proptag_t tag, union gx_value v)
{
	struct gx_propval *last = k->l.count == 0 ? NULL : &k->l.v[k->l.count - 1];
	uint32_t n = last != NULL && last->tag == tag ? last->v.mv.count : 0;
	union gx_value *all = gx_arena_new_array(k->scratch, union gx_value, n + 1), mv = {0};
	if (all == NULL)
		return GX_E_NOMEM;
	if (n != 0)
		memcpy(all, last->v.mv.v, n * sizeof(*all));
	all[n] = v;
	mv.mv.v = all;
	mv.mv.count = n + 1;
	return gx_proplist_set(&k->l, k->scratch, tag, mv);
}

/* Packs what the entry has, and begins with the next one. */
static int pack(struct book *k)
{
	int err = 0;
	if (k->l.count != 0) {
		gx_push_clear(&k->row);
		err = gx_prow_pack(&k->row, &k->l);
		if (err == 0)
			err = gx_push_finish(&k->row, k->a, &k->b.entries[k->at].props);
	}
	gx_arena_reset(k->scratch);
	k->l = (struct gx_proplist){0};
	return err;
}

static int take_prop(struct gx_dirstmt *st, void *ctx)
{
	struct book *k = ctx;
	uint32_t id = (uint32_t)gx_dir__num(st, 0);
	gx_proptag_t tag = (gx_proptag_t)gx_dir__num(st, 1);
	bool is_text = gx_dir__num(st, 2) != 0;
	union gx_value v = {0};
	if (k->l.count != 0 && k->b.entries[k->at].id != id) {
		int err = pack(k);
		if (err != 0)
			return err;
	}
	if (!move_to(k, id))
		return 0;
	if (GX_PROP_TYPE(tag) == PtypString8 || GX_PROP_TYPE(tag) == PtypMultipleString8)
		tag |= 1; /* all text is UTF-8 here */
	bool many = GX_PROP_TYPE(tag) & 0x1000;
	int err = read_value(k, GX_PROP_TYPE(tag) & 0x0fff, is_text, gx_dir__text(st, 3), &v);
	if (err == GX_E_UNSUP)
		return 0;
	if (err == 0 && many)
		return GX_PROP_TYPE(tag) == PtypMultipleString || GX_PROP_TYPE(tag) == PtypMultipleBinary ? add_to_list(k, tag, v) : 0;
	return err != 0 || gx_proplist_get(&k->l, tag) != NULL ? err : gx_proplist_set(&k->l, k->scratch, tag, v);
}

/* ---- Aliases and members ---- */

struct links {
	struct gx_arena *a;
	struct gx_dir_link *v;
	size_t n, cap;
};

static int take_link(struct gx_dirstmt *st, void *ctx)
{
	struct links *l = ctx;
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return GX_E_NOMEM;
	l->v[l->n] = (struct gx_dir_link){(uint32_t)gx_dir__num(st, 0), gx_dir__col(l->a, st, 1)};
	return l->v[l->n++].name == NULL ? GX_E_NOMEM : 0;
}

static int load_links(struct gx_dirconn *c, enum gx_dir_q q, struct gx_arena *a, struct gx_dir_link **ret_v, size_t *ret_n)
{
	struct links l = {.a = a};
	int err = gx_dir__each(c, q, NULL, 0, take_link, &l);
	*ret_v = l.v;
	*ret_n = l.n;
	return err;
}

/* ---- All of it ---- */

/* Room for everybody at once: an array that grows in an arena leaves its older ones behind. */
static int load_entries(struct gx_dirconn *c, struct book *k)
{
	int64_t n = 0;
	int err = gx_dir__first(c, GX_DQ_BOOK_COUNT, NULL, 0, &n);
	k->b = (struct gx_dir_book){0};
	k->cap = (size_t)n;
	k->b.entries = err == 0 ? gx_arena_new_array(k->a, struct gx_dir_entry, k->cap + 1) : NULL;
	if (err == 0 && k->b.entries == NULL)
		err = GX_E_NOMEM;
	return err == 0 ? gx_dir__each(c, GX_DQ_BOOK_ENTRIES, NULL, 0, take_entry, k) : err;
}

static int load(struct gx_dirconn *c, void *ctx)
{
	struct book *k = ctx;
	int err = load_entries(c, k);
	k->at = 0;
	if (err == 0)
		err = gx_dir__each(c, GX_DQ_BOOK_LISTS, NULL, 0, take_list, k);
	k->at = 0;
	k->l = (struct gx_proplist){0};
	if (err == 0)
		err = gx_dir__each(c, GX_DQ_BOOK_PROPS, NULL, 0, take_prop, k);
	if (err == 0)
		err = pack(k);
	if (err == 0)
		err = load_links(c, GX_DQ_BOOK_ALIASES, k->a, &k->b.aliases, &k->b.naliases);
	if (err == 0)
		err = load_links(c, GX_DQ_BOOK_MEMBERS, k->a, &k->b.members, &k->b.nmembers);
	return err == 0 ? gx_dir__load_domains(c, k->a, &k->b.domains, &k->b.ndomains) : err;
}

int gx_dir_load_book(struct gx_dir *d, struct gx_arena *a, struct gx_dir_book *ret_b)
{
	struct book k = {.a = a, .row = GX_PUSH_INIT};
	if (d == NULL || a == NULL || ret_b == NULL)
		return GX_E_INVAL;
	k.scratch = gx_arena_new(SCRATCH_MOST);
	if (k.scratch == NULL)
		return GX_E_NOMEM;
	int err = gx_dir__read(d, load, &k);
	gx_push_release(&k.row);
	gx_arena_free(k.scratch);
	if (err == 0)
		*ret_b = k.b;
	return err;
}

int gx_dir_generation(struct gx_dir *d, uint64_t *ret_g)
{
	if (d == NULL || ret_g == NULL)
		return GX_E_INVAL;
	*ret_g = gx_dir__cache_generation(d);
	return 0;
}
