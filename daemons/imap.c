/* SPDX-License-Identifier: Apache-2.0 */
/* The IMAP server as a process of its own; istore has the stores. */
#include <config.h>
#include "daemons/services.h"

static const char *const files[] = {"gromox.cfg", "imap.cfg", "exmdb_provider.cfg", NULL};
static const struct daemon_spec spec = {
	.program = "imap",
	.summary = "IMAP server.",
	.files = files,
	.groups = 1u << GX_DIRECTIVES_GENERAL | 1u << GX_DIRECTIVES_IMAP | 1u << GX_DIRECTIVES_EXMDB | 1u << GX_DIRECTIVES_STORE,
	.log_file = "imap_log_file", .log_level = "imap_log_level", .fd_limit = "imap_fd_limit",
};

static bool start(struct services *s, struct daemon *d)
{
	return services_begin(s, d) && services_listen_imap(s) && services_load_owner_tls(s) && daemon_drop_privileges(d) &&
	       services_open_directory(s) && services_reach_stores(s) && services_start(s);
}

int main(int argc, char **argv)
{
	return services_main(&spec, start, argc, argv);
}
