/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/search/fts-int.h"

/*
 * FTS5 with trigrams, without positions and without the text: it gives candidates, which are then
 * looked at. Measured on mail it takes half of the text's size, a quarter of a millisecond a message.
 *
 * Bodies are indexed in the order of their ids, which is the order of their commits; `body` in state says
 * how far. A body whose content changes is noted in the store's table ftsq under a change number, and
 * indexed again under another row, since an index without its text cannot forget. Rows of bodies that
 * are gone find nothing; when they are too many the index is made anew.
 *
 * After a power loss it is made anew, too. It may know a content that the store lost, and not the one the store has
 * again; or it lost changes itself whose notes in ftsq are gone. So it says after which loss it was begun.
 */

#define INDEX_VERSION 3
#define BATCH 64
#define LEAST 32 /* of a batch that are indexed whatever the time */
#define UNMOVED_MAX 256U /* batches in the log: more are for who asks to move */
#define ALIAS_BASE (INT64_C(1) << 60)
#define READER_MS 50
#define PAGE 4096U
#define MERGED 4U /* segments of a size are merged when there are as many, FTS5's default */

static const char schema[] =
	"PRAGMA page_size=4096; PRAGMA journal_mode=WAL; BEGIN;"
	"CREATE TABLE state(version INTEGER, mailbox BLOB, body INTEGER, cn INTEGER, n INTEGER, alias INTEGER, lost INTEGER);"
	"CREATE TABLE alias(id INTEGER PRIMARY KEY, body INTEGER);"
	"CREATE TABLE always(body INTEGER PRIMARY KEY);"
	"CREATE VIRTUAL TABLE words USING fts5(x, content='', detail=none, columnsize=0, tokenize='trigram case_sensitive 1');"
	"INSERT INTO state VALUES(3,NULL,0,0,0,0,0); COMMIT";

int gx_fts__init(struct gx_fts *f)
{
	return pthread_mutex_init(&f->lock, NULL) == 0 ? 0 : GX_E_NOMEM;
}

void gx_fts__release(struct gx_fts *f)
{
	gx_sql__close(f->q);
	f->q = NULL;
	gx_idlist__release(&f->inner);
	pthread_mutex_destroy(&f->lock);
}

/* ---- Opening ---- */

static int path_of(const struct gx_store *s, char path[4096], const char *suffix)
{
	int n = snprintf(path, 4096, "%s/" GX_DB_SUBDIR "/" GX_FTS_NAME "%s", s->dir, suffix);
	return n < 0 || n >= 4096 ? GX_E_LIMIT : 0;
}

static int read_state(struct gx_store *s, struct gx_fts *f)
{
	uint8_t guid[16];
	GX_STMT(st, f->q, "SELECT version,mailbox,body,cn,n,alias,lost FROM state");
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_E_FORMAT : r;
	gx_guid_put(&s->mailbox, guid);
	struct gx_bin owner = gx_sql__blob(st, 1);
	bool ours = owner.len == 16 && memcmp(owner.data, guid, 16) == 0 && gx_sql__u64(st, 6) == f->lost;
	if (gx_sql__int(st, 0) != INDEX_VERSION || (owner.len != 0 && !ours))
		return GX_E_FORMAT; /* another version's, of the store that was here before, or from before a loss */
	f->at.body = gx_sql__u64(st, 2);
	f->at.cn = gx_sql__u64(st, 3);
	f->at.n = gx_sql__u64(st, 4);
	f->at.alias = gx_sql__u64(st, 5);
	return 0;
}

static int write_state(struct gx_store *s, struct gx_fts *f)
{
	uint8_t guid[16];
	gx_guid_put(&s->mailbox, guid);
	GX_STMT(st, f->q, "UPDATE state SET mailbox=?1,body=?2,cn=?3,n=?4,alias=?5,lost=?6");
	gx_sql__bind_blob(st, 1, guid, 16);
	gx_sql__bind_int(st, 2, (int64_t)f->at.body);
	gx_sql__bind_int(st, 3, (int64_t)f->at.cn);
	gx_sql__bind_int(st, 4, (int64_t)f->at.n);
	gx_sql__bind_int(st, 5, (int64_t)f->at.alias);
	gx_sql__bind_int(st, 6, (int64_t)f->lost);
	return gx_sql__run(st);
}

static void close_index(struct gx_fts *f)
{
	gx_sql__close(f->q);
	f->q = NULL;
}

static void discard(struct gx_store *s, struct gx_fts *f)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	close_index(f);
	gx_idlist__release(&f->inner);
	pthread_mutex_lock(&s->fts_ask.lock);
	close_index(&s->fts_ask);
	for (size_t i = 0; i < 3; i++) {
		char path[4096];
		if (path_of(s, path, suffix[i]) == 0 && s->fs->unlink(s->fs, path) != 0 && errno != ENOENT)
			gx_log(s->log, GX_LOG_WARN, "%s: %s", path, strerror(errno));
	}
	pthread_mutex_unlock(&s->fts_ask.lock);
}

/* 1 yes, 0 no. */
static int has_tables(struct gx_sql *q)
{
	GX_STMT(st, q, "SELECT 1 FROM sqlite_master WHERE name='state'");
	return gx_sql__step(st);
}

/* FTS5 would merge by itself, now and then very much at once: somebody who asks would wait. See merge_some(). */
static int merge_by_hand(struct gx_sql *q)
{
	GX_STMT(st, q, "SELECT 1 FROM words_config WHERE k='automerge' AND v=0");
	int r = gx_sql__step(st);
	return r < 0 ? r : r > 0 ? 0 : gx_sql__exec(q, "INSERT INTO words(words,rank) VALUES('automerge',0)");
}

static int open_file(struct gx_store *s, bool write, struct gx_sql **ret_q)
{
	char path[4096], why[512];
	int err = path_of(s, path, "");
	if (err != 0)
		return err;
	struct gx_sql_open o = {.file = path, .dir = s->dir, .log = s->log, .writer = write, .create = write, .cache_kib = 4096,
		.vfs = s->fs->vfs};
	err = gx_sql__open(&o, ret_q, why, sizeof(why));
	if (err == GX_E_IO && !write && access(path, F_OK) != 0 && errno == ENOENT)
		return GX_E_NOTFOUND; /* whoever is to make it has not come to it: nothing is wrong */
	if (err != 0)
		gx_log(s->log, GX_LOG_WARN, "full-text index: %s", why);
	return err;
}

static int open_once(struct gx_store *s, struct gx_fts *f, bool write)
{
	int err = open_file(s, write, &f->q);
	if (err != 0)
		return err;
	err = has_tables(f->q);
	if (err == 0)
		err = write ? gx_sql__exec(f->q, schema) : GX_E_FORMAT;
	if (err >= 0)
		err = read_state(s, f);
	return err != 0 || !write ? err : merge_by_hand(f->q);
}

static int read_lost(struct gx_txn *t, struct gx_fts *f)
{
	int64_t lost = 0;
	int err = gx_meta__get_int(t->q, GX_META_LOST, &lost);
	f->lost = (uint64_t)lost;
	return err == GX_E_NOTFOUND ? 0 : err;
}

/* What cannot be read is made anew: everything in it can be had again. */
static int open_index(struct gx_txn *t, struct gx_fts *f)
{
	struct gx_store *s = t->s;
	int err = read_lost(t, f);
	if (err != 0 || f->q != NULL)
		return err;
	err = open_once(s, f, true);
	if (err == GX_E_FORMAT || err == GX_E_INTERNAL) {
		gx_log(s->log, GX_LOG_NOTICE, "%s: the full-text index is made anew", s->dir);
		discard(s, f);
		err = open_once(s, f, true);
	}
	if (err != 0)
		close_index(f);
	return err;
}

int gx_fts__look(struct gx_txn *t, struct gx_fts *f)
{
	int err = read_lost(t, f);
	if (err == 0 && f->q == NULL)
		err = open_once(t->s, f, false);
	if (err == 0)
		err = gx_sql__begin(f->q, false);
	return err != 0 ? err : read_state(t->s, f);
}

void gx_fts__discard(struct gx_store *s)
{
	pthread_mutex_lock(&s->fts.lock);
	discard(s, &s->fts);
	s->fts.commits = 0;
	pthread_mutex_unlock(&s->fts.lock);
}

/* ---- Following the store ---- */

static int put_row(struct gx_fts *f, int64_t row, const struct gx_push *text)
{
	GX_STMT(st, f->q, "INSERT INTO words(rowid,x) VALUES(?1,CAST(?2 AS TEXT))");
	gx_sql__bind_int(st, 1, row);
	gx_sql__bind_blob(st, 2, text->data, text->len);
	f->at.n++;
	return gx_sql__run(st);
}

static int put_always(struct gx_fts *f, uint64_t body)
{
	GX_STMT(st, f->q, "INSERT OR IGNORE INTO always(body) VALUES(?1)");
	gx_sql__bind_int(st, 1, (int64_t)body);
	return gx_sql__run(st);
}

static int put_alias(struct gx_fts *f, uint64_t body, int64_t *ret_row)
{
	*ret_row = ALIAS_BASE + (int64_t)++f->at.alias;
	GX_STMT(st, f->q, "INSERT INTO alias(id,body) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, *ret_row);
	gx_sql__bind_int(st, 2, (int64_t)body);
	return gx_sql__run(st);
}

/* A body that cannot be read is always looked at, so that a search says what is wrong with it. */
static int index_body(struct gx_store *s, struct gx_fts *f, struct gx_txn *t, uint64_t body, bool again, struct gx_push *text)
{
	bool whole = false;
	int64_t row = (int64_t)body;
	size_t inner = f->inner.n;
	gx_push_clear(text);
	int err = gx_fts__text(t, body, text, &f->inner, &whole);
	if (again) /* new bodies were passed before changed ones: nobody would ask for these */
		f->inner.n = inner;
	if (err == GX_E_NOTFOUND)
		return 0;
	if (err == GX_E_NOMEM || err == GX_E_IO || err == GX_E_BUSY)
		return err;
	if (err != 0) {
		gx_log(s->log, GX_LOG_WARN, "%s: body %llx cannot be indexed: %s", s->dir, (unsigned long long)body, gx_strerror(err));
		return put_always(f, body);
	}
	err = whole ? 0 : put_always(f, body);
	if (err == 0 && again)
		err = put_alias(f, body, &row);
	return err != 0 ? err : put_row(f, row, text);
}

static bool is_inner(struct gx_fts *f, uint64_t body)
{
	for (size_t i = 0; i < f->inner.n; i++)
		if (f->inner.v[i] == body) {
			f->inner.v[i] = f->inner.v[--f->inner.n];
			return true;
		}
	return false;
}

/* What passes over a batch shares. */
struct batch {
	struct gx_store *s;
	struct gx_fts *f;
	struct gx_txn *t;
	struct gx_push text;
	size_t bytes; /* of texts in the batch */
	int64_t until;
	bool more;    /* there is */
};

static bool time_is_up(const struct batch *b)
{
	return gx_clock_mono_ms(b->s->clock) >= b->until;
}

static int index_new(struct batch *b)
{
	struct gx_fts *f = b->f;
	uint64_t ids[BATCH];
	int n = 0, r;
	{
		GX_STMT(st, b->t->q, "SELECT id FROM body WHERE id>?1 ORDER BY id LIMIT ?2");
		gx_sql__bind_int(st, 1, (int64_t)f->at.body);
		gx_sql__bind_int(st, 2, BATCH);
		while ((r = gx_sql__step(st)) > 0)
			ids[n++] = gx_sql__u64(st, 0);
		if (r < 0)
			return r;
	}
	b->more = b->more || n == BATCH;
	for (int i = 0; i < n; i++) {
		if (i >= LEAST && time_is_up(b)) {
			b->more = true;
			break;
		}
		int err = is_inner(f, ids[i]) ? 0 : index_body(b->s, f, b->t, ids[i], false, &b->text);
		if (err != 0)
			return err;
		f->at.body = ids[i];
		b->bytes += b->text.len;
	}
	return 0;
}

static int index_changed(struct batch *b)
{
	struct gx_fts *f = b->f;
	uint64_t ids[BATCH], cns[BATCH];
	int n = 0, r;
	{
		GX_STMT(st, b->t->q, "SELECT cn,body FROM ftsq WHERE cn>?1 ORDER BY cn LIMIT ?2");
		gx_sql__bind_int(st, 1, (int64_t)f->at.cn);
		gx_sql__bind_int(st, 2, BATCH);
		while ((r = gx_sql__step(st)) > 0) {
			cns[n] = gx_sql__u64(st, 0);
			ids[n++] = gx_sql__u64(st, 1);
		}
		if (r < 0)
			return r;
	}
	b->more = b->more || n == BATCH;
	for (int i = 0; i < n; i++) {
		bool later = false;
		for (int k = i + 1; k < n; k++)
			later = later || ids[k] == ids[i];
		int err = later || ids[i] > f->at.body ? 0 : index_body(b->s, f, b->t, ids[i], true, &b->text);
		if (err != 0)
			return err;
		f->at.cn = cns[i];
		b->bytes += b->text.len;
	}
	return 0;
}

/* Each batch pays its share: as many pages as it brought, once for every size of segments that it will go through. */
static int merge_some(struct batch *b)
{
	unsigned sizes = 1;
	for (uint64_t n = b->f->at.n / BATCH; n > 0; n /= MERGED)
		sizes++;
	if (b->bytes == 0)
		return 0;
	GX_STMT(st, b->f->q, "INSERT INTO words(words,rank) VALUES('merge',?1)");
	gx_sql__bind_int(st, 1, (int64_t)((b->bytes / PAGE + 1) * sizes));
	return gx_sql__run(st);
}

/* Too many rows of bodies that are gone: from the beginning. */
static int begin_anew(struct gx_fts *f)
{
	int err = gx_sql__exec(f->q, "INSERT INTO words(words) VALUES('delete-all'); DELETE FROM alias; DELETE FROM always");
	if (err != 0)
		return err;
	gx_idlist__release(&f->inner);
	f->at.body = f->at.n = f->at.alias = 0;
	return 0;
}

static int one_batch(struct batch *b)
{
	struct gx_fts *f = b->f;
	struct gx_fts_state before = f->at;
	int err = gx_sql__begin(f->q, true);
	if (err != 0)
		return err;
	err = read_state(b->s, f); /* another process may have gone on */
	struct gx_fstate *st;
	b->more = false;
	b->bytes = 0;
	if (err == 0)
		err = gx_fstate__get(b->t, 0, &st);
	if (err == 0 && f->at.n > 2 * (st->total + st->fai + st->softdel) + 4096)
		err = begin_anew(f);
	if (err == 0)
		err = index_new(b);
	if (err == 0)
		err = index_changed(b);
	if (err == 0)
		err = merge_some(b);
	if (err == 0)
		err = write_state(b->s, f);
	if (err == 0)
		err = gx_sql__commit(f->q);
	if (err != 0) {
		if (gx_sql__rollback(f->q) != 0) /* when the next one begins */
			gx_log(b->s->log, GX_LOG_WARN, "rollback: %s", f->q->why);
		f->at = before;
		f->inner.n = 0; /* some were passed that are to be passed again: they get rows that nobody asks for */
		return err;
	}
	atomic_store(&f->cn_done, f->at.cn);
	return 0;
}

/*
 * Moves the index's log into its file, which flushes both: by a connection of its own, so that nobody waits for the disk. It was
 * opened while nobody could take the index away: file and log are of one.
 */
static void move_log(struct gx_sql *q)
{
	if (q != NULL)
		sqlite3_wal_checkpoint_v2(q->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	gx_sql__close(q);
}

static int run(struct gx_store *s, struct gx_fts *f, int budget_ms, bool background, bool *ret_done)
{
	struct batch b = {.s = s, .f = f, .text = GX_PUSH_INIT, .until = gx_clock_mono_ms(s->clock) + budget_ms};
	int err = gx_txn__system(s, GX_TXN_READ, background ? READER_MS : 0, &b.t);
	if (err != 0)
		return err;
	err = open_index(b.t, f);
	do {
		err = err != 0 ? err : one_batch(&b);
		f->batches++;
	} while (err == 0 && b.more && !time_is_up(&b));
	gx_txn_abort(b.t);
	gx_push_release(&b.text);
	if (err == 0)
		*ret_done = !b.more;
	return err;
}

int gx_fts__catch_up(struct gx_store *s, int budget_ms, bool background, bool *ret_done)
{
	struct gx_fts *f = &s->fts;
	uint64_t commits = gx_flush__commits(s);
	*ret_done = false;
	if (background)
		pthread_mutex_lock(&f->lock);
	else if (pthread_mutex_trylock(&f->lock) != 0)
		return 0;
	if (f->q != NULL && f->commits == commits + 1) { /* nothing happened since */
		pthread_mutex_unlock(&f->lock);
		*ret_done = true;
		return 0;
	}
	int err = run(s, f, budget_ms, background, ret_done);
	if (err == 0 && *ret_done)
		f->commits = commits + 1;
	if (err == GX_E_FORMAT)
		discard(s, f);
	if (err != 0 && err != GX_E_TIMEOUT && err != GX_E_BUSY)
		gx_log(s->log, GX_LOG_WARN, "%s: full-text index: %s", s->dir, f->q != NULL && f->q->err == err ? f->q->why : gx_strerror(err));
	struct gx_sql *mover = NULL;
	if (f->q != NULL && f->batches > (background ? 0 : UNMOVED_MAX) && open_file(s, false, &mover) == 0)
		f->batches = 0;
	pthread_mutex_unlock(&f->lock);
	move_log(mover);
	return err;
}

int gx_fts__changed(struct gx_txn *t, uint64_t body, uint64_t cn)
{
	GX_STMT(st, t->q, "INSERT INTO ftsq(cn,body) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)cn);
	gx_sql__bind_int(st, 2, (int64_t)body);
	int err = gx_sql__run(st);
	if (err != 0 || cn % 256 != 0)
		return err;
	/* What is in the index already; if the index is lost, all bodies are read again anyway. */
	GX_STMT(del, t->q, "DELETE FROM ftsq WHERE cn<=?1");
	gx_sql__bind_int(del, 1, (int64_t)atomic_load(&t->s->fts.cn_done));
	return gx_sql__run(del);
}
