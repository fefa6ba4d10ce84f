/* SPDX-License-Identifier: Apache-2.0 */
/* Leaf parts: texts in the shortest fitting encoding, attachments, embedded messages. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailout-int.h"

#define MAX_LINE 998 /* [RFC 5322] 2.1.1 */

struct shape {
	size_t odd;       /* bytes that quoted-printable would escape */
	bool eight_bit, nul, long_line, bare, boundary;
};

static struct shape shape_of(struct gx_bin t)
{
	struct shape s = {0};
	size_t line = 0;
	for (size_t i = 0; i < t.len; ++i) {
		uint8_t c = t.data[i];
		if (c == '\n') {
			s.bare |= i == 0 || t.data[i - 1] != '\r';
			line = 0;
			continue;
		}
		if (c == '\r' && (i + 1 == t.len || t.data[i + 1] != '\n'))
			s.bare = true;
		s.odd += c >= 0x7f || c == '=' || (c < 0x20 && c != '\t' && c != '\r');
		s.eight_bit |= c >= 0x80;
		s.nul |= c == 0;
		s.long_line |= ++line > MAX_LINE;
		s.boundary |= c == '=' && i + 1 < t.len && t.data[i + 1] == '_';
	}
	return s;
}

void gx_mailout__text_part(struct gx_mailout *w, const char *type, const char *charset, struct gx_bin text)
{
	struct shape s = shape_of(text);
	bool ascii = !s.eight_bit && !s.nul;
	gx_push_printf(w->out, "Content-Type: %s; charset=%s\r\n", type,
		ascii && gx_ascii_casecmp(charset, "utf-8") == 0 ? "us-ascii" : charset);
	if (ascii && !s.long_line && !s.bare && !s.boundary) {
		gx_push_str(w->out, "Content-Transfer-Encoding: 7bit\r\n\r\n");
		gx_push_bytes(w->out, text.data, text.len);
	} else if (s.odd <= text.len / 6 && !s.nul) {
		gx_push_str(w->out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		gx_qp_enc(w->out, text.data, text.len, true);
	} else {
		gx_push_str(w->out, "Content-Transfer-Encoding: base64\r\n\r\n");
		gx_base64_enc_lines(w->out, text.data, text.len);
	}
}

static bool is_media_type(const char *s)
{
	const char *slash = strchr(s, '/');
	if (slash == NULL || slash == s || slash[1] == '\0')
		return false;
	for (; *s != '\0'; ++s)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || (s != slash && strchr("()<>@,;:\\\"/[]?=", *s) != NULL))
			return false;
	return true;
}

/* Multiparts may not be encoded, so their bytes travel as an opaque file. */
const char *gx_mailout__media_type(const struct gx_attach *att, const char *otherwise)
{
	const char *type = gx_proplist_str(&att->props, PidTagAttachMimeTag, "");
	return !is_media_type(type) || gx_ascii_ncasecmp(type, "multipart/", 10) == 0 ? otherwise : type;
}

/* message/... may not be encoded either, [RFC 2046] 5.2; of whole messages the reader would make objects. */
static bool fits_unencoded(const char *type, struct gx_bin data)
{
	struct shape s = shape_of(data);
	return gx_ascii_casecmp(type, "message/rfc822") != 0 && gx_ascii_casecmp(type, "message/global") != 0 &&
		!s.eight_bit && !s.nul && !s.long_line && !s.bare && !s.boundary;
}

static void angle_field(struct gx_mailout *w, const char *field, const char *id)
{
	if (id == NULL || *id == '\0')
		return;
	gx_mailout__field_raw(w, field, *id == '<' ? id : gx_arena_printf(w->a, "<%s>", id));
}

static void date_param(struct gx_mailout *w, const struct gx_attach *att, const char *name, gx_proptag_t tag)
{
	const struct gx_propval *t = gx_proplist_get(&att->props, tag);
	char text[40];
	if (t == NULL || GX_PROP_TYPE(t->tag) != PtypTime || t->v.time == 0)
		return;
	gx_mime_date_print(gx_nttime_to_unix(t->v.time, NULL), 0, text);
	gx_mailout__param(w, name, text);
}

static void disposition(struct gx_mailout *w, const struct gx_attach *att, bool is_inline, const char *name)
{
	gx_push_printf(w->out, "Content-Disposition: %s", is_inline ? "inline" : "attachment");
	gx_mailout__param(w, "filename", name);
	date_param(w, att, "creation-date", PidTagCreationTime);
	date_param(w, att, "modification-date", PidTagLastModificationTime);
	gx_push_str(w->out, "\r\n");
}

/* [RFC 2046] 5.2.1: no encoding but 7bit, 8bit, binary. */
static void embedded(struct gx_mailout *w, const struct gx_attach *att)
{
	struct gx_push inner = GX_PUSH_INIT, *outer = w->out;
	w->out = &inner;
	gx_mailout__message(w, att->embedded);
	w->out = outer;
	if (inner.err != 0)
		gx_mailout__fail(w, inner.err);
	bool ascii = inner.err == 0 && gx_ascii_only((const char *)inner.data, inner.len);
	gx_push_str(outer, "Content-Type: message/rfc822\r\n");
	disposition(w, att, false, gx_proplist_str(&att->props, PidTagDisplayName, ""));
	gx_push_printf(outer, "Content-Transfer-Encoding: %s\r\n\r\n", ascii ? "7bit" : "8bit");
	if (inner.err == 0)
		gx_push_bytes(outer, inner.data, inner.len);
	gx_push_release(&inner);
}

void gx_mailout__attachment(struct gx_mailout *w, const struct gx_attach *att, bool is_inline)
{
	if (att->embedded != NULL) {
		embedded(w, att);
		return;
	}
	const struct gx_proplist *l = &att->props;
	const char *type = gx_mailout__media_type(att, "application/octet-stream");
	const char *name = gx_proplist_str(l, PidTagAttachLongFilename, "");
	if (*name == '\0')
		name = gx_proplist_str(l, PidTagAttachFilename, "");
	struct gx_bin data = gx_mailout__attach_data(w, att);
	bool plain = gx_ascii_ncasecmp(type, "message/", 8) == 0;
	if (plain && !fits_unencoded(type, data)) {
		type = "application/octet-stream";
		plain = false;
	}
	gx_push_printf(w->out, "Content-Type: %s", type);
	gx_mailout__param(w, "charset", gx_proplist_str(l, PidTagTextAttachmentCharset, ""));
	gx_mailout__param(w, "name", name);
	gx_push_str(w->out, "\r\n");
	disposition(w, att, is_inline, name);
	angle_field(w, "Content-ID", gx_proplist_str(l, PidTagAttachContentId, NULL));
	gx_mailout__field_raw(w, "Content-Location", gx_proplist_str(l, PidTagAttachContentLocation, NULL));
	gx_mailout__field_raw(w, "Content-Base", gx_proplist_str(l, PidTagAttachContentBase, NULL));
	const char *title = gx_proplist_str(l, PidTagDisplayName, NULL);
	if (title != NULL && strcmp(title, name) != 0)
		gx_mailout__field_text(w, "Content-Description", title);
	gx_mailout__field_raw(w, "X-Payload-Class", gx_proplist_str(l, PidTagAttachPayloadClass, NULL));
	gx_mailout__field_raw(w, "X-Payload-Provider-Guid", gx_proplist_str(l, PidTagAttachPayloadProviderGuidString, NULL));
	if (plain) {
		gx_push_str(w->out, "Content-Transfer-Encoding: 7bit\r\n\r\n");
		gx_push_bytes(w->out, data.data, data.len);
		return;
	}
	gx_push_str(w->out, "Content-Transfer-Encoding: base64\r\n\r\n");
	gx_base64_enc_lines(w->out, data.data, data.len);
}
