/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on instances. What fails in memory only does not spoil the transaction: it is given up here. */
#include <config.h>
#include <gx/instance.h>
#include "libgxstore/faults/storeops.h"

static gx_ec end(struct so_world *w, struct gx_inst *i, gx_ec ec)
{
	gx_inst_free(i);
	if (gx_ec_failed(ec))
		w->x.commit_failed = false;
	return ec;
}

static void some_bytes(struct so_world *w, size_t n)
{
	uint64_t rng = 1 + so_rand(w, 3);
	uint64_t *p = gx_arena_alloc(w->a, n + 8);
	for (size_t i = 0; i <= n / 8; i++)
		p[i] = fdisk_random(&rng);
	w->x.bytes = (struct gx_bin){(uint8_t *)p, n};
}

/* Mostly small, now and then a content file, and one that does not stay in memory. */
static void some_size(struct so_world *w)
{
	static const size_t size[] = {200, 7000, 7000, 150000, 2200000};
	some_bytes(w, size[so_rand(w, 5)]);
}

static void some_props(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagSubject, gx_arena_printf(w->a, "edited %u", ++w->serial)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagInternetMessageId, /* see so_render() */
		gx_arena_printf(w->a, "<%u@example.org>", w->serial)), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&w->x.props, w->a, PidTagHtml, w->x.bytes.data, so_rand(w, 2) ? 20 : 7000), 0);
}

static gx_ec put_attachment(struct so_world *w, struct gx_txn *t, struct gx_inst *i)
{
	struct gx_inst *x = NULL;
	struct gx_inst_stream *s = NULL;
	uint32_t num;
	gx_ec ec = gx_inst_att_new(t, i, &num, &x);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_open(t, x, PidTagAttachDataBinary, GX_STREAM_CREATE, &s);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_write(t, s, 0, w->x.bytes.data, w->x.bytes.len);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_commit(s);
	gx_inst_stream_free(s);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, x, 0, NULL);
	gx_inst_free(x);
	return ec;
}

static gx_ec put_embedded(struct so_world *w, struct gx_txn *t, struct gx_inst *i)
{
	struct gx_inst *x = NULL, *e = NULL;
	uint32_t num;
	gx_ec ec = gx_inst_att_new(t, i, &num, &x);
	if (!gx_ec_failed(ec))
		ec = gx_inst_embedded_open(t, x, true, GX_INST_WRITE, &e);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(e, &w->x.props, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, e, 0, NULL);
	gx_inst_free(e);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, x, 0, NULL);
	gx_inst_free(x);
	return ec;
}

static gx_ec save(struct so_world *w, struct gx_txn *t, struct gx_inst *i)
{
	struct gx_save_result r = {0};
	int err = gx_inst_prepare(i);
	gx_ec ec = err != 0 ? gx_ec_from_err(err) : gx_inst_save(t, i, 0, &r);
	w->x.ids[0] = (struct gx_msg_ids){.mid = r.mid, .cn = r.cn, .uid = r.uid};
	return ec;
}

/* ---- New ones ---- */

static bool pick_new(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	some_size(w);
	some_bytes(w, w->x.bytes.len < 7000 ? 7000 : w->x.bytes.len);
	some_props(w);
	return true;
}

static gx_ec run_new(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = gx_inst_new(t, w->x.fid, NULL, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(i, &w->x.props, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = put_attachment(w, t, i);
	if (!gx_ec_failed(ec))
		ec = put_embedded(w, t, i);
	if (!gx_ec_failed(ec))
		ec = save(w, t, i);
	return end(w, i, ec);
}

static void check_saved(struct so_world *w)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	const gx_proptag_t tag = PidTagSubject;
	struct gx_proplist l;
	struct gx_msg_info m;
	ST_OK(gx_msg_get_props(t, w->x.ids[0].mid, &tag, 1, w->a, &l));
	if (gx_proplist_get(&w->x.props, tag) != NULL)
		ck_assert_str_eq(gx_proplist_str(&l, tag, ""), gx_proplist_str(&w->x.props, tag, ""));
	ST_OK(gx_msg_get(t, w->x.ids[0].mid, &m));
	ck_assert_uint_eq(m.uid, w->x.ids[0].uid);
	gx_txn_abort(t);
}

/* ---- Those that are there ---- */

static bool pick_edit(struct so_world *w)
{
	some_bytes(w, 7000);
	some_props(w);
	return so_msgs(w, 1, false);
}

static gx_ec run_edit(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = gx_inst_open(t, 0, w->x.mids[0], GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(i, &w->x.props, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = save(w, t, i);
	return end(w, i, ec);
}

/* What leaves the original alone. */
static bool pick_mark(struct so_world *w)
{
	ck_assert_int_eq(gx_proplist_set_i32(&w->x.props, w->a, PidTagIconIndex, (int32_t)++w->serial), 0);
	return so_msgs(w, 1, false);
}

static bool pick_attach(struct so_world *w)
{
	some_size(w);
	return so_msgs(w, 1, false);
}

static gx_ec run_attach(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = gx_inst_open(t, 0, w->x.mids[0], GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = put_attachment(w, t, i);
	if (!gx_ec_failed(ec))
		ec = save(w, t, i);
	return end(w, i, ec);
}

static bool pick_msg(struct so_world *w)
{
	return so_msgs(w, 1, false);
}

static gx_ec run_strip(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = gx_inst_open(t, 0, w->x.mids[0], GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear_atts(t, i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear_rcpts(i);
	if (!gx_ec_failed(ec))
		ec = save(w, t, i);
	return end(w, i, ec);
}

/* Its body stays while somebody looks at it, and goes with the next commit. */
static gx_ec run_delete_open(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = gx_inst_open(t, 0, w->x.mids[0], GX_INST_READ, &i);
	if (!gx_ec_failed(ec))
		ec = gx_msg_delete(t, w->x.fid, w->x.mids, 1, true);
	return end(w, i, ec);
}

static bool pick_write(struct so_world *w)
{
	struct gx_msgobj *m = gx_msgobj_new(w->a);
	if (!so_msgs(w, 1, false))
		return false;
	some_bytes(w, 7000);
	some_props(w);
	m->props = w->x.props;
	ck_assert_int_eq(gx_proplist_set_i64(&m->props, w->a, PidTagMid, so_one_in(w, 2) ? 0 : (int64_t)w->x.mids[0]), 0);
	struct gx_attach *x = gx_msgobj_add_attach(m, w->a);
	ck_assert_int_eq(gx_proplist_set_bin(&x->props, w->a, PidTagAttachDataBinary, w->x.bytes.data, 5000), 0);
	w->x.obj = m;
	return true;
}

static gx_ec run_write(struct so_world *w, struct gx_txn *t)
{
	return end(w, NULL, gx_msg_write(t, w->x.fid, w->x.obj, NULL, &w->x.ids[0]));
}

static gx_ec run_read(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	struct gx_msgobj *m;
	gx_ec ec = gx_inst_open(t, 0, w->x.mids[0], GX_INST_READ, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_read(t, i, w->a, &m);
	return end(w, i, ec);
}

/* ---- State ---- */

static gx_ec run_state(struct so_world *w, struct gx_txn *t)
{
	struct gx_read_result r;
	bool marked;
	gx_ec ec = gx_msg_set_read(t, w->x.mids[0], GX_RF_DEFAULT, &r);
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_read(t, w->x.mids[0], GX_RF_CLEAR_READ, &r);
	if (!gx_ec_failed(ec))
		ec = gx_msg_try_submit(t, w->x.mids[0], &marked);
	if (!gx_ec_failed(ec))
		ec = gx_msg_set_timer(t, w->x.mids[0], w->x.on ? 77 : 0);
	if (!gx_ec_failed(ec))
		ec = gx_msg_clear_submit(t, w->x.mids[0], w->x.on);
	if (!gx_ec_failed(ec))
		ec = gx_msg_announce(t, w->x.mids[0]);
	return ec;
}

static bool pick_state(struct so_world *w)
{
	w->x.on = so_one_in(w, 2);
	return so_msgs(w, 1, false);
}

static const struct so_op rows[] = {
	{"inst_new", SO_WRITE, pick_new, run_new, check_saved},
	{"inst_edit", SO_WRITE, pick_edit, run_edit, check_saved},
	{"inst_mark", SO_WRITE, pick_mark, run_edit, check_saved},
	{"inst_attach", SO_WRITE, pick_attach, run_attach, check_saved},
	{"inst_strip", SO_WRITE, pick_msg, run_strip, check_saved},
	{"inst_delete_open", SO_WRITE, pick_msg, run_delete_open, NULL},
	{"msg_write", SO_WRITE, pick_write, run_write, check_saved},
	{"msg_state", SO_WRITE, pick_state, run_state, NULL},
	{"inst_read", SO_READ, pick_msg, run_read, NULL},
};
SO_OPS(so_inst_ops, rows);
