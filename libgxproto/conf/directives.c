/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <gx/directives.h>
#include <gx/directory.h>
#include "libgxproto/conf/directives-table.h"

const struct gx_conf_key *gx_directives(unsigned group)
{
	static const struct gx_conf_key *const tables[GX_DIRECTIVES_COUNT] = {
		[GX_DIRECTIVES_GENERAL] = general_keys,
		[GX_DIRECTIVES_MYSQL] = mysql_keys,
		[GX_DIRECTIVES_GROMOXD] = gromoxd_keys,
		[GX_DIRECTIVES_IMAP] = imap_keys,
		[GX_DIRECTIVES_SMTP] = smtp_keys,
		[GX_DIRECTIVES_QUEUE] = queue_keys,
		[GX_DIRECTIVES_DELIVERY] = delivery_keys,
		[GX_DIRECTIVES_STORE] = store_keys,
		[GX_DIRECTIVES_EXMDB] = exmdb_keys,
		[GX_DIRECTIVES_ISTORE] = istore_keys,
		[GX_DIRECTIVES_SNAPSHOT] = snapshot_keys,
		[GX_DIRECTIVES_HTTP] = http_keys,
		[GX_DIRECTIVES_EMS] = ems_keys,
		[GX_DIRECTIVES_DISCOVER] = discover_keys,
		[GX_DIRECTIVES_NSP] = nsp_keys,
	};
	return group < GX_DIRECTIVES_COUNT ? tables[group] : NULL;
}

const char *gx_directives_host(const struct gx_conf *c, struct gx_arena *a)
{
	char name[HOST_NAME_MAX + 1] = "";
	const char *set = gx_conf_str(c, "host_id");
	if (*set != '\0')
		return set;
	if (gethostname(name, sizeof(name) - 1) != 0 || *name == '\0')
		return "localhost";
	return gx_arena_strdup(a, name);
}

/* The older pair of directives counts when the newer one is not set. */
const char *gx_directives_exmdb(const struct gx_conf *c, struct gx_arena *a, const char **ret_directive)
{
	const char *ip = gx_conf_str(c, "listen_ip"), *directive = *ip != '\0' ? "listen_ip" : "exmdb_listen_port";
	bool older = !gx_conf_is_set(c, "exmdb_listen") && (*ip != '\0' || gx_conf_is_set(c, "exmdb_listen_port"));
	if (ret_directive != NULL)
		*ret_directive = older ? directive : "exmdb_listen";
	if (!older)
		return gx_conf_str(c, "exmdb_listen");
	ip = *ip == '\0' ? "::1" : ip;
	return gx_arena_printf(a, strchr(ip, ':') != NULL ? "[%s]:%u" : "%s:%u", ip, (unsigned)gx_conf_uint(c, "exmdb_listen_port"));
}

/* Directives that somebody who has a server sets. */
static bool names_server(const struct gx_conf *c)
{
	static const char *const keys[] = {"mysql_host", "mysql_username", "mysql_password", "mysql_dbname"};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); ++i)
		if (gx_conf_is_set(c, keys[i]))
			return true;
	return false;
}

int gx_directives_directory(const struct gx_conf *c, const struct gx_log *log, struct gx_arena *a, struct gx_dir_opts *ret_o)
{
	struct gx_dir_opts o = GX_DIR_OPTS_INIT;
	const char *kind = gx_conf_str(c, "directory");
	bool mysql = strcmp(kind, "mysql") == 0 || (strcmp(kind, "auto") == 0 && names_server(c));
	if (!mysql && strcmp(kind, "sqlite") != 0 && strcmp(kind, "auto") != 0) {
		gx_log(log, GX_LOG_CRIT, "%s: directory = %s: expected sqlite, mysql or auto", gx_conf_origin(c, "directory"), kind);
		return GX_E_INVAL;
	}
	o.log = log;
	o.path = gx_conf_str(c, "directory_path");
	o.cache_seconds = (unsigned)gx_conf_uint(c, "lda_alias_cache_lifetime");
	o.first_time_password = gx_conf_bool(c, "enable_firsttimepw");
	o.host_id = gx_directives_host(c, a);
	o.module = mysql ? "mariadb" : NULL;
	o.module_dir = gx_conf_str(c, "module_path");
	o.host = gx_conf_str(c, "mysql_host");
	o.port = (unsigned)gx_conf_uint(c, "mysql_port");
	o.user = gx_conf_str(c, "mysql_username");
	o.password = gx_conf_str(c, "mysql_password");
	o.dbname = gx_conf_str(c, "mysql_dbname");
	o.connections = (unsigned)gx_conf_uint(c, "connection_num");
	o.rdwr_seconds = (unsigned)gx_conf_uint(c, "mysql_rdwr_timeout");
	o.tls_ca = gx_conf_str(c, "mysql_tls_ca");
	o.tls_cert = gx_conf_str(c, "mysql_tls_cert");
	o.tls_key = gx_conf_str(c, "mysql_tls_key");
	o.tls = gx_conf_bool(c, "mysql_tls") || *o.tls_cert != '\0';
	if (o.host_id == NULL)
		return GX_E_NOMEM;
	*ret_o = o;
	return 0;
}
