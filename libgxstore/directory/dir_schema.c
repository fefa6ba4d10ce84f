/* SPDX-License-Identifier: Apache-2.0 */
/* Making the tables and bringing older ones up to date. */
#include <config.h>
#include <assert.h>
#include <gx/strbuf.h>
#include "libgxstore/directory/dir-int.h"
#include "libgxstore/directory/schema-int.h"

/* ---- Texts ---- */

static const struct {
	const char *word, *by_dialect[2];
} words[] = {
	{"id", {"INTEGER PRIMARY KEY", "INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY"}},
	{"u32", {"INTEGER", "INT(10) UNSIGNED"}},
	{"i32", {"INTEGER", "INT(10)"}},
	{"u8", {"INTEGER", "TINYINT(5) UNSIGNED"}},
	{"i8", {"INTEGER", "TINYINT(4)"}},
	{"name", {"COLLATE NOCASE", "CHARACTER SET ascii"}},
	{"ascii", {"", "CHARACTER SET ascii"}},
	{"end", {"", " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"}},
};

/* The word behind a dollar sign; @return what follows it. */
static const char *put_word(struct gx_strbuf *b, unsigned dialect, const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); ++i)
		if (strlen(words[i].word) == n && memcmp(words[i].word, p, n) == 0) {
			gx_strbuf_adds(b, words[i].by_dialect[dialect]);
			return p + n;
		}
	assert(!"a word of the table");
	return p + n;
}

/* One statement in the words of a dialect. @return what follows it, NULL at the end. */
static const char *put_statement(struct gx_strbuf *b, unsigned dialect, const char *p)
{
	bool skip = false;
	while (*p != '\0' && (*p != ';' || skip)) {
		if (*p == '[') {
			skip = p[1] != (dialect == GX_DIRBACK_MYSQL ? 'm' : 's');
			p += 2;
		} else if (*p == ']') {
			skip = false;
			++p;
		} else if (*p == '$' && !skip) {
			p = put_word(b, dialect, p + 1);
		} else {
			if (!skip)
				gx_strbuf_addc(b, *p);
			++p;
		}
	}
	return *p == '\0' ? NULL : p + 1;
}

static int run_text(struct gx_dirconn *c, const char *text)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	int err = 0;
	while (text != NULL && err == 0) {
		gx_strbuf_clear(&b);
		text = put_statement(&b, c->back->dialect, text);
		err = b.err;
		const char *sql = gx_strbuf_cstr(&b);
		if (err == 0 && sql[strspn(sql, " ")] != '\0')
			err = c->back->exec(c, sql);
	}
	gx_strbuf_release(&b);
	return err;
}

/* ---- What is there ---- */

enum question { HAS_TABLE, HAS_COLUMN, HAS_KEY, HAS_FOREIGN };
static const char *const questions[2][4] = {
	[GX_DIRBACK_SQLITE] = {
		[HAS_TABLE] = "SELECT count(*) FROM sqlite_master WHERE type='table' AND name=?1",
		[HAS_COLUMN] = "SELECT count(*) FROM pragma_table_info(?1) WHERE name=?2",
	},
	[GX_DIRBACK_MYSQL] = {
		[HAS_TABLE] = "SELECT count(*) FROM information_schema.tables WHERE table_schema=database() AND table_name=?1",
		[HAS_COLUMN] = "SELECT count(*) FROM information_schema.columns WHERE table_schema=database() AND table_name=?1 AND column_name=?2",
		[HAS_KEY] = "SELECT count(*) FROM information_schema.statistics WHERE table_schema=database() AND table_name=?1 AND index_name=?2",
		[HAS_FOREIGN] = "SELECT count(*) FROM information_schema.table_constraints WHERE constraint_schema=database()"
			" AND table_name=?1 AND constraint_name=?2 AND constraint_type='FOREIGN KEY'",
	},
};

static int has(struct gx_dirconn *c, enum question q, const char *table, const char *object, bool *ret_yes)
{
	const char *sql = questions[c->back->dialect][q];
	assert(sql != NULL);
	int64_t n = 0;
	const struct gx_dirarg v[] = {GX_TEXT(table), GX_TEXT(object)};
	int err = gx_dir__ask(c, GX_DIRBACK_ONCE, sql, v, q == HAS_TABLE ? 1 : 2, &n);
	*ret_yes = n > 0;
	return err;
}

int gx_dir__version(struct gx_dirconn *c, unsigned *ret_version)
{
	bool users, options = false;
	int64_t v = 0;
	int err = has(c, HAS_TABLE, "users", NULL, &users);
	if (err == 0 && !users)
		return GX_E_NOTFOUND;
	if (err == 0)
		err = has(c, HAS_TABLE, "options", NULL, &options);
	if (err == 0 && options)
		err = gx_dir__ask(c, GX_DIRBACK_ONCE, "SELECT value FROM options WHERE `key`='schemaversion'", NULL, 0, &v);
	if (err == 0 || err == GX_E_NOTFOUND)
		*ret_version = (unsigned)v;
	return err == GX_E_NOTFOUND ? 0 : err;
}

/* ---- Steps ---- */

static int wanted(struct gx_dirconn *c, const struct gx_dirstep *s, bool *ret_yes)
{
	static const struct {
		uint8_t question;
		bool answer;
	} tests[] = {
		[GX_DIRSTEP_TABLE] = {HAS_TABLE, true},
		[GX_DIRSTEP_COLUMN] = {HAS_COLUMN, true}, [GX_DIRSTEP_NO_COLUMN] = {HAS_COLUMN, false},
		[GX_DIRSTEP_KEY] = {HAS_KEY, true}, [GX_DIRSTEP_NO_KEY] = {HAS_KEY, false},
		[GX_DIRSTEP_FOREIGN] = {HAS_FOREIGN, true}, [GX_DIRSTEP_NO_FOREIGN] = {HAS_FOREIGN, false},
	};
	bool is = true;
	*ret_yes = (s->dialects & (c->back->dialect == GX_DIRBACK_MYSQL ? GX_DIRSTEP_M : GX_DIRSTEP_S)) != 0;
	if (!*ret_yes || s->when == GX_DIRSTEP_ALWAYS)
		return 0;
	int err = has(c, HAS_TABLE, s->table, NULL, ret_yes);
	if (err == 0 && *ret_yes && s->when != GX_DIRSTEP_TABLE) {
		err = has(c, tests[s->when].question, s->table, s->object, &is);
		*ret_yes = is == tests[s->when].answer;
	}
	return err;
}

static int note_version(struct gx_dirconn *c, unsigned version)
{
	char sql[96];
	snprintf(sql, sizeof(sql), "REPLACE INTO options(`key`, value) VALUES('schemaversion', '%u')", version);
	return c->back->exec(c, sql);
}

/* @param io_at the version: where it starts, and how far it came. */
static int run_steps(struct gx_dirconn *c, unsigned limit, unsigned *io_at)
{
	unsigned from = *io_at;
	for (const struct gx_dirstep *s = gx_dir__steps; s->version != 0 && s->version <= limit; ++s) {
		if (s->version <= from)
			continue;
		bool yes;
		int err = wanted(c, s, &yes);
		if (err == 0 && yes)
			err = run_text(c, s->sql);
		if (err == 0 && s[1].version != s->version)
			err = note_version(c, s->version);
		if (err != 0)
			return err;
		*io_at = s->version;
	}
	return 0;
}

/* ---- From outside ---- */

/* A connection of its own, with the tables locked. */
static int begin(struct gx_dir *d, unsigned flags, struct gx_dirconn **ret_c, struct gx_arena *a, const char **ret_why)
{
	struct gx_dirwhy why = {.again = false};
	struct gx_dirconn *c;
	int err = d->back->connect(&d->o, flags, &c, &why);
	if (err != 0)
		return gx_dir__say(err, a, ret_why, "%s: %s", d->name, why.text);
	err = c->back->lock_tables(c);
	if (err == 0) {
		*ret_c = c;
		return 0;
	}
	gx_dir__say(err, a, ret_why, "%s: somebody else is changing the tables: %s", d->name, c->why.text);
	c->back->disconnect(c);
	return err;
}

static int end(struct gx_dirconn *c, int err)
{
	int last = c->back->unlock_tables(c, err == 0);
	c->back->disconnect(c);
	return err != 0 ? err : last;
}

int gx_dir_create_tables(const struct gx_dir_opts *o, bool old, struct gx_arena *a, const char **ret_why)
{
	struct gx_dir *d;
	struct gx_dirconn *c;
	unsigned version;
	int err = gx_dir__new(o, &d, a, ret_why);
	if (err != 0)
		return err;
	struct gx_dir_shield shield;
	gx_dir__shield(d->back, &shield);
	err = begin(d, GX_DIRBACK_CREATE, &c, a, ret_why);
	if (err == 0) {
		err = gx_dir__version(c, &version);
		if (err == 0) {
			err = gx_dir__say(GX_E_EXISTS, a, ret_why, "%s: the tables exist already (schema version %u); use \"gromox-dbop -U\" to upgrade",
				d->name, version);
		} else if (err == GX_E_NOTFOUND) {
			err = run_text(c, old ? gx_dir__tables_old : gx_dir__tables_new);
			if (err == 0 && !old)
				err = note_version(c, GX_DIR_SCHEMA_VERSION);
		}
		if (err != 0 && err != GX_E_EXISTS)
			gx_dir__say(err, a, ret_why, "%s: %s", d->name, c->why.text);
		err = end(c, err);
	}
	gx_dir__unshield(&shield);
	gx_dir_close(d);
	return err;
}

static int upgrade(struct gx_dir *d, struct gx_dirconn *c, unsigned limit, unsigned *ret_from, unsigned *ret_at,
	struct gx_arena *a, const char **ret_why)
{
	int err = gx_dir__version(c, ret_from);
	if (err == GX_E_NOTFOUND)
		return gx_dir__say(err, a, ret_why, "%s: there are no tables; \"gromox-dbop -C\" makes them", d->name);
	if (err != 0)
		return gx_dir__say(err, a, ret_why, "%s: %s", d->name, c->why.text);
	if (*ret_from > GX_DIR_SCHEMA_VERSION)
		return gx_dir__say(GX_E_FORMAT, a, ret_why, "%s: schema version %u is newer than this program knows (%u)",
			d->name, *ret_from, GX_DIR_SCHEMA_VERSION);
	*ret_at = *ret_from;
	err = run_steps(c, limit, ret_at);
	if (err == 0 && *ret_at == GX_DIR_SCHEMA_VERSION)
		err = run_text(c, gx_dir__indexes);
	return err == 0 ? 0 : gx_dir__say(err, a, ret_why, "%s: behind schema version %u: %s", d->name, *ret_at, c->why.text);
}

int gx_dir__upgrade(const struct gx_dir_opts *o, unsigned limit, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to,
	const char **ret_why)
{
	struct gx_dir *d;
	struct gx_dirconn *c;
	unsigned from = 0, at = 0;
	int err = gx_dir__new(o, &d, a, ret_why);
	if (err != 0)
		return err;
	struct gx_dir_shield shield;
	gx_dir__shield(d->back, &shield);
	err = begin(d, 0, &c, a, ret_why);
	if (err == 0)
		err = end(c, upgrade(d, c, limit, &from, &at, a, ret_why));
	gx_dir__unshield(&shield);
	gx_dir_close(d);
	if (err == 0 && ret_from != NULL)
		*ret_from = from;
	if (err == 0 && ret_to != NULL)
		*ret_to = at;
	return err;
}

int gx_dir_upgrade_tables(const struct gx_dir_opts *o, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to, const char **ret_why)
{
	return gx_dir__upgrade(o, GX_DIR_SCHEMA_VERSION, a, ret_from, ret_to, ret_why);
}

int gx_dir_create(const char *path, struct gx_arena *a, const char **ret_why)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = path;
	return gx_dir_create_tables(&o, false, a, ret_why);
}

int gx_dir_create_old(const char *path, struct gx_arena *a, const char **ret_why)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = path;
	return gx_dir_create_tables(&o, true, a, ret_why);
}

int gx_dir_upgrade(const char *path, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to, const char **ret_why)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	o.path = path;
	return gx_dir_upgrade_tables(&o, a, ret_from, ret_to, ret_why);
}
