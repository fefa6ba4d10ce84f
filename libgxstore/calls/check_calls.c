/* SPDX-License-Identifier: Apache-2.0 */
/* The calls in this process, and what the host does about clients and what they have open. */
#include <config.h>
#include <errno.h>
#include "libgxstore/calls/call-int.h"
#include "libgxstore/calls/scenario.h"
#include "libgxstore/storetest.h"

static struct gx_store_pool *pool;
static struct gx_exmdb_host *host;
static struct gx_arena *a;
static char *dir;
static struct gx_dir *people;
/* Stands still; only a test moves it. */
static int64_t moved_ms;

static int64_t mono(void *ctx)
{
	(void)ctx;
	return INT64_C(1000000000) + moved_ms * 1000000;
}

static int64_t real(void *ctx)
{
	(void)ctx;
	return gx_clock_system()->realtime_ns(gx_clock_system()->ctx);
}

static const struct gx_clock my_clock = {real, mono, NULL};

static void setup_with(unsigned max_objects, unsigned max_events, const char *const *prefixes)
{
	struct gx_store_pool_opts po = {.size = sizeof(po), .store = GX_STORE_OPTS_INIT};
	struct gx_exmdb_host_opts o = GX_EXMDB_HOST_OPTS_INIT;
	a = gx_arena_new(0);
	dir = strdup(st_dir());
	st_create(dir);
	pool = gx_store_pool_new(&po);
	o.pool = pool;
	o.clock = &my_clock;
	o.max_objects = max_objects;
	o.max_events = max_events;
	o.prefixes = prefixes;
	o.dir = people;
	moved_ms = 0;
	ck_assert_int_eq(gx_exmdb_host_new(&o, &host), 0);
}

static void setup(void)
{
	setup_with(0, 0, NULL);
}

static void teardown(void)
{
	gx_exmdb_host_free(host);
	gx_store_pool_free(pool);
	gx_arena_free(a);
	st_rmtree(dir);
	free(dir);
}

START_TEST(scenario)
{
	struct scene s = {.dir = dir, .a = a, .full = true};
	ck_assert_int_eq(gx_exmdb_local_new(host, &s.x), 0);
	scenarios[_i].run(&s);
	gx_exmdb_free(s.x);
	struct gx_store *st;
	ck_assert_int_eq(gx_store_pool_get(pool, dir, &st, NULL, NULL), 0);
	st_verify(st);
	gx_store_pool_put(pool, st);
}
END_TEST

static gx_ec subscribe(struct gx_exmdb *x, uint32_t *ret_id)
{
	struct gx_x_subscribe_notification_req q = {2, true, 0, 0};
	struct gx_x_subscribe_notification_ans ans = {0};
	gx_ec ec = gx_exmdb_subscribe_notification(x, dir, &q, a, &ans, NULL);
	*ret_id = ans.sub_id;
	return ec;
}

static gx_ec new_mail(struct gx_exmdb *x)
{
	struct gx_x_transport_new_mail_req q = {gx_eid_make(1, 13), gx_eid_make(1, 99), 0, "IPM.Note"};
	return gx_exmdb_transport_new_mail(x, dir, &q, a, NULL);
}

START_TEST(numbers_belong_to_a_client)
{
	struct gx_exmdb *x, *y;
	struct gx_x_notification n;
	uint32_t id;
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	ck_assert_int_eq(gx_exmdb_local_new(host, &y), 0);
	ST_OK(subscribe(x, &id));
	struct gx_x_unsubscribe_notification_req u = {id};
	ST_IS(gx_exmdb_unsubscribe_notification(y, dir, &u, a, NULL), ecNullObject);
	ST_OK(new_mail(y));
	ck_assert_int_eq(gx_exmdb_event(y, 0, a, &n), GX_XEV_NONE);
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_EVENT);
	gx_exmdb_free(x);
	ST_OK(new_mail(y));
	gx_exmdb_free(y);
}
END_TEST

START_TEST(limits)
{
	struct gx_exmdb *x;
	struct gx_x_notification n;
	uint32_t id;
	teardown();
	setup_with(3, 2, NULL);
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	for (int i = 0; i < 3; ++i)
		ST_OK(subscribe(x, &id));
	ST_IS(subscribe(x, &id), ecMaxObjsExceeded);
	for (int i = 0; i < 5; ++i)
		ST_OK(new_mail(x));
	/* two are there with all three numbers, then it is told that others were */
	for (int i = 0; i < 2; ++i) {
		ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_EVENT);
		ck_assert_uint_eq(n.ids_count, 3);
	}
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_LOST);
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_NONE);
	ST_OK(new_mail(x));
	ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_EVENT);
	gx_exmdb_free(x);
}
END_TEST

START_TEST(only_below_the_prefixes)
{
	struct gx_exmdb *x;
	const char *why;
	static const char *const bad[] = {"/etc", "relative", "", "/", "/tmp/../etc", "/tmp/x/..", "/tmp2/x", "/tmp"};
	char *prefix = strdup(dir);
	*strrchr(prefix, '/') = '\0';
	teardown();
	setup_with(0, 0, (const char *const[]){"/nowhere", "/tmp/", prefix, NULL});
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	ST_OK(gx_exmdb_ping_store(x, dir, a, NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
		ST_IS(gx_exmdb_ping_store(x, bad[i], a, &why), ecNotFound);
		ck_assert(*why != '\0');
	}
	/* below, but no store there: the text has the path */
	ST_IS(gx_exmdb_ping_store(x, gx_arena_printf(a, "%s/none", prefix), a, &why), ecNotFound);
	ck_assert_ptr_nonnull(strstr(why, "none"));
	gx_exmdb_free(x);
	free(prefix);
}
END_TEST

START_TEST(clients_linger)
{
	struct gx_exmdb_client *c, *d;
	struct gx_x_subscribe_notification_req q = {2, true, 0, 0};
	struct gx_x_subscribe_notification_ans ans;
	struct gx_x_unsubscribe_notification_req u;
	const char *why;
	uint8_t code;
	ck_assert_int_eq(gx_exmdb_client_get(host, "12:ab", &c), 0);
	ck_assert_int_eq(gx_exmdb_client_get(host, "12:ab", &d), 0);
	ck_assert_ptr_eq(c, d);
	gx_exmdb_client_put(d);
	ST_OK(gx_exmdb_client_call(c, dir, gx_exmdb_call_desc(GX_X_SUBSCRIBE_NOTIFICATION), &q, a, &ans, &code, &why));
	gx_exmdb_client_put(c);
	moved_ms = 59000;
	gx_exmdb_host_tick(host);
	ck_assert_int_eq(gx_exmdb_client_get(host, "12:ab", &c), 0);
	u.sub_id = ans.sub_id;
	ST_OK(gx_exmdb_client_call(c, dir, gx_exmdb_call_desc(GX_X_UNSUBSCRIBE_NOTIFICATION), &u, a, NULL, &code, &why));
	ST_OK(gx_exmdb_client_call(c, dir, gx_exmdb_call_desc(GX_X_SUBSCRIBE_NOTIFICATION), &q, a, &ans, &code, &why));
	gx_exmdb_client_put(c);
	moved_ms = 59000 + 61000;
	gx_exmdb_host_tick(host);
	ck_assert_int_eq(gx_exmdb_client_get(host, "12:ab", &c), 0);
	u.sub_id = ans.sub_id;
	ST_IS(gx_exmdb_client_call(c, dir, gx_exmdb_call_desc(GX_X_UNSUBSCRIBE_NOTIFICATION), &u, a, NULL, &code, &why), ecNullObject);
	ck_assert_uint_eq(code, GX_XC_DISPATCH_ERROR);
	gx_exmdb_client_put(c);
	ck_assert_int_eq(gx_exmdb_client_get(host, "", &c), GX_E_INVAL);
}
END_TEST

START_TEST(kinds_of_store)
{
	struct gx_exmdb_client *c;
	const char *why;
	ck_assert_int_eq(gx_exmdb_client_get(host, "1", &c), 0);
	ck_assert_uint_eq(gx_exmdb_client_connect(c, dir, true, a, &why), GX_XC_SUCCESS);
	ck_assert_uint_eq(gx_exmdb_client_connect(c, dir, false, a, &why), GX_XC_MISCONFIG_MODE);
	ck_assert(*why != '\0');
	ck_assert_uint_eq(gx_exmdb_client_connect(c, "/nonexistent/store", true, a, &why), GX_XC_MISCONFIG_PREFIX);
	gx_exmdb_client_put(c);
}
END_TEST

START_TEST(bad_calls)
{
	struct gx_exmdb *x;
	const char *why;
	struct gx_x_is_folder_present_req q = {0};
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	ST_IS(gx_exmdb_call(x, dir, 0x07, NULL, a, NULL, &why), ecInvalidParam);
	ST_IS(gx_exmdb_call(x, dir, 0xee, NULL, a, NULL, &why), ecInvalidParam);
	ST_IS(gx_exmdb_call(x, dir, GX_X_IS_FOLDER_PRESENT, &q, a, NULL, &why), ecInvalidParam);
	struct gx_x_listen_notification_req l = {"1"};
	ST_IS(gx_exmdb_call(x, dir, GX_X_LISTEN_NOTIFICATION, &l, a, NULL, &why), ecNotSupported);
	gx_exmdb_free(x);
}
END_TEST

START_TEST(connect_asks_for_the_kind)
{
	struct gx_exmdb *x;
	const char *why;
	struct gx_x_connect_req c = {"1", true};
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	ST_OK(gx_exmdb_call(x, dir, GX_X_CONNECT, &c, a, NULL, &why));
	ST_IS(gx_exmdb_call(x, "/nonexistent", GX_X_CONNECT, &c, a, NULL, &why), ecNotFound);
	c.is_private = false;
	ST_IS(gx_exmdb_call(x, dir, GX_X_CONNECT, &c, a, NULL, &why), ecInvalidParam);
	gx_exmdb_free(x);
}
END_TEST

START_TEST(who_an_entry_id_means)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	struct gx_user_new u = GX_USER_NEW_INIT;
	struct gx_exmdb *x;
	struct gx_x_store_eid_to_user_req q = {.eid = {.server = "s"}};
	struct gx_x_store_eid_to_user_ans ans;
	const char *why, *form = "/o=Gromox default/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=%s";
	uint32_t domain, user;
	char *at = strdup(st_dir());
	o.path = gx_arena_printf(a, "%s/people", at);
	ck_assert_int_eq(gx_dir_create(o.path, a, &why), 0);
	ck_assert_int_eq(gx_dir_open(&o, &people, a, &why), 0);
	ck_assert_int_eq(gx_dir_add_domain(people, "example.org", "/d", 5, &domain), 0);
	u.username = "ann@example.org";
	u.maildir = "/u/ann";
	u.password = "x";
	ck_assert_int_eq(gx_dir_add_user(people, &u, &user), 0);
	ck_assert_uint_lt(domain, 10);
	ck_assert_uint_lt(user, 10);
	teardown();
	setup_with(0, 0, NULL);
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	q.eid.mailbox_dn = gx_arena_printf(a, form, gx_arena_printf(a, "0%u0000000%u000000-ann", domain, user));
	ST_OK(gx_exmdb_store_eid_to_user(x, dir, &q, a, &ans, NULL));
	ck_assert_str_eq(ans.maildir, "/u/ann");
	ck_assert_uint_eq(ans.user_id, user);
	ck_assert_uint_eq(ans.domain_id, domain);
	q.eid.wrapped_provider = muidStorePublic;
	ST_OK(gx_exmdb_store_eid_to_user(x, dir, &q, a, &ans, NULL));
	ck_assert_str_eq(ans.maildir, "/d");
	q.eid.wrapped_provider = muidStorePrivate;
	q.eid.mailbox_dn = gx_arena_printf(a, form, gx_arena_printf(a, "0%u0000000%u000000-bob", domain, user));
	ST_IS(gx_exmdb_store_eid_to_user(x, dir, &q, a, &ans, &why), ecNotFound);
	ck_assert_ptr_nonnull(strstr(why, "-bob"));
	gx_exmdb_free(x);
	gx_exmdb_host_free(host);
	host = NULL;
	gx_dir_close(people);
	people = NULL;
	st_rmtree(at);
	free(at);
}
END_TEST

static void count_wake(void *ctx)
{
	++*(unsigned *)ctx;
}

START_TEST(what_waits_wakes_a_new_listener)
{
	struct gx_exmdb *x;
	struct gx_x_notification n;
	unsigned woken = 0;
	uint32_t id;
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	ST_OK(subscribe(x, &id));
	gx_exmdb_on_event(x, count_wake, &woken);
	ck_assert_uint_eq(woken, 0);
	gx_exmdb_on_event(x, NULL, NULL);
	ST_OK(new_mail(x));
	ck_assert_uint_eq(woken, 0);
	gx_exmdb_on_event(x, count_wake, &woken);
	ck_assert_uint_eq(woken, 1);
	ST_OK(new_mail(x));
	ck_assert_uint_eq(woken, 2);
	for (int i = 0; i < 2; ++i)
		ck_assert_int_eq(gx_exmdb_event(x, 0, a, &n), GX_XEV_EVENT);
	gx_exmdb_free(x);
}
END_TEST

static unsigned flushes, bad_flush;

static int flush(const struct gx_fs *fs, int fd)
{
	(void)fs;
	if (++flushes != bad_flush)
		return gx_fs__system.fsync(&gx_fs__system, fd);
	errno = EIO;
	return -1;
}

/* A file in a directory that is new: itself, its entry and that of the directory are flushed, or it is said that they are not. */
/* ---- What rules ask for that leaves the store ---- */

static char taken[400];
static int refuse;

static int take_action(const struct gx_exmdb_action *v, void *ctx)
{
	size_t n = strlen(taken);
	ck_assert_ptr_eq(ctx, taken);
	ck_assert_str_eq(v->dir, dir);
	snprintf(taken + n, sizeof(taken) - n, "%s:%u:%s:%s ", v->rule, v->action->type, gx_proplist_str(&v->message->props, PidTagSubject, ""),
		 v->at_mid == 0 ? "gone" : v->at_fid == GX_FID_INBOX ? "here" : "moved");
	/* it has happened, and others can read it */
	struct gx_store *st;
	struct gx_msg_info info;
	ck_assert_int_eq(gx_store_pool_get(pool, dir, &st, NULL, NULL), 0);
	struct gx_txn *t = st_begin(st, GX_TXN_READ);
	if (v->at_mid != 0)
		ST_OK(gx_msg_get(t, v->at_mid, &info));
	gx_txn_abort(t);
	gx_store_pool_put(pool, st);
	return refuse;
}

static void rule(struct gx_exmdb *x, const char *name, struct gx_x_action action)
{
	struct gx_dctx d = {.px = GX_PX_EXT(a)};
	struct gx_x_action_block block[2] = {{action}, {action}};
	struct gx_x_actions all = {block, 2};
	struct gx_restr has = {.type = RES_CONTENT, .u.content = {FL_SUBSTRING, FL_IGNORECASE, PidTagSubject, {PidTagSubject, {.str = name}}}};
	struct gx_bin actions;
	ck_assert_int_eq(gx_desc_encode(&d, gx_exmdb_desc(GX_EXMDB_X_ACTIONS), &all, &actions), 0);
	struct gx_propval v[] = {
		{PidTagRuleSequence, {.i32 = 10}}, {PidTagRuleState, {.i32 = 1}}, {PidTagRuleName, {.str = name}},
		{PidTagRuleProvider, {.str = "RuleOrganizer"}}, {PidTagRuleLevel, {.i32 = 0}}, {PidTagRuleCondition, {.restr = &has}},
		{PidTagRuleActions, {.bin = actions}},
	};
	struct gx_x_row_change c = {GX_X_ROW_ADD, {v, 7, 0}};
	struct gx_x_update_folder_rule_req q = {.folder_id = gx_eid_make(1, GX_FID_INBOX), .changes = &c, .changes_count = 1};
	struct gx_x_update_folder_rule_ans ans;
	ST_OK(gx_exmdb_update_folder_rule(x, dir, &q, a, &ans, NULL));
}

static struct gx_x_deliver_message_req mail(struct gx_propval *subject)
{
	return (struct gx_x_deliver_message_req){.from_address = "from@example.net", .account = "u@example.org", .dlflags = 1,
		.content = {.props = {subject, 1, 0}}, .digest = ""};
}

static void deliver(struct gx_exmdb *x, const char *subject)
{
	struct gx_propval v = {PidTagSubject, {.str = subject}};
	struct gx_x_deliver_message_req q = mail(&v);
	struct gx_x_deliver_message_ans ans;
	taken[0] = '\0';
	ST_OK(gx_exmdb_deliver_message(x, dir, &q, a, &ans, NULL));
	ck_assert_uint_eq(ans.result, 0);
}

START_TEST(actions_for_delivery)
{
	struct gx_exmdb_host_opts o = GX_EXMDB_HOST_OPTS_INIT;
	struct gx_exmdb *x;
	gx_exmdb_host_free(host);
	o.pool = pool;
	o.on_action = take_action;
	o.on_action_ctx = taken;
	o.max_actions = 3;
	ck_assert_int_eq(gx_exmdb_host_new(&o, &host), 0);
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	struct gx_propval name = {PidTagDisplayName, {.str = "x"}};
	struct gx_x_action_rcpt to = {.props = {&name, 1, 0}};
	rule(x, "fwd", (struct gx_x_action){.type = GX_X_OP_FORWARD, .rcpts = &to, .rcpts_count = 1});
	rule(x, "bounce", (struct gx_x_action){.type = GX_X_OP_BOUNCE, .bounce = 13});
	rule(x, "drop", (struct gx_x_action){.type = GX_X_OP_DELETE});
	deliver(x, "nothing");
	ck_assert_str_eq(taken, "");
	deliver(x, "fwd");
	ck_assert_str_eq(taken, "fwd:7:fwd:here fwd:7:fwd:here ");
	deliver(x, "fwd and drop"); /* the message goes, who forwards it has it nevertheless */
	ck_assert_str_eq(taken, "fwd:7:fwd and drop:gone fwd:7:fwd and drop:gone ");
	deliver(x, "fwd, bounce"); /* no more than three */
	ck_assert_str_eq(taken, "fwd:7:fwd, bounce:here fwd:7:fwd, bounce:here bounce:6:fwd, bounce:here ");
	refuse = GX_E_BUSY; /* the mail is in nevertheless */
	deliver(x, "fwd");
	ck_assert_str_eq(taken, "fwd:7:fwd:here fwd:7:fwd:here ");
	refuse = 0;
	/* The same for what is there already; nothing for what is not. */
	struct gx_propval v = {PidTagSubject, {.str = "fwd"}};
	struct gx_x_deliver_message_req q = mail(&v);
	struct gx_x_deliver_message_ans ans;
	q.dlflags = 0;
	taken[0] = '\0';
	ST_OK(gx_exmdb_deliver_message(x, dir, &q, a, &ans, NULL));
	ck_assert_str_eq(taken, "");
	struct gx_x_rule_new_message_req again = {.account = "", .folder_id = ans.folder_id, .message_id = ans.message_id};
	ST_OK(gx_exmdb_rule_new_message(x, dir, &again, a, NULL));
	ck_assert_str_eq(taken, "fwd:7:fwd:here fwd:7:fwd:here ");
	taken[0] = '\0';
	again.message_id = gx_eid_make(1, 0x999999);
	ST_IS(gx_exmdb_rule_new_message(x, dir, &again, a, NULL), ecNotFound);
	ck_assert_str_eq(taken, "");
	gx_exmdb_free(x);
}
END_TEST

START_TEST(files_are_flushed)
{
	struct gx_fs fs = gx_fs__system;
	struct gx_exmdb *x;
	struct gx_store *s;
	ck_assert_int_eq(gx_exmdb_local_new(host, &x), 0);
	ck_assert_int_eq(gx_store_pool_get(pool, dir, &s, NULL, NULL), 0);
	fs.fsync = flush;
	s->fs = &fs;
	for (bad_flush = 1; bad_flush <= 4; ++bad_flush) {
		struct gx_x_imapfile_write_req w = {"eml", gx_arena_printf(a, "sub%u/x", bad_flush), {(const uint8_t *)"text", 4}};
		flushes = 0;
		gx_ec ec = gx_exmdb_imapfile_write(x, dir, &w, a, NULL);
		if (bad_flush < 4)
			ST_IS(ec, ecDiskError);
		else
			ST_OK(ec);
	}
	ck_assert_uint_eq(flushes, 3);
	s->fs = &gx_fs__system;
	gx_store_pool_put(pool, s);
	gx_exmdb_free(x);
}
END_TEST

static Suite *calls_suite(void)
{
	Suite *s = suite_create("calls");
	TCase *t = tcase_create("calls");
	int n = 0;
	while (scenarios[n].name != NULL)
		++n;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, scenario, 0, n);
	tcase_add_test(t, numbers_belong_to_a_client);
	tcase_add_test(t, limits);
	tcase_add_test(t, only_below_the_prefixes);
	tcase_add_test(t, clients_linger);
	tcase_add_test(t, kinds_of_store);
	tcase_add_test(t, bad_calls);
	tcase_add_test(t, connect_asks_for_the_kind);
	tcase_add_test(t, who_an_entry_id_means);
	tcase_add_test(t, what_waits_wakes_a_new_listener);
	tcase_add_test(t, actions_for_delivery);
	tcase_add_test(t, files_are_flushed);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(calls_suite)
