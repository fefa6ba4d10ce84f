/* SPDX-License-Identifier: Apache-2.0 */
/* A line of commands from beginning to end. */
#include <config.h>
#include <string.h>
#include "libgxproto/mbop/mbop-int.h"

static int run_step(struct gx_mbop *m, const struct gx_mbop_step *s, const char **ret_why)
{
	struct gx_mbop_target one, *v = &one;
	size_t n = 1;
	int err = s->each ? gx_mbop__targets(m, s->filters, &v, &n, ret_why) : gx_mbop__target(m, &one, ret_why);
	return err != 0 ? err : gx_mbop__do(m, s, v, n);
}

static int check(const struct gx_mbop_opts *o, const struct gx_mbop_line *l, const char **ret_why)
{
	if (gx_mbop_needs_mailbox(l) && (o->user == NULL) == (o->path == NULL)) {
		*ret_why = o->user == NULL ? "no mailbox is named" : "a user and a directory are both given";
		return GX_E_INVAL;
	}
	if (o->dir == NULL && (o->user != NULL || gx_mbop_has_foreach(l))) {
		*ret_why = "this needs the directory of users";
		return GX_E_INVAL;
	}
	return 0;
}

int gx_mbop_run(const struct gx_mbop_opts *o, const struct gx_mbop_line *l, struct gx_arena *a, size_t *ret_failed,
	const char **ret_why)
{
	const char *why = "";
	struct gx_mbop m;
	ret_why = ret_why != NULL ? ret_why : &why;
	*ret_why = "";
	if (o == NULL || o->size != sizeof(*o) || l == NULL || a == NULL || ret_failed == NULL)
		return GX_E_INVAL;
	int err = check(o, l, ret_why);
	if (err == 0)
		err = gx_mbop__init(&m, o, a);
	if (err != 0)
		return err;
	for (size_t i = 0; err == 0 && i < l->n && (m.failed == 0 || o->keep_going); ++i)
		err = run_step(&m, &l->v[i], ret_why);
	*ret_failed = m.failed;
	gx_mbop__release(&m);
	return err;
}
