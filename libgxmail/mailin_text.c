/* SPDX-License-Identifier: Apache-2.0 */
/* The chosen text parts as properties, [MS-OXCMAIL] 2.2.3.3. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

#define META_WITHIN 4096

static int decoded(const struct gx_mailin *in, struct gx_arena *a, const struct gx_mime_part *p, struct gx_bin *ret_b)
{
	return gx_decode(a, p->cte, in->data + p->body_off, (size_t)p->body_len, ret_b);
}

static bool is_flowed(const struct gx_mime_part *p, bool *ret_delsp)
{
	const char *format = gx_mime_param(p->params, "format"), *delsp = gx_mime_param(p->params, "delsp");
	*ret_delsp = delsp != NULL && gx_ascii_casecmp(delsp, "yes") == 0;
	return format != NULL && gx_ascii_casecmp(format, "flowed") == 0 && strcmp(p->subtype, "plain") == 0;
}

/* Code page and way of reading of a plain text. */
static uint32_t text_cp(const struct gx_mailin *in, const struct gx_mime_part *p)
{
	bool delsp;
	uint32_t cp = gx_mailin__cp(in, p);
	return is_flowed(p, &delsp) ? cp | GX_CP_FLOWED | (delsp ? GX_CP_DELSP : 0) : cp;
}

/* [RFC 1896]: commands in angle brackets, "<<" is one; a line end is a space, more of them are one less. */
static void plain_of_enriched(char *s)
{
	char *out = s;
	for (const char *p = s; *p != '\0';) {
		size_t ends = 0;
		for (const char *q = p; *q == '\r' || *q == '\n'; p = ++q)
			ends += *q == '\n';
		if (ends == 1)
			*out++ = ' ';
		for (; ends > 1; --ends)
			*out++ = '\n';
		if (p[0] == '<' && p[1] == '<') {
			*out++ = '<';
			p += 2;
		} else if (*p == '<') {
			const char *end = gx_ascii_ncasecmp(p, "<param>", 7) == 0 ? strstr(p, "</") : p;
			end = strchr(end == NULL ? p : end, '>');
			p = end == NULL ? p + strlen(p) : end + 1;
		} else if (*p != '\0' && *p != '\r' && *p != '\n') {
			*out++ = *p++;
		}
	}
	*out = '\0';
}

static int append_text(struct gx_mailin *in, const struct gx_mime_part *p, struct gx_strbuf *b)
{
	struct gx_bin raw;
	char *s;
	int err = decoded(in, in->a, p, &raw);
	if (err == 0)
		err = gx_cp_to_utf8(in->a, text_cp(in, p), raw.data, raw.len, &s, NULL, NULL);
	if (err != 0)
		return err;
	if (strcmp(p->subtype, "enriched") == 0)
		plain_of_enriched(s);
	if (b->len > 0 && gx_strbuf_cstr(b)[b->len - 1] != '\n')
		gx_strbuf_adds(b, "\r\n");
	gx_strbuf_adds(b, s);
	return b->err;
}

/* What no single piece of the original gives. */
static int set_joined(struct gx_mailin *in)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	int err = append_text(in, in->plain, &b);
	for (size_t i = 0; i < in->more_count && err == 0; ++i)
		err = append_text(in, in->more[i], &b);
	const char *s = err != 0 ? NULL : gx_arena_strdup(in->a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	if (err == 0 && s == NULL)
		err = GX_E_NOMEM;
	return err != 0 ? err : gx_proplist_set_str(&in->m->props, in->a, PidTagBody, s);
}

static int set_plain(struct gx_mailin *in)
{
	const struct gx_mime_part *p = in->plain;
	struct gx_slice s = {.off = p->body_off, .len = p->body_len, .cp = text_cp(in, p), .cte = p->cte};
	bool enriched = strcmp(p->subtype, "enriched") == 0 && p->body_len <= GX_MAILIN_MAX_JOINED;
	return in->more_count > 0 || enriched ? set_joined(in) : gx_mailin__set_slice(in, PidTagBody, &s);
}

static int set_html(struct gx_mailin *in)
{
	const struct gx_mime_part *p = in->html;
	struct gx_slice s = {.off = p->body_off, .len = p->body_len, .cp = 0, .cte = p->cte};
	return gx_mailin__set_slice(in, PidTagHtml, &s);
}

/* "charset=NAME" of a meta element near the beginning; 0 when there is none that is known. */
static uint32_t meta_cp(struct gx_bin html)
{
	const char *s = (const char *)html.data;
	size_t n = html.len > META_WITHIN ? META_WITHIN : html.len;
	for (size_t i = 0; i + 8 < n; ++i) {
		if (gx_ascii_ncasecmp(s + i, "charset=", 8) != 0)
			continue;
		char name[40];
		size_t k = 0;
		for (i += 8; i < n && (s[i] == '"' || s[i] == '\''); ++i)
			continue;
		for (; i < n && k < sizeof(name) - 1 && (unsigned char)s[i] > 0x20 && strchr("\"'/>;", s[i]) == NULL; ++i)
			name[k++] = s[i];
		name[k] = '\0';
		return gx_cp_from_charset(name);
	}
	return 0;
}

/* HTML keeps its bytes, so its code page must be known even where the header does not say it. */
static int html_cp(struct gx_mailin *in, uint32_t *ret_cp)
{
	uint32_t cp = gx_mailin__cp(in, in->html);
	if (cp == 0) {
		struct gx_arena *tmp = gx_arena_new(0);
		struct gx_bin b;
		if (tmp == NULL || decoded(in, tmp, in->html, &b) != 0) {
			gx_arena_free(tmp);
			return GX_E_NOMEM;
		}
		cp = meta_cp(b);
		if (cp == 0 || cp == GX_CP_ASCII || cp == GX_CP_UTF16)
			cp = gx_utf8_valid((const char *)b.data, b.len) ? GX_CP_UTF8 : GX_CP_8BIT;
		gx_arena_free(tmp);
	}
	*ret_cp = cp;
	return 0;
}

int gx_mailin__texts(struct gx_mailin *in)
{
	uint32_t cp = in->plain == NULL ? 0 : gx_mailin__cp(in, in->plain);
	int err = 0;
	if (in->plain != NULL)
		err = set_plain(in);
	else if (in->html == NULL)
		err = gx_proplist_set_str(&in->m->props, in->a, PidTagBody, "");
	if (err == 0 && in->html != NULL)
		err = set_html(in);
	if (err == 0 && in->html != NULL)
		err = html_cp(in, &cp);
	if (err == 0)
		err = gx_proplist_set_i32(&in->m->props, in->a, PidTagInternetCodepage, (int32_t)(cp == 0 ? GX_CP_UTF8 : cp));
	if (err == 0)
		err = gx_proplist_set_i32(&in->m->props, in->a, PidTagNativeBody, in->html != NULL ? 3 : 1);
	return err;
}
