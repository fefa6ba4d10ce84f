/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does at the server itself. The copy knows nothing of it until it synchronises. */
#include <config.h>
#include "tests/model/model.h"

enum { MOST = 3, FULL = 60 };

/* Of messages in the copy, which may be gone or changed at the server. */
static size_t pick(struct place *p, const struct item **ret_v, size_t most, bool normal_only)
{
	size_t n = 0, want = 1 + rnd((uint32_t)most), from = p->n == 0 ? 0 : rnd((uint32_t)p->n);
	for (size_t k = 0; k < p->n && n < want; ++k) {
		struct item *i = &p->v[(from + k) % p->n];
		if (!is_intended(i->mid) && !(normal_only && i->fai))
			ret_v[n++] = i;
	}
	return n;
}

static gx_ec attach(struct gx_mapi_obj *m, const char *tag, uint32_t att)
{
	struct gx_mapi_obj *o;
	struct gx_proplist l = {0};
	gx_ec ec = gx_mapi_create_attachment(m, &o, NULL);
	if (gx_ec_failed(ec))
		return ec;
	if (gx_proplist_set_bin(&l, w.a, PidTagAttachDataBinary, attachment_of(tag, att), att) != 0 ||
	    gx_proplist_set_i32(&l, w.a, PidTagAttachMethod, 1) != 0 ||
	    gx_proplist_set_str(&l, w.a, PidTagAttachLongFilename, "data.bin") != 0)
		abort();
	ec = gx_mapi_set(o, &l);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_save_attachment(o);
	gx_mapi_close(o);
	return ec;
}

/* An operation is unsure when the request that does it is; those before it do nothing. */
static const char *of_steps(gx_ec before, gx_ec last)
{
	const char *res = verdict(gx_ec_failed(before) ? before : last);
	return gx_ec_failed(before) ? "no" : res;
}

static void create(struct place *p)
{
	struct item i = {.read = rnd(2), .flagged = rnd(4) == 0, .fai = rnd(8) == 0, .att = rnd(6) == 0 ? 1 + rnd(40000) : 0};
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	uint64_t mid = 0;
	snprintf(i.tag, sizeof(i.tag), "%s", fresh("m"));
	snprintf(i.ver, sizeof(i.ver), "%s", fresh("v"));
	gx_ec ec = gx_mapi_create_message(w.store, p->fid, i.fai, &m), last = GX_EC(ecSuccess);
	if (gx_ec_failed(ec)) {
		say_op(of_steps(ec, last), "create", p->name, i.tag, "%s", i.ver);
		return;
	}
	props_of(&l, i.tag, i.ver, i.att);
	if (gx_proplist_set_i32(&l, w.a, PidTagMessageFlags, i.read) != 0)
		abort();
	if (i.flagged && gx_proplist_set_i32(&l, w.a, PidTagFlagStatus, 2) != 0)
		abort();
	ec = gx_mapi_set(m, &l);
	if (!gx_ec_failed(ec) && i.att > 0)
		ec = attach(m, i.tag, i.att);
	if (!gx_ec_failed(ec))
		last = gx_mapi_save(m, false, &mid);
	gx_mapi_close(m);
	say_op(of_steps(ec, last), "create", p->name, i.tag, "%s %d %d %d %llx", i.ver, i.read, i.flagged, i.fai, (unsigned long long)mid);
}

/* Subject and text go in two requests: nobody must see one without the other. */
static void change(struct place *p, const struct item *i)
{
	struct gx_proplist l = {0}, half;
	struct gx_mapi_obj *m;
	const char *ver = gx_arena_strdup(w.a, fresh("v"));
	gx_ec ec = gx_mapi_open_message(w.store, p->fid, i->mid, GX_MAPI_READ_WRITE, &m), last = GX_EC(ecSuccess);
	if (!gx_ec_failed(ec)) {
		props_of(&l, i->tag, ver, i->att);
		half = (struct gx_proplist){l.v, 1, 1};
		ec = gx_mapi_set(m, &half);
		half = (struct gx_proplist){l.v + 1, l.count - 1, l.count - 1};
		if (!gx_ec_failed(ec))
			ec = gx_mapi_set(m, &half);
		if (!gx_ec_failed(ec))
			last = gx_mapi_save(m, rnd(3) == 0, NULL);
		gx_mapi_close(m);
	}
	say_op(of_steps(ec, last), "change", p->name, i->tag, "%s", ver);
}

static void flag(struct place *p, const struct item *i)
{
	static const gx_proptag_t tag = PidTagFlagStatus;
	struct gx_proplist l = {0};
	struct gx_mapi_obj *m;
	bool on = rnd(2);
	gx_ec ec = gx_mapi_open_message(w.store, p->fid, i->mid, GX_MAPI_READ_WRITE, &m), last = GX_EC(ecSuccess);
	if (!gx_ec_failed(ec)) {
		if (on && gx_proplist_set_i32(&l, w.a, tag, 2) != 0)
			abort();
		ec = on ? gx_mapi_set(m, &l) : gx_mapi_remove(m, &tag, 1);
		if (!gx_ec_failed(ec))
			last = gx_mapi_save(m, false, NULL);
		gx_mapi_close(m);
	}
	say_op(of_steps(ec, last), "flag", p->name, i->tag, "%d", on);
}

/* Of several messages: when some could not be done, of each it is not known. */
static void several(struct place *p, unsigned what)
{
	static const char *const names[] = {"delete", "delete", "read", "move", "copy"};
	const struct item *v[MOST];
	uint64_t mid[MOST];
	struct place *to = &w.p[rnd(PLACES)];
	bool partial = false, on = rnd(2);
	size_t n = pick(p, v, MOST, what == 2);
	struct gx_mapi_obj *f = n == 0 ? NULL : open_folder(p->fid), *f2 = NULL;
	if (f != NULL && what >= 3)
		f2 = open_folder(to->fid);
	if (f == NULL || (what >= 3 && f2 == NULL) || (what == 3 && to == p)) {
		gx_mapi_close(f);
		gx_mapi_close(f2);
		return;
	}
	for (size_t i = 0; i < n; ++i)
		mid[i] = v[i]->mid;
	gx_ec ec = what < 2 ? gx_mapi_delete_messages(f, mid, n, what == 1, &partial) :
		   what == 2 ? gx_mapi_set_read(f, mid, n, on ? GX_MAPI_SUPPRESS_RECEIPT : GX_MAPI_CLEAR_READ | GX_MAPI_SUPPRESS_RECEIPT, &partial) :
		   gx_mapi_move_messages(f, f2, mid, n, what == 4, &partial);
	const char *res = verdict(ec);
	if (strcmp(res, "ok") == 0 && partial)
		res = n == 1 ? "no" : "unsure";
	for (size_t i = 0; i < n; ++i)
		say_op(res, names[what], p->name, v[i]->tag, "%s", what < 2 ? "" : what == 2 ? (on ? "1" : "0") : to->name);
	gx_mapi_close(f);
	gx_mapi_close(f2);
}

void work_online(struct place *p)
{
	uint32_t what = rnd(100);
	const struct item *i;
	if (p->n < 4 || (what < 35 && p->n < FULL))
		create(p);
	else if (what < 52 && pick(p, &i, 1, false) == 1)
		change(p, i);
	else if (what < 62 && pick(p, &i, 1, true) == 1)
		flag(p, i);
	else
		several(p, what < 76 ? 2 : what < 86 ? 3 : what < 90 ? 4 : rnd(2));
}
