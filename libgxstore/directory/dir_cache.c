/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers remembered for a few seconds: a table of fixed size in which a newer answer takes the
 * place of an older one, so that a flood of made-up addresses costs no memory. Passwords and
 * their hashes are never in it.
 */
#include <config.h>
#include <assert.h>
#include <gx/charset.h>
#include "libgxstore/directory/dir-int.h"

struct gx_dir_slot {
	int64_t expires_ms;
	enum gx_dir_kind kind;
	bool absent;
	char *key;
	max_align_t obj[]; /* the object, then its strings, then the key */
};

/* What an object of a kind is: a struct with strings in it. */
enum { MAX_STRINGS = 5 };
struct shape {
	size_t size;
	size_t strings[MAX_STRINGS], n;
};
static const struct shape shapes[] = {
	[GX_DIRKIND_USER] = {sizeof(struct gx_user), {offsetof(struct gx_user, username), offsetof(struct gx_user, maildir),
		offsetof(struct gx_user, lang), offsetof(struct gx_user, timezone), offsetof(struct gx_user, display_name)}, 5},
	[GX_DIRKIND_DOMAIN] = {sizeof(struct gx_domain), {offsetof(struct gx_domain, name), offsetof(struct gx_domain, homedir),
		offsetof(struct gx_domain, title)}, 3},
	[GX_DIRKIND_SERVER] = {sizeof(struct gx_server), {offsetof(struct gx_server, hostname), offsetof(struct gx_server, extname)}, 2},
};

static const char **string_of(void *obj, const struct shape *s, size_t i)
{
	return (const char **)((char *)obj + s->strings[i]);
}

static const char *text_of(const void *obj, const struct shape *s, size_t i)
{
	return *(const char *const *)((const char *)obj + s->strings[i]);
}

static size_t slot_of(enum gx_dir_kind kind, const char *key)
{
	uint32_t h = (2166136261U ^ kind) * 16777619U;
	for (const char *p = key; *p != '\0'; ++p)
		h = (h ^ (uint32_t)gx_ascii_tolower((unsigned char)*p)) * 16777619U;
	return (h ^ h >> 16) % GX_DIR_SLOTS;
}

static int copy_out(struct gx_arena *a, const struct shape *s, const void *src, void *dst)
{
	const char *copy[MAX_STRINGS];
	for (size_t i = 0; i < s->n; ++i) {
		copy[i] = gx_arena_strdup(a, text_of(src, s, i));
		if (copy[i] == NULL)
			return GX_E_NOMEM;
	}
	memcpy(dst, src, s->size);
	for (size_t i = 0; i < s->n; ++i)
		*string_of(dst, s, i) = copy[i];
	return 0;
}

int gx_dir__cache_init(struct gx_dir *d)
{
	d->cache.version = -1;
	return pthread_mutex_init(&d->cache.lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

static void forget(struct gx_dir_cache *k)
{
	for (size_t i = 0; i < GX_DIR_SLOTS; ++i) {
		free(k->slots[i]);
		k->slots[i] = NULL;
	}
	++k->generation;
}

void gx_dir__cache_release(struct gx_dir *d)
{
	forget(&d->cache);
	pthread_mutex_destroy(&d->cache.lock);
}

void gx_dir__cache_clear(struct gx_dir *d)
{
	pthread_mutex_lock(&d->cache.lock);
	forget(&d->cache);
	pthread_mutex_unlock(&d->cache.lock);
}

static int ask_version(struct gx_dirconn *c, void *ctx)
{
	return c->back->changed(c, ctx);
}

/*
 * Forgets everything when another process has changed the database; asks now and then. When the
 * database does not answer, what is remembered serves until its time is over.
 */
static void refresh(struct gx_dir *d, int64_t now)
{
	struct gx_dir_cache *k = &d->cache;
	int64_t version = 0;
	pthread_mutex_lock(&k->lock);
	bool due = k->looked_ms == 0 || now - k->looked_ms >= d->back->look_ms;
	if (due)
		k->looked_ms = now;
	pthread_mutex_unlock(&k->lock);
	if (!due || gx_dir__peek(d, ask_version, &version) != 0)
		return;
	pthread_mutex_lock(&k->lock);
	if (version != k->version)
		forget(k);
	k->version = version;
	pthread_mutex_unlock(&k->lock);
}

int gx_dir__cache_get(struct gx_dir *d, enum gx_dir_kind kind, const char *key, struct gx_arena *a, void *ret_obj, uint64_t *ret_ticket)
{
	int64_t now = gx_clock_mono_ms(d->clock);
	int r = 1;
	refresh(d, now);
	pthread_mutex_lock(&d->cache.lock);
	const struct gx_dir_slot *s = d->cache.slots[slot_of(kind, key)];
	if (s != NULL && s->kind == kind && gx_ascii_casecmp(s->key, key) == 0 && now < s->expires_ms)
		r = s->absent ? GX_E_NOTFOUND : copy_out(a, &shapes[kind], s->obj, ret_obj);
	*ret_ticket = d->cache.generation;
	pthread_mutex_unlock(&d->cache.lock);
	return r;
}

uint64_t gx_dir__cache_generation(struct gx_dir *d)
{
	refresh(d, gx_clock_mono_ms(d->clock));
	pthread_mutex_lock(&d->cache.lock);
	uint64_t g = d->cache.generation;
	pthread_mutex_unlock(&d->cache.lock);
	return g;
}

static char *append(char **io_p, const char *s)
{
	size_t n = strlen(s) + 1;
	char *at = *io_p;
	memcpy(at, s, n);
	*io_p += n;
	return at;
}

static struct gx_dir_slot *make_slot(enum gx_dir_kind kind, const char *key, const void *obj)
{
	const struct shape *s = &shapes[kind];
	size_t n = sizeof(struct gx_dir_slot) + s->size + strlen(key) + 1;
	for (size_t i = 0; obj != NULL && i < s->n; ++i)
		n += strlen(text_of(obj, s, i)) + 1;
	struct gx_dir_slot *slot = malloc(n);
	if (slot == NULL)
		return NULL;
	char *p = (char *)slot->obj + s->size;
	slot->kind = kind;
	slot->absent = obj == NULL;
	if (obj != NULL)
		memcpy(slot->obj, obj, s->size);
	for (size_t i = 0; obj != NULL && i < s->n; ++i)
		*string_of(slot->obj, s, i) = append(&p, text_of(obj, s, i));
	slot->key = append(&p, key);
	assert(p <= (char *)slot + n);
	return slot;
}

void gx_dir__cache_put(struct gx_dir *d, enum gx_dir_kind kind, const char *key, const void *obj, uint64_t ticket)
{
	struct gx_dir_slot *slot = make_slot(kind, key, obj);
	if (slot == NULL)
		return;
	slot->expires_ms = gx_clock_mono_ms(d->clock) + d->cache_ms;
	size_t i = slot_of(kind, key);
	pthread_mutex_lock(&d->cache.lock);
	if (ticket == d->cache.generation) {
		struct gx_dir_slot *old = d->cache.slots[i];
		d->cache.slots[i] = slot;
		slot = old;
	}
	pthread_mutex_unlock(&d->cache.lock);
	free(slot);
}
