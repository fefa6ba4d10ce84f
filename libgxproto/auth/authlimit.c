/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/authlimit.h>

enum { KEY_MAX = 400 };

struct entry {
	struct entry *next;            /* in the bucket */
	struct entry *older, *younger; /* by last use */
	int64_t since_ms;              /* start of the window */
	int64_t banned_until_ms;
	uint32_t count;
	uint32_t hash;
	char key[];
};

/* A bounded map with the least recently used entry at hand. */
struct table {
	struct entry **buckets;
	uint32_t mask, n, max;
	struct entry *oldest, *youngest;
};

struct gx_authlimit {
	pthread_mutex_t lock;
	const struct gx_clock *clock;
	struct gx_authlimit_opts o;
	struct table bans, rates;
};

static int table_init(struct table *t, uint32_t max)
{
	uint32_t size = 16;
	*t = (struct table){.max = max};
	if (max == 0)
		return 0;
	while (size < max && size < 1u << 20)
		size *= 2;
	t->mask = size - 1;
	t->buckets = calloc(size, sizeof(*t->buckets));
	return t->buckets == NULL ? GX_E_NOMEM : 0;
}

static void forget_age(struct table *t, struct entry *e)
{
	*(e->older != NULL ? &e->older->younger : &t->oldest) = e->younger;
	*(e->younger != NULL ? &e->younger->older : &t->youngest) = e->older;
}

static void make_youngest(struct table *t, struct entry *e)
{
	e->older = t->youngest;
	e->younger = NULL;
	*(t->youngest != NULL ? &t->youngest->younger : &t->oldest) = e;
	t->youngest = e;
}

static void drop(struct table *t, struct entry *e)
{
	struct entry **p = &t->buckets[e->hash & t->mask];
	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	forget_age(t, e);
	--t->n;
	free(e);
}

static void table_release(struct table *t)
{
	while (t->oldest != NULL)
		drop(t, t->oldest);
	free(t->buckets);
}

static uint32_t hash_key(const char *key)
{
	uint32_t h = 2166136261u;
	for (; *key != '\0'; ++key)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h ^ h >> 15;
}

static struct entry *find(struct table *t, const char *key)
{
	if (t->max == 0)
		return NULL;
	uint32_t h = hash_key(key);
	struct entry *e = t->buckets[h & t->mask];
	while (e != NULL && (e->hash != h || strcmp(e->key, key) != 0))
		e = e->next;
	return e;
}

static struct entry *find_or_add(struct table *t, const char *key, int64_t now)
{
	struct entry *e = find(t, key);
	if (e != NULL) {
		forget_age(t, e);
		make_youngest(t, e);
		return e;
	}
	if (t->max == 0)
		return NULL;
	if (t->n >= t->max)
		drop(t, t->oldest);
	size_t len = strlen(key);
	e = calloc(1, sizeof(*e) + len + 1);
	if (e == NULL)
		return NULL;
	memcpy(e->key, key, len + 1);
	e->hash = hash_key(key);
	e->since_ms = now;
	e->next = t->buckets[e->hash & t->mask];
	t->buckets[e->hash & t->mask] = e;
	++t->n;
	make_youngest(t, e);
	return e;
}

/* Longer names share an entry with others that begin alike; none is that long in earnest. */
static void make_key(const struct gx_authlimit *l, const char *user, const char *ip, char out[KEY_MAX])
{
	snprintf(out, KEY_MAX, "%.320s\n%.64s", user, ip);
	if (!l->o.icase)
		return;
	for (char *p = out; *p != '\0'; ++p)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
}

int gx_authlimit_new(const struct gx_authlimit_opts *o, struct gx_authlimit **ret_l)
{
	if (o == NULL || o->size < sizeof(*o))
		return GX_E_INVAL;
	struct gx_authlimit *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return GX_E_NOMEM;
	l->o = *o;
	l->clock = o->clock != NULL ? o->clock : gx_clock_system();
	if (l->o.ban_after == 0)
		l->o.ban_after = 10;
	if (l->o.ban_seconds == 0)
		l->o.ban_seconds = 60;
	if (l->o.rate_tries == 0)
		l->o.rate_tries = 10;
	if (l->o.rate_seconds == 0)
		l->o.rate_seconds = 60;
	pthread_mutex_init(&l->lock, NULL);
	if (table_init(&l->bans, o->max_bans) != 0 || table_init(&l->rates, o->max_users) != 0) {
		gx_authlimit_free(l);
		return GX_E_NOMEM;
	}
	*ret_l = l;
	return 0;
}

void gx_authlimit_free(struct gx_authlimit *l)
{
	if (l == NULL)
		return;
	table_release(&l->bans);
	table_release(&l->rates);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static bool over_rate(struct gx_authlimit *l, const char *user, int64_t now)
{
	char key[KEY_MAX];
	make_key(l, user, "", key);
	struct entry *e = find_or_add(&l->rates, key, now);
	if (e == NULL)
		return false;
	if (now - e->since_ms >= (int64_t)l->o.rate_seconds * 1000) {
		e->since_ms = now;
		e->count = 0;
	}
	if (e->count >= l->o.rate_tries)
		return true;
	++e->count;
	return false;
}

int gx_authlimit_check(struct gx_authlimit *l, const char *user, const char *ip)
{
	char key[KEY_MAX];
	if (l == NULL)
		return 0;
	int64_t now = gx_clock_mono_ms(l->clock);
	make_key(l, user, ip, key);
	pthread_mutex_lock(&l->lock);
	const struct entry *e = find(&l->bans, key);
	int ret = e != NULL && now < e->banned_until_ms ? GX_E_BUSY : 0;
	if (ret == 0 && over_rate(l, user, now))
		ret = GX_E_LIMIT;
	pthread_mutex_unlock(&l->lock);
	return ret;
}

void gx_authlimit_failed(struct gx_authlimit *l, const char *user, const char *ip)
{
	char key[KEY_MAX];
	if (l == NULL)
		return;
	int64_t now = gx_clock_mono_ms(l->clock), window = (int64_t)l->o.ban_seconds * 1000;
	make_key(l, user, ip, key);
	pthread_mutex_lock(&l->lock);
	struct entry *e = find_or_add(&l->bans, key, now);
	if (e != NULL) {
		if (now - e->since_ms >= window)
			e->count = 0;
		e->since_ms = now;
		if (++e->count >= l->o.ban_after) {
			e->count = 0;
			e->banned_until_ms = now + window;
		}
	}
	pthread_mutex_unlock(&l->lock);
}

void gx_authlimit_succeeded(struct gx_authlimit *l, const char *user, const char *ip)
{
	char key[KEY_MAX];
	if (l == NULL)
		return;
	make_key(l, user, ip, key);
	pthread_mutex_lock(&l->lock);
	struct entry *e = find(&l->bans, key);
	if (e != NULL)
		drop(&l->bans, e);
	pthread_mutex_unlock(&l->lock);
}

void gx_log_auth_failure(const struct gx_log *log, const char *service, const char *user, const char *ip, const char *reason)
{
	char name[321];
	size_t n = 0;
	for (; user[n] != '\0' && n < sizeof(name) - 1; ++n)
		name[n] = (unsigned char)user[n] <= ' ' || user[n] == 0x7f || user[n] == '[' || user[n] == ']' ? '?' : user[n];
	name[n] = '\0';
	gx_log(log, GX_LOG_NOTICE, "auth failed: service=%s rhost=[%s] user=%s login rejected: %s", service, ip, n == 0 ? "?" : name, reason);
}
