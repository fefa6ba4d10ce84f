/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <strings.h>
#include "libgxproto/emsmdb/people.h"

enum { DT_MAILUSER = 0, DT_DISTLIST = 1 };
/* [MS-OXOMSG] 2.2.3.1: what stands beside the kind of recipient in a message that is sent again */
#define MAPI_P1 0x10000000
#define MAPI_SUBMITTED INT32_MIN

static const struct gx_ems_person_tags rcpt_tags = {PidTagDisplayName, PidTagSmtpAddress, PidTagAddressType, PidTagEmailAddress, PidTagEntryId,
	PidTagSearchKey};
const struct gx_ems_person_tags gx_ems__sender_tags = {PidTagSenderName, PidTagSenderSmtpAddress, PidTagSenderAddressType,
	PidTagSenderEmailAddress, PidTagSenderEntryId, PidTagSenderSearchKey};
const struct gx_ems_person_tags gx_ems__representing_tags = {PidTagSentRepresentingName, PidTagSentRepresentingSmtpAddress,
	PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress, PidTagSentRepresentingEntryId, PidTagSentRepresentingSearchKey};

static uint32_t kind_of(const struct gx_user *u)
{
	return u->display_type == DT_DISTLIST ? DT_DISTLIST : DT_MAILUSER;
}

static const char *name_of(const struct gx_user *u)
{
	return *u->display_name != '\0' ? u->display_name : u->username;
}

int gx_ems__person(const char *address, struct gx_arena *a, const char **ret_name, struct gx_bin *ret_entryid, void *ctx)
{
	const struct gx_ems *e = ctx;
	struct gx_user u;
	int err = gx_dir_user(e->o.dir, address, a, &u);
	const char *dn = err == 0 ? gx_dn_of_user(a, e->org, &u) : NULL;
	if (err != 0 || dn == NULL)
		return err != 0 ? err : GX_E_NOMEM;
	*ret_name = name_of(&u);
	return gx_entryid_addressbook(a, kind_of(&u), dn, ret_entryid);
}

/* ---- Their addresses ---- */

int gx_ems__smtp(struct gx_ems *e, struct gx_arena *a, const char *type, const char *address, const char **ret_smtp)
{
	struct gx_dn_owner o;
	if (strcasecmp(type, "EX") != 0) {
		*ret_smtp = address;
		return strcasecmp(type, "SMTP") == 0 && strchr(address, '@') != NULL ? 0 : GX_E_NOTFOUND;
	}
	int err = gx_dir_dn(e->o.dir, address, a, &o);
	if (err != 0 || o.is_public)
		return err != 0 ? err : GX_E_NOTFOUND;
	*ret_smtp = o.user.username;
	return 0;
}

gx_ec gx_ems__smtp_of_entryid(struct gx_rop_call *c, struct gx_bin entryid, const char **ret_smtp)
{
	const char *type, *address, *name;
	int err = gx_entryid_address(c->a, entryid, &type, &address, &name);
	if (err == GX_E_NOMEM)
		return GX_EC(ecMAPIOOM);
	if (err != 0)
		return gx_rop__fail(c, ecInvalidParam, "an entry id that is no person's");
	err = gx_ems__smtp(c->s->e, c->a, type, address, ret_smtp);
	return err == GX_E_NOTFOUND ? gx_rop__fail(c, ecUnknownUser, "%s is not in the directory", address) : gx_ec_from_err(err);
}

int gx_ems__smtp_of_person(struct gx_ems *e, struct gx_arena *a, const struct gx_proplist *l, const struct gx_ems_person_tags *tags,
	const char **ret_smtp)
{
	const char *type = gx_proplist_str(l, tags->type, NULL), *address = gx_proplist_str(l, tags->address, NULL), *name;
	const struct gx_propval *eid = gx_proplist_get(l, tags->entryid);
	*ret_smtp = gx_proplist_str(l, tags->smtp, NULL);
	if (*ret_smtp != NULL && strchr(*ret_smtp, '@') != NULL)
		return 0;
	int err = type != NULL && address != NULL ? gx_ems__smtp(e, a, type, address, ret_smtp) : GX_E_NOTFOUND;
	if (err != GX_E_NOTFOUND || eid == NULL)
		return err;
	err = gx_entryid_address(a, eid->v.bin, &type, &address, &name);
	return err == GX_E_NOMEM ? err : err != 0 ? GX_E_NOTFOUND : gx_ems__smtp(e, a, type, address, ret_smtp);
}

int gx_ems__set_person(struct gx_ems *e, struct gx_arena *a, const struct gx_user *u, const struct gx_ems_person_tags *tags,
	struct gx_proplist *l)
{
	struct gx_bin eid, key;
	const char *dn = gx_dn_of_user(a, e->org, u);
	int err = dn == NULL ? GX_E_NOMEM : gx_entryid_addressbook(a, kind_of(u), dn, &eid);
	err = err != 0 ? err : gx_search_key(a, "EX", dn, &key);
	err = err != 0 ? err : gx_proplist_set_str(l, a, tags->name, name_of(u));
	err = err != 0 ? err : gx_proplist_set_str(l, a, tags->smtp, u->username);
	err = err != 0 ? err : gx_proplist_set_str(l, a, tags->type, "EX");
	err = err != 0 ? err : gx_proplist_set_str(l, a, tags->address, dn);
	err = err != 0 ? err : gx_proplist_set_bin(l, a, tags->entryid, eid.data, eid.len);
	return err != 0 ? err : gx_proplist_set_bin(l, a, tags->search_key, key.data, key.len);
}

/* ---- Recipients ---- */

static bool is_meant(const struct gx_proplist *rcpt, bool resend)
{
	int32_t type = gx_proplist_i32(rcpt, PidTagRecipientType, 1);
	return !resend || (type & MAPI_P1) || !(type & MAPI_SUBMITTED);
}

gx_ec gx_ems__addressees(struct gx_ems *e, struct gx_arena *a, struct gx_proplist *rcpts, size_t n, bool resend, const char *const **ret_v,
	size_t *ret_n)
{
	size_t k = 0;
	const char **v = gx_arena_new_array(a, const char *, n);
	if (v == NULL)
		return GX_EC(ecMAPIOOM);
	for (size_t i = 0; i < n; ++i) {
		int err = gx_ems__smtp_of_person(e, a, &rcpts[i], &rcpt_tags, &v[k]);
		if (err == 0)
			err = gx_proplist_set_str(&rcpts[i], a, PidTagSmtpAddress, v[k]);
		if (err != 0)
			return err == GX_E_NOTFOUND ? GX_EC(ecInvalidRecips) : gx_ec_from_err(err);
		k += is_meant(&rcpts[i], resend);
	}
	*ret_v = v;
	*ret_n = k;
	return k > 0 ? EMS_OK : GX_EC(ecNoRecipients);
}
