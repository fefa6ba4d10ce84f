/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include "libgxstore/order/order-int.h"

/* Every order is computed anew, message by message, and compared with what is kept. */

struct check {
	struct gx_txn *t;
	void (*report)(const char *line, void *ctx);
	void *ctx;
	long found;
	const struct gx_order *o;
	int64_t total, unread;
	struct gx_orderkeys keys;
};

static void GX_PRINTF(2, 3) say(struct check *k, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n = snprintf(line, sizeof(line), "sort order %llu of folder %llx: ", (unsigned long long)k->o->id,
		(unsigned long long)k->o->fid);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	k->found++;
	k->report(line, k->ctx);
}

/* 1 when the row is there, with the right mark. */
static int look(struct check *k, struct gx_bin key, bool unread)
{
	GX_STMT(st, k->t->q, "SELECT 1 FROM srow WHERE view=?1 AND key=?2 AND unread=?3");
	gx_sql__bind_int(st, 1, (int64_t)k->o->id);
	gx_sql__bind_blob(st, 2, key.data, key.len);
	gx_sql__bind_int(st, 3, unread);
	return gx_sql__step(st);
}

static int check_message(struct check *k, struct gx_msgsrc *x)
{
	bool unread = !(x->row.flags & GX_MSGF_READ);
	int err = gx_orderkeys__make(&k->o->spec, x, &k->keys);
	for (unsigned i = 0; err == 0 && i < k->keys.n; i++) {
		int r = look(k, gx_orderkeys__at(&k->keys, i), unread);
		if (r < 0)
			return r;
		if (r == 0)
			say(k, "message %llx stands in another place", (unsigned long long)x->row.mid);
		k->total++;
		k->unread += unread;
	}
	return err;
}

static const char *members_sql(const struct gx_order *o)
{
	switch (o->kind) {
	case GX_ORDER_NORMAL:
		return "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND NOT flags&256 AND (?2 IS NULL OR uid<=?2)";
	case GX_ORDER_FAI:
		return "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND flags&256 AND (?2 IS NULL OR uid<=?2)";
	case GX_ORDER_STORE:
		return "SELECT mid FROM msg WHERE uid>0 AND NOT flags&256 AND (?2 IS NULL OR mid<=?2)";
	default:
		return "SELECT f.mid FROM found f JOIN msg m ON m.mid=f.mid AND m.uid>0 WHERE f.fid=?1 AND (?2 IS "
		       "NULL OR f.mid<=?2)";
	}
}

static int check_messages(struct check *k, struct gx_arena *a)
{
	struct gx_msgsrc x;
	GX_STMT(st, k->t->q, members_sql(k->o));
	if (k->o->kind != GX_ORDER_STORE)
		gx_sql__bind_int(st, 1, (int64_t)k->o->fid);
	if (k->o->building)
		gx_sql__bind_int(st, 2, (int64_t)k->o->progress);
	int r, err = 0;
	gx_msgsrc__init(&x, k->t, a);
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		err = gx_msgsrc__set_mid(&x, gx_sql__u64(st, 0));
		if (err == 0)
			err = check_message(k, &x);
		gx_arena_reset(a);
	}
	gx_msgsrc__release(&x);
	return err != 0 ? err : r;
}

/* Sums of rows and of runs. */
static int check_sums(struct check *k)
{
	GX_STMT(st, k->t->q, "SELECT COUNT(*),COALESCE(SUM(unread),0) FROM srow WHERE view=?1 UNION ALL"
		" SELECT SUM(total),SUM(unread) FROM schunk WHERE view=?1");
	static const char *const what[] = {"rows", "runs"};
	gx_sql__bind_int(st, 1, (int64_t)k->o->id);
	int r;
	for (unsigned i = 0; (r = gx_sql__step(st)) > 0 && i < 2; i++)
		if (gx_sql__int(st, 0) != k->total || gx_sql__int(st, 1) != k->unread)
			say(k, "%s say %lld rows, %lld unread; counted %lld, %lld", what[i],
				(long long)gx_sql__int(st, 0), (long long)gx_sql__int(st, 1), (long long)k->total,
				(long long)k->unread);
	return r < 0 ? r : 0;
}

static int check_runs(struct check *k)
{
	GX_STMT(st, k->t->q,
		"SELECT c.key, c.total, c.unread, (SELECT COUNT(*) FROM srow r WHERE r.view=c.view AND r.key>=c.key "
		"AND r.key<c.next),"
		" (SELECT COALESCE(SUM(unread),0) FROM srow r WHERE r.view=c.view AND r.key>=c.key AND r.key<c.next) "
		"FROM"
		" (SELECT view, key, total, unread, COALESCE(LEAD(key) OVER (ORDER BY key), x'ffffffff') AS next "
		"FROM schunk WHERE view=?1) c");
	gx_sql__bind_int(st, 1, (int64_t)k->o->id);
	bool first = true;
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		if (first && gx_sql__blob(st, 0).len != 0)
			say(k, "the first run does not begin at the beginning");
		first = false;
		if (gx_sql__int(st, 1) != gx_sql__int(st, 3) || gx_sql__int(st, 2) != gx_sql__int(st, 4))
			say(k, "a run says %lld rows, %lld unread; counted %lld, %lld", (long long)gx_sql__int(st, 1),
				(long long)gx_sql__int(st, 2), (long long)gx_sql__int(st, 3),
				(long long)gx_sql__int(st, 4));
		if (gx_sql__int(st, 1) > GX_ORDER_RUN_MAX)
			say(k, "a run has %lld rows", (long long)gx_sql__int(st, 1));
	}
	if (first && r == 0)
		say(k, "it has no runs");
	return r;
}

/* ---- Numbers of groups ---- */

struct group {
	struct gx_push prefix;
	int64_t total, unread;
};

/* The group at hand has to be the next that is kept. */
static int check_group(struct check *k, struct gx_stmt *kept, unsigned depth, const struct group *g)
{
	struct gx_bin prefix = {g->prefix.data, g->prefix.len};
	int r = gx_sql__step(kept);
	if (r < 0)
		return r;
	if (r == 0 || gx_order__cmp(gx_sql__blob(kept, 0), prefix) != 0 || gx_sql__int(kept, 1) != g->total ||
		gx_sql__int(kept, 2) != g->unread) {
		say(k, "a group by %u columns says %lld rows, %lld unread; counted %lld, %lld", depth,
			(long long)(r == 0 ? 0 : gx_sql__int(kept, 1)), (long long)(r == 0 ? 0 : gx_sql__int(kept, 2)),
			(long long)g->total, (long long)g->unread);
		return 1; /* the others would be out of step */
	}
	return 0;
}

/* @return 1 one was wrong, 0, GX_E_*. */
static int check_groups(struct check *k, struct gx_stmt *kept, unsigned depth, struct gx_bin upto, struct group *g)
{
	GX_STMT(st, k->t->q, "SELECT key,unread FROM srow WHERE view=?1 AND (?2 IS NULL OR key<?2) ORDER BY key");
	gx_sql__bind_int(st, 1, (int64_t)k->o->id);
	if (upto.data != NULL)
		gx_sql__bind_blob(st, 2, upto.data, upto.len);
	int r = 0, wrong = 0;
	while (wrong == 0 && g->prefix.err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_bin key = gx_sql__blob(st, 0);
		struct gx_bin prefix = {key.data, gx_orderspec__prefix(&k->o->spec, key, depth)};
		if (g->total > 0 && gx_order__cmp((struct gx_bin){g->prefix.data, g->prefix.len}, prefix) != 0) {
			wrong = check_group(k, kept, depth, g);
			g->total = g->unread = 0;
		}
		gx_push_clear(&g->prefix);
		gx_push_bytes(&g->prefix, prefix.data, prefix.len);
		g->total++;
		g->unread += gx_sql__int(st, 1);
	}
	if (wrong != 0 || g->prefix.err != 0)
		return wrong != 0 ? wrong : g->prefix.err;
	return r < 0 ? r : g->total > 0 ? check_group(k, kept, depth, g) : 0;
}

static int check_counted(struct check *k, unsigned depth, struct gx_bin upto)
{
	struct group g = {.prefix = GX_PUSH_INIT};
	GX_STMT(kept, k->t->q, "SELECT key,total,unread FROM sgroup WHERE view=?1 AND depth=?2 ORDER BY key");
	gx_sql__bind_int(kept, 1, (int64_t)k->o->id);
	gx_sql__bind_int(kept, 2, depth);
	int r = check_groups(k, kept, depth, upto, &g);
	gx_push_release(&g.prefix);
	if (r == 0 && (r = gx_sql__step(kept)) > 0)
		say(k, "there is a group by %u columns without rows", depth);
	return r < 0 ? r : 0;
}

static int check_counts(struct check *k)
{
	GX_STMT(st, k->t->q, "SELECT depth,state,upto FROM scount WHERE view=?1");
	gx_sql__bind_int(st, 1, (int64_t)k->o->id);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		unsigned depth = (unsigned)gx_sql__int(st, 0);
		struct gx_bin upto = gx_sql__blob(st, 2);
		bool going = gx_sql__int(st, 1) == GX_COUNT_GOING;
		if (!going || upto.len == 0)
			upto.data = going ? (const uint8_t *)"" : NULL;
		if (depth == 0 || depth > k->o->spec.n || depth > GX_ORDER_DEPTHS)
			say(k, "groups by %u columns are counted", depth);
		else if (gx_sql__int(st, 1) != GX_COUNT_VAIN)
			err = check_counted(k, depth, upto);
	}
	return err != 0 ? err : r;
}

static int check_order(struct check *k, const struct gx_order *o)
{
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	k->o = o;
	k->total = k->unread = 0;
	int err = o->bulk ? 0 : check_messages(k, a);
	gx_arena_free(a);
	if (err == 0 && !o->bulk) /* else some messages are in it, and some are as they were */
		err = check_sums(k);
	if (err == 0)
		err = check_runs(k);
	return err != 0 ? err : check_counts(k);
}

static int check_strays(struct check *k)
{
	static const struct gx_order none = {0};
	GX_STMT(st, k->t->q, "SELECT (SELECT COUNT(*) FROM schunk WHERE view NOT IN (SELECT id FROM sview)),"
		" (SELECT COUNT(*) FROM sview WHERE fid<>0 AND fid NOT IN (SELECT fid FROM folders)),"
		" (SELECT COUNT(*) FROM sgroup g WHERE NOT EXISTS"
		" (SELECT 1 FROM scount c JOIN sview v ON v.id=c.view WHERE c.view=g.view AND c.depth=g.depth AND c.state<>2))");
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	k->o = &none;
	if (gx_sql__int(st, 0) != 0)
		say(k, "%lld runs belong to no order", (long long)gx_sql__int(st, 0));
	if (gx_sql__int(st, 1) != 0)
		say(k, "%lld orders belong to no folder", (long long)gx_sql__int(st, 1));
	if (gx_sql__int(st, 2) != 0)
		say(k, "%lld groups belong to no order", (long long)gx_sql__int(st, 2));
	return 0;
}

long gx_order__verify(struct gx_txn *t, void (*report)(const char *line, void *ctx), void *ctx)
{
	struct check k = {.t = t, .report = report, .ctx = ctx};
	struct gx_orders *own; /* the store's are the writer's */
	int err = t->mode == GX_TXN_WRITE ? gx_order__flush(t) : 0;
	if (err == 0)
		err = gx_orders__new(&own);
	if (err != 0)
		return err;
	err = gx_orders__load(t, own);
	for (unsigned i = 0; err == 0 && i < GX_ORDER_BUCKETS; i++)
		for (const struct gx_order *o = own->bucket[i]; err == 0 && o != NULL; o = o->next)
			err = check_order(&k, o);
	if (err == 0)
		err = check_strays(&k);
	gx_orders__free(own);
	gx_push_release(&k.keys.bytes);
	return err != 0 ? err : k.found;
}

int gx_order__rebuild(struct gx_txn *t)
{
	int err = gx_order__flush(t);
	if (err == 0)
		err = gx_order__changing(t);
	gx_orderbulk__gone(t->s->orders, 0);
	gx_orders__forget(t->s->orders);
	if (err == 0)
		err = gx_sql__exec(t->q, "DELETE FROM srow; DELETE FROM schunk; DELETE FROM sgroup; DELETE FROM scount; DELETE FROM sview");
	return err;
}
