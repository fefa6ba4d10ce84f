/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include "libgxstore/store-int.h"

/*
 * The B-trees a delivered message touches are few, and each at its end:
 *  fstate   one narrow row a folder with all counters, row 0 for the store
 *  msg      one narrow row a message: what flag changes write and listings read
 *  msg_uid  the folder's messages in UID order
 *  body     what the message says; shared by its copies, counted in `shared` only when it is
 *  mime     what IMAP asks of all messages at once, small enough to be scanned
 * Changes of existing messages and expunges are noted in `log`, one row a transaction, so that a
 * flag change of 10,000 messages moves no index. New messages are found by UID.
 */
static const char version_1[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE fstate(fid INTEGER PRIMARY KEY, uidvalidity INTEGER, uidnext INTEGER, modseq INTEGER,"
	" total INTEGER, unread INTEGER, fai INTEGER, softdel INTEGER, size INTEGER, log_bytes INTEGER,"
	" log_floor INTEGER);"
	"CREATE TABLE folders(fid INTEGER PRIMARY KEY, parent INTEGER, name TEXT, fold TEXT, class TEXT,"
	" type INTEGER, flags INTEGER, cn INTEGER, created INTEGER, modified INTEGER, props BLOB);"
	"CREATE INDEX folders_parent ON folders(parent, fold);"
	"CREATE TABLE msg(mid INTEGER PRIMARY KEY, fid INTEGER, uid INTEGER, flags INTEGER, kwset INTEGER,"
	" modseq INTEGER, cn INTEGER, cn0 INTEGER, size INTEGER, received INTEGER, body INTEGER, creator TEXT);"
	"CREATE INDEX msg_uid ON msg(fid, uid);"
	"CREATE TABLE body(id INTEGER PRIMARY KEY, props BLOB, rcpts BLOB, skeleton BLOB);"
	"CREATE TABLE mime(id INTEGER PRIMARY KEY, size INTEGER, envelope BLOB, structure BLOB);"
	"CREATE TABLE att(body INTEGER, num INTEGER, props BLOB, embedded INTEGER, PRIMARY KEY(body, num)) WITHOUT ROWID;"
	"CREATE TABLE shared(body INTEGER PRIMARY KEY, refs INTEGER);"
	"CREATE TABLE log(fid INTEGER, modseq INTEGER, kind INTEGER, data BLOB, PRIMARY KEY(fid, modseq, kind)) WITHOUT ROWID;"
	"CREATE TABLE permissions(fid INTEGER, member TEXT, rights INTEGER, PRIMARY KEY(fid, member)) WITHOUT ROWID;"
	"CREATE TABLE named(id INTEGER PRIMARY KEY, key BLOB UNIQUE, name TEXT);"
	"CREATE TABLE kwsets(id INTEGER PRIMARY KEY, key TEXT UNIQUE, names TEXT);"
	"CREATE TABLE delivered(id BLOB PRIMARY KEY, seq INTEGER) WITHOUT ROWID;"
	"CREATE TABLE receive(class TEXT PRIMARY KEY, fid INTEGER, modified INTEGER) WITHOUT ROWID;"
	GX_CONTENT_SCHEMA;

/*
 * steps[n] brings version n+1 to n+2; a new store takes them all, so that there is one schema.
 *
 * 2: read state has a change number of its own (rcn); associated messages are found without passing
 *    the normal ones; sizes of all kinds are kept; rules, search folders, sort orders (see order.c),
 *    replicas, reserved ids, read state of each user in public stores.
 * 3: numbers of the groups of a sort order (see order_count.c).
 */
static const char *const steps[GX_SCHEMA_VERSION - 1] = {
	"ALTER TABLE msg ADD COLUMN rcn INTEGER;"
	"CREATE INDEX msg_fai ON msg(fid, uid) WHERE flags&256;"
	"ALTER TABLE fstate ADD COLUMN fai_size INTEGER DEFAULT 0;"
	"ALTER TABLE fstate ADD COLUMN softdel_size INTEGER DEFAULT 0;"
	"ALTER TABLE fstate ADD COLUMN removed INTEGER DEFAULT 0;"
	"ALTER TABLE fstate ADD COLUMN changed_at INTEGER DEFAULT 0;"
	"UPDATE fstate SET softdel_size=(SELECT TOTAL(size) FROM msg WHERE msg.fid=fstate.fid AND uid=0),"
	" fai_size=(SELECT TOTAL(size) FROM msg WHERE msg.fid=fstate.fid AND uid<>0 AND flags&256) WHERE fid<>0;"
	"UPDATE fstate SET softdel_size=(SELECT TOTAL(softdel_size) FROM fstate WHERE fid<>0),"
	" fai_size=(SELECT TOTAL(fai_size) FROM fstate WHERE fid<>0) WHERE fid=0;"
	"UPDATE fstate SET softdel_size=CAST(softdel_size AS INTEGER), fai_size=CAST(fai_size AS INTEGER);"
	"CREATE TABLE members(id INTEGER PRIMARY KEY, member TEXT UNIQUE);"
	"INSERT INTO members(member) SELECT DISTINCT member FROM permissions WHERE member NOT IN ('','default');"
	"CREATE TABLE rules(id INTEGER PRIMARY KEY, fid INTEGER, sequence INTEGER, state INTEGER, level INTEGER,"
	" user_flags INTEGER, name TEXT, provider TEXT, provider_data BLOB, condition BLOB, actions BLOB);"
	"CREATE TABLE search(fid INTEGER PRIMARY KEY, flags INTEGER, state INTEGER, criteria BLOB, at_fid INTEGER, at_id INTEGER);"
	"CREATE TABLE scope(search INTEGER, fid INTEGER, PRIMARY KEY(search, fid)) WITHOUT ROWID;"
	"CREATE TABLE found(fid INTEGER, mid INTEGER, PRIMARY KEY(fid, mid)) WITHOUT ROWID;"
	"CREATE TABLE sview(id INTEGER PRIMARY KEY, fid INTEGER, kind INTEGER, spec BLOB, used INTEGER,"
	" progress INTEGER, UNIQUE(fid, kind, spec));"
	"CREATE TABLE srow(view INTEGER, key BLOB, unread INTEGER, PRIMARY KEY(view, key)) WITHOUT ROWID;"
	"CREATE TABLE schunk(view INTEGER, key BLOB, total INTEGER, unread INTEGER, PRIMARY KEY(view, key)) WITHOUT ROWID;"
	"CREATE TABLE tstate(id INTEGER PRIMARY KEY, fid INTEGER, state BLOB);"
	"CREATE TABLE pread(user TEXT, fid INTEGER, mid INTEGER, isread INTEGER, rcn INTEGER, PRIMARY KEY(user, fid, mid)) WITHOUT ROWID;"
	"CREATE TABLE replicas(replid INTEGER PRIMARY KEY, guid BLOB UNIQUE);"
	"CREATE TABLE reserved(first INTEGER PRIMARY KEY, last INTEGER);"
	"CREATE TABLE replied(peer TEXT PRIMARY KEY, at INTEGER) WITHOUT ROWID;"
	"CREATE TABLE timers(mid INTEGER PRIMARY KEY, timer INTEGER);"
	"CREATE INDEX msg_body ON msg(body) WHERE body<>mid;"
	"CREATE TABLE ftsq(cn INTEGER PRIMARY KEY, body INTEGER);",
	"CREATE TABLE sgroup(view INTEGER, depth INTEGER, key BLOB, total INTEGER, unread INTEGER,"
	" PRIMARY KEY(view, depth, key)) WITHOUT ROWID;"
	"CREATE TABLE scount(view INTEGER, depth INTEGER, state INTEGER, upto BLOB, PRIMARY KEY(view, depth)) WITHOUT ROWID;",
};

/* An index takes a page of an empty store. These are of tables that most stores never write to. */
static const struct {
	const char *name, *make, *any;
} late[] = {
	[GX_LATE_RULES] = {"rules_fid", "CREATE INDEX IF NOT EXISTS rules_fid ON rules(fid, sequence)", "SELECT 1 FROM rules LIMIT 1"},
	[GX_LATE_FOUND] = {"found_mid", "CREATE INDEX IF NOT EXISTS found_mid ON found(mid)", "SELECT 1 FROM found LIMIT 1"},
	[GX_LATE_PREAD] = {"pread_mid", "CREATE INDEX IF NOT EXISTS pread_mid ON pread(mid)", "SELECT 1 FROM pread LIMIT 1"},
};
#define LATE (sizeof(late) / sizeof(late[0]))

int gx_schema__late(struct gx_sql *q, unsigned which)
{
	GX_STMT(st, q, late[which].make);
	return gx_sql__run(st);
}

int gx_schema__all_late(struct gx_sql *q)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < LATE; i++)
		err = gx_schema__late(q, i);
	return err;
}

int gx_schema__can_wait(struct gx_sql *q, const char *name)
{
	for (size_t i = 0; i < LATE; i++) {
		if (strcmp(late[i].name, name) != 0)
			continue;
		GX_STMT(st, q, late[i].any);
		int r = gx_sql__step(st);
		return r < 0 ? r : r == 0;
	}
	return 0;
}

int gx_schema__create(struct gx_sql *q, unsigned version)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d; PRAGMA user_version=%u", GX_APPLICATION_ID, version);
	int err = gx_sql__exec(q, sql);
	if (err == 0)
		err = gx_sql__exec(q, version_1);
	for (size_t i = 0; err == 0 && i + 1 < version; i++)
		err = gx_sql__exec(q, steps[i]);
	return err;
}

static int pragma_int(struct gx_sql *q, const char *sql, int64_t *ret_v)
{
	GX_STMT(st, q, sql);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	*ret_v = r > 0 ? gx_sql__int(st, 0) : 0;
	return 0;
}

static int one_step(struct gx_sql *q, const char *step, int64_t version)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", (int)version);
	int err = gx_sql__begin(q, true);
	if (err == 0)
		err = gx_sql__exec(q, step);
	if (err == 0)
		err = gx_sql__exec(q, sql);
	return err != 0 ? err : gx_sql__commit(q);
}

int gx_schema__upgrade(struct gx_sql *q, const char *const *v, int64_t from, int64_t to)
{
	for (; from < to; from++) {
		int err = one_step(q, v[from - 1], from + 1);
		if (err != 0) {
			sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL); /* the reason of the failure stays */
			return err;
		}
	}
	return 0;
}

int gx_schema__version(struct gx_sql *q, int64_t *ret_version)
{
	int64_t app = 0, version = 0;
	int err = pragma_int(q, "PRAGMA application_id", &app);
	if (err == 0)
		err = pragma_int(q, "PRAGMA user_version", &version);
	if (err != 0)
		return err;
	*ret_version = version;
	if (app != GX_APPLICATION_ID || version < 1)
		return gx_sql__fail(q, GX_E_FORMAT, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME
			": this is not a store; move it away and create one with gromox-mkprivate", q->dir);
	if (version > GX_SCHEMA_VERSION)
		return gx_sql__fail(q, GX_E_FORMAT, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME
			": schema version %d is newer than this program knows (%d); upgrade the program", q->dir,
			(int)version, GX_SCHEMA_VERSION);
	return 0;
}

int gx_schema__open(struct gx_sql *q)
{
	int64_t version;
	int err = gx_schema__version(q, &version);
	return err != 0 ? err : gx_schema__upgrade(q, steps, version, GX_SCHEMA_VERSION);
}

int gx_schema__look(struct gx_sql *q)
{
	int64_t version;
	int err = gx_schema__version(q, &version);
	if (err == 0 && version < GX_SCHEMA_VERSION)
		err = gx_sql__fail(q, GX_E_FORMAT, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME ": schema version %d is older than %d;"
			" upgrade it with gromox-mkprivate -U or gromox-mkpublic -U", q->dir, (int)version, GX_SCHEMA_VERSION);
	return err;
}

int gx_meta__get_blob(struct gx_sql *q, const char *key, struct gx_arena *a, struct gx_bin *ret_v)
{
	GX_STMT(st, q, "SELECT value FROM meta WHERE key=?1");
	gx_sql__bind_text(st, 1, key);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	struct gx_bin b = gx_sql__blob(st, 0);
	uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	if (p == NULL)
		return GX_E_NOMEM;
	*ret_v = (struct gx_bin){p, b.len};
	return 0;
}

int gx_meta__get_int(struct gx_sql *q, const char *key, int64_t *ret_v)
{
	GX_STMT(st, q, "SELECT value FROM meta WHERE key=?1");
	gx_sql__bind_text(st, 1, key);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	*ret_v = gx_sql__int(st, 0);
	return 0;
}

int gx_meta__set_blob(struct gx_sql *q, const char *key, const void *p, size_t n)
{
	GX_STMT(st, q, "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)");
	gx_sql__bind_text(st, 1, key);
	gx_sql__bind_blob(st, 2, p, n);
	return gx_sql__run(st);
}

int gx_meta__set_int(struct gx_sql *q, const char *key, int64_t v)
{
	GX_STMT(st, q, "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)");
	gx_sql__bind_text(st, 1, key);
	gx_sql__bind_int(st, 2, v);
	return gx_sql__run(st);
}
