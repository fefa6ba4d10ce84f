/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTP_MAP_H
#define GX_HTTP_MAP_H
/* Map files: lines of a fixed number of words. */
#include "libgxproto/http/http-int.h"

struct http_map {
	char **words; /* columns a line */
	size_t lines, cap;
	unsigned columns;
	unsigned *numbers; /* of the lines in the file */
	char *text;
};
/*
 * Reads @p path, or takes @p builtin when it is NULL or does not exist. GX_E_FORMAT for a line with another number of
 * words; @p what says in the message what is expected.
 */
int gx_http__map_read(struct http_map *m, const char *path, const char *builtin, unsigned columns, const char *what, struct gx_arena *a,
	const char **ret_why);
void gx_http__map_release(struct http_map *m);
static inline const char *http_map_word(const struct http_map *m, size_t line, unsigned column)
{
	return m->words[line * m->columns + column];
}
/* Does the Host header (with or without port) go with "*", "*.example.org" or a name? */
bool gx_http__host_matches(const char *pattern, const char *host);
/* Length of @p prefix when @p path is it or lies below it, else 0. "/" has length 1. */
size_t gx_http__below(const char *prefix, const char *path);
#endif
