/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery and read reports as multipart/report, [MS-OXCMAIL] 2.1.3.6; [RFC 3464], [RFC 3798]. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "mailout-int.h"

static const struct {
	const char *suffix;   /* of a REPORT.* class */
	const char *what;     /* Action of a delivery status, or Disposition type */
	bool disposition;
	const char *status;   /* when the object has none */
} kinds[] = {
	{".NDR", "failed", false, "5.0.0"},
	{".Delayed.DR", "delayed", false, "4.0.0"},
	{".Expanded.DR", "expanded", false, "2.0.0"},
	{".Relayed.DR", "relayed", false, "2.0.0"},
	{".DR", "delivered", false, "2.0.0"},
	{".IPNRN", "displayed", true, NULL},
	{".IPNNRN", "deleted", true, NULL},
};

static int kind_of(const struct gx_msgobj *m)
{
	const char *cls = gx_proplist_str(&m->props, PidTagMessageClass, "");
	size_t len = strlen(cls);
	if (gx_ascii_ncasecmp(cls, "REPORT.", 7) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); ++i) {
		size_t n = strlen(kinds[i].suffix);
		if (len >= n && gx_ascii_casecmp(cls + len - n, kinds[i].suffix) == 0)
			return (int)i;
	}
	return -1;
}

bool gx_mailout__is_status(const struct gx_msgobj *m)
{
	int kind = kind_of(m);
	return kind >= 0 && !kinds[kind].disposition;
}

static void final_recipient(struct gx_mailout *w, const char *address)
{
	struct gx_strbuf b = GX_STRBUF_INIT;
	gx_strbuf_adds(&b, "Final-Recipient: rfc822; ");
	if (address == NULL)
		gx_strbuf_adds(&b, "unknown");
	else
		gx_mailout__addr_spec(&b, address);
	gx_strbuf_adds(&b, "\r\n");
	if (b.err != 0)
		gx_mailout__fail(w, b.err);
	else
		gx_push_bytes(w->out, b.s, b.len);
	gx_strbuf_release(&b);
}

static const char *original(struct gx_mailout *w, const struct gx_proplist *l)
{
	const char *s = gx_proplist_str(l, PidTagOriginalDisplayTo, NULL);
	return s == NULL ? NULL : gx_arena_printf(w->a, "rfc822; %s", s);
}

static void status_of(struct gx_mailout *w, const struct gx_proplist *l, int kind)
{
	int32_t code = gx_proplist_i32(l, PidTagNonDeliveryReportStatusCode, 0);
	final_recipient(w, gx_mailout__address(w, l, PidTagSmtpAddress, PidTagAddressType, PidTagEmailAddress));
	gx_push_printf(w->out, "Action: %s\r\n", kinds[kind].what);
	if (code >= 200 && code <= 599)
		gx_push_printf(w->out, "Status: %d.%d.%d\r\n", (int)code / 100, (int)code / 10 % 10, (int)code % 10);
	else
		gx_push_printf(w->out, "Status: %s\r\n", kinds[kind].status);
	gx_mailout__field_raw(w, "Original-Recipient", original(w, l));
	const char *info = gx_proplist_str(l, PidTagSupplementaryInfo, NULL);
	if (info != NULL && *info != '\0')
		gx_mailout__field_raw(w, "Diagnostic-Code", gx_arena_printf(w->a, "smtp; %s", info));
	const char *mta = gx_proplist_str(l, PidTagRemoteMessageTransferAgent, NULL);
	if (mta != NULL && *mta != '\0')
		gx_mailout__field_raw(w, "Remote-MTA", gx_arena_printf(w->a, "dns; %s", mta));
}

static void delivery_status(struct gx_mailout *w, const struct gx_msgobj *m, int kind)
{
	const char *mta = gx_proplist_str(&m->props, PidTagReportingMessageTransferAgent, "localhost");
	gx_push_str(w->out, "Content-Type: message/delivery-status\r\n\r\n");
	gx_mailout__field_raw(w, "Reporting-MTA", gx_arena_printf(w->a, "dns; %s", mta));
	const struct gx_propval *arrival = gx_proplist_get(&m->props, PidTagDeliverTime);
	if (arrival != NULL && GX_PROP_TYPE(arrival->tag) == PtypTime)
		gx_mailout__field_time(w, "Arrival-Date", arrival->v.time);
	for (size_t i = 0; i < m->rcpt_count; ++i) {
		gx_push_str(w->out, "\r\n");
		status_of(w, &m->rcpts[i], kind);
	}
}

static void disposition(struct gx_mailout *w, const struct gx_msgobj *m, int kind)
{
	const char *who = gx_mailout__address(w, &m->props, PidTagSenderSmtpAddress, PidTagSenderAddressType,
		PidTagSenderEmailAddress);
	const char *id = gx_proplist_str(&m->props, PidTagOriginalMessageId, NULL);
	gx_push_str(w->out, "Content-Type: message/disposition-notification\r\n\r\n");
	final_recipient(w, who);
	gx_mailout__field_raw(w, "Original-Message-ID", id);
	gx_push_printf(w->out, "Disposition: manual-action/MDN-sent-manually; %s\r\n", kinds[kind].what);
}

bool gx_mailout__report(struct gx_mailout *w, const struct gx_msgobj *m)
{
	int kind = kind_of(m);
	if (kind < 0)
		return false;
	const char *b = gx_mailout__boundary(w);
	const char *text = gx_proplist_str(&m->props, PidTagReportText, NULL);
	bool has_html = gx_mailout__has_html(m);
	gx_push_printf(w->out, "Content-Type: multipart/report; report-type=%s;\r\n boundary=\"%s\"\r\n",
		kinds[kind].disposition ? "disposition-notification" : "delivery-status", b);
	gx_mailout__delimiter(w, b, false);
	if (text != NULL)
		gx_mailout__text_part(w, "text/plain", "utf-8", (struct gx_bin){(const uint8_t *)text, strlen(text)});
	else
		gx_mailout__texts(w, m);
	gx_mailout__delimiter(w, b, false);
	if (kinds[kind].disposition)
		disposition(w, m, kind);
	else
		delivery_status(w, m, kind);
	for (size_t i = 0; i < m->att_count; ++i) {
		if (text == NULL && has_html && gx_mailout__is_inline(&m->atts[i]))
			continue;
		gx_mailout__delimiter(w, b, false);
		gx_mailout__attachment(w, &m->atts[i], false);
	}
	gx_mailout__delimiter(w, b, true);
	return true;
}
