/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_INSTANCE_H
#define GX_INSTANCE_H
/**
 * @file instance.h
 * Messages, attachments and embedded messages that are being read and edited in memory.
 *
 * An instance is opened in a transaction and lives on after it. It is a snapshot: others may change or
 * delete the message meanwhile. Large values are not loaded, they stay references to what
 * is stored, which is kept for as long as the instance lives; so most functions take a
 * transaction to read through, of any mode. Nothing is written before gx_inst_save().
 *
 * Attachments and embedded messages are opened from the instance that contains them and are copies too:
 * saving one puts it into its parent, saving the outermost message writes to the store, in the given
 * transaction. [MS-OXCMSG] 3.2.5
 *
 * Ids are plain 48-bit values as in store.h. Thread class: locked; all instances opened from one another share a
 * lock. Results live in the given arena. Reasons of failures are in gx_txn_why().
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_inst;
enum { GX_INST_MESSAGE = 0, GX_INST_ATTACHMENT = 1, GX_INST_EMBEDDED = 2 };

/* Limits. */
#define GX_INST_RCPTS_MAX 65535U   /**< ecTooManyRecips */
#define GX_INST_ATTS_MAX 65535U    /**< ecMaxAttachmentExceeded */
#define GX_INST_DEPTH_MAX 64U      /**< messages in messages: ecTooComplex */
#define GX_INST_VALUE_MAX 0x7fffffffU /**< bytes of a property: ecTooBig */
#define GX_INST_TEXT_MAX 0x4000000U   /**< of text */
/** Bytes of values and rows that the instances of one message may hold in memory: ecMAPIOOM. Large values are in files. */
#define GX_INST_MEMORY_MAX ((size_t)256 * 1024 * 1024)

/* ---- Opening ---- */

enum {
	GX_INST_READ = 0,       /**< cannot be changed: ecAccessDenied */
	GX_INST_WRITE = 1,      /**< needs the right to edit, else ecAccessDenied */
	GX_INST_BEST = 2,       /**< as much as the actor may */
	GX_INST_SOFTDELETED = 4, /**< may be one that was deleted softly */
};
/** @param fid the folder it must be in, 0 any. ecNotFound. */
GX_API gx_ec gx_inst_open(struct gx_txn *t, uint64_t fid, uint64_t mid, uint32_t flags, struct gx_inst **ret_inst) GX_MUST_CHECK;
struct gx_inst_new_opts {
	size_t size;
	uint64_t mid;   /**< this id when it is saved, for imports; 0 the next one */
	bool associated;
	bool bare;      /**< without the properties that every new message has */
};
#define GX_INST_NEW_OPTS_INIT {.size = sizeof(struct gx_inst_new_opts)}
/**
 * A message that is not yet in the folder, with the properties of [MS-OXCMSG] 3.2.5.2. Needs GX_RIGHT_CREATE.
 * @param o may be NULL.
 */
GX_API gx_ec gx_inst_new(struct gx_txn *t, uint64_t fid, const struct gx_inst_new_opts *o, struct gx_inst **ret_inst) GX_MUST_CHECK;
/** Another holder of the same instance, which lets go of it, too. @return @p i. */
GX_API struct gx_inst *gx_inst_hold(struct gx_inst *i);
/** Lets go of it; with its last holder what was not saved is lost. Instances opened from it live on. Accepts NULL. */
GX_API void gx_inst_free(struct gx_inst *i);

struct gx_inst_info {
	int kind;
	uint64_t fid, mid;      /**< of the outermost message; mid 0 before the first save */
	uint64_t cn;            /**< change number that was opened or saved last */
	uint32_t att_num;       /**< of an attachment */
	bool is_new;            /**< never saved */
	bool changed;           /**< since it was opened or saved */
	bool writable, associated;
	unsigned level;         /**< messages in attachments from the outermost one on */
	uint32_t att_version;   /**< of a message: another number after each change of its attachments */
	uint64_t place;         /**< of a message in attachments: made of the id and the numbers on the way to it, the same each time; else 0 */
};
GX_API void gx_inst_info(struct gx_inst *i, struct gx_inst_info *ret_info);
/** Bytes of a message as PidTagMessageSize has them; of an attachment those of the message it is in. */
GX_API uint64_t gx_inst_size(struct gx_inst *i);
/** Was @p child opened from @p parent, directly or not? */
GX_API bool gx_inst_contains(struct gx_inst *parent, struct gx_inst *child);

/* ---- Saving ---- */

enum {
	GX_SAVE_FORCE = 1,      /**< over what others have saved meanwhile */
	GX_SAVE_READONLY = 2,   /**< can only be read from then on */
};
struct gx_save_result {
	uint64_t mid, cn;       /**< of the outermost message, if that was saved */
	uint32_t uid;           /**< another one when what IMAP shows has changed */
};
/**
 * Packs new large values, without a transaction: the one that saves is the shorter for it. gx_inst_save()
 * does it when it was not done.
 */
GX_API int gx_inst_prepare(struct gx_inst *i) GX_MUST_CHECK;
/**
 * Into the parent, which any transaction does for, or in a write transaction into the store. ecObjectModified when somebody else has saved the
 * message since (not with GX_SAVE_FORCE), ecObjectDeleted when it is gone; ecQuotaExceeded. If the
 * transaction is not committed after all, the instance must be given up.
 * An embedded message gets a change number when the transaction writes. @param ret_result may be NULL.
 */
GX_API gx_ec gx_inst_save(struct gx_txn *t, struct gx_inst *i, uint32_t flags, struct gx_save_result *ret_result) GX_MUST_CHECK;
/** Back to what is stored now. A new message becomes empty. */
GX_API gx_ec gx_inst_reload(struct gx_txn *t, struct gx_inst *i) GX_MUST_CHECK;

/**
 * Takes what others have made of a stored message's state meanwhile (read, flagged ...) over into the instance, but what was set in
 * it stays. Nothing else is read again. ecObjectDeleted.
 */
GX_API gx_ec gx_inst_see_flags(struct gx_txn *t, struct gx_inst *i) GX_MUST_CHECK;

/* ---- Properties ---- */

/**
 * Those of @p tags that are there (n 0: all that are not large). One larger than @p size_limit comes as PtypErrorCode
 * ecMAPIOOM, to be read as a stream (0: no limit). A body format that is missing is made of another one.
 */
GX_API gx_ec gx_inst_get_props(struct gx_txn *t, struct gx_inst *i, const gx_proptag_t *tags, size_t n, size_t size_limit,
	struct gx_arena *a, struct gx_proplist *ret_l) GX_MUST_CHECK;
GX_API gx_ec gx_inst_all_tags(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, gx_proptag_t **ret_v, size_t *ret_n) GX_MUST_CHECK;

enum {
	/** The caller speaks for the server: versions, times and states are taken as given, and what is computed is passed over in silence. */
	GX_SET_TRUSTED = 1,
};
/**
 * Properties that cannot be set become @p ret_problems (may be NULL): ecComputedValue, ecAccessDenied, ecInvalidType ...
 * [MS-OXCPRPT] 2.2.5
 */
GX_API gx_ec gx_inst_set_props(struct gx_inst *i, const struct gx_proplist *l, uint32_t flags, struct gx_arena *a,
	struct gx_problems *ret_problems) GX_MUST_CHECK;
GX_API gx_ec gx_inst_remove_props(struct gx_inst *i, const gx_proptag_t *tags, size_t n, uint32_t flags, struct gx_arena *a,
	struct gx_problems *ret_problems) GX_MUST_CHECK;

struct gx_inst_copy_opts {
	size_t size;
	const gx_proptag_t *tags;   /**< by their ids */
	size_t n;
	bool only;                  /**< those of @ref tags; else all but those */
	bool keep;                  /**< what is there stays */
	bool move;                  /**< what was copied goes from the source */
	bool embedded;              /**< of attachments: with the message in it, which is PidTagAttachDataObject */
};
#define GX_INST_COPY_OPTS_INIT {.size = sizeof(struct gx_inst_copy_opts)}
/**
 * Properties of a message to a message, of an attachment to an attachment of the same store; large values are shared. What cannot be copied
 * becomes a problem: with @ref gx_inst_copy_opts::only at its place in the list, ecNotFound and ecComputedValue too. Recipients and
 * attachments: gx_inst_copy_rcpts(), gx_inst_copy_atts(). ecInvalidObject: a message and an attachment.
 */
GX_API gx_ec gx_inst_copy_props(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, const struct gx_inst_copy_opts *o,
	struct gx_arena *a, struct gx_problems *ret_problems) GX_MUST_CHECK;

/** Between instances of two stores. */
struct gx_inst_across_opts {
	size_t size;
	struct gx_inst_copy_opts props; /**< tags and problems are those of the source's store */
	bool rcpts, atts;               /**< of messages: these, too */
	const uint16_t *from, *to;      /**< ids of named properties there and here, by ascending @ref from; 0: has none, is left out */
	size_t names;
};
#define GX_INST_ACROSS_OPTS_INIT {.size = sizeof(struct gx_inst_across_opts), .props = GX_INST_COPY_OPTS_INIT}
/** The named properties that such a copy would meet, ascending. Reads @ref gx_inst_across_opts::props, rcpts and atts. */
GX_API gx_ec gx_inst_named(struct gx_txn *t, struct gx_inst *i, const struct gx_inst_across_opts *o, struct gx_arena *a, uint16_t **ret_v,
	size_t *ret_n) GX_MUST_CHECK;
/**
 * gx_inst_copy_props(), gx_inst_copy_rcpts() and gx_inst_copy_atts() into an instance of another store; nothing is shared, large
 * values are copied in pieces. @p t and @p to may only read. After a failure a part of it may have been done. ecInvalidParam: both are of one store.
 */
GX_API gx_ec gx_inst_copy_across(struct gx_txn *t, struct gx_inst *src, struct gx_txn *to, struct gx_inst *dst,
	const struct gx_inst_across_opts *o, struct gx_arena *a, struct gx_problems *ret_problems) GX_MUST_CHECK;

/* ---- Values as streams ---- */

struct gx_inst_stream;
enum { GX_STREAM_READ = 0, GX_STREAM_WRITE = 1, GX_STREAM_CREATE = 2 /**< empty, whether it was there or not */ };
/**
 * A string (its UTF-8 bytes) or binary property. ecNotFound when it is not there (but GX_STREAM_CREATE), ecNotSupported
 * for other types. PtypObject and PtypBinary are the same. A stream that only reads costs no memory, whatever its size, but where text has to be
 * converted.
 */
GX_API gx_ec gx_inst_stream_open(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag, int mode, struct gx_inst_stream **ret_s) GX_MUST_CHECK;
/**
 * The same; bytes of a text are those of code page @p cp (1200: UTF-16LE without a mark, 0: UTF-8). They are converted when it is opened
 * and when it is committed, where text ends before its first NUL; there are at most @ref GX_INST_TEXT_MAX of them.
 */
GX_API gx_ec gx_inst_stream_open_as(struct gx_txn *t, struct gx_inst *i, gx_proptag_t tag, int mode, uint32_t cp,
	struct gx_inst_stream **ret_s) GX_MUST_CHECK;
/** What was not committed is lost. Accepts NULL. */
GX_API void gx_inst_stream_free(struct gx_inst_stream *s);
GX_API uint64_t gx_inst_stream_size(struct gx_inst_stream *s);
/** Bytes [off, off+n), clamped, appended to @p out. */
GX_API gx_ec gx_inst_stream_read(struct gx_txn *t, struct gx_inst_stream *s, uint64_t off, uint64_t n, struct gx_push *out) GX_MUST_CHECK;
/** Beyond the end the gap is zeroes. ecTooBig. */
GX_API gx_ec gx_inst_stream_write(struct gx_txn *t, struct gx_inst_stream *s, uint64_t off, const void *p, size_t n) GX_MUST_CHECK;
GX_API gx_ec gx_inst_stream_set_size(struct gx_txn *t, struct gx_inst_stream *s, uint64_t size) GX_MUST_CHECK;
/** Makes it the property's value in the instance. */
GX_API gx_ec gx_inst_stream_commit(struct gx_inst_stream *s) GX_MUST_CHECK;

/* ---- Recipients ---- */

GX_API gx_ec gx_inst_rcpt_count(struct gx_inst *i, size_t *ret_n) GX_MUST_CHECK;
/** From the first with PidTagRowid >= @p row_id on, at most @p max. */
GX_API gx_ec gx_inst_rcpts(struct gx_inst *i, uint32_t row_id, size_t max, struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;
GX_API gx_ec gx_inst_rcpt_tags(struct gx_inst *i, struct gx_arena *a, gx_proptag_t **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** By PidTagRowid: a row that says nothing else deletes, others replace or add. [MS-OXCMSG] 2.2.3.5 */
GX_API gx_ec gx_inst_set_rcpts(struct gx_inst *i, const struct gx_proplist *rows, size_t n) GX_MUST_CHECK;
GX_API gx_ec gx_inst_clear_rcpts(struct gx_inst *i) GX_MUST_CHECK;
/** Replaces those of @p dst, or unless @p force only if it has none: @p ret_done. */
GX_API gx_ec gx_inst_copy_rcpts(struct gx_inst *src, struct gx_inst *dst, bool force, bool *ret_done) GX_MUST_CHECK;

/* ---- Attachments ---- */

GX_API gx_ec gx_inst_att_count(struct gx_txn *t, struct gx_inst *i, size_t *ret_n) GX_MUST_CHECK;
GX_API gx_ec gx_inst_att_tags(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, gx_proptag_t **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** Rows from position @p start on, @p need of them; backwards when it is negative. Large values are left out. */
GX_API gx_ec gx_inst_att_rows(struct gx_txn *t, struct gx_inst *i, const gx_proptag_t *tags, size_t ntags, uint32_t start, int32_t need,
	struct gx_arena *a, struct gx_proplist **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** By PidTagAttachNumber. ecNotFound. */
GX_API gx_ec gx_inst_att_open(struct gx_txn *t, struct gx_inst *i, uint32_t num, uint32_t flags, struct gx_inst **ret_att) GX_MUST_CHECK;
/** It is part of the message when it has been saved. */
GX_API gx_ec gx_inst_att_new(struct gx_txn *t, struct gx_inst *i, uint32_t *ret_num, struct gx_inst **ret_att) GX_MUST_CHECK;
GX_API gx_ec gx_inst_att_delete(struct gx_txn *t, struct gx_inst *i, uint32_t num) GX_MUST_CHECK;
GX_API gx_ec gx_inst_clear_atts(struct gx_txn *t, struct gx_inst *i) GX_MUST_CHECK;
/** As gx_inst_copy_rcpts(). Contents are shared, not copied. */
GX_API gx_ec gx_inst_copy_atts(struct gx_txn *t, struct gx_inst *src, struct gx_inst *dst, bool force, bool *ret_done) GX_MUST_CHECK;
/** The message in an attachment. ecNotFound when there is none and @p create is not set. */
GX_API gx_ec gx_inst_embedded_open(struct gx_txn *t, struct gx_inst *att, bool create, uint32_t flags, struct gx_inst **ret_msg) GX_MUST_CHECK;

/* ---- Whole objects ---- */

/** With all values; a message or an embedded one. */
GX_API gx_ec gx_inst_read(struct gx_txn *t, struct gx_inst *i, struct gx_arena *a, struct gx_msgobj **ret_m) GX_MUST_CHECK;
GX_API gx_ec gx_inst_read_att(struct gx_txn *t, struct gx_inst *att, struct gx_arena *a, struct gx_attach *ret_att) GX_MUST_CHECK;
enum {
	GX_WRITE_FORCE = 1,   /**< replaces recipients and attachments that are there; else those of @p m are only taken if there are none */
	GX_WRITE_TRUSTED = 2, /**< as GX_SET_TRUSTED */
};
/**
 * Merges an object into the instance; slices of originals are not taken. The transaction must be a write when the
 * object has named properties that are new to the store. @p ret_tags (may be NULL): what was set.
 */
GX_API gx_ec gx_inst_write(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *m, uint32_t flags, struct gx_arena *a,
	struct gx_proplist *ret_tags, struct gx_problems *ret_problems) GX_MUST_CHECK;
GX_API gx_ec gx_inst_write_att(struct gx_txn *t, struct gx_inst *att, const struct gx_attach *src, uint32_t flags, struct gx_arena *a,
	struct gx_problems *ret_problems) GX_MUST_CHECK;
/** No properties, recipients, attachments any more. */
GX_API gx_ec gx_inst_clear(struct gx_inst *i) GX_MUST_CHECK;
/**
 * Makes the message one that shows a conflict: this version and @p other become embedded messages in it, and
 * msInConflict is set. [MS-OXCFXICS] 3.1.5.6.2.1
 */
GX_API gx_ec gx_inst_set_conflict(struct gx_txn *t, struct gx_inst *i, const struct gx_msgobj *other) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
