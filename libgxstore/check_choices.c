/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may choose of stores, and what it changes. */
#include <config.h>
#include <fcntl.h>
#include <gx/folder.h>
#include <gx/ics.h>
#include <gx/instance.h>
#include <gx/pr-names.h>
#include <gx/rules.h>
#include <gx/strbuf.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/message/msg-int.h"
#include "libgxstore/fixtest.h"

static struct gx_store_opts opts;

static void setup(void)
{
	opts = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	fix_setup();
}

static void setup_public(void)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	const char *why = "";
	opts = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	snprintf(dir, sizeof(dir), "%s", st_dir());
	a = gx_arena_new(0);
	o.owner_id = 1;
	o.owner = "example.org";
	o.public_store = true;
	ck_assert_msg(gx_store_create(dir, &o, a, &why) == 0, "%s", why);
	s = st_open(dir);
}

/* The same store as opts say. */
static void again(void)
{
	gx_store_close(s);
	s = st_open_with(dir, &opts);
}

static gx_ec insert(struct gx_txn *t, unsigned i, uint32_t flags, struct gx_msg_ids *ret_ids)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	o.flags = flags;
	return gx_msg_insert(t, GX_FID_INBOX, st_message(a, i, 300), &o, ret_ids);
}

static gx_ec save(struct gx_txn *t)
{
	struct gx_inst *i;
	struct gx_save_result r;
	ST_OK(gx_inst_new(t, GX_FID_INBOX, NULL, &i));
	gx_ec ec = gx_ec_from_err(gx_inst_prepare(i));
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, i, 0, &r);
	gx_inst_free(i);
	return ec;
}

/* ---- Limits ---- */

START_TEST(number_of_messages)
{
	const gx_proptag_t deleted = PR_DELETED_MSG_COUNT;
	struct gx_msg_ids m[4], copy;
	struct gx_proplist l;
	opts.max_messages = 4;
	again();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 3; i++)
		ST_OK(insert(t, i, i == 0 ? GX_MSGF_FAI : 0, &m[i]));
	ST_OK(save(t));
	ST_IS(insert(t, 3, 0, &m[3]), ecQuotaExceeded);
	ck_assert_ptr_nonnull(strstr(gx_txn_why(t), "max_store_message_count"));
	ST_IS(save(t), ecQuotaExceeded);
	ST_IS(gx_msg_copy(t, GX_FID_INBOX, &m[1].mid, 1, GX_FID_DRAFTS, false, &copy), ecQuotaExceeded);
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &m[1].mid, 1, GX_FID_DRAFTS, true, &copy));
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &m[2].mid, 1, false)); /* it is still there */
	ST_OK(gx_store_get_props(t, &deleted, 1, a, &l));
	ck_assert_int_eq(gx_proplist_i32(&l, deleted, 0), 1);
	ST_IS(insert(t, 3, 0, &m[3]), ecQuotaExceeded);
	ST_OK(gx_msg_delete(t, GX_FID_DRAFTS, &copy.mid, 1, true));
	ST_OK(insert(t, 3, 0, &m[3]));
	ST_IS(insert(t, 4, 0, &m[3]), ecQuotaExceeded);
	st_commit(t);
	opts.max_messages = 2; /* there are more */
	again();
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(insert(t, 4, 0, &m[3]), ecQuotaExceeded);
	gx_txn_abort(t);
	opts.max_messages = 0;
	again();
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(insert(t, 4, 0, &m[3]));
	st_commit(t);
}
END_TEST

static const uint8_t some_actions[] = {1, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};

static struct gx_rule_change rule(uint8_t op, const char *name, uint64_t id)
{
	struct gx_proplist *l = gx_arena_new_obj(a, struct gx_proplist);
	ck_assert_int_eq(gx_proplist_set_str(l, a, PidTagRuleName, name), 0);
	ck_assert_int_eq(gx_proplist_set_bin(l, a, PidTagRuleActions, some_actions, sizeof(some_actions)), 0);
	if (id != 0)
		ck_assert_int_eq(gx_proplist_set_i64(l, a, PidTagRuleId, (int64_t)id), 0);
	return (struct gx_rule_change){op, l};
}

START_TEST(number_of_rules)
{
	struct gx_rule *v;
	size_t n;
	bool exceeded;
	opts.max_rules = 3;
	again();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	const struct gx_rule_change four[] = {rule(GX_RULE_ADD, "a", 0), rule(GX_RULE_ADD, "b", 0), rule(GX_RULE_ADD, "c", 0),
		rule(GX_RULE_ADD, "d", 0)};
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, four, 4, false, &exceeded));
	ck_assert(exceeded);
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, four, 3, false, &exceeded));
	ck_assert(!exceeded);
	st_commit(t);
	opts.max_rules = 1; /* what is there stays, and goes one by one */
	again();
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_rules_list(t, GX_FID_INBOX, a, &v, &n));
	ck_assert_uint_eq(n, 3);
	struct gx_rule_change change = rule(GX_RULE_MODIFY, "A", v[0].id);
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, &change, 1, false, &exceeded));
	ck_assert(!exceeded);
	change = rule(GX_RULE_REMOVE, "A", v[0].id);
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, &change, 1, false, &exceeded));
	ck_assert(!exceeded);
	ST_IS(gx_rules_modify(t, GX_FID_INBOX, four, 1, false, NULL), ecTooBig);
	ST_OK(gx_rules_list(t, GX_FID_INBOX, a, &v, &n));
	ck_assert_uint_eq(n, 2);
	st_commit(t);
}
END_TEST

static void extended(struct gx_txn *t, const char *name, int32_t sequence)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.ExtendedRule.Message"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagRuleMessageName, name), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagRuleMessageSequence, sequence), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&m->props, a, PidTagRuleMessageState, ST_ENABLED), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagExtendedRuleMessageActions, some_actions, sizeof(some_actions)), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	o.flags = GX_MSGF_FAI;
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, NULL));
}

static int see(const struct gx_rule *r, void *ctx)
{
	gx_strbuf_printf(ctx, "%s ", r->name);
	return 0;
}

START_TEST(number_of_extended_rules)
{
	struct gx_proplist none = {0};
	const struct gx_propsrc src = gx_propsrc_list(&none);
	struct gx_strbuf seen = GX_STRBUF_INIT;
	bool exceeded;
	size_t n, most;
	opts.max_ext_rules = 2;
	again();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	extended(t, "third", 3);
	extended(t, "first", 1);
	extended(t, "second", 2);
	struct gx_rule_change classic = rule(GX_RULE_ADD, "classic", 0);
	ck_assert_int_eq(gx_proplist_set_i32((struct gx_proplist *)classic.props, a, PidTagRuleSequence, 9), 0);
	ck_assert_int_eq(gx_proplist_set_i32((struct gx_proplist *)classic.props, a, PidTagRuleState, ST_ENABLED), 0);
	ST_OK(gx_rules_modify(t, GX_FID_INBOX, &classic, 1, false, &exceeded));
	ST_OK(gx_rules_match(t, GX_FID_INBOX, &src, NULL, a, see, &seen));
	ck_assert_str_eq(seen.s, "first second classic ");
	ST_OK(gx_rules_extended(t, GX_FID_INBOX, &n, &most));
	ck_assert_uint_eq(n, 3);
	ck_assert_uint_eq(most, 2);
	ST_OK(gx_rules_extended(t, GX_FID_DRAFTS, &n, &most));
	ck_assert_uint_eq(n, 0);
	st_commit(t);
	gx_strbuf_release(&seen);
}
END_TEST

/* ---- Folders that are deleted ---- */

static uint64_t deleted_folder(uint64_t parent)
{
	uint64_t fid;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, parent, "f", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_delete(t, fid, false));
	st_commit(t);
	return fid;
}

static gx_ec undelete(uint64_t fid)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	gx_ec ec = gx_folder_undelete(t, fid);
	gx_txn_abort(t);
	return ec;
}

START_TEST(folders_go)
{
	ST_OK(undelete(deleted_folder(GX_FID_INBOX)));
	opts.folders_go = true;
	again();
	ST_IS(undelete(deleted_folder(GX_FID_INBOX)), ecNotFound);
}
END_TEST

START_TEST(public_folders_do_not_go)
{
	opts.folders_go = true;
	again();
	ST_OK(undelete(deleted_folder(GX_FID_PUB_IPMSUBTREE)));
}
END_TEST

/* ---- What readers of public stores are shown ---- */

static const struct gx_actor ann = {.user = "ann@example.org", .owner = true}, bob = {.user = "bob@example.org", .owner = true};

/* Read or not, and how many are not, as somebody sees them. */
static void sees(const struct gx_actor *who, uint64_t fid, uint64_t mid, bool read, uint64_t unread)
{
	const gx_proptag_t tag = PidTagMessageFlags;
	struct gx_txn *t = NULL;
	struct gx_proplist l;
	struct gx_folder_info i;
	uint64_t n;
	ck_assert_int_eq(gx_txn_begin(s, who, GX_TXN_READ, 1000, &t), 0);
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, a, &l));
	ck_assert_int_eq((gx_proplist_i32(&l, tag, 0) & MSGFLAG_READ) != 0, read);
	ST_OK(gx_folder_get(t, fid, a, &i));
	ck_assert_uint_eq(i.unread, unread);
	ST_OK(gx_folder_unread(t, fid, who->user, &n));
	ck_assert_uint_eq(n, unread);
	gx_txn_abort(t);
}

static void set_read(const struct gx_actor *who, uint64_t mid, uint32_t how)
{
	struct gx_txn *t = NULL;
	struct gx_read_result r;
	ck_assert_int_eq(gx_txn_begin(s, who, GX_TXN_WRITE, 1000, &t), 0);
	ST_OK(gx_msg_set_read(t, mid, how, &r));
	ck_assert(!r.receipt_due);
	st_commit(t);
}

START_TEST(public_read_states)
{
	uint64_t fid;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_PUB_IPMSUBTREE, "f", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	uint64_t mid = st_insert(t, fid, 1, 300, 0).mid;
	st_insert(t, fid, 2, 300, 0);
	st_commit(t);
	set_read(&ann, mid, GX_RF_DEFAULT);
	sees(&ann, fid, mid, true, 1);
	sees(&bob, fid, mid, false, 2);
	opts.pf_reads = GX_PF_MARKED;
	again();
	sees(&ann, fid, mid, true, 0);
	sees(&bob, fid, mid, false, 0);
	opts.pf_reads = GX_PF_ALL_READ;
	again();
	sees(&bob, fid, mid, true, 0);
	set_read(&ann, mid, GX_RF_CLEAR_READ); /* nobody would see it */
	opts.pf_reads = GX_PF_COUNTED;
	opts.one_read_state = true;
	again();
	sees(&ann, fid, mid, false, 2);
	set_read(&bob, mid, GX_RF_DEFAULT);
	sees(&ann, fid, mid, true, 1);
	opts.one_read_state = false;
	again();
	sees(&ann, fid, mid, true, 1);
	sees(&bob, fid, mid, false, 2);
}
END_TEST

/* ---- Schema, bodies, logs ---- */

START_TEST(upgrades)
{
	struct gx_store_create_opts c = GX_STORE_CREATE_OPTS_INIT;
	struct gx_store *old = NULL;
	const char *why = "", *place = gx_arena_printf(a, "%s/old", dir);
	c.owner = "u@example.org";
	c.schema_version = 1;
	ck_assert_int_eq(gx_store_create(place, &c, a, &why), 0);
	opts.no_upgrade = true;
	ck_assert_int_eq(gx_store_open(place, &opts, &old, a, &why), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(why, "gromox-mkprivate -U"));
	opts.no_upgrade = false;
	ck_assert_int_eq(gx_store_open(place, &opts, &old, a, &why), 0);
	gx_store_close(old);
	opts.no_upgrade = true;
	ck_assert_int_eq(gx_store_open(place, &opts, &old, a, &why), 0);
	gx_store_close(old);
}
END_TEST

static int convert(int from, int to, struct gx_bin in, uint32_t cp, struct gx_arena *ar, struct gx_bin *ret_out, void *ctx)
{
	(void)from;
	(void)to;
	(void)cp;
	(void)ar;
	(void)ctx;
	*ret_out = in;
	return 0;
}

START_TEST(synthesis)
{
	const gx_proptag_t tags[] = {PidTagHtml, PidTagBody};
	for (int off = 0; off < 2; off++) {
		struct gx_msg_source src = GX_MSG_SOURCE_INIT;
		struct gx_msg_ids ids;
		struct gx_msg_prepared *p;
		struct gx_msgobj *m = gx_msgobj_new(a);
		struct gx_proplist l;
		opts.convert = convert;
		opts.no_synthesis = off;
		again();
		ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagHtml, "<p>", 3), 0);
		src.obj = m;
		ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
		ST_OK(gx_msg_get_props(t, ids.mid, tags, 2, a, &l));
		ck_assert_uint_eq(l.count, off ? 1 : 2);
		ck_assert_uint_eq(l.v[0].tag, PidTagHtml);
		st_commit(t);
	}
}
END_TEST

static void collect(int level, const char *text, void *ctx)
{
	gx_strbuf_printf(ctx, "%d %s\n", level, text);
}

START_TEST(statements_are_logged)
{
	struct gx_strbuf said = GX_STRBUF_INIT;
	const struct gx_log log = {collect, &said, GX_LOG_DEBUG};
	opts.log = &log;
	for (int on = 0; on < 2; on++) {
		opts.log_sql = on;
		again();
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		st_insert(t, GX_FID_INBOX, 77, 300, 0);
		st_commit(t);
		ck_assert_int_eq(said.s != NULL && strstr(said.s, "INSERT INTO msg(") != NULL, on);
	}
	ck_assert_ptr_null(strstr(said.s, "message 77")); /* mail is not */
	gx_store_close(s);
	opts.log = NULL;
	opts.log_sql = false;
	s = st_open_with(dir, &opts);
	gx_strbuf_release(&said);
}
END_TEST

START_TEST(synchronisations_are_logged)
{
	struct gx_strbuf said = GX_STRBUF_INIT;
	const struct gx_log log = {collect, &said, GX_LOG_NOTICE};
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_globset none = GX_GLOBSET_INIT;
	struct gx_ics_content *c;
	struct gx_ics_hierarchy *h;
	opts.ics_log = &log;
	again();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	st_insert(t, GX_FID_INBOX, 1, 300, 0);
	st_insert(t, GX_FID_INBOX, 2, 300, 0);
	o.seen = &none;
	ST_OK(gx_ics_content_open(t, GX_FID_INBOX, &o, &c));
	gx_ics_content_free(c);
	ck_assert_ptr_nonnull(strstr(said.s, "contents of d for the system, who has 0: 2 changed, 0 deleted"));
	ST_OK(gx_ics_hierarchy_open(t, GX_FID_ROOT, NULL, NULL, &h));
	const char *want = gx_arena_printf(a, "folders below 1 for the system, who has 0: %zu changed", gx_ics_hierarchy_count(h));
	gx_ics_hierarchy_free(h);
	ck_assert_ptr_nonnull(strstr(said.s, want));
	ST_IS(gx_ics_hierarchy_open(t, 0x7777, NULL, NULL, &h), ecNotFound);
	ck_assert_ptr_nonnull(strstr(said.s, "folders below 7777 for the system, who has 0: ecNotFound"));
	st_commit(t);
	opts.ics_log = NULL;
	again();
	gx_strbuf_release(&said);
}
END_TEST

/* ---- Compression ---- */

static size_t packed_len(const char *text, size_t n, uint8_t *ret_comp)
{
	ZSTD_CCtx *cctx = NULL;
	struct gx_bin packed;
	ck_assert_int_eq(gx_pack__pack(a, &cctx, text, n, ret_comp, &packed), 0);
	ZSTD_freeCCtx(cctx);
	return packed.len;
}

static uint64_t packed_file(const char *text, size_t n, uint8_t *ret_comp)
{
	ZSTD_CCtx *cctx = NULL;
	uint8_t hash[GX_HASH_LEN];
	uint64_t len;
	int from = open(gx_arena_printf(a, "%s/from", dir), O_RDWR | O_CREAT | O_TRUNC, 0600);
	int to = open(gx_arena_printf(a, "%s/to", dir), O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(write(from, text, n), (ssize_t)n);
	ck_assert_int_eq(gx_pack__pack_file(&cctx, &gx_fs__system, from, n, to, hash, ret_comp, &len), 0);
	ZSTD_freeCCtx(cctx);
	close(from);
	close(to);
	return len;
}

START_TEST(compression)
{
	static const struct {
		int level;
		uint8_t comp;
	} v[] = {{1, GX_PACK_BLOCKS}, {-1, GX_PACK_RAW}, {19, GX_PACK_BLOCKS}};
	static char text[200000];
	size_t len[3];
	uint8_t comp;
	uint32_t x = 1;
	for (size_t i = 0; i < sizeof(text); i++) {
		x = x * 1664525 + 1013904223;
		text[i] = (char)("etaoinshr "[x >> 24 & 7] + (i % 97 == 0));
	}
	for (size_t k = 0; k < 3; k++) {
		gx_store_set_compression(v[k].level);
		len[k] = packed_len(text, sizeof(text), &comp);
		ck_assert_uint_eq(comp, v[k].comp);
		ck_assert_uint_eq(packed_file(text, sizeof(text), &comp), len[k]);
		ck_assert_uint_eq(comp, v[k].comp);
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		struct gx_push out = GX_PUSH_INIT;
		struct gx_msg_ids m = st_insert(t, GX_FID_INBOX, (unsigned)k, 50000, 0);
		st_commit(t);
		t = st_begin(s, GX_TXN_READ);
		ST_OK(gx_msg_original(t, m.mid, 0, UINT64_MAX, &out));
		ck_assert_uint_eq(out.len, 50000);
		gx_txn_abort(t);
		gx_push_release(&out);
	}
	ck_assert_uint_eq(len[1], sizeof(text));
	ck_assert_uint_lt(len[0], sizeof(text));
	ck_assert_uint_lt(len[2], len[0]);
	gx_store_set_compression(3);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("choices");
	TCase *c = tcase_create("mailbox"), *p = tcase_create("public");
	tcase_add_checked_fixture(c, setup, fix_teardown);
	tcase_add_test(c, number_of_messages);
	tcase_add_test(c, number_of_rules);
	tcase_add_test(c, number_of_extended_rules);
	tcase_add_test(c, folders_go);
	tcase_add_test(c, upgrades);
	tcase_add_test(c, synthesis);
	tcase_add_test(c, statements_are_logged);
	tcase_add_test(c, synchronisations_are_logged);
	tcase_add_test(c, compression);
	tcase_add_checked_fixture(p, setup_public, fix_teardown);
	tcase_add_test(p, public_folders_do_not_go);
	tcase_add_test(p, public_read_states);
	suite_add_tcase(x, c);
	suite_add_tcase(x, p);
	return x;
}

GXTEST_MAIN(suite)
