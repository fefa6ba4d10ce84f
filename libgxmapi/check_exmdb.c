/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of exmdb calls, byte by byte: samples written by hand from the tables of the protocol. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/entryid.h>
#include <gx/exmdb-frame.h>

static struct gx_arena *a;
static struct gx_dctx x;

static void setup(void)
{
	a = gx_arena_new(0);
	x = (struct gx_dctx){.px = GX_PX_EXT(a)};
}

static void teardown(void)
{
	gx_arena_free(a);
}

/* "0a 'text' 00" to bytes: hexadecimal pairs, and text between quotes. */
static struct gx_bin bytes(const char *s)
{
	uint8_t *p = gx_arena_alloc(a, strlen(s) + 1);
	size_t n = 0;
	while (*s != '\0') {
		if (*s == '\'') {
			for (++s; *s != '\''; ++s)
				p[n++] = (uint8_t)*s;
			++s;
		} else if (*s == ' ' || *s == '\n') {
			++s;
		} else {
			char pair[3] = {s[0], s[1], 0};
			p[n++] = (uint8_t)strtoul(pair, NULL, 16);
			s += 2;
		}
	}
	return (struct gx_bin){p, n};
}

/* The sample is read, gives @want when written again, and what was read equals what is expected. */
static void *request(uint8_t call, const char *sample, const void *expect)
{
	struct gx_bin in = bytes(sample), body;
	uint8_t *exact = gxtest_exact(in.data, in.len);
	struct gx_xrequest r;
	struct gx_push out = GX_PUSH_INIT;
	size_t used;
	ck_assert_int_eq(gx_xframe_split(exact, in.len, 1 << 20, &body, &used), 1);
	ck_assert_uint_eq(used, in.len);
	ck_assert_int_eq(gx_xframe_pull_request(body, a, &r), 0);
	ck_assert_str_eq(r.dir, "/d");
	ck_assert_uint_eq(r.call->number, call);
	if (expect != NULL)
		ck_assert(gx_desc_equal(&x, r.call->req, r.req, expect));
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", call, expect != NULL ? expect : r.req), 0);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.data, in.data, in.len);
	for (size_t n = 0; n < body.len; ++n) {
		struct gx_xrequest cut;
		ck_assert_int_ne(gx_xframe_pull_request((struct gx_bin){body.data, n}, a, &cut), 0);
	}
	gx_push_release(&out);
	/* r.req borrows from the block, which ends here: hand out a copy read from memory that stays */
	free(exact);
	ck_assert_int_eq(gx_xframe_pull_request((struct gx_bin){in.data + 4, in.len - 4}, a, &r), 0);
	return r.req;
}

static void answer(uint8_t call, const char *sample, const void *expect)
{
	const struct gx_call_desc *d = gx_exmdb_call_desc(call);
	struct gx_bin in = bytes(sample), body;
	struct gx_push out = GX_PUSH_INIT;
	uint8_t code;
	size_t used;
	void *got = d->ans == NULL ? NULL : gx_arena_alloc(a, d->ans->size);
	for (size_t n = 0; n < in.len; ++n)
		ck_assert_int_eq(gx_xframe_split_answer(in.data, n, 1 << 20, &code, &body, &used), 0);
	ck_assert_int_eq(gx_xframe_split_answer(in.data, in.len, 1 << 20, &code, &body, &used), 1);
	ck_assert_uint_eq(used, in.len);
	ck_assert_uint_eq(code, 0);
	ck_assert_int_eq(gx_xframe_pull_answer(body, a, d, got), 0);
	if (d->ans != NULL)
		ck_assert(gx_desc_equal(&x, d->ans, got, expect));
	ck_assert_int_eq(gx_xframe_push_answer(&out, a, d, expect), 0);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.data, in.data, in.len);
	gx_push_release(&out);
}

START_TEST(handshake)
{
	struct gx_x_connect_req c = {.remote_id = "12:ab", .is_private = true};
	request(GX_X_CONNECT, "0b 00 00 00  00 '/d' 00  '12:ab' 00 01", &c);
	struct gx_x_listen_notification_req l = {.remote_id = "1"};
	request(GX_X_LISTEN_NOTIFICATION, "06 00 00 00  01 '/d' 00  '1' 00", &l);
	answer(GX_X_CONNECT, "00  00 00 00 00", NULL);
	request(GX_X_PING_STORE, "04 00 00 00  02 '/d' 00", NULL);
	struct gx_push p = GX_PUSH_INIT;
	gx_xframe_push_ping(&p);
	ck_assert_uint_eq(p.len, 4);
	ck_assert_mem_eq(p.data, "\0\0\0\0", 4);
	gx_push_release(&p);
}
END_TEST

START_TEST(names)
{
	static const struct gx_guid set = {0x11223344, 0x5566, 0x7788, {1, 2, 3, 4, 5, 6, 7, 8}};
	struct gx_propname v[] = {{.set = set, .lid = 0x8501}, {.set = set, .by_name = true, .name = "abc"}, {.by_name = false}};
	struct gx_x_get_named_propids_req q = {.create = true, .names = v, .names_count = 2};
	request(GX_X_GET_NAMED_PROPIDS, "32 00 00 00  04 '/d' 00  01  02 00"
		"00  44 33 22 11 66 55 88 77 01 02 03 04 05 06 07 08  01 85 00 00"
		"01  44 33 22 11 66 55 88 77 01 02 03 04 05 06 07 08  04 'abc' 00", &q);
	uint16_t ids[] = {0x8001, 0};
	struct gx_x_get_named_propids_ans ids_ans = {.ids = ids, .ids_count = 2};
	answer(GX_X_GET_NAMED_PROPIDS, "00  06 00 00 00  02 00  01 80  00 00", &ids_ans);
	struct gx_x_get_named_propnames_ans names_ans = {.names = &v[1], .names_count = 2};
	answer(GX_X_GET_NAMED_PROPNAMES, "00  29 00 00 00  02 00"
		"01  44 33 22 11 66 55 88 77 01 02 03 04 05 06 07 08  04 'abc' 00"
		"ff  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", &names_ans);
	/* a size byte holds 255 with the zero, no more */
	char name[256];
	struct gx_push out = GX_PUSH_INIT;
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	v[0] = (struct gx_propname){.set = set, .by_name = true, .name = name};
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_GET_NAMED_PROPIDS, &q), GX_E_RANGE);
	ck_assert_uint_eq(out.len, 0);
	name[254] = '\0';
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_GET_NAMED_PROPIDS, &q), 0);
	gx_push_release(&out);
	/* bytes between the zero and the size are skipped; an unknown kind is an error */
	struct gx_xrequest r;
	struct gx_bin b = bytes("04 '/d' 00 00 01 00 01 44 33 22 11 66 55 88 77 01 02 03 04 05 06 07 08 06 'abc' 00 'xy'");
	ck_assert_int_eq(gx_xframe_pull_request(b, a, &r), 0);
	ck_assert_str_eq(((struct gx_x_get_named_propids_req *)r.req)->names[0].name, "abc");
	b = bytes("04 '/d' 00 00 01 00 02 44 33 22 11 66 55 88 77 01 02 03 04 05 06 07 08 06 'abc' 00 'xy'");
	ck_assert_int_eq(gx_xframe_pull_request(b, a, &r), GX_E_FORMAT);
	b = bytes("04 '/d' 00 00 01 00 01 44 33 22 11 66 55 88 77 01 02 03 04 05 06 07 08 03 'abc' 00");
	ck_assert_int_ne(gx_xframe_pull_request(b, a, &r), 0);
}
END_TEST

START_TEST(properties)
{
	/* strings are UTF-8 with a zero whatever their type says; binaries and multi-values count in 32 bits */
	static const union gx_value longs[] = {{.i32 = 1}, {.i32 = 2}};
	struct gx_propval v[] = {
		{PidTagDisplayName, {.str = "\xc3\xa4"}},
		{PidTagMessageFlags, {.i32 = 9}},
		{PidTagEntryId, {.bin = {(const uint8_t *)"\1\2\3", 3}}},
		{0x67011003, {.mv = {longs, 2}}},
		{0x0e0a000b, {.b = true}},
		{PidTagCreationTime, {.time = 0x0102030405060708}},
	};
	struct gx_x_set_store_properties_req q = {.cpid = 1252, .props = {v, 6, 6}};
	request(GX_X_SET_STORE_PROPERTIES, "45 00 00 00  0a '/d' 00  e4 04 00 00  06 00"
		"1f 00 01 30 c3 a4 00   03 00 07 0e 09 00 00 00   02 01 ff 0f 03 00 00 00 01 02 03"
		"03 10 01 67 02 00 00 00 01 00 00 00 02 00 00 00   0b 00 0a 0e 01   40 00 07 30 08 07 06 05 04 03 02 01", &q);
	struct gx_x_problem p = {1, PidTagMessageFlags, 0x8004010f};
	struct gx_x_set_store_properties_ans ans = {.problems = &p, .problems_count = 1};
	answer(GX_X_SET_STORE_PROPERTIES, "00 0c 00 00 00  01 00  01 00  03 00 07 0e  0f 01 04 80", &ans);
}
END_TEST

START_TEST(tables)
{
	static const struct gx_restr leaf[] = {
		{.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = "s"}}}},
		{.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}},
	};
	static const struct gx_restr both = {.type = RES_AND, .u.list = {leaf, 2}};
	static const struct gx_sort by[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}};
	static const struct gx_sortset sorts = {by, 1, 0, 0};
	struct gx_x_load_content_table_req q = {.cpid = 0, .folder_id = gx_eid_make(1, 0x0d), .username = "u", .table_flags = 2,
		.restriction = &both, .sorts = &sorts};
	request(GX_X_LOAD_CONTENT_TABLE, "3f 00 00 00  28 '/d' 00  00 00 00 00  01 00 00 00 00 00 00 0d  01 'u' 00  02"
		"01  00 02 00 00 00   03 01 00 01 00 1f 00 37 00 1f 00 37 00 's' 00   06 00 03 00 07 0e 01 00 00 00"
		"01  01 00 00 00 00 00  40 00 06 0e 01", &q);
	q.username = NULL;
	q.restriction = NULL;
	q.sorts = NULL;
	request(GX_X_LOAD_CONTENT_TABLE, "14 00 00 00  28 '/d' 00  00 00 00 00  01 00 00 00 00 00 00 0d  00 02 00 00", &q);
	struct gx_x_load_content_table_ans ans = {5, 0x100};
	answer(GX_X_LOAD_CONTENT_TABLE, "00 08 00 00 00  05 00 00 00  00 01 00 00", &ans);
	struct gx_propval v[] = {{PidTagSubject, {.str = "b"}}};
	struct gx_proplist rows[] = {{v, 1, 1}, {NULL, 0, 0}};
	struct gx_x_query_table_ans rows_ans = {rows, 2};
	answer(GX_X_QUERY_TABLE, "00 0e 00 00 00  02 00 00 00  01 00 1f 00 37 00 'b' 00  00 00", &rows_ans);
	gx_proptag_t tags[] = {PidTagSubject};
	struct gx_x_query_table_req query = {.table_id = 5, .tags = tags, .tags_count = 1, .start_pos = 7, .row_needed = -3};
	request(GX_X_QUERY_TABLE, "1b 00 00 00  2d '/d' 00  00  00 00 00 00  05 00 00 00  01 00 1f 00 37 00  07 00 00 00  fd ff ff ff", &query);
}
END_TEST

START_TEST(messages)
{
	struct gx_propval subject = {PidTagSubject, {.str = "s"}}, inner_subject = {PidTagSubject, {.str = "i"}};
	struct gx_propval row = {PidTagRowid, {.i32 = 0}}, method = {PidTagAttachMethod, {.i32 = 5}};
	struct gx_msgobj inner = {.props = {&inner_subject, 1, 1}};
	struct gx_proplist rcpt = {&row, 1, 1};
	struct gx_attach atts[] = {{.props = {&method, 1, 1}, .embedded = &inner}, {.props = {0}}};
	struct gx_x_write_message_req q = {.cpid = 65001, .folder_id = gx_eid_make(1, 0x010203), .digest = "",
		.content = {.props = {&subject, 1, 1}, .rcpts = &rcpt, .rcpt_count = 1, .atts = atts, .att_count = 2}};
	struct gx_x_write_message_req *back = request(GX_X_WRITE_MESSAGE, "43 00 00 00  92 '/d' 00  e9 fd 00 00  01 00 00 00 00 01 02 03"
		"01 00 1f 00 37 00 's' 00"
		"01  01 00 00 00  01 00 03 00 00 30 00 00 00 00"
		"01  02 00  01 00 03 00 05 37 05 00 00 00  01  01 00 1f 00 37 00 'i' 00  00 00   00 00 00"
		"00", &q);
	ck_assert_ptr_null(back->content.atts[0].embedded->rcpts);
	ck_assert_ptr_null(back->content.atts[0].embedded->atts);
	ck_assert_ptr_null(back->content.atts[1].embedded);
	/* there but empty is not the same as not there */
	q.content = (struct gx_msgobj){.props = {&subject, 1, 1}, .rcpts = &rcpt, .atts = atts};
	back = request(GX_X_WRITE_MESSAGE, "21 00 00 00  92 '/d' 00  e9 fd 00 00  01 00 00 00 00 01 02 03"
		"01 00 1f 00 37 00 's' 00  01 00 00 00 00  01 00 00  00", &q);
	ck_assert_ptr_nonnull(back->content.rcpts);
	ck_assert_ptr_nonnull(back->content.atts);
	/* nothing that has no form may get lost on the way */
	struct gx_push out = GX_PUSH_INIT;
	q.content.named_count = 1;
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_WRITE_MESSAGE, &q), GX_E_INVAL);
	q.content.named_count = 0;
	q.content.slices[0].tag = PidTagBody;
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_WRITE_MESSAGE, &q), GX_E_INVAL);
	gx_push_release(&out);
}
END_TEST

START_TEST(nesting_has_a_limit)
{
	struct gx_msgobj m[80] = {0};
	struct gx_attach at[80] = {0};
	struct gx_x_write_message_req q = {.digest = ""};
	struct gx_push out = GX_PUSH_INIT;
	for (size_t i = 0; i + 1 < 80; ++i) {
		m[i].atts = &at[i];
		m[i].att_count = 1;
		at[i].embedded = &m[i + 1];
	}
	q.content = m[0];
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_WRITE_MESSAGE, &q), GX_E_DEPTH);
	q.content = m[80 - 20];
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_WRITE_MESSAGE, &q), 0);
	gx_push_release(&out);
	/* nested by a thousand on the wire */
	gx_push_u8(&out, GX_X_WRITE_MESSAGE);
	gx_push_bytes(&out, "/d\0" "\0\0\0\0" "\0\0\0\0\0\0\0\0", 15);
	for (int i = 0; i < 1000; ++i)
		gx_push_bytes(&out, "\0\0" "\0" "\1" "\1\0" "\0\0" "\1", 9);
	struct gx_xrequest r;
	ck_assert_int_eq(gx_xframe_pull_request((struct gx_bin){out.data, out.len}, a, &r), GX_E_DEPTH);
	gx_push_release(&out);
}
END_TEST

START_TEST(permissions_and_search)
{
	struct gx_propval rights = {PidTagMemberRights, {.i32 = 0x401}};
	struct gx_x_row_change c = {GX_X_ROW_MODIFY, {&rights, 1, 1}};
	struct gx_x_update_folder_permission_req q = {.folder_id = gx_eid_make(1, 1), .freebusy = true, .changes = &c, .changes_count = 1};
	request(GX_X_UPDATE_FOLDER_PERMISSION, "1a 00 00 00  6a '/d' 00  01 00 00 00 00 00 00 01  01  01 00  02  01 00 03 00 73 66 01 04 00 00", &q);
	uint64_t fids[] = {gx_eid_make(1, 13)};
	static const struct gx_restr exist = {.type = RES_EXIST, .u.exist = {PidTagSubject}};
	struct gx_x_get_search_criteria_ans s = {.search_status = 1, .restriction = &exist, .folder_ids = fids, .folder_ids_count = 1};
	answer(GX_X_GET_SEARCH_CRITERIA, "00 16 00 00 00  01 00 00 00  01  08 1f 00 37 00  01 00 00 00  01 00 00 00 00 00 00 0d", &s);
	/* always minus one where it is ignored, whatever stood there when read */
	uint64_t mids[] = {gx_eid_make(1, 0x0102)};
	struct gx_x_delete_messages_req d = {.cpid = 1, .username = NULL, .folder_id = fids[0], .message_ids = mids, .message_ids_count = 1, .hard = true};
	request(GX_X_DELETE_MESSAGES, "22 00 00 00  23 '/d' 00  ff ff ff ff  01 00 00 00  00  01 00 00 00 00 00 00 0d  01 00 00 00  01 00 00 00 00 00 01 02  01", &d);
	struct gx_xrequest r;
	ck_assert_int_eq(gx_xframe_pull_request(bytes("23 '/d' 00  07 00 00 00  01 00 00 00  00  01 00 00 00 00 00 00 0d  00 00 00 00  00"), a, &r), 0);
	ck_assert(!((struct gx_x_delete_messages_req *)r.req)->hard);
}
END_TEST

START_TEST(synchronisation)
{
	struct gx_bin set = {(const uint8_t *)"\1\0\0", 3};
	struct gx_x_get_content_sync_req q = {.folder_id = gx_eid_make(1, 13), .given = set, .seen = &set, .ordered = true};
	request(GX_X_GET_CONTENT_SYNC, "24 00 00 00  70 '/d' 00  01 00 00 00 00 00 00 0d  00  03 00 00 00 01 00 00  01 03 00 00 00 01 00 00"
		"00  00  00 00 00 00  00  01", &q);
	uint64_t id = gx_eid_make(1, 5);
	struct gx_x_get_content_sync_ans ans = {.fai_count = 1, .fai_total = 2, .normal_count = 3, .normal_total = 4, .changed = &id,
		.changed_count = 1, .last_cn = id, .last_readcn = id};
	answer(GX_X_GET_CONTENT_SYNC, "00 4c 00 00 00  01 00 00 00  02 00 00 00 00 00 00 00  03 00 00 00  04 00 00 00 00 00 00 00"
		"00 00 00 00  01 00 00 00 01 00 00 00 00 00 00 05  01 00 00 00 00 00 00 05"
		"00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  01 00 00 00 00 00 00 05", &ans);
}
END_TEST

static void actions(const char *sample, uint8_t type)
{
	struct gx_bin in = bytes(sample), out;
	struct gx_x_actions v;
	const struct gx_desc *d = gx_exmdb_desc(GX_EXMDB_X_ACTIONS);
	ck_assert_int_eq(gx_desc_decode(&x, d, in.data, in.len, &v), 0);
	ck_assert_uint_eq(v.blocks[0].action.type, type);
	ck_assert_int_eq(gx_desc_encode(&x, d, &v, &out), 0);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.data, in.data, in.len);
	/* as the value of a property: the same bytes */
	struct gx_propval pv = {PidTagRuleActions, {.bin = in}};
	struct gx_x_row_change c = {GX_X_ROW_ADD, {&pv, 1, 1}};
	struct gx_push p = GX_PUSH_INIT;
	gx_desc_push(&p, &x, gx_exmdb_desc(GX_EXMDB_X_ROW_CHANGE), &c);
	ck_assert_int_eq(p.err, 0);
	ck_assert_uint_eq(p.len, 1 + 2 + 4 + in.len);
	ck_assert_mem_eq(p.data + 7, in.data, in.len);
	gx_push_release(&p);
}

START_TEST(rule_actions)
{
	actions("01 00  09 00  0a 00 00 00 00 00 00 00 00", GX_X_OP_DELETE);
	actions("01 00  0d 00  06 00 00 00 00 00 00 00 00  0d 00 00 00", GX_X_OP_BOUNCE);
	actions("01 00  0c 00  05 00 00 00 00 00 00 00 00  'abc'", GX_X_OP_DEFER);
	actions("01 00  10 00  09 00 00 00 00 00 00 00 00  1f 00 37 00 't' 'g' 00", GX_X_OP_TAG);
	actions("01 00  29 00  03 00 00 00 00 00 00 00 00  01 00 00 00 00 00 00 0d  01 00 00 00 00 00 00 0e"
		"00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f", GX_X_OP_REPLY);
	actions("02 00  14 00  07 00 00 00 00 00 00 00 00  01 00  00  01 00  1f 00 01 30 'r' 00"
		"09 00  0b 00 00 00 00 00 00 00 00", GX_X_OP_FORWARD);
	actions("01 00  24 00  01 00 00 00 00 00 00 00 00  01  01 00 00  15 00 01 01 00 00 00 00 00 00 0d 00 00 00 00 00 00 00 00 00 00 00 00", GX_X_OP_MOVE);
	actions("01 00  56 00  02 00 00 00 00 00 00 00 00  00"
		"40 00  00 00 00 00  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  00 00 'emsmdb.dll' 00 00 00 00"
		"00 00 00 00  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  0c 00 00 00  's' 00 'd' 00"
		"06 00 00 00  01 02 03 04 05 06", GX_X_OP_COPY);
	struct gx_x_actions v;
	const struct gx_desc *d = gx_exmdb_desc(GX_EXMDB_X_ACTIONS);
	static const char *const bad[] = {
		"00 00", "01 00  09 00  0c 00 00 00 00 00 00 00 00", "01 00  0a 00  0a 00 00 00 00 00 00 00 00 00",
		"01 00  08 00  0a 00 00 00 00 00 00 00", "02 00  09 00  0a 00 00 00 00 00 00 00 00",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		struct gx_bin in = bytes(bad[i]);
		ck_assert_int_ne(gx_desc_decode(&x, d, in.data, in.len, &v), 0);
	}
}
END_TEST

START_TEST(notifications)
{
	uint32_t ids[] = {7};
	gx_proptag_t tags[] = {PidTagSubject};
	struct gx_x_notification n = {.dir = "/d", .ids = ids, .ids_count = 1, .event = GX_X_EV_MESSAGE_MODIFIED, .folder_id = 13,
		.message_id = 0x10000, .total = 2, .have_total = 1, .message_class = "IPM.Note", .changed = tags, .changed_count = 1}, back;
	struct gx_bin in = bytes("8a 00 00 00  '/d' 00  00  01 00 00 00 07 00 00 00  09"
		"00 00 00 00 00 00 00 00  0d 00 00 00 00 00 00 00  00 00 01 00 00 00 00 00"
		"00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00"
		"00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00"
		"00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00"
		"00 00 00 00  02 00 00 00  00 00 00 00  01 00  'IPM.Note' 00  01 00 1f 00 37 00");
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_xframe_push_event(&out, a, &n), 0);
	ck_assert_uint_eq(out.len, in.len);
	ck_assert_mem_eq(out.data, in.data, in.len);
	ck_assert_int_eq(gx_xframe_pull_event((struct gx_bin){in.data + 4, in.len - 4}, a, &back), 0);
	ck_assert(gx_desc_equal(&x, gx_exmdb_desc(GX_EXMDB_X_NOTIFICATION), &n, &back));
	ck_assert_int_ne(gx_xframe_pull_event((struct gx_bin){in.data + 4, in.len - 5}, a, &back), 0);
	gx_push_clear(&out);
	n.ids_count = GX_XFRAME_EVENT_MAX / 4;
	n.ids = gx_arena_new_array(a, uint32_t, n.ids_count);
	ck_assert_int_eq(gx_xframe_push_event(&out, a, &n), GX_E_LIMIT);
	ck_assert_uint_eq(out.len, 0);
	gx_push_release(&out);
}
END_TEST

START_TEST(frames)
{
	struct gx_bin body;
	size_t used;
	uint8_t code;
	struct gx_xrequest r;
	ck_assert_int_eq(gx_xframe_split("\0\0\0", 3, 10, &body, &used), 0);
	ck_assert_uint_eq(used, 0);
	ck_assert_int_eq(gx_xframe_split("\0\0\0\0x", 5, 10, &body, &used), 1);
	ck_assert_uint_eq(used, 4);
	ck_assert_uint_eq(body.len, 0);
	ck_assert_int_eq(gx_xframe_split("\4\0\0\0x", 5, 10, &body, &used), 0);
	ck_assert_uint_eq(used, 8);
	ck_assert_int_eq(gx_xframe_split("\xb\0\0\0x", 5, 10, &body, &used), GX_E_LIMIT);
	ck_assert_int_eq(gx_xframe_split("\xff\xff\xff\xffx", 5, UINT32_MAX, &body, &used), 0);
	for (unsigned c = 1; c < 256; ++c) {
		uint8_t b = (uint8_t)c;
		ck_assert_int_eq(gx_xframe_split_answer(&b, 1, 10, &code, &body, &used), 1);
		ck_assert_uint_eq(code, c);
		ck_assert_uint_eq(used, 1);
	}
	ck_assert_int_eq(gx_xframe_split_answer("\0\xb\0\0\0", 5, 10, &code, &body, &used), GX_E_LIMIT);
	/* slashes behind a directory mean nothing */
	ck_assert_int_eq(gx_xframe_pull_request(bytes("02 '/a/b//' 00"), a, &r), 0);
	ck_assert_str_eq(r.dir, "/a/b");
	ck_assert_int_eq(gx_xframe_pull_request(bytes("02 '///' 00"), a, &r), 0);
	ck_assert_str_eq(r.dir, "");
	/* no call, a retired one, bytes left over, none at all */
	ck_assert_int_eq(gx_xframe_pull_request(bytes("99 '/a' 00"), a, &r), GX_E_UNSUP);
	ck_assert_str_eq(r.dir, "/a");
	ck_assert_ptr_null(r.call);
	ck_assert_int_eq(gx_xframe_pull_request(bytes("07 '/a' 00"), a, &r), GX_E_UNSUP);
	ck_assert_int_eq(gx_xframe_pull_request(bytes("02 '/a' 00 00"), a, &r), GX_E_FORMAT);
	ck_assert_int_eq(gx_xframe_pull_request(bytes("02 '/a'"), a, &r), GX_E_TRUNC);
	ck_assert_int_eq(gx_xframe_pull_request((struct gx_bin){0}, a, &r), GX_E_TRUNC);
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", 0x07, NULL), GX_E_UNSUP);
	ck_assert_int_eq(gx_xframe_push_request(&out, a, "/d", GX_X_CONNECT, NULL), GX_E_INVAL);
	gx_push_release(&out);
	ck_assert_str_eq(gx_xcode_name(GX_XC_DISPATCH_ERROR), "dispatch_error");
	ck_assert_str_eq(gx_xcode_name(0x77), "invalid");
	ck_assert_uint_gt(strlen(gx_xcode_text(0x77)), 10);
}
END_TEST

static Suite *exmdb_suite(void)
{
	Suite *s = suite_create("exmdb");
	TCase *t = tcase_create("exmdb");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, handshake);
	tcase_add_test(t, names);
	tcase_add_test(t, properties);
	tcase_add_test(t, tables);
	tcase_add_test(t, messages);
	tcase_add_test(t, nesting_has_a_limit);
	tcase_add_test(t, permissions_and_search);
	tcase_add_test(t, synchronisation);
	tcase_add_test(t, rule_actions);
	tcase_add_test(t, notifications);
	tcase_add_test(t, frames);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(exmdb_suite)
