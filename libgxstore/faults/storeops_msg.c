/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on messages that are there. */
#include <config.h>
#include "libgxstore/faults/storeops.h"

/* ---- Copy, move, delete ---- */

static bool pick_copy(struct so_world *w)
{
	w->x.fid2 = so_folder(w, false);
	return so_msgs(w, SO_PICK, false);
}

static bool pick_move(struct so_world *w)
{
	w->x.move = true;
	return pick_copy(w);
}

static gx_ec run_copy(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_copy(t, w->x.fid, w->x.mids, w->x.n, w->x.fid2, w->x.move, w->x.ids);
}

static void check_copy(struct so_world *w)
{
	for (size_t i = 0; i < w->x.n; i++) {
		struct gx_msg_info m;
		ck_assert(so_msg_now(w, w->x.ids[i].mid, &m));
		ck_assert_uint_eq(m.fid, w->x.fid2);
		ck_assert_uint_eq(m.uid, w->x.ids[i].uid);
		ck_assert_int_eq(so_msg_now(w, w->x.mids[i], &m), !w->x.move);
	}
}

static bool pick_delete(struct so_world *w)
{
	return so_msgs(w, 5, false);
}

static bool pick_delete_hard(struct so_world *w)
{
	w->x.hard = true;
	return so_msgs(w, 5, false);
}

static bool pick_purge(struct so_world *w)
{
	w->x.hard = true;
	return so_msgs(w, 5, true);
}

static gx_ec run_delete(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_delete(t, w->x.fid, w->x.mids, w->x.n, w->x.hard);
}

static void check_delete(struct so_world *w)
{
	for (size_t i = 0; i < w->x.n; i++) {
		struct gx_msg_info m;
		bool there = so_msg_now(w, w->x.mids[i], &m);
		ck_assert_int_eq(there, !w->x.hard);
		ck_assert(!there || ((m.flags & GX_MSGF_SOFTDEL) && m.uid == 0));
	}
}

/* ---- Flags and properties ---- */

static bool pick_flags(struct so_world *w)
{
	static const char *const words[][3] = {{NULL}, {"word", NULL}, {"other", "word", NULL}, {"third", NULL}};
	unsigned k = so_rand(w, 4);
	w->x.flags = (struct gx_flag_change){.op = (int)so_rand(w, 3), .flags = so_rand(w, 0x20), .keywords = k == 0 ? NULL : words[k],
		.unchanged_since = UINT64_MAX};
	return so_msgs(w, SO_PICK, false);
}

static gx_ec run_flags(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_change_flags(t, w->x.fid, w->x.mids, w->x.n, &w->x.flags, w->a, NULL, NULL);
}

static void check_flags(struct so_world *w)
{
	uint32_t f = w->x.flags.flags;
	for (size_t i = 0; i < w->x.n; i++) {
		struct gx_msg_info m;
		ck_assert(so_msg_now(w, w->x.mids[i], &m));
		uint32_t want = w->x.flags.op == GX_FLAGS_REMOVE ? 0 : f;
		ck_assert_uint_eq(m.flags & f, want);
		ck_assert(w->x.flags.op == GX_FLAGS_REMOVE || w->x.flags.keywords == NULL || m.kwset != 0);
	}
}

static bool pick_props(struct so_world *w)
{
	if (!so_msgs(w, 1, false))
		return false;
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagSubject, gx_arena_printf(w->a, "changed %u", ++w->serial)), 0);
	return true;
}

static bool pick_props_large(struct so_world *w)
{
	char *s = gx_arena_alloc(w->a, 40001);
	if (!pick_props(w))
		return false;
	memset(s, 'x', 40000);
	s[40000] = '\0';
	ck_assert_int_eq(gx_proplist_set_str(&w->x.props, w->a, PidTagBody, s), 0);
	return true;
}

static gx_ec run_props(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_set_props(t, w->x.mids[0], &w->x.props);
}

static void check_props(struct so_world *w)
{
	struct gx_proplist l;
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	for (size_t i = 0; i < w->x.props.count; i++) {
		gx_proptag_t tag = w->x.props.v[i].tag;
		ST_OK(gx_msg_get_props(t, w->x.mids[0], &tag, 1, w->a, &l));
		ck_assert_str_eq(gx_proplist_str(&l, tag, ""), w->x.props.v[i].v.str);
	}
	gx_txn_abort(t);
}

/* ---- The internet form of an object, made and kept ---- */

static bool pick_unrendered(struct so_world *w)
{
	for (size_t i = 0; i < w->nmsgs; i++)
		if (!(w->msg[i].flags & (GX_MSGF_HASORIG | GX_MSGF_FAI | GX_MSGF_SOFTDEL))) {
			w->x.mids[0] = w->msg[i].mid;
			w->x.n = 1;
			return true;
		}
	return false;
}

static gx_ec run_render(struct so_world *w, struct gx_txn *t)
{
	struct gx_msg_mime m;
	return gx_msg_mime(t, w->x.mids[0], &m);
}

static void check_render(struct so_world *w)
{
	struct gx_msg_info m;
	ck_assert(so_msg_now(w, w->x.mids[0], &m));
	ck_assert(m.flags & GX_MSGF_HASORIG);
}

static const struct so_op rows[] = {
	{"copy", SO_WRITE, pick_copy, run_copy, check_copy},
	{"move", SO_WRITE, pick_move, run_copy, check_copy},
	{"delete", SO_WRITE, pick_delete, run_delete, check_delete},
	{"delete_hard", SO_WRITE, pick_delete_hard, run_delete, check_delete},
	{"delete_deleted", SO_WRITE, pick_purge, run_delete, check_delete},
	{"change_flags", SO_WRITE, pick_flags, run_flags, check_flags},
	{"set_props", SO_WRITE, pick_props, run_props, check_props},
	{"set_props_large", SO_WRITE, pick_props_large, run_props, check_props},
	{"render", SO_WRITE, pick_unrendered, run_render, check_render},
	{"render_while_reading", SO_READ, pick_unrendered, run_render, NULL},
};
SO_OPS(so_msg_ops, rows);
