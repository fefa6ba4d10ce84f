/* SPDX-License-Identifier: Apache-2.0 */
/* The exmdb calls' tables, and what of them tables cannot say: whole messages. */
#include <config.h>
#include <string.h>
#include <gx/exmdb-types.h>
#include <gx/storeop-types.h>
#include "libgxmapi/desc-int.h"
#include "libgxmapi/propname.h"

/* ---- Messages: properties, then recipients and attachments where a byte says so ---- */

#define MOST_NESTING 32

static void pull_msg(struct gx_pull *c, const struct gx_px *px, struct gx_msgobj *m);

/* Room for n elements, at least one: an array that is there but empty is not NULL. */
static void *room(struct gx_pull *c, const struct gx_px *px, size_t n, size_t size)
{
	void *v = c->err == 0 ? gx_arena_calloc(px->a, n == 0 ? 1 : n, size) : NULL;
	if (v == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	return v;
}

static void pull_rcpts(struct gx_pull *c, const struct gx_px *px, struct gx_msgobj *m)
{
	uint32_t count = gx_pull_u32(c);
	size_t n = gx_pull_count(c, count, 2);
	m->rcpts = room(c, px, n, sizeof(*m->rcpts));
	for (size_t i = 0; i < n && c->err == 0; ++i)
		gx_px_pull_proplist(c, px, &m->rcpts[i]);
	m->rcpt_count = m->rcpt_cap = n;
}

static void pull_attach(struct gx_pull *c, const struct gx_px *px, struct gx_attach *at)
{
	gx_px_pull_proplist(c, px, &at->props);
	if (gx_pull_u8(c) == 0)
		return;
	at->embedded = room(c, px, 1, sizeof(*at->embedded));
	if (at->embedded != NULL)
		pull_msg(c, px, at->embedded);
}

static void pull_atts(struct gx_pull *c, const struct gx_px *px, struct gx_msgobj *m)
{
	uint16_t count = gx_pull_u16(c);
	size_t n = gx_pull_count(c, count, 3);
	m->atts = room(c, px, n, sizeof(*m->atts));
	for (size_t i = 0; i < n && c->err == 0; ++i)
		pull_attach(c, px, &m->atts[i]);
	m->att_count = m->att_cap = n;
}

static void pull_msg(struct gx_pull *c, const struct gx_px *px, struct gx_msgobj *m)
{
	if (!gx_pull_enter(c))
		return;
	gx_px_pull_proplist(c, px, &m->props);
	if (gx_pull_u8(c) != 0)
		pull_rcpts(c, px, m);
	if (gx_pull_u8(c) != 0)
		pull_atts(c, px, m);
	gx_pull_leave(c);
	if (c->err != 0)
		*m = (struct gx_msgobj){0};
}

static void push_msg(struct gx_push *c, const struct gx_px *px, const struct gx_msgobj *m, unsigned depth);

static void push_atts(struct gx_push *c, const struct gx_px *px, const struct gx_msgobj *m, unsigned depth)
{
	if (m->att_count > UINT16_MAX)
		gx_push_fail(c, GX_E_RANGE);
	gx_push_u16(c, (uint16_t)m->att_count);
	for (size_t i = 0; i < m->att_count && c->err == 0; ++i) {
		const struct gx_attach *at = &m->atts[i];
		gx_px_push_proplist(c, px, &at->props);
		gx_push_u8(c, at->embedded != NULL);
		if (at->embedded != NULL)
			push_msg(c, px, at->embedded, depth + 1);
	}
}

static void push_msg(struct gx_push *c, const struct gx_px *px, const struct gx_msgobj *m, unsigned depth)
{
	/* names without an id and values still in an original have no form here */
	if (m->named_count != 0 || m->slices[0].tag != 0 || m->rcpt_count > UINT32_MAX)
		gx_push_fail(c, GX_E_INVAL);
	if (depth >= MOST_NESTING)
		gx_push_fail(c, GX_E_DEPTH);
	if (c->err != 0)
		return;
	gx_px_push_proplist(c, px, &m->props);
	gx_push_u8(c, m->rcpts != NULL);
	if (m->rcpts != NULL) {
		gx_push_u32(c, (uint32_t)m->rcpt_count);
		for (size_t i = 0; i < m->rcpt_count && c->err == 0; ++i)
			gx_px_push_proplist(c, px, &m->rcpts[i]);
	}
	gx_push_u8(c, m->atts != NULL);
	if (m->atts != NULL)
		push_atts(c, px, m, depth);
}

static void msg_pull(struct gx_pull *c, const struct gx_dctx *x, void *ret_member)
{
	pull_msg(c, &x->px, ret_member);
}

static void msg_push(struct gx_push *c, const struct gx_dctx *x, const void *member)
{
	push_msg(c, &x->px, member, 0);
}

static void msg_print(struct gx_strbuf *b, const void *member)
{
	const struct gx_msgobj *m = member;
	gx_strbuf_adds(b, "msg{");
	gx_desc__print_proplist(b, &m->props);
	if (m->rcpts != NULL)
		gx_strbuf_adds(b, ", rcpts");
	for (size_t i = 0; i < m->rcpt_count; ++i)
		gx_desc__print_proplist(b, &m->rcpts[i]);
	if (m->atts != NULL)
		gx_strbuf_adds(b, ", atts");
	for (size_t i = 0; i < m->att_count; ++i) {
		gx_desc__print_proplist(b, &m->atts[i].props);
		if (m->atts[i].embedded != NULL)
			msg_print(b, m->atts[i].embedded);
	}
	gx_strbuf_addc(b, '}');
}

static bool equal_attach(const struct gx_attach *x, const struct gx_attach *y);

static bool msg_equal(const void *x, const void *y)
{
	const struct gx_msgobj *p = x, *q = y;
	if (p->rcpt_count != q->rcpt_count || p->att_count != q->att_count || (p->rcpts == NULL) != (q->rcpts == NULL) ||
	    (p->atts == NULL) != (q->atts == NULL) || !gx_desc__equal_proplist(&p->props, &q->props))
		return false;
	for (size_t i = 0; i < p->rcpt_count; ++i)
		if (!gx_desc__equal_proplist(&p->rcpts[i], &q->rcpts[i]))
			return false;
	for (size_t i = 0; i < p->att_count; ++i)
		if (!equal_attach(&p->atts[i], &q->atts[i]))
			return false;
	return true;
}

static bool equal_attach(const struct gx_attach *x, const struct gx_attach *y)
{
	if ((x->embedded == NULL) != (y->embedded == NULL) || !gx_desc__equal_proplist(&x->props, &y->props))
		return false;
	return x->embedded == NULL || msg_equal(x->embedded, y->embedded);
}

static void msg_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member)
{
	struct gx_msgobj *m = ret_member;
	struct gx_arena *a = x->px.a;
	*m = (struct gx_msgobj){.props = gx_desc__random_proplist(next, rnd, a)};
	if (next(rnd) % 2 == 0 && (m->rcpts = gx_arena_new_array(a, struct gx_proplist, 2)) != NULL) {
		m->rcpt_count = m->rcpt_cap = next(rnd) % 3;
		for (size_t i = 0; i < m->rcpt_count; ++i)
			m->rcpts[i] = gx_desc__random_proplist(next, rnd, a);
	}
	if (next(rnd) % 2 == 0 && (m->atts = gx_arena_new_array(a, struct gx_attach, 2)) != NULL) {
		m->att_count = m->att_cap = next(rnd) % 3;
		for (size_t i = 0; i < m->att_count; ++i) {
			m->atts[i].props = gx_desc__random_proplist(next, rnd, a);
			if (next(rnd) % 4 == 0 && (m->atts[i].embedded = gx_msgobj_new(a)) != NULL)
				msg_random(next, rnd, x, m->atts[i].embedded);
		}
	}
}

static const struct gx_custom gx_custom_msgobj = {msg_pull, msg_push, msg_print, msg_equal, msg_random};

#include "libgxmapi/exmdb-table.h"
#include "libgxmapi/storeop-table.h"
