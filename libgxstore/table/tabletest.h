/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of tables share: one store, and short ways to open and read tables. */
#ifndef GXSTORE_TABLETEST_H
#define GXSTORE_TABLETEST_H
#include "libgxstore/table/table-int.h"
#include "libgxstore/storetest.h"

static struct {
	char dir[512];
	struct gx_store *s;
	struct gx_arena *a;
} w;

static inline void setup(void)
{
	snprintf(w.dir, sizeof(w.dir), "%s", st_dir());
	st_create(w.dir);
	w.s = st_open(w.dir);
	w.a = gx_arena_new(0);
}

static inline void teardown(void)
{
	st_verify(w.s);
	gx_store_close(w.s);
	gx_arena_free(w.a);
	st_rmtree(w.dir);
}

static inline struct gx_txn *begin_as(const struct gx_actor *actor, int mode)
{
	struct gx_txn *t = NULL;
	ck_assert_int_eq(gx_txn_begin(w.s, actor, mode, 10000, &t), 0);
	return t;
}

static inline struct gx_table_opts opts(uint64_t fid, uint32_t flags)
{
	struct gx_table_opts o = GX_TABLE_OPTS_INIT;
	o.fid = fid;
	o.flags = flags;
	return o;
}

static inline struct gx_table *contents(struct gx_txn *t, struct gx_table_opts o)
{
	struct gx_table *tb = NULL;
	ST_OK(gx_table_open_contents(t, &o, &tb));
	return tb;
}

static inline struct gx_table *hierarchy(struct gx_txn *t, uint64_t fid, uint32_t flags)
{
	struct gx_table_opts o = opts(fid, flags);
	struct gx_table *tb = NULL;
	ST_OK(gx_table_open_hierarchy(t, &o, &tb));
	return tb;
}

static inline uint32_t count(struct gx_table *tb, struct gx_txn *t)
{
	uint32_t n;
	ST_OK(gx_table_count(tb, t, &n));
	return n;
}

static inline struct gx_table_row *rows(
	struct gx_table *tb, struct gx_txn *t, const gx_proptag_t *cols, size_t ncols, size_t *ret_n)
{
	struct gx_table_row *r;
	ST_OK(gx_table_query(tb, t, 0, 1000, cols, ncols, w.a, &r, ret_n));
	return r;
}

static inline uint64_t new_folder(struct gx_txn *t, uint64_t parent, const char *name)
{
	uint64_t fid;
	ST_OK(gx_folder_create(t, parent, name, "IPF.Note", GX_FOLDER_GENERIC, NULL, &fid));
	return fid;
}

/* A message with these properties. */
static inline uint64_t insert(
	struct gx_txn *t, uint64_t fid, const struct gx_propval *v, size_t n, gx_nttime_t time, uint32_t flags)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	struct gx_msgobj *m = gx_msgobj_new(w.a);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(gx_proplist_set(&m->props, w.a, v[i].tag, v[i].v), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(w.a, &src, &p), 0);
	o.received = time;
	o.flags = flags;
	ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
	gx_msg_prepared_release(p);
	return ids.mid;
}

static inline uint64_t insert_subject(struct gx_txn *t, uint64_t fid, const char *subject, gx_nttime_t time)
{
	struct gx_propval pv = {PidTagSubject, {.str = subject}};
	return insert(t, fid, &pv, 1, time, 0);
}
#endif
