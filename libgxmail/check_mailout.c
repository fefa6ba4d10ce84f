/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/charset.h>
#include <gx/mailconv.h>
#include <gx/namedprop.h>
#include <gx/rtfcp.h>

static struct gx_arena *a;
static struct gx_msgobj *m;
static struct gx_push out;
static struct gx_mime_part *root;

static void setup(void)
{
	a = gx_arena_new(0);
	m = gx_msgobj_new(a);
	gx_push_init(&out, 0);
}

static void teardown(void)
{
	gx_push_release(&out);
	gx_arena_free(a);
}

static void set(gx_proptag_t tag, const char *s)
{
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, tag, s), 0);
}

static void write_mail(unsigned flags)
{
	struct gx_mailconv_env env = {.clock = gx_clock_system()};
	gx_push_clear(&out);
	ck_assert_int_eq(gx_msg_to_mail(&env, m, (struct gx_bin){NULL, 0}, flags, &out), 0);
	ck_assert_int_eq(gx_mime_parse(a, NULL, out.data, out.len, &root), 0);
}

static const char *field(const char *name)
{
	const struct gx_mime_header *h = gx_mime_header(root, name);
	char *s = NULL;
	if (h == NULL)
		return "(none)";
	ck_assert_int_eq(gx_mime_decode_text(a, h->value + strspn(h->value, " "), 0, &s), 0);
	return s;
}

static struct gx_bin body_of(const struct gx_mime_part *p)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_decode(a, p->cte, out.data + p->body_off, p->body_len, &b), 0);
	return b;
}

static void body_is(const struct gx_mime_part *p, const char *type, const char *want)
{
	ck_assert_ptr_nonnull(p);
	struct gx_bin b = body_of(p);
	ck_assert_str_eq(gx_arena_printf(a, "%s/%s", p->type, p->subtype), type);
	ck_assert_uint_eq(b.len, strlen(want));
	ck_assert_int_eq(memcmp(b.data, want, b.len), 0);
}

static struct gx_attach *attach(const char *name, const char *type, const void *data, size_t n)
{
	struct gx_attach *t = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_str(&t->props, a, PidTagAttachLongFilename, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(&t->props, a, PidTagAttachMimeTag, type), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&t->props, a, PidTagAttachDataBinary, data, n), 0);
	return t;
}

static void rcpt(int type, const char *name, const char *address)
{
	struct gx_proplist *l = gx_msgobj_add_rcpt(m, a);
	ck_assert_int_eq(gx_proplist_set_i32(l, a, PidTagRecipientType, type), 0);
	ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagDisplayName, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagSmtpAddress, address), 0);
}

START_TEST(plain_message)
{
	set(PidTagSubject, "Grüße, 漢字 and a subject that is long enough to be folded over several lines of encoded words");
	set(PidTagBody, "Hello\r\n");
	set(PidTagSentRepresentingName, "Müller, Jörg");
	set(PidTagSentRepresentingSmtpAddress, "joerg@example.org");
	set(PidTagSenderName, "Secretary");
	set(PidTagSenderSmtpAddress, "sec@example.org");
	rcpt(1, "Doe, \"J\" John", "john@example.net");
	rcpt(1, "x@example.net", "x@example.net");
	rcpt(2, "Carol", "carol@example.net");
	rcpt(3, "Secret", "hidden@example.net");
	ck_assert_int_eq(gx_proplist_set_time(&m->props, a, PidTagClientSubmitTime, gx_nttime_from_unix(1795367432, 0)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagImportance, 2), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagSensitivity, 2), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagReadReceiptRequested, true), 0);
	write_mail(0);
	ck_assert_str_eq(field("Subject"), gx_proplist_str(&m->props, PidTagSubject, ""));
	ck_assert_str_eq(field("From"), "Müller, Jörg <joerg@example.org>");
	ck_assert_str_eq(field("Sender"), "Secretary <sec@example.org>");
	ck_assert_str_eq(field("To"), "\"Doe, \\\"J\\\" John\" <john@example.net>, <x@example.net>");
	ck_assert_str_eq(field("Cc"), "Carol <carol@example.net>");
	ck_assert_str_eq(field("Bcc"), "(none)");
	ck_assert_str_eq(field("Date"), "Sun, 22 Nov 2026 17:10:32 +0000");
	ck_assert_str_eq(field("Importance"), "high");
	ck_assert_str_eq(field("X-Priority"), "1");
	ck_assert_str_eq(field("Sensitivity"), "Private");
	ck_assert_str_eq(field("Disposition-Notification-To"), "Müller, Jörg <joerg@example.org>");
	body_is(root, "text/plain", "Hello\r\n");
	ck_assert_str_eq(gx_mime_param(root->params, "charset"), "us-ascii");
	write_mail(GX_MAIL_KEEP_BCC);
	ck_assert_str_eq(field("Bcc"), "Secret <hidden@example.net>");
}
END_TEST

START_TEST(same_object_gives_the_same_bytes)
{
	set(PidTagSubject, "one");
	set(PidTagBody, "ä");
	attach("a.bin", "application/octet-stream", "xyz", 3);
	write_mail(0);
	struct gx_bin first = {gx_arena_memdup(a, out.data, out.len), out.len};
	write_mail(0);
	ck_assert_uint_eq(first.len, out.len);
	ck_assert_int_eq(memcmp(first.data, out.data, out.len), 0);
	set(PidTagSubject, "two");
	write_mail(0);
	ck_assert_str_ne(field("Message-ID"), "(none)");
}
END_TEST

START_TEST(html_text_picture_and_file)
{
	const char *html = "<p>Gr\xfc\xdf" "e <img src=\"cid:p1\"></p>\r\n";
	uint8_t all[256];
	for (unsigned i = 0; i < 256; ++i)
		all[i] = (uint8_t)i;
	set(PidTagBody, "Grüße\r\n");
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagHtml, html, strlen(html)), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagInternetCodepage, 28591), 0);
	struct gx_attach *pic = attach("p.png", "image/png", all, 100);
	ck_assert_int_eq(gx_proplist_set_str(&pic->props, a, PidTagAttachContentId, "p1"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&pic->props, a, PidTagAttachFlags, 4), 0);
	attach("Übersicht – mit einem wirklich sehr langen Namen, der auf mehrere Zeilen verteilt wird.pdf", "application/pdf", all, 256);
	write_mail(0);
	ck_assert_str_eq(root->subtype, "mixed");
	body_is(gx_mime_part_by_number(root, "1.1"), "text/plain", "Grüße\r\n");
	body_is(gx_mime_part_by_number(root, "1.2.1"), "text/html", html);
	ck_assert_str_eq(gx_mime_param(gx_mime_part_by_number(root, "1.2.1")->params, "charset"), "iso-8859-1");
	const struct gx_mime_part *p = gx_mime_part_by_number(root, "1.2.2");
	ck_assert_str_eq(p->content_id, "<p1>");
	ck_assert_str_eq(p->disposition, "inline");
	p = gx_mime_part_by_number(root, "2");
	ck_assert_str_eq(gx_mime_param(p->disp_params, "filename"),
		"Übersicht – mit einem wirklich sehr langen Namen, der auf mehrere Zeilen verteilt wird.pdf");
	struct gx_bin b = body_of(p);
	ck_assert_uint_eq(b.len, 256);
	ck_assert_int_eq(memcmp(b.data, all, 256), 0);
}
END_TEST

static void set_rtf(const char *rtf)
{
	struct gx_push packed = GX_PUSH_INIT;
	ck_assert_int_eq(gx_rtfcp_encode(rtf, strlen(rtf), &packed), 0);
	struct gx_bin b;
	ck_assert_int_eq(gx_push_finish(&packed, a, &b), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagRtfCompressed, b.data, b.len), 0);
	gx_push_release(&packed);
}

/* RTF goes as what one sees of it. */
START_TEST(rtf)
{
	set_rtf("{\\rtf1\\ansi Gr\\'fc\\'df" "e \\b b\\par}");
	write_mail(0);
	ck_assert_str_eq(root->subtype, "alternative");
	body_is(gx_mime_part_by_number(root, "1"), "text/plain", "Grüße b\r\n");
	struct gx_bin b = body_of(gx_mime_part_by_number(root, "2"));
	ck_assert_ptr_nonnull(memmem(b.data, b.len, "<b>b</b>", 8));
	ck_assert_str_eq(gx_mime_param(gx_mime_part_by_number(root, "2")->params, "charset"), "utf-8");
	set_rtf("{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}x{\\*\\htmltag64 </p>}}"); /* HTML that was packed */
	write_mail(0);
	body_is(gx_mime_part_by_number(root, "1"), "text/plain", "x\r\n");
	body_is(gx_mime_part_by_number(root, "2"), "text/html", "<p>x</p>");
	/* A text that is there beside it is the message, unless the message says that they are the same. */
	set(PidTagBody, "y\r\n");
	write_mail(0);
	body_is(root, "text/plain", "y\r\n");
	ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagRtfInSync, true), 0);
	write_mail(0);
	body_is(gx_mime_part_by_number(root, "1"), "text/plain", "y\r\n");
	body_is(gx_mime_part_by_number(root, "2"), "text/html", "<p>x</p>");
	/* damaged: there is nothing to show */
	gx_proplist_remove(&m->props, PidTagBody);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagRtfCompressed, "junk", 4), 0);
	write_mail(0);
	ck_assert_str_eq(root->type, "text");
}
END_TEST

START_TEST(embedded_message_and_depth)
{
	struct gx_msgobj *outer = m;
	struct gx_attach *t = gx_msgobj_add_attach(outer, a);
	struct gx_msgobj *inner = t->embedded = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&inner->props, a, PidTagSubject, "inside"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&inner->props, a, PidTagBody, "in\r\n"), 0);
	write_mail(0);
	const struct gx_mime_part *p = gx_mime_part_by_number(root, "2");
	ck_assert_str_eq(p->subtype, "rfc822");
	ck_assert_str_eq(gx_mime_header(p->first_child, "Subject")->value, "inside");
	inner->atts = outer->atts; /* a message that contains itself */
	inner->att_count = outer->att_count;
	struct gx_mailconv_env env = {0};
	gx_push_clear(&out);
	ck_assert_int_eq(gx_msg_to_mail(&env, m, (struct gx_bin){NULL, 0}, 0, &out), GX_E_DEPTH);
}
END_TEST

START_TEST(nothing_can_break_out_of_a_field)
{

	static const struct gx_propname bad = {PS_INTERNET_HEADERS_INIT, true, 0, "x-evil: 1\r\nX-Injected"};
	static const struct gx_propname good = {PS_INTERNET_HEADERS_INIT, true, 0, "x-good"};
	set(PidTagSubject, "a\r\nX-Injected: 1\r\n\r\nbody");
	set(PidTagInternetMessageId, "<a@b>\r\nX-Injected: 1");
	set(PidTagSenderName, "n\r\nX-Injected: 1");
	set(PidTagSenderSmtpAddress, "s@x>\r\nX-Injected: 1\r\n");
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &bad, PtypString, (union gx_value){.str = "v"}), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &good, PtypString, (union gx_value){.str = "v\nX-Injected: 2"}), 0);
	set(PidTagBody, "--=_gx_0 looks like a boundary\r\n");
	attach("a\r\nX-Injected: 1", "text/plain\r\nX-Injected: 1", "x", 1);
	write_mail(0);
	for (const struct gx_mime_part *p = root; p != NULL; p = gx_mime_next(root, p))
		ck_assert_ptr_null(gx_mime_header(p, "X-Injected"));
	ck_assert_ptr_nonnull(gx_mime_header(root, "x-good"));
	body_is(gx_mime_part_by_number(root, "1"), "text/plain", "--=_gx_0 looks like a boundary\r\n");
}
END_TEST

START_TEST(signed_content_is_verbatim)
{
	const char *entity = "Content-Type: multipart/signed; boundary=s; protocol=\"application/pkcs7-signature\"\r\n\r\n"
		"--s\r\n\r\ntext\r\n--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nsig\r\n--s--\r\n";
	set(PidTagMessageClass, "IPM.Note.SMIME.MultipartSigned");
	attach("smime.p7m", "multipart/signed", entity, strlen(entity));
	write_mail(0);
	ck_assert_str_eq(root->subtype, "signed");
	ck_assert_int_eq(memcmp(out.data + out.len - strlen(entity), entity, strlen(entity)), 0);
	set(PidTagMessageClass, "IPM.Note.SMIME");
	ck_assert_int_eq(gx_proplist_set_str(&m->atts[0].props, a, PidTagAttachMimeTag, "application/pkcs7-mime"), 0);
	write_mail(0);
	ck_assert_str_eq(root->subtype, "pkcs7-mime");
	ck_assert_uint_eq(body_of(root).len, strlen(entity));
}
END_TEST

START_TEST(reports)
{
	set(PidTagMessageClass, "REPORT.IPM.Note.NDR");
	set(PidTagBody, "It did not arrive.\r\n");
	rcpt(1, "Bob", "bob@example.net");
	ck_assert_int_eq(gx_proplist_set_i32(&m->rcpts[0], a, PidTagNonDeliveryReportStatusCode, 511), 0);
	write_mail(0);
	ck_assert_str_eq(root->subtype, "report");
	const struct gx_mime_part *p = gx_mime_part_by_number(root, "2");
	ck_assert_str_eq(p->subtype, "delivery-status");
	const char *text = gx_arena_strndup(a, (const char *)out.data + p->body_off, p->body_len);
	ck_assert_ptr_nonnull(strstr(text, "Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1"));
	set(PidTagMessageClass, "REPORT.IPM.Note.IPNRN");
	write_mail(0);
	ck_assert_str_eq(gx_mime_part_by_number(root, "2")->subtype, "disposition-notification");
}
END_TEST

START_TEST(slices_outside_the_original_are_refused)
{
	struct gx_mailconv_env env = {0};
	m->slices[0] = (struct gx_slice_prop){PidTagBody, {.off = 10, .len = UINT64_MAX - 5, .cp = GX_CP_UTF8, .cte = GX_CTE_7BIT}};
	ck_assert_int_eq(gx_msg_to_mail(&env, m, (struct gx_bin){(const uint8_t *)"short", 5}, 0, &out), GX_E_RANGE);
}
END_TEST

static Suite *mailout_suite(void)
{
	Suite *s = suite_create("mailout");
	TCase *t = tcase_create("mailout");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, plain_message);
	tcase_add_test(t, same_object_gives_the_same_bytes);
	tcase_add_test(t, html_text_picture_and_file);
	tcase_add_test(t, rtf);
	tcase_add_test(t, embedded_message_and_depth);
	tcase_add_test(t, nothing_can_break_out_of_a_field);
	tcase_add_test(t, signed_content_is_verbatim);
	tcase_add_test(t, reports);
	tcase_add_test(t, slices_outside_the_original_are_refused);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mailout_suite)
