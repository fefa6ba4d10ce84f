/* SPDX-License-Identifier: Apache-2.0 */
/* Space: what messages say they need, what is kept of it, what the file system gives for it. */
#include <config.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <gx/storesize.h>
#include "libgxstore/content/cio-int.h"
#include "libgxstore/search/fts-int.h"

#define BLOCK 512U /* of st_blocks, whatever the file system's are */

/* Content objects that were counted; by a part of the hash, which is as good as all of it here. */
struct seen {
	uint64_t *v;
	size_t n, cap;
};

struct measure {
	struct gx_store *s;
	struct gx_txn *t;
	struct gx_arena *a;          /* of the result */
	struct gx_arena *row;        /* of one row */
	struct gx_store_sizes *r;
	struct seen values, missing;
	int err;                     /* the first that would make what is told wrong */
};

static void note(struct measure *m, int err)
{
	if (m->err == 0)
		m->err = err;
}

/* What cannot be read is passed over: damage is told of elsewhere. Want of memory is none. */
static void note_unread(struct measure *m, int err)
{
	note(m, err == GX_E_NOMEM ? err : 0);
}

static void add(struct gx_size *z, uint64_t bytes, uint64_t disk)
{
	z->count++;
	z->bytes += bytes;
	z->disk += disk;
}

static void add_times(struct gx_size *z, uint64_t n, uint64_t bytes)
{
	z->count += n;
	z->bytes += n * bytes;
}

static uint64_t *slot(uint64_t *v, size_t cap, uint64_t key)
{
	size_t i = (size_t)key & (cap - 1);
	while (v[i] != 0 && v[i] != key)
		i = (i + 1) & (cap - 1);
	return &v[i];
}

/* Is this the first time? */
static bool first_time(struct measure *m, struct seen *s, const uint8_t *hash)
{
	uint64_t key;
	memcpy(&key, hash, sizeof(key));
	key = key == 0 ? 1 : key;
	if (2 * s->n >= s->cap) {
		size_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
		uint64_t *v = calloc(cap, sizeof(*v));
		if (v == NULL) {
			note(m, GX_E_NOMEM);
			return true;
		}
		for (size_t i = 0; i < s->cap; ++i)
			if (s->v[i] != 0)
				*slot(v, cap, s->v[i]) = s->v[i];
		free(s->v);
		s->v = v;
		s->cap = cap;
	}
	uint64_t *p = slot(s->v, s->cap, key);
	if (*p == key)
		return false;
	*p = key;
	s->n++;
	return true;
}

/* ---- Messages ---- */

static int messages(struct measure *m)
{
	GX_STMT(st, m->t->q, "SELECT flags&768, COUNT(*), TOTAL(size) FROM msg GROUP BY 1");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		int64_t kind = gx_sql__int(st, 0);
		struct gx_size *z = kind & GX_MSGF_SOFTDEL ? &m->r->softdel : kind & GX_MSGF_FAI ? &m->r->fai : &m->r->normal;
		z->count += gx_sql__u64(st, 1);
		z->bytes += gx_sql__u64(st, 2);
	}
	return r;
}

/* ---- Values ---- */

static bool is_text(gx_proptag_t tag)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagBody):
	case GX_PROP_ID(PidTagHtml):
	case GX_PROP_ID(PidTagRtfCompressed):
	case GX_PROP_ID(PidTagTransportMessageHeaders):
		return true;
	default:
		return false;
	}
}

/* base64 that is not a content object is decoded only to be told its length; lines of 76 are as good. */
static uint64_t decoded_len(const struct gx_slice *s)
{
	return s->cte == GX_CTE_BASE64 ? s->len * 57 / 78 : s->len;
}

static void extern_value(struct measure *m, struct gx_size_values *z, const struct gx_skel *k, struct gx_bin ext, uint64_t copies)
{
	struct gx_extern e;
	if (gx_extern__parse(ext, &e) != 0)
		return;
	bool slice = e.kind == GX_EXTERN_SLICE;
	const struct gx_skel_content *c = slice ? gx_extern__decoded(k, &e.slice) : NULL;
	const uint8_t *hash = c != NULL ? c->hash : e.hash;
	uint64_t n = c != NULL ? c->size : slice ? decoded_len(&e.slice) : e.size;
	add_times(&z->logical, copies, n);
	if (hash != NULL && !first_time(m, &m->values, hash))
		return;
	add(slice ? &z->sliced : &z->kept, n, 0);
	add(&z->unique, n, 0);
}

static void row_value(struct gx_size_values *z, const struct gx_propval *pv, uint64_t copies)
{
	uint16_t type = GX_PROP_TYPE(pv->tag);
	uint64_t n = type == PtypString || type == PtypString8 ? strlen(pv->v.str)
		: type == PtypBinary || type == PtypObject     ? pv->v.bin.len
							       : 0;
	add_times(&z->logical, copies, n);
	add(&z->inrow, n, 0);
	add(&z->unique, n, 0);
}

static void row(struct measure *m, struct gx_bin b, struct gx_bin skeleton, bool attachment, uint64_t copies)
{
	struct gx_size_values *z = attachment ? &m->r->attachments : &m->r->bodies;
	struct gx_prow_iter it;
	struct gx_propval pv;
	struct gx_skel k = {.size = 0};
	gx_arena_reset(m->row);
	int r = gx_prow_begin(&it, b.data, b.len);
	if (r == 0 && skeleton.len > 0)
		r = gx_skel__parse(m->row, skeleton, &k);
	note_unread(m, r);
	while (r >= 0 && (r = gx_prow_next(&it, m->row, &pv)) > 0) {
		if (attachment ? GX_PROP_ID(pv.tag) != GX_PROP_ID(PidTagAttachDataBinary) : !is_text(pv.tag))
			continue;
		if (pv.tag & GX_PROW_EXTERN)
			extern_value(m, z, &k, pv.v.bin, copies);
		else
			row_value(z, &pv, copies);
	}
	note_unread(m, r);
}

static void original(struct measure *m, struct gx_bin skeleton)
{
	struct gx_skel k;
	gx_arena_reset(m->row);
	int err = gx_skel__parse(m->row, skeleton, &k);
	note_unread(m, err);
	if (err != 0)
		return;
	if (k.size > 0)
		add(&m->r->originals, k.size, 0);
	if (k.lit.len > 0)
		add(&m->r->literals, k.lit.len, 0);
}

/* Messages inside others have as many copies as the outermost. */
#define COPIES \
	"WITH RECURSIVE c(id,n) AS (SELECT body,COUNT(*) FROM msg GROUP BY body UNION ALL" \
	" SELECT a.embedded,c.n FROM c JOIN att a ON a.body=c.id WHERE a.embedded<>0) "

static int bodies(struct measure *m)
{
	GX_STMT(st, m->t->q, COPIES "SELECT b.props,b.skeleton,c.n FROM c JOIN body b ON b.id=c.id");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		row(m, gx_sql__blob(st, 0), gx_sql__blob(st, 1), false, gx_sql__u64(st, 2));
		original(m, gx_sql__blob(st, 1));
	}
	if (r < 0)
		return r;
	GX_STMT(atts, m->t->q, COPIES "SELECT a.props,b.skeleton,c.n FROM c JOIN att a ON a.body=c.id JOIN body b ON b.id=c.id");
	while ((r = gx_sql__step(atts)) > 0)
		row(m, gx_sql__blob(atts, 0), gx_sql__blob(atts, 1), true, gx_sql__u64(atts, 2));
	return r;
}

/* ---- Contents ---- */

static int stat_object(struct measure *m, const uint8_t *hash, struct stat *st)
{
	char path[PATH_MAX];
	return gx_cio__path(m->t->c->cio, hash, "", path) != 0 ? -1 : stat(path, st);
}

static int contents(struct measure *m)
{
	struct gx_store_sizes *z = m->r;
	GX_STMT(st, m->t->q,
		"SELECT c.hash,c.size,c.refs,c.data IS NULL,length(d.data) FROM content c LEFT JOIN content_data d ON d.id=c.data");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		struct gx_bin hash = gx_sql__blob(st, 0);
		uint64_t size = gx_sql__u64(st, 1), refs = gx_sql__u64(st, 2);
		struct stat sb;
		bool in_file = gx_sql__int(st, 3) != 0;
		bool there = in_file ? hash.len == GX_HASH_LEN && stat_object(m, hash.data, &sb) == 0 : !gx_sql__is_null(st, 4);
		add_times(&z->references, refs, size);
		add(&z->contents, size, 0);
		if (!there) {
			add_times(&z->missing_refs, refs, size);
			add(&z->missing, size, 0);
		} else if (in_file) {
			add(&z->files, (uint64_t)sb.st_size, (uint64_t)sb.st_blocks * BLOCK);
			add(&z->packed, (uint64_t)sb.st_size, (uint64_t)sb.st_blocks * BLOCK);
		} else {
			add(&z->packed, gx_sql__u64(st, 4), gx_sql__u64(st, 4));
		}
	}
	return r;
}

/* What skeletons name and no row has. */
static int missing(struct measure *m)
{
	GX_STMT(st, m->t->q, "SELECT skeleton FROM body WHERE length(skeleton)>0");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_skel k;
		gx_arena_reset(m->row);
		int bad = gx_skel__contents(m->row, gx_sql__blob(st, 0), &k);
		note_unread(m, bad);
		if (bad != 0)
			continue;
		for (size_t i = 0; err == 0 && i < k.content_count; i++) {
			GX_STMT(is, m->t->q, "SELECT 1 FROM content WHERE hash=?1");
			gx_sql__bind_blob(is, 1, k.contents[i].hash, GX_HASH_LEN);
			int there = gx_sql__step(is);
			err = there < 0 ? there : 0;
			if (there != 0)
				continue;
			add(&m->r->missing_refs, k.contents[i].size, 0);
			if (first_time(m, &m->missing, k.contents[i].hash))
				add(&m->r->missing, k.contents[i].size, 0);
		}
	}
	return err != 0 ? err : r;
}

/* ---- Files ---- */

/* The index of a log is memory that programs share, even the one that measures makes one. */
static bool is_shm(const char *name)
{
	size_t n = strlen(name);
	return n >= 4 && strcmp(name + n - 4, "-shm") == 0;
}

static void databases(struct measure *m)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/" GX_DB_SUBDIR, m->s->dir);
	DIR *d = n < 0 || n >= PATH_MAX ? NULL : opendir(path);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct gx_size *z = strcmp(e->d_name, GX_DB_NAME) == 0 ? &m->r->database :
			strcmp(e->d_name, GX_FTS_NAME) == 0 ? &m->r->index : &m->r->other;
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
			!is_shm(e->d_name))
			add(z, (uint64_t)st.st_size, (uint64_t)st.st_blocks * BLOCK);
	}
	if (d != NULL)
		closedir(d);
}

static int pages(struct measure *m)
{
	GX_STMT(st, m->t->q, "SELECT f.freelist_count*p.page_size FROM pragma_freelist_count f, pragma_page_size p");
	int r = gx_sql__step(st);
	if (r > 0 && gx_sql__u64(st, 0) > 0)
		add(&m->r->free_pages, gx_sql__u64(st, 0), gx_sql__u64(st, 0));
	return r < 0 ? r : 0;
}

static bool is_content(struct measure *m, const char *name)
{
	uint8_t hash[GX_HASH_LEN];
	if (gx_content__file_name(name, hash) != GX_CFILE_OBJECT)
		return false;
	GX_STMT(st, m->t->q, "SELECT 1 FROM content WHERE hash=?1 AND data IS NULL");
	gx_sql__bind_blob(st, 1, hash, GX_HASH_LEN);
	int r = gx_sql__step(st);
	note(m, r < 0 ? r : 0);
	return r > 0;
}

static void strays(struct measure *m)
{
	for (unsigned i = 0; i < 256; i++) {
		char path[PATH_MAX];
		struct stat st;
		int n = snprintf(path, sizeof(path), "%s/cid/%02x", m->s->dir, i);
		DIR *d = n < 0 || n >= PATH_MAX ? NULL : opendir(path);
		for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
			if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && !is_content(m, e->d_name))
				add(&m->r->other, (uint64_t)st.st_size, (uint64_t)st.st_blocks * BLOCK);
		if (d != NULL)
			closedir(d);
	}
}

/* By the module dbstat, which not every SQLite has. */
static int tables(struct measure *m)
{
	struct gx_size_table *v = NULL;
	size_t n = 0, cap = 0;
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(m->t->q->db, "SELECT name,SUM(pgsize),SUM(payload) FROM dbstat GROUP BY name ORDER BY 2 DESC", -1, &st,
		NULL);
	if (rc != SQLITE_OK)
		return rc == SQLITE_ERROR ? 0 : gx_sql__rc(m->t->q, rc);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		v = gx_arena_grow(m->a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			break;
		v[n++] = (struct gx_size_table){.name = gx_arena_strdup(m->a, (const char *)sqlite3_column_text(st, 0)),
			.bytes = (uint64_t)sqlite3_column_int64(st, 1), .used = (uint64_t)sqlite3_column_int64(st, 2)};
		if (v[n - 1].name == NULL)
			break;
	}
	int err = rc == SQLITE_ROW ? GX_E_NOMEM : gx_sql__rc(m->t->q, rc);
	sqlite3_finalize(st);
	m->r->tables = v;
	m->r->ntables = n;
	return err;
}

static int measure(struct measure *m)
{
	int err = messages(m);
	err = err != 0 ? err : bodies(m);
	err = err != 0 ? err : contents(m);
	err = err != 0 ? err : missing(m);
	err = err != 0 ? err : pages(m);
	err = err != 0 ? err : tables(m);
	databases(m);
	strays(m);
	return err != 0 ? err : m->err;
}

int gx_store_measure(struct gx_store *s, struct gx_arena *a, struct gx_store_sizes *ret_s)
{
	struct gx_store_sizes r = {0};
	struct measure m = {.s = s, .a = a, .row = gx_arena_new(0), .r = &r};
	if (s == NULL || a == NULL || ret_s == NULL || m.row == NULL) {
		gx_arena_free(m.row);
		return m.row == NULL ? GX_E_NOMEM : GX_E_INVAL;
	}
	int err = gx_txn__system(s, GX_TXN_READ, 60000, &m.t);
	if (err == 0) {
		err = measure(&m);
		if (err != 0)
			gx_log(s->log, GX_LOG_ERROR, "%s: %s", s->dir, m.t->q->err == err ? m.t->q->why : gx_strerror(err));
		gx_txn_abort(m.t);
	}
	free(m.values.v);
	free(m.missing.v);
	gx_arena_free(m.row);
	if (err == 0)
		*ret_s = r;
	return err;
}
