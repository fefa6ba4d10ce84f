/* SPDX-License-Identifier: Apache-2.0 */
/* Structure: the tree of parts of good, broken and hostile messages. */
#include <config.h>
#include "tests/gxtest.h"
#include <stdio.h>
#include <gx/mime.h>

static struct gx_arena *arena;

static void setup(void)
{
	arena = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(arena);
}

static void dump_part(struct gx_strbuf *b, const struct gx_mime_part *p)
{
	gx_strbuf_printf(b, "(%s/%s %u h%d+%d b%d+%d l%d f%u", p->type, p->subtype, p->cte, (int)p->hdr_off,
		(int)p->hdr_len, (int)p->body_off, (int)p->body_len, (int)p->body_lines, p->flags);
	for (const struct gx_mime_header *h = p->headers; h != NULL; h = h->next)
		gx_strbuf_printf(b, " [%d+%d %s:%s]", (int)h->off, (int)h->len, h->name, h->value);
	for (const struct gx_mime_param *m = p->params; m != NULL; m = m->next)
		gx_strbuf_printf(b, " {%s=%s}", m->name, m->value);
	for (const struct gx_mime_part *c = p->first_child; c != NULL; c = c->next) {
		ck_assert_ptr_eq(c->parent, p);
		dump_part(b, c);
	}
	gx_strbuf_addc(b, ')');
}

static char *dump(struct gx_arena *a, const struct gx_mime_part *root)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	dump_part(&b, root);
	char *s = gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return s;
}

/* Every part lies within its parent, and no byte is outside the message. */
static void check_bounds(const struct gx_mime_part *root, size_t len)
{
	for (const struct gx_mime_part *p = root; p != NULL; p = gx_mime_next(root, p)) {
		ck_assert_uint_eq(p->body_off, p->hdr_off + p->hdr_len);
		ck_assert_uint_le(p->body_off, len);
		ck_assert_uint_le(p->body_len, len - p->body_off);
		if (p->parent == NULL)
			continue;
		ck_assert_uint_ge(p->hdr_off, p->parent->body_off);
		ck_assert_uint_le(p->body_off + p->body_len, p->parent->body_off + p->parent->body_len + 2);
	}
}

static const struct gx_mime_part *parse_n(const void *msg, size_t len, const struct gx_mime_limits *lim)
{
	uint8_t *exact = gxtest_exact(msg, len);
	struct gx_mime_part *root = NULL;
	ck_assert_int_eq(gx_mime_parse(arena, lim, exact, len, &root), 0);
	check_bounds(root, len);
	free(exact);
	return root;
}

static const struct gx_mime_part *parse(const char *msg)
{
	return parse_n(msg, strlen(msg), NULL);
}

static char *dump_fed(const uint8_t *msg, size_t len, size_t piece, unsigned seed)
{
	struct gx_mime_parser *p = gx_mime_parser_new(arena, NULL);
	struct gx_mime_part *root = NULL;
	for (size_t at = 0; at < len;) {
		size_t n = piece;
		if (piece == 0) {
			seed = seed * 1103515245 + 12345;
			n = seed >> 16 & 63;
		}
		n = n < len - at ? n : len - at;
		uint8_t *exact = gxtest_exact(msg + at, n);
		ck_assert_int_eq(gx_mime_parser_feed(p, exact, n), 0);
		free(exact);
		at += n;
	}
	ck_assert_int_eq(gx_mime_parser_finish(p, &root), 0);
	return dump(arena, root);
}

/* Pieces of any size give the tree of the whole. */
static void check_pieces(const char *msg, size_t len)
{
	char *whole = dump(arena, parse_n(msg, len, NULL));
	for (size_t piece = 1; piece < 80; piece += piece < 8 ? 1 : 11)
		ck_assert_str_eq(dump_fed((const uint8_t *)msg, len, piece, 0), whole);
	for (unsigned seed = 1; seed < 20; ++seed)
		ck_assert_str_eq(dump_fed((const uint8_t *)msg, len, 0, seed), whole);
}

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

static const struct {
	const char *name, *msg, *tree;
} cases[] = {
	{"empty message", "", "(text/plain 0 h0+0 b0+0 l0 f0)"},
	{"header only", "A: b", "(text/plain 0 h0+4 b4+0 l0 f0 [0+4 A:b])"},
	{"header with line end only", "A: b\r\n", "(text/plain 0 h0+6 b6+0 l0 f0 [0+6 A:b])"},
	{"simple", "Subject: x\r\n\r\nbody\r\n", "(text/plain 0 h0+14 b14+6 l1 f0 [0+12 Subject:x])"},
	{"no header", "Hello\r\nthere\r\n", "(text/plain 0 h0+0 b0+14 l2 f0)"},
	{"blank line first", "\r\nA: b\r\n", "(text/plain 0 h0+2 b2+6 l1 f0)"},
	{"mbox line", "From me Thu Jan  1 00:00:00 1970\r\nA: b\r\n\r\nx",
		"(text/plain 0 h0+42 b42+1 l0 f0 [0+34 :From me Thu Jan  1 00:00:00 1970] [34+6 A:b])"},
	{"bare LF", "A: b\n\nx\n", "(text/plain 0 h0+6 b6+2 l1 f8 [0+5 A:b])"},
	{"bare CR is no line end", "A: b\rC: d\r\n\r\nx\ry", "(text/plain 0 h0+13 b13+3 l0 f0 [0+11 A:b\rC: d])"},
	{"folded", "A: b\r\n\tc\r\n  d\r\nE:\r\n f\r\n\r\n",
		"(text/plain 0 h0+25 b25+0 l0 f0 [0+15 A:b\tc  d] [15+8 E:f])"},
	{"field without colon is kept nameless", "A: b\r\nnonsense\r\nC: d\r\n\r\nx",
		"(text/plain 0 h0+24 b24+1 l0 f0 [0+6 A:b] [6+10 :nonsense] [16+6 C:d])"},
	{"space before the colon", "Subject : b\r\n\r\n", "(text/plain 0 h0+15 b15+0 l0 f0 [0+13 Subject:b])"},
	{"8-bit header", "A: \xe4\r\n\r\n", "(text/plain 0 h0+8 b8+0 l0 f16 [0+6 A:\xe4])"},
	{"type in capitals, comment, encoding",
		"CONTENT-TYPE: Text/HTML (c) ; Charset=\"UTF-8\"\r\ncontent-transfer-encoding: Base64 (x)\r\n\r\n",
		"(text/html 4 h0+88 b88+0 l0 f0 [0+47 CONTENT-TYPE:Text/HTML (c) ; Charset=\"UTF-8\"]"
		" [47+39 content-transfer-encoding:Base64 (x)] {charset=UTF-8})"},
	{"type without slash", "Content-Type: text\r\n\r\n",
		"(text/plain 0 h0+22 b22+0 l0 f0 [0+20 Content-Type:text])"},
	{"multipart without boundary is text", "Content-Type: multipart/mixed\r\n\r\n--\r\nx",
		"(text/plain 0 h0+33 b33+5 l1 f4 [0+31 Content-Type:multipart/mixed])"},
	{"two parts", MIXED("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nX: y\r\n\r\ntwo\r\n--b--\r\nepi",
		"(multipart/mixed 0 h0+45 b45+45 l9 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h55+2 b57+3 l0 f0)"
		"(text/plain 0 h67+8 b75+3 l0 f0 [67+6 X:y]))"},
	{"no closing boundary", MIXED("b") "--b\r\n\r\none\r\n",
		"(multipart/mixed 0 h0+45 b45+12 l3 f2 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h50+2 b52+5 l1 f0))"},
	{"closing boundary at the very end", MIXED("b") "--b\r\n\r\none\r\n--b--",
		"(multipart/mixed 0 h0+45 b45+17 l3 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h50+2 b52+3 l0 f0))"},
	{"no part at all", MIXED("b") "x\r\n",
		"(multipart/mixed 0 h0+45 b45+3 l1 f2 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b})"},
	{"empty part", MIXED("b") "--b\r\n--b--\r\n",
		"(multipart/mixed 0 h0+45 b45+12 l2 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h50+0 b50+0 l0 f0))"},
	{"delimiter right behind the empty line", MIXED("b") "--b\r\n\r\n--b--\r\n",
		"(multipart/mixed 0 h0+45 b45+14 l3 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h50+2 b52+0 l0 f0))"},
	{"boundary in a header", MIXED("b") "--b\r\nX: y\r\n--b--\r\n",
		"(multipart/mixed 0 h0+45 b45+18 l3 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h50+6 b56+0 l0 f0 [50+6 X:y]))"},
	{"longest boundary wins", MIXED("b") "--b\r\n" MIXED("bb") "--bb\r\n\r\nx\r\n--bb--\r\n--b--",
		"(multipart/mixed 0 h0+45 b45+75 l7 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(multipart/mixed 0 h50+46 b96+17 l3 f0 [50+44 Content-Type:multipart/mixed; boundary=bb] {boundary=bb}"
		"(text/plain 0 h102+2 b104+1 l0 f0)))"},
	{"equal boundaries nest", MIXED("b") "--b\r\n" MIXED("b") "--b\r\n\r\nx\r\n--b--\r\n--b--",
		"(multipart/mixed 0 h0+45 b45+72 l7 f0 [0+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(multipart/mixed 0 h50+45 b95+15 l3 f0 [50+43 Content-Type:multipart/mixed; boundary=b] {boundary=b}"
		"(text/plain 0 h100+2 b102+1 l0 f0)))"},
	{"outer boundary ends the inner", MIXED("o") "--o\r\n" MIXED("i") "--i\r\n\r\nx\r\n--o\r\n\r\ny\r\n--o--",
		"(multipart/mixed 0 h0+45 b45+75 l9 f0 [0+43 Content-Type:multipart/mixed; boundary=o] {boundary=o}"
		"(multipart/mixed 0 h50+45 b95+8 l2 f2 [50+43 Content-Type:multipart/mixed; boundary=i] {boundary=i}"
		"(text/plain 0 h100+2 b102+1 l0 f0))"
		"(text/plain 0 h110+2 b112+1 l0 f0))"},
	{"message inside", "Content-Type: message/rfc822\r\n\r\nSubject: i\r\n\r\nx\r\n",
		"(message/rfc822 0 h0+32 b32+17 l3 f0 [0+30 Content-Type:message/rfc822]"
		"(text/plain 0 h32+14 b46+3 l1 f0 [32+12 Subject:i]))"},
	{"encoded message is a leaf", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
		"(message/rfc822 4 h0+67 b67+4 l0 f0 [0+30 Content-Type:message/rfc822]"
		" [30+35 Content-Transfer-Encoding:base64])"},
	{"digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\nx\r\n--b--",
		"(multipart/digest 0 h0+46 b46+23 l5 f0 [0+44 Content-Type:multipart/digest; boundary=b] {boundary=b}"
		"(message/rfc822 0 h51+2 b53+9 l2 f0(text/plain 0 h53+8 b61+1 l0 f0 [53+6 A:b])))"},
	{"parts of a report are leaves", "Content-Type: message/delivery-status\r\n\r\nA: b\r\n",
		"(message/delivery-status 0 h0+41 b41+6 l1 f0 [0+39 Content-Type:message/delivery-status])"},
	{"white space behind boundaries", MIXED("\"b \"") "--b  \r\n\r\nx\r\n--b-- \r\n",
		"(multipart/mixed 0 h0+48 b48+20 l4 f0 [0+46 Content-Type:multipart/mixed; boundary=\"b \"] {boundary=b }"
		"(text/plain 0 h55+2 b57+1 l0 f0))"},
};

START_TEST(trees)
{
	const char *msg = cases[_i].msg;
	ck_assert_msg(strcmp(dump(arena, parse(msg)), cases[_i].tree) == 0, "%s:\nwant %s\n got %s", cases[_i].name,
		cases[_i].tree, dump(arena, parse(msg)));
	check_pieces(msg, strlen(msg));
}
END_TEST

START_TEST(truncations_and_flips_give_trees)
{
	const char *msg = cases[_i].msg;
	size_t len = strlen(msg);
	for (size_t n = 0; n < len; ++n)
		parse_n(msg, n, NULL);
	char *bad = gxtest_exact(msg, len);
	unsigned rnd = 1;
	for (size_t i = 0; i < len; ++i) {
		rnd = rnd * 1103515245 + 12345;
		char keep = bad[i];
		bad[i] = (char)(bad[i] ^ (1 << (rnd >> 16 & 7)));
		char *whole = dump(arena, parse_n(bad, len, NULL));
		ck_assert_str_eq(dump_fed((const uint8_t *)bad, len, 0, rnd), whole);
		ck_assert_str_eq(dump_fed((const uint8_t *)bad, len, 1, rnd), whole);
		bad[i] = keep;
	}
	free(bad);
}
END_TEST

START_TEST(nuls_are_flagged_and_replaced)
{
	static const char msg[] = "A: b\0c\r\n\r\nx\0y";
	const struct gx_mime_part *p = parse_n(msg, sizeof(msg) - 1, NULL);
	ck_assert_str_eq(p->headers->value, "b?c");
	ck_assert_uint_eq(p->flags, GX_MIME_NUL);
	check_pieces(msg, sizeof(msg) - 1);
	static const char body[] = "A: b\r\n\r\nx\0y";
	ck_assert_uint_eq(parse_n(body, sizeof(body) - 1, NULL)->flags, GX_MIME_NUL);
}
END_TEST

/* A message of @p depth multiparts inside each other. */
static char *nested(unsigned depth, const char *type, size_t *ret_len)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (unsigned i = 0; i < depth; ++i)
		if (strcmp(type, "message") == 0)
			gx_strbuf_adds(&b, "Content-Type: message/rfc822\r\n\r\n");
		else
			gx_strbuf_printf(&b, "Content-Type: multipart/mixed; boundary=b%u.\r\n\r\n--b%u.\r\n", i, i);
	gx_strbuf_adds(&b, "\r\ntext\r\n");
	*ret_len = b.len;
	return gx_strbuf_take(&b);
}

static unsigned depth_of(const struct gx_mime_part *p)
{
	unsigned n = 0;
	for (; p != NULL; p = p->first_child)
		++n;
	return n;
}

START_TEST(depth_bombs_stop_at_the_limit)
{
	static const char *const types[] = {"multipart", "message"};
	size_t len;
	char *msg = nested(20000, types[_i], &len);
	const struct gx_mime_part *root = parse_n(msg, len, NULL);
	ck_assert_uint_eq(depth_of(root), 100);
	while (root->first_child != NULL)
		root = root->first_child;
	ck_assert_uint_ne(root->flags & GX_MIME_TRUNCATED, 0);
	struct gx_mime_limits lim = {.max_depth = 3};
	ck_assert_uint_eq(depth_of(parse_n(msg, len, &lim)), 3);
	free(msg);
}
END_TEST

START_TEST(many_parts_stop_at_the_limit)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, MIXED("b"));
	for (int i = 0; i < 100000; ++i)
		gx_strbuf_adds(&b, "--b\r\n\r\nx\r\n");
	const struct gx_mime_part *root = parse_n(b.s, b.len, NULL);
	unsigned n = 0;
	for (const struct gx_mime_part *p = root; p != NULL; p = gx_mime_next(root, p))
		++n;
	ck_assert_uint_eq(n, 10000);
	ck_assert_uint_ne(root->flags & GX_MIME_TRUNCATED, 0);
	ck_assert_uint_eq(root->body_off + root->body_len, b.len);
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(endless_headers_stop_at_the_limits)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_mime_limits lim = {.max_header_bytes = 1000, .max_headers = 20};
	gx_strbuf_adds(&b, "A: 1\r\nB: ");
	for (int i = 0; i < 3000; ++i)
		gx_strbuf_adds(&b, _i == 0 ? "xxxxx" : _i == 1 ? "x\r\n y" : "\r\nN: v");
	gx_strbuf_adds(&b, "\r\nZ: late\r\n\r\nbody");
	const struct gx_mime_part *p = parse_n(b.s, b.len, &lim);
	ck_assert_uint_eq(p->flags, GX_MIME_TRUNCATED);
	ck_assert_uint_eq(p->body_len, 4);
	ck_assert_str_eq(gx_mime_header(p, "a")->value, "1");
	ck_assert_ptr_null(gx_mime_header(p, "z"));
	unsigned n = 0;
	for (const struct gx_mime_header *h = p->headers; h != NULL; h = h->next)
		++n;
	ck_assert_uint_eq(n, _i == 2 ? 20 : 1);

	struct gx_mime_parser *q = gx_mime_parser_new(arena, &lim);
	struct gx_mime_part *root;
	size_t before = gx_arena_used(arena);
	for (size_t i = 0; i < b.len; ++i)
		ck_assert_int_eq(gx_mime_parser_feed(q, b.s + i, 1), 0);
	ck_assert_int_eq(gx_mime_parser_finish(q, &root), 0);
	ck_assert_str_eq(dump(arena, root), dump(arena, p));
	ck_assert_uint_lt(gx_arena_used(arena) - before, 60000);
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(fields_of_a_message_are_bounded)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_mime_limits lim = {.max_headers = 10};
	gx_strbuf_adds(&b, MIXED("b"));
	for (int i = 0; i < 50; ++i)
		gx_strbuf_adds(&b, "--b\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\nx\r\n");
	const struct gx_mime_part *root = parse_n(b.s, b.len, &lim);
	unsigned n = 0;
	for (const struct gx_mime_part *p = root; p != NULL; p = gx_mime_next(root, p))
		for (const struct gx_mime_header *h = p->headers; h != NULL; h = h->next)
			++n;
	ck_assert_uint_eq(n, 100);
	ck_assert_uint_eq(root->first_child->flags, 0);
	ck_assert_uint_eq(root->last_child->flags, GX_MIME_TRUNCATED);
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(long_lines_are_not_kept)
{
	struct gx_mime_parser *p = gx_mime_parser_new(arena, NULL);
	static char big[65536];
	struct gx_mime_part *root;
	memset(big, 'x', sizeof(big));
	static const char start[] = MIXED("b") "--b\r\n\r\n-";
	ck_assert_int_eq(gx_mime_parser_feed(p, start, sizeof(start) - 1), 0);
	size_t before = gx_arena_used(arena);
	for (int i = 0; i < 200; ++i)
		ck_assert_int_eq(gx_mime_parser_feed(p, big, sizeof(big)), 0);
	ck_assert_int_eq(gx_mime_parser_feed(p, "\r\n--b--\r\n", 9), 0);
	ck_assert_uint_lt(gx_arena_used(arena) - before, 4096);
	ck_assert_int_eq(gx_mime_parser_finish(p, &root), 0);
	ck_assert_uint_eq(root->first_child->body_len, 1 + 200 * sizeof(big));
	ck_assert_int_eq(gx_mime_parser_finish(p, &root), GX_E_STATE);
	ck_assert_int_eq(gx_mime_parser_feed(p, "x", 1), GX_E_STATE);
}
END_TEST

START_TEST(parts_have_imap_numbers)
{
	const struct gx_mime_part *r = parse(MIXED("b")
		"--b\r\n\r\none\r\n"
		"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: i\r\n\r\ninner\r\n"
		"--b\r\nContent-Type: message/rfc822\r\n\r\n" MIXED("c") "--c\r\n\r\nx\r\n--c\r\n\r\ny\r\n--c--\r\n"
		"--b\r\n" MIXED("d") "--d\r\n\r\nz\r\n--d--\r\n"
		"--b--\r\n");
	const struct gx_mime_part *p1 = r->first_child, *p2 = p1->next, *p3 = p2->next, *p4 = p3->next;
	const struct {
		const char *number;
		const struct gx_mime_part *part;
	} t[] = {
		{"", r}, {"1", p1}, {"1.1", NULL}, {"2", p2}, {"2.1", p2->first_child}, {"2.1.1", NULL}, {"2.2", NULL},
		{"3", p3}, {"3.1", p3->first_child->first_child}, {"3.2", p3->first_child->last_child}, {"3.3", NULL},
		{"4", p4}, {"4.1", p4->first_child}, {"5", NULL}, {"0", NULL}, {"1.", NULL}, {".1", NULL}, {"x", NULL},
		{"01", p1}, {"99999999999999999999", NULL}, {"1..1", NULL}, {"-1", NULL},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		ck_assert_msg(gx_mime_part_by_number(r, t[i].number) == t[i].part, "number %s", t[i].number);
	r = parse("A: b\r\n\r\nx");
	ck_assert_ptr_eq(gx_mime_part_by_number(r, "1"), r);
	ck_assert_ptr_null(gx_mime_part_by_number(r, "2"));
	ck_assert_ptr_null(gx_mime_part_by_number(r, "1.1"));
	r = parse("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx");
	ck_assert_ptr_eq(gx_mime_part_by_number(r, "1"), r);
	ck_assert_ptr_eq(gx_mime_part_by_number(r, "1.1"), r->first_child);
}
END_TEST

START_TEST(headers_are_found_caseless_and_first)
{
	const struct gx_mime_part *p = parse("To: a\r\nSubject: one\r\nSUBJECT: two\r\n\r\n");
	ck_assert_str_eq(gx_mime_header(p, "sUbJeCt")->value, "one");
	ck_assert_str_eq(gx_mime_header(p, "Subject")->name, "Subject");
	ck_assert_ptr_null(gx_mime_header(p, "Subj"));
	ck_assert_ptr_null(gx_mime_header(p, "Cc"));
}
END_TEST

START_TEST(memory_running_out_is_an_error)
{
	const char *msg = MIXED("b") "--b\r\nContent-Disposition: attachment; filename*=utf-8''a%20b\r\n\r\nx\r\n--b--";
	size_t len = strlen(msg);
	int r = GX_E_NOMEM;
	for (size_t limit = 1; r != 0; limit += 16) {
		struct gx_arena *a = gx_arena_new(limit);
		struct gx_mime_part *root = NULL;
		r = gx_mime_parse(a, NULL, msg, len, &root);
		ck_assert(r == 0 || r == GX_E_NOMEM);
		ck_assert_int_eq(r == 0, root != NULL);
		ck_assert_uint_lt(limit, 100000);
		gx_arena_free(a);
	}
}
END_TEST

static Suite *mime_suite(void)
{
	Suite *s = suite_create("mime");
	TCase *t = tcase_create("structure");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, trees, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, truncations_and_flips_give_trees, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, nuls_are_flagged_and_replaced);
	tcase_add_loop_test(t, depth_bombs_stop_at_the_limit, 0, 2);
	tcase_add_test(t, many_parts_stop_at_the_limit);
	tcase_add_loop_test(t, endless_headers_stop_at_the_limits, 0, 3);
	tcase_add_test(t, fields_of_a_message_are_bounded);
	tcase_add_test(t, long_lines_are_not_kept);
	tcase_add_test(t, parts_have_imap_numbers);
	tcase_add_test(t, headers_are_found_caseless_and_first);
	tcase_add_test(t, memory_running_out_is_an_error);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mime_suite)
