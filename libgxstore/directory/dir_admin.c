/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the directory. */
#include <config.h>
#include "libgxstore/directory/dir-int.h"

#define DEFAULT_PRIVILEGES (GX_PRIV_IMAP_POP3 | GX_PRIV_SMTP | GX_PRIV_CHGPASSWD | GX_PRIV_DETAIL1 | GX_PRIV_WEB)

/* One change of one row by name: GX_E_NOTFOUND when there was none. */
static int change_one(struct gx_dir *d, enum gx_dir_q q, const char *a, const char *b)
{
	int err = gx_dir__begin(d);
	if (err != 0)
		return err;
	err = gx_dir__exec(d, q, a, b);
	if (err == 0 && sqlite3_changes(d->db) == 0)
		err = GX_E_NOTFOUND;
	return gx_dir__end(d, err);
}

/* First column of the first row; GX_E_NOTFOUND without one. */
static int lookup_id(struct gx_dir *d, enum gx_dir_q q, const char *name, int64_t *ret_id)
{
	sqlite3_stmt *st = gx_dir__stmt(d, q);
	int r = st == NULL ? GX_E_IO : gx_dir__bind(st, 1, name);
	if (r == 0)
		r = gx_dir__step(d, st);
	if (r == 1)
		*ret_id = sqlite3_column_int64(st, 0);
	gx_dir__done(st);
	return r == 1 ? 0 : r == 0 ? GX_E_NOTFOUND : r;
}

static int name_free(struct gx_dir *d, const char *name)
{
	int64_t one;
	int err = lookup_id(d, GX_DQ_NAME_TAKEN, name, &one);
	return err == 0 ? GX_E_EXISTS : err == GX_E_NOTFOUND ? 0 : err;
}

int gx_dir_add_domain(struct gx_dir *d, const char *name, const char *homedir, unsigned max_user, uint32_t *ret_id)
{
	char key[GX_DIR_ADDR_MAX + 1], probe[GX_DIR_ADDR_MAX + 3];
	if (d == NULL || name == NULL || gx_dir__normalise(name, key) != 0)
		return GX_E_INVAL;
	snprintf(probe, sizeof(probe), "a@%s", key);
	if (strlen(key) > 255 || !gx_dir__address_ok(probe))
		return GX_E_INVAL;
	int err = gx_dir__begin(d);
	if (err != 0)
		return err;
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_DOMAIN_INSERT);
	err = st == NULL ? GX_E_IO : gx_dir__bind(st, 1, key);
	if (err == 0)
		err = gx_dir__bind(st, 2, homedir == NULL ? "" : homedir);
	if (err == 0) {
		sqlite3_bind_int64(st, 3, max_user);
		err = gx_dir__step(d, st);
	}
	gx_dir__done(st);
	int64_t id = sqlite3_last_insert_rowid(d->db);
	err = gx_dir__end(d, err);
	if (err == 0 && ret_id != NULL)
		*ret_id = (uint32_t)id;
	return err;
}

int gx_dir_del_domain(struct gx_dir *d, const char *name)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || name == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(name, key) != 0)
		return GX_E_NOTFOUND;
	int err = gx_dir__begin(d);
	if (err != 0)
		return err;
	int64_t id = 0, users = 0;
	err = lookup_id(d, GX_DQ_DOMAIN_BY_NAME, key, &id);
	if (err == 0) {
		sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_DOMAIN_COUNT);
		err = st == NULL ? GX_E_IO : 0;
		if (err == 0) {
			sqlite3_bind_int64(st, 1, id);
			err = gx_dir__step(d, st);
			users = sqlite3_column_int64(st, 0);
			err = err == 1 ? 0 : err;
		}
		gx_dir__done(st);
	}
	if (err == 0 && users > 0)
		err = GX_E_STATE;
	if (err == 0)
		err = gx_dir__exec(d, GX_DQ_DOMAIN_DELETE, key, NULL);
	return gx_dir__end(d, err);
}

/* The domain a new address belongs to, if it has room. */
static int find_domain(struct gx_dir *d, const char *address, struct gx_domain *ret_dom)
{
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_DOMAIN_BY_NAME);
	int r = st == NULL ? GX_E_IO : gx_dir__bind(st, 1, gx_dir__domain_of(address));
	if (r == 0)
		r = gx_dir__step(d, st);
	if (r == 1) {
		ret_dom->id = (uint32_t)sqlite3_column_int64(st, 0);
		ret_dom->homeserver = (uint32_t)sqlite3_column_int64(st, 1);
		ret_dom->status = (uint32_t)sqlite3_column_int64(st, 2);
		ret_dom->max_user = (uint32_t)sqlite3_column_int64(st, 6);
	}
	gx_dir__done(st);
	if (r != 1)
		return r == 0 ? GX_E_NOTFOUND : r;
	if (ret_dom->max_user == 0)
		return 0;
	st = gx_dir__stmt(d, GX_DQ_DOMAIN_COUNT);
	if (st == NULL)
		return GX_E_IO;
	sqlite3_bind_int64(st, 1, ret_dom->id);
	r = gx_dir__step(d, st);
	int64_t users = r == 1 ? sqlite3_column_int64(st, 0) : 0;
	gx_dir__done(st);
	return r < 0 ? r : users >= ret_dom->max_user ? GX_E_LIMIT : 0;
}

static int put_prop(struct gx_dir *d, int64_t user, uint32_t tag, const char *text)
{
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_PROP_PUT);
	if (st == NULL)
		return GX_E_IO;
	sqlite3_bind_int64(st, 1, user);
	sqlite3_bind_int64(st, 2, tag);
	int err = gx_dir__bind(st, 3, text);
	if (err == 0)
		err = gx_dir__step(d, st);
	gx_dir__done(st);
	return err;
}

static int insert_user(struct gx_dir *d, const char *key, const char *hash, const struct gx_user_new *u, const struct gx_domain *dom)
{
	sqlite3_stmt *st = gx_dir__stmt(d, GX_DQ_USER_INSERT);
	if (st == NULL)
		return GX_E_IO;
	const char *texts[] = {[1] = key, [2] = hash, [4] = u->maildir, [5] = u->lang, [6] = u->timezone};
	int err = 0;
	for (int i = 1; i <= 6 && err == 0; ++i)
		if (i != 3)
			err = gx_dir__bind(st, i, texts[i] == NULL ? "" : texts[i]);
	sqlite3_bind_int64(st, 3, dom->id);
	sqlite3_bind_int64(st, 7, u->privileges == 0 ? DEFAULT_PRIVILEGES : u->privileges);
	sqlite3_bind_int64(st, 8, u->status | dom->status << 4);
	sqlite3_bind_int64(st, 9, dom->homeserver);
	if (err == 0)
		err = gx_dir__step(d, st);
	gx_dir__done(st);
	return err;
}

static int add_user_locked(struct gx_dir *d, const char *key, const char *hash, const struct gx_user_new *u, const char *display_type,
	int64_t *ret_id)
{
	struct gx_domain dom = {0};
	int err = name_free(d, key);
	if (err == 0)
		err = find_domain(d, key, &dom);
	if (err == 0)
		err = insert_user(d, key, hash, u, &dom);
	if (err != 0)
		return err;
	*ret_id = sqlite3_last_insert_rowid(d->db);
	err = put_prop(d, *ret_id, 0x39050003, display_type); /* PidTagDisplayTypeEx */
	if (err == 0 && u->display_name != NULL && *u->display_name != '\0')
		err = put_prop(d, *ret_id, 0x3001001f, u->display_name); /* PidTagDisplayName */
	return err;
}

int gx_dir_add_user(struct gx_dir *d, const struct gx_user_new *u, uint32_t *ret_id)
{
	char key[GX_DIR_ADDR_MAX + 1], hash[137] = "";
	if (d == NULL || u == NULL || u->username == NULL || gx_dir__normalise(u->username, key) != 0 || !gx_dir__address_ok(key))
		return GX_E_INVAL;
	int err = u->password == NULL || *u->password == '\0' ? 0 : gx_dir__hash(u->password, hash);
	if (err == 0)
		err = gx_dir__begin(d);
	if (err != 0)
		return err;
	int64_t id = 0;
	err = gx_dir__end(d, add_user_locked(d, key, hash, u, u->status == GX_USER_CONTACT ? "6" : "0", &id));
	if (err == 0 && ret_id != NULL)
		*ret_id = (uint32_t)id;
	return err;
}

int gx_dir_del_user(struct gx_dir *d, const char *username)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || username == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(username, key) != 0)
		return GX_E_NOTFOUND;
	int err = gx_dir__begin(d);
	if (err != 0)
		return err;
	err = gx_dir__exec(d, GX_DQ_USER_DELETE, key, NULL);
	if (err == 0 && sqlite3_changes(d->db) == 0)
		err = GX_E_NOTFOUND;
	if (err == 0)
		err = gx_dir__exec(d, GX_DQ_NAME_FORGET_MEMBER, key, NULL);
	return gx_dir__end(d, err);
}

int gx_dir_set_password(struct gx_dir *d, const char *username, const char *password)
{
	char key[GX_DIR_ADDR_MAX + 1], hash[137];
	if (d == NULL || username == NULL || password == NULL || *password == '\0')
		return GX_E_INVAL;
	if (gx_dir__normalise(username, key) != 0)
		return GX_E_NOTFOUND;
	int err = gx_dir__hash(password, hash);
	return err != 0 ? err : change_one(d, GX_DQ_USER_PASSWORD, key, hash);
}

int gx_dir_add_alias(struct gx_dir *d, const char *alias, const char *username)
{
	char key[GX_DIR_ADDR_MAX + 1], main_key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || alias == NULL || username == NULL || gx_dir__normalise(alias, key) != 0 || !gx_dir__address_ok(key))
		return GX_E_INVAL;
	if (gx_dir__normalise(username, main_key) != 0)
		return GX_E_NOTFOUND;
	int err = gx_dir__begin(d);
	if (err != 0)
		return err;
	int64_t id;
	err = lookup_id(d, GX_DQ_USER_ID, main_key, &id);
	if (err == 0)
		err = name_free(d, key);
	if (err == 0)
		err = gx_dir__exec(d, GX_DQ_ALIAS_INSERT, key, main_key);
	return gx_dir__end(d, err);
}

int gx_dir_del_alias(struct gx_dir *d, const char *alias)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || alias == NULL)
		return GX_E_INVAL;
	if (gx_dir__normalise(alias, key) != 0)
		return GX_E_NOTFOUND;
	return change_one(d, GX_DQ_ALIAS_DELETE, key, NULL);
}

int gx_dir_list_aliases(struct gx_dir *d, const char *username, struct gx_arena *a, struct gx_alias **ret_v, size_t *ret_n)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	if (username != NULL && gx_dir__normalise(username, key) != 0)
		return GX_E_NOTFOUND;
	struct gx_alias *v = NULL;
	size_t n = 0, cap = 0;
	pthread_mutex_lock(&d->lock);
	sqlite3_stmt *st = gx_dir__stmt(d, username == NULL ? GX_DQ_ALIASES_ALL : GX_DQ_ALIASES_OF);
	int r = st == NULL ? GX_E_IO : 0;
	if (r == 0 && username != NULL)
		r = gx_dir__bind(st, 1, key);
	while (r == 0 && (r = gx_dir__step(d, st)) == 1) {
		v = gx_arena_grow(a, v, &cap, n + 1, sizeof(*v));
		r = v == NULL ? GX_E_NOMEM : 0;
		if (r == 0) {
			v[n] = (struct gx_alias){gx_dir__col(a, st, 0), gx_dir__col(a, st, 1)};
			r = v[n].alias == NULL || v[n].username == NULL ? GX_E_NOMEM : 0;
			++n;
		}
	}
	gx_dir__done(st);
	pthread_mutex_unlock(&d->lock);
	if (r == 0) {
		*ret_v = v;
		*ret_n = n;
	}
	return r;
}

int gx_dir_add_list(struct gx_dir *d, const char *list, uint32_t type, uint32_t privilege, const char *display_name)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || list == NULL || (type != GX_LIST_NORMAL && type != GX_LIST_DOMAIN) || privilege > GX_LISTPRIV_OUTGOING ||
	    gx_dir__normalise(list, key) != 0 || !gx_dir__address_ok(key))
		return GX_E_INVAL;
	int err = gx_dir__begin(d);
	if (err != 0)
		return err;
	struct gx_user_new u = GX_USER_NEW_INIT;
	u.display_name = display_name;
	int64_t id;
	struct gx_domain dom = {0};
	err = find_domain(d, key, &dom);
	if (err == 0)
		err = add_user_locked(d, key, "", &u, "1", &id);
	sqlite3_stmt *st = err == 0 ? gx_dir__stmt(d, GX_DQ_LIST_INSERT) : NULL;
	if (st != NULL) {
		err = gx_dir__bind(st, 1, key);
		sqlite3_bind_int64(st, 2, dom.id);
		sqlite3_bind_int64(st, 3, type);
		sqlite3_bind_int64(st, 4, privilege);
		if (err == 0)
			err = gx_dir__step(d, st);
		gx_dir__done(st);
	} else if (err == 0) {
		err = GX_E_IO;
	}
	return gx_dir__end(d, err);
}

static int change_list(struct gx_dir *d, enum gx_dir_q q, const char *list, const char *member)
{
	char key[GX_DIR_ADDR_MAX + 1], who[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || list == NULL || member == NULL || gx_dir__normalise(member, who) != 0)
		return GX_E_INVAL;
	if (gx_dir__normalise(list, key) != 0)
		return GX_E_NOTFOUND;
	return change_one(d, q, key, who);
}

int gx_dir_add_member(struct gx_dir *d, const char *list, const char *member)
{
	return change_list(d, GX_DQ_MEMBER_INSERT, list, member);
}

int gx_dir_del_member(struct gx_dir *d, const char *list, const char *member)
{
	return change_list(d, GX_DQ_MEMBER_DELETE, list, member);
}

int gx_dir_add_sender(struct gx_dir *d, const char *list, const char *sender)
{
	return change_list(d, GX_DQ_SENDER_INSERT, list, sender);
}
