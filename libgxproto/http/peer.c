/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, when a proxy stands in front and says so in a header. */
#include <config.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/http-int.h"

/* IPv4 as a mapped address. */
static bool parse_addr(const char *s, uint8_t out[16], bool *ret_v4)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	*ret_v4 = inet_pton(AF_INET, s, out + 12) == 1;
	if (*ret_v4)
		memcpy(out, mapped, sizeof(mapped));
	return *ret_v4 || inet_pton(AF_INET6, s, out) == 1;
}

static bool parse_front(const char *s, size_t n, struct http_front *f)
{
	char text[INET6_ADDRSTRLEN + 8];
	bool v4;
	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	char *slash = strchr(text, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!parse_addr(text, f->addr, &v4))
		return false;
	char *end = NULL;
	unsigned long most = v4 ? 32 : 128, bits = slash == NULL ? most : strtoul(slash, &end, 10);
	if (slash != NULL && (*slash < '0' || *slash > '9' || *end != '\0' || bits > most))
		return false;
	f->bits = (uint8_t)(bits + 128 - most);
	return true;
}

int gx_http__fronts_parse(const char *list, struct http_front **ret_f, size_t *ret_n, struct gx_arena *a, const char **ret_why)
{
	struct http_front *all = NULL;
	size_t n = 0;
	for (const char *p = list == NULL ? "" : list; *p != '\0';) {
		size_t len = strcspn(p, " \t,");
		if (len > 0) {
			struct http_front *more = realloc(all, (n + 1) * sizeof(*all));
			if (more == NULL) {
				free(all);
				return GX_E_NOMEM;
			}
			all = more;
			if (!parse_front(p, len, &all[n++])) {
				*ret_why = gx_arena_printf(a, "\"%.*s\" is no address or network of a proxy; expected for example 192.0.2.1 or 2001:db8::/32",
					(int)len, p);
				free(all);
				return GX_E_FORMAT;
			}
		}
		p += len;
		p += strspn(p, " \t,");
	}
	*ret_f = all;
	*ret_n = n;
	return 0;
}

static bool within(const struct http_front *f, const uint8_t addr[16])
{
	unsigned whole = f->bits / 8, rest = f->bits % 8;
	if (memcmp(f->addr, addr, whole) != 0)
		return false;
	return rest == 0 || ((f->addr[whole] ^ addr[whole]) & (0xff00 >> rest & 0xff)) == 0;
}

static bool is_front(const struct gx_http *h, const struct gx_io *io)
{
	uint8_t addr[16];
	bool v4;
	if (io->peer_is_loopback)
		return true;
	if (!parse_addr(io->peer, addr, &v4))
		return false;
	for (size_t i = 0; i < h->nfronts; ++i)
		if (within(&h->fronts[i], addr))
			return true;
	return false;
}

/* "192.0.2.1", "192.0.2.1:1234", "[2001:db8::1]:1234", "2001:db8::1" */
static const char *clean_addr(struct gx_arena *a, const char *s, size_t n)
{
	uint8_t addr[16];
	bool v4;
	if (n > 0 && *s == '[') {
		const char *end = memchr(s, ']', n);
		n = end == NULL ? 0 : (size_t)(end - s - 1);
		++s;
	} else if (memchr(s, '.', n) != NULL && memchr(s, ':', n) != NULL && *s != ':') {
		const char *colon = memchr(s, ':', n), *dot = memchr(s, '.', n);
		if (dot < colon)
			n = (size_t)(colon - s);
	}
	if (n == 0 || n >= INET6_ADDRSTRLEN)
		return NULL;
	const char *text = gx_arena_strndup(a, s, n);
	return text != NULL && parse_addr(text, addr, &v4) ? text : NULL;
}

/* The last address of the list is the one that the front itself has seen; those before it anybody can have written. */
const char *gx_http__peer_of(const struct gx_http *h, const struct gx_io *io, const struct http_head *head, struct gx_arena *a)
{
	const char *value = NULL;
	if (h->remote_host_hdr == NULL || !is_front(h, io))
		return io->peer;
	for (size_t i = 0; i < head->nfields; ++i)
		if (gx_ascii_casecmp(head->fields[i].name, h->remote_host_hdr) == 0)
			value = head->fields[i].value;
	if (value == NULL)
		return io->peer;
	const char *comma = strrchr(value, ','), *s = comma == NULL ? value : comma + 1;
	s += strspn(s, " \t");
	const char *text = clean_addr(a, s, strcspn(s, " \t"));
	return text == NULL ? io->peer : text;
}
