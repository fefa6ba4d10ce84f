/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Destinations of streams. What goes into a message or attachment that is open is held by that until the client saves it; what goes
 * into a folder is stored, and each buffer is a transaction: one that fails has done nothing.
 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/attachment.h"
#include "libgxproto/emsmdb/fasttransfer_dest.h"

/* ---- The stack ---- */

int gx_ems__dest_push(struct gx_ems_dest *d, struct gx_inst *inst, uint64_t fid)
{
	struct gx_ems_dest_frame *f = calloc(1, sizeof(*f));
	if (f == NULL) {
		gx_inst_free(inst);
		return GX_E_NOMEM;
	}
	*f = (struct gx_ems_dest_frame){.outer = d->top, .inst = inst, .fid = fid, .is_root = d->top == NULL};
	d->top = f;
	return 0;
}

void gx_ems__dest_pop(struct gx_ems_dest *d)
{
	struct gx_ems_dest_frame *f = d->top;
	d->top = f->outer;
	gx_inst_free(f->inst);
	free(f);
}

/* ---- The object ---- */

static void dest_free(struct gx_ems_obj *o)
{
	struct gx_ems_dest *d = (struct gx_ems_dest *)o;
	gx_inst_stream_free(d->value);
	gx_push_release(&d->whole);
	while (d->top != NULL)
		gx_ems__dest_pop(d);
	gx_ftx_in_free(d->in);
	gx_arena_free(d->a);
	free(d);
}

static const struct gx_ems_kind kind_dest = {"destination", dest_free, NULL};

struct gx_ems_dest *gx_ems__dest(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_dest ? (struct gx_ems_dest *)o : NULL;
}

static gx_ec fill(struct gx_ems_dest *d, int root, uint32_t cp, struct gx_inst *inst, uint64_t fid)
{
	/* a client may send what it was sent, with errors in it */
	const struct gx_ftx_in_opts o = {.root = root, .cp = cp, .send_options = GX_FTX_SEND_RECOVER_MODE};
	d->writes = inst == NULL;
	d->a = gx_arena_new(0);
	d->in = gx_ftx_in_new(&o, &gx_ems__dest_ops, d);
	if (d->a == NULL || d->in == NULL)
		return GX_EC(ecMAPIOOM);
	return gx_ec_from_err(gx_ems__dest_push(d, inst == NULL ? NULL : gx_inst_hold(inst), fid));
}

gx_ec gx_ems__give_dest(struct gx_rop_call *c, unsigned source_operation)
{
	const struct gx_ems_folder *f = gx_ems__folder(c->in);
	struct gx_inst *inst = gx_ems__inst(c->in);
	if (f == NULL && inst == NULL)
		return GX_EC(ecNotSupported);
	int root = gx_ftx_root(source_operation, f != NULL ? GX_FTX_OBJ_FOLDER : gx_ems__attachment(c->in) != NULL ?
		GX_FTX_OBJ_ATTACHMENT : GX_FTX_OBJ_MESSAGE);
	if (root == 0)
		return gx_rop__fail(c, ecInvalidParam, "source operation %u for this object", source_operation);
	struct gx_ems_dest *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return GX_EC(ecMAPIOOM);
	d->obj.kind = &kind_dest;
	gx_ec ec = fill(d, root, c->s->code_page, inst, f == NULL ? 0 : f->fid);
	if (!gx_ec_failed(ec))
		return gx_rop__give(c, &d->obj, c->logon);
	dest_free(&d->obj);
	return ec;
}

/* ---- A buffer ---- */

static gx_ec take(struct gx_ems_dest *d, struct gx_bin data)
{
	int err = gx_ftx_in_write(d->in, data.data, data.len, NULL);
	if (err == 0) /* the client may save what it has sent so far */
		err = gx_ems__dest_flush(d);
	if (err == 0)
		return EMS_OK;
	if (gx_ec_failed(d->ec))
		return d->ec;
	return gx_rop__fail(d->c, err == GX_E_FORMAT ? ecFxUnexpectedMarker : gx_ec_from_err(err).v, "%s", gx_ftx_in_text(d->in));
}

gx_ec gx_ems__dest_write(struct gx_rop_call *c, struct gx_ems_dest *d, struct gx_bin data)
{
	if (d->broken)
		return gx_rop__fail(c, ecFxInvalidState, "the stream ended with an error before");
	d->c = c;
	d->ec = EMS_OK;
	gx_ec ec = take(d, data);
	d->broken = gx_ec_failed(ec);
	const char *why = c->why;
	if (d->t != NULL)
		ec = gx_rop__end(c, d->t, ec);
	if (why != NULL)
		c->why = why;
	d->broken = d->broken || gx_ec_failed(ec);
	d->t = NULL;
	d->c = NULL;
	return ec;
}
