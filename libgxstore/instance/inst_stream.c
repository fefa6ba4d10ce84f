/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/codec.h>
#include "libgxstore/instance/inst-int.h"

/*
 * One value as a stream. A stored binary is read where it lies; what has to be decoded or is written to is a
 * blob, which costs memory up to GX_BLOB_SPILL bytes.
 */

enum { CHUNK = 256 * 1024, UTF16LE = 1200 };

struct gx_inst_stream {
	struct gx_inst *i;        /* has a reference */
	struct gx_iacct *acct;    /* of its blob */
	gx_proptag_t tag;
	uint32_t cp;              /* of a text's bytes; 0: as they are stored */
	bool writable;
	struct gx_blob *blob;     /* or: */
	struct gx_isrc *src;
	struct gx_iplace place;
};

static bool is_text(gx_proptag_t tag)
{
	return GX_PROP_TYPE(tag) == PtypString;
}

static int text_bytes(const struct gx_inst_stream *s, const char *str, struct gx_arena *a, struct gx_bin *ret_b)
{
	*ret_b = (struct gx_bin){(const uint8_t *)str, strlen(str)};
	int err = s->cp == 0 ? 0 : s->cp == UTF16LE ? gx_utf8_to_utf16le(a, str, false, ret_b) : gx_cp_from_utf8(a, s->cp, str, ret_b->len, false, ret_b);
	return err == 0 && ret_b->len > GX_INST_TEXT_MAX ? GX_E_LIMIT : err;
}

static int blob_of_value(struct gx_inst_stream *s, const struct gx_propval *pv, struct gx_arena *a)
{
	struct gx_bin b = pv->v.bin;
	int err = is_text(pv->tag) ? text_bytes(s, pv->v.str, a, &b) : 0;
	if (err == 0)
		err = gx_blob__new(s->acct, &s->blob);
	return err != 0 ? err : gx_blob__write(s->blob, 0, b.data, b.len);
}

/* A binary that lies encoded in the original message, piece by piece. */
static int decode_piece(struct gx_decoder *d, struct gx_blob *b, const struct gx_push *in, bool last, struct gx_push *out)
{
	gx_push_clear(out);
	uint8_t *p = gx_push_reserve(out, gx_decoder_bound(d, in->len) + 1);
	return p == NULL ? out->err : gx_blob__write(b, b->size, p, gx_decoder_run(d, in->data, in->len, last, p));
}

static int blob_of_slice(struct gx_txn *t, struct gx_inst_stream *s, struct gx_isrc *src, const struct gx_slice *sl)
{
	const struct gx_iplace at = {.how = GX_PLACE_ORIGINAL, .off = sl->off, .size = sl->len};
	struct gx_push in = GX_PUSH_INIT, out = GX_PUSH_INIT;
	struct gx_decoder d;
	gx_decoder_init(&d, sl->cte);
	int err = gx_blob__new(s->acct, &s->blob);
	for (uint64_t off = 0; err == 0 && off < sl->len; off += CHUNK) {
		gx_push_clear(&in);
		err = gx_isrc__read(t, src, &at, off, CHUNK, &in);
		if (err == 0)
			err = decode_piece(&d, s->blob, &in, off + CHUNK >= sl->len, &out);
	}
	gx_push_release(&in);
	gx_push_release(&out);
	return err;
}

static int load(struct gx_txn *t, struct gx_inst_stream *s, const struct gx_ival *v)
{
	struct gx_propval pv;
	struct gx_slice sl;
	if (v->blob != NULL && (s->cp == 0 || !is_text(s->tag))) {
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
		s->place = (struct gx_iplace){0};
		if (gx_extern__slice(pv.v.bin, &sl))
			return blob_of_slice(t, s, v->src, &sl);
	}
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_ival__get(t, v, a, &pv);
	if (err == 0)
		err = blob_of_value(s, &pv, a);
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
	int err = gx_ec_failed(ec) ? gx_ec_to_err(ec) : l.count == 0 ? GX_E_NOTFOUND : blob_of_value(s, &l.v[0], a);
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

static bool same_type(gx_proptag_t x, gx_proptag_t y)
{
	uint16_t a = GX_PROP_TYPE(x) & (uint16_t)~GX_PROW_EXTERN, b = GX_PROP_TYPE(y);
	return (a == PtypObject ? PtypBinary : a) == (b == PtypObject ? PtypBinary : b);
}

static int open_value(struct gx_txn *t, struct gx_inst_stream *s, int mode)
{
	if (mode == GX_STREAM_CREATE)
		return gx_blob__new(s->acct, &s->blob);
	const struct gx_ival *v = gx_iprops__find(gx_inst__props(s->i), s->tag);
	if (v != NULL && same_type(v->tag, s->tag))
		return load(t, s, v);
	return gx_inst__is_msg(s->i) && (is_body(s->tag) || gx_msg__is_computed(s->tag)) ? load_made(t, s) : GX_E_NOTFOUND;
}

gx_ec gx_inst_stream_open(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag, int mode, struct gx_inst_stream **ret_s)
{
	return gx_inst_stream_open_as(t, i, tag, mode, 0, ret_s);
}

gx_ec gx_inst_stream_open_as(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag, int mode, uint32_t cp, struct gx_inst_stream **ret_s)
{
	if (GX_PROP_TYPE(tag) == PtypString8)
		tag = GX_PROP_RETYPE(tag, PtypString);
	struct gx_inst_stream *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	gx_inst__lock(i);
	i->refs++;
	*s = (struct gx_inst_stream){.i = i, .acct = i->tree->acct, .tag = tag, .cp = cp, .writable = mode != GX_STREAM_READ};
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
	int err = gx_blob__new(s->acct, &b);
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

int gx_ival__to_blob(struct gx_txn *t, const struct gx_ival *v, struct gx_iacct *c, struct gx_blob **ret_b)
{
	struct gx_inst_stream s = {.acct = c, .tag = v->tag & ~(gx_proptag_t)GX_PROW_EXTERN};
	int err = load(t, &s, v);
	if (err == 0)
		err = own_blob(t, &s);
	gx_isrc__unref(s.src);
	if (err == 0)
		*ret_b = s.blob;
	else
		gx_blob__unref(s.blob);
	return err;
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

static int text_of(const struct gx_inst_stream *s, const uint8_t *p, size_t n, struct gx_arena *a, const char **ret_str)
{
	char *str;
	size_t len = 0;
	if (s->cp == 0) {
		*ret_str = (const char *)p;
		return 0;
	}
	if (s->cp != UTF16LE) {
		int err = gx_cp_to_utf8(a, s->cp, p, strnlen((const char *)p, n), &str, NULL, NULL);
		*ret_str = str;
		return err;
	}
	while (len + 1 < n && (p[len] != 0 || p[len + 1] != 0))
		len += 2;
	int err = gx_utf16le_to_utf8(a, p, len, &str);
	*ret_str = str;
	return err;
}

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
			err = text_of(s, p, (size_t)s->blob->size, a, &pv.v.str);
		else
			pv.v.bin = (struct gx_bin){p, (size_t)s->blob->size};
		if (err == 0)
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
