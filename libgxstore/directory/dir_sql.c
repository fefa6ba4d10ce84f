/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement the directory runs, and how they are run. The schema is in dir_schema.c. */
#include <config.h>
#include <assert.h>
#include "libgxstore/directory/dir-int.h"

#define USER_COLUMNS \
	"SELECT u.id, u.domain_id, u.homeserver, u.username, u.maildir, u.lang, u.timezone, u.address_status, u.privilege_bits FROM users u "
/* A name may be an address, an alias of one, or a login name, in this order. */
#define USER_ID_OF(p) \
	"coalesce((SELECT id FROM users WHERE username=" p ")," \
	" (SELECT id FROM users WHERE username=(SELECT mainname FROM aliases WHERE aliasname=" p "))," \
	" (SELECT user_id FROM altnames WHERE altname=" p "))"
#define DOMAIN_COLUMNS "SELECT id, homeserver, domain_status, domainname, homedir, title, max_user FROM domains "
#define LIST_COLUMNS "SELECT id, list_type, list_privilege, listname, domain_id FROM mlists "

static const char *const texts[GX_DQ_COUNT] = {
	[GX_DQ_BEGIN] = "BEGIN IMMEDIATE",
	[GX_DQ_COMMIT] = "COMMIT",
	[GX_DQ_ROLLBACK] = "ROLLBACK",
	[GX_DQ_DATA_VERSION] = "PRAGMA data_version",
	[GX_DQ_USER_BY_NAME] = USER_COLUMNS "WHERE u.id=" USER_ID_OF("?1"),
	/* PidTagDisplayName, PidTagDisplayTypeEx, PidTagProhibitReceiveQuota, PidTagProhibitSendQuota, PidTagStorageQuotaLimit */
	[GX_DQ_USER_PROPS] = "SELECT proptag, propval_str FROM user_properties WHERE user_id=?1"
		" AND proptag IN (0x3001001f,0x39050003,0x666a0003,0x666e0003,0x3ff50003) AND order_id=1",
	[GX_DQ_USER_SECRET] = "SELECT id, password, length(externid) FROM users WHERE id=" USER_ID_OF("?1"),
	[GX_DQ_USER_ID] = "SELECT id FROM users WHERE username=?1",
	[GX_DQ_USERS_ALL] = USER_COLUMNS "ORDER BY u.username",
	[GX_DQ_USERS_OF_DOMAIN] = USER_COLUMNS "WHERE u.domain_id=(SELECT id FROM domains WHERE domainname=?1) ORDER BY u.username",
	[GX_DQ_USER_INSERT] = "INSERT INTO users(username, password, domain_id, maildir, lang, timezone, privilege_bits, address_status, homeserver)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)",
	[GX_DQ_USER_DELETE] = "DELETE FROM users WHERE username=?1",
	[GX_DQ_USER_PASSWORD] = "UPDATE users SET password=?2 WHERE username=?1",
	[GX_DQ_USER_FIRST_PASSWORD] = "UPDATE users SET password=?2 WHERE id=" USER_ID_OF("?1") " AND password=''",
	[GX_DQ_PROP_PUT] = "INSERT OR REPLACE INTO user_properties(user_id, proptag, order_id, propval_str) VALUES(?1,?2,1,?3)",
	[GX_DQ_DOMAIN_BY_NAME] = DOMAIN_COLUMNS "WHERE domainname=?1",
	[GX_DQ_DOMAINS] = DOMAIN_COLUMNS "ORDER BY domainname",
	[GX_DQ_DOMAIN_INSERT] = "INSERT INTO domains(domainname, homedir, max_user) VALUES(?1,?2,?3)",
	[GX_DQ_DOMAIN_DELETE] = "DELETE FROM domains WHERE domainname=?1",
	[GX_DQ_DOMAIN_COUNT] = "SELECT count(*) FROM users WHERE domain_id=?1",
	[GX_DQ_ALIAS_INSERT] = "INSERT INTO aliases(aliasname, mainname) SELECT ?1, username FROM users WHERE username=?2",
	[GX_DQ_ALIAS_DELETE] = "DELETE FROM aliases WHERE aliasname=?1",
	[GX_DQ_ALIASES_ALL] = "SELECT aliasname, mainname FROM aliases ORDER BY mainname, aliasname",
	[GX_DQ_ALIASES_OF] = "SELECT aliasname, mainname FROM aliases WHERE mainname=?1 ORDER BY aliasname",
	[GX_DQ_NAME_TAKEN] = "SELECT 1 FROM users WHERE username=?1 UNION ALL SELECT 1 FROM aliases WHERE aliasname=?1"
		" UNION ALL SELECT 1 FROM altnames WHERE altname=?1 LIMIT 1",
	[GX_DQ_NAME_FORGET_MEMBER] = "DELETE FROM associations WHERE username=?1",
	[GX_DQ_LIST_BY_NAME] = LIST_COLUMNS "WHERE listname=coalesce((SELECT mainname FROM aliases WHERE aliasname=?1), ?1)",
	[GX_DQ_LIST_MEMBERS] = "SELECT username FROM associations WHERE list_id=?1 ORDER BY username",
	[GX_DQ_LIST_DOMAIN_MEMBERS] = "SELECT username FROM users WHERE domain_id=?1 AND maildir<>'' AND address_status=0 ORDER BY username",
	[GX_DQ_LIST_HAS_MEMBER] = "SELECT 1 FROM associations WHERE list_id=?1 AND username=?2",
	[GX_DQ_LIST_MAY_SEND] = "SELECT 1 FROM specifieds WHERE list_id=?1 AND username=?2",
	[GX_DQ_LISTS_OF] = "SELECT m.listname FROM associations a JOIN mlists m ON m.id=a.list_id WHERE a.username=?1 ORDER BY m.listname",
	[GX_DQ_LISTS_OF_DOMAIN] = "SELECT m.listname FROM mlists m JOIN users u ON u.domain_id=m.domain_id"
		" WHERE u.username=?1 AND m.list_type=2 AND u.maildir<>'' AND u.address_status=0 ORDER BY m.listname",
	[GX_DQ_LIST_INSERT] = "INSERT INTO mlists(listname, domain_id, list_type, list_privilege) VALUES(?1,?2,?3,?4)",
	[GX_DQ_MEMBER_INSERT] = "INSERT INTO associations(list_id, username) SELECT id, ?2 FROM mlists WHERE listname=?1",
	[GX_DQ_MEMBER_DELETE] = "DELETE FROM associations WHERE list_id=(SELECT id FROM mlists WHERE listname=?1) AND username=?2",
	[GX_DQ_SENDER_INSERT] = "INSERT INTO specifieds(username, list_id) SELECT ?2, id FROM mlists WHERE listname=?1",
};

int gx_dir__err(struct gx_dir *d, int rc)
{
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return GX_E_EXISTS;
	gx_log(d->log, GX_LOG_ERROR, "%s: %s", d->path, sqlite3_errmsg(d->db));
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return GX_E_BUSY;
	case SQLITE_NOMEM:
		return GX_E_NOMEM;
	case SQLITE_FULL:
		return GX_E_NOSPACE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return GX_E_FORMAT;
	default:
		return GX_E_IO;
	}
}

sqlite3_stmt *gx_dir__stmt(struct gx_dir *d, enum gx_dir_q q)
{
	assert(texts[q] != NULL);
	if (d->st[q] == NULL) {
		int rc = sqlite3_prepare_v3(d->db, texts[q], -1, SQLITE_PREPARE_PERSISTENT, &d->st[q], NULL);
		if (rc != SQLITE_OK) {
			gx_dir__err(d, rc);
			return NULL;
		}
	}
	return d->st[q];
}

void gx_dir__done(sqlite3_stmt *st)
{
	if (st == NULL)
		return;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

int gx_dir__bind(sqlite3_stmt *st, int i, const char *s)
{
	return sqlite3_bind_text(st, i, s, -1, SQLITE_TRANSIENT) == SQLITE_OK ? 0 : GX_E_NOMEM;
}

int gx_dir__step(struct gx_dir *d, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : gx_dir__err(d, rc);
}

int gx_dir__exec(struct gx_dir *d, enum gx_dir_q q, const char *a, const char *b)
{
	sqlite3_stmt *st = gx_dir__stmt(d, q);
	if (st == NULL)
		return GX_E_IO;
	int err = a == NULL ? 0 : gx_dir__bind(st, 1, a);
	if (err == 0 && b != NULL)
		err = gx_dir__bind(st, 2, b);
	if (err == 0)
		err = gx_dir__step(d, st);
	gx_dir__done(st);
	return err > 0 ? GX_E_INTERNAL : err;
}

const char *gx_dir__col(struct gx_arena *a, sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);
	return gx_arena_strdup(a, s == NULL ? "" : s);
}

int gx_dir__begin(struct gx_dir *d)
{
	pthread_mutex_lock(&d->lock);
	int err = gx_dir__exec(d, GX_DQ_BEGIN, NULL, NULL);
	if (err != 0)
		pthread_mutex_unlock(&d->lock);
	return err;
}

int gx_dir__end(struct gx_dir *d, int err)
{
	if (err == 0)
		err = gx_dir__exec(d, GX_DQ_COMMIT, NULL, NULL);
	if (err != 0 && !sqlite3_get_autocommit(d->db)) {
		int undo = gx_dir__exec(d, GX_DQ_ROLLBACK, NULL, NULL);
		if (undo != 0)
			gx_log(d->log, GX_LOG_ERROR, "%s: rollback: %s", d->path, gx_strerror(undo));
	}
	gx_dir__cache_clear(d);
	pthread_mutex_unlock(&d->lock);
	return err;
}
