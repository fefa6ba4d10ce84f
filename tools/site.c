/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <gx/charset.h>
#include <gx/directives.h>
#include "tools/names.h"
#include "tools/site.h"

void complain(const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
}

/* A report that is cut off must not pass for a complete one. */
static int output_code;

static void check_output(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	complain("the output could not be written%s%s", errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
	_exit(output_code);
}

void output_must_arrive(int code)
{
	output_code = code;
	if (atexit(check_output) != 0)
		complain("errors of the output will not be seen");
}

static void on_log(int level, const char *text, void *ctx)
{
	complain("%s", text);
}

int usage_exit(const char *usage, char *const *argv, int at)
{
	bool asked = at > 0 && strcmp(argv[at - 1], "-?") == 0;
	fputs(usage, asked ? stdout : stderr);
	return asked ? EXIT_OK : EXIT_USAGE;
}

void print_version(const char *program)
{
	printf("%s (gx) %s\n", program, gx_version());
}

/* Directives that tools use are checked and kept; those of the services are known. */
static struct gx_conf *make_conf(void)
{
	const struct gx_conf_key *mine[] = {gx_directives(GX_DIRECTIVES_GENERAL), gx_directives(GX_DIRECTIVES_MYSQL),
		gx_directives(GX_DIRECTIVES_EXMDB), gx_directives(GX_DIRECTIVES_STORE), NULL};
	const struct gx_conf_key *others[GX_DIRECTIVES_COUNT] = {NULL};
	struct gx_conf *c = gx_conf_new(mine);
	for (unsigned i = 0, n = 0; i < GX_DIRECTIVES_COUNT; ++i)
		if (i != GX_DIRECTIVES_GENERAL && i != GX_DIRECTIVES_MYSQL && i != GX_DIRECTIVES_EXMDB && i != GX_DIRECTIVES_STORE)
			others[n++] = gx_directives(i);
	if (c != NULL)
		gx_conf_foreign(c, others);
	return c;
}

static bool read_conf(struct site *s, const char *path, bool must_exist, const char *option)
{
	int err = gx_conf_read(s->conf, path, &s->log);
	if (err == 0 || (err == GX_E_NOTFOUND && !must_exist))
		return true;
	if (err == GX_E_NOTFOUND || err == GX_E_IO)
		complain("%s: %s; name the configuration file with %s", path, strerror(err == GX_E_IO ? errno : ENOENT), option);
	else
		complain("%s: the configuration cannot be used", path);
	return false;
}

int site_open_named(struct site *s, const char *config, const char *option)
{
	static const char *const files[] = {GX_CONFDIR "/gromox.cfg", GX_CONFDIR "/mysql_adaptor.cfg", GX_CONFDIR "/exmdb_provider.cfg",
		GX_CONFDIR "/http.cfg", GX_CONFDIR "/imap.cfg"};
	/* Warnings about the file are for the services to give, not for each call of a tool. */
	*s = (struct site){.log = {.write = on_log, .level = GX_LOG_ERROR}};
	s->arena = gx_arena_new(0);
	s->conf = make_conf();
	if (s->arena == NULL || s->conf == NULL) {
		complain("out of memory");
		site_close(s);
		return EXIT_FAILED;
	}
	bool ok = config != NULL ? read_conf(s, config, true, option) : true;
	for (size_t i = 0; config == NULL && ok && i < sizeof(files) / sizeof(files[0]); ++i)
		ok = read_conf(s, files[i], false, option);
	if (ok && gx_directives_directory(s->conf, &s->log, s->arena, &s->where) == 0)
		return EXIT_OK;
	site_close(s);
	return EXIT_FAILED;
}

int site_open(struct site *s, const char *config)
{
	return site_open_named(s, config, "-c");
}

void site_close(struct site *s)
{
	gx_dir_close(s->dir);
	gx_conf_free(s->conf);
	gx_arena_free(s->arena);
	*s = (struct site){.dir = NULL};
}

int site_directory(struct site *s)
{
	const char *why = "";
	int err = gx_dir_open(&s->where, &s->dir, s->arena, &why);
	if (err == 0)
		return EXIT_OK;
	complain("%s", *why != '\0' ? why : gx_strerror(err));
	return EXIT_FAILED;
}

static const char *lower(struct gx_arena *a, const char *text, size_t n)
{
	char *s = gx_arena_strndup(a, text, n);
	for (char *p = s; p != NULL && *p != '\0'; ++p)
		*p = (char)gx_ascii_tolower((unsigned char)*p);
	return s;
}

const char *site_user_path(struct site *s, const char *address)
{
	const char *at = strrchr(address, '@');
	const char *local = lower(s->arena, address, at == NULL ? strlen(address) : (size_t)(at - address));
	const char *domain = lower(s->arena, at == NULL ? "" : at + 1, at == NULL ? 0 : strlen(at + 1));
	if (local == NULL || domain == NULL)
		return NULL;
	return gx_arena_printf(s->arena, "%s/user/%s/%s", gx_conf_str(s->conf, "data_path"), domain, local);
}

const char *site_domain_path(struct site *s, const char *domain)
{
	const char *name = lower(s->arena, domain, strlen(domain));
	return name == NULL ? NULL : gx_arena_printf(s->arena, "%s/domain/%s", gx_conf_str(s->conf, "data_path"), name);
}

int site_must_be_home(struct site *s, const char *who, uint32_t homeserver)
{
	const char *host = "";
	int err = gx_dir_server_of(s->dir, homeserver, s->arena, &host);
	if (err == 0 && strcmp(host, "local") == 0)
		return EXIT_OK;
	if (err == 0)
		complain("%s: the store lives on %s; run this there (here is %s, by host_id)", who, host, s->where.host_id);
	else if (err == GX_E_NOTFOUND)
		complain("%s: homeserver %u is not in the table of servers; see \"gromox-useradm server list\"", who, homeserver);
	else
		complain("%s: %s", who, gx_strerror(err));
	return EXIT_FAILED;
}

int site_become_owner(struct site *s)
{
	const char *path = gx_conf_str(s->conf, "data_path");
	struct stat sb;
	if (stat(path, &sb) != 0) {
		if (errno != ENOENT || mkdir(path, 0770) != 0) {
			complain("%s: %s; create it or set data_path", path, strerror(errno));
			return EXIT_FAILED;
		}
		const struct passwd *pw = geteuid() == 0 ? getpwnam("gromox") : NULL;
		if (pw != NULL && chown(path, pw->pw_uid, pw->pw_gid) != 0)
			complain("%s: cannot be given to the user gromox: %s", path, strerror(errno));
		if (stat(path, &sb) != 0) {
			complain("%s: %s", path, strerror(errno));
			return EXIT_FAILED;
		}
	}
	if (geteuid() != 0 || sb.st_uid == 0)
		return EXIT_OK;
	if (setegid(sb.st_gid) != 0 || seteuid(sb.st_uid) != 0) {
		complain("cannot become the owner of %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int site_store_opts(struct site *s, struct gx_store_opts *o)
{
	int level;
	gx_directives_store(s->conf, o);
	if (gx_directives_compression(s->conf, &s->log, &level) != 0)
		return EXIT_FAILED;
	gx_store_set_compression(level);
	return EXIT_OK;
}

int site_make_store(struct site *s, const struct new_store *n)
{
	struct gx_store_create_opts o = GX_STORE_CREATE_OPTS_INIT;
	const char *why = "";
	o.public_store = n->public_store;
	o.owner_id = n->id;
	o.owner = n->owner;
	o.lang = n->lang != NULL && *n->lang != '\0' ? n->lang : n->public_store ? NULL : gx_directives_lang(s->conf);
	o.overwrite = n->overwrite;
	o.schema_version = n->schema_version;
	o.folder_names = n->names == NULL ? NULL : names_lookup;
	o.ctx = (void *)n->names;
	int err = gx_store_create(n->path, &o, s->arena, &why);
	if (err == 0)
		return EXIT_OK;
	if (*why == '\0')
		why = gx_arena_printf(s->arena, "%s: %s", n->path, gx_strerror(err));
	complain("%s%s", why == NULL ? "out of memory" : why, err == GX_E_EXISTS ? " (-f of gromox-mkprivate and gromox-mkpublic overwrites it)" : "");
	return EXIT_FAILED;
}
