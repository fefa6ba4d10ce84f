/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements. Answers are taken over whole, so that a connection is free for the next question. */
#include <config.h>
#include "libgxstore/directory/mariadb/mdb-int.h"

enum { MAX_PARAMS = 24, MAX_COLUMNS = 16, MAX_SQL = 4000 };

struct column {
	bool number;
	my_bool null;
	unsigned long len;
	int64_t num;
	char *text;
	char digits[24]; /* a number as text */
};

struct gx_mdb_stmt {
	struct gx_dirstmt base;
	MYSQL_STMT *h;
	bool once;
	unsigned nparams, ncols;
	uint8_t arg[MAX_PARAMS]; /* which argument goes to this place, from 0 */
	struct column col[MAX_COLUMNS];
	char *buf;
	size_t cap;
};

static struct gx_mdb_conn *conn_of(const struct gx_mdb_stmt *st)
{
	return (struct gx_mdb_conn *)st->base.conn;
}

static int failed(struct gx_mdb_stmt *st)
{
	return gx_mdb__fail(conn_of(st), mysql_stmt_errno(st->h), mysql_stmt_error(st->h));
}

static int broken(struct gx_mdb_conn *c, const char *what)
{
	snprintf(c->base.why.text, sizeof(c->base.why.text), "%s", what);
	return GX_E_INTERNAL;
}

/* "?12" becomes "?": this database counts places, not names. */
static bool translate(struct gx_mdb_stmt *st, const char *sql, char out[MAX_SQL])
{
	char quote = '\0';
	size_t n = 0;
	st->nparams = 0;
	for (const char *p = sql; *p != '\0'; ++p) {
		if (n + 1 >= MAX_SQL)
			return false;
		out[n++] = *p;
		if (quote != '\0') {
			quote = *p == quote ? '\0' : quote;
		} else if (*p == '\'' || *p == '`') {
			quote = *p;
		} else if (*p == '?') {
			char *end;
			unsigned long i = strtoul(p + 1, &end, 10);
			if (i == 0 || i > MAX_PARAMS || st->nparams == MAX_PARAMS)
				return false;
			st->arg[st->nparams++] = (uint8_t)(i - 1);
			p = end - 1;
		}
	}
	out[n] = '\0';
	return true;
}

static void close_stmt(struct gx_mdb_stmt *st)
{
	if (st->h != NULL)
		mysql_stmt_close(st->h);
	free(st->buf);
	free(st);
}

static int prepare(struct gx_mdb_conn *c, unsigned slot, const char *sql, struct gx_mdb_stmt **ret_st)
{
	char text[MAX_SQL];
	bool once = slot >= GX_DIRBACK_STMTS;
	if (!once && c->st[slot] != NULL) {
		*ret_st = c->st[slot];
		return 0;
	}
	struct gx_mdb_stmt *st = calloc(1, sizeof(*st));
	if (st == NULL)
		return GX_E_NOMEM;
	st->base.conn = &c->base;
	st->once = once;
	st->h = mysql_stmt_init(c->h);
	int err = st->h == NULL ? GX_E_NOMEM : translate(st, sql, text) ? 0 : broken(c, "a statement with too many parameters");
	my_bool on = 1;
	if (err == 0)
		mysql_stmt_attr_set(st->h, STMT_ATTR_UPDATE_MAX_LENGTH, &on);
	if (err == 0 && mysql_stmt_prepare(st->h, text, strlen(text)) != 0)
		err = failed(st);
	if (err == 0 && mysql_stmt_param_count(st->h) != st->nparams)
		err = broken(c, "a statement has another number of parameters than the server sees");
	if (err != 0) {
		close_stmt(st);
		return err;
	}
	if (!once)
		c->st[slot] = st;
	*ret_st = st;
	return 0;
}

static bool ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		++s;
	return *s == '\0';
}

static void bind_arg(MYSQL_BIND *b, const struct gx_dirarg *v)
{
	if (v->kind == GX_DIRARG_NUM) {
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = (void *)&v->num;
	} else if (v->text == NULL || (v->kind == GX_DIRARG_NAME && !ascii(v->text))) {
		b->buffer_type = MYSQL_TYPE_NULL;
	} else if (v->kind == GX_DIRARG_BYTES) {
		b->buffer_type = MYSQL_TYPE_BLOB;
		b->buffer = (void *)v->text;
		b->buffer_length = (unsigned long)v->num;
	} else {
		b->buffer_type = MYSQL_TYPE_STRING;
		b->buffer = (void *)v->text;
		b->buffer_length = strlen(v->text);
	}
}

static int execute(struct gx_mdb_stmt *st, const struct gx_dirarg *v, unsigned n)
{
	MYSQL_BIND in[MAX_PARAMS] = {{0}};
	struct gx_mdb_conn *c = conn_of(st);
	for (unsigned i = 0; i < st->nparams; ++i) {
		if (st->arg[i] >= n)
			return broken(c, "a statement lacks an argument");
		bind_arg(&in[i], &v[st->arg[i]]);
	}
	if ((st->nparams > 0 && mysql_stmt_bind_param(st->h, in) != 0) || mysql_stmt_execute(st->h) != 0)
		return failed(st);
	if (mysql_stmt_field_count(st->h) == 0) {
		c->changes = (int64_t)mysql_stmt_affected_rows(st->h);
		c->last_id = (int64_t)mysql_stmt_insert_id(st->h);
		return 0;
	}
	return mysql_stmt_store_result(st->h) == 0 ? 0 : failed(st);
}

static bool is_number(enum enum_field_types t)
{
	return t == MYSQL_TYPE_TINY || t == MYSQL_TYPE_SHORT || t == MYSQL_TYPE_INT24 || t == MYSQL_TYPE_LONG || t == MYSQL_TYPE_LONGLONG;
}

/* Room for the longest text of each column; all of it in one block, which only grows. */
static int make_room(struct gx_mdb_stmt *st, const MYSQL_FIELD *f)
{
	size_t want = 0;
	for (unsigned i = 0; i < st->ncols; ++i)
		want += f[i].max_length + 1;
	if (want > st->cap) {
		char *bigger = realloc(st->buf, want * 2);
		if (bigger == NULL)
			return GX_E_NOMEM;
		st->buf = bigger;
		st->cap = want * 2;
	}
	char *at = st->buf;
	for (unsigned i = 0; i < st->ncols; ++i) {
		st->col[i].number = is_number(f[i].type);
		st->col[i].text = at;
		at += f[i].max_length + 1;
	}
	return 0;
}

static int bind_columns(struct gx_mdb_stmt *st)
{
	MYSQL_BIND out[MAX_COLUMNS] = {{0}};
	st->ncols = mysql_stmt_field_count(st->h);
	if (st->ncols == 0)
		return 0;
	if (st->ncols > MAX_COLUMNS)
		return broken(conn_of(st), "an answer with too many columns");
	MYSQL_RES *meta = mysql_stmt_result_metadata(st->h);
	if (meta == NULL)
		return failed(st);
	const MYSQL_FIELD *f = mysql_fetch_fields(meta);
	int err = make_room(st, f);
	for (unsigned i = 0; err == 0 && i < st->ncols; ++i) {
		struct column *col = &st->col[i];
		out[i].is_null = &col->null;
		out[i].length = &col->len;
		out[i].buffer_type = col->number ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
		out[i].buffer = col->number ? (void *)&col->num : (void *)col->text;
		out[i].buffer_length = col->number ? sizeof(col->num) : f[i].max_length + 1;
	}
	mysql_free_result(meta);
	if (err == 0 && mysql_stmt_bind_result(st->h, out) != 0)
		err = failed(st);
	return err;
}

int gx_mdb__run(struct gx_dirconn *base, unsigned slot, const char *sql, const struct gx_dirarg *v, unsigned n, struct gx_dirstmt **ret_st)
{
	struct gx_mdb_stmt *st;
	int err = prepare((struct gx_mdb_conn *)base, slot, sql, &st);
	if (err != 0)
		return err;
	err = execute(st, v, n);
	if (err == 0)
		err = bind_columns(st);
	if (err == 0)
		*ret_st = &st->base;
	else
		gx_mdb__done(&st->base);
	return err;
}

int gx_mdb__step(struct gx_dirstmt *base)
{
	struct gx_mdb_stmt *st = (struct gx_mdb_stmt *)base;
	if (st->ncols == 0)
		return 0;
	int r = mysql_stmt_fetch(st->h);
	if (r == MYSQL_NO_DATA)
		return 0;
	if (r != 0)
		return r == MYSQL_DATA_TRUNCATED ? broken(conn_of(st), "an answer longer than the server said") : failed(st);
	for (unsigned i = 0; i < st->ncols; ++i)
		if (!st->col[i].number)
			st->col[i].text[st->col[i].null ? 0 : st->col[i].len] = '\0';
	return 1;
}

int64_t gx_mdb__num(struct gx_dirstmt *base, unsigned i)
{
	const struct column *col = &((struct gx_mdb_stmt *)base)->col[i];
	return col->null ? 0 : col->number ? col->num : strtoll(col->text, NULL, 10);
}

const char *gx_mdb__text(struct gx_dirstmt *base, unsigned i)
{
	struct column *col = &((struct gx_mdb_stmt *)base)->col[i];
	if (col->null)
		return NULL;
	if (!col->number)
		return col->text;
	snprintf(col->digits, sizeof(col->digits), "%lld", (long long)col->num);
	return col->digits;
}

void gx_mdb__done(struct gx_dirstmt *base)
{
	struct gx_mdb_stmt *st = (struct gx_mdb_stmt *)base;
	if (st->once)
		close_stmt(st);
	else
		mysql_stmt_free_result(st->h);
}

void gx_mdb__forget_stmts(struct gx_mdb_conn *c)
{
	for (size_t i = 0; i < GX_DIRBACK_STMTS; ++i)
		if (c->st[i] != NULL)
			close_stmt(c->st[i]);
}
