/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CONTENT_INT_H
#define GX_CONTENT_INT_H
/**
 * @file content-int.h
 * Content objects, original messages and prepared messages: what the store core calls.
 *
 * A content object is a run of bytes known by its SHA-256, kept once in a store, counted by the
 * messages that refer to it. The skeleton is the blob that stands in a message's mime row: it
 * lists every content object the message refers to, by hash, and holds the segments from which
 * the internet message is rebuilt. It does not depend on the store it lies in, so it is made
 * once by gx_msg_prepare() and copied as it is.
 *
 * Packed rows may hold extern values (GX_PROW_EXTERN); gx_extern__resolve() turns them into
 * values. The slices they name are those of the outermost message, also in rows of embedded
 * messages and their attachments: resolve them with the skeleton of the outermost message.
 *
 * Functions give GX_E_*; gx_cio__why() then has a sentence for the log that names the file.
 */
#include <gx/store.h>

struct gx_sql;

/* Run when a store is made. Rows of content are small, so that counting does not rewrite data. */
#define GX_CONTENT_SCHEMA \
	"CREATE TABLE content(hash BLOB PRIMARY KEY, size INTEGER NOT NULL, refs INTEGER NOT NULL," \
	" comp INTEGER NOT NULL, data INTEGER) WITHOUT ROWID;" \
	"CREATE TABLE content_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"

enum { GX_HASH_LEN = 32 };

/* ---- One connection's state: codec contexts, content directory, files to remove ---- */

struct gx_cio;
/** @param dir the store's directory (content files go to dir/cid). */
struct gx_fs;
int gx_cio__new(const struct gx_fs *fs, const char *dir, struct gx_cio **ret_cio) GX_MUST_CHECK;
void gx_cio__free(struct gx_cio *cio);
/** Detail of the last failure, "" if none. */
const char *gx_cio__why(const struct gx_cio *cio);

/* ---- Content objects (writer connection, inside a transaction) ---- */

struct gx_content_new {
	uint8_t hash[GX_HASH_LEN];
	uint64_t size;         /* of the content */
	uint8_t comp;          /* how packed holds it */
	struct gx_bin packed;
	int fd;                /* packed.data NULL: the first file_len bytes of it; more than GX_CONTENT_INLINE_MAX */
	uint64_t file_len;
};

/** Stores it or counts one more reference. Large ones become files, synced before it returns. */
int gx_content__put(struct gx_cio *cio, struct gx_sql *q, const struct gx_content_new *c) GX_MUST_CHECK;
/** One more reference to an object that is there. GX_E_FORMAT. */
int gx_content__ref(struct gx_cio *cio, struct gx_sql *q, const uint8_t hash[GX_HASH_LEN]) GX_MUST_CHECK;
/** One more or one less reference to each content object a skeleton lists (copy, delete). */
int gx_content__ref_all(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton) GX_MUST_CHECK;
int gx_content__unref_all(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton) GX_MUST_CHECK;
/** Bytes [off, off+n) of a content object, clamped, appended. GX_E_FORMAT when it is missing or damaged. */
int gx_content__read(struct gx_cio *cio, struct gx_sql *q, const uint8_t hash[GX_HASH_LEN], uint64_t off,
	uint64_t n, struct gx_push *out) GX_MUST_CHECK;

/**
 * Files that lost their last reference may go only when the transaction is committed and durable.
 * The writer calls committed or aborted at the end of each transaction, and sweep now and then:
 * inside a write transaction, when everything committed before it is durable. Files that have
 * waited for at least @p min_age_ms are removed if still without reference (readers with an older
 * snapshot may need them that long; 0 when there are none).
 */
void gx_content__committed(struct gx_cio *cio);
void gx_content__aborted(struct gx_cio *cio);
bool gx_content__sweep_due(const struct gx_cio *cio, int64_t min_age_ms);
int gx_content__sweep(struct gx_cio *cio, struct gx_sql *q, int64_t min_age_ms) GX_MUST_CHECK;
/** No file of an ended transaction waits for the sweep, or was forgotten for lack of memory. */
bool gx_content__all_swept(const struct gx_cio *cio);
/** Flushes the directories that files were removed from: before the store may be said to be closed in order. */
int gx_content__sync_removed(struct gx_cio *cio) GX_MUST_CHECK;
/** Removes files under cid/ that no row names (after a crash). Same conditions as sweep. @return their number or GX_E_*. */
long gx_content__collect(struct gx_cio *cio, struct gx_sql *q) GX_MUST_CHECK;

/*
 * For the checker: add the skeleton of every message to a tally, then compare it with the counts in
 * the table, and every object with its hash.
 */
struct gx_content_tally;
struct gx_content_tally *gx_content__tally_new(void);
void gx_content__tally_free(struct gx_content_tally *t);
/** Counts the references of the skeleton of a body. */
int gx_content__tally_add(struct gx_content_tally *t, struct gx_bin skeleton, uint64_t body) GX_MUST_CHECK;
/** @return number of references; the first body that has one, 0 none. */
uint64_t gx_content__tally_get(
	const struct gx_content_tally *t, const uint8_t hash[GX_HASH_LEN], uint64_t *ret_body, uint64_t *ret_size);
/** What gx_content__verify() looks at. */
enum {
	GX_CV_ROW = 1,     /* rows say what can be */
	GX_CV_BYTES = 2,   /* bytes have the hash: reads all */
	GX_CV_REFS = 4,    /* references are counted right */
	GX_CV_MISSING = 8, /* what is referred to is there */
	GX_CV_DATA = 16,   /* rows of data belong to an object */
};
struct gx_content_verify {
	unsigned what;                        /* GX_CV_* */
	const struct gx_content_tally *tally; /* for REFS and MISSING */
	/** @param what one of GX_CV_*. @param hash NULL: none. @param object body that refers to it, or id of the data. */
	int (*report)(unsigned what, const uint8_t *hash, uint64_t object, const char *text, void *ctx);
	void *ctx;
};
int gx_content__verify(struct gx_cio *cio, struct gx_sql *q, const struct gx_content_verify *v) GX_MUST_CHECK;

/* ---- Prepared messages ---- */

struct gx_prep_msg;
struct gx_prep_att {
	struct gx_bin row;                   /* packed properties, externs inside */
	const struct gx_prep_msg *embedded;  /* or NULL */
};
/** One message object, the outer or an embedded one. */
struct gx_prep_msg {
	const struct gx_msgobj *obj;         /* borrowed from the source */
	struct gx_bin row;                   /* packed properties without the named ones; see gx_prep__row() */
	struct gx_bin rcpts;                 /* varint count, then varint length + packed row each */
	struct gx_prep_att *atts;
	size_t att_count;
};
struct gx_msg_prepared {
	struct gx_arena *arena;
	struct gx_prep_msg msg;
	struct gx_bin original, envelope, bodystructure; /* borrowed from the source; original.len is the size */
	uint64_t size;                       /* of the original, or an estimate of the object */
	struct gx_bin skeleton;              /* always there, also without original */
	struct gx_content_new *contents;     /* each once; put them all at insert */
	size_t content_count;
};
/** The packed row with the named properties under the store's ids (ids[i] for obj->named[i]), appended to @p out. */
int gx_prep__row(struct gx_push *out, struct gx_arena *a, const struct gx_prep_msg *m, const uint16_t *ids) GX_MUST_CHECK;
/** gx_content__put() for each content object of the message. */
int gx_prep__put_contents(struct gx_cio *cio, struct gx_sql *q, const struct gx_msg_prepared *p) GX_MUST_CHECK;

/**
 * A message that was stored without original gets one (rendered later): a new skeleton that lists
 * the content objects of @p old as well, and those that are new. Caller: put all of
 * @p ret_new; the references of @p old stay as they are.
 */
int gx_skel__with_original(struct gx_arena *a, struct gx_bin old, struct gx_bin original, struct gx_bin *ret_skeleton,
	struct gx_content_new **ret_new, size_t *ret_count) GX_MUST_CHECK;

/* ---- Reading ---- */

/** Length of the original, 0 when the message has none. GX_E_FORMAT. */
int gx_original__size(struct gx_bin skeleton, uint64_t *ret_size) GX_MUST_CHECK;
/** Bytes [off, off+n) of the original, clamped at its end, appended. */
int gx_original__read(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton, uint64_t off, uint64_t n,
	struct gx_push *out) GX_MUST_CHECK;
/**
 * The value of an extern entry of a packed row: decoded and converted, in @p a.
 * @param tag as stored (GX_PROW_EXTERN is ignored). @param ext the entry's bytes.
 */
int gx_extern__resolve(struct gx_cio *cio, struct gx_sql *q, struct gx_bin skeleton, gx_proptag_t tag, struct gx_bin ext,
	struct gx_arena *a, union gx_value *ret_v) GX_MUST_CHECK;
/** Bytes the value stands for before decoding: an upper bound for text in tables and size properties. */
int gx_extern__size(struct gx_bin ext, uint64_t *ret_size) GX_MUST_CHECK;

#endif
