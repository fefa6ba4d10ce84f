/* SPDX-License-Identifier: Apache-2.0 */
/* Remote operations in buffers: every request and response with its head; rows. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/rop.h>
#include <gx/rpcext.h>
#include "libgxmapi/proprand.h"

static struct gx_arena *a;
static struct gx_dctx x;

static const gx_proptag_t tags[] = {
	PidTagSubject, PidTagMessageFlags, PidTagHasAttachments, PidTagMessageDeliveryTime, PidTagBody & 0xffff0000,
	GX_PROP_RETYPE(PidTagMessageClass, PtypString8),
};
static const struct gx_columns columns = {tags, sizeof(tags) / sizeof(tags[0])};

static void setup(void)
{
	a = gx_arena_new(0);
	x = (struct gx_dctx){.px = GX_PX_ROP(a, 1252), .custom = &columns};
}

static void teardown(void)
{
	gx_arena_free(a);
}

static uint32_t next(void *rnd)
{
	return rnd_u32(rnd);
}

static void *random_body(const struct gx_desc *d, struct rnd *r)
{
	void *obj = d == NULL ? NULL : gx_arena_alloc(a, d->size);
	if (d != NULL)
		gx_desc_random(next, r, &x, d, obj);
	return obj;
}

static void request_round(const struct gx_rop_desc *d, struct rnd *r)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_pull c;
	struct gx_rop_request back, q = {d, 3, {7, 9}, random_body(d->req, r)};
	gx_rop_push_request(&out, &x, &q);
	ck_assert_msg(out.err == 0, "%s: %s", d->name, gx_strerror(out.err));
	for (size_t n = 0; n <= out.len; ++n) {
		uint8_t *in = gxtest_exact(out.data, n);
		gx_pull_init(&c, in, n);
		gx_rop_pull_request_head(&c, &back);
		if (c.err == 0)
			gx_rop_pull_request_body(&c, &x, &back);
		/* only what ends with an optional part can be cut and be whole */
		ck_assert_msg((n == out.len) == (c.err == 0), "%s cut at %zu of %zu", d->name, n, out.len);
		if (n == out.len) {
			gx_rop_print_request(&b, &x, &back);
			ck_assert_ptr_eq(back.desc, d);
			ck_assert_uint_eq(back.logon_id, 3);
			ck_assert_mem_eq(back.handle, q.handle, d->handle_count);
			ck_assert_msg(c.left == 0, "%s: %zu left", gx_strbuf_cstr(&b), c.left);
			ck_assert(d->req == NULL || gx_desc_equal(&x, d->req, q.body, back.body));
			ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&b), d->name));
		}
		free(in);
	}
	gx_strbuf_release(&b);
	gx_push_release(&out);
}

static void response_round(const struct gx_rop_desc *d, uint32_t value, struct rnd *r)
{
	const struct gx_desc *body = gx_rop_response_body(d, value);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_pull c;
	struct gx_rop_response back, s = {d, 5, value, random_body(body, r)};
	gx_rop_push_response(&out, &x, &s);
	ck_assert_msg(out.err == 0, "%s: %s", d->name, gx_strerror(out.err));
	gx_pull_init(&c, out.data, out.len);
	gx_rop_pull_response_head(&c, &back);
	ck_assert_int_eq(c.err, 0);
	gx_rop_pull_response_body(&c, &x, &back);
	ck_assert_int_eq(c.err, 0);
	ck_assert_msg(c.left == 0, "%s: %zu left", d->name, c.left);
	ck_assert_ptr_eq(back.desc, d);
	ck_assert_uint_eq(back.return_value, gx_rop_is_answer(d) ? value : 0);
	ck_assert_uint_eq(back.handle, gx_rop_is_answer(d) ? 5 : 0);
	gx_rop_print_response(&b, &x, &back);
	ck_assert_msg(body == NULL || gx_desc_equal(&x, body, s.body, back.body), "%s", gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	gx_push_release(&out);
}

START_TEST(every_operation)
{
	struct rnd r = {.s = 11, .a = a};
	unsigned seen = 0;
	for (unsigned id = 0; id < 256; ++id) {
		const struct gx_rop_desc *d = gx_rop_rop_desc((uint8_t)id);
		if (d == NULL)
			continue;
		++seen;
		ck_assert_uint_eq(d->id, id);
		ck_assert_int_eq(strncmp(d->name, "Rop", 3), 0);
		ck_assert_int_eq(strncmp(d->section, "[MS-OXCROPS] 2.2.", 17), 0);
		for (int i = 0; i < 20; ++i) {
			x.var[GX_CTX_ROP_PUBLIC_LOGON] = i % 2;
			if (gx_rop_is_answer(d))
				request_round(d, &r);
			if (id == RopRelease)
				continue;
			response_round(d, 0, &r);
			if (gx_rop_is_answer(d))
				response_round(d, 0x80004005, &r);
			for (unsigned k = 0; k < d->special_count; ++k)
				response_round(d, d->special[k].return_value, &r);
		}
	}
	ck_assert_uint_eq(seen, 132);
}
END_TEST

START_TEST(heads_that_are_none)
{
	static const uint8_t unknown[] = {0x28, 0, 0, 0}, servers[] = {RopNotify, 0, 0, 0, 0, 0, 0};
	struct gx_rop_request q;
	struct gx_rop_response s;
	struct gx_pull c;
	gx_pull_init(&c, unknown, sizeof(unknown));
	gx_rop_pull_request_head(&c, &q);
	ck_assert_int_eq(c.err, GX_E_UNSUP);
	gx_pull_init(&c, unknown, sizeof(unknown));
	gx_rop_pull_response_head(&c, &s);
	ck_assert_int_eq(c.err, GX_E_UNSUP);
	gx_pull_init(&c, servers, sizeof(servers));
	gx_rop_pull_request_head(&c, &q);
	ck_assert_int_eq(c.err, GX_E_UNSUP);
}
END_TEST

START_TEST(index_bytes)
{
	static const struct {
		uint8_t id, count, first, second, answered;
	} t[] = {
		{RopLogon, 1, GX_RH_OUT, 0, 0}, {RopOpenFolder, 2, GX_RH_IN, GX_RH_OUT, 1}, {RopSetProperties, 1, GX_RH_IN, 0, 0},
		{RopSaveChangesMessage, 2, GX_RH_RESP, GX_RH_IN, 0}, {RopCopyTo, 2, GX_RH_SRC, GX_RH_DST, 0}, {RopNotify, 0, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		const struct gx_rop_desc *d = gx_rop_rop_desc(t[i].id);
		ck_assert_uint_eq(d->handle_count, t[i].count);
		ck_assert_uint_eq(d->handle[0], t[i].first);
		ck_assert_uint_eq(d->handle[1], t[i].second);
		ck_assert_uint_eq(d->answered, t[i].answered);
	}
}
END_TEST

START_TEST(buffers)
{
	static const uint8_t good[] = {5, 0, 1, 2, 3, 0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0};
	struct gx_rop_buffer b;
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_rop_buffer_pull(good, sizeof(good), a, &b), 0);
	ck_assert_uint_eq(b.rops.len, 3);
	ck_assert_uint_eq(b.handle_count, 2);
	ck_assert_uint_eq(b.handles[0], GX_ROP_NO_HANDLE);
	ck_assert_uint_eq(b.handles[1], 4);
	gx_rop_buffer_push(&out, &b);
	ck_assert_uint_eq(out.len, sizeof(good));
	ck_assert_mem_eq(out.data, good, sizeof(good));
	gx_push_clear(&out);
	b.rops.len = 65534;
	gx_rop_buffer_push(&out, &b);
	ck_assert_int_eq(out.err, GX_E_RANGE);
	gx_push_release(&out);
	ck_assert_int_eq(gx_rop_buffer_pull(good, 12, a, &b), GX_E_FORMAT);
	ck_assert_int_eq(gx_rop_buffer_pull(good, 4, a, &b), GX_E_TRUNC);
	ck_assert_int_eq(gx_rop_buffer_pull("\1\0", 2, a, &b), GX_E_FORMAT);
	ck_assert_int_eq(gx_rop_buffer_pull("\2\0", 2, a, &b), 0);
	ck_assert_uint_eq(b.handle_count, 0);
}
END_TEST

START_TEST(extended_buffers)
{
	static struct gx_lzxpress work;
	static uint8_t text[5000], noise[5000];
	struct rnd r = {.s = 3, .a = a};
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(noise); ++i)
		noise[i] = (uint8_t)rnd_u32(&r);
	for (unsigned flags = 0; flags < 8; ++flags)
		for (int i = 0; i < 3; ++i) {
			const struct gx_bin in = {i == 0 ? text : noise, i == 2 ? 0 : sizeof(text)};
			struct gx_push out = GX_PUSH_INIT;
			struct gx_pull c;
			struct gx_bin back;
			bool last;
			gx_ext_push(&out, in, flags, &work);
			ck_assert_int_eq(out.err, 0);
			ck_assert_uint_eq(out.data[2], i == 0 ? flags : flags & ~1U);
			ck_assert_uint_eq(out.len < 1000, i == 2 || (i == 0 && (flags & 1)));
			gx_pull_init(&c, out.data, out.len);
			gx_ext_pull(&c, a, &back, &last);
			ck_assert_int_eq(c.err, 0);
			ck_assert_uint_eq(c.left, 0);
			ck_assert(last == ((flags & GX_EXT_LAST) != 0));
			ck_assert_uint_eq(back.len, in.len);
			ck_assert(in.len == 0 || memcmp(back.data, in.data, in.len) == 0);
			gx_push_release(&out);
		}
	struct gx_push out = GX_PUSH_INIT;
	gx_ext_push(&out, (struct gx_bin){text, GX_EXT_PAYLOAD_MAX + 1}, 0, NULL);
	ck_assert_int_eq(out.err, GX_E_RANGE);
	gx_push_release(&out);
}
END_TEST

/* ---- Rows ---- */

static struct gx_bin row_bytes(const struct gx_columns *cols, const struct gx_proprow *row, int *ret_err)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b = {0};
	gx_proprow_push(&out, &x.px, cols, row);
	*ret_err = out.err;
	if (out.err == 0)
		ck_assert_int_eq(gx_push_finish(&out, a, &b), 0);
	gx_push_release(&out);
	return b;
}

START_TEST(rows)
{
	static const gx_proptag_t t[] = {GX_PROP_TAG(0x1000, PtypInteger16), GX_PROP_TAG(0x1001, PtypUnspecified)};
	const struct gx_columns cols = {t, 2};
	struct gx_propval v[] = {{GX_PROP_TAG(0x1000, PtypInteger16), {.i16 = 0x102}}, {GX_PROP_TAG(0x1001, PtypBoolean), {.b = true}}};
	struct gx_proprow row = {v, 2}, back;
	struct gx_pull c;
	int err;
	struct gx_bin b = row_bytes(&cols, &row, &err);
	ck_assert_uint_eq(b.len, 6);
	ck_assert_mem_eq(b.data, "\0\2\1\x0b\0\1", 6);
	v[0] = (struct gx_propval){GX_PROP_TAG(0x1000, PtypErrorCode), {.err = 0x8004010f}};
	v[1] = (struct gx_propval){GX_PROP_TAG(0x1001, PtypErrorCode), {.err = 0x8007000e}};
	b = row_bytes(&cols, &row, &err);
	ck_assert_uint_eq(b.len, 13);
	ck_assert_mem_eq(b.data, "\1\x0a\x0f\1\4\x80\x0a\0\x0a\x0e\0\7\x80", 13);
	v[0].tag = GX_PROP_TAG(0x1000, PtypNull);
	b = row_bytes(&cols, &row, &err);
	ck_assert_mem_eq(b.data, "\1\1\x0a\0\x0a", 5);
	gx_pull_init(&c, b.data, b.len);
	gx_proprow_pull(&c, &x.px, &cols, &back);
	ck_assert_int_eq(c.err, 0);
	ck_assert_uint_eq(back.v[0].tag, v[0].tag);
	ck_assert_uint_eq(back.v[1].v.err, 0x8007000e);
	/* what does not belong to the columns */
	v[0] = (struct gx_propval){GX_PROP_TAG(0x1000, PtypInteger32), {.i32 = 1}};
	(void)row_bytes(&cols, &row, &err);
	ck_assert_int_eq(err, GX_E_INVAL);
	row.count = 1;
	(void)row_bytes(&cols, &row, &err);
	ck_assert_int_eq(err, GX_E_INVAL);
	gx_pull_init(&c, "\2\0\0", 3);
	gx_proprow_pull(&c, &x.px, &cols, &back);
	ck_assert_int_eq(c.err, GX_E_FORMAT);
	gx_pull_init(&c, b.data, b.len);
	gx_proprow_pull(&c, &x.px, NULL, &back);
	ck_assert_int_eq(c.err, GX_E_INVAL);
}
END_TEST

START_TEST(columns_of_instances)
{
	static const gx_proptag_t t[] = {GX_PROP_TAG(0x8001, PtypMultipleString | GX_MVI_FLAG)};
	const struct gx_columns cols = {t, 1};
	struct gx_propval v = {GX_PROP_TAG(0x8001, PtypString8), {.str = "ab"}};
	struct gx_proprow row = {&v, 1};
	int err;
	ck_assert_uint_eq(gx_column_type(t[0]), PtypString);
	struct gx_bin b = row_bytes(&cols, &row, &err);
	ck_assert_uint_eq(b.len, 7);
	ck_assert_mem_eq(b.data, "\0a\0b\0\0\0", 7);
}
END_TEST

START_TEST(texts_with_a_type)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} t[] = {{"\0", 1, NULL}, {"\1", 1, ""}, {"\2\xe4\0", 3, "\303\244"}, {"\3\xe4\0", 3, "\303\244"}, {"\4\xe4\0\0\0", 5, "\303\244"}};
	const struct gx_desc *d = gx_rop_response_body(gx_rop_rop_desc(RopReloadCachedInformation), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		uint8_t in[32] = {0};
		struct gx_rop_reload_cached_information_res r;
		memcpy(in + 1, t[i].bytes, t[i].len);
		ck_assert_int_eq(gx_desc_decode(&x, d, in, t[i].len + 7, &r), 0);
		ck_assert_pstr_eq(r.subject_prefix, t[i].text);
		ck_assert_ptr_null(r.normalized_subject);
	}
	struct gx_rop_reload_cached_information_res r;
	ck_assert_int_eq(gx_desc_decode(&x, d, "\0\5\0\0\0\0\0\0\0", 9, &r), GX_E_FORMAT);
}
END_TEST

START_TEST(recipients_may_leave_columns_out)
{
	const struct gx_desc *d = gx_rop_desc(GX_ROP_RECIPIENT_ROW);
	struct gx_propval v = {PidTagSubject, {.str = "s"}};
	struct gx_recipient_row back, r = {.recipient_flags = 0x0218 | 3, .email_address = "a@b", .display_name = "A", .recipient_properties = {&v, 1}};
	struct gx_bin b;
	ck_assert_int_eq(gx_desc_encode(&x, d, &r, &b), 0);
	ck_assert_uint_eq(b.len, 2 + 8 + 4 + 2 + 1 + 4);
	ck_assert_int_eq(gx_desc_decode(&x, d, b.data, b.len, &back), 0);
	ck_assert_str_eq(back.email_address, "a@b");
	ck_assert_ptr_null(back.address_type);
	ck_assert_uint_eq(back.recipient_properties.count, 1);
	const struct gx_columns none = {NULL, 0};
	x.custom = &none;
	ck_assert_int_eq(gx_desc_decode(&x, d, b.data, b.len, &back), GX_E_FORMAT);
}
END_TEST

static Suite *rop_suite(void)
{
	Suite *s = suite_create("rop");
	TCase *t = tcase_create("rop");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, every_operation);
	tcase_add_test(t, heads_that_are_none);
	tcase_add_test(t, index_bytes);
	tcase_add_test(t, buffers);
	tcase_add_test(t, extended_buffers);
	tcase_add_test(t, rows);
	tcase_add_test(t, columns_of_instances);
	tcase_add_test(t, texts_with_a_type);
	tcase_add_test(t, recipients_may_leave_columns_out);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(rop_suite)
