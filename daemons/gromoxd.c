/* SPDX-License-Identifier: Apache-2.0 */
/* All services in one process, from one configuration file. */
#include <config.h>
#include "daemons/services.h"

static const char *const files[] = {"gromox.cfg", NULL};
static const struct daemon_spec spec = {
	.program = "gromoxd",
	.summary = "Groupware server in one process: LMTP and SMTP reception, delivery, stores, IMAP, HTTP for Outlook.",
	.files = files,
	.groups = (1u << GX_DIRECTIVES_COUNT) - 1,
	.log_file = "gromoxd_log_file", .log_level = "gromoxd_log_level", .fd_limit = "gromoxd_fd_limit",
};

static bool start(struct services *s, struct daemon *d)
{
	return services_begin(s, d) && services_may_have_stores(s) && services_listen_imap(s) && services_listen_smtp(s) &&
	       services_listen_http(s) &&
	       (services_istore_apart(s) || services_listen_exmdb(s)) && services_load_owner_tls(s) && daemon_drop_privileges(d) &&
	       services_open_directory(s) && (services_istore_apart(s) ? services_reach_stores(s) : services_open_stores(s)) &&
	       services_open_exmdb(s) && services_open_web(s) &&
	       services_open_journal(s, false) &&
	       services_start_delivery(s) && services_start(s);
}

int main(int argc, char **argv)
{
	return services_main(&spec, start, argc, argv);
}
