/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/gxtest.h"
#include "crc32c.h"
#include "journal-int.h"

static char dir[64];

static void fresh_dir(void)
{
	memcpy(dir, "/tmp/check_journal.XXXXXX", sizeof("/tmp/check_journal.XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static unsigned each_file(const char *prefix, bool unlink_them)
{
	unsigned n = 0;
	char path[512];
	DIR *d = opendir(dir);
	const struct dirent *e;
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		++n;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink_them)
			unlink(path);
	}
	if (d != NULL)
		closedir(d);
	return n;
}

static void remove_dir(void)
{
	each_file("", true);
	rmdir(dir);
}

static struct gx_journal *open_with(struct gx_journal_opts o, const struct gx_jio *io)
{
	struct gx_journal *j = NULL;
	o.dir = dir;
	if (o.segment_bytes == 0)
		o.segment_bytes = 65536;
	ck_assert_int_eq(gx_journal__open_io(&o, io, &j, NULL, NULL), 0);
	return j;
}

static struct gx_journal *open_plain(void)
{
	return open_with((struct gx_journal_opts)GX_JOURNAL_OPTS_INIT, &gx_jio__system);
}

/* Waiting for callbacks. */
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static unsigned answered, failed;
static int last_err;

static void answer(int err, void *ctx)
{
	pthread_mutex_lock(&mu);
	++answered;
	failed += err != 0;
	last_err = err;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mu);
}

static void await(unsigned n)
{
	pthread_mutex_lock(&mu);
	while (answered < n)
		pthread_cond_wait(&cond, &mu);
	pthread_mutex_unlock(&mu);
}

static const char *const two_rcpts[] = {"a@example.org", "b@example.org"};

static int submit(struct gx_journal *j, const void *data, size_t len)
{
	struct gx_envelope env = {.from = "s@example.net", .rcpts = two_rcpts, .rcpt_count = 2, .client = "c [192.0.2.1]",
		.received_unix = 1234567, .smtputf8 = true};
	return gx_journal_submit(j, &env, (struct gx_bin){data, len}, answer, NULL);
}

static void put(struct gx_journal *j, const char *text)
{
	unsigned want = answered + 1;
	ck_assert_int_eq(submit(j, text, strlen(text)), 0);
	await(want);
}

/** Takes and releases everything; the texts, each followed by '|'. */
static void drain(struct gx_journal *j, char *out, size_t cap, bool release)
{
	struct gx_jrec *r;
	size_t n = 0;
	while ((r = gx_journal__next(j)) != NULL) {
		struct gx_arena *a = gx_arena_new(0);
		struct gx_envelope env;
		struct gx_bin data;
		ck_assert_int_eq(gx_journal__load_env(r, a, &env), 0);
		ck_assert_str_eq(env.from, "s@example.net");
		ck_assert_str_eq(env.client, "c [192.0.2.1]");
		ck_assert_uint_eq(env.rcpt_count, 2);
		ck_assert_str_eq(env.rcpts[1], "b@example.org");
		ck_assert(env.smtputf8 && env.received_unix == 1234567);
		ck_assert_int_eq(gx_journal__load_data(r, a, &data), 0);
		ck_assert_uint_lt(n + data.len + 2, cap);
		memcpy(out + n, data.data, data.len);
		n += data.len;
		out[n++] = '|';
		gx_arena_free(a);
		if (release)
			gx_journal__release(j, r);
		else
			free(r);
	}
	out[n] = '\0';
}

START_TEST(sums_agree)
{
	uint8_t b[300];
	ck_assert_uint_eq(gx_crc32c__update(0, "123456789", 9), 0xe3069283u);
	for (size_t i = 0; i < sizeof(b); ++i)
		b[i] = (uint8_t)(i * 7 + i / 9);
	for (size_t n = 0; n < sizeof(b); ++n) {
		uint8_t *q = gxtest_exact(b, n);
		ck_assert_uint_eq(gx_crc32c__update(0, q, n), gx_crc32c__table(0, q, n));
		uint32_t half = gx_crc32c__update(0, q, n / 3);
		ck_assert_uint_eq(gx_crc32c__update(half, q + n / 3, n - n / 3), gx_crc32c__table(0, q, n));
		free(q);
	}
}
END_TEST

START_TEST(records_survive_until_released)
{
	char got[256];
	fresh_dir();
	answered = 0;
	struct gx_journal *j = open_plain();
	put(j, "one");
	put(j, "");
	put(j, "three");
	struct gx_jrec *r = gx_journal__next(j);
	uint8_t id[16];
	memcpy(id, r->id, 16);
	free(r);
	gx_journal_close(j);

	j = open_plain();
	put(j, "four");
	r = gx_journal__next(j);
	ck_assert_mem_eq(r->id, id, 16);
	gx_journal__release(j, r);
	drain(j, got, sizeof(got), true);
	ck_assert_str_eq(got, "|three|four|");
	gx_journal_close(j);

	j = open_plain();
	drain(j, got, sizeof(got), true);
	ck_assert_str_eq(got, "");
	gx_journal_close(j);
	remove_dir();
}
END_TEST

START_TEST(one_writer_one_reader)
{
	struct gx_journal *k;
	struct gx_arena *a = gx_arena_new(0);
	const char *why = NULL;
	fresh_dir();
	struct gx_journal *j = open_plain();
	struct gx_journal_opts o = GX_JOURNAL_OPTS_INIT;
	o.dir = dir;
	ck_assert_int_eq(gx_journal_open(&o, &k, a, &why), GX_E_BUSY);
	ck_assert_ptr_nonnull(strstr(why, dir));
	ck_assert_int_eq(gx_journal__attach(j, NULL, NULL), 0);
	ck_assert_int_eq(gx_journal__follow(dir, NULL, &k, a, &why), 0);
	ck_assert_int_eq(gx_journal__attach(k, NULL, NULL), GX_E_BUSY);
	gx_journal_close(k);
	gx_journal_close(j);
	o.dir = "/proc/none/such";
	ck_assert_int_eq(gx_journal_open(&o, &k, a, &why), GX_E_IO);
	gx_arena_free(a);
	remove_dir();
}
END_TEST

START_TEST(segments_are_reused)
{
	char text[4000], got[8192];
	fresh_dir();
	answered = 0;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct gx_journal *j = open_plain();
	for (int i = 0; i < 500; ++i) {
		put(j, text);
		drain(j, got, sizeof(got), true);
		ck_assert_uint_eq(strlen(got), sizeof(text));
	}
	ck_assert_uint_le(each_file("seg", false), 3);
	gx_journal_close(j);
	remove_dir();
}
END_TEST

START_TEST(large_records_have_their_own_file)
{
	size_t n = 300000;
	char *big = malloc(n), *got = malloc(n + 100);
	memset(big, 'y', n);
	big[n - 1] = '\0';
	fresh_dir();
	answered = 0;
	struct gx_journal *j = open_plain();
	put(j, "before");
	put(j, big);
	put(j, "after");
	gx_journal_close(j);
	j = open_plain();
	unsigned files = each_file("seg", false);
	drain(j, got, n + 100, true);
	ck_assert_mem_eq(got, "before|yyy", 10);
	ck_assert_str_eq(got + 7 + n - 1, "|after|");
	ck_assert_uint_lt(each_file("seg", false), files);
	gx_journal_close(j);
	free(big);
	free(got);
	remove_dir();
}
END_TEST

START_TEST(bounds_are_kept)
{
	char got[1000];
	struct gx_journal_opts o = GX_JOURNAL_OPTS_INIT;
	o.max_bytes = 10000;
	o.max_inflight = 100;
	fresh_dir();
	answered = 0;
	struct gx_journal *j = open_with(o, &gx_jio__system);
	unsigned n = 0;
	while (submit(j, "x", 1) == 0)
		await(++n);
	ck_assert_uint_ge(n, 3);
	ck_assert_uint_le(n, 5);
	ck_assert_int_eq(submit(j, "x", 1), GX_E_NOSPACE);
	drain(j, got, sizeof(got), true);
	ck_assert_int_eq(submit(j, "x", 1), 0);
	await(n + 1);
	ck_assert(gx_journal__reserve(j, 60));
	ck_assert(!gx_journal__reserve(j, 60));
	gx_journal__unreserve(j, 60);
	ck_assert(gx_journal__reserve(j, 100));
	gx_journal_close(j);
	remove_dir();
}
END_TEST

static void *many(void *ctx)
{
	for (int i = 0; i < 50; ++i)
		ck_assert_int_eq(submit(ctx, "text of a message", 17), 0);
	return NULL;
}

START_TEST(one_flush_serves_many)
{
	pthread_t t[8];
	fresh_dir();
	answered = failed = 0;
	struct gx_journal *j = open_plain();
	for (int i = 0; i < 8; ++i)
		pthread_create(&t[i], NULL, many, j);
	for (int i = 0; i < 8; ++i)
		pthread_join(t[i], NULL);
	await(400);
	ck_assert_uint_eq(failed, 0);
	ck_assert_uint_lt(gx_journal__flushes(j), 400);
	unsigned n = 0;
	uint64_t seq = 0;
	struct gx_jrec *r;
	for (; (r = gx_journal__next(j)) != NULL; ++n) {
		ck_assert_uint_gt(r->seq, seq);
		seq = r->seq;
		gx_journal__release(j, r);
	}
	ck_assert_uint_eq(n, 400);
	gx_journal_close(j);
	remove_dir();
}
END_TEST

/* Faults: the n-th call fails. */
static int write_fault, sync_fault, fault_errno;

static ssize_t faulty_pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
	if (write_fault > 0 && --write_fault == 0) {
		errno = fault_errno;
		return -1;
	}
	struct iovec one = {iov->iov_base, iov->iov_len > 100 ? 100 : iov->iov_len};
	return n == 0 || iov->iov_len == 0 ? pwritev(fd, iov, n, off) : pwritev(fd, &one, 1, off);
}

static int faulty_fdatasync(int fd)
{
	if (sync_fault > 0 && --sync_fault == 0) {
		errno = fault_errno;
		return -1;
	}
	return fdatasync(fd);
}

static const struct gx_jio faulty = {faulty_pwritev, faulty_fdatasync};

START_TEST(failures_are_told_and_survived)
{
	char got[256];
	for (int kind = 0; kind < 4; ++kind) {
		fresh_dir();
		answered = failed = 0;
		write_fault = sync_fault = 0;
		struct gx_journal *j = open_with((struct gx_journal_opts)GX_JOURNAL_OPTS_INIT, &faulty);
		put(j, "one");
		fault_errno = kind & 1 ? ENOSPC : EIO;
		*(kind & 2 ? &write_fault : &sync_fault) = 1;
		put(j, "two");
		ck_assert_uint_eq(failed, 1);
		ck_assert_int_eq(last_err, kind & 1 ? GX_E_NOSPACE : GX_E_IO);
		put(j, "three");
		ck_assert_uint_eq(failed, 1);
		gx_journal_close(j);
		j = open_plain();
		drain(j, got, sizeof(got), true);
		ck_assert_str_eq(got, "one|three|");
		gx_journal_close(j);
		remove_dir();
	}
}
END_TEST

START_TEST(no_room_for_a_new_segment)
{
	char got[256];
	fresh_dir();
	answered = failed = 0;
	write_fault = sync_fault = 0;
	struct gx_journal *j = open_with((struct gx_journal_opts)GX_JOURNAL_OPTS_INIT, &faulty);
	put(j, "one");
	/* The segment in use breaks, and so does the making of the next one. */
	fault_errno = ENOSPC;
	sync_fault = 1;
	put(j, "two");
	write_fault = 1;
	put(j, "three");
	ck_assert_uint_eq(failed, 2);
	put(j, "four");
	ck_assert_uint_eq(failed, 2);
	drain(j, got, sizeof(got), true);
	ck_assert_str_eq(got, "one|four|");
	gx_journal_close(j);
	remove_dir();
}
END_TEST

static uint8_t *slurp(const char *path, size_t *ret_n)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	fstat(fd, &st);
	uint8_t *p = malloc((size_t)st.st_size);
	ck_assert_int_eq(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_n = (size_t)st.st_size;
	return p;
}

static void spill(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	close(fd);
}

/** Which of the three texts are still there; anything else fails. */
static unsigned survivors(void)
{
	char got[256];
	struct gx_journal *j = open_plain();
	drain(j, got, sizeof(got), false);
	gx_journal_close(j);
	unsigned m = 0;
	for (char *save, *w = strtok_r(got, "|", &save); w != NULL; w = strtok_r(NULL, "|", &save)) {
		ck_assert(strcmp(w, "first") == 0 || strcmp(w, "second") == 0 || strcmp(w, "third") == 0);
		m |= w[0] == 'f' ? 1 : w[0] == 's' ? 2 : 4;
	}
	return m;
}

START_TEST(damage_costs_only_what_it_hits)
{
	char path[128];
	size_t n;
	fresh_dir();
	answered = 0;
	struct gx_journal *j = open_plain();
	put(j, "first");
	put(j, "second");
	put(j, "third");
	gx_journal_close(j);
	snprintf(path, sizeof(path), "%s/seg00000001", dir);
	uint8_t *all = slurp(path, &n);
	size_t base = 2 * GX_JBLOCK; /* header block, map block */
	for (size_t k = 0; k < 3; ++k) {
		for (size_t i = 0; i < 180; ++i) {
			size_t off = base + k * GX_JBLOCK + i;
			all[off] ^= 0x41;
			spill(path, all, n);
			all[off] ^= 0x41;
			/* Bytes of the padding are nobody's; all others spoil exactly their record. */
			unsigned m = survivors();
			ck_assert(m == 7 || m == (7 & ~(1u << k)));
			if (i < 100)
				ck_assert_uint_eq(m, 7 & ~(1u << k));
		}
	}
	for (size_t cut = n; cut > base; cut -= cut > base + 2 * GX_JBLOCK + 200 ? 4096 : 97) {
		spill(path, all, cut);
		unsigned m = survivors();
		ck_assert(m == 7 || m == 3 || m == 1 || m == 0);
		ck_assert(cut < base + GX_JBLOCK || m & 1);
	}
	spill(path, all, n);
	ck_assert_uint_eq(survivors(), 7);
	all[3] ^= 1;
	spill(path, all, n);
	ck_assert_uint_eq(survivors(), 0);
	ck_assert_uint_eq(each_file("damaged-", false), 1);
	free(all);
	remove_dir();
}
END_TEST

static int child_pipe;

static void child_answer(int err, void *ctx)
{
	uint32_t n = (uint32_t)(uintptr_t)ctx;
	if (err != 0 || write(child_pipe, &n, sizeof(n)) != sizeof(n))
		_exit(1);
}

static void child(void)
{
	struct gx_journal *j = open_plain();
	char text[2000];
	memset(text, 'z', sizeof(text));
	for (uint32_t i = 1; ; ++i) {
		char no[16];
		struct gx_envelope env = {.from = no, .rcpts = two_rcpts, .rcpt_count = 1};
		snprintf(no, sizeof(no), "%u", i);
		if (gx_journal_submit(j, &env, (struct gx_bin){(uint8_t *)text, sizeof(text) - i % 1000}, child_answer,
		    (void *)(uintptr_t)i) != 0)
			_exit(2);
		if (i % 16 == 0)
			usleep(300);
	}
}

START_TEST(killed_writer_loses_nothing)
{
	for (int round = 0; round < 10; ++round) {
		int p[2];
		uint32_t n, max = 0;
		fresh_dir();
		ck_assert_int_eq(pipe(p), 0);
		child_pipe = p[1];
		pid_t pid = fork();
		if (pid == 0)
			child();
		close(p[1]);
		usleep(5000 + 7001 * (unsigned)round);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(p[0], &n, sizeof(n)) == sizeof(n))
			max = n > max ? n : max;
		close(p[0]);
		struct gx_journal *j = open_plain();
		struct gx_jrec *r;
		uint32_t next = 1;
		while ((r = gx_journal__next(j)) != NULL) {
			struct gx_arena *a = gx_arena_new(0);
			struct gx_envelope env;
			struct gx_bin data;
			ck_assert_int_eq(gx_journal__load_env(r, a, &env), 0);
			ck_assert_int_eq(gx_journal__load_data(r, a, &data), 0);
			ck_assert_uint_eq(strtoul(env.from, NULL, 10), next);
			ck_assert_uint_eq(data.len, 2000 - next % 1000);
			++next;
			gx_arena_free(a);
			gx_journal__release(j, r);
		}
		ck_assert_uint_gt(next, max);
		gx_journal_close(j);
		remove_dir();
	}
}
END_TEST

static unsigned ready_calls;

static void ready(void *ctx)
{
	pthread_mutex_lock(&mu);
	++ready_calls;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mu);
}

static struct gx_jrec *next_wait(struct gx_journal *k)
{
	for (;;) {
		pthread_mutex_lock(&mu);
		unsigned had = ready_calls;
		pthread_mutex_unlock(&mu);
		struct gx_jrec *r = gx_journal__next(k);
		if (r != NULL)
			return r;
		pthread_mutex_lock(&mu);
		while (ready_calls == had)
			pthread_cond_wait(&cond, &mu);
		pthread_mutex_unlock(&mu);
	}
}

START_TEST(another_process_can_read)
{
	struct gx_journal *k;
	char text[3000];
	fresh_dir();
	answered = 0;
	memset(text, 'q', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct gx_journal_opts o = GX_JOURNAL_OPTS_INIT;
	o.external = true;
	o.max_bytes = 400000;
	struct gx_journal *j = open_with(o, &gx_jio__system);
	put(j, "early");
	ck_assert_int_eq(gx_journal__follow(dir, NULL, &k, NULL, NULL), 0);
	ck_assert_int_eq(gx_journal__attach(k, ready, NULL), 0);
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin data;
	struct gx_jrec *r = next_wait(k);
	ck_assert_int_eq(gx_journal__load_data(r, a, &data), 0);
	ck_assert_mem_eq(data.data, "early", 5);
	gx_journal__release(k, r);
	uint64_t seq = 0;
	for (int i = 0; i < 600; ++i) {
		/* The writer sees what is finished when half its room is taken; until then it may say no. */
		unsigned want = answered + 1;
		int ret, tries = 0;
		while ((ret = submit(j, text, sizeof(text) - 1)) == GX_E_NOSPACE && ++tries < 2000)
			usleep(1000);
		ck_assert_int_eq(ret, 0);
		await(want);
		if (i == 300) {
			gx_journal_close(j);
			j = open_with(o, &gx_jio__system);
		}
		r = next_wait(k);
		ck_assert_uint_gt(r->seq, seq);
		seq = r->seq;
		ck_assert_int_eq(gx_journal__load_data(r, a, &data), 0);
		ck_assert_mem_eq(data.data, text, sizeof(text) - 1);
		gx_journal__release(k, r);
		gx_arena_reset(a);
	}
	ck_assert_uint_le(each_file("seg", false), 12);
	gx_journal__detach(k);
	gx_journal_close(k);
	gx_journal_close(j);
	gx_arena_free(a);
	remove_dir();
}
END_TEST

static Suite *journal_suite(void)
{
	Suite *s = suite_create("journal");
	TCase *t = tcase_create("journal");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, sums_agree);
	tcase_add_test(t, records_survive_until_released);
	tcase_add_test(t, one_writer_one_reader);
	tcase_add_test(t, segments_are_reused);
	tcase_add_test(t, large_records_have_their_own_file);
	tcase_add_test(t, bounds_are_kept);
	tcase_add_test(t, one_flush_serves_many);
	tcase_add_test(t, failures_are_told_and_survived);
	tcase_add_test(t, no_room_for_a_new_segment);
	tcase_add_test(t, damage_costs_only_what_it_hits);
	tcase_add_test(t, killed_writer_loses_nothing);
	tcase_add_test(t, another_process_can_read);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(journal_suite)
