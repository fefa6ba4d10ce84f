/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to the store as a whole: names and numbers first, properties and settings last. */
#include <config.h>
#include <string.h>
#include <gx/entryid.h>
#include <gx/pr-names.h>
#include <gx/storeset.h>
#include "libgxstore/gromox/conv-int.h"

/* ---- Named properties keep their ids, so that what clients remember stays true ---- */

static int on_name(uint16_t id, const struct gx_propname *n, void *ctx)
{
	struct gx_conv *c = ctx;
	uint16_t got = 0;
	int err = gx_named__put(c->t, id, n, &got);
	c->map->id[id - GX_GROMOX_NAMED_FIRST] = got;
	return err;
}

int gx_conv__names(struct gx_conv *c)
{
	return gx_gromox__names(c->g, on_name, c);
}

/* ---- First: numbers ---- */

static int replicas(struct gx_conv *c)
{
	bool now = gx_gromox__has_table(c->g->q, "replguidmap");
	if (!now && !gx_gromox__has_table(c->g->q, "replca_mapping"))
		return 0;
	struct gx_stmt *st = gx_sql__stmt(c->g->q, now ? "SELECT replid,replguid FROM replguidmap ORDER BY replid" :
		"SELECT replid,replguid FROM replca_mapping ORDER BY replid");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		int64_t id = gx_sql__int(st, 0);
		struct gx_guid guid;
		gx_gromox__about(&c->g->notes, "replica %lld", (long long)id);
		if (id > 0 && id <= UINT16_MAX && gx_guid_parse(gx_sql__text(st, 1), &guid) == 0)
			err = id <= 5 ? 0 : gx_put__replica(c->t, (uint16_t)id, &guid);
		else
			err = gx_conv__note(c, GX_CONV_SETTING, NULL, "\"%.60s\" is no replica; left out", gx_sql__text(st, 1));
	}
	gx_sql__done(st);
	return err != 0 ? err : r;
}

/* Ids that clients have set aside and may still use; the ranges of folders are nobody's any more. */
static int reserved(struct gx_conv *c)
{
	GX_STMT(st, c->g->q, "SELECT range_begin,range_end FROM allocated_eids WHERE is_system=0 ORDER BY range_begin");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		uint64_t first = gx_sql__u64(st, 0), last = gx_sql__u64(st, 1);
		if (first > 0 && first <= last && last <= GX_COUNTER_MAX)
			err = gx_put__reserved(c->t, first, last);
	}
	return err != 0 ? err : r;
}

static int replied(struct gx_conv *c)
{
	if (!gx_gromox__has_table(c->g->q, "autoreply_ts"))
		return 0;
	GX_STMT(st, c->g->q, "SELECT peer,ts FROM autoreply_ts");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		if (*gx_sql__text(st, 0) != '\0' && strlen(gx_sql__text(st, 0)) <= 320)
			err = gx_put__replied(c->t, gx_sql__text(st, 0), gx_sql__int(st, 1));
	return err != 0 ? err : r;
}

static int guids(struct gx_conv *c)
{
	const struct gx_gromox_info *i = &c->g->info;
	gx_gromox__about(&c->g->notes, "store");
	int err = gx_put__guids(c->t, i->has_mailbox ? &i->mailbox : NULL, i->has_replica ? &i->replica : NULL);
	if (err == 0 && i->has_replica && c->o->owner_id != 0 && c->o->owner_id != i->replica.d1)
		err = gx_conv__note(c, GX_CONV_SETTING, NULL,
			"is of the owner with number %u, not %u; its replica GUID is kept for the clients' sake",
			i->replica.d1, c->o->owner_id);
	if (err == 0 && !i->has_replica)
		err = gx_conv__note(c, GX_CONV_SETTING, NULL,
			"its replica GUID is not to be found; clients will synchronise anew");
	if (err == 0 && !i->has_mailbox)
		err = gx_conv__note(c, GX_CONV_SETTING, NULL, "has no mailbox GUID; it gets a new one");
	if (err == 0 && c->g->midb_why != NULL)
		err = gx_conv__note(c, GX_CONV_IMAP, NULL, "%.400s; UIDs, keywords and subscriptions begin anew",
			c->g->midb_why);
	return err;
}

int gx_conv__store(struct gx_conv *c)
{
	const struct gx_gromox_info *i = &c->g->info;
	int err = guids(c);
	if (err == 0)
		err = gx_conv__ec(c, gx_store_raise_numbers(c->t, i->last_id, i->last_cn));
	if (err == 0)
		err = replicas(c);
	if (err == 0)
		err = reserved(c);
	return err != 0 ? err : replied(c);
}

/* ---- Last: properties (a quota must not stop the messages), settings, read states ---- */

void gx_conv__drop(struct gx_proplist *l, const gx_proptag_t *tags, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < l->count; k++)
			if (GX_PROP_ID(l->v[k].tag) == GX_PROP_ID(tags[i]))
				l->v[k--] = l->v[--l->count];
}

static int store_props(struct gx_conv *c)
{
	struct gx_proplist l;
	gx_gromox__about(&c->g->notes, "store");
	int err = gx_gromox__props(c->g, GX_GROMOX_STORE, 0, 0, c->item, &l);
	if (err != 0)
		return err;
	const struct gx_propval *created = gx_proplist_get(&l, PidTagCreationTime);
	if (created != NULL)
		err = gx_meta__set_int(c->t->q, "created", (int64_t)created->v.time);
	return err != 0 ? err : gx_conv__ec(c, gx_store_set_props(c->t, &l));
}

static int notice(struct gx_conv *c, const char *name, struct gx_bin text, const char **ret_subject,
	const char **ret_text)
{
	if (text.len == 0 || c->o->notice == NULL)
		return 0;
	int err = c->o->notice(c->item, text, ret_subject, ret_text, c->o->mail_ctx);
	if (err == 0 || err == GX_E_NOMEM)
		return err;
	return gx_conv__note(c, GX_CONV_SETTING, gx_arena_printf(c->item, "%s/config/%s", c->g->dir, name),
		"cannot be read: %s", gx_strerror(err));
}

static int oof(struct gx_conv *c, const struct gx_gromox_config *f)
{
	struct gx_oof o = {.state = f->oof_state, .external = f->allow_external, .known_only = f->known_senders_only};
	if (!f->has_oof && f->internal_reply.len == 0 && f->external_reply.len == 0)
		return 0;
	o.from = f->start == 0 ? 0 : gx_nttime_from_unix(f->start, 0);
	o.until = f->end == 0 ? 0 : gx_nttime_from_unix(f->end, 0);
	int err = notice(c, "internal-reply", f->internal_reply, &o.subject, &o.message);
	if (err == 0)
		err = notice(c, "external-reply", f->external_reply, &o.external_subject, &o.external_message);
	return err != 0 ? err : gx_conv__ec(c, gx_oof_set(c->t, &o));
}

static size_t count(const char *const *v)
{
	size_t n = 0;
	while (v[n] != NULL)
		n++;
	return n;
}

/* The place where newer versions keep the photo and the profile: properties with names of Gromox's own. */
#define PSETID_GROMOX {0x1de937e2, 0x85c6, 0x40a1, {0xbd, 0x9d, 0xa6, 0xe2, 0xb7, 0xb7, 0x87, 0xb1}}

/* Only what newer versions have not taken over already. */
static int blob_prop(struct gx_conv *c, const char *name, struct gx_bin b)
{
	const struct gx_propname n = {.set = PSETID_GROMOX, .by_name = true, .name = name};
	struct gx_proplist have, l = {0};
	uint16_t id = 0;
	if (b.len == 0)
		return 0;
	int err = gx_conv__ec(c, gx_store_named_ids(c->t, true, &n, 1, &id));
	if (err != 0 || id == 0)
		return err;
	gx_proptag_t tag = GX_PROP_TAG(id, PtypBinary);
	err = gx_conv__ec(c, gx_store_get_props(c->t, &tag, 1, c->item, &have));
	if (err != 0 || have.count > 0)
		return err;
	err = gx_proplist_set_bin(&l, c->item, tag, b.data, b.len);
	return err != 0 ? err : gx_conv__ec(c, gx_store_set_props(c->t, &l));
}

/* Properties of the profile are the store's now; its sections stay one blob for those who ask for them. */
static int profile(struct gx_conv *c, struct gx_bin b)
{
	const struct gx_gromox_px x = {.a = c->item, .map = c->map};
	struct gx_proplist l, *sections;
	size_t n;
	if (b.len == 0)
		return 0;
	int err = gx_gromox__profile(&x, b, &l, &sections, &n);
	if (err == GX_E_NOMEM)
		return err;
	if (err != 0)
		return gx_conv__note(c, GX_CONV_SETTING, gx_arena_printf(c->item, "%s/config/zarafa.dat", c->g->dir),
			"is damaged; left out");
	err = gx_conv__ec(c, gx_store_set_props(c->t, &l));
	return err != 0 ? err : blob_prop(c, "zcore_profsect", b);
}

static int settings(struct gx_conv *c)
{
	struct gx_gromox_config f;
	int err = gx_gromox__config(c->g, c->item, &f);
	if (err == 0)
		err = oof(c, &f);
	if (err == 0)
		err = gx_conv__ec(c, gx_delegates_set(c->t, GX_DELEGATE_ON_BEHALF, f.delegates, count(f.delegates)));
	if (err == 0)
		err = gx_conv__ec(c, gx_delegates_set(c->t, GX_DELEGATE_SEND_AS, f.send_as, count(f.send_as)));
	if (err == 0)
		err = blob_prop(c, "photo", f.photo);
	return err != 0 ? err : profile(c, f.profile);
}

/* Who has read what in a public store. A change number without a state: marked as unread again. */
static int read_states(struct gx_conv *c)
{
	if (!gx_gromox__has_table(c->g->q, "read_states"))
		return 0;
	GX_STMT(st, c->g->q, "SELECT s.message_id,s.username,c.read_cn,1 FROM read_states s LEFT JOIN read_cns c"
		" ON c.message_id=s.message_id AND c.username=s.username"
		" UNION ALL SELECT c.message_id,c.username,c.read_cn,0 FROM read_cns c WHERE NOT EXISTS"
		" (SELECT 1 FROM read_states s WHERE s.message_id=c.message_id AND s.username=c.username)");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_msg_row row;
		uint64_t mid = gx_sql__u64(st, 0);
		int found = gx_msg__row(c->t, mid, &row);
		if (found == 0)
			err = gx_put__read(c->t, gx_sql__text(st, 1), row.fid, mid, gx_sql__u64(st, 2), gx_sql__int(st, 3) != 0);
		else if (found != GX_E_NOTFOUND)
			err = found;
	}
	return err != 0 ? err : r;
}

static int lost(struct gx_conv *c)
{
	uint64_t n = 0;
	gx_gromox__about(&c->g->notes, "store");
	int err = gx_gromox__lost_embedded(c->g, &n);
	return err != 0 || n == 0 ? err : gx_conv__note(c, GX_CONV_MESSAGE, NULL,
		"%llu embedded messages belong to no attachment; left out",
		(unsigned long long)n);
}

int gx_conv__rest(struct gx_conv *c)
{
	int err = gx_conv__searches(c);
	if (err == 0)
		err = store_props(c);
	if (err == 0)
		err = settings(c);
	if (err == 0)
		err = read_states(c);
	if (err == 0)
		err = lost(c);
	gx_arena_reset(c->item);
	return err;
}
