/* SPDX-License-Identifier: Apache-2.0 */
/* A request's buffer, operation by operation, [MS-OXCROPS] 3.2.5 and [MS-OXCRPC] 3.1.4.2. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/emsmdb/chain.h"
#include "libgxproto/emsmdb/job.h"
#include "libgxproto/emsmdb/notify.h"

enum {
	HEADER = 8, SIZE_FIELD = 2, HANDLE = 4,
	LEAST_ROOM = 64,           /* an operation is not begun when its answer has not even this */
	TOO_SMALL_HEAD = 3,        /* RopBufferTooSmall without the requests that it gives back */
	ANSWER_HEAD = 6,
	PAYLOAD_MOST = 0x7ff0,     /* what clients' buffers have always held */
	CHAIN_MOST = 96,           /* buffers of an answer, [MS-OXCRPC] 3.1.4.2.1.2 */
	CHAIN_LEAST = 0x2000,      /* a further one is not begun with less room */
};

struct run {
	struct gx_ems_session *s;
	struct gx_arena *a;
	struct gx_rop_buffer in;
	struct gx_pull c;
	struct gx_push out;        /* of answers */
	size_t most;               /* bytes that they may have */
	size_t answers;            /* of them, while room is kept to give back what is not done yet */
	bool full;
	struct gx_ems_chain last;  /* what was done last, and whether it goes on */
	int sync_err;              /* of a store whose logon is gone */
};

/* ---- Handles ---- */

static struct gx_ems_obj *object(struct run *r, uint8_t index)
{
	return index < r->in.handle_count ? gx_ems__find(r->s, r->in.handles[index]) : NULL;
}

static void resolve(struct run *r, const struct gx_rop_request *q, struct gx_rop_call *call)
{
	for (unsigned i = 0; i < q->desc->handle_count; ++i) {
		uint8_t role = q->desc->handle[i];
		if (role == GX_RH_IN || role == GX_RH_SRC) {
			call->in = object(r, q->handle[i]);
			call->in_index = q->handle[i];
		} else if (role == GX_RH_DST) {
			call->dst = object(r, q->handle[i]);
		}
	}
}

static bool has_role(const struct gx_rop_desc *d, uint8_t role)
{
	return d->handle_count > 0 && (d->handle[0] == role || (d->handle_count > 1 && d->handle[1] == role));
}

/* What every operation needs before it is looked at; [MS-OXCROPS] 3.2.5.1 */
static gx_ec may_begin(const struct gx_rop_call *call)
{
	const struct gx_rop_desc *d = call->desc;
	if (d->id == RopLogon)
		return EMS_OK;
	if (call->in == NULL || call->logon == NULL || call->in->logon != call->logon)
		return GX_EC(ecNullObject);
	return has_role(d, GX_RH_DST) && call->dst == NULL ? GX_EC(ecDstNullObject) : EMS_OK;
}

/* ---- One operation ---- */

static void *body(struct run *r, const struct gx_desc *d)
{
	return d == NULL ? NULL : gx_arena_calloc(r->a, 1, d->size);
}

/* The answer of a failed operation may look like that of a done one, or hold what the operation has prepared. */
static void *failure_body(struct run *r, const struct gx_rop_call *call, const struct gx_rop_request *q, gx_ec ec, void *response)
{
	const struct gx_desc *d = gx_rop_response_body(q->desc, ec.v);
	if (d == q->desc->res)
		return response;
	if (call->failure != NULL)
		return call->failure;
	void *b = body(r, d);
	/* [MS-OXCROPS] 2.2.4.6.3: DestHandleIndex, a u32, comes first */
	if (b != NULL && gx_ec_is(ec, ecDstNullObject))
		memcpy(b, &(uint32_t){q->handle[1]}, sizeof(uint32_t));
	return b;
}

static void log_rop(struct run *r, const struct gx_rop_call *call, gx_ec ec)
{
	unsigned level = r->s->e->o.rop_debug;
	if (level >= 2 || (level == 1 && gx_ec_failed(ec)))
		gx_log(r->s->e->o.log, GX_LOG_DEBUG, "emsmdb: user=%s %s: %s%s%s", r->s->user, call->desc->name, gx_ec_name(ec),
			call->why == NULL ? "" : ": ", call->why == NULL ? "" : call->why);
}

static bool answer(struct run *r, struct gx_rop_call *call, const struct gx_rop_request *q, gx_ec ec, void *response)
{
	size_t before = r->out.len;
	struct gx_rop_response s = {.desc = q->desc, .handle = q->handle[q->desc->answered], .return_value = ec.v};
	s.body = !gx_ec_failed(ec) ? response : failure_body(r, call, q, ec, response);
	if (call->instead.desc != NULL) {
		s.desc = call->instead.desc;
		s.body = gx_rop_response_body(s.desc, ec.v) == s.desc->res ? call->instead.body : NULL;
	}
	gx_rop_push_response(&r->out, call->x, &s);
	if (r->out.err == 0 && r->out.len <= r->answers)
		return true;
	if (r->out.err != 0 && r->out.err != GX_E_LIMIT)
		gx_log(r->s->e->o.log, GX_LOG_ERROR, "emsmdb: answer of %s cannot be written: %s", q->desc->name, gx_strerror(r->out.err));
	r->out.len = before;
	r->out.err = 0;
	return false;
}

/* What was not done goes back to the client, which asks again with more room. */
static int too_small(struct run *r, const uint8_t *from, size_t needed)
{
	const struct gx_dctx x = {.px = GX_PX_ROP(r->a, r->s->code_page)};
	size_t left = (size_t)(r->in.rops.data + r->in.rops.len - from);
	struct gx_rop_buffer_too_small_res b = {(uint16_t)(needed > UINT16_MAX ? UINT16_MAX : needed), {from, left}};
	struct gx_rop_response s = {.desc = gx_rop_rop_desc(RopBufferTooSmall), .body = &b};
	if (r->out.len + TOO_SMALL_HEAD + left > r->most)
		return GX_E_LIMIT;
	gx_rop_push_response(&r->out, &x, &s);
	r->full = true;
	return 0;
}

/* Bytes for answers up to that of the request at @from: what begins there may have to go back, unless that can never fit. */
static size_t room(const struct run *r, const uint8_t *from)
{
	size_t back = TOO_SMALL_HEAD + (size_t)(r->in.rops.data + r->in.rops.len - from);
	return back + LEAST_ROOM <= r->most ? r->most - back : r->most;
}

static int flush(struct gx_ems_session *s)
{
	int ret = 0;
	for (unsigned i = 0; i < 256; ++i) {
		struct gx_ems_logon *l = s->logons[i];
		if (l == NULL || !l->dirty)
			continue;
		l->dirty = false;
		int err = gx_store_sync(l->store);
		ret = ret == 0 ? err : ret;
	}
	return ret;
}

static void release(struct run *r, const struct gx_rop_request *q)
{
	struct gx_ems_obj *o = object(r, q->handle[0]);
	/* what it has written must be safe when the answer goes out; its store is not known then */
	if (o != NULL && &o->logon->obj == o)
		r->sync_err = flush(r->s);
	if (o != NULL)
		gx_ems__drop(r->s, o);
	if (q->handle[0] < r->in.handle_count)
		r->in.handles[q->handle[0]] = GX_ROP_NO_HANDLE;
}

static int put_handle(struct run *r, const struct gx_rop_request *q, struct gx_rop_call *call, gx_ec ec)
{
	if (!has_role(q->desc, GX_RH_OUT))
		return 0;
	uint8_t i = q->handle[q->desc->answered];
	if (i >= r->in.handle_count)
		return GX_E_FORMAT;
	r->in.handles[i] = !gx_ec_failed(ec) && call->made != NULL ? call->made->handle : GX_ROP_NO_HANDLE;
	return 0;
}

/* [MS-OXCPRPT] 3.1.5: what the logon has under way ends with any other operation of it. */
static void end_job(struct run *r, const struct gx_rop_request *q)
{
	struct gx_ems_logon *l = q->desc->id == RopProgress ? NULL : r->s->logons[q->logon_id];
	if (l != NULL)
		gx_ems__job_drop(l);
}

/* @return 0, or GX_E_* when the request is not what it should be. */
static int one(struct run *r)
{
	const uint8_t *from = r->c.p;
	struct gx_rop_request q;
	gx_rop_pull_request_head(&r->c, &q);
	if (r->c.err != 0)
		return r->c.err;
	struct gx_dctx x = {.px = GX_PX_ROP(r->a, r->s->code_page)}, answer_x = x;
	struct gx_rop_call call = {.s = r->s, .a = r->a, .x = &answer_x, .desc = q.desc, .logon_id = q.logon_id};
	call.logon = q.desc->id == RopLogon ? NULL : r->s->logons[q.logon_id];
	x.var[GX_CTX_ROP_PUBLIC_LOGON] = call.logon != NULL && call.logon->is_public;
	gx_rop_pull_request_body(&r->c, &x, &q);
	if (r->c.err != 0)
		return r->c.err;
	end_job(r, &q);
	if (q.desc->id == RopRelease) {
		release(r, &q);
		return 0;
	}
	r->answers = room(r, from);
	if (r->out.len + LEAST_ROOM > r->answers)
		return too_small(r, from, LEAST_ROOM);
	resolve(r, &q, &call);
	call.room = r->answers - r->out.len - ANSWER_HEAD;
	call.whole = r->answers - ANSWER_HEAD;
	void *response = body(r, q.desc->res);
	if (q.desc->res != NULL && response == NULL)
		return GX_E_NOMEM;
	gx_ec ec = may_begin(&call);
	if (!gx_ec_failed(ec))
		ec = gx_rop__do(&call, q.body, response);
	if (!gx_ec_failed(ec))
		gx_notify__looked_at(&call);
	r->last = (struct gx_ems_chain){.q = q, .response = response, .failed = gx_ec_failed(ec)};
	log_rop(r, &call, ec);
	int err = put_handle(r, &q, &call, ec);
	if (err == 0 && answer(r, &call, &q, ec, response))
		return 0;
	if (call.made != NULL)
		gx_ems__drop(r->s, call.made);
	return err == 0 ? too_small(r, from, PAYLOAD_MOST) : err;
}

/* ---- All of them ---- */

static int run_all(struct run *r)
{
	gx_pull_init(&r->c, r->in.rops.data, r->in.rops.len);
	while (r->c.left > 0 && !r->full) {
		int err = one(r);
		if (err != 0)
			return err;
	}
	return 0;
}

/* The compressor's tables are large: only sessions that ask for it have them. Without memory it goes as it is. */
static bool can_pack(struct gx_ems_session *s)
{
	if (s->pack == NULL)
		s->pack = malloc(sizeof(*s->pack));
	return s->pack != NULL;
}

static unsigned ext_flags(struct gx_ems_session *s, uint32_t flags, size_t len)
{
	long least = s->e->o.compress_threshold;
	bool packs = !(flags & GX_EXECUTE_NO_COMPRESSION) && least >= 0 && len >= (size_t)least && can_pack(s);
	return GX_EXT_LAST | (packs ? GX_EXT_COMPRESSED : 0U) | (flags & GX_EXECUTE_NO_XOR_MAGIC ? 0U : GX_EXT_XOR_MAGIC);
}

/* One more extended buffer behind those in @out. */
static int pack(struct run *r, uint32_t flags, bool last, struct gx_push *out)
{
	struct gx_push payload = GX_PUSH_INIT;
	struct gx_rop_buffer b = {{r->out.data, r->out.len}, r->in.handles, r->in.handle_count};
	unsigned ext = ext_flags(r->s, flags, r->out.len);
	gx_rop_buffer_push(&payload, &b);
	if (payload.err == 0)
		gx_ext_push(out, (struct gx_bin){payload.data, payload.len}, last ? ext : ext & ~(unsigned)GX_EXT_LAST, r->s->pack);
	int err = payload.err != 0 ? payload.err : out->err;
	gx_push_release(&payload);
	return err;
}

static int unpack(struct run *r, struct gx_bin in)
{
	struct gx_pull c;
	struct gx_bin payload;
	bool last;
	gx_pull_init(&c, in.data, in.len);
	gx_ext_pull(&c, r->a, &payload, &last);
	return c.err != 0 ? c.err : !last ? GX_E_FORMAT : gx_rop_buffer_pull(payload.data, payload.len, r->a, &r->in);
}

/*
 * The last operation again, for what comes next: [MS-OXCRPC] 3.1.4.2.1.2. Its answer goes into a buffer of its own. A failure ends
 * the chain and is told to the client that asks again.
 */
static int next_link(struct run *r)
{
	struct gx_rop_request *q = &r->last.q;
	struct gx_dctx x = {.px = GX_PX_ROP(r->a, r->s->code_page)};
	struct gx_rop_call call = {.s = r->s, .a = r->a, .x = &x, .desc = q->desc, .logon_id = q->logon_id, .logon = r->s->logons[q->logon_id]};
	void *response = body(r, q->desc->res);
	if (response == NULL)
		return GX_E_NOMEM;
	gx_push_clear(&r->out);
	resolve(r, q, &call);
	r->answers = r->most;
	call.room = call.whole = r->most - ANSWER_HEAD;
	gx_ec ec = may_begin(&call);
	if (!gx_ec_failed(ec))
		ec = gx_rop__do(&call, q->body, response);
	log_rop(r, &call, ec);
	r->last.response = response;
	r->last.failed = gx_ec_failed(ec) || !answer(r, &call, q, ec, response);
	return 0;
}

/* Packs what there is, and what more is asked for while there is room. */
static int pack_all(struct run *r, uint32_t flags, size_t max_out, struct gx_push *out)
{
	unsigned links = 1;
	size_t around = HEADER + SIZE_FIELD + HANDLE * (size_t)r->in.handle_count;
	bool chains = (flags & GX_EXECUTE_CHAIN) && !r->full && gx_chain__client_may(r->s);
	bool more = chains && gx_chain__goes_on(&r->last);
	if (!r->full && !more)
		gx_notify__append(r->s, r->a, &r->out, r->most);
	for (;;) {
		/* the next is made before this one is packed: the last is marked */
		struct gx_push done = r->out;
		bool room = more && links < CHAIN_MOST && out->len + done.len + around + CHAIN_LEAST <= max_out;
		r->out = (struct gx_push)GX_PUSH_INIT;
		size_t left = max_out - out->len - done.len - around;
		r->most = left < PAYLOAD_MOST + HEADER ? left - around : PAYLOAD_MOST + HEADER - around;
		gx_push_init(&r->out, r->most * 2);
		int err = room ? next_link(r) : 0;
		bool last = !room || r->last.failed;
		struct gx_push made = r->out;
		r->out = done;
		if (err == 0)
			err = pack(r, flags, last, out);
		gx_push_release(&done);
		r->out = made;
		if (err != 0 || last)
			return err;
		more = gx_chain__goes_on(&r->last);
		++links;
	}
}

gx_ec gx_ems_execute(struct gx_ems_session *s, uint32_t flags, struct gx_bin in, size_t max_out, struct gx_arena *a, struct gx_bin *ret_out)
{
	struct run r = {.s = s, .a = a};
	struct gx_push out = GX_PUSH_INIT;
	int err = unpack(&r, in);
	if (err != 0)
		return err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : GX_EC(ecRpcFormat);
	size_t around = HEADER + SIZE_FIELD + HANDLE * (size_t)r.in.handle_count;
	size_t most = max_out < PAYLOAD_MOST + HEADER ? max_out : PAYLOAD_MOST + HEADER;
	if (most < around + LEAST_ROOM)
		return GX_EC(ecBufferTooSmall);
	r.most = most - around;
	gx_push_init(&r.out, r.most * 2);
	pthread_mutex_lock(&s->lock);
	gx_notes__runner(&s->notes, true);
	err = run_all(&r);
	if (err == 0)
		err = pack_all(&r, flags, max_out, &out);
	int flushed = flush(s);
	gx_notes__runner(&s->notes, false);
	pthread_mutex_unlock(&s->lock);
	if (err == 0)
		err = flushed != 0 ? flushed : r.sync_err;
	if (err == 0)
		err = gx_push_finish(&out, a, ret_out);
	gx_push_release(&out);
	gx_push_release(&r.out);
	if (err == GX_E_LIMIT)
		return GX_EC(ecBufferTooSmall);
	return err == 0 ? EMS_OK : err == GX_E_NOMEM || err == GX_E_IO ? gx_ec_from_err(err) : GX_EC(ecRpcFormat);
}
