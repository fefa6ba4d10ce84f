/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/strbuf.h>

static bool room(struct gx_strbuf *b, size_t n)
{
	if (b->err != 0)
		return false;
	if (n >= SIZE_MAX / 2 - b->len) {
		b->err = GX_E_LIMIT;
		return false;
	}
	if (b->s != NULL && n < b->cap - b->len)
		return true;
	size_t cap = b->cap < 32 ? 32 : b->cap + b->cap / 2;
	if (cap < b->len + n + 1)
		cap = b->len + n + 1;
	char *p = realloc(b->s, cap);
	if (p == NULL) {
		b->err = GX_E_NOMEM;
		return false;
	}
	b->s = p;
	b->cap = cap;
	return true;
}

void gx_strbuf_release(struct gx_strbuf *b)
{
	free(b->s);
	*b = (struct gx_strbuf)GX_STRBUF_INIT;
}

void gx_strbuf_clear(struct gx_strbuf *b)
{
	b->err = 0;
	gx_strbuf_truncate(b, 0);
}

void gx_strbuf_add(struct gx_strbuf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return;
	if (n != 0)
		memcpy(b->s + b->len, p, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void gx_strbuf_adds(struct gx_strbuf *b, const char *s)
{
	gx_strbuf_add(b, s, strlen(s));
}

void gx_strbuf_addc(struct gx_strbuf *b, char c)
{
	gx_strbuf_add(b, &c, 1);
}

void gx_strbuf_printf(struct gx_strbuf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->err = b->err != 0 ? b->err : GX_E_INTERNAL;
		return;
	}
	if (!room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void gx_strbuf_truncate(struct gx_strbuf *b, size_t len)
{
	if (b->s == NULL || len > b->len)
		return;
	b->len = len;
	b->s[len] = '\0';
}

const char *gx_strbuf_cstr(const struct gx_strbuf *b)
{
	return b->s == NULL ? "" : b->s;
}

char *gx_strbuf_take(struct gx_strbuf *b)
{
	if (b->err != 0 || !room(b, 0)) {
		gx_strbuf_release(b);
		return NULL;
	}
	char *s = b->s;
	s[b->len] = '\0';
	*b = (struct gx_strbuf)GX_STRBUF_INIT;
	return s;
}

void gx_strv_free(char **v)
{
	for (char **p = v; p != NULL && *p != NULL; ++p)
		free(*p);
	free(v);
}

int gx_strv_copy(const char *const *v, char ***ret_v)
{
	size_t n = 0;
	*ret_v = NULL;
	if (v == NULL)
		return 0;
	while (v[n] != NULL)
		++n;
	char **out = calloc(n + 1, sizeof(*out));
	for (size_t i = 0; out != NULL && i < n; ++i)
		if ((out[i] = strdup(v[i])) == NULL) {
			gx_strv_free(out);
			return GX_E_NOMEM;
		}
	*ret_v = out;
	return out == NULL ? GX_E_NOMEM : 0;
}
