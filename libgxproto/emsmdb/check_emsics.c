/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronisation, operation by operation: what flags do, what is refused, what clients bring. */
#include <config.h>
#include "libgxproto/emsmdb/icsclient.h"

#define FID GX_FID_DRAFTS

enum { MOST = 64 };
/* What the last synchronisation said. */
static struct {
	size_t messages, folders, gone, out_of_scope, read, unread, progress;
	uint64_t mid[MOST], fid[MOST];
	const char *subject[MOST];
	const struct gx_msgobj *last;
	struct gx_proplist header;
	struct gx_bin set[GX_SYNCIN_SETS];
} got;

static int on_message(const struct gx_syncin_message *m, void *ctx)
{
	(void)ctx;
	got.mid[got.messages] = ic_number(ic_bin(m->header, PidTagSourceKey));
	got.subject[got.messages] = gx_arena_strdup(et_a, gx_proplist_str(&m->msg->props, PidTagSubject, NULL));
	++got.messages;
	struct gx_msgobj *copy = gx_msgobj_new(et_a);
	ck_assert_int_eq(gx_proplist_copy(et_a, &m->msg->props, &copy->props), 0);
	copy->rcpt_count = m->msg->rcpt_count;
	copy->att_count = m->msg->att_count;
	got.last = copy;
	return gx_proplist_copy(et_a, m->header, &got.header);
}

static int on_folder(const struct gx_proplist *l, void *ctx)
{
	(void)ctx;
	got.fid[got.folders] = ic_number(ic_bin(l, PidTagSourceKey));
	got.subject[got.folders] = gx_arena_strdup(et_a, gx_proplist_str(l, PidTagDisplayName, NULL));
	++got.folders;
	return gx_proplist_copy(et_a, l, &got.header);
}

static int on_gone(gx_proptag_t why, const struct gx_idset *ids, void *ctx)
{
	(void)ctx;
	*(why == MetaTagIdsetDeleted ? &got.gone : &got.out_of_scope) += gx_idset_count(ids);
	return 0;
}

static int on_read(bool read, const struct gx_idset *ids, void *ctx)
{
	(void)ctx;
	*(read ? &got.read : &got.unread) += gx_idset_count(ids);
	return 0;
}

static int on_progress(const struct gx_progress_information *p, void *ctx)
{
	(void)ctx;
	got.progress = p->normal_message_count + p->fai_message_count;
	return 0;
}

static int on_state(const struct gx_syncin_state *s, void *ctx)
{
	(void)ctx;
	ic_state_copy(got.set, s->set);
	return 0;
}

static const struct gx_syncin_ops ops = {on_message, on_folder, on_gone, on_read, on_progress, NULL, on_state};

static struct gx_rop_synchronization_configure_req contents(uint16_t flags)
{
	return (struct gx_rop_synchronization_configure_req){.synchronization_type = GX_SYNC_CONTENTS, .send_options = GX_FTX_SEND_UNICODE,
		.synchronization_flags = (uint16_t)(flags | GX_SYNC_UNICODE)};
}

/* From the state of the last one on. */
static void sync_with(const struct gx_rop_synchronization_configure_req *q)
{
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_syncin *in;
	struct gx_bin set[GX_SYNCIN_SETS];
	memcpy(set, got.set, sizeof(set));
	memset(&got, 0, sizeof(got));
	memcpy(got.set, set, sizeof(set));
	o.hierarchy = q->synchronization_type == GX_SYNC_HIERARCHY;
	ST_OK(ic_try_configure(q));
	ic_upload_state(IC_SYNC, got.set);
	struct gx_bin b = ic_all(IC_SYNC, 700);
	ck_assert_int_eq(gx_syncin_new(&o, &ops, NULL, &in), 0);
	ck_assert_msg(gx_syncin_write(in, b.data, b.len) == 0, "%s", gx_syncin_text(in));
	ck_assert_int_eq(gx_syncin_end(in), 0);
	gx_syncin_free(in);
	ic_release(IC_SYNC);
}

static struct gx_store *store(void)
{
	return et_s->logons[0]->store;
}

static uint64_t insert(unsigned i, uint32_t flags)
{
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	struct gx_msg_ids ids = st_insert(t, FID, i, 300, flags);
	st_commit(t);
	return ids.mid;
}

static void setup(void)
{
	ic_setup();
	ic_open(IC_FOLDER, FID);
}

static void teardown(void)
{
	ic_state_free(got.set);
	st_verify(store());
	ic_teardown();
}

/* ---- Down ---- */

#define ALL (GX_SYNC_NORMAL | GX_SYNC_FAI | GX_SYNC_READ_STATE)

START_TEST(what_changes_is_told_once)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL | GX_SYNC_PROGRESS);
	uint64_t a = insert(1, 0), b = insert(2, GX_MSGF_FAI);
	sync_with(&q);
	ck_assert_uint_eq(got.messages, 2);
	ck_assert_uint_eq(got.progress, 2);
	ck_assert_uint_eq(got.mid[0], a);
	ck_assert_uint_eq(got.mid[1], b);
	ck_assert_str_eq(got.subject[0], "message 1");
	ck_assert_uint_eq(got.last->rcpt_count, 1);
	sync_with(&q);
	ck_assert_uint_eq(got.messages + got.gone + got.read + got.unread, 0);
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	ST_OK(gx_msg_set_read(t, a, 0, NULL));
	ST_OK(gx_msg_delete(t, FID, &b, 1, false));
	st_commit(t);
	sync_with(&q);
	ck_assert_uint_eq(got.read, 1);
	ck_assert_uint_eq(got.gone, 1);
	ck_assert_uint_eq(got.messages, 0);
}
END_TEST

START_TEST(deletions_are_told_when_they_are_wanted)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL), none = contents(ALL | GX_SYNC_NO_DELETIONS),
		narrow = contents(GX_SYNC_NORMAL), ignoring = contents(GX_SYNC_NORMAL | GX_SYNC_IGNORE_NO_LONGER_IN_SCOPE);
	uint64_t a = insert(1, 0);
	insert(2, GX_MSGF_FAI);
	sync_with(&q);
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, FID, &a, 1, true));
	st_commit(t);
	sync_with(&none);
	ck_assert_uint_eq(got.gone, 0);
	sync_with(&ignoring);
	ck_assert_uint_eq(got.gone, 1);
	ck_assert_uint_eq(got.out_of_scope, 0);
	sync_with(&narrow); /* associated ones are not wanted any more */
	ck_assert_uint_eq(got.gone, 0);
	ck_assert_uint_eq(got.out_of_scope, 1);
}
END_TEST

START_TEST(properties_are_those_asked_for)
{
	static const gx_proptag_t only[] = {PidTagSubject}, without[] = {PidTagBody, PidTagMessageRecipients};
	struct gx_rop_synchronization_configure_req q = contents(ALL | GX_SYNC_ONLY_SPECIFIED);
	insert(1, 0);
	q.property_tags = only;
	q.property_tags_count = 1;
	sync_with(&q);
	ck_assert_uint_eq(got.last->props.count, 1);
	ck_assert_uint_eq(got.last->rcpt_count, 0);
	insert(2, GX_MSGF_FAI);
	q.synchronization_flags |= GX_SYNC_IGNORE_SPECIFIED_ON_FAI;
	sync_with(&q);
	ck_assert_uint_gt(got.last->props.count, 5);
	insert(3, 0);
	q = contents(ALL | GX_SYNC_BEST_BODY);
	q.property_tags = without;
	q.property_tags_count = 2;
	sync_with(&q);
	ck_assert_ptr_null(gx_proplist_get(&got.last->props, PidTagBody));
	ck_assert_ptr_nonnull(gx_proplist_get(&got.last->props, PidTagMessageClass));
	ck_assert_uint_eq(got.last->rcpt_count, 0);
	insert(4, 0);
	q.property_tags_count = 0;
	q.synchronization_extra_flags = GX_SYNC_EXTRA_EID | GX_SYNC_EXTRA_SIZE | GX_SYNC_EXTRA_CN;
	sync_with(&q);
	ck_assert_ptr_nonnull(gx_proplist_get(&got.last->props, PidTagBody));
	ck_assert_uint_eq(gx_eid_counter((uint64_t)gx_proplist_get(&got.header, PidTagMid)->v.i64), got.mid[0]);
	ck_assert_ptr_nonnull(gx_proplist_get(&got.header, PidTagChangeNumber));
	ck_assert_int_gt(gx_proplist_i32(&got.header, PidTagMessageSize, 0), 0);
	ck_assert_ptr_null(gx_proplist_get(&got.last->props, PidTagEntryId));
	ck_assert_ptr_null(gx_proplist_get(&got.last->props, PidTagLastModificationTime));
}
END_TEST

START_TEST(what_cannot_be_configured)
{
	static const struct gx_restr r = {.type = RES_EXIST, .u.exist = {.tag = PidTagSubject}};
	struct gx_rop_synchronization_configure_req q = contents(ALL);
	ST_IS(et_do(RopSynchronizationConfigure, IC_LOGON, IC_SYNC, &q, NULL), ecNotSupported);
	q.synchronization_type = 3;
	ST_IS(ic_try_configure(&q), ecInvalidParam);
	q.synchronization_type = GX_SYNC_HIERARCHY;
	q.restriction_data = &r;
	ST_IS(ic_try_configure(&q), ecInvalidParam);
	q = contents(ALL);
	q.send_options = 0x80;
	ST_IS(ic_try_configure(&q), ecInvalidParam);
}
END_TEST

START_TEST(states_that_are_none)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL);
	const struct gx_rop_synchronization_upload_state_stream_begin_req other = {PidTagSubject, 4}, seen = {MetaTagCnsetSeen, 4},
		huge = {MetaTagCnsetSeen, 1U << 30};
	const struct gx_rop_synchronization_upload_state_stream_continue_req bytes = {{(const uint8_t *)"abc", 3}};
	struct gx_rop_fast_transfer_source_get_buffer_res *r;
	insert(1, 0);
	ST_OK(ic_try_configure(&q));
	ST_IS(et_do(RopSynchronizationUploadStateStreamBegin, IC_SYNC, 0, &other, NULL), ecInvalidParam);
	ST_IS(et_do(RopSynchronizationUploadStateStreamBegin, IC_SYNC, 0, &huge, NULL), ecTooBig);
	ST_IS(et_do(RopSynchronizationUploadStateStreamBegin, IC_FOLDER, 0, &seen, NULL), ecNotSupported);
	ST_IS(et_do(RopSynchronizationUploadStateStreamContinue, IC_SYNC, 0, &bytes, NULL), ecNotSupported);
	ST_IS(et_do(RopSynchronizationUploadStateStreamEnd, IC_SYNC, 0, NULL, NULL), ecNotSupported);
	ST_OK(et_do(RopSynchronizationUploadStateStreamBegin, IC_SYNC, 0, &seen, NULL));
	ST_IS(et_do(RopSynchronizationUploadStateStreamBegin, IC_SYNC, 0, &seen, NULL), ecNotSupported);
	ST_OK(et_do(RopSynchronizationUploadStateStreamContinue, IC_SYNC, 0, &bytes, NULL));
	ST_IS(et_do(RopSynchronizationUploadStateStreamContinue, IC_SYNC, 0, &bytes, NULL), ecInvalidParam);
	ST_IS(et_do(RopSynchronizationUploadStateStreamEnd, IC_SYNC, 0, NULL, NULL), ecInvalidParam);
	/* a buffer for no atom is refused, and nothing is lost */
	ST_IS(ic_get(IC_SYNC, 3, &r), ecBufferTooSmall);
	ck_assert_uint_eq(r->transfer_status, GX_FTX_STATUS_ERROR);
	ST_OK(ic_get(IC_SYNC, 100, &r));
	ck_assert_uint_eq(r->transfer_status, GX_FTX_STATUS_PARTIAL);
	ST_IS(et_do(RopSynchronizationUploadStateStreamBegin, IC_SYNC, 0, &seen, NULL), ecNotSupported);
	ST_IS(ic_get(IC_FOLDER, 100, &r), ecNotSupported);
	ST_IS(et_do(RopSynchronizationGetTransferState, IC_FOLDER, IC_STATE, NULL, NULL), ecNotSupported);
	ST_OK(et_do(RopTellVersion, IC_SYNC, 0, &(struct gx_rop_tell_version_req){{15, 1, 2}}, NULL));
	ST_IS(et_do(RopTellVersion, IC_FOLDER, 0, &(struct gx_rop_tell_version_req){{15, 1, 2}}, NULL), ecNotSupported);
}
END_TEST

/* The client lets the server decide how much it sends. */
START_TEST(buffers_as_large_as_there_is_room)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL);
	const struct gx_rop_fast_transfer_source_get_buffer_req g = {0xbabe, 0xffff};
	struct gx_rop_fast_transfer_source_get_buffer_res *r;
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	for (unsigned i = 0; i < 10; ++i)
		st_insert(t, FID, i, 50000, 0);
	st_commit(t);
	ST_OK(ic_try_configure(&q));
	ST_OK(et_do(RopFastTransferSourceGetBuffer, IC_SYNC, 0, &g, (void **)&r));
	ck_assert_uint_gt(r->transfer_buffer.len, 30000);
	ck_assert_uint_eq(r->transfer_status, GX_FTX_STATUS_PARTIAL);
	ck_assert_uint_eq(r->total_step_count, 11);
	ck_assert_uint_eq(r->in_progress_count, 1);
}
END_TEST

/* ---- Folders ---- */

static struct gx_bin key(uint64_t id)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_entryid_gid(et_a, gx_store_replica(store()), id, &b), 0);
	return b;
}

/* Key and list of a version made by the client. */
static void put_version(struct gx_proplist *l, unsigned n, struct gx_bin pcl, gx_nttime_t when)
{
	const struct gx_guid space = {.d1 = 0xc11e0000};
	struct gx_bin change;
	ck_assert_int_eq(gx_entryid_gid(et_a, &space, n, &change), 0);
	ck_assert_int_eq(gx_pcl_add_key(et_a, pcl, change, &pcl), 0);
	ck_assert_int_eq(gx_proplist_set_time(l, et_a, PidTagLastModificationTime, when), 0);
	ck_assert_int_eq(gx_proplist_set_bin(l, et_a, PidTagChangeKey, change.data, change.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(l, et_a, PidTagPredecessorChangeList, pcl.data, pcl.len), 0);
}

static struct gx_rop_synchronization_configure_req hierarchy(uint16_t flags)
{
	return (struct gx_rop_synchronization_configure_req){.synchronization_type = GX_SYNC_HIERARCHY,
		.synchronization_flags = (uint16_t)(flags | GX_SYNC_UNICODE), .send_options = GX_FTX_SEND_UNICODE};
}

static gx_ec import_folder(uint64_t fid, uint64_t parent, const char *name, unsigned version)
{
	struct gx_rop_synchronization_import_hierarchy_change_req q = {0};
	struct gx_rop_synchronization_import_hierarchy_change_res *r;
	struct gx_bin self = key(fid), up = parent == 0 ? (struct gx_bin){0} : key(parent);
	ck_assert_int_eq(gx_proplist_set_bin(&q.hierarchy_values, et_a, PidTagParentSourceKey, up.data, up.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&q.hierarchy_values, et_a, PidTagSourceKey, self.data, self.len), 0);
	put_version(&q.hierarchy_values, version, (struct gx_bin){0}, 1000);
	ck_assert_int_eq(gx_proplist_set_str(&q.hierarchy_values, et_a, PidTagDisplayName, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(&q.property_values, et_a, PidTagComment, "made by a client"), 0);
	gx_ec ec = et_do(RopSynchronizationImportHierarchyChange, IC_COLLECTOR, 0, &q, (void **)&r);
	ck_assert(gx_ec_failed(ec) || r->folder_id == 0);
	return ec;
}

static gx_ec import_deletes(uint8_t flags, gx_proptag_t tag, uint64_t id)
{
	struct gx_rop_synchronization_import_deletes_req q = {.import_delete_flags = flags};
	const union gx_value one = {.bin = key(id)};
	const union gx_value v = {.mv = {&one, 1}};
	ck_assert_int_eq(gx_proplist_set(&q.property_values, et_a, tag, v), 0);
	return et_do(RopSynchronizationImportDeletes, IC_COLLECTOR, 0, &q, NULL);
}

static uint64_t reserve(uint32_t n)
{
	struct gx_rop_get_local_replica_ids_res *r;
	uint64_t first = 0;
	ST_OK(et_do(RopGetLocalReplicaIds, IC_LOGON, 0, &(struct gx_rop_get_local_replica_ids_req){n}, (void **)&r));
	for (unsigned i = 0; i < 6; ++i)
		first = first << 8 | r->global_count[i];
	return first;
}

static void open_collector(bool of_contents)
{
	const struct gx_rop_synchronization_open_collector_req q = {of_contents};
	ST_OK(et_do(RopSynchronizationOpenCollector, IC_FOLDER, IC_COLLECTOR, &q, NULL));
}

START_TEST(the_tree_down_and_up)
{
	struct gx_rop_synchronization_configure_req q = hierarchy(0), wide = hierarchy(GX_SYNC_NO_FOREIGN);
	ic_open(IC_FOLDER, GX_FID_IPMSUBTREE);
	sync_with(&q);
	ck_assert_uint_gt(got.folders, 5);
	ck_assert_ptr_null(gx_proplist_get(&got.header, PidTagFolderId));
	ck_assert_ptr_null(gx_proplist_get(&got.header, PidTagContentCount));
	uint64_t fid = reserve(10);
	open_collector(false);
	ic_upload_state(IC_COLLECTOR, got.set);
	ST_OK(import_folder(fid, 0, "new one", 1));
	ST_OK(import_folder(fid + 1, fid, "below", 2));
	ST_IS(import_folder(fid, 0, "new one", 1), ecIgnoreFailure);
	ST_IS(import_folder(fid + 2, 0x7654321, "nowhere", 3), ecNoParentFolder);
	ST_IS(import_deletes(0, 0x00001102, fid), ecInvalidParam);
	wide.synchronization_extra_flags = GX_SYNC_EXTRA_EID;
	sync_with(&wide); /* by the state before */
	ck_assert_uint_eq(got.folders, 2);
	ck_assert_uint_eq(got.fid[0], fid);
	ck_assert_str_eq(got.subject[1], "below");
	ck_assert_str_eq(gx_proplist_str(&got.header, PidTagComment, ""), "made by a client");
	ck_assert_uint_eq(gx_eid_counter((uint64_t)gx_proplist_get(&got.header, PidTagParentFolderId)->v.i64), fid);
	ST_OK(import_deletes(1, 0x00001102, fid + 1));
	sync_with(&wide);
	ck_assert_uint_eq(got.folders, 0);
	ck_assert_uint_eq(got.gone, 1);
}
END_TEST

/* ---- Messages up ---- */

static gx_ec import_message(uint64_t mid, uint8_t flags, unsigned version, struct gx_bin pcl, gx_nttime_t when)
{
	struct gx_rop_synchronization_import_message_change_req q = {.import_flag = flags};
	struct gx_rop_synchronization_import_message_change_res *r;
	struct gx_bin self = key(mid);
	ck_assert_int_eq(gx_proplist_set_bin(&q.property_values, et_a, PidTagSourceKey, self.data, self.len), 0);
	put_version(&q.property_values, version, pcl, when);
	gx_ec ec = et_do(RopSynchronizationImportMessageChange, IC_COLLECTOR, IC_MESSAGE, &q, (void **)&r);
	ck_assert(gx_ec_failed(ec) || r->message_id == 0);
	return ec;
}

static gx_ec save_as(const char *subject)
{
	struct gx_rop_set_properties_req q = {0};
	struct gx_rop_set_properties_res *r;
	ck_assert_int_eq(gx_proplist_set_str(&q.property_values, et_a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&q.property_values, et_a, PidTagMessageClass, "IPM.Note"), 0);
	ST_OK(et_do(RopSetProperties, IC_MESSAGE, 0, &q, (void **)&r));
	ck_assert_uint_eq(r->property_problems_count, 0);
	return et_do(RopSaveChangesMessage, IC_MESSAGE, IC_MESSAGE, &(struct gx_rop_save_changes_message_req){2}, NULL);
}

static struct gx_bin pcl_of(uint64_t mid)
{
	static const gx_proptag_t tag = PidTagPredecessorChangeList;
	struct gx_txn *t = st_begin(store(), GX_TXN_READ);
	struct gx_proplist l;
	ST_OK(gx_msg_get_props(t, mid, &tag, 1, et_a, &l));
	gx_txn_abort(t);
	return ic_bin(&l, tag);
}

/* The state of a collector knows what the client brought. */
static void expect_nothing_new(void)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL);
	ic_fetch_state(IC_COLLECTOR, got.set);
	sync_with(&q);
	ck_assert_uint_eq(got.messages + got.gone + got.read + got.unread, 0);
}

START_TEST(a_message_brought)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL);
	uint64_t mid = reserve(10);
	sync_with(&q);
	open_collector(true);
	ic_upload_state(IC_COLLECTOR, got.set);
	ST_OK(import_message(mid, 0, 1, (struct gx_bin){0}, 1000));
	ST_OK(save_as("brought"));
	expect_nothing_new();
	ST_IS(import_message(mid, 0, 1, (struct gx_bin){0}, 1000), ecIgnoreFailure);
	ST_IS(import_message(mid, 0x10, 2, pcl_of(mid), 2000), ecInvalidParam); /* of the other kind */
	ST_IS(import_message(mid, 0x01, 2, pcl_of(mid), 2000), ecInvalidParam);
	ST_OK(import_message(mid, 0, 2, pcl_of(mid), 2000));
	ST_OK(save_as("changed"));
	ic_state_change(got.set, GX_SYNCIN_GIVEN, mid, false);
	sync_with(&q);
	ck_assert_uint_eq(got.messages, 1);
	ck_assert_uint_eq(got.mid[0], mid);
	ck_assert_str_eq(got.subject[0], "changed");
}
END_TEST

START_TEST(conflicts)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL);
	uint64_t mid = insert(1, 0);
	struct gx_bin old = pcl_of(mid);
	struct gx_proplist l = {0};
	open_collector(true);
	struct gx_txn *t = st_begin(store(), GX_TXN_WRITE);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, "by the server"), 0);
	ST_OK(gx_msg_set_props(t, mid, &l));
	st_commit(t);
	ST_IS(import_message(mid, 0x40, 1, old, 1000), ecSyncConflict);
	ST_OK(import_message(mid, 0, 1, old, 1000));
	ST_OK(save_as("by the client"));
	sync_with(&q); /* both versions, under one id */
	ck_assert_uint_eq(got.messages, 2);
	ck_assert_uint_eq(got.mid[0], mid);
	ck_assert_uint_eq(got.mid[1], mid);
	/* changed between the question and the saving */
	uint64_t other = insert(2, 0);
	ST_OK(import_message(other, 0x40, 2, pcl_of(other), 2000));
	t = st_begin(store(), GX_TXN_WRITE);
	ST_OK(gx_msg_set_props(t, other, &l));
	st_commit(t);
	ST_IS(save_as("too late"), ecSyncConflict);
	t = st_begin(store(), GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, FID, &other, 1, false));
	st_commit(t);
	ST_IS(import_message(other, 0, 3, (struct gx_bin){0}, 3000), ecSyncObjectDeleted);
}
END_TEST

START_TEST(read_states_deletions_moves)
{
	const struct gx_rop_synchronization_configure_req q = contents(ALL);
	const struct gx_guid space = {.d1 = 0xc11e0000};
	uint64_t a = insert(1, 0), b = insert(2, 0), to = reserve(1);
	struct gx_bin change;
	sync_with(&q);
	open_collector(true);
	const struct gx_message_read_state v = {key(a), true};
	const struct gx_rop_synchronization_import_read_state_changes_req reads = {&v, 1};
	ic_upload_state(IC_COLLECTOR, got.set);
	ST_OK(et_do(RopSynchronizationImportReadStateChanges, IC_COLLECTOR, 0, &reads, NULL));
	expect_nothing_new();
	ST_IS(et_do(RopSynchronizationImportReadStateChanges, IC_FOLDER, 0, &reads, NULL), ecNotSupported);
	ST_OK(import_deletes(2, 0x00001102, b));
	ST_IS(import_message(b, 0, 4, (struct gx_bin){0}, 3000), ecSyncObjectDeleted);
	ST_IS(import_deletes(4, 0x00001102, b), ecInvalidParam);
	ST_IS(import_deletes(0, 0x00011102, b), ecInvalidParam);
	ck_assert_int_eq(gx_entryid_gid(et_a, &space, 7, &change), 0);
	struct gx_rop_synchronization_import_message_move_req m = {key(FID), key(a), pcl_of(a), key(to), change};
	struct gx_rop_synchronization_import_message_move_res *r;
	ic_open(IC_FOLDER2, GX_FID_INBOX);
	const struct gx_rop_synchronization_open_collector_req there = {true};
	ST_OK(et_do(RopSynchronizationOpenCollector, IC_FOLDER2, IC_DEST, &there, NULL));
	ST_OK(et_do(RopSynchronizationImportMessageMove, IC_DEST, 0, &m, (void **)&r));
	ck_assert_uint_eq(r->message_id, 0);
	ST_IS(et_do(RopSynchronizationImportMessageMove, IC_DEST, 0, &m, NULL), ecSyncObjectDeleted);
	m.source_folder_id.len = 5;
	ST_IS(et_do(RopSynchronizationImportMessageMove, IC_DEST, 0, &m, NULL), ecInvalidParam);
	struct gx_txn *t = st_begin(store(), GX_TXN_READ);
	struct gx_msg_info info;
	ST_OK(gx_msg_get(t, to, &info));
	ck_assert_uint_eq(info.fid, GX_FID_INBOX);
	ck_assert(info.flags & GX_MSGF_READ);
	gx_txn_abort(t);
	ic_fetch_state(IC_COLLECTOR, got.set);
	sync_with(&q);
	ck_assert_uint_eq(got.gone, 1); /* of the other one the collector knows */
}
END_TEST

START_TEST(ids_that_will_not_be_used)
{
	struct gx_long_term_id_range v = {{*gx_store_replica(store()), 5}, {*gx_store_replica(store()), 9}};
	const struct gx_rop_set_local_replica_midset_deleted_req q = {&v, 1};
	ST_OK(et_do(RopSetLocalReplicaMidsetDeleted, IC_FOLDER, 0, &q, NULL));
	ST_IS(et_do(RopSetLocalReplicaMidsetDeleted, IC_LOGON, 0, &q, NULL), ecNotSupported);
	v.max_long_term_id.global_counter = 4;
	ST_IS(et_do(RopSetLocalReplicaMidsetDeleted, IC_FOLDER, 0, &q, NULL), ecInvalidParam);
	v.max_long_term_id = (struct gx_long_term_id){{0}, 9};
	ST_IS(et_do(RopSetLocalReplicaMidsetDeleted, IC_FOLDER, 0, &q, NULL), ecInvalidParam);
}
END_TEST

static Suite *emsics_suite(void)
{
	Suite *suite = suite_create("emsics");
	TCase *t = tcase_create("emsics");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_changes_is_told_once);
	tcase_add_test(t, deletions_are_told_when_they_are_wanted);
	tcase_add_test(t, properties_are_those_asked_for);
	tcase_add_test(t, what_cannot_be_configured);
	tcase_add_test(t, states_that_are_none);
	tcase_add_test(t, buffers_as_large_as_there_is_room);
	tcase_add_test(t, the_tree_down_and_up);
	tcase_add_test(t, a_message_brought);
	tcase_add_test(t, conflicts);
	tcase_add_test(t, read_states_deletions_moves);
	tcase_add_test(t, ids_that_will_not_be_used);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(emsics_suite)
