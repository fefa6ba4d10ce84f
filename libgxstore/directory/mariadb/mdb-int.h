/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_MDB_INT_H
#define GX_MDB_INT_H
/**
 * @file mdb-int.h
 * Inside of the module gxdir_mariadb.so: the directory's back end on MariaDB. It uses the client
 * library and libc, nothing of ours but the two headers below.
 */
#include <mysql.h>
#include "libgxstore/directory/back-int.h"

struct gx_mdb_stmt;
struct gx_mdb_conn {
	struct gx_dirconn base;
	MYSQL *h;
	struct gx_mdb_stmt *st[GX_DIRBACK_STMTS];
	int64_t changes, last_id; /* of the last statement */
};

/* mdb_conn.c */
int gx_mdb__connect(const struct gx_dir_opts *o, unsigned flags, struct gx_dirconn **ret_c, struct gx_dirwhy *why);
void gx_mdb__disconnect(struct gx_dirconn *c);
/** What an error number of the server or the client library means; notes text and state in @p c. */
int gx_mdb__fail(struct gx_mdb_conn *c, unsigned number, const char *text);

/* mdb_stmt.c */
int gx_mdb__run(struct gx_dirconn *c, unsigned slot, const char *sql, const struct gx_dirarg *v, unsigned n, struct gx_dirstmt **ret_st);
int gx_mdb__step(struct gx_dirstmt *st);
int64_t gx_mdb__num(struct gx_dirstmt *st, unsigned col);
const char *gx_mdb__text(struct gx_dirstmt *st, unsigned col);
void gx_mdb__done(struct gx_dirstmt *st);
/** All prepared ones; the connection may be closed already. */
void gx_mdb__forget_stmts(struct gx_mdb_conn *c);

#endif
