/* SPDX-License-Identifier: Apache-2.0 */
/* Version 4 full details, [MS-OXOAB] 2.9. */
#include <config.h>
#include <string.h>
#include <gx/proptag.h>
#include "libgxproto/oab/oab-int.h"

enum { ANR = 1, PRIMARY_KEY = 2 };

struct attribute {
	gx_proptag_t tag;
	uint32_t flags;
};

static const struct attribute of_book[] = {
	{PidTagOfflineAddressBookName, 0}, {PidTagOfflineAddressBookDistinguishedName, 0}, {PidTagOfflineAddressBookSequence, 0},
	{PidTagOfflineAddressBookContainerGuid, 0}, {PidTagAddressBookHierarchicalRootDepartment, 0},
};
/* The DN stands first: where a record begins it says whose it is. */
static const struct attribute of_people[] = {
	{GX_PROP_RETYPE(PidTagEmailAddress, PtypString8), PRIMARY_KEY}, {PidTagSmtpAddress, ANR | PRIMARY_KEY}, {PidTagDisplayName, ANR},
	{PidTagAccount, ANR}, {PidTagSurname, ANR}, {PidTagGivenName, ANR}, {PidTagOfficeLocation, ANR}, {PidTagDisplayType, 0},
	{PidTagObjectType, 0}, {PidTagSendRichInfo, 0}, {PidTagBusinessTelephoneNumber, 0}, {PidTagInitials, 0}, {PidTagStreetAddress, 0},
	{PidTagLocality, 0}, {PidTagStateOrProvince, 0}, {PidTagPostalCode, 0}, {PidTagCountry, 0}, {PidTagTitle, 0}, {PidTagCompanyName, 0},
	{PidTagAssistant, 0}, {PidTagDepartmentName, 0}, {PidTagAddressBookTargetAddress, 0}, {PidTagHomeTelephoneNumber, 0},
	{PidTagPrimaryFaxNumber, 0}, {PidTagMobileTelephoneNumber, 0}, {PidTagPagerTelephoneNumber, 0}, {PidTagComment, 0},
	{PidTagUserX509Certificate, 0}, {PidTagAddressBookProxyAddresses, 0}, {PidTagDisplayTypeEx, 0}, {PidTagAddressBookRoomCapacity, 0},
	{PidTagAddressBookObjectGuid, 0},
};
enum { BOOK = sizeof(of_book) / sizeof(of_book[0]), PEOPLE = sizeof(of_people) / sizeof(of_people[0]) };

uint32_t gx_oab__crc(const void *data, size_t len)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	const uint8_t *p = data;
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < len; ++i) {
		crc = (crc >> 4) ^ nibble[(crc ^ p[i]) & 0xf];
		crc = (crc >> 4) ^ nibble[(crc ^ p[i] >> 4) & 0xf];
	}
	return crc;
}

/* ---- Values, [MS-OXOAB] 2.9.6 ---- */

static void push_int(struct gx_push *out, uint32_t n)
{
	uint8_t count = n < 0x80 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffff ? 3 : 4;
	if (count == 0) {
		gx_push_u8(out, (uint8_t)n);
		return;
	}
	gx_push_u8(out, (uint8_t)(0x80 | count));
	for (uint8_t i = 0; i < count; ++i)
		gx_push_u8(out, (uint8_t)(n >> 8 * i));
}

static void push_value(struct gx_push *out, uint16_t type, const union gx_value *v)
{
	switch (type) {
	case PtypInteger32:
		push_int(out, (uint32_t)v->i32);
		return;
	case PtypBoolean:
		gx_push_u8(out, v->b);
		return;
	case PtypString:
	case PtypString8:
		gx_push_strz(out, v->str);
		return;
	case PtypBinary:
		push_int(out, (uint32_t)v->bin.len);
		gx_push_bytes(out, v->bin.data, v->bin.len);
		return;
	}
	if (!(type & 0x1000)) {
		gx_push_fail(out, GX_E_INTERNAL);
		return;
	}
	push_int(out, v->mv.count);
	for (uint32_t i = 0; i < v->mv.count; ++i)
		push_value(out, type & 0x0fff, &v->mv.v[i]);
}

/* ---- Records ---- */

struct record {
	size_t start, bits;
};

static struct record begin(struct gx_push *out, unsigned attributes)
{
	struct record r = {out->len, out->len + 4};
	gx_push_u32(out, 0);
	for (unsigned i = 0; i < (attributes + 7) / 8; ++i)
		gx_push_u8(out, 0);
	return r;
}

static void add(struct gx_push *out, const struct record *r, unsigned i, gx_proptag_t tag, const union gx_value *v)
{
	if (out->err != 0)
		return;
	out->data[r->bits + i / 8] |= (uint8_t)(0x80 >> i % 8);
	push_value(out, GX_PROP_TYPE(tag), v);
}

static void end(struct gx_push *out, const struct record *r)
{
	if (out->err == 0)
		gx_push_patch_u32(out, r->start, (uint32_t)(out->len - r->start));
}

static void table(struct gx_push *out, const struct attribute *v, uint32_t n)
{
	gx_push_u32(out, n);
	for (uint32_t i = 0; i < n; ++i) {
		gx_push_u32(out, v[i].tag);
		gx_push_u32(out, v[i].flags);
	}
}

static void push_book(struct gx_push *out, uint32_t sequence, const char *guid)
{
	struct record r = begin(out, BOOK);
	add(out, &r, 0, of_book[0].tag, &(union gx_value){.str = "\\Global Address List"});
	add(out, &r, 1, of_book[1].tag, &(union gx_value){.str = "/"});
	add(out, &r, 2, of_book[2].tag, &(union gx_value){.i32 = (int32_t)sequence});
	add(out, &r, 3, of_book[3].tag, &(union gx_value){.str = guid});
	end(out, &r);
}

static int push_entry(struct nsp_call *c, uint32_t entry, struct gx_push *out)
{
	struct record r = begin(out, PEOPLE);
	int ret = 0;
	for (unsigned i = 0; i < PEOPLE && ret >= 0; ++i) {
		struct gx_propval pv;
		ret = gx_nsp__prop(c, entry, 0, of_people[i].tag, &pv);
		if (ret == 1)
			add(out, &r, i, of_people[i].tag, &pv.v);
	}
	end(out, &r);
	return ret < 0 ? ret : out->err;
}

int gx_oab__details(struct nsp_call *c, uint32_t sequence, const char *guid, struct gx_push *out, size_t *ret_people)
{
	struct nsp_call inner = *c;
	uint32_t n = 0;
	int err = 0;
	size_t start = out->len;
	inner.a = gx_arena_new(0);
	if (inner.a == NULL)
		return GX_E_NOMEM;
	gx_push_u32(out, OAB_VERSION);
	gx_push_u32(out, 0);
	gx_push_u32(out, 0);
	gx_push_u32(out, 4 + 8 * (BOOK + PEOPLE) + 8);
	table(out, of_book, BOOK);
	table(out, of_people, PEOPLE);
	push_book(out, sequence, guid);
	*ret_people = out->len;
	for (uint32_t i = 0; i < c->b->n && err == 0; ++i) {
		uint32_t entry = c->b->by_id[i];
		if (!gx_nsp__sees(c, entry) || (c->b->v[entry].hidden & NSP_HIDE_GAL))
			continue;
		err = push_entry(&inner, entry, out);
		gx_arena_reset(inner.a);
		++n;
	}
	gx_arena_free(inner.a);
	if (err == 0 && out->err == 0) {
		gx_push_patch_u32(out, start + 8, n);
		gx_push_patch_u32(out, start + 4, gx_oab__crc(out->data + start + OAB_HEADER, out->len - start - OAB_HEADER));
	}
	return err != 0 ? err : out->err;
}

int gx_oab__records(struct gx_arena *a, struct gx_bin b, struct oab_record **ret_v, size_t *ret_n)
{
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	uint32_t version = gx_pull_u32(&c);
	gx_pull_skip(&c, 4);
	size_t n = gx_pull_count(&c, (uint64_t)gx_pull_u32(&c) + 1, 4 + 1), i = 0;
	uint32_t meta = gx_pull_u32(&c);
	gx_pull_skip(&c, meta < 4 ? SIZE_MAX : meta - 4);
	struct oab_record *v = c.err == 0 ? gx_arena_new_array(a, struct oab_record, n + 1) : NULL;
	if (c.err == 0 && version != OAB_VERSION)
		gx_pull_fail(&c, GX_E_FORMAT);
	if (c.err == 0 && v == NULL)
		return GX_E_NOMEM;
	for (; i < n && c.err == 0; ++i) {
		uint32_t size = gx_pull_u32(&c), domain;
		struct gx_pull r = gx_pull_child(&c, size < 4 ? SIZE_MAX : size - 4);
		const char *local;
		v[i] = (struct oab_record){0, (size_t)(c.p - c.start)};
		gx_pull_skip(&r, i == 0 ? 0 : (PEOPLE + 7) / 8);
		if (i != 0 && !gx_dn_parse(gx_pull_strz(&r), &domain, &v[i].id, &local))
			gx_pull_fail(&c, GX_E_FORMAT);
	}
	if (c.err == 0 && c.left != 0)
		gx_pull_fail(&c, GX_E_FORMAT);
	*ret_v = v;
	*ret_n = n;
	return c.err;
}
