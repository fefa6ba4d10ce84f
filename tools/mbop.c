/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mbop: operations on mailboxes, at the server that has them. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <gx/codec.h>
#include <gx/directives.h>
#include <gx/exmdb-tls.h>
#include <gx/mbop.h>
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/site.h"

#define PROGRAM "gromox-mbop"

static const char usage[] =
	"usage: " PROGRAM " [-cv] [--json] [--server ADDRESS] [--config FILE] {-u ADDRESS|-d DIR} COMMAND [ARGS]\n"
	"       " PROGRAM " [OPTIONS] {-u ADDRESS|-d DIR} '(' COMMAND [ARGS] ')' '(' COMMAND [ARGS] ')' ...\n"
	"       " PROGRAM " [OPTIONS] foreach.FILTER[.FILTER ...] [-j JOBS] COMMAND [ARGS]\n";
static const char options[] =
	"  -c                 go on when a command fails\n"
	"  -d DIR             the mailbox in this directory\n"
	"  -u ADDRESS         the mailbox of a user, or the public store of a domain (@DOMAIN)\n"
	"  -v                 say more\n"
	"  --json             report as JSON\n"
	"  --server ADDRESS   ask this server: HOST[:PORT], [IP]:PORT, or the path of a socket\n"
	"  --tls-ca FILE      servers of other hosts speak TLS, with a certificate of these authorities [exmdb_server_ca_path]\n"
	"  --tls-cert FILE    our certificate for them [exmdb_client_certificate_path]\n"
	"  --tls-key FILE     the key of it\n"
	"  --config FILE      configuration file [" GX_CONFDIR "/gromox.cfg, mysql_adaptor.cfg, exmdb_provider.cfg]\n"
	"  -?, --help         this text; behind a command, what it has for options\n"
	"  --version          version of the program\n"
	"Commands:\n";

enum { OPT_JSON = 256, OPT_SERVER, OPT_CA, OPT_CERT, OPT_KEY, OPT_CONFIG, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"server", required_argument, NULL, OPT_SERVER},
	{"tls-ca", required_argument, NULL, OPT_CA},
	{"tls-cert", required_argument, NULL, OPT_CERT},
	{"tls-key", required_argument, NULL, OPT_KEY},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct job {
	struct site site;
	struct gx_mbop_opts o;
	struct gx_store_opts store;
	const struct gx_mbop_line *line;
	const char *config, *ca, *cert, *key; /* options */
	bool json, verbose, each;
	unsigned n;
};

/* ---- Help ---- */

static void print_help(void)
{
	const struct gx_mbop_command *c;
	fputs(usage, stdout);
	fputs(options, stdout);
	for (size_t i = 0; (c = gx_mbop_command(i)) != NULL; ++i)
		printf("  %-27s  %s\n", c->name, c->help);
	fputs("Exit: 0 all done, 1 something failed, 2 wrong arguments\n", stdout);
}

static void print_filters(void)
{
	const char *help = "", *name;
	fputs("Filters; each one limits further:\n", stdout);
	for (size_t i = 0; (name = gx_mbop_filter(i, &help)) != NULL; ++i)
		printf("  %-10s  %s\n", name, help);
}

static void print_option(const struct gx_mbop_option *o)
{
	char text[80];
	const char *arg = o->arg != NULL ? o->arg : "", *space = o->arg != NULL ? " " : "";
	if (o->letter != 0)
		snprintf(text, sizeof(text), "-%c%s%s", o->letter, space, arg);
	else
		snprintf(text, sizeof(text), "--%s%s%s", o->name, space, arg);
	printf("  %-16s  %s\n", text, o->help);
}

static void print_command(const struct gx_mbop_command *c)
{
	bool any = c->option[0].letter != 0 || c->option[0].name != NULL;
	printf("usage: " PROGRAM " ... %s%s%s%s\n%s\n", c->name, any ? " [OPTIONS]" : "", *c->args != '\0' ? " " : "",
		c->args, c->help);
	for (const struct gx_mbop_option *o = c->option; o->letter != 0 || o->name != NULL; ++o)
		print_option(o);
	if (strncmp(c->name, "foreach", 7) == 0)
		print_filters();
}

/* ---- Results ---- */

static void json_field(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	report_json_text(text);
}

static void json_row(const struct gx_mbop_field *f, const char *between)
{
	for (; f->name != NULL; ++f) {
		printf("%s\"%s\": ", between, f->name);
		if (f->text != NULL)
			report_json_text(f->text);
		else
			printf("%" PRIu64, f->number);
		between = ", ";
	}
}

static void json_data(const struct gx_mbop_result *r)
{
	if (!r->binary) {
		json_field("text", (const char *)r->data.data);
		return;
	}
	char *text = malloc(gx_base64_enc_len(r->data.len) + 1);
	if (text == NULL)
		return;
	text[gx_base64_enc(r->data.data, r->data.len, text)] = '\0';
	json_field("base64", text);
	free(text);
}

static void show_json(struct job *j, const struct gx_mbop_result *r)
{
	fputs(j->n++ == 0 ? "[\n  {\"mailbox\": " : ",\n  {\"mailbox\": ", stdout);
	report_json_text(r->who);
	json_field("directory", r->dir);
	json_field("command", r->command);
	json_field("result", r->failed ? "failed" : "done");
	if (r->failed)
		json_field("reason", r->why);
	if (r->list)
		fputs(", \"rows\": [", stdout);
	for (size_t i = 0; i < r->nrows; ++i) {
		if (r->list)
			fputs(i == 0 ? "{" : ", {", stdout);
		json_row(r->rows[i], r->list ? "" : ", ");
		if (r->list)
			fputs("}", stdout);
	}
	if (r->list)
		fputs("]", stdout);
	if (r->has_data && !r->failed)
		json_data(r);
	fputs("}", stdout);
}

/* A picture does not belong on a terminal. */
static void show_data(const struct gx_mbop_result *r)
{
	if (!r->binary || !isatty(STDOUT_FILENO))
		fwrite(r->data.data, 1, r->data.len, stdout);
	else if (isatty(STDERR_FILENO))
		fprintf(stderr, r->data.len == 0 ? "there is none\n" : "%zu bytes, not shown on a terminal\n", r->data.len);
}

/* With many mailboxes each line says whose it is; what scripts are to read stays bare. */
static void show_text(const struct job *j, const struct gx_mbop_result *r)
{
	bool bare = !j->each || strncmp(r->command, "echo-", 5) == 0;
	for (const char *s = r->text; *s != '\0';) {
		size_t len = strcspn(s, "\n");
		printf("%s%s%.*s\n", bare ? "" : r->who, bare ? "" : ": ", (int)len, s);
		s += len + (s[len] == '\n');
	}
}

static void on_result(const struct gx_mbop_result *r, void *ctx)
{
	struct job *j = ctx;
	progress_clear();
	if (j->json) {
		show_json(j, r);
		return;
	}
	show_text(j, r);
	if (r->has_data && !r->failed)
		show_data(r);
	if (r->failed) {
		fflush(stdout);
		complain("%s: %s: %s", r->who, r->command, r->why);
	} else if (j->verbose) {
		fflush(stdout);
		fprintf(stderr, "%s: %s: done\n", r->who, r->command);
	}
}

static void on_progress(const char *who, const char *what, uint64_t done, uint64_t total, void *ctx)
{
	(void)ctx;
	if (total > 0)
		progress_show("%s: %s: %" PRIu64 " of %" PRIu64, who, what, done, total);
	else
		progress_show("%s: %s", who, what);
}

/* ---- Input ---- */

static int on_input(struct gx_arena *a, struct gx_bin *ret_b, const char **ret_why, void *ctx)
{
	uint8_t *p = NULL;
	size_t n = 0, cap = 0, got;
	(void)ctx;
	progress_clear();
	do {
		p = gx_arena_grow(a, p, &cap, n + 65536, 1);
		if (p == NULL)
			return GX_E_NOMEM;
		got = fread(p + n, 1, cap - n, stdin);
		n += got;
	} while (got > 0 && n <= GX_MBOP_INPUT_MAX);
	if (ferror(stdin)) {
		*ret_why = strerror(errno);
		return GX_E_IO;
	}
	if (n > GX_MBOP_INPUT_MAX) {
		*ret_why = "more than 64 MiB";
		return GX_E_LIMIT;
	}
	*ret_b = (struct gx_bin){p, n};
	return 0;
}

/* ---- Where ---- */

/* What the options say comes before what the configuration does. */
static bool tls_options(const struct job *j, struct gx_exmdb_tls_opts *ret_o)
{
	bool on = gx_directives_exmdb_tls(j->site.conf, ret_o);
	if (j->ca != NULL)
		ret_o->ca_path = j->ca;
	if (j->cert != NULL) {
		ret_o->cert_path = j->cert;
		ret_o->key_path = j->key;
		ret_o->key_password = NULL;
	}
	return on || j->ca != NULL || j->cert != NULL;
}

/* As root: goes on as who has the data, so that files that are made are his. */
static int become_owner(const char *path)
{
	struct stat sb;
	if (geteuid() != 0 || stat(path, &sb) != 0 || sb.st_uid == 0)
		return EXIT_OK;
	if (setegid(sb.st_gid) == 0 && seteuid(sb.st_uid) == 0)
		return EXIT_OK;
	complain("cannot become the owner of %s: %s", path, strerror(errno));
	return EXIT_FAILED;
}

/* A directory by path can do without that of users, but for what is in it. */
static int open_directory(struct job *j)
{
	const char *why = "";
	if (j->o.user != NULL || gx_mbop_has_foreach(j->line))
		return site_directory(&j->site);
	int err = gx_dir_open(&j->site.where, &j->site.dir, j->site.arena, &why);
	if (err != 0 && j->verbose)
		complain("%s; going on without", *why != '\0' ? why : gx_strerror(err));
	return EXIT_OK;
}

/* Servers know directories by their whole names. */
static int absolute_path(struct job *j)
{
	if (j->o.path == NULL || j->o.path[0] == '/')
		return EXIT_OK;
	char *dir = realpath(j->o.path, NULL);
	if (dir == NULL) {
		complain("%s: %s", j->o.path, strerror(errno));
		return EXIT_FAILED;
	}
	j->o.path = gx_arena_strdup(j->site.arena, dir);
	free(dir);
	return j->o.path != NULL ? EXIT_OK : EXIT_FAILED;
}

static int prepare(struct job *j, struct gx_exmdb_transport **ret_t)
{
	const char *why = "";
	struct gx_exmdb_tls_opts tls;
	int err = tls_options(j, &tls) ? gx_exmdb_tls_new(&tls, ret_t, j->site.arena, &why) : 0;
	if (err != 0) {
		complain("%s", *why != '\0' ? why : gx_strerror(err));
		return EXIT_FAILED;
	}
	int rc = become_owner(gx_conf_str(j->site.conf, "data_path"));
	if (rc == EXIT_OK)
		rc = open_directory(j);
	j->o.log = &j->site.log;
	j->o.dir = j->site.dir;
	j->o.home = gx_directives_exmdb_home(j->site.conf, j->site.arena, &j->o.home_plain);
	j->o.port = (unsigned)gx_conf_uint(j->site.conf, "exmdb_client_port");
	if (j->o.port == 0)
		j->o.port = (unsigned)gx_conf_uint(j->site.conf, "exmdb_listen_port");
	j->o.org_name = gx_conf_str(j->site.conf, "x500_org_name");
	j->o.transport = *ret_t;
	return rc;
}

static int run(struct job *j)
{
	const char *why = "";
	size_t failed = 0;
	j->o.result = on_result;
	j->o.progress = on_progress;
	j->o.input = on_input;
	j->o.ctx = j;
	int err = gx_mbop_run(&j->o, j->line, j->site.arena, &failed, &why);
	progress_clear();
	if (j->json)
		fputs(j->n == 0 ? "[]\n" : "\n]\n", stdout);
	if (err != 0)
		complain("%s", *why != '\0' ? why : gx_strerror(err));
	return err != 0 || failed > 0 ? EXIT_FAILED : EXIT_OK;
}

static int work(struct job *j)
{
	struct gx_exmdb_transport *t = NULL;
	int rc = site_open_named(&j->site, j->config, "--config");
	if (rc != EXIT_OK)
		return rc;
	rc = site_store_opts(&j->site, &j->store);
	j->o.store = &j->store;
	if (rc == EXIT_OK)
		rc = absolute_path(j);
	if (rc == EXIT_OK)
		rc = prepare(j, &t);
	if (rc == EXIT_OK)
		rc = run(j);
	gx_exmdb_tls_free(t);
	site_close(&j->site);
	return rc;
}

/* ---- Arguments ---- */

static int wrong(const char *why)
{
	complain("%s", why);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static int begin(struct job *j, char **argv, int argc)
{
	const char *why = "";
	struct gx_mbop_line *line = NULL;
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_mbop_parse(argv, (size_t)argc, a, &line, &why), rc;
	if (err != 0) {
		rc = wrong(*why != '\0' ? why : gx_strerror(err));
	} else if (gx_mbop_help_wanted(line) != NULL) {
		print_command(gx_mbop_help_wanted(line));
		rc = EXIT_OK;
	} else if (j->o.user != NULL && j->o.path != NULL) {
		rc = wrong("-u and -d exclude each other");
	} else if (gx_mbop_needs_mailbox(line) && j->o.user == NULL && j->o.path == NULL) {
		rc = wrong("which mailbox? -u or -d says it");
	} else if (!gx_mbop_needs_mailbox(line) && (j->o.user != NULL || j->o.path != NULL)) {
		rc = wrong("foreach finds the mailboxes by itself: leave out -u and -d");
	} else {
		j->line = line;
		j->each = gx_mbop_has_foreach(line);
		rc = work(j);
	}
	gx_arena_free(a);
	return rc;
}

int main(int argc, char **argv)
{
	struct job j = {.o = GX_MBOP_OPTS_INIT, .store = GX_STORE_OPTS_INIT};
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "+cd:u:v?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': j.o.keep_going = true; break;
		case 'd': j.o.path = optarg; break;
		case 'u': j.o.user = optarg; break;
		case 'v': j.verbose = j.o.verbose = true; break;
		case OPT_JSON: j.json = true; break;
		case OPT_SERVER: j.o.server = optarg; break;
		case OPT_CA: j.ca = optarg; break;
		case OPT_CERT: j.cert = optarg; break;
		case OPT_KEY: j.key = optarg; break;
		case OPT_CONFIG: j.config = optarg; break;
		case OPT_HELP: print_help(); return EXIT_OK;
		case OPT_VERSION: print_version(PROGRAM); return EXIT_OK;
		default:
			if (strcmp(argv[optind - 1], "-?") != 0)
				return usage_exit(usage, argv, optind);
			print_help();
			return EXIT_OK;
		}
	}
	if ((j.cert == NULL) != (j.key == NULL))
		return wrong("--tls-cert and --tls-key go together");
	return begin(&j, argv + optind, argc - optind);
}
