/* SPDX-License-Identifier: Apache-2.0 */
/* The program by which mail transfer agents take mail on their own host. */
#include <config.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include "libgxproto/outgoing/outgoing-int.h"

enum { LOOK_MS = 10, FIXED = 5 };

static int start(const struct gx_outgoing *o, const struct gx_envelope *env, int in, pid_t *ret_pid)
{
	sigset_t none;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	const char **v = calloc(env->rcpt_count + FIXED + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	v[0] = o->o.sendmail;
	v[1] = "-i";
	v[2] = "-f";
	v[3] = *env->from == '\0' ? "<>" : env->from;
	v[4] = "--";
	for (size_t i = 0; i < env->rcpt_count; ++i)
		v[FIXED + i] = env->rcpts[i];
	sigemptyset(&none);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
	int err = posix_spawn(ret_pid, v[0], &fa, &at, (char **)(uintptr_t)v, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	free(v);
	if (err == 0)
		return 0;
	gx_log(o->o.log, GX_LOG_ERROR, "outgoing: %s cannot be run: %s; install a mail transfer agent, or set outgoing_smtp_url = smtp://HOST:PORT",
		o->o.sendmail, strerror(err));
	return GX_E_IO;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return GX_E_IO;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Lines end as the program's host ends them. */
static int feed(int fd, struct gx_bin data)
{
	const uint8_t *p = data.data, *end = p + data.len;
	int err = 0;
	while (err == 0 && p < end) {
		const uint8_t *cr = memchr(p, '\r', (size_t)(end - p));
		size_t n = cr == NULL ? (size_t)(end - p) : (size_t)(cr - p);
		bool line = cr != NULL && cr + 1 < end && cr[1] == '\n';
		err = write_all(fd, p, cr != NULL && !line ? n + 1 : n);
		p += cr == NULL ? n : n + 1;
	}
	return err;
}

static int finish(const struct gx_outgoing *o, pid_t pid)
{
	const struct timespec look = {0, LOOK_MS * 1000000L};
	int status;
	for (uint32_t waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited += LOOK_MS) {
		if (waited >= o->o.timeout_ms) {
			kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return GX_E_TIMEOUT;
		}
		nanosleep(&look, NULL);
	}
	if (!WIFEXITED(status))
		return GX_E_IO;
	switch (WEXITSTATUS(status)) {
	case EX_OK: return 0;
	case EX_NOUSER:
	case EX_NOHOST: return GX_E_NOTFOUND;
	case EX_USAGE:
	case EX_DATAERR: return GX_E_INVAL;
	default: return GX_E_BUSY;
	}
}

int gx_outgoing__sendmail(const struct gx_outgoing *o, const struct gx_envelope *env, struct gx_bin data)
{
	int p[2];
	pid_t pid;
	const struct timeval patience = {o->o.timeout_ms / 1000, o->o.timeout_ms % 1000 * 1000};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) != 0)
		return GX_E_IO;
	(void)setsockopt(p[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	int err = start(o, env, p[1], &pid);
	close(p[1]);
	if (err != 0) {
		close(p[0]);
		return err;
	}
	int fed = feed(p[0], data);
	if (fed != 0) /* or it would take half of the mail for all of it */
		kill(pid, SIGKILL);
	close(p[0]);
	err = finish(o, pid);
	if (fed != 0 && err == 0)
		err = fed;
	if (err != 0)
		gx_log(o->o.log, GX_LOG_ERROR, "outgoing: from=<%s>: %s does not take it: %s", env->from, o->o.sendmail, gx_strerror(err));
	return err;
}
