/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/net/addr.h"

static int parse_port(const char *s, uint16_t *ret_port)
{
	unsigned v = 0;
	size_t n = 0;
	for (; s[n] >= '0' && s[n] <= '9' && n < 6; ++n)
		v = v * 10 + (unsigned)(s[n] - '0');
	if (n == 0 || n > 5 || s[n] != '\0' || v > 65535)
		return GX_E_FORMAT;
	*ret_port = (uint16_t)v;
	return 0;
}

static int parse_unix(const char *path, struct gx_addr *ret_a, const char **ret_why)
{
	size_t n = strlen(path);
	if (path[0] != '/' || n >= sizeof(ret_a->un.sun_path)) {
		*ret_why = "the path of a Unix socket must start with a slash and have at most 107 characters";
		return GX_E_FORMAT;
	}
	*ret_a = (struct gx_addr){.un = {.sun_family = AF_UNIX}};
	memcpy(ret_a->un.sun_path, path, n + 1);
	ret_a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1);
	return 0;
}

static int parse_v6(char *host, uint16_t port, struct gx_addr *ret_a)
{
	struct gx_addr a = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}, .len = sizeof(struct sockaddr_in6)};
	char *scope = strchr(host, '%');
	if (scope != NULL) {
		*scope++ = '\0';
		a.in6.sin6_scope_id = if_nametoindex(scope);
		if (a.in6.sin6_scope_id == 0)
			return GX_E_FORMAT;
	}
	if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
		return GX_E_FORMAT;
	*ret_a = a;
	return 0;
}

static int parse_v4(const char *host, uint16_t port, struct gx_addr *ret_a)
{
	struct gx_addr a = {.in = {.sin_family = AF_INET, .sin_port = htons(port)}, .len = sizeof(struct sockaddr_in)};
	if (inet_pton(AF_INET, host, &a.in.sin_addr) != 1)
		return GX_E_FORMAT;
	*ret_a = a;
	return 0;
}

int gx_addr__parse(const char *spec, struct gx_addr *ret_a, const char **ret_why)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
	uint16_t port;
	if (spec[0] == '/')
		return parse_unix(spec, ret_a, ret_why);
	*ret_why = "expected [IPv6]:port, IPv4:port, *:port or /path, for example [::]:143 or 127.0.0.1:143";
	const char *colon = strrchr(spec, ':');
	if (colon == NULL || parse_port(colon + 1, &port) != 0)
		return GX_E_FORMAT;
	size_t n = (size_t)(colon - spec);
	if (n >= sizeof(host))
		return GX_E_FORMAT;
	memcpy(host, spec, n);
	host[n] = '\0';
	if (n == 0 || (n == 1 && host[0] == '*')) {
		char any[] = "::";
		return parse_v6(any, port, ret_a);
	}
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return parse_v6(host + 1, port, ret_a);
	}
	return parse_v4(host, port, ret_a);
}

uint16_t gx_addr__print(const struct gx_addr *a, char *out, size_t cap)
{
	if (a->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->in.sin_addr, out, (socklen_t)cap);
		return ntohs(a->in.sin_port);
	}
	if (a->sa.sa_family == AF_INET6) {
		if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
			inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], out, (socklen_t)cap);
		else
			inet_ntop(AF_INET6, &a->in6.sin6_addr, out, (socklen_t)cap);
		return ntohs(a->in6.sin6_port);
	}
	snprintf(out, cap, "unix");
	return 0;
}

bool gx_addr__is_loopback(const struct gx_addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
	if (a->sa.sa_family != AF_INET6)
		return a->sa.sa_family == AF_UNIX;
	const struct in6_addr *v6 = &a->in6.sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

void gx_addr__host_key(const struct gx_addr *a, uint8_t out[16])
{
	memset(out, 0, 16);
	if (a->sa.sa_family == AF_INET) {
		out[10] = out[11] = 0xff;
		memcpy(out + 12, &a->in.sin_addr, 4);
	} else if (a->sa.sa_family == AF_INET6) {
		bool mapped = IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
		memcpy(out, &a->in6.sin6_addr, mapped ? 16 : 8);
		if (IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr))
			out[15] = 1;
	}
}
