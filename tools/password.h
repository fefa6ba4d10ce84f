/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_PASSWORD_H
#define GX_TOOLS_PASSWORD_H
#include <gx/arena.h>

/*
 * A new password: from the environment (GX_PASSWORD), a terminal (asked twice), or the first line
 * of stdin. Never from arguments, which everybody on the machine can read. NULL: said why.
 */
char *password_read(struct gx_arena *a);
/* One that @who has: from the first line of a file (when one is named), the environment, a terminal (asked once), or stdin. */
char *password_known(struct gx_arena *a, const char *file, const char *who);

#endif
