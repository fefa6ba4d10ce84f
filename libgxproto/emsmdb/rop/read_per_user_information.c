/* SPDX-License-Identifier: Apache-2.0 */
/* RopReadPerUserInformation, [MS-OXCSTOR] 2.2.1.12 and 3.2.5.12 */
#include <config.h>
#include "libgxproto/emsmdb/peruser.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { USUAL_SIZE = 4096, HEAD = 3 };

/* Of a public store: what the user has read now. */
static gx_ec current(struct gx_rop_call *c, struct gx_txn *t, const struct gx_long_term_id *folder, struct gx_push *out)
{
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLGUID);
	struct gx_globset *g;
	const struct gx_guid *own = gx_store_replica(c->logon->store);
	if (gx_guid_cmp(&folder->database_guid, own) != 0)
		return gx_rop__fail(c, ecNotFound, "the folder is of another store");
	gx_ec ec = gx_ec_from_err(gx_idset_need_guid(&s, own, &g));
	if (!gx_ec_failed(ec))
		ec = gx_reads_get(t, folder->global_counter, g);
	if (!gx_ec_failed(ec))
		gx_idset_push(out, &s);
	gx_idset_release(&s);
	return ec;
}

/* Of a mailbox: what it remembers; nothing of most folders. */
static gx_ec remembered(struct gx_rop_call *c, struct gx_txn *t, const struct gx_long_term_id *folder, struct gx_push *out)
{
	struct gx_peruser p = {0};
	gx_ec ec = gx_peruser_get(t, &folder->database_guid, folder->global_counter, c->a, &p);
	gx_push_bytes(out, p.data.data, p.data.len);
	return gx_ec_is(ec, ecNotFound) ? EMS_OK : ec;
}

static gx_ec begin(struct gx_rop_call *c, struct gx_ems_piece *x, const struct gx_long_term_id *folder)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	gx_ems__piece_begin(x, folder);
	ec = gx_rop__end(c, t, c->logon->is_public ? current(c, t, folder, &x->data) : remembered(c, t, folder, &x->data));
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(x->data.err);
	if (gx_ec_failed(ec))
		gx_ems__piece_end(x);
	return ec;
}

gx_ec gx_rop__read_per_user_information(struct gx_rop_call *c, const struct gx_rop_read_per_user_information_req *q,
	struct gx_rop_read_per_user_information_res *r)
{
	struct gx_ems_peruser *p;
	size_t most = q->max_data_size == 0 ? USUAL_SIZE : q->max_data_size, room = c->room > HEAD ? c->room - HEAD : 0;
	gx_ec ec = gx_ems__peruser(c, &p);
	if (!gx_ec_failed(ec) && (q->data_offset == 0 || !gx_ems__piece_is_of(&p->out, &q->folder_id)))
		ec = begin(c, &p->out, &q->folder_id);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_ems_piece *x = &p->out;
	if (q->data_offset > x->data.len)
		return gx_rop__fail(c, ecError, "there are %zu bytes", x->data.len);
	size_t n = x->data.len - q->data_offset;
	n = n < most ? n : most;
	n = n < room ? n : room;
	uint8_t *copy = gx_arena_memdup(c->a, n == 0 ? (const void *)"" : x->data.data + q->data_offset, n);
	if (copy == NULL)
		return GX_EC(ecMAPIOOM);
	r->data = (struct gx_bin){copy, n};
	r->has_finished = q->data_offset + n == x->data.len;
	if (r->has_finished)
		gx_ems__piece_end(x);
	return ec;
}
