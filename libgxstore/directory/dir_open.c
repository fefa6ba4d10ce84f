/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a directory: which back end, from where, and whether its tables are the right ones. */
#include <config.h>
#include <ctype.h>
#include <dlfcn.h>
#include <unistd.h>
#include "libgxstore/directory/dir-int.h"

int gx_dir__say(int err, struct gx_arena *a, const char **ret_why, const char *fmt, ...)
{
	if (ret_why == NULL || a == NULL)
		return err;
	va_list ap;
	va_start(ap, fmt);
	const char *s = gx_arena_vprintf(a, fmt, ap);
	va_end(ap);
	*ret_why = s == NULL ? "out of memory" : s;
	return err;
}

static bool given(const char *s)
{
	return s != NULL && *s != '\0';
}

const char *gx_dir_opts_name(const struct gx_dir_opts *o, struct gx_arena *a)
{
	if (o->size < offsetof(struct gx_dir_opts, module) + sizeof(o->module) || !given(o->module))
		return o->path;
	const char *host = given(o->socket) ? o->socket : given(o->host) ? o->host : "localhost";
	return gx_arena_printf(a, "%s %s@%s/%s", strcmp(o->module, "mariadb") == 0 ? "MariaDB" : o->module,
		given(o->user) ? o->user : "root", host, given(o->dbname) ? o->dbname : "email");
}

/* A caller that was built with an earlier form of the struct has the fields up to its end. */
static int copy_opts(struct gx_dir *d, const struct gx_dir_opts *o)
{
	if (o == NULL || o->size < offsetof(struct gx_dir_opts, module))
		return GX_E_INVAL;
	d->o = (struct gx_dir_opts)GX_DIR_OPTS_INIT;
	memcpy(&d->o, o, o->size < sizeof(d->o) ? o->size : sizeof(d->o));
	d->o.size = sizeof(d->o);
	const char **texts[] = {&d->o.path, &d->o.module, &d->o.module_dir, &d->o.host, &d->o.socket, &d->o.user, &d->o.password,
		&d->o.dbname, &d->o.tls_ca, &d->o.tls_cert, &d->o.tls_key, &d->o.host_id};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); ++i) {
		*texts[i] = *texts[i] == NULL ? "" : gx_arena_strdup(d->mem, *texts[i]);
		if (*texts[i] == NULL)
			return GX_E_NOMEM;
	}
	if (d->o.module_dir[0] == '\0')
		d->o.module_dir = GX_MODULEDIR;
	if (d->o.user[0] == '\0')
		d->o.user = "root";
	if (d->o.dbname[0] == '\0')
		d->o.dbname = "email";
	if (d->o.connections == 0)
		d->o.connections = 8;
	if (d->o.wait_seconds == 0)
		d->o.wait_seconds = 10;
	d->name = gx_dir_opts_name(&d->o, d->mem);
	if (d->o.module[0] == '\0' && d->o.path[0] == '\0')
		return GX_E_INVAL;
	return d->name == NULL ? GX_E_NOMEM : 0;
}

static bool module_name_ok(const char *name)
{
	for (const char *p = name; *p != '\0'; ++p)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return strlen(name) <= 64;
}

static int load_module(struct gx_dir *d, struct gx_arena *a, const char **ret_why)
{
	if (!module_name_ok(d->o.module))
		return gx_dir__say(GX_E_INVAL, a, ret_why, "\"%s\" is no name of a module", d->o.module);
	const char *path = gx_arena_printf(d->mem, "%s/gxdir_%s.so", d->o.module_dir, d->o.module);
	if (path == NULL)
		return GX_E_NOMEM;
	/* It stays mapped: the client library below it does not survive being unloaded. */
	d->module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (d->module == NULL)
		return gx_dir__say(GX_E_UNSUP, a, ret_why, "the directory's module cannot be loaded: %s; install the package that "
			"has it, or name its folder with module_path", dlerror());
	void *symbol = dlsym(d->module, GX_DIRBACK_SYMBOL);
	gx_dirback_fn *fn;
	memcpy(&fn, &symbol, sizeof(fn));
	d->back = fn == NULL ? NULL : fn(GX_DIRBACK_ABI);
	if (d->back == NULL)
		return gx_dir__say(GX_E_UNSUP, a, ret_why, "%s does not belong to this version of the library; install the one that "
			"came with it", path);
	return 0;
}

/* What is neither pool nor cache. */
static void discard(struct gx_dir *d)
{
	if (d->module != NULL)
		dlclose(d->module);
	gx_arena_free(d->mem);
	free(d);
}

int gx_dir__new(const struct gx_dir_opts *o, struct gx_dir **ret_d, struct gx_arena *a, const char **ret_why)
{
	struct gx_dir *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return GX_E_NOMEM;
	d->mem = gx_arena_new(0);
	int err = d->mem == NULL ? GX_E_NOMEM : copy_opts(d, o);
	if (err == 0 && d->o.module[0] == '\0')
		d->back = &gx_dir__sqlite;
	else if (err == 0)
		err = load_module(d, a, ret_why);
	if (err != 0) {
		discard(d);
		return err;
	}
	d->log = d->o.log;
	d->clock = gx_clock_system();
	d->cache_ms = (d->o.cache_seconds == 0 ? 10 : (int64_t)d->o.cache_seconds) * 1000;
	err = gx_dir__pool_init(d);
	if (err == 0 && (err = gx_dir__cache_init(d)) != 0)
		gx_dir__pool_release(d);
	if (err == 0) {
		*ret_d = d;
		return 0;
	}
	discard(d);
	return err;
}

void gx_dir_close(struct gx_dir *d)
{
	if (d == NULL)
		return;
	gx_dir__cache_release(d);
	gx_dir__pool_release(d);
	discard(d);
}

struct check {
	const char *name;
	struct gx_arena *a;
	const char **ret_why;
};

static int check_version(struct gx_dirconn *c, void *ctx)
{
	const struct check *k = ctx;
	unsigned v;
	int err = gx_dir__version(c, &v);
	if (err == GX_E_NOTFOUND)
		return gx_dir__say(err, k->a, k->ret_why, "%s: there are no tables; \"gromox-dbop -C\" makes them", k->name);
	if (err != 0)
		return gx_dir__say(err, k->a, k->ret_why, "%s: %s", k->name, c->why.text);
	if (v < GX_DIR_SCHEMA_VERSION)
		return gx_dir__say(GX_E_STATE, k->a, k->ret_why, "%s: schema version %u is too old; \"gromox-dbop -U\" upgrades it to %u",
			k->name, v, GX_DIR_SCHEMA_VERSION);
	if (v > GX_DIR_SCHEMA_VERSION)
		return gx_dir__say(GX_E_FORMAT, k->a, k->ret_why, "%s: schema version %u is newer than this program knows (%u)",
			k->name, v, GX_DIR_SCHEMA_VERSION);
	return 0;
}

/* What the pool has to say when there is no connection goes into *ret_why as well. */
static void keep_line(int level, const char *text, void *ctx)
{
	struct check *k = ctx;
	if (level <= GX_LOG_ERROR)
		(void)gx_dir__say(0, k->a, k->ret_why, "%s", text);
}

int gx_dir_open(const struct gx_dir_opts *o, struct gx_dir **ret_dir, struct gx_arena *a, const char **ret_why)
{
	struct gx_dir *d;
	if (ret_dir == NULL)
		return GX_E_INVAL;
	int err = gx_dir__new(o, &d, a, ret_why);
	if (err != 0)
		return err;
	struct check k = {d->name, a, ret_why};
	const struct gx_log to_caller = {keep_line, &k, GX_LOG_ERROR};
	d->log = &to_caller;
	err = gx_dir__read(d, check_version, &k);
	d->log = d->o.log;
	if (err == 0)
		*ret_dir = d;
	else
		gx_dir_close(d);
	return err;
}
