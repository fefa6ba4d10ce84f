/* SPDX-License-Identifier: Apache-2.0 */
/* What the grammar of [MS-OXCFXICS] 2.2.4.2 takes and what not. */
#include <config.h>
#include "tests/gxtest.h"
#include <gx/ftx.h>

#define P PidTagSubject
#define DEL MetaTagFXDelProp

static const struct {
	int root;
	uint32_t send_options;
	bool complete;          /* after all that is taken */
	size_t bad;             /* index of the element that is refused; their number: none is */
	gx_proptag_t v[20];     /* 0 ends */
} cases[] = {
	{GX_FTX_MESSAGE_CONTENT, 0, true, 0, {0}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 3, {P, P, PidTagAttachNumber}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 2, {MetaTagDnPrefix, P}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 1, {P, MetaTagDnPrefix}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 4, {DEL, StartRecip, P, EndToRecip}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 2, {DEL, DEL}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 2, {DEL, DEL, DEL}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 1, {DEL, P}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 6, {StartRecip, EndToRecip, DEL, NewAttach, PidTagAttachNumber, EndAttach}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 3, {NewAttach, PidTagAttachNumber, EndAttach, StartRecip}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 3, {NewAttach, PidTagAttachNumber, EndAttach, P}},
	{GX_FTX_MESSAGE_CONTENT, 0, false, 1, {NewAttach, P}},
	{GX_FTX_MESSAGE_CONTENT, 0, false, 2, {StartRecip, P}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 0, {StartMessage}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 0, {EndMessage}},
	{GX_FTX_MESSAGE_CONTENT, 0, true, 0, {MetaTagIdsetGiven}},
	{GX_FTX_MESSAGE_CONTENT, GX_FTX_SEND_RECOVER_MODE, true, 0, {FXErrorInfo}},
	{GX_FTX_ATTACHMENT_CONTENT, 0, true, 8, {P, PidTagAttachNumber, StartEmbed, P, StartRecip, P, EndToRecip, EndEmbed}},
	{GX_FTX_ATTACHMENT_CONTENT, 0, true, 2, {StartEmbed, EndEmbed, StartEmbed}},
	{GX_FTX_ATTACHMENT_CONTENT, 0, true, 2, {StartEmbed, EndEmbed, P}},
	{GX_FTX_MESSAGE_LIST, 0, true, 6, {StartMessage, P, EndMessage, StartFAIMsg, P, EndMessage}},
	{GX_FTX_MESSAGE_LIST, 0, true, 5, {MetaTagDnPrefix, MetaTagEcWarning, StartMessage, EndMessage, MetaTagEcWarning}},
	{GX_FTX_MESSAGE_LIST, 0, true, 0, {P}},
	{GX_FTX_MESSAGE_LIST, 0, false, 1, {StartMessage, EndEmbed}},
	{GX_FTX_MESSAGE_LIST, 0, false, 2, {StartMessage, P, FXErrorInfo}},
	{GX_FTX_MESSAGE_LIST, GX_FTX_SEND_RECOVER_MODE, true, 9,
		{StartMessage, P, NewAttach, PidTagAttachNumber, StartEmbed, FXErrorInfo, P, StartMessage, EndMessage}},
	{GX_FTX_MESSAGE_LIST, GX_FTX_SEND_RECOVER_MODE, true, 2, {FXErrorInfo, P, EndMessage}},
	{GX_FTX_TOP_FOLDER, 0, true, 8,
		{StartTopFld, P, StartMessage, EndMessage, StartSubFld, P, EndFolder, EndFolder}},
	{GX_FTX_TOP_FOLDER, 0, true, 4, {StartTopFld, P, MetaTagNewFXFolder, EndFolder}},
	{GX_FTX_TOP_FOLDER, 0, false, 2, {StartTopFld, P, DEL}},
	{GX_FTX_TOP_FOLDER, 0, false, 3, {StartTopFld, StartSubFld, EndFolder, StartMessage}},
	{GX_FTX_TOP_FOLDER, 0, false, 0, {P}},
	{GX_FTX_FOLDER_CONTENT, 0, true, 11,
		{P, DEL, StartMessage, EndMessage, DEL, StartFAIMsg, EndMessage, DEL, StartSubFld, P, EndFolder}},
	{GX_FTX_FOLDER_CONTENT, 0, true, 4, {P, DEL, StartSubFld, EndFolder}},
	{GX_FTX_FOLDER_CONTENT, 0, true, 1, {P, StartMessage}},
	{GX_FTX_FOLDER_CONTENT, 0, true, 2, {MetaTagNewFXFolder, DEL, DEL}},
	{GX_FTX_STATE, 0, true, 6,
		{IncrSyncStateBegin, MetaTagIdsetGiven, MetaTagCnsetSeen, MetaTagCnsetSeenFAI, MetaTagCnsetRead, IncrSyncStateEnd}},
	{GX_FTX_STATE, 0, false, 1, {IncrSyncStateBegin, P}},
	{GX_FTX_STATE, 0, false, 1, {IncrSyncStateBegin, MetaTagIdsetDeleted}},
	{GX_FTX_HIERARCHY_SYNC, 0, true, 9, {IncrSyncChg, P, IncrSyncChg, P, IncrSyncDel, MetaTagIdsetDeleted,
		IncrSyncStateBegin, IncrSyncStateEnd, IncrSyncEnd}},
	{GX_FTX_HIERARCHY_SYNC, 0, true, 3, {IncrSyncStateBegin, IncrSyncStateEnd, IncrSyncEnd, IncrSyncEnd}},
	{GX_FTX_HIERARCHY_SYNC, 0, false, 0, {IncrSyncRead}},
	{GX_FTX_HIERARCHY_SYNC, 0, false, 1, {IncrSyncDel, IncrSyncChg}},
	{GX_FTX_CONTENTS_SYNC, 0, true, 16, {IncrSyncProgressMode, P, IncrSyncProgressPerMsg, P, IncrSyncChg, P,
		IncrSyncMessage, P, StartRecip, EndToRecip, IncrSyncChg, IncrSyncMessage, IncrSyncRead, IncrSyncStateBegin,
		IncrSyncStateEnd, IncrSyncEnd}},
	{GX_FTX_CONTENTS_SYNC, 0, false, 2, {IncrSyncChg, P, StartRecip}},
	{GX_FTX_CONTENTS_SYNC, 0, false, 0, {IncrSyncGroupInfo}},
	{GX_FTX_CONTENTS_SYNC, GX_FTX_SEND_PARTIAL_ITEM, true, 12, {IncrSyncGroupInfo, P, MetaTagIncrSyncGroupId,
		IncrSyncChgPartial, P, MetaTagIncrementalSyncMessagePartial, P, StartRecip, EndToRecip, IncrSyncStateBegin,
		IncrSyncStateEnd, IncrSyncEnd}},
	{GX_FTX_CONTENTS_SYNC, GX_FTX_SEND_PARTIAL_ITEM, false, 2, {IncrSyncGroupInfo, P, IncrSyncChgPartial}},
	{GX_FTX_CONTENTS_SYNC, GX_FTX_SEND_RECOVER_MODE, true, 11, {IncrSyncChg, P, IncrSyncMessage, NewAttach, FXErrorInfo, P,
		IncrSyncChg, IncrSyncMessage, IncrSyncStateBegin, IncrSyncStateEnd, IncrSyncEnd}},
	{GX_FTX_CONTENTS_SYNC, GX_FTX_SEND_RECOVER_MODE, false, 1, {IncrSyncDel, FXErrorInfo}},
	{GX_FTX_CONTENTS_SYNC, 0, false, 2, {IncrSyncRead, MetaTagIdsetUnread, IncrSyncDel}},
};

START_TEST(sequences)
{
	struct gx_ftx_grammar g;
	size_t i = 0;
	ck_assert_int_eq(gx_ftx_grammar_init(&g, cases[_i].root, cases[_i].send_options, 0), 0);
	while (cases[_i].v[i] != 0 && gx_ftx_grammar_step(&g, cases[_i].v[i]) == 0)
		++i;
	ck_assert_msg(i == cases[_i].bad, "case %d: refused at %zu, not %zu", _i, i, cases[_i].bad);
	ck_assert_msg(gx_ftx_grammar_complete(&g) == cases[_i].complete, "case %d: complete or not", _i);
}
END_TEST

START_TEST(refused_elements_change_nothing)
{
	struct gx_ftx_grammar g;
	ck_assert_int_eq(gx_ftx_grammar_init(&g, GX_FTX_MESSAGE_LIST, GX_FTX_SEND_RECOVER_MODE, 0), 0);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, StartMessage), 0);
	struct gx_ftx_grammar before = g;
	ck_assert_int_eq(gx_ftx_grammar_step(&g, StartTopFld), GX_E_FORMAT);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, IncrSyncEnd), GX_E_FORMAT);
	ck_assert_uint_eq(g.state, before.state);
	ck_assert_uint_eq(g.depth, before.depth);
}
END_TEST

START_TEST(depth)
{
	struct gx_ftx_grammar g;
	ck_assert_int_eq(gx_ftx_grammar_init(&g, GX_FTX_ATTACHMENT_CONTENT, 0, 5), 0);
	for (unsigned i = 0; i < 2; ++i) {
		ck_assert_int_eq(gx_ftx_grammar_step(&g, StartEmbed), 0);
		ck_assert_int_eq(gx_ftx_grammar_step(&g, NewAttach), 0);
		ck_assert_int_eq(gx_ftx_grammar_step(&g, PidTagAttachNumber), 0);
	}
	ck_assert_int_eq(gx_ftx_grammar_step(&g, StartEmbed), 0);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, NewAttach), GX_E_DEPTH);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, StartRecip), GX_E_DEPTH);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, EndEmbed), 0);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, EndAttach), 0);
}
END_TEST

START_TEST(what_is_expected)
{
	struct gx_ftx_grammar g;
	struct gx_strbuf b = GX_STRBUF_INIT;
	ck_assert_int_eq(gx_ftx_grammar_init(&g, GX_FTX_MESSAGE_LIST, 0, 0), 0);
	gx_ftx_grammar_expected(&g, &b);
	ck_assert_str_eq(gx_strbuf_cstr(&b),
		"StartMessage, StartFAIMsg, MetaTagDnPrefix, MetaTagEcWarning, the end in messageList");
	gx_strbuf_clear(&b);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, StartMessage), 0);
	ck_assert_int_eq(gx_ftx_grammar_step(&g, StartRecip), 0);
	gx_ftx_grammar_expected(&g, &b);
	ck_assert_str_eq(gx_strbuf_cstr(&b), "EndToRecip, a property in recipient");
	gx_strbuf_release(&b);
}
END_TEST

START_TEST(names_and_roots)
{
	struct gx_ftx_grammar g;
	ck_assert(gx_ftx_is_marker(IncrSyncGroupInfo));
	ck_assert(!gx_ftx_is_marker(MetaTagFXDelProp));
	ck_assert(!gx_ftx_is_marker(0x400C0102));
	ck_assert(!gx_ftx_is_marker(PidTagSubject));
	ck_assert_str_eq(gx_ftx_name(StartMessage), "StartMessage");
	ck_assert_str_eq(gx_ftx_name(MetaTagIdsetGiven), "MetaTagIdsetGiven");
	ck_assert_str_eq(gx_ftx_name(0x40170003), "MetaTagIdsetGiven");
	ck_assert_ptr_null(gx_ftx_name(PidTagSubject));
	ck_assert_ptr_null(gx_ftx_name(0x400C0102));
	ck_assert_int_eq(gx_ftx_root(GX_FTX_FROM_COPY_TO, GX_FTX_OBJ_MESSAGE), GX_FTX_MESSAGE_CONTENT);
	ck_assert_int_eq(gx_ftx_root(GX_FTX_FROM_COPY_PROPERTIES, GX_FTX_OBJ_ATTACHMENT), GX_FTX_ATTACHMENT_CONTENT);
	ck_assert_int_eq(gx_ftx_root(GX_FTX_FROM_COPY_MESSAGES, GX_FTX_OBJ_FOLDER), GX_FTX_MESSAGE_LIST);
	ck_assert_int_eq(gx_ftx_root(GX_FTX_FROM_COPY_MESSAGES, GX_FTX_OBJ_MESSAGE), 0);
	ck_assert_int_eq(gx_ftx_root(GX_FTX_FROM_COPY_FOLDER, GX_FTX_OBJ_FOLDER), GX_FTX_TOP_FOLDER);
	ck_assert_int_eq(gx_ftx_root(0, GX_FTX_OBJ_FOLDER), 0);
	ck_assert_int_eq(gx_ftx_root(GX_FTX_FROM_COPY_TO, 9), 0);
	ck_assert_int_eq(gx_ftx_grammar_init(&g, GX_FTX_ANY, 0, 0), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_grammar_init(&g, GX_FTX_ROOTS, 0, 0), GX_E_INVAL);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ftxgrammar");
	TCase *t = tcase_create("grammar");
	tcase_add_loop_test(t, sequences, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, refused_elements_change_nothing);
	tcase_add_test(t, depth);
	tcase_add_test(t, what_is_expected);
	tcase_add_test(t, names_and_roots);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(suite)
