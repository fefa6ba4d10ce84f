/* SPDX-License-Identifier: Apache-2.0 */
/* gromox-mapi: a mailbox as Outlook sees it, over MAPI/HTTP. */
#include <config.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "tools/mapi.h"
#include "tools/password.h"
#include "tools/progress.h"

#define PROGRAM "gromox-mapi"

static const char usage[] =
	"usage: " PROGRAM " [OPTION ...] ls [FOLDER]\n"
	"       " PROGRAM " [OPTION ...] cat FOLDER/0xID ...\n"
	"       " PROGRAM " [OPTION ...] put FOLDER FILE ...\n"
	"       " PROGRAM " [OPTION ...] sync DIRECTORY\n"
	"       " PROGRAM " [OPTION ...] watch [FOLDER]\n"
	"       " PROGRAM " [OPTION ...] mkdir FOLDER ...\n"
	"       " PROGRAM " [OPTION ...] rm [-r] [--hard] FOLDER/0xID|FOLDER ...\n"
	"       " PROGRAM " [OPTION ...] mv FOLDER/0xID|FOLDER ... FOLDER\n"
	"       " PROGRAM " [OPTION ...] cp [-r] [--to-mailbox DN] [--to-url URL] FOLDER/0xID|FOLDER ... FOLDER\n"
	"       " PROGRAM " [OPTION ...] rules FOLDER\n"
	"       " PROGRAM " [OPTION ...] permissions [--set USER=RIGHTS | --remove USER] FOLDER\n"
	"       " PROGRAM " [OPTION ...] rop --hex [HEX ...]\n"
	"       " PROGRAM " [OPTION ...] resolve NAME ...\n"
	"  -u ADDRESS           who logs in\n"
	"  --password-file FILE its first line is the password [$GX_PASSWORD, or it is asked for]\n"
	"  --url URL            https://HOST/mapi/emsmdb/?MailboxId=... [autodiscover knows]\n"
	"  --dn DN              the user's DN (LegacyDN) [autodiscover knows]\n"
	"  --mailbox DN         another user's mailbox\n"
	"  --public             the public folders\n"
	"  --cacert FILE        authorities to trust [the system's]\n"
	"  --trust-host HOST    the login may go there when the server sends us there; may be repeated\n"
	"  --insecure           any certificate will do\n"
	"  --timeout SECONDS    of each request; of watch, in all [60]\n"
	"  --folder FOLDER      sync: of which a directory becomes a copy [Inbox]\n"
	"  -r                   rm, cp: folders with all that is in them\n"
	"  --hard               rm: not to be restored\n"
	"  --to-mailbox DN      cp: into another user's mailbox\n"
	"  --to-url URL         cp: into the mailbox at another server\n"
	"  --set USER=RIGHTS    permissions: reviewer, author, editor, ... or read,create,edit-own, ...\n"
	"  --remove USER        permissions: what the default is for others, from now on\n"
	"  --read               put, sync: what is stored is read\n"
	"  --json               JSON for programs\n"
	"  -v                   requests, on stderr\n"
	"  -?, --help           this text\n"
	"  --version            version of the program\n";

enum {
	OPT_PASSWORD = 256, OPT_URL, OPT_DN, OPT_MAILBOX, OPT_PUBLIC, OPT_CACERT, OPT_INSECURE, OPT_TIMEOUT, OPT_FOLDER, OPT_READ, OPT_JSON, OPT_HEX,
	OPT_TRUST, OPT_HARD, OPT_TO_MAILBOX, OPT_TO_URL, OPT_SET, OPT_REMOVE,
	OPT_HELP, OPT_VERSION
};
static const struct option longopts[] = {
	{"password-file", required_argument, NULL, OPT_PASSWORD}, {"url", required_argument, NULL, OPT_URL},
	{"dn", required_argument, NULL, OPT_DN}, {"mailbox", required_argument, NULL, OPT_MAILBOX},
	{"public", no_argument, NULL, OPT_PUBLIC}, {"cacert", required_argument, NULL, OPT_CACERT},
	{"insecure", no_argument, NULL, OPT_INSECURE}, {"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"folder", required_argument, NULL, OPT_FOLDER}, {"read", no_argument, NULL, OPT_READ}, {"json", no_argument, NULL, OPT_JSON}, {"hex", no_argument, NULL, OPT_HEX},
	{"hard", no_argument, NULL, OPT_HARD}, {"to-mailbox", required_argument, NULL, OPT_TO_MAILBOX},
	{"to-url", required_argument, NULL, OPT_TO_URL}, {"set", required_argument, NULL, OPT_SET}, {"remove", required_argument, NULL, OPT_REMOVE},
	{"trust-host", required_argument, NULL, OPT_TRUST}, {"help", no_argument, NULL, OPT_HELP}, {"version", no_argument, NULL, OPT_VERSION}, {0}
};

static const struct command {
	const char *name;
	int (*run)(struct tool *t);
	int least, most;       /* arguments */
} commands[] = {
	{"ls", mapi_ls, 0, 1}, {"cat", mapi_cat, 1, INT32_MAX}, {"put", mapi_put, 2, INT32_MAX}, {"sync", mapi_sync, 1, 1}, {"watch", mapi_watch, 0, 1},
	{"resolve", mapi_resolve, 1, 1000}, {"rop", mapi_rop, 0, INT32_MAX}, {"rules", mapi_rules, 1, 1}, {"permissions", mapi_permissions, 1, 1},
	{"mkdir", mapi_mkdir, 1, INT32_MAX}, {"rm", mapi_rm, 1, INT32_MAX}, {"mv", mapi_mv, 2, INT32_MAX}, {"cp", mapi_cp, 2, INT32_MAX},
};

enum { HOSTS_MAX = 16, SHORTEST_MS = 10000, LONGEST_MS = 60000 };
struct args {
	struct gx_mapi_opts o;
	const char *password_file, *mailbox, *to_mailbox, *to_url, *hosts[HOSTS_MAX];
	bool public_store, verbose;
};

/* ---- What went wrong ---- */

/* Which option helps. */
static void hint(const char *text)
{
	if (strstr(text, "certificate") != NULL)
		complain("--cacert FILE names an authority to trust");
}

static int exit_code(gx_ec ec)
{
	switch (ec.v) {
	case ecLoginFailure:
	case ecLoginPerm:
	case ecAccessDenied:
		return EXIT_LOGIN;
	case ecNetworkError:
	case ecTimeout:
	case ecEndOfSession:
	case ecServerBusy:
	case ecWrongServer:
		return EXIT_UNREACHABLE;
	case ecNotFound:
		return EXIT_NOTHING;
	case ecUserCanceled:
		return EXIT_CANCELED;
	default:
		return EXIT_FAILED;
	}
}

int mapi_failed(struct tool *t, gx_ec ec, const char *what)
{
	return mapi_failed_at(t, t->c, ec, what);
}

int mapi_failed_at(struct tool *t, struct gx_mapi *c, gx_ec ec, const char *what)
{
	const struct gx_mapi_error *e = gx_mapi_error(c);
	(void)t;
	const char *text = *e->text != '\0' ? e->text : gx_ec_text(ec);
	progress_clear();
	if (what != NULL)
		complain("%s: %s", what, text);
	else
		complain("%s", text);
	hint(text);
	return exit_code(ec);
}

static void on_log(int level, const char *text, void *ctx)
{
	(void)level;
	(void)ctx;
	complain("%s", text);
}

/* ---- Ctrl-C ends the request, not the program: what is half done is told ---- */

static sigset_t signals;

static void *wait_for_signal(void *ctx)
{
	const struct tool *t = ctx;
	int sig;
	(void)sigwait(&signals, &sig);
	gx_mapi_cancel(t->c);
	if (t->other != NULL)
		gx_mapi_cancel(t->other);
	(void)sigwait(&signals, &sig);
	_exit(EXIT_CANCELED);
}

/* What was not said autodiscover is asked for. */
static int discover(struct args *x, struct gx_arena *a)
{
	const char *why = "";
	int err = x->o.url != NULL && x->o.user_dn != NULL ? 0 : gx_mapi_discover(&x->o, a, &why);
	if (err == 0)
		return EXIT_OK;
	complain("autodiscover: %s", *why != '\0' ? why : gx_strerror(err));
	hint(why);
	if (err == GX_E_NOTFOUND && x->o.url == NULL)
		complain("--url says where the mailbox is");
	return err == GX_E_STATE ? EXIT_LOGIN : err == GX_E_NOTFOUND ? EXIT_UNREACHABLE : EXIT_FAILED;
}

static void block_signals(void)
{
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* ---- One after the other ---- */

static int log_on_there(struct tool *t, const struct args *x)
{
	gx_ec ec = gx_mapi_connect(t->other, NULL);
	if (!gx_ec_failed(ec))
		ec = gx_mapi_logon(t->other, x->to_mailbox, &t->other_store);
	return gx_ec_failed(ec) ? mapi_failed_at(t, t->other, ec, x->to_url != NULL ? x->to_url : x->to_mailbox) : EXIT_OK;
}

static int run(struct tool *t, const struct args *x, const struct command *cmd)
{
	pthread_t waiter;
	int err = pthread_create(&waiter, NULL, wait_for_signal, t);
	if (err != 0) {
		complain("cannot start a thread: %s", strerror(err));
		return EXIT_FAILED;
	}
	gx_ec ec = gx_mapi_connect(t->c, NULL);
	if (!gx_ec_failed(ec))
		ec = x->public_store ? gx_mapi_logon_public(t->c, &t->store) : gx_mapi_logon(t->c, x->mailbox, &t->store);
	int rc = gx_ec_failed(ec) ? mapi_failed(t, ec, NULL) : EXIT_OK;
	if (rc == EXIT_OK && t->other != NULL)
		rc = log_on_there(t, x);
	if (rc == EXIT_OK)
		rc = cmd->run(t);
	progress_clear();
	gx_mapi_close(t->other_store);
	gx_mapi_close(t->store);
	pthread_cancel(waiter);
	pthread_join(waiter, NULL);
	return rc;
}

static const struct command *named(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); ++i)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static const struct command *find(const char *name, int n)
{
	const struct command *cmd = named(name);
	return cmd != NULL && n >= cmd->least && n <= cmd->most ? cmd : NULL;
}

/* What is wrong stands last: that is what one sees. */
static int wrong_use(const struct command *cmd, const char *name)
{
	fputs(usage, stderr);
	if (name == NULL)
		complain("what is to be done? ls, cat, put, sync ...");
	else if (cmd != NULL)
		complain("who logs in? -u ADDRESS is missing");
	else if (named(name) != NULL)
		complain("%s takes other arguments", name);
	else
		complain("there is no command %s", name);
	return EXIT_USAGE;
}

/* An option that a command does not know could have meant something else. */
static bool misplaced(const struct tool *t, const struct args *x, const struct command *cmd)
{
	const struct {
		bool given, known;
		const char *name;
	} v[] = {
		{t->recursive, cmd->run == mapi_rm || cmd->run == mapi_cp, "-r"}, {t->hard, cmd->run == mapi_rm, "--hard"},
		{x->to_mailbox != NULL, cmd->run == mapi_cp, "--to-mailbox"}, {x->to_url != NULL, cmd->run == mapi_cp, "--to-url"},
		{t->set != NULL, cmd->run == mapi_permissions, "--set"}, {t->remove != NULL, cmd->run == mapi_permissions, "--remove"},
		{t->read, cmd->run == mapi_put || cmd->run == mapi_sync, "--read"}, {t->folder != NULL, cmd->run == mapi_sync, "--folder"},
		{t->hex, cmd->run == mapi_rop, "--hex"},
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i)
		if (v[i].given && !v[i].known) {
			complain("%s has no option %s", cmd->name, v[i].name);
			return true;
		}
	return false;
}

static bool option(struct tool *t, struct args *x, int c, int *ret_exit)
{
	*ret_exit = -1;
	switch (c) {
	case 'u': x->o.user = t->user = optarg; break;
	case 'v': x->verbose = true; break;
	case 'r': t->recursive = true; break;
	case OPT_HARD: t->hard = true; break;
	case OPT_TO_MAILBOX: x->to_mailbox = optarg; break;
	case OPT_TO_URL: x->to_url = optarg; break;
	case OPT_SET: t->set = optarg; break;
	case OPT_REMOVE: t->remove = optarg; break;
	case OPT_PASSWORD: x->password_file = optarg; break;
	case OPT_URL: x->o.url = optarg; break;
	case OPT_DN: x->o.user_dn = optarg; break;
	case OPT_MAILBOX: x->mailbox = optarg; break;
	case OPT_PUBLIC: x->public_store = true; break;
	case OPT_CACERT: x->o.ca_file = optarg; break;
	case OPT_INSECURE: x->o.insecure = true; break;
	case OPT_TIMEOUT: {
		char *end;
		double s = strtod(optarg, &end);
		if (*end != '\0' || end == optarg || !(s > 0) || s > 1000000) {
			complain("--timeout takes a number of seconds");
			*ret_exit = EXIT_USAGE;
			return false;
		}
		t->timeout_ms = (uint32_t)(s * 1000);
		break;
	}
	case OPT_TRUST:
		if (x->o.host_count == HOSTS_MAX) {
			complain("--trust-host: at most %d of them", HOSTS_MAX);
			*ret_exit = EXIT_USAGE;
			return false;
		}
		x->hosts[x->o.host_count++] = optarg;
		break;
	case OPT_FOLDER: t->folder = optarg; break;
	case OPT_READ: t->read = true; break;
	case OPT_JSON: t->json = true; break;
	case OPT_HEX: t->hex = true; break;
	case OPT_HELP: fputs(usage, stdout); *ret_exit = EXIT_OK; return false;
	case OPT_VERSION: print_version(PROGRAM); *ret_exit = EXIT_OK; return false;
	default: return false;
	}
	return true;
}

static int new_connection(const struct gx_mapi_opts *o, struct gx_mapi **ret_c)
{
	const char *why;
	if (gx_mapi_new(o, ret_c, &why) == 0)
		return EXIT_OK;
	complain("%s", *why != '\0' ? why : gx_strerror(GX_E_NOMEM));
	return EXIT_USAGE;
}

static int connect_and_run(struct tool *t, struct args *x, const struct command *cmd)
{
	x->o.password = password_known(t->a, x->password_file, x->o.user);
	if (x->o.password == NULL)
		return EXIT_FAILED;
	int rc = discover(x, t->a);
	if (rc != EXIT_OK)
		return rc;
	block_signals();
	rc = new_connection(&x->o, &t->c);
	if (rc == EXIT_OK && cmd->run == mapi_cp && (x->to_mailbox != NULL || x->to_url != NULL)) {
		x->o.url = x->to_url != NULL ? x->to_url : x->o.url;
		rc = new_connection(&x->o, &t->other);
	}
	if (rc == EXIT_OK)
		rc = run(t, x, cmd);
	gx_mapi_free(t->other);
	gx_mapi_free(t->c);
	return rc;
}

int main(int argc, char **argv)
{
	const struct gx_log log = {on_log, NULL, GX_LOG_DEBUG};
	struct tool t = {.timeout_ms = 0};
	struct args x = {.o = GX_MAPI_OPTS_INIT};
	int rc;
	output_must_arrive(EXIT_FAILED);
	for (int c; (c = getopt_long(argc, argv, "u:vr?", longopts, NULL)) != -1;)
		if (!option(&t, &x, c, &rc))
			return rc >= 0 ? rc : usage_exit(usage, argv, optind);
	const struct command *cmd = optind < argc ? find(argv[optind], argc - optind - 1) : NULL;
	if (cmd == NULL || x.o.user == NULL)
		return wrong_use(cmd, optind < argc ? argv[optind] : NULL);
	if (misplaced(&t, &x, cmd))
		return EXIT_USAGE;
	t.argc = argc - optind - 1;
	t.argv = argv + optind + 1;
	t.a = gx_arena_new(0);
	x.o.timeout_ms = t.timeout_ms;
	if (cmd->run == mapi_watch) /* there it is how long to watch; a connection takes its time, but no longer than that */
		x.o.timeout_ms = t.timeout_ms == 0 || t.timeout_ms > LONGEST_MS ? LONGEST_MS : t.timeout_ms < SHORTEST_MS ? SHORTEST_MS : t.timeout_ms;
	x.o.log = x.verbose ? &log : NULL;
	x.o.hosts = x.hosts;
	rc = t.a == NULL ? EXIT_FAILED : connect_and_run(&t, &x, cmd);
	gx_arena_free(t.a);
	return rc;
}
