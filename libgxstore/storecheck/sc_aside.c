/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that cannot stay go into a table as the statement that would write them again. */
#include <config.h>
#include <string.h>
#include "libgxstore/storecheck/sc-int.h"

/* "'INSERT INTO t VALUES('||quote("a")||','||quote("b")||')'" */
static int row_as_sql(struct gx_sc *k, const char *table, struct gx_strbuf *b)
{
	GX_STMT(st, k->q, "SELECT name FROM pragma_table_info(?1) ORDER BY cid");
	gx_sql__bind_text(st, 1, table);
	int r, n = 0;
	gx_strbuf_printf(b, "'INSERT INTO %s VALUES('", table);
	while ((r = gx_sql__step(st)) > 0)
		gx_strbuf_printf(b, "%squote(\"%s\")", n++ == 0 ? "||" : "||','||", gx_sql__text(st, 0));
	gx_strbuf_adds(b, "||')'");
	return r < 0 ? r : b->err;
}

static int insert(struct gx_sc *k, const char *sql, uint64_t arg, const uint8_t *hash)
{
	sqlite3_stmt *st;
	int err = gx_sql__rc(k->q, sqlite3_prepare_v2(k->q->db, sql, -1, &st, NULL));
	if (err != 0)
		return err;
	int rc = sqlite3_bind_int64(st, 2, (int64_t)gx_store__now(k->s));
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(st, 3, k->check->subs[0].check, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = hash == NULL ? sqlite3_bind_int64(st, 1, (int64_t)arg)
				  : sqlite3_bind_blob(st, 1, hash, GX_HASH_LEN, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	err = gx_sql__rc(k->q, rc);
	sqlite3_finalize(st);
	return err;
}

static int set_aside(struct gx_sc *k, const char *table, const char *where, uint64_t arg, const uint8_t *hash)
{
	struct gx_strbuf row = GX_STRBUF_INIT, sql = GX_STRBUF_INIT;
	int err = gx_sql__exec(k->q, GX_SC_ASIDE);
	if (err == 0)
		err = row_as_sql(k, table, &row);
	if (err == 0) {
		gx_strbuf_printf(&sql, "INSERT INTO set_aside(at,finding,source,sql) SELECT ?2,?3,'%s',%s FROM %s WHERE %s", table,
			gx_strbuf_cstr(&row), table, where);
		err = sql.err != 0 ? sql.err : insert(k, gx_strbuf_cstr(&sql), arg, hash);
	}
	gx_strbuf_release(&row);
	gx_strbuf_release(&sql);
	return err;
}

int gx_sc__set_aside(struct gx_sc *k, const char *table, const char *where, uint64_t arg)
{
	return set_aside(k, table, where, arg, NULL);
}

int gx_sc__set_aside_hash(struct gx_sc *k, const char *table, const char *where, const uint8_t *hash)
{
	return set_aside(k, table, where, 0, hash);
}
