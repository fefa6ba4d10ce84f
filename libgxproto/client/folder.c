/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, and messages as things in them. [MS-OXCFOLD] */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include "libgxproto/client/client-int.h"

enum { IDS_AT_ONCE = 500, TYPE_GENERIC = 1, TYPE_SEARCH = 2 };

gx_ec gx_mapi_open_folder(struct gx_mapi_obj *store, uint64_t fid, unsigned flags, struct gx_mapi_obj **ret_folder)
{
	const struct gx_rop_open_folder_req q = {fid, (uint8_t)flags};
	if (!gx_mapi__is(store, 1U << MC_STORE | 1U << MC_FOLDER))
		return store->c->error.ec;
	gx_ec ec = gx_mapi__make(store, RopOpenFolder, &q, MC_FOLDER, store->c->scratch, ret_folder, NULL);
	if (!gx_ec_failed(ec))
		(*ret_folder)->id = fid;
	return ec;
}

uint64_t gx_mapi_folder_id(const struct gx_mapi_obj *folder)
{
	return folder->kind == MC_FOLDER ? folder->id : 0;
}

gx_ec gx_mapi_create_folder(struct gx_mapi_obj *parent, const struct gx_mapi_folder_new *n,
	struct gx_mapi_obj **ret_folder, uint64_t *ret_fid)
{
	struct gx_rop_create_folder_res *r;
	struct gx_mapi_obj *f;
	if (!gx_mapi__is(parent, 1U << MC_FOLDER))
		return parent->c->error.ec;
	if (n == NULL || n->size != sizeof(*n) || n->name == NULL)
		return gx_mapi__fail(parent->c, GX_EC(ecInvalidParam), "a folder needs a name");
	const struct gx_rop_create_folder_req q = {.folder_type = n->search ? TYPE_SEARCH : TYPE_GENERIC, .use_unicode_strings = true,
		.open_existing = n->open_existing, .display_name = n->name, .comment = n->comment != NULL ? n->comment : ""};
	gx_ec ec = gx_mapi__make(parent, RopCreateFolder, &q, MC_FOLDER, parent->c->scratch, &f, (void **)&r);
	if (gx_ec_failed(ec))
		return ec;
	f->id = r->folder_id;
	if (ret_fid != NULL)
		*ret_fid = f->id;
	if (ret_folder != NULL)
		*ret_folder = f;
	else
		gx_mapi_close(f);
	return MC_OK;
}

gx_ec gx_mapi_delete_folder(struct gx_mapi_obj *parent, uint64_t fid, unsigned flags, bool *ret_partial)
{
	const struct gx_rop_delete_folder_req q = {(uint8_t)flags, fid};
	void *r;
	if (!gx_mapi__is(parent, 1U << MC_FOLDER))
		return parent->c->error.ec;
	gx_ec ec = gx_mapi__do(parent, RopDeleteFolder, &q, parent->c->scratch, NULL, &r);
	if (!gx_ec_failed(ec))
		gx_mapi__partial(r, ret_partial);
	return ec;
}

gx_ec gx_mapi_empty_folder(struct gx_mapi_obj *folder, bool associated, bool hard, bool *ret_partial)
{
	const struct gx_rop_empty_folder_req soft_q = {false, associated};
	const struct gx_rop_hard_delete_messages_and_subfolders_req hard_q = {false, associated};
	void *r;
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	gx_ec ec = hard ? gx_mapi__do(folder, RopHardDeleteMessagesAndSubfolders, &hard_q, folder->c->scratch, NULL, &r) :
			  gx_mapi__do(folder, RopEmptyFolder, &soft_q, folder->c->scratch, NULL, &r);
	if (!gx_ec_failed(ec))
		gx_mapi__partial(r, ret_partial);
	return ec;
}

gx_ec gx_mapi_move_folder(struct gx_mapi_obj *parent, uint64_t fid, struct gx_mapi_obj *to, const char *name,
	bool *ret_partial)
{
	const struct gx_rop_move_folder_req q = {false, true, fid, name};
	void *r;
	if (!gx_mapi__is(parent, 1U << MC_FOLDER) || !gx_mapi__is(to, 1U << MC_FOLDER))
		return parent->c->error.ec;
	gx_ec ec = gx_mapi__do2(parent, to, RopMoveFolder, &q, &r);
	if (!gx_ec_failed(ec))
		gx_mapi__partial(r, ret_partial);
	return ec;
}

gx_ec gx_mapi_copy_folder(struct gx_mapi_obj *parent, uint64_t fid, struct gx_mapi_obj *to, const char *name,
	bool recursive, bool *ret_partial)
{
	const struct gx_rop_copy_folder_req q = {false, recursive, true, fid, name};
	void *r;
	if (!gx_mapi__is(parent, 1U << MC_FOLDER) || !gx_mapi__is(to, 1U << MC_FOLDER))
		return parent->c->error.ec;
	gx_ec ec = gx_mapi__do2(parent, to, RopCopyFolder, &q, &r);
	if (!gx_ec_failed(ec))
		gx_mapi__partial(r, ret_partial);
	return ec;
}

/* ---- By name ---- */

static gx_ec child(struct gx_mapi_obj *store, uint64_t fid, const char *name, size_t len, uint64_t *ret_fid)
{
	static const gx_proptag_t columns[] = {PidTagFolderId, PidTagDisplayName};
	struct gx_mapi_obj *f = NULL, *t = NULL;
	struct gx_arena *a = gx_arena_new(0);
	struct gx_proplist *rows;
	size_t n = 0;
	bool found = false;
	const char *want = a == NULL ? NULL : gx_arena_strndup(a, name, len);
	gx_ec ec = want == NULL ? gx_mapi__nomem(store->c) : gx_mapi_open_folder(store, fid, 0, &f);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_hierarchy(f, 0, &t, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_set_columns(t, columns, 2);
	do {
		if (!gx_ec_failed(ec))
			ec = gx_mapi_rows(t, 1000, a, &rows, &n);
		for (size_t i = 0; !gx_ec_failed(ec) && !found && i < n; ++i) {
			const struct gx_propval *id = gx_proplist_get(&rows[i], PidTagFolderId);
			found = id != NULL && gx_utf8_casecmp(gx_proplist_str(&rows[i], PidTagDisplayName, ""), want) == 0;
			if (found)
				*ret_fid = (uint64_t)id->v.i64;
		}
	} while (!gx_ec_failed(ec) && !found && n > 0);
	if (!gx_ec_failed(ec) && !found)
		ec = gx_mapi__fail(store->c, GX_EC(ecNotFound), "there is no folder \"%s\"", want);
	gx_mapi_close(t);
	gx_mapi_close(f);
	gx_arena_free(a);
	return ec;
}

gx_ec gx_mapi_find_folder(struct gx_mapi_obj *store, const char *path, uint64_t *ret_fid)
{
	if (!gx_mapi__is(store, 1U << MC_STORE))
		return store->c->error.ec;
	uint64_t fid = gx_mapi_special_folder(store, store->is_public ? GX_MAPI_PUB_IPMSUBTREE : GX_MAPI_IPMSUBTREE);
	for (const char *p = path + strspn(path, "/"); *p != '\0';) {
		size_t n = strcspn(p, "/");
		char *end;
		uint64_t id = strncmp(p, "0x", 2) == 0 ? strtoull(p, &end, 16) : 0;
		if (id != 0 && end == p + n) {
			fid = id;
		} else {
			gx_ec ec = child(store, fid, p, n, &fid);
			if (gx_ec_failed(ec))
				return ec;
		}
		p += n;
		p += strspn(p, "/");
	}
	*ret_fid = fid;
	return MC_OK;
}

/* ---- Messages in a folder ---- */

struct portion {
	struct gx_mapi_obj *folder, *to;  /* to: of a move */
	unsigned flags;                   /* by operation */
	const uint64_t *mids;
	uint16_t n;
};

/* So many at once that a request has room for. */
static gx_ec in_portions(struct portion *x, const uint64_t *mids, size_t n, gx_ec (*send)(const struct portion *x, void **ret_r), bool *ret_partial)
{
	bool some = false;
	for (size_t at = 0; at < n; at += IDS_AT_ONCE) {
		void *r;
		bool partial;
		x->mids = mids + at;
		x->n = (uint16_t)(n - at < IDS_AT_ONCE ? n - at : IDS_AT_ONCE);
		gx_ec ec = send(x, &r);
		if (gx_ec_failed(ec))
			return ec;
		gx_mapi__partial(r, &partial);
		some = some || partial;
	}
	if (ret_partial != NULL)
		*ret_partial = some;
	return MC_OK;
}

static gx_ec send_delete(const struct portion *x, void **ret_r)
{
	const struct gx_rop_delete_messages_req q = {false, false, x->mids, x->n};
	return gx_mapi__do(x->folder, RopDeleteMessages, &q, x->folder->c->scratch, NULL, ret_r);
}

static gx_ec send_hard_delete(const struct portion *x, void **ret_r)
{
	const struct gx_rop_hard_delete_messages_req q = {false, false, x->mids, x->n};
	return gx_mapi__do(x->folder, RopHardDeleteMessages, &q, x->folder->c->scratch, NULL, ret_r);
}

gx_ec gx_mapi_delete_messages(struct gx_mapi_obj *folder, const uint64_t *mids, size_t n, bool hard, bool *ret_partial)
{
	struct portion x = {.folder = folder};
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	return in_portions(&x, mids, n, hard ? send_hard_delete : send_delete, ret_partial);
}

static gx_ec send_move(const struct portion *x, void **ret_r)
{
	const struct gx_rop_move_copy_messages_req q = {x->mids, x->n, false, x->flags != 0};
	return gx_mapi__do2(x->folder, x->to, RopMoveCopyMessages, &q, ret_r);
}

gx_ec gx_mapi_move_messages(struct gx_mapi_obj *from, struct gx_mapi_obj *to, const uint64_t *mids, size_t n,
	bool copy, bool *ret_partial)
{
	struct portion x = {.folder = from, .to = to, .flags = copy};
	if (!gx_mapi__is(from, 1U << MC_FOLDER) || !gx_mapi__is(to, 1U << MC_FOLDER))
		return from->c->error.ec;
	return in_portions(&x, mids, n, send_move, ret_partial);
}

static gx_ec send_read_flags(const struct portion *x, void **ret_r)
{
	const struct gx_rop_set_read_flags_req q = {false, (uint8_t)x->flags, x->mids, x->n};
	return gx_mapi__do(x->folder, RopSetReadFlags, &q, x->folder->c->scratch, NULL, ret_r);
}

gx_ec gx_mapi_set_read(struct gx_mapi_obj *folder, const uint64_t *mids, size_t n, unsigned flags, bool *ret_partial)
{
	struct portion x = {.folder = folder, .flags = flags};
	if (!gx_mapi__is(folder, 1U << MC_FOLDER))
		return folder->c->error.ec;
	return in_portions(&x, mids, n, send_read_flags, ret_partial);
}
