/* SPDX-License-Identifier: Apache-2.0 */
/* Which mailboxes: one by address or directory, or all that filters let through. */
#include <config.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/mbop/mbop-int.h"

static const struct {
	const char *name;
	uint32_t bit;
	const char *help;
} table[] = {
	{"secobj", GX_MBF_SECOBJ, "what can stand in permissions: all but contacts"},
	{"user", GX_MBF_USER, "regular users"},
	{"dl", GX_MBF_DL, "distribution lists"},
	{"sharedmb", GX_MBF_SHAREDMB, "shared mailboxes"},
	{"room", GX_MBF_ROOM, "rooms"},
	{"equipment", GX_MBF_EQUIPMENT, "equipment"},
	{"contact", GX_MBF_CONTACT, "contacts of the address book"},
	{"active", GX_MBF_ACTIVE, "neither suspended nor deleted"},
	{"susp", GX_MBF_SUSP, "suspended, or of a suspended domain"},
	{"deleted", GX_MBF_DELETED, "marked as deleted, or of a deleted domain"},
	{"mb", GX_MBF_MB, "who have a mailbox"},
	{"here", GX_MBF_HERE, "whose homeserver is this host"},
	{"store", GX_MBF_STORE, "who have a mailbox, and domains with a public store"},
};
enum { FILTERS = sizeof(table) / sizeof(table[0]) };

const char *gx_mbop_filter(size_t i, const char **ret_help)
{
	if (i >= FILTERS)
		return NULL;
	if (ret_help != NULL)
		*ret_help = table[i].help;
	return table[i].name;
}

uint32_t gx_mbop__filter(const char *name, size_t len)
{
	for (size_t i = 0; i < FILTERS; ++i)
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
			return table[i].bit;
	return 0;
}

/* PidTagDisplayTypeEx of user_properties, without its flags. */
enum { KIND_USER = 0, KIND_LIST = 1, KIND_CONTACT = 6, KIND_ROOM = 7, KIND_EQUIPMENT = 8 };

/* Bits of all filters that the object passes; GX_MBF_HERE is found out by who asks. */
static uint32_t nature(const struct gx_user *u)
{
	uint32_t kind = u->display_type & 0xff, own = u->status & 0xf, domain = u->status >> 4 & 0xf;
	bool contact = own == GX_USER_CONTACT || kind == KIND_CONTACT;
	bool suspended = own == GX_USER_SUSPENDED || domain == GX_USER_SUSPENDED,
	     deleted = own == GX_USER_DELETED || domain == GX_USER_DELETED;
	uint32_t f = contact ? GX_MBF_CONTACT : GX_MBF_SECOBJ;
	if (!contact)
		f |= own == GX_USER_SHARED  ? GX_MBF_SHAREDMB
			: kind == KIND_USER ? GX_MBF_USER
			: kind == KIND_LIST ? GX_MBF_DL
			: kind == KIND_ROOM ? GX_MBF_ROOM
			: kind == KIND_EQUIPMENT ? GX_MBF_EQUIPMENT
						 : 0;
	f |= (suspended ? GX_MBF_SUSP : 0) | (deleted ? GX_MBF_DELETED : 0) | (suspended || deleted ? 0 : GX_MBF_ACTIVE);
	return f | (u->maildir[0] != '\0' ? GX_MBF_MB | GX_MBF_STORE : 0);
}

static uint32_t domain_nature(const struct gx_domain *d)
{
	return d->homedir[0] == '\0' ? 0 : GX_MBF_STORE | (d->status == GX_USER_SUSPENDED ? GX_MBF_SUSP :
		d->status == GX_USER_DELETED ? GX_MBF_DELETED : GX_MBF_ACTIVE);
}

static int say(struct gx_mbop *m, int err, const char **ret_why, const char *who, const char *what)
{
	const char *why = gx_arena_printf(m->a, "%s: %s", who, what);
	*ret_why = why != NULL ? why : "";
	return why != NULL ? err : GX_E_NOMEM;
}

static int home_of(struct gx_mbop *m, const char *who, uint32_t homeserver, const char **ret_host, const char **ret_why)
{
	int err = gx_dir_server_of(m->o->dir, homeserver, m->a, ret_host);
	if (err == GX_E_NOTFOUND)
		return say(m, err, ret_why, who, "its homeserver is not in the table of servers; see \"gromox-useradm server list\"");
	return err != 0 ? say(m, err, ret_why, who, gx_strerror(err)) : 0;
}

static int user_target(struct gx_mbop *m, const struct gx_user *u, struct gx_mbop_target *t, const char **ret_why)
{
	*t = (struct gx_mbop_target){.who = u->username, .dir = u->maildir, .user = u->username};
	return home_of(m, u->username, u->homeserver, &t->host, ret_why);
}

static int domain_target(struct gx_mbop *m, const struct gx_domain *d, struct gx_mbop_target *t, const char **ret_why)
{
	*t = (struct gx_mbop_target){.who = gx_arena_printf(m->a, "@%s", d->name), .dir = d->homedir, .is_public = true};
	return t->who == NULL ? GX_E_NOMEM : home_of(m, t->who, d->homeserver, &t->host, ret_why);
}

static int by_name(struct gx_mbop *m, struct gx_mbop_target *t, const char **ret_why)
{
	const char *name = m->o->user;
	struct gx_domain d;
	struct gx_user u;
	bool domain = name[0] == '@';
	int err = domain ? gx_dir_domain(m->o->dir, name + 1, m->a, &d) : gx_dir_user(m->o->dir, name, m->a, &u);
	if (err == GX_E_NOTFOUND)
		return say(m, err, ret_why, name, domain ? "no such domain" : "no such user");
	if (err != 0)
		return say(m, err, ret_why, name, gx_strerror(err));
	return domain ? domain_target(m, &d, t, ret_why) : user_target(m, &u, t, ret_why);
}

static bool same_path(const char *x, const char *y)
{
	size_t n = strlen(x), k = strlen(y);
	while (n > 1 && x[n - 1] == '/')
		--n;
	while (k > 1 && y[k - 1] == '/')
		--k;
	return n == k && memcmp(x, y, n) == 0;
}

/* Whose directory is it? @return 1 found, 0 nobody's. */
static int owner_of(struct gx_mbop *m, struct gx_mbop_target *t, const char **ret_why)
{
	struct gx_domain *d;
	struct gx_user *u;
	size_t n, err_n = 0;
	int err = gx_dir_list_users(m->o->dir, NULL, m->a, &u, &n);
	for (size_t i = 0; err == 0 && i < n; ++i)
		if (same_path(u[i].maildir, m->o->path))
			return (err = user_target(m, &u[i], t, ret_why)) != 0 ? err : 1;
	if (err == 0)
		err = gx_dir_list_domains(m->o->dir, m->a, &d, &err_n);
	for (size_t i = 0; err == 0 && i < err_n; ++i)
		if (same_path(d[i].homedir, m->o->path))
			return (err = domain_target(m, &d[i], t, ret_why)) != 0 ? err : 1;
	return err != 0 ? say(m, err, ret_why, m->o->path, gx_strerror(err)) : 0;
}

int gx_mbop__target(struct gx_mbop *m, struct gx_mbop_target *t, const char **ret_why)
{
	if (m->o->user != NULL)
		return by_name(m, t, ret_why);
	if (m->o->path[0] != '/')
		return say(m, GX_E_INVAL, ret_why, m->o->path, "the directory must be named from / on");
	int r = m->o->dir != NULL ? owner_of(m, t, ret_why) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	/* a store that the directory does not know, as one that was put back from a backup */
	char *dir = gx_arena_strdup(m->a, m->o->path);
	if (dir == NULL)
		return GX_E_NOMEM;
	for (size_t n = strlen(dir); n > 1 && dir[n - 1] == '/'; --n)
		dir[n - 1] = '\0';
	*t = (struct gx_mbop_target){.who = dir, .dir = dir, .host = "local"};
	return 0;
}

static bool passes(uint32_t have, uint32_t filters)
{
	return (filters & ~(have | GX_MBF_HERE)) == 0;
}

/* Counts it, if where it lives is no matter or here. */
static size_t counts(const struct gx_mbop_target *t, uint32_t filters)
{
	return (filters & GX_MBF_HERE) == 0 || strcmp(t->host, "local") == 0;
}

/* Many domains have no public store, and that is no failure. */
static bool is_made(struct gx_mbop *m, const struct gx_mbop_target *t)
{
	const char *file = gx_arena_printf(m->a, "%s/exmdb/gx.sqlite3", t->dir);
	return strcmp(t->host, "local") != 0 || file == NULL || access(file, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int gx_mbop__targets(
	struct gx_mbop *m, uint32_t filters, struct gx_mbop_target **ret_v, size_t *ret_n, const char **ret_why)
{
	struct gx_user *u;
	struct gx_domain *d = NULL;
	size_t n, nd = 0, k = 0;
	int err = gx_dir_list_users(m->o->dir, NULL, m->a, &u, &n);
	if (err == 0)
		err = gx_dir_list_domains(m->o->dir, m->a, &d, &nd);
	if (err != 0)
		return say(m, err, ret_why, "list of users and domains", gx_strerror(err));
	struct gx_mbop_target *v = gx_arena_new_array(m->a, struct gx_mbop_target, n + nd);
	if (v == NULL)
		return GX_E_NOMEM;
	for (size_t i = 0; err == 0 && i < n; ++i)
		if (passes(nature(&u[i]), filters) && (err = user_target(m, &u[i], &v[k], ret_why)) == 0)
			k += counts(&v[k], filters);
	for (size_t i = 0; err == 0 && i < nd; ++i)
		if (passes(domain_nature(&d[i]), filters) && (err = domain_target(m, &d[i], &v[k], ret_why)) == 0)
			k += is_made(m, &v[k]) ? counts(&v[k], filters) : 0;
	*ret_v = v;
	*ret_n = k;
	return err;
}
