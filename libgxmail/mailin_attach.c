/* SPDX-License-Identifier: Apache-2.0 */
/* Parts as attachments, [MS-OXCMAIL] 2.2.3.4; embedded messages. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailin-int.h"

static int put_str(struct gx_mailin *in, struct gx_attach *t, gx_proptag_t tag, const char *s)
{
	if (s == NULL || *s == '\0')
		return 0;
	s = gx_mailin__utf8(in, s);
	return s == NULL ? GX_E_NOMEM : gx_proplist_set_str(&t->props, in->a, tag, s);
}

static const char *extension_of(const struct gx_mime_part *p)
{
	static const struct {
		const char *type, *ext;
	} rows[] = {{"text/plain", ".txt"}, {"text/html", ".html"}, {"text/calendar", ".ics"}, {"text/vcard", ".vcf"},
		{"text/x-vcard", ".vcf"}, {"text/csv", ".csv"}, {"text/rtf", ".rtf"}, {"text/xml", ".xml"}, {"image/png", ".png"},
		{"image/jpeg", ".jpg"}, {"image/gif", ".gif"}, {"application/pdf", ".pdf"}, {"application/zip", ".zip"},
		{"application/rtf", ".rtf"}, {"application/ms-tnef", ".dat"}, {"application/pkcs7-signature", ".p7s"},
		{"application/pgp-signature", ".asc"}, {"message/rfc822", ".eml"}, {"message/delivery-status", ".txt"},
		{"message/disposition-notification", ".txt"}, {"text/rfc822-headers", ".txt"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); ++i) {
		size_t n = strlen(p->type);
		if (strncmp(rows[i].type, p->type, n) == 0 && rows[i].type[n] == '/' && strcmp(rows[i].type + n + 1, p->subtype) == 0)
			return rows[i].ext;
	}
	return ".dat";
}

static const char *file_name(struct gx_mailin *in, const struct gx_mime_part *p)
{
	const char *s = gx_mime_param(p->disp_params, "filename");
	if (s == NULL || *s == '\0')
		s = gx_mime_param(p->params, "name");
	if (s == NULL || *s == '\0') {
		bool tnef = strcmp(p->type, "application") == 0 && strstr(p->subtype, "ms-tnef") != NULL;
		return tnef ? "winmail.dat" : gx_arena_printf(in->a, "unnamed%s", extension_of(p));
	}
	for (const char *q = s; *q != '\0'; ++q) /* no paths */
		if ((*q == '/' || *q == '\\') && q[1] != '\0')
			s = q + 1;
	char *clean = gx_arena_strdup(in->a, s + strspn(s, " \t\r\n"));
	for (char *q = clean; q != NULL && *q != '\0'; ++q)
		if ((unsigned char)*q < 0x20 || *q == 0x7f)
			*q = '_';
	for (size_t n = clean == NULL ? 0 : strlen(clean); n > 1 && clean[n - 1] == ' '; --n)
		clean[n - 1] = '\0';
	return clean;
}

/* A name of eight and three characters, [MS-OXCMSG] 2.2.2.11. */
static const char *short_name(struct gx_mailin *in, const char *name)
{
	const char *dot = strrchr(name, '.');
	char base[9], ext[5];
	size_t nb = 0, ne = 0;
	for (const char *p = name; *p != '\0' && p != dot && nb < 8; ++p)
		if ((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f && strchr("\"*+,./:;<=>?[\\]|", *p) == NULL)
			base[nb++] = *p;
	for (const char *p = dot == NULL ? "" : dot + 1; *p != '\0' && ne < 3; ++p)
		if ((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f)
			ext[ne++] = *p;
	base[nb] = ext[ne] = '\0';
	return gx_arena_printf(in->a, "%s%s%s", nb == 0 ? "FILE" : base, ne == 0 ? "" : ".", ext);
}

static int names(struct gx_mailin *in, struct gx_attach *t, const struct gx_mime_part *p)
{
	const char *name = file_name(in, p), *brief = name == NULL ? NULL : short_name(in, name);
	if (brief == NULL)
		return GX_E_NOMEM;
	const char *dot = strrchr(name, '.');
	int err = put_str(in, t, PidTagAttachLongFilename, name);
	if (err == 0)
		err = put_str(in, t, PidTagAttachFilename, brief);
	if (err == 0)
		err = put_str(in, t, PidTagAttachExtension, dot);
	char *title = NULL;
	if (err == 0 && p->description != NULL)
		err = gx_mime_decode_text(in->a, p->description, in->env->default_cp, &title);
	return err != 0 ? err : put_str(in, t, PidTagDisplayName, title != NULL && *title != '\0' ? title : name);
}

static int put_time(struct gx_mailin *in, struct gx_attach *t, gx_proptag_t tag, const char *value)
{
	int64_t sec;
	int offset;
	if (value == NULL || gx_mime_date(value, &sec, &offset) != 0)
		return 0;
	return gx_proplist_set_time(&t->props, in->a, tag, gx_nttime_from_unix(sec, 0));
}

static const char *bare_id(struct gx_mailin *in, const char *id)
{
	size_t n;
	id = gx_mailin__bare_id(id, &n);
	return id == NULL ? NULL : gx_arena_strndup(in->a, id, n);
}

static const char *header_value(const struct gx_mime_part *p, const char *name)
{
	const struct gx_mime_header *h = gx_mime_header(p, name);
	return h == NULL ? NULL : h->value + strspn(h->value, " \t");
}

static int details(struct gx_mailin *in, struct gx_attach *t, const struct gx_mime_part *p)
{
	const char *charset = strcmp(p->type, "text") == 0 ? gx_mime_param(p->params, "charset") : NULL;
	/* A multipart without parts is just bytes. */
	const char *mime = strcmp(p->type, "multipart") == 0 ? "application/octet-stream"
							      : gx_arena_printf(in->a, "%s/%s", p->type, p->subtype);
	int err = mime == NULL ? GX_E_NOMEM : put_str(in, t, PidTagAttachMimeTag, mime);
	const struct {
		gx_proptag_t tag;
		const char *s;
	} texts[] = {
		{PidTagAttachContentId, bare_id(in, p->content_id)},
		{PidTagAttachContentLocation, p->location},
		{PidTagAttachContentBase, header_value(p, "Content-Base")},
		{PidTagTextAttachmentCharset, charset},
		{PidTagAttachPayloadClass, header_value(p, "X-Payload-Class")},
		{PidTagAttachPayloadProviderGuidString, header_value(p, "X-Payload-Provider-Guid")},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && err == 0; ++i)
		err = put_str(in, t, texts[i].tag, texts[i].s);
	if (err == 0)
		err = put_time(in, t, PidTagCreationTime, gx_mime_param(p->disp_params, "creation-date"));
	if (err == 0)
		err = put_time(in, t, PidTagLastModificationTime, gx_mime_param(p->disp_params, "modification-date"));
	return err;
}

static int embedded(struct gx_mailin *in, struct gx_attach *t, const struct gx_mime_part *p)
{
	struct gx_mailin inner = {.a = in->a, .env = in->env, .data = in->data, .root = p->first_child, .depth = in->depth + 1};
	inner.m = gx_msgobj_new(in->a);
	int err = inner.m == NULL ? GX_E_NOMEM : gx_mailin__message(&inner);
	if (err != 0)
		return err;
	t->embedded = inner.m;
	err = gx_proplist_set_i32(&t->props, in->a, PidTagAttachMethod, 5); /* afEmbeddedMessage */
	return err != 0 ? err : put_str(in, t, PidTagDisplayName, gx_proplist_str(&inner.m->props, PidTagSubject, "unnamed"));
}

int gx_mailin__attach(struct gx_mailin *in, const struct gx_mime_part *p, bool related)
{
	struct gx_attach *t = gx_msgobj_add_attach(in->m, in->a);
	bool *r = gx_arena_grow(in->a, in->related, &in->related_cap, in->m->att_count, sizeof(*r));
	if (t == NULL || r == NULL)
		return GX_E_NOMEM;
	in->related = r;
	in->related[in->m->att_count - 1] = related;
	int err = gx_proplist_set_i32(&t->props, in->a, PidTagRenderingPosition, -1);
	if (err != 0)
		return err;
	if (strcmp(p->type, "message") == 0 && p->first_child != NULL && in->depth < GX_MAILIN_MAX_DEPTH)
		return embedded(in, t, p);
	err = gx_proplist_set_i32(&t->props, in->a, PidTagAttachMethod, 1); /* afByValue */
	if (err == 0)
		err = names(in, t, p);
	if (err == 0)
		err = details(in, t, p);
	if (err != 0 || p->body_len > 0) {
		t->data = (struct gx_slice_prop){PidTagAttachDataBinary, {.off = p->body_off, .len = p->body_len, .cp = 0, .cte = p->cte}};
		return err;
	}
	return gx_proplist_set_bin(&t->props, in->a, PidTagAttachDataBinary, "", 0);
}
