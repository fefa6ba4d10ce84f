/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FTX_H
#define GX_FTX_H
/**
 * @file ftx.h
 * FastTransfer streams, [MS-OXCFXICS] 2.2.4: how folders, messages and changes go from server to client
 * (RopFastTransferSourceGetBuffer) and back (RopFastTransferDestinationPutBuffer).
 *
 * A stream is a run of elements, markers and properties. struct gx_ftx_out makes it of them, in
 * buffers of any size; struct gx_ftx_in takes it apart again, in buffers cut anywhere. Neither needs more memory
 * than one buffer and one small value, however large a value is. The grammar of the specification
 * can watch on either side. docs/ftx.md explains the use.
 *
 * Text is UTF-8 on this side of both. The structures in values of certain properties are in gx/ftx-types.h.
 * Thread class: confined.
 */
#include <gx/ftx-codes.h> /* generated from facts/fxics.tsv: StartMessage, MetaTagFXDelProp, GX_FTX_* */
#include <gx/ftx-types.h>
#include <gx/msgobj.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most bytes of a property's name in UTF-16, with its zero. */
#define GX_FTX_NAME_MAX 1024U
/** Most frames (folders, messages, attachments) within each other. */
#define GX_FTX_DEPTH_MAX 64U

/* ---- The grammar, [MS-OXCFXICS] 2.2.4.2 ---- */

/** Where in the grammar a stream is. Copied by assignment; the members are private. */
struct gx_ftx_grammar {
	uint8_t state, depth, max_depth;
	bool recover, partial;
	uint8_t stack[GX_FTX_DEPTH_MAX];
};

/**
 * @param root GX_FTX_*, not GX_FTX_ANY.
 * @param send_options GX_FTX_SEND_RECOVER_MODE admits errorInfo, GX_FTX_SEND_PARTIAL_ITEM messageChangePartial.
 * @param max_depth frames within each other, 0 for GX_FTX_DEPTH_MAX.
 * @return 0, GX_E_INVAL.
 */
GX_API int gx_ftx_grammar_init(struct gx_ftx_grammar *g, int root, uint32_t send_options,
	unsigned max_depth) GX_MUST_CHECK;
/** The next element, a marker or a property's tag; on GX_E_FORMAT and GX_E_DEPTH nothing changes. */
GX_API int gx_ftx_grammar_step(struct gx_ftx_grammar *g, gx_proptag_t tag) GX_MUST_CHECK;
/** May the stream end here? */
GX_API bool gx_ftx_grammar_complete(const struct gx_ftx_grammar *g);
/** Appends what may stand here, "EndMessage, StartRecip, a property in message". */
GX_API void gx_ftx_grammar_expected(const struct gx_ftx_grammar *g, struct gx_strbuf *b);

GX_API bool gx_ftx_is_marker(gx_proptag_t tag);
/** "StartMessage", "MetaTagFXDelProp"; NULL for other tags. Static. */
GX_API const char *gx_ftx_name(gx_proptag_t tag);
enum { GX_FTX_OBJ_FOLDER = 1, GX_FTX_OBJ_MESSAGE, GX_FTX_OBJ_ATTACHMENT };
/** What an operation (GX_FTX_FROM_*) on an object (GX_FTX_OBJ_*) gives or takes, [MS-OXCFXICS] 2.2.4.4. 0: none. */
GX_API int gx_ftx_root(unsigned source_operation, unsigned object);

/* ---- Making a stream ---- */

struct gx_ftx_out;
/**
 * Asked for elements when those put before are all handed out: puts one or a few and returns 1; 0 at
 * the end of the stream; GX_E_* ends it with an error.
 */
typedef int (*gx_ftx_next_cb)(struct gx_ftx_out *out, void *ctx);

struct gx_ftx_out_opts {
	uint32_t send_options;  /**< GX_FTX_SEND_*; in what form strings are sent, and what is allowed */
	uint32_t cp;            /**< code page of the connection, for 8-bit strings; 0: 1252 */
	int root;               /**< GX_FTX_*: what is put is checked against it; GX_FTX_ANY: not checked */
	gx_ftx_next_cb next;    /**< NULL: elements are put from outside, until gx_ftx_out_end() */
	void *ctx;
};

/** A value too large for memory. Text is UTF-8 without NULs; it is read twice and must not change meanwhile. */
struct gx_ftx_reader {
	uint64_t size; /**< in bytes, as read() gives them */
	/** Up to @p n bytes from @p off; *ret_n 0 is an error before size. @return 0 or GX_E_*. */
	int (*read)(uint64_t off, void *buf, size_t n, size_t *ret_n, void *ctx);
	void *ctx;
};

/** NULL when out of memory. */
GX_API struct gx_ftx_out *gx_ftx_out_new(const struct gx_ftx_out_opts *o);
/** Accepts NULL. */
GX_API void gx_ftx_out_free(struct gx_ftx_out *out);

/*
 * Putting elements. 0 or GX_E_*: GX_E_FORMAT when the grammar does not allow it here (the element is
 * left out, nothing else changes), GX_E_INVAL for values that streams cannot have, GX_E_RANGE for too large ones.
 */
GX_API int gx_ftx_out_marker(struct gx_ftx_out *out, gx_proptag_t marker) GX_MUST_CHECK;
/**
 * A property or meta-property, copied. PtypString and PtypString8 are sent as the options say. Ids from 0x8000 up
 * need @p name, others have none (NULL).
 */
GX_API int gx_ftx_out_prop(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_propname *name,
	const union gx_value *v) GX_MUST_CHECK;
/** All of a list without named ones, in order. */
GX_API int gx_ftx_out_proplist(struct gx_ftx_out *out, const struct gx_proplist *l) GX_MUST_CHECK;
GX_API int gx_ftx_out_u32(struct gx_ftx_out *out, gx_proptag_t tag, uint32_t v) GX_MUST_CHECK;
GX_API int gx_ftx_out_bin(struct gx_ftx_out *out, gx_proptag_t tag, const void *p, size_t n) GX_MUST_CHECK;
/** A structure of gx/ftx-types.h, @p which is GX_FTX_PROGRESS_INFORMATION and the like. */
GX_API int gx_ftx_out_struct(struct gx_ftx_out *out, gx_proptag_t tag, uint32_t which, const void *obj) GX_MUST_CHECK;
/** Of PtypBinary, PtypObject, PtypString or PtypString8. The reader must last until the value is handed out. */
GX_API int gx_ftx_out_large(struct gx_ftx_out *out, gx_proptag_t tag, const struct gx_propname *name,
	const struct gx_ftx_reader *r) GX_MUST_CHECK;
/** errorInfo: what was begun of a message is void, the stream goes on behind it. Needs GX_FTX_SEND_RECOVER_MODE. */
GX_API int gx_ftx_out_error(struct gx_ftx_out *out, const struct gx_extended_error_info *e) GX_MUST_CHECK;
/** No more elements follow; GX_E_FORMAT when the grammar wants some. */
GX_API int gx_ftx_out_end(struct gx_ftx_out *out) GX_MUST_CHECK;

/**
 * The next bytes of the stream. A buffer never ends within an atom (marker, property definition,
 * length, value of fixed size), [MS-OXCFXICS] 2.2.4.1; else it is filled as far as there are elements.
 * @return 0; GX_E_LIMIT when @p size is less than the next atom (nothing is lost, ask with more);
 * other errors, also those of callbacks, are final: the stream is broken.
 */
GX_API int gx_ftx_out_read(struct gx_ftx_out *out, void *buf, size_t size, size_t *ret_n) GX_MUST_CHECK;
/** Has the last byte been handed out? GX_FTX_STATUS_DONE goes with the buffer after which this is true. */
GX_API bool gx_ftx_out_done(const struct gx_ftx_out *out);
/** Bytes handed out so far; in the next callback all of what was put before. */
GX_API uint64_t gx_ftx_out_offset(const struct gx_ftx_out *out);
/** What the last error was about; "" when there is nothing to say. Lives as long as the handle. */
GX_API const char *gx_ftx_out_text(const struct gx_ftx_out *out);

/* ---- Taking a stream apart ---- */

struct gx_ftx_prop {
	gx_proptag_t tag;               /**< PtypString or PtypString8 for strings, whatever they were sent as */
	uint16_t wire_type;             /**< the type as sent: 0x84B0 and the like, 0x0003 of MetaTagIdsetGiven */
	uint32_t cp;                    /**< code page that a string was sent in; 0 for other types */
	const struct gx_propname *name; /**< of ids from 0x8000 up, which mean nothing else; NULL of others */
	union gx_value v;               /**< not set in begin() */
};

/**
 * Events. All but prop may be NULL. What they are given lives until they return. They return 0 to go on, 1 to
 * have gx_ftx_in_write() return, and GX_E_* to end with that error.
 */
struct gx_ftx_in_ops {
	int (*marker)(gx_proptag_t marker, void *ctx);
	int (*prop)(const struct gx_ftx_prop *p, void *ctx);
	/** Meta-properties and properties of the state; NULL: prop gets them too. */
	int (*meta)(const struct gx_ftx_prop *p, void *ctx);
	/**
	 * A single value of more than max_whole bytes: begin, any number of parts, end. @p size is in
	 * bytes as sent. NULL: prop gets all of it.
	 */
	int (*begin)(const struct gx_ftx_prop *p, uint32_t size, void *ctx);
	/** UTF-8 of whole characters for strings, without the zero at the end. */
	int (*part)(const void *data, size_t n, void *ctx);
	int (*end)(void *ctx);
};

struct gx_ftx_in_opts {
	uint32_t send_options;  /**< GX_FTX_SEND_RECOVER_MODE, GX_FTX_SEND_PARTIAL_ITEM: what the grammar admits */
	uint32_t cp;            /**< of PtypString8; 0: 1252 */
	int root;               /**< GX_FTX_*; GX_FTX_ANY: no check */
	/* Limits; 0 is the default. More is GX_E_LIMIT, deeper GX_E_DEPTH. */
	uint32_t max_whole;     /**< values up to so many bytes come whole; 65,536 */
	uint32_t max_value;     /**< bytes of a single value; 2^31-1 */
	uint32_t max_multi;     /**< bytes of a multi-value; 1,048,576 */
	uint64_t max_total;     /**< bytes of the stream; none */
	uint64_t max_elements;  /**< none */
	unsigned max_depth;     /**< GX_FTX_DEPTH_MAX */
};

struct gx_ftx_in;
/** @p ops must last. NULL when out of memory, or when ops or root make no sense. */
GX_API struct gx_ftx_in *gx_ftx_in_new(const struct gx_ftx_in_opts *o, const struct gx_ftx_in_ops *ops,
	void *ctx);
/** Accepts NULL. */
GX_API void gx_ftx_in_free(struct gx_ftx_in *in);
/**
 * The next bytes, cut off anywhere.
 * @param ret_used bytes taken: all of them unless an event stopped it; then go on with the rest. May be NULL.
 * @return 0; 1 when an event stopped it. Errors are final: GX_E_FORMAT, GX_E_LIMIT, GX_E_DEPTH, the events' own.
 */
GX_API int gx_ftx_in_write(struct gx_ftx_in *in, const void *data, size_t n, size_t *ret_used) GX_MUST_CHECK;
/** No more bytes follow. GX_E_TRUNC within an element, or where the grammar wants more. */
GX_API int gx_ftx_in_end(struct gx_ftx_in *in) GX_MUST_CHECK;
/** Bytes taken so far. */
GX_API uint64_t gx_ftx_in_offset(const struct gx_ftx_in *in);
/** "byte 12: expected EndAttach, a property in attachment, found StartTopFld"; "" without an error. */
GX_API const char *gx_ftx_in_text(const struct gx_ftx_in *in);

/** The diagnostic bytes within @p e; empty when its offset leads nowhere. */
GX_API struct gx_bin gx_ftx_error_aux(const struct gx_extended_error_info *e);

#ifdef __cplusplus
}
#endif
#endif
