/* SPDX-License-Identifier: Apache-2.0 */
/* Rule actions: EXT encoding in, the form of ROP buffers out. They differ in the form of text. */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/gromox/gromox-int.h"

/* [MS-OXORULE] 2.2.5.1 */
enum {
	OP_MOVE = 1, OP_COPY = 2, OP_REPLY = 3, OP_OOF_REPLY = 4, OP_DEFER_ACTION = 5, OP_BOUNCE = 6, OP_FORWARD = 7,
	OP_DELEGATE = 8, OP_TAG = 9, OP_DELETE = 10, OP_MARK_AS_READ = 11,
};
enum { BLOCK_HEAD = 9, BLOCK_MAX = 0xffff };

struct recode {
	const struct gx_gromox_px *x;
	struct gx_px in, out;
	struct gx_push *p;
};

static void copy(struct recode *r, struct gx_pull *c, size_t n)
{
	const uint8_t *b = gx_pull_bytes(c, n);
	if (b != NULL)
		gx_push_bytes(r->p, b, n);
}

static void copy_bin(struct recode *r, struct gx_pull *c)
{
	gx_px_push_bin(r->p, &r->out, gx_px_pull_bin(c, &r->in));
}

/* A property that has no name in the source cannot be meant by anybody: left out. @return 1 written. */
static int propval(struct recode *r, struct gx_pull *c)
{
	struct gx_propval pv;
	gx_px_pull_propval(c, &r->in, &pv);
	if (c->err != 0)
		return 0;
	pv.tag = gx_gromox__map_tag(r->x->map, pv.tag);
	if (pv.tag == 0)
		return 0;
	gx_px_push_propval(r->p, &r->out, &pv);
	return 1;
}

static void recipients(struct recode *r, struct gx_pull *c)
{
	size_t n = gx_pull_count(c, gx_pull_u16(c), 3);
	gx_push_u16(r->p, (uint16_t)n);
	for (size_t i = 0; i < n && c->err == 0; i++) {
		gx_push_u8(r->p, gx_pull_u8(c));
		size_t props = gx_pull_count(c, gx_pull_u16(c), 4), at = r->p->len;
		unsigned kept = 0;
		gx_push_u16(r->p, 0);
		for (size_t k = 0; k < props && c->err == 0; k++)
			kept += (unsigned)propval(r, c);
		gx_push_patch_u16(r->p, at, (uint16_t)kept);
	}
}

static void data(struct recode *r, struct gx_pull *c, uint8_t type)
{
	switch (type) {
	case OP_MOVE:
	case OP_COPY:
		/* the store's id is one zero byte, the folder's a server id, when it is this store */
		gx_push_u8(r->p, gx_pull_u8(c));
		copy_bin(r, c);
		copy_bin(r, c);
		break;
	case OP_REPLY:
	case OP_OOF_REPLY:
		copy(r, c, 8 + 8 + 16);
		break;
	case OP_DEFER_ACTION:
		copy(r, c, c->left);
		break;
	case OP_BOUNCE:
		copy(r, c, 4);
		break;
	case OP_FORWARD:
	case OP_DELEGATE:
		recipients(r, c);
		break;
	case OP_TAG:
		if (propval(r, c) == 0 && c->err == 0)
			gx_pull_fail(c, GX_E_NOTFOUND);
		break;
	case OP_DELETE:
	case OP_MARK_AS_READ:
		break;
	default:
		gx_pull_fail(c, GX_E_FORMAT);
		break;
	}
}

static void block(struct recode *r, struct gx_pull *c)
{
	size_t size = gx_pull_u16(c), at = r->p->len;
	struct gx_pull b = gx_pull_child(c, size);
	gx_push_u16(r->p, 0);
	uint8_t type = gx_pull_u8(&b);
	gx_push_u8(r->p, type);
	copy(r, &b, BLOCK_HEAD - 1); /* flavor, flags */
	if (b.err == 0)
		data(r, &b, type);
	gx_pull_close(c, &b, true);
	size_t len = r->p->len - at - 2;
	if (c->err == 0 && len > BLOCK_MAX)
		gx_pull_fail(c, GX_E_RANGE);
	gx_push_patch_u16(r->p, at, (uint16_t)len);
}

int gx_gromox__actions(const struct gx_gromox_px *x, struct gx_bin b, struct gx_bin *ret_wire)
{
	struct gx_push out = GX_PUSH_INIT;
	struct recode r = {.x = x, .in = {.cp = GX_CP_UTF8, .a = x->a}, .out = GX_PX_ROP(x->a, GX_CP_UTF8), .p = &out};
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	size_t n = gx_pull_count(&c, gx_pull_u16(&c), 2 + BLOCK_HEAD);
	if (n == 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	gx_push_u16(&out, (uint16_t)n);
	for (size_t i = 0; i < n && c.err == 0; i++)
		block(&r, &c);
	if (c.err == 0 && c.left != 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	int err = c.err != 0 ? c.err : gx_push_finish(&out, x->a, ret_wire);
	gx_push_release(&out);
	return err;
}
