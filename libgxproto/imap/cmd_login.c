/* SPDX-License-Identifier: Apache-2.0 */
/* [RFC 3501] 6.2.3 */
#include <config.h>
#include "libgxproto/imap/imap-int.h"

struct args {
	struct imap_str user, password;
};

bool gx_imap__login_parse(struct imap_session *s, struct imap_parse *c)
{
	struct args *a = s->args = gx_arena_new_obj(s->arena, struct args);
	return a != NULL && gx_imap__sp(c) && gx_imap__astring(c, &a->user) && gx_imap__sp(c) &&
	       gx_imap__astring(c, &a->password);
}

enum imap_result gx_imap__login_run(struct imap_session *s)
{
	const struct args *a = s->args;
	if (s->srv->require_tls && !s->tls)
		return gx_imap__no(s, "[PRIVACYREQUIRED] Use STARTTLS first");
	return gx_imap__login(s, a->user.s, a->password.s);
}
