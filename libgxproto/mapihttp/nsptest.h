/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a few people, and its address book over a socket. */
#ifndef GX_NSPTEST_H
#define GX_NSPTEST_H
#include <gx/abkt.h>
#include <gx/proptag.h>
#include "libgxproto/mapihttp/mhtest.h"

#define MEMBER_OF GX_PROP_TAG(0x8008, PtypObject)

static struct gx_stat st;
static uint32_t mids[8]; /* by name: ann, bob, carl, list, room */
enum { ANN, BOB, CARL, LIST, ROOM };

static inline void add_user(const char *name, const char *display, int32_t type, int32_t hidden)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	uint32_t id;
	n.username = gx_arena_printf(et_a, "%s@example.org", name);
	n.display_name = display;
	ck_assert_int_eq(gx_dir_add_user(et_people, &n, &id), 0);
	ck_assert_int_eq(gx_dir_put_prop(et_people, n.username, PidTagDisplayTypeEx, &(union gx_value){.i32 = type}), 0);
	if (hidden != 0)
		ck_assert_int_eq(gx_dir_put_prop(et_people, n.username, 0x10f40003, &(union gx_value){.i32 = hidden}), 0);
}

static inline void name_user(const char *address, const char *name)
{
	ck_assert_int_eq(gx_dir_put_prop(et_people, address, PidTagDisplayName, &(union gx_value){.str = name}), 0);
}

static inline uint32_t mid_of(const char *dn)
{
	const struct gx_mh_dn_to_m_id_req q = {.has_names = true, .name_values = &dn, .name_values_count = 1};
	struct gx_mh_dn_to_m_id_res r;
	ck_assert_int_eq(call("DNToMId", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	return r.minimal_ids[0];
}

static inline const char *dn_of(const char *address)
{
	struct gx_user u;
	ck_assert_int_eq(gx_dir_user(et_people, address, et_a, &u), 0);
	return gx_dn_of_user(et_a, "o", &u);
}

static inline void do_bind(void)
{
	const struct gx_mh_bind_req q = {.state = &st};
	struct gx_mh_bind_res r;
	ck_assert_int_eq(call("Bind", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_int_eq(gx_guid_cmp(&r.server_guid, gx_nsp_guid(nsp)), 0);
	ck_assert_uint_ne(strlen(cookies), 0);
}

/* In the order of names: Ann Älpler, Bob Baum, Carl Cohn (a contact), Everybody (a list), Room 1; Zack is hidden. */
static inline void book(void)
{
	struct gx_user_new n = GX_USER_NEW_INIT;
	uint32_t id;
	setup();
	path = "/mapi/nspi";
	et_x.px = GX_PX_AB(et_a, 1252);
	st = (struct gx_stat){.code_page = 1252, .template_locale = 0x407, .sort_locale = 0x409};
	name_user("ann@example.org", "Ann \xc3\x84lpler");
	name_user("bob@example.org", "Bob Baum");
	ck_assert_int_eq(gx_dir_put_prop(et_people, "bob@example.org", PidTagOfficeLocation, &(union gx_value){.str = "B\xc3\xbcro 7"}), 0);
	n.username = "carl@example.org";
	n.display_name = "Carl Cohn";
	n.status = GX_USER_CONTACT;
	ck_assert_int_eq(gx_dir_add_user(et_people, &n, &id), 0);
	ck_assert_int_eq(gx_dir_put_prop(et_people, "carl@example.org", PidTagSmtpAddress, &(union gx_value){.str = "cc@elsewhere.org"}), 0);
	ck_assert_int_eq(gx_dir_add_list(et_people, "list@example.org", GX_LIST_NORMAL, 0, "Everybody"), 0);
	ck_assert_int_eq(gx_dir_add_member(et_people, "list@example.org", "bob@example.org"), 0);
	ck_assert_int_eq(gx_dir_add_member(et_people, "list@example.org", "x@elsewhere.org"), 0);
	ck_assert_int_eq(gx_dir_add_alias(et_people, "info@example.org", "ann@example.org"), 0);
	add_user("room1", "Room 1", 7, 0);
	add_user("zack", "Zack", 0, 15);
	/* somebody of another domain, whom nobody here sees */
	ck_assert_int_eq(gx_dir_add_domain(et_people, "other.org", "", 0, &id), 0);
	n = (struct gx_user_new)GX_USER_NEW_INIT;
	n.username = "aaa@other.org";
	ck_assert_int_eq(gx_dir_add_user(et_people, &n, &id), 0);
	do_bind();
	static const char *const names[] = {"ann", "bob", "carl", "list", "room1"};
	for (unsigned i = 0; i < 5; ++i)
		mids[i] = mid_of(dn_of(gx_arena_printf(et_a, "%s@example.org", names[i])));
}

static inline struct gx_mh_query_rows_res query(uint32_t n, const gx_proptag_t *cols, uint32_t ncols)
{
	const struct gx_mh_query_rows_req q = {.state = &st, .row_count = n, .has_columns = cols != NULL, .columns = cols, .columns_count = ncols};
	struct gx_mh_query_rows_res r;
	ck_assert_int_eq(call("QueryRows", &q, &r).code, 0);
	return r;
}

static inline struct gx_mh_update_stat_res update(uint32_t rec, int32_t delta)
{
	struct gx_mh_update_stat_res r;
	st.current_rec = rec;
	st.delta = delta;
	ck_assert_int_eq(call("UpdateStat", &(struct gx_mh_update_stat_req){.state = &st, .delta_requested = true}, &r).code, 0);
	return r;
}

static inline struct gx_mh_seek_entries_res seek(gx_proptag_t tag, const char *s, const uint32_t *table, uint32_t n)
{
	static const gx_proptag_t cols[] = {PidTagDisplayName};
	const struct gx_propval target = {tag, {.str = s}};
	const struct gx_mh_seek_entries_req q = {.state = &st, .target = &target, .has_explicit_table = table != NULL, .explicit_table = table,
		.explicit_table_count = n, .has_columns = true, .columns = cols, .columns_count = 1};
	struct gx_mh_seek_entries_res r;
	ck_assert_int_eq(call("SeekEntries", &q, &r).code, 0);
	return r;
}

static inline struct gx_mh_get_matches_res match(const struct gx_restr *f, uint32_t most)
{
	static const gx_proptag_t cols[] = {PidTagDisplayName, PidTagEntryId};
	const struct gx_mh_get_matches_req q = {.state = &st, .filter = f, .row_count = most, .has_columns = true, .columns = cols, .columns_count = 2};
	struct gx_mh_get_matches_res r;
	ck_assert_int_eq(call("GetMatches", &q, &r).code, 0);
	return r;
}

#define ANR(s) {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagAnr, {PidTagAnr, {.str = (s)}}}}

static inline bool has(const gx_proptag_t *v, uint32_t n, gx_proptag_t tag)
{
	for (uint32_t i = 0; i < n; ++i)
		if (v[i] == tag)
			return true;
	return false;
}

static inline struct gx_mh_get_props_res props(uint32_t mid, const gx_proptag_t *tags, uint32_t n)
{
	struct gx_mh_get_props_req q = {.flags = 1, .state = &st, .has_property_tags = tags != NULL, .property_tags = tags, .property_tags_count = n};
	struct gx_mh_get_props_res r;
	st.current_rec = mid;
	ck_assert_int_eq(call("GetProps", &q, &r).code, 0);
	return r;
}

static inline uint32_t resolve(const char *name, const char **ret_who)
{
	static const gx_proptag_t cols[] = {PidTagSmtpAddress};
	const struct gx_mh_resolve_names_req q = {.state = &st, .has_property_tags = true, .property_tags = cols, .property_tags_count = 1,
		.has_names = true, .name_values = &name, .name_values_count = 1};
	struct gx_mh_resolve_names_res r;
	ck_assert_int_eq(call("ResolveNames", &q, &r).code, 0);
	ck_assert_uint_eq(r.error_code, 0);
	ck_assert_uint_eq(r.minimal_ids_count, 1);
	*ret_who = r.rows.count == 1 ? r.rows.v[0].v[0].v.str : "";
	return r.minimal_ids[0];
}

static inline uint32_t modify(uint32_t mid, const gx_proptag_t *remove, uint32_t n, const struct gx_propval *set)
{
	const struct gx_ab_values v = {set, 1};
	const struct gx_mh_mod_props_req q = {.state = &st, .has_property_tags = remove != NULL, .property_tags_to_remove = remove,
		.property_tags_to_remove_count = n, .property_values = set == NULL ? NULL : &v};
	struct gx_mh_mod_props_res r;
	st.current_rec = mid;
	ck_assert_int_eq(call("ModProps", &q, &r).code, 0);
	return r.error_code;
}

static inline uint32_t change_links(uint32_t flags, gx_proptag_t tag, uint32_t mid, const char *address)
{
	struct gx_bin eid;
	ck_assert_int_eq(gx_entryid_addressbook(et_a, 0, dn_of(address), &eid), 0);
	const struct gx_mh_mod_link_att_req q = {.flags = flags, .property_tag = tag, .minimal_id = mid, .has_entry_ids = true, .entry_ids = &eid,
		.entry_ids_count = 1};
	struct gx_mh_mod_link_att_res r;
	ck_assert_int_eq(call("ModLinkAtt", &q, &r).code, 0);
	return r.error_code;
}

static inline void put_template(const char *name)
{
	static const struct gx_abkt_control v[] = {{.type = GX_DTCT_PAGE, .text = "\xc3\x9c" "bersicht"}, {.type = GX_DTCT_EDIT, .tag = 0x3a00001e, .text = "*"}};
	const struct gx_abkt t = {1, v, 2};
	struct gx_bin b;
	ck_assert_int_eq(gx_abkt_write(et_a, &t, 1200, false, &b), 0);
	FILE *f = fopen(gx_arena_printf(et_a, "%s/%s", templates, name), "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
	fclose(f);
}

#endif
