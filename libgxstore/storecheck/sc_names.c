/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that give numbers to names: named properties and sets of keywords. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))
#define FIRST_ID 0x8001
#define LAST_ID 0xf000

static const struct gx_store_check_info subs[] = {
	{"named-property", "named property", "the name of a property can be read", GX_FINDING_BROKEN, true},
	{"named-missing", "named property", "properties that messages have are named", GX_FINDING_BROKEN, true},
	{"keyword-set", "keyword set", "the keywords of a set can be read", GX_FINDING_BROKEN, true},
	{"keyword-key", "keyword set", "the key of a set of keywords is its names in lower case", GX_FINDING_WRONG, true},
};

/* GUID, kind, then LID or name; see named.c. */
static bool good_key(int64_t id, struct gx_bin key, const char *name)
{
	if (id < FIRST_ID || id > LAST_ID || key.len < 17 || key.data[16] > 1)
		return false;
	return key.data[16] == 0 ? key.len == 21 : *name != '\0' && gx_utf8_valid(name, strlen(name));
}

static int find_named(struct gx_sc *k)
{
	GX_STMT(st, k->q, "SELECT id,key,name FROM named");
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		if (!good_key(gx_sql__int(st, 0), gx_sql__blob(st, 1), gx_sql__text(st, 2)))
			err = gx_sc__say(k, 0, gx_sql__u64(st, 0), "the name of property %llx is damaged",
				(unsigned long long)gx_sql__u64(st, 0));
	return err != 0 ? err : r;
}

/* Which ids messages and attachments use, one bit each. */
static void mark_ids(struct gx_arena *a, struct gx_bin row, uint8_t *used)
{
	struct gx_prow_iter it;
	struct gx_propval pv;
	if (gx_prow_begin(&it, row.data, row.len) != 0)
		return;
	while (gx_prow_next(&it, a, &pv) > 0)
		if (GX_PROP_IS_NAMED(pv.tag))
			used[GX_PROP_ID(pv.tag) >> 3 & 0xfff] |= (uint8_t)(1 << (GX_PROP_ID(pv.tag) & 7));
}

static int mark_all(struct gx_sc *k, struct gx_arena *a, uint8_t *used)
{
	GX_STMT(st, k->q,
		"SELECT props FROM body UNION ALL SELECT props FROM att UNION ALL SELECT props FROM folders WHERE props IS NOT NULL");
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		gx_arena_reset(a);
		mark_ids(a, gx_sql__blob(st, 0), used);
	}
	return r;
}

static int find_missing(struct gx_sc *k)
{
	uint8_t used[0x1000] = {0};
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : mark_all(k, a, used);
	gx_arena_free(a);
	for (uint64_t id = FIRST_ID; err == 0 && id <= LAST_ID; id++) {
		int64_t there = 0;
		if ((used[id >> 3 & 0xfff] >> (id & 7) & 1) == 0)
			continue;
		err = gx_sc__number(k, "SELECT 1 FROM named WHERE id=?1", id, &there);
		if (err == 0 && !there)
			err = gx_sc__say(k, 1, id, "property %llx is used but has no name", (unsigned long long)id);
	}
	return err;
}

/* Makes them the key. */
static bool good_names(char *s)
{
	if (*s == '\0')
		return false;
	for (char *p = s; *p != '\0'; p++) {
		if ((uint8_t)*p < ' ' || *p == 0x7f || (*p == ' ' && (p == s || p[1] == ' ' || p[1] == '\0')))
			return false;
		*p = (char)gx_ascii_tolower((uint8_t)*p);
	}
	return true;
}

static int find_keywords(struct gx_sc *k)
{
	GX_STMT(st, k->q, "SELECT id,names,key FROM kwsets");
	struct gx_arena *a = gx_arena_new(0);
	int r = a == NULL ? GX_E_NOMEM : 0, err = 0;
	while (a != NULL && err == 0 && (r = gx_sql__step(st)) > 0) {
		uint64_t id = gx_sql__u64(st, 0);
		gx_arena_reset(a);
		char *key = gx_arena_strdup(a, gx_sql__text(st, 1));
		if (key == NULL)
			err = GX_E_NOMEM;
		else if (!good_names(key))
			err = gx_sc__say(k, 2, id, "keyword set %llu is damaged", (unsigned long long)id);
		else if (strcmp(key, gx_sql__text(st, 2)) != 0)
			err = gx_sc__say(k, 3, id, "keyword set %llu has the key \"%.100s\" instead of \"%.100s\"",
				(unsigned long long)id, gx_sql__text(st, 2), key);
	}
	gx_arena_free(a);
	return err != 0 ? err : r;
}

static int find(struct gx_sc *k)
{
	int err = find_named(k);
	err = err != 0 ? err : find_missing(k);
	return err != 0 ? err : find_keywords(k);
}

/* A name that nobody else uses: the value stays with the message and can be told from others. */
static int invent_name(struct gx_sc *k, uint64_t id)
{
	static const struct gx_guid public_strings = {0x00020329, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
	char name[32];
	uint8_t key[17 + sizeof(name)];
	int n = snprintf(name, sizeof(name), "lost-name-%04x", (unsigned)id);
	gx_guid_put(&public_strings, key);
	key[16] = 1;
	memcpy(key + 17, name, (size_t)n);
	GX_STMT(st, k->q, "INSERT INTO named(id,key,name) VALUES(?1,?2,?3)");
	gx_sql__bind_int(st, 1, (int64_t)id);
	gx_sql__bind_blob(st, 2, key, 17 + (size_t)n);
	gx_sql__bind_text(st, 3, name);
	return gx_sql__run(st);
}

/* Two sets with the same names cannot be: the messages of the damaged one take the other. */
static int fix_key(struct gx_sc *k, uint64_t id)
{
	int64_t other = 0;
	int err = gx_sc__number(
		k, "SELECT id FROM kwsets WHERE key=(SELECT lower(names) FROM kwsets WHERE id=?1) AND id<>?1", id, &other);
	if (err == 0 && other == 0)
		return gx_sc__run(k, "UPDATE kwsets SET key=lower(names) WHERE id=?1", id, 0);
	err = err != 0 ? err : gx_sc__run(k, "UPDATE msg SET kwset=?2 WHERE kwset=?1", id, (uint64_t)other);
	return err != 0 ? err : gx_sc__run(k, "DELETE FROM kwsets WHERE id=?1", id, 0);
}

static int remove_row(struct gx_sc *k, const char *table, const char *sql, uint64_t id)
{
	int err = gx_sc__set_aside(k, table, "id=?1", id);
	return err != 0 ? err : gx_sc__run(k, sql, id, 0);
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 0: err = remove_row(k, "named", "DELETE FROM named WHERE id=?1", v[i].object); break;
		case 1: err = invent_name(k, v[i].object); break;
		case 2: err = remove_row(k, "kwsets", "DELETE FROM kwsets WHERE id=?1", v[i].object); break;
		default: err = fix_key(k, v[i].object);
		}
	return err;
}

const struct gx_sc_check gx_sc__names = {.subs = subs, .nsubs = N(subs), .find = find, .repair = repair};
