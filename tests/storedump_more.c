/* SPDX-License-Identifier: Apache-2.0 */
/* Of a store's dump: rules, searches, tables with groups, settings, read states of each user. */
#include <config.h>
#include <inttypes.h>
#include <stdio.h>
#include <gx/folder.h>
#include <gx/rules.h>
#include <gx/search.h>
#include <gx/storeset.h>
#include <gx/table.h>
#include "tests/storesample.h"

static gx_ec put_oof(struct gx_txn *t, struct gx_arena *a)
{
	struct gx_oof o;
	gx_ec ec = gx_oof_get(t, a, &o);
	if (!gx_ec_failed(ec) && o.state != GX_OOF_DISABLED)
		printf("  out of office %" PRIu32 ": \"%s\" \"%s\"; outside %d: \"%s\" \"%s\"\n", o.state, o.subject, o.message, o.external,
			o.external_subject, o.external_message);
	return ec;
}

static gx_ec put_delegates(struct gx_txn *t, struct gx_arena *a, uint32_t mode)
{
	const char *const *v;
	size_t n;
	gx_ec ec = gx_delegates_get(t, mode, a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++)
		printf("  delegate (%" PRIu32 ") %s\n", mode, v[i]);
	return ec;
}

static gx_ec put_replicas(struct gx_txn *t)
{
	for (uint16_t id = 6; id < 12; id++) {
		struct gx_guid g;
		char text[37];
		gx_ec ec = gx_replica_guid(t, id, &g);
		if (gx_ec_is(ec, ecNotFound))
			continue;
		if (gx_ec_failed(ec))
			return ec;
		gx_guid_print(&g, text);
		printf("  replica %u: %s\n", id, text);
	}
	return GX_EC(ecSuccess);
}

static gx_ec put_receive(struct gx_txn *t, struct gx_arena *a)
{
	static const char *const classes[] = {"IPM.Note.Sample.x", "IPM.Task"};
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct gx_receive r;
		gx_ec ec = gx_receive_get(t, classes[i], a, &r);
		if (gx_ec_failed(ec))
			return ec;
		if (r.fid != GX_FID_INBOX)
			printf("  %s goes to %" PRIx64 " by \"%s\"\n", classes[i], r.fid, r.cls);
	}
	return GX_EC(ecSuccess);
}

int dump_more_store(struct gx_txn *t, struct gx_arena *a)
{
	uint64_t ago;
	gx_ec ec = gx_replied_ago(t, "Carol@example.net", &ago);
	if (!gx_ec_failed(ec) && ago != UINT64_MAX)
		printf("  has replied to carol\n");
	if (!gx_ec_failed(ec))
		ec = put_oof(t, a);
	for (uint32_t mode = 0; !gx_ec_failed(ec) && mode < 2; mode++)
		ec = put_delegates(t, a, mode);
	if (!gx_ec_failed(ec))
		ec = put_replicas(t);
	if (!gx_ec_failed(ec) && !gx_store_is_public(gx_txn_store(t)))
		ec = put_receive(t, a);
	return gx_ec_to_err(ec);
}

static gx_ec put_rules(struct gx_txn *t, struct gx_arena *a, uint64_t fid)
{
	struct gx_rule *v;
	size_t n;
	gx_ec ec = gx_rules_list(t, fid, a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++)
		printf("  rule %" PRIx64 " \"%s\" of \"%s\": sequence %" PRId32 " state %" PRIx32 " condition %d, %zu bytes of actions\n", v[i].id, v[i].name,
			v[i].provider, v[i].sequence, v[i].state, v[i].condition == NULL ? -1 : (int)v[i].condition->type, v[i].actions.len);
	return ec;
}

static gx_ec put_search(struct gx_txn *t, struct gx_arena *a, uint64_t fid)
{
	struct gx_search_info i;
	gx_ec ec = gx_search_get(t, fid, a, &i);
	if (gx_ec_failed(ec))
		return ec;
	printf("  search status %" PRIx32 " condition %d in", i.status, i.restr == NULL ? -1 : (int)i.restr->type);
	for (size_t k = 0; k < i.n; k++)
		printf(" %" PRIx64, i.folders[k]);
	printf("\n");
	return GX_EC(ecSuccess);
}

/* Headers with their numbers, and what stands below those that are open. */
static gx_ec put_rows(struct gx_txn *t, struct gx_arena *a, struct gx_table *tb)
{
	static const gx_proptag_t cols[] = {PidTagSubject, PidTagContentCount, PidTagContentUnreadCount};
	struct gx_table_row *v;
	size_t n;
	gx_ec ec = gx_table_query(tb, t, 0, 100, cols, 3, a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; i++)
		if (v[i].type == GX_ROW_LEAF)
			printf("    %" PRIx64 " %s\n", v[i].id, v[i].v[0].tag == cols[0] ? v[i].v[0].v.str : "-");
		else
			printf("   group of %" PRId32 ", %" PRId32 " unread\n", v[i].v[1].v.i32, v[i].v[2].v.i32);
	return ec;
}

static gx_ec put_table(struct gx_txn *t, struct gx_arena *a, uint64_t fid)
{
	static const struct gx_sort by[] = {{PidTagImportance, GX_SORT_ASCEND}, {PidTagSubject, GX_SORT_DESCEND}};
	struct gx_sortset s = {.v = by, .count = 2, .categories = 1, .expanded = 1};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb;
	uint32_t pos;
	o.fid = fid;
	o.sort = &s;
	gx_ec ec = gx_table_open_contents(t, &o, &tb);
	if (gx_ec_failed(ec))
		return ec;
	printf("  table by importance\n");
	ec = put_rows(t, a, tb);
	if (!gx_ec_failed(ec) && fid == GX_FID_INBOX) {
		ec = gx_table_restore_state(tb, t, 1, &pos);
		printf("  as it was kept%s\n", gx_ec_failed(ec) ? ": none" : "");
		ec = gx_ec_failed(ec) ? GX_EC(ecSuccess) : put_rows(t, a, tb);
	}
	gx_table_close(tb);
	return ec;
}

int dump_more_folder(struct gx_txn *t, struct gx_arena *a, const struct gx_folder_info *f)
{
	gx_ec ec = f->type == GX_FOLDER_SEARCH ? put_search(t, a, f->fid) : put_rules(t, a, f->fid);
	if (!gx_ec_failed(ec) && f->total > 0)
		ec = put_table(t, a, f->fid);
	return gx_ec_to_err(ec);
}

int dump_more_message(struct gx_txn *t, struct gx_arena *a, uint64_t mid)
{
	const gx_proptag_t tag = PidTagRead;
	struct gx_proplist l;
	gx_ec ec = gx_msg_get_props(t, mid, &tag, 1, a, &l);
	if (!gx_ec_failed(ec) && l.count == 1)
		printf("message %" PRIx64 ": alice has%s read it\n", mid, l.v[0].v.b ? "" : " not");
	return gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecAccessDenied) ? 0 : gx_ec_to_err(ec);
}
