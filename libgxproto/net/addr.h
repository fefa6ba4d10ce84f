/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_NET_ADDR_H
#define GX_NET_ADDR_H
/* Bind address specifiers, gromox(7) "Host addresses": "[::1]:143", "127.0.0.1:143", "*:143", "/run/x.sock". */
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <gx/base.h>

struct gx_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage ss;
	};
	socklen_t len;
};

/* GX_E_FORMAT, with @p ret_why a static text for the user. */
int gx_addr__parse(const char *spec, struct gx_addr *ret_a, const char **ret_why) GX_MUST_CHECK;
/* "192.0.2.1" (also for mapped ones), "2001:db8::1", "unix". @return the port or 0. */
uint16_t gx_addr__print(const struct gx_addr *a, char *out, size_t cap);
bool gx_addr__is_loopback(const struct gx_addr *a);
/* 16 bytes that tell hosts apart; all zero for Unix sockets. IPv6 hosts are told apart by their /64. */
void gx_addr__host_key(const struct gx_addr *a, uint8_t out[16]);
#endif
