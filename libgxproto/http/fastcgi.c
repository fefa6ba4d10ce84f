/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a request is received before its script is started, in memory or in a file: a slow client does not keep a
 * process of PHP. The answer is streamed.
 */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libgxproto/http/fastcgi.h"
#include "libgxproto/net/net-int.h"

static const char builtin[] =
	"* /sync /usr/share/grommunio-sync php index.php | /run/php-fpm/php-grommunio-sync-fpm.sock\n"
	"* /web /usr/share/grommunio-web php index.php | /run/php-fpm/php-grommunio-web-fpm.sock\n"
	"* /dav /usr/share/grommunio-dav php index.php | /run/php-fpm/php-grommunio-dav-fpm.sock\n";

enum { EXEC_SECONDS = 600, RUNNING_MOST = 200, FLUSH_SIZE = 512 << 10, BODY_MOST = 50 << 20, SOCKET_MOST = 107 };

static int read_map(const char *path, struct http_map *m, struct gx_arena *a, const char **ret_why)
{
	int ret = gx_http__map_read(m, path, builtin, 7, "expected seven words: HOST /PATH /DIRECTORY SUFFIX INDEX HEADER|HEADER /SOCKET", a,
		ret_why);
	for (size_t i = 0; ret == 0 && i < m->lines; ++i) {
		const char *socket = http_map_word(m, i, 6);
		if (http_map_word(m, i, 1)[0] == '/' && http_map_word(m, i, 2)[0] == '/' && socket[0] == '/' && strlen(socket) <= SOCKET_MOST)
			continue;
		*ret_why = gx_arena_printf(a, "%s, line %u: path, directory and socket have to start with a slash, and the socket has at most "
			"%d characters", path == NULL ? "the built-in map" : path, m->numbers[i], SOCKET_MOST);
		gx_http__map_release(m);
		ret = GX_E_FORMAT;
	}
	return ret;
}

int gx_http_fastcgi_new(const struct gx_http_fastcgi_opts *o, struct gx_http_fastcgi **ret_f, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	if (o == NULL || o->size < sizeof(*o) || a == NULL)
		return GX_E_INVAL;
	struct gx_http_fastcgi *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return GX_E_NOMEM;
	if (ret_why == NULL)
		ret_why = &why;
	f->o = *o;
	f->o.exec_seconds = o->exec_seconds != 0 ? o->exec_seconds : EXEC_SECONDS;
	f->o.max_running = o->max_running != 0 ? o->max_running : RUNNING_MOST;
	f->o.flush_size = o->flush_size != 0 ? o->flush_size : FLUSH_SIZE;
	f->o.body_max = o->body_max != 0 ? o->body_max : BODY_MOST;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->ended, NULL);
	pthread_rwlock_init(&f->map_lock, NULL);
	f->map_path = o->map_path == NULL ? NULL : strdup(o->map_path);
	f->server_name = o->server_name == NULL ? NULL : strdup(o->server_name);
	f->spool_dir = strdup(o->spool_dir == NULL ? "/tmp" : o->spool_dir);
	bool lacking = f->spool_dir == NULL || (o->server_name != NULL && f->server_name == NULL) ||
		(o->map_path != NULL && f->map_path == NULL);
	int ret = lacking ? GX_E_NOMEM : read_map(f->map_path, &f->map, a, ret_why);
	if (ret != 0)
		gx_http_fastcgi_free(f);
	else
		*ret_f = f;
	return ret;
}

int gx_http_fastcgi_reload(struct gx_http_fastcgi *f, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	struct http_map m;
	int ret = read_map(f->map_path, &m, a, ret_why != NULL ? ret_why : &why);
	if (ret != 0)
		return ret;
	pthread_rwlock_wrlock(&f->map_lock);
	struct http_map old = f->map;
	f->map = m;
	pthread_rwlock_unlock(&f->map_lock);
	gx_http__map_release(&old);
	return 0;
}

void gx_http_fastcgi_free(struct gx_http_fastcgi *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	while (f->running > 0)
		pthread_cond_wait(&f->ended, &f->lock);
	pthread_mutex_unlock(&f->lock);
	gx_http__map_release(&f->map);
	free(f->server_name);
	free(f->spool_dir);
	free(f->map_path);
	pthread_rwlock_destroy(&f->map_lock);
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->ended);
	free(f);
}

/* ---- Bodies ---- */

static int no_spool(const struct fcgi_job *j)
{
	gx_log(j->f->o.log, GX_LOG_ERROR, "[%llu] fastcgi: cannot keep a body in %s: %s", (unsigned long long)j->r->id, j->f->spool_dir,
		strerror(errno));
	return GX_E_IO;
}

static int spool(struct fcgi_job *j, const void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = write(j->spool, (const uint8_t *)p + done, n - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return no_spool(j);
		done += (size_t)put;
	}
	return 0;
}

static int keep(struct fcgi_job *j, const void *p, size_t n)
{
	j->body_len += n;
	if (j->body_len > j->f->o.body_max)
		return GX_E_LIMIT;
	if (j->spool < 0 && j->body_len <= j->f->o.flush_size) {
		gx_push_bytes(&j->body, p, n);
		return j->body.err;
	}
	if (j->spool < 0) {
		j->spool = open(j->f->spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		int ret = j->spool < 0 ? no_spool(j) : spool(j, j->body.data, j->body.len);
		if (ret != 0)
			return ret;
		gx_push_release(&j->body);
	}
	return spool(j, p, n);
}

static int start(struct fcgi_job *j)
{
	struct gx_http_fastcgi *f = j->f;
	pthread_t t;
	pthread_mutex_lock(&f->lock);
	bool free_place = f->running < f->o.max_running;
	f->running += free_place;
	pthread_mutex_unlock(&f->lock);
	if (!free_place)
		return GX_E_LIMIT;
	pthread_mutex_lock(&j->lock);
	j->started = true;
	pthread_mutex_unlock(&j->lock);
	int ret = gx_net__thread(&t, true, gx_fcgi__run, j);
	if (ret == 0)
		return 0;
	pthread_mutex_lock(&f->lock);
	--f->running;
	pthread_cond_broadcast(&f->ended);
	pthread_mutex_unlock(&f->lock);
	return ret;
}

static int on_body(struct gx_http_req *r, const void *p, size_t n, bool last, void *ctx)
{
	struct fcgi_job *j = ctx;
	int ret = keep(j, p, n);
	if (ret != 0 || !last || start(j) == 0)
		return ret;
	gx_log(j->f->o.log, GX_LOG_WARN, "[%llu] fastcgi: %u scripts run already, %s is refused", (unsigned long long)r->id,
		j->f->o.max_running, r->path);
	gx_http_reply_status(r, 503, NULL);
	return 0;
}

static void free_job(struct fcgi_job *j)
{
	if (j->spool >= 0)
		close(j->spool);
	gx_push_release(&j->body);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->changed);
	free(j);
}

static void on_event(struct gx_http_req *r, unsigned event, void *ctx)
{
	struct fcgi_job *j = ctx;
	if (event == GX_HTTP_EV_DONE) {
		free_job(j);
		return;
	}
	pthread_mutex_lock(&j->lock);
	bool mine = event == GX_HTTP_EV_GONE && !j->started;
	j->gone |= event == GX_HTTP_EV_GONE;
	j->room |= event == GX_HTTP_EV_ROOM;
	/* Wakes the thread, whatever it waits for. */
	if (j->gone && j->fd >= 0)
		shutdown(j->fd, SHUT_RDWR);
	pthread_cond_broadcast(&j->changed);
	pthread_mutex_unlock(&j->lock);
	if (mine)
		gx_http_reply_status(r, 503, NULL);
}

bool gx_http_fastcgi_serve(struct gx_http_fastcgi *f, struct gx_http_req *r)
{
	struct fcgi_script script;
	if (!gx_fcgi__find(f, r, &script))
		return false;
	if (r->content_length > 0 && (uint64_t)r->content_length > f->o.body_max) {
		gx_http_reply_status(r, 413, NULL);
		return true;
	}
	struct fcgi_job *j = calloc(1, sizeof(*j));
	if (j == NULL) {
		gx_http_reply_status(r, 503, NULL);
		return true;
	}
	*j = (struct fcgi_job){.f = f, .r = r, .script = script, .fd = -1, .spool = -1};
	pthread_mutex_init(&j->lock, NULL);
	pthread_cond_init(&j->changed, NULL);
	if (gx_http_hold(r, on_event, j) != 0) {
		free_job(j);
		gx_http_reply_status(r, 500, NULL);
	} else if (gx_http_read_body(r, on_body, j) != 0) {
		gx_log(f->o.log, GX_LOG_ERROR, "[%llu] fastcgi: the route of %s does not stream bodies", (unsigned long long)r->id, r->path);
		gx_http_reply_status(r, 500, NULL);
	}
	return true;
}
