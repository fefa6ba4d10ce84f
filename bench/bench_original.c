/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Originals: cut into content objects and literals, stored, rebuilt.
 *   bench_original [PACK [PASSES]]
 * PACK: u32 little-endian length + message, as bench/corpus.py writes it; without one a small
 * set is made up. The stores are made in TMPDIR.
 */
#include <config.h>
#include <ftw.h>
#include <stdio.h>
#include <time.h>
#include <sys/stat.h>
#include "libgxstore/content/cio-int.h"

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_original: %s\n", what);
	exit(1);
}

struct mail {
	struct gx_bin text, skeleton;
	struct gx_content_new *contents;
	size_t count;
};

static struct mail *mails;
static size_t n;
static uint64_t total;

static void add(const void *data, size_t len)
{
	mails = realloc(mails, (n + 1) * sizeof(*mails));
	uint8_t *copy = malloc(len + 1);
	if (mails == NULL || copy == NULL)
		die("out of memory");
	memcpy(copy, data, len);
	mails[n++] = (struct mail){.text = {copy, len}};
	total += len;
}

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t head[4], *buf = NULL;
	if (f == NULL)
		die(path);
	while (fread(head, 1, 4, f) == 4) {
		uint32_t len = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
		buf = realloc(buf, len + 1U);
		if (buf == NULL || fread(buf, 1, len, f) != len)
			die("short pack");
		add(buf, len);
	}
	free(buf);
	fclose(f);
}

/* Nine light messages and one with an attachment of noise, again and again. */
static void make_up(void)
{
	static const char words[][8] = {"the ", "meeting", " budget", "report ", "of ", "\r\n", "please ", "an ", "invoice", " regard"};
	uint64_t seed = 88172645463325252ULL;
	for (int i = 0; i < 2000; ++i) {
		struct gx_push t = GX_PUSH_INIT;
		gx_push_printf(&t, "Return-Path: <a@example.org>\r\nReceived: from mx%d.example.org by mail.example.org with ESMTP id %d\r\n"
			"From: Ann Example <ann@example.org>\r\nTo: bob@example.org\r\nSubject: number %d\r\nMessage-ID: <%d@example.org>\r\n"
			"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", i % 7, i * 7919, i, i * 31337);
		for (int k = 0; k < 700; ++k) {
			seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
			gx_push_str(&t, words[seed % 10]);
		}
		if (i % 10 == 0) {
			uint8_t *noise = malloc(600000);
			if (noise == NULL)
				die("out of memory");
			for (size_t k = 0; k < 600000; ++k) {
				seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
				noise[k] = (uint8_t)(seed >> 40);
			}
			gx_push_str(&t, "\r\n--b\r\n\r\n");
			gx_base64_enc_lines(&t, noise, 60000 + seed % 540000);
			free(noise);
		}
		add(t.data, t.len);
		gx_push_release(&t);
	}
}

static int remove_one(const char *path, const struct stat *sb, int kind, struct FTW *ftw)
{
	return remove(path);
}

static uint64_t disk;
static int count_one(const char *path, const struct stat *sb, int kind, struct FTW *ftw)
{
	disk += (uint64_t)sb->st_blocks * 512;
	return 0;
}

int main(int argc, char **argv)
{
	char dir[256], file[300], why[256] = "";
	const char *tmp = getenv("TMPDIR");
	int passes = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	snprintf(dir, sizeof(dir), "%s/gxbenchXXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(dir) == NULL)
		die(dir);
	if (argc > 1)
		load(argv[1]);
	else
		make_up();
	snprintf(file, sizeof(file), "%s/db", dir);
	struct gx_sql *q;
	struct gx_cio *cio;
	struct gx_sql_open o = {.file = file, .dir = dir, .writer = true, .create = true, .cache_kib = 2048};
	if (gx_sql__open(&o, &q, why, sizeof(why)) != 0 || gx_cio__new(&gx_fs__system, dir, &cio) != 0 || gx_sql__exec(q, GX_CONTENT_SCHEMA) != 0)
		die(why);
	static const uint8_t nothing[] = {1, 0, 0, 0, 0};
	struct gx_arena *a = gx_arena_new(0);
	double t = now();
	uint64_t skeletons = 0;
	for (size_t i = 0; i < n; ++i) {
		struct gx_arena *mine = gx_arena_new(0);
		if (gx_skel__with_original(mine, (struct gx_bin){nothing, sizeof(nothing)}, mails[i].text, &mails[i].skeleton,
		    &mails[i].contents, &mails[i].count) != 0)
			die("cut");
		mails[i].skeleton.data = gx_arena_memdup(a, mails[i].skeleton.data, mails[i].skeleton.len);
		skeletons += mails[i].skeleton.len;
		if (gx_sql__exec(q, "BEGIN") != 0)
			die("begin");
		for (size_t k = 0; k < mails[i].count; ++k)
			if (gx_content__put(cio, q, &mails[i].contents[k]) != 0)
				die(gx_cio__why(cio));
		if (gx_sql__exec(q, "COMMIT") != 0)
			die("commit");
		gx_arena_free(mine);
	}
	double stored = now() - t;
	double cut = 0;
	for (size_t i = 0; i < n; ++i) {
		struct gx_arena *mine = gx_arena_new(0);
		struct gx_bin sk;
		struct gx_content_new *c;
		size_t count;
		t = now();
		if (gx_skel__with_original(mine, (struct gx_bin){nothing, sizeof(nothing)}, mails[i].text, &sk, &c, &count) != 0)
			die("cut");
		cut += now() - t;
		gx_arena_free(mine);
	}
	if (gx_sql__exec(q, "PRAGMA wal_checkpoint(TRUNCATE)") != 0)
		die(q->why);
	nftw(dir, count_one, 8, FTW_PHYS);
	struct gx_push out = GX_PUSH_INIT;
	double best = 1e9;
	for (int p = 0; p < passes; ++p) {
		t = now();
		for (size_t i = 0; i < n; ++i) {
			gx_push_clear(&out);
			if (gx_original__read(cio, q, mails[i].skeleton, 0, UINT64_MAX, &out) != 0)
				die(gx_cio__why(cio));
			if (out.len != mails[i].text.len || (p == 0 && memcmp(out.data, mails[i].text.data, out.len) != 0))
				die("not the same bytes");
		}
		double s = now() - t;
		best = s < best ? s : best;
	}
	double per = (double)total / (double)n;
	printf("{\"bench\": \"original\", \"messages\": %zu, \"mean_bytes\": %.0f, \"cut_us\": %.1f, \"cut_mb_s\": %.0f, \"cut_and_put_us\": %.1f,"
		" \"rebuild_us\": %.2f, \"rebuild_mb_s\": %.0f, \"skeleton_bytes\": %.0f, \"content_disk_bytes\": %.0f}\n", n, per,
		cut * 1e6 / (double)n, (double)total / cut / 1e6, stored * 1e6 / (double)n, best * 1e6 / (double)n, (double)total / best / 1e6,
		(double)skeletons / (double)n, (double)disk / (double)n);
	gx_push_release(&out);
	gx_arena_free(a);
	gx_cio__free(cio);
	gx_sql__close(q);
	for (size_t i = 0; i < n; ++i)
		free((void *)mails[i].text.data);
	free(mails);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
