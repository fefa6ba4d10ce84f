/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/htmltext.h>
#include <gx/restr.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/message/msg-int.h"

/* What of a message is looked for by its words. */

#define TEXT_MAX (16U << 20)    /* of a message; what is longer is looked through each time */
#define ATTACH_MAX (2U << 20)   /* of a text attachment */
#define DEPTH_MAX 16U

struct reading {
	struct gx_txn *t;
	struct gx_arena *a;
	struct gx_bin skel;      /* of the outermost message */
	struct gx_push *out;
	struct gx_idlist *inner;
	bool cut;                /* there is more than what was said */
};

static void say(struct reading *x, const char *s, size_t n)
{
	if (x->out->len >= TEXT_MAX) {
		x->cut = x->cut || n > 0;
		return;
	}
	if (n > TEXT_MAX - x->out->len) {
		n = TEXT_MAX - x->out->len;
		x->cut = true;
	}
	gx_fuzzy_form(s, n, x->out);
	gx_push_u8(x->out, '\n'); /* two fields are not one text */
}

/* The value of a property, wherever it is held. 1, 0 absent. */
static int value(struct reading *x, const struct gx_proplist *l, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	for (size_t i = 0; i < l->count; i++) {
		if (GX_PROP_ID(l->v[i].tag) != GX_PROP_ID(tag))
			continue;
		*ret_pv = l->v[i];
		int err = ret_pv->tag & GX_PROW_EXTERN ? gx_msg__resolve(x->t, x->skel, x->a, ret_pv) : 0;
		return err != 0 ? err : 1;
	}
	return 0;
}

static int say_string(struct reading *x, const struct gx_proplist *l, gx_proptag_t tag)
{
	struct gx_propval pv;
	int r = value(x, l, tag, &pv);
	uint16_t type = r > 0 ? GX_PROP_TYPE(pv.tag) : 0;
	if (r > 0 && (type == PtypString || type == PtypString8) && *pv.v.str != '\0')
		say(x, pv.v.str, strlen(pv.v.str));
	return r < 0 ? r : 0;
}

static int say_strings(struct reading *x, const struct gx_proplist *l, const gx_proptag_t *tags, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = say_string(x, l, tags[i]);
		if (err != 0)
			return err;
	}
	return 0;
}

static int say_bytes(struct reading *x, struct gx_bin b, uint32_t cp, bool html)
{
	struct gx_push words = GX_PUSH_INIT;
	char *s;
	size_t n;
	int err = gx_cp_to_utf8(x->a, cp, b.data, b.len, &s, &n, NULL);
	if (err != 0)
		return err;
	if (!html) {
		say(x, s, n);
		return 0;
	}
	gx_html_text(s, n, &words);
	err = words.err;
	if (err == 0)
		say(x, (const char *)words.data, words.len);
	gx_push_release(&words);
	return err;
}

/* PidTagSubject is computed where it is not stored. */
static int say_subject(struct reading *x, const struct gx_proplist *l)
{
	struct gx_propval prefix, rest;
	int r = value(x, l, PidTagSubjectPrefix, &prefix);
	if (r > 0)
		r = value(x, l, PidTagNormalizedSubject, &rest);
	if (r <= 0)
		return r;
	const char *whole = gx_arena_printf(x->a, "%s%s", prefix.v.str, rest.v.str);
	if (whole == NULL)
		return GX_E_NOMEM;
	say(x, whole, strlen(whole));
	return 0;
}

static uint32_t html_cp(const struct gx_proplist *l)
{
	return (uint32_t)gx_proplist_i32(l, PidTagInternetCodepage, GX_CP_UTF8);
}

static int say_html(struct reading *x, const struct gx_proplist *l, const struct gx_propval *pv)
{
	if (GX_PROP_TYPE(pv->tag) == PtypBinary)
		return say_bytes(x, pv->v.bin, html_cp(l), true);
	return say_bytes(x, (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)}, GX_CP_UTF8, true);
}

struct bodies {
	struct reading *x;
	const struct gx_proplist *l;
};

static int read_body(void *ctx, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	const struct bodies *b = ctx;
	(void)a;
	int r = value(b->x, b->l, tag, ret_pv);
	return r == 0 || (r > 0 && ret_pv->tag != tag) ? GX_E_NOTFOUND : r < 0 ? r : 0;
}

/* HTML without a converter has its text nevertheless. */
static int say_plain_html(struct reading *x, const struct gx_proplist *l, const struct gx_propval *html)
{
	struct gx_push plain = GX_PUSH_INIT;
	struct gx_bin b = html->v.bin;
	char *s;
	size_t n;
	if (GX_PROP_TYPE(html->tag) != PtypBinary)
		return 0;
	int err = gx_cp_to_utf8(x->a, html_cp(l), b.data, b.len, &s, &n, NULL);
	if (err != 0)
		return err;
	gx_html_plain(s, n, &plain);
	err = plain.err;
	if (err == 0)
		say(x, (const char *)plain.data, plain.len);
	gx_push_release(&plain);
	return err;
}

/*
 * Formats that the message lacks are looked at like those that it has, so the index knows their words: plain text
 * by restrictions, HTML by who reads it as an internet message. What nobody here can read is looked at each time.
 */
static int say_bodies(struct reading *x, const struct gx_proplist *l)
{
	struct bodies ctx = {x, l};
	const struct gx_bodies b = {.s = x->t->s, .get = read_body, .ctx = &ctx, .native = gx_msg__native_body(l)};
	struct gx_propval html, made;
	bool rtf = gx_prop__by_id(l, PidTagRtfCompressed) != NULL, plain = gx_prop__by_id(l, PidTagBody) != NULL;
	int r = value(x, l, PidTagHtml, &html), err = r <= 0 ? r : say_html(x, l, &html);
	if (err == 0 && r == 0 && rtf && (err = gx_bodies__make(&b, PidTagHtml, x->a, &made)) == 0)
		err = say_html(x, l, &made);
	err = err == GX_E_NOTFOUND ? 0 : err;
	if (err != 0 || plain)
		return err;
	x->cut = x->cut || (rtf && x->t->s->convert == NULL);
	err = gx_bodies__make(&b, PidTagBody, x->a, &made);
	if (err == 0)
		say(x, made.v.str, strlen(made.v.str));
	else if (err == GX_E_NOTFOUND)
		err = r > 0 ? say_plain_html(x, l, &html) : 0;
	return err;
}

static int unpack(struct reading *x, struct gx_bin row, struct gx_proplist *ret_l)
{
	uint8_t *kept = gx_arena_memdup(x->a, row.data, row.len);
	*ret_l = (struct gx_proplist){0};
	return kept == NULL ? GX_E_NOMEM : gx_prow_unpack(x->a, kept, row.len, ret_l);
}

static int say_rcpts(struct reading *x, struct gx_bin b)
{
	static const gx_proptag_t tags[] = {PidTagDisplayName, PidTagSmtpAddress, PidTagEmailAddress};
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	size_t n = gx_pull_count(&c, b.len == 0 ? 0 : gx_pull_varint(&c), 1);
	for (size_t i = 0; i < n && c.err == 0; i++) {
		struct gx_proplist l;
		size_t len = (size_t)gx_pull_varint(&c);
		const uint8_t *p = gx_pull_bytes(&c, len);
		int err = p == NULL ? GX_E_FORMAT : unpack(x, (struct gx_bin){p, len}, &l);
		if (err == 0)
			err = say_strings(x, &l, tags, 3);
		if (err != 0)
			return err;
	}
	return c.err;
}

/* Attachments of text are looked through like bodies; the rest has a name only. */
static int say_attachment(struct reading *x, const struct gx_proplist *l)
{
	static const gx_proptag_t tags[] = {PidTagAttachLongFilename, PidTagAttachFilename, PidTagDisplayName};
	struct gx_propval mime, data;
	int err = say_strings(x, l, tags, 3);
	int r = err != 0 ? err : value(x, l, PidTagAttachMimeTag, &mime);
	if (r <= 0 || (GX_PROP_TYPE(mime.tag) != PtypString && GX_PROP_TYPE(mime.tag) != PtypString8) ||
	    gx_ascii_ncasecmp(mime.v.str, "text/", 5) != 0)
		return r < 0 ? r : 0;
	if ((r = value(x, l, PidTagAttachDataBinary, &data)) <= 0)
		return r;
	if (data.v.bin.len > ATTACH_MAX) {
		x->cut = true;
		return 0;
	}
	const char *charset = gx_proplist_str(l, PidTagTextAttachmentCharset, NULL);
	uint32_t cp = charset == NULL ? 0 : gx_cp_from_charset(charset);
	return say_bytes(x, data.v.bin, cp, gx_ascii_casecmp(mime.v.str + 5, "html") == 0);
}

static int say_body(struct reading *x, uint64_t body, unsigned depth);

static int say_attachments(struct reading *x, uint64_t body, unsigned depth)
{
	GX_STMT(st, x->t->q, "SELECT props,embedded FROM att WHERE body=?1 ORDER BY num");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_proplist l;
		uint64_t embedded = gx_sql__u64(st, 1);
		int err = unpack(x, gx_sql__blob(st, 0), &l);
		if (err == 0)
			err = say_attachment(x, &l);
		if (err == 0 && embedded != 0)
			err = gx_idlist__add(x->inner, embedded);
		if (err == 0 && embedded != 0)
			err = say_body(x, embedded, depth + 1);
		if (err != 0)
			return err;
	}
	return r;
}

/* Length of a field's name; blanks may stand before its colon, [RFC 5322] 4.5. */
static size_t field_name(const char *line)
{
	size_t n = strcspn(line, ":\n");
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	return n;
}

static bool known_field(const char *line, size_t n)
{
	static const char *const v[] = {"Subject", "From", "To", "Cc", "Bcc", "Sender", "Reply-To", "Thread-Topic"};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (strlen(v[i]) == n && gx_ascii_ncasecmp(line, v[i], n) == 0)
			return true;
	return false;
}

/*
 * Fields with encoded words that no property has in the clear: a message with such is always looked at.
 * So is one with several people in From, of whom a property has the first only.
 */
static bool hidden_words(const char *header)
{
	bool known = false;
	for (const char *line = header; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		if (*line != ' ' && *line != '\t')
			known = known_field(line, field_name(line));
		bool from = field_name(line) == 4 && gx_ascii_ncasecmp(line, "From", 4) == 0;
		if (memmem(line, n, "=?", 2) != NULL && (!known || (from && memchr(line, ',', n) != NULL)))
			return true;
		line += line[n] == '\0' ? n : n + 1;
	}
	return false;
}

/* "Name :value" reads as "Name: value". */
static void spaced(const char *header, struct gx_push *out)
{
	for (const char *line = header; *line != '\0';) {
		size_t n = strcspn(line, "\n"), name = strcspn(line, ":\n");
		bool field = *line != ' ' && *line != '\t' && name < n;
		n += line[n] == '\n';
		if (field) {
			gx_push_bytes(out, line, field_name(line));
			gx_push_str(out, ": ");
			gx_push_bytes(out, line + name + 1, n - name - 1);
		} else {
			gx_push_bytes(out, line, n);
		}
		line += n;
	}
}

static int say_header(struct reading *x, const struct gx_proplist *l)
{
	struct gx_propval pv;
	int r = value(x, l, PidTagTransportMessageHeaders, &pv);
	if (r <= 0 || (GX_PROP_TYPE(pv.tag) != PtypString && GX_PROP_TYPE(pv.tag) != PtypString8))
		return r < 0 ? r : 0;
	struct gx_push fields = GX_PUSH_INIT;
	spaced(pv.v.str, &fields);
	int err = fields.err;
	if (err == 0)
		say(x, (const char *)fields.data, fields.len);
	gx_push_release(&fields);
	x->cut = x->cut || hidden_words(pv.v.str);
	return err;
}

static int say_own(struct reading *x, struct gx_bin props, struct gx_bin rcpts)
{
	static const gx_proptag_t tags[] = {
		PidTagSubject, PidTagNormalizedSubject, PidTagSenderName, PidTagSenderSmtpAddress, PidTagSenderEmailAddress,
		PidTagSentRepresentingName, PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingEmailAddress, PidTagDisplayTo,
		PidTagDisplayCc, PidTagDisplayBcc, PidTagReplyRecipientNames, PidTagConversationTopic, PidTagBody, PidTagDisplayName,
	};
	struct gx_proplist l;
	int err = unpack(x, props, &l);
	if (err == 0)
		err = say_strings(x, &l, tags, sizeof(tags) / sizeof(tags[0]));
	if (err == 0)
		err = say_header(x, &l);
	if (err == 0)
		err = say_subject(x, &l);
	if (err == 0)
		err = say_bodies(x, &l);
	return err != 0 ? err : say_rcpts(x, rcpts);
}

static int say_body(struct reading *x, uint64_t body, unsigned depth)
{
	if (depth > DEPTH_MAX) {
		x->cut = true;
		return 0;
	}
	{
		GX_STMT(st, x->t->q, "SELECT props,rcpts,skeleton FROM body WHERE id=?1");
		gx_sql__bind_int(st, 1, (int64_t)body);
		int r = gx_sql__step(st);
		if (r <= 0)
			return r == 0 ? GX_E_NOTFOUND : r;
		struct gx_bin skel = gx_sql__blob(st, 2);
		if (depth == 0) {
			uint8_t *kept = gx_arena_memdup(x->a, skel.data, skel.len);
			if (kept == NULL)
				return GX_E_NOMEM;
			x->skel = (struct gx_bin){kept, skel.len};
		}
		int err = say_own(x, gx_sql__blob(st, 0), gx_sql__blob(st, 1));
		if (err != 0)
			return err;
	}
	return say_attachments(x, body, depth);
}

int gx_fts__text(struct gx_txn *t, uint64_t body, struct gx_push *out, struct gx_idlist *inner, bool *ret_whole)
{
	struct reading x = {.t = t, .a = gx_arena_new(0), .out = out, .inner = inner};
	if (x.a == NULL)
		return GX_E_NOMEM;
	int err = say_body(&x, body, 0);
	gx_arena_free(x.a);
	if (err == 0)
		*ret_whole = !x.cut;
	return err != 0 ? err : out->err;
}
