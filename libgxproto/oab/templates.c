/* SPDX-License-Identifier: Apache-2.0 */
/* A language's dialogs in one file, [MS-OXOAB] 2.2: how clients that work offline show entries. */
#include <config.h>
#include <string.h>
#include "libgxproto/nsp/template.h"
#include "libgxproto/oab/oab-int.h"

/* By display type: mailbox, list, forum, agent, organisation, private list, remote user. */
enum { DISPLAY_TYPES = 7, ENTRY = 8 * 4, NAMES = 16 };

/* What a Windows of that language has for 8-bit texts. */
static uint32_t code_page(uint32_t lcid)
{
	static const struct {
		uint16_t cp;
		const char *languages; /* primary language identifiers, [MS-LCID] 2.2 */
	} t[] = {
		{874, "\x1e"}, {932, "\x11"}, {949, "\x12"}, {1250, "\x05\x0e\x15\x18\x1a\x1b\x1c\x24"}, {1251, "\x02\x19\x22\x23\x2f\x3f"},
		{1253, "\x08"}, {1254, "\x1f\x2c"}, {1255, "\x0d"}, {1256, "\x01\x20\x29"}, {1257, "\x25\x26\x27"}, {1258, "\x2a"},
	};
	char language = (char)(lcid & 0xff);
	if (language == 0x04)
		return lcid == 0x0404 || lcid == 0x0c04 || lcid == 0x1404 ? 950 : 936;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); ++i)
		if (language != 0 && strchr(t[i].languages, language) != NULL)
			return t[i].cp;
	return 1252;
}

/* Behind the table; its place goes to @p at of the table. */
static void add(struct gx_push *out, size_t start, size_t at, struct gx_bin b)
{
	if (b.len == 0 || out->err != 0)
		return;
	gx_push_patch_u32(out, start + at, (uint32_t)(out->len - start));
	gx_push_patch_u32(out, start + at + 4, (uint32_t)b.len);
	gx_push_bytes(out, b.data, b.len);
	while (out->err == 0 && (out->len - start) % 4 != 0)
		gx_push_u8(out, 0);
}

static struct gx_bin text(const char *s)
{
	return (struct gx_bin){(const uint8_t *)s, strlen(s) + 1};
}

static int add_template(struct nsp_call *c, uint32_t lcid, const char *type, const char *dn, struct gx_push *out, size_t start, size_t at)
{
	struct gx_abkt t;
	struct gx_bin b;
	int err = dn == NULL ? GX_E_NOMEM : gx_nsp__template_load(c, lcid, type, &t);
	if (err == 0)
		err = gx_abkt_write(c->a, &t, code_page(lcid), false, &b);
	if (err != 0)
		return err;
	add(out, start, at, text(dn));
	add(out, start, at + 8, b);
	return 0;
}

static int add_address_template(struct nsp_call *c, uint32_t lcid, const char *type, struct gx_push *out, size_t start, size_t at)
{
	struct gx_bin script;
	const char *name = gx_nsp__address_type_name(c, type);
	int err = name == NULL ? GX_E_NOMEM : add_template(c, lcid, type, gx_nsp__address_template_dn(c, lcid, type), out, start, at);
	if (err == 0)
		err = gx_nsp__address_script(c, &script);
	if (err == 0) {
		add(out, start, at + 16, script);
		add(out, start, at + 24, text(name));
	}
	return err;
}

static uint32_t address_templates(struct nsp_call *c, uint32_t lcid)
{
	struct gx_abkt t;
	uint32_t n = 0;
	for (uint32_t i = 0; gx_nsp__address_types[i] != NULL; ++i)
		n += gx_nsp__template_load(c, lcid, gx_nsp__address_types[i], &t) == 0;
	return n;
}

static void begin(struct gx_push *out, uint32_t addresses)
{
	gx_push_u32(out, OAB_TEMPLATE_VERSION);
	gx_push_u32(out, 0);
	gx_push_u32(out, 0);
	for (unsigned i = 0; i < DISPLAY_TYPES * ENTRY + NAMES; ++i)
		gx_push_u8(out, 0); /* properties in them have no names */
	gx_push_u32(out, addresses);
	for (unsigned i = 0; i < addresses * ENTRY; ++i)
		gx_push_u8(out, 0);
}

int gx_oab__templates(struct nsp_call *c, uint32_t lcid, struct gx_push *out)
{
	size_t start = out->len, at = OAB_HEADER;
	int err = 0;
	begin(out, address_templates(c, lcid));
	for (unsigned i = 0; i < DISPLAY_TYPES && err == 0; ++i, at += ENTRY) {
		const char type[] = {(char)('0' + i), '\0'};
		const char *dn = gx_arena_printf(c->a, "/o=%s/cn=Addressing/cn=Display-Templates/cn=%x/cn=%s", c->n->org, (unsigned)lcid, type);
		err = add_template(c, lcid, type, dn, out, start, at);
		err = err == GX_E_NOTFOUND ? 0 : err;
	}
	at += NAMES + 4;
	for (uint32_t i = 0; gx_nsp__address_types[i] != NULL && err == 0; ++i) {
		err = add_address_template(c, lcid, gx_nsp__address_types[i], out, start, at);
		at += err == 0 ? ENTRY : 0;
		err = err == GX_E_NOTFOUND ? 0 : err;
	}
	return err != 0 ? err : out->err;
}
