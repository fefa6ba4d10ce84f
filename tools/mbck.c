/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mbck: checks stores and repairs them. */
#include <config.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/bodyconv.h>
#include <gx/delivery.h>
#include <gx/storecheck.h>
#include "tools/boxes.h"
#include "tools/progress.h"
#include "tools/report.h"

#define PROGRAM "gromox-mbck"

static const char usage[] =
	"usage: " PROGRAM " [-pqv] [--give-up] [--json] [--only CHECK,...] [-c FILE] [-u ADDRESS] [--all] [STORE ...]\n"
	"       " PROGRAM " --list [--json]\n"
	"STORE is the directory of a mailbox or the gx.sqlite3 in it.\n"
	"  -p             repair what is found\n"
	"  --give-up      with -p: repair messages that lost contents, too; what is left of them can be read then\n"
	"  -q, --quick    leave out what reads every byte\n"
	"  -v             say what is done, and how bad each finding is\n"
	"  -u ADDRESS     the mailbox of a user, or the public store of a domain (@DOMAIN)\n"
	"  --all          every mailbox that the directory has\n"
	"  --only CHECK   only these checks\n"
	"  --list         what is checked\n"
	"  --json         report as JSON\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n"
	"Exit: 0 clean, 1 all repaired, 2 findings left, 4 a store could not be checked, 16 wrong arguments\n";

enum { CLEAN = 0, REPAIRED = 1, LEFT = 2, TROUBLE = 4, USAGE = 16 };
enum { OPT_GIVE_UP = 256, OPT_ALL, OPT_ONLY, OPT_LIST, OPT_JSON, OPT_HELP, OPT_VERSION };
static const struct option longopts[] = {
	{"give-up", no_argument, NULL, OPT_GIVE_UP},
	{"quick", no_argument, NULL, 'q'},
	{"all", no_argument, NULL, OPT_ALL},
	{"only", required_argument, NULL, OPT_ONLY},
	{"list", no_argument, NULL, OPT_LIST},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0}
};

struct job {
	struct site site;
	struct boxes boxes;
	struct gx_store_check_opts check;
	bool verbose, json;
	/* Of the store that is looked at */
	const struct box *box;
	struct gx_arena *a;
	unsigned nfindings, nstores;
	bool salvaged;
};

static const char *severity_name(uint32_t s)
{
	static const char *const name[] = {"waste", "wrong", "broken", "lost"};
	return s < sizeof(name) / sizeof(name[0]) ? name[s] : "?";
}

static const char *state_name(uint32_t s)
{
	static const char *const name[] = {"open", "repaired", "left"};
	return s < sizeof(name) / sizeof(name[0]) ? name[s] : "?";
}

/* ---- Reports ---- */

static void json_pair(const char *name, const char *value, const char *behind)
{
	printf("\"%s\": ", name);
	report_json_text(value);
	fputs(behind, stdout);
}

static void json_finding(struct job *j, const struct gx_store_finding *f)
{
	fputs(j->nfindings == 0 ? "\n      {" : ",\n      {", stdout);
	json_pair("check", f->check, ", ");
	json_pair("kind", f->kind, ", ");
	printf("\"object\": %" PRIu64 ", ", f->object);
	json_pair("severity", severity_name(f->severity), ", ");
	json_pair("state", state_name(f->state), ", ");
	printf("\"repairable\": %s, ", f->repairable ? "true" : "false");
	json_pair("text", f->text, "}");
}

static void on_finding(const struct gx_store_finding *f, void *ctx)
{
	struct job *j = ctx;
	progress_clear();
	if (j->json)
		json_finding(j, f);
	else if (j->verbose)
		printf("%s: %s (%s): %s%s%s\n", j->box->name, f->check, severity_name(f->severity), f->text,
			f->state == GX_FINDING_OPEN ? "" : ": ", f->state == GX_FINDING_OPEN ? "" : state_name(f->state));
	else
		printf("%s: %s: %s%s\n", j->box->name, f->check, f->text, f->state == GX_FINDING_REPAIRED ? ": repaired" : "");
	j->nfindings++;
}

static void on_progress(const char *check, unsigned number, unsigned total, void *ctx)
{
	const struct job *j = ctx;
	progress_show("%s: %u of %u: %s", j->box->name, number + 1, total, check);
}

static void begin_store(struct job *j)
{
	j->nfindings = 0;
	j->salvaged = false;
	if (!j->json)
		return;
	fputs(j->nstores++ == 0 ? "\n    {" : ",\n    {", stdout);
	json_pair("store", j->box->dir, ", ");
	json_pair("name", j->box->name, ", \"findings\": [");
}

static void end_store(struct job *j, const struct gx_store_check_result *r, const char *error)
{
	progress_clear();
	if (j->json) {
		printf("%s], \"found\": %" PRIu64 ", \"repaired\": %" PRIu64 ", \"left\": %" PRIu64 ", \"salvaged\": %s, \"error\": ",
			j->nfindings == 0 ? "" : "\n    ", r->found, r->repaired, r->left, j->salvaged ? "true" : "false");
		if (error == NULL)
			fputs("null}", stdout);
		else {
			report_json_text(error);
			putchar('}');
		}
	} else if (error != NULL) {
		complain("%s", error);
	} else if (r->found > 0 || j->verbose) {
		printf("%s: %" PRIu64 " findings, %" PRIu64 " repaired, %" PRIu64 " left\n", j->box->name, r->found,
			r->repaired, r->left);
	}
}

/* ---- One store ---- */

static int open_store(struct job *j, bool observe, struct gx_store **ret_s, const char **ret_why)
{
	struct gx_store_opts o = GX_STORE_OPTS_INIT;
	o.log = &j->site.log;
	o.convert = gx_bodyconv;
	o.owner_program = PROGRAM;
	o.observe = observe;
	o.no_upgrade = !gx_conf_bool(j->site.conf, "exmdb_schema_upgrades");
	*ret_why = "";
	return gx_store_open(j->box->dir, &o, ret_s, j->a, ret_why);
}

/* A database that cannot be read is one finding; what it hides comes out when there is a new one. */
static void tell_database(struct job *j, const char *text, uint32_t state)
{
	struct gx_store_finding f = {.check = "database",
		.kind = "store",
		.text = text,
		.severity = GX_FINDING_BROKEN,
		.state = state,
		.repairable = true};
	on_finding(&f, j);
}

static void on_table(const char *name, uint64_t rows, uint64_t gaps, void *ctx)
{
	struct job *j = ctx;
	progress_show("%s: new database: %s", j->box->name, name);
	if (gaps > 0 && !j->json) {
		progress_clear();
		printf("%s: rows of the table \"%s\" could not be read; %" PRIu64 " could\n", j->box->name, name, rows);
	}
}

static int salvage(struct job *j, const char *damage, const char **ret_why)
{
	struct gx_store_salvage_opts o = GX_STORE_SALVAGE_OPTS_INIT;
	struct gx_store_salvage_result r;
	o.log = &j->site.log;
	o.owner = j->box->owner;
	o.owner_id = j->box->owner_id;
	o.table = on_table;
	o.ctx = j;
	int err = gx_store_salvage(j->box->dir, &o, &r, j->a, ret_why);
	if (err != 0)
		return err;
	j->salvaged = true;
	tell_database(j, damage, GX_FINDING_REPAIRED);
	if (!j->json)
		printf("%s: has a new database of %" PRIu64 " rows; the damaged one is %s\n", j->box->name, r.rows, r.kept);
	return 0;
}

struct damage {
	struct gx_arena *a;
	const char *text;
};

static void on_page_damage(const struct gx_store_finding *f, void *ctx)
{
	struct damage *d = ctx;
	if (d->text == NULL && strcmp(f->check, "database") == 0)
		d->text = gx_arena_strdup(d->a, f->text);
}

/* What the pages of the database say before anything is repaired in it; NULL: they are sound. */
static const char *page_damage(struct job *j, struct gx_store *s)
{
	static const char *const only[] = {"database", NULL};
	struct gx_store_check_opts o = GX_STORE_CHECK_OPTS_INIT;
	struct gx_store_check_result r;
	struct damage d = {.a = j->a};
	if (j->check.quick)
		return NULL;
	progress_show("%s: the pages of the database", j->box->name);
	o.only = only;
	o.found = on_page_damage;
	o.ctx = &d;
	return gx_store_check(s, &o, &r) == 0 ? d.text : NULL;
}

/* Opens it for repair; a damaged database is replaced first. */
static int open_for_repair(struct job *j, struct gx_store **ret_s, const char **ret_why)
{
	unsigned version;
	int err = gx_store_schema_version(j->box->dir, &version, NULL, j->a, ret_why);
	if (err != 0)
		return err;
	err = open_store(j, false, ret_s, ret_why);
	const char *damage = err == GX_E_FORMAT ? *ret_why : err == 0 ? page_damage(j, *ret_s) : NULL;
	if (damage == NULL)
		return err;
	if (err == 0)
		gx_store_close(*ret_s);
	err = salvage(j, damage, ret_why);
	return err != 0 ? err : open_store(j, false, ret_s, ret_why);
}

static int check_store(struct job *j, struct gx_store_check_result *ret_r, const char **ret_why)
{
	struct gx_store *s;
	int err = j->check.repair ? open_for_repair(j, &s, ret_why) : open_store(j, true, &s, ret_why);
	if (err != 0)
		return err;
	err = gx_store_check(s, &j->check, ret_r);
	if (err != 0)
		*ret_why = gx_strerror(err);
	gx_store_close(s);
	ret_r->found += j->salvaged;
	ret_r->repaired += j->salvaged;
	return err;
}

static int do_store(struct job *j)
{
	struct gx_store_check_result r = {0};
	const char *why = "";
	unsigned version;
	begin_store(j);
	int err = boxes_enter(j->box) != 0 ? GX_E_IO : check_store(j, &r, &why);
	boxes_leave();
	if (err == GX_E_FORMAT && !j->check.repair && gx_store_schema_version(j->box->dir, &version, NULL, j->a, NULL) == 0) {
		tell_database(j, why, GX_FINDING_OPEN);
		r.found = r.left = 1;
		err = 0;
	}
	if (err != 0 && strstr(why, j->box->dir) == NULL)
		why = gx_arena_printf(j->a, "%s: %s", j->box->name, *why != '\0' ? why : gx_strerror(err));
	end_store(j, &r, err != 0 ? why : NULL);
	return err != 0 ? TROUBLE : r.left > 0 ? LEFT : r.found > 0 ? REPAIRED : CLEAN;
}

/* ---- All of them ---- */

static int list_checks(bool json)
{
	struct report r = {.json = json, .many = true};
	for (size_t i = 0; gx_store_check_info(i) != NULL; ++i) {
		const struct gx_store_check_info *c = gx_store_check_info(i);
		const struct field f[] = {{.name = "check", .text = c->check}, {.name = "what", .text = c->what},
			{.name = "kind", .text = c->kind}, {.name = "severity", .text = severity_name(c->severity)},
			{.name = "repairable", .text = c->repairable ? "yes" : "no"}, {0}};
		report_record(&r, f, 2);
	}
	report_end(&r);
	return CLEAN;
}

static const char *const *split(struct gx_arena *a, const char *text)
{
	size_t n = 2;
	for (const char *p = text; *p != '\0'; ++p)
		n += *p == ',';
	const char **v = gx_arena_new_array(a, const char *, n);
	char *s = gx_arena_strdup(a, text);
	if (v == NULL || s == NULL)
		return NULL;
	for (n = 0; s != NULL;) {
		char *next = strchr(s, ',');
		if (next != NULL)
			*next++ = '\0';
		v[n++] = s;
		s = next;
	}
	return v;
}

static bool known(const char *const *v)
{
	for (; *v != NULL; ++v) {
		size_t i = 0;
		while (gx_store_check_info(i) != NULL && strcmp(gx_store_check_info(i)->check, *v) != 0)
			++i;
		if (gx_store_check_info(i) == NULL) {
			complain("there is no check \"%s\"; --list names them", *v);
			return false;
		}
	}
	return true;
}

static int run(struct job *j)
{
	int worst = CLEAN;
	if (j->json)
		fputs("{\n  \"stores\": [", stdout);
	for (size_t i = 0; i < j->boxes.n; ++i) {
		j->box = &j->boxes.v[i];
		j->a = gx_arena_new(0);
		int rc = j->a == NULL ? TROUBLE : do_store(j);
		gx_arena_free(j->a);
		worst = rc > worst ? rc : worst;
		fflush(stdout);
	}
	if (j->json)
		fputs(j->boxes.n == 0 ? "]\n}\n" : "\n  ]\n}\n", stdout);
	return worst;
}

struct args {
	const char *config, *only;
	struct boxes_wanted boxes;
};

static int collect(struct job *j, const struct args *x)
{
	if (x->only != NULL) {
		j->check.only = split(j->site.arena, x->only);
		if (j->check.only == NULL || !known(j->check.only))
			return USAGE;
	}
	return boxes_add_wanted(&j->site, &j->boxes, &x->boxes) == EXIT_OK ? CLEAN : TROUBLE;
}

static int bad_usage(void)
{
	fputs(usage, stderr);
	return USAGE;
}

static int with(struct args *x, int argc, char **argv)
{
	struct job j = {.check = GX_STORE_CHECK_OPTS_INIT};
	bool list = false;
	output_must_arrive(TROUBLE);
	for (int c; (c = getopt_long(argc, argv, "c:pqu:v?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c': x->config = optarg; break;
		case 'p': j.check.repair = true; break;
		case 'q': j.check.quick = true; break;
		case 'u': boxes_want(&x->boxes, optarg); break;
		case 'v': j.verbose = true; break;
		case OPT_GIVE_UP: j.check.give_up = true; break;
		case OPT_ALL: x->boxes.all = true; break;
		case OPT_ONLY: x->only = optarg; break;
		case OPT_LIST: list = true; break;
		case OPT_JSON: j.json = true; break;
		case OPT_HELP: fputs(usage, stdout); return CLEAN;
		case OPT_VERSION: print_version(PROGRAM); return CLEAN;
		default: return usage_exit(usage, argv, optind) == EXIT_OK ? CLEAN : USAGE;
		}
	}
	if (list)
		return optind == argc ? list_checks(j.json) : bad_usage();
	x->boxes.paths = argv + optind;
	if (boxes_want_none(&x->boxes) || (j.check.give_up && !j.check.repair))
		return bad_usage();
	if (site_open(&j.site, x->config) != EXIT_OK)
		return TROUBLE;
	j.check.found = on_finding;
	j.check.progress = on_progress;
	j.check.describe = gx_mail_describe;
	j.check.ctx = &j;
	int rc = collect(&j, x);
	if (rc == CLEAN)
		rc = run(&j);
	site_close(&j.site);
	return rc;
}

int main(int argc, char **argv)
{
	struct args x = {.config = NULL};
	int rc = with(&x, argc, argv);
	boxes_wanted_release(&x.boxes);
	return rc;
}
