/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_SESSION_USERS_H
#define GX_SESSION_USERS_H
/* Users who have sessions, and how many; for limits. Thread class: locked. */
#include "libgxproto/session/session.h"

struct gx_sess_user {
	struct gx_sess_user *next;
	uint32_t hash;
	unsigned count[GX_SESS_KINDS];
	char name[];
};

struct gx_sess_users;

int gx_sess_users__new(struct gx_sess_users **ret_u) GX_MUST_CHECK;
/* Nobody may be in it. Accepts NULL. */
void gx_sess_users__free(struct gx_sess_users *u);
/* One more of @name's, if the limits allow: GX_E_LIMIT. */
int gx_sess_users__enter(struct gx_sess_users *u, unsigned kind, const char *name, const struct gx_sess_limits *l, struct gx_sess_user **ret_w)
	GX_MUST_CHECK;
/* One less. */
void gx_sess_users__leave(struct gx_sess_users *u, unsigned kind, struct gx_sess_user *w);
bool gx_sess_user__is(const struct gx_sess_user *w, const char *name);
unsigned gx_sess_users__sessions(struct gx_sess_users *u, unsigned kind);

#endif
