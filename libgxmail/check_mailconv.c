/* SPDX-License-Identifier: Apache-2.0 */
/* Internet message to object and back; the way back is also in check_mailout.c. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/charset.h>
#include <gx/mailconv.h>
#include <gx/namedprop.h>

static struct gx_arena *a;
static struct gx_bin mail;
static struct gx_msgobj *m;
static struct gx_mailconv_env env;

static void setup(void)
{
	a = gx_arena_new(0);
	env = (struct gx_mailconv_env){.clock = gx_clock_system()};
}

static void teardown(void)
{
	gx_arena_free(a);
}

/* A message of exactly these bytes, converted. */
static void convert(const char *text, size_t len)
{
	struct gx_mime_part *root;
	uint8_t *copy = gx_arena_memdup(a, text, len);
	mail = (struct gx_bin){copy, len};
	ck_assert_int_eq(gx_mime_parse(a, NULL, copy, len, &root), 0);
	ck_assert_int_eq(gx_mail_to_msg(a, &env, copy, len, root, &m), 0);
}

static const char *str(const struct gx_proplist *l, gx_proptag_t tag)
{
	return gx_proplist_str(l, tag, "(none)");
}

static struct gx_bin slice_bytes(const struct gx_slice *s)
{
	struct gx_bin b;
	ck_assert_uint_le(s->off + s->len, mail.len);
	ck_assert_int_eq(gx_decode(a, s->cte, mail.data + s->off, s->len, &b), 0);
	return b;
}

static const struct gx_slice *slice(const struct gx_msgobj *x, gx_proptag_t tag)
{
	for (size_t i = 0; i < 4 && x->slices[i].tag != 0; ++i)
		if (x->slices[i].tag == tag)
			return &x->slices[i].slice;
	return NULL;
}

static const char *body(const struct gx_msgobj *x)
{
	const struct gx_slice *s = slice(x, PidTagBody);
	char *text;
	if (s == NULL)
		return str(&x->props, PidTagBody);
	struct gx_bin b = slice_bytes(s);
	ck_assert_int_eq(gx_cp_to_utf8(a, s->cp, b.data, b.len, &text, NULL, NULL), 0);
	return text;
}

#define CONVERT(text) convert(text, sizeof(text) - 1)

START_TEST(header_fields)
{
	static const struct gx_propname kw = GX_STR_INIT(PidNameKeywords);
	static const struct gx_propname spam = {PS_INTERNET_HEADERS_INIT, true, 0, "x-spam-flag"};
	static const struct gx_propname junk = {PS_INTERNET_HEADERS_INIT, true, 0, "x-any-other"};
	CONVERT("From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n"
		"To: \"Doe, John\" <john@example.net>, undisclosed: a@x.example, b@x.example;\r\n"
		"Cc: carol@example.net\r\n"
		"Bcc: =?iso-8859-1?q?D=E4ve?= <dave@example.net>\r\n"
		"Reply-To: list@example.org, Me <me@example.org>\r\n"
		"Subject: AW: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
		"Date: Sun, 22 Nov 2026 18:10:32 +0100\r\n"
		"Message-ID: <1@example.org>\r\nIn-Reply-To: <0@example.org>\r\nReferences: <x@y>\r\n <0@example.org>\r\n"
		"X-Priority: 1 (Highest)\r\nSensitivity: Company-Confidential\r\nThread-Index: AQIDBA==\r\n"
		"Keywords: red, green\r\nX-Categories: blue\r\nDisposition-Notification-To: me@example.org\r\n"
		"X-Auto-Response-Suppress: OOF, AutoReply\r\nX-Spam-Flag: YES\r\nX-Any-Other: 1\r\n"
		"X-MS-Exchange-Organization-SCL: 5\r\nReply-By: Mon, 23 Nov 2026 00:00:00 GMT\r\n\r\nbody\r\n");
	const struct gx_proplist *l = &m->props;
	ck_assert_str_eq(str(l, PidTagMessageClass), "IPM.Note");
	ck_assert_str_eq(str(l, PidTagSentRepresentingName), "Jörg");
	ck_assert_str_eq(str(l, PidTagSentRepresentingSmtpAddress), "joerg@example.org");
	ck_assert_str_eq(str(l, PidTagSenderEmailAddress), "joerg@example.org");
	ck_assert_str_eq(str(l, PidTagSubject), "AW: Grüße");
	ck_assert_str_eq(str(l, PidTagSubjectPrefix), "AW: ");
	ck_assert_str_eq(str(l, PidTagNormalizedSubject), "Grüße");
	ck_assert_str_eq(str(l, PidTagConversationTopic), "Grüße");
	ck_assert_str_eq(str(l, PidTagInternetMessageId), "<1@example.org>");
	ck_assert_str_eq(str(l, PidTagInternetReferences), "<x@y> <0@example.org>");
	ck_assert_str_eq(str(l, PidTagReplyRecipientNames), "list@example.org;Me");
	ck_assert_int_eq(gx_proplist_i32(l, PidTagImportance, -1), 2);
	ck_assert_int_eq(gx_proplist_i32(l, PidTagSensitivity, -1), 3);
	ck_assert_int_eq(gx_proplist_i32(l, PidTagAutoResponseSuppress, 0), 0x30);
	ck_assert_int_eq(gx_proplist_i32(l, PidTagContentFilterSpamConfidenceLevel, 0), 5);
	ck_assert(gx_proplist_get(l, PidTagReadReceiptRequested)->v.b);
	ck_assert_uint_eq(gx_proplist_get(l, PidTagConversationIndex)->v.bin.len, 4);
	ck_assert_int_eq(gx_nttime_to_unix(gx_proplist_get(l, PidTagClientSubmitTime)->v.time, NULL), 1795367432);
	ck_assert_uint_eq(m->rcpt_count, 5);
	ck_assert_str_eq(str(&m->rcpts[0], PidTagDisplayName), "Doe, John");
	ck_assert_str_eq(str(&m->rcpts[1], PidTagSmtpAddress), "a@x.example");
	ck_assert_int_eq(gx_proplist_i32(&m->rcpts[3], PidTagRecipientType, 0), 2);
	ck_assert_int_eq(gx_proplist_i32(&m->rcpts[4], PidTagRecipientType, 0), 3);
	ck_assert_str_eq(str(&m->rcpts[4], PidTagDisplayName), "Däve");
	const struct gx_named_propval *nv = gx_msgobj_get_named(m, &kw);
	ck_assert_uint_eq(nv->v.mv.count, 3);
	ck_assert_str_eq(nv->v.mv.v[1].str, "green");
	ck_assert_str_eq(gx_msgobj_get_named(m, &spam)->v.str, "YES");
	ck_assert_ptr_null(gx_msgobj_get_named(m, &junk));
	ck_assert_str_eq(body(m), "body\r\n");
	struct gx_bin h = slice_bytes(slice(m, PidTagTransportMessageHeaders));
	ck_assert_int_eq(memcmp(h.data, "From: =?utf-8", 13), 0);
}
END_TEST

START_TEST(subject_prefixes)
{
	static const struct {
		const char *subject, *prefix, *rest;
	} cases[] = {{"Re: x", "Re: ", "x"}, {"RE: RE: x", "RE: ", "RE: x"}, {"Re:x", "(none)", "Re:x"},
		{"Note: x", "(none)", "Note: x"}, {"7: x", "(none)", "7: x"}, {": x", "(none)", ": x"},
		{"Ödé: x", "Ödé: ", "x"}, {"a", "(none)", "a"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); ++i) {
		const char *t = gx_arena_printf(a, "Subject: %s\r\n\r\n", cases[i].subject);
		convert(t, strlen(t));
		ck_assert_str_eq(str(&m->props, PidTagSubjectPrefix), cases[i].prefix);
		ck_assert_str_eq(str(&m->props, PidTagNormalizedSubject), cases[i].rest);
	}
}
END_TEST

START_TEST(bodies_and_attachments)
{
	CONVERT("Content-Type: multipart/mixed; boundary=m\r\n\r\n"
		"--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
		"--r\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
		"--a\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
		"--a\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+eDwvYj48aW1nIHNyYz0iY2lkOnAxQHgiPg==\r\n--a--\r\n"
		"--r\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <p1@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--r--\r\n"
		"--m\r\nContent-Type: application/pdf\r\n"
		"Content-Disposition: attachment; filename*=utf-8''C%3A%5C%C3%9Cbersicht%20der%20Dinge.pdf\r\n\r\nPDF\r\n"
		"--m\r\nContent-Type: text/plain\r\n\r\nfooter of a list\r\n"
		"--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: i@x.example\r\n\r\ninner body\r\n--m--\r\n");
	ck_assert_str_eq(body(m), "Grüße");
	struct gx_bin h = slice_bytes(slice(m, PidTagHtml));
	ck_assert_int_eq(memcmp(h.data, "<b>x</b>", 8), 0);
	ck_assert_int_eq(gx_proplist_i32(&m->props, PidTagInternetCodepage, 0), GX_CP_UTF8);
	ck_assert_int_eq(gx_proplist_i32(&m->props, PidTagNativeBody, 0), 3);
	ck_assert_uint_eq(m->att_count, 4);
	ck_assert_str_eq(str(&m->atts[0].props, PidTagAttachContentId), "p1@x");
	ck_assert_int_eq(gx_proplist_i32(&m->atts[0].props, PidTagAttachFlags, 0), 4);
	ck_assert_uint_eq(slice_bytes(&m->atts[0].data.slice).len, 3);
	ck_assert_str_eq(str(&m->atts[1].props, PidTagAttachLongFilename), "Übersicht der Dinge.pdf");
	ck_assert_str_eq(str(&m->atts[1].props, PidTagAttachFilename), "bersicht.pdf");
	ck_assert_str_eq(str(&m->atts[1].props, PidTagAttachExtension), ".pdf");
	ck_assert_str_eq(str(&m->atts[2].props, PidTagAttachMimeTag), "text/plain");
	ck_assert_ptr_nonnull(m->atts[3].embedded);
	ck_assert_str_eq(str(&m->atts[3].embedded->props, PidTagSubject), "inner");
	ck_assert_str_eq(body(m->atts[3].embedded), "inner body");
}
END_TEST

START_TEST(signed_and_encrypted)
{
	CONVERT("From: a@x.example\r\nContent-Type: multipart/signed; boundary=s;\r\n protocol=\"application/pkcs7-signature\"\r\n\r\n"
		"--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nsig\r\n--s--\r\n");
	ck_assert_str_eq(str(&m->props, PidTagMessageClass), "IPM.Note.SMIME.MultipartSigned");
	ck_assert_str_eq(body(m), "text");
	ck_assert_uint_eq(m->att_count, 1);
	struct gx_bin b = slice_bytes(&m->atts[0].data.slice);
	ck_assert_int_eq(memcmp(b.data, "Content-Type: multipart/signed", 30), 0);
	ck_assert_uint_eq(m->atts[0].data.slice.off + b.len, mail.len);
	CONVERT("Content-Type: multipart/signed; boundary=s; protocol=\"application/pkcs7-signature\"\r\nFrom: a@x.example\r\n\r\n"
		"--s\r\n\r\ntext\r\n--s--\r\n");
	ck_assert_uint_eq(m->atts[0].data.tag, 0);
	const struct gx_propval *pv = gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary);
	ck_assert_int_eq(memcmp(pv->v.bin.data, "Content-Type: multipart/signed", 30), 0);
	CONVERT("Content-Type: multipart/signed; boundary=s; protocol=\"application/pkcs7-signature\"\r\nContent-Language: de-CH\r\n\r\n"
		"--s\r\n\r\ntext\r\n--s--\r\n");
	pv = gx_proplist_get(&m->atts[0].props, PidTagAttachDataBinary);
	ck_assert_ptr_null(memmem(pv->v.bin.data, pv->v.bin.len, "de-CH", 5));
	CONVERT("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n");
	ck_assert_str_eq(str(&m->props, PidTagMessageClass), "IPM.Note.SMIME");
	ck_assert_uint_eq(slice_bytes(&m->atts[0].data.slice).len, 3);
	CONVERT("Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\r\n\r\n"
		"--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n");
	ck_assert_str_eq(str(&m->props, PidTagMessageClass), "IPM.Note");
	ck_assert_str_eq(body(m), "text");
}
END_TEST

START_TEST(reports)
{
	CONVERT("From: MAILER-DAEMON@x.example\r\nTo: sender@example.org\r\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"
		"--r\r\n\r\nSorry.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\n"
		"Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; gone@example.net\r\nAction: failed\r\n"
		"Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such\r\n user\r\n\r\n"
		"Final-Recipient: rfc822;ok@example.net\r\nAction: delivered\r\nStatus: 2.0.0\r\n"
		"--r\r\nContent-Type: message/rfc822\r\n\r\nSubject: original\r\n\r\nx\r\n--r--\r\n");
	ck_assert_str_eq(str(&m->props, PidTagMessageClass), "REPORT.IPM.Note.NDR");
	ck_assert_str_eq(str(&m->props, PidTagReportingMessageTransferAgent), "mx.example.net");
	ck_assert_uint_eq(m->rcpt_count, 1);
	ck_assert_str_eq(str(&m->props, PidTagReceivedBySmtpAddress), "sender@example.org");
	ck_assert_str_eq(str(&m->rcpts[0], PidTagSmtpAddress), "gone@example.net");
	ck_assert_int_eq(gx_proplist_i32(&m->rcpts[0], PidTagNonDeliveryReportStatusCode, 0), 511);
	ck_assert_str_eq(str(&m->rcpts[0], PidTagSupplementaryInfo), "550 5.1.1 no such user");
	ck_assert_str_eq(body(m), "Sorry.");
	ck_assert_str_eq(str(&m->atts[m->att_count - 1].embedded->props, PidTagSubject), "original");
	CONVERT("Content-Type: multipart/report; report-type=disposition-notification; boundary=r\r\n\r\n"
		"--r\r\n\r\nread\r\n--r\r\nContent-Type: message/disposition-notification\r\n\r\n"
		"Original-Message-ID: <m@x>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n--r--\r\n");
	ck_assert_str_eq(str(&m->props, PidTagMessageClass), "REPORT.IPM.Note.IPNRN");
	ck_assert_str_eq(str(&m->props, PidTagOriginalMessageId), "<m@x>");
}
END_TEST

START_TEST(odd_input)
{
	CONVERT("");
	ck_assert_str_eq(body(m), "");
	CONVERT("no header at all\r\n");
	CONVERT("Content-Type: text/plain; charset=us-ascii\r\n\r\nGr\xfc\xdf" "e\r\n");
	ck_assert_str_eq(body(m), "Grüße\r\n");
	CONVERT("Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\ntext\r\n");
	ck_assert_str_eq(body(m), "--x\r\n\r\ntext\r\n");
	CONVERT("Content-Type: application/pdf; name=a.pdf\r\n\r\nPDF");
	ck_assert_uint_eq(m->att_count, 1);
	ck_assert_str_eq(body(m), "");
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (int i = 0; i < 60; ++i)
		gx_strbuf_adds(&b, "Content-Type: message/rfc822\r\n\r\n");
	convert(gx_strbuf_cstr(&b), b.len);
	unsigned depth = 0;
	for (const struct gx_msgobj *x = m; x->att_count == 1 && x->atts[0].embedded != NULL; x = x->atts[0].embedded)
		++depth;
	ck_assert_uint_eq(depth, 20);
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(more_fields)
{
	static const struct gx_propname request = GX_LID_INIT(PidLidFlagRequest);
	static const struct gx_propname sharing = GX_STR_INIT(PidNameXSharingFlavor);
	static const struct gx_propname received = {PS_INTERNET_HEADERS_INIT, true, 0, "received"};
	CONVERT("Received: from a by b; Sun, 22 Nov 2026 18:10:32 +0100\r\nReturn-Path: <x@x>\r\n"
		"From: Boss <boss@example.org>\r\nSender: boss@example.org\r\nSubject:\r\n"
		"Content-Language: xx, de-CH-1996\r\nX-Unsent: 1\r\nX-Message-Flag: Call back\r\n"
		"X-Priority: 1\r\nImportance: normal\r\nX-Sharing-Flavor: 20310\r\nAuto-Submitted: auto-replied\r\n"
		"References: <a@x>\r\n\t<b@x>\r\nDisposition-Notification-To: Office <office@example.org>\r\n"
		"X-MS-Exchange-Organization-SenderIdResult: SoftFail\r\nX-Spam-Level: \r\n\r\n");
	const struct gx_proplist *l = &m->props;
	ck_assert_str_eq(str(l, PidTagSenderName), "Boss");
	ck_assert_int_eq(gx_proplist_i32(l, PidTagMessageLocaleId, 0), 0x0807);
	ck_assert_int_eq(gx_proplist_i32(l, PidTagMessageFlags, 0), 8);
	ck_assert_str_eq(gx_msgobj_get_named(m, &request)->v.str, "Call back");
	ck_assert_int_eq(gx_proplist_i32(l, PidTagFlagStatus, 0), 2);
	ck_assert_ptr_null(gx_proplist_get(l, PidTagImportance));
	ck_assert_str_eq(gx_msgobj_get_named(m, &sharing)->v.str, "20310");
	ck_assert_int_eq(gx_proplist_i32(l, PidTagAutoResponseSuppress, 0), -1);
	ck_assert_str_eq(str(l, PidTagInternetReferences), "<a@x> <b@x>");
	ck_assert_str_eq(str(l, PidTagReadReceiptSmtpAddress), "office@example.org");
	ck_assert_int_eq(gx_proplist_i32(l, PidTagSenderIdStatus, 0), 4);
	ck_assert_ptr_null(gx_proplist_get(l, PidTagSubject));
	ck_assert_ptr_null(gx_proplist_get(l, PidTagMessageDeliveryTime));
	ck_assert_ptr_null(gx_msgobj_get_named(m, &received));
	ck_assert_uint_eq(m->named_count, 3);
	CONVERT("Content-Type: message/rfc822\r\n\r\nReceived: x;\r\n Sun, 22 Nov 2026 18:10:32 +0100\r\n"
		"Date: Sun, 22 Nov 2026 18:00:00 +0100\r\nReceived: y; 1 Jan 2020 00:00:00 +0000\r\n\r\n");
	l = &m->atts[0].embedded->props;
	ck_assert_int_eq(gx_nttime_to_unix(gx_proplist_get(l, PidTagMessageDeliveryTime)->v.time, NULL), 1795367432);
}
END_TEST

START_TEST(alternatives)
{
	/* HTML in a mixed inside of the alternative, as Apple Mail writes it */
	CONVERT("Content-Type: multipart/alternative; boundary=a\r\n\r\n"
		"--a\r\nContent-Type: text/plain; name=body.txt\r\n\r\nplain\r\n"
		"--a\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/html\r\n\r\n<p>html\r\n"
		"--m\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nPDF\r\n--m--\r\n--a--\r\n");
	ck_assert_str_eq(body(m), "plain");
	ck_assert_ptr_nonnull(slice(m, PidTagHtml));
	ck_assert_uint_eq(m->att_count, 1);
	/* another text's HTML would hide the first text */
	CONVERT("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nfirst\r\n"
		"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
		"--a\r\n\r\nsecond\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>second\r\n--a--\r\n--m--\r\n");
	ck_assert_str_eq(body(m), "first");
	ck_assert_ptr_null(slice(m, PidTagHtml));
	ck_assert_uint_eq(m->att_count, 2);
}
END_TEST

START_TEST(texts)
{
	CONVERT("Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdf" "e\r\n"
		"--m\r\nContent-Type: image/png; name=p.png\r\n\r\nx\r\n--m\r\nContent-Disposition: inline\r\n\r\nfooter\r\n"
		"--m\r\nContent-Disposition: attachment\r\n\r\nfile\r\n--m--\r\n");
	ck_assert_str_eq(body(m), "Grüße\r\nfooter");
	ck_assert_uint_eq(m->att_count, 2);
	CONVERT("Content-Type: text/plain; format=flowed; charset=utf-8\r\n\r\n"
		"A paragraph \r\nin two lines.\r\n>> quoted \r\n>> on\r\n> less\r\n \r\n >no quote\r\nopen \r\n-- \r\nme\r\n");
	ck_assert_str_eq(body(m), "A paragraph in two lines.\r\n>> quoted on\r\n> less\r\n\r\n>no quote\r\nopen \n-- \r\nme\r\n");
	CONVERT("Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\nDampfschiff \r\nfahrt\r\nend ");
	ck_assert_str_eq(body(m), "Dampfschifffahrt\r\nend");
	CONVERT("Content-Type: text/enriched\r\n\r\n<bold>Fett</bold> <param>red</param>und\r\ndann <<b>\r\n\r\n\r\nneu\r\n");
	ck_assert_str_eq(body(m), "Fett und dann <b>\n\nneu ");
	CONVERT("Content-Type: text/markdown\r\n\r\n# Title");
	ck_assert_str_eq(body(m), "# Title");
	CONVERT("Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR");
	ck_assert_uint_eq(m->att_count, 1);
}
END_TEST

START_TEST(html_code_pages)
{
	static const struct {
		const char *text;
		int32_t cp;
	} cases[] = {
		{"Content-Type: text/html\r\n\r\n<meta charset=\"koi8-r\"><p>\xf0", 20866},
		{"Content-Type: text/html; charset=windows-1251\r\n\r\n<meta charset=koi8-r><p>\xf0", 1251},
		{"Content-Type: text/html\r\n\r\n<p>Gr\xfc\xdf" "e", 1252},
		{"Content-Type: text/html; charset=us-ascii\r\n\r\n<p>Grüße", 65001},
		{"Content-Type: text/html; charset=x-none\r\n\r\n<meta charset=", 65001},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); ++i) {
		convert(cases[i].text, strlen(cases[i].text));
		ck_assert_int_eq(gx_proplist_i32(&m->props, PidTagInternetCodepage, 0), cases[i].cp);
	}
}
END_TEST

START_TEST(pictures)
{
	CONVERT("Content-Type: multipart/related; boundary=r; start=\"root@x\"\r\n\r\n"
		"--r\r\nContent-Type: image/png; name=1.png\r\nContent-ID: <a@x>\r\n\r\n1\r\n"
		"--r\r\nContent-Type: text/html\r\nContent-ID: <root@x>\r\n\r\n<img src='CID:a%40x'><a href=\"mailto:b@x\">\r\n"
		"--r\r\nContent-Type: application/pdf; name=2.pdf\r\nContent-ID: <b@x>\r\n\r\n2\r\n"
		"--r\r\nContent-Type: image/gif\r\nContent-Location: http://x/y.gif\r\n\r\n3\r\n--r--\r\n");
	ck_assert_uint_eq(m->att_count, 3);
	ck_assert_ptr_nonnull(gx_proplist_get(&m->atts[0].props, PidTagAttachmentHidden));
	ck_assert_ptr_null(gx_proplist_get(&m->atts[1].props, PidTagAttachmentHidden));
	ck_assert_ptr_nonnull(gx_proplist_get(&m->atts[2].props, PidTagAttachmentHidden));
	CONVERT("Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\n\r\ntext\r\n"
		"--r\r\nContent-Type: image/png\r\nContent-ID: <a@x>\r\n\r\n1\r\n--r--\r\n");
	ck_assert_ptr_null(gx_proplist_get(&m->atts[0].props, PidTagAttachmentHidden));
}
END_TEST

START_TEST(odd_files)
{
	CONVERT("Content-Type: multipart/mixed; boundary=m\r\n\r\n"
		"--m\r\nContent-Type: application/ms-tnef\r\n\r\nx\r\n"
		"--m\r\nContent-Type: multipart/appledouble; boundary=d\r\n\r\n--d\r\nContent-Type: application/applefile\r\n\r\nfork\r\n"
		"--d\r\nContent-Type: image/jpeg; name=\"../p\x01q.jpg \"\r\n\r\ndata\r\n--d--\r\n"
		"--m\r\nContent-Type: message/delivery-status\r\n\r\nx: y\r\n--m--\r\n");
	ck_assert_uint_eq(m->att_count, 3);
	ck_assert_str_eq(str(&m->atts[0].props, PidTagAttachLongFilename), "winmail.dat");
	ck_assert_str_eq(str(&m->atts[1].props, PidTagAttachLongFilename), "p_q.jpg");
	ck_assert_str_eq(str(&m->atts[2].props, PidTagAttachMimeTag), "message/delivery-status");
	CONVERT("Content-Type: application/pdf\r\nContent-Location: http://x/Gr\xfc\r\n\r\nx");
	ck_assert_str_eq(str(&m->atts[0].props, PidTagAttachContentLocation), "http://x/Grü");
}
END_TEST

/* Names that would be something else unless they are quoted or encoded as a whole. */
START_TEST(awkward_names)
{
	static const char *const names[] = {"Doe, Jörg", "Jörg (Vertrieb, EU) <x>", "a  b", "a \"b\" \\ c", "=?x?=", "x;y:z@w", "名前, 東京"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); ++i) {
		struct gx_msgobj *x = gx_msgobj_new(a);
		struct gx_push out = GX_PUSH_INIT;
		struct gx_proplist *l = gx_msgobj_add_rcpt(x, a);
		ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagDisplayName, names[i]), 0);
		ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagSmtpAddress, i % 2 ? "a b@x.example" : "o'hara@x.example"), 0);
		ck_assert_int_eq(gx_msg_to_mail(&env, x, (struct gx_bin){NULL, 0}, 0, &out), 0);
		convert((const char *)out.data, out.len);
		ck_assert_uint_eq(m->rcpt_count, 1);
		ck_assert_str_eq(str(&m->rcpts[0], PidTagDisplayName), names[i]);
		ck_assert_str_eq(str(&m->rcpts[0], PidTagSmtpAddress), i % 2 ? "a b@x.example" : "o'hara@x.example");
		gx_push_release(&out);
	}
}
END_TEST

/* Many fields of a kind must not cost memory by their square. */
START_TEST(many_fields)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (int i = 0; i < 9000; ++i)
		gx_strbuf_printf(&b, "Keywords: k%d\r\nReply-To: r%d@x\r\n", i, i);
	gx_strbuf_adds(&b, "\r\n");
	struct gx_arena *keep = a;
	a = gx_arena_new((size_t)64 << 20);
	convert(gx_strbuf_cstr(&b), b.len);
	gx_arena_free(a);
	a = keep;
	gx_strbuf_release(&b);
}
END_TEST

static void compare(const struct gx_msgobj *x, const struct gx_msgobj *y)
{
	static const gx_proptag_t tags[] = {PidTagMessageClass, PidTagSubject, PidTagSenderName, PidTagSenderSmtpAddress,
		PidTagSentRepresentingName, PidTagInternetMessageId, PidTagInternetReferences, PidTagReplyRecipientNames};
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); ++i)
		ck_assert_str_eq(str(&x->props, tags[i]), str(&y->props, tags[i]));
	ck_assert_int_eq(gx_proplist_i32(&x->props, PidTagImportance, 1), gx_proplist_i32(&y->props, PidTagImportance, 1));
	ck_assert_uint_eq(x->rcpt_count, y->rcpt_count);
	for (size_t i = 0; i < x->rcpt_count; ++i) {
		ck_assert_str_eq(str(&x->rcpts[i], PidTagDisplayName), str(&y->rcpts[i], PidTagDisplayName));
		ck_assert_str_eq(str(&x->rcpts[i], PidTagSmtpAddress), str(&y->rcpts[i], PidTagSmtpAddress));
	}
	ck_assert_uint_eq(x->att_count, y->att_count);
	for (size_t i = 0; i < x->att_count; ++i) {
		ck_assert_str_eq(str(&x->atts[i].props, PidTagAttachLongFilename), str(&y->atts[i].props, PidTagAttachLongFilename));
		ck_assert_int_eq(x->atts[i].embedded == NULL, y->atts[i].embedded == NULL);
		if (x->atts[i].embedded != NULL)
			compare(x->atts[i].embedded, y->atts[i].embedded);
	}
}

START_TEST(there_and_back)
{
	CONVERT("From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nSender: s@example.org\r\nReply-To: \"a b\" <r@example.org>\r\n"
		"To: \"Doe, John\" <john@example.net>\r\nCc: =?utf-8?b?5p2x5Lqs?= <tokyo@example.jp>\r\n"
		"Subject: Re: a subject that is rather long, so that the writer has to fold it over =?utf-8?q?m=C3=A4ny?= lines\r\n"
		"Date: Sun, 22 Nov 2026 18:10:32 +0100\r\nMessage-ID: <1@example.org>\r\nReferences: <x@y> <0@example.org>\r\n"
		"Importance: high\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"
		"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
		"--a\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n"
		"--a\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<b>\xf0\xf2</b>\r\n--a--\r\n"
		"--m\r\nContent-Type: application/pdf; name=\"=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?=\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n"
		"--m\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: i@x.example\r\nMessage-ID: <i@x>\r\n\r\ninner body\r\n--m--\r\n");
	struct gx_msgobj *first = m;
	const char *first_body = body(m);
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_msg_to_mail(&env, m, mail, 0, &out), 0);
	convert((const char *)out.data, out.len);
	compare(first, m);
	ck_assert_str_eq(first_body, "Привет");
	ck_assert_str_eq(body(m), "Привет");
	struct gx_bin h = slice_bytes(slice(m, PidTagHtml));
	ck_assert_uint_eq(h.len, 9);
	ck_assert_int_eq(memcmp(h.data, "<b>\xf0\xf2</b>", 9), 0);
	gx_push_release(&out);
}
END_TEST

static Suite *mailconv_suite(void)
{
	Suite *s = suite_create("mailconv");
	TCase *t = tcase_create("mailconv");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, header_fields);
	tcase_add_test(t, subject_prefixes);
	tcase_add_test(t, bodies_and_attachments);
	tcase_add_test(t, signed_and_encrypted);
	tcase_add_test(t, reports);
	tcase_add_test(t, odd_input);
	tcase_add_test(t, more_fields);
	tcase_add_test(t, alternatives);
	tcase_add_test(t, texts);
	tcase_add_test(t, html_code_pages);
	tcase_add_test(t, pictures);
	tcase_add_test(t, odd_files);
	tcase_add_test(t, awkward_names);
	tcase_add_test(t, many_fields);
	tcase_add_test(t, there_and_back);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mailconv_suite)
