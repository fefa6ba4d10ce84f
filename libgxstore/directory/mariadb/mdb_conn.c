/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, and what the numbers of errors mean. */
#include <config.h>
#include <errmsg.h>
#include <mysqld_error.h>
#include "libgxstore/directory/mariadb/mdb-int.h"

enum { CONNECT_SECONDS = 5 };

/*
 * Strict: a value that does not fit is an error, not another value. Locks are waited for as long
 * as SQLite waits.
 */
#define SESSION "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', autocommit=1, innodb_lock_wait_timeout=10"

static const struct meaning {
	unsigned number;
	int err;
	bool lost, again; /* the connection is; another attempt may help */
} meanings[] = {
	{ER_DUP_ENTRY, GX_E_EXISTS, false, false},
	{ER_BAD_NULL_ERROR, GX_E_INVAL, false, false},
	{ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, GX_E_INVAL, false, false},
	{ER_DATA_TOO_LONG, GX_E_INVAL, false, false},
	{ER_WARN_DATA_OUT_OF_RANGE, GX_E_INVAL, false, false},
	{ER_LOCK_DEADLOCK, GX_E_BUSY, false, true},
	{ER_CHECKREAD, GX_E_BUSY, false, true},
	{ER_LOCK_WAIT_TIMEOUT, GX_E_BUSY, false, false},
	{ER_CON_COUNT_ERROR, GX_E_BUSY, true, true},
	{ER_TOO_MANY_USER_CONNECTIONS, GX_E_BUSY, true, true},
	{ER_DISK_FULL, GX_E_NOSPACE, false, false},
	{ER_RECORD_FILE_FULL, GX_E_NOSPACE, false, false},
	{ER_OUT_OF_RESOURCES, GX_E_NOMEM, false, false},
	{CR_OUT_OF_MEMORY, GX_E_NOMEM, false, false},
	/* The server went away, is about to, or is not there yet (a Galera node that joins says ER_UNKNOWN_COM_ERROR). */
	{ER_SERVER_SHUTDOWN, GX_E_IO, true, true},
	{ER_CONNECTION_KILLED, GX_E_IO, true, true},
	{ER_UNKNOWN_COM_ERROR, GX_E_IO, true, true},
	{ER_NEW_ABORTING_CONNECTION, GX_E_IO, true, true},
	{CR_CONNECTION_ERROR, GX_E_IO, true, true},
	{CR_CONN_HOST_ERROR, GX_E_IO, true, true},
	{CR_UNKNOWN_HOST, GX_E_IO, true, true},
	{CR_SERVER_GONE_ERROR, GX_E_IO, true, true},
	{CR_SERVER_LOST, GX_E_IO, true, true},
	{CR_SERVER_LOST_EXTENDED, GX_E_IO, true, true},
	{CR_SERVER_HANDSHAKE_ERR, GX_E_IO, true, true},
	{CR_MALFORMED_PACKET, GX_E_IO, true, true},
	{CR_COMMANDS_OUT_OF_SYNC, GX_E_IO, true, true},
	/* The server has forgotten a prepared statement, or the tables were changed behind it. */
	{ER_UNKNOWN_STMT_HANDLER, GX_E_IO, true, true},
	{ER_NEED_REPREPARE, GX_E_IO, true, true},
	{CR_NEW_STMT_METADATA, GX_E_IO, true, true},
};

static const struct meaning *meaning_of(unsigned number)
{
	static const struct meaning other = {0, GX_E_IO, false, false};
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); ++i)
		if (meanings[i].number == number)
			return &meanings[i];
	return &other;
}

int gx_mdb__fail(struct gx_mdb_conn *c, unsigned number, const char *text)
{
	const struct meaning *m = meaning_of(number);
	if (m->lost)
		c->base.lost = true;
	c->base.why.again = m->again;
	if (m->err != GX_E_EXISTS)
		snprintf(c->base.why.text, sizeof(c->base.why.text), "%s (%u)", text, number);
	return m->err;
}

static int connect_failed(MYSQL *h, struct gx_dirwhy *why)
{
	unsigned number = mysql_errno(h);
	const struct meaning *m = meaning_of(number);
	const char *remedy = number == ER_BAD_DB_ERROR ? "; \"gromox-dbop -C\" makes it"
		: number == ER_ACCESS_DENIED_ERROR || number == ER_DBACCESS_DENIED_ERROR ? "; check mysql_username, mysql_password and "
		"what the server grants" : "";
	/* A server that is being stopped may break off a handshake of TLS. */
	why->again = m->again || number == CR_SSL_CONNECTION_ERROR;
	snprintf(why->text, sizeof(why->text), "%s (%u)%s", mysql_error(h), number, remedy);
	return number == ER_BAD_DB_ERROR ? GX_E_NOTFOUND : m->err == GX_E_EXISTS ? GX_E_IO : m->err;
}

static bool set(MYSQL *h, enum mysql_option option, const void *value)
{
	return mysql_optionsv(h, option, value) == 0;
}

static const char *or_null(const char *s)
{
	return *s == '\0' ? NULL : s;
}

static bool set_tls(MYSQL *h, const struct gx_dir_opts *o)
{
	my_bool on = 1, off = 0;
	bool ok = true;
	if (!o->tls)
		return set(h, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
	if (*o->tls_ca != '\0')
		ok = set(h, MYSQL_OPT_SSL_CA, o->tls_ca);
	if (ok && *o->tls_cert != '\0')
		ok = set(h, MYSQL_OPT_SSL_CERT, o->tls_cert) && set(h, MYSQL_OPT_SSL_KEY, or_null(o->tls_key) == NULL ? o->tls_cert : o->tls_key);
	return ok && set(h, MYSQL_OPT_SSL_ENFORCE, &on) && set(h, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
}

static bool set_options(MYSQL *h, const struct gx_dir_opts *o)
{
	unsigned connect = o->wait_seconds < CONNECT_SECONDS ? o->wait_seconds : CONNECT_SECONDS, rdwr = o->rdwr_seconds, no = 0;
	bool ok = set(h, MYSQL_OPT_CONNECT_TIMEOUT, &connect) && set(h, MYSQL_SET_CHARSET_NAME, "utf8mb4") &&
		set(h, MYSQL_INIT_COMMAND, SESSION) && set(h, MYSQL_OPT_LOCAL_INFILE, &no);
	if (ok && rdwr != 0)
		ok = set(h, MYSQL_OPT_READ_TIMEOUT, &rdwr) && set(h, MYSQL_OPT_WRITE_TIMEOUT, &rdwr);
	return ok && set_tls(h, o);
}

/* The database may be named, or left for later. */
static int dial(const struct gx_dir_opts *o, const char *db, MYSQL **ret_h, struct gx_dirwhy *why)
{
	const char *host = or_null(o->host), *path = or_null(o->socket);
	MYSQL *h = mysql_init(NULL);
	if (h == NULL || !set_options(h, o)) {
		mysql_close(h);
		snprintf(why->text, sizeof(why->text), "the client library has no memory or does not know an option");
		return GX_E_NOMEM;
	}
	if (host != NULL && *host == '/') {
		path = host;
		host = NULL;
	}
	if (path != NULL)
		host = NULL;
	if (mysql_real_connect(h, host, o->user, o->password, db, o->port, path, CLIENT_FOUND_ROWS) == NULL) {
		int err = connect_failed(h, why);
		mysql_close(h);
		return err;
	}
	*ret_h = h;
	return 0;
}

static int make_database(MYSQL *h, const char *name, struct gx_dirwhy *why)
{
	char sql[256];
	if (strchr(name, '`') != NULL || strlen(name) > 64) {
		snprintf(why->text, sizeof(why->text), "\"%s\" is no name of a database", name);
		return GX_E_INVAL;
	}
	snprintf(sql, sizeof(sql), "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", name);
	if (mysql_real_query(h, sql, strlen(sql)) != 0 || mysql_select_db(h, name) != 0)
		return connect_failed(h, why);
	return 0;
}

int gx_mdb__connect(const struct gx_dir_opts *o, unsigned flags, struct gx_dirconn **ret_c, struct gx_dirwhy *why)
{
	extern const struct gx_dirback gx_mdb__back;
	MYSQL *h = NULL;
	int err = dial(o, o->dbname, &h, why);
	if (err == GX_E_NOTFOUND && (flags & GX_DIRBACK_CREATE) != 0 && (err = dial(o, NULL, &h, why)) == 0)
		err = make_database(h, o->dbname, why);
	struct gx_mdb_conn *c = err == 0 ? calloc(1, sizeof(*c)) : NULL;
	if (c != NULL) {
		c->base.back = &gx_mdb__back;
		c->h = h;
		*ret_c = &c->base;
		return 0;
	}
	mysql_close(h);
	return err == 0 ? GX_E_NOMEM : err;
}

void gx_mdb__disconnect(struct gx_dirconn *base)
{
	struct gx_mdb_conn *c = (struct gx_mdb_conn *)base;
	/* First the connection: its end ends the statements, without a word for each of them. */
	mysql_close(c->h);
	gx_mdb__forget_stmts(c);
	free(c);
}
