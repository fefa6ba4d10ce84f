/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream "contentsSync": changed messages one by one, what is gone, read states, the state that the client then
 * has. [MS-OXCFXICS] 2.2.4.3.2, 3.2.5.9.1.1
 *
 * What changed is known from the first buffer on; each message is read when its turn comes. One that has gone by then is left out, and
 * one that was changed again comes in its newer version. The state follows what was handed out, so that a client that stops in the
 * middle and asks for it goes on from there.
 */
#include <config.h>
#include <stdlib.h>
#include "libgxproto/emsmdb/sync.h"

enum { IN_CONFLICT = 0x800 };
enum { PROGRESS, CHANGES, DELETIONS, READS, STATE, FINISHED };

static struct gx_ems_sync *self(struct gx_ems_source *s)
{
	return (struct gx_ems_sync *)s;
}

static gx_ec start(struct gx_ems_source *s)
{
	struct gx_ems_sync *x = self(s);
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_txn *t = gx_ems__source_txn(s);
	const struct gx_globset *set = x->state.set;
	o.given = &set[GX_EMS_GIVEN];
	o.seen = x->flags & GX_SYNC_NORMAL ? &set[GX_EMS_SEEN] : NULL;
	o.seen_fai = x->flags & GX_SYNC_FAI ? &set[GX_EMS_SEEN_FAI] : NULL;
	o.read = x->flags & GX_SYNC_READ_STATE ? &set[GX_EMS_READ] : NULL;
	o.restr = x->restr;
	o.ordered = (x->extra & GX_SYNC_EXTRA_BY_TIME) != 0;
	gx_ec ec = t == NULL ? s->ec : gx_ics_content_open(t, x->fid, &o, &x->list);
	if (!gx_ec_failed(ec))
		s->total = gx_ics_content_count(x->list) + 1;
	x->step = x->flags & GX_SYNC_PROGRESS ? PROGRESS : CHANGES;
	return ec;
}

static int put_progress(struct gx_ems_sync *x)
{
	const struct gx_ics_summary *sum = gx_ics_content_summary(x->list);
	const struct gx_progress_information p = {.fai_message_count = (uint32_t)sum->fai_count, .fai_message_total_size = sum->fai_size,
		.normal_message_count = (uint32_t)sum->normal_count, .normal_message_total_size = sum->normal_size};
	x->step = CHANGES;
	int err = gx_ftx_out_marker(x->src.out, IncrSyncProgressMode);
	return err != 0 ? err : gx_ftx_out_struct(x->src.out, GX_FTX_PROGRESS_INFORMATION_TAG, GX_FTX_PROGRESS_INFORMATION, &p);
}

/* ---- A message ---- */

static int put_message_progress(struct gx_ems_sync *x)
{
	struct gx_ftx_out *out = x->src.out;
	const union gx_value fai = {.b = x->now.fai};
	if (!(x->flags & GX_SYNC_PROGRESS))
		return 0;
	int err = gx_ftx_out_marker(out, IncrSyncProgressPerMsg);
	err = err != 0 ? err : gx_ftx_out_u32(out, GX_FTX_MESSAGE_SIZE_TAG, x->now.size > INT32_MAX ? INT32_MAX : (uint32_t)x->now.size);
	return err != 0 ? err : gx_ftx_out_prop(out, GX_FTX_MESSAGE_FAI_TAG, NULL, &fai);
}

static int put_from(struct gx_ftx_out *out, const struct gx_proplist *l, const gx_proptag_t *tags, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; ++i) {
		const struct gx_propval *pv = gx_proplist_get(l, tags[i]);
		err = pv == NULL ? GX_E_FORMAT : gx_ftx_out_prop(out, pv->tag, NULL, &pv->v);
	}
	return err;
}

static int put_ids(struct gx_ems_sync *x)
{
	struct gx_ftx_out *out = x->src.out;
	const union gx_value fai = {.b = x->now.fai}, mid = {.i64 = (int64_t)gx_eid_wire(x->now.mid)}, cn = {.i64 = (int64_t)gx_eid_wire(x->now.cn)};
	int err = gx_ftx_out_prop(out, PidTagAssociated, NULL, &fai);
	if (err == 0 && (x->extra & GX_SYNC_EXTRA_EID))
		err = gx_ftx_out_prop(out, PidTagMid, NULL, &mid);
	if (err == 0 && (x->extra & GX_SYNC_EXTRA_SIZE))
		err = gx_ftx_out_u32(out, PidTagMessageSize, x->now.size > INT32_MAX ? INT32_MAX : (uint32_t)x->now.size);
	if (err == 0 && (x->extra & GX_SYNC_EXTRA_CN))
		err = gx_ftx_out_prop(out, PidTagChangeNumber, NULL, &cn);
	return err;
}

/* messageChangeHeader, [MS-OXCFXICS] 2.2.4.3.14; @l has the version. */
static int put_header(struct gx_ems_sync *x, const struct gx_proplist *l, struct gx_bin source_key)
{
	static const gx_proptag_t version[] = {PidTagLastModificationTime, PidTagChangeKey, PidTagPredecessorChangeList};
	struct gx_ftx_out *out = x->src.out;
	int err = put_message_progress(x);
	err = err != 0 ? err : gx_ftx_out_marker(out, IncrSyncChg);
	err = err != 0 ? err : gx_ftx_out_bin(out, PidTagSourceKey, source_key.data, source_key.len);
	err = err != 0 ? err : put_from(out, l, version, sizeof(version) / sizeof(version[0]));
	err = err != 0 ? err : put_ids(x);
	return err != 0 ? err : gx_ftx_out_marker(out, IncrSyncMessage);
}

static int begin_message(struct gx_ems_sync *x, struct gx_inst *inst, struct gx_bin source_key)
{
	static const gx_proptag_t tags[] = {PidTagLastModificationTime, PidTagChangeKey, PidTagPredecessorChangeList};
	struct gx_ems_source *s = &x->src;
	struct gx_proplist l;
	gx_ec ec = gx_inst_get_props(s->t, inst, tags, sizeof(tags) / sizeof(tags[0]), 0, s->a, &l);
	if (gx_ec_failed(ec)) {
		gx_inst_free(inst);
		return gx_ems__source_failed(s, ec);
	}
	int err = put_header(x, &l, source_key);
	if (err != 0) {
		gx_inst_free(inst);
		return err;
	}
	ec = gx_ems__items_begin(&x->items, inst, x->conflict != NULL ? &x->filter_version : x->now.fai ? &x->filter_fai : &x->filter, 0);
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : 0;
}

static int key_of(struct gx_ems_sync *x, struct gx_bin *ret_key)
{
	return gx_entryid_gid(x->src.a, gx_store_replica(x->src.c->logon->store), x->now.mid, ret_key);
}

/* ---- Messages in conflict are sent as their versions, [MS-OXCFXICS] 3.1.5.6.2.1 ---- */

static int note_versions(struct gx_ems_sync *x, const struct gx_msgobj *m, const struct gx_msgobj *const *v, size_t n)
{
	x->versions = calloc(n, sizeof(*x->versions));
	x->version_count = x->version_at = 0;
	if (x->versions == NULL)
		return GX_E_NOMEM;
	for (size_t k = 0; k < n; ++k)
		for (size_t i = 0; i < m->att_count; ++i)
			if (m->atts[i].embedded == v[k])
				x->versions[x->version_count++] = (uint64_t)gx_proplist_i32(&m->atts[i].props, PidTagAttachNumber, 0);
	return 0;
}

/* @ret_is false: it is one message. */
static int look_for_versions(struct gx_ems_sync *x, struct gx_inst *inst, bool *ret_is)
{
	static const gx_proptag_t tag = PidTagMessageStatus;
	struct gx_ems_source *s = &x->src;
	struct gx_proplist l;
	struct gx_msgobj *m;
	const struct gx_msgobj **v;
	size_t n;
	*ret_is = false;
	gx_ec ec = gx_inst_get_props(s->t, inst, &tag, 1, 0, s->a, &l);
	if (gx_ec_failed(ec) || !(gx_proplist_i32(&l, tag, 0) & IN_CONFLICT))
		return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : 0;
	ec = gx_inst_read(s->t, inst, s->a, &m);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	int err = gx_ics_versions(s->a, m, &v, &n);
	if (err == 0 && n > 0)
		err = note_versions(x, m, v, n);
	*ret_is = err == 0 && n > 0;
	return err;
}

/* Whether it was read is the message's; what its versions say of it is of another time. */
static int put_version_state(struct gx_ems_sync *x)
{
	static const gx_proptag_t tags[] = {PidTagMessageFlags, PidTagRead};
	struct gx_ems_source *s = &x->src;
	struct gx_proplist l, wanted = {0};
	gx_ec ec = gx_inst_get_props(s->t, x->conflict, tags, sizeof(tags) / sizeof(tags[0]), 0, s->a, &l);
	for (size_t i = 0; !gx_ec_failed(ec) && i < l.count; ++i)
		if (gx_ems__filter_wants(&x->filter_version, l.v[i].tag))
			ec = gx_ec_from_err(gx_proplist_set(&wanted, s->a, l.v[i].tag, l.v[i].v));
	return gx_ec_failed(ec) ? gx_ems__source_failed(s, ec) : gx_ems__put_props(s, &wanted, NULL, NULL);
}

static void end_versions(struct gx_ems_sync *x)
{
	gx_inst_free(x->conflict);
	free(x->versions);
	x->conflict = NULL;
	x->versions = NULL;
}

static int next_version(struct gx_ems_sync *x)
{
	struct gx_ems_source *s = &x->src;
	struct gx_inst *att, *m = NULL;
	struct gx_bin key;
	if (x->version_at == x->version_count) {
		end_versions(x);
		return 0;
	}
	gx_ec ec = gx_inst_att_open(s->t, x->conflict, (uint32_t)x->versions[x->version_at++], GX_INST_READ, &att);
	if (!gx_ec_failed(ec)) {
		ec = gx_inst_embedded_open(s->t, att, false, GX_INST_READ, &m);
		gx_inst_free(att);
	}
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	int err = key_of(x, &key);
	if (err != 0) {
		gx_inst_free(m);
		return err;
	}
	err = begin_message(x, m, key);
	return err != 0 ? err : put_version_state(x);
}

/* ---- All of them ---- */

/* It was deleted or moved away since: not sent, and not given; who had it hears of it next time. */
static int pass_over(struct gx_ems_sync *x)
{
	int err = x->now.updated ? 0 : gx_globset_add(&x->gone, x->now.mid);
	x->now.mid = 0;
	return err;
}

static int open_message(struct gx_ems_sync *x)
{
	struct gx_ems_source *s = &x->src;
	struct gx_inst *inst;
	struct gx_inst_info info;
	struct gx_bin key;
	bool conflict;
	/* a search folder shows messages of others */
	gx_ec ec = gx_inst_open(s->t, 0, x->now.mid, GX_INST_READ, &inst);
	if (gx_ec_is(ec, ecNotFound) || gx_ec_is(ec, ecAccessDenied))
		return pass_over(x);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	gx_inst_info(inst, &info);
	x->now.cn = info.cn;
	int err = look_for_versions(x, inst, &conflict);
	if (err == 0 && conflict) {
		x->conflict = inst;
		return next_version(x);
	}
	err = err != 0 ? err : key_of(x, &key);
	if (err == 0)
		return begin_message(x, inst, key);
	gx_inst_free(inst);
	return err;
}

static int next_change(struct gx_ems_sync *x)
{
	struct gx_ems_source *s = &x->src;
	bool more;
	gx_ems__sync_ends(x);
	gx_ec ec = gx_ics_content_next(x->list, &x->now, &more);
	if (gx_ec_failed(ec))
		return gx_ems__source_failed(s, ec);
	if (!more) {
		x->now.mid = 0;
		x->step = DELETIONS;
		return 0;
	}
	++s->done;
	return open_message(x);
}

static int put_changes(struct gx_ems_sync *x)
{
	struct gx_ems_source *s = &x->src;
	if (x->items.top != NULL) {
		int r = gx_ems__items_next(&x->items, s);
		return r < 0 ? r : 0;
	}
	if (gx_ems__source_txn(s) == NULL)
		return gx_ems__source_failed(s, s->ec);
	return x->conflict != NULL ? next_version(x) : next_change(x);
}

/* ---- What is gone, read states ---- */

static int put_deletions(struct gx_ems_sync *x)
{
	struct gx_ftx_out *out = x->src.out;
	const struct gx_globset *deleted = gx_ics_content_set(x->list, GX_ICS_DELETED), *out_of = gx_ics_content_set(x->list, GX_ICS_NOLONGER);
	bool scope = !(x->flags & GX_SYNC_IGNORE_NO_LONGER_IN_SCOPE) && out_of->count != 0;
	x->step = READS;
	if ((x->flags & GX_SYNC_NO_DELETIONS) || (deleted->count == 0 && !scope))
		return 0;
	int err = gx_ftx_out_marker(out, IncrSyncDel);
	err = err != 0 ? err : gx_ems__put_idset(out, MetaTagIdsetDeleted, deleted);
	return err != 0 || !scope ? err : gx_ems__put_idset(out, MetaTagIdsetNoLongerInScope, out_of);
}

/* The client has heard what is gone. */
static int note_deletions(struct gx_ems_sync *x)
{
	struct gx_globset *given = &x->state.set[GX_EMS_GIVEN];
	int err = x->flags & GX_SYNC_NO_DELETIONS ? 0 : gx_globset_subtract(given, gx_ics_content_set(x->list, GX_ICS_DELETED));
	if (err == 0 && !(x->flags & (GX_SYNC_NO_DELETIONS | GX_SYNC_IGNORE_NO_LONGER_IN_SCOPE)))
		err = gx_globset_subtract(given, gx_ics_content_set(x->list, GX_ICS_NOLONGER));
	return err;
}

static int put_reads(struct gx_ems_sync *x)
{
	struct gx_ftx_out *out = x->src.out;
	const struct gx_globset *read = gx_ics_content_set(x->list, GX_ICS_READ), *unread = gx_ics_content_set(x->list, GX_ICS_UNREAD);
	x->step = STATE;
	int err = note_deletions(x);
	if (err != 0 || (read->count == 0 && unread->count == 0))
		return err;
	err = gx_ftx_out_marker(out, IncrSyncRead);
	err = err != 0 ? err : gx_ems__put_idset(out, MetaTagIdsetRead, read);
	return err != 0 ? err : gx_ems__put_idset(out, MetaTagIdsetUnread, unread);
}

/* ---- The state at the end ---- */

/* What the client was not told to drop it goes on having. */
static int final_given(struct gx_ems_sync *x)
{
	struct gx_globset *given = &x->end.set[GX_EMS_GIVEN];
	int err = gx_globset_union(given, gx_ics_content_set(x->list, GX_ICS_GIVEN));
	err = err != 0 ? err : gx_globset_subtract(given, &x->gone);
	if (err == 0 && (x->flags & GX_SYNC_NO_DELETIONS))
		err = gx_globset_union(given, gx_ics_content_set(x->list, GX_ICS_DELETED));
	if (err == 0 && (x->flags & (GX_SYNC_NO_DELETIONS | GX_SYNC_IGNORE_NO_LONGER_IN_SCOPE)))
		err = gx_globset_union(given, gx_ics_content_set(x->list, GX_ICS_NOLONGER));
	return err;
}

/* All up to @last, and what came newer than it was announced; as before, if these were not asked for. */
static int final_numbers(struct gx_ems_sync *x, int which, bool wanted, uint64_t last)
{
	struct gx_globset *g = &x->end.set[which];
	int err = gx_globset_union(g, &x->state.set[which]);
	return err != 0 || !wanted || last == 0 ? err : gx_globset_add_range(g, 1, last);
}

static int put_state(struct gx_ems_sync *x)
{
	const struct gx_ics_summary *sum = gx_ics_content_summary(x->list);
	int err = final_given(x);
	err = err != 0 ? err : final_numbers(x, GX_EMS_SEEN, (x->flags & GX_SYNC_NORMAL) != 0, sum->last_cn);
	err = err != 0 ? err : final_numbers(x, GX_EMS_SEEN_FAI, (x->flags & GX_SYNC_FAI) != 0, sum->last_cn);
	err = err != 0 ? err : final_numbers(x, GX_EMS_READ, (x->flags & GX_SYNC_READ_STATE) != 0, sum->last_readcn);
	if (err == 0 && x->before.mid != 0)
		err = gx_globset_add(&x->end.set[x->before.fai ? GX_EMS_SEEN_FAI : GX_EMS_SEEN], x->before.cn);
	x->step = FINISHED;
	return err != 0 ? err : gx_ems__sync_put_end(x);
}

static int next(struct gx_ems_source *s)
{
	struct gx_ems_sync *x = self(s);
	int err = gx_ems__sync_settle(x);
	if (err != 0)
		return err;
	switch (x->step) {
	case PROGRESS: err = put_progress(x); break;
	case CHANGES: err = put_changes(x); break;
	case DELETIONS: err = put_deletions(x); break;
	case READS: err = put_reads(x); break;
	case STATE: err = put_state(x); break;
	default: gx_ems__sync_finish(x); return 0;
	}
	return err != 0 ? err : 1;
}

static void release(struct gx_ems_source *s)
{
	struct gx_ems_sync *x = self(s);
	gx_ems__items_release(&x->items);
	end_versions(x);
	gx_ics_content_free(x->list);
	gx_globset_release(&x->gone);
	gx_ems__state_release(&x->state);
	gx_ems__state_release(&x->end);
	gx_arena_free(x->keep);
}

const struct gx_ems_source_ops gx_ems__contents_ops = {start, next, release};
