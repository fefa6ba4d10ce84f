/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/*
 * One value as a stream. A stored binary is read where it lies; what has to be decoded or is written to is a
 * blob, which costs memory up to GX_BLOB_SPILL bytes.
 */

enum { CHUNK = 256 * 1024 };

struct gx_inst_stream {
	struct gx_inst *i;        /* has a reference */
	gx_proptag_t tag;
	bool writable;
	struct gx_blob *blob;     /* or: */
	struct gx_isrc *src;
	struct gx_iplace place;
};

static bool is_text(gx_proptag_t tag)
{
	return GX_PROP_TYPE(tag) == PtypString;
}

static int blob_of_value(struct gx_inst_stream *s, const struct gx_propval *pv)
{
	struct gx_bin b = is_text(pv->tag) ? (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)} : pv->v.bin;
	int err = gx_blob__new(s->i->tree->acct, &s->blob);
	return err != 0 ? err : gx_blob__write(s->blob, 0, b.data, b.len);
}

static int load(struct gx_txn *t, struct gx_inst_stream *s, const struct gx_ival *v)
{
	struct gx_propval pv;
	if (v->blob != NULL) {
		s->blob = gx_blob__ref(v->blob);
		return 0;
	}
	if ((v->tag & GX_PROW_EXTERN) && !is_text(s->tag)) {
		int err = gx_prow_entry((struct gx_bin){v->p, v->len}, t->a, &pv);
		if (err == 0)
			err = gx_isrc__place(v->src, v->tag, pv.v.bin, &s->place);
		if (err != 0 || s->place.how != GX_PLACE_VALUE) {
			s->src = gx_isrc__ref(v->src);
			return err;
		}
	}
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_ival__get(t, v, a, &pv);
	if (err == 0)
		err = blob_of_value(s, &pv);
	gx_arena_free(a);
	return err;
}

/* A body that is made of another format. */
static int load_made(struct gx_txn *t, struct gx_inst_stream *s)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l;
	if (a == NULL)
		return GX_E_NOMEM;
	gx_inst__unlock(s->i);
	gx_ec ec = gx_inst_get_props(t, s->i, &s->tag, 1, 0, a, &l);
	gx_inst__lock(s->i);
	int err = gx_ec_failed(ec) ? gx_ec_to_err(ec) : l.count == 0 ? GX_E_NOTFOUND : blob_of_value(s, &l.v[0]);
	gx_arena_free(a);
	return err;
}

static bool is_body(gx_proptag_t tag)
{
	return tag == PidTagBody || tag == PidTagHtml || tag == PidTagBodyHtml || tag == PidTagRtfCompressed;
}

static gx_ec check(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag, int mode)
{
	uint16_t type = GX_PROP_TYPE(tag);
	if (i->tree->s != t->s || mode < GX_STREAM_READ || mode > GX_STREAM_CREATE)
		return gx_txn__fail(t, ecInvalidParam, "no such way to open a stream");
	if (type != PtypString && type != PtypBinary && type != PtypObject)
		return gx_txn__fail(t, ecNotSupported, "values of type %04x are no streams", type);
	if (mode == GX_STREAM_READ)
		return GX_OK_EC;
	int rule = gx_inst__is_msg(i) ? gx_rule__msg(tag) : gx_rule__att(tag);
	if (!i->writable || rule == GX_RULE_COMPUTED || rule == GX_RULE_VERSION || rule == GX_RULE_NEW)
		return gx_txn__fail(t, ecAccessDenied, "property %08x may not be written", (unsigned)tag);
	return GX_OK_EC;
}

static int open_value(struct gx_txn *t, struct gx_inst_stream *s, int mode)
{
	if (mode == GX_STREAM_CREATE)
		return gx_blob__new(s->i->tree->acct, &s->blob);
	const struct gx_ival *v = gx_iprops__find(gx_inst__props(s->i), s->tag);
	if (v != NULL && GX_PROP_TYPE(v->tag & ~(gx_proptag_t)GX_PROW_EXTERN) == GX_PROP_TYPE(s->tag))
		return load(t, s, v);
	return gx_inst__is_msg(s->i) && (is_body(s->tag) || gx_msg__is_computed(s->tag)) ? load_made(t, s) : GX_E_NOTFOUND;
}

gx_ec gx_inst_stream_open(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag, int mode, struct gx_inst_stream **ret_s)
{
	if (GX_PROP_TYPE(tag) == PtypString8)
		tag = GX_PROP_RETYPE(tag, PtypString);
	struct gx_inst_stream *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	gx_inst__lock(i);
	i->refs++;
	*s = (struct gx_inst_stream){.i = i, .tag = tag, .writable = mode != GX_STREAM_READ};
	gx_ec ec = check(t, i, tag, mode);
	int err = gx_ec_failed(ec) ? 0 : open_value(t, s, mode);
	if (err == GX_E_NOTFOUND && s->src == NULL)
		ec = gx_txn__fail(t, ecNotFound, "no property %08x", (unsigned)tag);
	else if (err != 0)
		ec = gx_inst__ec(t, err);
	gx_inst__unlock(i);
	if (gx_ec_failed(ec))
		gx_inst_stream_free(s);
	else
		*ret_s = s;
	return ec;
}

void gx_inst_stream_free(struct gx_inst_stream *s)
{
	if (s == NULL)
		return;
	gx_inst__lock(s->i);
	gx_blob__unref(s->blob);
	gx_isrc__unref(s->src);
	gx_inst__unref(s->i);
	free(s);
}

uint64_t gx_inst_stream_size(struct gx_inst_stream *s)
{
	gx_inst__lock(s->i);
	uint64_t n = s->blob != NULL ? s->blob->size : s->place.size;
	gx_inst__unlock(s->i);
	return n;
}

static int read_blob(struct gx_blob *b, uint64_t off, uint64_t n, struct gx_push *out)
{
	if (off >= b->size)
		return out->err;
	n = n < b->size - off ? n : b->size - off;
	uint8_t *p = gx_push_reserve(out, (size_t)n);
	int err = p == NULL ? out->err : gx_blob__read(b, off, (size_t)n, p);
	if (err == 0)
		gx_push_added(out, (size_t)n);
	return err;
}

gx_ec gx_inst_stream_read(struct gx_txn *t, struct gx_inst_stream *s, uint64_t off, uint64_t n, struct gx_push *out)
{
	gx_inst__lock(s->i);
	int err = s->i->tree->s != t->s ? GX_E_INVAL : s->blob != NULL ? read_blob(s->blob, off, n, out) :
		gx_isrc__read(t, s->src, &s->place, off, n, out);
	gx_inst__unlock(s->i);
	return gx_inst__ec(t, err);
}

/* A blob of the stream's own, with what there was. */
static int copy_in(struct gx_txn *t, struct gx_inst_stream *s, struct gx_blob *b)
{
	uint64_t size = s->blob != NULL ? s->blob->size : s->place.size;
	struct gx_push buf = GX_PUSH_INIT;
	int err = 0;
	for (uint64_t off = 0; err == 0 && off < size; off += CHUNK) {
		gx_push_clear(&buf);
		err = s->blob != NULL ? read_blob(s->blob, off, CHUNK, &buf) : gx_isrc__read(t, s->src, &s->place, off, CHUNK, &buf);
		if (err == 0)
			err = gx_blob__write(b, off, buf.data, buf.len);
	}
	gx_push_release(&buf);
	return err;
}

static int own_blob(struct gx_txn *t, struct gx_inst_stream *s)
{
	struct gx_blob *b;
	if (s->blob != NULL && atomic_load(&s->blob->refs) == 1)
		return 0;
	int err = gx_blob__new(s->i->tree->acct, &b);
	if (err != 0)
		return err;
	err = copy_in(t, s, b);
	if (err != 0) {
		gx_blob__unref(b);
		return err;
	}
	gx_blob__unref(s->blob);
	gx_isrc__unref(s->src);
	s->blob = b;
	s->src = NULL;
	return 0;
}

static gx_ec change(struct gx_txn *t, struct gx_inst_stream *s, uint64_t end, uint64_t off, const void *p, size_t n)
{
	if (!s->writable)
		return gx_txn__fail(t, ecAccessDenied, "the stream may only be read");
	if (s->i->tree->s != t->s)
		return GX_EC(ecInvalidParam);
	uint32_t max = is_text(s->tag) ? GX_INST_TEXT_MAX : GX_INST_VALUE_MAX;
	if (end > max)
		return gx_txn__fail(t, ecTooBig, "property %08x has at most %u bytes", (unsigned)s->tag, max);
	int err = own_blob(t, s);
	if (err == 0)
		err = p != NULL ? gx_blob__write(s->blob, off, p, n) : gx_blob__set_size(s->blob, end);
	return gx_inst__ec(t, err);
}

gx_ec gx_inst_stream_write(struct gx_txn *t, struct gx_inst_stream *s, uint64_t off, const void *p, size_t n)
{
	if (n == 0)
		return s->writable ? GX_OK_EC : GX_EC(ecAccessDenied);
	gx_inst__lock(s->i);
	gx_ec ec = change(t, s, off > UINT64_MAX - n ? UINT64_MAX : off + n, off, p, n);
	gx_inst__unlock(s->i);
	return ec;
}

gx_ec gx_inst_stream_set_size(struct gx_txn *t, struct gx_inst_stream *s, uint64_t size)
{
	gx_inst__lock(s->i);
	gx_ec ec = change(t, s, size, 0, NULL, 0);
	gx_inst__unlock(s->i);
	return ec;
}

/* ---- Committing ---- */

/* Small ones, and those whose meaning depends on their bytes, are set as any value. */
static int commit_value(struct gx_inst_stream *s, uint32_t *ret_code)
{
	struct gx_arena *a = gx_arena_new(0);
	uint8_t *p = a == NULL ? NULL : gx_arena_alloc(a, (size_t)s->blob->size + 1);
	int err = p == NULL ? GX_E_NOMEM : gx_blob__read(s->blob, 0, (size_t)s->blob->size, p);
	if (err == 0) {
		struct gx_propval pv = {.tag = s->tag};
		p[s->blob->size] = '\0';
		if (is_text(s->tag))
			pv.v.str = (const char *)p;
		else
			pv.v.bin = (struct gx_bin){p, (size_t)s->blob->size};
		err = gx_inst__set(s->i, &pv, 0, ret_code);
	}
	gx_arena_free(a);
	return err;
}

static int commit(struct gx_inst_stream *s, uint32_t *ret_code)
{
	int rule = gx_inst__is_msg(s->i) ? gx_rule__msg(s->tag) : gx_rule__att(s->tag);
	bool body = rule == GX_RULE_BODY && (s->tag == PidTagHtml || s->tag == PidTagRtfCompressed);
	*ret_code = ecSuccess;
	if (s->blob->size < gx_ival__apart(s->tag) || is_text(s->tag) || (rule != GX_RULE_PLAIN && !body))
		return commit_value(s, ret_code);
	int err = gx_iprops__set_blob(gx_inst__props(s->i), s->tag, s->blob);
	if (err == 0 && body)
		gx_inst__new_body(s->i, s->tag);
	if (err == 0 && s->i->msg != NULL && GX_PROP_IS_NAMED(s->tag))
		err = gx_imsg__note_named(s->i->msg, GX_PROP_ID(s->tag));
	return err;
}

gx_ec gx_inst_stream_commit(struct gx_inst_stream *s)
{
	uint32_t code = ecSuccess;
	gx_inst__lock(s->i);
	gx_ec ec = s->writable ? gx_inst__writable(s->i) : GX_EC(ecAccessDenied);
	if (!gx_ec_failed(ec) && s->blob != NULL) { /* else nothing was written */
		ec = gx_inst__ec(NULL, commit(s, &code));
		gx_inst__touch(s->i, GX_IDIRTY_PROPS | (gx_inst__shown(s->i, s->tag) ? GX_IDIRTY_RENDERED : 0));
	}
	gx_inst__unlock(s->i);
	return gx_ec_failed(ec) ? ec : GX_EC(code);
}
