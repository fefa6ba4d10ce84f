/* SPDX-License-Identifier: Apache-2.0 */
/* Back from what stands in a URL to a store. An id cannot be turned round: who has it is looked for, and remembered. */
#include <config.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { SLOTS = 4096, CACHE_MS = 60000, ID_MOST = 320 };

struct slot {
	char *id, *dir;          /* dir NULL: nobody has it */
	uint32_t homeserver;
	int64_t until_ms;
};

struct gx_disco_boxes {
	struct gx_dir *dir;
	const struct gx_clock *clock;
	uint32_t cache_ms;
	pthread_mutex_t lock;
	struct slot v[SLOTS];
};

int gx_disco_boxes_new(struct gx_dir *dir, uint32_t cache_ms, struct gx_disco_boxes **ret_b)
{
	if (dir == NULL || ret_b == NULL)
		return GX_E_INVAL;
	struct gx_disco_boxes *b = calloc(1, sizeof(*b));
	if (b == NULL || pthread_mutex_init(&b->lock, NULL) != 0) {
		free(b);
		return GX_E_NOMEM;
	}
	b->dir = dir;
	b->clock = gx_clock_system();
	b->cache_ms = cache_ms != 0 ? cache_ms : CACHE_MS;
	*ret_b = b;
	return 0;
}

static void clear(struct slot *s)
{
	free(s->id);
	free(s->dir);
	*s = (struct slot){0};
}

void gx_disco_boxes_free(struct gx_disco_boxes *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < SLOTS; ++i)
		clear(&b->v[i]);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

/* ---- Remembered ---- */

static struct slot *slot_of(struct gx_disco_boxes *b, const char *id)
{
	uint32_t h = 2166136261u;
	for (; *id != '\0'; ++id)
		h = (h ^ (uint8_t)*id) * 16777619u;
	return &b->v[(h ^ h >> 12) % SLOTS];
}

/* GX_E_UNSUP: nothing is known. */
static int recall(struct gx_disco_boxes *b, const char *id, struct gx_arena *a, struct gx_disco_box *ret_box)
{
	int err = GX_E_UNSUP;
	pthread_mutex_lock(&b->lock);
	const struct slot *s = slot_of(b, id);
	if (s->id != NULL && strcmp(s->id, id) == 0 && gx_clock_mono_ms(b->clock) < s->until_ms) {
		*ret_box = (struct gx_disco_box){gx_arena_strdup(a, s->dir), s->homeserver};
		err = s->dir == NULL ? GX_E_NOTFOUND : ret_box->dir == NULL ? GX_E_NOMEM : 0;
	}
	pthread_mutex_unlock(&b->lock);
	return err;
}

/* Without memory it is looked for again. */
static void remember(struct gx_disco_boxes *b, const char *id, const struct gx_disco_box *box)
{
	pthread_mutex_lock(&b->lock);
	struct slot *s = slot_of(b, id);
	clear(s);
	*s = (struct slot){strdup(id), box == NULL ? NULL : strdup(box->dir), box == NULL ? 0 : box->homeserver,
		gx_clock_mono_ms(b->clock) + b->cache_ms};
	if (s->id == NULL || (box != NULL && s->dir == NULL))
		clear(s);
	pthread_mutex_unlock(&b->lock);
}

/* ---- Looked for ---- */

static bool has_id(const char *id, const char *address, struct gx_arena *a)
{
	const char *guid = gx_disco__guid_of(address, a);
	return guid != NULL && strncasecmp(guid, id, strlen(guid)) == 0 && id[strlen(guid)] == '@';
}

/* The longest way: everybody of the domain. */
static int search(struct gx_disco_boxes *b, const char *id, struct gx_arena *a, struct gx_disco_box *ret_box)
{
	struct gx_domain d;
	struct gx_user *v;
	size_t n;
	int err = gx_dir_domain(b->dir, strchr(id, '@') + 1, a, &d);
	if (err != 0)
		return err;
	const char *public = gx_arena_printf(a, PUBLIC_LOCALPART "@%s", d.name);
	if (public != NULL && *d.homedir != '\0' && has_id(id, public, a)) {
		*ret_box = (struct gx_disco_box){d.homedir, d.homeserver};
		return 0;
	}
	err = gx_dir_list_users(b->dir, d.name, a, &v, &n);
	for (size_t i = 0; err == 0 && i < n; ++i)
		if (*v[i].maildir != '\0' && has_id(id, v[i].username, a)) {
			*ret_box = (struct gx_disco_box){v[i].maildir, v[i].homeserver};
			return 0;
		}
	return err == 0 ? GX_E_NOTFOUND : err;
}

/* An address may stand there, too. */
static int by_address(struct gx_disco_boxes *b, const char *id, struct gx_arena *a, struct gx_disco_box *ret_box)
{
	struct gx_user u;
	int err = gx_dir_user(b->dir, id, a, &u);
	if (err == 0 && *u.maildir == '\0')
		err = GX_E_NOTFOUND;
	if (err == 0)
		*ret_box = (struct gx_disco_box){u.maildir, u.homeserver};
	return err;
}

int gx_disco_box(struct gx_disco_boxes *b, const char *id, const char *user, struct gx_arena *a, struct gx_disco_box *ret_box)
{
	struct gx_user me;
	int err = gx_dir_user(b->dir, user, a, &me);
	if (err != 0)
		return err;
	*ret_box = (struct gx_disco_box){me.maildir, me.homeserver};
	bool own = *me.maildir != '\0';
	/* Nearly always it is the user's own. */
	if (id == NULL || strchr(id, '@') == NULL || strlen(id) > ID_MOST || (own && has_id(id, me.username, a)))
		return own ? 0 : GX_E_NOTFOUND;
	struct gx_disco_box other;
	err = recall(b, id, a, &other);
	if (err == GX_E_UNSUP) {
		err = by_address(b, id, a, &other);
		if (err == GX_E_NOTFOUND)
			err = search(b, id, a, &other);
		if (err == 0 || err == GX_E_NOTFOUND)
			remember(b, id, err == 0 ? &other : NULL);
	}
	if (err == 0)
		*ret_box = other;
	return err != GX_E_NOTFOUND ? err : own ? 0 : GX_E_NOTFOUND;
}
