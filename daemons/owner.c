/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that another process owns: which one that is, and how it is reached. */
#include <config.h>
#include <string.h>
#include <gx/exmdb-remote.h>
#include "daemons/services.h"

static bool fail(struct services *s, int err, const char *why)
{
	gx_log(s->log, GX_LOG_CRIT, "%s", why != NULL && *why != '\0' ? why : gx_strerror(err));
	return false;
}

/* ---- Of this host ---- */

/* An address that means any is none to go to. */
static const char *loopback(struct services *s, const char *addr)
{
	static const struct {
		const char *any, *own;
	} v[] = {{"[::]", "[::1]"}, {"0.0.0.0", "127.0.0.1"}, {"*", "[::1]"}};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); ++i) {
		size_t n = strlen(v[i].any);
		if (strncmp(addr, v[i].any, n) == 0 && (addr[n] == ':' || addr[n] == '\0'))
			return gx_arena_printf(s->arena, "%s%s", v[i].own, addr + n);
	}
	return addr;
}

static const char *local_owner(struct services *s)
{
	const char *set = gx_conf_str(s->conf, "exmdb_server"), *directive, *first = NULL;
	if (*set != '\0')
		return set;
	const char *addrs = gx_directives_exmdb(s->conf, s->arena, &directive);
	const char *const *w = addrs == NULL ? NULL : gx_conf_words(s->arena, addrs);
	for (; w != NULL && *w != NULL; ++w) {
		if (**w == '/')
			return *w;
		if (first == NULL)
			first = loopback(s, *w);
	}
	return first;
}

/* ---- Of others ---- */

/* *ret_host: "local", or the name of another server. A store that the directory does not have is looked for here. */
static int home(struct services *s, const char *dir, struct gx_arena *a, const char **ret_host)
{
	uint32_t server = 0;
	struct gx_server *all;
	size_t n;
	int err = gx_dir_list_servers(s->dir, a, &all, &n);
	if (err == 0 && n > 0) /* else there are no others */
		err = gx_dir_homeserver(s->dir, dir, &server);
	if (err != 0 && err != GX_E_NOTFOUND)
		return err;
	err = gx_dir_server_of(s->dir, server, a, ret_host);
	if (err == GX_E_NOTFOUND)
		gx_log(s->log, GX_LOG_ERROR, "%s: its homeserver, %u, is not in the table of servers", dir, server);
	return err;
}

/* The answer is remembered for a minute by who asks. */
static int locate(const char *dir, struct gx_arena *a, const char **ret_server, void *ctx)
{
	struct services *s = ctx;
	const char *host;
	int err = home(s, dir, a, &host);
	if (err != 0)
		return err;
	if (strcmp(host, "local") == 0) {
		*ret_server = s->owner_addr;
		return s->owner_addr != NULL ? 0 : GX_E_NOTFOUND;
	}
	*ret_server = gx_arena_printf(a, "%s:%u", host, (unsigned)gx_conf_uint(s->conf, "exmdb_listen_port"));
	return *ret_server != NULL ? 0 : GX_E_NOMEM;
}

/* When the directory does not answer, the store is not opened: it may be somebody else's. */
bool services_is_elsewhere(const char *dir, void *ctx)
{
	struct services *s = ctx;
	const char *host = "";
	struct gx_arena *a = gx_arena_new(0);
	bool here = a != NULL && home(s, dir, a, &host) == 0 && strcmp(host, "local") == 0;
	gx_arena_free(a);
	return !here;
}

/* ---- Wiring ---- */

bool services_make_owner(struct services *s)
{
	struct gx_exmdb_remote_opts o = GX_EXMDB_REMOTE_OPTS_INIT;
	const char *why = NULL;
	uint64_t seconds = gx_conf_uint(s->conf, "exmdb_client_rpc_timeout");
	o.locate = locate;
	o.locate_ctx = s;
	o.log = s->log;
	o.call_ms = (uint32_t)(seconds * 1000);
	o.max_idle = (unsigned)gx_conf_uint(s->conf, "rpc_proxy_connection_num");
	o.max_conns = 65536; /* threads are what limits them: one that waited for another's end could wait for itself */
	int err = gx_exmdb_remote_new(&o, &s->owner, s->arena, &why);
	return err == 0 || fail(s, err, why);
}

bool services_reach_stores(struct services *s)
{
	s->owner_addr = local_owner(s);
	if (s->owner_addr == NULL)
		return fail(s, 0, "nobody has the stores: exmdb_listen is empty; set exmdb_server to the address or socket of istore");
	return services_make_owner(s) && services_make_pool(s, NULL);
}
