/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a message: which parts in which multiparts, [MS-OXCMAIL] 2.1.3.2 - 2.1.3.4. */
#include <config.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/charset.h>
#include <gx/namedprop.h>
#include "mailout-int.h"

/* What there is to write. */
struct content {
	const char *plain;       /* NULL: none */
	bool has_html;
	struct gx_bin html;
	const char *html_charset;
	size_t inlined, attached; /* numbers of attachments */
};

static void multipart_begin(struct gx_mailout *w, const char *subtype, const char *boundary)
{
	gx_push_printf(w->out, "Content-Type: multipart/%s;\r\n boundary=\"%s\"\r\n", subtype, boundary);
}

bool gx_mailout__is_inline(const struct gx_attach *att)
{
	const char *cid = gx_proplist_str(&att->props, PidTagAttachContentId, "");
	const char *loc = gx_proplist_str(&att->props, PidTagAttachContentLocation, "");
	bool rendered = (gx_proplist_i32(&att->props, PidTagAttachFlags, 0) & 4) != 0; /* attRenderedInBody */
	return att->embedded == NULL && rendered && (*cid != '\0' || *loc != '\0');
}

bool gx_mailout__has_html(const struct gx_msgobj *m)
{
	for (size_t i = 0; i < sizeof(m->slices) / sizeof(*m->slices) && m->slices[i].tag != 0; ++i)
		if (m->slices[i].tag == PidTagHtml)
			return true;
	return gx_proplist_get(&m->props, PidTagHtml) != NULL || gx_proplist_get(&m->props, PidTagBodyHtml) != NULL;
}

static void find_html(struct gx_mailout *w, const struct gx_msgobj *m, struct content *c)
{
	const char *text = gx_proplist_str(&m->props, PidTagBodyHtml, NULL);
	c->html_charset = "utf-8";
	if (text != NULL) {
		c->html = (struct gx_bin){(const uint8_t *)text, strlen(text)};
		c->has_html = true;
	} else if (gx_mailout__bytes(w, m, PidTagHtml, &c->html)) {
		const char *cs = gx_cp_to_charset((uint32_t)gx_proplist_i32(&m->props, PidTagInternetCodepage, GX_CP_UTF8));
		if (cs != NULL)
			c->html_charset = cs;
		c->has_html = true;
	}
}

/* [MS-OXBBODY] 2.1.3.1: is RTF what the message was written in, or all there is of it? */
static bool rtf_is_best(const struct gx_msgobj *m, bool has_plain)
{
	int32_t native = gx_proplist_i32(&m->props, PidTagNativeBody, 0);
	const struct gx_propval *sync = gx_proplist_get(&m->props, PidTagRtfInSync);
	return !has_plain || native == GX_BODY_RTF || (native == 0 && sync != NULL && sync->v.b);
}

static bool made(struct gx_mailout *w, int to, struct gx_bin rtf, struct gx_bin *ret_b)
{
	int err = gx_bodyconv(GX_BODY_RTF, to, rtf, GX_CP_UTF8, w->a, ret_b, NULL);
	if (err != 0 && err != GX_E_UNSUP)
		gx_mailout__fail(w, err);
	return err == 0;
}

/* Mail cannot say RTF: it goes as what one sees of it. */
static void find_rtf(struct gx_mailout *w, const struct gx_msgobj *m, struct content *c)
{
	struct gx_bin rtf, b;
	bool has_plain = c->plain != NULL && *c->plain != '\0';
	if (!gx_mailout__bytes(w, m, PidTagRtfCompressed, &rtf) || !rtf_is_best(m, has_plain))
		return;
	c->has_html = made(w, GX_BODY_HTML, rtf, &c->html);
	if (has_plain || !made(w, GX_BODY_PLAIN, rtf, &b))
		return;
	c->plain = gx_arena_strndup(w->a, (const char *)b.data, b.len);
	if (c->plain == NULL)
		gx_mailout__fail(w, GX_E_NOMEM);
}

static void plain_part(struct gx_mailout *w, const struct content *c)
{
	const char *s = c->plain == NULL ? "" : c->plain;
	gx_mailout__text_part(w, "text/plain", "utf-8", (struct gx_bin){(const uint8_t *)s, strlen(s)});
}

static void html_part(struct gx_mailout *w, const struct content *c)
{
	gx_mailout__text_part(w, "text/html", c->html_charset, c->html);
}

static void attachments(struct gx_mailout *w, const struct gx_msgobj *m, const char *boundary, bool want_inline, bool html)
{
	for (size_t i = 0; i < m->att_count; ++i) {
		bool in = html && gx_mailout__is_inline(&m->atts[i]);
		if (in != want_inline)
			continue;
		gx_mailout__delimiter(w, boundary, false);
		gx_mailout__attachment(w, &m->atts[i], in);
	}
}

static void html_with_images(struct gx_mailout *w, const struct gx_msgobj *m, const struct content *c)
{
	if (c->inlined == 0) {
		html_part(w, c);
		return;
	}
	const char *b = gx_mailout__boundary(w);
	multipart_begin(w, "related", b);
	gx_mailout__delimiter(w, b, false);
	html_part(w, c);
	attachments(w, m, b, true, true);
	gx_mailout__delimiter(w, b, true);
}

static void text(struct gx_mailout *w, const struct gx_msgobj *m, const struct content *c)
{
	if (!c->has_html) {
		plain_part(w, c);
		return;
	}
	if (c->plain == NULL || *c->plain == '\0') {
		html_with_images(w, m, c);
		return;
	}
	const char *b = gx_mailout__boundary(w);
	multipart_begin(w, "alternative", b);
	gx_mailout__delimiter(w, b, false);
	plain_part(w, c);
	gx_mailout__delimiter(w, b, false);
	html_with_images(w, m, c);
	gx_mailout__delimiter(w, b, true);
}

static bool class_is(const struct gx_msgobj *m, const char *want)
{
	return gx_ascii_casecmp(gx_proplist_str(&m->props, PidTagMessageClass, ""), want) == 0;
}

/* [MS-OXOSMIME] 2.1.1 and 2.1.2: the one attachment is the content, so that signatures stay valid. */
static bool smime(struct gx_mailout *w, const struct gx_msgobj *m)
{
	bool clear = class_is(m, "IPM.Note.SMIME.MultipartSigned");
	if ((!clear && !class_is(m, "IPM.Note.SMIME")) || m->att_count != 1 || m->atts[0].embedded != NULL)
		return false;
	struct gx_bin data = gx_mailout__attach_data(w, &m->atts[0]);
	if (clear) { /* a whole entity, with its own Content-Type */
		gx_push_bytes(w->out, data.data, data.len);
		return true;
	}
	static const struct gx_propname content_type = GX_STR_INIT(PidNameContentType);
	const struct gx_named_propval *nv = gx_msgobj_get_named(m, &content_type);
	const char *name = gx_proplist_str(&m->atts[0].props, PidTagAttachLongFilename, "smime.p7m");
	const char *title = gx_proplist_str(&m->atts[0].props, PidTagDisplayName, name);
	if (nv != NULL && nv->type == PtypString && gx_ascii_ncasecmp(nv->v.str, "application/", 12) == 0) {
		gx_mailout__field_raw(w, "Content-Type", nv->v.str);
	} else {
		gx_push_printf(w->out, "Content-Type: %s", gx_mailout__media_type(&m->atts[0], "application/pkcs7-mime"));
		gx_mailout__param(w, "name", name);
		gx_push_str(w->out, "\r\n");
	}
	gx_push_str(w->out, "Content-Disposition: attachment");
	gx_mailout__param(w, "filename", name);
	gx_push_str(w->out, "\r\n");
	if (strcmp(title, name) != 0)
		gx_mailout__field_text(w, "Content-Description", title);
	gx_push_str(w->out, "Content-Transfer-Encoding: base64\r\n\r\n");
	gx_base64_enc_lines(w->out, data.data, data.len);
	return true;
}

static void find(struct gx_mailout *w, const struct gx_msgobj *m, struct content *c)
{
	c->plain = gx_mailout__text(w, m, PidTagBody);
	find_html(w, m, c);
	if (!c->has_html)
		find_rtf(w, m, c);
	for (size_t i = 0; i < m->att_count; ++i) {
		if (c->has_html && gx_mailout__is_inline(&m->atts[i]))
			++c->inlined;
		else
			++c->attached;
	}
}

void gx_mailout__texts(struct gx_mailout *w, const struct gx_msgobj *m)
{
	struct content c = {0};
	find(w, m, &c);
	text(w, m, &c);
}

void gx_mailout__body(struct gx_mailout *w, const struct gx_msgobj *m)
{
	struct content c = {0};
	gx_push_str(w->out, "MIME-Version: 1.0\r\n");
	if (smime(w, m) || gx_mailout__report(w, m))
		return;
	find(w, m, &c);
	if (c.attached == 0) {
		text(w, m, &c);
		return;
	}
	gx_push_str(w->out, "X-MS-Has-Attach: yes\r\n");
	const char *b = gx_mailout__boundary(w);
	multipart_begin(w, "mixed", b);
	gx_mailout__delimiter(w, b, false);
	text(w, m, &c);
	attachments(w, m, b, false, c.has_html);
	gx_mailout__delimiter(w, b, true);
}
