/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that find their values in the text they were made of, and notices. */
#include <config.h>
#include <gx/codec.h>
#include <gx/delivery.h>
#include "tests/gxtest.h"

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

static struct gx_bin bin(const char *s)
{
	return (struct gx_bin){(const uint8_t *)s, strlen(s)};
}

#define LINE "A line of text that is long enough to be looked for in the original text, and then some.\r\n"
#define PART "--b\r\nContent-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: base64\r\n" \
	"Content-Disposition: attachment; filename=x.bin\r\n\r\n"

static const char plain[] = "From: a@example.net\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" LINE LINE;

static struct gx_msgobj *object(const char *body)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, "x"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagBody, body), 0);
	return m;
}

static void adopt(const char *text, struct gx_msgobj *m)
{
	struct gx_bin env = {0}, bs = {0};
	ck_assert_int_eq(gx_mail_adopt(a, bin(text), m, &env, &bs, NULL), 0);
	ck_assert(env.len > 0 && env.data[0] == '(' && bs.len > 0 && bs.data[0] == '(');
}

START_TEST(body_found)
{
	struct gx_msgobj *m = object(LINE LINE);
	adopt(plain, m);
	ck_assert_ptr_null(gx_proplist_get(&m->props, PidTagBody));
	ck_assert_uint_eq(m->slices[0].tag, PidTagBody);
	ck_assert_uint_eq(m->slices[0].slice.off, strlen(plain) - 2 * strlen(LINE));
	ck_assert_uint_eq(m->slices[0].slice.len, 2 * strlen(LINE));
	ck_assert_uint_eq(m->slices[1].tag, 0);
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), "x");
}
END_TEST

START_TEST(body_differs)
{
	static const char *const other[] = {LINE, LINE LINE "\r\n", LINE "B line of text that is long enough to be looked for in the original text, and then some.\r\n", "", "x"};
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		struct gx_msgobj *m = object(other[i]);
		adopt(plain, m);
		ck_assert_str_eq(gx_proplist_str(&m->props, PidTagBody, "none"), other[i]);
		ck_assert_uint_eq(m->slices[0].tag, 0);
	}
}
END_TEST

static const char *with_attachments(const uint8_t *x, const uint8_t *y, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	gx_push_str(&out, "From: a@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n" PART);
	gx_base64_enc_lines(&out, x, n);
	gx_push_str(&out, PART);
	gx_base64_enc_lines(&out, y, n);
	gx_push_str(&out, "--b--\r\n");
	gx_push_u8(&out, 0);
	ck_assert_int_eq(gx_push_finish(&out, a, &b), 0);
	gx_push_release(&out);
	return (const char *)b.data;
}

static void attach(struct gx_msgobj *m, const uint8_t *p, size_t n)
{
	struct gx_attach *at = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_bin(&at->props, a, PidTagAttachDataBinary, p, n), 0);
}

START_TEST(attachments)
{
	enum { N = 5000 };
	uint8_t x[N], y[N], z[N];
	for (size_t i = 0; i < N; i++) {
		x[i] = (uint8_t)(i * 7);
		y[i] = (uint8_t)(i * i >> 3);
		z[i] = (uint8_t)(i ^ i >> 5);
	}
	struct gx_msgobj *m = object(LINE);
	attach(m, y, N); /* in another order than in the text, and one that is not in it */
	attach(m, z, N);
	attach(m, x, N);
	adopt(with_attachments(x, y, N), m);
	ck_assert_uint_eq(m->atts[0].data.tag, PidTagAttachDataBinary);
	ck_assert_uint_eq(m->atts[0].props.count, 0);
	ck_assert_uint_eq(m->atts[1].data.tag, 0);
	ck_assert_ptr_nonnull(gx_proplist_get(&m->atts[1].props, PidTagAttachDataBinary));
	ck_assert_uint_eq(m->atts[2].data.tag, PidTagAttachDataBinary);
	ck_assert_uint_lt(m->atts[2].data.slice.off, m->atts[0].data.slice.off);
}
END_TEST

/* Whatever the text is, the object stays usable and gets its structures. */
START_TEST(odd_texts)
{
	static const char *const text[] = {"", "\r\n", "no header at all", "Content-Type: multipart/mixed\r\n\r\n", "Subject: x",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n--b"};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct gx_msgobj *m = object(LINE LINE);
		adopt(text[i], m);
		ck_assert_str_eq(gx_proplist_str(&m->props, PidTagBody, "none"), LINE LINE);
	}
}
END_TEST

START_TEST(notices)
{
	const char *subject, *text;
	ck_assert_int_eq(gx_mail_notice(a, bin("Content-Type: text/html;\r\n\tcharset=\"utf-8\"\r\nSubject: =?utf-8?Q?f=C3=BCr?= dich\r\n\r\n<p>\xc3\xa4</p>"),
		&subject, &text, NULL), 0);
	ck_assert_str_eq(subject, "f\xc3\xbcr dich");
	ck_assert_str_eq(text, "<p>\xc3\xa4</p>");
	ck_assert_int_eq(gx_mail_notice(a, bin("Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E4"),
		&subject, &text, NULL), 0);
	ck_assert_ptr_null(subject);
	ck_assert_str_eq(text, "\xc3\xa4");
	ck_assert_int_eq(gx_mail_notice(a, bin(""), &subject, &text, NULL), 0);
	ck_assert_str_eq(text, "");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("adopt");
	TCase *t = tcase_create("adopt");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, body_found);
	tcase_add_test(t, body_differs);
	tcase_add_test(t, attachments);
	tcase_add_test(t, odd_texts);
	tcase_add_test(t, notices);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(suite)
