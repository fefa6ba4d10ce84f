/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_CONF_H
#define GX_CONF_H
/**
 * @file conf.h
 * Configuration: one table of directives a program; parser, --dump-config and man page derive
 * from it. Files have "key = value" lines, '#' comments, as gromox(7) describes.
 * Thread class: confined while reading, immutable after.
 */
#include <gx/arena.h>
#include <gx/log.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gx_conf_type {
	GX_CONF_STRING, GX_CONF_BOOL, GX_CONF_UINT,
	GX_CONF_SIZE,      /**< bytes, suffixes K M G T */
	GX_CONF_DURATION,  /**< seconds, gromox(7) "Duration specifications" */
	GX_CONF_LISTEN,    /**< space-separated bind addresses, gromox(7) "Host addresses" */
	GX_CONF_LOGLEVEL,
	GX_CONF_DEPRECATED, /**< known, warned about; help names the replacement */
};
struct gx_conf_key {
	const char *name;
	uint8_t type;      /**< enum gx_conf_type */
	const char *dflt;  /**< as it would be written in the file */
	const char *min, *max; /**< same, may be NULL */
	const char *help;  /**< the paragraph of the man page; for GX_CONF_DEPRECATED why it has no effect and what to use */
	const char *file;  /**< "gromox.cfg", "imap.cfg": where the manual has it */
};

struct gx_conf;
/** @param tables NULL-terminated list of tables, each ended by an entry with name NULL. Values start as defaults. */
GX_API struct gx_conf *gx_conf_new(const struct gx_conf_key *const *tables);
/** Directives of other programs that share a file: known, checked, not used. @p tables as above; borrowed. */
GX_API void gx_conf_foreign(struct gx_conf *c, const struct gx_conf_key *const *tables);
GX_API void gx_conf_free(struct gx_conf *c);
/**
 * Reads a file. Unknown keys and bad values are reported to @p log with file and line; a bad
 * value is an error, an unknown key is a warning. A missing file is GX_E_NOTFOUND.
 */
GX_API int gx_conf_read(struct gx_conf *c, const char *path, const struct gx_log *log) GX_MUST_CHECK;
/** Sets one value as if it stood in a file. */
GX_API int gx_conf_set(struct gx_conf *c, const char *key, const char *value, const struct gx_log *log) GX_MUST_CHECK;
/** The key must exist in a table (asserted). */
GX_API const char *gx_conf_str(const struct gx_conf *c, const char *key);
GX_API uint64_t gx_conf_uint(const struct gx_conf *c, const char *key);
GX_API bool gx_conf_bool(const struct gx_conf *c, const char *key);
/** Was it set by a file or gx_conf_set()? */
GX_API bool gx_conf_is_set(const struct gx_conf *c, const char *key);
/** Where the value comes from, "/etc/gromox/imap.cfg:12" or "default". */
GX_API const char *gx_conf_origin(const struct gx_conf *c, const char *key);
/** All directives with their present values, in the form of a file, defaults commented out. */
GX_API void gx_conf_dump(const struct gx_conf *c, void (*line)(const char *text, void *ctx), void *ctx);

/** "2h30min", "1 minute", "90" [s]; fractions of a second are cut off. GX_E_FORMAT, GX_E_RANGE when negative or too long. */
GX_API int gx_conf_parse_duration(const char *s, uint64_t *ret_seconds) GX_MUST_CHECK;
/** "64M", "1.5k", "0x100": a number with a power-of-1024 letter. GX_E_FORMAT, GX_E_RANGE. */
GX_API int gx_conf_parse_size(const char *s, uint64_t *ret_bytes) GX_MUST_CHECK;
/** yes/no, on/off, true/false, 1/0. */
GX_API int gx_conf_parse_bool(const char *s, bool *ret_v) GX_MUST_CHECK;
/** Splits a space-separated value (GX_CONF_LISTEN and other lists) into NULL-terminated words in @p a; NULL out of memory. */
GX_API const char *const *gx_conf_words(struct gx_arena *a, const char *value);

#ifdef __cplusplus
}
#endif
#endif
