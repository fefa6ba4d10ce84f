/* SPDX-License-Identifier: Apache-2.0 */
/* What is new in a folder, taken apart as it comes: one message at a time is in memory. [MS-OXCFXICS] 3.3.5.3 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/entryid.h>
#include <gx/syncin.h>
#include "libgxproto/client/sync.h"

enum { CONTENTS = 1, HIERARCHY = 2 };
/* SynchronizationFlags, SynchronizationExtraFlags, [MS-OXCFXICS] 2.2.3.2.1.1.1 */
enum { UNICODE = 0x0001, READ_STATE = 0x0008, FAI = 0x0010, NORMAL = 0x0020, ONLY = 0x0080, BEST_BODY = 0x2000 };
enum { EXTRA_EID = 1, EXTRA_SIZE = 2, EXTRA_CN = 4, EXTRA_BY_TIME = 8 };

static const uint64_t message_most = UINT64_C(256) << 20;

struct mc_sync {
	struct gx_mapi_obj *o;
	bool contents, collector;
	uint64_t most;
	struct mc_state state, end;
	bool done;
	const struct gx_mapi_sync_ops *ops;
	void *ctx;
	struct gx_syncin *in;
	gx_ec ec;                      /* why the stream was stopped */
};

void gx_mapi__sync_free(struct mc_sync *s)
{
	if (s == NULL)
		return;
	gx_mapi__state_release(&s->state);
	gx_mapi__state_release(&s->end);
	free(s);
}

/* ---- Ids ---- */

/* A GID or XID: GUID, and a counter of six bytes. */
static int key_of(struct gx_bin key, struct gx_guid *ret_guid, uint64_t *ret_counter)
{
	struct gx_pull c;
	gx_pull_init(&c, key.data, key.len);
	*ret_guid = gx_pull_guid(&c);
	*ret_counter = gx_pull_u48be(&c);
	return c.err;
}

static int add_to(struct gx_idset *set, const struct gx_guid *guid, uint64_t counter)
{
	struct gx_globset *g;
	int err = gx_idset_need_guid(set, guid, &g);
	return err == 0 ? gx_globset_add(g, counter) : err;
}

/* The client has it from now on, in this version. */
static int note_change(struct mc_sync *s, const struct gx_proplist *l, bool fai)
{
	const struct gx_propval *key = gx_proplist_get(l, PidTagSourceKey), *cn = gx_proplist_get(l, PidTagChangeNumber);
	struct gx_guid guid;
	uint64_t counter;
	if (key == NULL)
		return GX_E_FORMAT;
	int err = key_of(key->v.bin, &guid, &counter);
	if (err == 0)
		err = add_to(&s->state.set[MC_GIVEN], &guid, counter);
	if (err == 0 && cn != NULL)
		err = add_to(&s->state.set[fai ? MC_SEEN_FAI : MC_SEEN], &s->o->store->u.st.replica, gx_eid_counter((uint64_t)cn->v.i64));
	return err;
}

static uint64_t id_of(const struct mc_sync *s, const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *v = gx_proplist_get(l, tag), *key = gx_proplist_get(l, PidTagSourceKey);
	struct gx_guid guid;
	uint64_t counter;
	if (v != NULL)
		return (uint64_t)v->v.i64;
	return key != NULL && key_of(key->v.bin, &guid, &counter) == 0 ? gx_eid_make(s->o->store->u.st.repl_id, counter) : 0;
}

static struct gx_bin bin_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	const struct gx_propval *v = gx_proplist_get(l, tag);
	return v == NULL ? (struct gx_bin){0} : v->v.bin;
}

/* ---- Events of the stream ---- */

/* What the caller says; anything but success stops the stream. */
static int said(struct mc_sync *s, gx_ec ec)
{
	s->ec = ec;
	return gx_ec_failed(ec) ? GX_E_STATE : 0;
}

static int on_message(const struct gx_syncin_message *m, void *ctx)
{
	struct mc_sync *s = ctx;
	const struct gx_proplist *l = m->header;
	const struct gx_propval *time = gx_proplist_get(l, PidTagLastModificationTime), *cn = gx_proplist_get(l, PidTagChangeNumber);
	const struct gx_mapi_change ch = {.id = id_of(s, l, PidTagMid), .change_number = cn == NULL ? 0 : (uint64_t)cn->v.i64,
		.source_key = bin_of(l, PidTagSourceKey), .change_key = bin_of(l, PidTagChangeKey),
		.predecessors = bin_of(l, PidTagPredecessorChangeList), .modified = time == NULL ? 0 : time->v.time,
		.associated = m->associated, .size = (uint32_t)gx_proplist_i32(l, PidTagMessageSize, 0)};
	int err = s->ops->message == NULL ? 0 : said(s, s->ops->message(&ch, m->msg, s->ctx));
	return err == 0 ? note_change(s, l, ch.associated) : err;
}

static int on_folder(const struct gx_proplist *l, void *ctx)
{
	struct mc_sync *s = ctx;
	int err = s->ops->folder == NULL ? 0 : said(s, s->ops->folder(id_of(s, l, PidTagFolderId), l, s->ctx));
	return err == 0 ? note_change(s, l, false) : err;
}

/* Ids that the server names and the client has. */
static int tell_ids(struct mc_sync *s, const struct gx_idset *ids, int (*tell)(struct mc_sync *s, uint64_t counter, bool yes), bool yes)
{
	const struct gx_globset *set = gx_idset_get(ids, s->o->store->u.st.repl_id);
	const struct gx_globset *given = gx_idset_get_guid(&s->state.set[MC_GIVEN], &s->o->store->u.st.replica);
	struct gx_globset had = GX_GLOBSET_INIT;
	struct gx_globset_iter it;
	struct gx_idrange r;
	int err = set != NULL && given != NULL ? gx_globset_union(&had, given) : 0; /* what is told changes the original */
	gx_globset_iter(&had, &it);
	while (err == 0 && gx_globset_next(&it, &r))
		for (uint64_t id = r.lo; id <= r.hi && err == 0; ++id)
			if (gx_globset_contains(set, id))
				err = tell(s, id, yes);
	gx_globset_release(&had);
	return err;
}

static int tell_deleted(struct mc_sync *s, uint64_t counter, bool gone)
{
	uint64_t id = gx_eid_make(s->o->store->u.st.repl_id, counter);
	int err = s->ops->deleted == NULL ? 0 : said(s, s->ops->deleted(id, gone, s->ctx));
	struct gx_globset *g;
	if (err == 0)
		err = gx_idset_need_guid(&s->state.set[MC_GIVEN], &s->o->store->u.st.replica, &g);
	return err == 0 ? gx_globset_remove(g, counter) : err;
}

static int tell_read(struct mc_sync *s, uint64_t counter, bool is_read)
{
	uint64_t id = gx_eid_make(s->o->store->u.st.repl_id, counter);
	return s->ops->read == NULL ? 0 : said(s, s->ops->read(id, is_read, s->ctx));
}

static int on_gone(gx_proptag_t why, const struct gx_idset *ids, void *ctx)
{
	return tell_ids(ctx, ids, tell_deleted, why == (gx_proptag_t)MetaTagIdsetDeleted);
}

static int on_read(bool is_read, const struct gx_idset *ids, void *ctx)
{
	return tell_ids(ctx, ids, tell_read, is_read);
}

static int on_state(const struct gx_syncin_state *st, void *ctx)
{
	struct mc_sync *s = ctx;
	int err = 0;
	for (int i = 0; i < MC_SETS && err == 0; ++i) {
		struct gx_pull c;
		gx_pull_init(&c, st->set[i].data, st->set[i].len);
		err = st->set[i].data == NULL ? 0 : gx_idset_pull(&c, &s->end.set[i]);
	}
	s->done = err == 0;
	return err;
}

/* ---- From outside ---- */

static gx_ec configure(struct gx_mapi_obj *folder, const struct gx_mapi_sync_opts *o, struct gx_mapi_obj **ret_o)
{
	const struct gx_rop_synchronization_configure_req q = {
		.synchronization_type = o->hierarchy ? HIERARCHY : CONTENTS,
		.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_FORCE_UNICODE,
		.synchronization_flags = (uint16_t)(UNICODE | (o->hierarchy ? 0 : NORMAL | READ_STATE) | (o->associated ? FAI : 0) |
			(o->only_tags ? ONLY : 0) | (o->best_body ? BEST_BODY : 0)),
		.restriction_data = o->restr,
		.synchronization_extra_flags = EXTRA_EID | EXTRA_CN | (o->hierarchy ? 0 : EXTRA_SIZE) | (o->newest_first ? EXTRA_BY_TIME : 0),
		.property_tags = o->tags, .property_tags_count = (uint32_t)o->tag_count,
	};
	return gx_mapi__make(folder, RopSynchronizationConfigure, &q, MC_SYNC, folder->c->scratch, ret_o, NULL);
}

static struct mc_sync *sync_new(struct gx_mapi_obj *o, bool contents)
{
	struct mc_sync *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->o = o;
	s->contents = contents;
	gx_mapi__state_init(&s->state);
	gx_mapi__state_init(&s->end);
	o->u.sync = s;
	return s;
}

/* Gives it the state, its own and the server's. */
static gx_ec set_state(struct gx_mapi_obj *o, struct gx_bin blob)
{
	struct mc_sync *s = o->u.sync;
	int err = gx_mapi__state_parse(blob, &s->state);
	if (err != 0)
		return err == GX_E_NOMEM ? gx_mapi__nomem(o->c) :
		       gx_mapi__fail(o->c, GX_EC(ecInvalidParam), "this is no state of a synchronisation: %s", gx_strerror(err));
	return gx_mapi__state_send(o, &s->state, s->contents);
}

gx_ec gx_mapi_sync_begin(struct gx_mapi_obj *folder, const struct gx_mapi_sync_opts *o, struct gx_mapi_obj **ret_sync)
{
	struct gx_mapi_obj *obj;
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	if (o == NULL || o->size != sizeof(*o) || o->tag_count > UINT16_MAX)
		return gx_mapi__fail(folder->c, GX_EC(ecInvalidParam), "options of a synchronisation");
	gx_ec ec = configure(folder, o, &obj);
	if (gx_ec_failed(ec))
		return ec;
	struct mc_sync *s = sync_new(obj, !o->hierarchy);
	ec = s == NULL ? gx_mapi__nomem(folder->c) : set_state(obj, o->state);
	if (gx_ec_failed(ec)) {
		gx_mapi_close(obj);
		return ec;
	}
	s->most = o->max_message != 0 ? o->max_message : message_most;
	*ret_sync = obj;
	return MC_OK;
}

static gx_ec take(const void *data, size_t n, uint32_t done, uint32_t total, void *ctx)
{
	struct mc_sync *s = ctx;
	struct gx_mapi *c = s->o->c;
	int err = gx_syncin_write(s->in, data, n);
	if (gx_ec_failed(s->ec))
		return s->ec;
	if (err == GX_E_LIMIT || err == GX_E_NOMEM)
		return gx_mapi__fail(c, GX_EC(ecTooBig), "a message has more than %llu bytes", (unsigned long long)s->most);
	if (err != 0)
		return gx_mapi__fail(c, GX_EC(ecCorruptData), "the stream: %s: %s", gx_strerror(err), gx_syncin_text(s->in));
	return s->ops->progress == NULL ? MC_OK : s->ops->progress(done, total, s->ctx);
}

static struct mc_sync *sync_of(struct gx_mapi_obj *o, bool collector)
{
	if (!gx_mapi__is(o, 1U << MC_SYNC))
		return NULL;
	if (o->u.sync != NULL && o->u.sync->collector == collector)
		return o->u.sync;
	(void)gx_mapi__fail(o->c, GX_EC(ecInvalidParam), collector ? "this is no collector" : "this is no download");
	return NULL;
}

gx_ec gx_mapi_sync_run(struct gx_mapi_obj *o, const struct gx_mapi_sync_ops *ops, void *ctx)
{
	static const struct gx_syncin_ops events = {.message = on_message, .folder = on_folder, .gone = on_gone, .read = on_read, .state = on_state};
	struct gx_syncin_opts opts = GX_SYNCIN_OPTS_INIT;
	struct mc_sync *s = sync_of(o, false);
	if (s == NULL)
		return o->c->error.ec;
	opts.hierarchy = !s->contents;
	opts.send_options = GX_FTX_SEND_UNICODE | GX_FTX_SEND_FORCE_UNICODE;
	opts.cp = o->c->o.code_page;
	opts.max_value = (uint32_t)(s->most < INT32_MAX ? s->most : INT32_MAX);
	opts.max_message = s->most < SIZE_MAX ? (size_t)s->most : SIZE_MAX;
	s->ops = ops;
	s->ctx = ctx;
	s->ec = MC_OK;
	gx_ec ec = gx_syncin_new(&opts, &events, s, &s->in) != 0 ? gx_mapi__nomem(o->c) : gx_mapi__get_stream(o, take, s);
	int err = s->in == NULL ? 0 : gx_syncin_end(s->in);
	if (!gx_ec_failed(ec) && (err != 0 || !s->done))
		ec = gx_mapi__fail(o->c, GX_EC(ecCorruptData), "the stream ends too early");
	gx_syncin_free(s->in);
	s->in = NULL;
	if (gx_ec_failed(ec))
		return ec;
	gx_mapi__state_release(&s->state);
	s->state = s->end;
	gx_mapi__state_init(&s->end);
	return MC_OK;
}

gx_ec gx_mapi_sync_state(struct gx_mapi_obj *o, struct gx_arena *a, struct gx_bin *ret_state)
{
	/* a call of the caller's that goes on needs what it has in memory: this is no call of its own then */
	struct mc_sync *s = o->kind == MC_SYNC && o->u.sync != NULL && o->u.sync->in != NULL ? o->u.sync : sync_of(o, false);
	if (s == NULL)
		return o->c->error.ec;
	int err = gx_mapi__state_make(&s->state, s->contents, a, ret_state);
	return err == 0 ? MC_OK : gx_mapi__nomem(o->c);
}

/* ---- Collectors: their state is the server's ---- */

gx_ec gx_mapi_collector(struct gx_mapi_obj *folder, bool hierarchy, struct gx_bin state, struct gx_mapi_obj **ret_collector)
{
	const struct gx_rop_synchronization_open_collector_req q = {!hierarchy};
	struct gx_mapi_obj *o;
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	gx_ec ec = gx_mapi__make(folder, RopSynchronizationOpenCollector, &q, MC_SYNC, folder->c->scratch, &o, NULL);
	if (gx_ec_failed(ec))
		return ec;
	struct mc_sync *s = sync_new(o, !hierarchy);
	if (s != NULL)
		s->collector = true;
	ec = s == NULL ? gx_mapi__nomem(folder->c) : set_state(o, state);
	if (gx_ec_failed(ec))
		gx_mapi_close(o);
	else
		*ret_collector = o;
	return ec;
}

bool gx_mapi__is_collector(struct gx_mapi_obj *o)
{
	return sync_of(o, true) != NULL;
}
