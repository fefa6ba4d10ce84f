/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that another process owns: which one that is, and how it is reached. */
#include <config.h>
#include <string.h>
#include <gx/directives.h>
#include <gx/exmdb-tls.h>
#include "daemons/services.h"

enum { OWNER_RETRY_MS = 1000 };

/* ---- Encrypted ---- */

bool services_load_owner_tls(struct services *s)
{
	struct gx_exmdb_tls_opts o;
	const char *why = NULL;
	if (!gx_directives_exmdb_tls(s->conf, &o))
		return true;
	if (o.cert_path == NULL || *o.key_path == '\0')
		return services_fail(s, "", 0, "exmdb_client_tls is on, but there is no certificate to show: name it in exmdb_client_certificate_path and "
			"its key in exmdb_client_private_key_path; its authority must be in exmdb_client_ca_path of the other hosts");
	int err = gx_exmdb_tls_new(&o, &s->owner_tls, s->arena, &why);
	return err == 0 || services_fail(s, "", err, gx_arena_printf(s->arena, "exmdb_client_tls: %s", why != NULL ? why : gx_strerror(err)));
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
	if (s->owner_tls == NULL && gx_conf_bool(s->conf, "exmdb_client_tls")) /* istore has no certificates for that */
		return GX_E_UNSUP;
	*ret_server = gx_directives_exmdb_peer(s->conf, host, a);
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
	o.transport = s->owner_tls;
	o.plain_server = s->owner_plain ? s->owner_addr : NULL;
	o.call_ms = (uint32_t)(seconds * 1000);
	o.retry_ms = OWNER_RETRY_MS;
	o.max_idle = (unsigned)gx_conf_uint(s->conf, "rpc_proxy_connection_num");
	o.max_conns = 65536; /* threads are what limits them: one that waited for another's end could wait for itself */
	int err = gx_exmdb_remote_new(&o, &s->owner, s->arena, &why);
	return err == 0 || services_fail(s, "", err, why);
}

bool services_reach_stores(struct services *s)
{
	s->owner_addr = gx_directives_exmdb_home(s->conf, s->arena, &s->owner_plain);
	if (s->owner_addr == NULL)
		return services_fail(s, "", 0, "nobody has the stores: exmdb_listen is empty; set exmdb_server to the address or socket of istore");
	return services_make_owner(s) && services_make_pool(s, NULL);
}

static bool is_another(const char *dir, void *ctx)
{
	const struct services *s = ctx;
	return strcmp(dir, s->d->worker.store) != 0;
}

/* A session asks other stores for little: who may send for whom, who owns what. */
bool services_open_one_store(struct services *s)
{
	s->owner_addr = gx_directives_exmdb_home(s->conf, s->arena, &s->owner_plain);
	return services_make_owner(s) && services_make_pool(s, is_another);
}
