/* SPDX-License-Identifier: Apache-2.0 */
/* Operations: several in one Execute, answers matched to them, what did not fit or came too early sent again. [MS-OXCROPS] 3.1.5 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/rpcext.h>
#include "libgxproto/client/sync.h"

/* XOR hides nothing that TLS does not. */
enum { FLAGS = 2, CHAIN = 4, OUT_MAX = 0x10008, CHAIN_MAX = 0x40000, DEAD_AT_ONCE = 32 };

/* ---- Execute ---- */

/* Extended buffers come back. */
static gx_ec execute(struct gx_mapi *c, struct gx_bin payload, bool chain, struct gx_arena *a, struct gx_pull *ret_in)
{
	struct gx_push ext = GX_PUSH_INIT;
	struct gx_mh_execute_res res = {0};
	if (!c->connected)
		return gx_mapi__fail(c, GX_EC(ecEndOfSession), "there is no session");
	gx_ext_push(&ext, payload, GX_EXT_LAST, NULL);
	const struct gx_mh_execute_req q = {.flags = FLAGS | (chain ? CHAIN : 0), .rop_buffer = {ext.data, ext.len},
		.max_rop_out = chain ? CHAIN_MAX : OUT_MAX};
	gx_ec ec = ext.err == 0 ? gx_mapi__exchange(c, &c->mailbox, GX_MH_EXECUTE, &q, a, &res) :
		   ext.err == GX_E_NOMEM ? gx_mapi__nomem(c) : gx_mapi__fail(c, GX_EC(ecInvalidParam), "a request has at most 65535 bytes");
	gx_push_release(&ext);
	if (gx_ec_failed(ec))
		return ec;
	uint32_t said = res.status_code != 0 ? res.status_code : res.error_code;
	if (said != 0)
		return gx_mapi__fail(c, GX_EC(said), "Execute: %s: %s", gx_ec_name(GX_EC(said)), gx_ec_text(GX_EC(said)));
	gx_pull_init(ret_in, res.rop_buffer.data, res.rop_buffer.len);
	return MC_OK;
}

static gx_ec bad_buffer(struct gx_mapi *c, int err)
{
	return err == GX_E_NOMEM ? gx_mapi__nomem(c) : gx_mapi__fail(c, GX_EC(ecCorruptData), "Execute: the answer's buffer: %s", gx_strerror(err));
}

gx_ec gx_mapi_execute(struct gx_mapi *c, struct gx_bin in, struct gx_arena *a, struct gx_bin *ret_out)
{
	struct gx_pull p;
	bool last;
	gx_mapi__enter(c);
	gx_ec ec = execute(c, in, false, a, &p);
	if (gx_ec_failed(ec))
		return ec;
	gx_ext_pull(&p, a, ret_out, &last);
	return p.err == 0 ? MC_OK : bad_buffer(c, p.err);
}

/* ---- Putting a batch together ---- */

struct mc_batch *gx_mapi__begin(struct gx_mapi *c, struct gx_arena *a)
{
	struct mc_batch *b = c->batch;
	gx_push_clear(&b->out);
	b->c = c;
	b->a = a;
	b->n = b->handle_n = 0;
	b->more_n = b->more_cap = 0;
	b->more = NULL;
	b->chain = false;
	b->bad = NULL;
	b->err = 0;
	for (unsigned i = 0; i < DEAD_AT_ONCE && c->dead_n > 0; ++i) {
		const struct mc_dead *d = &c->dead[--c->dead_n];
		struct gx_mapi_obj store = {.logon_id = d->logon_id};
		(void)gx_mapi__add(b, &store, RopRelease, gx_mapi__slot(b, d->handle), 0, NULL, NULL);
	}
	return b;
}

uint8_t gx_mapi__slot(struct mc_batch *b, uint32_t handle)
{
	if (b->handle_n == MC_HANDLES_MAX) {
		b->err = GX_E_LIMIT;
		return 0;
	}
	b->handles[b->handle_n] = handle;
	return (uint8_t)b->handle_n++;
}

unsigned gx_mapi__add(struct mc_batch *b, const struct gx_mapi_obj *store, uint8_t id, uint8_t h0, uint8_t h1, const void *body,
	const struct gx_columns *cols)
{
	struct gx_dctx x = {.px = GX_PX_ROP(b->a, b->c->o.code_page), .custom = cols};
	if (b->n == MC_ROPS_MAX) {
		b->err = GX_E_LIMIT;
		return 0;
	}
	struct mc_rop *r = &b->rops[b->n];
	*r = (struct mc_rop){.desc = gx_rop_rop_desc(id), .off = b->out.len, .columns = cols, .handle = {h0, h1}};
	r->is_public = store->is_public;
	x.var[GX_CTX_ROP_PUBLIC_LOGON] = r->is_public;
	const struct gx_rop_request q = {r->desc, store->logon_id, {h0, h1}, (void *)body};
	gx_rop_push_request(&b->out, &x, &q);
	if (b->out.err != 0 && b->bad == NULL)
		b->bad = r->desc;
	return b->n++;
}

/* ---- Sending it ---- */

/* Which operation waits for this answer: they come in order, and RopRelease has none. */
static struct mc_rop *next_of(struct mc_batch *b, unsigned *io_at)
{
	while (*io_at < b->n && b->rops[*io_at].desc->id == RopRelease)
		++*io_at;
	return *io_at < b->n ? &b->rops[*io_at] : NULL;
}

static void pull_body(struct gx_pull *in, const struct mc_batch *b, const struct mc_rop *q,
	struct gx_rop_response *io_r)
{
	struct gx_dctx x = {.px = GX_PX_ROP(b->a, b->c->o.code_page)};
	if (q != NULL) {
		x.custom = q->columns;
		x.var[GX_CTX_ROP_PUBLIC_LOGON] = q->is_public;
	}
	gx_rop_pull_response_body(in, &x, io_r);
}

static gx_ec corrupt(struct gx_mapi *c, const struct gx_rop_response *r, const char *why)
{
	return gx_mapi__fail(c, GX_EC(ecCorruptData), "%s: %s", r->desc != NULL ? r->desc->name : "an operation", why);
}

static gx_ec add_more(struct mc_batch *b, const struct gx_rop_response *r)
{
	if (r->return_value != 0) /* told again when it is asked for */
		return MC_OK;
	b->more = gx_arena_grow(b->a, b->more, &b->more_cap, b->more_n + 1, sizeof(*b->more));
	if (b->more == NULL)
		return gx_mapi__nomem(b->c);
	b->more[b->more_n++] = r->body;
	return MC_OK;
}

/* What one buffer answers. @p io_at: the first that is not answered yet; @p ret_wait: until it may be sent again. */
static gx_ec take(struct mc_batch *b, const struct gx_rop_buffer *in, unsigned *io_at, uint32_t *ret_wait)
{
	struct gx_pull c;
	gx_pull_init(&c, in->rops.data, in->rops.len);
	while (c.left > 0) {
		struct gx_rop_response r = {0};
		struct mc_rop *q = next_of(b, io_at);
		gx_rop_pull_response_head(&c, &r);
		bool is_answer = c.err == 0 && gx_rop_is_answer(r.desc);
		if (is_answer && q == NULL && b->chain && b->n > 0 && b->rops[b->n - 1].desc == r.desc)
			q = &b->rops[b->n - 1];
		if (is_answer && (q == NULL || q->desc != r.desc))
			return corrupt(b->c, &r, "nobody has asked for this answer");
		if (c.err == 0)
			pull_body(&c, b, is_answer ? q : NULL, &r);
		if (c.err != 0)
			return c.err == GX_E_NOMEM ? gx_mapi__nomem(b->c) : corrupt(b->c, &r, gx_strerror(c.err));
		if (is_answer && q->answered) {
			gx_ec ec = add_more(b, &r);
			if (gx_ec_failed(ec))
				return ec;
		} else if (is_answer) {
			q->r = r;
			q->answered = true;
			++*io_at;
		} else if (r.desc->id == RopNotify) {
			gx_ec ec = gx_mapi__note(b->c, r.body);
			if (gx_ec_failed(ec))
				return ec;
		} else if (r.desc->id == RopBackoff) {
			*ret_wait = ((const struct gx_rop_backoff_res *)r.body)->duration;
			return MC_OK;
		} else if (r.desc->id == RopBufferTooSmall) {
			return MC_OK; /* what it gives back is what we have */
		}
	}
	return MC_OK;
}

static gx_ec send_from(struct mc_batch *b, size_t off, struct gx_pull *ret_in)
{
	struct gx_push out = GX_PUSH_INIT;
	const struct gx_rop_buffer q = {{b->out.data + off, b->out.len - off}, b->handles, b->handle_n};
	gx_rop_buffer_push(&out, &q);
	gx_ec ec = out.err == 0 ? execute(b->c, (struct gx_bin){out.data, out.len}, b->chain, b->a, ret_in) :
		   gx_mapi__fail(b->c, gx_ec_from_err(out.err), "the request is too large: %s", gx_strerror(out.err));
	gx_push_release(&out);
	return ec;
}

/* All buffers of one Execute. */
static gx_ec take_all(struct mc_batch *b, struct gx_pull *in, unsigned *io_at, uint32_t *ret_wait)
{
	bool last = false;
	while (!last) {
		struct gx_rop_buffer r;
		struct gx_bin payload;
		gx_ext_pull(in, b->a, &payload, &last);
		int err = in->err != 0 ? in->err : gx_rop_buffer_pull(payload.data, payload.len, b->a, &r);
		if (err != 0)
			return bad_buffer(b->c, err);
		for (uint32_t i = 0; i < r.handle_count && i < b->handle_n; ++i)
			b->handles[i] = r.handles[i];
		gx_ec ec = take(b, &r, io_at, ret_wait);
		if (gx_ec_failed(ec))
			return ec;
	}
	return MC_OK;
}

gx_ec gx_mapi__run(struct mc_batch *b)
{
	unsigned at = 0;
	int err = b->err != 0 ? b->err : b->out.err;
	if (err != 0)
		return gx_mapi__fail(b->c, gx_ec_from_err(err), "%s: the request cannot be made: %s",
			b->bad != NULL ? b->bad->name : "Execute", gx_strerror(err));
	do {
		struct gx_pull in;
		uint32_t wait = UINT32_MAX;
		unsigned before = at;
		gx_ec ec = send_from(b, at < b->n ? b->rops[at].off : 0, &in);
		if (!gx_ec_failed(ec))
			ec = take_all(b, &in, &at, &wait);
		if (!gx_ec_failed(ec) && wait != UINT32_MAX)
			ec = gx_mapi__sleep(b->c, wait);
		else if (!gx_ec_failed(ec) && next_of(b, &at) != NULL && at == before)
			ec = gx_mapi__fail(b->c, GX_EC(ecBufferTooSmall), "%s: the answer does not fit into any buffer",
				b->rops[at].desc->name);
		if (gx_ec_failed(ec))
			return ec;
	} while (next_of(b, &at) != NULL);
	return MC_OK;
}

gx_ec gx_mapi__answer(struct mc_batch *b, unsigned i, void **ret_body)
{
	const struct mc_rop *q = &b->rops[i];
	gx_ec ec = GX_EC(q->r.return_value);
	if (ret_body != NULL)
		*ret_body = q->r.body;
	if (!gx_ec_failed(ec))
		return ec;
	b->c->error.rop = q->desc->id;
	if (q->desc->id == RopLogon && gx_ec_is(ec, ecWrongServer) && q->r.body != NULL)
		return gx_mapi__fail(b->c, ec, "RopLogon: the mailbox is at %s", ((const struct gx_rop_logon_fail_478 *)q->r.body)->server_name);
	return gx_mapi__fail(b->c, ec, "%s: %s: %s", q->desc->name, gx_ec_name(ec), gx_ec_text(ec));
}

/* ---- One operation ---- */

gx_ec gx_mapi__do(struct gx_mapi_obj *o, uint8_t id, const void *body, struct gx_arena *a,
	uint32_t *ret_handle, void **ret_body)
{
	const struct gx_columns cols = {o->kind == MC_TABLE ? o->u.table.columns : NULL, o->kind == MC_TABLE ? o->u.table.count : 0};
	const struct gx_rop_desc *d = gx_rop_rop_desc(id);
	struct mc_batch *b = gx_mapi__begin(o->c, a);
	uint8_t h = gx_mapi__slot(b, o->handle), second = h;
	if (ret_handle != NULL)
		second = gx_mapi__slot(b, GX_ROP_NO_HANDLE);
	unsigned i = gx_mapi__add(b, o->store, id, h, d->handle_count > 1 ? second : 0, body, &cols);
	gx_ec ec = gx_mapi__run(b);
	if (!gx_ec_failed(ec))
		ec = gx_mapi__answer(b, i, ret_body);
	if (!gx_ec_failed(ec) && ret_handle != NULL)
		*ret_handle = b->handles[second];
	return ec;
}

gx_ec gx_mapi__make(struct gx_mapi_obj *o, uint8_t id, const void *body, uint8_t kind, struct gx_arena *a,
	struct gx_mapi_obj **ret_o,
	void **ret_body)
{
	uint32_t handle;
	gx_ec ec = gx_mapi__do(o, id, body, a, &handle, ret_body);
	if (gx_ec_failed(ec))
		return ec;
	*ret_o = gx_mapi__obj(o->c, o->store, kind, handle, o->logon_id);
	return *ret_o == NULL ? gx_mapi__nomem(o->c) : MC_OK;
}

gx_ec gx_mapi__do2(struct gx_mapi_obj *from, struct gx_mapi_obj *to, uint8_t id, const void *body, void **ret_body)
{
	if (from->c != to->c)
		return gx_mapi__fail(from->c, GX_EC(ecInvalidParam), "the two objects are of different connections");
	struct mc_batch *b = gx_mapi__begin(from->c, from->c->scratch);
	uint8_t h0 = gx_mapi__slot(b, from->handle), h1 = gx_mapi__slot(b, to->handle);
	unsigned i = gx_mapi__add(b, from->store, id, h0, h1, body, NULL);
	gx_ec ec = gx_mapi__run(b);
	return gx_ec_failed(ec) ? ec : gx_mapi__answer(b, i, ret_body);
}

/* ---- Objects ---- */

struct gx_mapi_obj *gx_mapi__obj(struct gx_mapi *c, struct gx_mapi_obj *store, uint8_t kind, uint32_t handle,
	uint8_t logon_id)
{
	struct gx_mapi_obj *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	o->c = c;
	o->store = store != NULL ? store : o;
	o->kind = kind;
	o->handle = handle;
	o->logon_id = logon_id;
	return o;
}

static const char *const kind_names[MC_KINDS] = {"store", "folder", "table", "message", "attachment", "stream",
	"subscription", "synchronisation"};

bool gx_mapi__is(struct gx_mapi_obj *o, unsigned kinds)
{
	gx_mapi__enter(o->c);
	if (kinds & 1U << o->kind)
		return true;
	(void)gx_mapi__fail(o->c, GX_EC(ecInvalidParam), "a %s cannot do that", kind_names[o->kind]);
	return false;
}

/* A list that does not grow leaks the object until the session ends, no worse. */
static void remember_dead(struct gx_mapi *c, const struct gx_mapi_obj *o)
{
	if (c->dead_n == c->dead_cap) {
		size_t cap = c->dead_cap == 0 ? 16 : c->dead_cap * 2;
		void *more = reallocarray(c->dead, cap, sizeof(*c->dead));
		if (more == NULL)
			return;
		c->dead = more;
		c->dead_cap = cap;
	}
	c->dead[c->dead_n++] = (struct mc_dead){o->handle, o->logon_id};
}

void gx_mapi_close(struct gx_mapi_obj *o)
{
	if (o == NULL)
		return;
	if (o->c->connected)
		remember_dead(o->c, o);
	if (o->kind == MC_TABLE)
		free(o->u.table.columns);
	else if (o->kind == MC_STORE)
		--o->c->stores;
	else if (o->kind == MC_SYNC)
		gx_mapi__sync_free(o->u.sync);
	free(o);
}

void gx_mapi__partial(const void *body, bool *ret_partial)
{
	/* the first member of the answers of RopDeleteFolder and its like */
	if (ret_partial != NULL)
		*ret_partial = body != NULL && *(const bool *)body;
}
