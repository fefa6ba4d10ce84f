/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/namedprop.h>
#include "libgxstore/instance/inst-int.h"

/* Which properties follow rules of their own when they are set, and which of them the internet message says. */

struct rule {
	gx_proptag_t tag;
	int rule;
};

/* [MS-OXCMSG] 2.2.1, [MS-OXCPRPT] 2.2.1; by id. */
static const struct rule of_messages[] = {
	{PidTagReadReceiptRequested, GX_RULE_RECEIPT},      /* 0029 */
	{PidTagSubject, GX_RULE_SUBJECT},                   /* 0037 */
	{PidTagSubjectPrefix, GX_RULE_SUBJECT},             /* 003d */
	{PidTagNonReceiptNotificationRequested, GX_RULE_RECEIPT}, /* 0c06 */
	{PidTagDisplayBcc, GX_RULE_COMPUTED},               /* 0e02 */
	{PidTagDisplayCc, GX_RULE_COMPUTED},                /* 0e03 */
	{PidTagDisplayTo, GX_RULE_COMPUTED},                /* 0e04 */
	{PidTagMessageFlags, GX_RULE_NEW},                  /* 0e07 */
	{PidTagMessageSize, GX_RULE_COMPUTED},              /* 0e08 */
	{PidTagParentEntryId, GX_RULE_COMPUTED},            /* 0e09 */
	{PidTagMessageRecipients, GX_RULE_COMPUTED},        /* 0e12 */
	{PidTagMessageAttachments, GX_RULE_COMPUTED},       /* 0e13 */
	{PidTagMessageStatus, GX_RULE_STATUS},              /* 0e17 */
	{PidTagHasAttachments, GX_RULE_COMPUTED},           /* 0e1b */
	{PidTagNormalizedSubject, GX_RULE_SUBJECT},         /* 0e1d */
	{PidTagInternetArticleNumber, GX_RULE_COMPUTED},    /* 0e23 */
	{PidTagRead, GX_RULE_NEW},                          /* 0e69 */
	{PidTagAccess, GX_RULE_COMPUTED},                   /* 0ff4 */
	{PidTagAccessLevel, GX_RULE_COMPUTED},              /* 0ff7 */
	{PidTagMappingSignature, GX_RULE_COMPUTED},         /* 0ff8 */
	{PidTagRecordKey, GX_RULE_COMPUTED},                /* 0ff9 */
	{PidTagStoreRecordKey, GX_RULE_COMPUTED},           /* 0ffa */
	{PidTagStoreEntryId, GX_RULE_COMPUTED},             /* 0ffb */
	{PidTagObjectType, GX_RULE_COMPUTED},               /* 0ffe */
	{PidTagEntryId, GX_RULE_COMPUTED},                  /* 0fff */
	{PidTagBody, GX_RULE_BODY},                         /* 1000 */
	{PidTagRtfCompressed, GX_RULE_BODY},                /* 1009 */
	{PidTagHtml, GX_RULE_BODY},                         /* 1013 */
	{PidTagNativeBody, GX_RULE_BODY},                   /* 1016 */
	{PidTagLastVerbExecuted, GX_RULE_VERB},             /* 1081 */
	{PidTagFlagStatus, GX_RULE_FLAG},                   /* 1090 */
	{PidTagCreationTime, GX_RULE_NEW},                  /* 3007 */
	{PidTagLastModificationTime, GX_RULE_VERSION},      /* 3008 */
	{PidTagSourceKey, GX_RULE_COMPUTED},                /* 65e0 */
	{PidTagParentSourceKey, GX_RULE_COMPUTED},          /* 65e1 */
	{PidTagChangeKey, GX_RULE_VERSION},                 /* 65e2 */
	{PidTagPredecessorChangeList, GX_RULE_VERSION},     /* 65e3 */
	{PidTagHasNamedProperties, GX_RULE_COMPUTED},       /* 664a */
	{PidTagLocalCommitTime, GX_RULE_COMPUTED},          /* 6709 */
	{PidTagFolderId, GX_RULE_COMPUTED},                 /* 6748 */
	{PidTagParentFolderId, GX_RULE_COMPUTED},           /* 6749 */
	{PidTagMid, GX_RULE_VERSION},                       /* 674a */
	{PidTagInstID, GX_RULE_COMPUTED},                   /* 674d */
	{PidTagInstanceNum, GX_RULE_COMPUTED},              /* 674e */
	{PidTagChangeNumber, GX_RULE_VERSION},              /* 67a4 */
	{PidTagAssociated, GX_RULE_VERSION},                /* 67aa */
};

/* [MS-OXCMSG] 2.2.2 */
static const struct rule of_attachments[] = {
	{PidTagAttachSize, GX_RULE_COMPUTED},               /* 0e20 */
	{PidTagAttachNumber, GX_RULE_COMPUTED},             /* 0e21 */
	{PidTagAccess, GX_RULE_COMPUTED},                   /* 0ff4 */
	{PidTagAccessLevel, GX_RULE_COMPUTED},              /* 0ff7 */
	{PidTagMappingSignature, GX_RULE_COMPUTED},         /* 0ff8 */
	{PidTagRecordKey, GX_RULE_COMPUTED},                /* 0ff9 */
	{PidTagStoreRecordKey, GX_RULE_COMPUTED},           /* 0ffa */
	{PidTagStoreEntryId, GX_RULE_COMPUTED},             /* 0ffb */
	{PidTagObjectType, GX_RULE_COMPUTED},               /* 0ffe */
	{PidTagHasNamedProperties, GX_RULE_COMPUTED},       /* 664a */
};

static int by_id(const void *key, const void *elem)
{
	uint16_t k = *(const uint16_t *)key, e = GX_PROP_ID(((const struct rule *)elem)->tag);
	return (k > e) - (k < e);
}

static int find(const struct rule *v, size_t n, gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	const struct rule *r = bsearch(&id, v, n, sizeof(*v), by_id);
	return r == NULL ? GX_RULE_PLAIN : r->rule;
}

int gx_rule__msg(gx_proptag_t tag)
{
	return find(of_messages, sizeof(of_messages) / sizeof(of_messages[0]), tag);
}

int gx_rule__att(gx_proptag_t tag)
{
	return find(of_attachments, sizeof(of_attachments) / sizeof(of_attachments[0]), tag);
}

/* ---- What the internet message says ---- */

/*
 * Of mail it is known which properties become header fields or text; all the rest, flags, categories,
 * follow-up, what programs add, leaves the original as it is. Of other items (appointments,
 * tasks, what a site invents) everything may be shown but what is known to be state.
 */
static const gx_proptag_t mail[] = {
	PidTagMessageClass, PidTagImportance, PidTagPriority, PidTagSensitivity, PidTagClientSubmitTime, PidTagExpiryTime, PidTagReplyTime,
	PidTagSubject, PidTagSubjectPrefix, PidTagNormalizedSubject, PidTagConversationTopic, PidTagConversationIndex, PidTagComment,
	PidTagBody, PidTagHtml, PidTagRtfCompressed, PidTagInternetCodepage, PidTagMessageLocaleId,
	PidTagSenderName, PidTagSenderAddressType, PidTagSenderEmailAddress, PidTagSenderSmtpAddress, PidTagSenderEntryId,
	PidTagSentRepresentingName, PidTagSentRepresentingAddressType, PidTagSentRepresentingEmailAddress,
	PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingEntryId, PidTagReplyRecipientEntries, PidTagReplyRecipientNames,
	PidTagInternetMessageId, PidTagInReplyToId, PidTagInternetReferences, PidTagListHelp, PidTagListSubscribe, PidTagListUnsubscribe,
	PidTagDeferredSendTime, PidTagOriginatorDeliveryReportRequested, PidTagReadReceiptRequested, PidTagReadReceiptName,
	PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress, PidTagAutoResponseSuppress,
	PidTagTnefCorrelationKey, PidTagTransportMessageHeaders, PidTagSenderTelephoneNumber, PidTagVoiceMessageDuration,
	PidTagVoiceMessageSenderName, PidTagFaxNumberOfPages, PidTagVoiceMessageAttachmentOrder, PidTagCallId,
};
static const gx_proptag_t state[] = {
	PidTagMessageFlags, PidTagRead, PidTagMessageStatus, PidTagFlagStatus, PidTagFlagCompleteTime, PidTagFollowupIcon,
	PidTagToDoItemFlags, PidTagIconIndex, PidTagLastVerbExecuted, PidTagLastVerbExecutionTime, PidTagProcessed, PidTagBlockStatus,
	PidTagCreationTime, PidTagLastModificationTime, PidTagLastModifierName, PidTagCreatorName, PidTagChangeKey,
	PidTagPredecessorChangeList, PidTagChangeNumber, PidTagMid, PidTagAssociated, PidTagSearchKey, PidTagTrustSender,
	PidTagNativeBody, PidTagRtfInSync,
};

static bool in(const gx_proptag_t *v, size_t n, gx_proptag_t tag)
{
	for (size_t i = 0; i < n; i++)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

bool gx_rule__is_mail(const struct gx_imsg *m)
{
	static const char *const classes[] = {"IPM.Note", "IPM.Post", "IPM.Schedule"};
	struct gx_propval pv;
	if (!gx_iprops__get(&m->props, PidTagMessageClass, &pv))
		return gx_iprops__find(&m->props, PidTagMessageClass) == NULL; /* "IPM.Note" is what a message is that does not say, [MS-OXCMSG] 2.2.1.3 */
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		size_t n = strlen(classes[i]);
		if (gx_ascii_ncasecmp(pv.v.str, classes[i], n) == 0 && (pv.v.str[n] == '\0' || pv.v.str[n] == '.'))
			return true;
	}
	return false;
}

bool gx_rule__rendered(const struct gx_imsg *m, gx_proptag_t tag)
{
	if (GX_PROP_IS_NAMED(tag))
		return false;
	return gx_rule__is_mail(m) ? in(mail, sizeof(mail) / sizeof(mail[0]), tag) : !in(state, sizeof(state) / sizeof(state[0]), tag);
}

/* Named ones that are state whatever the item is. */
static bool named_state(const struct gx_propname *n)
{
	static const struct gx_propname v[] = {
		GX_STR_INIT(PidNameKeywords), GX_LID_INIT(PidLidReminderSet), GX_LID_INIT(PidLidReminderDelta),
		GX_LID_INIT(PidLidReminderTime), GX_LID_INIT(PidLidReminderSignalTime), GX_LID_INIT(PidLidFlagRequest),
		GX_LID_INIT(PidLidFlagString), GX_LID_INIT(PidLidToDoTitle), GX_LID_INIT(PidLidValidFlagStringProof),
		GX_LID_INIT(PidLidToDoOrdinalDate), GX_LID_INIT(PidLidToDoSubOrdinal), GX_LID_INIT(PidLidSideEffects),
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (gx_propname_equal(n, &v[i]))
			return true;
	return false;
}

int gx_rule__named_rendered(struct gx_txn *t, const struct gx_imsg *m)
{
	bool is_mail = gx_rule__is_mail(m);
	for (size_t i = 0; i < m->nnamed; i++) {
		struct gx_propname n;
		gx_ec ec = gx_store_named_names(t, &m->named[i], 1, t->a, &n);
		if (gx_ec_failed(ec))
			return gx_ec_to_err(ec);
		if (is_mail ? gx_guid_cmp(&n.set, &PS_INTERNET_HEADERS) == 0 : !named_state(&n))
			return 1;
	}
	return 0;
}
