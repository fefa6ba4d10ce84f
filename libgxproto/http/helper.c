/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiate by a program of the system (gss_program), which is spoken to in lines as Squid does: "YR token" begins an exchange, "KK token"
 * goes on; "TT token" wants one more leg, "AF token user" (or "AF user") is who it is, "NA" and "BH" are refusals. A process serves an
 * exchange at a time; when that is over, the next one has it.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <gx/codec.h>
#include "libgxproto/http/http-int.h"

enum { LINE_MOST = 128 << 10, ANSWER_MS = 30000, WORDS_MOST = 32, IDLE_MOST = 8, RUNNING_MOST = 64 };

struct process {
	struct process *next;
	pid_t pid;
	int fd;             /* both its standard input and output */
};

struct gx_http_helper {
	struct gx_http_negotiate ops;
	const struct gx_log *log;
	char *text, *argv[WORDS_MOST + 1];
	pthread_mutex_t lock;
	struct process *idle;
	unsigned nidle, running;
};

struct exchange {
	struct gx_http_helper *h;
	struct process *p;  /* NULL: it has failed */
	bool begun;
};

/* ---- Processes ---- */

static void end_process(struct gx_http_helper *h, struct process *p)
{
	int status;
	close(p->fd);
	kill(p->pid, SIGKILL); /* it keeps nothing, and is not to be waited for */
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	free(p);
	pthread_mutex_lock(&h->lock);
	--h->running;
	pthread_mutex_unlock(&h->lock);
}

static int spawn(struct gx_http_helper *h, int fd, pid_t *ret_pid)
{
	extern char **environ;
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, all;
	sigemptyset(&none);
	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGPIPE);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&fa, fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, fd, STDOUT_FILENO);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	int err = posix_spawnp(ret_pid, h->argv[0], &fa, &attr, h->argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return err;
}

static struct process *start_process(struct gx_http_helper *h)
{
	int fd[2];
	struct process *p = calloc(1, sizeof(*p));
	if (p == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0) {
		free(p);
		return NULL;
	}
	int err = spawn(h, fd[1], &p->pid);
	close(fd[1]);
	if (err == 0) {
		p->fd = fd[0];
		return p;
	}
	gx_log(h->log, GX_LOG_ERROR, "http: gss_program %s cannot be started: %s", h->argv[0], strerror(err));
	close(fd[0]);
	free(p);
	return NULL;
}

static struct process *get_process(struct gx_http_helper *h)
{
	pthread_mutex_lock(&h->lock);
	struct process *p = h->idle;
	bool room = p != NULL || h->running < RUNNING_MOST;
	if (p != NULL) {
		h->idle = p->next;
		--h->nidle;
	} else if (room) {
		++h->running;
	}
	pthread_mutex_unlock(&h->lock);
	if (p != NULL)
		return p;
	if (!room) {
		gx_log(h->log, GX_LOG_WARN, "http: %u exchanges of Negotiate are under way already", (unsigned)RUNNING_MOST);
		return NULL;
	}
	p = start_process(h);
	if (p == NULL) {
		pthread_mutex_lock(&h->lock);
		--h->running;
		pthread_mutex_unlock(&h->lock);
	}
	return p;
}

static void put_process(struct gx_http_helper *h, struct process *p)
{
	pthread_mutex_lock(&h->lock);
	bool keep = h->nidle < IDLE_MOST;
	if (keep) {
		p->next = h->idle;
		h->idle = p;
		++h->nidle;
	}
	pthread_mutex_unlock(&h->lock);
	if (!keep)
		end_process(h, p);
}

/* ---- Lines ---- */

static int send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = send(fd, p, n, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return GX_E_IO;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

/* A line without its end, in @p a. */
static int read_line(int fd, struct gx_arena *a, char **ret_line)
{
	char *line = gx_arena_alloc(a, LINE_MOST);
	size_t n = 0;
	int64_t until = gx_clock_mono_ms(gx_clock_system()) + ANSWER_MS;
	while (line != NULL && n < LINE_MOST) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = until - gx_clock_mono_ms(gx_clock_system());
		int ready = left <= 0 ? 0 : poll(&pfd, 1, (int)left);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return GX_E_TIMEOUT;
		ssize_t got = recv(fd, line + n, LINE_MOST - n, 0);
		if (got <= 0)
			return GX_E_IO;
		n += (size_t)got;
		/* it says one line and waits */
		if (line[n - 1] != '\n')
			continue;
		n -= n >= 2 && line[n - 2] == '\r' ? 2 : 1;
		line[n] = '\0';
		*ret_line = line;
		return strlen(line) == n && strchr(line, '\n') == NULL ? 0 : GX_E_FORMAT;
	}
	return line == NULL ? GX_E_NOMEM : GX_E_LIMIT;
}

static int ask(struct exchange *x, struct gx_bin token, struct gx_arena *a, char **ret_line)
{
	size_t len = gx_base64_enc_len(token.len);
	char *text = gx_arena_alloc(a, len + 5);
	if (text == NULL)
		return GX_E_NOMEM;
	memcpy(text, x->begun ? "KK " : "YR ", 3);
	x->begun = true;
	len = 3 + gx_base64_enc(token.data, token.len, text + 3);
	text[len++] = '\n';
	int err = send_all(x->p->fd, text, len);
	return err != 0 ? err : read_line(x->p->fd, a, ret_line);
}

/* ---- The mechanism ---- */

static void *begin(void *ctx)
{
	struct exchange *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	x->h = ctx;
	x->p = get_process(x->h);
	return x;
}

/* "token user", "* user", "= user" or "user". */
static int accept_user(char *text, struct gx_arena *a, struct gx_bin *ret_out, const char **ret_user)
{
	char *user = strchr(text, ' ');
	if (user == NULL) {
		*ret_user = text;
	} else {
		*user++ = '\0';
		*ret_user = user;
		if (strcmp(text, "*") != 0 && strcmp(text, "=") != 0 && gx_base64_dec(a, text, strlen(text), ret_out) != 0)
			return GX_E_FORMAT;
	}
	return **ret_user == '\0' ? GX_E_FORMAT : 0;
}

static int take_answer(struct exchange *x, char *line, struct gx_arena *a, struct gx_bin *ret_out, const char **ret_user)
{
	char *rest = strlen(line) > 3 ? line + 3 : line + strlen(line);
	if (strncmp(line, "TT ", 3) == 0)
		return gx_base64_dec(a, rest, strlen(rest), ret_out) == 0 ? GX_E_BUSY : GX_E_FORMAT;
	if (strncmp(line, "AF ", 3) == 0)
		return accept_user(rest, a, ret_out, ret_user);
	if (strncmp(line, "NA", 2) == 0)
		return GX_E_INVAL;
	gx_log(x->h->log, GX_LOG_ERROR, "http: gss_program %s says \"%.200s\"", x->h->argv[0], line);
	return strncmp(line, "BH", 2) == 0 ? GX_E_INVAL : GX_E_FORMAT;
}

static int step(void *exchange, struct gx_bin in, struct gx_arena *a, struct gx_bin *ret_out, const char **ret_user)
{
	struct exchange *x = exchange;
	char *line;
	if (x->p == NULL)
		return GX_E_IO;
	int err = ask(x, in, a, &line);
	bool talked = err == 0;
	if (!talked)
		gx_log(x->h->log, GX_LOG_ERROR, "http: gss_program %s does not answer: %s", x->h->argv[0], gx_strerror(err));
	else
		err = take_answer(x, line, a, ret_out, ret_user);
	if (err == GX_E_BUSY)
		return err;
	if (talked && (err == 0 || err == GX_E_INVAL))
		put_process(x->h, x->p);
	else
		end_process(x->h, x->p);
	x->p = NULL;
	return err;
}

static void end(void *exchange)
{
	struct exchange *x = exchange;
	/* in the middle of an exchange nobody else can have it */
	if (x->p != NULL && x->begun)
		end_process(x->h, x->p);
	else if (x->p != NULL)
		put_process(x->h, x->p);
	free(x);
}

int gx_http_helper_new(const char *program, const struct gx_log *log, struct gx_http_helper **ret_h)
{
	unsigned n = 0;
	char *save = NULL;
	struct gx_http_helper *h = program == NULL ? NULL : calloc(1, sizeof(*h));
	if (h == NULL)
		return program == NULL ? GX_E_INVAL : GX_E_NOMEM;
	h->log = log;
	h->text = strdup(program);
	h->ops = (struct gx_http_negotiate){begin, step, end, h, true};
	pthread_mutex_init(&h->lock, NULL);
	for (char *w = h->text == NULL ? NULL : strtok_r(h->text, " \t", &save); w != NULL && n <= WORDS_MOST; w = strtok_r(NULL, " \t", &save)) {
		if (n < WORDS_MOST)
			h->argv[n] = w;
		++n;
	}
	if (n == 0 || n > WORDS_MOST) {
		int err = h->text == NULL ? GX_E_NOMEM : GX_E_INVAL;
		gx_http_helper_free(h);
		return err;
	}
	*ret_h = h;
	return 0;
}

void gx_http_helper_free(struct gx_http_helper *h)
{
	if (h == NULL)
		return;
	while (h->idle != NULL) {
		struct process *p = h->idle;
		h->idle = p->next;
		end_process(h, p);
	}
	pthread_mutex_destroy(&h->lock);
	free(h->text);
	free(h);
}

const struct gx_http_negotiate *gx_http_helper_ops(const struct gx_http_helper *h)
{
	return &h->ops;
}
