/* SPDX-License-Identifier: Apache-2.0 */
/* The client against our server: connections and what goes wrong with them, folders, tables, properties, messages. */
#include <config.h>
#include <gx/rpcext.h>
#include "libgxproto/client/clienttest.h"

static struct gx_mapi_obj *store;

static void setup_store(void)
{
	ct_setup_connected();
	CT_OK(gx_mapi_logon(ct_c, NULL, &store));
}

static void teardown_store(void)
{
	gx_mapi_close(store);
	ct_teardown();
}

/* ---- Connections ---- */

START_TEST(options)
{
	static const struct {
		const char *url, *password;
		bool insecure;
		int err;
	} t[] = {
		{"https://mail.example.org/mapi/emsmdb/", "x", false, 0}, {"http://localhost:80/mapi/emsmdb/", "x", false, 0},
		{"http://[::1]/mapi", "x", false, 0}, {"http://mail.example.org/mapi/emsmdb/", "x", true, 0},
		{"http://mail.example.org/mapi/emsmdb/", "x", false, GX_E_INVAL}, {"http://localhost.evil.org/", "x", false, GX_E_INVAL},
		{"ftp://localhost/", "x", false, GX_E_INVAL}, {NULL, "x", false, GX_E_INVAL}, {"https://a/", NULL, false, GX_E_INVAL},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
		struct gx_mapi *c = NULL;
		const char *why = NULL;
		o.url = t[i].url;
		o.user = "ann@example.org";
		o.password = t[i].password;
		o.insecure = t[i].insecure;
		ck_assert_msg(gx_mapi_new(&o, &c, &why) == t[i].err, "%zu: %s", i, why);
		ck_assert_int_eq(*why == '\0', t[i].err == 0);
		gx_mapi_free(c);
	}
}
END_TEST

START_TEST(connects_and_leaves)
{
	const char *name;
	CT_OK(gx_mapi_connect(ct_c, &name));
	CT_OK(gx_mapi_ping(ct_c));
	ck_assert_uint_eq(gx_mapi_error(ct_c)->http_status, 200);
	ck_assert_int_eq(gx_mapi_error(ct_c)->response_code, 0);
	CT_IS(gx_mapi_connect(ct_c, NULL), ecInvalidParam);
	ck_assert_uint_eq(gx_ems_tick(et_ems), 2);
	gx_mapi_free(ct_c);
	ck_assert_uint_eq(gx_ems_tick(et_ems), 1);
	ct_c = NULL;
}
END_TEST

START_TEST(who_is_not_let_in)
{
	struct gx_mapi *c = ct_client(ct_server.port, 0, "wrong");
	ck_assert(gx_ec_is(gx_mapi_connect(c, NULL), ecLoginFailure));
	ck_assert_uint_eq(gx_mapi_error(c)->http_status, 401);
	ck_assert_ptr_nonnull(strstr(gx_mapi_error(c)->text, "password"));
	gx_mapi_free(c);
	/* another user's DN */
	const char *dn = et_dn[0];
	et_dn[0] = et_dn[1];
	c = ct_client(ct_server.port, 0, "x");
	et_dn[0] = dn;
	ck_assert(gx_ec_is(gx_mapi_connect(c, NULL), ecAccessDenied));
	gx_mapi_free(c);
}
END_TEST

START_TEST(nobody_is_there)
{
	struct gx_mapi *c = ct_client(1, 0, "x");
	ck_assert(gx_ec_is(gx_mapi_connect(c, NULL), ecNetworkError));
	ck_assert_uint_eq(gx_mapi_error(c)->http_status, 0);
	ck_assert_uint_ne(strlen(gx_mapi_error(c)->text), 0);
	gx_mapi_free(c);
}
END_TEST

START_TEST(the_session_is_lost)
{
	struct gx_mapi_obj *f;
	struct gx_guid id;
	const char *context = strstr(gx_strbuf_cstr(&ct_c->mailbox.cookies), "MapiContext=");
	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq(gx_guid_parse(gx_arena_strndup(et_a, context + 12, 36), &id), 0);
	struct gx_ems_session *s = gx_ems_session_get(et_ems, &id, "ann@example.org", NULL);
	gx_ems_session_end(s);
	gx_ems_session_put(s);
	CT_IS(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &f), ecEndOfSession);
	ck_assert_int_eq(gx_mapi_error(ct_c)->response_code, GX_MHC_CONTEXT_NOT_FOUND);
	/* nothing is asked any more */
	CT_IS(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &f), ecEndOfSession);
	ck_assert_uint_eq(gx_mapi_error(ct_c)->http_status, 0);
}
END_TEST

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/mapi-http\r\nX-ResponseCode: 0\r\n"
#define BODY(n) "Content-Length: " #n "\r\n\r\n"

/* What the client makes of answers that no server of ours gives. */
START_TEST(answers_of_a_liar)
{
	static const struct {
		const char *answers[4];
		uint32_t code;
	} t[] = {
		{{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}, ecCorruptData}, /* no MAPI at all */
		{{HEAD BODY(2) "hi"}, ecCorruptData},
		{{HEAD BODY(18) "PROCESSING\r\nDONE\r\n"}, ecCorruptData},
		{{HEAD BODY(48) "PROCESSING\r\nDONE\r\nX-ResponseCode: 1\r\n\r\nxxxxxxxxx"}, ecNetworkError},
		{{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}, ecNetworkError},
		{{"HTTP/1.1 302 Found\r\nLocation: https://elsewhere/\r\nContent-Length: 0\r\n\r\n"}, ecNetworkError},
		{{"HTTP/1.1 200 OK\r\nX-ResponseCode: 10\r\nContent-Length: 0\r\n\r\n"}, ecEndOfSession},
		{{"", ""}, ecNetworkError}, /* once more, and then no more */
		{{HEAD "Content-Length: 100\r\nConnection: close\r\n\r\nPROC"}, ecNetworkError},
		{{"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", HEAD BODY(20) "PROCESSING\r\nDONE\r\n\r\n"}, ecSuccess},
		{{"", HEAD BODY(20) "PROCESSING\r\nDONE\r\n\r\n"}, ecSuccess},
		{{"HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"}, ecServerBusy},
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i) {
		struct ct_liar l;
		ct_liar_start(&l, t[i].answers);
		struct gx_mapi *c = ct_client(l.port, 0, "x");
		gx_ec ec = gx_mapi_ping(c);
		ck_assert_msg(gx_ec_is(ec, t[i].code), "%zu: %s: %s", i, gx_ec_name(ec), gx_mapi_error(c)->text);
		ck_assert_int_eq(*gx_mapi_error(c)->text == '\0', t[i].code == ecSuccess);
		gx_mapi_free(c);
		ct_liar_stop(&l);
	}
}
END_TEST

/* What was asked before the connection broke may have been done: the second request says the same sequence, and is refused. */
START_TEST(an_answer_is_lost)
{
	static const char *const answers[] = {
		"", "HTTP/1.1 200 OK\r\nX-ResponseCode: 15\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-ResponseCode: 0\r\nSet-Cookie: MapiSequence=two; path=/\r\n" BODY(8) "DONE\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-ResponseCode: 1\r\nContent-Length: 0\r\n\r\n", NULL,
	};
	struct ct_liar l;
	struct gx_bin out;
	ct_liar_start(&l, answers);
	struct gx_mapi *c = ct_client(l.port, 0, "x");
	c->connected = true;
	gx_strbuf_adds(&c->mailbox.cookies, "MapiContext=a; MapiSequence=one");
	ck_assert(gx_ec_is(gx_mapi_execute(c, (struct gx_bin){0}, et_a, &out), ecNetworkError));
	ck_assert_ptr_nonnull(strstr(gx_mapi_error(c)->text, "not known"));
	ck_assert(gx_ec_is(gx_mapi_execute(c, (struct gx_bin){0}, et_a, &out), ecNetworkError));
	ck_assert_int_eq(gx_mapi_error(c)->response_code, 1);
	c->connected = false;
	gx_mapi_free(c);
	pthread_join(l.thread, NULL);
	ck_assert_uint_eq(l.n, 4);
	ck_assert_ptr_nonnull(strstr(l.heads[1], "MapiSequence=one"));
	ck_assert_ptr_nonnull(strstr(l.heads[2], "X-RequestType: PING"));
	ck_assert_ptr_nonnull(strstr(l.heads[3], "MapiContext=a; MapiSequence=two\r\n"));
	ct_liar_release(&l);
}
END_TEST

static void *cancel_later(void *ctx)
{
	const struct timespec soon = {0, 20 * 1000000};
	nanosleep(&soon, NULL);
	gx_mapi_cancel(ctx);
	return NULL;
}

/* Of a server that says nothing. */
START_TEST(deadlines_and_cancel)
{
	struct ct_liar l = {.answer_n = 0};
	pthread_t t;
	struct gx_mapi_obj *f;
	ct_liar_begin(&l);
	struct gx_mapi *c = ct_client(l.port, 0, "x");
	gx_mapi_set_timeout(c, 20);
	ck_assert(gx_ec_is(gx_mapi_ping(c), ecTimeout));
	gx_mapi_set_timeout(c, 0);
	gx_mapi_set_deadline(c, 20);
	ck_assert(gx_ec_is(gx_mapi_ping(c), ecTimeout));
	ck_assert(gx_ec_is(gx_mapi_ping(c), ecTimeout));
	gx_mapi_set_deadline(c, 0);
	ck_assert_int_eq(pthread_create(&t, NULL, cancel_later, c), 0);
	ck_assert(gx_ec_is(gx_mapi_ping(c), ecUserCanceled));
	pthread_join(t, NULL);
	ck_assert(gx_ec_is(gx_mapi_ping(c), ecUserCanceled));
	gx_mapi_free(c);
	ct_liar_stop(&l);
	/* a session goes on behind that */
	gx_mapi_cancel(ct_c);
	CT_IS(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &f), ecUserCanceled);
	gx_mapi_uncancel(ct_c);
	CT_OK(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &f));
	gx_mapi_close(f);
}
END_TEST

/* ---- Requests in several answers ---- */

static struct gx_bin answered(struct gx_bin body)
{
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin all;
	gx_push_printf(&out, HEAD "Content-Length: %zu\r\n\r\nDONE\r\n\r\n", body.len + 8);
	gx_push_bytes(&out, body.data, body.len);
	ck_assert_int_eq(gx_push_finish(&out, et_a, &all), 0);
	gx_push_release(&out);
	return all;
}

static struct gx_bin answer_of(uint8_t rop, const void *body)
{
	struct gx_push rops = GX_PUSH_INIT, buffer = GX_PUSH_INIT, ext = GX_PUSH_INIT;
	const struct gx_rop_response r = {gx_rop_rop_desc(rop), 0, 0, (void *)body};
	uint32_t handle = 7;
	struct gx_bin done;
	gx_rop_push_response(&rops, &et_x, &r);
	const struct gx_rop_buffer b = {{rops.data, rops.len}, &handle, 1};
	gx_rop_buffer_push(&buffer, &b);
	gx_ext_push(&ext, (struct gx_bin){buffer.data, buffer.len}, GX_EXT_LAST, NULL);
	const struct gx_mh_execute_res res = {.rop_buffer = {ext.data, ext.len}};
	ck_assert_int_eq(gx_desc_encode(&et_x, gx_mapihttp_exchange(GX_MH_EXECUTE)->res, &res, &done), 0);
	done = answered(done);
	gx_push_release(&rops);
	gx_push_release(&buffer);
	gx_push_release(&ext);
	return done;
}

START_TEST(the_server_backs_off)
{
	const struct gx_rop_backoff_res wait = {.duration = 1};
	const struct gx_rop_buffer_too_small_res small = {.size_needed = 100};
	const struct gx_rop_get_store_state_res state = {5};
	struct ct_liar l = {.answers = {answer_of(RopBackoff, &wait), answer_of(RopGetStoreState, &state), answer_of(RopBufferTooSmall, &small),
		answer_of(RopQueryPosition, &(struct gx_rop_query_position_res){0})}, .answer_n = 4};
	struct gx_rop_get_store_state_res *r;
	ct_liar_begin(&l);
	struct gx_mapi *c = ct_client(l.port, 0, "x");
	struct gx_mapi_obj *o = gx_mapi__obj(c, NULL, MC_STORE, 7, 0);
	c->connected = true;
	gx_mapi__enter(c);
	ck_assert(!gx_ec_failed(gx_mapi__do(o, RopGetStoreState, NULL, et_a, NULL, (void **)&r)));
	ck_assert_uint_eq(r->store_state, 5);
	/* one that fits nowhere; one that nobody has asked for */
	ck_assert(gx_ec_is(gx_mapi__do(o, RopGetStoreState, NULL, et_a, NULL, (void **)&r), ecBufferTooSmall));
	ck_assert(gx_ec_is(gx_mapi__do(o, RopGetStoreState, NULL, et_a, NULL, (void **)&r), ecCorruptData));
	c->connected = false;
	gx_mapi_close(o);
	gx_mapi_free(c);
	ct_liar_stop(&l);
}
END_TEST

struct late {
	struct gx_ems_session *s;
	pthread_barrier_t begun;
	int64_t let_go_ms;
};

static void *hold_back(void *ctx)
{
	struct late *l = ctx;
	pthread_mutex_lock(&l->s->lock);
	pthread_barrier_wait(&l->begun);
	usleep(150000);
	l->let_go_ms = gx_clock_mono_ms(gx_clock_system());
	pthread_mutex_unlock(&l->s->lock);
	return NULL;
}

/* What a server says while it is at work moves the deadline, which is not that of the call as a whole. */
START_TEST(a_server_at_work_is_waited_for)
{
	const char *id = strstr(gx_strbuf_cstr(&ct_c->mailbox.cookies), "MapiContext=");
	struct gx_mapi_event e;
	struct gx_guid g;
	struct late l;
	pthread_t t;
	bool any;
	ck_assert_ptr_nonnull(id);
	ck_assert_int_eq(gx_guid_parse(gx_arena_strndup(et_a, id + 12, 36), &g), 0);
	l.s = gx_ems_session_get(et_ems, &g, "ann@example.org", NULL);
	ck_assert_ptr_nonnull(l.s);
	ck_assert_int_eq(pthread_barrier_init(&l.begun, NULL, 2), 0);
	ck_assert_int_eq(pthread_create(&t, NULL, hold_back, &l), 0);
	pthread_barrier_wait(&l.begun);
	CT_OK(gx_mapi_event(ct_c, et_a, &e, &any));
	pthread_join(t, NULL);
	ck_assert_int_ge(ct_c->until_ms, l.let_go_ms + ct_c->o.timeout_ms);
	pthread_barrier_destroy(&l.begun);
	gx_ems_session_put(l.s);
}
END_TEST

START_TEST(more_answers_than_a_buffer_holds)
{
	enum { NAMES = 100, ASKED = 40 };
	struct gx_propname names[NAMES];
	uint16_t ids[NAMES];
	const struct gx_rop_get_names_from_property_ids_req q = {ids, NAMES};
	for (int i = 0; i < NAMES; ++i)
		names[i] = (struct gx_propname){{1, 2, 3, {4}}, true, 0, gx_arena_printf(et_a, "a name of some length %d", i)};
	CT_OK(gx_mapi_ids_of_names(store, names, NAMES, true, ids));
	gx_mapi__enter(ct_c);
	struct mc_batch *b = gx_mapi__begin(ct_c, et_a);
	uint8_t h = gx_mapi__slot(b, store->handle);
	for (int i = 0; i < ASKED; ++i)
		(void)gx_mapi__add(b, store, RopGetNamesFromPropertyIds, h, 0, &q, NULL);
	CT_OK(gx_mapi__run(b));
	ck_assert_uint_gt(ct_c->requests, 5);
	for (unsigned i = 0; i < ASKED; ++i) {
		struct gx_rop_get_names_from_property_ids_res *r;
		CT_OK(gx_mapi__answer(b, i, (void **)&r));
		ck_assert_uint_eq(r->property_names_count, NAMES);
		for (int k = 0; k < NAMES; ++k)
			ck_assert(gx_propname_equal(&names[k], &r->property_names[k]));
	}
}
END_TEST

/* ---- What is in a store ---- */

START_TEST(stores)
{
	struct gx_mapi_obj *other;
	uint16_t number;
	ck_assert_uint_eq(gx_eid_counter(gx_mapi_special_folder(store, GX_MAPI_INBOX)), GX_FID_INBOX);
	ck_assert_uint_eq(gx_mapi_special_folder(store, 13), 0);
	ck_assert_ptr_nonnull(gx_mapi_replica(store, &number));
	ck_assert_uint_eq(number, 1);
	CT_OK(gx_mapi_logon_public(ct_c, &other));
	ck_assert_uint_ne(gx_mapi_special_folder(other, GX_MAPI_PUB_IPMSUBTREE), 0);
	gx_mapi_close(other);
	CT_IS(gx_mapi_logon(ct_c, et_dn[1], &other), ecLoginPerm);
	ck_assert_uint_eq(gx_mapi_error(ct_c)->rop, RopLogon);
	CT_IS(gx_mapi_logon(ct_c, "/o=x/cn=nobody", &other), ecUnknownUser);
	CT_OK(gx_mapi_ping(ct_c));
}
END_TEST

START_TEST(folders)
{
	struct gx_mapi_folder_new n = GX_MAPI_FOLDER_NEW_INIT;
	struct gx_mapi_obj *top, *f, *again;
	uint64_t fid, same;
	bool partial = true;
	CT_OK(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_IPMSUBTREE), 0, &top));
	n.name = "Größe";
	CT_OK(gx_mapi_create_folder(top, &n, &f, &fid));
	ck_assert_uint_eq(gx_mapi_folder_id(f), fid);
	CT_IS(gx_mapi_create_folder(top, &n, NULL, NULL), ecDuplicateName);
	n.open_existing = true;
	CT_OK(gx_mapi_create_folder(top, &n, &again, &same));
	ck_assert_uint_eq(same, fid);
	gx_mapi_close(again);
	n.name = "below";
	CT_OK(gx_mapi_create_folder(f, &n, NULL, &same));
	CT_OK(gx_mapi_find_folder(store, "/größe/Below/", &fid));
	ck_assert_uint_eq(fid, same);
	CT_OK(gx_mapi_find_folder(store, gx_arena_printf(et_a, "0x%llx", (unsigned long long)gx_mapi_folder_id(f)), &fid));
	ck_assert_uint_eq(fid, gx_mapi_folder_id(f));
	CT_IS(gx_mapi_find_folder(store, "größe/none", &fid), ecNotFound);
	CT_IS(gx_mapi_open_folder(store, gx_eid_make(1, 0xffffff), 0, &again), ecNotFound);
	CT_IS(gx_mapi_create_folder(store, &n, NULL, NULL), ecInvalidParam);
	CT_OK(gx_mapi_delete_folder(top, gx_mapi_folder_id(f), GX_MAPI_DEL_FOLDERS | GX_MAPI_DEL_MESSAGES, &partial));
	ck_assert(!partial);
	CT_IS(gx_mapi_find_folder(store, "größe", &fid), ecNotFound);
	gx_mapi_close(f);
	gx_mapi_close(top);
}
END_TEST

static uint64_t put(uint64_t fid, const char *subject, int importance)
{
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	uint64_t mid;
	CT_OK(gx_mapi_create_message(store, fid, false, &m));
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagImportance, importance), 0);
	CT_OK(gx_mapi_set(m, &l));
	ck_assert_uint_eq(gx_mapi_message_id(m), 0);
	CT_OK(gx_mapi_save(m, false, &mid));
	ck_assert_uint_eq(gx_mapi_message_id(m), mid);
	gx_mapi_close(m);
	return mid;
}

START_TEST(tables)
{
	static const gx_proptag_t columns[] = {PidTagMid, PidTagSubject, PidTagImportance, PidTagSenderName};
	const struct gx_sort by = {PidTagSubject, GX_SORT_DESCEND};
	const struct gx_sortset order = {&by, 1, 0, 0};
	const struct gx_restr two = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagImportance, {PidTagImportance, {.i32 = 2}}}};
	struct gx_mapi_obj *f, *t;
	struct gx_proplist *rows, row;
	uint32_t n, at;
	size_t got;
	int32_t moved;
	uint64_t fid = gx_mapi_special_folder(store, GX_MAPI_INBOX);
	for (int i = 0; i < 9; ++i)
		(void)put(fid, gx_arena_printf(et_a, "message %d", i), i % 3);
	CT_OK(gx_mapi_open_folder(store, fid, 0, &f));
	CT_OK(gx_mapi_contents(f, 0, &t, &n));
	ck_assert_uint_eq(n, 9);
	CT_IS(gx_mapi_rows(t, 10, et_a, &rows, &got), ecInvalidParam);
	CT_OK(gx_mapi_set_columns(t, columns, 4));
	CT_OK(gx_mapi_sort(t, &order));
	CT_OK(gx_mapi_rows(t, 4, et_a, &rows, &got));
	ck_assert_uint_eq(got, 4);
	ck_assert_str_eq(gx_proplist_str(&rows[0], PidTagSubject, ""), "message 8");
	ck_assert_ptr_null(gx_proplist_get(&rows[0], PidTagSenderName));
	CT_OK(gx_mapi_position(t, &at, &n));
	ck_assert_uint_eq(at, 4);
	ck_assert_uint_eq(n, 9);
	CT_OK(gx_mapi_rows(t, 100, et_a, &rows, &got));
	ck_assert_uint_eq(got, 5);
	CT_OK(gx_mapi_rows(t, 100, et_a, &rows, &got));
	ck_assert_uint_eq(got, 0);
	CT_OK(gx_mapi_seek(t, GX_MAPI_END, -2, &moved));
	ck_assert_int_eq(moved, -2);
	CT_OK(gx_mapi_find_row(t, &two, GX_MAPI_BEGIN, et_a, &row));
	ck_assert_str_eq(gx_proplist_str(&row, PidTagSubject, ""), "message 8");
	CT_OK(gx_mapi_restrict(t, &two));
	CT_OK(gx_mapi_rows(t, 100, et_a, &rows, &got));
	ck_assert_uint_eq(got, 3);
	CT_IS(gx_mapi_rows(f, 10, et_a, &rows, &got), ecInvalidParam);
	gx_mapi_close(t);
	gx_mapi_close(f);
}
END_TEST

START_TEST(messages)
{
	static const gx_proptag_t tags[] = {PidTagSubject, PidTagImportance, PidTagSenderName};
	uint64_t inbox = gx_mapi_special_folder(store, GX_MAPI_INBOX), trash = gx_mapi_special_folder(store, GX_MAPI_DELETED), mid[2];
	struct gx_mapi_obj *f, *to, *m;
	struct gx_proplist l;
	gx_proptag_t *list;
	size_t n;
	bool partial;
	mid[0] = put(inbox, "one", 1);
	mid[1] = put(inbox, "two", 2);
	CT_OK(gx_mapi_open_folder(store, inbox, 0, &f));
	CT_OK(gx_mapi_open_folder(store, trash, 0, &to));
	CT_OK(gx_mapi_open_message(store, inbox, mid[1], GX_MAPI_READ_WRITE, &m));
	CT_OK(gx_mapi_get(m, tags, 3, et_a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "two");
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagImportance, 0), 2);
	ck_assert_ptr_null(gx_proplist_get(&l, PidTagSenderName));
	CT_OK(gx_mapi_remove(m, tags + 1, 1));
	CT_OK(gx_mapi_list(m, et_a, &list, &n));
	ck_assert_uint_gt(n, 3);
	CT_OK(gx_mapi_get_all(m, et_a, &l));
	ck_assert_ptr_null(gx_proplist_get(&l, PidTagImportance));
	CT_OK(gx_mapi_save(m, false, NULL));
	gx_mapi_close(m);
	CT_OK(gx_mapi_move_messages(f, to, mid, 1, false, &partial));
	ck_assert(!partial);
	CT_IS(gx_mapi_open_message(store, inbox, mid[0], GX_MAPI_READ_ONLY, &m), ecNotFound);
	CT_OK(gx_mapi_delete_messages(f, mid + 1, 1, false, &partial));
	ck_assert(!partial);
	CT_IS(gx_mapi_open_message(store, inbox, mid[1], GX_MAPI_READ_ONLY, &m), ecNotFound);
	gx_mapi_close(to);
	gx_mapi_close(f);
}
END_TEST

START_TEST(names)
{
	struct gx_propname n[300], *back = gx_arena_new_array(et_a, struct gx_propname, 300);
	uint16_t ids[300];
	struct gx_guid set;
	ck_assert_int_eq(gx_guid_random(&set), 0);
	for (int i = 0; i < 300; ++i)
		n[i] = (struct gx_propname){set, true, 0, gx_arena_printf(et_a, "name %d", i)};
	CT_OK(gx_mapi_ids_of_names(store, n, 300, true, ids));
	CT_OK(gx_mapi_names_of_ids(store, ids, 300, et_a, back));
	for (int i = 0; i < 300; ++i)
		ck_assert(gx_propname_equal(&n[i], &back[i]));
}
END_TEST

START_TEST(streams)
{
	enum { SIZE = 300000 };
	uint8_t *data = gx_arena_alloc(et_a, SIZE), *back = gx_arena_alloc(et_a, SIZE);
	struct gx_mapi_obj *m, *st;
	struct gx_proplist l = {0};
	union gx_value v;
	uint32_t size;
	uint64_t at;
	size_t n;
	for (size_t i = 0; i < SIZE; ++i)
		data[i] = (uint8_t)(i * 7 + i / 251);
	CT_OK(gx_mapi_create_message(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), false, &m));
	/* small and large ones in one call */
	ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, PidTagHtml, data, SIZE), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, "small"), 0);
	CT_OK(gx_mapi_set(m, &l));
	CT_OK(gx_mapi_read_value(m, PidTagHtml, SIZE, et_a, &v));
	ck_assert_uint_eq(v.bin.len, SIZE);
	ck_assert_int_eq(memcmp(v.bin.data, data, SIZE), 0);
	CT_IS(gx_mapi_read_value(m, PidTagHtml, SIZE - 1, et_a, &v), ecTooBig);
	CT_IS(gx_mapi_open_stream(m, PidTagBody, GX_MAPI_STREAM_READ, &st, NULL), ecNotFound);
	CT_OK(gx_mapi_open_stream(m, PidTagHtml, GX_MAPI_STREAM_WRITE, &st, &size));
	ck_assert_uint_eq(size, SIZE);
	CT_OK(gx_mapi_stream_seek(st, GX_MAPI_BEGIN, 100, &at));
	ck_assert_uint_eq(at, 100);
	CT_OK(gx_mapi_stream_read(st, back, SIZE, &n));
	ck_assert_uint_eq(n, SIZE - 100);
	ck_assert_int_eq(memcmp(back, data + 100, n), 0);
	CT_OK(gx_mapi_stream_resize(st, 10));
	CT_OK(gx_mapi_stream_seek(st, GX_MAPI_END, 0, &at));
	ck_assert_uint_eq(at, 10);
	CT_OK(gx_mapi_stream_write(st, "more", 4));
	CT_OK(gx_mapi_stream_commit(st));
	gx_mapi_close(st);
	CT_OK(gx_mapi_read_value(m, PidTagHtml, SIZE, et_a, &v));
	ck_assert_uint_eq(v.bin.len, 14);
	ck_assert_int_eq(memcmp(v.bin.data + 10, "more", 4), 0);
	gx_mapi_close(m);
}
END_TEST

static struct gx_msgobj *an_object(const char *subject, bool nested)
{
	struct gx_msgobj *m = gx_msgobj_new(et_a);
	const struct gx_propname name = {{1, 2, 3, {4}}, true, 0, "colour"};
	char body[30000];
	memset(body, 'b', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	ck_assert_int_eq(gx_proplist_set_str(&m->props, et_a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, et_a, PidTagBody, gx_arena_strdup(et_a, body)), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, et_a, &name, PtypString, (union gx_value){.str = "blue"}), 0);
	for (int i = 0; i < (nested ? 120 : 1); ++i) {
		struct gx_proplist *r = gx_msgobj_add_rcpt(m, et_a);
		ck_assert_int_eq(gx_proplist_set_i32(r, et_a, PidTagRecipientType, 1 + i % 3), 0);
		ck_assert_int_eq(gx_proplist_set_str(r, et_a, PidTagDisplayName, gx_arena_printf(et_a, "Person %d", i)), 0);
		ck_assert_int_eq(gx_proplist_set_str(r, et_a, PidTagAddressType, "SMTP"), 0);
		ck_assert_int_eq(gx_proplist_set_str(r, et_a, PidTagEmailAddress, gx_arena_printf(et_a, "p%d@example.net", i)), 0);
		if (i % 2)
			ck_assert_int_eq(gx_proplist_set_i32(r, et_a, PidTagSendInternetEncoding, i), 0);
	}
	struct gx_attach *t = gx_msgobj_add_attach(m, et_a);
	ck_assert_int_eq(gx_proplist_set_str(&t->props, et_a, PidTagAttachLongFilename, "data.bin"), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&t->props, et_a, PidTagAttachMethod, nested ? 5 : 1), 0);
	if (nested)
		t->embedded = an_object("inner", false);
	else
		ck_assert_int_eq(gx_proplist_set_bin(&t->props, et_a, PidTagAttachDataBinary, gx_arena_strdup(et_a, body), 20000), 0);
	return m;
}

static void same_object(const struct gx_msgobj *x, const struct gx_msgobj *y)
{
	ck_assert_str_eq(gx_proplist_str(&x->props, PidTagSubject, ""), gx_proplist_str(&y->props, PidTagSubject, "?"));
	ck_assert_str_eq(gx_proplist_str(&x->props, PidTagBody, ""), gx_proplist_str(&y->props, PidTagBody, "?"));
	const struct gx_named_propval *n = gx_msgobj_get_named(y, &x->named[0].name);
	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(n->v.str, "blue");
	ck_assert_uint_eq(x->rcpt_count, y->rcpt_count);
	for (size_t i = 0; i < x->rcpt_count; ++i) {
		ck_assert_int_eq(gx_proplist_i32(&x->rcpts[i], PidTagRecipientType, 0), gx_proplist_i32(&y->rcpts[i], PidTagRecipientType, 0));
		ck_assert_str_eq(gx_proplist_str(&x->rcpts[i], PidTagEmailAddress, ""), gx_proplist_str(&y->rcpts[i], PidTagEmailAddress, "?"));
		ck_assert_int_eq(gx_proplist_i32(&x->rcpts[i], PidTagSendInternetEncoding, -1),
			gx_proplist_i32(&y->rcpts[i], PidTagSendInternetEncoding, -1));
	}
	ck_assert_uint_eq(x->att_count, y->att_count);
	for (size_t i = 0; i < x->att_count; ++i) {
		const struct gx_propval *d = gx_proplist_get(&x->atts[i].props, PidTagAttachDataBinary);
		const struct gx_propval *e = gx_proplist_get(&y->atts[i].props, PidTagAttachDataBinary);
		ck_assert(d == NULL || (e != NULL && gx_value_equal(PtypBinary, &d->v, &e->v)));
		ck_assert_int_eq(x->atts[i].embedded == NULL, y->atts[i].embedded == NULL);
		if (x->atts[i].embedded != NULL)
			same_object(x->atts[i].embedded, y->atts[i].embedded);
	}
}

/* Recipients, attachments, messages in them, named and large values: out and in again. */
START_TEST(whole_messages)
{
	uint64_t fid = gx_mapi_special_folder(store, GX_MAPI_INBOX), mid;
	struct gx_msgobj *given = an_object("outer", true), *back;
	struct gx_mapi_obj *m, *att;
	uint32_t number;
	CT_OK(gx_mapi_create_message(store, fid, false, &m));
	CT_OK(gx_mapi_write_message(m, given));
	CT_OK(gx_mapi_save(m, false, &mid));
	gx_mapi_close(m);
	CT_OK(gx_mapi_open_message(store, fid, mid, GX_MAPI_READ_WRITE, &m));
	CT_OK(gx_mapi_read_message(m, 1 << 20, et_a, &back));
	same_object(given, back);
	CT_IS(gx_mapi_read_message(m, 1000, et_a, &back), ecTooBig);
	CT_OK(gx_mapi_create_attachment(m, &att, &number));
	CT_OK(gx_mapi_save_attachment(att));
	gx_mapi_close(att);
	CT_OK(gx_mapi_open_attachment(m, number, GX_MAPI_READ_ONLY, &att));
	gx_mapi_close(att);
	CT_OK(gx_mapi_delete_attachment(m, number));
	CT_IS(gx_mapi_open_attachment(m, number, GX_MAPI_READ_ONLY, &att), ecNotFound);
	CT_OK(gx_mapi_set_recipients(m, given->rcpts, 3));
	CT_OK(gx_mapi_save(m, false, NULL));
	CT_OK(gx_mapi_read_message(m, 1 << 20, et_a, &back));
	ck_assert_uint_eq(back->rcpt_count, 3);
	ck_assert_uint_eq(back->att_count, 1);
	gx_mapi_close(m);
}
END_TEST

START_TEST(notifications)
{
	struct gx_mapi_obj *all, *inbox;
	struct gx_mapi_event e;
	unsigned created = 0, modified = 0;
	uint64_t fid = gx_mapi_special_folder(store, GX_MAPI_INBOX);
	bool any;
	CT_OK(gx_mapi_subscribe(store, GX_MAPI_EV_CREATED | GX_MAPI_EV_MODIFIED, 0, 0, &all));
	CT_OK(gx_mapi_subscribe(store, GX_MAPI_EV_CREATED, fid, 0, &inbox));
	CT_OK(gx_mapi_wait(ct_c, 1, &any));
	ck_assert(!any);
	CT_OK(gx_mapi_event(ct_c, et_a, &e, &any));
	ck_assert(!any);
	uint64_t mid = put(fid, "new", 0);
	CT_OK(gx_mapi_wait(ct_c, 30000, &any));
	ck_assert(any);
	for (;;) {
		CT_OK(gx_mapi_event(ct_c, et_a, &e, &any));
		if (!any)
			break;
		ck_assert_uint_eq(e.fid, fid);
		if (e.type == GX_MAPI_EV_CREATED) {
			ck_assert_uint_eq(e.mid, mid);
			ck_assert(e.is_message);
			created += e.source == gx_mapi_source(inbox);
		} else {
			modified += e.source == gx_mapi_source(all) && !e.is_message;
		}
	}
	ck_assert_uint_eq(created, 1);
	ck_assert_uint_ge(modified, 1);
	gx_mapi_close(all);
	gx_mapi_close(inbox);
	(void)put(fid, "untold", 0);
	CT_OK(gx_mapi_event(ct_c, et_a, &e, &any));
	ck_assert(!any);
}
END_TEST

START_TEST(address_book)
{
	static const char *const who[] = {"bob@example.org", "nobody at all", "ann@example.org"};
	struct gx_mapi_resolved v[3];
	CT_OK(gx_mapi_resolve(ct_c, who, 3, et_a, v));
	ck_assert_uint_eq(v[0].verdict, GX_MAPI_RESOLVED);
	ck_assert_str_eq(gx_proplist_str(&v[0].props, PidTagSmtpAddress, ""), "bob@example.org");
	ck_assert_int_eq(strcasecmp(gx_proplist_str(&v[0].props, PidTagEmailAddress, ""), et_dn[1]), 0);
	ck_assert_uint_eq(v[1].verdict, GX_MAPI_UNRESOLVED);
	ck_assert_uint_eq(v[1].props.count, 0);
	ck_assert_str_eq(gx_proplist_str(&v[2].props, PidTagSmtpAddress, ""), "ann@example.org");
	/* the mailbox's session is another one */
	CT_OK(gx_mapi_ping(ct_c));
	CT_IS(gx_mapi_resolve(ct_c, who, 2000, et_a, v), ecInvalidParam);
}
END_TEST

static struct gx_bin said_by_book(uint32_t type, const void *res)
{
	const struct gx_dctx x = {.px = GX_PX_AB(et_a, 1252)};
	struct gx_bin b;
	ck_assert_int_eq(gx_desc_encode(&x, gx_mapihttp_exchange(type)->res, res, &b), 0);
	return answered(b);
}

/* Bound, then the server knows nothing of it: the client binds once more, and no third time. */
START_TEST(names_after_a_restart)
{
	static const char gone[] = "HTTP/1.1 200 OK\r\nX-ResponseCode: 10\r\nContent-Length: 0\r\n\r\n", *const who[] = {"nobody"};
	static const uint32_t unresolved[] = {0};
	const struct gx_mh_resolve_names_res nobody = {.has_minimal_ids = true, .minimal_ids = unresolved, .minimal_ids_count = 1};
	const struct gx_bin bound = said_by_book(GX_MH_BIND, &(struct gx_mh_bind_res){0}), lost = {(const uint8_t *)gone, sizeof(gone) - 1},
		left = said_by_book(GX_MH_UNBIND, &(struct gx_mh_unbind_res){.error_code = 1});
	struct ct_liar l = {.answers = {bound, lost, bound, said_by_book(GX_MH_RESOLVE_NAMES, &nobody), left, bound, lost, bound, lost}, .answer_n = 9};
	struct gx_mapi_resolved v[1];
	ct_liar_begin(&l);
	struct gx_mapi *c = ct_client(l.port, 0, "x");
	gx_ec ec = gx_mapi_resolve(c, who, 1, et_a, v);
	ck_assert_msg(!gx_ec_failed(ec), "%s", gx_mapi_error(c)->text);
	ck_assert_uint_eq(v[0].verdict, GX_MAPI_UNRESOLVED);
	ck_assert_str_eq(gx_mapi_error(c)->text, "");
	ck_assert(gx_ec_is(gx_mapi_resolve(c, who, 1, et_a, v), ecEndOfSession));
	gx_mapi_free(c);
	pthread_join(l.thread, NULL);
	ck_assert_ptr_nonnull(strstr(l.heads[2], "X-RequestType: Bind"));
	ct_liar_release(&l);
}
END_TEST

/* Objects that were closed are released at the server, with the next operation. */
START_TEST(handles_are_given_back)
{
	struct gx_mapi_obj *f;
	for (int i = 0; i < 200; ++i) {
		CT_OK(gx_mapi_open_folder(store, gx_mapi_special_folder(store, GX_MAPI_INBOX), 0, &f));
		ck_assert_uint_lt(f->handle & 0xff, 8);
		gx_mapi_close(f);
	}
}
END_TEST

static Suite *client_suite(void)
{
	Suite *s = suite_create("mapiclient");
	TCase *t = tcase_create("connections"), *u = tcase_create("stores");
	tcase_add_checked_fixture(t, ct_setup, ct_teardown);
	tcase_add_test(t, options);
	tcase_add_test(t, connects_and_leaves);
	tcase_add_test(t, who_is_not_let_in);
	tcase_add_test(t, nobody_is_there);
	tcase_add_test(t, answers_of_a_liar);
	tcase_add_test(t, an_answer_is_lost);
	tcase_add_test(t, the_server_backs_off);
	tcase_add_test(t, names_after_a_restart);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(u, setup_store, teardown_store);
	tcase_add_test(u, the_session_is_lost);
	tcase_add_test(u, deadlines_and_cancel);
	tcase_add_test(u, a_server_at_work_is_waited_for);
	tcase_add_test(u, more_answers_than_a_buffer_holds);
	tcase_add_test(u, stores);
	tcase_add_test(u, folders);
	tcase_add_test(u, tables);
	tcase_add_test(u, messages);
	tcase_add_test(u, names);
	tcase_add_test(u, streams);
	tcase_add_test(u, whole_messages);
	tcase_add_test(u, notifications);
	tcase_add_test(u, address_book);
	tcase_add_test(u, handles_are_given_back);
	suite_add_tcase(s, u);
	return s;
}

GXTEST_MAIN(client_suite)
