/* SPDX-License-Identifier: Apache-2.0 */
/* Files under config/, [gromox formats 2]. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/gromox/gromox-int.h"

#define SMALL_MAX ((size_t)1 << 20)
#define PHOTO_MAX ((size_t)16 << 20)

/* A file that is not there is an empty one. */
static int read_one(struct gx_gromox *g, struct gx_arena *a, const char *name, size_t max, struct gx_bin *ret_b)
{
	const char *path = gx_arena_printf(a, "%s/config/%s", g->dir, name);
	*ret_b = (struct gx_bin){NULL, 0};
	if (path == NULL)
		return GX_E_NOMEM;
	int err = gx_gromox__read_file(a, path, max, ret_b);
	if (err == 0 || err == GX_E_NOTFOUND)
		return 0;
	if (err == GX_E_NOMEM)
		return err;
	*ret_b = (struct gx_bin){NULL, 0};
	return gx_gromox__note(&g->notes, GX_CONV_SETTING, path, "cannot be read: %s", gx_strerror(err));
}

/* ---- key = value ---- */

static char *trim(char *s)
{
	s += strspn(s, " \t\r");
	size_t n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
		s[--n] = '\0';
	return s;
}

static bool truth(const char *v)
{
	return gx_ascii_casecmp(v, "yes") == 0 || gx_ascii_casecmp(v, "true") == 0 || gx_ascii_casecmp(v, "on") == 0 ||
		strtoll(v, NULL, 0) != 0;
}

static void oof_key(struct gx_gromox_config *c, const char *key, const char *v)
{
	if (gx_ascii_casecmp(key, "oof_state") == 0)
		c->oof_state = strtoll(v, NULL, 0) >= 0 && strtoll(v, NULL, 0) <= 2 ? (uint32_t)strtoll(v, NULL, 0) : 0;
	else if (gx_ascii_casecmp(key, "allow_external_oof") == 0)
		c->allow_external = truth(v);
	else if (gx_ascii_casecmp(key, "external_audience") == 0)
		c->known_senders_only = truth(v);
	else if (gx_ascii_casecmp(key, "start_time") == 0)
		c->start = strtoll(v, NULL, 0);
	else if (gx_ascii_casecmp(key, "end_time") == 0)
		c->end = strtoll(v, NULL, 0);
}

static int oof(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_config *c)
{
	struct gx_bin b;
	int err = read_one(g, a, "autoreply.cfg", SMALL_MAX, &b);
	if (err != 0 || b.data == NULL)
		return err;
	c->has_oof = true;
	char *save = NULL;
	for (char *line = strtok_r((char *)b.data, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char *eq = strchr(line, '=');
		if (eq == NULL || *trim(line) == '#')
			continue;
		*eq = '\0';
		oof_key(c, trim(line), trim(eq + 1));
	}
	return 0;
}

/* ---- One address a line ---- */

static int addresses(struct gx_gromox *g, struct gx_arena *a, const char *name, const char *const **ret_v)
{
	struct gx_bin b;
	const char **v = NULL;
	size_t n = 0, cap = 0;
	int err = read_one(g, a, name, SMALL_MAX, &b);
	if (err != 0)
		return err;
	char *save = NULL, *text = b.data == NULL ? gx_arena_strdup(a, "") : (char *)b.data;
	if (text == NULL)
		return GX_E_NOMEM;
	for (char *line = strtok_r(text, "\n", &save);; line = strtok_r(NULL, "\n", &save)) {
		char *s = line == NULL ? NULL : trim(line);
		if (s != NULL && (*s == '\0' || *s == '#'))
			continue;
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n++] = s;
		if (s == NULL)
			break;
	}
	*ret_v = v;
	return 0;
}

int gx_gromox__config(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_config *ret_c)
{
	struct gx_gromox_config c = {.has_oof = false};
	gx_gromox__about(&g->notes, "settings");
	int err = oof(g, a, &c);
	err = err != 0 ? err : read_one(g, a, "internal-reply", SMALL_MAX, &c.internal_reply);
	err = err != 0 ? err : read_one(g, a, "external-reply", SMALL_MAX, &c.external_reply);
	err = err != 0 ? err : read_one(g, a, "portrait.jpg", PHOTO_MAX, &c.photo);
	err = err != 0 ? err : read_one(g, a, "zarafa.dat", PHOTO_MAX, &c.profile);
	err = err != 0 ? err : addresses(g, a, "delegates.txt", &c.delegates);
	err = err != 0 ? err : addresses(g, a, "sendas.txt", &c.send_as);
	if (err == 0)
		*ret_c = c;
	return err;
}
