/* SPDX-License-Identifier: Apache-2.0 */
/* RopSetSearchCriteria and RopGetSearchCriteria, [MS-OXCFOLD] 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5 */
#include <config.h>
#include <gx/restr.h>
#include <gx/search.h>
#include "libgxproto/emsmdb/kinds.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum {
	KNOWN = STOP_SEARCH | RESTART_SEARCH | RECURSIVE_SEARCH | SHALLOW_SEARCH | FOREGROUND_SEARCH | BACKGROUND_SEARCH |
		CONTENT_INDEXED_SEARCH | NON_CONTENT_INDEXED_SEARCH | STATIC_SEARCH,
};

static bool both(uint32_t flags, uint32_t pair)
{
	return (flags & pair) == pair;
}

gx_ec gx_rop__set_search_criteria(struct gx_rop_call *c, const struct gx_rop_set_search_criteria_req *q, void *r)
{
	struct gx_txn *t;
	const uint64_t *fids;
	const struct gx_restr *restr;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	(void)r;
	if (f == NULL)
		return GX_EC(ecNotSupported);
	if ((q->search_flags & ~(uint32_t)KNOWN) || both(q->search_flags, STOP_SEARCH | RESTART_SEARCH) ||
	    both(q->search_flags, RECURSIVE_SEARCH | SHALLOW_SEARCH) || both(q->search_flags, FOREGROUND_SEARCH | BACKGROUND_SEARCH))
		return gx_rop__fail(c, ecInvalidParam, "search flags 0x%x", (unsigned)q->search_flags);
	gx_ec ec = gx_ems__plain_list(c, q->folder_ids, q->folder_ids_count, &fids);
	if (!gx_ec_failed(ec))
		ec = gx_ems__plain_restr(c, q->restriction_data, &restr);
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(c, t, gx_search_set(t, f->fid, q->search_flags, restr, fids, q->folder_ids_count));
}

/* As whoever asks wants texts, whatever whoever set it sent. */
static gx_proptag_t retype(gx_proptag_t tag, void *ctx)
{
	uint16_t want = *(const bool *)ctx ? PtypString : PtypString8, type = GX_PROP_TYPE(tag), multi = type & GX_MV_FLAG;
	bool text = (type & ~GX_MV_FLAG) == PtypString || (type & ~GX_MV_FLAG) == PtypString8;
	return text ? GX_PROP_RETYPE(tag, want | multi) : tag;
}

gx_ec gx_rop__get_search_criteria(struct gx_rop_call *c, const struct gx_rop_get_search_criteria_req *q, struct gx_rop_get_search_criteria_res *r)
{
	struct gx_txn *t;
	struct gx_search_info i = {0};
	bool unicode = q->use_unicode;
	struct gx_ems_folder *f = gx_ems__folder(c->in);
	if (f == NULL)
		return GX_EC(ecNotSupported);
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_rop__end(c, t, gx_search_get(t, f->fid, c->a, &i));
	if (!gx_ec_failed(ec) && i.restr == NULL)
		ec = gx_rop__fail(c, ecNotInitialized, "nothing is looked for yet");
	uint64_t *ids = gx_ec_failed(ec) ? NULL : gx_arena_new_array(c->a, uint64_t, i.n);
	if (ids == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	for (size_t k = 0; k < i.n; ++k)
		ids[k] = gx_eid_wire(i.folders[k]);
	r->logon_id = c->logon_id;
	r->search_flags = i.status;
	int err = !q->include_restriction ? 0 : gx_restr_retag(c->a, i.restr, retype, &unicode, &r->restriction_data);
	if (err == 0)
		err = gx_restr_wire_ids(c->a, r->restriction_data, &r->restriction_data);
	if (err != 0)
		return gx_ec_from_err(err);
	if (q->include_folders) {
		r->folder_ids = ids;
		r->folder_ids_count = (uint32_t)i.n;
	}
	return ec;
}
