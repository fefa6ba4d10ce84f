/* SPDX-License-Identifier: Apache-2.0 */
/* What clients bring: versions, conflicts, uploads. */
#include <config.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/fixtest.h"

static struct gx_guid client = {.d1 = 0xc11e0000, .d2 = 1};
static uint64_t first; /* of the ids set aside for the client */

static void setup(void)
{
	fix_setup();
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_store_reserve_ids(t, 1000, &first));
	st_commit(t);
}

static struct gx_bin gid(const struct gx_guid *g, uint64_t id)
{
	struct gx_bin b;
	ck_assert_int_eq(gx_entryid_gid(a, g, id, &b), 0);
	return b;
}

static struct gx_bin source_key(uint64_t id)
{
	return gid(gx_store_replica(s), id);
}

/* The client's n-th change, made from a version that has @from. */
static struct gx_ics_version version(uint64_t n, struct gx_bin from, gx_nttime_t modified)
{
	struct gx_ics_version v = {.change_key = gid(&client, n), .modified = modified};
	ck_assert_int_eq(gx_pcl_add_key(a, from, v.change_key, &v.pcl), 0);
	return v;
}

static struct gx_ics_version stored(uint64_t mid)
{
	struct gx_ics_version v;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_ics__version(t, mid, a, &v));
	gx_txn_abort(t);
	return v;
}

#define CHECK_BIN(x, y) \
	do { \
		struct gx_bin x_ = (x), y_ = (y); \
		ck_assert_uint_eq(x_.len, y_.len); \
		ck_assert_mem_eq(x_.data, y_.data, x_.len); \
	} while (0)

static struct gx_msg_ids insert(uint64_t mid, uint32_t flags)
{
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_prepared *p = st_message(a, 1, 300);
	o.mid = mid;
	o.flags = flags;
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
	gx_msg_prepared_release(p);
	st_commit(t);
	return ids;
}

static uint64_t set_version(uint64_t mid, const struct gx_ics_version *v)
{
	uint64_t cn;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_ics_set_version(t, mid, v, &cn));
	st_commit(t);
	return cn;
}

static void set_subject(uint64_t mid)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagSubject, "changed here"), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_set_props(t, mid, &l));
	st_commit(t);
}

static gx_ec check(const struct gx_ics_message *m, struct gx_ics_import *i)
{
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	gx_ec ec = gx_ics_check_message(t, GX_FID_INBOX, m, a, i);
	gx_txn_abort(t);
	return ec;
}

/* ---- Versions ---- */

START_TEST(compare)
{
	struct gx_bin none = {0};
	struct gx_ics_version x = version(1, none, 10), y = version(2, x.pcl, 20), z = x;
	int order;
	ck_assert_int_eq(gx_ics_compare(a, &x, &x, &order), 0);
	ck_assert_int_eq(order, GX_ICS_SAME);
	ck_assert_int_eq(gx_ics_compare(a, &x, &y, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
	ck_assert_int_eq(gx_ics_compare(a, &y, &x, &order), 0);
	ck_assert_int_eq(order, GX_ICS_OLDER);
	z.change_key = gid(gx_store_replica(s), 5); /* counts, though it is not in the list */
	ck_assert_int_eq(gx_ics_compare(a, &y, &z, &order), 0);
	ck_assert_int_eq(order, GX_ICS_CONFLICT);
	ck_assert(gx_ics_wins(&y, &x) && !gx_ics_wins(&x, &y));
	z.modified = 20; /* then the namespace decides, and always for the same one; of one namespace the one that comes */
	ck_assert(gx_ics_wins(&y, &z) != gx_ics_wins(&z, &y));
	z.change_key = y.change_key;
	ck_assert(gx_ics_wins(&y, &z) && gx_ics_wins(&z, &y));
	z.change_key = (struct gx_bin){(const uint8_t *)"x", 1};
	ck_assert_int_lt(gx_ics_compare(a, &y, &z, &order), 0);
	z = y;
	z.pcl = (struct gx_bin){(const uint8_t *)"\x16zz", 3};
	ck_assert_int_lt(gx_ics_compare(a, &y, &z, &order), 0);
}
END_TEST

START_TEST(versions_of_messages)
{
	uint64_t mid = insert(first, 0).mid;
	struct gx_ics_version own = stored(mid), v;
	ck_assert_uint_eq(own.change_key.len, 22);
	ck_assert_uint_eq(own.pcl.len, 23);
	struct gx_ics_version theirs = version(1, own.pcl, 77);
	uint64_t cn = set_version(mid, &theirs);
	v = stored(mid);
	CHECK_BIN(v.change_key, theirs.change_key);
	CHECK_BIN(v.pcl, theirs.pcl);
	ck_assert_uint_eq(v.modified, 77);
	/* \Seen is no change of it */
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_set_read(t, mid, 0, NULL));
	st_commit(t);
	CHECK_BIN(stored(mid).change_key, theirs.change_key);
	/* a change here is a new version, which comes from theirs */
	set_subject(mid);
	v = stored(mid);
	ck_assert_uint_gt(v.modified, 77);
	struct gx_bin want;
	struct gx_msg_info info;
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_msg_get(t, mid, &info));
	gx_txn_abort(t);
	ck_assert_uint_gt(info.cn, cn);
	CHECK_BIN(v.change_key, source_key(info.cn));
	ck_assert_int_eq(gx_pcl_add_key(a, theirs.pcl, v.change_key, &want), 0);
	CHECK_BIN(v.pcl, want);
	/* and so is a flag that MAPI shows as a property */
	const struct gx_flag_change c = {.op = GX_FLAGS_ADD, .flags = GX_MSGF_FLAGGED, .unchanged_since = UINT64_MAX};
	set_version(mid, &theirs);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, &mid, 1, &c, a, NULL, NULL));
	st_commit(t);
	int order;
	v = stored(mid);
	ck_assert_int_eq(gx_ics_compare(a, &theirs, &v, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
	theirs.change_key.len = 3;
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_ics_set_version(t, mid, &theirs, &cn), ecInvalidParam);
	gx_txn_abort(t);
}
END_TEST

/* The copy is another message, with a version of its own. */
START_TEST(versions_of_copies)
{
	uint64_t mid = insert(first, 0).mid;
	struct gx_ics_version theirs = version(1, (struct gx_bin){0}, 77);
	struct gx_msg_ids ids;
	set_version(mid, &theirs);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mid, 1, GX_FID_DRAFTS, false, &ids));
	st_commit(t);
	CHECK_BIN(stored(ids.mid).change_key, source_key(ids.cn));
	struct gx_ics_version again = version(2, theirs.pcl, 78);
	set_version(ids.mid, &again);
	CHECK_BIN(stored(mid).change_key, theirs.change_key);
	CHECK_BIN(stored(ids.mid).change_key, again.change_key);
}
END_TEST

/* ---- Messages ---- */

START_TEST(checks)
{
	struct gx_ics_message m = GX_ICS_MESSAGE_INIT;
	struct gx_ics_import i;
	m.source_key = source_key(first);
	m.version = version(1, (struct gx_bin){0}, 10);
	ST_OK(check(&m, &i));
	ck_assert_int_eq(i.how, GX_ICS_CREATE);
	ck_assert_uint_eq(i.mid, first);
	CHECK_BIN(i.pcl, m.version.pcl);
	uint64_t mid = insert(first, 0).mid;
	set_version(mid, &m.version);
	ST_IS(check(&m, &i), ecIgnoreFailure);
	m.version = version(2, m.version.pcl, 20);
	ST_OK(check(&m, &i));
	ck_assert_int_eq(i.how, GX_ICS_REPLACE);
	m.fai = true;
	ST_IS(check(&m, &i), ecInvalidParam);
	m.fai = false;
	/* changed here, too */
	set_subject(mid);
	ST_OK(check(&m, &i));
	ck_assert_int_eq(i.how, GX_ICS_RESOLVE);
	ck_assert(!i.wins && i.keep_both);
	struct gx_bin both;
	ck_assert_int_eq(gx_pcl_merge(a, stored(mid).pcl, m.version.pcl, &both), 0);
	CHECK_BIN(i.pcl, both);
	m.version.modified = UINT64_MAX / 2;
	ST_OK(check(&m, &i));
	ck_assert(i.wins);
	m.fail_on_conflict = true;
	ST_IS(check(&m, &i), ecSyncConflict);
	/* what they made from ours is newer */
	m.version = version(3, stored(mid).pcl, 30);
	ST_OK(check(&m, &i));
	ck_assert_int_eq(i.how, GX_ICS_REPLACE);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, &mid, 1, false));
	st_commit(t);
	ST_IS(check(&m, &i), ecSyncObjectDeleted);
}
END_TEST

START_TEST(last_writer_wins)
{
	struct gx_ics_message m = GX_ICS_MESSAGE_INIT;
	struct gx_ics_import i;
	struct gx_proplist l = {0};
	uint64_t mid = insert(first, 0).mid, fai = insert(first + 1, GX_MSGF_FAI).mid;
	m.source_key = source_key(fai);
	m.version = version(1, (struct gx_bin){0}, 10);
	m.fai = true;
	ST_OK(check(&m, &i));
	ck_assert(i.how == GX_ICS_RESOLVE && !i.keep_both);
	m.fai = false;
	m.source_key = source_key(mid);
	ST_OK(check(&m, &i));
	ck_assert(i.how == GX_ICS_RESOLVE && i.keep_both);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagResolveMethod, 1), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_props(t, GX_FID_INBOX, &l));
	st_commit(t);
	ST_OK(check(&m, &i));
	ck_assert(i.how == GX_ICS_RESOLVE && !i.keep_both);
}
END_TEST

/* ---- Messages in conflict ---- */

static struct gx_msgobj *said(const char *subject, int attachments)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, subject), 0);
	m->atts = gx_arena_new_array(a, struct gx_attach, 2);
	m->att_count = (size_t)attachments;
	for (int i = 0; i < attachments; i++)
		ck_assert_int_eq(gx_proplist_set_bin(&m->atts[i].props, a, PidTagAttachDataBinary, "file", 4), 0);
	return m;
}

static gx_ec import(uint64_t mid, const struct gx_ics_version *v, const char *subject, struct gx_ics_import *how)
{
	struct gx_ics_message m = GX_ICS_MESSAGE_INIT;
	struct gx_msg_ids ids;
	m.source_key = source_key(mid);
	m.version = *v;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	gx_ec ec = gx_ics_import_message(t, GX_FID_INBOX, &m, said(subject, 1), how, &ids);
	if (gx_ec_failed(ec))
		gx_txn_abort(t);
	else
		st_commit(t);
	return ec;
}

static struct gx_msgobj *read_message(uint64_t mid)
{
	struct gx_msgobj *m;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_msg_read(t, mid, a, &m));
	gx_txn_abort(t);
	return m;
}

/* What the message says, and the versions it holds, by their subjects and in order. */
static void holds(uint64_t mid, const char *subject, const char *const *subjects, const struct gx_ics_version *versions, size_t n)
{
	const struct gx_msgobj **v;
	size_t have;
	const struct gx_msgobj *m = read_message(mid);
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSubject, ""), subject);
	ck_assert_int_eq(gx_proplist_i32(&m->props, PidTagMessageStatus, 0) & 0x800, n > 0 ? 0x800 : 0);
	ck_assert_int_eq(gx_ics_versions(a, m, &v, &have), 0);
	ck_assert_uint_eq(have, n);
	for (size_t i = 0; i < n; i++) {
		struct gx_ics_version x = gx_ics__version_of(&v[i]->props);
		ck_assert_str_eq(gx_proplist_str(&v[i]->props, PidTagSubject, ""), subjects[i]);
		CHECK_BIN(x.change_key, versions[i].change_key);
		CHECK_BIN(x.pcl, versions[i].pcl);
		ck_assert_uint_eq(x.modified, versions[i].modified);
		for (size_t k = 0; k < v[i]->att_count; k++) /* no conflict in a version */
			ck_assert_ptr_null(gx_proplist_get(&v[i]->atts[k].props, PidTagInConflict));
	}
}

/* What comes from two lists, made into another version by the client. */
static struct gx_ics_version successor(uint64_t n, const struct gx_ics_version *of, size_t count, gx_nttime_t modified)
{
	struct gx_bin all = {0}, one;
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_eq(gx_pcl_add_key(a, of[i].pcl, of[i].change_key, &one), 0);
		ck_assert_int_eq(gx_pcl_merge(a, all, one, &all), 0);
	}
	return version(n, all, modified);
}

START_TEST(conflicts_hold_all_versions)
{
	static const struct gx_guid other = {.d1 = 0xff5e0000, .d2 = 2};
	struct gx_ics_import i;
	uint64_t mid = insert(first, 0).mid;
	struct gx_ics_version start = stored(mid), c1 = version(1, start.pcl, 10);
	set_subject(mid);
	struct gx_ics_version server = stored(mid);
	ST_OK(import(mid, &c1, "one", &i));
	ck_assert(i.how == GX_ICS_RESOLVE && !i.wins && i.keep_both && !i.notify);
	holds(mid, "changed here", (const char *[]){"changed here", "one"}, (struct gx_ics_version[]){server, c1}, 2);
	ck_assert_uint_eq(stored(mid).modified, server.modified); /* the winner's time */
	/* The same again is no news. */
	ST_IS(import(mid, &c1, "one", &i), ecIgnoreFailure);
	/* The client goes on without having fetched anything: its former version is gone. */
	struct gx_ics_version c2 = version(2, c1.pcl, 20);
	ST_OK(import(mid, &c2, "two", &i));
	ck_assert(i.how == GX_ICS_RESOLVE && !i.wins);
	holds(mid, "changed here", (const char *[]){"changed here", "two"}, (struct gx_ics_version[]){server, c2}, 2);
	ST_IS(import(mid, &c1, "one", &i), ecIgnoreFailure);
	/* A third one, and it is the latest. */
	struct gx_ics_version d1 = {.change_key = gid(&other, 1), .modified = UINT64_MAX / 2};
	ck_assert_int_eq(gx_pcl_add_key(a, start.pcl, d1.change_key, &d1.pcl), 0);
	ST_OK(import(mid, &d1, "third", &i));
	ck_assert(i.how == GX_ICS_RESOLVE && i.wins);
	struct gx_ics_version all[] = {server, c2, d1};
	holds(mid, "third", (const char *[]){"changed here", "two", "third"}, all, 3);
	ck_assert_uint_eq(read_message(mid)->att_count, 4);
	ck_assert_uint_eq(stored(mid).modified, d1.modified);
	/* Who got the versions one by one made his own from all of them: the conflict is over. */
	struct gx_ics_version end = successor(3, all, 3, 40);
	ST_OK(import(mid, &end, "resolved", &i));
	ck_assert_int_eq(i.how, GX_ICS_REPLACE);
	holds(mid, "resolved", NULL, NULL, 0);
	ck_assert_uint_eq(read_message(mid)->att_count, 1);
	CHECK_BIN(stored(mid).change_key, end.change_key);
}
END_TEST

/* An edit here makes it one version, which comes from all that it held. */
START_TEST(conflicts_that_are_edited)
{
	struct gx_ics_import i;
	uint64_t mid = insert(first, 0).mid;
	struct gx_ics_version start = stored(mid), c1 = version(1, start.pcl, 10);
	set_subject(mid);
	const struct gx_msgobj **v;
	size_t n;
	ST_OK(import(mid, &c1, "one", &i));
	set_subject(mid);
	ck_assert_int_eq(gx_ics_versions(a, read_message(mid), &v, &n), 0);
	ck_assert_uint_eq(n, 0); /* who is sent it gets the edited one */
	struct gx_ics_version edited = stored(mid), c2 = version(2, c1.pcl, 20);
	ST_OK(import(mid, &c2, "two", &i));
	ck_assert_int_eq(i.how, GX_ICS_RESOLVE);
	holds(mid, "changed here", (const char *[]){"changed here", "two"}, (struct gx_ics_version[]){edited, c2}, 2);
	struct gx_ics_version c3 = version(3, stored(mid).pcl, 30);
	ST_OK(import(mid, &c3, "three", &i));
	ck_assert_int_eq(i.how, GX_ICS_REPLACE); /* the whole message was fetched */
	holds(mid, "three", NULL, NULL, 0);
}
END_TEST

/* Somebody says which version it is, and that one does not come from those it holds: it is one version, whatever its time. */
START_TEST(conflicts_that_got_a_version)
{
	struct gx_ics_import i;
	uint64_t mid = insert(first, 0).mid;
	struct gx_ics_version start = stored(mid), c1 = version(1, start.pcl, INT64_C(0x1f0000000000000));
	set_subject(mid);
	ST_OK(import(mid, &c1, "one", &i));
	ck_assert_int_eq(i.how, GX_ICS_RESOLVE);
	struct gx_ics_version given = version(2, (struct gx_bin){0}, c1.modified), next = version(3, given.pcl, 30);
	set_version(mid, &given);
	ST_OK(import(mid, &next, "three", &i));
	ck_assert_int_eq(i.how, GX_ICS_REPLACE);
	holds(mid, "three", NULL, NULL, 0);
}
END_TEST

START_TEST(the_last_writer_alone)
{
	struct gx_ics_import i;
	struct gx_proplist l = {0};
	uint64_t mid = insert(first, 0).mid;
	struct gx_ics_version start = stored(mid), c1 = version(1, start.pcl, 10), c2 = version(2, c1.pcl, UINT64_MAX / 2);
	ck_assert_int_eq(gx_proplist_set_i32(&l, a, PidTagResolveMethod, 1), 0);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_props(t, GX_FID_INBOX, &l));
	st_commit(t);
	set_subject(mid);
	struct gx_ics_version server = stored(mid), have;
	ST_OK(import(mid, &c1, "loses", &i));
	ck_assert(i.how == GX_ICS_RESOLVE && !i.wins);
	holds(mid, "changed here", NULL, NULL, 0);
	have = stored(mid);
	ck_assert_uint_eq(have.modified, server.modified);
	int order;
	ck_assert_int_eq(gx_ics_compare(a, &c1, &have, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
	ST_OK(import(mid, &c2, "wins", &i));
	ck_assert(i.how == GX_ICS_RESOLVE && i.wins);
	holds(mid, "wins", NULL, NULL, 0);
}
END_TEST

START_TEST(notices)
{
	uint64_t mid = insert(first, 0).mid;
	struct gx_msgobj *m;
	set_subject(mid);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_ics_conflict_notice(t, mid, a, &m));
	ST_IS(gx_ics_conflict_notice(t, mid + 77, a, &m), ecNotFound);
	gx_txn_abort(t);
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagMessageClass, ""), "IPM.Conflict.Message");
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagOriginalSubject, ""), "changed here");
	ck_assert_str_eq(gx_proplist_str(&m->props, PidTagSenderName, ""), "Inbox");
	ck_assert_uint_eq(gx_proplist_get(&m->props, PidTagConflictEntryId)->v.bin.len, 70);
}
END_TEST

START_TEST(bad_keys)
{
	struct gx_ics_message m = GX_ICS_MESSAGE_INIT;
	struct gx_ics_import i;
	m.version = version(1, (struct gx_bin){0}, 10);
	m.source_key = gid(&client, 5);
	ST_IS(check(&m, &i), ecInvalidParam);
	m.source_key = source_key(first);
	m.source_key.len = 21;
	ST_IS(check(&m, &i), ecInvalidParam);
	m.source_key = (struct gx_bin){0};
	ST_IS(check(&m, &i), ecInvalidParam);
	m.source_key = source_key(first);
	m.version.change_key.len = 2;
	ST_IS(check(&m, &i), ecInvalidParam);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_bin bad = gid(&client, 5);
	ST_IS(gx_ics_import_delete(t, GX_FID_INBOX, &bad, 1, true), ecInvalidParam);
	gx_txn_abort(t);
}
END_TEST

/* Ids that were set aside may be used by those who may make messages; others not. */
START_TEST(delegates)
{
	static const struct gx_actor guest = {.user = "guest@example.org"};
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_set_permission(t, GX_FID_INBOX, "guest@example.org", GX_RIGHT_VISIBLE | GX_RIGHT_READ | GX_RIGHT_CREATE, false));
	st_commit(t);
	struct gx_msg_prepared *p = st_message(a, 1, 300);
	ck_assert_int_eq(gx_txn_begin(s, &guest, GX_TXN_WRITE, 1000, &t), 0);
	o.mid = first + 2000;
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), ecAccessDenied);
	o.mid = first + 3;
	o.cn = 5;
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), ecInvalidParam);
	o.cn = 0;
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids));
	ck_assert_uint_eq(ids.mid, first + 3);
	ST_IS(gx_msg_insert(t, GX_FID_INBOX, p, &o, &ids), ecAccessDenied); /* in use */
	st_commit(t);
	gx_msg_prepared_release(p);
}
END_TEST

START_TEST(moves)
{
	struct gx_msg_ids ids;
	uint64_t mid = insert(0, 0).mid;
	struct gx_ics_version old = stored(mid);
	struct gx_ics_move m = {.src_fid = GX_FID_INBOX, .source_key = source_key(mid), .dst_source_key = source_key(first)};
	m.version = version(1, (struct gx_bin){0}, 0);
	m.version.pcl = old.pcl;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	gx_ec ec = gx_ics_import_move(t, GX_FID_DRAFTS, &m, &ids);
	ck_assert(gx_ec_is(ec, ecSuccess));
	st_commit(t);
	ck_assert_uint_eq(ids.mid, first);
	struct gx_ics_version v = stored(first);
	struct gx_bin want;
	CHECK_BIN(v.change_key, m.version.change_key);
	ck_assert_int_eq(gx_pcl_add_key(a, old.pcl, m.version.change_key, &want), 0);
	CHECK_BIN(v.pcl, want);
	t = st_begin(s, GX_TXN_READ);
	struct gx_msg_info info;
	ST_OK(gx_msg_get(t, first, &info));
	ck_assert_uint_eq(info.fid, GX_FID_DRAFTS);
	ck_assert_uint_eq(info.cn, ids.cn);
	gx_txn_abort(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_ics_import_move(t, GX_FID_DRAFTS, &m, &ids), ecSyncObjectDeleted);
	/* the client has changed it before it moved it */
	m = (struct gx_ics_move){.src_fid = GX_FID_DRAFTS, .source_key = source_key(first), .dst_source_key = source_key(first + 1)};
	m.version = version(7, v.pcl, 0);
	m.version.change_key = gid(&client, 8);
	ec = gx_ics_import_move(t, GX_FID_INBOX, &m, &ids);
	ck_assert(gx_ec_is(ec, ecNewerClientChange) && !gx_ec_failed(ec));
	ck_assert_uint_eq(ids.mid, first + 1);
	m.source_key = source_key(first + 1);
	m.src_fid = GX_FID_INBOX;
	ST_IS(gx_ics_import_move(t, GX_FID_DRAFTS, &m, &ids), ecDuplicateObject);
	st_commit(t);
}
END_TEST

/* What the client moves it has not seen as it is now: that it is there is no news, what it says is. */
START_TEST(moves_of_what_others_changed)
{
	struct gx_msg_ids ids;
	uint64_t mid = insert(0, 0).mid;
	struct gx_ics_version old = stored(mid);
	struct gx_ics_move m = {.src_fid = GX_FID_INBOX, .source_key = source_key(mid), .dst_source_key = source_key(first)};
	m.version = version(1, (struct gx_bin){0}, 0);
	m.version.pcl = old.pcl;
	set_subject(mid);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	struct gx_msg_row row;
	ST_OK(gx_msg_set_read(t, mid, 0, NULL));
	gx_ec ec = gx_ics_import_move(t, GX_FID_DRAFTS, &m, &ids);
	ck_assert(gx_ec_is(ec, ecSuccess));
	ck_assert_uint_eq(ids.mid, first);
	ck_assert_uint_eq(ids.cn, 0);
	ck_assert_int_eq(gx_msg__row(t, first, &row), 0);
	ck_assert_uint_ne(row.rcn, 0); /* nor does it know that it was read */
	st_commit(t);
	/* and both have changed it */
	old = stored(first);
	set_subject(first);
	m = (struct gx_ics_move){.src_fid = GX_FID_DRAFTS, .source_key = source_key(first), .dst_source_key = source_key(first + 1)};
	m.version = version(7, old.pcl, 0);
	m.version.change_key = gid(&client, 8);
	t = st_begin(s, GX_TXN_WRITE);
	ec = gx_ics_import_move(t, GX_FID_INBOX, &m, &ids);
	ck_assert(gx_ec_is(ec, ecNewerClientChange));
	ck_assert_uint_eq(ids.cn, 0);
	st_commit(t);
}
END_TEST

/* A flag is a property like others: a client that sends all that the message is to say sends it, or there is none. */
START_TEST(a_flag_is_taken_away)
{
	enum { ALL = GX_MSGF_FLAGGED | GX_MSGF_ANSWERED | GX_MSGF_READ };
	struct gx_ics_import i;
	struct gx_msg_info info;
	uint64_t mid = insert(first, ALL).mid;
	struct gx_ics_version c1 = version(1, stored(mid).pcl, 30);
	ST_OK(import(mid, &c1, "one", &i));
	ck_assert_int_eq(i.how, GX_ICS_REPLACE);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_msg_get(t, mid, &info));
	ck_assert_uint_eq(info.flags & ALL, GX_MSGF_READ); /* which has a way of its own */
	gx_txn_abort(t);
}
END_TEST

START_TEST(deletions_and_reads)
{
	struct gx_globset reads = GX_GLOBSET_INIT;
	struct gx_ics_ids due;
	uint64_t m[4];
	for (int i = 0; i < 4; i++)
		m[i] = insert(0, i == 2 ? GX_MSGF_FAI : i == 3 ? GX_MSGF_RNPENDING : 0).mid;
	const struct gx_ics_read v[] = {
		{source_key(m[0]), true}, {source_key(m[1]), false}, {source_key(m[2]), true}, {source_key(first), true}, {source_key(m[3]), true},
	};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_ics_import_reads(t, GX_FID_INBOX, v, 5, &reads, a, &due));
	st_commit(t);
	ck_assert_uint_eq(reads.count, 2);
	ck_assert_uint_le(due.n, 1);
	struct gx_msg_info info;
	t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_msg_get(t, m[0], &info));
	ck_assert(info.flags & GX_MSGF_READ);
	ST_OK(gx_msg_get(t, m[2], &info));
	ck_assert(!(info.flags & GX_MSGF_READ));
	gx_txn_abort(t);
	gx_globset_release(&reads);
	const struct gx_bin keys[] = {source_key(m[0]), source_key(first + 9), source_key(m[2])};
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_ics_import_delete(t, GX_FID_INBOX, keys, 3, true));
	st_commit(t);
	t = st_begin(s, GX_TXN_READ);
	ST_IS(gx_msg_get(t, m[0], &info), ecNotFound);
	ST_OK(gx_msg_get(t, m[1], &info));
	ST_IS(gx_msg_get(t, m[2], &info), ecNotFound);
	gx_txn_abort(t);
}
END_TEST

/* [MS-OXCFXICS] 3.2.5.9.4.5: what was deleted for good does not come back, nor what was deleted before it ever came. */
START_TEST(what_is_gone_stays_gone)
{
	struct gx_ics_message m = GX_ICS_MESSAGE_INIT;
	struct gx_ics_import i;
	struct gx_msg_ids ids;
	uint64_t set_aside = insert(first, 0).mid, own = insert(0, 0).mid;
	const struct gx_bin keys[] = {source_key(set_aside), source_key(own), source_key(first + 5)};
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_ics_import_delete(t, GX_FID_INBOX, keys, 3, true));
	st_commit(t);
	m.version = version(1, (struct gx_bin){0}, 10);
	for (size_t k = 0; k < 3; k++) {
		m.source_key = keys[k];
		ST_IS(check(&m, &i), ecSyncObjectDeleted);
		t = st_begin(s, GX_TXN_WRITE);
		ST_IS(gx_ics_import_message(t, GX_FID_INBOX, &m, said("again", 0), &i, &ids), ecSyncObjectDeleted);
		gx_txn_abort(t);
	}
	m.source_key = source_key(first + 6);
	ST_OK(check(&m, &i));
	/* nor is anything moved to where something was */
	uint64_t mid = insert(first + 1, 0).mid;
	struct gx_ics_move move = {.src_fid = GX_FID_INBOX, .source_key = source_key(mid), .dst_source_key = keys[2],
		.version = version(2, stored(mid).pcl, 20)};
	t = st_begin(s, GX_TXN_WRITE);
	ST_IS(gx_ics_import_move(t, GX_FID_DRAFTS, &move, &ids), ecSyncObjectDeleted);
	gx_txn_abort(t);
	move.dst_source_key = source_key(first + 7);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_ics_import_move(t, GX_FID_DRAFTS, &move, &ids));
	st_commit(t);
	m.source_key = source_key(mid); /* where it was moved away */
	ST_IS(check(&m, &i), ecSyncObjectDeleted);
}
END_TEST

/* ---- Folders ---- */

static struct gx_proplist folder_change(uint64_t fid, uint64_t parent, const char *name, const struct gx_ics_version *v)
{
	struct gx_proplist l = {0};
	struct gx_bin self = source_key(fid), up = parent == 0 ? (struct gx_bin){0} : source_key(parent);
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagParentSourceKey, up.data, up.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagSourceKey, self.data, self.len), 0);
	ck_assert_int_eq(gx_proplist_set_time(&l, a, PidTagLastModificationTime, v->modified), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagChangeKey, v->change_key.data, v->change_key.len), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&l, a, PidTagPredecessorChangeList, v->pcl.data, v->pcl.len), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagDisplayName, name), 0);
	ck_assert_int_eq(gx_proplist_set_str(&l, a, PidTagComment, name), 0);
	return l;
}

static gx_ec import_folder(const struct gx_proplist *l, uint64_t *ret_cn)
{
	uint64_t fid;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	gx_ec ec = gx_ics_import_folder(t, GX_FID_IPMSUBTREE, l, &fid, ret_cn);
	if (gx_ec_failed(ec))
		gx_txn_abort(t);
	else
		st_commit(t);
	return ec;
}

static struct gx_ics_version check_folder(uint64_t fid, uint64_t parent, const char *name)
{
	struct gx_proplist l;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	ST_OK(gx_folder_get_props(t, fid, NULL, 0, a, &l));
	gx_txn_abort(t);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagDisplayName, ""), name);
	ck_assert_uint_eq((uint64_t)gx_proplist_get(&l, PidTagParentFolderId)->v.i64, parent);
	return gx_ics__version_of(&l);
}

START_TEST(folders)
{
	struct gx_ics_version v = version(1, (struct gx_bin){0}, 10), have;
	uint64_t top = first, sub = first + 1, cn, cn2;
	struct gx_proplist l = folder_change(top, 0, "top", &v);
	ST_OK(import_folder(&l, &cn));
	have = check_folder(top, GX_FID_IPMSUBTREE, "top");
	CHECK_BIN(have.change_key, v.change_key);
	CHECK_BIN(have.pcl, v.pcl);
	ck_assert_uint_eq(have.modified, 10);
	ST_IS(import_folder(&l, &cn2), ecIgnoreFailure);
	l = folder_change(sub, top, "sub", &v);
	ST_OK(import_folder(&l, &cn2));
	ck_assert_uint_gt(cn2, cn);
	check_folder(sub, top, "sub");
	/* renamed and moved */
	v = version(2, v.pcl, 20);
	l = folder_change(sub, 0, "Sub", &v);
	ST_OK(import_folder(&l, &cn));
	have = check_folder(sub, GX_FID_IPMSUBTREE, "Sub");
	CHECK_BIN(have.change_key, v.change_key);
	/* a change here makes it a version of ours */
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_move(t, sub, GX_FID_IPMSUBTREE, "ours"));
	st_commit(t);
	have = check_folder(sub, GX_FID_IPMSUBTREE, "ours");
	int order;
	ck_assert_int_eq(gx_ics_compare(a, &v, &have, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
	/* conflicts: the later one wins, and the client is to fetch the result */
	v = version(3, v.pcl, 30);
	l = folder_change(sub, 0, "loses", &v);
	ST_OK(import_folder(&l, &cn));
	ck_assert_uint_eq(cn, 0);
	struct gx_ics_version merged = check_folder(sub, GX_FID_IPMSUBTREE, "ours");
	ck_assert_int_eq(gx_ics_compare(a, &v, &merged, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
	ck_assert_int_eq(gx_ics_compare(a, &have, &merged, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
	v = version(4, v.pcl, UINT64_MAX / 2);
	l = folder_change(sub, 0, "wins", &v);
	ST_OK(import_folder(&l, &cn));
	ck_assert_uint_eq(cn, 0);
	merged = check_folder(sub, GX_FID_IPMSUBTREE, "wins");
	/* of the same time, ours stays */
	struct gx_ics_version tie = version(5, version(9, (struct gx_bin){0}, 1).pcl, merged.modified);
	tie.change_key = gid(&(const struct gx_guid){.d1 = 0xfffffffe}, 1);
	l = folder_change(sub, 0, "late", &tie);
	ST_OK(import_folder(&l, &cn));
	check_folder(sub, GX_FID_IPMSUBTREE, "wins");
	ck_assert_int_eq(gx_ics_compare(a, &v, &merged, &order), 0);
	ck_assert_int_eq(order, GX_ICS_NEWER);
}
END_TEST

START_TEST(folders_that_cannot_be)
{
	struct gx_ics_version v = version(1, (struct gx_bin){0}, 10), w;
	uint64_t cn;
	struct gx_proplist l = folder_change(first, first + 5, "orphan", &v);
	ST_IS(import_folder(&l, &cn), ecNoParentFolder);
	l = folder_change(first, 0, "top", &v);
	ST_OK(import_folder(&l, &cn));
	l = folder_change(first + 1, first, "sub", &v);
	ST_OK(import_folder(&l, &cn));
	l = folder_change(first + 2, 0, "TOP", &v);
	ST_IS(import_folder(&l, &cn), ecDuplicateName);
	w = version(2, v.pcl, 20);
	l = folder_change(first, first + 1, "top", &w);
	ST_IS(import_folder(&l, &cn), ecCycleDetected);
	w.modified = UINT64_MAX / 2;
	l = folder_change(GX_FID_INBOX, 0, "mine", &w);
	ST_IS(import_folder(&l, &cn), ecAccessDenied);
	l = folder_change(insert(0, 0).mid, 0, "message", &w);
	ST_IS(import_folder(&l, &cn), ecSyncObjectDeleted);
	l = folder_change(first + 3, 0, "no key", &w);
	gx_proplist_remove(&l, PidTagChangeKey);
	ST_IS(import_folder(&l, &cn), ecInvalidParam);
	l = folder_change(first + 3, 0, "no name", &w);
	gx_proplist_remove(&l, PidTagDisplayName);
	ST_IS(import_folder(&l, &cn), ecInvalidParam);
	/* deletions: only below the root, what is gone is passed over */
	const struct gx_bin keys[] = {source_key(first + 9), source_key(first), source_key(GX_FID_VIEWS)};
	struct gx_folder_info info;
	bool more;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_ics_import_folder_delete(t, GX_FID_IPMSUBTREE, keys, 3, false, 0, &more));
	ST_IS(gx_folder_get(t, first, a, &info), ecNotFound);
	ST_OK(gx_folder_get(t, GX_FID_VIEWS, a, &info));
	st_commit(t);
	l = folder_change(first, 0, "again", &w);
	ST_IS(import_folder(&l, &cn), ecSyncObjectDeleted);
}
END_TEST

START_TEST(folders_that_are_gone)
{
	struct gx_ics_version v = version(1, (struct gx_bin){0}, 10);
	uint64_t cn, own;
	bool more;
	struct gx_proplist l = folder_change(first, 0, "top", &v);
	ST_OK(import_folder(&l, &cn));
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_IPMSUBTREE, "own", NULL, GX_FOLDER_GENERIC, NULL, &own));
	const struct gx_bin keys[] = {source_key(first), source_key(first + 1), source_key(own)};
	ST_OK(gx_ics_import_folder_delete(t, GX_FID_IPMSUBTREE, keys, 3, true, 0, &more));
	st_commit(t);
	const uint64_t gone[] = {first, first + 1, own};
	for (size_t i = 0; i < 3; i++) {
		l = folder_change(gone[i], 0, "again", &v);
		ST_IS(import_folder(&l, &cn), ecSyncObjectDeleted);
	}
	l = folder_change(first + 2, first, "below", &v);
	ST_IS(import_folder(&l, &cn), ecNoParentFolder);
	l = folder_change(first + 2, 0, "new", &v);
	ST_OK(import_folder(&l, &cn));
}
END_TEST

static Suite *icsimport_suite(void)
{
	Suite *suite = suite_create("icsimport");
	TCase *t = tcase_create("icsimport");
	tcase_add_checked_fixture(t, setup, fix_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, compare);
	tcase_add_test(t, versions_of_messages);
	tcase_add_test(t, versions_of_copies);
	tcase_add_test(t, checks);
	tcase_add_test(t, last_writer_wins);
	tcase_add_test(t, conflicts_hold_all_versions);
	tcase_add_test(t, conflicts_that_are_edited);
	tcase_add_test(t, conflicts_that_got_a_version);
	tcase_add_test(t, the_last_writer_alone);
	tcase_add_test(t, notices);
	tcase_add_test(t, bad_keys);
	tcase_add_test(t, delegates);
	tcase_add_test(t, moves);
	tcase_add_test(t, moves_of_what_others_changed);
	tcase_add_test(t, a_flag_is_taken_away);
	tcase_add_test(t, deletions_and_reads);
	tcase_add_test(t, what_is_gone_stays_gone);
	tcase_add_test(t, folders);
	tcase_add_test(t, folders_that_cannot_be);
	tcase_add_test(t, folders_that_are_gone);
	suite_add_tcase(suite, t);
	return suite;
}

GXTEST_MAIN(icsimport_suite)
