/* SPDX-License-Identifier: Apache-2.0 */
/* RELOP_MEMBER_OF_DL: who is in a list is asked once for many messages. */
#include <config.h>
#include <gx/directory.h>
#include <gx/entryid.h>
#include <gx/search.h>
#include <gx/table.h>
#include "libgxstore/fixtest.h"

static int64_t now_ms;
static unsigned asked;
static int answer;
static const char *const *members;
static size_t nmembers;
static struct gx_bin team;

static int64_t mono(void *ctx)
{
	(void)ctx;
	return now_ms * 1000000;
}

static int64_t real(void *ctx)
{
	(void)ctx;
	return INT64_C(1800000000) * 1000000000;
}

static const struct gx_clock hand = {real, mono, NULL};

static int people(struct gx_bin list, struct gx_arena *x, const char *const **ret_v, size_t *ret_n, void *ctx)
{
	(void)x;
	(void)ctx;
	++asked;
	if (list.len != team.len || memcmp(list.data, team.data, team.len) != 0)
		return GX_E_NOTFOUND;
	*ret_v = members;
	*ret_n = nmembers;
	return answer;
}

static const char *dn(const char *org, uint32_t id, const char *address)
{
	const struct gx_user u = {.id = id, .domain_id = 7, .username = address};
	return gx_dn_of_user(a, org, &u);
}

static void reopen(void)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.clock = &hand;
	o.people = people;
	gx_store_close(s);
	s = st_open_with(dir, &o);
}

static void setup(void)
{
	fix_setup();
	now_ms = 1000;
	asked = 0;
	answer = 0;
	const char **v = gx_arena_new_array(a, const char *, 3);
	v[0] = "zoe@example.org";
	v[1] = "Ann@example.org";
	v[2] = dn("", 9, "eva@example.org");
	members = v;
	nmembers = 3;
	ck_assert_int_eq(gx_entryid_addressbook(a, 1, dn("site", 1, "team@example.org"), &team), 0);
	reopen();
}

static void set_entryid(struct gx_proplist *l, gx_proptag_t tag, const char *address)
{
	struct gx_bin eid;
	int err = *address == '/' ? gx_entryid_addressbook(a, 0, address, &eid) : gx_entryid_oneoff(a, NULL, "SMTP", address, &eid);
	ck_assert_int_eq(err, 0);
	ck_assert_int_eq(gx_proplist_set_bin(l, a, tag, eid.data, eid.len), 0);
}

/* Any of them may be NULL. */
static void put(struct gx_txn *t, const char *entryid, const char *smtp, const char *to)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a);
	struct gx_proplist *l = &m->props, *r = gx_msgobj_add_rcpt(m, a);
	src.obj = m;
	ck_assert_int_eq(gx_proplist_set_i32(r, a, PidTagRecipientType, 1), 0);
	if (entryid != NULL)
		set_entryid(l, PidTagSenderEntryId, entryid);
	if (smtp != NULL)
		ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagSenderSmtpAddress, smtp), 0);
	if (to != NULL)
		set_entryid(r, PidTagEntryId, to);
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
}

static struct gx_restr in_list(gx_proptag_t tag, struct gx_bin list)
{
	return (struct gx_restr){.type = RES_PROPERTY, .u.prop = {RELOP_MEMBER_OF_DL, tag, {tag, {.bin = list}}}};
}

static uint32_t count(const struct gx_restr *r)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	uint32_t n;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	o.fid = GX_FID_INBOX;
	o.restr = r;
	ST_OK(gx_table_open_contents(t, &o, &tb));
	ST_OK(gx_table_count(tb, t, &n));
	gx_table_close(tb);
	gx_txn_abort(t);
	return n;
}

static void fill(void)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	put(t, "ann@EXAMPLE.org", NULL, NULL);
	put(t, dn("another name", 9, "eva-new@example.org"), NULL, NULL);
	put(t, dn("site", 8, "bob@example.org"), "bob@example.org", "zoe@example.org");
	put(t, dn("site", 8, "x@example.org"), "zoe@example.org", NULL);
	put(t, NULL, "ann@example.org", NULL);
	put(t, "team@example.org", NULL, "bob@example.org");
	put(t, NULL, NULL, NULL);
	st_commit(t);
}

START_TEST(senders_and_recipients)
{
	const struct gx_restr from = in_list(PidTagSenderEntryId, team), rcpt = in_list(PidTagEntryId, team);
	const struct gx_restr to = {.type = RES_SUBRESTRICTION, .u.sub = {PidTagMessageRecipients, &rcpt}};
	const struct gx_restr not = {.type = RES_NOT, .u.not_ = {&from}};
	fill();
	ck_assert_uint_eq(count(&from), 4);
	ck_assert_uint_eq(count(&not), 3);
	ck_assert_uint_eq(count(&to), 1);
	ck_assert_uint_eq(asked, 1);
	const struct gx_restr none = in_list(PidTagSenderEntryId, (struct gx_bin){(const uint8_t *)"x", 1});
	ck_assert_uint_eq(count(&none), 0);
	ck_assert_uint_eq(asked, 2);
	const struct gx_restr other = in_list(PidTagSenderSearchKey, team);
	ck_assert_uint_eq(count(&other), 0);
}
END_TEST

/* After a minute it is asked again; what cannot be known then stays as it was. */
START_TEST(who_is_in_it_changes)
{
	static const char *const later[] = {"bob@example.org"};
	const struct gx_restr from = in_list(PidTagSenderEntryId, team);
	fill();
	ck_assert_uint_eq(count(&from), 4);
	members = later;
	nmembers = 1;
	now_ms += 59000;
	ck_assert_uint_eq(count(&from), 4);
	answer = GX_E_IO;
	now_ms += 2000;
	ck_assert_uint_eq(count(&from), 4);
	ck_assert_uint_eq(count(&from), 4);
	ck_assert_uint_eq(asked, 2);
	answer = 0;
	now_ms += 61000;
	ck_assert_uint_eq(count(&from), 1);
	ck_assert_uint_eq(asked, 3);
	/* one that cannot be asked for at all has nobody */
	answer = GX_E_IO;
	reopen();
	ck_assert_uint_eq(count(&from), 0);
	ck_assert_uint_eq(asked, 4);
}
END_TEST

START_TEST(many_lists)
{
	const struct gx_restr from = in_list(PidTagSenderEntryId, team);
	fill();
	for (unsigned k = 0; k < 2; k++) {
		for (uint32_t i = 0; i < 40; i++) {
			const struct gx_restr r = in_list(PidTagSenderEntryId, (struct gx_bin){(const uint8_t *)&i, sizeof(i)});
			ck_assert_uint_eq(count(&r), 0);
		}
		ck_assert_uint_eq(count(&from), 4);
	}
	ck_assert_uint_eq(asked, 82); /* those that were asked for longest ago are forgotten */
}
END_TEST

START_TEST(a_search_folder)
{
	static const uint64_t scope[] = {GX_FID_INBOX};
	const struct gx_restr from = in_list(PidTagSenderEntryId, team);
	struct gx_folder_info f;
	uint64_t fid;
	bool done = false;
	fill();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_FINDER, "of the team", NULL, GX_FOLDER_SEARCH, NULL, &fid));
	ST_OK(gx_search_set(t, fid, 0, &from, scope, 1));
	st_commit(t);
	while (!done)
		ck_assert_int_eq(gx_search_run(s, 100, &done), 0);
	t = st_begin(s, GX_TXN_WRITE);
	put(t, "zoe@example.org", NULL, NULL);
	put(t, "bob@example.org", NULL, NULL);
	ST_OK(gx_folder_get(t, fid, a, &f));
	ck_assert_uint_eq(f.total, 5);
	st_commit(t);
	ck_assert_uint_eq(asked, 1);
}
END_TEST

static Suite *people_suite(void)
{
	Suite *x = suite_create("people");
	TCase *t = tcase_create("people");
	tcase_add_checked_fixture(t, setup, fix_teardown);
	tcase_add_test(t, senders_and_recipients);
	tcase_add_test(t, who_is_in_it_changes);
	tcase_add_test(t, many_lists);
	tcase_add_test(t, a_search_folder);
	suite_add_tcase(x, t);
	return x;
}

GXTEST_MAIN(people_suite)
