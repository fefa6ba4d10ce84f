/* SPDX-License-Identifier: Apache-2.0 */
/* What messages consist of: everything that is encoded can be decoded, everything that refers finds. */
#include <config.h>
#include <stdlib.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))
#define DEPTH_MAX 64U

static const struct gx_store_check_info subs[] = {
	{"body-props", "body", "properties of a message can be read", GX_FINDING_BROKEN, true},
	{"body-recipients", "body", "recipients of a message can be read", GX_FINDING_BROKEN, true},
	{"body-skeleton", "body", "the original of a message is described soundly", GX_FINDING_BROKEN, true},
	{"body-values", "body", "values that a message keeps elsewhere are there", GX_FINDING_BROKEN, true},
	{"attachment-props", "body", "properties of attachments can be read", GX_FINDING_BROKEN, true},
};

struct walk {
	struct gx_sc *k;
	struct gx_arena *a;   /* of one outer body */
	uint64_t outer;
	struct gx_skel skel;
	bool have_skel, values_told;
};

static int bad_values(struct walk *w)
{
	if (w->values_told)
		return 0;
	w->values_told = true;
	return gx_sc__say(w->k, 3, w->outer, "body %llx: a value lies outside of its message", (unsigned long long)w->outer);
}

/* 0 fine, 1 not. */
static int check_row(struct walk *w, struct gx_bin row, bool *ret_damaged)
{
	struct gx_proplist l = {0};
	int err = gx_prow_unpack(w->a, row.data, row.len, &l);
	*ret_damaged = err != 0;
	if (err == GX_E_NOMEM)
		return err;
	for (size_t i = 0; err == 0 && w->have_skel && i < l.count; i++)
		if ((l.v[i].tag & GX_PROW_EXTERN) && gx_extern__check(l.v[i].v.bin, &w->skel) != 0)
			return bad_values(w);
	return 0;
}

static int check_rcpts(struct walk *w, uint64_t id, struct gx_bin b)
{
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	uint64_t count = b.len == 0 ? 0 : gx_pull_varint(&c);
	size_t n = gx_pull_count(&c, count, 1);
	bool damaged = false;
	int err = 0;
	for (size_t i = 0; err == 0 && !damaged && i < n; i++) {
		size_t len = (size_t)gx_pull_varint(&c);
		const uint8_t *p = gx_pull_bytes(&c, len);
		damaged = p == NULL;
		if (p != NULL)
			err = check_row(w, (struct gx_bin){p, len}, &damaged);
	}
	if (err != 0 || (!damaged && c.err == 0))
		return err;
	return gx_sc__say(w->k, 1, id, "body %llx: its recipients are damaged", (unsigned long long)id);
}

static int check_body(struct walk *w, uint64_t id, unsigned depth);

static int check_atts(struct walk *w, uint64_t id, unsigned depth)
{
	GX_STMT(st, w->k->q, "SELECT num,props,embedded FROM att WHERE body=?1");
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		bool damaged;
		err = check_row(w, gx_sql__blob(st, 1), &damaged);
		if (err == 0 && damaged)
			err = gx_sc__say(w->k, 4, id, "body %llx: attachment %lld is damaged", (unsigned long long)id,
				(long long)gx_sql__int(st, 0));
		if (err == 0 && gx_sql__int(st, 2) != 0)
			err = check_body(w, gx_sql__u64(st, 2), depth + 1);
	}
	return err != 0 ? err : r;
}

static int check_rows(struct walk *w, uint64_t id, unsigned depth, struct gx_bin props, struct gx_bin rcpts)
{
	bool damaged;
	int err = check_row(w, props, &damaged);
	if (err == 0 && damaged)
		err = gx_sc__say(w->k, 0, id, "body %llx: its properties are damaged", (unsigned long long)id);
	if (err == 0)
		err = check_rcpts(w, id, rcpts);
	return err != 0 ? err : check_atts(w, id, depth);
}

/* One that is inside the outer one. */
static int check_body(struct walk *w, uint64_t id, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return bad_values(w);
	GX_STMT(st, w->k->q, "SELECT props,rcpts FROM body WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)id);
	int r = gx_sql__step(st);
	return r <= 0 ? r : check_rows(w, id, depth, gx_sql__blob(st, 0), gx_sql__blob(st, 1));
}

static int check_skeleton(struct walk *w, uint64_t id, struct gx_bin b)
{
	struct gx_cio *cio = w->k->t->c->cio;
	int err = gx_skel__parse(w->a, b, &w->skel);
	if (err == 0) {
		gx_push_clear(&cio->literals);
		err = gx_pack__unpack(cio->dctx, w->skel.lit_comp, w->skel.lit, w->skel.lit_len, &cio->literals);
	}
	w->have_skel = err == 0;
	if (err == 0 || err == GX_E_NOMEM)
		return err;
	return gx_sc__say(w->k, 2, id, "body %llx: the description of its original is damaged", (unsigned long long)id);
}

static int find(struct gx_sc *k)
{
	GX_STMT(st, k->q,
		"SELECT id,props,rcpts,skeleton FROM body WHERE id NOT IN (SELECT embedded FROM att WHERE embedded<>0)");
	struct gx_arena *a = gx_arena_new(0);
	int r = a == NULL ? GX_E_NOMEM : 0, err = 0;
	while (a != NULL && err == 0 && (r = gx_sql__step(st)) > 0) {
		struct walk w = {.k = k, .a = a, .outer = gx_sql__u64(st, 0)};
		gx_arena_reset(a);
		err = check_skeleton(&w, w.outer, gx_sql__blob(st, 3));
		if (err == 0)
			err = check_rows(&w, w.outer, 0, gx_sql__blob(st, 1), gx_sql__blob(st, 2));
	}
	gx_arena_free(a);
	return err != 0 ? err : r;
}

/* What was told of a message inside another one is mended from the outermost. */
static int outermost(struct gx_sc *k, uint64_t id, uint64_t *ret_id)
{
	for (unsigned depth = 0; depth <= DEPTH_MAX; depth++) {
		int64_t up = 0;
		int err = gx_sc__number(k, "SELECT body FROM att WHERE embedded=?1", id, &up);
		if (err != 0)
			return err;
		if (up == 0)
			break;
		id = (uint64_t)up;
	}
	*ret_id = id;
	return 0;
}

static int by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;
	return (*a > *b) - (*a < *b);
}

/* Each outermost body once: what is inside it gets new ids. */
static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	uint64_t *ids = gx_arena_new_array(k->a, uint64_t, n);
	int err = ids == NULL ? GX_E_NOMEM : 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = outermost(k, v[i].object, &ids[i]);
	if (err == 0)
		qsort(ids, n, sizeof(*ids), by_number);
	for (size_t i = 0; err == 0 && i < n; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			err = gx_sc__rebuild_body(k, ids[i]);
	return err;
}

const struct gx_sc_check gx_sc__body_rows = {.subs = subs, .nsubs = N(subs), .find = find, .repair = repair};
