/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <nettle/md5.h>
#include <gx/charset.h>
#include "libgxstore/message/msg-int.h"

/* Which conversation a message belongs to, [MS-OXOMSG] 2.2.1.2. */

enum {
	ID_LEN = 16,
	INDEX_HEAD = 22
}; /* [MS-OXOMSG] 2.2.1.3: five bytes of time and one reserved stand before the GUID */

static int give(struct gx_msg_view *v, struct gx_propval *pv, const uint8_t *id)
{
	const uint8_t *p = gx_arena_memdup(v->a, id, ID_LEN);
	*pv = (struct gx_propval){.tag = PidTagConversationId, .v.bin = {p, ID_LEN}};
	return p == NULL ? GX_E_NOMEM : 0;
}

static int hash_topic(struct gx_msg_view *v, const char *topic, struct gx_propval *pv)
{
	struct md5_ctx md5;
	struct gx_bin text;
	uint8_t id[ID_LEN];
	char *fold = gx_fold__key(v->a, topic);
	if (fold == NULL || gx_utf8_to_utf16le(v->a, fold, false, &text) != 0)
		return GX_E_NOMEM;
	md5_init(&md5);
	md5_update(&md5, text.len, text.data);
	md5_digest(&md5, sizeof(id), id);
	return give(v, pv, id);
}

/* The GUID of the index when it is tracked, else a hash of the topic. */
int gx_msg__conversation(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	const struct gx_propval *have = gx_proplist_get(v->stored, PidTagConversationId);
	const struct gx_propval *tracked = gx_proplist_get(v->stored, PidTagConversationIndexTracking);
	const struct gx_propval *index = gx_proplist_get(v->stored, PidTagConversationIndex);
	const char *topic = gx_proplist_str(v->stored, PidTagConversationTopic, NULL);
	struct gx_propval subject;
	(void)tag;
	if (have != NULL) {
		*pv = *have;
		return 0;
	}
	if (tracked != NULL && tracked->v.b && index != NULL && index->v.bin.len >= INDEX_HEAD)
		return give(v, pv, index->v.bin.data + INDEX_HEAD - ID_LEN);
	if (topic != NULL)
		return hash_topic(v, topic, pv);
	int err = gx_msg__computed(v, PidTagNormalizedSubject, &subject);
	return err != 0 ? err : hash_topic(v, subject.v.str, pv);
}
