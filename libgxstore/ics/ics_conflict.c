/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/entryid.h>
#include <gx/folder.h>
#include <gx/instance.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/instance/inst-int.h"
#include "libgxstore/message/msg-int.h"

/*
 * Messages that were changed here and there. One that shows the conflict holds all versions as embedded messages, each
 * with its own key and list, and says what the winner says. Its own list is the merge of theirs. What
 * comes next is judged against each of them: a version that it was made from is gone, and when it was made from all of them, it
 * is the end of the conflict. [MS-OXCFXICS] 3.1.5.6.2
 *
 * A conflict that somebody has edited here since is one version again, which comes from all.
 */

enum { IN_CONFLICT = 0x800 };

static bool is_version(const struct gx_proplist *att)
{
	const struct gx_propval *pv = gx_proplist_get(att, PidTagInConflict);
	return pv != NULL && pv->v.b;
}

/* ---- Versions that a stored message holds ---- */

static int unpack(struct gx_arena *a, struct gx_bin row, struct gx_proplist *ret_l)
{
	uint8_t *kept = gx_arena_memdup(a, row.data, row.len);
	*ret_l = (struct gx_proplist){0};
	return kept == NULL ? GX_E_NOMEM : gx_prow_unpack(a, kept, row.len, ret_l);
}

static int read_held(struct gx_txn *t, uint64_t body, struct gx_arena *a, struct gx_ics_version **io_v, size_t *ret_n)
{
	size_t cap = 0, n = 0;
	GX_STMT(st, t->q, "SELECT a.props,b.props FROM att a JOIN body b ON b.id=a.embedded WHERE a.body=?1 AND a.embedded<>0 ORDER BY a.num");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_proplist att, msg;
		int err = unpack(a, gx_sql__blob(st, 0), &att);
		if (err == 0 && !is_version(&att))
			continue;
		err = err != 0 ? err : unpack(a, gx_sql__blob(st, 1), &msg);
		*io_v = err != 0 ? NULL : gx_arena_grow(a, *io_v, &cap, n + 1, sizeof(**io_v));
		if (*io_v == NULL)
			return err != 0 ? err : GX_E_NOMEM;
		(*io_v)[n++] = gx_ics__version_of(&msg);
	}
	*ret_n = n;
	return r;
}

/* Those that say which they are, and that the present version comes from: else it is one that knows nothing of them. */
static int are_its_own(struct gx_arena *a, const struct gx_ics_version *v, size_t n, const struct gx_ics_version *now, bool *ret_are)
{
	*ret_are = true;
	for (size_t i = 0; *ret_are && i < n; i++) {
		int order = GX_ICS_NEWER, err = v[i].change_key.len == 0 ? GX_E_FORMAT : gx_ics__check_version(a, &v[i]);
		if (err == 0 && now->change_key.len > 0)
			err = gx_ics_compare(a, &v[i], now, &order);
		if (err == GX_E_NOMEM)
			return err;
		*ret_are = err == 0 && (order == GX_ICS_NEWER || order == GX_ICS_SAME);
	}
	return 0;
}

/* Is the present version what shows them, or one that somebody has made since? */
static int shows(struct gx_arena *a, const struct gx_ics_version *v, size_t n, const struct gx_ics_version *now, bool *ret_own)
{
	gx_nttime_t latest = 0;
	for (size_t i = 0; i < n; i++)
		latest = v[i].modified > latest ? v[i].modified : latest;
	*ret_own = false;
	return latest != now->modified ? 0 : are_its_own(a, v, n, now, ret_own);
}

int gx_ics__held(struct gx_txn *t, const struct gx_msg_row *r, const struct gx_ics_version *now, struct gx_arena *a,
	struct gx_ics_version **ret_v, size_t *ret_n)
{
	struct gx_proplist stored;
	struct gx_ics_version *v = NULL;
	size_t n = 0;
	bool own = false;
	*ret_n = 0;
	int err = gx_body__stored(t, r->body, a, &stored);
	if (err != 0 || !(gx_proplist_i32(&stored, PidTagMessageStatus, 0) & IN_CONFLICT))
		return err;
	err = read_held(t, r->body, a, &v, &n);
	if (err == 0 && n > 1)
		err = shows(a, v, n, now, &own);
	if (err != 0 || !own)
		return err;
	*ret_v = v;
	*ret_n = n;
	return 0;
}

/* @ret_order GX_ICS_*: what a version is to all of them. */
int gx_ics__judge(struct gx_arena *a, const struct gx_ics_version *held, size_t n, const struct gx_ics_version *incoming, int *ret_order)
{
	int all = GX_ICS_NEWER;
	for (size_t i = 0; i < n; i++) {
		int order, err = gx_ics_compare(a, &held[i], incoming, &order);
		if (err != 0)
			return err;
		if (order == GX_ICS_SAME || order == GX_ICS_OLDER) {
			*ret_order = order;
			return 0;
		}
		all = order == GX_ICS_CONFLICT ? GX_ICS_CONFLICT : all;
	}
	*ret_order = all;
	return 0;
}

/* ---- What the message becomes ---- */

struct gather {
	struct gx_txn *t;
	struct gx_arena *a;
	const struct gx_ics_version *incoming;
	const struct gx_msgobj **v;
	size_t n, cap;
	const struct gx_msgobj *best;
	struct gx_ics_version best_version;
};

static int add(struct gather *g, const struct gx_msgobj *m, const struct gx_ics_version *v)
{
	g->v = gx_arena_grow(g->a, g->v, &g->cap, g->n + 1, sizeof(*g->v));
	if (g->v == NULL)
		return GX_E_NOMEM;
	g->v[g->n++] = m;
	if (g->best == NULL || gx_ics_wins(v, &g->best_version)) {
		g->best = m;
		g->best_version = *v;
	}
	return 0;
}

/* The object as this version. */
static int stamp(struct gx_arena *a, const struct gx_msgobj *m, const struct gx_ics_version *v, struct gx_msgobj **ret_m)
{
	struct gx_msgobj *out = gx_arena_new_obj(a, struct gx_msgobj);
	if (out == NULL)
		return GX_E_NOMEM;
	*out = *m;
	out->props = (struct gx_proplist){0};
	int err = 0;
	for (size_t i = 0; i < m->props.count && err == 0; i++)
		err = gx_proplist_set(&out->props, a, m->props.v[i].tag, m->props.v[i].v);
	int32_t status = gx_proplist_i32(&m->props, PidTagMessageStatus, 0);
	gx_proplist_remove(&out->props, PidTagChangeNumber);
	if (err == 0 && (status & IN_CONFLICT))
		err = gx_proplist_set_i32(&out->props, a, PidTagMessageStatus, status & ~IN_CONFLICT);
	err = err != 0 ? err : gx_proplist_set_bin(&out->props, a, PidTagChangeKey, v->change_key.data, v->change_key.len);
	err = err != 0 ? err : gx_proplist_set_bin(&out->props, a, PidTagPredecessorChangeList, v->pcl.data, v->pcl.len);
	if (err == 0 && v->modified != 0)
		err = gx_proplist_set_time(&out->props, a, PidTagLastModificationTime, v->modified);
	*ret_m = out;
	return err;
}

/* Those that the incoming one was not made from. */
static int add_held(struct gather *g, const struct gx_msgobj *m)
{
	for (size_t i = 0; i < m->att_count; i++) {
		int order;
		if (m->atts[i].embedded == NULL || !is_version(&m->atts[i].props))
			continue;
		struct gx_ics_version v = gx_ics__version_of(&m->atts[i].embedded->props);
		int err = gx_ics_compare(g->a, &v, g->incoming, &order);
		if (err == 0 && order == GX_ICS_CONFLICT)
			err = add(g, m->atts[i].embedded, &v);
		if (err != 0)
			return err;
	}
	return 0;
}

/* The stored message as one version; what it kept of an older conflict is in its past. */
static int add_stored(struct gather *g, const struct gx_msgobj *m, const struct gx_ics_version *v)
{
	struct gx_msgobj *own;
	int err = stamp(g->a, m, v, &own);
	if (err != 0)
		return err;
	own->atts = gx_arena_new_array(g->a, struct gx_attach, m->att_count);
	own->att_count = 0;
	if (own->atts == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < m->att_count; i++)
		if (!is_version(&m->atts[i].props))
			own->atts[own->att_count++] = m->atts[i];
	return add(g, own, v);
}

static gx_ec gather(struct gather *g, uint64_t mid)
{
	struct gx_ics_version now, *held;
	struct gx_msgobj *m;
	struct gx_msg_row r;
	size_t n = 0;
	gx_ec ec = gx_ics__version(g->t, mid, g->a, &now);
	if (!gx_ec_failed(ec))
		ec = gx_msg_read(g->t, mid, g->a, &m);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_msg__row(g->t, mid, &r);
	err = err != 0 ? err : gx_ics__held(g->t, &r, &now, g->a, &held, &n);
	err = err != 0 ? err : n > 0 ? add_held(g, m) : add_stored(g, m, &now);
	return gx_txn__ec(g->t, err);
}

gx_ec gx_ics__resolve(struct gx_txn *t, uint64_t mid, const struct gx_msgobj *theirs, const struct gx_ics_version *v,
	struct gx_ics_resolved *ret_r)
{
	struct gather g = {.t = t, .a = t->a, .incoming = v};
	struct gx_msgobj *m;
	gx_ec ec = gather(&g, mid);
	if (gx_ec_failed(ec))
		return ec;
	int err = stamp(t->a, theirs, v, &m);
	err = err != 0 ? err : add(&g, m, v);
	if (err == 0)
		*ret_r = (struct gx_ics_resolved){.versions = g.v, .n = g.n, .winner = g.best, .modified = g.best_version.modified};
	return gx_txn__ec(t, err);
}

/* ---- For those that send messages ---- */

int gx_ics_versions(struct gx_arena *a, const struct gx_msgobj *m, const struct gx_msgobj ***ret_v, size_t *ret_n)
{
	const struct gx_msgobj **v = gx_arena_new_array(a, const struct gx_msgobj *, m->att_count);
	struct gx_ics_version *held = gx_arena_new_array(a, struct gx_ics_version, m->att_count);
	const struct gx_ics_version now = gx_ics__version_of(&m->props);
	bool own = (gx_proplist_i32(&m->props, PidTagMessageStatus, 0) & IN_CONFLICT) != 0;
	size_t n = 0;
	if (v == NULL || held == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; own && i < m->att_count; i++) {
		if (m->atts[i].embedded == NULL || !is_version(&m->atts[i].props))
			continue;
		held[n] = gx_ics__version_of(&m->atts[i].embedded->props);
		v[n++] = m->atts[i].embedded;
	}
	int err = own && n > 1 ? shows(a, held, n, &now, &own) : 0;
	if (err != 0)
		return err;
	*ret_v = v;
	*ret_n = own && n > 1 ? n : 0;
	return 0;
}

/* [MS-OXCFXICS] 3.1.5.6.3.1 */
gx_ec gx_ics_conflict_notice(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_msgobj **ret_m)
{
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagEntryId};
	struct gx_folder_info folder;
	struct gx_msg_info info;
	struct gx_proplist l;
	struct gx_msgobj *m = gx_msgobj_new(a);
	gx_ec ec = m == NULL ? gx_txn__ec(t, GX_E_NOMEM) : gx_msg_get(t, mid, &info);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get_props(t, mid, tags, 2, a, &l);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get(t, info.fid, a, &folder);
	if (gx_ec_failed(ec))
		return ec;
	const struct gx_propval *id = gx_proplist_get(&l, PidTagEntryId);
	const char *subject = gx_proplist_str(&l, PidTagSubject, "");
	int err = gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Conflict.Message");
	err = err != 0 ? err : gx_proplist_set_str(&m->props, a, PidTagSenderName, folder.name);
	err = err != 0 ? err : gx_proplist_set_str(&m->props, a, PidTagOriginalSubject, subject);
	err = err != 0 ? err : gx_proplist_set_str(&m->props, a, PidTagSubject, subject);
	if (err == 0 && id != NULL)
		err = gx_proplist_set_bin(&m->props, a, PidTagConflictEntryId, id->v.bin.data, id->v.bin.len);
	if (err == 0)
		*ret_m = m;
	return gx_txn__ec(t, err);
}
