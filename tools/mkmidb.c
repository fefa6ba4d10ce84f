/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mkmidb: makes anew, mends or checks what IMAP knows of a mailbox. It is part of the store. */
#include <config.h>
#include <getopt.h>
#include <inttypes.h>
#include <gx/bodyconv.h>
#include <gx/delivery.h>
#include <gx/storecheck.h>
#include <gx/storeset.h>
#include "tools/boxes.h"
#include "tools/progress.h"

#define PROGRAM "gromox-mkmidb"

static const char usage[] =
	"usage: " PROGRAM " [-UfPv] [-c FILE] [--create-old] [--integrity] ADDRESS|@DOMAIN\n"
	"  -f             give all messages new UIDs and all folders a new UIDVALIDITY\n"
	"  -U             upgrade the store and mend what is damaged of its IMAP state\n"
	"  -P             the argument is a domain, its public store is meant: with or without the @\n"
	"  -v             say what is done\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  --create-old   as -f; there has been one form of the IMAP state only\n"
	"  --integrity    check the IMAP state, alone or after the others\n"
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

/* What of the checker's knowledge is about IMAP. */
static const char *const imap_checks[] = {"message-uid", "message-mime", "folder-counters", "folder-state",
	"keyword-set", "log-data", NULL};

struct request {
	struct site site;
	struct boxes boxes;
	const struct box *box;
	bool upgrade, force, verbose, old, integrity, public_store;
};

static int failed(struct request *r, int err, const char *why)
{
	progress_clear();
	complain("%s", *why != '\0' ? why : gx_arena_printf(r->site.arena, "%s: %s", r->box->name, gx_strerror(err)));
	return EXIT_FAILED;
}

static void on_finding(const struct gx_store_finding *f, void *ctx)
{
	const struct request *r = ctx;
	progress_clear();
	if (f->state != GX_FINDING_REPAIRED || r->verbose)
		printf("%s: %s: %s%s\n", r->box->name, f->check, f->text, f->state == GX_FINDING_REPAIRED ? ": repaired" : "");
}

static void on_progress(const char *check, unsigned number, unsigned total, void *ctx)
{
	const struct request *r = ctx;
	progress_show("%s: %u of %u: %s", r->box->name, number + 1, total, check);
}

static int check(struct request *r, struct gx_store *s, bool repair)
{
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result found;
	o.repair = repair;
	o.only = imap_checks;
	o.found = on_finding;
	o.progress = on_progress;
	o.describe = gx_mail_describe;
	o.ctx = r;
	int err = gx_store_check(s, &o, &found);
	progress_clear();
	if (err != 0)
		return failed(r, err, "");
	const char *advice = !repair && found.found > 0 ? "; -U mends them" : "";
	if (!repair || r->verbose)
		printf("%s: %" PRIu64 " findings%s\n", r->box->name, found.found, advice);
	return found.left == 0 ? EXIT_OK : EXIT_FAILED;
}

static int renumber(struct request *r, struct gx_store *s)
{
	static const struct gx_actor system = GX_ACTOR_SYSTEM;
	struct gx_txn *t;
	progress_show("%s: new UIDs", r->box->name);
	int err = gx_txn_begin(s, &system, GX_TXN_WRITE, 10000, &t);
	if (err != 0)
		return failed(r, err, "");
	gx_ec ec = gx_store_renumber(t);
	if (gx_ec_failed(ec)) {
		failed(r, gx_ec_to_err(ec), gx_txn_why(t));
		gx_txn_abort(t);
		return EXIT_FAILED;
	}
	err = gx_txn_commit(t, GX_SYNC_NOW);
	progress_clear();
	if (err != 0)
		return failed(r, err, "");
	if (r->verbose)
		printf("%s: all messages have new UIDs\n", r->box->name);
	return EXIT_OK;
}

static int work(struct request *r, struct gx_store *s)
{
	int rc = EXIT_OK;
	if (r->upgrade || r->force)
		rc = check(r, s, true);
	if (rc == EXIT_OK && r->force && !r->upgrade)
		rc = renumber(r, s);
	return rc == EXIT_OK && r->integrity ? check(r, s, false) : rc;
}

static int open_store(struct request *r)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	const char *why = "";
	o.log = &r->site.log;
	o.convert = gx_bodyconv;
	o.owner_program = PROGRAM;
	o.observe = !r->upgrade && !r->force;
	o.no_upgrade = !r->upgrade && !gx_conf_bool(r->site.conf, "exmdb_schema_upgrades");
	int err = gx_store_open(r->box->dir, &o, &s, r->site.arena, &why);
	if (err != 0)
		return failed(r, err, why);
	int rc = work(r, s);
	gx_store_close(s);
	return rc;
}

static int run(struct request *r, const char *config, const char *who)
{
	int rc = site_open(&r->site, config);
	if (rc != EXIT_OK)
		return rc;
	if (r->public_store && who[0] != '@')
		who = gx_arena_printf(r->site.arena, "@%s", who);
	rc = who == NULL ? EXIT_FAILED : boxes_add_address(&r->site, &r->boxes, who);
	if (rc == EXIT_OK) {
		r->box = &r->boxes.v[0];
		if (!r->upgrade && !r->force && !r->integrity) {
			complain("%s: the mailbox has its IMAP state; -f makes it anew, and clients forget theirs", r->box->name);
			rc = EXIT_FAILED;
		} else {
			rc = boxes_enter(r->box) == 0 ? open_store(r) : EXIT_FAILED;
			boxes_leave();
		}
	}
	site_close(&r->site);
	return rc;
}

int main(int argc, char **argv)
{
	struct request r = {.force = false};
	const char *config = NULL;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "PUc:fv?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'P': r.public_store = true; break;
		case 'U': r.upgrade = true; break;
		case 'c': config = optarg; break;
		case 'f': r.force = true; break;
		case 'v': r.verbose = true; break;
		case OPT_OLD: r.force = r.old = true; break;
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
	if (optind + 1 != argc || (r.upgrade && r.old)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run(&r, config, argv[optind]);
}
