/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte says what the rest is: a compressed value, RTF, HTML, text. What can be read can be written, and
 * read again as the same.
 */
#include <config.h>
#include <assert.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/charset.h>
#include <gx/htmltext.h>
#include <gx/rtfcp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool equal(const struct gx_push *a, const void *p, size_t n)
{
	return a->len == n && (n == 0 || memcmp(a->data, p, n) == 0);
}

static void rtf(const uint8_t *p, size_t n)
{
	struct gx_push text = GX_PUSH_INIT, html = GX_PUSH_INIT;
	int is_rtf = gx_rtf_native(p, n);
	int e1 = gx_rtf_to_text(p, n, &text), e2 = gx_rtf_to_html(p, n, NULL, &html);
	assert((e1 == 0) == (is_rtf != 0) && (e2 == 0) == (is_rtf != 0));
	if (e1 == 0)
		assert(gx_utf8_valid((const char *)text.data, text.len) && gx_utf8_valid((const char *)html.data, html.len));
	gx_push_release(&text);
	gx_push_release(&html);
}

static void again(const uint8_t *p, size_t n)
{
	struct gx_push packed = GX_PUSH_INIT, out = GX_PUSH_INIT;
	int err = gx_rtfcp_encode(p, n, &packed);
	assert(err == 0 && packed.len <= n + 16);
	err = gx_rtfcp_decode(packed.data, packed.len, n, &out);
	assert(err == 0 && equal(&out, p, n));
	gx_push_release(&packed);
	gx_push_release(&out);
}

static void compressed(const uint8_t *p, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	if (gx_rtfcp_decode(p, n, 1 << 20, &out) == 0) {
		again(out.data, out.len);
		rtf(out.data, out.len);
	} else {
		assert(out.len == 0);
	}
	gx_push_release(&out);
}

static void html_and_back(const char *s, size_t n, struct gx_push *ret_html)
{
	struct gx_push packed = GX_PUSH_INIT;
	int err = gx_html_to_rtf(s, n, &packed);
	assert(err == 0);
	err = gx_rtf_to_html(packed.data, packed.len, NULL, ret_html);
	assert(err == 0);
	rtf(packed.data, packed.len);
	gx_push_release(&packed);
}

static void html(const char *s, size_t n)
{
	struct gx_push plain = GX_PUSH_INIT, once = GX_PUSH_INIT, twice = GX_PUSH_INIT;
	gx_html_plain(s, n, &plain);
	assert(plain.err == 0 && plain.len <= 16 * n);
	html_and_back(s, n, &once);
	html_and_back((const char *)once.data, once.len, &twice);
	assert(equal(&twice, once.data, once.len));
	gx_push_release(&plain);
	gx_push_release(&once);
	gx_push_release(&twice);
}

/* Is it text as we write it: valid, with whole ends of lines, without control characters? */
static bool clean(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((s[i] == '\r' && (i + 1 == n || s[i + 1] != '\n')) || (s[i] == '\n' && (i == 0 || s[i - 1] != '\r')) || s[i] == 0x7f ||
		    (s[i] >= 0 && s[i] < ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n'))
			return false;
	/* The private range of symbols is no text. */
	return gx_utf8_valid(s, n) && memmem(s, n, "\xef\x80", 2) == NULL && memmem(s, n, "\xef\x81", 2) == NULL &&
		memmem(s, n, "\xef\x82", 2) == NULL && memmem(s, n, "\xef\x83", 2) == NULL;
}

static void text(const char *s, size_t n)
{
	struct gx_push packed = GX_PUSH_INIT, out = GX_PUSH_INIT, page = GX_PUSH_INIT;
	int err = gx_text_to_rtf(s, n, &packed);
	assert(err == 0);
	err = gx_rtf_to_text(packed.data, packed.len, &out);
	assert(err == 0 && (!clean(s, n) || equal(&out, s, n)));
	err = gx_text_to_html(s, n, NULL, &page);
	assert(err == 0);
	gx_push_release(&packed);
	gx_push_release(&out);
	gx_push_release(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const char *s = (const char *)data + 1;
	switch (data[0]) {
	case 'c':
		compressed(data + 1, size - 1);
		break;
	case 'r':
		rtf(data + 1, size - 1);
		break;
	case 'h':
		html(s, size - 1);
		break;
	case 't':
		text(s, size - 1);
		break;
	default:
		again(data + 1, size - 1);
	}
	return 0;
}
