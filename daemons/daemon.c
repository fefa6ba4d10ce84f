/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemons/daemon.h"

/* Where the directory is concerns everybody. */
#define MYSQL_FILE GX_CONFDIR "/mysql_adaptor.cfg"

struct options {
	const char *config;
	bool dump, test;
	int ready_fd;
	struct worker_opts worker;
};

/* ---- Options ---- */

static void print_help(const struct daemon_spec *spec, FILE *f)
{
	fprintf(f, "Usage: %s [-c FILE] [-T | --dump-config]\n%s\n\n"
		"  -c, --config FILE   read this file instead of", spec->program, spec->summary);
	for (const char *const *p = spec->files; *p != NULL; ++p)
		fprintf(f, " %s/%s", GX_CONFDIR, *p);
	fprintf(f, " %s", MYSQL_FILE);
	fputs("\n"
		"  -T, --test          check the configuration and end\n"
		"      --dump-config   print all directives with their values, as a configuration file\n"
		"      --ready-fd N    write the addresses taken and a line \"ready\" to descriptor N when up\n"
		"      --version       print the version\n"
		"  -?, --help          print this\n", f);
	if (spec->may_be_worker)
		fputs("\nGiven by the process that starts one for each store:\n"
			"      --store DIR     have this store only\n"
			"      --socket PATH   serve it here and nowhere else\n"
			"      --owner-fd N    end when descriptor N is closed\n", f);
	fputs("\nSIGTERM and SIGINT end the program, SIGHUP makes it read certificates again and open its log\n"
		"file again, SIGUSR1 makes it log its state.\n", f);
}

static int parse_options(const struct daemon_spec *spec, int argc, char **argv, struct options *o)
{
	enum { OPT_DUMP = 256, OPT_READY, OPT_VERSION, OPT_STORE, OPT_SOCKET, OPT_OWNER };
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'}, {"test", no_argument, NULL, 'T'}, {"dump-config", no_argument, NULL, OPT_DUMP},
		{"ready-fd", required_argument, NULL, OPT_READY}, {"version", no_argument, NULL, OPT_VERSION}, {"help", no_argument, NULL, 'h'},
		{"store", required_argument, NULL, OPT_STORE}, {"socket", required_argument, NULL, OPT_SOCKET},
		{"owner-fd", required_argument, NULL, OPT_OWNER}, {NULL},
	};
	int c;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "c:Th", longs, NULL)) != -1) {
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'T': o->test = true; break;
		case OPT_DUMP: o->dump = true; break;
		case OPT_READY: o->ready_fd = (int)strtol(optarg, NULL, 10); break;
		case OPT_STORE: o->worker.store = optarg; break;
		case OPT_SOCKET: o->worker.socket = optarg; break;
		case OPT_OWNER: o->worker.owner_fd = (int)strtol(optarg, NULL, 10); break;
		case OPT_VERSION:
			printf("%s (gx) %s\n", spec->program, gx_version());
			return EXIT_OK;
		case 'h':
			print_help(spec, stdout);
			return EXIT_OK;
		default:
			if (optopt == '?') {
				print_help(spec, stdout);
				return EXIT_OK;
			}
			fprintf(stderr, "%s: \"%s\": unknown option or missing value; try --help\n", spec->program, argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	bool some = o->worker.store != NULL || o->worker.socket != NULL || o->worker.owner_fd >= 0;
	if (some && (!spec->may_be_worker || o->worker.store == NULL || o->worker.socket == NULL || o->worker.owner_fd < 0)) {
		fprintf(stderr, spec->may_be_worker ? "%s: --store, --socket and --owner-fd go together\n" :
			"%s: this program takes no --store, --socket and --owner-fd\n", spec->program);
		return EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument \"%s\"; try --help\n", spec->program, argv[optind]);
		return EXIT_USAGE;
	}
	return EXIT_STARTED;
}

/* ---- Configuration ---- */

static bool make_conf(struct daemon *d)
{
	unsigned own = 0, other = 0;
	for (unsigned i = 0; i < GX_DIRECTIVES_COUNT; ++i) {
		if ((d->spec->groups & 1u << i) != 0 || i == GX_DIRECTIVES_MYSQL)
			d->tables[own++] = gx_directives(i);
		else
			d->foreign[other++] = gx_directives(i);
	}
	d->conf = gx_conf_new(d->tables);
	d->arena = gx_arena_new(0);
	if (d->conf == NULL || d->arena == NULL) {
		gx_log(&d->log, GX_LOG_CRIT, "out of memory");
		return false;
	}
	gx_conf_foreign(d->conf, d->foreign);
	return true;
}

static bool read_file(struct daemon *d, const char *path, bool must_exist)
{
	int ret = gx_conf_read(d->conf, path, &d->log);
	if (ret == GX_E_NOTFOUND && must_exist)
		gx_log(&d->log, GX_LOG_CRIT, "cannot read the configuration file %s: %s", path, strerror(ENOENT));
	else if (ret != 0 && ret != GX_E_NOTFOUND)
		gx_log(&d->log, GX_LOG_CRIT, "%s cannot be used; correct the lines named above", path);
	return ret == 0 || (ret == GX_E_NOTFOUND && !must_exist);
}

static bool read_conf(struct daemon *d, const char *config)
{
	if (config != NULL)
		return read_file(d, config, true);
	for (const char *const *p = d->spec->files; *p != NULL; ++p) {
		const char *path = gx_arena_printf(d->arena, "%s/%s", GX_CONFDIR, *p);
		if (path == NULL || !read_file(d, path, false))
			return false;
	}
	return read_file(d, MYSQL_FILE, false);
}

static void print_line(const char *text, void *ctx)
{
	puts(text);
}

/* ---- Process ---- */

static void raise_fd_limit(struct daemon *d)
{
	struct rlimit rl;
	uint64_t want = gx_conf_uint(d->conf, d->spec->fd_limit);
	if (want == 0)
		want = gx_conf_uint(d->conf, "daemons_fd_limit");
	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return;
	if (want == 0)
		want = rl.rlim_max;
	if (want <= rl.rlim_cur)
		return;
	rl.rlim_cur = want;
	if (rl.rlim_max < want)
		rl.rlim_max = want;
	if (setrlimit(RLIMIT_NOFILE, &rl) != 0)
		gx_log(&d->log, GX_LOG_WARN, "the limit of file descriptors cannot be raised to %llu: %s",
		       (unsigned long long)want, strerror(errno));
}

static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
}

static bool set_up_process(struct daemon *d, const struct options *o)
{
	sigset_t set;
	signal_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(027);
#ifdef M_ARENA_MAX
	/* Threads share allocation pools, so that memory freed by one serves another. */
	mallopt(M_ARENA_MAX, 2);
#endif
	raise_fd_limit(d);
	if (o->ready_fd < 0)
		return true;
	d->ready = fdopen(o->ready_fd, "w");
	if (d->ready == NULL) {
		gx_log(&d->log, GX_LOG_CRIT, "--ready-fd %d: %s", o->ready_fd, strerror(errno));
		return false;
	}
	fcntl(o->ready_fd, F_SETFD, FD_CLOEXEC);
	return true;
}

int daemon_begin(struct daemon *d, const struct daemon_spec *spec, int argc, char **argv)
{
	struct options o = {.ready_fd = -1, .worker.owner_fd = -1};
	*d = (struct daemon){.spec = spec, .log = {.level = GX_LOG_NOTICE}};
	int code = parse_options(spec, argc, argv, &o);
	if (code != EXIT_STARTED)
		return code;
	if (!logsink_open(spec->program, "-", &d->log) || !make_conf(d) || !read_conf(d, o.config)) {
		daemon_end(d);
		return EXIT_FAILED;
	}
	if (o.dump || o.test) {
		if (o.dump)
			gx_conf_dump(d->conf, print_line, NULL);
		else
			puts("The configuration is valid.");
		daemon_end(d);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	d->config = o.config;
	d->worker = o.worker;
	d->log.level = (int)gx_conf_uint(d->conf, spec->log_level);
	if (!logsink_open(spec->program, gx_conf_str(d->conf, spec->log_file), &d->log) || !set_up_process(d, &o)) {
		daemon_end(d);
		return EXIT_FAILED;
	}
	return EXIT_STARTED;
}

bool daemon_drop_privileges(struct daemon *d)
{
	const char *name = gx_conf_str(d->conf, "running_identity");
	if (geteuid() != 0 || *name == '\0')
		return true;
	const struct passwd *pw = getpwnam(name);
	if (pw == NULL) {
		gx_log(&d->log, GX_LOG_CRIT, "running_identity (%s): there is no user \"%s\"; create it, or set running_identity "
		       "to another user, or to nothing to stay root", gx_conf_origin(d->conf, "running_identity"), name);
		return false;
	}
	if (initgroups(name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0) {
		gx_log(&d->log, GX_LOG_CRIT, "cannot become the user %s: %s", name, strerror(errno));
		return false;
	}
	return true;
}

/* The protocol of sd_notify(3): one datagram to the socket that the service manager named. */
static void notify_manager(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path == NULL ? 0 : strlen(path);
	if (n == 0 || n >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, n);
	if (a.sun_path[0] == '@')
		a.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

void daemon_announce(struct daemon *d, const char *service, const char *addr, unsigned port)
{
	gx_log(&d->log, GX_LOG_INFO, "%s listens on %s (port %u)", service, addr, port);
	if (d->ready != NULL)
		fprintf(d->ready, "%s %s %u\n", service, addr, port);
}

void daemon_ready(struct daemon *d)
{
	gx_log(&d->log, GX_LOG_NOTICE, "%s %s ready", d->spec->program, gx_version());
	notify_manager("READY=1");
	if (d->ready == NULL)
		return;
	fputs("ready\n", d->ready);
	fclose(d->ready);
	d->ready = NULL;
}

enum daemon_order daemon_wait(struct daemon *d)
{
	sigset_t set;
	signal_set(&set);
	int sig;
	do
		sig = sigwaitinfo(&set, NULL);
	while (sig < 0 && errno == EINTR);
	if (sig == SIGUSR1)
		return ORDER_STATS;
	if (sig == SIGHUP) {
		logsink_reopen();
		return ORDER_RELOAD;
	}
	gx_log(&d->log, GX_LOG_NOTICE, "ending on %s", sig == SIGINT ? "SIGINT" : "SIGTERM");
	notify_manager("STOPPING=1");
	/* Whoever asks a second time does not want to wait. */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return ORDER_STOP;
}

void daemon_end(struct daemon *d)
{
	if (d->ready != NULL)
		fclose(d->ready);
	gx_conf_free(d->conf);
	gx_arena_free(d->arena);
	d->conf = NULL;
	d->arena = NULL;
	d->ready = NULL;
	logsink_close();
}
