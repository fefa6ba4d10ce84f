/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the module, and transactions. */
#include <config.h>
#include <pthread.h>
#include <signal.h>
#include "libgxstore/directory/mariadb/mdb-int.h"

/* A lock of the server; the database's name may be longer than a lock's. */
#define TABLES_LOCK "CONCAT('gx-directory-', MD5(DATABASE()))"
enum { TABLES_LOCK_SECONDS = 60 };

static int query(struct gx_mdb_conn *c, const char *sql)
{
	if (mysql_real_query(c->h, sql, strlen(sql)) != 0)
		return gx_mdb__fail(c, mysql_errno(c->h), mysql_error(c->h));
	return 0;
}

static int exec(struct gx_dirconn *base, const char *sql)
{
	struct gx_mdb_conn *c = (struct gx_mdb_conn *)base;
	int err = query(c, sql);
	if (err != 0)
		return err;
	mysql_free_result(mysql_store_result(c->h)); /* NULL where there are no rows */
	if (mysql_errno(c->h) != 0)
		return gx_mdb__fail(c, mysql_errno(c->h), mysql_error(c->h));
	return 0;
}

/* The number in the first column of the only row; -1 for NULL. */
static int ask(struct gx_mdb_conn *c, const char *sql, long *ret_v)
{
	int err = query(c, sql);
	if (err != 0)
		return err;
	MYSQL_RES *res = mysql_store_result(c->h);
	if (res == NULL)
		return gx_mdb__fail(c, mysql_errno(c->h), mysql_error(c->h));
	MYSQL_ROW row = mysql_fetch_row(res);
	*ret_v = row == NULL || row[0] == NULL ? -1 : strtol(row[0], NULL, 10);
	mysql_free_result(res);
	return 0;
}

static int64_t changes(struct gx_dirconn *base)
{
	return ((struct gx_mdb_conn *)base)->changes;
}

static int64_t last_id(struct gx_dirconn *base)
{
	return ((struct gx_mdb_conn *)base)->last_id;
}

/*
 * That a name is free in three tables is nothing the database can hold for us, so those who write
 * come one after the other, as with SQLite. They are few.
 */
static int begin(struct gx_dirconn *base)
{
	int err = exec(base, "START TRANSACTION");
	if (err == 0) {
		err = exec(base, "SELECT value FROM options WHERE `key`='schemaversion' FOR UPDATE");
		if (err != 0 && !base->lost)
			(void)query((struct gx_mdb_conn *)base, "ROLLBACK");
	}
	return err;
}

static int commit(struct gx_dirconn *base)
{
	int err = exec(base, "COMMIT");
	/* Without an answer nobody knows whether it was done; it must not be done twice. */
	if (base->lost)
		base->why.again = false;
	return err;
}

static void rollback(struct gx_dirconn *base)
{
	struct gx_dirwhy why = base->why; /* of what went wrong before */
	(void)exec(base, "ROLLBACK");
	base->why = why;
}

static int lock_tables(struct gx_dirconn *base)
{
	struct gx_mdb_conn *c = (struct gx_mdb_conn *)base;
	char sql[128];
	long got;
	snprintf(sql, sizeof(sql), "SELECT GET_LOCK(" TABLES_LOCK ", %d)", TABLES_LOCK_SECONDS);
	int err = ask(c, sql, &got);
	if (err != 0 || got == 1)
		return err;
	snprintf(base->why.text, sizeof(base->why.text), "another program has kept the lock for %d seconds", TABLES_LOCK_SECONDS);
	return GX_E_BUSY;
}

static int unlock_tables(struct gx_dirconn *base, bool keep)
{
	struct gx_dirwhy why = base->why;
	long got;
	(void)ask((struct gx_mdb_conn *)base, "SELECT RELEASE_LOCK(" TABLES_LOCK ")", &got); /* the end of the connection does it as well */
	base->why = why;
	return 0;
}

/*
 * The server knows when a table was changed last, to the second: what was changed within this
 * second and the last one may be changed once more in it, and counts as changed each time, also
 * when another connection of the pool asks.
 */
static int changed(struct gx_dirconn *base, int64_t *ret_v)
{
	static const char sql[] = "SELECT coalesce(unix_timestamp(max(update_time)), 0),"
		" coalesce(max(update_time) >= now() - INTERVAL 1 SECOND, 0) FROM information_schema.tables WHERE table_schema=database()"
		" AND table_name IN ('users','aliases','altnames','user_properties','domains','servers')";
	static _Atomic int64_t unsettled;
	struct gx_dirstmt *st;
	int r = gx_mdb__run(base, GX_DIRBACK_STMTS - 1, sql, NULL, 0, &st);
	if (r != 0)
		return r;
	r = gx_mdb__step(st);
	if (r == 1)
		*ret_v = gx_mdb__num(st, 1) == 0 ? gx_mdb__num(st, 0) : --unsettled;
	gx_mdb__done(st);
	return r == 1 ? 0 : r == 0 ? GX_E_INTERNAL : r;
}

extern const struct gx_dirback gx_mdb__back;
const struct gx_dirback gx_mdb__back = {
	.abi = GX_DIRBACK_ABI,
	.dialect = GX_DIRBACK_MYSQL,
	.ascii_names = true,
	.sockets = true, /* with TLS it writes without MSG_NOSIGNAL */
	.look_ms = 1000,
	.connect = gx_mdb__connect,
	.disconnect = gx_mdb__disconnect,
	.run = gx_mdb__run,
	.step = gx_mdb__step,
	.num = gx_mdb__num,
	.text = gx_mdb__text,
	.done = gx_mdb__done,
	.exec = exec,
	.changes = changes,
	.last_id = last_id,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.lock_tables = lock_tables,
	.unlock_tables = unlock_tables,
	.changed = changed,
};

/* The client library is not to decide for the whole process what becomes of SIGPIPE. */
static void init_client(void)
{
	struct sigaction before;
	sigaction(SIGPIPE, NULL, &before);
	mysql_library_init(0, NULL, NULL);
	sigaction(SIGPIPE, &before, NULL);
}

GX_API gx_dirback_fn gx_dir_back_end;
const struct gx_dirback *gx_dir_back_end(uint32_t abi)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	if (abi != GX_DIRBACK_ABI)
		return NULL;
	pthread_once(&once, init_client);
	return &gx_mdb__back;
}
