/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the new store that are put there as they were in the old one. */
#include <config.h>
#include <string.h>
#include "libgxstore/gromox/conv-int.h"

int gx_put__guids(struct gx_txn *t, const struct gx_guid *mailbox, const struct gx_guid *replica)
{
	uint8_t b[16];
	int err = 0;
	if (mailbox != NULL) {
		gx_guid_put(mailbox, b);
		err = gx_meta__set_blob(t->q, "mailbox", b, 16);
		t->s->mailbox = *mailbox;
	}
	if (err == 0 && replica != NULL) {
		gx_guid_put(replica, b);
		err = gx_meta__set_blob(t->q, "replica", b, 16);
		t->s->replica = *replica;
	}
	return err;
}

int gx_put__replica(struct gx_txn *t, uint16_t replid, const struct gx_guid *guid)
{
	uint8_t b[16];
	gx_guid_put(guid, b);
	GX_STMT(st, t->q, "INSERT OR IGNORE INTO replicas(replid,guid) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, replid);
	gx_sql__bind_blob(st, 2, b, 16);
	return gx_sql__run(st);
}

int gx_put__reserved(struct gx_txn *t, uint64_t first, uint64_t last)
{
	GX_STMT(st, t->q, "INSERT OR IGNORE INTO reserved(first,last) VALUES(?1,?2)");
	gx_sql__bind_int(st, 1, (int64_t)first);
	gx_sql__bind_int(st, 2, (int64_t)last);
	return gx_sql__run(st);
}

int gx_put__replied(struct gx_txn *t, const char *peer, int64_t at)
{
	char *key = gx_fold__key(t->a, peer);
	if (key == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, t->q, "REPLACE INTO replied(peer,at) VALUES(?1,?2)");
	gx_sql__bind_text(st, 1, key);
	gx_sql__bind_int(st, 2, at);
	return gx_sql__run(st);
}

int gx_put__clear_receive(struct gx_txn *t)
{
	return gx_sql__exec(t->q, "DELETE FROM receive");
}

int gx_put__receive(struct gx_txn *t, const struct gx_gromox_receive *r)
{
	GX_STMT(st, t->q, "REPLACE INTO receive(class,fid,modified) VALUES(?1,?2,?3)");
	gx_sql__bind_text(st, 1, r->cls);
	gx_sql__bind_int(st, 2, (int64_t)r->fid);
	gx_sql__bind_int(st, 3, (int64_t)r->modified);
	return gx_sql__run(st);
}

int gx_put__read(struct gx_txn *t, const char *user, uint64_t fid, uint64_t mid, uint64_t rcn, bool read)
{
	char *key = gx_fold__key(t->a, user);
	int err = key == NULL ? GX_E_NOMEM : gx_schema__late(t->q, GX_LATE_PREAD);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "REPLACE INTO pread(user,fid,mid,isread,rcn) VALUES(?1,?2,?3,?4,?5)");
	gx_sql__bind_text(st, 1, key);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	gx_sql__bind_int(st, 3, (int64_t)mid);
	gx_sql__bind_int(st, 4, read);
	gx_sql__bind_int(st, 5, (int64_t)rcn);
	return gx_sql__run(st);
}

/* EXT encoding with wide counts, as the exmdb protocol has restrictions. NULL gives an empty one. */
static int pack_restr(struct gx_arena *a, const struct gx_restr *r, struct gx_bin *ret_b)
{
	const struct gx_px px = GX_PX_EXT(a);
	struct gx_push out = GX_PUSH_INIT;
	*ret_b = (struct gx_bin){NULL, 0};
	if (r == NULL)
		return 0;
	gx_px_push_restr(&out, &px, r);
	int err = out.err != 0 ? out.err : gx_push_finish(&out, a, ret_b);
	gx_push_release(&out);
	return err;
}

static void bind_bin(struct gx_stmt *st, int i, struct gx_bin b)
{
	if (b.data == NULL)
		gx_sql__bind_null(st, i);
	else
		gx_sql__bind_blob(st, i, b.data, b.len);
}

int gx_put__rule(struct gx_txn *t, uint64_t fid, const struct gx_gromox_rule *r, struct gx_arena *a)
{
	struct gx_bin condition;
	int err = pack_restr(a, r->condition, &condition);
	if (err == 0)
		err = gx_schema__late(t->q, GX_LATE_RULES);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "REPLACE INTO rules(id,fid,sequence,state,level,user_flags,name,provider,provider_data,"
		"condition,actions) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)");
	gx_sql__bind_int(st, 1, (int64_t)r->id);
	gx_sql__bind_int(st, 2, (int64_t)fid);
	gx_sql__bind_int(st, 3, r->sequence);
	gx_sql__bind_int(st, 4, r->state);
	gx_sql__bind_int(st, 5, r->level);
	gx_sql__bind_int(st, 6, r->user_flags);
	gx_sql__bind_text(st, 7, r->name);
	gx_sql__bind_text(st, 8, r->provider);
	bind_bin(st, 9, r->provider_data);
	bind_bin(st, 10, condition);
	bind_bin(st, 11, r->actions);
	return gx_sql__run(st);
}

int gx_put__drop_folder(struct gx_txn *t, uint64_t fid)
{
	GX_STMT(st, t->q, "DELETE FROM folders WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	int err = gx_sql__run(st);
	return err != 0 ? err : gx_perm__drop(t, fid);
}

int gx_put__hide_folder(struct gx_txn *t, uint64_t fid, bool hide)
{
	GX_STMT(st, t->q, "UPDATE folders SET flags=flags&~1|?2 WHERE fid=?1");
	gx_sql__bind_int(st, 1, (int64_t)fid);
	gx_sql__bind_int(st, 2, hide ? GX_FF_DELETED : 0);
	return gx_sql__run(st);
}
