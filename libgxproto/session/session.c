/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions by their ids. The table is in parts with a lock each, since every request comes by here; ids are random, so that part and
 * place are bits of them. Those that nobody holds stand in the order in which they were let go, each kind by itself as each has a time of
 * its own.
 */
#include <config.h>
#include <pthread.h>
#include <stdlib.h>
#include <gx/base.h>
#include "libgxproto/session/users.h"

enum { PARTS = 64, BUCKETS_FIRST = 8 };

struct queue {
	struct gx_sess *oldest, *newest;
};

struct part {
	pthread_mutex_t lock;
	struct gx_sess **v;
	uint32_t buckets, n; /* a power of two; of sessions */
	struct queue idle[GX_SESS_KINDS];
};

struct gx_sessions {
	const struct gx_clock *clock;
	const struct gx_log *log;
	struct gx_sess_kind kinds[GX_SESS_KINDS];
	struct gx_sess_users *users;
	struct part parts[PARTS];
};

static struct part *part_of(struct gx_sessions *r, const struct gx_guid *id)
{
	return &r->parts[id->d1 % PARTS];
}

static struct gx_sess **bucket_of(const struct part *p, const struct gx_guid *id)
{
	return &p->v[id->d1 / PARTS & (p->buckets - 1)];
}

int gx_sessions__new(const struct gx_clock *clock, const struct gx_log *log, struct gx_sessions **ret_r)
{
	struct gx_sessions *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return GX_E_NOMEM;
	r->clock = clock;
	r->log = log;
	int err = gx_sess_users__new(&r->users);
	unsigned n = 0;
	for (; n < PARTS && err == 0; ++n) {
		struct part *p = &r->parts[n];
		p->buckets = BUCKETS_FIRST;
		p->v = calloc(p->buckets, sizeof(*p->v));
		if (p->v == NULL || pthread_mutex_init(&p->lock, NULL) != 0) {
			free(p->v);
			err = GX_E_NOMEM;
			break;
		}
	}
	if (err == 0) {
		*ret_r = r;
		return 0;
	}
	while (n-- > 0) {
		pthread_mutex_destroy(&r->parts[n].lock);
		free(r->parts[n].v);
	}
	gx_sess_users__free(r->users);
	free(r);
	return err;
}

void gx_sessions__declare(struct gx_sessions *r, unsigned kind, const struct gx_sess_kind *k)
{
	r->kinds[kind] = *k;
}

/* ---- With the lock of the part ---- */

static void take_from_queue(struct part *p, struct gx_sess *s)
{
	struct queue *q = &p->idle[s->kind];
	*(s->older != NULL ? &s->older->newer : &q->oldest) = s->newer;
	*(s->newer != NULL ? &s->newer->older : &q->newest) = s->older;
	s->older = s->newer = NULL;
}

static void put_into_queue(struct part *p, struct gx_sess *s)
{
	struct queue *q = &p->idle[s->kind];
	s->older = q->newest;
	s->newer = NULL;
	*(q->newest != NULL ? &q->newest->newer : &q->oldest) = s;
	q->newest = s;
}

/* Without memory the chains grow longer. */
static void grow(struct part *p)
{
	struct part wide = {.buckets = p->buckets * 2};
	wide.v = calloc(wide.buckets, sizeof(*wide.v));
	if (wide.v == NULL)
		return;
	for (uint32_t i = 0; i < p->buckets; ++i)
		for (struct gx_sess *s = p->v[i], *next; s != NULL; s = next) {
			struct gx_sess **at = bucket_of(&wide, &s->id);
			next = s->next;
			s->next = *at;
			*at = s;
		}
	free(p->v);
	p->v = wide.v;
	p->buckets = wide.buckets;
}

static void enlist(struct part *p, struct gx_sess *s)
{
	if (p->n >= p->buckets)
		grow(p);
	struct gx_sess **at = bucket_of(p, &s->id);
	s->next = *at;
	*at = s;
	++p->n;
}

static void unlist(struct part *p, struct gx_sess *s)
{
	struct gx_sess **at = bucket_of(p, &s->id);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	--p->n;
	s->ended = true;
	if (s->refs == 0)
		take_from_queue(p, s);
}

/* ---- Ends ---- */

void gx_sessions__end(struct gx_sessions *r, struct gx_sess *s)
{
	struct part *p = part_of(r, &s->id);
	pthread_mutex_lock(&p->lock);
	bool was = s->ended;
	if (!was)
		unlist(p, s);
	bool last = !was && s->refs == 0;
	struct gx_sess_user *user = s->user;
	unsigned kind = s->kind;
	pthread_mutex_unlock(&p->lock);
	if (last)
		r->kinds[kind].free(s);
	if (!was)
		gx_sess_users__leave(r->users, kind, user);
}

/* The one that was let go before all others, if that was before @before. */
static struct gx_sess *take_oldest(struct part *p, unsigned kind, int64_t before)
{
	pthread_mutex_lock(&p->lock);
	struct gx_sess *s = p->idle[kind].oldest;
	if (s != NULL && atomic_load(&s->used_ms) < before)
		unlist(p, s);
	else
		s = NULL;
	pthread_mutex_unlock(&p->lock);
	return s;
}

static void end_idle(struct gx_sessions *r, struct part *p, unsigned kind, int64_t before)
{
	const struct gx_sess_kind *k = &r->kinds[kind];
	for (struct gx_sess *s; (s = take_oldest(p, kind, before)) != NULL;) {
		gx_log(r->log, GX_LOG_INFO, "%s: session of %s was idle for too long", k->name, s->user->name);
		gx_sess_users__leave(r->users, kind, s->user);
		k->free(s);
	}
}

void gx_sessions__tick(struct gx_sessions *r)
{
	int64_t now = gx_clock_mono_ms(r->clock);
	for (unsigned kind = 0; kind < GX_SESS_KINDS; ++kind)
		for (unsigned i = 0; i < PARTS; ++i)
			end_idle(r, &r->parts[i], kind, now - r->kinds[kind].idle_ms);
}

/* Any of the kind, or NULL; @io_b is where to look from. */
static struct gx_sess *take_any(struct part *p, unsigned kind, uint32_t *io_b)
{
	struct gx_sess *s = NULL;
	pthread_mutex_lock(&p->lock);
	for (; s == NULL && *io_b < p->buckets; *io_b += s == NULL)
		for (s = p->v[*io_b]; s != NULL && s->kind != kind;)
			s = s->next;
	if (s != NULL)
		unlist(p, s);
	pthread_mutex_unlock(&p->lock);
	return s;
}

void gx_sessions__drop(struct gx_sessions *r, unsigned kind)
{
	for (unsigned i = 0; i < PARTS; ++i) {
		uint32_t b = 0;
		for (struct gx_sess *s; (s = take_any(&r->parts[i], kind, &b)) != NULL;) {
			gx_sess_users__leave(r->users, kind, s->user);
			r->kinds[kind].free(s);
		}
	}
}

void gx_sessions__free(struct gx_sessions *r)
{
	if (r == NULL)
		return;
	for (unsigned kind = 0; kind < GX_SESS_KINDS; ++kind)
		gx_sessions__drop(r, kind);
	for (unsigned i = 0; i < PARTS; ++i) {
		pthread_mutex_destroy(&r->parts[i].lock);
		free(r->parts[i].v);
	}
	gx_sess_users__free(r->users);
	free(r);
}

/* ---- Use ---- */

/* Where there is no room, those whose time is over and whom nobody has looked at since make some. */
static int enter(struct gx_sessions *r, unsigned kind, const char *user, const struct gx_sess_limits *l, struct gx_sess_user **ret_w)
{
	int err = gx_sess_users__enter(r->users, kind, user, l, ret_w);
	if (err != GX_E_LIMIT)
		return err;
	gx_sessions__tick(r);
	return gx_sess_users__enter(r->users, kind, user, l, ret_w);
}

int gx_sessions__add(struct gx_sessions *r, struct gx_sess *s, unsigned kind, const char *user, const struct gx_sess_limits *l)
{
	static const struct gx_guid none;
	bool has_id = gx_guid_cmp(&s->id, &none) != 0;
	int err = has_id ? 0 : gx_guid_random(&s->id);
	if (err == 0 && !has_id)
		err = gx_guid_random(&s->turn);
	if (err == 0)
		err = enter(r, kind, user, l, &s->user);
	if (err != 0)
		return err;
	struct part *p = part_of(r, &s->id);
	s->kind = (uint8_t)kind;
	s->refs = 1;
	s->ended = false;
	s->older = s->newer = NULL;
	atomic_store(&s->used_ms, gx_clock_mono_ms(r->clock));
	pthread_mutex_lock(&p->lock);
	enlist(p, s);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

struct gx_sess *gx_sessions__get(struct gx_sessions *r, unsigned kind, const struct gx_guid *id, const char *user, bool *ret_others)
{
	struct part *p = part_of(r, id);
	int64_t now = gx_clock_mono_ms(r->clock);
	pthread_mutex_lock(&p->lock);
	struct gx_sess *s = *bucket_of(p, id);
	while (s != NULL && (s->kind != kind || gx_guid_cmp(&s->id, id) != 0))
		s = s->next;
	*ret_others = s != NULL && !gx_sess_user__is(s->user, user);
	if (*ret_others)
		s = NULL;
	if (s != NULL && s->refs++ == 0)
		take_from_queue(p, s);
	if (s != NULL)
		atomic_store(&s->used_ms, now);
	pthread_mutex_unlock(&p->lock);
	return s;
}

int gx_sessions__turn(struct gx_sessions *r, struct gx_sess *s, const struct gx_guid *turn, struct gx_guid *ret_turn)
{
	struct part *p = part_of(r, &s->id);
	struct gx_guid next;
	int err = turn != NULL ? gx_guid_random(&next) : 0;
	if (err != 0)
		return err;
	pthread_mutex_lock(&p->lock);
	if (turn != NULL && gx_guid_cmp(turn, &s->turn) != 0)
		err = GX_E_STATE;
	else if (turn != NULL)
		s->turn = next;
	*ret_turn = s->turn;
	pthread_mutex_unlock(&p->lock);
	return err;
}

void gx_sessions__put(struct gx_sessions *r, struct gx_sess *s)
{
	struct part *p = part_of(r, &s->id);
	int64_t now = gx_clock_mono_ms(r->clock);
	pthread_mutex_lock(&p->lock);
	bool free_now = --s->refs == 0;
	atomic_store(&s->used_ms, now);
	if (free_now && !s->ended) {
		put_into_queue(p, s);
		free_now = false;
	}
	pthread_mutex_unlock(&p->lock);
	if (free_now)
		r->kinds[s->kind].free(s);
}

const char *gx_sessions__user(const struct gx_sess *s)
{
	return s->user->name;
}

unsigned gx_sessions__count(struct gx_sessions *r, unsigned kind)
{
	return gx_sess_users__sessions(r->users, kind);
}

void gx_sessions__each(struct gx_sessions *r, unsigned kind, void (*fn)(const struct gx_sess *s, int64_t idle_ms, void *ctx), void *ctx)
{
	int64_t now = gx_clock_mono_ms(r->clock);
	for (unsigned i = 0; i < PARTS; ++i) {
		struct part *p = &r->parts[i];
		pthread_mutex_lock(&p->lock);
		for (uint32_t b = 0; b < p->buckets; ++b)
			for (const struct gx_sess *s = p->v[b]; s != NULL; s = s->next)
				if (s->kind == kind)
					fn(s, now - atomic_load(&s->used_ms), ctx);
		pthread_mutex_unlock(&p->lock);
	}
}
