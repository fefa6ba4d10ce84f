/* SPDX-License-Identifier: Apache-2.0 */
/* Which part is the body, which an attachment, [MS-OXCMAIL] 2.2.3.3 and 2.2.3.4. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

/* What a part is inside of, beside being somewhere below the root. */
enum { IN_ALTERNATIVE = 1, IN_RELATED = 2 };

static int walk(struct gx_mailin *in, const struct gx_mime_part *p, unsigned where);

static bool is_file(const struct gx_mime_part *p)
{
	return (p->disposition != NULL && strcmp(p->disposition, "attachment") == 0) ||
		gx_mime_param(p->disp_params, "filename") != NULL || gx_mime_param(p->params, "name") != NULL;
}

/* Takes a text part as body if that body is still missing. A text file is one only when it is all there is. */
static bool take_body(struct gx_mailin *in, const struct gx_mime_part *p, unsigned where)
{
	if (strcmp(p->type, "text") != 0 || (is_file(p) && p != in->root))
		return false;
	bool free_place = (in->plain == NULL && in->html == NULL) || (where & IN_ALTERNATIVE);
	if (strcmp(p->subtype, "html") == 0 && in->html == NULL && free_place) {
		in->html = p;
		return true;
	}
	if ((strcmp(p->subtype, "plain") == 0 || strcmp(p->subtype, "enriched") == 0) && in->plain == NULL && free_place) {
		in->plain = p;
		return true;
	}
	return false;
}

/* [RFC 2387] 3.2: the part that "start" names, or the first. */
static const struct gx_mime_part *related_root(const struct gx_mime_part *p)
{
	const char *start = gx_mime_param(p->params, "start");
	for (const struct gx_mime_part *c = p->first_child; start != NULL && c != NULL; c = c->next)
		if (c->content_id != NULL && strcmp(c->content_id, start) == 0)
			return c;
	return p->first_child;
}

static int walk_related(struct gx_mailin *in, const struct gx_mime_part *p, unsigned where)
{
	const struct gx_mime_part *first = related_root(p);
	int err = first == NULL ? 0 : walk(in, first, where);
	for (const struct gx_mime_part *c = p->first_child; c != NULL && err == 0; c = c->next)
		if (c != first)
			err = walk(in, c, where | IN_RELATED);
	return err;
}

static int walk(struct gx_mailin *in, const struct gx_mime_part *p, unsigned where)
{
	if (strcmp(p->type, "multipart") == 0 && p->first_child != NULL) {
		if (strcmp(p->subtype, "related") == 0)
			return walk_related(in, p, where);
		where = strcmp(p->subtype, "alternative") == 0 ? where | IN_ALTERNATIVE : where & ~(unsigned)IN_ALTERNATIVE;
		int err = 0;
		for (const struct gx_mime_part *c = p->first_child; c != NULL && err == 0; c = c->next)
			err = walk(in, c, where);
		return err;
	}
	if (take_body(in, p, where))
		return 0;
	if (p == in->root && strcmp(p->type, "multipart") == 0) { /* no boundary: shown as text */
		in->plain = p;
		return 0;
	}
	bool related = (where & IN_RELATED) && (p->content_id != NULL || p->location != NULL);
	return gx_mailin__attach(in, p, related ? GX_ATT_INLINE : 0);
}

static int set_plain(struct gx_mailin *in)
{
	const struct gx_mime_part *p = in->plain;
	struct gx_slice s = {.off = p->body_off, .len = p->body_len, .cp = gx_mailin__cp(in, p), .cte = p->cte};
	return gx_mailin__set_slice(in, PidTagBody, &s);
}

static int set_html(struct gx_mailin *in)
{
	const struct gx_mime_part *p = in->html;
	struct gx_slice s = {.off = p->body_off, .len = p->body_len, .cp = 0, .cte = p->cte};
	return gx_mailin__set_slice(in, PidTagHtml, &s);
}

int gx_mailin__body(struct gx_mailin *in)
{
	int err = walk(in, in->root, 0);
	if (err != 0)
		return err;
	const struct gx_mime_part *native = in->html != NULL ? in->html : in->plain;
	if (in->plain != NULL)
		err = set_plain(in);
	else if (in->html == NULL)
		err = gx_proplist_set_str(&in->m->props, in->a, PidTagBody, "");
	if (err == 0 && in->html != NULL)
		err = set_html(in);
	uint32_t cp = native == NULL ? 0 : gx_mailin__cp(in, native);
	if (err == 0)
		err = gx_proplist_set_i32(&in->m->props, in->a, PidTagInternetCodepage, (int32_t)(cp == 0 ? GX_CP_UTF8 : cp));
	if (err == 0)
		err = gx_proplist_set_i32(&in->m->props, in->a, PidTagNativeBody, in->html != NULL ? 3 : 1);
	return err;
}
