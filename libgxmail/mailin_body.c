/* SPDX-License-Identifier: Apache-2.0 */
/* Which part is the body, which an attachment, [MS-OXCMAIL] 2.2.3.3 and 2.2.3.4. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

/* Where a part stands. */
struct place {
	const struct gx_mime_part *alternative; /* the innermost multipart/alternative around it */
	bool related, mixed;                    /* its parent is one */
};

static int walk(struct gx_mailin *in, const struct gx_mime_part *p, struct place at);

/* In an alternative a mere name does not make a file of a text: some programs name their bodies. */
static bool is_file(const struct gx_mime_part *p, const struct place *at)
{
	if (p->disposition != NULL && strcmp(p->disposition, "attachment") == 0)
		return true;
	return at->alternative == NULL &&
		(gx_mime_param(p->disp_params, "filename") != NULL || gx_mime_param(p->params, "name") != NULL);
}

static bool take(struct gx_mailin *in, const struct gx_mime_part **io_body, const struct gx_mime_part *p, const struct place *at)
{
	/* The other body must be the same text in another form. */
	bool first = in->plain == NULL && in->html == NULL;
	if (*io_body != NULL || (!first && (at->alternative == NULL || at->alternative != in->alternative)))
		return false;
	*io_body = p;
	in->alternative = at->alternative;
	return true;
}

/* Takes a text part as body if that body is still missing. A text file is one only when it is all there is. */
static bool take_body(struct gx_mailin *in, const struct gx_mime_part *p, const struct place *at)
{
	if (strcmp(p->type, "text") != 0 || (is_file(p, at) && p != in->root))
		return false;
	if (strcmp(p->subtype, "html") == 0)
		return take(in, &in->html, p, at);
	if (strcmp(p->subtype, "plain") == 0 || strcmp(p->subtype, "enriched") == 0)
		return take(in, &in->plain, p, at);
	/* [RFC 2046] 4.1.4: unknown kinds of text can be shown as text; calendars and cards are files. */
	return p == in->root && !is_file(p, at) && strcmp(p->subtype, "calendar") != 0 && strstr(p->subtype, "vcard") == NULL &&
		strcmp(p->subtype, "rtf") != 0 && take(in, &in->plain, p, at);
}

/* Texts between attachments, as some mail programs write them and as lists append them. */
static bool take_more(struct gx_mailin *in, const struct gx_mime_part *p, const struct place *at)
{
	if (!gx_mailin__is(p, "text", "plain") || is_file(p, at) || !at->mixed || in->plain == NULL || in->html != NULL ||
		in->more_count == GX_MAILIN_MAX_MORE)
		return false;
	in->more[in->more_count++] = p;
	return true;
}

/* [RFC 2387] 3.2: the part that "start" names, or the first. */
static const struct gx_mime_part *related_root(const struct gx_mime_part *p)
{
	const char *start = gx_mime_param(p->params, "start");
	size_t n;
	for (const struct gx_mime_part *c = p->first_child; start != NULL && c != NULL; c = c->next) {
		const char *id = gx_mailin__bare_id(c->content_id, &n), *want;
		size_t m;
		want = gx_mailin__bare_id(start, &m);
		if (id != NULL && n == m && n > 0 && memcmp(id, want, n) == 0)
			return c;
	}
	return p->first_child;
}

static int walk_related(struct gx_mailin *in, const struct gx_mime_part *p, struct place at)
{
	const struct gx_mime_part *first = related_root(p);
	int err = first == NULL ? 0 : walk(in, first, at);
	at.related = true;
	for (const struct gx_mime_part *c = p->first_child; c != NULL && err == 0; c = c->next)
		if (c != first)
			err = walk(in, c, at);
	return err;
}

/* The resource fork of a file from a Mac means nothing to others. */
static bool is_resource_fork(const struct gx_mime_part *p)
{
	return gx_mailin__is(p, "application", "applefile") && p->parent != NULL && strcmp(p->parent->subtype, "appledouble") == 0 &&
		p->parent->first_child != p->parent->last_child;
}

static int walk_multipart(struct gx_mailin *in, const struct gx_mime_part *p, struct place at)
{
	int err = 0;
	at.related = at.mixed = false;
	if (strcmp(p->subtype, "related") == 0)
		return walk_related(in, p, at);
	if (strcmp(p->subtype, "alternative") == 0)
		at.alternative = p;
	at.mixed = strcmp(p->subtype, "mixed") == 0;
	for (const struct gx_mime_part *c = p->first_child; c != NULL && err == 0; c = c->next)
		if (!is_resource_fork(c))
			err = walk(in, c, at);
	return err;
}

static int walk(struct gx_mailin *in, const struct gx_mime_part *p, struct place at)
{
	if (strcmp(p->type, "multipart") == 0 && p->first_child != NULL)
		return walk_multipart(in, p, at);
	if (p == in->status || take_body(in, p, &at) || take_more(in, p, &at))
		return 0;
	if (p == in->root && strcmp(p->type, "multipart") == 0) { /* no boundary: shown as text */
		in->plain = p;
		return 0;
	}
	return in->bodies_only ? 0 : gx_mailin__attach(in, p, at.related);
}

/* The texts in between become attachments after all when there is HTML, or too much of them. */
static int settle_more(struct gx_mailin *in)
{
	uint64_t total = in->plain == NULL ? 0 : in->plain->body_len;
	for (size_t i = 0; i < in->more_count; ++i)
		total += in->more[i]->body_len;
	if (in->html == NULL && total <= GX_MAILIN_MAX_JOINED)
		return 0;
	int err = 0;
	for (size_t i = 0; i < in->more_count && err == 0 && !in->bodies_only; ++i)
		err = gx_mailin__attach(in, in->more[i], false);
	in->more_count = 0;
	return err;
}

int gx_mailin__body(struct gx_mailin *in, const struct gx_mime_part *from)
{
	int err = walk(in, from, (struct place){0});
	if (err == 0)
		err = settle_more(in);
	if (err == 0)
		err = gx_mailin__texts(in);
	return err != 0 || in->html == NULL || in->bodies_only ? err : gx_mailin__inline(in);
}
