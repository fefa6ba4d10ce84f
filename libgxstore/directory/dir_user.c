/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up users and checking passwords. */
#include <config.h>
#include "libgxstore/directory/dir-int.h"

/* PidTagDisplayTypeEx, and the quotas that user_properties holds in KiB. */
static void take_number(struct gx_user *u, uint32_t tag, const char *text)
{
	uint64_t n = strtoull(text, NULL, 10);
	uint64_t bytes = n > UINT64_MAX / 1024 ? UINT64_MAX : n * 1024;
	switch (tag) {
	case 0x39050003:
		u->display_type = (uint32_t)n;
		break;
	case 0x666a0003:
		u->quota_receive = bytes;
		break;
	case 0x666e0003:
		u->quota_send = bytes;
		break;
	case 0x3ff50003:
		u->quota_warn = bytes;
		break;
	}
}

/* The property in columns 9 and 10, if there is one. */
static int take_prop(struct gx_arena *a, struct gx_dirstmt *st, struct gx_user *u)
{
	uint32_t tag = (uint32_t)gx_dir__num(st, 9);
	if (tag != 0x3001001f) {
		take_number(u, tag, gx_dir__text(st, 10));
		return 0;
	}
	const char *name = gx_dir__col(a, st, 10);
	if (name == NULL)
		return GX_E_NOMEM;
	if (*name != '\0')
		u->display_name = name;
	return 0;
}

static int read_user(struct gx_arena *a, struct gx_dirstmt *st, struct gx_user *u)
{
	*u = (struct gx_user){
		.id = (uint32_t)gx_dir__num(st, 0),
		.domain_id = (uint32_t)gx_dir__num(st, 1),
		.homeserver = (uint32_t)gx_dir__num(st, 2),
		.username = gx_dir__col(a, st, 3),
		.maildir = gx_dir__col(a, st, 4),
		.lang = gx_dir__col(a, st, 5),
		.timezone = gx_dir__col(a, st, 6),
		.status = (uint32_t)gx_dir__num(st, 7),
		.privileges = (uint32_t)gx_dir__num(st, 8),
	};
	u->display_name = u->username;
	return u->username == NULL || u->maildir == NULL || u->lang == NULL || u->timezone == NULL ? GX_E_NOMEM : 0;
}

struct users {
	struct gx_arena *a;
	struct gx_user *v;
	size_t n, cap;
};

/* Rows of a user follow each other, one for each property. */
static int take_row(struct gx_dirstmt *st, void *ctx)
{
	struct users *l = ctx;
	int r = 0;
	if (l->n == 0 || l->v[l->n - 1].id != (uint32_t)gx_dir__num(st, 0)) {
		l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
		r = l->v == NULL ? GX_E_NOMEM : read_user(l->a, st, &l->v[l->n++]);
	}
	return r == 0 ? take_prop(l->a, st, &l->v[l->n - 1]) : r;
}

int gx_dir__load_user(struct gx_dirconn *c, const char *key, struct gx_arena *a, struct gx_user *ret_u)
{
	struct users l = {.a = a, .v = ret_u, .cap = 1};
	int r = gx_dir__each(c, GX_DQ_USER_BY_NAME, GX_ARGS(GX_NAME(key), GX_TEXT(key)), take_row, &l);
	return r == 0 && l.n == 0 ? GX_E_NOTFOUND : r;
}

struct lookup {
	const char *key;
	struct gx_arena *a;
	struct gx_user u;
};

static int load(struct gx_dirconn *c, void *ctx)
{
	struct lookup *l = ctx;
	return gx_dir__load_user(c, l->key, l->a, &l->u);
}

int gx_dir_user(struct gx_dir *d, const char *address, struct gx_arena *a, struct gx_user *ret_u)
{
	char key[GX_DIR_ADDR_MAX + 1];
	uint64_t ticket;
	if (d == NULL || address == NULL || a == NULL || ret_u == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(address, key) != 0)
		return GX_E_NOTFOUND;
	int r = gx_dir__cache_get(d, GX_DIRKIND_USER, key, a, ret_u, &ticket);
	if (r != 1)
		return r;
	struct lookup l = {.key = key, .a = a};
	r = gx_dir__read(d, load, &l);
	if (r == 0 || r == GX_E_NOTFOUND)
		gx_dir__cache_put(d, GX_DIRKIND_USER, key, r == 0 ? &l.u : NULL, ticket);
	if (r == 0)
		*ret_u = l.u;
	return r;
}

struct listing {
	const char *domain; /* NULL: all */
	struct users l;
};

static int list(struct gx_dirconn *c, void *ctx)
{
	struct listing *k = ctx;
	const struct gx_dirarg domain = GX_NAME(k->domain);
	bool all = k->domain == NULL;
	k->l.n = 0;
	return gx_dir__each(c, all ? GX_DQ_USERS_ALL : GX_DQ_USERS_OF_DOMAIN, &domain, all ? 0 : 1, take_row, &k->l);
}

int gx_dir_list_users(struct gx_dir *d, const char *domain, struct gx_arena *a, struct gx_user **ret_v, size_t *ret_n)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	if (domain != NULL && gx_dir__normalise(domain, key) != 0)
		return GX_E_NOTFOUND;
	struct listing k = {.domain = domain == NULL ? NULL : key, .l.a = a};
	int r = gx_dir__read(d, list, &k);
	if (r == 0) {
		*ret_v = k.l.v;
		*ret_n = k.l.n;
	}
	return r;
}

/* The hash a login is checked against, copied out so that no connection is held while hashing. */
struct login {
	const char *key;
	struct gx_arena *a;
	struct gx_user u;
	int64_t id;
	char hash[137];
	bool known, elsewhere; /* elsewhere: the site keeps the password outside (LDAP, PAM) */
};

static int load_secret(struct gx_dirconn *c, struct login *l)
{
	struct gx_dirstmt *st;
	int r = gx_dir__run(c, GX_DQ_USER_SECRET, GX_ARGS(GX_NAME(l->key), GX_TEXT(l->key)), &st);
	if (r != 0)
		return r;
	r = gx_dir__step(st);
	l->known = r == 1;
	if (r == 1) {
		l->id = gx_dir__num(st, 0);
		snprintf(l->hash, sizeof(l->hash), "%s", gx_dir__text(st, 1));
		l->elsewhere = gx_dir__num(st, 2) > 0;
	}
	gx_dir__done(st);
	return r < 0 ? r : 0;
}

static int load_login(struct gx_dirconn *c, void *ctx)
{
	struct login *l = ctx;
	int err = load_secret(c, l);
	return err == 0 && l->known ? gx_dir__load_user(c, l->key, l->a, &l->u) : err;
}

static int put_first_password(struct gx_dirconn *c, void *ctx)
{
	const struct login *l = ctx;
	int err = gx_dir__change(c, GX_DQ_USER_FIRST_PASSWORD, GX_ARGS(GX_NUM(l->id), GX_TEXT(l->hash)));
	/* Somebody else's first password may have come in between; then this one does not count. */
	return err == GX_E_NOTFOUND ? GX_E_INVAL : err;
}

bool gx_user_may(const struct gx_user *u, uint32_t need)
{
	uint32_t have = u->privileges;
	if ((have & GX_PRIV_DETAIL1) == 0)
		have |= GX_PRIV_WEB | GX_PRIV_EAS | GX_PRIV_DAV;
	return u->status == GX_USER_NORMAL && (have & need) == need;
}

static int check_login(struct gx_dir *d, struct login *l, const char *password, uint32_t need)
{
	bool empty = l->known && !l->elsewhere && l->hash[0] == '\0' && password[0] != '\0';
	if (empty && d->o.first_time_password && gx_user_may(&l->u, need)) {
		int err = gx_dir__hash(password, l->hash);
		return err != 0 ? err : gx_dir__write(d, put_first_password, l);
	}
	bool ok = gx_dir__verify(password, l->known && !l->elsewhere ? l->hash : NULL);
	return !l->known ? GX_E_NOTFOUND : l->elsewhere ? GX_E_UNSUP : !ok ? GX_E_INVAL : gx_user_may(&l->u, need) ? 0 : GX_E_STATE;
}

int gx_dir_login(struct gx_dir *d, const char *login, const char *password, uint32_t need_privileges, struct gx_arena *a,
	struct gx_user *ret_u)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || login == NULL || password == NULL || a == NULL || ret_u == NULL)
		return GX_E_INVAL;
	struct login l = {.key = key, .a = a};
	int err = gx_dir__normalise(login, key) == 0 ? gx_dir__read(d, load_login, &l) : 0;
	if (err == GX_E_NOTFOUND) { /* deleted between two questions */
		l.known = false;
		err = 0;
	}
	if (err == 0)
		err = check_login(d, &l, password, need_privileges);
	if (err == 0)
		*ret_u = l.u;
	explicit_bzero(l.hash, sizeof(l.hash));
	return err;
}
