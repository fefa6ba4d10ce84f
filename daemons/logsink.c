/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line a message, written at once: "2026-11-22T17:10:32.123Z imap[4711] warn: text". The
 * journal gets "<4>text", since it keeps time, name and process by itself.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include <gx/time.h>
#include "daemons/daemon.h"

static struct {
	char program[40];
	char *path; /* NULL: standard error */
	int fd;
	bool syslog, journal;
} sink = {.fd = STDERR_FILENO};

static struct {
	char *path; /* NULL: none */
	int fd;
} ics = {.fd = -1};

static const int priorities[] = {
	[GX_LOG_CRIT] = LOG_CRIT, [GX_LOG_ERROR] = LOG_ERR, [GX_LOG_WARN] = LOG_WARNING,
	[GX_LOG_NOTICE] = LOG_NOTICE, [GX_LOG_INFO] = LOG_INFO, [GX_LOG_DEBUG] = LOG_DEBUG,
};
static const char *const names[] = {
	[GX_LOG_CRIT] = "crit", [GX_LOG_ERROR] = "error", [GX_LOG_WARN] = "warn",
	[GX_LOG_NOTICE] = "notice", [GX_LOG_INFO] = "info", [GX_LOG_DEBUG] = "debug",
};

static void write_line(int level, const char *text, void *ctx)
{
	char line[2200], when[32];
	int n;
	if (level < GX_LOG_CRIT || level > GX_LOG_DEBUG)
		level = GX_LOG_ERROR;
	if (sink.syslog) {
		syslog(priorities[level], "%s", text);
		return;
	}
	if (sink.journal) {
		n = snprintf(line, sizeof(line), "<%d>%s\n", priorities[level], text);
	} else {
		gx_nttime_print(gx_clock_nttime(gx_clock_system()), when);
		n = snprintf(line, sizeof(line), "%s %s[%d] %s: %s\n", when, sink.program, (int)getpid(), names[level], text);
	}
	if (n > 0)
		(void)!write(sink.fd, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Closed, or /dev/null: what init systems without a journal give their daemons. */
static bool stderr_leads_nowhere(void)
{
	struct stat err, null;
	return fstat(STDERR_FILENO, &err) != 0 ||
	       (S_ISCHR(err.st_mode) && stat("/dev/null", &null) == 0 && err.st_rdev == null.st_rdev);
}

bool logsink_open(const char *program, const char *target, struct gx_log *ret_log)
{
	snprintf(sink.program, sizeof(sink.program), "%s", program);
	ret_log->write = write_line;
	sink.journal = getenv("JOURNAL_STREAM") != NULL && !isatty(STDERR_FILENO);
	sink.syslog = strcmp(target, "syslog") == 0 || (strcmp(target, "-") == 0 && stderr_leads_nowhere());
	if (sink.syslog)
		openlog(sink.program, LOG_PID | LOG_NDELAY, LOG_MAIL);
	if (sink.syslog || strcmp(target, "-") == 0 || *target == '\0')
		return true;
	int fd = open_file(target);
	if (fd < 0) {
		gx_log(ret_log, GX_LOG_CRIT, "cannot write the log file %s: %s", target, strerror(errno));
		return false;
	}
	sink.path = strdup(target);
	sink.fd = fd;
	sink.journal = false;
	return true;
}

static void write_ics_line(int level, const char *text, void *ctx)
{
	char line[2200], when[32];
	gx_nttime_print(gx_clock_nttime(gx_clock_system()), when);
	int n = snprintf(line, sizeof(line), "%s %s\n", when, text);
	if (n > 0)
		(void)!write(ics.fd, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

bool logsink_open_ics(const char *path, const struct gx_log *log, struct gx_log *ret_log)
{
	ics.path = strdup(path);
	ics.fd = ics.path == NULL ? -1 : open_file(path);
	ret_log->write = write_ics_line;
	if (ics.fd < 0)
		gx_log(log, GX_LOG_CRIT, "exmdb_ics_log_file: cannot write %s: %s", path, strerror(errno));
	return ics.fd >= 0;
}

static void reopen(const char *path, int old_fd)
{
	int fd = path == NULL ? -1 : open_file(path);
	if (path == NULL)
		return;
	if (fd < 0) {
		struct gx_log log = {.write = write_line, .level = GX_LOG_ERROR};
		gx_log(&log, GX_LOG_ERROR, "the log file %s cannot be opened again: %s", path, strerror(errno));
		return;
	}
	/* Threads that write meanwhile hit either the old or the new file. */
	dup3(fd, old_fd, O_CLOEXEC);
	close(fd);
}

void logsink_reopen(void)
{
	reopen(sink.path, sink.fd);
	reopen(ics.path, ics.fd);
}

void logsink_close(void)
{
	if (sink.path != NULL)
		close(sink.fd);
	free(sink.path);
	sink.path = NULL;
	sink.fd = STDERR_FILENO;
	if (ics.fd >= 0)
		close(ics.fd);
	free(ics.path);
	ics.path = NULL;
	ics.fd = -1;
}
