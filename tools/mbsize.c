/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mbsize: how a mailbox's size becomes space on disk. */
#include <config.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <gx/storesize.h>
#include "tools/boxes.h"
#include "tools/progress.h"
#include "tools/report.h"

#define PROGRAM "gromox-mbsize"

static const char usage[] =
	"usage: " PROGRAM " [-hv] [--json] [-c FILE] [-u ADDRESS] [--all] [DIRECTORY ...]\n"
	"  -h             sizes with units\n"
	"  -v             tables and indexes of the database, too\n"
	"  -u ADDRESS     the mailbox of a user, or the public store of a domain (@DOMAIN)\n"
	"  --all          every mailbox that the directory has\n"
	"  --json         report as JSON\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

enum { OPT_ALL = 256, OPT_JSON, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"all", no_argument, NULL, OPT_ALL},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct job {
	struct site site;
	struct boxes boxes;
	bool human, tables, json;
	unsigned n;
};

/* ---- For people ---- */

static const char *amount(const struct job *j, uint64_t v, char buf[32])
{
	static const char *const unit[] = {"", " KiB", " MiB", " GiB", " TiB"};
	double d = (double)v;
	unsigned u = 0;
	while (j->human && d >= 1024 && u < 4) {
		d /= 1024;
		u++;
	}
	if (u == 0)
		snprintf(buf, 32, "%" PRIu64, v);
	else
		snprintf(buf, 32, "%.1f%s", d, unit[u]);
	return buf;
}

static void line(const struct job *j, const char *name, const struct gx_size *z, bool disk)
{
	char b[32], d[32];
	printf("  %-36s %12" PRIu64 " %16s %16s\n", name, z->count, amount(j, z->bytes, b), disk ? amount(j, z->disk, d) : "");
}

static void ratio(const char *name, uint64_t from, uint64_t to)
{
	if (from > 0 && to > 0)
		printf("  %-36s %12.2f : 1 %11.1f %% saved\n", name, (double)from / (double)to,
			100.0 - 100.0 * (double)to / (double)from);
}

static void values(const struct job *j, const char *name, const struct gx_size_values *v)
{
	printf("%s\n", name);
	line(j, "informational content", &v->logical, false);
	line(j, "after deduplication", &v->unique, false);
	ratio("dedup ratio, gains", v->logical.bytes, v->unique.bytes);
	line(j, "of it in original messages", &v->sliced, false);
	line(j, "of it in content objects", &v->kept, false);
	line(j, "of it in rows", &v->inrow, false);
}

struct totals {
	uint64_t reported, bytes, disk;
};

static struct totals sum_up(const struct gx_store_sizes *z)
{
	return (struct totals){.reported = z->normal.bytes + z->fai.bytes,
		.bytes = z->database.bytes + z->index.bytes + z->files.bytes,
		.disk = z->database.disk + z->index.disk + z->files.disk};
}

static void show(const struct job *j, const struct box *b, const struct gx_store_sizes *z)
{
	struct totals t = sum_up(z);
	struct gx_size all = {.count = z->database.count + z->index.count + z->files.count, .bytes = t.bytes, .disk = t.disk};
	printf("%s%s\n", j->n > 1 ? "\n" : "", b->name);
	printf("%-38s %12s %16s %16s\n", "Messages", "Count", "Apparent", "On FS");
	line(j, "normal", &z->normal, false);
	line(j, "associated", &z->fai, false);
	line(j, "deleted softly", &z->softdel, false);
	printf("Original messages\n");
	line(j, "informational content", &z->originals, false);
	line(j, "of it as packed text in rows", &z->literals, false);
	values(j, "Body analysis", &z->bodies);
	values(j, "Attachment analysis", &z->attachments);
	printf("Content objects\n");
	line(j, "informational content", &z->references, false);
	line(j, "after deduplication", &z->contents, false);
	ratio("dedup ratio, gains", z->references.bytes, z->contents.bytes);
	line(j, "after compression", &z->packed, true);
	ratio("compress ratio, gains", z->contents.bytes, z->packed.bytes);
	ratio("both", z->references.bytes, z->packed.bytes);
	line(j, "of it in files", &z->files, true);
	line(j, "missing, as referred to", &z->missing_refs, false);
	line(j, "missing, each once", &z->missing, false);
	printf("Files\n");
	line(j, "database", &z->database, true);
	line(j, "unused pages in it", &z->free_pages, true);
	line(j, "full-text index", &z->index, true);
	line(j, "content files", &z->files, true);
	line(j, "all of these", &all, true);
	line(j, "others, not counted", &z->other, true);
	printf("MAPI reported size\n");
	char text[32];
	printf("  %-36s %29s\n", "PidTagMessageSize of the store", amount(j, t.reported, text));
	if (t.reported > 0) {
		printf("  %-36s %27.1f %%\n", "NTS deviation", 100.0 * ((double)t.disk - (double)t.reported) / (double)t.reported);
		printf("  %-36s %29.3f\n", "provisioning factor", (double)t.disk / (double)t.reported);
	}
	for (size_t i = 0; j->tables && i < z->ntables; ++i) {
		const struct gx_size_table *x = &z->tables[i];
		if (i == 0)
			printf("%-38s %29s %16s\n", "Tables and indexes", "Used", "Pages");
		char used[32];
		printf("  %-36s %29s %16s\n", x->name, amount(j, x->used, used), amount(j, x->bytes, text));
	}
}

/* ---- For programs ---- */

static void json_size(const char *name, const struct gx_size *z, const char *behind)
{
	printf("\"%s\": {\"count\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"disk\": %" PRIu64 "}%s", name, z->count,
		z->bytes, z->disk, behind);
}

static void json_values(const char *name, const struct gx_size_values *v)
{
	printf("\"%s\": {", name);
	json_size("logical", &v->logical, ", ");
	json_size("unique", &v->unique, ", ");
	json_size("sliced", &v->sliced, ", ");
	json_size("contents", &v->kept, ", ");
	json_size("rows", &v->inrow, "}, ");
}

static void show_json(const struct job *j, const struct box *b, const struct gx_store_sizes *z)
{
	struct totals t = sum_up(z);
	fputs(j->n == 1 ? "[\n  {\"name\": " : ",\n  {\"name\": ", stdout);
	report_json_text(b->name);
	fputs(", \"directory\": ", stdout);
	report_json_text(b->dir);
	fputs(", ", stdout);
	json_size("normal", &z->normal, ", ");
	json_size("associated", &z->fai, ", ");
	json_size("softdeleted", &z->softdel, ", ");
	json_size("originals", &z->originals, ", ");
	json_size("literals", &z->literals, ", ");
	json_values("bodies", &z->bodies);
	json_values("attachments", &z->attachments);
	json_size("references", &z->references, ", ");
	json_size("contents", &z->contents, ", ");
	json_size("packed", &z->packed, ", ");
	json_size("files", &z->files, ", ");
	json_size("missing_references", &z->missing_refs, ", ");
	json_size("missing", &z->missing, ", ");
	json_size("database", &z->database, ", ");
	json_size("free_pages", &z->free_pages, ", ");
	json_size("index", &z->index, ", ");
	json_size("other", &z->other, ", ");
	printf("\"reported\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"disk\": %" PRIu64 ", \"tables\": [", t.reported,
		t.bytes, t.disk);
	for (size_t i = 0; i < z->ntables; ++i) {
		fputs(i == 0 ? "{\"name\": " : ", {\"name\": ", stdout);
		report_json_text(z->tables[i].name);
		printf(", \"bytes\": %" PRIu64 ", \"used\": %" PRIu64 "}", z->tables[i].bytes, z->tables[i].used);
	}
	fputs("]}", stdout);
}

/* ---- One after the other ---- */

static int measure(struct job *j, const struct box *b, struct gx_arena *a)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	struct gx_store_sizes z;
	struct gx_store *s;
	const char *why = "";
	o.log = &j->site.log;
	o.observe = true;
	progress_show("%s: measuring", b->name);
	int err = gx_store_open(b->dir, &o, &s, a, &why);
	if (err == 0) {
		err = gx_store_measure(s, a, &z);
		gx_store_close(s);
	}
	progress_clear();
	if (err != 0) {
		complain("%s", *why != '\0' ? why : gx_arena_printf(a, "%s: %s", b->name, gx_strerror(err)));
		return EXIT_FAILED;
	}
	j->n++;
	if (j->json)
		show_json(j, b, &z);
	else
		show(j, b, &z);
	return EXIT_OK;
}

static int run(struct job *j)
{
	int worst = EXIT_OK;
	for (size_t i = 0; i < j->boxes.n; ++i) {
		const struct box *b = &j->boxes.v[i];
		struct gx_arena *a = gx_arena_new(0);
		int rc = a == NULL || boxes_enter(b) != 0 ? EXIT_FAILED : measure(j, b, a);
		boxes_leave();
		gx_arena_free(a);
		worst = rc != EXIT_OK ? rc : worst;
	}
	if (j->json)
		fputs(j->n == 0 ? "[]\n" : "\n]\n", stdout);
	return worst;
}

static int with(struct boxes_wanted *x, int argc, char **argv)
{
	struct job j = {.n = 0};
	const char *config = NULL;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "c:hu:v?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': config = optarg; break;
		case 'h': j.human = true; break;
		case 'u': boxes_want(x, optarg); break;
		case 'v': j.tables = true; break;
		case OPT_ALL: x->all = true; break;
		case OPT_JSON: j.json = true; break;
		case OPT_HELP: fputs(usage, stdout); return EXIT_OK;
		case OPT_VERSION: print_version(PROGRAM); return EXIT_OK;
		default: return usage_exit(usage, argv, optind);
		}
	}
	x->paths = argv + optind;
	if (boxes_want_none(x)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	int rc = site_open(&j.site, config);
	if (rc != EXIT_OK)
		return rc;
	rc = boxes_add_wanted(&j.site, &j.boxes, x);
	if (rc == EXIT_OK)
		rc = run(&j);
	site_close(&j.site);
	return rc;
}

int main(int argc, char **argv)
{
	struct boxes_wanted x = {.all = false};
	int rc = with(&x, argc, argv);
	boxes_wanted_release(&x);
	return rc;
}
