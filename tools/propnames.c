/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "tools/propnames.h"

enum { MOST = 0x7000 }; /* ids of a store */

struct names {
	struct gx_arena *a;
	struct gx_propname *v;
	size_t n, cap;
};

static const char *take_name(struct names *l, struct gx_propname *p, const char *kind, const char *value)
{
	char *end;
	if (strcmp(kind, "LID") == 0) {
		unsigned long lid = strtoul(value, &end, 0);
		p->lid = (uint32_t)lid;
		return *value == '\0' || *end != '\0' || lid > UINT32_MAX ? "a LID is a number of 32 bits" : NULL;
	}
	if (strcmp(kind, "NAME") != 0)
		return "expected LID= or NAME= behind the GUID";
	p->by_name = true;
	p->name = gx_arena_strdup(l->a, value);
	return *value == '\0' || p->name == NULL || !gx_utf8_valid(value, strlen(value)) ? "a name is text in UTF-8" : NULL;
}

/* @return what is wrong, or NULL. */
static const char *take_line(struct names *l, char *line)
{
	struct gx_propname p = {.by_name = false};
	line[strcspn(line, "\r\n")] = '\0';
	if (*line == '\0' || *line == '#')
		return NULL;
	char *comma = strchr(line, ','), *equals = comma == NULL ? NULL : strchr(comma, '=');
	if (strncmp(line, "GUID=", 5) != 0 || equals == NULL)
		return "expected GUID=...,LID=... or GUID=...,NAME=...";
	*comma = *equals = '\0';
	if (gx_guid_parse(line + 5, &p.set) != 0)
		return "that is no GUID";
	const char *bad = take_name(l, &p, comma + 1, equals + 1);
	if (bad != NULL)
		return bad;
	if (l->n == MOST)
		return "too many names";
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return "out of memory";
	l->v[l->n++] = p;
	return NULL;
}

int propnames_read(struct gx_arena *a, const char *path, struct gx_propname **ret_v, size_t *ret_n,
	const char **ret_why)
{
	char line[2048];
	struct names l = {.a = a};
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		int err = errno == ENOENT ? GX_E_NOTFOUND : GX_E_IO;
		*ret_why = gx_arena_printf(a, "%s: %s", path, strerror(errno));
		return err;
	}
	const char *bad = NULL;
	unsigned no = 0;
	while (bad == NULL && fgets(line, sizeof(line), f) != NULL) {
		++no;
		bad = strchr(line, '\n') == NULL && !feof(f) ? "line too long" : take_line(&l, line);
	}
	if (bad == NULL && ferror(f))
		bad = strerror(errno);
	fclose(f);
	if (bad != NULL) {
		*ret_why = gx_arena_printf(a, "%s:%u: %s", path, no, bad);
		return GX_E_FORMAT;
	}
	*ret_v = l.v;
	*ret_n = l.n;
	return 0;
}
