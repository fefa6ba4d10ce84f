/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include <gx/freebusy.h>
#include <gx/namedprop.h>
#include "libgxstore/message/msgsrc.h"

/* Is somebody among the contacts? [MS-OXOCNTC] 2.2.1.2: three addresses each. */

enum { ADDRESSES = 3 };

struct asking {
	struct gx_txn *t;
	const char *address;
	uint16_t ids[ADDRESSES];
	struct gx_arena *scratch; /* for one contact */
	struct gx_msgsrc src;
	bool known;
};

static int tags_of(struct asking *k)
{
	static const struct gx_propname v[ADDRESSES] = {
		GX_LID_INIT(PidLidEmail1EmailAddress), GX_LID_INIT(PidLidEmail2EmailAddress), GX_LID_INIT(PidLidEmail3EmailAddress),
	};
	return gx_named__ids(k->t, false, v, ADDRESSES, k->ids);
}

static int contact(struct asking *k, uint64_t mid)
{
	int err = gx_msgsrc__set_mid(&k->src, mid);
	gx_arena_reset(k->scratch);
	for (int i = 0; err == 0 && i < ADDRESSES && !k->known; i++) {
		struct gx_propval pv;
		int r = k->ids[i] == 0 ? 0 : gx_msgsrc__get(&k->src, GX_PROP_TAG(k->ids[i], PtypString), &pv);
		if (r < 0)
			return r;
		k->known = r > 0 && gx_utf8_casecmp(pv.v.str, k->address) == 0;
	}
	return err == GX_E_NOTFOUND ? 0 : err;
}

static int folder(struct asking *k, uint64_t fid)
{
	GX_STMT(st, k->t->q, "SELECT mid FROM msg WHERE fid=?1 AND uid>0 AND NOT flags&256");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int r = 0;
	while (!k->known && (r = gx_sql__step(st)) > 0) {
		int err = contact(k, gx_sql__u64(st, 0));
		if (err != 0)
			return err;
	}
	return r < 0 ? r : 0;
}

/* What is below the contacts folder and holds contacts. */
static gx_ec below(struct asking *k, struct gx_arena *a)
{
	struct gx_folder_info *v = NULL;
	size_t n = 0;
	gx_ec ec = gx_txn__ec(k->t, folder(k, GX_FID_CONTACTS));
	if (!gx_ec_failed(ec) && !k->known)
		ec = gx_folder_list(k->t, GX_FID_CONTACTS, true, a, &v, &n);
	for (size_t i = 0; !gx_ec_failed(ec) && !k->known && i < n; i++)
		if (gx_ascii_ncasecmp(v[i].container_class, "IPF.Contact", 11) == 0 && v[i].type != GX_FOLDER_SEARCH)
			ec = gx_txn__ec(k->t, folder(k, v[i].fid));
	return ec;
}

gx_ec gx_contact_known(struct gx_txn *t, const char *address, bool *ret_known)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct asking k = {.t = t, .address = address};
	if (address == NULL || *address == '\0')
		return gx_txn__fail(t, ecInvalidParam, "no address");
	if (t->s->is_public) {
		*ret_known = false;
		return GX_OK_EC;
	}
	struct gx_arena *a = gx_arena_new(0);
	k.scratch = gx_arena_new(0);
	if (a == NULL || k.scratch == NULL) {
		gx_arena_free(a);
		gx_arena_free(k.scratch);
		return gx_txn__ec(t, GX_E_NOMEM);
	}
	const struct gx_actor *actor = t->actor;
	t->actor = &system; /* it is asked for the mailbox, by whoever answers for it */
	gx_msgsrc__init(&k.src, t, k.scratch);
	gx_ec ec = gx_txn__ec(t, tags_of(&k));
	if (!gx_ec_failed(ec))
		ec = below(&k, a);
	gx_msgsrc__release(&k.src);
	t->actor = actor;
	gx_arena_free(a);
	gx_arena_free(k.scratch);
	if (!gx_ec_failed(ec))
		*ret_known = k.known;
	return ec;
}
