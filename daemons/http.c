/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server as a process of its own, which has the stores unless istore has them. */
#include <config.h>
#include "daemons/services.h"

static const char *const files[] = {"gromox.cfg", "http.cfg", "exchange_emsmdb.cfg", "exchange_nsp.cfg", "exmdb_provider.cfg", "autodiscover.cfg", NULL};
static const struct daemon_spec spec = {
	.program = "http",
	.summary = "HTTP server: Outlook's mailboxes, Autodiscover, scripts, files.",
	.files = files,
	.groups = 1u << GX_DIRECTIVES_GENERAL | 1u << GX_DIRECTIVES_HTTP | 1u << GX_DIRECTIVES_EMS | 1u << GX_DIRECTIVES_DISCOVER | 1u << GX_DIRECTIVES_NSP |
		  1u << GX_DIRECTIVES_EXMDB | 1u << GX_DIRECTIVES_ISTORE | 1u << GX_DIRECTIVES_STORE,
	.log_file = "http_log_file", .log_level = "http_log_level", .fd_limit = "http_fd_limit",
};

static bool start(struct services *s, struct daemon *d)
{
	return services_begin(s, d) && services_may_have_stores(s) && services_listen_http(s) &&
	       (services_istore_apart(s) || services_listen_exmdb(s)) && services_load_owner_tls(s) && daemon_drop_privileges(d) &&
	       services_open_directory(s) && (services_istore_apart(s) ? services_reach_stores(s) : services_open_stores(s)) &&
	       services_open_exmdb(s) && services_open_web(s) && services_start(s);
}

int main(int argc, char **argv)
{
	return services_main(&spec, start, argc, argv);
}
