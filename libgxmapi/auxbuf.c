/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/auxbuf.h>
#include <gx/charset.h>
#include <gx/desc.h>
#include "libgxmapi/desc-int.h"
#include "libgxmapi/aux-table.h"

enum { HEAD = 4 };

/* AUX_HEADER, [MS-OXCRPC] 2.2.2.2.1: version, type, and the structure that follows. */
static const struct {
	uint8_t version, type, which;
} blocks[] = {
	{1, 0x01, GX_AUX_AUX_PERF_REQUESTID}, {1, 0x02, GX_AUX_AUX_PERF_CLIENTINFO},
	{1, 0x03, GX_AUX_AUX_PERF_SERVERINFO}, {1, 0x04, GX_AUX_AUX_PERF_SESSIONINFO},
	{2, 0x04, GX_AUX_AUX_PERF_SESSIONINFO_V2}, {1, 0x05, GX_AUX_AUX_PERF_DEFMDB_SUCCESS},
	{1, 0x06, GX_AUX_AUX_PERF_DEFGC_SUCCESS}, {1, 0x07, GX_AUX_AUX_PERF_MDB_SUCCESS},
	{2, 0x07, GX_AUX_AUX_PERF_MDB_SUCCESS_V2}, {1, 0x08, GX_AUX_AUX_PERF_GC_SUCCESS},
	{2, 0x08, GX_AUX_AUX_PERF_GC_SUCCESS_V2}, {1, 0x09, GX_AUX_AUX_PERF_FAILURE},
	{2, 0x09, GX_AUX_AUX_PERF_FAILURE_V2}, {1, 0x0a, GX_AUX_AUX_CLIENT_CONTROL},
	{1, 0x0b, GX_AUX_AUX_PERF_PROCESSINFO}, {2, 0x0b, GX_AUX_AUX_PERF_PROCESSINFO},
	{1, 0x0c, GX_AUX_AUX_PERF_DEFMDB_SUCCESS}, {1, 0x0d, GX_AUX_AUX_PERF_DEFGC_SUCCESS},
	{1, 0x0e, GX_AUX_AUX_PERF_MDB_SUCCESS}, {2, 0x0e, GX_AUX_AUX_PERF_MDB_SUCCESS_V2},
	{1, 0x0f, GX_AUX_AUX_PERF_GC_SUCCESS}, {2, 0x0f, GX_AUX_AUX_PERF_GC_SUCCESS_V2},
	{1, 0x10, GX_AUX_AUX_PERF_FAILURE}, {2, 0x10, GX_AUX_AUX_PERF_FAILURE_V2},
	{1, 0x11, GX_AUX_AUX_PERF_DEFMDB_SUCCESS}, {1, 0x12, GX_AUX_AUX_PERF_DEFGC_SUCCESS},
	{1, 0x13, GX_AUX_AUX_PERF_MDB_SUCCESS}, {2, 0x13, GX_AUX_AUX_PERF_MDB_SUCCESS_V2},
	{1, 0x14, GX_AUX_AUX_PERF_GC_SUCCESS}, {2, 0x14, GX_AUX_AUX_PERF_GC_SUCCESS_V2},
	{1, 0x15, GX_AUX_AUX_PERF_FAILURE}, {2, 0x15, GX_AUX_AUX_PERF_FAILURE_V2}, {1, 0x16, GX_AUX_AUX_OSVERSIONINFO},
	{1, 0x17, GX_AUX_AUX_EXORGINFO}, {1, 0x18, GX_AUX_AUX_PERF_ACCOUNTINFO},
	{1, 0x48, GX_AUX_AUX_ENDPOINT_CAPABILITIES}, {1, 0x49, GX_AUX_AUX_EXCEPTION_TRACE},
	{1, 0x4a, GX_AUX_AUX_CLIENT_CONNECTION_INFO}, {1, 0x4b, GX_AUX_AUX_SERVER_SESSION_INFO},
	{1, 0x4e, GX_AUX_AUX_PROTOCOL_DEVICE_IDENTIFICATION},
};

const struct gx_desc *gx_aux_find(uint8_t version, uint8_t type)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); ++i)
		if (blocks[i].version == version && blocks[i].type == type)
			return gx_aux_desc(blocks[i].which);
	return NULL;
}

/* Later makers may have added to it: what is left of a block is ignored. */
static void pull_body(struct gx_pull *c, struct gx_arena *a, struct gx_aux_block *b)
{
	const struct gx_dctx x = GX_DCTX(a);
	struct gx_pull body;
	gx_pull_init(&body, b->bytes.data + HEAD, b->bytes.len - HEAD);
	b->body = gx_arena_calloc(a, 1, b->desc->size);
	if (b->body == NULL)
		gx_pull_fail(c, GX_E_NOMEM);
	else
		gx_desc_pull(&body, &x, b->desc, b->body);
	if (body.err != 0)
		gx_pull_fail(c, body.err);
}

void gx_aux_pull(struct gx_pull *c, struct gx_arena *a, struct gx_aux_block *ret_b)
{
	const uint8_t *from = c->p;
	uint16_t size = gx_pull_u16(c);
	*ret_b = (struct gx_aux_block){.version = gx_pull_u8(c), .type = gx_pull_u8(c)};
	if (c->err == 0 && size < HEAD)
		gx_pull_fail(c, GX_E_FORMAT);
	if (c->err == 0)
		(void)gx_pull_bytes(c, (size_t)size - HEAD);
	if (c->err != 0)
		return;
	ret_b->bytes = (struct gx_bin){from, size};
	ret_b->desc = gx_aux_find(ret_b->version, ret_b->type);
	if (ret_b->desc != NULL)
		pull_body(c, a, ret_b);
}

void gx_aux_push(struct gx_push *c, uint8_t version, uint8_t type, const void *body)
{
	static const struct gx_dctx x;
	const struct gx_desc *d = gx_aux_find(version, type);
	struct gx_push b = GX_PUSH_INIT;
	if (d == NULL) {
		gx_push_fail(c, GX_E_INVAL);
		return;
	}
	gx_desc_push(&b, &x, d, body);
	if (b.err != 0 || b.len > UINT16_MAX - HEAD)
		gx_push_fail(c, b.err != 0 ? b.err : GX_E_RANGE);
	gx_push_u16(c, (uint16_t)(HEAD + b.len));
	gx_push_u8(c, version);
	gx_push_u8(c, type);
	gx_push_bytes(c, b.data, b.len);
	gx_push_release(&b);
}

const char *gx_aux_text(const struct gx_aux_block *b, uint16_t offset, struct gx_arena *a)
{
	size_t end = offset;
	char *text;
	while (end + 1 < b->bytes.len && (b->bytes.data[end] != 0 || b->bytes.data[end + 1] != 0))
		end += 2;
	if (offset < HEAD || end + 1 >= b->bytes.len)
		return NULL;
	return gx_utf16le_to_utf8(a, b->bytes.data + offset, end - offset, &text) == 0 ? text : NULL;
}
