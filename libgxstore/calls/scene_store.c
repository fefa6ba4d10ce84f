/* SPDX-License-Identifier: Apache-2.0 */
/* The store itself, names, settings, upkeep. */
#include <config.h>
#include <gx/storeset.h>
#include "libgxstore/calls/scenario-int.h"

void scene_store(struct scene *s)
{
	struct gx_propval v[] = {
		{PidTagComment, {.str = "gr\xc3\xbc\xc3\x9f" "e"}},
		{GX_PROP_RETYPE(PidTagComment, PtypString8) + 0x10000, {.str = "\xfc"}},
		{0x66770003, {.i32 = 5}},
	};
	struct gx_x_set_store_properties_req set = {.cpid = 1252, .props = PROPS(v)};
	struct gx_x_set_store_properties_ans problems;
	OK0(s, ping_store);
	OK2(s, set_store_properties, &set, &problems);
	ck_assert_uint_eq(problems.problems_count, 0);
	gx_proptag_t tags[] = {PidTagComment, v[1].tag, 0x66770003, PidTagSubject};
	struct gx_x_get_store_properties_req get = {.cpid = 1252, .tags = tags, .tags_count = LEN(tags)};
	struct gx_x_get_store_properties_ans got;
	OK2(s, get_store_properties, &get, &got);
	ck_assert_uint_eq(got.props.count, 3);
	ck_assert_str_eq(gx_proplist_str(&got.props, PidTagComment, ""), "gr\xc3\xbc\xc3\x9f" "e");
	ck_assert_str_eq(gx_proplist_get(&got.props, v[1].tag)->v.str, "\xfc");
	ck_assert_uint_eq(gx_proplist_get(&got.props, v[1].tag)->tag, v[1].tag);
	/* the same value as Unicode, and the first one in a code page */
	tags[0] = GX_PROP_RETYPE(PidTagComment, PtypString8);
	tags[1] = GX_PROP_RETYPE(v[1].tag, PtypString);
	OK2(s, get_store_properties, &get, &got);
	ck_assert_str_eq(gx_proplist_get(&got.props, tags[0])->v.str, "gr\xfc\xdf" "e");
	ck_assert_str_eq(gx_proplist_get(&got.props, tags[1])->v.str, "\xc3\xbc");
	struct gx_x_get_store_all_proptags_ans all;
	OK_ANS(s, get_store_all_proptags, &all);
	bool there = false;
	for (uint32_t i = 0; i < all.tags_count; ++i)
		there = there || all.tags[i] == 0x66770003;
	ck_assert(there);
	gx_proptag_t gone[] = {0x66770003};
	struct gx_x_remove_store_properties_req rm = {.tags = gone, .tags_count = 1};
	OK_REQ(s, remove_store_properties, &rm);
	OK2(s, get_store_properties, &get, &got);
	ck_assert_uint_eq(got.props.count, 2);
	/* no tags, no properties: not all of them */
	get.tags_count = 0;
	OK2(s, get_store_properties, &get, &got);
	ck_assert_uint_eq(got.props.count, 0);
	struct gx_x_get_mbox_perm_req who = {"stranger@example.org"};
	struct gx_x_get_mbox_perm_ans perm;
	OK2(s, get_mbox_perm, &who, &perm);
	ck_assert_uint_eq(perm.permission & 0x100, 0);
}

void scene_names(struct scene *s)
{
	static const struct gx_guid set = {0x00062008, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
	struct gx_propname v[] = {{.set = set, .lid = 0x8501}, {.set = set, .by_name = true, .name = "colour"}};
	struct gx_x_get_named_propids_req q = {.create = false, .names = v, .names_count = 2};
	struct gx_x_get_named_propids_ans ids, again;
	OK2(s, get_named_propids, &q, &ids);
	ck_assert_uint_eq(ids.ids_count, 2);
	ck_assert_uint_eq(ids.ids[1], 0);
	q.create = true;
	OK2(s, get_named_propids, &q, &ids);
	ck_assert_uint_ge(ids.ids[0], 0x8001);
	ck_assert_uint_ge(ids.ids[1], 0x8001);
	q.create = false;
	OK2(s, get_named_propids, &q, &again);
	ck_assert_mem_eq(again.ids, ids.ids, 2 * sizeof(uint16_t));
	uint16_t ask[] = {ids.ids[1], 0x9fff, ids.ids[0]};
	struct gx_x_get_named_propnames_req nq = {.ids = ask, .ids_count = 3};
	struct gx_x_get_named_propnames_ans names;
	OK2(s, get_named_propnames, &nq, &names);
	ck_assert_uint_eq(names.names_count, 3);
	ck_assert_str_eq(names.names[0].name, "colour");
	ck_assert(!names.names[1].by_name && names.names[1].lid == 0);
	ck_assert_uint_eq(names.names[2].lid, 0x8501);
	struct gx_x_get_all_named_propids_ans all;
	OK_ANS(s, get_all_named_propids, &all);
	ck_assert_uint_ge(all.ids_count, 2);
}

static void scene_numbers(struct scene *s)
{
	struct gx_x_allocate_cn_ans c1, c2;
	OK_ANS(s, allocate_cn, &c1);
	OK_ANS(s, allocate_cn, &c2);
	ck_assert_uint_gt(gx_eid_counter(c2.cn), gx_eid_counter(c1.cn));
	ck_assert_uint_eq(gx_eid_replica(c1.cn), 1);
	struct gx_x_allocate_ids_req q = {100};
	struct gx_x_allocate_ids_ans r1, r2;
	OK2(s, allocate_ids, &q, &r1);
	OK2(s, allocate_ids, &q, &r2);
	ck_assert_uint_ge(gx_eid_counter(r2.begin_eid), gx_eid_counter(r1.begin_eid) + 100);
	q.count = UINT32_MAX;
	FAILS2(s, allocate_ids, &q, &r2, ecInvalidParam);
	struct gx_x_get_mapping_guid_req g = {1};
	struct gx_x_get_mapping_guid_ans own, none;
	OK2(s, get_mapping_guid, &g, &own);
	ck_assert(own.found);
	g.replid = 999;
	OK2(s, get_mapping_guid, &g, &none);
	ck_assert(!none.found);
	struct gx_x_get_mapping_replid_req iq = {own.guid};
	struct gx_x_get_mapping_replid_ans id;
	OK2(s, get_mapping_replid, &iq, &id);
	ck_assert_uint_eq(id.ec, 0);
	ck_assert_uint_eq(id.replid, 1);
	iq.guid.d1 ^= 0x12345;
	OK2(s, get_mapping_replid, &iq, &id);
	ck_assert_uint_ge(id.replid, 6);
	g.replid = id.replid;
	OK2(s, get_mapping_guid, &g, &none);
	ck_assert(none.found && gx_guid_cmp(&none.guid, &iq.guid) == 0);
}

void scene_settings(struct scene *s)
{
	struct gx_propval v[] = {{GX_OOF_STATE_TAG, {.i32 = 1}}, {GX_OOF_SUBJECT_TAG, {.str = "away"}}};
	struct gx_x_autoreply_setprop_req set = {.cpid = 0, .props = PROPS(v)};
	struct gx_x_autoreply_setprop_ans problems;
	OK2(s, autoreply_setprop, &set, &problems);
	gx_proptag_t tags[] = {GX_OOF_STATE_TAG, GX_OOF_SUBJECT_TAG};
	struct gx_x_autoreply_getprop_req get = {.tags = tags, .tags_count = 2};
	struct gx_x_autoreply_getprop_ans got;
	OK2(s, autoreply_getprop, &get, &got);
	ck_assert_int_eq(gx_proplist_i32(&got.props, GX_OOF_STATE_TAG, 0), 1);
	ck_assert_str_eq(gx_proplist_str(&got.props, GX_OOF_SUBJECT_TAG, ""), "away");
	struct gx_x_autoreply_tsquery_req ago = {"peer@example.org", 86400};
	struct gx_x_autoreply_tsquery_ans tdiff;
	OK2(s, autoreply_tsquery, &ago, &tdiff);
	ck_assert_uint_eq(tdiff.tdiff, 86400);
	struct gx_x_autoreply_tsupdate_req now = {"Peer@example.org"};
	OK_REQ(s, autoreply_tsupdate, &now);
	OK2(s, autoreply_tsquery, &ago, &tdiff);
	ck_assert_uint_lt(tdiff.tdiff, 86400);
	const char *list[] = {"a@example.org", "b@example.org"};
	for (uint32_t mode = 0; mode < 2; ++mode) {
		struct gx_x_write_delegates_req w = {.mode = mode, .userlist = list + mode, .userlist_count = 2 - mode};
		OK_REQ(s, write_delegates, &w);
	}
	struct gx_x_read_delegates_req r = {0};
	struct gx_x_read_delegates_ans who;
	OK2(s, read_delegates, &r, &who);
	ck_assert_uint_eq(who.userlist_count, 2);
	r.mode = 1;
	OK2(s, read_delegates, &r, &who);
	ck_assert_uint_eq(who.userlist_count, 1);
	ck_assert_str_eq(who.userlist[0], "b@example.org");
	scene_numbers(s);
}

void scene_upkeep(struct scene *s)
{
	struct gx_x_recalc_store_size_req recalc = {0};
	struct gx_x_cgkreset_req reset = {GX_CGK_FOLDERS | GX_CGK_MESSAGES};
	struct gx_x_set_maintenance_req mode = {2};
	struct gx_x_allocate_cn_ans cn;
	OK0(s, vacuum);
	OK0(s, purge_datafiles);
	OK_REQ(s, recalc_store_size, &recalc);
	OK_REQ(s, cgkreset, &reset);
	OK_REQ(s, set_maintenance, &mode);
	FAILS_(s, gx_exmdb_allocate_cn(s->x, s->dir, s->a, &cn, &why_), ecServerPaused);
	mode.mode = 0;
	OK_REQ(s, set_maintenance, &mode);
	OK_ANS(s, allocate_cn, &cn);
	mode.mode = 5;
	FAILS_REQ(s, set_maintenance, &mode, ecInvalidParam);
	OK0(s, unload_store);
	OK_ANS(s, allocate_cn, &cn);
}
