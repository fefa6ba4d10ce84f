/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up users and domains, and checking passwords. */
#include <config.h>
#include "libgxstore/directory/dir-int.h"

/* PidTagDisplayTypeEx, and the quotas that user_properties holds in KiB. */
static void take_prop(struct gx_user *u, uint32_t tag, const char *text)
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

int gx_dir__user_props(struct gx_dir *d, struct gx_arena *a, struct gx_user *u)
{
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_USER_PROPS);
	if (st == NULL)
		return GX_E_IO;
	sqlite3_bind_int64(st, 1, u->id);
	int r;
	u->display_name = "";
	while ((r = gx_dir__step(d, st)) == 1) {
		uint32_t tag = (uint32_t)sqlite3_column_int64(st, 0);
		const char *text = (const char *)sqlite3_column_text(st, 1);
		if (text == NULL)
			continue;
		if (tag == 0x3001001f)
			u->display_name = gx_dir__col(a, st, 1);
		else
			take_prop(u, tag, text);
	}
	gx_dir__done(st);
	if (r == 0 && u->display_name == NULL)
		r = GX_E_NOMEM;
	if (r == 0 && u->display_name[0] == '\0')
		u->display_name = u->username;
	return r;
}

static int read_user(struct gx_arena *a, sqlite3_stmt *st, struct gx_user *u)
{
	*u = (struct gx_user){
		.id = (uint32_t)sqlite3_column_int64(st, 0),
		.domain_id = (uint32_t)sqlite3_column_int64(st, 1),
		.homeserver = (uint32_t)sqlite3_column_int64(st, 2),
		.username = gx_dir__col(a, st, 3),
		.maildir = gx_dir__col(a, st, 4),
		.lang = gx_dir__col(a, st, 5),
		.timezone = gx_dir__col(a, st, 6),
		.status = (uint32_t)sqlite3_column_int64(st, 7),
		.privileges = (uint32_t)sqlite3_column_int64(st, 8),
	};
	return u->username == NULL || u->maildir == NULL || u->lang == NULL || u->timezone == NULL ? GX_E_NOMEM : 0;
}

int gx_dir__load_user(struct gx_dir *d, const char *key, struct gx_arena *a, struct gx_user *ret_u)
{
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_USER_BY_NAME);
	if (st == NULL)
		return GX_E_IO;
	int r = gx_dir__bind(st, 1, key);
	if (r == 0)
		r = gx_dir__step(d, st);
	if (r == 1)
		r = read_user(a, st, ret_u);
	else if (r == 0)
		r = GX_E_NOTFOUND;
	gx_dir__done(st);
	return r != 0 ? r : gx_dir__user_props(d, a, ret_u);
}

int gx_dir_user(struct gx_dir *d, const char *address, struct gx_arena *a, struct gx_user *ret_u)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || address == NULL || a == NULL || ret_u == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(address, key) != 0)
		return GX_E_NOTFOUND;
	struct gx_user u;
	pthread_mutex_lock(&d->lock);
	gx_dir__cache_refresh(d);
	int r = gx_dir__cache_get(d, key, a, &u);
	if (r == 1) {
		r = gx_dir__load_user(d, key, a, &u);
		if (r == 0 || r == GX_E_NOTFOUND)
			gx_dir__cache_put(d, key, r == 0 ? &u : NULL);
	}
	pthread_mutex_unlock(&d->lock);
	if (r == 0)
		*ret_u = u;
	return r;
}

static int read_domain(struct gx_arena *a, sqlite3_stmt *st, struct gx_domain *dom)
{
	*dom = (struct gx_domain){
		.id = (uint32_t)sqlite3_column_int64(st, 0),
		.homeserver = (uint32_t)sqlite3_column_int64(st, 1),
		.status = (uint32_t)sqlite3_column_int64(st, 2),
		.name = gx_dir__col(a, st, 3),
		.homedir = gx_dir__col(a, st, 4),
		.title = gx_dir__col(a, st, 5),
		.max_user = (uint32_t)sqlite3_column_int64(st, 6),
	};
	return dom->name == NULL || dom->homedir == NULL || dom->title == NULL ? GX_E_NOMEM : 0;
}

int gx_dir_domain(struct gx_dir *d, const char *name, struct gx_arena *a, struct gx_domain *ret_dom)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || name == NULL || a == NULL || ret_dom == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(name, key) != 0)
		return GX_E_NOTFOUND;
	pthread_mutex_lock(&d->lock);
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_DOMAIN_BY_NAME);
	int r = st == NULL ? GX_E_IO : gx_dir__bind(st, 1, key);
	if (r == 0)
		r = gx_dir__step(d, st);
	if (r == 1)
		r = read_domain(a, st, ret_dom);
	else if (r == 0)
		r = GX_E_NOTFOUND;
	gx_dir__done(st);
	pthread_mutex_unlock(&d->lock);
	return r;
}

int gx_dir_list_domains(struct gx_dir *d, struct gx_arena *a, struct gx_domain **ret_v, size_t *ret_n)
{
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	struct gx_domain *v = NULL;
	size_t n = 0, cap = 0;
	pthread_mutex_lock(&d->lock);
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_DOMAINS);
	int r = st == NULL ? GX_E_IO : 0;
	while (r == 0 && (r = gx_dir__step(d, st)) == 1) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		r = v == NULL ? GX_E_NOMEM : read_domain(a, st, &v[n++]);
	}
	gx_dir__done(st);
	pthread_mutex_unlock(&d->lock);
	if (r == 0) {
		*ret_v = v;
		*ret_n = n;
	}
	return r;
}

static int all_users(struct gx_dir *d, sqlite3_stmt *st, struct gx_arena *a, struct gx_user **ret_v, size_t *ret_n)
{
	struct gx_user *v = NULL;
	size_t n = 0, cap = 0;
	int r = 0;
	while (r == 0 && (r = gx_dir__step(d, st)) == 1) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		r = v == NULL ? GX_E_NOMEM : read_user(a, st, &v[n++]);
	}
	gx_dir__done(st);
	for (size_t i = 0; r == 0 && i < n; ++i)
		r = gx_dir__user_props(d, a, &v[i]);
	*ret_v = v;
	*ret_n = n;
	return r;
}

int gx_dir_list_users(struct gx_dir *d, const char *domain, struct gx_arena *a, struct gx_user **ret_v, size_t *ret_n)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	if (domain != NULL && gx_dir__normalise(domain, key) != 0)
		return GX_E_NOTFOUND;
	pthread_mutex_lock(&d->lock);
	sqlite3_stmt *st = gx_dir__stmt(d, domain == NULL ? GX_DQ_USERS_ALL : GX_DQ_USERS_OF_DOMAIN);
	int r = st == NULL ? GX_E_IO : 0;
	if (r == 0 && domain != NULL)
		r = gx_dir__bind(st, 1, key);
	struct gx_user *v = NULL;
	size_t n = 0;
	if (r == 0)
		r = all_users(d, st, a, &v, &n);
	pthread_mutex_unlock(&d->lock);
	if (r == 0) {
		*ret_v = v;
		*ret_n = n;
	}
	return r;
}

/* The hash a login is checked against, copied out so that the lock is not held while hashing. */
struct secret {
	char hash[137];
	bool known, elsewhere; /* elsewhere: the site keeps the password outside (LDAP, PAM) */
};

static int load_secret(struct gx_dir *d, const char *key, struct secret *s)
{
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_USER_SECRET);
	int r = st == NULL ? GX_E_IO : gx_dir__bind(st, 1, key);
	if (r == 0)
		r = gx_dir__step(d, st);
	if (r == 1) {
		const char *h = (const char *)sqlite3_column_text(st, 1);
		snprintf(s->hash, sizeof(s->hash), "%s", h == NULL ? "" : h);
		s->known = true;
		s->elsewhere = sqlite3_column_int(st, 2) > 0;
		r = 0;
	}
	gx_dir__done(st);
	return r;
}

static int adopt_first_password(struct gx_dir *d, const char *key, const char *password)
{
	char hash[137];
	int err = gx_dir__hash(password, hash);
	if (err == 0)
		err = gx_dir__begin(d);
	if (err != 0)
		return err;
	err = gx_dir__exec(d, GX_DQ_USER_FIRST_PASSWORD, key, hash);
	/* Somebody else's first password may have come in between; then this one does not count. */
	if (err == 0 && sqlite3_changes(d->db) != 1)
		err = GX_E_INVAL;
	return gx_dir__end(d, err);
}

static bool may(const struct gx_user *u, uint32_t need)
{
	uint32_t have = u->privileges;
	if ((have & GX_PRIV_DETAIL1) == 0)
		have |= GX_PRIV_WEB | GX_PRIV_EAS | GX_PRIV_DAV;
	return u->status == GX_USER_NORMAL && (have & need) == need;
}

int gx_dir_login(struct gx_dir *d, const char *login, const char *password, uint32_t need_privileges, struct gx_arena *a,
	struct gx_user *ret_u)
{
	char key[GX_DIR_ADDR_MAX + 1];
	struct secret s = {0};
	struct gx_user u = {0};
	if (d == NULL || login == NULL || password == NULL || a == NULL || ret_u == NULL)
		return GX_E_INVAL;
	int err = 0;
	if (gx_dir__normalise(login, key) == 0) {
		pthread_mutex_lock(&d->lock);
		err = load_secret(d, key, &s);
		if (err == 0 && s.known)
			err = gx_dir__load_user(d, key, a, &u);
		pthread_mutex_unlock(&d->lock);
	}
	if (err != 0)
		return err;
	bool empty = s.known && !s.elsewhere && s.hash[0] == '\0' && password[0] != '\0';
	if (empty && d->first_time_password && may(&u, need_privileges)) {
		err = adopt_first_password(d, key, password);
	} else {
		bool ok = gx_dir__verify(password, s.known && !s.elsewhere ? s.hash : NULL);
		err = !s.known ? GX_E_NOTFOUND : s.elsewhere ? GX_E_UNSUP : !ok ? GX_E_INVAL : may(&u, need_privileges) ? 0 : GX_E_STATE;
	}
	explicit_bzero(&s, sizeof(s));
	if (err == 0)
		*ret_u = u;
	return err;
}
