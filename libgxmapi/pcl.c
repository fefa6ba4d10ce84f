/* SPDX-License-Identifier: Apache-2.0 */
/* Predecessor change lists, [MS-OXCFXICS] 2.2.2.3: the newest change known of each namespace. */
#include <config.h>
#include <string.h>
#include <gx/entryid.h>

static int decode(struct gx_arena *a, struct gx_bin bin, struct gx_pcl *ret_p)
{
	const struct gx_dctx x = GX_DCTX(a);
	return gx_desc_decode(&x, gx_entryid_desc(GX_ENTRYID_PCL), bin.data, bin.len, ret_p);
}

/* "Ascending by the NamespaceGuid bytes": the wire form decides, not the fields. */
static int cmp_namespace(const struct gx_xid *x, const struct gx_xid *y)
{
	uint8_t p[16], q[16];
	gx_guid_put(&x->namespace_guid, p);
	gx_guid_put(&y->namespace_guid, q);
	return memcmp(p, q, sizeof(p));
}

/* Local ids of one namespace are big-endian counters of one length. */
static int cmp_local(const struct gx_xid *x, const struct gx_xid *y)
{
	if (x->local.len != y->local.len)
		return x->local.len < y->local.len ? -1 : 1;
	return memcmp(x->local.data, y->local.data, x->local.len);
}

/* Both lists in one, of each namespace the newest. They are sorted, if those who made them kept to the rules. */
static int merge(struct gx_arena *a, const struct gx_pcl *x, const struct gx_pcl *y, struct gx_bin *ret_bin)
{
	struct gx_sized_xid *v = gx_arena_new_array(a, struct gx_sized_xid, (size_t)x->ids_count + y->ids_count);
	uint32_t n = 0;
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0, k = 0; i < x->ids_count || k < y->ids_count;) {
		bool from_x = k == y->ids_count || (i < x->ids_count && cmp_namespace(&x->ids[i].xid, &y->ids[k].xid) <= 0);
		const struct gx_sized_xid *next = from_x ? &x->ids[i++] : &y->ids[k++];
		if (n == 0 || cmp_namespace(&v[n - 1].xid, &next->xid) != 0)
			v[n++] = *next;
		else if (cmp_local(&next->xid, &v[n - 1].xid) > 0)
			v[n - 1] = *next;
	}
	const struct gx_pcl new = {.ids = v, .ids_count = n};
	const struct gx_dctx ctx = GX_DCTX(a);
	return gx_desc_encode(&ctx, gx_entryid_desc(GX_ENTRYID_PCL), &new, ret_bin);
}

static int add(struct gx_arena *a, struct gx_bin pcl, const struct gx_xid *id, struct gx_bin *ret_bin)
{
	struct gx_sized_xid one = {.xid = *id};
	const struct gx_pcl single = {.ids = &one, .ids_count = 1};
	struct gx_pcl old;
	int err = decode(a, pcl, &old);
	return err != 0 ? err : merge(a, &old, &single, ret_bin);
}

int gx_pcl_add(struct gx_arena *a, struct gx_bin pcl, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin)
{
	uint8_t local[6];
	if (counter > GX_COUNTER_MAX)
		return GX_E_RANGE;
	for (unsigned i = 0; i < sizeof(local); ++i)
		local[i] = (uint8_t)(counter >> (8 * (5 - i)));
	const struct gx_xid id = {.namespace_guid = *database, .local = {local, sizeof(local)}};
	return add(a, pcl, &id, ret_bin);
}

int gx_pcl_add_key(struct gx_arena *a, struct gx_bin pcl, struct gx_bin change_key, struct gx_bin *ret_bin)
{
	const struct gx_dctx x = GX_DCTX(a);
	struct gx_xid id;
	int err = gx_desc_decode(&x, gx_entryid_desc(GX_ENTRYID_XID), change_key.data, change_key.len, &id);
	return err != 0 ? err : add(a, pcl, &id, ret_bin);
}

int gx_pcl_merge(struct gx_arena *a, struct gx_bin x, struct gx_bin y, struct gx_bin *ret_bin)
{
	struct gx_pcl p, q;
	int err = decode(a, x, &p);
	if (err == 0)
		err = decode(a, y, &q);
	return err != 0 ? err : merge(a, &p, &q, ret_bin);
}

/* Has the list this change or a newer one of its namespace? */
static bool knows(const struct gx_pcl *p, const struct gx_xid *id)
{
	for (uint32_t i = 0; i < p->ids_count; ++i)
		if (cmp_namespace(&p->ids[i].xid, id) == 0 && cmp_local(&p->ids[i].xid, id) >= 0)
			return true;
	return false;
}

static bool includes(const struct gx_pcl *p, const struct gx_pcl *q)
{
	for (uint32_t i = 0; i < q->ids_count; ++i)
		if (!knows(p, &q->ids[i].xid))
			return false;
	return true;
}

int gx_pcl_cmp(struct gx_arena *a, struct gx_bin x, struct gx_bin y, int *ret_order)
{
	struct gx_pcl p, q;
	int err = decode(a, x, &p);
	if (err == 0)
		err = decode(a, y, &q);
	if (err != 0)
		return err;
	bool in = includes(&q, &p), has = includes(&p, &q);
	*ret_order = in ? (has ? GX_PCL_EQUAL : GX_PCL_INCLUDED) : (has ? GX_PCL_INCLUDES : GX_PCL_CONFLICT);
	return 0;
}
