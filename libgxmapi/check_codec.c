/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include "libgxmapi/codec-int.h"

static uint64_t seed = 88172645463325252;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static uint8_t *random_bytes(size_t n)
{
	uint8_t *p = malloc(n + (n == 0));
	for (size_t i = 0; i < n; ++i)
		p[i] = (uint8_t)rnd(256);
	return p;
}

#define CASE(cte, in, out, bad) {cte, in, sizeof(in) - 1, out, sizeof(out) - 1, bad}

static const struct {
	uint8_t cte;
	const char *in;
	size_t in_len;
	const char *out;
	size_t out_len;
	bool bad;
} decoded[] = {
	CASE(GX_CTE_7BIT, "as it is=41\r\n", "as it is=41\r\n", false),
	CASE(GX_CTE_BASE64, "", "", false),
	CASE(GX_CTE_BASE64, "Zm9vYmFy", "foobar", false),
	CASE(GX_CTE_BASE64, "Zm9vYg==\r\n", "foob", false),
	CASE(GX_CTE_BASE64, "Zm9\r\nvYmE=\r\n", "fooba", false),
	CASE(GX_CTE_BASE64, "Zm9vYg", "foob", true),
	CASE(GX_CTE_BASE64, "Zm9vYmE", "fooba", true),
	CASE(GX_CTE_BASE64, "Zm9vY", "foo", true),
	CASE(GX_CTE_BASE64, "Zm!9vY-mFy", "foobar", true),
	CASE(GX_CTE_BASE64, "Zg==\r\nZm8=\r\nZm9v", "ffofoo", true),
	CASE(GX_CTE_BASE64, "====", "", false),
	CASE(GX_CTE_BASE64, "AAECA//+", "\0\1\2\3\xff\xfe", false),
	CASE(GX_CTE_QP, "plain text", "plain text", false),
	CASE(GX_CTE_QP, "a=3Db=c3=BC", "a=b\xc3\xbc", false),
	CASE(GX_CTE_QP, "soft=\r\nbreak=\nhere=  \t\r\n!", "softbreakhere!", false),
	CASE(GX_CTE_QP, "line \t \r\nnext  \nlast ", "line\r\nnext\nlast", false),
	CASE(GX_CTE_QP, "kept=20\r\nkept =\r\nx", "kept \r\nkept x", false),
	CASE(GX_CTE_QP, "=4G =xy =4", "=4G =xy =4", true),
	CASE(GX_CTE_QP, "= x", "= x", true),
	CASE(GX_CTE_QP, "==41", "=A", true),
	CASE(GX_CTE_QP, "=\rx", "=\rx", true),
	CASE(GX_CTE_QP, "a \rb\r\r\nc", "a \rb\r\r\nc", false),
	CASE(GX_CTE_QP, "end=", "end", false),
	CASE(GX_CTE_QP, "end= \t\r", "end", false),
	CASE(GX_CTE_QP, "\0=00\xff", "\0\0\xff", false),
	CASE(GX_CTE_UUENCODE, "hello\nbegin 644 a.txt\n#0V%T\n`\nend\nrest", "Cat", false),
	CASE(GX_CTE_UUENCODE, "begin 644 a\r\n#0V%T\r\n\"0V$ \r\n \r\nend\r\n", "CatCa", false),
	CASE(GX_CTE_UUENCODE, "begin 644 a\n#0V%T*\n`\nend\n", "Cat", false),
	CASE(GX_CTE_UUENCODE, "begin 644 a\n&0V%T\n`\nend\n", "Cat\0\0\0", true),
	CASE(GX_CTE_UUENCODE, "begin 644 a\nM0V%T\n`\nend\n", "Cat", true),
	CASE(GX_CTE_UUENCODE, "begin 644 a\n#0V%T\n", "Cat", true),
	CASE(GX_CTE_UUENCODE, "begin 644 a\n\xff\xff\xff\n#0V%T\n`\nend", "Cat", true),
	CASE(GX_CTE_UUENCODE, "no uuencode at all", "", true),
};
#define N_DECODED (sizeof(decoded) / sizeof(decoded[0]))

/* Feeds the input in pieces, each in a block of its own size. */
static size_t run_cut(struct gx_decoder *d, const uint8_t *in, size_t len, size_t max_piece, uint8_t *out)
{
	size_t n = 0;
	for (size_t i = 0; i < len;) {
		size_t k = max_piece == 1 ? 1 : 1 + rnd((uint32_t)max_piece);
		if (k > len - i)
			k = len - i;
		uint8_t *piece = gxtest_exact(in + i, k);
		size_t bound = gx_decoder_bound(d, k);
		uint8_t *o = malloc(bound + 1);
		size_t got = gx_decoder_run(d, piece, k, false, o);
		ck_assert_uint_le(got, bound);
		memcpy(out + n, o, got);
		n += got;
		free(o);
		free(piece);
		i += k;
	}
	uint8_t *o = malloc(gx_decoder_bound(d, 0) + 1);
	size_t got = gx_decoder_run(d, (const uint8_t *)"", 0, true, o);
	memcpy(out + n, o, got);
	free(o);
	return n + got;
}

START_TEST(decoding)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin b;
	uint8_t *in = gxtest_exact(decoded[_i].in, decoded[_i].in_len);
	ck_assert_int_eq(gx_decode(a, decoded[_i].cte, in, decoded[_i].in_len, &b), 0);
	ck_assert_msg(b.len == decoded[_i].out_len && memcmp(b.data, decoded[_i].out, b.len) == 0,
		"case %d: got %zu bytes '%.*s'", _i, b.len, (int)b.len, (const char *)b.data);
	for (size_t piece = 1; piece < 8; ++piece) {
		struct gx_decoder d;
		uint8_t out[1000];
		gx_decoder_init(&d, decoded[_i].cte);
		size_t n = run_cut(&d, in, decoded[_i].in_len, piece, out);
		ck_assert_msg(n == b.len && memcmp(out, b.data, n) == 0, "case %d in pieces of %zu", _i, piece);
		ck_assert_msg(d.bad == decoded[_i].bad, "case %d: bad", _i);
	}
	free(in);
	gx_arena_free(a);
}
END_TEST

/* Bytes drawn so that each decoder meets what it decides on. */
static uint8_t *hostile_text(size_t n)
{
	static const char *const sets[] = {"AZaz09+/=\r\n", "= \t\r\n=Aa4", "   \t\r\n=", "AAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
		"=4142\r\n", "begin 644x\n`M#end"};
	const char *set = sets[rnd(6)];
	uint8_t *p = malloc(n + (n == 0));
	size_t run = 0;
	uint8_t c = 0;
	for (size_t i = 0; i < n; ++i) {
		if (run == 0) {
			c = rnd(50) == 0 ? (uint8_t)rnd(256) : (uint8_t)set[rnd((uint32_t)strlen(set))];
			run = rnd(40) == 0 ? 1 + rnd(120) : 1;
		}
		p[i] = c;
		--run;
	}
	return p;
}

START_TEST(cut_anywhere_is_the_same)
{
	static const uint8_t ctes[] = {GX_CTE_QP, GX_CTE_BASE64, GX_CTE_UUENCODE};
	for (int round = 0; round < 3000; ++round) {
		size_t n = rnd(round % 10 == 0 ? 3000 : 300);
		uint8_t *in = hostile_text(n);
		struct gx_decoder whole, cut;
		gx_decoder_init(&whole, ctes[round % 3]);
		gx_decoder_init(&cut, ctes[round % 3]);
		uint8_t *out = malloc(gx_decoder_bound(&whole, n)), *out2 = malloc(n * 2 + 400);
		if (ctes[round % 3] == GX_CTE_UUENCODE)
			whole.acc = cut.acc = 1; /* as behind a begin line */
		size_t got = gx_decoder_run(&whole, in, n, true, out);
		ck_assert_uint_le(got, gx_decoder_bound(&whole, n));
		size_t got2 = run_cut(&cut, in, n, round % 7 + 1, out2);
		ck_assert_uint_eq(got, got2);
		ck_assert_int_eq(memcmp(out, out2, got), 0);
		ck_assert_int_eq(whole.bad, cut.bad);
		free(in);
		free(out);
		free(out2);
	}
}
END_TEST

static bool level_available(int level)
{
	return level <= (int)gx_b64__level();
}

START_TEST(vectors_equal_the_plain_code)
{
	if (!level_available(_i))
		return;
	for (int round = 0; round < 4000; ++round) {
		size_t n = rnd(200), groups = n / 3 * 3;
		uint8_t *data = random_bytes(n), want[400], got[400];
		gx_b64__encode_groups(GX_B64__SCALAR, data, groups, n, want);
		gx_b64__encode_groups((enum gx_b64__level)_i, data, groups, n, got);
		ck_assert_int_eq(memcmp(want, got, groups / 3 * 4), 0);
		size_t len = groups / 3 * 4, used, used2;
		if (len != 0 && round % 2 != 0)
			want[rnd((uint32_t)len)] = (uint8_t)rnd(256);
		if (len != 0 && round % 3 == 0)
			want[rnd((uint32_t)len)] = '\n';
		uint8_t *text = gxtest_exact(want, len), *o1 = malloc(n + GX_CODEC__SLACK), *o2 = malloc(n + GX_CODEC__SLACK);
		size_t k = gx_b64__decode_groups(GX_B64__SCALAR, text, len, o1, &used);
		size_t k2 = gx_b64__decode_groups((enum gx_b64__level)_i, text, len, o2, &used2);
		ck_assert_uint_eq(used, used2);
		ck_assert_uint_eq(k, k2);
		ck_assert_int_eq(memcmp(o1, o2, k), 0);
		free(text);
		free(o1);
		free(o2);
		free(data);
	}
}
END_TEST

START_TEST(every_character_has_its_value)
{
	for (int c = 0; c < 256; ++c) {
		uint8_t text[64], out[48 + GX_CODEC__SLACK];
		memset(text, c, sizeof(text));
		size_t used, n = gx_b64__decode_groups((enum gx_b64__level)(level_available(_i) ? _i : 0), text,
			sizeof(text), out, &used);
		const char *at = c == 0 ? NULL : memchr(gx_b64__alphabet, c, 64);
		ck_assert_uint_eq(n, at != NULL ? 48 : 0);
		if (at != NULL) {
			unsigned v = (unsigned)(at - gx_b64__alphabet);
			ck_assert_uint_eq(out[47], (v << 6 | v) & 0xff);
			ck_assert_uint_eq(out[0], v << 2 | v >> 4);
		}
	}
}
END_TEST

START_TEST(base64_tokens)
{
	static const struct {
		const char *in, *out;
	} t[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYmFy", "foobar"}, {"Zg=", NULL},
		{"Zg", NULL}, {"Z===", NULL}, {"====", NULL}, {"Zh==", NULL}, {"Zm9=", NULL}, {"Zm9v\n", NULL},
		{"Zm 9v===", NULL}, {"Zg==Zg==", NULL}, {"Zm-v", NULL}};
	struct gx_arena *a = gx_arena_new(0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct gx_bin b;
		int err = gx_base64_dec(a, t[i].in, strlen(t[i].in), &b);
		ck_assert_msg(err == (t[i].out != NULL ? 0 : GX_E_FORMAT), "'%s': %d", t[i].in, err);
		if (t[i].out != NULL) {
			char back[32];
			ck_assert_uint_eq(b.len, strlen(t[i].out));
			ck_assert_int_eq(memcmp(b.data, t[i].out, b.len), 0);
			ck_assert_uint_eq(gx_base64_enc(b.data, b.len, back), strlen(t[i].in));
			ck_assert_int_eq(memcmp(back, t[i].in, strlen(t[i].in)), 0);
		}
	}
	gx_arena_free(a);
}
END_TEST

static void check_round_trip(uint8_t cte, const struct gx_push *text, const uint8_t *data, size_t n)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin b;
	ck_assert_int_eq(text->err, 0);
	ck_assert_int_eq(gx_decode(a, cte, text->data, text->len, &b), 0);
	ck_assert_uint_eq(b.len, n);
	ck_assert_int_eq(memcmp(b.data, data, n), 0);
	gx_arena_free(a);
	size_t col = 0;
	for (size_t i = 0; i < text->len; ++i) {
		col = text->data[i] == '\n' ? 0 : col + 1;
		ck_assert_uint_le(col, 77);
		ck_assert(text->data[i] < 0x7f);
	}
}

START_TEST(encoders_are_undone_by_decoders)
{
	for (int round = 0; round < 400; ++round) {
		size_t n = rnd(1000);
		uint8_t *data = round % 2 != 0 ? random_bytes(n) : hostile_text(n);
		struct gx_push p = GX_PUSH_INIT;
		if (n != 0) {
			gx_qp_enc(&p, data, n, false);
			check_round_trip(GX_CTE_QP, &p, data, n);
			gx_push_clear(&p);
			gx_base64_enc_lines(&p, data, n);
			check_round_trip(GX_CTE_BASE64, &p, data, n);
		}
		gx_push_release(&p);
		free(data);
	}
}
END_TEST

START_TEST(qp_text)
{
	static const struct {
		const char *in, *out;
		bool text;
	} t[] = {
		{"", "", true},
		{"a=b\n", "a=3Db\r\n", true},
		{"a \r\nb\t", "a=20\r\nb=09", true},
		{"a\r\nb", "a=0D=0Ab", false},
		{"a\rb\r", "a=0Db=0D", true},
		{".\nFrom me\nFrom", "=2E\r\n=46rom me\r\nFrom", true},
		{"\xc3\xa4", "=C3=A4", true},
		{"123456789012345678901234567890123456789012345678901234567890123456789012345678",
			"123456789012345678901234567890123456789012345678901234567890123456789012345=\r\n678", true},
		{"12345678901234567890123456789012345678901234567890123456789012345678901234\xe4",
			"12345678901234567890123456789012345678901234567890123456789012345678901234=\r\n=E4", true},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct gx_push p = GX_PUSH_INIT;
		gx_qp_enc(&p, (const uint8_t *)t[i].in, strlen(t[i].in), t[i].text);
		ck_assert_msg(p.len == strlen(t[i].out) && (p.len == 0 || memcmp(p.data, t[i].out, p.len) == 0),
			"case %zu: %.*s", i, (int)p.len, (const char *)p.data);
		gx_push_release(&p);
	}
}
END_TEST

static Suite *codec_suite(void)
{
	Suite *s = suite_create("codec");
	TCase *t = tcase_create("codec");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, decoding, 0, (int)N_DECODED);
	tcase_add_test(t, cut_anywhere_is_the_same);
	tcase_add_loop_test(t, vectors_equal_the_plain_code, GX_B64__SCALAR, GX_B64__AVX2 + 1);
	tcase_add_loop_test(t, every_character_has_its_value, GX_B64__SCALAR, GX_B64__AVX2 + 1);
	tcase_add_test(t, base64_tokens);
	tcase_add_test(t, encoders_are_undone_by_decoders);
	tcase_add_test(t, qp_text);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(codec_suite)
