/* SPDX-License-Identifier: Apache-2.0 */
/* What is handed on of a head, and what of the answer's. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/relay.h"

/* Of the connection [RFC 9110] 7.6.1, said anew, or nobody's business behind the front. */
static const char *const dropped[] = {
	"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host", "expect", "authorization",
	"proxy-connection", "proxy-authorization",
};
static const char ours[] = "x-gx-";

static bool is_dropped(const char *name, const char *connection)
{
	if (gx_ascii_ncasecmp(name, ours, sizeof(ours) - 1) == 0 || (connection != NULL && gx_http__has_word(connection, name)))
		return true;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); ++i)
		if (gx_ascii_casecmp(name, dropped[i]) == 0)
			return true;
	return false;
}

static bool is_line(const char *s)
{
	for (; *s != '\0'; ++s)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return false;
	return true;
}

int gx_relay__put_request(const struct gx_http_req *r, struct gx_push *out)
{
	const char *connection = gx_http_header(r, "Connection");
	if ((r->user != NULL && !is_line(r->user)) || !is_line(r->peer))
		return GX_E_FORMAT;
	gx_push_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", r->method, r->target, r->host);
	for (size_t i = 0; i < r->nfields; ++i)
		if (!is_dropped(r->fields[i].name, connection))
			gx_push_printf(out, "%s: %s\r\n", r->fields[i].name, r->fields[i].value);
	if (r->user != NULL)
		gx_push_printf(out, GX_HTTP_RELAY_USER ": %s\r\n", r->user);
	gx_push_printf(out, GX_HTTP_RELAY_PEER ": %s\r\nContent-Length: %zu\r\n\r\n", r->peer, r->body.len);
	gx_push_bytes(out, r->body.data, r->body.len);
	return out->err;
}

/* ---- Answers ---- */

static char *next_line(char **io_p, char *end, size_t *ret_n)
{
	char *line = *io_p, *nl = memchr(line, '\n', (size_t)(end - line));
	if (nl == NULL)
		return NULL;
	*io_p = nl + 1;
	if (nl > line && nl[-1] == '\r')
		--nl;
	*nl = '\0';
	*ret_n = (size_t)(nl - line);
	return line;
}

static int status_line(const char *line, size_t n, struct relay_answer *a)
{
	if (n < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0)
		return GX_E_FORMAT;
	char *end;
	unsigned long v = strtoul(line + 9, &end, 10);
	a->status = (unsigned)v;
	return end == line + 12 && (*end == ' ' || *end == '\0') && v >= 200 && v <= 599 ? 0 : GX_E_FORMAT;
}

static int length_of(const char *s, int64_t *ret_v)
{
	char *end;
	unsigned long long v = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end != '\0' || v > INT64_MAX / 2)
		return GX_E_FORMAT;
	*ret_v = (int64_t)v;
	return 0;
}

struct framing {
	bool length, chunked;
};

static int field(struct gx_http_req *r, const char *name, const char *value, struct relay_answer *a, struct framing *f)
{
	if (gx_ascii_casecmp(name, "Content-Length") == 0) {
		if (f->length)
			return GX_E_FORMAT;
		f->length = true;
		return length_of(value, &a->length);
	}
	if (gx_ascii_casecmp(name, "Transfer-Encoding") == 0) {
		f->chunked = gx_ascii_casecmp(value, "chunked") == 0;
		return f->chunked ? 0 : GX_E_FORMAT;
	}
	if (gx_ascii_casecmp(name, "Connection") == 0)
		a->close |= gx_http__has_word(value, "close");
	else if (gx_ascii_casecmp(name, "Content-Type") == 0)
		a->type = value;
	else if (gx_ascii_casecmp(name, "Date") != 0 && gx_ascii_casecmp(name, "Server") != 0 && !is_dropped(name, NULL))
		return gx_http_set(r, name, value) == GX_E_NOMEM ? GX_E_NOMEM : 0;
	return 0;
}

int gx_relay__parse_answer(struct gx_http_req *r, char *text, size_t len, struct relay_answer *ret_a)
{
	struct framing f = {0};
	char *p = text, *end = text + len, *line;
	size_t n;
	*ret_a = (struct relay_answer){.length = -1};
	if (memchr(text, '\0', len) != NULL || (line = next_line(&p, end, &n)) == NULL || status_line(line, n, ret_a) != 0)
		return GX_E_FORMAT;
	while ((line = next_line(&p, end, &n)) != NULL && n > 0) {
		char *colon = memchr(line, ':', n);
		if (colon == NULL || !gx_http__is_token(line, (size_t)(colon - line)))
			return GX_E_FORMAT;
		*colon++ = '\0';
		int err = field(r, line, colon + strspn(colon, " \t"), ret_a, &f);
		if (err != 0)
			return err;
	}
	if (gx_http__status_has_no_body(ret_a->status))
		ret_a->length = 0;
	else if (f.length == f.chunked) /* both, or neither */
		return GX_E_FORMAT;
	return 0;
}
