/* SPDX-License-Identifier: Apache-2.0 */
/* Messages with recipients, attachments and embedded messages. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/entryid.h>
#include "libgxstore/gromox/gromox-int.h"

/* What our store can hold. */
#define DEPTH_MAX 60

/* ---- Listings ---- */

void gx_gromox__list(struct gx_gromox *g, uint64_t fid, uint64_t after)
{
	gx_sql__done(g->cursor);
	g->cursor = gx_sql__stmt(g->q, fid == 0 ? g->q_stray : g->q_messages);
	if (fid != 0)
		gx_sql__bind_int(g->cursor, 1, (int64_t)fid);
	gx_sql__bind_int(g->cursor, fid == 0 ? 1 : 2, (int64_t)after);
}

static int take_row(struct gx_gromox *g, struct gx_stmt *st, struct gx_arena *a, struct gx_gromox_msg *m)
{
	*m = (struct gx_gromox_msg){.mid = gx_sql__u64(st, 0), .fid = gx_sql__u64(st, 1), .cn = gx_sql__u64(st, 2),
		.deleted = gx_sql__int(st, 3) != 0, .fai = gx_sql__int(st, 4) != 0, .read_cn = gx_sql__u64(st, 5),
		.read = gx_sql__int(st, 6) != 0, .size = gx_sql__u64(st, 7), .timer = gx_sql__u64(st, 9)};
	if (m->cn > GX_COUNTER_MAX)
		m->cn = 0;
	if (m->read_cn > GX_COUNTER_MAX)
		m->read_cn = 0;
	if (!gx_sql__is_null(st, 8) && *gx_sql__text(st, 8) != '\0') {
		m->eml = gx_arena_strdup(a, gx_sql__text(st, 8));
		if (m->eml == NULL)
			return GX_E_NOMEM;
	}
	gx_gromox__about(&g->notes, "message %llx", (unsigned long long)m->mid);
	return 0;
}

int gx_gromox__next(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_msg *ret_m)
{
	int r = gx_sql__step(g->cursor);
	if (r <= 0)
		return r;
	int err = take_row(g, g->cursor, a, ret_m);
	return err != 0 ? err : 1;
}

int gx_gromox__row(struct gx_gromox *g, uint64_t mid, struct gx_arena *a, struct gx_gromox_msg *ret_m)
{
	GX_STMT(st, g->q, g->q_message);
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r;
	int err = take_row(g, st, a, ret_m);
	return err != 0 ? err : 1;
}

int gx_gromox__lost_embedded(struct gx_gromox *g, uint64_t *ret_n)
{
	GX_STMT(st, g->q, "SELECT COUNT(*) FROM messages WHERE parent_attid IS NOT NULL AND"
		" parent_attid NOT IN (SELECT attachment_id FROM attachments)");
	int r = gx_sql__step(st);
	*ret_n = r > 0 ? gx_sql__u64(st, 0) : 0;
	return r < 0 ? r : 0;
}

/* ---- Parts ---- */

/* A damaged table ends its listing, not the conversion. */
static int end_of(struct gx_gromox *g, int r, const char *what)
{
	if (r != GX_E_FORMAT)
		return r;
	return gx_gromox__note(&g->notes, GX_CONV_DATABASE, NULL, "%s cannot be read to the end: %s", what, g->q->why);
}

static int recipients(struct gx_gromox *g, struct gx_arena *a, uint64_t mid, uint32_t cp, struct gx_msgobj *m)
{
	GX_STMT(st, g->q, "SELECT recipient_id FROM recipients WHERE message_id=?1 ORDER BY recipient_id");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		struct gx_proplist *l = gx_msgobj_add_rcpt(m, a);
		err = l == NULL ? GX_E_NOMEM : gx_gromox__props(g, GX_GROMOX_RCPT, gx_sql__u64(st, 0), cp, a, l);
	}
	return err != 0 ? err : end_of(g, r, "recipients");
}

static int object(struct gx_gromox *g, struct gx_arena *a, uint64_t mid, unsigned depth, struct gx_msgobj **ret_m);

static int embedded(struct gx_gromox *g, struct gx_arena *a, uint64_t attid, unsigned depth, struct gx_attach *at)
{
	GX_STMT(st, g->q, "SELECT message_id FROM messages WHERE parent_attid=?1 ORDER BY message_id LIMIT 1");
	gx_sql__bind_int(st, 1, (int64_t)attid);
	int r = gx_sql__step(st);
	if (r <= 0)
		return end_of(g, r, "embedded messages");
	if (depth >= DEPTH_MAX)
		return gx_gromox__note(&g->notes, GX_CONV_MESSAGE, NULL,
			"embedded messages are nested more than %d deep; the inner ones are left out", DEPTH_MAX);
	return object(g, a, gx_sql__u64(st, 0), depth + 1, &at->embedded);
}

static int attachments(struct gx_gromox *g, struct gx_arena *a, uint64_t mid, uint32_t cp, unsigned depth,
	struct gx_msgobj *m)
{
	GX_STMT(st, g->q, "SELECT attachment_id FROM attachments WHERE message_id=?1 ORDER BY attachment_id");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	int r, err = 0;
	while (err == 0 && (r = gx_sql__step(st)) > 0) {
		uint64_t id = gx_sql__u64(st, 0);
		struct gx_attach *at = gx_msgobj_add_attach(m, a);
		size_t i = m->att_count - 1;
		err = at == NULL ? GX_E_NOMEM : gx_gromox__props(g, GX_GROMOX_ATTACH, id, cp, a, &at->props);
		if (err == 0)
			err = gx_proplist_set_i32(&m->atts[i].props, a, PidTagAttachNumber, (int32_t)i);
		if (err == 0)
			err = embedded(g, a, id, depth, &m->atts[i]);
	}
	return err != 0 ? err : end_of(g, r, "attachments");
}

/* Of 8-bit text that came without a known code page; the message may say more than its strings. */
static uint32_t code_page(const struct gx_proplist *l)
{
	int32_t cp = gx_proplist_i32(l, PidTagMessageCodepage, 0);
	if (cp == 0)
		cp = gx_proplist_i32(l, PidTagInternetCodepage, 0);
	return cp > 0 && gx_cp_to_charset((uint32_t)cp) != NULL ? (uint32_t)cp : 0;
}

static int first_cp(struct gx_gromox *g, uint64_t mid, uint32_t *ret_cp)
{
	GX_STMT(st, g->q, "SELECT proptag,propval FROM message_properties WHERE message_id=?1 AND proptag IN (?2,?3)");
	struct gx_proplist l = {0};
	struct gx_propval v[2];
	gx_sql__bind_int(st, 1, (int64_t)mid);
	gx_sql__bind_int(st, 2, PidTagMessageCodepage);
	gx_sql__bind_int(st, 3, PidTagInternetCodepage);
	l.v = v;
	l.cap = 2;
	int r;
	while ((r = gx_sql__step(st)) > 0 && l.count < 2)
		v[l.count++] = (struct gx_propval){.tag = (gx_proptag_t)gx_sql__int(st, 0),
			.v.i32 = (int32_t)gx_sql__int(st, 1)};
	*ret_cp = code_page(&l);
	return r == GX_E_FORMAT || r > 0 ? 0 : r;
}

static int object(struct gx_gromox *g, struct gx_arena *a, uint64_t mid, unsigned depth, struct gx_msgobj **ret_m)
{
	struct gx_msgobj *m = gx_msgobj_new(a);
	uint32_t cp = 0;
	if (m == NULL)
		return GX_E_NOMEM;
	int err = first_cp(g, mid, &cp);
	err = err != 0 ? err : gx_gromox__props(g, GX_GROMOX_MESSAGE, mid, cp, a, &m->props);
	err = err != 0 ? err : recipients(g, a, mid, cp, m);
	err = err != 0 ? err : attachments(g, a, mid, cp, depth, m);
	if (err == 0)
		*ret_m = m;
	return err;
}

static int original(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_msg *m)
{
	const char *file = NULL;
	int err = gx_gromox__eml_read(g->dir, a, m->eml, &m->original, &file);
	if (err == 0 || err == GX_E_NOMEM || err == GX_E_IO)
		return err;
	m->original = (struct gx_bin){NULL, 0};
	return gx_gromox__note(&g->notes, GX_CONV_ORIGINAL, file, err == GX_E_NOTFOUND ? "the original text is missing" :
		"the original text cannot be read");
}

int gx_gromox__message(struct gx_gromox *g, struct gx_arena *a, struct gx_gromox_msg *m)
{
	int err = object(g, a, m->mid, 0, &m->obj);
	return err != 0 || m->eml == NULL ? err : original(g, a, m);
}
