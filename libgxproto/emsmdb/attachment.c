/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/attachment.h"

static void attachment_free(struct gx_ems_obj *o)
{
	gx_inst_free(((struct gx_ems_attachment *)o)->inst);
	free(o);
}

static const struct gx_ems_kind kind_attachment = {"attachment", attachment_free, &gx_ems__message_props};

struct gx_ems_attachment *gx_ems__attachment(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_attachment ? (struct gx_ems_attachment *)o : NULL;
}

struct gx_inst *gx_ems__inst(struct gx_ems_obj *o)
{
	struct gx_ems_attachment *a = gx_ems__attachment(o);
	struct gx_ems_message *m = gx_ems__message(o);
	return a != NULL ? a->inst : m != NULL ? m->inst : NULL;
}

gx_ec gx_ems__give_attachment(struct gx_rop_call *c, struct gx_inst *inst)
{
	struct gx_ems_attachment *a = calloc(1, sizeof(*a));
	if (a == NULL) {
		gx_inst_free(inst);
		return GX_EC(ecMAPIOOM);
	}
	a->obj.kind = &kind_attachment;
	a->inst = inst;
	return gx_rop__give(c, &a->obj, c->logon);
}

uint32_t gx_ems__open_mode(uint8_t flags)
{
	enum { READ_WRITE = 0x01, BEST_ACCESS = 0x03 };
	return (flags & BEST_ACCESS) == BEST_ACCESS ? GX_INST_BEST : flags & READ_WRITE ? GX_INST_WRITE : GX_INST_READ;
}

/* ---- Tables ---- */

enum { AT_ONCE = 256 };

static int add_rows(struct gx_table *tb, const struct gx_proplist *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; ++i)
		err = gx_table_add_row(tb, (uint64_t)gx_proplist_i32(&v[i], PidTagAttachNumber, 0), &v[i]);
	return err;
}

static int fill(struct gx_table *tb, struct gx_txn *t, void *ctx)
{
	struct gx_arena *a = gx_arena_new(0);
	size_t n = 0;
	int err = a == NULL ? GX_E_NOMEM : 0;
	for (uint32_t at = 0; err == 0 && (at == 0 || n == AT_ONCE); at += AT_ONCE) {
		struct gx_proplist *v;
		gx_arena_reset(a);
		gx_ec ec = gx_inst_att_rows(t, ctx, NULL, 0, at, AT_ONCE, a, &v, &n);
		err = gx_ec_failed(ec) ? gx_ec_to_err(ec) : add_rows(tb, v, n);
	}
	gx_arena_free(a);
	return err;
}

static uint64_t version(void *ctx)
{
	struct gx_inst_info info;
	gx_inst_info(ctx, &info);
	return info.att_version;
}

gx_ec gx_ems__open_attachments(struct gx_txn *t, const struct gx_table_opts *o, struct gx_inst *inst, struct gx_table **ret_tb)
{
	struct gx_table_opts mine = *o;
	mine.version = version;
	return gx_table_open_rows(t, &mine, fill, inst, ret_tb);
}
