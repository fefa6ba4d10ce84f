/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_ATTACHMENT_H
#define GX_EMSMDB_ATTACHMENT_H
/* Attachments, which handles stand for until they are saved into their message, and their table. [MS-OXCMSG] 3.2.5 */
#include "libgxproto/emsmdb/kinds.h"

struct gx_ems_attachment {
	struct gx_ems_obj obj;
	struct gx_inst *inst;
};

struct gx_ems_attachment *gx_ems__attachment(struct gx_ems_obj *o);
/* Of a message, an embedded message or an attachment; NULL for other objects. */
struct gx_inst *gx_ems__inst(struct gx_ems_obj *o);
/* Takes the instance over. */
gx_ec gx_ems__give_attachment(struct gx_rop_call *c, struct gx_inst *inst);
/* OpenModeFlags of a message, OpenAttachmentFlags: GX_INST_READ, _WRITE or _BEST; [MS-OXCMSG] 2.2.3.1.1 */
uint32_t gx_ems__open_mode(uint8_t flags);
/* Its rows follow the message's changes. @inst must live longer. */
gx_ec gx_ems__open_attachments(struct gx_txn *t, const struct gx_table_opts *o, struct gx_inst *inst, struct gx_table **ret_tb);

/* What answers say about a message that was opened, [MS-OXCROPS] 2.2.6.1.2 (opened.c). */
struct gx_ems_opened {
	bool has_named;
	const char *prefix, *subject;
	uint16_t rcpt_count;
	struct gx_columns cols;
	struct gx_open_recipient_row *rows;
	uint32_t row_count;          /* as many as there is room for */
};
gx_ec gx_ems__opened(struct gx_rop_call *c, struct gx_txn *t, struct gx_inst *inst, struct gx_ems_opened *ret_o);
/* Gives a message that was opened; the client knows its recipients' columns then. */
/* What a client is told for the id of a message in an attachment; of no message that RopOpenMessage opens. */
uint64_t gx_ems__embedded_id(struct gx_inst *inst);
gx_ec gx_ems__give_opened(struct gx_rop_call *c, uint64_t fid, uint64_t mid, struct gx_inst *inst, const struct gx_ems_opened *o);
/* Into a response that has these fields. */
#define GX_EMS_SAY_OPENED(r, o) ( \
	(r)->has_named_properties = (o)->has_named, \
	(r)->subject_prefix = (o)->prefix, \
	(r)->normalized_subject = (o)->subject, \
	(r)->recipient_count = (o)->rcpt_count, \
	(r)->recipient_columns = (o)->cols.v, \
	(r)->recipient_columns_count = (o)->cols.count, \
	(r)->recipient_rows = (o)->rows, \
	(r)->recipient_rows_count = (o)->row_count)

#endif
