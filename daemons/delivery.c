/* SPDX-License-Identifier: Apache-2.0 */
/* Takes messages from the journal that delivery-queue(8) writes and puts them into mailboxes. */
#include <config.h>
#include "daemons/services.h"

static const char *const files[] = {"gromox.cfg", "delivery.cfg", "exmdb_provider.cfg", NULL};
static const struct daemon_spec spec = {
	.program = "delivery",
	.summary = "Local delivery from the journal of delivery-queue.",
	.files = files,
	.groups = 1u << GX_DIRECTIVES_GENERAL | 1u << GX_DIRECTIVES_QUEUE | 1u << GX_DIRECTIVES_DELIVERY |
		1u << GX_DIRECTIVES_EXMDB | 1u << GX_DIRECTIVES_STORE,
	.log_file = "lda_log_file", .log_level = "lda_log_level", .fd_limit = "lda_fd_limit",
};

static bool start(struct services *s, struct daemon *d)
{
	if (!services_begin(s, d))
		return false;
	s->tick_always = true;
	return services_load_owner_tls(s) && daemon_drop_privileges(d) && services_open_directory(s) &&
	       services_reach_stores(s) && services_start_delivery(s) && services_start(s);
}

int main(int argc, char **argv)
{
	return services_main(&spec, start, argc, argv);
}
