/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "headermap.h"

/* [MS-OXCMAIL] 2.1.3.1.5 and 2.2.3.1.6 */
static const struct gx_hdr_word importance[] = {
	{"low", 0}, {"normal", 1, true}, {"high", 2}, {NULL}};
static const struct gx_hdr_word x_priority[] = {
	{"1", 2}, {"2", 2}, {"3", 1, true}, {"5", 0}, {"4", 0}, {"highest", 2}, {"high", 2}, {"normal", 1}, {"low", 0},
	{"lowest", 0}, {NULL}};
static const struct gx_hdr_word priority[] = {
	{"normal", 0, true}, {"urgent", 1}, {"non-urgent", -1}, {NULL}};
static const struct gx_hdr_word msmail_priority[] = {
	{"high", 2}, {"normal", 1, true}, {"low", 0}, {NULL}};
static const struct gx_hdr_word sensitivity[] = {
	{"Normal", 0, true}, {"Personal", 1}, {"Private", 2}, {"Company-Confidential", 3}, {NULL}};
static const struct gx_hdr_word sender_id[] = { /* [MS-OXOMSG] 2.2.1.80 */
	{"Neutral", 1}, {"Pass", 2}, {"Fail", 3}, {"SoftFail", 4}, {"None", 5}, {"TempError", 6}, {"PermError", 7}, {NULL}};

const struct gx_hdr_map gx_hdr__map[] = {
	{"Message-ID", GX_HDR_RAW, GX_HDR_IMPORT, PidTagInternetMessageId}, /* written with a fallback, mailout.c */
	{"In-Reply-To", GX_HDR_RAW, GX_HDR_BOTH, PidTagInReplyToId},
	{"References", GX_HDR_RAW, GX_HDR_BOTH, PidTagInternetReferences},
	{"Thread-Topic", GX_HDR_TEXT, GX_HDR_BOTH, PidTagConversationTopic},
	{"Thread-Index", GX_HDR_BASE64, GX_HDR_BOTH, PidTagConversationIndex},
	{"Importance", GX_HDR_ENUM, GX_HDR_BOTH, PidTagImportance, importance},
	{"X-Priority", GX_HDR_ENUM, GX_HDR_BOTH, PidTagImportance, x_priority},
	{"X-MSMail-Priority", GX_HDR_ENUM, GX_HDR_IMPORT, PidTagImportance, msmail_priority},
	{"Priority", GX_HDR_ENUM, GX_HDR_BOTH, PidTagPriority, priority},
	{"Sensitivity", GX_HDR_ENUM, GX_HDR_BOTH, PidTagSensitivity, sensitivity},
	{"Comments", GX_HDR_TEXT, GX_HDR_BOTH, PidTagComment},
	{"Expires", GX_HDR_TIME, GX_HDR_BOTH, PidTagExpiryTime},
	{"Expiry-Date", GX_HDR_TIME, GX_HDR_IMPORT, PidTagExpiryTime},
	{"Reply-By", GX_HDR_TIME, GX_HDR_BOTH, PidTagReplyTime},
	{"Deferred-Delivery", GX_HDR_TIME, GX_HDR_BOTH, PidTagDeferredSendTime},
	{"X-Message-Completed", GX_HDR_TIME, GX_HDR_BOTH, PidTagFlagCompleteTime},
	{"List-Help", GX_HDR_RAW, GX_HDR_BOTH, PidTagListHelp},
	{"List-Subscribe", GX_HDR_RAW, GX_HDR_BOTH, PidTagListSubscribe},
	{"List-Unsubscribe", GX_HDR_RAW, GX_HDR_BOTH, PidTagListUnsubscribe},
	{"X-MS-Exchange-Organization-SCL", GX_HDR_INT, GX_HDR_BOTH, PidTagContentFilterSpamConfidenceLevel},
	{"X-MS-Exchange-Organization-PCL", GX_HDR_INT, GX_HDR_IMPORT, PidTagContentFilterPhishingConfidenceLevel},
	{"X-MS-Exchange-Organization-SenderIdResult", GX_HDR_ENUM, GX_HDR_IMPORT, PidTagSenderIdStatus, sender_id},
	{"X-CallingTelephoneNumber", GX_HDR_TEXT, GX_HDR_BOTH, PidTagSenderTelephoneNumber},
	{"X-VoiceMessageDuration", GX_HDR_INT, GX_HDR_BOTH, PidTagVoiceMessageDuration},
	{"X-VoiceMessageSenderName", GX_HDR_TEXT, GX_HDR_BOTH, PidTagVoiceMessageSenderName},
	{"X-FaxNumberOfPages", GX_HDR_INT, GX_HDR_BOTH, PidTagFaxNumberOfPages},
	{"X-AttachmentOrder", GX_HDR_TEXT, GX_HDR_BOTH, PidTagVoiceMessageAttachmentOrder},
	{"X-CallID", GX_HDR_TEXT, GX_HDR_BOTH, PidTagCallId},
	{NULL},
};

const struct gx_hdr_map *gx_hdr__find(const char *name)
{
	for (const struct gx_hdr_map *m = gx_hdr__map; m->name != NULL; ++m)
		if ((m->dir & GX_HDR_IMPORT) && gx_ascii_casecmp(m->name, name) == 0)
			return m;
	return NULL;
}

bool gx_hdr__is_own(const char *name)
{
	static const char *const others[] = {"from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id",
		"mime-version", "keywords", "disposition-notification-to", "return-receipt-to", "x-auto-response-suppress",
		"x-message-flag", "x-ms-has-attach", "x-ms-tnef-correlator", "x-unsent", "received", "return-path"};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); ++i)
		if (gx_ascii_casecmp(name, others[i]) == 0)
			return true;
	if (gx_ascii_ncasecmp(name, "content-", 8) == 0 && gx_ascii_casecmp(name, "content-class") != 0)
		return true;
	for (const struct gx_hdr_map *h = gx_hdr__map; h->name != NULL; ++h)
		if (gx_ascii_casecmp(name, h->name) == 0)
			return true;
	return false;
}
