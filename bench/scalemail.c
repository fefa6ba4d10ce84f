/* SPDX-License-Identifier: Apache-2.0 */
/* Mail as people write it, made of numbers: the same in every run. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <gx/codec.h>
#include <gx/strbuf.h>
#include "bench/scale.h"

#define WORDS 2000U
#define ATTACHED 75000U

static char words[WORDS][12];

static unsigned hash(unsigned x)
{
	x = (x ^ x >> 16) * 0x7feb352dU;
	x = (x ^ x >> 15) * 0x846ca68bU;
	return x ^ x >> 16;
}

static void make_words(void)
{
	static const char c[] = "bcdfghjklmnprstvwtrsnd", v[] = "aeiouea";
	for (unsigned i = 0; i < WORDS; i++) {
		unsigned h = hash(i + 77), len = 2 + h % 7;
		for (unsigned k = 0; k < len; k++, h = hash(h))
			words[i][k] = (k + i) % 2 == 0 ? c[h % (sizeof(c) - 1)] : v[h % (sizeof(v) - 1)];
	}
}

/* Few words are frequent, most are seldom. */
static const char *word(unsigned h)
{
	uint64_t u = h % 65536;
	if (words[0][0] == '\0')
		make_words();
	return words[u * u / 65536 * u / 65536 * WORDS / 65536];
}

/* Who writes, out of 1,000, some more than others. */
static unsigned sender(unsigned i)
{
	uint64_t u = hash(i * 3 + 1) % 65536;
	return (unsigned)(u * u / 65536 * 1000 / 65536);
}

struct letter {
	char name[40], address[60], subject[100], id[60];
	unsigned minute, second;
};

static void describe(unsigned i, struct letter *l)
{
	unsigned who = sender(i), h = hash(i);
	snprintf(l->name, sizeof(l->name), "%s %s", word(who * 977), word(hash(who) | 0x8000));
	l->name[0] = (char)(l->name[0] - 32);
	snprintf(l->address, sizeof(l->address), "%s.%u@mail%u.example.org", word(who * 977), who, who % 7);
	snprintf(l->subject, sizeof(l->subject), "%s%s %s %s %s %u", h % 3 == 0 ? "Re: " : "", word(hash(h)),
		word(hash(h + 1)), word(hash(h + 2)), word(hash(h + 3)), h % 1000);
	snprintf(l->id, sizeof(l->id), "<%08x.%08x@mail%u.example.org>", h, hash(h + 4), who % 7);
	l->minute = i / 60 % 60;
	l->second = i % 60;
}

static void put_text(struct gx_strbuf *b, unsigned i, size_t size)
{
	unsigned h = hash(i + 1000000007U), column = 0;
	if (i % 10 == 3)
		gx_strbuf_adds(b, "the " SCALE_COMMON " figures ");
	if (i % 20000 == 777)
		gx_strbuf_adds(b, "a " SCALE_RARE " of it ");
	while (b->len < size) {
		h = h * 1664525U + 1013904223U;
		const char *w = word(h >> 16);
		column += (unsigned)strlen(w) + 1;
		gx_strbuf_adds(b, w);
		gx_strbuf_adds(b, column > 68 ? "\r\n" : h >> 12 & 15 ? " " : ", ");
		column = column > 68 ? 0 : column;
	}
	gx_strbuf_truncate(b, size);
}

static void put_head(struct gx_strbuf *b, const struct letter *l, unsigned i, const char *type)
{
	gx_strbuf_printf(b,
		"Return-Path: <%s>\r\nReceived: from mx%u.example.net (mx%u.example.net [192.0.2.%u])\r\n"
		"\tby mail.example.org (Postfix) with ESMTPS id %08X\r\n"
		"\tfor <u@example.org>; Mon, 16 Nov 2026 10:%02u:%02u +0100 (CET)\r\n",
		l->address, i % 5, i % 5, i % 250, hash(i + 5), l->minute, l->second);
	gx_strbuf_printf(b,
		"Message-ID: %s\r\nDate: Mon, 16 Nov 2026 10:%02u:%02u +0100\r\nFrom: %s <%s>\r\n"
		"To: The Reader <u@example.org>\r\nSubject: %s\r\n"
		"MIME-Version: 1.0\r\nContent-Type: %s\r\nX-Mailer: Example 1.0\r\n",
		l->id, l->minute, l->second, l->name, l->address, l->subject, type);
}

static void set(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, const char *s)
{
	scale_must(s == NULL ? GX_E_NOMEM : gx_proplist_set_str(l, a, tag, s), "memory");
}

static void set_i32(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, int32_t v)
{
	scale_must(gx_proplist_set_i32(l, a, tag, v), "memory");
}

static void set_people(struct gx_proplist *l, struct gx_arena *a, const struct letter *x)
{
	set(l, a, PidTagSenderName, x->name);
	set(l, a, PidTagSenderSmtpAddress, x->address);
	set(l, a, PidTagSenderEmailAddress, x->address);
	set(l, a, PidTagSenderAddressType, "SMTP");
	set(l, a, PidTagSentRepresentingName, x->name);
	set(l, a, PidTagSentRepresentingSmtpAddress, x->address);
	set(l, a, PidTagSentRepresentingEmailAddress, x->address);
	set(l, a, PidTagSentRepresentingAddressType, "SMTP");
}

/* Everything but texts and attachments, as the mail converter makes it. */
static struct gx_msgobj *object(struct gx_arena *a, const struct letter *x)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	if (m == NULL)
		scale_die("memory", "out of it");
	set(&m->props, a, PidTagSubject, x->subject);
	set(&m->props, a, PidTagNormalizedSubject, x->subject + gx_subject_prefix(x->subject));
	set(&m->props, a, PidTagMessageClass, "IPM.Note");
	set_people(&m->props, a, x);
	set(&m->props, a, PidTagInternetMessageId, x->id);
	set_i32(&m->props, a, PidTagInternetCodepage, 65001);
	set_i32(&m->props, a, PidTagImportance, 1);
	set_i32(&m->props, a, PidTagPriority, 0);
	set_i32(&m->props, a, PidTagSensitivity, 0);
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	if (r == NULL)
		scale_die("memory", "out of it");
	set(r, a, PidTagDisplayName, "The Reader");
	set(r, a, PidTagSmtpAddress, "u@example.org");
	set(r, a, PidTagEmailAddress, "u@example.org");
	set(r, a, PidTagAddressType, "SMTP");
	set_i32(r, a, PidTagRecipientType, 1);
	return m;
}

struct gx_msgobj *scale_object(struct gx_arena *a, unsigned i, size_t size)
{
	struct letter l;
	struct gx_strbuf b = GX_STRBUF_INIT;
	describe(i, &l);
	struct gx_msgobj *m = object(a, &l);
	put_text(&b, i, size);
	set(&m->props, a, PidTagBody, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return m;
}

struct gx_msg_prepared *scale_prepare(struct gx_arena *a, struct gx_msg_source *src)
{
	static struct gx_prepare_ctx *ctx;
	struct gx_msg_prepared *p;
	if (ctx == NULL)
		ctx = gx_prepare_ctx_new();
	src->ctx = ctx;
	scale_must(gx_msg_prepare(a, src, &p), "prepare");
	return p;
}

static struct gx_msg_source source(struct gx_arena *a, const struct gx_msgobj *m, const struct letter *l,
	struct gx_bin mail, const char *structure)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	src.obj = m;
	src.original = mail;
	src.envelope.data = (const uint8_t *)gx_arena_printf(a,
		"(\"Mon, 16 Nov 2026 10:%02u:%02u +0100\" \"%s\" ((\"%s\" NIL \"%s\" \"example.org\"))"
		" ((\"%s\" NIL \"%s\" \"example.org\")) NIL ((\"The Reader\" NIL \"u\" \"example.org\"))"
		" NIL NIL NIL \"%s\")",
		l->minute, l->second, l->subject, l->name, l->address, l->name, l->address, l->id);
	if (src.envelope.data == NULL)
		scale_die("memory", "out of it");
	src.envelope.len = strlen((const char *)src.envelope.data);
	src.bodystructure = (struct gx_bin){(const uint8_t *)structure, strlen(structure)};
	return src;
}

static struct gx_bin bytes(struct gx_arena *a, struct gx_strbuf *b)
{
	struct gx_bin v = {gx_arena_memdup(a, b->s, b->len), b->len};
	if (v.data == NULL)
		scale_die("memory", "out of it");
	gx_strbuf_release(b);
	return v;
}

struct gx_msg_source scale_mail(struct gx_arena *a, unsigned i, size_t size)
{
	struct letter l;
	struct gx_strbuf b = GX_STRBUF_INIT;
	describe(i, &l);
	put_head(&b, &l, i, "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit");
	gx_strbuf_adds(&b, "\r\n");
	size_t head = b.len;
	size = size < head + 20 ? head + 20 : size;
	put_text(&b, i, size);
	struct gx_msgobj *m = object(a, &l);
	m->slices[0] = (struct gx_slice_prop){PidTagBody, {head, size - head, 65001, GX_CTE_7BIT}};
	m->slices[1] = (struct gx_slice_prop){PidTagTransportMessageHeaders, {0, head, 65001, GX_CTE_7BIT}};
	return source(a, m, &l, bytes(a, &b),
		"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 1512 26 NIL NIL NIL NIL)");
}

size_t scale_mail_size(void)
{
	unsigned u = scale_rnd(1000);
	return 900 + u * u / 500; /* 900 to 2,900, 1,570 on average */
}

static void put_picture(struct gx_strbuf *b, unsigned i)
{
	static uint8_t data[ATTACHED];
	struct gx_push out = GX_PUSH_INIT;
	uint64_t x = hash(i) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (size_t k = 0; k < ATTACHED; k++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[k] = (uint8_t)(x >> 32);
	}
	gx_base64_enc_lines(&out, data, ATTACHED);
	gx_push_u8(&out, 0);
	gx_strbuf_adds(b, (const char *)out.data);
	gx_push_release(&out);
}

struct gx_msg_source scale_mail_attachment(struct gx_arena *a, unsigned i)
{
	struct letter l;
	struct gx_strbuf b = GX_STRBUF_INIT;
	describe(i, &l);
	put_head(&b, &l, i, "multipart/mixed; boundary=\"=_b\"");
	gx_strbuf_adds(&b, "\r\n");
	size_t head = b.len;
	gx_strbuf_adds(&b, "--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
	size_t text = b.len;
	put_text(&b, i, text + 900);
	gx_strbuf_adds(&b, "\r\n--=_b\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=p.jpg\r\n\r\n");
	size_t file = b.len;
	put_picture(&b, i);
	size_t end = b.len;
	gx_strbuf_adds(&b, "--=_b--\r\n");
	struct gx_msgobj *m = object(a, &l);
	m->slices[0] = (struct gx_slice_prop){PidTagBody, {text, 900, 65001, GX_CTE_7BIT}};
	m->slices[1] = (struct gx_slice_prop){PidTagTransportMessageHeaders, {0, head, 65001, GX_CTE_7BIT}};
	struct gx_attach *att = gx_msgobj_add_attach(m, a);
	if (att == NULL)
		scale_die("memory", "out of it");
	set(&att->props, a, PidTagAttachLongFilename, "p.jpg");
	set(&att->props, a, PidTagAttachMimeTag, "image/jpeg");
	set_i32(&att->props, a, PidTagAttachMethod, 1);
	att->data = (struct gx_slice_prop){PidTagAttachDataBinary, {file, end - file, 0, GX_CTE_BASE64}};
	return source(a, m, &l, bytes(a, &b),
		"((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 900 12 NIL NIL NIL NIL)"
		"(\"IMAGE\" \"JPEG\" NIL NIL NIL \"BASE64\" 102632 NIL (\"ATTACHMENT\" (\"FILENAME\" \"p.jpg\"))"
		" NIL NIL) \"MIXED\" (\"BOUNDARY\" \"=_b\") NIL NIL NIL)");
}
