/* SPDX-License-Identifier: Apache-2.0 */
/* What unpacks packs again to a row that unpacks to the same; find and unpack agree. */
#include <config.h>
#include <assert.h>
#include <gx/prop.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find_each(struct gx_arena *a, const uint8_t *row, size_t len, const struct gx_proplist *l)
{
	for (size_t i = 0; i < l->count; ++i) {
		struct gx_propval pv;
		int err = gx_prow_find(row, len, l->v[i].tag, a, &pv);
		/* rows out of order may hide an entry from find, never show another */
		assert(err == 0 || err == GX_E_NOTFOUND);
		assert(err != 0 || GX_PROP_ID(pv.tag) == GX_PROP_ID(l->v[i].tag));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gx_arena *a = gx_arena_new(16 << 20);
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_push out = GX_PUSH_INIT;
	struct gx_proplist l, back;
	if (gx_prow_unpack(a, data, size, &l) == 0) {
		if (l.count < 50)
			find_each(a, data, size, &l);
		for (size_t i = 0; i < l.count; ++i)
			gx_value_print(&b, GX_PROP_TYPE(l.v[i].tag), &l.v[i].v);
		int err = gx_prow_pack(&out, &l);
		assert(err == 0);
		err = gx_prow_unpack(a, out.data, out.len, &back);
		assert(err == GX_E_NOMEM || (err == 0 && back.count == l.count));
	}
	gx_push_release(&out);
	gx_strbuf_release(&b);
	gx_arena_free(a);
	return 0;
}
