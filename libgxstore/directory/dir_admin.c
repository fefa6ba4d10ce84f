/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the directory. */
#include <config.h>
#include "libgxstore/directory/dir-int.h"

#define DEFAULT_PRIVILEGES (GX_PRIV_IMAP_POP3 | GX_PRIV_SMTP | GX_PRIV_CHGPASSWD | GX_PRIV_DETAIL1 | GX_PRIV_WEB)

/* One change of one row by up to two names or texts. */
struct change {
	enum gx_dir_q q;
	struct gx_dirarg v[2];
	unsigned n;
};

static int change_row(struct gx_dirconn *c, void *ctx)
{
	const struct change *k = ctx;
	return gx_dir__change(c, k->q, k->v, k->n);
}

static int name_free(struct gx_dirconn *c, const char *name)
{
	int err = gx_dir__first(c, GX_DQ_NAME_TAKEN, GX_ARGS(GX_NAME(name)), NULL);
	return err == 0 ? GX_E_EXISTS : err == GX_E_NOTFOUND ? 0 : err;
}

/* ---- Domains ---- */

struct new_domain {
	const char *key, *homedir;
	unsigned max_user;
	int64_t id;
};

static int insert_domain(struct gx_dirconn *c, void *ctx)
{
	struct new_domain *n = ctx;
	int err = gx_dir__exec(c, GX_DQ_DOMAIN_INSERT, GX_ARGS(GX_NAME(n->key), GX_TEXT(n->homedir), GX_NUM(n->max_user)));
	if (err == 0)
		n->id = c->back->last_id(c);
	return err;
}

int gx_dir_add_domain(struct gx_dir *d, const char *name, const char *homedir, unsigned max_user, uint32_t *ret_id)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || name == NULL || !gx_dir__new_host(d, name, key))
		return GX_E_INVAL;
	struct new_domain n = {.key = key, .homedir = homedir == NULL ? "" : homedir, .max_user = max_user};
	int err = gx_dir__write(d, insert_domain, &n);
	if (err == 0 && ret_id != NULL)
		*ret_id = (uint32_t)n.id;
	return err;
}

static int delete_domain(struct gx_dirconn *c, void *ctx)
{
	const char *key = ctx;
	int64_t id, users = 0;
	int err = gx_dir__first(c, GX_DQ_DOMAIN_BY_NAME, GX_ARGS(GX_NAME(key)), &id);
	if (err == 0)
		err = gx_dir__first(c, GX_DQ_DOMAIN_COUNT, GX_ARGS(GX_NUM(id)), &users);
	if (err == 0 && users > 0)
		err = GX_E_STATE;
	return err != 0 ? err : gx_dir__exec(c, GX_DQ_DOMAIN_DELETE, GX_ARGS(GX_NAME(key)));
}

int gx_dir_del_domain(struct gx_dir *d, const char *name)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || name == NULL)
		return GX_E_INVAL;
	return gx_dir__normalise(name, key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, delete_domain, key);
}

/* ---- Users ---- */

struct new_user {
	const char *key, *hash, *display_type;
	const struct gx_user_new *u;
	struct gx_domain dom;
	int64_t id;
	uint32_t list_type, list_privilege;
};

/* The domain a new address belongs to, if it has room. */
static int find_domain(struct gx_dirconn *c, const char *address, struct gx_domain *ret_dom)
{
	struct gx_dirstmt *st;
	int64_t users = 0;
	int r = gx_dir__run(c, GX_DQ_DOMAIN_BY_NAME, GX_ARGS(GX_NAME(gx_dir__domain_of(address))), &st);
	if (r != 0)
		return r;
	r = gx_dir__step(st);
	if (r == 1)
		*ret_dom = (struct gx_domain){.id = (uint32_t)gx_dir__num(st, 0), .homeserver = (uint32_t)gx_dir__num(st, 1),
			.status = (uint32_t)gx_dir__num(st, 2), .max_user = (uint32_t)gx_dir__num(st, 6)};
	gx_dir__done(st);
	if (r != 1)
		return r == 0 ? GX_E_NOTFOUND : r;
	if (ret_dom->max_user == 0)
		return 0;
	r = gx_dir__first(c, GX_DQ_DOMAIN_COUNT, GX_ARGS(GX_NUM(ret_dom->id)), &users);
	return r != 0 ? r : users >= ret_dom->max_user ? GX_E_LIMIT : 0;
}

static int put_prop(struct gx_dirconn *c, int64_t user, uint32_t tag, const char *text)
{
	return gx_dir__exec(c, GX_DQ_PROP_PUT, GX_ARGS(GX_NUM(user), GX_NUM(tag), GX_TEXT(text)));
}

static const char *or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

static int insert_row(struct gx_dirconn *c, struct new_user *n)
{
	const struct gx_user_new *u = n->u;
	int err = gx_dir__exec(c, GX_DQ_USER_INSERT, GX_ARGS(GX_NAME(n->key), GX_TEXT(n->hash), GX_NUM(n->dom.id),
		GX_TEXT(or_empty(u->maildir)), GX_TEXT(or_empty(u->lang)), GX_TEXT(or_empty(u->timezone)),
		GX_NUM(u->privileges == 0 ? DEFAULT_PRIVILEGES : u->privileges), GX_NUM(u->status | n->dom.status << 4),
		GX_NUM(n->dom.homeserver)));
	if (err == 0)
		n->id = c->back->last_id(c);
	return err;
}

static int insert_user(struct gx_dirconn *c, void *ctx)
{
	struct new_user *n = ctx;
	int err = name_free(c, n->key);
	if (err == 0)
		err = find_domain(c, n->key, &n->dom);
	if (err == 0)
		err = insert_row(c, n);
	if (err == 0)
		err = put_prop(c, n->id, 0x39050003, n->display_type); /* PidTagDisplayTypeEx */
	if (err == 0 && n->u->display_name != NULL && *n->u->display_name != '\0')
		err = put_prop(c, n->id, 0x3001001f, n->u->display_name); /* PidTagDisplayName */
	return err;
}

int gx_dir_add_user(struct gx_dir *d, const struct gx_user_new *u, uint32_t *ret_id)
{
	char key[GX_DIR_ADDR_MAX + 1], hash[137] = "";
	if (d == NULL || u == NULL || u->username == NULL || !gx_dir__new_address(d, u->username, key))
		return GX_E_INVAL;
	int err = u->password == NULL || *u->password == '\0' ? 0 : gx_dir__hash(u->password, hash);
	if (err != 0)
		return err;
	struct new_user n = {.key = key, .hash = hash, .display_type = u->status == GX_USER_CONTACT ? "6" : "0", .u = u};
	err = gx_dir__write(d, insert_user, &n);
	if (err == 0 && ret_id != NULL)
		*ret_id = (uint32_t)n.id;
	return err;
}

/* What belongs to the row goes with it, but for the two tables that know a list by a number only. */
static int delete_user(struct gx_dirconn *c, void *ctx)
{
	const char *key = ctx;
	int err = gx_dir__exec(c, GX_DQ_LIST_FORGET_MEMBERS, GX_ARGS(GX_NAME(key)));
	if (err == 0)
		err = gx_dir__exec(c, GX_DQ_LIST_FORGET_SENDERS, GX_ARGS(GX_NAME(key)));
	if (err == 0)
		err = gx_dir__change(c, GX_DQ_USER_DELETE, GX_ARGS(GX_NAME(key)));
	return err != 0 ? err : gx_dir__exec(c, GX_DQ_NAME_FORGET_MEMBER, GX_ARGS(GX_NAME(key)));
}

int gx_dir_del_user(struct gx_dir *d, const char *username)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || username == NULL)
		return GX_E_INVAL;
	return gx_dir__normalise(username, key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, delete_user, key);
}

int gx_dir_set_password(struct gx_dir *d, const char *username, const char *password)
{
	char key[GX_DIR_ADDR_MAX + 1], hash[137];
	if (d == NULL || username == NULL || password == NULL || *password == '\0')
		return GX_E_INVAL;
	if (gx_dir__normalise(username, key) != 0)
		return GX_E_NOTFOUND;
	int err = gx_dir__hash(password, hash);
	struct change k = {GX_DQ_USER_PASSWORD, {GX_NAME(key), GX_TEXT(hash)}, 2};
	return err != 0 ? err : gx_dir__write(d, change_row, &k);
}

int gx_dir_set_lang(struct gx_dir *d, const char *username, const char *lang)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || username == NULL || lang == NULL || strlen(lang) > 32)
		return GX_E_INVAL;
	struct change k = {GX_DQ_USER_LANG, {GX_NAME(key), GX_TEXT(lang)}, 2};
	return gx_dir__normalise(username, key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, change_row, &k);
}

/* ---- Aliases ---- */

struct new_alias {
	const char *key, *main_key;
};

static int insert_alias(struct gx_dirconn *c, void *ctx)
{
	const struct new_alias *n = ctx;
	int err = gx_dir__first(c, GX_DQ_USER_ID, GX_ARGS(GX_NAME(n->main_key)), NULL);
	if (err == 0)
		err = name_free(c, n->key);
	return err != 0 ? err : gx_dir__exec(c, GX_DQ_ALIAS_INSERT, GX_ARGS(GX_NAME(n->key), GX_NAME(n->main_key)));
}

int gx_dir_add_alias(struct gx_dir *d, const char *alias, const char *username)
{
	char key[GX_DIR_ADDR_MAX + 1], main_key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || alias == NULL || username == NULL || !gx_dir__new_address(d, alias, key))
		return GX_E_INVAL;
	if (gx_dir__normalise(username, main_key) != 0)
		return GX_E_NOTFOUND;
	struct new_alias n = {key, main_key};
	return gx_dir__write(d, insert_alias, &n);
}

int gx_dir_del_alias(struct gx_dir *d, const char *alias)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || alias == NULL)
		return GX_E_INVAL;
	struct change k = {GX_DQ_ALIAS_DELETE, {GX_NAME(key)}, 1};
	return gx_dir__normalise(alias, key) != 0 ? GX_E_NOTFOUND : gx_dir__write(d, change_row, &k);
}

struct aliases {
	const char *main_key; /* NULL: all */
	struct gx_arena *a;
	struct gx_alias *v;
	size_t n, cap;
};

static int take_alias(struct gx_dirstmt *st, void *ctx)
{
	struct aliases *l = ctx;
	l->v = gx_arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return GX_E_NOMEM;
	struct gx_alias *x = &l->v[l->n++];
	*x = (struct gx_alias){gx_dir__col(l->a, st, 0), gx_dir__col(l->a, st, 1)};
	return x->alias == NULL || x->username == NULL ? GX_E_NOMEM : 0;
}

static int load_aliases(struct gx_dirconn *c, void *ctx)
{
	struct aliases *l = ctx;
	const struct gx_dirarg of = GX_NAME(l->main_key);
	bool all = l->main_key == NULL;
	l->n = 0;
	return gx_dir__each(c, all ? GX_DQ_ALIASES_ALL : GX_DQ_ALIASES_OF, &of, all ? 0 : 1, take_alias, l);
}

int gx_dir_list_aliases(struct gx_dir *d, const char *username, struct gx_arena *a, struct gx_alias **ret_v, size_t *ret_n)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || a == NULL || ret_v == NULL || ret_n == NULL)
		return GX_E_INVAL;
	if (username != NULL && gx_dir__normalise(username, key) != 0)
		return GX_E_NOTFOUND;
	struct aliases l = {.main_key = username == NULL ? NULL : key, .a = a};
	int r = gx_dir__read(d, load_aliases, &l);
	if (r == 0) {
		*ret_v = l.v;
		*ret_n = l.n;
	}
	return r;
}

/* ---- Lists ---- */

static int insert_list(struct gx_dirconn *c, void *ctx)
{
	struct new_user *n = ctx;
	int err = insert_user(c, n);
	return err != 0 ? err : gx_dir__exec(c, GX_DQ_LIST_INSERT,
		GX_ARGS(GX_NAME(n->key), GX_NUM(n->dom.id), GX_NUM(n->list_type), GX_NUM(n->list_privilege)));
}

int gx_dir_add_list(struct gx_dir *d, const char *list, uint32_t type, uint32_t privilege, const char *display_name)
{
	char key[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || list == NULL || (type != GX_LIST_NORMAL && type != GX_LIST_DOMAIN) || privilege > GX_LISTPRIV_OUTGOING ||
	    !gx_dir__new_address(d, list, key))
		return GX_E_INVAL;
	struct gx_user_new u = GX_USER_NEW_INIT;
	u.display_name = display_name;
	struct new_user n = {.key = key, .hash = "", .display_type = "1", .u = &u, .list_type = type, .list_privilege = privilege};
	return gx_dir__write(d, insert_list, &n);
}

static int change_list(struct gx_dir *d, enum gx_dir_q q, const char *list, const char *member)
{
	char key[GX_DIR_ADDR_MAX + 1], who[GX_DIR_ADDR_MAX + 1];
	if (d == NULL || list == NULL || member == NULL || gx_dir__normalise(member, who) != 0 || !gx_dir__can_keep(d, who))
		return GX_E_INVAL;
	if (gx_dir__normalise(list, key) != 0)
		return GX_E_NOTFOUND;
	struct change k = {q, {GX_NAME(key), GX_NAME(who)}, 2};
	return gx_dir__write(d, change_row, &k);
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
