/* SPDX-License-Identifier: Apache-2.0 */
/* The stores for programs of other processes and hosts, by the exmdb protocol; and Outlook's sessions for http and gromoxd. */
#include <config.h>
#include "daemons/services.h"

static const char *const files[] = {"gromox.cfg", "exchange_emsmdb.cfg", "exmdb_provider.cfg", NULL};
static const struct daemon_spec spec = {
	.program = "istore",
	.summary = "Store server: the exmdb protocol, Outlook's sessions.",
	.files = files,
	.groups = 1u << GX_DIRECTIVES_GENERAL | 1u << GX_DIRECTIVES_ISTORE | 1u << GX_DIRECTIVES_EXMDB | 1u << GX_DIRECTIVES_STORE | 1u << GX_DIRECTIVES_EMS,
	.log_file = "istore_log_file", .log_level = "istore_log_level", .fd_limit = "istore_fd_limit",
	.may_be_worker = true,
};

static bool start(struct services *s, struct daemon *d)
{
	return services_begin(s, d) && services_listen_exmdb(s) && services_listen_sessions(s) && daemon_drop_privileges(d) && services_open_directory(s) &&
	       services_open_stores(s) && services_open_workers(s) && services_open_exmdb(s) && services_open_sessions(s) &&
	       services_start(s);
}

int main(int argc, char **argv)
{
	return services_main(&spec, start, argc, argv);
}
