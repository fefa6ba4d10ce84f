/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/gxtest.h"
#include <stdio.h>
#include <unistd.h>
#include <gx/conf.h>
#include <gx/directives.h>
#include <gx/directory.h>
#include <gx/emsmdb.h>
#include <gx/store.h>
#include <gx/strbuf.h>

static const struct gx_conf_key table[] = {
	{"host_id", GX_CONF_STRING, "", NULL, NULL, "A name.", "imap.cfg"},
	{"imap_support_tls", GX_CONF_BOOL, "false", NULL, NULL, "TLS or not.", "imap.cfg"},
	{"context_num", GX_CONF_UINT, "200", "1", "100000", "How many.", "imap.cfg"},
	{"mail_max_length", GX_CONF_SIZE, "64M", "1k", NULL, "How long.", "smtp.cfg"},
	{"imap_conn_timeout", GX_CONF_DURATION, "3 minutes", "1s", "1 day", "How patient a server is with a client that does not say "
		"anything at all for a long time, which is told in a paragraph that needs more than one line.", "imap.cfg"},
	{"imap_listen", GX_CONF_LISTEN, "[::]:143", NULL, NULL, "Where.", "gromox.cfg"},
	{"imap_log_level", GX_CONF_LOGLEVEL, "4", NULL, NULL, "How much.", "imap.cfg"},
	{"imap_thread_init_num", GX_CONF_DEPRECATED, "", NULL, NULL, "threads are started on demand.", "imap.cfg"},
	{NULL},
};
static const struct gx_conf_key other[] = {
	{"lda_listen", GX_CONF_LISTEN, "[::]:25", NULL, NULL, "Where.", "gromox.cfg"},
	{"host_id", GX_CONF_UINT, "7", NULL, NULL, "Hidden by the first.", "smtp.cfg"},
	{"lda_old", GX_CONF_DEPRECATED, "", NULL, NULL, "gone.", "smtp.cfg"},
	{NULL},
};
static const struct gx_conf_key *const tables[] = {table, NULL}, *const foreign[] = {other, NULL};

static void collect(int level, const char *text, void *ctx)
{
	gx_strbuf_printf(ctx, "%d %s\n", level, text);
}

static void collect_line(const char *text, void *ctx)
{
	gx_strbuf_printf(ctx, "%s\n", text);
}

static char path[] = "/tmp/check_conf.XXXXXX";

static int read_text(struct gx_conf *c, const char *text, struct gx_strbuf *said)
{
	struct gx_log log = {collect, said, GX_LOG_DEBUG};
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	gx_strbuf_clear(said);
	int ret = gx_conf_read(c, path, &log);
	unlink(path);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	return ret;
}

START_TEST(defaults_and_values)
{
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_conf *c = gx_conf_new(tables);
	gx_conf_foreign(c, foreign);
	ck_assert_uint_eq(gx_conf_uint(c, "imap_conn_timeout"), 180);
	ck_assert_uint_eq(gx_conf_uint(c, "mail_max_length"), 64 << 20);
	ck_assert_str_eq(gx_conf_str(c, "imap_listen"), "[::]:143");
	ck_assert(!gx_conf_is_set(c, "context_num"));
	ck_assert_str_eq(gx_conf_origin(c, "context_num"), "default");
	ck_assert_int_eq(read_text(c,
		"# a comment\n\n  host_id =  mx.example.com \r\nIMAP_SUPPORT_TLS=Yes\ncontext_num = 10k\n"
		"imap_conn_timeout=1h 30min\nimap_listen = [::1]:1143 127.0.0.1:0 /run/x.sock\nimap_log_level=debug\n"
		"lda_listen = *:24\nlda_old = 1\n", &said), 0);
	ck_assert_str_eq(gx_strbuf_cstr(&said), "");
	ck_assert_str_eq(gx_conf_str(c, "host_id"), "mx.example.com");
	ck_assert(gx_conf_bool(c, "imap_support_tls"));
	ck_assert_uint_eq(gx_conf_uint(c, "context_num"), 10240);
	ck_assert_uint_eq(gx_conf_uint(c, "imap_conn_timeout"), 5400);
	ck_assert_uint_eq(gx_conf_uint(c, "imap_log_level"), 6);
	ck_assert_ptr_nonnull(strstr(gx_conf_origin(c, "host_id"), ":3"));
	ck_assert_int_eq(gx_conf_set(c, "host_id", " line\nbreak ", NULL), 0);
	ck_assert_str_eq(gx_conf_str(c, "host_id"), "line break");
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

static const struct {
	const char *text;
	int ret;
	const char *said; /* part of it */
} bad[] = {
	{"hots_id = x\n", 0, ":1: unknown directive \"hots_id\""},
	{"\nimap_support_tls = maybe\n", GX_E_INVAL, ":2: imap_support_tls = maybe: expected yes or no"},
	{"context_num = 0\n", GX_E_INVAL, "must be between 1 and 100000"},
	{"context_num = 1000000\n", GX_E_INVAL, "must be between"},
	{"context_num = -1\n", GX_E_INVAL, "expected a number"},
	{"mail_max_length = 5\n", GX_E_INVAL, "must be at least 1k"},
	{"mail_max_length = 64 megabytes\n", GX_E_INVAL, "for example 64M"},
	{"imap_conn_timeout = 3 minuten\n", GX_E_INVAL, "3 minutes"},
	{"imap_conn_timeout = 0\n", GX_E_INVAL, "between 1s and 1 day"},
	{"imap_listen = localhost:143\n", GX_E_INVAL, "[IPv6]:port"},
	{"imap_listen = [::]:143 [::1]\n", GX_E_INVAL, "[IPv6]:port"},
	{"imap_listen = [::]:65536\n", GX_E_INVAL, "[IPv6]:port"},
	{"imap_log_level = 9\n", GX_E_INVAL, "6 (debug)"},
	{"no equals sign\n", GX_E_INVAL, ":1: expected \"directive = value\""},
	{"= 5\n", GX_E_INVAL, "expected"},
	{"imap_thread_init_num = 5\nimap_thread_init_num = 6\n", 0, ":1: imap_thread_init_num has no effect: threads"},
};

START_TEST(bad_lines_are_named)
{
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_conf *c = gx_conf_new(tables);
	ck_assert_int_eq(read_text(c, bad[_i].text, &said), bad[_i].ret);
	ck_assert_msg(strstr(gx_strbuf_cstr(&said), bad[_i].said) != NULL, "said: %s", gx_strbuf_cstr(&said));
	ck_assert_ptr_eq(strchr(gx_strbuf_cstr(&said), '\n'), gx_strbuf_cstr(&said) + said.len - 1);
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

START_TEST(missing_and_unreadable_files)
{
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_log log = {collect, &said, GX_LOG_DEBUG};
	struct gx_conf *c = gx_conf_new(tables);
	ck_assert_int_eq(gx_conf_read(c, "/nonexistent/gromox.cfg", &log), GX_E_NOTFOUND);
	ck_assert_int_eq(gx_conf_read(c, "/tmp", &log), GX_E_IO);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&said), "/tmp: Is a directory"));
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

START_TEST(dump_reads_back)
{
	struct gx_strbuf said = GX_STRBUF_INIT, first = GX_STRBUF_INIT, second = GX_STRBUF_INIT;
	struct gx_conf *c = gx_conf_new(tables), *d = gx_conf_new(tables);
	gx_conf_foreign(c, foreign);
	ck_assert_int_eq(read_text(c, "host_id = a b\nimap_conn_timeout=90\nlda_listen=[::]:24\n", &said), 0);
	gx_conf_dump(c, collect_line, &first);
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&first), "\nhost_id = a b\n"));
	ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&first), "\n#context_num = 200\n"));
	ck_assert_ptr_null(strstr(gx_strbuf_cstr(&first), "lda_listen"));
	ck_assert_ptr_null(strstr(gx_strbuf_cstr(&first), "thread_init"));
	ck_assert_int_eq(read_text(d, gx_strbuf_cstr(&first), &said), 0);
	ck_assert_str_eq(gx_strbuf_cstr(&said), "");
	ck_assert_uint_eq(gx_conf_uint(d, "imap_conn_timeout"), 90);
	gx_conf_dump(d, collect_line, &second);
	ck_assert_str_eq(gx_strbuf_cstr(&first), gx_strbuf_cstr(&second));
	gx_conf_free(c);
	gx_conf_free(d);
	gx_strbuf_release(&said);
	gx_strbuf_release(&first);
	gx_strbuf_release(&second);
}
END_TEST

static const struct {
	const char *text;
	int ret;
	uint64_t v;
} durations[] = {
	{"1d1h1m1s", GX_E_FORMAT, 0}, {"1d1h1min1s", 0, 90061}, {"3.5 hours", 0, 12600}, {"1 hour 1 hour", 0, 7200},
	{"1hour60minutes", 0, 7200}, {"90", 0, 90}, {" 2h 30min ", 0, 9000}, {"1.5s", 0, 1}, {"1.5min", 0, 90},
	{"1h -30min", 0, 1800}, {"-1s", GX_E_RANGE, 0}, {"1500ms", 0, 1}, {"2 weeks", 0, 1209600}, {"", GX_E_FORMAT, 0},
	{"h", GX_E_FORMAT, 0}, {"1h 5", GX_E_FORMAT, 0}, {"99999999999999999999y", GX_E_RANGE, 0}, {".5min", 0, 30},
	{"1..5s", GX_E_FORMAT, 0}, {"1 s\xc2", GX_E_FORMAT, 0}, {"09min", 0, 540}, {"1000000000 years", GX_E_RANGE, 0},
	{"0.1s", 0, 0}, {"1e3", GX_E_FORMAT, 0},
}, sizes[] = {
	{"4k", 0, 4096}, {"1.5M", 0, 1572864}, {"64M", 0, 67108864}, {"0", 0, 0}, {"0x10", 0, 16}, {" 12 ", 0, 12},
	{"16E", GX_E_RANGE, 0}, {"15E", 0, UINT64_C(15) << 60}, {"18446744073709551615", 0, UINT64_MAX},
	{"18446744073709551616", GX_E_RANGE, 0}, {"-1", GX_E_RANGE, 0}, {"1kk", GX_E_FORMAT, 0}, {"M", GX_E_FORMAT, 0},
	{"", GX_E_FORMAT, 0}, {"1K", 0, 1024}, {"1.", 0, 1}, {".", GX_E_FORMAT, 0}, {"16.5E", GX_E_RANGE, 0},
};

START_TEST(durations_as_in_the_manual)
{
	uint64_t v = 0;
	char *exact = gxtest_exact(durations[_i].text, strlen(durations[_i].text) + 1);
	ck_assert_int_eq(gx_conf_parse_duration(exact, &v), durations[_i].ret);
	ck_assert_uint_eq(v, durations[_i].v);
	free(exact);
}
END_TEST

START_TEST(sizes_as_in_the_manual)
{
	uint64_t v = 0;
	char *exact = gxtest_exact(sizes[_i].text, strlen(sizes[_i].text) + 1);
	ck_assert_int_eq(gx_conf_parse_size(exact, &v), sizes[_i].ret);
	ck_assert_uint_eq(v, sizes[_i].v);
	free(exact);
}
END_TEST

START_TEST(directives_have_valid_defaults)
{
	struct gx_strbuf said = GX_STRBUF_INIT, text = GX_STRBUF_INIT;
	const struct gx_conf_key *all[GX_DIRECTIVES_COUNT + 1] = {0};
	unsigned n = 0;
	for (unsigned i = 0; i < GX_DIRECTIVES_COUNT; ++i) {
		all[i] = gx_directives(i);
		for (const struct gx_conf_key *k = all[i]; k->name != NULL; ++k, ++n) {
			ck_assert_msg(k->help[0] != '\0', "%s", k->name);
			for (const char *p = k->name; *p != '\0'; ++p)
				ck_assert(*p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9'));
			gx_strbuf_printf(&text, "%s = %s\n", k->name, k->dflt);
		}
	}
	ck_assert_ptr_null(gx_directives(GX_DIRECTIVES_COUNT));
	ck_assert_uint_gt(n, 100);
	struct gx_conf *c = gx_conf_new(all);
	ck_assert_int_eq(read_text(c, gx_strbuf_cstr(&text), &said), 0);
	/* Only those without effect are remarked upon, each once. */
	for (char *line = said.s; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert_ptr_nonnull(strstr(line, "has no effect: "));
	gx_conf_free(c);
	gx_strbuf_release(&said);
	gx_strbuf_release(&text);
}
END_TEST

static const struct {
	const char *text;
	int ret;
	const char *module; /* NULL: SQLite */
	bool tls;
} directories[] = {
	{"", 0, NULL, false},
	{"directory = auto\n", 0, NULL, false},
	{"directory = sqlite\nmysql_host = db\n", 0, NULL, false},
	{"directory = mysql\n", 0, "mariadb", false},
	{"mysql_host = db\nmysql_tls = yes\n", 0, "mariadb", true},
	{"mysql_dbname = users\nmysql_tls_cert = /c.pem\n", 0, "mariadb", true},
	{"mysql_password = x\n", 0, "mariadb", false},
	{"mysql_port = 3307\n", 0, NULL, false}, /* names nobody */
	{"directory = MySQL\n", GX_E_INVAL, NULL, false},
	{"directory =\n", GX_E_INVAL, NULL, false},
};

START_TEST(directories_are_chosen)
{
	const struct gx_conf_key *own[] = {gx_directives(GX_DIRECTIVES_GENERAL), gx_directives(GX_DIRECTIVES_MYSQL), NULL};
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_log log = {collect, &said, GX_LOG_DEBUG};
	struct gx_conf *c = gx_conf_new(own);
	struct gx_arena *a = gx_arena_new(0);
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	ck_assert_int_eq(read_text(c, directories[_i].text, &said), 0);
	ck_assert_int_eq(gx_directives_directory(c, &log, a, &o), directories[_i].ret);
	if (directories[_i].ret != 0) {
		ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&said), "sqlite, mysql or auto"));
	} else {
		ck_assert_pstr_eq(o.module, directories[_i].module);
		ck_assert_int_eq(o.tls, directories[_i].tls);
		ck_assert_uint_eq(o.connections, 8);
		ck_assert_str_ne(o.host_id, "");
	}
	gx_arena_free(a);
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

static const struct {
	const char *text;
	int ret;
	long threshold;
	const char *version; /* NULL: no such version */
} outlooks[] = {
	{"", 0, -1, "15.00.0847.4040"},
	{"emsmdb_compress_threshold = 1k\n", 0, 1024, "15.00.0847.4040"},
	{"emsmdb_compress_threshold = -2\n", GX_E_INVAL, 0, "15.00.0847.4040"},
	{"emsmdb_compress_threshold = 99999P\n", GX_E_INVAL, 0, "15.00.0847.4040"},
	{"reported_server_version = 15.2.1544.9\n", 0, -1, "15.2.1544.9"},
	{"reported_server_version = 15.00.0847\n", 0, -1, NULL},
	{"reported_server_version = 15.00.0847.4040.\n", 0, -1, NULL},
	{"reported_server_version = 15.00.08470.4040\n", 0, -1, NULL},
	{"reported_server_version = 15.00..4040\n", 0, -1, NULL},
};

START_TEST(limits_of_outlook)
{
	const struct gx_conf_key *own[] = {gx_directives(GX_DIRECTIVES_GENERAL), gx_directives(GX_DIRECTIVES_EXMDB), gx_directives(GX_DIRECTIVES_EMS), NULL};
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_log log = {collect, &said, GX_LOG_DEBUG};
	struct gx_conf *c = gx_conf_new(own);
	struct gx_ems_opts o = GX_EMS_OPTS_INIT;
	ck_assert_int_eq(read_text(c, outlooks[_i].text, &said), 0);
	ck_assert_int_eq(gx_directives_ems(c, &log, &o), outlooks[_i].ret);
	if (outlooks[_i].ret == 0) {
		ck_assert_int_eq(o.compress_threshold, outlooks[_i].threshold);
		ck_assert_uint_eq(o.max_user_sessions, 100);
		ck_assert_uint_eq(o.max_notes, 65536);
		ck_assert_uint_eq(o.rop_chaining, 1);
		ck_assert_str_eq(o.org_name, "Gromox default");
	} else {
		ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&said), "emsmdb_compress_threshold"));
	}
	ck_assert_pstr_eq(gx_directives_server_version(c, &log), outlooks[_i].version);
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

START_TEST(choices_of_stores)
{
	const struct gx_conf_key *own[] = {gx_directives(GX_DIRECTIVES_GENERAL), gx_directives(GX_DIRECTIVES_STORE), NULL};
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_conf *c = gx_conf_new(own);
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	gx_directives_store(c, &o);
	ck_assert(o.search_pacing == 250 && o.search_pacing_ms == 2000 && o.max_rules == 1000 && o.max_ext_rules == 20);
	ck_assert(o.max_messages == 0 && !o.folders_go && !o.one_read_state && o.pf_reads == GX_PF_COUNTED);
	ck_assert(!o.no_upgrade && !o.no_synthesis && !o.log_sql);
	ck_assert_str_eq(gx_directives_lang(c), "en");
	ck_assert_int_eq(read_text(c, "exmdb_search_pacing = 7\nexmdb_search_pacing_time = 1min\nmax_rule_number = 3\nmax_ext_rule_number = 4\n"
		"max_store_message_count = 5000000000\nexmdb_private_folder_softdelete = no\nexmdb_pf_read_per_user = 0\n"
		"exmdb_pf_read_states = 0\nexmdb_schema_upgrades = no\nexmdb_body_autosynthesis = off\nsqlite_debug = 1\n"
		"default_lang = fr\n", &said), 0);
	gx_directives_store(c, &o);
	ck_assert(o.search_pacing == 7 && o.search_pacing_ms == 60000 && o.max_rules == 3 && o.max_ext_rules == 4);
	ck_assert(o.max_messages == 5000000000 && o.folders_go && o.one_read_state && o.pf_reads == GX_PF_ALL_READ);
	ck_assert(o.no_upgrade && o.no_synthesis && o.log_sql);
	ck_assert_str_eq(gx_directives_lang(c), "fr");
	ck_assert_int_eq(read_text(c, "user_default_lang = de\n", &said), 0);
	ck_assert_str_eq(gx_directives_lang(c), "de");
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

static const struct {
	const char *text;
	int level; /* 0: none */
} levels[] = {
	{"", 3}, {"no", -1}, {"yes", 6}, {"YES", 6}, {"zstd-1", 1}, {"zstd-19", 19}, {"zstd-0", 0}, {"zstd-20", 0}, {"zstd-", 0}, {"zstd-1x", 0},
	{"gzip", 0},
};

START_TEST(levels_of_compression)
{
	const struct gx_conf_key *own[] = {gx_directives(GX_DIRECTIVES_STORE), NULL};
	struct gx_strbuf said = GX_STRBUF_INIT;
	struct gx_log log = {collect, &said, GX_LOG_DEBUG};
	struct gx_conf *c = gx_conf_new(own);
	int level = 0;
	if (*levels[_i].text != '\0')
		ck_assert_int_eq(gx_conf_set(c, "exmdb_file_compression", levels[_i].text, NULL), 0);
	ck_assert_int_eq(gx_directives_compression(c, &log, &level), levels[_i].level == 0 ? GX_E_INVAL : 0);
	ck_assert_int_eq(level, levels[_i].level);
	if (level == 0)
		ck_assert_ptr_nonnull(strstr(gx_strbuf_cstr(&said), "expected no, yes, or zstd-LEVEL"));
	gx_conf_free(c);
	gx_strbuf_release(&said);
}
END_TEST

static Suite *conf_suite(void)
{
	Suite *s = suite_create("conf");
	TCase *t = tcase_create("conf");
	tcase_add_test(t, defaults_and_values);
	tcase_add_loop_test(t, bad_lines_are_named, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, missing_and_unreadable_files);
	tcase_add_test(t, dump_reads_back);
	tcase_add_test(t, directives_have_valid_defaults);
	tcase_add_loop_test(t, directories_are_chosen, 0, sizeof(directories) / sizeof(directories[0]));
	tcase_add_loop_test(t, limits_of_outlook, 0, sizeof(outlooks) / sizeof(outlooks[0]));
	tcase_add_test(t, choices_of_stores);
	tcase_add_loop_test(t, levels_of_compression, 0, sizeof(levels) / sizeof(levels[0]));
	tcase_add_loop_test(t, durations_as_in_the_manual, 0, sizeof(durations) / sizeof(durations[0]));
	tcase_add_loop_test(t, sizes_as_in_the_manual, 0, sizeof(sizes) / sizeof(sizes[0]));
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(conf_suite)
