/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/folder.h>
#include "libgxstore/store-int.h"

/* Which folder takes messages of a class, [MS-OXCSTOR] 2.2.1.2, 2.2.1.3, 3.2.5.2. Classes are caseless. */

#define CLASS_MAX 254U

/* [MS-OXCSTOR] 2.2.1.2.1.1: printable ASCII, no dot at the ends, no two in a row. */
static bool valid_class(const char *s)
{
	size_t n = strlen(s);
	if (n > CLASS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e || (s[i] == '.' && (i == 0 || i == n - 1 || s[i + 1] == '.')))
			return false;
	return true;
}

static int entry(struct gx_txn *t, const char *fold, struct gx_arena *a, struct gx_receive *ret_r)
{
	GX_STMT(st, t->q, "SELECT class,fid,modified FROM receive WHERE LOWER(class)=?1");
	gx_sql__bind_text(st, 1, fold);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	*ret_r = (struct gx_receive){.cls = gx_arena_strdup(a, gx_sql__text(st, 0)), .fid = gx_sql__u64(st, 1), .modified = gx_sql__u64(st, 2)};
	return ret_r->cls == NULL ? GX_E_NOMEM : 1;
}

gx_ec gx_receive_get(struct gx_txn *t, const char *cls, struct gx_arena *a, struct gx_receive *ret_r)
{
	if (cls == NULL || !valid_class(cls))
		return gx_txn__fail(t, ecInvalidParam, "that is no message class");
	char *fold = gx_fold__key(t->a, cls);
	if (fold == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	for (;;) {
		int r = entry(t, fold, a, ret_r);
		if (r != 0)
			return gx_txn__ec(t, r < 0 ? r : 0);
		char *dot = strrchr(fold, '.');
		if (*fold == '\0')
			return gx_txn__fail(t, ecNotFound, "no folder receives \"%s\"", cls);
		*(dot == NULL ? fold : dot) = '\0';
	}
}

static gx_ec check_set(struct gx_txn *t, const char *cls, uint64_t fid)
{
	struct gx_folder_row row;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	if (!gx_txn__all_rights(t) || t->s->is_public)
		return gx_txn__fail(t, ecAccessDenied, "only the owner of a mailbox sets receive folders");
	if (cls == NULL || !valid_class(cls) || (*cls == '\0' && fid == 0))
		return gx_txn__fail(t, ecInvalidParam, "that is no message class, or the default one would go");
	if (gx_utf8_casecmp(cls, "IPM") == 0 || gx_utf8_casecmp(cls, "REPORT.IPM") == 0)
		return gx_txn__fail(t, ecAccessDenied, "the folder of %s is fixed", cls);
	return fid == 0 ? GX_OK_EC : gx_folder__need(t, fid, 0, &row);
}

gx_ec gx_receive_set(struct gx_txn *t, const char *cls, uint64_t fid)
{
	gx_ec ec = check_set(t, cls, fid);
	if (gx_ec_failed(ec))
		return ec;
	char *fold = gx_fold__key(t->a, cls);
	if (fold == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	{
		GX_STMT(del, t->q, "DELETE FROM receive WHERE LOWER(class)=?1");
		gx_sql__bind_text(del, 1, fold);
		int err = gx_sql__run(del);
		if (err != 0 || fid == 0)
			return gx_txn__ec(t, err);
	}
	GX_STMT(st, t->q, "INSERT INTO receive(class,fid,modified) VALUES(?1,?2,?3)");
	gx_sql__bind_text(st, 1, cls);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	gx_sql__bind_int(st, 3, (int64_t)gx_store__now(t->s));
	return gx_txn__ec(t, gx_sql__run(st));
}

int gx_receive__drop(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(all, t->q, "UPDATE receive SET fid=?2,modified=?3 WHERE fid=?1 AND class=''");
	gx_sql__bind_int(all, 1, (int64_t)fid);
	gx_sql__bind_int(all, 2, GX_FID_INBOX);
	gx_sql__bind_int(all, 3, (int64_t)gx_store__now(t->s));
	int err = gx_sql__run(all);
	GX_STMT(st, t->q, "DELETE FROM receive WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	return err != 0 ? err : gx_sql__run(st);
}

gx_ec gx_receive_list(struct gx_txn *t, struct gx_arena *a, struct gx_receive **ret_v, size_t *ret_n)
{
	struct gx_receive *v = NULL;
	size_t n = 0, cap = 0;
	GX_STMT(st, t->q, "SELECT class,fid,modified FROM receive ORDER BY class");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		v[n] = (struct gx_receive){.cls = gx_arena_strdup(a, gx_sql__text(st, 0)), .fid = gx_sql__u64(st, 1), .modified = gx_sql__u64(st, 2)};
		if (v[n++].cls == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
	}
	*ret_v = v;
	*ret_n = n;
	return gx_txn__ec(t, r);
}
