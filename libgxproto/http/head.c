/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request [RFC 9112] 2, 3, 5, read strictly: whoever stands in front must not be able to see another
 * request in the same bytes. Lines end with CRLF, a header has no space before its colon and is not folded, and the
 * length of the body is said in one way, once.
 */
#include <config.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

unsigned gx_http__head_end(struct gx_bin in, size_t *io_line, size_t *ret_len)
{
	*ret_len = 0;
	for (;;) {
		const uint8_t *line = in.data + *io_line, *nl = memchr(line, '\n', in.len - *io_line);
		if (nl == NULL)
			return 0;
		if (nl == line || nl[-1] != '\r')
			return 400;
		*io_line = (size_t)(nl + 1 - in.data);
		if (nl == line + 1) {
			*ret_len = *io_line;
			return 0;
		}
	}
}

static bool is_tchar(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool gx_http__is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; ++i)
		if (!is_tchar((unsigned char)s[i]))
			return false;
	return n > 0;
}

bool gx_http__has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	while (*list != '\0') {
		list += strspn(list, ", \t");
		size_t n = strcspn(list, ", \t");
		if (n == len && gx_ascii_ncasecmp(list, word, n) == 0)
			return true;
		list += n;
		list += strcspn(list, ",");
	}
	return false;
}

static uint32_t bit_of(const char *method)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} all[] = {
		{"GET", GX_HTTP_GET}, {"POST", GX_HTTP_POST}, {"HEAD", GX_HTTP_HEAD}, {"OPTIONS", GX_HTTP_OPTIONS}, {"PUT", GX_HTTP_PUT},
		{"DELETE", GX_HTTP_DELETE}, {"PATCH", GX_HTTP_PATCH}, {"RPC_IN_DATA", GX_HTTP_RPC_IN_DATA},
		{"RPC_OUT_DATA", GX_HTTP_RPC_OUT_DATA},
	};
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); ++i)
		if (strcmp(all[i].name, method) == 0)
			return all[i].bit;
	return GX_HTTP_OTHER;
}

/* The next line without its end, which becomes a NUL. */
static char *next_line(char **io_p, char *end, size_t *ret_n)
{
	char *line = *io_p, *nl = memchr(line, '\n', (size_t)(end - line));
	*ret_n = (size_t)(nl - 1 - line);
	line[*ret_n] = '\0';
	*io_p = nl + 1;
	return line;
}

static unsigned request_line(char *line, size_t n, const struct gx_http_opts *o, struct http_head *h)
{
	char *sp = memchr(line, ' ', n), *end = line + n;
	if (sp == NULL || !gx_http__is_token(line, (size_t)(sp - line)))
		return 400;
	*sp = '\0';
	h->method = line;
	h->method_bit = bit_of(line);
	char *target = sp + 1, *sp2 = memchr(target, ' ', (size_t)(end - target));
	if (sp2 == NULL || sp2 == target)
		return 400;
	*sp2 = '\0';
	if ((size_t)(sp2 - target) > o->target_max)
		return 414;
	for (const char *p = target; p < sp2; ++p)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return 400;
	h->target = target;
	const char *v = sp2 + 1;
	if (end - v != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' || v[7] < '0' || v[7] > '9')
		return 400;
	if (v[5] != '1')
		return 505;
	h->version = v[7] == '0' ? 10 : 11;
	return 0;
}

static unsigned field_line(char *line, size_t n, struct gx_http_field *f)
{
	char *colon = memchr(line, ':', n), *end = line + n;
	if (colon == NULL || !gx_http__is_token(line, (size_t)(colon - line)))
		return 400;
	*colon = '\0';
	char *v = colon + 1;
	while (*v == ' ' || *v == '\t')
		++v;
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		--end;
	*end = '\0';
	for (const unsigned char *p = (unsigned char *)v; p < (unsigned char *)end; ++p)
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return 400;
	*f = (struct gx_http_field){line, v};
	return 0;
}

static int parse_length(const char *s, int64_t *ret_v)
{
	int64_t v = 0;
	size_t n = 0;
	for (; s[n] >= '0' && s[n] <= '9' && n < 18; ++n)
		v = v * 10 + (s[n] - '0');
	if (n == 0 || s[n] != '\0')
		return GX_E_FORMAT;
	*ret_v = v;
	return 0;
}

struct seen {
	bool host, length, coding, other_coding;
};

static unsigned meaning_of(struct http_head *h, const struct gx_http_field *f, struct seen *seen)
{
	if (gx_ascii_casecmp(f->name, "host") == 0) {
		if (seen->host)
			return 400;
		seen->host = true;
		h->host = f->value;
	} else if (gx_ascii_casecmp(f->name, "content-length") == 0) {
		if (seen->length || parse_length(f->value, &h->content_length) != 0)
			return 400;
		seen->length = true;
	} else if (gx_ascii_casecmp(f->name, "transfer-encoding") == 0) {
		if (seen->coding)
			return 400;
		seen->coding = true;
		seen->other_coding = gx_ascii_casecmp(f->value, "chunked") != 0;
	} else if (gx_ascii_casecmp(f->name, "connection") == 0) {
		h->close |= gx_http__has_word(f->value, "close");
		h->keep_alive |= gx_http__has_word(f->value, "keep-alive");
	} else if (gx_ascii_casecmp(f->name, "expect") == 0) {
		if (gx_ascii_casecmp(f->value, "100-continue") != 0)
			return 417;
		h->expects = h->version >= 11;
	}
	return 0;
}

static unsigned check_whole(struct http_head *h, const struct seen *seen)
{
	/* [RFC 9112] 3.2, 6.1, 6.3: what two readers could take differently is refused. */
	if (h->version >= 11 && !seen->host)
		return 400;
	if (seen->coding && (seen->length || h->version < 11))
		return 400;
	if (seen->other_coding)
		return 501;
	if (seen->coding)
		h->content_length = -1;
	if (h->version < 11 && !h->keep_alive)
		h->close = true;
	return 0;
}

unsigned gx_http__head_parse(struct gx_arena *a, char *text, size_t len, const struct gx_http_opts *o, struct http_head *ret_h)
{
	char *p = text, *end = text + len;
	size_t n, cap = 0;
	struct seen seen = {0};
	*ret_h = (struct http_head){.host = ""};
	if (memchr(text, '\0', len) != NULL)
		return 400;
	char *line = next_line(&p, end, &n);
	unsigned status = request_line(line, n, o, ret_h);
	while (status == 0) {
		line = next_line(&p, end, &n);
		if (n == 0)
			break;
		if (ret_h->nfields >= o->fields_max)
			return 431;
		ret_h->fields = gx_arena_grow(a, ret_h->fields, &cap, ret_h->nfields + 1, sizeof(*ret_h->fields));
		if (ret_h->fields == NULL)
			return 503;
		struct gx_http_field *f = &ret_h->fields[ret_h->nfields++];
		status = field_line(line, n, f);
		if (status == 0)
			status = meaning_of(ret_h, f, &seen);
	}
	return status != 0 ? status : check_whole(ret_h, &seen);
}
