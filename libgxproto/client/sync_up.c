/* SPDX-License-Identifier: Apache-2.0 */
/* What has changed at the client: messages, folders, deletions, moves, read states. [MS-OXCFXICS] 3.3.4.3.3.2 */
#include <config.h>
#include <string.h>
#include "libgxproto/client/sync.h"

enum { ASSOCIATED = 0x10, FAIL_ON_CONFLICT = 0x40, HIERARCHY = 1, HARD_DELETE = 2, KEYS_AT_ONCE = 500, KEYS_TAG = 0x00001102 };

static int set_bin(struct gx_proplist *l, struct gx_arena *a, gx_proptag_t tag, struct gx_bin b)
{
	return gx_proplist_set(l, a, tag, (union gx_value){.bin = b});
}

gx_ec gx_mapi_import_message(struct gx_mapi_obj *collector, const struct gx_mapi_change *ch, bool fail_on_conflict, struct gx_mapi_obj **ret_message)
{
	struct gx_arena *a = collector->c->scratch;
	struct gx_proplist l = {0};
	if (!gx_mapi__is_collector(collector))
		return collector->c->error.ec;
	int err = set_bin(&l, a, PidTagSourceKey, ch->source_key);
	if (err == 0)
		err = gx_proplist_set_time(&l, a, PidTagLastModificationTime, ch->modified);
	if (err == 0)
		err = set_bin(&l, a, PidTagChangeKey, ch->change_key);
	if (err == 0)
		err = set_bin(&l, a, PidTagPredecessorChangeList, ch->predecessors);
	if (err != 0)
		return gx_mapi__nomem(collector->c);
	const struct gx_rop_synchronization_import_message_change_req q = {
		(uint8_t)((ch->associated ? ASSOCIATED : 0) | (fail_on_conflict ? FAIL_ON_CONFLICT : 0)), l};
	return gx_mapi__make(collector, RopSynchronizationImportMessageChange, &q, MC_MESSAGE, a, ret_message, NULL);
}

gx_ec gx_mapi_import_folder(struct gx_mapi_obj *collector, const struct gx_proplist *hierarchy, const struct gx_proplist *props, uint64_t *ret_fid)
{
	const struct gx_rop_synchronization_import_hierarchy_change_req q = {*hierarchy, props != NULL ? *props : (struct gx_proplist){0}};
	struct gx_rop_synchronization_import_hierarchy_change_res *r;
	if (!gx_mapi__is_collector(collector))
		return collector->c->error.ec;
	gx_ec ec = gx_mapi__do(collector, RopSynchronizationImportHierarchyChange, &q, collector->c->scratch, NULL, (void **)&r);
	if (!gx_ec_failed(ec) && ret_fid != NULL)
		*ret_fid = r->folder_id;
	return ec;
}

gx_ec gx_mapi_import_deletes(struct gx_mapi_obj *collector, const struct gx_bin *keys, size_t n, bool folders, bool hard)
{
	struct gx_mapi *c = collector->c;
	if (!gx_mapi__is_collector(collector))
		return c->error.ec;
	for (size_t at = 0; at < n; at += KEYS_AT_ONCE) {
		union gx_value v[KEYS_AT_ONCE];
		uint32_t some = (uint32_t)(n - at < KEYS_AT_ONCE ? n - at : KEYS_AT_ONCE);
		for (uint32_t i = 0; i < some; ++i)
			v[i].bin = keys[at + i];
		struct gx_propval all = {KEYS_TAG, {.mv = {v, some}}};
		const struct gx_rop_synchronization_import_deletes_req q = {
			(uint8_t)((folders ? HIERARCHY : 0) | (hard ? HARD_DELETE : 0)), {&all, 1, 1}};
		gx_ec ec = gx_mapi__do(collector, RopSynchronizationImportDeletes, &q, c->scratch, NULL, NULL);
		if (gx_ec_failed(ec))
			return ec;
	}
	return MC_OK;
}

gx_ec gx_mapi_import_reads(struct gx_mapi_obj *collector, const struct gx_bin *keys, size_t n, bool read)
{
	struct gx_mapi *c = collector->c;
	if (!gx_mapi__is_collector(collector))
		return c->error.ec;
	for (size_t at = 0; at < n; at += KEYS_AT_ONCE) {
		struct gx_message_read_state v[KEYS_AT_ONCE];
		uint32_t some = (uint32_t)(n - at < KEYS_AT_ONCE ? n - at : KEYS_AT_ONCE);
		for (uint32_t i = 0; i < some; ++i)
			v[i] = (struct gx_message_read_state){keys[at + i], read};
		const struct gx_rop_synchronization_import_read_state_changes_req q = {v, some};
		gx_ec ec = gx_mapi__do(collector, RopSynchronizationImportReadStateChanges, &q, c->scratch, NULL, NULL);
		if (gx_ec_failed(ec))
			return ec;
	}
	return MC_OK;
}

gx_ec gx_mapi_import_move(struct gx_mapi_obj *collector, struct gx_bin from_folder, struct gx_bin from_message, const struct gx_mapi_change *to,
	uint64_t *ret_mid)
{
	const struct gx_rop_synchronization_import_message_move_req q = {from_folder, from_message, to->predecessors, to->source_key, to->change_key};
	struct gx_rop_synchronization_import_message_move_res *r;
	if (!gx_mapi__is_collector(collector))
		return collector->c->error.ec;
	gx_ec ec = gx_mapi__do(collector, RopSynchronizationImportMessageMove, &q, collector->c->scratch, NULL, (void **)&r);
	if (!gx_ec_failed(ec) && ret_mid != NULL)
		*ret_mid = r->message_id;
	return ec;
}

/* ---- State ---- */

static gx_ec add_bytes(const void *data, size_t n, uint32_t done, uint32_t total, void *ctx)
{
	struct gx_push *all = ctx;
	(void)done;
	(void)total;
	gx_push_bytes(all, data, n);
	return all->err == 0 ? MC_OK : GX_EC(ecMAPIOOM);
}

gx_ec gx_mapi_collector_state(struct gx_mapi_obj *collector, struct gx_arena *a, struct gx_bin *ret_state)
{
	struct gx_push all = GX_PUSH_INIT;
	struct gx_mapi_obj *source;
	struct mc_state check;
	if (!gx_mapi__is_collector(collector))
		return collector->c->error.ec;
	gx_ec ec = gx_mapi__make(collector, RopSynchronizationGetTransferState, NULL, MC_SYNC, collector->c->scratch, &source, NULL);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_mapi__get_stream(source, add_bytes, &all);
	gx_mapi_close(source);
	gx_mapi__state_init(&check);
	if (!gx_ec_failed(ec) && gx_mapi__state_parse((struct gx_bin){all.data, all.len}, &check) != 0)
		ec = gx_mapi__fail(collector->c, GX_EC(ecCorruptData), "RopSynchronizationGetTransferState: this is no state");
	gx_mapi__state_release(&check);
	if (!gx_ec_failed(ec) && gx_push_finish(&all, a, ret_state) != 0)
		ec = gx_mapi__nomem(collector->c);
	gx_push_release(&all);
	return ec;
}

gx_ec gx_mapi_new_ids(struct gx_mapi_obj *store, uint32_t count, struct gx_guid *ret_replica, uint64_t *ret_first)
{
	const struct gx_rop_get_local_replica_ids_req q = {count};
	struct gx_rop_get_local_replica_ids_res *r;
	struct gx_pull c;
	if (!gx_mapi__is(store, 1U << MC_STORE))
		return store->c->error.ec;
	gx_ec ec = gx_mapi__do(store, RopGetLocalReplicaIds, &q, store->c->scratch, NULL, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	gx_pull_init(&c, r->global_count, sizeof(r->global_count));
	*ret_replica = r->repl_guid;
	*ret_first = gx_pull_u48be(&c);
	return MC_OK;
}
