/* SPDX-License-Identifier: Apache-2.0 */
/* Who may send for whom, [MS-OXOMSG] 3.2.5.1.2: the mailbox of the other says it. */
#include <config.h>
#include <strings.h>
#include <gx/storeset.h>
#include "libgxproto/emsmdb/people.h"
#include "libgxproto/emsmdb/submit.h"

enum { NOT = 0, ON_BEHALF, AS };

static bool is_me(const struct gx_rop_call *c, const char *address)
{
	const char *const *g = c->logon->actor.groups;
	if (strcasecmp(address, c->s->who.username) == 0)
		return true;
	for (; g != NULL && *g != NULL; ++g)
		if (strcasecmp(address, *g) == 0)
			return true;
	return false;
}

static gx_ec listed(struct gx_rop_call *c, struct gx_txn *t, uint32_t mode, bool *ret_listed)
{
	const char *const *v;
	size_t n = 0;
	gx_ec ec = gx_delegates_get(t, mode, c->a, &v, &n);
	*ret_listed = false;
	for (size_t i = 0; !gx_ec_failed(ec) && i < n && !*ret_listed; ++i)
		*ret_listed = is_me(c, v[i]);
	return ec;
}

gx_ec gx_ems__sends_as(struct gx_rop_call *c, struct gx_txn *t, bool *ret_as)
{
	return listed(c, t, GX_DELEGATE_SEND_AS, ret_as);
}

static gx_ec ask(struct gx_rop_call *c, struct gx_store *s, int *ret_how)
{
	static const struct gx_actor sys = GX_ACTOR_SYSTEM;
	struct gx_txn *t;
	bool as = false, behalf = false;
	int err = gx_txn_begin(s, &sys, GX_TXN_READ, EMS_TXN_MS, &t);
	if (err != 0)
		return gx_ec_from_err(err);
	gx_ec ec = listed(c, t, GX_DELEGATE_SEND_AS, &as);
	if (!gx_ec_failed(ec))
		ec = listed(c, t, GX_DELEGATE_ON_BEHALF, &behalf);
	gx_txn_abort(t);
	*ret_how = as ? AS : behalf ? ON_BEHALF : NOT;
	return ec;
}

/* Lists, and people without a mailbox here, have named nobody. */
static gx_ec may_send(struct gx_rop_call *c, const struct gx_user *other, int *ret_how)
{
	struct gx_store *s;
	const char *why = NULL;
	*ret_how = NOT;
	if (*other->maildir == '\0')
		return EMS_OK;
	int err = gx_store_pool_get(c->s->e->o.pool, other->maildir, &s, c->a, &why);
	if (err != 0)
		return gx_rop__fail(c, gx_ec_from_err(err).v, "%s: %s", other->maildir, why == NULL ? gx_strerror(err) : why);
	gx_ec ec = ask(c, s, ret_how);
	gx_store_pool_put(c->s->e->o.pool, s);
	return ec;
}

static gx_ec other_of(struct gx_rop_call *c, const struct gx_proplist *have, struct gx_user *ret_u)
{
	const char *address;
	int err = gx_ems__smtp_of_person(c->s->e, c->a, have, &gx_ems__representing_tags, &address);
	bool said = gx_proplist_get(have, PidTagSentRepresentingEntryId) != NULL || gx_proplist_get(have, PidTagSentRepresentingEmailAddress) != NULL ||
		gx_proplist_get(have, PidTagSentRepresentingSmtpAddress) != NULL;
	if (err == GX_E_NOTFOUND && !said) {
		*ret_u = c->s->who;
		return EMS_OK;
	}
	if (err == 0)
		err = gx_dir_user(c->s->e->o.dir, address, c->a, ret_u);
	return err == GX_E_NOTFOUND ? gx_rop__fail(c, ecSendAsDenied, "nobody here has that address") : gx_ec_from_err(err);
}

gx_ec gx_ems__sender(struct gx_rop_call *c, const struct gx_proplist *have, struct gx_proplist *io_l, const char **ret_from)
{
	struct gx_user other;
	const struct gx_user *me = &c->s->who;
	int how = AS;
	gx_ec ec = other_of(c, have, &other);
	if (!gx_ec_failed(ec) && other.id != me->id)
		ec = may_send(c, &other, &how);
	if (gx_ec_failed(ec))
		return ec;
	if (how == NOT)
		return gx_rop__fail(c, ecSendAsDenied, "%s may not send for %s", me->username, other.username);
	const struct gx_user *sender = how == AS ? &other : me;
	int err = gx_ems__set_person(c->s->e, c->a, sender, &gx_ems__sender_tags, io_l);
	err = err != 0 ? err : gx_ems__set_person(c->s->e, c->a, &other, &gx_ems__representing_tags, io_l);
	*ret_from = sender->username;
	return gx_ec_from_err(err);
}
