/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are open while others change them. */
#include <config.h>
#include <gx/instance.h>
#include "tests/soak/soak.h"

static void let_go(struct soak_thread *w)
{
	gx_inst_free(w->inst);
	w->inst = NULL;
}

static void open_one(struct soak_thread *w)
{
	struct soak_pick p;
	soak_pick(w, &p, 1);
	struct gx_txn *t = p.fid == 0 ? NULL : soak_begin(w, w->st->s, soak_actor(w), GX_TXN_READ);
	if (t == NULL)
		return;
	gx_ec ec = p.n == 0 || soak_rnd(w, 4) == 0
			   ? gx_inst_new(t, p.fid, NULL, &w->inst)
			   : gx_inst_open(t, p.fid, p.mid[0], GX_INST_BEST, &w->inst);
	if (!soak_done(w, t, ec, "open"))
		w->inst = NULL;
	w->inst_st = w->st;
	gx_txn_abort(t);
}

static void change_props(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_proplist l = {0};
	struct gx_problems bad = {0};
	int err = gx_proplist_set_str(
		&l, w->a, PidTagSubject, gx_arena_printf(w->a, "edited plan %u", soak_rnd(w, 90)));
	err = err != 0 ? err
		       : gx_proplist_set_str(&l, w->a, PidTagBody,
				 gx_arena_printf(w->a, "New text %u", soak_rnd(w, 90)));
	if (err != 0)
		soak_fail(w->k, "properties: %s", gx_strerror(err));
	soak_done(w, t, gx_inst_set_props(w->inst, &l, 0, w->a, &bad), "set");
}

static void write_stream(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_inst_stream *s;
	char block[5000];
	if (!soak_done(w, t, gx_inst_stream_open(t, w->inst, PidTagHtml, GX_STREAM_CREATE, &s),
		    "stream"))
		return;
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)('a' + soak_rnd(w, 26));
	for (unsigned i = 0; i < 4; i++)
		soak_done(w, t, gx_inst_stream_write(t, s, i * sizeof(block), block, sizeof(block)),
			"stream");
	soak_done(w, t, gx_inst_stream_commit(s), "stream");
	gx_inst_stream_free(s);
}

static void attach(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_proplist l = {0};
	struct gx_problems bad = {0};
	struct gx_inst *at;
	uint32_t num;
	size_t n;
	if (!soak_done(w, t, gx_inst_att_count(t, w->inst, &n), "attachments"))
		return;
	if (n > 3) {
		soak_done(w, t, gx_inst_clear_atts(t, w->inst), "attachments");
		return;
	}
	if (!soak_done(w, t, gx_inst_att_new(t, w->inst, &num, &at), "attachment"))
		return;
	int err = gx_proplist_set_str(&l, w->a, PidTagAttachLongFilename,
		gx_arena_printf(w->a, "%u.bin", soak_rnd(w, 9)));
	err = err != 0 ? err
		       : gx_proplist_set_bin(
				 &l, w->a, PidTagAttachDataBinary, w->k->dir, sizeof(w->k->dir));
	if (err != 0)
		soak_fail(w->k, "properties: %s", gx_strerror(err));
	soak_done(w, t, gx_inst_set_props(at, &l, 0, w->a, &bad), "set");
	soak_done(w, t, gx_inst_save(t, at, 0, NULL), "save attachment");
	gx_inst_free(at);
}

static void work_on(struct soak_thread *w)
{
	struct gx_msgobj *m;
	struct gx_txn *t = soak_begin(w, w->inst_st->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	switch (soak_rnd(w, 4)) {
	case 0:
		change_props(w, t);
		break;
	case 1:
		write_stream(w, t);
		break;
	case 2:
		attach(w, t);
		break;
	default:
		soak_done(w, t, gx_inst_read(t, w->inst, w->a, &m), "read");
		break;
	}
	gx_txn_abort(t);
}

static void save(struct soak_thread *w)
{
	struct gx_save_result r;
	int err = gx_inst_prepare(w->inst);
	if (err != 0)
		soak_fail(w->k, "prepare: %s", gx_strerror(err));
	struct gx_txn *t = soak_begin(w, w->inst_st->s, &soak_system, GX_TXN_WRITE);
	if (t == NULL)
		return;
	bool saved = soak_done(w, t,
		gx_inst_save(t, w->inst, soak_rnd(w, 2) == 0 ? GX_SAVE_FORCE : 0, &r), "save");
	err = gx_txn_commit(t, GX_SYNC_LATER);
	if (err != 0)
		soak_fail(w->k, "commit: %s", gx_strerror(err));
	if (err != 0 || !saved || soak_rnd(w, 2) == 0)
		let_go(w);
}

void soak_instance(struct soak_thread *w)
{
	struct gx_inst_info i;
	if (w->inst == NULL) {
		open_one(w);
		return;
	}
	gx_inst_info(w->inst, &i);
	if (soak_rnd(w, 10) == 0)
		let_go(w);
	else if (i.writable && i.changed && soak_rnd(w, 2) == 0)
		save(w);
	else
		work_on(w);
}

void soak_instance_end(struct soak_thread *w)
{
	let_go(w);
}
