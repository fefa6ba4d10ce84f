/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does without the server, and brings to it later. */
#include <config.h>
#include "tests/model/model.h"

/* ---- Versions of its own ---- */

void make_version(const struct pcl *before, struct key *ret_change, struct pcl *ret_pcl)
{
	struct gx_bin key, pcl = {0};
	if (gx_entryid_gid(w.a, &w.space, ++w.serial, &key) != 0 ||
	    gx_pcl_add_key(w.a, before == NULL ? pcl : (struct gx_bin){before->b, before->len}, key, &pcl) != 0)
		abort();
	set_key(ret_change, key);
	set_pcl(ret_pcl, pcl);
}

bool is_intended(uint64_t mid)
{
	for (size_t i = 0; i < w.nout; ++i)
		if (w.out[i].was.mid == mid && mid != 0)
			return true;
	return false;
}

static bool new_source(struct key *ret_key, uint64_t *ret_mid)
{
	struct gx_guid replica;
	uint64_t first;
	uint16_t number;
	struct gx_bin key;
	(void)gx_mapi_replica(w.store, &number);
	gx_ec ec = gx_mapi_new_ids(w.store, 1, &replica, &first);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		return false;
	}
	if (gx_entryid_gid(w.a, &replica, first, &key) != 0)
		abort();
	set_key(ret_key, key);
	*ret_mid = gx_eid_make(number, first);
	return true;
}

static void intend_new(struct intent *n)
{
	struct item *i = &n->is;
	n->kind = I_NEW;
	*i = (struct item){.read = rnd(2), .flagged = rnd(4) == 0, .fai = rnd(8) == 0};
	snprintf(i->tag, sizeof(i->tag), "%s", fresh("m"));
	snprintf(i->ver, sizeof(i->ver), "%s", fresh("v"));
	make_version(NULL, &i->change, &i->pcl);
	w.nout += new_source(&i->source, &i->mid);
}

void work_local(struct place *p)
{
	struct intent *n = &w.out[w.nout];
	uint32_t what = rnd(100);
	struct item *i = p->n == 0 ? NULL : &p->v[rnd((uint32_t)p->n)];
	if (w.nout == INTENTS)
		return;
	*n = (struct intent){.place = (unsigned)(p - w.p)};
	if (i == NULL || what < 30) {
		intend_new(n);
		return;
	}
	if (is_intended(i->mid))
		return;
	n->was = n->is = *i;
	n->to = n->place;
	if (what < 55 && i->att == 0) {
		n->kind = I_CHANGE;
		snprintf(n->is.ver, sizeof(n->is.ver), "%s", fresh("v"));
		n->is.flagged = rnd(3) == 0;
		make_version(&i->pcl, &n->is.change, &n->is.pcl);
	} else if (what < 72) {
		n->kind = I_DELETE;
		n->hard = rnd(2);
	} else if (what < 86 && !i->fai) {
		n->kind = I_READ;
		n->is.read = !i->read;
	} else {
		n->kind = I_MOVE;
		n->to = (n->place + 1 + rnd(PLACES - 1)) % PLACES;
		make_version(&i->pcl, &n->is.change, &n->is.pcl);
		if (!new_source(&n->is.source, &n->is.mid))
			return;
	}
	++w.nout;
}

/* ---- Up ---- */

static gx_ec bring_message(struct gx_mapi_obj *col, const struct intent *n)
{
	const struct item *i = &n->is;
	const struct gx_mapi_change ch = {.source_key = key_bin(&i->source), .change_key = key_bin(&i->change),
		.predecessors = {i->pcl.b, i->pcl.len}, .modified = gx_nttime_from_unix(1700000000 + (int64_t)w.serial, 0), .associated = i->fai};
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	gx_ec ec = gx_mapi_import_message(col, &ch, true, &m);
	if (gx_ec_is(ec, ecIgnoreFailure) && n->tried)
		return GX_EC(ecSuccess);
	if (gx_ec_failed(ec))
		return ec;
	props_of(&l, i->tag, i->ver, 0);
	if (gx_proplist_set_i32(&l, w.a, PidTagMessageFlags, i->read) != 0)
		abort();
	if (i->flagged && gx_proplist_set_i32(&l, w.a, PidTagFlagStatus, 2) != 0)
		abort();
	ec = gx_mapi_set(m, &l);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_save(m, false, NULL);
	gx_mapi_close(m);
	return gx_ec_is(ec, ecIgnoreFailure) && n->tried ? GX_EC(ecSuccess) : ec;
}

static gx_ec bring_move(struct gx_mapi_obj *col, const struct intent *n)
{
	const struct gx_mapi_change to = {.source_key = key_bin(&n->is.source), .change_key = key_bin(&n->is.change),
		.predecessors = {n->was.pcl.b, n->was.pcl.len}};
	uint16_t number;
	struct gx_bin from;
	if (gx_entryid_gid(w.a, gx_mapi_replica(w.store, &number), gx_eid_counter(w.p[n->place].fid), &from) != 0)
		abort();
	return gx_mapi_import_move(col, from, key_bin(&n->was.source), &to, NULL);
}

static gx_ec bring(struct gx_mapi_obj *col, const struct intent *n)
{
	struct gx_bin key = key_bin(&n->was.source);
	switch (n->kind) {
	case I_DELETE:
		return gx_mapi_import_deletes(col, &key, 1, false, n->hard);
	case I_READ:
		return gx_mapi_import_reads(col, &key, 1, n->is.read);
	case I_MOVE:
		return bring_move(col, n);
	default:
		return bring_message(col, n);
	}
}

static void say_intent(const char *res, const struct intent *n)
{
	const struct item *i = &n->is;
	const char *place = w.p[n->place].name;
	switch (n->kind) {
	case I_NEW:
		say_op(res, "create", place, i->tag, "%s %d %d %d %llx", i->ver, i->read, i->flagged, i->fai, (unsigned long long)i->mid);
		break;
	case I_CHANGE:
		say_op(res, "bring", place, i->tag, "%s %d", i->ver, i->flagged);
		break;
	case I_DELETE:
		say_op(res, "delete", place, i->tag, "%s", "");
		break;
	case I_READ:
		say_op(res, "read", place, i->tag, "%d", i->read);
		break;
	case I_MOVE:
		say_op(res, "move", place, i->tag, "%s", w.p[n->to].name);
		break;
	}
}

/* The copy is now as the intent has it. */
static void have_it(const struct intent *n)
{
	struct item *i = find_item(&w.p[n->place], n->was.mid);
	switch (n->kind) {
	case I_NEW:
		put_item(&w.p[n->place], &n->is);
		break;
	case I_CHANGE:
	case I_READ:
		if (i != NULL && n->kind == I_READ)
			i->read = n->is.read;
		else if (i != NULL)
			*i = n->is;
		break;
	case I_DELETE:
		drop_item(&w.p[n->place], n->was.mid);
		break;
	case I_MOVE:
		drop_item(&w.p[n->place], n->was.mid);
		put_item(&w.p[n->to], &n->is);
		find_item(&w.p[n->to], n->is.mid)->change.len = 0; /* of what others have made of it meanwhile it is told yet */
		w.p[n->place].exact = false; /* its state has it still */
		break;
	}
}

static unsigned collector_of(const struct intent *n)
{
	return n->kind == I_MOVE ? n->to : n->place;
}

static bool keep_state(struct place *p, struct gx_mapi_obj *col)
{
	struct gx_bin state;
	gx_ec ec = gx_mapi_collector_state(col, w.a, &state);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		return false;
	}
	free((void *)p->state.data);
	p->state.data = memcpy(malloc(state.len), state.data, state.len);
	p->state.len = state.len;
	return true;
}

/* Those that the server refuses are given up; a download shows why. */
static bool bring_all(struct gx_mapi_obj *col, unsigned place)
{
	size_t kept = 0;
	bool through = true;
	for (size_t k = 0; k < w.nout; ++k) {
		struct intent *n = &w.out[k];
		bool done = false;
		if (through && collector_of(n) == place) {
			gx_ec ec = bring(col, n);
			const char *res = verdict(ec);
			say_intent(res, n);
			if (!gx_ec_failed(ec))
				have_it(n);
			done = !gave_up(ec);
			through = done;
			n->tried = true;
		}
		if (!done)
			w.out[kept++] = *n;
	}
	w.nout = kept;
	return through;
}

bool sync_up(unsigned place)
{
	struct place *p = &w.p[place];
	struct gx_mapi_obj *f, *col;
	bool any = false, ok;
	for (size_t k = 0; k < w.nout; ++k)
		any |= collector_of(&w.out[k]) == place;
	if (!any)
		return true;
	f = open_folder(p->fid);
	if (f == NULL)
		return false;
	gx_ec ec = gx_mapi_collector(f, false, p->state, &col);
	if (gx_ec_failed(ec)) {
		(void)verdict(ec);
		gx_mapi_close(f);
		return false;
	}
	bool exact = p->exact;
	p->exact = false;
	ok = bring_all(col, place) && keep_state(p, col);
	p->exact = ok && exact;
	gx_mapi_close(col);
	gx_mapi_close(f);
	return ok;
}
