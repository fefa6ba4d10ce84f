/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on instances that change them as a whole or in one place: objects merged in, recipients, text as a stream, what is taken away. */
#include <config.h>
#include <gx/instance.h>
#include "libgxstore/faults/storeops.h"

static struct {
	struct gx_proplist rcpts[3];
	struct gx_attach att;
	gx_proptag_t gone;
} u;

static gx_ec end(struct so_world *w, struct gx_inst *i, gx_ec ec)
{
	gx_inst_free(i);
	if (gx_ec_failed(ec))
		w->x.commit_failed = false;
	return ec;
}

static gx_ec save(struct gx_txn *t, struct gx_inst *i, gx_ec ec)
{
	return gx_ec_failed(ec) ? ec : gx_inst_save(t, i, 0, NULL);
}

static gx_ec open_it(struct so_world *w, struct gx_txn *t, uint32_t flags, struct gx_inst **ret_i)
{
	return gx_inst_open(t, 0, w->x.mids[0], flags, ret_i);
}

static bool pick_subject(struct so_world *w)
{
	memset(&u, 0, sizeof(u));
	w->x.name = gx_arena_printf(w->a, "whole %u", ++w->serial);
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagSubject, w->x.name), 0);
	return so_msgs(w, 1, false);
}

/* "" none. */
static const char *text(struct so_world *w, gx_proptag_t tag)
{
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(gx_msg_get_props(t, w->x.mids[0], &tag, 1, w->a, &l));
	gx_txn_abort(t);
	return gx_proplist_str(&l, tag, "");
}

static void count(struct so_world *w, size_t *ret_rcpts, size_t *ret_atts)
{
	struct gx_inst *i;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	ST_OK(open_it(w, t, GX_INST_READ, &i));
	ST_OK(gx_inst_rcpt_count(i, ret_rcpts));
	ST_OK(gx_inst_att_count(t, i, ret_atts));
	gx_inst_free(i);
	gx_txn_abort(t);
}

/* ---- Properties ---- */

static bool pick_remove(struct so_world *w)
{
	memset(&u, 0, sizeof(u));
	u.gone = so_one_in(w, 2) ? PidTagSubject : PidTagBody;
	return so_msgs(w, 1, false);
}

static gx_ec run_remove(struct so_world *w, struct gx_txn *t)
{
	static const gx_proptag_t also[] = {PidTagHtml, PidTagRtfCompressed, PidTagNormalizedSubject, PidTagSubjectPrefix};
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_remove_props(i, &u.gone, 1, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_remove_props(i, also, 4, 0, w->a, NULL);
	return end(w, i, save(t, i, ec));
}

static void check_remove(struct so_world *w)
{
	ck_assert_str_eq(text(w, u.gone), "");
}

/* What was set is given up, and what is stored is saved as it is. */
static gx_ec run_reload(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(i, &w->x.props, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_reload(t, i);
	return end(w, i, save(t, i, ec));
}

static void check_reload(struct so_world *w)
{
	ck_assert_str_ne(text(w, PidTagSubject), w->x.name);
}

static gx_ec run_clear(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear(i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_props(i, &w->x.props, 0, w->a, NULL);
	return end(w, i, save(t, i, ec));
}

static void check_clear(struct so_world *w)
{
	size_t rcpts, atts;
	count(w, &rcpts, &atts);
	ck_assert_uint_eq(rcpts + atts, 0);
	ck_assert_str_eq(text(w, PidTagSubject), w->x.name);
}

/* ---- A text as UTF-16, written in parts and cut ---- */

static gx_ec put_text(struct so_world *w, struct gx_txn *t, struct gx_inst_stream *s)
{
	gx_ec ec = GX_OK_EC;
	size_t n = strlen(w->x.name);
	for (size_t k = 0; !gx_ec_failed(ec) && k < n; k++) {
		const char unit[2] = {w->x.name[k], 0};
		ec = gx_inst_stream_write(t, s, 2 * k, unit, 2);
	}
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_write(t, s, 2 * n, "xyz", 4);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_set_size(t, s, 2 * n);
	return gx_ec_failed(ec) ? ec : gx_inst_stream_commit(s);
}

static gx_ec run_stream(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	struct gx_inst_stream *s = NULL;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_open_as(t, i, PidTagBody, GX_STREAM_CREATE, 1200, &s);
	if (!gx_ec_failed(ec))
		ec = put_text(w, t, s);
	gx_inst_stream_free(s);
	return end(w, i, save(t, i, ec));
}

static void check_stream(struct so_world *w)
{
	ck_assert_str_eq(text(w, PidTagBody), w->x.name);
}

/* ---- Recipients ---- */

static void make_rcpt(struct so_world *w, struct gx_proplist *l, int32_t row)
{
	ck_assert_int_eq(gx_proplist_set_i32(l, w->a, PidTagRowid, row), 0);
	ck_assert_int_eq(gx_proplist_set_i32(l, w->a, PidTagRecipientType, 1), 0);
	ck_assert_int_eq(gx_proplist_set_str(l, w->a, PidTagSmtpAddress, gx_arena_printf(w->a, "r%u@example.org", ++w->serial)), 0);
}

static bool pick_rcpts(struct so_world *w)
{
	memset(&u, 0, sizeof(u));
	for (int32_t k = 0; k < 3; k++)
		make_rcpt(w, &u.rcpts[k], 100 + k);
	return so_msgs(w, 1, false);
}

static gx_ec run_rcpts(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_clear_rcpts(i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_rcpts(i, u.rcpts, 3);
	return end(w, i, save(t, i, ec));
}

static void check_rcpts(struct so_world *w)
{
	size_t rcpts, atts;
	count(w, &rcpts, &atts);
	ck_assert_uint_eq(rcpts, 3);
}

/* ---- Objects ---- */

static struct gx_bin some_bytes(struct so_world *w, size_t n)
{
	uint64_t rng = 1 + so_rand(w, 3), *p = gx_arena_alloc(w->a, n + 8);
	for (size_t i = 0; i <= n / 8; i++)
		p[i] = fdisk_random(&rng);
	return (struct gx_bin){(uint8_t *)p, n};
}

static bool pick_write(struct so_world *w)
{
	struct gx_msgobj *m = gx_msgobj_new(w->a);
	struct gx_bin b = some_bytes(w, so_one_in(w, 3) ? 150000 : 5000);
	const struct gx_propname name = {.by_name = true, .name = gx_arena_printf(w->a, "written %u", so_rand(w, 20))};
	w->x.on = so_one_in(w, 2);
	if (!pick_subject(w))
		return false;
	m->props = w->x.props;
	make_rcpt(w, gx_msgobj_add_rcpt(m, w->a), 0);
	struct gx_attach *x = gx_msgobj_add_attach(m, w->a);
	ck_assert_int_eq(gx_proplist_set_bin(&x->props, w->a, PidTagAttachDataBinary, b.data, b.len), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, w->a, &name, PtypString, (union gx_value){.str = "x"}), 0);
	w->x.obj = m;
	return true;
}

static gx_ec run_write(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_write(t, i, w->x.obj, w->x.on ? GX_WRITE_FORCE : 0, w->a, NULL, NULL);
	return end(w, i, save(t, i, ec));
}

static void check_write(struct so_world *w)
{
	size_t rcpts, atts;
	count(w, &rcpts, &atts);
	ck_assert(w->x.on ? rcpts == 1 && atts == 1 : rcpts >= 1 && atts >= 1);
	ck_assert_str_eq(text(w, PidTagSubject), w->x.name);
}

static bool pick_att_write(struct so_world *w)
{
	struct gx_bin b = some_bytes(w, so_one_in(w, 3) ? 150000 : 5000);
	if (!pick_subject(w))
		return false;
	ck_assert_int_eq(gx_proplist_set_bin(&u.att.props, w->a, PidTagAttachDataBinary, b.data, b.len), 0);
	ck_assert_int_eq(gx_proplist_set_str(&u.att.props, w->a, PidTagAttachLongFilename, w->x.name), 0);
	size_t rcpts;
	count(w, &rcpts, &w->x.n);
	return true;
}

static gx_ec run_att_write(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL, *att = NULL;
	uint32_t num;
	gx_ec ec = open_it(w, t, GX_INST_WRITE, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_new(t, i, &num, &att);
	if (!gx_ec_failed(ec))
		ec = gx_inst_write_att(t, att, &u.att, 0, w->a, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, att, 0, NULL);
	gx_inst_free(att);
	return end(w, i, save(t, i, ec));
}

static void check_att_write(struct so_world *w)
{
	size_t rcpts, atts;
	count(w, &rcpts, &atts);
	ck_assert_uint_eq(atts, w->x.n + 1);
}

/* ---- Looking ---- */

static gx_ec look_at_rows(struct so_world *w, struct gx_txn *t, struct gx_inst *i)
{
	gx_proptag_t *tags;
	struct gx_proplist *rows;
	size_t n;
	gx_ec ec = gx_inst_all_tags(t, i, w->a, &tags, &n);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpt_tags(i, w->a, &tags, &n);
	if (!gx_ec_failed(ec))
		ec = gx_inst_rcpts(i, 0, 100, w->a, &rows, &n);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_tags(t, i, w->a, &tags, &n);
	if (!gx_ec_failed(ec))
		ec = gx_inst_att_rows(t, i, NULL, 0, 0, 100, w->a, &rows, &n);
	w->x.found = gx_ec_failed(ec) || n == 0 ? UINT32_MAX : (uint32_t)gx_proplist_i32(&rows[0], PidTagAttachNumber, 0);
	return ec;
}

static gx_ec look_at_attachment(struct so_world *w, struct gx_txn *t, struct gx_inst *i)
{
	struct gx_inst *att = NULL;
	struct gx_inst_stream *s = NULL;
	struct gx_attach whole;
	gx_ec ec = gx_inst_att_open(t, i, (uint32_t)w->x.found, GX_INST_READ, &att);
	if (!gx_ec_failed(ec))
		ec = gx_inst_read_att(t, att, w->a, &whole);
	if (!gx_ec_failed(ec))
		ec = gx_inst_stream_open(t, att, PidTagAttachDataBinary, GX_STREAM_READ, &s);
	if (gx_ec_is(ec, ecNotFound)) /* a message */
		ec = GX_OK_EC;
	if (!gx_ec_failed(ec) && s != NULL)
		ec = gx_inst_stream_read(t, s, 10, 100000, &w->x.out);
	gx_inst_stream_free(s);
	gx_inst_free(att);
	return ec;
}

static gx_ec run_look(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL;
	gx_ec ec = open_it(w, t, GX_INST_READ, &i);
	if (!gx_ec_failed(ec))
		ec = look_at_rows(w, t, i);
	if (!gx_ec_failed(ec) && w->x.found != UINT32_MAX)
		ec = look_at_attachment(w, t, i);
	return end(w, i, ec);
}

/* ---- One into another ---- */

static gx_ec copy_into(struct so_world *w, struct gx_txn *t, struct gx_inst *from, struct gx_inst *to)
{
	struct gx_inst_copy_opts o = GX_INST_COPY_OPTS_INIT;
	struct gx_problems problems;
	bool done;
	gx_ec ec = gx_inst_copy_props(t, from, to, &o, w->a, &problems);
	if (!gx_ec_failed(ec))
		ec = gx_inst_copy_rcpts(from, to, true, &done);
	if (!gx_ec_failed(ec))
		ec = gx_inst_copy_atts(t, from, to, true, &done);
	return gx_ec_failed(ec) ? ec : gx_inst_set_props(to, &w->x.props, 0, w->a, NULL);
}

static gx_ec run_copy(struct so_world *w, struct gx_txn *t)
{
	struct gx_inst *i = NULL, *copy = NULL;
	struct gx_save_result r = {0};
	gx_ec ec = open_it(w, t, GX_INST_READ, &i);
	if (!gx_ec_failed(ec))
		ec = gx_inst_new(t, w->x.fid, NULL, &copy);
	if (!gx_ec_failed(ec))
		ec = copy_into(w, t, i, copy);
	if (!gx_ec_failed(ec))
		ec = gx_inst_save(t, copy, 0, &r);
	w->x.ids[0].mid = r.mid;
	gx_inst_free(copy);
	return end(w, i, ec);
}

/* The copy has the name that it was given, and as many recipients and attachments. */
static void check_copy(struct so_world *w)
{
	size_t rcpts, atts, also_rcpts, also_atts;
	count(w, &rcpts, &atts);
	w->x.mids[0] = w->x.ids[0].mid;
	count(w, &also_rcpts, &also_atts);
	ck_assert_uint_eq(also_rcpts, rcpts);
	ck_assert_uint_eq(also_atts, atts);
	ck_assert_str_eq(text(w, PidTagSubject), w->x.name);
}

static const struct so_op rows[] = {
	{"inst_remove", SO_WRITE, pick_remove, run_remove, check_remove},
	{"inst_reload", SO_WRITE, pick_subject, run_reload, check_reload},
	{"inst_stream", SO_WRITE, pick_subject, run_stream, check_stream},
	{"inst_rcpts", SO_WRITE, pick_rcpts, run_rcpts, check_rcpts},
	{"inst_write", SO_WRITE, pick_write, run_write, check_write},
	{"att_write", SO_WRITE, pick_att_write, run_att_write, check_att_write},
	{"inst_copy", SO_WRITE, pick_subject, run_copy, check_copy},
	{"inst_clear", SO_WRITE, pick_subject, run_clear, check_clear},
	{"inst_look", SO_READ, pick_subject, run_look, NULL},
};
SO_OPS(so_whole_ops, rows);
