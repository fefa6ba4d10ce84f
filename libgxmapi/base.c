/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <gx/base.h>

static const char *const texts[] = {
	[0] = "success",
	[-GX_E_NOMEM] = "out of memory",
	[-GX_E_TRUNC] = "input ends too early",
	[-GX_E_FORMAT] = "malformed input",
	[-GX_E_LIMIT] = "limit reached",
	[-GX_E_DEPTH] = "nested too deeply",
	[-GX_E_RANGE] = "number out of range",
	[-GX_E_ENCODING] = "text is not in its declared encoding",
	[-GX_E_IO] = "input/output error",
	[-GX_E_BUSY] = "busy",
	[-GX_E_STATE] = "not possible in this state",
	[-GX_E_UNSUP] = "not supported",
	[-GX_E_INVAL] = "invalid argument",
	[-GX_E_NOTFOUND] = "not found",
	[-GX_E_EXISTS] = "exists already",
	[-GX_E_TIMEOUT] = "deadline passed",
	[-GX_E_NOSPACE] = "no space left",
	[-GX_E_INTERNAL] = "internal error",
};

const char *gx_strerror(int err)
{
	size_t i = err > 0 ? SIZE_MAX : (size_t)-(long)err;
	return i < sizeof(texts) / sizeof(*texts) ? texts[i] : "unknown error";
}

const char *gx_version(void)
{
	return PACKAGE_VERSION;
}

int gx_guid_cmp(const struct gx_guid *a, const struct gx_guid *b)
{
	if (a->d1 != b->d1)
		return a->d1 < b->d1 ? -1 : 1;
	if (a->d2 != b->d2)
		return a->d2 < b->d2 ? -1 : 1;
	if (a->d3 != b->d3)
		return a->d3 < b->d3 ? -1 : 1;
	return memcmp(a->d4, b->d4, sizeof(a->d4));
}

void gx_guid_put(const struct gx_guid *g, uint8_t out[16])
{
	for (unsigned i = 0; i < 4; ++i)
		out[i] = (uint8_t)(g->d1 >> (8 * i));
	out[4] = (uint8_t)g->d2;
	out[5] = (uint8_t)(g->d2 >> 8);
	out[6] = (uint8_t)g->d3;
	out[7] = (uint8_t)(g->d3 >> 8);
	memcpy(out + 8, g->d4, 8);
}

void gx_guid_get(const uint8_t in[16], struct gx_guid *ret_g)
{
	ret_g->d1 = (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
	ret_g->d2 = (uint16_t)(in[4] | in[5] << 8);
	ret_g->d3 = (uint16_t)(in[6] | in[7] << 8);
	memcpy(ret_g->d4, in + 8, 8);
}

void gx_guid_print(const struct gx_guid *g, char out[37])
{
	snprintf(out, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned)g->d1, g->d2, g->d3,
		g->d4[0], g->d4[1], g->d4[2], g->d4[3], g->d4[4], g->d4[5], g->d4[6], g->d4[7]);
}

static int hexval(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gx_guid_parse(const char *s, struct gx_guid *ret_g)
{
	uint8_t be[16]; /* digits in the order they are written */
	bool brace = *s == '{';
	s += brace;
	for (unsigned i = 0; i < 16; ++i) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*s++ != '-')
				return GX_E_FORMAT;
		int hi = hexval(s[0]), lo = hi < 0 ? -1 : hexval(s[1]);
		if (lo < 0)
			return GX_E_FORMAT;
		be[i] = (uint8_t)(hi << 4 | lo);
		s += 2;
	}
	if (brace && *s++ != '}')
		return GX_E_FORMAT;
	if (*s != '\0')
		return GX_E_FORMAT;
	ret_g->d1 = (uint32_t)be[0] << 24 | (uint32_t)be[1] << 16 | (uint32_t)be[2] << 8 | be[3];
	ret_g->d2 = (uint16_t)(be[4] << 8 | be[5]);
	ret_g->d3 = (uint16_t)(be[6] << 8 | be[7]);
	memcpy(ret_g->d4, be + 8, 8);
	return 0;
}

int gx_guid_random(struct gx_guid *ret_g)
{
	uint8_t raw[16];
	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return GX_E_IO;
	gx_guid_get(raw, ret_g);
	ret_g->d3 = (uint16_t)((ret_g->d3 & 0x0fff) | 0x4000);
	ret_g->d4[0] = (uint8_t)((ret_g->d4[0] & 0x3f) | 0x80);
	return 0;
}
