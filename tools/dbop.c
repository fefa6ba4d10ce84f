/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-dbop: makes and upgrades the directory. */
#include <config.h>
#include <getopt.h>
#include "tools/site.h"

static const char usage[] =
	"usage: gromox-dbop [-c FILE] -C | -U | --create-old\n"
	"  -C             make the tables of the user directory\n"
	"  -U             upgrade the tables to the newest version\n"
	"  --create-old   make the tables of version 0, for trying the upgrade\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n"
	"The directory is the SQLite file that directory_path names, or the database on a MariaDB server\n"
	"that the directives mysql_... name; the directive \"directory\" says which.\n";

enum { OPT_OLD = 256, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"create-old", no_argument, NULL, OPT_OLD},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

static int run(struct site *s, int what)
{
	const char *name = gx_dir_opts_name(&s->where, s->arena), *why = "";
	unsigned from = 0, to = 0;
	int err = what == 'U' ? gx_dir_upgrade_tables(&s->where, s->arena, &from, &to, &why)
		: gx_dir_create_tables(&s->where, what == OPT_OLD, s->arena, &why);
	if (err != 0 || name == NULL) {
		complain("%s", *why != '\0' ? why : gx_strerror(err));
		return EXIT_FAILED;
	}
	if (what != 'U')
		printf("%s: made\n", name);
	else if (from == to)
		printf("%s: schema version %u is the newest\n", name, to);
	else
		printf("%s: upgraded from schema version %u to %u\n", name, from, to);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	const char *config = NULL;
	int what = 0;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "CUc:?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'C':
		case 'U':
		case OPT_OLD:
			if (what != 0 && what != c) {
				complain("-C, -U and --create-old exclude each other");
				return EXIT_USAGE;
			}
			what = c;
			break;
		case 'c':
			config = optarg;
			break;
		case OPT_VERSION:
			print_version("gromox-dbop");
			return EXIT_OK;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			return usage_exit(usage, argv, optind);
		}
	}
	if (what == 0 || optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	struct site s;
	int rc = site_open(&s, config);
	if (rc != EXIT_OK)
		return rc;
	rc = run(&s, what);
	site_close(&s);
	return rc;
}
