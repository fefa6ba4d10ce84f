/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

/* In the order of repair: what others build upon comes first, what is counted last. */
const struct gx_sc_check *const gx_sc__checks[] = {
	&gx_sc__database,
	&gx_sc__schema,
	&gx_sc__meta,
	&gx_sc__store_numbers,
	&gx_sc__names,
	&gx_sc__folder_rows,
	&gx_sc__folder_tree,
	&gx_sc__folder_names,
	&gx_sc__folder_state,
	&gx_sc__attachments,
	&gx_sc__body_rows,
	&gx_sc__body_orphans,
	&gx_sc__message_rows,
	&gx_sc__message_uids,
	&gx_sc__message_mime,
	&gx_sc__shared,
	&gx_sc__content_rows,
	&gx_sc__content_orphans,
	&gx_sc__content_bytes,
	&gx_sc__content_refs,
	&gx_sc__content_files,
	&gx_sc__log,
	&gx_sc__belongings,
	&gx_sc__folder_counters,
	&gx_sc__store_sums,
	&gx_sc__orders,
	&gx_sc__index,
};
const size_t gx_sc__check_count = sizeof(gx_sc__checks) / sizeof(gx_sc__checks[0]);

const struct gx_store_check_info *gx_store_check_info(size_t i)
{
	for (size_t c = 0; c < gx_sc__check_count; c++) {
		if (i < gx_sc__checks[c]->nsubs)
			return &gx_sc__checks[c]->subs[i];
		i -= gx_sc__checks[c]->nsubs;
	}
	return NULL;
}
