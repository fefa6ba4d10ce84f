/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with all below it from one connection to another: what one server gives goes to the other as it comes. [MS-OXCFXICS] 2.2.3.1 */
#include <config.h>
#include <string.h>
#include "libgxproto/client/sync.h"

struct pipe {
	struct gx_mapi_obj *dest;
	gx_ec ec;              /* of the other connection */
};

static gx_ec pass(const void *data, size_t n, uint32_t done, uint32_t total, void *ctx)
{
	struct pipe *p = ctx;
	(void)done;
	(void)total;
	p->ec = gx_mapi__put_stream(p->dest, data, n);
	return p->ec;
}

/* What the other connection says becomes this one's failure, too: the caller looks here. */
static gx_ec told(struct gx_mapi *c, const struct gx_mapi *other, gx_ec ec)
{
	return gx_mapi__fail(c, ec, "%s", other->error.text);
}

static gx_ec pump(struct gx_mapi_obj *from, struct gx_mapi_obj *to)
{
	static const gx_proptag_t not_its_name[] = {PidTagDisplayName};
	const struct gx_rop_fast_transfer_source_copy_to_req q = {.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_FORCE_UNICODE,
		.property_tags = not_its_name, .property_tags_count = 1};
	struct gx_mapi_obj *source;
	struct pipe p = {.ec = MC_OK};
	gx_ec ec = gx_mapi__open_dest(to, GX_FTX_FROM_COPY_TO, &p.dest);
	if (gx_ec_failed(ec))
		return told(from->c, to->c, ec);
	ec = gx_mapi__make(from, RopFastTransferSourceCopyTo, &q, MC_SYNC, from->c->scratch, &source, NULL);
	if (!gx_ec_failed(ec)) {
		ec = gx_mapi__get_stream(source, pass, &p);
		gx_mapi_close(source);
	}
	gx_mapi_close(p.dest);
	return gx_ec_failed(p.ec) ? told(from->c, to->c, p.ec) : ec;
}

gx_ec gx_mapi_copy_tree(struct gx_mapi_obj *from, struct gx_mapi_obj *parent, const char *name, uint64_t *ret_fid)
{
	struct gx_mapi_folder_new n = GX_MAPI_FOLDER_NEW_INIT;
	struct gx_mapi_obj *to;
	if (!gx_mapi__is(from, 1U << MC_FOLDER))
		return from->c->error.ec;
	if (parent->c == from->c)
		return gx_mapi__fail(from->c, GX_EC(ecInvalidParam), "within one connection gx_mapi_copy_folder() copies");
	n.name = name;
	gx_ec ec = gx_mapi_create_folder(parent, &n, &to, ret_fid);
	if (gx_ec_failed(ec))
		return told(from->c, parent->c, ec);
	ec = pump(from, to);
	gx_mapi_close(to);
	return ec;
}
