/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that bring messages in, and what brings them to safety. */
#include <config.h>
#include "libgxstore/faults/storeops.h"

static struct gx_msg_insertion many[3];
static const struct gx_msg_insert_opts plain = GX_MSG_INSERT_OPTS_INIT;

static bool pick_form(struct so_world *w, int form)
{
	w->x.fid = so_folder(w, false);
	w->x.p = so_message(w, form);
	return true;
}

static bool pick_plain(struct so_world *w)
{
	return pick_form(w, SO_PLAIN);
}

static bool pick_large(struct so_world *w)
{
	return pick_form(w, SO_LARGE);
}

static bool pick_attached(struct so_world *w)
{
	return pick_form(w, SO_ATTACHED);
}

/* For the sweep: a file that nothing refers to any more, and for the flush something to do. */
static bool pick_swept(struct so_world *w)
{
	struct gx_msg_ids ids;
	w->x.fid = so_folder(w, false);
	w->x.p = so_message(w, SO_ATTACHED_FILE);
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, w->x.fid, w->x.p, NULL, &ids));
	ST_OK(gx_msg_delete(t, w->x.fid, &ids.mid, 1, true));
	st_commit(t);
	return true;
}

static gx_ec run_sync(struct so_world *w, struct gx_txn *t)
{
	(void)t;
	return gx_ec_from_err(gx_store_sync(w->s));
}

/* What housekeeping does by the clock. */
static gx_ec run_sweep(struct so_world *w, struct gx_txn *t)
{
	gx_ec ec = run_sync(w, t);
	if (!gx_ec_failed(ec))
		gx_store__sweep(w->s, 0);
	return ec;
}

static bool pick_attached_file(struct so_world *w)
{
	return pick_form(w, SO_ATTACHED_FILE);
}

static bool pick_object(struct so_world *w)
{
	return pick_form(w, SO_OBJECT);
}

static bool pick_delivery(struct so_world *w)
{
	static const char *const words[] = {"first", "$Forwarded", NULL};
	memset(w->x.delivery, 0, sizeof(w->x.delivery));
	pick_form(w, SO_PLAIN);
	memcpy(w->x.delivery, &w->serial, sizeof(w->serial));
	w->x.insert.delivery_id = w->x.delivery;
	w->x.insert.keywords = words;
	w->x.insert.flags = GX_MSGF_FLAGGED | GX_MSGF_READ;
	w->x.insert.received = 132539328000000000;
	return true;
}

static bool pick_associated(struct so_world *w)
{
	w->x.insert.flags = GX_MSGF_FAI;
	return pick_form(w, SO_OBJECT);
}

static gx_ec run_insert(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_insert(t, w->x.fid, w->x.p, &w->x.insert, &w->x.ids[0]);
}

static void check_insert(struct so_world *w)
{
	struct gx_msg_info i;
	ck_assert(so_msg_now(w, w->x.ids[0].mid, &i));
	ck_assert_uint_eq(i.fid, w->x.fid);
	ck_assert_uint_eq(i.uid, w->x.ids[0].uid);
	ck_assert_uint_eq(i.cn, w->x.ids[0].cn);
	ck_assert_uint_eq(i.flags & w->x.insert.flags, w->x.insert.flags);
}

/* What was delivered once is refused the second time, without harm. */
static void check_delivery(struct so_world *w)
{
	struct gx_msg_ids ids;
	check_insert(w);
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	ST_IS(gx_msg_insert(t, w->x.fid, w->x.p, &w->x.insert, &ids), ecDuplicateObject);
	gx_txn_abort(t);
}

/* The third was delivered before, which does not matter to the others. */
static bool pick_many(struct so_world *w)
{
	pick_delivery(w);
	memset(many, 0, sizeof(many));
	for (size_t i = 0; i < 3; i++)
		many[i].msg = so_message(w, i == 1 ? SO_OBJECT : SO_PLAIN);
	many[0].o = &w->x.insert;
	many[1].o = &plain;
	many[2].o = &w->x.insert;
	return true;
}

static gx_ec run_many(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_insert_many(t, w->x.fid, many, 3);
}

static void check_many(struct so_world *w)
{
	struct gx_msg_info i;
	for (size_t k = 0; k < 2; k++) {
		ST_OK(many[k].ec);
		ck_assert(so_msg_now(w, many[k].ids.mid, &i));
		ck_assert(i.fid == w->x.fid && i.uid == many[k].ids.uid);
	}
	ST_IS(many[2].ec, ecDuplicateObject);
}

static gx_ec run_prepare(struct so_world *w, struct gx_txn *t)
{
	struct gx_msg_prepared *p = NULL;
	(void)t;
	int err = gx_msg_prepare(w->a, &w->x.src, &p);
	gx_msg_prepared_release(p);
	return gx_ec_from_err(err);
}

static const struct so_op rows[] = {
	{"insert", SO_WRITE, pick_plain, run_insert, check_insert},
	{"insert_large", SO_WRITE, pick_large, run_insert, check_insert},
	{"insert_attached", SO_WRITE, pick_attached, run_insert, check_insert},
	{"insert_attached_file", SO_WRITE, pick_attached_file, run_insert, check_insert},
	{"insert_object", SO_WRITE, pick_object, run_insert, check_insert},
	{"insert_associated", SO_WRITE, pick_associated, run_insert, check_insert},
	{"insert_delivery", SO_WRITE, pick_delivery, run_insert, check_delivery},
	{"insert_many", SO_WRITE, pick_many, run_many, check_many},
	{"sync", SO_OWN, pick_swept, run_sync, NULL},
	{"sweep", SO_OWN, pick_swept, run_sweep, NULL},
	{"prepare", SO_OWN | SO_FILELESS, pick_plain, run_prepare, NULL},
	{"prepare_large", SO_OWN | SO_FILELESS, pick_large, run_prepare, NULL},
	{"prepare_attached", SO_OWN | SO_FILELESS, pick_attached, run_prepare, NULL},
	{"prepare_object", SO_OWN | SO_FILELESS, pick_object, run_prepare, NULL},
};
SO_OPS(so_insert_ops, rows);
