/* SPDX-License-Identifier: Apache-2.0 */
/* Who has begun a session and not ended it: an id for the cookie, whose it is, whose turn. */
#include <config.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/mapihttp/mapihttp-int.h"

enum { BUCKETS = 1024, MOST = 20000, MOST_OF_USER = 100 };

struct gx_mh_context {
	struct gx_mh_context *next;
	struct gx_guid id, turn;
	int64_t used_ms;
	unsigned refs;
	bool ended;
	char user[];
};

struct gx_mh_contexts {
	pthread_mutex_t lock;
	const struct gx_clock *clock;
	uint32_t idle_ms;
	unsigned count;
	struct gx_mh_context *v[BUCKETS];
};

static unsigned bucket(const struct gx_guid *id)
{
	return id->d1 % BUCKETS; /* ids are random */
}

int gx_mh__contexts_new(const struct gx_clock *clock, uint32_t idle_ms, struct gx_mh_contexts **ret_t)
{
	struct gx_mh_contexts *t = calloc(1, sizeof(*t));
	if (t == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
		free(t);
		return GX_E_NOMEM;
	}
	t->clock = clock;
	t->idle_ms = idle_ms;
	*ret_t = t;
	return 0;
}

/* With the lock: out of the table; freed when nobody holds it. */
static void take_out(struct gx_mh_contexts *t, struct gx_mh_context **at)
{
	struct gx_mh_context *c = *at;
	*at = c->next;
	c->ended = true;
	--t->count;
	if (c->refs == 0)
		free(c);
}

void gx_mh__contexts_free(struct gx_mh_contexts *t)
{
	if (t == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; ++i)
		while (t->v[i] != NULL)
			take_out(t, &t->v[i]);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* With the lock: those that nobody has used for long go. @return how many @user has. */
static unsigned clean(struct gx_mh_contexts *t, const char *user)
{
	int64_t before = gx_clock_mono_ms(t->clock) - t->idle_ms;
	unsigned own = 0;
	for (unsigned i = 0; i < BUCKETS; ++i)
		for (struct gx_mh_context **at = &t->v[i]; *at != NULL;) {
			if ((*at)->refs == 0 && (*at)->used_ms < before) {
				take_out(t, at);
				continue;
			}
			own += strcasecmp((*at)->user, user) == 0;
			at = &(*at)->next;
		}
	return own;
}

int gx_mh__context_new(struct gx_mh_contexts *t, const char *user, struct gx_mh_context **ret_c)
{
	size_t n = strlen(user) + 1;
	struct gx_mh_context *c = calloc(1, sizeof(*c) + n);
	if (c == NULL)
		return GX_E_NOMEM;
	memcpy(c->user, user, n);
	c->refs = 1;
	int err = gx_guid_random(&c->id);
	if (err == 0)
		err = gx_guid_random(&c->turn);
	pthread_mutex_lock(&t->lock);
	if (err == 0 && (clean(t, user) >= MOST_OF_USER || t->count >= MOST))
		err = GX_E_LIMIT;
	if (err == 0) {
		c->used_ms = gx_clock_mono_ms(t->clock);
		c->next = t->v[bucket(&c->id)];
		t->v[bucket(&c->id)] = c;
		++t->count;
	}
	pthread_mutex_unlock(&t->lock);
	if (err != 0)
		free(c);
	else
		*ret_c = c;
	return err;
}

/* With the lock. */
static struct gx_mh_context **place(struct gx_mh_contexts *t, const struct gx_guid *id)
{
	struct gx_mh_context **at = &t->v[bucket(id)];
	while (*at != NULL && gx_guid_cmp(&(*at)->id, id) != 0)
		at = &(*at)->next;
	return at;
}

struct gx_mh_context *gx_mh__context_get(struct gx_mh_contexts *t, const struct gx_guid *id, const char *user, bool *ret_others)
{
	pthread_mutex_lock(&t->lock);
	struct gx_mh_context *c = *place(t, id);
	*ret_others = c != NULL && strcasecmp(c->user, user) != 0;
	if (*ret_others)
		c = NULL;
	if (c != NULL) {
		++c->refs;
		c->used_ms = gx_clock_mono_ms(t->clock);
	}
	pthread_mutex_unlock(&t->lock);
	return c;
}

int gx_mh__context_turn(struct gx_mh_contexts *t, struct gx_mh_context *c, const struct gx_guid *turn, struct gx_guid *ret_turn)
{
	int err = 0;
	pthread_mutex_lock(&t->lock);
	if (turn != NULL)
		err = gx_guid_cmp(turn, &c->turn) != 0 ? GX_E_STATE : gx_guid_random(&c->turn);
	*ret_turn = c->turn;
	pthread_mutex_unlock(&t->lock);
	return err;
}

const struct gx_guid *gx_mh__context_id(const struct gx_mh_context *c)
{
	return &c->id;
}

void gx_mh__context_end(struct gx_mh_contexts *t, struct gx_mh_context *c)
{
	pthread_mutex_lock(&t->lock);
	if (!c->ended)
		take_out(t, place(t, &c->id));
	pthread_mutex_unlock(&t->lock);
}

void gx_mh__context_put(struct gx_mh_contexts *t, struct gx_mh_context *c)
{
	pthread_mutex_lock(&t->lock);
	c->used_ms = gx_clock_mono_ms(t->clock);
	bool last = --c->refs == 0 && c->ended;
	pthread_mutex_unlock(&t->lock);
	if (last)
		free(c);
}
