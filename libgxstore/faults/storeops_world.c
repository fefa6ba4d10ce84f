/* SPDX-License-Identifier: Apache-2.0 */
/* A store for operations: opening, looking at it from the side, messages whose bytes are known. */
#include <config.h>
#include <nettle/sha2.h>
#include <sys/statvfs.h>
#include <gx/codec.h>
#include "libgxstore/faults/storeops.h"

/* ---- From the side ---- */

/* Rows that say nothing about what was stored; and bytes that every check compares with the hashes that stand beside them. */
static const struct {
	const char *table, *columns, *but;
} volatile_rows[] = {
	{"meta", "*", "key<>'open'"},
	{"sview", "*", "0"}, {"srow", "*", "0"}, {"schunk", "*", "0"}, /* made when a table asks, in transactions of their own */
	{"content_data", "id,length(data)", "1"},
};

static sqlite3 *open_raw(const char *dir)
{
	char path[600];
	sqlite3 *db = NULL;
	snprintf(path, sizeof(path), "%s/" GX_DB_SUBDIR "/" GX_DB_NAME, dir);
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	ck_assert_msg(rc == SQLITE_OK, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); /* it only looks */
	sqlite3_busy_timeout(db, 1000);
	return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	return st;
}

static bool step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	ck_assert_msg(rc == SQLITE_ROW || rc == SQLITE_DONE, "%s: %s", sqlite3_sql(st), sqlite3_errmsg(sqlite3_db_handle(st)));
	return rc == SQLITE_ROW;
}

static void hash_value(struct sha256_ctx *h, sqlite3_stmt *st, int i)
{
	int type = sqlite3_column_type(st, i);
	sqlite3_int64 v = type == SQLITE_INTEGER ? sqlite3_column_int64(st, i) : sqlite3_column_bytes(st, i);
	const void *p = type == SQLITE_INTEGER || type == SQLITE_NULL ? NULL : sqlite3_column_blob(st, i);
	sha256_update(h, sizeof(type), (const uint8_t *)&type);
	sha256_update(h, sizeof(v), (const uint8_t *)&v);
	if (p != NULL)
		sha256_update(h, (size_t)v, p);
}

static void hash_query(struct sha256_ctx *h, sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = prepare(db, sql);
	while (step(st))
		for (int i = 0; i < sqlite3_column_count(st); i++)
			hash_value(h, st, i);
	sqlite3_finalize(st);
}

static void hash_table(struct sha256_ctx *h, sqlite3 *db, const char *table)
{
	char sql[256];
	const char *columns = "*", *but = "1";
	for (size_t i = 0; i < sizeof(volatile_rows) / sizeof(volatile_rows[0]); i++)
		if (strcmp(volatile_rows[i].table, table) == 0) {
			columns = volatile_rows[i].columns;
			but = volatile_rows[i].but;
		}
	snprintf(sql, sizeof(sql), "SELECT %s FROM \"%s\" WHERE %s", columns, table, but);
	sha256_update(h, strlen(table) + 1, (const uint8_t *)table);
	hash_query(h, db, sql);
}

static void fingerprint(sqlite3 *db, uint8_t hash[SO_HASH])
{
	struct sha256_ctx h;
	sha256_init(&h);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	hash_query(&h, db, "SELECT sql FROM sqlite_schema ORDER BY name");
	hash_query(&h, db, "PRAGMA user_version");
	sqlite3_stmt *st = prepare(db, "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
		" AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name");
	while (step(st))
		hash_table(&h, db, (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	ck_assert_int_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sha256_digest(&h, SO_HASH, hash);
}

static int64_t data_version(sqlite3 *db)
{
	sqlite3_stmt *st = prepare(db, "PRAGMA data_version");
	ck_assert(step(st));
	int64_t v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

void so_world_fingerprint(struct so_world *w, uint8_t hash[SO_HASH])
{
	int64_t v = data_version(w->raw);
	if (!w->known || w->version != v)
		fingerprint(w->raw, w->hash);
	w->known = true;
	w->version = v;
	memcpy(hash, w->hash, SO_HASH);
}

void so_fingerprint(const char *dir, uint8_t hash[SO_HASH])
{
	sqlite3 *db = open_raw(dir);
	fingerprint(db, hash);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

int64_t so_number(struct so_world *w, const char *sql)
{
	sqlite3_stmt *st = prepare(w->raw, sql);
	int64_t v = step(st) ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	return v;
}

uint64_t so_fresh_id(struct so_world *w)
{
	uint64_t next = (uint64_t)so_number(w, "SELECT uidnext FROM fstate WHERE fid=0");
	return next + 1000 + so_rand(w, so_one_in(w, 4) ? 2 * GX_SKIP_AFTER_LOSS : 1000);
}

void so_look(struct so_world *w)
{
	sqlite3_stmt *st = prepare(w->raw, "SELECT f.fid,f.parent,f.flags,(SELECT COUNT(*) FROM msg m WHERE m.fid=f.fid) FROM folders f"
		" WHERE f.type=1");
	for (w->nfolders = 0; w->nfolders < SO_FOLDERS && step(st); w->nfolders++)
		w->folder[w->nfolders] = (struct so_folder){(uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
			gx_folder__builtin(w->s, (uint64_t)sqlite3_column_int64(st, 0)), sqlite3_column_int(st, 2) & GX_FF_DELETED,
			(uint32_t)sqlite3_column_int(st, 3)};
	sqlite3_finalize(st);
	st = prepare(w->raw, "SELECT mid,fid,uid,flags FROM msg");
	for (w->nmsgs = 0; w->nmsgs < SO_MSGS && step(st); w->nmsgs++)
		w->msg[w->nmsgs] = (struct so_msg){(uint64_t)sqlite3_column_int64(st, 0), (uint64_t)sqlite3_column_int64(st, 1),
			(uint32_t)sqlite3_column_int64(st, 2), (uint32_t)sqlite3_column_int64(st, 3)};
	sqlite3_finalize(st);
}

/* ---- Opening ---- */

void so_use_memory(void)
{
	struct statvfs v;
	if (getenv("TMPDIR") == NULL && access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &v) == 0 &&
	    (uint64_t)v.f_bavail * v.f_frsize > UINT64_C(2) << 30)
		setenv("TMPDIR", "/dev/shm", 1);
}

void so_again(struct so_world *w)
{
	const char *why = "";
	int err = gx_store__open_on(w->fs, w->dir, &w->opts, &w->s, w->a, &why);
	ck_assert_msg(err == 0, "open: %d %s", err, why);
	w->public = gx_store_is_public(w->s);
	w->raw = open_raw(w->dir);
	w->known = false;
}

static int64_t tick(void *ctx)
{
	return ((struct so_world *)ctx)->now += 1000000;
}

void so_open(struct so_world *w, const struct gx_fs *fs, const char *dir, uint64_t seed)
{
	so_open_at(w, fs, dir, seed, gx_clock_unix(gx_clock_system()) * 1000000000);
}

void so_open_at(struct so_world *w, const struct gx_fs *fs, const char *dir, uint64_t seed, int64_t now)
{
	memset(w, 0, sizeof(*w));
	w->now = now;
	w->clock = (struct gx_clock){tick, tick, w};
	w->fs = fs;
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
	w->rng = seed * 2 + 1;
	for (int i = 0; i < 8; i++)
		fdisk_random(&w->rng);
	w->a = gx_arena_new(0);
	w->opts = (struct gx_store_opts)GX_STORE_OPTS_INIT;
	w->opts.render = so_render;
	w->opts.clock = &w->clock;
	so_again(w);
}

void so_look_away(struct so_world *w)
{
	ck_assert_int_eq(sqlite3_close(w->raw), SQLITE_OK);
	w->raw = NULL;
}

void so_shut(struct so_world *w)
{
	so_look_away(w); /* or the store would not be the last one out */
	gx_store_close(w->s);
	w->s = NULL;
}

void so_reopen(struct so_world *w)
{
	so_shut(w);
	so_again(w);
}

void so_close(struct so_world *w)
{
	so_shut(w);
	gx_push_release(&w->x.out);
	gx_arena_free(w->a);
}

static void fill_with(struct so_world *w, const struct so_op *op)
{
	struct so_result r;
	if (!so_prepare(w, op))
		return;
	so_run(w, op, &r);
	if (!r.done) /* in the set-up of a test, where libcheck says nothing */
		fprintf(stderr, "# %s: %d %s\n", op->name, r.err, gx_ec_name(r.ec));
	ck_assert(r.done);
	so_finish(w, op, &r);
}

/* All operations that change something, those that take away once; at last those that bring something. */
void so_fill(struct so_world *w)
{
	static const char *const last[] = {"folder_delete", "folder_create", "folder_create", "insert_object", "insert_object", "insert", "delete",
		"rules_add", "search_new", "search_set"};
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; so_op(i) != NULL; i++)
			if ((so_op(i)->kind & SO_KIND) == SO_WRITE && (round == 0 || strstr(so_op(i)->name, "delete") == NULL))
				fill_with(w, so_op(i));
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		fill_with(w, so_op_named(last[i]));
}

static unsigned stray_in(sqlite3_stmt *known, const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (*e->d_name == '.')
			continue;
		sqlite3_reset(known);
		sqlite3_bind_text(known, 1, e->d_name, -1, SQLITE_TRANSIENT);
		n += !step(known);
	}
	if (d != NULL)
		closedir(d);
	return n;
}

unsigned so_stray_files(struct so_world *w)
{
	sqlite3_stmt *known = prepare(w->raw, "SELECT 1 FROM content WHERE data IS NULL AND lower(hex(hash))=?1");
	unsigned n = 0;
	for (unsigned i = 0; i < 256; i++) {
		char path[600];
		snprintf(path, sizeof(path), "%s/cid/%02x", w->dir, i);
		n += stray_in(known, path);
	}
	sqlite3_finalize(known);
	return n;
}

/* ---- Stores to begin with ---- */

void so_copy_store(const char *from, char *to, size_t size)
{
	struct fdisk *d = fdisk_new(from);
	snprintf(to, size, "%s", st_dir());
	fdisk_lose(d, FDISK_ALL, 1, to);
	fdisk_free(d);
}

void so_create(const char *dir, bool public)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	o.public_store = public;
	o.owner_id = 7;
	o.owner = public ? "example.org" : "u@example.org";
	ck_assert_int_eq(gx_store_create(dir, &o, NULL, NULL), 0);
}

void so_make_template(char *dir, size_t size, bool public, uint64_t seed)
{
	static struct so_world w;
	so_use_memory();
	snprintf(dir, size, "%s", st_dir());
	so_create(dir, public);
	struct fault *f = fault_new(dir, false);
	so_open(&w, &f->fs, dir, seed);
	so_fill(&w);
	so_close(&w);
	fault_free(f);
}

void so_leave_unclean(struct so_world *w)
{
	const struct so_op *op = so_op_named("sync");
	struct so_result r;
	char left[512];
	ck_assert(so_prepare(w, op));
	so_run(w, op, &r);
	ck_assert(r.done);
	so_copy_store(w->dir, left, sizeof(left));
	so_shut(w);
	st_rmtree(w->dir);
	memcpy(w->dir, left, sizeof(w->dir));
}

/* ---- Choosing ---- */

unsigned so_rand(struct so_world *w, unsigned below)
{
	return (unsigned)(fdisk_random(&w->rng) >> 33) % below;
}

bool so_one_in(struct so_world *w, unsigned n)
{
	return so_rand(w, n) == 0;
}

bool so_alive(const struct so_world *w, const struct so_folder *f)
{
	for (size_t depth = 0; depth < 64; depth++) {
		if (f->deleted)
			return false;
		if (f->parent == 0)
			return true;
		size_t i = 0;
		while (i < w->nfolders && w->folder[i].fid != f->parent)
			i++;
		if (i == w->nfolders)
			return true;
		f = &w->folder[i];
	}
	return false;
}

bool so_below(const struct so_world *w, uint64_t fid, uint64_t above)
{
	for (size_t depth = 0; depth < 64 && fid != 0 && fid != above; depth++) {
		uint64_t up = 0;
		for (size_t i = 0; i < w->nfolders; i++)
			if (w->folder[i].fid == fid)
				up = w->folder[i].parent;
		fid = up;
	}
	return fid == above;
}

uint64_t so_subtree(const struct so_world *w)
{
	return w->public ? GX_FID_PUB_IPMSUBTREE : GX_FID_IPMSUBTREE;
}

/* The built-in ones that are good for mail. */
static uint64_t builtin(struct so_world *w)
{
	static const uint64_t mail[] = {GX_FID_INBOX, GX_FID_SENT, GX_FID_DRAFTS, GX_FID_JUNK};
	return w->public ? GX_FID_PUB_IPMSUBTREE : mail[so_rand(w, 4)];
}

uint64_t so_folder(struct so_world *w, bool own)
{
	size_t n = w->nfolders, start = n == 0 ? 0 : so_rand(w, (unsigned)n);
	if (!own && so_one_in(w, 2))
		return builtin(w);
	for (size_t i = 0; i < n; i++) {
		const struct so_folder *f = &w->folder[(start + i) % n];
		if (!f->builtin && so_alive(w, f))
			return f->fid;
	}
	return own ? 0 : builtin(w);
}

static bool fits(struct so_world *w, const struct so_msg *m, bool soft)
{
	if (soft != ((m->flags & GX_MSGF_SOFTDEL) != 0))
		return false;
	for (size_t i = 0; i < w->nfolders; i++)
		if (w->folder[i].fid == m->fid)
			return so_alive(w, &w->folder[i]);
	return false;
}

bool so_msgs(struct so_world *w, size_t max, bool soft)
{
	size_t n = w->nmsgs, start = n == 0 ? 0 : so_rand(w, (unsigned)n), want = 1 + so_rand(w, (unsigned)max);
	w->x.n = 0;
	for (size_t i = 0; i < n && w->x.n < want; i++) {
		const struct so_msg *m = &w->msg[(start + i) % n];
		if (!fits(w, m, soft) || (w->x.n > 0 && m->fid != w->x.fid))
			continue;
		w->x.fid = m->fid;
		w->x.mids[w->x.n++] = m->mid;
	}
	return w->x.n > 0;
}

bool so_msg_now(struct so_world *w, uint64_t mid, struct gx_msg_info *ret_info)
{
	struct gx_txn *t = st_begin(w->s, GX_TXN_READ);
	gx_ec ec = gx_msg_get(t, mid, ret_info);
	gx_txn_abort(t);
	ck_assert_msg(!gx_ec_failed(ec) || gx_ec_is(ec, ecNotFound), "%s", gx_ec_name(ec));
	return !gx_ec_failed(ec);
}
