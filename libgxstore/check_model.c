/* SPDX-License-Identifier: Apache-2.0 */
/* Random work against a simple model in memory, and threads against each other. */
#include <config.h>
#include "libgxstore/storetest.h"

#define FOLDERS 8
#define MESSAGES 4000

struct mmsg {
	uint64_t mid;
	uint32_t uid, flags;
	int folder; /* -1 gone */
	unsigned text;
	size_t size;
	bool soft, edited; /* edited: has no original any more */
};
/* A session that follows a folder by what refreshes tell it. */
struct session {
	struct gx_imapview *v;
	uint32_t uid[MESSAGES], flags[MESSAGES], n;
};
static struct {
	uint64_t fid[FOLDERS];
	struct mmsg m[MESSAGES];
	size_t n;
	struct session session[FOLDERS];
	struct gx_store *s;
	struct gx_arena *a;
	char dir[512];
	unsigned text;
} w;

static void open_views(void)
{
	for (int f = 0; f < FOLDERS; f++) {
		struct session *x = &w.session[f];
		x->v = st_view(w.s, w.fid[f]);
		x->n = gx_imapview_count(x->v);
		for (uint32_t i = 0; i < x->n; i++) {
			x->uid[i] = gx_imapview_at(x->v, i + 1).uid;
			x->flags[i] = gx_imapview_at(x->v, i + 1).flags;
		}
	}
}

static void close_views(void)
{
	for (int f = 0; f < FOLDERS; f++)
		gx_imapview_close(w.session[f].v);
}

static void on_expunged(uint32_t seq, uint32_t uid, void *ctx)
{
	struct session *x = ctx;
	ck_assert(seq >= 1 && seq <= x->n);
	ck_assert_uint_eq(x->uid[seq - 1], uid);
	memmove(&x->uid[seq - 1], &x->uid[seq], (x->n - seq) * sizeof(x->uid[0]));
	memmove(&x->flags[seq - 1], &x->flags[seq], (x->n - seq) * sizeof(x->flags[0]));
	x->n--;
}

static void on_changed(uint32_t seq, const struct gx_uid_entry *e, void *ctx)
{
	struct session *x = ctx;
	ck_assert(seq >= 1 && seq <= x->n);
	ck_assert_uint_eq(x->uid[seq - 1], e->uid);
	x->flags[seq - 1] = e->flags;
}

static void on_exists(uint32_t count, uint32_t recent, void *ctx)
{
	struct session *x = ctx;
	(void)recent;
	ck_assert_uint_ge(count, x->n);
	for (; x->n < count; x->n++) {
		const struct gx_uid_entry entry = gx_imapview_at(x->v, x->n + 1), *e = &entry;
		x->uid[x->n] = e->uid;
		x->flags[x->n] = e->flags;
	}
}

static void refresh(int f, bool expunge)
{
	struct session *x = &w.session[f];
	struct gx_imapview_sink sink = {on_expunged, on_changed, on_exists, x};
	ST_OK(gx_imapview_refresh(x->v, expunge, &sink));
	ck_assert_uint_eq(gx_imapview_count(x->v), x->n);
}

static void compare_folder(int f)
{
	struct session *x = &w.session[f];
	uint32_t n = 0, unread = 0, soft = 0;
	uint64_t size = 0;
	struct gx_folder_info info;
	refresh(f, true);
	for (size_t i = 0; i < w.n; i++) {
		struct mmsg *m = &w.m[i];
		if (m->folder != f)
			continue;
		if (m->soft) {
			soft++;
			continue;
		}
		uint32_t seq = gx_imapview_lower(x->v, m->uid);
		const struct gx_uid_entry entry = gx_imapview_at(x->v, seq), *e = &entry;
		ck_assert_uint_eq(e->uid, m->uid);
		ck_assert_uint_eq(e->mid, m->mid);
		ck_assert_uint_eq(e->flags & GX_MSGF_IMAP & ~GX_MSGF_RECENT, m->flags);
		ck_assert_uint_eq(x->uid[seq - 1], m->uid);
		ck_assert_uint_eq(x->flags[seq - 1] & GX_MSGF_IMAP & ~GX_MSGF_RECENT, m->flags);
		n++;
		unread += !(m->flags & GX_MSGF_READ);
		size += m->size;
	}
	ck_assert_uint_eq(x->n, n);
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	ST_OK(gx_folder_get(t, w.fid[f], w.a, &info));
	gx_txn_abort(t);
	ck_assert_uint_eq(info.total, n);
	ck_assert_uint_eq(info.unread, unread);
	ck_assert_uint_eq(info.deleted_count, soft);
	ck_assert_uint_eq(info.size, size);
}

static void compare_text(void)
{
	struct mmsg *m = &w.m[(size_t)random() % w.n];
	struct gx_push out = GX_PUSH_INIT;
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	if (m->folder >= 0 && m->edited) {
		ST_IS(gx_msg_original(t, m->mid, 0, UINT64_MAX, &out), ecNotSupported); /* nothing here renders */
	} else if (m->folder >= 0) {
		struct gx_msg_prepared *p = st_message(w.a, m->text, m->size);
		ST_OK(gx_msg_original(t, m->mid, 0, UINT64_MAX, &out));
		ck_assert_uint_eq(out.len, m->size);
		ck_assert_mem_eq(out.data, p->original.data, out.len);
		gx_msg_prepared_release(p);
	} else {
		ST_IS(gx_msg_original(t, m->mid, 0, UINT64_MAX, &out), ecNotFound);
	}
	gx_push_release(&out);
	gx_txn_abort(t);
}

static void compare(void)
{
	for (int f = 0; f < FOLDERS; f++)
		compare_folder(f);
	compare_text();
	gx_arena_reset(w.a);
}

/* Up to @max messages of a folder, as indexes. */
static size_t choose(int f, size_t idx[], size_t max)
{
	size_t n = 0, start = w.n == 0 ? 0 : (size_t)random() % w.n;
	for (size_t k = 0; k < w.n && n < max; k++) {
		size_t i = (start + k) % w.n;
		if (w.m[i].folder == f && !w.m[i].soft)
			idx[n++] = i;
	}
	return n;
}

static void do_insert(struct gx_txn *t, int f)
{
	size_t size = random() % 20 == 0 ? 150000 : 300 + (size_t)random() % 3000;
	struct mmsg *m = &w.m[w.n++];
	*m = (struct mmsg){.folder = f, .text = ++w.text, .size = size, .flags = random() % 2 ? GX_MSGF_READ : 0};
	struct gx_msg_ids ids = st_insert(t, w.fid[f], m->text, size, m->flags);
	m->mid = ids.mid;
	m->uid = ids.uid;
}

static void do_flags(struct gx_txn *t, int f)
{
	struct gx_flag_change c = {(int)(random() % 3), (uint32_t)random() & (GX_MSGF_IMAP & ~GX_MSGF_RECENT), NULL, UINT64_MAX};
	size_t idx[50], n = choose(f, idx, 1 + (size_t)random() % 50);
	uint64_t mids[50];
	for (size_t i = 0; i < n; i++) {
		uint32_t *m = &w.m[idx[i]].flags;
		mids[i] = w.m[idx[i]].mid;
		*m = c.op == GX_FLAGS_SET ? c.flags : c.op == GX_FLAGS_ADD ? *m | c.flags : *m & ~c.flags;
	}
	ST_OK(gx_msg_change_flags(t, w.fid[f], mids, n, &c, w.a, NULL, NULL));
}

static void do_delete(struct gx_txn *t, int f)
{
	bool hard = random() % 3 != 0;
	size_t idx[30], n = choose(f, idx, 1 + (size_t)random() % 30);
	uint64_t mids[30];
	for (size_t i = 0; i < n; i++) {
		mids[i] = w.m[idx[i]].mid;
		w.m[idx[i]].soft = !hard;
		w.m[idx[i]].folder = hard ? -1 : f;
	}
	ST_OK(gx_msg_delete(t, w.fid[f], mids, n, hard));
}

static void do_copy(struct gx_txn *t, int f)
{
	bool move = random() % 2;
	int to = (int)(random() % FOLDERS);
	size_t idx[20], n = choose(f, idx, 1 + (size_t)random() % 20);
	uint64_t mids[20];
	struct gx_msg_ids ids[20];
	for (size_t i = 0; i < n; i++)
		mids[i] = w.m[idx[i]].mid;
	ST_OK(gx_msg_copy(t, w.fid[f], mids, n, w.fid[to], move, ids));
	for (size_t i = 0; i < n; i++) {
		struct mmsg *m = &w.m[w.n++];
		*m = w.m[idx[i]];
		m->mid = ids[i].mid;
		m->uid = ids[i].uid;
		m->folder = to;
		if (move)
			w.m[idx[i]].folder = -1;
	}
}

static void do_props(struct gx_txn *t, int f)
{
	size_t idx[1];
	struct gx_proplist l = {0};
	if (choose(f, idx, 1) == 0)
		return;
	struct mmsg *m = &w.m[idx[0]];
	struct gx_msg_info info;
	bool shown = random() % 2;
	if (shown) /* IMAP shows it: the message comes anew */
		ck_assert_int_eq(gx_proplist_set_str(&l, w.a, PidTagSubject, gx_arena_printf(w.a, "changed %ld", random())), 0);
	else
		ck_assert_int_eq(gx_proplist_set_i32(&l, w.a, PidTagIconIndex, (int32_t)random()), 0);
	ST_OK(gx_msg_set_props(t, m->mid, &l));
	ST_OK(gx_msg_get(t, m->mid, &info));
	for (size_t i = 0; i < w.n && shown; i++)
		ck_assert(w.m[i].folder != f || w.m[i].uid < info.uid);
	if (!shown)
		ck_assert_uint_eq(info.uid, m->uid);
	m->uid = info.uid;
	m->edited = m->edited || shown;
	if (m->edited)
		m->size = info.size;
	else
		ck_assert_uint_eq(info.size, m->size);
}

static void one_op(struct gx_txn *t)
{
	int f = (int)(random() % FOLDERS);
	switch (random() % 10) {
	case 0:
	case 1:
		do_flags(t, f);
		break;
	case 2:
		do_delete(t, f);
		break;
	case 3:
		do_copy(t, f);
		break;
	case 4:
		do_props(t, f);
		break;
	default:
		do_insert(t, f);
	}
}

static void step(void)
{
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	if (random() % 10 == 0) { /* what is given up leaves no trace */
		static struct mmsg saved[MESSAGES];
		size_t n = w.n;
		memcpy(saved, w.m, sizeof(saved));
		for (int i = 0; i < 3; i++)
			one_op(t);
		gx_txn_abort(t);
		memcpy(w.m, saved, sizeof(saved));
		w.n = n;
		return;
	}
	for (long i = random() % 4; i >= 0; i--)
		one_op(t);
	st_commit(t);
	refresh((int)(random() % FOLDERS), random() % 2);
}

static void reopen(void)
{
	close_views();
	gx_store_close(w.s);
	w.s = st_open(w.dir);
	open_views();
}

START_TEST(random_work_agrees_with_the_model)
{
	memset(&w, 0, sizeof(w));
	srandom(_i + 100U);
	snprintf(w.dir, sizeof(w.dir), "%s", st_dir());
	st_create(w.dir);
	w.s = st_open(w.dir);
	w.a = gx_arena_new(0);
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (int f = 0; f < FOLDERS; f++)
		ST_OK(gx_folder_create(t, f == 0 ? GX_FID_INBOX : w.fid[f / 2], gx_arena_printf(w.a, "f%d", f), NULL, GX_FOLDER_GENERIC,
			NULL, &w.fid[f]));
	do_insert(t, 0);
	st_commit(t);
	open_views();
	for (int i = 0; w.n < MESSAGES - 100 && i < 800; i++) {
		step();
		if (i % 20 == 19)
			compare();
		if (i % 170 == 169)
			reopen();
		if (i % 250 == 249)
			st_verify(w.s);
	}
	compare();
	close_views();
	t = st_begin(w.s, GX_TXN_WRITE); /* everything goes, and leaves nothing behind */
	ST_OK(gx_folder_delete(t, w.fid[0], true));
	st_commit(t);
	st_verify(w.s);
	gx_store_close(w.s);
	gx_arena_free(w.a);
	st_rmtree(w.dir);
}
END_TEST

/* ---- Threads ---- */

#define WRITERS 3
#define READERS 3
static atomic_bool stop;
static atomic_uint inserted, deleted, events;

static void count_event(const struct gx_event *ev, void *ctx)
{
	(void)ctx;
	if (ev->type == GX_EV_MSG_CREATED)
		atomic_fetch_add(&events, 1);
}

static void *writer(void *ctx)
{
	struct gx_store *s = ctx;
	struct gx_arena *x = gx_arena_new(0);
	uint64_t last[4] = {0};
	for (unsigned i = 0; !atomic_load(&stop); i++) {
		struct gx_msg_prepared *p = st_message(x, i, i % 16 == 0 ? 200000 : 900);
		struct gx_flag_change c = {GX_FLAGS_ADD, GX_MSGF_READ, NULL, UINT64_MAX};
		struct gx_msg_ids ids;
		struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
		ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, NULL, &ids));
		if (last[i % 4] != 0 && i % 3 == 0) {
			ST_OK(gx_msg_delete(t, GX_FID_INBOX, &last[i % 4], 1, true));
			atomic_fetch_add(&deleted, 1);
		} else if (last[i % 4] != 0) {
			ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &last[i % 4], 1, &c, x, NULL, NULL));
		}
		ck_assert_int_eq(gx_txn_commit(t, i % 8 == 0 ? GX_SYNC_NOW : GX_SYNC_LATER), 0);
		last[i % 4] = ids.mid;
		atomic_fetch_add(&inserted, 1);
		gx_msg_prepared_release(p);
		gx_arena_reset(x);
	}
	gx_arena_free(x);
	return NULL;
}

static void *reader(void *ctx)
{
	struct gx_store *s = ctx;
	struct gx_push out = GX_PUSH_INIT;
	while (!atomic_load(&stop)) {
		struct gx_imapview *v = st_view(s, GX_FID_INBOX);
		for (int i = 0; i < 10; i++) {
			ST_OK(gx_imapview_refresh(v, i % 2 == 0, NULL));
			uint32_t n = gx_imapview_count(v), last = 0;
			for (uint32_t k = 1; k <= n; k++) {
				ck_assert_uint_gt(gx_imapview_at(v, k).uid, last);
				last = gx_imapview_at(v, k).uid;
			}
			if (n == 0)
				continue;
			struct gx_txn *t = st_begin(s, GX_TXN_READ);
			gx_push_clear(&out);
			gx_ec ec = gx_msg_original(t, gx_imapview_at(v, n).mid, 0, UINT64_MAX, &out);
			ck_assert_msg(!gx_ec_failed(ec) || gx_ec_is(ec, ecNotFound), "%s: %s", gx_ec_name(ec), gx_txn_why(t));
			gx_txn_abort(t);
		}
		gx_imapview_close(v);
		ck_assert_int_eq(gx_store_sync(s), 0);
	}
	gx_push_release(&out);
	return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
	char dir[512];
	pthread_t th[WRITERS + READERS];
	uint64_t sub;
	snprintf(dir, sizeof(dir), "%s", st_dir());
	st_create(dir);
	struct gx_store *s = st_open(dir);
	ck_assert_int_eq(gx_store_subscribe(s, GX_FID_INBOX, UINT32_MAX, count_event, NULL, &sub), 0);
	struct gx_imapview *kept = st_view(s, GX_FID_INBOX);
	for (int i = 0; i < WRITERS + READERS; i++)
		ck_assert_int_eq(pthread_create(&th[i], NULL, i < WRITERS ? writer : reader, s), 0);
	usleep(1500000);
	for (int i = 0; i < 600 && atomic_load(&inserted) <= 10; i++)
		usleep(100000);
	atomic_store(&stop, true);
	for (int i = 0; i < WRITERS + READERS; i++)
		pthread_join(th[i], NULL);
	ST_OK(gx_imapview_refresh(kept, true, NULL));
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	struct gx_arena *x = gx_arena_new(0);
	struct gx_folder_info f;
	ST_OK(gx_folder_get(t, GX_FID_INBOX, x, &f));
	gx_txn_abort(t);
	ck_assert_uint_eq(f.total, gx_imapview_count(kept));
	ck_assert_uint_eq(f.highest_modseq, gx_imapview_modseq(kept));
	ck_assert_uint_eq(f.uidnext, gx_imapview_uidnext(kept));
	ck_assert_uint_eq(atomic_load(&events), atomic_load(&inserted));
	ck_assert_uint_eq(f.uidnext, atomic_load(&inserted) + 1);
	ck_assert_uint_gt(atomic_load(&inserted), 10);
	gx_imapview_close(kept);
	gx_store_unsubscribe(s, sub);
	gx_arena_free(x);
	st_verify(s);
	gx_store_close(s);
	st_rmtree(dir);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("model");
	TCase *c = tcase_create("model");
	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, random_work_agrees_with_the_model, 0, 3);
	tcase_add_test(c, threads_do_not_disturb_each_other);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
