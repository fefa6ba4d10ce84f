/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <inttypes.h>
#include <string.h>
#include "tests/soak/remote.h"

struct call {
	struct soak_thread *w;
	struct gx_exmdb *x;
	const char *dir, *why;
	uint64_t fid; /* wire form, as all here */
	uint64_t mid[PICK_MAX];
	uint32_t n;    /* of mid */
	uint32_t rows; /* of the folder */
};

static bool good(struct call *c, gx_ec ec, const char *what)
{
	static const uint32_t expected[] = {ecNotFound, ecAccessDenied, ecDuplicateName,
		ecObjectDeleted, ecObjectModified, ecQuotaExceeded, ecFolderCycle, ecNotSupported,
		ecTooComplex, ecNullObject};
	if (!gx_ec_failed(ec))
		return true;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (gx_ec_is(ec, expected[i]))
			return false;
	soak_fail(c->w->k, "%s gave %s: %s", what, gx_ec_name(ec), c->why);
	return false;
}

#define CALL(c, name, req, ans)                                                                    \
	good(c, gx_exmdb_##name((c)->x, (c)->dir, req, (c)->w->a, ans, &(c)->why), #name)
#define CALL_REQ(c, name, req)                                                                     \
	good(c, gx_exmdb_##name((c)->x, (c)->dir, req, (c)->w->a, &(c)->why), #name)

static const char *username(struct call *c)
{
	return soak_rnd(c->w, 8) == 0 ? "alice@example.org" : NULL;
}

static uint64_t some_folder(struct call *c)
{
	static const gx_proptag_t tag = PidTagFolderId;
	uint64_t fid = gx_eid_make(1, c->w->st->inbox);
	struct gx_x_load_hierarchy_table_req q = {
		.folder_id = gx_eid_make(1, c->w->st->root), .table_flags = 4};
	struct gx_x_load_hierarchy_table_ans tb;
	if (soak_rnd(c->w, 2) == 0 || !CALL(c, load_hierarchy_table, &q, &tb))
		return fid;
	struct gx_x_query_table_req rq = {.table_id = tb.table_id,
		.tags = &tag,
		.tags_count = 1,
		.start_pos = tb.row_count == 0 ? 0 : soak_rnd(c->w, tb.row_count),
		.row_needed = 1};
	struct gx_x_query_table_ans rows;
	if (CALL(c, query_table, &rq, &rows) && rows.rows_count == 1 &&
		gx_proplist_get(&rows.rows[0], tag) != NULL)
		fid = (uint64_t)gx_proplist_get(&rows.rows[0], tag)->v.i64;
	struct gx_x_unload_table_req u = {tb.table_id};
	CALL_REQ(c, unload_table, &u);
	return fid;
}

/* A folder and some of its messages. */
static bool pick(struct call *c)
{
	static const gx_proptag_t tags[] = {
		PidTagMid, PidTagSubject, PidTagMessageFlags, PidTagMessageDeliveryTime};
	c->fid = some_folder(c);
	struct gx_x_load_content_table_req q = {.folder_id = c->fid};
	struct gx_x_load_content_table_ans tb;
	if (!CALL(c, load_content_table, &q, &tb))
		return false;
	c->rows = tb.row_count;
	struct gx_x_query_table_req rq = {.table_id = tb.table_id,
		.tags = tags,
		.tags_count = 4,
		.start_pos = tb.row_count == 0 ? 0 : soak_rnd(c->w, tb.row_count),
		.row_needed = 1 + (int32_t)soak_rnd(c->w, 8)};
	struct gx_x_query_table_ans rows;
	if (CALL(c, query_table, &rq, &rows))
		for (uint32_t i = 0; i < rows.rows_count && c->n < PICK_MAX; i++) {
			const struct gx_propval *pv = gx_proplist_get(&rows.rows[i], PidTagMid);
			if (pv != NULL)
				c->mid[c->n++] = (uint64_t)pv->v.i64;
		}
	struct gx_x_unload_table_req u = {tb.table_id};
	CALL_REQ(c, unload_table, &u);
	return c->n > 0;
}

/* ---- Operations ---- */

static struct gx_proplist some_props(struct call *c)
{
	struct gx_proplist l = {0};
	struct soak_thread *w = c->w;
	int err = gx_proplist_set_str(
		&l, w->a, PidTagSubject, gx_arena_printf(w->a, "plan %u", soak_rnd(w, 90)));
	err = err != 0 ? err
		       : gx_proplist_set_str(&l, w->a, PidTagBody,
				 gx_arena_printf(w->a, "Text %u.", soak_rnd(w, 90)));
	if (err != 0)
		soak_fail(w->k, "properties: %s", gx_strerror(err));
	return l;
}

static void empty(struct call *c)
{
	struct gx_x_empty_folder_req q = {
		.folder_id = c->fid, .flags = 1 | 8 | (soak_rnd(c->w, 2) == 0 ? 0x10 : 0)};
	struct gx_x_empty_folder_ans ans;
	CALL(c, empty_folder, &q, &ans);
}

static void write_one(struct call *c)
{
	struct gx_x_write_message_ans ans;
	pick(c);
	if (c->rows > FOLDER_MAX) {
		empty(c);
		return;
	}
	struct gx_x_write_message_req q = {
		.folder_id = c->fid, .content = {.props = some_props(c)}, .digest = ""};
	int err = gx_proplist_set_str(&q.content.props, c->w->a, PidTagMessageClass, "IPM.Note");
	if (err == 0 && CALL(c, write_message, &q, &ans))
		good(c, GX_EC(ans.ec), "write_message");
}

static void deliver(struct call *c)
{
	struct gx_x_deliver_message_req q = {.from_address = "from@example.net",
		.account = "owner@example.org",
		.content = {.props = some_props(c)},
		.digest = ""};
	struct gx_x_deliver_message_ans ans;
	if (c->w->st->is_public)
		return;
	int err = gx_proplist_set_str(&q.content.props, c->w->a, PidTagMessageClass, "IPM.Note");
	if (err == 0)
		CALL(c, deliver_message, &q, &ans);
}

static void copy_or_move(struct call *c)
{
	struct gx_x_movecopy_messages_ans ans;
	if (!pick(c))
		return;
	struct gx_x_movecopy_messages_req q = {.guest = false,
		.src_fid = c->fid,
		.dst_fid = some_folder(c),
		.copy = c->rows < FOLDER_MAX && soak_rnd(c->w, 3) == 0,
		.message_ids = c->mid,
		.message_ids_count = c->n};
	q.username = username(c);
	q.guest = q.username != NULL;
	CALL(c, movecopy_messages, &q, &ans);
}

static void delete_some(struct call *c)
{
	struct gx_x_delete_messages_ans ans;
	if (!pick(c))
		return;
	struct gx_x_delete_messages_req q = {.username = username(c),
		.folder_id = c->fid,
		.message_ids = c->mid,
		.message_ids_count = c->n,
		.hard = soak_rnd(c->w, 2) == 0};
	CALL(c, delete_messages, &q, &ans);
}

static void mark(struct call *c)
{
	struct gx_x_set_message_read_state_ans ans;
	if (!pick(c))
		return;
	struct gx_x_set_message_read_state_req q = {
		.message_id = c->mid[0], .mark_as_read = soak_rnd(c->w, 2) != 0};
	q.username = c->w->st->is_public ? "alice@example.org" : NULL;
	CALL(c, set_message_read_state, &q, &ans);
}

static void edit(struct call *c)
{
	struct gx_x_set_message_properties_ans ans;
	if (!pick(c))
		return;
	struct gx_x_set_message_properties_req q = {
		.message_id = c->mid[0], .props = some_props(c)};
	CALL(c, set_message_properties, &q, &ans);
}

static void instance(struct call *c)
{
	struct gx_x_load_message_instance_ans i;
	struct gx_x_set_instance_properties_ans set;
	struct gx_x_flush_instance_ans flush;
	if (!pick(c))
		return;
	struct gx_x_load_message_instance_req q = {.folder_id = c->fid, .message_id = c->mid[0]};
	if (!CALL(c, load_message_instance, &q, &i) || i.instance_id == 0)
		return;
	struct gx_x_set_instance_properties_req s = {
		.instance_id = i.instance_id, .props = some_props(c)};
	CALL(c, set_instance_properties, &s, &set);
	struct gx_x_flush_instance_req f = {.instance_id = i.instance_id};
	if (soak_rnd(c->w, 4) != 0 && CALL(c, flush_instance, &f, &flush))
		good(c, GX_EC(flush.ec), "flush_instance");
	struct gx_x_unload_instance_req u = {i.instance_id};
	CALL_REQ(c, unload_instance, &u);
}

static void folders(struct call *c)
{
	struct gx_proplist l = {0};
	uint64_t fid = some_folder(c), to = some_folder(c);
	struct gx_x_create_folder_ans made;
	struct gx_x_movecopy_folder_ans moved;
	struct gx_x_delete_folder_ans gone;
	uint32_t what = soak_rnd(c->w, 5);
	if (fid == gx_eid_make(1, c->w->st->inbox)) /* all meet there */
		what = 0;
	if (what < 2) {
		int err = gx_proplist_set_i64(&l, c->w->a, PidTagParentFolderId,
			(int64_t)(soak_rnd(c->w, 2) == 0 ? gx_eid_make(1, c->w->st->root) : to));
		err = err != 0 ? err
			       : gx_proplist_set_str(&l, c->w->a, PidTagDisplayName,
					 gx_arena_printf(c->w->a, "folder %u", soak_rnd(c->w, 30)));
		struct gx_x_create_folder_req q = {.props = l};
		if (err == 0 && CALL(c, create_folder, &q, &made))
			good(c, GX_EC(made.ec), "create_folder");
	} else if (what < 4) {
		struct gx_x_delete_folder_req q = {
			.folder_id = fid, .hard = soak_rnd(c->w, 2) == 0};
		CALL(c, delete_folder, &q, &gone);
	} else {
		struct gx_x_movecopy_folder_req q = {.src_pid = gx_eid_make(1, c->w->st->root),
			.src_fid = fid,
			.dst_fid = to,
			.new_name = gx_arena_printf(c->w->a, "moved %u", soak_rnd(c->w, 30))};
		if (CALL(c, movecopy_folder, &q, &moved))
			good(c, GX_EC(moved.ec), "movecopy_folder");
	}
}

static void names(struct call *c)
{
	struct gx_propname n = {.set = {7, 2, 3, {4}},
		.by_name = true,
		.name = gx_arena_printf(c->w->a, "n%u", soak_rnd(c->w, 99))};
	struct gx_x_get_named_propids_req q = {.create = true, .names = &n, .names_count = 1};
	struct gx_x_get_named_propids_ans ans;
	if (CALL(c, get_named_propids, &q, &ans) && (ans.ids_count != 1 || ans.ids[0] < 0x8000))
		soak_fail(c->w->k, "no id for a name");
}

static bool encode(struct call *c, uint64_t hi, const uint64_t *v, uint32_t n, struct gx_bin *ret_b)
{
	struct gx_idset s = GX_IDSET_INIT(GX_IDSET_REPLID);
	struct gx_globset *g;
	struct gx_push out = GX_PUSH_INIT;
	int err = gx_idset_need(&s, 1, &g);
	if (err == 0 && hi > 0)
		err = gx_globset_add_range(g, 1, hi);
	for (uint32_t i = 0; err == 0 && i < n; i++)
		err = gx_globset_add(g, gx_eid_counter(v[i]));
	gx_idset_push(&out, &s);
	if (err == 0)
		err = gx_push_finish(&out, c->w->a, ret_b);
	gx_push_release(&out);
	gx_idset_release(&s);
	if (err != 0)
		soak_fail(c->w->k, "set: %s", gx_strerror(err));
	return err == 0;
}

/* Everything, and then what has changed since: of what it was given nothing may come as new. */
static void synchronise(struct call *c)
{
	struct gx_x_get_content_sync_req q = {
		.folder_id = some_folder(c), .ordered = soak_rnd(c->w, 2) == 0};
	struct gx_x_get_content_sync_ans all, more;
	struct gx_bin none, seen;
	if (!encode(c, 0, NULL, 0, &none))
		return;
	q.given = none;
	q.seen = q.seen_fai = q.read = &none;
	if (!CALL(c, get_content_sync, &q, &all))
		return;
	if (all.changed_count != all.given_count || all.deleted_count > 0 || all.updated_count > 0)
		soak_fail(c->w->k, "from empty: %u changes, %u given, %u deleted, %u updated",
			all.changed_count, all.given_count, all.deleted_count, all.updated_count);
	if (!encode(c, gx_eid_counter(all.last_cn), NULL, 0, &seen) ||
		!encode(c, 0, all.given, all.given_count, &q.given))
		return;
	q.seen = q.seen_fai = &seen;
	q.read = NULL;
	if (CALL(c, get_content_sync, &q, &more) &&
		more.given_count + more.deleted_count !=
			all.given_count + more.changed_count - more.updated_count)
		soak_fail(c->w->k,
			"%u given, then %u changed, %u of them updated, %u deleted, and %u given",
			all.given_count, more.changed_count, more.updated_count, more.deleted_count,
			more.given_count);
	atomic_fetch_add(&c->w->k->synced, 1);
}

static void (*const ops[])(struct call *c) = {write_one, write_one, write_one, write_one, deliver,
	deliver, copy_or_move, copy_or_move, delete_some, delete_some, mark, mark, edit, instance,
	instance, folders, names, synchronise, synchronise};

void *soak_rrun(void *ctx)
{
	struct soak_thread *w = ctx;
	struct soak_remote *r = w->remote;
	while (!atomic_load(&w->k->stop)) {
		w->st = &w->k->st[soak_rnd(w, STORES)];
		struct call c = {.w = w,
			.x = r->c[w->number % SOAK_CLIENTS].x,
			.dir = w->st->dir,
			.why = ""};
		pthread_rwlock_rdlock(&r->gate);
		ops[soak_rnd(w, sizeof(ops) / sizeof(ops[0]))](&c);
		pthread_rwlock_unlock(&r->gate);
		gx_arena_reset(w->a);
		atomic_fetch_add(&w->k->done, 1);
	}
	return NULL;
}
