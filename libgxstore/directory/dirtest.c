/* SPDX-License-Identifier: Apache-2.0 */
/* Fixtures and helpers of the cases. */
#include <config.h>
#include "libgxstore/directory/dirtest.h"

struct gx_arena *dt_arena;
struct gx_dir *dt_dir;

void dt_setup_empty(void)
{
	dt_arena = gx_arena_new(0);
	dt_dir = NULL;
	dt_make_empty();
}

void dt_open(bool first_time)
{
	struct gx_dir_opts o = dt_opts;
	const char *why = "";
	o.first_time_password = first_time;
	int err = gx_dir_open(&o, &dt_dir, dt_arena, &why);
	ck_assert_msg(err == 0, "%d %s", err, why);
}

void dt_setup(void)
{
	const char *why = "";
	dt_setup_empty();
	int err = gx_dir_create_tables(&dt_opts, false, dt_arena, &why);
	ck_assert_msg(err == 0, "%d %s", err, why);
	dt_open(false);
	ck_assert_int_eq(gx_dir_add_domain(dt_dir, "Example.ORG", "/d/example.org", 0, NULL), 0);
}

void dt_teardown(void)
{
	gx_dir_close(dt_dir);
	gx_arena_free(dt_arena);
	dt_remove();
}

static int run_text(struct gx_dirconn *c, void *ctx)
{
	const char *text = ctx;
	int err = 0;
	while (err == 0 && *text != '\0') {
		size_t n = strcspn(text, ";");
		char *one = strndup(text, n);
		err = one == NULL ? GX_E_NOMEM : c->back->exec(c, one);
		free(one);
		text += n + (text[n] == ';');
	}
	return err;
}

static void log_fails(int level, const char *text, void *ctx)
{
	ck_assert_msg(level > GX_LOG_ERROR, "%s", text);
}

/* Anything on the database, also when the tables are too old to be opened. */
static void on_database(gx_dir_work *work, void *ctx)
{
	struct gx_dir *d;
	const char *why = "";
	const struct gx_log log = {log_fails, NULL, GX_LOG_ERROR};
	struct gx_dir_opts o = dt_opts;
	o.log = &log;
	ck_assert_msg(gx_dir__new(&o, &d, dt_arena, &why) == 0, "%s", why);
	ck_assert_int_eq(gx_dir__read(d, work, ctx), 0);
	gx_dir_close(d);
}

void dt_sql(const char *text)
{
	on_database(run_text, (void *)text);
}

struct rows {
	const char *sql;
	unsigned columns;
	struct gx_strbuf b;
};

static int read_rows(struct gx_dirconn *c, void *ctx)
{
	struct rows *q = ctx;
	struct gx_dirstmt *st;
	int r = c->back->run(c, GX_DIRBACK_ONCE, q->sql, NULL, 0, &st);
	if (r != 0)
		return r;
	while ((r = gx_dir__step(st)) == 1) {
		for (unsigned i = 0; i < q->columns; ++i)
			gx_strbuf_printf(&q->b, "%s%s", i == 0 ? "" : " ", gx_dir__text(st, i));
		gx_strbuf_addc(&q->b, '\n');
	}
	gx_dir__done(st);
	return r;
}

char *dt_rows(const char *sql, unsigned columns)
{
	struct rows q = {.sql = sql, .columns = columns};
	on_database(read_rows, &q);
	gx_strbuf_adds(&q.b, "");
	return gx_strbuf_take(&q.b);
}

int dt_add(const char *name, const char *password)
{
	struct gx_user_new u = GX_USER_NEW_INIT;
	u.username = name;
	u.password = password;
	u.maildir = "/u/x";
	u.display_name = "Ann Example";
	return gx_dir_add_user(dt_dir, &u, NULL);
}

void dt_expect_members(const char *list, const char *sender, int err, const char *names)
{
	const char *const *v;
	size_t n = 0;
	char got[512] = "";
	int r = gx_dir_expand_list(dt_dir, list, sender, dt_arena, &v, &n);
	ck_assert_int_eq(r, err);
	for (size_t i = 0; r == 0 && i < n; ++i) {
		size_t at = strlen(got);
		snprintf(got + at, sizeof(got) - at, "%s%s", i == 0 ? "" : " ", v[i]);
	}
	ck_assert_str_eq(got, names);
}
