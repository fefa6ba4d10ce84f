/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For whom no more mail is taken, since too much of it waits already: who delivers says it, who receives asks. In one process
 * that is a list; with the daemons apart, a file "held" in the journal's directory with a line for each, "server NUMBER" or
 * "store DIRECTORY", replaced as a whole.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/strbuf.h>
#include "journal-int.h"

enum { MOST_BYTES = 4 << 20 };

static bool is_held(const char *text, uint32_t server, const char *maildir)
{
	char line[32];
	snprintf(line, sizeof(line), "server %" PRIu32 "\n", server);
	size_t n = strlen(maildir), head = strlen(line);
	for (const char *p = text; *p != '\0'; p += strcspn(p, "\n") + 1) {
		if (strncmp(p, line, head) == 0)
			return true;
		if (strncmp(p, "store ", 6) == 0 && strncmp(p + 6, maildir, n) == 0 && p[6 + n] == '\n')
			return true;
		if (p[strcspn(p, "\n")] == '\0')
			return false;
	}
	return false;
}

/* ---- The file ---- */

static int write_file(const char *dir, const char *text)
{
	char path[4096], temp[4096];
	snprintf(path, sizeof(path), "%s/held", dir);
	snprintf(temp, sizeof(temp), "%s/held.new", dir);
	if (*text == '\0')
		return unlink(path) == 0 || errno == ENOENT ? 0 : GX_E_IO;
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return GX_E_IO;
	size_t n = strlen(text);
	bool ok = write(fd, text, n) == (ssize_t)n;
	ok = close(fd) == 0 && ok;
	return ok && rename(temp, path) == 0 ? 0 : GX_E_IO;
}

static char *read_file(int fd, size_t size)
{
	char *text = size <= MOST_BYTES ? malloc(size + 1) : NULL;
	ssize_t got = text == NULL ? 0 : read(fd, text, size);
	if (text != NULL)
		text[got < 0 ? 0 : got] = '\0';
	return text;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
		a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What another process says. Lock held. */
static void look(struct gx_journal *j)
{
	char path[4096];
	struct stat sb = {0};
	snprintf(path, sizeof(path), "%s/held", j->dir);
	if (stat(path, &sb) != 0) {
		free(j->held);
		j->held = NULL;
		j->held_stat = (struct stat){0};
		return;
	}
	if (j->held != NULL && same(&sb, &j->held_stat))
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &sb) != 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	free(j->held);
	j->held = read_file(fd, (size_t)sb.st_size);
	j->held_stat = sb;
	close(fd);
}

/* ---- For both sides ---- */

void gx_journal__set_held(struct gx_journal *j, const char *text)
{
	char *copy = *text == '\0' ? NULL : strdup(text);
	pthread_mutex_lock(&j->mu);
	free(j->held);
	j->held = copy;
	pthread_mutex_unlock(&j->mu);
	if (j->follow && write_file(j->dir, text) != 0)
		gx_log(j->log, GX_LOG_ERROR, "journal: %s/held cannot be written: %s; delivery-queue goes on taking mail for who cannot be reached",
			j->dir, strerror(errno));
}

bool gx_journal__any_held(struct gx_journal *j)
{
	pthread_mutex_lock(&j->mu);
	if (j->external)
		look(j);
	bool any = j->held != NULL;
	pthread_mutex_unlock(&j->mu);
	return any;
}

bool gx_journal__holds(struct gx_journal *j, uint32_t server, const char *maildir)
{
	pthread_mutex_lock(&j->mu);
	bool yes = j->held != NULL && is_held(j->held, server, maildir);
	pthread_mutex_unlock(&j->mu);
	return yes;
}
