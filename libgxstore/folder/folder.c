/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/far-int.h"
#include "libgxstore/content/pread-int.h"

/* Looking folders up. */

char *gx_fold__key(struct gx_arena *a, const char *s)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	const char *end = s + strlen(s);
	while (s < end)
		gx_utf8_put(&b, gx_utf8_fold(gx_utf8_next(&s, end)));
	char *r = b.err != 0 ? NULL : gx_arena_strdup(a, gx_strbuf_cstr(&b));
	gx_strbuf_release(&b);
	return r;
}

bool gx_folder__builtin(const struct gx_store *s, uint64_t fid)
{
	return fid <= (s->is_public ? (uint64_t)GX_FID_PUB_EFORMS : (uint64_t)GX_FID_CONVACTION);
}

int gx_folder__row(struct gx_txn *t, uint64_t fid, struct gx_folder_row *ret_r)
{
	GX_STMT(st, t->q, "SELECT parent,flags,type FROM folders WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_NOTFOUND : r;
	*ret_r = (struct gx_folder_row){.fid = fid, .parent = gx_sql__u64(st, 0),
		.flags = (uint32_t)gx_sql__int(st, 1), .type = (uint8_t)gx_sql__int(st, 2)};
	return ret_r->flags & GX_FF_DELETED ? GX_E_NOTFOUND : 0;
}

gx_ec gx_folder__need(struct gx_txn *t, uint64_t fid, uint32_t rights, struct gx_folder_row *ret_r)
{
	int err = gx_folder__row(t, fid, ret_r);
	if (err == GX_E_NOTFOUND)
		return gx_txn__fail(t, ecNotFound, "no folder %llx", (unsigned long long)fid);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (rights == 0 || gx_txn__all_rights(t))
		return GX_OK_EC;
	uint32_t have = 0;
	err = gx_perm__rights(t, fid, &have);
	if (err != 0)
		return gx_txn__ec(t, err);
	if (!(have & (rights | GX_RIGHT_OWNER)))
		return gx_txn__fail(t, ecAccessDenied, "folder %llx: rights %x are not enough", (unsigned long long)fid, have);
	return GX_OK_EC;
}

static const char *special_use(const struct gx_store *s, uint64_t fid)
{
	if (s->is_public)
		return NULL;
	switch (fid) { /* [RFC 6154] 2 */
	case GX_FID_SENT:
		return "\\Sent";
	case GX_FID_DELETED:
		return "\\Trash";
	case GX_FID_DRAFTS:
		return "\\Drafts";
	case GX_FID_JUNK:
		return "\\Junk";
	default:
		return NULL;
	}
}

#define INFO_COLUMNS "SELECT f.fid,f.parent,f.name,f.class,f.type,f.flags,f.cn,s.uidvalidity,s.uidnext,s.modseq," \
	"s.total,s.unread,s.fai,s.softdel,s.size,s.fai_size,s.removed,s.changed_at," \
	"(SELECT COUNT(*) FROM folders c WHERE c.parent=f.fid AND NOT c.flags&1)" \
	" FROM folders f JOIN fstate s ON s.fid=f.fid "

static int info_from(struct gx_txn *t, struct gx_stmt *st, struct gx_arena *a, struct gx_folder_info *i)
{
	uint32_t flags = (uint32_t)gx_sql__int(st, 5);
	*i = (struct gx_folder_info){
		.fid = gx_sql__u64(st, 0), .parent = gx_sql__u64(st, 1), .type = (uint8_t)gx_sql__int(st, 4),
		.deleted = flags & GX_FF_DELETED, .hidden = flags & GX_FF_HIDDEN, .subscribed = flags & GX_FF_SUBSCRIBED,
		.cn = gx_sql__u64(st, 6), .uidvalidity = (uint32_t)gx_sql__u64(st, 7), .uidnext = (uint32_t)gx_sql__u64(st, 8),
		.highest_modseq = gx_sql__u64(st, 9), .total = gx_sql__u64(st, 10), .unread = gx_sql__u64(st, 11),
		.fai = gx_sql__u64(st, 12), .deleted_count = gx_sql__u64(st, 13), .size = gx_sql__u64(st, 14),
		.fai_size = gx_sql__u64(st, 15), .removed = gx_sql__u64(st, 16), .changed_at = gx_sql__u64(st, 17),
		.subfolders = (uint32_t)gx_sql__u64(st, 18),
	};
	i->name = gx_arena_strdup(a, gx_sql__text(st, 2));
	i->container_class = gx_arena_strdup(a, gx_sql__text(st, 3));
	i->special_use = special_use(t->s, i->fid);
	if (gx_pread__personal(t)) {
		int err = gx_pread__unread(t, t->actor->user, i->fid, i->total, &i->unread);
		if (err != 0)
			return err;
	}
	if (t->s->o.pf_reads != GX_PF_COUNTED)
		i->unread = 0;
	return i->name == NULL || i->container_class == NULL ? GX_E_NOMEM : 0;
}

int gx_folder__visible(struct gx_txn *t, uint64_t fid)
{
	uint32_t rights = 0;
	if (gx_txn__all_rights(t))
		return 1;
	int err = gx_perm__rights(t, fid, &rights);
	return err != 0 ? err : (rights & (GX_RIGHT_VISIBLE | GX_RIGHT_OWNER)) != 0;
}

int gx_folder__info(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info)
{
	int err = gx_fstate__write(t);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, INFO_COLUMNS "WHERE f.fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = gx_sql__step(st);
	return r > 0 ? info_from(t, st, a, ret_info) : r == 0 ? GX_E_NOTFOUND : r;
}

gx_ec gx_folder_get(struct gx_txn *t, uint64_t fid, struct gx_arena *a, struct gx_folder_info *ret_info)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_get(t, fid, a, ret_info);
	struct gx_folder_info info;
	int r = gx_folder__info(t, fid, a, &info);
	if (r == GX_E_NOTFOUND || (r == 0 && info.deleted))
		return gx_txn__fail(t, ecNotFound, "no folder %llx", (unsigned long long)fid);
	if (r != 0)
		return gx_txn__ec(t, r);
	int see = gx_folder__visible(t, fid);
	if (see < 0)
		return gx_txn__ec(t, see);
	if (!see)
		return gx_txn__fail(t, ecAccessDenied, "folder %llx is not visible", (unsigned long long)fid);
	*ret_info = info;
	return GX_OK_EC;
}

struct list {
	struct gx_arena *a;
	struct gx_folder_info *v;
	size_t n, cap;
};

/* Appends the children of one folder. */
static int add_children(struct gx_txn *t, struct list *l, uint64_t parent)
{
	GX_STMT(st, t->q, INFO_COLUMNS "WHERE f.parent=?1 AND NOT f.flags&1 ORDER BY f.fold");
	gx_sql__bind_int(st, 1, (int64_t)parent);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int see = gx_folder__visible(t, gx_sql__u64(st, 0));
		if (see < 0)
			return see;
		if (!see)
			continue;
		l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
		if (l->v == NULL)
			return GX_E_NOMEM;
		int err = info_from(t, st, l->a, &l->v[l->n]);
		if (err != 0)
			return err;
		l->n++;
	}
	return r;
}

/* Level after level: a parent always comes before its children, and no depth is too deep. */
gx_ec gx_folder_list(struct gx_txn *t, uint64_t parent, bool deep, struct gx_arena *a, struct gx_folder_info **ret_v, size_t *ret_n)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_list(t, parent, deep, a, ret_v, ret_n);
	struct gx_folder_row row;
	struct list l = {.a = a};
	gx_ec ec = gx_folder__need(t, parent, 0, &row);
	if (gx_ec_failed(ec))
		return ec;
	int err = gx_fstate__write(t);
	if (err == 0)
		err = add_children(t, &l, parent);
	for (size_t i = 0; err == 0 && deep && i < l.n; i++)
		if (l.v[i].subfolders > 0)
			err = add_children(t, &l, l.v[i].fid);
	if (err != 0)
		return gx_txn__ec(t, err);
	*ret_v = l.v;
	*ret_n = l.n;
	return GX_OK_EC;
}

gx_ec gx_folder_by_name(struct gx_txn *t, uint64_t parent, const char *name, uint64_t *ret_fid)
{
	if (gx_far(t) != NULL)
		return gx_far(t)->folder_by_name(t, parent, name, ret_fid);
	char *fold = gx_fold__key(t->a, name);
	if (fold == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	GX_STMT(st, t->q, "SELECT fid FROM folders WHERE parent=?1 AND fold=?2 AND NOT flags&1");
	gx_sql__bind_int(st, 1, (int64_t)parent);
	gx_sql__bind_text(st, 2, fold);
	int r = gx_sql__step(st);
	if (r < 0)
		return gx_txn__ec(t, r);
	uint64_t fid = r > 0 ? gx_sql__u64(st, 0) : 0;
	if (r > 0)
		r = gx_folder__visible(t, fid);
	if (r < 0)
		return gx_txn__ec(t, r);
	if (r == 0)
		return GX_EC(ecNotFound);
	*ret_fid = fid;
	return GX_OK_EC;
}
