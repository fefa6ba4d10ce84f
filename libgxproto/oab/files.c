/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offline address books on disk: DIR/GUID/ has the newest version, what makes it of older ones, templates, a manifest, and a file
 * "state" with what is in the manifest, a line a file. Everything but the newest version and the state may be lost.
 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/oab/oab-int.h"

/* In the state. */
static const char *const kinds[OAB_KINDS] = {"diff", "full", "lng", "mac"};

const char *gx_oab__path(const struct gx_oab *o, const struct oab_set *s, const char *name, struct gx_arena *a)
{
	return gx_arena_printf(a, "%s/%s/%s", o->dir, s->guid, name);
}

int gx_oab__complain(const struct gx_oab *o, const char *path)
{
	gx_log(o->o.log, GX_LOG_ERROR, "oab: %s: %s; the folder must belong to the user that the server runs as", path, strerror(errno));
	return GX_E_IO;
}

int gx_oab__write_file(const struct gx_oab *o, const struct oab_set *s, const char *name, const void *p, size_t n, struct gx_arena *a)
{
	const char *path = gx_oab__path(o, s, name, a), *fresh = path == NULL ? NULL : gx_arena_printf(a, "%s.new", path);
	if (fresh == NULL)
		return GX_E_NOMEM;
	FILE *f = fopen(fresh, "we");
	bool ok = f != NULL && fwrite(p, 1, n, f) == n && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	return ok && rename(fresh, path) == 0 ? 0 : gx_oab__complain(o, path);
}

int gx_oab__read_file(const char *path, struct gx_push *out)
{
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : 1;
	if (f == NULL)
		return GX_E_NOTFOUND;
	out->limit = OAB_FILE_MOST;
	while (n > 0 && out->err == 0) {
		uint8_t *p = gx_push_reserve(out, 65536);
		n = p == NULL ? 0 : fread(p, 1, 65536, f);
		gx_push_added(out, n);
	}
	int err = ferror(f) ? GX_E_IO : out->err;
	fclose(f);
	return err;
}

/* ---- State and manifest ---- */

static bool parse_item(const char *line, struct oab_item *it)
{
	char kind[8];
	it->lcid = 0;
	it->kind = 0;
	if (sscanf(line, "%7s %79s %u %llu %llu %40s %x", kind, it->name, &it->sequence, &it->size, &it->plain, it->sha, &it->lcid) < 6)
		return false;
	while (it->kind < OAB_KINDS && strcmp(kind, kinds[it->kind]) != 0)
		++it->kind;
	return it->kind < OAB_KINDS;
}

void gx_oab__load_state(const struct gx_oab *o, struct oab_set *s, struct gx_arena *a)
{
	char line[400];
	const char *path = gx_oab__path(o, s, "state", a);
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	if (f == NULL)
		return;
	bool ok = fgets(line, sizeof(line), f) != NULL && sscanf(line, "oab 1 %u %64s", &s->sequence, s->people) == 2;
	while (ok && s->n < OAB_ITEMS_MOST && fgets(line, sizeof(line), f) != NULL)
		if (parse_item(line, &s->v[s->n]))
			++s->n;
	fclose(f);
	if (ok && s->n > 0)
		return;
	s->people[0] = '\0';
	s->n = 0;
}

int gx_oab__save_state(const struct gx_oab *o, const struct oab_set *s, struct gx_arena *a)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "oab 1 %u %s\n", (unsigned)s->sequence, s->people);
	for (unsigned i = 0; i < s->n; ++i)
		gx_strbuf_printf(&b, "%s %s %u %llu %llu %s %x\n", kinds[s->v[i].kind], s->v[i].name, (unsigned)s->v[i].sequence, s->v[i].size,
			s->v[i].plain, s->v[i].sha, (unsigned)s->v[i].lcid);
	int err = b.err != 0 ? b.err : gx_oab__write_file(o, s, "state", b.s, b.len, a);
	gx_strbuf_release(&b);
	return err;
}

/* Names need no escapes, all of them are ours. */
static void print_items(struct gx_strbuf *b, const struct oab_set *s, unsigned from, unsigned to)
{
	static const char *const elements[OAB_KINDS] = {"Diff", "Full", "Template", "Template"};
	for (unsigned i = 0; i < s->n; ++i) {
		const struct oab_item *it = &s->v[i];
		if (it->kind < from || it->kind > to)
			continue;
		gx_strbuf_printf(b, "    <%s seq=\"%u\" ver=\"%u\" size=\"%llu\" uncompressedsize=\"%llu\" SHA=\"%s\"", elements[it->kind],
			(unsigned)it->sequence, it->lcid != 0 ? OAB_TEMPLATE_VERSION : OAB_VERSION, it->size, it->plain, it->sha);
		if (it->lcid != 0)
			gx_strbuf_printf(b, " langid=\"%04x\" type=\"%s\"", (unsigned)it->lcid, it->kind == OAB_MAC ? "mac" : "windows");
		gx_strbuf_printf(b, ">%s</%s>\n", it->name, elements[it->kind]);
	}
}

int gx_oab__save_manifest(const struct gx_oab *o, const struct oab_set *s, struct gx_arena *a)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_printf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<OAB>\n  <OAL id=\"%s\" dn=\"/\" name=\"\\Global Address List\">\n", s->guid);
	print_items(&b, s, OAB_FULL, OAB_FULL);
	print_items(&b, s, OAB_WINDOWS, OAB_MAC);
	print_items(&b, s, OAB_DIFF, OAB_DIFF);
	gx_strbuf_adds(&b, "  </OAL>\n</OAB>\n");
	int err = b.err != 0 ? b.err : gx_oab__write_file(o, s, "oab.xml", b.s, b.len, a);
	gx_strbuf_release(&b);
	return err;
}
