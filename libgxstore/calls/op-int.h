/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CALLS_OP_INT_H
#define GX_CALLS_OP_INT_H
/* Operations of defs/storeop.def on a store of this process, asked for by a process that does not own it. */
#include <gx/storeop-types.h>
#include "libgxstore/calls/call-int.h"

struct gx_exmdb_link {
	struct gx_exmdb_client *client;
	struct gx_arena *a;           /* of the actor, lives as long as the transaction */
	char *dir;
	struct gx_store *s;           /* of t, held in the pool */
	struct gx_txn *t;
	struct gx_actor actor;
	int64_t until;                /* when it has been idle for too long */
	bool expired;                 /* it was, and nobody was told yet */
	struct gx_push staged;        /* of the message that is to be inserted */
	struct gx_relaylink *relay;   /* to a store that a process of its own has */
};

/* remote/relay_link.c: the request is carried out where @x leads. @return whether a transaction is open there now. */
bool gx_relaylink__transact(struct gx_relaylink **io_u, struct gx_exmdb *x, const char *dir, const struct gx_x_transact_req *q,
	struct gx_arena *a, struct gx_x_transact_ans *ans);
void gx_relaylink__free(struct gx_relaylink *u); /* accepts NULL */

struct gx_op_ctx {
	struct gx_call_ctx call;      /* for objects, and for what went wrong */
	struct gx_exmdb_link *link;
	struct gx_store *s;
	struct gx_txn *t;             /* NULL outside of one */
	struct gx_arena *a;           /* of the answer */
};
typedef gx_ec (*gx_op_fn)(struct gx_op_ctx *c, const void *req, void *ans);

/* NULL: no such operation. @ret_needs_txn: it works in a transaction. */
gx_op_fn gx_op__find(uint8_t number, bool *ret_needs_txn);

#define GX_OP(name) gx_ec gx_op__##name(struct gx_op_ctx *c, const void *req, void *ans)
GX_OP(folder_get);
GX_OP(folder_list);
GX_OP(folder_by_name);
GX_OP(folder_create);
GX_OP(folder_move);
GX_OP(folder_delete);
GX_OP(folder_set_subscribed);
GX_OP(folder_get_props);
GX_OP(folder_set_props);
GX_OP(folder_rights);
GX_OP(folder_set_permission);
GX_OP(folder_vanished);
GX_OP(msg_get);
GX_OP(msg_get_props);
GX_OP(stage);
GX_OP(msg_insert);
GX_OP(msg_change_flags);
GX_OP(msg_delete);
GX_OP(msg_copy);
GX_OP(msg_mime);
GX_OP(msg_original);
GX_OP(search_texts);
GX_OP(store_get_props);
GX_OP(store_set_props);
GX_OP(info);
GX_OP(sync);
GX_OP(keywords);
GX_OP(view_open);
GX_OP(view_more);
GX_OP(view_refresh);
GX_OP(view_close);

#endif
