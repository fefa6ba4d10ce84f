/* SPDX-License-Identifier: Apache-2.0 */
/* Message objects that come with the text they were made of: values that stand in it become slices of it. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/delivery.h>
#include <gx/mailconv.h>
#include "mail-int.h"

/* Smaller values cost as much to find as to keep. */
enum { LEAST = 64, DEPTH_MAX = 32 };

struct adopt {
	struct gx_arena *a;
	struct gx_bin text;
};

/* The value that a slice stands for. @return 0, GX_E_FORMAT when it lies outside, GX_E_NOMEM. */
static int value_of(const struct adopt *x, const struct gx_slice_prop *s, struct gx_bin *ret_b)
{
	char *utf8;
	size_t len;
	if (s->slice.off > x->text.len || s->slice.len > x->text.len - s->slice.off)
		return GX_E_FORMAT;
	int err = gx_decode(x->a, s->slice.cte, x->text.data + s->slice.off, (size_t)s->slice.len, ret_b);
	if (err != 0 || s->slice.cp == 0)
		return err;
	err = gx_cp_to_utf8(x->a, s->slice.cp, ret_b->data, ret_b->len, &utf8, &len, NULL);
	*ret_b = (struct gx_bin){(const uint8_t *)utf8, len};
	return err;
}

static bool is_text(gx_proptag_t tag)
{
	return GX_PROP_TYPE(tag) == PtypString || GX_PROP_TYPE(tag) == PtypString8;
}

static struct gx_bin bytes_of(const struct gx_propval *pv)
{
	return is_text(pv->tag) ? (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)} : pv->v.bin;
}

/* Does the list have this very value? Then it goes, the slice takes its place. @return 1, 0 or GX_E_NOMEM. */
static int take(const struct adopt *x, struct gx_proplist *l, const struct gx_slice_prop *s)
{
	struct gx_bin b;
	const struct gx_propval *pv = gx_proplist_get(l, s->tag);
	if (s->tag == 0 || pv == NULL || is_text(pv->tag) != (s->slice.cp != 0) || bytes_of(pv).len < LEAST)
		return 0;
	int err = value_of(x, s, &b);
	if (err != 0)
		return err == GX_E_NOMEM ? err : 0;
	struct gx_bin have = bytes_of(pv);
	if (b.len != have.len || memcmp(b.data, have.data, b.len) != 0)
		return 0;
	gx_proplist_remove(l, s->tag);
	return 1;
}

static int adopt_bodies(const struct adopt *x, struct gx_msgobj *m, const struct gx_msgobj *from)
{
	const size_t max = sizeof(m->slices) / sizeof(m->slices[0]);
	size_t n = 0;
	while (n < max && m->slices[n].tag != 0)
		n++;
	for (size_t i = 0; n < max && i < max && from->slices[i].tag != 0; i++) {
		int r = take(x, &m->props, &from->slices[i]);
		if (r < 0)
			return r;
		if (r > 0)
			m->slices[n++] = from->slices[i];
	}
	return 0;
}

/* The attachments of both stand in the same order as a rule: the neighbour first, then all. */
static int adopt_attachment(const struct adopt *x, struct gx_attach *at, size_t i, const struct gx_msgobj *from)
{
	for (size_t k = 0; k <= from->att_count; k++) {
		size_t j = k == 0 ? i : k - 1;
		if (j >= from->att_count || (k > 0 && j == i))
			continue;
		const struct gx_slice_prop *s = &from->atts[j].data;
		if (s->tag == 0)
			continue;
		int r = take(x, &at->props, s);
		if (r > 0)
			at->data = *s;
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return 0;
}

static int adopt(const struct adopt *x, struct gx_msgobj *m, const struct gx_msgobj *from, unsigned depth)
{
	int err = adopt_bodies(x, m, from);
	for (size_t i = 0; err == 0 && i < m->att_count; i++) {
		struct gx_attach *at = &m->atts[i];
		bool both = at->embedded != NULL && i < from->att_count && from->atts[i].embedded != NULL;
		if (both && depth < DEPTH_MAX)
			err = adopt(x, at->embedded, from->atts[i].embedded, depth + 1);
		else if (at->embedded == NULL && at->data.tag == 0 && from->att_count <= 64)
			err = adopt_attachment(x, at, i, from);
	}
	return err;
}

int gx_mail_adopt(struct gx_arena *a, struct gx_bin original, struct gx_msgobj *io_m, struct gx_bin *ret_envelope,
	struct gx_bin *ret_bodystructure, void *ctx)
{
	const struct gx_mailconv_env env = {.clock = gx_clock_system()};
	const struct adopt x = {.a = a, .text = original};
	struct gx_mime_part *root;
	struct gx_msgobj *from;
	(void)ctx;
	if (a == NULL || io_m == NULL)
		return GX_E_INVAL;
	int err = gx_mime_parse(a, NULL, original.data, original.len, &root);
	if (err == 0)
		err = gx_mail__structures(a, root, ret_envelope, ret_bodystructure);
	if (err != 0)
		return err;
	err = gx_mail_to_msg(a, &env, original.data, original.len, root, &from);
	return err == 0 ? adopt(&x, io_m, from, 0) : err == GX_E_NOMEM ? err : 0; /* what cannot be read has no slices */
}

int gx_mail_notice(struct gx_arena *a, struct gx_bin message, const char **ret_subject, const char **ret_text,
	void *ctx)
{
	struct gx_mime_part *root;
	struct gx_bin b;
	char *subject = NULL, *text;
	(void)ctx;
	int err = gx_mime_parse(a, NULL, message.data, message.len, &root);
	if (err != 0)
		return err;
	const struct gx_mime_header *h = gx_mime_header(root, "Subject");
	if (h != NULL)
		err = gx_mime_decode_text(a, h->value, 0, &subject);
	if (err == 0)
		err = gx_decode(a, root->cte, message.data + root->body_off, (size_t)root->body_len, &b);
	if (err != 0)
		return err;
	const char *charset = gx_mime_param(root->params, "charset");
	err = gx_cp_to_utf8(a, charset == NULL ? 0 : gx_cp_from_charset(charset), b.data, b.len, &text, NULL, NULL);
	if (err != 0)
		return err;
	*ret_subject = subject;
	*ret_text = text;
	return 0;
}
