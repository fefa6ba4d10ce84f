/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on messages that are edited: conflicts, attachments and messages in them, changes without an instance. */
#include <config.h>
#include <gx/instance.h>
#include "libgxstore/faults/storeops.h"

static struct {
	uint32_t num;
	size_t natts;
	bool copied;
} u;

static gx_ec end(struct so_world *w, struct gx_inst *i, gx_ec ec)
{
	gx_inst_free(i);
	if (gx_ec_failed(ec))
		w->x.commit_failed = false;
	return ec;
}

static gx_ec open_it(struct so_world *w, struct gx_txn *t, struct gx_inst **ret_i)
{
	return gx_inst_open(t, 0, w->x.mids[0], GX_INST_WRITE, ret_i);
}

static bool pick_subject(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagSubject, gx_arena_printf(w->a, "edited %u", ++w->serial)), 0);
	return so_msgs(w, 1, false);
}

static void check_subject(struct so_world *w)
{
	const gx_proptag_t tag = PidTagSubject;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_msg_get_props(t, w->x.mids[0], &tag, 1, w->a, &l));
	gx_txn_abort(t);
	ck_assert_str_eq(gx_proplist_str(&l, tag, ""), w->x.props.v[0].v.str);
}

/* Somebody else saves it meanwhile: refused, and then forced. */
static gx_ec run_conflict(struct so_world *w, struct gx_txn *t)
{
	const struct gx_flag_change flip = {GX_FLAGS_ADD, GX_MSGF_ANSWERED, NULL, UINT64_MAX};
	struct gx_inst *i = NULL, *other = NULL;
	gx_ec ec = open_it(w, t, &i);
	if (!gx_ec_failed(ec))
		ec = open_it(w, t, &other);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(other, &w->x.props, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, other, 0, NULL);
	gx_inst_free(other);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(i, &w->x.props, 0, w->a, NULL);
	if (gx_ec_failed(ec))
		return end(w, i, ec);
	ec = gx_inst_save(t, i, 0, NULL);
	if (gx_ec_is(ec, ecObjectModified))
		ec = gx_inst_save(t, i, GX_SAVE_FORCE, NULL);
	else if (!gx_ec_failed(ec))
		ec = GX_EC(ecError); /* should have been refused */
	if (!gx_ec_failed(ec))
		ec = gx_msg_change_flags(t, w->x.fid, w->x.mids, 1, &flip, NULL, NULL, NULL);
	return end(w, i, ec);
}

/* A message that shows both versions. */
static bool pick_both(struct so_world *w)
{
	w->x.obj = gx_msgobj_new(w->a);
	ck_assert_int_eq(gx_proplist_set_str((struct gx_proplist *)&w->x.obj->props, w->a, PidTagSubject, "the other"), 0);
	return so_msgs(w, 1, false);
}

static gx_ec run_both(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_conflict(t, i, w->x.obj);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, i, 0, NULL);
	return end(w, i, ec);
}

/* ---- Attachments ---- */

/* A message that has some, and how many. */
static bool pick_attached(struct so_world *w)
{
	for (unsigned k = 0; k < 10; k++) {
		if (!so_msgs(w, 1, false))
			return false;
		struct gx_inst *i;
		struct gx_proplist *v;
		size_t n;
		struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
		ST_OK(gx_inst_open(t, 0, w->x.mids[0], GX_INST_READ, &i));
		ST_OK(gx_inst_att_rows(t, i, NULL, 0, 0, 100, w->a, &v, &n));
		u.natts = n;
		if (n > 0)
			u.num = (uint32_t)gx_proplist_i32(&v[so_rand(w, (unsigned)n)], PidTagAttachNumber, 0);
		gx_inst_free(i);
		gx_txn_abort(t);
		if (n > 0)
			return true;
	}
	return false;
}

static size_t count_atts(struct so_world *w, uint64_t mid)
{
	struct gx_inst *i;
	size_t n;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_inst_open(t, 0, mid, GX_INST_READ, &i));
	ST_OK(gx_inst_att_count(t, i, &n));
	gx_inst_free(i);
	gx_txn_abort(t);
	return n;
}

static gx_ec run_att_delete(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_delete(t, i, u.num);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, i, 0, NULL);
	return end(w, i, ec);
}

static void check_att_delete(struct so_world *w)
{
	ck_assert_uint_eq(count_atts(w, w->x.mids[0]), u.natts - 1);
}

static gx_ec write_name(struct so_world *w, struct gx_txn *t, struct gx_inst *att)
{
	struct gx_inst_stream *s = NULL;
	gx_ec ec = gx_inst_stream_open(t, att, PidTagAttachLongFilename, GX_STREAM_CREATE, &s);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_write(t, s, 0, w->x.name, strlen(w->x.name));
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_commit(s);
	gx_inst_stream_free(s);
	return ec;
}

static gx_ec edit_embedded(struct so_world *w, struct gx_txn *t, struct gx_inst *att)
{
	struct gx_inst *m = NULL;
	gx_ec ec = gx_inst_embedded_open(t, att, false, GX_INST_WRITE, &m);
	if (gx_ec_is(ec, ecNotFound))
		return GX_OK_EC;
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(m, &w->x.props, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, m, 0, NULL);
	gx_inst_free(m);
	return ec;
}

static bool pick_att_edit(struct so_world *w)
{
	w->x.name = gx_arena_printf(w->a, "name%u.bin", ++w->serial);
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagSubject, w->x.name), 0);
	return pick_attached(w);
}

static gx_ec run_att_edit(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL, *att = NULL;
	gx_ec ec = open_it(w, t, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_open(t, i, u.num, GX_INST_WRITE, &att);
	if (!gx_ec_failed(ec))
		ec = write_name(w, t, att);
	if (!gx_ec_failed(ec))
		ec = edit_embedded(w, t, att);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, att, 0, NULL);
	gx_inst_free(att);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, i, 0, NULL);
	return end(w, i, ec);
}

static void check_att_edit(struct so_world *w)
{
	const gx_proptag_t tag = PidTagAttachLongFilename;
	struct gx_inst *i, *att;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_inst_open(t, 0, w->x.mids[0], GX_INST_READ, &i));
	ST_OK(gx_inst_att_open(t, i, u.num, GX_INST_READ, &att));
	ST_OK(gx_inst_get_props(t, att, &tag, 1, 0, w->a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, tag, ""), w->x.name);
	gx_inst_free(att);
	gx_inst_free(i);
	gx_txn_abort(t);
}

static bool pick_att_copy(struct so_world *w)
{
	if (!pick_attached(w))
		return false;
	w->x.found = w->x.mids[0];
	return so_msgs(w, 1, false) && w->x.mids[0] != w->x.found;
}

static gx_ec run_att_copy(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL, *src = NULL;
	gx_ec ec = open_it(w, t, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_open(t, 0, w->x.found, GX_INST_READ, &src);
	if (!gx_ec_failed(ec))
		ec = gx_inst_copy_atts(t, src, i, true, &u.copied);
	if (!gx_ec_failed(ec))
		ec = gx_inst_copy_rcpts(src, i, true, &u.copied);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, i, 0, NULL);
	gx_inst_free(src);
	return end(w, i, ec);
}

static void check_att_copy(struct so_world *w)
{
	ck_assert_uint_eq(count_atts(w, w->x.mids[0]), u.natts);
}

/* ---- Without an instance of one's own ---- */

static gx_ec run_change(struct so_world *w, struct gx_txn *t)
{
	static const gx_proptag_t gone[] = {PidTagIconIndex, PidTagHtml};
	struct gx_problems p = {0};
	return end(w, NULL, gx_msg_change_props(t, w->x.mids[0], &w->x.props, gone, 2, 0, w->a, &p));
}

static bool pick_status(struct so_world *w)
{
	w->x.rights = so_rand(w, 0x10);
	return so_msgs(w, 1, false);
}

static gx_ec run_status(struct so_world *w, struct gx_txn *t)
{
	uint32_t old;
	gx_ec ec = gx_msg_set_status(t, w->x.mids[0], 0xf, w->x.rights, &old);
	return gx_ec_failed(ec) ? ec : gx_msg_mark_modified(t, w->x.mids[0]);
}

static void check_status(struct so_world *w)
{
	const gx_proptag_t tag = PidTagMessageStatus;
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_msg_get_props(t, w->x.mids[0], &tag, 1, w->a, &l));
	gx_txn_abort(t);
	ck_assert_uint_eq((uint32_t)gx_proplist_i32(&l, tag, 0) & 0xf, w->x.rights);
}

static bool pick_copy_as(struct so_world *w)
{
	w->x.found = so_fresh_id(w);
	w->x.fid2 = so_folder(w, false);
	w->x.move = so_one_in(w, 2);
	return so_msgs(w, 1, false);
}

static gx_ec run_copy_as(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_copy_as(t, w->x.mids[0], w->x.fid2, w->x.found, w->x.move, &w->x.ids[0]);
}

static void check_copy_as(struct so_world *w)
{
	struct gx_msg_info m;
	ck_assert_int_eq(so_msg_now(w, w->x.mids[0], &m), !w->x.move);
	ck_assert(so_msg_now(w, w->x.found, &m));
	ck_assert_uint_eq(m.fid, w->x.fid2);
}

static const struct so_op rows[] = {
	{"inst_conflict", SO_WRITE, pick_subject, run_conflict, check_subject},
	{"inst_both", SO_WRITE, pick_both, run_both, NULL},
	{"att_edit", SO_WRITE, pick_att_edit, run_att_edit, check_att_edit},
	{"att_copy", SO_WRITE, pick_att_copy, run_att_copy, check_att_copy},
	{"att_delete", SO_WRITE, pick_attached, run_att_delete, check_att_delete},
	{"change_props", SO_WRITE, pick_subject, run_change, check_subject},
	{"set_status", SO_WRITE, pick_status, run_status, check_status},
	{"copy_as", SO_WRITE, pick_copy_as, run_copy_as, check_copy_as},
};
SO_OPS(so_edit_ops, rows);
