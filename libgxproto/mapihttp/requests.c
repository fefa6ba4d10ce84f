/* SPDX-License-Identifier: Apache-2.0 */
/* The mailbox's request types, [MS-OXCMAPIHTTP] 2.2.4 and 2.2.6. */
#include <config.h>
#include <stdio.h>
#include "libgxproto/mapihttp/mapihttp-int.h"

/* What Exchange tells clients: how often to poll, [MS-OXCRPC] 3.1.4.1. */
enum { ADMINISTRATIVE = 0x1 };
enum { POLLS_MAX = 60000, RETRY_COUNT = 6, RETRY_DELAY = 10000, OUT_MAX = 0x40000 };

/* "Outlook/15.0.4420.1017"; what is no number is 0. */
static void client_version(const struct gx_mh_call *c, uint16_t ret_v[3])
{
	unsigned v[4] = {0};
	const char *s = gx_http_header(c->r, "X-ClientApplication");
	(void)sscanf(s, "%*31[^/]/%5u.%5u.%5u.%5u", &v[0], &v[1], &v[2], &v[3]);
	ret_v[0] = (uint16_t)v[0];
	ret_v[1] = (uint16_t)v[2];
	ret_v[2] = (uint16_t)v[3];
}

/* What a client says of itself is nothing to refuse a request for. */
static void hear(struct gx_mh_call *c, struct gx_bin aux)
{
	int err = gx_ems_session_hear(c->s, aux, c->r->arena);
	if (err != 0)
		gx_log(c->m->o.log, GX_LOG_DEBUG, "mapihttp: auxiliary buffer of %s: %s", c->r->user, gx_strerror(err));
}

void gx_mh__connect(struct gx_mh_call *c)
{
	const struct gx_mh_connect_req *q = c->q;
	struct gx_ems_connect o = GX_EMS_CONNECT_INIT;
	struct gx_ems_connected made = {"", "", {0}};
	struct gx_bin aux = {0};
	if (gx_guid_random(&o.id) != 0 || gx_guid_random(&o.turn) != 0) {
		gx_mh__refuse(c, GX_MHC_UNKNOWN_FAILURE, NULL);
		return;
	}
	c->promised = &o.id;
	c->sequence = o.turn;
	if (!gx_mh__announce(c))
		return;
	o.user = c->r->user;
	o.user_dn = q->user_dn;
	o.admin = q->flags & ADMINISTRATIVE;
	o.code_page = q->default_code_page;
	client_version(c, o.client_version);
	gx_ec ec = gx_ems_session_new(c->m->o.ems, &o, c->r->arena, &c->s, &made);
	if (!gx_ec_failed(ec))
		hear(c, q->auxiliary_buffer);
	if (!gx_ec_failed(ec) && gx_ems_introduce(c->m->o.ems, c->r->arena, &aux) != 0)
		aux = (struct gx_bin){0}; /* nothing depends on it */
	const struct gx_mh_connect_res res = {.error_code = ec.v, .polls_max = POLLS_MAX, .retry_count = RETRY_COUNT, .retry_delay = RETRY_DELAY,
		.dn_prefix = made.dn_prefix, .display_name = made.display_name, .auxiliary_buffer = aux};
	gx_mh__answer_in_chunks(c, &res);
}

void gx_mh__execute(struct gx_mh_call *c)
{
	const struct gx_mh_execute_req *q = c->q;
	struct gx_mh_execute_res res = {0};
	(void)gx_mh__begin(c); /* what is asked is done even when nobody hears of it */
	hear(c, q->auxiliary_buffer);
	gx_ec ec = gx_ems_execute(c->s, q->flags, q->rop_buffer, q->max_rop_out < OUT_MAX ? q->max_rop_out : OUT_MAX, c->r->arena, &res.rop_buffer);
	res.error_code = ec.v;
	gx_mh__finish(c, &res);
}

void gx_mh__disconnect(struct gx_mh_call *c)
{
	static const struct gx_mh_disconnect_res res;
	(void)gx_mh__begin(c);
	gx_ems_session_end(c->s);
	gx_mh__finish(c, &res);
}

void gx_mh__ping(struct gx_mh_call *c)
{
	(void)gx_mh__begin(c);
	gx_mh__finish(c, NULL);
}

/* ---- NotificationWait: kept without a thread ---- */

static void end_wait(struct gx_mh_call *c)
{
	const struct gx_mh_notification_wait_res res = {.event_pending = gx_ems_session_unwait(c->s, &c->waiter)};
	gx_mh__finish(c, &res);
}

static void wake(void *ctx)
{
	struct gx_mh_call *c = ctx;
	gx_http_timer(c->r, 1);
}

/* The time is over, or something has come; or the client has gone, or the server will. */
static void wait_event(struct gx_http_req *r, unsigned event, void *ctx)
{
	if (event != GX_HTTP_EV_DONE && event != GX_HTTP_EV_ROOM)
		end_wait(ctx);
}

void gx_mh__wait(struct gx_mh_call *c)
{
	c->waiter = (struct gx_ems_waiter){.wake = wake, .ctx = c};
	if (gx_http_hold(c->r, wait_event, c) != 0) {
		gx_mh__refuse(c, GX_MHC_UNKNOWN_FAILURE, NULL);
		return;
	}
	if (!gx_mh__begin(c)) /* GONE comes, or has come */
		return;
	gx_http_timer(c->r, c->m->o.wait_ms);
	gx_ems_session_wait(c->s, &c->waiter);
}
