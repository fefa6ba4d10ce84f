/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/store-int.h"

#define FIRST_ID 0x8001U
#define LAST_ID 0xf000U /* [gromox formats 5]: 0x7000 entries */
#define NAME_BYTES 1023U

/* GUID, kind, then LID or name; names in PS_INTERNET_HEADERS are caseless, [MS-OXPROPS] 1.3.2. */
static int key_of(struct gx_arena *a, const struct gx_propname *n, struct gx_bin *ret_key)
{
	static const struct gx_guid headers = {0x00020386, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
	const char *name = n->by_name ? n->name : "";
	if (name == NULL || strlen(name) > NAME_BYTES)
		return GX_E_INVAL;
	if (n->by_name && gx_guid_cmp(&n->set, &headers) == 0 && (name = gx_fold__key(a, name)) == NULL)
		return GX_E_NOMEM;
	size_t len = n->by_name ? strlen(name) : 4;
	uint8_t *p = gx_arena_alloc(a, 17 + len);
	if (p == NULL)
		return GX_E_NOMEM;
	gx_guid_put(&n->set, p);
	p[16] = n->by_name;
	if (n->by_name)
		memcpy(p + 17, name, len);
	else
		for (unsigned i = 0; i < 4; i++)
			p[17 + i] = (uint8_t)(n->lid >> 8 * i);
	*ret_key = (struct gx_bin){p, 17 + len};
	return 0;
}

static int find(struct gx_txn *t, struct gx_bin key, uint16_t *ret_id)
{
	GX_STMT(st, t->q, "SELECT id FROM named WHERE key=?1");
	gx_sql__bind_blob(st, 1, key.data, key.len);
	int r = gx_sql__step(st);
	if (r > 0)
		*ret_id = (uint16_t)gx_sql__int(st, 0);
	return r;
}

static int insert(struct gx_txn *t, uint16_t id, struct gx_bin key, const char *name)
{
	GX_STMT(st, t->q, "INSERT INTO named(id,key,name) VALUES(?1,?2,?3)");
	gx_sql__bind_int(st, 1, id);
	gx_sql__bind_blob(st, 2, key.data, key.len);
	gx_sql__bind_text(st, 3, name);
	return gx_sql__run(st);
}

/* 0 when the store has as many names as ids. */
static int add(struct gx_txn *t, struct gx_bin key, const char *name, uint16_t *ret_id)
{
	uint64_t id = FIRST_ID;
	{
		GX_STMT(max, t->q, "SELECT MAX(id) FROM named");
		int r = gx_sql__step(max);
		if (r < 0)
			return r;
		if (r > 0 && gx_sql__u64(max, 0) >= FIRST_ID)
			id = gx_sql__u64(max, 0) + 1;
	}
	if (id > LAST_ID) {
		*ret_id = 0;
		return 0;
	}
	*ret_id = (uint16_t)id;
	return insert(t, (uint16_t)id, key, name);
}

int gx_named__put(struct gx_txn *t, uint16_t id, const struct gx_propname *n, uint16_t *ret_id)
{
	struct gx_bin key;
	int err = key_of(t->a, n, &key);
	if (err != 0)
		return err;
	int r = find(t, key, ret_id);
	if (r != 0)
		return r < 0 ? r : 0;
	if (id > LAST_ID)
		return add(t, key, n->by_name ? n->name : NULL, ret_id);
	*ret_id = id;
	return insert(t, id, key, n->by_name ? n->name : NULL);
}

int gx_named__ids(struct gx_txn *t, bool create, const struct gx_propname *v, size_t n, uint16_t *ret_ids)
{
	for (size_t i = 0; i < n; i++) {
		struct gx_bin key;
		int err = key_of(t->a, &v[i], &key);
		if (err != 0)
			return err;
		ret_ids[i] = 0;
		err = find(t, key, &ret_ids[i]);
		if (err == 0 && create)
			err = add(t, key, v[i].by_name ? v[i].name : NULL, &ret_ids[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

gx_ec gx_store_named_ids(struct gx_txn *t, bool create, const struct gx_propname *v, size_t n, uint16_t *ret_ids)
{
	if (create) {
		gx_ec ec = gx_txn__writable(t);
		if (gx_ec_failed(ec))
			return ec;
	}
	return gx_txn__ec(t, gx_named__ids(t, create, v, n, ret_ids));
}

static int name_of(struct gx_txn *t, uint16_t id, struct gx_arena *a, struct gx_propname *ret_n)
{
	GX_STMT(st, t->q, "SELECT key,name FROM named WHERE id=?1");
	gx_sql__bind_int(st, 1, id);
	memset(ret_n, 0, sizeof(*ret_n));
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	struct gx_bin key = gx_sql__blob(st, 0);
	if (key.len < 17 || (key.data[16] == 0 && key.len != 21))
		return gx_sql__fail(t->q, GX_E_FORMAT, "%s: named property %x is damaged", t->s->file, id);
	gx_guid_get(key.data, &ret_n->set);
	ret_n->by_name = key.data[16] != 0;
	if (!ret_n->by_name) {
		for (unsigned i = 0; i < 4; i++)
			ret_n->lid |= (uint32_t)key.data[17 + i] << 8 * i;
		return 0;
	}
	ret_n->name = gx_arena_strdup(a, gx_sql__text(st, 1));
	return ret_n->name == NULL ? GX_E_NOMEM : 0;
}

gx_ec gx_store_named_names(struct gx_txn *t, const uint16_t *ids, size_t n, struct gx_arena *a, struct gx_propname *ret_v)
{
	for (size_t i = 0; i < n; i++) {
		int err = name_of(t, ids[i], a, &ret_v[i]);
		if (err != 0)
			return gx_txn__ec(t, err);
	}
	return GX_OK_EC;
}

gx_ec gx_store_named_list(struct gx_txn *t, struct gx_arena *a, uint16_t **ret_ids, size_t *ret_n)
{
	uint16_t *v = NULL;
	size_t n = 0, cap = 0;
	int r;
	GX_STMT(st, t->q, "SELECT id FROM named ORDER BY id");
	while ((r = gx_sql__step(st)) > 0) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		if (v == NULL)
			return gx_txn__ec(t, GX_E_NOMEM);
		v[n++] = (uint16_t)gx_sql__int(st, 0);
	}
	*ret_ids = v;
	*ret_n = n;
	return gx_txn__ec(t, r);
}
