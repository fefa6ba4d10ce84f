/* SPDX-License-Identifier: Apache-2.0 */
/* Content objects: their rows, their bytes, who refers to them. */
#include <config.h>
#include <limits.h>
#include <unistd.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static int tally_all(struct gx_sc *k, struct gx_content_tally *t)
{
	GX_STMT(st, k->q, "SELECT id,skeleton FROM body WHERE length(skeleton)>0");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = gx_content__tally_add(t, gx_sql__blob(st, 1), gx_sql__u64(st, 0));
		if (err == GX_E_NOMEM) /* others have a check of their own */
			return err;
	}
	return r;
}

int gx_sc__tally(struct gx_sc *k, struct gx_content_tally **ret_t)
{
	struct gx_content_tally *t = gx_content__tally_new();
	int err = t == NULL ? GX_E_NOMEM : tally_all(k, t);
	if (err != 0) {
		gx_content__tally_free(t);
		return err;
	}
	*ret_t = t;
	return 0;
}

int gx_sc__verify(struct gx_sc *k, unsigned what, const struct gx_content_tally *tally,
	int (*report)(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx))
{
	struct gx_content_verify v = {.what = what, .tally = tally, .report = report, .ctx = k};
	int err = gx_content__verify(k->t->c->cio, k->q, &v);
	return err;
}

/* ---- Rows ---- */

static const struct gx_store_check_info row_subs[] = {
	{"content-row", "content", "the row of a content object says what can be", GX_FINDING_BROKEN, true},
};

static int say_row(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx)
{
	(void)what;
	return gx_sc__say_hash(ctx, 0, object, hash, "%s", text);
}

static int find_rows(struct gx_sc *k)
{
	return gx_sc__verify(k, GX_CV_ROW, NULL, say_row);
}

/* Without its row the data is an orphan; the next check tries to find out what it is. */
static int repair_rows(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = gx_sc__set_aside(
		k, "content", "(length(hash)<>32 OR size NOT BETWEEN 0 AND 1099511627776 OR comp NOT IN(0,1)) AND ?1=0", 0);
	(void)v;
	(void)n;
	return err != 0
		? err
		: gx_sql__exec(k->q,
			  "DELETE FROM content WHERE length(hash)<>32 OR size NOT BETWEEN 0 AND 1099511627776 OR comp NOT IN(0,1)");
}

const struct gx_sc_check gx_sc__content_rows = {
	.subs = row_subs, .nsubs = N(row_subs), .find = find_rows, .repair = repair_rows};

/* ---- Bytes ---- */

static const struct gx_store_check_info byte_subs[] = {
	{"content-bytes", "content", "the bytes of a content object are those that were stored", GX_FINDING_LOST, true},
};

/* Another process may have let the object go since our snapshot was taken. */
static int still_there(struct gx_sc *k, const uint8_t *hash)
{
	struct gx_txn *t;
	if (k->t->mode == GX_TXN_WRITE)
		return 1;
	int err = gx_txn__system(k->s, GX_TXN_READ, 10000, &t);
	if (err != 0)
		return err;
	int r;
	{
		GX_STMT(st, t->q, "SELECT 1 FROM content WHERE hash=?1");
		gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
		r = gx_sql__step(st);
	}
	gx_txn_abort(t);
	return r;
}

int gx_sc__needed_by(struct gx_sc *k, uint64_t body, char *out, size_t size)
{
	GX_STMT(st, k->q, "SELECT mid,fid FROM msg WHERE " GX_SC_OF_BODY("?1") " LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r = body == 0 ? 0 : gx_sql__step(st);
	*out = '\0';
	if (r > 0)
		snprintf(out, size, "; message %llx in folder %llx needs it", (unsigned long long)gx_sql__u64(st, 0),
			(unsigned long long)gx_sql__u64(st, 1));
	return r < 0 ? r : 0;
}

struct bytes {
	struct gx_sc *k;
	struct gx_content_tally *tally;
};

static int say_bytes(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx)
{
	struct bytes *x = ctx;
	uint64_t size;
	char who[100];
	int r = still_there(x->k, hash);
	(void)what;
	if (r <= 0)
		return r;
	gx_content__tally_get(x->tally, hash, &object, &size);
	r = gx_sc__needed_by(x->k, object, who, sizeof(who));
	return r != 0 ? r : gx_sc__say_hash(x->k, 0, object, hash, "%s%s", text, who);
}

static int find_bytes(struct gx_sc *k)
{
	struct bytes x = {.k = k};
	int err = gx_sc__tally(k, &x.tally);
	if (err != 0)
		return err;
	struct gx_content_verify v = {.what = GX_CV_BYTES, .report = say_bytes, .ctx = &x};
	err = gx_content__verify(k->t->c->cio, k->q, &v);
	gx_content__tally_free(x.tally);
	return err;
}

/* 1 it does, 0 not. */
static int refers(struct gx_sc *k, struct gx_bin skeleton, const uint8_t *hash)
{
	struct gx_skel s;
	int err = gx_skel__contents(k->a, skeleton, &s);
	if (err != 0)
		return err == GX_E_NOMEM ? err : 0;
	for (size_t i = 0; i < s.content_count; i++)
		if (memcmp(s.contents[i].hash, hash, GX_HASH_LEN) == 0)
			return 1;
	return 0;
}

struct ids {
	uint64_t *v;
	size_t n, cap;
};

static int bodies_with(struct gx_sc *k, const uint8_t *hash, struct ids *l)
{
	GX_STMT(st, k->q, "SELECT id,skeleton FROM body WHERE instr(skeleton,?1)>0");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int yes = refers(k, gx_sql__blob(st, 1), hash);
		if (yes < 0)
			return yes;
		if (yes == 0)
			continue;
		l->v = gx_arena_grow(k->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
		if (l->v == NULL)
			return GX_E_NOMEM;
		l->v[l->n++] = gx_sql__u64(st, 0);
	}
	return r;
}

int gx_sc__rebuild_without(struct gx_sc *k, const uint8_t *hash)
{
	struct ids l = {0};
	int err = bodies_with(k, hash, &l);
	for (size_t i = 0; err == 0 && i < l.n; i++)
		err = gx_sc__rebuild_body(k, l.v[i]);
	return err;
}

/* The damaged file keeps lying there under another name. */
static int put_away(struct gx_sc *k, const uint8_t *hash)
{
	char path[PATH_MAX], away[PATH_MAX];
	const struct gx_fs *fs = k->t->c->cio->fs;
	if (gx_cio__path(k->t->c->cio, hash, "", path) == 0 && gx_cio__path(k->t->c->cio, hash, ".damaged", away) == 0 &&
		access(path, F_OK) == 0 && fs->rename(fs, path, away) != 0)
		return gx_sql__fail(k->q, GX_E_IO, "%s: cannot be renamed", path);
	int err = gx_sc__set_aside_hash(k, "content_data", "id=(SELECT data FROM content WHERE hash=?1)", hash);
	if (err == 0)
		err = gx_sc__set_aside_hash(k, "content", "hash=?1", hash);
	if (err != 0)
		return err;
	GX_STMT(data, k->q, "DELETE FROM content_data WHERE id=(SELECT data FROM content WHERE hash=?1)");
	gx_sql__bind_blob(data, 1, hash, GX_HASH_LEN);
	err = gx_sql__run(data);
	GX_STMT(row, k->q, "DELETE FROM content WHERE hash=?1");
	gx_sql__bind_blob(row, 1, hash, GX_HASH_LEN);
	return err != 0 ? err : gx_sql__run(row);
}

static int repair_bytes(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = gx_sc__rebuild_without(k, v[i].hash);
		if (err == 0)
			err = put_away(k, v[i].hash);
	}
	return err;
}

const struct gx_sc_check gx_sc__content_bytes = {
	.subs = byte_subs, .nsubs = N(byte_subs), .expensive = true, .find = find_bytes, .repair = repair_bytes};

/* ---- References ---- */

static const struct gx_store_check_info ref_subs[] = {
	{"content-references", "content", "the messages that need a content object are counted", GX_FINDING_WRONG, true},
	{"content-unused", "content", "a content object belongs to a message", GX_FINDING_WASTE, true},
};

static int say_refs(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx)
{
	(void)what;
	return gx_sc__say_hash(ctx, object == 0, object, hash, "%s", text);
}

static int find_refs(struct gx_sc *k)
{
	struct gx_content_tally *t;
	int err = gx_sc__tally(k, &t);
	if (err != 0)
		return err;
	err = gx_sc__verify(k, GX_CV_REFS, t, say_refs);
	gx_content__tally_free(t);
	return err;
}

static int set_refs(struct gx_sc *k, const uint8_t *hash, uint64_t refs)
{
	GX_STMT(st, k->q, "UPDATE content SET refs=?2 WHERE hash=?1");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	gx_sql__bind_int(st, 2, (int64_t)refs);
	return gx_sql__run(st);
}

static int repair_counts(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	struct gx_content_tally *t;
	uint64_t body, size;
	int err = gx_sc__tally(k, &t);
	if (err != 0)
		return err;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = set_refs(k, v[i].hash, gx_content__tally_get(t, v[i].hash, &body, &size));
	gx_content__tally_free(t);
	return err;
}

/* A few of them in one message; the message's reference is counted by its insertion. */
static int adopt(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	enum { MOST = 20, BYTES = 64 << 20 };
	struct gx_arena *a = gx_arena_new(0);
	struct gx_sc_piece p[MOST];
	size_t np = 0;
	int err = a == NULL ? GX_E_NOMEM : 0;
	for (size_t i = 0; err == 0 && i < n; i++) {
		char hex[2 * GX_HASH_LEN + 1];
		struct gx_push out = GX_PUSH_INIT;
		if (v[i].sub != 1)
			continue;
		if (gx_content__read(k->t->c->cio, k->q, v[i].hash, 0, UINT64_MAX, &out) == 0) {
			gx_cio__hex(v[i].hash, hex);
			p[np].name = gx_arena_printf(a, "content-%.16s.bin", hex);
			err = p[np].name == NULL ? GX_E_NOMEM : gx_push_finish(&out, a, &p[np].data);
			np++;
		} else {
			err = put_away(k, v[i].hash);
		}
		gx_push_release(&out);
		if (err == 0 && (np == MOST || gx_arena_used(a) > BYTES)) {
			err = gx_sc__adopt_bytes(k, "Contents without a message", p, np);
			np = 0;
			gx_arena_reset(a);
		}
	}
	if (err == 0 && np > 0)
		err = gx_sc__adopt_bytes(k, "Contents without a message", p, np);
	gx_arena_free(a);
	return err;
}

static int repair_refs(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = adopt(k, v, n);
	return err != 0 ? err : repair_counts(k, v, n);
}

const struct gx_sc_check gx_sc__content_refs = {
	.subs = ref_subs, .nsubs = N(ref_subs), .find = find_refs, .repair = repair_refs};
