/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <gx/log.h>

void gx_vlog(const struct gx_log *log, int level, const char *fmt, va_list ap)
{
	char line[2001];
	if (log == NULL || log->write == NULL || level > log->level)
		return;
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		return;
	for (char *p = line; *p != '\0'; ++p)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	log->write(level, line, log->ctx);
}

void gx_log(const struct gx_log *log, int level, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	gx_vlog(log, level, fmt, ap);
	va_end(ap);
}
