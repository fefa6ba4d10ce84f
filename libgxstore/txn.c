/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/search-int.h"
#include "libgxstore/table/table-int.h"

#define VOPS_MAX 65536U /* 3 MiB; beyond, views of the folder are read again instead */

static const struct gx_actor system_actor = GX_ACTOR_SYSTEM;

static void txn_free(struct gx_txn *t)
{
	gx_push_release(&t->rendered);
	gx_push_release(&t->envelope);
	gx_push_release(&t->structure);
	gx_change__release(t);
	gx_order__release(t);
	gx_tables__note_release(t);
	free(t->vops);
	gx_push_release(&t->events.bytes);
	gx_arena_free(t->a);
	free(t);
}

static void give_back(struct gx_txn *t)
{
	gx_sql__done(t->mime_stmt);
	t->mime_stmt = NULL;
	if (t->mode == GX_TXN_WRITE)
		gx_conn__give_writer(t->s);
	else
		gx_conn__give_reader(t->s, t->c);
}

static int take(struct gx_txn *t, int deadline_ms)
{
	struct gx_store *s = t->s;
	int admitted = t->actor->user == NULL ? 0 : gx_conn__admit(s, deadline_ms);
	if (admitted != 0)
		return admitted;
	if (t->mode == GX_TXN_READ)
		return gx_conn__take_reader(s, deadline_ms, &t->c, t->why, sizeof(t->why));
	int err = gx_conn__take_writer(s, deadline_ms);
	if (err != 0)
		return err;
	t->c = s->writer;
	err = !t->brief ? gx_flush__healthy(s) : gx_flush__is_healthy(s) ? 0 : GX_E_TIMEOUT;
	if (err != 0)
		gx_conn__give_writer(s);
	return err;
}

/* The mark of a store in use is safe before anything else is: it is what a power loss is recognised by. */
static int mark(struct gx_txn *t)
{
	struct gx_store *s = t->s;
	bool due;
	int err = gx_sql__begin(t->q, true);
	if (err == 0)
		err = gx_store__mark(s, t->q);
	if (err == 0)
		err = gx_sql__commit(t->q);
	if (err == 0)
		err = gx_flush__to_as_writer(s, gx_flush__committed(s, 0, &due));
	if (err == 0)
		s->marked = true;
	return err;
}

static int start(struct gx_txn *t)
{
	t->q = t->c->q;
	if (t->mode == GX_TXN_READ)
		return gx_sql__begin(t->q, false);
	int err = t->s->marked || t->look ? 0 : mark(t);
	if (err == 0)
		err = gx_sql__begin(t->q, true);
	if (err != 0)
		return err == GX_E_BUSY ? GX_E_TIMEOUT : err;
	return gx_fstate__get(t, 0, &t->store_state);
}

static void rollback(struct gx_txn *t)
{
	gx_sql__done(t->mime_stmt);
	t->mime_stmt = NULL;
	if (gx_sql__rollback(t->q) != 0)
		gx_log(t->s->log, GX_LOG_ERROR, "rollback: %s", t->q->why);
	if (t->mode != GX_TXN_WRITE)
		return;
	gx_content__aborted(t->c->cio);
	if (gx_content__sweep_due(t->c->cio, 0))
		atomic_store(&t->s->sweep, true);
	gx_order__aborted(t);
	gx_searches__forget(t->s->searches);
}

/* Functions that need more than the owner of the store is asked for find a database that refuses everything. */
static int begin_far(struct gx_store *s, const struct gx_actor *actor, int mode, int deadline_ms, struct gx_txn **ret_txn)
{
	struct gx_txn *t = calloc(1, sizeof(*t));
	if (t == NULL || (t->a = gx_arena_new(0)) == NULL) {
		free(t);
		return GX_E_NOMEM;
	}
	t->s = s;
	t->actor = actor;
	t->mode = mode;
	t->q = gx_sql__none(t->a, GX_E_UNSUP, "this cannot be done on a store of another process");
	t->c = gx_arena_new_obj(t->a, struct gx_conn);
	t->store_state = gx_arena_new_obj(t->a, struct gx_fstate);
	int err = t->q == NULL || t->c == NULL || t->store_state == NULL ? GX_E_NOMEM : s->ops->begin(t, deadline_ms);
	if (err != 0) {
		txn_free(t);
		return err;
	}
	t->c->q = t->q;
	*ret_txn = t;
	return 0;
}

enum { LOOK = 1, BRIEF = 2 };

static int begin(
	struct gx_store *s, const struct gx_actor *actor, int mode, unsigned how, int deadline_ms, struct gx_txn **ret_txn)
{
	if (s->ops != NULL)
		return GX_E_UNSUP;
	struct gx_txn *t = calloc(1, sizeof(*t));
	if (t == NULL || (t->a = gx_arena_new(0)) == NULL) {
		free(t);
		return GX_E_NOMEM;
	}
	t->s = s;
	t->actor = actor;
	t->mode = mode;
	t->look = how == LOOK;
	t->brief = how == BRIEF;
	int err = take(t, deadline_ms);
	if (err != 0) {
		txn_free(t);
		return err;
	}
	err = start(t);
	if (err != 0) {
		gx_log(s->log, GX_LOG_ERROR, "%s", t->q->why);
		rollback(t);
		give_back(t);
		txn_free(t);
		return err;
	}
	*ret_txn = t;
	return 0;
}

int gx_txn_begin(struct gx_store *s, const struct gx_actor *actor, int mode, int deadline_ms, struct gx_txn **ret_txn)
{
	if (s == NULL || actor == NULL || ret_txn == NULL || (mode != GX_TXN_READ && mode != GX_TXN_WRITE))
		return GX_E_INVAL;
	return s->ops != NULL ? begin_far(s, actor, mode, deadline_ms, ret_txn) : begin(s, actor, mode, 0, deadline_ms, ret_txn);
}

int gx_txn__version(struct gx_txn *t, uint64_t *ret_v)
{
	if (t->mode == GX_TXN_WRITE) {
		*ret_v = t->store_state->modseq;
		return 0;
	}
	if (t->version == 0) {
		GX_STMT(st, t->q, "SELECT modseq FROM fstate WHERE fid=0");
		int r = gx_sql__step(st);
		if (r <= 0)
			return r == 0 ? GX_E_FORMAT : r;
		t->version = gx_sql__u64(st, 0);
	}
	*ret_v = t->version;
	return 0;
}

int gx_txn__renew(struct gx_txn *t)
{
	assert(t->mode == GX_TXN_READ);
	gx_sql__done(t->mime_stmt);
	t->mime_stmt = NULL;
	t->rendered_mid = 0;
	t->version = 0;
	memset(t->fs, 0, sizeof(t->fs));
	int err = gx_sql__rollback(t->q);
	if (err != 0)
		return err;
	gx_conn__unveiled(t->s);
	return gx_sql__begin(t->q, false);
}

int gx_txn__system(struct gx_store *s, int mode, int deadline_ms, struct gx_txn **ret_t)
{
	return begin(s, &system_actor, mode, 0, deadline_ms, ret_t);
}

int gx_txn__look(struct gx_store *s, int deadline_ms, struct gx_txn **ret_t)
{
	return begin(s, &system_actor, GX_TXN_WRITE, LOOK, deadline_ms, ret_t);
}

int gx_txn__brief(struct gx_store *s, int deadline_ms, struct gx_txn **ret_t)
{
	return begin(s, &system_actor, GX_TXN_WRITE, BRIEF, deadline_ms, ret_t);
}

void gx_txn_abort(struct gx_txn *t)
{
	if (t == NULL)
		return;
	if (gx_far(t) != NULL) {
		gx_far(t)->abort(t);
		txn_free(t);
		return;
	}
	rollback(t);
	give_back(t);
	txn_free(t);
}

static int end_read(struct gx_txn *t)
{
	int err = t->broken;
	rollback(t);
	give_back(t);
	txn_free(t);
	return err;
}

/* All that is still to be written. */
static int complete(struct gx_txn *t)
{
	if (t->broken != 0)
		return t->broken;
	gx_sql__done(t->mime_stmt);
	t->mime_stmt = NULL;
	int err = gx_change__flush(t);
	if (err == 0)
		err = gx_order__flush(t);
	if (err == 0)
		err = gx_order__note_used(t);
	return err != 0 ? err : gx_fstate__write(t);
}

/*
 * COMMIT; still in the writer's slot. The veil is taken when no reader of tables can be on his way to what it hides: they wait
 * for each other otherwise.
 */
static int make_final(struct gx_txn *t, bool veiled)
{
	gx_tables__begin_commit(t);
	if (veiled)
		gx_flush__veil(t->s);
	int err = gx_sql__commit(t->q);
	if (err == 0)
		return 0;
	if (veiled)
		gx_flush__unveil(t->s);
	gx_tables__end_commit(t, false);
	return err;
}

static int write_out(struct gx_txn *t, bool veiled)
{
	int err = complete(t);
	if (err == 0 && veiled)
		gx_flush__early(t->s);
	if (err == 0)
		err = make_final(t, veiled);
	if (err != 0)
		gx_log(t->s->log, GX_LOG_ERROR, "commit: %s", t->q->why);
	return err;
}

static void after_commit(struct gx_txn *t)
{
	struct gx_cio *cio = t->c->cio;
	gx_content__committed(cio);
	if (gx_content__sweep_due(cio, 0))
		atomic_store(&t->s->sweep, true);
}

/* Nobody is told; whoever looks afterwards reads anew, when the disk has flushed it at last. */
static void tell_nothing(struct gx_txn *t)
{
	gx_evlist__clear(&t->events);
	for (size_t i = 0; i < t->nvops; i++)
		t->vops[i].kind = GX_VOP_DROP;
}

/* One that gave out more numbers than are skipped after a power loss is seen when it is durable. */
static int commit_veiled(struct gx_txn *t, bool *ret_done)
{
	bool due;
	int err = write_out(t, true);
	if (err != 0)
		return err;
	*ret_done = true;
	after_commit(t);
	err = gx_flush__to_as_writer(t->s, gx_flush__committed(t->s, t->numbers, &due));
	if (err != 0)
		tell_nothing(t);
	return err;
}

static int commit(struct gx_txn *t, uint64_t *ret_seq, bool *ret_done, bool *io_flush)
{
	bool due;
	int err = write_out(t, false);
	if (err != 0)
		return err;
	*ret_done = true;
	after_commit(t);
	*ret_seq = gx_flush__committed(t->s, t->numbers, &due);
	*io_flush = *io_flush || due;
	return 0;
}

int gx_txn_commit(struct gx_txn *t, int sync)
{
	if (t == NULL)
		return GX_E_INVAL;
	if (gx_far(t) != NULL) {
		int ret = gx_far(t)->commit(t, sync);
		txn_free(t);
		return ret;
	}
	if (t->mode == GX_TXN_READ)
		return end_read(t);
	struct gx_store *s = t->s;
	assert(!t->look);
	bool brief = t->brief, done = false, veiled = t->numbers > GX_UNFLUSHED_MAX, flush = !veiled && sync == GX_SYNC_NOW;
	uint64_t seq = 0;
	int err = veiled ? commit_veiled(t, &done) : commit(t, &seq, &done, &flush);
	if (!done) {
		gx_txn_abort(t);
		return err;
	}
	gx_views__apply(t);
	gx_subs__notify_list(s, &t->events);
	gx_tables__end_commit(t, true);
	give_back(t);
	txn_free(t);
	if (brief)
		return err;
	if (flush)
		err = gx_flush__to(s, seq);
	gx_flush__checkpoint(s, 4096);
	if (atomic_load(&s->pins.due))
		gx_pins__sweep(s);
	return err;
}

struct gx_store *gx_txn_store(struct gx_txn *t)
{
	return t->s;
}

const char *gx_txn_why(const struct gx_txn *t)
{
	return t->why;
}

bool gx_txn__all_rights(const struct gx_txn *t)
{
	return t->actor->owner || t->actor->user == NULL;
}

/* Answers about objects and parameters leave the transaction intact; the rest does not. */
static bool harmless(int err)
{
	return err == GX_E_NOTFOUND || err == GX_E_INVAL || err == GX_E_RANGE;
}

static gx_ec to_ec(struct gx_txn *t, int err, const char *why)
{
	if (err == 0)
		return GX_OK_EC;
	if (!harmless(err)) {
		snprintf(t->why, sizeof(t->why), "%s", why == NULL || *why == '\0' ? gx_strerror(err) : why);
		if (t->mode == GX_TXN_WRITE)
			t->broken = err;
	}
	return gx_ec_from_err(err);
}

gx_ec gx_txn__ec(struct gx_txn *t, int err)
{
	return to_ec(t, err, t->q->err == err ? t->q->why : NULL);
}

gx_ec gx_txn__cec(struct gx_txn *t, int err)
{
	const char *why = gx_cio__why(t->c->cio);
	return *why == '\0' ? gx_txn__ec(t, err) : to_ec(t, err, why);
}

gx_ec gx_txn__fail(struct gx_txn *t, uint32_t code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
	return GX_EC(code);
}

gx_ec gx_txn__writable(struct gx_txn *t)
{
	if (gx_far(t) != NULL)
		return gx_txn__fail(t, ecNotSupported, "this cannot be done on a store of another process");
	if (t->mode != GX_TXN_WRITE)
		return gx_txn__fail(t, ecInvalidParam, "a read transaction cannot change anything");
	return gx_ec_from_err(t->broken);
}

int gx_txn__save(struct gx_txn *t)
{
	return gx_sql__exec(t->q, "SAVEPOINT part");
}

int gx_txn__end_save(struct gx_txn *t, bool undo)
{
	if (t->broken != 0)
		return t->broken;
	int err = gx_sql__exec(t->q, undo ? "ROLLBACK TO part; RELEASE part" : "RELEASE part");
	if (err != 0)
		t->broken = err;
	return err;
}

/* Too many: the folder's views are dropped once, and read again when asked for. */
static void forget_vops(struct gx_txn *t, uint64_t fid)
{
	size_t n = 0;
	for (size_t i = 0; i < t->nvops; i++)
		if (t->vops[i].fid != fid)
			t->vops[n++] = t->vops[i];
	t->nvops = n;
}

int gx_txn__vop(struct gx_txn *t, uint64_t fid, int kind, const struct gx_uid_entry *e)
{
	if (t->nvops >= VOPS_MAX && kind != GX_VOP_DROP) {
		const struct gx_view_op *last = &t->vops[t->nvops - 1];
		if (last->kind == GX_VOP_DROP && last->fid == fid)
			return 0;
		forget_vops(t, fid);
		kind = GX_VOP_DROP;
	}
	if (t->nvops == t->cap_vops) {
		size_t cap = t->cap_vops == 0 ? 16 : t->cap_vops * 2;
		struct gx_view_op *v = realloc(t->vops, cap * sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		t->vops = v;
		t->cap_vops = cap;
	}
	struct gx_view_op *op = &t->vops[t->nvops++];
	*op = (struct gx_view_op){.fid = fid, .kind = kind};
	if (e != NULL)
		op->e = *e;
	return 0;
}

int gx_txn__event(struct gx_txn *t, const struct gx_event *ev)
{
	int err = gx_tables__note_folder(t, ev);
	if (err != 0)
		return err;
	return atomic_load(&t->s->subs.count) == 0 ? 0 : gx_evlist__add(&t->events, ev);
}
