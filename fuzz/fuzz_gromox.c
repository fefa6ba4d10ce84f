/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs of Gromox mailboxes. Byte 0 picks the decoder. What is decoded can be printed, or decoded again. */
#include <config.h>
#include <assert.h>
#include <string.h>
#include "libgxstore/gromox/gromox-int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gx_gromox_idmap map;

static void one_restr(const struct gx_gromox_px *x, struct gx_bin b)
{
	const struct gx_restr *r;
	struct gx_strbuf out = GX_STRBUF_INIT;
	if (gx_gromox__restr(x, b, &r) == 0)
		gx_restr_print(&out, r);
	gx_strbuf_release(&out);
}

/* The result is what a ROP buffer holds: a list of blocks, each as long as it says. */
static void one_actions(const struct gx_gromox_px *x, struct gx_bin b)
{
	struct gx_bin wire;
	struct gx_pull c;
	if (gx_gromox__actions(x, b, &wire) != 0)
		return;
	gx_pull_init(&c, wire.data, wire.len);
	unsigned n = gx_pull_u16(&c);
	for (unsigned i = 0; i < n; i++)
		gx_pull_skip(&c, gx_pull_u16(&c));
	assert(n > 0 && c.err == 0 && c.left == 0);
}

static void one_multi(const struct gx_gromox_px *x, struct gx_bin b)
{
	static const uint16_t types[] = {PtypMultipleInteger16, PtypMultipleInteger32, PtypMultipleFloating64, PtypMultipleString8,
		PtypMultipleString, PtypMultipleTime, PtypMultipleGuid, PtypMultipleBinary};
	struct gx_strbuf out = GX_STRBUF_INIT;
	union gx_value v;
	uint16_t type = types[b.len == 0 ? 0 : b.data[0] % 8];
	if (b.len > 0 && gx_gromox__multi(x, type, (struct gx_bin){b.data + 1, b.len - 1}, &v) == 0)
		gx_value_print(&out, type, &v);
	gx_strbuf_release(&out);
}

static void one_text(const struct gx_gromox_px *x, struct gx_bin b)
{
	struct gx_propname n;
	const char *s;
	char *copy = gx_arena_strndup(x->a, (const char *)b.data, b.len);
	if (copy != NULL && gx_gromox__propname(x->a, copy, &n) == 0)
		assert(!n.by_name || n.name != NULL);
	(void)!gx_gromox__text(x->a, 0, b.data, b.len, &s, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gx_arena *a = gx_arena_new(64 << 20);
	const struct gx_gromox_px x = {.a = a, .map = &map};
	struct gx_bin b = {data + 1, size - 1}, out;
	struct gx_proplist l, *sections;
	size_t n;
	map.id[1] = 0x8001;
	if (size > 0 && a != NULL)
		switch (data[0] % 6) {
		case 0: one_restr(&x, b); break;
		case 1: one_actions(&x, b); break;
		case 2: one_multi(&x, b); break;
		case 3: (void)!gx_gromox__profile(&x, b, &l, &sections, &n); break;
		case 4: one_text(&x, b); break;
		default: (void)!gx_gromox__svreid(b, &out); break;
		}
	gx_arena_free(a);
	return 0;
}
