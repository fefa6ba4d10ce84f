/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/entryid.h>

static struct gx_arena *a;
static struct gx_guid box, db;

static void setup(void)
{
	a = gx_arena_new(0);
	ck_assert_int_eq(gx_guid_parse("00112233-4455-6677-8899-aabbccddeeff", &box), 0);
	ck_assert_int_eq(gx_guid_parse("01020304-0506-0708-090a-0b0c0d0e0f10", &db), 0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

#define BOX "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
#define DB "\x04\x03\x02\x01\x06\x05\x08\x07\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"

#define CHECK_BYTES(bin, text) \
	do { \
		ck_assert_uint_eq((bin).len, sizeof(text) - 1); \
		ck_assert_mem_eq((bin).data, text, sizeof(text) - 1); \
	} while (0)

START_TEST(numbers)
{
	uint64_t e = gx_eid_make(1, 0x010203040506);
	uint8_t wire[8];
	for (int i = 0; i < 8; ++i)
		wire[i] = (uint8_t)(e >> (8 * i));
	ck_assert_mem_eq(wire, "\1\0\1\2\3\4\5\6", 8);
	ck_assert_uint_eq(gx_eid_replica(e), 1);
	ck_assert_uint_eq(gx_eid_counter(e), 0x010203040506);
	ck_assert_uint_eq(gx_eid_counter(gx_eid_make(0xffff, GX_COUNTER_MAX)), GX_COUNTER_MAX);
}
END_TEST

START_TEST(folders_and_messages)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_entryid_folder(a, &box, &db, 0x0d, &b), 0);
	CHECK_BYTES(b, "\0\0\0\0" BOX "\1\0" DB "\0\0\0\0\0\x0d" "\0\0");
	ck_assert_uint_eq(gx_entryid_kind(b), GX_ENTRYID_FOLDER_EID);
	ck_assert_int_eq(gx_entryid_folder(a, NULL, &db, 2, &b), 0);
	CHECK_BYTES(b, "\0\0\0\0" "\x1a\x44\x73\x90\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a" "\3\0" DB "\0\0\0\0\0\2" "\0\0");
	ck_assert_int_eq(gx_entryid_message(a, &box, &db, 0x0d, &db, 0x1000, &b), 0);
	CHECK_BYTES(b, "\0\0\0\0" BOX "\7\0" DB "\0\0\0\0\0\x0d\0\0" DB "\0\0\0\0\x10\0\0\0");
	ck_assert_uint_eq(gx_entryid_kind(b), GX_ENTRYID_MESSAGE_EID);
	ck_assert_int_eq(gx_entryid_folder(a, &box, &db, GX_COUNTER_MAX + 1, &b), GX_E_RANGE);
	ck_assert_int_eq(gx_entryid_gid(a, &db, 0x10, &b), 0);
	CHECK_BYTES(b, DB "\0\0\0\0\0\x10");
	ck_assert_int_eq(gx_entryid_longterm(a, &db, 0x10, &b), 0);
	CHECK_BYTES(b, DB "\0\0\0\0\0\x10\0\0");
}
END_TEST

START_TEST(addresses)
{
	struct gx_bin b;
	const char *type, *addr, *name;
	ck_assert_int_eq(gx_entryid_oneoff(a, "Jo", "SMTP", "j@x", &b), 0);
	CHECK_BYTES(b, "\0\0\0\0" "\x81\x2b\x1f\xa4\xbe\xa3\x10\x19\x9d\x6e\x00\xdd\x01\x0f\x54\x02" "\0\0" "\x01\x90"
		"J\0o\0\0\0" "S\0M\0T\0P\0\0\0" "j\0@\0x\0\0\0");
	ck_assert_int_eq(gx_entryid_address(a, b, &type, &addr, &name), 0);
	ck_assert_str_eq(type, "SMTP");
	ck_assert_str_eq(addr, "j@x");
	ck_assert_str_eq(name, "Jo");
	/* the 8-bit form, with a character of code page 1252 */
	static const char ansi[] = "\0\0\0\0" "\x81\x2b\x1f\xa4\xbe\xa3\x10\x19\x9d\x6e\x00\xdd\x01\x0f\x54\x02" "\0\0" "\x01\x00"
		"J\xf6\0" "SMTP\0" "j@x";
	b = (struct gx_bin){(const uint8_t *)ansi, sizeof(ansi)};
	ck_assert_int_eq(gx_entryid_address(a, b, &type, &addr, &name), 0);
	ck_assert_str_eq(name, "J\xc3\xb6");
	ck_assert_str_eq(addr, "j@x");
	ck_assert_int_eq(gx_entryid_addressbook(a, 0, "/o=x/cn=y", &b), 0);
	CHECK_BYTES(b, "\0\0\0\0" "\xdc\xa7\x40\xc8\xc0\x42\x10\x1a\xb4\xb9\x08\x00\x2b\x2f\xe1\x82" "\1\0\0\0" "\0\0\0\0" "/o=x/cn=y\0");
	ck_assert_int_eq(gx_entryid_address(a, b, &type, &addr, &name), 0);
	ck_assert_str_eq(type, "EX");
	ck_assert_str_eq(addr, "/o=x/cn=y");
	ck_assert_ptr_null(name);
	ck_assert_int_eq(gx_entryid_folder(a, &box, &db, 1, &b), 0);
	ck_assert_int_eq(gx_entryid_address(a, b, &type, &addr, &name), GX_E_UNSUP);
	ck_assert_int_eq(gx_search_key(a, "smtp", "User@Example.com", &b), 0);
	CHECK_BYTES(b, "SMTP:USER@EXAMPLE.COM\0");
}
END_TEST

START_TEST(stores)
{
	struct gx_bin b;
	struct gx_store_eid e;
	const struct gx_dctx x = GX_DCTX(a);
	ck_assert_int_eq(gx_entryid_store(a, "srv", "/o=x/cn=y", &b), 0);
	CHECK_BYTES(b, "\0\0\0\0" "\x38\xa1\xbb\x10\x05\xe5\x10\x1a\xa1\xbb\x08\x00\x2b\x2a\x56\xc2" "\0\0" "EMSMDB.DLL\0\0\0\0"
		"\0\0\0\0" "\x1b\x55\xfa\x20\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a" "\x0c\0\0\0" "srv\0" "/o=x/cn=y\0");
	ck_assert_uint_eq(gx_entryid_kind(b), GX_ENTRYID_STORE_EID);
	ck_assert_int_eq(gx_entryid_store(a, "srv", NULL, &b), 0);
	ck_assert_int_eq(gx_desc_decode(&x, gx_entryid_desc(GX_ENTRYID_STORE_EID), b.data, b.len, &e), 0);
	ck_assert(!e.has_mailbox_dn && !e.has_v2 && !e.has_v3);
	ck_assert_uint_eq(e.wrapped_type, GX_STORE_EID_PUBLIC);
	e.has_mailbox_dn = e.has_v2 = true;
	e.mailbox_dn = "/o=x";
	e.v2.server_dn = "/cn=s";
	e.v2.server_fqdn = "s.x";
	ck_assert_int_eq(gx_desc_encode(&x, gx_entryid_desc(GX_ENTRYID_STORE_EID), &e, &b), 0);
	/* size and offsets count from the magic */
	CHECK_BYTES(((struct gx_bin){b.data + b.len - 36, 36}), "\xd8\x35\x21\xf3" "\x24\0\0\0" "\1\0\0\0" "\x14\0\0\0" "\x1a\0\0\0"
		"/cn=s\0" "s\0.\0x\0\0\0" "\0\0");
}
END_TEST

START_TEST(kinds_and_print)
{
	struct gx_bin b;
	struct gx_strbuf s = GX_STRBUF_INIT;
	ck_assert_uint_eq(gx_entryid_kind((struct gx_bin){NULL, 0}), GX_ENTRYID_GENERAL_EID);
	gx_entryid_print(&s, a, (struct gx_bin){(const uint8_t *)"ab", 2});
	ck_assert_str_eq(gx_strbuf_cstr(&s), "[2]6162");
	gx_strbuf_clear(&s);
	ck_assert_int_eq(gx_entryid_folder(a, &box, &db, 0x0d, &b), 0);
	gx_entryid_print(&s, a, b);
	ck_assert_str_eq(gx_strbuf_cstr(&s), "folder_eid{flags=0x0, provider=00112233-4455-6677-8899-aabbccddeeff, type=0x1, "
		"database=01020304-0506-0708-090a-0b0c0d0e0f10, counter=0xd}");
	static const uint8_t eph[32] = {0x87};
	ck_assert_uint_eq(gx_entryid_kind((struct gx_bin){eph, sizeof(eph)}), GX_ENTRYID_EPHEMERAL_EID);
	ck_assert_ptr_null(gx_entryid_desc(GX_ENTRYID_STRUCTS));
	gx_strbuf_release(&s);
}
END_TEST

START_TEST(predecessors)
{
	struct gx_bin p = {0}, q, r;
	int order;
	ck_assert_int_eq(gx_pcl_add(a, p, &db, 5, &p), 0);
	CHECK_BYTES(p, "\x16" DB "\0\0\0\0\0\5");
	ck_assert_int_eq(gx_pcl_add(a, p, &box, 9, &q), 0);
	CHECK_BYTES(q, "\x16" DB "\0\0\0\0\0\5" "\x16" BOX "\0\0\0\0\0\x09");
	ck_assert_int_eq(gx_pcl_add(a, q, &db, 7, &q), 0);
	CHECK_BYTES(q, "\x16" DB "\0\0\0\0\0\7" "\x16" BOX "\0\0\0\0\0\x09");
	ck_assert_int_eq(gx_pcl_add(a, q, &db, 6, &r), 0); /* older: nothing changes */
	ck_assert_uint_eq(r.len, q.len);
	ck_assert_mem_eq(r.data, q.data, r.len);
	ck_assert_int_eq(gx_pcl_cmp(a, p, q, &order), 0);
	ck_assert_int_eq(order, GX_PCL_INCLUDED);
	ck_assert_int_eq(gx_pcl_cmp(a, q, p, &order), 0);
	ck_assert_int_eq(order, GX_PCL_INCLUDES);
	ck_assert_int_eq(gx_pcl_cmp(a, q, r, &order), 0);
	ck_assert_int_eq(order, GX_PCL_EQUAL);
	ck_assert_int_eq(gx_pcl_add(a, p, &db, 8, &p), 0);
	ck_assert_int_eq(gx_pcl_cmp(a, q, p, &order), 0);
	ck_assert_int_eq(order, GX_PCL_CONFLICT);
	/* the changes of both sides of a conflict */
	ck_assert_int_eq(gx_pcl_merge(a, q, p, &r), 0);
	CHECK_BYTES(r, "\x16" DB "\0\0\0\0\0\x08" "\x16" BOX "\0\0\0\0\0\x09");
	ck_assert_int_eq(gx_pcl_cmp(a, r, q, &order), 0);
	ck_assert_int_eq(order, GX_PCL_INCLUDES);
	ck_assert_int_eq(gx_pcl_cmp(a, r, p, &order), 0);
	ck_assert_int_eq(order, GX_PCL_INCLUDES);
	/* a key of a client, with a short local id */
	ck_assert_int_eq(gx_pcl_add_key(a, p, (struct gx_bin){(const uint8_t *)BOX "\0\0\0\1", 20}, &r), 0);
	CHECK_BYTES(r, "\x16" DB "\0\0\0\0\0\x08" "\x14" BOX "\0\0\0\1");
	ck_assert_int_lt(gx_pcl_add_key(a, p, (struct gx_bin){(const uint8_t *)BOX, 16}, &r), 0);
	static const uint8_t bad[] = {3, 1, 2, 3};
	ck_assert_int_lt(gx_pcl_merge(a, p, (struct gx_bin){bad, sizeof(bad)}, &r), 0);
	ck_assert_int_lt(gx_pcl_add(a, (struct gx_bin){bad, sizeof(bad)}, &db, 1, &r), 0);
	ck_assert_int_eq(gx_pcl_add(a, p, &db, GX_COUNTER_MAX + 1, &r), GX_E_RANGE);
}
END_TEST

START_TEST(ids_on_the_wire)
{
	ck_assert_uint_eq(gx_eid_wire(0), 0);
	ck_assert_uint_eq(gx_eid_wire(0x0d), gx_eid_make(1, 0x0d));
	ck_assert_uint_eq(gx_eid_plain(gx_eid_make(1, 0x0d)), 0x0d);
	/* a header row of a table */
	const uint64_t header = UINT64_C(2) << 48 | 7;
	ck_assert_uint_eq(gx_eid_wire(header), gx_eid_make(2, 7));
	ck_assert_uint_eq(gx_eid_plain(gx_eid_wire(header)), header);
	ck_assert(gx_eid_holds(PidTagMid));
	ck_assert(!gx_eid_holds(PidTagSubject));
}
END_TEST

static Suite *entryid_suite(void)
{
	Suite *s = suite_create("entryid");
	TCase *t = tcase_create("entryid");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, numbers);
	tcase_add_test(t, folders_and_messages);
	tcase_add_test(t, addresses);
	tcase_add_test(t, stores);
	tcase_add_test(t, kinds_and_print);
	tcase_add_test(t, predecessors);
	tcase_add_test(t, ids_on_the_wire);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(entryid_suite)
