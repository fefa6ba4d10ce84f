/* SPDX-License-Identifier: Apache-2.0 */
/* The address book over a socket: each request type as it succeeds and as it fails. */
#include <config.h>
#include "libgxproto/mapihttp/nsptest.h"

/* ---- Sessions ---- */

static void count_line(const char *line, void *ctx)
{
	ck_assert_ptr_nonnull(strstr(line, " user=ann@example.org idle="));
	++*(unsigned *)ctx;
}

START_TEST(bind_and_unbind)
{
	struct gx_mh_bind_res r;
	struct gx_mh_unbind_res u;
	const struct gx_stat wide = {.code_page = 1200};
	ck_assert_int_eq(call("Bind", &(struct gx_mh_bind_req){.state = &wide}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecNotSupported);
	ck_assert_int_eq(call("Bind", &(struct gx_mh_bind_req){.flags = 0x20}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecLoginFailure);
	struct reply p = call("PING", NULL, NULL);
	ck_assert_int_eq(p.code, 0);
	ck_assert_str_eq(field(p.head, "X-RequestType"), "PING");
	ck_assert_ptr_nonnull(strstr(p.head, "path=/mapi/nspi;"));
	/* it is nothing to the other endpoint, though both keep their sessions in one table */
	char kept[sizeof(cookies)];
	memcpy(kept, cookies, sizeof(kept));
	path = "/mapi/emsmdb";
	ck_assert_int_eq(call("PING", NULL, NULL).code, GX_MHC_CONTEXT_NOT_FOUND);
	path = "/mapi/nspi";
	memcpy(cookies, kept, sizeof(kept));
	unsigned lines = 0;
	gx_mh_dump(server.mh, count_line, &lines);
	ck_assert_uint_eq(lines, 1);
	ck_assert_int_eq(call("Unbind", &(struct gx_mh_unbind_req){0}, &u).code, 0);
	ck_assert_uint_eq(u.error_code, 1);
	ck_assert_int_eq(call("PING", NULL, NULL).code, GX_MHC_CONTEXT_NOT_FOUND);
	ck_assert_int_eq(call("Unbind", &(struct gx_mh_unbind_req){0}, &u).code, GX_MHC_CONTEXT_NOT_FOUND);
}
END_TEST

START_TEST(requests_that_lack_something)
{
	static const struct {
		const char *method, *headers, *user;
		int code;
	} t[] = {
		{"GET", USUAL "X-RequestType: PING\r\n", "ann", GX_MHC_INVALID_VERB},
		{"POST", USUAL, "ann", GX_MHC_MISSING_HEADER},
		{"POST", USUAL "X-RequestType: Execute\r\n", "ann", GX_MHC_INVALID_REQUEST_TYPE},
		{"POST", USUAL "X-RequestType: QueryRows\r\n", "ann", GX_MHC_INVALID_REQUEST_BODY},
		{"POST", USUAL "X-RequestType: PING\r\n", "bob", GX_MHC_NO_PRIVILEGE},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct reply r = ask(t[i].method, gx_arena_printf(et_a, "%s@example.org", t[i].user), t[i].headers, (struct gx_bin){0});
		ck_assert_uint_eq(r.status, 200);
		ck_assert_msg(r.code == t[i].code, "%zu: %d", i, r.code);
	}
	char old[sizeof(cookies)];
	struct gx_mh_query_columns_res c;
	memcpy(old, cookies, sizeof(old));
	ck_assert_int_eq(call("QueryColumns", &(struct gx_mh_query_columns_req){0}, &c).code, 0);
	memcpy(cookies, old, sizeof(old));
	ck_assert_int_eq(call("QueryColumns", &(struct gx_mh_query_columns_req){0}, &c).code, GX_MHC_INVALID_SEQUENCE);
	cookies[0] = '\0';
	ck_assert_int_eq(call("PING", NULL, NULL).code, GX_MHC_MISSING_COOKIE);
}
END_TEST

/* ---- Tables ---- */

START_TEST(query_rows)
{
	static const gx_proptag_t cols[] = {PidTagDisplayName, GX_PROP_RETYPE(PidTagDisplayName, PtypString8), PidTagDisplayType, PidTagOfficeLocation};
	struct gx_mh_query_rows_res r = query(3, cols, 4);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.rows.count, 3);
	ck_assert_str_eq(r.rows.v[0].v[0].v.str, "Ann \xc3\x84lpler");
	ck_assert_str_eq(r.rows.v[0].v[1].v.str, "Ann \xc3\x84lpler");
	ck_assert_uint_eq(r.rows.v[0].v[3].v.err, ecNotFound);
	ck_assert_str_eq(r.rows.v[1].v[3].v.str, "B\xc3\xbcro 7");
	ck_assert_int_eq(r.rows.v[2].v[2].v.i32, 6);
	ck_assert_uint_eq(r.state->current_rec, mids[LIST]);
	ck_assert_uint_eq(r.state->num_pos, 3);
	ck_assert_uint_eq(r.state->total_recs, 5);
	st = *r.state;
	r = query(10, NULL, 0);
	ck_assert_uint_eq(r.rows.count, 2);
	ck_assert_uint_eq(r.rows.columns.count, 7);
	ck_assert_str_eq(r.rows.v[1].v[3].v.str, "Room 1");
	ck_assert_uint_eq(r.state->current_rec, 2);
	/* explicit: in the order that is given, somebody who is none in between */
	const uint32_t table[] = {mids[ROOM], 77777, mids[ANN]};
	const struct gx_mh_query_rows_req q = {.flags = 2, .state = &st, .explicit_table = table, .explicit_table_count = 3, .row_count = 3,
		.has_columns = true, .columns = cols, .columns_count = 1};
	ck_assert_int_eq(call("QueryRows", &q, &r).code, 0);
	ck_assert_str_eq(r.rows.v[0].v[0].v.str, "Room 1");
	ck_assert_uint_eq(r.rows.v[1].v[0].v.err, ecNotFound);
	ck_assert_str_eq(r.rows.v[2].v[0].v.str, "Ann \xc3\x84lpler");
}
END_TEST

START_TEST(query_rows_fails)
{
	struct gx_mh_query_rows_res r = query(0, NULL, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidParam);
	ck_assert(!r.has_columns_and_rows && r.state == NULL);
	st.container_id = 5555;
	ck_assert_uint_eq(query(1, NULL, 0).error_code, ecInvalidBookmark);
	st.container_id = 0;
	st.current_rec = 77777;
	ck_assert_uint_eq(query(1, NULL, 0).error_code, ecNotFound);
	st.current_rec = 0;
	st.code_page = 1200;
	ck_assert_uint_eq(query(1, NULL, 0).error_code, ecNotSupported);
	st.code_page = 4711;
	ck_assert_uint_eq(query(1, NULL, 0).error_code, ecInvalidCodepage);
	ck_assert_int_eq(call("QueryRows", &(struct gx_mh_query_rows_req){.row_count = 1}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidParam);
}
END_TEST

START_TEST(update_stat)
{
	struct gx_mh_update_stat_res r = update(0, 2);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.state->current_rec, mids[CARL]);
	ck_assert_int_eq(*r.delta, 2);
	r = update(mids[LIST], -9);
	ck_assert_uint_eq(r.state->num_pos, 0);
	ck_assert_int_eq(*r.delta, -3);
	r = update(mids[LIST], 9);
	ck_assert_uint_eq(r.state->current_rec, 2);
	ck_assert_uint_eq(r.state->num_pos, 5);
	st.num_pos = 50;
	st.total_recs = 100;
	r = update(1, 0);
	ck_assert_uint_eq(r.state->num_pos, 2);
	ck_assert_uint_eq(update(4711, 0).error_code, ecNotFound);
	st.container_id = 1;
	ck_assert_uint_eq(update(0, 0).error_code, ecInvalidBookmark);
}
END_TEST

START_TEST(seek_entries)
{
	struct gx_mh_seek_entries_res r = seek(PidTagDisplayName, "c", NULL, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.state->current_rec, mids[CARL]);
	ck_assert_uint_eq(r.state->num_pos, 2);
	ck_assert_uint_eq(r.rows.count, 3);
	ck_assert_str_eq(r.rows.v[0].v[0].v.str, "Carl Cohn");
	r = seek(GX_PROP_RETYPE(PidTagDisplayName, PtypString8), "ann alp", NULL, 0); /* marks do not count */
	ck_assert_uint_eq(r.state->num_pos, 0);
	const uint32_t table[] = {mids[ANN], 4711, mids[ROOM]};
	r = seek(PidTagDisplayName, "b", table, 3);
	ck_assert_uint_eq(r.state->current_rec, mids[ROOM]);
	ck_assert_uint_eq(r.state->num_pos, 2);
	ck_assert_uint_eq(r.rows.count, 1);
	ck_assert_uint_eq(seek(PidTagDisplayName, "zz", NULL, 0).error_code, ecNotFound);
	ck_assert_uint_eq(seek(PidTagAccount, "a", NULL, 0).error_code, ecGeneralFailure);
	st.container_id = 9;
	ck_assert_uint_eq(seek(PidTagDisplayName, "a", NULL, 0).error_code, ecInvalidBookmark);
	ck_assert_uint_eq(seek(PidTagDisplayName, "b", table, 3).error_code, ecInvalidBookmark);
	st.container_id = mids[LIST]; /* as after members were asked for */
	ck_assert_uint_eq(seek(PidTagDisplayName, "b", table, 3).state->current_rec, mids[ROOM]);
	st.sort_type = 3;
	ck_assert_uint_eq(seek(PidTagDisplayName, "a", NULL, 0).error_code, ecGeneralFailure);
	st.container_id = 0;
	ck_assert_uint_eq(seek(PidTagAddressBookPhoneticDisplayName, "c", NULL, 0).state->current_rec, mids[CARL]);
	st.sort_type = 1000;
	ck_assert_uint_eq(seek(PidTagDisplayName, "a", NULL, 0).error_code, ecGeneralFailure);
}
END_TEST

START_TEST(get_matches_by_restriction)
{
	static const struct gx_restr anr = ANR("alp"), nobody = ANR("zack");
	static const struct gx_restr both[] = {ANR("ro"), {.type = RES_EXIST, .u.exist = {PidTagDisplayName}}};
	static const struct gx_restr list = {.type = RES_AND, .u.list = {both, 2}}, not_ro = {.type = RES_NOT, .u.not_ = {&both[0]}};
	static const struct gx_restr contact = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagDisplayType, {PidTagDisplayType, {.i32 = 6}}}};
	static const struct gx_restr text = {.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagDisplayName, {PidTagDisplayName, {.str = "BAUM"}}}};
	static const struct gx_restr regex = {.type = RES_PROPERTY, .u.prop = {RELOP_RE, PidTagDisplayName, {PidTagDisplayName, {.str = "a"}}}};
	struct gx_mh_get_matches_res r = match(&anr, 10);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	ck_assert_uint_eq(r.minimal_ids[0], mids[ANN]);
	ck_assert_str_eq(r.rows.v[0].v[0].v.str, "Ann \xc3\x84lpler");
	ck_assert_uint_eq(r.rows.v[0].v[1].v.bin.data[0], 0x87); /* ephemeral */
	ck_assert_uint_eq(match(&nobody, 10).minimal_ids_count, 0);
	ck_assert_uint_eq(match(&list, 10).minimal_ids_count, 1);
	ck_assert_uint_eq(match(&not_ro, 10).minimal_ids_count, 4);
	ck_assert_uint_eq(match(&contact, 10).minimal_ids[0], mids[CARL]);
	ck_assert_uint_eq(match(&text, 10).minimal_ids[0], mids[BOB]);
	ck_assert_uint_eq(match(&not_ro, 3).error_code, ecTableTooBig);
	ck_assert_uint_eq(match(&regex, 3).error_code, ecTooComplex);
	st.container_id = 3;
	ck_assert_uint_eq(match(&anr, 10).error_code, ecInvalidBookmark);
}
END_TEST

START_TEST(get_matches_by_membership)
{
	struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_MEMBER_OF_DL, PidTagEntryId, {PidTagEntryId, {.bin = {NULL, 0}}}}};
	const struct gx_restr not = {.type = RES_NOT, .u.not_ = {&r}};
	struct gx_bin *dl = &r.u.prop.val.v.bin;
	ck_assert_int_eq(gx_dir_add_list(et_people, "outer@example.org", GX_LIST_NORMAL, 0, "Outer"), 0);
	ck_assert_int_eq(gx_dir_add_member(et_people, "outer@example.org", "list@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(et_people, "outer@example.org", "ann@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(et_people, "list@example.org", "outer@example.org"), 0); /* in each other */
	gx_nsp_reload(nsp);
	ck_assert_int_eq(gx_entryid_addressbook(et_a, 1, dn_of("outer@example.org"), dl), 0);
	struct gx_mh_get_matches_res m = match(&r, 10);
	ck_assert_uint_eq(m.error_code, 0);
	ck_assert_uint_eq(m.minimal_ids_count, 4);
	ck_assert_uint_eq(m.minimal_ids[0], mids[ANN]);
	ck_assert_uint_eq(m.minimal_ids[1], mids[BOB]);
	ck_assert_uint_eq(m.minimal_ids[2], mids[LIST]);
	ck_assert_uint_eq(match(&not, 10).minimal_ids_count, 2); /* Carl, the room */
	ck_assert_int_eq(gx_entryid_addressbook(et_a, 0, dn_of("bob@example.org"), dl), 0);
	ck_assert_uint_eq(match(&r, 10).minimal_ids_count, 0); /* no list */
	*dl = (struct gx_bin){(const uint8_t *)"x", 1};
	ck_assert_uint_eq(match(&r, 10).minimal_ids_count, 0);
	r.u.prop.tag = PidTagDisplayName;
	ck_assert_uint_eq(match(&r, 10).minimal_ids_count, 0);
	/* ambiguous names also as content */
	r = (struct gx_restr){.type = RES_CONTENT, .u.content = {FL_PREFIX, FL_IGNORECASE, PidTagAnr, {PidTagAnr, {.str = "baum"}}}};
	ck_assert_uint_eq(match(&r, 10).minimal_ids[0], mids[BOB]);
}
END_TEST

START_TEST(get_matches_by_property)
{
	st.sort_type = 1000;
	st.current_rec = mids[LIST];
	st.container_id = PidTagAddressBookMember;
	struct gx_mh_get_matches_res r = match(NULL, 10);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	ck_assert_uint_eq(r.minimal_ids[0], mids[BOB]);
	ck_assert_uint_eq(r.state->container_id, mids[LIST]);
	st.current_rec = mids[BOB];
	st.container_id = MEMBER_OF;
	ck_assert_uint_eq(match(NULL, 10).minimal_ids[0], mids[LIST]);
	st.container_id = PidTagDisplayName;
	ck_assert_uint_eq(match(NULL, 10).error_code, ecNotSupported);
	st.current_rec = 4711;
	ck_assert_uint_eq(match(NULL, 10).error_code, ecGeneralFailure);
}
END_TEST

START_TEST(resort_restriction)
{
	const uint32_t in[] = {mids[ROOM], 4711, mids[ANN], mids[CARL]};
	struct gx_mh_resort_restriction_req q = {.state = &st, .has_minimal_ids = true, .minimal_ids = in, .minimal_ids_count = 4};
	struct gx_mh_resort_restriction_res r;
	st.current_rec = mids[CARL];
	ck_assert_int_eq(call("ResortRestriction", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.minimal_ids_count, 3);
	ck_assert_uint_eq(r.minimal_ids[0], mids[ANN]);
	ck_assert_uint_eq(r.minimal_ids[2], mids[ROOM]);
	ck_assert_uint_eq(r.state->num_pos, 1);
	ck_assert_uint_eq(r.state->total_recs, 3);
	st.sort_type = 1001;
	ck_assert_int_eq(call("ResortRestriction", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecGeneralFailure);
	ck_assert(!r.has_minimal_ids);
}
END_TEST

START_TEST(compare_mids)
{
	struct gx_mh_compare_m_ids_req q = {.state = &st, .minimal_id1 = mids[ANN], .minimal_id2 = mids[BOB]};
	struct gx_mh_compare_m_ids_res r;
	ck_assert_int_eq(call("CompareMIds", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_int_lt(r.result, 0);
	q.minimal_id1 = mids[BOB];
	ck_assert_int_eq(call("CompareMIds", &q, &r).code, 0);
	ck_assert_int_eq(r.result, 0);
	q.minimal_id2 = 4711;
	ck_assert_int_eq(call("CompareMIds", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecGeneralFailure);
	st.container_id = 3;
	ck_assert_int_eq(call("CompareMIds", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidBookmark);
}
END_TEST

START_TEST(dn_to_mid)
{
	struct gx_mh_dn_to_m_id_res r;
	ck_assert_uint_ne(mids[ANN], 0);
	ck_assert_uint_eq(mid_of("/o=o/cn=nobody"), 0);
	ck_assert_uint_eq(mid_of(dn_of("aaa@other.org")), 0); /* not of this user's organisation */
	ck_assert_int_eq(call("DNToMId", &(struct gx_mh_dn_to_m_id_req){0}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidParam);
}
END_TEST

START_TEST(special_tables)
{
	struct gx_mh_get_special_table_req q = {.flags = 4, .state = &st};
	struct gx_mh_get_special_table_res r;
	ck_assert_int_eq(call("GetSpecialTable", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.rows_count, 5); /* one domain has no list of its own */
	ck_assert_uint_ne(*r.version, 0);
	const struct gx_proplist l = {(struct gx_propval *)(uintptr_t)r.rows[0].values, r.rows[0].values_count, 0};
	ck_assert_str_eq(gx_proplist_str(&l, PidTagDisplayName, ""), "Global Address List");
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagAddressBookContainerId, -1), 0);
	/* its lists have rows of their own */
	const struct gx_proplist rooms = {(struct gx_propval *)(uintptr_t)r.rows[3].values, r.rows[3].values_count, 0};
	st.container_id = (uint32_t)gx_proplist_i32(&rooms, PidTagAddressBookContainerId, 0);
	ck_assert_uint_eq(query(9, NULL, 0).rows.count, 1);
	q.version = r.version;
	ck_assert_int_eq(call("GetSpecialTable", &q, &r).code, 0);
	ck_assert_uint_eq(r.rows_count, 0);
	q.flags = 2;
	ck_assert_int_eq(call("GetSpecialTable", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.rows_count, 0);
	q.state = NULL;
	ck_assert_int_eq(call("GetSpecialTable", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidParam);
}
END_TEST

/* ---- Properties ---- */

START_TEST(prop_lists)
{
	struct gx_mh_get_prop_list_req q = {.minimal_id = mids[BOB], .code_page = 1200}; /* which says nothing */
	struct gx_mh_get_prop_list_res r;
	struct gx_mh_query_columns_res c;
	ck_assert_int_eq(call("GetPropList", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert(has(r.property_tags, r.property_tags_count, GX_PROP_RETYPE(PidTagDisplayName, PtypString8)));
	ck_assert(has(r.property_tags, r.property_tags_count, GX_PROP_RETYPE(PidTagOfficeLocation, PtypString8)));
	ck_assert(has(r.property_tags, r.property_tags_count, MEMBER_OF));
	q.flags = 1;
	q.code_page = 1252;
	ck_assert_int_eq(call("GetPropList", &q, &r).code, 0);
	ck_assert(has(r.property_tags, r.property_tags_count, GX_PROP_RETYPE(PidTagDisplayName, PtypString8)));
	ck_assert(!has(r.property_tags, r.property_tags_count, MEMBER_OF));
	q.code_page = 4711;
	ck_assert_int_eq(call("GetPropList", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidCodepage);
	q = (struct gx_mh_get_prop_list_req){.minimal_id = 4711, .code_page = 1252};
	ck_assert_int_eq(call("GetPropList", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecGeneralFailure);
	ck_assert_int_eq(call("QueryColumns", &(struct gx_mh_query_columns_req){.mapi_flags = 0x80000000U}, &c).code, 0);
	ck_assert_uint_eq(c.error_code, 0);
	ck_assert(has(c.columns, c.columns_count, PidTagDisplayName));
}
END_TEST

START_TEST(get_props)
{
	static const gx_proptag_t tags[] = {PidTagSmtpAddress, PidTagAddressBookProxyAddresses, PidTagEmailAddress, PidTagDisplayTypeEx, PidTagEntryId};
	static const gx_proptag_t missing[] = {PidTagDisplayName, PidTagTitle}, narrow[] = {GX_PROP_RETYPE(PidTagDisplayName, PtypString8)};
	struct gx_mh_get_props_res r = props(mids[ANN], tags, 5);
	const struct gx_propval *v = r.property_values->values;
	const char *type, *address, *name;
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_str_eq(v[0].v.str, "ann@example.org");
	ck_assert_uint_eq(v[1].v.mv.count, 2);
	ck_assert_str_eq(v[1].v.mv.v[0].str, "SMTP:ann@example.org");
	ck_assert_str_eq(v[1].v.mv.v[1].str, "smtp:info@example.org");
	ck_assert_str_eq(v[2].v.str, et_dn[0]);
	ck_assert_int_eq(v[3].v.i32, 0x40000000);
	ck_assert_int_eq(gx_entryid_address(et_a, v[4].v.bin, &type, &address, &name), 0);
	ck_assert_str_eq(address, et_dn[0]);
	r = props(mids[CARL], tags, 1);
	ck_assert_str_eq(r.property_values->values[0].v.str, "cc@elsewhere.org");
	r = props(mids[ANN], missing, 2);
	ck_assert_uint_eq(r.error_code, ecErrorsReturned);
	ck_assert_uint_eq(r.property_values->values[1].tag, GX_PROP_RETYPE(PidTagTitle, PtypErrorCode));
	r = props(mids[ANN], NULL, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_gt(r.property_values->values_count, 20);
	ck_assert_uint_eq(props(4711, NULL, 0).error_code, ecGeneralFailure);
	st.code_page = 1200;
	ck_assert_uint_eq(props(mids[ANN], missing, 1).error_code, 0);
	ck_assert_uint_eq(props(mids[ANN], narrow, 1).error_code, ecNotSupported);
	st.container_id = 4711;
	ck_assert_uint_eq(props(mids[ANN], missing, 1).error_code, ecInvalidBookmark);
}
END_TEST

START_TEST(resolve_names)
{
	static const struct {
		const char *name, *who;
		uint32_t verdict;
	} t[] = {
		{"ann", "ann@example.org", 2}, {"ANN alp", "ann@example.org", 2}, {"alpler, ann", "ann@example.org", 2}, {"info", "ann@example.org", 2},
		{"smtp:info@example.org", "ann@example.org", 2}, {"cc@elsewhere.org", "cc@elsewhere.org", 2}, {" room1 ", "room1@example.org", 2},
		{"buro", "bob@example.org", 2}, {"b", "bob@example.org", 2}, {"example", "", 1}, {"=bob", "bob@example.org", 2}, {"=bo", "", 0},
		{"zack", "", 0}, {"zack@example.org", "", 0}, {"nobody", "", 0}, {"", "", 0}, {"aaa@other.org", "", 0}, {"ann bob", "", 0},
	};
	const char *who;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		uint32_t v = resolve(t[i].name, &who);
		ck_assert_msg(v == t[i].verdict && strcmp(who, t[i].who) == 0, "%s: %u %s", t[i].name, (unsigned)v, who);
	}
	ck_assert_uint_eq(resolve(et_dn[1], &who), 2);
	ck_assert_str_eq(who, "bob@example.org");
	struct gx_mh_resolve_names_res r;
	st.container_id = 4711;
	ck_assert_int_eq(call("ResolveNames", &(struct gx_mh_resolve_names_req){.state = &st, .has_names = true}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidBookmark);
	ck_assert_int_eq(call("ResolveNames", &(struct gx_mh_resolve_names_req){.state = &st}, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidParam);
}
END_TEST

/* ---- Changes ---- */

START_TEST(mod_props)
{
	static const gx_proptag_t cert = PidTagUserX509Certificate, title = PidTagTitle, photo = PidTagThumbnailPhoto, none[1] = {0};
	static const union gx_value bin = {.bin = {(const uint8_t *)"der", 3}};
	const struct gx_propval certs = {cert, {.mv = {&bin, 1}}}, picture = {photo, bin};
	ck_assert_uint_eq(modify(mids[ANN], none, 0, &certs), 0);
	struct gx_mh_get_props_res r = props(mids[ANN], &cert, 1);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.property_values->values[0].v.mv.v[0].bin.len, 3);
	ck_assert_uint_eq(modify(mids[ANN], &cert, 1, NULL), 0);
	ck_assert_uint_eq(props(mids[ANN], &cert, 1).error_code, ecErrorsReturned);
	ck_assert_uint_eq(modify(mids[ANN], none, 0, &picture), 0);
	r = props(mids[ANN], &photo, 1);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_mem_eq(r.property_values->values[0].v.bin.data, "der", 3);
	ck_assert_uint_eq(modify(mids[ANN], &photo, 1, NULL), 0);
	ck_assert_uint_eq(props(mids[ANN], &photo, 1).error_code, ecErrorsReturned);
	/* who has no mailbox has the directory's */
	ck_assert_uint_eq(props(mids[CARL], &photo, 1).error_code, ecErrorsReturned);
	ck_assert_int_eq(gx_dir_put_prop(et_people, "carl@example.org", photo, &(union gx_value){.bin = {(const uint8_t *)"jpeg", 4}}), 0);
	gx_nsp_reload(nsp);
	r = props(mids[CARL], &photo, 1);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.property_values->values[0].v.bin.len, 4);
	ck_assert_uint_eq(modify(mids[BOB], none, 0, &certs), ecAccessDenied);
	ck_assert_uint_eq(modify(mids[ANN], &title, 1, NULL), ecAccessDenied);
	ck_assert_uint_eq(modify(mids[LIST], none, 0, &certs), ecInvalidObject);
	ck_assert_uint_eq(modify(4711, none, 0, &certs), ecInvalidParam);
	ck_assert_uint_eq(modify(mids[ANN], NULL, 0, &certs), ecInvalidParam);
}
END_TEST

START_TEST(mod_link_att)
{
	ck_assert_uint_eq(change_links(0, PidTagAddressBookPublicDelegates, mids[ANN], "bob@example.org"), 0);
	st.current_rec = mids[ANN];
	st.container_id = PidTagAddressBookPublicDelegates;
	st.sort_type = 1000;
	struct gx_mh_get_matches_res r = match(NULL, 10);
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	ck_assert_uint_eq(r.minimal_ids[0], mids[BOB]);
	ck_assert_uint_eq(change_links(1, PidTagAddressBookPublicDelegates, mids[ANN], "bob@example.org"), 0);
	ck_assert_uint_eq(match(NULL, 10).minimal_ids_count, 0);
	ck_assert_uint_eq(change_links(0, PidTagAddressBookPublicDelegates, mids[BOB], "bob@example.org"), ecAccessDenied);
	/* a list's members: its owner may */
	ck_assert_uint_eq(change_links(0, PidTagAddressBookMember, mids[LIST], "ann@example.org"), ecAccessDenied);
	ck_assert_int_eq(gx_dir_put_prop(et_people, "list@example.org", 0x800c001f, &(union gx_value){.str = "ann@example.org"}), 0);
	gx_nsp_reload(nsp);
	ck_assert_uint_eq(change_links(0, PidTagAddressBookMember, mids[LIST], "ann@example.org"), 0);
	st.current_rec = mids[LIST];
	st.container_id = PidTagAddressBookMember;
	ck_assert_uint_eq(match(NULL, 10).minimal_ids_count, 2);
	ck_assert_uint_eq(change_links(1, PidTagAddressBookMember, mids[LIST], "ann@example.org"), 0);
	ck_assert_uint_eq(match(NULL, 10).minimal_ids_count, 1);
	ck_assert_uint_eq(change_links(0, PidTagDisplayName, mids[LIST], "ann@example.org"), ecNotFound);
	ck_assert_uint_eq(change_links(0, PidTagAddressBookMember, 4711, "ann@example.org"), ecInvalidParam);
	ck_assert_uint_eq(change_links(0, PidTagAddressBookMember, mids[ANN], "ann@example.org"), ecAccessDenied); /* no list */
}
END_TEST

/* ---- Templates and addresses ---- */

START_TEST(template_info)
{
	struct gx_mh_get_template_info_req q = {.flags = 1, .display_type = 0, .code_page = 1252, .locale_id = 0x0407};
	struct gx_mh_get_template_info_res r;
	struct gx_abkt t;
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidLocale);
	put_template("0409-0.abk");
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.row->values_count, 1);
	ck_assert_uint_eq(r.row->values[0].tag, PidTagTemplateData);
	ck_assert_int_eq(gx_abkt_read(et_a, r.row->values[0].v.bin.data, r.row->values[0].v.bin.len, 1252, &t), 0);
	ck_assert_str_eq(t.v[0].text, "\xc3\x9c" "bersicht");
	q.code_page = 1200;
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidCodepage);
	/* one for making addresses, found by its entry id */
	put_template("0409-SMTP.abk");
	struct gx_mh_get_special_table_res s;
	const char *type, *dn, *name;
	ck_assert_int_eq(call("GetSpecialTable", &(struct gx_mh_get_special_table_req){.flags = 2, .state = &st}, &s).code, 0);
	ck_assert_uint_eq(s.rows_count, 1);
	const struct gx_proplist l = {(struct gx_propval *)(uintptr_t)s.rows[0].values, s.rows[0].values_count, 0};
	ck_assert_int_eq(gx_entryid_address(et_a, gx_proplist_get(&l, PidTagEntryId)->v.bin, &type, &dn, &name), 0);
	q = (struct gx_mh_get_template_info_req){.flags = 0x75, .template_dn = dn, .code_page = 1252};
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.row->values_count, 2); /* template and script, nothing else [MS-OXNSPI] 3.1.4.1.18 */
	q.template_dn = "/o=o/cn=Addressing/cn=Address-Templates/cn=409/cn=../x";
	ck_assert_int_eq(call("GetTemplateInfo", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, ecInvalidLocale);
}
END_TEST

START_TEST(urls)
{
	struct gx_mh_get_mailbox_url_res m;
	struct gx_mh_get_address_book_url_res b;
	const char *s;
	ck_assert_int_eq(call("GetMailboxUrl", &(struct gx_mh_get_mailbox_url_req){.server_dn = "/o=o/ou=x/cn=Configuration/cn=Servers/cn=1-2@example.org"}, &m).code, 0);
	ck_assert_uint_eq(m.error_code, 0);
	ck_assert_str_eq(m.server_url, "https://mail.example.org/mapi/emsmdb/?MailboxId=1-2@example.org");
	ck_assert_int_eq(call("GetMailboxUrl", &(struct gx_mh_get_mailbox_url_req){.server_dn = "/o=o/cn=a b"}, &m).code, 0);
	ck_assert_uint_eq(m.error_code, ecNotFound);
	ck_assert_int_eq(call("GetAddressBookUrl", &(struct gx_mh_get_address_book_url_req){.user_dn = et_dn[1]}, &b).code, 0);
	ck_assert_uint_eq(b.error_code, 0);
	ck_assert_str_eq(b.server_url, "https://mail.example.org/mapi/nspi/?MailboxId=bob@example.org");
	ck_assert_int_eq(call("GetAddressBookUrl", &(struct gx_mh_get_address_book_url_req){.user_dn = "x"}, &b).code, 0);
	ck_assert_uint_eq(b.error_code, ecNotFound);
	uint32_t id;
	ck_assert_int_eq(gx_dir_add_server(et_people, "in2", "out2.example.org", &id), 0);
	ST_OK(gx_rfr_fqdn(nsp, "/o=o/cn=Configuration/cn=Servers/cn=IN2/cn=Microsoft Private MDB", et_a, &s));
	ck_assert_str_eq(s, "out2.example.org");
	ST_OK(gx_rfr_fqdn(nsp, "/o=o/cn=Configuration/cn=Servers/cn=mail.example.org", et_a, &s));
	ck_assert_str_eq(s, "mail.example.org");
	ck_assert_uint_eq(gx_rfr_fqdn(nsp, "/o=o/cn=Configuration/cn=Servers/cn=in3", et_a, &s).v, ecNotFound);
	ck_assert_uint_eq(gx_rfr_fqdn(nsp, "x", et_a, &s).v, ecNotFound);
	ST_OK(gx_rfr_new_dsa(nsp, "ann@example.org", et_a, &s));
	ck_assert_str_eq(s, "mail.example.org");
	ck_assert_uint_eq(gx_rfr_new_dsa(nsp, "zoe@example.org", et_a, &s).v, ecLoginFailure);
}
END_TEST

static Suite *mhnsp_suite(void)
{
	Suite *s = suite_create("mhnsp");
	TCase *t = tcase_create("mhnsp");
	tcase_add_checked_fixture(t, book, teardown);
	tcase_add_test(t, bind_and_unbind);
	tcase_add_test(t, requests_that_lack_something);
	tcase_add_test(t, query_rows);
	tcase_add_test(t, query_rows_fails);
	tcase_add_test(t, update_stat);
	tcase_add_test(t, seek_entries);
	tcase_add_test(t, get_matches_by_restriction);
	tcase_add_test(t, get_matches_by_membership);
	tcase_add_test(t, get_matches_by_property);
	tcase_add_test(t, resort_restriction);
	tcase_add_test(t, compare_mids);
	tcase_add_test(t, dn_to_mid);
	tcase_add_test(t, special_tables);
	tcase_add_test(t, prop_lists);
	tcase_add_test(t, get_props);
	tcase_add_test(t, resolve_names);
	tcase_add_test(t, mod_props);
	tcase_add_test(t, mod_link_att);
	tcase_add_test(t, template_info);
	tcase_add_test(t, urls);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(mhnsp_suite)
