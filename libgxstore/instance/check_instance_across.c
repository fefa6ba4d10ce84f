/* SPDX-License-Identifier: Apache-2.0 */
/* Instances copied into those of another store. */
#include <config.h>
#include <unistd.h>
#include <gx/namedprop.h>
#include "libgxstore/instance/insttest.h"

static const struct gx_propname names[] = {
	{{0x11, 0, 0, {1}}, true, 0, "padding"}, {{0x22, 0, 0, {1}}, true, 0, "colour"}, {{0x22, 0, 0, {1}}, false, 0x8501, NULL},
};
static const struct gx_propname others[] = {
	{{0x33, 0, 0, {1}}, true, 0, "x"}, {{0x33, 0, 0, {1}}, true, 0, "y"}, {{0x33, 0, 0, {1}}, true, 0, "z"},
};
static char other_dir[512];
static struct gx_store *other;
static uint16_t here[3], there[3];

static void setup(void)
{
	struct gx_txn *t;
	it_setup();
	snprintf(other_dir, sizeof(other_dir), "%s", st_dir());
	st_create(other_dir);
	other = st_open(other_dir);
	/* the same names, other ids */
	t = st_begin(it_s, GX_TXN_WRITE);
	ST_OK(gx_store_named_ids(t, true, names, 3, here));
	st_commit(t);
	t = st_begin(other, GX_TXN_WRITE);
	ST_OK(gx_store_named_ids(t, true, others, 3, there));
	ST_OK(gx_store_named_ids(t, true, names + 1, 2, there + 1));
	there[0] = 0; /* not known there */
	st_commit(t);
	ck_assert(here[1] != there[1] && here[2] != there[2]);
}

static void teardown(void)
{
	st_verify(other);
	gx_store_close(other);
	st_rmtree(other_dir);
	it_teardown();
}

static gx_proptag_t text(uint16_t id)
{
	return GX_PROP_TAG(id, PtypString);
}

/* A message with everything; large values in memory, in a file, and stored. */
static struct gx_inst *full(struct gx_txn *t)
{
	struct gx_inst *m = it_new(t, GX_FID_DRAFTS), *at, *inner;
	uint32_t num;
	it_set_str(m, PidTagSubject, "RE: whole");
	it_set_str(m, text(here[0]), "padded");
	it_set_str(m, text(here[1]), "red");
	it_set_bin(m, PidTagHtml, it_noise(3000000, 7), 3000000);
	it_set_str(m, PidTagBody, (const char *)memset(it_noise(40000, 1), 'b', 40000));
	it_rcpt(m, 3, "Ann", "ann@example.org");
	(void)it_attach(t, m, "a.bin", it_noise(70000, 2), 70000);
	ST_OK(gx_inst_att_new(t, m, &num, &at));
	it_set_str(at, text(here[2]), "of the attachment");
	ST_OK(gx_inst_embedded_open(t, at, true, GX_INST_WRITE, &inner));
	it_set_str(inner, PidTagSubject, "inner");
	it_set_str(inner, text(here[1]), "blue");
	(void)it_attach(t, inner, "b.bin", it_noise(50000, 3), 50000);
	ST_OK(gx_inst_save(t, inner, 0, NULL));
	ST_OK(gx_inst_save(t, at, 0, NULL));
	gx_inst_free(inner);
	gx_inst_free(at);
	return m;
}

static void check_full(struct gx_txn *t, struct gx_inst *m)
{
	struct gx_proplist *r;
	size_t n;
	struct gx_inst *at, *inner;
	ck_assert_str_eq(it_str(t, m, PidTagNormalizedSubject), "whole");
	ck_assert_str_eq(it_str(t, m, text(there[1])), "red");
	ck_assert_ptr_null(it_get(t, m, text(here[0])));
	ck_assert_uint_eq(strlen(it_str(t, m, PidTagBody)), 40000);
	ck_assert_mem_eq(it_get(t, m, PidTagHtml)->v.bin.data, it_noise(3000000, 7), 3000000);
	ST_OK(gx_inst_rcpts(m, 0, 9, it_a, &r, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(gx_proplist_i32(&r[0], PidTagRowid, 0), 3);
	ck_assert_uint_eq(it_att_data(t, m, 0).len, 70000);
	ck_assert_mem_eq(it_att_data(t, m, 0).data, it_noise(70000, 2), 70000);
	ST_OK(gx_inst_att_open(t, m, 1, GX_INST_READ, &at));
	ck_assert_str_eq(it_str(t, at, text(there[2])), "of the attachment");
	ST_OK(gx_inst_embedded_open(t, at, false, GX_INST_READ, &inner));
	ck_assert_str_eq(it_str(t, inner, PidTagSubject), "inner");
	ck_assert_str_eq(it_str(t, inner, text(there[1])), "blue");
	ck_assert_mem_eq(it_att_data(t, inner, 0).data, it_noise(50000, 3), 50000);
	gx_inst_free(inner);
	gx_inst_free(at);
}

/* @stored: from what the store has of it, not from memory. */
static void copy_all(bool stored)
{
	struct gx_inst_across_opts o = GX_INST_ACROSS_OPTS_INIT;
	struct gx_problems p;
	uint16_t *ids;
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE), *to;
	struct gx_inst *m = full(t), *copy;
	if (stored) {
		uint64_t mid = it_save(t, m).mid;
		st_commit(t);
		gx_inst_free(m);
		t = st_begin(it_s, GX_TXN_READ);
		m = it_open(t, mid);
	}
	o.rcpts = o.atts = true;
	ST_OK(gx_inst_named(t, m, &o, it_a, &ids, &o.names));
	ck_assert_uint_eq(o.names, 3);
	ck_assert_mem_eq(ids, here, sizeof(here));
	o.from = here;
	o.to = there;
	to = st_begin(other, GX_TXN_WRITE);
	copy = it_new(to, GX_FID_DRAFTS);
	ST_OK(gx_inst_copy_across(t, m, to, copy, &o, it_a, &p));
	ck_assert_uint_eq(p.count, 0);
	gx_inst_free(m);
	gx_txn_abort(t);
	check_full(to, copy);
	uint64_t mid = it_save(to, copy).mid;
	st_commit(to);
	gx_inst_free(copy);
	to = st_begin(other, GX_TXN_READ);
	copy = it_open(to, mid);
	check_full(to, copy);
	gx_inst_free(copy);
	gx_txn_abort(to);
}

START_TEST(all_of_a_message)
{
	copy_all(false);
	copy_all(true);
}
END_TEST

/* Tags and problems are those of the source; what was moved is gone there, and nothing else. */
START_TEST(some_of_it_moved)
{
	struct gx_inst_across_opts o = GX_INST_ACROSS_OPTS_INIT;
	const gx_proptag_t some[] = {text(here[1]), text(here[0]), PidTagMessageSize, PidTagHtml, text(0x9123)};
	struct gx_problems p;
	uint16_t *ids;
	size_t n;
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE), *to = st_begin(other, GX_TXN_WRITE);
	struct gx_inst *m = full(t), *copy = it_new(to, GX_FID_DRAFTS);
	it_set_str(copy, text(here[0]), "another property there"); /* with the id that one has here */
	o.props.tags = some;
	o.props.n = 5;
	o.props.only = o.props.move = true;
	ST_OK(gx_inst_named(t, m, &o, it_a, &ids, &n));
	ck_assert_uint_eq(n, 2);
	o.from = here;
	o.to = there;
	o.names = 2;
	ST_OK(gx_inst_copy_across(t, m, to, copy, &o, it_a, &p));
	ck_assert_uint_eq(p.count, 3);
	ck_assert(p.v[0].index == 1 && p.v[0].tag == some[1] && p.v[0].err == ecNotFound);
	ck_assert(p.v[1].index == 2 && p.v[1].tag == some[2] && p.v[1].err == ecComputedValue);
	ck_assert(p.v[2].index == 4 && p.v[2].tag == some[4] && p.v[2].err == ecNotFound);
	ck_assert_str_eq(it_str(to, copy, text(there[1])), "red");
	ck_assert_str_eq(it_str(to, copy, text(here[0])), "another property there");
	ck_assert_ptr_null(it_get(t, m, text(here[1])));
	ck_assert_str_eq(it_str(t, m, text(here[0])), "padded");
	ck_assert_str_eq(it_str(t, m, PidTagSubject), "RE: whole");
	/* the rest, but what is there stays; recipients and attachments are moved, too */
	o.props = (struct gx_inst_copy_opts)GX_INST_COPY_OPTS_INIT;
	o.props.keep = o.props.move = o.rcpts = o.atts = true;
	it_set_str(copy, PidTagSubject, "mine");
	ST_OK(gx_inst_copy_across(t, m, to, copy, &o, it_a, &p));
	ck_assert_str_eq(it_str(to, copy, PidTagSubject), "mine");
	ck_assert_str_eq(it_str(t, m, PidTagSubject), "RE: whole");
	ST_OK(gx_inst_att_count(t, m, &n));
	ck_assert_uint_eq(n, 0);
	ST_OK(gx_inst_rcpt_count(m, &n));
	ck_assert_uint_eq(n, 0);
	ST_OK(gx_inst_att_count(to, copy, &n));
	ck_assert_uint_eq(n, 2);
	gx_inst_free(m);
	gx_inst_free(copy);
	gx_txn_abort(t);
	gx_txn_abort(to);
}
END_TEST

START_TEST(attachments)
{
	struct gx_inst_across_opts o = GX_INST_ACROSS_OPTS_INIT;
	struct gx_problems p;
	uint32_t num;
	struct gx_txn *t = st_begin(it_s, GX_TXN_WRITE), *to = st_begin(other, GX_TXN_WRITE);
	struct gx_inst *m = full(t), *copy = it_new(to, GX_FID_DRAFTS), *at, *at2, *inner;
	ST_OK(gx_inst_att_open(t, m, 1, GX_INST_WRITE, &at));
	ST_OK(gx_inst_att_new(to, copy, &num, &at2));
	o.from = here;
	o.to = there;
	o.names = 3;
	ST_OK(gx_inst_copy_across(t, at, to, at2, &o, it_a, &p));
	ck_assert_str_eq(it_str(to, at2, text(there[2])), "of the attachment");
	ST_IS(gx_inst_embedded_open(to, at2, false, GX_INST_READ, &inner), ecNotFound);
	o.props.embedded = true;
	ST_OK(gx_inst_copy_across(t, at, to, at2, &o, it_a, &p));
	ST_OK(gx_inst_embedded_open(to, at2, false, GX_INST_READ, &inner));
	ck_assert_mem_eq(it_att_data(to, inner, 0).data, it_noise(50000, 3), 50000);
	ST_IS(gx_inst_copy_across(t, at, to, copy, &o, it_a, &p), ecInvalidObject);
	ST_IS(gx_inst_copy_across(t, at, t, at, &o, it_a, &p), ecInvalidParam);
	ST_IS(gx_inst_copy_across(to, at, t, at2, &o, it_a, &p), ecInvalidParam);
	gx_inst_free(inner);
	ST_OK(gx_inst_save(to, at2, GX_SAVE_READONLY, NULL));
	ST_IS(gx_inst_copy_across(t, at, to, at2, &o, it_a, &p), ecAccessDenied);
	gx_inst_free(at);
	gx_inst_free(at2);
	gx_inst_free(m);
	gx_inst_free(copy);
	gx_txn_abort(t);
	gx_txn_abort(to);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("instance_across");
	TCase *c = tcase_create("across");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, all_of_a_message);
	tcase_add_test(c, some_of_it_moved);
	tcase_add_test(c, attachments);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
