/* SPDX-License-Identifier: Apache-2.0 */
/* Folders and what hangs on them. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/entryid.h>
#include "libgxstore/gromox/gromox-int.h"

#define DEPTH_MAX 256

/* ---- The tree ---- */

static int by_fid(const void *x, const void *y)
{
	const struct gx_gromox_folder *a = x, *b = y;
	return (a->fid > b->fid) - (a->fid < b->fid);
}

static struct gx_gromox_folder *find(struct gx_gromox_folder *v, size_t n, uint64_t fid)
{
	struct gx_gromox_folder key = {.fid = fid};
	return n == 0 ? NULL : bsearch(&key, v, n, sizeof(*v), by_fid);
}

static int read_rows(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_folder **ret_v, size_t *ret_n)
{
	struct gx_gromox_folder *v = NULL;
	size_t n = 0, cap = 0;
	GX_STMT(st, g->q, g->q_folders);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_gromox_folder f = {.fid = gx_sql__u64(st, 0), .parent = gx_sql__u64(st, 1), .cn = gx_sql__u64(st, 2),
			.deleted = gx_sql__int(st, 3) != 0, .search = gx_sql__int(st, 4) != 0,
			.search_flags = (uint32_t)gx_sql__int(st, 5)};
		gx_gromox__about(&g->notes, "folder %llx", (unsigned long long)f.fid);
		if (f.fid == 0 || f.fid > GX_COUNTER_MAX) {
			err = gx_gromox__note(&g->notes, GX_CONV_FOLDER, NULL, "has a number that cannot be; left out");
			continue;
		}
		if (f.cn > GX_COUNTER_MAX)
			f.cn = 0;
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n++] = f;
	}
	*ret_v = v;
	*ret_n = n;
	return err != 0 ? err : r;
}

/* Number of folders above; -1 when the root is not among them. */
static int depth_of(struct gx_gromox_folder *v, size_t n, const struct gx_gromox_folder *f)
{
	int depth = 0;
	while (f->parent != 0) {
		f = find(v, n, f->parent);
		if (f == NULL || ++depth > DEPTH_MAX)
			return -1;
	}
	return f->fid == GX_FID_ROOT ? depth : -1;
}

static int mend(struct gx_gromox *g, struct gx_gromox_folder *v, size_t n, uint64_t lost)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].fid == GX_FID_ROOT)
			v[i].parent = 0;
		if (depth_of(v, n, &v[i]) >= 0)
			continue;
		gx_gromox__about(&g->notes, "folder %llx", (unsigned long long)v[i].fid);
		v[i].parent = v[i].fid == lost ? GX_FID_ROOT : lost;
		int err = gx_gromox__note(&g->notes, GX_CONV_FOLDER, NULL,
			"its parent folder is missing; moved below folder %llx", (unsigned long long)v[i].parent);
		if (err != 0)
			return err;
	}
	return 0;
}

static int sort_down(struct gx_arena *a, struct gx_gromox_folder *v, size_t n, struct gx_gromox_folder **ret_v)
{
	struct gx_gromox_folder *out = gx_arena_new_array(a, struct gx_gromox_folder, n);
	int *depth = gx_arena_new_array(a, int, n);
	size_t k = 0;
	if (out == NULL || depth == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		depth[i] = depth_of(v, n, &v[i]);
	for (int d = 0; k < n && d <= DEPTH_MAX; d++)
		for (size_t i = 0; i < n; i++)
			if (depth[i] == d)
				out[k++] = v[i];
	*ret_v = out;
	return k == n ? 0 : GX_E_INTERNAL;
}

int gx_gromox__folders(struct gx_gromox *g, uint64_t lost, struct gx_arena *a, struct gx_gromox_folder **ret_v,
	size_t *ret_n)
{
	struct gx_gromox_folder *v;
	size_t n = 0;
	int err = read_rows(g, a, &v, &n);
	if (err == 0 && find(v, n, GX_FID_ROOT) == NULL)
		err = gx_sql__fail(g->q, GX_E_FORMAT, "%s/exmdb/exchange.sqlite3: has no root folder", g->dir);
	/* The folder for what is lost must itself hang on the root. */
	if (err == 0 && find(v, n, lost) != NULL && depth_of(v, n, find(v, n, lost)) < 0)
		find(v, n, lost)->parent = GX_FID_ROOT;
	if (err == 0)
		err = mend(g, v, n, find(v, n, lost) != NULL ? lost : GX_FID_ROOT);
	if (err == 0)
		err = sort_down(a, v, n, ret_v);
	*ret_n = n;
	return err;
}

/* ---- Search folders ---- */

static int scope(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, uint64_t **ret_v, size_t *ret_n)
{
	uint64_t *v = NULL;
	size_t n = 0, cap = 0;
	GX_STMT(st, g->q, "SELECT included_fid FROM search_scopes WHERE folder_id=?1 ORDER BY included_fid");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n++] = gx_sql__u64(st, 0);
	}
	*ret_v = v;
	*ret_n = n;
	return r;
}

int gx_gromox__criteria(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, const struct gx_restr **ret_criteria,
	uint64_t **ret_scope, size_t *ret_n)
{
	const struct gx_gromox_px x = {.a = a, .map = g->map};
	*ret_criteria = NULL;
	*ret_scope = NULL;
	*ret_n = 0;
	if (!gx_gromox__has_table(g->q, "search_scopes"))
		return 0;
	GX_STMT(st, g->q, "SELECT search_criteria FROM folders WHERE folder_id=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st), err;
	if (r <= 0 || gx_sql__is_null(st, 0))
		return r < 0 ? r : 0;
	struct gx_bin b = gx_sql__blob(st, 0);
	uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	if (p == NULL)
		return GX_E_NOMEM;
	err = gx_gromox__restr(&x, (struct gx_bin){p, b.len}, ret_criteria);
	if (err == GX_E_NOMEM)
		return err;
	if (err != 0)
		return gx_gromox__note(&g->notes, GX_CONV_SEARCH, NULL, err == GX_E_NOTFOUND ?
			"its criteria name a property without a name; the folder has none now" :
			"its criteria are damaged; the folder has none now");
	return scope(g, fid, a, ret_scope, ret_n);
}

/* ---- Rights ---- */

int gx_gromox__permissions(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, struct gx_gromox_perm **ret_v,
	size_t *ret_n)
{
	struct gx_gromox_perm *v = NULL;
	size_t n = 0, cap = 0;
	GX_STMT(st, g->q, "SELECT username,permission FROM permissions WHERE folder_id=?1 ORDER BY member_id");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n] = (struct gx_gromox_perm){.member = gx_arena_strdup(a, gx_sql__text(st, 0)),
			.rights = (uint32_t)gx_sql__int(st, 1)};
		if (v[n++].member == NULL)
			return GX_E_NOMEM;
	}
	*ret_v = v;
	*ret_n = n;
	return r;
}

/* ---- Rules ---- */

static int copy_blob(struct gx_arena *a, struct gx_stmt *st, int c, struct gx_bin *ret_b)
{
	struct gx_bin b = gx_sql__blob(st, c);
	uint8_t *p = gx_arena_memdup(a, b.data, b.len);
	*ret_b = (struct gx_bin){p, b.len};
	return p == NULL ? GX_E_NOMEM : 0;
}

/* 1 a rule, 0 a damaged one. */
static int rule(struct gx_gromox *g, struct gx_arena *a, struct gx_stmt *st, struct gx_gromox_rule *r)
{
	const struct gx_gromox_px x = {.a = a, .map = g->map};
	struct gx_bin condition, actions;
	*r = (struct gx_gromox_rule){.id = gx_sql__u64(st, 0), .name = gx_arena_strdup(a, gx_sql__text(st, 1)),
		.provider = gx_arena_strdup(a, gx_sql__text(st, 2)), .sequence = (uint32_t)gx_sql__int(st, 3),
		.state = (uint32_t)gx_sql__int(st, 4), .level = (uint32_t)gx_sql__int(st, 5),
		.user_flags = (uint32_t)gx_sql__int(st, 6)};
	if (r->name == NULL || r->provider == NULL)
		return GX_E_NOMEM;
	int err = gx_sql__is_null(st, 7) ? 0 : copy_blob(a, st, 7, &r->provider_data);
	err = err != 0 ? err : copy_blob(a, st, 8, &condition);
	err = err != 0 ? err : copy_blob(a, st, 9, &actions);
	if (err != 0)
		return err;
	err = condition.len == 0 ? 0 : gx_gromox__restr(&x, condition, &r->condition);
	const char *what = "conditions";
	if (err == 0) {
		err = gx_gromox__actions(&x, actions, &r->actions);
		what = "actions";
	}
	if (err == 0 || err == GX_E_NOMEM)
		return err != 0 ? err : 1;
	return gx_gromox__note(&g->notes, GX_CONV_RULE, NULL, "rule %llu \"%.100s\": its %s cannot be read; left out",
		(unsigned long long)r->id, r->name, what);
}

int gx_gromox__rules(struct gx_gromox *g, uint64_t fid, struct gx_arena *a, struct gx_gromox_rule **ret_v,
	size_t *ret_n)
{
	struct gx_gromox_rule *v = NULL;
	size_t n = 0, cap = 0;
	*ret_v = NULL;
	*ret_n = 0;
	GX_STMT(st, g->q, "SELECT rule_id,name,provider,sequence,state,level,user_flags,provider_data,condition,actions"
		" FROM rules WHERE folder_id=?1 ORDER BY sequence,rule_id");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		int got = rule(g, a, st, &v[n]);
		if (got < 0)
			return got;
		n += (size_t)got;
	}
	*ret_v = v;
	*ret_n = n;
	return r;
}

/* ---- Receive folders ---- */

int gx_gromox__receive(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_receive **ret_v, size_t *ret_n)
{
	struct gx_gromox_receive *v = NULL;
	size_t n = 0, cap = 0;
	*ret_v = NULL;
	*ret_n = 0;
	if (!gx_gromox__has_table(g->q, "receive_table"))
		return 0;
	GX_STMT(st, g->q, "SELECT class,folder_id,modified_time FROM receive_table ORDER BY class");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n] = (struct gx_gromox_receive){.cls = gx_arena_strdup(a, gx_sql__text(st, 0)), .fid = gx_sql__u64(st, 1),
			.modified = gx_sql__u64(st, 2)};
		if (v[n++].cls == NULL)
			return GX_E_NOMEM;
	}
	*ret_v = v;
	*ret_n = n;
	return r;
}
