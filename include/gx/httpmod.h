/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTPMOD_H
#define GX_HTTPMOD_H
/**
 * @file httpmod.h
 * Parts of the HTTP server that map files direct: mod_rewrite(4gx) and mod_cache(4gx). A map has one entry a line, columns
 * separated by white space; empty lines and lines that begin with '#' are passed over. Errors name file and line.
 * Thread class: immutable once made.
 */
#include <gx/http.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Other paths ---- */

struct gx_http_rewrite;
/**
 * @p path: rewrite.txt with "REGEX => REPLACEMENT" (basic expressions of POSIX, \0 to \9). NULL, or a file that does not
 * exist: ActiveSync's path goes to /sync/index.php. An empty file: nothing is changed.
 */
GX_API int gx_http_rewrite_new(const char *path, struct gx_http_rewrite **ret_rw, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_http_rewrite_free(struct gx_http_rewrite *rw);
/** For gx_http_set_rewrite(), with the rules as @p ctx. The first rule that matches counts; NULL: none does. */
GX_API const char *gx_http_rewrite_path(const struct gx_http_req *r, void *ctx);

/* ---- Files ---- */

struct gx_http_files;
/**
 * @p path: cache.txt with "HOST PATH TARGET": HOST is a name, "*" or "*.example.org", PATH a prefix that ends at a slash or
 * the end, TARGET a file or a directory. NULL, or a file that does not exist: /web and the schemas of EWS.
 */
GX_API int gx_http_files_new(const char *path, struct gx_http_files **ret_f, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_http_files_free(struct gx_http_files *f);
/**
 * Answers when an entry matches (the longest PATH of those for the host): with the file or a range of it, 304, 404,
 * 405, 416. @return false: no entry does, and the request is still the caller's. Blocks for the file system.
 */
GX_API bool gx_http_files_serve(const struct gx_http_files *f, struct gx_http_req *r) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
