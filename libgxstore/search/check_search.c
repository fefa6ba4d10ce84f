/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/folder.h>
#include "libgxstore/order/order-int.h"
#include "libgxstore/search/search-int.h"
#include "libgxstore/fixtest.h"

/* Search folders: what they show is what a look at every message would find, at every moment. */

static uint64_t put(struct gx_txn *t, uint64_t fid, const char *subject, uint32_t flags)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, subject), 0);
	src.obj = m;
	o.flags = flags;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
	return ids.mid;
}

static const struct gx_restr *subject(const char *text)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	r->type = RES_CONTENT;
	r->u.content.level = FL_SUBSTRING;
	r->u.content.flags = FL_IGNORECASE;
	r->u.content.tag = PidTagSubject;
	r->u.content.val = (struct gx_propval){.tag = PidTagSubject, .v = {.str = text}};
	return r;
}

static const struct gx_restr *unread(void)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	r->type = RES_BITMASK;
	r->u.bitmask.relop = BMR_EQZ;
	r->u.bitmask.tag = PidTagMessageFlags;
	r->u.bitmask.mask = MSGFLAG_READ;
	return r;
}

static uint64_t finder(struct gx_txn *t, const char *name)
{
	uint64_t fid;
	ST_OK(gx_folder_create(t, GX_FID_FINDER, name, "IPF.Note", GX_FOLDER_SEARCH, NULL, &fid));
	return fid;
}

static void finish(void)
{
	bool done = false;
	while (!done)
		ck_assert_int_eq(gx_search_run(s, 1000, &done), 0);
}

static size_t found(struct gx_txn *t, uint64_t fid, uint64_t *ret_v)
{
	size_t n = 0;
	GX_STMT(st, t->q, "SELECT mid FROM found WHERE fid=?1 ORDER BY mid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	while (gx_sql__step(st) > 0) {
		if (ret_v != NULL)
			ret_v[n] = gx_sql__u64(st, 0);
		n++;
	}
	return n;
}

static struct gx_folder_info info(struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_info i;
	ST_OK(gx_folder_get(t, fid, a, &i));
	return i;
}

static uint32_t status(struct gx_txn *t, uint64_t fid)
{
	struct gx_search_info i;
	ST_OK(gx_search_get(t, fid, a, &i));
	return i.status;
}

/* What a search looks into goes: it knows of one folder less, and of none in the end. */
START_TEST(scope_goes)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_search_info i;
	uint64_t fid = finder(t, "x"), scope[2];
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "one", NULL, GX_FOLDER_GENERIC, NULL, &scope[0]));
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "two", NULL, GX_FOLDER_GENERIC, NULL, &scope[1]));
	put(t, scope[0], "a", 0);
	put(t, scope[1], "b", 0);
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH, unread(), scope, 2));
	ck_assert_uint_eq(found(t, fid, NULL), 2);
	ST_OK(gx_folder_delete(t, scope[0], false)); /* it can come back */
	ST_OK(gx_search_get(t, fid, a, &i));
	ck_assert_uint_eq(i.n, 2);
	for (size_t k = 0; k < 2; k++) {
		ST_OK(gx_folder_delete(t, scope[k], true));
		ST_OK(gx_search_get(t, fid, a, &i));
		ck_assert_uint_eq(i.n, 1 - k);
		ck_assert_uint_eq(found(t, fid, NULL), 1 - k);
	}
	put(t, GX_FID_INBOX, "c", 0);
	ck_assert_uint_eq(found(t, fid, NULL), 0);
	ST_IS(gx_search_set(t, fid, RESTART_SEARCH, NULL, NULL, 0), ecNotInitialized);
	st_commit(t);
}
END_TEST

/* What is shown can be worked on through the search folder: it is, where it lies. */
START_TEST(work_on_what_is_shown)
{
	const uint64_t scope[] = {GX_FID_INBOX, GX_FID_SENT};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x"), none = 0xabcdef;
	uint64_t mids[] = {put(t, GX_FID_INBOX, "look 1", 0), put(t, GX_FID_SENT, "look 2", 0), put(t, GX_FID_INBOX, "look 3", 0), put(t, GX_FID_INBOX, "other", 0)};
	struct gx_msg_ids ids[4];
	bool shown;
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH, subject("look"), scope, 2));
	ST_OK(gx_search_shows(t, fid, mids[0], &shown));
	ck_assert(shown);
	ST_OK(gx_search_shows(t, fid, mids[3], &shown));
	ck_assert(!shown);
	ST_OK(gx_search_shows(t, GX_FID_INBOX, mids[3], &shown));
	ck_assert(shown);
	ST_IS(gx_search_shows(t, fid, none, &shown), ecNotFound);
	ST_OK(gx_msg_copy(t, fid, mids, 4, GX_FID_DRAFTS, false, ids));
	ck_assert(ids[0].mid != 0 && ids[1].mid != 0 && ids[2].mid != 0 && ids[3].mid == 0);
	ck_assert_uint_eq(info(t, GX_FID_DRAFTS).total, 3);
	ST_OK(gx_msg_copy(t, fid, mids, 2, GX_FID_DRAFTS, true, NULL));
	ck_assert_uint_eq(info(t, GX_FID_DRAFTS).total, 5);
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ST_OK(gx_msg_delete(t, fid, mids + 2, 2, false));
	ck_assert_uint_eq(found(t, fid, NULL), 0);
	ck_assert_uint_eq(info(t, GX_FID_INBOX).total, 1);
	ck_assert_uint_eq(info(t, GX_FID_INBOX).deleted_count, 1);
	ST_IS(gx_msg_copy(t, GX_FID_INBOX, mids + 3, 1, fid, false, NULL), ecNotSupported);
	st_commit(t);
}
END_TEST

START_TEST(set_and_get)
{
	const uint64_t scope[] = {GX_FID_INBOX, GX_FID_SENT};
	struct gx_search_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x");
	ST_OK(gx_search_get(t, fid, a, &i));
	ck_assert(i.status == 0 && i.restr == NULL && i.n == 0);
	ST_IS(gx_search_set(t, fid, RESTART_SEARCH, NULL, NULL, 0), ecNotInitialized);
	ST_IS(gx_search_set(t, GX_FID_INBOX, 0, unread(), scope, 2), ecNotSearchFolder);
	ST_IS(gx_search_set(t, fid, 0, unread(), &fid, 1), ecInvalidParam);
	const uint64_t none[] = {0xabcdef};
	ST_IS(gx_search_set(t, fid, 0, unread(), none, 1), ecNotFound);
	ST_OK(gx_search_set(t, fid, RECURSIVE_SEARCH | FOREGROUND_SEARCH, unread(), scope, 2));
	ST_OK(gx_search_get(t, fid, a, &i));
	ck_assert_int_eq(gx_restr_cmp(i.restr, unread()), 0);
	ck_assert_uint_eq(i.n, 2);
	ck_assert_uint_eq(i.status, SEARCH_COMPLETE | SEARCH_RUNNING | SEARCH_RECURSIVE | SEARCH_FOREGROUND);
	ST_OK(gx_search_set(t, fid, STOP_SEARCH, NULL, NULL, 0));
	ck_assert_uint_eq(status(t, fid) & SEARCH_RUNNING, 0);
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH, NULL, NULL, 0)); /* as before */
	ST_OK(gx_search_get(t, fid, a, &i));
	ck_assert(i.n == 2 && (i.status & SEARCH_RECURSIVE));
	ST_OK(gx_folder_delete(t, fid, true));
	st_commit(t);
}
END_TEST

START_TEST(finds_and_follows)
{
	const uint64_t scope[] = {GX_FID_IPMSUBTREE};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t apple = put(t, GX_FID_INBOX, "green apple", 0), pear = put(t, GX_FID_INBOX, "pear", 0);
	put(t, GX_FID_INBOX, "apple of the system", GX_MSGF_FAI);
	uint64_t fid = finder(t, "apples"), v[8];
	ST_OK(gx_search_set(t, fid, RECURSIVE_SEARCH, subject("APPLE"), scope, 1));
	ck_assert(found(t, fid, v) == 1 && v[0] == apple);
	ck_assert(info(t, fid).total == 1 && info(t, fid).unread == 1);
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	uint64_t late = put(t, GX_FID_SENT, "an apple a day", GX_MSGF_READ); /* arrives */
	ck_assert_uint_eq(found(t, fid, NULL), 2);
	struct gx_flag_change read = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX};
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &apple, 1, &read, a, NULL, NULL));
	ck_assert(info(t, fid).total == 2 && info(t, fid).unread == 0);
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "apple pie"), 0);
	ST_OK(gx_msg_set_props(t, pear, &l)); /* becomes one */
	ck_assert_uint_eq(found(t, fid, NULL), 3);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "no fruit"), 0);
	ST_OK(gx_msg_set_props(t, late, &l)); /* is one no more */
	ck_assert_uint_eq(found(t, fid, NULL), 2);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &apple, 1, false));
	ck_assert(found(t, fid, v) == 1 && v[0] == pear);
	struct gx_msg_ids ids;
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &pear, 1, GX_FID_DRAFTS, true, &ids)); /* within the scope */
	ck_assert(found(t, fid, v) == 1 && v[0] == ids.mid);
	ST_OK(gx_msg_copy(t, GX_FID_DRAFTS, &ids.mid, 1, GX_FID_VIEWS, true, &ids)); /* out of it */
	ck_assert_uint_eq(found(t, fid, NULL), 0);
	ck_assert(info(t, fid).total == 0 && info(t, fid).unread == 0 && info(t, fid).size == 0);
	st_commit(t);
}
END_TEST

START_TEST(static_stays)
{
	const uint64_t scope[] = {GX_FID_INBOX};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t one = put(t, GX_FID_INBOX, "one", 0), fid = finder(t, "x");
	ST_OK(gx_search_set(t, fid, STATIC_SEARCH, unread(), scope, 1));
	put(t, GX_FID_INBOX, "two", 0);
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ck_assert_uint_eq(status(t, fid), SEARCH_COMPLETE | SEARCH_STATIC);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &one, 1, true)); /* what is gone is gone */
	ck_assert_uint_eq(found(t, fid, NULL), 0);
	ST_OK(gx_search_set(t, fid, STATIC_SEARCH | RESTART_SEARCH, NULL, NULL, 0));
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	st_commit(t);
}
END_TEST

START_TEST(by_hand)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mids[] = {put(t, GX_FID_INBOX, "a", 0), put(t, GX_FID_INBOX, "b", GX_MSGF_READ), 0xabcdef}, fid = finder(t, "x");
	ST_OK(gx_search_link(t, fid, mids, 3));
	ST_OK(gx_search_link(t, fid, mids, 3));
	ck_assert(found(t, fid, NULL) == 2 && info(t, fid).total == 2 && info(t, fid).unread == 1);
	ST_OK(gx_search_unlink(t, fid, mids, 1));
	ST_OK(gx_search_unlink(t, fid, mids, 1));
	ck_assert(found(t, fid, NULL) == 1 && info(t, fid).unread == 0);
	ST_IS(gx_search_link(t, GX_FID_INBOX, mids, 1), ecNotSearchFolder);
	st_commit(t);
}
END_TEST

/* However many show a message, all of them count it. */
START_TEST(shown_by_many)
{
	enum { N = 150 };
	uint64_t fid[N];
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = put(t, GX_FID_INBOX, "a", 0);
	for (unsigned i = 0; i < N; i++) {
		fid[i] = finder(t, gx_arena_printf(a, "x%u", i));
		ST_OK(gx_search_link(t, fid[i], &mid, 1));
	}
	struct gx_flag_change read = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX};
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &mid, 1, &read, a, NULL, NULL));
	for (unsigned i = 0; i < N; i++)
		ck_assert(info(t, fid[i]).total == 1 && info(t, fid[i]).unread == 0);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
	for (unsigned i = 0; i < N; i++)
		ck_assert_uint_eq(info(t, fid[i]).total, 0);
	st_commit(t);
}
END_TEST

/* Folders that leave the scope, come into it, are deleted and come back. */
START_TEST(folders_move)
{
	const uint64_t scope[] = {GX_FID_INBOX};
	uint64_t sub, deep;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x");
	ST_OK(gx_folder_create(t, GX_FID_SENT, "sub", NULL, GX_FOLDER_GENERIC, NULL, &sub));
	ST_OK(gx_folder_create(t, sub, "deep", NULL, GX_FOLDER_GENERIC, NULL, &deep));
	put(t, deep, "deep", 0);
	put(t, GX_FID_INBOX, "top", 0);
	ST_OK(gx_search_set(t, fid, RECURSIVE_SEARCH, unread(), scope, 1));
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ST_OK(gx_folder_move(t, sub, GX_FID_INBOX, NULL));
	put(t, deep, "while it is not through", 0);
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), 3);
	ST_OK(gx_folder_move(t, sub, GX_FID_SENT, NULL));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ST_OK(gx_folder_move(t, sub, GX_FID_INBOX, NULL));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, sub, false));
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ST_OK(gx_folder_undelete(t, sub));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), 3);
	ST_OK(gx_folder_delete(t, sub, true));
	ck_assert(found(t, fid, NULL) == 1 && info(t, fid).total == 1);
	st_commit(t);
}
END_TEST

/* A large scope is looked through in portions, across reopening, while things change. */
START_TEST(in_portions)
{
	enum { N = 5200 };
	const uint64_t scope[] = {GX_FID_INBOX, GX_FID_SENT};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t first = 0, fid = finder(t, "x");
	for (unsigned i = 0; i < N; i++) {
		uint64_t mid = put(t, i % 2 ? GX_FID_INBOX : GX_FID_SENT, i % 10 ? "other" : "wanted", i % 3 ? GX_MSGF_READ : 0);
		first = first == 0 ? mid : first;
		if (i % 500 == 0)
			gx_arena_reset(a);
	}
	ST_OK(gx_search_set(t, fid, 0, unread(), scope, 2));
	ck_assert_uint_ne(status(t, fid) & SEARCH_REBUILD, 0);
	st_commit(t);
	gx_store_close(s);
	s = st_open(dir);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_SENT, &first, 1, true));
	put(t, GX_FID_SENT, "new", 0);
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), (N + 2) / 3);
	ck_assert_uint_eq(status(t, fid) & SEARCH_REBUILD, 0);
	/* By words, which the index knows. */
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH, subject("wanted"), NULL, 0));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), N / 10 - 1);
	st_commit(t);
}
END_TEST

struct heard {
	unsigned linked, unlinked, complete;
};

static void hear(const struct gx_event *ev, void *ctx)
{
	struct heard *h = ctx;
	h->linked += ev->type == GX_EV_LINK_CREATED;
	h->unlinked += ev->type == GX_EV_LINK_DELETED;
	h->complete += ev->type == GX_EV_SEARCH_COMPLETE;
}

START_TEST(events)
{
	const uint64_t scope[] = {GX_FID_INBOX};
	struct heard h = {0};
	uint64_t sub;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = put(t, GX_FID_INBOX, "a", 0), fid = finder(t, "x");
	st_commit(t);
	ck_assert_int_eq(gx_store_subscribe(s, fid, UINT32_MAX, hear, &h, &sub), 0);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_search_set(t, fid, 0, unread(), scope, 1));
	st_commit(t);
	ck_assert(h.linked == 1 && h.complete == 1);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
	gx_txn_abort(t); /* says nothing */
	ck_assert_uint_eq(h.unlinked, 0);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, true));
	st_commit(t);
	ck_assert(h.unlinked == 1 && h.linked == 1);
	gx_store_unsubscribe(s, sub);
}
END_TEST

/* Random operations against a look at every message; two searches, sort orders on them, rollbacks. */
/* Folders that a search looks into go for good, or come back. */
START_TEST(scopes_that_go)
{
	struct gx_search_info i;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x"), scope[2];
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "one", NULL, GX_FOLDER_GENERIC, NULL, &scope[0]));
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "two", NULL, GX_FOLDER_GENERIC, NULL, &scope[1]));
	put(t, scope[0], "red one", 0);
	put(t, scope[1], "red two", 0);
	ST_OK(gx_search_set(t, fid, SHALLOW_SEARCH, subject("red"), scope, 2));
	ck_assert_uint_eq(found(t, fid, NULL), 2);
	ST_OK(gx_folder_delete(t, scope[0], false));
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ST_OK(gx_folder_undelete(t, scope[0]));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), 2);
	ST_OK(gx_folder_delete(t, scope[1], true));
	ST_OK(gx_search_get(t, fid, a, &i));
	ck_assert(i.n == 1 && i.folders[0] == scope[0]);
	st_commit(t);
	st_verify(s);
}
END_TEST

static int render(const struct gx_msgobj *m, struct gx_push *msg, struct gx_push *env, struct gx_push *bs, void *ctx)
{
	(void)m;
	(void)ctx;
	gx_push_str(msg, "Subject: red one\r\n\r\nthe internet form\r\n");
	gx_push_str(env, "(env)");
	gx_push_str(bs, "(bs)");
	return 0;
}

/* The internet form is made when somebody asks for it, and has another size. */
START_TEST(rendered)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	const uint64_t scope[] = {GX_FID_INBOX};
	struct gx_msg_mime m;
	gx_store_close(s);
	o.render = render;
	s = st_open_with(dir, &o);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x"), mid = put(t, GX_FID_INBOX, "red one", 0);
	struct gx_restr large = {.type = RES_PROPERTY, .u.prop = {RELOP_EQ, PidTagMessageSize, {PidTagMessageSize, {.i32 = 39}}}};
	uint64_t sized = finder(t, "sized");
	ST_OK(gx_search_set(t, fid, 0, subject("red"), scope, 1));
	ST_OK(gx_search_set(t, sized, 0, &large, scope, 1));
	uint64_t before = info(t, fid).size;
	ck_assert_uint_eq(found(t, sized, NULL), 0);
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_mime(t, mid, &m));
	ck_assert_uint_ne(m.size, before);
	ck_assert_uint_eq(info(t, fid).size, m.size);
	ck_assert_uint_eq(found(t, sized, NULL), 1);
	st_commit(t);
	st_verify(s);
}
END_TEST

static int64_t slow_ns;

/* A second goes by whenever somebody asks. */
static int64_t slow_monotonic(void *ctx)
{
	(void)ctx;
	return slow_ns += INT64_C(1000000000);
}

static int64_t slow_realtime(void *ctx)
{
	(void)ctx;
	return INT64_C(1700000000) * 1000000000;
}

/* How much is found in the transaction that sets the search, and then by each of the next ones. */
static void found_in_steps(const struct gx_store_opts *o, size_t first, size_t step, size_t all)
{
	const uint64_t scope[] = {GX_FID_INBOX};
	gx_store_close(s);
	s = st_open_with(dir, o);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, gx_arena_printf(a, "x%zu.%zu", first, step));
	ST_OK(gx_search_set(t, fid, 0, unread(), scope, 1));
	ck_assert_uint_eq(found(t, fid, NULL), first);
	st_commit(t);
	for (size_t n = first; n < all; n += step) {
		bool done = false;
		t = st_begin(s, GX_TXN_READ);
		ck_assert_uint_eq(found(t, fid, NULL), n);
		gx_txn_abort(t);
		ck_assert_int_eq(gx_search_run(s, 1500, &done), 0); /* time for one portion */
	}
	finish();
	t = st_begin(s, GX_TXN_READ);
	ck_assert_uint_eq(found(t, fid, NULL), all);
	gx_txn_abort(t);
}

/* exmdb_search_pacing, exmdb_search_pacing_time */
START_TEST(pacing)
{
	static const struct gx_clock slow = {slow_realtime, slow_monotonic, NULL};
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 14; i++)
		put(t, GX_FID_INBOX, "m", 0);
	st_commit(t);
	o.search_pacing_ms = 3600000;
	found_in_steps(&o, 14, 1, 14);
	o.clock = &slow;
	o.search_pacing = 1;
	o.search_pacing_ms = 1000000;
	found_in_steps(&o, 8, 1, 14);
	o.search_pacing = 100;
	o.search_pacing_ms = 3000;
	found_in_steps(&o, 3, 3, 14);
	o.search_pacing_ms = 1; /* one is looked at in any case */
	found_in_steps(&o, 1, 1, 14);
}
END_TEST

/* What is in a deleted folder may still change, and is not found for that. */
START_TEST(deleted_folders_stay_out)
{
	uint64_t sub;
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_msg_mime m;
	gx_store_close(s);
	o.render = render;
	s = st_open_with(dir, &o);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x");
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "sub", NULL, GX_FOLDER_GENERIC, NULL, &sub));
	uint64_t mid = put(t, sub, "red one", 0);
	ST_OK(gx_search_set(t, fid, 0, subject("red"), &sub, 1));
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ST_OK(gx_folder_delete(t, sub, false));
	ck_assert_uint_eq(found(t, fid, NULL), 0);
	ST_OK(gx_msg_mime(t, mid, &m));
	ck_assert_uint_eq(found(t, fid, NULL), 0);
	ST_OK(gx_folder_undelete(t, sub));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	st_commit(t);
	st_verify(s);
}
END_TEST

START_TEST(model)
{
	enum { STEPS = 600 };
	static const uint64_t folders[] = {GX_FID_INBOX, GX_FID_SENT, GX_FID_DRAFTS};
	static const char *const words[] = {"red one", "blue two", "red and blue", "none"};
	const uint64_t scope[] = {GX_FID_INBOX, GX_FID_SENT};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t red = finder(t, "red"), news = finder(t, "unread"), mids[64], n = 0, view;
	uint32_t seed = 4711;
	ST_OK(gx_search_set(t, red, 0, subject("red"), scope, 2));
	ST_OK(gx_search_set(t, news, 0, unread(), scope, 1));
	struct gx_orderspec spec;
	bool back;
	ck_assert_int_eq(gx_orderspec__make(&(struct gx_sortset){.v = &(struct gx_sort){PidTagSubject, GX_SORT_ASCEND}, .count = 1}, &spec, &back), 0);
	ck_assert_int_eq(gx_order__ensure(t, red, GX_ORDER_FOUND, &spec, 1000, &view), 0);
	st_commit(t);
	for (int step = 0; step < STEPS; step++) {
		seed = seed * 1664525 + 1013904223;
		uint32_t r = seed >> 8;
		uint64_t fid = folders[r % 3];
		t = st_begin(s, GX_TXN_WRITE);
		if (n < 60 && r / 3 % 4 == 0) {
			mids[n++] = put(t, fid, words[r / 12 % 4], r / 48 % 2 ? GX_MSGF_READ : 0);
		} else if (n > 0) {
			uint64_t i = r / 12 % n;
			struct gx_msg_row row;
			struct gx_msg_ids ids;
			struct gx_proplist l = {0};
			struct gx_flag_change flip = {.op = r & 1 ? GX_FLAGS_ADD : GX_FLAGS_REMOVE, .flags = GX_MSGF_READ, .unchanged_since = UINT64_MAX};
			ck_assert_int_eq(gx_msg__row(t, mids[i], &row), 0);
			switch (r / 3 % 4) {
			case 1:
				ST_OK(gx_msg_change_flags(t, row.fid, &mids[i], 1, &flip, a, NULL, NULL));
				break;
			case 2:
				ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, words[r / 24 % 4]), 0);
				ST_OK(gx_msg_set_props(t, mids[i], &l));
				break;
			default:
				if (r / 48 % 3 == 0) {
					ST_OK(gx_msg_delete(t, row.fid, &mids[i], 1, (r & 1) != 0));
					mids[i] = mids[--n];
				} else {
					ST_OK(gx_msg_copy(t, row.fid, &mids[i], 1, fid, true, &ids));
					mids[i] = ids.mid;
				}
			}
		}
		size_t want_red = 0, want_news = 0;
		for (uint64_t i = 0; i < n; i++) {
			struct gx_msg_info m;
			struct gx_proplist l;
			const gx_proptag_t tag = PidTagSubject;
			ST_OK(gx_msg_get(t, mids[i], &m));
			ST_OK(gx_msg_get_props(t, mids[i], &tag, 1, a, &l));
			bool in = m.fid != GX_FID_DRAFTS;
			want_red += in && strstr(gx_proplist_str(&l, PidTagSubject, ""), "red") != NULL;
			want_news += m.fid == GX_FID_INBOX && !(m.flags & GX_MSGF_READ);
		}
		ck_assert_uint_eq(found(t, red, NULL), want_red);
		ck_assert_uint_eq(found(t, news, NULL), want_news);
		ck_assert_uint_eq(info(t, red).total, want_red);
		ck_assert_uint_eq(info(t, news).unread, want_news);
		struct gx_ordersum sum;
		ck_assert_int_eq(gx_order__flush(t), 0);
		ck_assert_int_eq(gx_order__total(t, view, &sum), 0);
		ck_assert_uint_eq(sum.total, want_red);
		st_commit(t);
		gx_arena_reset(a);
	}
}
END_TEST

enum { MANY = 1100 };

/* A folder that was deleted softly with more than can leave at once. */
START_TEST(a_large_folder_leaves)
{
	static const uint64_t scope[] = {GX_FID_INBOX};
	uint64_t sub;
	bool more = true;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t fid = finder(t, "x");
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "sub", NULL, GX_FOLDER_GENERIC, NULL, &sub));
	for (unsigned i = 0; i < MANY; i++)
		st_insert(t, sub, i, 10, 0);
	put(t, GX_FID_INBOX, "stays", 0);
	ST_OK(gx_search_set(t, fid, RECURSIVE_SEARCH, unread(), scope, 1));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), MANY + 1);
	ST_OK(gx_folder_delete(t, sub, false));
	ck_assert_uint_eq(found(t, fid, NULL), MANY + 1);
	ST_OK(gx_search_leave(t, 100, &more));
	ck_assert(more);
	size_t left = found(t, fid, NULL);
	ck_assert(left > MANY - 100 && left < MANY);
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE); /* one that is given up counts for nothing */
	ST_OK(gx_search_leave(t, 100, &more));
	gx_txn_abort(t);
	gx_store_close(s); /* another process goes on */
	s = st_open(dir);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	ck_assert_uint_eq(info(t, fid).total, 1);
	ST_OK(gx_search_leave(t, 0, &more));
	ck_assert(!more);
	ST_OK(gx_folder_undelete(t, sub));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), MANY + 1);
	ST_OK(gx_folder_delete(t, sub, false));
	ST_OK(gx_search_leave(t, 50, &more));
	ST_OK(gx_folder_undelete(t, sub)); /* back before all have left */
	ST_OK(gx_search_leave(t, 0, &more));
	st_commit(t);
	finish();
	t = st_begin(s, GX_TXN_WRITE);
	ck_assert_uint_eq(found(t, fid, NULL), MANY + 1);
	ST_OK(gx_folder_delete(t, sub, false));
	ST_OK(gx_folder_delete(t, sub, true));
	ck_assert_uint_eq(found(t, fid, NULL), 1);
	st_commit(t);
	st_verify(s);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("search");
	TCase *c = tcase_create("search");
	tcase_add_checked_fixture(c, fix_setup, fix_teardown);
	tcase_add_test(c, a_large_folder_leaves);
	tcase_add_test(c, set_and_get);
	tcase_add_test(c, work_on_what_is_shown);
	tcase_add_test(c, finds_and_follows);
	tcase_add_test(c, static_stays);
	tcase_add_test(c, by_hand);
	tcase_add_test(c, shown_by_many);
	tcase_add_test(c, folders_move);
	tcase_add_test(c, scope_goes);
	tcase_add_test(c, in_portions);
	tcase_add_test(c, events);
	tcase_add_test(c, scopes_that_go);
	tcase_add_test(c, rendered);
	tcase_add_test(c, deleted_folders_stay_out);
	tcase_add_test(c, pacing);
	tcase_add_test(c, model);
	suite_add_tcase(x, c);
	return x;
}

GXTEST_MAIN(suite)
