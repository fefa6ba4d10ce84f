/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-abktconv: dialog templates of the address book to JSON and back. */
#include <config.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/abktjson.h>
#include <gx/charset.h>
#include "tools/site.h"

#define PROGRAM "gromox-abktconv"

static const char usage[] =
	"usage: " PROGRAM " {-b|-j} [-gw] [-c CODEPAGE] <INPUT >OUTPUT\n"
	"  -b             JSON in, template out\n"
	"  -j             template in, JSON out\n"
	"  -c CODEPAGE    texts of the template are of this code page (a number); with -j: found out when not given\n"
	"  -g             -b: leave the gaps that templates of Exchange have\n"
	"  -w             texts of the template are UTF-16: this is the default of -b\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_HELP = 256, OPT_VERSION };
static const struct option longopts[] = {
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

enum { INPUT_MOST = 16 << 20 };

static int read_all(struct gx_push *in)
{
	size_t n = 0;
	do {
		uint8_t *p = gx_push_reserve(in, 65536);
		n = p == NULL ? 0 : fread(p, 1, 65536, stdin);
		gx_push_added(in, n);
	} while (n > 0);
	if (ferror(stdin))
		return GX_E_IO;
	return in->err;
}

static int to_binary(struct gx_arena *a, const struct gx_push *in, uint32_t cp, bool gaps)
{
	struct gx_abkt t;
	struct gx_bin b;
	const char *why = "";
	int err = gx_abkt_from_json(a, (const char *)in->data, in->len, &t, &why);
	if (err == 0)
		err = gx_abkt_write(a, &t, cp, gaps, &b);
	if (err != 0) {
		complain("the input is not what it should be: %s", *why != '\0' ? why : gx_strerror(err));
		return EXIT_FAILED;
	}
	fwrite(b.data, 1, b.len, stdout);
	return EXIT_OK;
}

static int to_json(struct gx_arena *a, const struct gx_push *in, uint32_t cp)
{
	struct gx_strbuf text = GX_STRBUF_INIT;
	struct gx_abkt t;
	int err = gx_abkt_read(a, in->data, in->len, cp, &t);
	if (err == 0)
		gx_abkt_to_json(&t, &text);
	if (err == 0)
		err = text.err;
	if (err != 0)
		complain("the input is no template: %s", gx_strerror(err));
	else
		fwrite(gx_strbuf_cstr(&text), 1, text.len, stdout);
	gx_strbuf_release(&text);
	return err != 0 ? EXIT_FAILED : EXIT_OK;
}

static int run(bool binary, uint32_t cp, bool gaps)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_push in = GX_PUSH_INIT;
	in.limit = INPUT_MOST;
	int err = a == NULL ? GX_E_NOMEM : read_all(&in), code = EXIT_FAILED;
	if (err != 0)
		complain("the input cannot be read: %s", gx_strerror(err));
	else
		code = binary ? to_binary(a, &in, cp, gaps) : to_json(a, &in, cp);
	gx_push_release(&in);
	gx_arena_free(a);
	return code;
}

static bool parse_code_page(const char *s, uint32_t *ret_cp)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);
	*ret_cp = (uint32_t)n;
	return *s != '\0' && *end == '\0' && n != 0 && n <= UINT32_MAX && gx_cp_to_charset((uint32_t)n) != NULL;
}

int main(int argc, char **argv)
{
	bool binary = false, json = false, gaps = false, wide = false;
	uint32_t cp = 0;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "bc:gjw?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'b': binary = true; break;
		case 'g': gaps = true; break;
		case 'j': json = true; break;
		case 'w': wide = true; break;
		case 'c':
			if (parse_code_page(optarg, &cp))
				break;
			complain("-c %s: no such code page", optarg);
			return EXIT_USAGE;
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
	if (optind != argc || binary == json || (wide && cp != 0) || (gaps && json)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run(binary, wide || (binary && cp == 0) ? GX_CP_UTF16 : cp, gaps);
}
