/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to messages. */
#include <config.h>
#include <gx/namedprop.h>
#include "tests/soak/soak.h"

#define BATCH 20U

static const char *const words[] = {
	"plan", "lunch", "budget", "gr\xc3\xbcn", "meeting", "ideas", "re: plan", "minutes"};

static const char *subject(struct soak_thread *w)
{
	return gx_arena_printf(
		w->a, "%s %s %u", words[soak_rnd(w, 8)], words[soak_rnd(w, 8)], soak_rnd(w, 50));
}

/* ---- Mail ---- */

static struct gx_bin mail_text(struct soak_thread *w)
{
	struct gx_push out = GX_PUSH_INIT;
	unsigned from = soak_rnd(w, 9), lines = soak_rnd(w, 12) == 0 ? 2000 : soak_rnd(w, 60);
	gx_push_printf(&out,
		"From: Sender %u <s%u@example.net>\r\nTo: owner@example.org\r\nSubject: %s\r\n"
		"Date: Thu, 1 Jan 2026 10:%02u:00 +0100\r\nMessage-ID: <%08x.%08x@example.net>\r\n",
		from, from, subject(w), soak_rnd(w, 60), soak_rnd(w, UINT32_MAX),
		soak_rnd(w, UINT32_MAX));
	bool multi = soak_rnd(w, 4) == 0;
	if (multi)
		gx_push_str(&out, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
				  "boundary=b\r\n\r\n--b\r\n"
				  "Content-Type: text/plain\r\n");
	gx_push_str(&out, "\r\n");
	for (unsigned i = 0; i < lines; i++)
		gx_push_printf(&out, "Line %u about %s and %s.\r\n", i, words[soak_rnd(w, 8)],
			words[soak_rnd(w, 8)]);
	if (multi)
		gx_push_printf(&out,
			"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; "
			"filename=\"f%u.txt\"\r\n"
			"\r\nsome %s\r\n--b--\r\n",
			soak_rnd(w, 5), words[soak_rnd(w, 8)]);
	struct gx_bin b = {gx_arena_memdup(w->a, out.data, out.len), out.len};
	gx_push_release(&out);
	return b;
}

static struct gx_msg_prepared *prepare_mail(struct soak_thread *w)
{
	struct gx_mail_prepared p;
	int err = gx_mail_prepare_with(w->a, NULL, gx_clock_system(), w->ctx, mail_text(w), &p);
	if (err != 0)
		soak_fail(w->k, "mail: %s", gx_strerror(err));
	return err != 0 ? NULL : p.msg;
}

static uint32_t some_flags(struct soak_thread *w)
{
	static const uint32_t flags[] = {
		0, GX_MSGF_READ, GX_MSGF_READ | GX_MSGF_ANSWERED, GX_MSGF_FLAGGED, GX_MSGF_RECENT};
	return flags[soak_rnd(w, 5)];
}

static const char *const keywords[] = {"$Label1", NULL}, *const others[] = {
								 "Travel", "$Junk", NULL};

/* Rather than letting a folder grow without end. */
static bool make_room(struct soak_thread *w, struct gx_txn *t, uint64_t fid)
{
	struct gx_folder_info info;
	bool partial, more;
	if (!soak_done(w, t, gx_folder_get(t, fid, w->a, &info), "folder") ||
		info.total + info.fai < FOLDER_MAX)
		return false;
	soak_done(w, t,
		gx_folder_empty(t, fid,
			GX_CONTENT_NORMAL | GX_CONTENT_FAI |
				(soak_rnd(w, 2) != 0 ? GX_CONTENT_HARD : 0),
			FOLDER_MAX / 2, &partial, &more),
		"emptying");
	return true;
}

static void insert(struct soak_thread *w, struct gx_txn *t, uint64_t fid,
	struct gx_msg_prepared *const *v, size_t n, bool fai)
{
	for (size_t i = 0; i < n; i++) {
		struct gx_msg_insert_opts o = GX_MSG_INSERT_OPTS_INIT;
		struct gx_msg_ids ids;
		o.flags = some_flags(w) | (fai ? GX_MSGF_FAI : 0);
		o.keywords = soak_rnd(w, 6) == 0 ? keywords : soak_rnd(w, 9) == 0 ? others : NULL;
		if (!soak_done(w, t, gx_msg_insert(t, fid, v[i], &o, &ids), "insert"))
			return;
	}
}

static void put(struct soak_thread *w, struct gx_msg_prepared *const *v, size_t n, bool fai)
{
	struct gx_txn *t = soak_begin(w, w->s, soak_actor(w), GX_TXN_WRITE);
	if (t == NULL)
		return;
	uint64_t fid = soak_folder(w, t);
	if (fid != 0 && !make_room(w, t, fid))
		insert(w, t, fid, v, n, fai);
	soak_commit(w, t);
}

void soak_deliver(struct soak_thread *w)
{
	struct gx_msg_prepared *v[BATCH] = {NULL};
	size_t n = 0, want = 1 + soak_rnd(w, soak_rnd(w, 3) == 0 ? BATCH : 3);
	while (n < want && (v[n] = prepare_mail(w)) != NULL)
		n++;
	put(w, v, n, false);
	while (n > 0)
		gx_msg_prepared_release(v[--n]);
}

/* ---- Objects that never were mail ---- */

static struct gx_msgobj *object(struct soak_thread *w)
{
	static const char *const classes[] = {
		"IPM.Note", "IPM.Appointment", "IPM.Contact", "IPM.Task"};
	struct gx_propname place = GX_LID(PidLidLocation),
			   own = {.set = {soak_rnd(w, 3), 2, 3, {4}},
				   .by_name = true,
				   .name = gx_arena_printf(w->a, "own-%u", soak_rnd(w, 60))};
	struct gx_msgobj *m = gx_msgobj_new(w->a);
	struct gx_proplist *r = m == NULL ? NULL : gx_msgobj_add_rcpt(m, w->a);
	int err = r == NULL ? GX_E_NOMEM
			    : gx_proplist_set_str(r, w->a, PidTagSmtpAddress, "ann@example.org");
	err = err != 0 ? err
		       : gx_proplist_set_str(
				 &m->props, w->a, PidTagMessageClass, classes[soak_rnd(w, 4)]);
	err = err != 0 ? err : gx_proplist_set_str(&m->props, w->a, PidTagSubject, subject(w));
	err = err != 0 ? err
		       : gx_proplist_set_str(&m->props, w->a, PidTagBody,
				 gx_arena_printf(w->a, "About %s.", subject(w)));
	err = err != 0 ? err
		       : gx_msgobj_set_named(
				 m, w->a, &place, PtypString, (union gx_value){.str = "Room 7"});
	err = err != 0 ? err
		       : gx_msgobj_set_named(
				 m, w->a, &own, PtypInteger32, (union gx_value){.i32 = 7});
	if (err != 0)
		soak_fail(w->k, "object: %s", gx_strerror(err));
	return err != 0 ? NULL : m;
}

void soak_objects(struct soak_thread *w)
{
	struct gx_msg_source src = GX_MSG_SOURCE_INIT;
	struct gx_msg_prepared *p;
	src.obj = object(w);
	src.ctx = w->ctx;
	if (src.obj == NULL)
		return;
	int err = gx_msg_prepare(w->a, &src, &p);
	if (err != 0) {
		soak_fail(w->k, "prepare: %s", gx_strerror(err));
		return;
	}
	put(w, &p, 1, soak_rnd(w, 3) == 0);
	gx_msg_prepared_release(p);
}

/* ---- Those that are there ---- */

static struct gx_txn *write_to(struct soak_thread *w, struct soak_pick *p, size_t most)
{
	soak_pick(w, p, most);
	return p->n == 0 ? NULL : soak_begin(w, w->s, soak_actor(w), GX_TXN_WRITE);
}

void soak_copy(struct soak_thread *w)
{
	struct soak_pick p;
	struct gx_msg_ids ids[PICK_MAX];
	struct gx_txn *t = write_to(w, &p, soak_rnd(w, 4) == 0 ? PICK_MAX : 4);
	if (t == NULL)
		return;
	uint64_t to = soak_folder(w, t);
	bool move = soak_rnd(w, 3) != 0;
	if (to != 0 && !make_room(w, t, to))
		soak_done(w, t, gx_msg_copy(t, p.fid, p.mid, p.n, to, move, ids),
			move ? "move" : "copy");
	soak_commit(w, t);
}

void soak_delete(struct soak_thread *w)
{
	struct soak_pick p;
	struct gx_txn *t = write_to(w, &p, 8);
	if (t == NULL)
		return;
	soak_done(w, t, gx_msg_delete(t, p.fid, p.mid, p.n, soak_rnd(w, 2) != 0), "delete");
	soak_commit(w, t);
}

void soak_flags(struct soak_thread *w)
{
	static const uint32_t flags[] = {
		GX_MSGF_READ, GX_MSGF_FLAGGED, GX_MSGF_ANSWERED, GX_MSGF_DELETED, GX_MSGF_RECENT};
	struct gx_flag_change c = {.op = (int)soak_rnd(w, 3),
		.flags = flags[soak_rnd(w, 5)],
		.unchanged_since = UINT64_MAX};
	struct soak_pick p;
	uint64_t *skipped;
	size_t n;
	struct gx_txn *t = write_to(w, &p, PICK_MAX);
	if (t == NULL)
		return;
	c.keywords = soak_rnd(w, 4) == 0 ? keywords : NULL;
	if (soak_rnd(w, 5) == 0)
		c.unchanged_since = 500 + soak_rnd(w, 5000);
	soak_done(w, t, gx_msg_change_flags(t, p.fid, p.mid, p.n, &c, w->a, &skipped, &n), "flags");
	soak_commit(w, t);
}

void soak_read_marks(struct soak_thread *w)
{
	struct soak_pick p;
	struct gx_txn *t = write_to(w, &p, 8);
	if (t == NULL)
		return;
	for (size_t i = 0; i < p.n; i++)
		soak_done(w, t,
			gx_msg_set_read(t, p.mid[i],
				soak_rnd(w, 3) == 0 ? GX_RF_CLEAR_READ : GX_RF_DEFAULT, NULL),
			"read mark");
	soak_commit(w, t);
}

void soak_edit(struct soak_thread *w)
{
	struct gx_proplist l = {0};
	struct soak_pick p;
	struct gx_txn *t = write_to(w, &p, 3);
	if (t == NULL)
		return;
	int err = gx_proplist_set_str(&l, w->a, PidTagSubject, subject(w));
	err = err != 0 ? err
		       : gx_proplist_set_i32(&l, w->a, PidTagImportance, (int32_t)soak_rnd(w, 3));
	if (err == 0 && soak_rnd(w, 3) == 0)
		err = gx_proplist_set_str(
			&l, w->a, PidTagBody, gx_arena_printf(w->a, "Now about %s.", subject(w)));
	if (err != 0)
		soak_fail(w->k, "properties: %s", gx_strerror(err));
	for (size_t i = 0; i < p.n; i++)
		soak_done(w, t,
			soak_rnd(w, 4) == 0
				? gx_msg_change_props(t, p.mid[i], &l, NULL, 0, 0, w->a, NULL)
				: gx_msg_set_props(t, p.mid[i], &l),
			"edit");
	soak_commit(w, t);
}
