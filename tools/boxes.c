/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "tools/boxes.h"

static int out_of_memory(void)
{
	complain("out of memory");
	return EXIT_FAILED;
}

static int add(struct site *s, struct boxes *b, const struct box *x)
{
	b->v = gx_arena_grow(s->arena, b->v, &b->cap, b->n + 1, sizeof(*b->v));
	if (b->v == NULL || x->dir == NULL || x->name == NULL)
		return out_of_memory();
	b->v[b->n++] = *x;
	return EXIT_OK;
}

/* "/a/box/exmdb/gx.sqlite3" and "/a/box/cid" are in the store "/a/box". */
static const char *store_of(struct gx_arena *a, const char *path)
{
	static const char *const inside[] = {"/exmdb/gx.sqlite3", "/exmdb", "/cid"};
	char *dir = gx_arena_strdup(a, path);
	size_t n = dir == NULL ? 0 : strlen(dir);
	while (n > 1 && dir[n - 1] == '/')
		dir[--n] = '\0';
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); ++i) {
		size_t len = strlen(inside[i]);
		if (n > len && strcmp(dir + n - len, inside[i]) == 0) {
			dir[n - len] = '\0';
			break;
		}
	}
	return dir;
}

int boxes_add_path(struct site *s, struct boxes *b, const char *path)
{
	if (*path == '\0') {
		complain("the name of a store is empty");
		return EXIT_FAILED;
	}
	return add(s, b, &(struct box){.dir = store_of(s->arena, path), .name = path});
}

static int directory(struct site *s)
{
	return s->dir != NULL ? EXIT_OK : site_directory(s);
}

static bool is_here(struct site *s, uint32_t homeserver)
{
	const char *host;
	return gx_dir_server_of(s->dir, homeserver, s->arena, &host) == 0 && strcmp(host, "local") == 0;
}

static int add_domain(struct site *s, struct boxes *b, const char *name)
{
	struct gx_domain d;
	int err = gx_dir_domain(s->dir, name, s->arena, &d);
	if (err != 0 || d.homedir[0] == '\0') {
		complain("@%s: %s", name,
			err == GX_E_NOTFOUND ? "no such domain"
				: err != 0   ? gx_strerror(err)
					     : "has no public store");
		return EXIT_FAILED;
	}
	int rc = site_must_be_home(s, name, d.homeserver);
	if (rc != EXIT_OK)
		return rc;
	return add(s, b,
		&(struct box){.dir = d.homedir,
			.name = gx_arena_printf(s->arena, "@%s", d.name),
			.owner = d.name,
			.owner_id = d.id});
}

int boxes_add_address(struct site *s, struct boxes *b, const char *address)
{
	struct gx_user u;
	int rc = directory(s);
	if (rc != EXIT_OK)
		return rc;
	if (address[0] == '@')
		return add_domain(s, b, address + 1);
	int err = gx_dir_user(s->dir, address, s->arena, &u);
	if (err != 0 || u.maildir[0] == '\0') {
		complain("%s: %s", address, err == GX_E_NOTFOUND ? "no such user" : err != 0 ? gx_strerror(err) : "has no mailbox");
		return EXIT_FAILED;
	}
	rc = site_must_be_home(s, u.username, u.homeserver);
	return rc != EXIT_OK
		? rc
		: add(s, b, &(struct box){.dir = u.maildir, .name = u.username, .owner = u.username, .owner_id = u.id});
}

static int add_users(struct site *s, struct boxes *b)
{
	struct gx_user *v;
	size_t n;
	int err = gx_dir_list_users(s->dir, NULL, s->arena, &v, &n);
	if (err != 0) {
		complain("%s", gx_strerror(err));
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < n; ++i)
		if (v[i].maildir[0] != '\0' && is_here(s, v[i].homeserver)) {
			int rc = add(s, b,
				&(struct box){.dir = v[i].maildir,
					.name = v[i].username,
					.owner = v[i].username,
					.owner_id = v[i].id});
			if (rc != EXIT_OK)
				return rc;
		}
	return EXIT_OK;
}

int boxes_add_all(struct site *s, struct boxes *b)
{
	struct gx_domain *v;
	struct stat sb;
	size_t n;
	int rc = directory(s);
	if (rc == EXIT_OK)
		rc = add_users(s, b);
	if (rc != EXIT_OK)
		return rc;
	int err = gx_dir_list_domains(s->dir, s->arena, &v, &n);
	if (err != 0) {
		complain("%s", gx_strerror(err));
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < n && rc == EXIT_OK; ++i) /* not every domain uses its public store */
		if (v[i].homedir[0] != '\0' && is_here(s, v[i].homeserver) && stat(v[i].homedir, &sb) == 0)
			rc = add_domain(s, b, v[i].name);
	return rc;
}

void boxes_want(struct boxes_wanted *w, const char *address)
{
	const char **v = realloc(w->users, (w->nusers + 1) * sizeof(*v));
	if (v == NULL)
		exit(out_of_memory());
	v[w->nusers++] = address;
	w->users = v;
}

void boxes_wanted_release(struct boxes_wanted *w)
{
	free(w->users);
	w->users = NULL;
	w->nusers = 0;
}

bool boxes_want_none(const struct boxes_wanted *w)
{
	return *w->paths == NULL && w->nusers == 0 && !w->all;
}

int boxes_add_wanted(struct site *s, struct boxes *b, const struct boxes_wanted *w)
{
	int rc = EXIT_OK;
	for (char **p = w->paths; *p != NULL && rc == EXIT_OK; ++p)
		rc = boxes_add_path(s, b, *p);
	for (size_t i = 0; i < w->nusers && rc == EXIT_OK; ++i)
		rc = boxes_add_address(s, b, w->users[i]);
	return rc == EXIT_OK && w->all ? boxes_add_all(s, b) : rc;
}

/* ---- Whose files ---- */

static gid_t own_gid;
static bool entered;

int boxes_enter(const struct box *b)
{
	struct stat sb;
	if (geteuid() != 0 || stat(b->dir, &sb) != 0 || sb.st_uid == 0)
		return 0; /* what is wrong with the directory will be said by who opens it */
	own_gid = getegid();
	if (setegid(sb.st_gid) != 0 || seteuid(sb.st_uid) != 0) {
		complain("cannot become the owner of %s: %s", b->dir, strerror(errno));
		return -1;
	}
	entered = true;
	return 0;
}

void boxes_leave(void)
{
	if (!entered)
		return;
	entered = false;
	if (seteuid(0) != 0 || setegid(own_gid) != 0) {
		complain("cannot become root again: %s", strerror(errno));
		exit(EXIT_FAILED);
	}
}
