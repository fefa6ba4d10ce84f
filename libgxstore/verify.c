/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "libgxstore/order-int.h"

/*
 * Everything that is kept twice is counted again and compared. Runs as a write transaction that
 * changes nothing, since content objects are looked at where the writer sees them.
 */

struct check {
	struct gx_txn *t;
	void (*report)(const char *line, void *ctx);
	void *ctx;
	long found;
};

static void GX_PRINTF(2, 3) say(struct check *k, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	k->found++;
	k->report(line, k->ctx);
}

static int integrity(struct check *k)
{
	GX_STMT(st, k->t->q, "PRAGMA integrity_check(100)");
	int r;
	while ((r = gx_sql__step(st)) > 0)
		if (strcmp(gx_sql__text(st, 0), "ok") != 0)
			say(k, "database: %s", gx_sql__text(st, 0));
	return r;
}

/* The counters of each folder that has a row or messages. */
static int counters(struct check *k)
{
	GX_STMT(st, k->t->q,
		"SELECT s.fid, s.total, s.unread, s.fai, s.softdel, s.size, s.uidnext, s.modseq,"
		" TOTAL(m.mid IS NOT NULL AND NOT m.flags&0x300), TOTAL(m.mid IS NOT NULL AND NOT m.flags&0x301),"
		" TOTAL(m.mid IS NOT NULL AND (m.flags&0x300)=0x100), TOTAL(m.mid IS NOT NULL AND (m.flags&0x200)<>0),"
		" TOTAL(CASE WHEN m.mid IS NOT NULL AND NOT m.flags&0x300 THEN m.size END),"
		" COALESCE(MAX(m.uid),0), COALESCE(MAX(m.modseq),0)"
		" FROM fstate s LEFT JOIN msg m ON m.fid=s.fid WHERE s.fid<>0 GROUP BY s.fid");
	static const char *const name[] = {"total", "unread", "associated", "deleted", "size"};
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		unsigned long long fid = gx_sql__u64(st, 0);
		for (int i = 0; i < 5; i++)
			if (gx_sql__int(st, 1 + i) != gx_sql__int(st, 8 + i))
				say(k, "folder %llx: %s is %lld, counted %lld", fid, name[i], (long long)gx_sql__int(st, 1 + i),
					(long long)gx_sql__int(st, 8 + i));
		if (gx_sql__int(st, 13) >= gx_sql__int(st, 6))
			say(k, "folder %llx: next UID %lld is in use", fid, (long long)gx_sql__int(st, 6));
		if (gx_sql__int(st, 14) > gx_sql__int(st, 7))
			say(k, "folder %llx: a message has mod-sequence %lld, the folder %lld", fid, (long long)gx_sql__int(st, 14),
				(long long)gx_sql__int(st, 7));
	}
	return r;
}

static int sums(struct check *k)
{
	GX_STMT(st, k->t->q, "SELECT (SELECT total FROM fstate WHERE fid=0)-TOTAL(total), (SELECT unread FROM fstate WHERE fid=0)-TOTAL(unread),"
		" (SELECT size FROM fstate WHERE fid=0)-TOTAL(size), (SELECT modseq FROM fstate WHERE fid=0)-MAX(modseq),"
		" (SELECT uidnext FROM fstate WHERE fid=0)-(SELECT MAX(COALESCE(MAX(mid),0),(SELECT COALESCE(MAX(id),0) FROM body),"
		" (SELECT MAX(fid) FROM folders)) FROM msg) FROM fstate WHERE fid<>0");
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	if (gx_sql__int(st, 0) != 0 || gx_sql__int(st, 1) != 0 || gx_sql__int(st, 2) != 0)
		say(k, "store: sums differ from those of the folders by %lld messages, %lld unread, %lld bytes",
			(long long)gx_sql__int(st, 0), (long long)gx_sql__int(st, 1), (long long)gx_sql__int(st, 2));
	if (gx_sql__int(st, 3) < 0)
		say(k, "store: the change counter is behind a folder");
	if (gx_sql__int(st, 4) <= 0)
		say(k, "store: the next object id is in use");
	return 0;
}

/* Queries that must find nothing; the first column is an id. */
static const struct {
	const char *sql, *what;
} never[] = {
	{"SELECT mid FROM msg WHERE fid NOT IN (SELECT fid FROM folders)", "message without folder"},
	{"SELECT mid FROM msg WHERE body NOT IN (SELECT id FROM body)", "message without body"},
	{"SELECT fid FROM folders WHERE fid NOT IN (SELECT fid FROM fstate)", "folder without counters"},
	{"SELECT fid FROM fstate WHERE fid<>0 AND fid NOT IN (SELECT fid FROM folders)", "counters without folder"},
	{"SELECT fid FROM folders WHERE parent<>0 AND parent NOT IN (SELECT fid FROM folders)", "folder without parent"},
	{"SELECT id FROM body WHERE id NOT IN (SELECT body FROM msg) AND id NOT IN (SELECT embedded FROM att)", "body nobody uses"},
	{"SELECT id FROM mime WHERE id NOT IN (SELECT body FROM msg)", "internet form nobody uses"},
	{"SELECT mid FROM msg WHERE (flags&0x800)<>0 AND body NOT IN (SELECT id FROM mime)", "message without its internet form"},
	{"SELECT body FROM att WHERE body NOT IN (SELECT id FROM body)", "attachment without message"},
	{"SELECT embedded FROM att WHERE embedded<>0 AND embedded NOT IN (SELECT id FROM body)", "missing embedded message"},
	{"SELECT MIN(mid) FROM msg WHERE uid>0 GROUP BY fid,uid HAVING COUNT(*)>1", "UID given twice"},
	{"SELECT mid FROM msg WHERE (uid=0)<>((flags&0x200)<>0)", "deleted message with a UID, or message without one"},
	{"SELECT s.body FROM shared s WHERE s.refs<>(SELECT COUNT(*) FROM msg m WHERE m.body=s.body)", "wrong number of copies"},
	{"SELECT body FROM msg WHERE body NOT IN (SELECT body FROM shared) GROUP BY body HAVING COUNT(*)>1", "copies not counted"},
	{"SELECT mid FROM msg WHERE kwset<>0 AND kwset NOT IN (SELECT id FROM kwsets)", "unknown keywords"},
	{"SELECT mid FROM timers WHERE mid NOT IN (SELECT mid FROM msg)", "timer of no message"},
	{"SELECT mid FROM pread WHERE mid<>0 AND mid NOT IN (SELECT mid FROM msg)", "read state of no message"},
	{"SELECT p.fid FROM pread p WHERE p.mid=0 AND p.isread<>(SELECT COUNT(*) FROM pread o"
		" WHERE o.user=p.user AND o.fid=p.fid AND o.mid<>0 AND o.isread<>0)", "number of messages that a user has read"},
	{"SELECT fid FROM permissions WHERE fid NOT IN (SELECT fid FROM folders)", "rights of no folder"},
	{"SELECT fid FROM log WHERE fid NOT IN (SELECT fid FROM folders)", "changes of no folder"},
	{"SELECT s.fid FROM fstate s WHERE s.fid<>0 AND s.log_bytes<>(SELECT COALESCE(SUM(length(data)+24),0) FROM log l WHERE l.fid=s.fid)",
		"size of the change log"},
};

static int references(struct check *k)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		GX_STMT(st, k->t->q, never[i].sql);
		int r, n = 0;
		while ((r = gx_sql__step(st)) > 0 && n++ < 100)
			say(k, "%llx: %s", (unsigned long long)gx_sql__u64(st, 0), never[i].what);
		if (r < 0)
			return r;
	}
	return 0;
}

static int content(struct check *k)
{
	struct gx_txn *t = k->t;
	struct gx_content_tally *tally = gx_content__tally_new();
	if (tally == NULL)
		return GX_E_NOMEM;
	int r;
	{
		GX_STMT(st, t->q, "SELECT id,skeleton FROM body WHERE length(skeleton)>0");
		while ((r = gx_sql__step(st)) > 0)
			if (gx_content__tally_add(tally, gx_sql__blob(st, 1)) != 0)
				say(k, "%llx: damaged list of contents", (unsigned long long)gx_sql__u64(st, 0));
	}
	long n = r < 0 ? r : gx_content__verify(t->c->cio, t->q, tally, k->report, k->ctx);
	gx_content__tally_free(tally);
	if (n > 0)
		k->found += n;
	return n < 0 ? (int)n : 0;
}

/* Values that the rows of messages hold elsewhere can be had. */
static int rows(struct check *k)
{
	GX_STMT(st, k->t->q, "SELECT id,props FROM body");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_arena *a = gx_arena_new(0);
		struct gx_proplist l = {0};
		struct gx_bin b = gx_sql__blob(st, 1);
		if (a == NULL)
			return GX_E_NOMEM;
		if (gx_prow_unpack(a, b.data, b.len, &l) != 0)
			say(k, "%llx: damaged properties", (unsigned long long)gx_sql__u64(st, 0));
		gx_arena_free(a);
	}
	return r;
}

static void ignore(const char *line, void *ctx)
{
	(void)line;
	(void)ctx;
}

static int orders(struct check *k)
{
	long n = gx_order__verify(k->t, k->report, k->ctx);
	if (n > 0)
		k->found += n;
	return n < 0 ? (int)n : 0;
}

long gx_store_verify(struct gx_store *s, void (*report)(const char *line, void *ctx), void *ctx)
{
	struct check k = {.report = report == NULL ? ignore : report, .ctx = ctx};
	int err = gx_txn__look(s, 60000, &k.t);
	if (err != 0)
		return err;
	err = integrity(&k);
	err = err != 0 ? err : counters(&k);
	err = err != 0 ? err : sums(&k);
	err = err != 0 ? err : references(&k);
	err = err != 0 ? err : rows(&k);
	err = err != 0 ? err : content(&k);
	err = err != 0 ? err : orders(&k);
	if (err != 0)
		gx_log(s->log, GX_LOG_ERROR, "verify: %s", k.t->q->why);
	gx_txn_abort(k.t);
	return err != 0 ? err : k.found;
}
