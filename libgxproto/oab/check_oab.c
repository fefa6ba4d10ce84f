/* SPDX-License-Identifier: Apache-2.0 */
/* Offline address books: what is in them, how they are packed, and one version after the other, also as another decoder reads them. */
#include <config.h>
#include <stdio.h>
#include <unistd.h>
#ifdef HAVE_MSPACK
#include <mspack.h>
#endif
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
	tcase_add_test(t, what_is_not_there);
	tcase_add_test(t, broken_files);
#ifdef HAVE_MSPACK
	tcase_add_test(t, as_others_read_them);
#endif
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(oab_suite)
