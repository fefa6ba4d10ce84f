/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GXSTORE_PEOPLE_INT_H
#define GXSTORE_PEOPLE_INT_H
/* Members of distribution lists, RELOP_MEMBER_OF_DL. Thread class: locked. */
#include <gx/entryid.h>
#include "libgxstore/store-int.h"

/*
 * Is whom property @tag of an object names, an entry id, in the list, which is one, too? @get: its properties, as gx_propsrc
 * has it. @a: for what is made. 1, 0 or GX_E_*.
 */
int gx_people__member(struct gx_store *s, struct gx_arena *a, gx_proptag_t tag, struct gx_bin list,
	int (*get)(gx_proptag_t tag, struct gx_propval *ret_pv, void *ctx), void *ctx);

#endif
