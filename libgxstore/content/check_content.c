/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>
#include "tests/gxtest.h"
#include "libgxstore/content/cio-int.h"

static char dir[64], file[96];
static struct gx_sql *q;
static struct gx_cio *cio;
static struct gx_arena *a;

/* A small generator, so that a failure can be seen again. */
static uint64_t seed = 88172645463325252ULL;
static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static void setup(void)
{
	char why[256] = "";
	snprintf(dir, sizeof(dir), "/tmp/gxcontXXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/db", dir);
	struct gx_sql_open o = {.file = file, .dir = dir, .writer = true, .create = true, .cache_kib = 2048};
	ck_assert_msg(gx_sql__open(&o, &q, why, sizeof(why)) == 0, "%s", why);
	ck_assert_int_eq(gx_sql__exec(q, GX_CONTENT_SCHEMA), 0);
	ck_assert_int_eq(gx_cio__new(&gx_fs__system, dir, &cio), 0);
	a = gx_arena_new(0);
	ck_assert_ptr_nonnull(a);
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *ftw)
{
	return remove(path);
}

static void teardown(void)
{
	gx_cio__free(cio);
	gx_sql__close(q);
	gx_arena_free(a);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static long count(const char *sql)
{
	sqlite3_stmt *st;
	ck_assert_int_eq(sqlite3_prepare_v2(q->db, sql, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	long n = (long)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static int content_files(void)
{
	int n = 0;
	for (unsigned i = 0; i < 256; ++i) {
		char path[128];
		snprintf(path, sizeof(path), "%s/cid/%02x", dir, i);
		DIR *d = opendir(path);
		for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
			n += e->d_name[0] != '.';
		if (d != NULL)
			closedir(d);
	}
	return n;
}

/* Bytes of one kind: 0 zeros, 1 text, 2 noise. */
static uint8_t *bytes(size_t n, int kind)
{
	uint8_t *p = gx_arena_alloc(a, n);
	ck_assert_ptr_nonnull(p);
	for (size_t i = 0; i < n; ++i)
		p[i] = kind == 0 ? 0 : kind == 1 ? (uint8_t)"etaoin shrdlu\r\n cmfwyp"[rnd(22)] : (uint8_t)rnd(256);
	return p;
}

struct sample {
	struct gx_push text;
	struct gx_msgobj *m;
	struct gx_msg_prepared *p;
};

static void put_base64(struct gx_push *out, const uint8_t *data, size_t n, uint32_t width, uint8_t eol, uint8_t tail)
{
	struct gx_b64_shape s = {.width = width, .eol = eol, .tail = tail};
	size_t len = (size_t)gx_b64_shape_len(&s, n);
	uint8_t *p = gx_push_reserve(out, len);
	ck_assert_ptr_nonnull(p);
	gx_b64_shape_write(&s, data, n, 0, len, p);
	gx_push_added(out, len);
}

static struct gx_attach *add_part(struct sample *s, uint64_t off, uint8_t cte)
{
	struct gx_attach *att = gx_msgobj_add_attach(s->m, a);
	ck_assert_ptr_nonnull(att);
	att->data = (struct gx_slice_prop){.tag = PidTagAttachDataBinary, .slice = {.off = off, .len = s->text.len - off, .cte = cte}};
	ck_assert_int_eq(gx_proplist_set_i32(&att->props, a, PidTagAttachMethod, 1), 0);
	return att;
}

static void begin(struct sample *s)
{
	*s = (struct sample){.m = gx_msgobj_new(a)};
	ck_assert_ptr_nonnull(s->m);
	gx_push_str(&s->text, "From: a@example.org\r\nSubject: test\r\n\r\n--b\r\n");
	ck_assert_int_eq(gx_proplist_set_str(&s->m->props, a, PidTagSubject, "test"), 0);
}

static void finish(struct sample *s)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	gx_push_str(&s->text, "\r\n--b--\r\n");
	src.obj = s->m;
	src.original = (struct gx_bin){gxtest_exact(s->text.data, s->text.len), s->text.len};
	ck_assert_int_eq(gx_msg_prepare(a, &src, &s->p), 0);
	/* What was prepared for storing must not need the original any more, except contents kept raw. */
	ck_assert_int_eq(gx_prep__put_contents(cio, q, s->p), 0);
	free((void *)src.original.data);
}

static void expect_range(const struct sample *s, uint64_t off, uint64_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	gx_push_str(&out, "x");
	int err = gx_original__read(cio, q, s->p->skeleton, off, n, &out);
	ck_assert_msg(err == 0, "%d %s", err, gx_cio__why(cio));
	uint64_t want = off >= s->text.len ? 0 : s->text.len - off < n ? s->text.len - off : n;
	ck_assert_uint_eq(out.len, want + 1);
	if (want != 0)
		ck_assert_int_eq(memcmp(out.data + 1, s->text.data + off, want), 0);
	gx_push_release(&out);
}

static void expect_same(const struct sample *s)
{
	uint64_t size;
	ck_assert_int_eq(gx_original__size(s->p->skeleton, &size), 0);
	ck_assert_uint_eq(size, s->text.len);
	expect_range(s, 0, UINT64_MAX);
	expect_range(s, 0, 1);
	expect_range(s, s->text.len - 1, 10);
	expect_range(s, s->text.len, 10);
	for (int i = 0; i < 12; ++i) {
		uint64_t off = rnd((uint32_t)s->text.len);
		expect_range(s, off, rnd(3) == 0 ? rnd(400000) : rnd(300));
	}
}

static void end(struct sample *s)
{
	gx_push_release(&s->text);
}

/* Any kind of part, in good and in broken encodings. */
static void add_any_part(struct sample *s)
{
	static const uint32_t widths[] = {76, 76, 76, 72, 64, 60, 75, 74, 1, 2, 3, 5, 998, 4096, 4097, 0, 77};
	static const size_t sizes[] = {0, 1, 100, 3071, 4095, 4096, 4097, 6000, 20000, 80000, 200000, 500000};
	size_t n = sizes[rnd(12)] + rnd(4);
	uint8_t *data = bytes(n, (int)rnd(3));
	gx_push_str(&s->text, "\r\n--b\r\nContent-Type: application/x\r\n\r\n");
	uint64_t off = s->text.len;
	uint8_t cte = GX_CTE_BASE64;
	switch (rnd(6)) {
	case 0:
		gx_push_bytes(&s->text, data, n);
		cte = GX_CTE_BINARY;
		break;
	case 1: /* something is wrong in the text */
		put_base64(&s->text, data, n, widths[rnd(17)], 2, 1);
		if (s->text.len > off)
			s->text.data[off + rnd((uint32_t)(s->text.len - off))] = (uint8_t)" \t!=\0"[rnd(5)];
		break;
	case 2: /* two shapes in one */
		put_base64(&s->text, data, n / 3 * 3, 76, 2, 1);
		put_base64(&s->text, data, n, 72, 1, 1);
		break;
	default:
		put_base64(&s->text, data, n, widths[rnd(17)], (uint8_t)(1 + rnd(2)), (uint8_t)rnd(4));
	}
	add_part(s, off, cte);
}

START_TEST(any_message)
{
	for (int i = 0; i < 120; ++i) {
		struct sample s;
		begin(&s);
		for (uint32_t k = rnd(5); k > 0; --k)
			add_any_part(&s);
		finish(&s);
		expect_same(&s);
		for (size_t k = 0; k < s.m->att_count; ++k) {
			const struct gx_slice *sl = &s.m->atts[k].data.slice;
			struct gx_propval pv;
			union gx_value v;
			struct gx_bin want;
			if (sl->len == 0)
				continue;
			ck_assert_int_eq(gx_prow_find(s.p->msg.atts[k].row.data, s.p->msg.atts[k].row.len, PidTagAttachDataBinary | GX_PROW_EXTERN, a, &pv), 0);
			int err = gx_extern__resolve(cio, q, s.p->skeleton, pv.tag, pv.v.bin, a, &v);
			ck_assert_msg(err == 0, "%s", gx_cio__why(cio));
			ck_assert_int_eq(gx_decode(a, sl->cte, s.text.data + sl->off, sl->len, &want), 0);
			ck_assert_uint_eq(want.len, v.bin.len);
			ck_assert_int_eq(memcmp(want.data, v.bin.data, want.len), 0);
		}
		end(&s);
		gx_arena_reset(a);
	}
}
END_TEST

START_TEST(empty_and_tiny)
{
	for (size_t n = 0; n < 300; n += 7) {
		struct gx_msg_source src = GX_MSG_SOURCE_INIT;
		struct gx_msg_prepared *p;
		struct gx_push out = GX_PUSH_INIT;
		src.obj = gx_msgobj_new(a);
		src.original = (struct gx_bin){bytes(n, 1), n};
		ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
		ck_assert_uint_eq(p->content_count, 0);
		ck_assert_int_eq(gx_original__read(cio, q, p->skeleton, 0, UINT64_MAX, &out), 0);
		ck_assert_uint_eq(out.len, n);
		if (n > 0)
			ck_assert_int_eq(memcmp(out.data, src.original.data, n), 0);
		gx_push_release(&out);
		gx_msg_prepared_release(p);
	}
	struct gx_msg_prepared *p;
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), GX_E_INVAL);
}
END_TEST

START_TEST(huge)
{
	struct sample s;
	begin(&s);
	size_t n = 7 * 1000 * 1000 + 1;
	uint8_t *noise = bytes(n, 2), *text = bytes(n, 1);
	uint64_t off = s.text.len;
	put_base64(&s.text, noise, n, 76, 2, 0);
	add_part(&s, off, GX_CTE_BASE64);
	gx_push_str(&s.text, "\r\n--b\r\n\r\n");
	off = s.text.len;
	put_base64(&s.text, text, n, 0, 2, 0);
	add_part(&s, off, GX_CTE_BASE64);
	gx_push_str(&s.text, "\r\n--b\r\n\r\n");
	gx_push_bytes(&s.text, text, n);
	finish(&s);
	ck_assert_uint_eq(s.p->content_count, 3);
	ck_assert_uint_lt(s.p->skeleton.len, 1000);
	ck_assert_int_eq(content_files(), 3);
	struct stat above, cid;
	char path[128];
	snprintf(path, sizeof(path), "%s/cid", dir);
	ck_assert(stat(dir, &above) == 0 && stat(path, &cid) == 0);
	ck_assert_uint_eq(cid.st_mode & 0777, above.st_mode & 0777); /* whoever may use the store */
	expect_same(&s);
	/* Read on in small steps, as a slow client makes the server do. */
	struct gx_push out = GX_PUSH_INIT;
	for (uint64_t at = 0; at < s.text.len; at += 65536) {
		gx_push_clear(&out);
		ck_assert_int_eq(gx_original__read(cio, q, s.p->skeleton, at, 65536, &out), 0);
		ck_assert_int_eq(memcmp(out.data, s.text.data + at, out.len), 0);
	}
	ck_assert_uint_lt(out.cap, 1 << 20);
	ck_assert_uint_lt(cio->scratch.cap, 1 << 20);
	gx_push_release(&out);
	end(&s);
}
END_TEST

static void one_attachment(struct sample *s, const uint8_t *data, size_t n)
{
	begin(s);
	uint64_t off = s->text.len;
	put_base64(&s->text, data, n, 76, 2, 0);
	add_part(s, off, GX_CTE_BASE64);
	finish(s);
}

START_TEST(stored_once)
{
	struct sample s1, s2, s3;
	uint8_t *data = bytes(60000, 2);
	one_attachment(&s1, data, 60000);
	one_attachment(&s2, data, 60000);
	begin(&s3); /* twice in one message, in two shapes */
	uint64_t off = s3.text.len;
	put_base64(&s3.text, data, 60000, 76, 2, 0);
	add_part(&s3, off, GX_CTE_BASE64);
	gx_push_str(&s3.text, "\r\n--b\r\n\r\n");
	off = s3.text.len;
	put_base64(&s3.text, data, 60000, 64, 1, 1);
	add_part(&s3, off, GX_CTE_BASE64);
	finish(&s3);
	ck_assert_int_eq(count("SELECT count(*) FROM content"), 1);
	ck_assert_int_eq(count("SELECT refs FROM content"), 3);
	ck_assert_int_eq(count("SELECT length(data) FROM content_data"), 60000);
	expect_same(&s3);
	ck_assert_int_eq(gx_content__ref_all(cio, q, s1.p->skeleton), 0);
	ck_assert_int_eq(count("SELECT refs FROM content"), 4);
	ck_assert_int_eq(gx_content__unref_all(cio, q, s1.p->skeleton), 0);
	ck_assert_int_eq(gx_content__unref_all(cio, q, s1.p->skeleton), 0);
	ck_assert_int_eq(gx_content__unref_all(cio, q, s2.p->skeleton), 0);
	expect_same(&s3);
	ck_assert_int_eq(gx_content__unref_all(cio, q, s3.p->skeleton), 0);
	ck_assert_int_eq(count("SELECT count(*) FROM content"), 0);
	ck_assert_int_eq(count("SELECT count(*) FROM content_data"), 0);
	/* A message whose content is gone can be deleted, but not read or copied. */
	ck_assert_int_eq(gx_content__unref_all(cio, q, s3.p->skeleton), 0);
	ck_assert_int_eq(gx_content__ref_all(cio, q, s3.p->skeleton), GX_E_FORMAT);
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_original__read(cio, q, s3.p->skeleton, 0, UINT64_MAX, &out), GX_E_FORMAT);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_ptr_nonnull(strstr(gx_cio__why(cio), "not in this store"));
	ck_assert_int_eq(gx_original__read(cio, q, s3.p->skeleton, 0, 20, &out), 0); /* the literal part still comes */
	gx_push_release(&out);
	end(&s1);
	end(&s2);
	end(&s3);
}
END_TEST

START_TEST(files_go_late)
{
	struct sample s1, s2;
	uint8_t *data = bytes(300000, 2);
	one_attachment(&s1, data, 300000);
	ck_assert_int_eq(content_files(), 1);
	gx_content__committed(cio);
	/* An aborted removal leaves the file. */
	ck_assert_int_eq(gx_sql__exec(q, "BEGIN"), 0);
	ck_assert_int_eq(gx_content__unref_all(cio, q, s1.p->skeleton), 0);
	gx_content__aborted(cio);
	ck_assert_int_eq(gx_sql__exec(q, "ROLLBACK"), 0);
	ck_assert(!gx_content__sweep_due(cio, 0));
	/* A committed one too, until it is swept. */
	ck_assert_int_eq(gx_content__unref_all(cio, q, s1.p->skeleton), 0);
	gx_content__committed(cio);
	ck_assert(gx_content__sweep_due(cio, 0));
	ck_assert(!gx_content__sweep_due(cio, 3600000));
	ck_assert_int_eq(gx_content__sweep(cio, q, 3600000), 0);
	ck_assert_int_eq(content_files(), 1);
	/* Somebody refers to it again in between. */
	one_attachment(&s2, data, 300000);
	ck_assert_int_eq(gx_content__sweep(cio, q, 0), 0);
	ck_assert_int_eq(content_files(), 1);
	expect_same(&s2);
	ck_assert_int_eq(gx_content__unref_all(cio, q, s2.p->skeleton), 0);
	gx_content__committed(cio);
	ck_assert_int_eq(gx_content__sweep(cio, q, 0), 0);
	ck_assert_int_eq(content_files(), 0);
	end(&s1);
	end(&s2);
}
END_TEST

START_TEST(orphans)
{
	struct sample s;
	char path[PATH_MAX];
	one_attachment(&s, bytes(300000, 2), 300000);
	struct gx_content_new c = {.size = 5, .packed = {(const uint8_t *)"abcde", 5}};
	for (int i = 0; i < 10; ++i) {
		c.hash[0] = (uint8_t)(i * 20);
		ck_assert_int_eq(gx_content__write_file(cio, &c), 0);
	}
	ck_assert_int_eq(gx_cio__path(cio, c.hash, ".new", path), 0);
	fclose(fopen(path, "w"));
	ck_assert_int_eq(content_files(), 12);
	ck_assert_int_eq(gx_content__collect(cio, q), 11);
	ck_assert_int_eq(content_files(), 1);
	expect_same(&s);
	end(&s);
}
END_TEST

struct findings {
	struct gx_strbuf text;
	long n;
};

static int on_finding(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx)
{
	struct findings *f = ctx;
	ck_assert(what != 0 && (hash != NULL || object != 0 || what == GX_CV_ROW));
	gx_strbuf_printf(&f->text, "%s\n", text);
	f->n++;
	return 0;
}

static long verify(const struct sample *v, size_t n, const char *want)
{
	struct findings f = {.n = 0};
	struct gx_content_tally *t = gx_content__tally_new();
	for (size_t i = 0; i < n; ++i)
		ck_assert_int_eq(gx_content__tally_add(t, v[i].p->skeleton, i + 1), 0);
	struct gx_content_verify how = {.what = 0x1f, .tally = t, .report = on_finding, .ctx = &f};
	ck_assert_int_eq(gx_content__verify(cio, q, &how), 0);
	ck_assert_msg(want == NULL || strstr(gx_strbuf_cstr(&f.text), want) != NULL, "%s", gx_strbuf_cstr(&f.text));
	gx_content__tally_free(t);
	gx_strbuf_release(&f.text);
	return f.n;
}

START_TEST(verified)
{
	struct sample s[3];
	char path[PATH_MAX];
	one_attachment(&s[0], bytes(300000, 2), 300000);
	one_attachment(&s[1], bytes(9000, 1), 9000);
	one_attachment(&s[2], bytes(600000, 1), 600000);
	ck_assert_int_eq(verify(s, 3, NULL), 0);
	ck_assert_int_eq(verify(s, 2, "counted 1 references, there are 0"), 1);
	ck_assert_int_eq(gx_sql__exec(q, "UPDATE content SET refs=5 WHERE size=9000"), 0);
	ck_assert_int_eq(verify(s, 3, "counted 5 references, there are 1"), 1);
	ck_assert_int_eq(gx_sql__exec(q, "UPDATE content SET refs=1; UPDATE content_data SET data=zeroblob(length(data))"), 0);
	ck_assert_int_eq(verify(s, 3, "damaged"), 1);
	ck_assert_int_eq(gx_sql__exec(q, "DELETE FROM content WHERE size=9000"), 0);
	ck_assert_int_eq(verify(s, 3, "it is not there"), 2);
	/* Each kind of damage to a file names the file. */
	ck_assert_int_eq(gx_cio__path(cio, s[0].p->contents[0].hash, "", path), 0);
	ck_assert_int_eq(truncate(path, 299999), 0);
	ck_assert_int_eq(verify(s, 3, path), 3);
	ck_assert_int_eq(truncate(path, 300000), 0);
	ck_assert_int_eq(verify(s, 3, "another hash"), 3);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(verify(s, 3, path), 3);
	struct gx_push out = GX_PUSH_INIT;
	ck_assert_int_eq(gx_original__read(cio, q, s[0].p->skeleton, 0, UINT64_MAX, &out), GX_E_FORMAT);
	ck_assert_ptr_nonnull(strstr(gx_cio__why(cio), path));
	gx_push_release(&out);
	for (int i = 0; i < 3; ++i)
		end(&s[i]);
}
END_TEST

static void read_damaged(const uint8_t *p, size_t n)
{
	struct gx_push out = GX_PUSH_INIT;
	uint8_t *copy = gxtest_exact(p, n);
	struct gx_bin sk = {copy, n};
	uint64_t size;
	gx_push_init(&out, 1 << 24);
	int err = gx_original__read(cio, q, sk, 0, UINT64_MAX, &out);
	ck_assert(err == 0 || out.len == 0);
	gx_push_clear(&out);
	ck_assert(gx_original__read(cio, q, sk, 17, 200, &out) <= 0);
	ck_assert(gx_original__size(sk, &size) <= 0);
	gx_push_release(&out);
	free(copy);
}

START_TEST(damaged_skeletons)
{
	struct sample s;
	begin(&s);
	for (int i = 0; i < 6; ++i)
		add_any_part(&s);
	finish(&s);
	const uint8_t *sk = s.p->skeleton.data;
	size_t n = s.p->skeleton.len, head = n < 600 ? n : 600;
	for (size_t i = 0; i < head; ++i)
		read_damaged(sk, i);
	for (size_t i = 0; i < 200; ++i)
		read_damaged(sk, rnd((uint32_t)n));
	uint8_t *copy = gxtest_exact(sk, n);
	for (size_t i = 0; i < head * 8; ++i) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		read_damaged(copy, n);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	/* Huge counts and sizes. */
	static const uint8_t counts[] = {1, 100, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
	static const uint8_t segs[] = {1, 100, 0, 0xff, 0xff, 0xff, 0xff, 0x0f};
	static const uint8_t literal[] = {1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0, 0, 0, 0};
	read_damaged(counts, sizeof(counts));
	read_damaged(segs, sizeof(segs));
	read_damaged(literal, sizeof(literal));
	free(copy);
	end(&s);
}
END_TEST

START_TEST(values)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	char *body = (char *)bytes(50001, 1);
	body[50000] = '\0';
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagSubject, "short"), 0);
	ck_assert_int_eq(gx_proplist_set_str(&m->props, a, PidTagBody, body), 0);
	struct gx_attach *att = gx_msgobj_add_attach(m, a);
	uint8_t *data = bytes(5000, 2);
	ck_assert_int_eq(gx_proplist_set_bin(&att->props, a, PidTagAttachDataBinary, data, 5000), 0);
	att = gx_msgobj_add_attach(m, a);
	ck_assert_int_eq(gx_proplist_set_bin(&att->props, a, PidTagAttachDataBinary, data, 5000), 0);
	att = gx_msgobj_add_attach(m, a);
	att->embedded = gx_msgobj_new(a);
	ck_assert_int_eq(gx_proplist_set_str(&att->embedded->props, a, PidTagBody, body), 0);
	ck_assert_int_eq(gx_proplist_set_str(gx_msgobj_add_rcpt(m, a), a, PidTagDisplayName, "Ann"), 0);
	struct gx_propname name = {.by_name = true, .name = "x-test"};
	union gx_value nv = {.i32 = 7};
	ck_assert_int_eq(gx_msgobj_set_named(m, a, &name, PtypInteger32, nv), 0);
	src.obj = m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	ck_assert_uint_eq(p->content_count, 2);
	ck_assert_uint_gt(p->size, 55000);
	ck_assert_int_eq(gx_prep__put_contents(cio, q, p), 0);
	uint64_t size = 99;
	ck_assert_int_eq(gx_original__size(p->skeleton, &size), 0);
	ck_assert_uint_eq(size, 0);
	struct gx_push row = GX_PUSH_INIT;
	uint16_t id = 0x8001;
	ck_assert_int_eq(gx_prep__row(&row, a, &p->msg, &id), 0);
	struct gx_proplist l;
	ck_assert_int_eq(gx_prow_unpack(a, row.data, row.len, &l), 0);
	ck_assert_uint_eq(l.count, 3);
	ck_assert_int_eq(gx_proplist_i32(&l, 0x80010003, 0), 7);
	ck_assert_str_eq(gx_proplist_str(&l, PidTagSubject, ""), "short");
	const struct gx_prep_msg *both[] = {&p->msg, p->msg.atts[2].embedded};
	for (int i = 0; i < 2; ++i) {
		struct gx_propval pv;
		union gx_value v;
		ck_assert_int_eq(gx_prow_find(both[i]->row.data, both[i]->row.len, PidTagBody | GX_PROW_EXTERN, a, &pv), 0);
		ck_assert_int_eq(gx_extern__size(pv.v.bin, &size), 0);
		ck_assert_uint_eq(size, 50000);
		ck_assert_int_eq(gx_extern__resolve(cio, q, p->skeleton, pv.tag, pv.v.bin, a, &v), 0);
		ck_assert_str_eq(v.str, body);
		for (size_t k = 0; k < pv.v.bin.len; ++k) {
			uint8_t *cut = gxtest_exact(pv.v.bin.data, k);
			ck_assert_int_lt(gx_extern__resolve(cio, q, p->skeleton, pv.tag, (struct gx_bin){cut, k}, a, &v), 0);
			free(cut);
		}
	}
	gx_push_release(&row);
}
END_TEST

START_TEST(slices)
{
	static const char text[] = "Subject: x\r\n\r\ncaf=E9 =\r\nau lait";
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	struct gx_msgobj *m = gx_msgobj_new(a);
	m->slices[0] = (struct gx_slice_prop){PidTagTransportMessageHeaders, {.off = 0, .len = 14, .cp = 1252, .cte = GX_CTE_8BIT}};
	m->slices[1] = (struct gx_slice_prop){PidTagBody, {.off = 14, .len = sizeof(text) - 15, .cp = 1252, .cte = GX_CTE_QP}};
	src.obj = m;
	src.original = (struct gx_bin){(const uint8_t *)text, sizeof(text) - 1};
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), 0);
	struct gx_propval pv;
	union gx_value v;
	ck_assert_int_eq(gx_prow_find(p->msg.row.data, p->msg.row.len, PidTagBody | GX_PROW_EXTERN, a, &pv), 0);
	ck_assert_int_eq(gx_extern__resolve(cio, q, p->skeleton, pv.tag, pv.v.bin, a, &v), 0);
	ck_assert_str_eq(v.str, "caf\xc3\xa9 au lait");
	ck_assert_int_eq(gx_prow_find(p->msg.row.data, p->msg.row.len, PidTagTransportMessageHeaders | GX_PROW_EXTERN, a, &pv), 0);
	ck_assert_int_eq(gx_extern__resolve(cio, q, p->skeleton, pv.tag, pv.v.bin, a, &v), 0);
	ck_assert_str_eq(v.str, "Subject: x\r\n\r\n");
	m->slices[1].slice.len = sizeof(text);
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), GX_E_INVAL);
	m->slices[1].slice = (struct gx_slice){.off = UINT64_MAX, .len = 5};
	ck_assert_int_eq(gx_msg_prepare(a, &src, &p), GX_E_INVAL);
}
END_TEST

START_TEST(original_later)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct sample s = {.m = gx_msgobj_new(a)};
	uint8_t *data = bytes(30000, 2);
	struct gx_attach *att = gx_msgobj_add_attach(s.m, a);
	ck_assert_int_eq(gx_proplist_set_bin(&att->props, a, PidTagAttachDataBinary, data, 30000), 0);
	src.obj = s.m;
	ck_assert_int_eq(gx_msg_prepare(a, &src, &s.p), 0);
	ck_assert_int_eq(gx_prep__put_contents(cio, q, s.p), 0);
	gx_push_str(&s.text, "Content-Transfer-Encoding: base64\r\n\r\n");
	put_base64(&s.text, data, 30000, 76, 2, 1);
	uint8_t *more = bytes(9000, 2);
	gx_push_str(&s.text, "\r\n--x\r\n\r\n");
	put_base64(&s.text, more, 9000, 76, 2, 1);
	gx_push_str(&s.text, "\r\n--x--\r\n");
	struct gx_content_new *added;
	size_t n;
	struct gx_bin sk;
	ck_assert_int_eq(gx_skel__with_original(a, s.p->skeleton, (struct gx_bin){s.text.data, s.text.len}, &sk, &added, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(added[0].size, 9000);
	ck_assert_int_eq(gx_content__put(cio, q, &added[0]), 0);
	s.p->skeleton = sk;
	expect_same(&s);
	ck_assert_int_eq(verify(&s, 1, NULL), 0);
	end(&s);
}
END_TEST

START_TEST(disk_trouble)
{
	struct gx_content_new c = {.size = 5, .packed = {(const uint8_t *)"abcde", 5}};
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/cid", dir);
	fclose(fopen(path, "w")); /* a file where the directory should be */
	ck_assert_int_eq(gx_content__write_file(cio, &c), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(gx_cio__why(cio), path));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("content");
	TCase *t = tcase_create("content");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, any_message);
	tcase_add_test(t, empty_and_tiny);
	tcase_add_test(t, huge);
	tcase_add_test(t, stored_once);
	tcase_add_test(t, files_go_late);
	tcase_add_test(t, orphans);
	tcase_add_test(t, verified);
	tcase_add_test(t, damaged_skeletons);
	tcase_add_test(t, values);
	tcase_add_test(t, slices);
	tcase_add_test(t, original_later);
	tcase_add_test(t, disk_trouble);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(suite)
