/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a mailbox of Gromox: what it is, which version, which numbers it has given out. */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <gx/entryid.h>
#include "libgxstore/gromox/gromox-int.h"

#define NEWEST 27
#define EXCHANGE "exmdb/exchange.sqlite3"
#define MIDB "exmdb/midb.sqlite3"

/* configurations.config_id */
enum { CFG_MAILBOX = 1, CFG_NEXT = 2, CFG_LAST = 3, CFG_CN = 4, CFG_DEFAULT = 8, CFG_ANONYMOUS = 9, CFG_VERSION = 10,
	CFG_MAPPING = 11 };

/* ---- Databases of others ---- */

static int64_t size_of(struct gx_arena *a, const char *path, const char *suffix)
{
	struct stat st;
	const char *p = gx_arena_printf(a, "%s%s", path, suffix);
	return p == NULL || stat(p, &st) != 0 ? -1 : (int64_t)st.st_size;
}

/* A path inside of a URI. */
static const char *uri_of(struct gx_arena *a, const char *path, const char *query)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "file:");
	for (const char *s = path; *s != '\0'; s++) {
		if (*s == '%' || *s == '?' || *s == '#')
			gx_strbuf_printf(&b, "%%%02x", (unsigned char)*s);
		else
			gx_strbuf_addc(&b, *s);
	}
	gx_strbuf_printf(&b, "?%s", query);
	const char *uri = b.err != 0 ? NULL : gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return uri;
}

/*
 * Without a log nothing can change and no lock is needed. A log whose index is there may be in use
 * by somebody, so locks are respected; one without an index is nobody's.
 */
static int open_db(struct gx_arena *a, const char *path, const char *dir, const struct gx_log *log,
	struct gx_sql **ret_q, char *why, size_t size)
{
	struct gx_sql_open o = {.dir = dir, .log = log, .foreign = true, .name = path};
	bool wal = size_of(a, path, "-wal") > 0, shm = size_of(a, path, "-shm") > 0, hot = size_of(a, path, "-journal") > 0;
	o.exclusive = wal && !shm;
	o.file = uri_of(a, path, !wal && !hot ? "immutable=1" : o.exclusive ? "mode=ro&vfs=unix-none" : "mode=ro");
	if (o.file == NULL) {
		snprintf(why, size, "%s: out of memory", path);
		return GX_E_NOMEM;
	}
	int err = gx_sql__open(&o, ret_q, why, size);
	if (err != 0)
		return err;
	/* One snapshot from here to the end. */
	err = gx_sql__exec(*ret_q, "BEGIN; SELECT COUNT(*) FROM sqlite_master");
	if (err != 0) {
		snprintf(why, size, "%s", (*ret_q)->why);
		gx_sql__close(*ret_q);
		*ret_q = NULL;
	}
	return err;
}

bool gx_gromox__has_table(struct gx_sql *q, const char *table)
{
	GX_STMT(st, q, "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?1");
	gx_sql__bind_text(st, 1, table);
	return gx_sql__step(st) > 0;
}

bool gx_gromox__has_column(struct gx_sql *q, const char *table, const char *column)
{
	GX_STMT(st, q, "SELECT 1 FROM pragma_table_info(?1) WHERE name=?2");
	gx_sql__bind_text(st, 1, table);
	gx_sql__bind_text(st, 2, column);
	return gx_sql__step(st) > 0;
}

/* ---- Statements for the columns that are there ---- */

static const char *col(struct gx_sql *q, const char *table, const char *column, const char *otherwise)
{
	return gx_gromox__has_column(q, table, column) ? column : otherwise;
}

static int make_statements(struct gx_gromox *g)
{
	struct gx_arena *a = g->sql;
	struct gx_sql *q = g->q;
	g->q_folders = gx_arena_printf(a, "SELECT folder_id,parent_id,change_number,%s,%s,%s FROM folders"
		" ORDER BY folder_id", col(q, "folders", "is_deleted", "0"), col(q, "folders", "is_search", "0"),
		col(q, "folders", "search_flags", "0"));
	const char *cols = gx_arena_printf(a, "message_id,parent_fid,change_number,%s,is_associated,%s,%s,message_size,"
		"%s,%s FROM messages", col(q, "messages", "is_deleted", "0"), col(q, "messages", "read_cn", "0"),
		col(q, "messages", "read_state", "0"),
		col(q, "messages", "mid_string", "NULL"), col(q, "messages", "timer_id", "NULL"));
	if (cols == NULL)
		return GX_E_NOMEM;
	g->q_message = gx_arena_printf(a, "SELECT %s WHERE message_id=?1", cols);
	g->q_messages = gx_arena_printf(a, "SELECT %s WHERE parent_fid=?1 AND message_id>?2 ORDER BY message_id", cols);
	g->q_stray = gx_arena_printf(a, "SELECT %s WHERE message_id>?1 AND parent_attid IS NULL AND"
		" (parent_fid IS NULL OR parent_fid NOT IN (SELECT folder_id FROM folders)) ORDER BY message_id", cols);
	return g->q_folders == NULL || g->q_message == NULL || g->q_messages == NULL || g->q_stray == NULL ? GX_E_NOMEM : 0;
}

static int make_midb_statements(struct gx_gromox *g)
{
	struct gx_sql *q = g->midb;
	g->q_midb_msg = gx_arena_printf(g->sql, "SELECT folder_id,uid,replied,flagged,deleted,%s,%s,%s,read,%s,mid_string,"
		"%s,received FROM messages WHERE message_id=?1", col(q, "messages", "forwarded", "0"), col(q, "messages", "recent", "0"),
		col(q, "messages", "unsent", "0"), col(q, "messages", "keywords", "NULL"), col(q, "messages", "mod_time", "0"));
	g->q_midb_folder = gx_arena_printf(g->sql, "SELECT uidnext,%s FROM folders WHERE folder_id=?1",
		col(q, "folders", "unsub", "0"));
	return g->q_midb_msg == NULL || g->q_midb_folder == NULL ? GX_E_NOMEM : 0;
}

/* ---- Numbers ---- */

/* One number; NULL and what cannot be one of 48 bits is 0. */
static int number(struct gx_sql *q, const char *sql, uint64_t *io_max)
{
	GX_STMT(st, q, sql);
	int r = gx_sql__step(st);
	if (r < 0)
		return r;
	uint64_t v = r > 0 ? gx_sql__u64(st, 0) : 0;
	if (v <= GX_COUNTER_MAX && v > *io_max)
		*io_max = v;
	return 0;
}

static int config_int(struct gx_sql *q, int id, uint64_t *ret_v)
{
	GX_STMT(st, q, "SELECT config_value FROM configurations WHERE config_id=?1");
	gx_sql__bind_int(st, 1, id);
	int r = gx_sql__step(st);
	*ret_v = r > 0 ? gx_sql__u64(st, 0) : 0;
	return r;
}

static int config_guid(struct gx_sql *q, int id, bool *ret_has, struct gx_guid *ret_g)
{
	GX_STMT(st, q, "SELECT config_value FROM configurations WHERE config_id=?1");
	gx_sql__bind_int(st, 1, id);
	int r = gx_sql__step(st);
	*ret_has = r > 0 && gx_guid_parse(gx_sql__text(st, 0), ret_g) == 0;
	return r < 0 ? r : 0;
}

static int highest(struct gx_gromox *g)
{
	static const char *const ids[] = {
		"SELECT config_value FROM configurations WHERE config_id=2",
		"SELECT config_value FROM configurations WHERE config_id=3",
		"SELECT MAX(range_end) FROM allocated_eids", "SELECT MAX(max_eid) FROM folders",
		"SELECT MAX(folder_id) FROM folders", "SELECT MAX(message_id) FROM messages",
	};
	static const char *const cns[] = {
		"SELECT config_value FROM configurations WHERE config_id=4", "SELECT MAX(change_number) FROM folders",
		"SELECT MAX(change_number) FROM messages",
	};
	uint64_t id = 0;
	int err = 0;
	for (size_t i = 0; err == 0 && i < sizeof(ids) / sizeof(ids[0]); i++)
		err = number(g->q, ids[i], &id);
	for (size_t i = 0; err == 0 && i < sizeof(cns) / sizeof(cns[0]); i++)
		err = number(g->q, cns[i], &g->info.last_cn);
	if (err == 0 && gx_gromox__has_column(g->q, "messages", "read_cn"))
		err = number(g->q, "SELECT MAX(read_cn) FROM messages", &g->info.last_cn);
	if (err == 0 && gx_gromox__has_table(g->q, "read_cns"))
		err = number(g->q, "SELECT MAX(read_cn) FROM read_cns", &g->info.last_cn);
	g->info.last_id = id;
	err = err != 0 ? err : number(g->q, "SELECT COUNT(*) FROM folders", &g->info.folders);
	return err != 0 ? err : number(g->q, "SELECT COUNT(*) FROM messages WHERE parent_attid IS NULL", &g->info.messages);
}

/*
 * No table tells the replica GUID, but the change keys of built-in folders begin with it; those have the form of
 * [gromox formats 5] unless a client has changed the folder.
 */
static int find_replica(struct gx_gromox *g)
{
	struct gx_guid v;
	GX_STMT(st, g->q, "SELECT propval FROM folder_properties WHERE folder_id<256 AND proptag=?1 ORDER BY folder_id");
	gx_sql__bind_int(st, 1, PidTagChangeKey);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_bin b = gx_sql__blob(st, 0);
		if (b.len != 22)
			continue;
		gx_guid_get(b.data, &v);
		bool ours = g->info.is_public ? v.d2 == 0x0afb && v.d3 == 0x7df6 : v.d2 == 0x18a5 && v.d3 == 0x6f7b;
		if (!ours)
			continue;
		g->info.replica = v;
		g->info.has_replica = true;
		return 0;
	}
	return r;
}

static int read_info(struct gx_gromox *g)
{
	struct gx_gromox_info *i = &g->info;
	uint64_t v = 0;
	int r = config_int(g->q, CFG_DEFAULT, &v);
	i->has_default = r > 0;
	i->default_rights = (uint32_t)v;
	if (r >= 0)
		r = config_int(g->q, CFG_ANONYMOUS, &v);
	i->has_anonymous = r > 0;
	i->anonymous_rights = (uint32_t)v;
	int err = r < 0 ? r : config_guid(g->q, CFG_MAILBOX, &i->has_mailbox, &i->mailbox);
	err = err != 0 ? err : config_guid(g->q, CFG_MAPPING, &i->has_mapping, &i->mapping);
	err = err != 0 ? err : highest(g);
	return err != 0 ? err : find_replica(g);
}

/* ---- Opening ---- */

static int check_kind(struct gx_gromox *g, const char *path, char *why, size_t size)
{
	static const char *const need[] = {"configurations", "folders", "folder_properties", "messages",
		"message_properties", "recipients", "recipients_properties", "attachments", "attachment_properties",
		"named_properties", "store_properties"};
	uint64_t version;
	for (size_t i = 0; i < sizeof(need) / sizeof(need[0]); i++)
		if (!gx_gromox__has_table(g->q, need[i])) {
			snprintf(why, size, "%s: has no table \"%s\": this is not the database of a Gromox mailbox", path, need[i]);
			return GX_E_FORMAT;
		}
	int r = config_int(g->q, CFG_VERSION, &version);
	if (r < 0) {
		snprintf(why, size, "%s", g->q->why);
		return r;
	}
	g->info.is_public = gx_gromox__has_table(g->q, "read_states") && !gx_gromox__has_table(g->q, "receive_table");
	g->info.version = version > NEWEST ? NEWEST + 1 : (int)version;
	if (version <= NEWEST)
		return 0;
	snprintf(why, size, "%s: schema version %llu is newer than this program knows (%d); upgrade the program", path,
		(unsigned long long)version, NEWEST);
	return GX_E_FORMAT;
}

/* What can be had without the IMAP index is had without it. */
static int open_midb(struct gx_gromox *g, const struct gx_log *log, char *why, size_t size)
{
	const char *path = gx_arena_printf(g->sql, "%s/" MIDB, g->dir);
	char text[512];
	if (path == NULL)
		return GX_E_NOMEM;
	if (size_of(g->sql, path, "") < 0)
		return 0;
	int err = open_db(g->sql, path, g->dir, log, &g->midb, text, sizeof(text));
	if (err == GX_E_NOMEM || err == GX_E_BUSY) {
		snprintf(why, size, "%s", text);
		return err;
	}
	if (err == 0 && (!gx_gromox__has_table(g->midb, "messages") || !gx_gromox__has_table(g->midb, "folders"))) {
		snprintf(text, sizeof(text), "%s: is not the IMAP index of a Gromox mailbox", path);
		gx_sql__close(g->midb);
		g->midb = NULL;
		err = GX_E_FORMAT;
	}
	if (err == 0)
		return make_midb_statements(g);
	g->midb_why = gx_arena_strdup(g->sql, text);
	return g->midb_why == NULL ? GX_E_NOMEM : 0;
}

static int open_all(struct gx_gromox *g, const struct gx_log *log, char *why, size_t size)
{
	const char *path = gx_arena_printf(g->sql, "%s/" EXCHANGE, g->dir);
	if (path == NULL)
		return GX_E_NOMEM;
	if (size_of(g->sql, path, "") < 0) {
		snprintf(why, size, "%s: %s; this is not the directory of a Gromox mailbox", path, strerror(errno));
		return errno == ENOENT || errno == ENOTDIR ? GX_E_NOTFOUND : GX_E_IO;
	}
	int err = open_db(g->sql, path, g->dir, log, &g->q, why, size);
	if (err == 0)
		err = check_kind(g, path, why, size);
	if (err != 0)
		return err;
	err = make_statements(g);
	if (err == 0)
		err = read_info(g);
	if (err != 0)
		snprintf(why, size, "%s", g->q->why);
	err = err != 0 ? err : gx_gromox__cid_open(g->dir, &g->cid);
	return err != 0 ? err : open_midb(g, log, why, size);
}

int gx_gromox__open(const char *dir, const struct gx_log *log, struct gx_gromox **ret_g, char *why, size_t size)
{
	struct gx_gromox *g = calloc(1, sizeof(*g));
	*why = '\0';
	if (g == NULL)
		return GX_E_NOMEM;
	g->dir = strdup(dir);
	g->sql = gx_arena_new(0);
	int err = g->dir == NULL || g->sql == NULL ? GX_E_NOMEM : 0;
	for (size_t n = err == 0 ? strlen(g->dir) : 0; n > 1 && g->dir[n - 1] == '/'; n--)
		g->dir[n - 1] = '\0';
	if (err == 0)
		err = open_all(g, log, why, size);
	if (err != 0) {
		if (*why == '\0')
			snprintf(why, size, "%s: %s", dir, gx_strerror(err));
		gx_gromox__close(g);
		return err;
	}
	*ret_g = g;
	return 0;
}

void gx_gromox__close(struct gx_gromox *g)
{
	if (g == NULL)
		return;
	gx_sql__done(g->cursor);
	gx_sql__close(g->midb);
	gx_sql__close(g->q);
	gx_gromox__cid_close(g->cid);
	gx_arena_free(g->sql);
	free(g->dir);
	free(g);
}
