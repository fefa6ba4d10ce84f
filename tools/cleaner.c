/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-cleaner: what gromox-cleaner.service runs. The directive says how old, gromox-mbop does the work. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>
#include "tools/site.h"

#define PROGRAM "gromox-cleaner"

static const char usage[] =
	"usage: " PROGRAM " [-n] [-c FILE] [--mbop FILE]\n"
	"  -n             only show the command\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  --mbop FILE    the program to run [" GX_SBINDIR "/gromox-mbop]\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_MBOP = 256, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"mbop", required_argument, NULL, OPT_MBOP},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

static void show(const char *const *args)
{
	for (; *args != NULL; ++args)
		printf("%s%s", *args, args[1] == NULL ? "\n" : " ");
}

/* One mailbox that fails must not keep the others from being cleaned. */
static int run(const char *mbop, const char *config, uint64_t age, bool dry_run)
{
	char span[32];
	const char *args[20];
	size_t n = 0;
	snprintf(span, sizeof(span), "%" PRIu64 "s", age);
	args[n++] = mbop;
	if (config != NULL) {
		args[n++] = "--config";
		args[n++] = config;
	}
	static const char *const before[] = {"-c", "foreach.store.here", "(", "purge-softdelete", "-r", "-t"};
	static const char *const after[] = {"/", ")", "(", "purge-datafiles", ")"};
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); ++i)
		args[n++] = before[i];
	args[n++] = span;
	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); ++i)
		args[n++] = after[i];
	args[n] = NULL;
	if (dry_run) {
		show(args);
		return EXIT_OK;
	}
	execv(args[0], (char *const *)args);
	complain("%s: %s", args[0], strerror(errno));
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const char *config = NULL, *mbop = GX_SBINDIR "/gromox-mbop";
	bool dry_run = false;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "c:n?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': config = optarg; break;
		case 'n': dry_run = true; break;
		case OPT_MBOP: mbop = optarg; break;
		case OPT_HELP: fputs(usage, stdout); return EXIT_OK;
		case OPT_VERSION: print_version(PROGRAM); return EXIT_OK;
		default: return usage_exit(usage, argv, optind);
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	struct site site;
	int rc = site_open(&site, config);
	if (rc != EXIT_OK)
		return rc;
	uint64_t age = gx_conf_uint(site.conf, "softpurge_purgetime");
	site_close(&site);
	return run(mbop, config, age, dry_run);
}
