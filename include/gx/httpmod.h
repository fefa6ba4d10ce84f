/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTPMOD_H
#define GX_HTTPMOD_H
/**
 * @file httpmod.h
 * Parts of the HTTP server that map files direct: mod_rewrite(4gx), mod_cache(4gx) and mod_fastcgi(4gx). A map has one entry a line, columns
 * separated by white space; empty lines and lines that begin with '#' are passed over. Errors name file and line.
 * Thread class: locked.
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
/** Reads the file again (SIGHUP); when that fails the old rules stay. */
GX_API int gx_http_rewrite_reload(struct gx_http_rewrite *rw, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
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
/** Reads the file again (SIGHUP); when that fails the old entries stay. */
GX_API int gx_http_files_reload(struct gx_http_files *f, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Accepts NULL. */
GX_API void gx_http_files_free(struct gx_http_files *f);
/**
 * Answers when an entry matches (the longest PATH of those for the host): with the file or a range of it, 304, 404,
 * 405, 416. @return false: no entry does, and the request is still the caller's. Blocks for the file system.
 */
GX_API bool gx_http_files_serve(struct gx_http_files *f, struct gx_http_req *r) GX_MUST_CHECK;

/** Answers with this file as if an entry had led to it. Blocks for the file system. */
GX_API void gx_http_files_send(struct gx_http_req *r, const char *path);

/* ---- Scripts ---- */

struct gx_http_fastcgi;
struct gx_http_fastcgi_opts {
	size_t size;
	const struct gx_log *log;
	/**
	 * fastcgi.txt with "HOST PATH DIRECTORY SUFFIX INDEX HEADERS SOCKET"; HEADERS: names between '|' that scripts are given
	 * besides the usual ones. NULL, or a file that does not exist: /sync, /web and /dav.
	 */
	const char *map_path;
	const char *server_name;  /**< SERVER_SOFTWARE, NULL takes "gx" */
	const char *spool_dir;    /**< for large bodies, NULL takes /tmp; files there have no name */
	uint32_t exec_seconds;    /**< fastcgi_exec_timeout, 0 takes 600 */
	uint32_t max_running;     /**< scripts at once, each has a thread; 0 takes 200 */
	uint64_t flush_size;      /**< http_rqbody_flush_size: larger bodies are kept in a file, 0 takes 512 KiB */
	uint64_t body_max;        /**< http_rqbody_max_size, 0 takes 50 MiB */
};
#define GX_HTTP_FASTCGI_OPTS_INIT {.size = sizeof(struct gx_http_fastcgi_opts)}
GX_API int gx_http_fastcgi_new(const struct gx_http_fastcgi_opts *o, struct gx_http_fastcgi **ret_f, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;
/** Reads the map again (SIGHUP); when that fails the old entries stay. Scripts that run are not touched. */
GX_API int gx_http_fastcgi_reload(struct gx_http_fastcgi *f, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** After the stop of the net; waits for scripts that still run. Accepts NULL. */
GX_API void gx_http_fastcgi_free(struct gx_http_fastcgi *f);
/**
 * In the handler of a route with GX_HTTP_STREAM_BODY: takes the request when an entry and a script match. @return false:
 * none does (files that are no scripts are for gx_http_files_serve()), and the request is still the caller's.
 */
GX_API bool gx_http_fastcgi_serve(struct gx_http_fastcgi *f, struct gx_http_req *r) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
