/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords that were found right, for a while, so that clients that send one with each request do not cost a slow
 * hash each time. An entry is found by an HMAC of name and password under a key that is drawn when the process starts;
 * neither is kept. All entries live equally long, so the oldest one is the first to end.
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gnutls/crypto.h>
#include "libgxproto/http/http-int.h"

enum { DIGEST = 32, BUCKETS = 4096 };

struct entry {
	struct entry *next, *younger;
	int64_t until_ms;
	uint8_t digest[DIGEST];
	char user[];
};

struct http_credcache {
	pthread_mutex_t lock;
	const struct gx_clock *clock;
	uint32_t seconds, n, max;
	struct entry *oldest, *youngest;
	uint8_t key[DIGEST];
	struct entry *buckets[BUCKETS];
};

struct http_credcache *gx_http__credcache_new(const struct gx_clock *clock, uint32_t seconds, uint32_t max)
{
	struct http_credcache *c = calloc(1, sizeof(*c));
	if (c == NULL || gnutls_rnd(GNUTLS_RND_KEY, c->key, sizeof(c->key)) != 0) {
		free(c);
		return NULL;
	}
	c->clock = clock;
	c->seconds = seconds;
	c->max = max;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

static struct entry **bucket(struct http_credcache *c, const uint8_t digest[DIGEST])
{
	return &c->buckets[(digest[0] | digest[1] << 8) % BUCKETS];
}

static void drop_oldest(struct http_credcache *c)
{
	struct entry *e = c->oldest, **p = bucket(c, e->digest);
	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	c->oldest = e->younger;
	if (c->oldest == NULL)
		c->youngest = NULL;
	--c->n;
	free(e);
}

void gx_http__credcache_clear(struct http_credcache *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->oldest != NULL)
		drop_oldest(c);
	pthread_mutex_unlock(&c->lock);
}

void gx_http__credcache_free(struct http_credcache *c)
{
	if (c == NULL)
		return;
	gx_http__credcache_clear(c);
	gnutls_memset(c->key, 0, sizeof(c->key));
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static bool digest_of(const struct http_credcache *c, const char *login, const char *password, uint8_t out[DIGEST])
{
	gnutls_hmac_hd_t h;
	if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, c->key, sizeof(c->key)) != 0)
		return false;
	bool ok = gnutls_hmac(h, login, strlen(login) + 1) == 0 && gnutls_hmac(h, password, strlen(password)) == 0;
	gnutls_hmac_deinit(h, out);
	return ok;
}

/* With the lock held. */
static struct entry *find(struct http_credcache *c, const uint8_t digest[DIGEST])
{
	int64_t now = gx_clock_mono_ms(c->clock);
	while (c->oldest != NULL && now >= c->oldest->until_ms)
		drop_oldest(c);
	struct entry *e = *bucket(c, digest);
	while (e != NULL && gnutls_memcmp(e->digest, digest, DIGEST) != 0)
		e = e->next;
	return e;
}

const char *gx_http__credcache_find(struct http_credcache *c, struct gx_arena *a, const char *login, const char *password)
{
	uint8_t digest[DIGEST];
	if (!digest_of(c, login, password, digest))
		return NULL;
	pthread_mutex_lock(&c->lock);
	const struct entry *e = find(c, digest);
	const char *user = e == NULL ? NULL : gx_arena_strdup(a, e->user);
	pthread_mutex_unlock(&c->lock);
	return user;
}

void gx_http__credcache_add(struct http_credcache *c, const char *login, const char *password, const char *user)
{
	size_t n = strlen(user) + 1;
	struct entry *e = calloc(1, sizeof(*e) + n);
	if (e == NULL || !digest_of(c, login, password, e->digest)) {
		free(e);
		return;
	}
	memcpy(e->user, user, n);
	e->until_ms = gx_clock_mono_ms(c->clock) + (int64_t)c->seconds * 1000;
	pthread_mutex_lock(&c->lock);
	if (find(c, e->digest) != NULL) {
		pthread_mutex_unlock(&c->lock);
		free(e);
		return;
	}
	if (c->n >= c->max)
		drop_oldest(c);
	struct entry **p = bucket(c, e->digest);
	e->next = *p;
	*p = e;
	*(c->youngest == NULL ? &c->oldest : &c->youngest->younger) = e;
	c->youngest = e;
	++c->n;
	pthread_mutex_unlock(&c->lock);
}
