/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-compress: content objects are compressed once more. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/recompress.h>
#include "tools/boxes.h"
#include "tools/progress.h"
#include "tools/report.h"

#define PROGRAM "gromox-compress"

static const char usage[] =
	"usage: " PROGRAM " [-n] [-z LEVEL] [--json] --cid DIRECTORY|FILE ...\n"
	"       " PROGRAM " [-n] [-z LEVEL] [--json] [-c FILE] [-u ADDRESS] [--all] [STORE ...]\n"
	"  --cid          content files; without it whole stores, of those in use only the files\n"
	"  -n             only count what there is\n"
	"  -z LEVEL       1 fast to 22 small [6]\n"
	"  -u ADDRESS     the mailbox of a user, or the public store of a domain (@DOMAIN)\n"
	"  --all          every mailbox that the directory has\n"
	"  --json         report as JSON\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_CID = 256, OPT_ALL, OPT_JSON, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"cid", no_argument, NULL, OPT_CID},
	{"all", no_argument, NULL, OPT_ALL},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct job {
	struct site site;
	struct boxes boxes;
	struct gx_recompress_opts o;
	bool json;
	const char *name;        /* of what is worked on */
	int worst;
	unsigned n;
};

static int on_progress(uint64_t done, uint64_t total, void *ctx)
{
	const struct job *j = ctx;
	progress_show("%s: %" PRIu64 " of %" PRIu64 " MiB", j->name, done >> 20, total >> 20);
	return 0;
}

static void on_left(const char *text, void *ctx)
{
	struct job *j = ctx;
	progress_clear();
	complain("%s", text);
	j->worst = EXIT_FAILED;
}

static void show(struct job *j, const char *name, const struct gx_recompress_result *r, bool database)
{
	progress_clear();
	if (!j->json) {
		printf("%s: %" PRIu64 " objects, %" PRIu64 " replaced, %" PRIu64 " left; %" PRIu64 " bytes", name, r->objects,
			r->replaced, r->left, r->before);
		if (!j->o.dry_run)
			printf(" are now %" PRIu64, r->after);
		putchar('\n');
		return;
	}
	fputs(j->n++ == 0 ? "[\n  {\"name\": " : ",\n  {\"name\": ", stdout);
	report_json_text(name);
	printf(", \"objects\": %" PRIu64 ", \"replaced\": %" PRIu64 ", \"left\": %" PRIu64 ", \"before\": %" PRIu64
		", \"after\": %" PRIu64 ", \"database\": %s}", r->objects, r->replaced, r->left, r->before, r->after,
		database ? "true" : "false");
}

static void failed(struct job *j, const char *name, const char *why)
{
	progress_clear();
	complain("%s: %s", name, why);
	j->worst = EXIT_FAILED;
}

static int do_path(struct job *j, const char *path, const char *name)
{
	struct gx_recompress_result r = {0};
	j->name = name;
	int err = gx_recompress_path(path, &j->o, &r), sys = errno;
	if (r.objects > 0 || err == 0)
		show(j, name, &r, false);
	if (err != 0)
		failed(j, path, err == GX_E_NOTFOUND ? "no such file or directory"
			: err == GX_E_INVAL ? "not a content file"
			: err == GX_E_IO && sys != 0 ? strerror(sys) : gx_strerror(err));
	return err;
}

/* Its owner does not mind that files are replaced. */
static void files_only(struct job *j, const struct box *b, struct gx_arena *a, const char *why)
{
	const char *cid = gx_arena_printf(a, "%s/cid", b->dir);
	bool done = cid != NULL && (access(cid, F_OK) != 0 || do_path(j, cid, b->name) == 0);
	progress_clear();
	complain("%s%s", why, done ? "; its files are done, the objects in its database are not" : "");
	j->worst = EXIT_FAILED;
}

static int whole(struct job *j, const struct box *b, struct gx_arena *a, const char **ret_why)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_recompress_result r = {0};
	struct gx_store *s;
	o.log = &j->site.log;
	o.owner_program = PROGRAM;
	o.observe = j->o.dry_run;
	o.no_upgrade = !gx_conf_bool(j->site.conf, "exmdb_schema_upgrades");
	int err = gx_store_open(b->dir, &o, &s, a, ret_why);
	if (err != 0)
		return err;
	err = gx_recompress_store(s, &j->o, &r);
	gx_store_close(s);
	if (r.objects > 0 || err == 0)
		show(j, b->name, &r, true);
	return err;
}

static void do_box(struct job *j, const struct box *b)
{
	struct gx_arena *a = gx_arena_new(0);
	const char *why = "";
	j->name = b->name;
	int err = a == NULL ? GX_E_NOMEM : boxes_enter(b) != 0 ? GX_E_IO : whole(j, b, a, &why);
	if (err == GX_E_BUSY)
		files_only(j, b, a, why);
	else if (err != 0)
		failed(j, b->name, *why != '\0' ? why : gx_strerror(err));
	boxes_leave();
	gx_arena_free(a);
}

struct args {
	const char *config;
	struct boxes_wanted boxes;
	bool cid;
};

static int stores(struct job *j, const struct args *x)
{
	int rc = site_open(&j->site, x->config);
	if (rc != EXIT_OK)
		return rc;
	rc = boxes_add_wanted(&j->site, &j->boxes, &x->boxes);
	for (size_t i = 0; rc == EXIT_OK && i < j->boxes.n; ++i)
		do_box(j, &j->boxes.v[i]);
	site_close(&j->site);
	return rc;
}

static bool read_level(const char *s, int *ret_level)
{
	char *end;
	long v = strtol(s, &end, 10);
	*ret_level = (int)v;
	if (*s != '\0' && *end == '\0' && v >= 1 && v <= 22)
		return true;
	complain("-z %s: levels are 1 to 22", s);
	return false;
}

static int with(struct args *x, int argc, char **argv)
{
	struct job j = {.o = GX_RECOMPRESS_OPTS_INIT};
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "c:nu:z:?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': x->config = optarg; break;
		case 'n': j.o.dry_run = true; break;
		case 'u': boxes_want(&x->boxes, optarg); break;
		case 'z':
			if (!read_level(optarg, &j.o.level))
				return EXIT_USAGE;
			break;
		case OPT_CID: x->cid = true; break;
		case OPT_ALL: x->boxes.all = true; break;
		case OPT_JSON: j.json = true; break;
		case OPT_HELP: fputs(usage, stdout); return EXIT_OK;
		case OPT_VERSION: print_version(PROGRAM); return EXIT_OK;
		default: return usage_exit(usage, argv, optind);
		}
	}
	x->boxes.paths = argv + optind;
	if (boxes_want_none(&x->boxes) || (x->cid && (x->boxes.all || x->boxes.nusers > 0 || x->config != NULL))) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	j.o.progress = on_progress;
	j.o.left = on_left;
	j.o.ctx = &j;
	int rc = EXIT_OK;
	for (int i = optind; x->cid && i < argc; ++i)
		do_path(&j, argv[i], argv[i]);
	if (!x->cid)
		rc = stores(&j, x);
	if (j.json)
		fputs(j.n == 0 ? "[]\n" : "\n]\n", stdout);
	return rc != EXIT_OK ? rc : j.worst;
}

int main(int argc, char **argv)
{
	struct args x = {.config = NULL};
	int rc = with(&x, argc, argv);
	boxes_wanted_release(&x.boxes);
	return rc;
}
