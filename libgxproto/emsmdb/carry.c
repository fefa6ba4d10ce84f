/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/delivery.h>
#include <gx/search.h>
#include "libgxproto/emsmdb/carry.h"
#include "libgxproto/emsmdb/names.h"

/* One message on its way. */
struct load {
	struct gx_arena *a;
	struct gx_msgobj *m;
	struct gx_msg_source s;
	struct gx_msg_prepared *p;
	struct gx_msg_insert_opts o;
	uint64_t cn;                 /* its version */
};

/* Where it was and which version is not the copy's. */
static void strip(struct gx_msgobj *m)
{
	static const gx_proptag_t v[] = {PidTagMid, PidTagChangeKey, PidTagChangeNumber, PidTagPredecessorChangeList, PidTagSourceKey};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i)
		gx_proplist_remove(&m->props, v[i]);
}

static gx_ec original(struct gx_txn *t, uint64_t mid, struct gx_arena *a, struct gx_bin *ret_b)
{
	struct gx_push p = GX_PUSH_INIT;
	gx_ec ec = gx_msg_original(t, mid, 0, UINT64_MAX, &p);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_push_finish(&p, a, ret_b));
	gx_push_release(&p);
	return ec;
}

/* What was delivered keeps its bytes: IMAP shows the same in both stores. */
static gx_ec load(struct gx_ems_carry *x, struct gx_txn *t, uint64_t src, uint64_t mid, struct load *l)
{
	struct gx_msg_info i;
	bool shown;
	gx_ec ec = gx_search_shows(t, src, mid, &shown);
	if (!gx_ec_failed(ec) && !shown)
		ec = GX_EC(ecNotFound);
	if (!gx_ec_failed(ec))
		ec = gx_msg_get(t, mid, &i);
	if (!gx_ec_failed(ec))
		ec = gx_msg_read(t, mid, l->a, &l->m);
	if (!gx_ec_failed(ec))
		ec = gx_store_keywords(x->from->store, i.kwset, l->a, &l->o.keywords);
	if (!gx_ec_failed(ec) && (i.flags & GX_MSGF_HASORIG))
		ec = original(t, mid, l->a, &l->s.original);
	l->o.flags = i.flags & (GX_MSGF_IMAP | GX_MSGF_UNSENT | GX_MSGF_FAI);
	l->o.received = i.received;
	l->cn = i.cn;
	return ec;
}

static int attachments(struct gx_msgobj *m, struct gx_arena *a, struct gx_proplist ***io_v, size_t *io_n, size_t *io_cap)
{
	for (size_t i = 0; i < m->att_count; ++i) {
		*io_v = gx_arena_grow(a, *io_v, io_cap, *io_n + 1, sizeof(**io_v));
		if (*io_v == NULL)
			return GX_E_NOMEM;
		(*io_v)[(*io_n)++] = &m->atts[i].props;
		int err = m->atts[i].embedded == NULL ? 0 : attachments(m->atts[i].embedded, a, io_v, io_n, io_cap);
		if (err != 0)
			return err;
	}
	return 0;
}

/* Properties of messages have their names with them, those of attachments do not. */
static gx_ec prepare(struct gx_ems_carry *x, struct load *l)
{
	struct gx_proplist **v = NULL;
	size_t n = 0, cap = 0;
	int err = attachments(l->m, l->a, &v, &n, &cap);
	gx_ec ec = err != 0 ? gx_ec_from_err(err) : gx_ems__map_props(x->c, x->from, x->to, v, n, l->a);
	if (gx_ec_failed(ec))
		return ec;
	strip(l->m);
	l->s.obj = l->m;
	if (l->s.original.data != NULL)
		err = gx_mail_adopt(l->a, l->s.original, l->m, &l->s.envelope, &l->s.bodystructure, NULL);
	return gx_ec_from_err(err != 0 ? err : gx_msg_prepare(l->a, &l->s, &l->p));
}

static gx_ec put(struct gx_ems_carry *x, uint64_t dst, const struct load *l)
{
	struct gx_txn *t;
	struct gx_msg_ids ids;
	gx_ec ec = gx_rop__begin_at(x->c, x->to, GX_TXN_WRITE, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(x->c, t, gx_msg_insert(t, dst, l->p, &l->o, &ids));
}

static gx_ec carry_one(struct gx_ems_carry *x, uint64_t src, uint64_t mid, uint64_t dst, uint64_t *ret_cn)
{
	struct gx_txn *t;
	struct load l = {.o = GX_MSG_INSERT_OPTS_INIT, .s = GX_MSG_SOURCE_INIT, .a = gx_arena_new(0)};
	gx_ec ec = l.a == NULL ? GX_EC(ecMAPIOOM) : gx_rop__begin_at(x->c, x->from, GX_TXN_READ, &t);
	if (!gx_ec_failed(ec)) {
		ec = load(x, t, src, mid, &l);
		gx_txn_abort(t);
	}
	if (!gx_ec_failed(ec))
		ec = prepare(x, &l);
	if (!gx_ec_failed(ec))
		ec = put(x, dst, &l);
	*ret_cn = l.cn;
	gx_msg_prepared_release(l.p);
	gx_arena_free(l.a);
	return ec;
}

/* One of a message that is there; @cn: the version. */
struct carried {
	uint64_t mid, cn;
};

/* Those that are still the version that was copied; of others there is a newer one, which stays. */
static size_t unchanged(struct gx_ems_carry *x, struct gx_txn *t, const struct carried *v, size_t n, uint64_t *ret_mids)
{
	size_t k = 0;
	for (size_t i = 0; i < n; ++i) {
		struct gx_msg_info now;
		if (!gx_ec_failed(gx_msg_get(t, v[i].mid, &now)) && now.cn == v[i].cn)
			ret_mids[k++] = v[i].mid;
	}
	x->partial = x->partial || k < n;
	return k;
}

/* The copies must be safe before anything goes. */
static gx_ec remove_carried(struct gx_ems_carry *x, uint64_t src, const struct carried *v, size_t n)
{
	struct gx_txn *t;
	uint64_t *mids = gx_arena_new_array(x->c->a, uint64_t, n);
	gx_ec ec = mids == NULL ? GX_EC(ecMAPIOOM) : n == 0 ? EMS_OK : gx_ec_from_err(gx_store_sync(x->to->store));
	if (!gx_ec_failed(ec) && n > 0)
		ec = gx_rop__begin_at(x->c, x->from, GX_TXN_WRITE, &t);
	if (gx_ec_failed(ec) || n == 0)
		return ec;
	n = unchanged(x, t, v, n, mids);
	return gx_rop__end(x->c, t, n == 0 ? EMS_OK : gx_msg_delete(t, src, mids, n, true));
}

/* Asked before anything is copied: a move that may not take away would be a copy. */
static gx_ec may_move(struct gx_ems_carry *x, uint64_t src)
{
	struct gx_txn *t;
	uint32_t rights = 0;
	gx_ec ec = gx_rop__begin_at(x->c, x->from, GX_TXN_READ, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_rights(t, src, &rights);
	gx_txn_abort(t);
	if (!gx_ec_failed(ec) && !(rights & (GX_RIGHT_DELETE_ANY | GX_RIGHT_DELETE_OWN | GX_RIGHT_OWNER)))
		ec = gx_rop__fail(x->c, ecAccessDenied, "nothing may be taken from the folder");
	return ec;
}

gx_ec gx_ems__carry_messages(struct gx_ems_carry *x, uint64_t src, const uint64_t *mids, size_t n, uint64_t dst)
{
	size_t done = 0;
	struct carried *v = gx_arena_new_array(x->c->a, struct carried, n);
	gx_ec ec = v == NULL ? GX_EC(ecMAPIOOM) : x->move ? may_move(x, src) : EMS_OK;
	for (size_t i = 0; !gx_ec_failed(ec) && i < n; ++i) {
		uint64_t cn = 0;
		ec = carry_one(x, src, mids[i], dst, &cn);
		if (!gx_ec_failed(ec))
			v[done++] = (struct carried){mids[i], cn};
		x->partial = x->partial || gx_ec_is(ec, ecNotFound);
		if (gx_ec_is(ec, ecNotFound))
			ec = EMS_OK;
	}
	if (!x->move)
		return ec;
	gx_ec gone = remove_carried(x, src, v, done);
	return gx_ec_failed(ec) ? ec : gone;
}

/* ---- Folders ---- */

/* Looks like the other: its properties but those that the store computes, which are passed over. */
gx_ec gx_ems__carry_folder(struct gx_ems_carry *x, uint64_t fid, uint64_t parent, const char *name, uint64_t *ret_fid)
{
	struct gx_folder_info f;
	struct gx_txn *t;
	struct gx_proplist l = {0};
	gx_ec ec = gx_rop__begin_at(x->c, x->from, GX_TXN_READ, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_get(t, fid, x->c->a, &f);
	if (!gx_ec_failed(ec))
		ec = gx_folder_get_props(t, fid, NULL, 0, x->c->a, &l);
	gx_txn_abort(t);
	gx_proplist_remove(&l, PidTagDisplayName);
	if (!gx_ec_failed(ec))
		ec = gx_ems__map_props(x->c, x->from, x->to, &(struct gx_proplist *){&l}, 1, x->c->a);
	if (!gx_ec_failed(ec) && f.type == GX_FOLDER_SEARCH)
		ec = gx_rop__fail(x->c, ecNotSupported, "a search folder shows messages of its own store");
	if (!gx_ec_failed(ec))
		ec = gx_rop__begin_at(x->c, x->to, GX_TXN_WRITE, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_folder_create(t, parent, name == NULL || *name == '\0' ? f.name : name, f.container_class, GX_FOLDER_GENERIC, &l, ret_fid);
	return gx_rop__end(x->c, t, ec);
}
