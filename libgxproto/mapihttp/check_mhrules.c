/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of [MS-OXNSPI] 3.1.4 one by one, as docs/nspi.md lists them. */
#include <config.h>
#include "libgxproto/mapihttp/nsptest.h"

/* What no operation may change in a STAT but those that are named. */
static void expect_kept(const struct gx_stat *is, const struct gx_stat *was)
{
	ck_assert_uint_eq(is->sort_type, was->sort_type);
	ck_assert_uint_eq(is->code_page, was->code_page);
	ck_assert_uint_eq(is->template_locale, was->template_locale);
	ck_assert_uint_eq(is->sort_locale, was->sort_locale);
}

START_TEST(sessions_end_with_the_server)
{
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	struct gx_mh_query_columns_res c;
	mo.ems = et_ems;
	mo.nsp = nsp;
	serve_stop(&server);
	serve_start(&server, et_a, et_people, &mo, eh_wanted() ? eh_self_signed(et_a, templates) : NULL);
	/* the code that makes clients bind again, [MS-OXCMAPIHTTP] 2.2.3.3.3 */
	ck_assert_int_eq(call("QueryColumns", &(struct gx_mh_query_columns_req){0}, &c).code, GX_MHC_CONTEXT_NOT_FOUND);
	cookies[0] = '\0';
	do_bind();
	ck_assert_int_eq(call("QueryColumns", &(struct gx_mh_query_columns_req){.reserved = 7, .mapi_flags = 5}, &c).code, 0);
	ck_assert_uint_eq(c.error_code, 0);
	ck_assert(has(c.columns, c.columns_count, GX_PROP_RETYPE(PidTagDisplayName, PtypString8)));
	struct gx_mh_bind_res r;
	const struct gx_stat strange = {.code_page = 4711};
	ck_assert_int_eq(call("Bind", &(struct gx_mh_bind_req){.state = &strange}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidCodepage);
}
END_TEST

/* 3.1.4.2 */
START_TEST(required_properties)
{
	static const gx_proptag_t all[] = {PidTagObjectType, PidTagInitialDetailsPane, PidTagAddressBookDisplayNamePrintable, PidTagAddressBookContainerId,
		PidTagEntryId, PidTagInstanceKey, PidTagSearchKey, PidTagRecordKey, PidTagAddressType, PidTagEmailAddress, PidTagDisplayType,
		PidTagTemplateid, PidTagTransmittableDisplayName, PidTagDisplayName, PidTagMappingSignature, PidTagAddressBookObjectDistinguishedName};
	static const gx_proptag_t of_lists[] = {PidTagContainerContents, PidTagContainerFlags};
	for (unsigned i = 0; i < 5; ++i) {
		ck_assert_uint_eq(props(mids[i], all, sizeof(all) / sizeof(all[0])).error_code, 0);
		ck_assert_uint_eq(props(mids[i], of_lists, 2).error_code, i == LIST ? 0 : ecErrorsReturned);
	}
}
END_TEST

/* 3.1.4.5, 3.1.4.1.4 */
START_TEST(positions)
{
	struct gx_mh_update_stat_res r;
	st.num_pos = 8;
	st.total_recs = 4; /* beyond all */
	r = update(1, 0);
	ck_assert_uint_eq(r.state->current_rec, 2);
	ck_assert_uint_eq(r.state->num_pos, 5);
	ck_assert_uint_eq(r.state->total_recs, 5);
	expect_kept(r.state, &st);
	st.num_pos = 1;
	r = update(1, -1); /* a quarter of five, then one back */
	ck_assert_uint_eq(r.state->current_rec, mids[ANN]);
	ck_assert_int_eq(*r.delta, -1);
	ck_assert_int_eq(r.state->delta, 0);
	r = update(2, -1);
	ck_assert_uint_eq(r.state->current_rec, mids[ROOM]);
	ck_assert_int_eq(call("UpdateStat", &(struct gx_mh_update_stat_req){.reserved = 3, .state = &st}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_ptr_null(r.delta);
	st.code_page = 4711;
	r = update(0, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidCodepage);
	ck_assert_ptr_null(r.state);
}
END_TEST

/* 3.1.4.1.8 */
START_TEST(rows)
{
	static const gx_proptag_t cols[] = {PidTagEntryId, PidTagDisplayName, PidTagDisplayName};
	struct gx_mh_query_rows_req q = {.flags = 0xfffffffd, .state = &st, .row_count = 2, .has_columns = true, .columns = cols, .columns_count = 3};
	struct gx_mh_query_rows_res r;
	st.current_rec = mids[ANN];
	st.delta = 1;
	ck_assert_int_eq(call("QueryRows", &q, &r).code, 0);
	ck_assert_uint_eq(r.rows.count, 2);
	ck_assert_uint_eq(r.rows.v[0].v[0].v.bin.data[0], 0); /* permanent */
	ck_assert_str_eq(r.rows.v[0].v[1].v.str, "Bob Baum");
	ck_assert_str_eq(r.rows.v[0].v[2].v.str, "Bob Baum"); /* asked twice, told twice */
	ck_assert_uint_eq(r.state->current_rec, mids[LIST]);
	ck_assert_int_eq(r.state->delta, 0);
	expect_kept(r.state, &st);
	st.current_rec = 2;
	st.delta = 0;
	q.flags = 2;
	ck_assert_int_eq(call("QueryRows", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0); /* no more rows are no error */
	ck_assert_uint_eq(r.rows.count, 0);
	/* of a table of one's own the STAT stays as it is, its container is nobody's business */
	st.container_id = 4711;
	q.explicit_table = mids;
	q.explicit_table_count = 2;
	ck_assert_int_eq(call("QueryRows", &q, &r).code, 0);
	ck_assert_uint_eq(r.rows.count, 2);
	ck_assert_uint_eq(r.rows.v[1].v[0].v.bin.data[0], 0x87);
	ck_assert_mem_eq(r.state, &st, sizeof(st));
}
END_TEST

/* 3.1.4.1.7 */
START_TEST(values)
{
	static const gx_proptag_t name[] = {PidTagDisplayName}, narrow[] = {GX_PROP_RETYPE(PidTagDisplayName, PtypString8)};
	st.container_id = mids[LIST]; /* as GetMatches leaves it */
	ck_assert_uint_eq(props(mids[ANN], name, 1).error_code, 0);
	st.container_id = 2;
	ck_assert_uint_eq(props(mids[ANN], name, 1).error_code, 0);
	ck_assert_uint_eq(props(4711, name, 1).error_code, ecErrorsReturned); /* as if it had no values */
	st.container_id = 4711;
	struct gx_mh_get_props_res r = props(mids[ANN], name, 1);
	ck_assert_uint_eq(r.error_code, ecInvalidBookmark);
	ck_assert_ptr_null(r.property_values);
	st.container_id = 0;
	st.code_page = 1200; /* all, in UTF-16 */
	r = props(mids[BOB], NULL, 0);
	ck_assert_uint_eq(r.error_code, 0);
	for (uint32_t i = 0; i < r.property_values->values_count; ++i)
		ck_assert_uint_ne(GX_PROP_TYPE(r.property_values->values[i].tag) & 0xfff, PtypString8);
	/* CP_TELETEX, which every server has: 3.1.4.3.2 */
	st.code_page = 20261;
	et_x.px = GX_PX_AB(et_a, 20261);
	r = props(mids[ANN], narrow, 1);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_str_eq(r.property_values->values[0].v.str, "Ann \xc3\x84lpler");
}
END_TEST

/* 3.1.4.1.10, 3.1.4.1.9 */
START_TEST(own_tables)
{
	static const struct gx_restr anr = ANR("o");
	struct gx_mh_get_matches_res r;
	st.current_rec = mids[BOB];
	st.delta = 4;
	r = match(&anr, 10);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.state->container_id, mids[BOB]); /* constraint 15 */
	ck_assert_uint_eq(r.state->current_rec, mids[BOB]);
	ck_assert_int_eq(r.state->delta, 4);
	expect_kept(r.state, &st);
	st = *r.state;
	st.delta = 0;
	ck_assert_uint_eq(seek(PidTagDisplayName, "a", mids, 2).state->current_rec, mids[ANN]);
	/* a container is looked for where the order is that of containers, whatever else is asked: constraint 7 */
	st.container_id = PidTagAddressBookMember;
	st.current_rec = mids[LIST];
	ck_assert_uint_eq(match(NULL, 10).error_code, ecInvalidBookmark);
	st.sort_type = 1001; /* which this user may not change */
	ck_assert_uint_eq(match(NULL, 10).error_code, 0);
	st.container_id = MEMBER_OF;
	ck_assert_uint_eq(match(NULL, 10).error_code, ecNotSupported);
	st.sort_type = 1000;
	st.container_id = 0;
	const struct gx_mh_get_matches_req q = {.state = &st, .has_property_name = true, .property_name_id = PidTagAddressBookMember, .row_count = 9};
	ck_assert_int_eq(call("GetMatches", &q, &r).code, 0);
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	ck_assert_uint_eq(r.minimal_ids[0], mids[BOB]);
	ck_assert(!r.has_columns_and_rows);
}
END_TEST

/* 3.1.4.1.11 and 3.1.4.1.12 */
START_TEST(order_of_own_tables)
{
	struct gx_mh_resort_restriction_req q = {.reserved = 9, .state = &st, .has_minimal_ids = true, .minimal_ids = mids, .minimal_ids_count = 2};
	struct gx_mh_resort_restriction_res r;
	struct gx_mh_compare_m_ids_res c;
	st.current_rec = mids[ROOM];
	st.container_id = 4711;
	ck_assert_int_eq(call("ResortRestriction", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.state->current_rec, 0); /* who was at the cursor is not in it */
	ck_assert_uint_eq(r.state->num_pos, 0);
	ck_assert_uint_eq(r.state->container_id, 4711);
	expect_kept(r.state, &st);
	q.has_minimal_ids = false;
	ck_assert_int_eq(call("ResortRestriction", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidParam);
	st.container_id = 0;
	ck_assert_int_eq(call("CompareMIds", &(struct gx_mh_compare_m_ids_req){.reserved = 1, .state = &st, .minimal_id1 = mids[ROOM],
		.minimal_id2 = mids[ANN]}, &c).code, 0);
	ck_assert_int_gt(c.result, 0);
}
END_TEST

static uint32_t container(const char *name)
{
	struct gx_mh_get_special_table_res r;
	ck_assert_int_eq(call("GetSpecialTable", &(struct gx_mh_get_special_table_req){.flags = 0xfffffffd, .state = &st}, &r).code, 0);
	for (uint32_t i = 0; i < r.rows_count; ++i) {
		static const gx_proptag_t order[] = {PidTagEntryId, PidTagContainerFlags, PidTagDepth, PidTagAddressBookContainerId, PidTagDisplayName,
			PidTagAddressBookIsMaster};
		const struct gx_propval *v = r.rows[i].values;
		ck_assert_uint_eq(r.rows[i].values_count, 6);
		for (unsigned k = 0; k < 6; ++k)
			ck_assert_uint_eq(v[k].tag, order[k]); /* 3.1.4.1.3, constraint 14 */
		if (strcmp(v[4].v.str, name) == 0)
			return (uint32_t)v[3].v.i32;
	}
	ck_abort_msg("%s", name);
}

/* 3.1.4.7: in a container */
START_TEST(names_in_a_container)
{
	const char *who;
	st.container_id = container("All Rooms");
	ck_assert_uint_eq(resolve("room", &who), 2);
	ck_assert_uint_eq(resolve("ann", &who), 0);
	ck_assert_uint_eq(resolve("bob@example.org", &who), 0);
	ck_assert_uint_eq(resolve(et_dn[1], &who), 0);
	st.container_id = container("All Users");
	ck_assert_uint_eq(resolve("ann", &who), 2);
	ck_assert_uint_eq(resolve(et_dn[1], &who), 2);
	ck_assert_uint_eq(resolve("room", &who), 0);
}
END_TEST

/* 3.1.4.1.14 */
START_TEST(changes_of_properties)
{
	static const gx_proptag_t cert = PidTagUserX509Certificate;
	static const union gx_value der = {.bin = {(const uint8_t *)"der", 3}};
	const union gx_value large = {.bin = {gx_arena_calloc(et_a, 1, 5000), 5000}}; /* more than the directory takes */
	const struct gx_propval two[] = {{cert, {.mv = {&der, 1}}}, {PidTagAddressBookX509Certificate, {.mv = {&large, 1}}}};
	const struct gx_ab_values one_of_two = {two, 1}, both = {two, 2};
	struct gx_mh_mod_props_req q = {.reserved = 5, .state = &st, .has_property_tags = true, .property_values = &both};
	struct gx_mh_mod_props_res r;
	st.current_rec = mids[ANN];
	ck_assert_int_eq(call("ModProps", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecAccessDenied);
	ck_assert_uint_eq(props(mids[ANN], &cert, 1).error_code, ecErrorsReturned); /* nothing of it was done: constraint 2 */
	q.property_values = &one_of_two;
	ck_assert_int_eq(call("ModProps", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0); /* what is reserved is not looked at: constraint 4 */
	q.property_values = &both;
	q.property_tags_to_remove = &cert;
	q.property_tags_to_remove_count = 1;
	ck_assert_int_eq(call("ModProps", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecAccessDenied);
	ck_assert_uint_eq(props(mids[ANN], &cert, 1).error_code, 0);
}
END_TEST

static uint32_t links(uint32_t flags, const struct gx_bin *v, uint32_t n)
{
	struct gx_mh_mod_link_att_res r;
	ck_assert_int_eq(call("ModLinkAtt", &(struct gx_mh_mod_link_att_req){.flags = flags, .property_tag = PidTagAddressBookMember, .minimal_id = mids[LIST],
		.has_entry_ids = true, .entry_ids = v, .entry_ids_count = n}, &r).code, 0);
	return r.error_code;
}

/* 3.1.4.1.15 */
START_TEST(changes_of_members)
{
	static const gx_proptag_t id[] = {PidTagEntryId}, count[] = {PidTagAddressBookDistributionListExternalMemberCount};
	struct gx_bin v[3];
	ck_assert_int_eq(gx_dir_put_prop(et_people, "list@example.org", 0x800c001f, &(union gx_value){.str = "ann@example.org"}), 0);
	gx_nsp_reload(nsp);
	v[0] = props(mids[CARL], id, 1).property_values->values[0].v.bin;
	ck_assert_int_eq(gx_entryid_addressbook(et_a, 0, "/o=o/cn=gone", &v[1]), 0);
	ck_assert_int_eq(gx_entryid_oneoff(et_a, "X", "SMTP", "x@elsewhere.org", &v[2]), 0);
	ck_assert_uint_eq(links(0, v, 2), ecAccessDenied); /* one cannot be found: none is added */
	st.sort_type = 1000;
	st.current_rec = mids[LIST];
	st.container_id = PidTagAddressBookMember;
	ck_assert_uint_eq(match(NULL, 10).minimal_ids_count, 1);
	ck_assert_uint_eq(links(0x10, v, 1), 0); /* other flags say nothing */
	ck_assert_uint_eq(links(0, v, 1), 0);    /* who is in it already is none to speak of */
	ck_assert_uint_eq(match(NULL, 10).minimal_ids_count, 2);
	st.container_id = 0;
	ck_assert_int_eq(props(mids[LIST], count, 1).property_values->values[0].v.i32, 1);
	ck_assert_uint_eq(links(1, v, 3), 0); /* so is who is not */
	ck_assert_int_eq(props(mids[LIST], count, 1).property_values->values[0].v.i32, 0);
	ck_assert_uint_eq(links(1, v, 3), 0);
}
END_TEST

/* 3.1.4.1.18 */
START_TEST(templates_by_name)
{
	struct gx_mh_get_template_info_req q = {.flags = 1, .display_type = 77, .code_page = 1252, .locale_id = 0xbeef};
	struct gx_mh_get_template_info_res r;
	put_template("0409-SMTP.abk");
	q.template_dn = "/o=o/cn=Addressing/cn=Address-Templates/cn=409/cn=SMTP";
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0); /* its name says it all */
	q.template_dn = NULL;
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidLocale);
	q.code_page = 4711;
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidCodepage);
	ck_assert_ptr_null(r.row);
}
END_TEST

static Suite *mhrules_suite(void)
{
	Suite *s = suite_create("mhrules");
	TCase *t = tcase_create("mhrules");
	tcase_add_checked_fixture(t, book, teardown);
	tcase_add_test(t, sessions_end_with_the_server);
	tcase_add_test(t, required_properties);
	tcase_add_test(t, positions);
	tcase_add_test(t, rows);
	tcase_add_test(t, values);
	tcase_add_test(t, own_tables);
	tcase_add_test(t, order_of_own_tables);
	tcase_add_test(t, names_in_a_container);
	tcase_add_test(t, changes_of_properties);
	tcase_add_test(t, changes_of_members);
	tcase_add_test(t, templates_by_name);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mhrules_suite)
