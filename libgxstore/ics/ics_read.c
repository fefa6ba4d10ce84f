/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/ics/ics-int.h"
#include "libgxstore/content/pread-int.h"

/* In public stores everybody has read states of his own (pread.c); messages without one are not read. */

static int one(struct gx_ics_run *x, uint64_t mid, bool is_read)
{
	struct gx_msg_row r;
	if (!gx_globset_contains(&x->c->set[GX_ICS_GIVEN], mid))
		return 0;
	int err = gx_msg__row(x->t, mid, &r);
	if (err != 0 || (r.flags & GX_MSGF_FAI) || !gx_ics__is_known(x, &r)) /* a changed message brings its state with it */
		return err == GX_E_NOTFOUND ? 0 : err;
	return gx_globset_add(&x->c->set[is_read ? GX_ICS_READ : GX_ICS_UNREAD], mid);
}

int gx_ics__user_reads(struct gx_ics_run *x)
{
	const char *user;
	if (gx_pread__all_read(x->t->s))
		return 0;
	int err = gx_pread__user(x->t, x->t->actor->user, &user);
	if (err != 0)
		return err;
	GX_STMT(st, x->t->q, "SELECT mid,isread,rcn FROM pread WHERE user=?1 AND fid=?2 AND mid>0");
	gx_sql__bind_text(st, 1, user);
	gx_sql__bind_int(st, 2, (int64_t)x->fid);
	int r;
	while ((r = gx_sql__step(st)) > 0) {
		if (gx_globset_contains(x->o->read, gx_sql__u64(st, 2)))
			continue;
		err = one(x, gx_sql__u64(st, 0), gx_sql__int(st, 1) != 0);
		if (err != 0)
			return err;
	}
	return r;
}
