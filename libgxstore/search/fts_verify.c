/* SPDX-License-Identifier: Apache-2.0 */
/* The full-text index compared with the messages: the texts of each body are found under it. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/search/fts-int.h"

struct check {
	struct gx_txn *t;
	struct gx_fts *f;
	int (*report)(uint64_t body, const char *text, void *ctx);
	void *ctx;
	struct gx_idlist inner;
	struct gx_push text, query;
};

/* The three characters that begin at @at or behind it, as a term of a query. */
static void add_gram(struct check *k, size_t at)
{
	if (k->text.len == 0)
		return;
	const char *text = (const char *)k->text.data, *end = text + k->text.len, *p = text + at;
	while (p < end && ((uint8_t)*p & 0xc0) == 0x80)
		p++;
	const char *q = p;
	for (int i = 0; i < 3; i++) {
		if (q >= end)
			return;
		gx_utf8_next(&q, end);
	}
	gx_push_str(&k->query, k->query.len == 0 ? "\"" : " AND \"");
	for (; p < q; p++) {
		if (*p == '"')
			gx_push_u8(&k->query, '"');
		gx_push_u8(&k->query, (uint8_t)*p);
	}
	gx_push_u8(&k->query, '"');
}

static int is_found(struct check *k, uint64_t body)
{
	GX_STMT(st, k->f->q, "SELECT 1 FROM words WHERE words MATCH ?1 AND rowid=?2"
		" UNION ALL SELECT 1 FROM always WHERE body=?2"
		" UNION ALL SELECT 1 FROM words WHERE words MATCH ?1 AND rowid IN (SELECT id FROM alias WHERE body=?2) LIMIT 1");
	gx_sql__bind_text(st, 1, (const char *)k->query.data);
	gx_sql__bind_int(st, 2, (int64_t)body);
	return gx_sql__step(st);
}

static int check_body(struct check *k, uint64_t body)
{
	bool whole;
	gx_push_clear(&k->text);
	gx_push_clear(&k->query);
	k->inner.n = 0;
	int err = gx_fts__text(k->t, body, &k->text, &k->inner, &whole);
	if (err == GX_E_NOMEM || err == GX_E_IO)
		return err;
	if (err != 0 || k->text.len == 0) /* damaged ones have a check of their own */
		return 0;
	add_gram(k, 0);
	add_gram(k, k->text.len / 2);
	add_gram(k, k->text.len - (k->text.len < 16 ? k->text.len : 16));
	if (k->query.len == 0)
		return 0;
	gx_push_u8(&k->query, 0);
	err = k->query.err != 0 ? k->query.err : is_found(k, body);
	return err == 0 ? k->report(body, "its text is not in the full-text index", k->ctx) : err < 0 ? err : 0;
}

/* Those that the index says it knows; what changed since is not looked at. */
static int check_bodies(struct check *k)
{
	GX_STMT(st, k->t->q, "SELECT id FROM body WHERE id<=?1 AND id NOT IN (SELECT body FROM ftsq WHERE cn>?2)"
		" AND id NOT IN (SELECT embedded FROM att WHERE embedded<>0) ORDER BY id");
	gx_sql__bind_int(st, 1, (int64_t)k->f->at.body);
	gx_sql__bind_int(st, 2, (int64_t)k->f->at.cn);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = check_body(k, gx_sql__u64(st, 0));
	return err != 0 ? err : r;
}

static int check_file(struct check *k)
{
	GX_STMT(st, k->f->q, "PRAGMA integrity_check(10)");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		const char *text = gx_sql__text(st, 0);
		if (gx_sql__unchecked(text))
			err = GX_E_NOMEM;
		else if (strcmp(text, "ok") != 0)
			err = k->report(0, text, k->ctx);
	}
	return err != 0 ? err : r;
}

int gx_fts__verify(struct gx_txn *t, int (*report)(uint64_t body, const char *text, void *ctx), void *ctx)
{
	struct gx_fts own = {.q = NULL};
	struct check k = {.t = t, .f = &own, .report = report, .ctx = ctx};
	pthread_mutex_lock(&t->s->fts_ask.lock);
	int err = gx_fts__look(t, &own);
	pthread_mutex_unlock(&t->s->fts_ask.lock);
	if (err == GX_E_NOTFOUND)
		return 0;
	if (err == GX_E_FORMAT && own.q != NULL && own.q->err == 0) {
		gx_sql__close(own.q); /* not of this store, or of before a loss: it will be made anew */
		return 0;
	}
	if (err == 0)
		err = check_file(&k);
	if (err == 0)
		err = check_bodies(&k);
	if (err == GX_E_FORMAT || err == GX_E_INTERNAL)
		err = report(0, own.q != NULL ? own.q->why : "the full-text index cannot be opened", ctx);
	gx_sql__close(own.q);
	gx_idlist__release(&k.inner);
	gx_push_release(&k.text);
	gx_push_release(&k.query);
	return err;
}
