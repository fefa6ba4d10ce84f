/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/storeset.h>
#include "libgxstore/store-int.h"

/* Replica numbers of this store and the GUIDs behind them, [MS-OXCSTOR] 3.2.5.8, [gromox formats 5]. */

#define FIRST_OTHER 6U

static const struct gx_guid fixed[] = {
	[2] = {0xed33cbe5, 0x94e2, 0x48b6, {0x8b, 0xea, 0xbb, 0xa9, 0x84, 0x89, 0x69, 0x33}},
	[3] = {0x68349a54, 0x323d, 0x4a38, {0x9a, 0xa9, 0xe0, 0x0a, 0x68, 0x31, 0x31, 0xba}},
	[4] = {0xbb0754de, 0x7f26, 0x4d08, {0x93, 0x2f, 0xfe, 0x7a, 0x9d, 0x22, 0xf8, 0xbd}},
};

gx_ec gx_replica_guid(struct gx_txn *t, uint16_t replid, struct gx_guid *ret_guid)
{
	if (replid == 1) {
		*ret_guid = t->s->replica;
		return GX_OK_EC;
	}
	if (replid >= 2 && replid < sizeof(fixed) / sizeof(fixed[0])) {
		*ret_guid = fixed[replid];
		return GX_OK_EC;
	}
	GX_STMT(st, t->q, "SELECT guid FROM replicas WHERE replid=?1");
	gx_sql__bind_int(st, 1, replid);
	int r = gx_sql__step(st);
	if (r < 0)
		return gx_txn__ec(t, r);
	struct gx_bin b = r > 0 ? gx_sql__blob(st, 0) : (struct gx_bin){0};
	if (b.len != 16)
		return GX_EC(ecNotFound);
	gx_guid_get(b.data, ret_guid);
	return GX_OK_EC;
}

/* 1 found, 0 not. */
static int find(struct gx_txn *t, const uint8_t guid[16], uint16_t *ret_replid)
{
	GX_STMT(st, t->q, "SELECT replid FROM replicas WHERE guid=?1");
	gx_sql__bind_blob(st, 1, guid, 16);
	int r = gx_sql__step(st);
	if (r > 0)
		*ret_replid = (uint16_t)gx_sql__int(st, 0);
	return r;
}

static gx_ec add(struct gx_txn *t, const uint8_t guid[16], uint16_t *ret_replid)
{
	uint64_t id = FIRST_OTHER;
	gx_ec ec = gx_txn__writable(t);
	if (gx_ec_failed(ec))
		return ec;
	{
		GX_STMT(max, t->q, "SELECT COALESCE(MAX(replid)+1,6) FROM replicas");
		int r = gx_sql__step(max);
		if (r < 0)
			return gx_txn__ec(t, r);
		id = gx_sql__u64(max, 0);
	}
	if (id > UINT16_MAX)
		return gx_txn__fail(t, ecTooBig, "the store knows as many replicas as there are numbers");
	GX_STMT(st, t->q, "INSERT INTO replicas(replid,guid) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)id);
	gx_sql__bind_blob(st, 2, guid, 16);
	int err = gx_sql__run(st);
	if (err == 0)
		*ret_replid = (uint16_t)id;
	return gx_txn__ec(t, err);
}

gx_ec gx_replica_id(struct gx_txn *t, const struct gx_guid *guid, bool create, uint16_t *ret_replid)
{
	uint8_t b[16];
	if (gx_guid_cmp(guid, &t->s->replica) == 0) {
		*ret_replid = 1;
		return GX_OK_EC;
	}
	for (uint16_t i = 2; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (gx_guid_cmp(guid, &fixed[i]) == 0) {
			*ret_replid = i;
			return GX_OK_EC;
		}
	gx_guid_put(guid, b);
	int r = find(t, b, ret_replid);
	if (r != 0)
		return gx_txn__ec(t, r < 0 ? r : 0);
	return create ? add(t, b, ret_replid) : GX_EC(ecNotFound);
}
