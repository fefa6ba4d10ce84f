/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry says of itself: some of it made here, [MS-OXOABK] 2.2.3, the rest as the directory has it. */
#include <config.h>
#include <string.h>
#include <gx/entryid.h>
#include <gx/proptag.h>
#include "libgxproto/nsp/nsp-int.h"

enum { DT_MAILUSER = 0, DT_DISTLIST = 1, DT_REMOTE_MAILUSER = 6, DTE_ROOM = 7, DTE_EQUIPMENT = 8 };
enum { MAPI_MAILUSER = 6, MAPI_DISTLIST = 8, MAPI_ABCONT = 4 };
#define DTE_FLAG_ACL_CAPABLE 0x40000000

const char *gx_nsp__dn(const struct nsp_call *c, uint32_t entry)
{
	const struct gx_dir_entry *e = c->b->v[entry].e;
	const struct gx_user u = {.id = e->id, .domain_id = e->domain_id, .username = e->username};
	return gx_dn_of_user(c->a, c->n->org, &u);
}

/* What is being asked, for the functions below. Each gives 1, 0 or GX_E_*. */
struct ask {
	struct nsp_call *c;
	uint32_t entry, flags;
	const struct nsp_entry *e;
	union gx_value *v;
};

static int number(const struct ask *k, int32_t n)
{
	k->v->i32 = n;
	return 1;
}

static int text(const struct ask *k, const char *s)
{
	k->v->str = s;
	return s == NULL ? GX_E_NOMEM : 1;
}

static int32_t display_type(const struct nsp_entry *e)
{
	return e->kind == NSP_LIST ? DT_DISTLIST : e->kind == NSP_CONTACT ? DT_REMOTE_MAILUSER : DT_MAILUSER;
}

static int prop_display_type(const struct ask *k)
{
	return number(k, display_type(k->e));
}

/* Permissions on folders can be given to whoever has a mailbox, and to lists. */
static int prop_display_type_ex(const struct ask *k)
{
	static const int32_t types[] = {[NSP_MAILBOX] = DT_MAILUSER | DTE_FLAG_ACL_CAPABLE, [NSP_LIST] = DT_DISTLIST, [NSP_CONTACT] = DT_REMOTE_MAILUSER,
		[NSP_ROOM] = DTE_ROOM | DTE_FLAG_ACL_CAPABLE, [NSP_EQUIPMENT] = DTE_EQUIPMENT | DTE_FLAG_ACL_CAPABLE};
	return number(k, types[k->e->kind]);
}

static int prop_object_type(const struct ask *k)
{
	return number(k, k->e->kind == NSP_LIST ? MAPI_DISTLIST : MAPI_MAILUSER);
}

static int ephemeral(const struct ask *k)
{
	const struct gx_ephemeral_eid e = {.provider = k->c->n->guid, .type = (uint32_t)display_type(k->e), .mid = gx_nsp__mid(k->c, k->entry)};
	const struct gx_dctx x = GX_DCTX(k->c->a);
	struct gx_push p = GX_PUSH_INIT;
	gx_ephemeral_eid_push(&p, &x, &e);
	int err = gx_push_finish(&p, k->c->a, &k->v->bin);
	gx_push_release(&p);
	return err != 0 ? err : 1;
}

static int permanent(const struct ask *k)
{
	const char *dn = gx_nsp__dn(k->c, k->entry);
	int err = dn == NULL ? GX_E_NOMEM : gx_entryid_addressbook(k->c->a, (uint32_t)display_type(k->e), dn, &k->v->bin);
	return err != 0 ? err : 1;
}

static int prop_entryid(const struct ask *k)
{
	return k->flags & NSP_EPHEMERAL_IDS ? ephemeral(k) : permanent(k);
}

static int bytes(const struct ask *k, const void *p, size_t n)
{
	k->v->bin = (struct gx_bin){gx_arena_memdup(k->c->a, p, n), n};
	return k->v->bin.data == NULL ? GX_E_NOMEM : 1;
}

static int prop_instance_key(const struct ask *k)
{
	uint32_t mid = gx_nsp__mid(k->c, k->entry);
	const uint8_t b[] = {(uint8_t)mid, (uint8_t)(mid >> 8), (uint8_t)(mid >> 16), (uint8_t)(mid >> 24)};
	return bytes(k, b, sizeof(b));
}

static int prop_mapping_signature(const struct ask *k)
{
	static const uint8_t provider[16] = {0xdc, 0xa7, 0x40, 0xc8, 0xc0, 0x42, 0x10, 0x1a, 0xb4, 0xb9, 0x08, 0x00, 0x2b, 0x2f, 0xe1, 0x82}; /* muidEMSAB */
	return bytes(k, provider, sizeof(provider));
}

static int prop_search_key(const struct ask *k)
{
	const char *dn = gx_nsp__dn(k->c, k->entry);
	int err = dn == NULL ? GX_E_NOMEM : gx_search_key(k->c->a, "EX", dn, &k->v->bin);
	return err != 0 ? err : 1;
}

/* The same wherever this directory is served, other for each entry. */
static int prop_object_guid(const struct ask *k)
{
	struct gx_guid g = k->c->n->guid;
	uint8_t b[16];
	g.d1 ^= k->e->e->id;
	gx_guid_put(&g, b);
	return bytes(k, b, sizeof(b));
}

static int prop_container_id(const struct ask *k)
{
	return number(k, (int32_t)gx_nsp__mid(k->c, k->entry));
}

static int prop_address_type(const struct ask *k)
{
	return text(k, "EX");
}

static int prop_dn(const struct ask *k)
{
	return text(k, gx_nsp__dn(k->c, k->entry));
}

static int prop_name(const struct ask *k)
{
	return text(k, k->e->name);
}

static const char *stored_text(const struct ask *k, gx_proptag_t tag)
{
	struct gx_propval pv;
	const struct gx_bin *row = &k->e->e->props;
	return row->len != 0 && gx_prow_find(row->data, row->len, tag, k->c->a, &pv) == 0 && *pv.v.str != '\0' ? pv.v.str : NULL;
}

/* A contact's is where its mail goes; what it is called in the directory is none of the client's business. */
static const char *smtp_of(const struct ask *k)
{
	const char *other = k->e->kind == NSP_CONTACT ? stored_text(k, PidTagSmtpAddress) : NULL;
	return other != NULL ? other : k->e->e->username;
}

static int prop_smtp(const struct ask *k)
{
	return text(k, smtp_of(k));
}

static int prop_account(const struct ask *k)
{
	const char *s = k->e->e->username;
	return text(k, gx_arena_strndup(k->c->a, s, strcspn(s, "@")));
}

static int prop_rich_info(const struct ask *k)
{
	k->v->b = k->e->kind != NSP_CONTACT;
	return 1;
}

static int prop_proxies(const struct ask *k)
{
	uint32_t n = k->e->alias_count + 1;
	union gx_value *v = gx_arena_new_array(k->c->a, union gx_value, n);
	if (v == NULL)
		return GX_E_NOMEM;
	for (uint32_t i = 0; i < n; ++i) {
		const char *s = i == 0 ? smtp_of(k) : k->c->b->dir.aliases[k->e->alias + i - 1].name;
		v[i].str = gx_arena_printf(k->c->a, "%s:%s", i == 0 ? "SMTP" : "smtp", s); /* capitals: where answers go */
		if (v[i].str == NULL)
			return GX_E_NOMEM;
	}
	k->v->mv.v = v;
	k->v->mv.count = n;
	return 1;
}

static int prop_pane(const struct ask *k)
{
	return number(k, 0); /* of a dialog: the first */
}

static int prop_container_flags(const struct ask *k)
{
	return k->e->kind != NSP_LIST ? 0 : number(k, AB_RECIPIENTS | AB_UNMODIFIABLE);
}

static int prop_target(const struct ask *k)
{
	return k->e->kind != NSP_CONTACT ? 0 : text(k, gx_arena_printf(k->c->a, "SMTP:%s", smtp_of(k)));
}

static int prop_mdb(const struct ask *k)
{
	if (k->e->kind == NSP_LIST || k->e->kind == NSP_CONTACT || *k->e->e->maildir == '\0')
		return 0;
	return text(k, gx_arena_printf(k->c->a, "/o=%s/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Configuration/cn=Servers/cn=%s"
		"/cn=Microsoft Private MDB", k->c->n->org, k->c->n->host));
}

/* The mailbox's own, else what the directory has: contacts and lists have no mailbox. */
static int prop_photo(const struct ask *k)
{
	const struct gx_bin *row = &k->e->e->props;
	struct gx_propval pv;
	int err = gx_nsp__photo(k->c, k->entry, &k->v->bin);
	if (err == GX_E_NOTFOUND && row->len != 0) {
		err = gx_prow_find(row->data, row->len, PidTagThumbnailPhoto, k->c->a, &pv);
		k->v->bin = err == 0 ? pv.v.bin : k->v->bin;
	}
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : 1;
}

static int prop_member_count(const struct ask *k)
{
	struct nsp_set s = {0};
	if (k->e->kind != NSP_LIST)
		return 0;
	int err = gx_nsp__links(k->c, k->entry, PidTagAddressBookMember, &s);
	return err != 0 ? err : number(k, (int32_t)s.n);
}

static int prop_external_count(const struct ask *k)
{
	int32_t n = 0;
	if (k->e->kind != NSP_LIST)
		return 0;
	for (uint32_t i = 0; i < k->e->member_count; ++i)
		n += gx_nsp__by_address(k->c, k->c->b->dir.members[k->e->member + i].name) == NSP_NONE;
	return number(k, n);
}

static const struct {
	gx_proptag_t tag;
	int (*get)(const struct ask *k);
} made[] = {
	{PidTagObjectType, prop_object_type}, {PidTagInstanceKey, prop_instance_key}, {PidTagMappingSignature, prop_mapping_signature},
	{PidTagRecordKey, permanent}, {PidTagEntryId, prop_entryid}, {PidTagDisplayName, prop_name}, {PidTagAddressType, prop_address_type},
	{PidTagEmailAddress, prop_dn}, {PidTagSearchKey, prop_search_key}, {PidTagDisplayType, prop_display_type}, {PidTagTemplateid, permanent},
	{PidTagDisplayTypeEx, prop_display_type_ex}, {PidTagSmtpAddress, prop_smtp}, {PidTagAddressBookDisplayNamePrintable, prop_name},
	{PidTagAccount, prop_account}, {PidTagOriginalEntryId, permanent}, {PidTagTransmittableDisplayName, prop_name},
	{PidTagSendRichInfo, prop_rich_info}, {PidTagAddressBookHomeMessageDatabase, prop_mdb}, {PidTagAddressBookProxyAddresses, prop_proxies},
	{PidTagAddressBookTargetAddress, prop_target}, {PidTagAddressBookObjectDistinguishedName, prop_dn},
	{PidTagAddressBookObjectGuid, prop_object_guid}, {PidTagThumbnailPhoto, prop_photo},
	{PidTagAddressBookDistributionListMemberCount, prop_member_count},
	{PidTagAddressBookDistributionListExternalMemberCount, prop_external_count}, {PidTagAddressBookContainerId, prop_container_id},
	{PidTagInitialDetailsPane, prop_pane}, {PidTagContainerFlags, prop_container_flags},
};
enum { MADE = sizeof(made) / sizeof(made[0]) };

/* Tables that hang on an entry: on lists only, on others only, on all. */
static const struct {
	gx_proptag_t tag;
	bool of_lists, of_others;
} tables[] = {
	{GX_PROP_TAG(0x8008, PtypObject), true, true}, /* PidTagAddressBookIsMemberOfDistributionList */
	{PidTagContainerContents, true, false}, {PidTagAddressBookMember, true, false}, {PidTagAddressBookPublicDelegates, false, true},
	{PidTagAddressBookManager, false, true}, {PidTagAddressBookReports, false, true}, {PidTagAddressBookOwner, true, false},
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

const gx_proptag_t gx_nsp__known[] = {
	PidTagObjectType, PidTagInstanceKey, PidTagMappingSignature, PidTagRecordKey, PidTagEntryId, PidTagDisplayName, PidTagAddressType,
	PidTagEmailAddress, PidTagComment, PidTagSearchKey, PidTagDisplayType, PidTagTemplateid, PidTagDisplayTypeEx, PidTagSmtpAddress,
	PidTagAddressBookDisplayNamePrintable, PidTagAccount, PidTagGivenName, PidTagBusinessTelephoneNumber, PidTagHomeTelephoneNumber, PidTagInitials,
	PidTagSurname, PidTagOriginalEntryId, PidTagCompanyName, PidTagTitle, PidTagDepartmentName, PidTagOfficeLocation, PidTagPrimaryTelephoneNumber,
	PidTagBusiness2TelephoneNumber, PidTagMobileTelephoneNumber, PidTagTransmittableDisplayName, PidTagPagerTelephoneNumber,
	PidTagPrimaryFaxNumber, PidTagBusinessFaxNumber, PidTagHomeFaxNumber, PidTagCountry, PidTagLocality, PidTagStateOrProvince, PidTagStreetAddress,
	PidTagPostalCode, PidTagPostOfficeBox, PidTagAssistantTelephoneNumber, PidTagSendRichInfo, PidTagHome2TelephoneNumber, PidTagAssistant,
	PidTagNickname, PidTagUserX509Certificate, PidTagHomeAddressStreet, PidTagAddressBookRoomCapacity, PidTagAddressBookRoomDescription,
	PidTagAddressBookManager, PidTagAddressBookManagerDistinguishedName, PidTagAddressBookHomeMessageDatabase, GX_PROP_TAG(0x8008, PtypObject),
	PidTagAddressBookMember, PidTagAddressBookOwner, PidTagAddressBookReports, PidTagAddressBookProxyAddresses, PidTagAddressBookTargetAddress,
	PidTagAddressBookPublicDelegates, PidTagAddressBookExtensionAttribute1, PidTagAddressBookExtensionAttribute2,
	PidTagAddressBookExtensionAttribute3, PidTagAddressBookExtensionAttribute4, PidTagAddressBookExtensionAttribute5,
	PidTagAddressBookExtensionAttribute6, PidTagAddressBookExtensionAttribute7, PidTagAddressBookExtensionAttribute8,
	PidTagAddressBookExtensionAttribute9, PidTagAddressBookExtensionAttribute10, PidTagAddressBookObjectDistinguishedName,
	PidTagAddressBookX509Certificate, PidTagAddressBookObjectGuid, PidTagAddressBookPhoneticGivenName, PidTagAddressBookPhoneticSurname,
	PidTagAddressBookPhoneticDisplayName, PidTagThumbnailPhoto, PidTagAddressBookDistributionListMemberCount,
	PidTagAddressBookDistributionListExternalMemberCount, PidTagAddressBookContainerId, PidTagInitialDetailsPane, PidTagContainerFlags,
	PidTagContainerContents,
};
const uint32_t gx_nsp__known_count = sizeof(gx_nsp__known) / sizeof(gx_nsp__known[0]);

/* ---- Getting them ---- */

static bool is_text(uint16_t type)
{
	return type == PtypString || type == PtypString8;
}

static bool same_type(uint16_t want, uint16_t have)
{
	if (want == PtypUnspecified || want == have || (is_text(want) && is_text(have)))
		return true;
	return (want == PtypMultipleString8 && have == PtypMultipleString) || (want == PtypMultipleString && have == PtypMultipleString8);
}

static bool has_table(const struct nsp_entry *e, size_t i)
{
	return e->kind == NSP_LIST ? tables[i].of_lists : tables[i].of_others;
}

static int get_table(const struct nsp_entry *e, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	for (size_t i = 0; i < TABLES; ++i)
		if (GX_PROP_ID(tables[i].tag) == GX_PROP_ID(tag)) {
			ret_pv->tag = tables[i].tag;
			ret_pv->v.bin = (struct gx_bin){NULL, 0};
			return has_table(e, i);
		}
	return 0;
}

static int get_stored(struct nsp_call *c, const struct nsp_entry *e, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	if (e->e->props.len == 0)
		return 0;
	int err = gx_prow_find(e->e->props.data, e->e->props.len, GX_PROP_RETYPE(tag, PtypUnspecified), c->a, ret_pv);
	return err == GX_E_NOTFOUND ? 0 : err != 0 ? err : 1;
}

int gx_nsp__prop(struct nsp_call *c, uint32_t entry, uint32_t flags, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	const struct nsp_entry *e = &c->b->v[entry];
	const struct ask k = {c, entry, flags, e, &ret_pv->v};
	int r = 0;
	ret_pv->tag = 0;
	for (size_t i = 0; i < MADE && ret_pv->tag == 0; ++i)
		if (GX_PROP_ID(made[i].tag) == GX_PROP_ID(tag)) {
			ret_pv->tag = made[i].tag;
			if (!same_type(GX_PROP_TYPE(tag), GX_PROP_TYPE(made[i].tag)))
				return 0;
			r = made[i].get(&k);
		}
	if (ret_pv->tag == 0 && GX_PROP_TYPE(tag) == PtypObject)
		r = get_table(e, tag, ret_pv);
	else if (ret_pv->tag == 0)
		r = get_stored(c, e, tag, ret_pv);
	return r == 1 && !same_type(GX_PROP_TYPE(tag), GX_PROP_TYPE(ret_pv->tag)) ? 0 : r;
}

struct taglist {
	struct gx_arena *a;
	gx_proptag_t *v;
	size_t n, cap;
};

static int add_tag(struct taglist *l, gx_proptag_t tag)
{
	for (size_t i = 0; i < l->n; ++i)
		if (GX_PROP_ID(l->v[i]) == GX_PROP_ID(tag))
			return 0;
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return GX_E_NOMEM;
	l->v[l->n++] = tag;
	return 0;
}

static bool is_made(gx_proptag_t tag)
{
	for (size_t i = 0; i < MADE; ++i)
		if (GX_PROP_ID(made[i].tag) == GX_PROP_ID(tag))
			return true;
	return false;
}

static int add_stored(struct taglist *l, const struct nsp_entry *e)
{
	struct gx_prow_iter it;
	struct gx_propval pv;
	if (e->e->props.len == 0)
		return 0;
	int r = gx_prow_begin(&it, e->e->props.data, e->e->props.len);
	while (r == 0 && (r = gx_prow_next(&it, l->a, &pv)) == 1)
		r = is_made(pv.tag) ? 0 : add_tag(l, pv.tag);
	return r;
}

int gx_nsp__tags(struct nsp_call *c, uint32_t entry, uint32_t flags, gx_proptag_t **ret_v, uint32_t *ret_n)
{
	const struct nsp_entry *e = &c->b->v[entry];
	struct taglist l = {.a = c->a};
	struct gx_propval pv;
	int err = 0;
	for (size_t i = 0; i < MADE && err == 0; ++i) {
		int r = gx_nsp__prop(c, entry, flags, made[i].tag, &pv);
		err = r < 0 ? r : r == 1 ? add_tag(&l, made[i].tag) : 0;
	}
	for (size_t i = 0; i < TABLES && err == 0 && !(flags & NSP_SKIP_OBJECTS); ++i)
		err = has_table(e, i) ? add_tag(&l, tables[i].tag) : 0;
	if (err == 0)
		err = add_stored(&l, e);
	*ret_v = l.v;
	*ret_n = (uint32_t)l.n;
	return err;
}
