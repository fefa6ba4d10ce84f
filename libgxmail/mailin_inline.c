/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which attachments does the HTML body show? Only those are hidden from the list of attachments:
 * mail programs give Content-IDs to files too, and put files into multipart/related.
 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

#define MAX_REFERENCES 1000

struct references {
	size_t count;
	struct gx_bin at[MAX_REFERENCES]; /* behind "cid:", to a quote or other end */
};

static bool ends_url(uint8_t c)
{
	return c <= 0x20 || c == '"' || c == '\'' || c == '>' || c == '<' || c == ')' || c == '\\';
}

static void find_references(struct gx_bin html, struct references *r)
{
	const uint8_t *p = html.data, *end = html.data + html.len;
	while (r->count < MAX_REFERENCES && end - p > 4 && (p = memchr(p, ':', (size_t)(end - p))) != NULL) {
		bool cid = p - html.data >= 3 && gx_ascii_ncasecmp((const char *)p - 3, "cid", 3) == 0;
		const uint8_t *from = ++p;
		while (cid && p < end && !ends_url(*p))
			++p;
		if (cid && p > from)
			r->at[r->count++] = (struct gx_bin){from, (size_t)(p - from)};
	}
}

static int hex(uint8_t c)
{
	c |= 0x20;
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* [RFC 2392] 2: the id, with %XX for what a URL cannot hold. */
static bool names(struct gx_bin ref, const char *id)
{
	size_t i = 0;
	for (; i < ref.len && *id != '\0'; ++id) {
		uint8_t c = ref.data[i++];
		if (c == '%' && ref.len - i >= 2 && (uint8_t)*id != '%' && hex(ref.data[i]) >= 0 && hex(ref.data[i + 1]) >= 0) {
			c = (uint8_t)(hex(ref.data[i]) << 4 | hex(ref.data[i + 1]));
			i += 2;
		}
		if (c != (uint8_t)*id)
			return false;
	}
	return i == ref.len && *id == '\0';
}

static bool is_shown(const struct references *r, const struct gx_attach *t, bool related)
{
	const char *id = gx_proplist_str(&t->props, PidTagAttachContentId, NULL);
	if (id == NULL)
		return related && gx_proplist_get(&t->props, PidTagAttachContentLocation) != NULL;
	for (size_t i = 0; i < r->count; ++i)
		if (names(r->at[i], id))
			return true;
	return false;
}

static int mark(struct gx_mailin *in, const struct references *r)
{
	int err = 0;
	for (size_t i = 0; i < in->m->att_count && i < MAX_REFERENCES && err == 0; ++i) {
		struct gx_attach *t = &in->m->atts[i];
		if (t->embedded != NULL || !is_shown(r, t, in->related[i]))
			continue;
		err = gx_proplist_set_i32(&t->props, in->a, PidTagAttachFlags, 4); /* attRenderedInBody */
		if (err == 0)
			err = gx_proplist_set_bool(&t->props, in->a, PidTagAttachmentHidden, true);
	}
	return err;
}

int gx_mailin__inline(struct gx_mailin *in)
{
	size_t i = 0;
	while (i < in->m->att_count && gx_proplist_get(&in->m->atts[i].props, PidTagAttachContentId) == NULL &&
		gx_proplist_get(&in->m->atts[i].props, PidTagAttachContentLocation) == NULL)
		++i;
	if (i == in->m->att_count)
		return 0;
	struct gx_arena *tmp = gx_arena_new(0);
	struct references *r = tmp == NULL ? NULL : gx_arena_new_obj(tmp, struct references);
	struct gx_bin html;
	int err = r == NULL ? GX_E_NOMEM
			    : gx_decode(tmp, in->html->cte, in->data + in->html->body_off, (size_t)in->html->body_len, &html);
	if (err == 0) {
		find_references(html, r);
		err = mark(in, r);
	}
	gx_arena_free(tmp);
	return err;
}
