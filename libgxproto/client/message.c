/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as objects. [MS-OXCMSG] 3.1.4 */
#include <config.h>
#include "libgxproto/client/client-int.h"

enum { DEFAULT_CODE_PAGE = 0x0fff, KEEP_OPEN_READ_WRITE = 0x0a, FORCE = 0x04 };

gx_ec gx_mapi_open_message(struct gx_mapi_obj *store, uint64_t fid, uint64_t mid, unsigned mode,
	struct gx_mapi_obj **ret_message)
{
	const struct gx_rop_open_message_req q = {DEFAULT_CODE_PAGE, fid, (uint8_t)mode, mid};
	if (!gx_mapi__is(store, 1U << MC_STORE | 1U << MC_FOLDER))
		return store->c->error.ec;
	gx_ec ec = gx_mapi__make(store, RopOpenMessage, &q, MC_MESSAGE, store->c->scratch, ret_message, NULL);
	if (!gx_ec_failed(ec))
		(*ret_message)->id = mid;
	return ec;
}

gx_ec gx_mapi_create_message(struct gx_mapi_obj *store, uint64_t fid, bool associated, struct gx_mapi_obj **ret_message)
{
	const struct gx_rop_create_message_req q = {DEFAULT_CODE_PAGE, fid, associated};
	if (!gx_mapi__is(store, 1U << MC_STORE | 1U << MC_FOLDER))
		return store->c->error.ec;
	return gx_mapi__make(store, RopCreateMessage, &q, MC_MESSAGE, store->c->scratch, ret_message, NULL);
}

gx_ec gx_mapi_save(struct gx_mapi_obj *m, bool force, uint64_t *ret_mid)
{
	const struct gx_rop_save_changes_message_req q = {(uint8_t)(KEEP_OPEN_READ_WRITE | (force ? FORCE : 0))};
	struct gx_rop_save_changes_message_res *r;
	if (!gx_mapi__is(m, 1U << MC_MESSAGE))
		return m->c->error.ec;
	gx_ec ec = gx_mapi__do(m, RopSaveChangesMessage, &q, m->c->scratch, NULL, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	m->id = r->message_id;
	if (ret_mid != NULL)
		*ret_mid = m->id;
	return MC_OK;
}

uint64_t gx_mapi_message_id(const struct gx_mapi_obj *m)
{
	return m->kind == MC_MESSAGE ? m->id : 0;
}
