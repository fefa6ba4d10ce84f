/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_NAMES_H
#define GX_EMSMDB_NAMES_H
/* Named properties have ids of their own in each store: from one store's to another's, by the names. */
#include "libgxproto/emsmdb/kinds.h"

/* What the store of @to calls them, which learns names that are new to it. 0: the name is unknown, or there is no room for it. */
gx_ec gx_ems__map_names(struct gx_rop_call *c, struct gx_ems_logon *from, struct gx_ems_logon *to, const uint16_t *ids, size_t n,
	uint16_t **ret_ids);
/* Lists of properties with the other store's ids; what has none there is left out. New values live in @a. */
gx_ec gx_ems__map_props(struct gx_rop_call *c, struct gx_ems_logon *from, struct gx_ems_logon *to, struct gx_proplist **io_v, size_t n,
	struct gx_arena *a);

#endif
