/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that need no store: CAPABILITY, NOOP, CHECK, LOGOUT, STARTTLS, NAMESPACE, UNSELECT. */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

enum imap_result gx_imap__capability_run(struct imap_session *s)
{
	imap_puts(s->out, "* ");
	gx_imap__put_capabilities(s);
	imap_puts(s->out, "\r\n");
	return gx_imap__ok(s, "Capabilities listed");
}

enum imap_result gx_imap__noop_run(struct imap_session *s)
{
	return gx_imap__ok(s, "Done");
}

enum imap_result gx_imap__logout_run(struct imap_session *s)
{
	imap_puts(s->out, "* BYE Logging out\r\n");
	gx_imap__ok(s, "Goodbye");
	return IMAP_CLOSE;
}

enum imap_result gx_imap__starttls_run(struct imap_session *s)
{
	if (s->tls)
		return gx_imap__bad(s, "TLS is on already");
	if (!s->srv->offer_starttls)
		return gx_imap__bad(s, "TLS is not available here");
	gx_imap__ok(s, "Begin TLS now");
	return IMAP_STARTTLS;
}

/* [RFC 2342] */
enum imap_result gx_imap__namespace_run(struct imap_session *s)
{
	imap_puts(s->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	return gx_imap__ok(s, "Namespaces listed");
}

/* [RFC 3691] */
enum imap_result gx_imap__unselect_run(struct imap_session *s)
{
	gx_imap__unselect(s);
	return gx_imap__ok(s, "Mailbox closed");
}
