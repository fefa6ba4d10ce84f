/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 5161]; IMAP4rev2 is [RFC 9051] 6.3.1. */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	bool condstore, rev2;
};

bool gx_imap__enable_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	struct imap_str w;
	if (a == NULL || !gx_imap__sp(c))
		return false;
	do {
		if (!gx_imap__atom(c, &w))
			return false;
		if (gx_ascii_casecmp(w.s, "CONDSTORE") == 0)
			a->condstore = true;
		else if (gx_ascii_casecmp(w.s, "IMAP4rev2") == 0)
			a->rev2 = s->srv->rfc9051;
	} while (gx_imap__accept_sp(c));
	return true;
}

enum imap_result gx_imap__enable_run(struct imap_session *s)
{
	const struct args *a = s->args;
	imap_puts(s->out, "* ENABLED");
	if (a->condstore && !s->condstore)
		imap_puts(s->out, " CONDSTORE");
	if (a->rev2 && !s->rev2)
		imap_puts(s->out, " IMAP4rev2");
	imap_puts(s->out, "\r\n");
	s->rev2 = s->rev2 || a->rev2;
	if (a->condstore)
		gx_imap__enable_condstore(s);
	return gx_imap__ok(s, "Enabled");
}
