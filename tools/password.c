/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "tools/password.h"
#include "tools/site.h"

enum { MAX_PASSWORD = 511 };

static char *read_line(struct gx_arena *a, const char *prompt)
{
	char buf[MAX_PASSWORD + 3];
	struct termios old, silent;
	bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
	if (tty) {
		silent = old;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		fputs(prompt, stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	char *got = fgets(buf, sizeof(buf), stdin);
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	char *copy = NULL;
	if (got != NULL) {
		buf[strcspn(buf, "\r\n")] = '\0';
		copy = gx_arena_strdup(a, buf);
	}
	explicit_bzero(buf, sizeof(buf));
	return copy;
}

static char *first_line(struct gx_arena *a, const char *file)
{
	char buf[MAX_PASSWORD + 3];
	FILE *f = fopen(file, "re");
	char *got = f == NULL ? NULL : fgets(buf, sizeof(buf), f);
	if (got == NULL)
		complain("%s: %s", file, f == NULL ? strerror(errno) : "the file is empty");
	if (f != NULL)
		fclose(f);
	if (got == NULL)
		return NULL;
	buf[strcspn(buf, "\r\n")] = '\0';
	char *copy = gx_arena_strdup(a, buf);
	explicit_bzero(buf, sizeof(buf));
	return copy;
}

char *password_known(struct gx_arena *a, const char *file, const char *who)
{
	const char *env = getenv("GX_PASSWORD"), *prompt = gx_arena_printf(a, "Password of %s: ", who);
	if (file != NULL)
		return first_line(a, file);
	char *pw = env != NULL ? gx_arena_strdup(a, env) : prompt == NULL ? NULL : read_line(a, prompt);
	if (pw == NULL)
		complain("no password: set GX_PASSWORD, name a file, or write one to stdin");
	return pw;
}

char *password_read(struct gx_arena *a)
{
	const char *env = getenv("GX_PASSWORD");
	char *pw = env != NULL ? gx_arena_strdup(a, env) : read_line(a, "New password: ");
	if (pw == NULL || *pw == '\0') {
		complain("no password: set GX_PASSWORD or write one to stdin");
		return NULL;
	}
	if (strlen(pw) > MAX_PASSWORD) {
		complain("the password is longer than %d bytes", MAX_PASSWORD);
		return NULL;
	}
	if (env == NULL && isatty(STDIN_FILENO)) {
		const char *again = read_line(a, "Once more: ");
		if (again == NULL || strcmp(pw, again) != 0) {
			complain("the two passwords differ");
			return NULL;
		}
	}
	return pw;
}
