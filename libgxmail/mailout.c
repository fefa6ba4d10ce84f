/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailout-int.h"

int gx_mailout__fail(struct gx_mailout *w, int err)
{
	if (w->err == 0)
		w->err = err;
	return w->err;
}

static bool slice_bytes(struct gx_mailout *w, const struct gx_slice *s, struct gx_bin *ret_b)
{
	if (s->off > w->original.len || s->len > w->original.len - s->off) {
		gx_mailout__fail(w, GX_E_RANGE);
		return false;
	}
	int err = gx_decode(w->a, s->cte, w->original.data + s->off, (size_t)s->len, ret_b);
	if (err != 0)
		gx_mailout__fail(w, err);
	return err == 0;
}

static const struct gx_slice *slice_of(const struct gx_msgobj *m, gx_proptag_t tag)
{
	for (size_t i = 0; i < sizeof(m->slices) / sizeof(*m->slices) && m->slices[i].tag != 0; ++i)
		if (GX_PROP_ID(m->slices[i].tag) == GX_PROP_ID(tag))
			return &m->slices[i].slice;
	return NULL;
}

const char *gx_mailout__text(struct gx_mailout *w, const struct gx_msgobj *m, gx_proptag_t tag)
{
	const char *s = gx_proplist_str(&m->props, tag, NULL);
	const struct gx_slice *sl = s == NULL ? slice_of(m, tag) : NULL;
	if (sl == NULL || sl->len == 0)
		return sl != NULL ? "" : s;
	struct gx_bin raw;
	char *text;
	if (!slice_bytes(w, sl, &raw))
		return NULL;
	int err = gx_cp_to_utf8(w->a, sl->cp, raw.data, raw.len, &text, NULL, NULL);
	if (err != 0) {
		gx_mailout__fail(w, err);
		return NULL;
	}
	return text;
}

bool gx_mailout__bytes(struct gx_mailout *w, const struct gx_msgobj *m, gx_proptag_t tag, struct gx_bin *ret_b)
{
	const struct gx_propval *pv = gx_proplist_get(&m->props, tag);
	if (pv != NULL && GX_PROP_TYPE(pv->tag) == PtypBinary) {
		*ret_b = pv->v.bin;
		return true;
	}
	const struct gx_slice *sl = slice_of(m, tag);
	return sl != NULL && slice_bytes(w, sl, ret_b);
}

struct gx_bin gx_mailout__attach_data(struct gx_mailout *w, const struct gx_attach *att)
{
	struct gx_bin b = {NULL, 0};
	const struct gx_propval *pv = gx_proplist_get(&att->props, PidTagAttachDataBinary);
	if (pv != NULL && GX_PROP_TYPE(pv->tag) == PtypBinary)
		return pv->v.bin;
	if (att->data.tag != 0)
		slice_bytes(w, &att->data.slice, &b);
	return b;
}

/* FNV-1a over what tells one object from another. */
static void mix(uint64_t *h, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; ++i)
		*h = (*h ^ b[i]) * UINT64_C(0x100000001b3);
}

static uint64_t seed_of(const struct gx_msgobj *m)
{
	static const gx_proptag_t texts[] = {PidTagInternetMessageId, PidTagSubject, PidTagNormalizedSubject,
		PidTagSenderName, PidTagSenderEmailAddress, PidTagMessageClass, PidTagBody};
	static const gx_proptag_t times[] = {PidTagClientSubmitTime, PidTagMessageDeliveryTime, PidTagCreationTime};
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); ++i) {
		const char *s = gx_proplist_str(&m->props, texts[i], "");
		mix(&h, s, strlen(s) + 1);
	}
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); ++i) {
		const struct gx_propval *pv = gx_proplist_get(&m->props, times[i]);
		if (pv != NULL)
			mix(&h, &pv->v.time, sizeof(pv->v.time));
	}
	const struct gx_propval *key = gx_proplist_get(&m->props, PidTagSearchKey);
	if (key != NULL && GX_PROP_TYPE(key->tag) == PtypBinary)
		mix(&h, key->v.bin.data, key->v.bin.len);
	mix(&h, &m->rcpt_count, sizeof(m->rcpt_count));
	mix(&h, &m->att_count, sizeof(m->att_count));
	return h;
}

/* '=' cannot stand before '_' in quoted-printable, '_' not in base64; plain parts avoid "=_" (mailout_part.c). */
const char *gx_mailout__boundary(struct gx_mailout *w)
{
	const char *s = gx_arena_printf(w->a, "=_gx_%016llx_%u", (unsigned long long)w->seed, ++w->boundaries);
	if (s == NULL)
		gx_mailout__fail(w, GX_E_NOMEM);
	return s == NULL ? "=_gx" : s;
}

void gx_mailout__delimiter(struct gx_mailout *w, const char *boundary, bool last)
{
	gx_push_printf(w->out, "\r\n--%s%s\r\n", boundary, last ? "--" : "");
}

void gx_mailout__message(struct gx_mailout *w, const struct gx_msgobj *m)
{
	if (w->depth >= GX_MAILOUT_MAX_DEPTH) {
		gx_mailout__fail(w, GX_E_DEPTH);
		return;
	}
	uint64_t seed = w->seed;
	++w->depth;
	w->seed = seed_of(m) + w->depth;
	gx_mailout__header(w, m);
	gx_mailout__body(w, m);
	w->seed = seed;
	--w->depth;
}

int gx_msg_to_mail(const struct gx_mailconv_env *env, const struct gx_msgobj *m, struct gx_bin original,
	unsigned flags, struct gx_push *out)
{
	struct gx_mailout w = {.env = env, .original = original, .out = out, .flags = flags};
	w.a = gx_arena_new(0);
	if (w.a == NULL)
		return GX_E_NOMEM;
	gx_mailout__message(&w, m);
	gx_arena_free(w.a);
	return w.err != 0 ? w.err : out->err;
}
