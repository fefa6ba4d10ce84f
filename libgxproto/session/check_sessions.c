/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: found, counted, ended; against a model, and by several threads at once. */
#include <config.h>
#include "tests/gxtest.h"
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include "libgxproto/session/session.h"

enum { IDLE_MS = 1000, MODEL_MOST = 300, USERS = 5, STEPS = 20000, THREADS = 4 };

static struct gx_sessions *r;
static int64_t now_ms;
static unsigned freed;
static const struct gx_sess_limits no_limits;

static int64_t tell(void *ctx)
{
	(void)ctx;
	return now_ms * 1000000;
}

static void count_freed(struct gx_sess *s)
{
	++freed;
	free(s);
}

static void plain_free(struct gx_sess *s)
{
	free(s);
}

static void setup_with(void (*release)(struct gx_sess *s))
{
	static struct gx_clock clock;
	clock = (struct gx_clock){.monotonic_ns = tell};
	const struct gx_sess_kind mailbox = {"mailbox", IDLE_MS, release}, book = {"book", IDLE_MS / 2, release};
	now_ms = 1;
	freed = 0;
	ck_assert_int_eq(gx_sessions__new(&clock, NULL, &r), 0);
	gx_sessions__declare(r, GX_SESS_MAILBOX, &mailbox);
	gx_sessions__declare(r, GX_SESS_ADDRESS_BOOK, &book);
}

static void setup(void)
{
	setup_with(count_freed);
}

static void teardown(void)
{
	gx_sessions__free(r);
}

static int add(unsigned kind, const char *user, const struct gx_sess_limits *l, struct gx_sess **ret_s)
{
	struct gx_sess *s = calloc(1, sizeof(*s));
	int err = gx_sessions__add(r, s, kind, user, l);
	if (err != 0)
		free(s);
	else
		*ret_s = s;
	return err;
}

static struct gx_sess *added(unsigned kind, const char *user)
{
	struct gx_sess *s = NULL;
	ck_assert_int_eq(add(kind, user, &no_limits, &s), 0);
	return s;
}

START_TEST(found_by_its_owner_only)
{
	bool others;
	struct gx_sess *s = added(GX_SESS_MAILBOX, "ann@x");
	struct gx_guid id = s->id, turn, next;
	ck_assert_ptr_eq(gx_sessions__get(r, GX_SESS_MAILBOX, &id, "ANN@x", &others), s);
	ck_assert(!others);
	ck_assert_ptr_null(gx_sessions__get(r, GX_SESS_MAILBOX, &id, "bob@x", &others));
	ck_assert(others);
	ck_assert_ptr_null(gx_sessions__get(r, GX_SESS_ADDRESS_BOOK, &id, "ann@x", &others));
	ck_assert(!others);
	ck_assert_int_eq(gx_sessions__turn(r, s, NULL, &turn), 0);
	ck_assert_int_eq(gx_sessions__turn(r, s, &turn, &next), 0);
	ck_assert_int_ne(gx_guid_cmp(&turn, &next), 0);
	ck_assert_int_eq(gx_sessions__turn(r, s, &turn, &turn), GX_E_STATE);
	ck_assert_int_eq(gx_guid_cmp(&turn, &next), 0);
	/* it ends, and lives for those who hold it */
	gx_sessions__end(r, s);
	gx_sessions__end(r, s);
	ck_assert_ptr_null(gx_sessions__get(r, GX_SESS_MAILBOX, &id, "ann@x", &others));
	ck_assert_uint_eq(gx_sessions__count(r, GX_SESS_MAILBOX), 0);
	gx_sessions__put(r, s);
	ck_assert_uint_eq(freed, 0);
	gx_sessions__put(r, s);
	ck_assert_uint_eq(freed, 1);
	/* and one that nobody holds is gone at once */
	s = added(GX_SESS_MAILBOX, "ann@x");
	gx_sessions__put(r, s);
	gx_sessions__end(r, s);
	ck_assert_uint_eq(freed, 2);
}
END_TEST

START_TEST(limits)
{
	const struct gx_sess_limits own = {.of_user = 2}, people = {.users = 2}, all = {.sessions = 4};
	struct gx_sess *s, *first = added(GX_SESS_MAILBOX, "ann@x");
	gx_sessions__put(r, first);
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "Ann@x", &own, &s), 0);
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "ann@x", &own, &s), GX_E_LIMIT);
	ck_assert_int_eq(add(GX_SESS_ADDRESS_BOOK, "ann@x", &own, &s), 0); /* counted by itself */
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "bob@x", &people, &s), 0);
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "carl@x", &people, &s), GX_E_LIMIT);
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "bob@x", &people, &s), 0);
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "bob@x", &all, &s), GX_E_LIMIT);
	/* time makes room, without anybody's tick: the first one is idle for too long, others are held */
	now_ms += IDLE_MS + 1;
	ck_assert_int_eq(add(GX_SESS_MAILBOX, "bob@x", &all, &s), 0);
	ck_assert_uint_eq(freed, 1);
	ck_assert_uint_eq(gx_sessions__count(r, GX_SESS_MAILBOX), 4);
	ck_assert_uint_eq(gx_sessions__count(r, GX_SESS_ADDRESS_BOOK), 1);
}
END_TEST

static void look(const struct gx_sess *s, int64_t idle_ms, void *ctx)
{
	unsigned *io_n = ctx;
	ck_assert_int_ge(idle_ms, 0);
	ck_assert_uint_ne(strlen(gx_sessions__user(s)), 0);
	++*io_n;
}

/* ---- Random work, and a list that knows what must be ---- */

struct known {
	struct gx_sess *s;
	struct gx_guid id;
	unsigned kind, user, refs;
	int64_t used_ms;
};

static struct known model[MODEL_MOST];
static unsigned known, expected_freed;
static const char *const users[USERS] = {"ann@x", "bob@x", "carl@x", "dora@x", "emil@x"};

static void forget(unsigned i)
{
	expected_freed += model[i].refs == 0;
	model[i] = model[--known];
}

static void model_tick(void)
{
	for (unsigned i = known; i-- > 0;)
		if (model[i].refs == 0 && model[i].used_ms < now_ms - (model[i].kind == GX_SESS_MAILBOX ? IDLE_MS : IDLE_MS / 2))
			forget(i);
	gx_sessions__tick(r);
}

static void step(void)
{
	unsigned i = known == 0 ? 0 : (unsigned)rand() % known, what = (unsigned)rand() % 10;
	bool others;
	if (what < 3 && known < MODEL_MOST) {
		struct known *k = &model[known++];
		*k = (struct known){.kind = (unsigned)rand() % 2, .user = (unsigned)rand() % USERS, .refs = 1, .used_ms = now_ms};
		k->s = added(k->kind, users[k->user]);
		k->id = k->s->id;
	} else if (what == 3) {
		now_ms += rand() % 60;
	} else if (what == 4) {
		model_tick();
	} else if (known == 0) {
		return;
	} else if (what == 5 && model[i].refs == 0) {
		gx_sessions__end(r, model[i].s);
		forget(i);
	} else if (what < 8 && model[i].refs > 0) {
		gx_sessions__put(r, model[i].s);
		--model[i].refs;
		model[i].used_ms = now_ms;
	} else {
		ck_assert_ptr_null(gx_sessions__get(r, model[i].kind, &model[i].id, users[(model[i].user + 1) % USERS], &others));
		ck_assert(others);
		ck_assert_ptr_eq(gx_sessions__get(r, model[i].kind, &model[i].id, users[model[i].user], &others), model[i].s);
		++model[i].refs;
		model[i].used_ms = now_ms;
	}
}

START_TEST(random_work_as_a_model_has_it)
{
	known = expected_freed = 0;
	srand(7);
	for (unsigned n = 0; n < STEPS; ++n) {
		step();
		ck_assert_uint_eq(freed, expected_freed);
		if (n % 500 != 0)
			continue;
		unsigned count[GX_SESS_KINDS] = {0}, seen = 0;
		for (unsigned i = 0; i < known; ++i)
			++count[model[i].kind];
		for (unsigned k = 0; k < GX_SESS_KINDS; ++k) {
			ck_assert_uint_eq(gx_sessions__count(r, k), count[k]);
			gx_sessions__each(r, k, look, &seen);
		}
		ck_assert_uint_eq(seen, known);
	}
	for (unsigned i = 0; i < known; ++i)
		while (model[i].refs-- > 0)
			gx_sessions__put(r, model[i].s);
	gx_sessions__drop(r, GX_SESS_ADDRESS_BOOK);
	ck_assert_uint_eq(gx_sessions__count(r, GX_SESS_ADDRESS_BOOK), 0);
}
END_TEST

/* ---- Several threads ---- */

static void *work(void *ctx)
{
	const char *user = ctx;
	for (unsigned n = 0; n < 300; ++n) {
		struct gx_guid ids[8];
		bool others;
		for (unsigned i = 0; i < 8; ++i) {
			struct gx_sess *s = calloc(1, sizeof(*s));
			if (s == NULL || gx_sessions__add(r, s, i % 2, user, &no_limits) != 0)
				abort();
			ids[i] = s->id;
			gx_sessions__put(r, s);
		}
		for (unsigned i = 0; i < 8; ++i) {
			struct gx_sess *s = gx_sessions__get(r, i % 2, &ids[i], user, &others);
			if (s == NULL)
				abort();
			if (i < 7)
				gx_sessions__end(r, s);
			gx_sessions__put(r, s);
		}
		gx_sessions__tick(r);
	}
	return NULL;
}

START_TEST(many_at_once)
{
	pthread_t t[THREADS];
	gx_sessions__free(r);
	setup_with(plain_free);
	for (unsigned i = 0; i < THREADS; ++i)
		ck_assert_int_eq(pthread_create(&t[i], NULL, work, (void *)(uintptr_t)users[i]), 0);
	for (unsigned i = 0; i < THREADS; ++i)
		pthread_join(t[i], NULL);
	ck_assert_uint_eq(gx_sessions__count(r, GX_SESS_MAILBOX), 0);
	ck_assert_uint_eq(gx_sessions__count(r, GX_SESS_ADDRESS_BOOK), 300 * THREADS);
}
END_TEST

static Suite *sessions_suite(void)
{
	Suite *s = suite_create("sessions");
	TCase *t = tcase_create("sessions");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, found_by_its_owner_only);
	tcase_add_test(t, limits);
	tcase_add_test(t, random_work_as_a_model_has_it);
	tcase_add_test(t, many_at_once);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(sessions_suite)
