/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/http/map.h"

enum { FILE_MOST = 1 << 20, LINES_MOST = 10000 };

void gx_http__map_release(struct http_map *m)
{
	free(m->words);
	free(m->numbers);
	free(m->text);
	*m = (struct http_map){0};
}

static int read_text(const char *path, char **ret_text)
{
	size_t n = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? GX_E_NOTFOUND : GX_E_IO;
	char *text = malloc(FILE_MOST + 1);
	while (text != NULL && n < FILE_MOST && (got = read(fd, text + n, FILE_MOST - n)) > 0)
		n += (size_t)got;
	int err = errno;
	close(fd);
	if (text == NULL || got < 0 || n == FILE_MOST) {
		free(text);
		errno = err;
		return text == NULL ? GX_E_NOMEM : got < 0 ? GX_E_IO : GX_E_LIMIT;
	}
	text[n] = '\0';
	*ret_text = text;
	return 0;
}

static int add_line(struct http_map *m, char *line, unsigned number)
{
	char *save = NULL;
	unsigned n = 0;
	if (m->lines >= LINES_MOST)
		return GX_E_LIMIT;
	if (m->lines == m->cap) {
		size_t cap = m->cap == 0 ? 16 : m->cap * 2;
		char **words = realloc(m->words, cap * m->columns * sizeof(*words));
		if (words != NULL)
			m->words = words;
		unsigned *numbers = realloc(m->numbers, cap * sizeof(*numbers));
		if (numbers != NULL)
			m->numbers = numbers;
		if (words == NULL || numbers == NULL)
			return GX_E_NOMEM;
		m->cap = cap;
	}
	for (char *w = strtok_r(line, " \t\r", &save); w != NULL; w = strtok_r(NULL, " \t\r", &save)) {
		if (n == m->columns)
			return GX_E_FORMAT;
		m->words[m->lines * m->columns + n++] = w;
	}
	if (n != m->columns)
		return GX_E_FORMAT;
	m->numbers[m->lines++] = number;
	return 0;
}

static int take_apart(struct http_map *m, unsigned *ret_number)
{
	int ret = 0;
	unsigned number = 0;
	for (char *p = m->text; ret == 0 && *p != '\0';) {
		char *line = p, *end = p + strcspn(p, "\n");
		p = *end == '\0' ? end : end + 1;
		*end = '\0';
		++number;
		line += strspn(line, " \t\r");
		if (*line != '\0' && *line != '#')
			ret = add_line(m, line, number);
	}
	*ret_number = number;
	return ret;
}

int gx_http__map_read(struct http_map *m, const char *path, const char *builtin, unsigned columns, const char *what, struct gx_arena *a,
	const char **ret_why)
{
	*m = (struct http_map){.columns = columns};
	int ret = path == NULL ? GX_E_NOTFOUND : read_text(path, &m->text);
	if (ret == GX_E_NOTFOUND) {
		m->text = strdup(builtin);
		ret = m->text == NULL ? GX_E_NOMEM : 0;
	}
	if (ret != 0) {
		*ret_why = gx_arena_printf(a, "cannot read %s: %s", path, ret == GX_E_IO ? strerror(errno) : gx_strerror(ret));
		return ret;
	}
	unsigned number;
	ret = take_apart(m, &number);
	if (ret != 0) {
		*ret_why = gx_arena_printf(a, "%s, line %u: %s", path == NULL ? "the built-in map" : path, number,
			ret == GX_E_FORMAT ? what : gx_strerror(ret));
		gx_http__map_release(m);
	}
	return ret;
}

bool gx_http__host_matches(const char *pattern, const char *host)
{
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (strcmp(pattern, "*") == 0)
		return true;
	if (n > strlen(host))
		n = strlen(host);
	if (pattern[0] != '*')
		return strlen(pattern) == n && gx_ascii_ncasecmp(pattern, host, n) == 0;
	size_t tail = strlen(pattern + 1);
	return n > tail && gx_ascii_ncasecmp(pattern + 1, host + n - tail, tail) == 0;
}

size_t gx_http__below(const char *prefix, const char *path)
{
	size_t n = strlen(prefix);
	while (n > 1 && prefix[n - 1] == '/')
		--n;
	if (strncmp(prefix, path, n) != 0)
		return 0;
	return path[n] == '\0' || path[n] == '/' || n == 1 ? n : 0;
}
