/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mkprivate and gromox-mkpublic: make, upgrade and check stores. */
#include <config.h>
#include <getopt.h>
#ifndef MKPUBLIC
#include "tools/names.h"
#endif
#include "tools/site.h"

#ifdef MKPUBLIC
#define PROGRAM "gromox-mkpublic"
#define WHO "DOMAIN"
#else
#define PROGRAM "gromox-mkprivate"
#define WHO "ADDRESS"
#endif

static const char usage[] =
	"usage: " PROGRAM " [-Ufv] [-T DIR] [-c FILE] [--create-old] [--integrity] " WHO "\n"
#ifdef MKPUBLIC
	"  -T DIR         no effect: folders of a public store have no translated names\n"
#else
	"  -T DIR         take folder names from DIR/folder_names.txt\n"
#endif
	"  -U             upgrade the store instead of making it\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  -f             overwrite a store that is there: ITS CONTENTS ARE LOST\n"
	"  -v             say what is done\n"
	"  --create-old   make the store in the oldest schema, for trying the upgrade\n"
	"  --integrity    check the store, alone or after -U\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_OLD = 256, OPT_INTEGRITY, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"create-old", no_argument, NULL, OPT_OLD},
	{"integrity", no_argument, NULL, OPT_INTEGRITY},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct request {
	struct site site;
	const char *names_dir, *who;
	bool upgrade, force, verbose, old, integrity;
	/* What the directory says */
	const char *path, *owner, *lang;
	uint32_t id, homeserver;
};

/* Stores are made where they live. */
static int check_place(struct request *r)
{
	const char *host = "";
	int err = gx_dir_server_of(r->site.dir, r->homeserver, r->site.arena, &host);
	if (err == 0 && strcmp(host, "local") == 0)
		return EXIT_OK;
	if (err == 0)
		complain("%s: the store lives on %s; run this there (here is %s, by host_id)", r->who, host, r->site.where.host_id);
	else if (err == GX_E_NOTFOUND)
		complain("%s: homeserver %u is not in the table of servers; see \"gromox-useradm server list\"", r->who, r->homeserver);
	else
		complain("%s: %s", r->who, gx_strerror(err));
	return EXIT_FAILED;
}

static int look_up(struct request *r)
{
#ifdef MKPUBLIC
	struct gx_domain d;
	int err = gx_dir_domain(r->site.dir, r->who, r->site.arena, &d);
	if (err == 0) {
		r->path = d.homedir;
		r->owner = d.name;
		r->id = d.id;
		r->homeserver = d.homeserver;
	}
	const char *column = "homedir", *how = "\"gromox-useradm domain add\" makes it";
#else
	struct gx_user u;
	int err = gx_dir_user(r->site.dir, r->who, r->site.arena, &u);
	if (err == 0) {
		r->path = u.maildir;
		r->owner = u.username;
		r->lang = u.lang;
		r->id = u.id;
		r->homeserver = u.homeserver;
	}
	const char *column = "maildir", *how = "\"gromox-useradm user add\" makes it";
#endif
	if (err == GX_E_NOTFOUND) {
		complain("%s: not in the directory; %s", r->who, how);
		return EXIT_FAILED;
	}
	if (err != 0) {
		complain("%s: %s", r->who, gx_strerror(err));
		return EXIT_FAILED;
	}
	if (r->path[0] == '\0') {
		complain("%s: has no store (%s is empty in the directory)", r->who, column);
		return EXIT_FAILED;
	}
	return check_place(r);
}

static void on_finding(const char *line, void *ctx)
{
	printf("%s: %s\n", (const char *)ctx, line);
}

/* Opening upgrades. */
static int open_store(struct request *r)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	const char *why = "";
	o.log = &r->site.log;
	o.owner_program = PROGRAM;
	int err = gx_store_open(r->path, &o, &s, r->site.arena, &why);
	if (err != 0) {
		complain("%s", *why != '\0' ? why : gx_strerror(err));
		return EXIT_FAILED;
	}
	if (r->upgrade && r->verbose)
		printf("%s: the schema is the newest\n", r->path);
	long found = r->integrity ? gx_store_verify(s, on_finding, (void *)r->path) : 0;
	gx_store_close(s);
	if (found < 0) {
		complain("%s: %s", r->path, gx_strerror((int)found));
		return EXIT_FAILED;
	}
	if (r->integrity)
		printf("%s: %ld findings\n", r->path, found);
	return found == 0 ? EXIT_OK : EXIT_FAILED;
}

static int make_store(struct request *r)
{
	struct store_names *names = NULL;
#ifdef MKPUBLIC
	bool public_store = true;
	if (r->names_dir != NULL)
		complain("-T %s has no effect: folders of a public store have no translated names", r->names_dir);
#else
	bool public_store = false;
	const char *why = "";
	if (r->names_dir != NULL) {
		const char *file = gx_arena_printf(r->site.arena, "%s/folder_names.txt", r->names_dir);
		if (file == NULL || names_read(r->site.arena, file, &names, &why) != 0) {
			complain("%s", why == NULL || *why == '\0' ? "out of memory" : why);
			return EXIT_FAILED;
		}
	}
#endif
	int rc = site_make_store(&r->site, r->path, public_store, r->id, r->owner, r->lang, r->force, names);
	if (rc == EXIT_OK && r->verbose)
		printf("%s: made for %s\n", r->path, r->owner);
	if (rc == EXIT_OK && r->old)
		fprintf(stderr, "%s: the oldest schema is also the newest one\n", r->path);
	return rc;
}

static int run(struct request *r, const char *config)
{
	int rc = site_open(&r->site, config);
	if (rc != EXIT_OK)
		return rc;
	rc = site_directory(&r->site);
	if (rc == EXIT_OK)
		rc = look_up(r);
	if (rc == EXIT_OK)
		rc = site_become_owner(&r->site);
	if (rc == EXIT_OK)
		rc = r->upgrade || r->integrity ? open_store(r) : make_store(r);
	site_close(&r->site);
	return rc;
}

int main(int argc, char **argv)
{
	struct request r = {.lang = NULL};
	const char *config = NULL;
	for (int c; (c = getopt_long(argc, argv, "T:Uc:fv?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'T': r.names_dir = optarg; break;
		case 'U': r.upgrade = true; break;
		case 'c': config = optarg; break;
		case 'f': r.force = true; break;
		case 'v': r.verbose = true; break;
		case OPT_OLD: r.old = true; break;
		case OPT_INTEGRITY: r.integrity = true; break;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_OK;
		case OPT_VERSION:
			print_version(PROGRAM);
			return EXIT_OK;
		default:
			return usage_exit(usage, argv, optind);
		}
	}
	if (optind + 1 != argc || ((r.upgrade || r.integrity) && r.old)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	r.who = argv[optind];
	return run(&r, config);
}
