/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_STORESIZE_H
#define GX_STORESIZE_H
/**
 * @file storesize.h
 * What a store takes on disk, and for what. Thread class: as the store.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_size {
	uint64_t count;    /**< of things */
	uint64_t bytes;    /**< apparent */
	uint64_t disk;     /**< taken on the file system, where that can be told; else 0 */
};

/**
 * Values of one kind in all messages: texts, or data of attachments. Those in the original that are encoded and
 * less than a few KiB are taken by what they are likely to be when decoded.
 */
struct gx_size_values {
	struct gx_size logical;  /**< as clients see them: each message with its own */
	struct gx_size unique;   /**< copies of a message, and large values that are the same, counted once */
	struct gx_size sliced;   /**< of those, parts of an original message: no space of their own */
	struct gx_size kept;     /**< of those, content objects */
	struct gx_size inrow;    /**< of those, in rows of the database */
};

struct gx_size_table {
	const char *name;        /**< of a table or an index */
	uint64_t bytes;          /**< pages */
	uint64_t used;           /**< of them, by rows */
};

struct gx_store_sizes {
	struct gx_size normal, fai, softdel;  /**< messages: PidTagMessageSize of them */
	struct gx_size originals;             /**< internet messages that are kept, each body once */
	struct gx_size literals;              /**< what of them stands in the database, packed */
	struct gx_size_values bodies;         /**< PidTagBody, PidTagHtml, PidTagRtfCompressed, PidTagTransportMessageHeaders */
	struct gx_size_values attachments;    /**< PidTagAttachDataBinary */
	struct gx_size references;            /**< content objects as often as messages refer to them */
	struct gx_size contents;              /**< each once */
	struct gx_size packed;                /**< compressed, in the database and in files */
	struct gx_size files;                 /**< of those, in files */
	struct gx_size missing_refs;          /**< references to objects that are not there */
	struct gx_size missing;               /**< those objects */
	struct gx_size database, free_pages;  /**< the file; what is unused in it */
	struct gx_size index;                 /**< the full-text index */
	struct gx_size other;                 /**< logs and content files that nobody refers to */
	const struct gx_size_table *tables;   /**< by size, NULL when SQLite cannot tell */
	size_t ntables;
};
/**
 * Reads rows and looks at files, not into contents. @p a keeps the names. Folders config/ and tmp/ of the
 * store are left out.
 */
GX_API int gx_store_measure(struct gx_store *s, struct gx_arena *a, struct gx_store_sizes *ret_s) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
