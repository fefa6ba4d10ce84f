/* SPDX-License-Identifier: Apache-2.0 */
/* Change synchronisation, case by case; check_icsmodel.c has the random ones. */
#include <config.h>
#include <gx/entryid.h>
#include <gx/search.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/fixtest.h"
#include "libgxstore/ics/icstest.h"

/* A client of one folder. */
struct client {
	uint64_t fid;
	struct gx_globset given, seen, seen_fai, read;
	bool no_fai, ordered;
	const struct gx_restr *restr;
};

static struct client me;

static void setup(void)
{
	fix_setup();
	me = (struct client){.fid = GX_FID_INBOX};
}

static void release(struct client *c)
{
	gx_globset_release(&c->given);
	gx_globset_release(&c->seen);
	gx_globset_release(&c->seen_fai);
	gx_globset_release(&c->read);
}

static void teardown(void)
{
	release(&me);
	fix_teardown();
}

static struct gx_ics_content *open_sync(const struct client *c)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content *x = NULL;
	o.given = &c->given;
	o.seen = &c->seen;
	o.seen_fai = c->no_fai ? NULL : &c->seen_fai;
	o.read = &c->read;
	o.restr = c->restr;
	o.ordered = c->ordered;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_ics_content_open(t, c->fid, &o, &x));
	gx_txn_abort(t);
	return x;
}

/* As a client does at the end. */
static void finish(struct client *c, struct gx_ics_content *x)
{
	const struct gx_ics_summary *sum = gx_ics_content_summary(x);
	gx_globset_release(&c->given);
	ck_assert_int_eq(gx_globset_union(&c->given, gx_ics_content_set(x, GX_ICS_GIVEN)), 0);
	ck_assert_int_eq(gx_globset_add_range(&c->seen, 1, sum->last_cn), 0);
	if (!c->no_fai)
		ck_assert_int_eq(gx_globset_add_range(&c->seen_fai, 1, sum->last_cn), 0);
	ck_assert_int_eq(gx_globset_add_range(&c->read, 1, sum->last_readcn), 0);
	gx_ics_content_free(x);
}

/* "changed ... -deleted ... ~no longer ... +read ... =unread", ids as indices into mids. */
static const char *synced(struct client *c, const struct gx_msg_ids *m, size_t n)
{
	static const struct {
		int set;
		char mark;
	} sets[] = {{GX_ICS_DELETED, '-'}, {GX_ICS_NOLONGER, '~'}, {GX_ICS_READ, '+'}, {GX_ICS_UNREAD, '='}};
	struct gx_ics_content *x = open_sync(c);
	struct gx_ics_change ch;
	struct gx_strbuf b = GX_STRBUF_INIT;
	while (ict_next(x, &ch))
		for (size_t i = 0; i < n; i++)
			if (m[i].mid == ch.mid)
				gx_strbuf_printf(&b, " %s%zu", ch.updated ? "u" : "", i);
	for (size_t k = 0; k < sizeof(sets) / sizeof(sets[0]); k++)
		for (size_t i = 0; i < n; i++)
			if (gx_globset_contains(gx_ics_content_set(x, sets[k].set), m[i].mid))
				gx_strbuf_printf(&b, " %c%zu", sets[k].mark, i);
	finish(c, x);
	const char *text = gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return text;
}

static void insert(struct gx_msg_ids *m, size_t n, uint32_t flags)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (size_t i = 0; i < n; i++)
		m[i] = st_insert(t, GX_FID_INBOX, (unsigned)i, 300, flags);
	st_commit(t);
}

static void flag(uint64_t mid, int op, uint32_t flags, const char *keyword)
{
	const char *const kw[] = {keyword, NULL};
	const struct gx_flag_change c = {.op = op, .flags = flags, .keywords = keyword == NULL ? NULL : kw, .unchanged_since = UINT64_MAX};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &mid, 1, &c, a, NULL, NULL));
	st_commit(t);
}

static void set_subject(uint64_t mid, const char *text)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, text), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_set_props(t, mid, &l));
	st_commit(t);
}

static void delete(uint64_t mid, bool hard)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, hard));
	st_commit(t);
}

START_TEST(first_and_next)
{
	struct gx_msg_ids m[6] = {0};
	ck_assert_str_eq(synced(&me, m, 0), "");
	insert(m, 3, 0);
	insert(m + 3, 1, GX_MSGF_FAI);
	ck_assert_str_eq(synced(&me, m, 4), " 0 1 2 3");
	ck_assert_str_eq(synced(&me, m, 4), "");
	insert(m + 4, 2, 0);
	set_subject(m[1].mid, "new");
	ck_assert_str_eq(synced(&me, m, 6), " 4 5 u1");
	set_subject(m[3].mid, "new");
	delete(m[0].mid, true);
	delete(m[4].mid, false);
	ck_assert_str_eq(synced(&me, m, 6), " u3 -0 -4");
	delete(m[3].mid, true);
	ck_assert_str_eq(synced(&me, m, 6), " -3");
	ck_assert_str_eq(synced(&me, m, 6), "");
	ck_assert_uint_eq(me.given.count, 3);
}
END_TEST

/* [MS-OXCFXICS] 3.2.5.3: read state is told apart from changes; \Deleted, \Recent and keywords are IMAP's. */
START_TEST(flags)
{
	struct gx_msg_ids m[2] = {0};
	insert(m, 1, 0);
	insert(m + 1, 1, GX_MSGF_FAI);
	ck_assert_str_eq(synced(&me, m, 2), " 0 1");
	flag(m[0].mid, GX_FLAGS_ADD, GX_MSGF_READ, NULL);
	ck_assert_str_eq(synced(&me, m, 2), " +0");
	flag(m[0].mid, GX_FLAGS_REMOVE, GX_MSGF_READ, NULL);
	ck_assert_str_eq(synced(&me, m, 2), " =0");
	static const uint32_t content[] = {GX_MSGF_ANSWERED, GX_MSGF_FLAGGED, GX_MSGF_FORWARDED, GX_MSGF_DRAFT};
	for (size_t i = 0; i < sizeof(content) / sizeof(content[0]); i++) {
		flag(m[0].mid, GX_FLAGS_ADD, content[i], NULL);
		ck_assert_str_eq(synced(&me, m, 2), " u0");
	}
	flag(m[0].mid, GX_FLAGS_ADD, GX_MSGF_DELETED, NULL);
	flag(m[0].mid, GX_FLAGS_ADD, GX_MSGF_RECENT, NULL);
	flag(m[0].mid, GX_FLAGS_ADD, 0, "$Label1");
	ck_assert_str_eq(synced(&me, m, 2), "");
	/* both at once: the message comes with its state */
	flag(m[0].mid, GX_FLAGS_ADD, GX_MSGF_READ, NULL);
	set_subject(m[0].mid, "new");
	ck_assert_str_eq(synced(&me, m, 2), " u0");
	flag(m[1].mid, GX_FLAGS_ADD, GX_MSGF_READ, NULL);
	ck_assert_str_eq(synced(&me, m, 2), "");
}
END_TEST

START_TEST(moves)
{
	struct gx_msg_ids m[3] = {0}, to[1];
	insert(m, 2, 0);
	synced(&me, m, 2);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &m[0].mid, 1, GX_FID_DRAFTS, true, to));
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &m[1].mid, 1, GX_FID_INBOX, false, &m[2]));
	st_commit(t);
	ck_assert_str_eq(synced(&me, m, 3), " 2 -0");
	struct client other = {.fid = GX_FID_DRAFTS};
	ck_assert_str_eq(synced(&other, to, 1), " 0");
	release(&other);
}
END_TEST

START_TEST(restrictions)
{
	static const struct gx_restr news = {.type = RES_CONTENT, .u.content = {.level = FL_SUBSTRING, .tag = PidTagSubject,
		.val = {.tag = PidTagSubject, .v.str = "new"}}};
	static const struct gx_restr rcpt_is = {.type = RES_PROPERTY, .u.prop = {.relop = RELOP_EQ, .tag = PidTagSmtpAddress,
		.val = {.tag = PidTagSmtpAddress, .v.str = "u@example.org"}}};
	static const struct gx_restr to_me = {.type = RES_SUBRESTRICTION, .u.sub = {.subobject = PidTagMessageRecipients, .sub = &rcpt_is}};
	static const struct gx_restr body = {.type = RES_CONTENT, .u.content = {.level = FL_SUBSTRING, .tag = PidTagBody,
		.val = {.tag = PidTagBody, .v.str = "no such text"}}};
	struct gx_msg_ids m[3] = {0};
	insert(m, 3, 0);
	set_subject(m[1].mid, "new");
	me.restr = &news;
	ck_assert_str_eq(synced(&me, m, 3), " 1");
	set_subject(m[2].mid, "newer");
	set_subject(m[1].mid, "old");
	ck_assert_str_eq(synced(&me, m, 3), " 2 ~1");
	me.restr = NULL;
	ck_assert_str_eq(synced(&me, m, 3), " 0 1");
	ck_assert_str_eq(synced(&me, m, 3), "");
	me.restr = &to_me;
	ck_assert_str_eq(synced(&me, m, 3), "");
	delete(m[0].mid, true);
	me.restr = &body;
	ck_assert_str_eq(synced(&me, m, 3), " -0 ~1 ~2");
	me.restr = NULL;
	ck_assert_str_eq(synced(&me, m, 3), " 2 1");
}
END_TEST

/* Associated messages that are not wanted any more leave the scope. */
START_TEST(associated)
{
	struct gx_msg_ids m[2] = {0};
	insert(m, 1, 0);
	insert(m + 1, 1, GX_MSGF_FAI);
	me.no_fai = true;
	ck_assert_str_eq(synced(&me, m, 2), " 0");
	me.no_fai = false;
	ck_assert_str_eq(synced(&me, m, 2), " 1");
	me.no_fai = true;
	ck_assert_str_eq(synced(&me, m, 2), " ~1");
	set_subject(m[1].mid, "new");
	ck_assert_str_eq(synced(&me, m, 2), "");
}
END_TEST

START_TEST(order_and_sums)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids m[4] = {0};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (unsigned i = 0; i < 4; i++) {
		static const gx_nttime_t at[] = {30, 10, 40, 20};
		struct gx_msg_prepared *p = st_message(a, i, 200 + i);
		o.received = at[i];
		o.flags = i == 3 ? GX_MSGF_FAI : 0;
		ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &m[i]));
		gx_msg_prepared_release(p);
	}
	st_commit(t);
	struct gx_ics_content *x = open_sync(&me);
	const struct gx_ics_summary *sum = gx_ics_content_summary(x);
	ck_assert_uint_eq(sum->normal_count, 3);
	ck_assert_uint_eq(sum->normal_size, 603);
	ck_assert_uint_eq(sum->fai_count, 1);
	ck_assert_uint_eq(sum->fai_size, 203);
	ck_assert_uint_ge(sum->last_cn, m[3].cn);
	struct gx_ics_change ch;
	ck_assert(ict_next(x, &ch) && ict_next(x, &ch));
	ck_assert_uint_eq(ch.mid, m[1].mid);
	ck_assert_uint_eq(ch.cn, m[1].cn);
	ck_assert(!ch.fai && !ch.updated);
	gx_ics_content_seek(x, 3);
	ck_assert(ict_next(x, &ch) && ch.fai);
	ck_assert(!ict_next(x, &ch));
	ck_assert_uint_eq(gx_ics_content_count(x), 4);
	gx_ics_content_free(x);
	me.ordered = true;
	ck_assert_str_eq(synced(&me, m, 4), " 2 0 3 1");
}
END_TEST

/* What a client put there itself is in what it has seen. */
START_TEST(own_changes)
{
	struct gx_msg_ids m[2] = {0};
	insert(m, 1, 0);
	synced(&me, m, 1);
	insert(m + 1, 1, 0);
	ck_assert_int_eq(gx_globset_add(&me.given, m[1].mid), 0);
	ck_assert_int_eq(gx_globset_add(&me.seen, m[1].cn), 0);
	ck_assert_str_eq(synced(&me, m, 2), "");
	set_subject(m[1].mid, "new");
	ck_assert_str_eq(synced(&me, m, 2), " u1");
}
END_TEST

START_TEST(pruned_log)
{
	struct gx_msg_ids m[40] = {0};
	insert(m, 40, 0);
	synced(&me, m, 40);
	s->log_max = 200;
	for (size_t i = 0; i < 40; i++)
		if (i % 3 == 0)
			delete(m[i].mid, i % 2 != 0);
		else if (i % 3 == 1)
			set_subject(m[i].mid, "new");
	struct gx_ics_content *x = open_sync(&me);
	ck_assert_uint_eq(gx_ics_content_count(x), 13);
	ck_assert_uint_eq(gx_ics_content_set(x, GX_ICS_DELETED)->count, 14);
	ck_assert_uint_eq(gx_ics_content_set(x, GX_ICS_GIVEN)->count, 26);
	finish(&me, x);
	ck_assert_str_eq(synced(&me, m, 40), "");
}
END_TEST

START_TEST(one_answer)
{
	struct gx_ics_content_opts o = GX_ICS_CONTENT_OPTS_INIT;
	struct gx_ics_content_answer r;
	struct gx_msg_ids m[5] = {0};
	insert(m, 5, 0);
	synced(&me, m, 5);
	delete(m[0].mid, true);
	flag(m[1].mid, GX_FLAGS_ADD, GX_MSGF_READ, NULL);
	set_subject(m[2].mid, "new");
	o.given = &me.given;
	o.seen = &me.seen;
	o.read = &me.read;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_ics_content_answer(t, GX_FID_INBOX, &o, a, &r));
	ck_assert(r.changed.n == 1 && r.changed.v[0] == m[2].mid);
	ck_assert(r.updated.n == 1 && r.updated.v[0] == m[2].mid);
	ck_assert(r.deleted.n == 1 && r.deleted.v[0] == m[0].mid);
	ck_assert(r.read.n == 1 && r.read.v[0] == m[1].mid);
	ck_assert(r.unread.n == 0 && r.nolonger.n == 0);
	ck_assert_uint_eq(r.given.n, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(r.given.v[i], m[i + 1].mid);
	ST_IS(gx_ics_content_answer(t, 0x7777, &o, a, &r), ecNotFound);
	gx_txn_abort(t);
	static const struct gx_actor stranger = {.user = "stranger@example.org"};
	ck_assert_int_eq(gx_txn_begin(s, &stranger, GX_TXN_READ, 1000, &t), 0);
	ST_IS(gx_ics_content_answer(t, GX_FID_INBOX, &o, a, &r), ecAccessDenied);
	gx_txn_abort(t);
}
END_TEST

/* ---- Hierarchy ---- */

static struct gx_ics_hierarchy_answer hierarchy(struct client *c)
{
	struct gx_ics_hierarchy_answer r;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_ics_hierarchy_answer(t, c->fid, &c->given, &c->seen, a, &r));
	gx_txn_abort(t);
	gx_globset_release(&c->given);
	for (size_t i = 0; i < r.given.n; i++)
		ck_assert_int_eq(gx_globset_add(&c->given, r.given.v[i]), 0);
	ck_assert_int_eq(gx_globset_add_range(&c->seen, 1, r.last_cn), 0);
	return r;
}

static uint64_t fid_of(const struct gx_proplist *l)
{
	return (uint64_t)gx_proplist_get(l, PidTagFolderId)->v.i64;
}

static struct gx_bin bin_of(const struct gx_proplist *l, gx_proptag_t tag)
{
	ck_assert_ptr_nonnull(gx_proplist_get(l, tag));
	return gx_proplist_get(l, tag)->v.bin;
}

START_TEST(folders)
{
	uint64_t top, sub;
	me.fid = GX_FID_IPMSUBTREE;
	struct gx_ics_hierarchy_answer r = hierarchy(&me);
	ck_assert_uint_eq(r.folder_count, r.given.n);
	ck_assert_uint_gt(r.folder_count, 10);
	ck_assert_uint_eq(r.deleted.n, 0);
	r = hierarchy(&me);
	ck_assert_uint_eq(r.folder_count, 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, "top", NULL, GX_FOLDER_GENERIC, NULL, &top));
	ST_OK(gx_folder_create(t, top, "sub", NULL, GX_FOLDER_GENERIC, NULL, &sub));
	st_commit(t);
	r = hierarchy(&me);
	ck_assert_uint_eq(r.folder_count, 2);
	ck_assert_uint_eq(fid_of(&r.folders[0]), top);
	ck_assert_uint_eq(fid_of(&r.folders[1]), sub);
	ck_assert_str_eq(gx_proplist_str(&r.folders[1], PidTagDisplayName, ""), "sub");
	/* children of the root name no parent */
	ck_assert_uint_eq(bin_of(&r.folders[0], PidTagParentSourceKey).len, 0);
	struct gx_bin key = bin_of(&r.folders[0], PidTagSourceKey), parent = bin_of(&r.folders[1], PidTagParentSourceKey);
	ck_assert_uint_eq(key.len, 22);
	ck_assert_uint_eq(parent.len, 22);
	ck_assert_mem_eq(key.data, parent.data, 22);
	ck_assert_uint_eq(bin_of(&r.folders[1], PidTagChangeKey).len, 22);
	ck_assert_uint_eq(bin_of(&r.folders[1], PidTagPredecessorChangeList).len, 23);
	ck_assert_ptr_nonnull(gx_proplist_get(&r.folders[1], PidTagLastModificationTime));
}
END_TEST

START_TEST(folders_change)
{
	uint64_t top, sub, away;
	me.fid = GX_FID_IPMSUBTREE;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, "top", NULL, GX_FOLDER_GENERIC, NULL, &top));
	ST_OK(gx_folder_create(t, top, "sub", NULL, GX_FOLDER_GENERIC, NULL, &sub));
	ST_OK(gx_folder_create(t, top, "away", NULL, GX_FOLDER_GENERIC, NULL, &away));
	st_commit(t);
	hierarchy(&me);
	/* new mail is no change of the folder */
	struct gx_msg_ids m[1] = {0};
	insert(m, 1, 0);
	ck_assert_uint_eq(hierarchy(&me).folder_count, 0);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_move(t, sub, GX_FID_IPMSUBTREE, "renamed"));
	ST_OK(gx_folder_move(t, away, GX_FID_VIEWS, NULL)); /* out of what is synchronised */
	st_commit(t);
	struct gx_ics_hierarchy_answer r = hierarchy(&me);
	ck_assert_uint_eq(r.deleted.n, 1);
	ck_assert_uint_eq(r.deleted.v[0], away);
	bool found = false;
	for (size_t i = 0; i < r.folder_count; i++)
		if (fid_of(&r.folders[i]) == sub) {
			found = true;
			ck_assert_str_eq(gx_proplist_str(&r.folders[i], PidTagDisplayName, ""), "renamed");
			ck_assert_uint_eq(bin_of(&r.folders[i], PidTagParentSourceKey).len, 0);
		}
	ck_assert(found);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, top, true));
	ST_OK(gx_folder_delete(t, sub, false));
	st_commit(t);
	r = hierarchy(&me);
	ck_assert_uint_eq(r.deleted.n, 2);
	ck_assert_uint_eq(hierarchy(&me).deleted.n, 0);
}
END_TEST

/* Folders that go while the client reads are passed over; strangers see what they may. */
START_TEST(folders_meanwhile)
{
	static const struct gx_actor guest = {.user = "guest@example.org"};
	struct gx_ics_hierarchy *h = NULL;
	struct gx_proplist l;
	uint64_t fid;
	bool more;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, "open", NULL, GX_FOLDER_GENERIC, NULL, &fid));
	ST_OK(gx_folder_set_permission(t, fid, "guest@example.org", GX_RIGHT_VISIBLE | GX_RIGHT_READ, false));
	st_commit(t);
	ck_assert_int_eq(gx_txn_begin(s, &guest, GX_TXN_READ, 1000, &t), 0);
	ST_OK(gx_ics_hierarchy_open(t, GX_FID_IPMSUBTREE, NULL, NULL, &h));
	gx_txn_abort(t);
	ck_assert_uint_ge(gx_ics_hierarchy_count(h), 1);
	ck_assert(gx_globset_contains(gx_ics_hierarchy_set(h, GX_ICS_GIVEN), fid));
	ck_assert(!gx_globset_contains(gx_ics_hierarchy_set(h, GX_ICS_GIVEN), GX_FID_INBOX));
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_delete(t, fid, true));
	st_commit(t);
	ck_assert_int_eq(gx_txn_begin(s, &guest, GX_TXN_READ, 1000, &t), 0);
	do {
		ST_OK(gx_ics_hierarchy_next(h, t, a, &l, &more));
		ck_assert(!more || fid_of(&l) != fid);
	} while (more);
	gx_txn_abort(t);
	gx_ics_hierarchy_free(h);
	t = st_begin(s, GX_TXN_READ);
	ST_IS(gx_ics_hierarchy_open(t, 0x7777, NULL, NULL, &h), ecNotFound);
	gx_txn_abort(t);
}
END_TEST

/* ---- Search folders ---- */

static const struct gx_restr *has_subject(const char *text)
{
	struct gx_restr *r = gx_arena_new_obj(a, struct gx_restr);
	r->type = RES_CONTENT;
	r->u.content.level = FL_SUBSTRING;
	r->u.content.tag = PidTagSubject;
	r->u.content.val = (struct gx_propval){.tag = PidTagSubject, .v = {.str = text}};
	return r;
}

static void look_for(uint64_t fid, const char *text)
{
	static const uint64_t scope = GX_FID_INBOX;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	bool done = false;
	ST_OK(gx_search_set(t, fid, RESTART_SEARCH, has_subject(text), &scope, 1));
	st_commit(t);
	while (!done)
		ck_assert_int_eq(gx_search_run(s, 1000, &done), 0);
}

static void set_state(uint64_t fid, int state)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	GX_STMT(st, t->q, "UPDATE search SET state=?2 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, state);
	ck_assert_int_eq(gx_sql__run(st), 0);
	gx_sql__done(st);
	st = NULL;
	st_commit(t);
}

static uint64_t search_folder(void)
{
	uint64_t fid;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_FINDER, "search", "IPF.Note", GX_FOLDER_SEARCH, NULL, &fid));
	st_commit(t);
	return fid;
}

/* Links have no change numbers: what comes and goes is told nevertheless. */
START_TEST(search_folders)
{
	struct gx_msg_ids m[4] = {0};
	me.fid = search_folder();
	insert(m, 4, 0);
	for (size_t i = 0; i < 4; i++)
		set_subject(m[i].mid, i < 2 ? "apple" : "pear");
	look_for(me.fid, "apple");
	ck_assert_str_eq(synced(&me, m, 4), " 0 1");
	ck_assert_str_eq(synced(&me, m, 4), "");
	flag(m[0].mid, GX_FLAGS_ADD, GX_MSGF_READ, NULL);
	ck_assert_str_eq(synced(&me, m, 4), " +0");
	set_subject(m[1].mid, "apple pie");
	set_subject(m[2].mid, "apple, too");
	ck_assert_str_eq(synced(&me, m, 4), " u1 2");
	set_subject(m[0].mid, "plum"); /* not wanted any more, but there */
	ck_assert_str_eq(synced(&me, m, 4), " ~0");
	delete(m[1].mid, true);
	delete(m[2].mid, false);
	ck_assert_str_eq(synced(&me, m, 4), " -1 -2");
	ck_assert_uint_eq(me.given.count, 0);
	look_for(me.fid, "pear"); /* which is older than all that the client has seen */
	ck_assert_str_eq(synced(&me, m, 4), " 3");
	/* As long as it is looking nothing has gone but what is deleted. */
	look_for(me.fid, "plum");
	set_state(me.fid, 1);
	ck_assert_str_eq(synced(&me, m, 4), " 0");
	ck_assert_uint_eq(me.given.count, 2);
	set_state(me.fid, 2);
	ck_assert_str_eq(synced(&me, m, 4), " ~3");
	ck_assert_str_eq(synced(&me, m, 4), "");
}
END_TEST

START_TEST(uploads_to_search_folders)
{
	struct gx_msg_ids m[1] = {0}, ids;
	struct gx_ics_message up = GX_ICS_MESSAGE_INIT;
	struct gx_ics_import how;
	struct gx_globset read = GX_GLOBSET_INIT;
	struct gx_bin key;
	struct gx_msg_info info;
	me.fid = search_folder();
	insert(m, 1, 0);
	set_subject(m[0].mid, "apple");
	look_for(me.fid, "apple");
	ck_assert_int_eq(gx_entryid_gid(a, gx_store_replica(s), m[0].mid, &key), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	up.source_key = up.version.change_key = key;
	ST_IS(gx_ics_check_message(t, me.fid, &up, a, &how), ecNotSupported);
	ST_IS(gx_ics_import_delete(t, me.fid, &key, 1, true), ecNotSupported);
	const struct gx_ics_move mv = {.src_fid = me.fid, .source_key = key, .dst_source_key = key, .version = {.change_key = key}};
	ST_IS(gx_ics_import_move(t, GX_FID_DRAFTS, &mv, &ids), ecNotSupported);
	const struct gx_ics_read v = {key, true};
	ST_OK(gx_ics_import_reads(t, me.fid, &v, 1, &read, a, NULL));
	ck_assert_uint_eq(read.count, 1);
	ST_OK(gx_msg_get(t, m[0].mid, &info));
	ck_assert(info.flags & GX_MSGF_READ);
	st_commit(t);
	gx_globset_release(&read);
}
END_TEST

static Suite *ics_suite(void)
{
	Suite *suite = suite_create("ics");
	TCase *t = tcase_create("ics");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, first_and_next);
	tcase_add_test(t, flags);
	tcase_add_test(t, moves);
	tcase_add_test(t, restrictions);
	tcase_add_test(t, associated);
	tcase_add_test(t, order_and_sums);
	tcase_add_test(t, own_changes);
	tcase_add_test(t, pruned_log);
	tcase_add_test(t, one_answer);
	tcase_add_test(t, folders);
	tcase_add_test(t, folders_change);
	tcase_add_test(t, folders_meanwhile);
	tcase_add_test(t, search_folders);
	tcase_add_test(t, uploads_to_search_folders);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(ics_suite)
