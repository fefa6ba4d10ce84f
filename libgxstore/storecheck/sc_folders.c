/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of folders, the tree they form, their names. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

/* ---- Rows ---- */

static const struct gx_store_check_info row_subs[] = {
	{"folder-missing", "folder", "all built-in folders are there", GX_FINDING_BROKEN, true},
	{"folder-type", "folder", "a folder has a type and flags that there are", GX_FINDING_WRONG, true},
	{"folder-place", "folder", "a built-in folder is where it belongs and not deleted", GX_FINDING_BROKEN, true},
	{"folder-props", "folder", "properties of a folder can be read", GX_FINDING_BROKEN, true},
	{"folder-numbers", "folder", "a folder has an id and a change number of 48 bits", GX_FINDING_WRONG, true},
};

/* By its English name. */
static struct gx_folder_new as_new(const struct gx_builtin *b)
{
	const char *name = b->localised >= 0 ? gx_builtin__names(NULL)[b->localised] : b->name;
	return (struct gx_folder_new){.fid = b->fid, .parent = b->parent, .name = name, .container_class = b->cls,
		.type = b->type, .flags = b->flags};
}

static int find_builtin(struct gx_sc *k)
{
	int err = 0;
	size_t n;
	const struct gx_builtin *v = gx_builtin__folders(k->s->is_public, &n);
	for (size_t i = 0; err == 0 && i < n; i++) {
		struct gx_folder_new b = as_new(&v[i]);
		GX_STMT(st, k->q, "SELECT parent,flags FROM folders WHERE fid=?1");
		gx_sql__bind_int(st, 1, (int64_t)b.fid);
		int r = gx_sql__step(st);
		if (r < 0)
			return r;
		if (r == 0)
			err = gx_sc__say(k, 0, b.fid, "the folder \"%s\" is missing", b.name);
		else if (gx_sql__u64(st, 0) != b.parent || (gx_sql__int(st, 1) & GX_FF_DELETED) != 0)
			err = gx_sc__say(k, 2, b.fid, "the folder \"%s\" is in %llx, with flags %llx", b.name,
				(unsigned long long)gx_sql__u64(st, 0), (unsigned long long)gx_sql__u64(st, 1));
	}
	return err;
}

static int check_props(struct gx_sc *k, struct gx_arena *a, uint64_t fid, struct gx_bin row)
{
	struct gx_proplist l = {0};
	int err = row.len == 0 ? 0 : gx_prow_unpack(a, row.data, row.len, &l);
	return err == 0 || err == GX_E_NOMEM ? err :
		gx_sc__say(k, 3, fid, "the properties of folder %llx are damaged", (unsigned long long)fid);
}

static int find_rows(struct gx_sc *k)
{
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = find_builtin(k), r = 0;
	GX_STMT(st, k->q, "SELECT fid,type,flags,cn,props FROM folders");
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		uint64_t fid = gx_sql__u64(st, 0), cn = gx_sql__u64(st, 3);
		int64_t type = gx_sql__int(st, 1);
		gx_arena_reset(a);
		if ((type != GX_FOLDER_GENERIC && type != GX_FOLDER_SEARCH) || gx_sql__is_null(st, 2) ||
		    (gx_sql__u64(st, 2) & ~(uint64_t)(GX_FF_DELETED | GX_FF_HIDDEN | GX_FF_SUBSCRIBED | GX_FF_BELOW | GX_FF_FOUND)) != 0)
			err = gx_sc__say(k, 1, fid, "folder %llx has type %lld and flags %llx", (unsigned long long)fid, (long long)type,
				(unsigned long long)gx_sql__u64(st, 2));
		if (err == 0)
			err = check_props(k, a, fid, gx_sql__blob(st, 4));
		if (err == 0 && (cn == 0 || cn > GX_COUNTER_MAX))
			err = gx_sc__say(k, 4, fid, "folder %llx has change number %llx", (unsigned long long)fid, (unsigned long long)cn);
	}
	gx_arena_free(a);
	return err != 0 ? err : r;
}

static bool builtin_of(const struct gx_sc *k, uint64_t fid, struct gx_folder_new *ret_b)
{
	size_t n;
	const struct gx_builtin *v = gx_builtin__folders(k->s->is_public, &n);
	*ret_b = (struct gx_folder_new){.type = GX_FOLDER_GENERIC};
	for (size_t i = 0; i < n; i++)
		if (v[i].fid == fid) {
			*ret_b = as_new(&v[i]);
			return true;
		}
	return false;
}

/* As it was made with the store; what it had of counters is counted again. */
static int make_builtin(struct gx_sc *k, const struct gx_folder_new *b)
{
	int err = gx_sc__run(k, "DELETE FROM fstate WHERE fid=?1", b->fid, 0);
	return err != 0 ? err : gx_folder__insert(k->t, b);
}

static int repair_row(struct gx_sc *k, const struct gx_sc_item *i)
{
	struct gx_folder_new b;
	int err = 0;
	builtin_of(k, i->object, &b);
	switch (i->sub) {
	case 0:
		return make_builtin(k, &b);
	case 1:
		return gx_sc__run(k,
			"UPDATE folders SET type=CASE WHEN type IN(1,2) THEN type ELSE ?2 END, flags=COALESCE(flags,0)&15 WHERE fid=?1",
			i->object, b.type);
	case 2:
		err = gx_sc__run(k, "UPDATE folders SET parent=?2, flags=flags&~9 WHERE fid=?1", i->object, b.parent);
		break;
	case 3:
		err = gx_sc__set_aside(k, "folders", "fid=?1", i->object);
		err = err != 0 ? err : gx_sc__run(k, "UPDATE folders SET props=NULL WHERE fid=?1", i->object, 0);
		break;
	default:
		break;
	}
	return err != 0 ? err : gx_folder__touch(k->t, i->object);
}

static int repair_rows(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = repair_row(k, &v[i]);
	return err;
}

const struct gx_sc_check gx_sc__folder_rows = {
	.subs = row_subs, .nsubs = N(row_subs), .find = find_rows, .repair = repair_rows};

/* ---- The tree ---- */

static const struct gx_store_check_info tree_subs[] = {
	{"folder-parent", "folder", "a folder is in another one that there is", GX_FINDING_BROKEN, true},
	{"folder-cycle", "folder", "no folder is inside itself", GX_FINDING_BROKEN, true},
	{"folder-in-search", "folder", "search folders hold no folders", GX_FINDING_BROKEN, true},
};

struct node {
	uint64_t fid, parent;
	uint32_t mark; /* 0 not seen, 1 reaches the root or was told, else number of the climb that passed it */
	uint8_t type;
};

static int by_fid(const void *x, const void *y)
{
	const struct node *a = x, *b = y;
	return (a->fid > b->fid) - (a->fid < b->fid);
}

static int load(struct gx_sc *k, struct node **ret_v, size_t *ret_n)
{
	GX_STMT(st, k->q, "SELECT fid,parent,type FROM folders ORDER BY fid");
	struct node *v = NULL;
	size_t n = 0, cap = 0;
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(k->a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return GX_E_NOMEM;
		v[n++] = (struct node){.fid = gx_sql__u64(st, 0), .parent = gx_sql__u64(st, 1), .type = (uint8_t)gx_sql__int(st, 2)};
	}
	*ret_v = v;
	*ret_n = n;
	return r;
}

static struct node *node_of(struct node *v, size_t n, uint64_t fid)
{
	struct node key = {.fid = fid};
	return n == 0 ? NULL : bsearch(&key, v, n, sizeof(*v), by_fid);
}

/* From one folder upward; says what is wrong with the first that has no way to the root. */
static int climb(struct gx_sc *k, struct node *v, size_t n, struct node *from, uint32_t number)
{
	struct node *at = from;
	int err = 0;
	for (;;) {
		at->mark = number;
		if (at->fid == GX_FID_ROOT)
			break;
		struct node *up = node_of(v, n, at->parent);
		if (up == NULL)
			err = gx_sc__say(k, 0, at->fid, "folder %llx is in %llx, which is not there",
				(unsigned long long)at->fid, (unsigned long long)at->parent);
		else if (up->mark == number)
			err = gx_sc__say(k, 1, at->fid, "folder %llx is inside itself", (unsigned long long)at->fid);
		else if (up->type == GX_FOLDER_SEARCH)
			err = gx_sc__say(k, 2, at->fid, "folder %llx is in the search folder %llx",
				(unsigned long long)at->fid, (unsigned long long)at->parent);
		else if (up->mark == 0) {
			at = up;
			continue;
		}
		break;
	}
	for (at = from; at != NULL && at->mark == number; at = node_of(v, n, at->parent))
		at->mark = 1;
	return err;
}

static int find_tree(struct gx_sc *k)
{
	struct node *v;
	size_t n;
	int err = load(k, &v, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		if (v[i].mark == 0)
			err = climb(k, v, n, &v[i], (uint32_t)i + 2);
	return err;
}

static int repair_tree(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	uint64_t lost;
	int err = gx_sc__lost_folder(k, &lost);
	for (size_t i = 0; err == 0 && i < n; i++) {
		err = gx_sc__run(k, "UPDATE folders SET parent=?2 WHERE fid=?1", v[i].object, lost);
		if (err == 0)
			err = gx_folder__touch(k->t, v[i].object);
	}
	return err;
}

const struct gx_sc_check gx_sc__folder_tree = {
	.subs = tree_subs, .nsubs = N(tree_subs), .find = find_tree, .repair = repair_tree};

/* ---- Names ---- */

static const struct gx_store_check_info name_subs[] = {
	{"folder-name", "folder", "a folder has a name", GX_FINDING_BROKEN, true},
	{"folder-key", "folder", "the key of a folder is its name without case", GX_FINDING_BROKEN, true},
	{"folder-duplicate", "folder", "no two folders in one have the same name", GX_FINDING_BROKEN, true},
};

#define NAME_MAX_BYTES 1023U

static int check_name(struct gx_sc *k, struct gx_arena *a, uint64_t fid, const char *name, const char *fold)
{
	size_t len = strlen(name);
	if (len == 0 || len > NAME_MAX_BYTES || !gx_utf8_valid(name, len))
		return gx_sc__say(k, 0, fid, "folder %llx has no name that can be used", (unsigned long long)fid);
	char *want = gx_fold__key(a, name);
	if (want == NULL)
		return GX_E_NOMEM;
	return strcmp(want, fold) == 0 ? 0 :
		gx_sc__say(k, 1, fid, "folder %llx, \"%.100s\", has the key \"%.100s\"", (unsigned long long)fid, name, fold);
}

static int find_names(struct gx_sc *k)
{
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int r = 0, err = 0;
	{
		GX_STMT(st, k->q, "SELECT fid,name,fold FROM folders");
		while (err == 0 && (r = gx_sql__step(st)) > 0) {
			gx_arena_reset(a);
			err = check_name(k, a, gx_sql__u64(st, 0), gx_sql__text(st, 1), gx_sql__text(st, 2));
		}
	}
	gx_arena_free(a);
	if (err != 0 || r < 0)
		return err != 0 ? err : r;
	GX_STMT(st, k->q, "SELECT b.fid,b.name FROM folders b WHERE NOT b.flags&1 AND EXISTS(SELECT 1 FROM folders a"
		" WHERE a.parent=b.parent AND a.fold=b.fold AND a.fid<b.fid AND NOT a.flags&1)");
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_sc__say(k, 2, gx_sql__u64(st, 0), "folder %llx has the name \"%.100s\" of another one in the same folder",
			(unsigned long long)gx_sql__u64(st, 0), gx_sql__text(st, 1));
	return err != 0 ? err : r;
}

static int write_name(struct gx_sc *k, uint64_t fid, const char *name)
{
	char *fold = name == NULL ? NULL : gx_fold__key(k->a, name);
	if (fold == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, k->q, "UPDATE folders SET name=?2, fold=?3 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_text(st, 2, name);
	gx_sql__bind_text(st, 3, fold);
	int err = gx_sql__run(st);
	return err != 0 ? err : gx_folder__touch(k->t, fid);
}

static int name_of(struct gx_sc *k, uint64_t fid, const char **ret_name)
{
	GX_STMT(st, k->q, "SELECT name FROM folders WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	*ret_name = r > 0 ? gx_arena_strndup(k->a, gx_sql__text(st, 0), NAME_MAX_BYTES - 20) : NULL;
	return r < 0 ? r : *ret_name == NULL ? GX_E_NOMEM : 0;
}

static int repair_name(struct gx_sc *k, const struct gx_sc_item *i)
{
	struct gx_folder_new b;
	const char *name;
	int err = name_of(k, i->object, &name);
	if (err != 0)
		return err;
	switch (i->sub) {
	case 0:
		err = gx_sc__set_aside(k, "folders", "fid=?1", i->object);
		name = builtin_of(k, i->object, &b) ? b.name : gx_arena_printf(k->a, "Folder %llx", (unsigned long long)i->object);
		break;
	case 1:
		break;
	default:
		name = gx_arena_printf(k->a, "%s (%llx)", gx_utf8_valid(name, strlen(name)) ? name : "Folder",
			(unsigned long long)i->object);
	}
	return err != 0 ? err : write_name(k, i->object, name);
}

static int repair_names(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = repair_name(k, &v[i]);
	return err;
}

const struct gx_sc_check gx_sc__folder_names = {
	.subs = name_subs, .nsubs = N(name_subs), .find = find_names, .repair = repair_names};
