/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of sort orders compare as the values they are made of. */
#include <config.h>
#include "libgxstore/order/ordertest.h"

static union gx_value random_value(struct gx_arena *a, uint16_t type)
{
	static const double d[] = {0, -0.0, 1, -1, 1e300, -1e300, 0.5, -0.5};
	union gx_value v = {0};
	uint8_t *p;
	switch (type) {
	case PtypInteger16: v.i16 = (int16_t)(rnd(5) == 0 ? INT16_MIN : (int)rnd(9) - 4); break;
	case PtypInteger32: v.i32 = rnd(5) == 0 ? INT32_MIN : (int32_t)rnd(9) - 4; break;
	case PtypInteger64: case PtypCurrency: v.i64 = rnd(5) == 0 ? INT64_MIN : (int64_t)rnd(9) - 4; break;
	case PtypTime: v.time = rnd(5) == 0 ? UINT64_MAX : rnd(9); break;
	case PtypFloating32: v.f32 = (float)d[rnd(8)]; break;
	case PtypFloating64: case PtypFloatingTime: v.f64 = rnd(9) == 0 ? __builtin_nan("") : d[rnd(8)]; break;
	case PtypBoolean: v.b = rnd(2) != 0; break;
	case PtypString: v.str = random_text(a); break;
	case PtypGuid:
		v.guid = (struct gx_guid){rnd(2) * 0xff000001U, (uint16_t)(rnd(2) * 0x8001U), (uint16_t)rnd(2),
			{(uint8_t)rnd(2), 0, 0, 0, 0, 0, 0, (uint8_t)rnd(3)}};
		break;
	default:
		p = gx_arena_alloc(a, 4);
		v.bin = (struct gx_bin){p, rnd(5)};
		for (unsigned i = 0; i < 4; i++)
			p[i] = (uint8_t)(rnd(3) * 0x7f + (rnd(3) == 0));
	}
	return v;
}

static int fold_cmp(uint16_t type, const union gx_value *x, const union gx_value *y)
{
	return type == PtypString ? gx_utf8_casecmp(x->str, y->str) : gx_value_cmp(type, x, y);
}

START_TEST(keys_compare_as_values)
{
	static const uint16_t types[] = {PtypInteger16, PtypInteger32, PtypInteger64, PtypCurrency, PtypTime,
		PtypFloating32, PtypFloating64, PtypFloatingTime, PtypBoolean, PtypString, PtypGuid, PtypBinary,
		PtypServerId};
	struct gx_push x = GX_PUSH_INIT, y = GX_PUSH_INIT;
	for (unsigned i = 0; i < 40000; i++) {
		uint16_t type = types[rnd(13)];
		struct gx_sort c = {GX_PROP_TAG(0x6800, type), (uint8_t)rnd(2)};
		struct gx_propval p = {c.tag, random_value(w.a, type)}, q = {c.tag, random_value(w.a, type)};
		bool have_p = rnd(9) != 0, have_q = rnd(9) != 0;
		int want = have_p && have_q ? sign(fold_cmp(type, &p.v, &q.v)) : have_p - have_q;
		gx_push_clear(&x);
		gx_push_clear(&y);
		gx_order__column(&x, &c, have_p ? &p : NULL);
		gx_order__column(&y, &c, have_q ? &q : NULL);
		int got = sign(gx_order__cmp((struct gx_bin){x.data, x.len}, (struct gx_bin){y.data, y.len}));
		ck_assert_msg(got == (c.order == GX_SORT_DESCEND ? -want : want), "type %04x order %u: %d", type,
			c.order, got);
		if (i % 1000 == 0)
			gx_arena_reset(w.a);
	}
	gx_push_release(&x);
	gx_push_release(&y);
}
END_TEST

/* As many whole characters as fit, folded, and a NUL. */
static void expect_text(const char *text, const struct gx_push *key)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	const char *end = text + strlen(text);
	for (size_t before; text < end;) {
		before = b.len;
		gx_utf8_put(&b, gx_utf8_fold(gx_utf8_next(&text, end)));
		if (b.len > GX_ORDER_TEXT) {
			gx_strbuf_truncate(&b, before);
			break;
		}
	}
	ck_assert_uint_eq(key->len, 1 + b.len + 1);
	ck_assert_mem_eq(key->data + 1, gx_strbuf_cstr(&b), b.len + 1);
	gx_strbuf_release(&b);
}

START_TEST(long_texts_are_cut_between_characters)
{
	static const char *const part[] = {"\xc3\x84", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "K"};
	const struct gx_sort c = {PidTagSubject, 0};
	struct gx_push key = GX_PUSH_INIT;
	for (unsigned i = 0; i < 3000; i++) {
		struct gx_strbuf b = GX_STRBUF_INIT;
		for (unsigned n = i % 3 == 0 ? rnd(20) : 235 + rnd(30); n > 0; n--)
			gx_strbuf_addc(&b, (char)('A' + rnd(58)));
		for (unsigned n = rnd(12); n > 0; n--)
			gx_strbuf_adds(&b, part[rnd(5)]);
		const struct gx_propval pv = {PidTagSubject, {.str = gx_strbuf_cstr(&b)}};
		gx_push_clear(&key);
		gx_order__column(&key, &c, &pv);
		expect_text(pv.v.str, &key);
		gx_strbuf_release(&b);
	}
	for (uint32_t ch = 0; ch < 0x80; ch++)
		ck_assert_uint_lt(gx_utf8_fold(ch), 0x80);
	gx_push_release(&key);
}
END_TEST

START_TEST(which_need_bodies)
{
	static const struct gx_sort cols[] = {{PidTagMessageSize, 1}, {PidTagMid, 0}, {PidTagSubject, 0}};
	struct gx_orderspec o;
	bool back;
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = cols, .count = 2}, &o, &back), 0);
	ck_assert(gx_orderspec__by_row(&o));
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = cols, .count = 3}, &o, &back), 0);
	ck_assert(!gx_orderspec__by_row(&o));
	ck_assert_int_eq(gx_orderspec__make(NULL, &o, &back), 0); /* the time may be stored */
	ck_assert(!gx_orderspec__by_row(&o));
}
END_TEST

START_TEST(columns_can_be_told_apart)
{
	const struct gx_sort cols[] = {{PidTagSubject, 1}, {GX_PROP_TAG(0x6800, PtypBinary), 0},
		{GX_PROP_TAG(0x6802, PtypFloating32), 1}, {PidTagImportance, 0},
		{GX_PROP_TAG(0x6803, PtypBinary), 1}};
	struct gx_sortset s = {.v = cols, .count = 5};
	struct gx_orderspec o, back;
	struct gx_push k = GX_PUSH_INIT, after = GX_PUSH_INIT;
	bool b;
	ck_assert_int_eq(gx_orderspec__make(&s, &o, &b), 0);
	ck_assert(b); /* the first column descends: the others are turned */
	ck_assert_int_eq(o.col[0].order, GX_SORT_ASCEND);
	ck_assert_int_eq(o.col[1].order, GX_SORT_DESCEND);
	ck_assert_int_eq(gx_orderspec__parse((struct gx_bin){o.bytes, o.len}, &back), 0);
	ck_assert_mem_eq(&o, &back, sizeof(o));
	for (unsigned i = 0; i < 2000; i++) {
		size_t end[5];
		gx_push_clear(&k);
		for (unsigned c = 0; c < 5; c++) {
			struct gx_propval pv = {cols[c].tag, random_value(w.a, GX_PROP_TYPE(cols[c].tag))};
			gx_order__column(&k, &o.col[c], rnd(5) == 0 ? NULL : &pv);
			end[c] = k.len;
		}
		gx_push_u48be(&k, 0x123456789aULL);
		gx_push_u16be(&k, 7);
		struct gx_bin key = {k.data, k.len};
		for (unsigned c = 0; c < 5; c++)
			ck_assert_uint_eq(gx_orderspec__prefix(&o, key, c + 1), end[c]);
		uint64_t mid;
		uint32_t inst;
		gx_order__id(key, &mid, &inst);
		ck_assert(mid == 0x123456789aULL && inst == 7);
		struct gx_bin prefix = {k.data, end[2]};
		ck_assert(gx_order__after(prefix, &after));
		ck_assert_int_gt(gx_order__cmp((struct gx_bin){after.data, after.len}, key), 0);
		ck_assert_uint_eq(gx_orderspec__prefix(&o, (struct gx_bin){k.data, end[2] - 1}, 3), 0);
	}
	ck_assert(!gx_order__after((struct gx_bin){(const uint8_t *)"\xff\xff", 2}, &after));
	gx_push_release(&k);
	gx_push_release(&after);
}
END_TEST

START_TEST(what_cannot_be_an_order)
{
	const struct gx_sort two[] = {{GX_PROP_RETYPE(WORDS, 0x301f), 0}, {GX_PROP_TAG(0x6805, 0x301f), 0}};
	const struct gx_sort multi[] = {{WORDS, 0}}, object[] = {{GX_PROP_TAG(0x6805, PtypObject), 0}},
			     none[] = {{GX_PROP_TAG(0x6805, 0), 0}};
	struct gx_sort many[17];
	struct gx_orderspec o;
	bool back;
	for (unsigned i = 0; i < 17; i++)
		many[i] = (struct gx_sort){PidTagSubject, 0};
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = two, .count = 2}, &o, &back), GX_E_INVAL);
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = multi, .count = 1}, &o, &back), GX_E_INVAL);
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = object, .count = 1}, &o, &back), GX_E_INVAL);
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = none, .count = 1}, &o, &back), GX_E_INVAL);
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = many, .count = 17}, &o, &back), GX_E_LIMIT);
	ck_assert_int_eq(gx_orderspec__make(NULL, &o, &back), 0);
	ck_assert_uint_eq(o.col[0].tag, PidTagMessageDeliveryTime);
	uint8_t bad[] = {9, 0, 0, 0, 0, 0};
	ck_assert_int_eq(gx_orderspec__parse((struct gx_bin){bad, 6}, &o), GX_E_FORMAT);
	ck_assert_int_eq(gx_orderspec__parse((struct gx_bin){o.bytes, 4}, &o), GX_E_FORMAT);
}
END_TEST

static Suite *orderkey_suite(void)
{
	Suite *s = suite_create("orderkey");
	TCase *c = tcase_create("keys");
	tcase_set_timeout(c, 300);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, keys_compare_as_values);
	tcase_add_test(c, long_texts_are_cut_between_characters);
	tcase_add_test(c, which_need_bodies);
	tcase_add_test(c, columns_can_be_told_apart);
	tcase_add_test(c, what_cannot_be_an_order);
	suite_add_tcase(s, c);
	return s;
}

GXTEST_MAIN(orderkey_suite)
