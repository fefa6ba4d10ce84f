/* SPDX-License-Identifier: Apache-2.0 */
/* What the store's tests share: a store in a directory of its own, and mail to put into it. */
#ifndef GXSTORE_STORETEST_H
#define GXSTORE_STORETEST_H
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>
#include "tests/gxtest.h"
#include "libgxstore/store-int.h"

static const struct gx_actor sys_actor = GX_ACTOR_SYSTEM;

static inline int st_remove(const char *path, const struct stat *sb, int kind, struct FTW *f)
{
	(void)sb;
	(void)kind;
	(void)f;
	return remove(path);
}

static inline void st_rmtree(const char *dir)
{
	ck_assert_int_eq(nftw(dir, st_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The name stays valid until the next call. */
static inline const char *st_dir(void)
{
	static char dir[512];
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof(dir), "%s/gxstore-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

static inline void st_create(const char *dir)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	o.owner_id = 7;
	o.owner = "u@example.org";
	int err = gx_store_create(dir, &o, a, &why);
	ck_assert_msg(err == 0, "create: %d %s", err, why);
	gx_arena_free(a);
}

static inline struct gx_store *st_open_with(const char *dir, const struct gx_store_opts *o)
{
	struct gx_store *s = NULL;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	int err = gx_store_open(dir, o, &s, a, &why);
	ck_assert_msg(err == 0, "open: %d %s", err, why);
	gx_arena_free(a);
	return s;
}

static inline struct gx_store *st_open(const char *dir)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.search_pacing_ms = 3600000; /* what a search finds at once is a matter of numbers, not of time */
	return st_open_with(dir, &o);
}

static inline void st_complain(const char *line, void *ctx)
{
	(void)ctx;
	fprintf(stderr, "# verify: %s\n", line);
}

static inline void st_verify(struct gx_store *s)
{
	ck_assert_int_eq(gx_store_verify(s, st_complain, NULL), 0);
}

#define ST_OK(ec) \
	do { \
		gx_ec st_ec_ = (ec); \
		ck_assert_msg(!gx_ec_failed(st_ec_), "%s gave %s", #ec, gx_ec_name(st_ec_)); \
	} while (0)
#define ST_IS(ec, code) \
	do { \
		gx_ec st_ec_ = (ec); \
		ck_assert_msg(gx_ec_is(st_ec_, code), "%s gave %s instead of %s", #ec, gx_ec_name(st_ec_), #code); \
	} while (0)

static inline struct gx_txn *st_begin(struct gx_store *s, int mode)
{
	struct gx_txn *t = NULL;
	ck_assert_int_eq(gx_txn_begin(s, &sys_actor, mode, 10000, &t), 0);
	return t;
}

static inline void st_commit(struct gx_txn *t)
{
	ck_assert_int_eq(gx_txn_commit(t, GX_SYNC_LATER), 0);
}

/* A message with number @i of about @size bytes, prepared in @a. */
static inline struct gx_msg_prepared *st_message(struct gx_arena *a, unsigned i, size_t size)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p = NULL;
	struct gx_msgobj *m = gx_msgobj_new(a);
	const char *head = gx_arena_printf(a, "From: a%u@example.org\r\nTo: u@example.org\r\nSubject: message %u\r\n"
		"Message-ID: <%u@example.org>\r\n\r\n", i % 17, i, i);
	size_t hl = strlen(head), n = size < hl ? hl : size;
	char *text = gx_arena_alloc(a, n);
	memcpy(text, head, hl);
	for (size_t k = hl; k < n; k++)
		text[k] = (k - hl) % 72 == 71 ? '\n' : (char)('a' + (k * 7 + i * 13 + k / 72) % 26);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, gx_arena_printf(a, "message %u", i)), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note"), 0);
	struct gx_proplist *r = gx_msgobj_add_rcpt(m, a);
	ck_assert_int_eq(gx_proplist_set_str(r, a, PidTagSmtpAddress, "u@example.org"), 0);
	m->slices[0] = (struct gx_slice_prop){.tag = PidTagBody, .slice = {.off = hl, .len = n - hl, .cp = 65001, .cte = GX_CTE_7BIT}};
	src.obj = m;
	src.original = (struct gx_bin){(const uint8_t *)text, n};
	src.envelope = (struct gx_bin){(const uint8_t *)"(env)", 5};
	src.bodystructure = (struct gx_bin){(const uint8_t *)"(bs)", 4};
	int err = gx_msg_prepare(a, &src, &p);
	ck_assert_int_eq(err, 0);
	return p;
}

static inline struct gx_msg_ids st_insert(struct gx_txn *t, uint64_t fid, unsigned i, size_t size, uint32_t flags)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_ids ids;
	struct gx_msg_prepared *p = st_message(a, i, size);
	o.flags = flags;
	ST_OK(gx_msg_insert(t, fid, p, &o, &ids));
	gx_msg_prepared_release(p);
	gx_arena_free(a);
	return ids;
}

static inline struct gx_imapview *st_view(struct gx_store *s, uint64_t fid)
{
	struct gx_imapview *v = NULL;
	ST_OK(gx_imapview_open(s, &sys_actor, fid, &v));
	return v;
}
#endif
