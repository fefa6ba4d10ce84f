/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "tests/objcmp.h"

static bool slice_value(struct objview x, const struct gx_slice *s, struct gx_bin *ret_b)
{
	return s->off <= x.original.len && s->len <= x.original.len - s->off &&
		gx_decode(x.a, s->cte, x.original.data + s->off, (size_t)s->len, ret_b) == 0;
}

bool objcmp_slices_ok(struct objview x)
{
	struct gx_bin b;
	for (size_t i = 0; i < sizeof(x.m->slices) / sizeof(*x.m->slices) && x.m->slices[i].tag != 0; ++i)
		if (!slice_value(x, &x.m->slices[i].slice, &b))
			return false;
	for (size_t i = 0; i < x.m->att_count; ++i) {
		const struct gx_attach *t = &x.m->atts[i];
		if (t->data.tag != 0 && !slice_value(x, &t->data.slice, &b))
			return false;
		if (t->embedded != NULL && !objcmp_slices_ok((struct objview){x.a, t->embedded, x.original}))
			return false;
	}
	return true;
}

/* The bytes or the text under a tag, be it a value or a slice; empty when absent. */
static struct gx_bin content(struct objview x, const struct gx_proplist *l, const struct gx_slice_prop *slices, size_t n, gx_proptag_t tag)
{
	struct gx_bin b = {(const uint8_t *)"", 0};
	const struct gx_propval *pv = gx_proplist_get(l, tag);
	if (pv != NULL && GX_PROP_TYPE(tag) == PtypBinary)
		return pv->v.bin;
	if (pv != NULL)
		return (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)};
	for (size_t i = 0; i < n && slices[i].tag != 0; ++i) {
		char *s;
		size_t len;
		if (slices[i].tag != tag || !slice_value(x, &slices[i].slice, &b))
			continue;
		if (GX_PROP_TYPE(tag) == PtypBinary)
			return b;
		if (gx_cp_to_utf8(x.a, slices[i].slice.cp, b.data, b.len, &s, &len, NULL) == 0)
			return (struct gx_bin){(const uint8_t *)s, len};
	}
	return b;
}

static size_t text_end(struct gx_bin b)
{
	while (b.len > 0 && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r'))
		--b.len;
	return b.len;
}

/* Texts are the same when line ends and empty lines at the end are all that differs. */
static bool same_text(struct gx_bin x, struct gx_bin y)
{
	size_t i = 0, k = 0, nx = text_end(x), ny = text_end(y);
	while (i < nx || k < ny) {
		bool cr_x = i < nx && x.data[i] == '\r', cr_y = k < ny && y.data[k] == '\r';
		if (cr_x || cr_y) {
			i += cr_x;
			k += cr_y;
			continue;
		}
		if (i >= nx || k >= ny || x.data[i++] != y.data[k++])
			return false;
	}
	return true;
}

/* Made anew by each conversion, or compared as contents. */
static bool is_derived(gx_proptag_t tag)
{
	static const gx_proptag_t tags[] = {PidTagTransportMessageHeaders, PidTagInternetCodepage, PidTagBody, PidTagHtml,
		PidTagAttachDataBinary, PidTagNativeBody, PidTagMessageDeliveryTime};
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); ++i)
		if (GX_PROP_ID(tags[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

static const char *printed(struct gx_arena *a, uint16_t type, const union gx_value *v)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_value_print(&b, type, v);
	const char *s = gx_arena_strndup(a, gx_strbuf_cstr(&b), 200);
	gx_strbuf_release(&b);
	return s;
}

/* Messages and parts of them that are not plain ASCII travel as opaque files. */
static bool is_opaque_message(gx_proptag_t tag, const union gx_value *x, const union gx_value *y)
{
	return tag == PidTagAttachMimeTag && strncmp(x->str, "message/", 8) == 0 && strcmp(y->str, "application/octet-stream") == 0;
}

static const char *lists(struct gx_arena *a, const char *what, const struct gx_proplist *x, const struct gx_proplist *y)
{
	for (size_t i = 0; i < x->count; ++i) {
		const struct gx_propval *p = &x->v[i], *q = gx_proplist_get(y, p->tag);
		if (is_derived(p->tag))
			continue;
		if (q == NULL)
			return gx_arena_printf(a, "%s: property %08x is lost: %s", what, (unsigned)p->tag,
				printed(a, GX_PROP_TYPE(p->tag), &p->v));
		if (!gx_value_equal(GX_PROP_TYPE(p->tag), &p->v, &q->v) && !is_opaque_message(p->tag, &p->v, &q->v))
			return gx_arena_printf(a, "%s: property %08x changes: %s | %s", what, (unsigned)p->tag,
				printed(a, GX_PROP_TYPE(p->tag), &p->v), printed(a, GX_PROP_TYPE(q->tag), &q->v));
	}
	for (size_t i = 0; i < y->count; ++i)
		/* The writer gives every message an id, [RFC 5322] 3.6.4. */
		if (!is_derived(y->v[i].tag) && y->v[i].tag != PidTagInternetMessageId && gx_proplist_get(x, y->v[i].tag) == NULL)
			return gx_arena_printf(a, "%s: property %08x is new: %s", what, (unsigned)y->v[i].tag,
				printed(a, GX_PROP_TYPE(y->v[i].tag), &y->v[i].v));
	return NULL;
}

static const char *names(struct gx_arena *a, const struct gx_msgobj *x, const struct gx_msgobj *y)
{
	for (size_t i = 0; i < x->named_count; ++i) {
		const struct gx_named_propval *p = &x->named[i], *q = gx_msgobj_get_named(y, &p->name);
		if (q == NULL || q->type != p->type || !gx_value_equal(p->type, &p->v, &q->v))
			return gx_arena_printf(a, "named property %s %#x: %s | %s", p->name.by_name ? p->name.name : "lid",
				(unsigned)p->name.lid, printed(a, p->type, &p->v), q == NULL ? "(lost)" : printed(a, q->type, &q->v));
	}
	return x->named_count == y->named_count ? NULL : gx_arena_printf(a, "%zu | %zu named properties", x->named_count, y->named_count);
}

static const char *attachments(struct objview x, struct objview y)
{
	if (x.m->att_count != y.m->att_count)
		return gx_arena_printf(x.a, "%zu | %zu attachments", x.m->att_count, y.m->att_count);
	for (size_t i = 0; i < x.m->att_count; ++i) {
		const struct gx_attach *p = &x.m->atts[i], *q = &y.m->atts[i];
		const char *diff = lists(x.a, "attachment", &p->props, &q->props);
		if (diff != NULL)
			return diff;
		if ((p->embedded == NULL) != (q->embedded == NULL))
			return "an embedded message and a file";
		struct gx_bin b = content(x, &p->props, &p->data, 1, PidTagAttachDataBinary),
			c = content(y, &q->props, &q->data, 1, PidTagAttachDataBinary);
		if (b.len != c.len || memcmp(b.data, c.data, b.len) != 0)
			return gx_arena_printf(x.a, "attachment %zu: %zu | %zu bytes", i, b.len, c.len);
		diff = p->embedded == NULL ? NULL
			: objcmp((struct objview){x.a, p->embedded, x.original}, (struct objview){y.a, q->embedded, y.original});
		if (diff != NULL)
			return gx_arena_printf(x.a, "embedded message: %s", diff);
	}
	return NULL;
}

/* The recipients in the order in which they are written: by type, then as they stand. */
static const struct gx_proplist *recipient(const struct gx_msgobj *m, size_t n)
{
	for (int32_t type = 0; type <= 3; ++type)
		for (size_t i = 0; i < m->rcpt_count; ++i)
			if (gx_proplist_i32(&m->rcpts[i], PidTagRecipientType, 0) == type && n-- == 0)
				return &m->rcpts[i];
	return &m->rcpts[0];
}

const char *objcmp(struct objview x, struct objview y)
{
	const char *diff = lists(x.a, "message", &x.m->props, &y.m->props);
	if (diff == NULL)
		diff = names(x.a, x.m, y.m);
	if (diff == NULL && x.m->rcpt_count != y.m->rcpt_count)
		diff = gx_arena_printf(x.a, "%zu | %zu recipients", x.m->rcpt_count, y.m->rcpt_count);
	for (size_t i = 0; i < x.m->rcpt_count && i < 100 && diff == NULL; ++i)
		diff = lists(x.a, "recipient", recipient(x.m, i), recipient(y.m, i));
	static const gx_proptag_t texts[] = {PidTagBody, PidTagHtml};
	for (size_t i = 0; i < 2 && diff == NULL; ++i) {
		struct gx_bin b = content(x, &x.m->props, x.m->slices, 4, texts[i]), c = content(y, &y.m->props, y.m->slices, 4, texts[i]);
		if (!same_text(b, c))
			diff = gx_arena_printf(x.a, "%s differs (%zu | %zu bytes)", i == 0 ? "body" : "HTML", b.len, c.len);
	}
	return diff != NULL ? diff : attachments(x, y);
}
