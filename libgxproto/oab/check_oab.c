/* SPDX-License-Identifier: Apache-2.0 */
/* Offline address books: what is in them, how they are packed, and one version after the other, also as another decoder reads them. */
#include <config.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_MSPACK
#include <mspack.h>
#endif
#include <gx/abkt.h>
#include <gx/proptag.h>
#include "libgxproto/oab/oab-int.h"
#include "libgxstore/storetest.h"

static struct gx_arena *a;
static char *tmp;
static struct gx_dir *people;
static struct gx_nsp *nsp;
static struct gx_oab *oab;

static void add(const char *name, const char *display)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	uint32_t id;
	n.username = gx_arena_printf(a, "%s@example.org", name);
	n.display_name = display;
	ck_assert_int_eq(gx_dir_add_user(people, &n, &id), 0);
}

static void open_book(void)
{
	struct gx_oab_opts o = GX_OAB_OPTS_INIT;
	o.nsp = nsp;
	o.dir = gx_arena_printf(a, "%s/oab", tmp);
	o.cache_ms = 1;
	o.keep = 3;
	ck_assert_int_eq(gx_oab_new(&o, NULL, &oab), 0);
}

static void setup(void)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_nsp_opts p = GX_NSP_OPTS_INIT;
	const char *why = "";
	uint32_t id;
	a = gx_arena_new(0);
	tmp = strdup(st_dir());
	d.path = gx_arena_printf(a, "%s/people", tmp);
	ck_assert_msg(gx_dir_create(d.path, a, &why) == 0, "%s", why);
	ck_assert_msg(gx_dir_open(&d, &people, a, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir_add_domain(people, "example.org", "", 0, &id), 0);
	for (unsigned i = 0; i < 40; ++i)
		add(gx_arena_printf(a, "user%u", i), gx_arena_printf(a, "User Number %u", i));
	p.dir = people;
	p.cache_ms = 1;
	p.org_name = "o";
	p.template_dir = gx_arena_printf(a, "%s/abkt", tmp);
	ck_assert_int_eq(mkdir(p.template_dir, 0700), 0);
	ck_assert_int_eq(gx_nsp_new(&p, &nsp), 0);
	open_book();
}

static void teardown(void)
{
	gx_oab_free(oab);
	gx_nsp_free(nsp);
	gx_dir_close(people);
	st_rmtree(tmp);
	free(tmp);
	gx_arena_free(a);
}

static struct gx_bin file(const char *name)
{
	const char *path = NULL;
	struct gx_push p = GX_PUSH_INIT;
	struct gx_bin b;
	ck_assert_msg(gx_oab_file(oab, "user0@example.org", name, a, &path) == 0, "%s", name);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	for (int ch; (ch = getc(f)) != EOF;)
		gx_push_u8(&p, (uint8_t)ch);
	fclose(f);
	gx_push_u8(&p, 0); /* so that a manifest is a text */
	ck_assert_int_eq(gx_push_finish(&p, a, &b), 0);
	gx_push_release(&p);
	return (struct gx_bin){b.data, b.len - 1};
}

static struct gx_bin unpack(struct gx_bin packed)
{
	struct gx_push p = GX_PUSH_INIT;
	struct gx_bin b;
	ck_assert_int_eq(gx_oab_decompress(&p, packed.data, packed.len, 1 << 24), 0);
	ck_assert_int_eq(gx_push_finish(&p, a, &b), 0);
	gx_push_release(&p);
	return b;
}

/* The text of the first element of this name in the manifest; its attribute if one is given. */
static const char *manifest(const char *element, const char *attribute)
{
	const char *xml = (const char *)file("oab.xml").data, *at = strstr(xml, gx_arena_printf(a, "<%s ", element));
	if (at == NULL)
		return NULL;
	if (attribute != NULL) {
		const char *v = strstr(at, gx_arena_printf(a, " %s=\"", attribute)) + strlen(attribute) + 3;
		return gx_arena_strndup(a, v, strcspn(v, "\""));
	}
	const char *text = strchr(at, '>') + 1;
	return gx_arena_strndup(a, text, strcspn(text, "<"));
}

static struct gx_bin newest(void)
{
	return unpack(file(manifest("Full", NULL)));
}

static void wait_a_moment(void)
{
	usleep(3000); /* both caches hold for a millisecond */
}

/* ---- What is in it ---- */

static uint32_t oab_int(struct gx_pull *c)
{
	uint32_t n = gx_pull_u8(c), v = 0;
	if (n < 0x80)
		return n;
	for (uint32_t i = 0; i < n - 0x80; ++i)
		v |= (uint32_t)gx_pull_u8(c) << 8 * i;
	return v;
}

START_TEST(full_details)
{
	struct gx_bin b = newest();
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	ck_assert_uint_eq(gx_pull_u32(&c), 0x20);
	ck_assert_uint_eq(gx_pull_u32(&c), gx_oab__crc(b.data + 12, b.len - 12));
	ck_assert_uint_eq(gx_pull_u32(&c), 40);
	uint32_t meta = gx_pull_u32(&c), head = gx_pull_u32(&c);
	gx_pull_skip(&c, head * 8);
	uint32_t n = gx_pull_u32(&c);
	ck_assert_uint_eq(meta, 12 + 8 * head + 8 * n);
	ck_assert_uint_eq(gx_pull_u32(&c), 0x3003001e);
	gx_pull_skip(&c, n * 8 - 4);
	uint32_t size = gx_pull_u32(&c);
	ck_assert_uint_eq(gx_pull_u8(&c), 0xf0); /* all but the root department */
	ck_assert_str_eq(gx_pull_strz(&c), "\\Global Address List");
	ck_assert_str_eq(gx_pull_strz(&c), "/");
	ck_assert_uint_eq(oab_int(&c), strtoul(manifest("Full", "seq"), NULL, 10));
	ck_assert_str_eq(gx_pull_strz(&c), manifest("OAL", "id"));
	ck_assert_uint_gt(size, 40);
	/* the first entry: DN, address, name, account */
	(void)gx_pull_u32(&c);
	ck_assert_uint_eq(gx_pull_u8(&c) & 0xf0, 0xf0);
	gx_pull_skip(&c, (n + 7) / 8 - 1);
	ck_assert_ptr_nonnull(strstr(gx_pull_strz(&c), "-user0"));
	ck_assert_str_eq(gx_pull_strz(&c), "user0@example.org");
	ck_assert_str_eq(gx_pull_strz(&c), "User Number 0");
	ck_assert_str_eq(gx_pull_strz(&c), "user0");
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(gx_oab__crc("123456789", 9), ~0xcbf43926U);
	struct oab_record *v;
	size_t count;
	ck_assert_int_eq(gx_oab__records(a, b, &v, &count), 0);
	ck_assert_uint_eq(count, 41);
	ck_assert_uint_eq(v[40].end, b.len);
}
END_TEST

/* ---- Versions ---- */

START_TEST(versions_follow_each_other)
{
	struct gx_bin first = newest();
	uint32_t seq = (uint32_t)strtoul(manifest("Full", "seq"), NULL, 10);
	ck_assert_ptr_null(manifest("Diff", NULL));
	wait_a_moment();
	ck_assert_uint_eq(strtoul(manifest("Full", "seq"), NULL, 10), seq); /* nothing has changed */
	add("new", "Newly Come");
	ck_assert_int_eq(gx_dir_del_user(people, "user7@example.org"), 0);
	wait_a_moment();
	struct gx_bin second = newest(), diff = file(manifest("Diff", NULL));
	ck_assert_uint_eq(strtoul(manifest("Full", "seq"), NULL, 10), seq + 1);
	ck_assert_uint_eq(strtoul(manifest("Diff", "seq"), NULL, 10), seq + 1);
	ck_assert_uint_eq(strtoul(manifest("Full", "uncompressedsize"), NULL, 10), second.len);
	ck_assert_uint_lt(diff.len, file(manifest("Full", NULL)).len / 2);
	struct gx_push p = GX_PUSH_INIT;
	ck_assert_int_eq(gx_oab_patch(&p, first, diff, 1 << 24), 0);
	ck_assert_uint_eq(p.len, second.len);
	ck_assert_mem_eq(p.data, second.data, p.len);
	gx_push_release(&p);
	p = (struct gx_push)GX_PUSH_INIT;
	ck_assert_int_eq(gx_oab_patch(&p, second, diff, 1 << 24), GX_E_FORMAT); /* it is not what it was made of */
	gx_push_release(&p);
	/* after a restart the numbers go on */
	gx_oab_free(oab);
	open_book();
	ck_assert_uint_eq(strtoul(manifest("Full", "seq"), NULL, 10), seq + 1);
	for (unsigned i = 0; i < 5; ++i) {
		add(gx_arena_printf(a, "more%u", i), "More");
		wait_a_moment();
		ck_assert_uint_eq(strtoul(manifest("Full", "seq"), NULL, 10), seq + 2 + i);
	}
	ck_assert_uint_eq(strtoul(manifest("Diff", "seq"), NULL, 10), seq + 4); /* the last three are kept */
}
END_TEST

START_TEST(what_is_not_there)
{
	const char *path;
	ck_assert_int_eq(gx_oab_file(oab, "nobody@example.org", "oab.xml", a, &path), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_oab_file(oab, "user0@example.org", "state", a, &path), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_oab_file(oab, "user0@example.org", "../people", a, &path), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_oab_file(oab, "user0@example.org", "", a, &path), GX_E_NOTFOUND);
}
END_TEST

/* ---- Templates ---- */

static struct gx_bin put_template(const char *name, const char *label, uint32_t cp)
{
	const struct gx_abkt_control v[] = {{.type = GX_DTCT_PAGE, .text = label}, {.type = GX_DTCT_EDIT, .tag = 0x3a00001e, .text = "*"}};
	const struct gx_abkt t = {1, v, 2};
	struct gx_bin wide, narrow;
	ck_assert_int_eq(gx_abkt_write(a, &t, 1200, false, &wide), 0);
	ck_assert_int_eq(gx_abkt_write(a, &t, cp, false, &narrow), 0);
	FILE *f = fopen(gx_arena_printf(a, "%s/abkt/%s", tmp, name), "w");
	ck_assert_uint_eq(fwrite(wide.data, 1, wide.len, f), wide.len);
	fclose(f);
	return narrow;
}

/* Where the n-th number of the table says, with as many bytes as the next says. */
static struct gx_bin part(struct gx_bin b, unsigned n)
{
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	gx_pull_skip(&c, 4 * n);
	uint32_t at = gx_pull_u32(&c), len = gx_pull_u32(&c);
	ck_assert_int_eq(c.err, 0);
	ck_assert(at == 0 ? len == 0 : at + len <= b.len);
	return (struct gx_bin){at == 0 ? NULL : b.data + at, len};
}

static void expect_part(struct gx_bin b, unsigned n, struct gx_bin want)
{
	struct gx_bin is = part(b, n);
	ck_assert_uint_eq(is.len, want.len);
	ck_assert_mem_eq(is.data, want.data, want.len);
}

static void expect_text(struct gx_bin b, unsigned n, const char *want)
{
	expect_part(b, n, (struct gx_bin){(const uint8_t *)want, strlen(want) + 1});
}

static const char *template_file(const char *language, const char *system)
{
	const char *xml = (const char *)file("oab.xml").data, *at = strstr(xml, gx_arena_printf(a, " langid=\"%s\" type=\"%s\">", language, system));
	return at == NULL ? NULL : gx_arena_strndup(a, strchr(at, '>') + 1, strcspn(strchr(at, '>') + 1, "<"));
}

START_TEST(templates)
{
	ck_assert_ptr_null(manifest("Template", NULL));
	struct gx_bin user = put_template("0409-0.abk", "General", 1252), list = put_template("0415-1.abk", "Cz\xc5\x82onkowie", 1250),
		smtp = put_template("0409-SMTP.abk", "Address", 1252);
	gx_oab_free(oab);
	open_book();
	uint32_t seq = (uint32_t)strtoul(manifest("Full", "seq"), NULL, 10);
	ck_assert_str_eq(manifest("Template", "ver"), "7");
	ck_assert_uint_eq(strtoul(manifest("Template", "seq"), NULL, 10), seq);
	const char *name = template_file("0409", "windows"), *other = template_file("0409", "mac");
	ck_assert_str_eq(name, gx_arena_printf(a, "%s-lng0409-%u.lzx", manifest("OAL", "id"), (unsigned)seq));
	ck_assert_str_eq(other, gx_arena_printf(a, "%s-mac0409-%u.lzx", manifest("OAL", "id"), (unsigned)seq));
	struct gx_bin b = unpack(file(name)), m = unpack(file(other));
	ck_assert_uint_eq(strtoul(manifest("Template", "uncompressedsize"), NULL, 10), b.len);
	ck_assert_uint_eq(strtoul(manifest("Template", "size"), NULL, 10), file(name).len);
	ck_assert_uint_eq(b.len, m.len);
	ck_assert_mem_eq(b.data, m.data, b.len);
	ck_assert_uint_eq(b.data[0], 7);
	/* 3 numbers of the header, 8 of each of 7 templates, 4 of names, how many ask for addresses, and 8 of each of those */
	expect_text(b, 3, "/o=o/cn=Addressing/cn=Display-Templates/cn=409/cn=0");
	expect_part(b, 5, user);
	ck_assert_uint_eq(part(b, 3 + 8 + 2).len, 0);
	ck_assert_uint_eq(b.data[4 * 63], 1);
	expect_text(b, 64, "/o=o/cn=Addressing/cn=Address-Templates/cn=409/cn=SMTP");
	expect_part(b, 66, smtp);
	ck_assert_uint_eq(part(b, 68).len, 16);
	expect_text(b, 70, "SMTP address");
	b = unpack(file(template_file("0415", "mac")));
	expect_part(b, 3 + 8 + 2, list);
	ck_assert_uint_eq(b.data[4 * 63], 0);
	/* another dialog has another number, though the people are the same */
	gx_oab_free(oab);
	(void)put_template("0409-0.abk", "Other", 1252);
	ck_assert_int_eq(unlink(gx_arena_printf(a, "%s/abkt/0415-1.abk", tmp)), 0);
	open_book();
	ck_assert_uint_eq(strtoul(manifest("Full", "seq"), NULL, 10), seq);
	ck_assert_str_eq(template_file("0409", "mac"), gx_arena_printf(a, "%s-mac0409-%u.lzx", manifest("OAL", "id"), (unsigned)seq + 1));
	ck_assert_ptr_null(template_file("0415", "mac"));
	/* which holds when the people change */
	add("new", "Newly Come");
	wait_a_moment();
	ck_assert_uint_eq(strtoul(manifest("Full", "seq"), NULL, 10), seq + 1);
	ck_assert_uint_eq(strtoul(manifest("Template", "seq"), NULL, 10), seq + 1);
	ck_assert_ptr_nonnull(manifest("Diff", NULL));
}
END_TEST

/* ---- Packing ---- */

START_TEST(broken_files)
{
	struct gx_bin packed = file(manifest("Full", NULL));
	struct gx_push p = GX_PUSH_INIT;
	for (size_t n = 0; n < packed.len; n += 1 + n / 16) {
		gx_push_clear(&p);
		ck_assert_int_ne(gx_oab_decompress(&p, gx_arena_memdup(a, packed.data, n), n, 1 << 24), 0);
	}
	gx_push_clear(&p);
	ck_assert_int_eq(gx_oab_decompress(&p, packed.data, packed.len, 100), GX_E_LIMIT);
	uint8_t *bad = gx_arena_memdup(a, packed.data, packed.len);
	for (unsigned i = 0; i < 200; ++i) {
		bad[i * 7919 % packed.len] ^= (uint8_t)(1U << i % 8);
		gx_push_clear(&p);
		(void)!gx_oab_decompress(&p, bad, packed.len, 1 << 24);
	}
	gx_push_release(&p);
}
END_TEST

#ifdef HAVE_MSPACK
static const char *save(const char *name, struct gx_bin b)
{
	const char *path = gx_arena_printf(a, "%s/%s", tmp, name);
	FILE *f = fopen(path, "w");
	ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
	fclose(f);
	return path;
}

static void expect_file(const char *path, struct gx_bin b)
{
	uint8_t *p = gx_arena_alloc(a, b.len + 1);
	FILE *f = fopen(path, "r");
	ck_assert_uint_eq(fread(p, 1, b.len + 1, f), b.len);
	fclose(f);
	ck_assert_mem_eq(p, b.data, b.len);
}

/* Another decoder of the format reads both kinds. */
START_TEST(as_others_read_them)
{
	struct msoab_decompressor *d = mspack_create_oab_decompressor(NULL);
	char *out = gx_arena_printf(a, "%s/out", tmp);
	struct gx_bin first = newest();
	ck_assert_int_eq(d->decompress(d, save("full", file(manifest("Full", NULL))), out), MSPACK_ERR_OK);
	expect_file(out, first);
	add("aaa", "Another");
	ck_assert_int_eq(gx_dir_del_user(people, "user3@example.org"), 0);
	wait_a_moment();
	struct gx_bin second = newest();
	ck_assert_int_eq(d->decompress_incremental(d, save("diff", file(manifest("Diff", NULL))), save("old", first), out), MSPACK_ERR_OK);
	expect_file(out, second);
	(void)put_template("0409-0.abk", "General", 1252);
	gx_oab_free(oab);
	open_book();
	struct gx_bin dialogs = file(manifest("Template", NULL));
	ck_assert_int_eq(d->decompress(d, save("lng", dialogs), out), MSPACK_ERR_OK);
	expect_file(out, unpack(dialogs));
	mspack_destroy_oab_decompressor(d);
}
END_TEST
#endif

static Suite *oab_suite(void)
{
	Suite *s = suite_create("oab");
	TCase *t = tcase_create("oab");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, full_details);
	tcase_add_test(t, versions_follow_each_other);
	tcase_add_test(t, templates);
	tcase_add_test(t, what_is_not_there);
	tcase_add_test(t, broken_files);
#ifdef HAVE_MSPACK
	tcase_add_test(t, as_others_read_them);
#endif
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(oab_suite)
