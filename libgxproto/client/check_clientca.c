/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a client over TLS believes: the system's authorities, or with some of its own those alone. Linked with --wrap for
 * curl_easy_reset(), behind which handles know what libcurl was built with: here the system's authorities are a directory
 * of the test.
 */
#include <config.h>
#include <sys/stat.h>
#include <curl/curl.h>
#include <gx/autodiscover.h>
#include "libgxproto/client/clienttest.h"

void __real_curl_easy_reset(CURL *e);
void __wrap_curl_easy_reset(CURL *e);

static const char *at_system, *server_cert, *other_cert; /* a directory, files */
static char dir[512];

void __wrap_curl_easy_reset(CURL *e)
{
	__real_curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, at_system);
}

/* The system trusts the server's certificate, which nobody else has signed; and there is another one. */
static void setup(void)
{
	struct gx_mh_opts mo = GX_MH_OPTS_INIT;
	et_setup();
	snprintf(dir, sizeof(dir), "%s", st_dir());
	at_system = gx_arena_printf(et_a, "%s/system", dir);
	ck_assert_int_eq(mkdir(at_system, 0700), 0);
	struct gx_tls *tls = eh_self_signed(et_a, at_system);
	server_cert = gx_arena_printf(et_a, "%s/tls.crt", at_system);
	other_cert = gx_arena_printf(et_a, "%s/other.crt", dir);
	ck_assert(cert_make("localhost", other_cert, gx_arena_printf(et_a, "%s/other.key", dir)));
	mo.ems = et_ems;
	serve_start(&ct_server, et_a, et_people, &mo, tls);
}

static void teardown(void)
{
	serve_stop(&ct_server);
	et_teardown();
	st_rmtree(dir);
}

/* NULL: connected; else what it says. */
static const char *connects(const char *ca_file)
{
	struct gx_mapi_opts o = GX_MAPI_OPTS_INIT;
	struct gx_mapi *c;
	const char *why;
	o.url = gx_arena_printf(et_a, "https://localhost:%u/mapi/emsmdb/?MailboxId=1", ct_server.port);
	o.user = "ann@example.org";
	o.password = "x";
	o.user_dn = et_dn[0];
	o.ca_file = ca_file;
	ck_assert_msg(gx_mapi_new(&o, &c, &why) == 0, "%s", why);
	gx_ec ec = gx_mapi_connect(c, NULL);
	ck_assert_msg(!gx_ec_failed(ec) || gx_ec_is(ec, ecNetworkError), "%s", gx_ec_name(ec));
	why = gx_ec_failed(ec) ? gx_arena_strdup(et_a, gx_mapi_error(c)->text) : NULL;
	gx_mapi_free(c);
	return why;
}

/* There is no answer to find on this server: whether it was asked at all is the question. */
static const char *looks_up(const char *ca_file)
{
	struct gx_disco_look o = GX_DISCO_LOOK_INIT;
	struct gx_disco_found found;
	const char *why = "";
	o.address = "ann@example.org";
	o.password = "x";
	o.url = gx_arena_printf(et_a, "https://localhost:%u/autodiscover/autodiscover.xml", ct_server.port);
	o.ca_file = ca_file;
	ck_assert_int_eq(gx_disco_look_up(&o, et_a, &found, &why), GX_E_NOTFOUND);
	return strstr(why, "HTTP status 404") != NULL ? NULL : why;
}

static const char *(*const ways[])(const char *ca_file) = {connects, looks_up};

/* Not every libcurl finds authorities in a directory by any name, and then there is nothing to be seen here. */
static bool has_system(void)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
	return v->ssl_version != NULL && strstr(v->ssl_version, "GnuTLS") != NULL;
}

START_TEST(the_systems_authorities_are_trusted)
{
	const char *why = has_system() ? ways[_i](NULL) : NULL;
	ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

START_TEST(those_of_ca_file_are_trusted)
{
	const char *cert = gx_arena_printf(et_a, "%s/mine.crt", dir);
	ck_assert_int_eq(rename(server_cert, cert), 0);
	ck_assert_ptr_nonnull(ways[_i](NULL));
	const char *why = ways[_i](cert);
	ck_assert_msg(why == NULL, "%s", why);
}
END_TEST

START_TEST(and_then_no_others)
{
	const char *why = ways[_i](other_cert);
	ck_assert_msg(why != NULL, "the system's are trusted beside those of ca_file");
	ck_assert_msg(strstr(why, "certificate") != NULL, "%s", why);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("clientca");
	TCase *c = tcase_create("authorities");
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, the_systems_authorities_are_trusted, 0, 2);
	tcase_add_loop_test(c, those_of_ca_file_are_trusted, 0, 2);
	tcase_add_loop_test(c, and_then_no_others, 0, 2);
	suite_add_tcase(su, c);
	return su;
}

GXTEST_MAIN(suite)
