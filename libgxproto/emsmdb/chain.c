/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxproto/emsmdb/chain.h"

enum { ENABLE_PACKED_BUFFERS = 0x02, LENGTH_ELSEWHERE = 0xbabe, TRANSFER_PARTIAL = 0x0001 };

static bool more_rows(struct gx_rop_query_rows_req *q, const struct gx_rop_query_rows_res *r)
{
	if (!(q->query_rows_flags & ENABLE_PACKED_BUFFERS) || r->row_data_count == 0 || r->row_data_count >= q->row_count)
		return false;
	q->row_count = (uint16_t)(q->row_count - r->row_data_count);
	return true;
}

static bool more_of_stream(struct gx_rop_read_stream_req *q, const struct gx_rop_read_stream_res *r)
{
	uint32_t asked = q->byte_count == LENGTH_ELSEWHERE ? q->maximum_byte_count : q->byte_count;
	if (r->data.len == 0 || r->data.len >= asked)
		return false;
	asked -= (uint32_t)r->data.len;
	if (q->byte_count == LENGTH_ELSEWHERE)
		q->maximum_byte_count = asked;
	else
		q->byte_count = (uint16_t)asked;
	return true;
}

bool gx_chain__goes_on(struct gx_ems_chain *c)
{
	if (c->q.desc == NULL || c->failed)
		return false;
	switch (c->q.desc->id) {
	case RopQueryRows: return more_rows(c->q.body, c->response);
	case RopReadStream: return more_of_stream(c->q.body, c->response);
	case RopFastTransferSourceGetBuffer:
		return ((const struct gx_rop_fast_transfer_source_get_buffer_res *)c->response)->transfer_status == TRANSFER_PARTIAL;
	default: return false;
	}
}

/* Outlook 2013 and the first builds of 2016 take further buffers for damaged ones. */
bool gx_chain__client_may(const struct gx_ems_session *s)
{
	const uint16_t *v = s->client_version;
	switch (s->e->o.rop_chaining) {
	case 0: return false;
	case 1: return v[0] < 15 || (v[0] == 16 && v[1] >= 10000) || v[0] > 16;
	default: return true;
	}
}
