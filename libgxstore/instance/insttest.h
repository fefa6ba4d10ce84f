/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of instances share. */
#ifndef GXSTORE_INSTTEST_H
#define GXSTORE_INSTTEST_H
#include "libgxstore/instance/inst-int.h"
#include "libgxstore/storetest.h"

static char it_dir[512];
static struct gx_store *it_s;
static struct gx_arena *it_a;

static inline void it_setup(void)
{
	snprintf(it_dir, sizeof(it_dir), "%s", st_dir());
	st_create(it_dir);
	it_s = st_open(it_dir);
	it_a = gx_arena_new(0);
}

static inline void it_teardown(void)
{
	st_verify(it_s);
	gx_store_close(it_s);
	it_s = st_open(it_dir); /* nothing is left that only an open store could explain */
	struct gx_txn *t = st_begin(it_s, GX_TXN_READ);
	GX_STMT(st, t->q, "SELECT COUNT(*) FROM shared WHERE refs=0");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_int_eq(gx_sql__int(st, 0), 0);
	gx_sql__done(st);
	st = NULL;
	gx_txn_abort(t);
	gx_store_close(it_s);
	gx_arena_free(it_a);
	st_rmtree(it_dir);
}

static inline struct gx_inst *it_new(struct gx_txn *t, uint64_t fid)
{
	struct gx_inst *i = NULL;
	ST_OK(gx_inst_new(t, fid, NULL, &i));
	return i;
}

static inline struct gx_inst *it_open(struct gx_txn *t, uint64_t mid)
{
	struct gx_inst *i = NULL;
	ST_OK(gx_inst_open(t, 0, mid, GX_INST_WRITE, &i));
	return i;
}

static inline struct gx_save_result it_save(struct gx_txn *t, struct gx_inst *i)
{
	struct gx_save_result r = {0};
	ST_OK(gx_inst_save(t, i, 0, &r));
	return r;
}

static inline void it_set(struct gx_inst *i, gx_proptag_t tag, union gx_value v)
{
	struct gx_proplist l = {0};
	struct gx_problems p;
	ck_assert_int_eq(gx_proplist_set(&l, it_a, tag, v), 0);
	ST_OK(gx_inst_set_props(i, &l, 0, it_a, &p));
	ck_assert_msg(p.count == 0, "%08x: %s", (unsigned)tag, p.count == 0 ? "" : gx_ec_name(GX_EC(p.v[0].err)));
}

static inline void it_set_str(struct gx_inst *i, gx_proptag_t tag, const char *s)
{
	it_set(i, tag, (union gx_value){.str = s});
}

static inline void it_set_i32(struct gx_inst *i, gx_proptag_t tag, int32_t n)
{
	it_set(i, tag, (union gx_value){.i32 = n});
}

static inline void it_set_bin(struct gx_inst *i, gx_proptag_t tag, const void *p, size_t n)
{
	it_set(i, tag, (union gx_value){.bin = {p, n}});
}

/* What setting is answered with. */
static inline uint32_t it_problem(struct gx_inst *i, gx_proptag_t tag, union gx_value v, uint32_t flags)
{
	struct gx_proplist l = {0};
	struct gx_problems p;
	ck_assert_int_eq(gx_proplist_set(&l, it_a, tag, v), 0);
	ST_OK(gx_inst_set_props(i, &l, flags, it_a, &p));
	ck_assert(p.count <= 1);
	if (p.count == 1) {
		ck_assert_uint_eq(p.v[0].index, 0);
		ck_assert_uint_eq(p.v[0].tag, tag);
	}
	return p.count == 0 ? ecSuccess : p.v[0].err;
}

static inline const struct gx_propval *it_get(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag)
{
	struct gx_proplist *l = gx_arena_new_obj(it_a, struct gx_proplist);
	ST_OK(gx_inst_get_props(t, i, &tag, 1, 0, it_a, l));
	return l->count == 0 ? NULL : &l->v[0];
}

static inline const char *it_str(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag)
{
	const struct gx_propval *pv = it_get(t, i, tag);
	return pv == NULL ? "(none)" : pv->v.str;
}

static inline int32_t it_i32(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag)
{
	const struct gx_propval *pv = it_get(t, i, tag);
	ck_assert_msg(pv != NULL, "%08x is missing", (unsigned)tag);
	return pv->v.i32;
}

static inline struct gx_msg_info it_info(struct gx_txn *t, uint64_t mid)
{
	struct gx_msg_info x;
	ST_OK(gx_msg_get(t, mid, &x));
	return x;
}

/* Bytes that do not compress, the same for the same seed. */
static inline uint8_t *it_noise(size_t n, uint64_t seed)
{
	uint8_t *p = gx_arena_alloc(it_a, n + 1);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(seed >> 56);
	}
	p[n] = 0;
	return p;
}

/* A new attachment with data, saved into its message. */
static inline uint32_t it_attach(struct gx_txn *t, struct gx_inst *m, const char *name, const void *p, size_t n)
{
	struct gx_inst *x;
	uint32_t num;
	ST_OK(gx_inst_att_new(t, m, &num, &x));
	it_set_str(x, PidTagAttachLongFilename, name);
	it_set_i32(x, PidTagAttachMethod, 1);
	it_set_bin(x, PidTagAttachDataBinary, p, n);
	ST_OK(gx_inst_save(t, x, 0, NULL));
	gx_inst_free(x);
	return num;
}

static inline struct gx_bin it_att_data(struct gx_txn *t, struct gx_inst *m, uint32_t num)
{
	struct gx_inst *x;
	ST_OK(gx_inst_att_open(t, m, num, GX_INST_READ, &x));
	const struct gx_propval *pv = it_get(t, x, PidTagAttachDataBinary);
	ck_assert_ptr_nonnull(pv);
	gx_inst_free(x);
	return pv->v.bin;
}

static inline void it_rcpt(struct gx_inst *i, int32_t row, const char *name, const char *smtp)
{
	struct gx_proplist l = {0};
	ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagRowid, row), 0);
	if (smtp != NULL) {
		ck_assert_int_eq(gx_proplist_set_i32(&l, it_a, PidTagRecipientType, 1), 0);
		ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagDisplayName, name), 0);
		ck_assert_int_eq(gx_proplist_set_str(&l, it_a, PidTagSmtpAddress, smtp), 0);
	}
	ST_OK(gx_inst_set_rcpts(i, &l, 1));
}

/* A number out of the database. */
static inline int64_t it_count(struct gx_txn *t, const char *sql)
{
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(t->q->db, sql, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}
#endif
