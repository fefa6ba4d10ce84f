/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restrictions, lists and sort orders in both wire forms: what is read is written and read again
 * to the same. The first byte chooses the form and the structure.
 */
#include <config.h>
#include <assert.h>
#include <gx/propcodec.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void restriction(struct gx_pull *c, const struct gx_px *x, struct gx_push *out)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	const struct gx_proplist none = {0};
	struct gx_propsrc src = gx_propsrc_list(&none);
	const struct gx_restr *r = gx_px_pull_restr(c, x), *copy, *back;
	bool match;
	if (r == NULL)
		return;
	gx_restr_print(&b, r);
	(void)!gx_restr_eval(r, &src, &match);
	if (gx_restr_copy(x->a, r, &copy) == 0)
		assert(gx_restr_cmp(r, copy) == 0);
	gx_px_push_restr(out, x, r);
	assert(out->err == 0);
	gx_pull_init(c, out->data, out->len);
	back = gx_px_pull_restr(c, x);
	assert(c->err == GX_E_NOMEM || (back != NULL && gx_restr_cmp(r, back) == 0));
	gx_strbuf_release(&b);
}

static void list(struct gx_pull *c, const struct gx_px *x, struct gx_push *out)
{
	struct gx_proplist l, back;
	gx_px_pull_proplist(c, x, &l);
	if (c->err != 0)
		return;
	gx_px_push_proplist(out, x, &l);
	assert(out->err == 0);
	gx_pull_init(c, out->data, out->len);
	gx_px_pull_proplist(c, x, &back);
	assert(c->err == GX_E_NOMEM || back.count == l.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct gx_arena *a = gx_arena_new(16 << 20);
	struct gx_px x = data[0] & 1 ? GX_PX_EXT(a) : GX_PX_ROP(a, 65001);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_pull c;
	struct gx_sortset s;
	gx_pull_init(&c, data + 1, size - 1);
	switch (data[0] >> 1 & 3) {
	case 0:
	case 1:
		restriction(&c, &x, &out);
		break;
	case 2:
		list(&c, &x, &out);
		break;
	case 3:
		gx_px_pull_sortset(&c, &x, &s);
		gx_px_push_sortset(&out, &x, &s);
		break;
	}
	gx_push_release(&out);
	gx_arena_free(a);
	return 0;
}
