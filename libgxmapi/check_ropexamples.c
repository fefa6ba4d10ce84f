/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of the specifications' examples: each is read, says what the example says, and becomes the same bytes again. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/entryid.h>
#include <gx/rop.h>

enum { MOST = 200 };

static const gx_proptag_t rule_columns[] = {PidTagRuleId, PidTagRuleProviderData, PidTagRuleName};
static const struct gx_columns rules = {rule_columns, 3};

static const struct example {
	const char *where;
	char kind;               /* 'q' request, 's' response */
	const char *bytes;
	const char *says[4];     /* parts of the printed form */
} examples[] = {
	{"[MS-OXCFOLD] 4.1.1", 'q', "1C 00 00 01 01 01 00 00 46 00 6F 00 6C 00 64 00 65 00 72 00 31 00 00 00 00 00", {"RopCreateFolder", "\"Folder1\"", "\"\""}},
	{"[MS-OXCFOLD] 4.1.2", 's', "1C 01 00 00 00 00 01 00 00 00 0E 91 52 12 00", {"RopCreateFolder"}},
	{"[MS-OXCFOLD] 4.2.1", 'q', "1D 00 01 05 01 00 00 00 0E 8E DF 36", {"RopDeleteFolder"}},
	{"[MS-OXCFOLD] 4.2.2", 's', "1D 01 00 00 00 00 00", {"RopDeleteFolder"}},
	{"[MS-OXCFOLD] 4.3.1", 'q', "1E 00 00 00 01 02 00 01 00 00 00 0E 8E F1 48 01 00 00 00 0E 8E C3 02", {"RopDeleteMessages"}},
	{"[MS-OXCFOLD] 4.3.2", 's', "1E 00 00 00 00 00 00", {"RopDeleteMessages"}},
	{"[MS-OXCFOLD] 4.4.1", 'q', "33 00 00 01 01 00 01 00 00 00 0E 8E EC 5D 00 00", {"RopMoveCopyMessages"}},
	{"[MS-OXCFOLD] 4.5.1", 'q', "35 00 01 02 01 01 01 00 00 00 0E 8E DF 36 46 00 6F 00 6C 00 64 00 65 00 72 00 31 00 00 00",
		{"RopMoveFolder", "\"Folder1\""}},
	{"[MS-OXCFOLD] 4.6.1", 'q', "36 00 00 01 01 01 01 01 00 00 00 0E 8E DF 36 46 00 6F 00 6C 00 64 00 65 00 72 00 31 00 00 00",
		{"RopCopyFolder", "\"Folder1\""}},
	{"[MS-OXCTABL] 4.1.1", 'q', "05 00 00 01 00", {"RopGetContentsTable"}},
	{"[MS-OXCTABL] 4.2.1", 'q', "12 00 01 00 06 00 14 00 48 67 14 00 4a 67 14 00 4d 67 03 00 4e 67 1f 00 37 00 40 00 06 0e",
		{"RopSetColumns", "0x67480014", "0x674d0014", "0xe060040"}},
	{"[MS-OXCTABL] 4.3.1", 'q', "13 00 00 00 02 00 01 00 01 00 1f 30 08 80 00 40 00 06 0e 01", {"RopSortTable", "PidTagMessageDeliveryTime"}},
	{"[MS-OXCTABL] 4.3.2", 's', "13 01 00 00 00 00 00", {"RopSortTable"}},
	{"[MS-OXCTABL] 4.5.3.1", 'q', "15 00 00 00 01 32 00", {"RopQueryRows", "0x32"}},
	{"[MS-OXORULE] 4.2.1", 'q', "3f 00 00 01 40", {"RopGetRulesTable"}},
	{"[MS-OXORULE] 4.2.1", 'q', "12 00 01 00 03 00 14 00 74 66 02 01 84 66 1f 00 82 66", {"RopSetColumns", "0x66740014", "0x66840102", "0x6682001f"}},
	{"[MS-OXORULE] 4.2.2", 's', "3f 01 00 00 00 00", {"RopGetRulesTable"}},
	{"[MS-OXORULE] 4.2.2", 's', "12 01 00 00 00 00 00", {"RopSetColumns"}},
	{"[MS-OXORULE] 4.2.2", 's', "15 01 00 00 00 00 02 01 00 00 01 00 00 00 01 3f f8 56 10 00 01 00 00 00 01 00 00 00 55 55 55 55 d1 44 e3 40 "
		"50 00 72 00 6f 00 6a 00 65 00 63 00 74 00 20 00 58 00 00 00", {"RopQueryRows", "\"Project X\""}},
	{"[MS-OXCPRPT] 4.1.2", 's', "56 00 00 00 00 00 02 00 3E 86 3F 86", {"RopGetPropertyIdsFromNames"}},
	{"[MS-OXCPRPT] 4.2.1", 'q', "0A 00 00 24 00 02 00 1F 00 3D 00 00 00 1F 00 1D 0E 48 00 65 00 6C 00 6C 00 6F 00 20 00 57 00 6F 00 72 00 6C 00 64 00 00 00",
		{"RopSetProperties", "PidTagSubjectPrefix", "PidTagNormalizedSubject", "\"Hello World\""}},
	{"[MS-OXCPRPT] 4.2.2", 's', "0A 00 00 00 00 00 00 00", {"RopSetProperties"}},
	{"[MS-OXCPRPT] 4.3.1", 'q', "07 00 00 00 00 01 00 03 00 0B 00 3E 86 03 00 3F 86 02 01 E2 65", {"RopGetPropertiesSpecific", "0x65e20102"}},
	{"[MS-OXCPRPT] 4.4.1.1", 'q', "2B 01 00 01 02 01 9A 0E 01", {"RopOpenStream", "0xe9a0102"}},
	{"[MS-OXCPERM] 4.1", 'q', "2B 00 01 02 1F 00 6A 0E 00", {"RopOpenStream", "0xe6a001f"}},
	{"[MS-OXCPERM] 4.1", 's', "2B 02 02 01 04 80", {"RopOpenStream", "0x80040102"}},
	{"[MS-OXCPERM] 4.1", 'q', "3E 00 00 01 02", {"RopGetPermissionsTable"}},
	{"[MS-OXOMSG] 4.6.1.2", 's', "47 00 00 00 00 00", {"RopSetSpooler"}},
	{"[MS-OXOMSG] 4.6.6.2", 's', "48 00 00 00 00 00", {"RopSpoolerLockMessage"}},
};

static size_t bytes_of(const char *hex, uint8_t *out)
{
	size_t n = 0;
	for (char *end; *hex != '\0'; hex = *end == ' ' ? end + 1 : end) {
		ck_assert_uint_lt(n, MOST);
		out[n++] = (uint8_t)strtoul(hex, &end, 16);
	}
	return n;
}

static void pull(char kind, struct gx_pull *c, const struct gx_dctx *x, struct gx_rop_request *q, struct gx_rop_response *s)
{
	if (kind == 'q') {
		gx_rop_pull_request_head(c, q);
		if (c->err == 0)
			gx_rop_pull_request_body(c, x, q);
	} else {
		gx_rop_pull_response_head(c, s);
		if (c->err == 0)
			gx_rop_pull_response_body(c, x, s);
	}
}

START_TEST(reads_and_writes)
{
	const struct example *e = &examples[_i];
	struct gx_arena *a = gx_arena_new(0);
	const struct gx_dctx x = {.px = GX_PX_ROP(a, 1252), .custom = &rules};
	struct gx_strbuf text = GX_STRBUF_INIT;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_rop_request q;
	struct gx_rop_response s;
	struct gx_pull c;
	uint8_t in[MOST];
	size_t n = bytes_of(e->bytes, in);
	gx_pull_init(&c, in, n);
	pull(e->kind, &c, &x, &q, &s);
	ck_assert_msg(c.err == 0 && c.left == 0, "%s: %s, %zu left", e->where, gx_strerror(c.err), c.left);
	if (e->kind == 'q') {
		gx_rop_print_request(&text, &x, &q);
		gx_rop_push_request(&out, &x, &q);
	} else {
		gx_rop_print_response(&text, &x, &s);
		gx_rop_push_response(&out, &x, &s);
	}
	for (unsigned i = 0; i < 4 && e->says[i] != NULL; ++i)
		ck_assert_msg(strstr(gx_strbuf_cstr(&text), e->says[i]) != NULL, "%s: no %s in %s", e->where, e->says[i], gx_strbuf_cstr(&text));
	ck_assert_msg(out.err == 0 && out.len == n && memcmp(out.data, in, n) == 0, "%s: %s", e->where, gx_strbuf_cstr(&text));
	gx_push_release(&out);
	/* what is cut off is missed */
	for (size_t less = 0; less < n; ++less) {
		gx_pull_init(&c, in, less);
		pull(e->kind, &c, &x, &q, &s);
		ck_assert_msg(c.err != 0, "%s: whole at %zu of %zu", e->where, less, n);
	}
	gx_strbuf_release(&text);
	gx_arena_free(a);
}
END_TEST

START_TEST(ids_are_those_of_the_example)
{
	static const uint8_t in[] = {0x1c, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0x0e, 0x91, 0x52, 0x12, 0};
	struct gx_arena *a = gx_arena_new(0);
	const struct gx_dctx x = {.px = GX_PX_ROP(a, 1252)};
	struct gx_rop_response s;
	struct gx_pull c;
	gx_pull_init(&c, in, sizeof(in));
	pull('s', &c, &x, NULL, &s);
	const struct gx_rop_create_folder_res *r = s.body;
	ck_assert_uint_eq(s.handle, 1);
	ck_assert_uint_eq(gx_eid_replica(r->folder_id), 1);
	ck_assert_uint_eq(gx_eid_counter(r->folder_id), 0x0e915212);
	gx_arena_free(a);
}
END_TEST

/* [MS-OXCROPS] 4.1 */
START_TEST(an_empty_buffer)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_rop_buffer b;
	ck_assert_int_eq(gx_rop_buffer_pull("\2\0", 2, a, &b), 0);
	ck_assert(b.rops.len == 0 && b.handle_count == 0);
	gx_rop_buffer_push(&out, &b);
	ck_assert_uint_eq(out.len, 2);
	ck_assert_mem_eq(out.data, "\2\0", 2);
	gx_push_release(&out);
	gx_arena_free(a);
}
END_TEST

static Suite *ropexamples_suite(void)
{
	Suite *suite = suite_create("ropexamples");
	TCase *t = tcase_create("ropexamples");
	tcase_add_loop_test(t, reads_and_writes, 0, (int)(sizeof(examples) / sizeof(examples[0])));
	tcase_add_test(t, ids_are_those_of_the_example);
	tcase_add_test(t, an_empty_buffer);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(ropexamples_suite)
