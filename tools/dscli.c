/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-dscli: what clients find out about an address. */
#include <config.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/autodiscover.h>
#include "tools/password.h"
#include "tools/report.h"
#include "tools/site.h"

#define PROGRAM "gromox-dscli"

static const char usage[] =
	"usage: " PROGRAM " [OPTION ...] -e ADDRESS\n"
	"  -e ADDRESS           whose mailbox\n"
	"  -x DN                the same by LegacyDN; needs -h or -H\n"
	"  -u USER              who logs in [the address]\n"
	"  -h HOST              ask https://HOST/Autodiscover/Autodiscover.xml only\n"
	"  -H URL               ask this URL only\n"
	"  --eas                as a phone (ActiveSync)\n"
	"  --ac                 as Thunderbird (Autoconfig), without a login\n"
	"  --password-file FILE its first line is the password [$PASS, $GX_PASSWORD, or it is asked for]\n"
	"  --cacert FILE        authorities to trust [the system's]\n"
	"  --insecure           any certificate will do, and no TLS at all with -H\n"
	"  --timeout SECONDS    of each attempt [30]\n"
	"  --xml                the answer as it came, on stdout\n"
	"  --json               JSON for programs\n"
	"  -v                   what is tried, and the request, on stderr; implies --xml\n"
	"  -?, --help           this text\n"
	"  --version            version of the program\n";

enum { OPT_EAS = 256, OPT_AC, OPT_PASSWORD, OPT_CACERT, OPT_INSECURE, OPT_TIMEOUT, OPT_XML, OPT_JSON, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"eas", no_argument, NULL, OPT_EAS}, {"ac", no_argument, NULL, OPT_AC}, {"password-file", required_argument, NULL, OPT_PASSWORD},
	{"cacert", required_argument, NULL, OPT_CACERT}, {"insecure", no_argument, NULL, OPT_INSECURE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT}, {"xml", no_argument, NULL, OPT_XML}, {"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP}, {"version", no_argument, NULL, OPT_VERSION}, {0}
};

struct args {
	struct gx_disco_look look;
	const char *password_file;
	bool xml, json, verbose;
};

static void print_note(const char *text, void *ctx)
{
	fprintf(stderr, PROGRAM ": %s\n", text);
}

static bool parse_timeout(struct args *g, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || n == 0 || n > 3600) {
		fprintf(stderr, PROGRAM ": --timeout %s: expected a number of seconds from 1 to 3600\n", text);
		return false;
	}
	g->look.timeout_ms = (uint32_t)n * 1000;
	return true;
}

/* @return -1: go on; else the program's exit code. */
static int parse_option(struct args *g, int c, const char *word)
{
	switch (c) {
	case 'e': g->look.address = optarg; break;
	case 'x': g->look.legacy_dn = optarg; break;
	case 'u': g->look.user = optarg; break;
	case 'h': g->look.host = optarg; break;
	case 'H': g->look.url = optarg; break;
	case 'v': g->verbose = g->xml = true; break;
	case OPT_EAS: g->look.what = GX_DISCO_LOOK_EAS; break;
	case OPT_AC: g->look.what = GX_DISCO_LOOK_AUTOCONFIG; break;
	case OPT_PASSWORD: g->password_file = optarg; break;
	case OPT_CACERT: g->look.ca_file = optarg; break;
	case OPT_INSECURE: g->look.insecure = true; break;
	case OPT_TIMEOUT: return parse_timeout(g, optarg) ? -1 : EXIT_USAGE;
	case OPT_XML: g->xml = true; break;
	case OPT_JSON: g->json = true; break;
	case OPT_VERSION: printf(PROGRAM " (gx) %s\n", gx_version()); return EXIT_OK;
	case OPT_HELP: fputs(usage, stdout); return EXIT_OK;
	default:
		if (optopt == '?') {
			fputs(usage, stdout);
			return EXIT_OK;
		}
		fprintf(stderr, PROGRAM ": \"%s\": unknown option or missing value; try --help\n", word);
		return EXIT_USAGE;
	}
	return -1;
}

static int parse(struct args *g, int argc, char **argv)
{
	int c, code = -1;
	opterr = 0;
	while (code < 0 && (c = getopt_long(argc, argv, "e:x:u:h:H:v", longopts, NULL)) != -1)
		code = parse_option(g, c, argv[optind - 1]);
	if (code < 0 && optind < argc) {
		fprintf(stderr, PROGRAM ": unexpected argument \"%s\"; try --help\n", argv[optind]);
		code = EXIT_USAGE;
	}
	/* as it always was: a DN alone is asked for here */
	if (code < 0 && g->look.address == NULL && g->look.legacy_dn != NULL && g->look.host == NULL && g->look.url == NULL)
		g->look.host = "localhost";
	if (code < 0 && g->look.address == NULL && (g->look.legacy_dn == NULL || g->look.what == GX_DISCO_LOOK_AUTOCONFIG)) {
		fputs(PROGRAM ": name an address with -e; try --help\n", stderr);
		code = EXIT_USAGE;
	}
	return code;
}

static bool read_password(struct args *g, struct gx_arena *a)
{
	const char *pass = getenv("PASS"), *who = g->look.user != NULL ? g->look.user : g->look.address;
	if (g->look.what == GX_DISCO_LOOK_AUTOCONFIG || who == NULL)
		return true;
	g->look.password = g->password_file == NULL && pass != NULL ? pass : password_known(a, g->password_file, who);
	return g->look.password != NULL;
}

static void show_question(const struct args *g, struct gx_arena *a)
{
	struct gx_disco_question q = GX_DISCO_QUESTION_INIT;
	q.address = g->look.address;
	q.legacy_dn = g->look.legacy_dn;
	q.eas = g->look.what == GX_DISCO_LOOK_EAS;
	const char *text = g->look.what == GX_DISCO_LOOK_AUTOCONFIG ? NULL : gx_disco_ask(&q, a);
	if (text != NULL)
		fputs(text, stderr);
}

static void add(struct field *f, size_t *io_n, const char *name, const char *text)
{
	if (text != NULL)
		f[(*io_n)++] = (struct field){.name = name, .text = text};
}

static const char *server(struct gx_arena *a, const char *host, unsigned port)
{
	return host == NULL ? NULL : gx_arena_printf(a, "%s:%u", host, port);
}

static void show(const struct args *g, const struct gx_disco_found *f, struct gx_arena *a)
{
	struct report out = {.json = g->json};
	struct field v[16] = {{0}};
	const struct gx_disco_answer *w = &f->answer;
	size_t n = 0;
	if (g->xml) {
		fwrite(f->body.data, 1, f->body.len, stdout);
		return;
	}
	add(v, &n, "asked", f->url);
	add(v, &n, "name", w->name);
	add(v, &n, "address", w->address);
	add(v, &n, "legacy_dn", w->legacy_dn);
	add(v, &n, "mailbox_url", w->mailstore_url);
	add(v, &n, "address_book_url", w->addressbook_url);
	add(v, &n, "ews_url", w->ews_url);
	add(v, &n, "oab_url", w->oab_url);
	add(v, &n, "eas_url", w->eas_url);
	add(v, &n, "imap", server(a, w->imap_host, w->imap_port));
	add(v, &n, "smtp", server(a, w->smtp_host, w->smtp_port));
	add(v, &n, "redirect_address", w->redirect_address);
	add(v, &n, "redirect_url", w->redirect_url);
	report_record(&out, v, 2);
}

static int run(struct args *g, struct gx_arena *a)
{
	struct gx_disco_found f;
	const char *why = NULL;
	if (!read_password(g, a))
		return EXIT_FAILED;
	if (g->verbose) {
		g->look.note = print_note;
		show_question(g, a);
	}
	int err = gx_disco_look_up(&g->look, a, &f, &why);
	if (err != 0) {
		fprintf(stderr, PROGRAM ": %s\n", why != NULL ? why : gx_strerror(err));
		return err == GX_E_INVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	if (f.answer.error_code == 0 || g->xml)
		show(g, &f, a);
	if (f.answer.error_code != 0)
		fprintf(stderr, PROGRAM ": %s: error %u: %s\n", f.url, f.answer.error_code, f.answer.error != NULL ? f.answer.error : "");
	return f.answer.error_code != 0 ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct args g = {.look = GX_DISCO_LOOK_INIT};
	output_must_arrive(EXIT_FAILED);
	int code = parse(&g, argc, argv);
	if (code >= 0)
		return code;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL) {
		fprintf(stderr, PROGRAM ": %s\n", gx_strerror(GX_E_NOMEM));
		return EXIT_FAILED;
	}
	code = run(&g, a);
	gx_arena_free(a);
	return code;
}
