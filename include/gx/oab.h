/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_OAB_H
#define GX_OAB_H
/**
 * @file oab.h
 * Offline address books: version 4 full details [MS-OXOAB], their manifest [MS-OXWOAB], and what turns one into the next.
 *
 * Each organisation (or domain of none) has one, in a folder of its own below the given one. It is made when a client
 * asks and the directory has changed. Beside it is a file of dialogs for each language that the address book has templates in
 * (gx_nsp_opts.template_dir); they are looked at together with the directory, and once after the start. Thread class: locked.
 */
#include <gx/http.h>
#include <gx/nsp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_oab;
struct gx_oab_opts {
	size_t size;
	struct gx_nsp *nsp;           /**< borrowed, as is what follows */
	const struct gx_log *log;
	const struct gx_clock *clock; /**< NULL: system */
	const char *dir;              /**< where files are kept; made when it is missing. Copied. */
	uint32_t cache_ms;            /**< how long one serves before it is looked whether people have changed, 0 takes 300000 */
	unsigned keep;                /**< how many versions back clients need not take all of it anew, 0 takes 20 */
};
#define GX_OAB_OPTS_INIT {.size = sizeof(struct gx_oab_opts)}
/** Adds the route /OAB to @p h (NULL: none), which it must outlive. GX_E_INVAL, GX_E_NOMEM. */
GX_API int gx_oab_new(const struct gx_oab_opts *o, struct gx_http *h, struct gx_oab **ret_o) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_oab_free(struct gx_oab *o);
/**
 * The file that is served to @p user by this name ("oab.xml" and those that it names), after the book was brought up to date.
 * GX_E_NOTFOUND no such file or user; GX_E_IO with a line in the log.
 */
GX_API int gx_oab_file(struct gx_oab *o, const char *user, const char *name, struct gx_arena *a, const char **ret_path) GX_MUST_CHECK;

/* ---- The form of files ---- */

/** LZX_HDR and blocks, [MS-OXOAB] 2.11; errors in @p out. */
GX_API void gx_oab_compress(struct gx_push *out, const void *data, size_t len);
/** GX_E_FORMAT, GX_E_TRUNC, GX_E_LIMIT above @p most; reported also through @p out, to which it is appended. */
GX_API int gx_oab_decompress(struct gx_push *out, const void *data, size_t len, size_t most) GX_MUST_CHECK;
/**
 * PATCH_HDR and blocks, [MS-OXOAB] 2.10: what makes @p dst of @p src, both version 4 full details as made here. Reported through @p out:
 * GX_E_RANGE when they differ too much to be worth it.
 */
GX_API void gx_oab_diff(struct gx_push *out, struct gx_bin src, struct gx_bin dst);
/** Applies that. GX_E_FORMAT also when @p src is not what it was made of. */
GX_API int gx_oab_patch(struct gx_push *out, struct gx_bin src, struct gx_bin diff, size_t most) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
