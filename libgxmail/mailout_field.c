/* SPDX-License-Identifier: Apache-2.0 */
/* Single header fields: folding, encoding, addresses. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailout-int.h"
#include "mime-int.h"

#define FOLD_AT 76
#define MAX_QUOTED 200

static void put(struct gx_mailout *w, struct gx_strbuf *b)
{
	if (b->err != 0)
		gx_mailout__fail(w, b->err);
	else
		gx_push_bytes(w->out, gx_strbuf_cstr(b), b->len);
	gx_strbuf_release(b);
}

void gx_mailout__field_text(struct gx_mailout *w, const char *name, const char *utf8)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	if (utf8 == NULL || *utf8 == '\0')
		return;
	gx_strbuf_printf(&b, "%s: ", name);
	gx_mime_encode_text(&b, utf8, b.len);
	gx_strbuf_adds(&b, "\r\n");
	put(w, &b);
}

void gx_mailout__field_raw(struct gx_mailout *w, const char *name, const char *value)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	size_t column;
	if (value == NULL)
		return;
	value += strspn(value, " \t\r\n");
	if (*value == '\0')
		return;
	if (!gx_ascii_only(value, strlen(value))) {
		gx_mailout__field_text(w, name, value);
		return;
	}
	gx_strbuf_printf(&b, "%s:", name);
	column = b.len;
	while (*value != '\0') {
		size_t n = strcspn(value, " \t\r\n");
		if (column + 1 + n > FOLD_AT && column > strlen(name) + 1) {
			gx_strbuf_adds(&b, "\r\n");
			column = 0;
		}
		gx_strbuf_addc(&b, ' ');
		gx_strbuf_add(&b, value, n);
		column += 1 + n;
		value += n;
		value += strspn(value, " \t\r\n");
	}
	gx_strbuf_adds(&b, "\r\n");
	put(w, &b);
}

void gx_mailout__field_time(struct gx_mailout *w, const char *name, gx_nttime_t t)
{
	char text[40];
	if (t == 0)
		return;
	gx_mime_date_print(gx_nttime_to_unix(t, NULL), 0, text);
	gx_push_printf(w->out, "%s: %s\r\n", name, text);
}

static bool is_attr_char(unsigned char c) /* [RFC 2231] 7 */
{
	return c > 0x20 && c < 0x7f && strchr("*'%()<>@,;:\\\"/[]?=", c) == NULL;
}

static void quoted(struct gx_strbuf *b, const char *s)
{
	gx_strbuf_addc(b, '"');
	for (; *s != '\0'; ++s) {
		if (*s == '"' || *s == '\\')
			gx_strbuf_addc(b, '\\');
		gx_strbuf_addc(b, (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
	}
	gx_strbuf_addc(b, '"');
}

/* One segment of an extended parameter value; @return what is left. */
static const char *segment(struct gx_strbuf *b, const char *s, size_t room)
{
	while (*s != '\0') {
		size_t n = is_attr_char((unsigned char)*s) ? 1 : 3;
		if (n > room)
			break;
		if (n == 1)
			gx_strbuf_addc(b, *s);
		else
			gx_strbuf_printf(b, "%%%02X", (unsigned char)*s);
		room -= n;
		++s;
	}
	return s;
}

/* [RFC 2231] 3 and 4: name*0*=utf-8''..., continued on as many lines as it takes. */
static void extended_param(struct gx_strbuf *b, const char *name, const char *utf8)
{
	size_t encoded = 0;
	for (const char *p = utf8; *p != '\0'; ++p)
		encoded += is_attr_char((unsigned char)*p) ? 1 : 3;
	if (encoded + strlen(name) < 60) {
		gx_strbuf_printf(b, ";\r\n %s*=utf-8''", name);
		segment(b, utf8, encoded);
		return;
	}
	for (unsigned i = 0; *utf8 != '\0'; ++i) {
		gx_strbuf_printf(b, ";\r\n %s*%u*=%s", name, i, i == 0 ? "utf-8''" : "");
		utf8 = segment(b, utf8, 54);
	}
}

void gx_mailout__param(struct gx_mailout *w, const char *name, const char *utf8)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	size_t len = strlen(utf8);
	if (len == 0)
		return;
	if (gx_ascii_only(utf8, len) && len < 60) {
		gx_strbuf_printf(&b, ";\r\n %s=", name);
		quoted(&b, utf8);
	} else {
		extended_param(&b, name, utf8);
	}
	put(w, &b);
}

static bool is_phrase(const char *s) /* atoms and single spaces only, [RFC 5322] 3.2.3 */
{
	for (; *s != '\0'; ++s)
		if ((unsigned char)*s <= 0x1f || *s == 0x7f || strchr("()<>[]:;@\\,.\"", *s) != NULL || (*s == ' ' && s[1] == ' '))
			return false;
	return true;
}

static bool has_controls(const char *s)
{
	for (; *s != '\0'; ++s)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static bool is_dot_atom(const char *s, size_t n) /* [RFC 5322] 3.2.3, and UTF-8 by [RFC 6532] */
{
	for (size_t i = 0; i < n; ++i)
		if ((unsigned char)s[i] <= 0x20 || s[i] == 0x7f || strchr("()<>[]:;@\\,\"", s[i]) != NULL)
			return false;
	return n > 0;
}

void gx_mailout__addr_spec(struct gx_strbuf *b, const char *address)
{
	const char *at = strrchr(address, '@'), *p = address;
	size_t n = at == NULL ? strlen(address) : (size_t)(at - address);
	bool quote = !is_dot_atom(address, n);
	if (quote)
		gx_strbuf_addc(b, '"');
	for (; p < address + n; ++p) {
		if (*p == '"' || *p == '\\')
			gx_strbuf_addc(b, '\\');
		gx_strbuf_addc(b, (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
	}
	if (quote)
		gx_strbuf_addc(b, '"');
	const char *never = at != NULL && at[1] == '[' ? "()<>,;@\\\"" : "()<>,;@\\\":[]"; /* address literals have brackets */
	if (*p == '@')
		gx_strbuf_addc(b, *p++);
	for (; *p != '\0'; ++p)
		if ((unsigned char)*p > 0x20 && *p != 0x7f && strchr(never, *p) == NULL)
			gx_strbuf_addc(b, *p);
}

void gx_mailout__mailbox(struct gx_mailout *w, struct gx_strbuf *b, size_t column, const char *name, const char *address)
{
	if (name != NULL && *name != '\0' && (address == NULL || strcmp(name, address) != 0)) {
		if (!gx_ascii_only(name, strlen(name)) || has_controls(name) || strstr(name, "=?") != NULL || strlen(name) > MAX_QUOTED)
			gx_mime__encode_phrase(b, name, column);
		else if (is_phrase(name))
			gx_strbuf_adds(b, name);
		else
			quoted(b, name);
		gx_strbuf_addc(b, ' ');
	}
	gx_strbuf_addc(b, '<');
	if (address != NULL)
		gx_mailout__addr_spec(b, address);
	gx_strbuf_addc(b, '>');
}

/* [MS-OXCMAIL] 2.2.3.1.3: an address of another type inside an SMTP address. */
static const char *encapsulate(struct gx_mailout *w, const char *type, const char *email)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "IMCEA%s-", type);
	for (; *email != '\0'; ++email) {
		unsigned char c = (unsigned char)*email;
		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '=')
			gx_strbuf_addc(&b, (char)c);
		else if (c == '/')
			gx_strbuf_addc(&b, '_');
		else
			gx_strbuf_printf(&b, "+%02X", c);
	}
	gx_strbuf_adds(&b, "@invalid");
	const char *s = b.err == 0 ? gx_arena_strdup(w->a, gx_strbuf_cstr(&b)) : NULL;
	gx_strbuf_release(&b);
	if (s == NULL)
		gx_mailout__fail(w, GX_E_NOMEM);
	return s;
}

const char *gx_mailout__address(struct gx_mailout *w, const struct gx_proplist *l, gx_proptag_t smtp, gx_proptag_t type,
	gx_proptag_t email)
{
	const char *s = gx_proplist_str(l, smtp, NULL);
	if (s != NULL && *s != '\0')
		return s;
	s = gx_proplist_str(l, email, NULL);
	if (s == NULL || *s == '\0')
		return NULL;
	const char *t = gx_proplist_str(l, type, "SMTP");
	return gx_ascii_casecmp(t, "SMTP") == 0 || *t == '\0' ? s : encapsulate(w, t, s);
}
