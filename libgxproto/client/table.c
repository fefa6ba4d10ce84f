/* SPDX-License-Identifier: Apache-2.0 */
/* Tables. [MS-OXCTABL] */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/client/client-int.h"

static gx_ec table(struct gx_mapi_obj *o, uint8_t id, unsigned flags, struct gx_mapi_obj **ret_table,
	uint32_t *ret_rows)
{
	/* of all three requests TableFlags is the only field, and RowCount of both answers */
	const struct gx_rop_get_hierarchy_table_req hierarchy = {(uint8_t)flags};
	const struct gx_rop_get_contents_table_req contents = {(uint8_t)flags};
	const struct gx_rop_get_attachment_table_req attachments = {(uint8_t)flags};
	const void *q = id == RopGetHierarchyTable ? (const void *)&hierarchy : id == RopGetContentsTable ? (const void *)&contents : &attachments;
	void *r;
	gx_ec ec = gx_mapi__make(o, id, q, MC_TABLE, o->c->scratch, ret_table, &r);
	if (!gx_ec_failed(ec) && ret_rows != NULL)
		*ret_rows = id == RopGetHierarchyTable ? ((struct gx_rop_get_hierarchy_table_res *)r)->row_count :
							 ((struct gx_rop_get_contents_table_res *)r)->row_count;
	return ec;
}

gx_ec gx_mapi_hierarchy(struct gx_mapi_obj *folder, unsigned flags, struct gx_mapi_obj **ret_table, uint32_t *ret_rows)
{
	return gx_mapi__is(folder, 1U << MC_FOLDER) ? table(folder, RopGetHierarchyTable, flags, ret_table, ret_rows) : folder->c->error.ec;
}

gx_ec gx_mapi_contents(struct gx_mapi_obj *folder, unsigned flags, struct gx_mapi_obj **ret_table, uint32_t *ret_rows)
{
	return gx_mapi__is(folder, 1U << MC_FOLDER) ? table(folder, RopGetContentsTable, flags, ret_table, ret_rows) : folder->c->error.ec;
}

gx_ec gx_mapi_attachments(struct gx_mapi_obj *message, struct gx_mapi_obj **ret_table)
{
	return gx_mapi__is(message, 1U << MC_MESSAGE) ? table(message, RopGetAttachmentTable, 0, ret_table, NULL) : message->c->error.ec;
}

gx_ec gx_mapi_set_columns(struct gx_mapi_obj *t, const gx_proptag_t *tags, size_t n)
{
	if (!gx_mapi__is(t, 1U << MC_TABLE))
		return t->c->error.ec;
	if (n == 0 || n > UINT16_MAX)
		return gx_mapi__fail(t->c, GX_EC(ecInvalidParam), "a table has 1 to 65535 columns");
	const struct gx_rop_set_columns_req q = {0, tags, (uint16_t)n};
	gx_proptag_t *copy = reallocarray(NULL, n, sizeof(*copy));
	if (copy == NULL)
		return gx_mapi__nomem(t->c);
	gx_ec ec = gx_mapi__do(t, RopSetColumns, &q, t->c->scratch, NULL, NULL);
	if (gx_ec_failed(ec)) {
		free(copy);
		return ec;
	}
	memcpy(copy, tags, n * sizeof(*copy));
	free(t->u.table.columns);
	t->u.table.columns = copy;
	t->u.table.count = (uint32_t)n;
	return MC_OK;
}

gx_ec gx_mapi_restrict(struct gx_mapi_obj *t, const struct gx_restr *r)
{
	const struct gx_rop_restrict_req q = {0, r};
	return gx_mapi__is(t, 1U << MC_TABLE) ? gx_mapi__do(t, RopRestrict, &q, t->c->scratch, NULL, NULL) : t->c->error.ec;
}

gx_ec gx_mapi_sort(struct gx_mapi_obj *t, const struct gx_sortset *s)
{
	const struct gx_rop_sort_table_req q = {0, *s};
	return gx_mapi__is(t, 1U << MC_TABLE) ? gx_mapi__do(t, RopSortTable, &q, t->c->scratch, NULL, NULL) : t->c->error.ec;
}

/* A row without what is not there. */
static gx_ec list_of(struct gx_mapi *c, const struct gx_proprow *row, struct gx_arena *a, struct gx_proplist *ret_l)
{
	*ret_l = (struct gx_proplist){0};
	for (uint32_t i = 0; i < row->count; ++i) {
		const struct gx_propval *v = &row->v[i];
		uint16_t type = GX_PROP_TYPE(v->tag);
		if (type == PtypNull || (type == PtypErrorCode && v->v.err == ecNotFound))
			continue;
		if (gx_proplist_set(ret_l, a, v->tag, v->v) != 0)
			return gx_mapi__nomem(c);
	}
	return MC_OK;
}

static bool has_columns(struct gx_mapi_obj *t)
{
	if (!gx_mapi__is(t, 1U << MC_TABLE))
		return false;
	if (t->u.table.count > 0)
		return true;
	(void)gx_mapi__fail(t->c, GX_EC(ecInvalidParam), "the table has no columns yet");
	return false;
}

gx_ec gx_mapi_rows(struct gx_mapi_obj *t, size_t most, struct gx_arena *a, struct gx_proplist **ret_rows, size_t *ret_n)
{
	const struct gx_rop_query_rows_req q = {0, true, (uint16_t)(most < UINT16_MAX ? most : UINT16_MAX)};
	struct gx_rop_query_rows_res *r;
	if (!has_columns(t))
		return t->c->error.ec;
	gx_ec ec = gx_mapi__do(t, RopQueryRows, &q, a, NULL, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_proplist *rows = gx_arena_new_array(a, struct gx_proplist, r->row_data_count);
	if (rows == NULL)
		return gx_mapi__nomem(t->c);
	for (uint32_t i = 0; i < r->row_data_count && !gx_ec_failed(ec); ++i)
		ec = list_of(t->c, &r->row_data[i], a, &rows[i]);
	if (gx_ec_failed(ec))
		return ec;
	*ret_rows = rows;
	*ret_n = r->row_data_count;
	return MC_OK;
}

gx_ec gx_mapi_seek(struct gx_mapi_obj *t, unsigned origin, int32_t rows, int32_t *ret_moved)
{
	const struct gx_rop_seek_row_req q = {(uint8_t)origin, rows, ret_moved != NULL};
	struct gx_rop_seek_row_res *r;
	if (!gx_mapi__is(t, 1U << MC_TABLE))
		return t->c->error.ec;
	gx_ec ec = gx_mapi__do(t, RopSeekRow, &q, t->c->scratch, NULL, (void **)&r);
	if (!gx_ec_failed(ec) && ret_moved != NULL)
		*ret_moved = r->rows_sought;
	return ec;
}

gx_ec gx_mapi_find_row(struct gx_mapi_obj *t, const struct gx_restr *restr, unsigned origin,
	struct gx_arena *a, struct gx_proplist *ret_row)
{
	const struct gx_rop_find_row_req q = {.restriction_data = restr, .origin = (uint8_t)origin};
	struct gx_rop_find_row_res *r;
	if (!has_columns(t))
		return t->c->error.ec;
	gx_ec ec = gx_mapi__do(t, RopFindRow, &q, a, NULL, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	return r->has_row_data ? list_of(t->c, &r->row_data, a, ret_row) : gx_mapi__fail(t->c, GX_EC(ecNotFound), "RopFindRow: no such row");
}

gx_ec gx_mapi_position(struct gx_mapi_obj *t, uint32_t *ret_at, uint32_t *ret_rows)
{
	struct gx_rop_query_position_res *r;
	if (!gx_mapi__is(t, 1U << MC_TABLE))
		return t->c->error.ec;
	gx_ec ec = gx_mapi__do(t, RopQueryPosition, NULL, t->c->scratch, NULL, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	*ret_at = r->numerator;
	*ret_rows = r->denominator;
	return MC_OK;
}
