/* SPDX-License-Identifier: Apache-2.0 */
/* SEARCH keys that need the message itself: HEADER, BODY, TEXT. */
#include <config.h>
#include <gx/charset.h>
#include <gx/htmltext.h>
#include "libgxproto/imap/search-int.h"

static bool failed(struct imap_subject *m, gx_ec ec)
{
	if (gx_ec_failed(ec) && !gx_ec_failed(m->ec))
		m->ec = ec;
	return gx_ec_failed(ec);
}

static bool need_whole(struct imap_subject *m)
{
	if (m->root != NULL)
		return true;
	gx_push_clear(m->whole);
	m->has_mime = false;
	if (failed(m, gx_msg_original(m->t, m->e->mid, 0, UINT64_MAX, m->whole)) ||
	    failed(m, gx_ec_from_err(m->whole->err)))
		return false;
	return !failed(m, gx_ec_from_err(gx_mime_parse(m->a, NULL, m->whole->data, m->whole->len, &m->root)));
}

static bool value_has(struct imap_subject *m, const struct gx_mime_header *h, const char *needle, size_t len)
{
	char *text;
	if (gx_mime_decode_text(m->a, h->value, 0, &text) != 0)
		return !failed(m, gx_ec_from_err(GX_E_NOMEM));
	return gx_utf8_casestr(text, strlen(text), needle, len);
}

bool gx_imap__search_header(struct imap_subject *m, const char *name, const char *needle, size_t len)
{
	if (!need_whole(m))
		return false;
	for (const struct gx_mime_header *h = m->root->headers; h != NULL; h = h->next)
		if (gx_ascii_casecmp(h->name, name) == 0 && (len == 0 || value_has(m, h, needle, len)))
			return true;
	return false;
}

static bool headers_have(struct imap_subject *m, const struct gx_mime_part *p, const char *needle, size_t len)
{
	for (const struct gx_mime_header *h = p->headers; h != NULL; h = h->next) {
		const char *line = gx_arena_printf(m->a, "%s: ", h->name);
		if (line != NULL && gx_utf8_casestr(line, strlen(line), needle, len))
			return true;
		if (value_has(m, h, needle, len))
			return true;
	}
	return false;
}

/* Code pages in which bytes below 0x80 are not always ASCII: UTF-16, UTF-32, UTF-7, ISO-2022, HZ. */
static bool shifts(uint32_t cp)
{
	return cp == 1200 || cp == 1201 || cp == 12000 || cp == 12001 || cp == GX_CP_UTF7 ||
	       (cp >= 50220 && cp <= 50229) || cp == 52936;
}

/* What is searched is what a reader sees. */
static bool html_has(struct imap_subject *m, struct gx_bin raw, uint32_t cp, const char *needle, size_t len)
{
	struct gx_push words = GX_PUSH_INIT;
	char *text;
	size_t text_len;
	if (failed(m, gx_ec_from_err(gx_cp_to_utf8(m->a, cp, raw.data, raw.len, &text, &text_len, NULL))))
		return false;
	gx_html_text(text, text_len, &words);
	bool has = !failed(m, gx_ec_from_err(words.err)) && gx_utf8_casestr((const char *)words.data, words.len, needle, len);
	gx_push_release(&words);
	return has;
}

static bool part_has(struct imap_subject *m, const struct gx_mime_part *p, const char *needle, size_t len)
{
	struct gx_bin raw = {m->whole->data + p->body_off, p->body_len};
	const char *charset = gx_mime_param(p->params, "charset");
	uint32_t cp = charset == NULL ? 0 : gx_cp_from_charset(charset);
	char *text;
	size_t text_len;
	if (p->cte == GX_CTE_QP || p->cte == GX_CTE_BASE64 || p->cte == GX_CTE_UUENCODE) {
		if (failed(m, gx_ec_from_err(gx_decode(m->a, p->cte, raw.data, raw.len, &raw))))
			return false;
	}
	if (strcmp(p->subtype, "html") == 0)
		return html_has(m, raw, cp, needle, len);
	if (cp == GX_CP_UTF8 || (!shifts(cp) && gx_ascii_only((const char *)raw.data, raw.len)))
		return gx_utf8_casestr((const char *)raw.data, raw.len, needle, len);
	if (failed(m, gx_ec_from_err(gx_cp_to_utf8(m->a, cp, raw.data, raw.len, &text, &text_len, NULL))))
		return false;
	return gx_utf8_casestr(text, text_len, needle, len);
}

bool gx_imap__search_body(struct imap_subject *m, const char *needle, size_t len, bool headers)
{
	if (!need_whole(m))
		return false;
	for (const struct gx_mime_part *p = m->root; p != NULL; p = gx_mime_next(m->root, p)) {
		/* the header of a message inside is text of the outer one's body; what only describes a part is no text */
		bool inside = p->parent != NULL && strcmp(p->parent->type, "message") == 0;
		if (((headers && p->parent == NULL) || inside) && headers_have(m, p, needle, len))
			return true;
		if (p->first_child == NULL && strcmp(p->type, "text") == 0 && part_has(m, p, needle, len))
			return true;
	}
	return false;
}
