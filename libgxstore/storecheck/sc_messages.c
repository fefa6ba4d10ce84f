/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of messages, their UIDs, and what IMAP is told of them. */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

struct query {
	const char *find, *text;
};

static int find_queries(struct gx_sc *k, const struct query *v, unsigned n)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < n; i++) {
		GX_STMT(st, k->q, v[i].find);
		int r = 0;
		while (err == 0 && (r = gx_sql__step(st)) > 0)
			err = gx_sc__say(k, i, gx_sql__u64(st, 0), "message %llx in folder %llx: %s", (unsigned long long)gx_sql__u64(st, 0),
				(unsigned long long)gx_sql__u64(st, 1), v[i].text);
		err = err != 0 ? err : r;
	}
	return err;
}

static int folder_of(struct gx_sc *k, uint64_t mid, uint64_t *ret_fid)
{
	int64_t fid = 0;
	int err = gx_sc__number(k, "SELECT fid FROM msg WHERE mid=?1", mid, &fid);
	*ret_fid = (uint64_t)fid;
	return err;
}

/* ---- Rows ---- */

static const struct gx_store_check_info row_subs[] = {
	{"message-body", "message", "a message has its text and attachments", GX_FINDING_BROKEN, true},
	{"message-columns", "message", "the numbers of a message are numbers", GX_FINDING_BROKEN, true},
	{"message-folder", "message", "a message is in a folder", GX_FINDING_BROKEN, true},
	{"message-numbers", "message", "a message has change numbers of 48 bits", GX_FINDING_WRONG, true},
	{"message-keywords", "message", "the keywords of a message are known", GX_FINDING_WRONG, true},
};

#define NO_INT(c) "typeof(" #c ")<>'integer'"
#define NO_48(c) "COALESCE(" #c ",0) NOT BETWEEN 1 AND 281474976710655"
static const struct query row_queries[] = {
	{"SELECT mid,fid FROM msg WHERE body IS NULL OR body NOT IN (SELECT id FROM body)",
		"its text and attachments are missing"},
	{"SELECT mid,fid FROM msg WHERE " NO_INT(uid) " OR " NO_INT(flags) " OR " NO_INT(kwset) " OR " NO_INT(
		 size) " OR " NO_INT(received) " OR flags<0 OR size<0 OR kwset<0",
		"a number is none"},
	{"SELECT mid,fid FROM msg WHERE fid IS NULL OR fid NOT IN (SELECT fid FROM folders WHERE type<>2)",
		"there is no such folder for messages"},
	{"SELECT mid,fid FROM msg WHERE " NO_48(mid) " OR " NO_48(modseq) " OR " NO_48(cn) " OR " NO_48(cn0),
		"a change number cannot be"},
	{"SELECT mid,fid FROM msg WHERE kwset<>0 AND kwset NOT IN (SELECT id FROM kwsets)", "its keywords are unknown"},
};

static int find_rows(struct gx_sc *k)
{
	return find_queries(k, row_queries, N(row_queries));
}

static int set_row_aside(struct gx_sc *k, uint64_t mid)
{
	uint64_t fid;
	int err = folder_of(k, mid, &fid);
	if (err == 0)
		err = gx_sc__set_aside(k, "msg", "mid=?1", mid);
	if (err == 0)
		err = gx_sc__run(k, "DELETE FROM msg WHERE mid=?1", mid, 0);
	return err != 0 ? err : gx_sc__distrust(k, fid);
}

static int move_to_lost(struct gx_sc *k, uint64_t mid)
{
	struct gx_fstate *f;
	uint64_t fid;
	int err = gx_sc__lost_folder(k, &fid);
	if (err == 0)
		err = gx_fstate__get(k->t, fid, &f);
	if (err != 0)
		return err;
	f->modseq = gx_txn__new_cn(k->t);
	GX_STMT(st, k->q,
		"UPDATE msg SET fid=?2, uid=CASE WHEN flags&512 THEN 0 ELSE ?3 END, modseq=?4, cn=?4, cn0=?4 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	gx_sql__bind_int(st, 3, (int64_t)f->uidnext++);
	gx_sql__bind_int(st, 4, (int64_t)f->modseq);
	f->dirty = true;
	return gx_sql__run(st);
}

static int fix_columns(struct gx_sc *k, uint64_t mid)
{
	int err = gx_sc__set_aside(k, "msg", "mid=?1", mid);
	return err != 0 ? err
			: gx_sc__run(k,
				  "UPDATE msg SET uid=CAST(COALESCE(uid,0) AS INTEGER), flags=CAST(COALESCE(flags,0) AS "
				  "INTEGER)&262143,"
				  " kwset=CASE WHEN kwset>0 THEN CAST(kwset AS INTEGER) ELSE 0 END, size=CASE WHEN size>=0 "
				  "THEN CAST(size AS INTEGER) ELSE 0 END,"
				  " received=CASE typeof(received) WHEN 'integer' THEN received ELSE ?2 END WHERE mid=?1",
				  mid, gx_store__now(k->s));
}

static int fix_numbers(struct gx_sc *k, uint64_t mid)
{
	uint64_t fid, cn = gx_txn__new_cn(k->t);
	int err = folder_of(k, mid, &fid);
	if (err == 0 && (mid == 0 || mid > GX_COUNTER_MAX))
		err = gx_sc__run(k, "UPDATE msg SET mid=?2 WHERE mid=?1", mid, gx_txn__new_id(k->t));
	else if (err == 0)
		err = gx_sc__run(k,
			"UPDATE msg SET modseq=?2, cn=?2, cn0=CASE WHEN cn0 BETWEEN 1 AND ?2 THEN cn0 ELSE ?2 END WHERE mid=?1",
			mid, cn);
	return err != 0 ? err : gx_sc__distrust(k, fid);
}

static int repair_rows(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 0: err = set_row_aside(k, v[i].object); break;
		case 1: err = fix_columns(k, v[i].object); break;
		case 2: err = move_to_lost(k, v[i].object); break;
		case 3: err = fix_numbers(k, v[i].object); break;
		default: err = gx_sc__run(k, "UPDATE msg SET kwset=0 WHERE mid=?1", v[i].object, 0);
		}
	return err;
}

const struct gx_sc_check gx_sc__message_rows = {
	.subs = row_subs, .nsubs = N(row_subs), .find = find_rows, .repair = repair_rows};

/* ---- UIDs ---- */

static const struct gx_store_check_info uid_subs[] = {
	{"message-uid", "message", "no two messages of a folder have the same UID", GX_FINDING_BROKEN, true},
	{"message-uid-deleted", "message", "messages have a UID, softly deleted ones none", GX_FINDING_BROKEN, true},
	{"message-uid-order", "message", "messages of a folder came in the order of their UIDs", GX_FINDING_WRONG, true},
};

static const struct query uid_queries[] = {
	{"SELECT mid,fid FROM msg b WHERE uid>0 AND EXISTS(SELECT 1 FROM msg a WHERE a.fid=b.fid AND a.uid=b.uid AND "
	 "a.mid<b.mid)",
		"its UID is that of another one"},
	{"SELECT mid,fid FROM msg WHERE (uid=0)<>((flags&512)<>0) OR uid<0 OR uid>4294967294",
		"its UID does not fit its flags"},
	{"SELECT mid,fid FROM (SELECT mid,fid,cn0,MAX(cn0) OVER (PARTITION BY fid ORDER BY uid ROWS BETWEEN UNBOUNDED "
	 "PRECEDING AND 1 PRECEDING) before"
	 " FROM msg WHERE uid>0) WHERE cn0<before",
		"it came before others with a lower UID"},
};

static int find_uids(struct gx_sc *k)
{
	return find_queries(k, uid_queries, N(uid_queries));
}

static int new_uid(struct gx_sc *k, uint64_t mid)
{
	struct gx_fstate *f;
	uint64_t fid;
	int64_t highest = 0;
	int err = folder_of(k, mid, &fid);
	if (err == 0)
		err = gx_fstate__get(k->t, fid, &f);
	if (err == 0)
		err = gx_sc__number(k, "SELECT MAX(uid) FROM msg WHERE fid=?1 AND uid<4294967295", fid, &highest);
	if (err != 0)
		return err;
	if (f->uidnext <= (uint64_t)highest)
		f->uidnext = (uint64_t)highest + 1;
	f->log_floor = f->modseq = gx_txn__new_cn(k->t);
	f->dirty = true;
	GX_STMT(st, k->q, "UPDATE msg SET uid=CASE WHEN flags&512 THEN 0 ELSE ?2 END, modseq=?3, cn0=?3 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	gx_sql__bind_int(st, 2, (int64_t)f->uidnext++);
	gx_sql__bind_int(st, 3, (int64_t)f->modseq);
	return gx_sql__run(st);
}

static int repair_uids(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = new_uid(k, v[i].object);
	return err;
}

const struct gx_sc_check gx_sc__message_uids = {
	.subs = uid_subs, .nsubs = N(uid_subs), .find = find_uids, .repair = repair_uids};

/* ---- Copies ---- */

static const struct gx_store_check_info shared_subs[] = {
	{"body-copies", "body", "messages that share a text are counted", GX_FINDING_WRONG, true},
};

/* One that is noted with none is kept for an instance, or was when the process ended (pins.c). */
static int find_shared(struct gx_sc *k)
{
	GX_STMT(st, k->q,
		"SELECT body,refs,n FROM (SELECT s.body,s.refs," GX_SC_COUNT_OF_BODY("s.body") " n FROM shared s)"
		" WHERE refs<>n OR n=1 OR (n=0 AND body NOT IN (SELECT id FROM body))"
		" UNION ALL SELECT body,1,n FROM (SELECT body,COUNT(*)+EXISTS(SELECT 1 FROM msg o WHERE o.mid=m.body AND "
		"o.body=m.body) n FROM msg m WHERE body<>mid GROUP BY body) WHERE n>1 AND body NOT IN (SELECT body FROM shared)");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_sc__say(k, 0, gx_sql__u64(st, 0), "body %llx: %lld messages are noted, there are %lld",
			(unsigned long long)gx_sql__u64(st, 0), (long long)gx_sql__int(st, 1),
			(long long)gx_sql__int(st, 2));
	return err != 0 ? err : r;
}

static int repair_shared(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = gx_sc__run(k, "DELETE FROM shared WHERE body=?1", v[i].object, 0);
		if (err == 0)
			err = gx_sc__run(k,
				"INSERT INTO shared SELECT ?1,n FROM (SELECT " GX_SC_COUNT_OF_BODY("?1") " n) WHERE n>1",
				v[i].object, 0);
	}
	return err;
}

const struct gx_sc_check gx_sc__shared = {
	.subs = shared_subs, .nsubs = N(shared_subs), .find = find_shared, .repair = repair_shared};
