/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets, and who answers on them. */
#include <config.h>
#include <string.h>
#include "daemons/services.h"

bool services_open_tls(struct services *s, const struct service *v, struct gx_tls **ret_tls)
{
	struct gx_tls_opts o = GX_TLS_OPTS_INIT;
	const char *why = NULL;
	bool own = *services_str(s, v->cert) != '\0';
	o.cert_path = services_str(s, own ? v->cert : "tls_certificate_path");
	o.key_path = services_str(s, own ? v->key : "tls_private_key_path");
	o.key_password = services_str(s, own ? v->passwd : "tls_certificate_passwd");
	if (*o.key_password == '\0')
		o.key_password = NULL;
	o.min_proto = services_str(s, "tls_min_proto");
	o.client_ca_path = v->client_ca;
	if (*o.cert_path == '\0' && !v->tls_wanted)
		return true;
	if (*o.cert_path == '\0' || *o.key_path == '\0') {
		gx_log(s->log, GX_LOG_CRIT, "TLS for %s needs a certificate: set %s and %s, or tls_certificate_path and tls_private_key_path",
		       v->name, v->cert, v->key);
		return false;
	}
	int ret = gx_tls_new(&o, ret_tls, s->arena, &why);
	return ret == 0 || services_fail(s, v->name, ret, why);
}

bool services_listen_at(struct services *s, const struct service *v, const char *directive, const char *addrs, struct gx_tls *tls, bool implicit)
{
	const char *const *w = gx_conf_words(s->arena, addrs);
	struct gx_listen_opts o = GX_LISTEN_OPTS_INIT;
	o.factory = v->factory;
	o.tls = tls;
	o.implicit_tls = implicit;
	o.haproxy = v->haproxy != NULL && gx_conf_uint(s->conf, v->haproxy) == 2;
	o.max_conns = (unsigned)gx_conf_uint(s->conf, "context_num");
	o.write_stall_ms = v->stall_ms;
	o.busy_text = v->busy;
	for (; w != NULL && *w != NULL; ++w) {
		const char *why = NULL;
		uint16_t port = 0;
		o.addr = *w;
		/* programs of this host are not told apart */
		o.max_conns_per_ip = **w == '/' ? 0 : (unsigned)gx_conf_uint(s->conf, "conns_per_host");
		int ret = gx_net_listen(s->net, &o, &port, s->arena, &why);
		if (ret != 0) {
			gx_log(s->log, GX_LOG_CRIT, "%s (directive %s, %s)", why != NULL ? why : gx_strerror(ret), directive,
			       gx_conf_origin(s->conf, directive));
			return false;
		}
		daemon_announce(s->d, v->name, *w, port);
	}
	return w != NULL;
}

bool services_listen_on(struct services *s, const struct service *v, const char *directive, struct gx_tls *tls, bool implicit)
{
	return services_listen_at(s, v, directive, services_str(s, directive), tls, implicit);
}

static bool check_haproxy(struct services *s, const char *directive)
{
	if (gx_conf_uint(s->conf, directive) != 1)
		return true;
	gx_log(s->log, GX_LOG_CRIT, "%s: %s = 1: only version 2 of the PROXY protocol is understood; use 2, or 0 for none",
	       gx_conf_origin(s->conf, directive), directive);
	return false;
}

bool services_listen_imap(struct services *s)
{
	struct service v = {
		.name = "imap", .listen = "imap_listen", .listen_tls = "imap_listen_tls", .haproxy = "imap_accept_haproxy",
		.cert = "imap_certificate_path", .key = "imap_private_key_path", .passwd = "imap_certificate_passwd",
		.busy = "* BYE too many connections, try later\r\n", .stall_ms = services_ms(s, "imap_conn_timeout"),
		.tls_wanted = gx_conf_bool(s->conf, "imap_support_tls"),
	};
	struct gx_imap_server *i = &s->imap;
	*i = (struct gx_imap_server)GX_IMAP_SERVER_INIT;
	i->hostname = s->host;
	i->offer_starttls = v.tls_wanted;
	i->require_tls = gx_conf_bool(s->conf, "imap_force_tls");
	i->enable_id = gx_conf_bool(s->conf, "enable_rfc2971_commands");
	i->rfc9051 = gx_conf_bool(s->conf, "imap_rfc9051");
	i->cmd_debug = (int)gx_conf_uint(s->conf, "imap_cmd_debug");
	i->conn_timeout_ms = services_ms(s, "imap_conn_timeout");
	i->autologout_ms = services_ms(s, "imap_autologout_time");
	i->max_auth_tries = (uint32_t)gx_conf_uint(s->conf, "imap_auth_times");
	i->max_literal = gx_conf_uint(s->conf, "mail_max_length");
	gx_imap_factory(&v.factory, i);
	if (i->require_tls && !v.tls_wanted) {
		gx_log(s->log, GX_LOG_CRIT, "imap_force_tls is on, but imap_support_tls is off: nobody could log in; set imap_support_tls = yes");
		return false;
	}
	if (!check_haproxy(s, v.haproxy))
		return false;
	if (v.tls_wanted && !services_open_tls(s, &v, &s->imap_tls))
		return false;
	return services_listen_on(s, &v, v.listen, s->imap_tls, false) && (!v.tls_wanted || services_listen_on(s, &v, v.listen_tls, s->imap_tls, true));
}

static bool set_protocol(struct services *s)
{
	const char *p = services_str(s, "command_protocol");
	s->smtp.lmtp = strcmp(p, "lmtp") == 0 || strcmp(p, "both") == 0;
	s->smtp.smtp = strcmp(p, "smtp") == 0 || strcmp(p, "both") == 0;
	if (s->smtp.lmtp || s->smtp.smtp)
		return true;
	gx_log(s->log, GX_LOG_CRIT, "%s: command_protocol = %s: expected lmtp, smtp or both", gx_conf_origin(s->conf, "command_protocol"), p);
	return false;
}

bool services_listen_smtp(struct services *s)
{
	struct service v = {
		.name = "lmtp", .listen = "lda_listen", .listen_tls = "lda_listen_tls", .haproxy = "lda_support_haproxy",
		.cert = "smtp_certificate_path", .key = "smtp_private_key_path", .passwd = "smtp_certificate_passwd",
		.busy = "421 4.3.2 Too many connections, try later\r\n", .stall_ms = services_ms(s, "smtp_conn_timeout"),
	};
	struct gx_smtp_server *m = &s->smtp;
	*m = (struct gx_smtp_server)GX_SMTP_SERVER_INIT;
	m->hostname = s->host;
	m->offer_starttls = gx_conf_bool(s->conf, "smtp_support_starttls");
	m->require_tls = gx_conf_bool(s->conf, "smtp_force_starttls");
	m->offer_pipelining = gx_conf_bool(s->conf, "smtp_support_pipeline");
	m->max_message = gx_conf_uint(s->conf, "mail_max_length");
	m->max_rcpts = (uint32_t)gx_conf_uint(s->conf, "smtp_max_recipients");
	m->timeout_ms = services_ms(s, "smtp_conn_timeout");
	m->recipient_delimiter = services_str(s, "lda_recipient_delimiter");
	gx_smtp_factory(&v.factory, m);
	/* Port 465 is a default that needs no certificate until somebody asks for it. */
	bool implicit = gx_conf_is_set(s->conf, "lda_listen_tls") && *services_str(s, "lda_listen_tls") != '\0';
	v.tls_wanted = m->offer_starttls || m->require_tls || implicit;
	if (!set_protocol(s) || !check_haproxy(s, v.haproxy) || !services_open_tls(s, &v, &s->smtp_tls))
		return false;
	return services_listen_on(s, &v, v.listen, s->smtp_tls, false) && (s->smtp_tls == NULL || services_listen_on(s, &v, v.listen_tls, s->smtp_tls, true));
}
