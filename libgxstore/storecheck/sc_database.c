/* SPDX-License-Identifier: Apache-2.0 */
/* The file as SQLite sees it, its tables, and the store's own few rows. */
#include <config.h>
#include <string.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const struct gx_store_check_info database_subs[] = {
	{"database-index", "store", "an index of the database agrees with its table", GX_FINDING_BROKEN, true},
	{"database", "store", "pages and records of the database are sound", GX_FINDING_BROKEN, false},
	{"database-reading", "store", "nothing hinders the checks", GX_FINDING_BROKEN, false},
};

static bool about_index(const char *text)
{
	return strstr(text, "missing from index") != NULL || strstr(text, "wrong # of entries in index") != NULL ||
		strstr(text, "non-unique entry in index") != NULL || strstr(text, "values differ from index") != NULL;
}

static int find_database(struct gx_sc *k)
{
	GX_STMT(st, k->q, "PRAGMA integrity_check(100)");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		const char *text = gx_sql__text(st, 0);
		if (gx_sql__unchecked(text))
			err = gx_sql__fail(k->q, GX_E_NOMEM, "out of memory");
		else if (strcmp(text, "ok") != 0)
			err = gx_sc__say(k, about_index(text) ? 0 : 1, 0, "%s", text);
	}
	return err != 0 ? err : r;
}

static int repair_database(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	(void)v;
	(void)n;
	return gx_sql__exec(k->q, "REINDEX");
}

const struct gx_sc_check gx_sc__database = {.subs = database_subs, .nsubs = N(database_subs), .expensive = true,
	.find = find_database, .repair = repair_database};

/* ---- Tables and indexes: those of a store made in memory ---- */

static const struct gx_store_check_info schema_subs[] = {
	{"schema", "store", "all tables and indexes are there", GX_FINDING_BROKEN, true},
	{"schema-text", "store", "tables and indexes are those of this version", GX_FINDING_BROKEN, false},
};

static int open_model(struct gx_sc *k, struct gx_sql **ret_q)
{
	char why[256];
	struct gx_sql_open o = {.file = ":memory:", .dir = k->s->dir, .writer = true, .create = true};
	int err = gx_sql__open(&o, ret_q, why, sizeof(why));
	if (err != 0)
		return gx_sql__fail(k->q, err, "%s", why);
	err = gx_schema__create(*ret_q, GX_SCHEMA_VERSION);
	err = err != 0 ? err : gx_schema__all_late(*ret_q);
	if (err != 0) {
		gx_sql__fail(k->q, err, "%s", (*ret_q)->why);
		gx_sql__close(*ret_q);
	}
	return err;
}

/* 1 there, 0 not; @ret_same: in the same words. */
static int compare(struct gx_sc *k, const char *name, const char *text, bool *ret_same)
{
	GX_STMT(st, k->q, "SELECT sql FROM sqlite_schema WHERE name=?1");
	gx_sql__bind_text(st, 1, name);
	int r = gx_sql__step(st);
	*ret_same = r > 0 && strcmp(gx_sql__text(st, 0), text) == 0;
	return r;
}

static int each_missing(
	struct gx_sc *k, struct gx_sql *model, int (*fn)(struct gx_sc *k, const char *name, const char *text, int there))
{
	GX_STMT(st, model, "SELECT name,sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, rowid");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		bool same;
		int there = compare(k, gx_sql__text(st, 0), gx_sql__text(st, 1), &same);
		int err = there < 0 ? there : same ? 0 : fn(k, gx_sql__text(st, 0), gx_sql__text(st, 1), there);
		if (err != 0)
			return err;
	}
	return r < 0 ? gx_sql__fail(k->q, r, "%s", model->why) : 0;
}

static int say_schema(struct gx_sc *k, const char *name, const char *text, int there)
{
	(void)text;
	if (there)
		return gx_sc__say(k, 1, 0, "%s is not as this version makes it", name);
	int r = gx_schema__can_wait(k->q, name);
	return r != 0 ? (r < 0 ? r : 0) : gx_sc__say(k, 0, 0, "%s is missing", name);
}

static int make_missing(struct gx_sc *k, const char *name, const char *text, int there)
{
	(void)name;
	return there ? 0 : gx_sql__exec(k->q, text);
}

static int with_model(struct gx_sc *k, int (*fn)(struct gx_sc *k, const char *name, const char *text, int there))
{
	struct gx_sql *model;
	int err = open_model(k, &model);
	if (err != 0)
		return err;
	err = each_missing(k, model, fn);
	gx_sql__close(model);
	return err;
}

static int find_schema(struct gx_sc *k)
{
	return with_model(k, say_schema);
}

static int repair_schema(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	(void)v;
	(void)n;
	return with_model(k, make_missing);
}

const struct gx_sc_check gx_sc__schema = {
	.subs = schema_subs, .nsubs = N(schema_subs), .find = find_schema, .repair = repair_schema};

/* ---- The table meta; without its other rows a store cannot be opened ---- */

static const struct gx_store_check_info meta_subs[] = {
	{"store-created", "store", "the time of creation is known", GX_FINDING_WRONG, true},
	{"store-owner", "store", "the owner is noted", GX_FINDING_WRONG, true},
	{"store-props", "store", "properties of the store can be read", GX_FINDING_BROKEN, true},
};

static int find_meta(struct gx_sc *k)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist l = {0};
	struct gx_bin row;
	int64_t v;
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_meta__get_int(k->q, "created", &v);
	err = err == GX_E_NOTFOUND ? gx_sc__say(k, 0, 0, "no time of creation") : err;
	if (err == 0)
		err = gx_meta__get_blob(k->q, "owner", a, &row);
	err = err == GX_E_NOTFOUND ? gx_sc__say(k, 1, 0, "no owner") : err;
	if (err == 0 && (err = gx_meta__get_blob(k->q, "props", a, &row)) == 0)
		if ((err = gx_prow_unpack(a, row.data, row.len, &l)) != 0 && err != GX_E_NOMEM)
			err = gx_sc__say(k, 2, 0, "its properties are damaged");
	gx_arena_free(a);
	return err == GX_E_NOTFOUND ? 0 : err;
}

static int repair_meta(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int64_t oldest = (int64_t)gx_store__now(k->s);
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 0:
			err = gx_sc__number(k, "SELECT MIN(created) FROM folders WHERE created>0", 0, &oldest);
			err = err != 0 ? err : gx_meta__set_int(k->q, "created", oldest);
			break;
		case 1:
			err = gx_meta__set_blob(k->q, "owner", "", 0);
			break;
		default:
			err = gx_sc__set_aside(k, "meta", "key='props' AND ?1=0", 0);
			err = err != 0 ? err : gx_sc__run(k, "DELETE FROM meta WHERE key='props'", 0, 0);
		}
	return err;
}

const struct gx_sc_check gx_sc__meta = {
	.subs = meta_subs, .nsubs = N(meta_subs), .find = find_meta, .repair = repair_meta};

/* ---- The numbers that are given out next ---- */

static const struct gx_store_check_info number_subs[] = {
	{"store-next-id", "store", "the next object id is not in use", GX_FINDING_BROKEN, true},
	{"store-change-number", "store", "no object has a change number that is yet to come", GX_FINDING_BROKEN, true},
	{"store-uidvalidity", "store", "the next UIDVALIDITY is not in use", GX_FINDING_BROKEN, true},
	{"store-deliveries", "store", "the number of deliveries is not behind", GX_FINDING_WRONG, true},
};

/* What is beyond 48 bits is wrong by itself and has a check of its own. */
#define MAX_48 " BETWEEN 1 AND 281474976710655"
#define HIGHEST(column, table) "SELECT MAX(" #column ") v FROM " #table " WHERE " #column MAX_48
#define HIGHEST_ID \
	"SELECT MAX(v) FROM (" HIGHEST(mid, msg) " UNION ALL " HIGHEST(id, body) " UNION ALL " HIGHEST(fid, folders) \
	" UNION ALL " HIGHEST(embedded, att) " UNION ALL " HIGHEST(last, reserved) ")"
#define HIGHEST_CN \
	"SELECT MAX(v) FROM (" HIGHEST(modseq, fstate) " AND fid<>0 UNION ALL " HIGHEST(modseq, msg) \
	" UNION ALL " HIGHEST(cn, msg) " UNION ALL " HIGHEST(cn0, msg) " UNION ALL " HIGHEST(rcn, msg) \
	" UNION ALL " HIGHEST(cn, folders) " UNION ALL " HIGHEST(modseq, log) ")"
static const char *const highest[] = {
	HIGHEST_ID,
	HIGHEST_CN,
	"SELECT MAX(uidvalidity) FROM fstate WHERE fid<>0 AND uidvalidity BETWEEN 1 AND 4294967294",
	HIGHEST(seq, delivered),
};

struct numbers {
	int64_t has[N(highest)], needs[N(highest)];
};

static int read_numbers(struct gx_sc *k, struct numbers *n)
{
	*n = (struct numbers){.needs = {0xff}};
	{
		GX_STMT(st, k->q, "SELECT uidnext-1,modseq,uidvalidity,log_floor FROM fstate WHERE fid=0");
		int r = gx_sql__step(st);
		if (r <= 0)
			return r == 0 ? GX_E_NOTFOUND : r;
		for (int i = 0; i < (int)N(highest); i++)
			n->has[i] = gx_sql__int(st, i);
	}
	int err = 0;
	for (size_t i = 0; err == 0 && i < N(highest); i++)
		err = gx_sc__number(k, highest[i], 0, &n->needs[i]);
	return err;
}

static int find_numbers(struct gx_sc *k)
{
	static const char *const what[] = {
		"the next object id", "the change counter", "the last UIDVALIDITY", "the number of deliveries"};
	struct numbers n;
	int err = read_numbers(k, &n);
	for (unsigned i = 0; err == 0 && i < N(highest); i++)
		if (n.has[i] < n.needs[i] || n.has[i] > (int64_t)((UINT64_C(1) << 48) - 1))
			err = gx_sc__say(k, i, 0, "%s is %llx, but %llx is in use", what[i], (unsigned long long)n.has[i],
				(unsigned long long)n.needs[i]);
	return err;
}

static int repair_numbers(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	struct gx_fstate *s = k->t->store_state;
	struct numbers x;
	int err = read_numbers(k, &x);
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 0: s->uidnext = (uint64_t)x.needs[0] + 1; break;
		case 1: s->modseq = (uint64_t)x.needs[1] + GX_SKIP_AFTER_LOSS; break; /* what clients have seen is not known */
		case 2: s->uidvalidity = (uint32_t)x.needs[2]; break;
		default: s->log_floor = (uint64_t)x.needs[3];
		}
	s->dirty = true;
	return err;
}

const struct gx_sc_check gx_sc__store_numbers = {
	.subs = number_subs, .nsubs = N(number_subs), .find = find_numbers, .repair = repair_numbers};
