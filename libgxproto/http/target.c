/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a request [RFC 9112] 3.2, and the values in its query and cookies. */
#include <config.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

static int hex(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gx_http__unescape(const char *s, size_t n, bool plus, bool strict, char *out, size_t *ret_n)
{
	size_t o = 0;
	for (size_t i = 0; i < n; ++i) {
		int hi = s[i] == '%' && n - i > 2 ? hex((unsigned char)s[i + 1]) : -1;
		int lo = hi >= 0 ? hex((unsigned char)s[i + 2]) : -1;
		if (s[i] == '%' && lo < 0 && strict)
			return GX_E_FORMAT;
		if (s[i] == '%' && lo >= 0) {
			out[o] = (char)(hi * 16 + lo);
			i += 2;
		} else {
			out[o] = plus && s[i] == '+' ? ' ' : s[i];
		}
		if (out[o++] == '\0')
			return GX_E_FORMAT;
	}
	*ret_n = o;
	return 0;
}

/* "." and ".." go, several slashes become one; what would leave the root is refused. In place. */
static int normalise(char *path, size_t *io_n)
{
	size_t n = *io_n, o = 0;
	bool open_end = true; /* a slash at the end stays */
	for (size_t i = 0; i < n;) {
		while (i < n && path[i] == '/')
			++i;
		size_t start = i;
		while (i < n && path[i] != '/')
			++i;
		size_t len = i - start;
		open_end = len == 0 || (len == 1 && path[start] == '.') || (len == 2 && memcmp(path + start, "..", 2) == 0);
		if (open_end && len == 2) {
			if (o == 0)
				return GX_E_FORMAT;
			while (path[--o] != '/')
				;
		} else if (!open_end) {
			path[o++] = '/';
			memmove(path + o, path + start, len);
			o += len;
		}
	}
	if (open_end)
		path[o++] = '/';
	*io_n = o;
	return 0;
}

/* "http://host/path" [RFC 9112] 3.2.2: its host counts, not that of the header. */
static unsigned absolute(struct gx_arena *a, const char **io_target, const char **io_host)
{
	const char *t = *io_target;
	size_t scheme = gx_ascii_ncasecmp(t, "http://", 7) == 0 ? 7 : gx_ascii_ncasecmp(t, "https://", 8) == 0 ? 8 : 0;
	if (scheme == 0)
		return 400;
	size_t n = strcspn(t + scheme, "/?");
	if (n == 0)
		return 400;
	*io_host = gx_arena_strndup(a, t + scheme, n);
	*io_target = t + scheme + n;
	return *io_host == NULL ? 503 : 0;
}

unsigned gx_http__target(struct gx_arena *a, const char *target, const char **ret_path, const char **ret_query, const char **io_host)
{
	*ret_query = "";
	if (strcmp(target, "*") == 0) {
		*ret_path = "*";
		return 0;
	}
	if (target[0] != '/') {
		unsigned status = absolute(a, &target, io_host);
		if (status != 0)
			return status;
	}
	if (strchr(target, '#') != NULL)
		return 400;
	size_t n = strcspn(target, "?");
	if (target[n] == '?')
		*ret_query = target + n + 1;
	char *path = gx_arena_alloc(a, n + 2);
	if (path == NULL)
		return 503;
	if (gx_http__unescape(target, n, false, true, path, &n) != 0 || normalise(path, &n) != 0)
		return 400;
	for (size_t i = 0; i < n; ++i)
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			return 400;
	path[n] = '\0';
	*ret_path = path;
	return 0;
}

const char *gx_http_header(const struct gx_http_req *r, const char *name)
{
	for (size_t i = 0; i < r->nfields; ++i)
		if (gx_ascii_casecmp(r->fields[i].name, name) == 0)
			return r->fields[i].value;
	return NULL;
}

static const char *cookie_in(struct gx_arena *a, const char *list, const char *name)
{
	size_t len = strlen(name);
	while (*list != '\0') {
		list += strspn(list, "; \t");
		size_t n = strcspn(list, ";");
		if (n > len && list[len] == '=' && memcmp(list, name, len) == 0) {
			const char *v = list + len + 1, *end = list + n;
			while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
				--end;
			if (end - v >= 2 && *v == '"' && end[-1] == '"') {
				++v;
				--end;
			}
			return gx_arena_strndup(a, v, (size_t)(end - v));
		}
		list += n;
	}
	return NULL;
}

const char *gx_http_cookie(const struct gx_http_req *r, const char *name)
{
	const char *v = NULL;
	for (size_t i = 0; i < r->nfields && v == NULL; ++i)
		if (gx_ascii_casecmp(r->fields[i].name, "cookie") == 0)
			v = cookie_in(r->arena, r->fields[i].value, name);
	return v;
}

const char *gx_http_query(const struct gx_http_req *r, const char *name)
{
	size_t len = strlen(name), got;
	for (const char *p = r->query; *p != '\0';) {
		size_t n = strcspn(p, "&"), key = strcspn(p, "=&");
		char *s = gx_arena_alloc(r->arena, n + 1);
		if (s == NULL)
			return NULL;
		if (gx_http__unescape(p, key, true, false, s, &got) == 0 && got == len && memcmp(s, name, len) == 0) {
			size_t skip = key < n ? key + 1 : n;
			if (gx_http__unescape(p + skip, n - skip, true, false, s, &got) != 0)
				return NULL;
			s[got] = '\0';
			return s;
		}
		p += n;
		p += *p == '&';
	}
	return NULL;
}
