/* SPDX-License-Identifier: Apache-2.0 */
/* Folders with their properties, rights and rules. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include <gx/pr-names.h>
#include "libgxstore/gromox/conv-int.h"

#define NAME_BYTES 1000U
#define KNOWN_RIGHTS (GX_RIGHTS_ALL | GX_RIGHT_CONTACT | GX_RIGHT_FB_SIMPLE | GX_RIGHT_FB_DETAILED)

/* ---- Names ---- */

/* At most so many bytes, not within a character. */
static size_t cut(const char *s, size_t max)
{
	size_t n = strlen(s);
	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

static int taken(struct gx_conv *c, uint64_t parent, const char *name, uint64_t self)
{
	char *fold = gx_fold__key(c->item, name);
	if (fold == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, c->t->q, "SELECT 1 FROM folders WHERE parent=?1 AND fold=?2 AND NOT flags&1 AND fid<>?3");
	gx_sql__bind_int(st, 1, (int64_t)parent);
	gx_sql__bind_text(st, 2, fold);
	gx_sql__bind_int(st, 3, (int64_t)self);
	return gx_sql__step(st);
}

/* Names are unique among siblings in our store, in Gromox by convention only. */
static int choose_name(struct gx_conv *c, const struct gx_gromox_folder *f, const struct gx_proplist *l,
	const char **ret_name)
{
	const char *want = gx_proplist_str(l, PidTagDisplayName, "");
	const char *base = *want != '\0' ? gx_arena_strndup(c->item, want, cut(want, NAME_BYTES)) :
		gx_arena_printf(c->item, "Folder %llx", (unsigned long long)f->fid), *name = base;
	int r = 0;
	for (unsigned i = 2; base != NULL && name != NULL && !f->deleted &&
	     (r = taken(c, f->parent, name, f->fid)) > 0; i++)
		name = gx_arena_printf(c->item, "%s (%u)", base, i);
	if (base == NULL || name == NULL || r < 0)
		return r < 0 ? r : GX_E_NOMEM;
	*ret_name = name;
	if (strcmp(name, want) == 0)
		return 0;
	return gx_conv__note(c, GX_CONV_FOLDER, NULL, 
		*want == '\0' ? "has no name, is \"%s\" now" : strlen(want) > NAME_BYTES ?
		"has too long a name, is \"%.200s\" now" : "has the name of its sibling, is \"%.200s\" now", name);
}

/* ---- The row ---- */

static const gx_proptag_t computed[] = {
	PidTagFolderId, PidTagParentFolderId, PidTagChangeNumber, PidTagContentCount, PidTagContentUnreadCount,
	PidTagAssociatedContentCount, PidTagFolderType, PidTagMessageSize, PidTagMessageSizeExtended, PidTagSubfolders,
	PidTagRights, PidTagDeletedCountTotal,
	PidTagLocalCommitTimeMax, PidTagInternetArticleNumber, PidTagHierarchyChangeNumber,
};

bool gx_conv__own_key(const struct gx_conv *c, const struct gx_proplist *l, uint64_t cn)
{
	const struct gx_propval *pv = gx_proplist_get(l, PidTagChangeKey);
	uint8_t guid[16];
	if (pv == NULL || pv->v.bin.len != 22)
		return pv == NULL;
	gx_guid_put(&c->s->replica, guid);
	uint64_t n = 0;
	for (int i = 16; i < 22; i++)
		n = n << 8 | pv->v.bin.data[i];
	return memcmp(pv->v.bin.data, guid, 16) == 0 && n == cn;
}

static int set_state(struct gx_conv *c, const struct gx_gromox_folder *f, const struct gx_proplist *l)
{
	const struct gx_propval *changed = gx_proplist_get(l, PidTagLocalCommitTimeMax);
	struct gx_fstate *s;
	int err = gx_fstate__get(c->t, f->fid, &s);
	if (err != 0)
		return err;
	/* What IMAP clients of Gromox know as UIDVALIDITY, [gromox formats 7]. */
	if (f->fid <= UINT32_MAX)
		s->uidvalidity = (uint32_t)f->fid;
	s->removed = (uint64_t)(uint32_t)gx_proplist_i32(l, PidTagDeletedCountTotal, 0);
	s->changed_at = changed == NULL ? 0 : changed->v.time;
	s->dirty = true;
	return f->fid <= UINT32_MAX ? 0 : gx_conv__note(c, GX_CONV_IMAP, NULL,
		"has a number too large for IMAP: UIDs begin anew");
}

/*
 * The change key of a folder is made of its change number. Where a client's change gave it another one, that stays
 * in the predecessor list, which has ours in addition: clients take the folder once more.
 */
static int keys(struct gx_conv *c, const struct gx_gromox_folder *f, struct gx_proplist *l)
{
	static const gx_proptag_t key = PidTagChangeKey;
	const struct gx_propval *pcl = gx_proplist_get(l, PidTagPredecessorChangeList);
	struct gx_bin b;
	bool own = gx_conv__own_key(c, l, f->cn);
	gx_conv__drop(l, &key, 1);
	if (own || pcl == NULL)
		return 0;
	int err = gx_pcl_add(c->item, gx_proplist_get(l, PidTagPredecessorChangeList)->v.bin, &c->s->replica, f->cn, &b);
	if (err == GX_E_FORMAT || err == GX_E_TRUNC) {
		static const gx_proptag_t list = PidTagPredecessorChangeList;
		gx_conv__drop(l, &list, 1);
		return gx_conv__note(c, GX_CONV_FOLDER, NULL, "its predecessor change list is damaged; left out");
	}
	return err != 0 ? err : gx_proplist_set_bin(l, c->item, PidTagPredecessorChangeList, b.data, b.len);
}

static int insert(struct gx_conv *c, const struct gx_gromox_folder *f)
{
	struct gx_folder_new n = {.fid = f->fid, .parent = f->parent, .cn = f->cn,
		.type = f->search ? GX_FOLDER_SEARCH : GX_FOLDER_GENERIC};
	struct gx_proplist l;
	uint32_t uidlast;
	bool subscribed = false;
	int err = gx_gromox__props(c->g, GX_GROMOX_FOLDER, f->fid, 0, c->item, &l);
	if (err == 0)
		err = choose_name(c, f, &l, &n.name);
	if (err == 0)
		err = gx_gromox__imap_folder(c->g, f->fid, &uidlast, &subscribed);
	if (err < 0)
		return err;
	n.container_class = gx_proplist_str(&l, PidTagContainerClass, "");
	n.flags = (f->deleted ? GX_FF_DELETED : 0) | (subscribed ? GX_FF_SUBSCRIBED : 0);
	err = gx_put__drop_folder(c->t, f->fid);
	if (err == 0)
		err = gx_folder__insert(c->t, &n);
	if (err == 0)
		err = set_state(c, f, &l);
	if (err != 0)
		return err;
	gx_conv__drop(&l, computed, sizeof(computed) / sizeof(computed[0]));
	err = keys(c, f, &l);
	return err != 0 ? err : gx_conv__ec(c, gx_folder__init_props(c->t, &n, &l));
}

/* ---- Rights ---- */

static int one_right(struct gx_conv *c, uint64_t fid, const char *member, uint32_t rights)
{
	if (strlen(member) > 320 || !gx_utf8_valid(member, strlen(member)))
		return gx_conv__note(c, GX_CONV_RIGHTS, NULL,
			"the rights of \"%.60s...\" are left out: no address is like that", member);
	int err = rights & ~KNOWN_RIGHTS ? gx_conv__note(c, GX_CONV_RIGHTS, NULL,
		"\"%.320s\" has unknown rights %x; left out", member,
		rights & ~KNOWN_RIGHTS) : 0;
	return err != 0 ? err : gx_perm__set(c->t, fid, member, rights & KNOWN_RIGHTS, false);
}

/* In Gromox the store says what members have that a folder does not name. */
static int rights(struct gx_conv *c, uint64_t fid)
{
	const struct gx_gromox_info *i = &c->g->info;
	struct gx_gromox_perm *v;
	size_t n;
	bool has_default = false, has_anonymous = false;
	int err = gx_gromox__permissions(c->g, fid, c->item, &v, &n);
	for (size_t k = 0; err == 0 && k < n; k++) {
		has_default |= gx_ascii_casecmp(v[k].member, "default") == 0;
		has_anonymous |= *v[k].member == '\0';
		err = one_right(c, fid, v[k].member, v[k].rights);
	}
	if (err == 0 && !has_default && i->has_default && i->default_rights != 0)
		err = one_right(c, fid, "default", i->default_rights);
	if (err == 0 && !has_anonymous && i->has_anonymous && i->anonymous_rights != 0)
		err = one_right(c, fid, "", i->anonymous_rights);
	return err;
}

/* ---- Rules ---- */

static int rules(struct gx_conv *c, uint64_t fid)
{
	struct gx_gromox_rule *v;
	size_t n;
	int err = gx_gromox__rules(c->g, fid, c->item, &v, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = gx_put__rule(c->t, fid, &v[i], c->item);
	return err;
}

/* ---- All of them ---- */

static int one(struct gx_conv *c, const struct gx_gromox_folder *f)
{
	gx_arena_reset(c->item);
	gx_gromox__about(&c->g->notes, "folder %llx", (unsigned long long)f->fid);
	int err = insert(c, f);
	if (err == 0)
		err = rights(c, f->fid);
	if (err == 0)
		err = rules(c, f->fid);
	return err;
}

static bool has(const struct gx_conv *c, uint64_t fid)
{
	for (size_t i = 0; i < c->folder_count; i++)
		if (c->folders[i].fid == fid)
			return true;
	return false;
}

/*
 * Built-in folders that the source does not have yet were made with the store; their change numbers must not be those
 * of others.
 */
static int missing(struct gx_conv *c)
{
	int err = 0;
	for (uint64_t fid = 1; err == 0 && gx_folder__builtin(c->s, fid); fid++)
		if (!has(c, fid))
			err = gx_folder__touch(c->t, fid);
	return err;
}

static int receive(struct gx_conv *c)
{
	struct gx_gromox_receive *v;
	size_t n;
	gx_gromox__about(&c->g->notes, "receive table");
	int err = gx_gromox__receive(c->g, c->item, &v, &n);
	if (err == 0 && n > 0)
		err = gx_put__clear_receive(c->t);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = has(c, v[i].fid) ? gx_put__receive(c->t, &v[i]) :
			gx_conv__note(c, GX_CONV_FOLDER, NULL, "class \"%.100s\" goes to a folder that is missing; left out",
				v[i].cls);
	return err;
}

int gx_conv__folders(struct gx_conv *c)
{
	int err = 0;
	while (err == 0 && c->st.folder < c->folder_count) {
		err = one(c, &c->folders[c->st.folder]);
		if (err != 0)
			break;
		c->st.folder++;
		c->st.folders++;
		err = gx_conv__step(c);
	}
	if (err == 0)
		err = missing(c);
	if (err == 0)
		err = receive(c);
	c->st.folder = 0;
	gx_arena_reset(c->item);
	return err;
}
