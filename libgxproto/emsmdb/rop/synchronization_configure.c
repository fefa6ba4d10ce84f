/* SPDX-License-Identifier: Apache-2.0 */
/* RopSynchronizationConfigure, [MS-OXCFXICS] 2.2.3.2.1.1 and 3.2.5.9.1.1 */
#include <config.h>
#include "libgxproto/emsmdb/sync.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

/* Strings leave as they are held if either of the two says so. */
static uint32_t send_options(const struct gx_rop_synchronization_configure_req *q)
{
	return (q->send_options & (uint32_t)GX_EMS_SEND_KNOWN) | (q->synchronization_flags & GX_SYNC_UNICODE ? (uint32_t)GX_FTX_SEND_UNICODE : 0U);
}

static gx_ec check(struct gx_rop_call *c, const struct gx_rop_synchronization_configure_req *q)
{
	if (q->send_options & ~(uint32_t)(GX_EMS_SEND_KNOWN | GX_EMS_SEND_RESERVED))
		return gx_rop__fail(c, ecInvalidParam, "send options %#x", q->send_options);
	if (q->synchronization_type != GX_SYNC_CONTENTS && q->synchronization_type != GX_SYNC_HIERARCHY)
		return gx_rop__fail(c, ecInvalidParam, "synchronisation of type %u", q->synchronization_type);
	if (q->synchronization_type == GX_SYNC_HIERARCHY && q->restriction_data != NULL)
		return gx_rop__fail(c, ecInvalidParam, "folders are not restricted");
	return EMS_OK;
}

static gx_ec configure(struct gx_ems_sync *x, const struct gx_rop_synchronization_configure_req *q)
{
	x->flags = q->synchronization_flags;
	x->extra = q->synchronization_extra_flags;
	x->filter = (struct gx_ems_filter){.only = (x->flags & GX_SYNC_ONLY_SPECIFIED) != 0, .best_body = (x->flags & GX_SYNC_BEST_BODY) != 0,
		.has_header = true};
	gx_ec ec = gx_ems__filter_tags(&x->filter, x->keep, q->property_tags, q->property_tags_count);
	x->filter_fai = x->filter_version = x->filter;
	x->filter_version.stateless = true;
	if (x->flags & GX_SYNC_IGNORE_SPECIFIED_ON_FAI) {
		x->filter_fai.only = false;
		x->filter_fai.n = 0;
	}
	if (!gx_ec_failed(ec) && q->restriction_data != NULL)
		ec = gx_ec_from_err(gx_restr_plain_ids(x->keep, q->restriction_data, &x->restr));
	return ec;
}

/* Who may not read the folder is told so now, not in the middle of a stream. */
static gx_ec check_rights(struct gx_rop_call *c, uint64_t fid, bool contents)
{
	struct gx_txn *t;
	struct gx_folder_info info;
	uint32_t rights = 0;
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, fid, c->a, &info);
	if (!gx_ec_failed(ec))
		ec = gx_folder_rights(t, fid, &rights);
	if (!gx_ec_failed(ec) && contents && !(rights & (GX_RIGHT_READ | GX_RIGHT_OWNER)))
		ec = GX_EC(ecAccessDenied);
	return gx_rop__end(c, t, ec);
}

gx_ec gx_rop__synchronization_configure(struct gx_rop_call *c, const struct gx_rop_synchronization_configure_req *q,
	void *r)
{
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	bool contents = q->synchronization_type == GX_SYNC_CONTENTS;
	(void)r;
	if (f == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = check(c, q);
	if (!gx_ec_failed(ec))
		ec = check_rights(c, f->fid, contents);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ems_sync *x = gx_ems__sync_new(contents, f->fid, send_options(q));
	if (x == NULL)
		return GX_EC(ecMAPIOOM);
	ec = configure(x, q);
	if (!gx_ec_failed(ec))
		return gx_rop__give(c, &x->src.obj, c->logon);
	gx_ems__source_free(&x->src.obj);
	return ec;
}
