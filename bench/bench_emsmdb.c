/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outlook's way in: operations coded, Connect and Execute over kept-alive connections with TLS and without, a folder opened,
 * sessions that wait, mail that wakes one of them, and the same among many sessions. Clients are a process of their own, so
 * that CPU time is that of the server. usage: bench_emsmdb [MESSAGES [crowded]]
 */
#include <config.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <gx/codec.h>
#include <gx/emsmdb.h>
#include <gx/entryid.h>
#include <gx/httpauth.h>
#include <gx/mapihttp.h>
#include <gx/mapihttp-server.h>
#include "bench/mhclient.h"
#include "libgxproto/net/certtest.h"
#include "bench/scale.h"

enum { LOGON = 0, FOLDER = 1, TABLE = 2, MESSAGE = 3, ATTACHMENT = 4, STREAM = 5, SUBSCRIPTION = 6 };
enum { WAITING = 1000, WAKES = 20, ARRIVALS = 10000, LOST_S = 10, CODED = 200000, FOUND = 100000 };

static struct gx_arena *a;
static struct gx_dir *people;
static struct gx_store_pool *pool;
static struct gx_ems *ems;
static struct gx_http *http;
static struct gx_net *net;
static struct gx_mh *mh;
static struct gx_http_dircheck dircheck;
static uint16_t ports[2];      /* plain, TLS */
static char dir[600], login[100];
static const char *dn, *maildir;
static uint64_t big_mid;       /* with an attachment */

/* What both processes see. */
static struct {
	atomic_uint ready, seen;
	_Atomic(double) sent;
	double took[WAITING * WAKES > ARRIVALS ? WAITING * WAKES : ARRIVALS];
} *shared;

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- Codec ---- */

static void code(const char *what, uint8_t id, void *request, void *response, const struct gx_columns *cols)
{
	struct gx_arena *m = gx_arena_new(0);
	const struct gx_dctx x = {.px = GX_PX_ROP(m, 1252), .custom = cols};
	struct gx_push out = GX_PUSH_INIT;
	size_t bytes = 0;
	struct meter t0 = meter_now();
	for (unsigned i = 0; i < CODED; ++i) {
		struct gx_rop_request q = {gx_rop_rop_desc(id), 0, {1, 2}, request}, back;
		struct gx_rop_response r = {.desc = q.desc, .handle = 1, .body = response}, answer;
		struct gx_pull c;
		gx_rop_push_request(&out, &x, &q);
		gx_pull_init(&c, out.data, out.len);
		gx_rop_pull_request_head(&c, &back);
		gx_rop_pull_request_body(&c, &x, &back);
		size_t at = out.len;
		gx_rop_push_response(&out, &x, &r);
		scale_must(c.err != 0 ? c.err : out.err, what);
		gx_pull_init(&c, out.data + at, out.len - at);
		gx_rop_pull_response_head(&c, &answer);
		gx_rop_pull_response_body(&c, &x, &answer);
		scale_must(c.err, what);
		bytes = out.len;
		gx_push_clear(&out);
		gx_arena_reset(m);
	}
	scale_row(what, meter_since(t0), CODED, "\"bytes\": %zu", bytes);
	gx_push_release(&out);
	gx_arena_free(m);
}

/* Request and answer of an operation, each encoded and decoded. */
static void codec(void)
{
	static const gx_proptag_t tags[] = {PidTagFolderId, PidTagMid, PidTagSubject, PidTagMessageDeliveryTime, PidTagMessageFlags, PidTagMessageSize,
		PidTagSenderName, PidTagHasAttachments};
	static const struct gx_columns cols = {tags, 8};
	struct gx_propval v[8] = {{tags[0], {.i64 = 1}}, {tags[1], {.i64 = 2}}, {tags[2], {.str = "A subject as mail has it"}}, {tags[3], {.time = 1}},
		{tags[4], {.i32 = 1}}, {tags[5], {.i32 = 9600}}, {tags[6], {.str = "Ann Example"}}, {tags[7], {.b = true}}};
	struct gx_proprow rows[50];
	struct gx_rop_open_folder_req folder = {.folder_id = 1};
	struct gx_rop_open_folder_res folder_is = {.has_rules = true};
	struct gx_rop_get_properties_specific_req get = {.want_unicode = true, .property_tags = tags, .property_tags_count = 8};
	struct gx_rop_get_properties_specific_res got = {{v, 8}};
	struct gx_rop_query_rows_req query = {0, true, 50};
	struct gx_rop_query_rows_res found = {.row_data = rows, .row_data_count = 50};
	struct gx_rop_set_properties_req set = {{v, 8, 8}};
	struct gx_rop_set_properties_res done = {0};
	for (unsigned i = 0; i < 50; ++i)
		rows[i] = (struct gx_proprow){v, 8};
	code("RopOpenFolder coded both ways", RopOpenFolder, &folder, &folder_is, NULL);
	code("RopGetPropertiesSpecific, 8 values", RopGetPropertiesSpecific, &get, &got, &cols);
	code("RopSetProperties, 8 values", RopSetProperties, &set, &done, NULL);
	code("RopQueryRows, 50 rows of 8 values", RopQueryRows, &query, &found, &cols);
}

/* ---- The server ---- */

static void make_mailbox(unsigned messages)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	scale_create(maildir);
	struct gx_store *s = scale_open(maildir, SCALE_NO_INDEX);
	scale_fill(s, GX_FID_INBOX, 0, messages, 1000, GX_SYNC_LATER, 0, NULL);
	struct gx_msg_source src = scale_mail_attachment(a, messages);
	struct gx_msg_prepared *p = scale_prepare(a, &src);
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), "insert");
	scale_commit(t, GX_SYNC_LATER);
	gx_msg_prepared_release(p);
	big_mid = gx_eid_make(1, ids.mid);
	gx_store_close(s);
}

static void make_people(unsigned messages)
{
	struct gx_dir_opts d = GX_DIR_OPTS_INIT;
	struct gx_user_new n = GX_USER_NEW_INIT;
	struct gx_user u;
	uint32_t id;
	scale_tmp(dir, NULL);
	d.path = gx_arena_printf(a, "%s/people", dir);
	scale_must(gx_dir_create(d.path, a, NULL), "directory");
	scale_must(gx_dir_open(&d, &people, a, NULL), "directory");
	scale_must(gx_dir_add_domain(people, "example.org", "", 9, &id), "domain");
	n.username = "u@example.org";
	n.password = "x";
	n.maildir = maildir = gx_arena_printf(a, "%s/u", dir);
	make_mailbox(messages);
	scale_must(gx_dir_add_user(people, &n, &id), "user");
	scale_must(gx_dir_user(people, n.username, a, &u), "user");
	dn = gx_dn_of_user(a, "o", &u);
	(void)gx_base64_enc((const uint8_t *)"u@example.org:x", 15, login);
}

static struct gx_tls *self_signed(void)
{
	struct gx_tls_opts o = GX_TLS_OPTS_INIT;
	struct gx_tls *tls;
	o.cert_path = gx_arena_printf(a, "%s/tls.crt", dir);
	o.key_path = gx_arena_printf(a, "%s/tls.key", dir);
	if (!cert_make("localhost", o.cert_path, o.key_path))
		scale_die("cannot make a certificate", o.cert_path);
	scale_must(gx_tls_new(&o, &tls, a, NULL), "TLS");
	return tls;
}

static void serve(void)
{
	struct gx_store_pool_opts po = GX_STORE_POOL_OPTS_INIT;
	struct gx_ems_opts eo = GX_EMS_OPTS_INIT;
	struct gx_net_opts no = GX_NET_OPTS_INIT;
	struct gx_http_opts ho = GX_HTTP_OPTS_INIT;
	struct gx_http_auth_opts ao = GX_HTTP_AUTH_OPTS_INIT;
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	struct gx_http_auth *auth;
	po.store.no_index = true;
	eo.pool = pool = gx_store_pool_new(&po);
	eo.dir = dircheck.dir = people;
	eo.max_user_sessions = 0;
	scale_must(gx_ems_new(&eo, &ems), "sessions");
	scale_must(gx_net_new(&no, &net), "network");
	scale_must(gx_http_new(&ho, &http, a, NULL), "http");
	ao.basic = true;
	ao.check = gx_http_check_directory;
	ao.check_ctx = &dircheck;
	ao.cache_seconds = 600;
	scale_must(gx_http_auth_new(&ao, &auth), "authentication");
	gx_http_set_auth(http, auth);
	mo.ems = ems;
	scale_must(gx_mh_new(&mo, http, &mh), "MAPI/HTTP");
	for (int i = 0; i < 2; ++i) {
		struct gx_listen_opts lo = GX_LISTEN_OPTS_INIT;
		lo.addr = "127.0.0.1:0";
		lo.tls = i == 0 ? NULL : self_signed();
		lo.implicit_tls = i != 0;
		scale_must(gx_http_listen(http, net, &lo, &ports[i], a, NULL), "listen");
	}
	scale_must(gx_net_start(net), "network");
}

/* ---- Load: the client in a process of its own, which says nothing ---- */

static void load(const char *what, void (*client)(struct mhclient *c, unsigned n), bool tls, unsigned n, unsigned each)
{
	int status = 0;
	struct meter t0 = meter_now();
	pid_t pid = fork();
	if (pid == 0) {
		struct mhclient c;
		mhclient_open(&c, ports[tls], tls, login);
		client(&c, n);
		mhclient_close(&c);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status != 0)
		scale_die(what, "the client has failed");
	double load1 = 0;
	struct meter took = meter_since(t0);
	(void)!getloadavg(&load1, 1);
	scale_row(what, took, (double)n * each, "\"tls\": %s, \"load1\": %.1f", tls ? "true" : "false", load1);
}

static void connects(struct mhclient *c, unsigned n)
{
	struct gx_mh_disconnect_res res;
	for (unsigned i = 0; i < n; ++i) {
		mhclient_connect(c, dn);
		mhclient_ask(c, GX_MH_DISCONNECT, &(struct gx_mh_disconnect_req){{NULL, 0}}, &res);
	}
}

static void log_on(struct mhclient *c)
{
	mhclient_connect(c, dn);
	mhclient_rop(c, RopLogon, LOGON, 0, &(struct gx_rop_logon_req){.logon_flags = 1, .essdn = dn});
	mhclient_rop(c, RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_INBOX), 0});
	mhclient_execute(c);
}

static void executes(struct mhclient *c, unsigned n)
{
	log_on(c);
	for (unsigned i = 0; i < n; ++i) {
		mhclient_rop(c, RopGetStoreState, LOGON, 0, NULL);
		mhclient_execute(c);
	}
}

static void need(struct gx_bin answers, size_t least, const char *what)
{
	if (answers.len < least)
		scale_die(what, "less came than there should be");
}

static void hierarchy(struct mhclient *c)
{
	static const gx_proptag_t tags[] = {PidTagFolderId, PidTagDisplayName, PidTagContainerClass, PidTagContentCount, PidTagContentUnreadCount,
		PidTagSubfolders};
	mhclient_rop(c, RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_IPMSUBTREE), 0});
	mhclient_rop(c, RopGetHierarchyTable, FOLDER, TABLE, &(struct gx_rop_get_hierarchy_table_req){4});
	mhclient_rop(c, RopSetColumns, TABLE, 0, &(struct gx_rop_set_columns_req){.property_tags = tags, .property_tags_count = 6});
	mhclient_rop(c, RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 50});
	mhclient_rop(c, RopRelease, TABLE, 0, NULL);
	mhclient_rop(c, RopRelease, FOLDER, 0, NULL);
	need(mhclient_execute(c), 500, "hierarchy");
}

static void contents(struct mhclient *c)
{
	static const gx_proptag_t tags[] = {PidTagFolderId, PidTagMid, PidTagInstID, PidTagInstanceNum, PidTagMessageClass, PidTagSubject,
		PidTagSenderName, PidTagMessageDeliveryTime, PidTagMessageFlags, PidTagMessageSize, PidTagHasAttachments, PidTagImportance};
	static const struct gx_sort newest = {PidTagMessageDeliveryTime, 1};
	mhclient_rop(c, RopOpenFolder, LOGON, FOLDER, &(struct gx_rop_open_folder_req){gx_eid_make(1, GX_FID_INBOX), 0});
	mhclient_rop(c, RopGetContentsTable, FOLDER, TABLE, &(struct gx_rop_get_contents_table_req){0});
	mhclient_rop(c, RopSetColumns, TABLE, 0, &(struct gx_rop_set_columns_req){.property_tags = tags, .property_tags_count = 12});
	mhclient_rop(c, RopSortTable, TABLE, 0, &(struct gx_rop_sort_table_req){0, {(struct gx_sort *)&newest, 1, 0, 0}});
	mhclient_rop(c, RopQueryRows, TABLE, 0, &(struct gx_rop_query_rows_req){0, true, 50});
	mhclient_rop(c, RopRelease, TABLE, 0, NULL);
	need(mhclient_execute(c), 4000, "contents");
}

static void message(struct mhclient *c)
{
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagSenderName, PidTagSenderEmailAddress, PidTagDisplayTo, PidTagMessageDeliveryTime,
		PidTagMessageFlags, PidTagImportance, PidTagBody};
	mhclient_rop(c, RopOpenMessage, LOGON, MESSAGE, &(struct gx_rop_open_message_req){1252, gx_eid_make(1, GX_FID_INBOX), 0, big_mid});
	mhclient_rop(c, RopGetPropertiesSpecific, MESSAGE, 0, &(struct gx_rop_get_properties_specific_req){.want_unicode = true,
		.property_tags = tags, .property_tags_count = 8});
	mhclient_rop(c, RopOpenAttachment, MESSAGE, ATTACHMENT, &(struct gx_rop_open_attachment_req){0, 0});
	mhclient_rop(c, RopOpenStream, ATTACHMENT, STREAM, &(struct gx_rop_open_stream_req){PidTagAttachDataBinary, 0});
	mhclient_rop(c, RopReadStream, STREAM, 0, &(struct gx_rop_read_stream_req){.byte_count = 24000});
	need(mhclient_execute(c), 24000, "message");
	for (unsigned i = 0; i < 3; ++i)
		mhclient_rop(c, RopReadStream, STREAM, 0, &(struct gx_rop_read_stream_req){.byte_count = i < 2 ? 0x7000 : 2000});
	mhclient_rop(c, RopRelease, STREAM, 0, NULL);
	mhclient_rop(c, RopRelease, ATTACHMENT, 0, NULL);
	mhclient_rop(c, RopRelease, MESSAGE, 0, NULL);
	need(mhclient_execute(c), 100, "attachment");
}

enum { FOLDER_OPEN = 4 }; /* requests */
static void folders(struct mhclient *c, unsigned n)
{
	log_on(c);
	for (unsigned i = 0; i < n; ++i) {
		hierarchy(c);
		contents(c);
		message(c);
	}
}

/* ---- Many sessions ---- */

static struct gx_guid living[10000];

/* In memory only; of one user, which is where a walk over all of them hurts most. */
static void live(unsigned *io_have, unsigned want)
{
	struct gx_ems_connect o = GX_EMS_CONNECT_INIT;
	struct gx_ems_connected made;
	struct gx_ems_session *s;
	struct gx_arena *m = gx_arena_new(0);
	o.user = "u@example.org";
	o.user_dn = dn;
	o.code_page = 1252;
	for (; *io_have < want; ++*io_have) {
		scale_need(gx_ems_session_new(ems, &o, m, &s, &made), "session");
		living[*io_have] = made.id;
		gx_ems_session_put(s);
		gx_arena_reset(m);
	}
	gx_arena_free(m);
}

static void find(unsigned have)
{
	struct meter t0 = meter_now();
	for (unsigned i = 0; i < FOUND; ++i)
		gx_ems_session_put(gx_ems_session_get(ems, &living[i * 7919U % have], "u@example.org", NULL));
	scale_row("a session found and let go", meter_since(t0), FOUND, "\"sessions\": %u", have);
}

static void crowded(void)
{
	static const unsigned counts[] = {1, 1000, 10000};
	unsigned have = 0;
	for (unsigned i = 0; i < 3; ++i) {
		live(&have, counts[i] - 1);
		load(gx_arena_printf(a, "Connect and Disconnect, each, %u sessions live", counts[i]), connects, false, 2000, 2);
		load(gx_arena_printf(a, "Execute of one operation, %u sessions live", counts[i]), executes, false, 5000, 1);
		struct meter t0 = meter_now();
		for (unsigned k = 0; k < 100; ++k)
			(void)gx_ems_tick(ems);
		scale_row("tick", meter_since(t0), 100, "\"sessions\": %u", have);
		if (have > 0)
			find(have);
	}
}

/* ---- Sessions that wait ---- */

static int by_size(const void *x, const void *y)
{
	double p = *(const double *)x, q = *(const double *)y;
	return p < q ? -1 : p > q;
}

static void distribution(const char *what, unsigned n, const char *more)
{
	qsort(shared->took, n, sizeof(double), by_size);
	scale_fact(what, "\"n\": %u, \"p50_ms\": %.2f, \"p90_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f%s", n, shared->took[n / 2] * 1e3,
		shared->took[n * 9 / 10] * 1e3, shared->took[n * 99 / 100] * 1e3, shared->took[n - 1] * 1e3, more);
}

static void deliver(unsigned i)
{
	struct gx_arena *m = gx_arena_new(0);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_store *s;
	struct gx_msg_source src = scale_mail(m, i, SCALE_SMALL);
	struct gx_msg_prepared *p = scale_prepare(m, &src);
	scale_must(gx_store_pool_get(pool, maildir, &s, m, NULL), "store");
	struct gx_txn *t = scale_begin(s, GX_TXN_WRITE);
	scale_need(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), "insert");
	atomic_store(&shared->sent, seconds());
	scale_commit(t, GX_SYNC_LATER);
	gx_store_pool_put(pool, s);
	gx_msg_prepared_release(p);
	gx_arena_free(m);
}

static void wait_again(struct mhclient *c)
{
	gx_arena_reset(c->a);
	mhclient_send(c, GX_MH_NOTIFICATION_WAIT, &(struct gx_mh_notification_wait_req){0});
}

static void subscribe(struct mhclient *c, uint16_t port, bool tls)
{
	mhclient_open(c, port, tls, login);
	log_on(c);
	mhclient_rop(c, RopRegisterNotification, LOGON, SUBSCRIPTION,
		&(struct gx_rop_register_notification_req){.notification_types = 2 | 4, .folder_id = gx_eid_make(1, GX_FID_INBOX)});
	mhclient_execute(c);
}

/* What has come is fetched, which an Execute without operations does. */
static void fetch(struct mhclient *c)
{
	need(mhclient_execute(c), 10, "notification");
}

static void many_wait(bool tls)
{
	static struct mhclient c[WAITING];
	static struct pollfd v[WAITING];
	for (unsigned i = 0; i < WAITING; ++i) {
		subscribe(&c[i], ports[tls], tls);
		v[i] = (struct pollfd){c[i].fd, POLLIN, 0};
		wait_again(&c[i]);
	}
	atomic_store(&shared->ready, 1);
	for (unsigned k = 0; k < WAKES; ++k) {
		struct gx_mh_notification_wait_res res;
		for (unsigned got = 0; got < WAITING;) {
			if (poll(v, WAITING, LOST_S * 1000) <= 0)
				scale_die("a notification", "has not come");
			double now = seconds();
			for (unsigned i = 0; i < WAITING; ++i) {
				if (!(v[i].revents & POLLIN) || !mhclient_read(&c[i], GX_MH_NOTIFICATION_WAIT, &res) || res.event_pending == 0)
					continue;
				shared->took[k * WAITING + got++] = now - atomic_load(&shared->sent);
			}
		}
		for (unsigned i = 0; i < WAITING; ++i) {
			fetch(&c[i]);
			wait_again(&c[i]);
		}
		atomic_store(&shared->seen, k + 1);
		while (k + 1 < WAKES && atomic_load(&shared->ready) <= k + 1)
			usleep(1000);
	}
	_exit(0);
}

static void files_most(void)
{
	struct rlimit lim;
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

static void until(const atomic_uint *what, unsigned n, pid_t pid)
{
	int status = 0;
	while (atomic_load(what) < n && waitpid(pid, &status, WNOHANG) != pid)
		usleep(500);
	if (status != 0)
		scale_die("waiting sessions", "the client has failed");
}

static void sessions_wait(bool tls)
{
	size_t before = mallinfo2().uordblks;
	atomic_store(&shared->ready, 0);
	atomic_store(&shared->seen, 0);
	pid_t pid = fork();
	if (pid == 0)
		many_wait(tls);
	until(&shared->ready, 1, pid);
	usleep(300000);
	size_t each = (mallinfo2().uordblks - before) / WAITING;
	struct meter t0 = meter_now();
	usleep(2000000);
	double idle = meter_since(t0).cpu;
	for (unsigned k = 0; k < WAKES; ++k) {
		atomic_store(&shared->ready, k + 1);
		usleep(20000); /* the last of them waits again */
		deliver(k);
		until(&shared->seen, k + 1, pid);
	}
	waitpid(pid, NULL, 0);
	distribution("1,000 sessions that wait, all woken by one mail", WAITING * WAKES,
		gx_arena_printf(a, ", \"tls\": %s, \"bytes_each\": %zu, \"cpu_us_in_2_s\": %.0f", tls ? "true" : "false", each, idle * 1e6));
}

static void one_waits(unsigned n)
{
	struct mhclient c;
	struct gx_mh_notification_wait_res res = {0};
	subscribe(&c, ports[1], true);
	for (unsigned i = 0; i < n; ++i) {
		struct pollfd v = {c.fd, POLLIN, 0};
		wait_again(&c);
		atomic_store(&shared->ready, i + 1);
		do {
			if (gnutls_record_check_pending(c.tls) == 0 && poll(&v, 1, LOST_S * 1000) <= 0)
				scale_die("a notification", "has not come");
		} while (!mhclient_read(&c, GX_MH_NOTIFICATION_WAIT, &res));
		if (res.event_pending == 0)
			scale_die("a notification", "has not come");
		shared->took[i] = seconds() - atomic_load(&shared->sent);
		fetch(&c);
	}
	_exit(0);
}

static void arrivals(unsigned n)
{
	unsigned late = 0;
	int status = 0;
	atomic_store(&shared->ready, 0);
	pid_t pid = fork();
	if (pid == 0)
		one_waits(n);
	for (unsigned i = 0; i < n; ++i) {
		until(&shared->ready, i + 1, pid);
		deliver(i);
	}
	waitpid(pid, &status, 0);
	if (status != 0)
		scale_die("arrivals", "the client has failed");
	for (unsigned i = 0; i < n; ++i)
		late += shared->took[i] > 0.1;
	distribution("mail that wakes a client, commit to answer read", n, gx_arena_printf(a, ", \"over_100_ms\": %u", late));
}

int main(int argc, char **argv)
{
	unsigned messages = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	scale_name = "emsmdb";
	setvbuf(stdout, NULL, _IOLBF, 0);
	a = gx_arena_new(0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		scale_die("memory", "none");
	files_most();
	make_people(messages);
	serve();
	if (argc > 2) {
		crowded();
		gx_net_stop(net, 1000);
		scale_remove(dir);
		return 0;
	}
	codec();
	for (int tls = 0; tls < 2; ++tls) {
		load("Connect and Disconnect, each", connects, tls, 2000, 2);
		load("Execute of one operation", executes, tls, 5000, 1);
		load("folder opened: hierarchy, 50 rows, message, attachment; a request", folders, tls, 500, FOLDER_OPEN);
		sessions_wait(tls);
	}
	arrivals(ARRIVALS);
	crowded();
	gx_net_stop(net, 1000);
	scale_remove(dir);
	return 0;
}
