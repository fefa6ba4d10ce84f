/* SPDX-License-Identifier: Apache-2.0 */
/* What encryption and login need, from files and the URL. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libgxproto/outgoing/outgoing-int.h"

enum { PASSWORD_MOST = 1024 };

static bool is_set(const char *s)
{
	return s != NULL && *s != '\0';
}

/* The first line: the password of the URL's user, or USER:PASSWORD. */
static int read_password(struct gx_outgoing *o, const char *path, struct gx_arena *a, const char **ret_why)
{
	char line[PASSWORD_MOST + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n < 0)
		*ret_why = gx_arena_printf(a, "outgoing_smtp_password_file = %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return GX_E_IO;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	char *text = gx_arena_strdup(o->a, line), *colon = text == NULL ? NULL : strchr(text, ':');
	gnutls_memset(line, 0, sizeof(line));
	if (text == NULL)
		return GX_E_NOMEM;
	o->password = text;
	if (o->user != NULL)
		return 0;
	if (colon == NULL) {
		*ret_why = gx_arena_printf(a, "outgoing_smtp_password_file = %s: expected USER:PASSWORD, as outgoing_smtp_url names no user", path);
		return GX_E_INVAL;
	}
	*colon = '\0';
	o->user = text;
	o->password = colon + 1;
	return 0;
}

static bool is_here(const char *node)
{
	return strcmp(node, "localhost") == 0 || strcmp(node, "::1") == 0 || strncmp(node, "127.", 4) == 0;
}

static int check_login(struct gx_outgoing *o, const char **ret_why)
{
	if (o->user == NULL)
		return 0;
	if (o->password == NULL) {
		*ret_why = "outgoing_smtp_url names a user and no password; set outgoing_smtp_password_file";
		return GX_E_INVAL;
	}
	if (o->smtps || o->o.starttls || is_here(o->node))
		return 0;
	*ret_why = "outgoing_smtp_url: the password would go in the clear; take smtps://, or set outgoing_smtp_starttls";
	return GX_E_INVAL;
}

static int load_authorities(struct gx_outgoing *o, struct gx_arena *a, const char **ret_why)
{
	const char *path = o->o.ca_file;
	if (gnutls_certificate_allocate_credentials(&o->cred) != 0)
		return GX_E_NOMEM;
	if (!is_set(path)) { /* who has none can verify nobody, and is told so with each mail */
		(void)gnutls_certificate_set_x509_system_trust(o->cred);
		return 0;
	}
	int n = gnutls_certificate_set_x509_trust_file(o->cred, path, GNUTLS_X509_FMT_PEM);
	if (n > 0)
		return 0;
	*ret_why = gx_arena_printf(a, "outgoing_smtp_ca_file = %s: %s", path, n == 0 ? "no certificate in it" : gnutls_strerror(n));
	return GX_E_IO;
}

int gx_outgoing__secure(struct gx_outgoing *o, struct gx_arena *a, const char **ret_why)
{
	int err = is_set(o->o.password_file) ? read_password(o, o->o.password_file, a, ret_why) : 0;
	err = err != 0 ? err : check_login(o, ret_why);
	return err != 0 || !(o->smtps || o->o.starttls) ? err : load_authorities(o, a, ret_why);
}
