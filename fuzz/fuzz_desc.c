/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One target for every described structure: the first byte chooses it, the second the context;
 * bit 3 of it means the exmdb protocol's and bit 5 the remote operations', bit 6 MAPI/HTTP's, in their
 * own forms; bit 4 belongs to the number of the former two.
 * What decodes is printed, encoded, and decodes again to the same; but a character that the code
 * page lacks comes back as '?', and bad UTF-8 in replacement characters that may need more room.
 */
#include <config.h>
#include <assert.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include <gx/exmdb-types.h>
#include <gx/ftx-types.h>
#include <gx/mapihttp.h>
#include <gx/rop-types.h>
#include "libgxmapi/desctest-types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct gx_desc *(*const modules[])(uint32_t) = {gx_entryid_desc, gx_desctest_desc, gx_ftx_desc};

static const struct gx_desc *choose(unsigned n)
{
	unsigned total = 0;
	for (;;) {
		for (size_t m = 0; m < sizeof(modules) / sizeof(modules[0]); ++m) {
			const struct gx_desc *d;
			for (uint32_t i = 0; (d = modules[m](i)) != NULL; ++i)
				if (total++ == n)
					return d;
		}
	}
}

static void round_trip(const struct gx_dctx *x, const struct gx_desc *d, const void *obj)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	struct gx_bin out;
	void *back = gx_arena_alloc(x->px.a, d->size);
	gx_desc_print(&b, x, d, obj);
	gx_strbuf_release(&b);
	int err = gx_desc_encode(x, d, obj, &out);
	assert(err == 0 || err == GX_E_NOMEM || err == GX_E_RANGE);
	if (err != 0 || back == NULL)
		return;
	err = gx_desc_decode(x, d, out.data, out.len, back);
	assert(err == 0 || err == GX_E_NOMEM);
	if (err == 0 && x->px.cp == GX_CP_UTF8)
		assert(gx_desc_equal(x, d, obj, back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct gx_arena *a = gx_arena_new(16 << 20);
	struct gx_dctx x = GX_DCTX(a);
	const struct gx_desc *d;
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagMessageFlags, GX_PROP_TAG(0x1234, PtypUnspecified)};
	static const struct gx_columns columns = {tags, 3};
	x.custom = &columns;
	x.var[0] = data[1] & 1;
	if (data[1] & 64) {
		d = gx_mapihttp_desc(data[0] % GX_MAPIHTTP_STRUCTS);
		x.px = GX_PX_AB(a, data[1] & 4 ? GX_CP_UTF8 : 1252);
	} else if (data[1] & 32) {
		d = gx_rop_desc((data[0] | (data[1] & 16) << 4) % GX_ROP_STRUCTS);
		x.px = GX_PX_ROP(a, data[1] & 4 ? GX_CP_UTF8 : 1252);
	} else if (data[1] & 8) {
		d = gx_exmdb_desc((data[0] | (data[1] & 16) << 4) % GX_EXMDB_STRUCTS);
		x.px = GX_PX_EXT(a);
	} else {
		d = choose(data[0]);
		x.px.wide = (data[1] & 2) == 0;
		x.px.cp = data[1] & 4 ? GX_CP_UTF8 : 1252;
	}
	void *obj = gx_arena_alloc(a, d->size);
	if (gx_desc_decode(&x, d, data + 2, size - 2, obj) == 0)
		round_trip(&x, d, obj);
	gx_arena_free(a);
	return 0;
}
