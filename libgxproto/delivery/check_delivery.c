/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline with a real directory and real stores. */
#include <config.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <jansson.h>
#include "tests/gxtest.h"
#include "libgxstore/store-int.h"
#include "pipeline-int.h"

enum { USERS = 4 };

static char base[64];
static struct gx_dir *dir;
static struct gx_store_pool *pool;
static struct gx_journal *journal;
static struct gx_delivery *delivery;
static atomic_uint acked;

static int rm(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	return remove(path);
}

static void path_of(char out[200], const char *name)
{
	snprintf(out, 200, "%s/%s", base, name);
}

static void make_store(unsigned i)
{
	char md[200], name[20], user[40];
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	snprintf(name, sizeof(name), "u%u", i);
	snprintf(user, sizeof(user), "u%u@example.org", i);
	path_of(md, name);
	o.owner = user;
	o.owner_id = i + 1;
	int ret = gx_store_create(md, &o, a, &why);
	ck_assert_msg(ret == 0, "%s", why);
	gx_arena_free(a);
}

static void add_user(const char *address, const char *maildir)
{
	struct gx_user_new u = GX_USER_NEW_INIT;
	uint32_t id;
	u.username = address;
	u.password = "secret";
	u.maildir = maildir;
	ck_assert_int_eq(gx_dir_add_user(dir, &u, &id), 0);
}

static void make_site(unsigned stores)
{
	char p[200], md[200], user[40], name[20];
	uint32_t id;
	memcpy(base, "/tmp/check_delivery.XXXXXX", sizeof("/tmp/check_delivery.XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(base));
	path_of(p, "dir.sqlite3");
	ck_assert_int_eq(gx_dir_create(p, NULL, NULL), 0);
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = p;
	ck_assert_int_eq(gx_dir_open(&o, &dir, NULL, NULL), 0);
	ck_assert_int_eq(gx_dir_add_domain(dir, "example.org", base, 100, &id), 0);
	for (unsigned i = 0; i < USERS; ++i) {
		snprintf(name, sizeof(name), "u%u", i);
		snprintf(user, sizeof(user), "u%u@example.org", i);
		path_of(md, name);
		add_user(user, md);
		if (i < stores)
			make_store(i);
	}
	ck_assert_int_eq(gx_dir_add_alias(dir, "alias@example.org", "u1@example.org"), 0);
	gx_dir_close(dir);
	dir = NULL;
}

static uint64_t segment_bytes = 1 << 20, most_messages;

static void open_site(bool external)
{
	char p[200], jd[200];
	path_of(p, "dir.sqlite3");
	path_of(jd, "journal");
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = p;
	ck_assert_int_eq(gx_dir_open(&o, &dir, NULL, NULL), 0);
	struct gx_store_pool_opts po = GX_STORE_POOL_OPTS_INIT;
	po.store.size = sizeof(po.store);
	po.store.max_messages = most_messages;
	po.max_open = 100;
	po.idle_seconds = 60;
	pool = gx_store_pool_new(&po);
	ck_assert_ptr_nonnull(pool);
	struct gx_journal_opts jo = GX_JOURNAL_OPTS_INIT;
	jo.dir = jd;
	jo.segment_bytes = segment_bytes;
	jo.external = external;
	ck_assert_int_eq(gx_journal_open(&jo, &journal, NULL, NULL), 0);
}

static const struct gx_clock *test_clock;

static int64_t now(void *ctx)
{
	return gx_clock_system()->realtime_ns(NULL);
}

static void start_delivery(bool external)
{
	static char jd[200];
	path_of(jd, "journal");
	struct gx_delivery_opts o = GX_DELIVERY_OPTS_INIT;
	o.journal = external ? NULL : journal;
	o.journal_dir = external ? jd : NULL;
	o.dir = dir;
	o.pool = pool;
	o.recipient_delimiter = "+-";
	o.clock = test_clock;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	int ret = gx_delivery_new(&o, &delivery, a, &why);
	ck_assert_msg(ret == 0, "%s", why);
	gx_arena_free(a);
}

static void close_site(void)
{
	gx_delivery_free(delivery);
	delivery = NULL;
	gx_journal_close(journal);
	gx_store_pool_free(pool);
	gx_dir_close(dir);
}

static void remove_site(void)
{
	nftw(base, rm, 20, FTW_DEPTH | FTW_PHYS);
}

static void on_ack(int err, void *ctx)
{
	ck_assert_int_eq(err, 0);
	atomic_fetch_add(&acked, 1);
}

static void post_with(const char *const *rcpts, size_t n, const char *text)
{
	struct gx_envelope env = {.from = "s@example.net", .rcpts = rcpts, .rcpt_count = n, .client = "test",
		.received_unix = gx_clock_unix(gx_clock_system())};
	unsigned want = atomic_load(&acked) + 1;
	ck_assert_int_eq(gx_journal_submit(journal, &env, (struct gx_bin){(const uint8_t *)text, strlen(text)}, on_ack, NULL), 0);
	while (atomic_load(&acked) < want)
		usleep(50);
}

static void post(const char *rcpt, unsigned number)
{
	char text[200];
	snprintf(text, sizeof(text), "From: s@example.net\r\nTo: %s\r\nSubject: %u\r\n\r\nText.\r\n", rcpt, number);
	post_with(&rcpt, 1, text);
}

static struct gx_store *get_store(unsigned i)
{
	char md[200], name[20];
	struct gx_store *s;
	snprintf(name, sizeof(name), "u%u", i);
	path_of(md, name);
	ck_assert_int_eq(gx_store_pool_get(pool, md, &s, NULL, NULL), 0);
	return s;
}

static uint64_t inbox_count(unsigned i)
{
	static const struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_txn *t;
	struct gx_folder_info f;
	struct gx_store *s = get_store(i);
	struct gx_arena *a = gx_arena_new(0);
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_READ, 5000, &t), 0);
	ck_assert(!gx_ec_failed(gx_folder_get(t, GX_FID_INBOX, a, &f)));
	gx_txn_abort(t);
	gx_arena_free(a);
	gx_store_pool_put(pool, s);
	return f.total;
}

static void await_count(unsigned i, uint64_t n)
{
	for (int k = 0; k < 60000 && inbox_count(i) < n; ++k)
		usleep(1000);
	ck_assert_uint_eq(inbox_count(i), n);
}

/** The numbers in the subjects, in the order of UIDs. */
static size_t numbers(unsigned i, unsigned *v, size_t cap)
{
	static const struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_store *s = get_store(i);
	struct gx_imapview *view;
	struct gx_txn *t;
	size_t n = 0;
	ck_assert(!gx_ec_failed(gx_imapview_open(s, &actor, GX_FID_INBOX, &view)));
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_READ, 5000, &t), 0);
	for (uint32_t k = 1; k <= gx_imapview_count(view); ++k) {
		struct gx_push p = GX_PUSH_INIT;
		ck_assert(!gx_ec_failed(gx_msg_original(t, gx_imapview_at(view, k).mid, 0, UINT64_MAX, &p)));
		gx_push_u8(&p, 0);
		const char *at = strstr((const char *)p.data, "Subject: ");
		ck_assert_ptr_nonnull(at);
		ck_assert_uint_lt(n, cap);
		v[n++] = (unsigned)strtoul(at + 9, NULL, 10);
		gx_push_release(&p);
	}
	gx_txn_abort(t);
	gx_imapview_close(view);
	gx_store_pool_put(pool, s);
	return n;
}

START_TEST(who_may_get_mail)
{
	struct gx_arena *a = gx_arena_new(0);
	make_site(1);
	open_site(false);
	add_user("none@example.org", "");
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "u0@example.org", "", a), 0);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "U0@EXAMPLE.ORG", "", a), 0);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "alias@example.org", NULL, a), 0);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "u0+x@example.org", "", a), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "u0+x@example.org", "-+", a), 0);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "+x@example.org", "-+", a), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "nobody@example.org", "+", a), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "none@example.org", "+", a), GX_E_STATE);
	ck_assert_int_eq(gx_delivery_check_rcpt(dir, "", "+", a), GX_E_NOTFOUND);
	gx_arena_free(a);
	close_site();
	remove_site();
}
END_TEST

START_TEST(each_mailbox_gets_it_once)
{
	static const char *const rcpts[] = {"u0@example.org", "u1@example.org", "alias@example.org", "u0+more@example.org", "u2@example.org"};
	make_site(USERS);
	open_site(false);
	start_delivery(false);
	post_with(rcpts, 5, "Subject: 7\r\n\r\nx\r\n");
	await_count(0, 1);
	await_count(1, 1);
	await_count(2, 1);
	ck_assert_uint_eq(inbox_count(3), 0);
	close_site();
	open_site(false);
	start_delivery(false);
	usleep(20000);
	ck_assert_uint_eq(inbox_count(1), 1);
	close_site();
	remove_site();
}
END_TEST

/* As if the machine had failed before it was flushed. */
static void lose_all(unsigned i)
{
	static const struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_store *s = get_store(i);
	struct gx_imapview *view;
	struct gx_txn *t;
	ck_assert(!gx_ec_failed(gx_imapview_open(s, &actor, GX_FID_INBOX, &view)));
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_WRITE, 5000, &t), 0);
	for (uint32_t k = 1; k <= gx_imapview_count(view); ++k)
		ck_assert(!gx_ec_failed(gx_msg_delete(t, GX_FID_INBOX, &(uint64_t){gx_imapview_at(view, k).mid}, 1, true)));
	ck_assert_int_eq(gx_sql__exec(t->q, "DELETE FROM delivered"), 0);
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
	gx_imapview_close(view);
	gx_store_pool_put(pool, s);
}

/* Stands still until it is told to go. */
static atomic_bool goes;

static int64_t standing(void *ctx)
{
	return atomic_load(&goes) ? gx_clock_system()->monotonic_ns(NULL) + INT64_C(3600) * 1000000000 : 1000000000;
}

START_TEST(what_was_lost_goes_again)
{
	static const char *const rcpts[] = {"u0@example.org", "u1@example.org"};
	static const struct gx_clock clock = {now, standing, NULL};
	unsigned v[10];
	test_clock = &clock; /* or the stores are flushed before they lose anything */
	make_site(USERS);
	open_site(false);
	start_delivery(false);
	post_with(rcpts, 2, "Subject: 7\r\n\r\nx\r\n");
	await_count(0, 1);
	await_count(1, 1);
	lose_all(0);
	gx_delivery_stores_failed(delivery);
	atomic_store(&goes, true);
	await_count(0, 1);
	ck_assert_uint_eq(numbers(0, v, 10), 1);
	ck_assert_uint_eq(v[0], 7);
	close_site();
	open_site(false);
	ck_assert_uint_eq(inbox_count(1), 1); /* who had it has it once */
	test_clock = NULL;
	close_site();
	remove_site();
}
END_TEST

START_TEST(order_and_backlog)
{
	unsigned v[600];
	make_site(USERS);
	open_site(false);
	for (unsigned i = 0; i < 500; ++i)
		post(i % 2 ? "u1@example.org" : "u0@example.org", i);
	start_delivery(false);
	await_count(0, 250);
	await_count(1, 250);
	for (unsigned b = 0; b < 2; ++b) {
		ck_assert_uint_eq(numbers(b, v, 600), 250);
		for (unsigned i = 0; i < 250; ++i)
			ck_assert_uint_eq(v[i], 2 * i + b);
	}
	close_site();
	remove_site();
}
END_TEST

START_TEST(a_full_mailbox_is_known_at_rcpt)
{
	static const struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	struct gx_txn *t;
	make_site(1);
	open_site(false);
	start_delivery(false);
	ck_assert_int_eq(gx_rcpt__room(dir, pool, "u0@example.org", "", 1 << 20, a), 0);
	ck_assert_int_eq(gx_rcpt__room(dir, pool, "u1@example.org", "", 1 << 20, a), 0);
	struct gx_store *s = get_store(0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, GX_PROP_TAG(0x666a, PtypInteger32), 100), 0);
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_WRITE, 5000, &t), 0);
	ck_assert(!gx_ec_failed(gx_store_set_props(t, &l)));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), 0);
	gx_store_pool_put(pool, s);
	ck_assert_int_eq(gx_rcpt__room(dir, pool, "u0@example.org", "", 1000, a), 0);
	ck_assert_int_eq(gx_rcpt__room(dir, pool, "u0+x@example.org", "+", 1 << 20, a), GX_E_NOSPACE);
	gx_arena_free(a);
	close_site();
	remove_site();
}
END_TEST

/* max_store_message_count: before it is accepted, too. */
START_TEST(a_store_with_all_messages_is_known_at_rcpt)
{
	struct gx_arena *a = gx_arena_new(0);
	make_site(1);
	most_messages = 2;
	open_site(false);
	start_delivery(false);
	post("u0@example.org", 1);
	await_count(0, 1);
	ck_assert_int_eq(gx_rcpt__room(dir, pool, "u0@example.org", "", 1000, a), 0);
	post("u0@example.org", 2);
	await_count(0, 2);
	ck_assert_int_eq(gx_rcpt__room(dir, pool, "u0@example.org", "", 1000, a), GX_E_NOSPACE);
	gx_arena_free(a);
	close_site();
	remove_site();
	most_messages = 0;
}
END_TEST

static unsigned failed_files(const char *suffix, char last[500])
{
	char p[200];
	unsigned n = 0;
	path_of(p, "journal/failed");
	DIR *d = opendir(p);
	const struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *dot = strrchr(e->d_name, '.');
		if (dot == NULL || strcmp(dot, suffix) != 0)
			continue;
		snprintf(last, 500, "%s/%s", p, e->d_name);
		++n;
	}
	if (d != NULL)
		closedir(d);
	return n;
}

/* What is told of the only message that is kept, once it tells of @n recipients. */
static json_t *await_failed(size_t n)
{
	char path[500];
	json_t *o = NULL;
	for (int k = 0; k < 60000 && json_array_size(json_object_get(o, "recipients")) < n; ++k) {
		json_decref(o);
		usleep(1000);
		o = failed_files(".json", path) == 1 ? json_load_file(path, 0, NULL) : NULL;
	}
	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "recipients")), n);
	return o;
}

START_TEST(what_cannot_be_delivered_is_kept)
{
	static const char *const rcpts[] = {"gone@example.org", "u0@example.org", "gone2@example.org"};
	char path[500];
	make_site(1);
	open_site(false);
	start_delivery(false);
	post_with(rcpts, 3, "Subject: 9\r\n\r\nkeep me\r\n");
	await_count(0, 1);
	json_t *o = await_failed(2);
	ck_assert_str_eq(json_string_value(json_object_get(o, "from")), "s@example.net");
	json_decref(o);
	ck_assert_uint_eq(failed_files(".eml", path), 1);
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, (long)strlen("Subject: 9\r\n\r\nkeep me\r\n"));
	close_site();
	remove_site();
}
END_TEST

START_TEST(a_missing_mailbox_is_waited_for)
{
	make_site(1);
	open_site(false);
	start_delivery(false);
	for (unsigned i = 0; i < 40; ++i)
		post("u1@example.org", i);
	post("u0@example.org", 1);
	await_count(0, 1);
	char path[500];
	ck_assert_uint_eq(failed_files(".eml", path), 0);
	make_store(1);
	await_count(1, 40);
	close_site();
	remove_site();
}
END_TEST

START_TEST(damaged_mail_is_mail)
{
	static const char *const u0 = "u0@example.org";
	static const char *const texts[] = {
		"", "\r\n", "no header at all", ": \r\n\r\n", "Subject: =?x?q?=?=\r\n\r\n\x80\xff",
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n--b\r\n",
	};
	make_site(1);
	open_site(false);
	start_delivery(false);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); ++i)
		post_with(&u0, 1, texts[i]);
	await_count(0, sizeof(texts) / sizeof(*texts));
	close_site();
	remove_site();
}
END_TEST

/** Length and bytes of the only message of a mailbox. */
static void get_only(unsigned i, struct gx_push *ret_bytes, struct gx_push *ret_env)
{
	static const struct gx_actor actor = GX_ACTOR_SYSTEM;
	struct gx_store *s = get_store(i);
	struct gx_imapview *view;
	struct gx_txn *t;
	struct gx_msg_mime m;
	ck_assert(!gx_ec_failed(gx_imapview_open(s, &actor, GX_FID_INBOX, &view)));
	ck_assert_uint_eq(gx_imapview_count(view), 1);
	ck_assert_int_eq(gx_txn_begin(s, &actor, GX_TXN_READ, 5000, &t), 0);
	ck_assert(!gx_ec_failed(gx_msg_mime(t, gx_imapview_at(view, 1).mid, &m)));
	gx_push_bytes(ret_env, m.envelope.data, m.envelope.len);
	gx_push_bytes(ret_env, m.bodystructure.data, m.bodystructure.len);
	gx_push_u8(ret_env, 0);
	ck_assert(!gx_ec_failed(gx_msg_original(t, gx_imapview_at(view, 1).mid, 0, UINT64_MAX, ret_bytes)));
	gx_txn_abort(t);
	gx_imapview_close(view);
	gx_store_pool_put(pool, s);
}

START_TEST(bytes_come_back_as_they_came)
{
	static const char head[] = "X-Nul: \0\xff\r\nSubject: the subject\r\nFrom: a@example.net\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\npre\0amble\n\r\r\n--b\r\nContent-Type: application/pdf\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n";
	struct gx_push sent = GX_PUSH_INIT, got = GX_PUSH_INIT, env = GX_PUSH_INIT;
	gx_push_bytes(&sent, head, sizeof(head) - 1);
	for (uint32_t i = 0, r = 1; i < 3000000; ++i) {
		r = r * 1664525 + 1013904223;
		gx_push_u8(&sent, (uint8_t)"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[r >> 26]);
		if (i % 76 == 75)
			gx_push_str(&sent, "\r\n");
	}
	gx_push_str(&sent, "\r\n--b--\r\nno line end");
	make_site(1);
	open_site(false);
	start_delivery(false);
	static const char *const u0 = "u0@example.org";
	struct gx_envelope e = {.from = "", .rcpts = &u0, .rcpt_count = 1, .received_unix = 1700000000};
	ck_assert_int_eq(gx_journal_submit(journal, &e, (struct gx_bin){sent.data, sent.len}, on_ack, NULL), 0);
	await_count(0, 1);
	get_only(0, &got, &env);
	ck_assert_uint_eq(got.len, sent.len);
	ck_assert_mem_eq(got.data, sent.data, sent.len);
	ck_assert_ptr_nonnull(strstr((const char *)env.data, "\"the subject\""));
	ck_assert_ptr_nonnull(strcasestr((const char *)env.data, "\"pdf\""));
	close_site();
	remove_site();
	gx_push_release(&sent);
	gx_push_release(&got);
	gx_push_release(&env);
}
END_TEST

START_TEST(another_process_delivers)
{
	make_site(2);
	open_site(true);
	post("u0@example.org", 1);
	start_delivery(true);
	post("u0@example.org", 2);
	await_count(0, 2);
	for (unsigned i = 0; i < 100; ++i)
		post("u1@example.org", i);
	await_count(1, 100);
	close_site();
	open_site(true);
	start_delivery(true);
	usleep(50000);
	ck_assert_uint_eq(inbox_count(0), 2);
	close_site();
	remove_site();
}
END_TEST

/* A hundred seconds pass in one. */
static int64_t fast(void *ctx)
{
	return gx_clock_system()->monotonic_ns(NULL) * 100;
}

static unsigned segments(void)
{
	char p[200];
	unsigned n = 0;
	path_of(p, "journal");
	DIR *d = opendir(p);
	const struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "seg", 3) == 0;
	if (d != NULL)
		closedir(d);
	return n;
}

START_TEST(one_mailbox_in_trouble_does_not_fill_the_journal)
{
	static const struct gx_clock clock = {now, fast, NULL};
	static const char *const u0 = "u0@example.org";
	static const char *const both[] = {"u0@example.org", "u1@example.org"};
	char text[4000];
	unsigned v[100];
	make_site(1);
	segment_bytes = 128 << 10;
	test_clock = &clock;
	open_site(false);
	start_delivery(false);
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "Subject: 5\r\n\r\n", 14);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < 30; ++i) {
		char small[40];
		snprintf(small, sizeof(small), "Subject: %u\r\n\r\n", i);
		post_with(both, 2, small);
		for (unsigned k = 0; k < 40; ++k)
			post_with(&u0, 1, text);
	}
	for (unsigned i = 0; i < 4000 && segments() > 12; ++i) {
		post_with(&u0, 1, text);
		usleep(10000);
	}
	ck_assert_uint_le(segments(), 12);
	make_store(1);
	for (unsigned i = 0; i < 4000 && inbox_count(1) < 30; ++i) {
		post_with(&u0, 1, text);
		usleep(10000);
	}
	ck_assert_uint_eq(numbers(1, v, 100), 30);
	unsigned sum = 0;
	for (unsigned i = 0; i < 30; ++i)
		sum += v[i];
	ck_assert_uint_eq(sum, 29 * 30 / 2);
	close_site();
	test_clock = NULL;
	segment_bytes = 1 << 20;
	remove_site();
}
END_TEST

enum { ROUNDS = 6, EACH = 20000, CAP = ROUNDS * EACH + 1 };

static int ack_pipe;

static void child_ack(int err, void *ctx)
{
	uint32_t n = (uint32_t)(uintptr_t)ctx;
	if (err == 0 && write(ack_pipe, &n, sizeof(n)) != sizeof(n))
		_exit(1);
}

static void child(uint32_t first)
{
	open_site(false);
	start_delivery(false);
	for (uint32_t i = first; i < first + EACH; ++i) {
		char to[40], text[200];
		const char *rcpt = to;
		snprintf(to, sizeof(to), "u%u@example.org", i % USERS);
		int n = snprintf(text, sizeof(text), "To: %s\r\nSubject: %u\r\n\r\n%u\r\n", to, i, i);
		struct gx_envelope env = {.from = "s@example.net", .rcpts = &rcpt, .rcpt_count = 1, .received_unix = 1};
		env.received_unix = gx_clock_unix(gx_clock_system());
		char *copy = strdup(text);
		if (gx_journal_submit(journal, &env, (struct gx_bin){(uint8_t *)copy, (size_t)n}, child_ack, (void *)(uintptr_t)i) != 0)
			_exit(2);
		if (i % 8 == 0)
			usleep(500);
	}
	for (;;)
		pause();
}

static uint8_t is_acked[CAP], seen[CAP];

static unsigned acked_until(uint32_t last)
{
	unsigned n = 0;
	for (uint32_t i = 1; i <= last; ++i)
		n += is_acked[i];
	return n;
}

/* @return how many of those that were acknowledged are in the mailboxes; none is there twice, or in another's */
static unsigned see_all(void)
{
	unsigned *v = malloc(CAP * sizeof(*v)), n = 0;
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < USERS; ++i) {
		size_t k = numbers(i, v, CAP);
		for (size_t q = 0; q < k; ++q) {
			ck_assert_uint_lt(v[q], CAP);
			ck_assert_uint_eq(v[q] % USERS, i);
			ck_assert_uint_eq(seen[v[q]], 0);
			seen[v[q]] = 1;
			n += is_acked[v[q]];
		}
	}
	free(v);
	return n;
}

START_TEST(killed_at_random_each_message_once)
{
	uint32_t first = 1, n, last = 0;
	memset(is_acked, 0, sizeof(is_acked));
	make_site(USERS);
	for (unsigned round = 0; round < ROUNDS; ++round, first += EACH) {
		int p[2];
		ck_assert_int_eq(pipe(p), 0);
		ack_pipe = p[1];
		pid_t pid = fork();
		if (pid == 0) {
			close(p[0]);
			child(first);
		}
		close(p[1]);
		struct timespec t0, t1;
		clock_gettime(CLOCK_MONOTONIC, &t0);
		bool killed = false;
		while (read(p[0], &n, sizeof(n)) == sizeof(n)) {
			is_acked[n] = 1;
			last = n > last ? n : last;
			clock_gettime(CLOCK_MONOTONIC, &t1);
			long ms = (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000;
			if (!killed && (ms > 60 + 37 * (long)round || n == first + EACH - 1)) {
				kill(pid, SIGKILL);
				killed = true;
			}
		}
		waitpid(pid, NULL, 0);
		close(p[0]);
	}
	open_site(false);
	start_delivery(false);
	for (unsigned tries = 0; see_all() < acked_until(last) && tries < 1000; ++tries)
		usleep(100000);
	usleep(300000); /* what comes twice comes soon */
	see_all();
	for (unsigned i = 0; i < USERS; ++i) {
		struct gx_store *s = get_store(i);
		ck_assert_int_eq(gx_store_verify(s, NULL, NULL), 0);
		gx_store_pool_put(pool, s);
	}
	for (uint32_t i = 1; i <= last; ++i)
		ck_assert_msg(!is_acked[i] || seen[i], "message %u was acknowledged and is lost", i);
	close_site();
	remove_site();
}
END_TEST

static Suite *delivery_suite(void)
{
	Suite *s = suite_create("delivery");
	TCase *t = tcase_create("delivery");
	tcase_set_timeout(t, 180);
	tcase_add_test(t, who_may_get_mail);
	tcase_add_test(t, each_mailbox_gets_it_once);
	tcase_add_test(t, order_and_backlog);
	tcase_add_test(t, what_was_lost_goes_again);
	tcase_add_test(t, a_full_mailbox_is_known_at_rcpt);
	tcase_add_test(t, a_store_with_all_messages_is_known_at_rcpt);
	tcase_add_test(t, what_cannot_be_delivered_is_kept);
	tcase_add_test(t, a_missing_mailbox_is_waited_for);
	tcase_add_test(t, one_mailbox_in_trouble_does_not_fill_the_journal);
	tcase_add_test(t, damaged_mail_is_mail);
	tcase_add_test(t, bytes_come_back_as_they_came);
	tcase_add_test(t, another_process_delivers);
	tcase_add_test(t, killed_at_random_each_message_once);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(delivery_suite)
