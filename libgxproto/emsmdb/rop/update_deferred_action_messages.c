/* SPDX-License-Identifier: Apache-2.0 */
/* RopUpdateDeferredActionMessages, [MS-OXORULE] 2.2.3 and 3.2.5.3: the client says by which id it knows a message now. */
#include <config.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { AT_ONCE = 256 };

static gx_ec patch(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, struct gx_bin client)
{
	struct gx_proplist l = {0};
	int err = gx_proplist_set_bin(&l, c->a, PidTagDamOriginalEntryId, client.data, client.len);
	if (err == 0)
		err = gx_proplist_set_bool(&l, c->a, PidTagDamBackPatched, true);
	return err != 0 ? gx_ec_from_err(err) : gx_msg_change_props(t, mid, &l, NULL, 0, 0, c->a, NULL);
}

/* Rows stay what they were when they were read, so all are found before the first changes. */
static gx_ec find(struct gx_rop_call *c, struct gx_txn *t, uint32_t flags, struct gx_bin server, uint64_t **io_v, size_t *io_n, size_t *io_cap)
{
	const struct gx_restr r = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagDamOriginalEntryId, {PidTagDamOriginalEntryId, {.bin = server}}}};
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	struct gx_table *tb = NULL;
	size_t got = 1;
	o.fid = GX_FID_DEFERRED;
	o.flags = flags;
	o.restr = &r;
	gx_ec ec = gx_table_open_contents(t, &o, &tb);
	for (uint32_t pos = 0; !gx_ec_failed(ec) && got > 0; pos += (uint32_t)got) {
		struct gx_table_row *rows;
		ec = gx_table_query(tb, t, pos, AT_ONCE, NULL, 0, c->a, &rows, &got);
		if (gx_ec_failed(ec))
			break;
		*io_v = gx_arena_grow(c->a, *io_v, io_cap, *io_n + got, sizeof(**io_v));
		if (*io_v == NULL)
			ec = GX_EC(ecMAPIOOM);
		for (size_t i = 0; !gx_ec_failed(ec) && i < got; ++i)
			(*io_v)[(*io_n)++] = rows[i].id;
	}
	gx_table_close(tb);
	return ec;
}

gx_ec gx_rop__update_deferred_action_messages(struct gx_rop_call *c, const struct gx_rop_update_deferred_action_messages_req *q, void *r)
{
	struct gx_txn *t;
	uint64_t *v = NULL;
	size_t n = 0, cap = 0;
	(void)r;
	if (gx_ems__logon(c->in) == NULL || c->logon->is_public)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__write(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = find(c, t, 0, q->server_entry_id, &v, &n, &cap);
	if (!gx_ec_failed(ec))
		ec = find(c, t, GX_TABLE_ASSOCIATED, q->server_entry_id, &v, &n, &cap);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i)
		ec = patch(c, t, v[i], q->client_entry_id);
	return gx_rop__end(c, t, ec);
}
