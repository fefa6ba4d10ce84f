/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/entryid.h>

#include "libgxmapi/entryid-table.h"

static uint64_t swap48(uint64_t v)
{
	uint64_t out = 0;
	for (unsigned i = 0; i < 6; ++i)
		out |= (v >> (8 * i) & 0xff) << (8 * (5 - i));
	return out;
}

uint64_t gx_eid_make(uint16_t replica, uint64_t counter)
{
	return swap48(counter) << 16 | replica;
}

uint16_t gx_eid_replica(uint64_t eid)
{
	return (uint16_t)eid;
}

uint64_t gx_eid_counter(uint64_t eid)
{
	return swap48(eid >> 16);
}

uint64_t gx_eid_wire(uint64_t id)
{
	uint16_t replica = (uint16_t)(id >> 48);
	return id == 0 ? 0 : gx_eid_make(replica == 0 ? 1 : replica, id & GX_COUNTER_MAX);
}

uint64_t gx_eid_plain(uint64_t eid)
{
	uint64_t replica = gx_eid_replica(eid);
	return (replica == 1 ? 0 : replica << 48) | gx_eid_counter(eid);
}

bool gx_eid_holds(gx_proptag_t tag)
{
	switch (tag) {
	case PidTagFolderId:
	case PidTagParentFolderId:
	case PidTagMid:
	case PidTagChangeNumber:
	case PidTagInstID:
	case PidTagRuleId:
		return true;
	default:
		return false;
	}
}

static int encode(struct gx_arena *a, uint32_t which, const void *obj, struct gx_bin *ret_bin)
{
	const struct gx_dctx x = GX_DCTX(a);
	return gx_desc_encode(&x, gx_entryid_desc(which), obj, ret_bin);
}

int gx_entryid_folder(struct gx_arena *a, const struct gx_guid *provider, const struct gx_guid *database,
	uint64_t counter, struct gx_bin *ret_bin)
{
	struct gx_folder_eid e = {
		.provider = provider != NULL ? *provider : pbLongTermNonPrivateGuid,
		.type = provider != NULL ? GX_FOLDER_EID_PRIVATE : GX_FOLDER_EID_PUBLIC,
		.database = *database,
		.counter = counter,
	};
	return encode(a, GX_ENTRYID_FOLDER_EID, &e, ret_bin);
}

int gx_entryid_message(struct gx_arena *a, const struct gx_guid *provider, const struct gx_guid *folder_database,
	uint64_t folder_counter, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin)
{
	struct gx_message_eid e = {
		.provider = provider != NULL ? *provider : pbLongTermNonPrivateGuid,
		.type = provider != NULL ? GX_MESSAGE_EID_PRIVATE : GX_MESSAGE_EID_PUBLIC,
		.folder_database = *folder_database,
		.folder_counter = folder_counter,
		.database = *database,
		.counter = counter,
	};
	return encode(a, GX_ENTRYID_MESSAGE_EID, &e, ret_bin);
}

int gx_entryid_store(struct gx_arena *a, const char *server, const char *mailbox_dn, struct gx_bin *ret_bin)
{
	struct gx_store_eid e = {
		.provider = muidStoreWrap,
		.dll = "EMSMDB.DLL",
		.wrapped_provider = mailbox_dn != NULL ? muidStorePrivate : muidStorePublic,
		.wrapped_type = mailbox_dn != NULL ? GX_STORE_EID_PRIVATE : GX_STORE_EID_PUBLIC,
		.server = server,
		.has_mailbox_dn = mailbox_dn != NULL,
		.mailbox_dn = mailbox_dn,
	};
	return encode(a, GX_ENTRYID_STORE_EID, &e, ret_bin);
}

int gx_entryid_oneoff(struct gx_arena *a, const char *name, const char *type, const char *address, struct gx_bin *ret_bin)
{
	struct gx_oneoff_eid e = {
		.provider = muidOOP,
		.bits = GX_ONEOFF_USUAL,
		.name = name != NULL ? name : address,
		.address_type = type,
		.address = address,
	};
	return encode(a, GX_ENTRYID_ONEOFF_EID, &e, ret_bin);
}

int gx_entryid_addressbook(struct gx_arena *a, uint32_t display_type, const char *dn, struct gx_bin *ret_bin)
{
	struct gx_addressbook_eid e = {.provider = muidEMSAB, .type = display_type, .dn = dn};
	return encode(a, GX_ENTRYID_ADDRESSBOOK_EID, &e, ret_bin);
}

int gx_entryid_gid(struct gx_arena *a, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin)
{
	struct gx_gid e = {.database = *database, .counter = counter};
	return encode(a, GX_ENTRYID_GID, &e, ret_bin);
}

int gx_entryid_longterm(struct gx_arena *a, const struct gx_guid *database, uint64_t counter, struct gx_bin *ret_bin)
{
	struct gx_longterm_id e = {.database = *database, .counter = counter};
	return encode(a, GX_ENTRYID_LONGTERM_ID, &e, ret_bin);
}

int gx_search_key(struct gx_arena *a, const char *type, const char *address, struct gx_bin *ret_bin)
{
	char *s = gx_arena_printf(a, "%s:%s", type, address);
	if (s == NULL)
		return GX_E_NOMEM;
	for (char *p = s; *p != '\0'; ++p)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	*ret_bin = (struct gx_bin){.data = (const uint8_t *)s, .len = strlen(s) + 1};
	return 0;
}

static bool has_provider(struct gx_bin eid, const struct gx_guid *want)
{
	struct gx_guid g;
	if (eid.len < 20)
		return false;
	gx_guid_get(eid.data + 4, &g);
	return gx_guid_cmp(&g, want) == 0;
}

/* The 16-bit type behind the provider. */
static unsigned type_at_20(struct gx_bin eid)
{
	return eid.len < 22 ? 0 : eid.data[20] | (unsigned)eid.data[21] << 8;
}

uint32_t gx_entryid_kind(struct gx_bin eid)
{
	unsigned type = type_at_20(eid);
	if (has_provider(eid, &muidOOP))
		return GX_ENTRYID_ONEOFF_EID;
	if (has_provider(eid, &muidEMSAB))
		return GX_ENTRYID_ADDRESSBOOK_EID;
	if (has_provider(eid, &muidStoreWrap))
		return GX_ENTRYID_STORE_EID;
	if (has_provider(eid, &muidContabDLL))
		return GX_ENTRYID_CONTACT_EID;
	if (has_provider(eid, &WAB_GUID))
		return GX_ENTRYID_WRAPPED_EID;
	if (eid.len == 32 && eid.data[0] == 0x87)
		return GX_ENTRYID_EPHEMERAL_EID;
	if (eid.len == 46 && (type == GX_FOLDER_EID_PRIVATE || type == GX_FOLDER_EID_PUBLIC ||
	    type == GX_FOLDER_EID_MAPPED_PUBLIC || type == GX_FOLDER_EID_NEWSGROUP))
		return GX_ENTRYID_FOLDER_EID;
	if (eid.len == 70 && (type == GX_MESSAGE_EID_PRIVATE || type == GX_MESSAGE_EID_PUBLIC ||
	    type == GX_MESSAGE_EID_MAPPED_PUBLIC))
		return GX_ENTRYID_MESSAGE_EID;
	return GX_ENTRYID_GENERAL_EID;
}

void gx_entryid_print(struct gx_strbuf *b, struct gx_arena *a, struct gx_bin eid)
{
	const struct gx_dctx x = GX_DCTX(a);
	const struct gx_desc *d = gx_entryid_desc(gx_entryid_kind(eid));
	void *obj = gx_arena_alloc(a, d->size);
	if (obj != NULL && gx_desc_decode(&x, d, eid.data, eid.len, obj) == 0)
		gx_desc_print(b, &x, d, obj);
	else
		gx_value_print(b, PtypBinary, &(union gx_value){.bin = eid});
}

int gx_entryid_address(struct gx_arena *a, struct gx_bin eid, const char **ret_type, const char **ret_address,
	const char **ret_name)
{
	const struct gx_dctx x = GX_DCTX(a);
	uint32_t kind = gx_entryid_kind(eid);
	if (kind == GX_ENTRYID_ONEOFF_EID) {
		struct gx_oneoff_eid e;
		int err = gx_desc_decode(&x, gx_entryid_desc(kind), eid.data, eid.len, &e);
		if (err != 0)
			return err;
		*ret_type = e.address_type;
		*ret_address = e.address;
		*ret_name = e.name;
		return 0;
	}
	if (kind == GX_ENTRYID_ADDRESSBOOK_EID) {
		struct gx_addressbook_eid e;
		int err = gx_desc_decode(&x, gx_entryid_desc(kind), eid.data, eid.len, &e);
		if (err != 0)
			return err;
		*ret_type = "EX";
		*ret_address = e.dn;
		*ret_name = NULL;
		return 0;
	}
	return GX_E_UNSUP;
}
