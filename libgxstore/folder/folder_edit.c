/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include "libgxstore/far-int.h"
#include "libgxstore/search/search-int.h"

/* Creating, moving and renaming folders. */

#define NAME_MAX_BYTES 1023U
#define DEPTH_MAX 256

static gx_ec check_name(struct gx_txn *t, const char *name)
{
	size_t n = name == NULL ? 0 : strlen(name);
	if (n == 0 || n > NAME_MAX_BYTES || !gx_utf8_valid(name, n))
		return gx_txn__fail(t, ecInvalidParam, "a folder name is 1 to %u bytes of UTF-8", NAME_MAX_BYTES);
	return GX_OK_EC;
}

/* No sibling but @self may have the name. */
static gx_ec check_free(struct gx_txn *t, uint64_t parent, const char *name, uint64_t self)
{
	char *fold = gx_fold__key(t->a, name);
	if (fold == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	GX_STMT(st, t->q, "SELECT 1 FROM folders WHERE parent=?1 AND fold=?2 AND NOT flags&1 AND fid<>?3");
	gx_sql__bind_int(st, 1, (int64_t)parent);
	gx_sql__bind_text(st, 2, fold);
	gx_sql__bind_int(st, 3, (int64_t)self);
	int r = gx_sql__step(st);
	if (r > 0)
		return gx_txn__fail(t, ecDuplicateName, "there is a folder \"%.100s\" already", name);
	return gx_txn__ec(t, r);
}

/* Number of folders above; GX_E_EXISTS when @fid is among them or is @from itself. */
static int climb(struct gx_txn *t, uint64_t from, uint64_t fid, int *ret_depth)
{
	int depth = 0;
	while (from != 0) {
		struct gx_folder_row row;
		if (from == fid)
			return GX_E_EXISTS;
		if (++depth > DEPTH_MAX)
			break;
		int err = gx_folder__row(t, from, &row);
		if (err != 0)
			return err;
		from = row.parent;
	}
	*ret_depth = depth;
	return 0;
}

int gx_folder__touch(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "UPDATE folders SET cn=?2, modified=?3 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)gx_txn__new_cn(t));
	gx_sql__bind_int(st, 3, (int64_t)gx_store__now(t->s));
	return gx_sql__run(st);
}

int gx_folder__changed(struct gx_txn *t, const struct gx_folder_row *row)
{
	int err = gx_folder__touch(t, row->fid);
	struct gx_event ev = {.type = GX_EV_FOLDER_CHANGED, .fid = row->fid, .parent = row->parent, .cn = t->store_state->modseq};
	return err != 0 ? err : gx_txn__event(t, &ev);
}

int gx_folder__insert(struct gx_txn *t, const struct gx_folder_new *n)
{
	struct gx_fstate *f;
	char *fold = gx_fold__key(t->a, n->name);
	if (fold == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, t->q, "INSERT INTO folders(fid,parent,name,fold,class,type,flags,cn,created,modified,props)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?9,?10)");
	gx_sql__bind_int(st, 1, (int64_t)n->fid);
	gx_sql__bind_int(st, 2, (int64_t)n->parent);
	gx_sql__bind_text(st, 3, n->name);
	gx_sql__bind_text(st, 4, fold);
	gx_sql__bind_text(st, 5, n->container_class == NULL ? "" : n->container_class);
	gx_sql__bind_int(st, 6, n->type);
	gx_sql__bind_int(st, 7, n->flags);
	gx_sql__bind_int(st, 8, (int64_t)(n->cn != 0 ? n->cn : gx_txn__new_cn(t)));
	gx_sql__bind_int(st, 9, (int64_t)gx_store__now(t->s));
	if (n->props.len == 0)
		gx_sql__bind_null(st, 10);
	else
		gx_sql__bind_blob(st, 10, n->props.data, n->props.len);
	int err = gx_sql__run(st);
	if (err == 0)
		err = gx_fstate__add(t, n->fid, &f);
	return err;
}

static gx_ec check_create(struct gx_txn *t, uint64_t parent, const char *name, uint8_t type)
{
	struct gx_folder_row row;
	int depth = 0;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = check_name(t, name);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, parent, GX_RIGHT_CREATE_SUB, &row);
	if (gx_ec_failed(ec))
		return ec;
	if (row.type == GX_FOLDER_SEARCH || (type != GX_FOLDER_GENERIC && type != GX_FOLDER_SEARCH))
		return gx_txn__fail(t, ecInvalidParam, "no folder of that type can be made there");
	int err = climb(t, parent, 0, &depth);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (depth > DEPTH_MAX)
		return gx_txn__fail(t, ecTooComplex, "folders are nested at most %d deep", DEPTH_MAX);
	return check_free(t, parent, name, 0);
}

/* The numbers that the caller brings. */
static gx_ec take_numbers(struct gx_txn *t, const struct gx_folder_create_opts *o, struct gx_folder_new *n)
{
	bool any = (o->cn | o->uidvalidity | o->uidnext) != 0 || o->deleted;
	if (any && !gx_txn__all_rights(t))
		return gx_txn__fail(t, ecAccessDenied, "only the owner chooses numbers");
	if (o->cn > GX_COUNTER_MAX)
		return gx_txn__fail(t, ecInvalidParam, "change numbers have 48 bits");
	if (o->fid != 0) {
		gx_ec ec = gx_txn__claim_id(t, o->fid);
		if (gx_ec_failed(ec))
			return ec;
	}
	gx_txn__raise_cn(t, o->cn);
	n->fid = o->fid != 0 ? o->fid : gx_txn__new_id(t);
	n->cn = o->cn;
	n->flags = o->deleted ? GX_FF_DELETED : 0;
	return GX_OK_EC;
}

static int set_uids(struct gx_txn *t, uint64_t fid, const struct gx_folder_create_opts *o)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(t, fid, &f);
	if (err != 0)
		return err;
	if (o->uidvalidity != 0)
		f->uidvalidity = o->uidvalidity;
	if (o->uidnext != 0)
		f->uidnext = o->uidnext;
	if (f->uidvalidity > t->store_state->uidvalidity)
		t->store_state->uidvalidity = f->uidvalidity;
	return 0;
}

static int make(struct gx_txn *t, const struct gx_folder_create_opts *o, const struct gx_folder_new *n)
{
	int err = gx_folder__insert(t, n);
	if (err == 0)
		err = set_uids(t, n->fid, o);
	if (err == 0)
		err = gx_perm__inherit(t, n->parent, n->fid);
	if (err == 0 && !gx_txn__all_rights(t) && *t->actor->user != '\0') /* its maker owns it */
		err = gx_perm__set(t, n->fid, t->actor->user, GX_RIGHTS_ALL | GX_RIGHT_CONTACT, false);
	struct gx_event ev = {.type = GX_EV_FOLDER_CREATED, .fid = n->fid, .parent = n->parent, .cn = t->store_state->modseq};
	return err != 0 ? err : gx_txn__event(t, &ev);
}

gx_ec gx_folder_create_with(struct gx_txn *t, const struct gx_folder_create_opts *o, uint64_t *ret_fid)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_create(t, o, ret_fid);
	struct gx_folder_new n = {.parent = o->parent, .name = o->name, .container_class = o->container_class,
		.type = o->type == 0 ? GX_FOLDER_GENERIC : o->type};
	gx_ec ec = check_create(t, o->parent, o->name, n.type);
	if (!gx_ec_failed(ec))
		ec = take_numbers(t, o, &n);
	if (gx_ec_failed(ec))
		return ec;
	int err = make(t, o, &n);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (o->props != NULL && o->props->count > 0) {
		ec = gx_folder__init_props(t, &n, o->props);
		if (gx_ec_failed(ec))
			return ec;
	}
	*ret_fid = n.fid;
	return GX_OK_EC;
}

gx_ec gx_folder_create(struct gx_txn *t, uint64_t parent, const char *name, const char *container_class, uint8_t type,
	const struct gx_proplist *props, uint64_t *ret_fid)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	o.parent = parent;
	o.name = name;
	o.container_class = container_class;
	o.type = type;
	o.props = props;
	return type == 0 ? gx_txn__fail(t, ecInvalidParam, "no folder of that type can be made") : gx_folder_create_with(t, &o, ret_fid);
}

static int write_place(struct gx_txn *t, uint64_t fid, uint64_t parent, const char *name)
{
	char *fold = gx_fold__key(t->a, name);
	if (fold == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, t->q, "UPDATE folders SET parent=?2, name=?3, fold=?4 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, (int64_t)parent);
	gx_sql__bind_text(st, 3, name);
	gx_sql__bind_text(st, 4, fold);
	int err = gx_sql__run(st);
	return err != 0 ? err : gx_folder__touch(t, fid);
}

static int current_name(struct gx_txn *t, uint64_t fid, const char **ret_name)
{
	GX_STMT(st, t->q, "SELECT name FROM folders WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	*ret_name = gx_arena_strdup(t->a, gx_sql__text(st, 0));
	return *ret_name == NULL ? GX_E_NOMEM : 0;
}

static gx_ec check_move(struct gx_txn *t, uint64_t fid, uint64_t parent, const char *name, struct gx_folder_row *ret_row)
{
	struct gx_folder_row to;
	int depth;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec) && name != NULL)
		ec = check_name(t, name);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_OWNER, ret_row);
	if (gx_ec_failed(ec))
		return ec;
	if (gx_folder__builtin(t->s, fid))
		return gx_txn__fail(t, ecAccessDenied, "built-in folders keep their place and name");
	if (parent == ret_row->parent)
		return GX_OK_EC;
	ec = gx_folder__need(t, parent, GX_RIGHT_CREATE_SUB, &to);
	if (gx_ec_failed(ec))
		return ec;
	if (to.type == GX_FOLDER_SEARCH)
		return gx_txn__fail(t, ecInvalidParam, "a search folder has no subfolders");
	int err = climb(t, parent, fid, &depth);
	if (err == GX_E_EXISTS)
		return gx_txn__fail(t, ecFolderCycle, "a folder cannot move below itself");
	if (err == 0 && depth > DEPTH_MAX)
		return gx_txn__fail(t, ecTooComplex, "folders are nested at most %d deep", DEPTH_MAX);
	return gx_txn__ec(t, err);
}

gx_ec gx_folder_move(struct gx_txn *t, uint64_t fid, uint64_t new_parent, const char *new_name)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_move(t, fid, new_parent, new_name);
	struct gx_folder_row row;
	gx_ec ec = check_move(t, fid, new_parent, new_name, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = new_name != NULL ? 0 : current_name(t, fid, &new_name);
	if (err != 0)
		return gx_txn__ec(t, err);
	ec = check_free(t, new_parent, new_name, fid);
	if (gx_ec_failed(ec))
		return ec;
	err = write_place(t, fid, new_parent, new_name);
	if (err == 0 && new_parent != row.parent)
		err = gx_search__moved(t, NULL, 0);
	struct gx_event ev = {.type = new_parent == row.parent ? GX_EV_FOLDER_CHANGED : GX_EV_FOLDER_MOVED,
		.fid = fid, .parent = new_parent, .old_fid = row.parent, .cn = t->store_state->modseq};
	if (err == 0)
		err = gx_txn__event(t, &ev);
	return gx_txn__ec(t, err);
}

gx_ec gx_folder__rename(struct gx_txn *t, const struct gx_folder_row *row, const char *name)
{
	gx_ec ec = check_name(t, name);
	if (!gx_ec_failed(ec))
		ec = check_free(t, row->parent, name, row->fid);
	return gx_ec_failed(ec) ? ec : gx_txn__ec(t, write_place(t, row->fid, row->parent, name));
}

gx_ec gx_folder_set_subscribed(struct gx_txn *t, uint64_t fid, bool on)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_set_subscribed(t, fid, on);
	struct gx_folder_row row;
	gx_ec ec = gx_txn__writable(t);
	if (!gx_ec_failed(ec))
		ec = gx_folder__need(t, fid, GX_RIGHT_VISIBLE | GX_RIGHT_READ, &row);
	if (gx_ec_failed(ec))
		return ec;
	GX_STMT(st, t->q, "UPDATE folders SET flags=?2 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, on ? row.flags | GX_FF_SUBSCRIBED : row.flags & ~(uint32_t)GX_FF_SUBSCRIBED);
	return gx_txn__ec(t, gx_sql__run(st));
}

gx_ec gx_folder__check_free(struct gx_txn *t, const struct gx_folder_row *row)
{
	const char *name = NULL;
	int err = current_name(t, row->fid, &name);
	return err != 0 ? gx_txn__ec(t, err) : check_free(t, row->parent, name, row->fid);
}
