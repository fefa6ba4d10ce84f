/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of trees: files first, then the stores. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "libgxstore/snapshot/sn-int.h"
#include "libgxstore/store-int.h"

static int begin(struct gx_sn *x, const struct gx_copy_opts *o, struct gx_copy_result *r,
	const char *from, const char *to)
{
	struct stat st;
	if (from == NULL || to == NULL || o == NULL || o->size < sizeof(*o) || r == NULL)
		return GX_E_INVAL;
	*x = (struct gx_sn){.o = o, .r = r, .from = from, .to = to, .a = gx_arena_new(0), .buf = malloc(GX_SN_BUF)};
	if (o->except != NULL && stat(o->except, &st) == 0) {
		x->has_except = true;
		x->except_dev = st.st_dev;
		x->except_ino = st.st_ino;
	}
	return x->a != NULL && x->buf != NULL ? 0 : gx_sn__fail(x, GX_E_NOMEM, "out of memory");
}

static int end(struct gx_sn *x, int err, struct gx_arena *a, const char **ret_why)
{
	if (err != 0 && a != NULL && ret_why != NULL)
		gx_store__why(a, ret_why, "%s", x->why[0] != '\0' ? x->why : gx_strerror(err));
	gx_arena_free(x->a);
	free(x->buf);
	return err;
}

int gx_tree_copy(const char *from, const char *to, const struct gx_copy_opts *o,
	struct gx_copy_result *io_r, struct gx_arena *a, const char **ret_why)
{
	struct gx_sn x = {.o = NULL};
	int err = begin(&x, o, io_r, from, to);
	if (err == GX_E_INVAL)
		return err;
	if (err == 0)
		err = gx_sn__is_store(from) ? gx_sn__store(&x, from, to) : gx_sn__tree(&x, from, to, NULL, 0);
	for (size_t i = 0; err == 0 && i < x.nstores; ++i) {
		err = gx_sn__store(&x, x.stores[i].from, x.stores[i].to);
		if (err == GX_E_NOTFOUND) /* removed meanwhile */
			err = gx_sn__remove(&x, x.stores[i].to);
	}
	return end(&x, err, a, ret_why);
}

static int settle_entry(struct gx_sn *x, const char *dir, const char *name, void *ctx)
{
	char path[PATH_MAX];
	struct stat st;
	int err = gx_sn__join(x, path, dir, name);
	if (err != 0 || lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return err;
	return gx_sn__is_store(path) ? gx_sn__settle(x, path) : gx_sn__each(x, path, settle_entry, ctx);
}

int gx_tree_settle(const char *dir, const struct gx_copy_opts *o, struct gx_copy_result *io_r,
	struct gx_arena *a, const char **ret_why)
{
	struct gx_sn x = {.o = NULL};
	int err = begin(&x, o, io_r, dir, dir);
	if (err == GX_E_INVAL)
		return err;
	if (err == 0)
		err = gx_sn__is_store(dir) ? gx_sn__settle(&x, dir) : gx_sn__each(&x, dir, settle_entry, NULL);
	return end(&x, err, a, ret_why);
}
