/* SPDX-License-Identifier: Apache-2.0 */
/* Names and passwords of the directory. */
#include <config.h>
#include "libgxproto/http/http-int.h"

static int known(const struct gx_http_dircheck *d, const char *login, struct gx_arena *a, struct gx_user *u)
{
	int err = gx_dir_user(d->dir, login, a, u);
	return err != 0 ? err : gx_user_may(u, d->need_privileges) ? 0 : GX_E_STATE;
}

int gx_http_check_directory(const char *login, const char *password, struct gx_arena *a, const char **ret_user, void *ctx)
{
	const struct gx_http_dircheck *d = ctx;
	struct gx_user u;
	int err = password == NULL ? known(d, login, a, &u) : gx_dir_login(d->dir, login, password, d->need_privileges, a, &u);
	if (err == 0)
		*ret_user = u.username;
	return err;
}
