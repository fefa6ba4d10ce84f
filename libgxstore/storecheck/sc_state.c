/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of numbers that folders have: that there is one, and what it counts. */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

/* ---- Rows ---- */

static const struct gx_store_check_info state_subs[] = {
	{"folder-state", "folder", "a folder has its row of numbers", GX_FINDING_BROKEN, true},
	{"folder-state-unused", "folder", "a row of numbers belongs to a folder", GX_FINDING_WASTE, true},
	{"folder-uidvalidity", "folder", "a folder has a UIDVALIDITY", GX_FINDING_BROKEN, true},
};

static const struct gx_sc_simple state_find[] = {
	{.find = "SELECT fid,printf('%x, \"%.100s\"',fid,name) FROM folders WHERE fid NOT IN (SELECT fid FROM fstate)",
		.text = "no numbers of folder"},
	{.find = "SELECT fid,printf('%x',fid) FROM fstate WHERE fid<>0 AND fid NOT IN (SELECT fid FROM folders)",
		.text = "numbers of no folder"},
	{.find = "SELECT fid,printf('%x has %d',fid,uidvalidity) FROM fstate WHERE fid<>0 AND COALESCE(uidvalidity,0) NOT "
		 "BETWEEN 1 AND 4294967295",
		.text = "UIDVALIDITY of folder"},
};

static int find_state(struct gx_sc *k)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < N(state_find); i++) {
		GX_STMT(st, k->q, state_find[i].find);
		int r = 0;
		while (err == 0 && (r = gx_sql__step(st)) > 0)
			err = gx_sc__say(k, i, gx_sql__u64(st, 0), "%s %s", state_find[i].text, gx_sql__text(st, 1));
		err = err != 0 ? err : r;
	}
	return err;
}

/* UIDs go on above those in use, change numbers with the store's: nothing that a client has seen comes again. */
static int make_state(struct gx_sc *k, uint64_t fid)
{
	struct gx_fstate *f;
	int64_t uid = 0;
	int err = gx_sc__number(k, "SELECT MAX(uid) FROM msg WHERE fid=?1 AND uid BETWEEN 1 AND 4294967294", fid, &uid);
	if (err == 0)
		err = gx_fstate__add(k->t, fid, &f);
	if (err != 0)
		return err;
	f->uidnext = (uint64_t)uid + 1;
	f->log_floor = f->modseq = gx_txn__new_cn(k->t);
	return 0;
}

static int new_uidvalidity(struct gx_sc *k, uint64_t fid)
{
	struct gx_fstate *s = k->t->store_state;
	s->dirty = true;
	return gx_sc__run(k, "UPDATE fstate SET uidvalidity=?2 WHERE fid=?1", fid, ++s->uidvalidity);
}

static int repair_state(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 0:
			err = make_state(k, v[i].object);
			break;
		case 1:
			err = gx_sc__set_aside(k, "fstate", "fid=?1", v[i].object);
			err = err != 0 ? err : gx_sc__run(k, "DELETE FROM fstate WHERE fid=?1", v[i].object, 0);
			break;
		default:
			err = new_uidvalidity(k, v[i].object);
		}
	return err;
}

const struct gx_sc_check gx_sc__folder_state = {
	.subs = state_subs, .nsubs = N(state_subs), .find = find_state, .repair = repair_state};

/* ---- Counters ---- */

static const struct gx_store_check_info counter_subs[] = {
	{"folder-counters", "folder", "messages of a folder and their sizes are counted right", GX_FINDING_WRONG, true},
	{"folder-uidnext", "folder", "the next UID of a folder is not in use", GX_FINDING_BROKEN, true},
	{"folder-modseq", "folder", "no message changed later than its folder", GX_FINDING_BROKEN, true},
};

/* 0x100 associated, 0x200 deleted softly, 1 read; as gx_fstate__count() counts. */
#define COUNTED \
	"TOTAL(m.mid IS NOT NULL AND NOT m.flags&0x300), TOTAL(m.mid IS NOT NULL AND NOT m.flags&0x301)," \
	" TOTAL(m.mid IS NOT NULL AND (m.flags&0x300)=0x100), TOTAL(m.mid IS NOT NULL AND (m.flags&0x200)<>0)," \
	" TOTAL(CASE WHEN NOT m.flags&0x300 THEN m.size END), TOTAL(CASE WHEN (m.flags&0x300)=0x100 THEN m.size END)," \
	" TOTAL(CASE WHEN m.flags&0x200 THEN m.size END)"

static int check_counters(struct gx_sc *k, struct gx_stmt *st)
{
	static const char *const name[] = {
		"messages", "unread", "associated", "deleted", "size", "size of associated", "size of deleted"};
	unsigned long long fid = gx_sql__u64(st, 0);
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (int i = 0; i < (int)N(name); i++)
		if (gx_sql__int(st, 1 + i) != gx_sql__int(st, 8 + i))
			gx_strbuf_printf(&b, "%s %s %lld, counted %lld", b.len == 0 ? "" : ";", name[i], (long long)gx_sql__int(st, 1 + i),
				(long long)gx_sql__int(st, 8 + i));
	int err = b.len == 0 ? 0 : gx_sc__say(k, 0, fid, "folder %llx:%s", fid, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return err;
}

/* A search folder counts what it shows; the messages have their numbers elsewhere. */
#define SEARCHES "(SELECT fid FROM folders WHERE type=2)"

static int find_counters_in(struct gx_sc *k, struct gx_stmt *st)
{
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		unsigned long long fid = gx_sql__u64(st, 0);
		err = check_counters(k, st);
		if (err == 0 && gx_sql__int(st, 16) >= gx_sql__int(st, 15))
			err = gx_sc__say(k, 1, fid, "folder %llx: next UID %lld, but %lld is in use", fid, (long long)gx_sql__int(st, 15),
				(long long)gx_sql__int(st, 16));
		if (err == 0 && gx_sql__int(st, 18) > gx_sql__int(st, 17))
			err = gx_sc__say(k, 2, fid, "folder %llx: mod-sequence %llx, but a message has %llx", fid,
				(unsigned long long)gx_sql__u64(st, 17), (unsigned long long)gx_sql__u64(st, 18));
	}
	return err != 0 ? err : r;
}

#define NUMBERS "SELECT s.fid, s.total, s.unread, s.fai, s.softdel, s.size, s.fai_size, s.softdel_size, " COUNTED ", s.uidnext, "

static int find_counters(struct gx_sc *k)
{
	GX_STMT(own, k->q, NUMBERS "COALESCE(MAX(m.uid),0), s.modseq, COALESCE(MAX(m.modseq),0)"
		" FROM fstate s LEFT JOIN msg m ON m.fid=s.fid WHERE s.fid<>0 AND s.fid NOT IN " SEARCHES " GROUP BY s.fid");
	int err = find_counters_in(k, own);
	GX_STMT(shown, k->q, NUMBERS "0, s.modseq, 0 FROM fstate s LEFT JOIN found x ON x.fid=s.fid LEFT JOIN msg m ON m.mid=x.mid"
		" WHERE s.fid IN " SEARCHES " GROUP BY s.fid");
	return err != 0 ? err : find_counters_in(k, shown);
}

static int recount_searches(struct gx_sc *k)
{
	return gx_sc__run(k,
		"UPDATE fstate SET fai=0,softdel=0,fai_size=0,softdel_size=0,(total,unread,size)=(SELECT COUNT(m.mid),"
		" CAST(TOTAL(NOT m.flags&1) AS INTEGER), CAST(TOTAL(m.size) AS INTEGER) FROM found x JOIN msg m ON m.mid=x.mid"
		" WHERE x.fid=fstate.fid) WHERE fid IN " SEARCHES,
		0, 0);
}

static int recount_folders(struct gx_sc *k)
{
	return gx_sc__run(k,
		"UPDATE fstate SET (total,unread,fai,softdel,size,fai_size,softdel_size)=(SELECT CAST(a AS INTEGER),"
		" CAST(b AS INTEGER), CAST(c AS INTEGER), CAST(d AS INTEGER), CAST(e AS INTEGER), CAST(f AS INTEGER), "
		"CAST(g AS INTEGER) FROM"
		" (SELECT TOTAL(NOT flags&0x300) a, TOTAL(NOT flags&0x301) b, TOTAL((flags&0x300)=0x100) c, "
		"TOTAL((flags&0x200)<>0) d,"
		" TOTAL(CASE WHEN NOT flags&0x300 THEN size END) e, TOTAL(CASE WHEN (flags&0x300)=0x100 THEN size END) f,"
		" TOTAL(CASE WHEN flags&0x200 THEN size END) g FROM msg WHERE msg.fid=fstate.fid)) WHERE fid<>0 AND fid NOT IN " SEARCHES,
		0, 0);
}

/* Numbers that may have been given out above what is known now are skipped. */
static int repair_counters(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = recount_folders(k);
	if (err == 0)
		err = recount_searches(k);
	for (size_t i = 0; err == 0 && i < n; i++) {
		if (v[i].sub == 1)
			err = gx_sc__run(k,
				"UPDATE fstate SET uidnext=(SELECT MAX(uid) FROM msg WHERE fid=?1)+1 WHERE fid=?1",
				v[i].object, 0);
		else if (v[i].sub == 2)
			err = gx_sc__distrust(k, v[i].object);
	}
	return err;
}

const struct gx_sc_check gx_sc__folder_counters = {
	.subs = counter_subs, .nsubs = N(counter_subs), .find = find_counters, .repair = repair_counters};

/* ---- The store's sums ---- */

static const struct gx_store_check_info sum_subs[] = {
	{"store-sums", "store", "the store's counters are the sums of those of its folders", GX_FINDING_WRONG, true},
};

#define SUMS \
	"CAST(TOTAL(total) AS INTEGER),CAST(TOTAL(unread) AS INTEGER),CAST(TOTAL(fai) AS INTEGER)," \
	"CAST(TOTAL(softdel) AS INTEGER)," \
	"CAST(TOTAL(size) AS INTEGER),CAST(TOTAL(fai_size) AS INTEGER),CAST(TOTAL(softdel_size) AS INTEGER) FROM fstate WHERE "

static int find_sums(struct gx_sc *k)
{
	GX_STMT(is, k->q, "SELECT " SUMS "fid=0");
	GX_STMT(want, k->q, "SELECT " SUMS "fid<>0 AND fid NOT IN " SEARCHES);
	int r = gx_sql__step(is), w = gx_sql__step(want);
	bool differ = false;
	if (r < 0 || w < 0)
		return r < 0 ? r : w;
	for (int i = 0; i < 7; i++)
		differ |= gx_sql__int(is, i) != gx_sql__int(want, i);
	return !differ ? 0
		       : gx_sc__say(k, 0, 0, "messages %lld, unread %lld, size %lld; the folders have %lld, %lld, %lld",
				 (long long)gx_sql__int(is, 0), (long long)gx_sql__int(is, 1),
				 (long long)gx_sql__int(is, 4), (long long)gx_sql__int(want, 0),
				 (long long)gx_sql__int(want, 1), (long long)gx_sql__int(want, 4));
}

static int repair_sums(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	struct gx_fstate *s = k->t->store_state;
	(void)v;
	(void)n;
	GX_STMT(st, k->q, "SELECT " SUMS "fid<>0 AND fid NOT IN " SEARCHES);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	s->total = gx_sql__u64(st, 0);
	s->unread = gx_sql__u64(st, 1);
	s->fai = gx_sql__u64(st, 2);
	s->softdel = gx_sql__u64(st, 3);
	s->size = gx_sql__u64(st, 4);
	s->fai_size = gx_sql__u64(st, 5);
	s->softdel_size = gx_sql__u64(st, 6);
	s->dirty = true;
	return 0;
}

const struct gx_sc_check gx_sc__store_sums = {
	.subs = sum_subs, .nsubs = N(sum_subs), .find = find_sums, .repair = repair_sums};
