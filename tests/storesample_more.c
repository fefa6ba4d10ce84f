/* SPDX-License-Identifier: Apache-2.0 */
/* Of the sample stores: rules, searches, sort orders with groups, settings, read states of each user. */
#include <config.h>
#include <gx/folder.h>
#include <gx/rules.h>
#include <gx/search.h>
#include <gx/storeset.h>
#include <gx/table.h>
#include "tests/storesample.h"

#define TRY(call) \
	do { \
		gx_ec ec_ = (call); \
		if (gx_ec_failed(ec_)) \
			return ec_; \
	} while (0)

static const uint8_t keep[] = {1, 0, 9, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0}; /* one action without arguments */
static const struct gx_restr sample_1 = {.type = RES_CONTENT,
	.u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "sample 1"}}}};
static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};

static gx_ec rule(struct gx_txn *t, struct gx_arena *a, uint64_t fid, const char *name, int32_t sequence, const struct gx_restr *r)
{
	struct gx_proplist l = {0};
	struct gx_rule_change c = {GX_RULE_ADD, &l};
	bool exceeded;
	int err = gx_proplist_set_str(&l, a, PidTagRuleName, name);
	if (err == 0)
		err = gx_proplist_set_str(&l, a, PidTagRuleProvider, "RuleOrganizer");
	if (err == 0)
		err = gx_proplist_set_i32(&l, a, PidTagRuleSequence, sequence);
	if (err == 0)
		err = gx_proplist_set_i32(&l, a, PidTagRuleState, ST_ENABLED);
	if (err == 0)
		err = gx_proplist_set(&l, a, PidTagRuleActions, (union gx_value){.bin = {keep, sizeof(keep)}});
	if (err == 0)
		err = gx_proplist_set(&l, a, PidTagRuleCondition, (union gx_value){.restr = r});
	return err != 0 ? gx_ec_from_err(err) : gx_rules_modify(t, fid, &c, 1, false, &exceeded);
}

static gx_ec search(struct gx_txn *t, uint64_t parent, const char *name, uint32_t flags, const struct gx_restr *r, uint64_t scope,
	uint64_t *ret_fid)
{
	TRY(gx_folder_create(t, parent, name, "IPF.Note", GX_FOLDER_SEARCH, NULL, ret_fid));
	return r == NULL ? GX_EC(ecSuccess) : gx_search_set(t, *ret_fid, flags, r, &scope, 1);
}

static gx_ec searches(struct gx_txn *t, const uint64_t *mids)
{
	uint64_t fid;
	TRY(search(t, GX_FID_FINDER, "Unread", RECURSIVE_SEARCH, &unread, GX_FID_IPMSUBTREE, &fid));
	TRY(search(t, GX_FID_FINDER, "Samples", RESTART_SEARCH | STATIC_SEARCH, &sample_1, GX_FID_INBOX, &fid));
	TRY(search(t, GX_FID_FINDER, "By hand", 0, NULL, 0, &fid));
	return gx_search_link(t, fid, mids, 2);
}

/* A table with categories, some of its groups closed, is left for another day. */
static gx_ec orders(struct gx_txn *t, struct gx_arena *a, uint64_t fid)
{
	static const struct gx_sort by[] = {{PidTagImportance, GX_SORT_ASCEND}, {PidTagSubject, GX_SORT_DESCEND}};
	static const gx_proptag_t col = PidTagSubject;
	struct gx_sortset s = {.v = by, .count = 2, .categories = 1};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	struct gx_table_row *v;
	size_t n;
	uint32_t pos, rows, state;
	o.fid = fid;
	o.sort = &s;
	TRY(gx_table_open_contents(t, &o, &tb));
	gx_ec ec = gx_table_query(tb, t, 0, 10, &col, 1, a, &v, &n);
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_table_expand(tb, t, v[0].id, &pos, &rows);
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_table_save_state(tb, t, v[0].id, 0, &state);
	gx_table_close(tb);
	return ec;
}

static gx_ec settings(struct gx_txn *t, uint64_t fid)
{
	static const char *const names[] = {"alice@example.org", "bob@example.org"};
	static const struct gx_guid other = {.d1 = 0x53414d50, .d2 = 1};
	const struct gx_oof oof = {.state = GX_OOF_ENABLED, .subject = "away", .message = "back soon", .external = true,
		.external_subject = "away, too", .external_message = "not here"};
	uint16_t id;
	uint64_t first;
	TRY(gx_oof_set(t, &oof));
	TRY(gx_replied_note(t, "carol@example.net"));
	TRY(gx_delegates_set(t, GX_DELEGATE_ON_BEHALF, names, 2));
	TRY(gx_delegates_set(t, GX_DELEGATE_SEND_AS, names + 1, 1));
	TRY(gx_replica_id(t, &other, true, &id));
	TRY(gx_store_reserve_ids(t, 1000, &first));
	TRY(gx_receive_set(t, "IPM.Note.Sample", fid));
	return gx_receive_set(t, "IPM.Task", fid);
}

gx_ec sample_more_private(struct gx_txn *t, struct gx_arena *a, uint64_t fid, const uint64_t *mids)
{
	bool marked;
	TRY(rule(t, a, GX_FID_INBOX, "first", 10, &sample_1));
	TRY(rule(t, a, GX_FID_INBOX, "second", 20, &unread));
	TRY(rule(t, a, fid, "elsewhere", 10, NULL));
	TRY(settings(t, fid));
	TRY(searches(t, mids));
	TRY(orders(t, a, GX_FID_INBOX));
	TRY(gx_msg_try_submit(t, mids[2], &marked));
	return gx_msg_set_timer(t, mids[2], 77);
}

gx_ec sample_more_public(struct gx_txn *t, struct gx_arena *a, uint64_t fid)
{
	uint64_t found;
	TRY(rule(t, a, fid, "moderate", 10, &unread));
	TRY(search(t, GX_FID_PUB_IPMSUBTREE, "Samples", RECURSIVE_SEARCH, &sample_1, GX_FID_PUB_IPMSUBTREE, &found));
	return orders(t, a, fid);
}

gx_ec sample_read_public(struct gx_txn *t, uint64_t mid)
{
	struct gx_read_result r;
	return gx_msg_set_read(t, mid, GX_RF_DEFAULT, &r);
}
