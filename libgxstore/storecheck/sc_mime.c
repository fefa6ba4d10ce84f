/* SPDX-License-Identifier: Apache-2.0 */
/* The internet form of messages: the original, and what IMAP asks of all messages at once. */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))

static const struct gx_store_check_info subs[] = {
	{"message-mime", "body", "a message with an original has its row for IMAP", GX_FINDING_BROKEN, true},
	{"mime-unused", "body", "a row for IMAP belongs to a message", GX_FINDING_WASTE, true},
	{"mime-size", "body", "the original of a message has the size that IMAP is told", GX_FINDING_BROKEN, true},
	{"message-size", "message", "a message has the size of its original", GX_FINDING_WRONG, true},
	{"message-original", "body", "a message knows whether it has an original", GX_FINDING_BROKEN, true},
};

static int find_missing(struct gx_sc *k)
{
	GX_STMT(st, k->q,
		"SELECT DISTINCT body FROM msg WHERE (flags&2048)<>0 AND body IN (SELECT id FROM body) AND body NOT IN "
		"(SELECT id FROM mime)");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_sc__say(k, 0, gx_sql__u64(st, 0), "body %llx: its row for IMAP is missing",
			(unsigned long long)gx_sql__u64(st, 0));
	return err != 0 ? err : r;
}

static int find_unused(struct gx_sc *k)
{
	GX_STMT(st, k->q, "SELECT id FROM mime i WHERE NOT EXISTS(SELECT 1 FROM msg WHERE " GX_SC_OF_BODY("i.id") ")"
		" AND id NOT IN (SELECT body FROM shared WHERE refs=0)");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_sc__say(k, 1, gx_sql__u64(st, 0), "row %llx for IMAP belongs to no message",
			(unsigned long long)gx_sql__u64(st, 0));
	return err != 0 ? err : r;
}

/* The beginning of a skeleton says the size. */
static int find_sizes(struct gx_sc *k)
{
	GX_STMT(st, k->q, "SELECT i.id,i.size,substr(b.skeleton,1,16) FROM mime i JOIN body b ON b.id=i.id");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		uint64_t size = 0;
		if (gx_original__size(gx_sql__blob(st, 2), &size) == 0 && size != gx_sql__u64(st, 1))
			err = gx_sc__say(k, 2, gx_sql__u64(st, 0), "body %llx: IMAP is told %llu bytes, it has %llu",
				(unsigned long long)gx_sql__u64(st, 0), (unsigned long long)gx_sql__u64(st, 1),
				(unsigned long long)size);
	}
	return err != 0 ? err : r;
}

static int find_messages(struct gx_sc *k)
{
	GX_STMT(st, k->q,
		"SELECT m.mid,m.size,i.size FROM msg m JOIN mime i ON i.id=m.body WHERE (m.flags&2048)<>0 AND m.size<>i.size");
	int r = 0, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0)
		err = gx_sc__say(k, 3, gx_sql__u64(st, 0), "message %llx: size %lld, its original has %lld",
			(unsigned long long)gx_sql__u64(st, 0), (long long)gx_sql__int(st, 1),
			(long long)gx_sql__int(st, 2));
	if (err != 0 || r < 0)
		return err != 0 ? err : r;
	GX_STMT(flag, k->q, "SELECT DISTINCT m.body FROM msg m JOIN mime i ON i.id=m.body WHERE NOT m.flags&2048");
	while (err == 0 && (r = gx_sql__step(flag)) > 0)
		err = gx_sc__say(k, 4, gx_sql__u64(flag, 0), "body %llx: has a row for IMAP, but the message says it has no original",
			(unsigned long long)gx_sql__u64(flag, 0));
	return err != 0 ? err : r;
}

static int find(struct gx_sc *k)
{
	int err = find_missing(k);
	err = err != 0 ? err : find_unused(k);
	err = err != 0 ? err : find_sizes(k);
	return err != 0 ? err : find_messages(k);
}

/* All messages with this body: no original from now on; one is made when it is asked for. */
static int no_original(struct gx_sc *k, uint64_t body)
{
	int err = gx_sc__run(k, "UPDATE msg SET flags=flags&~2048 WHERE " GX_SC_OF_BODY("?1"), body, 0);
	if (err == 0)
		err = gx_sc__set_aside(k, "mime", "id=?1", body);
	return err != 0 ? err : gx_sc__run(k, "DELETE FROM mime WHERE id=?1", body, 0);
}

static int write_mime(struct gx_sc *k, uint64_t body, const struct gx_push *original, const struct gx_push *envelope,
	const struct gx_push *structure)
{
	GX_STMT(st, k->q, "REPLACE INTO mime(id,size,envelope,structure) VALUES(?1,?2,?3,?4)");
	gx_sql__bind_int(st, 1, (int64_t)body);
	gx_sql__bind_int(st, 2, (int64_t)original->len);
	gx_sql__bind_blob(st, 3, envelope->data, envelope->len);
	gx_sql__bind_blob(st, 4, structure->data, structure->len);
	int err = gx_sql__run(st);
	return err != 0 ? err
			: gx_sc__run(k, "UPDATE msg SET flags=flags|2048, size=?2 WHERE " GX_SC_OF_BODY("?1"), body,
				  original->len);
}

/* From the original, when it can be had and somebody can describe it. */
static int make_mime(struct gx_sc *k, uint64_t body)
{
	struct gx_push original = GX_PUSH_INIT, envelope = GX_PUSH_INIT, structure = GX_PUSH_INIT;
	struct gx_bin skel;
	int err = gx_body__skeleton(k->t, body, k->a, &skel);
	if (err == 0) {
		int r = gx_original__read(k->t->c->cio, k->q, skel, 0, UINT64_MAX, &original);
		if (r == 0 && original.len == 0)
			err = no_original(k, body);
		else if (r == 0 && k->o->describe != NULL &&
			 k->o->describe((struct gx_bin){original.data, original.len}, &envelope, &structure, k->o->ctx) == 0)
			err = write_mime(k, body, &original, &envelope, &structure);
		else
			err = r == GX_E_NOMEM ? r : 0; /* stays a finding */
	}
	gx_push_release(&original);
	gx_push_release(&envelope);
	gx_push_release(&structure);
	return err;
}

static int repair(struct gx_sc *k, const struct gx_sc_item *v, size_t n)
{
	int err = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		switch (v[i].sub) {
		case 1:
			err = gx_sc__run(k, "DELETE FROM mime WHERE id=?1", v[i].object, 0);
			break;
		case 3:
			err = gx_sc__run(k, "UPDATE msg SET size=(SELECT size FROM mime WHERE id=body) WHERE mid=?1", v[i].object, 0);
			break;
		default:
			err = make_mime(k, v[i].object);
		}
	return err;
}

const struct gx_sc_check gx_sc__message_mime = {.subs = subs, .nsubs = N(subs), .find = find, .repair = repair};
