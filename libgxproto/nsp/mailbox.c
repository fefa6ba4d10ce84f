/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry's mailbox knows and the directory does not: the photo, and who may send on behalf. */
#include <config.h>
#include <gx/storeset.h>
#include "libgxproto/nsp/nsp-int.h"

enum { TXN_MS = 5000, PHOTO_MOST = 1 << 20 };

/* Where programs of Gromox keep it: a property of the store. */
static const struct gx_propname photo_name = {{0x1de937e2, 0x85c6, 0x40a1, {0xbd, 0x9d, 0xa6, 0xe2, 0xb7, 0xb7, 0x87, 0xb1}}, true, 0, "photo"};
static const struct gx_actor owner = GX_ACTOR_SYSTEM;

struct box {
	struct gx_store *s;
	struct gx_txn *t;
};

static int begin(struct nsp_call *c, uint32_t entry, int mode, struct box *ret_b)
{
	const char *why = "", *dir = c->b->v[entry].e->maildir;
	if (c->n->o.pool == NULL || *dir == '\0')
		return GX_E_NOTFOUND;
	int err = gx_store_pool_get(c->n->o.pool, dir, &ret_b->s, c->a, &why);
	if (err != 0) {
		gx_log(c->n->o.log, GX_LOG_WARN, "address book: %s: %s", dir, why);
		return err;
	}
	err = gx_txn_begin(ret_b->s, &owner, mode, TXN_MS, &ret_b->t);
	if (err != 0)
		gx_store_pool_put(c->n->o.pool, ret_b->s);
	return err;
}

/* Keeps what was done if @ec is no failure. */
static gx_ec end(struct nsp_call *c, struct box *b, gx_ec ec)
{
	if (gx_ec_failed(ec))
		gx_txn_abort(b->t);
	else
		ec = gx_ec_from_err(gx_txn_commit(b->t, GX_SYNC_NOW));
	gx_store_pool_put(c->n->o.pool, b->s);
	return ec;
}

static void close_read(struct nsp_call *c, struct box *b)
{
	gx_txn_abort(b->t);
	gx_store_pool_put(c->n->o.pool, b->s);
}

int gx_nsp__photo(struct nsp_call *c, uint32_t entry, struct gx_bin *ret_b)
{
	struct box b;
	struct gx_proplist l = {0};
	uint16_t id = 0;
	/* a mailbox that cannot be opened just now has no photo; the rest of the row is there all the same */
	if (begin(c, entry, GX_TXN_READ, &b) != 0)
		return GX_E_NOTFOUND;
	gx_ec ec = gx_store_named_ids(b.t, false, &photo_name, 1, &id);
	const gx_proptag_t tag = GX_PROP_TAG(id, PtypBinary);
	if (!gx_ec_failed(ec) && id != 0)
		ec = gx_store_get_props(b.t, &tag, 1, c->a, &l);
	close_read(c, &b);
	if (gx_ec_failed(ec) || l.count != 1 || l.v[0].tag != tag || l.v[0].v.bin.len > PHOTO_MOST)
		return GX_E_NOTFOUND;
	*ret_b = l.v[0].v.bin;
	return 0;
}

gx_ec gx_nsp__set_photo(struct nsp_call *c, uint32_t entry, struct gx_bin photo)
{
	struct box b;
	struct gx_proplist l = {0};
	uint16_t id = 0;
	if (photo.len > PHOTO_MOST || begin(c, entry, GX_TXN_WRITE, &b) != 0)
		return GX_EC(ecAccessDenied);
	gx_ec ec = gx_store_named_ids(b.t, true, &photo_name, 1, &id);
	const gx_proptag_t tag = GX_PROP_TAG(id, PtypBinary);
	if (!gx_ec_failed(ec) && photo.len == 0)
		ec = gx_store_remove_props(b.t, &tag, 1);
	else if (!gx_ec_failed(ec)) {
		ec = gx_ec_from_err(gx_proplist_set_bin(&l, c->a, tag, photo.data, photo.len));
		if (!gx_ec_failed(ec))
			ec = gx_store_set_props(b.t, &l);
	}
	return end(c, &b, ec);
}

int gx_nsp__delegates(struct nsp_call *c, uint32_t entry, const char *const **ret_v, size_t *ret_n)
{
	struct box b;
	int err = begin(c, entry, GX_TXN_READ, &b);
	if (err != 0)
		return err;
	gx_ec ec = gx_delegates_get(b.t, GX_DELEGATE_ON_BEHALF, c->a, ret_v, ret_n);
	close_read(c, &b);
	return gx_ec_to_err(ec);
}

gx_ec gx_nsp__set_delegates(struct nsp_call *c, uint32_t entry, const char *const *v, size_t n)
{
	struct box b;
	if (begin(c, entry, GX_TXN_WRITE, &b) != 0)
		return GX_EC(ecAccessDenied);
	return end(c, &b, gx_delegates_set(b.t, GX_DELEGATE_ON_BEHALF, v, n));
}
