/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/http/relay.h"

enum { MAX_IDLE = 64, IDLE_MS = 60000, ANSWER_MS = 600000, STOP_MS = 1000 };

int gx_http_relay_new(const struct gx_http_relay_opts *o, struct gx_http_relay **ret_x)
{
	struct gx_dialer_opts d = GX_DIALER_OPTS_INIT;
	if (o == NULL || o->size < sizeof(*o) || o->net == NULL || o->locate == NULL || ret_x == NULL)
		return GX_E_INVAL;
	struct gx_http_relay *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return GX_E_NOMEM;
	x->o = *o;
	if (x->o.clock == NULL)
		x->o.clock = gx_clock_system();
	if (x->o.max_idle == 0)
		x->o.max_idle = MAX_IDLE;
	if (x->o.idle_ms == 0)
		x->o.idle_ms = IDLE_MS;
	if (x->o.answer_ms == 0)
		x->o.answer_ms = ANSWER_MS;
	d.factory = (struct gx_engine_factory){&gx_relay__ops, gx_relay__conn_new, NULL};
	int err = pthread_mutex_init(&x->lock, NULL) != 0 ? GX_E_NOMEM : 0;
	if (err == 0 && (err = gx_net_dialer(o->net, &d, &x->dialer)) != 0)
		pthread_mutex_destroy(&x->lock);
	if (err != 0)
		free(x);
	else
		*ret_x = x;
	return err;
}

void gx_http_relay_free(struct gx_http_relay *x)
{
	if (x == NULL)
		return;
	pthread_mutex_destroy(&x->lock);
	free(x);
}

void gx_http_relay_stats(struct gx_http_relay *x, struct gx_http_relay_stats *ret_s)
{
	pthread_mutex_lock(&x->lock);
	*ret_s = (struct gx_http_relay_stats){x->busy, x->nidle, x->total, x->dialled};
	pthread_mutex_unlock(&x->lock);
}

/* ---- Connections ---- */

void gx_relay__unlist(struct gx_http_relay *x, struct relay_conn *c)
{
	struct relay_conn **at = &x->idle;
	while (*at != NULL && *at != c)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = c->next;
	--x->nidle;
}

/* With the lock: a kept connection to that address begins with the job. */
static bool take_idle(struct gx_http_relay *x, struct relay_job *j)
{
	struct relay_conn *c = x->idle;
	while (c != NULL && strcmp(c->addr, j->addr) != 0)
		c = c->next;
	if (c == NULL)
		return false;
	gx_relay__unlist(x, c);
	c->reused = true;
	c->job = j;
	j->c = c;
	++x->busy;
	gx_io_wake(c->io);
	return true;
}

int gx_relay__engage(struct gx_http_relay *x, struct relay_job *j, bool fresh)
{
	pthread_mutex_lock(&x->lock);
	bool taken = !fresh && take_idle(x, j);
	x->dialled += !taken;
	pthread_mutex_unlock(&x->lock);
	return taken ? 0 : gx_net_dial(x->dialer, j->addr, j);
}

/* ---- Requests ---- */

void gx_http_relay_absent(struct gx_http_req *r, int err)
{
	if (err == GX_E_TIMEOUT) {
		gx_http_reply_status(r, 504, NULL);
		return;
	}
	if (err == GX_E_FORMAT) {
		gx_http_reply_status(r, 502, NULL);
		return;
	}
	/* Without memory for the header the client comes back when it likes. */
	(void)!gx_http_set(r, "Retry-After", "10");
	gx_http_reply_status(r, 503, NULL);
}

/* Every client comes back while an owner is away. */
static void complain(struct relay_job *j, int err)
{
	struct gx_http_relay *x = j->x;
	unsigned more;
	pthread_mutex_lock(&x->lock);
	bool say = gx_quiet__say(&x->failures, gx_clock_mono_ms(x->o.clock), &more);
	pthread_mutex_unlock(&x->lock);
	if (say)
		gx_log(x->o.log, GX_LOG_WARN, "[%llu] http: %s cannot be handed on to %s: %s (%u more since the last such message)",
			(unsigned long long)j->r->id, j->r->path, j->addr == NULL ? "its owner" : j->addr,
			err == GX_E_NOTFOUND ? "nobody listens there" : err == GX_E_IO ? "it hung up without an answer" :
			err == GX_E_TIMEOUT ? "it takes too long" : gx_strerror(err), more);
}

static void tell_absent(struct relay_job *j, int err)
{
	struct gx_http_relay *x = j->x;
	if (x->o.absent != NULL)
		x->o.absent(j->r, err, x->o.ctx);
	else
		gx_http_relay_absent(j->r, err);
}

static void answer_absent(struct relay_job *j, int err)
{
	if (err != GX_E_STATE) /* it is this server that ends */
		complain(j, err);
	tell_absent(j, err);
}

void gx_relay__failed(struct relay_job *j, bool begun, bool again, int err)
{
	pthread_mutex_lock(&j->x->lock);
	bool gone = j->gone;
	pthread_mutex_unlock(&j->x->lock);
	if (begun) {
		gx_http_stream_abort(j->r);
	} else if (gone) {
		tell_absent(j, GX_E_STATE);
	} else if (again && !j->retried) {
		j->retried = true;
		err = gx_relay__engage(j->x, j, true);
		if (err != 0)
			answer_absent(j, err);
	} else {
		answer_absent(j, err);
	}
}

static void on_event(struct gx_http_req *r, unsigned event, void *ctx)
{
	struct relay_job *j = ctx;
	if (event == GX_HTTP_EV_DONE)
		return;
	/* Requests that wait could keep the server from ending for minutes. */
	if (event == GX_HTTP_EV_STOP && j->x->o.cut == NULL)
		gx_http_timer(r, STOP_MS);
	pthread_mutex_lock(&j->x->lock);
	j->stopping |= event == GX_HTTP_EV_STOP;
	j->gone |= event == GX_HTTP_EV_GONE || event == GX_HTTP_EV_TIMER;
	if (j->c != NULL)
		gx_io_wake(j->c->io);
	pthread_mutex_unlock(&j->x->lock);
}

void gx_http_relay_serve(struct gx_http_relay *x, struct gx_http_req *r)
{
	struct relay_job *j = gx_arena_new_obj(r->arena, struct relay_job);
	if (j == NULL) {
		gx_http_reply_status(r, 503, NULL);
		return;
	}
	*j = (struct relay_job){.x = x, .r = r};
	pthread_mutex_lock(&x->lock);
	++x->total;
	pthread_mutex_unlock(&x->lock);
	int err = x->o.locate(r, &j->addr, x->o.ctx);
	if (err == 0 && gx_http_hold(r, on_event, j) != 0) {
		gx_http_reply_status(r, 500, NULL);
		return;
	}
	if (err == 0)
		err = gx_relay__engage(x, j, false);
	if (err != 0)
		answer_absent(j, err);
}
