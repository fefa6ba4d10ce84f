/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mkprivate and gromox-mkpublic: make, upgrade and check stores. */
#include <config.h>
#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>
#include <gx/delivery.h>
#include <gx/storecheck.h>
#include "tools/names.h"
#include "tools/progress.h"
#include "tools/propnames.h"
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
	"  -T DIR         take named properties from DIR/propnames.txt [" GX_DATADIR "]\n"
#else
	"  -T DIR         take folder names from DIR/folder_names.txt and named properties from\n"
	"                 DIR/propnames.txt [" GX_DATADIR "]\n"
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
	const char *templates, *who;
	bool upgrade, force, verbose, old, integrity;
	/* What the directory says */
	const char *path, *owner, *lang;
	uint32_t id;
	/* What the templates say */
	struct store_names *names;
	struct gx_propname *props;
	size_t nprops;
};

static int look_up(struct request *r)
{
	uint32_t homeserver = 0;
#ifdef MKPUBLIC
	struct gx_domain d;
	int err = gx_dir_domain(r->site.dir, r->who, r->site.arena, &d);
	if (err == 0) {
		r->path = d.homedir;
		r->owner = d.name;
		r->id = d.id;
		homeserver = d.homeserver;
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
		homeserver = u.homeserver;
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
	return site_must_be_home(&r->site, r->who, homeserver);
}

static int failed(struct request *r, int err, const char *why)
{
	complain("%s", *why != '\0' ? why : gx_arena_printf(r->site.arena, "%s: %s", r->path, gx_strerror(err)));
	return EXIT_FAILED;
}

/* ---- A store that is there ---- */

static void on_finding(const struct gx_store_finding *f, void *ctx)
{
	progress_clear();
	printf("%s: %s: %s\n", (const char *)ctx, f->check, f->text);
}

static void on_progress(const char *check, unsigned number, unsigned total, void *ctx)
{
	progress_show("%s: %u of %u: %s", (const char *)ctx, number + 1, total, check);
}

static int check(struct request *r, struct gx_store *s)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result found;
	o.found = on_finding;
	o.progress = on_progress;
	o.ctx = (void *)r->path;
	int err = gx_store_check(s, &o, &found);
	progress_clear();
	if (err != 0)
		return failed(r, err, "");
	printf("%s: %" PRIu64 " findings%s\n", r->path, found.found, found.found > 0 ? "; gromox-mbck repairs" : "");
	return found.found == 0 ? EXIT_OK : EXIT_FAILED;
}

/* Opening upgrades; only checking disturbs nobody. */
static int open_store(struct request *r)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	unsigned from, to;
	const char *why = "";
	o.log = &r->site.log;
	o.owner_program = PROGRAM;
	o.observe = !r->upgrade;
	int err = gx_store_schema_version(r->path, &from, &to, r->site.arena, &why);
	if (err == 0)
		err = gx_store_open(r->path, &o, &s, r->site.arena, &why);
	if (err != 0)
		return failed(r, err, why);
	if (r->upgrade && r->verbose && from == to)
		printf("%s: schema version %u is the newest\n", r->path, to);
	else if (r->upgrade && r->verbose)
		printf("%s: upgraded from schema version %u to %u\n", r->path, from, to);
	int rc = r->integrity ? check(r, s) : EXIT_OK;
	gx_store_close(s);
	return rc;
}

/* ---- A new one ---- */

/* Files of the default directory need not be there; of one that was named, at least one must. */
static int read_templates(struct request *r)
{
	struct gx_arena *a = r->site.arena;
	const char *dir = r->templates != NULL ? r->templates : GX_DATADIR, *why = "";
	const char *names = gx_arena_printf(a, "%s/folder_names.txt", dir);
	const char *props = gx_arena_printf(a, "%s/propnames.txt", dir);
	int found = 0, err = names == NULL || props == NULL ? GX_E_NOMEM : 0;
#ifndef MKPUBLIC
	if (err == 0 && access(names, F_OK) == 0) {
		err = names_read(a, names, &r->names, &why);
		found++;
	}
#endif
	if (err == 0 && access(props, F_OK) == 0) {
		err = propnames_read(a, props, &r->props, &r->nprops, &why);
		found++;
	}
	if (err != 0) {
		complain("%s", why == NULL || *why == '\0' ? "out of memory" : why);
		return EXIT_FAILED;
	}
	if (r->templates != NULL && found == 0) {
		complain("%s: neither folder_names.txt nor propnames.txt is there", dir);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int put_props(struct request *r)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	struct gx_txn *t;
	const char *why = "";
	uint16_t *ids = gx_arena_new_array(r->site.arena, uint16_t, r->nprops);
	int err = ids == NULL ? GX_E_NOMEM : gx_store_open(r->path, &o, &s, r->site.arena, &why);
	if (err != 0)
		return failed(r, err, why);
	err = gx_txn_begin(s, &system, GX_TXN_WRITE, 10000, &t);
	if (err == 0) {
		gx_ec ec = gx_store_named_ids(t, true, r->props, r->nprops, ids);
		err = gx_ec_to_err(ec);
		if (err == 0)
			err = gx_txn_commit(t, GX_SYNC_NOW);
		else
			gx_txn_abort(t);
	}
	gx_store_close(s);
	return err == 0 ? EXIT_OK : failed(r, err, "");
}

static int make_store(struct request *r)
{
	struct new_store n = {.path = r->path, .owner = r->owner, .lang = r->lang, .id = r->id, .overwrite = r->force,
		.schema_version = r->old ? 1 : 0};
#ifdef MKPUBLIC
	n.public_store = true;
#endif
	int rc = read_templates(r);
	n.names = r->names;
	if (rc == EXIT_OK)
		rc = site_make_store(&r->site, &n);
	if (rc == EXIT_OK && r->nprops > 0 && !r->old) /* it would be upgraded by opening it */
		rc = put_props(r);
	if (rc == EXIT_OK && r->verbose)
		printf("%s: made for %s%s\n", r->path, r->owner, r->old ? ", schema version 1" : "");
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
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "T:Uc:fv?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'T': r.templates = optarg; break;
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
