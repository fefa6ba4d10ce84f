/* SPDX-License-Identifier: Apache-2.0 */
/* Remote operations: buffers, heads, and which body follows a head. */
#include <config.h>
#include <gx/ec.h>
#include <gx/rop.h>

enum { ROP_SIZE = 2, HANDLE_SIZE = 4 };

bool gx_rop_is_answer(const struct gx_rop_desc *d)
{
	return d->handle_count != 0;
}

const struct gx_desc *gx_rop_response_body(const struct gx_rop_desc *d, uint32_t return_value)
{
	for (unsigned i = 0; i < d->special_count; ++i)
		if (d->special[i].return_value == return_value)
			return d->special[i].body;
	/* a warning is success with a remark */
	return gx_ec_failed(GX_EC(return_value)) ? d->fail : d->res;
}

int gx_rop_buffer_pull(const void *data, size_t len, struct gx_arena *a, struct gx_rop_buffer *ret_b)
{
	struct gx_pull c;
	gx_pull_init(&c, data, len);
	uint16_t size = gx_pull_u16(&c);
	if (c.err == 0 && size < ROP_SIZE)
		return GX_E_FORMAT;
	struct gx_bin rops = {.len = (size_t)size - ROP_SIZE};
	rops.data = gx_pull_bytes(&c, rops.len);
	if (c.err != 0)
		return c.err;
	if (c.left % HANDLE_SIZE != 0)
		return GX_E_FORMAT;
	uint32_t n = (uint32_t)(c.left / HANDLE_SIZE), *v = gx_arena_new_array(a, uint32_t, n);
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < n; ++i)
		v[i] = gx_pull_u32(&c);
	*ret_b = (struct gx_rop_buffer){rops, v, n};
	return 0;
}

void gx_rop_buffer_push(struct gx_push *c, const struct gx_rop_buffer *b)
{
	if (b->rops.len > UINT16_MAX - ROP_SIZE) {
		gx_push_fail(c, GX_E_RANGE);
		return;
	}
	gx_push_u16(c, (uint16_t)(b->rops.len + ROP_SIZE));
	gx_push_bytes(c, b->rops.data, b->rops.len);
	for (uint32_t i = 0; i < b->handle_count; ++i)
		gx_push_u32(c, b->handles[i]);
}

static void *pull_body(struct gx_pull *c, const struct gx_dctx *x, const struct gx_desc *d)
{
	if (d == NULL || c->err != 0)
		return NULL;
	void *obj = gx_arena_alloc(x->px.a, d->size);
	if (obj == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	else
		gx_desc_pull(c, x, d, obj);
	return c->err == 0 ? obj : NULL;
}

static void push_body(struct gx_push *c, const struct gx_dctx *x, const struct gx_desc *d, const void *body)
{
	if (d == NULL)
		return;
	if (body == NULL)
		gx_push_fail(c, GX_E_INVAL);
	else
		gx_desc_push(c, x, d, body);
}

static const struct gx_rop_desc *pull_id(struct gx_pull *c)
{
	const struct gx_rop_desc *d = gx_rop_rop_desc(gx_pull_u8(c));
	if (c->err == 0 && d == NULL)
		gx_pull_fail(c, GX_E_UNSUP);
	return c->err == 0 ? d : NULL;
}

/* ---- Requests ---- */

void gx_rop_pull_request_head(struct gx_pull *c, struct gx_rop_request *ret_r)
{
	*ret_r = (struct gx_rop_request){.desc = pull_id(c)};
	if (ret_r->desc == NULL)
		return;
	if (!gx_rop_is_answer(ret_r->desc))
		gx_pull_fail(c, GX_E_UNSUP);
	ret_r->logon_id = gx_pull_u8(c);
	for (unsigned i = 0; i < ret_r->desc->handle_count; ++i)
		ret_r->handle[i] = gx_pull_u8(c);
}

void gx_rop_pull_request_body(struct gx_pull *c, const struct gx_dctx *x, struct gx_rop_request *io_r)
{
	io_r->body = pull_body(c, x, io_r->desc->req);
}

void gx_rop_push_request(struct gx_push *c, const struct gx_dctx *x, const struct gx_rop_request *r)
{
	if (!gx_rop_is_answer(r->desc)) {
		gx_push_fail(c, GX_E_INVAL);
		return;
	}
	gx_push_u8(c, r->desc->id);
	gx_push_u8(c, r->logon_id);
	for (unsigned i = 0; i < r->desc->handle_count; ++i)
		gx_push_u8(c, r->handle[i]);
	push_body(c, x, r->desc->req, r->body);
}

void gx_rop_print_request(struct gx_strbuf *b, const struct gx_dctx *x, const struct gx_rop_request *r)
{
	static const char *const roles[] = {[GX_RH_IN] = "in", [GX_RH_OUT] = "out", [GX_RH_RESP] = "resp", [GX_RH_SRC] = "src", [GX_RH_DST] = "dst"};
	gx_strbuf_printf(b, "%s logon=%u", r->desc->name, r->logon_id);
	for (unsigned i = 0; i < r->desc->handle_count; ++i)
		gx_strbuf_printf(b, " %s=%u", roles[r->desc->handle[i]], r->handle[i]);
	if (r->desc->req != NULL && r->body != NULL) {
		gx_strbuf_addc(b, ' ');
		gx_desc_print(b, x, r->desc->req, r->body);
	}
}

/* ---- Responses ---- */

void gx_rop_pull_response_head(struct gx_pull *c, struct gx_rop_response *ret_r)
{
	*ret_r = (struct gx_rop_response){.desc = pull_id(c)};
	if (ret_r->desc == NULL || !gx_rop_is_answer(ret_r->desc))
		return;
	ret_r->handle = gx_pull_u8(c);
	ret_r->return_value = gx_pull_u32(c);
}

void gx_rop_pull_response_body(struct gx_pull *c, const struct gx_dctx *x, struct gx_rop_response *io_r)
{
	io_r->body = pull_body(c, x, gx_rop_response_body(io_r->desc, io_r->return_value));
}

void gx_rop_push_response(struct gx_push *c, const struct gx_dctx *x, const struct gx_rop_response *r)
{
	gx_push_u8(c, r->desc->id);
	if (gx_rop_is_answer(r->desc)) {
		gx_push_u8(c, r->handle);
		gx_push_u32(c, r->return_value);
	}
	push_body(c, x, gx_rop_response_body(r->desc, r->return_value), r->body);
}

void gx_rop_print_response(struct gx_strbuf *b, const struct gx_dctx *x, const struct gx_rop_response *r)
{
	const struct gx_desc *d = gx_rop_response_body(r->desc, r->return_value);
	gx_strbuf_adds(b, r->desc->name);
	if (gx_rop_is_answer(r->desc))
		gx_strbuf_printf(b, " handle=%u value=0x%08x", r->handle, (unsigned)r->return_value);
	if (d != NULL && r->body != NULL) {
		gx_strbuf_addc(b, ' ');
		gx_desc_print(b, x, d, r->body);
	}
}
