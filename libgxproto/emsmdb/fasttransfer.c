/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that streams are pulled out of: when they begin, in which transactions, what happens to failures. */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/fasttransfer.h"

void gx_ems__source_free(struct gx_ems_obj *o)
{
	struct gx_ems_source *s = (struct gx_ems_source *)o;
	if (s->ops->release != NULL)
		s->ops->release(s);
	gx_ftx_out_free(s->out);
	gx_arena_free(s->a);
	free(s);
}

const struct gx_ems_kind gx_ems__kind_source = {"stream", gx_ems__source_free, NULL};

struct gx_ems_source *gx_ems__source_new(size_t size, const struct gx_ems_kind *kind, const struct gx_ems_source_ops *ops, int root,
	uint32_t send_options)
{
	struct gx_ems_source *s = calloc(1, size);
	struct gx_arena *a = s == NULL ? NULL : gx_arena_new(0);
	if (a == NULL) {
		free(s);
		return NULL;
	}
	s->obj.kind = kind;
	s->ops = ops;
	s->root = root;
	s->send_options = send_options;
	s->a = a;
	return s;
}

struct gx_ems_source *gx_ems__source(struct gx_ems_obj *o)
{
	return o != NULL && (o->kind == &gx_ems__kind_source || o->kind == &gx_ems__kind_sync) ? (struct gx_ems_source *)o : NULL;
}

int gx_ems__source_failed(struct gx_ems_source *s, gx_ec ec)
{
	if (s->t != NULL && *gx_txn_why(s->t) != '\0')
		s->c->why = gx_arena_strdup(s->c->a, gx_txn_why(s->t));
	s->ec = ec;
	int err = gx_ec_to_err(ec);
	return err < 0 ? err : GX_E_INTERNAL;
}

struct gx_txn *gx_ems__source_txn(struct gx_ems_source *s)
{
	if (s->t == NULL) {
		gx_ec ec = gx_rop__read(s->c, &s->t);
		if (gx_ec_failed(ec)) {
			s->t = NULL;
			s->ec = ec;
		}
	}
	return s->t;
}

static int next(struct gx_ftx_out *out, void *ctx)
{
	struct gx_ems_source *s = ctx;
	(void)out;
	gx_arena_reset(s->a);
	return s->ops->next(s);
}

static gx_ec start(struct gx_ems_source *s)
{
	const struct gx_ftx_out_opts o = {.send_options = s->send_options, .cp = s->c->s->code_page, .root = s->root, .next = next, .ctx = s};
	gx_ec ec = s->ops->start == NULL ? EMS_OK : s->ops->start(s);
	if (!gx_ec_failed(ec))
		s->out = gx_ftx_out_new(&o);
	return gx_ec_failed(ec) ? ec : s->out == NULL ? GX_EC(ecMAPIOOM) : EMS_OK;
}

gx_ec gx_ems__source_read(struct gx_rop_call *c, struct gx_ems_source *s, uint8_t *buf, size_t size, size_t *ret_n)
{
	if (s->broken)
		return gx_rop__fail(c, ecFxInvalidState, "the stream ended with an error before");
	s->c = c;
	s->ec = EMS_OK;
	gx_ec ec = s->out == NULL ? start(s) : EMS_OK;
	int err = gx_ec_failed(ec) ? 0 : gx_ftx_out_read(s->out, buf, size, ret_n);
	if (err == GX_E_LIMIT && s->out != NULL && !gx_ec_failed(s->ec)) {
		ec = gx_rop__fail(c, ecBufferTooSmall, "%zu bytes hold no part of the stream", size);
	} else if (err != 0) {
		s->broken = true;
		if (c->why == NULL)
			c->why = gx_arena_strdup(c->a, gx_ftx_out_text(s->out));
		ec = gx_ec_failed(s->ec) ? s->ec : gx_ec_from_err(err);
	}
	gx_txn_abort(s->t);
	s->t = NULL;
	s->c = NULL;
	return ec;
}
