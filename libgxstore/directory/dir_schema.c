/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 25 tables of the user database, as a fresh schema and as steps from the oldest one. Names
 * of tables and columns are those existing administration programs use. ASCII case does not
 * count in names (the columns compare NOCASE).
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>
#include <sys/stat.h>
#include "libgxstore/directory/dir-int.h"

#define T_ADMIN \
	"CREATE TABLE admin_roles(id INTEGER PRIMARY KEY, name VARCHAR(32) NOT NULL UNIQUE, description VARCHAR(128) DEFAULT '');" \
	"CREATE TABLE admin_role_permission_relation(id INTEGER PRIMARY KEY, role_id INTEGER NOT NULL REFERENCES admin_roles(id) ON DELETE CASCADE," \
	" permission VARCHAR(64) NOT NULL, parameters TEXT);" \
	"CREATE TABLE admin_user_role_relation(user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE," \
	" role_id INTEGER NOT NULL REFERENCES admin_roles(id) ON DELETE CASCADE, PRIMARY KEY(user_id, role_id));"
#define T_CONFIGS \
	"CREATE TABLE configs(id INTEGER PRIMARY KEY, service VARCHAR(32) NOT NULL, file VARCHAR(32) NOT NULL, key VARCHAR(200) NOT NULL," \
	" value VARCHAR(255) NOT NULL DEFAULT '', UNIQUE(service, file, key));" \
	"CREATE TABLE tasq(id INTEGER PRIMARY KEY, command VARCHAR(16) NOT NULL, state INTEGER NOT NULL DEFAULT 0, created DATETIME NOT NULL," \
	" updated DATETIME NOT NULL, message VARCHAR(160) NOT NULL DEFAULT '', access TEXT, params TEXT);" \
	"CREATE TABLE disabled_plugins(domain_id INTEGER NOT NULL REFERENCES domains(id) ON DELETE CASCADE, plugin VARCHAR(128) NOT NULL," \
	" PRIMARY KEY(domain_id, plugin));"
#define T_DEVICES \
	"CREATE TABLE user_devices(id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, device_id VARCHAR(64) NOT NULL," \
	" status INTEGER NOT NULL DEFAULT 0, UNIQUE(user_id, device_id));" \
	"CREATE TABLE user_device_history(id INTEGER PRIMARY KEY, user_device_id INTEGER NOT NULL REFERENCES user_devices(id) ON DELETE CASCADE," \
	" time DATETIME NOT NULL, remote_ip VARCHAR(64), status INTEGER NOT NULL DEFAULT 0);"
#define T_FETCHMAIL \
	"CREATE TABLE fetchmail(id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, mailbox VARCHAR(255) NOT NULL," \
	" active INTEGER NOT NULL DEFAULT 0, src_server VARCHAR(255) NOT NULL, src_auth VARCHAR(16) NOT NULL DEFAULT 'password', src_user VARCHAR(255) NOT NULL," \
	" src_password VARCHAR(255) NOT NULL, src_folder VARCHAR(255) NOT NULL, fetchall INTEGER NOT NULL DEFAULT 0, keep INTEGER NOT NULL DEFAULT 1," \
	" protocol VARCHAR(8) NOT NULL DEFAULT 'IMAP', usessl INTEGER NOT NULL DEFAULT 1, sslcertck INTEGER NOT NULL DEFAULT 0, sslcertpath VARCHAR(255)," \
	" sslfingerprint VARCHAR(255), extra_options TEXT, date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);"
#define T_PROPERTIES \
	"CREATE TABLE user_properties(user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, proptag INTEGER NOT NULL," \
	" order_id INTEGER NOT NULL DEFAULT 1, propval_bin VARBINARY(4096), propval_str VARCHAR(4096), PRIMARY KEY(user_id, proptag, order_id)) WITHOUT ROWID;"
#define T_ORGPARAM \
	"CREATE TABLE orgparam(org_id INTEGER NOT NULL REFERENCES orgs(id) ON DELETE CASCADE, key VARCHAR(32) NOT NULL, value VARCHAR(255)," \
	" PRIMARY KEY(org_id, key));"
#define T_SERVERS \
	"CREATE TABLE servers(id INTEGER PRIMARY KEY, hostname VARCHAR(255) NOT NULL UNIQUE, extname VARCHAR(255) NOT NULL);"
#define T_HINTS \
	"CREATE TABLE secondary_store_hints(\"primary\" INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE," \
	" secondary INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, PRIMARY KEY(\"primary\", secondary));"
#define T_ALTNAMES \
	"CREATE TABLE altnames(user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE, altname VARCHAR(320) NOT NULL UNIQUE COLLATE NOCASE," \
	" magic INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(user_id, altname));"
/* Tables that are today as they were in the beginning. */
#define T_STABLE \
	"CREATE TABLE options(key VARCHAR(32) PRIMARY KEY, value VARCHAR(255));" \
	"CREATE TABLE orgs(id INTEGER PRIMARY KEY, name VARCHAR(32) NOT NULL, description VARCHAR(128));" \
	"CREATE TABLE aliases(aliasname VARCHAR(320) NOT NULL COLLATE NOCASE PRIMARY KEY," \
	" mainname VARCHAR(320) NOT NULL COLLATE NOCASE REFERENCES users(username) ON DELETE CASCADE ON UPDATE CASCADE) WITHOUT ROWID;" \
	"CREATE INDEX aliases_mainname ON aliases(mainname);" \
	"CREATE TABLE groups(id INTEGER PRIMARY KEY, groupname VARCHAR(320) NOT NULL UNIQUE COLLATE NOCASE, password VARCHAR(136) NOT NULL DEFAULT ''," \
	" domain_id INTEGER NOT NULL, title VARCHAR(128) NOT NULL DEFAULT '');" \
	"CREATE TABLE mlists(id INTEGER PRIMARY KEY, listname VARCHAR(320) NOT NULL UNIQUE COLLATE NOCASE REFERENCES users(username)" \
	" ON DELETE CASCADE ON UPDATE CASCADE, domain_id INTEGER NOT NULL, list_type INTEGER NOT NULL DEFAULT 0, list_privilege INTEGER NOT NULL DEFAULT 0);" \
	"CREATE TABLE associations(list_id INTEGER NOT NULL REFERENCES mlists(id) ON DELETE CASCADE, username VARCHAR(320) NOT NULL COLLATE NOCASE," \
	" PRIMARY KEY(list_id, username)) WITHOUT ROWID;" \
	"CREATE INDEX associations_username ON associations(username);" \
	"CREATE TABLE specifieds(id INTEGER PRIMARY KEY, username VARCHAR(320) NOT NULL COLLATE NOCASE," \
	" list_id INTEGER NOT NULL REFERENCES mlists(id) ON DELETE CASCADE);" \
	"CREATE INDEX specifieds_list ON specifieds(list_id, username);" \
	"CREATE TABLE classes(id INTEGER PRIMARY KEY, classname VARCHAR(128) NOT NULL, listname VARCHAR(320) COLLATE NOCASE REFERENCES users(username)" \
	" ON DELETE CASCADE ON UPDATE CASCADE, filters TEXT, domain_id INTEGER REFERENCES domains(id) ON DELETE CASCADE);" \
	"CREATE TABLE forwards(id INTEGER PRIMARY KEY, username VARCHAR(320) NOT NULL UNIQUE COLLATE NOCASE, forward_type INTEGER NOT NULL DEFAULT 0," \
	" destination VARCHAR(320) NOT NULL);"
#define DOMAINS_HEAD \
	"CREATE TABLE domains(id INTEGER PRIMARY KEY, org_id INTEGER NOT NULL DEFAULT 0, domainname VARCHAR(255) NOT NULL UNIQUE COLLATE NOCASE," \
	" homedir VARCHAR(128) NOT NULL DEFAULT '', max_user INTEGER NOT NULL DEFAULT 0, title VARCHAR(128) NOT NULL DEFAULT ''," \
	" address VARCHAR(128) NOT NULL DEFAULT '', admin_name VARCHAR(32) NOT NULL DEFAULT '', tel VARCHAR(64) NOT NULL DEFAULT ''," \
	" end_day DATE NOT NULL DEFAULT '3000-01-01', domain_status INTEGER NOT NULL DEFAULT 0"
#define USERS_HEAD \
	"CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, username VARCHAR(320) NOT NULL UNIQUE COLLATE NOCASE, primary_email VARCHAR(320)," \
	" altname VARCHAR(64), password VARCHAR(136) NOT NULL DEFAULT '', domain_id INTEGER NOT NULL, group_id INTEGER NOT NULL DEFAULT 0," \
	" maildir VARCHAR(128) NOT NULL DEFAULT '', lang VARCHAR(32) NOT NULL DEFAULT '', timezone VARCHAR(64) NOT NULL DEFAULT ''," \
	" privilege_bits INTEGER NOT NULL DEFAULT 0, address_status INTEGER NOT NULL DEFAULT 0"
#define I_USERS "CREATE INDEX users_domain ON users(domain_id, username);"

static const char schema_new[] =
	T_STABLE
	DOMAINS_HEAD ", homeserver INTEGER NOT NULL DEFAULT 0, sync_policy TEXT, chat_id VARCHAR(26));"
	USERS_HEAD ", homeserver INTEGER NOT NULL DEFAULT 0, externid VARBINARY(64), sync_policy TEXT, chat_id VARCHAR(26));"
	I_USERS T_PROPERTIES T_ORGPARAM T_SERVERS T_DEVICES T_FETCHMAIL T_ADMIN T_CONFIGS T_HINTS T_ALTNAMES;

/* Version 0: the tables of the beginning; quotas were a column, other login names too. */
static const char schema_old[] = T_STABLE DOMAINS_HEAD ");" USERS_HEAD ", max_size INTEGER NOT NULL DEFAULT 0);";

/* Each step is one transaction together with the new version number, so an upgrade can be cut off anywhere and run again. */
static const struct {
	unsigned version;
	const char *sql;
} steps[] = {
	{10, T_PROPERTIES},
	{20, T_ORGPARAM},
	{30, T_SERVERS "ALTER TABLE domains ADD COLUMN homeserver INTEGER NOT NULL DEFAULT 0;"
		"ALTER TABLE users ADD COLUMN homeserver INTEGER NOT NULL DEFAULT 0;"},
	{40, T_DEVICES T_FETCHMAIL},
	{50, T_ADMIN},
	{60, T_CONFIGS},
	{70, "ALTER TABLE users ADD COLUMN externid VARBINARY(64);"},
	{80, "ALTER TABLE domains ADD COLUMN sync_policy TEXT; ALTER TABLE users ADD COLUMN sync_policy TEXT;"},
	{90, "ALTER TABLE domains ADD COLUMN chat_id VARCHAR(26); ALTER TABLE users ADD COLUMN chat_id VARCHAR(26);"},
	/* PidTagProhibitReceiveQuota, PidTagProhibitSendQuota and PidTagStorageQuotaLimit take the place of the column. */
	{112, "INSERT OR IGNORE INTO user_properties(user_id, proptag, order_id, propval_str)"
		" SELECT id, t.tag, 1, max_size FROM users, (SELECT 0x666a0003 AS tag UNION ALL SELECT 0x666e0003 UNION ALL SELECT 0x3ff50003) t"
		" WHERE max_size > 0; ALTER TABLE users DROP COLUMN max_size;"},
	{120, T_HINTS},
	{129, T_ALTNAMES "INSERT OR IGNORE INTO altnames(user_id, altname) SELECT id, altname FROM users WHERE altname<>'';"},
	{GX_DIR_SCHEMA_VERSION, I_USERS},
};

static const char *say(struct gx_arena *a, const char **ret_why, const char *fmt, ...) GX_PRINTF(3, 4);
static const char *say(struct gx_arena *a, const char **ret_why, const char *fmt, ...)
{
	if (ret_why == NULL || a == NULL)
		return NULL;
	va_list ap;
	va_start(ap, fmt);
	const char *s = gx_arena_vprintf(a, fmt, ap);
	va_end(ap);
	*ret_why = s == NULL ? "out of memory" : s;
	return *ret_why;
}

/** GX_E_NOTFOUND when there are no tables, else the version, 0 when no row says. */
int gx_dir__version(sqlite3 *db, unsigned *ret_version)
{
	sqlite3_stmt *st = NULL;
	int err = GX_E_FORMAT;
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_master WHERE type='table' AND name='options'", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		err = sqlite3_column_int(st, 0) == 0 ? GX_E_NOTFOUND : 0;
	sqlite3_finalize(st);
	if (err != 0)
		return err;
	st = NULL;
	err = GX_E_FORMAT;
	if (sqlite3_prepare_v2(db, "SELECT value FROM options WHERE key='schemaversion'", -1, &st, NULL) == SQLITE_OK) {
		int rc = sqlite3_step(st);
		if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
			*ret_version = rc == SQLITE_ROW ? (unsigned)sqlite3_column_int(st, 0) : 0;
			err = 0;
		}
	}
	sqlite3_finalize(st);
	return err;
}

int gx_dir__connect(const char *path, int flags, sqlite3 **ret_db)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA busy_timeout=10000; PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
			NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		*ret_db = db;
		return 0;
	}
	sqlite3_close(db);
	return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? GX_E_FORMAT : rc == SQLITE_NOMEM ? GX_E_NOMEM : GX_E_IO;
}

static int apply(sqlite3 *db, const char *sql, unsigned version)
{
	char bump[96];
	snprintf(bump, sizeof(bump), "INSERT OR REPLACE INTO options(key, value) VALUES('schemaversion', '%u')", version);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	    (version == 0 || sqlite3_exec(db, bump, NULL, NULL, NULL) == SQLITE_OK) &&
	    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return (sqlite3_errcode(db) & 0xff) == SQLITE_FULL ? GX_E_NOSPACE : GX_E_IO;
}

/*
 * The file holds password hashes: nobody but owner and group may read it. Made by root, it goes
 * to whom the directory belongs, so that the service can open it.
 */
static int make_file(const char *path)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return GX_E_NOMEM;
	const char *parent = dirname(copy);
	struct stat sb;
	int err = 0;
	if (stat(parent, &sb) != 0 && (mkdir(parent, 0750) != 0 || stat(parent, &sb) != 0))
		err = GX_E_IO;
	free(copy);
	if (err != 0)
		return err;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return GX_E_IO;
	if (geteuid() == 0 && fchown(fd, sb.st_uid, sb.st_gid) != 0)
		err = GX_E_IO;
	close(fd);
	return err;
}

static int create(const char *path, bool old, struct gx_arena *a, const char **ret_why)
{
	if (path == NULL || *path == '\0')
		return GX_E_INVAL;
	int err = make_file(path);
	if (err != 0) {
		say(a, ret_why, "%s: cannot make the file: %s", path, err == GX_E_IO ? strerror(errno) : gx_strerror(err));
		return err;
	}
	sqlite3 *db;
	err = gx_dir__connect(path, SQLITE_OPEN_READWRITE, &db);
	if (err != 0) {
		say(a, ret_why, err == GX_E_FORMAT ? "%s: this is no SQLite database; name another file (directory_path) or move it away"
			: "%s: cannot be opened for writing; check its permissions", path);
		return err;
	}
	unsigned version;
	err = gx_dir__version(db, &version);
	if (err == 0) {
		say(a, ret_why, "%s: the tables exist already (schema version %u); use \"gromox-dbop -U\" to upgrade", path, version);
		err = GX_E_EXISTS;
	} else if (err == GX_E_NOTFOUND) {
		err = apply(db, old ? schema_old : schema_new, old ? 0 : GX_DIR_SCHEMA_VERSION);
		if (err != 0)
			say(a, ret_why, "%s: %s", path, sqlite3_errmsg(db));
	} else {
		say(a, ret_why, "%s: %s", path, sqlite3_errmsg(db));
	}
	sqlite3_close(db);
	return err;
}

int gx_dir_create(const char *path, struct gx_arena *a, const char **ret_why)
{
	return create(path, false, a, ret_why);
}

int gx_dir_create_old(const char *path, struct gx_arena *a, const char **ret_why)
{
	return create(path, true, a, ret_why);
}

static int run_steps(sqlite3 *db, unsigned from, unsigned *ret_at)
{
	*ret_at = from;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); ++i) {
		if (steps[i].version <= *ret_at)
			continue;
		int err = apply(db, steps[i].sql, steps[i].version);
		if (err != 0)
			return err;
		*ret_at = steps[i].version;
	}
	return 0;
}

int gx_dir_upgrade(const char *path, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to, const char **ret_why)
{
	if (path == NULL || *path == '\0')
		return GX_E_INVAL;
	sqlite3 *db;
	if (access(path, F_OK) != 0) {
		say(a, ret_why, "%s: %s; \"gromox-dbop -C\" makes it", path, strerror(errno));
		return GX_E_NOTFOUND;
	}
	int err = gx_dir__connect(path, SQLITE_OPEN_READWRITE, &db);
	if (err != 0) {
		say(a, ret_why, err == GX_E_FORMAT ? "%s: this is no SQLite database" : "%s: cannot be opened for writing; check its permissions", path);
		return err;
	}
	unsigned from = 0, at = 0;
	err = gx_dir__version(db, &from);
	if (err == GX_E_NOTFOUND) {
		say(a, ret_why, "%s: there are no tables; \"gromox-dbop -C\" makes them", path);
	} else if (err == 0 && from > GX_DIR_SCHEMA_VERSION) {
		say(a, ret_why, "%s: schema version %u is newer than this program knows (%u)", path, from, GX_DIR_SCHEMA_VERSION);
		err = GX_E_FORMAT;
	} else {
		if (err == 0)
			err = run_steps(db, from, &at);
		if (err != 0)
			say(a, ret_why, "%s: at schema version %u: %s", path, at, sqlite3_errmsg(db));
	}
	sqlite3_close(db);
	if (err == 0) {
		if (ret_from != NULL)
			*ret_from = from;
		if (ret_to != NULL)
			*ret_to = at;
	}
	return err;
}

static int check_version(sqlite3 *db, const char *path, struct gx_arena *a, const char **ret_why)
{
	unsigned v;
	int err = gx_dir__version(db, &v);
	if (err == GX_E_NOTFOUND) {
		say(a, ret_why, "%s: there are no tables; \"gromox-dbop -C\" makes them", path);
	} else if (err != 0) {
		say(a, ret_why, "%s: %s", path, sqlite3_errmsg(db));
	} else if (v < GX_DIR_SCHEMA_VERSION) {
		say(a, ret_why, "%s: schema version %u is too old; \"gromox-dbop -U\" upgrades it to %u", path, v, GX_DIR_SCHEMA_VERSION);
		err = GX_E_STATE;
	} else if (v > GX_DIR_SCHEMA_VERSION) {
		say(a, ret_why, "%s: schema version %u is newer than this program knows (%u)", path, v, GX_DIR_SCHEMA_VERSION);
		err = GX_E_FORMAT;
	}
	return err;
}

int gx_dir_open(const struct gx_dir_opts *o, struct gx_dir **ret_dir, struct gx_arena *a, const char **ret_why)
{
	if (o == NULL || o->path == NULL || *o->path == '\0' || ret_dir == NULL)
		return GX_E_INVAL;
	if (access(o->path, F_OK) != 0) {
		int missing = errno == ENOENT;
		say(a, ret_why, missing ? "%s: %s; \"gromox-dbop -C\" makes it" : "%s: %s", o->path, strerror(errno));
		return missing ? GX_E_NOTFOUND : GX_E_IO;
	}
	sqlite3 *db;
	int err = gx_dir__connect(o->path, SQLITE_OPEN_READWRITE, &db);
	if (err != 0) {
		say(a, ret_why, err == GX_E_FORMAT ? "%s: this is no SQLite database; check directory_path"
			: "%s: cannot be opened; file and directory must be writable for this user", o->path);
		return err;
	}
	err = check_version(db, o->path, a, ret_why);
	struct gx_dir *d = err == 0 ? calloc(1, sizeof(*d)) : NULL;
	if (d != NULL)
		d->path = strdup(o->path);
	if (err == 0 && (d == NULL || d->path == NULL))
		err = GX_E_NOMEM;
	if (err != 0) {
		free(d);
		sqlite3_close(db);
		return err;
	}
	d->db = db;
	d->log = o->log;
	d->clock = gx_clock_system();
	d->cache_ms = (o->cache_seconds == 0 ? 10 : (int64_t)o->cache_seconds) * 1000;
	d->first_time_password = o->first_time_password;
	pthread_mutex_init(&d->lock, NULL);
	*ret_dir = d;
	return 0;
}

void gx_dir_close(struct gx_dir *d)
{
	if (d == NULL)
		return;
	gx_dir__cache_clear(d);
	for (size_t i = 0; i < GX_DQ_COUNT; ++i)
		sqlite3_finalize(d->st[i]);
	sqlite3_close(d->db);
	pthread_mutex_destroy(&d->lock);
	free(d->path);
	free(d);
}
