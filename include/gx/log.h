/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_LOG_H
#define GX_LOG_H
/**
 * @file log.h
 * How the libraries say something: through a sink that the program hands in. No sink, no output.
 * Thread class: immutable after set-up; the sink's write function is called from any thread.
 */
#include <stdarg.h>
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Levels as the manual numbers them (log_level directives). */
enum { GX_LOG_CRIT = 1, GX_LOG_ERROR = 2, GX_LOG_WARN = 3, GX_LOG_NOTICE = 4, GX_LOG_INFO = 5, GX_LOG_DEBUG = 6 };

struct gx_log {
	/** One line without newline; @p text is borrowed for the call. */
	void (*write)(int level, const char *text, void *ctx);
	void *ctx;
	int level; /**< lines above it are not formatted at all */
};

/** @p log may be NULL. Lines are cut at 2000 bytes; control characters become '?'. */
GX_API void gx_log(const struct gx_log *log, int level, const char *fmt, ...) GX_PRINTF(3, 4);
GX_API void gx_vlog(const struct gx_log *log, int level, const char *fmt, va_list ap) GX_PRINTF(3, 0);

#ifdef __cplusplus
}
#endif
#endif
