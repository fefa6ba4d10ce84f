/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same on SQLite alone, to compare with: a table of the rows that a listing shows, with an index for each of three
 * sort orders and one for unread, the mail beside it as it came. usage: bench_peer [MESSAGES [DIRECTORY]]
 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>
#include "bench/scale.h"

#define SHOWN "SELECT id,time,subject,sender,seen,size FROM row"

static sqlite3 *db;
static unsigned count = 1000000;

static void check(int rc, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		scale_die(what, sqlite3_errmsg(db));
}

static void run(const char *sql)
{
	check(sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *st;
	check(sqlite3_prepare_v2(db, sql, -1, &st, NULL), sql);
	return st;
}

static void open_db(const char *path)
{
	check(sqlite3_open(path, &db), path);
	run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
}

static void bind_text(sqlite3_stmt *st, int i, const struct gx_msg_source *src, gx_proptag_t tag)
{
	sqlite3_bind_text(st, i, gx_proplist_str(&src->obj->props, tag, ""), -1, SQLITE_TRANSIENT);
}

static void insert(sqlite3_stmt *st, struct gx_arena *a, unsigned i, size_t size, struct meter *sum)
{
	struct gx_msg_source src = scale_mail(a, i, size);
	struct meter m = meter_now();
	sqlite3_bind_int64(st, 1, 133000000000000000 + (int64_t)i * 10000000);
	bind_text(st, 2, &src, PidTagNormalizedSubject);
	bind_text(st, 3, &src, PidTagSenderName);
	sqlite3_bind_int(st, 4, scale_rnd(10) != 0);
	sqlite3_bind_int64(st, 5, (int64_t)src.original.len);
	sqlite3_bind_blob64(st, 6, src.original.data, src.original.len, SQLITE_STATIC);
	check(sqlite3_step(st), "insert");
	sqlite3_reset(st);
	meter_add(sum, meter_since(m));
	gx_arena_reset(a);
}

static void fill(const char *what, unsigned first, unsigned n, unsigned batch)
{
	sqlite3_stmt *st = prepare("INSERT INTO row(time,subject,sender,seen,size,mail) VALUES(?,?,?,?,?,?)");
	struct gx_arena *a = gx_arena_new(0);
	struct meter sum = {0, 0};
	for (unsigned i = 0; i < n; i += batch) {
		struct meter m = meter_now();
		run("BEGIN IMMEDIATE");
		meter_add(&sum, meter_since(m));
		for (unsigned k = 0; k < batch; k++)
			insert(st, a, first + i + k, batch == 1 ? SCALE_SMALL : scale_mail_size(), &sum);
		m = meter_now();
		run("COMMIT");
		meter_add(&sum, meter_since(m));
	}
	scale_row(what, sum, n, "\"rows\": %u", count);
	sqlite3_finalize(st);
	gx_arena_free(a);
}

static unsigned read_all(const char *sql)
{
	unsigned n = 0;
	sqlite3_stmt *st = prepare(sql);
	while (sqlite3_step(st) == SQLITE_ROW)
		n++;
	sqlite3_finalize(st);
	return n;
}

static const char *path;

/* A connection of its own: its cache is empty. */
static void first_and_middle(const char *what, const char *where, const char *order)
{
	char sql[300];
	unsigned rows = 0;
	open_db(path);
	struct meter m = meter_now();
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM row %s", where);
	sqlite3_stmt *st = prepare(sql);
	if (sqlite3_step(st) == SQLITE_ROW)
		rows = (unsigned)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	struct meter counted = meter_since(m);
	m = meter_now();
	snprintf(sql, sizeof(sql), SHOWN " %s ORDER BY %s LIMIT 50", where, order);
	read_all(sql);
	struct meter first = meter_since(m);
	m = meter_now();
	snprintf(sql, sizeof(sql), SHOWN " %s ORDER BY %s LIMIT 50 OFFSET %u", where, order, rows / 2);
	read_all(sql);
	struct meter middle = meter_since(m);
	scale_row(what, first, 1,
		"\"rows\": %u, \"count_ms\": %.3f, \"count_cpu_ms\": %.3f, \"middle_ms\": %.3f, \"middle_cpu_ms\": %.3f",
		rows, counted.wall * 1e3, counted.cpu * 1e3, middle.wall * 1e3, middle.cpu * 1e3);
	sqlite3_close(db);
}

static void search(const char *word)
{
	char sql[200];
	open_db(path);
	struct meter m = meter_now();
	snprintf(sql, sizeof(sql), "SELECT id FROM row WHERE id<=%u AND CAST(mail AS TEXT) LIKE '%%%s%%'", count / 10,
		word);
	unsigned n = read_all(sql);
	scale_row("LIKE over a tenth of the mails", meter_since(m), 1, "\"rows\": %u, \"found\": %u", count / 10, n);
	sqlite3_close(db);
}

int main(int argc, char **argv)
{
	const char *keep;
	char dir[600], file[700];
	scale_args(argc, argv, "peer", &count, &keep);
	scale_tmp(dir, keep);
	snprintf(file, sizeof(file), "%s/rows.sqlite3", dir);
	path = file;
	open_db(path);
	run("CREATE TABLE row(id INTEGER PRIMARY KEY, time INTEGER, subject TEXT, sender TEXT, seen INTEGER,"
	    " size INTEGER, mail BLOB); CREATE INDEX by_time ON row(time); CREATE INDEX by_subject ON row(subject);"
	    "CREATE INDEX by_sender ON row(sender); CREATE INDEX by_unread ON row(time) WHERE seen=0");
	fill("filled, 1000 a transaction", 0, count, 1000);
	fill("arrivals", 20000000, 10000, 1);
	sqlite3_close(db);
	first_and_middle("by time", "", "time DESC");
	first_and_middle("by subject", "", "subject");
	first_and_middle("by sender", "", "sender");
	first_and_middle("unread by time", "WHERE seen=0", "time DESC");
	first_and_middle("unread by subject", "WHERE seen=0", "subject");
	search(SCALE_RARE);
	struct scale_disk d = scale_disk(dir);
	scale_fact("disk", "\"rows\": %u, \"allocated\": %.0f", count, (double)d.bytes / count);
	scale_remove(dir);
	return 0;
}
