/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-useradm: domains, users, aliases and lists. */
#include <config.h>
#include <getopt.h>
#include <gx/charset.h>
#include "tools/password.h"
#include "tools/report.h"
#include "tools/site.h"

static const char usage[] =
	"usage: gromox-useradm [-c FILE] [--json] COMMAND ...\n"
	"  domain add NAME [--max-users N] [--homedir DIR]\n"
	"  domain list | domain show NAME | domain delete NAME | domain homeserver NAME HOST|local\n"
	"  user add ADDRESS [--display-name TEXT] [--lang LANG] [--timezone ZONE] [--maildir DIR]\n"
	"                   [--no-create] [--no-password] [--shared]\n"
	"  user list [DOMAIN] | user show ADDRESS | user passwd ADDRESS | user delete ADDRESS\n"
	"  user homeserver ADDRESS HOST|local | user add-store ADDRESS OTHER | user delete-store ADDRESS OTHER\n"
	"  alias add ALIAS ADDRESS | alias list [ADDRESS] | alias show ALIAS | alias delete ALIAS\n"
	"  group add ADDRESS [--display-name TEXT] [--whole-domain] [--post all|members|domain|listed|users]\n"
	"  group show ADDRESS | group delete ADDRESS\n"
	"  group add-member GROUP ADDRESS | group delete-member GROUP ADDRESS | group add-sender GROUP ADDRESS\n"
	"  server add HOST [--extname NAME] | server list | server delete HOST\n"
	"Passwords come from the environment variable GX_PASSWORD or from stdin.\n"
	"  -c FILE        configuration file [" GX_CONFDIR "/gromox.cfg and mysql_adaptor.cfg]\n"
	"  --json         answers as JSON\n"
	"  -?, --help     this text\n"
	"  --version      version of the program\n";

struct request {
	struct site site;
	struct report out;
	const char *display_name, *lang, *timezone, *maildir, *homedir, *post, *extname;
	unsigned max_users;
	bool no_create, no_password, shared, whole_domain;
	unsigned given;          /* options seen, OPT_BIT() */
	char **arg;
	int argc;
};

enum { OPT_JSON = 256, OPT_HELP, OPT_VERSION, OPT_FIRST,
	OPT_DISPLAY_NAME = OPT_FIRST, OPT_LANG, OPT_TIMEZONE, OPT_MAILDIR, OPT_NO_CREATE, OPT_NO_PASSWORD, OPT_SHARED,
	OPT_MAX_USERS, OPT_HOMEDIR, OPT_WHOLE_DOMAIN, OPT_POST, OPT_EXTNAME };
#define OPT_BIT(o) (1U << ((o) - OPT_FIRST))
static const struct option longopts[] = {
	{"json", no_argument, NULL, OPT_JSON}, {"help", no_argument, NULL, OPT_HELP}, {"version", no_argument, NULL, OPT_VERSION},
	{"display-name", required_argument, NULL, OPT_DISPLAY_NAME}, {"lang", required_argument, NULL, OPT_LANG},
	{"timezone", required_argument, NULL, OPT_TIMEZONE}, {"maildir", required_argument, NULL, OPT_MAILDIR},
	{"no-create", no_argument, NULL, OPT_NO_CREATE}, {"no-password", no_argument, NULL, OPT_NO_PASSWORD},
	{"shared", no_argument, NULL, OPT_SHARED}, {"max-users", required_argument, NULL, OPT_MAX_USERS},
	{"homedir", required_argument, NULL, OPT_HOMEDIR}, {"whole-domain", no_argument, NULL, OPT_WHOLE_DOMAIN},
	{"post", required_argument, NULL, OPT_POST}, {"extname", required_argument, NULL, OPT_EXTNAME},
	{0}
};

/* Says what went wrong with @p name; @return exit code. */
static int answer(int err, const char *name)
{
	switch (err) {
	case 0:
		return EXIT_OK;
	case GX_E_NOTFOUND:
		complain("%s: not found in the directory", name);
		break;
	case GX_E_EXISTS:
		complain("%s: exists already", name);
		break;
	case GX_E_INVAL:
		complain("%s: not a usable name", name);
		break;
	default:
		complain("%s: %s", name, gx_strerror(err));
	}
	return EXIT_FAILED;
}

/* ---- Servers ---- */

static int server_add(struct request *r)
{
	int err = gx_dir_add_server(r->site.dir, r->arg[0], r->extname, NULL);
	if (err != GX_E_LIMIT)
		return answer(err, r->arg[0]);
	complain("%s: there are as many servers as there can be", r->arg[0]);
	return EXIT_FAILED;
}

static int server_list(struct request *r)
{
	struct gx_server *v;
	size_t n;
	int err = gx_dir_list_servers(r->site.dir, r->site.arena, &v, &n);
	r->out.many = true;
	for (size_t i = 0; err == 0 && i < n; ++i) {
		const struct field f[] = {{"server", v[i].hostname}, {"extname", v[i].extname}, {"id", NULL, v[i].id}, {0}};
		report_record(&r->out, f, 2);
	}
	report_end(&r->out);
	return answer(err, "servers");
}

static int server_delete(struct request *r)
{
	int err = gx_dir_del_server(r->site.dir, r->arg[0]);
	if (err != GX_E_STATE)
		return answer(err, r->arg[0]);
	complain("%s: there are users or domains on it; give them another homeserver first", r->arg[0]);
	return EXIT_FAILED;
}

/* The number of a server by name; 0 for "local". */
static int find_server(struct request *r, const char *host, uint32_t *ret_id)
{
	struct gx_server *v;
	size_t n;
	*ret_id = 0;
	if (strcmp(host, "local") == 0)
		return EXIT_OK;
	int err = gx_dir_list_servers(r->site.dir, r->site.arena, &v, &n);
	for (size_t i = 0; err == 0 && i < n; ++i)
		if (gx_ascii_casecmp(v[i].hostname, host) == 0)
			*ret_id = v[i].id;
	if (err == 0 && *ret_id == 0) {
		complain("%s: there is no such server; \"gromox-useradm server add %s\" adds it", host, host);
		return EXIT_FAILED;
	}
	return answer(err, host);
}

/* Where the store of a homeserver is, for people; NULL for here. */
static const char *elsewhere(struct request *r, uint32_t homeserver)
{
	const char *host = "local";
	if (gx_dir_server_of(r->site.dir, homeserver, r->site.arena, &host) != 0)
		return "an unknown server";
	return strcmp(host, "local") == 0 ? NULL : host;
}

/* ---- Domains ---- */

static int domain_add(struct request *r)
{
	const char *dir = r->homedir != NULL ? r->homedir : site_domain_path(&r->site, r->arg[0]);
	if (dir == NULL)
		return answer(GX_E_NOMEM, r->arg[0]);
	return answer(gx_dir_add_domain(r->site.dir, r->arg[0], dir, r->max_users, NULL), r->arg[0]);
}

static void report_domain(struct request *r, const struct gx_domain *d)
{
	const struct field f[] = {{"domain", d->name}, {"id", NULL, d->id}, {"status", NULL, d->status},
		{"max_users", NULL, d->max_user}, {"homedir", d->homedir}, {"title", d->title}, {0}};
	report_record(&r->out, f, 1);
}

static int domain_list(struct request *r)
{
	struct gx_domain *v;
	size_t n;
	int err = gx_dir_list_domains(r->site.dir, r->site.arena, &v, &n);
	r->out.many = true;
	for (size_t i = 0; err == 0 && i < n; ++i)
		report_domain(r, &v[i]);
	report_end(&r->out);
	return answer(err, "domains");
}

static int domain_show(struct request *r)
{
	struct gx_domain d;
	int err = gx_dir_domain(r->site.dir, r->arg[0], r->site.arena, &d);
	if (err == 0)
		report_domain(r, &d);
	return answer(err, r->arg[0]);
}

static int domain_delete(struct request *r)
{
	int err = gx_dir_del_domain(r->site.dir, r->arg[0]);
	if (err != GX_E_STATE)
		return answer(err, r->arg[0]);
	complain("%s: there are users in it; delete them first", r->arg[0]);
	return EXIT_FAILED;
}

static int domain_homeserver(struct request *r)
{
	uint32_t id;
	int rc = find_server(r, r->arg[1], &id);
	return rc != EXIT_OK ? rc : answer(gx_dir_set_domain_homeserver(r->site.dir, r->arg[0], id), r->arg[0]);
}

/* ---- Users ---- */

static int user_store(struct request *r, const struct gx_user_new *u, uint32_t id)
{
	struct gx_user made;
	int err = gx_dir_user(r->site.dir, u->username, r->site.arena, &made);
	const char *host = err != 0 ? NULL : elsewhere(r, made.homeserver);
	if (err != 0)
		return answer(err, u->username);
	if (host != NULL) {
		fprintf(stderr, "%s is in the directory; make the store on %s with \"gromox-mkprivate %s\"\n", u->username, host, u->username);
		return EXIT_OK;
	}
	int rc = site_become_owner(&r->site);
	if (rc == EXIT_OK)
		rc = site_make_store(&r->site,
			&(struct new_store){.path = u->maildir, .owner = u->username, .lang = u->lang, .id = id});
	if (rc != EXIT_OK)
		complain("%s is in the directory; make the store with \"gromox-mkprivate %s\"", u->username, u->username);
	return rc;
}

static int user_add(struct request *r)
{
	struct gx_user_new u = GX_USER_NEW_INIT;
	uint32_t id = 0;
	u.username = r->arg[0];
	u.display_name = r->display_name;
	u.lang = r->lang;
	u.timezone = r->timezone;
	u.status = r->shared ? GX_USER_SHARED : GX_USER_NORMAL;
	u.maildir = r->maildir != NULL ? r->maildir : site_user_path(&r->site, r->arg[0]);
	if (u.maildir == NULL)
		return answer(GX_E_NOMEM, r->arg[0]);
	if (!r->no_password && !r->shared && (u.password = password_read(r->site.arena)) == NULL)
		return EXIT_FAILED;
	int err = gx_dir_add_user(r->site.dir, &u, &id);
	if (err == GX_E_NOTFOUND) {
		const char *at = strrchr(u.username, '@');
		complain("%s: there is no such domain; \"gromox-useradm domain add %s\" makes it", u.username, at == NULL ? "" : at + 1);
		return EXIT_FAILED;
	}
	if (err == GX_E_LIMIT) {
		complain("%s: the domain has as many users as it may have (max_users)", u.username);
		return EXIT_FAILED;
	}
	if (err != 0)
		return answer(err, u.username);
	return r->no_create ? EXIT_OK : user_store(r, &u, id);
}

static void report_user(struct request *r, const struct gx_user *u)
{
	static const char *const none[] = {NULL};
	struct gx_alias *v = NULL;
	size_t n = 0;
	const char **names = NULL;
	const char *const *stores = none;
	if (!r->out.many && gx_dir_second_stores(r->site.dir, u->username, r->site.arena, &stores) != 0)
		stores = none;
	if (!r->out.many && gx_dir_list_aliases(r->site.dir, u->username, r->site.arena, &v, &n) == 0)
		names = gx_arena_new_array(r->site.arena, const char *, n + 1);
	for (size_t i = 0; names != NULL && i < n; ++i)
		names[i] = v[i].alias;
	const struct field f[] = {{"user", u->username}, {"display_name", u->display_name}, {"id", NULL, u->id},
		{"status", NULL, u->status}, {"privileges", NULL, u->privileges}, {"display_type", NULL, u->display_type},
		{"maildir", u->maildir}, {"lang", u->lang}, {"timezone", u->timezone}, {"homeserver", NULL, u->homeserver},
		{"quota_receive", NULL, u->quota_receive}, {"quota_send", NULL, u->quota_send}, {"quota_warn", NULL, u->quota_warn},
		{r->out.many ? NULL : "aliases", NULL, 0, names == NULL ? none : names},
		{r->out.many ? NULL : "stores", NULL, 0, stores}, {0}};
	report_record(&r->out, f, 2);
}

static int user_list(struct request *r)
{
	struct gx_domain d;
	struct gx_user *v = NULL;
	size_t n = 0;
	int err = r->argc == 0 ? 0 : gx_dir_domain(r->site.dir, r->arg[0], r->site.arena, &d);
	if (err == 0)
		err = gx_dir_list_users(r->site.dir, r->argc == 0 ? NULL : d.name, r->site.arena, &v, &n);
	if (err != 0)
		return answer(err, r->argc == 0 ? "users" : r->arg[0]);
	r->out.many = true;
	for (size_t i = 0; i < n; ++i)
		report_user(r, &v[i]);
	report_end(&r->out);
	return EXIT_OK;
}

static int user_show(struct request *r)
{
	struct gx_user u;
	int err = gx_dir_user(r->site.dir, r->arg[0], r->site.arena, &u);
	if (err == 0)
		report_user(r, &u);
	return answer(err, r->arg[0]);
}

static int user_passwd(struct request *r)
{
	struct gx_user u;
	int err = gx_dir_user(r->site.dir, r->arg[0], r->site.arena, &u);
	if (err != 0)
		return answer(err, r->arg[0]);
	const char *pw = password_read(r->site.arena);
	return pw == NULL ? EXIT_FAILED : answer(gx_dir_set_password(r->site.dir, u.username, pw), u.username);
}

static int user_add_store(struct request *r)
{
	return answer(gx_dir_add_second_store(r->site.dir, r->arg[0], r->arg[1]), r->arg[1]);
}

static int user_delete_store(struct request *r)
{
	return answer(gx_dir_del_second_store(r->site.dir, r->arg[0], r->arg[1]), r->arg[1]);
}

static int user_delete(struct request *r)
{
	struct gx_user u;
	int err = gx_dir_user(r->site.dir, r->arg[0], r->site.arena, &u);
	if (err == 0)
		err = gx_dir_del_user(r->site.dir, r->arg[0]);
	if (err == 0 && u.maildir[0] != '\0')
		fprintf(stderr, "%s: the store stays in %s\n", u.username, u.maildir);
	return answer(err, r->arg[0]);
}

static int user_homeserver(struct request *r)
{
	struct gx_user u;
	uint32_t id;
	int rc = find_server(r, r->arg[1], &id);
	if (rc != EXIT_OK)
		return rc;
	int err = gx_dir_user(r->site.dir, r->arg[0], r->site.arena, &u);
	return answer(err != 0 ? err : gx_dir_set_homeserver(r->site.dir, u.username, id), r->arg[0]);
}

/* ---- Aliases ---- */

static int alias_add(struct request *r)
{
	int err = gx_dir_add_alias(r->site.dir, r->arg[0], r->arg[1]);
	return answer(err, err == GX_E_NOTFOUND ? r->arg[1] : r->arg[0]);
}

static void report_alias(struct request *r, const char *alias, const char *user)
{
	const struct field f[] = {{"alias", alias}, {"user", user}, {0}};
	report_record(&r->out, f, 2);
}

static int alias_list(struct request *r)
{
	struct gx_user u;
	struct gx_alias *v = NULL;
	size_t n = 0;
	int err = r->argc == 0 ? 0 : gx_dir_user(r->site.dir, r->arg[0], r->site.arena, &u);
	if (err == 0)
		err = gx_dir_list_aliases(r->site.dir, r->argc == 0 ? NULL : u.username, r->site.arena, &v, &n);
	if (err != 0)
		return answer(err, r->argc == 0 ? "aliases" : r->arg[0]);
	r->out.many = true;
	for (size_t i = 0; i < n; ++i)
		report_alias(r, v[i].alias, v[i].username);
	report_end(&r->out);
	return EXIT_OK;
}

static int alias_show(struct request *r)
{
	struct gx_user u;
	int err = gx_dir_user(r->site.dir, r->arg[0], r->site.arena, &u);
	if (err == 0 && gx_ascii_casecmp(u.username, r->arg[0]) == 0)
		err = GX_E_NOTFOUND;
	if (err == 0)
		report_alias(r, r->arg[0], u.username);
	return answer(err, r->arg[0]);
}

static int alias_delete(struct request *r)
{
	return answer(gx_dir_del_alias(r->site.dir, r->arg[0]), r->arg[0]);
}

/* ---- Distribution lists ---- */

static int group_add(struct request *r)
{
	static const char *const names[] = {"all", "members", "domain", "listed", "users"};
	uint32_t privilege = GX_LISTPRIV_ALL;
	if (r->post != NULL) {
		while (privilege <= GX_LISTPRIV_OUTGOING && strcmp(r->post, names[privilege]) != 0)
			++privilege;
		if (privilege > GX_LISTPRIV_OUTGOING) {
			complain("--post %s: expected all, members, domain, listed or users", r->post);
			return EXIT_USAGE;
		}
	}
	int err = gx_dir_add_list(r->site.dir, r->arg[0], r->whole_domain ? GX_LIST_DOMAIN : GX_LIST_NORMAL, privilege, r->display_name);
	if (err == GX_E_NOTFOUND) {
		complain("%s: there is no such domain", r->arg[0]);
		return EXIT_FAILED;
	}
	return answer(err, r->arg[0]);
}

static int group_show(struct request *r)
{
	const char *const *v = NULL;
	size_t n;
	int err = gx_dir_list_members(r->site.dir, r->arg[0], r->site.arena, &v, &n);
	if (err == 0) {
		const struct field f[] = {{"group", r->arg[0]}, {"members", NULL, 0, v}, {0}};
		report_record(&r->out, f, 2);
	}
	return answer(err, r->arg[0]);
}

static int group_delete(struct request *r)
{
	const char *const *v;
	size_t n;
	int err = gx_dir_list_members(r->site.dir, r->arg[0], r->site.arena, &v, &n);
	return answer(err != 0 ? err : gx_dir_del_user(r->site.dir, r->arg[0]), r->arg[0]);
}

static int group_add_member(struct request *r)
{
	int err = gx_dir_add_member(r->site.dir, r->arg[0], r->arg[1]);
	return answer(err, err == GX_E_NOTFOUND ? r->arg[0] : r->arg[1]);
}

static int group_delete_member(struct request *r)
{
	return answer(gx_dir_del_member(r->site.dir, r->arg[0], r->arg[1]), r->arg[1]);
}

static int group_add_sender(struct request *r)
{
	int err = gx_dir_add_sender(r->site.dir, r->arg[0], r->arg[1]);
	return answer(err, err == GX_E_NOTFOUND ? r->arg[0] : r->arg[1]);
}

#define USER_OPTS (OPT_BIT(OPT_DISPLAY_NAME) | OPT_BIT(OPT_LANG) | OPT_BIT(OPT_TIMEZONE) | OPT_BIT(OPT_MAILDIR) | \
	OPT_BIT(OPT_NO_CREATE) | OPT_BIT(OPT_NO_PASSWORD) | OPT_BIT(OPT_SHARED))
#define GROUP_OPTS (OPT_BIT(OPT_DISPLAY_NAME) | OPT_BIT(OPT_WHOLE_DOMAIN) | OPT_BIT(OPT_POST))
static const struct {
	const char *object, *verb;
	int min, max;          /* arguments */
	unsigned options;
	int (*run)(struct request *r);
} commands[] = {
	{"domain", "add", 1, 1, OPT_BIT(OPT_MAX_USERS) | OPT_BIT(OPT_HOMEDIR), domain_add},
	{"domain", "list", 0, 0, 0, domain_list},
	{"domain", "show", 1, 1, 0, domain_show},
	{"domain", "delete", 1, 1, 0, domain_delete},
	{"domain", "homeserver", 2, 2, 0, domain_homeserver},
	{"user", "add", 1, 1, USER_OPTS, user_add},
	{"user", "list", 0, 1, 0, user_list},
	{"user", "show", 1, 1, 0, user_show},
	{"user", "passwd", 1, 1, 0, user_passwd},
	{"user", "delete", 1, 1, 0, user_delete},
	{"user", "homeserver", 2, 2, 0, user_homeserver},
	{"user", "add-store", 2, 2, 0, user_add_store},
	{"user", "delete-store", 2, 2, 0, user_delete_store},
	{"alias", "add", 2, 2, 0, alias_add},
	{"alias", "list", 0, 1, 0, alias_list},
	{"alias", "show", 1, 1, 0, alias_show},
	{"alias", "delete", 1, 1, 0, alias_delete},
	{"group", "add", 1, 1, GROUP_OPTS, group_add},
	{"group", "show", 1, 1, 0, group_show},
	{"group", "delete", 1, 1, 0, group_delete},
	{"group", "add-member", 2, 2, 0, group_add_member},
	{"group", "delete-member", 2, 2, 0, group_delete_member},
	{"group", "add-sender", 2, 2, 0, group_add_sender},
	{"server", "add", 1, 1, OPT_BIT(OPT_EXTNAME), server_add},
	{"server", "list", 0, 0, 0, server_list},
	{"server", "delete", 1, 1, 0, server_delete},
};

static bool parse_number(const char *s, unsigned *ret_n)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end != '\0' || n > 1000000000UL)
		return false;
	*ret_n = (unsigned)n;
	return true;
}

static bool take_option(struct request *r, int c)
{
	r->given |= OPT_BIT(c);
	switch (c) {
	case OPT_DISPLAY_NAME: r->display_name = optarg; return true;
	case OPT_LANG: r->lang = optarg; return true;
	case OPT_TIMEZONE: r->timezone = optarg; return true;
	case OPT_MAILDIR: r->maildir = optarg; return true;
	case OPT_NO_CREATE: r->no_create = true; return true;
	case OPT_NO_PASSWORD: r->no_password = true; return true;
	case OPT_SHARED: r->shared = true; return true;
	case OPT_HOMEDIR: r->homedir = optarg; return true;
	case OPT_WHOLE_DOMAIN: r->whole_domain = true; return true;
	case OPT_POST: r->post = optarg; return true;
	case OPT_EXTNAME: r->extname = optarg; return true;
	default:
		if (parse_number(optarg, &r->max_users))
			return true;
		complain("--max-users %s: expected a number", optarg);
		return false;
	}
}

static int run(struct request *r, const char *config)
{
	size_t i = 0;
	const size_t n = sizeof(commands) / sizeof(*commands);
	while (i < n && (r->argc < 2 || strcmp(r->arg[0], commands[i].object) != 0 || strcmp(r->arg[1], commands[i].verb) != 0))
		++i;
	if (i == n || r->argc - 2 < commands[i].min || r->argc - 2 > commands[i].max || (r->given & ~commands[i].options) != 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	r->arg += 2;
	r->argc -= 2;
	int rc = site_open(&r->site, config);
	if (rc != EXIT_OK)
		return rc;
	rc = site_directory(&r->site);
	if (rc == EXIT_OK)
		rc = commands[i].run(r);
	site_close(&r->site);
	return rc;
}

int main(int argc, char **argv)
{
	struct request r = {.out = {.json = false}};
	const char *config = NULL;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "c:?", longopts, NULL)) != -1;) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case OPT_JSON:
			r.out.json = true;
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_OK;
		case OPT_VERSION:
			print_version("gromox-useradm");
			return EXIT_OK;
		case '?':
			return usage_exit(usage, argv, optind);
		default:
			if (!take_option(&r, c))
				return EXIT_USAGE;
		}
	}
	r.arg = argv + optind;
	r.argc = argc - optind;
	return run(&r, config);
}
