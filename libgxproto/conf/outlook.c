/* SPDX-License-Identifier: Apache-2.0 */
/* Outlook's sessions, and what it is told, by the directives of the groups EMS and DISCOVER. */
#include <config.h>
#include <limits.h>
#include <string.h>
#include <gx/autodiscover.h>
#include <gx/directives.h>
#include <gx/emsmdb.h>
#include <gx/nsp.h>

static int invalid(const struct gx_conf *c, const struct gx_log *log, const char *key, const char *expected)
{
	gx_log(log, GX_LOG_CRIT, "%s: %s = %s: expected %s", gx_conf_origin(c, key), key, gx_conf_str(c, key), expected);
	return GX_E_INVAL;
}

static int threshold(const struct gx_conf *c, const struct gx_log *log, long *ret_n)
{
	uint64_t n;
	const char *text = gx_conf_str(c, "emsmdb_compress_threshold");
	if (strcmp(text, "-1") == 0) {
		*ret_n = -1;
		return 0;
	}
	if (gx_conf_parse_size(text, &n) != 0 || n > LONG_MAX)
		return invalid(c, log, "emsmdb_compress_threshold", "a size, or -1 for no compression");
	*ret_n = (long)n;
	return 0;
}

int gx_directives_ems(const struct gx_conf *c, const struct gx_log *log, struct gx_ems_opts *o)
{
	long n = -1;
	int err = threshold(c, log, &n);
	if (err != 0)
		return err;
	o->org_name = gx_conf_str(c, "x500_org_name");
	o->max_sessions = (unsigned)gx_conf_uint(c, "ems_max_active_sessions");
	o->max_users = (unsigned)gx_conf_uint(c, "ems_max_active_users");
	o->max_user_sessions = (unsigned)gx_conf_uint(c, "emsmdb_max_cxh_per_user");
	o->max_object = gx_conf_uint(c, "mail_max_length");
	o->max_ext_rule = (uint32_t)gx_conf_uint(c, "max_ext_rule_length");
	o->folders_go = !gx_conf_bool(c, "emsmdb_private_folder_softdelete");
	o->max_rcpts = (unsigned)gx_conf_uint(c, "max_rcpt_num");
	o->max_handles = (unsigned)gx_conf_uint(c, "emsmdb_max_obh_per_session");
	o->max_subscriptions = (unsigned)gx_conf_uint(c, "ems_max_active_notifh");
	o->max_notes = (unsigned)gx_conf_uint(c, "ems_max_pending_sesnotif");
	o->rop_chaining = (unsigned)gx_conf_uint(c, "emsmdb_rop_chaining");
	o->compress_threshold = n;
	o->rop_debug = (unsigned)gx_conf_uint(c, "rop_debug");
	return 0;
}

void gx_directives_nsp(const struct gx_conf *c, struct gx_nsp_opts *o)
{
	o->org_name = gx_conf_str(c, "x500_org_name");
	o->cache_ms = (uint32_t)gx_conf_uint(c, "cache_interval") * 1000;
	o->trace = (unsigned)gx_conf_uint(c, "nsp_trace");
}

/* Four numbers of digits, [MS-OXCMAPIHTTP] 2.2.3.3.7. */
const char *gx_directives_server_version(const struct gx_conf *c, const struct gx_log *log)
{
	static const uint8_t most[] = {2, 2, 4, 4};
	const char *text = gx_conf_str(c, "reported_server_version"), *p = text;
	for (unsigned i = 0; i < 4; ++i) {
		size_t n = strspn(p, "0123456789");
		if (n == 0 || n > most[i] || p[n] != (i < 3 ? '.' : '\0')) {
			(void)invalid(c, log, "reported_server_version", "four numbers, as in 15.00.0847.4040");
			return NULL;
		}
		p += n + (i < 3);
	}
	return text;
}

int gx_directives_discover(const struct gx_conf *c, const struct gx_log *log, struct gx_arena *a, struct gx_disco_opts *o)
{
	unsigned mh, rpch;
	uint32_t services;
	const char *exonym = gx_conf_str(c, "oxdisco_exonym");
	if (gx_disco_parse_whom(gx_conf_str(c, "oxdisco_advertise_mh"), &mh) != 0)
		return invalid(c, log, "oxdisco_advertise_mh", "yes, no, not_old_mso or only_new_mso");
	if (gx_disco_parse_whom(gx_conf_str(c, "oxdisco_advertise_rpch"), &rpch) != 0)
		return invalid(c, log, "oxdisco_advertise_rpch", "services, yes, no, only_old_mso or not_new_mso");
	if (gx_disco_parse_services(gx_conf_str(c, "oxdisco_services"), &services) != 0)
		return invalid(c, log, "oxdisco_services", "some of ews, oab, eas and web");
	o->exonym = *exonym != '\0' ? exonym : gx_directives_host(c, a);
	o->server_version = gx_directives_server_version(c, log);
	if (o->exonym == NULL || o->server_version == NULL)
		return o->exonym == NULL ? GX_E_NOMEM : GX_E_INVAL;
	o->org_name = gx_conf_str(c, "x500_org_name");
	o->advertise_mh = mh;
	o->advertise_rpch = rpch;
	o->services = services;
	o->pretty = gx_conf_bool(c, "oxdisco_pretty_response");
	o->log_requests = gx_conf_bool(c, "oxdisco_request_logging");
	o->log_responses = gx_conf_bool(c, "oxdisco_response_logging");
	o->validate_second = gx_conf_bool(c, "oxdisco_validate_scndrequest");
	o->mail_servers = gx_conf_str(c, "oxdisco_mail_servers");
	return 0;
}
