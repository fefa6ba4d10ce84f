/* SPDX-License-Identifier: Apache-2.0 */
/* The stores of this process, for others. */
#include <config.h>
#include <pwd.h>
#include "daemons/services.h"

bool services_istore_apart(const struct services *s)
{
	return (gx_conf_uint(s->conf, "istore_standalone") & 1) != 0;
}

bool services_may_have_stores(struct services *s)
{
	if (gx_conf_uint(s->conf, "istore_standalone") != 2)
		return true;
	gx_log(s->log, GX_LOG_CRIT, "%s: istore_standalone = 2: %s has its stores itself; for a process for each store run istore and set 3 (see istore(8))",
	       gx_conf_origin(s->conf, "istore_standalone"), s->d->spec->program);
	return false;
}

const uint32_t *services_user_ids(struct services *s, const char *directive, size_t *ret_n)
{
	const char *const *w = gx_conf_words(s->arena, services_str(s, directive));
	size_t n = 0;
	while (w != NULL && w[n] != NULL)
		++n;
	uint32_t *v = w == NULL ? NULL : gx_arena_new_array(s->arena, uint32_t, n);
	for (size_t i = 0; v != NULL && i < n; ++i) {
		const struct passwd *pw = getpwnam(w[i]);
		if (pw == NULL) {
			gx_log(s->log, GX_LOG_CRIT, "%s: %s: this system has no user %s", gx_conf_origin(s->conf, directive), directive, w[i]);
			return NULL;
		}
		v[i] = pw->pw_uid;
	}
	*ret_n = n;
	return v;
}

/* NULL for an empty list. */
static const char *const *words_or_null(struct services *s, const char *directive)
{
	const char *text = services_str(s, directive);
	return *text == '\0' ? NULL : gx_conf_words(s->arena, text);
}

static bool check_hosts(struct services *s, const char *const *host)
{
	for (; host != NULL && *host != NULL; ++host) {
		if (gx_exmdb_host_valid(*host))
			continue;
		gx_log(s->log, GX_LOG_CRIT, "%s: exmdb_hosts_allow: \"%s\" is no address of a host; names and networks cannot stand there",
		       gx_conf_origin(s->conf, "exmdb_hosts_allow"), *host);
		return false;
	}
	return true;
}

static bool make_exmdb_server(struct services *s)
{
	struct gx_exmdb_server_opts o = GX_EXMDB_SERVER_OPTS_INIT;
	o.hosts_allow = gx_conf_words(s->arena, services_str(s, "exmdb_hosts_allow"));
	o.certs_allow = words_or_null(s, "exmdb_certs_allow");
	o.uids_allow = services_user_ids(s, "exmdb_users_allow", &o.uid_count);
	o.max_data = (unsigned)gx_conf_uint(s->conf, "max_rpc_stub_threads");
	o.max_events = (unsigned)gx_conf_uint(s->conf, "max_router_connections");
	o.max_request = (uint32_t)gx_conf_uint(s->conf, "exmdb_request_max");
	o.debug = (int)gx_conf_uint(s->conf, "exrpc_debug");
	if (o.uids_allow == NULL || !check_hosts(s, o.hosts_allow))
		return false;
	int ret = gx_exmdb_server_new(&o, &s->exmdb);
	return ret == 0 || services_fail(s, "exmdb", ret, NULL);
}

bool services_listen_exmdb(struct services *s)
{
	struct service v = {
		.name = "exmdb", .listen_tls = "exmdb_listen_tls", .cert = "exmdb_certificate_path", .key = "exmdb_private_key_path",
		.passwd = "exmdb_certificate_passwd", .stall_ms = 60000, .tls_wanted = *services_str(s, "exmdb_listen_tls") != '\0',
	};
	const char *addr, *directive;
	if (s->d->worker.store != NULL) {
		v.tls_wanted = false;
		directive = "--socket";
		addr = s->d->worker.socket;
	} else {
		addr = gx_directives_exmdb(s->conf, s->arena, &directive);
	}
	if (addr == NULL)
		return services_fail(s, "exmdb", GX_E_NOMEM, NULL);
	v.client_ca = services_str(s, "exmdb_client_ca_path");
	if (v.tls_wanted && *v.client_ca == '\0') {
		gx_log(s->log, GX_LOG_CRIT, "exmdb_listen_tls is set, but exmdb_client_ca_path is not: anybody could connect; name the file with "
		       "the authorities of your clients' certificates");
		return false;
	}
	if (!make_exmdb_server(s))
		return false;
	gx_exmdb_server_factory(&v.factory, s->exmdb);
	if (v.tls_wanted && !services_open_tls(s, &v, &s->exmdb_tls))
		return false;
	return services_listen_at(s, &v, directive, addr, NULL, false) &&
	       (!v.tls_wanted || services_listen_on(s, &v, v.listen_tls, s->exmdb_tls, true));
}

bool services_open_exmdb(struct services *s)
{
	struct gx_exmdb_host_opts o = GX_EXMDB_HOST_OPTS_INIT;
	if (s->exmdb == NULL)
		return true;
	o.pool = s->pool;
	o.dir = s->dir;
	o.log = s->log;
	const char *const own[] = {s->d->worker.store, NULL};
	o.prefixes = own[0] != NULL ? own : words_or_null(s, "exmdb_store_path");
	o.relay = s->workers != NULL ? services_relay : NULL;
	o.relay_ctx = s;
	o.relay_only = s->workers_only;
	o.org_name = services_str(s, "x500_org_name");
	o.describe = gx_exmdb_describe;
	int ret = gx_exmdb_host_new(&o, &s->exmdb_host);
	if (ret != 0)
		return services_fail(s, "exmdb", ret, NULL);
	gx_exmdb_server_set_host(s->exmdb, s->exmdb_host);
	return true;
}
