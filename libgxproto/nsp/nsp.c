/* SPDX-License-Identifier: Apache-2.0 */
/* The address book as a whole: the copy of the directory that requests read, and their dispatch. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gnutls/crypto.h>
#include "libgxproto/nsp/nsp-int.h"

enum { CACHE_MS = 300000 };

/* Ids in it mean the same on every server of a site, and after a restart. */
static int make_guid(const char *org, struct gx_guid *ret_g)
{
	uint8_t hash[32];
	char *text = NULL;
	if (asprintf(&text, "address book of %s", org) < 0)
		return GX_E_NOMEM;
	int err = gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), hash) != 0 ? GX_E_INTERNAL : 0;
	free(text);
	hash[7] = (hash[7] & 0x0f) | 0x80; /* version 8, made by a rule of our own [RFC 9562] 5.8 */
	hash[8] = (hash[8] & 0x3f) | 0x80;
	gx_guid_get(hash, ret_g);
	return err;
}

static char *copy(const char *s, const char *otherwise)
{
	return strdup(s != NULL && *s != '\0' ? s : otherwise);
}

int gx_nsp_new(const struct gx_nsp_opts *o, struct gx_nsp **ret_n)
{
	if (o == NULL || o->size != sizeof(*o) || o->dir == NULL || ret_n == NULL)
		return GX_E_INVAL;
	struct gx_nsp *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return GX_E_NOMEM;
	n->o = *o;
	if (n->o.clock == NULL)
		n->o.clock = gx_clock_system();
	if (n->o.cache_ms == 0)
		n->o.cache_ms = CACHE_MS;
	n->org = copy(o->org_name, "Gromox default");
	n->host = copy(o->host, "localhost");
	n->template_dir = copy(o->template_dir, "");
	int err = n->org == NULL || n->host == NULL || n->template_dir == NULL ? GX_E_NOMEM : make_guid(n->org, &n->guid);
	if (err == 0 && (pthread_mutex_init(&n->lock, NULL) != 0 || pthread_cond_init(&n->made, NULL) != 0))
		err = GX_E_NOMEM;
	if (err == 0) {
		*ret_n = n;
		return 0;
	}
	free(n->org);
	free(n->host);
	free(n->template_dir);
	free(n);
	return err;
}

void gx_nsp_free(struct gx_nsp *n)
{
	if (n == NULL)
		return;
	gx_nsp__book_free(n->book);
	pthread_cond_destroy(&n->made);
	pthread_mutex_destroy(&n->lock);
	free(n->org);
	free(n->host);
	free(n->template_dir);
	free(n);
}

void gx_nsp_reload(struct gx_nsp *n)
{
	pthread_mutex_lock(&n->lock);
	n->stale = true;
	pthread_mutex_unlock(&n->lock);
}

const struct gx_guid *gx_nsp_guid(const struct gx_nsp *n)
{
	return &n->guid;
}

/* ---- The book ---- */

static void put(struct gx_nsp *n, struct nsp_book *b)
{
	pthread_mutex_lock(&n->lock);
	bool last = --b->refs == 0 && b != n->book;
	pthread_mutex_unlock(&n->lock);
	if (last)
		gx_nsp__book_free(b);
}

/* With the lock. Is what we have old enough to be looked at, and does nobody do that? */
static bool due(struct gx_nsp *n)
{
	return !n->making && (n->book == NULL || n->stale || gx_clock_mono_ms(n->o.clock) - n->looked_ms >= n->o.cache_ms);
}

/* With the lock, which it lets go meanwhile: others read the old one. */
static int renew(struct gx_nsp *n)
{
	struct nsp_book *b = NULL, *old = NULL;
	uint64_t generation = 0, have = n->book == NULL || n->stale ? 0 : n->book->generation;
	bool had = n->book != NULL && !n->stale;
	n->making = true;
	n->stale = false;
	pthread_mutex_unlock(&n->lock);
	int err = gx_dir_generation(n->o.dir, &generation);
	if (err == 0 && (!had || generation != have))
		err = gx_nsp__book_new(n, &b);
	pthread_mutex_lock(&n->lock);
	n->making = false;
	n->looked_ms = gx_clock_mono_ms(n->o.clock);
	if (b != NULL) {
		old = n->book;
		n->book = b;
	}
	pthread_cond_broadcast(&n->made);
	if (old != NULL && old->refs == 0)
		gx_nsp__book_free(old);
	if (err != 0)
		gx_log(n->o.log, GX_LOG_ERROR, "address book: the directory cannot be read: %s%s", gx_strerror(err),
			n->book != NULL ? "; what was read before serves on" : "");
	return err;
}

static int take(struct gx_nsp *n, struct nsp_book **ret_b)
{
	int err = 0;
	pthread_mutex_lock(&n->lock);
	while (n->book == NULL && n->making)
		pthread_cond_wait(&n->made, &n->lock);
	if (due(n))
		err = renew(n);
	if (n->book != NULL) {
		++n->book->refs;
		*ret_b = n->book;
		err = 0;
	} else if (err == 0) {
		err = GX_E_BUSY;
	}
	pthread_mutex_unlock(&n->lock);
	return err;
}

/* ---- Requests ---- */

typedef gx_ec op_fn(struct nsp_call *c, const void *q, void *r);
#define DO(name) \
	static gx_ec do_##name(struct nsp_call *c, const void *q, void *r) \
	{ \
		return gx_nsp__##name(c, q, r); \
	}
DO(bind)
DO(unbind)
DO(compare_m_ids)
DO(dn_to_m_id)
DO(get_matches)
DO(get_prop_list)
DO(get_props)
DO(get_special_table)
DO(get_template_info)
DO(mod_link_att)
DO(mod_props)
DO(query_columns)
DO(query_rows)
DO(resolve_names)
DO(resort_restriction)
DO(seek_entries)
DO(update_stat)
DO(get_mailbox_url)
DO(get_address_book_url)

static op_fn *const ops[GX_MH_TYPES] = {
	[GX_MH_BIND] = do_bind, [GX_MH_UNBIND] = do_unbind, [GX_MH_COMPARE_M_IDS] = do_compare_m_ids, [GX_MH_DN_TO_M_ID] = do_dn_to_m_id,
	[GX_MH_GET_MATCHES] = do_get_matches, [GX_MH_GET_PROP_LIST] = do_get_prop_list, [GX_MH_GET_PROPS] = do_get_props,
	[GX_MH_GET_SPECIAL_TABLE] = do_get_special_table, [GX_MH_GET_TEMPLATE_INFO] = do_get_template_info,
	[GX_MH_MOD_LINK_ATT] = do_mod_link_att, [GX_MH_MOD_PROPS] = do_mod_props, [GX_MH_QUERY_COLUMNS] = do_query_columns,
	[GX_MH_QUERY_ROWS] = do_query_rows, [GX_MH_RESOLVE_NAMES] = do_resolve_names, [GX_MH_RESORT_RESTRICTION] = do_resort_restriction,
	[GX_MH_SEEK_ENTRIES] = do_seek_entries, [GX_MH_UPDATE_STAT] = do_update_stat, [GX_MH_GET_MAILBOX_URL] = do_get_mailbox_url,
	[GX_MH_GET_ADDRESS_BOOK_URL] = do_get_address_book_url,
};

/* What every response begins with. */
struct head {
	uint32_t status_code, error_code;
};

static gx_ec look_from(struct nsp_call *c, const char *user)
{
	c->me = gx_nsp__find_address(c->b, user);
	if (c->me == NSP_NONE)
		return GX_EC(ecLoginFailure);
	c->base = &c->b->bases[c->b->base_of[c->b->v[c->me].domain]];
	return NSP_OK;
}

static gx_ec answer(struct nsp_call *c, uint32_t type, const char *user, const void *q, void *r)
{
	gx_ec ec = look_from(c, user);
	return gx_ec_failed(ec) ? ec : ops[type](c, q, r);
}

gx_ec gx_nsp__with(struct gx_nsp *n, const char *user, gx_ec (*fn)(struct nsp_call *c, void *ctx), struct gx_arena *a, void *ctx)
{
	struct nsp_call c = {.n = n, .a = a};
	struct nsp_book *b = NULL;
	gx_ec ec = gx_ec_from_err(take(n, &b));
	if (gx_ec_failed(ec))
		return ec;
	c.b = b;
	ec = look_from(&c, user);
	if (!gx_ec_failed(ec))
		ec = fn(&c, ctx);
	put(n, b);
	return ec;
}

gx_ec gx_nsp_do(struct gx_nsp *n, const char *user, uint32_t type, const void *q, struct gx_arena *a, void *ret_r)
{
	const struct gx_exchange_desc *d = gx_mapihttp_exchange(type);
	struct nsp_call c = {.n = n, .a = a};
	struct nsp_book *b = NULL;
	if (n == NULL || user == NULL || d == NULL || ops[type] == NULL || q == NULL || a == NULL || ret_r == NULL)
		return GX_EC(ecInvalidParam);
	memset(ret_r, 0, d->res->size);
	gx_ec ec = gx_ec_from_err(take(n, &b));
	if (!gx_ec_failed(ec)) {
		c.b = b;
		ec = answer(&c, type, user, q, ret_r);
		put(n, b);
	}
	if (gx_ec_failed(ec))
		memset(ret_r, 0, d->res->size);
	const struct head h = {0, ec.v};
	memcpy(ret_r, &h, sizeof(h));
	if (n->o.trace >= 2)
		gx_log(n->o.log, GX_LOG_DEBUG, "nsp: %s of %s: %s, %u rows", d->name, user, gx_ec_name(ec), (unsigned)c.rows);
	else if (n->o.trace == 1)
		gx_log(n->o.log, GX_LOG_DEBUG, "nsp: %s of %s: %s", d->name, user, gx_ec_name(ec));
	return ec;
}
