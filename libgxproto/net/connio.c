/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between the socket, the TLS session and the engine's buffers. */
#include <config.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "libgxproto/net/net-int.h"

enum { FIRST_READ = 4096, MOST_READ = 65536, CIPHER_AHEAD = 65536, RECORD = 16384, IOVS = 16 };

static void broken(struct gx_conn *c)
{
	c->dead = true;
	c->can_read = c->can_write = false;
}

/* ---- In ---- */

size_t gx_conn__recv(struct gx_conn *c, void *p, size_t n)
{
	ssize_t got;
	do
		got = recv(c->fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		/* Events come by edges: a short read has emptied the socket, and the end is told by an edge of its own. */
		if ((size_t)got < n && !c->hup)
			c->can_read = false;
		return (size_t)got;
	}
	c->can_read = false;
	if (got == 0)
		c->eof = true;
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		broken(c);
	return 0;
}

/* Reads into @p b at most up to @p max unread bytes. */
static size_t fill(struct gx_conn *c, struct gx_iobuf *b, size_t max)
{
	size_t left = gx_iobuf_left(b);
	if (left >= max)
		return 0;
	size_t want = c->read_size < max - left ? c->read_size : max - left;
	uint8_t *p = gx_iobuf_reserve(b, want);
	if (p == NULL) {
		gx_log(c->net->log, GX_LOG_ERROR, "[%llu] %s: out of memory, connection closed", (unsigned long long)c->io.id, c->io.peer);
		broken(c);
		return 0;
	}
	size_t got = gx_conn__recv(c, p, want);
	gx_iobuf_added(b, got);
	if (got == c->read_size && c->read_size < MOST_READ)
		c->read_size *= 2;
	return got;
}

/* Decrypts what is there into the engine's buffer. */
static bool decrypt(struct gx_conn *c, size_t max)
{
	bool any = false, eof = false;
	while (c->cipher_more && gx_iobuf_left(&c->io.in) < max) {
		uint8_t *p = gx_iobuf_reserve(&c->io.in, RECORD);
		ssize_t got = p == NULL ? GX_E_NOMEM : gx_tls__read(c->tls, p, RECORD, &eof);
		if (got < 0) {
			broken(c);
			return any;
		}
		c->cipher_more = got > 0;
		gx_iobuf_added(&c->io.in, (size_t)got);
		any |= got > 0;
	}
	if (eof)
		c->in_eof = true;
	return any;
}

static bool read_tls(struct gx_conn *c, size_t max)
{
	if (decrypt(c, max))
		return true;
	while (c->can_read && !c->dead && !c->in_eof && gx_iobuf_left(&c->io.in) < max) {
		c->cipher_more = fill(c, gx_tls__cipher_in(c->tls), MOST_READ) > 0;
		if (decrypt(c, max))
			return true;
	}
	/* A peer that hangs up without saying so in the session is taken at its word. */
	c->in_eof |= c->eof && !c->cipher_more;
	return c->in_eof;
}

bool gx_conn__read(struct gx_conn *c, size_t max)
{
	if (c->in_eof || c->dead)
		return false;
	if (c->tls != NULL)
		return read_tls(c, max);
	if (!c->can_read)
		return false;
	bool news = fill(c, &c->io.in, max) > 0;
	c->in_eof = c->eof;
	return news || c->eof;
}

/* ---- Out ---- */

static void free_chunk(struct gx_chunk *k)
{
	free(k->data);
	free(k);
}

void gx_conn__drop_output(struct gx_conn *c)
{
	while (c->out_first != NULL) {
		struct gx_chunk *k = c->out_first;
		c->out_first = k->next;
		free_chunk(k);
	}
	c->out_last = NULL;
	c->io.out_pending = 0;
}

static void made_progress(struct gx_conn *c)
{
	c->stall_deadline = 0;
}

/* @return bytes the socket took. */
static size_t send_iov(struct gx_conn *c, struct iovec *iov, size_t n)
{
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
	size_t total = 0;
	for (size_t i = 0; i < n; ++i)
		total += iov[i].iov_len;
	ssize_t put;
	do
		put = sendmsg(c->fd, &m, MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	if (put < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		broken(c);
		return 0;
	}
	if (put < 0 || (size_t)put < total)
		c->can_write = false;
	if (put > 0)
		made_progress(c);
	return put < 0 ? 0 : (size_t)put;
}

static void flush_cipher(struct gx_conn *c)
{
	struct gx_iobuf *b = gx_tls__cipher_out(c->tls);
	size_t left = gx_iobuf_left(b);
	if (left == 0 || !c->can_write)
		return;
	struct iovec v = {.iov_base = (void *)gx_iobuf_head(b), .iov_len = left};
	gx_iobuf_consume(b, send_iov(c, &v, 1));
}

/* Encrypts and sends while the peer takes it. @return plain bytes taken. */
static size_t send_tls(struct gx_conn *c, const uint8_t *p, size_t n)
{
	size_t done = 0;
	while (done < n && !c->dead) {
		if (gx_iobuf_left(gx_tls__cipher_out(c->tls)) >= CIPHER_AHEAD) {
			flush_cipher(c);
			if (!c->can_write)
				break;
			continue;
		}
		ssize_t took = gx_tls__write(c->tls, p + done, n - done < RECORD ? n - done : RECORD);
		if (took < 0)
			broken(c);
		else
			done += (size_t)took;
	}
	return done;
}

static size_t send_some(struct gx_conn *c, const uint8_t *p, size_t n)
{
	if (c->dead)
		return 0;
	if (c->tls != NULL) {
		size_t took = send_tls(c, p, n);
		flush_cipher(c);
		return took;
	}
	if (!c->can_write)
		return 0;
	struct iovec v = {.iov_base = (void *)p, .iov_len = n};
	return send_iov(c, &v, 1);
}

static void count_pending(struct gx_conn *c)
{
	size_t n = c->tls == NULL ? 0 : gx_iobuf_left(gx_tls__cipher_out(c->tls));
	for (const struct gx_chunk *k = c->out_first; k != NULL; k = k->next)
		n += k->len - k->off;
	c->io.out_pending = n;
}

static int append_chunk(struct gx_conn *c, uint8_t *data, size_t off, size_t len, size_t cap)
{
	struct gx_chunk *k = malloc(sizeof(*k));
	if (k == NULL)
		return GX_E_NOMEM;
	*k = (struct gx_chunk){.data = data, .off = off, .len = len, .cap = cap};
	if (c->out_last != NULL)
		c->out_last->next = k;
	else
		c->out_first = k;
	c->out_last = k;
	return 0;
}

/* The engine's buffer becomes a chunk; small answers behind others are copied into the room there. */
static int keep_output(struct gx_conn *c, size_t sent)
{
	struct gx_push *out = &c->io.out;
	struct gx_chunk *k = c->out_last;
	size_t left = out->len - sent;
	if (k != NULL && left <= k->cap - k->len) {
		memcpy(k->data + k->len, out->data + sent, left);
		k->len += left;
		return 0;
	}
	int ret = append_chunk(c, out->data, sent, out->len, out->cap);
	if (ret == 0)
		*out = (struct gx_push){.limit = out->limit};
	return ret;
}

void gx_conn__take_output(struct gx_conn *c)
{
	struct gx_push *out = &c->io.out;
	if (out->err != 0) {
		gx_log(c->net->log, GX_LOG_ERROR, "[%llu] %s: answer dropped and connection closed: %s",
		       (unsigned long long)c->io.id, c->io.peer, gx_strerror(out->err));
		broken(c);
	}
	if (out->len > 0 && !c->dead) {
		gx_conn__flush(c);
		size_t sent = c->out_first == NULL ? send_some(c, out->data, out->len) : 0;
		if (sent < out->len && !c->dead && keep_output(c, sent) != 0)
			broken(c);
	}
	gx_push_clear(out);
	count_pending(c);
}

static void flush_plain(struct gx_conn *c)
{
	while (c->out_first != NULL && c->can_write) {
		struct iovec v[IOVS];
		size_t n = 0;
		for (struct gx_chunk *k = c->out_first; k != NULL && n < IOVS; k = k->next)
			v[n++] = (struct iovec){.iov_base = k->data + k->off, .iov_len = k->len - k->off};
		size_t put = send_iov(c, v, n);
		while (put > 0) {
			struct gx_chunk *k = c->out_first;
			size_t part = put < k->len - k->off ? put : k->len - k->off;
			k->off += part;
			put -= part;
			if (k->off < k->len)
				break;
			c->out_first = k->next;
			free_chunk(k);
		}
		if (c->out_first == NULL)
			c->out_last = NULL;
	}
}

static void flush_tls(struct gx_conn *c)
{
	flush_cipher(c);
	while (c->out_first != NULL && c->can_write && !c->dead) {
		struct gx_chunk *k = c->out_first;
		k->off += send_tls(c, k->data + k->off, k->len - k->off);
		if (k->off == k->len) {
			c->out_first = k->next;
			if (c->out_first == NULL)
				c->out_last = NULL;
			free_chunk(k);
		}
		if (c->out_first == NULL || gx_iobuf_left(gx_tls__cipher_out(c->tls)) >= CIPHER_AHEAD)
			flush_cipher(c);
	}
}

bool gx_conn__has_output(const struct gx_conn *c)
{
	return c->out_first != NULL || (c->tls != NULL && gx_iobuf_left(gx_tls__cipher_out(c->tls)) > 0);
}

void gx_conn__flush(struct gx_conn *c)
{
	if (c->dead || !c->can_write || !gx_conn__has_output(c))
		return;
	if (c->tls != NULL)
		flush_tls(c);
	else
		flush_plain(c);
	count_pending(c);
}
