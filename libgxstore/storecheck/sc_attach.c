/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments, the messages inside them, and bodies that nobody has. */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const struct gx_store_check_info subs[] = {
	{"attachment-orphan", "body", "an attachment belongs to a message", GX_FINDING_BROKEN, true},
	{"attachment-embedded", "body", "the message inside an attachment is there", GX_FINDING_BROKEN, true},
	{"attachment-shared", "body", "a message inside an attachment is in no other place", GX_FINDING_BROKEN, true},
	{"attachment-cycle", "body", "no message is inside itself", GX_FINDING_BROKEN, true},
};

/* Messages inside others that cannot be reached from one that is not inside another. */
#define CYCLES \
	"WITH RECURSIVE r(id) AS (SELECT embedded FROM att WHERE embedded<>0 AND body NOT IN" \
	" (SELECT embedded FROM att WHERE embedded<>0)" \
	" UNION SELECT a.embedded FROM att a JOIN r ON a.body=r.id WHERE a.embedded<>0)" \
	" SELECT DISTINCT embedded FROM att WHERE embedded<>0 AND embedded NOT IN (SELECT id FROM r) ORDER BY embedded"

static const struct {
	const char *find, *text;
} queries[] = {
	{"SELECT body,COUNT(*) FROM att WHERE body NOT IN (SELECT id FROM body) GROUP BY body",
		"attachments of a message that is not there"},
	{"SELECT body,embedded FROM att WHERE embedded<>0 AND embedded NOT IN (SELECT id FROM body)",
		"an attachment of it holds a message that is not there"},
	{"SELECT embedded,COUNT(*) FROM att WHERE embedded<>0 GROUP BY embedded HAVING COUNT(*)>1 OR embedded IN (SELECT "
	 "body FROM msg)",
		"is in more than one place"},
	{CYCLES, "is inside itself"},
};

static int find(struct gx_sc *k)
{
	int err = 0;
	for (unsigned i = 0; err == 0 && i < N(queries); i++) {
		GX_STMT(st, k->q, queries[i].find);
		int r = 0;
		while (err == 0 && (r = gx_sql__step(st)) > 0)
			err = gx_sc__say(k, i, gx_sql__u64(st, 0), "body %llx: %s", (unsigned long long)gx_sql__u64(st, 0), queries[i].text);
		err = err != 0 ? err : r;
	}
	return err;
}

static int cut(struct gx_sc *k, uint64_t embedded)
{
	int err = gx_sc__set_aside(k, "att", "embedded=?1", embedded);
	return err != 0 ? err : gx_sc__run(k, "UPDATE att SET embedded=0 WHERE embedded=?1", embedded, 0);
}

/* Is @body inside @outer, at whatever depth? */
static int is_inside(struct gx_sc *k, uint64_t body, uint64_t outer, bool *ret_inside)
{
	GX_STMT(st, k->q,
		"WITH RECURSIVE r(id) AS (SELECT ?2 UNION SELECT a.embedded FROM att a JOIN r ON a.body=r.id WHERE a.embedded<>0)"
		" SELECT 1 FROM r WHERE id=?1");
	gx_sql__bind_int(st, 1, (int64_t)body);
	gx_sql__bind_int(st, 2, (int64_t)outer);
	int r = gx_sql__step(st);
	*ret_inside = r > 0;
	return r < 0 ? r : 0;
}

struct place {
	uint64_t body;
	int64_t num;
};

static int places_of(struct gx_sc *k, uint64_t embedded, struct place **ret_v, size_t *ret_n)
{
	GX_STMT(st, k->q, "SELECT body,num FROM att WHERE embedded=?1 ORDER BY body,num");
	struct place *v = NULL;
	size_t n = 0, cap = 0;
	int r;
	gx_sql__bind_int(st, 1, (int64_t)embedded);
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(k->a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n++] = (struct place){gx_sql__u64(st, 0), gx_sql__int(st, 1)};
	}
	*ret_v = v;
	*ret_n = n;
	return r;
}

/* Each place but one gets a copy of its own; a place inside the message itself gets none. */
static int part(struct gx_sc *k, uint64_t embedded)
{
	struct place *v;
	size_t n;
	int64_t owned = 0;
	int err = gx_sc__number(k, "SELECT 1 FROM msg WHERE " GX_SC_OF_BODY("?1") " LIMIT 1", embedded, &owned);
	if (err == 0)
		err = places_of(k, embedded, &v, &n);
	for (size_t i = 0; err == 0 && i < n; i++) {
		bool inside;
		uint64_t copy = 0;
		err = is_inside(k, v[i].body, embedded, &inside);
		if (err == 0 && !inside && !owned) {
			owned = 1; /* this one keeps it */
			continue;
		}
		if (err == 0 && !inside) {
			copy = gx_txn__new_id(k->t);
			err = gx_body__copy_rows(k->t, embedded, copy);
		}
		if (err != 0)
			return err;
		GX_STMT(st, k->q, "UPDATE att SET embedded=?3 WHERE body=?1 AND num=?2");
		gx_sql__bind_int(st, 1, (int64_t)v[i].body);
		gx_sql__bind_int(st, 2, v[i].num);
		gx_sql__bind_int(st, 3, (int64_t)copy);
		err = gx_sql__run(st);
	}
	return err;
}

static int open_cycles(struct gx_sc *k)
{
	for (;;) {
		int64_t first = 0;
		int err = gx_sc__number(k, CYCLES, 0, &first);
		if (err != 0 || first == 0)
			return err;
		err = cut(k, (uint64_t)first);
		if (err != 0)
			return err;
	}
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 0:
			err = gx_sc__set_aside(k, "att", "body=?1", v[i].object);
			err = err != 0 ? err : gx_sc__run(k, "DELETE FROM att WHERE body=?1", v[i].object, 0);
			break;
		case 1:
			err = gx_sc__run(k,
				"UPDATE att SET embedded=0 WHERE body=?1 AND embedded NOT IN (SELECT id FROM body)",
				v[i].object, 0);
			break;
		case 2:
			err = part(k, v[i].object);
			break;
		default:
			err = open_cycles(k);
		}
	return err;
}

const struct gx_sc_check gx_sc__attachments = {.subs = subs, .nsubs = N(subs), .find = find, .repair = repair};

/* ---- Bodies without a message ---- */

static const struct gx_store_check_info orphan_subs[] = {
	{"body-orphan", "body", "a message's text and attachments belong to a message", GX_FINDING_BROKEN, true},
};

static int find_orphans(struct gx_sc *k)
{
	GX_STMT(st, k->q, "SELECT id FROM body b WHERE NOT EXISTS(SELECT 1 FROM msg WHERE " GX_SC_OF_BODY("b.id") ")"
		" AND id NOT IN (SELECT embedded FROM att WHERE embedded IS NOT NULL)"
		" AND id NOT IN (SELECT body FROM shared WHERE refs=0)"); /* kept for an instance, pins.c */
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_sc__say(k, 0, gx_sql__u64(st, 0), "body %llx is in no folder", (unsigned long long)gx_sql__u64(st, 0));
	return err != 0 ? err : r;
}

static int repair_orphans(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = gx_sc__adopt_body(k, v[i].object);
	return err;
}

const struct gx_sc_check gx_sc__body_orphans = {
	.subs = orphan_subs, .nsubs = N(orphan_subs), .find = find_orphans, .repair = repair_orphans};
