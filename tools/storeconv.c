/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-storeconv: makes a store out of a mailbox directory of Gromox. */
#include <config.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/bodyconv.h>
#include <gx/delivery.h>
#include <gx/storeconv.h>
#include "tools/report.h"
#include "tools/site.h"

#define PROGRAM "gromox-storeconv"

static const char usage[] =
	"usage: " PROGRAM " [-fq] [-c FILE] [--json] [--integrity] [--restart] SOURCE ADDRESS|DOMAIN\n"
	"       " PROGRAM " [-fq] [--owner NAME] [--owner-id N] [--json] [--integrity] [--restart] SOURCE DIR/\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg]\n"
	"  -f             move what is there, a store or SOURCE itself, to its name with .old\n"
	"  -q             no progress on the terminal\n"
	"  --integrity    check the new store\n"
	"  --json         report as JSON\n"
	"  --owner NAME   address or domain the store belongs to, with DIR/\n"
	"  --owner-id N   its number in the user directory, with DIR/; what the mailbox tells goes first\n"
	"  --restart      throw away what an interrupted run has made\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_INTEGRITY = 256, OPT_JSON, OPT_OWNER, OPT_OWNER_ID, OPT_RESTART, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"integrity", no_argument, NULL, OPT_INTEGRITY},
	{"json", no_argument, NULL, OPT_JSON},
	{"owner", required_argument, NULL, OPT_OWNER},
	{"owner-id", required_argument, NULL, OPT_OWNER_ID},
	{"restart", no_argument, NULL, OPT_RESTART},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct request {
	struct site site;
	const char *config, *source, *target, *dest, *owner;
	uint32_t owner_id;
	int kind;
	bool replace, quiet, json, integrity, restart;
	bool bar, bar_shown;
	unsigned permille;         /* shown last */
	uint64_t told;             /* findings */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* ---- Progress, for people only ---- */

static void clear_bar(struct request *r)
{
	if (r->bar_shown)
		fputs("\r\033[K", stderr);
	r->bar_shown = false;
}

static int on_progress(int stage, uint64_t done, uint64_t total, void *ctx)
{
	enum { WIDTH = 40 };
	struct request *r = ctx;
	unsigned permille = total == 0 ? 1000 : (unsigned)(done >= total ? 1000 : done * 1000 / total);
	if (!r->bar || stage < GX_CONV_STAGE_MESSAGES || (r->bar_shown && permille == r->permille))
		return stop;
	fputs("\r[", stderr);
	for (unsigned i = 0; i < WIDTH; i++)
		fputc(i < permille * WIDTH / 1000 ? '#' : ' ', stderr);
	fprintf(stderr, "] %3u.%u %%  %" PRIu64 " of %" PRIu64 " messages", permille / 10, permille % 10, done, total);
	r->permille = permille;
	r->bar_shown = true;
	return stop;
}

/* ---- The report ---- */

static void json_pair(const char *key, const char *value, const char *behind)
{
	report_json_text(key);
	fputs(": ", stdout);
	if (value == NULL)
		fputs("null", stdout);
	else
		report_json_text(value);
	fputs(behind, stdout);
}

static void on_finding(const struct gx_storeconv_finding *f, void *ctx)
{
	struct request *r = ctx;
	clear_bar(r);
	if (r->json) {
		fputs(r->told == 0 ? "\n    {" : ",\n    {", stdout);
		json_pair("kind", gx_storeconv_kind(f->kind), ", ");
		json_pair("object", f->object, ", ");
		json_pair("file", f->file, ", ");
		json_pair("text", f->text, "}");
	} else {
		printf("%s: %s: %s%s%s%s\n", gx_storeconv_kind(f->kind), f->object, f->text, f->file == NULL ? "" : " (",
			f->file == NULL ? "" : f->file, f->file == NULL ? "" : ")");
	}
	r->told++;
}

static void on_damage(const char *line, void *ctx)
{
	const struct gx_storeconv_finding f = {.kind = GX_CONV_DATABASE, .object = "new store", .text = line};
	on_finding(&f, ctx);
}

static void begin_report(const struct request *r)
{
	if (r->json) {
		fputs("{\n  ", stdout);
		json_pair("source", r->source, ",\n  ");
		json_pair("dest", r->dest, ",\n  \"findings\": [");
	}
}

static void end_report(const struct request *r, const struct gx_storeconv_result *res, const char *error)
{
	const struct {
		const char *name, *text;
		uint64_t n;
	} v[] = {
		{"folders", "folders", res->folders}, {"messages", "messages", res->messages},
		{"associated", "associated messages", res->associated},
		{"deleted", "deleted messages", res->deleted}, {"attachments", "attachments", res->attachments},
		{"originals", "original texts", res->originals}, {"bytes", "bytes", res->bytes},
	};
	if (!r->json && error != NULL)
		return;
	if (r->json)
		printf("%s],\n  \"version\": %d, \"public\": %s, \"resumed\": %s,\n  ", r->told == 0 ? "" : "\n  ",
			res->version, res->public_store ? "true" : "false", res->resumed ? "true" : "false");
	else
		printf("%s: schema E%c-%d:", r->dest, res->public_store ? 'B' : 'V', res->version);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (r->json)
			printf("\"%s\": %" PRIu64 ", ", v[i].name, v[i].n);
		else
			printf("%s %" PRIu64 " %s", i == 0 ? "" : ",", v[i].n, v[i].text);
	if (r->json) {
		fputs("\n  ", stdout);
		json_pair("error", error, "\n}\n");
	} else {
		printf("; %" PRIu64 " findings\n", r->told);
	}
}

/* ---- The conversion ---- */

/* 0 or an exit code. */
static int check_store(struct request *r)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store *s;
	const char *why = "";
	uint64_t before = r->told;
	o.convert = gx_bodyconv;
	o.owner_program = PROGRAM;
	int err = gx_store_open(r->dest, &o, &s, r->site.arena, &why);
	long n = err != 0 ? err : gx_store_verify(s, on_damage, r);
	if (err == 0)
		gx_store_close(s);
	if (n < 0)
		complain("%s", *why != '\0' ? why : gx_strerror((int)n));
	return n < 0 || r->told != before ? EXIT_FAILED : EXIT_OK;
}

static int convert(struct request *r)
{
	struct gx_storeconv_opts o = GX_STORECONV_OPTS_INIT;
	struct gx_storeconv_result res = GX_STORECONV_RESULT_INIT;
	const char *why = NULL;
	o.source = r->source;
	o.dest = r->dest;
	o.kind = r->kind;
	o.owner = r->owner;
	o.owner_id = r->owner_id;
	o.log = &r->site.log;
	o.mail = gx_mail_adopt;
	o.notice = gx_mail_notice;
	o.progress = on_progress;
	o.report = on_finding;
	o.ctx = r;
	o.replace = r->replace;
	o.restart = r->restart;
	begin_report(r);
	int err = gx_storeconv_run(&o, &res, r->site.arena, &why);
	clear_bar(r);
	int rc = err != 0 ? EXIT_FAILED : r->integrity ? check_store(r) : EXIT_OK;
	end_report(r, &res, why);
	if (err != 0)
		complain("%s%s", why != NULL ? why : gx_strerror(err), err == GX_E_EXISTS ? " (see -f and --restart)" : "");
	return rc;
}

/* Where the store of a user or a domain is to be, and whose it is. */
static int look_up(struct request *r)
{
	struct gx_user u;
	struct gx_domain d;
	uint32_t homeserver = 0;
	bool user = strchr(r->target, '@') != NULL;
	r->kind = user ? GX_CONV_PRIVATE : GX_CONV_PUBLIC;
	int err = user ? gx_dir_user(r->site.dir, r->target, r->site.arena, &u) :
		gx_dir_domain(r->site.dir, r->target, r->site.arena, &d);
	if (err == 0) {
		r->dest = user ? u.maildir : d.homedir;
		r->owner = user ? u.username : d.name;
		r->owner_id = user ? u.id : d.id;
		homeserver = user ? u.homeserver : d.homeserver;
	}
	if (err == GX_E_NOTFOUND)
		complain("%s: not in the directory; gromox-useradm adds users and domains; a directory ends with a slash",
			r->target);
	else if (err != 0)
		complain("%s: %s", r->target, gx_strerror(err));
	else if (r->dest[0] == '\0')
		complain("%s: has no store (%s is empty in the directory)", r->target, user ? "maildir" : "homedir");
	else
		return site_must_be_home(&r->site, r->target, homeserver);
	return EXIT_FAILED;
}

static int run(struct request *r)
{
	int rc = site_open(&r->site, r->config);
	if (rc != EXIT_OK)
		return rc;
	if (strchr(r->target, '/') != NULL) {
		r->dest = r->target;
	} else {
		rc = site_directory(&r->site);
		if (rc == EXIT_OK)
			rc = look_up(r);
		if (rc == EXIT_OK)
			rc = site_become_owner(&r->site);
	}
	if (rc == EXIT_OK)
		rc = convert(r);
	site_close(&r->site);
	return rc;
}

static bool number(const char *s, uint32_t *ret_n)
{
	char *end;
	unsigned long long v = strtoull(s, &end, 10);
	*ret_n = (uint32_t)v;
	return *s >= '0' && *s <= '9' && *end == '\0' && v <= UINT32_MAX;
}

int main(int argc, char **argv)
{
	struct request r = {.config = NULL};
	bool good = true;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "c:fq?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': r.config = optarg; break;
		case 'f': r.replace = true; break;
		case 'q': r.quiet = true; break;
		case OPT_INTEGRITY: r.integrity = true; break;
		case OPT_JSON: r.json = true; break;
		case OPT_OWNER: r.owner = optarg; break;
		case OPT_OWNER_ID: good = number(optarg, &r.owner_id) && good; break;
		case OPT_RESTART: r.restart = true; break;
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
	if (optind + 2 != argc || !good) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	r.source = argv[optind];
	r.target = argv[optind + 1];
	r.bar = !r.quiet && isatty(STDERR_FILENO);
	struct sigaction sa = {.sa_handler = on_signal};
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	return run(&r);
}
