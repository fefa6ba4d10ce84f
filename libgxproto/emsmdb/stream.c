/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/stream.h"

/* ---- Their own bytes: folders ---- */

static gx_ec resize(struct gx_ems_bytes *b, uint64_t size)
{
	if (size > GX_EMS_FOLDER_STREAM_MAX)
		return GX_EC(ecTooBig);
	if (size > b->buf.len) {
		size_t more = (size_t)size - b->buf.len;
		uint8_t *p = gx_push_reserve(&b->buf, more);
		if (p == NULL)
			return GX_EC(ecMAPIOOM);
		memset(p, 0, more);
		gx_push_added(&b->buf, more);
	}
	b->buf.len = (size_t)size;
	return EMS_OK;
}

static gx_ec put(struct gx_ems_bytes *b, uint64_t off, struct gx_bin data)
{
	uint64_t end = off + data.len;
	gx_ec ec = end > b->buf.len ? resize(b, end) : EMS_OK;
	if (!gx_ec_failed(ec) && data.len > 0)
		memcpy(b->buf.data + off, data.data, data.len);
	return ec;
}

static gx_ec commit_folder(struct gx_ems_bytes *b)
{
	struct gx_propval v = {b->tag, {.bin = {b->buf.data, b->buf.len}}};
	const struct gx_proplist l = {&v, 1, 1};
	struct gx_txn *t;
	int err = gx_txn_begin(b->logon->store, &b->logon->actor, GX_TXN_WRITE, EMS_TXN_MS, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = gx_folder_set_props(t, b->fid, &l);
	if (gx_ec_failed(ec)) {
		gx_txn_abort(t);
		return ec;
	}
	b->logon->dirty = true;
	return gx_ec_from_err(gx_txn_commit(t, GX_SYNC_LATER));
}

/* ---- What was written and is not yet the value ---- */

void gx_bytes__touch(struct gx_ems_bytes *b)
{
	if (b->dirty)
		return;
	b->dirty = true;
	b->next_dirty = b->s->dirty_streams;
	b->s->dirty_streams = b;
}

void gx_bytes__clean(struct gx_ems_bytes *b)
{
	struct gx_ems_bytes **at = &b->s->dirty_streams;
	if (!b->dirty)
		return;
	while (*at != b)
		at = &(*at)->next_dirty;
	*at = b->next_dirty;
	b->dirty = false;
}

gx_ec gx_bytes__commit(struct gx_ems_bytes *b)
{
	if (!b->dirty)
		return EMS_OK;
	gx_ec ec = b->is != NULL ? gx_inst_stream_commit(b->is) : commit_folder(b);
	if (!gx_ec_failed(ec))
		gx_bytes__clean(b);
	return ec;
}

gx_ec gx_ems__settle_streams(struct gx_rop_call *c)
{
	struct gx_inst *x = gx_ems__inst(c->in), *y = gx_ems__inst(c->dst);
	gx_ec ec = EMS_OK;
	for (struct gx_ems_bytes *b = c->s->dirty_streams, *next; b != NULL && !gx_ec_failed(ec); b = next) {
		next = b->next_dirty;
		if (b->inst != NULL && (b->inst == x || b->inst == y))
			ec = gx_bytes__commit(b);
	}
	return ec;
}

static gx_ec reopen(struct gx_txn *t, struct gx_ems_bytes *b, struct gx_inst_stream **ret_is)
{
	gx_ec ec = gx_inst_stream_open_as(t, b->inst, b->tag, GX_STREAM_WRITE, b->cp, ret_is);
	return gx_ec_is(ec, ecNotFound) ? gx_inst_stream_open_as(t, b->inst, b->tag, GX_STREAM_CREATE, b->cp, ret_is) : ec;
}

static gx_ec reload(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_bytes *b)
{
	struct gx_proplist l = {0};
	gx_ec ec = gx_folder_get_props(t, b->fid, &b->tag, 1, c->a, &l);
	const struct gx_propval *v = gx_ec_failed(ec) ? NULL : gx_proplist_get(&l, b->tag);
	return gx_ec_failed(ec) ? ec : put(b, 0, v == NULL ? (struct gx_bin){0} : v->v.bin);
}

gx_ec gx_bytes__revert(struct gx_rop_call *c, struct gx_ems_bytes *b)
{
	struct gx_txn *t;
	struct gx_inst_stream *fresh = NULL;
	gx_ec ec = b->dirty ? gx_rop__begin_at(c, b->logon, GX_TXN_READ, &t) : EMS_OK;
	if (!b->dirty || gx_ec_failed(ec))
		return ec;
	gx_bytes__clean(b);
	b->buf.len = 0;
	ec = gx_rop__end(c, t, b->is != NULL ? reopen(t, b, &fresh) : reload(c, t, b));
	if (fresh != NULL) {
		gx_inst_stream_free(b->is);
		b->is = fresh;
	}
	return ec;
}

/* ---- All of them ---- */

void gx_bytes__unref(struct gx_ems_bytes *b)
{
	if (b == NULL || --b->refs > 0)
		return;
	/* [MS-OXCPRPT] 3.2.5.13: closing it is enough; nobody is there to hear of a failure */
	(void)gx_bytes__commit(b).v;
	gx_bytes__clean(b);
	gx_lock__drop(b);
	gx_inst_stream_free(b->is);
	gx_inst_free(b->inst);
	gx_push_release(&b->buf);
	free(b);
}

uint64_t gx_bytes__size(struct gx_ems_bytes *b)
{
	return b->is != NULL ? gx_inst_stream_size(b->is) : b->buf.len;
}

gx_ec gx_bytes__read(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t n, struct gx_push *out)
{
	struct gx_txn *t;
	gx_ec ec = gx_lock__check(c, b, off, n, false);
	if (gx_ec_failed(ec))
		return ec;
	if (b->is == NULL) {
		if (off < b->buf.len)
			gx_push_bytes(out, b->buf.data + off, n < b->buf.len - off ? (size_t)n : (size_t)(b->buf.len - off));
		return gx_ec_from_err(out->err);
	}
	ec = gx_rop__begin_at(c, b->logon, GX_TXN_READ, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_inst_stream_read(t, b->is, off, n, out));
}

static gx_ec may_write(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, uint64_t n)
{
	if (!b->writable)
		return gx_rop__fail(c, ecStorageAccessDenied, "the stream may only be read");
	uint64_t most = gx_rop__object_max(c);
	if (off > most || n > most - off)
		return gx_rop__fail(c, ecTooBig, "a stream has at most %llu bytes", (unsigned long long)most);
	return gx_lock__check(c, b, off, n, true);
}

gx_ec gx_bytes__write(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t off, struct gx_bin data)
{
	struct gx_txn *t;
	gx_ec ec = may_write(c, b, off, data.len);
	if (gx_ec_failed(ec))
		return ec;
	if (b->is == NULL) {
		ec = put(b, off, data);
	} else {
		ec = gx_rop__begin_at(c, b->logon, GX_TXN_READ, &t);
		if (!gx_ec_failed(ec))
			ec = gx_rop__end(c, t, gx_inst_stream_write(t, b->is, off, data.data, data.len));
	}
	if (!gx_ec_failed(ec))
		gx_bytes__touch(b);
	return ec;
}

gx_ec gx_bytes__set_size(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t size)
{
	struct gx_txn *t;
	uint64_t old = gx_bytes__size(b), from = size < old ? size : old;
	gx_ec ec = may_write(c, b, from, size < old ? old - size : size - old);
	if (gx_ec_failed(ec))
		return ec;
	if (b->is == NULL) {
		ec = resize(b, size);
	} else {
		ec = gx_rop__begin_at(c, b->logon, GX_TXN_READ, &t);
		if (!gx_ec_failed(ec))
			ec = gx_rop__end(c, t, gx_inst_stream_set_size(t, b->is, size));
	}
	if (!gx_ec_failed(ec))
		gx_bytes__touch(b);
	return ec;
}

/* ---- Objects ---- */

static void stream_free(struct gx_ems_obj *o)
{
	gx_bytes__unref(((struct gx_ems_stream *)o)->b);
	free(o);
}

static const struct gx_ems_kind kind_stream = {.name = "stream", .free = stream_free};

struct gx_ems_stream *gx_ems__stream(struct gx_ems_obj *o)
{
	return o != NULL && o->kind == &kind_stream ? (struct gx_ems_stream *)o : NULL;
}

gx_ec gx_ems__give_stream(struct gx_rop_call *c, struct gx_ems_bytes *b, uint64_t pos)
{
	struct gx_ems_stream *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		gx_bytes__unref(b);
		return GX_EC(ecMAPIOOM);
	}
	*s = (struct gx_ems_stream){.obj.kind = &kind_stream, .b = b, .pos = pos};
	return gx_rop__give(c, &s->obj, c->logon);
}
