/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DESC_H
#define GX_DESC_H
/**
 * @file desc.h
 * Wire structures described by constant tables, and the engines that walk them.
 *
 * The tables and the C structs come from defs/NAME.def by scripts/gen-defs.py; docs/defs.md
 * explains the language. Generated headers wrap the engines in typed functions
 * gx_STRUCT_pull() and gx_STRUCT_push().
 *
 * Pulled strings and byte runs are borrowed from the input where the forms agree, else they live
 * in the context's arena, as arrays do. Thread class: immutable (tables), confined (cursors).
 */
#include <gx/propcodec.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GX_DESC_VARS 8

/** What shapes the bytes without standing in them. */
struct gx_dctx {
	struct gx_px px;              /**< counts, strings, code page, arena */
	uint32_t var[GX_DESC_VARS];   /**< what the description calls ctx.NAME */
	const void *custom;           /**< for custom fields (a column set) */
};

/** Structures outside ROP buffers: wide counts, UTF-16, 8-bit text of code page 1252. */
#define GX_DCTX(arena) ((struct gx_dctx){.px = {true, true, 1252, (arena), false}})

/** A field that tables cannot describe. Member functions get the address of the member. */
struct gx_custom {
	void (*pull)(struct gx_pull *c, const struct gx_dctx *x, void *ret_member);
	void (*push)(struct gx_push *c, const struct gx_dctx *x, const void *member);
	void (*print)(struct gx_strbuf *b, const void *member);
	bool (*equal)(const void *x, const void *y);
	void (*random)(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, void *ret_member);
};

/** Kinds of field. */
enum {
	GX_DK_U8, GX_DK_U16, GX_DK_U32, GX_DK_U64, GX_DK_U16BE, GX_DK_U32BE, GX_DK_U48BE,
	GX_DK_BOOL8, GX_DK_BOOL16,
	GX_DK_BOOL,     /**< a byte, 0 or 1 and nothing else */
	GX_DK_F32, GX_DK_F64, GX_DK_GUID,
	GX_DK_BYTES,    /**< array of fixed size inside the struct */
	GX_DK_BIN,      /**< struct gx_bin */
	GX_DK_STR8Z, GX_DK_STRWZ,
	GX_DK_STRZ,     /**< wide when the condition holds */
	GX_DK_STR8, GX_DK_STRW, /**< as many bytes as the size says */
	GX_DK_STRUCT, GX_DK_PROPVAL, GX_DK_PROPLIST, GX_DK_RESTR, GX_DK_SORTSET, GX_DK_CUSTOM,
	GX_DK_MORE,     /**< no bytes: is there anything left? */
	GX_DK_PEEK,     /**< no bytes: is this u32 next? */
	GX_DK_IF,       /**< the next arg fields are there when the condition holds */
};

/** What a number stands for. All but a member are not in the struct. */
enum {
	GX_DR_MEMBER, GX_DR_CONST, GX_DR_PAD, GX_DR_COUNT, GX_DR_LEN, GX_DR_SELF, GX_DR_OFFSET,
};

/** Where a count or a size comes from. */
enum { GX_DB_NONE, GX_DB_FIXED, GX_DB_REST, GX_DB_FIELD, GX_DB_U8, GX_DB_U16, GX_DB_U32 };

/** A byte in front says whether the value is there. */
enum {
	GX_DP_NONE,
	GX_DP_SELF,     /**< the member is a pointer by itself: text, restriction */
	GX_DP_POINTER,  /**< the member is a pointer to the value */
};

/** Holds when the number is one of the values, or, without values, is not 0. */
struct gx_cond {
	bool negate;
	bool from_ctx;      /**< source is an index of gx_dctx.var, else of a field */
	uint8_t source;
	uint8_t count;
	uint32_t mask;      /**< bits that count; 0: all */
	uint32_t value[6];
};

struct gx_field {
	const char *name;
	uint8_t kind, role;
	uint8_t count_by, size_by;    /**< GX_DB_* */
	uint8_t count_field, size_field;
	uint8_t opt;                  /**< GX_DP_* */
	uint8_t target;               /**< GX_DR_COUNT and the like: which field */
	uint16_t off;                 /**< of the member */
	uint16_t count_off;           /**< of an array's count */
	uint16_t elem;                /**< sizeof of an array's element, of an optional value */
	uint32_t arg;                 /**< constant, fixed size, unit of a length, length of a block */
	uint32_t min, max;            /**< of a number, of a count of elements or bytes; max 0: no bound */
	const void *ref;              /**< struct gx_desc, gx_cond or gx_custom */
};

#define GX_DESC_MAX_FIELDS 64

struct gx_desc {
	const char *name;
	const char *section;          /**< of the specification */
	const struct gx_field *fields;
	uint16_t count;
	uint16_t size;                /**< sizeof the C struct */
	uint32_t least;               /**< bytes that every instance has */
};

/** An operation of a protocol. */
struct gx_call_desc {
	const char *name, *meaning;
	uint8_t number;
	bool retired;                 /**< once was a call; never used again */
	bool extension;               /**< not of the protocol as others know it */
	bool writes;                  /**< all it does is to change what is stored, in one transaction */
	const struct gx_desc *req, *ans; /**< NULL: no bytes */
};

/** What an index into the table of server object handles is for, [MS-OXCROPS] 2.2.1.2. */
enum { GX_RH_IN = 1, GX_RH_OUT, GX_RH_RESP, GX_RH_SRC, GX_RH_DST };

struct gx_rop_special {
	uint32_t return_value;
	const struct gx_desc *body;
};

/** A remote operation: the bodies that follow the heads of request and response; see gx/rop.h. */
struct gx_rop_desc {
	const char *name, *section;
	uint8_t id;
	uint8_t handle_count;         /**< index bytes of the request, after LogonId */
	uint8_t handle[2];            /**< GX_RH_*, in wire order */
	uint8_t answered;             /**< which of them the response repeats */
	const struct gx_desc *req;    /**< NULL: no bytes, as of the others */
	const struct gx_desc *res, *fail;
	const struct gx_rop_special *special; /**< other bodies for certain return values */
	uint8_t special_count;
};

enum { GX_ENDPOINT_MAILBOX = 1, GX_ENDPOINT_NSPI = 2, GX_ENDPOINT_BOTH = 3 };

/** A request type of MAPI/HTTP. */
struct gx_exchange_desc {
	const char *name, *section;
	uint8_t endpoint;             /**< GX_ENDPOINT_* */
	const struct gx_desc *req, *res; /**< NULL: no body */
};

/** Reads one structure into @p ret_obj (of d->size bytes). The error is in the cursor. */
GX_API void gx_desc_pull(struct gx_pull *c, const struct gx_dctx *x, const struct gx_desc *d, void *ret_obj);
GX_API void gx_desc_push(struct gx_push *c, const struct gx_dctx *x, const struct gx_desc *d, const void *obj);
/** Bytes that gx_desc_push() would write. */
GX_API int gx_desc_size(const struct gx_dctx *x, const struct gx_desc *d, const void *obj, size_t *ret_size) GX_MUST_CHECK;
/** All of @p data must be used, else GX_E_FORMAT. */
GX_API int gx_desc_decode(const struct gx_dctx *x, const struct gx_desc *d, const void *data, size_t len, void *ret_obj) GX_MUST_CHECK;
/** Into the context's arena. */
GX_API int gx_desc_encode(const struct gx_dctx *x, const struct gx_desc *d, const void *obj, struct gx_bin *ret_bin) GX_MUST_CHECK;
/** name{field=value, ...} */
GX_API void gx_desc_print(struct gx_strbuf *b, const struct gx_dctx *x, const struct gx_desc *d, const void *obj);
GX_API bool gx_desc_equal(const struct gx_dctx *x, const struct gx_desc *d, const void *obj1, const void *obj2);
/** An instance that gx_desc_push() takes; @p next gives random numbers. For tests and fuzzers. */
GX_API void gx_desc_random(uint32_t (*next)(void *rnd), void *rnd, const struct gx_dctx *x, const struct gx_desc *d, void *ret_obj);

#ifdef __cplusplus
}
#endif
#endif
