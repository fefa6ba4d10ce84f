/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody has read in public folders, read and written in pieces. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/peruser.h>
#include "libgxproto/emsmdb/emstest.h"

enum { LOGON = 0, PUBLIC = 1, FOLDER = 2 };
enum { LOGON2 = 1, MESSAGES = 30 };

static uint64_t fid;
static struct gx_msg_ids mail[MESSAGES];
static struct gx_long_term_id folder, other;

/* The public store's logon is that of number 1. */
static gx_ec do_at(uint8_t logon, uint8_t id, uint8_t h0, const void *body, void **ret_body)
{
	struct gx_pull c;
	struct gx_rop_request q = {gx_rop_rop_desc(id), logon, {h0, 0}, (void *)body};
	struct gx_dctx x = et_x;
	x.var[GX_CTX_ROP_PUBLIC_LOGON] = logon == LOGON2;
	gx_rop_push_request(&et_out, &x, &q);
	ck_assert_int_eq(et_out.err, 0);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	return et_answer(&c, id, ret_body);
}

static void setup(void)
{
	struct gx_store *s;
	const char *why;
	et_setup();
	et_logon(et_dn[0]);
	ck_assert_int_eq(gx_store_pool_get(et_pool, gx_arena_printf(et_a, "%s/public", et_dir), &s, et_a, &why), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "shared", "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_set_permission(t, fid, "ann@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	for (unsigned i = 0; i < MESSAGES; ++i)
		mail[i] = st_insert(t, fid, i, 300, 0);
	st_commit(t);
	folder = (struct gx_long_term_id){*gx_store_replica(s), fid};
	other = (struct gx_long_term_id){*gx_store_replica(s), fid + 1};
	gx_store_pool_put(et_pool, s);
	ST_OK(do_at(LOGON2, RopLogon, PUBLIC, &(struct gx_rop_logon_req){.open_flags = 2}, NULL));
}

static gx_ec write_piece(uint8_t logon, uint32_t off, struct gx_bin data, bool last)
{
	const struct gx_rop_write_per_user_information_req q = {folder, last, off, data, folder.database_guid};
	return do_at(logon, RopWritePerUserInformation, logon == LOGON2 ? PUBLIC : LOGON, &q, NULL);
}

static gx_ec read_piece(uint8_t logon, const struct gx_long_term_id *f, uint32_t off, uint16_t most,
	struct gx_rop_read_per_user_information_res **ret_r)
{
	const struct gx_rop_read_per_user_information_req q = {*f, 0, off, most};
	return do_at(logon, RopReadPerUserInformation, logon == LOGON2 ? PUBLIC : LOGON, &q, (void **)ret_r);
}

/* Every second message. */
static struct gx_bin some(void)
{
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLGUID);
	struct gx_globset *g;
	struct gx_push p = GX_PUSH_INIT;
	struct gx_bin b;
	ck_assert_int_eq(gx_idset_need_guid(&s, &folder.database_guid, &g), 0);
	for (unsigned i = 0; i < MESSAGES; i += 2)
		ck_assert_int_eq(gx_globset_add(g, mail[i].cn), 0);
	gx_idset_push(&p, &s);
	ck_assert_int_eq(gx_push_finish(&p, et_a, &b), 0);
	gx_push_release(&p);
	gx_idset_release(&s);
	return b;
}

/* In pieces of a few bytes. */
static struct gx_bin read_all(uint8_t logon, uint16_t piece)
{
	struct gx_push p = GX_PUSH_INIT;
	struct gx_rop_read_per_user_information_res *r;
	struct gx_bin b;
	do {
		ST_OK(read_piece(logon, &folder, (uint32_t)p.len, piece, &r));
		ck_assert_uint_le(r->data.len, piece);
		gx_push_bytes(&p, r->data.data, r->data.len);
	} while (!r->has_finished);
	ck_assert_int_eq(gx_push_finish(&p, et_a, &b), 0);
	gx_push_release(&p);
	return b;
}

static bool same(struct gx_bin x, struct gx_bin y)
{
	return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

START_TEST(of_a_public_store)
{
	struct gx_bin set = some();
	const struct gx_bin head = {set.data, 5}, tail = {set.data + 5, set.len - 5};
	ck_assert_uint_eq(read_all(LOGON2, 100).len, 0);
	ST_OK(write_piece(LOGON2, 0, head, false));
	ck_assert_uint_eq(read_all(LOGON2, 100).len, 0); /* not before the end */
	ST_OK(write_piece(LOGON2, 5, tail, true));
	ck_assert(same(read_all(LOGON2, 7), set));
	/* and the folder shows it so */
	static const gx_proptag_t tags[] = {PidTagContentUnreadCount};
	struct gx_rop_get_properties_specific_res *p;
	et_columns = (struct gx_columns){tags, 1};
	struct gx_pull c;
	struct gx_rop_request q = {gx_rop_rop_desc(RopOpenFolder), LOGON2, {PUBLIC, FOLDER}, &(struct gx_rop_open_folder_req){gx_eid_make(1, fid), 0}};
	gx_rop_push_request(&et_out, &et_x, &q);
	ST_OK(et_send_to(et_s, 0, 32768, &c));
	ST_OK(et_answer(&c, RopOpenFolder, NULL));
	ST_OK(do_at(LOGON2, RopGetPropertiesSpecific, FOLDER, &(struct gx_rop_get_properties_specific_req){0, true, tags, 1}, (void **)&p));
	ck_assert_int_eq(p->row_data.v[0].v.i32, MESSAGES / 2);
	/* nothing read any more */
	ST_OK(write_piece(LOGON2, 0, (struct gx_bin){NULL, 0}, true));
	ck_assert_uint_eq(read_all(LOGON2, 100).len, 0);
}
END_TEST

START_TEST(of_a_mailbox)
{
	struct gx_bin set = some();
	struct gx_rop_get_per_user_guid_res *g;
	struct gx_rop_get_per_user_long_term_ids_res *l;
	const struct gx_rop_get_per_user_guid_req which = {folder};
	const struct gx_rop_get_per_user_long_term_ids_req from = {folder.database_guid};
	ST_IS(do_at(LOGON, RopGetPerUserGuid, LOGON, &which, NULL), ecNotFound);
	ck_assert_uint_eq(read_all(LOGON, 100).len, 0);
	ST_OK(write_piece(LOGON, 0, set, true));
	ck_assert(same(read_all(LOGON, 9), set));
	ST_OK(do_at(LOGON, RopGetPerUserGuid, LOGON, &which, (void **)&g));
	ck_assert_int_eq(gx_guid_cmp(&g->database_guid, &folder.database_guid), 0);
	ST_OK(do_at(LOGON, RopGetPerUserLongTermIds, LOGON, &from, (void **)&l));
	ck_assert_uint_eq(l->long_term_ids_count, 1);
	ck_assert_uint_eq(l->long_term_ids[0].global_counter, fid);
	ST_IS(do_at(LOGON2, RopGetPerUserGuid, PUBLIC, &which, NULL), ecNotSupported);
	ST_IS(do_at(LOGON2, RopGetPerUserLongTermIds, PUBLIC, &from, NULL), ecNotSupported);
}
END_TEST

START_TEST(out_of_step)
{
	struct gx_bin set = some();
	const struct gx_bin bad = {(const uint8_t *)"no set of ids", 13}, head = {set.data, 5};
	struct gx_rop_read_per_user_information_res *r;
	ST_IS(write_piece(LOGON, 0, bad, true), ecCorruptData);
	ST_IS(write_piece(LOGON, 5, bad, true), ecError);
	ST_OK(write_piece(LOGON, 0, head, false));
	ST_IS(write_piece(LOGON, 4, head, false), ecError);
	ST_IS(write_piece(LOGON, 5, head, false), ecError); /* begun anew */
	ST_OK(write_piece(LOGON, 0, set, true));
	ST_IS(read_piece(LOGON, &folder, (uint32_t)set.len + 1, 9, &r), ecError);
	ST_OK(read_piece(LOGON, &folder, (uint32_t)set.len, 9, &r));
	ck_assert(r->has_finished);
	ST_IS(read_piece(LOGON2, &other, 0, 9, &r), ecNotFound);
	other = (struct gx_long_term_id){.global_counter = fid};
	ST_IS(read_piece(LOGON2, &other, 0, 9, &r), ecNotFound);
	/* more than there may be */
	const uint8_t *zeros = gx_arena_calloc(et_a, 1, 30000);
	gx_ec ec = EMS_OK;
	for (uint32_t off = 0; !gx_ec_failed(ec) && off < 2 * GX_PERUSER_SIZE_MAX; off += 30000)
		ec = write_piece(LOGON, off, (struct gx_bin){zeros, 30000}, false);
	ST_IS(ec, ecTooBig);
}
END_TEST

static Suite *emsperuser_suite(void)
{
	Suite *s = suite_create("emsperuser");
	TCase *t = tcase_create("emsperuser");
	tcase_add_checked_fixture(t, setup, et_teardown);
	tcase_add_test(t, of_a_public_store);
	tcase_add_test(t, of_a_mailbox);
	tcase_add_test(t, out_of_step);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(emsperuser_suite)
