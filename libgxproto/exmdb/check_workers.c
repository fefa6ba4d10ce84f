/* SPDX-License-Identifier: Apache-2.0 */
/* Processes for stores, played by the shell. */
#include <config.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/exmdb-workers.h>
#include "libgxstore/storetest.h"

static struct gx_arena *a;
static char *dir;

static void setup(void)
{
	a = gx_arena_new(0);
	dir = strdup(st_dir());
}

static void teardown(void)
{
	gx_arena_free(a);
	st_rmtree(dir);
	free(dir);
}

static const char *sub(const char *name)
{
	const char *path = gx_arena_printf(a, "%s/%s", dir, name);
	(void)mkdir(path, 0700);
	return path;
}

/* $2 is the store, $4 the socket. */
static struct gx_workers *workers(const char *script, unsigned max, uint32_t start_ms)
{
	const char *argv[] = {"/bin/sh", "-c", script, "worker", NULL}, *why = "";
	struct gx_workers_opts o = GX_WORKERS_OPTS_INIT;
	struct gx_workers *w = NULL;
	o.argv = argv;
	o.run_dir = gx_arena_printf(a, "%s/run", dir);
	o.max = max;
	o.start_ms = start_ms;
	ck_assert_msg(gx_workers_new(&o, &w, a, &why) == 0, "%s", why);
	return w;
}

static size_t lines(const char *file)
{
	char buf[4096];
	size_t n = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, buf, sizeof(buf));
	for (ssize_t i = 0; i < len; ++i)
		n += buf[i] == '\n';
	if (fd >= 0)
		close(fd);
	return n;
}

START_TEST(one_for_each_store)
{
	const char *log = gx_arena_printf(a, "%s/log", dir), *one, *again, *two;
	struct gx_workers *w = workers(gx_arena_printf(a, "echo $2 $4 >>%s; echo port >&3; echo ready >&3; exec 3>&-; read x <&4", log), 2, 0);
	ck_assert_int_eq(gx_workers_locate(sub("a"), a, &one, w), 0);
	ck_assert_int_eq(gx_workers_locate(sub("a"), a, &again, w), 0);
	ck_assert_int_eq(gx_workers_locate(sub("b"), a, &two, w), 0);
	ck_assert_str_eq(one, again);
	ck_assert_str_ne(one, two);
	ck_assert_uint_eq(lines(log), 2);
	ck_assert_uint_eq(gx_workers_tick(w), 2);
	ck_assert_int_eq(gx_workers_locate(sub("c"), a, &two, w), GX_E_LIMIT);
	ck_assert_int_eq(gx_workers_locate("/nonexistent/store", a, &two, w), GX_E_NOTFOUND);
	/* one that has ended makes room, and is started again at the same place */
	gx_workers_signal(w, SIGKILL);
	while (gx_workers_tick(w) > 0)
		usleep(1000);
	ck_assert_int_eq(gx_workers_locate(sub("c"), a, &two, w), 0);
	ck_assert_int_eq(gx_workers_locate(sub("a"), a, &again, w), 0);
	ck_assert_str_eq(one, again);
	ck_assert_uint_eq(lines(log), 4);
	gx_workers_free(w, 10000);
	ck_assert_int_ne(access(gx_arena_printf(a, "%s/run", dir), F_OK), 0);
}
END_TEST

START_TEST(those_that_do_not_start)
{
	const char *s;
	struct gx_workers *w = workers("exit 3", 0, 0);
	ck_assert_int_eq(gx_workers_locate(dir, a, &s, w), GX_E_STATE);
	ck_assert_uint_eq(gx_workers_tick(w), 0);
	gx_workers_free(w, 0);
	w = workers("exec sleep 60", 0, 50);
	ck_assert_int_eq(gx_workers_locate(dir, a, &s, w), GX_E_TIMEOUT);
	ck_assert_uint_eq(gx_workers_tick(w), 0);
	gx_workers_free(w, 0);
	/* much talk before the word that counts */
	w = workers("i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done >&3; echo ready >&3; exec sleep 60", 0, 0);
	ck_assert_int_eq(gx_workers_locate(dir, a, &s, w), 0);
	gx_workers_free(w, 10000);
}
END_TEST

/* No SIGTERM reaches those that do not listen to it. */
START_TEST(those_that_do_not_end)
{
	const char *s;
	struct gx_workers *w = workers("trap '' TERM; echo ready >&3; while :; do sleep 1; done", 0, 0);
	ck_assert_int_eq(gx_workers_locate(dir, a, &s, w), 0);
	gx_workers_free(w, 20);
}
END_TEST

START_TEST(bad_options)
{
	const char *argv[] = {"/nonexistent/program", NULL}, *why = "", *s;
	struct gx_workers_opts o = GX_WORKERS_OPTS_INIT;
	struct gx_workers *w;
	ck_assert_int_eq(gx_workers_new(&o, &w, a, &why), GX_E_INVAL);
	o.argv = argv;
	o.run_dir = "/nonexistent/run";
	ck_assert_int_eq(gx_workers_new(&o, &w, a, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/run"));
	o.run_dir = sub("open");
	ck_assert_int_eq(chmod(o.run_dir, 0755), 0);
	ck_assert_int_eq(gx_workers_new(&o, &w, a, &why), GX_E_IO);
	o.run_dir = gx_arena_printf(a, "%s/%0100d", dir, 0);
	ck_assert_int_eq(gx_workers_new(&o, &w, a, &why), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(why, "too long"));
	o.run_dir = sub("run");
	ck_assert_int_eq(gx_workers_new(&o, &w, a, &why), 0);
	ck_assert_int_eq(gx_workers_locate(dir, a, &s, w), GX_E_STATE);
	gx_workers_free(w, 0);
}
END_TEST

static Suite *workers_suite(void)
{
	Suite *s = suite_create("workers");
	TCase *t = tcase_create("workers");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, one_for_each_store);
	tcase_add_test(t, those_that_do_not_start);
	tcase_add_test(t, those_that_do_not_end);
	tcase_add_test(t, bad_options);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(workers_suite)
