/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of what stands in a Gromox mailbox: names, blobs, content files of every version. */
#include <config.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <zstd.h>
#include <gx/charset.h>
#include "libgxstore/gromox/gromox-int.h"
#include "libgxstore/storetest.h"

static struct gx_arena *a;
static struct gx_gromox_idmap *map;
static struct gx_gromox_px px;

static void setup(void)
{
	a = gx_arena_new(0);
	map = calloc(1, sizeof(*map));
	for (unsigned i = 1; i < 0x100; i++)
		map->id[i] = (uint16_t)(0x8000 + i + 0x10); /* other ids in the new store */
	px = (struct gx_gromox_px){.a = a, .map = map};
}

static void teardown(void)
{
	gx_arena_free(a);
	free(map);
}

/* Bytes of a hexadecimal text with blanks, in a block of exactly their size that the arena does not know. */
static struct gx_bin bytes(const char *hex)
{
	static void *last;
	uint8_t buf[512];
	size_t n = 0;
	for (; *hex != '\0'; hex++) {
		unsigned v;
		if (*hex == ' ')
			continue;
		ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
		buf[n++] = (uint8_t)v;
		hex++;
	}
	free(last);
	last = gxtest_exact(buf, n);
	return (struct gx_bin){last, n};
}

/* ---- Names ---- */

START_TEST(names_good)
{
	struct gx_propname n;
	ck_assert_int_eq(gx_gromox__propname(a, "GUID=00062008-0000-0000-c000-000000000046,LID=34049", &n), 0);
	ck_assert(!n.by_name && n.lid == 34049 && n.set.d1 == 0x00062008 && n.set.d4[0] == 0xc0);
	ck_assert_int_eq(gx_gromox__propname(a, "guid=00020329-0000-0000-C000-000000000046,name=Keywords, and=more", &n),
		0);
	ck_assert(n.by_name && n.set.d1 == 0x00020329);
	ck_assert_str_eq(n.name, "Keywords, and=more");
	ck_assert_int_eq(gx_gromox__propname(a, "GUID=00062008-0000-0000-c000-000000000046,LID=4294967295", &n), 0);
	ck_assert_uint_eq(n.lid, UINT32_MAX);
}
END_TEST

START_TEST(names_bad)
{
	static const char *const bad[] = {"", "GUID=", "GUID=00062008-0000-0000-c000-000000000046", "LID=5",
		"GUID=00062008-0000-0000-c000-000000000046,LID=", "GUID=00062008-0000-0000-c000-000000000046,LID=12x",
		"GUID=00062008-0000-0000-c000-000000000046,LID=-1", "GUID=00062008-0000-0000-c000-000000000046,LID=4294967296",
		"GUID=00062008-0000-0000-c000-000000000046,NAME=", "GUID=0006200x-0000-0000-c000-000000000046,LID=1",
		"GUID=00062008-0000-0000-c000-000000000046,NAME=\xff", "GUID=00062008-0000-0000-c000-000000000046;LID=1"};
	struct gx_propname n;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(gx_gromox__propname(a, bad[i], &n) == GX_E_FORMAT, "\"%s\" is a name", bad[i]);
}
END_TEST

START_TEST(tags)
{
	ck_assert_uint_eq(gx_gromox__map_tag(map, 0x0037001e), 0x0037001f);
	ck_assert_uint_eq(gx_gromox__map_tag(map, 0x3905101e), 0x3905101f);
	ck_assert_uint_eq(gx_gromox__map_tag(map, 0x80010003), 0x80110003);
	ck_assert_uint_eq(gx_gromox__map_tag(map, 0x8001001e), 0x8011001f);
	ck_assert_uint_eq(gx_gromox__map_tag(map, 0x90010003), 0);
	ck_assert_uint_eq(gx_gromox__map_tag(map, 0xffff0003), 0);
	ck_assert_uint_eq(gx_gromox__map_tag(NULL, 0x80010003), 0x80010003);
}
END_TEST

/* ---- Multi-values and server ids ---- */

START_TEST(multi)
{
	union gx_value v;
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleInteger32, bytes("02000000 01000000 ffffffff"), &v), 0);
	ck_assert(v.mv.count == 2 && v.mv.v[0].i32 == 1 && v.mv.v[1].i32 == -1);
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleString, bytes("02000000 6162 00 c3a400"), &v), 0);
	ck_assert_str_eq(v.mv.v[0].str, "ab");
	ck_assert_str_eq(v.mv.v[1].str, "\xc3\xa4");
	/* not UTF-8: taken for windows-1252 */
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleString8, bytes("01000000 e400"), &v), 0);
	ck_assert_str_eq(v.mv.v[0].str, "\xc3\xa4");
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleBinary, bytes("02000000 0200 aabb 0000"), &v), 0);
	ck_assert(v.mv.count == 2 && v.mv.v[0].bin.len == 2 && v.mv.v[0].bin.data[1] == 0xbb && v.mv.v[1].bin.len == 0);
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleInteger16, bytes("01000000 feff"), &v), 0);
	ck_assert_int_eq(v.mv.v[0].i16, -2);
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleTime, bytes("01000000 0102030405060708"), &v), 0);
	ck_assert_uint_eq(v.mv.v[0].time, UINT64_C(0x0807060504030201));
	ck_assert_int_eq(gx_gromox__multi(&px, PtypMultipleGuid, bytes("00000000"), &v), 0);
	ck_assert_uint_eq(v.mv.count, 0);
}
END_TEST

START_TEST(multi_bad)
{
	static const char *const bad[] = {"", "010000", "01000000", "ffffffff 01", "01000000 01000000 00", "00000000 00"};
	union gx_value v;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_ne(gx_gromox__multi(&px, PtypMultipleInteger32, bytes(bad[i]), &v), 0);
	ck_assert_int_ne(gx_gromox__multi(&px, PtypMultipleString, bytes("01000000 6162"), &v), 0);
	ck_assert_int_ne(gx_gromox__multi(&px, PtypMultipleBinary, bytes("01000000 0300 6162"), &v), 0);
	ck_assert_int_ne(gx_gromox__multi(&px, 0x1fff, bytes("00000000"), &v), 0);
}
END_TEST

START_TEST(server_ids)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_gromox__svreid(bytes("1500 01 0100 00000000000d 0100 000000010001 07000000"), &b), 0);
	ck_assert(b.len == 21 && b.data[0] == 1);
	ck_assert_int_eq(gx_gromox__svreid(bytes("0300 00 abcd"), &b), 0);
	ck_assert_uint_eq(b.len, 3);
	ck_assert_int_ne(gx_gromox__svreid(bytes("1500 01"), &b), 0);
	ck_assert_int_ne(gx_gromox__svreid(bytes("0000"), &b), 0);
	ck_assert_int_ne(gx_gromox__svreid(bytes("0100 00 00"), &b), 0);
	ck_assert_int_ne(gx_gromox__svreid(bytes(""), &b), 0);
}
END_TEST

/* ---- Restrictions ---- */

static void restr_is(const char *hex, const char *text)
{
	const struct gx_restr *r;
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_bin in = bytes(hex);
	int err = gx_gromox__restr(&px, in, &r);
	ck_assert_msg(err == 0, "%s: %d", hex, err);
	gx_restr_print(&b, r);
	ck_assert_str_eq(gx_strbuf_cstr(&b), text);
	gx_strbuf_release(&b);
}

static char *print(const struct gx_restr *r)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_restr_print(&b, r);
	return gx_strbuf_take(&b);
}

/* Compared as text with what it should be. */
static void restr_equals(const char *hex, const struct gx_restr *want)
{
	char *text = print(want);
	restr_is(hex, text);
	free(text);
}

START_TEST(restrictions)
{
	const struct gx_restr exist = {.type = RES_EXIST, .u.exist.tag = 0x0037001f};
	const struct gx_restr named = {.type = RES_EXIST, .u.exist.tag = 0x80120003};
	const struct gx_restr two[] = {exist, named};
	const struct gx_restr and = {.type = RES_AND, .u.list = {two, 2}};
	const struct gx_restr content = {.type = RES_CONTENT, .u.content = {.level = FL_SUBSTRING, .flags = FL_IGNORECASE,
		.tag = 0x0037001f, .val = {0x0037001f, {.str = "hi"}}}};
	const struct gx_restr not = {.type = RES_NOT, .u.not_.sub = &content};
	const struct gx_restr count = {.type = RES_COUNT, .u.count = {5, &exist}};
	const struct gx_restr sub = {.type = RES_SUBRESTRICTION, .u.sub = {PidTagMessageRecipients, &exist}};
	const struct gx_propval pv[] = {{0x80110003, {.i32 = 7}}};
	const struct gx_restr comment = {.type = RES_COMMENT, .u.comment = {pv, 1, &exist}};
	const struct gx_restr mask = {.type = RES_BITMASK, .u.bitmask = {BMR_NEZ, 0x0e070003, 1}};
	const struct gx_restr size = {.type = RES_SIZE, .u.size = {RELOP_GT, 0x80130102, 100}};
	const struct gx_restr cmp = {.type = RES_COMPAREPROPS, .u.cmp = {RELOP_EQ, 0x00390040, 0x0e060040}};
	restr_equals("08 1f003700", &exist);
	restr_equals("08 1e003700", &exist); /* the 8-bit variant is the same property */
	restr_equals("00 0200 08 1f003700 08 03000280", &and);
	restr_equals("02 03 01000100 1e003700 1e003700 686900", &not);
	restr_equals("0b 05000000 08 1f003700", &count);
	restr_equals("09 0d00120e 08 1f003700", &sub);
	restr_equals("0a 01 03000180 07000000 01 08 1f003700", &comment);
	restr_equals("06 01 0300070e 01000000", &mask);
	restr_equals("07 02 02010380 64000000", &size);
	restr_equals("05 04 40003900 4000060e", &cmp);
	restr_is("ff", "null");
}
END_TEST

START_TEST(restrictions_bad)
{
	const struct gx_restr *r;
	ck_assert_int_eq(gx_gromox__restr(&px, bytes("08 03000190"), &r), GX_E_NOTFOUND); /* no such name */
	ck_assert_int_ne(gx_gromox__restr(&px, bytes(""), &r), 0);
	ck_assert_int_ne(gx_gromox__restr(&px, bytes("08 1f0037"), &r), 0);
	ck_assert_int_ne(gx_gromox__restr(&px, bytes("08 1f003700 00"), &r), 0);
	ck_assert_int_ne(gx_gromox__restr(&px, bytes("00 ffff 08"), &r), 0);
	ck_assert_int_ne(gx_gromox__restr(&px, bytes("0d"), &r), 0);
	uint8_t deep[4096];
	memset(deep, RES_NOT, sizeof(deep));
	ck_assert_int_ne(gx_gromox__restr(&px, (struct gx_bin){deep, sizeof(deep)}, &r), 0);
}
END_TEST

/* ---- Actions ---- */

static void actions_are(const char *in, const char *want)
{
	struct gx_bin out, expected;
	int err = gx_gromox__actions(&px, bytes(in), &out);
	ck_assert_msg(err == 0, "%s: %d", in, err);
	expected = bytes(want);
	ck_assert_uint_eq(out.len, expected.len);
	ck_assert_mem_eq(out.data, expected.data, out.len);
}

START_TEST(actions)
{
	/* move to a folder of this store: the same bytes */
	static const char move[] = "0100 2400 01 00000000 00000000 01 0100 00 1500 01 0100 00000000000a 0000000000000000 00000000";
	char longer[256];
	ck_assert_int_gt(snprintf(longer, sizeof(longer), "0200 %s 0900 0a 00000000 00000000", move + 5), 0);
	actions_are(move, move);
	actions_are(longer, longer);
	actions_are("0100 0d00 06 00000000 00000000 26000000", "0100 0d00 06 00000000 00000000 26000000");
	actions_are("0100 0c00 05 01000000 02000000 aabbcc", "0100 0c00 05 01000000 02000000 aabbcc");
	actions_are("0100 2900 03 00000000 00000000 0100 00000000000d 0100 000000012345 000102030405060708090a0b0c0d0e0f",
		"0100 2900 03 00000000 00000000 0100 00000000000d 0100 000000012345 000102030405060708090a0b0c0d0e0f");
	/* forward: text becomes UTF-16, an 8-bit tag the Unicode one, ids the new ones */
	actions_are("0100 2300 07 01000000 00000000 0100 01 0300 1e000130 6100 03000180 05000000 1f003a00 c3a400",
		"0100 2600 07 01000000 00000000 0100 01 0300 1f000130 6100 0000 03001180 05000000 1f003a00 e400 0000");
	/* a property without a name is no property */
	actions_are("0100 1600 07 00000000 00000000 0100 01 0100 03000190 05000000",
		"0100 0e00 07 00000000 00000000 0100 01 0000");
	actions_are("0100 1100 09 00000000 00000000 03000180 05000000", "0100 1100 09 00000000 00000000 03001180 05000000");
}
END_TEST

START_TEST(actions_bad)
{
	static const char *const bad[] = {"", "0000", "0100", "0200 0900 0a 00000000 00000000",
		"0100 0800 0a 00000000 000000",
		"0100 0a00 0a 00000000 00000000 ff", "0100 0900 0c 00000000 00000000", "0100 0900 0a 00000000 00000000 00",
		"0100 0b00 06 00000000 00000000 2600", "0100 1100 09 00000000 00000000 03000190 05000000",
		"0100 0b00 07 00000000 00000000 ffff", "0100 0e00 07 00000000 00000000 0100 01 ffff"};
	struct gx_bin out;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(gx_gromox__actions(&px, bytes(bad[i]), &out) != 0, "%s is taken", bad[i]);
}
END_TEST

START_TEST(profile)
{
	struct gx_proplist l, *s;
	size_t n;
	ck_assert_int_eq(gx_gromox__profile(&px, bytes("0100 1f000130 6100 02000000 0000 0200 03000130 01000000 02010230 02000000 aabb"),
		&l, &s, &n), 0);
	ck_assert_uint_eq(l.count, 1);
	ck_assert_str_eq(l.v[0].v.str, "a");
	ck_assert_uint_eq(n, 2);
	ck_assert(s[0].count == 0 && s[1].count == 2 && s[1].v[1].v.bin.len == 2);
	ck_assert_int_ne(gx_gromox__profile(&px, bytes("0100 1f000130 6100"), &l, &s, &n), 0);
	ck_assert_int_ne(gx_gromox__profile(&px, bytes("0000 ffffffff"), &l, &s, &n), 0);
	ck_assert_int_ne(gx_gromox__profile(&px, bytes("0000 00000000 00"), &l, &s, &n), 0);
}
END_TEST

/* Cut anywhere and with any bit turned, blobs give a value or an error. */
START_TEST(mutations)
{
	static const char restr[] = "00 0300 08 1f003700 02 03 01000100 1e003700 1e003700 686900 0a 01 03000180 07000000 01 08 1f003700";
	static const char act[] = "0200 2300 07 01000000 00000000 0100 01 0300 1e000130 6100 03000180 05000000 1f003a00 c3a400 0900 0a 00000000 00000000";
	for (int kind = 0; kind < 2; kind++) {
		struct gx_bin in = bytes(kind == 0 ? restr : act), out;
		const struct gx_restr *r;
		uint8_t *copy = gx_arena_memdup(a, in.data, in.len);
		ck_assert_int_eq(kind == 0 ? gx_gromox__restr(&px, in, &r) : gx_gromox__actions(&px, in, &out), 0);
		for (size_t n = 0; n < in.len; n++) {
			uint8_t *cut = gxtest_exact(copy, n);
			ck_assert_int_ne(kind == 0 ? gx_gromox__restr(&px, (struct gx_bin){cut, n}, &r) :
				gx_gromox__actions(&px, (struct gx_bin){cut, n}, &out), 0);
			free(cut);
		}
		for (size_t bit = 0; bit < in.len * 8; bit++) {
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
			uint8_t *whole = gxtest_exact(copy, in.len);
			int err = kind == 0 ? gx_gromox__restr(&px, (struct gx_bin){whole, in.len}, &r) :
				gx_gromox__actions(&px, (struct gx_bin){whole, in.len}, &out);
			ck_assert_int_le(err, 0);
			free(whole);
			copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}
END_TEST

/* ---- Text ---- */

START_TEST(text)
{
	const char *s;
	bool guessed;
	ck_assert_int_eq(gx_gromox__text(a, 932, "gr\xc3\xbc\xc3\x9f", 6, &s, &guessed), 0);
	ck_assert_str_eq(s, "gr\xc3\xbc\xc3\x9f");
	ck_assert(!guessed);
	ck_assert_int_eq(gx_gromox__text(a, 0, "gr\xfc\xdf", 4, &s, &guessed), 0);
	ck_assert_str_eq(s, "gr\xc3\xbc\xc3\x9f");
	ck_assert(guessed);
	ck_assert_int_eq(gx_gromox__text(a, 1251, "\xef\xf0", 2, &s, &guessed), 0);
	ck_assert_str_eq(s, "\xd0\xbf\xd1\x80");
	ck_assert_int_eq(gx_gromox__text(a, GX_CP_UTF8, "\xff", 1, &s, &guessed), 0);
	ck_assert_str_eq(s, "\xc3\xbf");
	ck_assert_int_eq(gx_gromox__text(a, 0, "", 0, &s, &guessed), 0);
	ck_assert(!guessed && *s == '\0');
}
END_TEST

/* ---- Files ---- */

static char dir[600];
static struct gx_gromox_cid *cid;

static void file_setup(void)
{
	setup();
	snprintf(dir, sizeof(dir), "%s", st_dir());
	static const char *const sub[] = {"cid", "cid/Y-ab", "cid/S-01", "eml", "eml/R-ab"};
	for (size_t i = 0; i < sizeof(sub) / sizeof(sub[0]); i++)
		ck_assert_int_eq(mkdir(gx_arena_printf(a, "%s/%s", dir, sub[i]), 0700), 0);
	ck_assert_int_eq(gx_gromox__cid_open(dir, &cid), 0);
}

static void file_teardown(void)
{
	gx_gromox__cid_close(cid);
	st_rmtree(dir);
	teardown();
}

static void put(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(gx_arena_printf(a, "%s/%s", dir, name), "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(p, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

static void put_zstd(const char *name, const void *p, size_t n, bool known)
{
	size_t bound = ZSTD_compressBound(n);
	uint8_t *out = gx_arena_alloc(a, bound);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, known);
	size_t z = ZSTD_compress2(c, out, bound, p, n);
	ck_assert(!ZSTD_isError(z));
	ZSTD_freeCCtx(c);
	put(name, out, z);
}

static int get(const char *name, bool unicode, struct gx_bin *b)
{
	const char *file = NULL;
	int err = gx_gromox__cid_read(cid, a, name, unicode, b, &file);
	ck_assert_ptr_nonnull(file);
	ck_assert(strncmp(file, dir, strlen(dir)) == 0);
	return err;
}

static void content_is(const char *name, bool unicode, const char *want, size_t n)
{
	struct gx_bin b;
	int err = get(name, unicode, &b);
	ck_assert_msg(err == 0, "%s: %d", name, err);
	ck_assert_uint_eq(b.len, n);
	ck_assert_mem_eq(b.data, want, n);
	if (!unicode) /* then there may be one already */
		ck_assert_uint_eq(b.data[n], 0);
}

START_TEST(content_files)
{
	static const char y[] = "Y-ab/0123456789abcdef0123456789abcd";
	static const char s[] = "S-01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd";
	put("cid/1", "\x03\0\0\0abc\0", 8);
	put("cid/2", "abc\0def", 7);
	put_zstd("cid/3.v1z", "\x02\0\0\0hi\0", 7, true);
	put_zstd("cid/4.zst", "plain", 5, true);
	put_zstd(gx_arena_printf(a, "cid/%s", y), "third", 5, true);
	put_zstd(gx_arena_printf(a, "cid/%s", s), "fourth", 6, false);
	content_is("1", true, "abc", 3);
	content_is("2", false, "abc\0def", 7);
	content_is("3", true, "hi", 2);
	content_is("3", false, "\x02\0\0\0hi\0", 7);
	content_is("4", true, "plain", 5);
	content_is(y, true, "third", 5);
	content_is(s, false, "fourth", 6);
	/* .zst comes first, then .v1z, then the plain one */
	put_zstd("cid/1.v1z", "\x01\0\0\0v\0", 6, true);
	content_is("1", true, "v", 1);
	put_zstd("cid/1.zst", "z", 1, true);
	content_is("1", true, "z", 1);
	/* large ones, with and without a size in the frame; an empty one */
	char *big = gx_arena_alloc(a, 700000);
	for (size_t i = 0; i < 700000; i++)
		big[i] = (char)(i * i >> 7);
	put_zstd("cid/5.zst", big, 700000, true);
	put_zstd("cid/6.zst", big, 700000, false);
	put_zstd("cid/7.zst", "", 0, true);
	content_is("5", false, big, 700000);
	content_is("6", false, big, 700000);
	content_is("7", false, "", 0);
}
END_TEST

START_TEST(content_bad)
{
	static const char *const names[] = {"", "../1", "1/2", "Y-ab/0123", "Y-ab/../../../../../etc/passwd0000",
		"Z-ab/0123456789abcdef0123456789abcd",
		"123456789012345678901", "1a", "Y-ab/0123456789abcdef0123456789abcdx"};
	struct gx_bin b;
	char z[64];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(get(names[i], false, &b) == GX_E_FORMAT, "%s is a name", names[i]);
	ck_assert_int_eq(get("99", false, &b), GX_E_NOTFOUND);
	ck_assert_int_eq(get("Y-ab/0123456789abcdef0123456789abcd", false, &b), GX_E_NOTFOUND);
	ck_assert_int_eq(get("Y-cd/0123456789abcdef0123456789abcd", false, &b), GX_E_NOTFOUND);
	put("cid/8.zst", "no zstd at all", 14);
	ck_assert_int_eq(get("8", false, &b), GX_E_FORMAT);
	put("cid/9.zst", "", 0);
	ck_assert_int_eq(get("9", false, &b), GX_E_FORMAT);
	put("cid/10", "ab", 2);
	ck_assert_int_eq(get("10", true, &b), GX_E_FORMAT);
	put_zstd("cid/11.zst", "something worth a frame", 23, true);
	FILE *f = fopen(gx_arena_printf(a, "%s/cid/11.zst", dir), "rb");
	size_t n = fread(z, 1, sizeof(z), f);
	fclose(f);
	for (size_t len = 0; len < n; len++) {
		put("cid/12.zst", z, len);
		ck_assert_int_eq(get("12", false, &b), GX_E_FORMAT);
	}
	z[n / 2] ^= 0x20;
	put("cid/12.zst", z, n);
	ck_assert_int_eq(get("12", false, &b), GX_E_FORMAT);
	ck_assert_int_eq(symlink("/etc/passwd", gx_arena_printf(a, "%s/cid/13", dir)), 0);
	ck_assert_int_eq(get("13", false, &b), GX_E_FORMAT);
	ck_assert_int_eq(mkdir(gx_arena_printf(a, "%s/cid/14", dir), 0700), 0);
	ck_assert_int_eq(get("14", false, &b), GX_E_FORMAT);
}
END_TEST

START_TEST(originals)
{
	static const char *const bad[] = {"", ".", "..", "../eml/1", "/etc/passwd", "a/b/c", "a/../b", "R-ab/",
		"R-ab/.hidden"};
	struct gx_bin b;
	const char *file;
	put("eml/R-ab/1234", "Subject: x\r\n\r\n", 14);
	put("eml/1700.1.host", "old", 3);
	ck_assert_int_eq(gx_gromox__eml_read(dir, a, "R-ab/1234", &b, &file), 0);
	ck_assert_uint_eq(b.len, 14);
	ck_assert_int_eq(gx_gromox__eml_read(dir, a, "1700.1.host", &b, &file), 0);
	ck_assert_int_eq(gx_gromox__eml_read(dir, a, "R-ab/none", &b, &file), GX_E_NOTFOUND);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(gx_gromox__eml_read(dir, a, bad[i], &b, &file) == GX_E_FORMAT, "%s is a name", bad[i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("gromox");
	TCase *t = tcase_create("blobs"), *f = tcase_create("files");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_checked_fixture(f, file_setup, file_teardown);
	tcase_add_test(t, names_good);
	tcase_add_test(t, names_bad);
	tcase_add_test(t, tags);
	tcase_add_test(t, multi);
	tcase_add_test(t, multi_bad);
	tcase_add_test(t, server_ids);
	tcase_add_test(t, restrictions);
	tcase_add_test(t, restrictions_bad);
	tcase_add_test(t, actions);
	tcase_add_test(t, actions_bad);
	tcase_add_test(t, profile);
	tcase_add_test(t, mutations);
	tcase_add_test(t, text);
	tcase_add_test(f, content_files);
	tcase_add_test(f, content_bad);
	tcase_add_test(f, originals);
	suite_add_tcase(s, t);
	suite_add_tcase(s, f);
	return s;
}

GXTEST_MAIN(suite)
