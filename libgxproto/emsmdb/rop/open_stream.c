/* SPDX-License-Identifier: Apache-2.0 */
/* RopOpenStream and RopCloneStream, [MS-OXCPRPT] 2.2.14, 2.2.27, 3.2.5.11 and 3.2.5.23 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/stream.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { READ_ONLY = 0, READ_WRITE = 1, CREATE = 2, BEST_ACCESS = 3, UTF16LE = 1200 };

static struct gx_ems_bytes *new_bytes(struct gx_rop_call *c, gx_proptag_t tag, uint8_t mode)
{
	struct gx_ems_bytes *b = calloc(1, sizeof(*b));
	if (b != NULL)
		*b = (struct gx_ems_bytes){.refs = 1, .s = c->s, .logon = c->logon, .tag = tag, .writable = mode != READ_ONLY};
	return b;
}

/* ---- Messages and attachments ---- */

static gx_ec open_value(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_bytes *b, uint8_t mode)
{
	static const int modes[] = {GX_STREAM_READ, GX_STREAM_WRITE, GX_STREAM_CREATE, GX_STREAM_WRITE};
	b->cp = GX_PROP_TYPE(b->tag) == PtypString8 ? c->s->code_page : UTF16LE;
	gx_ec ec = gx_inst_stream_open_as(t, b->inst, b->tag, modes[mode], b->cp, &b->is);
	if (mode == BEST_ACCESS && gx_ec_is(ec, ecAccessDenied)) {
		b->writable = false;
		ec = gx_inst_stream_open_as(t, b->inst, b->tag, GX_STREAM_READ, b->cp, &b->is);
	}
	return ec;
}

static gx_ec open_inst(struct gx_rop_call *c, struct gx_ems_bytes *b, uint8_t mode)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, open_value(c, t, b, mode));
}

/* ---- Folders: binary values, which are never large ---- */

static gx_ec may_write(struct gx_txn *t, uint64_t fid)
{
	uint32_t rights;
	gx_ec ec = gx_folder_rights(t, fid, &rights);
	return gx_ec_failed(ec) || (rights & GX_RIGHT_OWNER) ? ec : GX_EC(ecAccessDenied);
}

static gx_ec load(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_bytes *b, uint8_t mode)
{
	struct gx_proplist l = {0};
	gx_ec ec = mode == READ_ONLY ? EMS_OK : may_write(t, b->fid);
	if (gx_ec_is(ec, ecAccessDenied) && mode == BEST_ACCESS) {
		b->writable = false;
		ec = EMS_OK;
	}
	if (gx_ec_failed(ec) || mode == CREATE)
		return ec;
	ec = c->in->kind->props->get(c, c->in, t, &b->tag, 1, 0, &l);
	const struct gx_propval *v = gx_proplist_get(&l, b->tag);
	if (gx_ec_failed(ec) || v == NULL)
		return gx_ec_failed(ec) ? ec : gx_rop__fail(c, ecNotFound, "no property %08x", (unsigned)b->tag);
	gx_push_bytes(&b->buf, v->v.bin.data, v->v.bin.len);
	return gx_ec_from_err(b->buf.err);
}

static gx_ec open_folder(struct gx_rop_call *c, struct gx_ems_bytes *b, uint8_t mode)
{
	struct gx_txn *t;
	if (GX_PROP_TYPE(b->tag) != PtypBinary || (c->logon->is_public && mode != READ_ONLY && mode != BEST_ACCESS))
		return gx_rop__fail(c, ecNotSupported, "no stream of a folder's property %08x", (unsigned)b->tag);
	if (c->logon->is_public)
		b->writable = false;
	gx_ec ec = gx_rop__read(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, load(c, t, b, c->logon->is_public ? READ_ONLY : mode));
}

gx_ec gx_rop__open_stream(struct gx_rop_call *c, const struct gx_rop_open_stream_req *q, struct gx_rop_open_stream_res *r)
{
	struct gx_inst *inst = gx_ems__inst(c->in);
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (inst == NULL && f == NULL)
		return GX_EC(ecNotSupported);
	if (q->open_mode_flags > BEST_ACCESS)
		return gx_rop__fail(c, ecInvalidParam, "mode 0x%02x", q->open_mode_flags);
	struct gx_ems_bytes *b = new_bytes(c, q->property_tag, q->open_mode_flags);
	if (b == NULL)
		return GX_EC(ecMAPIOOM);
	b->inst = inst != NULL ? gx_inst_hold(inst) : NULL;
	b->fid = inst == NULL ? f->fid : 0;
	gx_ec ec = inst != NULL ? open_inst(c, b, q->open_mode_flags) : open_folder(c, b, q->open_mode_flags);
	if (gx_ec_failed(ec)) {
		gx_bytes__unref(b);
		return ec;
	}
	if (q->open_mode_flags == CREATE) /* the value is gone */
		gx_bytes__touch(b);
	r->stream_size = (uint32_t)gx_bytes__size(b);
	return gx_ems__give_stream(c, b, 0);
}

gx_ec gx_rop__clone_stream(struct gx_rop_call *c, const void *q, void *r)
{
	struct gx_ems_stream *s = gx_ems__stream(c->in);
	(void)q;
	(void)r;
	if (s == NULL)
		return GX_EC(ecNotSupported);
	++s->b->refs;
	return gx_ems__give_stream(c, s->b, s->pos);
}
