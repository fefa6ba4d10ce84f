/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/message/msgsrc.h"

/*
 * All messages of a folder with one statement: rows and bodies lie in about the order in which they are read,
 * and nothing is looked up by itself. A message whose body is missing is given all the same; whoever
 * asks for the body is told.
 */

#define ROWS(from, where) "SELECT " GX_MSG_ROW_COLS " FROM " from " WHERE " where
#define BODIES(from, where) \
	"SELECT " GX_MSG_ROW_COLS ",b.id,b.props,b.rcpts FROM " from " LEFT JOIN body b ON b.id=m.body WHERE " where
#define BOTH(from, where) {ROWS(from, where), BODIES(from, where)}

static const char *const sql[][2] = {
	[GX_SCAN_DELETED] = BOTH("msg m", "m.fid=?1 AND m.uid=0 AND ?2=0"),
	[GX_SCAN_NORMAL] = BOTH("msg m", "m.fid=?1 AND m.uid>?2 AND NOT m.flags&256 ORDER BY m.uid"),
	[GX_SCAN_FAI] = BOTH("msg m", "m.fid=?1 AND m.uid>?2 AND m.flags&256 ORDER BY m.uid"),
	[GX_SCAN_FOUND] = BOTH("found f CROSS JOIN msg m ON m.mid=f.mid", "f.fid=?1 AND f.mid>?2 ORDER BY f.mid"),
	[GX_SCAN_STORE] = BOTH("msg m", "m.mid>?2 AND m.uid>0 AND NOT m.flags&256 ORDER BY m.mid"),
};

void gx_msgscan__begin(struct gx_msgscan *s, struct gx_txn *t, int kind, uint64_t fid, uint64_t above, bool bodies)
{
	*s = (struct gx_msgscan){.t = t, .kind = kind, .bodies = bodies, .st = gx_sql__stmt(t->q, sql[kind][bodies])};
	if (kind != GX_SCAN_STORE)
		gx_sql__bind_int(s->st, 1, (int64_t)fid);
	gx_sql__bind_int(s->st, 2, (int64_t)above);
}

int gx_msgscan__next(struct gx_msgscan *s, struct gx_msgsrc *x)
{
	struct gx_msg_row row;
	int r = gx_sql__step(s->st);
	if (r <= 0)
		return r;
	gx_msg__read_row(s->t, s->st, &row);
	if (!s->bodies || gx_sql__is_null(s->st, GX_MSG_ROW_NCOLS))
		gx_msgsrc__set(x, &row);
	else
		gx_msgsrc__set_body(x, &row, gx_sql__blob(s->st, GX_MSG_ROW_NCOLS + 1),
			gx_sql__blob(s->st, GX_MSG_ROW_NCOLS + 2));
	return 1;
}

uint64_t gx_msgscan__at(const struct gx_msgscan *s, const struct gx_msgsrc *x)
{
	return s->kind == GX_SCAN_FOUND || s->kind == GX_SCAN_STORE ? x->row.mid : x->row.uid;
}

void gx_msgscan__end(struct gx_msgscan *s)
{
	gx_sql__done(s->st);
	s->st = NULL;
}
