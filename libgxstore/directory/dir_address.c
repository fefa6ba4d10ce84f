/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxstore/directory/dir-int.h"

const char *gx_dir__domain_of(const char *address)
{
	const char *at = strrchr(address, '@');
	return at == NULL ? "" : at + 1;
}

int gx_dir__normalise(const char *in, char out[GX_DIR_ADDR_MAX + 1])
{
	size_t len = strlen(in);
	/* Blanks at the end do not count for MariaDB when it compares: no name has them. */
	if (len == 0 || len > GX_DIR_ADDR_MAX || in[len - 1] == ' ' || !gx_utf8_valid(in, len))
		return GX_E_INVAL;
	const char *at = strrchr(in, '@');
	struct gx_strbuf b = GX_STRBUF_INIT;
	for (const char *p = in; p < in + len;) {
		bool domain = at == NULL || p > at;
		uint32_t c = gx_utf8_next(&p, in + len);
		gx_utf8_put(&b, c >= 0x80 || domain ? gx_utf8_fold(c) : c);
	}
	int err = b.err;
	if (err == 0 && b.len > GX_DIR_ADDR_MAX)
		err = GX_E_INVAL;
	if (err == 0)
		memcpy(out, gx_strbuf_cstr(&b), b.len + 1);
	gx_strbuf_release(&b);
	return err;
}

static bool address_ok(const char *address)
{
	const char *at = strrchr(address, '@');
	if (at == NULL || at == address || at[1] == '\0' || at[1] == '.')
		return false;
	for (const char *p = address; *p != '\0'; ++p)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || strchr("<>,;:\"\\()[]/", *p) != NULL || (*p == '@' && p != at))
			return false;
	return strstr(address, "..") == NULL && address[0] != '.' && address[0] != '-';
}

bool gx_dir__can_keep(const struct gx_dir *d, const char *address)
{
	for (const char *p = address; d->back->ascii_names && *p != '\0'; ++p)
		if ((unsigned char)*p >= 0x80)
			return false;
	return true;
}

bool gx_dir__new_address(const struct gx_dir *d, const char *in, char out[GX_DIR_ADDR_MAX + 1])
{
	return gx_dir__normalise(in, out) == 0 && address_ok(out) && gx_dir__can_keep(d, out);
}

bool gx_dir__new_host(const struct gx_dir *d, const char *in, char out[GX_DIR_ADDR_MAX + 1])
{
	char probe[GX_DIR_ADDR_MAX + 3];
	if (gx_dir__normalise(in, out) != 0 || strlen(out) > 255)
		return false;
	snprintf(probe, sizeof(probe), "a@%s", out);
	return address_ok(probe) && gx_dir__can_keep(d, out);
}
