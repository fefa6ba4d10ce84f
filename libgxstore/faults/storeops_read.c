/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that only read. What they answer is compared by the tests of their modules. */
#include <config.h>
#include <gx/acl.h>
#include <gx/folder.h>
#include <gx/freebusy.h>
#include <gx/peruser.h>
#include <gx/storeset.h>
#include "libgxstore/faults/storeops.h"

static bool pick_folder(struct so_world *w)
{
	w->x.fid = so_folder(w, false);
	return true;
}

static gx_ec run_folder(struct so_world *w, struct gx_txn *t)
{
	struct gx_folder_info i, *v;
	struct gx_proplist l;
	size_t n;
	uint32_t rights, *uids;
	gx_ec ec = gx_folder_get(t, w->x.fid, w->a, &i);
	if (!gx_ec_failed(ec))
		ec = gx_folder_list(t, GX_FID_ROOT, true, w->a, &v, &n);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get_props(t, w->x.fid, NULL, 0, w->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_folder_rights(t, w->x.fid, &rights);
	if (!gx_ec_failed(ec))
		ec = gx_folder_vanished(t, w->x.fid, i.highest_modseq, w->a, &uids, &n);
	return ec;
}

static bool pick_msg(struct so_world *w)
{
	return so_msgs(w, 1, false);
}

static gx_ec run_msg(struct so_world *w, struct gx_txn *t)
{
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagBody, PidTagMessageSize};
	struct gx_msg_info i;
	struct gx_proplist l;
	struct gx_msgobj *m;
	gx_ec ec = gx_msg_get(t, w->x.mids[0], &i);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_props(t, w->x.mids[0], NULL, 0, w->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_props(t, w->x.mids[0], tags, 3, w->a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_msg_read(t, w->x.mids[0], w->a, &m);
	return ec;
}

static gx_ec run_original(struct so_world *w, struct gx_txn *t)
{
	return gx_msg_original(t, w->x.mids[0], 0, UINT64_MAX, &w->x.out);
}

static gx_ec run_names(struct so_world *w, struct gx_txn *t)
{
	static const uint16_t ids[3] = {0x8001, 0x8002, 0xfffe};
	struct gx_proplist l;
	gx_ec ec = gx_store_named_names(t, ids, 3, w->a, w->x.names);
	if (!gx_ec_failed(ec))
		ec = gx_store_get_props(t, NULL, 0, w->a, &l);
	return ec;
}

static gx_ec run_about(struct so_world *w, struct gx_txn *t)
{
	struct gx_proplist *rcpts;
	struct gx_msg_mime mime;
	struct gx_msgobj *m;
	uint32_t timer;
	size_t n;
	gx_ec ec = gx_msg_rcpts(t, w->x.mids[0], w->a, &rcpts, &n);
	if (!gx_ec_failed(ec))
		ec = gx_msg_brief(t, w->x.mids[0], w->a, &m);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_timer(t, w->x.mids[0], &timer);
	return gx_ec_failed(ec) ? ec : gx_msg_mime(t, w->x.mids[0], &mime);
}

static gx_ec run_lists(struct so_world *w, struct gx_txn *t)
{
	struct gx_receive *receive;
	struct gx_peruser *known;
	uint16_t *ids;
	uint32_t rights;
	int64_t member;
	size_t n;
	bool yes;
	gx_ec ec = gx_receive_list(t, w->a, &receive, &n);
	if (!gx_ec_failed(ec))
		ec = gx_store_named_list(t, w->a, &ids, &n);
	if (!gx_ec_failed(ec))
		ec = gx_store_named_all(t, w->a, &ids, &n);
	if (!gx_ec_failed(ec))
		ec = gx_store_rights(t, &rights);
	if (!gx_ec_failed(ec))
		ec = gx_folder_is_deleted(t, w->x.fid, &yes);
	if (!gx_ec_failed(ec))
		ec = gx_folder_is_below(t, GX_FID_ROOT, w->x.fid, &yes);
	if (!gx_ec_failed(ec))
		ec = gx_acl_member_id(t, "nobody@example.org", &member);
	if (!gx_ec_failed(ec) || gx_ec_is(ec, ecNotFound))
		ec = gx_peruser_list(t, gx_store_replica(w->s), w->a, &known, &n);
	return ec;
}

static bool pick_lists(struct so_world *w)
{
	return !w->public && pick_folder(w);
}

/* An appointment and a contact, where others look for them. */
static bool pick_people(struct so_world *w)
{
	struct gx_propname names[GX_BUSY_PROPS];
	uint16_t ids[GX_BUSY_PROPS], types[GX_BUSY_PROPS];
	struct gx_msgobj *m = gx_msgobj_new(w->a);
	struct gx_msg_ids saved;
	if (w->public)
		return false;
	for (unsigned i = 0; i < GX_BUSY_PROPS; i++)
		names[i] = gx_busy_name(i, &types[i]);
	struct gx_txn *t = st_begin(w->s, GX_TXN_WRITE);
	ST_OK(gx_store_named_ids(t, true, names, GX_BUSY_PROPS, ids));
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagSubject, "an appointment"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, w->a, PidTagMessageClass, "IPM.Appointment"), 0);
	for (unsigned i = 0; i < GX_BUSY_PROPS; i++)
		if (types[i] == PtypTime)
			ck_assert_int_eq(gx_proplist_set_time(&m->props, w->a, GX_PROP_TAG(ids[i], PtypTime), 134000000000000000 + (int64_t)i * 36000000000), 0);
	ST_OK(gx_msg_write(t, GX_FID_CALENDAR, m, NULL, &saved));
	st_commit(t);
	return true;
}

static gx_ec run_people(struct so_world *w, struct gx_txn *t)
{
	struct gx_busy *v;
	size_t n;
	bool known;
	int64_t from = 134000000000000000 / 10000000 - INT64_C(11644473600) - 86400;
	gx_ec ec = gx_freebusy(t, from, from + 7 * 86400, w->a, &v, &n);
	return gx_ec_failed(ec) ? ec : gx_contact_known(t, "somebody@example.org", &known);
}

static gx_ec run_view(struct so_world *w, struct gx_txn *t)
{
	struct gx_imapview *v = NULL;
	const char *const *words;
	(void)t;
	gx_ec ec = gx_imapview_open(w->s, &sys_actor, w->x.fid, &v);
	if (!gx_ec_failed(ec))
		ec = gx_imapview_refresh(v, true, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_store_keywords(w->s, gx_imapview_count(v) > 0 ? gx_imapview_at(v, 1).kwset : 0, w->a, &words);
	gx_imapview_close(v);
	return ec;
}

/* The view is the folder as it is, though something failed while it was made or kept current. */
static void check_view(struct so_world *w)
{
	struct gx_imapview *v = st_view(w->s, w->x.fid);
	size_t n = 0;
	for (size_t i = 0; i < w->nmsgs; i++) {
		const struct so_msg *m = &w->msg[i];
		if (m->fid != w->x.fid || (m->flags & (GX_MSGF_SOFTDEL | GX_MSGF_FAI)))
			continue;
		const struct gx_uid_entry entry = gx_imapview_at(v, gx_imapview_lower(v, m->uid)), *e = &entry;
		ck_assert(e->uid == m->uid && e->mid == m->mid && e->flags == (uint16_t)m->flags);
		n++;
	}
	ck_assert_uint_eq(n, gx_imapview_count(v));
	gx_imapview_close(v);
}

static const struct so_op rows[] = {
	{"read_folder", SO_READ, pick_folder, run_folder, NULL},
	{"read_message", SO_READ, pick_msg, run_msg, NULL},
	{"read_original", SO_READ, pick_msg, run_original, NULL},
	{"read_names", SO_READ, NULL, run_names, NULL},
	{"read_about", SO_READ, pick_msg, run_about, NULL},
	{"read_lists", SO_READ, pick_lists, run_lists, NULL},
	{"read_people", SO_READ, pick_people, run_people, NULL},
	{"view", SO_OWN, pick_folder, run_view, check_view},
};
SO_OPS(so_read_ops, rows);
