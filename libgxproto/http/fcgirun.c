/* SPDX-License-Identifier: Apache-2.0 */
/* One request with a FastCGI server: both directions at once, until it has said that it is through. */
#include <config.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "libgxproto/http/fastcgi.h"

enum { HEAD_MOST = 64 << 10, READ = 64 << 10 };

struct talk {
	struct fcgi_job *j;
	struct gx_http_req *r;
	int fd;
	int64_t until_ms;
	struct gx_push out;
	size_t sent;
	uint64_t body_sent;
	bool body_over, begun, over;
	struct gx_iobuf in;
	struct gx_push head;       /* of the answer, until it is whole */
	const char *why;
	unsigned status;           /* to answer when it goes wrong */
};

static int fail(struct talk *t, unsigned status, const char *why)
{
	t->status = status;
	t->why = why;
	return GX_E_IO;
}

static int left_ms(const struct talk *t)
{
	int64_t left = t->until_ms - gx_clock_mono_ms(gx_clock_system());
	return left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
}

/* ---- The answer ---- */

static int write_all(struct talk *t, const uint8_t *p, size_t n)
{
	struct fcgi_job *j = t->j;
	while (n > 0) {
		size_t part = n < READ ? n : READ;
		int ret = gx_http_stream_write(t->r, p, part);
		if (ret == GX_E_BUSY) {
			pthread_mutex_lock(&j->lock);
			while (!j->room && !j->gone)
				pthread_cond_wait(&j->changed, &j->lock);
			j->room = false;
			pthread_mutex_unlock(&j->lock);
			continue;
		}
		if (ret != 0)
			return fail(t, 502, ret == GX_E_RANGE ? "the script sends more than it has announced" : "the client has hung up");
		p += part;
		n -= part;
	}
	return 0;
}

struct answer {
	unsigned status;
	const char *type;
	int64_t length;
	bool located;
};

static void answer_field(struct talk *t, const char *name, const char *value, struct answer *an)
{
	if (gx_ascii_casecmp(name, "Status") == 0) {
		unsigned long v = strtoul(value, NULL, 10);
		an->status = v >= 200 && v <= 599 ? (unsigned)v : 502;
	} else if (gx_ascii_casecmp(name, "Content-Type") == 0) {
		an->type = value;
	} else if (gx_ascii_casecmp(name, "Content-Length") == 0) {
		char *end;
		unsigned long long v = strtoull(value, &end, 10);
		an->length = *value >= '0' && *value <= '9' && *end == '\0' && v < INT64_MAX ? (int64_t)v : -1;
	} else {
		an->located |= gx_ascii_casecmp(name, "Location") == 0;
		/* What belongs to the connection is the server's and is not taken. */
		(void)!gx_http_set(t->r, name, value);
	}
}

/* @p text of @p n bytes are lines; [RFC 3875] 6.3. */
static int begin_answer(struct talk *t, char *text, size_t n)
{
	struct answer an = {.length = -1};
	for (char *p = text, *end = text + n; p < end;) {
		char *nl = memchr(p, '\n', (size_t)(end - p)), *line = p;
		if (nl == NULL)
			break;
		p = nl + 1;
		*nl = '\0';
		if (nl > line && nl[-1] == '\r')
			nl[-1] = '\0';
		char *colon = strchr(line, ':');
		if (*line == '\0')
			continue;
		if (colon == NULL)
			return fail(t, 502, "the script's answer has a malformed head");
		*colon++ = '\0';
		answer_field(t, line, colon + strspn(colon, " \t"), &an);
	}
	if (an.status == 0)
		an.status = an.located ? 302 : 200;
	t->begun = true;
	return gx_http_stream_begin(t->r, an.status, an.type, an.length) == 0 ? 0 : fail(t, 502, "the client has hung up");
}

/* Length with the empty line, 0: it has not come. */
static size_t head_len(const struct gx_push *h)
{
	for (size_t i = 0; i + 1 < h->len; ++i) {
		if (h->data[i] != '\n')
			continue;
		if (h->data[i + 1] == '\n')
			return i + 2;
		if (i + 2 < h->len && h->data[i + 1] == '\r' && h->data[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

static int take_output(struct talk *t, const uint8_t *p, size_t n)
{
	if (t->begun)
		return write_all(t, p, n);
	gx_push_bytes(&t->head, p, n);
	size_t len = head_len(&t->head);
	if (t->head.err != 0 || (len == 0 && t->head.len > HEAD_MOST))
		return fail(t, 502, "the head of the script's answer is too long");
	if (len == 0)
		return 0;
	int ret = begin_answer(t, (char *)t->head.data, len);
	return ret != 0 ? ret : write_all(t, t->head.data + len, t->head.len - len);
}

static int take_record(struct talk *t, uint8_t type, const uint8_t *p, size_t n)
{
	if (type == FCGI_STDOUT)
		return take_output(t, p, n);
	if (type == FCGI_STDERR && n > 0)
		gx_log(t->j->f->o.log, GX_LOG_WARN, "[%llu] fastcgi: %s: %.*s", (unsigned long long)t->r->id, t->j->script.file,
			(int)(n < 1000 ? n : 1000), (const char *)p);
	if (type != FCGI_END)
		return 0;
	t->over = true;
	if (n < 8 || p[4] != 0)
		return fail(t, 503, "the script's server has refused the request");
	return t->begun ? 0 : fail(t, 502, "the script has ended without an answer");
}

static int take_records(struct talk *t)
{
	int ret = 0;
	while (ret == 0 && !t->over && gx_iobuf_left(&t->in) >= FCGI_HEADER) {
		struct gx_pull c;
		gx_pull_init(&c, gx_iobuf_head(&t->in), gx_iobuf_left(&t->in));
		uint8_t version = gx_pull_u8(&c), type = gx_pull_u8(&c);
		gx_pull_skip(&c, 2);
		uint16_t n = gx_pull_u16be(&c);
		uint8_t padding = gx_pull_u8(&c);
		gx_pull_skip(&c, 1);
		const uint8_t *p = gx_pull_bytes(&c, n);
		gx_pull_skip(&c, padding);
		if (version != 1)
			return fail(t, 502, "the other side does not speak FastCGI");
		if (c.err != 0)
			return 0;
		ret = take_record(t, type, p, n);
		gx_iobuf_consume(&t->in, (size_t)FCGI_HEADER + n + padding);
	}
	return ret;
}

/* ---- The request ---- */

static int fill_out(struct talk *t)
{
	struct fcgi_job *j = t->j;
	uint8_t block[32768];
	if (t->sent < t->out.len || t->body_over)
		return 0;
	gx_push_clear(&t->out);
	t->sent = 0;
	uint64_t left = j->body_len - t->body_sent;
	size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);
	const uint8_t *p = block;
	if (j->spool < 0)
		p = j->body.data + t->body_sent;
	else if (n > 0 && pread(j->spool, block, n, (off_t)t->body_sent) != (ssize_t)n)
		return fail(t, 500, "the body that was kept cannot be read");
	t->body_over = n == 0;
	t->body_sent += n;
	gx_fcgi__put_record(&t->out, FCGI_STDIN, n == 0 ? NULL : p, n);
	return t->out.err == 0 ? 0 : fail(t, 503, "out of memory");
}

static int send_some(struct talk *t)
{
	ssize_t n = send(t->fd, t->out.data + t->sent, t->out.len - t->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		t->sent += (size_t)n;
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return 0;
	/* A script may answer without reading its input. */
	t->body_over = true;
	t->sent = t->out.len;
	return 0;
}

static int receive_some(struct talk *t)
{
	uint8_t *p = gx_iobuf_reserve(&t->in, READ);
	if (p == NULL)
		return fail(t, 503, "out of memory");
	ssize_t n = recv(t->fd, p, READ, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return fail(t, 502, "the script's server has closed the connection");
	gx_iobuf_added(&t->in, (size_t)n);
	return take_records(t);
}

static int talk(struct talk *t)
{
	int ret = 0;
	gx_fcgi__put_head(t->j, &t->out);
	while (ret == 0 && !t->over) {
		ret = fill_out(t);
		bool more = t->sent < t->out.len;
		struct pollfd p = {.fd = t->fd, .events = (short)(POLLIN | (more ? POLLOUT : 0))};
		int n = ret != 0 ? 1 : poll(&p, 1, left_ms(t));
		if (n == 0)
			return fail(t, 504, "the script takes too long");
		if (ret == 0 && more && (p.revents & (POLLOUT | POLLERR)) != 0)
			ret = send_some(t);
		if (ret == 0 && (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			ret = receive_some(t);
	}
	return ret;
}

static int dial(struct talk *t)
{
	struct fcgi_job *j = t->j;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", j->script.socket);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return fail(t, 503, strerror(errno));
	/* With all processes busy and a full queue this waits, as long as a script may take. */
	struct timeval tv = {.tv_sec = j->f->o.exec_seconds};
	setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(t->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		return fail(t, errno == EAGAIN ? 504 : 503, "the script's server cannot be reached");
	/* From here on the end of the client shuts the socket down. */
	pthread_mutex_lock(&j->lock);
	j->fd = t->fd;
	bool gone = j->gone;
	pthread_mutex_unlock(&j->lock);
	return gone ? fail(t, 503, "the client has hung up") : 0;
}

static void hang_up(struct talk *t)
{
	pthread_mutex_lock(&t->j->lock);
	t->j->fd = -1;
	pthread_mutex_unlock(&t->j->lock);
	if (t->fd >= 0)
		close(t->fd);
	gx_push_release(&t->out);
	gx_push_release(&t->head);
	gx_iobuf_release(&t->in);
}

void *gx_fcgi__run(void *job)
{
	struct fcgi_job *j = job;
	struct gx_http_fastcgi *f = j->f;
	struct talk t = {.j = j, .r = j->r, .fd = -1, .until_ms = gx_clock_mono_ms(gx_clock_system()) + (int64_t)f->o.exec_seconds * 1000};
	int ret = dial(&t);
	if (ret == 0)
		ret = talk(&t);
	hang_up(&t);
	if (ret != 0)
		gx_log(f->o.log, GX_LOG_WARN, "[%llu] fastcgi: %s through %s: %s", (unsigned long long)t.r->id, j->script.file,
			j->script.socket, t.why);
	/* The job is gone after this. */
	if (ret == 0)
		gx_http_stream_end(t.r);
	else if (t.begun)
		gx_http_stream_abort(t.r);
	else
		gx_http_reply_status(t.r, t.status, NULL);
	pthread_mutex_lock(&f->lock);
	--f->running;
	pthread_cond_broadcast(&f->ended);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}
