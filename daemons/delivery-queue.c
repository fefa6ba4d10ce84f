/* SPDX-License-Identifier: Apache-2.0 */
/* LMTP and SMTP reception into the journal; delivery(8) takes the messages from there. */
#include <config.h>
#include "daemons/services.h"

static const char *const files[] = {"gromox.cfg", "smtp.cfg", NULL};
static const struct daemon_spec spec = {
	.program = "delivery-queue",
	.summary = "LMTP and SMTP reception for local delivery.",
	.files = files,
	.groups = 1u << GX_DIRECTIVES_GENERAL | 1u << GX_DIRECTIVES_SMTP | 1u << GX_DIRECTIVES_QUEUE,
	.log_file = "lda_log_file", .log_level = "lda_log_level", .fd_limit = "lda_fd_limit",
};

static bool start(struct services *s, struct daemon *d)
{
	return services_begin(s, d) && services_listen_smtp(s) && daemon_drop_privileges(d) && services_open_directory(s) &&
	       services_open_journal(s, true) && services_start(s);
}

int main(int argc, char **argv)
{
	return services_main(&spec, start, argc, argv);
}
