/* SPDX-License-Identifier: Apache-2.0 */
/* A store is looked at while others may work on it: readers only, and nothing of it is changed. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libgxstore/store-int.h"

char *gx_store__uri(const char *path, const char *query)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "file:");
	for (const char *s = path; *s != '\0'; s++) {
		if (*s == '%' || *s == '?' || *s == '#')
			gx_strbuf_printf(&b, "%%%02x", (unsigned char)*s);
		else
			gx_strbuf_addc(&b, *s);
	}
	gx_strbuf_printf(&b, "?%s", query);
	return gx_strbuf_take(&b);
}

static bool may_write(const char *dir)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/" GX_DB_SUBDIR, dir);
	return n > 0 && (size_t)n < sizeof(path) && access(path, W_OK) == 0;
}

/*
 * Readers need the index of the log, which is made beside it. Where that cannot be, because nothing may be written or the
 * disk is full, there must be no log.
 */
static int choose_uri(struct gx_arena *a, const char *dir, const char *file, bool full, char **ret_uri, const char **ret_why)
{
	struct stat st;
	const char *wal = gx_arena_printf(a, "%s-wal", file);
	if (wal == NULL)
		return GX_E_NOMEM;
	bool writable = !full && may_write(dir);
	if (!writable && stat(wal, &st) == 0 && st.st_size > 0) {
		gx_store__why(a, ret_why, full ? "%s: has changes that cannot be read while the disk is full; free some space"
			: "%s: has changes that cannot be read where nothing may be written; copy the store", wal);
		return GX_E_IO;
	}
	*ret_uri = gx_store__uri(file, writable ? "mode=ro" : "immutable=1");
	return *ret_uri == NULL ? GX_E_NOMEM : 0;
}

int gx_store__open_foreign(struct gx_arena *a, const char *dir, struct gx_sql **ret_q, const char **ret_why)
{
	char why[512], *uri = NULL;
	const char *file = gx_arena_printf(a, "%s/" GX_DB_SUBDIR "/" GX_DB_NAME, dir);
	if (file == NULL)
		return GX_E_NOMEM;
	if (access(file, F_OK) != 0) {
		return gx_store__no_file(a, file, ret_why);
	}
	int err = GX_E_NOSPACE;
	for (int full = 0; full < 2 && err == GX_E_NOSPACE; ++full) {
		err = choose_uri(a, dir, file, full, &uri, ret_why);
		if (err != 0)
			return err;
		struct gx_sql_open o = {.file = uri, .name = file, .dir = dir, .foreign = true};
		err = gx_sql__open(&o, ret_q, why, sizeof(why));
		free(uri);
	}
	if (err != 0)
		gx_store__why(a, ret_why, "%s", why);
	return err;
}

int gx_store_schema_version(
	const char *dir, unsigned *ret_version, unsigned *ret_newest, struct gx_arena *a, const char **ret_why)
{
	struct gx_sql *q;
	const char *dummy;
	int64_t version;
	if (dir == NULL || ret_version == NULL || a == NULL)
		return GX_E_INVAL;
	if (ret_why == NULL)
		ret_why = &dummy;
	int err = gx_store__open_foreign(a, dir, &q, ret_why);
	if (err != 0)
		return err;
	err = gx_schema__version(q, &version);
	if (err != 0)
		gx_store__why(a, ret_why, "%s", q->why);
	gx_sql__close(q);
	if (err != 0)
		return err;
	*ret_version = (unsigned)version;
	if (ret_newest != NULL)
		*ret_newest = GX_SCHEMA_VERSION;
	return 0;
}

int gx_store__observe(struct gx_store *s, struct gx_arena *a, const char **ret_why)
{
	char why[512];
	struct gx_conn *c;
	/* Without a log a connection that could write leaves no files behind. */
	int err = may_write(s->dir) && !gx_flush__log_left(s) ? 0 : choose_uri(a, s->dir, s->file, false, &s->uri, ret_why);
	if (err != 0)
		return err;
	err = gx_conn__open(s, false, &c, why, sizeof(why));
	if (err == GX_E_NOSPACE) {
		free(s->uri);
		s->uri = NULL;
		err = choose_uri(a, s->dir, s->file, true, &s->uri, ret_why);
		if (err != 0)
			return err;
		err = gx_conn__open(s, false, &c, why, sizeof(why));
	}
	if (err != 0) {
		gx_store__why(a, ret_why, "%s", why);
		return err;
	}
	err = gx_schema__look(c->q);
	if (err == 0)
		err = gx_store__load_meta(s, c->q, a);
	if (err != 0)
		gx_store__why(a, ret_why, "%s", c->q->why);
	s->readers = 1;
	s->idle = c; /* closed with the store */
	return err;
}
