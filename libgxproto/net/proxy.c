/* SPDX-License-Identifier: Apache-2.0 */
/* The PROXY protocol, version 2, section 2.2 of its text: a binary header before the first byte of the client. */
#include <config.h>
#include <string.h>
#include "libgxproto/net/net-int.h"

enum { CMD_LOCAL = 0x20, CMD_PROXY = 0x21 };
enum { FAM_UNSPEC = 0x00, FAM_TCP4 = 0x11, FAM_TCP6 = 0x21, FAM_UNIX = 0x31 };

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static void read_v4(struct gx_pull *r, struct gx_addr *a)
{
	const uint8_t *src = gx_pull_bytes(r, 4);
	gx_pull_skip(r, 4);
	uint16_t port = gx_pull_u16be(r);
	gx_pull_skip(r, 2);
	if (r->err != 0)
		return;
	*a = (struct gx_addr){.in = {.sin_family = AF_INET, .sin_port = htons(port)}, .len = sizeof(a->in)};
	memcpy(&a->in.sin_addr, src, 4);
}

static void read_v6(struct gx_pull *r, struct gx_addr *a)
{
	const uint8_t *src = gx_pull_bytes(r, 16);
	gx_pull_skip(r, 16);
	uint16_t port = gx_pull_u16be(r);
	gx_pull_skip(r, 2);
	if (r->err != 0)
		return;
	*a = (struct gx_addr){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}, .len = sizeof(a->in6)};
	memcpy(&a->in6.sin6_addr, src, 16);
}

int gx_proxy__parse(struct gx_bin in, size_t *ret_used, struct gx_addr *ret_peer, bool *ret_local_cmd)
{
	size_t known = in.len < sizeof(signature) ? in.len : sizeof(signature);
	if (known > 0 && memcmp(in.data, signature, known) != 0)
		return GX_E_FORMAT;
	if (in.len < GX_PROXY_HEADER)
		return GX_E_TRUNC;
	struct gx_pull r;
	gx_pull_init(&r, in.data + sizeof(signature), in.len - sizeof(signature));
	uint8_t cmd = gx_pull_u8(&r), fam = gx_pull_u8(&r);
	uint16_t len = gx_pull_u16be(&r);
	if ((cmd != CMD_LOCAL && cmd != CMD_PROXY) || len > GX_PROXY_MAX - GX_PROXY_HEADER)
		return GX_E_FORMAT;
	struct gx_pull body = gx_pull_child(&r, len);
	if (r.err != 0)
		return GX_E_TRUNC;
	struct gx_addr peer = {.sa = {.sa_family = AF_UNIX}, .len = sizeof(sa_family_t)};
	if (cmd == CMD_PROXY && fam == FAM_TCP4)
		read_v4(&body, &peer);
	else if (cmd == CMD_PROXY && fam == FAM_TCP6)
		read_v6(&body, &peer);
	else if (cmd == CMD_PROXY && fam != FAM_UNSPEC && fam != FAM_UNIX)
		return GX_E_FORMAT;
	if (body.err != 0)
		return GX_E_FORMAT;
	*ret_used = GX_PROXY_HEADER + (size_t)len;
	*ret_peer = peer;
	*ret_local_cmd = cmd == CMD_LOCAL || fam == FAM_UNSPEC;
	return 0;
}
