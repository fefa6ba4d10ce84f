/* SPDX-License-Identifier: Apache-2.0 */
/* A store is damaged in each way there is: the damage is found, repaired, and gone. */
#include <config.h>
#include <fcntl.h>
#include <gx/namedprop.h>
#include <gx/search.h>
#include <gx/storecheck.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/order/order-int.h"
#include "libgxstore/storetest.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static char dir[512];
static struct gx_arena *a;

/* ---- A store with something of everything ---- */

static struct gx_bin noise(uint32_t seed, size_t n)
{
	uint8_t *p = gx_arena_alloc(a, n);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
	return (struct gx_bin){p, n};
}

static struct gx_msgobj *object(const char *subject)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	struct gx_propname place = GX_LID(PidLidLocation);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Appointment"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, subject), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagBody, "a body"), 0);
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &place, PtypString, (union gx_value){.str = "Room 7"}), 0);
	return m;
}

static void attach(struct gx_msgobj *m, struct gx_bin data, struct gx_msgobj *embedded)
{
	struct gx_attach *at = gx_msgobj_add_attach(m, a);
	at->embedded = embedded;
	if (embedded == NULL)
		ck_assert_int_eq(gx_proplist_set_bin(&at->props, a, PidTagAttachDataBinary, data.data, data.len), 0);
	ck_assert_int_eq(gx_proplist_set_i32(&at->props, a, PidTagAttachMethod, embedded != NULL ? 5 : 1), 0);
}

static uint64_t put(struct gx_txn *t, uint64_t fid, struct gx_msgobj *m)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, fid, p, NULL, &ids));
	gx_msg_prepared_release(p);
	return ids.mid;
}

static void make_order(struct gx_txn *t)
{
	struct gx_sort by[] = {{.tag = PidTagSubject, .order = GX_SORT_ASCEND}};
	struct gx_sortset set = {.v = by, .count = 1};
	struct gx_orderspec spec;
	uint64_t view;
	bool back;
	ck_assert_int_eq(gx_orderspec__make(&set, &spec, &back), 0);
	ck_assert_int_eq(gx_order__ensure(t, GX_FID_INBOX, GX_ORDER_NORMAL, &spec, 1000, &view), 0);
}

/*
 * 0x100 Work in the inbox, 0x101 Deep in it; 0x102.. 0x107 mail in the inbox, 0x104 with 9,000 bytes;
 * 0x108 an appointment with attachments of 20,000 and 140,000 bytes and a message 0x109 inside;
 * 0x10a a copy of 0x103 in Work, 0x10b one of 0x108; 0x107 deleted softly, 0x106 for good.
 */
static uint64_t mail[6], meeting;
static void fill(struct gx_store *s)
{
	static const char *const words[] = {"Red", "green", NULL};
	struct gx_flag_change c = {
		.op = GX_FLAGS_ADD, .flags = GX_MSGF_FLAGGED, .keywords = words, .unchanged_since = UINT64_MAX};
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	uint64_t work, deep;
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_folder_create(t, GX_FID_INBOX, "Work", "IPF.Note", GX_FOLDER_GENERIC, NULL, &work));
	ST_OK(gx_folder_create(t, work, "Deep", "IPF.Note", GX_FOLDER_GENERIC, NULL, &deep));
	ST_OK(gx_folder_set_permission(t, work, "bob@example.org", GX_RIGHT_READ, false));
	for (unsigned i = 0; i < 6; i++)
		mail[i] = st_insert(t, GX_FID_INBOX, i, i == 2 ? 9000 : 400, i == 0 ? GX_MSGF_READ : 0).mid;
	struct gx_msgobj *m = object("meeting");
	attach(m, noise(1, 20000), NULL);
	attach(m, noise(2, 140000), NULL);
	attach(m, (struct gx_bin){0}, object("inside"));
	meeting = put(t, GX_FID_CALENDAR, m);
	o.delivery_id = (const uint8_t *)"0123456789abcdef";
	struct gx_msg_prepared *p = st_message(a, 99, 300);
	ST_OK(gx_msg_insert(t, work, p, &o, NULL));
	gx_msg_prepared_release(p);
	st_insert(t, work, 7, 300, GX_MSGF_FAI);
	st_commit(t);
	t = st_begin(s, GX_TXN_WRITE);
	ST_OK(gx_msg_change_flags(t, GX_FID_INBOX, mail, 2, &c, a, NULL, NULL));
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, mail + 1, 1, work, false, NULL));
	ST_OK(gx_msg_copy(t, GX_FID_CALENDAR, &meeting, 1, work, false, NULL));
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mail + 4, 1, true));
	ST_OK(gx_msg_delete(t, GX_FID_INBOX, mail + 5, 1, false));
	make_order(t);
	st_commit(t);
	bool done;
	ck_assert_int_eq(gx_store_index(s, 10000, &done), 0);
	ck_assert(done);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	a = gx_arena_new(0);
	st_create(dir);
	struct gx_store *s = st_open(dir);
	fill(s);
	st_verify(s);
	gx_store_close(s);
	ck_assert_uint_eq(mail[0], 0x102);
	ck_assert_uint_eq(meeting, 0x108);
}

static void teardown(void)
{
	gx_arena_free(a);
	st_rmtree(dir);
}

/* ---- Damage ---- */

static sqlite3 *raw(void)
{
	char path[600];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/exmdb/gx.sqlite3", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void run(const char *sql)
{
	char *msg = NULL;
	sqlite3 *db = raw();
	int rc = sqlite3_exec(db, sql, NULL, NULL, &msg);
	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, msg);
	sqlite3_close(db);
}

static int64_t number(const char *sql)
{
	sqlite3 *db = raw();
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	int64_t v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

/* An index is hidden, its table changed, and the index shown again. */
static void break_index(void)
{
	char sql[300];
	int64_t page = number("SELECT rootpage FROM sqlite_schema WHERE name='msg_uid'");
	run("PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE name='msg_uid'");
	run("DELETE FROM msg WHERE mid=0x103; UPDATE msg SET uid=uid+100 WHERE mid=0x102");
	snprintf(sql, sizeof(sql), "PRAGMA writable_schema=ON; INSERT INTO sqlite_schema VALUES('index','msg_uid','msg',%d,"
		"'CREATE INDEX msg_uid ON msg(fid, uid)')", (int)page);
	run(sql);
}

/* The one content that is a file. */
static void content_path(char *path, size_t size)
{
	sqlite3 *db = raw();
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT lower(hex(hash)) FROM content WHERE data IS NULL", -1, &st, NULL),
		SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	const char *hex = (const char *)sqlite3_column_text(st, 0);
	snprintf(path, size, "%s/cid/%.2s/%s", dir, hex, hex);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

static void remove_file(void)
{
	char path[700];
	content_path(path, sizeof(path));
	ck_assert_int_eq(unlink(path), 0);
}

static void change_file(void)
{
	char path[700];
	content_path(path, sizeof(path));
	int fd = open(path, O_RDWR);
	ck_assert_int_eq(pwrite(fd, "other bytes", 11, 5000), 11);
	close(fd);
}

static void add_file(void)
{
	static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	char path[700];
	snprintf(path, sizeof(path), "%s/cid/ab", dir);
	(void)!mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/cid/ab/ab%062d", dir, 7);
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(futimens(fd, old), 0);
	close(fd);
}

static void run_index(const char *sql)
{
	char path[600], *msg = NULL;
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/exmdb/fts.sqlite3", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	int rc = sqlite3_exec(db, sql, NULL, NULL, &msg);
	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, msg);
	sqlite3_close(db);
}

static void lose_text_index_rows(void)
{
	run_index("INSERT INTO words(words) VALUES('delete-all')");
}

static void break_text_index(void)
{
	run_index("UPDATE words_data SET block=x'00010203040506070809' WHERE id>1000");
}

#define ALL 10 /* messages in the store */

static const struct {
	const char *check;   /* that must find it */
	const char *sql;
	void (*fn)(void);
	int readable;        /* messages after the repair */
	bool aside;          /* something was set aside */
	bool give_up;        /* repaired only then */
} damage[] = {
	{"database-index", NULL, break_index, ALL - 1, false, false},
	{"schema", "DROP INDEX msg_uid; DROP TABLE timers", NULL, ALL, false, false},
	{"schema", "INSERT INTO rules VALUES(1,0x0d,10,0,0,0,'r','p',x'',x'',x'01')", NULL, ALL, false, false},
	{"store-created", "DELETE FROM meta WHERE key='created'", NULL, ALL, false, false},
	{"store-owner", "DELETE FROM meta WHERE key='owner'", NULL, ALL, false, false},
	{"store-props", "REPLACE INTO meta VALUES('props',x'01ff')", NULL, ALL, true, false},
	{"store-next-id", "UPDATE fstate SET uidnext=0x105 WHERE fid=0", NULL, ALL, false, false},
	{"store-change-number", "UPDATE fstate SET modseq=3 WHERE fid=0", NULL, ALL, false, false},
	{"store-uidvalidity", "UPDATE fstate SET uidvalidity=1 WHERE fid=0", NULL, ALL, false, false},
	{"store-deliveries", "UPDATE fstate SET log_floor=0 WHERE fid=0", NULL, ALL, false, false},
	{"named-property", "UPDATE named SET key=x'00'", NULL, ALL, true, false},
	{"named-missing", "DELETE FROM named", NULL, ALL, false, false},
	{"keyword-set", "UPDATE kwsets SET names='a  b'", NULL, ALL, true, false},
	{"keyword-key", "UPDATE kwsets SET key='zz'", NULL, ALL, false, false},
	{"keyword-key", "INSERT INTO kwsets VALUES(9,'x','green Red'); UPDATE msg SET kwset=9 WHERE mid=0x102", NULL, ALL,
		false, false},
	{"folder-missing", "DELETE FROM folders WHERE fid IN(0x11,0x0f,1)", NULL, ALL, false, false},
	{"folder-type", "UPDATE folders SET type=9, flags=NULL WHERE fid IN(0x0d,3)", NULL, ALL, false, false},
	{"folder-place", "UPDATE folders SET parent=0x100 WHERE fid=0x0a; UPDATE folders SET flags=1 WHERE fid=0x0d", NULL,
		ALL, false, false},
	{"folder-props", "UPDATE folders SET props=x'0102' WHERE fid=0x100", NULL, ALL, true, false},
	{"folder-numbers", "UPDATE folders SET cn=0 WHERE fid=0x0d", NULL, ALL, false, false},
	{"folder-parent", "UPDATE folders SET parent=0x999 WHERE fid=0x100", NULL, ALL, false, false},
	{"folder-parent", "DELETE FROM folders WHERE fid=0x100", NULL, ALL, true, false},
	{"folder-cycle", "UPDATE folders SET parent=0x101 WHERE fid=0x100", NULL, ALL, false, false},
	{"folder-cycle", "UPDATE folders SET parent=0x100 WHERE fid=0x100", NULL, ALL, false, false},
	{"folder-in-search", "UPDATE folders SET parent=3 WHERE fid=0x100", NULL, ALL, false, false},
	{"folder-name",
		"UPDATE folders SET name='' WHERE fid=0x100; UPDATE folders SET name=CAST(x'ff41' AS TEXT) WHERE fid=0x0d",
		NULL, ALL, true, false},
	{"folder-key", "UPDATE folders SET fold='x' WHERE fid=0x100", NULL, ALL, false, false},
	{"folder-duplicate", "UPDATE folders SET name='INBOX', fold='inbox', parent=9 WHERE fid=0x100", NULL, ALL, false,
		false},
	{"folder-state", "DELETE FROM fstate WHERE fid IN(0x100,0x0d)", NULL, ALL, false, false},
	{"folder-state-unused",
		"INSERT INTO fstate SELECT 0x777,uidvalidity,uidnext,modseq,0,0,0,0,0,0,0,0,0,0,0 FROM fstate WHERE "
		"fid=0x100",
		NULL, ALL, true, false},
	{"folder-uidvalidity", "UPDATE fstate SET uidvalidity=0 WHERE fid=0x0d", NULL, ALL, false, false},
	{"attachment-orphan", "INSERT INTO att VALUES(0x7777,0,x'01',0)", NULL, ALL, true, false},
	{"attachment-embedded", "DELETE FROM body WHERE id=0x109", NULL, ALL, false, false},
	{"attachment-shared", "UPDATE att SET embedded=0x109 WHERE body=0x108", NULL, ALL, false, false},
	{"attachment-shared", "UPDATE att SET embedded=0x104 WHERE body=0x108 AND num=0", NULL, ALL, true, false},
	{"attachment-shared", "UPDATE att SET embedded=0x108 WHERE body=0x108 AND num=0", NULL, ALL, false, false},
	{"attachment-cycle",
		"INSERT INTO body SELECT 0x201,props,rcpts,x'' FROM body WHERE id=0x109; INSERT INTO body SELECT "
		"0x202,props,rcpts,x''"
		" FROM body WHERE id=0x109; INSERT INTO att SELECT 0x201,0,props,0x202 FROM att WHERE embedded=0x109; "
		"INSERT INTO att SELECT 0x202,0,props,0x201"
		" FROM att WHERE embedded=0x109; UPDATE fstate SET uidnext=0x300 WHERE fid=0",
		NULL, ALL + 1, true, false},
	{"body-props", "UPDATE body SET props=substr(props,1,length(props)-5) WHERE id IN(0x103,0x109)", NULL, ALL, true,
		false},
	{"body-recipients", "UPDATE body SET rcpts=x'05ff' WHERE id=0x103", NULL, ALL, true, false},
	{"body-skeleton", "UPDATE body SET skeleton=x'0102' WHERE id=0x103", NULL, ALL, true, false},
	{"body-skeleton", "UPDATE body SET skeleton=x'' WHERE id=0x108", NULL, ALL, true, false},
	{"body-values", "UPDATE body SET skeleton=(SELECT skeleton FROM body WHERE id=0x103) WHERE id=0x104", NULL, ALL,
		true, false},
	{"attachment-props", "UPDATE att SET props=x'01ffff' WHERE body=0x108 AND num=1", NULL, ALL + 1, true, false},
	{"body-orphan", "DELETE FROM msg WHERE mid IN(0x102,0x104)", NULL, ALL, false, false},
	{"body-orphan", "DELETE FROM msg WHERE body=0x108; DELETE FROM att WHERE embedded=0x109", NULL, ALL, true, false},
	{"message-body", "DELETE FROM body WHERE id=0x102", NULL, ALL - 1, true, false},
	{"message-columns", "UPDATE msg SET flags='x', received=NULL WHERE mid=0x102", NULL, ALL, true, false},
	{"message-folder",
		"UPDATE msg SET fid=0x555 WHERE mid=0x103; UPDATE msg SET fid=3 WHERE mid=0x107; UPDATE msg SET fid=NULL "
		"WHERE mid=0x104",
		NULL, ALL, false, false},
	{"message-numbers", "UPDATE msg SET cn=0 WHERE mid=0x102; UPDATE msg SET modseq=0x7000000000000 WHERE mid=0x103",
		NULL, ALL, false, false},
	{"message-numbers", "UPDATE msg SET mid=0x1000000000000 WHERE mid=0x103", NULL, ALL, false, false},
	{"message-keywords", "UPDATE msg SET kwset=77 WHERE mid=0x102", NULL, ALL, false, false},
	{"message-uid", "UPDATE msg SET uid=1 WHERE mid=0x104", NULL, ALL, false, false},
	{"message-uid-deleted", "UPDATE msg SET uid=0 WHERE mid=0x104; UPDATE msg SET uid=77 WHERE mid=0x107", NULL, ALL,
		false, false},
	{"message-uid-order", "UPDATE msg SET uid=100-uid WHERE mid IN(0x102,0x103,0x104)", NULL, ALL, false, false},
	{"message-mime", "DELETE FROM mime WHERE id=0x103", NULL, ALL, false, false},
	{"mime-unused", "INSERT INTO mime VALUES(0x888,1,x'',x'')", NULL, ALL, false, false},
	{"mime-size", "UPDATE mime SET size=5 WHERE id=0x103", NULL, ALL, false, false},
	{"message-size", "UPDATE msg SET size=3 WHERE mid=0x103", NULL, ALL, false, false},
	{"message-original", "UPDATE msg SET flags=flags&~2048 WHERE mid=0x102", NULL, ALL, false, false},
	{"body-copies", "UPDATE shared SET refs=7", NULL, ALL, false, false},
	{"body-copies", "DELETE FROM shared; INSERT INTO shared VALUES(0x102,1)", NULL, ALL, false, false},
	{"content-row", "UPDATE content SET comp=9 WHERE data IS NOT NULL", NULL, ALL, true, false},
	{"content-row", "INSERT INTO content VALUES(x'00',1,1,0,NULL)", NULL, ALL, true, false},
	{"content-missing", "DELETE FROM content WHERE size=20000; DELETE FROM content_data WHERE length(data)=20000", NULL,
		ALL, true, true},
	{"content-unlinked", "DELETE FROM content WHERE size IN(20000,140000)", NULL, ALL, false, false},
	{"content-data", "INSERT INTO content_data(data) VALUES(x'616263')", NULL, ALL + 1, false, false},
	{"content-data", "INSERT INTO content_data(data) SELECT data FROM content_data", NULL, ALL, false, false},
	{"content-bytes", "UPDATE content_data SET data=zeroblob(length(data))", NULL, ALL, true, true},
	{"content-bytes", NULL, remove_file, ALL, true, true},
	{"content-bytes", NULL, change_file, ALL, true, true},
	{"content-references", "UPDATE content SET refs=9", NULL, ALL, false, false},
	{"content-unused",
		"INSERT INTO content_data VALUES(99,CAST('hello' AS BLOB)); INSERT INTO content VALUES("
		"x'2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',5,1,0,99)",
		NULL, ALL + 1, false, false},
	{"content-file", NULL, add_file, ALL, false, false},
	{"log-data", "UPDATE log SET data=x'ff'", NULL, ALL, false, false},
	{"log-alive",
		"INSERT INTO log VALUES(0x0d,1,2,x'01038804'); UPDATE fstate SET log_bytes=log_bytes+28 WHERE fid=0x0d",
		NULL, ALL, false, false},
	{"log-missing", "DELETE FROM log; UPDATE fstate SET log_bytes=0", NULL, ALL, false, false},
	{"log-numbers", "UPDATE fstate SET log_floor=0x100000 WHERE fid=0x0d", NULL, ALL, false, false},
	{"log-size", "UPDATE fstate SET log_bytes=1 WHERE fid=0x0d", NULL, ALL, false, false},
	{"log-folder", "INSERT INTO log VALUES(0x666,5,1,x'0101')", NULL, ALL, false, false},
	{"rights-folder", "INSERT INTO permissions VALUES(0x666,'x',1)", NULL, ALL, true, false},
	{"rights-value", "UPDATE permissions SET rights=0x70001 WHERE fid=0x100", NULL, ALL, true, false},
	{"receive-folder", "UPDATE receive SET fid=0x666 WHERE class='IPM'; DELETE FROM receive WHERE class=''", NULL, ALL,
		false, false},
	{"delivery-id", "INSERT INTO delivered VALUES(x'00',1)", NULL, ALL, false, false},
	{"rule-folder", "INSERT INTO rules(id,fid,name) VALUES(1,0x666,'r')", NULL, ALL, true, false},
	{"search-folder", "INSERT INTO search(fid) VALUES(0x100)", NULL, ALL, true, false},
	{"search-scope", "INSERT INTO scope VALUES(0x666,0x0d)", NULL, ALL, false, false},
	{"search-result", "INSERT INTO found VALUES(3,0x999)", NULL, ALL, false, false},
	{"read-state", "INSERT INTO pread VALUES('x',0x0d,0x999,1,1)", NULL, ALL, false, false},
	{"read-count", "INSERT INTO pread VALUES('x',0x0d,0,7,0),('x',0x0d,0x102,1,1)", NULL, ALL, false, false},
	{"timer", "INSERT INTO timers VALUES(0x999,1)", NULL, ALL, true, false},
	{"table-state", "INSERT INTO tstate VALUES(1,0x666,x'00')", NULL, ALL, false, false},
	{"replica", "INSERT INTO replicas VALUES(6,x'00')", NULL, ALL, true, false},
	{"folder-counters", "UPDATE fstate SET total=99, fai_size=7 WHERE fid=0x0d", NULL, ALL, false, false},
	{"folder-uidnext", "UPDATE fstate SET uidnext=2 WHERE fid=0x0d", NULL, ALL, false, false},
	{"folder-modseq", "UPDATE fstate SET modseq=1 WHERE fid=0x0d", NULL, ALL, false, false},
	{"text-index", NULL, break_text_index, ALL, false, false},
	{"text-index", NULL, lose_text_index_rows, ALL, false, false},
	{"sort-order", "UPDATE srow SET unread=1-unread; UPDATE schunk SET total=total+1", NULL, ALL, false, false},
	{"sort-order", "DELETE FROM srow", NULL, ALL, false, false},
	{"store-sums", "UPDATE fstate SET total=5 WHERE fid=0", NULL, ALL, false, false},
};

/* Those that no repair of this kind can help. */
static const char *const elsewhere[] = {"database", "database-reading", "schema-text"};

/* ---- Checking ---- */

struct seen {
	const char *want;
	unsigned open, repaired, left, others;
	struct gx_strbuf text;
};

static void on_finding(const struct gx_store_finding *f, void *ctx)
{
	struct seen *x = ctx;
	ck_assert(f->check != NULL && f->kind != NULL && *f->text != '\0' && f->severity <= GX_FINDING_LOST);
	gx_strbuf_printf(&x->text, "%s %llx (%u): %s\n", f->check, (unsigned long long)f->object, f->state, f->text);
	if (x->want == NULL || strcmp(f->check, x->want) != 0)
		x->others++;
	else if (f->state == GX_FINDING_OPEN)
		x->open++;
	else if (f->state == GX_FINDING_REPAIRED)
		x->repaired++;
	else
		x->left++;
}

static int describe(struct gx_bin original, struct gx_push *envelope, struct gx_push *structure, void *ctx)
{
	(void)ctx;
	ck_assert_uint_gt(original.len, 0);
	gx_push_str(envelope, "(env)");
	gx_push_str(structure, "(bs)");
	return 0;
}

static struct gx_store_check_result check(struct gx_store *s, bool repair, bool give_up, struct seen *x)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	o.repair = repair;
	o.give_up = give_up;
	o.found = on_finding;
	o.describe = describe;
	o.ctx = x;
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	return r;
}

/* What can be read to the end, wherever it is. */
static int readable(struct gx_store *s)
{
	int n = 0;
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	GX_STMT(st, t->q, "SELECT mid FROM msg");
	while (gx_sql__step(st) > 0) {
		struct gx_arena *own = gx_arena_new(0);
		struct gx_push out = GX_PUSH_INIT;
		struct gx_msgobj *m;
		struct gx_msg_info i;
		ST_OK(gx_msg_get(t, gx_sql__u64(st, 0), &i));
		bool ok = !gx_ec_failed(gx_msg_read(t, i.mid, own, &m));
		if (ok && (i.flags & GX_MSGF_HASORIG))
			ok = !gx_ec_failed(gx_msg_original(t, i.mid, 0, UINT64_MAX, &out)) && out.len == i.size;
		n += ok;
		gx_push_release(&out);
		gx_arena_free(own);
	}
	gx_txn_abort(t);
	return n;
}

/* The store goes on: a message comes, another one moves, all is well after. */
static void use(struct gx_store *s)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	uint64_t mid = st_insert(t, GX_FID_INBOX, 50, 5000, 0).mid;
	ST_OK(gx_msg_copy(t, GX_FID_INBOX, &mid, 1, GX_FID_SENT, true, NULL));
	st_commit(t);
	struct gx_imapview *v = st_view(s, GX_FID_INBOX);
	for (uint32_t i = 2; i <= gx_imapview_count(v); i++)
		ck_assert_uint_gt(gx_imapview_at(v, i).uid, gx_imapview_at(v, i - 1).uid);
	gx_imapview_close(v);
	st_verify(s);
}

static void expect_repair(struct gx_store *s, int i, struct seen *x)
{
	struct gx_store_check_result r = check(s, true, false, x);
	if (damage[i].give_up) { /* only a backup helps, or giving up */
		ck_assert_msg(x->left > 0 && r.left > 0, "%s: not left: %s", damage[i].check, gx_strbuf_cstr(&x->text));
		struct seen y = {.want = damage[i].check};
		r = check(s, true, true, &y);
		ck_assert_msg(r.left == 0 && y.repaired > 0, "%s: left: %s", damage[i].check, gx_strbuf_cstr(&y.text));
		gx_strbuf_release(&y.text);
		return;
	}
	ck_assert_msg(
		r.left == 0 && x->repaired > 0 && x->left == 0, "%s: left: %s", damage[i].check, gx_strbuf_cstr(&x->text));
	ck_assert_uint_eq(r.repaired, r.found);
}

START_TEST(damage_is_found_and_repaired)
{
	struct seen x = {.want = damage[_i].check}, y = x, z = x;
	if (damage[_i].sql != NULL)
		run(damage[_i].sql);
	else
		damage[_i].fn();
	struct gx_store *s = st_open(dir);
	struct gx_store_check_result r = check(s, false, false, &x);
	ck_assert_msg(x.open > 0, "%s: found: %s", damage[_i].check, gx_strbuf_cstr(&x.text));
	ck_assert(r.found > 0 && r.left == r.found && r.repaired == 0 && x.repaired + x.left == 0);
	expect_repair(s, _i, &y);
	r = check(s, false, false, &z);
	ck_assert_msg(r.found == 0, "%s: not clean after: %s", damage[_i].check, gx_strbuf_cstr(&z.text));
	int n = readable(s);
	ck_assert_msg(
		n == damage[_i].readable, "%s: %d messages can be read: %s", damage[_i].check, n, gx_strbuf_cstr(&y.text));
	use(s);
	gx_store_close(s);
	bool aside = number("SELECT COUNT(*) FROM sqlite_schema WHERE name='set_aside'") > 0;
	ck_assert_msg(aside == damage[_i].aside, "%s: %s", damage[_i].check,
		aside ? "rows were set aside" : "nothing was set aside");
	gx_strbuf_release(&x.text);
	gx_strbuf_release(&y.text);
	gx_strbuf_release(&z.text);
}
END_TEST

START_TEST(every_check_has_a_damage)
{
	for (size_t i = 0; gx_store_check_info(i) != NULL; i++) {
		const char *id = gx_store_check_info(i)->check;
		bool there = false;
		for (size_t k = 0; k < N(damage); k++)
			there |= strcmp(damage[k].check, id) == 0;
		for (size_t k = 0; k < N(elsewhere); k++)
			there |= strcmp(elsewhere[k], id) == 0;
		ck_assert_msg(there, "%s has no test", id);
	}
}
END_TEST

static void on_log(int level, const char *text, void *ctx)
{
	(void)ctx;
	fprintf(stderr, "# %d: %s\n", level, text);
}

/* Several at once: repairs of one must not stand in the way of another's. */
START_TEST(damage_comes_in_company)
{
	struct seen x = {.want = ""}, z = x;
	uint32_t seed = (uint32_t)_i * 2654435761U + 17;
	for (int n = 0; n < 6; n++) {
		seed = seed * 1664525 + 1013904223;
		unsigned k = (seed >> 8) % N(damage);
		if (damage[k].sql == NULL || damage[k].give_up || strncmp(damage[k].check, "schema", 6) == 0)
			continue;
		sqlite3 *db = raw();
		(void)sqlite3_exec(db, damage[k].sql, NULL, NULL, NULL); /* the row may be gone already */
		sqlite3_close(db);
	}
	struct gx_log log = {.write = on_log, .level = GX_LOG_ERROR};
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.log = &log;
	struct gx_store *s = st_open_with(dir, &o);
	struct gx_store_check_result r = check(s, true, true, &x);
	ck_assert_msg(r.left == 0, "left: %s", gx_strbuf_cstr(&x.text));
	r = check(s, false, false, &z);
	ck_assert_msg(r.found == 0, "not clean after: %s\nbefore: %s", gx_strbuf_cstr(&z.text), gx_strbuf_cstr(&x.text));
	use(s);
	gx_store_close(s);
	gx_strbuf_release(&x.text);
	gx_strbuf_release(&z.text);
}
END_TEST

START_TEST(what_cannot_be_repaired_is_left)
{
	struct seen x = {.want = "schema-text"};
	run("ALTER TABLE timers ADD COLUMN other");
	struct gx_store *s = st_open(dir);
	struct gx_store_check_result r = check(s, true, true, &x);
	ck_assert(r.found == 1 && r.repaired == 0 && r.left == 1 && x.left == 1 && x.others == 0);
	gx_store_close(s);
	gx_strbuf_release(&x.text);
}
END_TEST

/* What was set aside is the statement that brings it back. */
START_TEST(rows_set_aside_can_come_back)
{
	struct seen x = {.want = "message-body"};
	run("CREATE TABLE keep AS SELECT * FROM body WHERE id=0x102; DELETE FROM body WHERE id=0x102");
	struct gx_store *s = st_open(dir);
	check(s, true, false, &x);
	ck_assert_int_eq(readable(s), ALL - 1);
	gx_store_close(s);
	sqlite3 *db = raw();
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT sql FROM set_aside WHERE source='msg'", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	const char *sql = gx_arena_strdup(a, (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	run(sql);
	run("INSERT INTO body SELECT * FROM keep");
	s = st_open(dir);
	ck_assert_int_eq(readable(s), ALL);
	gx_store_close(s);
	gx_strbuf_release(&x.text);
}
END_TEST

START_TEST(checks_can_be_chosen)
{
	static const char *const one[] = {"log-size", NULL}, *const none[] = {"no-such-check", NULL};
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	run("UPDATE fstate SET log_bytes=1, total=7 WHERE fid=0x0d");
	struct gx_store *s = st_open(dir);
	o.only = one;
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	ck_assert_uint_eq(r.found, 1);
	o.only = none;
	ck_assert_int_eq(gx_store_check(s, &o, &r), GX_E_INVAL);
	o.only = NULL;
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	ck_assert_uint_eq(r.found, 3); /* and the store's sum */
	gx_store_close(s);
}
END_TEST

/* By one who writes, here, and would wait for itself. */
START_TEST(nobody_waits_for_a_check)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	struct gx_store *s = st_open(dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	st_insert(t, GX_FID_INBOX, 50, 400, 0);
	ck_assert_int_eq(gx_order__flush(t), 0);
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	ck_assert_uint_eq(r.found, 0);
	o.repair = true;
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	ck_assert_uint_eq(r.found, 0);
	st_commit(t);
	gx_store_close(s);
	run("UPDATE srow SET unread=1-unread");
	s = st_open(dir);
	t = st_begin(s, GX_TXN_WRITE);
	o.repair = false;
	ck_assert_int_eq(gx_store_check(s, &o, &r), 0);
	ck_assert_uint_gt(r.found, 0);
	gx_txn_abort(t);
	gx_store_close(s);
}
END_TEST

/* As SQLite says it; found by allocations that fail (faults/check_oom.c). */
START_TEST(want_of_memory_is_no_damage)
{
	ck_assert(gx_sql__unchecked("*** in database main ***\nPage 39: unable to get the page. error code=7"));
	ck_assert(gx_sql__unchecked("Page 39: unable to get the page. error code=3082")); /* SQLITE_IOERR_NOMEM */
	ck_assert(!gx_sql__unchecked("Page 39: unable to get the page. error code=11"));
	ck_assert(!gx_sql__unchecked("Page 39 is never used"));
	ck_assert(!gx_sql__unchecked("ok"));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("storecheck");
	TCase *c = tcase_create("damage");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, damage_is_found_and_repaired, 0, (int)N(damage));
	tcase_add_loop_test(c, damage_comes_in_company, 0, 40);
	tcase_add_test(c, every_check_has_a_damage);
	tcase_add_test(c, what_cannot_be_repaired_is_left);
	tcase_add_test(c, rows_set_aside_can_come_back);
	tcase_add_test(c, checks_can_be_chosen);
	tcase_add_test(c, want_of_memory_is_no_damage);
	tcase_add_test(c, nobody_waits_for_a_check);
	suite_add_tcase(s, c);
	return s;
}
GXTEST_MAIN(suite)
