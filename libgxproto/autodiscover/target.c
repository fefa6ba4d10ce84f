/* SPDX-License-Identifier: Apache-2.0 */
/* Whose mailbox is meant, where it is, and who may know. */
#include <config.h>
#include <string.h>
#include <strings.h>
#include <gx/folder.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { WAIT_MS = 10000 };

static uint64_t hash(const char *text, uint64_t h)
{
	for (; *text != '\0'; ++text)
		h = (h ^ (uint64_t)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text)) * 0x100000001b3;
	return h ^ h >> 31;
}

/* Every server has to come to the same one, without asking the store. */
const char *gx_disco__guid_of(const char *text, struct gx_arena *a)
{
	char out[37];
	uint64_t one = hash(text, 0xcbf29ce484222325), two = hash(text, one);
	struct gx_guid g = {(uint32_t)one, (uint16_t)(one >> 32), (uint16_t)((one >> 48 & 0xfff) | 0x8000), {0}};
	memcpy(g.d4, &two, sizeof(g.d4));
	g.d4[0] = (uint8_t)((g.d4[0] & 0x3f) | 0x80);
	gx_guid_print(&g, out);
	return gx_arena_strdup(a, out);
}

const char *gx_disco__bare(const char *host, struct gx_arena *a)
{
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	return gx_arena_strndup(a, host, n < strlen(host) ? n : strlen(host));
}

const char *gx_disco__host(struct gx_disco *d, uint32_t homeserver, struct gx_arena *a)
{
	struct gx_server s;
	int err = homeserver == 0 ? GX_E_NOTFOUND : gx_dir_server(d->o.dir, homeserver, a, &s);
	if (err != 0)
		return err == GX_E_NOMEM ? NULL : d->o.exonym;
	return *s.extname != '\0' ? s.extname : s.hostname;
}

static int complete(struct gx_disco *d, struct gx_arena *a, struct disco_target *t)
{
	const char *domain, *guid = gx_disco__guid_of(t->address, a);
	t->dn = t->is_public ? gx_dn_of_domain(a, d->o.org_name, &t->domain) : gx_dn_of_user(a, d->o.org_name, &t->user);
	t->host = gx_disco__host(d, t->is_public ? t->domain.homeserver : t->user.homeserver, a);
	t->bare_host = t->host == NULL ? NULL : gx_disco__bare(t->host, a);
	domain = strchr(t->address, '@');
	t->id = guid == NULL ? NULL : gx_arena_printf(a, "%s%s", guid, domain == NULL ? "" : domain);
	return t->dn == NULL || t->bare_host == NULL || t->id == NULL ? GX_E_NOMEM : 0;
}

static int public_store(struct gx_disco *d, struct gx_arena *a, struct disco_target *t)
{
	t->is_public = true;
	t->name = "Public Folders";
	t->address = gx_arena_printf(a, PUBLIC_LOCALPART "@%s", t->domain.name);
	if (*t->domain.homedir == '\0')
		return GX_E_NOTFOUND;
	return t->address == NULL ? GX_E_NOMEM : complete(d, a, t);
}

static int mailbox(struct gx_disco *d, const char *user, struct gx_arena *a, struct disco_target *t)
{
	const struct gx_user *u = &t->user;
	if (*u->maildir == '\0')
		return GX_E_UNSUP;
	t->address = u->username;
	t->name = u->display_name != NULL && *u->display_name != '\0' ? u->display_name : u->username;
	t->own = strcasecmp(u->username, user) == 0;
	return complete(d, a, t);
}

static int by_address(struct gx_disco *d, const char *address, const char *user, struct gx_arena *a, struct disco_target *t)
{
	const char *at = strchr(address, '@');
	if (at != NULL && (size_t)(at - address) == strlen(PUBLIC_LOCALPART) && strncasecmp(address, PUBLIC_LOCALPART, (size_t)(at - address)) == 0) {
		int err = gx_dir_domain(d->o.dir, at + 1, a, &t->domain);
		return err != 0 ? err : public_store(d, a, t);
	}
	int err = gx_dir_user(d->o.dir, address, a, &t->user);
	return err != 0 ? err : mailbox(d, user, a, t);
}

static int by_dn(struct gx_disco *d, const char *dn, const char *user, struct gx_arena *a, struct disco_target *t)
{
	struct gx_dn_owner o;
	int err = gx_dir_dn(d->o.dir, dn, a, &o);
	if (err != 0)
		return err;
	t->domain = o.domain;
	t->user = o.user;
	return o.is_public ? public_store(d, a, t) : mailbox(d, user, a, t);
}

int gx_disco__find(struct gx_disco *d, const char *address, const char *dn, const char *user, struct gx_arena *a, struct disco_target *t)
{
	*t = (struct disco_target){0};
	return address != NULL ? by_address(d, address, user, a, t) : by_dn(d, dn, user, a, t);
}

/* ---- Mailboxes of others ---- */

/* As a logon would: something besides free/busy times. */
static int may_enter(struct gx_txn *t, struct gx_arena *a)
{
	const uint32_t enough = GX_RIGHTS_ALL & ~(uint32_t)GX_RIGHT_VISIBLE;
	struct gx_folder_info *v;
	size_t n;
	uint32_t bits;
	gx_ec ec = gx_folder_list(t, GX_FID_IPMSUBTREE, true, a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i) {
		ec = gx_folder_rights(t, v[i].fid, &bits);
		if (!gx_ec_failed(ec) && (bits & enough))
			return 0;
	}
	return gx_ec_failed(ec) ? GX_E_IO : GX_E_STATE;
}

int gx_disco__may_see(struct gx_disco *d, const struct disco_target *t, const char *user, struct gx_arena *a)
{
	struct gx_actor actor = {.user = user};
	struct gx_store *s;
	struct gx_txn *txn;
	const char *why = NULL;
	if (t->own || t->is_public || !d->o.validate_second)
		return 0;
	int err = gx_dir_groups_of(d->o.dir, user, a, &actor.groups);
	if (err == 0)
		err = gx_store_pool_get(d->o.pool, t->user.maildir, &s, a, &why);
	if (err != 0)
		return err;
	err = gx_txn_begin(s, &actor, GX_TXN_READ, WAIT_MS, &txn);
	if (err == 0) {
		err = may_enter(txn, a);
		gx_txn_abort(txn);
	}
	gx_store_pool_put(d->o.pool, s);
	return err;
}
