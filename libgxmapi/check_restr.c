/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/entryid.h>
#include <gx/restr.h>
#include "libgxmapi/proprand.h"

static struct gx_arena *a;
static struct gx_proplist row;

static void put(int err)
{
	ck_assert_int_eq(err, 0);
}

static void setup(void)
{
	static const union gx_value words[] = {{.str = "Red"}, {.str = "Green"}};
	static const union gx_value numbers[] = {{.i32 = 3}, {.i32 = 30}};
	a = gx_arena_new(0);
	row = (struct gx_proplist){0};
	put(gx_proplist_set_str(&row, a, PidTagSubject, "Meeting in M\xc3\xbcnchen"));
	put(gx_proplist_set_str(&row, a, PidTagNormalizedSubject, "meeting in m\xc3\xbcnchen"));
	put(gx_proplist_set_i32(&row, a, PidTagImportance, 2));
	put(gx_proplist_set_i32(&row, a, PidTagMessageFlags, 0x11));
	put(gx_proplist_set_bin(&row, a, PidTagSearchKey, "abcdef", 6));
	put(gx_proplist_set(&row, a, 0x8001101F, (union gx_value){.mv = {words, 2}}));
	put(gx_proplist_set(&row, a, 0x80021003, (union gx_value){.mv = {numbers, 2}}));
}

static void teardown(void)
{
	gx_arena_free(a);
}

static struct gx_restr content(gx_proptag_t tag, const char *s, uint16_t level, uint16_t flags)
{
	return (struct gx_restr){.type = RES_CONTENT, .u.content = {level, flags, tag,
		{GX_PROP_RETYPE(tag, PtypString), {.str = s}}}};
}

static struct gx_restr number(gx_proptag_t tag, uint8_t relop, int32_t n)
{
	return (struct gx_restr){.type = RES_PROPERTY, .u.prop = {relop, tag,
		{GX_PROP_RETYPE(tag, PtypInteger32), {.i32 = n}}}};
}

static struct gx_restr text(gx_proptag_t tag, uint8_t relop, const char *s)
{
	return (struct gx_restr){.type = RES_PROPERTY, .u.prop = {relop, tag,
		{GX_PROP_RETYPE(tag, PtypString), {.str = s}}}};
}

static int ev(struct gx_restr r)
{
	struct gx_propsrc src = gx_propsrc_list(&row);
	bool match;
	int err = gx_restr_eval(&r, &src, &match);
	return err != 0 ? err : match;
}

START_TEST(contents)
{
	static const struct {
		const char *s;
		uint16_t level, flags;
		int want;
	} cases[] = {
		{"Meeting in M\xc3\xbcnchen", FL_FULLSTRING, 0, 1},
		{"meeting in m\xc3\xbcnchen", FL_FULLSTRING, 0, 0},
		{"meeting in m\xc3\x9cNCHEN", FL_FULLSTRING, FL_IGNORECASE, 1},
		{"Meeting", FL_FULLSTRING, 0, 0},
		{"Meeting", FL_PREFIX, 0, 1},
		{"eeting", FL_PREFIX, 0, 0},
		{"MEET", FL_PREFIX, FL_IGNORECASE, 1},
		{"in M", FL_SUBSTRING, 0, 1},
		{"IN m", FL_SUBSTRING, 0, 0},
		{"IN m", FL_SUBSTRING, FL_IGNORECASE, 1},
		{"Munchen", FL_SUBSTRING, 0, 0},
		{"Munchen", FL_SUBSTRING, FL_IGNORENONSPACE, 1},
		{"mu\xcc\x88nchen", FL_SUBSTRING, FL_IGNORENONSPACE, 0},
		{"mu\xcc\x88nchen", FL_SUBSTRING, FL_IGNORENONSPACE | FL_IGNORECASE, 1},
		{"MUNCHEN", FL_SUBSTRING, FL_LOOSE, 1},
		{"M\xc3\xbcnchen in", FL_SUBSTRING, FL_LOOSE, 0},
		{"", FL_SUBSTRING, 0, 1},
		{"", FL_PREFIX, FL_LOOSE, 1},
		{"", FL_FULLSTRING, 0, 0},
		{"x", 3, 0, GX_E_INVAL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i)
		ck_assert_msg(ev(content(PidTagSubject, cases[i].s, cases[i].level, cases[i].flags)) == cases[i].want,
			"case %zu", i);
	ck_assert_int_eq(ev(content(PidTagBody, "", FL_SUBSTRING, 0)), 0); /* absent */
	ck_assert_int_eq(ev(content(0x8001101F, "gree", FL_PREFIX, FL_IGNORECASE)), 1); /* any element */
	ck_assert_int_eq(ev(content(0x8001101F, "blue", FL_PREFIX, FL_IGNORECASE)), 0);
	ck_assert_int_eq(ev(content(0x8001301F, "red", FL_FULLSTRING, FL_LOOSE)), 1);
	ck_assert_int_eq(ev(content(PidTagImportance, "2", FL_FULLSTRING, 0)), 0);
}
END_TEST

START_TEST(marks)
{
	/* the same answers with and without characters that force the slow way */
	ck_assert(gx_fuzzy_match("Hello World", "lo wo", FL_SUBSTRING, FL_LOOSE));
	ck_assert(!gx_fuzzy_match("Hello World", "lo wo", FL_SUBSTRING, FL_IGNORENONSPACE));
	ck_assert(gx_fuzzy_match("H\xc3\xa9llo W\xc3\xb6rld", "lo wo", FL_SUBSTRING, FL_LOOSE));
	ck_assert(gx_fuzzy_match("Hello", "h\xc3\xa9ll\xc3\xb6", FL_FULLSTRING, FL_LOOSE));
	ck_assert(gx_fuzzy_match("e\xcc\x81\xcc\x82", "\xc3\xa9", FL_FULLSTRING, FL_IGNORENONSPACE));
	ck_assert(!gx_fuzzy_match("e\xcc\x81", "e", FL_FULLSTRING, 0));
	ck_assert(gx_fuzzy_match("\xcc\x81", "", FL_FULLSTRING, FL_LOOSE)); /* nothing but a mark */
	ck_assert(!gx_fuzzy_match("", "a", FL_SUBSTRING, FL_LOOSE));
	char *long_marks = gx_arena_alloc(a, 200001);
	for (size_t i = 0; i < 200000; i += 2)
		memcpy(long_marks + i, "\xcc\x81", 2);
	long_marks[200000] = '\0';
	ck_assert(!gx_fuzzy_match(long_marks, "a", FL_SUBSTRING, FL_LOOSE)); /* in linear time */
}
END_TEST

START_TEST(binary_contents)
{
	static const struct {
		const char *s;
		uint16_t level;
		int want;
	} cases[] = {
		{"abcdef", FL_FULLSTRING, 1}, {"abcde", FL_FULLSTRING, 0}, {"abc", FL_PREFIX, 1}, {"bc", FL_PREFIX, 0},
		{"cde", FL_SUBSTRING, 1}, {"ce", FL_SUBSTRING, 0}, {"abcdefg", FL_SUBSTRING, 0}, {"", FL_SUBSTRING, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
		struct gx_restr r = {.type = RES_CONTENT, .u.content = {cases[i].level, 0, PidTagSearchKey,
			{PidTagSearchKey, {.bin = {(const uint8_t *)cases[i].s, strlen(cases[i].s)}}}}};
		ck_assert_msg(ev(r) == cases[i].want, "case %zu", i);
	}
}
END_TEST

START_TEST(property_comparisons)
{
	static const int want[][3] = { /* against 1, 2, 3: the property is 2 */
		[RELOP_LT] = {0, 0, 1}, [RELOP_LE] = {0, 1, 1}, [RELOP_GT] = {1, 0, 0},
		[RELOP_GE] = {1, 1, 0}, [RELOP_EQ] = {0, 1, 0}, [RELOP_NE] = {1, 0, 1},
	};
	for (uint8_t op = RELOP_LT; op <= RELOP_NE; ++op) {
		for (int32_t n = 1; n <= 3; ++n)
			ck_assert_int_eq(ev(number(PidTagImportance, op, n)), want[op][n - 1]);
		/* an absent property is different from everything and nothing else */
		ck_assert_int_eq(ev(number(PidTagPriority, op, 1)), op == RELOP_NE);
	}
	ck_assert_int_eq(ev(number(PidTagImportance, RELOP_RE, 2)), GX_E_UNSUP);
	ck_assert_int_eq(ev(number(PidTagImportance, 0x42, 2)), GX_E_INVAL);
	ck_assert_int_eq(ev(text(PidTagSubject, RELOP_EQ, "MEETING IN M\xc3\x9cNCHEN")), 1);
	ck_assert_int_eq(ev(text(PidTagSubject, RELOP_NE, "MEETING IN M\xc3\x9cNCHEN")), 0);
	ck_assert_int_eq(ev(text(PidTagImportance, RELOP_EQ, "2")), 0); /* types do not fit */
	ck_assert_int_eq(ev(number(0x80021003, RELOP_EQ, 30)), 1);
	ck_assert_int_eq(ev(number(0x80021003, RELOP_EQ, 5)), 0);
	ck_assert_int_eq(ev(number(0x80021003, RELOP_LT, 5)), 1);
	ck_assert_int_eq(ev(number(0x80023003, RELOP_GT, 30)), 0);
}
END_TEST

START_TEST(other_leaves)
{
	struct gx_restr r = {.type = RES_COMPAREPROPS, .u.cmp = {RELOP_EQ, PidTagSubject, PidTagNormalizedSubject}};
	ck_assert_int_eq(ev(r), 1);
	r.u.cmp.tag2 = PidTagBody;
	ck_assert_int_eq(ev(r), 0);
	r.u.cmp.relop = RELOP_NE;
	ck_assert_int_eq(ev(r), 1);
	r = (struct gx_restr){.type = RES_BITMASK, .u.bitmask = {BMR_NEZ, PidTagMessageFlags, 0x10}};
	ck_assert_int_eq(ev(r), 1);
	r.u.bitmask.mask = 0x20;
	ck_assert_int_eq(ev(r), 0);
	r.u.bitmask.relop = BMR_EQZ;
	ck_assert_int_eq(ev(r), 1);
	r.u.bitmask.tag = PidTagPriority;
	ck_assert_int_eq(ev(r), 1);
	r.u.bitmask.relop = 2;
	ck_assert_int_eq(ev(r), GX_E_INVAL);
	r = (struct gx_restr){.type = RES_SIZE, .u.size = {RELOP_EQ, PidTagSearchKey, 6}};
	ck_assert_int_eq(ev(r), 1);
	r.u.size.tag = PidTagSubject;
	r.u.size.size = sizeof("Meeting in M\xc3\xbcnchen");
	ck_assert_int_eq(ev(r), 1);
	r.u.size.tag = PidTagBody;
	ck_assert_int_eq(ev(r), 0);
	r = (struct gx_restr){.type = RES_EXIST, .u.exist = {PidTagSubject}};
	ck_assert_int_eq(ev(r), 1);
	r.u.exist.tag = PidTagBody;
	ck_assert_int_eq(ev(r), 0);
	r = (struct gx_restr){.type = RES_NULL};
	ck_assert_int_eq(ev(r), 1);
	r.type = 0x55;
	ck_assert_int_eq(ev(r), GX_E_INVAL);
}
END_TEST

START_TEST(combinations)
{
	struct gx_restr yes = {.type = RES_NULL}, no = {.type = RES_NOT, .u.not_ = {&yes}}, bad = {.type = 0x55};
	struct gx_restr v[3];
	for (int op = RES_AND; op <= RES_OR; ++op) {
		struct gx_restr r = {.type = (uint8_t)op, .u.list = {v, 0}};
		ck_assert_int_eq(ev(r), op == RES_AND); /* of nothing */
		r.u.list.count = 2;
		for (int bits = 0; bits < 4; ++bits) {
			v[0] = bits & 1 ? yes : no;
			v[1] = bits & 2 ? yes : no;
			ck_assert_int_eq(ev(r), op == RES_AND ? bits == 3 : bits != 0);
		}
		r.u.list.count = 3;
		v[0] = v[1] = op == RES_AND ? yes : no;
		v[2] = bad;
		ck_assert_int_eq(ev(r), GX_E_INVAL);
		v[0] = op == RES_AND ? no : yes; /* decided before the bad one */
		ck_assert_int_eq(ev(r), op == RES_OR);
	}
	struct gx_restr count = {.type = RES_COUNT, .u.count = {5, &no}};
	ck_assert_int_eq(ev(count), 0);
	ck_assert_uint_eq(gx_restr_limit(&count), 5);
	ck_assert_uint_eq(gx_restr_limit(&yes), UINT32_MAX);
	ck_assert_uint_eq(gx_restr_limit(NULL), UINT32_MAX);
	struct gx_restr comment = {.type = RES_COMMENT};
	ck_assert_int_eq(ev(comment), 1);
	comment.u.comment.sub = &no;
	ck_assert_int_eq(ev(comment), 0);
}
END_TEST

static int each_two(gx_proptag_t subobject, int (*cb)(const struct gx_propsrc *, void *), void *cb_ctx, void *ctx)
{
	struct gx_proplist *subs = ctx;
	if (subobject != PidTagMessageRecipients)
		return 0;
	for (int i = 0; i < 2; ++i) {
		struct gx_propsrc s = gx_propsrc_list(&subs[i]);
		int ret = cb(&s, cb_ctx);
		if (ret != 0)
			return ret;
	}
	return 0;
}

static int member(gx_proptag_t tag, const struct gx_bin *dl, void *ctx)
{
	return tag == PidTagSenderEntryId && dl->len == 2;
}

START_TEST(subobjects_and_members)
{
	struct gx_proplist subs[2] = {{0}};
	put(gx_proplist_set_i32(&subs[1], a, PidTagRecipientType, 2));
	struct gx_propsrc src = {.each = each_two, .member_of = member, .ctx = subs};
	struct gx_restr cc = number(PidTagRecipientType, RELOP_EQ, 2);
	struct gx_restr r = {.type = RES_SUBRESTRICTION, .u.sub = {PidTagMessageRecipients, &cc}};
	bool match;
	put(gx_restr_eval(&r, &src, &match));
	ck_assert(match);
	r.u.sub.subobject = PidTagMessageAttachments;
	put(gx_restr_eval(&r, &src, &match));
	ck_assert(!match);
	r.u.sub.subobject = PidTagMessageRecipients;
	cc.u.prop.val.v.i32 = 3;
	put(gx_restr_eval(&r, &src, &match));
	ck_assert(!match);
	cc.u.prop.relop = 0x42;
	ck_assert_int_eq(gx_restr_eval(&r, &src, &match), GX_E_INVAL);
	struct gx_restr dl = {.type = RES_PROPERTY, .u.prop = {RELOP_MEMBER_OF_DL, PidTagSenderEntryId,
		{PidTagSenderEntryId, {.bin = {(const uint8_t *)"dl", 2}}}}};
	put(gx_restr_eval(&dl, &src, &match));
	ck_assert(match);
	ck_assert_int_eq(ev(dl), 0);
}
END_TEST

START_TEST(depth_is_bounded)
{
	static struct gx_restr chain[200];
	const struct gx_restr *copy;
	for (int i = 0; i < 199; ++i)
		chain[i] = (struct gx_restr){.type = RES_NOT, .u.not_ = {&chain[i + 1]}};
	chain[199].type = RES_NULL;
	ck_assert_int_eq(ev(chain[0]), GX_E_DEPTH);
	ck_assert_int_eq(gx_restr_copy(a, &chain[0], &copy), GX_E_DEPTH);
	ck_assert_int_ge(ev(chain[200 - GX_RESTR_MAX_DEPTH]), 0);
	put(gx_restr_copy(a, &chain[200 - GX_RESTR_MAX_DEPTH], &copy));
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_restr_print(&b, &chain[0]);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&b), "..."));
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(random_ones_copy_compare_print_and_run)
{
	struct rnd r = {.s = 3, .a = a};
	struct gx_strbuf b = GX_STRBUF_INIT;
	const struct gx_restr *last = NULL;
	for (int i = 0; i < 2000; ++i) {
		struct gx_arena *other = gx_arena_new(0);
		struct rnd again = {.s = r.s, .a = other};
		const struct gx_restr *x = rnd_restr(&again, 0), *copy, *twin = rnd_restr(&r, 0);
		put(gx_restr_copy(a, x, &copy));
		gx_arena_free(other);
		ck_assert_int_eq(gx_restr_cmp(copy, twin), 0);
		if (last != NULL)
			ck_assert((gx_restr_cmp(copy, last) < 0) == (gx_restr_cmp(last, copy) > 0));
		last = copy;
		gx_strbuf_clear(&b);
		gx_restr_print(&b, copy);
		ck_assert_uint_gt(b.len, 0);
		ck_assert_int_ge(ev(*copy), GX_E_INTERNAL);
	}
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(print)
{
	struct gx_restr v[2] = {content(PidTagSubject, "x", FL_SUBSTRING, FL_IGNORECASE), number(0x80010003, RELOP_GE, 4)};
	struct gx_restr r = {.type = RES_AND, .u.list = {v, 2}};
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_restr_print(&b, &r);
	ck_assert_str_eq(gx_strbuf_cstr(&b), "and(PidTagSubject contains/i \"x\", 0x80010003 >= 4)");
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(sort_orders)
{
	struct gx_sort cols[] = {{PidTagImportance, GX_SORT_DESCEND}, {PidTagSubject, GX_SORT_ASCEND}};
	struct gx_sortset s = {cols, 2, 1, 0}, copy;
	struct gx_proplist l[4] = {{0}};
	put(gx_proplist_set_i32(&l[0], a, PidTagImportance, 2));
	put(gx_proplist_set_str(&l[0], a, PidTagSubject, "b"));
	put(gx_proplist_set_i32(&l[1], a, PidTagImportance, 2));
	put(gx_proplist_set_str(&l[1], a, PidTagSubject, "C"));
	put(gx_proplist_set_i32(&l[2], a, PidTagImportance, 1));
	put(gx_proplist_set_str(&l[2], a, PidTagSubject, "a"));
	put(gx_sortset_check(&s));
	put(gx_sortset_copy(a, &s, &copy));
	for (int i = 0; i < 4; ++i) { /* the last has neither property: 2 b, 2 C, 1 a, none */
		for (int k = 0; k < 4; ++k) {
			struct gx_propsrc x = gx_propsrc_list(&l[i]), y = gx_propsrc_list(&l[k]);
			int order;
			put(gx_sortset_cmp(&copy, &x, &y, &order));
			ck_assert_int_eq((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_sortset_print(&b, &s);
	ck_assert_str_eq(gx_strbuf_cstr(&b), "group by PidTagImportance desc, PidTagSubject asc");
	gx_strbuf_release(&b);
	s.expanded = 2;
	ck_assert_int_eq(gx_sortset_check(&s), GX_E_INVAL);
	s.expanded = 0;
	s.categories = 3;
	ck_assert_int_eq(gx_sortset_check(&s), GX_E_INVAL);
	s.categories = 0;
	cols[0].order = 3;
	ck_assert_int_eq(gx_sortset_check(&s), GX_E_INVAL);
	cols[0] = (struct gx_sort){0x8001101F, GX_SORT_ASCEND};
	ck_assert_int_eq(gx_sortset_check(&s), GX_E_INVAL);
	cols[0].tag = 0x8001301F;
	put(gx_sortset_check(&s));
	cols[1].tag = 0x8002301F;
	ck_assert_int_eq(gx_sortset_check(&s), GX_E_INVAL);
}
END_TEST

/* ---- Values changed ---- */

static struct gx_restr id(gx_proptag_t tag, gx_proptag_t val, uint64_t n)
{
	return (struct gx_restr){.type = RES_PROPERTY, .u.prop = {RELOP_EQ, tag, {val, {.i64 = (int64_t)n}}}};
}

START_TEST(ids_sent_and_kept)
{
	const struct gx_propval comment[] = {{PidTagFolderId, {.i64 = (int64_t)gx_eid_make(1, 9)}}, {PidTagImportance, {.i32 = 9}}};
	const struct gx_restr inner = id(PidTagMid, PidTagMid, gx_eid_make(1, 0x123456)), number = id(PidTagMessageSizeExtended,
		PidTagMessageSizeExtended, gx_eid_make(1, 1)), nested = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagRuleCondition,
		{PidTagRuleCondition, {.restr = &inner}}}};
	const struct gx_restr not_ = {.type = RES_NOT, .u.not_ = {&inner}}, sub = {.type = RES_SUBRESTRICTION,
		.u.sub = {PidTagMessageAttachments, &inner}}, count = {.type = RES_COUNT, .u.count = {5, &sub}},
		note = {.type = RES_COMMENT, .u.comment = {comment, 2, &inner}};
	const struct gx_restr v[] = {inner, id(PidTagParentFolderId, GX_PROP_TAG(0, PtypInteger64), gx_eid_make(1, 0x0d)), number, not_, count,
		note, nested, id(PidTagInstID, PidTagInstID, gx_eid_make(7, 2)), id(PidTagMid, PidTagMid, 0)};
	const struct gx_restr sent = {.type = RES_AND, .u.list = {v, sizeof(v) / sizeof(v[0])}}, *kept, *back;
	put(gx_restr_plain_ids(a, &sent, &kept));
	const struct gx_restr *k = kept->u.list.v;
	ck_assert_int_eq(k[0].u.prop.val.v.i64, 0x123456);
	ck_assert_int_eq(k[1].u.prop.val.v.i64, 0x0d); /* what it is compared with says that it is an id */
	ck_assert_int_eq(k[2].u.prop.val.v.i64, number.u.prop.val.v.i64);
	ck_assert_int_eq(k[3].u.not_.sub->u.prop.val.v.i64, 0x123456);
	ck_assert_int_eq(k[4].u.count.sub->u.sub.sub->u.prop.val.v.i64, 0x123456);
	ck_assert_int_eq(k[5].u.comment.v[0].v.i64, 9);
	ck_assert_int_eq(k[5].u.comment.v[1].v.i32, 9);
	ck_assert_int_eq(k[6].u.prop.val.v.restr->u.prop.val.v.i64, 0x123456);
	ck_assert_int_ne(k[7].u.prop.val.v.i64, 2); /* of another replica: nothing of ours */
	ck_assert_int_eq(k[8].u.prop.val.v.i64, 0);
	put(gx_restr_wire_ids(a, kept, &back));
	ck_assert_int_eq(gx_restr_cmp(back, &sent), 0);
	put(gx_restr_plain_ids(a, NULL, &kept));
	ck_assert_ptr_null(kept);
}
END_TEST

static int refuse(gx_proptag_t tag, struct gx_propval *io_pv, void *ctx)
{
	ck_assert_uint_eq(tag, io_pv->tag);
	return --*(int *)ctx == 0 ? GX_E_RANGE : 0;
}

START_TEST(values_changed)
{
	const struct gx_restr v[] = {number(PidTagImportance, RELOP_EQ, 1), content(PidTagSubject, "x", 0, 0), {.type = RES_EXIST}};
	struct gx_restr r = {.type = RES_OR, .u.list = {v, 3}};
	const struct gx_restr *got = NULL;
	int left = 2;
	ck_assert_int_eq(gx_restr_map_values(a, &r, refuse, &left, &got), GX_E_RANGE);
	ck_assert_ptr_null(got);
	left = 3;
	put(gx_restr_map_values(a, &r, refuse, &left, &got));
	ck_assert_int_eq(gx_restr_cmp(got, &r), 0);
	r.type = 99;
	ck_assert_int_eq(gx_restr_map_values(a, &r, refuse, &left, &got), GX_E_INVAL);
}
END_TEST

static Suite *restr_suite(void)
{
	Suite *s = suite_create("restr");
	TCase *t = tcase_create("restr");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, ids_sent_and_kept);
	tcase_add_test(t, values_changed);
	tcase_add_test(t, contents);
	tcase_add_test(t, marks);
	tcase_add_test(t, binary_contents);
	tcase_add_test(t, property_comparisons);
	tcase_add_test(t, other_leaves);
	tcase_add_test(t, combinations);
	tcase_add_test(t, subobjects_and_members);
	tcase_add_test(t, depth_is_bounded);
	tcase_add_test(t, random_ones_copy_compare_print_and_run);
	tcase_add_test(t, print);
	tcase_add_test(t, sort_orders);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(restr_suite)
