/* SPDX-License-Identifier: Apache-2.0 */
/* The state of synchronisation: taken from the client piece by piece, and given back in a stream. */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"

enum { STATE_MOST = 64 << 20 };

static const gx_proptag_t set_tags[GX_EMS_STATE_SETS] = {
	[GX_EMS_GIVEN] = MetaTagIdsetGiven, [GX_EMS_SEEN] = MetaTagCnsetSeen, [GX_EMS_SEEN_FAI] = MetaTagCnsetSeenFAI,
	[GX_EMS_READ] = MetaTagCnsetRead,
};

/* ---- From the client ---- */

gx_ec gx_ems__state_begin(struct gx_rop_call *c, struct gx_ems_state *st, gx_proptag_t tag, uint32_t size)
{
	int which = 0;
	if (st->receiving)
		return gx_rop__fail(c, ecNotSupported, "another part of the state is being received");
	/* [MS-OXCFXICS] 2.2.1.1.1: the first of them has two types */
	while (which < GX_EMS_STATE_SETS && GX_PROP_ID(set_tags[which]) != GX_PROP_ID(tag))
		++which;
	if (which == GX_EMS_STATE_SETS)
		return gx_rop__fail(c, ecInvalidParam, "property %08x is no part of a state", (unsigned)tag);
	if (size > STATE_MOST)
		return gx_rop__fail(c, ecTooBig, "a state of %u bytes", (unsigned)size);
	st->receiving = true;
	st->which = which;
	st->announced = size;
	gx_push_init(&st->upload, size);
	return EMS_OK;
}

gx_ec gx_ems__state_continue(struct gx_rop_call *c, struct gx_ems_state *st, struct gx_bin part)
{
	if (!st->receiving)
		return gx_rop__fail(c, ecNotSupported, "no part of the state is being received");
	if (part.len > st->announced - st->upload.len)
		return gx_rop__fail(c, ecInvalidParam, "more than the %u bytes that were announced", (unsigned)st->announced);
	gx_push_bytes(&st->upload, part.data, part.len);
	return gx_ec_from_err(st->upload.err);
}

static int take(struct gx_rop_call *c, struct gx_ems_state *st)
{
	struct gx_pull p;
	struct gx_idset sets = GX_IDSET_INIT(GX_IDSET_REPLGUID);
	gx_pull_init(&p, st->upload.data, st->upload.len);
	int err = gx_idset_pull(&p, &sets);
	const struct gx_globset *own = err != 0 ? NULL : gx_idset_get_guid(&sets, gx_store_replica(c->logon->store));
	gx_globset_release(&st->set[st->which]);
	if (own != NULL) /* ids of other replicas are in no store */
		err = gx_globset_union(&st->set[st->which], own);
	gx_idset_release(&sets);
	return err;
}

gx_ec gx_ems__state_end(struct gx_rop_call *c, struct gx_ems_state *st)
{
	if (!st->receiving)
		return gx_rop__fail(c, ecNotSupported, "no part of the state is being received");
	st->receiving = false;
	int err = take(c, st);
	size_t len = st->upload.len;
	gx_push_release(&st->upload);
	if (err == GX_E_NOMEM)
		return GX_EC(ecMAPIOOM);
	return err == 0 ? EMS_OK : gx_rop__fail(c, ecInvalidParam, "%zu bytes that are no set of ids", len);
}

void gx_ems__state_release(struct gx_ems_state *st)
{
	for (int i = 0; i < GX_EMS_STATE_SETS; ++i)
		gx_globset_release(&st->set[i]);
	gx_push_release(&st->upload);
}

/* ---- Into a stream ---- */

static int put_bytes(struct gx_ftx_out *out, gx_proptag_t tag, struct gx_push *p)
{
	const union gx_value v = {.bin = {p->data, p->len}};
	int err = p->err != 0 ? p->err : gx_ftx_out_prop(out, tag, NULL, &v);
	gx_push_release(p);
	return err;
}

int gx_ems__put_idset(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_globset *ids)
{
	struct gx_push p = GX_PUSH_INIT;
	if (ids->count == 0)
		return 0;
	gx_push_u16(&p, 1); /* the store's own replica */
	gx_globset_push(&p, ids);
	return put_bytes(out, tag, &p);
}

static int put_set(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_globset *ids, const struct gx_guid *replica)
{
	struct gx_push p = GX_PUSH_INIT;
	if (ids->count != 0) {
		gx_push_guid(&p, replica);
		gx_globset_push(&p, ids);
	}
	return put_bytes(out, tag, &p);
}

int gx_ems__state_put(struct gx_ftx_out *out, const struct gx_ems_state *st, const struct gx_guid *replica, bool contents)
{
	static const int order[] = {GX_EMS_SEEN, GX_EMS_SEEN_FAI, GX_EMS_GIVEN, GX_EMS_READ};
	int err = gx_ftx_out_marker(out, IncrSyncStateBegin);
	for (size_t i = 0; err == 0 && i < sizeof(order) / sizeof(order[0]); ++i)
		if (contents || order[i] == GX_EMS_SEEN || order[i] == GX_EMS_GIVEN)
			err = put_set(out, set_tags[order[i]], &st->set[order[i]], replica);
	return err != 0 ? err : gx_ftx_out_marker(out, IncrSyncStateEnd);
}

struct gx_ems_state *gx_ems__state(struct gx_ems_obj *o, bool *ret_contents)
{
	struct gx_ems_sync *d = gx_ems__sync(o);
	struct gx_ems_collector *u = gx_ems__collector(o);
	*ret_contents = d != NULL ? d->contents : u != NULL && u->contents;
	return d != NULL ? &d->state : u != NULL ? &u->state : NULL;
}
