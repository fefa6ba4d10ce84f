/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/search.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/fts-int.h"

/* Questions to the index: texts to trigrams, restrictions to texts, bodies to messages. */

#define GRAMS_MAX 48U      /* more than these hardly leave out anything else */
/* For the index to catch up with the store. Looking at a message costs less than indexing it: more is for the background. */
#define WAIT_MS 10
#define RUN 256U /* candidates that are looked up by a pass over the messages when they stand close together */
#define ALIAS_BASE (INT64_C(1) << 60)

int gx_store_index(struct gx_store *s, int budget_ms, bool *ret_done)
{
	*ret_done = true;
	return s->no_index ? 0 : gx_fts__catch_up(s, budget_ms, true, ret_done);
}

/* ---- Texts ---- */

/* Appends "abc" AND "bcd" ...; 0 when the text is too short. */
static unsigned add_grams(const char *text, struct gx_push *query, unsigned have)
{
	struct gx_push form = GX_PUSH_INIT;
	unsigned n = 0;
	gx_fuzzy_form(text, strlen(text), &form);
	const char *s = (const char *)form.data, *end = form.len != 0 ? s + form.len : s;
	while (s < end && have + n < GRAMS_MAX) {
		const char *p = s;
		gx_utf8_next(&s, end); /* where the next one begins */
		const char *q = s;
		if (q < end)
			gx_utf8_next(&q, end);
		if (q >= end)
			break;
		gx_utf8_next(&q, end);
		gx_push_str(query, have + n == 0 ? "\"" : " AND \"");
		for (; p < q; p++) {
			if (*p == '"')
				gx_push_u8(query, '"');
			gx_push_u8(query, (uint8_t)*p);
		}
		gx_push_u8(query, '"');
		n++;
	}
	if (form.err != 0)
		gx_push_fail(query, form.err);
	gx_push_release(&form);
	return n;
}

static int real_body(struct gx_fts *f, int64_t row, uint64_t *ret_body)
{
	*ret_body = (uint64_t)row;
	if (row < ALIAS_BASE)
		return 0;
	GX_STMT(st, f->q, "SELECT body FROM alias WHERE id=?1");
	gx_sql__bind_int(st, 1, row);
	int r = gx_sql__step(st);
	*ret_body = r > 0 ? gx_sql__u64(st, 0) : 0;
	return r < 0 ? r : 0;
}

static int collect(struct gx_fts *f, struct gx_stmt *st, struct gx_idlist *l)
{
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		uint64_t body;
		int err = real_body(f, gx_sql__int(st, 0), &body);
		if (err == 0)
			err = gx_idlist__add(l, body);
		if (err != 0)
			return err;
	}
	return r;
}

static int ask_words(struct gx_fts *f, const char *query, struct gx_idlist *l)
{
	GX_STMT(st, f->q, "SELECT rowid FROM words WHERE words MATCH ?1");
	gx_sql__bind_text(st, 1, query);
	int err = collect(f, st, l);
	if (err != 0)
		return err;
	GX_STMT(always, f->q, "SELECT body FROM always");
	return collect(f, always, l);
}

/* What the index says, and up to where it knows. */
static int ask(struct gx_txn *t, const char *query, struct gx_idlist *l, uint64_t *ret_body, uint64_t *ret_cn)
{
	struct gx_fts *f = &t->s->fts_ask;
	pthread_mutex_lock(&f->lock);
	int err = gx_fts__look(t, f);
	if (err == 0)
		err = ask_words(f, query, l);
	*ret_body = f->at.body;
	*ret_cn = f->at.cn;
	if (f->q != NULL && (gx_sql__rollback(f->q) != 0 || err != 0)) {
		gx_sql__close(f->q);
		f->q = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	return err;
}

/* What the transaction sees and the index does not know. A body is of the message of its id, or was made later than that or its copies. */
static int add_unknown(struct gx_txn *t, uint64_t body, uint64_t cn, struct gx_idlist *l)
{
	GX_STMT(st, t->q, "SELECT mid FROM msg WHERE mid>?1 AND body=mid"
		" UNION ALL SELECT body FROM msg WHERE body>?1 AND body<>mid UNION ALL SELECT body FROM ftsq WHERE cn>?2");
	gx_sql__bind_int(st, 1, (int64_t)body);
	gx_sql__bind_int(st, 2, (int64_t)cn);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int err = gx_idlist__add(l, gx_sql__u64(st, 0));
		if (err != 0)
			return err;
	}
	return r;
}

int gx_fts__find(struct gx_txn *t, const char *const *texts, size_t n, struct gx_idlist *l, bool *ret_all)
{
	struct gx_push query = GX_PUSH_INIT;
	uint64_t body = 0, cn = 0;
	unsigned grams = 0;
	bool done;
	for (size_t i = 0; i < n; i++)
		grams += add_grams(texts[i], &query, grams);
	gx_push_u8(&query, 0);
	*ret_all = grams == 0 || t->s->no_index || query.err != 0;
	int err = 0;
	if (!*ret_all) {
		/* Without an answer everything is a candidate: slower, but right. */
		(void)!gx_fts__catch_up(t->s, WAIT_MS, false, &done);
		*ret_all = ask(t, (const char *)query.data, l, &body, &cn) != 0;
		if (!*ret_all)
			err = add_unknown(t, body, cn, l);
	}
	gx_push_release(&query);
	if (err == 0 && !*ret_all)
		gx_idlist__sort(l);
	return err;
}

/* ---- Bodies to messages ---- */

static int add_messages(struct gx_txn *t, uint64_t fid, uint64_t body, struct gx_idlist *l)
{
	GX_STMT(st, t->q, "SELECT mid,fid FROM msg WHERE mid=?1 AND body=?1 UNION ALL SELECT mid,fid FROM msg WHERE body=?1 AND body<>mid");
	gx_sql__bind_int(st, 1, (int64_t)body);
	int r;
	while ((r = gx_sql__step(st)) > 0)
		if (fid == 0 || gx_sql__u64(st, 1) == fid) {
			int err = gx_idlist__add(l, gx_sql__u64(st, 0));
			if (err != 0)
				return err;
		}
	return r;
}

/* The same for all of @bodies, by passing over what lies between the first and the last. */
static int add_run(struct gx_txn *t, uint64_t fid, const struct gx_idlist *bodies, struct gx_idlist *l)
{
	GX_STMT(st, t->q, "SELECT mid,fid,body FROM msg WHERE mid BETWEEN ?1 AND ?2 AND body=mid"
		" UNION ALL SELECT mid,fid,body FROM msg WHERE body BETWEEN ?1 AND ?2 AND body<>mid");
	gx_sql__bind_int(st, 1, (int64_t)bodies->v[0]);
	gx_sql__bind_int(st, 2, (int64_t)bodies->v[bodies->n - 1]);
	int r;
	while ((r = gx_sql__step(st)) > 0)
		if ((fid == 0 || gx_sql__u64(st, 1) == fid) && gx_idlist__has(bodies, gx_sql__u64(st, 2))) {
			int err = gx_idlist__add(l, gx_sql__u64(st, 0));
			if (err != 0)
				return err;
		}
	return r;
}

static int to_messages(struct gx_txn *t, uint64_t fid, const struct gx_idlist *bodies, struct gx_arena *a, struct gx_candidates *ret_c)
{
	struct gx_idlist l = {0};
	int err = 0;
	for (size_t i = 0, n; err == 0 && i < bodies->n; i += n) {
		const struct gx_idlist run = {.v = bodies->v + i, .n = RUN};
		n = bodies->n - i >= RUN && run.v[RUN - 1] - run.v[0] < 4 * RUN ? RUN : 1;
		err = n == RUN ? add_run(t, fid, &run, &l) : add_messages(t, fid, bodies->v[i], &l);
	}
	gx_idlist__sort(&l);
	uint64_t *v = err == 0 ? gx_arena_memdup(a, l.v, l.n * sizeof(*v)) : NULL;
	if (err == 0 && v == NULL)
		err = GX_E_NOMEM;
	*ret_c = (struct gx_candidates){.mids = v, .n = l.n};
	gx_idlist__release(&l);
	return err;
}

static gx_ec answer(struct gx_txn *t, uint64_t fid, int err, bool all, struct gx_idlist *bodies, struct gx_arena *a, struct gx_candidates *ret_c)
{
	*ret_c = (struct gx_candidates){.all = all};
	if (err == 0 && !all)
		err = to_messages(t, fid, bodies, a, ret_c);
	gx_idlist__release(bodies);
	return gx_txn__ec(t, err);
}

gx_ec gx_search_texts(struct gx_txn *t, uint64_t fid, const char *const *texts, size_t n, struct gx_arena *a, struct gx_candidates *ret_c)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->search_texts(t, fid, texts, n, a, ret_c);
	struct gx_idlist bodies = {0};
	bool all = true;
	int err = gx_fts__find(t, texts, n, &bodies, &all);
	return answer(t, fid, err, all, &bodies, a, ret_c);
}

bool gx_candidates_have(const struct gx_candidates *c, uint64_t mid)
{
	const struct gx_idlist l = {.v = (uint64_t *)c->mids, .n = c->n};
	return c->all || gx_idlist__has(&l, mid);
}

/* ---- Restrictions ---- */

/* Is everything that the property can hold in the index? */
static bool indexed(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagSubject, PidTagNormalizedSubject, PidTagBody, PidTagHtml, PidTagSenderName, PidTagSenderEmailAddress,
		PidTagSenderSmtpAddress, PidTagSentRepresentingName, PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress,
		PidTagDisplayTo, PidTagDisplayCc, PidTagDisplayBcc, PidTagTransportMessageHeaders, PidTagAttachLongFilename,
		PidTagAttachFilename, PidTagSmtpAddress, PidTagEmailAddress, PidTagDisplayName,
	};
	uint16_t type = GX_PROP_TYPE(tag);
	if (type != PtypString && type != PtypString8)
		return false;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

struct set {
	bool all;
	struct gx_idlist l;
};

static int restr_set(struct gx_txn *t, const struct gx_restr *r, unsigned depth, struct set *ret_s);

static void intersect(struct set *x, struct set *y)
{
	if (y->all)
		return;
	if (x->all) {
		gx_idlist__release(&x->l);
		*x = *y;
		*y = (struct set){0};
		return;
	}
	size_t k = 0;
	for (size_t i = 0; i < x->l.n; i++)
		if (gx_idlist__has(&y->l, x->l.v[i]))
			x->l.v[k++] = x->l.v[i];
	x->l.n = k;
}

static int unite(struct set *x, const struct set *y)
{
	x->all = x->all || y->all;
	for (size_t i = 0; !x->all && i < y->l.n; i++) {
		int err = gx_idlist__add(&x->l, y->l.v[i]);
		if (err != 0)
			return err;
	}
	gx_idlist__sort(&x->l);
	return 0;
}

static int list_set(struct gx_txn *t, const struct gx_restr *r, unsigned depth, struct set *s)
{
	s->all = r->type == RES_AND;
	for (uint32_t i = 0; i < r->u.list.count; i++) {
		struct set sub = {0};
		int err = restr_set(t, &r->u.list.v[i], depth + 1, &sub);
		if (err == 0 && r->type == RES_AND)
			intersect(s, &sub);
		else if (err == 0)
			err = unite(s, &sub);
		gx_idlist__release(&sub.l);
		if (err != 0)
			return err;
	}
	return 0;
}

static int text_set(struct gx_txn *t, gx_proptag_t tag, const struct gx_propval *val, struct set *s)
{
	uint16_t type = GX_PROP_TYPE(val->tag);
	/* Lists of names are computed from the single ones. */
	bool list = (GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayTo) || GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayCc) ||
		GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayBcc)) && (type == PtypString || type == PtypString8) && strchr(val->v.str, ';') != NULL;
	s->all = list || !indexed(tag) || (type != PtypString && type != PtypString8);
	return s->all ? 0 : gx_fts__find(t, &val->v.str, 1, &s->l, &s->all);
}

static int restr_set(struct gx_txn *t, const struct gx_restr *r, unsigned depth, struct set *s)
{
	s->all = true;
	if (r == NULL || depth > GX_RESTR_MAX_DEPTH)
		return 0;
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		return list_set(t, r, depth, s);
	case RES_CONTENT:
		return text_set(t, r->u.content.tag, &r->u.content.val, s);
	case RES_PROPERTY:
		return r->u.prop.relop == RELOP_EQ ? text_set(t, r->u.prop.tag, &r->u.prop.val, s) : 0;
	case RES_SUBRESTRICTION:
		return restr_set(t, r->u.sub.sub, depth + 1, s);
	case RES_COMMENT:
	case RES_ANNOTATION:
		return restr_set(t, r->u.comment.sub, depth + 1, s);
	case RES_COUNT:
		return restr_set(t, r->u.count.sub, depth + 1, s);
	default:
		return 0;
	}
}

gx_ec gx_search_restr(struct gx_txn *t, uint64_t fid, const struct gx_restr *r, struct gx_arena *a, struct gx_candidates *ret_c)
{
	struct set s = {0};
	int err = restr_set(t, r, 0, &s);
	return answer(t, fid, err, s.all, &s.l, a, ret_c);
}
