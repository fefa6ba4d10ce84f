/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/store-int.h"

#define PAGE_SIZE 4096
#define FIRST_FREE_ID 0x100

static const struct {
	const char *cls;
	uint64_t fid;
} receive_table[] = {
	{"", GX_FID_INBOX}, {"IPC", GX_FID_ROOT}, {"IPM", GX_FID_INBOX}, {"REPORT.IPM", GX_FID_INBOX},
};

/* [gromox formats 3]; posting to public folders is open to everybody who is known. */
static const struct {
	bool pub;
	uint64_t fid;
	uint32_t rights;
} default_rights[] = {
	{false, GX_FID_CALENDAR, GX_RIGHT_FB_SIMPLE | GX_RIGHT_VISIBLE},
	{false, GX_FID_FREEBUSY, GX_RIGHT_FB_SIMPLE},
	{true, GX_FID_PUB_ROOT, GX_RIGHT_VISIBLE},
	{true, GX_FID_PUB_IPMSUBTREE, GX_RIGHT_READ | GX_RIGHT_CREATE | GX_RIGHT_EDIT_OWN | GX_RIGHT_DELETE_OWN | GX_RIGHT_VISIBLE},
};

#define N(v) (sizeof(v) / sizeof((v)[0]))

struct making {
	const struct gx_store_create_opts *o;
	struct gx_sql *q;
	struct gx_arena *a;
	int64_t now;
};

static int put_folder(struct making *k, const struct gx_builtin *b, const char *name)
{
	const char *fold = gx_fold__key(k->a, name);
	if (fold == NULL)
		return gx_sql__fail(k->q, GX_E_NOMEM, "out of memory");
	GX_STMT(f, k->q, "INSERT INTO folders(fid,parent,name,fold,class,type,flags,cn,created,modified,props)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?1,?8,?8,NULL)");
	gx_sql__bind_int(f, 1, (int64_t)b->fid);
	gx_sql__bind_int(f, 2, (int64_t)b->parent);
	gx_sql__bind_text(f, 3, name);
	gx_sql__bind_text(f, 4, fold);
	gx_sql__bind_text(f, 5, b->cls);
	gx_sql__bind_int(f, 6, b->type);
	gx_sql__bind_int(f, 7, b->flags);
	gx_sql__bind_int(f, 8, (int64_t)gx_nttime_from_unix(k->now, 0));
	int err = gx_sql__run(f);
	if (err != 0)
		return err;
	GX_STMT(s, k->q, "INSERT INTO fstate(fid,uidvalidity,uidnext,modseq,total,unread,fai,softdel,size,log_bytes,log_floor)"
		" VALUES(?1,?2,1,?1,0,0,0,0,0,0,0)");
	gx_sql__bind_int(s, 1, (int64_t)b->fid);
	gx_sql__bind_int(s, 2, (uint32_t)k->now);
	return gx_sql__run(s);
}

static int put_folders(struct making *k)
{
	bool pub = k->o->public_store;
	size_t n;
	const struct gx_builtin *v = gx_builtin__folders(pub, &n);
	const char *const *names = k->o->folder_names == NULL ? NULL : k->o->folder_names(k->o->lang, k->o->ctx);
	if (names == NULL)
		names = gx_builtin__names(k->o->lang);
	for (size_t i = 0; i < n; i++) {
		int err = put_folder(k, &v[i], v[i].localised >= 0 ? names[v[i].localised] : v[i].name);
		if (err != 0)
			return err;
	}
	GX_STMT(s, k->q, "INSERT INTO fstate(fid,uidvalidity,uidnext,modseq,total,unread,fai,softdel,size,log_bytes,log_floor)"
		" VALUES(0,?1,?2,?3,0,0,0,0,0,0,0)");
	gx_sql__bind_int(s, 1, (uint32_t)k->now);
	gx_sql__bind_int(s, 2, FIRST_FREE_ID);
	gx_sql__bind_int(s, 3, (int64_t)n);
	return gx_sql__run(s);
}

static int put_receive_table(struct making *k)
{
	for (size_t i = 0; !k->o->public_store && i < N(receive_table); i++) {
		GX_STMT(st, k->q, "INSERT INTO receive VALUES(?1,?2,?3)");
		gx_sql__bind_text(st, 1, receive_table[i].cls);
		gx_sql__bind_int(st, 2, (int64_t)receive_table[i].fid);
		gx_sql__bind_int(st, 3, (int64_t)gx_nttime_from_unix(k->now, 0));
		int err = gx_sql__run(st);
		if (err != 0)
			return err;
	}
	return 0;
}

static int put_rights(struct making *k)
{
	for (size_t i = 0; i < N(default_rights); i++) {
		if (default_rights[i].pub != k->o->public_store)
			continue;
		GX_STMT(st, k->q, "INSERT INTO permissions VALUES(?1,'default',?2)");
		gx_sql__bind_int(st, 1, (int64_t)default_rights[i].fid);
		gx_sql__bind_int(st, 2, default_rights[i].rights);
		int err = gx_sql__run(st);
		if (err != 0)
			return err;
	}
	return 0;
}

/* [gromox formats 5]: the replica GUID is made of the owner's number. */
void gx_store__replica_guid(bool public_store, uint32_t owner_id, struct gx_guid *ret_g)
{
	static const struct gx_guid priv = {0, 0x18a5, 0x6f7b, {0xbc, 0xdc, 0xea, 0x1e, 0xd0, 0x3c, 0x56, 0x57}};
	static const struct gx_guid pub = {0, 0x0afb, 0x7df6, {0x91, 0x92, 0x49, 0x88, 0x6a, 0xa7, 0x38, 0xce}};
	*ret_g = public_store ? pub : priv;
	ret_g->d1 = owner_id;
}

static int put_meta(struct making *k)
{
	struct gx_guid replica, mailbox;
	uint8_t b[16];
	const char *owner = k->o->owner == NULL ? "" : k->o->owner;
	gx_store__replica_guid(k->o->public_store, k->o->owner_id, &replica);
	int err = gx_guid_random(&mailbox);
	if (err != 0)
		return err;
	gx_guid_put(&replica, b);
	if ((err = gx_meta__set_blob(k->q, "replica", b, 16)) != 0)
		return err;
	gx_guid_put(&mailbox, b);
	if ((err = gx_meta__set_blob(k->q, "mailbox", b, 16)) != 0)
		return err;
	if ((err = gx_meta__set_int(k->q, "public", k->o->public_store)) != 0)
		return err;
	if ((err = gx_meta__set_int(k->q, "created", (int64_t)gx_nttime_from_unix(k->now, 0))) != 0)
		return err;
	return gx_meta__set_blob(k->q, "owner", owner, strlen(owner));
}

static int fill(struct making *k)
{
	char sql[160];
	snprintf(sql, sizeof(sql), "PRAGMA page_size=%d; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN", PAGE_SIZE);
	int err = gx_sql__exec(k->q, sql);
	if (err == 0)
		err = gx_schema__create(k->q, k->o->schema_version == 0 ? GX_SCHEMA_VERSION : k->o->schema_version);
	if (err == 0)
		err = put_meta(k);
	if (err == 0)
		err = put_folders(k);
	if (err == 0)
		err = put_receive_table(k);
	if (err == 0)
		err = put_rights(k);
	if (err == 0)
		err = gx_sql__exec(k->q, "COMMIT; PRAGMA journal_mode=WAL");
	return err;
}

int gx_store__make_db(const struct gx_fs *fs, const char *file, const struct gx_store_create_opts *o, struct gx_arena *a, const char **ret_why)
{
	char why[512];
	struct making k = {.o = o, .a = a, .now = gx_clock_unix(gx_clock_system())};
	struct gx_sql_open so = {.file = file, .dir = file, .vfs = fs->vfs, .writer = true, .create = true, .cache_kib = 1024};
	int err = gx_sql__open(&so, &k.q, why, sizeof(why));
	if (err != 0) {
		gx_store__why(a, ret_why, "%s", why);
		return err;
	}
	err = fill(&k);
	if (err != 0)
		gx_store__why(a, ret_why, "%s", k.q->why);
	gx_sql__close(k.q);
	return err;
}
