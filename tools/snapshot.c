/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-snapshot: dated snapshots of all mailboxes, for a timer. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <gx/directives.h>
#include <gx/snapshot.h>
#include "tools/btrfs.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/site.h"

#define PROGRAM "gromox-snapshot"
#define CONFIG GX_CONFDIR "/snapshot.cfg"

static const char usage[] =
	"usage: " PROGRAM " [-nv] [--json] [-c FILE]\n"
	"  -n             only say what would be done\n"
	"  -v             also name the snapshots that are kept\n"
	"  --json         report as JSON\n"
	"  -c FILE        configuration file [" CONFIG "]\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_JSON = 256, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct job {
	struct gx_log log;
	struct gx_arena *a;
	struct gx_conf *conf;
	struct gx_snapshot_opts o;
	bool json, verbose;
	unsigned n;
	int worst;
};

static void on_log(int level, const char *text, void *ctx)
{
	complain("%s", text);
}

static int on_progress(uint64_t files, uint64_t bytes, void *ctx)
{
	progress_show("%" PRIu64 " files, %" PRIu64 " MiB copied", files, bytes >> 20);
	return 0;
}

static void on_left(const char *text, void *ctx)
{
	struct job *j = ctx;
	progress_clear();
	complain("%s", text);
	j->worst = EXIT_FAILED;
}

static void json_line(struct job *j, const char *what, const char *name, const struct gx_copy_result *r)
{
	printf("%s\n    {\"name\": ", j->n++ == 0 ? "{\n  \"snapshots\": [" : ",");
	report_json_text(name);
	printf(", \"state\": \"%s\"", what);
	if (r != NULL)
		printf(", \"stores\": %" PRIu64 ", \"files\": %" PRIu64 ", \"shared\": %" PRIu64
		       ", \"bytes\": %" PRIu64 ", \"left\": %" PRIu64,
			r->stores, r->files, r->shared, r->bytes, r->left);
	putchar('}');
}

static void on_told(int what, const char *name, const struct gx_copy_result *r, void *ctx)
{
	static const char *const words[] = {[GX_SNAPSHOT_MADE] = "made",
		[GX_SNAPSHOT_KEPT] = "kept",
		[GX_SNAPSHOT_REMOVED] = "removed"};
	struct job *j = ctx;
	progress_clear();
	if (j->json) {
		json_line(j, words[what], name, r);
	} else if (what != GX_SNAPSHOT_KEPT || j->verbose) {
		printf("%s: %s%s", name, j->o.dry_run && what != GX_SNAPSHOT_KEPT ? "would be " : "", words[what]);
		if (r != NULL && !j->o.dry_run)
			printf(", %" PRIu64 " stores, %" PRIu64 " files, %" PRIu64 " bytes written", r->stores, r->files, r->bytes);
		putchar('\n');
	}
	fflush(stdout);
}

static int read_config(struct job *j, const char *path)
{
	const struct gx_conf_key *tables[] = {gx_directives(GX_DIRECTIVES_SNAPSHOT), NULL};
	j->conf = gx_conf_new(tables);
	if (j->conf == NULL) {
		complain("out of memory");
		return EXIT_FAILED;
	}
	int err = gx_conf_read(j->conf, path == NULL ? CONFIG : path, &j->log);
	if (err == 0 || (err == GX_E_NOTFOUND && path == NULL))
		return EXIT_OK;
	complain("%s: %s", path == NULL ? CONFIG : path,
		err == GX_E_NOTFOUND ? strerror(ENOENT) : err == GX_E_IO ? strerror(errno) : "the configuration cannot be used");
	return EXIT_FAILED;
}

static int apply(struct job *j)
{
	static const char *const keys[GX_SNAPSHOT_KINDS] = {
		[GX_SNAPSHOT_HOUR] = "retention_hours",
		[GX_SNAPSHOT_DAY] = "retention_days",
		[GX_SNAPSHOT_WEEK] = "retention_weeks",
		[GX_SNAPSHOT_MONTH] = "retention_months",
	};
	const char *method = gx_conf_str(j->conf, "snapshot_method");
	for (unsigned i = 0; i < GX_SNAPSHOT_KINDS; ++i)
		j->o.keep[i] = (unsigned)gx_conf_uint(j->conf, keys[i]);
	j->o.root = gx_conf_str(j->conf, "subvolume_root");
	j->o.archive = gx_conf_str(j->conf, "snapshot_archive");
	bool with_btrfs = strcmp(method, "btrfs") == 0 || (strcmp(method, "auto") == 0 && btrfs_fits(j->o.root, j->o.archive));
	if (with_btrfs)
		j->o.fs = &btrfs_calls;
	if (with_btrfs || strcmp(method, "auto") == 0 || strcmp(method, "copy") == 0)
		return EXIT_OK;
	complain("%s: snapshot_method = %s: expected auto, btrfs or copy", gx_conf_origin(j->conf, "snapshot_method"), method);
	return EXIT_FAILED;
}

static int work(struct job *j)
{
	const char *why = "";
	j->o.told = on_told;
	j->o.progress = on_progress;
	j->o.left = on_left;
	j->o.ctx = j;
	int err = gx_snapshot_run(&j->o, j->a, &why);
	progress_clear();
	if (err != 0)
		complain("%s", *why != '\0' ? why : gx_strerror(err));
	if (j->json) {
		printf("%s], \"error\": ", j->n == 0 ? "{\n  \"snapshots\": [" : "\n  ");
		if (err == 0)
			fputs("null", stdout);
		else
			report_json_text(*why != '\0' ? why : gx_strerror(err));
		fputs("\n}\n", stdout);
	}
	return err == 0 ? j->worst : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	struct job j = {.o = GX_SNAPSHOT_OPTS_INIT, .log = {.write = on_log, .level = GX_LOG_WARN}};
	const char *config = NULL;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "c:nv?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': config = optarg; break;
		case 'n': j.o.dry_run = true; break;
		case 'v': j.verbose = true; break;
		case OPT_JSON: j.json = true; break;
		case OPT_HELP: fputs(usage, stdout); return EXIT_OK;
		case OPT_VERSION: print_version(PROGRAM); return EXIT_OK;
		default: return usage_exit(usage, argv, optind);
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	j.a = gx_arena_new(0);
	int rc = j.a == NULL ? EXIT_FAILED : read_config(&j, config);
	if (rc == EXIT_OK)
		rc = apply(&j);
	if (rc == EXIT_OK)
		rc = work(&j);
	gx_conf_free(j.conf);
	gx_arena_free(j.a);
	return rc;
}
