/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include "tools/progress.h"

static bool off, shown;

void progress_off(void)
{
	off = true;
}

void progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

void progress_show(const char *fmt, ...)
{
	char line[512];
	struct winsize w;
	va_list ap;
	if (off || !isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col - 1 : 79;
	fprintf(stderr, "\r\033[K%.*s", width, line);
	fflush(stderr);
	shown = true;
}
