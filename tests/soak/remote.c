/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same by the exmdb protocol: a server and several clients in one process. Events arrive some
 * time after what they tell of; so now and then everybody pauses until all have arrived, and copies
 * are compared.
 */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/soak/remote.h"

/* ---- Events ---- */

static struct soak_rstore *store_of(struct soak_rclient *c, const char *dir)
{
	for (unsigned i = 0; i < SOAK_EACH; i++)
		if (strcmp(c->st[i].st->dir, dir) == 0)
			return &c->st[i];
	return NULL;
}

static void table_event(struct soak_rstore *r, const struct gx_x_notification *n)
{
	static const struct {
		uint8_t event, type;
		bool hierarchy;
	} kinds[] = {
		{GX_X_EV_HIERTBL_CHANGED, GX_TABLE_EV_CHANGED, true},
		{GX_X_EV_CTTBL_CHANGED, GX_TABLE_EV_CHANGED, false},
		{GX_X_EV_HIERTBL_ROW_ADDED, GX_TABLE_EV_ADDED, true},
		{GX_X_EV_CTTBL_ROW_ADDED, GX_TABLE_EV_ADDED, false},
		{GX_X_EV_HIERTBL_ROW_DELETED, GX_TABLE_EV_DELETED, true},
		{GX_X_EV_CTTBL_ROW_DELETED, GX_TABLE_EV_DELETED, false},
		{GX_X_EV_HIERTBL_ROW_MODIFIED, GX_TABLE_EV_MODIFIED, true},
		{GX_X_EV_CTTBL_ROW_MODIFIED, GX_TABLE_EV_MODIFIED, false},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct gx_table_event ev = {.type = kinds[i].type,
			.hierarchy = kinds[i].hierarchy,
			.row_fid = n->row_folder_id,
			.row_mid = n->row_message_id,
			.row_inst = (uint32_t)n->row_instance,
			.after_fid = n->after_folder_id,
			.after_mid = n->after_row_id,
			.after_inst = (uint32_t)n->after_instance};
		for (uint32_t k = 0; kinds[i].event == n->event && k < n->ids_count; k++)
			for (unsigned t = 0; t < SOAK_TABLES; t++)
				if (r->table[t].id == n->ids[k])
					soak_mirror_apply(&r->table[t].m, &ev);
	}
}

static void message_event(struct soak_rstore *r, const struct gx_x_notification *n)
{
	static const struct {
		uint8_t event;
		uint32_t type;
	} kinds[] = {{GX_X_EV_MESSAGE_CREATED, GX_EV_MSG_CREATED},
		{GX_X_EV_MESSAGE_COPIED, GX_EV_MSG_COPIED},
		{GX_X_EV_MESSAGE_MOVED, GX_EV_MSG_MOVED},
		{GX_X_EV_MESSAGE_DELETED, GX_EV_MSG_DELETED}};
	if (n->event == GX_X_EV_NEW_MAIL && n->message_id >= SOAK_FENCE) {
		atomic_store(&r->fence, n->message_id);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].event == n->event) {
			struct gx_event ev = {.type = kinds[i].type,
				.fid = n->folder_id,
				.mid = n->message_id,
				.old_fid = n->old_folder_id,
				.old_mid = n->old_message_id};
			soak_events_hear(&ev, &r->st->events);
		}
}

static void *listen(void *ctx)
{
	struct soak_rclient *c = ctx;
	struct gx_arena *a = gx_arena_new(0);
	while (!atomic_load(&c->r->over)) {
		struct gx_x_notification n;
		int ev = gx_exmdb_event(c->x, 200, a, &n);
		struct soak_rstore *r = ev == GX_XEV_EVENT ? store_of(c, n.dir) : NULL;
		if (ev == GX_XEV_LOST || ev < 0)
			soak_fail(c->r->k, "events were lost (%d)", ev);
		else if (r != NULL && n.is_table)
			table_event(r, &n);
		else if (r != NULL)
			message_event(r, &n);
		gx_arena_reset(a);
	}
	gx_arena_free(a);
	return NULL;
}

/* ---- What a client follows ---- */

static const struct gx_sort by_time[] = {{PidTagMessageDeliveryTime, GX_SORT_DESCEND}},
			    by_subject[] = {{PidTagNormalizedSubject, GX_SORT_ASCEND}};
static const struct gx_sortset sorts[] = {{by_time, 1, 0, 0}, {by_subject, 1, 0, 0}};
static const struct gx_restr unread = {
	.type = RES_BITMASK, .u.bitmask = {BMR_EQZ, PidTagMessageFlags, 1}};

static bool fine(struct soak_remote *r, gx_ec ec, const char *what, const char *why)
{
	if (gx_ec_failed(ec))
		soak_fail(r->k, "%s gave %s: %s", what, gx_ec_name(ec), why);
	return !gx_ec_failed(ec);
}

static void open_tables(struct soak_rclient *c, struct soak_rstore *s, struct gx_arena *a)
{
	const char *why = "";
	for (unsigned i = 0; i < 2; i++) {
		struct gx_x_load_content_table_req q = {.folder_id = gx_eid_make(1, s->st->inbox),
			.sorts = &sorts[i],
			.restriction = i == 1 ? &unread : NULL};
		struct gx_x_load_content_table_ans ans;
		if (fine(c->r, gx_exmdb_load_content_table(c->x, s->st->dir, &q, a, &ans, &why),
			    "table", why))
			s->table[i].id = ans.table_id;
	}
	struct gx_x_load_hierarchy_table_req q = {.folder_id = gx_eid_make(1, s->st->root)};
	struct gx_x_load_hierarchy_table_ans ans;
	if (fine(c->r, gx_exmdb_load_hierarchy_table(c->x, s->st->dir, &q, a, &ans, &why), "table",
		    why))
		s->table[2].id = ans.table_id;
	s->table[2].m.hierarchy = true;
}

static void compare_table(
	struct soak_rclient *c, struct soak_rstore *s, struct soak_rtable *tb, struct gx_arena *a)
{
	static const gx_proptag_t mid = PidTagMid, fid = PidTagFolderId;
	bool tree = tb->m.hierarchy;
	struct gx_x_query_table_req q = {.table_id = tb->id,
		.tags = tree ? &fid : &mid,
		.tags_count = 1,
		.row_needed = 60000};
	struct gx_x_query_table_ans ans;
	const char *why = "";
	if (!fine(c->r, gx_exmdb_query_table(c->x, s->st->dir, &q, a, &ans, &why), "rows", why))
		return;
	struct soak_row *v = gx_arena_new_array(a, struct soak_row, ans.rows_count + 1);
	for (uint32_t i = 0; v != NULL && i < ans.rows_count; i++) {
		const struct gx_propval *pv = gx_proplist_get(&ans.rows[i], tree ? fid : mid);
		uint64_t id = pv == NULL ? 0 : gx_eid_counter((uint64_t)pv->v.i64);
		v[i] = tree ? (struct soak_row){id, 0, 0} : (struct soak_row){0, id, 0};
	}
	soak_mirror_compare(&tb->m, v, ans.rows_count,
		tree ? "a client's table of folders" : "a client's table of messages");
}

/* What was told before this is told has arrived when this has. */
static void await_fence(
	struct soak_rclient *c, struct soak_rstore *s, uint64_t number, struct gx_arena *a)
{
	struct gx_x_transport_new_mail_req q = {
		gx_eid_make(1, s->st->inbox), gx_eid_make(1, number), 0, "IPM.Note"};
	const char *why = "";
	if (!fine(c->r, gx_exmdb_transport_new_mail(c->x, s->st->dir, &q, a, &why), "event", why))
		return;
	for (unsigned i = 0; i < 12000 && atomic_load(&s->fence) != number; i++)
		nanosleep(&(struct timespec){0, 5000000}, NULL);
	if (atomic_load(&s->fence) != number)
		soak_fail(c->r->k, "%s: an event has not arrived within a minute", s->st->dir);
}

/* With everybody waiting. */
static void audit(struct soak_remote *r, struct gx_arena *a)
{
	static uint64_t number = SOAK_FENCE;
	pthread_rwlock_wrlock(&r->gate);
	number++;
	for (unsigned i = 0; i < SOAK_CLIENTS * SOAK_EACH; i++) {
		struct soak_rclient *c = &r->c[i / SOAK_EACH];
		struct soak_rstore *s = &c->st[i % SOAK_EACH];
		await_fence(c, s, number, a);
		for (unsigned t = 0; t < SOAK_TABLES; t++)
			compare_table(c, s, &s->table[t], a);
		gx_arena_reset(a);
	}
	pthread_rwlock_unlock(&r->gate);
}

/* ---- Server and clients ---- */

static void die(const char *what, int err)
{
	printf("Bail out! %s: %s\n", what, gx_strerror(err));
	exit(EXIT_FAILURE);
}

static void begin_server(struct soak_remote *r)
{
	struct gx_exmdb_host_opts ho = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb_server_opts so = GX_EXMDB_SERVER_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
	uint16_t port;
	const char *why = "";
	ho.pool = r->k->pool;
	ho.deadline_ms = WAIT_MS;
	ho.max_events = 10000000;
	ho.log = &r->k->log;
	int err = gx_exmdb_host_new(&ho, &r->host);
	so.host = r->host;
	if (err == 0)
		err = gx_exmdb_server_new(&so, &r->srv);
	no.loops = 2;
	no.workers = 16;
	if (err == 0)
		err = gx_net_new(&no, &r->net);
	if (err != 0)
		die("server", err);
	gx_exmdb_server_factory(&lo.factory, r->srv);
	lo.addr = "127.0.0.1:0";
	err = gx_net_listen(r->net, &lo, &port, NULL, &why);
	if (err == 0)
		err = gx_net_start(r->net);
	if (err != 0)
		die("server", err);
	snprintf(r->addr, sizeof(r->addr), "127.0.0.1:%u", port);
}

static void follow(struct soak_rclient *c, struct soak_rstore *s, struct gx_arena *a)
{
	struct gx_x_subscribe_notification_req q = {.notification_type = 0xff, .whole = true};
	struct gx_x_subscribe_notification_ans ans;
	const char *why = "";
	for (unsigned t = 0; t < SOAK_TABLES; t++)
		if (soak_mirror_init(&s->table[t].m, c->r->k) != 0)
			die("memory", GX_E_NOMEM);
	fine(c->r, gx_exmdb_subscribe_notification(c->x, s->st->dir, &q, a, &ans, &why),
		"subscription", why);
	open_tables(c, s, a);
	for (unsigned t = 0; t < SOAK_TABLES; t++)
		compare_table(c, s, &s->table[t], a);
}

static void begin_client(struct soak_remote *r, unsigned i, struct gx_arena *a)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	struct soak_rclient *c = &r->c[i];
	const char *why = "";
	c->r = r;
	o.server = r->addr;
	o.max_events = 10000000;
	int err = gx_exmdb_remote_new(&o, &c->x, a, &why);
	if (err != 0)
		die("client", err);
	for (unsigned k = 0; k < SOAK_EACH; k++) {
		c->st[k].st = &r->k->st[i * SOAK_EACH + k];
		follow(c, &c->st[k], a);
	}
	if (pthread_create(&c->listener, NULL, listen, c) != 0)
		die("threads", GX_E_NOMEM);
}

static void end_client(struct soak_rclient *c)
{
	pthread_join(c->listener, NULL);
	gx_exmdb_free(c->x);
	for (unsigned i = 0; i < SOAK_EACH * SOAK_TABLES; i++)
		soak_mirror_release(&c->st[i / SOAK_TABLES].table[i % SOAK_TABLES].m);
}

static void run_threads(struct soak_remote *r, uint64_t seed, struct gx_arena *a)
{
	static struct soak_thread w[64];
	time_t until = time(NULL) + (time_t)r->k->seconds;
	for (unsigned i = 0; i < r->k->threads; i++) {
		w[i] = (struct soak_thread){.k = r->k,
			.number = i,
			.seed = seed * 1000 + i,
			.a = gx_arena_new(0),
			.remote = r};
		if (w[i].a == NULL || pthread_create(&w[i].id, NULL, soak_rrun, &w[i]) != 0)
			die("threads", GX_E_NOMEM);
	}
	do {
		nanosleep(&(struct timespec){1, 500000000}, NULL);
		audit(r, a);
		gx_store_pool_tick(r->k->pool);
		gx_exmdb_host_tick(r->host);
	} while (time(NULL) < until);
	atomic_store(&r->k->stop, true);
	for (unsigned i = 0; i < r->k->threads; i++)
		pthread_join(w[i].id, NULL);
	audit(r, a);
	for (unsigned i = 0; i < STORES; i++)
		soak_compare_events(&w[0], &r->k->st[i]);
	for (unsigned i = 0; i < r->k->threads; i++)
		gx_arena_free(w[i].a);
}

void soak_remote(struct soak *k, uint64_t seed)
{
	static struct soak_remote r;
	struct gx_arena *a = gx_arena_new(0);
	memset(&r, 0, sizeof(r));
	r.k = k;
	/* writers first, or an audit waits for ever */
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&r.gate, &attr);
	pthread_rwlockattr_destroy(&attr);
	begin_server(&r);
	for (unsigned i = 0; i < SOAK_CLIENTS; i++)
		begin_client(&r, i, a);
	run_threads(&r, seed, a);
	atomic_store(&r.over, true);
	for (unsigned i = 0; i < SOAK_CLIENTS; i++)
		end_client(&r.c[i]);
	gx_net_stop(r.net, 2000);
	gx_net_free(r.net);
	gx_exmdb_server_free(r.srv);
	gx_exmdb_host_free(r.host);
	pthread_rwlock_destroy(&r.gate);
	gx_arena_free(a);
}
