/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-abktpull: dialog templates out of what ldapsearch has found. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <gx/abktjson.h>
#include "tools/site.h"

#define PROGRAM "gromox-abktpull"

static const char usage[] =
	"usage: ldapsearch ... | " PROGRAM "\n"
	"Saves the values of attributes called *DisplayTable* in files LOCALE-TYPE-ATTRIBUTE.abk of the working directory.\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_HELP = 256, OPT_VERSION };
static const struct option longopts[] = {
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

enum { INPUT_MOST = 256 << 20 };

struct pull {
	struct gx_arena *a;
	unsigned count;
};

static int save(const char *dn, const char *attribute, struct gx_bin value, void *ctx)
{
	struct pull *p = ctx;
	const char *name = gx_ldif_template_name(p->a, dn, attribute);
	if (name == NULL)
		return 0;
	FILE *f = fopen(name, "we");
	bool ok = f != NULL && fwrite(value.data, 1, value.len, f) == value.len;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	if (!ok) {
		complain("%s: %s", name, strerror(errno));
		return GX_E_IO;
	}
	printf("%s\n", name);
	++p->count;
	gx_arena_reset(p->a);
	return 0;
}

static int run(void)
{
	struct pull p = {gx_arena_new(0), 0};
	struct gx_push in = GX_PUSH_INIT;
	unsigned line = 0;
	size_t n;
	in.limit = INPUT_MOST;
	do {
		uint8_t *at = gx_push_reserve(&in, 65536);
		n = at == NULL ? 0 : fread(at, 1, 65536, stdin);
		gx_push_added(&in, n);
	} while (n > 0);
	int err = p.a == NULL ? GX_E_NOMEM : ferror(stdin) ? GX_E_IO : in.err;
	if (err == 0)
		err = gx_ldif_read((const char *)in.data, in.len, save, &p, &line);
	if (err == GX_E_FORMAT)
		complain("line %u of the input is no LDIF", line);
	else if (err != 0 && err != GX_E_IO)
		complain("the input cannot be read: %s", gx_strerror(err));
	else if (err == 0 && p.count == 0)
		complain("no attribute of the input has a display table");
	gx_push_release(&in);
	gx_arena_free(p.a);
	return err == 0 && p.count != 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "?", longopts, NULL)) != -1;) {
		switch (c) {
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
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run();
}
