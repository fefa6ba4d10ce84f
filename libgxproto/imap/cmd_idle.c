/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 2177] */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

static enum imap_result idle_line(struct imap_session *s, char *line, size_t len)
{
	atomic_store(&s->idling, false);
	s->on_loop = true; /* changes were reported a moment ago */
	if (len == 4 && gx_ascii_ncasecmp(line, "DONE", 4) == 0)
		return gx_imap__ok(s, "Idle done");
	return gx_imap__bad(s, "DONE expected");
}

enum imap_result gx_imap__idle_run(struct imap_session *s)
{
	imap_puts(s->out, "+ idling\r\n");
	s->on_line = idle_line;
	atomic_store(&s->idling, true);
	return IMAP_LINE;
}
