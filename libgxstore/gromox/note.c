/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include "libgxstore/gromox/gromox-int.h"

void gx_gromox__about(struct gx_gromox_notes *n, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(n->object, sizeof(n->object), fmt, ap);
	va_end(ap);
}

int gx_gromox__note(struct gx_gromox_notes *n, int kind, const char *file, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	if (n->cb == NULL)
		return 0;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return n->cb(kind, n->object, file, text, n->ctx);
}
