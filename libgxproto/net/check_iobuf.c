/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/engine.h>

/* Against a plain array: random adds and consumes leave the same bytes. */
START_TEST(behaves_like_a_queue)
{
	enum { MODEL = 1 << 20 };
	uint8_t *model = malloc(MODEL);
	size_t head = 0, tail = 0;
	uint32_t seed = 12345;
	struct gx_iobuf b = {0};
	for (unsigned i = 0; i < 4000 && tail + 9000 < MODEL; ++i) {
		seed = seed * 1103515245 + 12345;
		size_t n = (seed >> 8) % (i % 50 == 0 ? 9000 : 300);
		if (seed >> 30 != 0) {
			for (size_t k = 0; k < n; ++k)
				model[tail + k] = (uint8_t)(seed + k);
			ck_assert_int_eq(gx_iobuf_add(&b, model + tail, n), 0);
			tail += n;
		} else {
			if (n > tail - head)
				n = tail - head;
			gx_iobuf_consume(&b, n);
			head += n;
		}
		ck_assert_uint_eq(gx_iobuf_left(&b), tail - head);
		if (tail != head)
			ck_assert_mem_eq(gx_iobuf_head(&b), model + head, tail - head);
	}
	ck_assert_uint_gt(tail, 100000);
	gx_iobuf_release(&b);
	ck_assert_uint_eq(b.cap, 0);
	free(model);
}
END_TEST

START_TEST(reserve_grows_only_when_needed)
{
	struct gx_iobuf b = {0};
	uint8_t *p = gx_iobuf_reserve(&b, 100);
	ck_assert_ptr_nonnull(p);
	memset(p, 'a', 100);
	gx_iobuf_added(&b, 100);
	size_t cap = b.cap;
	gx_iobuf_consume(&b, 90);
	p = gx_iobuf_reserve(&b, cap - 20);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(b.cap, cap);
	ck_assert_uint_eq(gx_iobuf_left(&b), 10);
	ck_assert_mem_eq(gx_iobuf_head(&b), "aaaaaaaaaa", 10);
	ck_assert_ptr_null(gx_iobuf_reserve(&b, SIZE_MAX - 5));
	ck_assert_uint_eq(gx_iobuf_left(&b), 10);
	gx_iobuf_release(&b);
}
END_TEST

static void note_wake(struct gx_io *io)
{
	++*(int *)io->driver;
}

START_TEST(wake_calls_the_driver)
{
	int n = 0;
	struct gx_io io = {.wake = note_wake, .driver = &n};
	gx_io_wake(&io);
	ck_assert_int_eq(n, 1);
	io.wake = NULL;
	gx_io_wake(&io);
	ck_assert_int_eq(n, 1);
}
END_TEST

static Suite *iobuf_suite(void)
{
	Suite *s = suite_create("iobuf");
	TCase *t = tcase_create("iobuf");
	tcase_add_test(t, behaves_like_a_queue);
	tcase_add_test(t, reserve_grows_only_when_needed);
	tcase_add_test(t, wake_calls_the_driver);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(iobuf_suite)
