/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "libgxstore/search/fts-int.h"
#include "libgxstore/store-int.h"

/*
 * While it has been written to since it was opened, a store carries the boot id of the running
 * system. Found at open under another boot, it means that commits which were visible may be
 * lost: their ids, change numbers and UIDs are skipped, so that none ever means two things.
 * A kill of the process alone loses nothing, the system keeps what was written.
 */

static void boot_id(const struct gx_store *s, char *buf, size_t size)
{
	s->fs->boot_id(s->fs, buf, size);
	if (*buf == '\0') /* never equal to a stored one: the careful side */
		snprintf(buf, size, "unknown-%ld", (long)getpid());
}

int gx_store__mark(struct gx_store *s, struct gx_sql *q)
{
	char id[64];
	boot_id(s, id, sizeof(id));
	return gx_meta__set_blob(q, "open", id, strlen(id));
}

int gx_store__unmark(struct gx_store *s, struct gx_sql *q)
{
	GX_STMT(st, q, "DELETE FROM meta WHERE key='open'");
	return gx_sql__run(st);
}

static int skip_numbers(struct gx_store *s, struct gx_sql *q)
{
	GX_STMT(rows, q, "UPDATE fstate SET uidnext=uidnext+?1, modseq=modseq+CASE fid WHEN 0 THEN ?1 ELSE 0 END,"
		" uidvalidity=uidvalidity+CASE fid WHEN 0 THEN ?1 ELSE 0 END");
	gx_sql__bind_int(rows, 1, GX_SKIP_AFTER_LOSS);
	int err = gx_sql__run(rows);
	if (err != 0)
		return err;
	/* What changed after the last flush is unknown, so the log answers only for what comes. */
	GX_STMT(floor, q, "UPDATE fstate SET log_floor=(SELECT modseq FROM fstate WHERE fid=0) WHERE fid<>0");
	err = gx_sql__run(floor);
	if (err != 0)
		return err;
	/* The full-text index is a file of its own, and may be of another moment than what is here. */
	GX_STMT(lost, q, "REPLACE INTO meta(key,value) SELECT '" GX_META_LOST "',modseq FROM fstate WHERE fid=0");
	err = gx_sql__run(lost);
	if (err == 0)
		gx_log(s->log, GX_LOG_NOTICE, "%s: was open when the system went down; numbers skipped", s->file);
	return err;
}

static int skip_in_txn(struct gx_store *s, struct gx_sql *q)
{
	int err = gx_sql__begin(q, true);
	if (err != 0)
		return err;
	err = skip_numbers(s, q);
	if (err == 0)
		return gx_sql__commit(q);
	if (gx_sql__rollback(q) != 0)
		gx_log(s->log, GX_LOG_WARN, "%s: %s", s->file, q->why);
	return err;
}

/* What an earlier life left in the log goes into the database. Whether its last flush failed nobody knows. */
static int make_safe(struct gx_store *s, struct gx_sql *q)
{
	int err = gx_flush__write_again(s);
	if (err != 0)
		return gx_sql__fail(q, err, "%s-wal: %s", s->file, err == GX_E_IO ? strerror(errno) : gx_strerror(err));
	return gx_flush__move(s, q, SQLITE_CHECKPOINT_FULL);
}

int gx_store__recover(struct gx_store *s)
{
	struct gx_sql *q = s->writer->q;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_bin was;
	char now[64];
	if (a == NULL)
		return GX_E_NOMEM;
	boot_id(s, now, sizeof(now));
	int err = gx_meta__get_blob(q, "open", a, &was);
	bool lost = err == 0 && (was.len != strlen(now) || memcmp(was.data, now, was.len) != 0);
	gx_arena_free(a);
	bool in_order = err == GX_E_NOTFOUND;
	if (in_order)
		err = 0;
	if (err != 0)
		return err;
	atomic_store(&s->pins.due, !in_order); /* instances of that life are gone, and what they kept may go too */
	if (lost) {
		gx_fts__discard(s); /* of another moment, and perhaps damaged: it would be made anew anyway */
		err = skip_in_txn(s, q);
	}
	/* Before anybody sees a new number, and before files go. Also when the store was closed in order, but SQLite left a log. */
	if (err == 0 && (!in_order || gx_flush__log_left(s)))
		err = make_safe(s, q);
	return err != 0 || in_order ? err : gx_store__collect(s);
}
