/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows out of a damaged database, table by table. A scan that meets a damaged page goes on from the other
 * end, then from the middle of what is between; in tables without row numbers from places that are
 * known from other tables.
 */
#include <config.h>
#include <string.h>
#include "libgxstore/storecheck/salvage-int.h"

/* ---- Statements made of names ---- */

struct table {
	struct gx_salvage *x;
	const char *name, *columns, *key; /* key: first column of the key */
	unsigned ncolumns;
	bool rowid;
	uint64_t rows, gaps;
	unsigned probes;
	sqlite3_stmt *put, *scan[2];
};

static int describe(struct gx_salvage *x, const char *name, struct table *t)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	GX_STMT(st, x->dst, "SELECT name,pk FROM pragma_table_info(?1) ORDER BY cid");
	gx_sql__bind_text(st, 1, name);
	*t = (struct table){.x = x, .name = name};
	int r;
	bool keyed = false;
	while ((r = gx_sql__step(st)) > 0) {
		gx_strbuf_printf(&b, "%s\"%s\"", t->ncolumns++ == 0 ? "" : ",", gx_sql__text(st, 0));
		if (gx_sql__int(st, 1) != 1)
			continue;
		keyed = true;
		t->key = gx_arena_strdup(x->a, gx_sql__text(st, 0));
	}
	t->columns = b.err != 0 ? NULL : gx_arena_strdup(x->a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	if (r < 0 || t->columns == NULL || keyed != (t->key != NULL))
		return r < 0 ? r : GX_E_NOMEM;
	GX_STMT(kind, x->dst, "SELECT wr FROM pragma_table_list WHERE name=?1 AND schema='main'");
	gx_sql__bind_text(kind, 1, name);
	r = gx_sql__step(kind);
	t->rowid = r > 0 && gx_sql__int(kind, 0) == 0;
	return r < 0 ? r : 0;
}

static int prepare_put(struct table *t)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "INSERT OR IGNORE INTO %s(%s%s) VALUES(?1", t->name,
		t->rowid && t->key == NULL ? "rowid," : "", t->columns);
	unsigned n = t->ncolumns + (t->rowid && t->key == NULL);
	for (unsigned i = 2; i <= n; i++)
		gx_strbuf_printf(&b, ",?%u", i);
	gx_strbuf_addc(&b, ')');
	int err = b.err != 0
		? b.err
		: gx_sql__rc(t->x->dst, sqlite3_prepare_v2(t->x->dst->db, gx_strbuf_cstr(&b), -1, &t->put, NULL));
	gx_strbuf_release(&b);
	return err;
}

static int want_of_memory(int rc)
{
	return gx_salvage__no_memory(rc) ? GX_E_NOMEM : 0;
}

/* "SELECT rowid, columns FROM table WHERE ... ORDER BY ..." in the damaged database; NULL when it cannot be asked. */
static int ask(struct table *t, const char *rest, sqlite3_stmt **ret_st)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "SELECT %s%s FROM %s %s", t->rowid ? "rowid," : "", t->columns, t->name, rest);
	*ret_st = NULL;
	int rc = b.err != 0 ? SQLITE_NOMEM : sqlite3_prepare_v2(t->x->src->db, gx_strbuf_cstr(&b), -1, ret_st, NULL);
	gx_strbuf_release(&b);
	return want_of_memory(rc);
}

static int put_row(struct table *t, sqlite3_stmt *row)
{
	int from = t->rowid && t->key != NULL, to = sqlite3_column_count(row), rc = SQLITE_OK;
	for (int i = from; i < to && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_value(t->put, i - from + 1, sqlite3_column_value(row, i));
	if (rc == SQLITE_OK)
		rc = sqlite3_step(t->put);
	if (rc == SQLITE_DONE)
		t->rows += (uint64_t)sqlite3_changes(t->x->dst->db);
	sqlite3_reset(t->put);
	sqlite3_clear_bindings(t->put);
	return rc == SQLITE_DONE || (rc & 0xff) == SQLITE_CONSTRAINT ? 0 : gx_sql__rc(t->x->dst, rc);
}

/* To the end or to damage. @ret_last: the last row's number. 1 the end, 0 damage. */
static int run(struct table *t, sqlite3_stmt *st, int64_t *ret_last)
{
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int err = put_row(t, st);
		if (err != 0)
			return err;
		if (ret_last != NULL)
			*ret_last = sqlite3_column_int64(st, 0);
	}
	int err = want_of_memory(rc);
	return err != 0 ? err : rc == SQLITE_DONE;
}

/* ---- Tables with row numbers ---- */

#define PROBES 20000U /* of one table: most of what lies in a hole cannot be read either */

static int scan(struct table *t, bool back, int64_t low, int64_t high, int64_t *io_last)
{
	sqlite3_stmt **st = &t->scan[back];
	int err = 0;
	if (*st == NULL)
		err = ask(t, back ? "WHERE rowid>?1 AND rowid<?2 ORDER BY rowid DESC" : "WHERE rowid>?1 AND rowid<?2 ORDER BY rowid", st);
	if (*st == NULL)
		return err;
	sqlite3_bind_int64(*st, 1, low);
	sqlite3_bind_int64(*st, 2, high);
	int r = run(t, *st, io_last);
	sqlite3_reset(*st);
	t->probes++;
	return r;
}

/* Rows above @low and below @high: from both ends, then from the middle of what is between. */
static int copy_between(struct table *t, int64_t low, int64_t high)
{
	int r = scan(t, false, low, high, &low);
	if (r == 0)
		r = scan(t, true, low, high, &high);
	if (r != 0 || high - low < 3 || t->probes > PROBES)
		return r < 0 ? r : 0;
	int64_t middle = low + (high - low) / 2;
	r = copy_between(t, low, middle + 1);
	return r != 0 ? r : copy_between(t, middle, high);
}

/* A number that the damaged database tells, 0 none. */
static int tell(struct table *t, const char *sql, int64_t *ret_v)
{
	sqlite3_stmt *st = NULL;
	*ret_v = 0;
	int rc = sqlite3_prepare_v2(t->x->src->db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret_v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 1 : want_of_memory(rc);
}

/* Above it there is nothing; when the end cannot be read, as far as numbers were given out. */
static int highest(struct table *t, int64_t *ret_v)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "SELECT MAX(rowid) FROM %s", t->name);
	int r = b.err != 0 ? GX_E_NOMEM : tell(t, gx_strbuf_cstr(&b), ret_v);
	gx_strbuf_release(&b);
	if (r == 0) {
		r = tell(t, "SELECT uidnext FROM fstate WHERE fid=0", ret_v);
		if (*ret_v <= 0 || *ret_v >= INT64_C(1) << 48)
			*ret_v = (1 << 20) - 1;
	}
	++*ret_v;
	return r < 0 ? r : 0;
}

static int copy_numbered(struct table *t)
{
	int64_t last = -1;
	int r = scan(t, false, last, INT64_MAX, &last);
	if (r != 0)
		return r < 0 ? r : 0;
	t->gaps++;
	int64_t high;
	r = highest(t, &high);
	return r != 0 ? r : copy_between(t, last, high > last ? high : last + (1 << 20));
}

/* ---- Tables without ---- */

/* Rows that begin with a value. */
static int with_value(struct table *t, sqlite3_stmt *st, sqlite3_value *v)
{
	int rc = sqlite3_bind_value(st, 1, v), r = rc == SQLITE_OK ? run(t, st, NULL) : want_of_memory(rc);
	sqlite3_reset(st);
	return r < 0 ? r : 0;
}

/* Of each of the values that another table of the new database has. */
static int by_values(struct table *t, const char *values)
{
	sqlite3_stmt *list, *st = NULL;
	char rest[128];
	int rc = SQLITE_DONE;
	snprintf(rest, sizeof(rest), "WHERE \"%s\"=?1", t->key);
	int err = gx_sql__rc(t->x->dst, sqlite3_prepare_v2(t->x->dst->db, values, -1, &list, NULL));
	if (err == 0)
		err = ask(t, rest, &st);
	while (st != NULL && err == 0 && (rc = sqlite3_step(list)) == SQLITE_ROW)
		err = with_value(t, st, sqlite3_column_value(list, 0));
	if (err == 0)
		err = gx_sql__rc(t->x->dst, rc);
	sqlite3_finalize(st);
	sqlite3_finalize(list);
	return err;
}

static const struct {
	const char *table, *values;
} known_keys[] = {
	{"att", "SELECT id FROM body"}, {"log", "SELECT fid FROM folders"}, {"permissions", "SELECT fid FROM folders"},
	{"found", "SELECT fid FROM folders"}, {"scope", "SELECT fid FROM folders"},
};

/* Objects by the first byte of their hash. */
static int by_first_byte(struct table *t)
{
	sqlite3_stmt *st;
	uint8_t low[1], high[33];
	int err = ask(t, "WHERE hash>=?1 AND hash<?2", &st);
	for (unsigned i = 0; st != NULL && err == 0 && i < 256; i++) {
		low[0] = (uint8_t)i;
		memset(high, 0xff, sizeof(high));
		high[0] = (uint8_t)(i < 255 ? i + 1 : 255);
		sqlite3_bind_blob(st, 1, low, 1, SQLITE_STATIC);
		sqlite3_bind_blob(st, 2, high, i < 255 ? 1 : (int)sizeof(high), SQLITE_STATIC);
		int r = run(t, st, NULL);
		err = r < 0 ? r : 0;
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return err;
}

/* All that comes in an order. 1 the end, 0 damage. */
static int in_order(struct table *t, const char *rest)
{
	sqlite3_stmt *st;
	int r = ask(t, rest, &st);
	if (st != NULL)
		r = run(t, st, NULL);
	sqlite3_finalize(st);
	return r;
}

static int copy_keyed(struct table *t)
{
	char rest[128];
	snprintf(rest, sizeof(rest), "ORDER BY \"%s\" DESC", t->key);
	int r = in_order(t, "");
	if (r != 0)
		return r < 0 ? r : 0;
	t->gaps++;
	r = in_order(t, rest);
	for (size_t i = 0; r >= 0 && i < sizeof(known_keys) / sizeof(known_keys[0]); i++)
		if (strcmp(known_keys[i].table, t->name) == 0)
			r = by_values(t, known_keys[i].values);
	if (r >= 0 && strcmp(t->name, "content") == 0)
		r = by_first_byte(t);
	return r < 0 ? r : 0;
}

int gx_salvage__copy(struct gx_salvage *x, const char *name, uint64_t *ret_rows, uint64_t *ret_gaps)
{
	struct table t;
	int err = describe(x, name, &t);
	if (err == 0)
		err = prepare_put(&t);
	if (err == 0)
		err = t.rowid ? copy_numbered(&t) : copy_keyed(&t);
	sqlite3_finalize(t.put);
	sqlite3_finalize(t.scan[0]);
	sqlite3_finalize(t.scan[1]);
	*ret_rows = t.rows;
	*ret_gaps = t.gaps;
	return err;
}
