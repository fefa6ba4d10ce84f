/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 2971] */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

enum { MAX_FIELDS = 30 };

bool gx_imap__id_parse(struct imap_session *s, struct imap_parse *c)
{
	struct imap_str w;
	if (!s->srv->enable_id)
		return gx_imap__fail(c, "Unknown command");
	if (!gx_imap__sp(c))
		return false;
	if (gx_imap__accept_word(c, "NIL"))
		return true;
	if (!gx_imap__expect(c, '('))
		return false;
	for (unsigned n = 0; !gx_imap__accept(c, ')'); ++n) {
		if (n == MAX_FIELDS)
			return gx_imap__fail(c, "Too many fields");
		if ((n > 0 && !gx_imap__sp(c)) || !gx_imap__string(c, &w) || !gx_imap__sp(c) || !gx_imap__nstring(c, &w))
			return false;
	}
	return true;
}

enum imap_result gx_imap__id_run(struct imap_session *s)
{
	imap_puts(s->out, "* ID (\"name\" \"gx\" \"version\" ");
	gx_imap__put_nstring(s->out, gx_version());
	imap_puts(s->out, ")\r\n");
	return gx_imap__ok(s, "ID done");
}
