/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers remembered for a few seconds: a table of fixed size in which a newer answer takes the
 * place of an older one, so that a flood of made-up addresses costs no memory. Passwords and
 * their hashes are never in it.
 */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/directory/dir-int.h"

struct gx_dir_slot {
	int64_t expires_ms;
	bool absent;
	struct gx_user u; /* strings behind the struct */
	char *key;
};

static size_t slot_of(const char *key)
{
	uint32_t h = 2166136261U;
	for (const char *p = key; *p != '\0'; ++p)
		h = (h ^ (uint32_t)gx_ascii_tolower((unsigned char)*p)) * 16777619U;
	return (h ^ h >> 16) % GX_DIR_SLOTS;
}

static int copy_user(struct gx_arena *a, const struct gx_user *src, struct gx_user *ret_u)
{
	struct gx_user u = *src;
	const char **fields[] = {&u.username, &u.maildir, &u.lang, &u.timezone, &u.display_name};
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); ++i) {
		*fields[i] = gx_arena_strdup(a, *fields[i]);
		if (*fields[i] == NULL)
			return GX_E_NOMEM;
	}
	*ret_u = u;
	return 0;
}

enum { LOOK_MS = 100 };

void gx_dir__cache_refresh(struct gx_dir *d)
{
	int64_t now = gx_clock_mono_ms(d->clock);
	if (d->looked_ms != 0 && now - d->looked_ms < LOOK_MS)
		return;
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_DATA_VERSION);
	int64_t version = st != NULL && gx_dir__step(d, st) == 1 ? sqlite3_column_int64(st, 0) : -1;
	gx_dir__done(st);
	if (version != d->data_version)
		gx_dir__cache_clear(d);
	d->data_version = version;
	d->looked_ms = now;
}

int gx_dir__cache_get(struct gx_dir *d, const char *key, struct gx_arena *a, struct gx_user *ret_u)
{
	const struct gx_dir_slot *s = d->slots[slot_of(key)];
	if (s == NULL || gx_ascii_casecmp(s->key, key) != 0 || gx_clock_mono_ms(d->clock) >= s->expires_ms)
		return 1;
	return s->absent ? GX_E_NOTFOUND : copy_user(a, &s->u, ret_u);
}

static const char *append(char **io_p, const char *s)
{
	size_t n = strlen(s) + 1;
	char *at = *io_p;
	memcpy(at, s, n);
	*io_p += n;
	return at;
}

void gx_dir__cache_put(struct gx_dir *d, const char *key, const struct gx_user *u)
{
	size_t n = sizeof(struct gx_dir_slot) + strlen(key) + 1;
	if (u != NULL)
		n += strlen(u->username) + strlen(u->maildir) + strlen(u->lang) + strlen(u->timezone) + strlen(u->display_name) + 5;
	struct gx_dir_slot *s = malloc(n);
	if (s == NULL)
		return;
	char *p = (char *)(s + 1);
	*s = (struct gx_dir_slot){.expires_ms = gx_clock_mono_ms(d->clock) + d->cache_ms, .absent = u == NULL};
	s->key = (char *)append(&p, key);
	if (u != NULL) {
		s->u = *u;
		s->u.username = append(&p, u->username);
		s->u.maildir = append(&p, u->maildir);
		s->u.lang = append(&p, u->lang);
		s->u.timezone = append(&p, u->timezone);
		s->u.display_name = append(&p, u->display_name);
	}
	size_t i = slot_of(key);
	free(d->slots[i]);
	d->slots[i] = s;
}

void gx_dir__cache_clear(struct gx_dir *d)
{
	for (size_t i = 0; i < GX_DIR_SLOTS; ++i) {
		free(d->slots[i]);
		d->slots[i] = NULL;
	}
}
