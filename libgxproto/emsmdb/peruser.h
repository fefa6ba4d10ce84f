/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_PERUSER_H
#define GX_EMSMDB_PERUSER_H
/* Per-user information on its way, in pieces, of one folder each way: RopReadPerUserInformation reads what it was at the first piece. */
#include <gx/peruser.h>
#include "libgxproto/emsmdb/kinds.h"

struct gx_ems_piece {
	struct gx_long_term_id folder;
	struct gx_guid database;     /* ReplGuid of the first piece that is written */
	struct gx_push data;
	bool begun;
};
/* Of a logon, from the first operation that needs it. */
struct gx_ems_peruser {
	struct gx_ems_piece out, in;
};
gx_ec gx_ems__peruser(struct gx_rop_call *c, struct gx_ems_peruser **ret_p);
void gx_ems__peruser_free(struct gx_ems_peruser *p);
void gx_ems__piece_begin(struct gx_ems_piece *x, const struct gx_long_term_id *folder);
void gx_ems__piece_end(struct gx_ems_piece *x);
bool gx_ems__piece_is_of(const struct gx_ems_piece *x, const struct gx_long_term_id *folder);

#endif
