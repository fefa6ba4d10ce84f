/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 3501] 6.2.2 with the initial response of [RFC 4959]; PLAIN is [RFC 4616]. */
#include <config.h>
#include <gx/charset.h>
#include <gx/codec.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	struct imap_str mechanism, initial;
	const char *login, *password;   /* once known */
};

bool gx_imap__authenticate_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	if (a == NULL || !gx_imap__sp(c) || !gx_imap__atom(c, &a->mechanism))
		return false;
	return !gx_imap__accept_sp(c) || gx_imap__astring(c, &a->initial);
}

/* authzid NUL authcid NUL password; another authzid is the mailbox of somebody else. */
static enum imap_result plain(struct imap_session *s, const char *text, size_t len)
{
	struct args *a = s->args;
	struct gx_bin bin;
	if (gx_base64_dec(s->arena, text, len, &bin) != 0)
		return gx_imap__bad(s, "Invalid base64");
	char *z = gx_arena_alloc(s->arena, bin.len + 1);
	if (z == NULL)
		return IMAP_CLOSE;
	if (bin.len > 0)
		memcpy(z, bin.data, bin.len);
	z[bin.len] = '\0';
	const char *authzid = z, *end = z + bin.len, *login = memchr(z, 0, bin.len);
	const char *password = login == NULL ? NULL : memchr(login + 1, 0, (size_t)(end - login) - 1);
	if (password == NULL || memchr(password + 1, 0, (size_t)(end - password) - 1) != NULL)
		return gx_imap__bad(s, "Invalid SASL PLAIN response");
	a->login = login + 1;
	a->password = password + 1;
	if (*authzid != '\0' && gx_ascii_casecmp(authzid, a->login) != 0)
		a->login = gx_arena_printf(s->arena, "%s!%s", a->login, authzid);
	return a->login == NULL ? IMAP_CLOSE : IMAP_MORE;
}

static enum imap_result response(struct imap_session *s, char *line, size_t len)
{
	if (len == 1 && *line == '*')
		return gx_imap__bad(s, "Cancelled");
	return plain(s, line, len);
}

enum imap_result gx_imap__authenticate_run(struct imap_session *s)
{
	struct args *a = s->args;
	if (a->login != NULL)
		return gx_imap__login(s, a->login, a->password);
	if (s->srv->require_tls && !s->tls)
		return gx_imap__no(s, "[PRIVACYREQUIRED] Use STARTTLS first");
	if (gx_ascii_casecmp(a->mechanism.s, "PLAIN") != 0)
		return gx_imap__no(s, "[CANNOT] Unknown mechanism");
	if (a->initial.s != NULL)
		return plain(s, a->initial.s, a->initial.len);
	s->on_line = response;
	imap_puts(s->out, "+ \r\n");
	return IMAP_LINE;
}
