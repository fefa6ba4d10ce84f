/* SPDX-License-Identifier: Apache-2.0 */
/* What only public stores know: each reader has a read state of his own. */
#include <config.h>
#include <gx/peruser.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/faults/storeops.h"
#include "libgxstore/table/table-int.h"

/* Owners, so that no folder is closed to them. */
static const struct gx_actor ann = {.user = "ann@example.org", .owner = true}, bob = {.user = "bob@example.org", .owner = true};

static struct {
	struct gx_ics_read read[SO_PICK];
	struct gx_globset reads;
	struct gx_flag_change flags;
	bool was_read[SO_PICK];
} u;

static bool pick_reader(struct so_world *w)
{
	w->x.actor = so_one_in(w, 2) ? &ann : &bob;
	w->x.on = so_one_in(w, 2);
	return so_msgs(w, 5, false);
}

static bool normal(struct so_world *w, uint64_t mid)
{
	struct gx_msg_info m;
	return so_msg_now(w, mid, &m) && !(m.flags & GX_MSGF_FAI);
}

static bool is_read(struct so_world *w, uint64_t mid)
{
	const gx_proptag_t tag = PidTagRead;
	struct gx_proplist l;
	struct gx_txn *t = NULL;
	ck_assert_int_eq(gx_txn_begin(w->s, w->x.actor, GX_TXN_READ, 1000, &t), 0);
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, w->a, &l));
	gx_txn_abort(t);
	return l.count == 1 && l.v[0].v.b;
}

static void expect_read(struct so_world *w, bool read)
{
	for (size_t i = 0; i < w->x.n; i++)
		ck_assert(!normal(w, w->x.mids[i]) || is_read(w, w->x.mids[i]) == read);
}

static gx_ec run_set_read(struct so_world *w, struct gx_txn *t)
{
	struct gx_read_result r;
	gx_ec ec = GX_OK_EC;
	for (size_t i = 0; !gx_ec_failed(ec) && i < w->x.n; i++)
		ec = gx_msg_set_read(t, w->x.mids[i], w->x.on ? GX_RF_DEFAULT : GX_RF_CLEAR_READ, &r);
	return ec;
}

static void check_read(struct so_world *w)
{
	expect_read(w, w->x.on);
}

static bool pick_flags(struct so_world *w)
{
	if (!pick_reader(w))
		return false;
	for (size_t i = 0; i < w->x.n; i++)
		u.was_read[i] = is_read(w, w->x.mids[i]);
	u.flags = (struct gx_flag_change){w->x.on ? GX_FLAGS_ADD : GX_FLAGS_REMOVE, GX_MSGF_READ | GX_MSGF_FLAGGED, NULL, UINT64_MAX};
	return true;
}

static gx_ec run_flags(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_change_flags(t, w->x.fid, w->x.mids, w->x.n, &u.flags, NULL, NULL, NULL);
}

/* These are the bits of the message, which all share; what each has read is his own. */
static void check_flags(struct so_world *w)
{
	for (size_t i = 0; i < w->x.n; i++) {
		struct gx_msg_info m;
		ck_assert(so_msg_now(w, w->x.mids[i], &m));
		ck_assert_uint_eq(m.flags & u.flags.flags, w->x.on ? u.flags.flags : 0);
		ck_assert((m.flags & GX_MSGF_FAI) || is_read(w, w->x.mids[i]) == u.was_read[i]);
	}
}

static bool pick_ics_reads(struct so_world *w)
{
	gx_globset_release(&u.reads);
	memset(&u, 0, sizeof(u));
	if (!pick_reader(w))
		return false;
	for (size_t i = 0; i < w->x.n; i++) {
		ck_assert_int_eq(gx_entryid_gid(w->a, gx_store_replica(w->s), w->x.mids[i], &u.read[i].source_key), 0);
		u.read[i].read = w->x.on;
	}
	return true;
}

static gx_ec run_ics_reads(struct so_world *w, struct gx_txn *t)
{
	return gx_ics_import_reads(t, w->x.fid, u.read, w->x.n, &u.reads, w->a, NULL);
}

static bool pick_reads_set(struct so_world *w)
{
	struct gx_msg_info m;
	if (!pick_reader(w))
		return false;
	gx_globset_release(&u.reads);
	for (size_t i = 0; i < w->x.n; i++)
		if (so_msg_now(w, w->x.mids[i], &m) && !(m.flags & GX_MSGF_FAI))
			ck_assert_int_eq(gx_globset_add(&u.reads, m.cn), 0);
	w->x.on = true;
	return true;
}

static gx_ec run_reads_set(struct so_world *w, struct gx_txn *t)
{
	return gx_reads_set(t, w->x.fid, &u.reads);
}

static gx_ec run_look(struct so_world *w, struct gx_txn *t)
{
	static const struct gx_restr unread = {.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, MSGFLAG_READ}};
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_table_opts to = GX_TABLE_OPTS_INIT;
	struct gx_globset none = {0};
	struct gx_ics_content *c = NULL;
	struct gx_table *tb = NULL;
	struct gx_globset mine = {0};
	uint64_t n;
	uint32_t rows;
	o.seen = o.seen_fai = o.read = &none;
	to.fid = w->x.fid;
	to.restr = &unread;
	gx_ec ec = gx_ics_content_open(t, w->x.fid, &o, &c);
	gx_ics_content_free(c);
	if (!gx_ec_failed(ec))
		ec = gx_folder_unread(t, w->x.fid, w->x.actor->user, &n);
	if (!gx_ec_failed(ec))
		ec = gx_table_open_contents(t, &to, &tb);
	if (!gx_ec_failed(ec))
		ec = gx_table_count(tb, t, &rows);
	gx_table_close(tb);
	if (!gx_ec_failed(ec))
		ec = gx_reads_get(t, w->x.fid, &mine);
	gx_globset_release(&mine);
	return ec;
}

static const struct so_op rows[] = {
	{"public_set_read", SO_WRITE | SO_PUBLIC, pick_reader, run_set_read, check_read},
	{"public_change_flags", SO_WRITE | SO_PUBLIC, pick_flags, run_flags, check_flags},
	{"public_import_reads", SO_WRITE | SO_PUBLIC, pick_ics_reads, run_ics_reads, check_read},
	{"public_reads_set", SO_WRITE | SO_PUBLIC, pick_reads_set, run_reads_set, check_read},
	{"public_look", SO_READ | SO_PUBLIC, pick_reader, run_look, NULL},
};
SO_OPS(so_public_ops, rows);
