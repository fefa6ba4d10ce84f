/* SPDX-License-Identifier: Apache-2.0 */
/* The folder "Lost and found", and how things get there. */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

#define NAME "Lost and found"

static int find_folder(struct gx_sc *k, uint64_t parent, uint64_t *ret_fid)
{
	char *fold = gx_fold__key(k->a, NAME);
	if (fold == NULL)
		return GX_E_NOMEM;
	GX_STMT(st, k->q,
		"SELECT f.fid FROM folders f JOIN fstate s ON s.fid=f.fid WHERE f.parent=?1 AND f.fold=?2 AND NOT "
		"f.flags&1 AND f.type=1");
	gx_sql__bind_int(st, 1, (int64_t)parent);
	gx_sql__bind_text(st, 2, fold);
	int r = gx_sql__step(st);
	*ret_fid = r > 0 ? gx_sql__u64(st, 0) : 0;
	return r < 0 ? r : 0;
}

/* Nobody but the owner has rights on it. */
int gx_sc__lost_folder(struct gx_sc *k, uint64_t *ret_fid)
{
	struct gx_folder_new n = {.parent = k->s->is_public ? GX_FID_PUB_IPMSUBTREE : GX_FID_IPMSUBTREE, .name = NAME,
		.container_class = "IPF.Note", .type = GX_FOLDER_GENERIC};
	int err = gx_fstate__write(k->t); /* it may have been made in this transaction */
	if (err == 0)
		err = find_folder(k, n.parent, ret_fid);
	if (err != 0 || *ret_fid != 0)
		return err;
	n.fid = gx_txn__new_id(k->t);
	err = gx_folder__insert(k->t, &n);
	if (err == 0)
		*ret_fid = n.fid;
	return err;
}

int gx_sc__distrust(struct gx_sc *k, uint64_t fid)
{
	struct gx_fstate *f;
	int err = gx_fstate__get(k->t, fid, &f);
	if (err == GX_E_NOTFOUND)
		return 0;
	if (err != 0)
		return err;
	f->log_floor = f->modseq = gx_txn__new_cn(k->t);
	f->dirty = true;
	return 0;
}

/* What a body's rows say about the message that it is. */
static int describe(struct gx_sc *k, uint64_t body, struct gx_msg_row *r)
{
	int64_t size = 0, atts = 0, row = 0;
	int err = gx_sc__number(k, "SELECT size FROM mime WHERE id=?1", body, &size);
	if (err == 0)
		err = gx_sc__number(k, "SELECT COUNT(*) FROM att WHERE body=?1", body, &atts);
	if (err == 0)
		err = gx_sc__number(k, "SELECT length(props)+length(rcpts)+length(skeleton) FROM body WHERE id=?1", body, &row);
	r->flags = (atts > 0 ? GX_MSGF_HASATTACH : 0) | (size > 0 ? GX_MSGF_HASORIG : 0);
	r->size = (uint64_t)(size > 0 ? size : row);
	return err;
}

int gx_sc__adopt_body(struct gx_sc *k, uint64_t body)
{
	struct gx_msg_row r = {.body = body, .received = gx_store__now(k->t->s)};
	struct gx_fstate *f;
	int64_t skeleton = 0;
	int err = gx_sc__number(k, "SELECT length(skeleton) FROM body WHERE id=?1", body, &skeleton);
	if (err == 0 && skeleton == 0) /* it was inside another message: its values are made its own */
		err = gx_sc__rebuild_body(k, body);
	if (err == 0)
		err = gx_sc__lost_folder(k, &r.fid);
	if (err == 0)
		err = gx_fstate__get(k->t, r.fid, &f);
	if (err == 0)
		err = describe(k, body, &r);
	if (err != 0)
		return err;
	r.mid = gx_txn__new_id(k->t);
	r.uid = (uint32_t)f->uidnext++;
	r.modseq = r.cn = r.cn0 = f->modseq = gx_txn__new_cn(k->t);
	err = gx_msg__insert_row(k->t, &r, NULL);
	gx_fstate__count(k->t, f, r.flags, r.size, 1);
	return err;
}

static int attach(struct gx_arena *a, struct gx_msgobj *m, const struct gx_sc_piece *p)
{
	struct gx_attach *at = gx_msgobj_add_attach(m, a);
	int err = at == NULL ? GX_E_NOMEM
			     : gx_proplist_set_bin(&at->props, a, PidTagAttachDataBinary, p->data.data, p->data.len);
	err = err != 0 ? err : gx_proplist_set_str(&at->props, a, PidTagAttachLongFilename, p->name);
	err = err != 0 ? err : gx_proplist_set_str(&at->props, a, PidTagAttachMimeTag, "application/octet-stream");
	return err != 0 ? err : gx_proplist_set_i32(&at->props, a, PidTagAttachMethod, 1);
}

static int make_object(
	struct gx_arena *a, const char *subject, const struct gx_sc_piece *v, size_t n, struct gx_msgobj **ret_m)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	int err = m == NULL ? GX_E_NOMEM : gx_proplist_set_str(&m->props, a, PidTagMessageClass, "IPM.Note");
	err = err != 0 ? err : gx_proplist_set_str(&m->props, a, PidTagSubject, subject);
	err = err != 0 ? err : gx_proplist_set_str(&m->props, a, PidTagBody,
		"These attachments were found without the messages they belonged to.\r\n");
	for (size_t i = 0; err == 0 && i < n; i++)
		err = attach(a, m, &v[i]);
	*ret_m = m;
	return err;
}

int gx_sc__adopt_bytes(struct gx_sc *k, const char *subject, const struct gx_sc_piece *v, size_t n)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p = NULL;
	struct gx_msgobj *m;
	uint64_t fid;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = gx_sc__lost_folder(k, &fid);
	if (err == 0)
		err = make_object(a, subject, v, n, &m);
	if (err == 0) {
		src.obj = m;
		err = gx_msg_prepare(a, &src, &p);
	}
	if (err == 0) {
		struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
		o.flags = GX_MSGF_READ;
		err = gx_ec_to_err(gx_msg_insert(k->t, fid, p, &o, NULL));
	}
	gx_msg_prepared_release(p);
	gx_arena_free(a);
	return err;
}
