/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first two bytes choose how the rest is cut into pieces; the tree must be that of the whole.
 * Then everything that reads header values reads them, and IMAP's view is written.
 */
#include <config.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <gx/mime.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void same_headers(const struct gx_mime_header *a, const struct gx_mime_header *b)
{
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		assert(a->off == b->off && a->len == b->len && same_text(a->name, b->name) && same_text(a->value, b->value));
	assert(a == NULL && b == NULL);
}

static void same_part(const struct gx_mime_part *a, const struct gx_mime_part *b)
{
	assert(a->flags == b->flags && a->hdr_off == b->hdr_off && a->hdr_len == b->hdr_len);
	assert(a->body_off == b->body_off && a->body_len == b->body_len && a->body_lines == b->body_lines);
	assert(same_text(a->type, b->type) && same_text(a->subtype, b->subtype) && a->cte == b->cte);
	same_headers(a->headers, b->headers);
}

static void same_tree(const struct gx_mime_part *x, const struct gx_mime_part *y)
{
	const struct gx_mime_part *a = x, *b = y;
	for (; a != NULL && b != NULL; a = gx_mime_next(x, a), b = gx_mime_next(y, b))
		same_part(a, b);
	assert(a == NULL && b == NULL);
}

static uint64_t line_ends(const uint8_t *p, size_t n)
{
	uint64_t lines = 0;
	while (n-- > 0)
		lines += *p++ == '\n';
	return lines;
}

static void within(const struct gx_mime_part *p, const uint8_t *msg, size_t len)
{
	assert(p->hdr_off <= len && p->hdr_len <= len - p->hdr_off && p->body_off == p->hdr_off + p->hdr_len);
	assert(p->body_len <= len - p->body_off);
	assert(p->body_lines == line_ends(msg + p->body_off, p->body_len));
	for (const struct gx_mime_header *h = p->headers; h != NULL; h = h->next)
		assert(h->off >= p->hdr_off && h->off + h->len <= p->hdr_off + p->hdr_len);
}

static void read_values(struct gx_arena *a, const struct gx_mime_part *p)
{
	for (const struct gx_mime_header *h = p->headers; h != NULL; h = h->next) {
		struct gx_mime_addr *l;
		struct gx_strbuf b = GX_STRBUF_INIT;
		int64_t sec;
		int off;
		char *text, date[40];
		assert(gx_mime_decode_text(a, h->value, 0, &text) == 0);
		assert(gx_mime_addrs(a, h->value, &l) == 0);
		if (gx_mime_date(h->value, &sec, &off) == 0)
			gx_mime_date_print(sec, off, date);
		gx_mime_encode_text(&b, text, h->len & 63);
		assert(b.err == 0);
		gx_strbuf_release(&b);
	}
}

static struct gx_mime_part *in_pieces(struct gx_arena *a, const struct gx_mime_limits *lim, const uint8_t *msg,
	size_t len, unsigned seed)
{
	struct gx_mime_parser *p = gx_mime_parser_new(a, lim);
	struct gx_mime_part *root = NULL;
	for (size_t at = 0, n; at < len; at += n) {
		seed = seed * 1103515245 + 12345;
		n = (seed >> 16) % (seed & 0x1000000 ? 4 : 200);
		n = n < len - at ? n : len - at;
		uint8_t *exact = malloc(n + 1);
		memcpy(exact, msg + at, n);
		int r = gx_mime_parser_feed(p, exact, n);
		assert(r == 0);
		free(exact);
	}
	int r = gx_mime_parser_finish(p, &root);
	assert(r == 0);
	return root;
}

static void check(struct gx_arena *a, const struct gx_mime_limits *lim, const uint8_t *msg, size_t len, unsigned seed)
{
	struct gx_mime_part *root = NULL;
	int r = gx_mime_parse(a, lim, msg, len, &root);
	assert(r == 0);
	same_tree(root, in_pieces(a, lim, msg, len, seed));
	for (const struct gx_mime_part *p = root; p != NULL; p = gx_mime_next(root, p)) {
		within(p, msg, len);
		read_values(a, p);
	}
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_mime_envelope(&b, root, a);
	gx_mime_bodystructure(&b, root, true, a);
	gx_mime_bodystructure(&b, root, false, a);
	assert(b.err == 0);
	gx_strbuf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gx_mime_limits tight = {
		.max_parts = 6, .max_depth = 4, .max_header_bytes = 200, .max_headers = 5,
	};
	if (size < 2)
		return 0;
	struct gx_arena *a = gx_arena_new(0);
	unsigned seed = data[0] | (unsigned)data[1] << 8;
	check(a, NULL, data + 2, size - 2, seed);
	check(a, &tight, data + 2, size - 2, seed);
	gx_arena_free(a);
	return 0;
}
