/* SPDX-License-Identifier: Apache-2.0 */
/* Contents compressed once more: the same when read, less of it on disk, and damage is never covered up. */
#include <config.h>
#include <fcntl.h>
#include <sys/file.h>
#include <gx/recompress.h>
#include <gx/storeset.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/storetest.h"

static char dir[512];
static struct gx_arena *a;
static struct gx_store *s;
static struct gx_recompress_opts o;
static struct gx_recompress_result r;
static char told[1024];

enum { TEXT, LINES, NOISE };
static const struct sample {
	int kind;
	size_t size;
} samples[] = {
	{TEXT, 20000}, {TEXT, 800000}, {TEXT, 900000}, {LINES, 40000}, {TEXT, 1500001}, {NOISE, 30000}, {NOISE, 400000},
	{TEXT, GX_PACK_BLOCK * 4}, {NOISE, GX_PACK_BLOCK}, {LINES, 700000},
};
#define N (sizeof(samples) / sizeof(samples[0]))
static uint8_t *bytes[N];
static uint8_t hash[N][GX_HASH_LEN];
static uint64_t mid[N];

/* Text is words out of 4096, of six letters that look random. */
static uint8_t *make(const struct sample *x, uint32_t seed)
{
	uint8_t *p = gx_arena_alloc(a, x->size);
	uint32_t word = 0;
	for (size_t i = 0; i < x->size; i++) {
		seed = seed * 1664525 + 1013904223;
		if (i % 7 == 0)
			word = (seed >> 20) * 2654435761U;
		p[i] = x->kind == NOISE ? (uint8_t)(seed >> 24)
			: x->kind == LINES ? (uint8_t)"the same line again and again\n"[i % 30]
			: i % 7 == 6 ? ' ' : (uint8_t)('a' + (word >> 5 * (i % 7)) % 26);
	}
	return p;
}

static void insert(struct gx_txn *t, size_t i)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_insert_opts io = GX_MSG_INSERT_OPTS_INIT;
	struct gx_msg_prepared *p;
	struct gx_msg_ids ids;
	bytes[i] = make(&samples[i], (uint32_t)i + 1);
	gx_content__hash(bytes[i], samples[i].size, hash[i]);
	struct gx_msgobj *m = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note"), 0);
	ck_assert_int_eq(gx_proplist_set_bin(&m->props, a, PidTagRtfCompressed, bytes[i], samples[i].size), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ST_OK(gx_msg_insert(t, GX_FID_INBOX, p, &io, &ids));
	gx_msg_prepared_release(p);
	mid[i] = ids.mid;
}

static void on_left(const char *text, void *ctx)
{
	(void)ctx;
	snprintf(told, sizeof(told), "%s", text);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "%s", st_dir());
	a = gx_arena_new(0);
	st_create(dir);
	s = st_open(dir);
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (size_t i = 0; i < N; i++)
		insert(t, i);
	st_commit(t);
	o = (struct gx_recompress_opts)GX_RECOMPRESS_OPTS_INIT;
	o.left = on_left;
	r = (struct gx_recompress_result){0};
	told[0] = '\0';
}

static void teardown(void)
{
	gx_store_close(s);
	gx_arena_free(a);
	st_rmtree(dir);
}

static void all_is_the_same(void)
{
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	for (size_t i = 0; i < N; i++) {
		struct gx_msgobj *m;
		struct gx_arena *own = gx_arena_new(0);
		ST_OK(gx_msg_read(t, mid[i], own, &m));
		const struct gx_propval *pv = gx_proplist_get(&m->props, PidTagRtfCompressed);
		ck_assert_ptr_nonnull(pv);
		ck_assert_uint_eq(pv->v.bin.len, samples[i].size);
		ck_assert_int_eq(memcmp(pv->v.bin.data, bytes[i], samples[i].size), 0);
		gx_arena_free(own);
	}
	gx_txn_abort(t);
	st_verify(s);
}

static const char *cid(void)
{
	static char path[600];
	snprintf(path, sizeof(path), "%s/cid", dir);
	return path;
}

static const char *file_of(size_t i)
{
	static char path[PATH_MAX];
	char hex[2 * GX_HASH_LEN + 1];
	gx_cio__hex(hash[i], hex);
	snprintf(path, sizeof(path), "%s/cid/%.2s/%s", dir, hex, hex);
	return path;
}

static int64_t size_of(size_t i)
{
	struct stat st;
	return stat(file_of(i), &st) == 0 ? (int64_t)st.st_size : -1;
}

static void write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0660);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}

/* As a server wrote it that does not compress. */
static void make_plain(size_t i)
{
	write_file(file_of(i), bytes[i], samples[i].size);
}

START_TEST(files_beside_an_open_store)
{
	int64_t before[N];
	make_plain(1);
	make_plain(4);
	make_plain(7);
	all_is_the_same();
	for (size_t i = 0; i < N; i++)
		before[i] = size_of(i);
	o.level = 19;
	ck_assert_int_eq(gx_recompress_path(cid(), &o, &r), 0);
	all_is_the_same();
	uint64_t files = 0, was = 0, is = 0;
	for (size_t i = 0; i < N; i++) {
		bool there = before[i] >= 0, noise = samples[i].kind == NOISE;
		files += there;
		was += there ? (uint64_t)before[i] : 0;
		is += there ? (uint64_t)size_of(i) : 0;
		ck_assert_int_eq(there, size_of(i) >= 0);
		if (there)
			ck_assert_msg(noise ? size_of(i) == before[i] : size_of(i) < before[i], "sample %zu", i);
	}
	ck_assert_int_ge(files, 5);
	ck_assert_uint_eq(r.objects, files);
	ck_assert_uint_eq(r.before, was);
	ck_assert_uint_eq(r.after, is);
	ck_assert_uint_eq(r.left, 0);
	ck_assert_uint_eq(r.replaced, files - 2);
	/* Nothing is gained twice, or by less effort. */
	struct gx_recompress_result again = {0};
	o.level = 1;
	ck_assert_int_eq(gx_recompress_path(cid(), &o, &again), 0);
	ck_assert_uint_eq(again.replaced, 0);
	ck_assert_uint_eq(again.after, r.after);
}
END_TEST

START_TEST(the_whole_store)
{
	o.level = 22;
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), 0);
	ck_assert_uint_eq(r.objects, N);
	ck_assert_uint_lt(r.after, r.before);
	ck_assert_uint_gt(r.replaced, 2);
	ck_assert_uint_eq(r.left, 0);
	all_is_the_same();
	struct gx_recompress_result again = {0};
	ck_assert_int_eq(gx_recompress_store(s, &o, &again), 0);
	ck_assert_uint_eq(again.replaced, 0);
	ck_assert_uint_eq(again.before, r.after);
}
END_TEST

START_TEST(objects_that_were_kept_raw)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	for (size_t i = 0; i < N; i++) {
		GX_STMT(d, t->q, "UPDATE content_data SET data=?2 WHERE id=(SELECT data FROM content WHERE hash=?1)");
		gx_sql__bind_blob(d, 1, hash[i], GX_HASH_LEN);
		gx_sql__bind_blob(d, 2, bytes[i], samples[i].size);
		ck_assert_int_eq(gx_sql__run(d), 0);
	}
	ck_assert_int_eq(gx_sql__exec(t->q, "UPDATE content SET comp=0 WHERE data IS NOT NULL"), 0);
	st_commit(t);
	all_is_the_same();
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), 0);
	ck_assert_uint_lt(r.after, r.before);
	all_is_the_same();
}
END_TEST

static int never(uint64_t done, uint64_t total, void *ctx)
{
	ck_assert_uint_le(done, total);
	return ++*(int *)ctx >= 3;
}

START_TEST(trying_and_stopping)
{
	int64_t before = (make_plain(4), size_of(4));
	int calls = 0;
	o.dry_run = true;
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), 0);
	ck_assert_uint_eq(r.objects, N);
	ck_assert_uint_eq(r.before, r.after);
	ck_assert_uint_eq(r.replaced, 0);
	ck_assert_int_eq(size_of(4), before);
	o.progress = never;
	o.ctx = &calls;
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), GX_E_STATE);
	ck_assert_int_eq(calls, 3);
	o.dry_run = false;
	calls = 0;
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), GX_E_STATE);
	all_is_the_same();
}
END_TEST

START_TEST(wrong_arguments)
{
	char path[700];
	snprintf(path, sizeof(path), "%s/store.lock", dir);
	ck_assert_int_eq(gx_recompress_path(path, &o, &r), GX_E_INVAL);
	snprintf(path, sizeof(path), "%s/nothing", dir);
	ck_assert_int_eq(gx_recompress_path(path, &o, &r), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_recompress_path(NULL, &o, &r), GX_E_INVAL);
	ck_assert_int_eq(gx_recompress_path(cid(), NULL, &r), GX_E_INVAL);
	ck_assert_int_eq(gx_recompress_store(NULL, &o, &r), GX_E_INVAL);
	o.level = 23;
	ck_assert_int_eq(gx_recompress_path(cid(), &o, &r), GX_E_INVAL);
	o.level = -1;
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), GX_E_INVAL);
	ck_assert_uint_eq(r.objects, 0);
	/* Other files are nobody's business. */
	o.level = 0;
	snprintf(path, sizeof(path), "%s/README", cid());
	write_file(path, bytes[4], 5000);
	ck_assert_int_eq(gx_recompress_path(path, &o, &r), GX_E_INVAL);
	ck_assert_int_eq(gx_recompress_path(cid(), &o, &r), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

/* Each damage to a packed file and to a plain one: the file stays as it is, and is named. */
START_TEST(damaged_files_stay)
{
	for (int plain = 0; plain < 2; plain++)
		for (int how = 0; how < 5; how++) {
			size_t i = 2;
			int64_t len;
			if (plain)
				make_plain(i);
			len = size_of(i);
			uint8_t *was = gx_arena_alloc(a, (size_t)len);
			int fd = open(file_of(i), O_RDWR);
			ck_assert_int_eq(pread(fd, was, (size_t)len, 0), len);
			static const int64_t at[] = {0, 3, 9, 2000, -1};
			uint8_t *now = gx_arena_alloc(a, (size_t)len);
			memcpy(now, was, (size_t)len);
			int64_t cut = at[how] < 0 ? len - 1 : len;
			if (at[how] >= 0)
				now[at[how]] ^= 0x41;
			ck_assert_int_eq(ftruncate(fd, 0), 0);
			ck_assert_int_eq(pwrite(fd, now, (size_t)cut, 0), cut);
			r = (struct gx_recompress_result){0};
			told[0] = '\0';
			ck_assert_int_eq(gx_recompress_path(file_of(i), &o, &r), 0);
			ck_assert_msg(r.left == 1 && r.replaced == 0, "plain %d, damage %d", plain, how);
			ck_assert_ptr_nonnull(strstr(told, file_of(i)));
			ck_assert_int_eq(size_of(i), cut);
			uint8_t *then = gx_arena_alloc(a, (size_t)cut);
			ck_assert_int_eq(pread(fd, then, (size_t)cut, 0), cut);
			ck_assert_int_eq(memcmp(then, now, (size_t)cut), 0);
			ck_assert_int_eq(ftruncate(fd, 0), 0);
			ck_assert_int_eq(pwrite(fd, was, (size_t)len, 0), len);
			close(fd);
		}
	all_is_the_same();
}
END_TEST

START_TEST(damaged_objects_stay)
{
	struct gx_txn *t = st_begin(s, GX_TXN_WRITE);
	ck_assert_int_eq(
		gx_sql__exec(t->q, "UPDATE content_data SET data=x'00112233' WHERE id=(SELECT min(id) FROM content_data)"),
		0);
	st_commit(t);
	ck_assert_int_eq(gx_recompress_store(s, &o, &r), 0);
	ck_assert_uint_eq(r.left, 1);
	ck_assert_uint_eq(r.objects, N);
	ck_assert_ptr_nonnull(strstr(told, "is damaged"));
	t = st_begin(s, GX_TXN_READ);
	GX_STMT(st, t->q, "SELECT hex(data) FROM content_data ORDER BY id LIMIT 1");
	ck_assert_int_eq(gx_sql__step(st), 1);
	ck_assert_str_eq(gx_sql__text(st, 0), "00112233");
	gx_sql__done(st);
	st = NULL;
	gx_txn_abort(t);
}
END_TEST

START_TEST(what_an_interrupted_run_left)
{
	char tmp[PATH_MAX + 8];
	struct stat st;
	make_plain(4);
	snprintf(tmp, sizeof(tmp), "%s.pack", file_of(4));
	write_file(tmp, bytes[2], 900000);
	ck_assert_int_eq(chmod(file_of(4), 0600), 0);
	/* While another one has it. */
	int fd = open(tmp, O_RDONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(gx_recompress_path(file_of(4), &o, &r), 0);
	ck_assert_int_eq(size_of(4), (int64_t)samples[4].size);
	ck_assert_int_eq(access(tmp, F_OK), 0);
	ck_assert_int_eq(gx_store_purge_files(s), 0);
	ck_assert_int_eq(access(tmp, F_OK), 0);
	st_verify(s);
	close(fd);
	ck_assert_int_eq(gx_recompress_path(file_of(4), &o, &r), 0);
	ck_assert_int_lt(size_of(4), 1000000);
	ck_assert_int_eq(stat(file_of(4), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_ne(access(tmp, F_OK), 0);
	all_is_the_same();
	/* The store removes them, too. */
	write_file(tmp, bytes[2], 100);
	ck_assert_int_eq(gx_store_purge_files(s), 1);
	ck_assert_int_ne(access(tmp, F_OK), 0);
}
END_TEST

START_TEST(readers_of_the_old_file)
{
	make_plain(7);
	struct gx_txn *t = st_begin(s, GX_TXN_READ);
	struct gx_content_ref ref;
	uint8_t *out = gx_arena_alloc(a, samples[7].size);
	ck_assert_int_eq(gx_content__open(t->c->cio, t->q, hash[7], &ref), 0);
	ck_assert_int_eq(gx_content__get(&ref, 0, 100000, out), 0);
	ck_assert_int_eq(gx_recompress_path(cid(), &o, &r), 0);
	ck_assert_uint_gt(r.replaced, 0);
	ck_assert_int_eq(gx_content__get(&ref, 100000, samples[7].size - 100000, out + 100000), 0);
	ck_assert_int_eq(memcmp(out, bytes[7], samples[7].size), 0);
	gx_content__close(&ref);
	ck_assert_int_eq(gx_content__open(t->c->cio, t->q, hash[7], &ref), 0);
	ck_assert_int_eq(gx_content__get(&ref, 5, samples[7].size - 5, out), 0);
	ck_assert_int_eq(memcmp(out, bytes[7] + 5, samples[7].size - 5), 0);
	gx_content__close(&ref);
	gx_txn_abort(t);
}
END_TEST

static Suite *suite(void)
{
	Suite *x = suite_create("recompress");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, files_beside_an_open_store);
	tcase_add_test(t, the_whole_store);
	tcase_add_test(t, objects_that_were_kept_raw);
	tcase_add_test(t, trying_and_stopping);
	tcase_add_test(t, wrong_arguments);
	tcase_add_test(t, damaged_files_stay);
	tcase_add_test(t, damaged_objects_stay);
	tcase_add_test(t, what_an_interrupted_run_left);
	tcase_add_test(t, readers_of_the_old_file);
	suite_add_tcase(x, t);
	return x;
}

GXTEST_MAIN(suite)
