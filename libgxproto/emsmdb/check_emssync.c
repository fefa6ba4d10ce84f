/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that keep copies of folders as Outlook does, by synchronising through a session, while everything that can happen to messages
 * happens at random, also in the middle of a stream, and sessions are lost: after each synchronisation the copy is
 * what the folder is. GX_SOAK_SECONDS goes on with other numbers for so long.
 */
#include <config.h>
#include <time.h>
#include <gx/instance.h>
#include "libgxproto/emsmdb/icsclient.h"

#define FOLDERS 2
#define CLIENTS 4
#define ITEMS 900

struct item {
	uint64_t mid;
	bool fai, read;
	char subject[48];
	uint32_t text;               /* of body and attachments, a sum over it */
	uint8_t key[24];
	size_t key_len;
};
struct client {
	uint64_t fid;
	uint16_t flags;
	uint32_t extra, send;
	const struct gx_restr *restr;
	struct gx_bin set[GX_SYNCIN_SETS];
	struct item v[ITEMS];
	size_t n;
	/* While it synchronises. */
	unsigned changes;
	bool own_notes;              /* it notes itself what it has received */
	bool resumed;                /* by the server's word, which may be one buffer behind: it is told again what is gone */
	bool ended;
};
static struct {
	struct gx_store *s;
	struct gx_ems_session *other; /* with handles of its own */
	uint64_t fid[FOLDERS];
	struct client c[CLIENTS];
	uint64_t seed;
	unsigned text, interrupted, compared, meddled;
} w;

static const struct gx_restr sevens = {.type = RES_CONTENT, .u.content = {.level = FL_SUBSTRING, .tag = PidTagSubject,
	.val = {.tag = PidTagSubject, .v.str = "7"}}};

static uint32_t rnd(uint32_t n)
{
	w.seed = w.seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w.seed >> 33) % n;
}

static uint32_t sum(uint32_t h, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619U;
	return h;
}

/* ---- What a message says ---- */

static uint32_t text_of(const struct gx_msgobj *m)
{
	const struct gx_propval *data;
	const char *body = gx_proplist_str(&m->props, PidTagBody, "");
	uint32_t h = sum(2166136261U, body, strlen(body));
	for (size_t i = 0; i < m->att_count; i++) {
		data = gx_proplist_get(&m->atts[i].props, PidTagAttachDataBinary);
		h = sum(h, "attachment", 10);
		if (data != NULL)
			h = sum(h, data->v.bin.data, data->v.bin.len);
		if (m->atts[i].embedded != NULL)
			h = sum(h, "embedded", 8) ^ text_of(m->atts[i].embedded);
	}
	return sum(h, &m->rcpt_count, sizeof(m->rcpt_count));
}

static void say(struct item *i, const struct gx_proplist *header, const struct gx_msgobj *m, bool fai)
{
	struct gx_bin key = ic_bin(header, PidTagChangeKey);
	snprintf(i->subject, sizeof(i->subject), "%s", gx_proplist_str(&m->props, PidTagSubject, ""));
	i->fai = fai;
	i->read = (gx_proplist_i32(&m->props, PidTagMessageFlags, 0) & 1) != 0;
	i->text = text_of(m);
	ck_assert_uint_le(key.len, sizeof(i->key));
	memcpy(i->key, key.data, key.len);
	i->key_len = key.len;
}

static void read_item(struct gx_txn *t, uint64_t mid, struct item *i)
{
	static const gx_proptag_t key = PidTagChangeKey;
	struct gx_msg_info info;
	struct gx_msgobj *m;
	struct gx_proplist l;
	ST_OK(gx_msg_get(t, mid, &info));
	ST_OK(gx_msg_read(t, mid, et_a, &m));
	ST_OK(gx_msg_get_props(t, mid, &key, 1, et_a, &l));
	*i = (struct item){.mid = mid};
	say(i, &l, m, (info.flags & GX_MSGF_FAI) != 0);
	i->read = (info.flags & GX_MSGF_READ) != 0;
}

static size_t mids_of(struct gx_txn *t, uint64_t fid, uint64_t *v)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	size_t n = 0;
	while (gx_sql__step(st) > 0) {
		ck_assert_uint_lt(n, ITEMS);
		v[n++] = gx_sql__u64(st, 0);
	}
	return n;
}

/* ---- The client's copy ---- */

static struct item *find(struct client *c, uint64_t mid)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].mid == mid)
			return &c->v[i];
	return NULL;
}

static bool wanted(const struct client *c, const struct item *i)
{
	return (c->flags & (i->fai ? GX_SYNC_FAI : GX_SYNC_NORMAL)) != 0 && (c->restr == NULL || strchr(i->subject, '7') != NULL);
}

static int on_message(const struct gx_syncin_message *m, void *ctx)
{
	struct client *c = ctx;
	struct gx_bin key = ic_bin(m->header, PidTagChangeKey);
	uint64_t mid = ic_number(ic_bin(m->header, PidTagSourceKey));
	struct item *i = find(c, mid);
	ck_assert_msg(i == NULL || i->key_len != key.len || memcmp(i->key, key.data, key.len) != 0, "it had that already");
	if (i == NULL) {
		ck_assert_uint_lt(c->n, ITEMS);
		i = &c->v[c->n++];
		*i = (struct item){.mid = mid};
	}
	say(i, m->header, m->msg, m->associated);
	ck_assert(wanted(c, i) || c->restr != NULL); /* it may have changed since it was looked at */
	ck_assert_int_eq(gx_proplist_get(m->header, PidTagMid) != NULL, (c->extra & GX_SYNC_EXTRA_EID) != 0);
	ck_assert_int_eq(gx_proplist_get(m->header, PidTagMessageSize) != NULL, (c->extra & GX_SYNC_EXTRA_SIZE) != 0);
	c->changes++;
	if (c->own_notes) {
		uint64_t cn = gx_eid_counter((uint64_t)gx_proplist_get(m->header, PidTagChangeNumber)->v.i64);
		ic_state_change(c->set, GX_SYNCIN_GIVEN, mid, true);
		ic_state_change(c->set, m->associated ? GX_SYNCIN_SEEN_FAI : GX_SYNCIN_SEEN, cn, true);
	}
	return 0;
}

static void each(const struct gx_idset *ids, struct client *c, int what)
{
	struct gx_globset_iter it;
	struct gx_idrange r;
	ck_assert_uint_eq(ids->n, 1);
	gx_globset_iter(gx_idset_get(ids, 1), &it);
	while (gx_globset_next(&it, &r))
		for (uint64_t mid = r.lo; mid <= r.hi; mid++) {
			struct item *i = find(c, mid);
			ck_assert_msg(i != NULL || (what < 0 && c->resumed), "told of what it never had, or twice");
			if (what >= 0)
				i->read = what;
			else if (i != NULL)
				*i = c->v[--c->n];
			if (what < 0 && c->own_notes)
				ic_state_change(c->set, GX_SYNCIN_GIVEN, mid, false);
		}
}

static int on_gone(gx_proptag_t why, const struct gx_idset *ids, void *ctx)
{
	(void)why;
	each(ids, ctx, -1);
	return 0;
}

static int on_read(bool read, const struct gx_idset *ids, void *ctx)
{
	each(ids, ctx, read);
	return 0;
}

static int on_state(const struct gx_syncin_state *s, void *ctx)
{
	struct client *c = ctx;
	ic_state_copy(c->set, s->set);
	c->ended = true;
	return 0;
}

static const struct gx_syncin_ops ops = {.message = on_message, .gone = on_gone, .read = on_read, .state = on_state};

/* The copy is the folder, item by item. */
static void compare(struct client *c)
{
	static uint64_t v[ITEMS];
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	size_t n = mids_of(t, c->fid, v), in = 0;
	struct item now;
	for (size_t k = 0; k < n; k++) {
		read_item(t, v[k], &now);
		if (!wanted(c, &now))
			continue;
		in++;
		const struct item *i = find(c, now.mid);
		ck_assert_msg(i != NULL, "message %llx was lost", (unsigned long long)now.mid);
		ck_assert_str_eq(i->subject, now.subject);
		ck_assert_uint_eq(i->text, now.text);
		ck_assert_int_eq(i->fai, now.fai);
		ck_assert_uint_eq(i->key_len, now.key_len);
		ck_assert_mem_eq(i->key, now.key, now.key_len);
		ck_assert(i->read == now.read || i->fai || !(c->flags & GX_SYNC_READ_STATE));
	}
	ck_assert_uint_eq(in, c->n);
	gx_txn_abort(t);
	w.compared++;
}

/* ---- Synchronisation ---- */

static void configure(struct client *c)
{
	const struct gx_rop_synchronization_configure_req q = {.synchronization_type = GX_SYNC_CONTENTS, .send_options = (uint8_t)c->send,
		.synchronization_flags = c->flags, .synchronization_extra_flags = c->extra, .restriction_data = c->restr};
	ic_open(IC_FOLDER, c->fid);
	ST_OK(ic_try_configure(&q));
	ic_upload_state(IC_SYNC, c->set);
}

static void work(void);

/* @return whether it came to the end, with nothing happening meanwhile. */
static bool pull(struct client *c, struct gx_syncin *in, bool breaks, bool meddles)
{
	struct gx_rop_fast_transfer_source_get_buffer_res *r;
	bool quiet = true;
	unsigned buffers = rnd(6);
	do {
		uint16_t size = breaks || meddles ? (uint16_t)(300 + rnd(6000)) : 30000;
		ST_OK(ic_get(IC_SYNC, size, &r));
		ck_assert_msg(gx_syncin_write(in, r->transfer_buffer.data, r->transfer_buffer.len) == 0, "%s", gx_syncin_text(in));
		if (breaks && buffers-- == 0)
			return false;
		if (meddles && r->transfer_status == GX_FTX_STATUS_PARTIAL && rnd(3) == 0) {
			work();
			w.meddled++;
			quiet = false;
		}
	} while (r->transfer_status == GX_FTX_STATUS_PARTIAL);
	ck_assert_int_eq(gx_syncin_end(in), 0);
	ck_assert(c->ended);
	return quiet;
}

/* What it was sent and has not noted it forgets: the version before, and what it did not have. */
static void forget(struct client *c, const struct client *before)
{
	memcpy(c->v, before->v, sizeof(c->v));
	c->n = before->n;
	ic_state_copy(c->set, before->set);
}

static void synchronise(struct client *c)
{
	static struct client before;
	struct gx_syncin_opts o = GX_SYNCIN_OPTS_INIT;
	struct gx_syncin *in = NULL;
	bool breaks = rnd(3) == 0, meddles = rnd(4) == 0;
	int how = (int)rnd(3);
	ic_reset();
	memcpy(before.v, c->v, sizeof(c->v));
	before.n = c->n;
	ic_state_copy(before.set, c->set);
	c->ended = false;
	c->extra = (c->extra & GX_SYNC_EXTRA_BY_TIME) | rnd(8);
	c->own_notes = breaks && how == 0;
	if (c->own_notes)
		c->extra |= GX_SYNC_EXTRA_CN;
	o.send_options = c->send;
	configure(c);
	ck_assert_int_eq(gx_syncin_new(&o, &ops, c, &in), 0);
	bool quiet = pull(c, in, breaks, meddles);
	if (c->ended) {
		if (quiet)
			compare(c);
	} else {
		w.interrupted++;
		if (how == 1)
			forget(c, &before);
		if (how == 2)
			ic_fetch_state(IC_SYNC, c->set);
	}
	c->resumed = !c->ended && (c->resumed || how == 2);
	gx_syncin_free(in);
	ic_state_free(before.set);
	c->own_notes = false;
	if (!c->ended && rnd(2) == 0)
		ic_reconnect();
	else
		ic_release(IC_SYNC);
}

/* ---- What happens ---- */

static void insert_some(struct gx_txn *t, uint64_t fid, uint32_t n)
{
	while (n-- > 0) {
		struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
		struct gx_msg_ids ids;
		struct gx_arena *a = gx_arena_new(0);
		struct gx_msg_prepared *p = st_message(a, w.text++, rnd(30) == 0 ? 70000 : 250 + rnd(2000));
		o.flags = (rnd(5) == 0 ? GX_MSGF_FAI : 0) | (rnd(3) == 0 ? GX_MSGF_READ : 0);
		o.received = 1 + rnd(1000);
		ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
		gx_msg_prepared_release(p);
		gx_arena_free(a);
	}
}

static void set_subject(struct gx_txn *t, uint64_t mid)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagSubject, gx_arena_printf(et_a, "changed %u", w.text++)), 0);
	ST_OK(gx_msg_set_props(t, mid, &l));
}

static void attach(struct gx_txn *t, uint64_t mid)
{
	struct gx_inst *m, *att, *e;
	struct gx_proplist l = {0};
	uint32_t num, n = rnd(4) == 0 ? 90000 : rnd(3000);
	uint8_t *data = gx_arena_alloc(et_a, n);
	for (uint32_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 7 + w.text);
	ST_OK(gx_inst_open(t, 0, mid, GX_INST_WRITE, &m));
	ST_OK(gx_inst_att_new(t, m, &num, &att));
	if (rnd(3) == 0) {
		ST_OK(gx_inst_embedded_open(t, att, true, GX_INST_WRITE, &e));
		ck_assert_int_eq(gx_proplist_set_str(&l, et_a, PidTagBody, gx_arena_printf(et_a, "inner %u", w.text)), 0);
		ST_OK(gx_inst_set_props(e, &l, 0, et_a, NULL));
		ST_OK(gx_inst_save(t, e, 0, NULL));
		gx_inst_free(e);
	} else {
		ck_assert_int_eq(gx_proplist_set_bin(&l, et_a, PidTagAttachDataBinary, data, n), 0);
		ck_assert_int_eq(gx_proplist_set_i32(&l, et_a, PidTagAttachMethod, 1), 0);
		ST_OK(gx_inst_set_props(att, &l, 0, et_a, NULL));
	}
	ST_OK(gx_inst_save(t, att, 0, NULL));
	ST_OK(gx_inst_save(t, m, GX_SAVE_FORCE, NULL));
	gx_inst_free(att);
	gx_inst_free(m);
	w.text++;
}

static void step(struct gx_txn *t)
{
	static uint64_t v[ITEMS];
	uint64_t fid = w.fid[rnd(FOLDERS)], to = w.fid[rnd(FOLDERS)];
	uint32_t what = rnd(100);
	size_t n = mids_of(t, fid, v);
	if (what < 30 || n == 0) {
		insert_some(t, fid, n > ITEMS / 8 ? 0 : 1 + rnd(4));
		return;
	}
	size_t from = rnd((uint32_t)n), some = 1 + rnd(4);
	some = some > n - from ? n - from : some;
	if (what < 48)
		set_subject(t, v[from]);
	else if (what < 55)
		attach(t, v[from]);
	else if (what < 70)
		ST_OK(gx_msg_set_read(t, v[from], rnd(2) ? GX_RF_CLEAR_READ : 0, NULL));
	else if (what < 76)
		ST_OK(gx_msg_copy(t, fid, v + from, some, to, true, NULL));
	else if (what < 80)
		ST_OK(gx_msg_copy(t, fid, v + from, some, to, false, NULL));
	else if (what < 98)
		ST_OK(gx_msg_delete(t, fid, v + from, some, rnd(2) != 0));
	else
		ST_OK(gx_msg_delete(t, fid, v, n, rnd(2) != 0));
}

/* ---- Another session of the same user ---- */

static void swap_sessions(void)
{
	static uint32_t handles[ET_HANDLES];
	struct gx_ems_session *s = et_s;
	uint32_t mine[ET_HANDLES];
	memcpy(mine, et_handles, sizeof(mine));
	memcpy(et_handles, handles, sizeof(mine));
	memcpy(handles, mine, sizeof(mine));
	et_s = w.other;
	w.other = s;
}

static void say_something(uint8_t h)
{
	struct gx_rop_set_properties_req q = {0};
	ck_assert_int_eq(gx_proplist_set_str(&q.property_values, et_a, PidTagSubject, gx_arena_printf(et_a, "session %u", w.text++)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&q.property_values, et_a, PidTagMessageClass, "IPM.Note"), 0);
	ST_OK(et_do(RopSetProperties, h, 0, &q, NULL));
	ST_OK(et_do(RopSaveChangesMessage, h, h, &(struct gx_rop_save_changes_message_req){6}, NULL));
	ic_release(h);
}

static void work_in_session(void)
{
	static uint64_t v[ITEMS];
	uint64_t fid = w.fid[rnd(FOLDERS)];
	struct gx_txn *t = st_begin(w.s, GX_TXN_READ);
	size_t n = mids_of(t, fid, v);
	uint32_t what = rnd(3);
	gx_txn_abort(t);
	swap_sessions();
	if (what == 0 || n == 0) {
		const struct gx_rop_create_message_req q = {.code_page_id = 1252, .folder_id = gx_eid_wire(fid), .associated_flag = rnd(5) == 0};
		ST_OK(et_do(RopCreateMessage, IC_LOGON, IC_MESSAGE, &q, NULL));
		say_something(IC_MESSAGE);
	} else if (what == 1) {
		const struct gx_rop_open_message_req q = {1252, gx_eid_wire(fid), 1, gx_eid_wire(v[rnd((uint32_t)n)])};
		ST_OK(et_do(RopOpenMessage, IC_LOGON, IC_MESSAGE, &q, NULL));
		say_something(IC_MESSAGE);
	} else {
		uint64_t mid = gx_eid_wire(v[rnd((uint32_t)n)]);
		const struct gx_rop_delete_messages_req q = {.message_ids = &mid, .message_ids_count = 1};
		ic_open(IC_FOLDER, fid);
		ST_OK(et_do(RopDeleteMessages, IC_FOLDER, 0, &q, NULL));
	}
	swap_sessions();
}

static void work(void)
{
	if (rnd(4) == 0) {
		work_in_session();
		return;
	}
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (uint32_t k = 1 + rnd(3); k > 0; k--)
		step(t);
	st_commit(t);
}

/* ---- All together ---- */

static void setup(void)
{
	static const uint16_t both = GX_SYNC_FAI | GX_SYNC_NORMAL | GX_SYNC_READ_STATE | GX_SYNC_UNICODE;
	ic_setup();
	w.s = et_s->logons[0]->store;
	w.other = et_connect("ann@example.org", et_dn[0]);
	swap_sessions();
	memset(et_handles, 0xff, sizeof(et_handles));
	et_logon(et_dn[0]);
	swap_sessions();
	struct gx_txn *t = st_begin(w.s, GX_TXN_WRITE);
	for (int i = 0; i < FOLDERS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "folder %d", i);
		ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, name, NULL, GX_FOLDER_GENERIC, NULL, &w.fid[i]));
	}
	st_commit(t);
	w.c[0] = (struct client){.fid = w.fid[0], .flags = both | GX_SYNC_BEST_BODY | GX_SYNC_PROGRESS, .send = GX_FTX_SEND_UNICODE};
	w.c[1] = (struct client){.fid = w.fid[1], .flags = both | GX_SYNC_BEST_BODY, .extra = GX_SYNC_EXTRA_BY_TIME,
		.send = GX_FTX_SEND_FORCE_UNICODE | GX_FTX_SEND_RECOVER_MODE};
	w.c[2] = (struct client){.fid = w.fid[0], .flags = GX_SYNC_NORMAL | GX_SYNC_READ_STATE};
	w.c[3] = (struct client){.fid = w.fid[1], .flags = both & ~GX_SYNC_READ_STATE, .restr = &sevens, .send = GX_FTX_SEND_FOR_UPLOAD};
}

static void teardown(void)
{
	for (int i = 0; i < CLIENTS; i++)
		ic_state_free(w.c[i].set);
	st_verify(w.s);
	gx_ems_session_put(w.other);
	ic_teardown();
}

static void run(uint64_t seed, unsigned steps)
{
	w.seed = seed;
	for (unsigned i = 0; i < steps; i++) {
		ic_reset();
		work();
		if (rnd(3) == 0)
			synchronise(&w.c[rnd(CLIENTS)]);
	}
	for (int i = 0; i < CLIENTS; i++)
		for (int k = 0; k < 5; k++)
			synchronise(&w.c[i]);
}

START_TEST(copies_are_what_the_folder_is)
{
	const char *seconds = getenv("GX_SOAK_SECONDS");
	time_t until = time(NULL) + (seconds == NULL ? 0 : strtol(seconds, NULL, 10));
	uint64_t seed = 1 + (uint64_t)_i;
	do {
		run(seed, 300);
		seed += 1000;
	} while (time(NULL) < until);
	ck_assert_uint_gt(w.interrupted, 3);
	ck_assert_uint_gt(w.compared, 10);
	ck_assert_uint_gt(w.meddled, 5);
}
END_TEST

static Suite *emssync_suite(void)
{
	Suite *suite = suite_create("emssync");
	TCase *t = tcase_create("emssync");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 3600);
	tcase_add_loop_test(t, copies_are_what_the_folder_is, 0, (int)gxtest_rounds(3));
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(emssync_suite)
