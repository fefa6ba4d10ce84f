/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_NAMES_H
#define GX_TOOLS_NAMES_H
/*
 * Folder names of a site's own, folder_names.txt: a line for each language, tab-separated, first
 * the language ("de", "pt_BR"), then the names of the built-in folders in the order of the
 * heading line that the shipped table has.
 */
#include <gx/arena.h>

struct store_names;
/* 0 or GX_E_*; *ret_why says what is wrong with which line. */
int names_read(struct gx_arena *a, const char *path, struct store_names **ret_n, const char **ret_why) GX_MUST_CHECK;
/* For gx_store_create_opts.folder_names. NULL when the language is not in the file. */
const char *const *names_lookup(const char *lang, void *ctx);

#endif
