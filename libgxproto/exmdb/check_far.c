/* SPDX-License-Identifier: Apache-2.0 */
/* A store through the process that owns it: the interface of gx/store.h over a socket. */
#include <config.h>
#include <pthread.h>
#include "libgxproto/exmdb/fartest.h"
#include "libgxstore/far-int.h"
#include "libgxstore/message/prepwire.h"
#include "libgxstore/view/viewtest.h"

/* ---- Messages ---- */

static void fill(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; ++i) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

/* Everything that a prepared message can hold: names, recipients, attachments, a message inside, a large value. */
static struct gx_msg_prepared *rich(size_t big)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	const struct gx_propname name = {.set = {0x20386, 0, 0, {0xc0}}, .by_name = true, .name = "X-Spam"};
	const struct gx_propname lid = {.set = {0x62002, 0, 0, {0xc0}}, .lid = 0x8205};
	uint8_t *data = gx_arena_alloc(a, big), *text = gx_arena_alloc(a, big + 500);
	fill(data, big, 7);
	int head = snprintf((char *)text, 500, "Subject: rich\r\nTo: u@example.org\r\n\r\n");
	for (size_t i = 0; i < big; ++i)
		text[(size_t)head + i] = (uint8_t)(' ' + data[i] % 90);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, "rich"), 0);
	ck_assert_int_eq(gx_proplist_set_bool(&m->props, a, PidTagReadReceiptRequested, true), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &name, PtypString, (union gx_value){.str = "yes"}), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &lid, PtypInteger32, (union gx_value){.i32 = 5}), 0);
	ck_assert_int_eq(gx_proplist_set_str(gx_msgobj_add_rcpt(m, a), a, PidTagSmtpAddress, "u@example.org"), 0);
	struct gx_attach *at = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_bin(&at->props, a, PidTagAttachDataBinary, data, big), 0);
	at = gx_msgobj_add_attach(m, a);
	at->embedded = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&at->embedded->props, a, PidTagSubject, "inner"), 0);
	ck_assert_int_eq(gx_msgobj_set_named(at->embedded, a, &name, PtypString, (union gx_value){.str = "no"}), 0);
	src.obj = m;
	src.original = (struct gx_bin){text, (size_t)head + big};
	src.envelope = (struct gx_bin){(const uint8_t *)"(env)", 5};
	src.bodystructure = (struct gx_bin){(const uint8_t *)"(bs)", 4};
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	return p;
}

static struct gx_bin original(struct gx_store *of, uint64_t mid)
{
	struct gx_txn *t = st_begin(of, GX_TXN_READ);
	struct gx_push out = GX_PUSH_INIT;
	struct gx_bin b;
	ST_OK(gx_msg_original(t, mid, 0, UINT64_MAX, &out));
	ck_assert_int_eq(gx_push_finish(&out, a, &b), 0);
	gx_push_release(&out);
	gx_txn_abort(t);
	return b;
}

/* Rows of both are the same bytes. */
static void same_rows(struct gx_store *near, uint64_t mid1, uint64_t mid2)
{
	static const char *const sql[] = {
		"SELECT (SELECT props||rcpts||skeleton FROM body WHERE id=?1)=(SELECT props||rcpts||skeleton FROM body WHERE id=?2)",
		"SELECT (SELECT group_concat(hex(props),',') FROM att WHERE body=?1)=(SELECT group_concat(hex(props),',') FROM att WHERE body=?2)",
		"SELECT (SELECT size||envelope||structure FROM mime WHERE id=?1)=(SELECT size||envelope||structure FROM mime WHERE id=?2)",
		"SELECT (SELECT flags||' '||size||' '||received FROM msg WHERE mid=?1)=(SELECT flags||' '||size||' '||received FROM msg WHERE mid=?2)",
		("SELECT (SELECT hex(props) FROM body WHERE id=(SELECT embedded FROM att WHERE body=?1 AND embedded>0))="
		 "(SELECT hex(props) FROM body WHERE id=(SELECT embedded FROM att WHERE body=?2 AND embedded>0))"),
	};
	struct gx_txn *t = st_begin(near, GX_TXN_READ);
	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); ++i) {
		GX_STMT(st, t->q, sql[i]);
		gx_sql__bind_int(st, 1, (int64_t)mid1);
		gx_sql__bind_int(st, 2, (int64_t)mid2);
		ck_assert_int_eq(gx_sql__step(st), 1);
		ck_assert_msg(gx_sql__int(st, 0) == 1, "%s", sql[i]);
	}
	gx_txn_abort(t);
}

/* In one piece, and so large that it goes in several ahead of the insertion. */
START_TEST(a_message_arrives_as_it_is)
{
	struct gx_msg_prepared *p = rich(_i == 0 ? 20000 : 3000000);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	const char *const words[] = {"blue", "green", NULL};
	struct gx_msg_ids far, here, none;
	struct gx_store *near = near_get();
	o.flags = GX_MSGF_FLAGGED;
	o.keywords = words;
	o.received = gx_nttime_from_unix(1700000000, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &far));
	st_commit(t);
	t = st_begin(near, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &here));
	st_commit(t);
	ck_assert_uint_eq(far.uid, 1);
	ck_assert_uint_eq(here.uid, 2);
	same_rows(near, far.mid, here.mid);
	struct gx_bin b = original(s, here.mid), c = original(near, here.mid);
	ck_assert_uint_eq(b.len, c.len);
	ck_assert_mem_eq(b.data, c.data, b.len);
	o.delivery_id = (const uint8_t *)"0123456789abcdef";
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &far));
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, &o, &none), ecDuplicateObject);
	ck_assert_str_eq(gx_txn_why(t), "delivered before");
	st_commit(t);
	gx_store_pool_put(own.pool, near);
}
END_TEST

/* More than a request takes, one that goes in pieces, and one that is there already; far and near. */
START_TEST(many_are_inserted_in_one_go)
{
	enum { N = 100, TWIN = 30, LARGE = 50 };
	struct gx_store *near = near_get(), *to = _i == 0 ? s : near;
	struct gx_msg_insert_opts o[N];
	struct gx_msg_insertion v[N];
	uint8_t id[N][16] = {{0}};
	for (unsigned i = 0; i < N; ++i) {
		id[i][0] = (uint8_t)(i == TWIN ? 10 : i);
		o[i] = (struct gx_msg_insert_opts){.size = sizeof(o[i]), .delivery_id = id[i]};
		v[i] = (struct gx_msg_insertion){.msg = i == LARGE ? rich(3000000) : st_message(a, i, 300), .o = &o[i]};
	}
	struct gx_txn *t = st_begin(to, GX_TXN_WRITE);
	ST_OK(gx_msg_insert_many(t, GX_FID_INBOX, v, N));
	for (unsigned i = 0, uid = 1; i < N; ++i) {
		ck_assert(gx_ec_is(v[i].ec, i == TWIN ? ecDuplicateObject : ecSuccess));
		ck_assert(i == TWIN || v[i].ids.uid == uid++);
	}
	ST_OK(gx_msg_insert_many(t, GX_FID_INBOX, v, 0));
	st_commit(t);
	struct gx_bin b = original(near, v[LARGE].ids.mid), c = original(s, v[LARGE].ids.mid);
	ck_assert_uint_eq(b.len, c.len);
	/* one that fails is told, and those behind it as well */
	for (unsigned i = 0; i < N; ++i)
		o[i].delivery_id = NULL;
	o[2].mid = v[0].ids.mid;
	o[3].keywords = (const char *const []){"two words", NULL};
	t = st_begin(to, GX_TXN_WRITE);
	gx_ec ec = gx_msg_insert_many(t, GX_FID_INBOX, v, N);
	ck_assert(gx_ec_failed(ec) && !gx_ec_is(ec, ecDuplicateObject));
	ck_assert(!gx_ec_failed(v[1].ec) && gx_ec_is(v[2].ec, ecDuplicateObject));
	ck_assert(v[3].ec.v == ec.v && v[LARGE].ec.v == ec.v && v[N - 1].ec.v == ec.v);
	gx_txn_abort(t);
	t = st_begin(near, GX_TXN_READ);
	struct gx_folder_info f;
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &f));
	ck_assert_uint_eq(f.total, N - 1);
	gx_txn_abort(t);
	gx_store_pool_put(own.pool, near);
}
END_TEST

START_TEST(a_damaged_message_is_refused)
{
	struct gx_msg_prepared *p = rich(9000), *q;
	struct gx_bin wire;
	unsigned good = 0;
	ck_assert_int_eq(gx_prep__encode(p, a, &wire), 0);
	ck_assert_int_eq(gx_prep__decode(wire, a, &q), 0);
	uint8_t *copy = gx_arena_memdup(a, wire.data, wire.len);
	for (size_t i = 0; i < wire.len; i += wire.len / 900 + 1) {
		uint8_t *cut = gxtest_exact(wire.data, i);
		struct gx_arena *tmp = gx_arena_new(0);
		ck_assert_int_ne(gx_prep__decode((struct gx_bin){cut, i}, tmp, &q), 0);
		free(cut);
		copy[i] ^= 1u << i % 8;
		good += gx_prep__decode((struct gx_bin){copy, wire.len}, tmp, &q) == 0;
		copy[i] = wire.data[i];
		gx_arena_free(tmp);
	}
	ck_assert_uint_lt(good, 800); /* a text may have another letter, contents may not */
	struct gx_o_message m;
	const struct gx_dctx d = {.px = GX_PX_EXT(a)};
	ck_assert_int_eq(gx_desc_decode(&d, gx_storeop_desc(GX_STOREOP_O_MESSAGE), wire.data, wire.len, &m), 0);
	struct gx_o_content *c = (struct gx_o_content *)(uintptr_t)m.contents;
	ck_assert_uint_gt(m.contents_count, 0);
	c->hash[3] ^= 1;
	ck_assert_int_eq(gx_desc_encode(&d, gx_storeop_desc(GX_STOREOP_O_MESSAGE), &m, &wire), 0);
	ck_assert_int_eq(gx_prep__decode(wire, a, &q), GX_E_FORMAT);
}
END_TEST

START_TEST(many_are_read_in_one_go)
{
	uint64_t mids[40];
	struct gx_msg_info info;
	struct gx_msg_mime mime;
	struct gx_push out = GX_PUSH_INIT;
	insert(mids, 39, 0);
	mids[39] = 0x7777777; /* there is no such message */
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	gx_msg_ahead(t, mids, 40, GX_AHEAD_INFO | GX_AHEAD_MIME | GX_AHEAD_ORIGINAL);
	struct gx_bin one = original(s, mids[5]);
	owner_end(); /* all of it is here */
	for (unsigned i = 0; i < 39; ++i) {
		ST_OK(gx_msg_get(t, mids[i], &info));
		ck_assert_uint_eq(info.uid, i + 1);
		ST_OK(gx_msg_mime(t, mids[i], &mime));
		ck_assert_mem_eq(mime.envelope.data, "(env)", 5);
		gx_push_clear(&out);
		ST_OK(gx_msg_original(t, mids[i], 10, 300, &out));
		ck_assert_uint_eq(out.len, 300);
		if (i == 5)
			ck_assert_mem_eq(out.data, one.data + 10, 300);
	}
	ST_IS(gx_msg_get(t, mids[39], &info), ecNotFound);
	gx_push_clear(&out);
	ST_OK(gx_msg_original(t, mids[0], 100000, UINT64_MAX, &out));
	ck_assert_uint_eq(out.len, 0);
	ST_IS(gx_msg_get(t, 12345, &info), ecRpcFailed);
	gx_txn_abort(t);
	gx_push_release(&out);
	owner_begin();
}
END_TEST

/* ---- Folders, and what is asked of them ---- */

START_TEST(folders_are_the_same)
{
	struct gx_store *near = near_get();
	struct gx_folder_info i, k, *v, *w;
	uint64_t fid, found, mids[3];
	size_t n, m;
	uint32_t rights, *uids;
	struct gx_proplist l;
	const gx_proptag_t tags[] = {PidTagDisplayName, PidTagContentCount};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "b\xc3\xa4r", "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	ST_IS(gx_folder_create(t, GX_FID_INBOX, "B\xc3\x84R", "IPF.Note", GX_FOLDER_GENERIC, NULL, &found), ecDuplicateName);
	ST_OK(gx_folder_set_subscribed(t, fid, true));
	ST_OK(gx_folder_move(t, fid, GX_FID_SENT, NULL));
	ST_OK(gx_folder_move(t, fid, GX_FID_SENT, "c"));
	ST_OK(gx_folder_by_name(t, GX_FID_SENT, "C", &found));
	ck_assert_uint_eq(found, fid);
	ST_OK(gx_folder_set_permission(t, fid, "w@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	for (unsigned c = 0; c < 3; ++c)
		mids[c] = st_insert(t, fid, c, 400, 0).mid;
	st_commit(t);
	struct gx_txn *far = st_begin(s, GX_TXN_READ), *here = st_begin(near, GX_TXN_READ);
	ST_OK(gx_folder_list(far, GX_FID_IPMSUBTREE, true, a, &v, &n));
	ST_OK(gx_folder_list(here, GX_FID_IPMSUBTREE, true, a, &w, &m));
	ck_assert_uint_eq(n, m);
	for (size_t c = 0; c < n; ++c) {
		ck_assert_str_eq(v[c].name, w[c].name);
		ck_assert(v[c].fid == w[c].fid && v[c].parent == w[c].parent && v[c].subscribed == w[c].subscribed && v[c].cn == w[c].cn);
		ck_assert((v[c].special_use == NULL) == (w[c].special_use == NULL));
		if (v[c].special_use != NULL)
			ck_assert_str_eq(v[c].special_use, w[c].special_use);
	}
	ST_OK(gx_folder_get(far, fid, a, &i));
	ST_OK(gx_folder_get(here, fid, a, &k));
	ck_assert(i.total == 3 && i.unread == k.unread && i.uidnext == k.uidnext && i.size == k.size && i.highest_modseq == k.highest_modseq);
	ST_OK(gx_folder_get_props(far, fid, tags, 2, a, &l));
	ck_assert_str_eq(gx_proplist_str(&l, PidTagDisplayName, ""), "c");
	ck_assert_int_eq(gx_proplist_i32(&l, PidTagContentCount, 0), 3);
	ST_OK(gx_folder_rights(far, fid, &rights));
	ck_assert_uint_eq(rights & GX_RIGHT_OWNER, GX_RIGHT_OWNER);
	gx_txn_abort(far);
	gx_txn_abort(here);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, fid, mids, 2, true));
	ST_OK(gx_folder_vanished(t, fid, i.highest_modseq, a, &uids, &n));
	ck_assert(n == 2 && uids[0] == 1 && uids[1] == 2);
	ST_OK(gx_folder_delete(t, fid, false));
	ST_IS(gx_folder_get(t, fid, a, &i), ecNotFound);
	gx_txn_abort(t);
	gx_store_pool_put(own.pool, near);
}
END_TEST

START_TEST(rights_hold)
{
	static const char *const groups[] = {"staff@example.org", NULL};
	const struct gx_actor guest = {.user = "w@example.org"}, member = {.user = "v@example.org", .groups = groups};
	struct gx_imapview *v;
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "staff@example.org", GX_RIGHT_READ | GX_RIGHT_VISIBLE, false));
	st_commit(t);
	ck_assert_int_eq(gx_txn_begin(s, &guest, GX_TXN_WRITE, 1000, &t), 0);
	ST_IS(gx_folder_get(t, GX_FID_INBOX, a, &i), ecAccessDenied);
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0); /* a refusal spoils nothing */
	ck_assert(gx_ec_failed(gx_imapview_open(s, &guest, GX_FID_INBOX, &v)));
	ST_OK(gx_imapview_open(s, &member, GX_FID_INBOX, &v));
	gx_imapview_close(v);
}
END_TEST

START_TEST(flags_and_copies)
{
	uint64_t mids[4], *skipped;
	size_t n;
	const char *const *names, *const words[] = {"alpha", "Beta", NULL};
	struct gx_flag_change c = {GX_FLAGS_ADD, GX_MSGF_FLAGGED, words, UINT64_MAX};
	struct gx_msg_ids ids[4];
	insert(mids, 4, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 2, &c, a, NULL, NULL));
	c.unchanged_since = 1;
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mids, 4, &c, a, &skipped, &n));
	ck_assert_uint_eq(n, 4);
	ck_assert_uint_eq(skipped[3], mids[3]);
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, mids, 4, GX_FID_SENT, false, ids));
	ck_assert(ids[0].uid == 1 && ids[3].uid == 4 && ids[3].mid != mids[3]);
	st_commit(t);
	struct gx_imapview *v = st_view(s, GX_FID_SENT);
	ck_assert_uint_eq(gx_imapview_count(v), 4);
	const struct gx_uid_entry entry = gx_imapview_at(v, 1), *e = &entry;
	ck_assert_uint_ne(e->kwset, 0);
	for (int i = 0; i < 2; ++i) { /* the second from memory */
		ST_OK(gx_store_keywords(s, e->kwset, a, &names));
		ck_assert_str_eq(names[0], "alpha");
		ck_assert_str_eq(names[1], "Beta");
		ck_assert_ptr_null(names[2]);
	}
	ST_OK(gx_store_keywords(s, 0, a, &names));
	ck_assert_ptr_null(names[0]);
	gx_imapview_close(v);
}
END_TEST

START_TEST(words_are_found)
{
	struct gx_candidates c;
	const char *const texts[] = {"message 3"};
	uint64_t mids[5];
	insert(mids, 5, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_search_texts(t, GX_FID_INBOX, texts, 1, a, &c));
	ck_assert(gx_candidates_have(&c, mids[3]));
	gx_txn_abort(t);
}
END_TEST

START_TEST(what_cannot_be_done_is_told)
{
	uint64_t mids[1], id;
	struct gx_msgobj *m;
	struct gx_proplist l = {0};
	insert(mids, 1, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_msg_read(t, mids[0], a, &m), ecNotSupported);
	ST_IS(gx_msg_set_props(t, mids[0], &l), ecNotSupported);
	ST_IS(gx_store_new_id(t, &id), ecNotSupported);
	gx_txn_abort(t);
	ck_assert_int_lt(gx_store_verify(s, NULL, NULL), 0);
}
END_TEST

/* ---- Transactions that meet ---- */

struct writer {
	pthread_t thread;
	unsigned done;
};

static void *write_much(void *ctx)
{
	struct writer *w = ctx;
	for (unsigned i = 0; i < 12; ++i) {
		struct gx_txn *t;
		struct gx_folder_info info;
		struct gx_arena *tmp = gx_arena_new(0);
		if (gx_txn_begin(s, &sys_actor, GX_TXN_WRITE, 20000, &t) != 0)
			break;
		bool ok = !gx_ec_failed(gx_folder_get(t, GX_FID_INBOX, tmp, &info)) && !gx_ec_failed(gx_folder_set_subscribed(t, GX_FID_SENT, i % 2 == 0));
		ok = gx_txn_commit(t, GX_SYNC_LATER) == 0 && ok;
		gx_arena_free(tmp);
		w->done += ok;
	}
	return NULL;
}

/* The server has two workers only: what holds the writer must get through while both wait for it. */
START_TEST(writers_take_turns)
{
	struct writer w[10] = {0};
	for (size_t i = 0; i < 10; ++i)
		ck_assert_int_eq(pthread_create(&w[i].thread, NULL, write_much, &w[i]), 0);
	for (size_t i = 0; i < 10; ++i) {
		pthread_join(w[i].thread, NULL);
		ck_assert_uint_eq(w[i].done, 12);
	}
}
END_TEST

static bool can_write(void *ctx)
{
	struct gx_store *near = ctx;
	struct gx_txn *t;
	if (gx_txn_begin(near, &sys_actor, GX_TXN_WRITE, 100, &t) != 0)
		return false;
	gx_txn_abort(t);
	return true;
}

START_TEST(nobody_keeps_the_writer)
{
	struct gx_store *near = near_get();
	struct gx_folder_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE), *other;
	st_insert(t, GX_FID_INBOX, 1, 500, 0);
	ck_assert_int_eq(gx_txn_begin(near, &sys_actor, GX_TXN_WRITE, 0, &other), GX_E_TIMEOUT);
	wait_until(can_write, near);
	if (_i == 1) /* who only hands on has given it up, too */
		usleep(2200 * idle_ms);
	ST_IS(gx_folder_get(t, GX_FID_INBOX, a, &i), ecTimeout);
	ck_assert_ptr_nonnull(strstr(gx_txn_why(t), "taken back"));
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), GX_E_TIMEOUT);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_get(t, GX_FID_INBOX, a, &i));
	ck_assert_uint_eq(i.total, 0);
	gx_txn_abort(t);
	gx_store_pool_put(own.pool, near);
}
END_TEST

static void setup_impatient(void)
{
	idle_ms = 150;
	far_setup();
}

static void setup_relayed(void)
{
	relayed = true;
	far_setup();
}

static void setup_relayed_impatient(void)
{
	idle_ms = 1000;
	setup_relayed();
}

START_TEST(a_busy_writer_is_told)
{
	struct gx_store *near = near_get();
	struct gx_txn *t, *other = st_begin(near, GX_TXN_WRITE);
	ck_assert_int_eq(gx_txn_begin(s, &sys_actor, GX_TXN_WRITE, 50, &t), 0);
	ST_IS(gx_folder_set_subscribed(t, GX_FID_SENT, true), ecTimeout);
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), GX_E_TIMEOUT);
	gx_txn_abort(other);
	t = st_begin(s, GX_TXN_WRITE); /* without an operation there is nothing to be done */
	st_commit(t);
	gx_store_pool_put(own.pool, near);
}
END_TEST

/* ---- Owners that come and go ---- */

START_TEST(an_owner_that_is_started_anew)
{
	uint64_t mids[3], more[1];
	struct gx_folder_info i;
	insert(mids, 3, 0);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE), *idle = st_begin(s, GX_TXN_READ);
	st_insert(t, GX_FID_INBOX, 9, 500, 0);
	owner_end();
	ST_IS(gx_folder_get(t, GX_FID_INBOX, a, &i), ecRpcFailed);
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_NOW), GX_E_IO);
	t = st_begin(s, GX_TXN_READ);
	ST_IS(gx_folder_get(t, GX_FID_INBOX, a, &i), ecRpcFailed);
	ck_assert_uint_gt(strlen(gx_txn_why(t)), 0);
	gx_txn_abort(t);
	gx_views__stale(s, 0);
	ck_assert(gx_ec_failed(gx_imapview_refresh(v, true, NULL)));
	ck_assert_uint_eq(gx_imapview_count(v), 3);
	owner_begin();
	ST_OK(gx_folder_get(idle, GX_FID_INBOX, a, &i)); /* it had not begun */
	ck_assert_uint_eq(i.total, 3);
	gx_txn_abort(idle);
	insert(more, 1, 0);
	ck_assert(gx_imapview_stale(v));
	struct seen n = refresh(v, true);
	ck_assert(n.nexpunged == 0 && n.nchanged == 0 && n.exists == 4);
	gx_imapview_close(v);
}
END_TEST

/* What the machine may have lost before it was flushed must be brought again: it is told so, once. */
START_TEST(a_machine_that_fails_is_noticed)
{
	uint64_t mids[1];
	ck_assert_int_eq(gx_store_pool_sync(pool), 0);
	insert(mids, 1, 0);
	ck_assert(s->ops->unsynced(s));
	ck_assert_int_eq(gx_store_pool_sync(pool), 0);
	ck_assert(!s->ops->unsynced(s));
	insert(mids, 1, 0);
	own.host->boot++;
	ck_assert_int_eq(gx_store_pool_sync(pool), GX_E_STATE);
	ck_assert_int_eq(gx_store_pool_sync(pool), 0);
	insert(mids, 1, 0);
	own.host->boot++;
	insert(mids, 1, 0);
	ck_assert_int_eq(gx_store_pool_sync(pool), GX_E_STATE);
	ck_assert_int_eq(gx_store_pool_sync(pool), 0);
	insert(mids, 1, 0);
	owner_end();
	ck_assert_int_eq(gx_store_pool_sync(pool), GX_E_IO);
	owner_begin();
	own.host->boot += 2;
	ck_assert_int_eq(gx_store_pool_sync(pool), 0);
}
END_TEST

/* ---- News ---- */

struct news {
	atomic_uint n;
	_Atomic uint64_t mid;
};

static void on_news(const struct gx_event *ev, void *ctx)
{
	struct news *w = ctx;
	atomic_store(&w->mid, ev->mid);
	atomic_fetch_add(&w->n, 1);
}

static bool has_news(void *ctx)
{
	return atomic_load(&((struct news *)ctx)->n) > 0;
}

static bool is_stale(void *ctx)
{
	return gx_imapview_stale(ctx);
}

START_TEST(news_come_from_the_owner)
{
	struct gx_store *near = near_get();
	struct news inbox = {0}, sent = {0};
	uint64_t sub, sub2;
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	ck_assert_int_eq(gx_store_subscribe(s, GX_FID_INBOX, GX_EV_MSG_CREATED, on_news, &inbox, &sub), 0);
	ck_assert_int_eq(gx_store_subscribe(s, GX_FID_SENT, UINT32_MAX, on_news, &sent, &sub2), 0);
	ck_assert(!gx_imapview_stale(v));
	struct gx_txn *t = st_begin(near, GX_TXN_WRITE);
	uint64_t mid = st_insert(t, GX_FID_INBOX, 1, 500, 0).mid;
	st_commit(t);
	wait_until(has_news, &inbox);
	ck_assert_uint_eq(atomic_load(&inbox.mid), mid);
	wait_until(is_stale, v);
	ck_assert_uint_eq(refresh(v, true).exists, 1);
	ck_assert_uint_eq(atomic_load(&sent.n), 0);
	/* after the owner was away everybody looks once */
	gx_store_pool_put(own.pool, near);
	owner_end();
	owner_begin();
	wait_until(has_news, &sent);
	near = near_get();
	atomic_store(&inbox.n, 0);
	t = st_begin(near, GX_TXN_WRITE);
	mid = st_insert(t, GX_FID_INBOX, 2, 500, 0).mid;
	st_commit(t);
	wait_until(has_news, &inbox);
	gx_store_unsubscribe(s, sub);
	gx_store_unsubscribe(s, sub2);
	gx_imapview_close(v);
	gx_store_pool_put(own.pool, near);
}
END_TEST

static void many_rows(struct gx_txn *t)
{
	GX_STMT(st, t->q, "INSERT INTO msg(mid,fid,uid,flags,kwset,modseq,cn,cn0,size,received,body,rcn) WITH RECURSIVE c(x) AS (SELECT 2 UNION ALL "
		"SELECT x+1 FROM c WHERE x<100000) SELECT 1000000000000-x*7919%100000*1000000,fid,x,flags,0,x*1000000007%1000000007000,cn,x,size,received,0,0 "
		"FROM c,msg WHERE uid=1 AND fid=13");
	ck_assert_int_eq(gx_sql__run(st), 0);
}

/* More than one answer holds. */
START_TEST(large_folders_come_in_pieces)
{
	enum { N = 100000 };
	struct gx_store *near = near_get();
	struct gx_txn *t = st_begin(near, GX_TXN_WRITE);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, st_message(a, 1, 300), NULL, NULL));
	many_rows(t);
	struct gx_imapview *far, *v;
	ck_assert_int_eq(gx_sql__exec(t->q, "UPDATE fstate SET uidnext=100001 WHERE fid=13"), 0);
	ck_assert_int_eq(gx_sql__commit(t->q), 0); /* behind the store's back, which has no view of it yet */
	gx_txn_abort(t);
	far = st_view(s, GX_FID_INBOX);
	v = st_view(near, GX_FID_INBOX);
	ck_assert_uint_eq(gx_imapview_count(far), N);
	for (uint32_t i = 1; i <= N; ++i) {
		const struct gx_uid_entry theirs = gx_imapview_at(far, i), ours = gx_imapview_at(v, i);
		ck_assert_mem_eq(&theirs, &ours, sizeof(ours));
	}
	gx_imapview_close(v);
	gx_imapview_close(far);
	t = st_begin(near, GX_TXN_WRITE);
	ck_assert_int_eq(gx_sql__exec(t->q, "DELETE FROM msg WHERE fid=13"), 0);
	ck_assert_int_eq(gx_sql__commit(t->q), 0);
	gx_txn_abort(t);
	gx_store_pool_put(own.pool, near);
	/* a store that was written to behind its back would not verify */
	gx_store_pool_put(pool, s);
	gx_store_pool_free(pool);
	gx_exmdb_free(link_to_owner);
	owner_end();
	st_rmtree(dir);
	gx_arena_free(a);
	far_setup();
}
END_TEST

/* ---- The other end by itself ---- */

static struct gx_x_transact_ans ask(struct gx_exmdb_link *l, const char *where, const struct gx_x_transact_req *q)
{
	struct gx_x_transact_ans ans;
	uint8_t code;
	const char *why = "";
	ST_OK(gx_exmdb_link_call(l, where, gx_exmdb_call_desc(GX_X_TRANSACT), q, a, &ans, &code, &why));
	ck_assert_uint_eq(code, GX_XC_SUCCESS);
	return ans;
}

START_TEST(requests_that_do_not_fit)
{
	struct gx_exmdb_client *c;
	struct gx_exmdb_link *l;
	const struct gx_x_op get = {.op = GX_O_FOLDER_GET, .request = {(const uint8_t *)"\x0d\0\0\0\0\0\0\0", 8}};
	const struct gx_x_op odd[] = {{.op = 0xee}, {.op = GX_O_FOLDER_GET, .request = {(const uint8_t *)"\x0d", 1}},
		{.op = GX_O_VIEW_REFRESH, .request = {(const uint8_t *)"\1\0\0\0\0\0\0\0", 8}}, get};
	struct gx_x_transact_req none = {0}, ops = {.ops = &get, .ops_count = 1}, begin = {.begin = 2, .deadline_ms = 100, .owner = true},
		end = {.end = GX_X_END_COMMIT}, all = {.begin = 1, .deadline_ms = 100, .owner = true, .ops = odd, .ops_count = 4, .end = GX_X_END_ABORT};
	ck_assert_int_eq(gx_exmdb_client_get(own.host, "test", &c), 0);
	ck_assert_int_eq(gx_exmdb_link_new(c, &l), 0);
	ck_assert_uint_eq(ask(l, dir, &none).failure, 0);
	struct gx_x_transact_ans ans = ask(l, dir, &ops);
	ck_assert_uint_eq(ans.answers[0].ec, ecNotInitialized);
	ck_assert_int_eq(-(int)ask(l, dir, &end).failure, GX_E_STATE);
	ck_assert_int_eq(-(int)ask(l, "/nonexistent", &begin).failure, GX_E_NOTFOUND);
	ck_assert_int_eq(gx_exmdb_link_until(l), 0);
	ck_assert_uint_eq(ask(l, dir, &begin).failure, 0);
	ck_assert_int_ne(gx_exmdb_link_until(l), 0);
	ck_assert_int_eq(-(int)ask(l, "/another", &ops).failure, GX_E_INVAL);
	ck_assert_uint_eq(ask(l, dir, &ops).answers[0].ec, ecSuccess);
	ck_assert_int_eq(-(int)ask(l, dir, &begin).failure, GX_E_STATE);
	ck_assert_int_eq(gx_exmdb_link_until(l), 0); /* and what was open is taken back */
	ans = ask(l, dir, &all);
	ck_assert_uint_eq(ans.answers_count, 4);
	ck_assert_uint_eq(ans.answers[0].ec, ecNotSupported);
	ck_assert_uint_eq(ans.answers[1].ec, ecRpcFormat);
	ck_assert_uint_eq(ans.answers[2].ec, ecNullObject);
	ck_assert_uint_eq(ans.answers[3].ec, ecSuccess);
	ck_assert_uint_eq(ask(l, dir, &begin).failure, 0);
	gx_exmdb_link_free(l); /* with its transaction */
	gx_exmdb_client_put(c);
	struct gx_store *near = near_get();
	ck_assert(can_write(near));
	gx_store_pool_put(own.pool, near);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("far");
	TCase *c = tcase_create("stores");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, far_setup, far_teardown);
	viewtest_add(c);
	tcase_add_loop_test(c, a_message_arrives_as_it_is, 0, 2);
	tcase_add_loop_test(c, many_are_inserted_in_one_go, 0, 2);
	tcase_add_test(c, a_damaged_message_is_refused);
	tcase_add_test(c, many_are_read_in_one_go);
	tcase_add_test(c, folders_are_the_same);
	tcase_add_test(c, rights_hold);
	tcase_add_test(c, flags_and_copies);
	tcase_add_test(c, words_are_found);
	tcase_add_test(c, what_cannot_be_done_is_told);
	tcase_add_test(c, writers_take_turns);
	tcase_add_test(c, a_busy_writer_is_told);
	tcase_add_test(c, an_owner_that_is_started_anew);
	tcase_add_test(c, a_machine_that_fails_is_noticed);
	tcase_add_test(c, news_come_from_the_owner);
	tcase_add_test(c, large_folders_come_in_pieces);
	tcase_add_test(c, requests_that_do_not_fit);
	suite_add_tcase(su, c);
	c = tcase_create("impatient");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup_impatient, far_teardown);
	tcase_add_test(c, nobody_keeps_the_writer);
	suite_add_tcase(su, c);
	c = tcase_create("relayed");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup_relayed, far_teardown);
	viewtest_add(c);
	tcase_add_loop_test(c, a_message_arrives_as_it_is, 0, 2);
	tcase_add_loop_test(c, many_are_inserted_in_one_go, 0, 2);
	tcase_add_test(c, writers_take_turns);
	tcase_add_test(c, news_come_from_the_owner);
	suite_add_tcase(su, c);
	c = tcase_create("relayed, impatient");
	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup_relayed_impatient, far_teardown);
	tcase_add_loop_test(c, nobody_keeps_the_writer, 0, 2);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
