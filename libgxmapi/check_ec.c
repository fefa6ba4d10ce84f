/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/ec.h>

START_TEST(names_and_texts)
{
	ck_assert_str_eq(gx_ec_name(GX_EC(ecSuccess)), "ecSuccess");
	ck_assert_str_eq(gx_ec_name(GX_EC(0x8004010FU)), "ecNotFound");
	ck_assert_str_eq(gx_ec_name(GX_EC(0x000003EEU)), "ecBadConfig"); /* a database warning has the same number */
	ck_assert_str_eq(gx_ec_name(GX_EC(0x00000490U)), "ecSearchFolderScopeViolation");
	ck_assert_str_eq(gx_ec_name(GX_EC(0x12345678U)), "unknown");
	ck_assert_str_eq(gx_ec_text(GX_EC(ecAccessDenied)), "Access is denied.");
	ck_assert_str_eq(gx_ec_text(GX_EC(ecFxBufferOverrun)), "FX buffer overrun.");
	ck_assert_ptr_nonnull(gx_ec_text(GX_EC(0x12345678U)));
}
END_TEST

START_TEST(warnings_are_success)
{
	ck_assert(!gx_ec_failed(GX_EC(ecSuccess)));
	ck_assert(!gx_ec_failed(GX_EC(0x00040380U)));  /* ecWarnWithErrors */
	ck_assert(!gx_ec_failed(GX_EC(0x00040680U)));  /* partial completion */
	ck_assert(!gx_ec_failed(GX_EC(0x00040999U)));  /* unknown, but of the range of warnings */
	ck_assert(gx_ec_failed(GX_EC(ecQuotaExceeded))); /* a small code is an error */
	ck_assert(gx_ec_failed(GX_EC(ecNotFound)));
	ck_assert(gx_ec_failed(GX_EC(0x00001234U)));
	ck_assert(gx_ec_failed(GX_EC(0xDEADBEEFU)));
}
END_TEST

START_TEST(border_between_the_two_kinds)
{
	ck_assert(gx_ec_is(gx_ec_from_err(0), ecSuccess));
	ck_assert(gx_ec_is(gx_ec_from_err(GX_E_NOTFOUND), ecNotFound));
	ck_assert(gx_ec_is(gx_ec_from_err(GX_E_NOMEM), ecMAPIOOM));
	ck_assert(gx_ec_is(gx_ec_from_err(-9999), ecError));
	for (int e = GX_E_INTERNAL; e < 0; ++e) {
		gx_ec ec = gx_ec_from_err(e);
		ck_assert(gx_ec_failed(ec));
		ck_assert_int_lt(gx_ec_to_err(ec), 0);
		ck_assert_str_ne(gx_ec_name(ec), "unknown");
	}
	ck_assert_int_eq(gx_ec_to_err(GX_EC(ecNotFound)), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_ec_to_err(GX_EC(ecDuplicateName)), GX_E_EXISTS);
	ck_assert_int_eq(gx_ec_to_err(GX_EC(0x00040380U)), 0);
	ck_assert_int_eq(gx_ec_to_err(GX_EC(0x80040FFEU)), GX_E_INTERNAL);
}
END_TEST

static Suite *ec_suite(void)
{
	Suite *s = suite_create("ec");
	TCase *t = tcase_create("ec");
	tcase_add_test(t, names_and_texts);
	tcase_add_test(t, warnings_are_success);
	tcase_add_test(t, border_between_the_two_kinds);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(ec_suite)
