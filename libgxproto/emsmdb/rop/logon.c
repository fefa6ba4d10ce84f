/* SPDX-License-Identifier: Apache-2.0 */
/* RopLogon, [MS-OXCSTOR] 2.2.1.1 and 3.2.5.1 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "libgxproto/emsmdb/submit.h"
#include "libgxproto/emsmdb/rop-dispatch.h"

enum { PRIVATE = 0x01, USE_ADMIN_PRIVILEGE = 0x01, OPEN_PUBLIC = 0x02, SUPPORT_PROGRESS = 0x20000000 };
enum { RESERVED = 0x01, OWNER_RIGHT = 0x02, SEND_AS_RIGHT = 0x04, OOF = 0x10 };

static const uint8_t private_folders[] = {
	GX_FID_ROOT, GX_FID_DEFERRED, GX_FID_SPOOLER, GX_FID_IPMSUBTREE, GX_FID_INBOX, GX_FID_OUTBOX, GX_FID_SENT, GX_FID_DELETED,
	GX_FID_COMMON_VIEWS, GX_FID_SCHEDULE, GX_FID_FINDER, GX_FID_VIEWS, GX_FID_SHORTCUTS,
};
static const uint8_t public_folders[13] = {GX_FID_PUB_ROOT, GX_FID_PUB_IPMSUBTREE, GX_FID_PUB_NONIPM, GX_FID_PUB_EFORMS};

static struct gx_logon_time time_of(time_t t)
{
	struct tm tm;
	gmtime_r(&t, &tm);
	return (struct gx_logon_time){(uint8_t)tm.tm_sec, (uint8_t)tm.tm_min, (uint8_t)tm.tm_hour, (uint8_t)tm.tm_wday, (uint8_t)tm.tm_mday,
		(uint8_t)(tm.tm_mon + 1), (uint16_t)(tm.tm_year + 1900)};
}

static gx_ec redirect(struct gx_rop_call *c, const char *host, const struct gx_rop_logon_req *q)
{
	struct gx_rop_logon_fail_478 *f = gx_arena_new_obj(c->a, struct gx_rop_logon_fail_478);
	if (f == NULL)
		return GX_EC(ecMAPIOOM);
	*f = (struct gx_rop_logon_fail_478){q->logon_flags, host};
	c->failure = f;
	return EMS_OK;
}

/* Stores of other servers, and of other processes, are asked for there: clients find the way by autodiscover. */
static gx_ec elsewhere(struct gx_rop_call *c, uint32_t homeserver, const char *dir, const struct gx_rop_logon_req *q)
{
	const struct gx_ems_opts *o = &c->s->e->o;
	const char *host;
	int err = gx_dir_server_of(o->dir, homeserver, c->a, &host);
	if (err != 0)
		return gx_rop__fail(c, ecError, "its home server %u is not known", (unsigned)homeserver);
	bool near = strcmp(host, "local") == 0;
	if (near && (o->only == NULL || strcmp(o->only, dir) == 0))
		return EMS_OK;
	if (near)
		host = o->host != NULL ? o->host : "localhost";
	gx_ec ec = redirect(c, host, q);
	if (gx_ec_failed(ec))
		return ec;
	return gx_rop__fail(c, ecWrongServer, near ? "another process of %s has it: connect to its own MailboxId" : "it is at %s", host);
}

/* May the actor read or change anything? Free/busy times are shown elsewhere. */
static gx_ec may_enter(struct gx_rop_call *c, struct gx_txn *t)
{
	const uint32_t enough = GX_RIGHTS_ALL & ~(uint32_t)GX_RIGHT_VISIBLE;
	struct gx_folder_info *v;
	size_t n;
	uint32_t bits;
	gx_ec ec = gx_folder_list(t, GX_FID_IPMSUBTREE, true, c->a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i) {
		ec = gx_folder_rights(t, v[i].fid, &bits);
		if (!gx_ec_failed(ec) && (bits & enough))
			return EMS_OK;
	}
	return gx_ec_failed(ec) ? ec : gx_rop__fail(c, ecLoginPerm, "%s may do nothing in this mailbox", c->s->user);
}

static gx_ec rights(struct gx_rop_call *c, bool own, uint8_t *ret_flags)
{
	struct gx_txn *t;
	uint32_t bits = 0;
	bool as = own;
	struct gx_proplist l = {0};
	static const gx_proptag_t oof = PidTagOutOfOfficeState;
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	if (!own)
		ec = may_enter(c, t);
	if (!gx_ec_failed(ec) && !own)
		ec = gx_ems__sends_as(c, t, &as);
	if (!gx_ec_failed(ec) && !gx_ec_failed(gx_folder_rights(t, GX_FID_IPMSUBTREE, &bits)))
		*ret_flags = RESERVED | (own || (bits & GX_RIGHT_OWNER) ? OWNER_RIGHT : 0) | (as ? SEND_AS_RIGHT : 0);
	if (!gx_ec_failed(ec) && !gx_ec_failed(gx_store_get_props(t, &oof, 1, c->a, &l)) && l.count == 1 && l.v[0].v.b)
		*ret_flags |= OOF;
	gx_txn_abort(t);
	return ec;
}

static gx_ec mailbox(struct gx_rop_call *c, const struct gx_rop_logon_req *q, struct gx_rop_logon_res *r)
{
	struct gx_dn_owner o;
	int err = gx_dir_dn(c->s->e->o.dir, q->essdn == NULL ? "" : q->essdn, c->a, &o);
	if (err == GX_E_NOTFOUND || (err == 0 && (o.is_public || *o.user.maildir == '\0')))
		return gx_rop__fail(c, ecUnknownUser, "%s has no mailbox here", q->essdn == NULL ? "nobody" : q->essdn);
	gx_ec ec = err == 0 ? elsewhere(c, o.user.homeserver, o.user.maildir, q) : gx_ec_from_err(err);
	bool own = err == 0 && strcasecmp(o.user.username, c->s->who.username) == 0;
	if (!gx_ec_failed(ec))
		ec = gx_ems__give_logon(c, o.user.username, o.user.maildir, own);
	if (!gx_ec_failed(ec))
		ec = rights(c, own, &r->response_flags);
	if (!gx_ec_failed(ec) && (q->open_flags & USE_ADMIN_PRIVILEGE) && !(r->response_flags & OWNER_RIGHT))
		ec = gx_rop__fail(c, ecLoginPerm, "%s is not an owner of this mailbox", c->s->user);
	return ec;
}

static gx_ec public_store(struct gx_rop_call *c, const struct gx_rop_logon_req *q)
{
	struct gx_domain d;
	const char *at = strchr(c->s->who.username, '@');
	int err = at == NULL ? GX_E_NOTFOUND : gx_dir_domain(c->s->e->o.dir, at + 1, c->a, &d);
	if (err == GX_E_NOTFOUND || (err == 0 && *d.homedir == '\0'))
		return gx_rop__fail(c, ecUnknownUser, "the domain has no public store");
	gx_ec ec = err == 0 ? elsewhere(c, d.homeserver, d.homedir, q) : gx_ec_from_err(err);
	return gx_ec_failed(ec) ? ec : gx_ems__give_logon(c, d.name, d.homedir, false);
}

gx_ec gx_rop__logon(struct gx_rop_call *c, const struct gx_rop_logon_req *q, struct gx_rop_logon_res *r)
{
	bool is_private = q->logon_flags & PRIVATE;
	if (is_private == ((q->open_flags & OPEN_PUBLIC) != 0))
		return gx_rop__fail(c, ecInvalidParam, "LogonFlags and OpenFlags contradict each other");
	gx_ec ec = is_private ? mailbox(c, q, r) : public_store(c, q);
	if (!gx_ec_failed(ec) && c->logon->is_public == is_private)
		ec = gx_rop__fail(c, ecError, "%s is a store of the other kind", c->logon->maildir);
	if (gx_ec_failed(ec)) {
		if (c->made != NULL)
			gx_ems__drop(c->s, c->made);
		c->made = NULL;
		return ec;
	}
	c->logon->takes_progress = q->open_flags & SUPPORT_PROGRESS;
	const uint8_t *folders = is_private ? private_folders : public_folders;
	for (size_t i = 0; i < sizeof(public_folders); ++i)
		r->folder_ids[i] = gx_eid_wire(folders[i]);
	gx_nttime_t now = gx_clock_nttime(c->s->e->o.clock);
	r->logon_flags = q->logon_flags;
	r->repl_id = 1;
	r->repl_guid = *gx_store_replica(c->logon->store);
	r->mailbox_guid = *gx_store_mailbox_guid(c->logon->store);
	r->gwart_time = now;
	r->logon_time = time_of((time_t)gx_clock_unix(c->s->e->o.clock));
	return EMS_OK;
}
